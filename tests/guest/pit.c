/* expect: exit 171. The 8254: six modes, gate and OUT of channel 2, latch, read-back, BCD, reload rules, rate of channel 0, port 61h.
 * (Intel 8254 data sheet, order number 231164; section names are its own. Port 61h: 82371SB 3.6.2.) */
#include "tests/guest/dev.h"

enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };

static void control(unsigned channel, unsigned mode, bool bcd)
{
    outb(0x43, (u8)(channel << 6 | 0x30 | mode << 1 | bcd));
}

static void count(unsigned channel, u16 n)
{
    outb((u16)(0x40 + channel), (u8)n);
    outb((u16)(0x40 + channel), (u8)(n >> 8));
}

static u16 read16(unsigned channel)
{
    u16 low = inb((u16)(0x40 + channel));
    return (u16)(low | inb((u16)(0x40 + channel)) << 8);
}

static u16 value(unsigned channel)
{
    outb(0x43, (u8)(channel << 6));
    return read16(channel);
}

static u8 status(unsigned channel)
{
    outb(0x43, (u8)(0xe0 | 2 << channel));
    return inb((u16)(0x40 + channel));
}

static void gate(bool on)
{
    outb(0x61, (inb(0x61) & 0x0c) | on);
}

static bool out2(void)
{
    return inb(0x61) & 0x20;
}

/* PM ticks until OUT of channel 2 is `level`; gives up after half a second. */
static u32 until(bool level)
{
    u32 start = pm_now();
    while (out2() != level && pm_since(start) < 1800000) {}
    return pm_since(start);
}

/* Microseconds of n clocks of the 8254. */
static u32 us(u32 n)
{
    return (u32)dev_div((u64)n * 1000000, 1193182);
}

static void control_words(void)
{
    about(148);
    gate(true);
    for (unsigned mode = 0; mode < 8; mode++) {
        control(2, mode, mode & 1);
        check_eq("status: mode and BCD as written, count not loaded", status(2) & 0x7f,
                 STATUS_NULL | 0x30 | mode << 1 | (mode & 1));
        check_eq("OUT after the control word: low in mode 0 only", out2(), mode != 0);
    }
    outb(0x43, 0x94); /* channel 2, low byte only, mode 2 */
    check_eq("status: low byte only", status(2) & 0x3f, 0x14);
}

static void mode0(void)
{
    control(2, 0, false);
    gate(true);
    count(2, 12000);
    u32 start = pm_now();
    check_eq("mode 0: OUT low while counting", out2(), 0);
    until(true);
    check_in("mode 0: OUT rises after N + 1 clocks", pm_to_us(pm_since(start)), us(11990), us(12060));
    check_in("mode 0: goes on from FFFFh", value(2), 0xfc00, 0xffff);
    check_eq("mode 0: OUT stays high", out2(), 1);
    gate(false);
    u16 held = value(2);
    delay_us(50);
    check_eq("mode 0: the gate stops the count", value(2), held);
    gate(true);
    delay_us(50);
    check("mode 0: and lets it go on", value(2) < held);
    outb(0x42, 0x10);
    check_eq("mode 0: the first byte of a new count lowers OUT", out2(), 0);
    held = value(2);
    delay_us(20);
    check_eq("mode 0: and stops the count", value(2), held);
    outb(0x42, 0x27);
    check_in("mode 0: the second starts it", value(2), 0x26e0, 0x2710);
    gate(false);
    count(2, 5);
    delay_us(20);
    check_eq("mode 0: written while the gate is low, loaded but not counted", value(2), 5);
    check_eq("mode 0: OUT low then", out2(), 0);
    gate(true);
    delay_us(20);
    check_eq("mode 0: counted when it rises", out2(), 1);
}

static void mode1(void)
{
    gate(false);
    control(2, 1, false);
    count(2, 2400);
    delay_us(20);
    check_eq("mode 1: nothing before the gate", out2(), 1);
    check_eq("mode 1: count not loaded before the gate", status(2) & STATUS_NULL, STATUS_NULL);
    gate(true);
    u32 start = pm_now();
    delay_us(10);
    check_eq("mode 1: OUT low after the gate's edge", out2(), 0);
    gate(false);
    delay_us(10);
    check_eq("mode 1: the gate's level does not matter", out2(), 0);
    until(true);
    check_in("mode 1: OUT low for N clocks", pm_to_us(pm_since(start)), us(2390), us(2460));
    gate(true);
    delay_us(500);
    gate(false);
    gate(true); /* retriggered before the end */
    start = pm_now();
    count(2, 1200);
    until(true);
    check_in("mode 1: a new edge restarts it, a new count waits for the next edge",
             pm_to_us(pm_since(start)), us(2390), us(2460));
    gate(false);
    gate(true);
    start = pm_now();
    delay_us(10);
    until(true);
    check_in("mode 1: which takes it", pm_to_us(pm_since(start)), us(1190), us(1260));
}

static void mode2(void)
{
    gate(true);
    control(2, 2, false);
    count(2, 10000);
    u32 start = pm_now();
    u16 top = 0, bottom = 0xffff, last = 10001;
    unsigned wraps = 0;
    while (pm_since(start) < 150000) { /* 42 ms, five periods */
        u16 v = value(2);
        if (v > top) top = v;
        if (v < bottom) bottom = v;
        if (v > last) wraps++;
        last = v;
    }
    check_in("mode 2: never above the reload value", top, 9900, 10000);
    check_in("mode 2: never below 1", bottom, 1, 100);
    check_in("mode 2: reloads once a period", wraps, 4, 6);
    gate(false);
    check_eq("mode 2: OUT high while the gate is low", out2(), 1);
    u16 held = value(2);
    delay_us(30);
    check_eq("mode 2: the gate stops the count", value(2), held);
    gate(true);
    check_in("mode 2: and reloads it", value(2), 9900, 10000);
    count(2, 20000);
    check_in("mode 2: a new count waits for the end of the period", value(2), 9000, 10000);
    check_eq("mode 2: until then the null count flag is set", status(2) & STATUS_NULL, STATUS_NULL);
    delay_us(9000);
    check_in("mode 2: then it counts", value(2), 15000, 20000);
    check_eq("mode 2: and the flag is clear", status(2) & STATUS_NULL, 0);
}

static void mode3(void)
{
    gate(true);
    control(2, 3, false);
    count(2, 12000);
    bool odd = false;
    for (unsigned n = 0; n < 300; n++) odd |= value(2) & 1;
    check_eq("mode 3: an even count is counted by two", odd, 0);
    until(true);
    until(false);
    u32 start = pm_now();
    until(true);
    u32 low = pm_since(start);
    until(false);
    u32 period = pm_since(start);
    check_in("mode 3: low for half of the period", pm_to_us(low), us(5900), us(6100));
    check_in("mode 3: period of N clocks", pm_to_us(period), us(11900), us(12100));
    until(false);
    gate(false);
    check_eq("mode 3: OUT high while the gate is low", out2(), 1);
    gate(true);
    check_in("mode 3: the gate's edge reloads", value(2), 11800, 12000);
    check_eq("mode 3: and starts with the high half", out2(), 1);
    count(2, 6000);
    start = pm_now();
    until(false);
    check_in("mode 3: a new count waits for the half", pm_to_us(pm_since(start)), us(5700), us(6050));
    start = pm_now();
    until(true);
    check_in("mode 3: the next half has it", pm_to_us(pm_since(start)), us(2900), us(3100));
}

static void mode4(void)
{
    gate(true);
    control(2, 4, false);
    count(2, 12000);
    u32 start = pm_now();
    check_eq("mode 4: OUT high", out2(), 1);
    delay_us(5000);
    check_in("mode 4: counts at once", value(2), 5000, 6100);
    gate(false);
    u16 held = value(2);
    delay_us(50);
    check_eq("mode 4: the gate stops the count", value(2), held);
    gate(true);
    start = pm_now();
    while (value(2) <= 12000 && pm_since(start) < 100000) {}
    check_in("mode 4: goes on below zero, no reload", value(2), 0xf000, 0xffff);
    check_eq("mode 4: the strobe is one clock long", out2(), 1);
    count(2, 1000);
    check_in("mode 4: a new count is loaded at once", value(2), 900, 1000);
}

static void mode5(void)
{
    gate(false);
    control(2, 5, false);
    count(2, 12000);
    delay_us(50);
    check_eq("mode 5: nothing before the gate", status(2) & (STATUS_OUT | STATUS_NULL), STATUS_OUT | STATUS_NULL);
    gate(true);
    delay_us(1000);
    check_in("mode 5: counts after the gate's edge", value(2), 10000, 11000);
    check_eq("mode 5: OUT high", out2(), 1);
    gate(false);
    gate(true);
    check_in("mode 5: an edge reloads", value(2), 11800, 12000);
}

static void decimal(void)
{
    gate(false);
    control(2, 0, true);
    count(2, 0x1000);
    delay_us(10);
    check_eq("BCD: loaded as written", value(2), 0x1000);
    gate(true);
    delay_us(20);
    gate(false);
    u16 v = value(2);
    check("BCD: digits below ten", (v & 15) < 10 && (v >> 4 & 15) < 10 && (v >> 8 & 15) < 10);
    check_in("BCD: decimal steps", v, 0x0900, 0x0999);
    control(2, 0, true);
    gate(true);
    count(2, 0);
    u32 start = pm_now();
    until(true);
    check_in("BCD: 0 means 10,000", pm_to_us(pm_since(start)), us(9990), us(10060));
    check_in("BCD: goes on from 9999", value(2), 0x9000, 0x9999);
}

static void latches(void)
{
    gate(true);
    control(2, 2, false);
    count(2, 50000);
    delay_us(10);
    outb(0x43, 0x80);
    delay_us(50);
    outb(0x43, 0x80); /* ignored: the first is not read yet */
    u16 latched = read16(2), now = value(2);
    check_in("the first latch holds until read", (u16)(latched - now), 50, 50000);
    outb(0x43, 0x80);
    u8 low = inb(0x42);
    delay_us(50);
    u8 high = inb(0x42);
    now = value(2);
    check_in("both bytes are of one moment", (u16)((high << 8 | low) - now), 50, 5000);
    outb(0x43, 0xc8); /* read-back of channel 2: count and status */
    u8 first = inb(0x42);
    check_eq("read-back: status first", first & 0x3f, 0x34);
    latched = read16(2);
    check("read-back: then the count", latched <= 50000 && latched >= value(2));
    control(0, 2, false);
    count(0, 50000);
    outb(0x43, 0xda); /* counts of channels 0 and 2 */
    u16 zero = read16(0), two = read16(2);
    check("read-back: several counts at once", zero <= 50000 && two <= 50000);
    gate(false);
    outb(0x43, 0x90); /* low byte only, mode 0 */
    outb(0x42, 0x77);
    delay_us(5);
    check_eq("low byte only: the high one is zero", inb(0x42), 0x77);
    check_eq("low byte only: every read gives it", inb(0x42), 0x77);
    outb(0x43, 0xa0); /* high byte only */
    outb(0x42, 0x77);
    delay_us(5);
    check_eq("high byte only", inb(0x42), 0x77);
    control(2, 0, false);
    count(2, 0x1234);
    delay_us(5);
    check_eq("both bytes: low, then high", read16(2), 0x1234);
}

static u32 time_of(unsigned n)
{
    u32 start = pm_now();
    while (taken[PIC_BASE] < n && pm_since(start) < 8000000) halt();
    return pm_since(start);
}

static void channel0(void)
{
    pic_init(0);
    control(0, 0, false);
    pic_unmask(0);
    eoi_policy = EOI_PIC;
    window();
    forget();
    count(0, 2000);
    u32 took = time_of(1);
    check_in("channel 0, mode 0: interrupts after N + 1 clocks", pm_to_us(took), us(1990), us(2100));
    delay_us(3000);
    window();
    check_eq("channel 0, mode 0: once", taken[PIC_BASE], 1);
    for (unsigned mode = 2; mode <= 3; mode++) {
        control(0, mode, false);
        count(0, 11932); /* 100 Hz */
        forget();
        time_of(1);
        took = time_of(51);
        check_in(mode == 2 ? "channel 0, mode 2: 50 interrupts at 100 Hz" : "channel 0, mode 3: 50 interrupts at 100 Hz",
                 pm_to_us(took), 499000, 501000);
    }
    control(0, 2, false); /* stops it */
    pic_init(0);
    eoi_policy = 0;
}

static void port61(void)
{
    about(149);
    unsigned edges = 0;
    u32 start = pm_now();
    u8 last = inb(0x61) & 0x10;
    while (pm_since(start) < 35795) { /* 10 ms */
        u8 now = inb(0x61) & 0x10;
        edges += now != last;
        last = now;
    }
    check_in("port 61h bit 4 toggles every 15.085 us", edges, 650, 676);
    outb(0x61, 0xff);
    check_eq("port 61h: bits 3-0 are stored, 7 and 6 are not", inb(0x61) & 0xcf, 0x0f);
    outb(0x61, 0);
    check_eq("port 61h: and cleared", inb(0x61) & 0xcf, 0);
    control(2, 0, false);
    gate(true);
    count(2, 1193);
    start = pm_now();
    until(true);
    check_in("port 61h bit 5 is OUT of channel 2: a millisecond", pm_to_us(pm_since(start)), 990, 1030);
    gate(false);
    control(2, 3, false);
    about(0);
}

void test_pit(void)
{
    control_words();
    mode0();
    mode1();
    mode2();
    mode3();
    mode4();
    mode5();
    decimal();
    latches();
    channel0();
    port61();
}
