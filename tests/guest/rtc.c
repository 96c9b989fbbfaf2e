/* expect: exit 171. The MC146818A: update cycle and UIP, SET, divider reset, formats, roll-over, alarm, the three interrupts, all rates.
 * (Motorola MC146818A data sheet, ADI856R2; section names are its own.) */
#include "tests/guest/dev.h"

enum { A = 0x0a, B = 0x0b, C = 0x0c, D = 0x0d, UIP = 0x80 };
enum { SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, DM = 0x04, H24 = 0x02 };
enum { IRQF = 0x80, PF = 0x40, AF = 0x20, UF = 0x10 };
enum { RTC_VECTOR = PIC2_BASE, CENTURY = 0x32 };

static u8 rd(u8 n)
{
    outb(0x70, n);
    return inb(0x71);
}

static void wr(u8 n, u8 v)
{
    outb(0x70, n);
    outb(0x71, v);
}

static volatile u8 flags;     /* register C as the handler saw it */
static volatile u32 when;     /* PM timer at the first interrupt since forget() */
static volatile bool leave_c; /* the handler does not read register C */

static void handler(unsigned vector)
{
    if (vector != RTC_VECTOR) return;
    if (taken[vector] == 1) when = pm_now();
    if (!leave_c) flags = rd(C);
}

/* Sleeps until n interrupts came or `limit` PM ticks passed; needs an interrupt to wake up. */
static bool sleep_until(unsigned n, u32 limit)
{
    u32 start = pm_now();
    while (taken[RTC_VECTOR] < n && pm_since(start) < limit) halt();
    return taken[RTC_VECTOR] >= n;
}

static void set_mode(u8 a, u8 b)
{
    cli();
    wr(B, b & ~(PIE | AIE | UIE));
    wr(A, a);
    rd(C);
    window();
    forget();
    wr(B, b);
}

/* The end of an update. */
static void next_second(u8 b)
{
    set_mode(0x26, b | UIE);
    sleep_until(1, 7000000);
    set_mode(0x26, b);
}

static void set_clock(u8 b, u8 hour, u8 minute, u8 second, u8 day, u8 month, u8 year)
{
    wr(B, SET | b);
    wr(0, second);
    wr(2, minute);
    wr(4, hour);
    wr(7, day);
    wr(8, month);
    wr(9, year);
    /* No document says in which form the century is kept under DM; both readings of these are harmless. */
    wr(CENTURY, year == 0x99 ? 0x19 : b & DM ? 0x14 : 0x20);
    wr(B, b);
}

static void registers(void)
{
    about(150);
    check_eq("D: the battery is good, other bits zero", rd(D), 0x80);
    wr(D, 0);
    check_eq("D is read-only", rd(D), 0x80);
    wr(A, 0xa6);
    check_eq("A: UIP is read-only", rd(A) & 0x7f, 0x26);
    wr(B, H24 | PIE);
    wr(C, 0xff);
    check_eq("B reads back", rd(B), H24 | PIE);
    wr(B, H24);
    rd(C);
    check_eq("C: bits 3-0 are zero", rd(C) & 0x0f, 0);
    about(153);
    wr(0x7f, 0x5a);
    wr(0x0e, 0xa5);
    outb(0x70, 0xff); /* bit 7 is not part of the index */
    check_eq("index bit 7 is the NMI mask only", inb(0x71), 0x5a);
    outb(0x70, 0x0e);
    check_eq("memory bytes keep what is written", inb(0x71), 0xa5);
    outb(0x70, 0x8e);
    outb(0x71, 0x5b);
    check_eq("also with the NMI mask set", rd(0x0e), 0x5b);
    about(0);
}

static void rates(void)
{
    static const u16 hz[16] = { 0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2 };
    static const char *const names[16] = { "", "256 Hz", "128 Hz", "8192 Hz", "4096 Hz", "2048 Hz", "1024 Hz", "512 Hz",
                                           "256 Hz", "128 Hz", "64 Hz", "32 Hz", "16 Hz", "8 Hz", "4 Hz", "2 Hz" };
    about(150);
    for (unsigned rs = 1; rs < 16; rs++) {
        unsigned n = hz[rs] / 2 + (hz[rs] < 8 ? 2 : 0);
        set_mode(0x20 | rs, H24 | PIE);
        sleep_until(n + 1, 14000000);
        u32 us = pm_to_us(pm_since(when)), want = (u32)dev_div((u64)n * 1000000, hz[rs]);
        check_in(names[rs], us, want - want / 1000, want + want / 1000 + 20);
        check_eq("C says periodic", flags & ~UF, IRQF | PF);
    }
    set_mode(0x20, H24 | PIE | UIE);
    sleep_until(1, 7000000);
    check_eq("rate 0: no periodic interrupt", flags, IRQF | UF);
    about(0);
}

static void acknowledging(void)
{
    about(150);
    set_mode(0x26, H24 | PIE);
    leave_c = true;
    sleep_until(1, 100000);
    delay_us(20000);
    window();
    check_eq("no further interrupt while C is unread", taken[RTC_VECTOR], 1);
    leave_c = false;
    check_eq("C still says why", rd(C) & ~UF, IRQF | PF);
    check_eq("reading clears it", rd(C) & IRQF, 0);
    sleep_until(4, 100000);
    check("then they go on", taken[RTC_VECTOR] >= 4);
    set_mode(0x26, H24);
    delay_us(2000);
    check_eq("PF without PIE: the flag, no IRQF", rd(C) & (IRQF | PF), PF);
    check_eq("and no interrupt", taken[RTC_VECTOR], 0);
    delay_us(2000);
    wr(B, H24 | PIE);
    check_eq("enabling with PF set raises IRQF", rd(C) & (IRQF | PF), IRQF | PF);
    set_mode(0x26, H24);
    about(0);
}

static void update_cycle(void)
{
    about(151);
    next_second(H24);
    check_eq("UIP is clear after the update", rd(A) & UIP, 0);
    u8 before = rd(0);
    unsigned seen = 0;
    u32 start = pm_now();
    set_mode(0x26, H24 | PIE);
    while (pm_since(start) < 3554488) { /* 993 ms, mostly asleep */
        halt();
        seen += (rd(A) & UIP) != 0;
    }
    check_eq("UIP stays clear until shortly before", seen, 0);
    set_mode(0x26, H24);
    start = pm_now();
    while (!(rd(A) & UIP) && pm_since(start) < 50000) {}
    u32 rise = pm_now();
    check_in("UIP rises in the seventh millisecond before the end of the second", pm_to_us((rise - start) & 0xffffff), 4000, 7000);
    check_eq("the time is still the old one", rd(0), before);
    while (!(rd(C) & UF) && pm_since(rise) < 50000) {}
    check_in("the update comes 244 us later and takes no more than 1984 us", pm_to_us(pm_since(rise)), 240, 2240);
    check_eq("UIP falls with it", rd(A) & UIP, 0);
    check("the second counted", rd(0) != before);
    set_mode(0x26, H24 | UIE);
    sleep_until(4, 16000000);
    check_in("update interrupts come once a second", pm_to_us(pm_since(when)), 2999000, 3001000);
    check_eq("C says update ended", flags & ~PF, IRQF | UF);
    set_mode(0x26, H24);
    about(0);
}

static void setting(void)
{
    about(151);
    set_clock(H24, 0x12, 0x34, 0x56, 0x15, 0x06, 0x23);
    wr(B, SET | H24 | UIE);
    check_eq("SET clears UIE", rd(B), SET | H24);
    u8 second = rd(0);
    bool uip = false;
    set_mode(0x26, SET | H24 | PIE); /* periodic interrupts go on */
    while (taken[RTC_VECTOR] < 1200) {
        halt();
        uip |= rd(A) & UIP;
    }
    check_eq("SET: no update for over a second", rd(0), second);
    check_eq("SET: UIP stays clear", uip, 0);
    set_mode(0x26, H24);
    check_eq("time as set", rd(4) << 16 | rd(2) << 8 | rd(0), 0x123400u | second);
    next_second(H24);
    check_eq("and it runs again", rd(0), second + 1u);

    wr(A, 0x76); /* divider held in reset */
    delay_us(1000);
    wr(A, 0x26);
    u32 start = pm_now();
    wr(B, H24);
    rd(C);
    set_mode(0x26, H24 | UIE);
    sleep_until(1, 7000000);
    check_in("half a second from divider reset to the next update", pm_to_us(pm_since(start)), 497000, 503000);
    set_mode(0x26, H24);
    about(0);
}

static void formats(void)
{
    about(151);
    set_clock(H24, 0x23, 0x59, 0x58, 0x28, 0x02, 0x24);
    wr(6, 7);
    next_second(H24);
    next_second(H24);
    check_eq("24 hours BCD: midnight", rd(4) << 16 | rd(2) << 8 | rd(0), 0);
    check_eq("29 February 2024", rd(9) << 16 | rd(8) << 8 | rd(7), 0x240229);
    check_eq("Saturday is followed by Sunday", rd(6), 1);
    set_clock(DM | H24, 23, 59, 59, 28, 2, 23);
    next_second(DM | H24);
    check_eq("binary: 1 March 2023", rd(9) << 16 | rd(8) << 8 | rd(7), 0x170301);
    set_clock(DM | H24, 13, 45, 30, 31, 12, 23);
    check_eq("binary: hours and minutes", rd(4) << 8 | rd(2), 0x0d2d);
    set_clock(0, 0x11, 0x59, 0x59, 0x01, 0x05, 0x24);
    next_second(0);
    check_eq("12 hours BCD: noon is 12 PM", rd(4), 0x92);
    set_clock(0, 0x91, 0x59, 0x59, 0x01, 0x05, 0x24);
    check_eq("12 hours BCD: 11 PM", rd(4), 0x91);
    next_second(0);
    check_eq("12 hours BCD: midnight is 12 AM", rd(4), 0x12);
    check_eq("12 hours: next day", rd(7), 0x02);
    set_clock(DM, 0x80 | 12, 59, 59, 1, 5, 24);
    next_second(DM);
    check_eq("12 hours binary: 1 PM", rd(4), 0x81);
    about(152);
    set_clock(H24, 0x23, 0x59, 0x59, 0x31, 0x12, 0x99);
    next_second(H24);
    check_eq("century: 2000 follows 1999", rd(CENTURY) << 8 | rd(9), 0x2000);
    set_clock(H24, 0x12, 0x00, 0x00, 0x15, 0x06, 0x26);
    about(0);
}

static void alarm(u8 hour, u8 minute, u8 second)
{
    wr(5, hour);
    wr(3, minute);
    wr(1, second);
}

static void alarms(void)
{
    about(152);
    alarm(0x13, 0x00, 0x02);
    next_second(H24);
    set_clock(H24, 0x12, 0x59, 0x58, 0x15, 0x06, 0x26);
    set_mode(0x26, H24 | AIE | UIE);
    sleep_until(3, 16000000);
    check_eq("alarm: not before", flags & AF, 0);
    sleep_until(4, 7000000);
    check_eq("alarm: at its second", flags & (IRQF | AF | UF), IRQF | AF | UF);
    sleep_until(5, 7000000);
    check_eq("alarm: not after", flags & AF, 0);
    alarm(0xc0, 0xff, 0x05);
    set_clock(H24, 0x07, 0x21, 0x03, 0x15, 0x06, 0x26);
    set_mode(0x26, H24 | AIE);
    sleep_until(1, 11000000);
    check_eq("alarm with don't-care hour and minute", rd(0), 0x05);
    alarm(0xff, 0xff, 0xff);
    set_mode(0x26, H24 | AIE);
    sleep_until(3, 16000000);
    check_in("don't-care everywhere: every second", pm_to_us(pm_since(when)), 1999000, 2001000);
    alarm(0x03, 0x00, 0x00);
    set_clock(DM, 2, 59, 59, 15, 6, 26);
    wr(5, 0x83); /* 3 PM, binary, 12 hours */
    set_mode(0x26, DM | UIE | AIE);
    sleep_until(1, 7000000);
    check_eq("12 hours: 3 PM is not 3 AM", flags & AF, 0);
    set_clock(DM, 0x82, 59, 59, 15, 6, 26);
    set_mode(0x26, DM | UIE | AIE);
    sleep_until(1, 7000000);
    check_eq("12 hours: 3 PM is 3 PM", flags & AF, AF);
    set_mode(0x26, H24);
    about(0);
}

void test_rtc(void)
{
    u8 a = rd(A), b = rd(B);
    on_interrupt = handler;
    eoi_policy = EOI_PIC;
    pic_init(0);
    pic_unmask(8);
    registers();
    rates();
    acknowledging();
    update_cycle();
    setting();
    formats();
    alarms();
    set_mode(a, b);
    pic_init(0);
    on_interrupt = 0;
    eoi_policy = 0;
}
