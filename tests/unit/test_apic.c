/* Local APIC: priorities, EOI broadcast, IPIs, messages, timer read-back, LINT0 virtual wire, CR8,
 * relocation. */
#include "tests/unit/cpu_rig.h"

#include "cpu/apic.h"

#define APIC 0xfee00000u

static u32 rd(struct rig *r, u32 reg)
{
    u32 v = 0;
    ck_assert(lin_read(r->c, APIC + reg, &v, 4));
    return v;
}

static void wr(struct rig *r, u32 reg, u32 v)
{
    ck_assert(lin_write(r->c, APIC + reg, &v, 4));
}

static struct rig *apic_rig(void)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    wr(r, 0xf0, 0x1ff);
    cpu_set_flags(r->c, 2 | FL_IF);
    return r;
}

static void send(struct rig *r, u32 data)
{
    bus_write(&r->mem, APIC, data, 4); /* message to APIC id 0, physical */
}

START_TEST(reset_values)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    ck_assert_uint_eq(rd(r, 0x30), 0x50014);
    ck_assert_uint_eq(rd(r, 0xf0), 0xff);
    ck_assert_uint_eq(rd(r, 0xe0), 0xffffffff);
    ck_assert_uint_eq(rd(r, 0x320), 0x10000);
    ck_assert_uint_eq(rd(r, 0x370), 0x10000);
    rig_free(r);
}
END_TEST

START_TEST(higher_class_goes_first_and_eoi_lets_the_next_in)
{
    struct rig *r = apic_rig();
    send(r, 0x41);
    send(r, 0x62);
    ck_assert(r->c->events & CE_INTR);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x62);
    ck_assert_int_eq(apic_pending(r->c), -1);
    ck_assert_uint_eq(rd(r, 0xa0), 0x60);
    ck_assert_uint_eq(rd(r, 0x130), 4); /* ISR bit 62h */
    wr(r, 0xb0, 0);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x41);
    rig_free(r);
}
END_TEST

START_TEST(tpr_and_cr8_mask_by_class)
{
    struct rig *r = apic_rig();
    wr(r, 0x80, 0x40);
    send(r, 0x4f);
    ck_assert(!(r->c->events & CE_INTR));
    apic_set_tpr(r->c, 0x30);
    ck_assert(r->c->events & CE_INTR);
    ck_assert_uint_eq(rd(r, 0x80), 0x30);
    rig_free(r);
}
END_TEST

START_TEST(level_interrupt_broadcasts_its_end)
{
    struct rig *r = apic_rig();
    send(r, 0x8051); /* level */
    ck_assert_uint_eq(rd(r, 0x1a0), 1u << 17);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x51);
    ck_assert_int_eq(r->eoi_vector, -1);
    wr(r, 0xb0, 0);
    ck_assert_int_eq(r->eoi_vector, 0x51);
    r->eoi_vector = -1;
    send(r, 0x51); /* edge */
    cpu_intr_ack(r->c);
    wr(r, 0xb0, 0);
    ck_assert_int_eq(r->eoi_vector, -1);
    rig_free(r);
}
END_TEST

START_TEST(logical_destinations)
{
    struct rig *r = apic_rig();
    wr(r, 0xd0, 0x04000000);
    bus_write(&r->mem, APIC | 0x4000 | 4, 0x61, 4); /* flat, mask 4 */
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x61);
    wr(r, 0xb0, 0);
    bus_write(&r->mem, APIC | 0x2000 | 4, 0x61, 4); /* mask 2: not us */
    ck_assert_int_eq(apic_pending(r->c), -1);
    wr(r, 0xe0, 0x0fffffff);
    wr(r, 0xd0, 0x31000000);
    bus_write(&r->mem, APIC | 0x31000 | 4, 0x61, 4); /* cluster 3, member 0 */
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x61);
    rig_free(r);
}
END_TEST

START_TEST(self_ipi_and_illegal_vector)
{
    struct rig *r = apic_rig();
    wr(r, 0x300, 0x40000 | 0x2f);
    ck_assert_uint_eq(rd(r, 0x300) & 0x1000, 0);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x2f);
    wr(r, 0x300, 0x40000 | 0x05);
    ck_assert_uint_eq(rd(r, 0x280), 0); /* latched by a write */
    wr(r, 0x280, 0);
    ck_assert_uint_eq(rd(r, 0x280), 0x20);
    wr(r, 0x280, 0);
    ck_assert_uint_eq(rd(r, 0x280), 0);
    rig_free(r);
}
END_TEST

/* SDM 3A 10.11: a write to FEExxxxxh says where, its data what and how. */
START_TEST(w7_176_message_delivers_vector_destination_and_trigger)
{
    struct rig *r = apic_rig();
    bus_write(&r->mem, APIC, 0x4051, 4); /* to id 0, fixed, edge */
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x51);
    ck_assert_uint_eq(rd(r, 0x1a0), 0);
    wr(r, 0xb0, 0);
    bus_write(&r->mem, APIC | 0x1000, 0x4051, 4); /* to id 1: nobody */
    ck_assert_int_eq(apic_pending(r->c), -1);
    bus_write(&r->mem, APIC | 0xff000, 0xc062, 4); /* to all, level */
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x62);
    ck_assert_uint_eq(rd(r, 0x1b0), 4); /* TMR bit 62h */
    r->eoi_vector = -1;
    wr(r, 0xb0, 0);
    ck_assert_int_eq(r->eoi_vector, 0x62);
    wr(r, 0xd0, 0x08000000);
    bus_write(&r->mem, APIC | 0x0800c, 0x4173, 4); /* logical, redirection hint, lowest priority */
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x73);
    wr(r, 0xb0, 0);
    bus_write(&r->mem, APIC, 0x4400, 4);
    ck_assert(r->c->nmi_pending);
    rig_free(r);
}
END_TEST

/* Five periods went by before the guest took the first: all are delivered, one after the other. */
START_TEST(w7_154_periodic_ticks_that_would_merge_are_delivered_later)
{
    struct rig *r = apic_rig();
    wr(r, 0x3e0, 0xb);
    wr(r, 0x320, 0x20040);
    wr(r, 0x380, 1000000);
    clock_advance(&r->clock, 5500000);
    unsigned n = 0, in_a_row = 0, most = 0;
    for (unsigned i = 0; i < 1900; i++) { /* 95 ms in steps of 0.05 ms */
        bool got = apic_pending(r->c) >= 0;
        if (got) {
            cpu_intr_ack(r->c);
            wr(r, 0xb0, 0);
            n++;
        }
        in_a_row = got ? in_a_row + 1 : 0;
        most = MAX(most, in_a_row);
        clock_advance(&r->clock, 50000);
    }
    ck_assert_uint_ge(n, 99);
    ck_assert_uint_le(n, 101);
    ck_assert_uint_le(most, 2);
    rig_free(r);
}
END_TEST

START_TEST(w7_175_lint1_passes_what_its_entry_says)
{
    struct rig *r = apic_rig();
    wr(r, 0x360, 0x10400);
    apic_nmi_pin(r->c);
    ck_assert(!r->c->nmi_pending); /* masked */
    wr(r, 0x360, 0x400);
    apic_nmi_pin(r->c);
    ck_assert(r->c->nmi_pending);
    r->c->nmi_pending = false;
    wr(r, 0x360, 0x0057); /* fixed */
    apic_nmi_pin(r->c);
    ck_assert(!r->c->nmi_pending);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x57);
    rig_free(r);
}
END_TEST

/* The processor asks only when something is pending, so what a lost race would answer with the
 * spurious vector is no interrupt at all, and nothing gets into service. */
START_TEST(w7_172_a_request_held_back_by_tpr_leaves_nothing_in_service)
{
    struct rig *r = apic_rig();
    send(r, 0x41);
    ck_assert(r->c->events & CE_INTR);
    wr(r, 0x80, 0x40); /* before the processor came to take it */
    ck_assert(!(r->c->events & CE_INTR));
    ck_assert_int_eq(cpu_intr_ack(r->c), -1);
    for (u32 reg = 0x100; reg < 0x180; reg += 16) ck_assert_uint_eq(rd(r, reg), 0);
    wr(r, 0x80, 0);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x41);
    rig_free(r);
}
END_TEST

START_TEST(one_shot_timer_reads_back_exactly)
{
    struct rig *r = apic_rig();
    wr(r, 0x3e0, 3); /* divide by 16 */
    wr(r, 0x320, 0x40);
    wr(r, 0x380, 1000);
    clock_advance(&r->clock, 1600);
    ck_assert_uint_eq(rd(r, 0x390), 900);
    clock_advance(&r->clock, 14399);
    ck_assert_uint_eq(rd(r, 0x390), 1);
    ck_assert_int_eq(apic_pending(r->c), -1);
    clock_advance(&r->clock, 1);
    ck_assert_uint_eq(rd(r, 0x390), 0);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x40);
    clock_advance(&r->clock, 100000);
    ck_assert_int_eq(apic_pending(r->c), -1);
    rig_free(r);
}
END_TEST

START_TEST(periodic_timer_does_not_drift)
{
    struct rig *r = apic_rig();
    wr(r, 0x3e0, 0xb); /* divide by 1 */
    wr(r, 0x320, 0x20040);
    wr(r, 0x380, 1000000);
    for (unsigned i = 0; i < 10; i++) {
        clock_advance(&r->clock, 1000000);
        ck_assert_int_eq(cpu_intr_ack(r->c), 0x40);
        wr(r, 0xb0, 0);
    }
    clock_advance(&r->clock, 250000);
    ck_assert_uint_eq(rd(r, 0x390), 750000);
    wr(r, 0x320, 0x30040); /* masked: counts on, no interrupt */
    clock_advance(&r->clock, 1000000);
    ck_assert_int_eq(apic_pending(r->c), -1);
    ck_assert_uint_eq(rd(r, 0x390), 750000);
    wr(r, 0x380, 0);
    ck_assert_uint_eq(rd(r, 0x390), 0);
    rig_free(r);
}
END_TEST

START_TEST(virtual_wire_passes_the_8259)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    cpu_set_flags(r->c, 2 | FL_IF);
    r->intack_vector = 0x08;
    cpu_set_intr(r->c, true);
    ck_assert(r->c->events & CE_INTR);
    ck_assert_int_eq(cpu_intr_ack(r->c), 0x08);
    ck_assert(!(r->c->events & CE_INTR));
    wr(r, 0xf0, 0x1ff);
    wr(r, 0x350, 0x10700);
    cpu_set_intr(r->c, true);
    ck_assert(!cpu_intr_pending(r->c));
    wr(r, 0x350, 0x700);
    ck_assert(cpu_intr_pending(r->c));
    rig_free(r);
}
END_TEST

START_TEST(soft_disable_masks_everything)
{
    struct rig *r = apic_rig();
    wr(r, 0x320, 0x40);
    wr(r, 0xf0, 0xff);
    ck_assert_uint_eq(rd(r, 0x320), 0x10040);
    wr(r, 0x320, 0x40);
    ck_assert_uint_eq(rd(r, 0x320), 0x10040);
    send(r, 0x51);
    ck_assert_int_eq(apic_pending(r->c), -1);
    send(r, 0x400); /* NMI still arrives */
    ck_assert(r->c->nmi_pending);
    rig_free(r);
}
END_TEST

START_TEST(base_register_moves_and_disables)
{
    struct rig *r = apic_rig();
    u64 v;
    u32 ver;
    ck_assert(msr_read(r->c, 0x1b, &v));
    ck_assert_uint_eq(v, 0xfee00900);
    ck_assert(msr_write(r->c, 0x1b, 0x00500800));
    ck_assert(lin_read(r->c, 0x500030, &ver, 4));
    ck_assert_uint_eq(ver, 0x50014);
    ck_assert(!msr_write(r->c, 0x1b, 0xfee00c00)); /* x2APIC */
    expect_fault(r, EXC_GP, 0);
    ck_assert(msr_write(r->c, 0x1b, 0xfee00000));
    ck_assert(apic_extint_open(r->c));
    u32 out[4];
    cpuid_leaf(r->c, 1, 0, out);
    ck_assert_uint_eq(out[3] & 0x200, 0);
    rig_free(r);
}
END_TEST

START_TEST(halted_cpu_wakes_for_an_interrupt)
{
    static const u8 code[] = { 0xfb, 0xf4, 0x40, 0xf4 }; /* sti; hlt; inc eax; hlt */
    static const u8 handler[] = { 0x43, 0xcf };          /* inc ebx; iret */
    struct rig *r = apic_rig();
    rig_code(r, 0x4000, code, sizeof(code));
    rig_code(r, 0x5000, handler, sizeof(handler));
    rig_gate(r, 0x40, 0x08, 0x5000, 0x8e);
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_HALTED);
    ck_assert(cpu_is_idle(r->c));
    send(r, 0x40);
    ck_assert(!cpu_is_idle(r->c));
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX], 1);
    ck_assert_uint_eq(r->c->r[RBX], 1);
    rig_free(r);
}
END_TEST

Suite *apic_suite(void);
Suite *apic_suite(void)
{
    Suite *s = suite_create("apic");
    TCase *t = tcase_create("apic");
    tcase_add_test(t, reset_values);
    tcase_add_test(t, higher_class_goes_first_and_eoi_lets_the_next_in);
    tcase_add_test(t, tpr_and_cr8_mask_by_class);
    tcase_add_test(t, level_interrupt_broadcasts_its_end);
    tcase_add_test(t, logical_destinations);
    tcase_add_test(t, self_ipi_and_illegal_vector);
    tcase_add_test(t, w7_175_lint1_passes_what_its_entry_says);
    tcase_add_test(t, w7_172_a_request_held_back_by_tpr_leaves_nothing_in_service);
    tcase_add_test(t, w7_176_message_delivers_vector_destination_and_trigger);
    tcase_add_test(t, w7_154_periodic_ticks_that_would_merge_are_delivered_later);
    tcase_add_test(t, one_shot_timer_reads_back_exactly);
    tcase_add_test(t, periodic_timer_does_not_drift);
    tcase_add_test(t, virtual_wire_passes_the_8259);
    tcase_add_test(t, soft_disable_masks_everything);
    tcase_add_test(t, base_register_moves_and_disables);
    tcase_add_test(t, halted_cpu_wakes_for_an_interrupt);
    suite_add_tcase(s, t);
    return s;
}
