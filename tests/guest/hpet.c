/* expect: exit 171. The HPET: capabilities, counter, one-shot and periodic comparators, 32-bit mode, level and edge, legacy replacement.
 * args: --hpet
 * (IA-PC HPET specification 1.0a, section 2.3.) */
#include "tests/guest/dev.h"

#define HPET 0xfed00000u
enum { CAP = 0, CONF = 0x10, STATUS = 0x20, COUNTER = 0xf0 };
enum { ENABLE = 1, LEGACY = 2 };
enum { LEVEL = 2, INT = 4, PERIODIC = 8, SETVAL = 0x40, NARROW = 0x100 };
enum { VECTOR = 0x60, MS = 100000 };

static u32 rd(unsigned reg)
{
    return rd32(HPET + reg);
}

static void wr(unsigned reg, u32 v)
{
    wr32(HPET + reg, v);
}

static unsigned conf(unsigned n)
{
    return 0x100 + n * 0x20;
}

static unsigned cmp(unsigned n)
{
    return 0x108 + n * 0x20;
}

static u64 counter(void)
{
    for (;;) {
        u32 high = rd(COUNTER + 4), low = rd(COUNTER);
        if (rd(COUNTER + 4) == high) return (u64)high << 32 | low;
    }
}

static u32 ms; /* counts of a millisecond */
static u32 route;

/* All stopped, everything off. */
static void fresh(void)
{
    wr(CONF, 0);
    for (unsigned n = 0; n < 3; n++) {
        wr(conf(n), NARROW); /* comparators as narrow and as wide are told apart by what follows */
        wr(conf(n), 0);
        wr(cmp(n), 0xffffffff);
        wr(cmp(n) + 4, 0xffffffff);
    }
    wr(STATUS, 7);
    wr(COUNTER, 0);
    wr(COUNTER + 4, 0);
    window();
    forget();
}

static bool wait_for(unsigned vector, unsigned n, u32 limit_ms)
{
    u32 start = pm_now();
    while (taken[vector] < n && pm_since(start) < limit_ms * 3580) window();
    return taken[vector] >= n;
}

static void identity(void)
{
    u32 period = rd(CAP + 4);
    check_in("counter period, femtoseconds", period, 1000000, 100000000);
    check_in("comparators less one", rd(CAP) >> 8 & 31, 2, 31);
    check_eq("64-bit counter and legacy replacement", rd(CAP) & 0xa000, 0xa000);
    check("revision and vendor", (rd(CAP) & 0xff) && rd(CAP) >> 16 == 0x8086);
    wr(CAP, 0);
    check_eq("capabilities are read-only", rd(CAP + 4), period);
    ms = (u32)dev_div(1000000000000ull, period);
    for (unsigned n = 0; n < 3; n++) check_eq("comparators are 64 bits wide", rd(conf(n)) & 0x20, 0x20);
    check_eq("comparator 0 is periodic", rd(conf(0)) & 0x10, 0x10);
    u32 routes = rd(conf(2) + 4) & 0xff0000;
    check("comparator 2 can reach an I/O APIC input from 16 on", routes != 0);
    for (route = 16; route < 23 && !(routes >> route & 1); route++) {}
    ioapic_entry(route, 0, 0xa000 | VECTOR); /* level; edges are programmed where needed */
}

static void main_counter(void)
{
    fresh();
    u64 halted = counter();
    delay_us(100);
    check_eq("halted counter", counter(), halted);
    wr(COUNTER, 0xfffffff0);
    wr(COUNTER + 4, 0x12);
    check_eq("halves are written one by one", counter(), 0x12fffffff0);
    wr(CONF, ENABLE);
    delay_us(10);
    check_eq("it carries into the upper half", counter() >> 32, 0x13);
    u64 first = counter();
    u32 start = pm_now();
    delay_us(50000);
    u32 us = pm_to_us(pm_since(start));
    u64 spent = counter() - first;
    check_in("rate against the PM timer, 50 ms", spent, dev_div((u64)us * ms, 1000) - ms / 20, dev_div((u64)us * ms, 1000) + ms / 20);
    wr(CONF, 0);
    halted = counter();
    delay_us(10);
    check_eq("halting keeps the value", counter(), halted);
}

static void one_shot(void)
{
    fresh();
    ioapic_entry(route, 0, VECTOR);
    wr(conf(2), INT | route << 9);
    wr(cmp(2), 2 * ms);
    wr(cmp(2) + 4, 0);
    wr(CONF, ENABLE);
    u32 start = pm_now();
    wait_for(VECTOR, 1, 10);
    check_in("one-shot after 2 ms", pm_to_us(pm_since(start)), 1990, 2100);
    check_eq("edge: no status bit", rd(STATUS), 0);
    check("once", !wait_for(VECTOR, 2, 5));
    wr(cmp(2), (u32)counter() + ms);
    check("again after a new comparator", wait_for(VECTOR, 2, 5));
    wr(conf(2), route << 9);
    wr(cmp(2), (u32)counter() + ms);
    check("not while its interrupt is disabled", !wait_for(VECTOR, 3, 5));
}

static void level(void)
{
    fresh();
    ioapic_entry(route, 0, 0x8000 | VECTOR);
    eoi_policy = 0;
    wr(conf(2), INT | LEVEL | route << 9);
    wr(cmp(2), ms);
    wr(cmp(2) + 4, 0);
    wr(CONF, ENABLE);
    wait_for(VECTOR, 1, 10);
    check_eq("level: status bit", rd(STATUS), 4);
    wr(STATUS, 3);
    check_eq("level: other bits do not clear it", rd(STATUS), 4);
    apic_wr(0xb0, 0);
    window();
    check_eq("level: again after EOI while the bit is set", taken[VECTOR], 2);
    wr(STATUS, 4);
    check_eq("level: writing 1 clears it", rd(STATUS), 0);
    apic_wr(0xb0, 0);
    window();
    check_eq("level: then the line is low", taken[VECTOR], 2);
    eoi_policy = EOI_APIC;
}

static void periodic(void)
{
    fresh();
    ioapic_entry(route, 0, VECTOR);
    wr(cmp(0) + 4, 0); /* SETVAL holds for one write, so the upper half comes first */
    wr(conf(0), INT | PERIODIC | SETVAL | route << 9);
    check_eq("mode bits read back", rd(conf(0)) & (INT | PERIODIC), INT | PERIODIC);
    wr(cmp(0), 3 * ms); /* first match */
    wr(cmp(0), ms);     /* period */
    wr(CONF, ENABLE);
    u32 start = pm_now();
    wait_for(VECTOR, 1, 20);
    check_in("periodic: first match by SETVAL", pm_to_us(pm_since(start)), 2990, 3100);
    check_in("periodic: the comparator names the next match", rd(cmp(0)), 3 * ms + 1, 4 * ms + ms / 10);
    start = pm_now();
    wait_for(VECTOR, 51, 200);
    check_in("periodic: 50 periods", pm_to_us(pm_since(start)), 49900, 50200);
    wr(conf(0), PERIODIC | route << 9);
    u32 before = rd(cmp(0));
    delay_us(5000);
    check_in("periodic: the comparator goes on without its interrupt", rd(cmp(0)) - before, 4 * ms, 6 * ms);
    check_eq("and none came", taken[VECTOR], 51);
}

static void narrow(void)
{
    fresh();
    ioapic_entry(route, 0, VECTOR);
    wr(COUNTER, 0xffff0000);
    wr(COUNTER + 4, 5);
    wr(conf(2), INT | NARROW | route << 9);
    wr(cmp(2), 0x1000);
    wr(CONF, ENABLE);
    check("32-bit comparator matches whatever the upper half is", wait_for(VECTOR, 1, 20));
    check_eq("32-bit comparator reads back 32 bits", rd(cmp(2) + 4), 0);
    fresh();
}

static void legacy(void)
{
    fresh();
    pic_init(0);
    pic_unmask(0);
    pic_unmask(8);
    eoi_policy = EOI_PIC;
    outb(0x43, 0x34); /* the PIT at 1 kHz must be silent */
    outb(0x40, 0xa9);
    outb(0x40, 4);
    check("before: IRQ 0 is the PIT's", wait_for(PIC_BASE, 3, 10));
    wr(conf(0), INT);
    wr(cmp(0), 8 * ms);
    wr(cmp(0) + 4, 0);
    wr(conf(1), INT);
    wr(cmp(1), 12 * ms);
    wr(cmp(1) + 4, 0);
    wr(CONF, LEGACY);
    window();
    forget();
    wr(CONF, LEGACY | ENABLE);
    u32 start = pm_now();
    wait_for(PIC_BASE, 1, 20);
    check_in("legacy: comparator 0 is IRQ 0, the PIT is cut off", pm_to_us(pm_since(start)), 7990, 8100);
    wait_for(PIC2_BASE, 1, 20);
    check_in("legacy: comparator 1 is IRQ 8", pm_to_us(pm_since(start)), 11990, 12100);
    check_eq("legacy: one each", taken[PIC_BASE], 1);
    pic_init(0);
    ioapic_entry(2, 0, VECTOR);
    eoi_policy = EOI_APIC;
    forget();
    wr(cmp(0), (u32)counter() + ms);
    check("legacy: comparator 0 at I/O APIC input 2", wait_for(VECTOR, 1, 10));
    ioapic_entry(2, 0, 0x10000);
    fresh();
    pic_init(0);
    pic_unmask(0);
    eoi_policy = EOI_PIC;
    check("after: IRQ 0 is the PIT's again", wait_for(PIC_BASE, 3, 10));
    pic_init(0);
    eoi_policy = 0;
}

void test_hpet(void)
{
    about(155);
    eoi_policy = EOI_APIC;
    identity();
    main_counter();
    one_shot();
    level();
    periodic();
    narrow();
    legacy();
    ioapic_entry(route, 0, 0x10000);
    about(0);
}
