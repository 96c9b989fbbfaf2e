/* The interpreter: executes blocks of decoded instructions (icache.h) by calling their handlers,
 * and single instructions whenever something must be looked at between them.
 *
 * Everything that interrupts the flow is a bit in c->events, tested once after every instruction.
 * The fast loop (run_blocks) knows none of them; it returns and cpu_run() sorts them out in the
 * order of SDM 3A 6.9: faults of the instruction, debug traps, then interrupts at the boundary.
 * Conditions that last (single step, breakpoints, the shadow of STI and MOV SS, RF) make cpu_run()
 * call step() instead, which decodes afresh and executes one instruction.
 *
 * The budget is charged per block and what was not executed is given back, so that cpu_icount() is
 * exact at any time: icache.cur says which instruction of the block is running. */
#include "cpu/icache.h"

#include "cpu/jit/jit.h"
#include "cpu/jit/lockstep.h"

#include "machine/core/trace.h"

#define SLOW_EVENTS (CE_TRAP | CE_SHADOW | CE_BREAK | CE_DRX | CE_RF)
#define DR6_BS 0x4000u

u64 cpu_icount(const struct cpu *c)
{
    const struct icache *ic = c->icache;
    return c->icount_base + c->slice - c->budget - (u64)(ic->end - ic->cur);
}

/* ---- one instruction ---- */

/* Appends the bytes of the page at gla to buf; at most n. NULL page: fault raised. */
static bool fetch_page(struct cpu *c, u64 gla, u8 *buf, unsigned n)
{
    const struct xtlb_entry *x = mmu_code_page(c, gla);
    if (!x) return false;
    if (x->host) {
        memcpy(buf, x->host + (gla & 0xfff), n);
        return true;
    }
    for (unsigned k = 0; k < n; k++) buf[k] = (u8)bus_read(c->mem, x->gpa | ((gla + k) & 0xfff), 1);
    return true;
}

/* Decodes the instruction at CS:RIP with every check: limit, page rights of both pages, length.
 * False: fault raised. */
static bool fetch_insn(struct cpu *c, struct insn *i)
{
    u8 buf[INSN_MAX_LEN];
    u64 rip = c->rip, gla = code_base(c) + rip, room = INSN_MAX_LEN;
    struct decode_mode *mode = &c->icache->mode;
    mode->bits = c->bits;
    if (c->bits != BITS64) {
        if (rip > c->seg[SEG_CS].limit) {
            exc_gp0(c);
            return false;
        }
        room = MIN(room, c->seg[SEG_CS].limit - rip + 1);
        gla = (u32)gla;
    }
    unsigned have = (unsigned)MIN(room, 0x1000 - (gla & 0xfff));
    if (!fetch_page(c, gla, buf, have)) return false;
    enum decode_result r = decode_insn(mode, buf, have, i);
    if (r == DECODE_MORE && have < room) {
        u64 next = gla + have;
        if (!fetch_page(c, c->bits == BITS64 ? next : (u32)next, buf + have, (unsigned)room - have))
            return false;
        r = decode_insn(mode, buf, (unsigned)room, i);
    }
    if (r == DECODE_OK) return true;
    exc_gp0(c); /* longer than 15 bytes, or it runs over the limit */
    return false;
}

/* Executes one instruction; the caller looks at the events. Charges one instruction. */
static void step(struct cpu *c)
{
    struct insn i;
    bool single_step = c->rflags & FL_TF, resume = c->rflags & FL_RF;
    if (c->bits != BITS64) c->rip = (u32)c->rip;
    c->insn_rip = c->rip;
    c->shadow = 0;
    c->no_step = false;
    cpu_event_clear(c, CE_SHADOW);
    TRACE(insn, c->seg[SEG_CS].sel, c->rip, c->r[RAX], c->r[RSP]);
    c->budget--;
    if (!fetch_insn(c, &i)) return;
    c->rip += i.len;
    c->icache->cur = &i;
    c->icache->end = &i + 1;
    i.fn(c, &i);
    c->icache->cur = c->icache->end = NULL;
    if (c->events & CE_FAULT) return;
    if (resume && c->rip != c->insn_rip) { /* a repeated string instruction that goes on keeps RF */
        c->rflags &= ~(u64)FL_RF;
        cpu_event_clear(c, CE_RF);
    }
    if (single_step && !c->no_step) {
        c->pending_dr6 |= DR6_BS;
        cpu_event_set(c, CE_TRAP);
    }
}

/* ---- blocks ---- */

/* Block at CS:RIP, or NULL: take a step. */
struct block *icache_find(struct cpu *c)
{
    struct icache *ic = c->icache;
    u64 gla = c->rip;
    if (c->bits != BITS64) {
        if (unlikely(gla > c->seg[SEG_CS].limit)) {
            if (!(gla >> 32)) return NULL;
            c->rip = gla = (u32)gla; /* behind the last byte of 4 GiB comes the first */
        }
        gla = (u32)(gla + c->seg[SEG_CS].base);
    }
    const struct xtlb_entry *x = &c->xtlb[c->cpl == 3][(gla >> 12) % XTLB_ENTRIES];
    if (unlikely(c->bus_generation != c->mem->generation || x->tag != (gla & ~0xfffull))) {
        c->insn_rip = c->rip;
        x = mmu_code_page(c, gla);
        if (!x) return NULL;
    }
    struct jump_slot *j = &ic->jump[(gla ^ gla >> 12) % JUMP_SLOTS];
    struct block *b = j->block;
    if (unlikely(!b || j->gla != gla || b->host != x->host || b->off != (gla & 0xfff) ||
                 b->mode != c->bits)) {
        c->insn_rip = c->rip;
        b = icache_block(c, x, gla);
        if (!b) return NULL;
        j->gla = gla;
        j->block = b;
    }
    if (unlikely(b->crosses)) {
        if (c->bits != BITS64 && c->rip + b->total - 1 > c->seg[SEG_CS].limit) return NULL;
        c->insn_rip = c->rip;
        if (!icache_tail_ok(c, b, gla)) return NULL;
    }
    return b;
}

/* The block that follows b, found through its links when the target is in the same page. minus_page
 * + RIP = offset in that page. */
static inline struct block *follow(struct cpu *c, struct block *b, u64 minus_page)
{
    u64 off = c->rip + minus_page;
    if (likely(off < 0x1000 && b->near)) {
        u32 place = (u32)off | (u32)b->mode << 16;
        struct block *l = b->link[0];
        if (likely(l && l->place == place && l->host == b->host)) return l;
        l = b->link[1];
        if (likely(l && l->place == place && l->host == b->host)) return l;
        u64 flushed = c->icache->flushed;
        l = icache_find(c);
        if (l && l->host == b->host && !l->crosses && c->icache->flushed == flushed) {
            b->link[1] = b->link[0];
            b->link[0] = l;
        }
        return l;
    }
    return icache_find(c);
}

/* Runs until an event bit is set, the budget is used up, or there is no block (then at least one
 * step is due). False: no block. */
static bool run_blocks(struct cpu *c)
{
    struct icache *ic = c->icache;
    struct block *b = icache_find(c);
    if (unlikely(!b)) return false;
    const struct insn *i, *end;
    for (;;) {
        /* An event that waits (NMI in its handler) would end generated code before it begins. */
        struct jit_tb *tb = c->jit && !c->events ? jit_block(c, b) : NULL;
        if (tb) {
            ic->cur = ic->end = NULL;
            jit_run(c, tb);
            if (c->events || !c->budget) return true;
            b = icache_find(c); /* what generated code cannot do: the interpreter's turn, once */
            if (!b) return !!c->events;
        }
        u64 rip = c->rip;
        u64 minus_page = b->off - rip; /* RIP + this = offset in b's page */
        if (c->bits != BITS64 && unlikely(rip + b->total - 1 > c->seg[SEG_CS].limit)) {
            ic->cur = ic->end = NULL;
            return false;
        }
        u64 n = b->count;
        if (unlikely(n > c->budget)) n = c->budget;
        c->budget -= n;
        i = b->insn;
        ic->end = end = i + n;
        do {
            ic->cur = i;
            c->insn_rip = rip;
            rip += i->len;
            c->rip = rip;
            i->fn(c, i);
            i++;
            if (unlikely(c->events)) goto out;
        } while (i != end);
        if (unlikely(!c->budget)) break;
        b = follow(c, b, minus_page);
        if (unlikely(!b)) {
            ic->cur = ic->end = NULL;
            return !!c->events;
        }
    }
out:
    c->budget += (u64)(end - i);
    ic->cur = ic->end = NULL;
    return true;
}

void interp_run(struct cpu *c)
{
    if (!run_blocks(c)) step(c);
}

/* ---- between instructions ---- */

static bool at_monitor_breakpoint(struct cpu *c)
{
    u64 gla = cpu_pc_linear(c);
    for (unsigned k = 0; k < c->nbreaks; k++) {
        if (c->breaks[k] == gla) return true;
    }
    return false;
}

/* Interrupts at an instruction boundary, highest priority first. */
static void take_interrupt(struct cpu *c, u32 ev)
{
    bool shadow = c->shadow == SHADOW_STI && c->sti_icount == cpu_icount(c);
    if (c->shadow == SHADOW_SS) return;
    if (ev & CE_SMI) {
        if (!shadow) cpu_do_smi(c);
    } else if ((ev & CE_NMI) && !c->nmi_blocked) cpu_do_nmi(c);
    else if ((ev & CE_INTR) && !shadow) {
        int v = cpu_intr_ack(c);
        if (v >= 0) int_deliver(c, (unsigned)v);
        cpu_update_intr(c);
    }
}

/* Handles what happened; returns -1 to go on, else why cpu_run() ends. */
static int handle_events(struct cpu *c)
{
    u32 ev = c->events;
    if (ev & (CE_MODE | CE_CODE)) cpu_event_clear(c, CE_MODE | CE_CODE);
    if (ev & CE_FAULT) exc_deliver(c);
    else if (c->pending_dr6 && c->shadow != SHADOW_SS) exc_debug_trap(c);
    if ((ev & CE_TRAP) && !(c->rflags & FL_TF) && !c->pending_dr6) cpu_event_clear(c, CE_TRAP);
    ev = c->events;
    if (ev & CE_SHUTDOWN) return CPU_SHUTDOWN;
    if (ev & CE_INIT) {
        cpu_event_clear(c, CE_INIT);
        if (c->smm) {
            c->init_pending = true; /* until RSM */
            return -1;
        }
        cpu_init_reset(c);
        return -1;
    }
    if (ev & CE_HALT) {
        if (!cpu_wake_pending(c)) {
            cpu_event_clear(c, CE_KICK);
            return CPU_HALTED;
        }
        cpu_event_clear(c, CE_HALT);
        if (!(c->events & CE_SMI)) c->halted = false; /* an SMI stores that it ended HLT */
    }
    if (ev & (CE_SMI | CE_NMI | CE_INTR)) take_interrupt(c, ev);
    if (c->events & CE_KICK) {
        cpu_event_clear(c, CE_KICK);
        return CPU_KICKED;
    }
    return -1;
}

static enum cpu_stop run_slice(struct cpu *c)
{
    struct icache *ic = c->icache;
    bool resumed = ic->at_break; /* must execute the instruction at the breakpoint now */
    ic->at_break = false;
    for (;;) {
        if (c->events) {
            int stop = handle_events(c);
            if (stop >= 0) return (enum cpu_stop)stop;
        }
        if (!c->budget) return CPU_BUDGET;
        u32 ev = c->events;
        if (ev & CE_FAULT) continue;
        if ((ev & CE_BREAK) && !resumed && at_monitor_breakpoint(c)) {
            ic->at_break = true;
            return CPU_BREAK;
        }
        resumed = false;
        if (unlikely((ev & SLOW_EVENTS) || trace_on[EV_insn])) {
            if (!(ev & CE_DRX) || !exc_code_breakpoint(c)) step(c);
        } else if (!run_blocks(c)) {
            step(c);
        }
    }
}

enum cpu_stop cpu_run(struct cpu *c, u64 budget)
{
    c->slice = c->budget = budget;
    lockstep_slice(c);
    cpu_check_generation(c);
    enum cpu_stop stop = run_slice(c);
    if (c->bits != BITS64) c->rip = (u32)c->rip;
    c->icount_base += c->slice - c->budget;
    c->slice = c->budget = 0;
    return stop;
}
