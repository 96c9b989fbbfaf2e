/* What loading CR3 keeps and what it must not (space.c): every way to change a page table, accessed
 * and dirty bits, large and global pages, pages of code, flushes, many address spaces, PAE. */
#include "tests/unit/cpu_rig.h"

#include "cpu/mem.h"
#include "cpu/mmu.h"

/* Two address spaces of 4-level tables: PML4s at 10000h and 20000h, with tables of their own below.
 * Linear 600000h.. are 4 KiB pages of 300000h (first) and 500000h (second). */
enum { A = 0x10000, B = 0x20000, AT = 0x600000 };

static void make_space(struct rig *r, u64 root, u64 frames)
{
    st64(r->bytes + root, (root + 0x1000) | 7);
    st64(r->bytes + root + 0x1000, (root + 0x2000) | 7);
    for (unsigned k = 0; k < 8; k++) st64(r->bytes + root + 0x2000 + k * 8, k * 0x200000ull | 0x87);
    st64(r->bytes + root + 0x2018, (root + 0x4000) | 7);
    for (unsigned k = 0; k < 512; k++)
        st64(r->bytes + root + 0x4000 + k * 8, (frames + (k % 16) * 0x1000) | 7);
}

static u64 pte(struct rig *r, u64 root, unsigned page)
{
    return ld64(r->bytes + root + 0x4000 + page * 8);
}

static struct rig *two_spaces(void)
{
    struct rig *r = rig_new("win7");
    rig_long(r, 0);
    make_space(r, A, 0x300000);
    make_space(r, B, 0x500000);
    for (unsigned k = 0; k < 16; k++) {
        st32(r->bytes + 0x300000 + k * 0x1000, 0xa00 + k);
        st32(r->bytes + 0x500000 + k * 0x1000, 0xb00 + k);
    }
    tlb_flush_all(r->c);
    return r;
}

static u32 at(struct rig *r, unsigned page)
{
    u32 v = 0;
    ck_assert(lin_read_as(r->c, AT + page * 0x1000ull, &v, 4, false));
    return v;
}

static void put(struct rig *r, unsigned page, u32 v)
{
    ck_assert(lin_write_as(r->c, AT + page * 0x1000ull, &v, 4, false));
}

static const struct tlb_entry *slot(struct rig *r, unsigned page)
{
    return &r->c->tlb[0][tlb_index(AT + page * 0x1000ull)];
}

static bool known(struct rig *r, unsigned page)
{
    return slot(r, page)->tag_r == AT + page * 0x1000ull;
}

static bool writable(struct rig *r, unsigned page)
{
    return slot(r, page)->tag_w == AT + page * 0x1000ull;
}

/* The ways that come back to A: the same CR3 again, and another in between. */
static void again(struct rig *r, unsigned way)
{
    if (way) tlb_load_cr3(r->c, B);
    tlb_load_cr3(r->c, A);
}

START_TEST(address_spaces_come_back)
{
    struct rig *r = two_spaces();
    ck_assert_uint_eq(at(r, 1), 0xa01);
    put(r, 2, 7);
    tlb_load_cr3(r->c, B);
    ck_assert(!known(r, 1) && !known(r, 2));
    ck_assert_uint_eq(at(r, 1), 0xb01);
    tlb_load_cr3(r->c, A);
    ck_assert(known(r, 1) && known(r, 2) && writable(r, 2) && !writable(r, 1));
    ck_assert_uint_eq(at(r, 1), 0xa01);
    ck_assert_uint_eq(at(r, 2), 7);
    tlb_load_cr3(r->c, B);
    ck_assert(known(r, 1));
    ck_assert_uint_eq(at(r, 1), 0xb01);
    tlb_load_cr3(r->c, B);
    ck_assert(known(r, 1));
    ck_assert_uint_eq(at(r, 1), 0xb01);
    rig_free(r);
}
END_TEST

/* Who writes: 0 the program through its own mapping, 1 DMA, 2 memory from under it. Which entry:
 * the page's, or one of the three above. */
static void change(struct rig *r, unsigned who, u64 gpa, u64 v)
{
    if (who == 0)
        ck_assert(lin_write_as(r->c, gpa, &v, 8, false)); /* identity */
    else if (who == 1) dma_write(r->c->mem, gpa, &v, 8);
    else st64(r->bytes + gpa, v);
}

START_TEST(changed_entries_are_seen_after_the_load)
{
    static const u64 entry[4] = { A + 0x4000 + 5 * 8, A + 0x2018, A + 0x1000, A };
    for (unsigned k = 0; k < 4 * 3 * 2; k++) {
        struct rig *r = two_spaces();
        unsigned level = k % 4, who = k / 4 % 3, way = k / 12;
        /* a copy of the table below, with another page in the end */
        memcpy(r->bytes + 0x40000, r->bytes + A, 0x5000);
        st64(r->bytes + 0x44000 + 5 * 8, 0x308007);
        if (level >= 1) st64(r->bytes + 0x42018, 0x44007);
        if (level >= 2) st64(r->bytes + 0x41000, 0x42007);
        u64 v = level == 0 ? 0x308007 : level == 1 ? 0x44007 : level == 2 ? 0x42007 : 0x41007;
        ck_assert_uint_eq(at(r, 5), 0xa05);
        tlb_load_cr3(r->c, A);
        change(r, who, entry[level], v);
        again(r, way);
        ck_assert_msg(at(r, 5) == 0xa08, "level %u, written by %u, way %u", level, who, way);
        /* and not present */
        change(r, who, entry[level], 0);
        again(r, way);
        if (level == 0 || level == 1) {
            u32 x;
            ck_assert(!lin_read_as(r->c, AT + 0x5000, &x, 4, false));
            ck_assert_int_eq(rig_fault(r), EXC_PF);
        }
        rig_free(r);
    }
}
END_TEST

/* Entries that change while their address space is away. */
START_TEST(changed_entries_of_another_space)
{
    for (unsigned who = 0; who < 3; who++) {
        struct rig *r = two_spaces();
        ck_assert_uint_eq(at(r, 5), 0xa05);
        tlb_load_cr3(r->c, B);
        change(r, who, A + 0x4000 + 5 * 8, 0x309007);
        ck_assert_uint_eq(at(r, 5), 0xb05);
        tlb_load_cr3(r->c, A);
        ck_assert(!known(r, 5));
        ck_assert_uint_eq(at(r, 5), 0xa09);
        rig_free(r);
    }
}
END_TEST

START_TEST(rights_that_went)
{
    for (unsigned way = 0; way < 2; way++) {
        struct rig *r = two_spaces();
        u32 v = 1;
        put(r, 5, 1);
        ck_assert(lin_read_as(r->c, AT + 0x6000, &v, 4, true));
        st64(r->bytes + A + 0x4000 + 5 * 8, 0x305065); /* read-only */
        st64(r->bytes + A + 0x4000 + 6 * 8, 0x306023); /* supervisor */
        again(r, way);
        ck_assert(!lin_write_as(r->c, AT + 0x5000, &v, 4, false));
        ck_assert_int_eq(rig_fault(r), EXC_PF);
        ck_assert(!lin_read_as(r->c, AT + 0x6000, &v, 4, true));
        ck_assert_int_eq(rig_fault(r), EXC_PF);
        st64(r->bytes + A + 0x2018, (A + 0x4000) | 5); /* the same for all, from above */
        put(r, 7, 1);
        again(r, way);
        ck_assert(!lin_write_as(r->c, AT + 0x7000, &v, 4, false));
        ck_assert_int_eq(rig_fault(r), EXC_PF);
        rig_free(r);
    }
}
END_TEST

START_TEST(accessed_and_dirty_bits_are_set_again)
{
    for (unsigned way = 0; way < 2; way++) {
        struct rig *r = two_spaces();
        at(r, 5);
        put(r, 6, 1);
        ck_assert_uint_eq(pte(r, A, 5), 0x305027);
        ck_assert_uint_eq(pte(r, A, 6), 0x306067);
        st64(r->bytes + A + 0x4000 + 5 * 8, 0x305007);
        st64(r->bytes + A + 0x4000 + 6 * 8, 0x306007);
        again(r, way);
        at(r, 5);
        ck_assert_uint_eq(pte(r, A, 5), 0x305027);
        at(r, 6);
        ck_assert_uint_eq(pte(r, A, 6), 0x306027);
        put(r, 6, 2);
        ck_assert_uint_eq(pte(r, A, 6), 0x306067);
        st64(r->bytes + A + 0x4000 + 6 * 8, 0x306027); /* D alone */
        again(r, way);
        put(r, 6, 3);
        ck_assert_uint_eq(pte(r, A, 6), 0x306067);
        /* A of the levels above */
        for (unsigned level = 0; level < 3; level++) {
            u64 where = level == 0 ? A + 0x2018 : level == 1 ? A + 0x1000 : A;
            u64 was = ld64(r->bytes + where);
            ck_assert_uint_eq(was & 0x20, 0x20);
            st64(r->bytes + where, was & ~0x20ull);
            again(r, way);
            at(r, 5);
            ck_assert_uint_eq(ld64(r->bytes + where), was);
        }
        rig_free(r);
    }
}
END_TEST

/* A read after D was cleared without a flush must not bring the old right to write back. */
START_TEST(clean_pages_are_not_written_by_an_old_entry)
{
    for (unsigned way = 0; way < 2; way++) {
        struct rig *r = two_spaces();
        put(r, 6, 1);
        st64(r->bytes + A + 0x4000 + 6 * 8, 0x306027);
        struct tlb_entry *e = &r->c->tlb[0][tlb_index(AT + 0x6000)];
        e->tag_r |= TLB_SLOW; /* so that the read walks */
        e->tag_r = TLB_INVALID;
        at(r, 6);
        again(r, way);
        put(r, 6, 2);
        ck_assert_uint_eq(pte(r, A, 6), 0x306067);
        rig_free(r);
    }
}
END_TEST

START_TEST(large_pages_come_back_and_go)
{
    for (unsigned way = 0; way < 2; way++) {
        struct rig *r = two_spaces();
        u32 v = 0x55;
        u64 where = A + 0x2000 + 4 * 8; /* linear 800000h */
        st32(r->bytes + 0x805000, 0x111);
        ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
        again(r, way);
        ck_assert_uint_eq(r->c->tlb[0][tlb_index(0x805000)].tag_r, 0x805000);
        v = 1;
        ck_assert(lin_write_as(r->c, 0x806000, &v, 4, false));
        ck_assert_uint_eq(ld64(r->bytes + where) & 0x60, 0x60);
        st64(r->bytes + where, ld64(r->bytes + where) & ~0x60ull);
        again(r, way);
        ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
        ck_assert_uint_eq(ld64(r->bytes + where) & 0x60, 0x20);
        ck_assert(lin_write_as(r->c, 0x806000, &v, 4, false));
        ck_assert_uint_eq(ld64(r->bytes + where) & 0x60, 0x60);
        st64(r->bytes + where, 0x200087); /* another */
        st32(r->bytes + 0x205000, 0x222);
        again(r, way);
        ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
        ck_assert_uint_eq(v, 0x222);
        st64(r->bytes + where, (A + 0x4000) | 7); /* a table */
        again(r, way);
        ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
        ck_assert_uint_eq(v, 0xa05);
        tlb_flush_page(r->c, 0x805000);
        rig_free(r);
    }
}
END_TEST

START_TEST(global_pages_and_what_drops_them)
{
    struct rig *r = two_spaces();
    st64(r->bytes + A + 0x4000 + 3 * 8, 0x303107);
    st64(r->bytes + B + 0x4000 + 3 * 8, 0x303107);
    ck_assert_uint_eq(at(r, 3), 0xa03);
    st64(r->bytes + A + 0x4000 + 3 * 8, 0x307107);
    st64(r->bytes + B + 0x4000 + 3 * 8, 0x307107);
    tlb_load_cr3(r->c, B);
    ck_assert_uint_eq(at(r, 3), 0xa03); /* kept */
    tlb_flush_page(r->c, AT + 0x3000);
    ck_assert_uint_eq(at(r, 3), 0xa07); /* INVLPG drops global ones, for every address space */
    tlb_load_cr3(r->c, A);
    ck_assert_uint_eq(at(r, 3), 0xa07);
    st64(r->bytes + A + 0x4000 + 3 * 8, 0x308107);
    r->c->cr4 &= ~(u64)CR4_PGE;
    tlb_flush_all(r->c); /* as CR4.PGE does */
    ck_assert_uint_eq(at(r, 3), 0xa08);
    st64(r->bytes + A + 0x4000 + 3 * 8, 0x309107); /* not global now */
    tlb_load_cr3(r->c, A);
    ck_assert_uint_eq(at(r, 3), 0xa09);
    rig_free(r);
}
END_TEST

/* A global large page seen with one CR3, INVLPG with another. */
START_TEST(invlpg_drops_large_global_pages_of_every_space)
{
    struct rig *r = two_spaces();
    u32 v;
    u64 g = 0x800187;
    st64(r->bytes + A + 0x2020, g);
    st64(r->bytes + B + 0x2020, g);
    st32(r->bytes + 0x805000, 1);
    st32(r->bytes + 0x205000, 2);
    ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
    st64(r->bytes + A + 0x2020, 0x2001e7);
    st64(r->bytes + B + 0x2020, 0x2001e7);
    tlb_load_cr3(r->c, B);
    tlb_flush_page(r->c, 0x812000);
    tlb_load_cr3(r->c, A);
    ck_assert(lin_read_as(r->c, 0x805000, &v, 4, false));
    ck_assert_uint_eq(v, 2);
    rig_free(r);
}
END_TEST

START_TEST(full_flushes_forget_other_spaces)
{
    struct rig *r = two_spaces();
    at(r, 5);
    tlb_load_cr3(r->c, B);
    tlb_flush_all(r->c);
    tlb_load_cr3(r->c, A);
    ck_assert(!known(r, 5));
    at(r, 5);
    tlb_flush_nonglobal(r->c);
    ck_assert(!known(r, 5));
    put(r, 5, 1); /* without CR0.WP it may be written, and not any more with it */
    st64(r->bytes + A + 0x4000 + 5 * 8, 0x305005);
    r->c->cr0 &= ~(u64)CR0_WP;
    tlb_flush_all(r->c);
    put(r, 5, 1);
    tlb_load_cr3(r->c, B);
    r->c->cr0 |= CR0_WP;
    tlb_flush_all(r->c); /* as MOV to CR0 does */
    tlb_load_cr3(r->c, A);
    u32 v = 1;
    ck_assert(!lin_write_as(r->c, AT + 0x5000, &v, 4, false));
    ck_assert_int_eq(rig_fault(r), EXC_PF);
    rig_free(r);
}
END_TEST

START_TEST(invlpg_leaves_other_spaces_alone)
{
    struct rig *r = two_spaces();
    at(r, 5);
    at(r, 6);
    tlb_load_cr3(r->c, B);
    at(r, 5);
    tlb_flush_page(r->c, AT + 0x5000);
    ck_assert(!known(r, 5));
    tlb_load_cr3(r->c, A);
    ck_assert(known(r, 5) && known(r, 6));
    tlb_flush_page(r->c, AT + 0x5000);
    ck_assert(!known(r, 5) && known(r, 6));
    again(r, 0);
    ck_assert(!known(r, 5) && known(r, 6));
    ck_assert_uint_eq(at(r, 5), 0xa05);
    rig_free(r);
}
END_TEST

/* INVLPG of any page lets walks of all pages see what is above their tables now. */
START_TEST(invlpg_makes_walks_look_above)
{
    static const u64 entry[3] = { A + 0x2018, A + 0x1000, A };
    for (unsigned k = 0; k < 3 * 2 * 2; k++) {
        struct rig *r = two_spaces();
        unsigned level = k % 3;
        u64 flushed = k / 3 % 2 ? AT + 0x7000 : 0x200000;
        memcpy(r->bytes + 0x40000, r->bytes + A, 0x5000);
        st64(r->bytes + 0x44000 + 5 * 8, 0x308007);
        st64(r->bytes + 0x42018, 0x44007);
        st64(r->bytes + 0x41000, 0x42007);
        ck_assert_uint_eq(at(r, 6), 0xa06); /* the walk that is remembered */
        tlb_flush_page(r->c, flushed);
        ck_assert_uint_eq(at(r, 4), 0xa04); /* nothing has changed */
        if (k / 6) {                        /* another table, or one that may not be written */
            st64(r->bytes + entry[level], ld64(r->bytes + entry[level]) & ~2ull);
            tlb_flush_page(r->c, flushed);
            u32 v = 1;
            ck_assert_uint_eq(at(r, 5), 0xa05);
            ck_assert(!lin_write_as(r->c, AT + 0x5000, &v, 4, true));
            ck_assert_int_eq(rig_fault(r), EXC_PF);
        } else {
            st64(r->bytes + entry[level], (level == 0 ? 0x44007 : level == 1 ? 0x42007 : 0x41007));
            tlb_flush_page(r->c, flushed);
            ck_assert_uint_eq(at(r, 5), 0xa08);
            ck_assert_uint_eq(ld64(r->bytes + entry[level]) & 0x20, 0x20);
        }
        rig_free(r);
    }
}
END_TEST

/* What was remembered for a CR3 is no other's, even where the entries above are as they were, and
 * is not looked at once addresses mean other memory. */
START_TEST(remembered_walks_belong_to_their_cr3)
{
    struct rig *r = two_spaces();
    for (u64 k = 0; k < 20; k++) make_space(r, 0x60000 + k * 0x8000, k & 1 ? 0x300000 : 0x500000);
    for (u64 k = 0; k < 40; k++) {
        tlb_load_cr3(r->c, 0x60000 + k % 20 * 0x8000);
        tlb_flush_page(r->c, 0x200000);
        ck_assert_uint_eq(at(r, 5), k & 1 ? 0xa05 : 0xb05);
    }
    rig_free(r);

    r = two_spaces();
    make_space(r, 0x110000, 0x500000); /* at A without address line 20 */
    tlb_load_cr3(r->c, 0x110000);
    ck_assert_uint_eq(at(r, 4), 0xb04);
    st64(r->bytes + A + 0x2018, 0x44007);
    for (unsigned k = 0; k < 512; k++) st64(r->bytes + 0x44000 + k * 8, 0x200007);
    st32(r->bytes + 0x200000, 3);
    cpu_set_a20(r->c, false);
    ck_assert_uint_eq(at(r, 4), 3);
    rig_free(r);
}
END_TEST

/* A page that came to hold decoded code while its space was away must not be written unseen. */
START_TEST(pages_that_hold_code_now)
{
    struct rig *r = two_spaces();
    put(r, 5, 0x90909090);
    ck_assert(writable(r, 5));
    tlb_load_cr3(r->c, B);
    rig_code(r, 0x305000, (const u8[]){ 0x90, 0x90, 0xf4 }, 3);
    r->c->rip = 0x305000;
    cpu_run(r->c, 3);
    tlb_load_cr3(r->c, A);
    ck_assert(!writable(r, 5));
    rig_free(r);
}
END_TEST

START_TEST(code_pages_come_back_and_go)
{
    struct rig *r = two_spaces();
    const struct xtlb_entry *x = mmu_code_page(r->c, AT + 0x5000);
    ck_assert(x && x->host == r->bytes + 0x305000);
    for (unsigned way = 0; way < 2; way++) {
        again(r, way);
        x = mmu_code_page(r->c, AT + 0x5000);
        ck_assert(x && x->host == r->bytes + (way ? 0x307000 : 0x305000));
        st64(r->bytes + A + 0x4000 + 5 * 8, way ? 0x308007 : 0x307007);
        again(r, way);
        x = mmu_code_page(r->c, AT + 0x5000);
        ck_assert(x && x->host == r->bytes + (way ? 0x308000 : 0x307000));
    }
    st64(r->bytes + A + 0x4000 + 5 * 8, 0x308007 | BIT64(63));
    again(r, 1);
    ck_assert(mmu_code_page(r->c, AT + 0x5000) == NULL);
    ck_assert_int_eq(rig_fault(r), EXC_PF);
    rig_free(r);
}
END_TEST

/* More spaces and more pages than are kept, at random, against the tables. */
START_TEST(many_spaces_against_the_tables)
{
    struct rig *r = two_spaces();
    u64 seed = 1, roots = 12;
    for (u64 k = 0; k < roots; k++) make_space(r, 0x60000 + k * 0x8000, 0x300000);
    for (unsigned n = 0; n < 200000; n++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        unsigned what = seed >> 60, page = seed >> 40 & 255;
        u64 root = 0x60000 + (seed >> 32 & 255) % roots * 0x8000;
        u64 entry = root + 0x4000 + page * 8;
        if (what < 4) {
            tlb_load_cr3(r->c, root);
        } else if (what == 4) {
            st64(r->bytes + entry, (0x300000 + (seed >> 20 & 15) * 0x1000) | 7);
            if (root == r->c->cr3) tlb_flush_page(r->c, AT + page * 0x1000ull);
        } else if (what == 5) {
            st64(r->bytes + root + 0x2018,
                 (0x60000 + (seed >> 20 & 255) % roots * 0x8000 + 0x4000) | 7);
            /* tables are shared now */
            if (seed >> 28 & 1) tlb_load_cr3(r->c, r->c->cr3);
            else for (unsigned k = 0; k < 256; k++) tlb_flush_page(r->c, AT + k * 0x1000ull);
        } else {
            u64 table = ld64(r->bytes + r->c->cr3 + 0x2018) & ~0xfffull;
            if (r->c->cr3 < 0x60000) continue;
            if (what & 1)
                put(r, page, ld32(r->bytes + (ld64(r->bytes + table + page * 8) & 0xfff000)));
            u64 e = ld64(r->bytes + table + page * 8);
            if (known(r, page)) {
                ck_assert_ptr_eq((u8 *)(uintptr_t)(AT + page * 0x1000ull + slot(r, page)->off),
                                 r->bytes + (e & 0xfff000));
                ck_assert_uint_eq(e & 0x20, 0x20);
            }
            if (writable(r, page)) ck_assert_uint_eq(e & 0x40, 0x40);
            ck_assert_uint_eq(at(r, page), ld32(r->bytes + (e & 0xfff000)));
        }
    }
    rig_free(r);
}
END_TEST

START_TEST(pae_pointers_are_compared)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    for (unsigned k = 0; k < 2; k++) {
        u64 at = 0x10000 + k * 0x10000;
        st64(r->bytes + at, (at + 0x1000) | 1);
        st64(r->bytes + at + 0x1000, (at + 0x2000) | 7);
        for (unsigned i = 0; i < 512; i++)
            st64(r->bytes + at + 0x2000 + i * 8, (0x300000 + k * 0x200000) | (i & 15) << 12 | 7);
    }
    st32(r->bytes + 0x301000, 77);
    st32(r->bytes + 0x501000, 88);
    r->c->cr4 |= CR4_PAE;
    r->c->cr3 = 0x10000;
    ck_assert(mmu_load_pdptes(r->c, 0x10000));
    r->c->cr0 |= CR0_PG;
    tlb_flush_all(r->c);
    ck_assert(lin_read_as(r->c, 0x1000, &v, 4, false) && v == 77);
    st64(r->bytes + 0x10000, 0x21001);
    ck_assert(mmu_load_pdptes(r->c, 0x10000)); /* as MOV to CR3 does */
    tlb_load_cr3(r->c, 0x10000);
    ck_assert(lin_read_as(r->c, 0x1000, &v, 4, false));
    ck_assert_uint_eq(v, 88);
    ck_assert(mmu_load_pdptes(r->c, 0x20000));
    tlb_load_cr3(r->c, 0x20000);
    st64(r->bytes + 0x10000, 0x11001);
    ck_assert(mmu_load_pdptes(r->c, 0x10000));
    tlb_load_cr3(r->c, 0x10000);
    ck_assert(lin_read_as(r->c, 0x1000, &v, 4, false));
    ck_assert_uint_eq(v, 77);
    rig_free(r);
}
END_TEST

START_TEST(two_level_tables_come_back)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    for (unsigned k = 0; k < 2; k++) {
        u64 at = 0x10000 + k * 0x10000;
        st32(r->bytes + at, (u32)(at + 0x1007));
        st32(r->bytes + at + 4, 0x87);
        for (unsigned i = 0; i < 1024; i++)
            st32(r->bytes + at + 0x1000 + i * 4,
                 (u32)((0x300000 + k * 0x200000) | (i & 15) << 12 | 7));
    }
    st32(r->bytes + 0x301000, 77);
    st32(r->bytes + 0x501000, 88);
    r->c->cr4 |= CR4_PSE;
    r->c->cr3 = 0x10000;
    r->c->cr0 |= CR0_PG;
    tlb_flush_all(r->c);
    for (unsigned n = 0; n < 4; n++) {
        ck_assert(lin_read_as(r->c, 0x1000, &v, 4, false));
        ck_assert_uint_eq(v, n & 1 ? 88 : 77);
        ck_assert(lin_read_as(r->c, 0x601000, &v, 4, false)); /* 4 MiB page at 400000h */
        ck_assert_uint_eq(v, 0);
        tlb_load_cr3(r->c, n & 1 ? 0x10000 : 0x20000);
        if (n >= 1) ck_assert_uint_eq(r->c->tlb[0][1].tag_r, 0x1000);
    }
    st32(r->bytes + 0x11004, 0x302007);
    st32(r->bytes + 0x302000, 99);
    tlb_load_cr3(r->c, 0x10000);
    ck_assert(lin_read_as(r->c, 0x1000, &v, 4, false));
    ck_assert_uint_eq(v, 99);
    st32(r->bytes + 0x10004, 0x400087);
    tlb_load_cr3(r->c, 0x10000);
    ck_assert(lin_write_as(r->c, 0x601000, &v, 4, false));
    ck_assert_uint_eq(ld32(r->bytes + 0x601000), 99);
    ck_assert_uint_eq(ld32(r->bytes + 0x10004), 0x4000e7);
    rig_free(r);
}
END_TEST

Suite *space_suite(void);
Suite *space_suite(void)
{
    Suite *s = suite_create("space");
    TCase *t = tcase_create("space");
    tcase_add_test(t, address_spaces_come_back);
    tcase_add_test(t, changed_entries_are_seen_after_the_load);
    tcase_add_test(t, changed_entries_of_another_space);
    tcase_add_test(t, rights_that_went);
    tcase_add_test(t, accessed_and_dirty_bits_are_set_again);
    tcase_add_test(t, clean_pages_are_not_written_by_an_old_entry);
    tcase_add_test(t, large_pages_come_back_and_go);
    tcase_add_test(t, global_pages_and_what_drops_them);
    tcase_add_test(t, invlpg_drops_large_global_pages_of_every_space);
    tcase_add_test(t, full_flushes_forget_other_spaces);
    tcase_add_test(t, invlpg_leaves_other_spaces_alone);
    tcase_add_test(t, invlpg_makes_walks_look_above);
    tcase_add_test(t, remembered_walks_belong_to_their_cr3);
    tcase_add_test(t, pages_that_hold_code_now);
    tcase_add_test(t, code_pages_come_back_and_go);
    tcase_add_test(t, many_spaces_against_the_tables);
    tcase_add_test(t, pae_pointers_are_compared);
    tcase_add_test(t, two_level_tables_come_back);
    suite_add_tcase(s, t);
    return s;
}
