/* Address spaces: priorities, moves, decode bits, splitting, aliases, page flags, DMA and what
 * answers where nothing is mapped. */
#include "machine/core/bus.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct region io1, io2;
static struct chip {
    u64 last_offset, last_value, value;
    unsigned last_size, reads, writes;
} chip1, chip2;

static u64 chip_read(void *opaque, u64 offset, unsigned size)
{
    struct chip *c = opaque;
    c->last_offset = offset;
    c->last_size = size;
    c->reads++;
    return c->value;
}

static void chip_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct chip *c = opaque;
    c->last_offset = offset;
    c->last_value = value;
    c->last_size = size;
    c->writes++;
}

static const struct io_ops bytes = { chip_read, chip_write, 1, 1 },
                           any = { chip_read, chip_write, 0, 0 },
                           dwords = { chip_read, chip_write, 4, 4 };

static void setup(void)
{
    b = board_bare();
    memset(&chip1, 0, sizeof(chip1));
    memset(&chip2, 0, sizeof(chip2));
    memset(&io1, 0, sizeof(io1));
    memset(&io2, 0, sizeof(io2));
}

static void teardown(void)
{
    bus_unmap(&io1);
    bus_unmap(&io2);
    board_free(b);
}

START_TEST(higher_priority_answers_and_gives_way_when_disabled)
{
    region_init_io(&io1, "one", 0x1000, &any, &chip1);
    chip1.value = 0x55;
    ck_assert_int_eq(bus_map(&b->mem, 0x8000, &io1, 1, NULL), 0);
    set_mem32(b, 0x8000, 7);
    ck_assert_uint_eq(chip1.last_value, 7);
    ck_assert_uint_eq(mem32(b, 0x8000), 0x55);
    bus_enable(&io1, false);
    ck_assert_uint_eq(mem32(b, 0x8000), 0); /* the RAM below was not written */
}
END_TEST

START_TEST(equal_priority_collision_names_both)
{
    struct error e;
    region_init_io(&io1, "timer", 4, &any, &chip1);
    region_init_io(&io2, "speaker", 4, &any, &chip2);
    ck_assert_int_eq(bus_map(&b->io, 0x40, &io1, 0, &e), 0);
    ck_assert_int_eq(bus_map(&b->io, 0x43, &io2, 0, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "timer"));
    ck_assert_ptr_nonnull(strstr(e.text, "speaker"));
    ck_assert_int_eq(bus_map(&b->io, 0xfffe, &io2, 0, &e), -1); /* sticks out */
}
END_TEST

START_TEST(moved_region_answers_at_its_new_place_only)
{
    region_init_io(&io1, "bar", 0x100, &any, &chip1);
    chip1.value = 1;
    ck_assert_int_eq(bus_map(&b->mem, 0xe0000000, &io1, 0, NULL), 0);
    u32 generation = b->mem.generation;
    bus_move(&io1, 0xe1000000);
    ck_assert_uint_ne(b->mem.generation, generation);
    ck_assert_uint_eq(mem32(b, 0xe0000000), 0xffffffff);
    ck_assert_uint_eq(mem32(b, 0xe1000000), 1);
    bus_move(&io1, (1ull << 40) - 4); /* a guest may write any BAR */
    ck_assert_uint_eq(mem32(b, 0xe1000000), 0xffffffff);
}
END_TEST

START_TEST(decode_bits_split_reads_from_writes)
{
    region_init_io(&io1, "shadow", 0x1000, &any, &chip1);
    chip1.value = 0xaa;
    ck_assert_int_eq(bus_map(&b->mem, 0xc000, &io1, 1, NULL), 0);
    region_set_decode(&io1, DECODE_READ);
    set_mem32(b, 0xc000, 0x11);
    ck_assert_uint_eq(chip1.writes, 0);
    ck_assert_uint_eq(mem32(b, 0xc000), 0xaa);
    region_set_decode(&io1, DECODE_WRITE);
    ck_assert_uint_eq(mem32(b, 0xc000), 0x11);
}
END_TEST

START_TEST(wide_access_is_split_for_a_byte_chip)
{
    region_init_io(&io1, "bytes", 8, &bytes, &chip1);
    ck_assert_int_eq(bus_map(&b->io, 0x300, &io1, 0, NULL), 0);
    chip1.value = 0x12;
    ck_assert_uint_eq(in32(b, 0x300), 0x12121212);
    ck_assert_uint_eq(chip1.reads, 4);
    out16(b, 0x302, 0xbbaa);
    ck_assert_uint_eq(chip1.writes, 2);
    ck_assert_uint_eq(chip1.last_offset, 3);
    ck_assert_uint_eq(chip1.last_value, 0xbb);
}
END_TEST

START_TEST(narrow_access_reads_the_unit_around_it)
{
    region_init_io(&io1, "dwords", 16, &dwords, &chip1);
    ck_assert_int_eq(bus_map(&b->mem, 0xf0000000, &io1, 0, NULL), 0);
    chip1.value = 0x44332211;
    ck_assert_uint_eq(bus_read(&b->mem, 0xf0000006, 1), 0x33);
    ck_assert_uint_eq(chip1.last_offset, 4);
    bus_write(&b->mem, 0xf0000005, 0x99, 1);
    ck_assert_uint_eq(chip1.last_value, 0x44339911);
    ck_assert_uint_eq(chip1.last_size, 4);
}
END_TEST

START_TEST(access_across_two_regions_asks_both)
{
    region_init_io(&io1, "left", 0x10, &bytes, &chip1);
    region_init_io(&io2, "right", 0x10, &bytes, &chip2);
    ck_assert_int_eq(bus_map(&b->io, 0x500, &io1, 0, NULL), 0);
    ck_assert_int_eq(bus_map(&b->io, 0x510, &io2, 0, NULL), 0);
    chip1.value = 0x11;
    chip2.value = 0x22;
    ck_assert_uint_eq(in32(b, 0x50e), 0x22221111);
    out32(b, 0x50d, 0x04030201);
    ck_assert_uint_eq(chip1.writes, 3);
    ck_assert_uint_eq(chip2.last_value, 4);
}
END_TEST

START_TEST(nothing_mapped_reads_ones_and_is_counted)
{
    ck_assert_uint_eq(in8(b, 0x1234), 0xff);
    ck_assert_uint_eq(in32(b, 0x1234), 0xffffffff);
    out8(b, 0x1234, 1);
    ck_assert_uint_eq(b->io.unassigned_reads, 2);
    ck_assert_uint_eq(b->io.unassigned_writes, 1);
    ck_assert_uint_eq(bus_read(&b->mem, 1ull << 40, 8), ~0ull); /* beyond the address lines */
    bus_write(&b->mem, ~0ull - 3, 0, 8);
}
END_TEST

START_TEST(every_port_finds_its_region)
{
    region_init_io(&io1, "last", 1, &any, &chip1);
    chip1.value = 0x77;
    ck_assert_int_eq(bus_map(&b->io, 0xffff, &io1, 0, NULL), 0);
    ck_assert_uint_eq(in8(b, 0xffff), 0x77);
    ck_assert_uint_eq(in8(b, 0xfffe), 0xff);
    ck_assert_uint_eq(bus_read(&b->io, 0xffff, 2), 0xff77);
}
END_TEST

START_TEST(rom_absorbs_writes_and_alias_shares_memory)
{
    struct region rom, alias;
    u8 *mem = aligned_alloc(4096, 0x4000);
    memset(mem, 0x5a, 0x4000);
    region_init_rom(&rom, "rom", 0x4000, mem);
    region_init_alias(&alias, "rom-low", &rom, 0x2000, 0x2000);
    ck_assert_int_eq(bus_map(&b->mem, 0xffffc000, &rom, 0, NULL), 0);
    ck_assert_int_eq(bus_map(&b->mem, 0xe0000, &alias, 1, NULL), 0);
    set_mem32(b, 0xffffe000, 0);
    dma_write(&b->mem, 0xffffe000, "abcd", 4);
    ck_assert_uint_eq(mem32(b, 0xe0000), 0x5a5a5a5a);
    mem[0x2000] = 1;
    ck_assert_uint_eq(mem32(b, 0xe0000), 0x5a5a5a01);
    ck_assert_ptr_null(dma_map(&b->mem, 0xffffe000, 4, true));
    ck_assert_ptr_eq(dma_map(&b->mem, 0xe0000, 4, false), mem + 0x2000);
    bus_unmap(&alias);
    region_fini(&rom);
    free(mem);
}
END_TEST

START_TEST(dma_crosses_from_ram_into_a_chip)
{
    u8 buf[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    region_init_io(&io1, "window", 0x1000, &bytes, &chip1);
    ck_assert_int_eq(bus_map(&b->mem, 0x9000, &io1, 1, NULL), 0);
    dma_write(&b->mem, 0x8ffc, buf, 8);
    ck_assert_uint_eq(mem32(b, 0x8ffc), 0x04030201);
    ck_assert_uint_eq(chip1.writes, 4);
    chip1.value = 0x99;
    dma_read(&b->mem, 0x8ffc, buf, 8);
    ck_assert_mem_eq(buf, "\1\2\3\4\x99\x99\x99\x99", 8);
    ck_assert_ptr_null(dma_map(&b->mem, 0x8ffc, 8, false));
}
END_TEST

START_TEST(dirty_pages_are_taken_once)
{
    u8 dirty[4];
    region_take_dirty(&b->ram_region, 0, HARNESS_RAM, NULL);
    set_mem32(b, 0x2ffe, 0); /* two pages */
    ck_assert(region_take_dirty(&b->ram_region, 0x1000, 0x4000, dirty));
    ck_assert_mem_eq(dirty, "\0\1\1\0", 4);
    ck_assert(!region_take_dirty(&b->ram_region, 0x1000, 0x4000, NULL));
}
END_TEST

static u64 told_offset, told_len;
static void told(void *opaque, struct region *r, u64 offset, u64 len)
{
    (void)opaque, (void)r;
    told_offset = offset;
    told_len = len;
}

START_TEST(writing_code_pages_is_reported)
{
    b->mem.code_written = told;
    told_len = 0;
    set_mem32(b, 0x3000, 1);
    ck_assert_uint_eq(told_len, 0);
    b->ram_region.page_flags[3] |= PAGE_CODE;
    dma_write(&b->mem, 0x3ff0, "0123456789abcdef0123", 20);
    ck_assert_uint_eq(told_offset, 0x3ff0);
    ck_assert_uint_eq(told_len, 16);
}
END_TEST

UNIT_SUITE(bus, higher_priority_answers_and_gives_way_when_disabled,
           equal_priority_collision_names_both, moved_region_answers_at_its_new_place_only,
           decode_bits_split_reads_from_writes, wide_access_is_split_for_a_byte_chip,
           narrow_access_reads_the_unit_around_it, access_across_two_regions_asks_both,
           nothing_mapped_reads_ones_and_is_counted, every_port_finds_its_region,
           rom_absorbs_writes_and_alias_shares_memory, dma_crosses_from_ram_into_a_chip,
           dirty_pages_are_taken_once, writing_code_pages_is_reported)
