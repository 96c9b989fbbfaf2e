/* SMAP: user pages are the supervisor's while AC is set and only then, however the TLB got to know
 * them; string instructions run at full length over them; special pages stay special. */
#include "tests/unit/cpu_rig.h"

#include "cpu/icache.h"
#include "cpu/mem.h"
#include "cpu/mmu.h"

/* Small pages at linear 600000h to 7fffffh are user pages with memory from 300000h on (page table at
 * 14000h), the 2 MiB below supervisor pages; code is at 4000h. */
enum { CODE = 0x4000, USER = 0x600000, BEHIND = 0x300000, AREA = 0x80000 };

static struct rig *smap_rig(void)
{
    struct rig *r = rig_new("max");
    rig_long(r, 0);
    st64(r->bytes + 0x12000, 0x83);
    for (unsigned i = 0; i < 512; i++) st64(r->bytes + 0x14000 + i * 8, BEHIND | i << 12 | 7);
    st64(r->bytes + 0x12018, 0x14007);
    r->c->cr4 |= CR4_SMAP;
    tlb_flush_all(r->c);
    return r;
}

static bool reads(struct rig *r, u64 gla)
{
    u32 v;
    r->c->events &= ~(u32)CE_FAULT;
    return ld32_seg(r->c, SEG_DS, gla, &v);
}

static bool writes(struct rig *r, u64 gla)
{
    r->c->events &= ~(u32)CE_FAULT;
    return st32_seg(r->c, SEG_DS, gla, 1);
}

static u64 run_at(struct rig *r, u64 rip)
{
    u64 before = cpu_icount(r->c);
    r->c->halted = false;
    cpu_event_clear(r->c, CE_HALT | CE_FAULT);
    r->c->rip = rip;
    ck_assert_int_eq(cpu_run(r->c, 1000000), CPU_HALTED);
    return cpu_icount(r->c) - before;
}

static u64 run(struct rig *r, const char *code, size_t n)
{
    rig_code(r, CODE, code, n);
    return run_at(r, CODE);
}

START_TEST(pages_open_and_close_with_ac)
{
    struct rig *r = smap_rig();
    struct cpu *c = r->c;
    const struct tlb_entry *e = &c->tlb[0][tlb_index(USER)];
    ck_assert(!reads(r, USER));
    for (unsigned k = 0; k < 3; k++) {
        run(r, "\x0f\x01\xcb\xf4", 4); /* STAC */
        ck_assert(reads(r, USER) && writes(r, USER + 4));
        ck_assert(e->tag_r == USER && e->tag_w == USER); /* fast from now on */
        run(r, "\x0f\x01\xca\xf4", 4); /* CLAC */
        ck_assert(e->tag_r != USER && e->tag_w != USER);
        ck_assert(!reads(r, USER));
        ck_assert_uint_eq(c->fault_error, 1);
        ck_assert(!writes(r, USER));
        ck_assert_uint_eq(c->fault_error, 3);
    }
    ck_assert_uint_eq(ld32(r->bytes + BEHIND + 4), 1);
    rig_free(r);
}
END_TEST

/* AC goes with whatever loads RFLAGS. */
START_TEST(every_way_to_clear_ac_closes)
{
    static const struct { const char *code; size_t n; } ways[] = {
        { "\x6a\x02\x9d\xf4", 4 }, /* POPFQ */
        { "\x6a\x10\x68\x00\x70\x00\x00\x6a\x02\x6a\x18\x68\x13\x40\x00\x00\x48\xcf\xf4\xf4", 20 },
    };
    for (unsigned k = 0; k < LEN(ways); k++) {
        struct rig *r = smap_rig();
        r->c->rflags |= FL_AC;
        ck_assert(reads(r, USER) && writes(r, USER));
        run(r, ways[k].code, ways[k].n);
        ck_assert(!(r->c->rflags & FL_AC));
        ck_assert_int_eq(r->request, -1);
        ck_assert(!reads(r, USER) && !writes(r, USER));
        rig_free(r);
    }
}
END_TEST

START_TEST(implicit_accesses_ignore_open_pages)
{
    struct rig *r = smap_rig();
    u64 v = 0;
    r->c->rflags |= FL_AC;
    ck_assert(reads(r, USER) && writes(r, USER));
    ck_assert(!lin_read(r->c, USER, &v, 8));
    ck_assert_uint_eq(r->c->fault_error, 1);
    ck_assert(!lin_write(r->c, USER, &v, 8));
    ck_assert(!lin_probe_write(r->c, USER, 8));
    ck_assert(lin_read(r->c, AREA, &v, 8));
    ck_assert(lin_read_as(r->c, USER, &v, 8, false));
    rig_free(r);
}
END_TEST

/* More pages than are remembered as open: those that were closed early open again. */
START_TEST(many_pages)
{
    struct rig *r = smap_rig();
    r->c->rflags |= FL_AC;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned k = 0; k < 200; k++) ck_assert(writes(r, USER + k * 0x1000));
        for (unsigned k = 1; k < 200; k++) /* over page ends, both sides */
            ck_assert(writes(r, USER + k * 0x1000 - 2) && reads(r, USER + k * 0x1000 - 2));
    }
    r->c->rflags &= ~(u64)FL_AC;
    smap_close(r->c);
    for (unsigned k = 0; k < 200; k++)
        ck_assert(!reads(r, USER + k * 0x1000) && !writes(r, USER + k * 0x1000));
    rig_free(r);
}
END_TEST

/* One slot, several pages: a supervisor page is not closed, a user page is known by its own rights. */
START_TEST(slots_change_hands)
{
    struct rig *r = smap_rig();
    u64 other = USER - (u64)TLB_ENTRIES * 0x1000; /* 200000h: a supervisor page from here on */
    st64(r->bytes + 0x12008, 0x200083);
    tlb_flush_all(r->c);
    r->c->rflags |= FL_AC;
    ck_assert(writes(r, USER) && writes(r, other));
    r->c->rflags &= ~(u64)FL_AC;
    smap_close(r->c);
    ck_assert_uint_eq(r->c->tlb[0][tlb_index(other)].tag_w, other);
    ck_assert(writes(r, other) && !writes(r, USER) && writes(r, other));
    st64(r->bytes + 0x14000, BEHIND | 5); /* read-only */
    tlb_flush_page(r->c, USER);
    r->c->rflags |= FL_AC;
    ck_assert(reads(r, USER) && !writes(r, USER));
    r->c->rflags &= ~(u64)FL_AC;
    smap_close(r->c);
    r->c->rflags |= FL_AC;
    ck_assert(reads(r, USER) && !writes(r, USER));
    ck_assert_uint_eq(r->c->fault_error, 3);
    rig_free(r);
}
END_TEST

/* Decoded code in a user page: stores over it are seen, whether it was decoded while the page was
 * open, closed or unknown. */
START_TEST(code_in_user_pages_is_watched)
{
    struct rig *r = smap_rig();
    struct cpu *c = r->c;
    const u8 *host = r->bytes + BEHIND;
    for (unsigned k = 0; k < 3; k++) {
        tlb_flush_all(c);
        c->rflags |= FL_AC;
        if (k > 0) ck_assert(writes(r, USER + 0x800));
        if (k > 1) {
            c->rflags &= ~(u64)FL_AC;
            smap_close(c);
        }
        rig_code(r, BEHIND, "\xb8\x01\x00\x00\x00\xf4", 6); /* MOV EAX, 1 */
        run_at(r, USER);
        ck_assert_uint_eq(c->r[RAX], 1);
        ck_assert(icache_watches(c, host));
        c->rflags |= FL_AC;
        ck_assert(c->tlb[0][tlb_index(USER)].tag_w != USER);
        ck_assert(writes(r, USER + 0x800) && writes(r, USER + 0x900)); /* beside the code */
        ck_assert(st32_seg(c, SEG_DS, USER + 1, 2));
        run_at(r, USER);
        ck_assert_uint_eq(c->r[RAX], 2);
        c->rflags &= ~(u64)FL_AC;
        smap_close(c);
        ck_assert(!writes(r, USER + 0x800) && !writes(r, USER));
    }
    rig_free(r);
}
END_TEST

START_TEST(breakpoints_in_user_pages_are_seen)
{
    struct rig *r = smap_rig();
    struct cpu *c = r->c;
    c->rflags |= FL_AC;
    ck_assert(writes(r, USER + 8));
    c->dr[0] = USER + 0x104;
    c->dr[7] = 0x400 | 1 | 1 << 16 | 3 << 18; /* write, 4 bytes */
    cpu_dr7_changed(c);
    ck_assert(writes(r, USER + 8) && writes(r, USER + 12));
    ck_assert_uint_eq(c->pending_dr6, 0);
    ck_assert(writes(r, USER + 0x104));
    ck_assert_uint_eq(c->pending_dr6, 1);
    rig_free(r);
}
END_TEST

/* STAC; REP MOVSB; CLAC; HLT from AREA + 123h to the user's pages: counts are those of any copy, and
 * nothing takes the slow path but each page's first byte. */
#define COPY "\x0f\x01\xcb\xf3\xa4\x0f\x01\xca\xf4"
START_TEST(copies_run)
{
    struct rig *r = smap_rig();
    struct cpu *c = r->c;
    for (unsigned k = 0; k < 0x10000; k++) r->bytes[AREA + k] = (u8)(k * 7 + (k >> 8));
    for (unsigned to = 0; to < 2; to++) {
        c->r[RCX] = 50003;
        c->r[RSI] = to ? USER + 0xffd : AREA + 0x123;
        c->r[RDI] = to ? AREA + 0x20000 : USER + 0xffd;
        ck_assert_uint_eq(run(r, COPY, sizeof(COPY) - 1), 4 + 50003 / 16);
        ck_assert_uint_eq(c->r[RCX], 0);
    }
    ck_assert(!memcmp(r->bytes + BEHIND + 0xffd, r->bytes + AREA + 0x123, 50003));
    ck_assert(!memcmp(r->bytes + AREA + 0x20000, r->bytes + AREA + 0x123, 50003));
    ck_assert(!(c->rflags & FL_AC));
    ck_assert(!reads(r, USER + 0x2000));
    rig_free(r);
}
END_TEST

/* The third user page is missing, or is the supervisor's own business without AC. */
START_TEST(copies_stop_at_a_fault)
{
    struct rig *r = smap_rig();
    struct cpu *c = r->c;
    rig_gate64(r, EXC_PF, 0x18, 0x7000, 0x8e, 0);
    r->bytes[0x7000] = 0xf4;
    for (unsigned way = 0; way < 2; way++) {
        st64(r->bytes + 0x14010, way ? BEHIND | 0x2005 : 0);
        tlb_flush_page(c, USER + 0x2000);
        memset(r->bytes + BEHIND, 0, 0x4000);
        memset(r->bytes + AREA, 0x5a, 0x4000);
        c->r[RCX] = 0x3000;
        c->r[RSI] = AREA;
        c->r[RDI] = USER + 0x10;
        run(r, COPY, sizeof(COPY) - 1);
        ck_assert_uint_eq(c->cr2, USER + 0x2000);
        ck_assert_uint_eq(c->r[RDI], USER + 0x2000);
        ck_assert_uint_eq(c->r[RSI], AREA + 0x1ff0);
        ck_assert_uint_eq(c->r[RCX], 0x3000 - 0x1ff0);
        ck_assert_uint_eq(ld64(r->bytes + c->r[RSP]), way ? 3 : 2);
        ck_assert_uint_eq(ld64(r->bytes + c->r[RSP] + 8), CODE + 3);
        ck_assert_uint_eq(r->bytes[BEHIND + 0x1fff], 0x5a);
        ck_assert_uint_eq(r->bytes[BEHIND + 0x2000], 0);
    }
    c->r[RDI] = USER;
    c->rflags &= ~(u64)FL_AC;
    smap_close(c);
    run(r, "\xf3\xa4\xf4", 3); /* no STAC */
    ck_assert_uint_eq(c->cr2, USER);
    ck_assert_uint_eq(ld64(r->bytes + c->r[RSP]), 3);
    ck_assert_uint_eq(c->r[RDI], USER);
    rig_free(r);
}
END_TEST

Suite *smap_suite(void);
Suite *smap_suite(void)
{
    Suite *s = suite_create("smap");
    TCase *t = tcase_create("all");
    tcase_add_test(t, pages_open_and_close_with_ac);
    tcase_add_test(t, every_way_to_clear_ac_closes);
    tcase_add_test(t, implicit_accesses_ignore_open_pages);
    tcase_add_test(t, many_pages);
    tcase_add_test(t, slots_change_hands);
    tcase_add_test(t, code_in_user_pages_is_watched);
    tcase_add_test(t, breakpoints_in_user_pages_are_seen);
    tcase_add_test(t, copies_run);
    tcase_add_test(t, copies_stop_at_a_fault);
    suite_add_tcase(s, t);
    return s;
}
