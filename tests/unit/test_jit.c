/* The translator as an engine: its options, code memory that is never writable and executable, and that a
 * debugger (breakpoints, single steps, runs of any length) sees what it sees of the interpreter, also when
 * the state is carried from one engine to the other. What is computed is compared by `make engine-tests`. */
#include <stdio.h>

#include "cpu/icache.h"
#include "cpu/jit/priv.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_suite(void);

START_TEST(unknown_engines_and_options_are_refused)
{
    static const char *const bad[] = { "fast", "jit,hot=256", "jit,ops=0", "jit,ops=65", "jit,cache=1",
                                       "jit,links", "jit,", "jitter", "jit,hot=", "jit,hot=1x",
                                       "jit,flush=all", "jit,run=5", "lockstep,run=", "lockstep,run=100001",
                                       "locksteps" };
    struct rig *r = rig_with("max", "interp");
    struct error e;
    for (unsigned k = 0; k < LEN(bad); k++) {
        struct cpu_env env = r->c->env;
        env.engine = bad[k];
        e.text[0] = 0;
        ck_assert_msg(cpu_create("max", &env, &e) == NULL, "%s", bad[k]);
        ck_assert_msg(strstr(e.text, "engine") != NULL, "%s", e.text);
    }
    rig_free(r);
}
END_TEST

/* ---- W^X ---- */

/* The rights of all of this process's memory, and of the translations' two mappings. */
static void expect_never_both(const struct jit *j)
{
    char line[512];
    unsigned executable = 0, writable = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to;
        char rights[8];
        ck_assert_int_eq(sscanf(line, "%lx-%lx %7s", &from, &to, rights), 3);
        ck_assert_msg(rights[1] != 'w' || rights[2] != 'x', "%s", line);
        if ((uintptr_t)j->rx >= from && (uintptr_t)j->rx < to) {
            ck_assert_str_eq(rights, "r-xs");
            executable++;
        }
        if ((uintptr_t)j->rw >= from && (uintptr_t)j->rw < to) {
            ck_assert_str_eq(rights, "rw-s");
            writable++;
        }
    }
    fclose(f);
    ck_assert_uint_eq(executable, 1);
    ck_assert_uint_eq(writable, 1);
}

static void looks(void *opaque, u64 offset, u64 v, unsigned size)
{
    const struct rig *r = opaque;
    (void)offset, (void)v, (void)size;
    ck_assert_uint_gt(r->c->jit->made, 0);
    expect_never_both(r->c->jit);
}

/* An OUT in a loop looks from within generated code, whose translations it drops and makes again. */
START_TEST(code_memory_is_never_writable_and_executable)
{
    static const char *const engines[] = { "jit,hot=0", "jit,hot=0,cache=128", "jit,hot=0,flush=code",
                                           "lockstep,hot=0,run=50" };
    static const struct io_ops ops = { .write = looks };
    struct rig *r = rig_with("max", engines[_i]);
    struct region port;
    struct error e;
    region_init_io(&port, "looks", 1, &ops, r);
    ck_assert_int_eq(bus_map(&r->io, 0x80, &port, 0, &e), 0);
    rig_protected(r, 0);
    /* mov [4007h], cl; mov al, imm8; out 80h, al; dec ecx; jnz; hlt */
    rig_code(r, 0x4000, "\x88\x0d\x07\x40\x00\x00\xb0\x00\xe6\x80\x49\x75\xf3\xf4", 14);
    expect_never_both(r->c->jit);
    r->c->r[RCX] = 20;
    r->c->rip = 0x4000;
    while (!r->c->halted) cpu_run(r->c, 1000);
    ck_assert_uint_eq(r->c->r[RAX] & 0xff, 1);
    ck_assert_uint_gt(r->c->jit->entries, 0);
    expect_never_both(r->c->jit);
    icache_flush(r->c);
    expect_never_both(r->c->jit);
    bus_unmap(&port);
    region_fini(&port);
    rig_free(r);
}
END_TEST

/* ---- stopping and going on ---- */

enum { CODE = 0x4000 };

/*      mov ecx, 300; mov esi, 7000h
 * 1:   add rax, rcx; adc rdx, [rsi]; mov [rsi], rdx; call f
 *      fild dword [rsi+8]; faddp; fst dword [rsi+16]; addsd xmm0, xmm1; movsd [rsi+24], xmm0
 *      rcr rdx, 1; dec ecx; jnz 1; hlt
 * f:   push rcx; mov ecx, 9; mov edi, 7100h; rep stosb; pop rcx
 *      imul ebx, ebx, 7; inc ebx; mov [rsi+8], ebx; ret */
static const u8 program[] = {
    0xb9, 0x2c, 0x01, 0x00, 0x00, 0xbe, 0x00, 0x70, 0x00, 0x00, 0x48, 0x01, 0xc8, 0x48, 0x13, 0x16, 0x48, 0x89,
    0x16, 0xe8, 0x19, 0x00, 0x00, 0x00, 0xdb, 0x46, 0x08, 0xde, 0xc1, 0xd9, 0x56, 0x10, 0xf2, 0x0f, 0x58, 0xc1,
    0xf2, 0x0f, 0x11, 0x46, 0x18, 0x48, 0xd1, 0xda, 0xff, 0xc9, 0x75, 0xda, 0xf4, 0x51, 0xb9, 0x09, 0x00, 0x00,
    0x00, 0xbf, 0x00, 0x71, 0x00, 0x00, 0xf3, 0xaa, 0x59, 0x6b, 0xdb, 0x07, 0xff, 0xc3, 0x89, 0x5e, 0x08, 0xc3
};
static const u16 breaks[] = { 0x10, 0x13, 0x18, 0x20, 0x2e, 0x31, 0x3c, 0x3e, 0x47, 0x0a };
static const char *const engines[] = { "jit,hot=0", "jit,hot=0,ops=3", "jit,hot=5", "jit,hot=0,flush=code",
                                       "lockstep,hot=0,run=40" };

static struct rig *start(const char *engine)
{
    struct rig *r = rig_with("max", engine);
    rig_long(r, 0);
    r->c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu_update_mode(r->c);
    r->c->fcw = 0x37f;
    r->c->fsw = 0;
    r->c->ftw = 1;
    r->c->fpr[0] = (struct f80){ 1ull << 63, 0x3fff };
    r->c->mxcsr = 0x1f80;
    r->c->v[1].df[0] = 0.1;
    rig_code(r, CODE, program, sizeof(program));
    return r;
}

static void expect_same(struct rig *r, struct rig *reference, unsigned step)
{
    struct cpu *a = reference->c, *b = r->c;
    ck_assert_msg(cpu_icount(a) == cpu_icount(b), "step %u: %llu instructions, interpreter %llu", step,
                  (unsigned long long)cpu_icount(b), (unsigned long long)cpu_icount(a));
    ck_assert_msg(a->rip == b->rip && a->halted == b->halted, "step %u: at %llx, interpreter %llx", step,
                  (unsigned long long)b->rip, (unsigned long long)a->rip);
    ck_assert_msg(!memcmp(a->gpr, b->gpr, sizeof(a->gpr)), "step %u: registers", step);
    ck_assert_msg(cpu_flags(a) == cpu_flags(b), "step %u: flags", step);
    ck_assert_msg(!memcmp(a->v, b->v, sizeof(a->v)) && a->mxcsr == b->mxcsr, "step %u: SSE", step);
    for (unsigned k = 0; k < 8; k++)
        ck_assert_msg(a->fpr[k].mant == b->fpr[k].mant && a->fpr[k].se == b->fpr[k].se, "step %u: x87", step);
    ck_assert_msg(a->fsw == b->fsw && a->ftw == b->ftw && a->fop == b->fop && a->fip == b->fip && a->fdp == b->fdp,
                  "step %u: x87's environment", step);
    ck_assert_msg(!memcmp(reference->bytes, r->bytes, 0x10000), "step %u: memory", step);
}

static void run_both(struct rig *r, struct rig *reference, u64 budget, unsigned step)
{
    enum cpu_stop want = cpu_run(reference->c, budget), got = cpu_run(r->c, budget);
    ck_assert_msg(got == want, "step %u: stop %d, interpreter %d", step, got, want);
    expect_same(r, reference, step);
}

/* Most of the loop runs translated, then it is stepped or a breakpoint is set in the midst of it. */
START_TEST(breakpoints_stop_where_the_interpreter_stops)
{
    struct rig *r = start(engines[_i]), *reference = start("interp");
    unsigned stops = 0;
    for (unsigned step = 0; !reference->c->halted; step++) {
        u64 at = CODE + breaks[step % LEN(breaks)];
        run_both(r, reference, 100 + step % 7, step);
        for (unsigned k = 0; k < 2; k++) {
            struct rig *g = k ? r : reference;
            ck_assert_int_eq(cpu_break_add(g->c, at), 0);
        }
        for (unsigned k = 0; k < 2; k++) {
            run_both(r, reference, 100000, step);
            stops += r->c->rip == at;
        }
        ck_assert_int_eq(cpu_break_del(reference->c, at), 0);
        ck_assert_int_eq(cpu_break_del(r->c, at), 0);
    }
    ck_assert_uint_ge(stops, 20);
    ck_assert_uint_gt(r->c->jit->entries, 10);
    rig_free(r);
    rig_free(reference);
}
END_TEST

START_TEST(steps_and_short_runs_end_where_the_interpreters_end)
{
    struct rig *r = start(engines[_i]), *reference = start("interp");
    unsigned step = 0;
    for (; !reference->c->halted; step++) run_both(r, reference, step % 64 < 30 ? 1 : step % 64, step);
    ck_assert_uint_gt(step, 200);
    ck_assert_uint_gt(r->c->jit->entries, 10);
    rig_free(r);
    rig_free(reference);
}
END_TEST

/* The guest's own single step: #DB behind each instruction counts in memory. */
START_TEST(the_trap_flag_traps_behind_every_instruction)
{
    struct rig *r = start(engines[_i]), *reference = start("interp");
    for (unsigned k = 0; k < 2; k++) {
        struct rig *g = k ? r : reference;
        rig_gate64(g, EXC_DB, 0x18, 0x5000, 0x8e, 0);
        rig_code(g, 0x5000, "\xff\x04\x25\x00\x60\x00\x00\x48\xcf", 9); /* inc dword [6000h]; iretq */
    }
    for (unsigned step = 0; !reference->c->halted; step++) {
        bool on = step % 3 == 1;
        for (unsigned k = 0; k < 2; k++) {
            struct cpu *c = k ? r->c : reference->c;
            if (c->rip >= 0x5000) continue; /* in the handler: IRETQ decides */
            cpu_set_flags(c, on ? cpu_flags(c) | FL_TF : cpu_flags(c) & ~FL_TF);
            cpu_update_mode(c);
        }
        run_both(r, reference, 150, step);
    }
    ck_assert_uint_gt(ld32(r->bytes + 0x6000), 100);
    ck_assert_uint_gt(r->c->jit->entries, 10);
    rig_free(r);
    rig_free(reference);
}
END_TEST

/* Everything that a state has to have: what struct cpu calls architectural, and memory. */
static struct rig *carried_over(struct rig *from, const char *engine)
{
    struct rig *to = rig_with("max", engine);
    memcpy(to->c, from->c, offsetof(struct cpu, env));
    memset(to->c->jit_slot, 0xee, sizeof(to->c->jit_slot)); /* nothing of a run outlives it */
    memset(&to->c->jit_temp, 0xee, sizeof(to->c->jit_temp));
    memset(&to->c->jit_source, 0xee, sizeof(to->c->jit_source));
    memcpy(to->bytes, from->bytes, RIG_RAM);
    to->c->icount_base = cpu_icount(from->c);
    to->c->slice = to->c->budget = 0;
    tlb_flush_all(to->c);
    cpu_update_mode(to->c);
    rig_free(from);
    return to;
}

START_TEST(a_state_of_one_engine_goes_on_under_the_other)
{
    struct rig *r = start("interp"), *reference = start("interp");
    u64 entries = 0;
    for (unsigned step = 0; !reference->c->halted; step++) {
        run_both(r, reference, 301 + 5 * (step % 8), step);
        if (r->c->jit) entries += r->c->jit->entries;
        r = carried_over(r, step & 1 ? "interp" : engines[_i]);
    }
    ck_assert_uint_gt(entries, 5);
    rig_free(r);
    rig_free(reference);
}
END_TEST

/* ---- INVLPG ---- */

/* 16 MiB in large pages and a loop in one of them are known. INVLPG of small pages far away, whatever
 * their addresses have in common with those, forgets nothing; of the code's page, what it must. */
START_TEST(invlpg_of_data_leaves_code_known)
{
    static const u8 loop[] = { 0xff, 0xc9, 0x75, 0xfc, 0xf4 }; /* 1: dec ecx; jnz 1b; hlt */
    struct rig *r = rig_with("max", "jit,hot=0");
    struct cpu *c = r->c;
    u32 v;
    rig_long(r, 0);
    rig_code(r, 0x4000, loop, sizeof(loop));
    c->r[RCX] = 100;
    cpu_run(c, 1000);
    ck_assert(c->halted);
    for (u64 at = 0; at < 16 * MIB; at += 0x200000) ck_assert(lin_read_as(c, at, &v, 4, false));
    u64 generation = c->jit->generation[0];
    for (u64 k = 1; k <= 64; k++) {
        for (u64 at = 0; at < 16 * MIB; at += 0x200000) tlb_flush_page(c, k * 2 * GIB + at + 0x4000);
    }
    unsigned forgotten = (unsigned)(c->jit->generation[0] - generation);
    ck_assert_uint_le(forgotten, 1);
    tlb_flush_page(c, 0x4000);
    ck_assert_uint_gt(c->jit->generation[0], generation + forgotten);
    rig_free(r);
}
END_TEST

Suite *jit_suite(void)
{
    Suite *s = suite_create("jit");
    TCase *t = tcase_create("engine");
    int n = (int)LEN(engines);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, unknown_engines_and_options_are_refused);
    tcase_add_loop_test(t, code_memory_is_never_writable_and_executable, 0, 4);
    tcase_add_test(t, invlpg_of_data_leaves_code_known);
    tcase_add_loop_test(t, breakpoints_stop_where_the_interpreter_stops, 0, n);
    tcase_add_loop_test(t, steps_and_short_runs_end_where_the_interpreters_end, 0, n);
    tcase_add_loop_test(t, the_trap_flag_traps_behind_every_instruction, 0, n);
    tcase_add_loop_test(t, a_state_of_one_engine_goes_on_under_the_other, 0, n);
    suite_add_tcase(s, t);
    return s;
}
