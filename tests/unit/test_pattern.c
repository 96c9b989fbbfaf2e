/* Wildcards and edit distance. */
#include "machine/core/pattern.h"

#include "tests/unit/harness.h"

static void setup(void)
{
}

static void teardown(void)
{
}

START_TEST(star_matches_any_run)
{
    ck_assert(pattern_match("ata_*", "ata_cmd"));
    ck_assert(pattern_match("*_cmd", "ata_cmd"));
    ck_assert(pattern_match("a*c*d", "abcbcd"));
    ck_assert(pattern_match("*", ""));
    ck_assert(pattern_match("x**", "x"));
    ck_assert(pattern_match("*ab", "aab"));
    ck_assert(!pattern_match("ata_*", "atapi"));
    ck_assert(!pattern_match("", "x"));
    ck_assert(!pattern_match("abc", "ab"));
    ck_assert(!pattern_match("a*b", "ac"));
}
END_TEST

START_TEST(hostile_patterns_take_no_time)
{
    char s[4001];
    memset(s, 'a', 4000);
    s[4000] = 0;
    ck_assert(!pattern_match("*a*a*a*a*a*a*a*a*a*a*a*b", s));
}
END_TEST

START_TEST(distance_counts_edits)
{
    ck_assert_uint_eq(edit_distance("memory", "memory"), 0);
    ck_assert_uint_eq(edit_distance("memroy", "memory"), 2);
    ck_assert_uint_eq(edit_distance("cdrm", "cdrom"), 1);
    ck_assert_uint_eq(edit_distance("", "abc"), 3);
    ck_assert_uint_eq(edit_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(long_words_are_capped)
{
    char s[1001];
    memset(s, 'x', 1000);
    s[1000] = 0;
    ck_assert_uint_eq(edit_distance(s, ""), 63);
    ck_assert_uint_eq(edit_distance(s, s), 0);
}
END_TEST

UNIT_SUITE(pattern, star_matches_any_run, hostile_patterns_take_no_time, distance_counts_edits,
           long_words_are_capped)
