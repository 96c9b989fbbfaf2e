/* All clocks of the machine against each other: W7-145 ratios over 10 ms and 1 s, W7-157 TSC never back, W7-158 stall loops.
 * Run with --hpet, and
 * also with the emulator's clock bound to the host's, then only the ratios ("ratios" on the command line); TSC and APIC timer have no announced rate, so theirs is learned from the second and must hold over 10 ms. */
#include "tests/guest/dev.c"

enum { PM, HPET, TSC, LAPIC, PIT, CLOCKS };
enum { PM_HZ = 3579545, PIT_HZ = 1193182 };
static const char *const names[CLOCKS] = { "1 s by the RTC: PM timer, ppm", "1 s by the RTC: HPET, ppm", "", "",
                                            "1 s by the RTC: PIT, ppm" };

#define HPET_BASE 0xfed00000u

static u64 hpet_now(void)
{
    for (;;) {
        u32 high = rd32(HPET_BASE + 0xf4), low = rd32(HPET_BASE + 0xf0);
        if (rd32(HPET_BASE + 0xf4) == high) return (u64)high << 32 | low;
    }
}

static u16 pit_now(void)
{
    outb(0x43, 0);
    u16 low = inb(0x40);
    return (u16)-(low | inb(0x40) << 8);
}

static void read_once(u64 *v)
{
    v[PM] = pm_now();
    v[HPET] = hpet_now();
    v[TSC] = rdtsc();
    v[LAPIC] = ~apic_rd(0x390);
    v[PIT] = pit_now();
}

/* One look at all of them, repeated until nothing came between: on a busy host our processor may be held up in the middle. */
static void read_all(u64 *v)
{
    u32 best = 0xffffff;
    for (unsigned tries = 0; tries < 20 && best > 20; tries++) {
        u64 now[CLOCKS];
        read_once(now);
        u32 took = pm_since((u32)now[PM]);
        if (took >= best) continue;
        best = took;
        for (unsigned n = 0; n < CLOCKS; n++) v[n] = now[n];
    }
}

static u8 rtc(u8 n)
{
    outb(0x70, n);
    return inb(0x71);
}

static void sleep_ms(u32 ms)
{
    outb(0x21, inb(0x21) & ~1);
    u32 start = pm_now();
    while (pm_since(start) < ms * 3580) halt();
    outb(0x21, inb(0x21) | 1);
}

/* Reads all clocks at the RTC's next update; takes a later one when the host held us up just there. */
static void second_edge(u64 *v)
{
    for (unsigned tries = 0; tries < 10; tries++) {
        u32 before;
        rtc(0x0c);
        do {
            before = pm_now();
            read_once(v);
        } while (!(rtc(0x0c) & 0x10));
        if (pm_since(before) < 100) return; /* 28 us */
        sleep_ms(900);
    }
}

/* Counts from a to b; the narrow ones wrap as often as `like` (PM ticks) says. */
static u64 span(unsigned clock, const u64 *a, const u64 *b)
{
    if (clock == PM) return (b[PM] - a[PM]) & 0xffffff;
    if (clock == LAPIC) return (b[LAPIC] - a[LAPIC]) & 0xffffffff;
    if (clock != PIT) return b[clock] - a[clock];
    u64 rough = dev_div(((b[PM] - a[PM]) & 0xffffff) * PIT_HZ, PM_HZ);
    u64 low = (b[PIT] - a[PIT]) & 0xffff, wraps = (rough - low + 0x8000) >> 16;
    return (wraps << 16) + low;
}

static u64 ratio_ppm(u64 got, u64 want)
{
    u64 diff = got > want ? got - want : want - got;
    while (want >> 32) {
        want >>= 1;
        diff >>= 1;
    }
    return dev_div(diff * 1000000, (u32)want);
}

static u64 hz[CLOCKS];

static void one_second(void)
{
    u64 a[CLOCKS], b[CLOCKS];
    second_edge(a);
    sleep_ms(900);
    second_edge(b);
    hz[PM] = PM_HZ;
    hz[HPET] = dev_div(1000000000000000ull, rd32(HPET_BASE + 4));
    hz[PIT] = PIT_HZ;
    u32 seconds = (u32)dev_div(span(PM, a, b) + PM_HZ / 2, PM_HZ);
    hz[TSC] = dev_div(span(TSC, a, b), seconds);
    hz[LAPIC] = dev_div(span(LAPIC, a, b), seconds);
    for (unsigned n = 0; n < CLOCKS; n++)
        if (n != TSC && n != LAPIC) check_in(names[n], ratio_ppm(span(n, a, b), hz[n] * seconds), 0, 100);
    second_edge(a);
    sleep_ms(900);
    second_edge(b);
    seconds = (u32)dev_div(span(PM, a, b) + PM_HZ / 2, PM_HZ);
    check_in("1 s by the RTC: the TSC repeats itself, ppm", ratio_ppm(span(TSC, a, b), hz[TSC] * seconds), 0, 100);
    check_in("1 s by the RTC: the APIC timer repeats itself, ppm", ratio_ppm(span(LAPIC, a, b), hz[LAPIC] * seconds), 0, 100);
}

static void ten_milliseconds(void)
{
    u64 worst[CLOCKS] = { 0 };
    for (unsigned turn = 0; turn < 20; turn++) {
        u64 a[CLOCKS], b[CLOCKS];
        read_all(a);
        if (turn & 1) {
            delay_us(10000);
        } else { /* asleep half of it */
            outb(0x21, inb(0x21) & ~1);
            u32 start = pm_now();
            while (pm_since(start) < 35796) halt();
            outb(0x21, inb(0x21) | 1);
        }
        read_all(b);
        u64 pm = span(PM, a, b);
        for (unsigned n = 0; n < CLOCKS; n++) {
            u64 ppm = ratio_ppm(span(n, a, b), dev_div(pm * hz[n], PM_HZ));
            if (ppm > worst[n]) worst[n] = ppm;
        }
    }
    check_in("10 ms: HPET against PM timer, ppm", worst[HPET], 0, 1000);
    check_in("10 ms: TSC against PM timer, ppm", worst[TSC], 0, 1000);
    check_in("10 ms: APIC timer against PM timer, ppm", worst[LAPIC], 0, 1000);
    check_in("10 ms: PIT against PM timer, ppm", worst[PIT], 0, 1000);
}

static void tsc(void)
{
    about(157);
    u64 last = rdtsc();
    bool back = false;
    for (unsigned n = 0; n < 200000; n++) {
        u64 now = rdtsc();
        back |= now < last;
        last = now;
    }
    check_eq("TSC never decreases", back, 0);
    outb(0x21, inb(0x21) & ~1);
    unsigned stood = 0;
    for (unsigned n = 0; n < 20; n++) {
        u32 start = pm_now();
        last = rdtsc();
        halt();
        u64 now = rdtsc();
        back |= now < last;
        stood += ratio_ppm(now - last, dev_div(hz[TSC] * pm_since(start), PM_HZ)) > 10000 && pm_since(start) > 3580;
    }
    outb(0x21, inb(0x21) | 1);
    check_eq("nor across HLT", back, 0);
    check_eq("and counts through it", stood, 0);
    for (unsigned n = 0; n < 1000; n++) { /* a change of the paging mode is all a flat kernel can do */
        word cr4;
        __asm__ volatile("mov %%cr4, %0\n\txor $0x80, %0\n\tmov %0, %%cr4\n\txor $0x80, %0\n\tmov %0, %%cr4" : "=&r"(cr4));
        u64 now = rdtsc();
        back |= now < last;
        last = now;
    }
    check_eq("nor across changes of CR4", back, 0);
}

/* A thousand waits of 100 us, in microseconds by the HPET. */
static u32 stall_pm(void)
{
    u64 start = hpet_now();
    for (unsigned n = 0; n < 1000; n++) {
        u32 from = pm_now();
        while (pm_since(from) < 358) {}
    }
    return (u32)dev_div((hpet_now() - start) * 1000, (u32)dev_div(hz[HPET], 1000));
}

static u32 stall_tsc(void)
{
    u64 start = hpet_now(), wait = dev_div(hz[TSC], 10000);
    for (unsigned n = 0; n < 1000; n++) {
        u64 from = rdtsc();
        while (rdtsc() - from < wait) {}
    }
    return (u32)dev_div((hpet_now() - start) * 1000, (u32)dev_div(hz[HPET], 1000));
}

static u32 stall_pit(void)
{
    outb(0x61, 1);
    u64 start = hpet_now();
    for (unsigned n = 0; n < 1000; n++) {
        outb(0x43, 0xb0);
        outb(0x42, 118); /* N + 1 clocks and what programming takes */
        outb(0x42, 0);
        while (!(inb(0x61) & 0x20)) {}
    }
    outb(0x61, 0);
    return (u32)dev_div((hpet_now() - start) * 1000, (u32)dev_div(hz[HPET], 1000));
}

static void stalls(void)
{
    about(158);
    u32 pm = stall_pm(), pit = stall_pit(), cycles = stall_tsc();
    check_in("1000 stalls of 100 us by the PM timer", pm, 99500, 105000);
    check_in("by the PIT, within 1 % of those", pit, pm - pm / 100, pm + pm / 100);
    check_in("by the TSC, within 1 % of those", cycles, pm - pm / 100, pm + pm / 100);
}

struct bm_info {
    const char *command_line;
};
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    bool ratios_only = false; /* "ratios": a loaded host makes every stall longer */
    for (const char *c = info->command_line; *c; c++) ratios_only |= c[0] == ' ' && c[1] == 'r';
    W7_PLAN(145, 157);
    if (!ratios_only) W7_PLAN(158);
    dev_init();
    eoi_policy = EOI_PIC;
    outb(0x43, 0x34); /* PIT channel 0 and the others run all the time */
    outb(0x40, 0);
    outb(0x40, 0);
    wr32(HPET_BASE + 0x10, 1);
    apic_wr(0x320, 0x10000);
    apic_wr(0x3e0, 3); /* divided by 16: 32 bits last a minute */
    apic_wr(0x380, 0xffffffff);
    about(145);
    one_second();
    apic_wr(0x380, 0xffffffff);
    ten_milliseconds();
    tsc();
    if (!ratios_only) stalls();
    dev_stop(16);
}
