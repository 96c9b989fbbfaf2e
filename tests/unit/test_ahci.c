/* AHCI: registers, resets, commands of all protocols, queuing, errors, interrupt order. */
#include "devices/ahci.h"
#include "devices/ata.h"
#include "tests/unit/storage_rig.h"

enum { CLB = 0x10000, FB = 0x11000, TABLE = 0x12000, BUF = 0x40000 };
#define BASE 0xfe000000ull
#define P(port, reg) (BASE + 0x100 + 0x80 * (port) + (reg))
enum { PxIS = 0x10, PxIE = 0x14, PxCMD = 0x18, PxTFD = 0x20, PxSIG = 0x24, PxSSTS = 0x28, PxSCTL = 0x2c, PxSERR = 0x30, PxSACT = 0x34, PxCI = 0x38 };

struct hba {
    struct rig r;
    struct block *disk, *cd;
    struct device *cdrom;
};

static void port_up(struct hba *t, unsigned port)
{
    wr32(&t->r, P(port, 0), CLB + port * 0x8000);
    wr32(&t->r, P(port, 4), 0);
    wr32(&t->r, P(port, 8), FB + port * 0x8000);
    wr32(&t->r, P(port, 12), 0);
    wr32(&t->r, P(port, PxSERR), 0xffffffff);
    wr32(&t->r, P(port, PxCMD), 0x10);
    wr32(&t->r, P(port, PxCMD), 0x11);
    wr32(&t->r, P(port, PxIS), 0xffffffff);
    wr32(&t->r, P(port, PxIE), 0x7dc0007f);
}

static void up(struct hba *t)
{
    rig_up(&t->r, true, true);
    t->disk = rig_block(&t->r, 4 << 20, BLOCK_THROWAWAY);
    t->cd = rig_block(&t->r, 100 * 2048, BLOCK_READONLY);
    struct device *hd = rig_create(&t->r, &ata_disk_class, "ahci0"), *cd = rig_create(&t->r, &atapi_cdrom_class, "cd0");
    device_set_ptr(hd, "block", t->disk);
    device_set_ptr(cd, "block", t->cd);
    rig_start(hd);
    rig_start(cd);
    struct device *d = rig_create(&t->r, &ahci_class, "ahci");
    device_set_ptr(d, "pci", t->r.pci);
    device_set_ptr(d, "port0", hd);
    device_set_ptr(d, "port1", cd);
    rig_start(d);
    pci_config_write((struct pci_dev *)d, 0x24, (u32)BASE, 4);
    pci_config_write((struct pci_dev *)d, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER, 2);
    wr32(&t->r, BASE + 4, 0x80000002);
    port_up(t, 0);
    port_up(t, 1);
    wr32(&t->r, BASE + 8, 0xffffffff);
}

static void down(struct hba *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->disk);
    block_close(t->cd);
    rig_down(&t->r);
}

/* Builds slot `n` of a port: one scatter entry of `bytes` at BUF + n * 20000h. */
static u8 *prepare(struct hba *t, unsigned port, unsigned n, u32 flags, u32 bytes, u8 command, u64 lba, u32 count)
{
    u8 *header = t->r.ram + CLB + port * 0x8000 + 32 * n, *table = t->r.ram + TABLE + port * 0x8000 + n * 0x100;
    memset(table, 0, 0x100);
    st32(header, 5 | flags | (bytes ? 1 << 16 : 0));
    st32(header + 4, 0);
    st64(header + 8, TABLE + port * 0x8000 + n * 0x100);
    table[0] = 0x27;
    table[1] = 0x80;
    table[2] = command;
    for (unsigned i = 0; i < 3; i++) {
        table[4 + i] = (u8)(lba >> (8 * i));
        table[8 + i] = (u8)(lba >> (24 + 8 * i));
    }
    table[7] = 0x40;
    table[12] = (u8)count;
    table[13] = (u8)(count >> 8);
    st64(table + 0x80, BUF + n * 0x20000);
    st32(table + 0x8c, bytes - 1);
    return table;
}

static void queue(struct hba *t, unsigned n, u8 command, u64 lba, u32 count)
{
    u8 *table = prepare(t, 0, n, command == 0x61 ? 0x40 : 0, count * 512, command, lba, 0);
    table[3] = (u8)count;
    table[11] = (u8)(count >> 8);
    table[12] = (u8)(n << 3);
}

START_TEST(identifies_itself_and_its_ports)
{
    struct hba t;
    up(&t);
    ck_assert_uint_eq(rd32(&t.r, BASE) & 0xc0001f1f, 0xc0001f05);
    ck_assert_uint_eq(rd32(&t.r, BASE + 0x0c), 0x3f);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSIG)), 0x101);
    ck_assert_uint_eq(rd32(&t.r, P(1, PxSIG)), 0xeb140101);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSSTS)), 0x123);
    ck_assert_uint_eq(rd32(&t.r, P(2, PxSSTS)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)), 0x150);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCMD)) & 0xc017, 0xc017);
    down(&t);
}
END_TEST

START_TEST(identify_by_pio)
{
    struct hba t;
    up(&t);
    prepare(&t, 0, 0, 0, 512, 0xec, 0, 0);
    wr32(&t.r, P(0, PxCI), 1);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)), 0x50);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIS)), 2);
    ck_assert_uint_eq(t.r.ram[FB + 0x20], 0x5f);
    ck_assert_uint_eq(rd32(&t.r, CLB + 4), 512);
    ck_assert_uint_eq(ld16(t.r.ram + BUF + 76 * 2), 0x0106);
    down(&t);
}
END_TEST

START_TEST(dma_read_and_interrupt_order)
{
    struct hba t;
    up(&t);
    prepare(&t, 0, 3, 0, 8 * 512, 0x25, 77, 8);
    wr32(&t.r, P(0, PxCI), 8);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)) & 0x80, 0x80);
    advance_us(&t.r, 60);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, BUF + 3 * 0x20000 + 7 * 512), 84);
    ck_assert_uint_eq(t.r.ram[FB + 0x40], 0x34);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIS)), 1);
    ck_assert_uint_eq(rd32(&t.r, BASE + 8), 1);
    ck_assert(t.r.level[18]); /* device 2 INTA -> link C */
    wr32(&t.r, BASE + 8, 1);  /* too early: the port still has it */
    ck_assert(t.r.level[18]);
    wr32(&t.r, P(0, PxIS), 1);
    ck_assert(t.r.level[18]);
    wr32(&t.r, BASE + 8, 1);
    ck_assert(!t.r.level[18]);
    down(&t);
}
END_TEST

START_TEST(scatter_list_of_odd_pieces)
{
    struct hba t;
    up(&t);
    u8 *table = prepare(&t, 0, 0, 0, 512, 0x25, 5, 300);
    u32 sizes[4] = { 2, 510, 131072, 22016 }, at = BUF;
    st32(t.r.ram + CLB, 5 | 4 << 16);
    for (unsigned i = 0; i < 4; i++) {
        st64(table + 0x80 + 16 * i, at);
        st32(table + 0x8c + 16 * i, sizes[i] - 1);
        at += sizes[i];
    }
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 200);
    for (u32 i = 0; i < 300; i++) ck_assert_uint_eq(ld32(t.r.ram + BUF + i * 512), 5 + i);
    ck_assert_uint_eq(rd32(&t.r, CLB + 4), 300 * 512);
    down(&t);
}
END_TEST

START_TEST(dma_write_reaches_the_image)
{
    struct hba t;
    u8 back[512];
    up(&t);
    memset(t.r.ram + BUF, 0x3c, 1024);
    prepare(&t, 0, 0, 0x40, 1024, 0x35, 500, 2);
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    block_pread(t.disk, 501 * 512, back, 512);
    ck_assert_uint_eq(back[511], 0x3c);
    down(&t);
}
END_TEST

START_TEST(queued_commands_finish_by_sdb)
{
    struct hba t;
    up(&t);
    memset(t.r.ram + BUF + 0x20000, 0x66, 0x2000);
    queue(&t, 0, 0x60, 10, 4);
    queue(&t, 1, 0x61, 3000, 16);
    queue(&t, 31, 0x60, 20, 1);
    st64(t.r.ram + TABLE + 31 * 0x100 + 0x80, BUF + 0x8000);
    wr32(&t.r, P(0, PxSACT), 0x80000003);
    wr32(&t.r, P(0, PxCI), 0x80000003);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSACT)), 0x80000003);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSACT)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIS)), 8);
    ck_assert_uint_eq(t.r.ram[FB + 0x58], 0xa1);
    ck_assert_uint_eq(rd32(&t.r, BUF + 3 * 512), 13);
    ck_assert_uint_eq(rd32(&t.r, BUF + 0x8000), 20);
    ck_assert(t.r.level[18]);
    u8 back[512];
    block_pread(t.disk, 3015 * 512, back, 512);
    ck_assert_uint_eq(back[100], 0x66);
    down(&t);
}
END_TEST

START_TEST(error_halts_until_restart)
{
    struct hba t;
    up(&t);
    prepare(&t, 0, 0, 0, 512, 0x25, 0xffffff, 1);
    prepare(&t, 0, 1, 0, 512, 0x25, 1, 1);
    wr32(&t.r, P(0, PxCI), 3);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)), 0x1051);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIS)) & 0x40000000, 0x40000000);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 3);
    wr32(&t.r, P(0, PxCMD), 0x10);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCMD)) & 0x8001, 0);
    wr32(&t.r, P(0, PxCMD), 0x11);
    wr32(&t.r, P(0, PxCI), 2);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, BUF + 0x20000), 1);
    down(&t);
}
END_TEST

START_TEST(queued_error_is_logged)
{
    struct hba t;
    up(&t);
    queue(&t, 2, 0x60, 0xfffffff, 1);
    wr32(&t.r, P(0, PxSACT), 4);
    wr32(&t.r, P(0, PxCI), 4);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)) & 0xff, 0x41);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIS)) & 0x40000000, 0x40000000);
    wr32(&t.r, P(0, PxCMD), 0x10);
    wr32(&t.r, P(0, PxCMD), 0x11);
    prepare(&t, 0, 0, 0, 512, 0x2f, 0x10, 1);
    wr32(&t.r, P(0, PxCI), 1);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(t.r.ram[BUF], 2);
    down(&t);
}
END_TEST

START_TEST(packet_command_by_dma)
{
    struct hba t;
    up(&t);
    u8 *table = prepare(&t, 1, 0, 0x20, 4096, 0xa0, 0, 0);
    table[3] = 1;
    table[0x40] = 0x28;
    table[0x45] = 9;
    table[0x48] = 2;
    wr32(&t.r, P(1, PxCI), 1);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(rd32(&t.r, P(1, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(1, PxTFD)), 0x50);
    ck_assert_uint_eq(rd32(&t.r, BUF), 36);
    ck_assert_uint_eq(rd32(&t.r, BUF + 3584), 43);
    table[0x48] = 0;
    table[0x40] = 0xa4; /* refused: check condition */
    wr32(&t.r, P(1, PxCI), 1);
    ck_assert_uint_eq(rd32(&t.r, P(1, PxTFD)), 0x5451);
    down(&t);
}
END_TEST

START_TEST(comreset_and_software_reset)
{
    struct hba t;
    up(&t);
    wr32(&t.r, P(0, PxCMD), 0x10);
    wr32(&t.r, P(0, PxSCTL), 0x301);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSSTS)), 0);
    wr32(&t.r, P(0, PxSCTL), 0x300);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSSTS)), 0x123);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)), 0x150);
    ck_assert_uint_ne(rd32(&t.r, P(0, PxSERR)) & 0x4000000, 0);
    wr32(&t.r, P(0, PxSERR), 0xffffffff);
    wr32(&t.r, P(0, PxCMD), 0x11);
    u8 *table = prepare(&t, 0, 0, 0x500, 0, 0, 0, 0);
    table[1] = 0;
    table[15] = 4;
    wr32(&t.r, P(0, PxCI), 1);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    st32(t.r.ram + CLB, 5);
    table[15] = 0;
    wr32(&t.r, P(0, PxCI), 1);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCI)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxTFD)), 0x150);
    down(&t);
}
END_TEST

START_TEST(hba_reset_clears_and_relinks)
{
    struct hba t;
    up(&t);
    wr32(&t.r, BASE + 4, 0x80000001);
    ck_assert_uint_eq(rd32(&t.r, BASE + 4), 0x80000000);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxCMD)), 6);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxIE)), 0);
    ck_assert_uint_eq(rd32(&t.r, P(0, PxSSTS)), 0x123);
    down(&t);
}
END_TEST

START_TEST(short_scatter_list_does_not_write_garbage)
{
    struct hba t;
    u8 back[512];
    up(&t);
    memset(t.r.ram + BUF, 0x3c, 512);
    prepare(&t, 0, 0, 0x40, 512, 0x35, 500, 2);
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 100);
    ck_assert_uint_ne(rd32(&t.r, P(0, PxIS)) & 0x21000000, 0);
    block_pread(t.disk, 501 * 512, back, 512);
    ck_assert_uint_eq(ld32(back), 501);
    down(&t);
}
END_TEST

START_TEST(dma_into_own_registers_is_survived)
{
    static const u8 commands[] = { 0x25, 0xec, 0x60, 0x20 };
    struct hba t;
    up(&t);
    for (unsigned i = 0; i < LEN(commands); i++) { /* sector 0 holds zeros: they clear PxCMD and all else */
        port_up(&t, 0);
        u8 *table = prepare(&t, 0, 0, 0, 8192, commands[i], 0, commands[i] == 0x60 ? 0 : 16);
        table[3] = 16;
        st64(table + 0x80, BASE + 0x100);
        wr32(&t.r, P(0, PxSACT), commands[i] == 0x60);
        wr32(&t.r, P(0, PxCI), 1);
        advance_us(&t.r, 1000);
    }
    port_up(&t, 0);
    wr32(&t.r, P(0, 8), (u32)BASE + 0x100); /* received FISes land on the port */
    prepare(&t, 0, 0, 0, 512, 0x25, 3, 1);
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 1000);
    port_up(&t, 0);
    wr32(&t.r, P(0, 8), (u32)BASE); /* ... and below it */
    prepare(&t, 0, 0, 0, 512, 0x25, 3, 1);
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 1000);
    wr32(&t.r, BASE + 4, 0x80000001);
    port_up(&t, 0);
    prepare(&t, 0, 0, 0, 512, 0x25, 3, 1);
    wr32(&t.r, P(0, PxCI), 1);
    advance_us(&t.r, 1000);
    ck_assert_uint_eq(rd32(&t.r, BUF), 3);
    down(&t);
}
END_TEST

START_TEST(hostile_lists_end)
{
    struct hba t;
    up(&t);
    for (unsigned n = 0; n < 32; n++) { /* list and table in the controller's own registers, and nowhere */
        prepare(&t, 0, n, 0, 0x400000, 0x25, n, 0);
        st64(t.r.ram + CLB + 32 * n + 8, n & 1 ? BASE : 0xfffffff000ull);
        st16(t.r.ram + CLB + 32 * n + 2, 0xffff);
    }
    wr32(&t.r, P(0, PxCI), 0xffffffff);
    advance_us(&t.r, 100000);
    wr32(&t.r, P(0, 0), (u32)BASE);
    wr32(&t.r, P(0, PxCI), 0xffffffff);
    advance_us(&t.r, 100000);
    down(&t);
}
END_TEST

RIG_SUITE(ahci, identifies_itself_and_its_ports, identify_by_pio, dma_read_and_interrupt_order, scatter_list_of_odd_pieces,
          dma_write_reaches_the_image, queued_commands_finish_by_sdb, error_halts_until_restart, queued_error_is_logged,
          packet_command_by_dma, comreset_and_software_reset, hba_reset_clears_and_relinks,
          short_scatter_list_does_not_write_garbage, dma_into_own_registers_is_survived,
          hostile_lists_end)
