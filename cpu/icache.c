/* Decoded code: look-up, construction and invalidation of blocks. icache.h explains the scheme. */
#include "cpu/icache.h"

#include <stdlib.h> /* free */

#include "cpu/jit/jit.h"
#include "cpu/model.h" /* features */

#define ARENA_SIZE (40 * MIB)
#define HASH_SIZE 65536
#define PAGES_SIZE 4096
#define BLOCK_MAX 48 /* instructions */
#define PAGE_HITS_MAX 8

/* What is known about one page with blocks. */
struct code_page {
    struct code_page *next;
    const u8 *host;
    u64 code[65]; /* bit per byte: some block covers it; the last word is all ones */
    unsigned hits; /* writes that dropped blocks */
    struct block *blocks;
};

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

/* What icache_gap() looks at; other pages' entries come and go. */
static struct code_gap *gap_of(struct cpu *c, const u8 *host)
{
    return &c->code_gap[((uintptr_t)host >> 12) % LEN(c->code_gap)];
}

static void remember_gaps(struct cpu *c, const struct code_page *page)
{
    *gap_of(c, page->host) = (struct code_gap){ page->host, page->code };
}

static void remove_page(struct cpu *c, struct code_page **slot)
{
    struct code_gap *gap = gap_of(c, (*slot)->host);
    if (gap->host == (*slot)->host) gap->host = NULL;
    *slot = (*slot)->next;
}

static void *arena_alloc(struct icache *ic, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    void *p = ic->arena + ic->arena_used;
    ic->arena_used += size;
    if (ic->arena_used > ARENA_SIZE - 64 * KIB) ic->full = true;
    return p;
}

static void mark(struct code_page *page, unsigned off, unsigned len)
{
    for (unsigned k = off; k < off + len; k++) page->code[k >> 6] |= BIT64(k & 63);
}

/* Whether a block covers a byte of [off, off+len): programs keep data right beside code. */
static bool covered(const struct code_page *page, unsigned off, unsigned len)
{
    if (likely(len <= 16)) {
        for (unsigned k = off; k < off + len; k++) {
            if (page->code[k >> 6] >> (k & 63) & 1) return true;
        }
        return false;
    }
    for (unsigned w = off >> 6; w <= (off + len - 1) >> 6; w++) {
        if (page->code[w]) return true;
    }
    return false;
}

static bool has_code(const struct code_page *page)
{
    for (unsigned w = 0; w < 64; w++) {
        if (page->code[w]) return true;
    }
    return false;
}

static void unhash(struct icache *ic, struct block *b)
{
    if (!b->host) return;
    struct block **p = &ic->hash[hash_of(b->host + b->off, b->mode)];
    while (*p && *p != b) p = &(*p)->hash_next;
    if (*p) *p = b->hash_next;
    b->host = NULL;
    ic->dropped++;
}

static void mark_range(void *page, unsigned off, unsigned len)
{
    mark(page, off, len);
}

/* Drops the blocks of a page that overlap [off, off+len); marks anew which bytes are code. */
static void drop_range(struct cpu *c, struct code_page *page, unsigned off, unsigned len)
{
    struct icache *ic = c->icache;
    struct block **p = &page->blocks;
    memset(page->code, 0, 64 * sizeof(page->code[0]));
    if (c->jit) {
        jit_drop_range(c, page->host, off, len);
        jit_each_range(c, page->host, mark_range, page);
    }
    while (*p) {
        struct block *b = *p;
        if (!b->host || (b->off < off + len && off < b->off + b->bytes)) {
            *p = b->page_next;
            unhash(ic, b);
        } else {
            mark(page, b->off, b->bytes);
            p = &b->page_next;
        }
    }
}

/* Called by the bus: [offset, offset+len) of a RAM page with PAGE_CODE was written; never crosses a
 * page. */
static void code_written(void *opaque, struct region *r, u64 offset, u64 len)
{
    struct cpu *c = opaque;
    struct icache *ic = c->icache;
    u64 page = offset >> 12;
    struct code_page **slot = page_slot(ic, r->ram + (page << 12));
    ic->written++;
    if (*slot) {
        unsigned off = offset & 0xfff;
        remember_gaps(c, *slot);
        if (!covered(*slot, off, (unsigned)len)) return;
        /* A page that is hit often is being reused: dropping all of it ends the reports. */
        if (++(*slot)->hits > PAGE_HITS_MAX) drop_range(c, *slot, 0, 0x1000);
        else drop_range(c, *slot, off, (unsigned)len);
        cpu_event_set(c, CE_CODE);
        if ((*slot)->blocks || has_code(*slot)) return;
        remove_page(c, slot);
    }
    r->page_flags[page] &= (u8)~PAGE_CODE;
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
    if (!*slot) {
        *slot = arena_alloc(ic, sizeof(**slot));
        **slot = (struct code_page){ .host = x->host, .code[64] = ~0ull };
        remember_gaps(c, *slot);
        x->rgn->page_flags[x->rgn_off >> 12] |= PAGE_CODE;
        tlb_protect_code(c, x->host);
    }
    struct block *b = arena_alloc(ic, sizeof(*b) + n * sizeof(run[0]));
    *b = (struct block){ .host = x->host,
                         .page_next = (*slot)->blocks,
                         .off = (u16)off,
                         .bytes = (u16)bytes,
                         .total = (u16)bytes,
                         .count = (u16)n,
                         .mode = c->bits };
    if (n) {
        struct block **h = &ic->hash[hash_of(x->host + off, c->bits)];
        memcpy(b->insn, run, n * sizeof(run[0]));
        b->near = ends_near(&run[n - 1]);
        b->hash_next = *h;
        *h = b;
    }
    (*slot)->blocks = b;
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
    b->tail = tail;
    b->total = i.len;
    return b;
}

static struct block *make_block(struct cpu *c, const struct xtlb_entry *x, u64 gla)
{
    struct icache *ic = c->icache;
    struct insn run[BLOCK_MAX];
    unsigned bytes, off = gla & 0xfff;
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
    if (x && b->tail->host && x->host == b->tail->host) return true;
    if (!b->tail->host) unhash(c->icache, b); /* decoded again next time */
    return false;
}

void icache_flush(struct cpu *c)
{
    struct icache *ic = c->icache;
    if (!ic) return;
    memset(ic->hash, 0, HASH_SIZE * sizeof(ic->hash[0]));
    memset(ic->pages, 0, PAGES_SIZE * sizeof(ic->pages[0]));
    memset(ic->jump, 0, sizeof(ic->jump));
    memset(c->code_gap, 0, sizeof(c->code_gap));
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
