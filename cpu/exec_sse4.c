/* SSE4.1 and SSE4.2 beyond plain element operations: rounding, dot products, blends, inserts and extracts, PTEST, MPSADBW
 * and the string comparisons, with their VEX forms where there is more than a move to share (rounding, dot products,
 * string comparisons). Portable C; the floating-point steps of DPPS/DPPD run on the host (sse.h). SDM 2; for
 * PCMPxSTRx SDM 2 4.1. */
#include "cpu/avx.h"

/* --- ROUNDxx: imm8 bits 1:0 mode, bit 2 take MXCSR.RC, bit 3 no PE. No DE; DAZ applies. --- */

enum { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_ZERO };

/* One number of 1 + ebits + fbits bits. */
INLINE u64 round_number(u64 x, unsigned fbits, unsigned ebits, unsigned mode, bool daz, u32 *flags)
{
    u64 sign = x & 1ull << (fbits + ebits), quiet = 1ull << (fbits - 1), fmask = (1ull << fbits) - 1;
    unsigned e = (unsigned)(x >> fbits) & ((1u << ebits) - 1), emax = (1u << ebits) - 1, bias = emax >> 1;
    u64 unit, rest, half;
    bool up;

    if (e == emax) {
        if (!(x & fmask) || (x & quiet)) return x;
        *flags |= FSW_IE;
        return x | quiet;
    }
    if (e >= bias + fbits || !(x & ~sign)) return x;
    if (e == 0 && daz) return sign;
    *flags |= FSW_PE;
    if (e < bias) { /* below one */
        u64 one = (u64)bias << fbits;
        switch (mode) {
        case ROUND_NEAREST: up = e == bias - 1 && (x & fmask); break;
        case ROUND_DOWN: up = sign; break;
        case ROUND_UP: up = !sign; break;
        default: up = false; break;
        }
        return up ? sign | one : sign;
    }
    unit = 1ull << (fbits - (e - bias));
    rest = x & (unit - 1);
    half = unit >> 1;
    x &= ~(unit - 1);
    if (!rest) {
        *flags &= ~FSW_PE;
        return x;
    }
    switch (mode) {
    case ROUND_NEAREST: up = rest > half || (rest == half && (x & unit)); break;
    case ROUND_DOWN: up = sign; break;
    case ROUND_UP: up = !sign; break;
    default: up = false; break;
    }
    return up ? x + unit : x; /* a carry goes into the exponent, as it should */
}

INLINE void round_lanes(struct cpu *c, const struct insn *i, sse_load_fn *load, unsigned size, unsigned count)
{
    union v128 s, r;
    unsigned mode = i->imm & 4 ? (c->mxcsr >> 13) & 3 : i->imm & 3;
    bool daz = c->mxcsr & MXCSR_DAZ;
    u32 flags = 0;

    if (!sse_begin(c) || !load(c, i, &s.m)) return;
    r.m = xmm_get(c, i->reg);
    for (unsigned k = 0; k < count; k++) {
        u32 one = 0;
        if (size == 4) r.d[k] = (u32)round_number(s.d[k], 23, 8, mode, daz, &one);
        else r.q[k] = round_number(s.q[k], 52, 11, mode, daz, &one);
        flags |= one;
    }
    if (i->imm & 8) flags &= ~FSW_PE;
    if (sse_finish(c, flags, SSE_INT, r.m, s.m, s.m)) xmm_set(c, i->reg, r.m);
}

/* VROUNDxx: count numbers of s; those of d behind them stay, the rest of the register becomes zero. */
static void round_vex(struct cpu *c, const struct insn *i, unsigned size, unsigned count, struct ymm d, struct ymm s)
{
    unsigned mode = i->imm & 4 ? (c->mxcsr >> 13) & 3 : i->imm & 3;
    bool daz = c->mxcsr & MXCSR_DAZ, scalar = count == 1;
    union vreg from, to;
    u32 flags = 0;

    memcpy(&from, &s, sizeof(from));
    memcpy(&to, &d, sizeof(to));
    for (unsigned k = 0; k < count; k++) {
        u32 one = 0;
        if (size == 4) to.d[k] = (u32)round_number(from.d[k], 23, 8, mode, daz, &one);
        else to.q[k] = round_number(from.q[k], 52, 11, mode, daz, &one);
        flags |= one;
    }
    if (i->imm & 8) flags &= ~FSW_PE;
    memcpy(&d, &to, sizeof(d));
    if (!sse_finish(c, flags, SSE_INT, d.h[0], d.h[0], d.h[0])) return;
    if (scalar) ymm_set128(c, i->reg, d.h[0]);
    else ymm_set(c, i, i->reg, d);
}

void op_vroundps(struct cpu *c, const struct insn *i)
{
    struct ymm s;

    if (avx_begin(c) && avx_load(c, i, &s)) round_vex(c, i, 4, 4u << i->vl, s, s);
}

void op_vroundpd(struct cpu *c, const struct insn *i)
{
    struct ymm s;

    if (avx_begin(c) && avx_load(c, i, &s)) round_vex(c, i, 8, 2u << i->vl, s, s);
}

void op_vroundss(struct cpu *c, const struct insn *i)
{
    struct ymm s = { { _mm_setzero_si128(), _mm_setzero_si128() } };

    if (avx_begin(c) && load_m32(c, i, &s.h[0])) round_vex(c, i, 4, 1, ymm_get(c, i->vvvv), s);
}

void op_vroundsd(struct cpu *c, const struct insn *i)
{
    struct ymm s = { { _mm_setzero_si128(), _mm_setzero_si128() } };

    if (avx_begin(c) && load_m64(c, i, &s.h[0])) round_vex(c, i, 8, 1, ymm_get(c, i->vvvv), s);
}

void op_roundps(struct cpu *c, const struct insn *i)
{
    round_lanes(c, i, load_m128a, 4, 4);
}

void op_roundpd(struct cpu *c, const struct insn *i)
{
    round_lanes(c, i, load_m128a, 8, 2);
}

void op_roundss(struct cpu *c, const struct insn *i)
{
    round_lanes(c, i, load_m32, 4, 1);
}

void op_roundsd(struct cpu *c, const struct insn *i)
{
    round_lanes(c, i, load_m64, 8, 1);
}

/* --- DPPS, DPPD: imm8 bits 7:4 choose the products, bits 3:0 where the sum goes --- */

#define HOST_OP(name)                                                                              \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        __asm__ volatile(#name " %1, %0" : "+x"(d) : "x"(s));                                      \
        return d;                                                                                  \
    }
HOST_OP(mulps)
HOST_OP(addps)
HOST_OP(mulpd)
HOST_OP(addsd)
HOST_OP(addss)

static __m128i lanes32(unsigned bits)
{
    union v128 m;

    for (unsigned k = 0; k < 4; k++) m.d[k] = bits >> k & 1 ? ~0u : 0;
    return m.m;
}

static __m128i lanes64(unsigned bits)
{
    union v128 m;

    for (unsigned k = 0; k < 2; k++) m.q[k] = bits >> k & 1 ? ~0ull : 0;
    return m.m;
}

/* Each step may raise unmasked exceptions of its own; the destination is written last. */
void op_dpps(struct cpu *c, const struct insn *i)
{
    __m128i s, d, use = lanes32((unsigned)(i->imm >> 4)), low;

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    d = _mm_and_si128(xmm_get(c, i->reg), use);
    s = _mm_and_si128(s, use);
    low = lanes32(5);
    if (!sse_run(c, host_mulps, d, s, SSE_PS | SSE_MUL, &d)) return;
    s = _mm_srli_epi64(d, 32);
    if (!sse_run(c, host_addps, _mm_and_si128(d, low), s, SSE_PS | SSE_ADD, &d)) return;
    s = _mm_unpackhi_epi64(d, d);
    if (!sse_run(c, host_addss, d, s, SSE_SS | SSE_ADD, &d)) return;
    xmm_set(c, i->reg, _mm_and_si128(_mm_shuffle_epi32(d, 0), lanes32((unsigned)i->imm)));
}

void op_dppd(struct cpu *c, const struct insn *i)
{
    __m128i s, d, use = lanes64((unsigned)(i->imm >> 4));

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    d = _mm_and_si128(xmm_get(c, i->reg), use);
    s = _mm_and_si128(s, use);
    if (!sse_run(c, host_mulpd, d, s, SSE_PD | SSE_MUL, &d)) return;
    s = _mm_unpackhi_epi64(d, d);
    if (!sse_run(c, host_addsd, d, s, SSE_SD | SSE_ADD, &d)) return;
    xmm_set(c, i->reg, _mm_and_si128(_mm_unpacklo_epi64(d, d), lanes64((unsigned)i->imm)));
}

/* The halves are independent dot products, but each step is one operation for exceptions. */
void op_vdpps(struct cpu *c, const struct insn *i)
{
    __m128i use = lanes32((unsigned)(i->imm >> 4)), low = lanes32(5), put = lanes32((unsigned)i->imm);
    unsigned n = 1u + i->vl;
    struct ymm d, s;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    d = ymm_get(c, i->vvvv);
    for (unsigned k = 0; k < n; k++) {
        d.h[k] = _mm_and_si128(d.h[k], use);
        s.h[k] = _mm_and_si128(s.h[k], use);
    }
    if (!avx_run(c, host_mulps, d, s, n, SSE_PS | SSE_MUL, &d)) return;
    for (unsigned k = 0; k < n; k++) {
        s.h[k] = _mm_srli_epi64(d.h[k], 32);
        d.h[k] = _mm_and_si128(d.h[k], low);
    }
    if (!avx_run(c, host_addps, d, s, n, SSE_PS | SSE_ADD, &d)) return;
    for (unsigned k = 0; k < n; k++) s.h[k] = _mm_unpackhi_epi64(d.h[k], d.h[k]);
    if (!avx_run(c, host_addss, d, s, n, SSE_SS | SSE_ADD, &d)) return;
    for (unsigned k = 0; k < n; k++) d.h[k] = _mm_and_si128(_mm_shuffle_epi32(d.h[k], 0), put);
    ymm_set(c, i, i->reg, d);
}

void op_vdppd(struct cpu *c, const struct insn *i)
{
    __m128i d, use = lanes64((unsigned)(i->imm >> 4));
    struct ymm s;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    d = _mm_and_si128(xmm_get(c, i->vvvv), use);
    s.h[0] = _mm_and_si128(s.h[0], use);
    if (!sse_run(c, host_mulpd, d, s.h[0], SSE_PD | SSE_MUL, &d)) return;
    s.h[0] = _mm_unpackhi_epi64(d, d);
    if (!sse_run(c, host_addsd, d, s.h[0], SSE_SD | SSE_ADD, &d)) return;
    ymm_set128(c, i->reg, _mm_and_si128(_mm_unpacklo_epi64(d, d), lanes64((unsigned)i->imm)));
}

/* --- blends --- */

INLINE void blend(struct cpu *c, const struct insn *i, __m128i mask)
{
    __m128i s;

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    s = _mm_and_si128(s, mask);
    xmm_set(c, i->reg, _mm_or_si128(_mm_andnot_si128(mask, xmm_get(c, i->reg)), s));
}

void op_blendps(struct cpu *c, const struct insn *i)
{
    blend(c, i, lanes32((unsigned)i->imm));
}

void op_blendpd(struct cpu *c, const struct insn *i)
{
    blend(c, i, lanes64((unsigned)i->imm));
}

void op_pblendw(struct cpu *c, const struct insn *i)
{
    union v128 mask;

    for (unsigned k = 0; k < 8; k++) mask.w[k] = i->imm >> k & 1 ? 0xffff : 0;
    blend(c, i, mask.m);
}

/* The variable forms take sign bits of XMM0. */
void op_pblendvb(struct cpu *c, const struct insn *i)
{
    blend(c, i, _mm_cmpgt_epi8(_mm_setzero_si128(), xmm_get(c, 0)));
}

void op_blendvps(struct cpu *c, const struct insn *i)
{
    blend(c, i, _mm_srai_epi32(xmm_get(c, 0), 31));
}

void op_blendvpd(struct cpu *c, const struct insn *i)
{
    blend(c, i, _mm_srai_epi32(_mm_shuffle_epi32(xmm_get(c, 0), 0xf5), 31));
}

/* --- PTEST --- */

void op_ptest(struct cpu *c, const struct insn *i)
{
    union v128 d, s;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    d.m = xmm_get(c, i->reg);
    cpu_set_arith(c, ((s.q[0] & d.q[0]) | (s.q[1] & d.q[1]) ? 0 : FL_ZF) |
                         ((s.q[0] & ~d.q[0]) | (s.q[1] & ~d.q[1]) ? 0 : FL_CF));
}

/* --- inserts and extracts --- */

void op_insertps(struct cpu *c, const struct insn *i)
{
    union vreg *d = &c->v[i->reg];
    __m128i s;
    u32 v;

    if (!sse_begin(c) || !load_m32(c, i, &s)) return;
    v = is_mem(i) ? (u32)_mm_cvtsi128_si32(s) : c->v[i->rm].d[i->imm >> 6 & 3];
    d->d[i->imm >> 4 & 3] = v;
    for (unsigned k = 0; k < 4; k++) {
        if (i->imm >> k & 1) d->d[k] = 0;
    }
}

/* PEXTRB, PEXTRW (0F 3A), PEXTRD/Q, EXTRACTPS: element to a zero-extended register or to memory. */
INLINE void extract(struct cpu *c, const struct insn *i, unsigned osz)
{
    const union vreg *v = &c->v[i->reg];
    u64 x;

    if (!sse_begin(c)) return;
    switch (osz) {
    case OSZ8: x = v->b[i->imm & 15]; break;
    case OSZ16: x = v->w[i->imm & 7]; break;
    case OSZ32: x = v->d[i->imm & 3]; break;
    default: x = v->q[i->imm & 1]; break;
    }
    if (is_mem(i)) rm_write(c, i, osz, x);
    else c->r[i->rm] = x;
}

void op_pextrb(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ8);
}

void op_pextrw(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ16);
}

void op_pextrd(struct cpu *c, const struct insn *i)
{
    extract(c, i, i->osz == OSZ64 ? OSZ64 : OSZ32);
}

void op_extractps(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ32);
}

void op_pinsrb(struct cpu *c, const struct insn *i)
{
    u64 v;

    if (!sse_begin(c)) return;
    if (!is_mem(i)) v = c->r[i->rm];
    else if (!rm_read(c, i, OSZ8, &v)) return;
    c->v[i->reg].b[i->imm & 15] = (u8)v;
}

void op_pinsrd(struct cpu *c, const struct insn *i)
{
    unsigned osz = i->osz == OSZ64 ? OSZ64 : OSZ32;
    u64 v;

    if (!sse_begin(c) || !rm_read(c, i, osz, &v)) return;
    if (osz == OSZ64) c->v[i->reg].q[i->imm & 1] = v;
    else c->v[i->reg].d[i->imm & 3] = (u32)v;
}

/* Eight sums of absolute differences: four bytes of s against d at byte offsets 0..7. */
void op_mpsadbw(struct cpu *c, const struct insn *i)
{
    unsigned doff = (unsigned)(i->imm & 4), soff = (unsigned)(i->imm & 3) * 4;
    union v128 d, s, r;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    d.m = xmm_get(c, i->reg);
    for (unsigned k = 0; k < 8; k++) {
        unsigned sum = 0;
        for (unsigned n = 0; n < 4; n++) {
            int diff = (int)d.b[doff + k + n] - (int)s.b[soff + n];
            sum += (unsigned)(diff < 0 ? -diff : diff);
        }
        r.w[k] = (u16)sum;
    }
    xmm_set(c, i->reg, r.m);
}

/* --- PCMPESTRI/M, PCMPISTRI/M ---
 * imm8: 0 words | 1 signed | 3:2 aggregation | 5:4 polarity | 6 last index / expanded mask */

enum { STR_WORDS = 1, STR_SIGNED = 2, STR_ANY = 0, STR_RANGES = 1, STR_EACH = 2, STR_ORDERED = 3 };

static i32 str_element(const union v128 *v, unsigned k, unsigned imm)
{
    switch (imm & 3) {
    case 0: return v->b[k];
    case STR_WORDS: return v->w[k];
    case STR_SIGNED: return v->sb[k];
    default: return v->sw[k];
    }
}

/* Index of the first zero element, or the number of elements. */
static unsigned str_implicit_length(const union v128 *v, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16, k = 0;

    while (k < n && str_element(v, k, imm)) k++;
    return k;
}

/* Absolute value of the signed register, saturated. */
static unsigned str_explicit_length(u64 reg, bool wide, unsigned imm)
{
    u64 n = wide ? reg : (u64)(i64)(i32)reg, max = imm & STR_WORDS ? 8 : 16;

    if ((i64)n < 0) n = 0 - n;
    return (unsigned)MIN(n, max);
}

/* Does element j of the second string satisfy the aggregation? */
static bool str_match(const union v128 *a, unsigned alen, const union v128 *b, unsigned blen, unsigned j, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16;

    switch (imm >> 2 & 3) {
    case STR_ANY:
        for (unsigned k = 0; j < blen && k < alen; k++) {
            if (str_element(a, k, imm) == str_element(b, j, imm)) return true;
        }
        return false;
    case STR_RANGES:
        for (unsigned k = 0; j < blen && k + 1 < alen; k += 2) {
            i32 v = str_element(b, j, imm);
            if (str_element(a, k, imm) <= v && v <= str_element(a, k + 1, imm)) return true;
        }
        return false;
    case STR_EACH:
        if (j >= alen || j >= blen) return j >= alen && j >= blen;
        return str_element(a, j, imm) == str_element(b, j, imm);
    default:
        for (unsigned k = 0; k < alen && j + k < n; k++) {
            if (j + k >= blen || str_element(a, k, imm) != str_element(b, j + k, imm)) return false;
        }
        return true;
    }
}

/* IntRes2; sets the flags. */
static unsigned str_compare(struct cpu *c, const union v128 *a, unsigned alen, const union v128 *b, unsigned blen,
                            unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16, result = 0;

    for (unsigned j = 0; j < n; j++) {
        if (str_match(a, alen, b, blen, j, imm)) result |= 1u << j;
    }
    if ((imm >> 4 & 3) == 1) result ^= (1u << n) - 1;
    if ((imm >> 4 & 3) == 3) result ^= (1u << blen) - 1;
    cpu_set_arith(c, (result ? FL_CF : 0) | (blen < n ? FL_ZF : 0) | (alen < n ? FL_SF : 0) | (result & 1 ? FL_OF : 0));
    return result;
}

static void str_index(struct cpu *c, unsigned result, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16;

    if (result) n = imm & 0x40 ? 31 - (unsigned)__builtin_clz(result) : (unsigned)__builtin_ctz(result);
    set_reg32(c, RCX, n);
}

static void str_mask(struct cpu *c, unsigned result, unsigned imm)
{
    union v128 r = { .q = { result, 0 } };
    unsigned n = imm & STR_WORDS ? 8 : 16;

    for (unsigned k = 0; (imm & 0x40) && k < n; k++) {
        if (imm & STR_WORDS) r.w[k] = result >> k & 1 ? 0xffff : 0;
        else r.b[k] = result >> k & 1 ? 0xff : 0;
    }
    xmm_set(c, 0, r.m);
}

INLINE bool str_operands(struct cpu *c, const struct insn *i, bool explicit, bool vex, unsigned *result)
{
    unsigned imm = (unsigned)i->imm, alen, blen;
    union v128 a, b;

    if (!(vex ? avx_begin(c) : sse_begin(c)) || !load_m128u(c, i, &b.m)) return false;
    a.m = xmm_get(c, i->reg);
    if (explicit) {
        bool wide = (i->flags & INSN_REXW) && c->bits == BITS64; /* VEX.W may be set elsewhere */
        alen = str_explicit_length(c->r[RAX], wide, imm);
        blen = str_explicit_length(c->r[RDX], wide, imm);
    } else {
        alen = str_implicit_length(&a, imm);
        blen = str_implicit_length(&b, imm);
    }
    *result = str_compare(c, &a, alen, &b, blen, imm);
    return true;
}

#define STR_OP(name, explicit, finish)                                                             \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        unsigned result;                                                                           \
        if (str_operands(c, i, explicit, false, &result)) finish(c, result, (unsigned)i->imm);     \
    }                                                                                              \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        unsigned result;                                                                           \
        if (!str_operands(c, i, explicit, true, &result)) return;                                  \
        finish(c, result, (unsigned)i->imm);                                                       \
        if (finish == str_mask) ymm_set128(c, 0, xmm_get(c, 0));                                   \
    }
STR_OP(pcmpestri, true, str_index)
STR_OP(pcmpestrm, true, str_mask)
STR_OP(pcmpistri, false, str_index)
STR_OP(pcmpistrm, false, str_mask)
