/* x87: sign, constants, FXAM, FTST, rounding, square root, remainder, scale and the transcendental instructions. The host
 * computes them (hostfp.h), so their results are those of real hardware of the host's maker; the manuals promise them to
 * one unit in the last place only. SDM 1 8.3, SDM 2. */
#include "cpu/fpu.h"

#define INLINE static inline __attribute__((always_inline))

/* Replaces flags by what an exception that is not masked leaves, and the result by the scaled one.
 * False: nothing is delivered. cc: condition bits the instruction defines besides C1. */
static __attribute__((noinline)) bool unmasked(struct cpu *c, enum x87_op op, const struct f80 *a, const struct f80 *b, u16 sw,
                                               u16 cc, struct f80 *r)
{
    u16 flags = sw & FSW_EXC;
    u16 raised;

    bool scaled_by_1 = op == X87_SCALE && !b->mant && !(b->se & 0x7fff);
    if (!(c->fcw & FSW_UE) && f80_is_tiny(r) && !(b && f80_is_infinite(b)) && !scaled_by_1)
        flags |= FSW_UE;
    raised = flags & ~c->fcw;
    if (raised & FSW_PRE) {
        fpu_flags(c, flags & FSW_PRE, (u16)(FSW_C1 | (cc & FSW_C2)));
        return false;
    }
    if (raised & (FSW_OE | FSW_UE)) {
        /* of a remainder C1 is a bit of the quotient */
        sw = (u16)((sw & ~(FSW_PE | (FSW_C1 & ~cc))) | hostfp_scaled(op, a, b, c->fcw, raised & (FSW_OE | FSW_UE), r, r));
        flags = (u16)((flags & ~FSW_PE) | (sw & FSW_PE));
    }
    fpu_flags(c, (u16)(flags | (sw & (cc | FSW_C1))), (u16)(cc | FSW_C1));
    return true;
}

INLINE bool computed(struct cpu *c, enum x87_op op, const struct f80 *a, const struct f80 *b, u16 sw, u16 cc, struct f80 *r)
{
    if (unlikely((c->fcw & FSW_EXC) != FSW_EXC)) return unmasked(c, op, a, b, sw, cc, r);
    c->fsw = (u16)((c->fsw & ~(cc | FSW_C1)) | (sw & (cc | FSW_C1 | FSW_EXC)));
    return true;
}

/* ST(0) = fn(ST(0)). */
INLINE void unary(struct cpu *c, const struct insn *i, x87_fn *fn, enum x87_op op, u16 cc)
{
    unsigned top;
    struct f80 r;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    if (unlikely(!fpu_used(c, top))) {
        r = f80_indefinite();
        c->fsw &= (u16)~(cc & FSW_C2);
        if (fpu_stack_fault(c, false)) fpu_set(c, top, &r);
        return;
    }
    sw = x87_run(c->fcw, c->fsw, fn, &r, &c->fpr[top], NULL);
    if (computed(c, op, &c->fpr[top], NULL, sw, cc, &r) && !(sw & cc & FSW_C2)) f80_copy(&c->fpr[top], &r);
}

void op_fsqrt(struct cpu *c, const struct insn *i)
{
    unary(c, i, x87_sqrt, X87_OTHER, 0);
}

void op_frndint(struct cpu *c, const struct insn *i)
{
    unary(c, i, x87_rndint, X87_OTHER, 0);
}

void op_f2xm1(struct cpu *c, const struct insn *i)
{
    unary(c, i, x87_f2xm1, X87_F2XM1, 0);
}

void op_fsin(struct cpu *c, const struct insn *i)
{
    unary(c, i, x87_sin, X87_OTHER, FSW_C2);
}

void op_fcos(struct cpu *c, const struct insn *i)
{
    unary(c, i, x87_cos, X87_OTHER, FSW_C2);
}

/* ST(0) = fn(ST(0), ST(1)), or with pop ST(1) = fn and ST(0) is dropped. */
INLINE void binary(struct cpu *c, const struct insn *i, x87_fn *fn, enum x87_op op, u16 cc, bool pop)
{
    unsigned top, next, dst;
    struct f80 r;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    next = (top + 1) & 7;
    dst = pop ? next : top;
    if (unlikely(!fpu_used(c, top) || !fpu_used(c, next))) {
        c->fsw &= (u16)~(cc & FSW_C2);
        if (!fpu_stack_fault(c, false)) return;
        r = f80_indefinite();
        fpu_set(c, dst, &r);
    } else {
        sw = x87_run(c->fcw, c->fsw, fn, &r, &c->fpr[top], &c->fpr[next]);
        if (cc && f80_is_nan(&r)) cc = FSW_C2; /* no quotient: C3 and C0 stay */
        if (!computed(c, op, &c->fpr[top], &c->fpr[next], sw, cc, &r)) return;
        f80_copy(&c->fpr[dst], &r);
    }
    if (pop) fpu_pop(c);
}

void op_fprem(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_prem, X87_OTHER, FSW_CC, false);
}

void op_fprem1(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_prem1, X87_OTHER, FSW_CC, false);
}

void op_fscale(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_scale, X87_SCALE, 0, false);
}

void op_fyl2x(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_yl2x, X87_YL2X, 0, true);
}

void op_fyl2xp1(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_yl2xp1, X87_YL2XP1, 0, true);
}

void op_fpatan(struct cpu *c, const struct insn *i)
{
    binary(c, i, x87_patan, X87_PATAN, 0, true);
}

/* One operand, two results: ST(0) is replaced by r[1], then r[0] is pushed. */
INLINE void two_results(struct cpu *c, const struct insn *i, x87_fn *fn, u16 cc)
{
    unsigned top, push;
    struct f80 r[2];
    bool empty;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    push = (top - 1) & 7;
    empty = !fpu_used(c, top);
    if (unlikely(empty || fpu_used(c, push))) {
        r[0] = f80_indefinite();
        c->fsw &= (u16)~(cc & FSW_C2);
        if (!fpu_stack_fault(c, !empty)) return;
        fpu_set(c, top, &r[0]);
        fpu_set(c, push, &r[0]);
        fpu_set_top(c, push);
        return;
    }
    f80_copy(&r[1], &c->fpr[top]);
    sw = x87_run(c->fcw, c->fsw, fn, r, &c->fpr[top], NULL);
    if (sw & cc & FSW_C2) r[1] = r[0]; /* out of range: no push */
    if (!computed(c, X87_OTHER, &c->fpr[top], NULL, sw, cc, &r[1])) return;
    f80_copy(&c->fpr[top], &r[1]);
    if (sw & cc & FSW_C2) return;
    fpu_set(c, push, &r[0]);
    fpu_set_top(c, push);
}

void op_fptan(struct cpu *c, const struct insn *i)
{
    two_results(c, i, x87_ptan, FSW_C2);
}

void op_fsincos(struct cpu *c, const struct insn *i)
{
    two_results(c, i, x87_sincos, FSW_C2);
}

void op_fxtract(struct cpu *c, const struct insn *i)
{
    two_results(c, i, x87_xtract, 0);
}

INLINE void constant(struct cpu *c, const struct insn *i, x87_fn *fn)
{
    unsigned dst;
    struct f80 v;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    dst = (fpu_top(c) - 1) & 7;
    if (unlikely(fpu_used(c, dst))) {
        if (!fpu_stack_fault(c, true)) return;
        v = f80_indefinite();
    } else {
        x87_run(c->fcw, c->fsw, fn, &v, NULL, NULL);
        c->fsw &= (u16)~FSW_C1;
    }
    fpu_set_top(c, dst);
    fpu_set(c, dst, &v);
}

#define CONSTANT(name)                                                                             \
    void op_f##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        constant(c, i, x87_##name);                                                                \
    }
CONSTANT(ld1)
CONSTANT(ldl2t)
CONSTANT(ldl2e)
CONSTANT(ldpi)
CONSTANT(ldlg2)
CONSTANT(ldln2)
CONSTANT(ldz)

/* FCHS, FABS: no arithmetic, any bit pattern. */
INLINE void change_sign(struct cpu *c, const struct insn *i, bool clear)
{
    unsigned top;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    if (unlikely(!fpu_used(c, top))) {
        struct f80 bad = f80_indefinite();
        if (fpu_stack_fault(c, false)) fpu_set(c, top, &bad);
        return;
    }
    c->fsw &= (u16)~FSW_C1;
    c->fpr[top].se = clear ? c->fpr[top].se & 0x7fff : c->fpr[top].se ^ 0x8000;
}

void op_fchs(struct cpu *c, const struct insn *i)
{
    change_sign(c, i, false);
}

void op_fabs(struct cpu *c, const struct insn *i)
{
    change_sign(c, i, true);
}

void op_ftst(struct cpu *c, const struct insn *i)
{
    unsigned top;
    struct f80 r;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    if (unlikely(!fpu_used(c, top))) {
        c->fsw |= FSW_C0 | FSW_C2 | FSW_C3;
        fpu_stack_fault(c, false);
        return;
    }
    sw = x87_run(c->fcw, c->fsw, x87_tst, &r, &c->fpr[top], NULL);
    fpu_flags(c, sw & (FSW_EXC | FSW_C0 | FSW_C2 | FSW_C3), FSW_CC);
}

/* Classifies any content, an empty register included: C1 is its sign all the same. */
void op_fxam(struct cpu *c, const struct insn *i)
{
    unsigned top;
    struct f80 r;
    u16 sw;

    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    top = fpu_top(c);
    if (fpu_used(c, top)) {
        sw = x87_run(c->fcw, c->fsw, x87_xam, &r, &c->fpr[top], NULL) & FSW_CC;
    } else {
        sw = (u16)(FSW_C3 | FSW_C0 | (c->fpr[top].se & 0x8000 ? FSW_C1 : 0));
    }
    c->fsw = (u16)((c->fsw & ~FSW_CC) | sw);
}
