/* The input router, key names, ASCII keys and the typist. */
#include "machine/ui/input.h"

#include "tests/unit/harness.h"

static struct input_router r;
static struct clock clk;
static char seen[512];
static bool busy;

static void on_key(void *opaque, unsigned usage, bool down)
{
    (void)opaque;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%c%02x ", down ? '+' : '-', usage);
}

static bool on_busy(void *opaque)
{
    (void)opaque;
    return busy;
}

static void on_buttons(void *opaque, unsigned mask)
{
    (void)opaque;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "b%u ", mask);
}

static void setup(void)
{
    struct input_sink s = {
        .key = on_key, .buttons = on_buttons, .key_busy = on_busy, .opaque = &r
    };
    seen[0] = 0;
    busy = false;
    input_init(&r);
    clock_init(&clk, CLOCK_MANUAL);
    ck_assert_int_eq(input_add_sink(&r, &s), 0);
}

static void teardown(void)
{
    clock_fini(&clk);
}

START_TEST(host_repeats_are_swallowed)
{
    input_key(&r, KEY_A, true);
    input_key(&r, KEY_A, true);
    input_key(&r, KEY_A, false);
    input_key(&r, KEY_A, false);
    input_key(&r, 1000, true);
    ck_assert_str_eq(seen, "+04 -04 ");
}
END_TEST

START_TEST(w7_223_release_all_lets_go_of_keys_and_buttons)
{
    input_key(&r, KEY_ALT, true);
    input_key(&r, KEY_TAB, true);
    input_buttons(&r, BUTTON_LEFT);
    input_release_all(&r);
    input_release_all(&r);
    ck_assert_str_eq(seen, "+e2 +2b b1 -2b -e2 b0 ");
}
END_TEST

START_TEST(key_names)
{
    u8 k[4];
    ck_assert_int_eq(input_parse_keys("ctrl-alt-delete", k, 4), 3);
    ck_assert_uint_eq(k[0], 0xe0);
    ck_assert_uint_eq(k[1], 0xe2);
    ck_assert_uint_eq(k[2], 0x4c);
    ck_assert_int_eq(input_parse_keys("f12", k, 4), 1);
    ck_assert_uint_eq(k[0], 0x45);
    ck_assert_int_eq(input_parse_keys("0", k, 4), 1);
    ck_assert_uint_eq(k[0], 0x27);
    ck_assert_int_eq(input_parse_keys("", k, 4), -1);
    ck_assert_int_eq(input_parse_keys("ctrl-", k, 4), -1);
    ck_assert_int_eq(input_parse_keys("foo", k, 4), -1);
    ck_assert_int_eq(input_parse_keys("a-b-c-d-e", k, 4), -1);
}
END_TEST

START_TEST(every_printable_character_has_a_key)
{
    bool shift;
    for (char c = ' '; c < 127; c++)
        ck_assert_msg(input_char_key(c, &shift) != 0, "no key for %c", c);
    ck_assert_uint_eq(input_char_key('|', &shift), 0x31);
    ck_assert(shift);
    ck_assert_uint_eq(input_char_key('/', &shift), 0x38);
    ck_assert(!shift);
    ck_assert_uint_eq(input_char_key('\n', &shift), KEY_ENTER);
    ck_assert_uint_eq(input_char_key('\1', &shift), 0);
    ck_assert_uint_eq(input_char_key('\0', &shift), 0);
}
END_TEST

START_TEST(typist_types_in_virtual_time)
{
    struct input_typist t;
    input_typist_init(&t, &r, &clk);
    ck_assert_uint_eq(input_type(&t, "aB\1\n"), 1);
    ck_assert_str_eq(seen, "");
    clock_advance(&clk, 1000000000);
    ck_assert_str_eq(seen, "+04 -04 +e1 +05 -05 -e1 +28 -28 ");
    ck_assert(!input_typing(&t));
    seen[0] = 0;
    busy = true;
    input_type(&t, "x");
    clock_advance(&clk, 1000000000);
    ck_assert_str_eq(seen, "");
    ck_assert(input_typing(&t));
    busy = false;
    clock_advance(&clk, 1000000000);
    ck_assert_str_eq(seen, "+1b -1b ");
    input_typist_fini(&t);
}
END_TEST

UNIT_SUITE(input, host_repeats_are_swallowed, w7_223_release_all_lets_go_of_keys_and_buttons, key_names,
           every_printable_character_has_a_key, typist_types_in_virtual_time)
