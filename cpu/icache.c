/* Decoded code: look-up, construction and invalidation of blocks. icache.h explains the scheme. */
#include "cpu/icache.h"

#include <stdlib.h> /* free */

#include "cpu/jit/jit.h"
#include "cpu/model.h" /* features */

#define ARENA_SIZE (32 * MIB)
#define RESERVE (64 * KIB)     /* less than this at the arena's end: old pages are evicted */
#define EVICT (ARENA_SIZE / 8) /* this much at a time */
#define HASH_SIZE 65536
#define PAGES_SIZE 4096
#define BLOCK_MAX 48 /* instructions */
#define SPOT_SHIFT 7 /* blocks of a page are listed by the 128 bytes that they begin in */

/* What is known about one page with blocks. */
struct code_page {
    struct code_page *next, *younger, *older;
    const u8 *host;
    u64 code[65];    /* bit per byte: some block covers it; the last word is all ones */
    unsigned longest; /* of its blocks, bytes */
    struct block *blocks[0x1000 >> SPOT_SHIFT];
};

/* Blocks by the number of instructions that fit: memory of one is only ever a block of its size
 * again, so a stale pointer to it points at a block, whose place then tells that it is another. */
static const u8 class_room[ICACHE_CLASSES] = { 0, 1,  2,  3,  4,  5,  6,  7,
                                               8, 10, 12, 16, 20, 28, 36, BLOCK_MAX };

static unsigned class_of(unsigned n)
{
    unsigned k = 0;
    while (class_room[k] < n) k++;
    return k;
}

static size_t class_size(unsigned k)
{
    return (sizeof(struct block) + class_room[k] * sizeof(struct insn) + 15) & ~(size_t)15;
}

static unsigned hash_of(const u8 *first, unsigned mode)
{
    return (unsigned)(((u64)(uintptr_t)first * 4 + mode) * 0x9e3779b97f4a7c15ull >> 48) % HASH_SIZE;
}

static struct code_page **page_slot(struct icache *ic, const u8 *host)
{
    struct code_page **p = &ic->pages[((uintptr_t)host >> 12) % PAGES_SIZE];
    while (*p && (*p)->host != host) p = &(*p)->next;
    return p;
}

/* ---- which bytes are code ---- */

/* The bits of word w for the bytes [off, end). */
static u64 word_mask(unsigned w, unsigned off, unsigned end)
{
    u64 m = ~0ull;
    if (off > w << 6) m <<= off & 63;
    if (end < (w + 1) << 6) m &= BIT64(end & 63) - 1;
    return m;
}

static void mark(struct code_page *page, unsigned off, unsigned len)
{
    for (unsigned w = off >> 6; w <= (off + len - 1) >> 6; w++)
        page->code[w] |= word_mask(w, off, off + len);
}

static void unmark(struct code_page *page, unsigned off, unsigned end)
{
    for (unsigned w = off >> 6; w <= (end - 1) >> 6; w++)
        page->code[w] &= ~word_mask(w, off, end);
}

/* Whether a block covers a byte of [off, off+len): programs keep data right beside code. */
static bool covered(const struct code_page *page, unsigned off, unsigned len)
{
    for (unsigned w = off >> 6; w <= (off + len - 1) >> 6; w++) {
        if (page->code[w] & word_mask(w, off, off + len)) return true;
    }
    return false;
}

static bool has_code(const struct code_page *page)
{
    return covered(page, 0, 0x1000);
}

/* What icache_gap() looks at; other pages' entries come and go. */
static struct code_gap *gap_of(struct cpu *c, const u8 *host)
{
    return &c->code_gap[((uintptr_t)host >> 12) % LEN(c->code_gap)];
}

static void remember_gaps(struct cpu *c, const struct code_page *page)
{
    *gap_of(c, page->host) = (struct code_gap){ page->host, page->code };
}

static void mark_range(void *page, unsigned off, unsigned len)
{
    mark(page, off, len);
}

/* Works out anew which bytes from off to end are code. */
static void refresh(struct cpu *c, struct code_page *page, unsigned off, unsigned end)
{
    unsigned from = off > page->longest ? off - page->longest : 0;
    unmark(page, off, end);
    if (c->jit) jit_each_range(c, page->host, off, end, mark_range, page);
    for (unsigned s = from >> SPOT_SHIFT; s <= (end - 1) >> SPOT_SHIFT; s++) {
        for (struct block *b = page->blocks[s]; b; b = b->page_next)
            if (b->off < end && off < b->off + b->bytes) mark(page, b->off, b->bytes);
    }
}

/* ---- memory ---- */

static void *arena_alloc(struct icache *ic, size_t size)
{
    void *p = ic->arena + ic->arena_used;
    ic->arena_used += size;
    if (ic->arena_used > ARENA_SIZE - RESERVE / 4) ic->full = true;
    return p;
}

static struct block *alloc_block(struct icache *ic, unsigned n)
{
    unsigned class = class_of(n), k = class;
    while (k < ICACHE_CLASSES && !ic->free_blocks[k]) k++;
    if (k < ICACHE_CLASSES && (k == class || ic->arena_used > ARENA_SIZE - RESERVE)) {
        struct block *b = ic->free_blocks[k];
        ic->free_blocks[k] = b->page_next;
        ic->free_bytes -= class_size(k);
        return b;
    }
    struct block *b = arena_alloc(ic, class_size(class));
    b->room = (u8)class;
    return b;
}

static void free_block(struct icache *ic, struct block *b)
{
    b->page_next = ic->free_blocks[b->room];
    ic->free_blocks[b->room] = b;
    ic->free_bytes += class_size(b->room);
}

static struct code_page *add_page(struct cpu *c, const u8 *host)
{
    struct icache *ic = c->icache;
    struct code_page *p = ic->free_pages;
    if (p) ic->free_pages = p->next;
    else p = arena_alloc(ic, (sizeof(*p) + 15) & ~(size_t)15);
    *p = (struct code_page){ .host = host, .code[64] = ~0ull, .older = ic->youngest };
    if (ic->youngest) ic->youngest->younger = p;
    else ic->oldest = p;
    ic->youngest = p;
    remember_gaps(c, p);
    return p;
}

static void unhash(struct icache *ic, struct block *b)
{
    struct block **p = &ic->hash[hash_of(b->host + b->off, b->mode)];
    while (*p && *p != b) p = &(*p)->hash_next;
    if (*p) *p = b->hash_next;
    b->host = NULL;
    ic->dropped++;
}

/* The other half of an instruction that crosses into another page goes with the first. */
static void drop_partner(struct cpu *c, struct block *b)
{
    struct icache *ic = c->icache;
    struct block *other = b->partner;
    if (!other || !other->host) return;
    struct code_page *page = *page_slot(ic, other->host);
    struct block **p = &page->blocks[other->off >> SPOT_SHIFT];
    while (*p != other) p = &(*p)->page_next;
    *p = other->page_next;
    unhash(ic, other);
    free_block(ic, other);
    refresh(c, page, other->off, other->off + other->bytes);
}

/* Drops the blocks of a page that overlap [off, off+len). */
static void drop_range(struct cpu *c, struct code_page *page, unsigned off, unsigned len)
{
    struct icache *ic = c->icache;
    struct block *dead = NULL;
    unsigned lo = off, hi = off + len, from = off > page->longest ? off - page->longest : 0;
    if (c->jit) jit_drop_range(c, page->host, off, len, &lo, &hi);
    for (unsigned s = from >> SPOT_SHIFT; s <= (off + len - 1) >> SPOT_SHIFT; s++) {
        struct block **p = &page->blocks[s];
        while (*p) {
            struct block *b = *p;
            if (b->off >= off + len || off >= b->off + b->bytes) {
                p = &b->page_next;
                continue;
            }
            *p = b->page_next;
            unhash(ic, b);
            lo = MIN(lo, b->off), hi = MAX(hi, (unsigned)b->off + b->bytes);
            b->page_next = dead;
            dead = b;
        }
    }
    while (dead) {
        struct block *b = dead;
        dead = b->page_next;
        drop_partner(c, b);
        free_block(ic, b);
    }
    refresh(c, page, lo, hi);
}

/* Forgets a page without code. The region's PAGE_CODE may stay: whoever meets it finds nothing. */
static void remove_page(struct cpu *c, struct code_page **slot)
{
    struct icache *ic = c->icache;
    struct code_page *page = *slot;
    struct code_gap *gap = gap_of(c, page->host);
    if (gap->host == page->host) gap->host = NULL;
    *slot = page->next;
    if (page->older) page->older->younger = page->younger;
    else ic->oldest = page->younger;
    if (page->younger) page->younger->older = page->older;
    else ic->youngest = page->older;
    page->next = ic->free_pages;
    ic->free_pages = page;
}

/* Makes room by dropping the pages that have been known longest. */
static void evict(struct cpu *c)
{
    struct icache *ic = c->icache;
    while (ic->oldest && ic->free_bytes < EVICT) {
        struct code_page *page = ic->oldest;
        drop_range(c, page, 0, 0x1000);
        remove_page(c, page_slot(ic, page->host));
    }
    ic->evictions++;
    cpu_event_set(c, CE_CODE);
}

bool icache_watches(struct cpu *c, const u8 *host)
{
    struct code_page **slot = page_slot(c->icache, host);
    if (*slot && has_code(*slot)) return true;
    if (*slot) remove_page(c, slot);
    return false;
}

/* Called by the bus: [offset, offset+len) of a RAM page with PAGE_CODE was written; never crosses a
 * page. */
static void code_written(void *opaque, struct region *r, u64 offset, u64 len)
{
    struct cpu *c = opaque;
    struct icache *ic = c->icache;
    u64 page = offset >> 12;
    struct code_page *p = *page_slot(ic, r->ram + (page << 12));
    unsigned off = offset & 0xfff;
    ic->written++;
    if (!p) {
        r->page_flags[page] &= (u8)~PAGE_CODE;
        return;
    }
    remember_gaps(c, p);
    if (!covered(p, off, (unsigned)len)) return;
    /* The page stays watched, even empty: code that is rewritten comes back. */
    drop_range(c, p, off, (unsigned)len);
    cpu_event_set(c, CE_CODE);
}

/* Decodes a run. Returns the number of instructions; *bytes: their length. */
static unsigned decode_run(struct icache *ic, const u8 *page, unsigned off, struct insn *out,
                           unsigned *bytes)
{
    unsigned n = 0, pos = off;
    while (n < BLOCK_MAX && pos < 0x1000) {
        unsigned len = MIN(0x1000 - pos, INSN_MAX_LEN);
        if (decode_insn(&ic->mode, page + pos, len, &out[n]) != DECODE_OK) break;
        pos += out[n].len;
        if (out[n++].flags & INSN_ENDS) break;
    }
    *bytes = pos - off;
    return n;
}

/* Near branches, string instructions and runs that were merely cut. */
static bool ends_near(const struct insn *last)
{
    if (!(last->flags & INSN_ENDS)) return true;
    return last->op != OP_UD_ROW && (op_rows[last->op].flags & (OF_F64 | OF_STR));
}

/* Puts a block of n instructions (0: a tail, which nobody looks up) into page x. */
static struct block *add_block(struct cpu *c, const struct xtlb_entry *x, unsigned off,
                               unsigned bytes, const struct insn *run, unsigned n)
{
    struct icache *ic = c->icache;
    struct code_page **slot = page_slot(ic, x->host);
    if (!*slot) *slot = add_page(c, x->host);
    u8 *flags = &x->rgn->page_flags[x->rgn_off >> 12];
    if (!(*flags & PAGE_CODE)) {
        *flags |= PAGE_CODE;
        tlb_protect_code(c, x->host);
    }
    struct block *b = alloc_block(ic, n), **list = &(*slot)->blocks[off >> SPOT_SHIFT];
    *b = (struct block){ .host = x->host,
                         .page_next = *list,
                         .off = (u16)off,
                         .mode = n ? c->bits : 0xff,
                         .bytes = (u16)bytes,
                         .total = (u16)bytes,
                         .count = (u8)n,
                         .room = b->room };
    if (n) {
        struct block **h = &ic->hash[hash_of(x->host + off, c->bits)];
        memcpy(b->insn, run, n * sizeof(run[0]));
        b->near = ends_near(&run[n - 1]);
        b->hash_next = *h;
        *h = b;
    }
    *list = b;
    (*slot)->longest = MAX((*slot)->longest, bytes);
    mark(*slot, off, bytes);
    ic->made++;
    return b;
}

void icache_cover(struct cpu *c, const u8 *host, const struct range *r, unsigned n)
{
    struct code_page *page = *page_slot(c->icache, host);
    for (unsigned k = 0; page && k < n; k++) mark(page, r[k].off, r[k].len);
}

static u64 next_page(const struct cpu *c, u64 gla)
{
    u64 next = (gla & ~0xfffull) + 0x1000;
    return c->bits == BITS64 ? next : (u32)next;
}

/* One instruction with its first bytes at the end of page x. */
static struct block *make_crossing(struct cpu *c, const struct xtlb_entry *x, u64 gla)
{
    struct icache *ic = c->icache;
    struct xtlb_entry first = *x;
    struct insn i;
    u8 code[INSN_MAX_LEN];
    unsigned off = gla & 0xfff, here = 0x1000 - off;
    if (here >= INSN_MAX_LEN || decode_insn(&ic->mode, first.host + off, here, &i) != DECODE_MORE)
        return NULL;
    if (c->bits != BITS64 && c->rip + here > c->seg[SEG_CS].limit) return NULL; /* #GP first */
    const struct xtlb_entry *second = mmu_code_page(c, next_page(c, gla));
    if (!second || !second->host || !second->rgn) return NULL;
    memcpy(code, first.host + off, here);
    memcpy(code + here, second->host, INSN_MAX_LEN - here);
    if (decode_insn(&ic->mode, code, INSN_MAX_LEN, &i) != DECODE_OK || i.len <= here) return NULL;
    struct block *tail = add_block(c, second, 0, i.len - here, NULL, 0);
    struct block *b = add_block(c, &first, off, here, &i, 1);
    b->crosses = true;
    b->partner = tail;
    tail->partner = b;
    b->total = i.len;
    return b;
}

static struct block *make_block(struct cpu *c, const struct xtlb_entry *x, u64 gla)
{
    struct icache *ic = c->icache;
    struct insn run[BLOCK_MAX];
    unsigned bytes, off = gla & 0xfff;
    if (ic->arena_used > ARENA_SIZE - RESERVE && ic->free_bytes < RESERVE) evict(c);
    if (ic->full) icache_flush(c);
    ic->mode.bits = c->bits;
    unsigned n = decode_run(ic, x->host, off, run, &bytes);
    return n ? add_block(c, x, off, bytes, run, n) : make_crossing(c, x, gla);
}

struct block *icache_peek(const struct cpu *c, const u8 *page, unsigned off)
{
    for (struct block *b = c->icache->hash[hash_of(page + off, c->bits)]; b; b = b->hash_next) {
        if (b->host == page && b->off == off && b->mode == c->bits) return b;
    }
    return NULL;
}

struct block *icache_block(struct cpu *c, const struct xtlb_entry *x, u64 gla)
{
    struct icache *ic = c->icache;
    unsigned off = gla & 0xfff;
    if (unlikely(!x->host || !x->rgn)) return NULL;
    for (struct block *b = ic->hash[hash_of(x->host + off, c->bits)]; b; b = b->hash_next) {
        if (b->host == x->host && b->off == off && b->mode == c->bits) return b;
    }
    return make_block(c, x, gla);
}

bool icache_tail_ok(struct cpu *c, struct block *b, u64 gla)
{
    const struct xtlb_entry *x = mmu_code_page(c, next_page(c, gla));
    return x && x->host == b->partner->host;
}

void icache_flush(struct cpu *c)
{
    struct icache *ic = c->icache;
    if (!ic) return;
    memset(ic->hash, 0, HASH_SIZE * sizeof(ic->hash[0]));
    memset(ic->pages, 0, PAGES_SIZE * sizeof(ic->pages[0]));
    memset(ic->jump, 0, sizeof(ic->jump));
    memset(c->code_gap, 0, sizeof(c->code_gap));
    memset(ic->free_blocks, 0, sizeof(ic->free_blocks));
    ic->free_pages = ic->oldest = ic->youngest = NULL;
    ic->free_bytes = 0;
    ic->arena_used = 0;
    ic->full = false;
    ic->flushed++;
    if (c->jit) jit_flush(c);
    cpu_event_set(c, CE_CODE);
}

void icache_init(struct cpu *c)
{
    struct icache *ic = xalloc(sizeof(*ic));
    ic->arena = xalloc(ARENA_SIZE); /* touched page by page as it fills */
    ic->hash = xalloc(HASH_SIZE * sizeof(ic->hash[0]));
    ic->pages = xalloc(PAGES_SIZE * sizeof(ic->pages[0]));
    ic->mode.features = c->model->features;
    c->icache = ic;
    c->mem->code_written = code_written;
    c->mem->code_opaque = c;
}

void icache_fini(struct cpu *c)
{
    struct icache *ic = c->icache;
    if (!ic) return;
    c->mem->code_written = NULL;
    c->mem->code_opaque = NULL;
    free(ic->arena);
    free(ic->hash);
    free(ic->pages);
    free(ic);
    c->icache = NULL;
}

void cpu_info_stats(struct cpu *c, struct text *t)
{
    const struct icache *ic = c->icache;
    text_add(t, "instructions %llu\n", (unsigned long long)cpu_icount(c));
    text_add(
        t,
        "code blocks: %llu made, %llu dropped by writes, %llu writes to code pages, %llu flushes\n",
        (unsigned long long)ic->made, (unsigned long long)ic->dropped,
        (unsigned long long)ic->written, (unsigned long long)ic->flushed);
    text_add(t, "decoded code %llu of %llu KiB\n", (unsigned long long)(ic->arena_used / KIB),
             (unsigned long long)(ARENA_SIZE / KIB));
    if (c->jit) jit_info(c, t);
}
