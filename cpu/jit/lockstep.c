/* Trust in the translator: a superblock runs as host code, its results are put aside, registers and
 * memory go back to what they were, the interpreter executes exactly as many instructions, and both
 * results are compared: everything in struct cpu that a program can see, events, faults, the number
 * of instructions, and every byte of the pages that either wrote. The interpreter's results stay.
 *
 * Memory: a store needs a TLB entry with a write tag. lockstep_granted() is told about every such
 * tag, lockstep_write() about writes that go another way, and before the first write to a page its
 * 4096 bytes are copied. Pages written lately keep their tags from one superblock to the next
 * (their copies are made anew), so that stores take the fast path of generated code here, too; all
 * other write tags are dropped before a superblock starts.
 *
 * What cannot be undone (device registers, ports, flushing the TLB, accessed and dirty bits that go
 * with an entry of it) or would not come out the same (time) ends the first run on the spot:
 * everything goes back and the interpreter executes that block alone.
 *
 * A difference is a bug of the translator or of the interpreter; the report says which
 * instructions, from which state, and what differs, and the program aborts: nothing it would do
 * from here on is worth having, and fuzzers and scripts see it.
 *
 * Left out: 16-bit code (the interpreter's anyway), device state. */
#include "cpu/jit/lockstep.h"

#include <setjmp.h>
#include <stdio.h>  /* the report */
#include <stdlib.h> /* abort, free */

#include "cpu/icache.h"
#include "cpu/jit/priv.h"

enum {
    MAX_PAGES = 320, /* a string instruction may write 65536 bytes; twice over, and page tables */
    KEPT_PAGES = 2,  /* whose tags stay from run to run */
    SLOTS = 64,
    AUDIT = 4096, /* runs between two looks for write tags that nobody told about */
};
#define STATE_SIZE offsetof(struct cpu, env)
#define QUIET (CE_CODE | CE_MODE | CE_KICK) /* events that say nothing about the program */

enum phase { FREE, FIRST, SECOND };

/* The copies stand off from addresses with the page's own low 12 bits, which processors mistake for
 * the same while they copy. */
struct saved_page {
    u8 *host;
    bool changed; /* by the first run */
    u8 before[4096] __attribute__((aligned(2048)));
    u8 gap[512], after[4096];
} __attribute__((aligned(4096)));

struct state { /* of struct cpu, and its arithmetic flags put together */
    u8 bytes[STATE_SIZE];
    u32 flags, events;
    u64 base; /* icount_base: a string instruction's work beyond the slice is added there */
} __attribute__((aligned(64)));

struct lockstep {
    enum phase phase;
    unsigned run;
    jmp_buf away;
    struct slot {
        struct tlb_entry *e;
        u64 tag;
        u8 *host;
    } slots[SLOTS];                  /* entries with write tags, oldest first */
    unsigned slot_count, page_count; /* the first page_count of pages[] are in use */
    bool overflow;
    bool stale; /* memory may have changed since the last run: DMA, events */
    u64 end;    /* instruction count behind the last run */
    struct saved_page *pages[MAX_PAGES];
    struct state start, first, second;
    u64 left; /* of the budget behind the first run */
    u64 runs, insns, once, walked;
};

void lockstep_create(struct cpu *c, unsigned run)
{
    struct lockstep *l = aligned_alloc(64, (sizeof(*l) + 63) & ~(size_t)63);
    check(l != NULL);
    memset(l, 0, sizeof(*l));
    l->run = run;
    for (unsigned k = 0; k < MAX_PAGES; k++) {
        l->pages[k] = aligned_alloc(4096, sizeof(*l->pages[0]));
        check(l->pages[k] != NULL);
    }
    l->stale = true;
    c->lockstep = l;
}

void lockstep_destroy(struct cpu *c)
{
    if (!c->lockstep) return;
    for (unsigned k = 0; k < MAX_PAGES; k++) free(c->lockstep->pages[k]);
    free(c->lockstep);
    c->lockstep = NULL;
}

bool lockstep_first(const struct cpu *c)
{
    return c->lockstep && c->lockstep->phase == FIRST;
}

bool lockstep_second(const struct cpu *c)
{
    return c->lockstep && c->lockstep->phase == SECOND;
}

/* ---- memory ---- */

/* By the library: an inline REP MOVS of this size is several times slower. */
static void copy_page(u8 *to, const u8 *from)
{
    size_t n = 4096;
    __asm__("" : "+r"(n));
    memcpy(to, from, n);
}

static bool has_page(const struct lockstep *l, const u8 *host)
{
    for (unsigned k = 0; k < l->page_count; k++) {
        if (l->pages[k]->host == host) return true;
    }
    return false;
}

static bool save_page(struct lockstep *l, u8 *host)
{
    if (has_page(l, host)) return true;
    if (l->page_count == MAX_PAGES) return false;
    struct saved_page *p = l->pages[l->page_count++];
    p->host = host;
    p->changed = false;
    copy_page(p->before, host);
    return true;
}

/* The entry lets some stores through: all, or those beside the code of the page. */
static bool grants(const struct tlb_entry *e)
{
    return e->tag_w != ~0ull && (!(e->tag_w & TLB_SLOW) || (e->tag_w & TLB_CODE));
}

static bool still(const struct slot *s) /* the page may have got code since */
{
    return grants(s->e) && !((s->e->tag_w ^ s->tag) & ~0xfffull) &&
           (s->e->tag_w & ~0xfffull) + s->e->off == (u64)(uintptr_t)s->host;
}

static void drop_tag(const struct slot *s)
{
    if (still(s)) s->e->tag_w = ~0ull;
}

void lockstep_tag(struct cpu *c, struct tlb_entry *e)
{
    struct lockstep *l = c->lockstep;
    struct slot s = { e, e->tag_w, (u8 *)(uintptr_t)((e->tag_w & ~0xfffull) + e->off) };
    if (l->phase != FREE) lockstep_page(c, s.host, false);
    if (l->slot_count == SLOTS) {
        if (l->phase != FREE) { /* the page is saved; the tag is dropped when the next run starts */
            l->overflow = true;
            return;
        }
        drop_tag(&l->slots[0]);
        memmove(l->slots, l->slots + 1, --l->slot_count * sizeof(s));
    }
    l->slots[l->slot_count++] = s;
}

void lockstep_page(struct cpu *c, u8 *host, bool walk)
{
    struct lockstep *l = c->lockstep;
    if (l->phase == FREE) { /* the fetch between two runs, say */
        l->stale = true;
        return;
    }
    if (walk && l->phase == FIRST) {
        l->walked++;
        lockstep_leave(c);
    }
    host -= (uintptr_t)host & 0xfff;
    if (save_page(l, host)) return;
    if (l->phase == FIRST) lockstep_leave(c);
}

void lockstep_disturbed(struct cpu *c)
{
    c->lockstep->stale = true;
}

void lockstep_leave(struct cpu *c)
{
    if (c->lockstep->phase == FIRST) longjmp(c->lockstep->away, 1);
}

static void drop_all_tags(struct cpu *c)
{
    for (unsigned u = 0; u < 2; u++) {
        for (unsigned k = 0; k < TLB_ENTRIES; k++) {
            struct tlb_entry *e = &c->tlb[u][k];
            if (grants(e)) e->tag_w = ~0ull;
        }
    }
    c->lockstep->slot_count = 0;
    c->lockstep->overflow = false;
}

static bool known(const struct lockstep *l, const struct tlb_entry *e)
{
    for (unsigned k = 0; k < l->slot_count; k++) {
        if (l->slots[k].e == e && still(&l->slots[k])) return true;
    }
    return false;
}

/* No store may have a way around the copies. */
static void audit(const struct cpu *c)
{
    for (unsigned u = 0; u < 2; u++) {
        for (unsigned k = 0; k < TLB_ENTRIES; k++) {
            const struct tlb_entry *e = &c->tlb[u][k];
            check(!grants(e) || known(c->lockstep, e));
        }
    }
}

/* Takes over the copy of the run before, when nothing else has run since; `old` pages have one. */
static void keep_page(struct lockstep *l, u8 *host, unsigned old)
{
    for (unsigned k = 0; k < old; k++) {
        struct saved_page *p = l->pages[k];
        if (p->host != host) continue;
        if (k < l->page_count) return;
        l->pages[k] = l->pages[l->page_count];
        l->pages[l->page_count++] = p;
        if (p->changed) copy_page(p->before, p->after);
        p->changed = false;
        return;
    }
    if (l->page_count < old) { /* the next entry belongs to a page that may still be wanted */
        struct saved_page *p = l->pages[l->page_count];
        l->pages[l->page_count] = l->pages[old - 1];
        l->pages[old - 1] = p;
    }
    save_page(l, host);
}

/* Copies of the pages that were written last; every other page loses its write tags. */
static void begin_memory(struct cpu *c)
{
    struct lockstep *l = c->lockstep;
    struct slot keep[SLOTS];
    unsigned n = 0, old = l->stale || cpu_icount(c) != l->end ? 0 : l->page_count;
    if (l->overflow) drop_all_tags(c);
    l->page_count = 0;
    for (unsigned k = 0; k < old && l->page_count < KEPT_PAGES; k++) {
        if (l->pages[k]->changed) keep_page(l, l->pages[k]->host, old); /* with a tag or without */
    }
    for (unsigned k = l->slot_count; k-- > 0;) {
        struct slot *s = &l->slots[k];
        bool again = false;
        for (unsigned m = 0; m < n; m++) again |= keep[m].e == s->e;
        if (again || !still(s)) continue;
        if (l->page_count < KEPT_PAGES || has_page(l, s->host)) {
            keep_page(l, s->host, old);
            keep[n++] = *s;
        } else {
            drop_tag(s);
        }
    }
    for (unsigned k = 0; k < n; k++) l->slots[k] = keep[n - 1 - k];
    l->slot_count = n;
    if (l->runs % AUDIT == 0) audit(c);
}

/* Puts aside what the first run wrote. */
static void undo_memory(struct lockstep *l)
{
    for (unsigned k = 0; k < l->page_count; k++) {
        struct saved_page *p = l->pages[k];
        p->changed = memcmp(p->host, p->before, sizeof(p->before)) != 0;
        if (!p->changed) continue;
        copy_page(p->after, p->host);
        copy_page(p->host, p->before);
    }
}

/* ---- registers ---- */

static void save_state(struct cpu *c, struct state *s)
{
    memcpy(s->bytes, c, STATE_SIZE);
    for (unsigned k = 0; k < 8; k++) /* padding of struct f80 */
        memset(s->bytes + offsetof(struct cpu, fpr[k]) + 10, 0, sizeof(struct f80) - 10);
    if (c->bits != BITS64) /* behind 4 GiB: the interpreter's next fetch wraps it */
        st64(s->bytes + offsetof(struct cpu, rip), (u32)c->rip);
    s->flags = cpu_flags(c);
    s->events = c->events;
    s->base = c->icount_base;
}

static void restore_state(struct cpu *c, const struct state *s)
{
    size_t at = offsetof(struct cpu, events), end = at + sizeof(c->events);
    memcpy(c, s->bytes, at);
    memcpy((u8 *)c + end, s->bytes + end, STATE_SIZE - end);
    c->icount_base = s->base;
    if (!(c->rflags & FL_AC)) smap_close(c);
    cpu_event_clear(c, ~(u32)CE_KICK); /* another thread sets that one at any time */
    cpu_event_set(c, s->events & ~(u32)CE_KICK);
}

/* Names for the report, of what translated code can change. */
#define ROW(f) { #f, offsetof(struct cpu, f), sizeof(((struct cpu *)0)->f) }
static const struct row {
    const char *name;
    u32 offset, size;
} rows[] = {
    ROW(r[RAX]),       ROW(r[RCX]),      ROW(r[RDX]),    ROW(r[RBX]),      ROW(r[RSP]),
    ROW(r[RBP]),       ROW(r[RSI]),      ROW(r[RDI]),    ROW(r[R8]),       ROW(r[R9]),
    ROW(r[R10]),       ROW(r[R11]),      ROW(r[R12]),    ROW(r[R13]),      ROW(r[R14]),
    ROW(r[R15]),       ROW(zero),        ROW(rip),       ROW(cpl),         ROW(bits),
    ROW(seg),          ROW(cr0),         ROW(cr2),       ROW(cr3),         ROW(cr4),
    ROW(dr),           ROW(fpr[0]),      ROW(fpr[1]),    ROW(fpr[2]),      ROW(fpr[3]),
    ROW(fpr[4]),       ROW(fpr[5]),      ROW(fpr[6]),    ROW(fpr[7]),      ROW(fcw),
    ROW(fsw),          ROW(ftw),         ROW(fop),       ROW(fip),         ROW(fdp),
    ROW(fcs),          ROW(fds),         ROW(ignne),     ROW(v[0]),        ROW(v[1]),
    ROW(v[2]),         ROW(v[3]),        ROW(v[4]),      ROW(v[5]),        ROW(v[6]),
    ROW(v[7]),         ROW(v[8]),        ROW(v[9]),      ROW(v[10]),       ROW(v[11]),
    ROW(v[12]),        ROW(v[13]),       ROW(v[14]),     ROW(v[15]),       ROW(mxcsr),
    ROW(fault_vector), ROW(fault_error), ROW(fault_cr2), ROW(pending_dr6), ROW(shadow),
    ROW(sti_icount),
};

static bool same_registers(const struct state *a, const struct state *b)
{
    size_t low = sizeof(((struct cpu *)0)->r), high = offsetof(struct cpu, cpl),
           at = offsetof(struct cpu, insn_rip);
    return !memcmp(a->bytes, b->bytes, low) && a->flags == b->flags && a->base == b->base &&
           !((a->events ^ b->events) & ~(u32)QUIET) &&
           (!(a->events & CE_FAULT) || !memcmp(a->bytes + at, b->bytes + at, 8)) &&
           !memcmp(a->bytes + high, b->bytes + high, STATE_SIZE - high);
}

/* What the second run left against what the first one did. */
static bool same_memory(const struct lockstep *l)
{
    for (unsigned k = 0; k < l->page_count; k++) {
        const struct saved_page *p = l->pages[k];
        if (memcmp(p->host, p->changed ? p->after : p->before, 4096)) return false;
    }
    return true;
}

/* ---- the report ---- */

static void put_hex(struct text *t, const u8 *p, unsigned n)
{
    while (n--) text_add(t, "%02x", p[n]);
}

static void report_registers(const struct lockstep *l, struct text *t)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        const u8 *a = l->first.bytes + rows[k].offset, *b = l->second.bytes + rows[k].offset;
        if (!memcmp(a, b, rows[k].size)) continue;
        text_add(t, "  %s: translated ", rows[k].name);
        put_hex(t, a, rows[k].size);
        text_add(t, ", interpreted ");
        put_hex(t, b, rows[k].size);
        text_add(t, "\n");
    }
    size_t high = offsetof(struct cpu, cpl);
    for (size_t k = high; k < STATE_SIZE; k++) {
        if (l->first.bytes[k] == l->second.bytes[k]) continue;
        text_add(t, "  first byte that differs behind the registers: %zu of struct cpu\n", k);
        break;
    }
    text_add(t, "  flags: translated %x, interpreted %x; events: %x, %x\n", l->first.flags,
             l->second.flags, l->first.events, l->second.events);
    text_add(t, "  strings' work beyond the slice: translated %llu, interpreted %llu\n",
             (unsigned long long)(l->first.base - l->start.base),
             (unsigned long long)(l->second.base - l->start.base));
}

static void report_memory(const struct lockstep *l, struct text *t)
{
    for (unsigned k = 0; k < l->page_count; k++) {
        const struct saved_page *p = l->pages[k];
        const u8 *first = p->changed ? p->after : p->before;
        unsigned told = 0;
        for (unsigned m = 0; m < 4096 && told < 16; m++) {
            if (p->host[m] == first[m]) continue;
            text_add(
                t,
                "  byte %03x of the page at host %p: was %02x, translated %02x, interpreted %02x\n",
                m, (const void *)p->host, p->before[m], first[m], p->host[m]);
            told++;
        }
    }
}

/* The superblock that the first run started with; registers and memory are those of the start. */
static void report_code(struct cpu *c, const struct jit_tb *tb, struct text *t)
{
    struct jop ops[JIT_MAX_OPS];
    struct range ranges[8];
    u8 range_count;
    if (!tb->host) return;
    unsigned n = jit_collect(c, tb->host, tb->off, tb->mode, ops, ranges, &range_count);
    for (unsigned k = 0; k < n; k++) {
        u64 at = (c->rip & ~0xfffull) + ops[k].off;
        text_add(t, "  %llx: ", (unsigned long long)at);
        for (unsigned m = 0; m < ops[k].i.len; m++) text_add(t, "%02x", tb->host[ops[k].off + m]);
        text_add(t, "  ");
        cpu_disasm(c, at, t);
        text_add(t, "\n");
    }
}

static void report(struct cpu *c, const struct jit_tb *tb, u64 n)
{
    struct lockstep *l = c->lockstep;
    struct text t;
    text_init(&t);
    text_add(&t,
             "lockstep: translated code and the interpreter differ after %llu instructions "
             "(%llu left to the interpreter), instruction count %llu\n",
             (unsigned long long)n, (unsigned long long)l->left, (unsigned long long)cpu_icount(c));
    text_add(&t, "difference:\n");
    report_registers(l, &t);
    report_memory(l, &t);
    for (unsigned k = 0; k < l->page_count; k++)
        memcpy(l->pages[k]->host, l->pages[k]->before, sizeof(l->pages[k]->before));
    restore_state(c, &l->start);
    text_add(&t, "code:\n");
    report_code(c, tb, &t);
    text_add(&t, "state before:\n");
    cpu_info_registers(c, &t);
    restore_state(c, &l->first);
    text_add(&t, "state after translated code:\n");
    cpu_info_registers(c, &t);
    restore_state(c, &l->second);
    text_add(&t, "state after the interpreter:\n");
    cpu_info_registers(c, &t);
    fputs(t.s, stderr);
    abort();
}

/* ---- the two runs ---- */

/* False: it did something that happens only once; everything is as before. */
static bool first_run(struct cpu *c, struct jit_tb *tb)
{
    struct lockstep *l = c->lockstep;
    l->phase = FIRST;
    if (!setjmp(l->away)) {
        jit_run(c, tb);
        l->phase = FREE;
        return true;
    }
    l->phase = FREE;
    c->icache->cur = c->icache->end = NULL;
    if (c->jit_x87) jit_x87_unload(c); /* the unit is the interpreter's again */
    undo_memory(l);
    restore_state(c, &l->start);
    l->once++;
    return false;
}

static void second_run(struct cpu *c, u64 n)
{
    struct lockstep *l = c->lockstep;
    c->budget = n;
    l->phase = SECOND;
    while (c->budget && !(c->events & ~(u32)QUIET)) {
        cpu_event_clear(c, CE_CODE | CE_MODE);
        interp_run(c);
    }
    l->phase = FREE;
    l->left = c->budget;
}

/* Both runs from l->start; `limit` is the budget. Returns how many instructions the first one took;
 * 0: nothing happened. */
static u64 both_runs(struct cpu *c, struct jit_tb *tb, u64 limit, bool *same)
{
    struct lockstep *l = c->lockstep;
    u64 slice = c->slice, rest = c->budget - limit;
    *same = true;
    c->slice -= rest;
    c->budget = limit;
    save_state(c, &l->start);
    bool done = first_run(c, tb);
    u64 n = done ? limit - c->budget : 0;
    if (n) {
        save_state(c, &l->first);
        undo_memory(l);
        restore_state(c, &l->start);
        c->slice -= limit - n;
        second_run(c, n);
        save_state(c, &l->second);
        *same = !l->left && same_registers(&l->first, &l->second) && same_memory(l);
    }
    c->budget += slice - c->slice;
    c->slice = slice;
    u64 beyond = MIN(c->icount_base - l->start.base, rest); /* of the limit, not of the slice */
    c->budget -= beyond;
    c->icount_base -= beyond;
    return n;
}

bool lockstep_run(struct cpu *c, struct jit_tb *tb)
{
    struct lockstep *l = c->lockstep;
    bool same;
    begin_memory(c);
    l->runs++;
    u64 limit = l->run && c->budget > l->run ? l->run : c->budget;
    u64 n = both_runs(c, tb, limit, &same);
    l->insns += n;
    l->end = cpu_icount(c);
    l->stale = !n || (c->events & ~(u32)(CE_CODE | CE_MODE));
    if (unlikely(!same)) report(c, tb, n);
    return n;
}

void lockstep_info(const struct cpu *c, struct text *t)
{
    const struct lockstep *l = c->lockstep;
    if (!l) return;
    text_add(t,
             "lockstep: %llu runs of %llu instructions compared; %llu left alone for I/O or time, "
             "%llu for accessed or dirty bits\n",
             (unsigned long long)l->runs, (unsigned long long)l->insns,
             (unsigned long long)(l->once - l->walked), (unsigned long long)l->walked);
}
