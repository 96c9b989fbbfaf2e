/* What happens when a guest's exceptions cannot be delivered any more: post-mortem, reset, exit status. */
#include "machine/core/trace.h"
#include "machine/debug/postmortem.h"
#include "tests/unit/machine_rig.h"

static struct rig r;

/* Takes the IDT away and executes INT3; after the reset that follows it leaves through port F4h. */
static const u8 dies_once[] = {
    0xfa,                                     /* cli */
    0x31, 0xc0, 0x8e, 0xd8,                   /* xor ax, ax; mov ds, ax */
    0x80, 0x3e, 0x00, 0x05, 0x5a, 0x74, 0x0e, /* cmp byte [500h], 5ah; je second */
    0xc6, 0x06, 0x00, 0x05, 0x5a,             /* mov byte [500h], 5ah */
    0x2e, 0x0f, 0x01, 0x1e, 0x1f, 0xfe,       /* lidt cs:[zeros] */
    0xcc, 0xeb, 0xfe,                         /* int3; jmp $ */
    0xb0, 0x15, 0xe6, 0xf4, 0xf4,             /* second: mov al, 15h; out f4h, al; hlt */
    0, 0, 0, 0, 0, 0,                         /* zeros */
};

static void setup(void)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* the page itself */
    trace_configure("cpu_exception");
}

static void teardown(void)
{
    rig_close(&r);
}

START_TEST(no_reboot_ends_with_status_2)
{
    rig_open(&r, dies_once, sizeof(dies_once), "no-reboot", "on", NULL);
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, STATUS_TRIPLE_FAULT);
    ck_assert_uint_eq(r.m->triple_faults, 1);
    ck_assert_uint_eq(r.m->resets, 0);
}
END_TEST

START_TEST(page_shows_registers_code_walk_and_events)
{
    static const char *const parts[] = {
        "rip  000000000000fe17", "idtr base 0000000000000000 limit 0000", "cc ",
        "int3", "paging is off", "cpu_exception vector=0d",
    };
    struct text t;
    rig_open(&r, dies_once, sizeof(dies_once), "no-reboot", "on", NULL);
    machine_run(r.m);
    text_init(&t);
    postmortem(r.m, &t);
    for (unsigned k = 0; k < LEN(parts); k++)
        ck_assert_msg(strstr(t.s, parts[k]) != NULL, "no '%s' in\n%s", parts[k], t.s);
    text_free(&t);
}
END_TEST

START_TEST(reset_follows)
{
    rig_open(&r, dies_once, sizeof(dies_once), NULL);
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, 43);
    ck_assert_uint_eq(r.m->triple_faults, 1);
    ck_assert_uint_eq(r.m->resets, 1);
}
END_TEST

RIG_SUITE(postmortem, no_reboot_ends_with_status_2, page_shows_registers_code_walk_and_events,
          reset_follows)
