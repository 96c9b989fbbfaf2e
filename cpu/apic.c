/* Local APIC (SDM 3A chapter 10; the external-bus variant with 8259 compatibility): registers,
 * priorities, timer, IPIs, LINT pins.
 *
 * The CPU's own accesses come from mmu.c, which compares physical pages with c->apic_page before it
 * asks the bus. Messages from the I/O APIC and from PCI functions are writes to FEE00000h-FEEFFFFFh
 * on the memory bus (SDM 3A 10.11): address bits 19:12 destination, bit 2 logical; data: vector,
 * delivery mode 10:8, trigger mode 15. End of a level-triggered interrupt goes out through the
 * listener set by cpu_set_eoi_listener.
 *
 * The timer counts a 1 GHz bus clock, so one count at divisor 1 is one nanosecond of virtual time
 * and the read-back is exact. After reset LINT0 passes the 8259 through, as firmware leaves it
 * (virtual wire); everything else is masked. Left out: x2APIC, TSC-deadline mode, CMCI, several
 * CPUs (INIT and SIPI to others go nowhere, SIPI to ourselves is ignored). */
#include "cpu/apic.h"

#include <stdlib.h>

#include "cpu/exec.h"
#include "machine/core/trace.h"

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum { LVT_MASKED = 0x10000, LVT_LEVEL = 0x8000, LVT_PERIODIC = 0x20000, LVT_REMOTE_IRR = 0x4000 };
enum { DM_FIXED, DM_LOWEST, DM_SMI, DM_NMI = 4, DM_INIT, DM_SIPI, DM_EXTINT };
enum { ESR_SEND_ILLEGAL = 0x20, ESR_RECEIVE_ILLEGAL = 0x40, ESR_REGISTER = 0x80 };
enum { SVR_ENABLE = 0x100 };

struct apic {
    struct cpu *cpu;
    struct region msi;
    struct timer timer;
    struct timer repay; /* delivers owed ticks one by one */
    u32 owed;           /* periodic timer interrupts that would have merged with one still in IRR */
    u32 id, tpr, ldr, dfr, svr, esr, esr_pending, icr_lo, icr_hi, divide, initial;
    u32 lvt[LVT_COUNT];
    u32 isr[8], tmr[8], irr[8];
    u64 started_ns; /* when the running count was `initial` */
    bool counting;
    bool lint0_level;
    void (*eoi)(void *opaque, int vector);
    void *eoi_opaque;
};

/* ---- vectors and priorities ---- */

static void bit_set(u32 *map, unsigned v)
{
    map[v >> 5] |= BIT(v & 31);
}

static void bit_clear(u32 *map, unsigned v)
{
    map[v >> 5] &= ~BIT(v & 31);
}

static bool bit_test(const u32 *map, unsigned v)
{
    return map[v >> 5] >> (v & 31) & 1;
}

static int highest(const u32 *map)
{
    for (int i = 7; i >= 0; i--) {
        if (map[i]) return i * 32 + 31 - __builtin_clz(map[i]);
    }
    return -1;
}

static u32 ppr(const struct apic *a)
{
    int isr = highest(a->isr);
    u32 isr_class = isr < 0 ? 0 : (u32)isr & 0xf0;
    return (a->tpr & 0xf0) >= isr_class ? a->tpr : isr_class;
}

int apic_pending(const struct cpu *c)
{
    const struct apic *a = c->apic;
    if (c->apic_page == ~0ull || !(a->svr & SVR_ENABLE)) return -1;
    int v = highest(a->irr);
    return v >= 0 && ((u32)v & 0xf0) > (ppr(a) & 0xf0) ? v : -1;
}

bool apic_extint_open(const struct cpu *c)
{
    u32 lint0 = c->apic->lvt[LVT_LINT0];
    if (c->apic_page == ~0ull) return true; /* disabled in IA32_APIC_BASE: the pin is INTR itself */
    return !(lint0 & LVT_MASKED) && (lint0 >> 8 & 7) == DM_EXTINT;
}

static u64 period_ns(const struct apic *a);

/* Guests count periodic ticks to keep time; interrupts stay off for many periods here where a real
 * CPU needs a fraction of one. So ticks that find their vector still in IRR are owed (a second's
 * worth at most) and follow, spaced, once that one was taken. */
static void repay_soon(struct apic *a)
{
    if (a->owed && !timer_armed(&a->repay))
        timer_set(&a->repay, clock_now(a->cpu->clock) + MAX(period_ns(a) / 8, 50000u));
}

int apic_ack(struct cpu *c)
{
    int v = apic_pending(c);
    if (v < 0) return -1;
    bit_clear(c->apic->irr, (unsigned)v);
    bit_set(c->apic->isr, (unsigned)v);
    if ((u32)v == (c->apic->lvt[LVT_TIMER] & 0xff)) repay_soon(c->apic);
    return v;
}

u32 apic_id(const struct cpu *c)
{
    return c->apic->id;
}

u8 apic_tpr(const struct cpu *c)
{
    return (u8)c->apic->tpr;
}

void apic_set_tpr(struct cpu *c, u8 v)
{
    c->apic->tpr = v;
    cpu_update_intr(c);
}

/* ---- accepting interrupts ---- */

static void raise_error(struct apic *a, u32 bit)
{
    u32 lvt = a->lvt[LVT_ERROR];
    bool first = !(a->esr_pending & bit);
    a->esr_pending |= bit;
    if (first && !(lvt & LVT_MASKED) && (lvt & 0xff) >= 16) bit_set(a->irr, lvt & 0xff);
}

static void accept_vector(struct apic *a, unsigned vector, bool level)
{
    if (!(a->svr & SVR_ENABLE) || a->cpu->apic_page == ~0ull) return;
    if (vector < 16) {
        raise_error(a, ESR_RECEIVE_ILLEGAL);
    } else {
        bit_set(a->irr, vector);
        if (level) bit_set(a->tmr, vector);
        else bit_clear(a->tmr, vector);
    }
    cpu_update_intr(a->cpu);
}

static void accept_nmi(struct cpu *c)
{
    c->nmi_pending = true;
    cpu_event_set(c, CE_NMI);
}

static void accept(struct apic *a, unsigned mode, unsigned vector, bool level)
{
    switch (mode) {
    case DM_FIXED: case DM_LOWEST: accept_vector(a, vector, level); break;
    case DM_NMI: accept_nmi(a->cpu); break;
    case DM_INIT: cpu_event_set(a->cpu, CE_INIT); break;
    case DM_SMI: cpu_smi(a->cpu); break;
    default: break; /* SIPI: we are not waiting for one; ExtINT messages: the 8259 has its wire */
    }
}

static bool is_addressed(const struct apic *a, u32 dest, bool logical)
{
    if (!logical) return dest == a->id || dest == 0xff;
    u32 mine = a->ldr >> 24;
    if (dest == 0xff) return true;
    if (a->dfr >> 28 == 15) return dest & mine;
    return dest >> 4 == mine >> 4 && (dest & mine & 15);
}

static u64 msi_read(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    return mask_n(size);
}

static void msi_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct apic *a = opaque;
    (void)size;
    u32 dest = (u32)(offset >> 12) & 0xff;
    bool logical = offset & 4;
    bool level = value & 0x8000, assert = value & 0x4000;
    if (level && !assert && (value >> 8 & 7) == DM_INIT) return;
    if (is_addressed(a, dest, logical)) accept(a, value >> 8 & 7, value & 0xff, level);
}

static const struct io_ops msi_ops = { msi_read, msi_write, 4, 4 };

static void send_ipi(struct apic *a)
{
    u32 v = a->icr_lo;
    unsigned mode = v >> 8 & 7, shorthand = v >> 18 & 3;
    bool level = v & 0x8000, assert = v & 0x4000;
    if ((mode == DM_FIXED || mode == DM_LOWEST) && (v & 0xff) < 16) {
        raise_error(a, ESR_SEND_ILLEGAL);
        cpu_update_intr(a->cpu);
        return;
    }
    if (mode == DM_INIT && level && !assert) return; /* arbitration id synchronisation */
    bool to_self = shorthand == 1 || shorthand == 2;
    if (shorthand == 0) to_self = is_addressed(a, a->icr_hi >> 24, v & 0x800);
    if (to_self) accept(a, mode, v & 0xff, false);
}

static void end_of_interrupt(struct apic *a)
{
    int v = highest(a->isr);
    if (v < 0) return;
    bit_clear(a->isr, (unsigned)v);
    if (bit_test(a->tmr, (unsigned)v)) {
        u32 *lint0 = &a->lvt[LVT_LINT0];
        *lint0 &= ~(u32)LVT_REMOTE_IRR;
        if (a->eoi) a->eoi(a->eoi_opaque, v);
    }
    cpu_update_intr(a->cpu);
}

/* ---- LINT pins ---- */

void apic_lint0(struct cpu *c, bool level)
{
    struct apic *a = c->apic;
    bool rising = level && !a->lint0_level;
    u32 *lvt = &a->lvt[LVT_LINT0];
    a->lint0_level = level;
    if (c->apic_page == ~0ull || (*lvt & LVT_MASKED)) return;
    unsigned mode = *lvt >> 8 & 7;
    if (mode == DM_NMI && rising) accept_nmi(c);
    if (mode != DM_FIXED) return;
    bool is_level = *lvt & LVT_LEVEL;
    if (is_level ? level && !(*lvt & LVT_REMOTE_IRR) : rising) {
        if (is_level) *lvt |= LVT_REMOTE_IRR;
        accept_vector(a, *lvt & 0xff, is_level);
    }
}

void apic_nmi_pin(struct cpu *c)
{
    u32 lvt = c->apic->lvt[LVT_LINT1];
    if (c->apic_page == ~0ull) accept_nmi(c);
    else if (!(lvt & LVT_MASKED)) accept(c->apic, lvt >> 8 & 7, lvt & 0xff, false);
}

/* ---- timer ---- */

static u64 divisor(const struct apic *a)
{
    unsigned code = (a->divide & 3) | (a->divide >> 1 & 4);
    return code == 7 ? 1 : 2ull << code;
}

static u64 period_ns(const struct apic *a)
{
    return a->initial * divisor(a);
}

static bool is_periodic(const struct apic *a)
{
    return a->lvt[LVT_TIMER] & LVT_PERIODIC;
}

static u32 current_count(const struct apic *a)
{
    if (!a->counting || !a->initial) return 0;
    u64 ticks = (clock_now(a->cpu->clock) - a->started_ns) / divisor(a);
    if (is_periodic(a)) return (u32)(a->initial - ticks % a->initial);
    return ticks >= a->initial ? 0 : (u32)(a->initial - ticks);
}

static void timer_repay(void *opaque)
{
    struct apic *a = opaque;
    u32 lvt = a->lvt[LVT_TIMER];
    if (!a->owed || !is_periodic(a) || (lvt & LVT_MASKED)) {
        a->owed = 0;
    } else if (!bit_test(a->irr, lvt & 0xff)) {
        a->owed--;
        accept_vector(a, lvt & 0xff, false);
    }
}

static void timer_fire(void *opaque)
{
    struct apic *a = opaque;
    u32 lvt = a->lvt[LVT_TIMER];
    if (!(lvt & LVT_MASKED)) {
        if (is_periodic(a) && bit_test(a->irr, lvt & 0xff) &&
            a->owed < NS_PER_SEC / MAX(period_ns(a), 1000000u))
            a->owed++;
        accept_vector(a, lvt & 0xff, false);
    }
    if (!is_periodic(a)) {
        a->counting = false;
        return;
    }
    u64 period = period_ns(a), now = clock_now(a->cpu->clock);
    a->started_ns += period;
    /* Far behind: whole periods are skipped, their interrupts would merge in IRR anyway. */
    if (now > a->started_ns && now - a->started_ns > 16 * period)
        a->started_ns += (now - a->started_ns) / period * period;
    timer_set(&a->timer, a->started_ns + period);
}

static void timer_start(struct apic *a, u32 initial)
{
    a->initial = initial;
    a->owed = 0;
    a->counting = initial != 0;
    a->started_ns = clock_now(a->cpu->clock);
    if (a->counting) timer_set(&a->timer, a->started_ns + period_ns(a));
    else timer_cancel(&a->timer);
}

/* The divisor changes under a running count: the remaining count goes on at the new rate. */
static void timer_set_divide(struct apic *a, u32 v)
{
    u32 left = current_count(a);
    a->divide = v & 11;
    if (!a->counting) return;
    u64 now = clock_now(a->cpu->clock), done = (u64)(a->initial - left) * divisor(a);
    a->started_ns = now > done ? now - done : 0;
    timer_set(&a->timer, a->started_ns + period_ns(a));
}

/* ---- registers ---- */

static u32 lvt_mask(unsigned n)
{
    static const u32 masks[LVT_COUNT] = { 0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff };
    return masks[n];
}

static void write_lvt(struct apic *a, unsigned n, u32 v)
{
    bool was_periodic = is_periodic(a);
    u32 keep = n == LVT_LINT0 ? a->lvt[n] & LVT_REMOTE_IRR : 0;
    v &= lvt_mask(n);
    if (!(a->svr & SVR_ENABLE)) v |= LVT_MASKED;
    a->lvt[n] = v | keep;
    if (n == LVT_TIMER && was_periodic && !is_periodic(a) && a->counting) {
        /* Becomes one-shot: the rest of this period is the last one. */
        u64 now = clock_now(a->cpu->clock), period = period_ns(a);
        a->started_ns += (now - a->started_ns) / period * period;
        timer_set(&a->timer, a->started_ns + period);
    }
    if (n == LVT_LINT0) apic_lint0(a->cpu, a->lint0_level);
    cpu_update_intr(a->cpu);
}

static void write_svr(struct apic *a, u32 v)
{
    a->svr = v & 0x3ff;
    if (!(a->svr & SVR_ENABLE)) {
        for (unsigned i = 0; i < LVT_COUNT; i++) a->lvt[i] |= LVT_MASKED;
    }
    cpu_update_intr(a->cpu);
}

static u32 read_reg(struct apic *a, unsigned reg)
{
    switch (reg) {
    case 0x02: return a->id << 24;
    case 0x03: return 0x00050014;
    case 0x08: return a->tpr;
    case 0x09: return MAX(a->tpr & 0xf0, ppr(a) & 0xf0);
    case 0x0a: return ppr(a);
    case 0x0d: return a->ldr;
    case 0x0e: return a->dfr;
    case 0x0f: return a->svr;
    case 0x10 ... 0x17: return a->isr[reg & 7];
    case 0x18 ... 0x1f: return a->tmr[reg & 7];
    case 0x20 ... 0x27: return a->irr[reg & 7];
    case 0x28: return a->esr;
    case 0x30: return a->icr_lo;
    case 0x31: return a->icr_hi;
    case 0x32 ... 0x37: return a->lvt[reg - 0x32];
    case 0x38: return a->initial;
    case 0x39: return current_count(a);
    case 0x3e: return a->divide;
    case 0x0b: case 0x0c: return 0;
    default: raise_error(a, ESR_REGISTER); return 0;
    }
}

static void write_reg(struct apic *a, unsigned reg, u32 v)
{
    switch (reg) {
    case 0x02: a->id = v >> 24; break;
    case 0x08: apic_set_tpr(a->cpu, (u8)v); break;
    case 0x0b: end_of_interrupt(a); break;
    case 0x0d: a->ldr = v & 0xff000000; break;
    case 0x0e: a->dfr = v | 0x0fffffff; break;
    case 0x0f: write_svr(a, v); break;
    case 0x28: a->esr = a->esr_pending; a->esr_pending = 0; break;
    case 0x30:
        a->icr_lo = v & 0xccfff; /* delivery status reads idle at once */
        send_ipi(a);
        break;
    case 0x31: a->icr_hi = v & 0xff000000; break;
    case 0x32 ... 0x37: write_lvt(a, reg - 0x32, v); break;
    case 0x38: timer_start(a, v); break;
    case 0x3e: timer_set_divide(a, v); break;
    case 0x03: case 0x09: case 0x0a: case 0x0c: case 0x39: /* read-only */
    case 0x10 ... 0x27: break;
    default:
        raise_error(a, ESR_REGISTER);
        cpu_update_intr(a->cpu);
        break;
    }
}

u64 apic_mmio_read(struct cpu *c, u64 off, unsigned size)
{
    if ((off & 15) >= 4) return 0;
    u32 v = read_reg(c->apic, (unsigned)(off >> 4) & 0xff);
    TRACE(apic_rd, off, v, 0, 0);
    return ((u64)v >> (off & 3) * 8) & mask_n(size);
}

void apic_mmio_write(struct cpu *c, u64 off, u64 v, unsigned size)
{
    TRACE(apic_wr, off, v, 0, 0);
    if ((off & 15) || size < 4) return; /* registers are written as aligned dwords */
    write_reg(c->apic, (unsigned)(off >> 4) & 0xff, (u32)v);
}

/* ---- base register, reset, life ---- */

bool apic_set_base(struct cpu *c, u64 v)
{
    u64 addr = c->phys_mask & ~0xfffull;
    if (v & ~(addr | 0x900)) return false;
    bool was_on = c->apic_base & 0x800;
    c->apic_base = (v & (addr | 0x800)) | (c->apic_base & 0x100);
    c->apic_page = v & 0x800 ? v & addr : ~0ull;
    if (was_on && !(v & 0x800)) apic_reset(c, true);
    tlb_flush_all(c);
    cpu_update_intr(c);
    return true;
}

void apic_reset(struct cpu *c, bool init)
{
    struct apic *a = c->apic;
    if (!init) a->id = 0;
    timer_cancel(&a->timer);
    a->tpr = a->ldr = a->esr = a->esr_pending = a->icr_lo = a->icr_hi = a->divide = a->initial = 0;
    a->counting = false;
    a->dfr = ~0u;
    a->svr = 0xff;
    memset(a->isr, 0, sizeof(a->isr));
    memset(a->tmr, 0, sizeof(a->tmr));
    memset(a->irr, 0, sizeof(a->irr));
    for (unsigned i = 0; i < LVT_COUNT; i++) a->lvt[i] = LVT_MASKED;
    a->lvt[LVT_LINT0] = DM_EXTINT << 8;
}

int apic_create(struct cpu *c, struct error *e)
{
    struct apic *a = xalloc(sizeof(*a));
    c->apic = a;
    a->cpu = c;
    timer_init(&a->timer, c->clock, "apic-timer", timer_fire, a);
    timer_init(&a->repay, c->clock, "apic-timer-repay", timer_repay, a);
    region_init_io(&a->msi, "apic-msi", 0x100000, &msi_ops, a);
    return bus_map(c->mem, 0xfee00000, &a->msi, 0, e);
}

void apic_destroy(struct cpu *c)
{
    struct apic *a = c->apic;
    if (!a) return;
    timer_cancel(&a->timer);
    timer_cancel(&a->repay);
    region_fini(&a->msi);
    free(a);
    c->apic = NULL;
}

void cpu_set_eoi_listener(struct cpu *c, void (*fn)(void *opaque, int vector), void *opaque)
{
    c->apic->eoi = fn;
    c->apic->eoi_opaque = opaque;
}

static void info_map(struct text *t, const char *name, const u32 *map)
{
    text_add(t, "%s", name);
    for (unsigned v = 0; v < 256; v++) {
        if (bit_test(map, v)) text_add(t, " %02x", v);
    }
    text_add(t, "\n");
}

bool cpu_vector_pending(const struct cpu *c, u8 vector)
{
    return bit_test(c->apic->irr, vector);
}

void cpu_info_apic(struct cpu *c, struct text *t)
{
    static const char *const names[LVT_COUNT] = { "timer", "thermal", "perf",
                                                  "lint0", "lint1",   "error" };
    const struct apic *a = c->apic;
    text_add(t, "base %llx%s svr %03x tpr %02x ppr %02x id %02x ldr %08x dfr %08x\n",
             (unsigned long long)c->apic_base, c->apic_base & 0x800 ? "" : " (disabled)", a->svr,
             a->tpr, ppr(a), a->id, a->ldr, a->dfr);
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        text_add(t, "lvt %-8s %08x vector %02x mode %u%s%s%s\n", names[i], a->lvt[i],
                 a->lvt[i] & 0xff, a->lvt[i] >> 8 & 7, a->lvt[i] & LVT_MASKED ? " masked" : "",
                 a->lvt[i] & LVT_LEVEL ? " level" : "",
                 i == LVT_TIMER && is_periodic(a) ? " periodic" : "");
    }
    text_add(t, "timer initial %u current %u divide %llu\n", a->initial, current_count(a),
             (unsigned long long)divisor(a));
    text_add(t, "icr %08x:%08x esr %02x lint0 pin %d\n", a->icr_hi, a->icr_lo, a->esr,
             a->lint0_level);
    info_map(t, "irr", a->irr);
    info_map(t, "isr", a->isr);
    info_map(t, "tmr", a->tmr);
}
