/* Supervisor access to user pages under SMAP (SDM 3A 4.6.1): allowed while RFLAGS.AC is set, which a
 * kernel does with STAC and CLAC around every copy from or to a program's memory.
 *
 * Tags of such pages in the supervisor's half of the TLB are ordinary ones while AC is set, so that
 * all fast paths see them. When AC is cleared they are closed: TLB_SLOW | TLB_SMAP says that
 * nothing else forbids the fast path. The next access with AC set opens them again without a walk;
 * one with AC clear walks, and faults. The rule that everything relies on: a page is open only while
 * AC is set. So whoever clears AC calls smap_close(). Implicit accesses, which ignore AC, look at
 * TLB_USER (mmu.c). */
#include "cpu/exec.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mmu.h"

#define LOW(tag) ((tag) & 0xfffull)

void smap_note(struct cpu *c, unsigned slot)
{
    if (c->tlb_open_len == LEN(c->tlb_open)) smap_close(c);
    c->tlb_open[c->tlb_open_len++] = (u16)slot;
}

void smap_open(struct cpu *c, unsigned slot)
{
    struct tlb_entry *e = &c->tlb[0][slot];
    smap_note(c, slot);
    if (LOW(e->tag_r) == (TLB_SLOW | TLB_SMAP)) e->tag_r -= TLB_SLOW | TLB_SMAP;
    if (LOW(e->tag_w) != (TLB_SLOW | TLB_SMAP)) return;
    e->tag_w -= TLB_SLOW | TLB_SMAP;
    lockstep_granted(c, e);
}

void smap_close(struct cpu *c)
{
    for (unsigned i = 0; i < c->tlb_open_len; i++) {
        struct tlb_entry *e = &c->tlb[0][c->tlb_open[i]];
        if (!(e->gpa & TLB_USER)) continue; /* the slot is another page's by now */
        if (!LOW(e->tag_r)) e->tag_r |= TLB_SLOW | TLB_SMAP;
        if (!LOW(e->tag_w)) e->tag_w |= TLB_SLOW | TLB_SMAP;
        else if (LOW(e->tag_w) == (TLB_SLOW | TLB_CODE)) e->tag_w &= ~(u64)TLB_CODE;
    }
    c->tlb_open_len = 0;
}
