/* IDE controller: detection, PIO, bus-master DMA with its descriptor rules, interrupts. */
#include "devices/ata.h"
#include "devices/piix_ide.h"
#include "tests/unit/storage_rig.h"

enum { BM = 0xc000, PRD = 0x1000, BUF = 0x20000 };

struct ide {
    struct rig r;
    struct pci_dev *pci;
    struct block *block;
};

static void up(struct ide *t)
{
    rig_up(&t->r, true, true);
    t->block = rig_block(&t->r, 2 << 20, BLOCK_THROWAWAY);
    struct device *disk = rig_create(&t->r, &ata_disk_class, "hd0");
    device_set_ptr(disk, "block", t->block);
    rig_start(disk);
    struct device *d = rig_create(&t->r, &piix_ide_class, "ide");
    device_set_ptr(d, "pci", t->r.pci);
    device_set_ptr(d, "drive0", disk);
    device_connect(d, "irq", 0, rig_wire(&t->r, 14));
    device_connect(d, "irq", 1, rig_wire(&t->r, 15));
    rig_start(d);
    t->pci = (struct pci_dev *)d;
    pci_config_write(t->pci, 0x20, BM, 4);
    pci_config_write(t->pci, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MASTER, 2);
}

static void down(struct ide *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->block);
    rig_down(&t->r);
}

static void command(struct ide *t, u32 lba, u8 count, u8 cmd)
{
    out8(&t->r, 0x1f6, (u8)(0xe0 | lba >> 24));
    out8(&t->r, 0x1f2, count);
    out8(&t->r, 0x1f3, (u8)lba);
    out8(&t->r, 0x1f4, (u8)(lba >> 8));
    out8(&t->r, 0x1f5, (u8)(lba >> 16));
    out8(&t->r, 0x1f7, cmd);
}

static void prd(struct ide *t, unsigned n, u32 addr, u32 count, bool last)
{
    wr32(&t->r, PRD + 8 * n, addr);
    wr32(&t->r, PRD + 8 * n + 4, (count & 0xffff) | (last ? BIT(31) : 0));
}

static void start_bm(struct ide *t, bool to_memory)
{
    out32(&t->r, BM + 4, PRD);
    out8(&t->r, BM + 2, 6);
    out8(&t->r, BM, to_memory ? 8 : 0);
    out8(&t->r, BM, to_memory ? 9 : 1);
}

START_TEST(empty_channel_and_absent_slave)
{
    struct ide t;
    up(&t);
    ck_assert_uint_eq(in8(&t.r, 0x177), 0x7f);
    out8(&t.r, 0x1f6, 0xb0);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0);
    out8(&t.r, 0x1f2, 0x55);
    ck_assert_uint_ne(in8(&t.r, 0x1f2), 0x55);
    out8(&t.r, 0x1f6, 0xa0);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    down(&t);
}
END_TEST

START_TEST(srst_posts_signature)
{
    struct ide t;
    up(&t);
    out8(&t.r, 0x3f6, 0x04);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x80);
    out8(&t.r, 0x3f6, 0x00);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    ck_assert_uint_eq(in8(&t.r, 0x1f1), 1);
    ck_assert_uint_eq(in8(&t.r, 0x1f2), 1);
    ck_assert_uint_eq(in8(&t.r, 0x1f3), 1);
    ck_assert_uint_eq(in16(&t.r, 0x1f4), 0);
    ck_assert(!t.r.level[14]);
    down(&t);
}
END_TEST

START_TEST(pio_read_interrupts_per_sector)
{
    struct ide t;
    up(&t);
    command(&t, 7, 2, 0x20);
    ck_assert_uint_eq(in8(&t.r, 0x1f7) & 0x80, 0x80);
    advance_us(&t.r, 100);
    for (u32 s = 7; s < 9; s++) {
        ck_assert(t.r.level[14]);
        ck_assert_uint_eq(in8(&t.r, 0x3f6), 0x58);
        ck_assert(t.r.level[14]);
        ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x58);
        ck_assert(!t.r.level[14]);
        ck_assert_uint_eq(in32(&t.r, 0x1f0), s);
        for (int i = 0; i < 254; i++) ck_assert_uint_eq(in16(&t.r, 0x1f0), s | s << 8);
    }
    ck_assert(!t.r.level[14]);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    ck_assert_uint_eq(t.r.edges[14], 2);
    down(&t);
}
END_TEST

START_TEST(pio_write_reaches_the_image)
{
    struct ide t;
    u8 back[512];
    up(&t);
    command(&t, 9, 1, 0x30);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x58);
    ck_assert_uint_eq(t.r.edges[14], 0);
    for (int i = 0; i < 256; i++) out16(&t.r, 0x1f0, 0xbeef);
    ck_assert_uint_eq(in8(&t.r, 0x1f7) & 0x80, 0x80);
    advance_us(&t.r, 200);
    ck_assert(t.r.level[14]);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    block_pread(t.block, 9 * 512, back, 512);
    ck_assert_uint_eq(ld32(back + 508), 0xbeefbeef);
    down(&t);
}
END_TEST

START_TEST(dma_read_scatters)
{
    struct ide t;
    up(&t);
    prd(&t, 0, BUF, 0x200, false);
    prd(&t, 1, BUF + 0x10000, 0x600, true);
    command(&t, 100, 4, 0xc8);
    start_bm(&t, true);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 1);
    advance_us(&t.r, 100);
    ck_assert(t.r.level[14]);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 4);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    ck_assert_uint_eq(rd32(&t.r, BUF), 100);
    ck_assert_uint_eq(rd32(&t.r, BUF + 0x10000), 101);
    ck_assert_uint_eq(rd32(&t.r, BUF + 0x10400), 103);
    out8(&t.r, BM + 2, 4);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 0);
    down(&t);
}
END_TEST

START_TEST(dma_count_zero_is_64k_and_chunks_join)
{
    struct ide t;
    up(&t);
    for (unsigned i = 0; i < 3; i++) prd(&t, i, 0x100000 + i * 0x10000, 0, i == 2);
    start_bm(&t, true);
    out8(&t.r, 0x1f6, 0xe0); /* 48-bit: 384 sectors */
    for (int i = 0; i < 2; i++) {
        out8(&t.r, 0x1f2, i ? 0x80 : 1);
        out8(&t.r, 0x1f3, i ? 5 : 0);
        out8(&t.r, 0x1f4, 0);
        out8(&t.r, 0x1f5, 0);
    }
    out8(&t.r, 0x1f7, 0x25);
    advance_us(&t.r, 300);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 4);
    ck_assert_uint_eq(rd32(&t.r, 0x100000), 5);
    ck_assert_uint_eq(rd32(&t.r, 0x100000 + 383 * 512), 388);
    ck_assert_uint_eq(t.r.edges[14], 1);
    down(&t);
}
END_TEST

START_TEST(dma_memory_larger_keeps_active)
{
    struct ide t;
    up(&t);
    prd(&t, 0, BUF, 0x1000, true);
    command(&t, 0, 1, 0xc8);
    start_bm(&t, true);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 5);
    out8(&t.r, BM, 0);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 4);
    down(&t);
}
END_TEST

START_TEST(dma_memory_smaller_stalls_without_interrupt)
{
    struct ide t;
    up(&t);
    prd(&t, 0, BUF, 0x200, true);
    command(&t, 0, 2, 0xc8);
    start_bm(&t, true);
    advance_us(&t.r, 1000);
    ck_assert_uint_eq(in8(&t.r, BM + 2), 0);
    ck_assert(!t.r.level[14]);
    ck_assert_uint_eq(in8(&t.r, 0x1f7) & 0x80, 0x80);
    out8(&t.r, BM, 0);
    out8(&t.r, 0x3f6, 4);
    out8(&t.r, 0x3f6, 0);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    down(&t);
}
END_TEST

START_TEST(dma_write_and_bus_master_gate)
{
    struct ide t;
    u8 back[512];
    up(&t);
    pci_config_write(t.pci, PCI_COMMAND, PCI_CMD_IO, 2);
    memset(t.r.ram + BUF, 0x42, 512);
    prd(&t, 0, BUF, 0x200, true);
    command(&t, 3, 1, 0xca);
    start_bm(&t, false);
    advance_us(&t.r, 1000);
    ck_assert(!t.r.level[14]);
    pci_config_write(t.pci, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MASTER, 2);
    advance_us(&t.r, 200);
    ck_assert(t.r.level[14]);
    block_pread(t.block, 3 * 512, back, 512);
    ck_assert_uint_eq(back[511], 0x42);
    down(&t);
}
END_TEST

START_TEST(nien_masks_interrupt)
{
    struct ide t;
    up(&t);
    out8(&t.r, 0x3f6, 2);
    command(&t, 0, 1, 0x40);
    ck_assert(!t.r.level[14]);
    out8(&t.r, 0x3f6, 0);
    ck_assert(t.r.level[14]);
    down(&t);
}
END_TEST

START_TEST(idetim_disables_a_channel)
{
    struct ide t;
    up(&t);
    pci_config_write(t.pci, 0x40, 0, 2);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0xff);
    pci_config_write(t.pci, 0x40, 0x8000, 2);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x50);
    down(&t);
}
END_TEST

RIG_SUITE(piix_ide, empty_channel_and_absent_slave, srst_posts_signature, pio_read_interrupts_per_sector,
          pio_write_reaches_the_image, dma_read_scatters, dma_count_zero_is_64k_and_chunks_join,
          dma_memory_larger_keeps_active, dma_memory_smaller_stalls_without_interrupt, dma_write_and_bus_master_gate,
          nien_masks_interrupt, idetim_disables_a_channel)
