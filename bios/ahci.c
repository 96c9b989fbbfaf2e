/*
 * Disks and packet devices on AHCI 1.x ports.
 *
 * Command slot 0 only, polled, one command at a time, so all ports share one command list, FIS
 * area and command table. Registers are memory above 1 MiB: each access is a short trip through
 * flat mode, which a virtual-8086 monitor does not allow; there commands fail with status 20h.
 * Unaligned buffers and those of packet commands with odd sizes go through the bounce buffer.
 */
#include "bios/disk.h"
#include "bios/pci.h"

enum {
    GHC = 0x04, PI = 0x0c, GHC_AE = 1u << 31,
    P_CLB = 0x00, P_CLBU = 0x04, P_FB = 0x08, P_FBU = 0x0c, P_IS = 0x10, P_IE = 0x14, P_CMD = 0x18,
    P_TFD = 0x20, P_SIG = 0x24, P_SSTS = 0x28, P_SERR = 0x30, P_CI = 0x38,
    CMD_ST = 1, CMD_SUD = 2, CMD_POD = 4, CMD_FRE = 1 << 4, CMD_FR = 1 << 14, CMD_CR = 1 << 15,
    IS_TFES = 1 << 30, TFD_BSY = 0x80, TFD_DRQ = 0x08, TFD_ERR = 0x01,
    TFD_ABRT = 0x0400, TFD_WP = 0x4000,
    SIG_DISK = 0x00000101, SIG_PACKET = 0xeb140101,
    C_READ_DMA = 0xc8, C_WRITE_DMA = 0xca, C_READ_DMA_EXT = 0x25, C_WRITE_DMA_EXT = 0x35,
    C_PACKET = 0xa0, C_IDENTIFY = 0xec, C_IDENTIFY_PACKET = 0xa1,
    H_PACKET = 1 << 5, H_WRITE = 1 << 6, COMMAND_MS = 10000,
};

struct ahci_memory {
    u32 list[256];
    u8 fis[256];
    struct {
        u8 cfis[64], acmd[16], reserved[48];
        u32 prd[4];
    } table;
};

static struct ahci_memory mem __attribute__((section(".dma"), aligned(1024)));

static u32 port_read(struct drive *d, u32 reg)
{
    return flat_read32(d->mmio + 0x100 + d->port * 0x80 + reg);
}

static void port_write(struct drive *d, u32 reg, u32 v)
{
    flat_write32(d->mmio + 0x100 + d->port * 0x80 + reg, v);
}

static int port_wait(struct drive *d, u32 reg, u32 clear, u32 ms)
{
    struct deadline t;
    deadline_set(&t, ms);
    while (port_read(d, reg) & clear) {
        if (deadline_over(&t)) return 0;
        relax();
    }
    return 1;
}

static int port_stop(struct drive *d)
{
    port_write(d, P_CMD, port_read(d, P_CMD) & ~CMD_ST);
    if (!port_wait(d, P_CMD, CMD_CR, 500)) return 0;
    port_write(d, P_CMD, port_read(d, P_CMD) & ~CMD_FRE);
    return port_wait(d, P_CMD, CMD_FR, 500);
}

static void port_start(struct drive *d)
{
    port_write(d, P_CLB, linear(mem.list));
    port_write(d, P_CLBU, 0);
    port_write(d, P_FB, linear(mem.fis));
    port_write(d, P_FBU, 0);
    port_write(d, P_IE, 0);
    port_write(d, P_SERR, 0xffffffff);
    port_write(d, P_IS, 0xffffffff);
    port_write(d, P_CMD, port_read(d, P_CMD) | CMD_SUD | CMD_POD | CMD_FRE);
}

/* Runs one command. `addr` is physical and even, or bytes is 0. */
static u8 run(struct drive *d, u32 header, u32 addr, u32 bytes)
{
    mem.list[0] = 5 | header | (bytes ? 1u << 16 : 0);
    mem.list[1] = 0;
    mem.list[2] = linear(&mem.table);
    mem.list[3] = 0;
    mem.table.prd[0] = addr;
    mem.table.prd[1] = 0;
    mem.table.prd[2] = 0;
    mem.table.prd[3] = bytes - 1;
    port_write(d, P_IS, 0xffffffff);
    port_write(d, P_CI, 1);

    struct deadline t;
    deadline_set(&t, COMMAND_MS);
    u8 result = DISK_OK;
    while (port_read(d, P_CI) & 1) {
        if (port_read(d, P_IS) & IS_TFES) break;
        if (deadline_over(&t)) {
            result = DISK_TIMEOUT;
            break;
        }
        relax();
    }
    u32 tfd = port_read(d, P_TFD);
    if (result == DISK_OK && (tfd & TFD_ERR || port_read(d, P_IS) & IS_TFES)) {
        /* A write within the disk that is aborted: the medium is protected. */
        int refused = header == H_WRITE && tfd & (TFD_ABRT | TFD_WP);
        result = refused ? DISK_PROTECTED : DISK_CONTROLLER;
    }
    if (result) {
        port_stop(d);
        port_start(d);
        port_write(d, P_CMD, port_read(d, P_CMD) | CMD_ST);
    }
    port_write(d, P_IS, 0xffffffff);
    flat_write32(d->mmio + 8, 1u << d->port);
    return result;
}

static u8 *new_fis(u8 command)
{
    memset(mem.table.cfis, 0, sizeof mem.table.cfis);
    mem.table.cfis[0] = 0x27;
    mem.table.cfis[1] = 0x80;
    mem.table.cfis[2] = command;
    return mem.table.cfis;
}

static u8 transfer(struct drive *d, u64 lba, u16 count, u32 addr, int write)
{
    u8 *f;
    if (d->lba48) {
        f = new_fis(write ? C_WRITE_DMA_EXT : C_READ_DMA_EXT);
        f[7] = 0x40;
        f[8] = (u8)(lba >> 24);
        f[9] = (u8)(lba >> 32);
        f[10] = (u8)(lba >> 40);
        f[13] = count >> 8;
    } else {
        f = new_fis(write ? C_WRITE_DMA : C_READ_DMA);
        f[7] = 0x40 | ((u8)(lba >> 24) & 15);
    }
    f[4] = (u8)lba;
    f[5] = (u8)(lba >> 8);
    f[6] = (u8)(lba >> 16);
    f[12] = (u8)count;
    return run(d, write ? H_WRITE : 0, addr, count * 512u);
}

u8 ahci_rw(struct drive *d, u64 lba, u16 count, u32 addr, int write)
{
    if (v86_mode()) return DISK_CONTROLLER;
    if (!(addr & 1)) return transfer(d, lba, count, addr, write);
    for (; count; count--, lba++, addr += 512) {
        if (write) flat_copy(linear(bounce), addr, 512);
        u8 result = transfer(d, lba, 1, linear(bounce), write);
        if (result) return result;
        if (!write) flat_copy(addr, linear(bounce), 512);
    }
    return DISK_OK;
}

u8 ahci_packet(struct drive *d, const u8 *cdb, u32 addr, u32 bytes)
{
    if (v86_mode()) return DISK_CONTROLLER;
    int direct = !(addr & 1) && !(bytes & 1);
    if (!direct && bytes > BOUNCE_SIZE) return DISK_BOUNDARY;
    u8 *f = new_fis(C_PACKET);
    f[3] = bytes ? 1 : 0;               /* data by DMA */
    f[5] = (u8)bytes;
    f[6] = (u8)(bytes >> 8);
    memset(mem.table.acmd, 0, sizeof mem.table.acmd);
    memcpy(mem.table.acmd, cdb, 12);
    u8 result = run(d, H_PACKET, direct ? addr : linear(bounce), (bytes + 1) & ~1u);
    if (!direct && result == DISK_OK) flat_copy(addr, linear(bounce), bytes);
    return result;
}

/* ------------------------------------------------------------------ discovery */

static int link_up(struct drive *d)
{
    struct deadline t;
    deadline_set(&t, 100);
    for (;;) {
        u32 det = port_read(d, P_SSTS) & 15;
        if (det == 3) return 1;
        if (det == 0 || deadline_over(&t)) return 0;
    }
}

static void probe_port(struct drive *p)
{
    if (!port_stop(p)) return;
    port_write(p, P_CMD, port_read(p, P_CMD) | CMD_SUD | CMD_POD);
    if (!link_up(p)) return;
    port_start(p);
    if (!port_wait(p, P_TFD, TFD_BSY | TFD_DRQ, 5000)) return;
    u32 sig = port_read(p, P_SIG);
    if (sig != SIG_DISK && sig != SIG_PACKET) return;
    port_write(p, P_CMD, port_read(p, P_CMD) | CMD_ST);

    u8 is_packet = sig == SIG_PACKET;
    new_fis(is_packet ? C_IDENTIFY_PACKET : C_IDENTIFY);
    if (run(p, 0, linear(bounce), 512)) return;
    struct drive *d = is_packet ? new_cd() : new_disk();
    if (!d) return;
    *d = *p;
    d->kind = is_packet ? DRIVE_AHCI_ATAPI : DRIVE_AHCI;
    if (is_packet) identify_model(d, (u16 *)bounce);
    else identify_disk(d, (u16 *)bounce);
}

void ahci_init(void)
{
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        if (pci_read16(f, PCI_CLASS) != 0x0106 || pci_read8(f, PCI_PROG) != 1) continue;
        struct drive p;
        memset(&p, 0, sizeof p);
        p.pci = f;
        p.mmio = pci_read32(f, 0x24) & ~15u;
        if (p.mmio == 0) continue;
        flat_write32(p.mmio + GHC, flat_read32(p.mmio + GHC) | GHC_AE);
        u32 implemented = flat_read32(p.mmio + PI);
        for (p.port = 0; p.port < 32; p.port++)
            if (implemented >> p.port & 1) probe_port(&p);
    }
}
