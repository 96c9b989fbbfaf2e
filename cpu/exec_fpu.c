/* x87: arithmetic, comparison, loads and stores. One handler per operation and operand form, all made from a few inline
 * bodies: fetch, stack check, run on the host (hostfp.h), deliver. exec_fpu_trans.c has the unary and transcendental
 * instructions, exec_fpu_env.c control and state. SDM 1 chapter 8, SDM 2.
 *
 * Delivery: with every exception masked the host's result is the result. Otherwise an unmasked IE, DE or ZE leaves operands and
 * stack alone; an unmasked OE or UE delivers a scaled result to a register and nothing to memory; PE changes nothing. */
#include "cpu/fpu.h"

#define INLINE static inline __attribute__((always_inline))

/* What fpu_deliver does when some exception is unmasked: false when nothing is delivered. ld converts a memory operand. */
static __attribute__((noinline)) bool deliver_unmasked(struct cpu *c, enum x87_op op, const struct f80 *a, const void *b,
                                                       x87_fn *ld, u16 sw, struct f80 *r)
{
    u16 flags = sw & FSW_EXC;
    u16 raised;

    if (!(c->fcw & FSW_UE) && f80_is_tiny(r)) flags |= FSW_UE;
    raised = flags & ~c->fcw;
    if (raised & FSW_PRE) {
        fpu_flags(c, flags & FSW_PRE, FSW_C1);
        return false;
    }
    if (raised & (FSW_OE | FSW_UE)) {
        struct f80 wide;
        const struct f80 *second = b;
        if (ld) {
            ld(&wide, NULL, b);
            second = &wide;
        }
        sw = hostfp_scaled(op, a, second, c->fcw, raised & (FSW_OE | FSW_UE), r, r);
        flags = (u16)((flags & ~FSW_PE) | (sw & FSW_PE));
    }
    fpu_flags(c, (u16)(flags | (sw & FSW_C1)), FSW_C1);
    return true;
}

/* dst = a op b. True when delivered (the caller pops then). */
INLINE bool arith(struct cpu *c, unsigned dst, x87_fn *fn, enum x87_op op, const struct f80 *a, const void *b, x87_fn *ld)
{
    struct f80 r;
    u16 sw = x87_run(c->fcw, c->fsw, fn, &r, a, b);

    if (likely((c->fcw & FSW_EXC) == FSW_EXC)) {
        c->fsw = (u16)((c->fsw & ~FSW_C1) | (sw & (FSW_EXC | FSW_C1)));
    } else if (!deliver_unmasked(c, op, a, b, ld, sw, &r)) {
        return false;
    }
    f80_copy(&c->fpr[dst], &r);
    return true;
}

static __attribute__((noinline)) bool underflow_to(struct cpu *c, unsigned dst)
{
    struct f80 v = f80_indefinite();

    if (!fpu_stack_fault(c, false)) return false;
    fpu_set(c, dst, &v);
    return true;
}

/* Memory operand of 2, 4 or 8 bytes; false after a fault. */
INLINE bool read_operand(struct cpu *c, const struct insn *i, unsigned size, u64 *v)
{
    u64 off = ea_offset(c, i);
    u32 d;
    u16 w;

    switch (size) {
    case 2:
        if (!mem_read16(c, i->seg, off, &w)) return false;
        *v = w;
        break;
    case 4:
        if (!mem_read32(c, i->seg, off, &d)) return false;
        *v = d;
        break;
    default:
        if (!mem_read64(c, i->seg, off, v)) return false;
        break;
    }
    fpu_note_mem(c, i, off);
    return true;
}

INLINE void arith_mem(struct cpu *c, const struct insn *i, unsigned size, x87_fn *fn, x87_fn *ld, enum x87_op op)
{
    unsigned top;
    u64 m;

    if (!fpu_begin(c) || !read_operand(c, i, size, &m)) return;
    top = fpu_top(c);
    if (unlikely(!fpu_used(c, top))) {
        underflow_to(c, top);
        return;
    }
    arith(c, top, fn, op, &c->fpr[top], &m, ld);
}

/* reverse: destination ST(i), else ST(0). */
INLINE void arith_reg(struct cpu *c, const struct insn *i, x87_fn *fn, enum x87_op op, bool reverse, bool pop)
{
    unsigned top, other, dst, src;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    other = (top + i->modrm) & 7;
    dst = reverse ? other : top;
    src = reverse ? top : other;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, other))) {
        if (underflow_to(c, dst) && pop) fpu_pop(c);
        return;
    }
    if (arith(c, dst, fn, op, &c->fpr[dst], &c->fpr[src], NULL) && pop) fpu_pop(c);
}

#define ARITH_OP(name, OP)                                                                         \
    void op_f##name##_m32(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        arith_mem(c, i, 4, x87_##name##_m32, x87_ld_m32, OP);                                      \
    }                                                                                              \
    void op_f##name##_m64(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        arith_mem(c, i, 8, x87_##name##_m64, x87_ld_m64, OP);                                      \
    }                                                                                              \
    void op_fi##name##_m16(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        arith_mem(c, i, 2, x87_##name##_i16, x87_ld_i16, OP);                                      \
    }                                                                                              \
    void op_fi##name##_m32(struct cpu *c, const struct insn *i)                                    \
    {                                                                                              \
        arith_mem(c, i, 4, x87_##name##_i32, x87_ld_i32, OP);                                      \
    }                                                                                              \
    void op_f##name##_st0_sti(struct cpu *c, const struct insn *i)                                 \
    {                                                                                              \
        arith_reg(c, i, x87_##name, OP, false, false);                                             \
    }                                                                                              \
    void op_f##name##_sti_st0(struct cpu *c, const struct insn *i)                                 \
    {                                                                                              \
        arith_reg(c, i, x87_##name, OP, true, false);                                              \
    }                                                                                              \
    void op_f##name##p(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        arith_reg(c, i, x87_##name, OP, true, true);                                               \
    }
ARITH_OP(add, X87_ADD)
ARITH_OP(mul, X87_MUL)
ARITH_OP(sub, X87_SUB)
ARITH_OP(subr, X87_SUBR)
ARITH_OP(div, X87_DIV)
ARITH_OP(divr, X87_DIVR)

/* --- comparison --- */

/* Takes over C3 C2 C0 (C1 = 0), whatever happened; false when an unmasked exception keeps the stack. */
INLINE bool compared(struct cpu *c, u16 sw)
{
    fpu_flags(c, sw & (FSW_EXC | FSW_C0 | FSW_C2 | FSW_C3), FSW_CC);
    return likely(!(sw & ~c->fcw & FSW_PRE));
}

static __attribute__((noinline)) bool compare_underflow(struct cpu *c)
{
    c->fsw |= FSW_C0 | FSW_C2 | FSW_C3;
    return fpu_stack_fault(c, false);
}

INLINE void compare_mem(struct cpu *c, const struct insn *i, unsigned size, x87_fn *fn, bool pop)
{
    unsigned top;
    u64 m;
    bool done;

    if (!fpu_begin(c) || !read_operand(c, i, size, &m)) return;
    top = fpu_top(c);
    if (unlikely(!fpu_used(c, top))) {
        done = compare_underflow(c);
    } else {
        done = compared(c, x87_run(c->fcw, c->fsw, fn, NULL, &c->fpr[top], &m));
    }
    if (done && pop) fpu_pop(c);
}

INLINE void compare_reg(struct cpu *c, const struct insn *i, x87_fn *fn, unsigned other, unsigned pops)
{
    unsigned top;
    bool done;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    other = (top + other) & 7;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, other))) {
        done = compare_underflow(c);
    } else {
        done = compared(c, x87_run(c->fcw, c->fsw, fn, NULL, &c->fpr[top], &c->fpr[other]));
    }
    while (done && pops--) fpu_pop(c);
}

#define COMPARE_MEM(name, size, fn)                                                                \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        compare_mem(c, i, size, fn, false);                                                        \
    }
#define COMPARE_MEM_POP(name, size, fn)                                                            \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        compare_mem(c, i, size, fn, true);                                                         \
    }
COMPARE_MEM(fcom_m32, 4, x87_com_m32)
COMPARE_MEM(fcom_m64, 8, x87_com_m64)
COMPARE_MEM(ficom_m16, 2, x87_com_i16)
COMPARE_MEM(ficom_m32, 4, x87_com_i32)
COMPARE_MEM_POP(fcomp_m32, 4, x87_com_m32)
COMPARE_MEM_POP(fcomp_m64, 8, x87_com_m64)
COMPARE_MEM_POP(ficomp_m16, 2, x87_com_i16)
COMPARE_MEM_POP(ficomp_m32, 4, x87_com_i32)

void op_fcom(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_com, i->modrm & 7, 0);
}

void op_fcomp(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_com, i->modrm & 7, 1);
}

void op_fcompp(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_com, 1, 2);
}

void op_fucom(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_ucom, i->modrm & 7, 0);
}

void op_fucomp(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_ucom, i->modrm & 7, 1);
}

void op_fucompp(struct cpu *c, const struct insn *i)
{
    compare_reg(c, i, x87_ucom, 1, 2);
}

/* FCOMI family: the result goes to ZF PF CF whatever was raised, OF SF AF are cleared, C3 C2 C1 C0 are left alone. */
INLINE void compare_eflags(struct cpu *c, const struct insn *i, x87_fn *fn, bool pop)
{
    unsigned top, other;
    bool done;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    other = (top + i->modrm) & 7;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, other))) {
        done = fpu_stack_fault(c, false);
        sw = FSW_C0 | FSW_C2 | FSW_C3;
    } else {
        sw = x87_run(c->fcw, c->fsw, fn, NULL, &c->fpr[top], &c->fpr[other]);
        fpu_flags(c, sw & FSW_EXC, 0);
        done = !(sw & FSW_PRE & ~c->fcw);
    }
    cpu_set_arith(c, (sw & FSW_C0 ? FL_CF : 0) | (sw & FSW_C2 ? FL_PF : 0) | (sw & FSW_C3 ? FL_ZF : 0));
    if (done && pop) fpu_pop(c);
}

void op_fcomi(struct cpu *c, const struct insn *i)
{
    compare_eflags(c, i, x87_com, false);
}

void op_fcomip(struct cpu *c, const struct insn *i)
{
    compare_eflags(c, i, x87_com, true);
}

void op_fucomi(struct cpu *c, const struct insn *i)
{
    compare_eflags(c, i, x87_ucom, false);
}

void op_fucomip(struct cpu *c, const struct insn *i)
{
    compare_eflags(c, i, x87_ucom, true);
}

/* --- loads --- */

/* Pushes v unless register TOP-1 is in use. Exceptions of a conversion are in sw: an unmasked IE keeps the stack, a DE does not. */
INLINE void push_value(struct cpu *c, const struct f80 *v, u16 sw)
{
    unsigned dst = (fpu_top(c) - 1) & 7;

    if (unlikely(fpu_used(c, dst))) {
        struct f80 bad = f80_indefinite();
        if (!fpu_stack_fault(c, true)) return;
        fpu_set_top(c, dst);
        fpu_set(c, dst, &bad);
        return;
    }
    fpu_flags(c, sw & FSW_EXC, FSW_C1);
    if (unlikely(sw & ~c->fcw & FSW_IE)) return;
    fpu_set_top(c, dst);
    c->ftw |= (u8)(1u << dst);
    f80_copy(&c->fpr[dst], v);
}

INLINE void load_mem(struct cpu *c, const struct insn *i, unsigned size, x87_fn *fn)
{
    struct f80 r;
    u64 m;
    u16 sw;

    if (!fpu_begin(c) || !read_operand(c, i, size, &m)) return;
    sw = x87_run(c->fcw, c->fsw, fn, &r, NULL, &m);
    push_value(c, &r, sw);
}

#define LOAD_MEM(name, size, fn)                                                                   \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        load_mem(c, i, size, fn);                                                                  \
    }
LOAD_MEM(fld_m32, 4, x87_ld_m32)
LOAD_MEM(fld_m64, 8, x87_ld_m64)
LOAD_MEM(fild_m16, 2, x87_ld_i16)
LOAD_MEM(fild_m32, 4, x87_ld_i32)
LOAD_MEM(fild_m64, 8, x87_ld_i64)

/* m80: a plain copy, or packed decimal through the host. */
INLINE void load_m80(struct cpu *c, const struct insn *i, bool bcd)
{
    struct f80 v = { 0 }, r;
    u64 off = ea_offset(c, i);
    u16 sw = 0;

    if (!fpu_begin(c) || !mem_read_n(c, i->seg, off, &v, 10)) return;
    fpu_note_mem(c, i, off);
    if (bcd) {
        sw = x87_run(c->fcw, c->fsw, x87_ld_bcd, &r, NULL, &v);
        v = r;
    }
    push_value(c, &v, sw);
}

void op_fld_m80(struct cpu *c, const struct insn *i)
{
    load_m80(c, i, false);
}

void op_fbld(struct cpu *c, const struct insn *i)
{
    load_m80(c, i, true);
}

void op_fld_sti(struct cpu *c, const struct insn *i)
{
    struct f80 v;
    unsigned src;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    src = fpu_phys(c, i->modrm & 7);
    if (unlikely(!fpu_used(c, src))) {
        unsigned dst = (fpu_top(c) - 1) & 7;
        if (!fpu_stack_fault(c, false)) return;
        v = f80_indefinite();
        fpu_set_top(c, dst);
        fpu_set(c, dst, &v);
        return;
    }
    f80_copy(&v, &c->fpr[src]);
    push_value(c, &v, 0);
}

/* --- stores --- */

/* Nonzero result below the normal range of a single or double: an underflow when UE is unmasked, inexact or not. */
static bool stored_tiny(unsigned size, const struct f80 *r)
{
    u64 v = r->mant;

    if (size == 4) return (v & 0x7fffff) && !(v & 0x7f800000);
    return (v & 0xfffffffffffffull) && !(v & 0x7ff0000000000000ull);
}

enum store_kind { STORE_INT, STORE_REAL };

INLINE bool write_operand(struct cpu *c, const struct insn *i, u64 off, unsigned size, const struct f80 *r)
{
    switch (size) {
    case 2: return mem_write16(c, i->seg, off, (u16)r->mant);
    case 4: return mem_write32(c, i->seg, off, (u32)r->mant);
    case 8: return mem_write64(c, i->seg, off, r->mant);
    default: return mem_write_n(c, i->seg, off, r, 10);
    }
}

INLINE void store_mem(struct cpu *c, const struct insn *i, unsigned size, x87_fn *fn, enum store_kind kind, bool pop)
{
    struct f80 r, bad;
    unsigned top;
    u64 off = ea_offset(c, i);
    u16 sw;

    if (!fpu_begin(c)) return;
    top = fpu_top(c);
    r.mant = 0;
    if (unlikely(!fpu_used(c, top))) {
        bad = f80_indefinite();
        x87_run(c->fcw, c->fsw, fn, &r, &bad, NULL);
        sw = FSW_IE | FSW_SF;
    } else {
        sw = x87_run(c->fcw, c->fsw, fn, &r, &c->fpr[top], NULL) & (FSW_EXC | FSW_C1);
        if (kind == STORE_REAL && unlikely(!(c->fcw & FSW_UE)) && stored_tiny(size, &r)) sw |= FSW_UE;
    }
    if (unlikely(sw & ~c->fcw & (FSW_EXC & ~FSW_PE))) {
        if (!mem_probe_write(c, i->seg, off, size)) return;
        fpu_note_mem(c, i, off);
        if (sw & ~c->fcw & (FSW_OE | FSW_UE)) sw &= (u16)~FSW_PE; /* nothing was rounded */
        fpu_flags(c, sw & (FSW_EXC | FSW_SF), FSW_C1);
        return;
    }
    if (!write_operand(c, i, off, size, &r)) return;
    fpu_note_mem(c, i, off);
    fpu_flags(c, sw, FSW_C1);
    if (pop) fpu_pop(c);
}

#define STORE_MEM(name, size, fn, kind, pop)                                                       \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        store_mem(c, i, size, fn, kind, pop);                                                      \
    }
STORE_MEM(fst_m32, 4, x87_st_m32, STORE_REAL, false)
STORE_MEM(fst_m64, 8, x87_st_m64, STORE_REAL, false)
STORE_MEM(fstp_m32, 4, x87_st_m32, STORE_REAL, true)
STORE_MEM(fstp_m64, 8, x87_st_m64, STORE_REAL, true)
STORE_MEM(fist_m16, 2, x87_st_i16, STORE_INT, false)
STORE_MEM(fist_m32, 4, x87_st_i32, STORE_INT, false)
STORE_MEM(fistp_m16, 2, x87_st_i16, STORE_INT, true)
STORE_MEM(fistp_m32, 4, x87_st_i32, STORE_INT, true)
STORE_MEM(fistp_m64, 8, x87_st_i64, STORE_INT, true)
STORE_MEM(fbstp, 10, x87_st_bcd, STORE_INT, true)

/* FISTTP is FISTP under truncation; done so because the host need not have SSE3. */
#define STORE_TRUNC(bits)                                                                          \
    static u16 st_trunc_i##bits(struct f80 *r, const struct f80 *a, const void *b)                 \
    {                                                                                              \
        u16 saved, trunc, sw;                                                                      \
        __asm__ volatile("fnstcw %0" : "=m"(saved));                                               \
        trunc = (u16)(saved | 0xc00);                                                              \
        hostfp_fldcw(trunc);                                                                       \
        sw = x87_st_i##bits(r, a, b);                                                              \
        hostfp_fldcw(saved);                                                                       \
        return sw;                                                                                 \
    }                                                                                              \
    STORE_MEM(fisttp_m##bits, bits / 8, st_trunc_i##bits, STORE_INT, true)
STORE_TRUNC(16)
STORE_TRUNC(32)
STORE_TRUNC(64)

void op_fstp_m80(struct cpu *c, const struct insn *i)
{
    struct f80 v;
    unsigned top;
    u64 off = ea_offset(c, i);
    bool empty;

    if (!fpu_begin(c)) return;
    top = fpu_top(c);
    empty = !fpu_used(c, top);
    if (empty && !(c->fcw & FSW_IE)) {
        if (!mem_probe_write(c, i->seg, off, 10)) return;
        fpu_note_mem(c, i, off);
        fpu_stack_fault(c, false);
        return;
    }
    v = empty ? f80_indefinite() : c->fpr[top];
    if (!mem_write_n(c, i->seg, off, &v, 10)) return;
    fpu_note_mem(c, i, off);
    if (empty) {
        fpu_stack_fault(c, false);
    } else {
        c->fsw &= (u16)~FSW_C1;
    }
    fpu_pop(c);
}

INLINE void store_reg(struct cpu *c, const struct insn *i, bool pop)
{
    unsigned top, dst;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    dst = (top + i->modrm) & 7;
    if (unlikely(!fpu_used(c, top))) {
        if (!underflow_to(c, dst)) return;
    } else {
        c->fsw &= (u16)~FSW_C1;
        fpu_set(c, dst, &c->fpr[top]);
    }
    if (pop) fpu_pop(c);
}

void op_fst_sti(struct cpu *c, const struct insn *i)
{
    store_reg(c, i, false);
}

void op_fstp_sti(struct cpu *c, const struct insn *i)
{
    store_reg(c, i, true);
}

/* D9 D8+i, FSTPNCE: as FSTP ST(i), but an empty ST(0) raises no stack fault: it is only popped. */
void op_fstpnce(struct cpu *c, const struct insn *i)
{
    unsigned top, dst;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    dst = (top + i->modrm) & 7;
    c->fsw &= (u16)~FSW_C1;
    if (fpu_used(c, top)) fpu_set(c, dst, &c->fpr[top]);
    fpu_pop(c);
}

/* --- register moves --- */

void op_fxch(struct cpu *c, const struct insn *i)
{
    unsigned top, other;
    struct f80 v;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    other = (top + i->modrm) & 7;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, other))) {
        struct f80 bad = f80_indefinite();
        if (!fpu_stack_fault(c, false)) return;
        if (!fpu_used(c, top)) fpu_set(c, top, &bad);
        if (!fpu_used(c, other)) fpu_set(c, other, &bad);
    } else {
        c->fsw &= (u16)~FSW_C1;
    }
    f80_copy(&v, &c->fpr[top]);
    f80_copy(&c->fpr[top], &c->fpr[other]);
    f80_copy(&c->fpr[other], &v);
}

INLINE void cmov(struct cpu *c, const struct insn *i, u32 flags, bool when)
{
    unsigned top, other;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    other = (top + i->modrm) & 7;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, other))) {
        underflow_to(c, top); /* whether the condition holds or not */
        return;
    }
    if (!!(cpu_flags(c) & flags) == when) f80_copy(&c->fpr[top], &c->fpr[other]);
}

#define CMOV(name, flags, when)                                                                    \
    void op_fcmov##name(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        cmov(c, i, flags, when);                                                                   \
    }
CMOV(b, FL_CF, true)
CMOV(e, FL_ZF, true)
CMOV(be, FL_CF | FL_ZF, true)
CMOV(u, FL_PF, true)
CMOV(nb, FL_CF, false)
CMOV(ne, FL_ZF, false)
CMOV(nbe, FL_CF | FL_ZF, false)
CMOV(nu, FL_PF, false)
