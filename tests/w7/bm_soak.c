/* Random reads and writes of one image by every way a guest has, each verified against a copy in memory: PIO single and multiple, DMA, 28 and
 * 48 bits, AHCI, queued commands, CD packets by PIO and DMA. storage.sh runs it several times over the same file, attached to another
 * controller each time, and compares checksums with the host's.
 *
 * Command line, hexadecimal: sectors= size of the image in 512-byte sectors, crc= its checksum, seed=, rounds=, and way=1 IDE, 2 AHCI,
 * 3 CD on IDE, 5 CD on AHCI. It prints "CRC xxxxxxxx", the image's checksum at the end.
 *
 * W7-208: the time of small random reads, by the guest's clock (cached=1: run with --clock insn). */
#include "tests/w7/storage.h"

static struct ide drive;
static u8 *const copy = (u8 *)(BUFFER + 0x4000000); /* what the image must hold */
static u8 *const part = (u8 *)(BUFFER + 0x1000000);
static u32 total, seed;
static bool ahci;

static u32 pick(u32 n) { return random32(&seed) % n; }

/* --- ways; each moves count (at most 128) sectors --- */

typedef bool way(u32 lba, u32 count, u8 *p, bool write);

static bool pio(u32 lba, u32 count, u8 *p, bool write)
{
    ide_lba28(&drive, lba, (u8)count);
    ide_command(&drive, write ? 0x30 : 0x20);
    return write ? ide_pio_out(&drive, p, count, 1) : ide_pio_in(&drive, p, count, 1);
}

static bool pio_multiple(u32 lba, u32 count, u8 *p, bool write)
{
    ide_lba28(&drive, lba, (u8)count);
    ide_command(&drive, write ? 0xc5 : 0xc4);
    return write ? ide_pio_out(&drive, p, count, 16) : ide_pio_in(&drive, p, count, 16);
}

static bool pio_ext(u32 lba, u32 count, u8 *p, bool write)
{
    ide_lba48(&drive, lba, (u16)count);
    ide_command(&drive, write ? 0x39 : 0x29);
    return write ? ide_pio_out(&drive, p, count, 16) : ide_pio_in(&drive, p, count, 16);
}

/* Up to 16 entries of random even sizes. */
static u32 scatter(u32 bytes, bool for_ahci)
{
    u32 n = 0, at = (u32)(word)part;
    while (bytes) {
        u32 size = (pick(bytes / 2) + 1) * 2;
        if (n == 15 || size > bytes) size = bytes;
        if (size > 0x10000) size = 0x10000;
        if (for_ahci)
            slot_prd(0, n, at, size);
        else
            prd(n, at, size, size == bytes);
        at += size;
        bytes -= size;
        n++;
    }
    return n;
}

static bool dma(u32 lba, u32 count, u8 *p, bool write)
{
    u8 status;
    bool ext = pick(2);
    scatter(count * 512, false);
    if (write) memcpy(part, p, count * 512);
    if (ext)
        ide_lba48(&drive, lba, (u16)count);
    else
        ide_lba28(&drive, lba, (u8)count);
    u8 command = ext ? (write ? 0x35 : 0x25) : write ? 0xca : 0xc8;
    bool good = (ide_dma(&drive, command, !write, &status) & 7) == 4 && !(status & (ERR | DRQ | BSY));
    if (!write) memcpy(p, part, count * 512);
    return good;
}

static bool ahci_dma(u32 lba, u32 count, u8 *p, bool write)
{
    u32 n = scatter(count * 512, true);
    if (write) memcpy(part, p, count * 512);
    slot_fill(0, write ? 0x35 : 0x25, lba, count, write, n);
    bool good = slot_run(0) && slot_moved(0) == count * 512;
    if (!write) memcpy(p, part, count * 512);
    return good;
}

static bool ahci_pio(u32 lba, u32 count, u8 *p, bool write)
{
    u32 n = scatter(count * 512, true);
    if (write) memcpy(part, p, count * 512);
    slot_fill(0, write ? 0x39 : 0x29, lba, count, write, n);
    bool good = slot_run(0) && slot_moved(0) == count * 512;
    if (!write) memcpy(p, part, count * 512);
    return good;
}

/* In up to 8 queued commands at once. */
static bool queued(u32 lba, u32 count, u8 *p, bool write)
{
    u32 tags = 0, each = count / 8 + 1, done = 0;
    if (write) memcpy(part, p, count * 512);
    port_set(0, P_IS, 0xffffffff);
    for (unsigned k = 0; done < count; k++) {
        u32 n = count - done < each ? count - done : each;
        unsigned tag = (k * 5 + 3) % 32;
        slot_prd(tag, 0, (u32)(word)part + done * 512, n * 512);
        slot_fill(tag, write ? 0x61 : 0x60, lba + done, n, write, 1);
        tags |= 1u << tag;
        done += n;
    }
    port_set(0, P_SACT, tags);
    port_set(0, P_CI, tags);
    bool good = port_wait(0, P_SACT, tags, 0, 2000000) && !(port_reg(0, P_IS) & 0x40000000);
    if (!write) memcpy(p, part, count * 512);
    return good;
}

static bool cd_pio(u32 lba, u32 count, u8 *p, bool write)
{
    u32 n = count / 4, at = lba / 4;
    static const u16 limits[] = { 2048, 0xfffe, 512, 30000 };
    (void)write;
    const u8 read[12] = { 0x28, 0, 0, (u8)(at >> 16), (u8)(at >> 8), (u8)at, 0, 0, (u8)n };
    struct packet_result r = ide_packet(&drive, read, p, n * 2048, limits[pick(4)]);
    return !(r.status & (ERR | BSY)) && r.got == n * 2048 && !r.odd_reason;
}

static bool cd_dma(u32 lba, u32 count, u8 *p, bool write)
{
    u32 n = count / 4, at = lba / 4;
    (void)write;
    const u8 read[12] = { 0xa8, 0, 0, (u8)(at >> 16), (u8)(at >> 8), (u8)at, 0, 0, 0, (u8)n };
    scatter(count * 512, false);
    ide_select(&drive, 0);
    outb(0x171, 1);
    ide_command(&drive, 0xa0);
    if (!ide_wait(&drive, BSY | DRQ, DRQ, 1000000)) return false;
    outl((u16)(drive.bm + 4), PRD_TABLE);
    outb((u16)(drive.bm + 2), 6);
    outb(drive.bm, 8);
    outsw(drive.cmd, read, 6);
    outb(drive.bm, 9);
    u32 start = pm_ticks();
    while (!(inb((u16)(drive.bm + 2)) & 4) && ((pm_ticks() - start) & 0xffffff) < 7000000) {
    }
    bool good = (inb((u16)(drive.bm + 2)) & 7) == 4;
    outb(drive.bm, 0);
    memcpy(p, part, count * 512);
    return good && !(ide_status(&drive) & (ERR | DRQ | BSY));
}

/* A packet by a command slot: PIO or DMA, whatever features says. */
static bool ahci_packet(u32 lba, u32 count, u8 *p, u8 features)
{
    u32 n = scatter(count * 512, true), sectors = count / 4, at = lba / 4;
    slot_fill(0, 0xa0, 0, 0, false, n);
    u8 *f = mem(slot_table(0));
    const u8 read[12] = { 0xa8, 0, 0, (u8)(at >> 16), (u8)(at >> 8), (u8)at, 0, 0, 0, (u8)sectors };
    f[3] = features;
    f[5] = 0;
    f[6] = features ? 0 : 8; /* byte count limit 2048 */
    memcpy(f + 0x40, read, 12);
    mem(CLB)[0] |= 0x20;
    bool good = slot_run(0) && slot_moved(0) == count * 512;
    memcpy(p, part, count * 512);
    return good;
}

static bool ahci_cd_pio(u32 lba, u32 count, u8 *p, bool write)
{
    (void)write;
    return ahci_packet(lba, count, p, 0);
}

static bool ahci_cd_dma(u32 lba, u32 count, u8 *p, bool write)
{
    (void)write;
    return ahci_packet(lba, count, p, 1);
}

static way *const ahci_cd_ways[] = { ahci_cd_pio, ahci_cd_dma };
static way *const ide_ways[] = { pio, pio_multiple, pio_ext, dma }, *const ahci_ways[] = { ahci_dma, ahci_pio, queued },
                  *const cd_ways[] = { cd_pio, cd_dma };

/* --- the soak --- */

static void whole(way *const *ways, unsigned n, u32 want)
{
    for (unsigned k = 0; k < n; k++) {
        bool good = true;
        u32 crc = 0;
        for (u32 lba = 0; lba < total && good; lba += 64) {
            u8 *p = k ? part + 0x100000 : copy + lba * 512;
            good = ways[k](lba, 64, p, false);
            crc = crc32(crc, p, 64 * 512);
        }
        w7(206, good && crc == want, "every sector by way %u: checksum %08x, the host's %08x", k, crc, want);
    }
}

static void soak(way *const *ways, unsigned n, u32 rounds, bool writes)
{
    u8 *p = part + 0x200000;
    u32 errors = 0, differ = 0, written = 0, read = 0, first = 0;
    for (u32 round = 0; round < rounds; round++) {
        u32 count = pick(128) + 1, lba;
        if (!writes) count = (count + 3) & ~3u;
        lba = pick(total - count);
        if (!writes) lba &= ~3u;
        unsigned w = pick(n);
        if (writes && pick(2)) {
            for (u32 k = 0; k < count * 512; k += 4) put_le32(p + k, random32(&seed));
            memcpy(copy + lba * 512, p, count * 512);
            if (!ways[w](lba, count, p, true)) errors++, first = first ? first : round + 1;
            written += count;
        }
        w = pick(n);
        memset(p, 0xee, count * 512);
        if (!ways[w](lba, count, p, false)) errors++, first = first ? first : round + 1;
        if (memcmp(p, copy + lba * 512, count * 512)) differ++, first = first ? first : round + 1;
        read += count;
    }
    w7(206, !errors && !differ, "soak of %u rounds, %u sectors written, %u read: %u errors, %u differences (first %u)", rounds, written, read,
       errors, differ, first);
}

/* --- 208 --- */

static void latency(way *const *ways, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        u32 worst = 0, sum = 0;
        bool good = true;
        for (unsigned i = 0; i < 200; i++) {
            u32 lba = pick(total - 8) & ~7u, start = pm_ticks();
            good &= ways[k](lba, 8, part + 0x200000, false);
            u32 us = (u32)((pm_ticks() - start) & 0xffffff) * 100 / 358;
            sum += us;
            if (us > worst) worst = us;
        }
        w7(208, good && sum / 200 < 300, "4 KiB random read by way %u: %u us on average, %u at worst", k, sum / 200, worst);
    }
}

static bool start(u32 way_number)
{
    ahci = way_number == 2 || way_number == 5;
    if (!ahci) {
        ide_start();
        drive = ide_drive(way_number == 3 ? 2 : 0);
        ide_status(&drive);
        if (way_number == 3)
            for (int k = 0; k < 4; k++) ide_packet(&drive, (const u8[12]){ 0 }, part, 0, 2048);
        return true;
    }
    if (!ahci_find() || !port_stop(0) || !port_start(0)) return false;
    for (int k = 0; k < 4 && way_number == 5; k++) { /* takes the attentions; an error stops the port */
        slot_fill(0, 0xa0, 0, 0, false, 0);
        memset(mem(slot_table(0)) + 0x40, 0, 16);
        mem(CLB)[0] |= 0x20;
        if (!slot_run(0)) port_stop(0), port_start(0);
    }
    return true;
}

void bm_main(const struct bm_info *info)
{
    u32 way_number = argument(info, "way", 1), rounds = argument(info, "rounds", 0x100);
    bool timing = argument(info, "timing", 0);
    way *const *ways = way_number == 1 ? ide_ways : way_number == 2 ? ahci_ways : way_number == 5 ? ahci_cd_ways : cd_ways;
    unsigned n = way_number == 1 ? 4 : way_number == 2 ? 3 : 2;
    total = argument(info, "sectors", 0);
    seed = argument(info, "seed", 1) * 2654435761u | 1;
    w7_plan((const u8[]){ timing ? 208 : 206 }, 1);
    if (!total || !start(way_number)) {
        w7(206, false, "no drive");
        return;
    }
    if (timing) {
        latency(way_number == 1 ? ways + 3 : ways, way_number == 1 ? 1 : n);
        return;
    }
    whole(ways, n, argument(info, "crc", 0));
    soak(ways, n, rounds, way_number < 3);
    if (way_number == 1) ide_command(&drive, 0xe7), ide_wait(&drive, BSY, 0, 1000000);
    if (way_number == 2) slot_fill(0, 0xea, 0, 0, false, 0), slot_run(0);
    bm_printf("CRC %08x\n", crc32(0, copy, total * 512));
}
