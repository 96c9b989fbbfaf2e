/* The test device: scratch ports, interrupt lines, window, page flush. */
#include "tests/unit/harness.h"

extern const struct device_class testdev_class;

static struct board *b;

static void setup(void)
{
    b = board_bare();
}

static void teardown(void)
{
    board_free(b);
}

START_TEST(scratch_ports_read_back_at_any_width)
{
    board_device(b, &testdev_class);
    out32(b, 0xe0, 0x44332211);
    ck_assert_uint_eq(in8(b, 0xe1), 0x22);
    ck_assert_uint_eq(in16(b, 0xe2), 0x4433);
    out8(b, 0xe3, 0x99);
    ck_assert_uint_eq(in32(b, 0xe0), 0x99332211);
    out16(b, 0xe6, 0xabcd);
    ck_assert_uint_eq(in32(b, 0xe4), 0xabcd0000);
}
END_TEST

START_TEST(window_keeps_bytes_words_and_quads)
{
    board_device(b, &testdev_class);
    bus_write(&b->mem, 0xff000000, 0x1122334455667788, 8);
    ck_assert_uint_eq(bus_read(&b->mem, 0xff000003, 2), 0x4455);
    bus_write(&b->mem, 0xff00ffff, 0x5a, 1);
    ck_assert_uint_eq(bus_read(&b->mem, 0xff00fffc, 4), 0x5a000000);
}
END_TEST

START_TEST(lines_are_levels_that_any_nonzero_value_raises)
{
    struct device *d = board_add(b, &testdev_class);
    struct wire *w5 = board_wire(b, d, "line", 5), *w20 = board_wire(b, d, "line", 20);
    board_start(b, d);
    out8(b, 0x2005, 1);
    ck_assert(w5->level && !w20->level);
    out32(b, 0x2014, 0x100);
    ck_assert(w20->level);
    ck_assert_uint_eq(in8(b, 0x2014), 1);
    out8(b, 0x2005, 0);
    ck_assert(!w5->level);
    d->cls->reset(d, RESET_WARM);
    ck_assert(!w20->level);
}
END_TEST

START_TEST(flushing_a_page_keeps_it_and_tells_the_processors)
{
    board_device(b, &testdev_class);
    b->ram[0x3123] = 0x77;
    bus_read(&b->mem, 0x3123, 1);
    u32 before = b->mem.generation;
    out32(b, 0xe4, 0x3000);
    ck_assert_uint_ne(b->mem.generation, before);
    ck_assert_uint_eq(bus_read(&b->mem, 0x3123, 1), 0x77);
    out32(b, 0xe4, 0xfffff000); /* nothing there */
    out32(b, 0xe4, 0xff000000); /* its own window */
}
END_TEST

UNIT_SUITE(testdev, scratch_ports_read_back_at_any_width, window_keeps_bytes_words_and_quads,
           lines_are_levels_that_any_nonzero_value_raises,
           flushing_a_page_keeps_it_and_tells_the_processors)
