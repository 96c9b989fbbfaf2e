/* SSE2, SSSE3 and the plain two-operand SSE4 integer vector instructions on XMM registers: vec.h does the work.
 * Logical operations on floating-point vectors (ANDPS ...) are the integer ones. SDM 2. */
#include "cpu/sse.h"

#define SSE_INT_OP(name, load)                                                                     \
    void op_##name##_x(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        sse_int(c, i, v_##name, load);                                                             \
    }
#define XMM_OP(name) SSE_INT_OP(name, load_m128a)
XMM_OP(paddb)
XMM_OP(paddw)
XMM_OP(paddd)
XMM_OP(paddq)
XMM_OP(psubb)
XMM_OP(psubw)
XMM_OP(psubd)
XMM_OP(psubq)
XMM_OP(paddsb)
XMM_OP(paddsw)
XMM_OP(paddusb)
XMM_OP(paddusw)
XMM_OP(psubsb)
XMM_OP(psubsw)
XMM_OP(psubusb)
XMM_OP(psubusw)
XMM_OP(pand)
XMM_OP(pandn)
XMM_OP(por)
XMM_OP(pxor)
XMM_OP(pcmpeqb)
XMM_OP(pcmpeqw)
XMM_OP(pcmpeqd)
XMM_OP(pcmpgtb)
XMM_OP(pcmpgtw)
XMM_OP(pcmpgtd)
XMM_OP(pmullw)
XMM_OP(pmulhw)
XMM_OP(pmulhuw)
XMM_OP(pmaddwd)
XMM_OP(pmuludq)
XMM_OP(pavgb)
XMM_OP(pavgw)
XMM_OP(pminub)
XMM_OP(pmaxub)
XMM_OP(pminsw)
XMM_OP(pmaxsw)
XMM_OP(psadbw)
XMM_OP(psllw)
XMM_OP(pslld)
XMM_OP(psllq)
XMM_OP(psrlw)
XMM_OP(psrld)
XMM_OP(psrlq)
XMM_OP(psraw)
XMM_OP(psrad)
XMM_OP(punpcklbw)
XMM_OP(punpcklwd)
XMM_OP(punpckldq)
XMM_OP(punpcklqdq)
XMM_OP(punpckhbw)
XMM_OP(punpckhwd)
XMM_OP(punpckhdq)
XMM_OP(punpckhqdq)
XMM_OP(packsswb)
XMM_OP(packssdw)
XMM_OP(packuswb)
XMM_OP(phaddw)
XMM_OP(phaddd)
XMM_OP(phaddsw)
XMM_OP(phsubw)
XMM_OP(phsubd)
XMM_OP(phsubsw)
XMM_OP(pmaddubsw)
XMM_OP(pmulhrsw)
XMM_OP(psignb)
XMM_OP(psignw)
XMM_OP(psignd)
XMM_OP(pabsb)
XMM_OP(pabsw)
XMM_OP(pabsd)
XMM_OP(pminsb)
XMM_OP(pmaxsb)
XMM_OP(pminuw)
XMM_OP(pmaxuw)
XMM_OP(pminsd)
XMM_OP(pmaxsd)
XMM_OP(pminud)
XMM_OP(pmaxud)
XMM_OP(pmulld)
XMM_OP(pmuldq)
XMM_OP(pcmpeqq)
XMM_OP(pcmpgtq)
XMM_OP(packusdw)
XMM_OP(phminposuw)
SSE_INT_OP(pmovsxbw, load_m64)
SSE_INT_OP(pmovsxbd, load_m32)
SSE_INT_OP(pmovsxbq, load_m16)
SSE_INT_OP(pmovsxwd, load_m64)
SSE_INT_OP(pmovsxwq, load_m32)
SSE_INT_OP(pmovsxdq, load_m64)
SSE_INT_OP(pmovzxbw, load_m64)
SSE_INT_OP(pmovzxbd, load_m32)
SSE_INT_OP(pmovzxbq, load_m16)
SSE_INT_OP(pmovzxwd, load_m64)
SSE_INT_OP(pmovzxwq, load_m32)
SSE_INT_OP(pmovzxdq, load_m64)

/* PSHUFB is in every string and checksum loop: the host's own when it has SSSE3. */
INLINE __m128i pshufb_host(__m128i d, __m128i s)
{
    __asm__("pshufb %1, %0" : "+x"(d) : "x"(s));
    return d;
}

void op_pshufb_x(struct cpu *c, const struct insn *i)
{
    if (__builtin_cpu_supports("ssse3")) sse_int(c, i, pshufb_host, load_m128a);
    else sse_int(c, i, v_pshufb, load_m128a);
}

/* Shifts by an immediate: groups 0F 71-73, register in ModRM.rm. */
INLINE void shift_imm(struct cpu *c, const struct insn *i, sse_fn *fn)
{
    if (!sse_begin(c)) return;
    xmm_set(c, i->rm, fn(xmm_get(c, i->rm), _mm_cvtsi32_si128((int)(i->imm & 0xff))));
}

#define XMM_SHIFT(name)                                                                            \
    void op_##name##_x_ib(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        shift_imm(c, i, v_##name);                                                                 \
    }
XMM_SHIFT(psllw)
XMM_SHIFT(pslld)
XMM_SHIFT(psllq)
XMM_SHIFT(psrlw)
XMM_SHIFT(psrld)
XMM_SHIFT(psrlq)
XMM_SHIFT(psraw)
XMM_SHIFT(psrad)

/* 16 bytes of low:high, starting at byte n (32 and above: zeros). The host's byte shifts take constants only. */
INLINE __m128i bytes_at(__m128i low, __m128i high, unsigned n)
{
    if (n >= 16) {
        low = high;
        high = _mm_setzero_si128();
        n = MIN(n - 16, 16u);
    }
#define BYTES_AT(k) case k: return _mm_or_si128(_mm_srli_si128(low, k), _mm_slli_si128(high, 16 - (k)))
    switch (n) {
        BYTES_AT(0);
        BYTES_AT(1);
        BYTES_AT(2);
        BYTES_AT(3);
        BYTES_AT(4);
        BYTES_AT(5);
        BYTES_AT(6);
        BYTES_AT(7);
        BYTES_AT(8);
        BYTES_AT(9);
        BYTES_AT(10);
        BYTES_AT(11);
        BYTES_AT(12);
        BYTES_AT(13);
        BYTES_AT(14);
        BYTES_AT(15);
    default: return high;
    }
#undef BYTES_AT
}

void op_psrldq(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c)) return;
    xmm_set(c, i->rm, bytes_at(xmm_get(c, i->rm), _mm_setzero_si128(), (unsigned)(i->imm & 0xff)));
}

void op_pslldq(struct cpu *c, const struct insn *i)
{
    unsigned n = (unsigned)MIN(i->imm & 0xff, 16ull);

    if (!sse_begin(c)) return;
    xmm_set(c, i->rm, bytes_at(_mm_setzero_si128(), xmm_get(c, i->rm), 16 - n));
}

void op_palignr_x(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (!sse_begin(c) || !load_m128a(c, i, &s)) return;
    xmm_set(c, i->reg, bytes_at(s, xmm_get(c, i->reg), (unsigned)(i->imm & 0xff)));
}
