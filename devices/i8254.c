/* 8254 programmable interval timer and port 61h (Intel 8254 datasheet; 82371SB section 3.6.2 for
 * the port).
 *
 * Ports 40h-43h: channel 0 drives the wire "irq0", channel 1 is the refresh timer nobody listens
 * to, channel 2 is gated by port 61h bit 0 and read back at bit 5. Port 61h bit 4 is the refresh
 * toggle (15.085 us).
 *
 * Nothing counts here. A channel remembers the clock tick at which its counting element was loaded
 * and with what; count and OUT are functions of the present tick. One tick is 1/1,193,182 s of
 * virtual time, tick numbers are absolute, so a guest that measures channel 2 against the PM timer
 * or TSC finds exact ratios.
 *
 * The wire of channel 0 carries each rising edge of a periodic OUT as low-then-high at that moment
 * and stays high until the next: that is all an edge-triggered input can see, and a late host then
 * cannot turn two edges of a square wave into none. After a stall, missed edges follow at twice the
 * normal rate (never as a burst); more than a second's worth is dropped.
 *
 * Left out: the speaker makes no sound (sound is a part of its own), parity and channel-check
 * errors never happen (port 61h bits 7 and 6 read 0). */
#include "devices/i8254.h"

enum { FREQ = 1193182, REFRESH_TICKS = 18 };
/* Tick number at power-on: two full counts, so that no start is negative. */
enum { TICK_BASE = 0x20000 };
enum { RW_LATCH = 0, RW_LSB = 1, RW_MSB = 2, RW_BOTH = 3 };
enum { P61_GATE2 = 0x01, P61_STORED = 0x0f, P61_REFRESH = 0x10, P61_OUT2 = 0x20 };

struct channel {
    u8 mode, rw;
    u8 written_mode; /* 6 and 7 count as 2 and 3, but status shows what was written */
    bool bcd, gate;
    bool loaded;     /* counting element was loaded since the control word */
    bool null_count; /* count register holds a value not yet loaded */
    bool write_msb, read_msb;
    bool status_latched, count_latched;
    u8 lsb, status;
    u16 latch;
    u32 count_reg; /* last count written, 1..65536 (BCD: 1..10000) */
    u32 initial;   /* value loaded at tick `start` */
    u64 start;
    u64 frozen;    /* ticks counted so far, while the gate stops the count */
    u64 switch_at; /* modes 2 and 3: tick at which count_reg replaces initial, 0 = none */
};

struct pit {
    struct device dev;
    struct irq irq0;
    struct channel ch[3];
    u8 port61;
    u64 next_edge; /* channel 0: tick of the next rising edge, 0 = none */
    struct timer timer;
    struct timer repay; /* looks whether an owed edge can be delivered */
    u32 owed;           /* periodic edges that came while the interrupt controller still held one */
    bool (*busy)(void *opaque);
    void *busy_opaque;
    struct region ports, ports61;
};

void i8254_set_busy_probe(struct device *d, bool (*busy)(void *opaque), void *opaque)
{
    struct pit *p = (struct pit *)d;
    p->busy = busy;
    p->busy_opaque = opaque;
}

static u64 ticks(const struct pit *p)
{
    return mul_div(clock_now(p->dev.host->clock), FREQ, NS_PER_SEC) + TICK_BASE;
}

static u64 tick_to_ns(u64 tick)
{
    return ((u128)(tick - TICK_BASE) * NS_PER_SEC + FREQ - 1) / FREQ;
}

static bool gate_triggers(const struct channel *c)
{
    return c->mode == 1 || c->mode == 5;
}

static bool is_periodic(const struct channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

static u64 elapsed(const struct channel *c, u64 now)
{
    if (!c->gate && !gate_triggers(c)) return c->frozen;
    return now > c->start ? now - c->start : 0;
}

/* Clocks of the high half of a mode 3 period. */
static u32 high_half(u32 n)
{
    return (n + 1) / 2;
}

/* Applies a count written in modes 2 and 3 once the cycle (mode 3: half cycle) it waited for has
 * ended. */
static void catch_up(struct channel *c, u64 now)
{
    if (!c->switch_at || now < c->switch_at) return;
    u64 phase = (c->switch_at - c->start) % c->initial;
    c->start = c->switch_at;
    /* The new value begins with the low half when the old one's high half has just ended. */
    if (c->mode == 3 && phase) c->start -= high_half(c->count_reg);
    c->initial = c->count_reg;
    c->switch_at = 0;
    c->null_count = false;
}

static bool out_level(const struct channel *c, u64 now)
{
    if (!c->loaded) return c->mode != 0;
    u64 t = elapsed(c, now);
    switch (c->mode) {
    case 0: return t >= c->initial;
    case 1: return now < c->start || t >= c->initial;
    case 2: return !c->gate || t % c->initial != c->initial - 1;
    case 3: return !c->gate || t % c->initial < high_half(c->initial);
    default: return t != c->initial;
    }
}

static u16 to_bcd(u32 v)
{
    return v % 10 | (v / 10 % 10) << 4 | (v / 100 % 10) << 8 | (v / 1000 % 10) << 12;
}

static u32 from_bcd(u16 v)
{
    return (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 + (v >> 12 & 15) * 1000;
}

static u16 count_now(const struct channel *c, u64 now)
{
    u32 modulus = c->bcd ? 10000 : 0x10000;
    u32 value = c->loaded ? c->initial : c->count_reg;
    if (c->loaded) {
        u64 t = elapsed(c, now);
        if (c->mode == 2) {
            value = c->initial - t % c->initial;
        } else if (c->mode == 3) {
            u32 phase = t % c->initial;
            if (phase >= high_half(c->initial)) phase -= high_half(c->initial);
            value = (c->initial & ~1u) - 2 * phase;
        } else {
            value = (c->initial + modulus - t % modulus) % modulus;
        }
    }
    value %= modulus;
    return c->bcd ? to_bcd(value) : value;
}

/* Tick of the first rising edge of OUT after `now`, 0 when none will come. */
static u64 edge_after(const struct channel *c, u64 now)
{
    if (!c->loaded || !c->gate) return 0;
    if (c->switch_at) {
        struct channel old = *c, new = *c;
        old.switch_at = 0;
        catch_up(&new, c->switch_at);
        u64 edge = edge_after(&old, now);
        return edge <= c->switch_at ? edge : edge_after(&new, MAX(now, c->switch_at));
    }
    u64 end = c->start + c->initial;
    switch (c->mode) {
    case 0: return now < end ? end : 0;
    case 2:
    case 3:
        return now < c->start ? end : c->start + ((now - c->start) / c->initial + 1) * c->initial;
    case 4: return now <= end ? end + 1 : 0;
    }
    return 0;
}

static void arm(struct pit *p, u64 not_before_ns)
{
    if (p->next_edge) {
        timer_set(&p->timer, MAX(tick_to_ns(p->next_edge), not_before_ns));
    } else {
        timer_cancel(&p->timer);
    }
}

static u64 period_ns(const struct pit *p)
{
    return mul_div(p->ch[0].initial, NS_PER_SEC, FREQ);
}

static void pulse(struct pit *p)
{
    irq_set(&p->irq0, false);
    irq_set(&p->irq0, true);
}

/* An edge is due: pulse, or owe it. */
static void periodic_edge(struct pit *p)
{
    if (!p->busy || !p->busy(p->busy_opaque)) {
        pulse(p);
        return;
    }
    if (p->owed < FREQ / MAX(p->ch[0].initial, 1u)) p->owed++;
    if (!timer_armed(&p->repay))
        timer_set(&p->repay, clock_now(p->dev.host->clock) + MAX(period_ns(p) / 8, 50000u));
}

static void repay(void *opaque)
{
    struct pit *p = opaque;
    if (!p->owed || !is_periodic(&p->ch[0])) return;
    if (!p->busy || !p->busy(p->busy_opaque)) {
        p->owed--;
        pulse(p);
    }
    if (p->owed)
        timer_set(&p->repay, clock_now(p->dev.host->clock) + MAX(period_ns(p) / 8, 50000u));
}

/* Channel 0 was programmed: wire and timer follow its OUT. */
static void rearm(struct pit *p)
{
    u64 now = ticks(p);
    p->owed = 0;
    catch_up(&p->ch[0], now);
    irq_set(&p->irq0, out_level(&p->ch[0], now));
    p->next_edge = edge_after(&p->ch[0], now);
    arm(p, 0);
}

static void fire(void *opaque)
{
    struct pit *p = opaque;
    struct channel *c = &p->ch[0];
    u64 edge = p->next_edge;
    if (!edge) return;
    catch_up(c, edge);
    if (is_periodic(c))
        periodic_edge(p);
    else
        pulse(p);
    p->next_edge = edge_after(c, edge);
    u64 now = ticks(p);
    if (!p->next_edge || !is_periodic(c)) {
        arm(p, 0);
        return;
    }
    if (p->next_edge + FREQ < now) p->next_edge = edge_after(c, now);
    u64 now_ns = clock_now(p->dev.host->clock);
    arm(p, p->next_edge <= now ? now_ns + period_ns(p) / 2 : 0);
}

static void load(struct channel *c, u64 now)
{
    c->initial = c->count_reg;
    c->start = now + 1; /* loaded by the next clock pulse */
    c->frozen = 0;
    c->loaded = true;
    c->null_count = false;
    c->switch_at = 0;
}

static void count_written(struct channel *c, u16 raw, u64 now)
{
    u32 n = c->bcd ? from_bcd(raw) : raw;
    if (!n) n = c->bcd ? 10000 : 0x10000;
    if (n == 1 && is_periodic(c)) n = 2; /* 1 is forbidden there */
    catch_up(c, now);
    c->count_reg = n;
    c->null_count = true;
    if (gate_triggers(c)) return;
    if (!is_periodic(c) || !c->loaded || now < c->start) {
        load(c, now);
    } else if (c->gate) {
        u64 phase = (now - c->start) % c->initial;
        u64 left = c->initial - phase;
        if (c->mode == 3 && phase < high_half(c->initial)) left = high_half(c->initial) - phase;
        c->switch_at = now + left;
    }
}

static void wr_count(struct pit *p, unsigned n, u8 v)
{
    struct channel *c = &p->ch[n];
    u64 now = ticks(p);
    if (c->rw == RW_BOTH && !c->write_msb) {
        c->lsb = v;
        c->write_msb = true;
        if (c->mode == 0) c->loaded = false; /* the first byte stops the count */
    } else {
        u16 raw = c->rw == RW_LSB ? v : v << 8;
        if (c->rw == RW_BOTH) raw |= c->lsb;
        c->write_msb = false;
        count_written(c, raw, now);
    }
    if (n == 0) rearm(p);
}

static void latch_count(struct channel *c, u64 now)
{
    if (c->count_latched) return;
    c->latch = count_now(c, now);
    c->count_latched = true;
}

static void latch_status(struct channel *c, u64 now)
{
    if (c->status_latched) return;
    bool null_count = c->null_count || (c->loaded && now < c->start);
    c->status = out_level(c, now) << 7 | null_count << 6 | c->rw << 4 | c->written_mode << 1 |
                c->bcd;
    c->status_latched = true;
}

/* Read-back command: bit 5 clear latches counts, bit 4 clear latches status, bits 3-1 select
 * channels. */
static void wr_read_back(struct pit *p, u8 v)
{
    u64 now = ticks(p);
    for (int n = 0; n < 3; n++) {
        if (!(v & (2 << n))) continue;
        catch_up(&p->ch[n], now);
        if (!(v & 0x20)) latch_count(&p->ch[n], now);
        if (!(v & 0x10)) latch_status(&p->ch[n], now);
    }
}

static void wr_control(struct pit *p, u8 v)
{
    unsigned n = v >> 6, rw = v >> 4 & 3;
    if (n == 3) {
        wr_read_back(p, v);
        return;
    }
    struct channel *c = &p->ch[n];
    if (rw == RW_LATCH) {
        u64 now = ticks(p);
        catch_up(c, now);
        latch_count(c, now);
        return;
    }
    u8 mode = v >> 1 & 7;
    *c = (struct channel){
        .mode = mode > 5 ? mode - 4 : mode,
        .written_mode = mode,
        .rw = rw,
        .bcd = v & 1,
        .gate = c->gate,
        .null_count = true,
        .count_reg = 0x10000,
        .initial = 0x10000,
    };
    if (n == 0) rearm(p);
}

static u8 rd_count(struct pit *p, unsigned n)
{
    struct channel *c = &p->ch[n];
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    u64 now = ticks(p);
    catch_up(c, now);
    u16 v = c->count_latched ? c->latch : count_now(c, now);
    bool msb = c->rw == RW_MSB || (c->rw == RW_BOTH && c->read_msb);
    if (c->rw == RW_BOTH) c->read_msb = !c->read_msb;
    if (c->rw != RW_BOTH || msb) c->count_latched = false;
    return msb ? v >> 8 : v;
}

static void set_gate(struct channel *c, bool gate, u64 now)
{
    if (c->gate == gate) return;
    catch_up(c, now);
    if (!gate) {
        c->frozen = elapsed(c, now);
        c->gate = false;
        return;
    }
    c->gate = true;
    if (gate_triggers(c)) {
        load(c, out_level(c, now) ? now : now - 1); /* retriggered: OUT stays low */
    } else if (c->loaded && is_periodic(c)) {
        load(c, now);
    } else {
        c->start = now - c->frozen;
    }
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    struct pit *p = opaque;
    (void)size;
    return offset == 3 ? 0xff : rd_count(p, offset);
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pit *p = opaque;
    (void)size;
    TRACE(pit_wr, 0x40 + offset, value, 0, 0);
    if (offset == 3) {
        wr_control(p, value);
    } else {
        wr_count(p, offset, value);
    }
}

static u64 rd_61(void *opaque, u64 offset, unsigned size)
{
    struct pit *p = opaque;
    u64 now = ticks(p);
    (void)offset;
    (void)size;
    catch_up(&p->ch[2], now);
    u8 v = p->port61;
    if (now / REFRESH_TICKS & 1) v |= P61_REFRESH;
    if (out_level(&p->ch[2], now)) v |= P61_OUT2;
    return v;
}

static void wr_61(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pit *p = opaque;
    (void)offset;
    (void)size;
    TRACE(pit_wr, 0x61, value, 0, 0);
    p->port61 = value & P61_STORED;
    set_gate(&p->ch[2], value & P61_GATE2, ticks(p));
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };
static const struct io_ops port61_ops = { rd_61, wr_61, 1, 1 };

static int pit_init(struct device *d, struct error *e)
{
    struct pit *p = (struct pit *)d;
    timer_init(&p->timer, d->host->clock, d->name, fire, p);
    timer_init(&p->repay, d->host->clock, "pit-repay", repay, p);
    region_init_io(&p->ports, "pit", 4, &port_ops, p);
    region_init_io(&p->ports61, "port61", 1, &port61_ops, p);
    if (bus_map(d->host->io, 0x40, &p->ports, 0, e)) return -1;
    return bus_map(d->host->io, 0x61, &p->ports61, 0, e);
}

/* The chip has no reset input: firmware must program every channel. Until then nothing counts, and
 * OUT is low, so that a program without firmware finds no interrupt waiting. */
static void pit_reset(struct device *d, enum reset_kind kind)
{
    struct pit *p = (struct pit *)d;
    (void)kind;
    for (int n = 0; n < 3; n++) {
        p->ch[n] = (struct channel){
            .rw = RW_BOTH,
            .gate = n != 2,
            .null_count = true,
            .count_reg = 0x10000,
            .initial = 0x10000,
        };
    }
    p->port61 = 0;
    rearm(p);
}

static void pit_post_load(struct device *d, u32 version)
{
    struct pit *p = (struct pit *)d;
    (void)version;
    for (int n = 0; n < 3; n++) {
        if (!p->ch[n].initial) p->ch[n].initial = 0x10000;
        if (p->owed) timer_set(&p->repay, clock_now(p->dev.host->clock));
    }
    irq_set(&p->irq0, out_level(&p->ch[0], ticks(p)));
    arm(p, 0);
}

static void pit_info(struct device *d, struct text *t)
{
    struct pit *p = (struct pit *)d;
    u64 now = ticks(p);
    for (int n = 0; n < 3; n++) {
        struct channel *c = &p->ch[n];
        catch_up(c, now);
        text_add(t, "channel %d: mode %d%s reload %u count %04x out %d gate %d%s\n", n, c->mode,
                 c->bcd ? " bcd" : "", c->count_reg, count_now(c, now), out_level(c, now), c->gate,
                 c->loaded ? "" : " not loaded");
    }
    text_add(t, "port 61h: %02x\n", p->port61);
}

static void pit_fini(struct device *d)
{
    struct pit *p = (struct pit *)d;
    timer_cancel(&p->timer);
    timer_cancel(&p->repay);
    region_fini(&p->ports);
    region_fini(&p->ports61);
}

#define CH(n, f) FIELD(struct pit, ch[n].f)
#define CH_FIELDS(n)                                                                               \
    CH(n, mode), CH(n, written_mode), CH(n, rw), CH(n, bcd), CH(n, gate), CH(n, loaded),           \
        CH(n, null_count),                                                                         \
        CH(n, write_msb), CH(n, read_msb), CH(n, status_latched), CH(n, count_latched),            \
        CH(n, lsb), CH(n, status), CH(n, latch), CH(n, count_reg), CH(n, initial), CH(n, start),   \
        CH(n, frozen), CH(n, switch_at)
static const struct device_field pit_fields[] = {
    CH_FIELDS(0),
    CH_FIELDS(1),
    CH_FIELDS(2),
    FIELD(struct pit, port61),
    FIELD(struct pit, next_edge),
    FIELD(struct pit, owed),
    { 0 },
};
static const struct device_wire pit_outputs[] = { { "irq0", offsetof(struct pit, irq0), 1 },
                                                  { 0 } };

const struct device_class pit_class = {
    .name = "pit",
    .help = "8254 timer and port 61h",
    .size = sizeof(struct pit),
    .version = 1,
    .fields = pit_fields,
    .outputs = pit_outputs,
    .init = pit_init,
    .reset = pit_reset,
    .post_load = pit_post_load,
    .info = pit_info,
    .fini = pit_fini,
};
