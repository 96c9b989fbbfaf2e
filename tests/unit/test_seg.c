/* Segment loads and far transfers: checks in order, error codes, gates with parameters, stack
 * switches, LAR-family questions. */
#include "tests/unit/cpu_rig.h"

#include "cpu/seg.h"

/* System descriptor in GDT slot 60h (16 bytes free up to 7Fh). */
static void call_gate(struct rig *r, u16 sel, u32 off, u8 rights, u8 params)
{
    u8 *g = r->bytes + RIG_GDT + 0x60;
    st16(g, (u16)off);
    st16(g + 2, sel);
    g[4] = params;
    g[5] = rights;
    st16(g + 6, (u16)(off >> 16));
    memset(g + 8, 0, 8);
}

START_TEST(data_load_sets_the_accessed_bit_once)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    r->bytes[RIG_GDT + 0x15] = 0x92;
    ck_assert(seg_load(r->c, SEG_ES, 0x10));
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x15], 0x93);
    ck_assert_uint_eq(r->c->seg[SEG_ES].attr, 0xc093);
    ck_assert_uint_eq(r->c->seg[SEG_ES].limit, 0xffffffff);
    /* An accessed descriptor is not written again: a write-protected table stays usable. */
    r->ram.page_flags[1] = 0;
    tlb_flush_all(r->c);
    ck_assert(seg_load(r->c, SEG_ES, 0x10));
    ck_assert_uint_eq(r->ram.page_flags[1] & PAGE_DIRTY, 0);
    rig_free(r);
}
END_TEST

static const struct {
    u8 seg;
    u16 sel;
    u8 cpl, rights;
    int vec;
    u32 code;
} loads[] = {
    { SEG_DS, 0x60, 0, 0x93, -1, 0 },          { SEG_DS, 0x63, 0, 0x93, EXC_GP, 0x60 },
    { SEG_DS, 0x60, 0, 0x13, EXC_NP, 0x60 },   { SEG_DS, 0x60, 0, 0x99, EXC_GP, 0x60 },
    { SEG_DS, 0x60, 0, 0x9b, -1, 0 },          { SEG_DS, 0x63, 3, 0x93, EXC_GP, 0x60 },
    { SEG_DS, 0x63, 3, 0x9f, -1, 0 },          { SEG_DS, 0x63, 3, 0xf1, -1, 0 },
    { SEG_DS, 0x60, 0, 0x82, EXC_GP, 0x60 },   { SEG_SS, 0x60, 0, 0x93, -1, 0 },
    { SEG_SS, 0x60, 0, 0x91, EXC_GP, 0x60 },   { SEG_SS, 0x60, 0, 0x13, EXC_SS, 0x60 },
    { SEG_SS, 0x60, 0, 0xb3, EXC_GP, 0x60 },   { SEG_SS, 0x00, 0, 0x93, EXC_GP, 0 },
    { SEG_SS, 0x61, 0, 0xb3, EXC_GP, 0x60 },   { SEG_DS, 0x00, 0, 0x93, -1, 0 },
    { SEG_DS, 0x108, 0, 0x93, EXC_GP, 0x108 }, { SEG_DS, 0x0c, 0, 0x93, EXC_GP, 0x0c },
};

START_TEST(data_and_stack_load_checks)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    for (unsigned i = 0; i < LEN(loads); i++) {
        r->c->cpl = loads[i].cpl;
        r->c->ldtr.attr = 0;
        rig_desc(r, RIG_GDT + 0x60, 0x1000, 0xfff, loads[i].rights, 4);
        bool ok = seg_load(r->c, loads[i].seg, loads[i].sel);
        ck_assert_msg(ok == (loads[i].vec < 0), "row %u", i);
        if (ok) continue;
        int vec = rig_fault(r);
        ck_assert_msg(vec == loads[i].vec && r->c->fault_error == loads[i].code, "row %u: %d/%x", i,
                      vec, r->c->fault_error);
    }
    rig_free(r);
}
END_TEST

START_TEST(ldt_selectors_use_the_ldt)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    r->c->ldtr = (struct seg){ RIG_LDT, 0xff, 0x58, 0x82 };
    rig_desc(r, RIG_LDT + 8, 0x123000, 0xff, 0x93, 4);
    ck_assert(seg_load(r->c, SEG_FS, 0x0c));
    ck_assert_uint_eq(r->c->seg[SEG_FS].base, 0x123000);
    rig_free(r);
}
END_TEST

START_TEST(real_mode_load_keeps_the_limit)
{
    struct rig *r = rig_new("win7");
    r->c->seg[SEG_DS].limit = 0xffffffff;
    ck_assert(seg_load(r->c, SEG_DS, 0x1234));
    ck_assert_uint_eq(r->c->seg[SEG_DS].base, 0x12340);
    ck_assert_uint_eq(r->c->seg[SEG_DS].limit, 0xffffffff);
    rig_free(r);
}
END_TEST

START_TEST(call_gate_copies_parameters_to_the_inner_stack)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 3);
    call_gate(r, 0x08, 0x5678, 0xec, 2);
    st32(r->bytes + 0x8000, 0x11111111);
    st32(r->bytes + 0x8004, 0x22222222);
    ck_assert(far_call(c, 0x63, 0, OSZ32));
    ck_assert_uint_eq(c->cpl, 0);
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x08);
    ck_assert_uint_eq(c->rip, 0x5678);
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 24);
    const u8 *f = r->bytes + 0x9000 - 24;
    ck_assert_uint_eq(ld32(f), 0x4000);
    ck_assert_uint_eq(ld32(f + 4), 0x23);
    ck_assert_uint_eq(ld32(f + 8), 0x11111111);
    ck_assert_uint_eq(ld32(f + 12), 0x22222222);
    ck_assert_uint_eq(ld32(f + 16), 0x8000);
    ck_assert_uint_eq(ld32(f + 20), 0x2b);
    /* and back: RETF 8 releases both stacks */
    ck_assert(far_return(c, OSZ32, 8));
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->r[RSP], 0x8008);
    ck_assert_uint_eq(c->rip, 0x4000);
    rig_free(r);
}
END_TEST

START_TEST(gate_16_bit_pushes_words)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 3);
    call_gate(r, 0x08, 0xffff5678, 0xe4, 1);
    st16(r->bytes + 0x8000, 0xabcd);
    ck_assert(far_call(c, 0x63, 0, OSZ32));
    ck_assert_uint_eq(c->rip, 0x5678);
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 10);
    ck_assert_uint_eq(ld16(r->bytes + 0x9000 - 6), 0xabcd);
    rig_free(r);
}
END_TEST

START_TEST(gate_64_bit_clears_ss)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_long(r, 3);
    call_gate(r, 0x18, 0x5678, 0xec, 0);
    ck_assert(far_call(c, 0x63, 0, OSZ32));
    ck_assert_uint_eq(c->cpl, 0);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0);
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 32);
    ck_assert_uint_eq(ld64(r->bytes + 0x9000 - 32), 0x4000);
    ck_assert_uint_eq(ld64(r->bytes + 0x9000 - 8), 0x2b);
    r->bytes[RIG_GDT + 0x60 + 13] = 1; /* type bits of the upper half must be 0 */
    c->cpl = 3;
    ck_assert(!far_call(c, 0x63, 0, OSZ32));
    expect_fault(r, EXC_GP, 0x60);
    rig_free(r);
}
END_TEST

START_TEST(inner_stack_errors_are_invalid_tss)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 3);
    call_gate(r, 0x08, 0x5678, 0xec, 0);
    st16(r->bytes + RIG_TSS + 8, 0x2b);
    ck_assert(!far_call(r->c, 0x63, 0, OSZ32));
    expect_fault(r, EXC_TS, 0x28);
    st16(r->bytes + RIG_TSS + 8, 0);
    ck_assert(!far_call(r->c, 0x63, 0, OSZ32));
    expect_fault(r, EXC_TS, 0);
    r->c->tr.limit = 8;
    ck_assert(!far_call(r->c, 0x63, 0, OSZ32));
    expect_fault(r, EXC_TS, 0x38);
    rig_free(r);
}
END_TEST

START_TEST(return_to_outer_level_drops_inner_data_segments)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    ck_assert(seg_load(c, SEG_ES, 0x2b));
    const u32 frame[] = { 0x4444, 0x23, 0x7000, 0x2b };
    memcpy(r->bytes + 0x8000, frame, sizeof(frame));
    ck_assert(far_return(c, OSZ32, 0));
    ck_assert_uint_eq(c->seg[SEG_DS].sel, 0);
    ck_assert_uint_eq(c->seg[SEG_DS].attr & ATTR_P, 0);
    ck_assert_uint_eq(c->seg[SEG_ES].sel, 0x2b);
    rig_free(r);
}
END_TEST

START_TEST(long_mode_jump_rules)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_long(r, 0);
    rig_desc(r, RIG_GDT + 0x60, 0, 0xfffff, 0x9b, 0xe); /* L and D */
    ck_assert(!far_jump(c, 0x60, 0x5000, OSZ32));
    expect_fault(r, EXC_GP, 0x60);
    ck_assert(!far_jump(c, 0x38, 0x5000, OSZ32)); /* no task switch */
    expect_fault(r, EXC_GP, 0x38);
    ck_assert(!far_jump(c, 0x18, 0x800000000000, OSZ64));
    expect_fault(r, EXC_GP, 0);
    ck_assert(far_jump(c, 0x08, 0x5000, OSZ32));
    ck_assert_uint_eq(c->bits, BITS32);
    ck_assert(c->long_mode);
    rig_free(r);
}
END_TEST

/* 32-bit TSS at 2800h in slot 60h. */
static void second_task(struct rig *r)
{
    u8 *t = r->bytes + 0x2800;
    rig_desc(r, RIG_GDT + 0x60, 0x2800, 0x67, 0x89, 0);
    st32(t + 0x20, 0x7777);
    st32(t + 0x24, 2);
    st32(t + 0x28, 0xaaaa); /* EAX */
    st32(t + 0x38, 0x6000); /* ESP */
    static const u16 sels[6] = { 0x10, 0x08, 0x10, 0x10, 0, 0 };
    for (unsigned i = 0; i < 6; i++) st16(t + 0x48 + i * 4, sels[i]);
}

START_TEST(task_call_links_and_iret_returns)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    r->bytes[RIG_GDT + 0x3d] = 0x8b;
    second_task(r);
    c->r[RBX] = 0x1234;
    ck_assert(far_call(c, 0x60, 0, OSZ32));
    ck_assert_uint_eq(c->tr.sel, 0x60);
    ck_assert_uint_eq(c->rip, 0x7777);
    ck_assert_uint_eq(c->r[RAX], 0xaaaa);
    ck_assert_uint_eq(c->r[RSP], 0x6000);
    ck_assert(c->rflags & FL_NT);
    ck_assert(c->cr0 & CR0_TS);
    ck_assert_uint_eq(ld16(r->bytes + 0x2800), 0x38);
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x65], 0x8b);
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x3d], 0x8b);
    ck_assert(int_return(c, OSZ32));
    ck_assert_uint_eq(c->tr.sel, 0x38);
    ck_assert_uint_eq(c->rip, 0x4000);
    ck_assert_uint_eq(c->r[RBX], 0x1234);
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x65], 0x89);
    ck_assert(!(c->rflags & FL_NT));
    rig_free(r);
}
END_TEST

START_TEST(task_jump_moves_the_busy_bit)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    r->bytes[RIG_GDT + 0x3d] = 0x8b;
    second_task(r);
    ck_assert(far_jump(r->c, 0x60, 0, OSZ32));
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x65], 0x8b);
    ck_assert_uint_eq(r->bytes[RIG_GDT + 0x3d], 0x89);
    ck_assert(!(r->c->rflags & FL_NT));
    ck_assert(!far_jump(r->c, 0x60, 0, OSZ32)); /* busy */
    expect_fault(r, EXC_GP, 0x60);
    rig_free(r);
}
END_TEST

START_TEST(task_faults_after_the_switch_belong_to_the_new_task)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    second_task(r);
    st16(r->bytes + 0x2800 + 0x54, 0xf8); /* DS: empty descriptor */
    ck_assert(!far_jump(r->c, 0x60, 0, OSZ32));
    expect_fault(r, EXC_TS, 0xf8);
    ck_assert_uint_eq(r->c->tr.sel, 0x60);
    ck_assert_uint_eq(r->c->insn_rip, 0x7777);
    rig_desc(r, RIG_GDT + 0x60, 0x2800, 0x66, 0x89, 0); /* too short */
    r->c->tr = (struct seg){ RIG_TSS, 0x67, 0x38, 0x8b };
    ck_assert(!far_jump(r->c, 0x60, 0, OSZ32));
    expect_fault(r, EXC_TS, 0x60);
    ck_assert_uint_eq(r->c->tr.sel, 0x38);
    rig_free(r);
}
END_TEST

START_TEST(task_16_bit_saves_and_loads_words)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    u8 *t = r->bytes + 0x2800;
    rig_protected(r, 0);
    r->bytes[RIG_GDT + 0x3d] = 0x8b;
    rig_desc(r, RIG_GDT + 0x60, 0x2800, 0x2b, 0x81, 0);
    st16(t + 0x0e, 0x7777);
    st16(t + 0x10, 2 | FL_CF);
    st16(t + 0x12, 0xaaaa); /* AX */
    st16(t + 0x1a, 0x6000); /* SP */
    static const u16 sels[4] = { 0x50, 0x48, 0x50, 0x50 };
    for (unsigned i = 0; i < 4; i++) st16(t + 0x22 + i * 2, sels[i]);
    ck_assert(far_call(c, 0x60, 0, OSZ32));
    ck_assert_uint_eq(c->rip, 0x7777);
    ck_assert_uint_eq(c->bits, BITS16);
    ck_assert_uint_eq((u16)c->r[RAX], 0xaaaa);
    ck_assert_uint_eq((u16)c->r[RSP], 0x6000);
    ck_assert_uint_eq(c->seg[SEG_FS].attr, 0);
    ck_assert(cpu_flags(c) & FL_CF);
    c->r[RAX] = 0x12345678;
    ck_assert(int_return(c, OSZ16));
    ck_assert_uint_eq(ld16(t + 0x12), 0x5678);
    ck_assert_uint_eq(ld16(t + 0x24), 0x48);
    ck_assert_uint_eq(c->tr.sel, 0x38);
    ck_assert_uint_eq(c->rip, 0x4000);
    rig_free(r);
}
END_TEST

Suite *seg_suite(void);
Suite *seg_suite(void)
{
    Suite *s = suite_create("seg");
    TCase *t = tcase_create("seg");
    tcase_add_test(t, data_load_sets_the_accessed_bit_once);
    tcase_add_test(t, data_and_stack_load_checks);
    tcase_add_test(t, ldt_selectors_use_the_ldt);
    tcase_add_test(t, real_mode_load_keeps_the_limit);
    tcase_add_test(t, call_gate_copies_parameters_to_the_inner_stack);
    tcase_add_test(t, gate_16_bit_pushes_words);
    tcase_add_test(t, gate_64_bit_clears_ss);
    tcase_add_test(t, inner_stack_errors_are_invalid_tss);
    tcase_add_test(t, return_to_outer_level_drops_inner_data_segments);
    tcase_add_test(t, long_mode_jump_rules);
    tcase_add_test(t, task_call_links_and_iret_returns);
    tcase_add_test(t, task_jump_moves_the_busy_bit);
    tcase_add_test(t, task_16_bit_saves_and_loads_words);
    tcase_add_test(t, task_faults_after_the_switch_belong_to_the_new_task);
    suite_add_tcase(s, t);
    return s;
}
