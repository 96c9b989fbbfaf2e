/* SSE data movement: full, partial, non-temporal and masked moves, moves between register files, shuffles and unpacks of
 * floating-point vectors. Non-temporal hints are ordinary stores here. SDM 2, the instructions of the handlers' names.
 *
 * Registers are written 128 bits at a time even where only a part changes: a partial store followed by the next instruction's
 * full load would cost the host a store-forwarding stall. */
#include "cpu/sse.h"

/* --- 128-bit moves --- */

INLINE void load128(struct cpu *c, const struct insn *i, sse_load_fn *load)
{
    __m128i s;

    if (sse_begin(c) && load(c, i, &s)) xmm_set(c, i->reg, s);
}

INLINE void store128(struct cpu *c, const struct insn *i, bool aligned)
{
    void *p;
    u64 off;

    if (!sse_begin(c)) return;
    if (!is_mem(i)) {
        xmm_set(c, i->rm, xmm_get(c, i->reg));
        return;
    }
    off = ea_offset(c, i);
    if (aligned) {
        mem_write128a(c, i->seg, off, &c->v[i->reg]);
        return;
    }
    p = quick_m128(c, i->seg, off, true);
    if (likely(p)) _mm_storeu_si128(p, xmm_get(c, i->reg));
    else mem_write_n(c, i->seg, off, &c->v[i->reg], 16);
}

/* MOVAPS, MOVAPD, MOVDQA, MOVNTDQA */
void op_movdqa_v_w(struct cpu *c, const struct insn *i)
{
    load128(c, i, load_m128a);
}

/* the same and MOVNTPS, MOVNTPD, MOVNTDQ */
void op_movdqa_w_v(struct cpu *c, const struct insn *i)
{
    store128(c, i, true);
}

/* MOVUPS, MOVUPD, MOVDQU, LDDQU */
void op_movdqu_v_w(struct cpu *c, const struct insn *i)
{
    load128(c, i, load_m128u);
}

void op_movdqu_w_v(struct cpu *c, const struct insn *i)
{
    store128(c, i, false);
}

/* d with its low 32 or 64 bits from s. */
INLINE __m128i low32(__m128i d, __m128i s)
{
    return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(d), _mm_castsi128_ps(s)));
}

INLINE __m128i low64(__m128i d, __m128i s)
{
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(d), _mm_castsi128_pd(s)));
}

/* --- scalar moves: a load clears the rest of the register, a register move keeps it --- */

void op_movss_v_w(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (!sse_begin(c) || !load_m32(c, i, &s)) return;
    xmm_set(c, i->reg, is_mem(i) ? s : low32(xmm_get(c, i->reg), s));
}

void op_movss_w_v(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c)) return;
    if (is_mem(i)) mem_write32(c, i->seg, ea_offset(c, i), c->v[i->reg].d[0]);
    else xmm_set(c, i->rm, low32(xmm_get(c, i->rm), xmm_get(c, i->reg)));
}

void op_movsd_v_w(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (!sse_begin(c) || !load_m64(c, i, &s)) return;
    xmm_set(c, i->reg, is_mem(i) ? s : low64(xmm_get(c, i->reg), s));
}

void op_movsd_w_v(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c)) return;
    if (is_mem(i)) mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[0]);
    else xmm_set(c, i->rm, low64(xmm_get(c, i->rm), xmm_get(c, i->reg)));
}

/* MOVQ xmm, xmm/m64 and back: the upper half becomes zero. */
void op_movq_v_w(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (sse_begin(c) && load_m64(c, i, &s)) xmm_set(c, i->reg, _mm_move_epi64(s));
}

void op_movq_w_v(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c)) return;
    if (is_mem(i)) mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[0]);
    else xmm_set(c, i->rm, _mm_move_epi64(xmm_get(c, i->reg)));
}

/* --- halves --- */

INLINE void load_half(struct cpu *c, const struct insn *i, unsigned half)
{
    u64 v;

    if (!sse_begin(c) || !mem_read64(c, i->seg, ea_offset(c, i), &v)) return;
    __m128i d = xmm_get(c, i->reg), s = _mm_cvtsi64_si128((long long)v);
    xmm_set(c, i->reg, half ? _mm_unpacklo_epi64(d, s) : low64(d, s));
}

INLINE void store_half(struct cpu *c, const struct insn *i, unsigned half)
{
    if (sse_begin(c)) mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[half]);
}

void op_movlps_v_m(struct cpu *c, const struct insn *i)
{
    load_half(c, i, 0);
}

void op_movhps_v_m(struct cpu *c, const struct insn *i)
{
    load_half(c, i, 1);
}

void op_movlps_m_v(struct cpu *c, const struct insn *i)
{
    store_half(c, i, 0);
}

void op_movhps_m_v(struct cpu *c, const struct insn *i)
{
    store_half(c, i, 1);
}

void op_movhlps(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) xmm_set(c, i->reg, _mm_unpackhi_epi64(xmm_get(c, i->rm), xmm_get(c, i->reg)));
}

void op_movlhps(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) xmm_set(c, i->reg, _mm_unpacklo_epi64(xmm_get(c, i->reg), xmm_get(c, i->rm)));
}

void op_movddup(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (sse_begin(c) && load_m64(c, i, &s)) xmm_set(c, i->reg, _mm_unpacklo_epi64(s, s));
}

void op_movsldup(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (sse_begin(c) && load_m128a(c, i, &s)) xmm_set(c, i->reg, _mm_shuffle_epi32(s, 0xa0));
}

void op_movshdup(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (sse_begin(c) && load_m128a(c, i, &s)) xmm_set(c, i->reg, _mm_shuffle_epi32(s, 0xf5));
}

/* --- general registers --- */

/* MOVD/MOVQ xmm, r/m32 or r/m64 */
void op_movd_v_e(struct cpu *c, const struct insn *i)
{
    unsigned osz = i->osz == OSZ64 ? OSZ64 : OSZ32;
    u64 v;

    if (sse_begin(c) && rm_read(c, i, osz, &v)) xmm_set(c, i->reg, _mm_cvtsi64_si128((long long)v));
}

void op_movd_e_v(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c)) return;
    if (i->osz == OSZ64) rm_write(c, i, OSZ64, c->v[i->reg].q[0]);
    else rm_write(c, i, OSZ32, c->v[i->reg].d[0]);
}

void op_movmskps(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) set_reg32(c, i->reg, (u32)_mm_movemask_ps(_mm_castsi128_ps(xmm_get(c, i->rm))));
}

void op_movmskpd(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) set_reg32(c, i->reg, (u32)_mm_movemask_pd(_mm_castsi128_pd(xmm_get(c, i->rm))));
}

void op_pmovmskb_x(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) set_reg32(c, i->reg, (u32)_mm_movemask_epi8(xmm_get(c, i->rm)));
}

/* MASKMOVDQU: bytes whose mask bit is set go to [rDI]; nothing else is written, but the first faulting byte stops all. */
void maskmovdqu(struct cpu *c, const struct insn *i)
{
    union v128 v, mask;
    u64 off = c->r[RDI];

    off = i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
    v.m = xmm_get(c, i->reg);
    mask.m = xmm_get(c, i->rm);
    if (!_mm_movemask_epi8(mask.m)) return;
    if (!mem_probe_write(c, i->seg, off, 8) || !mem_probe_write(c, i->seg, off, 16)) return;
    for (unsigned k = 0; k < 16; k++) {
        if ((mask.b[k] & 0x80) && !mem_write8(c, i->seg, off + k, v.b[k])) return;
    }
}

void op_maskmovdqu(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) maskmovdqu(c, i);
}

/* --- shuffles --- */

INLINE u64 join32(u32 low, u32 high)
{
    return low | (u64)high << 32;
}

INLINE __m128i join64(u64 low, u64 high)
{
    return _mm_set_epi64x((long long)high, (long long)low);
}

void op_shufps(struct cpu *c, const struct insn *i)
{
    union v128 d, s;
    unsigned n = (unsigned)i->imm;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    d.m = xmm_get(c, i->reg);
    xmm_set(c, i->reg, join64(join32(d.d[n & 3], d.d[n >> 2 & 3]), join32(s.d[n >> 4 & 3], s.d[n >> 6 & 3])));
}

void op_shufpd(struct cpu *c, const struct insn *i)
{
    union v128 d, s;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    d.m = xmm_get(c, i->reg);
    xmm_set(c, i->reg, join64(d.q[i->imm & 1], s.q[i->imm >> 1 & 1]));
}

void op_pshufd(struct cpu *c, const struct insn *i)
{
    unsigned n = (unsigned)i->imm;
    union v128 s;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    xmm_set(c, i->reg, join64(join32(s.d[n & 3], s.d[n >> 2 & 3]), join32(s.d[n >> 4 & 3], s.d[n >> 6 & 3])));
}

INLINE void shuffle_words(struct cpu *c, const struct insn *i, unsigned half)
{
    union v128 s;
    u64 q = 0;

    if (!sse_begin(c) || !load_m128a(c, i, &s.m)) return;
    for (unsigned k = 0; k < 4; k++) q |= (s.q[half] >> (i->imm >> (2 * k) & 3) * 16 & 0xffff) << 16 * k;
    xmm_set(c, i->reg, half ? join64(s.q[0], q) : join64(q, s.q[1]));
}

void op_pshuflw(struct cpu *c, const struct insn *i)
{
    shuffle_words(c, i, 0);
}

void op_pshufhw(struct cpu *c, const struct insn *i)
{
    shuffle_words(c, i, 1);
}

/* --- insert and extract --- */

void op_pinsrw_x(struct cpu *c, const struct insn *i)
{
    u64 v;

    if (!sse_begin(c)) return;
    if (!is_mem(i)) v = c->r[i->rm];
    else if (!rm_read(c, i, OSZ16, &v)) return;
    c->v[i->reg].w[i->imm & 7] = (u16)v;
}

/* 0F C5: register form, destination in ModRM.reg. */
void op_pextrw_x(struct cpu *c, const struct insn *i)
{
    if (sse_begin(c)) set_reg32(c, i->reg, c->v[i->rm].w[i->imm & 7]);
}
