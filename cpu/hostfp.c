/* The rare half of hostfp.h: results for unmasked x87 overflow and underflow. The hardware delivers the exact result times
 * 2^-24576 (overflow) or 2^+24576 (underflow), rounded to the precision in force (SDM 1 8.5.4, 8.5.5). Here the operands get
 * exponents in the middle of the range, the same host instruction runs on them, and the exponent of the result is put right.
 * The transcendental instructions are linear in the operand that makes them over- or underflow, so they are treated the same
 * way; those that give back a tiny operand unchanged (X87_OTHER) have an exact masked result. */
#include "cpu/hostfp.h"

#define BIAS_ADJUST 24576
#define EXP_ONE 0x3fff

/* Makes the leading bit explicit; returns the unbounded exponent (biased), for zero one that never counts. v is finite. */
static int normalise(struct f80 *v)
{
    int e = v->se & 0x7fff;
    unsigned shift;

    if (!v->mant) return -0x10000;
    shift = (unsigned)__builtin_clzll(v->mant);
    if (e == 0) e = 1;
    v->mant <<= shift;
    return e - (int)shift;
}

static void set_exponent(struct f80 *v, int e)
{
    if (!v->mant) return;
    if (e < 1) e = 1;
    if (e > 0x7ffe) e = 0x7ffe;
    v->se = (u16)((v->se & 0x8000) | e);
}

static bool is_finite(const struct f80 *v)
{
    return (v->se & 0x7fff) != 0x7fff;
}

static u16 run_op(enum x87_op op, const struct f80 *a, const struct f80 *b, u16 fcw, struct f80 *r)
{
    switch (op) {
    case X87_ADD: return x87_run(fcw & ~FSW_EXC, 0, x87_add, r, a, b);
    case X87_SUB: return x87_run(fcw & ~FSW_EXC, 0, x87_sub, r, a, b);
    case X87_SUBR: return x87_run(fcw & ~FSW_EXC, 0, x87_subr, r, a, b);
    case X87_MUL: return x87_run(fcw & ~FSW_EXC, 0, x87_mul, r, a, b);
    case X87_DIV: return x87_run(fcw & ~FSW_EXC, 0, x87_div, r, a, b);
    case X87_DIVR: return x87_run(fcw & ~FSW_EXC, 0, x87_divr, r, a, b);
    default: return x87_run(fcw & ~FSW_EXC, 0, x87_scale, r, a, b);
    }
}

/* FSCALE: the power of two itself takes the adjustment. What is out of range even then
 * becomes infinity or zero in every rounding mode. */
static u16 scaled_scale(const struct f80 *a, const struct f80 *b, u16 fcw, int adjust, struct f80 *r)
{
    i32 n;
    struct f80 power;
    u16 trunc = (u16)(fcw | 0xc00), sw;

    if ((b->se & 0x7fff) >= EXP_ONE + 17) {
        n = b->se & 0x8000 ? -(1 << 17) : 1 << 17;
    } else {
        x87_run(trunc & ~FSW_EXC, 0, x87_st_i32, (struct f80 *)&power, b, NULL);
        n = (i32)ld32(&power);
    }
    n += adjust;
    x87_run(fcw & ~FSW_EXC, 0, x87_ld_i32, &power, NULL, &n);
    sw = run_op(X87_SCALE, a, &power, fcw, r);
    if (!(sw & (FSW_OE | FSW_UE)) && !f80_is_tiny(r)) return sw;
    *r = sw & FSW_OE ? (struct f80){ 1ull << 63, (u16)(a->se | 0x7fff) } : (struct f80){ 0, a->se & 0x8000 };
    return sw & FSW_OE ? FSW_PE | FSW_C1 : FSW_PE;
}

#define EXP_SMALL (EXP_ONE - 100) /* so small that 2^x-1, log2(1+x) and atan(x) are multiples of x to 64 bits */

/* FYL2X, FYL2XP1 (a = x, b = y), FPATAN (a = x, b = y), F2XM1 (a). Returns what was taken out of the exponent. */
static int scaled_transcendental(enum x87_op op, const struct f80 *a, const struct f80 *b, u16 fcw, struct f80 *r)
{
    struct f80 x = *a, y = *b;
    int ex = normalise(&x), ey = normalise(&y);

    switch (op) {
    case X87_F2XM1:
        set_exponent(&x, EXP_SMALL);
        x87_run(fcw & ~FSW_EXC, 0, x87_f2xm1, r, &x, NULL);
        return ex - EXP_SMALL;
    case X87_PATAN: /* underflow: y / x */
        set_exponent(&x, EXP_ONE);
        set_exponent(&y, EXP_ONE);
        x87_run((fcw & ~FSW_EXC) | 0x300, 0, x87_div, r, &y, &x);
        return ey - ex;
    case X87_YL2XP1:
        set_exponent(&y, EXP_ONE);
        set_exponent(&x, MAX(ex, EXP_SMALL));
        x87_run(fcw & ~FSW_EXC, 0, x87_yl2xp1, r, &x, &y);
        return ey - EXP_ONE + MIN(ex - EXP_SMALL, 0);
    default:
        set_exponent(&y, EXP_ONE);
        x87_run(fcw & ~FSW_EXC, 0, x87_yl2x, r, a, &y);
        return ey - EXP_ONE;
    }
}

u16 hostfp_scaled(enum x87_op op, const struct f80 *a, const struct f80 *b, u16 fcw, u16 flag, const struct f80 *masked,
                  struct f80 *r)
{
    int adjust = flag == FSW_OE ? -BIAS_ADJUST : BIAS_ADJUST;
    struct f80 x, y;
    int ex, ey, shift;
    u16 sw;

    if (op == X87_SCALE) return scaled_scale(a, b, fcw, adjust, r);
    if (op == X87_F2XM1) b = a;
    if (op == X87_OTHER || !is_finite(a) || !is_finite(b)) {
        *r = *masked;
        if (!is_finite(r)) return 0;
        set_exponent(r, normalise(r) + adjust);
        return 0;
    }
    if (op >= X87_YL2X) {
        shift = scaled_transcendental(op, a, b, fcw, r);
        set_exponent(r, (r->se & 0x7fff) + shift + adjust);
        return FSW_PE;
    }
    x = *a;
    y = *b;
    ex = normalise(&x);
    ey = normalise(&y);
    switch (op) {
    case X87_MUL: shift = ex + ey - 2 * EXP_ONE; break;
    case X87_DIV: shift = ex - ey; break;
    case X87_DIVR: shift = ey - ex; break;
    default: shift = MAX(ex, ey) - EXP_ONE; break;
    }
    if (op == X87_MUL || op == X87_DIV || op == X87_DIVR) {
        set_exponent(&x, EXP_ONE);
        set_exponent(&y, EXP_ONE);
    } else { /* a far smaller operand only has to stay inexact */
        set_exponent(&x, MAX(ex - shift, 1));
        set_exponent(&y, MAX(ey - shift, 1));
    }
    sw = run_op(op, &x, &y, fcw, r);
    set_exponent(r, (r->se & 0x7fff) + shift + adjust);
    return sw;
}
