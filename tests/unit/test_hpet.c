/* The HPET: counter, one-shot and periodic comparators, legacy replacement, level interrupts,
 * halves. */
#include "devices/hpet.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *hpet;
static struct wire *irq0, *irq8, *gsi16, *gsi23;

static void setup(void)
{
    b = board_bare();
    hpet = board_add(b, &hpet_class);
    irq0 = board_wire(b, hpet, "irq0", 0);
    irq8 = board_wire(b, hpet, "irq8", 0);
    gsi16 = board_wire(b, hpet, "gsi", 16);
    gsi23 = board_wire(b, hpet, "gsi", 23);
    board_start(b, hpet);
}

static void teardown(void)
{
    board_free(b);
}

static u64 at(unsigned reg)
{
    return 0xfed00000ull + reg;
}

static u64 rd(unsigned reg)
{
    return bus_read(&b->mem, at(reg), 8);
}

static void wr(unsigned reg, u64 v)
{
    bus_write(&b->mem, at(reg), v, 8);
}

START_TEST(capabilities)
{
    ck_assert_uint_eq(rd(0), 0x009896808086a201ull);
    ck_assert_uint_eq(mem32(b, at(4)), 10000000);
    ck_assert_uint_eq(rd(0x100), 0x00ff000000000030ull);
}
END_TEST

START_TEST(counter_runs_only_when_enabled)
{
    advance_ns(b, 1000);
    ck_assert_uint_eq(rd(0xf0), 0);
    wr(0xf0, 500);
    wr(0x10, 1);
    advance_ns(b, 1000);
    ck_assert_uint_eq(rd(0xf0), 600);
    wr(0xf0, 0); /* ignored while running */
    ck_assert_uint_eq(mem32(b, at(0xf0)), 600);
    wr(0x10, 0);
    advance_ns(b, 1000);
    ck_assert_uint_eq(rd(0xf0), 600);
}
END_TEST

START_TEST(one_shot_edge_fires_once)
{
    wr(0x140, 1u << 2 | 16 << 9);
    wr(0x148, 1000);
    wr(0x10, 1);
    advance_ns(b, 9999);
    ck_assert_uint_eq(gsi16->rises, 0);
    advance_ns(b, 1);
    ck_assert_uint_eq(gsi16->rises, 1);
    advance_ns(b, 1000000000);
    ck_assert_uint_eq(gsi16->rises, 1);
}
END_TEST

START_TEST(level_follows_status)
{
    wr(0x120, 1u << 1 | 1u << 2 | 23 << 9);
    wr(0x128, 100);
    wr(0x10, 1);
    advance_ns(b, 1000);
    ck_assert(gsi23->level);
    ck_assert_uint_eq(rd(0x20), 2);
    wr(0x20, 1);
    ck_assert(gsi23->level);
    wr(0x20, 2);
    ck_assert(!gsi23->level);
}
END_TEST

START_TEST(periodic_with_setval)
{
    wr(0x100, 1u << 2 | 1u << 3 | 1u << 6 | 16 << 9);
    wr(0x108, 1000);
    wr(0x108, 100000);
    wr(0x10, 1);
    advance_ns(b, 10000);
    ck_assert_uint_eq(gsi16->rises, 1);
    advance_ns(b, 1000000000);
    ck_assert_uint_eq(gsi16->rises, 1001);
}
END_TEST

START_TEST(legacy_replacement_takes_the_wires)
{
    set_pin(hpet, 0, true);
    set_pin(hpet, 1, true);
    ck_assert(irq0->level && irq8->level);
    wr(0x100, 1u << 2);
    wr(0x108, 1000);
    wr(0x10, 3);
    ck_assert(!irq0->level && !irq8->level);
    set_pin(hpet, 0, false);
    set_pin(hpet, 0, true);
    ck_assert(!irq0->level);
    advance_ns(b, 10000);
    ck_assert(irq0->level);
    wr(0x10, 1);
    ck_assert(irq8->level);
}
END_TEST

START_TEST(comparator_32_bits_wraps)
{
    wr(0xf0, 0xffffff00);
    wr(0x140, 1u << 2 | 1u << 8 | 16 << 9);
    wr(0x148, 0x10);
    wr(0x10, 1);
    advance_ns(b, 0x110 * 10);
    ck_assert_uint_eq(gsi16->rises, 1);
}
END_TEST

START_TEST(halves_of_a_register)
{
    set_mem32(b, at(0x10c), 0x1234);
    set_mem32(b, at(0x108), 0x5678);
    ck_assert_uint_eq(rd(0x108), 0x0000123400005678ull);
    ck_assert_uint_eq(bus_read(&b->mem, at(0x108), 1), 0x78);
}
END_TEST

START_TEST(zero_period_is_harmless)
{
    wr(0x100, 1u << 2 | 1u << 3 | 1u << 6 | 16 << 9);
    wr(0x108, 0);
    wr(0x10, 1);
    advance_ns(b, 1000000);
    ck_assert_uint_le(gsi16->rises, 1);
}
END_TEST

static bool waiting;
static unsigned asked;

static bool is_waiting(void *opaque, unsigned pin)
{
    (void)opaque;
    asked = pin;
    return waiting;
}

/* 1 kHz on IRQ 0; the guest cannot take any for five periods. */
START_TEST(w7_154_hpet_periods_that_found_the_last_one_waiting_are_made_up_for)
{
    hpet_set_busy_probe(hpet, is_waiting, NULL);
    wr(0x100, 0x4c);
    wr(0x108, 100000);
    wr(0x10, 3);
    advance_ns(b, 2500000);
    unsigned before = irq0->rises, most = 0;
    waiting = true;
    advance_ns(b, 5000000);
    ck_assert_uint_eq(irq0->rises, before);
    ck_assert_uint_eq(asked, 0);
    waiting = false;
    for (unsigned i = 0; i < 1900; i++) {
        unsigned had = irq0->rises;
        advance_ns(b, 50000);
        most = MAX(most, irq0->rises - had);
    }
    ck_assert_uint_ge(irq0->rises - before, 99);
    ck_assert_uint_le(irq0->rises - before, 101);
    ck_assert_uint_le(most, 2);
}
END_TEST

START_TEST(w7_154_hpet_level_periods_wait_for_the_status_bit)
{
    hpet_set_busy_probe(hpet, is_waiting, NULL);
    wr(0x140, 0x4e | 31 << 9); /* a route that does not exist */
    wr(0x100, 0x4e | 16 << 9);
    wr(0x108, 100000);
    wr(0x10, 1);
    advance_ns(b, 5500000);
    ck_assert_uint_eq(gsi16->rises, 1);
    unsigned n = 0;
    for (unsigned i = 0; i < 1900; i++) {
        if (gsi16->level) {
            n++;
            wr(0x20, 1);
        }
        advance_ns(b, 50000);
    }
    ck_assert_uint_ge(n, 99);
    ck_assert_uint_le(n, 101);
}
END_TEST

UNIT_SUITE(hpet, capabilities, counter_runs_only_when_enabled, one_shot_edge_fires_once,
           level_follows_status, periodic_with_setval, legacy_replacement_takes_the_wires,
           comparator_32_bits_wraps, halves_of_a_register, zero_period_is_harmless,
           w7_154_hpet_periods_that_found_the_last_one_waiting_are_made_up_for,
           w7_154_hpet_level_periods_wait_for_the_status_bit)
