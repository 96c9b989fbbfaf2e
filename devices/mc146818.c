/* Real-time clock and CMOS memory: MC146818A with a second bank of 128 bytes (Motorola MC146818A
 * datasheet; 82371SB section 3.6.5 for the ports).
 *
 * Ports 70h/71h select and access bank 0 (bit 7 of 70h masks NMI: wire "nmi_mask"), 72h/73h all 256
 * bytes. The wire "irq8" is high while register C has an enabled flag, until register C is read.
 *
 * The time of day is clock_wall() plus an offset that a guest changes by setting the clock; while
 * register B.SET is 1 the bytes stand still. Register A.UIP is 1 for the last 244 us of each
 * second, the update flag, the alarm and the date change come at the second's end, and all of it
 * derives from virtual time. The divider reset (register A.DV = 11x) puts the next update half a
 * second behind its release. The day of the week counts from what was written, as on the chip,
 * which knows no calendar for it.
 *
 * The periodic interrupt is phase-locked to the divider. Guests count it to keep time (Windows 7
 * without HPET), so no tick may get lost where a real CPU would have been fast enough: after a
 * stall, missed ticks follow at twice the rate, never as a burst, and a tick that finds the
 * interrupt before it still waiting in an interrupt controller is owed and raised soon after
 * register C was read. More than a second's worth is dropped.
 *
 * Left out: square wave pin, daylight saving bit (stored, without effect, as on today's chips),
 * oscillator stop other than DV = 11x. */
#include "devices/mc146818.h"

#include <stdlib.h>

enum {
    SEC = 0,
    SEC_ALARM,
    MIN_,
    MIN_ALARM,
    HOUR,
    HOUR_ALARM,
    WDAY,
    MDAY,
    MONTH,
    YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D
};
enum { CENTURY = 0x32 };
enum { A_UIP = 0x80, A_DV = 0x70, A_RS = 0x0f };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM = 0x04, B_24H = 0x02 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { D_VRT = 0x80 };
enum { UIP_NS = 244141, OSC = 32768, BANK = 128, ALARM_ANY = 0xc0 };

struct rtc {
    struct device dev;
    char *cmos_option;
    struct irq irq8, nmi_mask;
    u8 cmos[256];     /* clock registers live here too while SET stops the clock */
    u8 index, index2; /* last values of 70h and 72h */
    i64 offset;       /* guest time minus wall time, whole seconds */
    u32 phase;        /* and nanoseconds */
    u8 weekday_shift; /* day of the week minus what the calendar says, 0-6 */
    i64 frozen;       /* guest time at the moment SET stopped the clock */
    u64 next_second;  /* ns of the next update, 0 while stopped */
    u64 next_tick;    /* number of the next periodic tick, 0 when off */
    u32 owed;         /* periodic ticks to be made up for */
    struct timer second_timer, tick_timer, repay_timer;
    bool (*busy)(void *opaque); /* the last interrupt has not been taken yet */
    void *busy_opaque;
    struct region ports;
};

static struct clock *rtc_clock(const struct rtc *r)
{
    return r->dev.host->clock;
}

static void update_irq(struct rtc *r)
{
    u8 flags = r->cmos[REG_C] & (C_PF | C_AF | C_UF);
    bool on = flags & r->cmos[REG_B];
    r->cmos[REG_C] = flags | (on ? C_IRQF : 0);
    irq_set(&r->irq8, on);
}

/* ---- calendar ---- */

/* Days since 1970-01-01 of a proleptic Gregorian date; month 1-12. */
static i64 days_of(i64 year, unsigned month, unsigned day)
{
    if (month <= 2) year--;
    i64 era = (year >= 0 ? year : year - 399) / 400;
    i64 yoe = year - era * 400;
    i64 doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct date {
    i64 year;
    unsigned month, day, hour, min, sec, weekday; /* weekday 1 = Sunday */
};

static struct date date_of(i64 time)
{
    i64 days = time / 86400, rest = time % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    i64 z = days + 719468;
    i64 era = (z >= 0 ? z : z - 146096) / 146097;
    i64 doe = z - era * 146097;
    i64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    i64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    i64 mp = (5 * doy + 2) / 153;
    struct date t = { .day = doy - (153 * mp + 2) / 5 + 1, .month = mp < 10 ? mp + 3 : mp - 9 };
    t.year = yoe + era * 400 + (t.month <= 2);
    t.hour = rest / 3600;
    t.min = rest / 60 % 60;
    t.sec = rest % 60;
    t.weekday = ((days + 4) % 7 + 7) % 7 + 1;
    return t;
}

static u8 encode(const struct rtc *r, unsigned v)
{
    return r->cmos[REG_B] & B_DM ? v : v / 10 % 10 << 4 | v % 10;
}

static unsigned decode(const struct rtc *r, u8 v)
{
    return r->cmos[REG_B] & B_DM ? v : (v >> 4) * 10 + (v & 15);
}

static u8 encode_hour(const struct rtc *r, unsigned hour)
{
    if (r->cmos[REG_B] & B_24H) return encode(r, hour);
    unsigned h = hour % 12;
    return encode(r, h ? h : 12) | (hour >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct rtc *r, u8 v)
{
    if (r->cmos[REG_B] & B_24H) return decode(r, v);
    return decode(r, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

static i64 guest_time_ns(const struct rtc *r, u32 *nsec)
{
    u64 sec;
    clock_wall(rtc_clock(r), &sec, nsec);
    *nsec += r->phase;
    bool carry = *nsec >= NS_PER_SEC;
    if (carry) *nsec -= NS_PER_SEC;
    return (i64)sec + carry + r->offset;
}

static i64 guest_time(const struct rtc *r)
{
    u32 nsec;
    return guest_time_ns(r, &nsec);
}

static bool divider_reset(const struct rtc *r)
{
    return (r->cmos[REG_A] & A_DV) >= 0x60;
}

static bool stopped(const struct rtc *r)
{
    return (r->cmos[REG_B] & B_SET) || divider_reset(r);
}

/* Writes the running time into the clock registers. */
static void show_time(struct rtc *r)
{
    struct date t = date_of(stopped(r) ? r->frozen : guest_time(r));
    r->cmos[SEC] = encode(r, t.sec);
    r->cmos[MIN_] = encode(r, t.min);
    r->cmos[HOUR] = encode_hour(r, t.hour);
    r->cmos[WDAY] = encode(r, (t.weekday - 1 + r->weekday_shift) % 7 + 1);
    r->cmos[MDAY] = encode(r, t.day);
    r->cmos[MONTH] = encode(r, t.month);
    r->cmos[YEAR] = encode(r, t.year % 100);
    r->cmos[CENTURY] =
        t.year / 100 / 10 % 10 << 4 | t.year / 100 % 10; /* always BCD: firmware's own byte */
}

/* Takes the clock registers, which may hold nonsense, as the new time. */
static void take_time(struct rtc *r)
{
    unsigned century = (r->cmos[CENTURY] >> 4) * 10 + (r->cmos[CENTURY] & 15);
    unsigned year = decode(r, r->cmos[YEAR]) % 100;
    unsigned month = decode(r, r->cmos[MONTH]), day = decode(r, r->cmos[MDAY]);
    if (month < 1 || month > 12) month = 1;
    if (day < 1 || day > 31) day = 1;
    i64 days = days_of(century * 100 + year, month, day);
    i64 time = days * 86400 + decode_hour(r, r->cmos[HOUR]) % 24 * 3600 +
               decode(r, r->cmos[MIN_]) % 60 * 60 + decode(r, r->cmos[SEC]) % 60;
    r->frozen = time;
    unsigned weekday = decode(r, r->cmos[WDAY]);
    bool sane = weekday >= 1 && weekday <= 7;
    r->weekday_shift = sane ? (weekday + 7 - date_of(time).weekday) % 7 : 0;
}

/* ---- once a second ---- */

static void arm_second(struct rtc *r)
{
    if (stopped(r)) {
        r->next_second = 0;
        timer_cancel(&r->second_timer);
        return;
    }
    u32 nsec;
    guest_time_ns(r, &nsec);
    r->next_second = clock_now(rtc_clock(r)) + NS_PER_SEC - nsec;
    timer_set(&r->second_timer, r->next_second);
}

static bool alarm_field(const struct rtc *r, u8 want, unsigned have, bool hour)
{
    if ((want & ALARM_ANY) == ALARM_ANY) return true;
    return (hour ? decode_hour(r, want) : decode(r, want)) == have;
}

static bool alarm_matches(const struct rtc *r, const struct date *t)
{
    return alarm_field(r, r->cmos[SEC_ALARM], t->sec, false) &&
           alarm_field(r, r->cmos[MIN_ALARM], t->min, false) &&
           alarm_field(r, r->cmos[HOUR_ALARM], t->hour, true);
}

static void second_ended(void *opaque)
{
    struct rtc *r = opaque;
    struct date t = date_of(guest_time(r));
    r->cmos[REG_C] |= C_UF;
    if (alarm_matches(r, &t)) r->cmos[REG_C] |= C_AF;
    arm_second(r);
    update_irq(r);
}

/* The timer may fire a little after its moment; who asks in between sees the second ended. */
static void look_for_second(struct rtc *r)
{
    if (r->next_second && clock_now(rtc_clock(r)) >= r->next_second) second_ended(r);
}

static bool updating(struct rtc *r)
{
    u64 now = clock_now(rtc_clock(r));
    return r->next_second && now < r->next_second && now + UIP_NS >= r->next_second;
}

/* ---- periodic ---- */

/* Period in 32,768 Hz oscillator clocks, 0 = off. Rates 1 and 2 repeat 8 and 9. */
static u32 period(const struct rtc *r)
{
    unsigned rs = r->cmos[REG_A] & A_RS;
    if (!rs || divider_reset(r)) return 0;
    return 1u << (rs <= 2 ? rs + 6 : rs - 1);
}

static u64 osc_to_ns(u64 clocks)
{
    return ((u128)clocks * NS_PER_SEC + OSC - 1) / OSC;
}

static u64 osc_now(const struct rtc *r)
{
    return mul_div(clock_now(rtc_clock(r)), OSC, NS_PER_SEC);
}

/* The flag appears whether or not its interrupt is enabled, but only an enabled one needs a timer;
 * rd_c computes the flag otherwise. */
static void arm_tick(struct rtc *r)
{
    u32 n = period(r);
    r->owed = 0;
    if (!n) {
        r->next_tick = 0;
        timer_cancel(&r->tick_timer);
        return;
    }
    r->next_tick = osc_now(r) / n + 1;
    if (r->cmos[REG_B] & B_PIE) {
        timer_set(&r->tick_timer, osc_to_ns(r->next_tick * n));
    } else {
        timer_cancel(&r->tick_timer);
    }
}

/* With the interrupt off nobody watched: sets PF if a tick has passed since the last look. */
static void look_for_tick(struct rtc *r)
{
    u32 n = period(r);
    if (!n || (r->cmos[REG_B] & B_PIE) || osc_now(r) < r->next_tick * n) return;
    r->cmos[REG_C] |= C_PF;
    r->next_tick = osc_now(r) / n + 1;
}

/* Register C was read: the next owed tick may follow. */
static void repay_soon(struct rtc *r)
{
    if (r->owed)
        timer_set(&r->repay_timer,
                  clock_now(rtc_clock(r)) + MAX(osc_to_ns(period(r)) / 8, 50000u));
}

static void repay(void *opaque)
{
    struct rtc *r = opaque;
    if (!r->owed || !(r->cmos[REG_B] & B_PIE) || (r->cmos[REG_C] & C_PF)) return;
    r->owed--;
    r->cmos[REG_C] |= C_PF;
    update_irq(r);
}

static void tick(void *opaque)
{
    struct rtc *r = opaque;
    u32 n = period(r);
    if (!n) return;
    if ((r->cmos[REG_C] & C_PF) && r->owed < OSC / n && r->busy && r->busy(r->busy_opaque))
        r->owed++;
    r->cmos[REG_C] |= C_PF;
    r->next_tick++;
    u64 now = clock_now(rtc_clock(r)), when = osc_to_ns(r->next_tick * n);
    if (when + NS_PER_SEC < now) {
        r->next_tick = osc_now(r) / n + 1;
        when = osc_to_ns(r->next_tick * n);
    }
    timer_set(&r->tick_timer, when > now ? when : now + osc_to_ns(n) / 2);
    update_irq(r);
}

/* ---- registers ---- */

/* The divider starts anew: the next update is half a second away. */
static void start_divider(struct rtc *r)
{
    u64 sec;
    u32 nsec;
    clock_wall(rtc_clock(r), &sec, &nsec);
    r->phase = (NS_PER_SEC + NS_PER_SEC / 2 - nsec) % NS_PER_SEC;
}

static void set_running(struct rtc *r, bool was_stopped)
{
    if (stopped(r) == was_stopped) return;
    if (was_stopped) {
        take_time(r);
        r->offset += r->frozen - guest_time(r);
    }
    arm_second(r);
}

static void wr_control(struct rtc *r, unsigned i, u8 v)
{
    bool was_stopped = stopped(r);
    if (!was_stopped) {
        show_time(r);
        r->frozen = guest_time(r);
    }
    look_for_tick(r);
    if (i == REG_A) {
        bool rate_changed = (r->cmos[REG_A] ^ v) & (A_RS | A_DV), was_reset = divider_reset(r);
        r->cmos[REG_A] = v & ~A_UIP;
        if (was_reset && !divider_reset(r)) start_divider(r);
        if (rate_changed) arm_tick(r);
    } else {
        if (v & B_SET) v &= ~B_UIE; /* MC146818A: SET clears UIE */
        bool pie_changed = (r->cmos[REG_B] ^ v) & B_PIE;
        r->cmos[REG_B] = v;
        if (pie_changed) arm_tick(r);
    }
    set_running(r, was_stopped);
    update_irq(r);
}

static bool is_time(unsigned i)
{
    return i == SEC || i == MIN_ || i == HOUR || (i >= WDAY && i <= YEAR) || i == CENTURY;
}

static void wr_time(struct rtc *r, unsigned i, u8 v)
{
    bool run = !stopped(r);
    if (run) show_time(r);
    r->cmos[i] = v;
    take_time(r);
    if (run) r->offset += r->frozen - guest_time(r);
}

static u8 rd_byte(struct rtc *r, unsigned i)
{
    u8 v;
    if (is_time(i) && !stopped(r)) show_time(r);
    switch (i) {
    case REG_A: v = r->cmos[REG_A] | (updating(r) ? A_UIP : 0); break;
    case REG_C:
        look_for_second(r);
        look_for_tick(r);
        update_irq(r);
        v = r->cmos[REG_C];
        r->cmos[REG_C] = 0;
        update_irq(r);
        repay_soon(r);
        break;
    case REG_D: v = D_VRT; break;
    default: v = r->cmos[i];
    }
    TRACE(rtc_rd, i, v, 0, 0);
    return v;
}

static void wr_byte(struct rtc *r, unsigned i, u8 v)
{
    TRACE(rtc_wr, i, v, 0, 0);
    if (i == REG_A || i == REG_B) {
        wr_control(r, i, v);
    } else if (is_time(i)) {
        wr_time(r, i, v);
    } else if (i != REG_C && i != REG_D) {
        r->cmos[i] = v;
    }
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    struct rtc *r = opaque;
    (void)size;
    switch (offset) {
    case 1: return rd_byte(r, r->index & 0x7f);
    case 2: return r->index2;
    case 3: return rd_byte(r, r->index2);
    }
    return 0xff; /* 70h is write-only */
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct rtc *r = opaque;
    (void)size;
    switch (offset) {
    case 0:
        r->index = value;
        irq_set(&r->nmi_mask, value & 0x80);
        break;
    case 1: wr_byte(r, r->index & 0x7f, value); break;
    case 2: r->index2 = value; break;
    case 3: wr_byte(r, r->index2, value); break;
    }
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

void mc146818_set_busy_probe(struct device *d, bool (*busy)(void *opaque), void *opaque)
{
    struct rtc *r = (struct rtc *)d;
    r->busy = busy;
    r->busy_opaque = opaque;
}

void mc146818_set_cmos(struct device *d, unsigned index, u8 value)
{
    struct rtc *r = (struct rtc *)d;
    if (index > REG_D && index < sizeof(r->cmos) && index != CENTURY) r->cmos[index] = value;
}

u8 mc146818_get_cmos(struct device *d, unsigned index)
{
    struct rtc *r = (struct rtc *)d;
    if (index >= sizeof(r->cmos)) return 0xff;
    if (is_time(index) && !stopped(r)) show_time(r);
    return r->cmos[index];
}

/* "INDEX=VALUE,..." in hexadecimal. */
static int set_contents(struct rtc *r, const char *s, struct error *e)
{
    while (*s) {
        char *end;
        unsigned long index = strtoul(s, &end, 16);
        if (end == s || *end != '=') break;
        const char *v = end + 1;
        unsigned long value = strtoul(v, &end, 16);
        if (end == v || (*end && *end != ',') || index <= REG_D || index > 0xff || value > 0xff)
            break;
        mc146818_set_cmos(&r->dev, index, value);
        s = *end ? end + 1 : end;
    }
    if (!*s) return 0;
    return error_set(e, "cmos: \"%s\" is not a list INDEX=VALUE,... (hexadecimal, index 0e to ff)",
                     s);
}

static int rtc_init(struct device *d, struct error *e)
{
    struct rtc *r = (struct rtc *)d;
    timer_init(&r->second_timer, d->host->clock, d->name, second_ended, r);
    timer_init(&r->tick_timer, d->host->clock, d->name, tick, r);
    timer_init(&r->repay_timer, d->host->clock, "rtc-repay", repay, r);
    r->cmos[REG_A] = 0x26; /* 32,768 Hz crystal, 1,024 Hz rate */
    r->cmos[REG_B] = B_24H;
    if (r->cmos_option && set_contents(r, r->cmos_option, e)) return -1;
    region_init_io(&r->ports, "rtc", 4, &port_ops, r);
    return bus_map(d->host->io, 0x70, &r->ports, 0, e);
}

/* The chip is battery-backed: RESET# clears the interrupt enables and flags only. */
static void rtc_reset(struct device *d, enum reset_kind kind)
{
    struct rtc *r = (struct rtc *)d;
    (void)kind;
    r->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE);
    r->cmos[REG_C] = 0;
    r->index = r->index2 = 0;
    irq_set(&r->nmi_mask, false);
    arm_second(r);
    arm_tick(r);
    update_irq(r);
}

static void rtc_post_load(struct device *d, u32 version)
{
    struct rtc *r = (struct rtc *)d;
    (void)version;
    arm_second(r);
    arm_tick(r);
    irq_set(&r->nmi_mask, r->index & 0x80);
    update_irq(r);
}

static void rtc_info(struct device *d, struct text *t)
{
    struct rtc *r = (struct rtc *)d;
    struct date now = date_of(stopped(r) ? r->frozen : guest_time(r));
    text_add(t, "%04d-%02u-%02u %02u:%02u:%02u%s, A %02x B %02x C %02x\n", (int)now.year, now.month,
             now.day, now.hour, now.min, now.sec, stopped(r) ? " stopped" : "", r->cmos[REG_A],
             r->cmos[REG_B], r->cmos[REG_C]);
    for (unsigned i = 0; i < sizeof(r->cmos); i++) {
        text_add(t, i % 16 ? " %02x" : "%02x: %02x", i % 16 ? r->cmos[i] : i, r->cmos[i]);
        if (i % 16 == 15) text_add(t, "\n");
    }
}

static void rtc_fini(struct device *d)
{
    struct rtc *r = (struct rtc *)d;
    timer_cancel(&r->second_timer);
    timer_cancel(&r->tick_timer);
    timer_cancel(&r->repay_timer);
    region_fini(&r->ports);
}

static const struct device_option rtc_options[] = {
    { "cmos", OPT_STR, offsetof(struct rtc, cmos_option), NULL,
      "CMOS bytes: INDEX=VALUE,... in hexadecimal" },
    { 0 },
};
static const struct device_field rtc_fields[] = {
    FIELD_ARRAY(struct rtc, cmos), FIELD(struct rtc, index),  FIELD(struct rtc, index2),
    FIELD(struct rtc, offset),     FIELD(struct rtc, phase),  FIELD(struct rtc, weekday_shift),
    FIELD(struct rtc, frozen),     { 0 },
};
static const struct device_wire rtc_outputs[] = {
    { "irq8", offsetof(struct rtc, irq8), 1 },
    { "nmi_mask", offsetof(struct rtc, nmi_mask), 1 },
    { 0 },
};

const struct device_class rtc_class = {
    .name = "rtc",
    .help = "MC146818 real-time clock and 256 bytes of CMOS",
    .size = sizeof(struct rtc),
    .version = 1,
    .options = rtc_options,
    .fields = rtc_fields,
    .outputs = rtc_outputs,
    .init = rtc_init,
    .reset = rtc_reset,
    .post_load = rtc_post_load,
    .info = rtc_info,
    .fini = rtc_fini,
};
