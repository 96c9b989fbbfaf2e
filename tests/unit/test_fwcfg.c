/* Firmware configuration: signature, items, directory, bounds. */
#include "devices/fwcfg.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *fw;

static void setup(void)
{
    b = board_bare();
    fw = board_device(b, &fwcfg_class);
}

static void teardown(void)
{
    board_free(b);
}

static void rd(u16 item, void *buf, unsigned n)
{
    out16(b, 0x510, item);
    for (unsigned i = 0; i < n; i++) ((u8 *)buf)[i] = in8(b, 0x511);
}

START_TEST(signature_and_version)
{
    u8 v[6];
    rd(0, v, 6);
    ck_assert_mem_eq(v, "QEMU\0\0", 6);
    rd(1, v, 4);
    ck_assert_mem_eq(v, "\1\0\0\0", 4);
}
END_TEST

START_TEST(numbered_items)
{
    u8 v[9];
    ck_assert_int_eq(fwcfg_add_item(fw, FWCFG_RAM_SIZE, "\0\0\0\x80\0\0\0", 8), 0);
    rd(3, v, 9);
    ck_assert_mem_eq(v, "\0\0\0\x80\0\0\0\0\0", 9);
    ck_assert_int_eq(fwcfg_add_item(fw, 0, "x", 1), -1);
    ck_assert_int_eq(fwcfg_add_item(fw, 0x19, "x", 1), -1);
    ck_assert_int_eq(fwcfg_add_item(fw, 0x4000, "x", 1), -1);
}
END_TEST

START_TEST(directory_is_sorted_and_big_endian)
{
    u8 d[4 + 128];
    char file[4];
    ck_assert_int_eq(fwcfg_add_file(fw, "etc/zebra", "zzz", 3), 0);
    ck_assert_int_eq(fwcfg_add_file(fw, "etc/apple", "a", 1), 0);
    ck_assert_int_eq(fwcfg_add_file(fw, "etc/zebra", "zz", 2), 0); /* replaces */
    rd(0x19, d, sizeof(d));
    ck_assert_mem_eq(d, "\0\0\0\2", 4);
    ck_assert_mem_eq(d + 4, "\0\0\0\1\0\x21\0\0etc/apple\0", 18);
    ck_assert_mem_eq(d + 68, "\0\0\0\2\0\x20\0\0etc/zebra\0", 18);
    rd(0x20, file, 4);
    ck_assert_mem_eq(file, "zz\0\0", 4);
    rd(0x21, file, 2);
    ck_assert_mem_eq(file, "a\0", 2);
}
END_TEST

START_TEST(limits)
{
    char name[80];
    memset(name, 'x', sizeof(name));
    name[56] = 0;
    ck_assert_int_eq(fwcfg_add_file(fw, name, "", 0), -1);
    name[55] = 0;
    ck_assert_int_eq(fwcfg_add_file(fw, name, "", 0), 0);
    ck_assert_int_eq(fwcfg_add_file(fw, "", "", 0), -1);
    for (int i = 1; i < FWCFG_MAX_FILES; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        ck_assert_int_eq(fwcfg_add_file(fw, name, "q", 1), 0);
    }
    ck_assert_int_eq(fwcfg_add_file(fw, "one more", "q", 1), -1);
}
END_TEST

/* Runs (REP INSB) end with the item; what is behind it is read one by one. */
START_TEST(runs_go_on_where_reads_were)
{
    u8 v[8] = { 0 };
    struct bus *io = &b->io;
    ck_assert_int_eq(fwcfg_add_item(fw, 5, "abcdef", 6), 0);
    out16(b, 0x510, 5);
    ck_assert_uint_eq(in8(b, 0x511), 'a');
    ck_assert_uint_eq(bus_read_run(io, 0x511, 2, v, 2), 0);
    ck_assert_uint_eq(bus_read_run(io, 0x511, 1, v, 3), 3);
    ck_assert_mem_eq(v, "bcd\0", 4);
    ck_assert_uint_eq(bus_read_run(io, 0x511, 1, v, 8), 2);
    ck_assert_mem_eq(v, "efd\0", 4);
    ck_assert_uint_eq(bus_read_run(io, 0x511, 1, v, 8), 0);
    ck_assert_uint_eq(bus_write_run(io, 0x511, 1, v, 8), 0);
    ck_assert_uint_eq(in8(b, 0x511), 0);
}
END_TEST

START_TEST(unknown_items_read_zero)
{
    u8 v[4];
    static const u16 items[] = { 2, 0x18, 0x1a, 0x20, 0x3fff, 0x7fff, 0x8000, 0xffff };
    for (size_t i = 0; i < LEN(items); i++) {
        rd(items[i], v, 4);
        ck_assert_mem_eq(v, "\0\0\0\0", 4);
    }
    out8(b, 0x511, 0xff); /* writes change nothing */
    rd(0, v, 4);
    ck_assert_mem_eq(v, "QEMU", 4);
}
END_TEST

UNIT_SUITE(fwcfg, signature_and_version, numbered_items, directory_is_sorted_and_big_endian, limits,
           runs_go_on_where_reads_were, unknown_items_read_zero)
