/* The 8254: counts and OUT of every mode from virtual time, latches, BCD, gate 2, port 61h. */
#include "devices/i8254.h"

#include "tests/unit/harness.h"


static struct board *b;
static struct device *pit;
static struct wire *irq0;

static void setup(void)
{
    b = board_bare();
    pit = board_add(b, &pit_class);
    irq0 = board_wire(b, pit, "irq0", 0);
    board_start(b, pit);
}

static void teardown(void)
{
    board_free(b);
}

/* To the first nanosecond of a tick counted from power-on. */
static void to_tick(u64 tick)
{
    u64 ns = tick * 1000000000ull / 1193182 + 1;
    ck_assert_uint_ge(ns, clock_now(&b->clock));
    advance_ns(b, ns - clock_now(&b->clock));
}

static void program(unsigned ch, unsigned mode, unsigned count)
{
    out8(b, 0x43, ch << 6 | 0x30 | mode << 1);
    out8(b, 0x40 + ch, count);
    out8(b, 0x40 + ch, count >> 8);
}

static unsigned count(unsigned ch)
{
    out8(b, 0x43, ch << 6);
    unsigned v = in8(b, 0x40 + ch);
    return v | in8(b, 0x40 + ch) << 8;
}

static bool out2(void)
{
    return in8(b, 0x61) & 0x20;
}

START_TEST(mode0_raises_out_after_n_plus_1)
{
    program(0, 0, 100);
    ck_assert(!irq0->level);
    to_tick(100);
    ck_assert(!irq0->level);
    ck_assert_uint_eq(count(0), 1);
    to_tick(101);
    ck_assert(irq0->level);
    to_tick(111);
    ck_assert_uint_eq(count(0), 0xfff6);
    ck_assert_uint_eq(irq0->rises, 1);
}
END_TEST

START_TEST(mode2_ticks_at_exact_rate)
{
    program(0, 2, 1193);
    unsigned before = irq0->rises;
    advance_ns(b, 1000000000ull);
    ck_assert_uint_eq(irq0->rises - before, 1193182 / 1193);
    advance_ns(b, 9000000000ull);
    ck_assert_uint_eq(irq0->rises - before, 11931820 / 1193);
}
END_TEST

START_TEST(mode2_counts_down_and_reloads)
{
    program(0, 2, 10);
    to_tick(4);
    ck_assert_uint_eq(count(0), 7);
    to_tick(10);
    ck_assert_uint_eq(count(0), 1);
    to_tick(11);
    ck_assert_uint_eq(count(0), 10);
}
END_TEST

START_TEST(mode2_new_count_waits_for_the_period)
{
    program(0, 2, 100);
    to_tick(51);
    out8(b, 0x40, 40);
    out8(b, 0x40, 0);
    ck_assert_uint_eq(count(0), 50);
    to_tick(101);
    ck_assert_uint_eq(count(0), 40);
    unsigned before = irq0->rises;
    to_tick(101 + 40);
    ck_assert_uint_eq(irq0->rises - before, 1);
}
END_TEST

START_TEST(mode3_counts_by_two_in_halves)
{
    out8(b, 0x61, 1);
    program(2, 3, 10);
    to_tick(2);
    ck_assert_uint_eq(count(2), 8);
    ck_assert(out2());
    to_tick(6);
    ck_assert(!out2());
    ck_assert_uint_eq(count(2), 10);
    to_tick(11);
    ck_assert(out2());
}
END_TEST

START_TEST(mode3_odd_count_is_high_longer)
{
    out8(b, 0x61, 1);
    program(2, 3, 5);
    to_tick(3);
    ck_assert(out2());
    to_tick(4);
    ck_assert(!out2());
    to_tick(6);
    ck_assert(out2());
}
END_TEST

START_TEST(mode3_new_count_starts_with_the_half)
{
    program(0, 3, 100);
    to_tick(11);
    out8(b, 0x40, 20);
    out8(b, 0x40, 0);
    unsigned before = irq0->rises;
    to_tick(60);
    ck_assert_uint_eq(irq0->rises - before, 0);
    to_tick(61); /* 50 old high + 10 new low */
    ck_assert_uint_eq(irq0->rises - before, 1);
    to_tick(81);
    ck_assert_uint_eq(irq0->rises - before, 2);
}
END_TEST

START_TEST(mode1_needs_a_gate_edge)
{
    program(2, 1, 20);
    to_tick(50);
    ck_assert(out2());
    out8(b, 0x61, 1);
    to_tick(52);
    ck_assert(!out2());
    to_tick(60);
    out8(b, 0x61, 0);
    out8(b, 0x61, 1); /* retrigger */
    to_tick(75);
    ck_assert(!out2());
    to_tick(81);
    ck_assert(out2());
}
END_TEST

START_TEST(mode4_strobes_once)
{
    program(0, 4, 30);
    unsigned before = irq0->rises;
    to_tick(30);
    ck_assert_uint_eq(irq0->rises, before);
    to_tick(200);
    ck_assert_uint_eq(irq0->rises - before, 1);
    to_tick(100000);
    ck_assert_uint_eq(irq0->rises - before, 1);
}
END_TEST

START_TEST(mode5_strobes_after_gate)
{
    program(2, 5, 10);
    to_tick(20);
    ck_assert(out2());
    out8(b, 0x61, 1);
    to_tick(30);
    ck_assert(out2());
    to_tick(31);
    ck_assert(!out2());
    to_tick(32);
    ck_assert(out2());
}
END_TEST

START_TEST(gate2_stops_mode0)
{
    out8(b, 0x61, 1);
    program(2, 0, 100);
    to_tick(41);
    out8(b, 0x61, 0);
    to_tick(1000);
    ck_assert_uint_eq(count(2), 60);
    ck_assert(!out2());
    out8(b, 0x61, 1);
    to_tick(1059);
    ck_assert(!out2());
    to_tick(1060);
    ck_assert(out2());
}
END_TEST

START_TEST(bcd_counts_in_decimal)
{
    out8(b, 0x43, 0x35);
    out8(b, 0x40, 0x00);
    out8(b, 0x40, 0x10); /* 1000 */
    to_tick(2);
    ck_assert_uint_eq(count(0), 0x0999);
    to_tick(1001);
    ck_assert_uint_eq(count(0), 0x1000);
}
END_TEST

START_TEST(latched_count_stands_still_until_read)
{
    program(0, 2, 1000);
    to_tick(101);
    out8(b, 0x43, 0x00);
    to_tick(301);
    out8(b, 0x43, 0x00); /* a second latch is ignored */
    ck_assert_uint_eq(in8(b, 0x40) | in8(b, 0x40) << 8, 900);
    ck_assert_uint_eq(in8(b, 0x40) | in8(b, 0x40) << 8, 700);
}
END_TEST

START_TEST(read_back_gives_status_then_count)
{
    out8(b, 0x43, 0x36);
    out8(b, 0x43, 0xe2);
    ck_assert_uint_eq(in8(b, 0x40), 0xf6); /* OUT, null count, both bytes, mode 3 */
    out8(b, 0x40, 100);
    out8(b, 0x40, 0);
    to_tick(2);
    out8(b, 0x43, 0xc2);
    ck_assert_uint_eq(in8(b, 0x40), 0xb6);
    ck_assert_uint_eq(in8(b, 0x40), 98);
    ck_assert_uint_eq(in8(b, 0x40), 0);
}
END_TEST

START_TEST(lsb_only_and_msb_only)
{
    out8(b, 0x43, 0x14);
    out8(b, 0x40, 50);
    to_tick(11);
    ck_assert_uint_eq(in8(b, 0x40), 40);
    out8(b, 0x43, 0x24);
    out8(b, 0x40, 2);
    ck_assert_uint_eq(in8(b, 0x40), 2);
}
END_TEST

START_TEST(refresh_bit_toggles)
{
    u8 first = in8(b, 0x61) & 0x10;
    advance_ns(b, 15086);
    ck_assert_uint_ne(in8(b, 0x61) & 0x10, first);
    advance_ns(b, 15086);
    ck_assert_uint_eq(in8(b, 0x61) & 0x10, first);
}
END_TEST

/* The deadline passes without the clock being run: as when the host stalls. */
START_TEST(w7_154_late_ticks_follow_without_a_burst)
{
    program(0, 2, 1193);
    b->clock.now += 50500000;
    unsigned before = irq0->rises;
    clock_run_due(&b->clock, 1000);
    ck_assert_uint_le(irq0->rises - before, 2);
    advance_ns(b, 100000000);
    ck_assert_uint_ge(irq0->rises - before, 149);
    ck_assert_uint_le(irq0->rises - before, 151);
}
END_TEST

static bool waiting;

static bool is_waiting(void *opaque)
{
    (void)opaque;
    return waiting;
}

/* The guest had interrupts off for five periods of a 1 kHz clock. */
START_TEST(w7_154_ticks_that_found_the_last_one_waiting_are_made_up_for)
{
    i8254_set_busy_probe(b->devices[0], is_waiting, NULL);
    program(0, 2, 1193);
    advance_ns(b, 2000000);
    unsigned before = irq0->rises;
    waiting = true;
    advance_ns(b, 5000000);
    ck_assert_uint_eq(irq0->rises, before);
    waiting = false;
    unsigned most = 0;
    for (unsigned i = 0; i < 95; i++) {
        unsigned had = irq0->rises;
        advance_ns(b, 1000000);
        most = MAX(most, irq0->rises - had);
    }
    ck_assert_uint_ge(irq0->rises - before, 99);
    ck_assert_uint_le(irq0->rises - before, 101);
    ck_assert_uint_le(most, 10); /* an eighth of a period apart at least */
}
END_TEST

UNIT_SUITE(pit, mode0_raises_out_after_n_plus_1, mode2_ticks_at_exact_rate,
           mode2_counts_down_and_reloads, mode2_new_count_waits_for_the_period,
           mode3_counts_by_two_in_halves, mode3_odd_count_is_high_longer,
           mode3_new_count_starts_with_the_half, mode1_needs_a_gate_edge, mode4_strobes_once,
           mode5_strobes_after_gate, gate2_stops_mode0, bcd_counts_in_decimal,
           latched_count_stands_still_until_read, read_back_gives_status_then_count,
           lsb_only_and_msb_only, refresh_bit_toggles,
           w7_154_late_ticks_follow_without_a_burst,
           w7_154_ticks_that_found_the_last_one_waiting_are_made_up_for)
