/* High precision event timer: three 64-bit comparators, 10 ns tick (IA-PC HPET specification 1.0a).
 *
 * Memory FED00000h-FED003FFh. The board creates it only when the user wants one. With legacy
 * replacement off, input pins 0 (the PIT's irq0) and 1 (the RTC's irq8) pass through to the outputs
 * "irq0" and "irq8"; with it on, comparators 0 and 1 drive those outputs instead. Otherwise a
 * comparator drives the "gsi" output that its routing field names (16-23).
 *
 * The counter is virtual time divided by 10 ns plus an offset; only comparators with their
 * interrupt enabled hold a timer. A level-triggered comparator's wire follows its bit in the status
 * register. A period that ends while the interrupt of the one before still waits (edge: in an
 * interrupt controller; level: in the status register) is owed, as with the PIT: its interrupt
 * follows soon after. An edge on irq0 or irq8 leaves the wire high until the next, because the
 * 8259 forgets an edge whose line falls.
 *
 * Left out: FSB (MSI) delivery, not advertised. */
#include "devices/hpet.h"

enum { TIMERS = 3, TICK_NS = 10, ROUTES = 0x00ff0000 };
enum { REG_CAP = 0x00, REG_CONF = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMER = 0x100 };
enum { CONF_ENABLE = 1, CONF_LEGACY = 2 };
enum { T_CONF = 0x00, T_CMP = 0x08 };
enum {
    T_LEVEL = 1 << 1,
    T_ENABLE = 1 << 2,
    T_PERIODIC = 1 << 3,
    T_PERIODIC_CAP = 1 << 4,
    T_64BIT_CAP = 1 << 5,
    T_SETVAL = 1 << 6,
    T_32BIT = 1 << 8,
    T_ROUTE = 0x1f << 9,
    T_WRITABLE = T_LEVEL | T_ENABLE | T_PERIODIC | T_SETVAL | T_32BIT | T_ROUTE,
};
/* Period 10,000,000 fs; vendor 8086h, legacy capable, 64 bits, three timers, revision 1. */
#define CAP_VALUE (10000000ull << 32 | 0x8086a201)

struct hpet;

struct comparator {
    struct hpet *owner;
    unsigned n;
    u64 conf, cmp, period;
    u32 owed; /* periods to be made up for, at most a second's worth */
    struct timer timer, repay;
};

struct hpet {
    struct device dev;
    struct irq irq0, irq8, gsi[24];
    u64 conf, status;
    u64 counter; /* value while halted; while enabled: counter minus clock ticks */
    bool in[2];  /* levels from PIT and RTC */
    struct comparator t[TIMERS];
    bool (*busy)(void *opaque, unsigned pin);
    void *busy_opaque;
    struct region mmio;
};

void hpet_set_busy_probe(struct device *d, bool (*busy)(void *opaque, unsigned pin), void *opaque)
{
    struct hpet *h = (struct hpet *)d;
    h->busy = busy;
    h->busy_opaque = opaque;
}

static u64 clock_ticks(const struct hpet *h)
{
    return clock_now(h->dev.host->clock) / TICK_NS;
}

static u64 counter_now(const struct hpet *h)
{
    return h->conf & CONF_ENABLE ? h->counter + clock_ticks(h) : h->counter;
}

static bool is_legacy(const struct hpet *h, unsigned n)
{
    return (h->conf & CONF_LEGACY) && n < 2;
}

static struct irq *wire_of(struct hpet *h, unsigned n)
{
    if (is_legacy(h, n)) return n ? &h->irq8 : &h->irq0;
    unsigned route = h->t[n].conf >> 9 & 31;
    return ROUTES >> route & 1 ? &h->gsi[route] : NULL;
}

/* Levels of all wires from registers; edges are made by fire(). */
static void update_irq(struct hpet *h)
{
    u32 gsi = 0;
    if (!(h->conf & CONF_LEGACY)) {
        irq_set(&h->irq0, h->in[0]);
        irq_set(&h->irq8, h->in[1]);
    }
    for (unsigned n = 0; n < TIMERS; n++) {
        const struct comparator *t = &h->t[n];
        bool on = (t->conf & T_LEVEL) && (t->conf & T_ENABLE) && (h->status & BIT(n));
        if (is_legacy(h, n)) {
            if (t->conf & T_LEVEL) irq_set(wire_of(h, n), on);
        } else if (on) {
            gsi |= BIT(t->conf >> 9 & 31);
        }
    }
    for (unsigned i = 16; i < LEN(h->gsi); i++) irq_set(&h->gsi[i], gsi >> i & 1);
}

static u64 width_mask(const struct comparator *t)
{
    return t->conf & T_32BIT ? 0xffffffff : ~0ull;
}

/* Sets the timer for the next match; one that is exactly now counts as a match. */
static void rearm(struct comparator *t, bool just_fired)
{
    struct hpet *h = t->owner;
    if (!just_fired) t->owed = 0; /* programmed anew */
    if (!(h->conf & CONF_ENABLE) || !(t->conf & T_ENABLE)) {
        timer_cancel(&t->timer);
        return;
    }
    u64 left = (t->cmp - counter_now(h)) & width_mask(t);
    if (left == 0 && just_fired) left = width_mask(t);
    u64 now = clock_now(h->dev.host->clock);
    if (left > (UINT64_MAX - now) / TICK_NS - 1) {
        timer_cancel(&t->timer);
        return;
    }
    timer_set(&t->timer, (now / TICK_NS + left) * TICK_NS);
}

/* Next period. After a stall the missed ones follow at twice the rate; more than a second is
 * dropped. */
static void next_period(struct comparator *t)
{
    struct hpet *h = t->owner;
    u64 mask = width_mask(t), now = clock_now(h->dev.host->clock);
    u64 late = (counter_now(h) - t->cmp) & mask;
    u64 step = t->period & mask;
    if (late > NS_PER_SEC / TICK_NS) t->cmp += late / step * step;
    t->cmp = (t->cmp + step) & mask;
    late = late > NS_PER_SEC / TICK_NS ? late % step : late;
    if (late < step) {
        rearm(t, true);
    } else {
        timer_set(&t->timer, now + step * TICK_NS / 2 + TICK_NS);
    }
}

static bool still_waits(const struct comparator *t)
{
    const struct hpet *h = t->owner;
    if (t->conf & T_LEVEL) return h->status & BIT(t->n);
    unsigned pin = t->conf >> 9 & 31;
    if (is_legacy(h, t->n)) pin = t->n * 8;
    else if (!(ROUTES >> pin & 1)) return false;
    return h->busy && h->busy(h->busy_opaque, pin);
}

static void interrupt(struct comparator *t)
{
    struct hpet *h = t->owner;
    struct irq *w = wire_of(h, t->n);
    if (t->conf & T_LEVEL) {
        h->status |= BIT(t->n);
        update_irq(h);
    } else if (w) {
        irq_set(w, false);
        irq_set(w, true);
        if (!is_legacy(h, t->n)) irq_set(w, false);
    }
}

static void repay_later(struct comparator *t)
{
    u64 step = t->period & width_mask(t);
    u64 now = clock_now(t->owner->dev.host->clock);
    timer_set(&t->repay, now + MAX(MIN(step, NS_PER_SEC) * TICK_NS / 8, 50000u));
}

static void repay(void *opaque)
{
    struct comparator *t = opaque;
    if (!t->owed || !(t->conf & T_PERIODIC)) return;
    if (!still_waits(t)) {
        t->owed--;
        interrupt(t);
    }
    if (t->owed && !(t->conf & T_LEVEL)) repay_later(t); /* level: when the status bit is cleared */
}

static void fire(void *opaque)
{
    struct comparator *t = opaque;
    u64 step = t->period & width_mask(t);
    if (!(t->conf & T_PERIODIC) || !step || !still_waits(t)) {
        interrupt(t);
    } else {
        if (t->owed < NS_PER_SEC / TICK_NS / step) t->owed++;
        if (t->owed && !(t->conf & T_LEVEL) && !timer_armed(&t->repay)) repay_later(t);
    }
    if ((t->conf & T_PERIODIC) && (t->period & width_mask(t))) {
        next_period(t);
    } else {
        rearm(t, true);
    }
}

/* Periods that went by while nobody was to be interrupted moved the comparator all the same. */
static void catch_up(struct comparator *t)
{
    u64 mask = width_mask(t), step = t->period & mask;
    bool fires = t->conf & T_ENABLE; /* then next_period() does it */
    if (!(t->owner->conf & CONF_ENABLE) || fires || !(t->conf & T_PERIODIC) || !step) return;
    u64 late = (counter_now(t->owner) - t->cmp) & mask;
    if (late <= mask >> 1) t->cmp = (t->cmp + (late / step + 1) * step) & mask;
}

static void wr_conf(struct hpet *h, u64 v)
{
    u64 changed = h->conf ^ v;
    for (unsigned n = 0; n < TIMERS; n++) catch_up(&h->t[n]);
    if (changed & CONF_ENABLE) {
        h->counter = v & CONF_ENABLE ? h->counter - clock_ticks(h) : counter_now(h);
    }
    h->conf = v & (CONF_ENABLE | CONF_LEGACY);
    if (changed & CONF_LEGACY) {
        irq_set(&h->irq0, false);
        irq_set(&h->irq8, false);
    }
    for (unsigned n = 0; n < TIMERS; n++) rearm(&h->t[n], false);
    update_irq(h);
}

static void wr_timer_conf(struct comparator *t, u64 v)
{
    catch_up(t);
    t->conf = (v & T_WRITABLE) | T_PERIODIC_CAP | T_64BIT_CAP;
    if (t->conf & T_32BIT) {
        t->cmp &= 0xffffffff;
        t->period &= 0xffffffff;
    }
    rearm(t, false);
    update_irq(t->owner);
}

static u64 merge(u64 old, u64 v, u64 written)
{
    return (old & ~written) | (v & written);
}

/* A periodic comparator takes its phase only with SETVAL; every write gives the period. */
static void wr_timer_cmp(struct comparator *t, u64 v, u64 written)
{
    if (t->conf & T_PERIODIC) t->period = merge(t->period, v, written) & width_mask(t);
    if (!(t->conf & T_PERIODIC) || (t->conf & T_SETVAL))
        t->cmp = merge(t->cmp, v, written) & width_mask(t);
    t->conf &= ~(u64)T_SETVAL;
    rearm(t, false);
}

static u64 rd_reg(struct hpet *h, u64 reg)
{
    switch (reg) {
    case REG_CAP: return CAP_VALUE;
    case REG_CONF: return h->conf;
    case REG_STATUS: return h->status;
    case REG_COUNTER: return counter_now(h);
    }
    u64 n = (reg - REG_TIMER) / 0x20;
    if (reg < REG_TIMER || n >= TIMERS) return 0;
    if ((reg & 0x18) == T_CONF) return h->t[n].conf | (u64)ROUTES << 32;
    if ((reg & 0x18) != T_CMP) return 0;
    catch_up(&h->t[n]);
    return h->t[n].cmp;
}

static void wr_reg(struct hpet *h, u64 reg, u64 v, u64 written)
{
    switch (reg) {
    case REG_CONF: wr_conf(h, v); return;
    case REG_STATUS:
        h->status &= ~(v & written);
        update_irq(h);
        for (unsigned n = 0; n < TIMERS; n++) {
            if (h->t[n].owed && (h->t[n].conf & T_LEVEL) && !(h->status & BIT(n)))
                repay_later(&h->t[n]);
        }
        return;
    case REG_COUNTER:
        if (!(h->conf & CONF_ENABLE)) h->counter = v;
        return;
    }
    u64 n = (reg - REG_TIMER) / 0x20;
    if (reg < REG_TIMER || n >= TIMERS) return;
    if ((reg & 0x18) == T_CONF) {
        wr_timer_conf(&h->t[n], v);
    } else if ((reg & 0x18) == T_CMP) {
        wr_timer_cmp(&h->t[n], v, written);
    }
}

static u64 rd_mmio(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_reg(opaque, offset & ~7ull) >> ((offset & 7) * 8);
}

/* Registers are 64 bits wide and may be written by halves. */
static void wr_mmio(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct hpet *h = opaque;
    u64 reg = offset & ~7ull;
    unsigned shift = (offset & 7) * 8;
    u64 written = mask_n(size) << shift;
    u64 old = rd_reg(h, reg);
    if ((offset & 7) + size > 8) return;
    wr_reg(h, reg, (old & ~written) | (value << shift & written), written);
}

static const struct io_ops mmio_ops = { rd_mmio, wr_mmio, 1, 8 };

static void set_line(void *opaque, int pin, bool level)
{
    struct hpet *h = opaque;
    if (pin < 0 || pin > 1) return;
    h->in[pin] = level;
    if (!(h->conf & CONF_LEGACY)) irq_set(pin ? &h->irq8 : &h->irq0, level);
}

static int hpet_init(struct device *d, struct error *e)
{
    struct hpet *h = (struct hpet *)d;
    for (unsigned n = 0; n < TIMERS; n++) {
        h->t[n].owner = h;
        h->t[n].n = n;
        timer_init(&h->t[n].timer, d->host->clock, d->name, fire, &h->t[n]);
        timer_init(&h->t[n].repay, d->host->clock, "hpet-repay", repay, &h->t[n]);
    }
    region_init_io(&h->mmio, "hpet", 0x400, &mmio_ops, h);
    return bus_map(d->host->mem, 0xfed00000, &h->mmio, 0, e);
}

static void hpet_reset(struct device *d, enum reset_kind kind)
{
    struct hpet *h = (struct hpet *)d;
    (void)kind;
    h->conf = h->status = h->counter = 0;
    for (unsigned n = 0; n < TIMERS; n++) {
        h->t[n].conf = T_PERIODIC_CAP | T_64BIT_CAP;
        h->t[n].cmp = ~0ull;
        h->t[n].period = 0;
        h->t[n].owed = 0;
        timer_cancel(&h->t[n].timer);
    }
    update_irq(h);
}

static void hpet_post_load(struct device *d, u32 version)
{
    struct hpet *h = (struct hpet *)d;
    (void)version;
    for (unsigned n = 0; n < TIMERS; n++) rearm(&h->t[n], false);
    update_irq(h);
}

static void hpet_info(struct device *d, struct text *t)
{
    struct hpet *h = (struct hpet *)d;
    text_add(t, "conf %llx status %llx counter %llx\n", (unsigned long long)h->conf,
             (unsigned long long)h->status, (unsigned long long)counter_now(h));
    for (unsigned n = 0; n < TIMERS; n++) {
        text_add(t, "timer %u: conf %llx cmp %llx period %llx\n", n,
                 (unsigned long long)h->t[n].conf, (unsigned long long)h->t[n].cmp,
                 (unsigned long long)h->t[n].period);
    }
}

static void hpet_fini(struct device *d)
{
    struct hpet *h = (struct hpet *)d;
    for (unsigned n = 0; n < TIMERS; n++) {
        timer_cancel(&h->t[n].timer);
        timer_cancel(&h->t[n].repay);
    }
    region_fini(&h->mmio);
}

#define T_FIELDS(n)                                                                                \
    FIELD(struct hpet, t[n].conf), FIELD(struct hpet, t[n].cmp), FIELD(struct hpet, t[n].period)
static const struct device_field hpet_fields[] = {
    FIELD(struct hpet, conf),
    FIELD(struct hpet, status),
    FIELD(struct hpet, counter),
    FIELD_ARRAY(struct hpet, in),
    T_FIELDS(0),
    T_FIELDS(1),
    T_FIELDS(2),
    { 0 },
};
static const struct device_wire hpet_outputs[] = {
    { "irq0", offsetof(struct hpet, irq0), 1 },
    { "irq8", offsetof(struct hpet, irq8), 1 },
    { "gsi", offsetof(struct hpet, gsi), 24 },
    { 0 },
};

const struct device_class hpet_class = {
    .name = "hpet",
    .help = "high precision event timer at FED00000h",
    .size = sizeof(struct hpet),
    .version = 1,
    .fields = hpet_fields,
    .outputs = hpet_outputs,
    .init = hpet_init,
    .reset = hpet_reset,
    .post_load = hpet_post_load,
    .input = set_line,
    .info = hpet_info,
    .fini = hpet_fini,
};
