/* MMX registers: the mantissas of the physical x87 registers. Every MMX instruction sets TOP = 0 and all tags to "in use"
 * (EMMS: to "empty"); a write sets bits 64-79 of its register to ones (SDM 1 9.5, SDM 3A 12.2). Private to exec_mmx.c, exec_sse_cvt.c. */
#ifndef CPU_MMX_H
#define CPU_MMX_H

#include <emmintrin.h>

#include "cpu/fpu.h"

/* #UD by CR0.EM, #NM, pending x87 error: slow part. True only when the instruction may go on. */
bool mmx_refuse(struct cpu *c);

static inline bool mmx_begin(struct cpu *c)
{
    if (unlikely((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES))) return mmx_refuse(c);
    return true;
}

/* After the last possible fault. */
static inline void mmx_enter(struct cpu *c)
{
    c->ftw = 0xff;
    c->fsw &= (u16)~FSW_TOP;
}

static inline __m128i mmx_get(const struct cpu *c, unsigned n)
{
    return _mm_cvtsi64_si128((long long)c->fpr[n].mant);
}

static inline void mmx_set(struct cpu *c, unsigned n, __m128i v)
{
    c->fpr[n].mant = (u64)_mm_cvtsi128_si64(v);
    c->fpr[n].se = 0xffff;
}

/* mm/m64 */
static inline bool mmx_load(struct cpu *c, const struct insn *i, __m128i *s)
{
    u64 v;

    if (!is_mem(i)) {
        *s = mmx_get(c, i->rm & 7);
        return true;
    }
    if (!mem_read64(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_cvtsi64_si128((long long)v);
    return true;
}

/* mm/m32 */
static inline bool mmx_load32(struct cpu *c, const struct insn *i, __m128i *s)
{
    u32 v;

    if (!is_mem(i)) {
        *s = mmx_get(c, i->rm & 7);
        return true;
    }
    if (!mem_read32(c, i->seg, ea_offset(c, i), &v)) return false;
    *s = _mm_cvtsi32_si128((int)v);
    return true;
}

#endif
