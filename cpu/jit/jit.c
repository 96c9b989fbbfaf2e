/* The translator's housekeeping: code memory, translations by page, links, dropping what was
 * written to; running generated code and what it calls. */
#include "cpu/jit/priv.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu/flags.h"
#include "cpu/hostfp.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mem.h"
#include "cpu/pageset.h"
#include "machine/core/clock.h"

#define ARENA_SIZE (32 * MIB)
#define SCRATCH (16 * KIB) /* at its start: what is written when there is no room */
static struct jit_tb *const REFUSED =
    (struct jit_tb *)(uintptr_t)1; /* not worth it, or not possible */

/* ---- memory ---- */

static bool map_code(struct jit *j, struct error *e)
{
    if (j->perf_on && !jit_perf_open(j, e)) return false;
    /* Shared memory without a file, which a limit on the size of files does not concern; a second
     * mapping of it is what mremap() makes of a length of 0. */
    void *rw = mmap(NULL, JIT_CODE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *rx = rw == MAP_FAILED ? MAP_FAILED : mremap(rw, 0, JIT_CODE, MREMAP_MAYMOVE);
    j->rw = rw == MAP_FAILED ? NULL : rw;
    j->rx = rx == MAP_FAILED ? NULL : rx;
    if (j->rw && j->rx && !mprotect(j->rx, JIT_CODE, PROT_READ | PROT_EXEC)) return true;
    error_set(e, "translated code cannot be executed on this system: %m");
    return false;
}

void *jit_alloc(struct jit *j, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (j->arena_used + size > j->arena_size) {
        j->full = true;
        return j->arena; /* SCRATCH: thrown away with the translation */
    }
    void *p = j->arena + j->arena_used;
    j->arena_used += size;
    return p;
}

static void reset_code(struct jit *j)
{
    j->as = (struct as){ .base = j->rw, .at = j->rw, .end = j->rw + (size_t)j->cache_kib * KIB };
    j->arena_used = SCRATCH;
    j->full = false;
    jit_make_thunks(j);
}

static void clear_table(struct cpu *c)
{
    for (unsigned k = 0; k < LEN(c->jit_table); k++) c->jit_table[k].key = k ^ JIT_NO_KEY;
}

bool jit_create(struct cpu *c, const char *engine, struct error *e)
{
    if (!__builtin_cpu_supports("bmi2")) {
        error_set(e, "engine jit needs a processor with BMI2: use --engine interp");
        return false;
    }
    struct jit *j = xalloc(sizeof(*j));
    c->jit = j;
    if (!jit_options(c, engine, e) || !map_code(j, e)) {
        jit_destroy(c);
        return false;
    }
    j->arena = xalloc(ARENA_SIZE);
    j->arena_size = ARENA_SIZE;
    clear_table(c);
    reset_code(j);
    return true;
}

void jit_destroy(struct cpu *c)
{
    struct jit *j = c->jit;
    if (!j) return;
    lockstep_destroy(c);
    if (j->rw) munmap(j->rw, JIT_CODE);
    if (j->rx) munmap(j->rx, JIT_CODE);
    jit_perf_close(j);
    free(j->arena);
    free(j);
    c->jit = NULL;
}

/* ---- keys ---- */

/* A number is never used for two mappings: what was put aside under one can come back. */
static void new_generation(struct cpu *c, unsigned user)
{
    struct jit *j = c->jit;
    if (++j->last_generation[user] == JIT_NO_KEY >> 2) {
        clear_table(c);
        j->last_generation[user] = 1;
        j->epoch[user]++;
        if (!user) j->shared = 0;
    }
    j->generation[user] = j->last_generation[user];
}

/* One privilege's addresses. Its pages with entries are known by a hash: INVLPG of a page without
 * any, which is nearly always data, forgets nothing. The supervisor's hash is that of every
 * address space, and they are forgotten together. */
static void forget(struct cpu *c, unsigned user)
{
    struct jit *j = c->jit;
    new_generation(c, user);
    if (user) {
        memset(j->user_pages, 0, sizeof(j->user_pages));
        j->user_global = false;
    } else {
        memset(j->super_pages, 0, sizeof(j->super_pages));
        j->epoch[0]++;
        j->shared = 0;
    }
}

void jit_forget_addresses(struct cpu *c, bool all)
{
    struct jit *j = c->jit;
    forget(c, 1);
    if (all) j->epoch[1]++;
    if (!all && !j->super_nonglobal) return;
    forget(c, 0);
    j->super_nonglobal = false;
}

/* Supervisor code is nearly always global; then all address spaces have one number for it, `shared`. */
void jit_keep_addresses(struct cpu *c, struct jit_addresses *a)
{
    struct jit *j = c->jit;
    for (unsigned user = 0; user < 2; user++) {
        a->epoch[user] = j->epoch[user];
        a->generation[user] = j->generation[user];
    }
    a->known[0] = j->super_nonglobal;
    a->known[1] = !j->user_global; /* INVLPG with another CR3 would not reach those */
}

void jit_resume_addresses(struct cpu *c, const struct jit_addresses *a)
{
    struct jit *j = c->jit;
    bool own = a->known[0] && a->epoch[0] == j->epoch[0];
    if (!j->super_nonglobal) j->shared = j->generation[0];
    if (own) j->generation[0] = a->generation[0];
    else if (j->super_nonglobal && j->shared) j->generation[0] = j->shared;
    else if (j->super_nonglobal) new_generation(c, 0);
    j->super_nonglobal = own;
    if (a->known[1] && a->epoch[1] == j->epoch[1]) {
        memset(j->user_pages, 0, sizeof(j->user_pages));
        j->user_global = false;
        j->generation[1] = a->generation[1];
    } else {
        forget(c, 1);
    }
}

static u64 *pages_of(struct jit *j, unsigned user, u64 *bits)
{
    *bits = user ? 8 * sizeof(j->user_pages) : 8 * sizeof(j->super_pages);
    return user ? j->user_pages : j->super_pages;
}

void jit_know_page(struct cpu *c, unsigned user, u64 gla)
{
    u64 bits, *pages = pages_of(c->jit, user, &bits);
    pageset_add(pages, bits, gla >> 12);
}

void jit_forget_page(struct cpu *c, u64 gla)
{
    for (unsigned user = 0; user < 2; user++) {
        u64 bits, *pages = pages_of(c->jit, user, &bits);
        if (pageset_has(pages, bits, gla >> 12)) forget(c, user);
    }
}

void jit_set_key(struct cpu *c)
{
    unsigned user = c->cpl == 3, wide = c->bits == BITS64;
    u64 g = (u64)c->jit->generation[user] << 2 | user << 1 | wide;
    c->jit_key = g;
}

static void remember_address(struct cpu *c, const struct jit_tb *tb)
{
    struct jit *j = c->jit;
    u64 gla = c->rip;
    struct jit_entry *e = jit_entry_of(c, gla);
    if (j->no_table) return;
    e->key = gla ^ c->jit_key;
    e->code = (u64)(uintptr_t)(j->rx + tb->far);
    jit_know_page(c, tb->user, gla);
    bool global = c->xtlb[tb->user][(gla >> 12) % XTLB_ENTRIES].global;
    if (tb->user) {
        j->user_global |= global;
    } else if (!global) {
        j->super_nonglobal = true;
        if (j->shared == j->generation[0]) j->shared = 0;
    }
}

/* ---- translations ---- */

static struct jit_page **page_slot(struct jit *j, const u8 *host)
{
    struct jit_page **p = &j->pages[((uintptr_t)host >> 12) % JIT_HASH];
    while (*p && (*p)->host != host) p = &(*p)->next;
    return p;
}

static void unlink_code(struct jit *j, const struct jit_link *l)
{
    as_patch(&j->as, l->field, l->unlinked);
    if (l->charge) st32(j->as.base + l->charge, l->left);
}

static void unlink_in(struct jit *j, struct jit_tb *tb)
{
    for (struct jit_link *l = tb->links_in; l; l = l->next_to) {
        unlink_code(j, l);
        l->to = NULL;
    }
    tb->links_in = NULL;
}

static void unlink_out(struct jit_tb *tb)
{
    for (unsigned k = 0; k < tb->link_count; k++) {
        struct jit_link *l = &tb->links[k];
        if (!l->to) continue;
        struct jit_link **p = &l->to->links_in;
        while (*p && *p != l) p = &(*p)->next_to;
        if (*p) *p = l->next_to;
        l->to = NULL;
    }
}

/* Whoever still has its address from the table leaves at once. */
static void drop(struct jit *j, struct jit_tb *tb)
{
    unlink_in(j, tb);
    for (unsigned k = 0; k < tb->link_count; k++) unlink_code(j, &tb->links[k]);
    unlink_out(tb);
    u8 *at = j->rw + tb->far;
    at[0] = 0xe9;
    as_patch(&j->as, tb->far + 1, j->leave[tb->mode == BITS64]);
    if (tb->block->translation[tb->user] == tb) tb->block->translation[tb->user] = NULL;
    tb->host = NULL;
    j->dropped++;
}

static bool overlaps(const struct jit_tb *tb, unsigned off, unsigned len)
{
    for (unsigned k = 0; k < tb->range_count; k++) {
        if (tb->range[k].off < off + len && off < tb->range[k].off + tb->range[k].len) return true;
    }
    return false;
}

void jit_drop_range(struct cpu *c, const u8 *host, unsigned off, unsigned len, unsigned *lo,
                    unsigned *hi)
{
    struct jit_page *page = *page_slot(c->jit, host);
    if (!page) return;
    struct jit_tb **p = &page->tbs; /* a page without any stays: code that is rewritten comes back */
    while (*p) {
        if (overlaps(*p, off, len)) {
            struct jit_tb *tb = *p;
            for (unsigned k = 0; k < tb->range_count; k++) {
                *lo = MIN(*lo, tb->range[k].off);
                *hi = MAX(*hi, (unsigned)tb->range[k].off + tb->range[k].len);
            }
            *p = tb->page_next;
            drop(c->jit, tb);
        } else {
            p = &(*p)->page_next;
        }
    }
}

void jit_each_range(struct cpu *c, const u8 *host, unsigned off, unsigned end,
                    void (*mark)(void *opaque, unsigned off, unsigned len), void *opaque)
{
    struct jit_page **slot = page_slot(c->jit, host);
    for (struct jit_tb *tb = *slot ? (*slot)->tbs : NULL; tb; tb = tb->page_next) {
        for (unsigned k = 0; k < tb->range_count; k++) {
            const struct range *r = &tb->range[k];
            if (r->off < end && off < (unsigned)r->off + r->len) mark(opaque, r->off, r->len);
        }
    }
}

void jit_flush(struct cpu *c)
{
    struct jit *j = c->jit;
    memset(j->pages, 0, sizeof(j->pages));
    clear_table(c);
    j->pending_reset = true; /* generated code may be running: the memory is reused later */
    j->flushes++;
}

bool jit_possible(const struct cpu *c)
{
    if (c->bits == BITS64) return !(c->cpl == 3 && (c->rflags & FL_AC) && (c->cr0 & CR0_AM));
    const struct seg *cs = &c->seg[SEG_CS];
    return c->bits == BITS32 && c->flat_ds && cs->base == 0 && cs->limit == 0xffffffff &&
           (c->seg[SEG_SS].attr & ATTR_D) &&
           !(c->cpl == 3 && (c->rflags & FL_AC) && (c->cr0 & CR0_AM));
}

/* Vector instructions fault, or an exception of theirs is unmasked. */
bool jit_sse_refused(const struct cpu *c)
{
    return (c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr4 & CR4_OSFXSR) ||
           (c->mxcsr & MXCSR_MASKS) != MXCSR_MASKS;
}

static struct jit_tb *translate(struct cpu *c, struct block *b)
{
    struct jit *j = c->jit;
    struct jop ops[JIT_MAX_OPS];
    struct jit_tb new = {
        .host = b->host, .block = b, .off = b->off, .mode = b->mode, .user = c->cpl == 3
    };
    unsigned n = jit_collect(c, b->host, b->off, b->mode, ops, new.range, &new.range_count),
             handlers = 0;
    for (unsigned k = 0; k < n; k++)
        handlers += ops[k].kind == K_HANDLER && !(ops[k].row_flags & (OF_STR | OF_ENDS));
    if (!n || handlers * 3 > n) return NULL;
    new.x87 = jit_x87_plan(ops, n);
    jit_liveness(ops, n);
    struct jit_tb *tb = jit_alloc(j, sizeof(*tb));
    struct jit_link *links = jit_alloc(j, jit_exits(ops, n) * sizeof(*links));
    if (j->full) return NULL;
    *tb = new;
    tb->links = links;
    u32 start = as_here(&j->as);
    if (!jit_emit(c, tb, ops, n)) {
        j->full = true;
        return NULL;
    }
    j->made++;
    j->insns += n;
    j->bytes += as_here(&j->as) - start;
    if (j->perf) jit_perf_add(j, start, as_here(&j->as) - start, c->rip, c->cpl == 3);
    return tb;
}

static u64 *start_word(struct jit_page *page, unsigned off)
{
    return &page->starts[off >> 6];
}

/* The page is watched already: the block is in it. */
static bool keep(struct cpu *c, struct jit_tb *tb)
{
    struct jit *j = c->jit;
    struct jit_page **slot = page_slot(j, tb->host);
    if (!*slot) {
        struct jit_page *page = jit_alloc(j, sizeof(*page));
        if (j->full) return false;
        *page = (struct jit_page){ .host = tb->host };
        *slot = page;
    }
    tb->page_next = (*slot)->tbs;
    (*slot)->tbs = tb;
    *start_word(*slot, tb->off) |= BIT64(tb->off & 63);
    icache_cover(c, tb->host, tb->range, tb->range_count);
    return true;
}

/* A translation that outlived its block: bytes behind those that it covers were written. */
static struct jit_tb *orphan(struct cpu *c, struct block *b)
{
    struct jit_page *page = *page_slot(c->jit, b->host);
    bool known = page && *start_word(page, b->off) >> (b->off & 63) & 1;
    struct jit_tb *tb = known ? page->tbs : NULL;
    while (tb && !(tb->off == b->off && tb->mode == b->mode && tb->user == (c->cpl == 3)))
        tb = tb->page_next;
    if (tb) tb->block = b;
    return tb;
}

static bool usable(const struct cpu *c, const struct jit_tb *tb)
{
    return tb != REFUSED && jit_possible(c) && !(tb->sse && jit_sse_refused(c)) &&
           !(tb->x87 && jit_x87_refused(c));
}

/* Code memory is used up: everything is translated anew when it runs again, which costs less than
 * keeping account of what is worth to stay (a Debian boot in 1 MiB: 28 times, a quarter slower).
 * Decoded blocks stay and become hot once more: what is not must not fill the memory again. No
 * generated code is running. */
static void drop_all(struct cpu *c)
{
    struct jit *j = c->jit;
    for (unsigned k = 0; k < LEN(j->pages); k++) {
        for (struct jit_page *page = j->pages[k]; page; page = page->next) {
            for (struct jit_tb *tb = page->tbs; tb; tb = tb->page_next) {
                if (tb->block->translation[tb->user] != tb) continue;
                tb->block->translation[tb->user] = NULL;
                tb->block->heat = 0;
            }
        }
    }
    jit_flush(c);
    reset_code(j);
    j->pending_reset = false;
    c->jit_exit = NULL; /* a link that is gone */
}

struct jit_tb *jit_block(struct cpu *c, struct block *b)
{
    struct jit *j = c->jit;
    struct jit_tb **tb = &b->translation[c->cpl == 3];
    if (unlikely(lockstep_second(c))) return NULL;
    if (*tb) return usable(c, *tb) ? *tb : NULL;
    if (likely(b->heat < j->hot)) {
        b->heat++;
        return NULL;
    }
    if (b->crosses || b->mode == BITS16) {
        *tb = REFUSED;
        return NULL;
    }
    if (!jit_possible(c)) return NULL;
    if (j->pending_reset) {
        reset_code(j);
        j->pending_reset = false;
    }
    if (j->full) drop_all(c);
    *tb = orphan(c, b);
    if (*tb) return usable(c, *tb) ? *tb : NULL;
    u64 before = clock_host_ns();
    struct jit_tb *made = translate(c, b);
    j->translate_ns += clock_host_ns() - before;
    if (j->full) return NULL;
    if (made && !keep(c, made)) return NULL;
    *tb = made ? made : REFUSED;
    return made;
}

/* ---- running ---- */

u16 jit_flags_in(const struct cpu *c)
{
    u32 f = cc_flags(c);
    return (u16)(f >> 11 & 1) | (u16)((f & 0xd5) | 2) << 8;
}

void jit_flags_out(struct cpu *c)
{
    cpu_set_arith(c, (u32)(c->jit_flags >> 8 & 0xd5) | (c->jit_flags & 1 ? FL_OF : 0));
}

static void link_to(struct jit *j, struct jit_link *l, struct jit_tb *tb)
{
    if (j->no_links || !l->from->host || l->to || tb->host != l->from->host || tb->off != l->off ||
        tb->user != l->from->user || tb->mode != l->from->mode)
        return;
    as_patch(&j->as, l->field, l->charge ? tb->charged : l->events ? tb->head : tb->quiet);
    if (l->charge) st32(j->as.base + l->charge, l->left - (u32)tb->count);
    l->to = tb;
    l->next_to = tb->links_in;
    tb->links_in = l;
    j->links_made++;
}

typedef void enter_fn(struct cpu *c, const void *code, u64 gla);

/* The same as jit_run, by runs that lockstep.c compares. */
static void run_compared(struct cpu *c, struct jit_tb *tb)
{
    struct jit *j = c->jit;
    while (lockstep_run(c, tb) && !c->events && c->budget && c->jit_exit && !j->single &&
           !j->pending_reset) {
        struct block *b = icache_find(c);
        tb = b && !c->events ? jit_block(c, b) : NULL;
        if (!tb || c->events) break;
        if (c->jit_exit && c->jit_exit != &j->miss) link_to(j, c->jit_exit, tb);
    }
}

void jit_run(struct cpu *c, struct jit_tb *tb)
{
    if (unlikely(c->lockstep && !lockstep_first(c))) {
        run_compared(c, tb);
        return;
    }
    struct jit *j = c->jit;
    enter_fn *enter;
    u64 before = c->budget;
    u8 *at = j->rx + j->enter[c->bits == BITS64];
    memcpy(&enter, &at, sizeof(enter));
    jit_set_key(c);
    c->jit_flags = jit_flags_in(c);
    c->jit_sse = false;
    c->jit_refuse = jit_sse_refused(c);
    c->jit_mxcsr = c->mxcsr | HOST_MXCSR;
    c->jit_host_mxcsr = HOST_MXCSR;
    j->entries++;
    for (;;) {
        remember_address(c, tb);
        c->jit_page = c->rip & ~0xfffull;
        c->jit_exit = NULL;
        enter(c, j->rx + tb->head, c->rip);
        j->exits++;
        /* jit_exit: what comes next is a block's start. Without budget not even its fetch, which may
         * fault, is due before the timers have run. */
        if (c->events || !c->budget || !c->jit_exit || lockstep_first(c)) break;
        struct block *b = icache_find(c);
        tb = b && !c->events ? jit_block(c, b) : NULL;
        if (!tb || c->events) break;
        if (c->jit_exit && c->jit_exit != &j->miss) link_to(j, c->jit_exit, tb);
    }
    if (c->jit_x87) jit_x87_unload(c);
    jit_flags_out(c);
    c->mxcsr |= c->jit_mxcsr & 0x3f;
    if (unlikely(j->flush_tlb) && c->budget != before) tlb_flush_all(c);
    if (unlikely(j->flush_code) && c->budget != before) icache_flush(c);
}

/* ---- called by generated code ---- */

void jit_enter_c(struct cpu *c, const struct site *s)
{
    c->insn_rip = c->jit_page + s->off;
    c->rip = c->jit_page + s->next;
    c->icache->cur = s->insn ? s->insn : c->jit->place;
    c->icache->end = c->icache->cur + s->left;
}

static void leave_c(struct cpu *c)
{
    c->icache->cur = c->icache->end = NULL;
}

u64 jit_handler_call(struct cpu *c, const struct site *s)
{
    c->jit->handlers++;
    jit_enter_c(c, s);
    u64 next = c->rip;
    if (s->flags) jit_flags_out(c);
    if (s->x87 && c->jit_x87) jit_x87_unload(c);
    s->insn->fn(c, s->insn);
    if (s->flags) c->jit_flags = jit_flags_in(c);
    leave_c(c);
    if (likely(!c->events && c->rip == next)) return 0;
    c->budget += s->left - 1u;
    return 1;
}

static u64 site_offset(const struct cpu *c, const struct site *s, u64 gla)
{
    if (s->seg < SEG_FS) return gla;
    u64 off = gla - c->seg[s->seg].base;
    return c->bits == BITS64 ? off : (u32)off;
}

/* The TLB has the page now: nearly always the operand is plain memory inside it, and the instruction
 * may as well work there. */
static void *direct(struct cpu *c, const struct site *s, u64 gla)
{
    const struct tlb_entry *e = tlb_slot(c, gla);
    u64 page = gla & ~0xfffull;
    if ((gla & 0xfff) + s->size > 0x1000) return NULL;
    if (s->kind != SITE_WRITE && e->tag_r != page) return NULL;
    if (s->kind != SITE_READ && e->tag_w != page) return NULL;
    return (void *)(uintptr_t)(gla + e->off);
}

/* A device's register: the instruction works on the buffer, the thunk above `jit_slow_after` writes. */
static bool device_access(struct cpu *c, const struct site *s, u64 gla)
{
    if (s->seg >= SEG_FS || s->aligned || s->kind == SITE_RMW) return false;
    if (s->kind == SITE_WRITE) return mem_device_knows(c, gla, s->size);
    return mem_device_read(c, gla, c->jit->buffer.b, s->size);
}

void *jit_slow_access(struct cpu *c, const struct site *s, u64 gla)
{
    struct jit *j = c->jit;
    u64 off = site_offset(c, s, gla);
    bool ok = true;
    j->slow_gla = gla;
    if (s->kind == SITE_READ)
        j->slow_reads++;
    else
        j->slow_writes++;
    jit_enter_c(c, s);
    j->slow_direct = false;
    if (device_access(c, s, gla)) {
        leave_c(c);
        if (s->x87) c->jit_fdp = gla;
        return j->buffer.b;
    }
    if (s->aligned && (gla & 15)) {
        exc_gp0(c);
        ok = false;
    }
    if (s->kind != SITE_READ) ok = ok && mem_slow_probe(c, s->seg, off, s->size);
    else if ((gla & 0xfff) + s->size <= 0x1000) ok = ok && mem_slow_touch(c, s->seg, off, s->size);
    void *host = ok ? direct(c, s, gla) : NULL;
    if (host) {
        leave_c(c);
        if (s->x87) c->jit_fdp = gla;
        j->slow_direct = true;
        return host;
    }
    if (s->kind != SITE_WRITE) ok = ok && mem_slow_read(c, s->seg, off, j->buffer.b, s->size);
    leave_c(c);
    if (ok && s->x87) c->jit_fdp = gla;
    if (ok) return j->buffer.b;
    c->budget += s->left - 1u;
    return NULL;
}

u64 jit_slow_after(struct cpu *c, const struct site *s)
{
    struct jit *j = c->jit;
    u32 generation = c->bus_generation;
    jit_enter_c(c, s);
    bool memory = s->kind == SITE_READ || j->slow_direct;
    if (!memory && !(s->kind == SITE_WRITE && s->seg < SEG_FS &&
                     mem_device_write(c, j->slow_gla, j->buffer.b, s->size)))
        mem_slow_write(c, s->seg, site_offset(c, s, j->slow_gla), j->buffer.b, s->size);
    if (unlikely(c->bus_generation != generation))
        cpu_event_set(c, CE_CODE); /* a device moved a mapping that the superblock may rely on */
    leave_c(c);
    if (likely(!c->events) || s->quiet) return 0;
    c->budget += s->left - 1u;
    return 1;
}

void jit_info(struct cpu *c, struct text *t)
{
    const struct jit *j = c->jit;
    text_add(t,
             "translations: %llu made of %llu instructions, %llu dropped by writes, %llu flushes\n",
             (unsigned long long)j->made, (unsigned long long)j->insns,
             (unsigned long long)j->dropped, (unsigned long long)j->flushes);
    text_add(t, "host code: %llu bytes, %.1f per guest instruction; %u of %u KiB used\n",
             (unsigned long long)j->bytes, j->insns ? (double)j->bytes / (double)j->insns : 0.0,
             as_here(&j->as) / (unsigned)KIB, j->cache_kib);
    text_add(t,
             "entered %llu times, left %llu times, %llu links; slow reads %llu, slow writes %llu, "
             "handlers called %llu, system instructions %llu\n",
             (unsigned long long)j->entries, (unsigned long long)j->exits,
             (unsigned long long)j->links_made, (unsigned long long)j->slow_reads,
             (unsigned long long)j->slow_writes, (unsigned long long)j->handlers,
             (unsigned long long)j->systems);
    double k = cpu_icount(c) ? 1000.0 / (double)cpu_icount(c) : 0;
    text_add(t,
             "per 1000 instructions: look-ups %.3f, slow accesses %.3f, handlers %.3f; "
             "translation took %.1f ms, %.0f ns per guest instruction\n",
             (double)j->exits * k, (double)(j->slow_reads + j->slow_writes) * k,
             (double)j->handlers * k, (double)j->translate_ns / 1e6,
             j->insns ? (double)j->translate_ns / (double)j->insns : 0.0);
    lockstep_info(c, t);
}
