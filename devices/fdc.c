/* Floppy controller, 82077AA, at 3F0h-3F5h and 3F7h with IRQ 6 and DMA channel 2, and its two
 * drives.
 *
 * A command runs through three phases: bytes in (command), execution, bytes out (result). Sectors
 * move one at a time between the image and the 8237 (i8237.h), or byte by byte through the FIFO
 * when SPECIFY chose non-DMA mode. Seeks and missing disks take virtual time, so interrupts always
 * come after the command byte that caused them. An image is a disk of the smallest format it fits
 * (360K, 720K, 1.2M, 1.44M, 2.88M); sectors beyond its end read as zeros and cannot be written. The
 * drive is of the kind its first disk needs, 1.44M when empty. As on the real chip a wrong data
 * rate finds no address marks and an unanswered DMA request is an overrun. Intel 82077AA data sheet
 * (290166). Left out: scan commands (invalid, as on later chips), deleted-data marks (read as
 * absent, written as ordinary data), formats other than the image's own, tape registers. */
#include "devices/fdc.h"

#include "devices/i8237.h"
#include "machine/host/block.h"

enum { SECTOR = 512, DMA_CHANNEL = 2, DRIVES = 2 };
enum { DOR_NRESET = 0x04, DOR_DMAGATE = 0x08 };
enum { MSR_BUSY = 0x10, MSR_NONDMA = 0x20, MSR_DIO = 0x40, MSR_RQM = 0x80 };
enum {
    ST0_ABNORMAL = 0x40,
    ST0_INVALID = 0x80,
    ST0_RESET = 0xc0,
    ST0_SEEK_END = 0x20,
    ST0_CHECK = 0x10
};
enum {
    ST1_MA = 0x01,
    ST1_NW = 0x02,
    ST1_ND = 0x04,
    ST1_OR = 0x10,
    ST1_EN = 0x80,
    ST2_CM = 0x40,
    ST2_WC = 0x10
};
enum { STEP_NS = 200000, RESET_NS = 20000, ID_NS = 1000000, NO_DISK_NS = 400000000 };
enum { OP_MASK = 0x1f, OP_MT = 0x80 };

static const struct format {
    u32 kib;
    u8 tracks, heads, sectors, cmos;
    u8 rates; /* one bit per data rate code that reads it */
} formats[] = {
    { 360, 40, 2, 9, 1, BIT(1) | BIT(2) }, { 720, 80, 2, 9, 3, BIT(2) },
    { 1200, 80, 2, 15, 2, BIT(0) },        { 1440, 80, 2, 18, 4, BIT(0) },
    { 2880, 80, 2, 36, 5, BIT(3) },
};

struct drive {
    struct block *block;
    const struct format *format; /* of the disk; NULL when empty */
    u8 cmos;                     /* kind of drive */
    u8 track;
    bool changed;          /* disk change line, until a step with a disk inside */
    bool seeking, pending; /* pending: SENSE INTERRUPT has st0 to tell */
    u8 st0;
};

enum phase { PHASE_COMMAND, PHASE_BUSY, PHASE_DATA, PHASE_RESULT };

struct fdc {
    struct device dev;
    struct irq irq;
    struct device *dma;
    struct block *media[DRIVES]; /* pointers "block0", "block1" */
    struct drive drive[4];       /* the last two never hold a disk */
    u8 dor, rate;
    u8 specify[2], config[3], perpendicular;
    bool locked, line;
    enum phase phase;
    u8 fifo[16];
    u32 pos, len; /* of the command or result in fifo */
    /* Execution of a data command */
    u8 c, h, r, n, eot, unit;
    u8 head; /* side being read; c, h, r already name the next ID when a command ends */
    u8 data[SECTOR * 36]; /* a sector; a track's IDs and contents while formatting */
    u32 data_pos, data_len;
    bool to_host, tc, writing, formatting, verify;
    u32 sectors_left; /* VERIFY with a count, READ TRACK */
    u8 id_sector;     /* READ ID: what passes under the head next */
    struct timer timer;
    struct block_req req;
    struct iovec iov;
    struct region ports, dir_port;
};

static void next_sector(struct fdc *f);

/* --- interrupt and phases --- */

static void update_irq(struct fdc *f)
{
    irq_set(&f->irq, f->line && (f->dor & DOR_DMAGATE));
}

static void set_line(struct fdc *f, bool level)
{
    f->line = level;
    update_irq(f);
}

static void idle(struct fdc *f)
{
    f->phase = PHASE_COMMAND;
    f->pos = 0;
}

static void result(struct fdc *f, u32 len)
{
    f->phase = PHASE_RESULT;
    f->pos = 0;
    f->len = len;
}

/* The seven result bytes of data commands, with the interrupt. */
static void end_data(struct fdc *f, u8 st0, u8 st1, u8 st2)
{
    const u8 bytes[7] = { (u8)(st0 | f->unit | f->head << 2), st1, st2, f->c, f->h, f->r, f->n };
    memcpy(f->fifo, bytes, sizeof(bytes));
    result(f, sizeof(bytes));
    set_line(f, true);
}

static struct drive *unit(struct fdc *f)
{
    return &f->drive[f->unit];
}

static const struct format *disk(struct fdc *f)
{
    return unit(f)->format;
}

static bool nondma(const struct fdc *f)
{
    return (f->specify[1] & 1) || !f->dma;
}

static void arm(struct fdc *f, u64 delay_ns)
{
    f->phase = PHASE_BUSY;
    timer_set(&f->timer, clock_now(f->dev.host->clock) + delay_ns);
}

/* --- sectors --- */

static u64 sector_offset(struct fdc *f)
{
    const struct format *m = disk(f);
    return (((u64)f->c * m->heads + f->h) * m->sectors + f->r - 1) * SECTOR;
}

/* The ID after the last one transferred, as the result phase reports it. */
static void advance_id(struct fdc *f)
{
    if (f->r != f->eot) {
        f->r++;
        return;
    }
    f->r = 1;
    bool multi = f->fifo[0] & OP_MT;
    if (multi && !(f->h & 1)) {
        f->h ^= 1;
        return;
    }
    if (multi) f->h ^= 1;
    f->c++;
}

/* Whether execution goes on with another sector after the present one. */
static bool more_sectors(const struct fdc *f)
{
    return f->r != f->eot || ((f->fifo[0] & OP_MT) && !(f->h & 1));
}

static void sector_moved(struct fdc *f)
{
    bool more = more_sectors(f);
    if (f->sectors_left && --f->sectors_left == 0) f->tc = true;
    advance_id(f);
    if (f->tc)
        end_data(f, 0, 0, (f->fifo[0] & OP_MASK) == 0x0c ? ST2_CM : 0);
    else if (more)
        next_sector(f);
    else
        end_data(f, ST0_ABNORMAL, ST1_EN, 0);
}

static void submit(struct fdc *f, enum block_op op, u64 offset, u32 len)
{
    f->phase = PHASE_BUSY;
    f->iov = (struct iovec){ f->data, len };
    f->req.op = op;
    f->req.offset = offset;
    f->req.bytes = len;
    f->req.iov = &f->iov;
    f->req.iovcnt = 1;
    block_submit(unit(f)->block, &f->req);
}

/* A full buffer of the host's bytes goes to the disk. */
static void write_buffer(struct fdc *f)
{
    u64 offset = sector_offset(f);
    if (unit(f)->block->readonly)
        end_data(f, ST0_ABNORMAL, ST1_NW, 0);
    else if (offset + SECTOR > unit(f)->block->size)
        end_data(f, ST0_ABNORMAL, ST1_ND, 0);
    else
        submit(f, BLOCK_OP_WRITE, offset, SECTOR);
}

/* The IDs have arrived: the track gets the filler byte in every sector. */
static void write_format(struct fdc *f)
{
    const struct format *m = disk(f);
    u32 bytes = m->sectors * SECTOR;
    u8 filler = f->fifo[5];
    f->c = unit(f)->track;
    f->r = 1;
    u64 offset = sector_offset(f);
    if (unit(f)->block->readonly) {
        end_data(f, ST0_ABNORMAL, ST1_NW, 0);
    } else if (offset + bytes > unit(f)->block->size) {
        end_data(f, ST0_ABNORMAL, ST1_ND, 0);
    } else {
        memset(f->data, filler, bytes);
        submit(f, BLOCK_OP_WRITE, offset, bytes);
    }
}

static void buffer_moved(struct fdc *f)
{
    if (f->formatting)
        write_format(f);
    else if (f->writing)
        write_buffer(f);
    else
        sector_moved(f);
}

/* Moves the buffer between memory and here, or opens it to the host's port accesses. */
static void move_buffer(struct fdc *f)
{
    f->data_pos = 0;
    f->to_host = !f->writing && !f->formatting;
    if (f->verify) {
        sector_moved(f);
        return;
    }
    if (nondma(f)) {
        f->phase = PHASE_DATA;
        set_line(f, true);
        return;
    }
    if (i8237_direction(f->dma, DMA_CHANNEL) == DMA_OFF) {
        end_data(f, ST0_ABNORMAL, ST1_OR, 0);
        return;
    }
    bool tc = false;
    unsigned n = i8237_transfer(f->dma, DMA_CHANNEL, f->data, f->data_len, &tc);
    if (!f->to_host && n < f->data_len) memset(f->data + n, 0, f->data_len - n);
    f->tc = tc;
    buffer_moved(f);
}

static void io_done(void *opaque)
{
    struct fdc *f = opaque;
    if (f->formatting)
        end_data(f, 0, 0, 0);
    else if (f->writing)
        sector_moved(f);
    else
        move_buffer(f);
}

/* Error of the present ID on the present disk: ST1 in the low, ST2 in the high byte; 0 when it can
 * be found. */
static u16 id_error(struct fdc *f)
{
    const struct format *m = disk(f);
    if (!m || !(m->rates & BIT(f->rate & 3))) return ST1_MA;
    if (f->h >= m->heads) return ST1_MA;
    if (f->c != unit(f)->track) return ST1_ND | ST2_WC << 8;
    if (f->c >= m->tracks || f->r < 1 || f->r > m->sectors || f->n != 2) return ST1_ND;
    return 0;
}

static void next_sector(struct fdc *f)
{
    u16 error = id_error(f);
    if (error) {
        end_data(f, ST0_ABNORMAL, (u8)error, (u8)(error >> 8));
        return;
    }
    f->data_len = SECTOR;
    f->head = f->h & 1;
    if (f->writing) {
        move_buffer(f);
        return;
    }
    u64 offset = sector_offset(f), size = unit(f)->block->size;
    if (offset + SECTOR <= size) {
        submit(f, BLOCK_OP_READ, offset, SECTOR);
    } else {
        memset(f->data, 0, SECTOR); /* a short image */
        move_buffer(f);
    }
}

/* --- the timer: what happens some time after a command --- */

static void step_done(struct fdc *f)
{
    for (unsigned i = 0; i < LEN(f->drive); i++) {
        struct drive *d = &f->drive[i];
        if (!d->seeking) continue;
        d->seeking = false;
        d->pending = true;
        if (d->format) d->changed = false;
    }
    set_line(f, true);
}

static void execute(struct fdc *f)
{
    u8 op = f->fifo[0] & OP_MASK;
    if (!disk(f)) {
        end_data(f, ST0_ABNORMAL, ST1_MA, 0);
    } else if (op == 0x0a) { /* READ ID */
        u16 error = disk(f)->rates & BIT(f->rate & 3) ? 0 : ST1_MA;
        f->c = unit(f)->track;
        f->r = (u8)(f->id_sector++ % disk(f)->sectors + 1);
        f->n = 2;
        end_data(f, error ? ST0_ABNORMAL : 0, (u8)error, 0);
    } else if (op == 0x0d) {
        f->data_len = f->fifo[3] * 4u;
        if (f->fifo[2] != 2 || f->fifo[3] != disk(f)->sectors ||
            !(disk(f)->rates & BIT(f->rate & 3))) {
            LOG_GUEST(f->dev.name, "format with %u sectors of size code %u: not this disk",
                      f->fifo[3], f->fifo[2]);
            end_data(f, ST0_ABNORMAL, ST1_MA, 0);
        } else {
            move_buffer(f);
        }
    } else {
        next_sector(f);
    }
}

static void fdc_fire(void *opaque)
{
    struct fdc *f = opaque;
    bool seeking = false;
    for (unsigned i = 0; i < LEN(f->drive); i++) seeking |= f->drive[i].seeking;
    if (seeking)
        step_done(f);
    else if (!(f->dor & DOR_NRESET))
        return;
    else if (f->phase == PHASE_BUSY)
        execute(f);
    else
        set_line(f, true); /* after a reset */
}

/* --- commands --- */

static void start_data(struct fdc *f)
{
    u8 op = f->fifo[0] & OP_MASK;
    f->unit = f->fifo[1] & 3;
    f->writing = op == 0x05 || op == 0x09;
    f->formatting = op == 0x0d;
    f->verify = op == 0x16;
    f->tc = false;
    f->sectors_left = 0;
    f->h = f->head = f->fifo[1] >> 2 & 1;
    if (op != 0x0a && op != 0x0d) {
        f->c = f->fifo[2];
        f->h = f->fifo[3];
        f->r = f->fifo[4];
        f->n = f->fifo[5];
        f->eot = f->fifo[6];
        if (op == 0x02) { /* READ TRACK: from the index hole, EOT sectors */
            f->r = 1;
            f->sectors_left = f->eot;
        }
        if (op == 0x16 && (f->fifo[1] & 0x80)) f->sectors_left = f->fifo[8] ? f->fifo[8] : 256;
        if (f->config[1] & 0x40) unit(f)->track = f->c; /* implied seek */
    }
    arm(f, disk(f) ? op == 0x0a ? ID_NS : STEP_NS : NO_DISK_NS);
}

static void start_seek(struct fdc *f, u32 track)
{
    struct drive *d = &f->drive[f->fifo[1] & 3];
    f->unit = f->fifo[1] & 3;
    bool exists = f->unit < DRIVES;
    d->track = (u8)MIN(track, 84u);
    d->st0 = (u8)(ST0_SEEK_END | f->unit | (exists ? 0 : ST0_CHECK | ST0_ABNORMAL));
    d->seeking = true;
    idle(f);
    timer_set(&f->timer, clock_now(f->dev.host->clock) + STEP_NS);
}

static void cmd_seek(struct fdc *f)
{
    start_seek(f, f->fifo[2]);
}

static void cmd_recalibrate(struct fdc *f)
{
    start_seek(f, 0);
}

static void cmd_relative_seek(struct fdc *f)
{
    u32 now = f->drive[f->fifo[1] & 3].track, by = f->fifo[2];
    start_seek(f, f->fifo[0] & 0x40 ? now + by : now > by ? now - by : 0);
}

static void cmd_sense_interrupt(struct fdc *f)
{
    set_line(f, false);
    for (unsigned i = 0; i < LEN(f->drive); i++) {
        struct drive *d = &f->drive[i];
        if (!d->pending) continue;
        d->pending = false;
        f->fifo[0] = d->st0;
        f->fifo[1] = d->track;
        result(f, 2);
        return;
    }
    f->fifo[0] = ST0_INVALID;
    result(f, 1);
}

static void cmd_sense_drive(struct fdc *f)
{
    const struct drive *d = &f->drive[f->fifo[1] & 3];
    bool protect = d->block && d->block->readonly;
    f->fifo[0] = (u8)(0x28 | (f->fifo[1] & 7) | (d->track ? 0 : 0x10) | (protect ? 0x40 : 0));
    result(f, 1);
}

static void cmd_specify(struct fdc *f)
{
    memcpy(f->specify, f->fifo + 1, 2);
    idle(f);
}

static void cmd_configure(struct fdc *f)
{
    memcpy(f->config, f->fifo + 1, 3);
    idle(f);
}

static void cmd_perpendicular(struct fdc *f)
{
    f->perpendicular =
        f->fifo[1] & 0x80 ? f->fifo[1] & 0x7f : (u8)((f->perpendicular & 0x7c) | (f->fifo[1] & 3));
    idle(f);
}

static void cmd_lock(struct fdc *f)
{
    f->locked = f->fifo[0] & 0x80;
    f->fifo[0] = f->locked ? 0x10 : 0;
    result(f, 1);
}

static void cmd_version(struct fdc *f)
{
    f->fifo[0] = 0x90;
    result(f, 1);
}

static void cmd_dumpreg(struct fdc *f)
{
    const u8 bytes[10] = { f->drive[0].track,
                           f->drive[1].track,
                           f->drive[2].track,
                           f->drive[3].track,
                           f->specify[0],
                           f->specify[1],
                           f->eot,
                           (u8)((f->locked ? 0x80 : 0) | (f->perpendicular & 0x7f)),
                           f->config[1],
                           f->config[2] };
    memcpy(f->fifo, bytes, sizeof(bytes));
    result(f, sizeof(bytes));
}

static const struct command {
    u8 mask, value, len; /* first byte & mask == value; bytes in all */
    void (*run)(struct fdc *f);
} commands[] = {
    { 0x1f, 0x06, 9, start_data }, /* READ DATA */
    { 0x3f, 0x05, 9, start_data }, /* WRITE DATA */
    { 0x1f, 0x0c, 9, start_data }, /* READ DELETED DATA */
    { 0x3f, 0x09, 9, start_data }, /* WRITE DELETED DATA */
    { 0x9f, 0x02, 9, start_data }, /* READ TRACK */
    { 0x1f, 0x16, 9, start_data }, /* VERIFY */
    { 0xbf, 0x0a, 2, start_data }, /* READ ID */
    { 0xbf, 0x0d, 6, start_data }, /* FORMAT TRACK */
    { 0xff, 0x03, 3, cmd_specify },       { 0xff, 0x04, 2, cmd_sense_drive },
    { 0xff, 0x07, 2, cmd_recalibrate },   { 0xff, 0x08, 1, cmd_sense_interrupt },
    { 0xff, 0x0e, 1, cmd_dumpreg },       { 0xff, 0x0f, 3, cmd_seek },
    { 0xff, 0x10, 1, cmd_version },       { 0xff, 0x12, 2, cmd_perpendicular },
    { 0xff, 0x13, 4, cmd_configure },     { 0x7f, 0x14, 1, cmd_lock },
    { 0xbf, 0x8f, 3, cmd_relative_seek },
};

static const struct command *find_command(u8 first)
{
    for (unsigned i = 0; i < LEN(commands); i++)
        if ((first & commands[i].mask) == commands[i].value) return &commands[i];
    return NULL;
}

static void command_byte(struct fdc *f, u8 value)
{
    if (f->pos >= sizeof(f->fifo)) f->pos = 0;
    f->fifo[f->pos++] = value;
    const struct command *c = find_command(f->fifo[0]);
    if (!c) {
        LOG_GUEST(f->dev.name, "invalid command %02x", value);
        f->fifo[0] = ST0_INVALID;
        result(f, 1);
    } else if (f->pos == c->len) {
        TRACE(fdc_cmd, f->fifo[0], f->fifo[2], f->fifo[3], f->fifo[4]);
        c->run(f);
    }
}

/* --- registers --- */

static void fdc_chip_reset(struct fdc *f)
{
    if (unit(f)->block) block_cancel(unit(f)->block, &f->req);
    timer_cancel(&f->timer);
    idle(f);
    for (unsigned i = 0; i < LEN(f->drive); i++) f->drive[i].seeking = f->drive[i].pending = false;
    if (!f->locked) f->config[1] = f->config[2] = 0;
    f->perpendicular &= 0x7c;
    set_line(f, false);
}

/* Leaving reset, polling finds every drive's ready line changed: one interrupt, four statuses to
 * sense. */
static void leave_reset(struct fdc *f)
{
    for (unsigned i = 0; i < LEN(f->drive); i++) {
        f->drive[i].pending = true;
        f->drive[i].st0 = (u8)(ST0_RESET | i);
    }
    timer_set(&f->timer, clock_now(f->dev.host->clock) + RESET_NS);
}

static void write_dor(struct fdc *f, u8 value)
{
    u8 was = f->dor;
    f->dor = value;
    if (!(value & DOR_NRESET) && (was & DOR_NRESET)) fdc_chip_reset(f);
    if ((value & DOR_NRESET) && !(was & DOR_NRESET)) leave_reset(f);
    update_irq(f);
}

static void write_dsr(struct fdc *f, u8 value)
{
    f->rate = value & 3;
    if (!(value & 0x80)) return;
    fdc_chip_reset(f); /* the bit clears itself */
    if (f->dor & DOR_NRESET) leave_reset(f);
}

static u8 main_status(const struct fdc *f)
{
    u8 busy = 0;
    if (!(f->dor & DOR_NRESET)) return 0;
    for (unsigned i = 0; i < LEN(f->drive); i++) busy |= f->drive[i].seeking ? (u8)BIT(i) : 0;
    switch (f->phase) {
    case PHASE_COMMAND: return (u8)(busy | MSR_RQM | (f->pos ? MSR_BUSY : 0));
    case PHASE_BUSY: return busy | MSR_BUSY;
    case PHASE_DATA:
        return (u8)(busy | MSR_BUSY | MSR_RQM | MSR_NONDMA | (f->to_host ? MSR_DIO : 0));
    default: return busy | MSR_BUSY | MSR_RQM | MSR_DIO;
    }
}

static u8 fifo_read(struct fdc *f)
{
    u8 value = 0;
    if (f->phase == PHASE_RESULT) {
        set_line(f, false);
        value = f->fifo[f->pos++];
        if (f->pos == f->len) idle(f);
    } else if (f->phase == PHASE_DATA && f->to_host) {
        set_line(f, false);
        value = f->data[f->data_pos++];
        if (f->data_pos == f->data_len)
            buffer_moved(f);
        else
            set_line(f, true);
    }
    return value;
}

static void fifo_write(struct fdc *f, u8 value)
{
    if (!(f->dor & DOR_NRESET)) return;
    if (f->phase == PHASE_COMMAND) {
        command_byte(f, value);
    } else if (f->phase == PHASE_DATA && !f->to_host) {
        set_line(f, false);
        f->data[f->data_pos++] = value;
        if (f->data_pos == f->data_len)
            buffer_moved(f);
        else
            set_line(f, true);
    }
}

static u64 ports_read(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    struct fdc *f = opaque;
    switch (offset) {
    case 0: return f->line ? 0x80 : 0; /* SRA: interrupt pending */
    case 1: return (u64)(0xc0 | (f->dor & 1) << 5 | (f->dor >> 4 & 3));
    case 2: return f->dor;
    case 4: return main_status(f);
    case 5: return fifo_read(f);
    default: return 0;
    }
}

static void ports_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    struct fdc *f = opaque;
    switch (offset) {
    case 2: write_dor(f, (u8)value); break;
    case 4: write_dsr(f, (u8)value); break;
    case 5: fifo_write(f, (u8)value); break;
    }
}

/* DIR: disk change of the selected drive while its motor runs; an empty drive keeps the line set.
 */
static u64 dir_read(void *opaque, u64 offset, unsigned size)
{
    (void)offset, (void)size;
    struct fdc *f = opaque;
    const struct drive *d = &f->drive[f->dor & 3];
    bool motor = f->dor & (0x10 << (f->dor & 3));
    return motor && (d->changed || !d->format) ? 0x80 : 0;
}

static void ccr_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)offset, (void)size;
    ((struct fdc *)opaque)->rate = value & 3;
}

static const struct io_ops ports_ops = { ports_read, ports_write, 1, 1 };
static const struct io_ops dir_ops = { dir_read, ccr_write, 1, 1 };

/* --- media and device --- */

/* The format whose size this is, else the usual 3.5 inch one that is large enough. */
static const struct format *find_format(u64 size)
{
    for (unsigned i = 0; i < LEN(formats); i++)
        if (size == formats[i].kib * KIB) return &formats[i];
    for (unsigned i = 0; i < LEN(formats); i++)
        if (formats[i].cmos >= 3 && size <= formats[i].kib * KIB) return &formats[i];
    return NULL;
}

int fdc_set_media(struct device *dev, unsigned n, struct block *b, struct error *e)
{
    struct fdc *f = (struct fdc *)dev;
    if (n >= DRIVES) return error_set(e, "floppy drive %u does not exist", n);
    const struct format *format = b ? find_format(b->size) : NULL;
    if (b && !format)
        return error_set(e, "%s is too large for a floppy disk: %llu bytes, at most 2949120",
                         b->path, (unsigned long long)b->size);
    struct drive *d = &f->drive[n];
    bool running = f->unit == n && (f->req.pending || f->phase == PHASE_DATA);
    if (running && d->block) block_cancel(d->block, &f->req);
    if (d->block) block_detach(d->block);
    d->block = b;
    d->format = format;
    d->changed = true;
    if (b) block_attach(b, dev->host);
    if (running) end_data(f, ST0_ABNORMAL, ST1_MA, 0);
    return 0;
}

unsigned fdc_cmos_type(const struct device *dev, unsigned n)
{
    return n < DRIVES ? ((const struct fdc *)dev)->drive[n].cmos : 0;
}

static int fdc_init(struct device *dev, struct error *e)
{
    struct fdc *f = (struct fdc *)dev;
    timer_init(&f->timer, dev->host->clock, "fdc", fdc_fire, f);
    f->req.done = io_done;
    f->req.opaque = f;
    for (unsigned i = 0; i < DRIVES; i++) {
        if (fdc_set_media(dev, i, f->media[i], e)) return -1;
        f->drive[i].cmos = f->drive[i].format ? f->drive[i].format->cmos : i == 0 ? 4 : 0;
    }
    region_init_io(&f->ports, "fdc", 6, &ports_ops, f);
    region_init_io(&f->dir_port, "fdc-dir", 1, &dir_ops, f);
    return bus_map(dev->host->io, 0x3f0, &f->ports, 0, e) ||
                   bus_map(dev->host->io, 0x3f7, &f->dir_port, 0, e)
               ? -1
               : 0;
}

static void fdc_reset(struct device *dev, enum reset_kind kind)
{
    (void)kind;
    struct fdc *f = (struct fdc *)dev;
    f->locked = false;
    f->dor = 0;
    f->rate = 2;
    fdc_chip_reset(f);
    memset(f->specify, 0, sizeof(f->specify));
    memset(f->config, 0, sizeof(f->config));
    f->perpendicular = 0;
    for (unsigned i = 0; i < LEN(f->drive); i++) {
        f->drive[i].track = 0;
        f->drive[i].changed = true;
    }
}

static void fdc_info(struct device *dev, struct text *t)
{
    struct fdc *f = (struct fdc *)dev;
    text_add(t, "DOR %02x MSR %02x rate %u last command %02x\n", f->dor, main_status(f), f->rate,
             f->fifo[0]);
    for (unsigned i = 0; i < DRIVES; i++) {
        const struct drive *d = &f->drive[i];
        text_add(t, "drive %u: type %u track %u %s\n", i, d->cmos, d->track,
                 d->block ? d->block->path : "empty");
    }
}

static void fdc_fini(struct device *dev)
{
    struct fdc *f = (struct fdc *)dev;
    if (unit(f)->block) block_cancel(unit(f)->block, &f->req);
    for (unsigned i = 0; i < DRIVES; i++)
        if (f->drive[i].block) block_detach(f->drive[i].block);
    if (f->timer.clock) timer_cancel(&f->timer);
    bus_unmap(&f->ports);
    bus_unmap(&f->dir_port);
}

static const struct device_option fdc_options[] = {
    { "dma", OPT_PTR, offsetof(struct fdc, dma), NULL, "the DMA controllers" },
    { "block0", OPT_PTR, offsetof(struct fdc, media[0]), NULL, "disk in drive A" },
    { "block1", OPT_PTR, offsetof(struct fdc, media[1]), NULL, "disk in drive B" },
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_wire fdc_outputs[] = {
    { "irq", offsetof(struct fdc, irq), 1 },
    { NULL, 0, 0 },
};

const struct device_class fdc_class = {
    .name = "fdc",
    .help = "floppy controller with two drives",
    .size = sizeof(struct fdc),
    .version = 1,
    .options = fdc_options,
    .outputs = fdc_outputs,
    .init = fdc_init,
    .reset = fdc_reset,
    .info = fdc_info,
    .fini = fdc_fini,
};
