/* CD drive behind the IDE controller: signature, packets by PIO and DMA, sense data, media change. */
#include "devices/ata.h"
#include "devices/piix_ide.h"
#include "tests/unit/storage_rig.h"

enum { SECTORS = 600 };

struct cd {
    struct rig r;
    struct device *drive;
    struct block *block;
    u8 data[65536];
    u32 len;
};

static void up(struct cd *t, bool disc)
{
    memset(t, 0, sizeof(*t));
    rig_up(&t->r, true, true);
    t->block = rig_block(&t->r, SECTORS * 2048, BLOCK_READONLY);
    t->drive = rig_create(&t->r, &atapi_cdrom_class, "cd0");
    if (disc) device_set_ptr(t->drive, "block", t->block);
    rig_start(t->drive);
    struct device *d = rig_create(&t->r, &piix_ide_class, "ide");
    device_set_ptr(d, "pci", t->r.pci);
    device_set_ptr(d, "drive2", t->drive);
    device_connect(d, "irq", 1, rig_wire(&t->r, 15));
    rig_start(d);
    pci_config_write((struct pci_dev *)d, 0x20, 0xc000, 4);
    pci_config_write((struct pci_dev *)d, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MASTER, 2);
}

static void down(struct cd *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->block);
    rig_down(&t->r);
}

static void send_packet(struct cd *t, const u8 *packet, u16 limit, bool dma)
{
    out8(&t->r, 0x176, 0xa0);
    out8(&t->r, 0x171, dma);
    out8(&t->r, 0x174, (u8)limit);
    out8(&t->r, 0x175, (u8)(limit >> 8));
    out8(&t->r, 0x177, 0xa0);
    ck_assert_uint_eq(in8(&t->r, 0x177) & 0x88, 0x08);
    ck_assert_uint_eq(in8(&t->r, 0x172) & 3, 1);
    for (int i = 0; i < 12; i += 2) out16(&t->r, 0x170, ld16(packet + i));
}

/* Runs a packet command by PIO; returns the final status, data in t->data. */
static u8 packet(struct cd *t, const u8 *p, u16 limit)
{
    t->len = 0;
    send_packet(t, p, limit, false);
    for (int turn = 0; turn < 100; turn++) {
        advance_us(&t->r, 60);
        u8 status = in8(&t->r, 0x177);
        if (!(status & 0x88)) {
            ck_assert_uint_eq(in8(&t->r, 0x172) & 3, 3);
            return status;
        }
        if (!(status & 0x08)) continue;
        ck_assert_uint_eq(in8(&t->r, 0x172) & 3, 2);
        u32 n = in8(&t->r, 0x174) | (u32)in8(&t->r, 0x175) << 8;
        ck_assert_uint_le(n, limit);
        for (u32 i = 0; i < n; i += 2) st16(t->data + t->len + i, in16(&t->r, 0x170));
        t->len += n;
    }
    ck_abort_msg("packet command does not end");
    return 0;
}

#define PACKET(t, limit, ...) packet(t, (const u8[12]){ __VA_ARGS__ }, limit)

static u32 sense(struct cd *t)
{
    ck_assert_uint_eq(PACKET(t, 64, 0x03, 0, 0, 0, 18), 0x50);
    ck_assert_uint_eq(t->len, 18);
    return (u32)(t->data[2] << 16 | t->data[12] << 8 | t->data[13]);
}

START_TEST(signature_and_identify)
{
    struct cd t;
    up(&t, true);
    out8(&t.r, 0x376, 4);
    out8(&t.r, 0x376, 0);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0);
    ck_assert_uint_eq(in8(&t.r, 0x174), 0x14);
    ck_assert_uint_eq(in8(&t.r, 0x175), 0xeb);
    out8(&t.r, 0x174, 0);
    out8(&t.r, 0x177, 0xec);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0x51);
    ck_assert_uint_eq(in8(&t.r, 0x171), 4);
    ck_assert_uint_eq(in8(&t.r, 0x174), 0x14);
    out8(&t.r, 0x177, 0xa1);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0x58);
    ck_assert_uint_eq(in16(&t.r, 0x170), 0x85c0);
    down(&t);
}
END_TEST

START_TEST(read_by_pio_obeys_the_limit)
{
    struct cd t;
    up(&t, true);
    ck_assert_uint_eq(PACKET(&t, 2048, 0x28, 0, 0, 0, 0, 10, 0, 0, 3), 0x50);
    ck_assert_uint_eq(t.len, 3 * 2048);
    for (u32 i = 0; i < 12; i++) ck_assert_uint_eq(ld32(t.data + i * 512), 40 + i);
    ck_assert_uint_eq(PACKET(&t, 0xfffe, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 30), 0x50);
    ck_assert_uint_eq(t.len, 30 * 2048);
    ck_assert_uint_eq(ld32(t.data + 119 * 512), 119);
    down(&t);
}
END_TEST

START_TEST(read_by_dma)
{
    struct cd t;
    const u8 p[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 2 };
    up(&t, true);
    wr32(&t.r, 0x1000, 0x20000);
    wr32(&t.r, 0x1004, 4096 | BIT(31));
    send_packet(&t, p, 0, true);
    out32(&t.r, 0xc00c, 0x1000);
    out8(&t.r, 0xc008, 9);
    advance_us(&t.r, 100);
    ck_assert(t.r.level[15]);
    ck_assert_uint_eq(in8(&t.r, 0xc00a), 4);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0x50);
    ck_assert_uint_eq(in8(&t.r, 0x172) & 3, 3);
    ck_assert_uint_eq(rd32(&t.r, 0x20000), 28);
    ck_assert_uint_eq(rd32(&t.r, 0x20e00), 35);
    down(&t);
}
END_TEST

START_TEST(errors_have_sense_data)
{
    struct cd t;
    up(&t, true);
    ck_assert_uint_eq(PACKET(&t, 2048, 0x28, 0, 0, 0, 2, 0x58, 0, 0, 1), 0x51);
    ck_assert_uint_eq(in8(&t.r, 0x171), 0x54);
    ck_assert_uint_eq(sense(&t), 0x052100);
    ck_assert_uint_eq(sense(&t), 0);
    ck_assert_uint_eq(PACKET(&t, 2048, 0xa4), 0x51);
    ck_assert_uint_eq(sense(&t), 0x052000);
    ck_assert_uint_eq(PACKET(&t, 2048, 0x5a, 0, 0x05, 0, 0, 0, 0, 0, 64), 0x51);
    ck_assert_uint_eq(sense(&t), 0x052400);
    down(&t);
}
END_TEST

START_TEST(capacity_and_contents)
{
    struct cd t;
    up(&t, true);
    ck_assert_uint_eq(PACKET(&t, 64, 0x25), 0x50);
    ck_assert_mem_eq(t.data, "\0\0\x02\x57\0\0\x08\0", 8);
    ck_assert_uint_eq(PACKET(&t, 64, 0x43, 0, 0, 0, 0, 0, 0, 0, 20), 0x50);
    ck_assert_uint_eq(t.len, 20);
    ck_assert_uint_eq(t.data[14], 0xaa);
    ck_assert_mem_eq(t.data + 16, "\0\0\x02\x58", 4);
    ck_assert_uint_eq(PACKET(&t, 64, 0x43, 2, 2, 0, 0, 0, 0, 0, 64), 0x50);
    ck_assert_uint_eq(t.len, 48);
    ck_assert_uint_eq(PACKET(&t, 64, 0x12, 0, 0, 0, 36), 0x50);
    ck_assert_mem_eq(t.data, "\x05\x80\0\x21\x1f", 5);
    ck_assert_mem_eq(t.data + 8, "AEROPC  DVD-ROM ", 16);
    down(&t);
}
END_TEST

START_TEST(every_listed_command_answers)
{
    static const u8 fine[][12] = {
        { 0x00 }, { 0x1b, 0, 0, 0, 1 }, { 0x1e }, { 0x35 }, { 0x42, 0, 0x40, 1, 0, 0, 0, 0, 16 }, { 0x46, 0, 0, 0, 0, 0, 0, 0, 200 },
        { 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 }, { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 }, { 0x52, 1, 0, 0, 0, 1, 0, 0, 36 },
        { 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 128 }, { 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 30 }, { 0x5c, 0, 0, 0, 0, 0, 0, 0, 12 },
        { 0xac, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, { 0xb6 }, { 0xbb }, { 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 }, { 0x2b },
        { 0xbe, 0, 0, 0, 0, 5, 0, 0, 1, 0x10 }, { 0xb9, 0, 0, 0, 2, 5, 0, 2, 6, 0x10 },
    };
    struct cd t;
    up(&t, true);
    for (unsigned i = 0; i < LEN(fine); i++) ck_assert_msg(packet(&t, fine[i], 4096) == 0x50, "command %02x", fine[i][0]);
    ck_assert_uint_eq(ld32(t.data), 20);
    ck_assert_uint_eq(PACKET(&t, 2048, 0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4), 0x51); /* no DVD */
    ck_assert_uint_eq(sense(&t), 0x053002);
    down(&t);
}
END_TEST

START_TEST(mode_select_checks_pages)
{
    struct cd t;
    const u8 p[12] = { 0x55, 0x10, 0, 0, 0, 0, 0, 0, 20 };
    for (int bad = 0; bad < 2; bad++) {
        up(&t, true);
        send_packet(&t, p, 2048, false);
        ck_assert_uint_eq(in8(&t.r, 0x177), 0x58);
        for (int i = 0; i < 20; i += 2) out16(&t.r, 0x170, i == 8 ? (bad ? 0x0a33 : 0x0a01) : 0);
        ck_assert_uint_eq(in8(&t.r, 0x177), bad ? 0x51 : 0x50);
        if (bad) ck_assert_uint_eq(sense(&t), 0x052600);
        down(&t);
    }
}
END_TEST

START_TEST(media_change_is_told_once)
{
    struct cd t;
    struct error e = { "" };
    up(&t, false);
    ck_assert_uint_eq(PACKET(&t, 64, 0x00), 0x51);
    ck_assert_uint_eq(sense(&t), 0x023a00);
    ck_assert_int_eq(atapi_set_media(t.drive, t.block, &e), 0);
    ck_assert_uint_eq(PACKET(&t, 64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0x50);
    ck_assert_uint_eq(t.data[4], 2);
    ck_assert_uint_eq(t.data[5], 2);
    ck_assert_uint_eq(PACKET(&t, 64, 0x00), 0x51);
    ck_assert_uint_eq(sense(&t), 0x062800);
    ck_assert_uint_eq(PACKET(&t, 64, 0x00), 0x50);
    ck_assert_uint_eq(PACKET(&t, 64, 0x1e, 0, 0, 0, 1), 0x50);
    ck_assert_int_eq(atapi_set_media(t.drive, NULL, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "locked"));
    ck_assert_uint_eq(PACKET(&t, 64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0x50);
    ck_assert_uint_eq(t.data[4], 1);
    ck_assert_uint_eq(PACKET(&t, 64, 0x1b, 0, 0, 0, 2), 0x51);
    ck_assert_uint_eq(sense(&t), 0x055302);
    ck_assert_uint_eq(PACKET(&t, 64, 0x1e, 0, 0, 0, 0), 0x50);
    ck_assert_uint_eq(PACKET(&t, 64, 0x1b, 0, 0, 0, 2), 0x50);
    ck_assert_uint_eq(PACKET(&t, 64, 0x00), 0x51);
    ck_assert_uint_eq(sense(&t), 0x023a02);
    ck_assert_int_eq(atapi_set_media(t.drive, NULL, &e), 0);
    ck_assert_ptr_null(atapi_media(t.drive));
    down(&t);
}
END_TEST

START_TEST(second_request_overrides_the_lock)
{
    struct cd t;
    up(&t, true);
    ck_assert_uint_eq(PACKET(&t, 64, 0x1e, 0, 0, 0, 1), 0x50);
    ck_assert_int_eq(atapi_set_media(t.drive, NULL, NULL), -1);
    ck_assert_int_eq(atapi_set_media(t.drive, NULL, NULL), 0);
    ck_assert_uint_eq(PACKET(&t, 64, 0x00), 0x51);
    ck_assert_uint_eq(sense(&t), 0x023a00);
    down(&t);
}
END_TEST

START_TEST(removal_during_a_read_fails_it)
{
    struct cd t;
    const u8 p[12] = { 0x28, 0, 0, 0, 0, 0, 0, 0, 1 };
    up(&t, true);
    send_packet(&t, p, 2048, false);
    ck_assert_int_eq(atapi_set_media(t.drive, NULL, NULL), 0);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0x51);
    ck_assert_uint_eq(sense(&t), 0x023a00);
    down(&t);
}
END_TEST

RIG_SUITE(atapi, signature_and_identify, read_by_pio_obeys_the_limit, read_by_dma, errors_have_sense_data,
          capacity_and_contents, every_listed_command_answers, mode_select_checks_pages, media_change_is_told_once,
          second_request_overrides_the_lock, removal_during_a_read_fails_it)
