/* Delivery of exceptions and interrupts: gates, error codes with EXT, double and triple faults,
 * IST, virtual-8086 with VME, IRET. */
#include "tests/unit/cpu_rig.h"

START_TEST(fault_from_user_level_builds_a_full_frame)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 3);
    rig_gate(r, 13, 0x08, 0x5000, 0x8e);
    c->insn_rip = 0x4000;
    c->rip = 0x4003;
    cpu_set_flags(c, 2 | FL_IF | FL_TF | FL_CF);
    exc_raise_err(c, EXC_GP, 0x1234);
    exc_deliver(c);
    const u8 *f = r->bytes + 0x9000 - 24;
    ck_assert_uint_eq(c->rip, 0x5000);
    ck_assert_uint_eq(c->cpl, 0);
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 24);
    ck_assert_uint_eq(ld32(f), 0x1234);
    ck_assert_uint_eq(ld32(f + 4), 0x4000);
    ck_assert_uint_eq(ld32(f + 8), 0x23);
    ck_assert_uint_eq(ld32(f + 12), 2 | FL_IF | FL_TF | FL_CF | FL_RF);
    ck_assert_uint_eq(ld32(f + 16), 0x8000);
    ck_assert_uint_eq(ld32(f + 20), 0x2b);
    ck_assert_uint_eq(cpu_flags(c) & (FL_IF | FL_TF | FL_RF), 0);
    rig_free(r);
}
END_TEST

START_TEST(trap_gate_keeps_if)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    rig_gate(r, 3, 0x08, 0x5000, 0xef);
    cpu_set_flags(r->c, 2 | FL_IF);
    ck_assert(int_software(r->c, 3, 1));
    ck_assert(r->c->rflags & FL_IF);
    ck_assert_uint_eq(r->c->r[RSP], 0x8000 - 12);
    rig_free(r);
}
END_TEST

START_TEST(software_interrupt_checks_gate_dpl_without_ext)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 3);
    rig_gate(r, 0x40, 0x08, 0x5000, 0x8e);
    ck_assert(!int_software(r->c, 0x40, 0));
    expect_fault(r, EXC_GP, 0x40 * 8 + 2);
    rig_gate(r, 0x41, 0x08, 0x5000, 0x6e);
    ck_assert(!int_software(r->c, 0x41, 0));
    expect_fault(r, EXC_NP, 0x41 * 8 + 2);
    ck_assert(!int_software(r->c, 0xff + 0, 0)); /* empty gate */
    expect_fault(r, EXC_GP, 0xff * 8 + 2);
    rig_free(r);
}
END_TEST

START_TEST(contributory_pair_is_a_double_fault)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    rig_gate(r, 13, 0xf8, 0x5000, 0x8e); /* bad selector: #GP while delivering #GP */
    rig_gate(r, 8, 0x08, 0x6000, 0x8e);
    c->insn_rip = 0x4000;
    exc_raise_err(c, EXC_GP, 0);
    exc_deliver(c);
    ck_assert_uint_eq(c->rip, 0x6000);
    ck_assert_uint_eq(ld32(r->bytes + c->r[RSP]), 0);
    ck_assert_uint_eq(ld32(r->bytes + c->r[RSP] + 4), 0x4000);
    rig_free(r);
}
END_TEST

START_TEST(benign_fault_then_gp_is_serial_with_ext)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    rig_gate(r, 13, 0x08, 0x5000, 0x8e);
    exc_raise(c, EXC_UD); /* no gate for 6 */
    c->insn_rip = 0x4000;
    exc_deliver(c);
    ck_assert_uint_eq(c->rip, 0x5000);
    ck_assert_uint_eq(ld32(r->bytes + c->r[RSP]), 6 * 8 + 2 + 1);
    rig_free(r);
}
END_TEST

START_TEST(triple_fault_shuts_down_and_tells_the_machine)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    exc_raise_err(r->c, EXC_GP, 0);
    exc_deliver(r->c);
    ck_assert(r->c->shutdown);
    ck_assert(r->c->events & CE_SHUTDOWN);
    ck_assert_int_eq(r->request, REQ_TRIPLE_FAULT);
    rig_free(r);
}
END_TEST

START_TEST(page_fault_in_page_fault_keeps_the_second_cr2)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_long(r, 0);
    rig_gate64(r, 8, 0x18, 0x6000, 0x8e, 1);
    rig_gate64(r, 14, 0x18, 0x5000, 0x8e, 0);
    c->r[RSP] = 0x2000000; /* unmapped stack */
    c->fault_cr2 = 0x1234000;
    exc_raise_err(c, EXC_PF, 2);
    exc_deliver(c);
    ck_assert_uint_eq(c->rip, 0x6000);
    ck_assert_uint_eq(c->r[RSP], 0xa000 - 48);
    ck_assert_uint_eq(c->cr2, 0x1fffff8);
    rig_free(r);
}
END_TEST

START_TEST(long_mode_interrupt_aligns_and_nulls_ss)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_long(r, 3);
    rig_gate64(r, 0x40, 0x18, 0x5000, 0x8e, 0);
    c->r[RSP] = 0x8003;
    int_deliver(c, 0x40);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0);
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 40);
    ck_assert_uint_eq(ld64(r->bytes + 0x9000 - 8), 0x2b);
    ck_assert_uint_eq(ld64(r->bytes + 0x9000 - 16), 0x8003);
    ck_assert(int_return(c, OSZ64));
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->r[RSP], 0x8003);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0x2b);
    /* same level: the stack is aligned, SS stays */
    rig_long(r, 0);
    rig_gate64(r, 0x40, 0x18, 0x5000, 0x8e, 0);
    c->r[RSP] = 0x8003;
    int_deliver(c, 0x40);
    ck_assert_uint_eq(c->r[RSP], 0x8000 - 40);
    ck_assert_uint_eq(c->seg[SEG_SS].sel, 0x10);
    rig_free(r);
}
END_TEST

START_TEST(long_mode_refuses_16_bit_and_task_gates)
{
    struct rig *r = rig_new("win7");
    rig_long(r, 0);
    rig_gate64(r, 0x40, 0x18, 0x5000, 0x86, 0);
    ck_assert(!int_software(r->c, 0x40, 0));
    expect_fault(r, EXC_GP, 0x202);
    rig_gate64(r, 0x40, 0x08, 0x5000, 0x8e, 0); /* handler not 64-bit */
    ck_assert(!int_software(r->c, 0x40, 0));
    expect_fault(r, EXC_GP, 0x08);
    rig_free(r);
}
END_TEST

static void enter_v86(struct rig *r, u32 flags)
{
    struct cpu *c = r->c;
    rig_protected(r, 0);
    cpu_set_flags(c, 2 | FL_VM | flags);
    c->cpl = 3;
    for (unsigned s = 0; s < SEG_COUNT; s++) seg_load_real(c, s, (u16)(0x100 * s));
    c->rip = 0x42;
    c->r[RSP] = 0xff0;
    cpu_update_mode(c);
}

START_TEST(v86_interrupt_pushes_segments_for_the_monitor)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    enter_v86(r, FL_IOPL);
    rig_gate(r, 0x21, 0x08, 0x5000, 0xee);
    ck_assert(int_software(c, 0x21, 0));
    const u8 *f = r->bytes + 0x9000 - 36;
    ck_assert_uint_eq(c->r[RSP], 0x9000 - 36);
    ck_assert_uint_eq(ld32(f), 0x42);
    ck_assert_uint_eq(ld32(f + 4), 0x100);
    ck_assert(ld32(f + 8) & FL_VM);
    ck_assert_uint_eq(ld32(f + 12), 0xff0);
    ck_assert_uint_eq(ld32(f + 16), 0x200);
    ck_assert_uint_eq(ld32(f + 20), 0x000);
    ck_assert_uint_eq(ld32(f + 24), 0x300);
    ck_assert_uint_eq(ld32(f + 28), 0x400);
    ck_assert_uint_eq(ld32(f + 32), 0x500);
    ck_assert_uint_eq(c->seg[SEG_DS].sel, 0);
    ck_assert(!(c->rflags & FL_VM));
    ck_assert(int_return(c, OSZ32));
    ck_assert(c->rflags & FL_VM);
    ck_assert_uint_eq(c->cpl, 3);
    ck_assert_uint_eq(c->seg[SEG_FS].sel, 0x400);
    ck_assert_uint_eq(c->seg[SEG_FS].base, 0x4000);
    ck_assert_uint_eq(c->rip, 0x42);
    rig_free(r);
}
END_TEST

START_TEST(v86_interrupt_needs_iopl_3)
{
    struct rig *r = rig_new("win7");
    enter_v86(r, 0);
    ck_assert(!int_software(r->c, 0x21, 0));
    expect_fault(r, EXC_GP, 0);
    ck_assert(!int_return(r->c, OSZ16));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(vme_redirects_to_the_8086_handler)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    enter_v86(r, FL_VIF);
    c->cr4 |= CR4_VME;
    c->tr.limit = 0x67 + 0x40;
    st16(r->bytes + RIG_TSS + 0x66, 0x88); /* redirection map at 68h */
    st16(r->bytes + 0x21 * 4, 0x1234);
    st16(r->bytes + 0x21 * 4 + 2, 0x5678);
    ck_assert(int_software(c, 0x21, 0));
    ck_assert_uint_eq(c->rip, 0x1234);
    ck_assert_uint_eq(c->seg[SEG_CS].sel, 0x5678);
    ck_assert(c->rflags & FL_VM);
    ck_assert(!(c->rflags & FL_VIF));
    ck_assert_uint_eq(c->r[RSP], 0xfea);
    u16 image = ld16(r->bytes + 0x2000 + 0xfee); /* IOPL 3 and IF = VIF */
    ck_assert_uint_eq(image & (FL_IF | FL_IOPL), FL_IF | FL_IOPL);
    ck_assert(int_return(c, OSZ16));
    ck_assert(c->rflags & FL_VIF);
    ck_assert_uint_eq(c->rip, 0x42);
    r->bytes[RIG_TSS + 0x68 + 4] = 2; /* vector 21h to the monitor: needs IOPL 3 */
    ck_assert(!int_software(c, 0x21, 0));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(nmi_is_blocked_until_iret)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    rig_gate(r, 2, 0x08, 0x5000, 0x8e);
    cpu_do_nmi(c);
    ck_assert_uint_eq(c->rip, 0x5000);
    ck_assert(c->nmi_blocked);
    ck_assert(int_return(c, OSZ32));
    ck_assert(!c->nmi_blocked);
    rig_free(r);
}
END_TEST

START_TEST(task_gate_takes_the_double_fault)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    rig_desc(r, RIG_GDT + 0x60, 0x2800, 0x67, 0x89, 0);
    u8 *t = r->bytes + 0x2800;
    st32(t + 0x20, 0x7777);
    st32(t + 0x38, 0x6000);
    static const u16 sels[6] = { 0x10, 0x08, 0x10, 0x10, 0, 0 };
    for (unsigned i = 0; i < 6; i++) st16(t + 0x48 + i * 4, sels[i]);
    rig_gate(r, 8, 0x60, 0, 0x85);
    c->insn_rip = 0x4000;
    c->seg[SEG_SS].limit = 0; /* no room for any frame */
    c->seg[SEG_SS].attr &= (u16)~ATTR_G;
    rig_gate(r, 12, 0x08, 0x5000, 0x8e);
    exc_raise_err(c, EXC_SS, 0);
    exc_deliver(c);
    ck_assert_uint_eq(c->tr.sel, 0x60);
    ck_assert_uint_eq(c->rip, 0x7777);
    ck_assert_uint_eq(c->r[RSP], 0x5ffc); /* error code on the new stack */
    ck_assert_uint_eq(ld32(r->bytes + 0x5ffc), 0);
    ck_assert_uint_eq(ld32(r->bytes + RIG_TSS + 0x20), 0x4000);
    rig_free(r);
}
END_TEST

START_TEST(code_breakpoint_is_a_fault_that_rf_suppresses)
{
    struct rig *r = rig_new("win7");
    struct cpu *c = r->c;
    rig_protected(r, 0);
    rig_gate(r, 1, 0x08, 0x5000, 0x8e);
    c->dr[2] = 0x4000;
    c->dr[7] = 0x400 | 0x20;
    cpu_dr7_changed(c);
    ck_assert(c->events & CE_DRX);
    c->rflags |= FL_RF;
    ck_assert(!exc_code_breakpoint(c));
    c->rflags &= ~(u64)FL_RF;
    ck_assert(exc_code_breakpoint(c));
    ck_assert_uint_eq(c->dr[6], 0xffff0ff4);
    ck_assert_uint_eq(c->rip, 0x5000);
    ck_assert_uint_eq(ld32(r->bytes + c->r[RSP]), 0x4000);
    rig_free(r);
}
END_TEST

START_TEST(executed_code_runs_through_faults_and_handlers)
{
    /* mov eax, 5; ud2; hlt / handler: add dword [esp], 2; inc eax; iret */
    static const u8 code[] = { 0xb8, 5, 0, 0, 0, 0x0f, 0x0b, 0xf4 };
    static const u8 handler[] = { 0x83, 0x04, 0x24, 0x02, 0x40, 0xcf };
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    rig_gate(r, 6, 0x08, 0x5000, 0x8e);
    rig_code(r, 0x4000, code, sizeof(code));
    rig_code(r, 0x5000, handler, sizeof(handler));
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX], 6);
    ck_assert_uint_eq(r->c->rip, 0x4008);
    ck_assert(cpu_is_idle(r->c));
    rig_free(r);
}
END_TEST

Suite *exc_suite(void);
Suite *exc_suite(void)
{
    Suite *s = suite_create("exc");
    TCase *t = tcase_create("exc");
    tcase_add_test(t, fault_from_user_level_builds_a_full_frame);
    tcase_add_test(t, trap_gate_keeps_if);
    tcase_add_test(t, software_interrupt_checks_gate_dpl_without_ext);
    tcase_add_test(t, contributory_pair_is_a_double_fault);
    tcase_add_test(t, benign_fault_then_gp_is_serial_with_ext);
    tcase_add_test(t, triple_fault_shuts_down_and_tells_the_machine);
    tcase_add_test(t, page_fault_in_page_fault_keeps_the_second_cr2);
    tcase_add_test(t, long_mode_interrupt_aligns_and_nulls_ss);
    tcase_add_test(t, long_mode_refuses_16_bit_and_task_gates);
    tcase_add_test(t, v86_interrupt_pushes_segments_for_the_monitor);
    tcase_add_test(t, v86_interrupt_needs_iopl_3);
    tcase_add_test(t, vme_redirects_to_the_8086_handler);
    tcase_add_test(t, nmi_is_blocked_until_iret);
    tcase_add_test(t, task_gate_takes_the_double_fault);
    tcase_add_test(t, code_breakpoint_is_a_fault_that_rf_suppresses);
    tcase_add_test(t, executed_code_runs_through_faults_and_handlers);
    suite_add_tcase(s, t);
    return s;
}
