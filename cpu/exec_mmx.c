/* MMX: the 64-bit integer vector instructions with their SSE, SSE2 and SSSE3 additions. Values run through the 128-bit
 * functions of vec.h in the low half. SDM 1 chapter 9, SDM 2. */
#include "cpu/mmx.h"
#include "cpu/vec.h"

#define INLINE static inline __attribute__((always_inline))

bool mmx_refuse(struct cpu *c)
{
    if (c->cr0 & CR0_EM) {
        exc_raise(c, EXC_UD);
        return false;
    }
    return fpu_refuse(c);
}

typedef __m128i vec_fn(__m128i d, __m128i s);
typedef bool mmx_load_fn(struct cpu *c, const struct insn *i, __m128i *s);

INLINE void mmx_op(struct cpu *c, const struct insn *i, vec_fn *fn, mmx_load_fn *load)
{
    unsigned n = i->reg & 7;
    __m128i s;

    if (!mmx_begin(c) || !load(c, i, &s)) return;
    mmx_enter(c);
    mmx_set(c, n, fn(mmx_get(c, n), s));
}

#define MMX(name, fn, load)                                                                        \
    void op_##name##_q(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        mmx_op(c, i, fn, load);                                                                    \
    }
#define MMX_SAME(name) MMX(name, v_##name, mmx_load)
#define MMX_OWN(name) MMX(name, v_##name##_q, mmx_load)
MMX_SAME(paddb)
MMX_SAME(paddw)
MMX_SAME(paddd)
MMX_SAME(paddq)
MMX_SAME(psubb)
MMX_SAME(psubw)
MMX_SAME(psubd)
MMX_SAME(psubq)
MMX_SAME(paddsb)
MMX_SAME(paddsw)
MMX_SAME(paddusb)
MMX_SAME(paddusw)
MMX_SAME(psubsb)
MMX_SAME(psubsw)
MMX_SAME(psubusb)
MMX_SAME(psubusw)
MMX_SAME(pand)
MMX_SAME(pandn)
MMX_SAME(por)
MMX_SAME(pxor)
MMX_SAME(pcmpeqb)
MMX_SAME(pcmpeqw)
MMX_SAME(pcmpeqd)
MMX_SAME(pcmpgtb)
MMX_SAME(pcmpgtw)
MMX_SAME(pcmpgtd)
MMX_SAME(pmullw)
MMX_SAME(pmulhw)
MMX_SAME(pmulhuw)
MMX_SAME(pmaddwd)
MMX_SAME(pmuludq)
MMX_SAME(pavgb)
MMX_SAME(pavgw)
MMX_SAME(pminub)
MMX_SAME(pmaxub)
MMX_SAME(pminsw)
MMX_SAME(pmaxsw)
MMX_SAME(psadbw)
MMX_SAME(psllw)
MMX_SAME(pslld)
MMX_SAME(psllq)
MMX_SAME(psrlw)
MMX_SAME(psrld)
MMX_SAME(psrlq)
MMX_SAME(psraw)
MMX_SAME(psrad)
MMX(punpcklbw, v_punpcklbw, mmx_load32)
MMX(punpcklwd, v_punpcklwd, mmx_load32)
MMX(punpckldq, v_punpckldq, mmx_load32)
MMX_OWN(punpckhbw)
MMX_OWN(punpckhwd)
MMX_OWN(punpckhdq)
MMX_OWN(packsswb)
MMX_OWN(packssdw)
MMX_OWN(packuswb)
MMX_OWN(pshufb)
MMX_OWN(phaddw)
MMX_OWN(phaddd)
MMX_OWN(phaddsw)
MMX_OWN(phsubw)
MMX_OWN(phsubd)
MMX_OWN(phsubsw)
MMX_SAME(pmaddubsw)
MMX_SAME(pmulhrsw)
MMX_SAME(psignb)
MMX_SAME(psignw)
MMX_SAME(psignd)
MMX_SAME(pabsb)
MMX_SAME(pabsw)
MMX_SAME(pabsd)

/* Shifts by an immediate: groups 0F 71-73, register in ModRM.rm. */
INLINE void shift_imm(struct cpu *c, const struct insn *i, vec_fn *fn)
{
    unsigned n = i->rm & 7;

    if (!mmx_begin(c)) return;
    mmx_enter(c);
    mmx_set(c, n, fn(mmx_get(c, n), _mm_cvtsi32_si128((int)(i->imm & 0xff))));
}

#define MMX_SHIFT(name)                                                                            \
    void op_##name##_q_ib(struct cpu *c, const struct insn *i)                                     \
    {                                                                                              \
        shift_imm(c, i, v_##name);                                                                 \
    }
MMX_SHIFT(psllw)
MMX_SHIFT(pslld)
MMX_SHIFT(psllq)
MMX_SHIFT(psrlw)
MMX_SHIFT(psrld)
MMX_SHIFT(psrlq)
MMX_SHIFT(psraw)
MMX_SHIFT(psrad)

/* --- moves --- */

void op_emms(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!mmx_begin(c)) return;
    mmx_enter(c);
    c->ftw = 0;
}

void op_movd_p_e(struct cpu *c, const struct insn *i)
{
    u64 v;

    if (!mmx_begin(c) || !rm_read(c, i, i->osz == OSZ64 ? OSZ64 : OSZ32, &v)) return;
    mmx_enter(c);
    mmx_set(c, i->reg & 7, _mm_cvtsi64_si128((long long)v));
}

void op_movd_e_p(struct cpu *c, const struct insn *i)
{
    bool wide = i->osz == OSZ64;
    u64 v;

    if (!mmx_begin(c)) return;
    v = c->fpr[i->reg & 7].mant;
    if (rm_write(c, i, wide ? OSZ64 : OSZ32, wide ? v : (u32)v)) mmx_enter(c);
}

void op_movq_p_q(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (!mmx_begin(c) || !mmx_load(c, i, &s)) return;
    mmx_enter(c);
    mmx_set(c, i->reg & 7, s);
}

/* MOVQ mm/m64, mm and MOVNTQ */
void op_movq_q_p(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg & 7;

    if (!mmx_begin(c)) return;
    if (is_mem(i) && !mem_write64(c, i->seg, ea_offset(c, i), c->fpr[n].mant)) return;
    mmx_enter(c);
    if (!is_mem(i)) mmx_set(c, i->rm & 7, mmx_get(c, n));
}

void op_pshufw(struct cpu *c, const struct insn *i)
{
    union v128 s, r = { .q = { 0, 0 } };

    if (!mmx_begin(c) || !mmx_load(c, i, &s.m)) return;
    mmx_enter(c);
    for (unsigned k = 0; k < 4; k++) r.w[k] = s.w[(i->imm >> (2 * k)) & 3];
    mmx_set(c, i->reg & 7, r.m);
}

void op_pinsrw_p(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg & 7, shift = (unsigned)(i->imm & 3) * 16;
    u64 v, old;

    if (!mmx_begin(c)) return;
    if (!is_mem(i)) v = c->r[i->rm];
    else if (!rm_read(c, i, OSZ16, &v)) return;
    mmx_enter(c);
    old = c->fpr[n].mant & ~(0xffffull << shift);
    c->fpr[n].mant = old | (v & 0xffff) << shift;
    c->fpr[n].se = 0xffff;
}

void op_pextrw_p(struct cpu *c, const struct insn *i)
{
    if (!mmx_begin(c)) return;
    mmx_enter(c);
    set_reg32(c, i->reg, (u16)(c->fpr[i->rm & 7].mant >> (i->imm & 3) * 16));
}

void op_pmovmskb_p(struct cpu *c, const struct insn *i)
{
    if (!mmx_begin(c)) return;
    mmx_enter(c);
    set_reg32(c, i->reg, (u32)_mm_movemask_epi8(mmx_get(c, i->rm & 7)) & 0xff);
}

/* MASKMOVQ: as MASKMOVDQU (exec_sse_mov.c), eight bytes. MMX state is entered even when the store faults. */
void op_maskmovq(struct cpu *c, const struct insn *i)
{
    u64 v, mask, off = c->r[RDI];

    if (!mmx_begin(c)) return;
    off = i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
    v = c->fpr[i->reg & 7].mant;
    mask = c->fpr[i->rm & 7].mant & 0x8080808080808080ull;
    mmx_enter(c);
    if (mask && !mem_probe_write(c, i->seg, off, 8)) return;
    for (unsigned k = 0; k < 8; k++) {
        if ((mask >> (8 * k) & 0x80) && !mem_write8(c, i->seg, off + k, (u8)(v >> (8 * k)))) return;
    }
}

void op_palignr_p(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg & 7, shift = (unsigned)(i->imm & 0xff) * 8;
    __m128i s;
    u64 low, high;

    if (!mmx_begin(c) || !mmx_load(c, i, &s)) return;
    mmx_enter(c);
    low = (u64)_mm_cvtsi128_si64(s);
    high = c->fpr[n].mant;
    if (shift >= 128) low = 0;
    else if (shift >= 64) low = high >> (shift - 64);
    else if (shift) low = low >> shift | high << (64 - shift);
    mmx_set(c, n, _mm_cvtsi64_si128((long long)low));
}
