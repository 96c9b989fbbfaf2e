/*
 * Clock: INT 1Ah AH=00h-07h, IRQ 8 (INT 70h: alarm and the event wait of INT 15h 83h), real delays.
 *
 * The tick count at 0040:006C is loaded from the RTC at POST and advanced by IRQ 0. A read of the
 * time waits for the end of an update (at most about 2 ms).
 */
#include "bios/state.h"

enum {
    RTC_SEC = 0, RTC_SEC_ALARM = 1, RTC_MIN = 2, RTC_MIN_ALARM = 3, RTC_HOUR = 4,
    RTC_HOUR_ALARM = 5, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9,
    RTC_A = 0x0a, RTC_B = 0x0b, RTC_C = 0x0c,
    RTC_CENTURY = 0x32, A_UIP = 0x80, B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_24H = 2,
    B_DST = 1, BDA_TICKS = 0x6c, BDA_MIDNIGHT = 0x70, BDA_WAIT_FLAG = 0x98, BDA_WAIT_US = 0x9c,
    BDA_WAIT_ACTIVE = 0xa0,
};

static int updating(void)
{
    struct deadline d;
    deadline_set(&d, 10);
    while (cmos_read(RTC_A) & A_UIP)
        if (deadline_over(&d)) return 1;
    return 0;
}

void rtc_init(void)
{
    cmos_write(RTC_A, 0x26);            /* 32 kHz base, 1024 Hz */
    cmos_write(RTC_B, (cmos_read(RTC_B) & B_DST) | B_24H);
    cmos_read(RTC_C);
    updating();
    u32 seconds = from_bcd(cmos_read(RTC_SEC));
    u32 minutes = from_bcd(cmos_read(RTC_MIN));
    u32 hours = from_bcd(cmos_read(RTC_HOUR));
    seconds += minutes * 60 + hours * 3600;
    if (seconds >= 86400) seconds = 0;
    /* 1193182 / 65536 ticks a second */
    u32 ticks = div64((u64)seconds * 1193182, 65536, NULL);
    pokel(SEG_BDA, BDA_TICKS, ticks);
    bda8_set(BDA_MIDNIGHT, 0);
}

static void open_irq8(void)
{
    outb(0xa1, inb(0xa1) & ~1);
    outb(0x21, inb(0x21) & ~4);
}

static void get_ticks(struct regs *r)
{
    u32 t = peekl(SEG_BDA, BDA_TICKS);
    r->cx = t >> 16;
    r->dx = (u16)t;
    r->al = bda8(BDA_MIDNIGHT);
    bda8_set(BDA_MIDNIGHT, 0);
}

static void set_ticks(struct regs *r)
{
    pokel(SEG_BDA, BDA_TICKS, (u32)r->cx << 16 | r->dx);
    bda8_set(BDA_MIDNIGHT, 0);
}

static int get_time(struct regs *r)
{
    if (updating()) return 0;
    r->dh = cmos_read(RTC_SEC);
    r->cl = cmos_read(RTC_MIN);
    r->ch = cmos_read(RTC_HOUR);
    r->dl = cmos_read(RTC_B) & B_DST;
    r->ah = 0;
    r->al = r->ch;
    return 1;
}

static void set_time(struct regs *r)
{
    u8 b = cmos_read(RTC_B);
    cmos_write(RTC_B, b | B_SET);
    cmos_write(RTC_SEC, r->dh);
    cmos_write(RTC_MIN, r->cl);
    cmos_write(RTC_HOUR, r->ch);
    cmos_write(RTC_B, (b & ~(B_SET | B_DST)) | (r->dl & B_DST) | B_24H);
}

static int get_date(struct regs *r)
{
    if (updating()) return 0;
    r->cl = cmos_read(RTC_YEAR);
    r->dh = cmos_read(RTC_MONTH);
    r->dl = cmos_read(RTC_DAY);
    r->ch = cmos_read(RTC_CENTURY);
    r->ah = 0;
    r->al = r->ch;
    return 1;
}

static void set_date(struct regs *r)
{
    u8 b = cmos_read(RTC_B);
    cmos_write(RTC_B, b | B_SET);
    cmos_write(RTC_YEAR, r->cl);
    cmos_write(RTC_MONTH, r->dh);
    cmos_write(RTC_DAY, r->dl);
    cmos_write(RTC_CENTURY, r->ch);
    cmos_write(RTC_B, b & ~B_SET);
}

static int set_alarm(struct regs *r)
{
    u8 b = cmos_read(RTC_B);
    if (b & B_AIE) return 0;
    cmos_write(RTC_SEC_ALARM, r->dh);
    cmos_write(RTC_MIN_ALARM, r->cl);
    cmos_write(RTC_HOUR_ALARM, r->ch);
    cmos_read(RTC_C);
    cmos_write(RTC_B, b | B_AIE);
    open_irq8();
    return 1;
}

int clock_service(struct regs *r);
int clock_service(struct regs *r)
{
    int ok = 1;
    switch (r->ah) {
    case 0x00: get_ticks(r); break;
    case 0x01: set_ticks(r); break;
    case 0x02: ok = get_time(r); break;
    case 0x03: set_time(r); break;
    case 0x04: ok = get_date(r); break;
    case 0x05: set_date(r); break;
    case 0x06: ok = set_alarm(r); break;
    case 0x07: cmos_write(RTC_B, cmos_read(RTC_B) & ~B_AIE); break;
    default: ok = 0;                    /* AX stays: BB00h (TPM) must read back unchanged */
    }
    set_cf(r, !ok);
    return 0;
}

/* ------------------------------------------------------------------ waits */

static void periodic_on(void)
{
    open_irq8();
    cmos_read(RTC_C);
    cmos_write(RTC_B, cmos_read(RTC_B) | B_PIE);
}

static void periodic_off(void)
{
    cmos_write(RTC_B, cmos_read(RTC_B) & ~B_PIE);
    bda8_set(BDA_WAIT_ACTIVE, 0);
}

/* INT 15h 83h: sets bit 7 of the byte at ES:BX when CX:DX microseconds have passed. */
static int event_wait(struct regs *r)
{
    if (r->al == 1) {
        periodic_off();
        return 1;
    }
    if (r->al != 0 || bda8(BDA_WAIT_ACTIVE) & 1) return 0;
    pokew(SEG_BDA, BDA_WAIT_FLAG, r->bx);
    pokew(SEG_BDA, BDA_WAIT_FLAG + 2, r->es);
    pokel(SEG_BDA, BDA_WAIT_US, (u32)r->cx << 16 | r->dx);
    bda8_set(BDA_WAIT_ACTIVE, 1);
    periodic_on();
    return 1;
}

/* INT 15h 86h: really waits, with interrupts open. */
static void delay(u32 us)
{
    struct deadline d;
    for (u32 ms = us / 1000; ms;) {
        u32 step = ms > 1000000 ? 1000000 : ms;
        deadline_set(&d, step);
        while (!deadline_over(&d)) relax();
        ms -= step;
    }
    delay_us(us % 1000);
}

int wait_service(struct regs *r)
{
    if (r->ah == 0x83) return event_wait(r);
    delay((u32)r->cx << 16 | r->dx);
    return 1;
}

static void count_down(void)
{
    u32 left = peekl(SEG_BDA, BDA_WAIT_US);
    if (left > 976) {
        pokel(SEG_BDA, BDA_WAIT_US, left - 976);
        return;
    }
    u16 off = bda16(BDA_WAIT_FLAG), seg = bda16(BDA_WAIT_FLAG + 2);
    periodic_off();
    pokeb(seg, off, peekb(seg, off) | 0x80);
}

int rtc_irq(struct regs *unused);
int rtc_irq(struct regs *unused)
{
    (void)unused;
    u8 enabled = cmos_read(RTC_B), c = cmos_read(RTC_C);
    if (c & enabled & B_AIE) {
        struct callregs r;
        memset(&r, 0, sizeof r);
        call_int(0x4a, &r);
    }
    if (c & enabled & B_PIE && bda8(BDA_WAIT_ACTIVE) & 1) count_down();
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    return 0;
}
