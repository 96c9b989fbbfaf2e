/* Data movement: MOV in all forms, MOVZX/MOVSX, LEA, XCHG, CMOVcc, SETcc, BSWAP, MOVBE, XLAT, the
 * compare-and-exchange family. Stack and segment moves are in exec_stack.c. */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ops.h"

#define GET8(n) (*reg8(c, i, n))
#define GET16(n) ((u16)c->r[n])
#define GET32(n) ((u32)c->r[n])
#define GET64(n) (c->r[n])
#define SET8(n, v) (*reg8(c, i, n) = (v))
#define SET16(n, v) set_reg16(c, n, v)
#define SET32(n, v) set_reg32(c, n, v)
#define SET64(n, v) (c->r[n] = (v))

/* ---- MOV ---- */

#define MOV_W(sd, ds, di, T, N, R, M)                                                          \
    void op_mov_##sd##_##R(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        SET##N(i->rm, GET##N(i->reg));                                                             \
    }                                                                                              \
    void op_mov_##sd##_##M(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        st##N##_seg(c, i->seg, ea_offset(c, i), GET##N(i->reg));                                   \
    }                                                                                              \
    void op_mov_##ds##_##R(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        SET##N(i->reg, GET##N(i->rm));                                                             \
    }                                                                                              \
    void op_mov_##ds##_##M(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        T v;                                                                                       \
        if (likely(ld##N##_seg(c, i->seg, ea_offset(c, i), &v))) SET##N(i->reg, v);                \
    }                                                                                              \
    void op_mov_##di##_##R(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        SET##N(i->rm, (T)i->imm);                                                                  \
    }                                                                                              \
    void op_mov_##di##_##M(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        st##N##_seg(c, i->seg, ea_offset(c, i), (T)i->imm);                                        \
    }
MOV_W(eb_gb, gb_eb, eb_ib, u8, 8, r, m)
MOV_W(ev_gv, gv_ev, ev_iz, u16, 16, r16, m16)
MOV_W(ev_gv, gv_ev, ev_iz, u32, 32, r32, m32)
MOV_W(ev_gv, gv_ev, ev_iz, u64, 64, r64, m64)

void op_mov_zb_ib(struct cpu *c, const struct insn *i)
{
    SET8(i->rm, (u8)i->imm);
}

/* Forms with the accumulator and an absolute offset, and B8+r. */
void op_mov_al_ob(struct cpu *c, const struct insn *i)
{
    u8 v;
    if (ld8_seg(c, i->seg, i->imm, &v)) *(u8 *)&c->r[RAX] = v;
}

void op_mov_ob_al(struct cpu *c, const struct insn *i)
{
    st8_seg(c, i->seg, i->imm, (u8)c->r[RAX]);
}

#define MOV_ACC(N)                                                                                 \
    void op_mov_rax_ov_##N(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        u##N v;                                                                                    \
        if (ld##N##_seg(c, i->seg, i->imm, &v)) SET##N(RAX, v);                                    \
    }                                                                                              \
    void op_mov_ov_rax_##N(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        st##N##_seg(c, i->seg, i->imm, GET##N(RAX));                                               \
    }                                                                                              \
    void op_mov_zv_iv_##N(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        SET##N(i->rm, (u##N)i->imm);                                                               \
    }                                                                                              \
    void op_lea_##N(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        SET##N(i->reg, (u##N)ea_offset(c, i));                                                     \
    }                                                                                              \
    void op_xchg_zv_rax_##N(struct cpu *c, const struct insn *i)                                   \
    {                                                                                              \
        if (i->rm == RAX) return; /* NOP: does not even clear EAX's upper half */                  \
        u##N a = GET##N(RAX), b = GET##N(i->rm);                                                   \
        SET##N(RAX, b);                                                                            \
        SET##N(i->rm, a);                                                                          \
    }
MOV_ACC(16)
MOV_ACC(32)
MOV_ACC(64)

/* F3 90 is PAUSE; with another register (REX.B, or 91..97) it stays XCHG. */
void op_pause_or_xchg(struct cpu *c, const struct insn *i)
{
    if (i->rm == RAX) return;
    u64 a = reg_read(c, i, i->osz, RAX), b = reg_read(c, i, i->osz, i->rm);
    reg_write(c, i, i->osz, RAX, b);
    reg_write(c, i, i->osz, i->rm, a);
}

/* ---- MOVZX, MOVSX, MOVSXD ---- */

#define EXTEND(name, N, FROM, CAST)                                                                \
    void op_##name##_r##N(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        SET##N(i->reg, (u##N)(CAST)GET##FROM(i->rm));                                              \
    }                                                                                              \
    void op_##name##_m##N(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        u##FROM v;                                                                                 \
        if (likely(ld##FROM##_seg(c, i->seg, ea_offset(c, i), &v))) SET##N(i->reg, (u##N)(CAST)v); \
    }
EXTEND(movzx_gv_eb, 16, 8, u8)
EXTEND(movzx_gv_eb, 32, 8, u8)
EXTEND(movzx_gv_eb, 64, 8, u8)
EXTEND(movzx_gv_ew, 16, 16, u16)
EXTEND(movzx_gv_ew, 32, 16, u16)
EXTEND(movzx_gv_ew, 64, 16, u16)
EXTEND(movsx_gv_eb, 16, 8, i8)
EXTEND(movsx_gv_eb, 32, 8, i8)
EXTEND(movsx_gv_eb, 64, 8, i8)
EXTEND(movsx_gv_ew, 16, 16, i16)
EXTEND(movsx_gv_ew, 32, 16, i16)
EXTEND(movsx_gv_ew, 64, 16, i16)
EXTEND(movsxd, 16, 16, u16)
EXTEND(movsxd, 32, 32, u32)
EXTEND(movsxd, 64, 32, i32)

void op_cbw_16(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_reg16(c, RAX, (u16)(i8)c->r[RAX]);
}

void op_cbw_32(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_reg32(c, RAX, (u32)(i16)c->r[RAX]);
}

void op_cbw_64(struct cpu *c, const struct insn *i)
{
    (void)i;
    c->r[RAX] = (u64)(i32)c->r[RAX];
}

void op_cwd_16(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_reg16(c, RDX, (u16)((i16)c->r[RAX] >> 15));
}

void op_cwd_32(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_reg32(c, RDX, (u32)((i32)c->r[RAX] >> 31));
}

void op_cwd_64(struct cpu *c, const struct insn *i)
{
    (void)i;
    c->r[RDX] = (u64)((i64)c->r[RAX] >> 63);
}

/* ---- XCHG ---- */

#define XCHG(form, N, R, M)                                                                        \
    void op_xchg_##form##_##R(struct cpu *c, const struct insn *i)                                 \
    {                                                                                              \
        u##N a = GET##N(i->rm), b = GET##N(i->reg);                                                \
        SET##N(i->rm, b);                                                                          \
        SET##N(i->reg, a);                                                                         \
    }                                                                                              \
    void op_xchg_##form##_##M(struct cpu *c, const struct insn *i)                                 \
    {                                                                                              \
        u64 off = ea_offset(c, i);                                                                 \
        u##N v, *host;                                                                             \
        if (unlikely(!rmw_load##N(c, i->seg, off, &v, &host))) return;                             \
        rmw_store##N(c, i->seg, off, host, GET##N(i->reg));                                        \
        SET##N(i->reg, v);                                                                         \
    }
XCHG(eb_gb, 8, r, m)
XCHG(ev_gv, 16, r16, m16)
XCHG(ev_gv, 32, r32, m32)
XCHG(ev_gv, 64, r64, m64)

/* ---- CMOVcc and SETcc ---- a false CMOV of 32 bits still clears the upper half; memory is read
 * either way. */

#define CMOV_W(cc, n, N)                                                                           \
    void op_cmov##cc##_r##N(struct cpu *c, const struct insn *i)                                   \
    {                                                                                              \
        u##N v = cc_test(c, n) ? GET##N(i->rm) : GET##N(i->reg);                                   \
        SET##N(i->reg, v);                                                                         \
    }                                                                                              \
    void op_cmov##cc##_m##N(struct cpu *c, const struct insn *i)                                   \
    {                                                                                              \
        u##N v;                                                                                    \
        if (unlikely(!ld##N##_seg(c, i->seg, ea_offset(c, i), &v))) return;                        \
        if (!cc_test(c, n)) v = GET##N(i->reg);                                                    \
        SET##N(i->reg, v);                                                                         \
    }
#define CONDITION(cc, n)                                                                           \
    CMOV_W(cc, n, 16)                                                                              \
    CMOV_W(cc, n, 32)                                                                              \
    CMOV_W(cc, n, 64)                                                                              \
    void op_set##cc##_r(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        SET8(i->rm, cc_test(c, n));                                                                \
    }                                                                                              \
    void op_set##cc##_m(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        st8_seg(c, i->seg, ea_offset(c, i), cc_test(c, n));                                        \
    }
CONDITION(o, 0)
CONDITION(no, 1)
CONDITION(b, 2)
CONDITION(nb, 3)
CONDITION(z, 4)
CONDITION(nz, 5)
CONDITION(be, 6)
CONDITION(nbe, 7)
CONDITION(s, 8)
CONDITION(ns, 9)
CONDITION(p, 10)
CONDITION(np, 11)
CONDITION(l, 12)
CONDITION(nl, 13)
CONDITION(le, 14)
CONDITION(nle, 15)

/* ---- byte order, translate ---- */

void op_bswap_16(struct cpu *c, const struct insn *i)
{
    set_reg16(c, i->rm, 0); /* undefined by the manuals; processors of both vendors clear it */
}

void op_bswap_32(struct cpu *c, const struct insn *i)
{
    set_reg32(c, i->rm, __builtin_bswap32((u32)c->r[i->rm]));
}

void op_bswap_64(struct cpu *c, const struct insn *i)
{
    c->r[i->rm] = __builtin_bswap64(c->r[i->rm]);
}

static u64 swap_size(u64 v, unsigned osz)
{
    return osz == OSZ16   ? __builtin_bswap16((u16)v)
           : osz == OSZ32 ? __builtin_bswap32((u32)v)
                          : __builtin_bswap64(v);
}

void op_movbe_gv_mv(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (rm_read(c, i, i->osz, &v)) reg_write(c, i, i->osz, i->reg, swap_size(v, i->osz));
}

void op_movbe_mv_gv(struct cpu *c, const struct insn *i)
{
    rm_write(c, i, i->osz, swap_size(reg_read(c, i, i->osz, i->reg), i->osz));
}

void op_xlat(struct cpu *c, const struct insn *i)
{
    u64 off = c->r[RBX] + (u8)c->r[RAX];
    u8 v;
    off = i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
    if (ld8_seg(c, i->seg, off, &v)) *(u8 *)&c->r[RAX] = v;
}

/* ---- CMPXCHG, XADD ---- */

static void compare(struct cpu *c, unsigned osz, u64 a, u64 b)
{
    switch (osz) {
    case OSZ8: cc_sub8(c, (u8)a, (u8)b, 0); break;
    case OSZ16: cc_sub16(c, (u16)a, (u16)b, 0); break;
    case OSZ32: cc_sub32(c, (u32)a, (u32)b, 0); break;
    default: cc_sub64(c, a, b, 0); break;
    }
}

/* A memory destination is always written (with its old value when the comparison fails), so it must
 * be writable; a register is not. */
void op_cmpxchg(struct cpu *c, const struct insn *i)
{
    u64 old, acc = reg_read(c, i, i->osz, RAX);
    if (is_mem(i) && !mem_probe_write(c, i->seg, ea_offset(c, i), 1u << i->osz)) return;
    if (!rm_read(c, i, i->osz, &old)) return;
    bool equal = old == acc;
    if (equal || is_mem(i)) rm_write(c, i, i->osz, equal ? reg_read(c, i, i->osz, i->reg) : old);
    compare(c, i->osz, acc, old);
    if (equal) return;
    if (i->osz == OSZ8) *(u8 *)&c->r[RAX] = (u8)old;
    else reg_write(c, i, i->osz, RAX, old);
}

void op_xadd(struct cpu *c, const struct insn *i)
{
    u64 old, add = reg_read(c, i, i->osz, i->reg), sum;
    if (is_mem(i) && !mem_probe_write(c, i->seg, ea_offset(c, i), 1u << i->osz)) return;
    if (!rm_read(c, i, i->osz, &old)) return;
    u64 off = is_mem(i) ? ea_offset(c, i) : 0;
    switch (i->osz) {
    case OSZ8: sum = cc_add8(c, (u8)old, (u8)add, 0); break;
    case OSZ16: sum = cc_add16(c, (u16)old, (u16)add, 0); break;
    case OSZ32: sum = cc_add32(c, (u32)old, (u32)add, 0); break;
    default: sum = cc_add64(c, old, add, 0); break;
    }
    reg_write(c, i, i->osz, i->reg, old);
    if (is_mem(i)) mem_write_n(c, i->seg, off, &sum, 1u << i->osz);
    else reg_write(c, i, i->osz, i->rm, sum);
}

static void cmpxchg16b(struct cpu *c, const struct insn *i)
{
    union vreg old, new;
    u64 off = ea_offset(c, i), base = i->seg >= SEG_FS ? c->seg[i->seg].base : 0;
    if (!cpu_has(c, FT_CX16)) {
        exc_raise(c, EXC_UD);
        return;
    }
    if ((off + base) & 15) { /* before the canonical check: #GP, not #SS */
        exc_gp0(c);
        return;
    }
    if (!mem_probe_write(c, i->seg, off, 16) || !mem_read_n(c, i->seg, off, &old, 16)) return;
    bool equal = old.q[0] == c->r[RAX] && old.q[1] == c->r[RDX];
    new.q[0] = equal ? c->r[RBX] : old.q[0];
    new.q[1] = equal ? c->r[RCX] : old.q[1];
    mem_write_n(c, i->seg, off, &new, 16);
    cc_set_zf(c, equal);
    if (equal) return;
    c->r[RAX] = old.q[0];
    c->r[RDX] = old.q[1];
}

void op_cmpxchg8b(struct cpu *c, const struct insn *i)
{
    if (i->osz == OSZ64) {
        cmpxchg16b(c, i);
        return;
    }
    u64 off = ea_offset(c, i), old, *host;
    if (!rmw_load64(c, i->seg, off, &old, &host)) return;
    bool equal = old == ((u64)(u32)c->r[RDX] << 32 | (u32)c->r[RAX]);
    rmw_store64(c, i->seg, off, host, equal ? (u64)(u32)c->r[RCX] << 32 | (u32)c->r[RBX] : old);
    cc_set_zf(c, equal);
    if (equal) return;
    set_reg32(c, RAX, (u32)old);
    set_reg32(c, RDX, (u32)(old >> 32));
}
