/* What the SSE handlers share: state checks, operands, and running a floating-point operation on the host under the guest's
 * MXCSR (see hostfp.h for the idea). Private to exec_sse*.c and exec_aes.c. SDM 1 10.2, 11.5; SDM 2 2.4 (exception classes).
 *
 * MXCSR:  15 FTZ | 14:13 RC | 12:7 masks PM UM OM ZM DM IM | 6 DAZ | 5:0 flags PE UE OE ZE DE IE
 *
 * The upper halves of c->v[] (YMM) are never touched by these instructions. */
#ifndef CPU_SSE_H
#define CPU_SSE_H

#include "cpu/exec.h"
#include "cpu/hostfp.h"
#include "cpu/mem.h"
#include "cpu/ops.h"
#include "cpu/vec.h"

#define INLINE static inline __attribute__((always_inline))

/* MASKMOVDQU after the checks of state (exec_sse_mov.c). */
void maskmovdqu(struct cpu *c, const struct insn *i);

bool sse_refuse(struct cpu *c); /* #UD or #NM; always false */

INLINE bool sse_begin(struct cpu *c)
{
    if (unlikely((c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr4 & CR4_OSFXSR))) return sse_refuse(c);
    return true;
}

INLINE __m128i xmm_get(const struct cpu *c, unsigned n)
{
    return _mm_load_si128((const __m128i *)&c->v[n]);
}

INLINE void xmm_set(struct cpu *c, unsigned n, __m128i v)
{
    _mm_store_si128((__m128i *)&c->v[n], v);
}

/* Source operands: register, or memory of the given size, zero-extended to 128 bits. */
typedef bool sse_load_fn(struct cpu *c, const struct insn *i, __m128i *s);

INLINE bool load_m128a(struct cpu *c, const struct insn *i, __m128i *s)
{
    union vreg v;

    if (!is_mem(i)) {
        *s = xmm_get(c, i->rm);
        return true;
    }
    if (!mem_read128a(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_load_si128((const __m128i *)&v);
    return true;
}

/* Host address of a 16-byte operand of any alignment inside one page that the TLB knows, else NULL. */
INLINE void *quick_m128(struct cpu *c, unsigned seg, u64 off, bool write)
{
    u64 gla;

    if (!seg_quick(c, seg, off, 16, write, &gla) || (gla & 0xfff) > 0xff0) return NULL;
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != (gla & ~0xfffull)) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

INLINE bool load_m128u(struct cpu *c, const struct insn *i, __m128i *s)
{
    if (!is_mem(i)) {
        *s = xmm_get(c, i->rm);
        return true;
    }
    u64 off = ea_offset(c, i);
    const void *p = quick_m128(c, i->seg, off, false);
    if (unlikely(!p)) return mem_read_n(c, i->seg, off, s, 16);
    *s = _mm_loadu_si128(p);
    return true;
}

INLINE bool load_m64(struct cpu *c, const struct insn *i, __m128i *s)
{
    u64 v;

    if (!is_mem(i)) {
        *s = xmm_get(c, i->rm);
        return true;
    }
    if (!mem_read64(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_cvtsi64_si128((long long)v);
    return true;
}

INLINE bool load_m32(struct cpu *c, const struct insn *i, __m128i *s)
{
    u32 v;

    if (!is_mem(i)) {
        *s = xmm_get(c, i->rm);
        return true;
    }
    if (!mem_read32(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_cvtsi32_si128((int)v);
    return true;
}

INLINE bool load_m16(struct cpu *c, const struct insn *i, __m128i *s)
{
    u16 v;

    if (!is_mem(i)) {
        *s = xmm_get(c, i->rm);
        return true;
    }
    if (!mem_read16(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_cvtsi32_si128(v);
    return true;
}

/* --- floating point on the host --- */

/* A pure host operation: volatile assembly inside, so that it stays between the loads and stores of MXCSR. */
typedef __m128i sse_fn(__m128i d, __m128i s);

/* Which lanes of the result are floating-point numbers, and the operation where it can over- or underflow. Both matter only for
 * unmasked exceptions: an exact tiny result raises UE, and PE then tells of rounding without the exponent's bounds. */
enum sse_kind {
    SSE_INT,
    SSE_SS,
    SSE_SD,
    SSE_PS,
    SSE_PD,
    SSE_LANES = 7,
    SSE_ADD = 8,
    SSE_SUB = 16,
    SSE_MUL = 24,
    SSE_DIV = 32,
    SSE_NARROW = 40, /* double to single */
};

INLINE u32 host_stmxcsr(void)
{
    u32 v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

INLINE void host_ldmxcsr(u32 v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}

/* Merges the flags of an exact run; false: an unmasked exception was raised and nothing may be written.
 * r, d, s: result and operands of the operation. */
bool sse_finish(struct cpu *c, u32 flags, unsigned kind, __m128i r, __m128i d, __m128i s);
/* The same for n vectors of 128 bits that were one instruction. */
bool sse_finish_n(struct cpu *c, u32 flags, unsigned kind, unsigned n, const __m128i *r, const __m128i *d, const __m128i *s);
/* The end of it alone: flags are final; false: an unmasked one was raised. */
bool sse_report(struct cpu *c, u32 flags);

INLINE bool sse_run(struct cpu *c, sse_fn *fn, __m128i d, __m128i s, unsigned kind, __m128i *r)
{
    u32 guest = c->mxcsr, control, flags;

    if (likely((guest & ~0x3fu) == HOST_MXCSR)) {
        *r = fn(d, s);
        if (likely(!(host_stmxcsr() & ~guest & 0x3f))) return true;
    }
    control = (guest & (MXCSR_FTZ | MXCSR_RC | MXCSR_DAZ)) | MXCSR_MASKS;
    if (!(guest & FSW_UE << 7)) control &= ~MXCSR_FTZ;
    host_ldmxcsr(control);
    *r = fn(d, s);
    flags = host_stmxcsr() & 0x3f;
    host_ldmxcsr(HOST_MXCSR);
    return sse_finish(c, flags, kind, *r, d, s);
}

/* xmm = fn(xmm, xmm/mem). */
INLINE void sse_fp(struct cpu *c, const struct insn *i, sse_fn *fn, sse_load_fn *load, unsigned kind)
{
    __m128i s, r;

    if (!sse_begin(c) || !load(c, i, &s)) return;
    if (sse_run(c, fn, xmm_get(c, i->reg), s, kind, &r)) xmm_set(c, i->reg, r);
}

/* xmm = fn(xmm, xmm/mem) without floating point. */
INLINE void sse_int(struct cpu *c, const struct insn *i, sse_fn *fn, sse_load_fn *load)
{
    __m128i s;

    if (!sse_begin(c) || !load(c, i, &s)) return;
    xmm_set(c, i->reg, fn(xmm_get(c, i->reg), s));
}

#endif
