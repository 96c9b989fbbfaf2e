/* The comparison of translated code with the interpreter: it is silent about the same results, and
 * ends the program when translated code does something else to a register or to memory. */
#include <stdio.h>

#include "cpu/jit/priv.h"
#include "tests/unit/cpu_rig.h"

Suite *lockstep_suite(void);

/* ABORTED is SIGABRT: signal.h has names of cpu/state.h. */
enum { MARK = 0x5a17c3e9, DATA = 0x7000, ABORTED = 6 };

/* mov edx, MARK; mov [DATA], edx; add [DATA+4], edx; dec ecx; jnz; hlt */
static const u8 program[] = { 0xba, 0xe9, 0xc3, 0x17, 0x5a, 0x89, 0x15, 0x00, 0x70, 0x00,
                              0x00, 0x01, 0x15, 0x04, 0x70, 0x00, 0x00, 0x49, 0x75, 0xec, 0xf4 };

static void run(struct rig *r, u32 count)
{
    r->c->r[RCX] = count;
    r->c->rip = 0x4000;
    r->c->halted = false;
    cpu_event_clear(r->c, CE_HALT);
    cpu_run(r->c, 10000);
}

static struct rig *start(const char *engine)
{
    struct rig *r = rig_with("max", engine);
    rig_protected(r, 0);
    rig_code(r, 0x4000, program, sizeof(program));
    run(r, 50);
    ck_assert_uint_eq(r->c->r[RCX], 0);
    ck_assert_uint_eq(r->c->r[RDX], MARK);
    ck_assert_uint_eq(ld32(r->bytes + DATA + 4), (u32)(50ull * MARK));
    ck_assert(r->c->jit != NULL && r->c->jit->made > 0);
    return r;
}

/* Changes the constant in the code of every translation. */
static unsigned spoil(struct jit *j)
{
    u8 *end = j->as.at;
    unsigned n = 0;
    for (u8 *p = j->rw; p + 4 <= end; p++) {
        if (ld32(p) != MARK) continue;
        st32(p, MARK + 1);
        n++;
    }
    return n;
}

START_TEST(the_same_results_pass)
{
    rig_free(start("lockstep,hot=0"));
    rig_free(start("lockstep,hot=0,run=100"));
}
END_TEST

START_TEST(spoilt_code_runs_without_lockstep)
{
    struct rig *r = start("jit,hot=0");
    ck_assert_uint_ge(spoil(r->c->jit), 1);
    run(r, 3);
    ck_assert_uint_eq(r->c->r[RDX], MARK + 1);
    ck_assert_uint_eq(ld32(r->bytes + DATA), MARK + 1);
    rig_free(r);
}
END_TEST

START_TEST(a_difference_ends_the_program)
{
    struct rig *r = start(_i ? "lockstep,hot=0,run=100" : "lockstep,hot=0");
    ck_assert_uint_ge(spoil(r->c->jit), 1);
    ck_assert(freopen("/dev/null", "w", stderr) != NULL); /* the report */
    run(r, 3);
}
END_TEST

/* mov edi, DATA; mov ecx, 2000; rep stosb; dec edx; jnz; hlt */
static const u8 filling[] = { 0xbf, 0x00, 0x70, 0x00, 0x00, 0xb9, 0xd0, 0x07, 0x00,
                              0x00, 0xf3, 0xaa, 0x4a, 0x75, 0xf1, 0xf4 };

/* The instruction count behind each slice, until HLT; returns how many there were. */
static unsigned fill(const char *engine, u64 *counts, unsigned n)
{
    struct rig *r = rig_with("max", engine);
    unsigned k = 0;
    rig_protected(r, 0);
    rig_code(r, 0x4000, filling, sizeof(filling));
    r->c->r[RDX] = 40;
    r->c->rip = 0x4000;
    while (k < n && !r->c->halted) {
        cpu_run(r->c, 70);
        counts[k++] = cpu_icount(r->c);
    }
    rig_free(r);
    return k;
}

START_TEST(a_fill_at_the_end_of_a_slice_counts_once)
{
    u64 expected[200], counts[200];
    unsigned n = fill("interp", expected, LEN(expected));
    ck_assert_uint_lt(n, LEN(expected));
    ck_assert_uint_eq(fill(_i ? "lockstep,hot=0,run=50" : "lockstep,hot=0", counts, n), n);
    for (unsigned k = 0; k < n; k++) ck_assert_uint_eq(counts[k], expected[k]);
}
END_TEST

Suite *lockstep_suite(void)
{
    Suite *s = suite_create("lockstep");
    TCase *t = tcase_create("compare");
    tcase_add_test(t, the_same_results_pass);
    tcase_add_test(t, spoilt_code_runs_without_lockstep);
    tcase_add_loop_test(t, a_fill_at_the_end_of_a_slice_counts_once, 0, 2);
    const char *fork = getenv("CK_FORK"); /* "no" under the sanitizers: nobody would catch the signal */
    if (!fork || strcmp(fork, "no"))
        tcase_add_loop_test_raise_signal(t, a_difference_ends_the_program, ABORTED, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
