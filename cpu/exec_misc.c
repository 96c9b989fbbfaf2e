/* Small instructions without a family: NOP and hints, CLFLUSH, CRC32, ADCX/ADOX, BMI1 and BMI2. */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ops.h"

void op_nop(struct cpu *c, const struct insn *i)
{
    (void)c;
    (void)i;
}

/* Caches are not modelled; the address is checked as a byte read. */
void op_clflush(struct cpu *c, const struct insn *i)
{
    u8 v;
    mem_read8(c, i->seg, ea_offset(c, i), &v);
}

/* ---- CRC32 (polynomial 11EDC6F41h, bits reflected) ---- */

static u32 crc32c(u32 crc, u64 data, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        crc ^= (u8)(data >> (8 * k));
        for (unsigned bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

void op_crc32_eb(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (rm_read(c, i, OSZ8, &v)) set_reg32(c, i->reg, crc32c((u32)c->r[i->reg], v, 1));
}

void op_crc32_ev(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (rm_read(c, i, i->osz, &v)) set_reg32(c, i->reg, crc32c((u32)c->r[i->reg], v, 1u << i->osz));
}

/* ---- ADX ---- */

static u64 add_carry(const struct insn *i, u64 a, u64 b, bool *carry)
{
    if (i->osz == OSZ32) {
        u64 r = (u64)(u32)a + (u32)b + *carry;
        *carry = r >> 32;
        return (u32)r;
    }
    u128 r = (u128)a + b + *carry;
    *carry = r >> 64;
    return (u64)r;
}

void op_adcx(struct cpu *c, const struct insn *i)
{
    u64 v;
    bool carry = cc_cf(c);
    if (!rm_read(c, i, i->osz, &v)) return;
    c->r[i->reg] = add_carry(i, c->r[i->reg], v, &carry);
    cc_set_cf_of(c, carry, cc_of(c));
}

void op_adox(struct cpu *c, const struct insn *i)
{
    u64 v;
    bool carry = cc_of(c);
    if (!rm_read(c, i, i->osz, &v)) return;
    c->r[i->reg] = add_carry(i, c->r[i->reg], v, &carry);
    cc_set_cf_of(c, cc_cf(c), carry);
}

/* ---- BMI1, BMI2 ---- VEX-encoded: undefined in real and virtual-8086 mode. Operands are 32 or 64
 * bits. */

/* Reads r/m; false: fault. */
static bool vex_read(struct cpu *c, const struct insn *i, u64 *v)
{
    if (!(c->cr0 & CR0_PE) || (c->rflags & FL_VM)) {
        exc_raise(c, EXC_UD);
        return false;
    }
    return rm_read(c, i, i->osz, v);
}

static unsigned width(const struct insn *i)
{
    return 8u << i->osz;
}

static u64 trim(const struct insn *i, u64 v)
{
    return i->osz == OSZ32 ? (u32)v : v;
}

static u64 sign_extended(const struct insn *i, u64 v)
{
    return i->osz == OSZ32 ? (u64)(i32)v : v;
}

static void finish(struct cpu *c, const struct insn *i, unsigned dest, u64 v, bool cf)
{
    c->r[dest] = trim(i, v);
    cc_result(c, sign_extended(i, v), cf, false);
}

void op_andn(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) finish(c, i, i->reg, ~c->r[i->vvvv] & v, false);
}

void op_blsr(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) finish(c, i, i->vvvv, v & (v - 1), !v);
}

void op_blsmsk(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) finish(c, i, i->vvvv, v ^ (v - 1), !v);
}

void op_blsi(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) finish(c, i, i->vvvv, v & (0 - v), v != 0);
}

void op_bzhi(struct cpu *c, const struct insn *i)
{
    u64 v;
    unsigned n = (u8)c->r[i->vvvv];
    if (!vex_read(c, i, &v)) return;
    finish(c, i, i->reg, n < width(i) ? v & ((1ull << n) - 1) : v, n >= width(i));
}

void op_bextr(struct cpu *c, const struct insn *i)
{
    u64 v;
    unsigned start = (u8)c->r[i->vvvv], len = (u8)(c->r[i->vvvv] >> 8);
    if (!vex_read(c, i, &v)) return;
    v = start < width(i) ? v >> start : 0;
    if (len < 64) v &= (1ull << len) - 1;
    finish(c, i, i->reg, v, false);
}

void op_pext(struct cpu *c, const struct insn *i)
{
    u64 mask, src = c->r[i->vvvv], r = 0;
    if (!vex_read(c, i, &mask)) return;
    for (unsigned k = 0; mask; k++, mask &= mask - 1) r |= (src >> __builtin_ctzll(mask) & 1) << k;
    c->r[i->reg] = r;
}

void op_pdep(struct cpu *c, const struct insn *i)
{
    u64 mask, src = c->r[i->vvvv], r = 0;
    if (!vex_read(c, i, &mask)) return;
    for (; mask; src >>= 1, mask &= mask - 1) r |= (src & 1) << __builtin_ctzll(mask);
    c->r[i->reg] = r;
}

/* The upper half is written last: it wins when both destinations are the same register. */
void op_mulx(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!vex_read(c, i, &v)) return;
    u128 r = i->osz == OSZ32 ? (u128)((u64)(u32)c->r[RDX] * v) : (u128)c->r[RDX] * v;
    c->r[i->vvvv] = trim(i, (u64)r);
    c->r[i->reg] = trim(i, (u64)(r >> width(i)));
}

void op_shlx(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) c->r[i->reg] = trim(i, v << (c->r[i->vvvv] & (width(i) - 1)));
}

void op_shrx(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (vex_read(c, i, &v)) c->r[i->reg] = v >> (c->r[i->vvvv] & (width(i) - 1));
}

void op_sarx(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!vex_read(c, i, &v)) return;
    c->r[i->reg] = trim(i, (u64)((i64)sign_extended(i, v) >> (c->r[i->vvvv] & (width(i) - 1))));
}

void op_rorx(struct cpu *c, const struct insn *i)
{
    u64 v;
    unsigned n = i->imm & (width(i) - 1);
    if (!vex_read(c, i, &v)) return;
    c->r[i->reg] = n ? trim(i, v >> n | v << (width(i) - n)) : v;
}
