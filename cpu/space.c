/* Address spaces: what loading CR3 keeps.
 *
 * A processor without PCID drops every translation that is not global when CR3 is loaded. A guest
 * with split page tables does that twice for each system call, and two processes that talk through
 * a pipe go back and forth between the same two. Here the entries of the TLB are put aside with the
 * address space that they belong to and come back when its CR3 does, but only those that a walk
 * would give again at that moment: each knows the page table entry that it came from, with the
 * entries above, by their places in host memory and their values, accessed and dirty bits included.
 * They are compared with what memory holds now. So nothing has to be told about writes to page
 * tables, whoever makes them, and what comes back is what a walk ahead of the access would find,
 * which processors may do at any time (SDM 3A 4.10.2.3). That costs 3 ns an entry; a walk on
 * demand, from generated code, 40.
 *
 * Addresses of code that the translator knows come back as a whole, when every page of code that
 * was fetched in that address space is where it was. An entry that has lost something else, such as
 * write access because the page holds decoded code now, loses it here, too. A full flush (a change
 * of the paging mode, of rights or of the memory map) forgets all address spaces; INVLPG needs no
 * care.
 *
 * Bounded: SPACES address spaces of SPACE_PAGES pages and SPACE_CODE pages of code. Now and then
 * nothing is brought back, so that pages that are no longer used go. Left out: PCID, pages of 1
 * GiB, user pages in the supervisor's half of the TLB under SMAP (smap.c); they are dropped. */
#include "cpu/exec.h"
#include "cpu/jit/jit.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mmu.h"

enum {
    AGAIN = 64, /* one load in so many starts from nothing ... */
    FEW = 8,    /* ... unless only so many pages are kept */
};

static struct tlb_entry *entry_of(struct cpu *c, unsigned slot)
{
    return &c->tlb[slot / TLB_ENTRIES][slot % TLB_ENTRIES];
}

/* ---- what is in the TLB came from where ---- */

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return a->node == b->node && a->at == b->at && a->value == b->value;
}

/* A page may be noted twice, with different entries: addresses may be known from either. */
void space_note_code(struct cpu *c, unsigned user, const struct xtlb_entry *x, const struct walk *w)
{
    struct space *s = &c->space[c->space_now];
    struct origin o = { .node = 0 };
    if (w->global) return;
    if (w->node) {
        o.node = w->node->id << 8 | (u64)(w->node - c->walk);
        o.at = w->host[w->count - 1];
        o.value = w->entry[w->count - 1];
    }
    for (unsigned k = 0; o.node && k < s->codes && k < SPACE_CODE; k++) {
        const struct kept_code *e = &s->code[k];
        if (e->x.tag == x->tag && e->user == user && same_origin(&e->from, &o)) return;
    }
    if (!o.node || s->codes >= SPACE_CODE) {
        s->codes = SPACE_CODE + 1;
        return;
    }
    s->code[s->codes++] = (struct kept_code){ o, *x, (u8)user };
}

/* ---- whether a walk would find it again ---- */

static bool look_above(struct cpu *c, struct walk_node *n, const struct walk_above *a)
{
    if (!walk_same_above(n, a)) return false;
    if (n->table || (!n->global && walk_entry_at(a->leaf_at, n->size) == a->leaf))
        n->generation = c->walk_generation[0]; /* walks may use it again */
    return true;
}

static inline bool still_so(struct cpu *c, const struct origin *o)
{
    struct walk_node *n = &c->walk[o->node % WALK_NODES];
    if (!o->node || n->id != o->node >> 8) return false;
    struct walk_above *a = &c->walk_above[n - c->walk];
    if (a->checked != c->walk_generation[0]) {
        a->checked = c->walk_generation[0];
        a->intact = look_above(c, n, a);
    }
    if (!a->intact) return false;
    u64 now = walk_entry_at(o->at, n->size);
    return now == o->value || now == (o->value | 0x40); /* dirty by another mapping */
}

/* The entry of a slot comes from the CR3 that is about to go, and can come back. */
static bool keepable(const struct cpu *c, unsigned slot, const struct tlb_entry *e)
{
    if (e->tag_r == TLB_INVALID && e->tag_w == TLB_INVALID) return false;
    return slot >= TLB_ENTRIES || !(c->cr4 & CR4_SMAP) || !(e->gpa & TLB_USER);
}

/* A write tag needs the dirty bit, for which it may have been made before the entry was read. */
static void check_dirty(struct tlb_entry *e, const struct origin *o)
{
    if (!(o->value & 0x40)) e->tag_w = TLB_INVALID;
}

/* ---- data ---- */

static void drop_all_pages(struct cpu *c)
{
    bool all = c->tlb_list_len > TLB_LIST;
    unsigned n = all ? 2 * TLB_ENTRIES : c->tlb_list_len;
    for (unsigned k = 0; k < n; k++) {
        unsigned slot = all ? k : c->tlb_list[k];
        struct tlb_entry *e = entry_of(c, slot);
        c->tlb_listed[slot] = false;
        if (!(e->gpa & TLB_GLOBAL)) tlb_drop(e);
    }
    c->tlb_list_len = 0;
}

static void put_pages_aside(struct cpu *c, struct space *s)
{
    s->pages = 0;
    for (unsigned k = 0; c->tlb_list_len <= SPACE_PAGES && k < c->tlb_list_len; k++) {
        unsigned slot = c->tlb_list[k];
        struct tlb_entry *e = entry_of(c, slot);
        const struct origin *o = &c->origin[slot / TLB_ENTRIES][slot % TLB_ENTRIES];
        if ((e->gpa & TLB_GLOBAL) || !o->node || !keepable(c, slot, e)) continue;
        s->page[s->pages++] = (struct kept_page){ *o, *e, (u16)slot };
    }
    drop_all_pages(c);
}

static void bring_pages_back(struct cpu *c, const struct space *s)
{
    for (unsigned k = 0; k < s->pages; k++) {
        const struct kept_page *p = &s->page[k];
        struct tlb_entry *e = entry_of(c, p->slot);
        struct origin *o = &c->origin[p->slot / TLB_ENTRIES][p->slot % TLB_ENTRIES];
        if (e->tag_r != TLB_INVALID || e->tag_w != TLB_INVALID) continue; /* a global page's */
        if (!still_so(c, &p->from)) continue;
        *e = p->e;
        *o = p->from;
        check_dirty(e, o);
        bool plain = !(e->tag_w & 0xfff);
        if (plain && (!o->flags || (*o->flags & PAGE_CODE))) e->tag_w = TLB_INVALID;
        if (e->tag_w != TLB_INVALID && (plain || (e->tag_w & TLB_CODE))) lockstep_granted(c, e);
        c->tlb_listed[p->slot] = true;
        c->tlb_list[c->tlb_list_len++] = p->slot;
    }
}

/* The same CR3 again. */
static void look_at_pages(struct cpu *c)
{
    unsigned n = 0;
    if (c->tlb_list_len > SPACE_PAGES) {
        drop_all_pages(c);
        return;
    }
    for (unsigned k = 0; k < c->tlb_list_len; k++) {
        unsigned slot = c->tlb_list[k];
        struct tlb_entry *e = entry_of(c, slot);
        struct origin *o = &c->origin[slot / TLB_ENTRIES][slot % TLB_ENTRIES];
        c->tlb_listed[slot] = false;
        if (e->gpa & TLB_GLOBAL) continue;
        if (!keepable(c, slot, e) || !still_so(c, o)) {
            tlb_drop(e);
            continue;
        }
        check_dirty(e, o);
        c->tlb_listed[slot] = true;
        c->tlb_list[n++] = (u16)slot;
    }
    c->tlb_list_len = n;
}

/* ---- code ---- */

static struct xtlb_entry *code_slot(struct cpu *c, const struct kept_code *k)
{
    return &c->xtlb[k->user][(k->x.tag >> 12) % XTLB_ENTRIES];
}

/* Takes the pages of code of the present space out of the TLB. */
static void drop_code(struct cpu *c, const struct space *s)
{
    for (unsigned k = 0; s->codes <= SPACE_CODE && k < s->codes; k++) {
        struct xtlb_entry *x = code_slot(c, &s->code[k]);
        if (!x->global) x->tag = TLB_INVALID;
    }
    for (unsigned k = 0; s->codes > SPACE_CODE && k < 2 * XTLB_ENTRIES; k++) {
        struct xtlb_entry *x = &c->xtlb[k / XTLB_ENTRIES][k % XTLB_ENTRIES];
        if (!x->global) x->tag = TLB_INVALID;
    }
}

/* The pages of code that are still so are in the TLB then; true: all. */
static bool bring_code_back(struct cpu *c, struct space *s)
{
    unsigned n = 0, had = s->codes;
    if (had > SPACE_CODE) had = 0;
    for (unsigned k = 0; k < had; k++) {
        struct xtlb_entry *x = code_slot(c, &s->code[k]);
        if (!still_so(c, &s->code[k].from)) continue;
        if (x->tag == TLB_INVALID) *x = s->code[k].x;
        if (n != k) s->code[n] = s->code[k];
        n++;
    }
    bool all = n == s->codes;
    s->codes = n;
    return all;
}

static void know_code(struct cpu *c, const struct space *s)
{
    for (unsigned k = 0; k < s->codes; k++) jit_know_page(c, s->code[k].user, s->code[k].x.tag);
}

/* ---- CR3 ---- */

void space_reset(struct cpu *c)
{
    for (unsigned k = 0; k < SPACES; k++) {
        c->space[k].cr3 = ~0ull;
        c->space[k].pages = c->space[k].codes = 0;
    }
    c->tlb_list_len = 0;
    memset(c->tlb_listed, 0, sizeof(c->tlb_listed));
}

static struct space *space_of(struct cpu *c, u64 cr3)
{
    struct space *s = NULL;
    for (unsigned k = 0; k < SPACES; k++) {
        if (k == c->space_now) continue;
        if (c->space[k].cr3 == cr3) return &c->space[k];
        if (!s || c->space[k].used < s->used) s = &c->space[k];
    }
    s->cr3 = cr3;
    s->pages = s->codes = 0;
    s->loads = 0;
    s->jit = (struct jit_addresses){ .known = { false, false } };
    return s;
}

static bool start_again(struct space *s, unsigned pages)
{
    return ++s->loads % AGAIN == 0 && pages > FEW;
}

static void load_same(struct cpu *c, struct space *s)
{
    if (start_again(s, c->tlb_list_len)) drop_all_pages(c);
    else look_at_pages(c);
    drop_code(c, s);
    if (!bring_code_back(c, s) && c->jit) jit_forget_addresses(c, false);
}

static void load_other(struct cpu *c, struct space *old, u64 cr3)
{
    old->cr3 = c->cr3;
    old->used = c->walk_generation[0];
    put_pages_aside(c, old);
    drop_code(c, old);
    old->jit = (struct jit_addresses){ .known = { false, false } };
    if (c->jit) jit_keep_addresses(c, &old->jit);
    if (old->codes > SPACE_CODE) old->jit.known[0] = old->jit.known[1] = false;
    struct space *s = space_of(c, cr3);
    c->space_now = (unsigned)(s - c->space);
    if (!start_again(s, s->pages)) bring_pages_back(c, s);
    if (!bring_code_back(c, s)) s->jit.known[0] = s->jit.known[1] = false;
    if (!c->jit) return;
    jit_resume_addresses(c, &s->jit);
    know_code(c, s);
}

void tlb_load_cr3(struct cpu *c, u64 cr3)
{
    struct space *s = &c->space[c->space_now];
    lockstep_once(c); /* a second run would not find what the TLB held */
    cpu_check_generation(c);
    c->walk_generation[0]++;
    if (cr3 == c->cr3) load_same(c, s);
    else load_other(c, s, cr3);
    c->cr3 = cr3;
    cpu_event_set(c, CE_MODE);
}

void tlb_flush_nonglobal(struct cpu *c)
{
    struct space *s = &c->space[c->space_now];
    lockstep_once(c);
    c->walk_generation[0]++;
    drop_all_pages(c);
    drop_code(c, s);
    s->codes = 0;
    if (c->jit) jit_forget_addresses(c, false);
    cpu_event_set(c, CE_MODE);
}
