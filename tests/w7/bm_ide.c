/* The IDE controller and its drives as Windows 7's intelide, pciidex and atapi use them: a disk of 200 GiB (sparse) as primary master,
 * nothing as slave; command line "empty=1": the secondary channel has no drive, else the CD drive is its master. "sectors=" is the
 * low half of the disk's size. PIO, bus-master DMA, interrupts, resets, 48-bit addresses (ATA/ATAPI-7, SFF-8038i). */
#include "tests/w7/storage.h"

static struct ide disk, slave, cd, cd_slave;

static bool identify(u8 *id)
{
    ide_select(&disk, 0);
    ide_command(&disk, 0xec);
    return ide_pio_in(&disk, id, 1, 1);
}

static u16 w(const u8 *id, unsigned n)
{
    return le16(id + 2 * n);
}

/* --- 187 --- */

static void string_word(const u8 *id, unsigned first, unsigned words, const char *what, const char *want)
{
    char s[64] = { 0 };
    unsigned end = 0;
    bool good = true;
    for (unsigned k = 0; k < 2 * words; k++) {
        s[k] = (char)id[2 * first + (k ^ 1)];
        good &= s[k] >= 0x20 && s[k] < 0x7f;
        if (s[k] != ' ') end = k + 1;
    }
    s[end] = 0;
    unsigned n = 0;
    while (want[n] && s[n] == want[n]) n++;
    w7(187, good && end > 0 && !want[n], "%s reads '%s', expected '%s...'", what, s, want);
}

static void check_identify(const struct bm_info *info)
{
    u8 *id = mem(BUFFER), *again = mem(BUFFER + 512), sum = 0;
    w7(187, identify(id) && identify(again), "IDENTIFY DEVICE delivers a sector");
    w7(187, !memcmp(id, again, 512), "IDENTIFY DEVICE is the same twice");
    for (unsigned k = 0; k < 512; k++) sum = (u8)(sum + id[k]);
    w7_eq(187, "signature of word 255", id[510], 0xa5);
    w7_eq(187, "sum of the page", sum, 0);
    string_word(id, 10, 10, "serial number", "AEROPC-ide0");
    string_word(id, 27, 20, "model", "AEROPC DISK");
    string_word(id, 23, 4, "firmware", "1");
    w7_eq(187, "word 0 bits 15 and 7", w(id, 0) & 0x8080, 0);
    w7(187, w(id, 1) == 16383 && w(id, 3) == 16 && w(id, 6) == 63, "geometry %u/%u/%u", w(id, 1), w(id, 3), w(id, 6));
    w7_eq(187, "word 47", w(id, 47), 0x8010);
    w7_eq(187, "word 49 bits 8, 9", w(id, 49) & 0x300, 0x300);
    w7_eq(187, "word 50 bit 14", w(id, 50) >> 14, 1);
    w7_eq(187, "word 53 bits 1, 2", w(id, 53) & 6, 6);
    u32 current = (u32)w(id, 54) * w(id, 55) * w(id, 56);
    w7_eq(187, "words 57-58", le32(id + 114), current);
    w7_eq(187, "word 59: multiple of 16 set", w(id, 59) & 0x1ff, 0x110);
    w7_eq(187, "words 60-61 saturate", le32(id + 120), 0x0fffffff);
    w7_eq(187, "words 100-101", le32(id + 200), argument(info, "sectors", 0x19000000));
    w7_eq(187, "words 102-103", le32(id + 204), 0);
    w7_eq(187, "word 63 modes", w(id, 63) & 7, 7);
    w7_eq(187, "word 64", w(id, 64) & 3, 3);
    w7(187, w(id, 65) && w(id, 66) && w(id, 67) && w(id, 68), "cycle times");
    w7(187, !w(id, 75) && !w(id, 76), "no SATA words on IDE");
    w7(187, w(id, 80) & 0x70, "word 80 is %x", w(id, 80));
    w7_eq(187, "word 83: LBA48, flush", w(id, 83) & 0xf400, 0x7400);
    w7_eq(187, "word 84 bits 15:14", w(id, 84) >> 14, 1);
    w7_eq(187, "word 86: LBA48, flush on", w(id, 86) & 0x3400, 0x3400);
    w7_eq(187, "word 87 bits 15:14", w(id, 87) >> 14, 1);
    w7_eq(187, "word 88 modes", w(id, 88) & 0x7f, 0x7f);
    w7_eq(187, "word 93: 80-wire cable, device 0", w(id, 93) & 0xe001, 0x6001);
    w7(187, w(id, 106) == 0 || w(id, 106) >> 14 == 1, "word 106 is %x", w(id, 106));
}

/* --- 188 --- */

static void check_absent(bool empty)
{
    ide_lba28(&disk, 0x123456, 0x5a);
    ide_select(&slave, 0x40);
    u8 status = inb(slave.ctl);
    w7(188, ide_wait(&slave, BSY, 0, 10000), "an absent slave's status is %x, not busy", status);
    w7(188, !(inb(slave.ctl) & (DRQ | DRDY | ERR)), "an absent slave is not ready: %x", inb(slave.ctl));
    w7(188, inb((u16)(slave.cmd + 3)) != 0x56 || inb((u16)(slave.cmd + 2)) != 0x5a, "an absent slave does not echo the master's registers");
    ide_command(&slave, 0xec);
    bm_delay_us(2000);
    w7(188, !(ide_status(&slave) & (DRQ | BSY)), "a command for the absent slave starts nothing: %x", inb(slave.ctl));
    ide_select(&disk, 0x40);
    w7(188, !(inb(disk.ctl) & (BSY | DRQ)) && inb(disk.ctl) & DRDY, "the master is not touched by it: %x", inb(disk.ctl));
    ide_select(&cd_slave, 0);
    w7(188, ide_wait(&cd_slave, BSY, 0, 10000), "secondary slave is not busy: %x", inb(cd_slave.ctl));
    if (!empty) {
        w7(188, !(inb(cd_slave.ctl) & DRQ), "secondary slave has no data");
        return;
    }
    ide_select(&cd, 0);
    u8 v = inb(cd.ctl);
    w7(188, ide_wait(&cd, BSY, 0, 10000) && v != 0x50, "an empty channel floats: status %x", v);
    outb((u16)(cd.cmd + 2), 0x55);
    outb((u16)(cd.cmd + 3), 0xaa);
    w7(188, inb((u16)(cd.cmd + 2)) != 0x55 || inb((u16)(cd.cmd + 3)) != 0xaa, "an empty channel has no registers");
}

/* --- 189 --- */

static void signature(const struct ide *d, const char *what, u8 mid, u8 high, bool atapi)
{
    u8 c = inb((u16)(d->cmd + 2)), l = inb((u16)(d->cmd + 3)), m = inb((u16)(d->cmd + 4)), h = inb((u16)(d->cmd + 5));
    w7(189, c == 1 && l == 1 && m == mid && h == high, "%s: %02x/%02x/%02x/%02x, expected 01/01/%02x/%02x", what, c, l, m, h, mid, high);
    (void)atapi;
}

static void soft_reset(u16 ctl)
{
    outb(ctl, 4);
    bm_delay_us(10);
    outb(ctl, 0);
    bm_delay_us(2000);
}

static void check_reset(bool empty)
{
    ide_lba28(&disk, 0xabcdef, 0x77);
    outb(0x3f6, 4);
    bm_delay_us(10);
    w7_eq(189, "busy while SRST is set", inb(0x3f6) & BSY, BSY);
    outb(0x3f6, 0);
    w7(189, ide_wait(&disk, BSY, 0, 2000000), "not busy after SRST");
    signature(&disk, "disk after SRST", 0, 0, false);
    w7_eq(189, "disk's error register after SRST", ide_error(&disk), 1);
    w7_eq(189, "disk's status after SRST", inb(0x3f6) & (DRDY | ERR | DRQ), DRDY);
    ide_lba28(&disk, 0xabcdef, 0x77);
    ide_command(&disk, 0x90);
    w7(189, ide_wait(&disk, BSY, 0, 2000000), "EXECUTE DIAGNOSTIC ends");
    signature(&disk, "disk after EXECUTE DIAGNOSTIC", 0, 0, false);
    w7_eq(189, "code of EXECUTE DIAGNOSTIC", ide_error(&disk) & 0x7f, 1);
    w7_eq(189, "device 0 is selected", inb(0x1f6) & 0x10, 0);
    ide_status(&disk);
    if (empty) return;
    soft_reset(0x376);
    signature(&cd, "CD drive after SRST", 0x14, 0xeb, true);
    ide_select(&cd, 0);
    ide_command(&cd, 0x90);
    bm_delay_us(2000);
    signature(&cd, "CD drive after EXECUTE DIAGNOSTIC", 0x14, 0xeb, true);
    ide_status(&cd);
    ide_command(&cd, 0xec);
    bm_delay_us(2000);
    w7_eq(189, "CD drive aborts IDENTIFY DEVICE", ide_status(&cd) & (ERR | DRQ), ERR);
    signature(&cd, "CD drive after IDENTIFY DEVICE", 0x14, 0xeb, true);
}

/* --- 190: the level of INTRQ, seen by making the 8259's input level-sensitive --- */

static bool line14(void)
{
    outb(0xa0, 0x0a);
    return inb(0xa0) & 0x40;
}

static void check_line(void)
{
    u8 elcr = inb(0x4d1), *id = mem(BUFFER);
    ide_status(&disk);
    outb(0x4d1, elcr | 0x40);
    w7(190, !line14(), "no interrupt while idle");
    ide_select(&disk, 0);
    ide_command(&disk, 0xec);
    ide_wait(&disk, BSY | DRQ, DRQ, 1000000);
    w7(190, line14(), "data ready raises the interrupt");
    for (int k = 0; k < 8; k++) inb(disk.ctl);
    w7(190, line14(), "alternate status does not clear it");
    outb(disk.ctl, 2);
    w7(190, !line14(), "nIEN masks it");
    outb(disk.ctl, 0);
    w7(190, line14(), "and shows it again");
    ide_status(&disk);
    w7(190, !line14(), "reading status clears it");
    insw(disk.cmd, id, 256);
    outb(disk.ctl, 2);
    ide_command(&disk, 0xe7);
    ide_wait(&disk, BSY, 0, 1000000);
    w7(190, !line14(), "nIEN holds a completion back");
    w7_eq(190, "status of it", ide_status(&disk) & (BSY | DRQ | ERR), 0);
    outb(disk.ctl, 0);
    w7(190, !line14(), "a completion that was read is gone");
    outb(0x4d1, elcr);
}

/* --- 191 --- */

static void check_order(void)
{
    u8 *id = mem(BUFFER), status;
    ide_status(&disk);
    irq_count[14] = 0;
    sti();
    ide_select(&disk, 0);
    ide_command(&disk, 0xec);
    for (u32 k = 0; k < 100000 && !irq_count[14]; k++) inb(0x80);
    cli();
    w7_eq(191, "interrupts of IDENTIFY DEVICE", irq_count[14], 1);
    w7_eq(191, "BSY and DRQ at a PIO interrupt", irq_altstatus[14] & (BSY | DRQ), DRQ);
    ide_pio_in(&disk, id, 1, 1);

    u32 *last = (u32 *)mem(BUFFER + 128 * 512 - 4);
    u8 *pio = mem(BUFFER + 0x100000);
    ide_lba28(&disk, 127, 1);
    ide_command(&disk, 0x20);
    ide_pio_in(&disk, pio, 1, 1);
    *last = 0xdeadbeef;
    irq_watch = last;
    irq_count[14] = 0;
    prd_range(BUFFER, 128 * 512);
    ide_lba28(&disk, 0, 128);
    outl((u16)(disk.bm + 4), PRD_TABLE);
    outb((u16)(disk.bm + 2), 6);
    outb(disk.bm, 8);
    ide_command(&disk, 0xc8);
    w7_eq(191, "no interrupt before the bus master starts", inb((u16)(disk.bm + 2)) & 4, 0);
    sti();
    outb(disk.bm, 9);
    for (u32 k = 0; k < 1000000 && !irq_count[14]; k++) inb(0x80);
    cli();
    irq_watch = NULL;
    w7_eq(191, "interrupts of a DMA read", irq_count[14], 1);
    w7_eq(191, "BSY and DRQ at a DMA interrupt", irq_altstatus[14] & (BSY | DRQ | ERR), 0);
    w7_eq(191, "bus master status at the interrupt: interrupt, not active", irq_bm[14] & 7, 4);
    w7_eq(191, "the last doubleword was in memory", irq_memory[14], le32(pio + 508));
    outb(disk.bm, 8);
    status = ide_status(&disk);
    w7_eq(191, "final status", status & (BSY | DRQ | ERR), 0);
    outb((u16)(disk.bm + 2), 6);
}

/* --- 192 --- */

static void check_prd(void)
{
    u8 status, *want = mem(BUFFER + 0x400000), *got = mem(BUFFER + 0x500000);
    ide_lba28(&disk, 64, 0);
    ide_command(&disk, 0xc4);
    w7(192, ide_pio_in(&disk, want, 256, 16), "PIO read of 256 sectors to compare with");

    memset(got, 0xee, 0x20010);
    prd(0, (u32)(word)got, 0x10000, false);
    prd(1, (u32)(word)got + 0x10000, 0x10000, true);
    w7_eq(192, "entry of 64 KiB has count 0", le32(mem(PRD_TABLE + 4)), 0);
    ide_lba28(&disk, 64, 0);
    w7_eq(192, "two entries of 64 KiB", ide_dma(&disk, 0xc8, true, &status) & 7, 4);
    w7(192, !memcmp(got, want, 0x20000) && got[0x20000] == 0xee, "data of two entries of 64 KiB");

    static const u16 parts[] = { 2, 510, 6, 1018, 4, 1500, 22, 514, 2, 2, 516 };
    u32 at = 0;
    memset(got, 0xee, 0x4000);
    for (u32 k = 0; k < 11; k++) {
        prd(k, (u32)(word)got + at + 64 * k, parts[k], k == 10);
        at += parts[k];
    }
    ide_lba28(&disk, 64, 8);
    w7_eq(192, "eleven odd parts", ide_dma(&disk, 0xc8, true, &status) & 7, 4);
    bool good = at == 4096;
    at = 0;
    for (u32 k = 0; k < 11; k++) {
        good &= !memcmp(got + at + 64 * k, want + at, parts[k]) && got[at + 64 * k + parts[k]] == 0xee;
        at += parts[k];
    }
    w7(192, good, "eleven odd parts hold the data, the gaps do not");

    /* Table longer than the transfer: interrupt and still active. Shorter: no interrupt by itself, not active. */
    prd(0, (u32)(word)got, 4096, false);
    prd(1, (u32)(word)got + 4096, 4096, true);
    ide_lba28(&disk, 64, 8);
    w7_eq(192, "table longer than the transfer", ide_dma(&disk, 0xc8, true, &status) & 7, 5);
    w7_eq(192, "active falls when the bus master is stopped", inb((u16)(disk.bm + 2)) & 1, 0);
    prd(0, (u32)(word)got, 1024, true);
    ide_lba28(&disk, 64, 8);
    outl((u16)(disk.bm + 4), PRD_TABLE);
    outb((u16)(disk.bm + 2), 6);
    outb(disk.bm, 8);
    ide_command(&disk, 0xc8);
    outb(disk.bm, 9);
    bm_delay_us(5000);
    w7_eq(192, "table shorter than the transfer", inb((u16)(disk.bm + 2)) & 5, 0);
    outb(disk.bm, 0);
    soft_reset(disk.ctl);

    /* Write 1 to clear; the capability bits are storage. */
    prd_range((u32)(word)got, 512);
    ide_lba28(&disk, 64, 1);
    outl((u16)(disk.bm + 4), PRD_TABLE);
    outb(disk.bm, 8);
    ide_command(&disk, 0xc8);
    outb(disk.bm, 9);
    ide_wait(&disk, BSY, 0, 1000000);
    w7_eq(192, "interrupt bit set", inb((u16)(disk.bm + 2)) & 7, 4);
    outb((u16)(disk.bm + 2), 0x60);
    w7_eq(192, "writing 0 keeps it, 5 and 6 are storage", inb((u16)(disk.bm + 2)) & 0x67, 0x64);
    outb((u16)(disk.bm + 2), 0x66);
    w7_eq(192, "writing 1 clears it", inb((u16)(disk.bm + 2)) & 7, 0);
    outb((u16)(disk.bm + 2), 0);
    outb(disk.bm, 0);
    ide_status(&disk);
    w7_eq(192, "table pointer reads back", inl((u16)(disk.bm + 4)), PRD_TABLE);
}

/* --- 193 --- */

static void check_lba48(void)
{
    enum { HIGH_LBA = 0x10000123 };
    u8 *a = mem(BUFFER + 0x4000000), *b = mem(BUFFER + 0x4800000), status;
    u32 seed = 0x48;
    for (u32 k = 0; k < 64 * 512; k += 4) put_le32(a + k, random32(&seed));
    u8 *low = mem(BUFFER + 0x4a00000);
    ide_lba28(&disk, HIGH_LBA & 0xfffffff, 8);
    ide_command(&disk, 0x20);
    w7(193, ide_pio_in(&disk, low, 8, 1), "28-bit read of the address's low bits");

    ide_lba48(&disk, HIGH_LBA, 8);
    ide_command(&disk, 0x34);
    w7(193, ide_pio_out(&disk, a, 8, 1), "WRITE SECTORS EXT");
    ide_lba48(&disk, HIGH_LBA + 8, 24);
    ide_command(&disk, 0x39);
    w7(193, ide_pio_out(&disk, a + 8 * 512, 24, 16), "WRITE MULTIPLE EXT");
    prd_range((u32)(word)a + 32 * 512, 32 * 512);
    ide_lba48(&disk, HIGH_LBA + 32, 32);
    w7(193, (ide_dma(&disk, 0x35, false, &status) & 7) == 4 && !(status & ERR), "WRITE DMA EXT");

    ide_lba48(&disk, HIGH_LBA, 64);
    ide_command(&disk, 0x24);
    w7(193, ide_pio_in(&disk, b, 64, 1) && !memcmp(a, b, 64 * 512), "READ SECTORS EXT returns what was written");
    memset(b, 0, 64 * 512);
    ide_lba48(&disk, HIGH_LBA, 64);
    ide_command(&disk, 0x29);
    w7(193, ide_pio_in(&disk, b, 64, 16) && !memcmp(a, b, 64 * 512), "READ MULTIPLE EXT returns what was written");
    memset(b, 0, 64 * 512);
    prd_range((u32)(word)b, 64 * 512);
    ide_lba48(&disk, HIGH_LBA, 64);
    w7(193, (ide_dma(&disk, 0x25, true, &status) & 7) == 4 && !memcmp(a, b, 64 * 512), "READ DMA EXT returns what was written");
    ide_lba28(&disk, HIGH_LBA & 0xfffffff, 8);
    ide_command(&disk, 0x20);
    w7(193, ide_pio_in(&disk, b, 8, 1) && !memcmp(low, b, 8 * 512), "the address's low bits name another sector");

    u8 *big = mem(BUFFER + 0x1000000);
    memset(big, 0xee, 0x2000000);
    prd_range((u32)(word)big, 0x2000000);
    ide_lba48(&disk, HIGH_LBA, 0);
    w7_eq(193, "READ DMA EXT of count 0", ide_dma(&disk, 0x25, true, &status) & 7, 4);
    w7(193, !memcmp(big, a, 64 * 512) && big[0x2000000 - 1] == 0 && big[64 * 512] == 0, "count 0 moves 65536 sectors");
    w7_eq(193, "registers after it: count", inb(0x1f2), 0);

    ide_lba48(&disk, 0x123456789abcull & 0xffffffffffffull, 0x4321);
    w7(193, inb(0x1f2) == 0x21 && inb(0x1f3) == 0xbc && inb(0x1f4) == 0x9a && inb(0x1f5) == 0x78, "registers hold the last values");
    outb(0x3f6, 0x80);
    w7(193, inb(0x1f2) == 0x43 && inb(0x1f3) == 0x56 && inb(0x1f4) == 0x34 && inb(0x1f5) == 0x12, "HOB shows the previous ones");
    outb(0x3f6, 0);
    ide_lba48(&disk, 0x19000000, 1);
    ide_command(&disk, 0x24);
    ide_wait(&disk, BSY, 0, 1000000);
    w7_eq(193, "an address behind the end", ide_status(&disk) & (ERR | DRQ), ERR);
    w7_eq(193, "its error", ide_error(&disk) & 0x14, 0x10);
}

/* --- 194, 195 --- */

/* Runs a command without data; status with the error register above it; interrupts in *irqs. */
static u32 simple(u8 command, u8 feature, u8 count, u32 *irqs)
{
    ide_lba28(&disk, 16, count);
    outb(0x1f1, feature);
    irq_count[14] = 0;
    sti();
    ide_command(&disk, command);
    for (u32 k = 0; k < 1000000 && !irq_count[14]; k++) inb(0x80);
    ide_wait(&disk, BSY, 0, 1000000);
    cli();
    *irqs = irq_count[14];
    u8 status = ide_status(&disk);
    return (u32)ide_error(&disk) << 8 | status;
}

static void accepted(u8 command, u8 feature, u8 count, const char *what)
{
    u32 irqs, r = simple(command, feature, count, &irqs);
    w7(194, (r & (BSY | DRQ | ERR | DRDY)) == DRDY && irqs == 1, "%s (%02x/%02x): status %02x, %u interrupts", what, command, feature,
       r & 0xff, irqs);
}

static void refused(u8 command, u8 feature, u8 count, const char *what)
{
    u32 irqs, r = simple(command, feature, count, &irqs);
    w7(194, (r & 0xff) == 0x51 && r >> 8 == 4 && irqs == 1, "%s (%02x/%02x) aborts: status %02x error %02x, %u interrupts", what, command,
       feature, r & 0xff, r >> 8, irqs);
}

static void check_commands(void)
{
    static const u8 unknown[] = { 0x00, 0x01, 0x06, 0x32, 0x3f, 0x60, 0x61, 0x80, 0x9a, 0xa0, 0xa1, 0xa2, 0xb0, 0xb1, 0xc0, 0xd1, 0xdb, 0xf7, 0xff };
    accepted(0xe7, 0, 0, "FLUSH CACHE");
    accepted(0xea, 0, 0, "FLUSH CACHE EXT");
    accepted(0xef, 0x02, 0, "write cache on");
    accepted(0xef, 0x82, 0, "write cache off");
    accepted(0xef, 0x02, 0, "write cache on again");
    accepted(0xef, 0xaa, 0, "read-ahead on");
    accepted(0xef, 0x55, 0, "read-ahead off");
    accepted(0xef, 0x05, 0x80, "power management on");
    accepted(0xef, 0x85, 0, "power management off");
    accepted(0xef, 0x10, 1, "feature 10h");
    accepted(0xef, 0x90, 1, "feature 90h");
    accepted(0xe0, 0, 0, "STANDBY IMMEDIATE");
    accepted(0xe1, 0, 0, "IDLE IMMEDIATE");
    accepted(0xe2, 0, 0xb4, "STANDBY");
    accepted(0xe3, 0, 0, "IDLE");
    accepted(0xe5, 0, 0, "CHECK POWER MODE");
    w7_eq(194, "CHECK POWER MODE says active", inb(0x1f2), 0xff);
    accepted(0x40, 0, 8, "READ VERIFY");
    ide_lba48(&disk, 0x10000000, 8);
    accepted(0x42, 0, 8, "READ VERIFY EXT");
    accepted(0xc6, 0, 16, "SET MULTIPLE");
    accepted(0xc6, 0, 8, "SET MULTIPLE");
    accepted(0xc6, 0, 16, "SET MULTIPLE");
    accepted(0x91, 0, 63, "INITIALIZE DEVICE PARAMETERS");
    accepted(0xf8, 0, 0, "READ NATIVE MAX ADDRESS");
    for (u32 k = 0; k < sizeof(unknown); k++) refused(unknown[k], 0, 1, "an unknown command");
    refused(0xef, 0xfe, 0, "an unknown feature");
    refused(0xc6, 0, 3, "SET MULTIPLE 3");
    /* back to the 16 heads that everything else assumes */
    ide_lba28(&disk, 0, 63);
    outb(0x1f6, 0xaf);
    ide_command(&disk, 0x91);
    ide_wait(&disk, BSY, 0, 1000000);
    ide_status(&disk);
}

static void mode(u8 m, unsigned word_number, u16 want)
{
    u8 *id = mem(BUFFER);
    u32 irqs, r = simple(0xef, 3, m, &irqs);
    w7(195, !(r & ERR), "transfer mode %02x accepted", m);
    w7(195, identify(id) && w(id, word_number) >> 8 == want, "mode %02x: word %u is %04x", m, word_number, w(id, word_number));
    w7(195, w(id, word_number == 88 ? 63 : 88) >> 8 == 0, "mode %02x: no other DMA mode is chosen", m);
}

static void check_modes(void)
{
    for (u8 k = 0; k < 3; k++) mode(0x20 | k, 63, (u16)(1u << k));
    for (u8 k = 0; k < 6; k++) mode(0x40 | k, 88, (u16)(1u << k));
    u32 irqs;
    w7_eq(195, "mode 47h is refused", simple(0xef, 3, 0x47, &irqs), 0x451);
    bool good = true;
    for (u32 k = 0; k < 200; k++) {
        good &= ide_read_dma(&disk, k * 97, 64, mem(BUFFER));
        good &= !(ide_error(&disk) & 0x80);
    }
    w7(195, good, "200 DMA reads without a CRC error");
}

void bm_main(const struct bm_info *info)
{
    W7_PLAN(187, 188, 189, 190, 191, 192, 193, 194, 195);
    bool empty = argument(info, "empty", 0);
    ide_start();
    disk = ide_drive(0);
    slave = ide_drive(1);
    cd = ide_drive(2);
    cd_slave = ide_drive(3);
    ide_status(&disk);
    check_identify(info);
    check_absent(empty);
    check_reset(empty);
    check_line();
    check_order();
    check_prd();
    check_lba48();
    check_commands();
    check_modes();
}
