/* What the VEX-encoded vector handlers share: state checks, operands of 128 or 256 bits by VEX.L,
 * results that clear the rest of the register, and running a floating-point operation on both
 * halves with one set of exception flags. A 256-bit operation is the 128-bit one of sse.h and vec.h
 * on each half unless its handler says otherwise, so that no host instruction beyond SSE2 is
 * needed. Private to exec_avx*.c, exec_fma.c, exec_f16c.c. SDM 1 14; SDM 2 2.3 (VEX), 2.4
 * (exception classes). */
#ifndef CPU_AVX_H
#define CPU_AVX_H

#include "cpu/sse.h"

struct ymm {
    __m128i h[2];
};

bool avx_refuse(struct cpu *c); /* #UD or #NM; always false */

/* Protected mode, CR4.OSXSAVE, XCR0 with SSE and AVX, not CR0.TS. EM and OSFXSR do not matter. */
INLINE bool avx_begin(struct cpu *c)
{
    if (likely((c->cr0 & (CR0_PE | CR0_TS)) == CR0_PE && (c->cr4 & CR4_OSXSAVE) &&
               (c->xcr0 & 6) == 6 && !(c->rflags & FL_VM)))
        return true;
    return avx_refuse(c);
}

INLINE __m128i ymm_half(const struct cpu *c, unsigned n, unsigned half)
{
    return _mm_load_si128((const __m128i *)&c->v[n] + half);
}

INLINE struct ymm ymm_get(const struct cpu *c, unsigned n)
{
    return (struct ymm){ { ymm_half(c, n, 0), ymm_half(c, n, 1) } };
}

/* Bits 255:128 become zero. */
INLINE void ymm_set128(struct cpu *c, unsigned n, __m128i v)
{
    _mm_store_si128((__m128i *)&c->v[n], v);
    _mm_store_si128((__m128i *)&c->v[n] + 1, _mm_setzero_si128());
}

INLINE void ymm_set(struct cpu *c, const struct insn *i, unsigned n, struct ymm v)
{
    _mm_store_si128((__m128i *)&c->v[n], v.h[0]);
    _mm_store_si128((__m128i *)&c->v[n] + 1, i->vl ? v.h[1] : _mm_setzero_si128());
}

/* Host address of n bytes of any alignment inside one page that the TLB knows, else NULL; the long
 * way, which knows #AC, when they are misaligned and EFLAGS.AC is set. */
INLINE void *quick_vector(struct cpu *c, unsigned seg, u64 off, unsigned n, bool write)
{
    u64 gla;

    if (!seg_quick(c, seg, off, n, write, &gla) || (gla & 0xfff) > 0x1000 - n) return NULL;
    if ((gla & (n - 1)) && (c->rflags & FL_AC)) return NULL;
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != (gla & ~0xfffull)) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

/* n bytes of memory (at most 32) of any alignment; the rest of s is zero. #AC may come up to 8
 * bytes. */
INLINE bool load_bytes(struct cpu *c, unsigned seg, u64 off, unsigned n, struct ymm *s)
{
    const void *p = quick_vector(c, seg, off, n, false);

    *s = (struct ymm){ { _mm_setzero_si128(), _mm_setzero_si128() } };
    if (unlikely(!p)) return mem_read_n(c, seg, off, s, n);
    memcpy(s, p, n);
    return true;
}

/* r/m operand: a whole register, or n bytes of memory. */
INLINE bool avx_load_n(struct cpu *c, const struct insn *i, unsigned n, struct ymm *s)
{
    if (is_mem(i)) return load_bytes(c, i->seg, ea_offset(c, i), n, s);
    *s = ymm_get(c, i->rm);
    return true;
}

/* r/m operand of 16 or 32 bytes by VEX.L. */
INLINE bool avx_load(struct cpu *c, const struct insn *i, struct ymm *s)
{
    if (!is_mem(i))
        *s = ymm_get(c, i->rm);
    else if (i->vl)
        return load_bytes(c, i->seg, ea_offset(c, i), 32, s);
    else
        return load_bytes(c, i->seg, ea_offset(c, i), 16, s);
    return true;
}

INLINE struct ymm ymm_each(const struct insn *i, sse_fn *fn, struct ymm d, struct ymm s)
{
    struct ymm r = { { fn(d.h[0], s.h[0]), _mm_setzero_si128() } };

    if (i->vl) r.h[1] = fn(d.h[1], s.h[1]);
    return r;
}

/* reg = fn(vvvv, r/m) on each half, without floating point. */
INLINE void avx_int(struct cpu *c, const struct insn *i, sse_fn *fn)
{
    struct ymm s;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    ymm_set(c, i, i->reg, ymm_each(i, fn, ymm_get(c, i->vvvv), s));
}

/* fn on n halves under the guest's MXCSR; false: #XM was raised (sse_run for more than one
 * register). */
INLINE bool avx_run(struct cpu *c, sse_fn *fn, struct ymm d, struct ymm s, unsigned n,
                    unsigned kind, struct ymm *r)
{
    u32 guest = c->mxcsr, control, flags;

    r->h[1] = _mm_setzero_si128();
    if (likely((guest & ~0x3fu) == HOST_MXCSR)) {
        for (unsigned k = 0; k < n; k++) r->h[k] = fn(d.h[k], s.h[k]);
        if (likely(!(host_stmxcsr() & ~guest & 0x3f))) return true;
    }
    control = (guest & (MXCSR_FTZ | MXCSR_RC | MXCSR_DAZ)) | MXCSR_MASKS;
    if (!(guest & FSW_UE << 7)) control &= ~MXCSR_FTZ;
    host_ldmxcsr(control);
    for (unsigned k = 0; k < n; k++) r->h[k] = fn(d.h[k], s.h[k]);
    flags = host_stmxcsr() & 0x3f;
    host_ldmxcsr(HOST_MXCSR);
    return sse_finish_n(c, flags, kind, n, r->h, d.h, s.h);
}

/* reg = fn(vvvv, r/m): packed floating point. */
INLINE void avx_fp(struct cpu *c, const struct insn *i, sse_fn *fn, unsigned kind)
{
    struct ymm s, r;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    if (avx_run(c, fn, ymm_get(c, i->vvvv), s, 1u + i->vl, kind, &r)) ymm_set(c, i, i->reg, r);
}

/* The same for one number: the rest of bits 127:0 comes from vvvv. */
INLINE void avx_scalar(struct cpu *c, const struct insn *i, sse_fn *fn, sse_load_fn *load,
                       unsigned kind)
{
    __m128i s, r;

    if (!avx_begin(c) || !load(c, i, &s)) return;
    if (sse_run(c, fn, xmm_get(c, i->vvvv), s, kind, &r)) ymm_set128(c, i->reg, r);
}

#endif
