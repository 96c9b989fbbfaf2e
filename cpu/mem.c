/* Memory and operand access for handlers, the parts that are not inline: second chances of mem.h's
 * fast paths (segments with a base or a limit, misaligned operands inside a page), the generic r/m
 * operands of rare instructions, the stack. */
#include "cpu/mem.h"

#include "cpu/ops.h"

/* Alignment checking may be on: CPL 3 with CR0.AM and RFLAGS.AC. */
static bool may_check_alignment(const struct cpu *c)
{
    return c->cpl == 3 && (c->rflags & FL_AC) && (c->cr0 & CR0_AM);
}

/* Host address of a quick access, or NULL: take the slow path. */
static void *quick(struct cpu *c, unsigned seg, u64 off, unsigned n, bool write)
{
    u64 gla;
    if (!seg_quick(c, seg, off, n, write, &gla)) return NULL;
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != (gla & ~0xfffull) || (gla & 0xfff) > 0x1000 - n)
        return NULL;
    if ((gla & (n - 1)) && may_check_alignment(c)) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

#define MEM_FAR(T, N)                                                                              \
    bool mem_read##N##_far(struct cpu *c, unsigned seg, u64 off, T *v)                             \
    {                                                                                              \
        const void *p = quick(c, seg, off, sizeof(T), false);                                      \
        if (likely(p)) {                                                                           \
            memcpy(v, p, sizeof(T));                                                               \
            return true;                                                                           \
        }                                                                                          \
        return mem_slow_read(c, seg, off, v, sizeof(T));                                           \
    }                                                                                              \
    bool mem_write##N##_far(struct cpu *c, unsigned seg, u64 off, T v)                             \
    {                                                                                              \
        void *p = quick(c, seg, off, sizeof(T), true);                                             \
        if (likely(p)) {                                                                           \
            memcpy(p, &v, sizeof(T));                                                              \
            return true;                                                                           \
        }                                                                                          \
        return mem_slow_write(c, seg, off, &v, sizeof(T));                                         \
    }                                                                                              \
    bool rmw_load##N##_far(struct cpu *c, unsigned seg, u64 off, T *v, T **host)                   \
    {                                                                                              \
        T *p = quick(c, seg, off, sizeof(T), true);                                                \
        if (likely(p && quick(c, seg, off, sizeof(T), false))) {                                   \
            *host = p;                                                                             \
            memcpy(v, p, sizeof(T));                                                               \
            return true;                                                                           \
        }                                                                                          \
        *host = NULL;                                                                              \
        return mem_slow_probe(c, seg, off, sizeof(T)) && mem_slow_read(c, seg, off, v, sizeof(T)); \
    }                                                                                              \
    bool mem_read##N(struct cpu *c, unsigned seg, u64 off, T *v)                                   \
    {                                                                                              \
        return ld##N##_seg(c, seg, off, v);                                                        \
    }                                                                                              \
    bool mem_write##N(struct cpu *c, unsigned seg, u64 off, T v)                                   \
    {                                                                                              \
        return st##N##_seg(c, seg, off, v);                                                        \
    }
MEM_FAR(u8, 8)
MEM_FAR(u16, 16)
MEM_FAR(u32, 32)
MEM_FAR(u64, 64)
#undef MEM_FAR

bool mem_read_n(struct cpu *c, unsigned seg, u64 off, void *buf, unsigned n)
{
    return mem_slow_read(c, seg, off, buf, n);
}

bool mem_write_n(struct cpu *c, unsigned seg, u64 off, const void *buf, unsigned n)
{
    return mem_slow_write(c, seg, off, buf, n);
}

bool mem_probe_write(struct cpu *c, unsigned seg, u64 off, unsigned n)
{
    return mem_slow_probe(c, seg, off, n);
}

/* 16 bytes through the TLB; an operand inside a page needs no further check but its alignment. */
static void *quick16(struct cpu *c, unsigned seg, u64 off, bool write)
{
    u64 gla;
    if (!seg_quick(c, seg, off, 16, write, &gla) || (gla & 15)) return NULL;
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != (gla & ~0xfffull)) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

/* The alignment check comes before limit and canonical checks: a misaligned operand outside the
 * stack segment is #GP, not #SS. */
static bool aligned16(struct cpu *c, unsigned seg, u64 off)
{
    u64 base = c->bits != BITS64 || seg >= SEG_FS ? c->seg[seg].base : 0;
    if (!((off + base) & 15)) return true;
    exc_gp0(c);
    return false;
}

bool mem_read128a(struct cpu *c, unsigned seg, u64 off, union vreg *v)
{
    const void *p = quick16(c, seg, off, false);
    if (likely(p)) {
        memcpy(v, p, 16);
        return true;
    }
    return aligned16(c, seg, off) && mem_slow_read(c, seg, off, v, 16);
}

bool mem_write128a(struct cpu *c, unsigned seg, u64 off, const union vreg *v)
{
    void *p = quick16(c, seg, off, true);
    if (likely(p)) {
        memcpy(p, v, 16);
        return true;
    }
    return aligned16(c, seg, off) && mem_slow_write(c, seg, off, v, 16);
}

/* ---- generic operands ---- */

u64 reg_read(struct cpu *c, const struct insn *i, unsigned osz, unsigned n)
{
    switch (osz) {
    case OSZ8: return *reg8(c, i, n);
    case OSZ16: return (u16)c->r[n];
    case OSZ32: return (u32)c->r[n];
    default: return c->r[n];
    }
}

void reg_write(struct cpu *c, const struct insn *i, unsigned osz, unsigned n, u64 v)
{
    switch (osz) {
    case OSZ8: *reg8(c, i, n) = (u8)v; break;
    case OSZ16: set_reg16(c, n, (u16)v); break;
    case OSZ32: set_reg32(c, n, (u32)v); break;
    default: c->r[n] = v; break;
    }
}

static bool mem_read_size(struct cpu *c, unsigned seg, u64 off, unsigned osz, u64 *v)
{
    u64 raw = 0;
    bool ok;
    switch (osz) {
    case OSZ8: ok = ld8_seg(c, seg, off, (u8 *)&raw); break;
    case OSZ16: ok = ld16_seg(c, seg, off, (u16 *)&raw); break;
    case OSZ32: ok = ld32_seg(c, seg, off, (u32 *)&raw); break;
    default: ok = ld64_seg(c, seg, off, &raw); break;
    }
    if (ok) *v = raw;
    return ok;
}

static bool mem_write_size(struct cpu *c, unsigned seg, u64 off, unsigned osz, u64 v)
{
    switch (osz) {
    case OSZ8: return st8_seg(c, seg, off, (u8)v);
    case OSZ16: return st16_seg(c, seg, off, (u16)v);
    case OSZ32: return st32_seg(c, seg, off, (u32)v);
    default: return st64_seg(c, seg, off, v);
    }
}

bool rm_read(struct cpu *c, const struct insn *i, unsigned osz, u64 *v)
{
    if (is_mem(i)) return mem_read_size(c, i->seg, ea_offset(c, i), osz, v);
    *v = reg_read(c, i, osz, i->rm);
    return true;
}

bool rm_write(struct cpu *c, const struct insn *i, unsigned osz, u64 v)
{
    if (is_mem(i)) return mem_write_size(c, i->seg, ea_offset(c, i), osz, v);
    reg_write(c, i, osz, i->rm, v);
    return true;
}

/* ---- stack ---- */

bool push_n(struct cpu *c, unsigned osz, u64 v)
{
    u64 mask = stack_mask(c), sp = (c->r[RSP] - (1u << osz)) & mask;
    if (!mem_write_size(c, SEG_SS, sp, osz, v)) return false;
    if (mask == 0xffff) set_reg16(c, RSP, (u16)sp);
    else c->r[RSP] = sp;
    return true;
}

bool pop_n(struct cpu *c, unsigned osz, u64 *v)
{
    u64 mask = stack_mask(c);
    if (!mem_read_size(c, SEG_SS, c->r[RSP] & mask, osz, v)) return false;
    u64 sp = (c->r[RSP] + (1u << osz)) & mask;
    if (mask == 0xffff) set_reg16(c, RSP, (u16)sp);
    else c->r[RSP] = sp;
    return true;
}
