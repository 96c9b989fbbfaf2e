/* The 16550A: polling, interrupt order, FIFO triggers and time-out, loopback, modem lines. */
#include "machine/host/chardev.h"
#include "tests/unit/harness.h"

extern const struct device_class uart_class;
enum { P = 0x3f8 };

static struct board *b;
static struct device *uart;
static struct wire *irq;
static struct chardev *chr;

static void setup(void)
{
    b = board_bare();
    chr = char_mem_open();
    uart = board_add(b, &uart_class);
    irq = board_wire(b, uart, "irq", 0);
    ck_assert_int_eq(device_set_ptr(uart, "chardev", chr), 0);
    board_start(b, uart);
    out8(b, P + 4, 0x0b);
}

static void teardown(void)
{
    board_free(b);
    chardev_close(chr);
}

static void send(const char *s)
{
    for (; *s; s++) {
        for (int i = 0; i < 100 && !(in8(b, P + 5) & 0x20); i++) advance_ns(b, 1000);
        out8(b, P, *s);
    }
    advance_ns(b, 1000000);
    chardev_poll(chr);
}

static void receive(const char *s)
{
    chardev_inject(chr, s, strlen(s));
    chardev_poll(chr);
}

START_TEST(polled_output)
{
    ck_assert_uint_eq(in8(b, P + 5), 0x60);
    send("hello");
    ck_assert_str_eq(char_mem_output(chr), "hello");
    out8(b, P, '!');
    ck_assert_uint_eq(in8(b, P + 5) & 0x60, 0);
    advance_ns(b, 2000);
    ck_assert_uint_eq(in8(b, P + 5) & 0x60, 0x20);
    advance_ns(b, 8000);
    ck_assert_uint_eq(in8(b, P + 5) & 0x60, 0x60);
}
END_TEST

START_TEST(divisor_and_scratch_are_storage)
{
    out8(b, P + 3, 0x83);
    out8(b, P, 0x34);
    out8(b, P + 1, 0x12);
    ck_assert_uint_eq(in16(b, P), 0x1234);
    out8(b, P + 3, 0x03);
    ck_assert_uint_eq(in8(b, P + 1), 0);
    ck_assert_uint_eq(in8(b, P + 3), 3);
    out8(b, P + 7, 0xa5);
    ck_assert_uint_eq(in8(b, P + 7), 0xa5);
}
END_TEST

START_TEST(detection_finds_a_16550a)
{
    out8(b, P + 2, 0x01);
    ck_assert_uint_eq(in8(b, P + 2) & 0xc0, 0xc0);
    out8(b, P + 2, 0x00);
    ck_assert_uint_eq(in8(b, P + 2), 0x01);
}
END_TEST

START_TEST(thre_interrupt_once_per_cause)
{
    out8(b, P + 1, 0x02);
    ck_assert(irq->level);
    ck_assert_uint_eq(in8(b, P + 2), 0x02);
    ck_assert(!irq->level);
    ck_assert_uint_eq(in8(b, P + 2), 0x01);
    out8(b, P, 'x');
    ck_assert(!irq->level);
    advance_ns(b, 2000);
    ck_assert(irq->level);
    out8(b, P, 'y');
    ck_assert(!irq->level);
    advance_ns(b, 20000);
    ck_assert(irq->level);
}
END_TEST

START_TEST(fifo_output_is_one_interrupt)
{
    out8(b, P + 2, 0x07);
    out8(b, P + 1, 0x02);
    in8(b, P + 2);
    unsigned before = irq->rises;
    for (int i = 0; i < 16; i++) out8(b, P, 'a' + i);
    advance_ns(b, 100000);
    ck_assert_uint_eq(irq->rises, before);
    advance_ns(b, 100000);
    ck_assert_uint_eq(irq->rises, before + 1);
    chardev_poll(chr);
    ck_assert_str_eq(char_mem_output(chr), "abcdefghijklmnop");
}
END_TEST

START_TEST(receive_one_at_a_time_without_fifo)
{
    out8(b, P + 1, 0x01);
    receive("ab");
    ck_assert(irq->level);
    ck_assert_uint_eq(in8(b, P + 2), 0x04);
    ck_assert_uint_eq(in8(b, P + 5) & 3, 1);
    ck_assert_uint_eq(in8(b, P), 'a');
    ck_assert(!irq->level);
    chardev_poll(chr);
    ck_assert_uint_eq(in8(b, P), 'b');
    ck_assert_uint_eq(in8(b, P + 5) & 1, 0);
}
END_TEST

START_TEST(fifo_trigger_and_timeout)
{
    out8(b, P + 2, 0x81); /* 8 bytes */
    out8(b, P + 1, 0x01);
    receive("1234567");
    ck_assert(!irq->level);
    receive("8");
    ck_assert_uint_eq(in8(b, P + 2), 0xc4);
    in8(b, P);
    ck_assert(!irq->level);
    advance_ns(b, 40000);
    ck_assert(irq->level);
    ck_assert_uint_eq(in8(b, P + 2), 0xcc);
    in8(b, P);
    ck_assert(!irq->level);
    receive("0123456789abcdefghijkl");
    for (int i = 0; i < 16; i++) in8(b, P);
    chardev_poll(chr);
    ck_assert_uint_eq(in8(b, P + 5) & 3, 1); /* nothing overran */
}
END_TEST

START_TEST(out2_gates_the_line)
{
    out8(b, P + 1, 0x02);
    ck_assert(irq->level);
    out8(b, P + 4, 0x03);
    ck_assert(!irq->level);
}
END_TEST

START_TEST(loopback)
{
    ck_assert_uint_eq(in8(b, P + 6), 0xb0);
    out8(b, P + 4, 0x1a);
    ck_assert_uint_eq(in8(b, P + 6) & 0xf0, 0x90);
    out8(b, P + 4, 0x15);
    ck_assert_uint_eq(in8(b, P + 6) & 0xf0, 0x60);
    out8(b, P, 0x5a);
    advance_ns(b, 100000);
    ck_assert_uint_eq(in8(b, P), 0x5a);
    out8(b, P, 1);
    advance_ns(b, 100000);
    out8(b, P, 2);
    advance_ns(b, 100000);
    ck_assert_uint_eq(in8(b, P + 5) & 2, 2); /* overrun */
    ck_assert_uint_eq(in8(b, P + 5) & 2, 0);
    chardev_poll(chr);
    ck_assert_uint_eq(char_mem_len(chr), 0);
}
END_TEST

START_TEST(modem_deltas_interrupt)
{
    out8(b, P + 4, 0x18);
    in8(b, P + 6);
    out8(b, P + 1, 0x08);
    out8(b, P + 4, 0x1a);
    ck_assert_uint_eq(in8(b, P + 2), 0x00);
    ck_assert_uint_eq(in8(b, P + 6) & 0x0f, 0x01);
    ck_assert_uint_eq(in8(b, P + 2), 0x01);
    out8(b, P + 4, 0x1e); /* RI rises: nothing */
    ck_assert_uint_eq(in8(b, P + 6) & 0x0f, 0);
    out8(b, P + 4, 0x1a); /* RI falls */
    ck_assert_uint_eq(in8(b, P + 6) & 0x0f, 4);
}
END_TEST

START_TEST(no_backend_no_lines)
{
    struct device *d = board_add(b, &uart_class);
    device_set_option(d, "port", "0x2f8", NULL);
    board_start(b, d);
    ck_assert_uint_eq(in8(b, 0x2fe), 0);
    for (int i = 0; i < 100; i++) out8(b, 0x2f8, i);
    advance_ns(b, 10000000);
    ck_assert_uint_eq(in8(b, 0x2fd), 0x60);
}
END_TEST

UNIT_SUITE(uart, polled_output, divisor_and_scratch_are_storage, detection_finds_a_16550a,
           thre_interrupt_once_per_cause, fifo_output_is_one_interrupt,
           receive_one_at_a_time_without_fifo, fifo_trigger_and_timeout, out2_gates_the_line,
           loopback, modem_deltas_interrupt, no_backend_no_lines)
