/* The real-time clock: calendar, formats, UIP, setting, alarm, periodic and update interrupts,
 * CMOS. */
#include "devices/mc146818.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *rtc;
static struct wire *irq8, *nmi_mask;

static void setup(void)
{
    b = board_bare();
    b->clock.wall_base = 951782399; /* 2000-02-28 23:59:59, a Monday */
    rtc = board_add(b, &rtc_class);
    irq8 = board_wire(b, rtc, "irq8", 0);
    nmi_mask = board_wire(b, rtc, "nmi_mask", 0);
    ck_assert_int_eq(device_set_option(rtc, "cmos", "10=40,5f=12", NULL), 0);
    board_start(b, rtc);
}

static void teardown(void)
{
    board_free(b);
}

static u8 rd(u8 i)
{
    out8(b, 0x70, i);
    return in8(b, 0x71);
}

static void wr(u8 i, u8 v)
{
    out8(b, 0x70, i);
    out8(b, 0x71, v);
}

static void expect_time(u32 hms, u32 ymd)
{
    ck_assert_uint_eq((u32)rd(4) << 16 | rd(2) << 8 | rd(0), hms);
    ck_assert_uint_eq((u32)rd(0x32) << 24 | (u32)rd(9) << 16 | rd(8) << 8 | rd(7), ymd);
}

START_TEST(shows_the_wall_clock_in_bcd)
{
    expect_time(0x235959, 0x20000228);
    ck_assert_uint_eq(rd(6), 2);
    ck_assert_uint_eq(rd(0x0d), 0x80);
}
END_TEST

START_TEST(leap_day_follows)
{
    advance_ns(b, 1000000000);
    expect_time(0x000000, 0x20000229);
    ck_assert_uint_eq(rd(6), 3);
    advance_ns(b, 86400ull * 1000000000);
    expect_time(0x000000, 0x20000301);
}
END_TEST

START_TEST(binary_and_twelve_hours)
{
    wr(0x0b, 0x04);
    ck_assert_uint_eq(rd(4), 0x8b);
    ck_assert_uint_eq(rd(2), 59);
    wr(0x0b, 0x00);
    ck_assert_uint_eq(rd(4), 0x91);
    advance_ns(b, 1000000000);
    ck_assert_uint_eq(rd(4), 0x12);
}
END_TEST

START_TEST(set_stops_and_takes_a_new_time)
{
    wr(0x0b, 0x82);
    static const u8 v[][2] = { { 0, 0x30 }, { 2, 0x15 }, { 4, 0x10 },   { 7, 0x31 },
                               { 8, 0x12 }, { 9, 0x99 }, { 0x32, 0x19 } };
    for (size_t i = 0; i < LEN(v); i++) wr(v[i][0], v[i][1]);
    advance_ns(b, 5000000000);
    expect_time(0x101530, 0x19991231);
    wr(0x0b, 0x02);
    expect_time(0x101530, 0x19991231);
    advance_ns(b, 3000000000);
    expect_time(0x101533, 0x19991231);
    ck_assert_uint_eq(rd(6), 2); /* nobody wrote it: the chip knows no calendar */
}
END_TEST

START_TEST(weekday_counts_from_what_was_written)
{
    wr(6, 7);
    ck_assert_uint_eq(rd(6), 7);
    wr(0, 0x58);
    advance_ns(b, 3000000000); /* midnight */
    ck_assert_uint_eq(rd(6), 1);
    expect_time(0x000001, 0x20000229);
}
END_TEST

START_TEST(divider_reset_puts_the_update_half_a_second_away)
{
    advance_ns(b, 123456789);
    wr(0x0a, 0x76);
    advance_ns(b, 2345678901);
    wr(0x0a, 0x26);
    rd(0x0c);
    expect_time(0x235959, 0x20000228);
    advance_ns(b, 499999998);
    ck_assert_uint_eq(rd(0x0c) & 0x10, 0);
    advance_ns(b, 4);
    ck_assert_uint_eq(rd(0x0c) & 0x10, 0x10);
    expect_time(0x000000, 0x20000229);
}
END_TEST

static bool waiting;

static bool is_waiting(void *opaque)
{
    (void)opaque;
    return waiting;
}

/* The handler came late: the interrupt waited in the controller while four more ticks passed. */
START_TEST(w7_154_ticks_that_found_the_last_one_waiting_are_made_up_for)
{
    mc146818_set_busy_probe(rtc, is_waiting, NULL);
    wr(0x0b, 0x42); /* 1024 Hz */
    rd(0x0c);
    waiting = true;
    advance_ns(b, 4900000);
    waiting = false;
    unsigned n = 0, longest = 0, run = 0;
    for (unsigned i = 0; i < 10000; i++) { /* one second in steps of 0.1 ms */
        bool taken = irq8->level;
        if (taken) n++, rd(0x0c);
        run = taken ? run + 1 : 0;
        longest = MAX(longest, run);
        advance_ns(b, 100000);
    }
    ck_assert_uint_ge(n, 1024 + 4 - 1);
    ck_assert_uint_le(n, 1024 + 5 + 1);
    ck_assert_uint_le(longest, 2); /* spaced, no burst */
}
END_TEST

/* Windows' rule of the other side: who does not read C gets nothing, whatever is owed. */
START_TEST(w7_150_no_interrupt_before_c_is_read)
{
    mc146818_set_busy_probe(rtc, is_waiting, NULL);
    waiting = true;
    wr(0x0b, 0x42);
    rd(0x0c);
    advance_ns(b, 500000000);
    ck_assert_uint_eq(irq8->rises, 1);
    wr(0x0b, 0x02); /* off: nothing is owed any more */
    wr(0x0b, 0x42);
    waiting = false;
    rd(0x0c);
    advance_ns(b, 976500);
    ck_assert_uint_le(irq8->rises, 2);
}
END_TEST

START_TEST(nonsense_time_stays_a_time)
{
    wr(0x0b, 0x82);
    for (u8 i = 0; i < 10; i++) wr(i, 0xff);
    wr(0x32, 0xff);
    wr(0x0b, 0x02);
    ck_assert_uint_le(rd(0), 0x59);
    ck_assert_uint_le(rd(8), 0x12);
}
END_TEST

START_TEST(uip_precedes_the_update)
{
    advance_ns(b, 999000000);
    ck_assert_uint_eq(rd(0x0a) & 0x80, 0);
    advance_ns(b, 800000);
    ck_assert_uint_eq(rd(0x0a) & 0x80, 0x80);
    advance_ns(b, 200000);
    ck_assert_uint_eq(rd(0x0a) & 0x80, 0);
    ck_assert_uint_eq(rd(0), 0);
}
END_TEST

START_TEST(update_interrupt_until_c_is_read)
{
    wr(0x0b, 0x12);
    rd(0x0c);
    advance_ns(b, 1000000000);
    ck_assert(irq8->level);
    ck_assert_uint_eq(rd(0x0c) & 0x90, 0x90);
    ck_assert(!irq8->level);
    ck_assert_uint_eq(rd(0x0c), 0);
    advance_ns(b, 5000000000); /* nobody reads C: one more edge only */
    ck_assert_uint_eq(irq8->rises, 2);
}
END_TEST

START_TEST(alarm_matches_and_ignores_fields)
{
    wr(1, 0x05);
    wr(3, 0xc0);
    wr(5, 0xff);
    wr(0x0b, 0x22);
    advance_ns(b, 5999999999);
    ck_assert(!irq8->level);
    advance_ns(b, 1);
    ck_assert(irq8->level);
    ck_assert_uint_eq(rd(0x0c) & 0xa0, 0xa0);
    advance_ns(b, 60000000000);
    ck_assert(irq8->level);
}
END_TEST

START_TEST(periodic_rate)
{
    wr(0x0a, 0x26);
    wr(0x0b, 0x42);
    unsigned n = 0;
    for (unsigned i = 0; i < 4000; i++) {
        advance_ns(b, 250000);
        if (irq8->level) n++, rd(0x0c);
    }
    ck_assert_uint_eq(n, 1024);
    wr(0x0a, 0x20);
    advance_ns(b, 1000000000);
    ck_assert(!irq8->level);
}
END_TEST

START_TEST(periodic_flag_without_interrupt)
{
    wr(0x0a, 0x2f); /* 2 Hz */
    rd(0x0c);
    ck_assert_uint_eq(rd(0x0c) & 0x40, 0);
    advance_ns(b, 500000001);
    ck_assert_uint_eq(rd(0x0c) & 0xc0, 0x40);
    ck_assert_uint_eq(rd(0x0c) & 0x40, 0);
}
END_TEST

START_TEST(unread_c_blocks_no_flag_but_gives_no_new_edge)
{
    wr(0x0b, 0x42);
    advance_ns(b, 1000000000);
    ck_assert_uint_eq(irq8->rises, 1);
}
END_TEST

START_TEST(cmos_bytes_and_banks)
{
    ck_assert_uint_eq(rd(0x10), 0x40);
    ck_assert_uint_eq(rd(0x5f), 0x12);
    wr(0x40, 0x77);
    out8(b, 0x72, 0x40);
    ck_assert_uint_eq(in8(b, 0x73), 0x77);
    out8(b, 0x72, 0xc0);
    out8(b, 0x73, 0x99);
    ck_assert_uint_eq(rd(0x40), 0x77);
    mc146818_set_cmos(rtc, 0xc1, 0x55);
    out8(b, 0x72, 0xc1);
    ck_assert_uint_eq(in8(b, 0x73), 0x55);
    mc146818_set_cmos(rtc, 0x0a, 0x55);
    mc146818_set_cmos(rtc, 1000, 0x55);
    ck_assert_uint_eq(rd(0x0a), 0x26);
    rtc->cls->reset(rtc, RESET_COLD);
    ck_assert_uint_eq(rd(0x40), 0x77);
}
END_TEST

START_TEST(index_bit_7_masks_nmi)
{
    out8(b, 0x70, 0x8f);
    ck_assert(nmi_mask->level);
    out8(b, 0x70, 0x0f);
    ck_assert(!nmi_mask->level);
}
END_TEST

START_TEST(bad_cmos_option_is_refused)
{
    static const char *const bad[] = { "10", "10=", "05=12", "10=100", "zz=1", "10=1;11=2" };
    for (size_t i = 0; i < LEN(bad); i++) {
        struct error e = { "" };
        struct device *d = board_add(b, &rtc_class);
        device_set_option(d, "cmos", bad[i], NULL);
        ck_assert_int_eq(device_init(d, &e), -1);
        ck_assert_ptr_nonnull(strstr(e.text, "cmos"));
        device_destroy(d);
        b->n_devices--;
    }
}
END_TEST

UNIT_SUITE(rtc, shows_the_wall_clock_in_bcd, leap_day_follows, binary_and_twelve_hours,
           set_stops_and_takes_a_new_time,
           weekday_counts_from_what_was_written, divider_reset_puts_the_update_half_a_second_away,
           w7_154_ticks_that_found_the_last_one_waiting_are_made_up_for,
           w7_150_no_interrupt_before_c_is_read, nonsense_time_stays_a_time,
           uip_precedes_the_update,
           update_interrupt_until_c_is_read, alarm_matches_and_ignores_fields, periodic_rate,
           periodic_flag_without_interrupt, unread_c_blocks_no_flag_but_gives_no_new_edge,
           cmos_bytes_and_banks, index_bit_7_masks_nmi, bad_cmos_option_is_refused)
