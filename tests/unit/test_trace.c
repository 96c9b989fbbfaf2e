/* Trace switches and ring, log levels, growable text, error messages. */
#include "machine/core/trace.h"

#include "machine/core/error.h"
#include "machine/core/log.h"
#include "machine/core/text.h"
#include "tests/unit/harness.h"

static struct text t;
static FILE *out;
static char *written;
static size_t len;

static void setup(void)
{
    text_init(&t);
    memset(trace_on, 0, sizeof(trace_on));
    out = open_memstream(&written, &len);
    log_set_output(out);
}

static void teardown(void)
{
    trace_set_output(NULL);
    log_set_output(NULL);
    log_configure("warn");
    fclose(out);
    free(written);
    text_free(&t);
    memset(trace_on, 0, sizeof(trace_on));
}

START_TEST(patterns_switch_events_on_and_off)
{
    ck_assert_int_eq(trace_configure("ata*,bmdma_start"), 0);
    ck_assert(trace_on[EV_ata_cmd] && trace_on[EV_atapi_cmd] && trace_on[EV_bmdma_start] &&
              !trace_on[EV_pci_cfg_rd]);
    ck_assert_int_eq(trace_configure("-atapi_cmd"), 0);
    ck_assert(trace_on[EV_ata_cmd] && !trace_on[EV_atapi_cmd]);
    ck_assert_int_eq(trace_configure("nosuch"), -1);
    ck_assert_int_eq(trace_configure("ata_cmd,no*such"), -1);
}
END_TEST

START_TEST(disabled_events_leave_no_trace)
{
    trace_set_output(out);
    TRACE(ata_cmd, 1, 2, 3, 4);
    fflush(out);
    ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(events_go_to_ring_and_file)
{
    trace_configure("ata_cmd");
    trace_set_output(out);
    TRACE(ata_cmd, 1, 0xec, 0x1234, 5);
    fflush(out);
    ck_assert_ptr_nonnull(strstr(written, "ata_cmd drive=1 cmd=ec lba=1234 count=5"));
    trace_dump(&t, 1);
    ck_assert_ptr_nonnull(strstr(t.s, "ata_cmd drive=1 cmd=ec lba=1234 count=5"));
}
END_TEST

START_TEST(ring_keeps_the_last_events)
{
    trace_configure("post_code");
    for (unsigned k = 0; k < 70000; k++) TRACE(post_code, k & 0xff, 0, 0, 0);
    trace_dump(&t, 1000000); /* more than there are */
    unsigned lines = 0;
    for (const char *p = t.s; (p = strchr(p, '\n')); p++) lines++;
    ck_assert_uint_eq(lines, 65536);
}
END_TEST

START_TEST(every_event_can_be_printed)
{
    for (unsigned k = 0; k < EV_COUNT; k++) {
        ck_assert_str_ne(trace_name(k), "?");
        trace_emit(k, ~0ull, ~0ull, ~0ull, ~0ull);
    }
    trace_dump(&t, EV_COUNT);
    ck_assert_ptr_nonnull(strstr(t.s, trace_name(EV_COUNT - 1)));
    ck_assert_str_eq(trace_name(EV_COUNT), "?");
}
END_TEST

START_TEST(texts_are_kept_with_their_events)
{
    char big[400];
    memset(big, 'b', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    trace_configure("aerogpu_packet");
    TRACE_TEXT(aerogpu_packet, 1, 2, 0, 0, "000018 NOP");
    TRACE_TEXT(aerogpu_packet, 3, 4, 0, 0, big);
    TRACE(aerogpu_packet, 5, 6, 0, 0);
    trace_dump(&t, 3);
    ck_assert_ptr_nonnull(strstr(t.s, "aerogpu_packet submission=1 context=2 000018 NOP\n"));
    ck_assert_ptr_nonnull(strstr(t.s, "submission=3 context=4 bbb"));
    ck_assert_ptr_nonnull(strstr(t.s, "submission=5 context=6\n"));
    for (unsigned k = 0; k < 5000; k++) TRACE_TEXT(aerogpu_packet, 7, 8, 0, 0, big);
    text_clear(&t);
    trace_dump(&t, 5003);
    ck_assert_ptr_nonnull(strstr(t.s, "submission=1 context=2 (its text is gone)\n"));
    ck_assert_ptr_null(strstr(t.s, "NOP"));
    trace_configure("-aerogpu_packet");
}
END_TEST

START_TEST(log_levels_by_component)
{
    ck_assert(log_enabled(LOG_WARN, "ide") && !log_enabled(LOG_INFO, "ide"));
    ck_assert_int_eq(log_configure("error,ide*=debug"), 0);
    ck_assert(log_enabled(LOG_DEBUG, "ide0") && !log_enabled(LOG_WARN, "rtc"));
    ck_assert_int_eq(log_configure("loud"), -1);
    ck_assert_int_eq(log_configure("ide=loud"), -1);
    ck_assert_int_eq(log_configure("=debug"), -1);
    LOG(LOG_ERROR, "cpu", "number %d", 7);
    ck_assert_ptr_nonnull(strstr(written, "error cpu: number 7\n"));
}
END_TEST

START_TEST(guest_mistakes_do_not_flood)
{
    log_configure("chatter=debug");
    for (unsigned k = 0; k < 5000; k++) LOG_GUEST("chatter", "again");
    unsigned lines = 0;
    for (const char *p = written; (p = strchr(p, '\n')); p++) lines++;
    ck_assert_uint_eq(lines, 105); /* 100, then one in 1000 */
}
END_TEST

START_TEST(text_grows_and_clears)
{
    for (unsigned k = 0; k < 1000; k++) text_add(&t, "%04u", k);
    ck_assert_uint_eq(t.len, 4000);
    ck_assert_str_eq(t.s + 3996, "0999");
    text_add(&t, "%500s", "x"); /* longer than its small buffer */
    ck_assert_uint_eq(t.len, 4500);
    text_clear(&t);
    ck_assert_str_eq(t.s, "");
}
END_TEST

START_TEST(errors_take_context_and_stay_within_their_size)
{
    struct error e;
    char longest[600];
    memset(longest, 'y', 599);
    longest[599] = 0;
    ck_assert_int_eq(error_set(&e, "disk %d", 3), -1);
    ck_assert_int_eq(error_prefix(&e, "ide%d", 0), -1);
    ck_assert_str_eq(e.text, "ide0: disk 3");
    error_set(&e, "%s", longest);
    error_prefix(&e, "%s", longest);
    ck_assert_uint_lt(strlen(e.text), sizeof(e.text));
    ck_assert_int_eq(error_set(NULL, "nobody listens"), -1);
    ck_assert_int_eq(error_prefix(NULL, "nobody listens"), -1);
}
END_TEST

UNIT_SUITE(trace, patterns_switch_events_on_and_off, disabled_events_leave_no_trace,
           events_go_to_ring_and_file, ring_keeps_the_last_events, every_event_can_be_printed,
           texts_are_kept_with_their_events, log_levels_by_component, guest_mistakes_do_not_flood, text_grows_and_clears,
           errors_take_context_and_stay_within_their_size)
