/* The one- and two-port chips: fast A20 and reset, POST latch, test exit, x87 error latch, debug
 * console. */
#include "machine/host/chardev.h"
#include "tests/unit/harness.h"

extern const struct device_class port92_class, port80_class, testexit_class, fpu_port_class,
    debugcon_class;

static struct board *b;

static void setup(void)
{
    b = board_bare();
}

static void teardown(void)
{
    board_free(b);
}

START_TEST(port92_a20_and_reset)
{
    board_device(b, &port92_class);
    ck_assert_uint_eq(in8(b, 0x92), 0);
    out8(b, 0x92, 2);
    ck_assert(b->a20);
    b->a20 = false; /* by the keyboard controller */
    ck_assert_uint_eq(in8(b, 0x92), 0);
    ck_assert_uint_eq(b->n_requests, 0);
    out8(b, 0x92, 1);
    ck_assert_uint_eq(b->n_requests, 1);
    ck_assert_uint_eq(b->last_request, REQ_RESET);
    out8(b, 0x92, 1);
    ck_assert_uint_eq(b->n_requests, 1); /* an edge, not a level */
}
END_TEST

START_TEST(post_codes_read_back_and_are_kept)
{
    struct device *d = board_device(b, &port80_class);
    struct text t;
    text_init(&t);
    out8(b, 0x80, 0x11);
    out8(b, 0x80, 0x22);
    out8(b, 0x80, 0x22);
    ck_assert_uint_eq(in8(b, 0x80), 0x22);
    d->cls->info(d, &t);
    ck_assert_str_eq(t.s, "POST code 22, before: 11 22\n");
    text_free(&t);
}
END_TEST

START_TEST(test_exit_any_width)
{
    board_device(b, &testexit_class);
    ck_assert_uint_eq(in8(b, 0xf4), 0);
    out8(b, 0xf4, 5);
    ck_assert_uint_eq(b->last_request, REQ_EXIT);
    ck_assert_int_eq(b->last_arg, 5);
    out32(b, 0xf4, 0x21);
    ck_assert_int_eq(b->last_arg, 0x21);
    ck_assert_uint_eq(b->n_requests, 2);
}
END_TEST

START_TEST(fpu_error_latch)
{
    struct device *d = board_add(b, &fpu_port_class);
    struct wire *irq13 = board_wire(b, d, "irq13", 0), *ignne = board_wire(b, d, "ignne", 0);
    board_start(b, d);
    set_pin(d, 0, true);
    ck_assert(irq13->level && !ignne->level);
    out8(b, 0xf0, 0);
    ck_assert(!irq13->level && ignne->level);
    set_pin(d, 0, false);
    ck_assert(!ignne->level);
    out8(b, 0xf1, 0);
    ck_assert(!ignne->level); /* no error, nothing to ignore */
}
END_TEST

START_TEST(debug_console)
{
    struct chardev *chr = char_mem_open();
    struct device *d = board_add(b, &debugcon_class);
    device_set_ptr(d, "chardev", chr);
    board_start(b, d);
    ck_assert_uint_eq(in8(b, 0xe9), 0xe9);
    out8(b, 0xe9, 'o');
    out8(b, 0xe9, 'k');
    chardev_poll(chr);
    ck_assert_str_eq(char_mem_output(chr), "ok");
    chardev_close(chr);
}
END_TEST

START_TEST(debug_console_without_backend)
{
    board_device(b, &debugcon_class);
    for (int i = 0; i < 1000; i++) out8(b, 0xe9, i % 97 ? i : '\n');
    ck_assert_uint_eq(in8(b, 0xe9), 0xe9);
}
END_TEST

UNIT_SUITE(ports, port92_a20_and_reset, post_codes_read_back_and_are_kept, test_exit_any_width,
           fpu_error_latch, debug_console, debug_console_without_backend)
