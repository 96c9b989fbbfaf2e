/* The 8237 pair: programming, both directions, terminal count, autoinitialise, wrap, words, page
 * registers. */
#include "devices/i8237.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *dma;

static void setup(void)
{
    b = board_bare();
    dma = board_device(b, &dma_class);
}

static void teardown(void)
{
    board_free(b);
}

static void program2(u8 mode, u32 addr, u16 count)
{
    out8(b, 0x0a, 6);
    out8(b, 0x0c, 0);
    out8(b, 0x0b, mode | 2);
    out8(b, 0x04, addr);
    out8(b, 0x04, addr >> 8);
    out8(b, 0x81, addr >> 16);
    out8(b, 0x05, count);
    out8(b, 0x05, count >> 8);
    out8(b, 0x0a, 2);
}

START_TEST(device_to_memory_until_terminal_count)
{
    u8 buf[16] = "0123456789abcde";
    bool tc;
    program2(0x44, 0x12340, 9);
    ck_assert_int_eq(i8237_direction(dma, 2), DMA_TO_MEMORY);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf, 4, &tc), 4);
    ck_assert(!tc);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf + 4, 12, &tc), 6);
    ck_assert(tc);
    ck_assert_mem_eq(b->ram + 0x12340, "0123456789\0", 11);
    ck_assert_uint_eq(in8(b, 0x08), 0x04);
    ck_assert_uint_eq(in8(b, 0x08), 0x00);
    ck_assert_int_eq(i8237_direction(dma, 2), DMA_OFF);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf, 4, &tc), 0);
}
END_TEST

START_TEST(memory_to_device)
{
    u8 buf[4] = { 0 };
    memcpy(b->ram + 0x2000, "abcd", 4);
    program2(0x48, 0x2000, 99);
    ck_assert_int_eq(i8237_direction(dma, 2), DMA_TO_DEVICE);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf, 4, NULL), 4);
    ck_assert_mem_eq(buf, "abcd", 4);
    out8(b, 0x0c, 0);
    ck_assert_uint_eq(in8(b, 0x04), 0x04);
    ck_assert_uint_eq(in8(b, 0x04), 0x20);
    ck_assert_uint_eq(in8(b, 0x05), 95);
    ck_assert_uint_eq(in8(b, 0x05), 0);
}
END_TEST

START_TEST(autoinitialise_starts_over)
{
    u8 buf[4] = "abcd", again[4] = "wxyz";
    bool tc;
    program2(0x54, 0x3000, 3);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf, 4, &tc), 4);
    ck_assert(tc);
    ck_assert_uint_eq(i8237_transfer(dma, 2, again, 4, &tc), 4);
    ck_assert_mem_eq(b->ram + 0x3000, "wxyz", 4);
}
END_TEST

START_TEST(address_wraps_inside_the_page)
{
    u8 buf[4] = "abcd";
    program2(0x44, 0x2fffe, 3);
    i8237_transfer(dma, 2, buf, 4, NULL);
    ck_assert_mem_eq(b->ram + 0x2fffe, "ab", 2);
    ck_assert_mem_eq(b->ram + 0x20000, "cd", 2);
}
END_TEST

START_TEST(downwards)
{
    u8 buf[3] = "abc";
    program2(0x64, 0x4002, 2);
    i8237_transfer(dma, 2, buf, 3, NULL);
    ck_assert_mem_eq(b->ram + 0x4000, "cba", 3);
}
END_TEST

START_TEST(verify_counts_only)
{
    u8 buf[3] = "abc";
    bool tc;
    program2(0x40, 0x4000, 2);
    ck_assert_uint_eq(i8237_transfer(dma, 2, buf, 3, &tc), 3);
    ck_assert(tc);
    ck_assert_uint_eq(b->ram[0x4000], 0);
}
END_TEST

START_TEST(word_channel)
{
    u8 buf[4] = "abcd";
    bool tc;
    out8(b, 0xd8, 0);
    out8(b, 0xd6, 0x45);
    out8(b, 0xc4, 0x00);
    out8(b, 0xc4, 0x80); /* word address 8000h */
    out8(b, 0x8b, 0x03); /* page bit 0 is ignored: 20000h + 10000h */
    out8(b, 0xc6, 1);
    out8(b, 0xc6, 0);
    out8(b, 0xd4, 1);
    ck_assert_uint_eq(i8237_transfer(dma, 5, buf, 4, &tc), 4);
    ck_assert(tc);
    ck_assert_mem_eq(b->ram + 0x30000, "abcd", 4);
}
END_TEST

START_TEST(masks_and_page_storage)
{
    ck_assert_uint_eq(in8(b, 0x0f) & 0x0f, 0x0f);
    out8(b, 0x0e, 0);
    ck_assert_uint_eq(in8(b, 0x0f) & 0x0f, 0);
    out8(b, 0x0f, 5);
    ck_assert_uint_eq(in8(b, 0x0f) & 0x0f, 5);
    out8(b, 0x0d, 0);
    ck_assert_uint_eq(in8(b, 0x0f) & 0x0f, 0x0f);
    out8(b, 0x84, 0x5a);
    ck_assert_uint_eq(in8(b, 0x84), 0x5a);
    ck_assert_uint_eq(in8(b, 0x80), 0xff); /* not ours */
    ck_assert_int_eq(i8237_direction(dma, 99), DMA_OFF);
}
END_TEST

UNIT_SUITE(dma, device_to_memory_until_terminal_count, memory_to_device, autoinitialise_starts_over,
           address_wraps_inside_the_page, downwards, verify_counts_only, word_channel,
           masks_and_page_storage)
