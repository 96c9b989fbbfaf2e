/* ATA drives: the part that disks and CD drives share, and the hard disk (ata.h).
 *
 * The disk has 512-byte sectors, 28- and 48-bit LBA and CHS, PIO single and multiple, DMA, native
 * queuing, write cache, power commands. Data moves through a 128 KiB buffer in chunks; each chunk
 * is one host request. ATA/ATAPI-7 (T13 1532D) volume 1; ATA8-ACS for queuing and the log pages.
 * Absent and aborted: SMART, security, host protected area changes, TRIM, media card commands. */
#include "devices/ata.h"

#include <stdlib.h>

enum { SECTOR = 512, MAX_MULTIPLE = 16 };

/* --- both kinds of drive --- */

void ata_changed(struct ata_drive *d)
{
    if (d->port) d->port->changed(d->port_opaque, d);
}

static void finish(struct ata_drive *d, u8 status, u8 error)
{
    d->status = status;
    d->error = error;
    d->phase = ATA_NO_DATA;
    d->win_len = 0;
    d->irq = true;
    ata_changed(d);
}

void ata_done(struct ata_drive *d)
{
    finish(d, ATA_DRDY | ATA_DSC, 0);
}

void ata_fail(struct ata_drive *d, u8 error)
{
    finish(d, ATA_DRDY | ATA_DSC | ATA_ERR, error);
}

void ata_window(struct ata_drive *d, enum ata_phase phase, u8 *data, u32 len, bool irq)
{
    bool dma = phase == ATA_DMA_IN || phase == ATA_DMA_OUT;
    d->phase = phase;
    d->win = data;
    d->win_len = len;
    d->status = dma ? ATA_BSY | ATA_DRDY | ATA_DRQ : ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (irq) d->irq = true;
    ata_changed(d);
}

void ata_transferred(struct ata_drive *d, u32 bytes)
{
    check(bytes <= d->win_len);
    d->win += bytes;
    d->win_len -= bytes;
    if (!d->win_len && d->phase != ATA_NO_DATA) d->type->window_done(d);
}

static void io_done(void *opaque)
{
    struct ata_drive *d = opaque;
    d->type->io_done(d);
}

void ata_io(struct ata_drive *d, enum block_op op, u64 offset, u8 *buf, u32 len)
{
    d->status = ATA_BSY | ATA_DRDY;
    d->phase = ATA_NO_DATA;
    d->win_len = 0;
    d->iov = (struct iovec){ buf, len };
    d->req = (struct block_req){ .op = op,
                                 .offset = offset,
                                 .bytes = len,
                                 .iov = &d->iov,
                                 .iovcnt = len ? 1 : 0,
                                 .done = io_done,
                                 .opaque = d };
    block_submit(d->block, &d->req);
    ata_changed(d);
}

void ata_command(struct ata_drive *d, u8 command)
{
    /* DEVICE RESET alone is taken by a busy packet drive. */
    if ((d->status & ATA_BSY) && !(d->type->packet && command == 0x08)) {
        LOG_GUEST(d->dev.name, "command %02x while busy (status %02x) ignored", command, d->status);
        return;
    }
    d->phase = ATA_NO_DATA; /* a transfer the host has lost interest in ends here */
    d->win_len = 0;
    d->irq = false;
    d->error = 0;
    d->last_command = command;
    d->type->command(d, command);
}

static void drop_queue(struct ata_drive *d)
{
    for (unsigned i = 0; d->queue && i < ATA_TAGS; i++) {
        if (d->block) block_cancel(d->block, &d->queue[i].req);
        d->queue[i].busy = false;
    }
}

void ata_abort(struct ata_drive *d)
{
    if (d->block) block_cancel(d->block, &d->req);
    drop_queue(d);
    d->phase = ATA_NO_DATA;
    d->win_len = 0;
    d->irq = false;
    if (d->status & (ATA_BSY | ATA_DRQ)) d->status = ATA_DRDY | ATA_DSC;
}

void ata_reset(struct ata_drive *d, bool hard)
{
    u8 *const registers[] = { d->feature, d->count, d->lba_low, d->lba_mid, d->lba_high };
    ata_abort(d);
    for (unsigned i = 0; i < LEN(registers) && hard; i++) memset(registers[i], 0, 2);
    d->type->reset(d, hard);
    ata_signature(d);
}

/* What identifies the kind of drive after a reset; also error code 1, "device passed its test". */
void ata_signature(struct ata_drive *d)
{
    d->error = 1;
    d->count[0] = d->lba_low[0] = 1;
    d->lba_mid[0] = d->type->packet ? 0x14 : 0;
    d->lba_high[0] = d->type->packet ? 0xeb : 0;
    d->device &= ATA_DEV;
    /* A packet drive keeps DRDY clear until its first command. */
    d->status = d->type->packet ? 0 : ATA_DRDY | ATA_DSC;
}

int ata_attach(struct ata_drive *d, const struct ata_port *port, void *opaque, struct error *e)
{
    if (d->port) return error_set(e, "drive %s is attached twice", d->dev.name);
    d->port = port;
    d->port_opaque = opaque;
    return 0;
}

void ata_string(u8 *words, const char *s, unsigned len)
{
    size_t n = s ? strlen(s) : 0;
    for (unsigned i = 0; i < len; i++) words[i ^ 1] = i < n ? (u8)s[i] : ' ';
}

bool ata_set_transfer_mode(struct ata_drive *d, u8 mode)
{
    if (mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c)) return true; /* PIO: nothing to remember */
    if (mode >= 0x20 && mode <= 0x22) {
        d->transfer_mode[0] = (u8)(1u << (mode & 7));
        d->transfer_mode[1] = 0;
        return true;
    }
    if (mode >= 0x40 && mode <= 0x46) {
        d->transfer_mode[1] = (u8)(1u << (mode & 7));
        d->transfer_mode[0] = 0;
        return true;
    }
    return false;
}

int ata_drive_init(struct ata_drive *d, const struct ata_type *type, struct error *e)
{
    d->type = type;
    d->buffer = xalloc(ATA_BUFFER);
    if (!d->serial) d->serial = xasprintf("AERO-%s", d->dev.name);
    if (strlen(d->serial) > 20)
        return error_set(e, "serial number '%s' is longer than 20 characters", d->serial);
    if (strlen(d->model) > 40)
        return error_set(e, "model name '%s' is longer than 40 characters", d->model);
    if (strlen(d->firmware) > 8)
        return error_set(e, "firmware revision '%s' is longer than 8 characters", d->firmware);
    if (strcmp(d->errors, "stop") && strcmp(d->errors, "report"))
        return error_set(e, "errors=%s is neither stop nor report", d->errors);
    if (d->block) ata_attach_block(d);
    return 0;
}

void ata_attach_block(struct ata_drive *d)
{
    d->block->report_errors = !strcmp(d->errors, "report");
    block_attach(d->block, d->dev.host);
}

void ata_drive_fini(struct ata_drive *d)
{
    if (d->block) {
        block_cancel(d->block, &d->req);
        drop_queue(d);
        block_detach(d->block);
    }
    for (unsigned i = 0; d->queue && i < ATA_TAGS; i++) free(d->queue[i].buf);
    free(d->queue);
    free(d->buffer);
}

/* --- disk: addresses --- */

static u64 total_sectors(const struct ata_drive *d)
{
    return d->block->size / SECTOR;
}

static u64 lba28(const struct ata_drive *d)
{
    return d->lba_low[0] | d->lba_mid[0] << 8 | d->lba_high[0] << 16 | (u32)(d->device & 15) << 24;
}

static u64 lba48(const struct ata_drive *d)
{
    return d->lba_low[0] | (u64)d->lba_mid[0] << 8 | (u64)d->lba_high[0] << 16 |
           (u64)d->lba_low[1] << 24 | (u64)d->lba_mid[1] << 32 | (u64)d->lba_high[1] << 40;
}

/* Address and count of the task file; false when CHS names no sector. */
static bool decode_address(struct ata_drive *d, bool ext, u64 *lba, u64 *count)
{
    if (ext) {
        *lba = lba48(d);
        *count = (u32)d->count[0] | (u32)d->count[1] << 8;
        if (!*count) *count = 65536;
        return true;
    }
    *count = d->count[0] ? d->count[0] : 256;
    if (d->device & ATA_LBA) {
        *lba = lba28(d);
        return true;
    }
    u32 cylinder = d->lba_mid[0] | (u32)d->lba_high[0] << 8, head = d->device & 15,
        sector = d->lba_low[0];
    *lba = ((u64)cylinder * d->heads + head) * d->sectors + sector - 1;
    return sector && sector <= d->sectors && head < d->heads;
}

static void encode_address(struct ata_drive *d, bool ext, u64 lba)
{
    if (ext) {
        d->lba_low[1] = (u8)(lba >> 24);
        d->lba_mid[1] = (u8)(lba >> 32);
        d->lba_high[1] = (u8)(lba >> 40);
    } else if (!(d->device & ATA_LBA)) {
        u64 cylinder = lba / (d->heads * d->sectors);
        d->device = (u8)((d->device & 0xf0) | (lba / d->sectors % d->heads));
        d->lba_low[0] = (u8)(lba % d->sectors + 1);
        d->lba_mid[0] = (u8)cylinder;
        d->lba_high[0] = (u8)(cylinder >> 8);
        return;
    } else {
        d->device = (u8)((d->device & 0xf0) | ((lba >> 24) & 15));
    }
    d->lba_low[0] = (u8)lba;
    d->lba_mid[0] = (u8)(lba >> 8);
    d->lba_high[0] = (u8)(lba >> 16);
}

/* --- disk: IDENTIFY DEVICE --- */

static u32 default_cylinders(const struct ata_drive *d)
{
    return (u32)MAX(1u, MIN(16383u, total_sectors(d) / (16 * 63)));
}

static void identify_capacity(const struct ata_drive *d, u8 *id)
{
    u64 total = total_sectors(d), chs = MIN(total / (d->heads * d->sectors), 65535);
    st16(id + 1 * 2, (u16)default_cylinders(d));
    st16(id + 3 * 2, 16);
    st16(id + 6 * 2, 63);
    st16(id + 54 * 2, (u16)chs);
    st16(id + 55 * 2, (u16)d->heads);
    st16(id + 56 * 2, (u16)d->sectors);
    st32(id + 57 * 2, (u32)(chs * d->heads * d->sectors));
    st32(id + 60 * 2, (u32)MIN(total, 0x0fffffffull));
    st64(id + 100 * 2, total);
}

/* The last byte of a page makes the sum of all its bytes zero. */
static void add_checksum(u8 *page)
{
    u8 sum = 0;
    for (unsigned i = 0; i < SECTOR - 1; i++) sum = (u8)(sum + page[i]);
    page[SECTOR - 1] = (u8)-sum;
}

static void identify(const struct ata_drive *d, u8 *id)
{
    /* clang-format off */
    static const u16 fixed[][2] = {
        { 0, 0x0040 },           /* fixed disk */
        { 21, 512 },             /* cache, in sectors */
        { 22, 4 },
        { 47, 0x8000 | MAX_MULTIPLE },
        { 49, 0x0f00 },          /* LBA, DMA, IORDY, standby timer */
        { 50, 0x4000 },
        { 51, 0x0200 },
        { 53, 0x0007 },          /* words 54-58, 64-70 and 88 are valid */
        { 64, 0x0003 },          /* PIO 3 and 4 */
        { 65, 120 }, { 66, 120 }, { 67, 120 }, { 68, 120 },
        { 80, 0x00f0 }, { 81, 0x0016 },
        { 82, 0x4068 },          /* NOP, look-ahead, write cache, power management */
        { 83, 0x7408 },          /* flush ext, flush, LBA48, APM */
        { 84, 0x4060 },          /* forced unit access, general purpose logging */
        { 87, 0x4060 },
    };
    /* clang-format on */
    memset(id, 0, SECTOR);
    for (unsigned i = 0; i < LEN(fixed); i++) st16(id + fixed[i][0] * 2, fixed[i][1]);
    identify_capacity(d, id);
    ata_string(id + 10 * 2, d->serial, 20);
    ata_string(id + 23 * 2, d->firmware, 8);
    ata_string(id + 27 * 2, d->model, 40);
    st16(id + 59 * 2, (u16)(d->multiple ? 0x100 | d->multiple : 0));
    st16(id + 63 * 2, (u16)(0x0007 | d->transfer_mode[0] << 8));
    st16(id + 85 * 2, (u16)(0x4008 | (d->write_cache ? 0x20 : 0) | (d->look_ahead ? 0x40 : 0)));
    st16(id + 86 * 2, (u16)(0x3400 | (d->apm ? 8 : 0)));
    st16(id + 91 * 2, d->apm);
    st16(id + 88 * 2, (u16)(0x007f | d->transfer_mode[1] << 8));
    if (d->port && d->port->sata) {
        st16(id + 75 * 2, ATA_TAGS - 1);
        st16(id + 76 * 2, 0x0106); /* NCQ, 1.5 and 3 Gbit/s */
    } else {
        st16(id + 93 * 2, d->device & ATA_DEV ? 0x6b00 : 0x604b); /* 80-wire cable, device 1 or 0 */
    }
    id[510] = 0xa5;
    add_checksum(id);
}

/* --- disk: moving sectors --- */

/* DMA hands out the whole chunk, PIO one block of it. */
static void expose_block(struct ata_drive *d, enum ata_phase phase, bool irq)
{
    bool dma = phase == ATA_DMA_IN || phase == ATA_DMA_OUT;
    u32 len = d->chunk - d->chunk_pos;
    if (!dma) len = MIN(len, d->block_sectors * SECTOR);
    u8 *data = d->buffer + d->chunk_pos;
    d->chunk_pos += len;
    ata_window(d, phase, data, len, irq);
}

enum {
    MOVE_DMA = 1,
    MOVE_WRITE = 2,
    MOVE_EXT = 4,
    MOVE_MULTIPLE = 8,
    MOVE_VERIFY = 16,
    MOVE_FUA = 32
};

static u8 move_flags(u8 command)
{
    switch (command) {
    case 0x24: return MOVE_EXT;
    case 0x25: return MOVE_EXT | MOVE_DMA;
    case 0x29: return MOVE_EXT | MOVE_MULTIPLE;
    case 0x30:
    case 0x31: return MOVE_WRITE;
    case 0x34: return MOVE_EXT | MOVE_WRITE;
    case 0x35: return MOVE_EXT | MOVE_WRITE | MOVE_DMA;
    case 0x39: return MOVE_EXT | MOVE_WRITE | MOVE_MULTIPLE;
    case 0x3d: return MOVE_EXT | MOVE_WRITE | MOVE_DMA | MOVE_FUA;
    case 0x40:
    case 0x41: return MOVE_VERIFY;
    case 0x42: return MOVE_EXT | MOVE_VERIFY;
    case 0xc4: return MOVE_MULTIPLE;
    case 0xc5: return MOVE_WRITE | MOVE_MULTIPLE;
    case 0xc8:
    case 0xc9: return MOVE_DMA;
    case 0xca:
    case 0xcb: return MOVE_WRITE | MOVE_DMA;
    case 0xce: return MOVE_EXT | MOVE_WRITE | MOVE_MULTIPLE | MOVE_FUA;
    default: return 0; /* 20h, 21h */
    }
}

static void next_chunk(struct ata_drive *d)
{
    u8 flags = move_flags(d->last_command);
    d->chunk = (u32)MIN(d->left * SECTOR, ATA_BUFFER);
    d->chunk_pos = 0;
    if (flags & MOVE_WRITE)
        expose_block(d, flags & MOVE_DMA ? ATA_DMA_OUT : ATA_PIO_OUT, false);
    else
        ata_io(d, BLOCK_OP_READ, d->cur_lba * SECTOR, d->buffer, d->chunk);
}

static void start_move(struct ata_drive *d)
{
    u8 flags = move_flags(d->last_command);
    u64 lba, count;
    bool valid = decode_address(d, flags & MOVE_EXT, &lba, &count);
    TRACE(ata_cmd, d->device >> 4 & 1, d->last_command, lba, count);
    if ((flags & MOVE_MULTIPLE) && !d->multiple) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    if ((flags & MOVE_WRITE) && d->block->readonly) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    u64 total = total_sectors(d);
    if (!valid || lba >= total || count > total - lba) {
        if (valid) encode_address(d, flags & MOVE_EXT, MAX(lba, total));
        ata_fail(d, ATA_IDNF);
        return;
    }
    if (flags & MOVE_VERIFY) {
        encode_address(d, flags & MOVE_EXT, lba + count - 1);
        ata_done(d);
        return;
    }
    d->cur_lba = lba;
    d->left = count;
    d->block_sectors = flags & MOVE_MULTIPLE ? d->multiple : 1;
    next_chunk(d);
}

/* All sectors are moved. After PIO input there is no further interrupt: the last block had it. */
static void end_move(struct ata_drive *d, bool pio_in)
{
    u8 flags = move_flags(d->last_command);
    encode_address(d, flags & MOVE_EXT, d->cur_lba - 1);
    d->count[0] = 0;
    if (flags & MOVE_EXT) d->count[1] = 0;
    if (!pio_in) {
        ata_done(d);
        return;
    }
    d->status = ATA_DRDY | ATA_DSC;
    d->phase = ATA_NO_DATA;
    ata_changed(d);
}

static void advance_chunk(struct ata_drive *d)
{
    u64 sectors = d->chunk / SECTOR;
    d->cur_lba += sectors;
    d->left -= sectors;
}

static bool is_move(u8 command)
{
    return move_flags(command) || command == 0x20 || command == 0x21;
}

static void disk_window_done(struct ata_drive *d)
{
    enum ata_phase phase = d->phase;
    bool input = phase == ATA_PIO_IN || phase == ATA_DMA_IN;
    if (!is_move(d->last_command)) { /* IDENTIFY, logs, buffer: one window */
        d->phase = ATA_NO_DATA;
        d->status = ATA_DRDY | ATA_DSC;
        if (input)
            ata_changed(d);
        else
            ata_done(d);
        return;
    }
    if (d->chunk_pos < d->chunk) {
        expose_block(d, phase, true);
        return;
    }
    if (!input) {
        ata_io(d, BLOCK_OP_WRITE, d->cur_lba * SECTOR, d->buffer, d->chunk);
        return;
    }
    advance_chunk(d);
    if (d->left)
        next_chunk(d);
    else
        end_move(d, phase == ATA_PIO_IN);
}

static void disk_io_done(struct ata_drive *d)
{
    u8 flags = move_flags(d->last_command);
    if (d->req.error) {
        if (is_move(d->last_command)) encode_address(d, flags & MOVE_EXT, d->cur_lba);
        ata_fail(d, d->req.op == BLOCK_OP_READ ? ATA_UNC : ATA_ABRT);
        return;
    }
    if (d->req.op == BLOCK_OP_READ) {
        expose_block(d, flags & MOVE_DMA ? ATA_DMA_IN : ATA_PIO_IN, !(flags & MOVE_DMA));
        return;
    }
    if (d->req.op == BLOCK_OP_FLUSH) {
        if (is_move(d->last_command))
            end_move(d, false);
        else
            ata_done(d);
        return;
    }
    advance_chunk(d);
    if (d->left) {
        d->chunk = (u32)MIN(d->left * SECTOR, ATA_BUFFER);
        d->chunk_pos = 0;
        expose_block(d, flags & MOVE_DMA ? ATA_DMA_OUT : ATA_PIO_OUT, !(flags & MOVE_DMA));
    } else if ((flags & MOVE_FUA) || !d->write_cache) {
        ata_io(d, BLOCK_OP_FLUSH, 0, NULL, 0);
    } else {
        end_move(d, false);
    }
}

/* --- disk: queued commands --- */

static void queue_fail(struct ata_drive *d, unsigned tag, u64 lba, u8 error)
{
    d->status = ATA_DRDY | ATA_ERR;
    d->error = error;
    d->queue_error.valid = true;
    d->queue_error.tag = (u8)tag;
    d->queue_error.status = d->status;
    d->queue_error.error = error;
    d->queue_error.lba = lba;
    d->queue_error.count = (u16)(d->feature[0] | d->feature[1] << 8);
    drop_queue(d);
}

static void queue_next(struct ata_queued *q)
{
    struct ata_drive *d = q->drive;
    unsigned tag = (unsigned)(q - d->queue);
    u64 len = MIN(q->left * SECTOR, ATA_BUFFER);
    bool ok = !q->write || d->port->queue_data(d->port_opaque, tag, q->offset, q->buf, len, false);
    if (!q->busy) return; /* moving the data made the guest's controller drop the command */
    if (!ok) {
        queue_fail(d, tag, q->lba, ATA_ABRT);
        d->port->queue_done(d->port_opaque, tag, false);
        return;
    }
    q->iov = (struct iovec){ q->buf, len };
    q->req.op = q->write ? BLOCK_OP_WRITE : BLOCK_OP_READ;
    q->req.offset = q->lba * SECTOR;
    q->req.bytes = len;
    q->req.iov = &q->iov;
    q->req.iovcnt = 1;
    block_submit(d->block, &q->req);
}

static void queue_io_done(void *opaque)
{
    struct ata_queued *q = opaque;
    struct ata_drive *d = q->drive;
    unsigned tag = (unsigned)(q - d->queue);
    u64 len = q->req.bytes;
    bool failed = q->req.error != 0;
    bool ok = !failed && (q->req.op != BLOCK_OP_READ ||
                          d->port->queue_data(d->port_opaque, tag, q->offset, q->buf, len, true));
    if (!q->busy) return;
    if (!ok) {
        queue_fail(d, tag, q->lba, failed && !q->write ? ATA_UNC : ATA_ABRT);
        d->port->queue_done(d->port_opaque, tag, false);
        return;
    }
    if (q->req.op != BLOCK_OP_FLUSH) {
        q->offset += len;
        q->lba += len / SECTOR;
        q->left -= len / SECTOR;
    }
    if (q->left) {
        queue_next(q);
    } else if (q->write && (q->fua || !d->write_cache) && q->req.op == BLOCK_OP_WRITE) {
        q->req.op = BLOCK_OP_FLUSH;
        q->req.offset = q->req.bytes = q->req.iovcnt = 0;
        block_submit(d->block, &q->req);
    } else {
        q->busy = false;
        d->port->queue_done(d->port_opaque, tag, true);
    }
}

bool ata_queue(struct ata_drive *d, u8 command)
{
    unsigned tag = d->count[0] >> 3;
    u64 lba = lba48(d), count = (u32)d->feature[0] | (u32)d->feature[1] << 8;
    if (!count) count = 65536;
    TRACE(ata_cmd, tag, command, lba, count);
    d->irq = false;
    d->last_command = command;
    if (!d->queue || d->queue[tag].busy || (d->status & (ATA_BSY | ATA_DRQ)) ||
        (d->block->readonly && command == 0x61)) {
        queue_fail(d, tag, lba, ATA_ABRT);
        return false;
    }
    if (lba >= total_sectors(d) || count > total_sectors(d) - lba) {
        queue_fail(d, tag, lba, ATA_IDNF);
        return false;
    }
    d->status = ATA_DRDY | ATA_DSC;
    d->error = 0;
    struct ata_queued *q = &d->queue[tag];
    u8 *buf = q->buf ? q->buf : xalloc(ATA_BUFFER);
    *q = (struct ata_queued){ .drive = d,
                              .buf = buf,
                              .lba = lba,
                              .left = count,
                              .busy = true,
                              .write = command == 0x61,
                              .fua = d->device & 0x80,
                              .req = { .done = queue_io_done, .opaque = q } };
    queue_next(q);
    return true;
}

/* --- disk: everything else --- */

static void set_features(struct ata_drive *d)
{
    bool ok = true;
    switch (d->feature[0]) {
    case 0x02: d->write_cache = true; break;
    case 0x82: d->write_cache = false; break;
    case 0x55: d->look_ahead = false; break;
    case 0xaa: d->look_ahead = true; break;
    case 0x03: ok = ata_set_transfer_mode(d, d->count[0]); break;
    case 0x05:
        ok = d->count[0] >= 1 && d->count[0] <= 0xfe;
        if (ok) d->apm = d->count[0];
        break;
    case 0x85: d->apm = 0; break;
    case 0x10:
    case 0x90:
    case 0x66:
    case 0xcc: break;
    default: ok = false;
    }
    /* Switching the cache off makes what it holds durable. */
    if (ok && d->feature[0] == 0x82)
        ata_io(d, BLOCK_OP_FLUSH, 0, NULL, 0);
    else if (ok)
        ata_done(d);
    else
        ata_fail(d, ATA_ABRT);
}

static void read_log(struct ata_drive *d)
{
    u32 count = (u32)d->count[0] | (u32)d->count[1] << 8;
    u8 log = d->lba_low[0], *page = d->buffer;
    bool known = log == 0x00 || log == 0x10;
    if (!known || count != 1 || d->lba_mid[0] || d->lba_mid[1]) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    memset(page, 0, SECTOR);
    if (log == 0x00) {
        st16(page, 1);
        st16(page + 2 * 0x10, 1);
    } else {
        page[0] = d->queue_error.valid ? d->queue_error.tag : 0x80;
        page[2] = d->queue_error.status;
        page[3] = d->queue_error.error;
        for (unsigned i = 0; i < 3; i++) {
            page[4 + i] = (u8)(d->queue_error.lba >> (8 * i));
            page[8 + i] = (u8)(d->queue_error.lba >> (24 + 8 * i));
        }
        page[7] = 0x40;
        st16(page + 12, d->queue_error.count);
        d->queue_error.valid = false;
        add_checksum(page);
    }
    ata_window(d, ATA_PIO_IN, page, SECTOR, true);
}

static void set_geometry(struct ata_drive *d)
{
    u32 heads = (d->device & 15) + 1, sectors = d->count[0];
    if (!sectors || sectors > 63) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->heads = heads;
    d->sectors = sectors;
    ata_done(d);
}

static void set_multiple(struct ata_drive *d)
{
    u32 n = d->count[0];
    if (n > MAX_MULTIPLE || (n & (n - 1))) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->multiple = n;
    ata_done(d);
}

static void native_max(struct ata_drive *d, bool ext)
{
    u64 last = total_sectors(d) - 1;
    if (!ext) {
        d->device |= ATA_LBA;
        last = MIN(last, 0x0fffffffull);
    }
    encode_address(d, ext, last);
    ata_done(d);
}

static void seek(struct ata_drive *d)
{
    u64 lba, count;
    if (decode_address(d, false, &lba, &count) && lba < total_sectors(d))
        ata_done(d);
    else
        ata_fail(d, ATA_IDNF);
}

static void disk_command(struct ata_drive *d, u8 command)
{
    if (is_move(command)) {
        start_move(d);
        return;
    }
    TRACE(ata_cmd, d->device >> 4 & 1, command, lba28(d), d->count[0]);
    switch (command) {
    case 0x10 ... 0x1f: ata_done(d); return; /* RECALIBRATE */
    case 0x27: native_max(d, true); return;
    case 0x2f: read_log(d); return;
    case 0x70: seek(d); return;
    case 0x90:
        ata_signature(d);
        d->irq = true;
        ata_changed(d);
        return;
    case 0x91: set_geometry(d); return;
    case 0xc6: set_multiple(d); return;
    case 0xe4: ata_window(d, ATA_PIO_IN, d->buffer, SECTOR, true); return;
    case 0xe8: ata_window(d, ATA_PIO_OUT, d->buffer, SECTOR, false); return;
    case 0xe0:
    case 0xe2:
    case 0xe6:
    case 0xe7:
    case 0xea:
    case 0x94:
    case 0x96:
    case 0x99:
        ata_io(d, BLOCK_OP_FLUSH, 0, NULL, 0); /* standby and sleep write the cache back, too */
        return;
    case 0xe1:
    case 0xe3:
    case 0x95:
    case 0x97: ata_done(d); return; /* IDLE */
    case 0xe5:
    case 0x98:
        d->count[0] = 0xff;
        ata_done(d);
        return; /* CHECK POWER MODE: active */
    case 0xec:
        identify(d, d->buffer);
        ata_window(d, ATA_PIO_IN, d->buffer, SECTOR, true);
        return;
    case 0xef: set_features(d); return;
    case 0xf8: native_max(d, false); return;
    default: ata_fail(d, ATA_ABRT); /* NOP, packet commands and SMART end here as well */
    }
}

static void disk_reset(struct ata_drive *d, bool hard)
{
    d->heads = 16;
    d->sectors = 63;
    d->multiple = 16;
    d->queue_error.valid = false;
    if (!hard) return;
    bool sata = d->port && d->port->sata;
    d->transfer_mode[0] = sata ? 0 : 0x04; /* multiword 2 or Ultra 5 until the host chooses */
    d->transfer_mode[1] = sata ? 0x20 : 0;
    d->write_cache = d->look_ahead = true;
    d->apm = d->last_command = 0;
    memset(&d->queue_error, 0, sizeof(d->queue_error));
}

static const struct ata_type disk_type = {
    false, disk_command, disk_window_done, disk_io_done, disk_reset,
};

static int ata_disk_init(struct device *dev, struct error *e)
{
    struct ata_drive *d = (struct ata_drive *)dev;
    if (!d->block) return error_set(e, "no image");
    if (d->block->size < SECTOR) return error_set(e, "the image is smaller than a sector");
    if (d->readonly) d->block->readonly = true;
    d->queue = xalloc(ATA_TAGS * sizeof(*d->queue));
    return ata_drive_init(d, &disk_type, e);
}

static void ata_disk_reset(struct device *dev, enum reset_kind kind)
{
    (void)kind;
    struct ata_drive *d = (struct ata_drive *)dev;
    d->device = 0;
    ata_reset(d, true);
}

static void ata_disk_info(struct device *dev, struct text *t)
{
    struct ata_drive *d = (struct ata_drive *)dev;
    text_add(t, "%s: %s, %llu sectors, serial %s, status %02x error %02x last command %02x\n",
             d->block->path, d->block->fmt->name, (unsigned long long)total_sectors(d), d->serial,
             d->status, d->error, d->last_command);
}

static void ata_disk_fini(struct device *dev)
{
    ata_drive_fini((struct ata_drive *)dev);
}

static const struct device_option ata_disk_options[] = {
    ATA_OPTIONS("AEROPC DISK"),
    { "readonly", OPT_BOOL, offsetof(struct ata_drive, readonly), "off",
      "on: the disk is write-protected, each write is aborted" },
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_field ata_disk_fields[] = {
    ATA_FIELDS,
    FIELD(struct ata_drive, queue_error.tag),
    FIELD(struct ata_drive, queue_error.status),
    FIELD(struct ata_drive, queue_error.error),
    FIELD(struct ata_drive, queue_error.lba),
    FIELD(struct ata_drive, queue_error.count),
    FIELD(struct ata_drive, queue_error.valid),
    { NULL, 0, 0, 0, 0 },
};

const struct device_class ata_disk_class = {
    .name = "ata_disk",
    .help = "ATA hard disk",
    .size = sizeof(struct ata_drive),
    .version = 1,
    .options = ata_disk_options,
    .fields = ata_disk_fields,
    .init = ata_disk_init,
    .reset = ata_disk_reset,
    .info = ata_disk_info,
    .fini = ata_disk_fini,
};
