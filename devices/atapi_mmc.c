/* The CD/DVD drive's packet commands: MMC-5, SPC-3. An image above 800 MiB is a DVD-ROM, else a CD-ROM.
 *
 * Each command is a row of the table at the end and a function that ends in atapi_good(),
 * atapi_fail(), atapi_reply() or atapi_start_read() (atapi.h). Left out: writing, audio, raw
 * sectors, region codes (the key commands are refused as on a drive without CSS). */
#include "devices/atapi.h"

enum { PROFILE_CD = 0x08, PROFILE_DVD = 0x10 };
#define DVD_THRESHOLD (800 * MIB)

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

static bool is_dvd(const struct atapi *a)
{
    return a->d.block->size > DVD_THRESHOLD;
}

static u16 profile(const struct atapi *a)
{
    return !atapi_present(a) ? 0 : is_dvd(a) ? PROFILE_DVD : PROFILE_CD;
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
    atapi_reply(a, 18, a->packet[4]);
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
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    r[0] = 0x05;
    r[1] = 0x80;
    r[3] = 0x21;
    r[4] = 31;
    text_field(r + 8, "AEROPC", 8);
    text_field(r + 16, strncmp(a->d.model, "AEROPC ", 7) ? a->d.model : a->d.model + 7, 16);
    text_field(r + 32, a->d.firmware, 4);
    atapi_reply(a, 36, be16(a->packet + 3));
}

static void start_stop(struct atapi *a)
{
    bool load_eject = a->packet[4] & 2, start = a->packet[4] & 1;
    if (load_eject && !start) {
        if (a->locked) {
            atapi_fail(a, SENSE_LOCKED);
            return;
        }
        if (atapi_present(a)) a->media_event = 3;
        a->tray_open = true;
    } else if (load_eject && a->tray_open) {
        a->tray_open = false;
        if (a->d.block) {
            a->changed = true;
            a->media_event = 2;
        }
    }
    atapi_good(a);
}

static void prevent_allow(struct atapi *a)
{
    a->locked = a->packet[4] & 1;
    if (!a->locked) a->eject_asked = false;
    atapi_good(a);
}

static void event_status(struct atapi *a)
{
    enum { MEDIA_CLASS = 4 };
    if (!(a->packet[1] & 1)) { /* asynchronous notification */
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    u8 *r = memset(a->d.buffer, 0, 8);
    u32 len = 4;
    r[3] = BIT(MEDIA_CLASS);
    if (a->packet[4] & BIT(MEDIA_CLASS)) {
        len = 8;
        r[2] = MEDIA_CLASS;
        r[4] = a->media_event;
        r[5] = (u8)((a->tray_open ? 1 : 0) | (atapi_present(a) ? 2 : 0));
        a->media_event = 0;
    } else {
        r[2] = 0x80; /* no event of the classes asked for */
    }
    put16(r, len - 2);
    atapi_reply(a, len, be16(a->packet + 7));
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
        atapi_fail(a, SENSE_BAD_FIELD);
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
    atapi_reply(a, len, be16(a->packet + 7));
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
        atapi_fail(a, SENSE_NO_SAVED_PAGES);
        return;
    }
    for (unsigned i = 0; i < LEN(all); i++)
        if (code == all[i] || code == 0x3f) len += mode_page(a, all[i], r + len, control == 1);
    if (len == 8) {
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    r[2] = a->tray_open ? 0x71 : !atapi_present(a) ? 0x70 : is_dvd(a) ? 0x41 : 0x01; /* medium type */
    put16(r, len - 2);
    atapi_reply(a, len, be16(a->packet + 7));
}

/* Accepted and checked for shape; none of our pages has a changeable field. */
static void mode_select(struct atapi *a)
{
    u32 len = be16(a->packet + 7);
    if (!(a->packet[1] & 0x10) || len > ATA_BUFFER) {
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    if (!len) {
        atapi_good(a);
        return;
    }
    a->d.chunk = len;
    a->d.chunk_pos = len;
    a->d.count[0] = 0;
    a->d.lba_mid[0] = (u8)len;
    a->d.lba_high[0] = (u8)(len >> 8);
    ata_window(&a->d, a->dma ? ATA_DMA_OUT : ATA_PIO_OUT, a->d.buffer, len, !a->dma);
}

void atapi_data_in(struct atapi *a)
{
    u8 page[32];
    u32 at = 8, len = a->d.chunk;
    while (at + 2 <= len) {
        const u8 *p = a->d.buffer + at;
        u32 want = mode_page(a, p[0] & 0x3f, page, false);
        if (!want || p[1] + 2u != want || at + want > len) {
            atapi_fail(a, SENSE_BAD_PARAMETER);
            return;
        }
        at += want;
    }
    atapi_good(a);
}

static void mechanism_status(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 8);
    r[1] = a->tray_open ? 0x10 : 0;
    atapi_reply(a, 8, be16(a->packet + 8));
}

static void get_performance(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 24);
    u32 speed = 5632, last = atapi_present(a) ? atapi_sectors(a) - 1 : 0;
    if (a->packet[10]) { /* other than nominal performance */
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    put32(r, 20);
    put32(r + 12, speed);
    put32(r + 16, last);
    put32(r + 20, speed);
    atapi_reply(a, 24, be16(a->packet + 8) ? 24 : 8);
}

static void good_command(struct atapi *a)
{
    atapi_good(a);
}

/* --- commands about the disc --- */

static void read_capacity(struct atapi *a)
{
    put32(a->d.buffer, atapi_sectors(a) - 1);
    put32(a->d.buffer + 4, ATAPI_SECTOR);
    atapi_reply(a, 8, 8);
}

static void read_10(struct atapi *a)
{
    atapi_start_read(a, be32(a->packet + 2), be16(a->packet + 7));
}

static void read_12(struct atapi *a)
{
    atapi_start_read(a, be32(a->packet + 2), be32(a->packet + 6));
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
        atapi_fail(a, SENSE_BAD_TRACK_MODE);
    else if (fields == 0)
        atapi_start_read(a, lba, 0);
    else if (fields == 0x10)
        atapi_start_read(a, lba, count);
    else
        atapi_fail(a, SENSE_BAD_FIELD);
}

static void read_cd(struct atapi *a)
{
    read_cd_range(a, be32(a->packet + 2), (u32)a->packet[6] << 16 | be16(a->packet + 7));
}

static void read_cd_msf(struct atapi *a)
{
    u32 from = lba_of_msf(a->packet + 3), to = lba_of_msf(a->packet + 6);
    if (from == to)
        atapi_good(a);
    else if (from > to || to > atapi_sectors(a))
        atapi_fail(a, SENSE_BAD_ADDRESS);
    else
        read_cd_range(a, from, to - from);
}

static void seek(struct atapi *a)
{
    if (be32(a->packet + 2) < atapi_sectors(a))
        atapi_good(a);
    else
        atapi_fail(a, SENSE_BAD_ADDRESS);
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
    put_address(r + len + 4, atapi_sectors(a), msf);
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
        put_address(address, points[i] == 0xa2 ? atapi_sectors(a) : 0, true);
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
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    put16(r, len - 2);
    atapi_reply(a, len, be16(a->packet + 7));
}

static void read_subchannel(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 24);
    u8 format = a->packet[3];
    bool want = a->packet[2] & 0x40;
    u32 len = !want ? 4 : format == 1 ? 16 : 24;
    if (want && (format < 1 || format > 3)) {
        atapi_fail(a, SENSE_BAD_FIELD);
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
    atapi_reply(a, len, be16(a->packet + 7));
}

static void disc_information(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 34);
    if (a->packet[1] & 7) {
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    put16(r, 32);
    r[2] = 0x0e; /* last session complete, disc complete */
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = 0x20; /* unrestricted use */
    memset(r + 16, 0xff, 8);
    atapi_reply(a, 34, be16(a->packet + 7));
}

static void track_information(struct atapi *a)
{
    u32 address = be32(a->packet + 2);
    u8 kind = a->packet[1] & 3;
    bool ok = kind == 0 ? address < atapi_sectors(a) : kind < 3 && address == 1;
    if (!ok) {
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    u8 *r = memset(a->d.buffer, 0, 36);
    put16(r, 34);
    r[2] = r[3] = 1;
    r[5] = 4; /* data track, uninterrupted */
    r[6] = 1; /* mode 1 */
    put32(r + 24, atapi_sectors(a));
    atapi_reply(a, 36, be16(a->packet + 7));
}

static void buffer_capacity(struct atapi *a)
{
    u8 *r = memset(a->d.buffer, 0, 12);
    put16(r, 10);
    put32(r + 4, ATA_BUFFER);
    put32(r + 8, ATA_BUFFER);
    atapi_reply(a, 12, be16(a->packet + 7));
}

static void dvd_structure(struct atapi *a)
{
    u8 format = a->packet[7];
    u8 *r = memset(a->d.buffer, 0, 2052);
    u32 len = 0, last = atapi_sectors(a) - 1;
    if (a->packet[1] & 15) {
        atapi_fail(a, SENSE_BAD_FIELD);
        return;
    }
    if (!is_dvd(a)) {
        atapi_fail(a, SENSE_NO_FORMAT);
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
    default: atapi_fail(a, SENSE_BAD_FIELD); return;
    }
    put16(r, len - 2);
    atapi_reply(a, len, be16(a->packet + 8));
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

void atapi_run_packet(struct atapi *a)
{
    const struct packet_command *c = NULL;
    for (unsigned i = 0; i < LEN(commands) && !c; i++)
        if (commands[i].op == a->packet[0]) c = &commands[i];
    TRACE(atapi_cmd, a->packet[0], be32(a->packet + 2), be16(a->packet + 7), a->dma);
    if (a->changed && !(c && (c->flags & NO_ATTENTION))) {
        a->changed = false;
        atapi_fail(a, SENSE_CHANGED);
        return;
    }
    if (!c) {
        LOG_GUEST(a->d.dev.name, "packet command %02x is not implemented", a->packet[0]);
        atapi_fail(a, SENSE_BAD_COMMAND);
        return;
    }
    if ((c->flags & NEEDS_DISC) && !atapi_present(a)) {
        atapi_fail(a, a->tray_open ? SENSE_TRAY_OPEN : SENSE_NO_MEDIUM);
        return;
    }
    if (c->run != request_sense) a->sense = SENSE_NONE;
    c->run(a);
}
