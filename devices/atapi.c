/* ATAPI CD/DVD drive: the packet command set of MMC over the task file of ata.h.
 *
 * One data track of 2048-byte sectors, from an ISO image; an image above 800 MiB is a DVD-ROM, else
 * a CD-ROM. A packet command answers from the drive's buffer (reply) or streams sectors through it
 * (start_read), by PIO in blocks of the host's byte-count limit or by DMA. Errors are CHECK
 * CONDITION with sense data kept for REQUEST SENSE. A changed disc reports unit attention 6/28/00
 * once and a media event. The guest's eject opens the tray: the disc is absent until it closes it
 * again or another is put in from outside. MMC-5, SPC-3, ATA/ATAPI-7 volume 2 (packet protocol).
 * Left out: writing, audio, raw sectors, region codes (the key commands are refused as on a drive
 * without CSS). */
#include "devices/ata.h"

enum { SECTOR = 2048, PROFILE_CD = 0x08, PROFILE_DVD = 0x10 };
#define DVD_THRESHOLD (800 * MIB)

/* Sense data as key << 16 | ASC << 8 | ASCQ. */
enum {
    SENSE_NONE = 0,
    SENSE_NO_MEDIUM = 0x023a00,
    SENSE_TRAY_OPEN = 0x023a02,
    SENSE_UNREADABLE = 0x031100,
    SENSE_BAD_COMMAND = 0x052000,
    SENSE_BAD_ADDRESS = 0x052100,
    SENSE_BAD_FIELD = 0x052400,
    SENSE_BAD_PARAMETER = 0x052600,
    SENSE_NO_FORMAT = 0x053002,
    SENSE_NO_SAVED_PAGES = 0x053900,
    SENSE_LOCKED = 0x055302,
    SENSE_BAD_TRACK_MODE = 0x056400,
    SENSE_CHANGED = 0x062800,
};

struct atapi {
    struct ata_drive d;
    u8 packet[16];
    bool dma;       /* FEATURES bit 0 of the PACKET command */
    u32 byte_limit; /* of one PIO block */
    u32 sense;
    bool locked, tray_open, changed;
    bool eject_asked; /* the button was pressed while the guest had the tray locked */
    u8 media_event;   /* 0 none, 1 eject request, 2 new media, 3 removed; reported once */
    u64 offset, todo; /* bytes of the running READ beyond the buffer's content */
};

static u16 be16(const u8 *p)
{
    return (u16)(p[0] << 8 | p[1]);
}

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void put16(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}

static void put32(u8 *p, u32 v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static bool present(const struct atapi *a)
{
    return a->d.block && !a->tray_open;
}

static u32 total_sectors(const struct atapi *a)
{
    return (u32)MIN((a->d.block->size + SECTOR - 1) / SECTOR, 0x7fffffffull);
}

static bool is_dvd(const struct atapi *a)
{
    return a->d.block->size > DVD_THRESHOLD;
}

static u16 profile(const struct atapi *a)
{
    return !present(a) ? 0 : is_dvd(a) ? PROFILE_DVD : PROFILE_CD;
}

/* --- ends and data phases --- */

static void good(struct atapi *a)
{
    a->d.count[0] = ATA_CD | ATA_IO;
    ata_done(&a->d);
}

static void fail(struct atapi *a, u32 sense)
{
    a->sense = sense;
    a->d.count[0] = ATA_CD | ATA_IO;
    ata_fail(&a->d, (u8)(sense >> 16 << 4 | ATA_ABRT));
}

/* Hands out the next part of the buffer. */
static void expose(struct atapi *a)
{
    struct ata_drive *d = &a->d;
    u32 len = d->chunk - d->chunk_pos;
    u8 *data = d->buffer + d->chunk_pos;
    if (!a->dma) {
        len = MIN(len, a->byte_limit);
        d->lba_mid[0] = (u8)len;
        d->lba_high[0] = (u8)(len >> 8);
    }
    d->count[0] = ATA_IO;
    d->chunk_pos += len;
    ata_window(d, a->dma ? ATA_DMA_IN : ATA_PIO_IN, data, len, !a->dma);
}

/* Answers with the first `len` bytes of the buffer, cut to the command's allocation length. */
static void reply(struct atapi *a, u32 len, u32 allocation)
{
    a->d.chunk = MIN(len, allocation);
    a->d.chunk_pos = 0;
    a->todo = 0;
    if (a->d.chunk)
        expose(a);
    else
        good(a);
}

/* Reads the next chunk of a READ; an image that ends inside its last sector continues with zeros.
 */
static void read_chunk(struct atapi *a)
{
    struct ata_drive *d = &a->d;
    u64 rest = d->block->size > a->offset ? d->block->size - a->offset : 0;
    d->chunk = (u32)MIN(a->todo, ATA_BUFFER);
    d->chunk_pos = 0;
    u32 len = (u32)MIN(d->chunk, rest);
    memset(d->buffer + len, 0, d->chunk - len);
    u64 at = a->offset;
    a->offset += d->chunk;
    a->todo -= d->chunk;
    ata_io(d, BLOCK_OP_READ, at, d->buffer, len);
}

static void start_read(struct atapi *a, u32 lba, u32 count)
{
    TRACE(atapi_cmd, a->packet[0], lba, count, 0);
    u32 total = total_sectors(a);
    if (lba >= total || count > total - lba) {
        if (count || lba > total)
            fail(a, SENSE_BAD_ADDRESS);
        else
            good(a);
        return;
    }
    if (!count) {
        good(a);
        return;
    }
    a->offset = (u64)lba * SECTOR;
    a->todo = (u64)count * SECTOR;
    read_chunk(a);
}

/* --- commands without a disc --- */

static void request_sense(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 18);
    r[0] = 0x70;
    r[2] = (u8)(a->sense >> 16);
    r[7] = 10;
    r[12] = (u8)(a->sense >> 8);
    r[13] = (u8)a->sense;
    if (!a->sense && a->changed) { /* a pending attention may be fetched this way, too */
        a->changed = false;
        r[2] = SENSE_CHANGED >> 16;
        r[12] = (u8)(SENSE_CHANGED >> 8);
    }
    a->sense = SENSE_NONE;
    reply(a, 18, a->packet[4]);
}

static void text_field(u8 *to, const char *s, unsigned len)
{
    size_t n = strlen(s);
    for (unsigned i = 0; i < len; i++) to[i] = i < n ? (u8)s[i] : ' ';
}

static void inquiry(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 36);
    if (a->packet[1] & 1) { /* vital product data: not on this drive */
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    r[0] = 0x05;
    r[1] = 0x80;
    r[3] = 0x21;
    r[4] = 31;
    text_field(r + 8, "AEROPC", 8);
    text_field(r + 16, strncmp(a->d.model, "AEROPC ", 7) ? a->d.model : a->d.model + 7, 16);
    text_field(r + 32, a->d.firmware, 4);
    reply(a, 36, be16(a->packet + 3));
}

static void start_stop(struct atapi *a)
{
    bool load_eject = a->packet[4] & 2, start = a->packet[4] & 1;
    if (load_eject && !start) {
        if (a->locked) {
            fail(a, SENSE_LOCKED);
            return;
        }
        if (present(a)) a->media_event = 3;
        a->tray_open = true;
    } else if (load_eject && a->tray_open) {
        a->tray_open = false;
        if (a->d.block) {
            a->changed = true;
            a->media_event = 2;
        }
    }
    good(a);
}

static void prevent_allow(struct atapi *a)
{
    a->locked = a->packet[4] & 1;
    if (!a->locked) a->eject_asked = false;
    good(a);
}

static void event_status(struct atapi *a)
{
    enum { MEDIA_CLASS = 4 };
    if (!(a->packet[1] & 1)) { /* asynchronous notification */
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    u8 *r = memset(a->d.buffer, 0, 8);
    u32 len = 4;
    r[3] = BIT(MEDIA_CLASS);
    if (a->packet[4] & BIT(MEDIA_CLASS)) {
        len = 8;
        r[2] = MEDIA_CLASS;
        r[4] = a->media_event;
        r[5] = (u8)((a->tray_open ? 1 : 0) | (present(a) ? 2 : 0));
        a->media_event = 0;
    } else {
        r[2] = 0x80; /* no event of the classes asked for */
    }
    put16(r, len - 2);
    reply(a, len, be16(a->packet + 7));
}

/* One feature descriptor: code, version << 2 | persistent << 1 | current, additional bytes. */
static u32 feature(u8 *r, u16 code, u8 version, bool persistent, bool current, const u8 *data,
                   u8 len)
{
    put16(r, code);
    r[2] = (u8)(version << 2 | (persistent ? 2 : 0) | (current ? 1 : 0));
    r[3] = len;
    memcpy(r + 4, data, len);
    return 4u + len;
}

static void get_configuration(struct atapi *a)
{
    u16 now = profile(a), from = be16(a->packet + 2);
    u8 rt = a->packet[1] & 3;
    bool disc = now != 0, cd = now == PROFILE_CD, dvd = now == PROFILE_DVD;
    const struct {
        u16 code;
        u8 version;
        bool persistent, current;
        u8 len, data[8];
    } features[] = {
        { 0x0000, 0, true, true, 8, { 0, PROFILE_DVD, dvd, 0, 0, PROFILE_CD, cd, 0 } },
        { 0x0001, 2, true, true, 8, { 0, 0, 0, 2, 1, 0, 0, 0 } },  /* core: ATAPI, events */
        { 0x0002, 1, true, true, 4, { 2, 0, 0, 0 } },              /* morphing */
        { 0x0003, 0, true, true, 4, { 0x29, 0, 0, 0 } },           /* tray, eject, lock */
        { 0x0010, 0, false, disc, 8, { 0, 0, 8, 0, 0, 1, 0, 0 } }, /* 2048-byte blocks, one per read
                                                                    */
        { 0x001d, 0, false, cd, 0, { 0 } },
        { 0x001e, 2, false, cd, 4, { 0, 0, 0, 0 } },
        { 0x001f, 1, false, dvd, 4, { 0, 0, 0, 0 } },
        { 0x0100, 0, true, true, 0, { 0 } },
        { 0x0105, 1, true, true, 4, { 0, 0, 0, 0 } },
    };
    if (rt == 3) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    u8 *r = memset(a->d.buffer, 0, 256);
    u32 len = 8;
    for (unsigned i = 0; i < LEN(features); i++) {
        if (rt == 2 ? features[i].code != from : features[i].code < from) continue;
        if (rt == 1 && !features[i].current) continue;
        len += feature(r + len, features[i].code, features[i].version, features[i].persistent,
                       features[i].current, features[i].data, features[i].len);
    }
    put32(r, len - 4);
    put16(r + 6, now);
    reply(a, len, be16(a->packet + 7));
}

/* One mode page into r; 0 when the code is not ours. */
static u32 mode_page(const struct atapi *a, u8 code, u8 *r, bool changeable)
{
    static const u8 lengths[][2] = { { 0x01, 10 }, { 0x0e, 14 }, { 0x1a, 10 }, { 0x2a, 20 } };
    u32 len = 0;
    for (unsigned i = 0; i < LEN(lengths); i++)
        if (lengths[i][0] == code) len = lengths[i][1];
    if (!len) return 0;
    memset(r, 0, len + 2);
    r[0] = code;
    r[1] = (u8)len;
    if (changeable) return len + 2; /* nothing is */
    switch (code) {
    case 0x01: r[3] = 5; break; /* read retries */
    case 0x0e: r[2] = 4; break;
    case 0x2a:
        r[2] = 0x3b;                             /* reads CD-R, CD-RW, DVD-ROM, DVD-R, method 2 */
        r[4] = 0x70;                             /* mode 2 forms 1 and 2, multisession */
        r[6] = (u8)(0x29 | (a->locked ? 2 : 0)); /* tray, eject, lock */
        put16(r + 8, 5632);                      /* 32x in kB/s */
        put16(r + 12, 2048);                     /* buffer in KiB */
        put16(r + 14, 5632);
        break;
    }
    return len + 2;
}

static void mode_sense(struct atapi *a)
{
    static const u8 all[] = { 0x01, 0x0e, 0x1a, 0x2a };
    u8 code = a->packet[2] & 0x3f, control = a->packet[2] >> 6;
    u8 *r = memset(a->d.buffer, 0, 8);
    u32 len = 8;
    if (control == 3) {
        fail(a, SENSE_NO_SAVED_PAGES);
        return;
    }
    for (unsigned i = 0; i < LEN(all); i++)
        if (code == all[i] || code == 0x3f) len += mode_page(a, all[i], r + len, control == 1);
    if (len == 8) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    r[2] = a->tray_open ? 0x71 : !present(a) ? 0x70 : is_dvd(a) ? 0x41 : 0x01; /* medium type */
    put16(r, len - 2);
    reply(a, len, be16(a->packet + 7));
}

/* Accepted and checked for shape; none of our pages has a changeable field. */
static void mode_select(struct atapi *a)
{
    u32 len = be16(a->packet + 7);
    if (!(a->packet[1] & 0x10) || len > ATA_BUFFER) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    if (!len) {
        good(a);
        return;
    }
    a->d.chunk = len;
    a->d.chunk_pos = len;
    a->d.count[0] = 0;
    a->d.lba_mid[0] = (u8)len;
    a->d.lba_high[0] = (u8)(len >> 8);
    ata_window(&a->d, a->dma ? ATA_DMA_OUT : ATA_PIO_OUT, a->d.buffer, len, !a->dma);
}

static void mode_select_data(struct atapi *a)
{
    u8 page[32];
    u32 at = 8, len = a->d.chunk;
    while (at + 2 <= len) {
        const u8 *p = a->d.buffer + at;
        u32 want = mode_page(a, p[0] & 0x3f, page, false);
        if (!want || p[1] + 2u != want || at + want > len) {
            fail(a, SENSE_BAD_PARAMETER);
            return;
        }
        at += want;
    }
    good(a);
}

static void mechanism_status(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 8);
    r[1] = a->tray_open ? 0x10 : 0;
    reply(a, 8, be16(a->packet + 8));
}

static void get_performance(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 24);
    u32 speed = 5632, last = present(a) ? total_sectors(a) - 1 : 0;
    if (a->packet[10]) { /* other than nominal performance */
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    put32(r, 20);
    put32(r + 12, speed);
    put32(r + 16, last);
    put32(r + 20, speed);
    reply(a, 24, be16(a->packet + 8) ? 24 : 8);
}

static void good_command(struct atapi *a)
{
    good(a);
}

/* --- commands about the disc --- */

static void read_capacity(struct atapi *a)
{
    put32(a->d.buffer, total_sectors(a) - 1);
    put32(a->d.buffer + 4, SECTOR);
    reply(a, 8, 8);
}

static void read_10(struct atapi *a)
{
    start_read(a, be32(a->packet + 2), be16(a->packet + 7));
}

static void read_12(struct atapi *a)
{
    start_read(a, be32(a->packet + 2), be32(a->packet + 6));
}

static u32 lba_of_msf(const u8 *msf)
{
    return (u32)((msf[0] * 60 + msf[1]) * 75 + msf[2]) - 150;
}

/* READ CD: user data of mode 1 sectors; what would need sync, headers or correction codes is
 * refused. */
static void read_cd_range(struct atapi *a, u32 lba, u32 count)
{
    u8 type = a->packet[1] >> 2 & 7, fields = a->packet[9] & 0xf8;
    if (type > 2 || (a->packet[10] & 7))
        fail(a, SENSE_BAD_TRACK_MODE);
    else if (fields == 0)
        start_read(a, lba, 0);
    else if (fields == 0x10)
        start_read(a, lba, count);
    else
        fail(a, SENSE_BAD_FIELD);
}

static void read_cd(struct atapi *a)
{
    read_cd_range(a, be32(a->packet + 2), (u32)a->packet[6] << 16 | be16(a->packet + 7));
}

static void read_cd_msf(struct atapi *a)
{
    u32 from = lba_of_msf(a->packet + 3), to = lba_of_msf(a->packet + 6);
    if (from == to)
        good(a);
    else if (from > to || to > total_sectors(a))
        fail(a, SENSE_BAD_ADDRESS);
    else
        read_cd_range(a, from, to - from);
}

static void seek(struct atapi *a)
{
    if (be32(a->packet + 2) < total_sectors(a))
        good(a);
    else
        fail(a, SENSE_BAD_ADDRESS);
}

static void put_address(u8 *p, u32 lba, bool msf)
{
    if (!msf) {
        put32(p, lba);
        return;
    }
    lba += 150;
    p[0] = 0;
    p[1] = (u8)MIN(lba / 75 / 60, 255u);
    p[2] = (u8)(lba / 75 % 60);
    p[3] = (u8)(lba % 75);
}

static u32 toc_tracks(struct atapi *a, u8 *r, bool msf)
{
    u8 first = a->packet[6];
    u32 len = 4;
    r[2] = r[3] = 1;
    if (first > 1 && first != 0xaa) return 0;
    if (first <= 1) {
        r[len + 1] = 0x14; /* data track */
        r[len + 2] = 1;
        put_address(r + len + 4, 0, msf);
        len += 8;
    }
    r[len + 1] = 0x14;
    r[len + 2] = 0xaa;
    put_address(r + len + 4, total_sectors(a), msf);
    return len + 8;
}

static u32 toc_session(u8 *r, bool msf)
{
    r[2] = r[3] = 1;
    r[5] = 0x14;
    r[6] = 1;
    put_address(r + 8, 0, msf);
    return 12;
}

/* Raw table: first track, last track, lead-out, track 1, always in minutes, seconds, frames. */
static u32 toc_raw(struct atapi *a, u8 *r)
{
    static const u8 points[] = { 0xa0, 0xa1, 0xa2, 1 };
    u32 len = 4;
    r[2] = r[3] = 1;
    for (unsigned i = 0; i < LEN(points); i++, len += 11) {
        u8 address[4];
        put_address(address, points[i] == 0xa2 ? total_sectors(a) : 0, true);
        r[len] = 1;
        r[len + 1] = 0x14;
        r[len + 3] = points[i];
        if (points[i] == 0xa0 || points[i] == 0xa1)
            r[len + 8] = 1;
        else
            memcpy(r + len + 8, address + 1, 3);
    }
    return len;
}

static void read_toc(struct atapi *a)
{
    bool msf = a->packet[1] & 2;
    u8 format = a->packet[2] & 15;
    if (!format) format = a->packet[9] >> 6; /* where older drivers put it */
    u8 *r = memset(a->d.buffer, 0, 64);
    u32 len = format == 0   ? toc_tracks(a, r, msf)
              : format == 1 ? toc_session(r, msf)
              : format == 2 ? toc_raw(a, r)
                            : 0;
    if (!len) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    put16(r, len - 2);
    reply(a, len, be16(a->packet + 7));
}

static void read_subchannel(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 24);
    u8 format = a->packet[3];
    bool want = a->packet[2] & 0x40;
    u32 len = !want ? 4 : format == 1 ? 16 : 24;
    if (want && (format < 1 || format > 3)) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    r[1] = 0x15; /* no audio status to return */
    put16(r + 2, len - 4);
    if (want) {
        r[4] = format;
        r[5] = 0x14;
        r[6] = format == 2 ? 0 : 1;
        r[7] = format == 1 ? 1 : 0;
    }
    if (want && format == 1) put_address(r + 12, 0, a->packet[1] & 2);
    reply(a, len, be16(a->packet + 7));
}

static void disc_information(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 34);
    if (a->packet[1] & 7) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    put16(r, 32);
    r[2] = 0x0e; /* last session complete, disc complete */
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = 0x20; /* unrestricted use */
    memset(r + 16, 0xff, 8);
    reply(a, 34, be16(a->packet + 7));
}

static void track_information(struct atapi *a)
{
    u32 address = be32(a->packet + 2);
    u8 kind = a->packet[1] & 3;
    bool ok = kind == 0 ? address < total_sectors(a) : kind < 3 && address == 1;
    if (!ok) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    u8 *r = memset(a->d.buffer, 0, 36);
    put16(r, 34);
    r[2] = r[3] = 1;
    r[5] = 4; /* data track, uninterrupted */
    r[6] = 1; /* mode 1 */
    put32(r + 24, total_sectors(a));
    reply(a, 36, be16(a->packet + 7));
}

static void buffer_capacity(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 12);
    put16(r, 10);
    put32(r + 4, ATA_BUFFER);
    put32(r + 8, ATA_BUFFER);
    reply(a, 12, be16(a->packet + 7));
}

static void dvd_structure(struct atapi *a)
{
    u8 format = a->packet[7];
    u8 *r = memset(a->d.buffer, 0, 2052);
    u32 len = 0, last = total_sectors(a) - 1;
    if (a->packet[1] & 15) {
        fail(a, SENSE_BAD_FIELD);
        return;
    }
    if (!is_dvd(a)) {
        fail(a, SENSE_NO_FORMAT);
        return;
    }
    switch (format) {
    case 0x00: /* physical: DVD-ROM part version 1, 120 mm, one layer, data area from 30000h */
        len = 2052;
        r[4] = 0x01;
        r[5] = 0x0f;
        r[6] = 0x01;
        put32(r + 8, 0x30000);
        put32(r + 12, 0x30000 + last);
        break;
    case 0x01: len = 8; break;    /* copyright: none */
    case 0x04: len = 2052; break; /* manufacturer: blank */
    case 0xff: {
        static const u8 list[] = { 0x00, 0x40, 0x08, 0x04, 0x01, 0x40,
                                   0x00, 0x08, 0x04, 0x40, 0x08, 0x04 };
        memcpy(r + 4, list, sizeof(list));
        len = 4 + sizeof(list);
        break;
    }
    default: fail(a, SENSE_BAD_FIELD); return;
    }
    put16(r, len - 2);
    reply(a, len, be16(a->packet + 8));
}

/* --- dispatch --- */

enum { NEEDS_DISC = 1, NO_ATTENTION = 2 /* runs although a unit attention is pending */ };
static const struct packet_command {
    u8 op, flags;
    void (*run)(struct atapi *a);
} commands[] = {
    { 0x00, NEEDS_DISC, good_command }, /* TEST UNIT READY */
    { 0x03, NO_ATTENTION, request_sense },
    { 0x12, NO_ATTENTION, inquiry },
    { 0x1b, 0, start_stop },
    { 0x1e, 0, prevent_allow },
    { 0x25, NEEDS_DISC, read_capacity },
    { 0x28, NEEDS_DISC, read_10 },
    { 0x2b, NEEDS_DISC, seek },
    { 0x35, 0, good_command }, /* SYNCHRONIZE CACHE */
    { 0x42, NEEDS_DISC, read_subchannel },
    { 0x43, NEEDS_DISC, read_toc },
    { 0x46, NO_ATTENTION, get_configuration },
    { 0x4a, NO_ATTENTION, event_status },
    { 0x51, NEEDS_DISC, disc_information },
    { 0x52, NEEDS_DISC, track_information },
    { 0x55, 0, mode_select },
    { 0x5a, 0, mode_sense },
    { 0x5c, NEEDS_DISC, buffer_capacity },
    { 0xa8, NEEDS_DISC, read_12 },
    { 0xac, 0, get_performance },
    { 0xad, NEEDS_DISC, dvd_structure },
    { 0xb6, 0, good_command }, /* SET STREAMING: the rate is not ours to set */
    { 0xb9, NEEDS_DISC, read_cd_msf },
    { 0xbb, 0, good_command }, /* SET CD SPEED */
    { 0xbd, 0, mechanism_status },
    { 0xbe, NEEDS_DISC, read_cd },
};

static void run_packet(struct atapi *a)
{
    const struct packet_command *c = NULL;
    for (unsigned i = 0; i < LEN(commands) && !c; i++)
        if (commands[i].op == a->packet[0]) c = &commands[i];
    TRACE(atapi_cmd, a->packet[0], be32(a->packet + 2), be16(a->packet + 7), a->dma);
    if (a->changed && !(c && (c->flags & NO_ATTENTION))) {
        a->changed = false;
        fail(a, SENSE_CHANGED);
        return;
    }
    if (!c) {
        LOG_GUEST(a->d.dev.name, "packet command %02x is not implemented", a->packet[0]);
        fail(a, SENSE_BAD_COMMAND);
        return;
    }
    if ((c->flags & NEEDS_DISC) && !present(a)) {
        fail(a, a->tray_open ? SENSE_TRAY_OPEN : SENSE_NO_MEDIUM);
        return;
    }
    if (c->run != request_sense) a->sense = SENSE_NONE;
    c->run(a);
}

static void cd_window_done(struct ata_drive *d)
{
    struct atapi *a = (struct atapi *)d;
    enum ata_phase phase = d->phase;
    if (phase == ATA_PACKET) {
        d->phase = ATA_NO_DATA;
        d->status = ATA_BSY;
        run_packet(a);
    } else if (d->last_command == 0xa1) {
        d->phase = ATA_NO_DATA;
        d->status = ATA_DRDY | ATA_DSC;
        ata_changed(d);
    } else if (phase == ATA_PIO_OUT || phase == ATA_DMA_OUT) {
        mode_select_data(a);
    } else if (d->chunk_pos < d->chunk) {
        expose(a);
    } else if (a->todo) {
        read_chunk(a);
    } else {
        good(a);
    }
}

static void cd_io_done(struct ata_drive *d)
{
    if (d->req.error)
        fail((struct atapi *)d, SENSE_UNREADABLE);
    else if (d->req.op == BLOCK_OP_READ)
        expose((struct atapi *)d);
    else
        ata_done(d);
}

/* --- task file commands --- */

static void identify_packet(const struct ata_drive *d, u8 *id)
{
    bool sata = d->port && d->port->sata;
    /* clang-format off */
    const u16 fixed[][2] = {
        { 0, 0x85c0 },           /* ATAPI, CD/DVD, removable, DRQ within 50 us, 12-byte packets */
        { 49, 0x0f00 }, { 50, 0x4000 }, { 51, 0x0200 }, { 53, 0x0006 },
        { 63, (u16)(0x0007 | d->transfer_mode[0] << 8) },
        { 64, 0x0003 }, { 65, 120 }, { 66, 120 }, { 67, 120 }, { 68, 120 },
        { 76, sata ? 0x0006 : 0 },
        { 80, 0x00f0 }, { 81, 0x0016 },
        { 82, 0x4218 },          /* NOP, DEVICE RESET, PACKET, power management */
        { 83, 0x4000 }, { 84, 0x4000 },
        { 85, 0x4218 }, { 86, 0x0000 }, { 87, 0x4000 },
        { 88, (u16)(0x007f | d->transfer_mode[1] << 8) },
        { 93, sata ? 0 : d->device & ATA_DEV ? 0x6b00 : 0x604b },
    };
    /* clang-format on */
    memset(id, 0, 512);
    for (unsigned i = 0; i < LEN(fixed); i++) st16(id + fixed[i][0] * 2, fixed[i][1]);
    ata_string(id + 10 * 2, d->serial, 20);
    ata_string(id + 23 * 2, d->firmware, 8);
    ata_string(id + 27 * 2, d->model, 40);
    id[510] = 0xa5;
    u8 sum = 0;
    for (unsigned i = 0; i < 511; i++) sum = (u8)(sum + id[i]);
    id[511] = (u8)-sum;
}

static void start_packet(struct atapi *a)
{
    struct ata_drive *d = &a->d;
    if (d->feature[0] & 2) { /* overlapped operation */
        ata_fail(d, ATA_ABRT);
        return;
    }
    a->dma = d->feature[0] & 1;
    a->byte_limit = d->lba_mid[0] | (u32)d->lba_high[0] << 8;
    if (a->byte_limit == 0 || a->byte_limit == 0xffff) a->byte_limit = 0xfffe;
    if (a->byte_limit > 1) a->byte_limit &= ~1u;
    d->count[0] = ATA_CD;
    memset(a->packet, 0, sizeof(a->packet));
    ata_window(d, ATA_PACKET, a->packet, 12, false);
}

static void cd_command(struct ata_drive *d, u8 command)
{
    struct atapi *a = (struct atapi *)d;
    if (command != 0xa0) TRACE(ata_cmd, d->device >> 4 & 1, command, 0, d->count[0]);
    switch (command) {
    case 0xa0: start_packet(a); return;
    case 0xa1:
        identify_packet(d, d->buffer);
        ata_window(d, ATA_PIO_IN, d->buffer, 512, true);
        return;
    case 0x08:
        ata_reset(d, false);
        ata_changed(d);
        return; /* DEVICE RESET: no interrupt */
    case 0x90:
        ata_signature(d);
        d->irq = true;
        ata_changed(d);
        return;
    case 0x20:
    case 0xec: /* refused with the signature, so the host learns what this is */
        ata_signature(d);
        ata_fail(d, ATA_ABRT);
        return;
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe6:
    case 0xe7: ata_done(d); return;
    case 0xe5:
        d->count[0] = 0xff;
        ata_done(d);
        return;
    case 0xef: {
        u8 f = d->feature[0];
        bool ok = f == 0x03 ? ata_set_transfer_mode(d, d->count[0])
                            : f == 0x66 || f == 0xcc || f == 0x10 || f == 0x90;
        if (ok)
            ata_done(d);
        else
            ata_fail(d, ATA_ABRT);
        return;
    }
    default: ata_fail(d, ATA_ABRT);
    }
}

static void cd_reset(struct ata_drive *d, bool hard)
{
    struct atapi *a = (struct atapi *)d;
    a->todo = 0;
    a->sense = SENSE_NONE;
    if (!hard) return;
    bool sata = d->port && d->port->sata;
    a->locked = false;
    d->transfer_mode[0] = sata ? 0 : 0x04;
    d->transfer_mode[1] = sata ? 0x20 : 0;
}

static const struct ata_type cd_type = { true, cd_command, cd_window_done, cd_io_done, cd_reset };

/* --- the medium --- */

struct block *atapi_media(struct device *cdrom)
{
    return ((struct ata_drive *)cdrom)->block;
}

int atapi_set_media(struct device *cdrom, struct block *b, struct error *e)
{
    struct atapi *a = (struct atapi *)cdrom;
    if (a->locked && present(a) && !a->eject_asked) {
        a->eject_asked = true;
        a->media_event = 1;
        return error_set(e,
                         "%s: the guest has locked the tray and was asked to open it; repeat the "
                         "command to change "
                         "the disc anyway",
                         cdrom->name);
    }
    a->eject_asked = false;
    bool was = present(a), reading = a->d.req.pending || a->todo;
    if (a->d.block) {
        block_cancel(a->d.block, &a->d.req);
        block_detach(a->d.block);
    }
    a->d.block = b;
    a->tray_open = false;
    a->changed = b != NULL;
    a->media_event = b ? 2 : was ? 3 : 0;
    a->todo = 0;
    if (b) ata_attach_block(&a->d);
    if (reading) fail(a, b ? SENSE_CHANGED : SENSE_NO_MEDIUM);
    return 0;
}

static int atapi_cdrom_init(struct device *dev, struct error *e)
{
    return ata_drive_init((struct ata_drive *)dev, &cd_type, e);
}

static void atapi_cdrom_reset(struct device *dev, enum reset_kind kind)
{
    struct atapi *a = (struct atapi *)dev;
    if (kind == RESET_COLD) {
        a->tray_open = a->changed = false;
        a->media_event = 0;
    }
    a->d.device = 0;
    ata_reset(&a->d, true);
}

static void atapi_cdrom_info(struct device *dev, struct text *t)
{
    struct atapi *a = (struct atapi *)dev;
    const struct block *b = a->d.block;
    text_add(t, "disc %s%s%s, sense %06x, last packet command %02x, status %02x\n",
             b ? b->path : "none", a->tray_open ? ", tray open" : "", a->locked ? ", locked" : "",
             a->sense, a->packet[0], a->d.status);
}

static void atapi_cdrom_fini(struct device *dev)
{
    ata_drive_fini((struct ata_drive *)dev);
}

static const struct device_option atapi_cdrom_options[] = {
    ATA_OPTIONS("AEROPC DVD-ROM"),
    { NULL, 0, 0, NULL, NULL },
};

const struct device_class atapi_cdrom_class = {
    .name = "atapi_cdrom",
    .help = "ATAPI CD/DVD drive",
    .size = sizeof(struct atapi),
    .version = 1,
    .options = atapi_cdrom_options,
    .init = atapi_cdrom_init,
    .reset = atapi_cdrom_reset,
    .info = atapi_cdrom_info,
    .fini = atapi_cdrom_fini,
};
