/* The I/O APIC: messages it sends, masking, level interrupts and their end. */
#include "devices/ioapic.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *io;

static void setup(void)
{
    b = board_bare();
    io = board_device(b, &ioapic_class);
}

static void teardown(void)
{
    board_free(b);
}

static u32 rd(u8 index)
{
    set_mem32(b, 0xfec00000, index);
    return mem32(b, 0xfec00010);
}

static void wr(u8 index, u32 v)
{
    set_mem32(b, 0xfec00000, index);
    set_mem32(b, 0xfec00010, v);
}

START_TEST(identity)
{
    ck_assert_uint_eq(rd(1), 0x00170020);
    ck_assert_uint_eq(rd(0), 0);
    wr(0, 0x0f000000);
    ck_assert_uint_eq(rd(0), 0x0f000000);
    for (unsigned pin = 0; pin < 24; pin++) ck_assert_uint_eq(rd(0x10 + pin * 2), 0x10000);
}
END_TEST

START_TEST(edge_sends_one_message)
{
    wr(0x13, 0x03000000);
    wr(0x12, 0x0041);
    set_pin(io, 1, true);
    ck_assert_uint_eq(b->n_msi, 1);
    ck_assert_uint_eq(b->msi[0].addr, 0xfee03000);
    ck_assert_uint_eq(b->msi[0].data, 0x4041);
    set_pin(io, 1, false);
    ck_assert_uint_eq(b->n_msi, 1);
    set_pin(io, 1, true);
    ck_assert_uint_eq(b->n_msi, 2);
}
END_TEST

START_TEST(masked_edge_is_lost)
{
    set_pin(io, 1, true);
    wr(0x12, 0x0041);
    ck_assert_uint_eq(b->n_msi, 0);
}
END_TEST

START_TEST(logical_lowest_priority_address)
{
    wr(0x15, 0xff000000);
    wr(0x14, 0x0951);
    set_pin(io, 2, true);
    ck_assert_uint_eq(b->msi[0].addr, 0xfeeff00c);
    ck_assert_uint_eq(b->msi[0].data, 0x4151);
}
END_TEST

START_TEST(level_waits_for_eoi)
{
    wr(0x10 + 20, 0x8061);
    set_pin(io, 10, true);
    ck_assert_uint_eq(b->n_msi, 1);
    ck_assert_uint_eq(b->msi[0].data, 0xc061);
    ck_assert_uint_eq(rd(0x10 + 20) & 0x4000, 0x4000);
    set_pin(io, 10, false);
    set_pin(io, 10, true);
    ck_assert_uint_eq(b->n_msi, 1);
    ioapic_eoi(io, 0x60);
    ck_assert_uint_eq(b->n_msi, 1);
    ioapic_eoi(io, 0x61);
    ck_assert_uint_eq(b->n_msi, 2);
    set_pin(io, 10, false);
    set_mem32(b, 0xfec00040, 0x61);
    ck_assert_uint_eq(b->n_msi, 2);
    ck_assert_uint_eq(rd(0x10 + 20), 0x8061);
}
END_TEST

START_TEST(unmasking_a_high_level_line_sends)
{
    wr(0x10 + 22, 0x18071);
    set_pin(io, 11, true);
    ck_assert_uint_eq(b->n_msi, 0);
    wr(0x10 + 22, 0x08071);
    ck_assert_uint_eq(b->n_msi, 1);
}
END_TEST

START_TEST(polarity_bit_is_stored_only)
{
    wr(0x10 + 22, 0x0a071);
    ck_assert_uint_eq(b->n_msi, 0);
    ck_assert_uint_eq(rd(0x10 + 22), 0x0a071);
    set_pin(io, 11, true);
    ck_assert_uint_eq(b->n_msi, 1);
}
END_TEST

START_TEST(becoming_edge_clears_remote_irr)
{
    wr(0x10 + 22, 0x8071);
    set_pin(io, 11, true);
    wr(0x10 + 22, 0x10071);
    wr(0x10 + 22, 0x18071);
    ck_assert_uint_eq(rd(0x10 + 22), 0x18071);
}
END_TEST

START_TEST(indices_past_the_table_read_zero)
{
    wr(0x40, 0xffffffff);
    ck_assert_uint_eq(rd(0x40), 0);
    ck_assert_uint_eq(rd(0xff), 0);
}
END_TEST

UNIT_SUITE(ioapic, identity, edge_sends_one_message, masked_edge_is_lost,
           logical_lowest_priority_address, level_waits_for_eoi, unmasking_a_high_level_line_sends,
           polarity_bit_is_stored_only, becoming_edge_clears_remote_irr,
           indices_past_the_table_read_zero)
