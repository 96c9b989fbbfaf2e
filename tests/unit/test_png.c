/* PNG writer: chunks, checksums, pixels, and what it says when it cannot write. */
#include "machine/host/png.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/unit/harness.h"

static char path[64];

static void setup(void)
{
    snprintf(path, sizeof(path), "/tmp/aeropc-png-%d.png", (int)getpid());
}

static void teardown(void)
{
    unlink(path);
}

static u32 big32(const u8 *p)
{
    return __builtin_bswap32(ld32(p));
}

START_TEST(writes_a_picture)
{
    static const u32 pixels[6] = { 0x010203, 0xff0000, 0x00ff00, 0x0000ff, 0xffffff, 0xaa123456 };
    static const u8 rows[20] = { 0, 1, 2, 3,   255, 0,   0,   0,    255,  0,
                                 0, 0, 0, 255, 255, 255, 255, 0x12, 0x34, 0x56 };
    u8 file[512], raw[64];
    struct error e = { "" };
    uLongf raw_len = sizeof(raw);
    ck_assert_msg(png_write(path, pixels, 3, 2, &e) == 0, "%s", e.text);
    FILE *f = fopen(path, "rb");
    size_t n = fread(file, 1, sizeof(file), f), idat = 0;
    fclose(f);
    ck_assert_mem_eq(file, "\211PNG\r\n\032\n", 8);
    for (size_t at = 8; at < n; at += 12 + big32(file + at)) {
        u32 len = big32(file + at);
        ck_assert_uint_eq(big32(file + at + 8 + len), crc32(0, file + at + 4, len + 4));
        if (!memcmp(file + at + 4, "IDAT", 4)) idat = at;
    }
    ck_assert_uint_eq(big32(file + 16), 3);
    ck_assert_uint_eq(big32(file + 20), 2);
    ck_assert_mem_eq(file + n - 8, "IEND", 4);
    ck_assert_uint_gt(idat, 0);
    ck_assert_int_eq(uncompress(raw, &raw_len, file + idat + 8, big32(file + idat)), Z_OK);
    ck_assert_uint_eq(raw_len, sizeof(rows));
    ck_assert_mem_eq(raw, rows, sizeof(rows));
}
END_TEST

START_TEST(refuses_clearly)
{
    u32 pixel = 0;
    struct error e = { "" };
    ck_assert_int_eq(png_write(path, &pixel, 0, 0, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "no picture"));
    ck_assert_int_eq(png_write("/nonexistent/x.png", &pixel, 1, 1, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
    ck_assert_int_eq(png_write("/dev/full/x.png", &pixel, 1, 1, &e), -1);
}
END_TEST

UNIT_SUITE(png, writes_a_picture, refuses_clearly)
