/* See softfp.h. A finite number is sign, exponent and a 128-bit significand whose leading bit is
 * bit 127; bits that fall off the right end are or-ed into bit 0, which is enough for every
 * rounding because the formats keep at most 53 bits. Tininess is detected after rounding (SDM
 * 1 4.9.1.5). */
#include "cpu/softfp.h"

#include "cpu/hostfp.h" /* FSW_* */

typedef unsigned __int128 u128;

enum { RC_NEAREST, RC_DOWN, RC_UP, RC_ZERO };

struct number {
    bool sign;
    int exponent; /* value = 1.xxx * 2^exponent */
    u128 m;       /* 0: zero */
};

static u64 sign_bit(struct softfp_format f, bool sign)
{
    return (u64)sign << (f.fbits + f.ebits);
}

static u64 infinity(struct softfp_format f)
{
    return ((1ull << f.ebits) - 1) << f.fbits;
}

static int bias(struct softfp_format f)
{
    return (1 << (f.ebits - 1)) - 1;
}

static u64 magnitude(struct softfp_format f, u64 v)
{
    return v & (sign_bit(f, true) - 1);
}

static bool is_nan(struct softfp_format f, u64 v)
{
    return magnitude(f, v) > infinity(f);
}

static bool is_inf(struct softfp_format f, u64 v)
{
    return magnitude(f, v) == infinity(f);
}

static bool is_denormal(struct softfp_format f, u64 v)
{
    return magnitude(f, v) && !(v & infinity(f));
}

static unsigned leading_zeros(u128 m)
{
    u64 high = (u64)(m >> 64);
    return (unsigned)(high ? __builtin_clzll(high) : 64 + __builtin_clzll((u64)m));
}

static void normalise(struct number *n)
{
    if (!n->m) return;
    unsigned shift = leading_zeros(n->m);
    n->m <<= shift;
    n->exponent -= (int)shift;
}

static u128 shift_right(u128 m, unsigned n)
{
    if (n == 0) return m;
    if (n > 127) return m != 0;
    return m >> n | ((m << (128 - n)) != 0);
}

/* v is finite; denormals count as zeros when daz is set. */
static struct number unpack(struct softfp_format f, u64 v, bool daz)
{
    struct number n = { .sign = v >> (f.fbits + f.ebits) & 1 };
    int e = (int)(magnitude(f, v) >> f.fbits);
    u64 fraction = v & ((1ull << f.fbits) - 1);
    if (e == 0 && daz) fraction = 0;
    n.m = (u128)(e ? fraction | 1ull << f.fbits : fraction) << (127 - f.fbits);
    n.exponent = (e ? e : 1) - bias(f);
    normalise(&n);
    return n;
}

/* Whether the part of m below bit `unit` rounds the rest up. */
static bool rounds_up(unsigned rounding, bool sign, u128 m, unsigned unit)
{
    u128 rest = m & (((u128)1 << unit) - 1), half = (u128)1 << (unit - 1);
    switch (rounding) {
    case RC_NEAREST: return rest > half || (rest == half && (m >> unit & 1));
    case RC_DOWN: return sign && rest;
    case RC_UP: return !sign && rest;
    default: return false;
    }
}

static u64 overflow(struct softfp *e, struct softfp_format f, bool sign, bool inexact)
{
    bool away = e->rounding == RC_NEAREST || e->rounding == (sign ? RC_DOWN : RC_UP);
    e->flags |= FSW_OE;
    if (inexact || !e->trap_oe) e->flags |= FSW_PE;
    return sign_bit(f, sign) | (away ? infinity(f) : infinity(f) - 1);
}

/* Rounds a number that is not zero. */
static u64 pack(struct softfp *e, struct softfp_format f, struct number n)
{
    unsigned unit = 127 - f.fbits; /* weight of the last bit kept */
    int least = 1 - bias(f);
    bool inexact = n.m & (((u128)1 << unit) - 1);
    u64 kept = (u64)(n.m >> unit) + rounds_up(e->rounding, n.sign, n.m, unit);
    int exponent = n.exponent + (int)(kept >> (f.fbits + 1)); /* carried over */

    if (exponent > bias(f)) return overflow(e, f, n.sign, inexact);
    if (exponent >= least) {
        if (inexact) e->flags |= FSW_PE;
        if (kept >> (f.fbits + 1)) kept >>= 1;
        return sign_bit(f, n.sign) | ((u64)(exponent + bias(f)) << f.fbits) |
               (kept & ((1ull << f.fbits) - 1));
    }
    if (e->trap_ue) {
        e->flags |= FSW_UE | (inexact ? FSW_PE : 0);
        return 0;
    }
    if (e->ftz) {
        e->flags |= FSW_UE | FSW_PE;
        return sign_bit(f, n.sign);
    }
    n.m = shift_right(n.m, (unsigned)(least - n.exponent));
    if (n.m & (((u128)1 << unit) - 1)) e->flags |= FSW_UE | FSW_PE;
    /* A carry into the exponent makes the least normal number, as it should. */
    return sign_bit(f, n.sign) | ((u64)(n.m >> unit) + rounds_up(e->rounding, n.sign, n.m, unit));
}

static u64 zero(struct softfp *e, struct softfp_format f, bool a, bool b)
{
    return sign_bit(f, a == b ? a : e->rounding == RC_DOWN);
}

/* a + b, not both zero. */
static u64 add(struct softfp *e, struct softfp_format f, struct number a, struct number b)
{
    if (!a.m || (b.m && b.exponent > a.exponent)) {
        struct number t = a;
        a = b;
        b = t;
    }
    if (!b.m) return pack(e, f, a);
    /* One bit of room for the carry. The low bit of b stays exact when the exponents are close
     * enough for cancellation: products have 106 bits, a second operand 53. */
    a.m >>= 1;
    a.exponent++;
    b.m = shift_right(b.m, (unsigned)MIN(a.exponent - b.exponent, 200));
    if (a.sign == b.sign) {
        a.m += b.m;
    } else {
        if (a.m == b.m) return zero(e, f, a.sign, b.sign);
        if (a.m < b.m) a.sign = b.sign;
        a.m = a.m < b.m ? b.m - a.m : a.m - b.m;
    }
    normalise(&a);
    return pack(e, f, a);
}

/* The first NaN of x, y, z, quiet. */
static u64 pick_nan(struct softfp *e, struct softfp_format f, const u64 v[3])
{
    u64 quiet = 1ull << (f.fbits - 1), r = 0;
    for (unsigned k = 3; k-- > 0;) {
        if (!is_nan(f, v[k])) continue;
        r = v[k] | quiet;
        if (!(v[k] & quiet)) e->flags |= FSW_IE;
    }
    return r;
}

static u64 invalid(struct softfp *e, struct softfp_format f)
{
    e->flags |= FSW_IE;
    return sign_bit(f, true) | infinity(f) | 1ull << (f.fbits - 1);
}

u64 softfp_fma(struct softfp *e, struct softfp_format f, u64 x, u64 y, u64 z, bool negate,
               bool subtract)
{
    const u64 v[3] = { x, y, z };
    bool product_sign = ((x ^ y) >> (f.fbits + f.ebits) & 1) ^ negate;
    if (is_nan(f, x) || is_nan(f, y) || is_nan(f, z)) return pick_nan(e, f, v);
    struct number a = { 0 }, b, d;
    bool xinf = is_inf(f, x), yinf = is_inf(f, y), zinf = is_inf(f, z);
    bool xzero = !magnitude(f, x) || (e->daz && is_denormal(f, x));
    bool yzero = !magnitude(f, y) || (e->daz && is_denormal(f, y));
    bool zsign = (z >> (f.fbits + f.ebits) & 1) ^ subtract;
    if ((xinf && yzero) || (yinf && xzero)) return invalid(e, f);
    if ((xinf || yinf) && zinf && product_sign != zsign) return invalid(e, f);
    for (unsigned k = 0; k < 3; k++) {
        if (!e->daz && is_denormal(f, v[k])) e->flags |= FSW_DE;
    }
    if (xinf || yinf) return sign_bit(f, product_sign) | infinity(f);
    if (zinf) return sign_bit(f, zsign) | infinity(f);
    a = unpack(f, x, e->daz);
    b = unpack(f, y, e->daz);
    d = unpack(f, z, e->daz);
    /* Significands of at most 53 bits at the top of 64. */
    a.m = (a.m >> 64) * (b.m >> 64);
    a.exponent += b.exponent + 1;
    a.sign = product_sign;
    d.sign = zsign;
    normalise(&a);
    if (!a.m && !d.m) return zero(e, f, a.sign, d.sign);
    return add(e, f, a, d);
}

/* ---- half precision ---- */

u16 softfp_to_half(struct softfp *e, u32 v)
{
    struct softfp_format s = SOFTFP_SINGLE, h = SOFTFP_HALF;
    u16 sign = (u16)(v >> 16 & 0x8000);
    if (is_nan(s, v)) {
        if (!(v & 0x400000)) e->flags |= FSW_IE;
        return (u16)(sign | 0x7e00 | (v >> 13 & 0x3ff));
    }
    if (is_inf(s, v)) return sign | 0x7c00;
    if (is_denormal(s, v) && !e->daz) e->flags |= FSW_DE;
    struct number n = unpack(s, v, e->daz);
    return n.m ? (u16)pack(e, h, n) : sign;
}

u32 softfp_from_half(struct softfp *e, u16 v)
{
    struct softfp_format h = SOFTFP_HALF;
    u32 sign = (u32)(v & 0x8000) << 16;
    if (is_nan(h, v)) {
        if (!(v & 0x200)) e->flags |= FSW_IE;
        return sign | 0x7fc00000 | (u32)(v & 0x3ff) << 13;
    }
    if (is_inf(h, v)) return sign | 0x7f800000;
    struct number n = unpack(h, v, false);
    return n.m ? (u32)pack(e, SOFTFP_SINGLE, n) : sign;
}
