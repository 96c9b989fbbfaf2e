/*
 * ATA and ATAPI disks on PCI IDE channels (ATA-6, PIIX bus master).
 *
 * Polled with the device's interrupt masked; interrupts of others are let in while waiting. Data
 * goes by bus-master DMA when the drive has it and the buffer is word aligned, else by PIO. Under
 * a virtual-8086 monitor addresses are not physical, so there PIO is used.
 */
#include "bios/disk.h"
#include "bios/pci.h"

enum {
    R_DATA = 0, R_FEATURE = 1, R_ERROR = 1, E_ABRT = 0x04, E_WP = 0x40, R_COUNT = 2, R_LBA0 = 3, R_LBA1 = 4, R_LBA2 = 5, R_DEVICE = 6,
    R_COMMAND = 7, R_STATUS = 7,
    ST_BSY = 0x80, ST_DRDY = 0x40, ST_DF = 0x20, ST_DRQ = 0x08, ST_ERR = 0x01,
    CTL_QUIET = 0x0a, CTL_NORMAL = 0x08, CTL_RESET = 0x0e,
    BM_COMMAND = 0, BM_STATUS = 2, BM_TABLE = 4, BM_START = 1, BM_TO_MEMORY = 8,
    C_READ = 0x20, C_READ_EXT = 0x24, C_WRITE = 0x30, C_WRITE_EXT = 0x34, C_READ_DMA = 0xc8,
    C_READ_DMA_EXT = 0x25, C_WRITE_DMA = 0xca, C_WRITE_DMA_EXT = 0x35, C_PACKET = 0xa0,
    C_IDENTIFY_PACKET = 0xa1, C_IDENTIFY = 0xec, C_SET_FEATURES = 0xef,
    COMMAND_MS = 10000,
};

struct prd {
    u32 addr;
    u16 bytes, flags;
};

static struct prd prds[4] __attribute__((section(".dma"), aligned(64)));

static int wait_status(struct drive *d, u8 clear, u32 ms)
{
    struct deadline t;
    inb(d->ctl);                        /* gives the drive its 400 ns */
    if (!(inb(d->ctl) & clear)) return 1;
    deadline_set(&t, ms);
    while (inb(d->ctl) & clear) {
        if (deadline_over(&t)) return 0;
        relax();
    }
    return 1;
}

static int select_drive(struct drive *d)
{
    outb(d->ctl, CTL_QUIET);
    if (!wait_status(d, ST_BSY, 2000)) return 0;
    outb(d->cmd + R_DEVICE, 0xa0 | d->unit << 4);
    return wait_status(d, ST_BSY | ST_DRQ, 2000);
}

static u8 finish(struct drive *d, u8 result)
{
    u8 st = inb(d->cmd + R_STATUS);     /* also drops the interrupt request */
    outb(d->ctl, CTL_NORMAL);
    if (result) return result;
    if (st & ST_BSY) return DISK_TIMEOUT;
    if (st & (ST_ERR | ST_DF)) return DISK_CONTROLLER;
    return DISK_OK;
}

/* ------------------------------------------------------------------ data phases */

static void pio_in(u16 port, u32 addr, u32 words)
{
    u16 seg = addr >> 4;
    u32 off = addr & 15;
    asm volatile("pushw %%es\n\tmovw %w3, %%es\n\trep insw\n\tpopw %%es"
                 : "+c"(words), "+D"(off) : "d"(port), "r"(seg) : "memory");
}

static void pio_out(u16 port, u32 addr, u32 words)
{
    u16 seg = addr >> 4;
    u32 off = addr & 15;
    asm volatile("pushw %%ds\n\tmovw %w3, %%ds\n\trep outsw\n\tpopw %%ds"
                 : "+c"(words), "+S"(off) : "d"(port), "r"(seg) : "memory");
}

static int dma_usable(struct drive *d, u32 addr)
{
    return d->dma && d->bm && !(addr & 1) && !v86_mode();
}

/* A descriptor may not cross 64 KiB; at most 64 KiB - 512 bytes are asked for at once. */
static void dma_prepare(struct drive *d, u32 addr, u32 bytes, int write)
{
    u32 n = 0;
    while (bytes && n < LEN(prds)) {
        u32 room = 0x10000 - (addr & 0xffff);
        u32 step = bytes < room ? bytes : room;
        prds[n].addr = addr;
        prds[n].bytes = (u16)step;
        prds[n++].flags = 0;
        addr += step;
        bytes -= step;
    }
    prds[n - 1].flags = 0x8000;
    outb(d->bm + BM_COMMAND, 0);
    outl(d->bm + BM_TABLE, linear(prds));
    outb(d->bm + BM_STATUS, inb(d->bm + BM_STATUS) | 0x06);
    outb(d->bm + BM_COMMAND, write ? 0 : BM_TO_MEMORY);
}

static u8 dma_run(struct drive *d, int write)
{
    outb(d->bm + BM_COMMAND, (write ? 0 : BM_TO_MEMORY) | BM_START);
    int done = wait_status(d, ST_BSY | ST_DRQ, COMMAND_MS);
    u8 status = inb(d->bm + BM_STATUS);
    outb(d->bm + BM_COMMAND, 0);
    outb(d->bm + BM_STATUS, status | 0x06);
    return finish(d, !done ? DISK_TIMEOUT : status & 2 ? DISK_DMA : DISK_OK);
}

static u8 pio_run(struct drive *d, u32 addr, u32 sectors, int write)
{
    for (; sectors; sectors--, addr += 512) {
        if (!wait_status(d, ST_BSY, COMMAND_MS)) return finish(d, DISK_TIMEOUT);
        u8 st = inb(d->ctl);
        if (st & (ST_ERR | ST_DF) || !(st & ST_DRQ)) return finish(d, DISK_CONTROLLER);
        if (write) pio_out(d->cmd, addr, 256);
        else pio_in(d->cmd, addr, 256);
    }
    int done = wait_status(d, ST_BSY | (write ? ST_DRQ : 0), COMMAND_MS);
    return finish(d, done ? DISK_OK : DISK_TIMEOUT);
}

/* ------------------------------------------------------------------ disks */

static void set_address(struct drive *d, u64 lba, u16 count, int ext)
{
    if (ext) {
        outb(d->cmd + R_COUNT, count >> 8);
        outb(d->cmd + R_LBA0, (u8)(lba >> 24));
        outb(d->cmd + R_LBA1, (u8)(lba >> 32));
        outb(d->cmd + R_LBA2, (u8)(lba >> 40));
    }
    outb(d->cmd + R_COUNT, (u8)count);
    outb(d->cmd + R_LBA0, (u8)lba);
    outb(d->cmd + R_LBA1, (u8)(lba >> 8));
    outb(d->cmd + R_LBA2, (u8)(lba >> 16));
    u8 top = ext ? 0 : (u8)(lba >> 24) & 15;
    outb(d->cmd + R_DEVICE, 0xe0 | d->unit << 4 | top);
}

u8 ata_rw(struct drive *d, u64 lba, u16 count, u32 addr, int write)
{
    static const u8 commands[2][2][2] = {   /* [dma][ext][write] */
        { { C_READ, C_WRITE }, { C_READ_EXT, C_WRITE_EXT } },
        { { C_READ_DMA, C_WRITE_DMA }, { C_READ_DMA_EXT, C_WRITE_DMA_EXT } },
    };
    int ext = lba + count > 0xfffffff;
    int dma = dma_usable(d, addr);
    if (ext && !d->lba48) return DISK_NOT_FOUND;
    if (!select_drive(d)) return finish(d, DISK_TIMEOUT);
    if (dma) dma_prepare(d, addr, count * 512u, write);
    set_address(d, lba, count, ext);
    outb(d->cmd + R_COMMAND, commands[dma][ext][write]);
    u8 result = dma ? dma_run(d, write) : pio_run(d, addr, count, write);
    /* A write within the disk that is aborted: the medium is protected. */
    if (result == DISK_CONTROLLER && write && inb(d->cmd + R_ERROR) & (E_ABRT | E_WP))
        return DISK_PROTECTED;
    return result;
}

/* ------------------------------------------------------------------ packet devices */

/* PIO data phase: the device says how much it has each time DRQ comes up. */
static u8 packet_pio(struct drive *d, u32 addr, u32 bytes)
{
    for (;;) {
        if (!wait_status(d, ST_BSY, COMMAND_MS)) return finish(d, DISK_TIMEOUT);
        u8 st = inb(d->ctl);
        if (!(st & ST_DRQ) || st & ST_ERR) return finish(d, DISK_OK);
        u32 have = inb(d->cmd + R_LBA1) | inb(d->cmd + R_LBA2) << 8;
        have = (have + 1) & ~1u;
        if (have == 0 || have > bytes) return finish(d, DISK_CONTROLLER);
        pio_in(d->cmd, addr, have / 2);
        addr += have;
        bytes -= have;
    }
}

u8 ata_packet(struct drive *d, const u8 *cdb, u32 addr, u32 bytes)
{
    int dma = bytes >= 512 && dma_usable(d, addr);
    if (!select_drive(d)) return finish(d, DISK_TIMEOUT);
    if (dma) dma_prepare(d, addr, bytes, 0);
    u32 limit = bytes > 0xf800 ? 0xf800 : bytes;
    outb(d->cmd + R_FEATURE, dma);
    outb(d->cmd + R_LBA1, (u8)limit);
    outb(d->cmd + R_LBA2, limit >> 8);
    outb(d->cmd + R_COMMAND, C_PACKET);
    if (!wait_status(d, ST_BSY, COMMAND_MS)) return finish(d, DISK_TIMEOUT);
    if ((inb(d->ctl) & (ST_DRQ | ST_ERR)) != ST_DRQ) return finish(d, DISK_CONTROLLER);
    pio_out(d->cmd, linear(cdb), 6);
    return dma ? dma_run(d, 0) : packet_pio(d, addr, bytes);
}

/* ------------------------------------------------------------------ discovery */

static u8 identify(struct drive *d, u8 command, u16 *id)
{
    if (!select_drive(d)) return finish(d, DISK_TIMEOUT);
    outb(d->cmd + R_COUNT, 0);
    outb(d->cmd + R_LBA0, 0);
    outb(d->cmd + R_LBA1, 0);
    outb(d->cmd + R_LBA2, 0);
    outb(d->cmd + R_COMMAND, command);
    if (!wait_status(d, ST_BSY, 2000)) return finish(d, DISK_TIMEOUT);
    if ((inb(d->ctl) & (ST_DRQ | ST_ERR)) != ST_DRQ) return finish(d, DISK_CONTROLLER);
    pio_in(d->cmd, linear(id), 256);
    return finish(d, DISK_OK);
}

/* Multiword DMA mode 2, which every bus-master drive has and PIIX timings cover. */
static void set_dma_mode(struct drive *d, const u16 *id)
{
    d->dma = 0;
    if (!d->bm || !(id[49] & 0x100) || !(id[63] & 7)) return;
    if (!select_drive(d)) return;
    outb(d->cmd + R_FEATURE, 0x03);
    outb(d->cmd + R_COUNT, 0x20 | (id[63] & 4 ? 2 : id[63] & 2 ? 1 : 0));
    outb(d->cmd + R_COMMAND, C_SET_FEATURES);
    wait_status(d, ST_BSY, 1000);
    d->dma = finish(d, DISK_OK) == DISK_OK;
}

static void add_drive(struct drive *probe, u8 is_packet)
{
    u16 *id = (u16 *)bounce;
    if (identify(probe, is_packet ? C_IDENTIFY_PACKET : C_IDENTIFY, id)) return;
    struct drive *d = is_packet ? new_cd() : new_disk();
    if (!d) return;
    *d = *probe;
    d->kind = is_packet ? DRIVE_ATAPI : DRIVE_ATA;
    if (is_packet) identify_model(d, id);
    else identify_disk(d, id);
    set_dma_mode(d, id);
}

/* After a reset each device shows what it is: 14h EBh a packet device, 0 0 a disk. */
static void probe_unit(struct drive *p)
{
    outb(p->cmd + R_DEVICE, 0xa0 | p->unit << 4);
    inb(p->ctl);
    u8 st = inb(p->ctl);
    if (st == 0xff || st == 0x7f) return;
    outb(p->cmd + R_COUNT, 0x55);
    outb(p->cmd + R_LBA0, 0xaa);
    if (inb(p->cmd + R_COUNT) != 0x55 || inb(p->cmd + R_LBA0) != 0xaa) return;
    if (!wait_status(p, ST_BSY, 5000)) return;
    u8 lo = inb(p->cmd + R_LBA1), hi = inb(p->cmd + R_LBA2);
    if (lo == 0x14 && hi == 0xeb) add_drive(p, 1);
    else if (lo == 0 && hi == 0 && inb(p->ctl) != 0) add_drive(p, 0);
}

static int reset_channel(struct drive *p)
{
    if (inb(p->ctl) == 0xff) return 0;
    outb(p->ctl, CTL_RESET);
    delay_us(10);
    outb(p->ctl, CTL_QUIET);
    delay_us(2000);
    outb(p->cmd + R_DEVICE, 0xa0);
    inb(p->ctl);
    u8 st = inb(p->ctl);
    if (st == 0xff || st == 0x7f) return 0;
    return wait_status(p, ST_BSY, 5000);
}

u8 ata_reset(struct drive *d)
{
    struct drive p = *d;
    return reset_channel(&p) && select_drive(d) ? finish(d, DISK_OK) & 0 : DISK_RESET_FAILED;
}

static void probe_channel(u16 f, u32 channel)
{
    static const u16 legacy[2][2] = { { 0x1f0, 0x3f6 }, { 0x170, 0x376 } };
    struct drive p;
    memset(&p, 0, sizeof p);
    p.pci = f;
    p.port = channel;
    p.cmd = legacy[channel][0];
    p.ctl = legacy[channel][1];
    if (pci_read8(f, PCI_PROG) & (1 << (2 * channel))) {
        p.cmd = pci_read32(f, PCI_BAR0 + 8 * channel) & 0xfffc;
        p.ctl = (pci_read32(f, PCI_BAR0 + 4 + 8 * channel) & 0xfffc) + 2;
    }
    u16 bm = pci_read32(f, PCI_BAR0 + 16) & 0xfffc;
    if (bm && pci_read8(f, PCI_PROG) & 0x80) p.bm = bm + 8 * channel;
    if (!reset_channel(&p)) return;
    for (p.unit = 0; p.unit < 2; p.unit++) probe_unit(&p);
    outb(p.ctl, CTL_NORMAL);
}

void ata_init(void)
{
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        if (pci_read16(f, PCI_CLASS) != 0x0101) continue;
        if (pci_read16(f, PCI_VENDOR) == 0x8086) {      /* PIIX: decode both channels */
            pci_write16(f, 0x40, 0x8000);
            pci_write16(f, 0x42, 0x8000);
        }
        probe_channel(f, 0);
        probe_channel(f, 1);
    }
}
