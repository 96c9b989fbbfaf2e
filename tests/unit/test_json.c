/* JSON strings and the flat-object reader, hostile lines included. */
#include "machine/core/json.h"

#include "tests/unit/harness.h"

static struct text t;
static char buf[32];

static void setup(void)
{
    text_init(&t);
}

static void teardown(void)
{
    text_free(&t);
}

START_TEST(strings_are_escaped)
{
    json_string(&t, "a\"b\\c\n\x01\xe9", 8);
    ck_assert_str_eq(t.s, "\"a\\\"b\\\\c\\n\\u0001\\u00e9\"");
}
END_TEST

START_TEST(what_is_written_reads_back)
{
    static const char s[] = "quote \" slash \\ \t\r\n end";
    text_add(&t, "{\"k\": ");
    json_string(&t, s, sizeof(s) - 1);
    text_add(&t, "}");
    ck_assert(json_get(t.s, "k", buf, sizeof(buf)));
    ck_assert_str_eq(buf, s);
}
END_TEST

START_TEST(values_by_key_in_any_order)
{
    static const char line[] = " { \"id\" : 17 , \"command\":\"status\",\"x\":true } ";
    ck_assert(json_get(line, "id", buf, sizeof(buf)));
    ck_assert_str_eq(buf, "17");
    ck_assert(json_get(line, "command", buf, sizeof(buf)));
    ck_assert_str_eq(buf, "status");
    ck_assert(json_get(line, "x", buf, sizeof(buf)));
    ck_assert_str_eq(buf, "true");
    ck_assert(!json_get(line, "y", buf, sizeof(buf)));
}
END_TEST

START_TEST(malformed_lines_are_refused)
{
    static const char *const lines[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"k\"",
        "{\"k\":",
        "{\"k\":}",
        "{\"k\" 1}",
        "{\"k\":\"open",
        "{\"k\":\"\\",
        "{\"k\":\"\\u12",
        "{\"k\":\"\\q\"}",
        "{\"k\":{\"k\":1}}",
        "{\"k\":[1]}",
        "k: 1",
        "{k: 1}",
        "{\"\\ud",
    };
    for (unsigned k = 0; k < LEN(lines); k++)
        ck_assert_msg(!json_get(lines[k], "k", buf, sizeof(buf)), "%s", lines[k]);
}
END_TEST

START_TEST(too_long_values_are_refused)
{
    char small[4];
    ck_assert(json_get("{\"k\":\"abc\"}", "k", small, sizeof(small)));
    ck_assert(!json_get("{\"k\":\"abcd\"}", "k", small, sizeof(small)));
    ck_assert(!json_get("{\"k\":12345}", "k", small, sizeof(small)));
}
END_TEST

UNIT_SUITE(json, strings_are_escaped, what_is_written_reads_back, values_by_key_in_any_order,
           malformed_lines_are_refused, too_long_values_are_refused)
