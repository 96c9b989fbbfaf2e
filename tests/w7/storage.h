/* Disk and CD access for the bare-metal storage programs (bm_ide.c, bm_ahci.c, bm_atapi.c, bm_soak.c): the IDE task file, bus-master
 * DMA and AHCI command slots, driven the way the in-box drivers of Windows 7 drive them, with every wait bounded. Memory from 16 MiB
 * up is the programs' own: tables below BUFFER, data from there. */
#ifndef TESTS_W7_STORAGE_H
#define TESTS_W7_STORAGE_H

#include "bm.h"

enum { PRD_TABLE = 0x1000000, CLB = 0x1010000, RFIS = 0x1011000, CTABLE = 0x1020000, BUFFER = 0x2000000 };
enum { ERR = 1, DRQ = 8, DSC = 0x10, DRDY = 0x40, BSY = 0x80 };

struct ide {
    u16 cmd, ctl, bm;
    u8 select; /* device register without the LBA bits: A0h or B0h */
    unsigned irq;
};

static volatile u32 irq_count[16];
static volatile u8 irq_altstatus[16], irq_bm[16];
static volatile u32 irq_memory[16]; /* the doubleword at *irq_watch when the interrupt came */
static volatile u32 *irq_watch;

static inline u8 *mem(u32 address) { return (u8 *)(word)address; }
static inline u32 le32(const u8 *p) { return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24; }
static inline u16 le16(const u8 *p) { return (u16)(p[0] | p[1] << 8); }
static inline void put_le32(u8 *p, u32 v)
{
    for (unsigned k = 0; k < 4; k++) p[k] = (u8)(v >> 8 * k);
}

static inline void insw(u16 port, void *to, u32 words)
{
    __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(port) : "memory");
}

static inline void outsw(u16 port, const void *from, u32 words)
{
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(port) : "memory");
}

/* --- checksums and random numbers --- */

static inline u32 crc32(u32 crc, const u8 *p, u32 n)
{
    static u32 table[256];
    if (!table[1]) {
        for (u32 k = 0; k < 256; k++) {
            u32 c = k;
            for (unsigned b = 0; b < 8; b++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
            table[k] = c;
        }
    }
    crc = ~crc;
    for (u32 k = 0; k < n; k++) crc = crc >> 8 ^ table[(u8)(crc ^ p[k])];
    return ~crc;
}

static inline u32 random32(u32 *state)
{
    u32 x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Value of "name=" on the command line: hexadecimal; deflt when absent. */
static inline u32 argument(const struct bm_info *info, const char *name, u32 deflt)
{
    for (const char *s = info->command_line; *s; s++) {
        const char *a = s, *b = name;
        while (*b && *a == *b) a++, b++;
        if (*b || *a != '=') continue;
        u32 v = 0;
        for (a++; (*a >= '0' && *a <= '9') || (*a >= 'a' && *a <= 'f'); a++)
            v = v << 4 | (u32)(*a <= '9' ? *a - '0' : *a - 'a' + 10);
        return v;
    }
    return deflt;
}

/* --- PCI --- */

/* First function of a class (class << 8 | subclass), with I/O, memory and bus mastering on; -1: none. */
static inline int pci_class(u32 class_code)
{
    for (int f = 0; f < 256; f++) {
        if (pci_read((unsigned)f >> 3, f & 7, 0) == 0xffffffff) continue;
        if (pci_read((unsigned)f >> 3, f & 7, 8) >> 16 != class_code) continue;
        pci_write((unsigned)f >> 3, f & 7, 4, 7);
        return f;
    }
    return -1;
}

/* --- IDE --- */

static inline void on_ide_irq(unsigned line, u16 ctl, u16 bm)
{
    irq_count[line]++;
    irq_altstatus[line] = inb(ctl);
    irq_bm[line] = inb((u16)(bm + 2));
    if (irq_watch) irq_memory[line] = *irq_watch;
    bm_pic_eoi(line);
}

static u16 ide_bm_base;
static void on_irq14(struct bm_regs *r) { (void)r; on_ide_irq(14, 0x3f6, ide_bm_base); }
static void on_irq15(struct bm_regs *r) { (void)r; on_ide_irq(15, 0x376, (u16)(ide_bm_base + 8)); }

static inline struct ide ide_drive(unsigned n) /* 0 primary master ... 3 secondary slave */
{
    static const struct ide channel[2] = { { 0x1f0, 0x3f6, 0, 0xa0, 14 }, { 0x170, 0x376, 0, 0xa0, 15 } };
    struct ide d = channel[n >> 1];
    if (n & 1) d.select = 0xb0;
    d.bm = (u16)(ide_bm_base + 8 * (n >> 1));
    return d;
}

/* Bus master base found, interrupts of both channels open (in the PICs; the program decides about IF). */
static inline void ide_start(void)
{
    int f = pci_class(0x0101);
    if (f >= 0) ide_bm_base = (u16)(pci_read((unsigned)f >> 3, f & 7, 0x20) & 0xfffc);
    bm_pic_init(0x20, 0x28);
    bm_on(0x2e, on_irq14);
    bm_on(0x2f, on_irq15);
    bm_pic_mask((u16)~(1u << 2 | 1u << 14 | 1u << 15));
    outb(0x3f6, 0);
    outb(0x376, 0);
}

/* Waits by the alternate status; false after us microseconds. */
static inline bool ide_wait(const struct ide *d, u8 mask, u8 value, u32 us)
{
    u32 start = pm_ticks();
    while ((inb(d->ctl) & mask) != value) {
        if (((pm_ticks() - start) & 0xffffff) > us * 3 + us / 2) return false;
    }
    return true;
}

static inline void ide_select(const struct ide *d, u8 bits)
{
    outb((u16)(d->cmd + 6), d->select | bits);
    for (int k = 0; k < 4; k++) inb(d->ctl);
}

static inline void ide_lba28(const struct ide *d, u32 lba, u8 count)
{
    ide_select(d, 0x40 | (lba >> 24 & 15));
    outb((u16)(d->cmd + 2), count);
    outb((u16)(d->cmd + 3), (u8)lba);
    outb((u16)(d->cmd + 4), (u8)(lba >> 8));
    outb((u16)(d->cmd + 5), (u8)(lba >> 16));
}

static inline void ide_lba48(const struct ide *d, u64 lba, u16 count)
{
    ide_select(d, 0x40);
    outb((u16)(d->cmd + 2), (u8)(count >> 8));
    outb((u16)(d->cmd + 3), (u8)(lba >> 24));
    outb((u16)(d->cmd + 4), (u8)(lba >> 32));
    outb((u16)(d->cmd + 5), (u8)(lba >> 40));
    outb((u16)(d->cmd + 2), (u8)count);
    outb((u16)(d->cmd + 3), (u8)lba);
    outb((u16)(d->cmd + 4), (u8)(lba >> 8));
    outb((u16)(d->cmd + 5), (u8)(lba >> 16));
}

static inline u8 ide_status(const struct ide *d) { return inb((u16)(d->cmd + 7)); }
static inline u8 ide_error(const struct ide *d) { return inb((u16)(d->cmd + 1)); }
static inline void ide_command(const struct ide *d, u8 c) { outb((u16)(d->cmd + 7), c); }

/* PIO data phases of a started command; `block` sectors per interrupt. False: error or time-out. */
static inline bool ide_pio_in(const struct ide *d, u8 *to, u32 sectors, u32 block)
{
    while (sectors) {
        u32 n = sectors < block ? sectors : block;
        if (!ide_wait(d, BSY | DRQ, DRQ, 1000000)) return ide_status(d), false;
        ide_status(d);
        insw(d->cmd, to, n * 256);
        to += n * 512;
        sectors -= n;
    }
    return ide_wait(d, BSY | DRQ, 0, 1000000) && !(ide_status(d) & ERR);
}

static inline bool ide_pio_out(const struct ide *d, const u8 *from, u32 sectors, u32 block)
{
    while (sectors) {
        u32 n = sectors < block ? sectors : block;
        if (!ide_wait(d, BSY | DRQ, DRQ, 1000000)) return ide_status(d), false;
        ide_status(d);
        outsw(d->cmd, from, n * 256);
        from += n * 512;
        sectors -= n;
    }
    return ide_wait(d, BSY | DRQ, 0, 1000000) && !(ide_status(d) & ERR);
}

/* One entry of the bus master's table; bytes 1..65536. */
static inline void prd(u32 n, u32 address, u32 bytes, bool last)
{
    put_le32(mem(PRD_TABLE + 8 * n), address);
    put_le32(mem(PRD_TABLE + 8 * n + 4), (bytes & 0xffff) | (last ? 0x80000000 : 0));
}

static inline void prd_range(u32 address, u32 bytes)
{
    for (u32 n = 0; bytes; n++) {
        u32 part = bytes < 0x10000 ? bytes : 0x10000;
        prd(n, address, part, part == bytes);
        address += part;
        bytes -= part;
    }
}

/* Starts the bus master and the command (its registers are loaded), waits; the bus master's status byte, the drive's in *status. */
static inline u8 ide_dma(const struct ide *d, u8 command, bool to_memory, u8 *status)
{
    outl((u16)(d->bm + 4), PRD_TABLE);
    outb((u16)(d->bm + 2), 6);
    outb(d->bm, to_memory ? 8 : 0);
    ide_command(d, command);
    outb(d->bm, to_memory ? 9 : 1);
    u32 start = pm_ticks();
    while (!(inb((u16)(d->bm + 2)) & 4) && ((pm_ticks() - start) & 0xffffff) < 7000000) {
    }
    u8 bm = inb((u16)(d->bm + 2));
    outb(d->bm, to_memory ? 8 : 0);
    *status = ide_status(d);
    outb((u16)(d->bm + 2), 6);
    return bm;
}

static inline bool ide_read_dma(const struct ide *d, u32 lba, u32 sectors, u8 *to)
{
    u8 status;
    prd_range((u32)(word)to, sectors * 512);
    ide_lba28(d, lba, (u8)sectors);
    return (ide_dma(d, 0xc8, true, &status) & 7) == 4 && !(status & (ERR | DRQ | BSY));
}

/* A packet command: the packet, then data in by PIO until the drive is done. Returns the final status; *got bytes arrived (at most max
 * are stored), *blocks counts DRQ blocks. Fails (BSY) after a time-out. */
struct packet_result {
    u8 status, error, reason;
    u32 got, blocks, largest;
    bool odd_reason; /* a DRQ block whose interrupt reason was not "data to the host" */
};

static inline struct packet_result ide_packet(const struct ide *d, const u8 *packet, u8 *to, u32 max, u16 limit)
{
    struct packet_result r = { 0 };
    ide_select(d, 0);
    outb((u16)(d->cmd + 1), 0);
    outb((u16)(d->cmd + 4), (u8)limit);
    outb((u16)(d->cmd + 5), (u8)(limit >> 8));
    ide_command(d, 0xa0);
    if (!ide_wait(d, BSY | DRQ, DRQ, 1000000)) return r.status = BSY, r;
    if ((inb((u16)(d->cmd + 2)) & 3) != 1) r.odd_reason = true; /* command phase: C/D=1, I/O=0 */
    outsw(d->cmd, packet, 6);
    for (;;) {
        if (!ide_wait(d, BSY, 0, 2000000)) return r.status = BSY, r;
        r.status = ide_status(d);
        r.reason = inb((u16)(d->cmd + 2)) & 7;
        if (!(r.status & DRQ)) break;
        if (r.reason != 2) r.odd_reason = true;
        u32 n = inb((u16)(d->cmd + 4)) | (u32)inb((u16)(d->cmd + 5)) << 8;
        r.blocks++;
        if (n > r.largest) r.largest = n;
        for (u32 k = 0; k < n; k += 2) {
            u16 v = inw(d->cmd);
            if (r.got + k < max) to[r.got + k] = (u8)v;
            if (r.got + k + 1 < max && k + 1 < n) to[r.got + k + 1] = (u8)(v >> 8);
        }
        r.got += n;
        if (r.blocks > 100000) break;
    }
    r.error = ide_error(d);
    return r;
}

/* --- AHCI --- */

enum { P_CLB = 0, P_FB = 8, P_IS = 0x10, P_IE = 0x14, P_CMD = 0x18, P_TFD = 0x20, P_SIG = 0x24, P_SSTS = 0x28, P_SCTL = 0x2c,
       P_SERR = 0x30, P_SACT = 0x34, P_CI = 0x38 };

static u32 ahci_base;
static unsigned ahci_irq; /* ISA line the BIOS wrote */

static inline u32 hba(u32 reg) { return mmio_read(ahci_base + reg); }
static inline u32 port_reg(unsigned port, u32 reg) { return hba(0x100 + 0x80 * port + reg); }
static inline void port_set(unsigned port, u32 reg, u32 v) { mmio_write(ahci_base + 0x100 + 0x80 * port + reg, v); }

static inline bool ahci_find(void)
{
    int f = pci_class(0x0106);
    if (f < 0) return false;
    ahci_base = pci_read((unsigned)f >> 3, f & 7, 0x24) & ~15u;
    ahci_irq = pci_read((unsigned)f >> 3, f & 7, 0x3c) & 15;
    mmio_write(ahci_base + 4, hba(4) | 0x80000000);
    return true;
}

/* Waits for (register & mask) == value; false after us microseconds. */
static inline bool port_wait(unsigned port, u32 reg, u32 mask, u32 value, u32 us)
{
    u32 start = pm_ticks();
    while ((port_reg(port, reg) & mask) != value) {
        if (((pm_ticks() - start) & 0xffffff) > us * 3 + us / 2) return false;
    }
    return true;
}

static inline bool port_stop(unsigned port)
{
    port_set(port, P_CMD, port_reg(port, P_CMD) & ~1u);
    if (!port_wait(port, P_CMD, 0x8000, 0, 500000)) return false;
    port_set(port, P_CMD, port_reg(port, P_CMD) & ~0x10u);
    return port_wait(port, P_CMD, 0x4000, 0, 500000);
}

static inline bool port_start(unsigned port)
{
    port_set(port, P_CLB, CLB);
    port_set(port, P_CLB + 4, 0);
    port_set(port, P_FB, RFIS);
    port_set(port, P_FB + 4, 0);
    port_set(port, P_CMD, port_reg(port, P_CMD) | 0x10);
    if (!port_wait(port, P_CMD, 0x4000, 0x4000, 500000)) return false;
    port_set(port, P_SERR, 0xffffffff);
    port_set(port, P_IS, 0xffffffff);
    port_set(port, P_CMD, port_reg(port, P_CMD) | 1);
    return port_wait(port, P_CMD, 0x8000, 0x8000, 500000);
}

static inline u32 slot_table(unsigned slot) { return CTABLE + slot * 0x2000; }

static inline void slot_prd(unsigned slot, u32 n, u32 address, u32 bytes)
{
    u8 *e = mem(slot_table(slot) + 0x80 + 16 * n);
    put_le32(e, address);
    put_le32(e + 4, 0);
    put_le32(e + 8, 0);
    put_le32(e + 12, bytes - 1);
}

/* The command FIS and header of a slot; the scatter list (n entries) is there already. */
static inline void slot_fill(unsigned slot, u8 command, u64 lba, u32 count, bool write, u32 entries)
{
    u8 *f = mem(slot_table(slot)), *h = mem(CLB + 32 * slot);
    bool ncq = command == 0x60 || command == 0x61;
    memset(f, 0, 0x80);
    f[0] = 0x27;
    f[1] = 0x80;
    f[2] = command;
    for (unsigned k = 0; k < 3; k++) {
        f[4 + k] = (u8)(lba >> 8 * k);
        f[8 + k] = (u8)(lba >> (24 + 8 * k));
    }
    f[7] = 0x40;
    f[3] = ncq ? (u8)count : 0;
    f[11] = ncq ? (u8)(count >> 8) : 0;
    f[12] = ncq ? (u8)(slot << 3) : (u8)count;
    f[13] = ncq ? 0 : (u8)(count >> 8);
    put_le32(h, 5 | (write ? 0x40 : 0) | entries << 16);
    put_le32(h + 4, 0);
    put_le32(h + 8, slot_table(slot));
    put_le32(h + 12, 0);
}

static inline u32 slot_moved(unsigned slot) { return le32(mem(CLB + 32 * slot + 4)); }

/* Runs slot 0, prepared; false: error or time-out. */
static inline bool slot_run(unsigned port)
{
    port_set(port, P_CI, 1);
    u32 start = pm_ticks();
    while (port_reg(port, P_CI) & 1) {
        if (port_reg(port, P_IS) & 0x40000000) return false;
        if (((pm_ticks() - start) & 0xffffff) > 7000000) return false;
    }
    return !(port_reg(port, P_TFD) & (ERR | BSY | DRQ));
}

static inline bool ahci_move(unsigned port, u8 command, u64 lba, u32 count, u8 *data, bool write)
{
    slot_prd(0, 0, (u32)(word)data, count * 512);
    slot_fill(0, command, lba, count, write, 1);
    return slot_run(port) && slot_moved(0) == count * 512;
}

#endif
