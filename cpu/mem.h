/* The inline memory accesses of the hot handlers: segment check by a flat-segment shortcut, one TLB
 * tag compare, one load or store. Everything else (misaligned over a page end, I/O, faults, watched
 * pages, odd segments) goes to mem_slow_* of mmu.c, which is complete. An aligned access has the
 * tag page | (address bits below the access size); a misaligned one inside a page takes the second
 * chance in mem.c, where #AC is looked at.
 *
 * Read-modify-write handlers get their operand by rmw_load*(), which proves that the page is
 * writable before anything changes, and give the result back with rmw_store*(). */
#ifndef CPU_MEM_H
#define CPU_MEM_H

#include "cpu/exec.h"

/* Slot of a linear address; generated code computes it, too (jit/translate.c). Neighbouring pages never
 * share a slot, which accesses across a page end rely on. */
static inline unsigned tlb_index(u64 gla)
{
    return (unsigned)(gla >> 12) % TLB_ENTRIES;
}

static inline struct tlb_entry *tlb_slot(struct cpu *c, u64 gla)
{
    return &c->tlb[c->cpl == 3][tlb_index(gla)];
}

/* DS, ES, SS while they are flat: offset = linear address. */
static inline bool seg_is_flat(const struct cpu *c, unsigned seg)
{
    return c->flat_ds && (1u << seg & (1u << SEG_DS | 1u << SEG_ES | 1u << SEG_SS));
}

/* Linear address of an access that passes the segment's checks, for the shapes of segment that
 * matter for speed: FS and GS in 64-bit mode, and expand-up data segments. False: let the slow path
 * decide. */
static inline bool seg_quick(const struct cpu *c, unsigned seg, u64 off, unsigned n, bool write,
                             u64 *gla)
{
    const struct seg *s = &c->seg[seg];
    if (c->bits == BITS64) {
        *gla = off + (seg >= SEG_FS ? s->base : 0);
        return true; /* a non-canonical address never matches a tag */
    }
    unsigned need = ATTR_P | ATTR_S | (write ? 2 : 0);
    if ((s->attr & (need | 0xc)) != need || off + n - 1 > s->limit) return false;
    *gla = (u32)(s->base + off);
    return true;
}

#define MEM_ACCESS(T, N)                                                                           \
    bool mem_read##N##_far(struct cpu *c, unsigned seg, u64 off, T *v);                            \
    bool mem_write##N##_far(struct cpu *c, unsigned seg, u64 off, T v);                            \
    bool rmw_load##N##_far(struct cpu *c, unsigned seg, u64 off, T *v, T **host);                  \
    static inline bool ld##N##_seg(struct cpu *c, unsigned seg, u64 off, T *v)                     \
    {                                                                                              \
        struct tlb_entry *e = tlb_slot(c, off);                                                    \
        if (likely(seg_is_flat(c, seg) && e->tag_r == (off & (~0xfffull | (sizeof(T) - 1))))) {    \
            memcpy(v, (const void *)(uintptr_t)(off + e->off), sizeof(T));                         \
            return true;                                                                           \
        }                                                                                          \
        return mem_read##N##_far(c, seg, off, v);                                                  \
    }                                                                                              \
    static inline bool st##N##_seg(struct cpu *c, unsigned seg, u64 off, T v)                      \
    {                                                                                              \
        struct tlb_entry *e = tlb_slot(c, off);                                                    \
        if (likely(seg_is_flat(c, seg) && e->tag_w == (off & (~0xfffull | (sizeof(T) - 1))))) {    \
            memcpy((void *)(uintptr_t)(off + e->off), &v, sizeof(T));                              \
            return true;                                                                           \
        }                                                                                          \
        return mem_write##N##_far(c, seg, off, v);                                                 \
    }                                                                                              \
    static inline bool rmw_load##N(struct cpu *c, unsigned seg, u64 off, T *v, T **host)           \
    {                                                                                              \
        struct tlb_entry *e = tlb_slot(c, off);                                                    \
        if (likely(seg_is_flat(c, seg) && e->tag_w == (off & (~0xfffull | (sizeof(T) - 1))) &&     \
                   e->tag_r == e->tag_w)) {                                                        \
            *host = (T *)(uintptr_t)(off + e->off);                                                \
            memcpy(v, *host, sizeof(T));                                                           \
            return true;                                                                           \
        }                                                                                          \
        return rmw_load##N##_far(c, seg, off, v, host);                                            \
    }                                                                                              \
    static inline void rmw_store##N(struct cpu *c, unsigned seg, u64 off, T *host, T v)            \
    {                                                                                              \
        if (likely(host != NULL)) memcpy(host, &v, sizeof(T));                                     \
        else mem_slow_write(c, seg, off, &v, sizeof(T)); /* probed: cannot fault */                \
    }
MEM_ACCESS(u8, 8)
MEM_ACCESS(u16, 16)
MEM_ACCESS(u32, 32)
MEM_ACCESS(u64, 64)
#undef MEM_ACCESS

#endif
