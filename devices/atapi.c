/* ATAPI CD/DVD drive: the drive behind the packet commands (atapi_mmc.c), over the task file of ata.h.
 *
 * One data track of 2048-byte sectors, from an ISO image. A packet command answers from the drive's
 * buffer (atapi_reply) or streams sectors through it (atapi_start_read), by PIO in blocks of the
 * host's byte-count limit or by DMA. Errors are CHECK CONDITION with sense data kept for REQUEST
 * SENSE. A changed disc reports unit attention 6/28/00 once and a media event. The guest's eject
 * opens the tray: the disc is absent until it closes it again or another is put in from outside.
 * ATA/ATAPI-7 volume 2 (packet protocol). */
#include "devices/atapi.h"

/* --- ends and data phases --- */

void atapi_good(struct atapi *a)
{
    a->d.count[0] = ATA_CD | ATA_IO;
    ata_done(&a->d);
}

void atapi_fail(struct atapi *a, u32 sense)
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

void atapi_reply(struct atapi *a, u32 len, u32 allocation)
{
    a->d.chunk = MIN(len, allocation);
    a->d.chunk_pos = 0;
    a->todo = 0;
    if (a->d.chunk)
        expose(a);
    else
        atapi_good(a);
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

void atapi_start_read(struct atapi *a, u32 lba, u32 count)
{
    TRACE(atapi_cmd, a->packet[0], lba, count, 0);
    u32 total = atapi_sectors(a);
    if (lba >= total || count > total - lba) {
        if (count || lba > total)
            atapi_fail(a, SENSE_BAD_ADDRESS);
        else
            atapi_good(a);
        return;
    }
    if (!count) {
        atapi_good(a);
        return;
    }
    a->offset = (u64)lba * ATAPI_SECTOR;
    a->todo = (u64)count * ATAPI_SECTOR;
    read_chunk(a);
}

static void cd_window_done(struct ata_drive *d)
{
    struct atapi *a = (struct atapi *)d;
    enum ata_phase phase = d->phase;
    if (phase == ATA_PACKET) {
        d->phase = ATA_NO_DATA;
        d->status = ATA_BSY;
        atapi_run_packet(a);
    } else if (d->last_command == 0xa1) {
        d->phase = ATA_NO_DATA;
        d->status = ATA_DRDY | ATA_DSC;
        ata_changed(d);
    } else if (phase == ATA_PIO_OUT || phase == ATA_DMA_OUT) {
        atapi_data_in(a);
    } else if (d->chunk_pos < d->chunk) {
        expose(a);
    } else if (a->todo) {
        read_chunk(a);
    } else {
        atapi_good(a);
    }
}

static void cd_io_done(struct ata_drive *d)
{
    if (d->req.error)
        atapi_fail((struct atapi *)d, SENSE_UNREADABLE);
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
    if (a->locked && atapi_present(a) && !a->eject_asked) {
        a->eject_asked = true;
        a->media_event = 1;
        return error_set(e,
                         "%s: the guest has locked the tray and was asked to open it; repeat the "
                         "command to change "
                         "the disc anyway",
                         cdrom->name);
    }
    a->eject_asked = false;
    bool was = atapi_present(a), reading = a->d.req.pending || a->todo;
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
    if (reading) atapi_fail(a, b ? SENSE_CHANGED : SENSE_NO_MEDIUM);
    return 0;
}

static int atapi_cdrom_init(struct device *dev, struct error *e)
{
    return ata_drive_init((struct ata_drive *)dev, &cd_type, e);
}

/* Every reset closes the tray, so that a restart finds what power-on finds. */
static void atapi_cdrom_reset(struct device *dev, enum reset_kind kind)
{
    struct atapi *a = (struct atapi *)dev;
    (void)kind;
    a->tray_open = a->changed = a->eject_asked = a->dma = false;
    a->media_event = 0;
    a->byte_limit = 0;
    a->offset = 0;
    memset(a->packet, 0, sizeof(a->packet));
    a->d.device = a->d.last_command = 0;
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

static const struct device_field atapi_cdrom_fields[] = {
    ATA_FIELDS,
    FIELD_ARRAY(struct atapi, packet),
    FIELD(struct atapi, dma),
    FIELD(struct atapi, byte_limit),
    FIELD(struct atapi, sense),
    FIELD(struct atapi, locked),
    FIELD(struct atapi, tray_open),
    FIELD(struct atapi, changed),
    FIELD(struct atapi, eject_asked),
    FIELD(struct atapi, media_event),
    { NULL, 0, 0, 0, 0 },
};

const struct device_class atapi_cdrom_class = {
    .name = "atapi_cdrom",
    .help = "ATAPI CD/DVD drive",
    .size = sizeof(struct atapi),
    .version = 1,
    .options = atapi_cdrom_options,
    .fields = atapi_cdrom_fields,
    .init = atapi_cdrom_init,
    .reset = atapi_cdrom_reset,
    .info = atapi_cdrom_info,
    .fini = atapi_cdrom_fini,
};
