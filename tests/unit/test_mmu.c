/* Page walks and memory access: every paging form, rights, error codes, A/D bits, TLB rules, page
 * crossing, A20. */
#include "tests/unit/cpu_rig.h"

#include "cpu/mmu.h"

/* 2-level tables: directory at 10000h, one table at 11000h for linear 0-4 MiB. */
static void legacy_paging(struct rig *r)
{
    st32(r->bytes + 0x10000, 0x11007);
    for (unsigned i = 0; i < 1024; i++) st32(r->bytes + 0x11000 + i * 4, i << 12 | 7);
    r->c->cr3 = 0x10000;
    r->c->cr0 |= CR0_PG;
    tlb_flush_all(r->c);
}

static void set_pte(struct rig *r, unsigned page, u32 v)
{
    st32(r->bytes + 0x11000 + page * 4, v);
    tlb_flush_page(r->c, (u64)page << 12);
}

START_TEST(legacy_walk_sets_accessed_and_dirty)
{
    struct rig *r = rig_new("win7");
    u32 v = 0;
    rig_protected(r, 0);
    legacy_paging(r);
    set_pte(r, 0x20, 0x300007);
    st32(r->bytes + 0x300010, 0x12345678);
    ck_assert(lin_read_as(r->c, 0x20010, &v, 4, false));
    ck_assert_uint_eq(v, 0x12345678);
    ck_assert_uint_eq(ld32(r->bytes + 0x11080), 0x300027);
    ck_assert_uint_eq(ld32(r->bytes + 0x10000), 0x11027);
    ck_assert(lin_write_as(r->c, 0x20010, &v, 4, false));
    ck_assert_uint_eq(ld32(r->bytes + 0x11080), 0x300067);
    rig_free(r);
}
END_TEST

/* Matrix: PTE bits (P=1, W, U) x access x WP; columns give the error code, 0 = allowed. */
static const struct { u32 pte; bool write, user, wp; u32 code; } matrix[] = {
    { 0x1, false, false, true, 0 },  { 0x1, true, false, true, 3 },  { 0x1, true, false, false, 0 },
    { 0x1, false, true, true, 5 },   { 0x1, true, true, true, 7 },   { 0x3, true, false, true, 0 },
    { 0x3, true, true, true, 7 },    { 0x5, false, true, true, 0 },  { 0x5, true, true, true, 7 },
    { 0x5, true, true, false, 7 },   { 0x5, true, false, false, 0 }, { 0x7, true, true, true, 0 },
    { 0x0, false, false, true, 0x100 }, { 0x6, true, true, true, 0x106 },
};

START_TEST(legacy_rights_matrix)
{
    struct rig *r = rig_new("win7");
    u32 v = 0;
    rig_protected(r, 0);
    legacy_paging(r);
    for (unsigned i = 0; i < LEN(matrix); i++) {
        set_pte(r, 0x20, 0x300000 | matrix[i].pte);
        r->c->cr0 = matrix[i].wp ? r->c->cr0 | CR0_WP : r->c->cr0 & ~(u64)CR0_WP;
        tlb_flush_all(r->c);
        bool ok = matrix[i].write ? lin_write_as(r->c, 0x20000, &v, 4, matrix[i].user)
                                  : lin_read_as(r->c, 0x20000, &v, 4, matrix[i].user);
        ck_assert_msg(ok == !matrix[i].code, "row %u", i);
        if (ok) continue;
        expect_fault(r, EXC_PF, matrix[i].code & 0xff);
        ck_assert_uint_eq(r->c->fault_cr2, 0x20000);
    }
    rig_free(r);
}
END_TEST

START_TEST(pse_page_and_pse36)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    legacy_paging(r);
    st32(r->bytes + 0x10004, 0x00800087 | 1 << 5);
    r->c->cr4 |= CR4_PSE;
    tlb_flush_all(r->c);
    st32(r->bytes + 0x812344, 77);
    ck_assert(lin_read_as(r->c, 0x412344, &v, 4, false));
    ck_assert_uint_eq(v, 77);
    struct walk w;
    st32(r->bytes + 0x10008, 0x00c00083 | 0x5 << 13); /* physical bits 39:32 = 5 */
    mmu_walk(r->c, 0x801000, &w);
    ck_assert_uint_eq(w.gpa, 0x500c01000);
    st32(r->bytes + 0x1000c, 0x00c00083 | 1 << 21); /* reserved bit */
    ck_assert(!lin_read_as(r->c, 0xc00000, &v, 4, false));
    expect_fault(r, EXC_PF, 9);
    rig_free(r);
}
END_TEST

START_TEST(pae_pdptes_are_loaded_with_cr3)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    st64(r->bytes + 0x10000, 0x11001);
    st64(r->bytes + 0x10008, 0);
    st64(r->bytes + 0x11000, 0x12007);
    st64(r->bytes + 0x12000, 0x300007 | BIT64(63));
    r->c->cr4 |= CR4_PAE;
    r->c->cr3 = 0x10000;
    ck_assert(mmu_load_pdptes(r->c, 0x10000));
    r->c->cr0 |= CR0_PG;
    tlb_flush_all(r->c);
    /* bit 63 is reserved while NXE = 0 */
    ck_assert(!lin_read_as(r->c, 0, &v, 4, false));
    expect_fault(r, EXC_PF, 9);
    r->c->efer = EFER_NXE;
    ck_assert(lin_read_as(r->c, 0, &v, 4, false));
    st64(r->bytes + 0x10000, 0); /* the register keeps the old pointer */
    tlb_flush_all(r->c);
    ck_assert(lin_read_as(r->c, 0, &v, 4, false));
    ck_assert(mmu_code_page(r->c, 0) == NULL);
    expect_fault(r, EXC_PF, 0x11);
    st64(r->bytes + 0x10008, 0x11021);
    ck_assert(!mmu_load_pdptes(r->c, 0x10000));
    rig_free(r);
}
END_TEST

START_TEST(long_mode_nx_reserved_and_canonical)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_long(r, 3);
    st64(r->bytes + 0x12008, 0x200087 | BIT64(63));
    tlb_flush_all(r->c);
    ck_assert(mem_slow_read(r->c, SEG_DS, 0x200000, &v, 4));
    ck_assert(mmu_code_page(r->c, 0x200000) == NULL);
    expect_fault(r, EXC_PF, 0x15);
    st64(r->bytes + 0x12010, 0x400087 | BIT64(41)); /* above 40 physical bits */
    ck_assert(!mem_slow_read(r->c, SEG_DS, 0x400000, &v, 4));
    expect_fault(r, EXC_PF, 0xd);
    ck_assert(!mem_slow_read(r->c, SEG_DS, 0x800000000000, &v, 4));
    expect_fault(r, EXC_GP, 0);
    ck_assert(!mem_slow_read(r->c, SEG_SS, 0x7fffffffffff, &v, 4));
    expect_fault(r, EXC_SS, 0);
    rig_free(r);
}
END_TEST

START_TEST(gigabyte_page_needs_the_feature)
{
    struct rig *r = rig_new("max");
    u32 v = 0;
    rig_long(r, 0);
    st64(r->bytes + 0x11008, 0x87);
    st32(r->bytes + 0x345678, 99);
    ck_assert(mem_slow_read(r->c, SEG_DS, 0x40345678, &v, 4));
    ck_assert_uint_eq(v, 99);
    rig_free(r);
    r = rig_new("win7");
    rig_long(r, 0);
    st64(r->bytes + 0x11008, 0x87);
    ck_assert(!mem_slow_read(r->c, SEG_DS, 0x40345678, &v, 4));
    expect_fault(r, EXC_PF, 9);
    rig_free(r);
}
END_TEST

START_TEST(smap_and_smep)
{
    struct rig *r = rig_new("max");
    u32 v;
    rig_long(r, 0);
    r->c->cr4 |= CR4_SMAP | CR4_SMEP;
    tlb_flush_all(r->c);
    ck_assert(!mem_slow_read(r->c, SEG_DS, 0x5000, &v, 4));
    expect_fault(r, EXC_PF, 1);
    r->c->rflags |= FL_AC;
    ck_assert(mem_slow_read(r->c, SEG_DS, 0x5000, &v, 4));
    ck_assert(!lin_read(r->c, 0x5000, &v, 4)); /* implicit accesses ignore AC */
    expect_fault(r, EXC_PF, 1);
    ck_assert(mmu_code_page(r->c, 0x5000) == NULL);
    expect_fault(r, EXC_PF, 0x11);
    rig_free(r);
}
END_TEST

START_TEST(global_pages_survive_cr3)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    legacy_paging(r);
    r->c->cr4 |= CR4_PGE;
    set_pte(r, 0x20, 0x300107);
    set_pte(r, 0x21, 0x301007);
    ck_assert(lin_read_as(r->c, 0x20000, &v, 4, false) && lin_read_as(r->c, 0x21000, &v, 4, false));
    st32(r->bytes + 0x11080, 0);
    st32(r->bytes + 0x11084, 0);
    tlb_flush_nonglobal(r->c);
    ck_assert(lin_read_as(r->c, 0x20000, &v, 4, false));
    ck_assert(!lin_read_as(r->c, 0x21000, &v, 4, false));
    expect_fault(r, EXC_PF, 0);
    tlb_flush_page(r->c, 0x20000); /* INVLPG drops global entries too */
    ck_assert(!lin_read_as(r->c, 0x20000, &v, 4, false));
    expect_fault(r, EXC_PF, 0);
    rig_free(r);
}
END_TEST

START_TEST(invlpg_drops_the_whole_large_page)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_long(r, 0);
    ck_assert(mem_slow_read(r->c, SEG_DS, 0x601000, &v, 4));
    st64(r->bytes + 0x12018, 0);
    tlb_flush_page(r->c, 0x7ff000);
    ck_assert(!mem_slow_read(r->c, SEG_DS, 0x601000, &v, 4));
    expect_fault(r, EXC_PF, 0);
    rig_free(r);
}
END_TEST

START_TEST(write_across_pages_is_all_or_nothing)
{
    struct rig *r = rig_new("win7");
    u32 v = 0xaabbccdd;
    rig_protected(r, 0);
    legacy_paging(r);
    r->c->cr0 |= CR0_WP;
    set_pte(r, 0x21, 0x301005);
    tlb_flush_all(r->c);
    st32(r->bytes + 0x20ffe, 0x11111111);
    ck_assert(!lin_write_as(r->c, 0x20ffe, &v, 4, false));
    expect_fault(r, EXC_PF, 3);
    ck_assert_uint_eq(r->c->fault_cr2, 0x21000);
    ck_assert_uint_eq(ld32(r->bytes + 0x20ffe), 0x11111111);
    rig_free(r);
}
END_TEST

START_TEST(code_page_gets_no_write_tag)
{
    struct rig *r = rig_new("win7");
    u32 v = 1;
    rig_protected(r, 0);
    r->ram.page_flags[5] |= PAGE_CODE;
    ck_assert(lin_write_as(r->c, 0x5000, &v, 4, false));
    r->ram.page_flags[6] = 0;
    ck_assert(lin_write_as(r->c, 0x6000, &v, 4, false));
    ck_assert_uint_eq(r->c->tlb[0][6].tag_w, 0x6000);
    ck_assert(r->ram.page_flags[6] & PAGE_DIRTY);
    r->ram.page_flags[6] |= PAGE_CODE;
    tlb_protect_code(r->c, r->bytes + 0x6000);
    ck_assert_uint_ne(r->c->tlb[0][6].tag_w, 0x6000);
    rig_free(r);
}
END_TEST

START_TEST(a20_gate_wraps_at_one_megabyte)
{
    struct rig *r = rig_new("win7");
    u32 v;
    st32(r->bytes + 0x500, 1);
    st32(r->bytes + 0x100500, 2);
    rig_protected(r, 0);
    cpu_set_a20(r->c, false);
    ck_assert(lin_read_as(r->c, 0x100500, &v, 4, false));
    ck_assert_uint_eq(v, 1);
    cpu_set_a20(r->c, true);
    ck_assert(lin_read_as(r->c, 0x100500, &v, 4, false));
    ck_assert_uint_eq(v, 2);
    rig_free(r);
}
END_TEST

START_TEST(segment_limits_and_expand_down)
{
    struct rig *r = rig_new("win7");
    u64 gla;
    rig_protected(r, 0);
    struct seg *ds = &r->c->seg[SEG_DS];
    *ds = (struct seg){ 0x10000, 0xfff, 0x10, 0x93 };
    ck_assert(seg_linear(r->c, SEG_DS, 0xffc, 4, true, &gla));
    ck_assert_uint_eq(gla, 0x10ffc);
    ck_assert(!seg_linear(r->c, SEG_DS, 0xffd, 4, true, &gla));
    expect_fault(r, EXC_GP, 0);
    ds->attr = 0x97; /* expand-down, 16-bit */
    ck_assert(!seg_linear(r->c, SEG_DS, 0xfff, 1, true, &gla));
    expect_fault(r, EXC_GP, 0);
    ck_assert(seg_linear(r->c, SEG_DS, 0x1000, 4, true, &gla));
    ck_assert(!seg_linear(r->c, SEG_DS, 0xfffd, 4, true, &gla));
    expect_fault(r, EXC_GP, 0);
    ds->attr = 0x91; /* read-only */
    ck_assert(!seg_linear(r->c, SEG_DS, 0, 4, true, &gla));
    expect_fault(r, EXC_GP, 0);
    ds->attr = 0;
    ck_assert(!seg_linear(r->c, SEG_DS, 0, 4, false, &gla));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(data_breakpoint_is_seen_by_the_slow_path)
{
    struct rig *r = rig_new("win7");
    u32 v = 0;
    rig_protected(r, 0);
    r->c->dr[0] = 0x5004;
    r->c->dr[7] = 0x400 | 1 | 1 << 16 | 3 << 18; /* L0, write, 4 bytes */
    cpu_dr7_changed(r->c);
    ck_assert(mem_slow_read(r->c, SEG_DS, 0x5004, &v, 4));
    ck_assert_uint_eq(r->c->pending_dr6, 0);
    ck_assert(mem_slow_write(r->c, SEG_DS, 0x5007, &v, 1));
    ck_assert_uint_eq(r->c->pending_dr6, 1);
    rig_free(r);
}
END_TEST

/* ---- what walks remember ---- */

/* 64-bit tables with 4 KiB pages for linear 600000h to 7fffffh: page table at 14000h (and another at
 * 15000h), pages from 300000h on. The directory entry is at 12018h. */
static struct rig *small_pages(void)
{
    struct rig *r = rig_new("win7");
    rig_long(r, 0);
    for (unsigned i = 0; i < 512; i++) {
        st64(r->bytes + 0x14000 + i * 8, 0x300000 | i << 12 | 7);
        st64(r->bytes + 0x15000 + i * 8, 0x380000 | i << 12 | 7);
    }
    for (unsigned i = 0; i < 256; i++) st32(r->bytes + 0x300000 + i * 0x1000, i);
    st64(r->bytes + 0x12018, 0x14007);
    tlb_flush_all(r->c);
    return r;
}

static u32 read_at(struct rig *r, u64 gla)
{
    u32 v = 0;
    ck_assert_msg(lin_read_as(r->c, gla, &v, 4, false), "%llx", (unsigned long long)gla);
    return v;
}

START_TEST(entries_of_a_page_table_are_read_anew)
{
    struct rig *r = small_pages();
    u64 pte = 0x305007;
    u32 v;
    ck_assert_uint_eq(read_at(r, 0x600000), 0);
    st64(r->bytes + 0x14008, 0x309007); /* by the program */
    ck_assert_uint_eq(read_at(r, 0x601000), 9);
    dma_write(r->c->mem, 0x14010, &pte, 8); /* by a device */
    ck_assert_uint_eq(read_at(r, 0x602000), 5);
    st64(r->bytes + 0x14018, 0);
    ck_assert(!lin_read_as(r->c, 0x603000, &v, 4, false));
    expect_fault(r, EXC_PF, 0);
    st64(r->bytes + 0x14018, 0x303007); /* present now: no flush is needed */
    ck_assert_uint_eq(read_at(r, 0x603000), 3);
    st64(r->bytes + 0x14020, 0x304007 | BIT64(45)); /* reserved bit */
    ck_assert(!lin_read_as(r->c, 0x604000, &v, 4, false));
    expect_fault(r, EXC_PF, 9);
    rig_free(r);
}
END_TEST

START_TEST(remembered_tables_go_with_every_flush)
{
    static void (*const all[])(struct cpu *) = { tlb_flush_nonglobal, tlb_flush_all };
    for (unsigned i = 0; i < 3; i++) {
        struct rig *r = small_pages();
        ck_assert_uint_eq(read_at(r, 0x600000), 0);
        st64(r->bytes + 0x12018, 0x15007);
        if (i < 2) all[i](r->c);
        else tlb_flush_page(r->c, 0x12345000); /* INVLPG drops upper levels of every address */
        ck_assert_uint_eq(read_at(r, 0x602000), 0x82);
        rig_free(r);
    }
}
END_TEST

START_TEST(accessed_and_dirty_bits_by_a_remembered_table)
{
    struct rig *r = small_pages();
    u32 v = 1;
    read_at(r, 0x600000);
    read_at(r, 0x601000);
    ck_assert_uint_eq(ld64(r->bytes + 0x14008), 0x301027);
    ck_assert(lin_write_as(r->c, 0x601000, &v, 4, false));
    ck_assert_uint_eq(ld64(r->bytes + 0x14008), 0x301067);
    ck_assert(lin_write_as(r->c, 0x602000, &v, 4, false));
    ck_assert_uint_eq(ld64(r->bytes + 0x14010), 0x302067);
    ck_assert_uint_eq(ld64(r->bytes + 0x12018), 0x14027);
    /* a large page: its entry gets D by the first write, not by reads before it */
    read_at(r, 0x200000);
    read_at(r, 0x201000);
    u64 pde = ld64(r->bytes + 0x12008);
    ck_assert_uint_eq(pde & 0x60, 0x20);
    ck_assert(lin_write_as(r->c, 0x202000, &v, 4, false));
    ck_assert_uint_eq(ld64(r->bytes + 0x12008), pde | 0x40);
    rig_free(r);
}
END_TEST

START_TEST(rights_of_upper_levels_are_remembered_but_faults_look_again)
{
    struct rig *r = small_pages();
    u32 v = 1;
    r->c->cr0 |= CR0_WP;
    r->c->efer |= EFER_NXE;
    st64(r->bytes + 0x12018, 0x14001 | BIT64(63)); /* supervisor, read-only, no-execute */
    tlb_flush_all(r->c);
    read_at(r, 0x600000);
    ck_assert(!lin_write_as(r->c, 0x601000, &v, 4, false));
    expect_fault(r, EXC_PF, 3);
    ck_assert(!lin_read_as(r->c, 0x601000, &v, 4, true));
    expect_fault(r, EXC_PF, 5);
    ck_assert(mmu_code_page(r->c, 0x601000) == NULL);
    expect_fault(r, EXC_PF, 0x11);
    st64(r->bytes + 0x12018, 0x14007); /* more rights: no flush is needed */
    ck_assert(lin_write_as(r->c, 0x601000, &v, 4, false));
    ck_assert(lin_read_as(r->c, 0x602000, &v, 4, true));
    ck_assert(mmu_code_page(r->c, 0x603000) != NULL);
    rig_free(r);
}
END_TEST

START_TEST(global_large_pages_are_remembered_over_cr3)
{
    struct rig *r = small_pages();
    u32 v;
    r->c->cr4 |= CR4_PGE;
    u64 pde = ld64(r->bytes + 0x12008);
    st64(r->bytes + 0x12008, pde | 0x100);
    tlb_flush_all(r->c);
    read_at(r, 0x200000);
    st64(r->bytes + 0x12008, 0);
    tlb_flush_nonglobal(r->c);
    tlb_flush_page(r->c, 0x600000);
    read_at(r, 0x205000);
    tlb_flush_page(r->c, 0x3ff000);
    ck_assert(!lin_read_as(r->c, 0x205000, &v, 4, false));
    expect_fault(r, EXC_PF, 0);
    st64(r->bytes + 0x12008, pde | 0x100);
    read_at(r, 0x205000);
    st64(r->bytes + 0x12008, 0);
    tlb_flush_all(r->c); /* as CR4.PGE does */
    ck_assert(!lin_read_as(r->c, 0x205000, &v, 4, false));
    expect_fault(r, EXC_PF, 0);
    rig_free(r);
}
END_TEST

START_TEST(walks_of_pae_and_without_paging)
{
    struct rig *r = rig_new("win7");
    u32 v;
    rig_protected(r, 0);
    st64(r->bytes + 0x10000, 0x11001);
    st64(r->bytes + 0x11000, 0x12007);
    for (unsigned i = 0; i < 512; i++) st64(r->bytes + 0x12000 + i * 8, 0x300000 | i << 12 | 7);
    st32(r->bytes + 0x301000, 77);
    r->c->cr4 |= CR4_PAE;
    r->c->cr3 = 0x10000;
    ck_assert(mmu_load_pdptes(r->c, 0x10000));
    r->c->cr0 |= CR0_PG;
    tlb_flush_all(r->c);
    read_at(r, 0);
    ck_assert_uint_eq(read_at(r, 0x1000), 77);
    st64(r->bytes + 0x12010, 0x301007 | BIT64(63)); /* reserved without NXE */
    ck_assert(!lin_read_as(r->c, 0x2000, &v, 4, false));
    expect_fault(r, EXC_PF, 9);
    r->c->cr0 &= ~(u64)CR0_PG;
    tlb_flush_all(r->c);
    st32(r->bytes + 0x1000, 55);
    ck_assert_uint_eq(read_at(r, 0x1000), 55);
    rig_free(r);
}
END_TEST

Suite *mmu_suite(void);
Suite *mmu_suite(void)
{
    Suite *s = suite_create("mmu");
    TCase *t = tcase_create("mmu");
    tcase_add_test(t, legacy_walk_sets_accessed_and_dirty);
    tcase_add_test(t, legacy_rights_matrix);
    tcase_add_test(t, pse_page_and_pse36);
    tcase_add_test(t, pae_pdptes_are_loaded_with_cr3);
    tcase_add_test(t, long_mode_nx_reserved_and_canonical);
    tcase_add_test(t, gigabyte_page_needs_the_feature);
    tcase_add_test(t, smap_and_smep);
    tcase_add_test(t, global_pages_survive_cr3);
    tcase_add_test(t, invlpg_drops_the_whole_large_page);
    tcase_add_test(t, write_across_pages_is_all_or_nothing);
    tcase_add_test(t, code_page_gets_no_write_tag);
    tcase_add_test(t, a20_gate_wraps_at_one_megabyte);
    tcase_add_test(t, segment_limits_and_expand_down);
    tcase_add_test(t, data_breakpoint_is_seen_by_the_slow_path);
    tcase_add_test(t, entries_of_a_page_table_are_read_anew);
    tcase_add_test(t, remembered_tables_go_with_every_flush);
    tcase_add_test(t, accessed_and_dirty_bits_by_a_remembered_table);
    tcase_add_test(t, rights_of_upper_levels_are_remembered_but_faults_look_again);
    tcase_add_test(t, global_large_pages_are_remembered_over_cr3);
    tcase_add_test(t, walks_of_pae_and_without_paging);
    suite_add_tcase(s, t);
    return s;
}
