/* String instructions and port I/O: MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS with their repeat
 * prefixes, IN, OUT.
 *
 * A repeated instruction goes in bursts: one element the ordinary way (which checks everything and
 * fills the TLB), then as many more as stay inside the pages at hand directly on host memory; INS and
 * OUTS as many as the device moves at once (bus_read_run).
 * Registers are up to date after every element, so a fault or an interrupt between two elements
 * simply leaves RIP at the instruction and it is resumed (SDM 2B REP). One call handles a bounded
 * number of rounds; single step and pending events stop it after one element. */
#include "cpu/flags.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mem.h"
#include "cpu/ops.h"

#include "machine/core/trace.h"

#define BYTES_PER_CALL 65536u

struct string_op {
    unsigned size; /* bytes of an element */
    u64 mask;      /* address size */
    u64 step;      /* size, or minus size when DF is set */
};

static struct string_op string_op(const struct cpu *c, const struct insn *i)
{
    unsigned size = 1u << i->osz;
    u64 mask = i->asz == ASZ64 ? ~0ull : i->asz == ASZ32 ? 0xffffffffull : 0xffffull;
    return (struct string_op){ size, mask, c->rflags & FL_DF ? 0 - (u64)size : size };
}

static inline void set_masked(struct cpu *c, unsigned reg, u64 v, u64 mask)
{
    if (mask == 0xffff) set_reg16(c, reg, (u16)v);
    else c->r[reg] = v & mask;
}

static inline void advance(struct cpu *c, const struct string_op *s, unsigned reg, u64 elements)
{
    set_masked(c, reg, c->r[reg] + s->step * elements, s->mask);
}

static bool read_element(struct cpu *c, unsigned seg, u64 off, unsigned size, u64 *v)
{
    *v = 0;
    switch (size) {
    case 1: return ld8_seg(c, seg, off, (u8 *)v);
    case 2: return ld16_seg(c, seg, off, (u16 *)v);
    case 4: return ld32_seg(c, seg, off, (u32 *)v);
    default: return ld64_seg(c, seg, off, v);
    }
}

static bool write_element(struct cpu *c, unsigned seg, u64 off, unsigned size, u64 v)
{
    switch (size) {
    case 1: return st8_seg(c, seg, off, (u8)v);
    case 2: return st16_seg(c, seg, off, (u16)v);
    case 4: return st32_seg(c, seg, off, (u32)v);
    default: return st64_seg(c, seg, off, v);
    }
}

/* Host address of the element at [seg:reg], and how many elements from there on in the direction of
 * travel are in the same page, inside the segment and the address size. NULL: go element by
 * element. *n is lowered to that number. */
static u8 *host_run(struct cpu *c, const struct string_op *s, unsigned seg, unsigned reg,
                    bool write, u64 *n)
{
    u64 off = c->r[reg] & s->mask, gla, k;
    bool down = s->step != s->size;
    if (c->cpl == 3 && (c->rflags & FL_AC)) return NULL; /* #AC is checked per element */
    if (!seg_quick(c, seg, off, s->size, write, &gla)) return NULL;
    u64 in_page = gla & 0xfff;
    if (in_page + s->size > 0x1000) return NULL;
    if (down) k = MIN(in_page, off) / s->size + 1;
    else k = MIN(0x1000 - in_page, s->mask - off) / s->size;
    *n = MIN(*n, k);
    if (!*n) return NULL;
    u64 low = down ? off - (*n - 1) * s->size : off, low_gla;
    if (!seg_quick(c, seg, low, (unsigned)(*n * s->size), write, &low_gla)) return NULL;
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != (gla & ~0xfffull)) return NULL;
    return (u8 *)(uintptr_t)(gla + e->off);
}

/* ---- one burst of each instruction ----
 * Does one element with every check and then, where the operands are plain memory, the ones that
 * follow it in the same pages, up to n in all. Returns how many were done: 0 after a fault.
 * Registers and flags are up to date. Host addresses are taken right after each access, because the
 * two operands may share a TLB slot. */

typedef u64 burst_fn(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n);

/* len bytes of `size`-byte copies of v. */
static void fill_run(u8 *dst, u64 v, unsigned size, u64 len)
{
    if (size == 1 || !v) {
        memset(dst, (int)v, len);
        return;
    }
    u64 done = MIN(len, 64);
    for (u64 k = 0; k < done; k += size) st_n(dst + k, v, size);
    for (; done < len; done *= 2) memcpy(dst + done, dst, MIN(done, len - done));
}

/* Number of leading bytes that p and q have in common, of n. */
static u64 common_bytes(const u8 *p, const u8 *q, u64 n)
{
    u64 k = 0;
    for (; k + 8 <= n; k += 8) {
        u64 diff = ld64(p + k) ^ ld64(q + k);
        if (diff) return k + (unsigned)__builtin_ctzll(diff) / 8;
    }
    while (k < n && p[k] == q[k]) k++;
    return k;
}

/* Index of the first of n elements at p, p + step ... whose equality with the one of q (or with acc)
 * is `equal`, or n. */
#define FIND(T)                                                                                    \
    static u64 find_pair_##T(const u8 *p, const u8 *q, i64 step, u64 n, bool equal)                \
    {                                                                                              \
        T a, b;                                                                                    \
        for (u64 k = 0; k < n; k++, p += step, q += step) {                                        \
            memcpy(&a, p, sizeof(T));                                                              \
            memcpy(&b, q, sizeof(T));                                                              \
            if ((a == b) == equal) return k;                                                       \
        }                                                                                          \
        return n;                                                                                  \
    }                                                                                              \
    static u64 find_value_##T(const u8 *q, i64 step, u64 n, T acc, bool equal)                     \
    {                                                                                              \
        T v;                                                                                       \
        for (u64 k = 0; k < n; k++, q += step) {                                                   \
            memcpy(&v, q, sizeof(T));                                                              \
            if ((v == acc) == equal) return k;                                                     \
        }                                                                                          \
        return n;                                                                                  \
    }
FIND(u8)
FIND(u16)
FIND(u32)
FIND(u64)
#undef FIND

static u64 find_pair(const u8 *p, const u8 *q, const struct string_op *s, u64 n, bool equal)
{
    i64 step = (i64)s->step;
    if (!equal && step > 0) return common_bytes(p, q, n * s->size) / s->size;
    switch (s->size) {
    case 1: return find_pair_u8(p, q, step, n, equal);
    case 2: return find_pair_u16(p, q, step, n, equal);
    case 4: return find_pair_u32(p, q, step, n, equal);
    default: return find_pair_u64(p, q, step, n, equal);
    }
}

static u64 find_value(const u8 *q, const struct string_op *s, u64 n, u64 acc, bool equal)
{
    i64 step = (i64)s->step;
    if (s->size == 1 && equal && step > 0) {
        const u8 *at = memchr(q, (int)acc, n);
        return at ? (u64)(at - q) : n;
    }
    switch (s->size) {
    case 1: return find_value_u8(q, step, n, (u8)acc, equal);
    case 2: return find_value_u16(q, step, n, (u16)acc, equal);
    case 4: return find_value_u32(q, step, n, (u32)acc, equal);
    default: return find_value_u64(q, step, n, acc, equal);
    }
}

/* Copies k elements in the direction of travel. Overlapping operands repeat a pattern, so they go
 * element by element. */
static void copy_run(u8 *dst, const u8 *src, const struct string_op *s, u64 k)
{
    u64 len = k * s->size;
    i64 step = (i64)s->step;
    if (step < 0) {
        u8 *dlow = dst - (len - s->size);
        const u8 *slow = src - (len - s->size);
        if (dlow + len <= slow || dlow >= slow) {
            memmove(dlow, slow, len);
            return;
        }
    } else if (dst <= src || dst >= src + len) {
        memmove(dst, src, len);
        return;
    }
    for (; k; k--, dst += step, src += step) st_n(dst, ld_n(src, s->size), s->size);
}

static u64 movs_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    u64 v;
    const u8 *src = NULL;
    u8 *dst = NULL;
    if (!read_element(c, i->seg, c->r[RSI] & s->mask, s->size, &v)) return 0;
    if (n > 1) src = host_run(c, s, i->seg, RSI, false, &n);
    if (!write_element(c, SEG_ES, c->r[RDI] & s->mask, s->size, v)) return 0;
    if (src) dst = host_run(c, s, SEG_ES, RDI, true, &n);
    if (!dst) n = 1;
    if (n > 1) copy_run(dst + (i64)s->step, src + (i64)s->step, s, n - 1);
    advance(c, s, RSI, n);
    advance(c, s, RDI, n);
    return n;
}

static u64 stos_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    (void)i;
    u64 v = c->r[RAX] & mask_n(s->size);
    if (!write_element(c, SEG_ES, c->r[RDI] & s->mask, s->size, v)) return 0;
    u8 *dst = n > 1 ? host_run(c, s, SEG_ES, RDI, true, &n) : NULL;
    if (!dst) n = 1;
    if (n > 1) {
        if (s->step != s->size) dst -= (n - 1) * s->size;
        fill_run(dst, v, s->size, n * s->size);
    }
    advance(c, s, RDI, n);
    return n;
}

static u64 lods_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    (void)n;
    u64 v;
    if (!read_element(c, i->seg, c->r[RSI] & s->mask, s->size, &v)) return 0;
    if (s->size == 1) *(u8 *)&c->r[RAX] = (u8)v;
    else reg_write(c, i, i->osz, RAX, v);
    advance(c, s, RSI, 1);
    return 1;
}

static void compare(struct cpu *c, unsigned size, u64 a, u64 b)
{
    switch (size) {
    case 1: cc_sub8(c, (u8)a, (u8)b, 0); break;
    case 2: cc_sub16(c, (u16)a, (u16)b, 0); break;
    case 4: cc_sub32(c, (u32)a, (u32)b, 0); break;
    default: cc_sub64(c, a, b, 0); break;
    }
}

static u64 cmps_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    u64 a, b, k = 1;
    const u8 *p = NULL, *q = NULL;
    bool until_equal = i->rep == 0xf2;
    if (!read_element(c, i->seg, c->r[RSI] & s->mask, s->size, &a)) return 0;
    if (n > 1) p = host_run(c, s, i->seg, RSI, false, &n);
    if (!read_element(c, SEG_ES, c->r[RDI] & s->mask, s->size, &b)) return 0;
    if (p) q = host_run(c, s, SEG_ES, RDI, false, &n);
    if (q && n > 1 && (a == b) != until_equal) {
        k = MIN(1 + find_pair(p + (i64)s->step, q + (i64)s->step, s, n - 1, until_equal) + 1, n);
        a = ld_n(p + (i64)(s->step * (k - 1)), s->size);
        b = ld_n(q + (i64)(s->step * (k - 1)), s->size);
    }
    compare(c, s->size, a, b);
    advance(c, s, RSI, k);
    advance(c, s, RDI, k);
    return k;
}

static u64 scas_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    u64 acc = c->r[RAX] & mask_n(s->size), v, k = 1;
    bool until_equal = i->rep == 0xf2;
    if (!read_element(c, SEG_ES, c->r[RDI] & s->mask, s->size, &v)) return 0;
    const u8 *q = n > 1 ? host_run(c, s, SEG_ES, RDI, false, &n) : NULL;
    if (q && n > 1 && (acc == v) != until_equal) {
        k = MIN(1 + find_value(q + (i64)s->step, s, n - 1, acc, until_equal) + 1, n);
        v = ld_n(q + (i64)(s->step * (k - 1)), s->size);
    }
    compare(c, s->size, acc, v);
    advance(c, s, RDI, k);
    return k;
}

/* ---- repetition ---- */

/* Long work counts as instructions: the end of the slice and virtual time that follows the
 * instruction count must see it. Depends on the bytes alone, not on how bursts went or slices end,
 * so that counts repeat. */
static void charge(struct cpu *c, u64 bytes)
{
    u64 n = bytes / 16, now = MIN(c->budget, n);
    c->budget -= now;
    c->icount_base += n - now; /* beyond the slice */
}

static void string_insn(struct cpu *c, const struct insn *i, burst_fn *burst, bool compares)
{
    struct string_op s = string_op(c, i);
    if (!i->rep) {
        burst(c, i, &s, 1);
        return;
    }
    u64 count = c->r[RCX] & s.mask, left = BYTES_PER_CALL / s.size;
    bool found = false, must_look = false;
    while (count && left && !found && !must_look) {
        bool alone = c->events & (CE_TRAP | CE_DRX | CE_BREAK); /* debuggers see every element */
        u64 done = burst(c, i, &s, alone ? 1 : MIN(count, left));
        if (!done) break;
        count -= done;
        left -= done;
        set_masked(c, RCX, count, s.mask);
        found = compares && cc_zf(c) == (i->rep == 0xf2);
        /* A kick comes from another thread at any time, and what had been decoded where the
         * elements go is the engine's affair: heeding them here would make the instruction count
         * depend on the host, or on the engine. */
        must_look = c->events & ~(u32)(CE_KICK | CE_CODE);
    }
    charge(c, BYTES_PER_CALL - left * s.size);
    if (count && !found && (!left || must_look) && !(c->events & CE_FAULT)) c->rip = c->insn_rip;
}

void op_movs(struct cpu *c, const struct insn *i)
{
    string_insn(c, i, movs_burst, false);
}

void op_stos(struct cpu *c, const struct insn *i)
{
    string_insn(c, i, stos_burst, false);
}

void op_lods(struct cpu *c, const struct insn *i)
{
    string_insn(c, i, lods_burst, false);
}

void op_cmps(struct cpu *c, const struct insn *i)
{
    string_insn(c, i, cmps_burst, true);
}

void op_scas(struct cpu *c, const struct insn *i)
{
    string_insn(c, i, scas_burst, true);
}

/* ---- ports ---- */

static u32 port_in(struct cpu *c, u16 port, unsigned size)
{
    lockstep_once(c);
    u32 v = (u32)bus_read(c->io, port, size);
    TRACE(port_rd, port, v, size, 0);
    cpu_polled(c);
    cpu_check_generation(c);
    return v;
}

static void port_out(struct cpu *c, u16 port, unsigned size, u32 v)
{
    lockstep_once(c);
    TRACE(port_wr, port, v, size, 0);
    bus_write(c->io, port, v, size);
    cpu_check_generation(c);
}

static unsigned port_size(const struct insn *i)
{
    return i->osz == OSZ64 ? 4 : 1u << i->osz;
}

/* Whether the element just moved leaves the flow alone, so that more may follow it at once; a trace
 * shows each. */
static bool undisturbed(const struct cpu *c)
{
    return !(c->events & ~CE_KICK) && !trace_on[EV_port_rd] && !trace_on[EV_port_wr];
}

static u64 ins_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    (void)i;
    u64 off = c->r[RDI] & s->mask;
    if (!mem_probe_write(c, SEG_ES, off, s->size))
        return 0; /* reading the port has side effects: check first */
    write_element(c, SEG_ES, off, s->size, port_in(c, (u16)c->r[RDX], s->size));
    advance(c, s, RDI, 1);
    if (--n == 0 || s->step != s->size || !undisturbed(c)) return 1;
    u8 *dst = host_run(c, s, SEG_ES, RDI, true, &n);
    if (!dst) return 1;
    n = bus_read_run(c->io, (u16)c->r[RDX], s->size, dst, (unsigned)n);
    cpu_check_generation(c);
    advance(c, s, RDI, n);
    return 1 + n;
}

static u64 outs_burst(struct cpu *c, const struct insn *i, const struct string_op *s, u64 n)
{
    u64 v;
    if (!read_element(c, i->seg, c->r[RSI] & s->mask, s->size, &v)) return 0;
    port_out(c, (u16)c->r[RDX], s->size, (u32)v); /* an SMI may ask for this element again */
    advance(c, s, RSI, 1);
    if (--n == 0 || s->step != s->size || !undisturbed(c)) return 1;
    const u8 *src = host_run(c, s, i->seg, RSI, false, &n);
    if (!src) return 1;
    n = bus_write_run(c->io, (u16)c->r[RDX], s->size, src, (unsigned)n);
    cpu_check_generation(c);
    advance(c, s, RSI, n);
    return 1 + n;
}

/* INSD and OUTSD stay 32-bit with REX.W. */
static void port_string(struct cpu *c, const struct insn *i, burst_fn *one)
{
    struct insn narrow = *i;
    if (!io_allowed(c, (u16)c->r[RDX], port_size(i))) return;
    if (narrow.osz == OSZ64) narrow.osz = OSZ32;
    string_insn(c, &narrow, one, false);
}

void op_ins(struct cpu *c, const struct insn *i)
{
    port_string(c, i, ins_burst);
}

void op_outs(struct cpu *c, const struct insn *i)
{
    port_string(c, i, outs_burst);
}

static void in_acc(struct cpu *c, const struct insn *i, u16 port)
{
    unsigned size = port_size(i);
    if (!io_allowed(c, port, size)) return;
    u32 v = port_in(c, port, size);
    if (size == 1) *(u8 *)&c->r[RAX] = (u8)v;
    else if (size == 2) set_reg16(c, RAX, (u16)v);
    else set_reg32(c, RAX, v);
}

static void out_acc(struct cpu *c, const struct insn *i, u16 port)
{
    unsigned size = port_size(i);
    if (io_allowed(c, port, size)) port_out(c, port, size, (u32)(c->r[RAX] & mask_n(size)));
}

void op_in_ib(struct cpu *c, const struct insn *i)
{
    in_acc(c, i, (u8)i->imm);
}

void op_in_dx(struct cpu *c, const struct insn *i)
{
    in_acc(c, i, (u16)c->r[RDX]);
}

void op_out_ib(struct cpu *c, const struct insn *i)
{
    out_acc(c, i, (u8)i->imm);
}

void op_out_dx(struct cpu *c, const struct insn *i)
{
    out_acc(c, i, (u16)c->r[RDX]);
}
