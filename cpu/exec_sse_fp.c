/* SSE, SSE2 and SSE3 floating-point arithmetic and comparison, the MXCSR instructions, and the exception rules that all
 * floating-point SSE handlers share. Every operation runs as the same instruction on the host (sse.h).
 * SDM 1 10.4, 11.4, 11.5; SDM 2. */
#include "cpu/sse.h"

bool sse_refuse(struct cpu *c)
{
    exc_raise(c, (c->cr0 & CR0_EM) || !(c->cr4 & CR4_OSFXSR) ? EXC_UD : EXC_NM);
    return false;
}

static bool any_tiny(unsigned kind, __m128i r)
{
    union v128 v = { .m = r };
    unsigned n;

    switch (kind & SSE_LANES) {
    case SSE_SS:
    case SSE_PS:
        n = (kind & SSE_LANES) == SSE_SS ? 1 : 4;
        while (n--) {
            if ((v.d[n] & 0x7fffff) && !(v.d[n] & 0x7f800000)) return true;
        }
        return false;
    case SSE_SD:
    case SSE_PD:
        n = (kind & SSE_LANES) == SSE_SD ? 1 : 2;
        while (n--) {
            if ((v.q[n] & 0xfffffffffffffull) && !(v.q[n] & 0x7ff0000000000000ull)) return true;
        }
        return false;
    default:
        return false;
    }
}

/* One lane with unbounded exponent: the x87 unit with its precision control set to the format. True when inexact. */
static bool lane_inexact(unsigned op, bool single, bool narrow, const void *d, const void *s, u16 rounding)
{
    static const struct f80 one = { 1ull << 63, 0x3fff };
    u16 fcw = (u16)((single ? 0 : 0x200) | rounding), sw;
    x87_fn *load = single && !narrow ? x87_ld_m32 : x87_ld_m64;
    struct f80 a, b, r;

    load(&b, NULL, s);
    if (narrow) return x87_run(fcw, 0, x87_mul, &r, &b, &one) & FSW_PE;
    load(&a, NULL, d);
    switch (op) {
    case SSE_ADD: sw = x87_run(fcw, 0, x87_add, &r, &a, &b); break;
    case SSE_SUB: sw = x87_run(fcw, 0, x87_sub, &r, &a, &b); break;
    case SSE_MUL: sw = x87_run(fcw, 0, x87_mul, &r, &a, &b); break;
    default: sw = x87_run(fcw, 0, x87_div, &r, &a, &b); break;
    }
    return sw & FSW_PE;
}

/* Denormal lanes are zeros under DAZ. */
static void flush_lanes(union v128 *v, unsigned size)
{
    for (unsigned k = 0; k < 16 / size; k++) {
        if (size == 4 && !(v->d[k] & 0x7f800000)) v->d[k] &= 0x80000000;
        if (size == 8 && !(v->q[k] & 0x7ff0000000000000ull)) v->q[k] &= 1ull << 63;
    }
}

/* PE when an unmasked OE or UE was raised. */
static bool unbounded_inexact(unsigned kind, __m128i d, __m128i s, u32 mxcsr)
{
    union v128 a = { .m = d }, b = { .m = s };
    unsigned lanes = kind & SSE_LANES, op = kind & ~SSE_LANES;
    bool single = lanes == SSE_SS || lanes == SSE_PS, narrow = op == SSE_NARROW;
    unsigned count = lanes == SSE_PD || (narrow && lanes == SSE_PS) ? 2 : lanes == SSE_PS ? 4 : 1;
    unsigned size = single && !narrow ? 4 : 8;

    if (mxcsr & MXCSR_DAZ) {
        flush_lanes(&a, size);
        flush_lanes(&b, size);
    }
    for (unsigned k = 0; k < count; k++) {
        if (lane_inexact(op, single, narrow, a.b + k * size, b.b + k * size, (u16)(mxcsr >> 13 & 3) << 10)) return true;
    }
    return false;
}

bool sse_report(struct cpu *c, u32 flags)
{
    c->mxcsr |= flags;
    if (!(flags & ~(c->mxcsr >> 7) & 0x3f)) return true;
    exc_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
    return false;
}

bool sse_finish_n(struct cpu *c, u32 flags, unsigned kind, unsigned n, const __m128i *r, const __m128i *d, const __m128i *s)
{
    u32 unmasked = ~(c->mxcsr >> 7) & 0x3f;

    if (likely(!unmasked)) {
        c->mxcsr |= flags;
        return true;
    }
    for (unsigned k = 0; (unmasked & FSW_UE) && k < n; k++) {
        if (any_tiny(kind, r[k])) flags |= FSW_UE;
    }
    if (flags & unmasked & FSW_PRE) {
        flags &= FSW_PRE; /* found before anything was computed */
    } else if ((flags & unmasked & (FSW_OE | FSW_UE)) && !(flags & ~unmasked & (FSW_OE | FSW_UE)) && kind > SSE_LANES) {
        flags &= ~FSW_PE;
        for (unsigned k = 0; k < n; k++) {
            if (unbounded_inexact(kind, d[k], s[k], c->mxcsr)) flags |= FSW_PE;
        }
    }
    return sse_report(c, flags);
}

bool sse_finish(struct cpu *c, u32 flags, unsigned kind, __m128i r, __m128i d, __m128i s)
{
    return sse_finish_n(c, flags, kind, 1, &r, &d, &s);
}

/* --- one host instruction, two operands --- */

#define HOST_OP(name, insn)                                                                        \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        __asm__ volatile(insn " %1, %0" : "+x"(d) : "x"(s));                                       \
        return d;                                                                                  \
    }
#define SSE_FP(name, load, kind)                                                                   \
    HOST_OP(name, #name)                                                                           \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        sse_fp(c, i, host_##name, load, kind);                                                     \
    }
#define SSE_FP4(name, op)                                                                          \
    SSE_FP(name##ps, load_m128a, SSE_PS | (op))                                                    \
    SSE_FP(name##pd, load_m128a, SSE_PD | (op))                                                    \
    SSE_FP(name##ss, load_m32, SSE_SS | (op))                                                      \
    SSE_FP(name##sd, load_m64, SSE_SD | (op))
SSE_FP4(add, SSE_ADD)
SSE_FP4(sub, SSE_SUB)
SSE_FP4(mul, SSE_MUL)
SSE_FP4(div, SSE_DIV)
SSE_FP4(sqrt, 0)

/* MIN and MAX hand an operand through: a denormal result is not an underflow. */
#define SSE_SELECT4(name)                                                                          \
    SSE_FP(name##ps, load_m128a, SSE_INT)                                                          \
    SSE_FP(name##pd, load_m128a, SSE_INT)                                                          \
    SSE_FP(name##ss, load_m32, SSE_INT)                                                            \
    SSE_FP(name##sd, load_m64, SSE_INT)
SSE_SELECT4(min)
SSE_SELECT4(max)

/* Estimates raise nothing and ignore MXCSR, except that they are what the host's maker built. */
#define SSE_ESTIMATE(name, load)                                                                   \
    HOST_OP(name, #name)                                                                           \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        sse_int(c, i, host_##name, load);                                                          \
    }
SSE_ESTIMATE(rcpps, load_m128a)
SSE_ESTIMATE(rcpss, load_m32)
SSE_ESTIMATE(rsqrtps, load_m128a)
SSE_ESTIMATE(rsqrtss, load_m32)

/* --- CMPxx: predicate in the immediate --- */

#define CMP_PREDICATE(type, n)                                                                     \
    INLINE __m128i host_cmp##type##_##n(__m128i d, __m128i s)                                      \
    {                                                                                              \
        __asm__ volatile("cmp" #type " $" #n ", %1, %0" : "+x"(d) : "x"(s));                       \
        return d;                                                                                  \
    }
#define SSE_CMP(type, load)                                                                        \
    CMP_PREDICATE(type, 0)                                                                         \
    CMP_PREDICATE(type, 1)                                                                         \
    CMP_PREDICATE(type, 2)                                                                         \
    CMP_PREDICATE(type, 3)                                                                         \
    CMP_PREDICATE(type, 4)                                                                         \
    CMP_PREDICATE(type, 5)                                                                         \
    CMP_PREDICATE(type, 6)                                                                         \
    CMP_PREDICATE(type, 7)                                                                         \
    void op_cmp##type(struct cpu *c, const struct insn *i)                                         \
    {                                                                                              \
        switch (i->imm & 7) {                                                                      \
        case 0: sse_fp(c, i, host_cmp##type##_0, load, SSE_INT); break;                            \
        case 1: sse_fp(c, i, host_cmp##type##_1, load, SSE_INT); break;                            \
        case 2: sse_fp(c, i, host_cmp##type##_2, load, SSE_INT); break;                            \
        case 3: sse_fp(c, i, host_cmp##type##_3, load, SSE_INT); break;                            \
        case 4: sse_fp(c, i, host_cmp##type##_4, load, SSE_INT); break;                            \
        case 5: sse_fp(c, i, host_cmp##type##_5, load, SSE_INT); break;                            \
        case 6: sse_fp(c, i, host_cmp##type##_6, load, SSE_INT); break;                            \
        default: sse_fp(c, i, host_cmp##type##_7, load, SSE_INT); break;                           \
        }                                                                                          \
    }
SSE_CMP(ps, load_m128a)
SSE_CMP(pd, load_m128a)
SSE_CMP(ss, load_m32)
SSE_CMP(sd, load_m64)

/* --- COMIS, UCOMIS: result in ZF PF CF --- */

#define SSE_COMI(name, load)                                                                       \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        bool z, p, carry;                                                                          \
        __asm__ volatile(#name " %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(carry) : "x"(d), "x"(s)); \
        return _mm_cvtsi32_si128((z ? (int)FL_ZF : 0) | (p ? (int)FL_PF : 0) | (carry ? (int)FL_CF : 0)); \
    }                                                                                              \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        __m128i s, r;                                                                              \
        if (!sse_begin(c) || !load(c, i, &s)) return;                                              \
        if (sse_run(c, host_##name, xmm_get(c, i->reg), s, SSE_INT, &r))                           \
            cpu_set_arith(c, (u32)_mm_cvtsi128_si32(r));                                           \
    }
SSE_COMI(comiss, load_m32)
SSE_COMI(comisd, load_m64)
SSE_COMI(ucomiss, load_m32)
SSE_COMI(ucomisd, load_m64)

/* --- SSE3 --- */

/* The operands are rearranged, the operation is the ordinary one. */
#define HORIZONTAL(name, base, even, odd, kind)                                                    \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        __m128i d = xmm_get(c, i->reg), s, r;                                                      \
        if (!sse_begin(c) || !load_m128a(c, i, &s)) return;                                        \
        if (sse_run(c, host_##base, even(d, s), odd(d, s), kind, &r)) xmm_set(c, i->reg, r);       \
    }
HORIZONTAL(haddps, addps, vec_even32, vec_odd32, SSE_PS | SSE_ADD)
HORIZONTAL(hsubps, subps, vec_even32, vec_odd32, SSE_PS | SSE_SUB)
HORIZONTAL(haddpd, addpd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SSE_PD | SSE_ADD)
HORIZONTAL(hsubpd, subpd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SSE_PD | SSE_SUB)

/* ADDSUB: even lanes subtract. x - y is x + (-y), but a NaN keeps its sign. */
void op_addsubps(struct cpu *c, const struct insn *i)
{
    __m128i sign = _mm_set_epi32(0, INT32_MIN, 0, INT32_MIN), s, r, number;

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    number = _mm_cmpgt_epi32(_mm_set1_epi32(0x7f800001), _mm_and_si128(s, _mm_set1_epi32(0x7fffffff)));
    s = _mm_xor_si128(s, _mm_and_si128(number, sign));
    if (sse_run(c, host_addps, xmm_get(c, i->reg), s, SSE_PS | SSE_ADD, &r)) xmm_set(c, i->reg, r);
}

void op_addsubpd(struct cpu *c, const struct insn *i)
{
    __m128i s, r;
    u64 low;

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    low = (u64)_mm_cvtsi128_si64(s);
    if ((low & ~(1ull << 63)) <= 0x7ff0000000000000ull) s = _mm_xor_si128(s, _mm_cvtsi64_si128(INT64_MIN));
    if (sse_run(c, host_addpd, xmm_get(c, i->reg), s, SSE_PD | SSE_ADD, &r)) xmm_set(c, i->reg, r);
}

/* --- MXCSR --- */

void op_ldmxcsr(struct cpu *c, const struct insn *i)
{
    u32 v;

    if (!sse_begin(c) || !mem_read32(c, i->seg, ea_offset(c, i), &v)) return;
    if (v & ~0xffffu) {
        exc_gp0(c);
        return;
    }
    c->mxcsr = v;
}

void op_stmxcsr(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) mem_write32(c, i->seg, ea_offset(c, i), c->mxcsr);
}
