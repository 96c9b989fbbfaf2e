/* The keyboard controller with its keyboard and mouse: buffer flags, commands, translation, scan
 * sets, typematic, mouse protocols, resets and A20. */
#include "tests/unit/harness.h"

#include "machine/ui/input.h"

extern const struct device_class kbc_class;

static struct board *b;
static struct device *kbc;
static struct wire *irq1, *irq12;
static struct input_router router;

static void setup(void)
{
    b = board_bare();
    input_init(&router);
    kbc = board_add(b, &kbc_class);
    ck_assert_int_eq(device_set_ptr(kbc, "input", &router), 0);
    irq1 = board_wire(b, kbc, "irq1", 0);
    irq12 = board_wire(b, kbc, "irq12", 0);
    board_start(b, kbc);
}

static void teardown(void)
{
    board_free(b);
}

static void ccb(u8 v)
{
    out8(b, 0x64, 0x60);
    out8(b, 0x60, v);
}

/* Next byte after at most 10 ms, or -1. */
static int next(void)
{
    for (int i = 0; i < 100 && !(in8(b, 0x64) & 1); i++) advance_ns(b, 100000);
    return in8(b, 0x64) & 1 ? in8(b, 0x60) : -1;
}

static void expect(const char *hex)
{
    char got[256] = "";
    size_t n = 0;
    for (int v = next(); v >= 0 && n < sizeof(got) - 4; v = next())
        n += sprintf(got + n, n ? " %02x" : "%02x", v);
    ck_assert_str_eq(got, hex);
}

static void mouse(u8 v)
{
    out8(b, 0x64, 0xd4);
    out8(b, 0x60, v);
}

static void mouse_setting(u8 cmd, u8 v)
{
    mouse(cmd);
    expect("fa");
    mouse(v);
    expect("fa");
}

static void tap(unsigned usage)
{
    input_key(&router, usage, true);
    input_key(&router, usage, false);
}

START_TEST(controller_commands)
{
    out8(b, 0x64, 0xaa);
    ck_assert_uint_eq(in8(b, 0x64) & 0x2d, 0x0d);
    expect("55");
    ck_assert_uint_eq(in8(b, 0x64) & 0x05, 0x04);
    out8(b, 0x64, 0xab);
    expect("00");
    out8(b, 0x64, 0xa9);
    expect("00");
    ccb(0x47);
    out8(b, 0x64, 0x20);
    expect("47");
    out8(b, 0x64, 0x7f);
    out8(b, 0x60, 0x99);
    out8(b, 0x64, 0x3f);
    expect("99");
    out8(b, 0x64, 0xa7);
    out8(b, 0x64, 0xad);
    out8(b, 0x64, 0x20);
    expect("77");
    out8(b, 0x64, 0xa8);
    out8(b, 0x64, 0xae);
    out8(b, 0x64, 0x20);
    expect("47");
}
END_TEST

START_TEST(irq_rises_again_for_the_next_byte)
{
    ccb(0x03);
    out8(b, 0x60, 0xf2);
    advance_ns(b, 100000);
    ck_assert(irq1->level);
    ck_assert_uint_eq(irq1->rises, 1);
    advance_ns(b, 10000000);
    ck_assert_uint_eq(irq1->rises, 1);
    ck_assert_uint_eq(in8(b, 0x60), 0xfa);
    ck_assert(!irq1->level);
    ck_assert_uint_eq(in8(b, 0x64) & 1, 0);
    advance_ns(b, 100000);
    ck_assert_uint_eq(irq1->rises, 2);
    ck_assert_uint_eq(in8(b, 0x60), 0xab);
}
END_TEST

START_TEST(loopback_commands_fill_the_buffer)
{
    ccb(0x03);
    out8(b, 0x64, 0xd3);
    out8(b, 0x60, 0xa5);
    ck_assert(irq12->level && !irq1->level);
    ck_assert_uint_eq(in8(b, 0x64) & 0x21, 0x21);
    ck_assert_uint_eq(in8(b, 0x60), 0xa5);
    out8(b, 0x64, 0xd2);
    out8(b, 0x60, 0x1c);
    ck_assert(!irq12->level && irq1->level);
    ck_assert_uint_eq(in8(b, 0x64) & 0x21, 0x01);
    ck_assert_uint_eq(in8(b, 0x60), 0x1c);
}
END_TEST

START_TEST(w7_215_keys_in_set_2_and_translated)
{
    ccb(0x01);
    tap(KEY_A);
    expect("1c f0 1c");
    ccb(0x41);
    tap(KEY_A);
    expect("1e 9e");
    tap(KEY_UP);
    expect("e0 48 e0 c8");
    tap(KEY_PAUSE);
    expect("e1 1d 45 e1 9d c5");
    tap(KEY_F1 + 6);
    expect("41 c1");
    tap(KEY_META_R);
    expect("e0 5c e0 dc");
}
END_TEST

START_TEST(w7_215_print_and_break_depend_on_modifiers)
{
    ccb(0x01);
    tap(KEY_PRINT);
    expect("e0 12 e0 7c e0 f0 7c e0 f0 12");
    input_key(&router, KEY_ALT, true);
    tap(KEY_PRINT);
    input_key(&router, KEY_ALT, false);
    expect("11 84 f0 84 f0 11");
    input_key(&router, KEY_CTRL, true);
    tap(KEY_PAUSE);
    input_key(&router, KEY_CTRL, false);
    expect("14 e0 7e e0 f0 7e f0 14");
}
END_TEST

START_TEST(every_key_survives_every_set)
{
    for (u8 set = 1; set <= 3; set++) {
        ccb(0x01);
        out8(b, 0x60, 0xf0);
        expect("fa");
        out8(b, 0x60, set);
        expect("fa");
        for (unsigned usage = 0; usage < 256; usage++) {
            tap(usage);
            while (next() >= 0) continue;
        }
    }
    tap(KEY_A);
    expect("1c"); /* letters send no break in set 3 */
    tap(KEY_SHIFT);
    expect("12 f0 12");
}
END_TEST

START_TEST(scan_set_1_without_translation)
{
    ccb(0x01);
    out8(b, 0x60, 0xf0);
    expect("fa");
    out8(b, 0x60, 0x01);
    expect("fa");
    tap(KEY_DELETE);
    expect("e0 53 e0 d3");
    out8(b, 0x60, 0xf0);
    expect("fa");
    out8(b, 0x60, 0x00);
    expect("fa 01");
}
END_TEST

START_TEST(keyboard_commands)
{
    ccb(0x41);
    out8(b, 0x60, 0xff);
    expect("fa aa");
    out8(b, 0x60, 0xf2);
    expect("fa ab 41");
    out8(b, 0x60, 0xee);
    expect("ee");
    out8(b, 0x60, 0xed);
    expect("fa");
    out8(b, 0x60, 0x07);
    expect("fa");
    out8(b, 0x60, 0xed);
    expect("fa");
    out8(b, 0x60, 0xf4); /* a command instead of the parameter */
    expect("fa");
    out8(b, 0x60, 0x05);
    expect("fe");
    out8(b, 0x60, 0xf5);
    expect("fa");
    tap(KEY_A);
    expect("");
    out8(b, 0x60, 0xf4);
    expect("fa");
    tap(KEY_A);
    expect("1e 9e");
    out8(b, 0x60, 0xfe); /* resend: the last byte was the 1C after the break prefix */
    expect("1e");
}
END_TEST

START_TEST(typematic_in_virtual_time)
{
    ccb(0x41);
    out8(b, 0x60, 0xf3);
    expect("fa");
    out8(b, 0x60, 0x00); /* 250 ms, 30 a second */
    expect("fa");
    input_key(&router, KEY_A, true);
    input_key(&router, KEY_A, true); /* the host's own repeat */
    ck_assert_int_eq(next(), 0x1e);
    unsigned n = 0;
    for (unsigned i = 0; i < 12500; i++) {
        advance_ns(b, 100000);
        if (in8(b, 0x64) & 1) n++, in8(b, 0x60);
    }
    ck_assert_uint_ge(n, 29);
    ck_assert_uint_le(n, 31);
    input_key(&router, KEY_A, false);
    expect("9e");
}
END_TEST

/* A hundred keys a second, every other one while the one before is still down; the guest takes a
 * millisecond for each byte. */
START_TEST(w7_217_hundred_keys_a_second_lose_nothing)
{
    ccb(0x41);
    unsigned makes = 0, breaks = 0, last = 0;
    for (unsigned i = 0; i < 300; i++) {
        input_key(&router, KEY_A + i % 26, true);
        if (last) input_key(&router, last, false);
        last = KEY_A + i % 26;
        for (unsigned ms = 0; ms < 10; ms++) {
            advance_ns(b, 1000000);
            if (!(in8(b, 0x64) & 1)) continue;
            u8 v = in8(b, 0x60);
            if (v & 0x80) breaks++;
            else makes++;
        }
    }
    ck_assert_uint_eq(makes, 300);
    ck_assert_uint_eq(breaks, 299);
}
END_TEST

/* Keys and motion at once: the mouse's bytes, told by AUXB, stay whole packets in their order. */
START_TEST(w7_219_keyboard_bytes_never_tear_mouse_packets)
{
    u8 packet[3];
    unsigned n = 0, packets = 0, keys = 0;
    ccb(0x43);
    mouse(0xf4);
    expect("fa");
    for (unsigned i = 0; i < 2000; i++) {
        if (i % 7 == 0) tap(KEY_A + i % 26);
        if (i % 3 == 0) input_rel(&router, 3, 0, 0);
        advance_ns(b, 500000);
        u8 status = in8(b, 0x64);
        if (!(status & 1)) continue;
        u8 v = in8(b, 0x60);
        if (!(status & 0x20)) {
            keys++;
            continue;
        }
        packet[n++] = v;
        if (n < 3) continue;
        ck_assert_uint_eq(packet[0] & 0xc8, 0x08);
        ck_assert_uint_eq(packet[1] % 3, 0);
        ck_assert_uint_eq(packet[2], 0);
        packets++;
        n = 0;
    }
    ck_assert_uint_gt(packets, 20);
    ck_assert_uint_gt(keys, 100);
}
END_TEST

START_TEST(w7_219_disable_and_enable_start_a_new_packet)
{
    ccb(0x03);
    mouse(0xf4);
    expect("fa");
    input_rel(&router, 5, 3, 0);
    ck_assert_int_eq(next(), 0x28); /* the first of three */
    mouse(0xf5);
    expect("fa");
    mouse(0xf4);
    expect("fa");
    input_rel(&router, 7, 0, 0);
    expect("08 07 00");
}
END_TEST

START_TEST(w7_220_leds_are_told_to_the_user)
{
    struct text t;
    text_init(&t);
    ccb(0x01);
    out8(b, 0x60, 0xed);
    expect("fa");
    out8(b, 0x60, 0x04);
    expect("fa");
    kbc->cls->info(kbc, &t);
    ck_assert_ptr_nonnull(strstr(t.s, "leds 4"));
    text_free(&t);
}
END_TEST

START_TEST(overrun_ends_in_its_code)
{
    ccb(0x11);
    for (int i = 0; i < 40; i++) tap(KEY_A);
    ccb(0x01);
    int last = -1;
    unsigned n = 0;
    for (int v = next(); v >= 0; v = next(), n++) last = v;
    ck_assert_int_eq(last, 0x00);
    ck_assert_uint_le(n, 16);
}
END_TEST

START_TEST(disabled_keyboard_keeps_its_bytes)
{
    ccb(0x11);
    tap(KEY_ENTER);
    expect("");
    out8(b, 0x64, 0xae);
    expect("5a f0 5a");
}
END_TEST

START_TEST(mouse_reset_and_identity)
{
    ccb(0x03);
    mouse(0xff);
    ck_assert_int_eq(next(), 0xfa);
    advance_ns(b, 10000000);
    ck_assert_uint_eq(in8(b, 0x64) & 0x21, 0x21);
    ck_assert(irq12->level);
    expect("aa 00");
    mouse(0xf2);
    expect("fa 00");
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 100);
    mouse_setting(0xf3, 80);
    mouse(0xf2);
    expect("fa 03");
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 80);
    mouse(0xf2);
    expect("fa 04");
    mouse(0xff);
    expect("fa aa 00");
    mouse(0xf2);
    expect("fa 00");
}
END_TEST

START_TEST(w7_218_mouse_packets)
{
    ccb(0x03);
    mouse(0xf4);
    expect("fa");
    input_rel(&router, 5, 3, 1);
    expect("28 05 fd");
    input_buttons(&router, BUTTON_LEFT | BUTTON_MIDDLE);
    expect("0d 00 00");
    input_rel(&router, -300, 0, 0);
    expect("1d 01 00 1d d3 00"); /* -255, then the rest */
    input_buttons(&router, 0);
    expect("08 00 00");
    mouse(0xf5);
    expect("fa");
    input_rel(&router, 5, 3, 1);
    expect("");
}
END_TEST

START_TEST(mouse_wheel_and_five_buttons)
{
    ccb(0x03);
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 100);
    mouse_setting(0xf3, 80);
    mouse(0xf4);
    expect("fa");
    input_rel(&router, 0, 0, 1);
    expect("08 00 00 ff");
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 200);
    mouse_setting(0xf3, 80);
    input_rel(&router, 0, 0, -1);
    expect("08 00 00 01");
    input_buttons(&router, BUTTON_SIDE | BUTTON_EXTRA);
    expect("08 00 00 30");
}
END_TEST

START_TEST(mouse_samples_at_its_rate)
{
    ccb(0x03);
    mouse_setting(0xf3, 10);
    mouse(0xf4);
    expect("fa");
    unsigned bytes = 0;
    int sum = 0;
    for (int i = 0; i < 10000; i++) {
        if (i % 10 == 0 && i < 9000) input_rel(&router, 1, 0, 0);
        advance_ns(b, 100000);
        if (!(in8(b, 0x64) & 1)) continue;
        u8 v = in8(b, 0x60);
        if (bytes++ % 3 == 1) sum += (i8)v;
    }
    ck_assert_uint_ge(bytes, 27);
    ck_assert_uint_le(bytes, 33);
    ck_assert_int_eq(sum, 900);
}
END_TEST

START_TEST(mouse_remote_status_wrap)
{
    ccb(0x03);
    mouse(0xf0);
    expect("fa");
    input_rel(&router, 7, 0, 0);
    expect("");
    mouse(0xeb);
    expect("fa 08 07 00");
    input_buttons(&router, BUTTON_RIGHT);
    mouse(0xe9);
    expect("fa 41 02 64");
    mouse(0xea);
    expect("fa");
    mouse_setting(0xe8, 3);
    mouse(0xe7);
    expect("fa");
    mouse(0xe9);
    expect("fa 11 03 64");
    mouse(0xee);
    expect("fa");
    mouse(0xe9);
    expect("e9");
    mouse(0xec);
    expect("fa");
    mouse(0x01);
    expect("fe");
    mouse(0xf6);
    expect("fa");
    mouse(0xe9);
    expect("fa 01 02 64");
}
END_TEST

START_TEST(reset_lines_and_a20)
{
    out8(b, 0x64, 0xff);
    ck_assert_uint_eq(b->n_requests, 0);
    out8(b, 0x64, 0xfe);
    ck_assert_uint_eq(b->n_requests, 1);
    ck_assert_uint_eq(b->last_request, REQ_RESET);
    out8(b, 0x64, 0xd1);
    out8(b, 0x60, 0xdf);
    ck_assert(b->a20);
    out8(b, 0x64, 0xd0);
    ck_assert_uint_eq(in8(b, 0x60) & 3, 3);
    out8(b, 0x64, 0xd1);
    out8(b, 0x60, 0xdd);
    ck_assert(!b->a20);
    out8(b, 0x64, 0xdf);
    ck_assert(b->a20);
    out8(b, 0x64, 0xdd);
    ck_assert(!b->a20);
}
END_TEST

START_TEST(any_bytes_do_no_harm)
{
    u32 seed = 12345;
    ccb(0x43);
    for (int i = 0; i < 100000; i++) {
        seed = seed * 1664525 + 1013904223;
        u8 v = seed >> 24;
        switch (seed >> 16 & 7) {
        case 0:
            out8(b, 0x64, v);
            break;
        case 1:
            out8(b, 0x60, v);
            break;
        case 2:
            mouse(v);
            break;
        case 3:
            input_key(&router, v, seed & 0x100);
            break;
        case 4:
            input_rel(&router, (i16)(seed >> 8), (i8)v, (i8)v);
            break;
        case 5:
            input_buttons(&router, v);
            break;
        default:
            advance_ns(b, v * 1000);
            in8(b, 0x60);
        }
    }
    kbc->cls->reset(kbc, RESET_COLD);
    ck_assert_uint_eq(in8(b, 0x64) & 0x01, 0);
}
END_TEST

UNIT_SUITE(kbc, controller_commands, irq_rises_again_for_the_next_byte,
           loopback_commands_fill_the_buffer, w7_215_keys_in_set_2_and_translated,
           w7_215_print_and_break_depend_on_modifiers, every_key_survives_every_set,
           scan_set_1_without_translation, keyboard_commands, typematic_in_virtual_time,
           w7_217_hundred_keys_a_second_lose_nothing,
           w7_219_keyboard_bytes_never_tear_mouse_packets,
           w7_219_disable_and_enable_start_a_new_packet, w7_220_leds_are_told_to_the_user,
           overrun_ends_in_its_code, disabled_keyboard_keeps_its_bytes, mouse_reset_and_identity,
           w7_218_mouse_packets, mouse_wheel_and_five_buttons, mouse_samples_at_its_rate,
           mouse_remote_status_wrap, reset_lines_and_a20, any_bytes_do_no_harm)
