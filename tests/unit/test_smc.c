/* Code that is written while it runs, or between two runs of it: stores into the running block in
 * every place that a block or a superblock has bytes in, from the program, from other addresses of
 * the same page, from devices; stores beside code, which must not cost it; and that none of it makes
 * the memory for decoded and translated code grow. Every test runs with the interpreter and with the
 * translator in several forms. AEROPC_LONG=1 in the environment makes the counts large. */
#include <stdio.h>
#include <unistd.h>

#include "cpu/icache.h"
#include "cpu/jit/priv.h"
#include "tests/unit/cpu_rig.h"

Suite *smc_suite(void);

static const char *const engines[] = { "interp", "jit,hot=0", "jit,hot=3",
                                       "jit,hot=0,ops=1,links=off,table=off", "jit,hot=0,cache=128" };

static struct rig *rig_engine(int engine)
{
    struct rig *r = rig_with("max", engines[engine]);
    rig_long(r, 0);
    return r;
}

static u64 large(u64 usual, u64 in_long_runs)
{
    return getenv("AEROPC_LONG") ? in_long_runs : usual;
}

/* Runs from `at` with EAX = 0 and ECX = n until HLT; in slices of `slice` instructions. */
static void run(struct rig *r, u64 at, u32 n, u64 slice)
{
    r->c->rip = at;
    r->c->r[RAX] = 0;
    r->c->r[RCX] = n;
    r->c->halted = false;
    cpu_event_clear(r->c, CE_HALT);
    while (!r->c->halted) {
        ck_assert_int_ne(cpu_run(r->c, slice), CPU_SHUTDOWN);
        ck_assert_int_eq(rig_fault(r), -1);
    }
}

/* Adds ECX to EAX 100 times over by an immediate that is written before each; checks the sum and
 * the instructions that it took. */
static void expect_sum(struct rig *r, u64 at, unsigned shift, u64 instructions)
{
    static const u64 slices[] = { 1000000, 7, 1 };
    for (unsigned k = 0; k < LEN(slices); k++) {
        u64 before = cpu_icount(r->c);
        run(r, at, 100, slices[k]);
        ck_assert_uint_eq(r->c->r[RAX], 5050u << shift);
        ck_assert_uint_eq(cpu_icount(r->c) - before, instructions);
    }
}

START_TEST(a_store_into_the_next_instruction_is_seen)
{
    struct rig *r = rig_engine(_i);
    rig_code(r, 0x4000, "\x89\x0d\x01\x00\x00\x00" /* mov [rip+1], ecx */
                        "\x05\x00\x00\x00\x00"     /* add eax, imm32 */
                        "\xff\xc9\x75\xf1\xf4", 16); /* dec ecx; jnz; hlt */
    expect_sum(r, 0x4000, 0, 401);
    rig_free(r);
}
END_TEST

START_TEST(a_store_into_an_instruction_before_is_seen)
{
    struct rig *r = rig_engine(_i);
    rig_code(r, 0x4000, "\x05\x64\x00\x00\x00"     /* add eax, imm32 */
                        "\xff\xc9"                 /* dec ecx */
                        "\x89\x0d\xf4\xff\xff\xff" /* mov [rip-12], ecx */
                        "\x75\xf1\xf4", 16);       /* jnz; hlt */
    static const u64 slices[] = { 1000000, 3 };
    for (unsigned k = 0; k < LEN(slices); k++) {
        rig_code(r, 0x4001, "\x64", 1);
        run(r, 0x4000, 100, slices[k]);
        ck_assert_uint_eq(r->c->r[RAX], 5050);
    }
    rig_free(r);
}
END_TEST

START_TEST(a_store_behind_a_followed_jump_is_seen)
{
    struct rig *r = rig_engine(_i);
    rig_code(r, 0x4000, "\x89\x0d\x13\x00\x00\x00\xeb\x10", 8); /* mov [target+1], ecx; jmp */
    memset(r->bytes + 0x4008, 0x0f, 16);
    rig_code(r, 0x4018, "\x05\x00\x00\x00\x00\xff\xc9\x75\xdf\xf4", 10);
    expect_sum(r, 0x4000, 0, 501);
    rig_free(r);
}
END_TEST

/* The immediate's first byte is the last of a page, the others are in the next. */
static void crossing(int engine, u32 written, unsigned shift)
{
    struct rig *r = rig_engine(engine);
    rig_code(r, 0x4ff7, "\x88\x0c\x25\x00\x00\x00\x00" /* mov [..], cl */
                        "\x05\x00\x00\x00\x00"         /* add eax, imm32 at 4FFEh */
                        "\xff\xc9\x75\xf0\xf4", 17);
    st32(r->bytes + 0x4ffa, written);
    expect_sum(r, 0x4ff7, shift, 401);
    rig_free(r);
}

START_TEST(a_store_into_either_page_of_a_crossing_instruction_is_seen)
{
    crossing(_i, 0x4fff, 0);
    crossing(_i, 0x5000, 8);
    crossing(_i, 0x5001, 16);
}
END_TEST

START_TEST(a_store_through_another_address_of_the_page_is_seen)
{
    struct rig *r = rig_engine(_i);
    st64(r->bytes + 0x12008, 0x87); /* 200000h maps to 0 as well */
    rig_code(r, 0x4000, "\x89\x0c\x25\x08\x40\x20\x00" /* mov [204008h], ecx */
                        "\x05\x00\x00\x00\x00"
                        "\xff\xc9\x75\xf0\xf4", 17);
    expect_sum(r, 0x4000, 0, 401);
    expect_sum(r, 0x204000, 0, 401);
    rig_free(r);
}
END_TEST

START_TEST(what_a_device_writes_into_code_is_seen)
{
    struct rig *r = rig_engine(_i);
    rig_code(r, 0x4000, "\x05\x01\x00\x00\x00\xff\xc9\x75\xf7\xf4", 10);
    for (u32 k = 1; k < 50; k++) {
        dma_write(&r->mem, 0x4001, &k, sizeof(k));
        run(r, 0x4000, 20, 33);
        ck_assert_uint_eq(r->c->r[RAX], 20 * k);
    }
    rig_free(r);
}
END_TEST

/* A function of six bytes, and a store of 1, 2, 4, 8 or 16 bytes around and over it. */
static void store_at(struct rig *r, u32 at, unsigned size, u32 function)
{
    static const char *const stores[] = { "\x88\x1f\x90", "\x66\x89\x1f", "\x89\x1f\x90",
                                          "\x48\x89\x1f", "\x0f\x11\x07" }; /* [rdi], rbx or xmm0 */
    unsigned kind = (unsigned)__builtin_ctz(size);
    u8 image[16];
    u32 constant = ld32(r->bytes + function + 1);
    rig_code(r, 0x4000, stores[kind], 3);
    memcpy(image, r->bytes + at, size);
    for (unsigned k = 0; k < size; k++) {
        if (at + k > function && at + k < function + 5) image[k] += (u8)(at + k - function);
    }
    memcpy(&r->c->r[RBX], image, 8);
    memcpy(r->c->v[0].b, image, 16);
    r->c->r[RDI] = at;
    run(r, 0x4000, 1, 1000);
    memcpy(&constant, r->bytes + function + 1, 4);
    ck_assert_mem_eq(r->bytes + at, image, size);
    ck_assert_msg((u32)r->c->r[RAX] == constant, "%u bytes at %x: %x, not %x", size, at,
                  (u32)r->c->r[RAX], constant);
}

START_TEST(stores_around_and_over_a_function_leave_what_they_write)
{
    static const u32 functions[] = { 0x6103, 0x6ffa, 0x6000 };
    struct rig *r = rig_engine(_i);
    r->c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    r->c->mxcsr = 0x1f80;
    cpu_update_mode(r->c);
    for (unsigned f = 0; f < LEN(functions); f++) {
        u32 function = functions[f];
        rig_code(r, 0x4003, "\xe8\x00\x00\x00\x00\xf4", 6); /* call; hlt */
        st32(r->bytes + 0x4004, function - 0x4008);
        rig_code(r, function, "\xb8\x10\x32\x54\x76\xc3", 6); /* mov eax, imm32; ret */
        for (unsigned size = 1; size <= 16; size *= 2)
            for (u32 at = function - 20; at < function + 12; at++) store_at(r, at, size, function);
    }
    rig_free(r);
}
END_TEST

START_TEST(data_beside_code_costs_no_code)
{
    struct rig *r = rig_engine(_i);
    /* add [4800h], ecx; push rcx; pop rdx; dec ecx; jnz: a counter and a stack on the code's page */
    rig_code(r, 0x4000, "\x01\x0c\x25\x00\x48\x00\x00\x51\x5a\xff\xc9\x75\xf3\xf4", 14);
    r->c->r[RSP] = 0x4c00;
    run(r, 0x4000, 100, 1000000);
    u64 dropped = r->c->icache->dropped, made = r->c->icache->made;
    run(r, 0x4000, 1000, 1000000);
    ck_assert_uint_eq(ld32(r->bytes + 0x4800), 500500 + 5050);
    ck_assert_uint_eq(r->c->icache->dropped, dropped);
    ck_assert_uint_le(r->c->icache->made, made + 1);
    ck_assert(r->ram.page_flags[4] & PAGE_DIRTY);
    rig_free(r);
}
END_TEST

/* Whatever is known about the bytes that are overwritten, even the instruction itself. */
START_TEST(a_repeated_store_over_code_counts_as_over_data)
{
    enum { PAGE = 0x100000, CODE = PAGE + 0xffb };
    struct rig *r = rig_engine(_i);
    u64 spent[2];
    for (unsigned known = 0; known < 2; known++) {
        for (u32 at = PAGE; at < CODE - 8; at += 16) {
            rig_code(r, at, "\xff\xc0\xc3", 3);
            rig_code(r, 0x4000, "\xff\xd3\xf4", 3); /* call rbx; hlt */
            r->c->r[RBX] = at;
            if (known) run(r, 0x4000, 0, 1000);
        }
        rig_code(r, CODE, "\x31\xc0\xf3\xaa\xf4", 5); /* xor eax, eax; rep stosb; hlt */
        r->c->r[RDI] = PAGE;
        u64 before = cpu_icount(r->c);
        run(r, CODE, CODE + 4 - PAGE, 1000000);
        spent[known] = cpu_icount(r->c) - before;
        ck_assert_uint_eq(r->c->r[RDI], CODE + 4);
        for (u32 at = PAGE; at < CODE + 4; at++) ck_assert_uint_eq(r->bytes[at], 0);
    }
    ck_assert_uint_eq(spent[0], spent[1]);
    rig_free(r);
}
END_TEST

/* ---- bounds ---- */

static u64 resident_kib(void)
{
    u64 size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(f);
    return resident * 4;
}

/* Constants, crossing instructions and loops are written and run again and again. */
START_TEST(invalidations_do_not_make_memory_grow)
{
    struct rig *r = rig_engine(_i);
    u32 times = (u32)large(20000, 10000000);
    /* 4FF2h: mov [4FF4h+imm], ecx; add eax, imm32; the same over the page's end; dec ecx; jnz */
    rig_code(r, 0x4fed, "\x89\x0d\x01\x00\x00\x00\x05\x00\x00\x00\x00"
                        "\x89\x0d\x01\x00\x00\x00\x05\x00\x00\x00\x00"
                        "\xff\xc9\x75\xe6\xf4", 27);
    run(r, 0x4fed, times / 10, 1000000);
    u64 before = resident_kib(), used = r->c->icache->arena_used, dropped = r->c->icache->dropped;
    run(r, 0x4fed, times, 1000000);
    ck_assert_uint_ge(r->c->icache->dropped - dropped, 2ull * times);
    ck_assert_uint_le(r->c->icache->arena_used, used + 64 * KIB);
    if (r->c->jit) {
        ck_assert_uint_gt(r->c->jit->made, 0);
        ck_assert_uint_le(r->c->jit->arena_used, r->c->jit->arena_size);
    }
    if (times > 1000000) ck_assert_uint_le(resident_kib(), before + 2 * KIB);
    rig_free(r);
}
END_TEST

/* More code than fits: a function in every 16 bytes of 14 MiB, each called. */
START_TEST(more_code_than_fits_is_run_in_the_same_memory)
{
    enum { FROM = 0x200000, TO = 0x1000000 };
    struct rig *r = rig_engine(_i);
    for (u32 at = FROM; at < TO; at += 16) memcpy(r->bytes + at, "\xff\xc0\xc3", 3);
    rig_code(r, 0x4000, "\xbb\x00\x00\x20\x00"     /* mov ebx, FROM */
                        "\xff\xd3\x83\xc3\x10"     /* call rbx; add ebx, 16 */
                        "\x81\xfb\x00\x00\x00\x01" /* cmp ebx, TO */
                        "\x72\xf3\xf4", 19);
    for (unsigned k = 0; k < large(1, 4); k++) {
        run(r, 0x4000, 0, 1000000);
        ck_assert_uint_eq(r->c->r[RAX], (TO - FROM) / 16);
    }
    ck_assert_uint_gt(r->c->icache->evictions + r->c->icache->flushed, 0);
    ck_assert_uint_eq(r->c->icache->full, false);
    rig_free(r);
}
END_TEST

Suite *smc_suite(void)
{
    Suite *s = suite_create("smc");
    TCase *t = tcase_create("written code");
    int n = (int)LEN(engines);
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, a_store_into_the_next_instruction_is_seen, 0, n);
    tcase_add_loop_test(t, a_store_into_an_instruction_before_is_seen, 0, n);
    tcase_add_loop_test(t, a_store_behind_a_followed_jump_is_seen, 0, n);
    tcase_add_loop_test(t, a_store_into_either_page_of_a_crossing_instruction_is_seen, 0, n);
    tcase_add_loop_test(t, a_store_through_another_address_of_the_page_is_seen, 0, n);
    tcase_add_loop_test(t, what_a_device_writes_into_code_is_seen, 0, n);
    tcase_add_loop_test(t, stores_around_and_over_a_function_leave_what_they_write, 0, n);
    tcase_add_loop_test(t, data_beside_code_costs_no_code, 0, n);
    tcase_add_loop_test(t, a_repeated_store_over_code_counts_as_over_data, 0, n);
    tcase_add_loop_test(t, invalidations_do_not_make_memory_grow, 0, n);
    tcase_add_loop_test(t, more_code_than_fits_is_run_in_the_same_memory, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
