/* Floppy controller: reset protocol, identification, seeks, DMA and programmed transfers, errors, disk change. */
#include "devices/fdc.h"
#include "devices/i8237.h"
#include "tests/unit/storage_rig.h"

struct floppy {
    struct rig r;
    struct device *fdc;
    struct block *block;
    u8 result[16];
};

/* Drives A: `size` bytes, or empty for 0. Ends reset and selects the data rate. */
static void up(struct floppy *t, u64 size, u8 rate)
{
    memset(t, 0, sizeof(*t));
    rig_up(&t->r, false, true);
    struct device *dma = rig_create(&t->r, &dma_class, "dma");
    rig_start(dma);
    t->fdc = rig_create(&t->r, &fdc_class, "fdc");
    device_set_ptr(t->fdc, "dma", dma);
    if (size) {
        t->block = rig_block(&t->r, size, BLOCK_THROWAWAY);
        device_set_ptr(t->fdc, "block0", t->block);
    }
    device_connect(t->fdc, "irq", 0, rig_wire(&t->r, 6));
    rig_start(t->fdc);
    out8(&t->r, 0x3f2, 0x1c);
    advance_us(&t->r, 100);
    ck_assert(t->r.level[6]);
    out8(&t->r, 0x3f7, rate);
}

static void down(struct floppy *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->block);
    rig_down(&t->r);
}

static void send(struct floppy *t, const u8 *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        ck_assert_uint_eq(in8(&t->r, 0x3f4) & 0xc0, 0x80);
        out8(&t->r, 0x3f5, bytes[i]);
    }
}

#define SEND(t, ...) send(t, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static unsigned fetch(struct floppy *t)
{
    unsigned n = 0;
    while ((in8(&t->r, 0x3f4) & 0xd0) == 0xd0 && n < 16) t->result[n++] = in8(&t->r, 0x3f5);
    return n;
}

static void sense_reset(struct floppy *t)
{
    for (u8 i = 0; i < 4; i++) {
        SEND(t, 0x08);
        ck_assert_uint_eq(fetch(t), 2);
        ck_assert_uint_eq(t->result[0], 0xc0 | i);
    }
    ck_assert(!t->r.level[6]);
}

static void seek(struct floppy *t, u8 track)
{
    SEND(t, 0x0f, 0, track);
    ck_assert(!t->r.level[6]);
    ck_assert_uint_eq(in8(&t->r, 0x3f4) & 1, 1);
    advance_us(&t->r, 300);
    ck_assert(t->r.level[6]);
    SEND(t, 0x08);
    ck_assert_uint_eq(fetch(t), 2);
    ck_assert_uint_eq(t->result[0], 0x20);
    ck_assert_uint_eq(t->result[1], track);
}

/* Programs DMA channel 2 for `count` bytes at address; mode 46h to memory, 4Ah from memory. */
static void dma(struct floppy *t, u8 mode, u32 address, u32 count)
{
    out8(&t->r, 0x0a, 6);
    out8(&t->r, 0x0c, 0);
    out8(&t->r, 0x0b, mode);
    out8(&t->r, 0x04, (u8)address);
    out8(&t->r, 0x04, (u8)(address >> 8));
    out8(&t->r, 0x81, (u8)(address >> 16));
    out8(&t->r, 0x05, (u8)(count - 1));
    out8(&t->r, 0x05, (u8)((count - 1) >> 8));
    out8(&t->r, 0x0a, 2);
}

static void expect_result(struct floppy *t, u8 st0, u8 st1, u8 c, u8 h, u8 r)
{
    for (int i = 0; i < 1000 && !t->r.level[6]; i++) advance_us(&t->r, 1000);
    ck_assert(t->r.level[6]);
    ck_assert_uint_eq(fetch(t), 7);
    const u8 want[7] = { st0, st1, t->result[2], c, h, r, 2 };
    ck_assert_mem_eq(t->result, want, 7);
    ck_assert(!t->r.level[6]);
}

START_TEST(reset_version_and_invalid)
{
    struct floppy t;
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    SEND(&t, 0x10);
    ck_assert_uint_eq(fetch(&t), 1);
    ck_assert_uint_eq(t.result[0], 0x90);
    SEND(&t, 0x1f);
    ck_assert_uint_eq(fetch(&t), 1);
    ck_assert_uint_eq(t.result[0], 0x80);
    SEND(&t, 0x08);
    ck_assert_uint_eq(fetch(&t), 1);
    ck_assert_uint_eq(t.result[0], 0x80);
    SEND(&t, 0x04, 0);
    ck_assert_uint_eq(fetch(&t), 1);
    ck_assert_uint_eq(t.result[0], 0x38);
    SEND(&t, 0x0e);
    ck_assert_uint_eq(fetch(&t), 10);
    down(&t);
}
END_TEST

START_TEST(dma_read_to_terminal_count)
{
    struct floppy t;
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    seek(&t, 5);
    dma(&t, 0x46, 0x20000, 3 * 512);
    SEND(&t, 0xe6, 4, 5, 1, 17, 2, 18, 0x1b, 0xff);
    ck_assert_uint_eq(in8(&t.r, 0x3f4), 0x10);
    /* From 5/1/17: 17, 18, then with head 1 last the command ends by TC only on the third sector: end of cylinder. */
    expect_result(&t, 0x44, 0x80, 6, 0, 1);
    ck_assert_uint_eq(rd32(&t.r, 0x20000), (5 * 2 + 1) * 18 + 16);
    dma(&t, 0x46, 0x20000, 20 * 512);
    SEND(&t, 0xe6, 0, 5, 0, 17, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0x04, 0x80 & 0, 6, 0, 1);
    ck_assert_uint_eq(rd32(&t.r, 0x20000 + 19 * 512), (5 * 2 + 1) * 18 + 17);
    down(&t);
}
END_TEST

START_TEST(write_by_dma)
{
    struct floppy t;
    u8 back[512];
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    memset(t.r.ram + 0x20000, 0x9d, 1024);
    dma(&t, 0x4a, 0x20000, 1024);
    SEND(&t, 0x45, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0, 0, 0, 0, 5);
    block_pread(t.block, 3 * 512, back, 512);
    ck_assert_uint_eq(back[511], 0x9d);
    block_pread(t.block, 4 * 512, back, 512);
    ck_assert_uint_eq(ld32(back), 4);
    down(&t);
}
END_TEST

START_TEST(programmed_read)
{
    struct floppy t;
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    SEND(&t, 0x03, 0xdf, 0x03);
    SEND(&t, 0x46, 0, 0, 0, 2, 2, 2, 0x1b, 0xff);
    for (int i = 0; i < 100 && !t.r.level[6]; i++) advance_us(&t.r, 100);
    ck_assert_uint_eq(in8(&t.r, 0x3f4), 0xf0);
    u8 data[512];
    for (int i = 0; i < 512; i++) {
        ck_assert_uint_eq(in8(&t.r, 0x3f4), 0xf0);
        data[i] = in8(&t.r, 0x3f5);
    }
    ck_assert_uint_eq(ld32(data), 1);
    expect_result(&t, 0x40, 0x80, 1, 0, 1);
    down(&t);
}
END_TEST

START_TEST(errors_are_told_apart)
{
    struct floppy t;
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    SEND(&t, 0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff); /* DMA masked */
    expect_result(&t, 0x40, 0x10, 0, 0, 1);
    SEND(&t, 0x46, 0, 0, 0, 19, 2, 20, 0x1b, 0xff); /* no such sector */
    expect_result(&t, 0x40, 0x04, 0, 0, 19);
    SEND(&t, 0x46, 0, 7, 0, 1, 2, 18, 0x1b, 0xff); /* head is elsewhere */
    expect_result(&t, 0x40, 0x04, 7, 0, 1);
    ck_assert_uint_eq(t.result[2], 0x10);
    out8(&t.r, 0x3f7, 2); /* wrong data rate */
    SEND(&t, 0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0x40, 0x01, 0, 0, 1);
    down(&t);
}
END_TEST

START_TEST(read_id_and_format)
{
    struct floppy t;
    u8 back[512];
    up(&t, 720 * 1024, 2);
    sense_reset(&t);
    seek(&t, 3);
    SEND(&t, 0x4a, 0);
    expect_result(&t, 0, 0, 3, 0, 1);
    SEND(&t, 0x4a, 4);
    expect_result(&t, 4, 0, 3, 1, 2);
    for (u8 i = 0; i < 9; i++) st32(t.r.ram + 0x20000 + 4 * i, 3 | 1 << 8 | (i + 1u) << 16 | 2u << 24);
    dma(&t, 0x4a, 0x20000, 36);
    SEND(&t, 0x4d, 4, 2, 9, 0x50, 0xf6);
    for (int i = 0; i < 100 && !t.r.level[6]; i++) advance_us(&t.r, 1000);
    ck_assert_uint_eq(fetch(&t), 7);
    ck_assert_uint_eq(t.result[0], 4);
    block_pread(t.block, 7 * 9 * 512, back, 512);
    ck_assert_uint_eq(back[0], 0xf6);
    block_pread(t.block, 8 * 9 * 512 - 512, back, 512);
    ck_assert_uint_eq(back[511], 0xf6);
    block_pread(t.block, 8 * 9 * 512, back, 512);
    ck_assert_uint_eq(ld32(back), 72);
    down(&t);
}
END_TEST

START_TEST(disk_change_and_empty_drive)
{
    struct floppy t;
    struct error e = { "" };
    up(&t, 1440 * 1024, 0);
    sense_reset(&t);
    ck_assert_uint_eq(in8(&t.r, 0x3f7), 0x80);
    seek(&t, 1);
    ck_assert_uint_eq(in8(&t.r, 0x3f7), 0);
    ck_assert_int_eq(fdc_set_media(t.fdc, 0, NULL, &e), 0);
    ck_assert_uint_eq(in8(&t.r, 0x3f7), 0x80);
    seek(&t, 0);
    ck_assert_uint_eq(in8(&t.r, 0x3f7), 0x80);
    SEND(&t, 0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0x40, 0x01, 0, 0, 1);
    struct block *big = rig_block(&t.r, 4 << 20, BLOCK_READONLY);
    ck_assert_int_eq(fdc_set_media(t.fdc, 0, big, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "too large"));
    block_close(big);
    ck_assert_uint_eq(fdc_cmos_type(t.fdc, 0), 4);
    ck_assert_uint_eq(fdc_cmos_type(t.fdc, 1), 0);
    down(&t);
}
END_TEST

START_TEST(short_image_is_padded)
{
    struct floppy t;
    up(&t, 1300 * 1024, 0);
    sense_reset(&t);
    seek(&t, 79);
    dma(&t, 0x46, 0x20000, 512);
    memset(t.r.ram + 0x20000, 0xff, 512);
    SEND(&t, 0x46, 0, 79, 0, 1, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0, 0, 79, 0, 2);
    ck_assert_uint_eq(rd32(&t.r, 0x20000), 0);
    dma(&t, 0x4a, 0x20000, 512);
    SEND(&t, 0x45, 0, 79, 0, 1, 2, 18, 0x1b, 0xff);
    expect_result(&t, 0x40, 0x04, 79, 0, 1);
    down(&t);
}
END_TEST

START_TEST(gate_masks_the_interrupt)
{
    struct floppy t;
    up(&t, 1440 * 1024, 0);
    out8(&t.r, 0x3f2, 0x14);
    ck_assert(!t.r.level[6]);
    out8(&t.r, 0x3f2, 0x1c);
    ck_assert(t.r.level[6]);
    out8(&t.r, 0x3f2, 0x00);
    ck_assert_uint_eq(in8(&t.r, 0x3f4), 0);
    down(&t);
}
END_TEST

RIG_SUITE(fdc, reset_version_and_invalid, dma_read_to_terminal_count, write_by_dma, programmed_read, errors_are_told_apart,
          read_id_and_format, disk_change_and_empty_drive, short_image_is_padded, gate_masks_the_interrupt)
