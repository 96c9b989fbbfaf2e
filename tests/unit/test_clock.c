/* Virtual time: order of timers, deadlines, the instruction clock, pausing, and a host that is too
 * slow. */
#include "machine/core/clock.h"

#include "tests/unit/harness.h"

static struct clock c;
static char fired[64];

static void setup(void)
{
    clock_init(&c, CLOCK_MANUAL);
    memset(fired, 0, sizeof(fired));
}

static void teardown(void)
{
    clock_fini(&c);
}

static void note(void *letter)
{
    size_t n = strlen(fired);
    if (n + 1 < sizeof(fired)) fired[n] = *(const char *)letter;
}

static struct timer *make(struct timer *t, const char *letter)
{
    timer_init(t, &c, letter, note, (void *)(uintptr_t)letter);
    return t;
}

START_TEST(timers_fire_by_deadline_then_in_the_order_set)
{
    struct timer t[4];
    timer_set(make(&t[0], "a"), 300);
    timer_set(make(&t[1], "b"), 100);
    timer_set(make(&t[2], "c"), 300);
    timer_set(make(&t[3], "d"), 200);
    ck_assert_uint_eq(clock_deadline(&c), 100);
    clock_advance(&c, 299);
    ck_assert_str_eq(fired, "bd");
    clock_advance(&c, 1);
    ck_assert_str_eq(fired, "bdac");
    ck_assert_uint_eq(clock_deadline(&c), TIMER_NEVER);
}
END_TEST

START_TEST(many_timers_keep_their_order)
{
    static struct timer t[200];
    static u64 order[200];
    u32 seed = 1;
    for (unsigned k = 0; k < LEN(t); k++) {
        seed = seed * 1103515245 + 12345;
        timer_set(make(&t[k], "x"), seed >> 8 & 0xffff);
    }
    for (unsigned k = 0; k < LEN(t); k += 3) timer_cancel(&t[k]);
    unsigned n = 0;
    while (clock_deadline(&c) != TIMER_NEVER) {
        order[n++] = clock_deadline(&c);
        timer_cancel(c.heap[0]);
    }
    ck_assert_uint_eq(n, LEN(t) - (LEN(t) + 2) / 3);
    for (unsigned k = 1; k < n; k++) ck_assert_uint_le(order[k - 1], order[k]);
}
END_TEST

START_TEST(cancelled_and_never_do_not_fire)
{
    struct timer a, never = { .name = NULL };
    timer_set(make(&a, "a"), 10);
    ck_assert(timer_armed(&a));
    timer_set(&a, TIMER_NEVER);
    ck_assert(!timer_armed(&a));
    clock_advance(&c, 100);
    ck_assert_str_eq(fired, "");
    timer_cancel(&never); /* a device destroyed before its init ran */
}
END_TEST

START_TEST(setting_again_moves_the_deadline)
{
    struct timer a;
    timer_set(make(&a, "a"), 10);
    timer_set(&a, 1000);
    clock_advance(&c, 500);
    ck_assert_str_eq(fired, "");
    clock_advance(&c, 500);
    ck_assert_str_eq(fired, "a");
}
END_TEST

static struct timer periodic;
static void again(void *opaque)
{
    note(opaque);
    timer_set(&periodic, clock_now(&c) + 10);
}

START_TEST(work_per_call_is_bounded)
{
    timer_init(&periodic, &c, "p", again, (void *)(uintptr_t) "p");
    timer_set(&periodic, 0);
    c.now = 0;
    ck_assert_uint_eq(clock_run_due(&c, 5), 1);
    clock_advance(&c, 35);
    ck_assert_str_eq(fired, "pppp");
}
END_TEST

static u64 retired;
static u64 count_insns(void *opaque)
{
    (void)opaque;
    return retired;
}

START_TEST(insn_clock_counts_instructions_and_skips_idle_time)
{
    struct timer a;
    clock_fini(&c);
    clock_init(&c, CLOCK_INSN);
    retired = 0;
    c.insns = count_insns;
    u64 sec;
    u32 nsec;
    clock_wall(&c, &sec, &nsec);
    ck_assert_uint_eq(sec, 1262304000); /* the same date in every run */
    retired = 1000;
    u64 now = clock_now(&c);
    ck_assert_uint_eq(now, (1000 * c.ns_per_insn_q16) >> 16);
    timer_set(make(&a, "a"), now + 50000);
    clock_advance(&c, 1000000); /* never past the deadline */
    ck_assert_uint_eq(clock_now(&c), now + 50000);
    ck_assert_uint_eq(clock_run_due(&c, 8), 1);
}
END_TEST

START_TEST(host_clock_stands_still_while_paused)
{
    clock_fini(&c);
    clock_init(&c, CLOCK_HOST);
    ck_assert_uint_eq(clock_now(&c), 0);
    clock_resume(&c);
    u64 a = clock_now(&c);
    while (clock_now(&c) == a) {
    }
    clock_pause(&c);
    u64 b = clock_now(&c);
    for (volatile unsigned k = 0; k < 100000; k++) {
    }
    ck_assert_uint_gt(b, a);
    ck_assert_uint_eq(clock_now(&c), b);
}
END_TEST

START_TEST(host_clock_does_not_pass_its_limit_nor_a_waiting_timer)
{
    struct timer a;
    clock_fini(&c);
    clock_init(&c, CLOCK_HOST);
    clock_resume(&c);
    u64 now = clock_now(&c);
    c.host_base -= 50000000; /* the host took 50 ms away */
    clock_set_limit(&c, now + 1000);
    ck_assert_uint_eq(clock_now(&c), now + 1000);
    clock_set_limit(&c, UINT64_MAX);
    timer_set(make(&a, "a"), clock_now(&c) + 100000);
    c.host_base -= 50000000;
    ck_assert_uint_le(clock_now(&c), a.when + 200000);
    clock_fini(&c);
    clock_init(&c, CLOCK_HOST);
    clock_resume(&c);
    now = clock_now(&c);
    c.host_base -= 10 * NS_PER_SEC; /* a suspended laptop */
    ck_assert_uint_lt(clock_now(&c), now + NS_PER_SEC);
}
END_TEST

START_TEST(time_held_back_is_given_back_when_idle)
{
    clock_fini(&c);
    clock_init(&c, CLOCK_HOST);
    clock_resume(&c);
    u64 now = clock_now(&c);
    c.host_base -= 20000000;
    clock_set_limit(&c, now + 1000);
    now = clock_now(&c);
    clock_set_limit(&c, UINT64_MAX);
    ck_assert_uint_gt(c.lag, 10000000);
    u64 lag = c.lag;
    clock_catch_up(&c, now + 1000000); /* a short tick stays one */
    ck_assert_uint_ge(c.lag, lag - 10000);
    now = clock_now(&c);
    clock_catch_up(&c, now + 5000000);
    ck_assert_uint_ge(clock_now(&c), now + 4900000);
}
END_TEST

static void count_kick(void *n)
{
    ++*(unsigned *)n;
}

START_TEST(an_earlier_deadline_kicks_the_cpu)
{
    struct timer a, d;
    unsigned kicks = 0;
    c.kick = count_kick;
    c.kick_opaque = &kicks;
    timer_set(make(&a, "a"), 100);
    timer_set(make(&d, "d"), 200);
    ck_assert_uint_eq(kicks, 1);
    timer_set(&d, 50);
    ck_assert_uint_eq(kicks, 2);
}
END_TEST

/* A guest that polls a device must not have to wait for the end of its slice. */
START_TEST(whoever_sees_a_timer_due_ends_the_slice)
{
    struct timer a;
    unsigned kicks = 0;
    clock_fini(&c);
    clock_init(&c, CLOCK_HOST);
    c.kick = count_kick;
    c.kick_opaque = &kicks;
    clock_resume(&c);
    u64 now = clock_now(&c);
    timer_set(make(&a, "a"), now + 100000000);
    clock_begin_slice(&c, now + 50000000);
    ck_assert(!c.near);
    timer_set(&a, now + 20000000); /* a command to a device, say */
    ck_assert(c.near);
    clock_now(&c);
    ck_assert_uint_eq(kicks, 0);
    c.host_base -= 30000000;
    clock_now(&c);
    clock_now(&c);
    ck_assert_uint_eq(kicks, 1);
    clock_end_slice(&c);
    ck_assert(!c.near);
    clock_now(&c);
    ck_assert_uint_eq(kicks, 1);
}
END_TEST

UNIT_SUITE(clock, timers_fire_by_deadline_then_in_the_order_set, many_timers_keep_their_order,
           cancelled_and_never_do_not_fire, setting_again_moves_the_deadline,
           work_per_call_is_bounded, insn_clock_counts_instructions_and_skips_idle_time,
           host_clock_stands_still_while_paused,
           host_clock_does_not_pass_its_limit_nor_a_waiting_timer,
           time_held_back_is_given_back_when_idle, an_earlier_deadline_kicks_the_cpu,
           whoever_sees_a_timer_due_ends_the_slice)
