/* Linear addresses: the TLB behind mem.h, filled by page walks (walk.c), and the complete ("slow")
 * memory access.
 *
 * The TLB holds 4 KiB pieces, split by privilege, so a matching tag means "allowed": mem.h compares
 * one tag and adds one offset. Whatever needs a look at every access gets a tag with TLB_SLOW,
 * which never matches a page address, and ends here: I/O, the local APIC's page, writes to pages
 * that hold decoded code, pages with a data breakpoint, user pages under SMAP (smap.c). Filled slots are
 * remembered in short lists because flushes must not sweep the whole array; what loading CR3 keeps is
 * in space.c.
 *
 * Left out: memory types (PAT and MTRRs have no effect). */
#include "cpu/mmu.h"

#include "cpu/apic.h"
#include "cpu/exec.h"
#include "cpu/icache.h"
#include "cpu/jit/jit.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mem.h" /* tlb_index */
#include "cpu/pageset.h"

/* ---- physical memory ---- */

/* Host view of one physical page: NULL pointers where it is not plain memory. */
struct page {
    u8 *rd, *wr;
    struct region *rrgn, *wrgn;
    u64 roff, woff;
};

static u8 *region_page(struct region *r, u64 gpa, u64 *off)
{
    *off = 0;
    if (!r || !r->ram || ((gpa - r->base) & 0xfff)) return NULL;
    *off = gpa - r->base;
    return r->ram + *off;
}

static void resolve_page(struct cpu *c, u64 gpa, struct page *p)
{
    memset(p, 0, sizeof(*p));
    if (gpa == c->apic_page) return;
    const struct bus_range *r = bus_find(c->mem, gpa);
    if (r->base > gpa || r->last < gpa + 0xfff) return;
    p->rrgn = r->rd;
    p->rd = region_page(r->rd, gpa, &p->roff);
    if (!p->rd) p->rrgn = NULL;
    if (!r->wr || r->wr->readonly) return;
    p->wrgn = r->wr;
    p->wr = region_page(r->wr, gpa, &p->woff);
    if (!p->wr) p->wrgn = NULL;
}

/* ---- TLB ---- */

#define LIST_CODE 0x8000u

static bool tag_is(u64 tag, u64 page)
{
    return tag != TLB_INVALID && (tag & ~0xfffull) == page;
}

static void remember_slot(struct cpu *c, unsigned slot)
{
    if (c->tlb_used_len < TLB_LIST) c->tlb_used[c->tlb_used_len] = (u16)slot;
    if (c->tlb_used_len <= TLB_LIST) c->tlb_used_len++;
}

static void remember_large(struct cpu *c, const struct walk *w, u64 gla)
{
    if (!w->large) return;
    if (w->bit[w->count - 1] == 30) c->tlb_huge = true;
    pageset_add(c->tlb_large, 8 * sizeof(c->tlb_large), gla >> 22);
}

static void drop_slot(struct cpu *c, unsigned slot)
{
    if (slot & LIST_CODE) c->xtlb[slot / XTLB_ENTRIES & 1][slot % XTLB_ENTRIES].tag = TLB_INVALID;
    else tlb_drop(&c->tlb[slot / TLB_ENTRIES & 1][slot % TLB_ENTRIES]);
}

void tlb_init(struct cpu *c)
{
    c->tlb_used_len = TLB_LIST + 1; /* every tag is zero, not invalid: the first flush visits all */
}

void tlb_flush_all(struct cpu *c)
{
    lockstep_once(c); /* a second run would not find what it held */
    if (c->tlb_used_len <= TLB_LIST) {
        for (unsigned i = 0; i < c->tlb_used_len; i++) drop_slot(c, c->tlb_used[i]);
    } else {
        for (unsigned i = 0; i < 2 * TLB_ENTRIES; i++) drop_slot(c, i);
        for (unsigned i = 0; i < 2 * XTLB_ENTRIES; i++) drop_slot(c, LIST_CODE | i);
    }
    walk_forget_all(c);
    memset(c->tlb_large, 0, sizeof(c->tlb_large));
    c->tlb_huge = false;
    c->tlb_used_len = c->tlb_open_len = 0;
    space_reset(c);
    c->bus_generation = c->mem->generation;
    if (c->jit) jit_forget_addresses(c, true);
    cpu_event_set(c, CE_MODE);
}

/* A large page was split into many entries when it was loaded: drop all of the same 4 MiB. */
static void flush_large(struct cpu *c, u64 gla)
{
    for (unsigned u = 0; u < 2; u++) {
        for (unsigned i = 0; i < TLB_ENTRIES; i++) {
            struct tlb_entry *e = &c->tlb[u][i];
            if ((e->tag_r ^ gla) >> 22 == 0 || (e->tag_w ^ gla) >> 22 == 0) tlb_drop(e);
        }
        for (unsigned i = 0; i < XTLB_ENTRIES; i++) {
            if ((c->xtlb[u][i].tag ^ gla) >> 22 == 0) c->xtlb[u][i].tag = TLB_INVALID;
        }
    }
}

void tlb_flush_page(struct cpu *c, u64 gla)
{
    lockstep_once(c);
    if (c->tlb_huge) {
        tlb_flush_all(c);
        return;
    }
    u64 page = gla & ~0xfffull;
    for (unsigned u = 0; u < 2; u++) {
        struct tlb_entry *e = &c->tlb[u][tlb_index(gla)];
        struct xtlb_entry *x = &c->xtlb[u][(gla >> 12) % XTLB_ENTRIES];
        if (tag_is(e->tag_r, page) || tag_is(e->tag_w, page)) tlb_drop(e);
        if (x->tag == page) x->tag = TLB_INVALID;
    }
    bool large = pageset_has(c->tlb_large, 8 * sizeof(c->tlb_large), gla >> 22);
    c->walk_generation[0]++;
    if (large) {
        walk_forget(c, gla);
        flush_large(c, gla);
    }
    if (c->jit && large) jit_forget_addresses(c, true);
    else if (c->jit) jit_forget_page(c, gla);
    cpu_event_set(c, CE_MODE);
}

void tlb_protect_code(struct cpu *c, const u8 *hva)
{
    for (unsigned u = 0; u < 2; u++) {
        for (unsigned i = 0; i < TLB_ENTRIES; i++) {
            struct tlb_entry *e = &c->tlb[u][i];
            u64 low = e->tag_w & 0xfff;
            if ((low && low != (TLB_SLOW | TLB_SMAP)) ||
                (u64)(uintptr_t)hva != e->tag_w - low + e->off)
                continue;
            e->tag_w += low ? 0ull - TLB_SMAP : TLB_SLOW | TLB_CODE; /* closed: walk again */
        }
    }
}

/* ---- data breakpoints (DR7 R/W = 01 write, 11 read or write) ---- */

static u64 bp_len(u64 dr7, unsigned n)
{
    static const u8 len[4] = { 1, 2, 8, 4 };
    return len[(dr7 >> (18 + n * 4)) & 3];
}

static bool page_has_breakpoint(const struct cpu *c, u64 page)
{
    if (likely(!(c->dr[7] & 0xff))) return false;
    for (unsigned n = 0; n < 4; n++) {
        if (!(c->dr[7] >> (n * 2) & 3) || !(c->dr[7] >> (16 + n * 4) & 1)) continue;
        u64 a = c->dr[n] & ~(bp_len(c->dr[7], n) - 1);
        if ((a & ~0xfffull) == page) return true;
    }
    return false;
}

static void match_data_breakpoints(struct cpu *c, u64 gla, unsigned n, bool write)
{
    if (likely(!(c->dr[7] & 0xff))) return;
    for (unsigned k = 0; k < 4; k++) {
        unsigned rw = c->dr[7] >> (16 + k * 4) & 3;
        if (!(rw == 3 || (rw == 1 && write))) continue;
        u64 len = bp_len(c->dr[7], k);
        u64 a = c->dr[k] & ~(len - 1);
        if (gla + n <= a || gla >= a + len) continue;
        if (!(c->dr[7] >> (k * 2) & 3)) continue;
        c->pending_dr6 |= BIT(k);
        cpu_event_set(c, CE_TRAP);
    }
}

/* ---- one access inside one page ---- */

/* Puts the translation of `page` into its slot. Returns the flags of a page that may be written. */
static u8 *tlb_fill(struct cpu *c, struct tlb_entry *e, u64 page, const struct walk *w,
                    unsigned acc)
{
    struct page p;
    u8 *flags = NULL;
    u64 gpa = w->gpa | (w->global ? TLB_GLOBAL : 0) | (w->user && w->esize ? TLB_USER : 0);
    bool special = page_has_breakpoint(c, page);
    resolve_page(c, w->gpa, &p);
    u8 *host = p.rd ? p.rd : p.wr;
    if (!host && !p.rrgn && !p.wrgn) gpa |= TLB_IO;
    u64 off = (u64)(uintptr_t)host - page;
    bool same = tag_is(e->tag_w, page) && e->gpa == gpa && e->off == off;
    if (!same) e->tag_w = TLB_INVALID;
    e->gpa = gpa;
    e->off = off;
    e->tag_r = page | (special || !p.rd ? TLB_SLOW : 0);
    if (p.wr && p.wr == p.rd) flags = &p.wrgn->page_flags[p.woff >> 12];
    if (!(acc & ACC_WRITE)) return flags;
    e->tag_w = page | TLB_SLOW;
    if (special || !flags) return flags;
    *flags |= PAGE_DIRTY;
    if ((*flags & PAGE_CODE) && !icache_watches(c, host)) *flags &= (u8)~PAGE_CODE;
    e->tag_w = *flags & PAGE_CODE ? page | TLB_SLOW | TLB_CODE : page;
    lockstep_granted(c, e);
    return flags;
}

/* Returns the slot that translates gla for this access, walking if needed; NULL: fault raised. */
static struct tlb_entry *tlb_get(struct cpu *c, u64 gla, unsigned acc)
{
    u64 page = gla & ~0xfffull;
    unsigned user = acc & ACC_USER ? 1 : 0;
    unsigned idx = tlb_index(gla);
    struct tlb_entry *e = &c->tlb[user][idx];
    u64 tag = acc & ACC_WRITE ? e->tag_w : e->tag_r;
    bool smap = (c->cr4 & CR4_SMAP) && !user;
    if (tag_is(tag, page)) {
        if (!smap || !(e->gpa & TLB_USER)) return e;
        bool allowed = (c->rflags & FL_AC) && !(acc & ACC_IMPLICIT);
        if (allowed && (tag & TLB_SMAP)) smap_open(c, idx);
        if (allowed && (tag == page || (tag & (TLB_SMAP | TLB_CODE)))) return e;
    }
    struct walk w;
    if (!mmu_translate(c, gla, acc, &w)) return NULL;
    if (smap && w.user) smap_note(c, idx);
    space_note(c, user, idx, &w, tlb_fill(c, e, page, &w, acc));
    remember_slot(c, user * TLB_ENTRIES + idx);
    remember_large(c, &w, gla);
    return e;
}

static void io_read(struct cpu *c, u64 gpa, u8 *buf, unsigned n)
{
    bool apic = (gpa & ~0xfffull) == c->apic_page;
    lockstep_once(c);
    while (n) {
        unsigned k = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
        u64 v = apic ? apic_mmio_read(c, gpa & 0xfff, k) : bus_read(c->mem, gpa, k);
        st_n(buf, v, k);
        gpa += k;
        buf += k;
        n -= k;
    }
    cpu_polled(c);
}

static void io_write(struct cpu *c, u64 gpa, const u8 *buf, unsigned n)
{
    bool apic = (gpa & ~0xfffull) == c->apic_page;
    lockstep_once(c);
    while (n) {
        unsigned k = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
        if (apic) apic_mmio_write(c, gpa & 0xfff, ld_n(buf, k), k);
        else bus_write(c->mem, gpa, ld_n(buf, k), k);
        gpa += k;
        buf += k;
        n -= k;
    }
}

static void page_read(struct cpu *c, const struct tlb_entry *e, u64 gla, void *buf, unsigned n)
{
    if (likely(!(e->tag_r & TLB_SLOW))) {
        memcpy(buf, (const void *)(uintptr_t)(e->off + gla), n);
        return;
    }
    u64 gpa = e->gpa & ~0xfffull;
    match_data_breakpoints(c, gla, n, false);
    if (e->gpa & TLB_IO) {
        io_read(c, gpa | (gla & 0xfff), buf, n);
        return;
    }
    struct page p;
    resolve_page(c, gpa, &p);
    if (p.rd) memcpy(buf, p.rd + (gla & 0xfff), n);
    else io_read(c, gpa | (gla & 0xfff), buf, n);
}

static void page_write(struct cpu *c, struct tlb_entry *e, u64 gla, const void *buf, unsigned n)
{
    if (likely(!(e->tag_w & TLB_SLOW))) {
        memcpy((void *)(uintptr_t)(e->off + gla), buf, n);
        return;
    }
    if (likely((e->tag_w & TLB_CODE) && icache_gap(c, (u8 *)(uintptr_t)(e->off + gla), n))) {
        memcpy((void *)(uintptr_t)(e->off + gla), buf, n);
        return;
    }
    u64 gpa = e->gpa & ~0xfffull;
    match_data_breakpoints(c, gla, n, true);
    if (e->gpa & TLB_IO) {
        io_write(c, gpa | (gla & 0xfff), buf, n);
        return;
    }
    struct page p;
    resolve_page(c, gpa, &p);
    if (!p.wr) {
        io_write(c, gpa | (gla & 0xfff), buf, n);
        return;
    }
    lockstep_write(c, p.wr, false);
    memcpy(p.wr + (gla & 0xfff), buf, n);
    ram_written(p.wrgn, p.woff + (gla & 0xfff), n);
    /* The decoded code of the page is gone now: later writes may take the fast path again. */
    bool smap_user = (c->cr4 & CR4_SMAP) && (e->gpa & TLB_USER);
    if (smap_user && (e->tag_w & 0xfff) != (TLB_SLOW | TLB_CODE)) return; /* may be a closed one */
    if (p.wr == p.rd && !(p.wrgn->page_flags[p.woff >> 12] & PAGE_CODE) &&
        !page_has_breakpoint(c, gla & ~0xfffull)) {
        e->tag_w = gla & ~0xfffull;
        lockstep_granted(c, e);
    }
}

/* ---- accesses of up to 512 bytes, all or nothing ---- */

static u64 next_page(const struct cpu *c, u64 gla)
{
    u64 next = (gla & ~0xfffull) + 0x1000;
    return c->bits != BITS64 && !(gla >> 32) ? (u32)next : next;
}

/* The ordinary case of everything below: plain memory that the TLB knows. */
static void *known(struct cpu *c, u64 gla, unsigned n, unsigned acc, bool write)
{
    const struct tlb_entry *e = &c->tlb[acc & ACC_USER ? 1 : 0][tlb_index(gla)];
    u64 tag = write ? e->tag_w : e->tag_r, page = gla & ~0xfffull;
    if (tag != page || ((gla + n - 1) & ~0xfffull) != page) return NULL;
    if ((acc & ACC_IMPLICIT) && (e->gpa & TLB_USER) && (c->cr4 & CR4_SMAP)) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

/* Most accesses are of a size that one move does. */
static inline void copy(void *to, const void *from, unsigned n)
{
    switch (n) {
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    default: memcpy(to, from, n);
    }
}

static bool access_read(struct cpu *c, u64 gla, void *buf, unsigned n, unsigned acc)
{
    cpu_check_generation(c);
    const void *host = known(c, gla, n, acc, false);
    if (likely(host)) {
        copy(buf, host, n);
        return true;
    }
    unsigned first = 0x1000 - (gla & 0xfff);
    struct tlb_entry *e = tlb_get(c, gla, acc);
    if (!e) return false;
    if (likely(n <= first)) {
        page_read(c, e, gla, buf, n);
        return true;
    }
    u64 gla2 = next_page(c, gla);
    struct tlb_entry *e2 = tlb_get(c, gla2, acc);
    if (!e2) return false;
    page_read(c, e, gla, buf, first);
    page_read(c, e2, gla2, (u8 *)buf + first, n - first);
    return true;
}

static bool access_write(struct cpu *c, u64 gla, const void *buf, unsigned n, unsigned acc)
{
    cpu_check_generation(c);
    void *host = known(c, gla, n, acc, true);
    if (likely(host)) {
        copy(host, buf, n);
        return true;
    }
    unsigned first = 0x1000 - (gla & 0xfff);
    acc |= ACC_WRITE;
    struct tlb_entry *e = tlb_get(c, gla, acc);
    if (!e) return false;
    if (likely(n <= first)) {
        page_write(c, e, gla, buf, n);
        cpu_check_generation(c); /* a device register may have moved a mapping */
        return true;
    }
    u64 gla2 = next_page(c, gla);
    struct tlb_entry *e2 = tlb_get(c, gla2, acc);
    if (!e2) return false;
    page_write(c, e, gla, buf, first);
    page_write(c, e2, gla2, (const u8 *)buf + first, n - first);
    cpu_check_generation(c);
    return true;
}

static bool access_probe(struct cpu *c, u64 gla, unsigned n, unsigned acc)
{
    cpu_check_generation(c);
    if (!tlb_get(c, gla, acc | ACC_WRITE)) return false;
    return n <= 0x1000 - (gla & 0xfff) || tlb_get(c, next_page(c, gla), acc | ACC_WRITE);
}

/* The TLB's entry, if it knows the page as a device's and lets the kernel at it without more ado. */
static struct tlb_entry *device_page(struct cpu *c, u64 gla, unsigned n, bool write)
{
    cpu_check_generation(c);
    struct tlb_entry *e = tlb_slot(c, gla);
    u64 slow = (gla & ~0xfffull) | TLB_SLOW;
    if ((write ? e->tag_w : e->tag_r) != slow || !(e->gpa & TLB_IO)) return NULL;
    if (c->cpl == 3 || (gla & 0xfff) > 0x1000 - n) return NULL; /* alignment checks, two pages */
    return (e->gpa & TLB_USER) && (c->cr4 & CR4_SMAP) ? NULL : e;
}

bool mem_device_knows(struct cpu *c, u64 gla, unsigned n)
{
    return device_page(c, gla, n, true) != NULL;
}

bool mem_device_read(struct cpu *c, u64 gla, void *buf, unsigned n)
{
    const struct tlb_entry *e = device_page(c, gla, n, false);
    if (e) page_read(c, e, gla, buf, n);
    return e != NULL;
}

bool mem_device_write(struct cpu *c, u64 gla, const void *buf, unsigned n)
{
    struct tlb_entry *e = device_page(c, gla, n, true);
    if (!e) return false;
    page_write(c, e, gla, buf, n);
    cpu_check_generation(c); /* the register may have moved a mapping */
    return true;
}

static u64 system_address(const struct cpu *c, u64 gla)
{
    return c->long_mode ? gla : (u32)gla;
}

bool lin_read_as(struct cpu *c, u64 gla, void *buf, unsigned n, bool user)
{
    return access_read(c, system_address(c, gla), buf, n, user ? ACC_USER : 0);
}

bool lin_write_as(struct cpu *c, u64 gla, const void *buf, unsigned n, bool user)
{
    return access_write(c, system_address(c, gla), buf, n, user ? ACC_USER : 0);
}

bool lin_probe_as(struct cpu *c, u64 gla, unsigned n, bool user)
{
    return access_probe(c, system_address(c, gla), n, user ? ACC_USER : 0);
}

bool lin_read(struct cpu *c, u64 gla, void *buf, unsigned n)
{
    return access_read(c, system_address(c, gla), buf, n, ACC_IMPLICIT);
}

bool lin_write(struct cpu *c, u64 gla, const void *buf, unsigned n)
{
    return access_write(c, system_address(c, gla), buf, n, ACC_IMPLICIT);
}

bool lin_probe_write(struct cpu *c, u64 gla, unsigned n)
{
    return access_probe(c, system_address(c, gla), n, ACC_IMPLICIT);
}

/* ---- accesses through a segment ---- */

static bool segment_fault(struct cpu *c, unsigned seg)
{
    exc_raise_err(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
    return false;
}

bool seg_linear(struct cpu *c, unsigned seg, u64 off, unsigned n, bool write, u64 *gla)
{
    const struct seg *s = &c->seg[seg];
    if (c->bits == BITS64) {
        u64 a = off + (seg >= SEG_FS ? s->base : 0);
        *gla = a;
        if (unlikely(!is_canonical(a) || !is_canonical(a + n - 1))) return segment_fault(c, seg);
        return true;
    }
    if ((c->cr0 & CR0_PE) && !(c->rflags & FL_VM)) {
        if (!(s->attr & ATTR_P)) return segment_fault(c, seg);
        if (write ? (s->attr & 0xa) != 2 : (s->attr & 0xa) == 8) return segment_fault(c, seg);
    }
    u64 last = off + n - 1;
    if ((s->attr & 0xc) == 4) { /* expand-down data */
        u64 top = s->attr & ATTR_D ? 0xffffffffu : 0xffffu;
        if (off <= s->limit || last > top) return segment_fault(c, seg);
    } else if (last > s->limit || last < off) {
        return segment_fault(c, seg);
    }
    *gla = (u32)(s->base + off);
    return true;
}

/* #AC: SDM 3A table 6-7; operands whose size is not a power of two use the alignment of their
 * largest part. */
static bool alignment_ok(struct cpu *c, u64 gla, unsigned n)
{
    if (likely(!(c->cr0 & CR0_AM)) || !(c->rflags & FL_AC) || c->cpl != 3) return true;
    unsigned align = n == 6 ? 4 : n == 10 ? 8 : n & (n - 1) || n > 8 ? 1 : n;
    if (!(gla & (align - 1))) return true;
    exc_raise_err(c, EXC_AC, 0);
    return false;
}

static unsigned data_access(const struct cpu *c)
{
    return c->cpl == 3 ? ACC_USER : 0;
}

bool mem_slow_read(struct cpu *c, unsigned seg, u64 off, void *buf, unsigned n)
{
    u64 gla;
    return seg_linear(c, seg, off, n, false, &gla) && alignment_ok(c, gla, n) &&
           access_read(c, gla, buf, n, data_access(c));
}

bool mem_slow_write(struct cpu *c, unsigned seg, u64 off, const void *buf, unsigned n)
{
    u64 gla;
    return seg_linear(c, seg, off, n, true, &gla) && alignment_ok(c, gla, n) &&
           access_write(c, gla, buf, n, data_access(c));
}

bool mem_slow_probe(struct cpu *c, unsigned seg, u64 off, unsigned n)
{
    u64 gla;
    return seg_linear(c, seg, off, n, true, &gla) && alignment_ok(c, gla, n) &&
           access_probe(c, gla, n, data_access(c));
}

bool mem_slow_touch(struct cpu *c, unsigned seg, u64 off, unsigned n)
{
    u64 gla;
    cpu_check_generation(c);
    return seg_linear(c, seg, off, n, false, &gla) && alignment_ok(c, gla, n) &&
           tlb_get(c, gla, data_access(c));
}

/* ---- code ---- */

const struct xtlb_entry *mmu_code_page(struct cpu *c, u64 gla)
{
    cpu_check_generation(c);
    if (c->bits == BITS64 && unlikely(!is_canonical(gla))) {
        exc_gp0(c);
        return NULL;
    }
    u64 page = gla & ~0xfffull;
    unsigned user = c->cpl == 3, idx = (gla >> 12) % XTLB_ENTRIES;
    struct xtlb_entry *x = &c->xtlb[user][idx];
    if (likely(x->tag == page)) return x;
    struct walk w;
    if (!mmu_translate(c, gla, ACC_EXEC | (user ? ACC_USER : 0), &w)) return NULL;
    struct page p;
    resolve_page(c, w.gpa, &p);
    *x = (struct xtlb_entry){ .tag = page,
                              .gpa = w.gpa,
                              .host = p.rd,
                              .rgn = p.rrgn,
                              .rgn_off = p.roff,
                              .global = w.global };
    space_note_code(c, user, x, &w);
    remember_slot(c, LIST_CODE | (user * XTLB_ENTRIES + idx));
    remember_large(c, &w, gla);
    return x;
}

/* ---- monitor ---- */

bool cpu_translate(struct cpu *c, u64 gla, u64 *gpa)
{
    struct walk w;
    if (c->long_mode ? !is_canonical(gla) : gla >> 32) return false;
    mmu_walk(c, gla, &w);
    *gpa = w.gpa | (gla & 0xfff);
    return w.present && !w.reserved;
}

size_t cpu_peek_linear(struct cpu *c, u64 gla, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        u64 gpa;
        size_t n = MIN(len - done, 0x1000 - (size_t)((gla + done) & 0xfff));
        if (!cpu_translate(c, gla + done, &gpa)) break;
        const struct bus_range *r = bus_find(c->mem, gpa);
        if (!r->rd || !r->rd->ram || r->last < gpa + n - 1) break; /* reading I/O could change it */
        memcpy((u8 *)buf + done, r->rd->ram + (gpa - r->rd->base), n);
        done += n;
    }
    return done;
}

void cpu_info_page_walk(struct cpu *c, u64 gla, struct text *t)
{
    struct walk w;
    mmu_walk(c, gla, &w);
    text_add(t, "cr0=%llx cr3=%llx cr4=%llx efer=%llx\n", (unsigned long long)c->cr0,
             (unsigned long long)c->cr3, (unsigned long long)c->cr4, (unsigned long long)c->efer);
    if (!w.esize) text_add(t, "paging is off\n");
    for (unsigned i = 0; i < w.count; i++) {
        text_add(t, "bits %u..: [%llx] = %llx\n", w.bit[i], (unsigned long long)w.at[i],
                 (unsigned long long)w.entry[i]);
    }
    if (!w.present) {
        text_add(t, "%llx: not present\n", (unsigned long long)gla);
        return;
    }
    text_add(t, "%llx -> %llx %s%s%s%s%s\n", (unsigned long long)gla,
             (unsigned long long)(w.gpa | (gla & 0xfff)), w.user ? "user " : "supervisor ",
             w.writable ? "writable " : "read-only ", w.nx ? "no-execute " : "",
             w.global ? "global " : "", w.reserved ? "RESERVED BITS SET" : "");
}
