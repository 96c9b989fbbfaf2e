/* Integer, bit and conversion operations of SM4 and SM5 for the interpreter (alu.h): each is one
 * loop over 64 lanes of one component. Nothing here can trap: divisions by zero give all ones,
 * shifts use five bits of their count, conversions clamp. Document: the contract's part "executor",
 * section 9; bit operations as in the public Direct3D 11 instruction pages. */
#include "gpu/shader/alu.h"

static i32 to_i32(float v)
{
    if (v != v) return 0;
    return v >= 2147483648.0f ? INT32_MAX : v < -2147483648.0f ? INT32_MIN : (i32)v;
}

static u32 to_u32(float v)
{
    if (!(v > 0.0f)) return 0;
    return v >= 4294967296.0f ? UINT32_MAX : (u32)v;
}

/* ---- half floats ---- */

/* To nearest even; too large gives infinity, NaN stays one. */
static u32 to_half(u32 bits)
{
    u32 sign = bits >> 16 & 0x8000, m = bits & 0x7fffffff;
    if (m > 0x7f800000) return sign | 0x7e00;
    if (m >= 0x477ff000) return sign | 0x7c00; /* rounds to 65536 or is larger */
    if (m < 0x33000000) return sign;           /* below half of the smallest half */
    if (m < 0x38800000) {                      /* denormal half: units of 2^-24 */
        u32 shift = 126 - (m >> 23), value = (m & 0x7fffff) | 0x800000;
        u32 whole = value >> shift, rest = value & ((1u << shift) - 1), middle = 1u << (shift - 1);
        return sign | (whole + (rest > middle || (rest == middle && whole & 1)));
    }
    m -= 112u << 23;
    return sign | (m + 0xfff + (m >> 13 & 1)) >> 13;
}

static u32 from_half(u32 h)
{
    u32 sign = (h & 0x8000) << 16, e = h >> 10 & 31, f = h & 0x3ff;
    if (e == 31) return sign | 0x7f800000 | f << 13 | (f ? 0x400000 : 0);
    if (e) return sign | (e + 112) << 23 | f << 13;
    if (!f) return sign;
    u32 up = (u32)__builtin_clz(f) - 21; /* to the place of the hidden one */
    return sign | (113 - up) << 23 | (f << up & 0x3ff) << 13;
}

/* ---- bits ---- */

static u32 bit_field(u32 width, u32 offset, u32 v)
{
    width &= 31;
    offset &= 31;
    if (!width) return 0;
    return width + offset < 32 ? v << (32 - width - offset) >> (32 - width) : v >> offset;
}

static u32 signed_bit_field(u32 width, u32 offset, u32 v)
{
    width &= 31;
    offset &= 31;
    if (!width) return 0;
    return (u32)(width + offset < 32 ? (i32)(v << (32 - width - offset)) >> (32 - width)
                                     : (i32)v >> offset);
}

static u32 reverse(u32 v)
{
    v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
    v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f) | (v & 0x0f0f0f0f) << 4;
    return __builtin_bswap32(v);
}

static u32 high_bit(u32 v)
{
    return v ? (u32)__builtin_clz(v) : 0xffffffff;
}

/* ---- one operation ---- */

#define EACH(value)                                                                                \
    for (unsigned l = 0; l < LANES; l++) first[l] = value;                                         \
    break
#define EACH2(one, two)                                                                            \
    for (unsigned l = 0; l < LANES; l++) {                                                         \
        first[l] = one;                                                                            \
        second[l] = two;                                                                           \
    }                                                                                              \
    break
#define TRUTH(condition) ((condition) ? 0xffffffff : 0)

static void bits(u16 op, const u32 *x, const u32 *y, const u32 *z, u32 *first)
{
    switch (op) {
    case IR_COUNTBITS: EACH((u32)__builtin_popcount(x[l]));
    case IR_FIRSTBIT_HI: EACH(high_bit(x[l]));
    case IR_FIRSTBIT_LO: EACH(x[l] ? (u32)__builtin_ctz(x[l]) : 0xffffffff);
    case IR_FIRSTBIT_SHI: EACH(high_bit((i32)x[l] < 0 ? ~x[l] : x[l]));
    case IR_UBFE: EACH(bit_field(x[l], y[l], z[l]));
    case IR_IBFE: EACH(signed_bit_field(x[l], y[l], z[l]));
    case IR_BFM: EACH(((1u << (x[l] & 31)) - 1) << (y[l] & 31));
    case IR_BFREV: EACH(reverse(x[l]));
    default: break;
    }
}

void alu_integer(u16 op, const u32 *x, const u32 *y, const u32 *z, u32 *first, u32 *second)
{
    const float *xf = (const float *)x;
    float *r = (float *)first;
    switch (op) {
    case IR_IADD: EACH(x[l] + y[l]);
    case IR_INEG: EACH(0u - x[l]);
    case IR_IMUL: EACH2((u32)((u64)((i64)(i32)x[l] * (i32)y[l]) >> 32), x[l] * y[l]);
    case IR_UMUL: EACH2((u32)((u64)x[l] * y[l] >> 32), x[l] * y[l]);
    case IR_IMAD: EACH(x[l] * y[l] + z[l]);
    case IR_IMIN: EACH((i32)x[l] < (i32)y[l] ? x[l] : y[l]);
    case IR_IMAX: EACH((i32)x[l] > (i32)y[l] ? x[l] : y[l]);
    case IR_UMIN: EACH(x[l] < y[l] ? x[l] : y[l]);
    case IR_UMAX: EACH(x[l] > y[l] ? x[l] : y[l]);
    case IR_UDIV: EACH2(y[l] ? x[l] / y[l] : 0xffffffff, y[l] ? x[l] % y[l] : 0xffffffff);
    case IR_ILT: EACH(TRUTH((i32)x[l] < (i32)y[l]));
    case IR_IGE: EACH(TRUTH((i32)x[l] >= (i32)y[l]));
    case IR_ULT: EACH(TRUTH(x[l] < y[l]));
    case IR_UGE: EACH(TRUTH(x[l] >= y[l]));
    case IR_IEQ: EACH(TRUTH(x[l] == y[l]));
    case IR_INE: EACH(TRUTH(x[l] != y[l]));
    case IR_AND: EACH(x[l] & y[l]);
    case IR_OR: EACH(x[l] | y[l]);
    case IR_XOR: EACH(x[l] ^ y[l]);
    case IR_NOT: EACH(~x[l]);
    case IR_ISHL: EACH(x[l] << (y[l] & 31));
    case IR_ISHR: EACH((u32)((i32)x[l] >> (y[l] & 31)));
    case IR_USHR: EACH(x[l] >> (y[l] & 31));
    case IR_UADDC: EACH2(x[l] + y[l], x[l] + y[l] < x[l]);
    case IR_USUBB: EACH2(x[l] - y[l], x[l] < y[l]);
    case IR_FTOI: EACH((u32)to_i32(xf[l]));
    case IR_FTOU: EACH(to_u32(xf[l]));
    case IR_F32TOF16: EACH(to_half(x[l]));
    case IR_F16TOF32: EACH(from_half(x[l] & 0xffff));
    case IR_SWAPC: EACH2(x[l] ? z[l] : y[l], x[l] ? y[l] : z[l]);
    case IR_ITOF:
        for (unsigned l = 0; l < LANES; l++) r[l] = (float)(i32)x[l];
        break;
    case IR_UTOF:
        for (unsigned l = 0; l < LANES; l++) r[l] = (float)x[l];
        break;
    default: bits(op, x, y, z, first); break;
    }
}
