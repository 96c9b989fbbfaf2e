/* The mailbox: order, several senders, waiting. */
#include "machine/core/mailbox.h"

#include "tests/unit/harness.h"

static struct mailbox m;
static u64 seen[64];
static unsigned n, kicks;

static void run(void *opaque, u64 a, u64 b)
{
    (void)opaque;
    if (n < LEN(seen)) seen[n] = a * 100 + b;
    n++;
}

static void post_again(void *opaque, u64 a, u64 b)
{
    run(opaque, a, b);
    mailbox_post(&m, (struct mail){ run, NULL, 9, 9 });
}

static void kick(void *opaque)
{
    (void)opaque;
    __atomic_fetch_add(&kicks, 1, __ATOMIC_RELAXED);
}

static void setup(void)
{
    mailbox_init(&m);
    n = kicks = 0;
    m.kick = kick;
}

static void teardown(void)
{
    mailbox_fini(&m);
}

START_TEST(messages_arrive_in_order_with_a_kick_each)
{
    for (u64 k = 0; k < 10; k++) mailbox_post(&m, (struct mail){ run, NULL, 1, k });
    ck_assert_uint_eq(n, 0);
    ck_assert_uint_eq(mailbox_drain(&m), 10);
    for (u64 k = 0; k < 10; k++) ck_assert_uint_eq(seen[k], 100 + k);
    ck_assert_uint_eq(kicks, 10);
    ck_assert_uint_eq(mailbox_drain(&m), 0);
}
END_TEST

START_TEST(mail_sent_while_draining_comes_with_the_next_drain)
{
    mailbox_post(&m, (struct mail){ post_again, NULL, 1, 0 });
    ck_assert_uint_eq(mailbox_drain(&m), 1);
    ck_assert_uint_eq(mailbox_drain(&m), 1);
    ck_assert_uint_eq(seen[1], 909);
}
END_TEST

static void *sender(void *opaque)
{
    for (u64 k = 0; k < 1000; k++) mailbox_post(&m, (struct mail){ run, opaque, 0, k });
    return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
    pthread_t t[4];
    for (unsigned k = 0; k < LEN(t); k++)
        ck_assert_int_eq(pthread_create(&t[k], NULL, sender, NULL), 0);
    unsigned got = 0;
    while (got < 4000) {
        mailbox_wait(&m, NS_PER_SEC); /* ends early when mail is there */
        got += mailbox_drain(&m);
    }
    for (unsigned k = 0; k < LEN(t); k++) pthread_join(t[k], NULL);
    ck_assert_uint_eq(got, 4000);
    ck_assert_uint_eq(n, 4000);
}
END_TEST

START_TEST(mail_for_who_went_away_is_dropped)
{
    int gone, stays;
    for (u64 k = 0; k < 6; k++)
        mailbox_post(&m, (struct mail){ run, k & 1 ? &gone : &stays, 1, k });
    mailbox_forget(&m, &gone);
    ck_assert_uint_eq(mailbox_drain(&m), 3);
    for (u64 k = 0; k < 3; k++) ck_assert_uint_eq(seen[k], 100 + 2 * k);
    mailbox_post(&m, (struct mail){ run, &gone, 2, 7 });
    ck_assert_uint_eq(mailbox_drain(&m), 1);
}
END_TEST

START_TEST(waiting_ends_without_mail)
{
    mailbox_wait(&m, 1000);
    ck_assert_uint_eq(mailbox_drain(&m), 0);
}
END_TEST

UNIT_SUITE(mailbox, messages_arrive_in_order_with_a_kick_each,
           mail_sent_while_draining_comes_with_the_next_drain, nothing_is_lost_between_threads,
           mail_for_who_went_away_is_dropped, waiting_ends_without_mail)
