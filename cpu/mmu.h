/* What the system half of cpu/ shares about addresses: physical accesses of the processor, page
 * walks, flush helpers. Instruction handlers use exec.h and mem.h instead. */
#ifndef CPU_MMU_H
#define CPU_MMU_H

#include "cpu/state.h"

/* Kinds of access; the first three have the values of the #PF error code. */
enum {
    ACC_READ = 0,
    ACC_WRITE = 2,
    ACC_USER = 4,
    ACC_EXEC = 16,
    ACC_IMPLICIT = 256 /* system structure: SMAP ignores AC */
};

/* Entries read by one page walk, from the root down, and what they allow together. */
struct walk {
    u64 gpa;                /* page address of the 4 KiB piece that contains the linear address */
    u64 entry[4], at[4];    /* value and physical address of every entry read */
    const u8 *host[4];      /* where it is in memory; NULL: it is not RAM or ROM */
    u64 frame;              /* address of the whole page, large or not */
    struct walk_node *node; /* that mmu_translate() used or made, or NULL */
    u8 bit[4];       /* lowest linear address bit that the entry translates: 39, 30, 21, 12 ... */
    u8 count, esize; /* entries read, bytes per entry (0: paging is off) */
    bool present, reserved, user, writable, nx, global, large;
};

#define TLB_INVALID (~0ull) /* a tag */

void tlb_init(struct cpu *c); /* before the first flush of a new CPU */
/* smap.c, about slots of the supervisor's half. The slot is about to hold a user page; what SMAP
 * closed is opened again: both with AC set, for accesses that heed it. */
void smap_note(struct cpu *c, unsigned slot);
void smap_open(struct cpu *c, unsigned slot);
/* Walk with rights (ACC_*); sets accessed and dirty bits, w->entry[] being the values with them.
 * False: #PF raised. */
bool mmu_translate(struct cpu *c, u64 gla, unsigned acc, struct walk *w);
/* What walks keep: the global large page that gla is in goes; all of it goes. A new generation 0
 * makes them look at the rest again. */
void walk_forget(struct cpu *c, u64 gla);
void walk_forget_all(struct cpu *c);
static inline u64 walk_entry_at(const u8 *at, unsigned size)
{
    return size == 8 ? ld64(at) : ld32(at);
}
/* The entries above the node's table or large page are in memory what they were. */
static inline bool walk_same_above(const struct walk_node *n, const struct walk_above *a)
{
    for (unsigned k = 0; k < a->count; k++) {
        if (walk_entry_at(a->entry[k].at, n->size) != a->entry[k].value) return false;
    }
    return true;
}
static inline void tlb_drop(struct tlb_entry *e)
{
    e->tag_r = e->tag_w = TLB_INVALID;
}
/* space.c. MOV to CR3: sets c->cr3 and drops what is not global and not exactly what a walk would
 * find now. */
void tlb_load_cr3(struct cpu *c, u64 cr3);
/* A slot of the data TLB or of the code TLB has been filled from w, flags: of the page, or NULL. */
static inline void space_note(struct cpu *c, unsigned user, unsigned slot, const struct walk *w,
                              u8 *flags)
{
    struct origin *o = &c->origin[user][slot];
    bool *listed = &c->tlb_listed[user * TLB_ENTRIES + slot];
    if (w->global) return;
    o->node = w->node ? w->node->id << 8 | (u64)(w->node - c->walk) : 0;
    o->at = w->host[w->count ? w->count - 1 : 0];
    o->value = w->entry[w->count ? w->count - 1 : 0];
    o->flags = flags;
    if (*listed) return;
    *listed = true;
    if (c->tlb_list_len < TLB_LIST) c->tlb_list[c->tlb_list_len] = (u16)(user * TLB_ENTRIES + slot);
    if (c->tlb_list_len <= TLB_LIST) c->tlb_list_len++;
}
void space_note_code(struct cpu *c, unsigned user, const struct xtlb_entry *x,
                     const struct walk *w);
/* Everything was flushed: no address space but the present one is known. */
void space_reset(struct cpu *c);
/* Reads the tables for gla; touches nothing. */
void mmu_walk(struct cpu *c, u64 gla, struct walk *w);
/* Reads the four PDPTEs of a PAE page directory pointer table; false when one has reserved bits set
 * (#GP is up to the caller). */
bool mmu_load_pdptes(struct cpu *c, u64 cr3);
/* Physical memory as the processor's own table accesses see it. */
u64 phys_read(struct cpu *c, u64 gpa, unsigned size);
void phys_write(struct cpu *c, u64 gpa, u64 v, unsigned size);

static inline bool is_canonical(u64 a)
{
    return (u64)((i64)(a << 16) >> 16) == a;
}

#endif
