/* The rare half of hostfp.h: results for unmasked x87 overflow and underflow. The hardware delivers the exact result times
 * 2^-24576 (overflow) or 2^+24576 (underflow), rounded to the precision in force (SDM 1 8.5.4, 8.5.5). Here the operands get
 * exponents in the middle of the range, the same host instruction runs on them, and the exponent of the result is put right.
 * Transcendental instructions underflow only near zero, where their masked result is corrected by its exponent alone. */
#include "cpu/hostfp.h"

#define BIAS_ADJUST 24576
#define EXP_ONE 0x3fff

/* Makes the leading bit explicit; returns the unbounded exponent (biased). v is finite and not zero. */
static int normalise(struct f80 *v)
{
    int e = v->se & 0x7fff;
    unsigned shift = (unsigned)__builtin_clzll(v->mant);

    if (e == 0) e = 1;
    v->mant <<= shift;
    return e - (int)shift;
}

static void set_exponent(struct f80 *v, int e)
{
    if (e < 1) e = 1;
    if (e > 0x7ffe) e = 0x7ffe;
    v->se = (u16)((v->se & 0x8000) | e);
}

static bool is_ordinary(const struct f80 *v)
{
    return v->mant && (v->se & 0x7fff) != 0x7fff;
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

/* FSCALE: the power of two itself takes the adjustment. */
static u16 scaled_scale(const struct f80 *a, const struct f80 *b, u16 fcw, int adjust, struct f80 *r)
{
    i32 n;
    struct f80 power;
    u16 trunc = (u16)(fcw | 0xc00);

    if ((b->se & 0x7fff) >= EXP_ONE + 17) {
        n = b->se & 0x8000 ? -(1 << 17) : 1 << 17;
    } else {
        x87_run(trunc & ~FSW_EXC, 0, x87_st_i32, (struct f80 *)&power, b, NULL);
        n = (i32)ld32(&power);
    }
    n += adjust;
    x87_run(fcw & ~FSW_EXC, 0, x87_ld_i32, &power, NULL, &n);
    return run_op(X87_SCALE, a, &power, fcw, r);
}

u16 hostfp_scaled(enum x87_op op, const struct f80 *a, const struct f80 *b, u16 fcw, u16 flag, const struct f80 *masked,
                  struct f80 *r)
{
    int adjust = flag == FSW_OE ? -BIAS_ADJUST : BIAS_ADJUST;
    struct f80 x, y;
    int ex, ey, shift;
    u16 sw;

    if (op == X87_SCALE) return scaled_scale(a, b, fcw, adjust, r);
    if (op == X87_OTHER || !is_ordinary(a) || !is_ordinary(b)) {
        *r = *masked;
        if (!is_ordinary(r)) return 0;
        set_exponent(r, normalise(r) + adjust);
        return 0;
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
