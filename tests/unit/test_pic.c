/* The 8259 pair: initialisation, priorities, modes, spurious interrupts, ELCR. */
#include "devices/i8259.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *pic;
static struct wire *intr;

static void setup(void)
{
    b = board_bare();
    pic = board_add(b, &pic_class);
    intr = board_wire(b, pic, "intr", 0);
    board_start(b, pic);
    out8(b, 0x20, 0x11);
    out8(b, 0x21, 0x08);
    out8(b, 0x21, 0x04);
    out8(b, 0x21, 0x01);
    out8(b, 0xa0, 0x11);
    out8(b, 0xa1, 0x70);
    out8(b, 0xa1, 0x02);
    out8(b, 0xa1, 0x01);
}

static void teardown(void)
{
    board_free(b);
}

START_TEST(edge_is_delivered_once)
{
    set_pin(pic, 4, true);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x0c);
    ck_assert(!intr->level);
    out8(b, 0x20, 0x20);
    ck_assert(!intr->level);
    set_pin(pic, 4, false);
    set_pin(pic, 4, true);
    ck_assert(intr->level);
}
END_TEST

START_TEST(mask_holds_a_request_back)
{
    out8(b, 0x21, 0xff);
    set_pin(pic, 1, true);
    ck_assert(!intr->level);
    out8(b, 0x21, 0xfd);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 9);
}
END_TEST

START_TEST(priorities_nest)
{
    set_pin(pic, 5, true);
    ck_assert_int_eq(i8259_intack(pic), 0x0d);
    set_pin(pic, 6, true);
    ck_assert(!intr->level);
    set_pin(pic, 1, true);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 9);
    out8(b, 0x20, 0x0b);
    ck_assert_int_eq(in8(b, 0x20), 0x22);
    out8(b, 0x20, 0x20); /* ends 1 */
    ck_assert_int_eq(in8(b, 0x20), 0x20);
    ck_assert(!intr->level);
    out8(b, 0x20, 0x65); /* ends 5 specifically */
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x0e);
}
END_TEST

START_TEST(slave_comes_through_the_cascade)
{
    set_pin(pic, 12, true);
    ck_assert_int_eq(i8259_intack(pic), 0x74);
    out8(b, 0x20, 0x0b);
    out8(b, 0xa0, 0x0b);
    ck_assert_int_eq(in8(b, 0x20), 0x04);
    ck_assert_int_eq(in8(b, 0xa0), 0x10);
    set_pin(pic, 8, true);
    ck_assert(!intr->level); /* the master serves input 2 already */
    out8(b, 0xa0, 0x20);
    out8(b, 0x20, 0x20);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x70);
}
END_TEST

START_TEST(specially_nested_master_lets_slave_preempt)
{
    out8(b, 0x20, 0x11);
    out8(b, 0x21, 0x08);
    out8(b, 0x21, 0x04);
    out8(b, 0x21, 0x11);
    set_pin(pic, 12, true);
    ck_assert_int_eq(i8259_intack(pic), 0x74);
    set_pin(pic, 8, true);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x70);
}
END_TEST

START_TEST(level_line_asks_again_after_eoi)
{
    out8(b, 0x4d1, 0x0c);
    ck_assert_int_eq(in8(b, 0x4d1), 0x0c);
    set_pin(pic, 11, true);
    ck_assert_int_eq(i8259_intack(pic), 0x73);
    out8(b, 0xa0, 0x20);
    out8(b, 0x20, 0x20);
    ck_assert(intr->level);
    set_pin(pic, 11, false);
    ck_assert(!intr->level);
}
END_TEST

START_TEST(elcr_keeps_system_inputs_edge)
{
    out8(b, 0x4d0, 0xff);
    out8(b, 0x4d1, 0xff);
    ck_assert_int_eq(in8(b, 0x4d0), 0xf8);
    ck_assert_int_eq(in8(b, 0x4d1), 0xde);
}
END_TEST

START_TEST(w7_161_vanished_request_is_spurious_seven)
{
    set_pin(pic, 3, true);
    set_pin(pic, 3, false);
    ck_assert(!intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x0f);
    out8(b, 0x20, 0x0b);
    ck_assert_int_eq(in8(b, 0x20), 0);
}
END_TEST

START_TEST(auto_eoi_leaves_nothing_in_service)
{
    out8(b, 0x20, 0x11);
    out8(b, 0x21, 0x08);
    out8(b, 0x21, 0x04);
    out8(b, 0x21, 0x03);
    set_pin(pic, 5, true);
    ck_assert_int_eq(i8259_intack(pic), 0x0d);
    out8(b, 0x20, 0x0b);
    ck_assert_int_eq(in8(b, 0x20), 0);
}
END_TEST

START_TEST(rotation_makes_served_input_lowest)
{
    set_pin(pic, 3, true);
    ck_assert_int_eq(i8259_intack(pic), 0x0b);
    set_pin(pic, 3, false);
    out8(b, 0x20, 0xa0); /* rotate on non-specific EOI */
    set_pin(pic, 3, true);
    set_pin(pic, 4, true);
    ck_assert_int_eq(i8259_intack(pic), 0x0c);
    out8(b, 0x20, 0x64);
    out8(b, 0x20, 0xc3); /* set priority: 3 is lowest, 4 highest */
    set_pin(pic, 7, true);
    ck_assert_int_eq(i8259_intack(pic), 0x0f);
}
END_TEST

START_TEST(special_mask_unblocks_lower_inputs)
{
    set_pin(pic, 1, true);
    ck_assert_int_eq(i8259_intack(pic), 9);
    set_pin(pic, 4, true);
    ck_assert(!intr->level);
    out8(b, 0x21, 0x02);
    out8(b, 0x20, 0x68);
    ck_assert(intr->level);
    ck_assert_int_eq(i8259_intack(pic), 0x0c);
}
END_TEST

START_TEST(poll_acknowledges)
{
    set_pin(pic, 6, true);
    out8(b, 0x20, 0x0c);
    ck_assert_int_eq(in8(b, 0x20), 0x86);
    ck_assert(!intr->level);
    out8(b, 0x20, 0x0b);
    ck_assert_int_eq(in8(b, 0x20), 0x40);
    out8(b, 0x20, 0x0c);
    ck_assert_int_eq(in8(b, 0x20), 0);
}
END_TEST

START_TEST(icw1_forgets_edges_and_mask)
{
    out8(b, 0x21, 0xff);
    set_pin(pic, 1, true);
    out8(b, 0x20, 0x11);
    out8(b, 0x21, 0x20);
    out8(b, 0x21, 0x04);
    ck_assert(!intr->level);
    out8(b, 0x21, 0x01);
    ck_assert_int_eq(in8(b, 0x21), 0);
    ck_assert(!intr->level);
}
END_TEST

UNIT_SUITE(pic, edge_is_delivered_once, mask_holds_a_request_back, priorities_nest,
           slave_comes_through_the_cascade, specially_nested_master_lets_slave_preempt,
           level_line_asks_again_after_eoi, elcr_keeps_system_inputs_edge,
           w7_161_vanished_request_is_spurious_seven, auto_eoi_leaves_nothing_in_service,
           rotation_makes_served_input_lowest, special_mask_unblocks_lower_inputs,
           poll_acknowledges, icw1_forgets_edges_and_mask)
