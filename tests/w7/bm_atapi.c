/* The CD drive as Windows 7's atapi and cdrom use it: a disc of 2048 sectors on the secondary master, each beginning with the text "SECTOR"
 * and its number (storage.sh makes it). Packets by PIO with byte-count limits and by DMA, every command of boot-chain.md 10.4, sense
 * data, disc changes. "change=1": the host is asked through COM1 to change discs, which a monitor script does. "dvd=1": the disc is a
 * DVD; "megabytes=" of it are read by DMA in 32 KiB commands. ATA/ATAPI-7 volume 2, MMC-5, SPC-3. */
#include "tests/w7/storage.h"

static struct ide cd;
static u8 *const data = (u8 *)BUFFER;

static u16 be16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static u32 be32(const u8 *p) { return (u32)be16(p) << 16 | be16(p + 2); }

/* Sends a packet of these bytes, at most max bytes of answer into data. */
#define PACKET(max, ...) ide_packet(&cd, (const u8[12]){ __VA_ARGS__ }, data, max, 0xfffe)

/* Sense of the last command as key << 16 | ASC << 8 | ASCQ. */
static u32 sense(void)
{
    struct packet_result r = PACKET(18, 0x03, 0, 0, 0, 18);
    if (r.status & ERR || r.got != 18) return 0xffffffff;
    return (u32)(data[2] & 15) << 16 | (u32)data[12] << 8 | data[13];
}

static void settle(void) /* takes what is pending, so that the next command's status is its own */
{
    for (int k = 0; k < 4; k++)
        if (!(PACKET(0, 0x00).status & ERR)) return;
}

/* --- 202 --- */

static bool is_sector(const u8 *p, u32 lba)
{
    char want[16] = "SECTOR 00000000";
    for (unsigned k = 0; k < 8; k++) want[14 - k] = "0123456789"[lba % 10], lba /= 10;
    return !memcmp(p, want, 15);
}

static void check_transport(void)
{
    ide_select(&cd, 0);
    outb(cd.ctl, 4);
    bm_delay_us(10);
    outb(cd.ctl, 0);
    bm_delay_us(2000);
    w7(202, inb(0x172) == 1 && inb(0x173) == 1 && inb(0x174) == 0x14 && inb(0x175) == 0xeb, "signature after SRST");
    ide_select(&cd, 0);
    ide_command(&cd, 0xa1);
    w7(202, ide_pio_in(&cd, data, 1, 1), "IDENTIFY PACKET DEVICE");
    w7(202, (le16(data) & 0xdf83) == 0x8580, "word 0: %04x: ATAPI, CD drive, removable, 12-byte packets", le16(data));
    w7(202, data[511] != 0 && data[510] == 0xa5 && (le16(data + 98) & 0x300) == 0x300, "DMA, LBA, checksum word");
    u8 sum = 0;
    for (unsigned k = 0; k < 512; k++) sum = (u8)(sum + data[k]);
    w7_eq(202, "sum of the page", sum, 0);

    settle();
    struct packet_result r = ide_packet(&cd, (const u8[12]){ 0x28, 0, 0, 0, 0, 16, 0, 0, 4 }, data, 8192, 2048);
    w7(202, !(r.status & ERR) && r.got == 8192, "READ (10) of 4 sectors: %u bytes, status %02x", r.got, r.status);
    w7_eq(202, "DRQ blocks of 2048", r.blocks, 4);
    w7_eq(202, "largest block", r.largest, 2048);
    w7(202, !r.odd_reason, "interrupt reasons: 1 for the packet, 2 for data in");
    w7_eq(202, "interrupt reason at the end", r.reason & 3, 3);
    w7(202, is_sector(data, 16) && is_sector(data + 6144, 19), "the data are the sectors asked for");
    r = ide_packet(&cd, (const u8[12]){ 0x28, 0, 0, 0, 0, 100, 0, 0, 31 }, data, 31 * 2048, 0xfffe);
    w7(202, r.got == 31 * 2048 && r.blocks == 1, "limit FFFEh: %u bytes in %u blocks", r.got, r.blocks);
    r = ide_packet(&cd, (const u8[12]){ 0x28, 0, 0, 0, 0, 100, 0, 0, 40 }, data, 40 * 2048, 0xfffe);
    w7(202, r.got == 40 * 2048 && r.blocks == 2 && r.largest <= 0xfffe, "above the limit: %u bytes in %u blocks", r.got, r.blocks);
    w7(202, is_sector(data, 100) && is_sector(data + 39 * 2048, 139), "their data");
    r = ide_packet(&cd, (const u8[12]){ 0x28, 0, 0, 0, 0, 5, 0, 0, 1 }, data, 2048, 512);
    w7(202, r.got == 2048 && r.blocks == 4 && r.largest == 512, "limit 512: %u blocks", r.blocks);

    r = PACKET(0, 0x28, 0, 0, 0x7f, 0xff, 0xff, 0, 0, 1);
    w7(202, (r.status & (ERR | DRQ | BSY)) == ERR && r.error >> 4 == 5 && (r.reason & 3) == 3,
       "a bad address: CHECK CONDITION, status %02x error %02x", r.status, r.error);
    w7_eq(202, "its sense", sense(), 0x052100);
    w7_eq(202, "sense is fetched once", sense(), 0);

    /* DMA */
    u8 status;
    static const u8 read[12] = { 0x28, 0, 0, 0, 0, 200, 0, 0, 16 };
    memset(data, 0, 32768);
    prd_range(BUFFER, 32768);
    ide_select(&cd, 0);
    outb(0x171, 1);
    outb(0x174, 0);
    outb(0x175, 0);
    ide_command(&cd, 0xa0);
    w7(202, ide_wait(&cd, BSY | DRQ, DRQ, 1000000), "packet asked for by DMA");
    outl((u16)(cd.bm + 4), PRD_TABLE);
    outb((u16)(cd.bm + 2), 6);
    outb(cd.bm, 8);
    outsw(cd.cmd, read, 6);
    outb(cd.bm, 9);
    u32 start = pm_ticks();
    while (!(inb((u16)(cd.bm + 2)) & 4) && ((pm_ticks() - start) & 0xffffff) < 7000000) {
    }
    w7_eq(202, "bus master after a DMA read", inb((u16)(cd.bm + 2)) & 7, 4);
    outb(cd.bm, 0);
    status = ide_status(&cd);
    w7(202, !(status & (ERR | DRQ | BSY)) && (inb(0x172) & 3) == 3, "status %02x after a DMA read", status);
    w7(202, is_sector(data, 200) && is_sector(data + 15 * 2048, 215), "data of a DMA read");
}

/* --- 203 --- */

/* A command that must answer exactly len bytes (when it is asked for more). */
static void answers(const u8 *packet, u32 len, const char *what)
{
    struct packet_result r = ide_packet(&cd, packet, data, 4096, 0xfffe);
    w7(203, !(r.status & ERR) && r.got == len, "%s (%02x): %u bytes, expected %u, status %02x", what, packet[0], r.got, len, r.status);
}
#define ANSWERS(len, what, ...) answers((const u8[12]){ __VA_ARGS__ }, len, what)

/* A command that must fail with this sense. */
static void fails(const u8 *packet, u32 want, const char *what)
{
    struct packet_result r = ide_packet(&cd, packet, data, 4096, 0xfffe);
    u32 got = sense();
    w7(203, (r.status & ERR) && got == want, "%s (%02x): status %02x sense %06x, expected %06x", what, packet[0], r.status, got, want);
}
#define FAILS(want, what, ...) fails((const u8[12]){ __VA_ARGS__ }, want, what)

static void check_features(void)
{
    ANSWERS(8, "GET CONFIGURATION, header only", 0x46, 2, 0xff, 0xff, 0, 0, 0, 0, 64);
    w7_eq(203, "its data length", be32(data), 4);
    struct packet_result r = PACKET(1024, 0x46, 0, 0, 0, 0, 0, 0, 4, 0);
    u32 length = be32(data) + 4, at = 8, previous = 0;
    bool good = r.got == length;
    for (unsigned n = 0; at + 4 <= length; n++) {
        u32 code = be16(data + at);
        good &= !n || code > previous;
        previous = code;
        at += 4u + data[at + 3];
    }
    w7(203, good && at == length, "GET CONFIGURATION: %u bytes, header says %u, features end at %u", r.got, length, at);
    u32 current = be16(data + 6);
    w7(203, current == 8 || current == 0x10, "current profile %x", current);
    r = PACKET(1024, 0x46, 1, 0, 0, 0, 0, 0, 4, 0);
    length = be32(data) + 4;
    good = true;
    for (at = 8; at + 4 <= length; at += 4u + data[at + 3]) good &= data[at + 2] & 1;
    w7(203, r.got == length && good, "GET CONFIGURATION of current features lists only such");
    ANSWERS(12, "GET CONFIGURATION cut to 12 bytes", 0x46, 0, 0, 0, 0, 0, 0, 0, 12);
    w7(203, be32(data) > 8, "the header still tells the whole length: %u", be32(data));
}

static void check_events(void)
{
    ANSWERS(8, "GET EVENT STATUS", 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    w7(203, be16(data) == 6 && (data[2] & 0x87) == 4 && data[3] & 0x10, "its header: length %u class %02x supported %02x", be16(data), data[2],
       data[3]);
    ANSWERS(8, "GET EVENT STATUS again", 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    w7(203, (data[4] & 15) == 0 && data[5] == 2, "no news: event %02x, medium present %02x", data[4], data[5]);
    ANSWERS(4, "GET EVENT STATUS, four bytes", 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 4);
    w7_eq(203, "its length", be16(data), 6);
    ANSWERS(4, "GET EVENT STATUS of another class", 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8);
    w7(203, be16(data) == 2 && data[2] & 0x80, "no event available");
    FAILS(0x052400, "GET EVENT STATUS, asynchronous", 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8);
}

static void check_pages(void)
{
    static const u8 pages[][2] = { { 0x01, 12 }, { 0x0e, 16 }, { 0x1a, 12 }, { 0x2a, 22 } };
    u32 all = 8;
    for (unsigned k = 0; k < 4; k++) {
        struct packet_result r = PACKET(256, 0x5a, 8, pages[k][0], 0, 0, 0, 0, 1, 0);
        w7(203, !(r.status & ERR) && r.got == be16(data) + 2u && (data[8] & 0x3f) == pages[k][0] && r.got == 10u + data[9],
           "MODE SENSE page %02x: %u bytes", pages[k][0], r.got);
        all += r.got - 8;
    }
    ANSWERS(all, "MODE SENSE of all pages", 0x5a, 8, 0x3f, 0, 0, 0, 0, 1, 0);
    FAILS(0x052400, "MODE SENSE of page 3", 0x5a, 8, 3, 0, 0, 0, 0, 1, 0);
    FAILS(0x053900, "MODE SENSE of saved pages", 0x5a, 8, 0xc1, 0, 0, 0, 0, 1, 0);
    /* MODE SELECT of what MODE SENSE said */
    PACKET(256, 0x5a, 8, 0x01, 0, 0, 0, 0, 1, 0);
    u8 page[20] = { 0 };
    memcpy(page + 8, data + 8, 12);
    page[8] &= 0x3f;
    static const u8 select[12] = { 0x55, 0x10, 0, 0, 0, 0, 0, 0, 20 };
    ide_select(&cd, 0);
    outb(0x171, 0);
    outb(0x174, 20);
    outb(0x175, 0);
    ide_command(&cd, 0xa0);
    ide_wait(&cd, BSY | DRQ, DRQ, 1000000);
    outsw(cd.cmd, select, 6);
    ide_wait(&cd, BSY, 0, 1000000);
    w7_eq(203, "MODE SELECT asks for data: interrupt reason", inb(0x172) & 3, 0);
    w7_eq(203, "MODE SELECT: byte count", inb(0x174), 20);
    outsw(cd.cmd, page, 10);
    ide_wait(&cd, BSY, 0, 1000000);
    w7_eq(203, "MODE SELECT: status", ide_status(&cd) & (ERR | DRQ), 0);
}

static void check_disc_commands(bool dvd)
{
    ANSWERS(8, "READ CAPACITY", 0x25);
    u32 last = be32(data);
    w7(203, be32(data + 4) == 2048 && last > 1000, "READ CAPACITY: last sector %u of %u bytes", last, be32(data + 4));
    ANSWERS(20, "READ TOC format 0", 0x43, 0, 0, 0, 0, 0, 0, 4, 0);
    w7(203, be16(data) == 18 && data[2] == 1 && data[3] == 1 && data[6] == 1 && data[14] == 0xaa && be32(data + 16) == last + 1,
       "TOC: one data track, lead-out at %u", be32(data + 16));
    ANSWERS(20, "READ TOC in minutes", 0x43, 2, 0, 0, 0, 0, 0, 4, 0);
    w7(203, data[9] == 0 && data[10] == 2 && data[11] == 0, "track 1 at 00:02:00");
    ANSWERS(12, "READ TOC format 1", 0x43, 0, 1, 0, 0, 0, 0, 4, 0);
    w7(203, be16(data) == 10 && data[2] == 1 && data[3] == 1 && be32(data + 8) == 0, "one session");
    ANSWERS(48, "READ TOC format 2", 0x43, 2, 2, 0, 0, 0, 0, 4, 0);
    w7(203, be16(data) == 46 && data[7] == 0xa0 && data[18] == 0xa1 && data[29] == 0xa2 && data[40] == 1, "raw TOC points");
    ANSWERS(12, "READ TOC cut to 12 bytes", 0x43, 0, 0, 0, 0, 0, 0, 0, 12);
    ANSWERS(4, "READ SUB-CHANNEL", 0x42, 0, 0, 1, 0, 0, 0, 0, 64);
    ANSWERS(16, "READ SUB-CHANNEL with data", 0x42, 0, 0x40, 1, 0, 0, 0, 0, 64);
    ANSWERS(34, "READ DISC INFORMATION", 0x51, 0, 0, 0, 0, 0, 0, 1, 0);
    w7(203, be16(data) == 32 && (data[2] & 15) == 0x0e && data[3] == 1, "a complete disc");
    ANSWERS(36, "READ TRACK INFORMATION", 0x52, 1, 0, 0, 0, 1, 0, 1, 0);
    w7_eq(203, "track size", be32(data + 24), last + 1);
    ANSWERS(12, "READ BUFFER CAPACITY", 0x5c, 0, 0, 0, 0, 0, 0, 1, 0);
    ANSWERS(24, "GET PERFORMANCE", 0xac, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    if (dvd) {
        ANSWERS(2052, "READ DVD STRUCTURE, physical", 0xad, 0, 0, 0, 0, 0, 0, 0, 0x10, 0);
        w7(203, be16(data) == 2050 && (data[4] & 15) == 1 && be32(data + 12) - be32(data + 8) == last, "DVD-ROM, its sectors");
    } else {
        FAILS(0x053002, "READ DVD STRUCTURE of a CD", 0xad, 0, 0, 0, 0, 0, 0, 0, 0x10, 0);
    }
    ANSWERS(2048, "READ (12)", 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 1);
    ANSWERS(2048, "READ CD", 0xbe, 0, 0, 0, 0, 3, 0, 0, 1, 0x10);
    ANSWERS(2048, "READ CD MSF", 0xb9, 0, 0, 0, 2, 16, 0, 2, 17, 0x10);
    w7(203, dvd || is_sector(data, 16), "READ CD MSF 00:02:16 is sector 16");
    ANSWERS(0, "READ (10) of nothing", 0x28, 0, 0, 0, 0, 3, 0, 0, 0);
    ANSWERS(0, "SEEK", 0x2b, 0, 0, 0, 1, 0);
    FAILS(0x052100, "SEEK behind the end", 0x2b, 0, 0x7f, 0, 0, 0);
}

static void check_commands(bool dvd)
{
    static const u8 unknown[] = { 0x02, 0x04, 0x0a, 0x2a, 0x2e, 0x3b, 0x53, 0x54, 0x58, 0x5b, 0x85, 0x9e, 0xa1, 0xa3, 0xa4, 0xaa, 0xb3, 0xbf, 0xc0, 0xff };
    settle();
    ANSWERS(0, "TEST UNIT READY", 0x00);
    ANSWERS(18, "REQUEST SENSE", 0x03, 0, 0, 0, 18);
    w7(203, (data[0] & 0x7f) == 0x70 && data[7] == 10, "fixed sense data");
    ANSWERS(8, "REQUEST SENSE cut to 8 bytes", 0x03, 0, 0, 0, 8);
    ANSWERS(36, "INQUIRY", 0x12, 0, 0, 0, 36);
    w7(203, data[0] == 5 && data[1] == 0x80 && data[4] == 31 && (data[3] & 15) == 1, "a removable CD drive: %02x %02x %02x", data[0], data[1],
       data[3]);
    ANSWERS(5, "INQUIRY cut to 5 bytes", 0x12, 0, 0, 0, 5);
    FAILS(0x052400, "INQUIRY of a page", 0x12, 1, 0x83, 0, 36);
    ANSWERS(0, "START STOP UNIT: start", 0x1b, 0, 0, 0, 1);
    ANSWERS(0, "PREVENT REMOVAL", 0x1e, 0, 0, 0, 1);
    FAILS(0x055302, "eject while locked", 0x1b, 0, 0, 0, 2);
    ANSWERS(0, "ALLOW REMOVAL", 0x1e, 0, 0, 0, 0);
    ANSWERS(0, "SYNCHRONIZE CACHE", 0x35);
    ANSWERS(0, "SET STREAMING", 0xb6);
    ANSWERS(0, "SET CD SPEED", 0xbb, 0, 0xff, 0xff);
    ANSWERS(8, "MECHANISM STATUS", 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8);
    check_events();
    check_features();
    check_pages();
    check_disc_commands(dvd);
    for (unsigned k = 0; k < sizeof(unknown); k++) fails((const u8[12]){ unknown[k] }, 0x052000, "an unknown command");
}

/* --- 204 --- */

static void say(const char *s)
{
    for (; *s; s++) {
        while (!(inb(0x3fd) & 0x20)) {
        }
        outb(0x3f8, (u8)*s);
    }
}

/* Polls as cdrom.sys does until TEST UNIT READY answers this sense, for 20 seconds. */
static bool wait_sense(u32 want)
{
    for (unsigned k = 0; k < 2000; k++) {
        u32 got = PACKET(0, 0x00).status & ERR ? sense() : 0;
        if (got == want) return true;
        bm_delay_us(10000);
    }
    return false;
}

static u32 event(void)
{
    PACKET(8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    return (u32)data[4] << 8 | data[5];
}

static void check_change(void)
{
    w7(204, wait_sense(0), "ready");
    event();
    say("EJECT PLEASE\n");
    w7(204, wait_sense(0x023a00), "no medium: 2/3A/00");
    w7_eq(204, "event: removed", event() >> 8 & 15, 3);
    w7_eq(204, "it is told once", event(), 0);
    w7(204, wait_sense(0x023a00), "still no medium");
    say("INSERT PLEASE\n");
    w7(204, wait_sense(0x062800), "a new disc: 6/28/00");
    w7_eq(204, "once", PACKET(0, 0x00).status & ERR, 0);
    w7_eq(204, "event: new medium", event(), 0x0202);
    w7_eq(204, "it is told once", event(), 0x0002);
    PACKET(2048, 0x28, 0, 0, 0, 0, 16, 0, 0, 1);
    w7(204, is_sector(data, 1016), "the other disc's data");

    /* The guest's own eject, and the lock. */
    PACKET(0, 0x1e, 0, 0, 0, 1);
    w7(204, PACKET(0, 0x1b, 0, 0, 0, 2).status & ERR, "eject is refused while locked");
    w7_eq(204, "sense", sense(), 0x055302);
    w7_eq(204, "the disc is still there", PACKET(0, 0x00).status & ERR, 0);
    PACKET(0, 0x1e, 0, 0, 0, 0);
    w7_eq(204, "eject after unlocking", PACKET(0, 0x1b, 0, 0, 0, 2).status & ERR, 0);
    w7(204, PACKET(0, 0x00).status & ERR && sense() >> 8 == 0x023a, "tray open: not ready");
    w7_eq(204, "event: removed, tray open", event(), 0x0301);
    w7_eq(204, "load", PACKET(0, 0x1b, 0, 0, 0, 3).status & ERR, 0);
    w7(204, PACKET(0, 0x00).status & ERR && sense() == 0x062800, "attention after loading");
    w7_eq(204, "then ready", PACKET(0, 0x00).status & ERR, 0);
}

/* --- 205 --- */

static bool read_32k(u32 lba)
{
    const u8 read[12] = { 0x28, 0, (u8)(lba >> 24), (u8)(lba >> 16), (u8)(lba >> 8), (u8)lba, 0, 0, 16 };
    outb(0x171, 1);
    outb(0x174, 0);
    outb(0x175, 0);
    ide_command(&cd, 0xa0);
    if (!ide_wait(&cd, BSY | DRQ, DRQ, 1000000)) return false;
    outl((u16)(cd.bm + 4), PRD_TABLE);
    outb((u16)(cd.bm + 2), 6);
    outb(cd.bm, 8);
    outsw(cd.cmd, read, 6);
    outb(cd.bm, 9);
    u32 start = pm_ticks();
    while (!(inb((u16)(cd.bm + 2)) & 4)) {
        if (((pm_ticks() - start) & 0xffffff) > 7000000) return false;
    }
    bool good = (inb((u16)(cd.bm + 2)) & 7) == 4;
    outb(cd.bm, 0);
    return good && !(ide_status(&cd) & (ERR | DRQ | BSY));
}

/* The disc is zeros but for a mark at each 64 MiB: "MEGABYTE nnnn". */
static void check_dvd(u32 megabytes)
{
    u32 errors = 0, marks = 0, wrong = 0;
    prd_range(BUFFER, 32768);
    ide_select(&cd, 0);
    for (u32 lba = 0; lba < megabytes * 512; lba += 16) {
        put_le32(data, 0xdeadbeef);
        put_le32(data + 32764, 0xdeadbeef);
        if (!read_32k(lba)) errors++;
        if (lba % (64 * 512) == 0) {
            char want[14] = "MEGABYTE 0000";
            u32 m = lba / 512;
            for (unsigned k = 0; k < 4; k++) want[12 - k] = "0123456789"[m % 10], m /= 10;
            marks += !memcmp(data, want, 13);
        } else {
            wrong += le32(data) != 0;
        }
        wrong += le32(data + 32764) != 0;
    }
    w7(205, errors == 0, "%u MiB by 32 KiB DMA reads: %u errors", megabytes, errors);
    w7(205, marks == (megabytes + 63) / 64 && !wrong, "their data: %u marks, %u wrong words", marks, wrong);
}

void bm_main(const struct bm_info *info)
{
    bool change = argument(info, "change", 0);
    u32 megabytes = argument(info, "megabytes", 0);
    ide_start();
    cd = ide_drive(2);
    ide_status(&cd);
    if (megabytes) {
        w7_plan((const u8[]){ 203, 205 }, 2);
        settle();
        check_commands(true);
        check_dvd(megabytes);
    } else if (change) {
        w7_plan((const u8[]){ 204 }, 1);
        check_change();
    } else {
        W7_PLAN(202, 203);
        check_transport();
        check_commands(false);
    }
}
