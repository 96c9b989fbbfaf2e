/* A guest that does anything: random port, register, configuration and memory writes against all storage controllers at
 * once. Nothing is expected but that the machine survives (run it with MODE=asan) and that a controller
 * still works after a reset. STORAGE_HOSTILE_STEPS in the environment runs it longer. */
#include "devices/ahci.h"
#include "devices/ata.h"
#include "devices/fdc.h"
#include "devices/i8237.h"
#include "devices/piix_ide.h"
#include "tests/unit/storage_rig.h"

enum { CLB = 0x10000 };
#define AHCI_BASE 0xfe000000ull

struct all {
    struct rig r;
    struct block *block[5];
    struct device *cd[2], *fdc, *ahci, *ide;
    u64 seed;
};

static u32 rnd(struct all *t)
{
    t->seed ^= t->seed << 13;
    t->seed ^= t->seed >> 7;
    t->seed ^= t->seed << 17;
    return (u32)(t->seed >> 16);
}

static u32 below(struct all *t, u32 n)
{
    return rnd(t) % n;
}

static void up(struct all *t)
{
    memset(t, 0, sizeof(*t));
    t->seed = 0x9e3779b97f4a7c15ull;
    rig_up(&t->r, true, true);
    static const u32 sizes[5] = { 2 << 20, 300 * 2048, 1 << 20, 200 * 2048, 1440 * 1024 };
    struct device *drive[4];
    for (unsigned i = 0; i < 5; i++) t->block[i] = rig_block(&t->r, sizes[i], i == 1 || i == 3 ? BLOCK_READONLY : BLOCK_THROWAWAY);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[4] = { "hd0", "cd0", "hd1", "cd1" };
        drive[i] = rig_create(&t->r, i & 1 ? &atapi_cdrom_class : &ata_disk_class, names[i]);
        device_set_ptr(drive[i], "block", t->block[i]);
        rig_start(drive[i]);
    }
    t->cd[0] = drive[1];
    t->cd[1] = drive[3];
    t->ide = rig_create(&t->r, &piix_ide_class, "ide");
    device_set_ptr(t->ide, "pci", t->r.pci);
    device_set_ptr(t->ide, "drive0", drive[0]);
    device_set_ptr(t->ide, "drive3", drive[1]);
    rig_start(t->ide);
    t->ahci = rig_create(&t->r, &ahci_class, "ahci");
    device_set_ptr(t->ahci, "pci", t->r.pci);
    device_set_ptr(t->ahci, "port0", drive[2]);
    device_set_ptr(t->ahci, "port5", drive[3]);
    rig_start(t->ahci);
    struct device *dma = rig_create(&t->r, &dma_class, "dma");
    rig_start(dma);
    t->fdc = rig_create(&t->r, &fdc_class, "fdc");
    device_set_ptr(t->fdc, "dma", dma);
    device_set_ptr(t->fdc, "block0", t->block[4]);
    rig_start(t->fdc);
}

static void down(struct all *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    for (unsigned i = 0; i < 5; i++) block_close(t->block[i]);
    rig_down(&t->r);
}

static void enable(struct all *t)
{
    struct pci_dev *ide = (struct pci_dev *)t->ide, *ahci = (struct pci_dev *)t->ahci;
    pci_config_write(ide, 0x20, 0xc000, 4);
    pci_config_write(ahci, 0x24, (u32)AHCI_BASE, 4);
    pci_config_write(ide, PCI_COMMAND, 7, 2);
    pci_config_write(ahci, PCI_COMMAND, 7, 2);
}

static void make_packet(struct all *t, u8 *p)
{
    static const u8 ops[] = { 0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x28, 0x2b, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52,
                              0x55, 0x5a, 0x5c, 0xa4, 0xa8, 0xac, 0xad, 0xb6, 0xb9, 0xbd, 0xbe };
    for (unsigned i = 0; i < 12; i++) p[i] = (u8)(below(t, 20) ? below(t, 3) : rnd(t));
    if (below(t, 10)) p[2] = p[3] = 0;
    p[0] = below(t, 50) ? ops[below(t, sizeof(ops))] : (u8)rnd(t);
    if (p[0] == 0xbe || p[0] == 0xb9) p[9] = below(t, 2) ? 0x10 : (u8)rnd(t);
    if (p[0] == 0x55) p[1] = 0x10;
}

static void poke_ide(struct all *t)
{
    static const u8 commands[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x35, 0x39, 0x40, 0x91, 0xa0, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6,
                                   0xc8, 0xca, 0xe7, 0xec, 0xef, 0x08, 0x90, 0xe8, 0x2f, 0x60, 0xf8 };
    u16 base = below(t, 2) ? 0x1f0 : 0x170;
    switch (below(t, 8)) {
    case 0: out8(&t->r, base + 7, below(t, 8) ? commands[below(t, sizeof(commands))] : (u8)rnd(t)); break;
    case 1: out8(&t->r, (u16)(base + 1 + below(t, 6)), below(t, 3) ? (u8)below(t, 4) : (u8)rnd(t)); break;
    case 2: out8(&t->r, base + 0x206, (u8)(below(t, 6) ? 0 : rnd(t))); break;
    case 3: for (u32 n = below(t, 600); n; n--) in16(&t->r, base); break;
    case 4:
        if (below(t, 2)) { /* a packet to the CD drive */
            u8 packet[12];
            make_packet(t, packet);
            out8(&t->r, 0x176, 0x10);
            out8(&t->r, 0x171, (u8)below(t, 2));
            out8(&t->r, 0x175, (u8)below(t, 16));
            out8(&t->r, 0x177, 0xa0);
            for (unsigned i = 0; i < 12; i += 2) out16(&t->r, 0x170, ld16(packet + i));
            if (below(t, 2)) advance_us(&t->r, 100);
            break;
        }
        for (u32 n = below(t, 300); n; n--) out16(&t->r, base, (u16)(below(t, 2) ? rnd(t) : 0));
        break;
    case 5: out8(&t->r, (u16)(0xc000 + below(t, 16)), (u8)rnd(t)); break;
    case 6: out32(&t->r, below(t, 2) ? 0xc004 : 0xc00c, below(t, RIG_RAM)); break;
    default: bus_read(&t->r.io, base + below(t, 8), below(t, 2) ? 4 : 1);
    }
}

/* Mostly plausible command lists, so that commands get somewhere. */
static void poke_ahci(struct all *t)
{
    static const u8 commands[] = { 0x25, 0x35, 0x60, 0x60, 0x61, 0x20, 0x30, 0xec, 0xa0, 0xa0, 0xa1, 0xef, 0xe7, 0x2f, 0x90, 0xc4 };
    u32 port = below(t, 4) ? 0 : 5, slot = below(t, 32);
    u64 regs = AHCI_BASE + 0x100 + port * 0x80;
    u8 *header = t->r.ram + CLB + 32 * slot, *table = t->r.ram + 0x20000 + slot * 0x400;
    switch (below(t, 10)) {
    case 0:
        st32(header, rnd(t) & (below(t, 9) ? 0x0007005f : 0xffffffff));
        st64(header + 8, below(t, 50) ? 0x20000 + slot * 0x400 : rnd(t));
        break;
    case 1:
        for (unsigned i = 0; i < 16; i++) table[i] = (u8)(below(t, 30) ? below(t, 2) : rnd(t));
        if (below(t, 10)) table[8] = table[9] = table[10] = table[11] = 0;
        table[0] = below(t, 30) ? 0x27 : (u8)rnd(t);
        table[1] = below(t, 10) ? 0x80 : 0;
        table[2] = commands[below(t, sizeof(commands))];
        if (table[2] >> 1 == 0x30) table[12] = (u8)(slot << 3);
        if (table[2] == 0xa0) table[3] = (u8)below(t, 2);
        make_packet(t, table + 0x40);
        break;
    case 2:
        for (unsigned i = 0; i < 7; i++) {
            st64(table + 0x80 + 16 * i, below(t, 20) ? 0x40000 + below(t, 0x300000) : AHCI_BASE + below(t, 0x500));
            st32(table + 0x8c + 16 * i, below(t, 5) ? below(t, 0x2000) : rnd(t));
        }
        break;
    case 3: wr32(&t->r, regs + 0x34, BIT(slot)); wr32(&t->r, regs + 0x38, BIT(slot)); break;
    case 4: wr32(&t->r, regs + 0x38, below(t, 3) ? BIT(slot) : rnd(t)); break;
    case 5:
        wr32(&t->r, regs + 0x18, below(t, 4) ? 0x10 : rnd(t));
        wr32(&t->r, regs + 0x18, 0x11);
        break;
    case 6: if (!below(t, 4)) wr32(&t->r, regs + below(t, 16) * 4, below(t, 2) ? rnd(t) : 0); break;
    case 7: wr32(&t->r, regs, CLB); wr32(&t->r, regs + 4, 0); wr32(&t->r, regs + 8, below(t, 20) ? 0x18000 : (u32)AHCI_BASE + below(t, 8) * 0x100); wr32(&t->r, regs + 12, 0); break;
    case 8: if (!below(t, 20)) wr32(&t->r, AHCI_BASE + 4 * below(t, 4), rnd(t)); break;
    default: rd32(&t->r, AHCI_BASE + below(t, 0x400) * 4);
    }
}

/* A well-formed transfer command on a running controller. */
static void fdc_transfer(struct all *t)
{
    static const u8 ops[] = { 0x46, 0xe6, 0x45, 0xc5, 0x42, 0x56, 0x4c, 0x4d, 0x4a };
    u8 op = ops[below(t, sizeof(ops))];
    const u8 rest[8] = { (u8)(below(t, 2) << 2), (u8)below(t, 2), (u8)below(t, 2), (u8)(1 + below(t, 19)), 2,
                         (u8)(1 + below(t, 19)), 0x1b, 0xff };
    const u8 format[5] = { 0, 2, 18, 0x50, 0xf6 };
    out8(&t->r, 0x3f2, 0x1c);
    out8(&t->r, 0x3f7, 0);
    for (int i = 0; i < 20 && in8(&t->r, 0x3f4) != 0x80; i++) in8(&t->r, 0x3f5);
    out8(&t->r, 0x0b, op & 1 ? 0x4a : 0x46);
    out8(&t->r, 0x05, (u8)rnd(t));
    out8(&t->r, 0x05, (u8)below(t, 20));
    out8(&t->r, 0x0a, below(t, 4) ? 2 : 6);
    out8(&t->r, 0x3f5, op);
    unsigned len = op == 0x4a ? 1 : op == 0x4d ? 5 : 8;
    for (unsigned i = 0; i < len; i++) out8(&t->r, 0x3f5, op == 0x4d ? format[i] : rest[i]);
    if (below(t, 2)) advance_us(&t->r, below(t, 3000));
}

static void poke_fdc(struct all *t)
{
    static const u8 firsts[] = { 0x03, 0x04, 0x07, 0x08, 0x0f, 0x0e, 0x10, 0x12, 0x13, 0x14, 0x46, 0xe6, 0x45, 0xc5, 0x4a, 0x4d, 0x42, 0x56, 0x8f, 0x4c };
    switch (below(t, 10)) {
    case 0: out8(&t->r, 0x3f5, firsts[below(t, sizeof(firsts))]); break;
    case 1: case 2: out8(&t->r, 0x3f5, (u8)(below(t, 4) ? below(t, 4) : rnd(t))); break;
    case 3: in8(&t->r, 0x3f5); break;
    case 4: if (!below(t, 10)) out8(&t->r, 0x3f2, below(t, 4) ? 0x1c : (u8)rnd(t)); break;
    case 5: out8(&t->r, (u16)(0x3f0 + below(t, 8)), (u8)(below(t, 4) ? 0 : rnd(t))); break;
    case 6: out8(&t->r, (u16)below(t, 16), (u8)(below(t, 3) ? 2 : rnd(t))); break;
    case 7: case 8: fdc_transfer(t); break;
    default: for (u32 n = below(t, 600); n; n--) in8(&t->r, 0x3f5);
    }
}

static void poke_media(struct all *t)
{
    unsigned n = below(t, 3);
    if (n == 2) fdc_set_media(t->fdc, 0, below(t, 2) ? t->block[4] : NULL, NULL);
    else atapi_set_media(t->cd[n], below(t, 2) ? t->block[n ? 3 : 1] : NULL, NULL);
}

static void step(struct all *t)
{
    switch (below(t, 16)) {
    case 0: case 1: case 2: case 3: poke_ide(t); break;
    case 4: case 5: case 6: case 7: case 8: poke_ahci(t); break;
    case 9: case 10: case 11: poke_fdc(t); break;
    case 12: case 13: advance_us(&t->r, below(t, 120)); break;
    case 14:
        if (!below(t, 40)) poke_media(t);
        if (!below(t, 40)) advance_us(&t->r, 500000);
        break;
    default:
        if (!below(t, 30)) pci_config_write((struct pci_dev *)(below(t, 2) ? t->ide : t->ahci), below(t, 0xa0), rnd(t), 1);
        if (!below(t, 10)) enable(t);
        if (!below(t, 60)) memset(t->r.ram, (int)(below(t, 3) ? 0 : rnd(t)), 0x10000);
        if (!below(t, 300)) t->ahci->cls->reset(t->ahci, RESET_COLD);
        if (!below(t, 300)) t->ide->cls->reset(t->ide, RESET_COLD);
    }
}

START_TEST(random_accesses_are_survived)
{
    struct all t;
    const char *steps = getenv("STORAGE_HOSTILE_STEPS");
    up(&t);
    enable(&t);
    for (u64 n = steps ? strtoull(steps, NULL, 0) : 100000; n; n--) step(&t);
    t.ahci->cls->reset(t.ahci, RESET_COLD);
    t.ide->cls->reset(t.ide, RESET_COLD);
    enable(&t);
    out8(&t.r, 0x1f6, 0xe0);
    out8(&t.r, 0x1f2, 1);
    out8(&t.r, 0x1f3, 0);
    out8(&t.r, 0x1f4, 0);
    out8(&t.r, 0x1f5, 0);
    out8(&t.r, 0x1f7, 0x20);
    advance_us(&t.r, 100);
    ck_assert_uint_eq(in8(&t.r, 0x1f7), 0x58);
    ck_assert_uint_eq(rd32(&t.r, AHCI_BASE + 0x100 + 0x28), 0x123);
    down(&t);
}
END_TEST

RIG_SUITE(storage_hostile, random_accesses_are_survived)
