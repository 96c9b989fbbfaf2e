/* Page walks: the tables that linear addresses go through, what they allow, accessed and dirty
 * bits.
 *
 * Paging forms: off, 2-level (4 KiB, 4 MiB with PSE and PSE-36), PAE (PDPTEs are registers, loaded
 * with CR3), 4-level with 2 MiB and 1 GiB pages (SDM 3A chapter 4). Rights: U/S, R/W, WP, NX, SMEP,
 * SMAP; reserved bits.
 *
 * Upper levels are kept, as the processor's own paging-structure caches do (SDM 3A 4.10.3): one
 * node for 2 MiB of linear addresses. A refill of the TLB reads one entry of a page table. A node
 * also knows where its entries lie in host memory, so that space.c can look whether they are what
 * they were when CR3 is loaded.
 *
 * Left out: PCID, protection keys, 5-level paging. */
#include "cpu/apic.h"
#include "cpu/exec.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mmu.h"

/* ---- the tables as the processor reads and marks them ---- */

u64 phys_read(struct cpu *c, u64 gpa, unsigned size)
{
    return bus_read(c->mem, gpa & c->a20_mask, size);
}

void phys_write(struct cpu *c, u64 gpa, u64 v, unsigned size)
{
    if (unlikely(c->lockstep != NULL)) {
        const struct bus_range *r = bus_find(c->mem, gpa & c->a20_mask);
        if (r->wr && r->wr->ram)
            lockstep_write(c, r->wr->ram + ((gpa & c->a20_mask) - r->base), true);
    }
    bus_write(c->mem, gpa & c->a20_mask, v,
              size); /* marks the page dirty and invalidates decoded code */
}

static inline u64 walk_entry(struct cpu *c, struct walk *w, u64 at, unsigned bit, unsigned size)
{
    u64 gpa = at & c->a20_mask, e;
    const struct bus_range *r = bus_find(c->mem, gpa);
    const u8 *host = NULL;
    if (likely(r->rd && r->rd->ram && gpa + size - 1 <= r->last)) {
        host = r->rd->ram + (gpa - r->rd->base);
        e = size == 4 ? ld32(host) : ld64(host);
    } else {
        e = bus_read(c->mem, gpa, size);
    }
    unsigned k = w->count++;
    w->host[k] = host;
    w->at[k] = at;
    w->entry[k] = e;
    w->bit[k] = (u8)bit;
    return e;
}

static void walk_finish(struct cpu *c, struct walk *w, u64 gla, u64 frame, unsigned bit, u64 leaf)
{
    u64 in_page = gla & (BIT64(bit) - 1) & ~0xfffull;
    w->present = true;
    w->large = bit > 12;
    w->global = (leaf & 0x100) && (c->cr4 & CR4_PGE);
    w->frame = frame & ~(BIT64(bit) - 1);
    w->gpa = (w->frame | in_page) & c->a20_mask;
}

/* 32-bit entries: CR4.PAE = 0. */
static void walk_2level(struct cpu *c, u64 gla, struct walk *w)
{
    w->esize = 4;
    u64 pde = walk_entry(c, w, (c->cr3 & 0xfffff000) + ((gla >> 22) & 0x3ff) * 4, 22, 4);
    if (!(pde & 1)) return;
    w->user = pde & 4;
    w->writable = pde & 2;
    if ((pde & 0x80) && (c->cr4 & CR4_PSE)) {
        u64 high = cpu_has(c, FT_PSE36) ? (pde >> 13 & 0xff) << 32 : 0;
        w->reserved =
            (pde & (cpu_has(c, FT_PSE36) ? 0x200000 : 0x3fe000)) || (high & ~c->phys_mask);
        walk_finish(c, w, gla, (pde & 0xffc00000) | high, 22, pde);
        return;
    }
    u64 pte = walk_entry(c, w, (pde & 0xfffff000) + ((gla >> 12) & 0x3ff) * 4, 12, 4);
    if (!(pte & 1)) return;
    w->user = w->user && (pte & 4);
    w->writable = w->writable && (pte & 2);
    walk_finish(c, w, gla, pte & 0xfffff000, 12, pte);
}

static u64 reserved_bits(const struct cpu *c)
{
    u64 always = ~c->phys_mask & 0x000fffffffffffffull;
    if (!(c->efer & EFER_NXE)) always |= BIT64(63);
    if (!c->long_mode) always |= 0x7ff0000000000000ull;
    return always;
}

/* 64-bit entries from table address `table` on, whose index starts at linear address bit `bit`. */
static void walk_64bit(struct cpu *c, u64 gla, struct walk *w, u64 table, unsigned bit)
{
    u64 addr = c->phys_mask & 0xffffffffff000ull, always = reserved_bits(c);
    for (;; bit -= 9) {
        u64 e = walk_entry(c, w, table + ((gla >> bit) & 0x1ff) * 8, bit, 8);
        if (!(e & 1)) return;
        bool leaf = bit == 12 || (bit == 21 && (e & 0x80)) ||
                    (bit == 30 && (e & 0x80) && cpu_has(c, FT_PG1G));
        u64 reserved = always;
        if (leaf && bit > 12) reserved |= (BIT64(bit) - 1) & ~0x1fffull;
        if (!leaf && bit >= 30) reserved |= 0x80;
        w->user = w->user && (e & 4);
        w->writable = w->writable && (e & 2);
        w->nx = w->nx || (e & BIT64(63));
        if (e & reserved) w->reserved = true;
        if (leaf || w->reserved) {
            walk_finish(c, w, gla, e & addr, bit, e);
            return;
        }
        table = e & addr;
    }
}

void mmu_walk(struct cpu *c, u64 gla, struct walk *w)
{
    memset(w, 0, sizeof(*w));
    if (!(c->cr0 & CR0_PG)) {
        w->present = w->user = w->writable = true;
        w->gpa = (u32)gla & 0xfffff000 & c->a20_mask;
        return;
    }
    if (!(c->cr4 & CR4_PAE)) {
        walk_2level(c, gla, w);
        return;
    }
    w->esize = 8;
    w->user = w->writable = true;
    if (c->long_mode) {
        walk_64bit(c, gla, w, c->cr3 & c->phys_mask & ~0xfffull, 39);
        return;
    }
    u64 pdpte = c->pdpte[(gla >> 30) & 3];
    if (pdpte & 1) walk_64bit(c, gla, w, pdpte & c->phys_mask & ~0xfffull, 21);
}

bool mmu_load_pdptes(struct cpu *c, u64 cr3)
{
    u64 v[4];
    for (unsigned i = 0; i < 4; i++) {
        v[i] = phys_read(c, (cr3 & 0xffffffe0) + i * 8, 8);
        if ((v[i] & 1) && (v[i] & (0x1e6 | ~c->phys_mask))) return false;
    }
    memcpy(c->pdpte, v, sizeof(v));
    return true;
}

static inline bool walk_allows(const struct cpu *c, const struct walk *w, unsigned acc)
{
    if (!w->esize) return true;
    bool user = acc & ACC_USER;
    if (user && !w->user) return false;
    if ((acc & ACC_WRITE) && !w->writable && (user || (c->cr0 & CR0_WP))) return false;
    if ((acc & ACC_EXEC) && w->nx) return false;
    if (!user && w->user && (acc & ACC_EXEC) && (c->cr4 & CR4_SMEP)) return false;
    if (!user && w->user && !(acc & ACC_EXEC) && (c->cr4 & CR4_SMAP)) {
        if ((acc & ACC_IMPLICIT) || !(c->rflags & FL_AC)) return false;
    }
    return true;
}

/* Sets accessed bits, and the last entry's dirty bit; w->entry is what memory holds then. */
static void walk_mark(struct cpu *c, struct walk *w, bool write)
{
    for (unsigned i = 0; i < w->count; i++) {
        u64 want = w->entry[i] | 0x20;
        if (write && i == w->count - 1u) want |= 0x40;
        if (likely(want == w->entry[i])) continue;
        phys_write(c, w->at[i], want, w->esize);
        w->entry[i] = want;
    }
}

static bool page_fault(struct cpu *c, u64 gla, u32 code)
{
    bool reports_fetch = (c->cr4 & CR4_SMEP) || ((c->cr4 & CR4_PAE) && (c->efer & EFER_NXE));
    if (!reports_fetch) code &= ~(u32)ACC_EXEC;
    c->fault_cr2 = gla;
    exc_raise_err(c, EXC_PF, code);
    return false;
}

/* ---- kept upper levels ---- */

/* Other address spaces have other slots for the same address. */
static unsigned walk_salt(unsigned space)
{
    _Static_assert(WALK_NODES == LEN(((struct cpu *)0)->space) << 5, "a slot for each");
    return space << 5;
}

static struct walk_node *node_of(struct cpu *c, u64 gla)
{
    return &c->walk[((gla >> 21) ^ walk_salt(c->space_now)) % WALK_NODES];
}

static struct walk_above *above_of(struct cpu *c, const struct walk_node *n)
{
    return &c->walk_above[n - c->walk];
}

/* A large page that is global outlives changes of generation 0. */
void walk_forget(struct cpu *c, u64 gla)
{
    for (unsigned k = 0; k < 2 * LEN(c->space); k++) { /* both halves of a 4 MiB page */
        u64 tag = (gla >> 21) ^ (k & 1);
        struct walk_node *n = &c->walk[(tag ^ walk_salt(k >> 1)) % WALK_NODES];
        if (n->tag == tag) n->tag = ~0ull;
    }
}

/* Host memory may have gone from under a node: it is never looked at again. */
void walk_forget_all(struct cpu *c)
{
    c->walk_generation[0] = (c->walk_generation[0] | WALK_EPOCH) + 1;
    c->walk_generation[1]++;
}

/* What is above a table is what it was when the node was made, in this address space, which a walk
 * would find out with the same reads. */
static bool walk_again(struct cpu *c, struct walk_node *n)
{
    struct walk_above *a = above_of(c, n);
    if (!n->table || (n->generation ^ c->walk_generation[0]) > WALK_EPOCH) return false;
    if (a->cr3 != c->cr3 || !walk_same_above(n, a)) return false;
    n->generation = c->walk_generation[0];
    return true;
}

/* An entry of a kept page table. */
static inline bool kept_entry(struct cpu *c, u64 gla, const struct walk_node *n, struct walk *w)
{
    u64 e, frame;
    unsigned at;
    if (likely(n->size == 8)) {
        at = (gla >> 12 & 0x1ff) * 8;
        e = ld64(n->table + at);
        if (!(e & 1) || (e & reserved_bits(c))) return false;
        w->nx = w->nx || (e & BIT64(63));
        frame = e & c->phys_mask & ~0xfffull;
    } else {
        at = (gla >> 12 & 0x3ff) * 4;
        e = ld32(n->table + at);
        if (!(e & 1)) return false;
        frame = e & 0xfffff000;
    }
    w->at[0] = n->gpa + at;
    w->host[0] = n->table + at;
    w->entry[0] = e;
    w->bit[0] = 12;
    w->user = w->user && (e & 4);
    w->writable = w->writable && (e & 2);
    walk_finish(c, w, gla, frame, 12, e);
    return true;
}

/* Entries that a successful walk used, until INVLPG or a CR3 load find them changed or a full
 * flush. The page table's entry itself is read anew every time. Whatever does not end in a
 * permitted access starts again at the root, so faults never come from here. */
static inline bool walk_kept(struct cpu *c, u64 gla, unsigned acc, struct walk *w)
{
    struct walk_node *n = node_of(c, gla);
    bool write = acc & ACC_WRITE;
    if (n->tag != gla >> 21) return false;
    if (n->generation != c->walk_generation[n->global] && !walk_again(c, n)) return false;
    w->esize = n->size;
    w->count = 1;
    w->user = n->user;
    w->writable = n->writable;
    w->nx = n->nx;
    w->reserved = false;
    w->node = n;
    if (n->table) {
        if (!kept_entry(c, gla, n, w)) return false;
    } else {
        const struct walk_above *a = above_of(c, n);
        if (write && !(a->leaf & 0x40)) return false;
        w->at[0] = n->gpa;
        w->host[0] = a->leaf_at;
        w->entry[0] = a->leaf;
        w->bit[0] = a->bit;
        walk_finish(c, w, gla, a->frame, a->bit, a->leaf);
    }
    if (!walk_allows(c, w, acc)) return false;
    if (unlikely((w->entry[0] & (write ? 0x60 : 0x20)) != (write ? 0x60 : 0x20)))
        walk_mark(c, w, write);
    return true;
}

/* The entries above the last one, and a PDPTE that is a register. False: some are not in memory
 * that can be looked at without asking. */
static bool note_above(struct cpu *c, u64 gla, const struct walk *w, struct walk_node *n,
                       struct walk_above *a)
{
    unsigned last = w->count - 1u;
    if (w->esize == 8 && !c->long_mode) {
        const u64 *pdpte = &c->pdpte[(gla >> 30) & 3];
        a->entry[a->count].at = (const u8 *)pdpte;
        a->entry[a->count++].value = *pdpte;
    }
    for (unsigned k = 0; k < last; k++) {
        if (!w->host[k]) return false;
        a->entry[a->count].at = w->host[k];
        a->entry[a->count++].value = w->entry[k];
        n->user = n->user && (w->entry[k] & 4);
        n->writable = n->writable && (w->entry[k] & 2);
        n->nx = n->nx || (w->esize == 8 && (w->entry[k] & BIT64(63)));
    }
    return w->host[last] != NULL;
}

static bool same_above(const struct walk_above *a, const struct walk_above *b)
{
    if (a->count != b->count) return false;
    for (unsigned k = 0; k < a->count; k++) {
        if (a->entry[k].at != b->entry[k].at || a->entry[k].value != b->entry[k].value)
            return false;
    }
    return true;
}

/* The whole page of a table, or NULL. */
static const u8 *table_page(struct cpu *c, u64 gpa)
{
    const struct bus_range *r = bus_find(c->mem, gpa);
    if (r->base > gpa || r->last < gpa + 0xfff || !r->rd || !r->rd->ram) return NULL;
    return r->rd->ram + (gpa - r->rd->base);
}

static void walk_keep(struct cpu *c, u64 gla, struct walk *w)
{
    if (!w->esize) return;
    unsigned last = w->count - 1u;
    struct walk_node *slot = node_of(c, gla), n = { .tag = gla >> 21, .size = w->esize };
    struct walk_above *above = above_of(c, slot), a = { .cr3 = c->cr3 };
    if (w->bit[last] > 22) return;
    n.user = n.writable = true;
    if (!note_above(c, gla, w, &n, &a)) return;
    if (w->bit[last] > 12) {
        n.gpa = w->at[last];
        n.user = w->user;
        n.writable = w->writable;
        n.nx = w->nx;
        n.global = w->global;
        a.leaf = w->entry[last];
        a.leaf_at = w->host[last];
        a.bit = w->bit[last];
        a.frame = w->frame;
    } else {
        n.gpa = w->at[last] & ~0xfffull & c->a20_mask;
        n.table = table_page(c, n.gpa);
        if (!n.table) return;
    }
    bool same = slot->tag == n.tag && slot->size == n.size && slot->table == n.table &&
                same_above(above, &a);
    n.generation = c->walk_generation[n.global];
    n.id = same ? slot->id : ++c->walk_ids;
    *slot = n;
    *above = a;
    w->node = slot;
}

bool mmu_translate(struct cpu *c, u64 gla, unsigned acc, struct walk *w)
{
    if (likely(walk_kept(c, gla, acc, w))) return true;
    mmu_walk(c, gla, w);
    u32 code = acc & (ACC_WRITE | ACC_USER | ACC_EXEC);
    if (unlikely(!w->present)) return page_fault(c, gla, code);
    if (unlikely(w->reserved)) return page_fault(c, gla, code | 9);
    if (unlikely(!walk_allows(c, w, acc))) return page_fault(c, gla, code | 1);
    walk_mark(c, w, acc & ACC_WRITE);
    walk_keep(c, gla, w);
    return true;
}
