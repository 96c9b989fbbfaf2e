/*
 * Diskette drives: 82077-class controller at 3F0h with DMA channel 2.
 *
 * Commands are driven by the main status register, not by IRQ 6, so they work whoever owns the
 * interrupt controller; IRQ 6 only sets the flag at 0040:003E that programs expect. The medium is
 * recognised by the data rate at which a sector id can be read. A transfer that crosses a 64 KiB
 * boundary answers 09h as the DMA controller demands. Left out: single-density media, 8-inch.
 */
#include "bios/disk.h"

enum {
    DOR = 0x3f2, MSR = 0x3f4, FIFO = 0x3f5, DIR = 0x3f7, CCR = 0x3f7, RQM = 0x80, TO_HOST = 0x40,
    BDA_RECAL = 0x3e, BDA_MOTOR = 0x3f, BDA_MOTOR_TIME = 0x40, BDA_STATUS = 0x41, BDA_RESULT = 0x42,
    BDA_MEDIA = 0x90, BDA_TRACK = 0x94, MEDIA_KNOWN = 0x10, MOTOR_TICKS = 37,
    RATE_500K = 0, RATE_300K = 1, RATE_250K = 2, RATE_1M = 3,
    CMD_SPECIFY = 0x03, CMD_WRITE = 0x45, CMD_READ = 0x46, CMD_RECALIBRATE = 0x07, CMD_SENSE = 0x08,
    CMD_READ_ID = 0x4a, CMD_FORMAT = 0x4d, CMD_SEEK = 0x0f,
};

struct medium {
    u8 rate, spt, tracks;
};

struct drive_type {
    u8 tracks, spt;                     /* of its largest medium */
    u8 media_count;
    struct medium media[3];
};

static const struct drive_type drive_types[6] = {
    [1] = { 40, 9, 1, { { RATE_250K, 9, 40 } } },
    [2] = { 80, 15, 2, { { RATE_500K, 15, 80 }, { RATE_300K, 9, 40 } } },
    [3] = { 80, 9, 1, { { RATE_250K, 9, 80 } } },
    [4] = { 80, 18, 2, { { RATE_500K, 18, 80 }, { RATE_250K, 9, 80 } } },
    [5] = { 80, 36, 3, { { RATE_1M, 36, 80 }, { RATE_500K, 18, 80 }, { RATE_250K, 9, 80 } } },
};

extern u8 floppy_table[];

static u8 type_of(u8 drive)
{
    u8 types = cmos_read(0x10);
    u8 type = drive == 0 ? types >> 4 : drive == 1 ? types & 15 : 0;
    return type < LEN(drive_types) ? type : 0;
}

static u8 parameter(u32 index)
{
    u16 off = peekw(0, 0x1e * 4), seg = peekw(0, 0x1e * 4 + 2);
    return peekb(seg, off + index);
}

/* ------------------------------------------------------------------ controller */

static int wait_fifo(u8 want, u32 ms)
{
    struct deadline t;
    if ((inb(MSR) & (RQM | TO_HOST)) == want) return 1;
    deadline_set(&t, ms);
    while ((inb(MSR) & (RQM | TO_HOST)) != want) {
        if (deadline_over(&t)) return 0;
        relax();
    }
    return 1;
}

static int put(const u8 *bytes, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (!wait_fifo(RQM, 500)) return 0;
        outb(FIFO, bytes[i]);
    }
    return 1;
}

static int get(u8 *bytes, u32 n, u32 ms)
{
    for (u32 i = 0; i < n; i++) {
        if (!wait_fifo(RQM | TO_HOST, ms)) return 0;
        bytes[i] = inb(FIFO);
    }
    return 1;
}

static void motor_on(u8 drive)
{
    bda8_set(BDA_MOTOR_TIME, 0xff);
    bda8_set(BDA_MOTOR, (bda8(BDA_MOTOR) & 0xf0) | 0x10 << drive);
    outb(DOR, 0x0c | 0x10 << drive | drive);
}

static void reset(void)
{
    static const u8 specify[3] = { CMD_SPECIFY, 0xaf, 0x02 };
    const u8 sense = CMD_SENSE;
    u8 result[2];
    outb(DOR, 0x08);
    delay_us(20);
    outb(DOR, 0x0c);
    for (u32 i = 0; i < 4; i++)
        if (!put(&sense, 1) || !get(result, 2, 100)) break;
    put(specify, 3);
    bda8_set(BDA_RECAL, 0);
    bda8_set(BDA_MOTOR, bda8(BDA_MOTOR) & 0xf0);
}

/* Ends a seek or recalibration: asks until the controller reports it. */
static u8 sense_end(u8 *cylinder)
{
    const u8 sense = CMD_SENSE;
    struct deadline t;
    u8 r[2];
    deadline_set(&t, 1000);
    do {
        if (!put(&sense, 1) || !get(r, 1, 200)) return DISK_TIMEOUT;
        if (r[0] == 0x80) {             /* nothing to report yet: one byte only */
            relax();
            continue;
        }
        if (!get(r + 1, 1, 200)) return DISK_TIMEOUT;
        if (!(r[0] & 0x20)) continue;
        *cylinder = r[1];
        return r[0] & 0xc0 ? 0x40 : DISK_OK;
    } while (!deadline_over(&t));
    return DISK_TIMEOUT;
}

static u8 recalibrate(u8 drive)
{
    const u8 c[2] = { CMD_RECALIBRATE, drive };
    u8 at;
    u8 result = put(c, 2) ? sense_end(&at) : DISK_TIMEOUT;
    if (result) return result;
    bda8_set(BDA_RECAL, bda8(BDA_RECAL) | 1 << drive);
    bda8_set(BDA_TRACK + drive, 0);
    return DISK_OK;
}

static u8 seek(u8 drive, u8 head, u8 track)
{
    u8 at;
    if (!(bda8(BDA_RECAL) & 1 << drive)) {
        u8 result = recalibrate(drive);
        if (result) return result;
    }
    const u8 c[3] = { CMD_SEEK, head << 2 | drive, track };
    u8 result = put(c, 3) ? sense_end(&at) : DISK_TIMEOUT;
    if (result == DISK_OK) bda8_set(BDA_TRACK + drive, track);
    return result;
}

static u8 result_phase(u32 ms)
{
    u8 r[7];
    if (!get(r, 7, ms)) {
        reset();
        return DISK_TIMEOUT;
    }
    for (u32 i = 0; i < 7; i++) bda8_set(BDA_RESULT + i, r[i]);
    if (!(r[0] & 0xc0)) return DISK_OK;
    if (r[1] & 0x02) return DISK_PROTECTED;
    if (r[1] & 0x10) return DISK_DMA;
    if (r[1] & 0x20) return DISK_CRC;
    if (r[1] & 0x05) return r[1] & 1 ? DISK_BAD_MARK : DISK_NOT_FOUND;
    if (r[1] & 0x80) return DISK_NOT_FOUND;
    return r[0] & 0x08 ? DISK_TIMEOUT : DISK_CONTROLLER;
}

/* ------------------------------------------------------------------ medium */

static const struct medium *medium_of(u8 drive)
{
    const struct drive_type *t = &drive_types[type_of(drive)];
    u8 rate = bda8(BDA_MEDIA + drive) >> 6;
    for (u32 i = 0; i < t->media_count; i++)
        if (t->media[i].rate == rate) return &t->media[i];
    return &t->media[0];
}

static u8 recognise(u8 drive)
{
    const struct drive_type *t = &drive_types[type_of(drive)];
    const u8 c[2] = { CMD_READ_ID, drive };
    u8 result = recalibrate(drive);
    for (u32 i = 0; i < t->media_count && !result; i++) {
        outb(CCR, t->media[i].rate);
        if (!put(c, 2)) return DISK_TIMEOUT;
        if (result_phase(600)) continue;
        bda8_set(BDA_MEDIA + drive, t->media[i].rate << 6 | MEDIA_KNOWN | 0x07);
        return DISK_OK;
    }
    return result ? result : DISK_TIMEOUT;
}

/* Motor on, disk-change line looked after, data rate set. */
static u8 prepare(u8 drive)
{
    motor_on(drive);
    if (inb(DIR) & 0x80) {
        int known = bda8(BDA_MEDIA + drive) & MEDIA_KNOWN;
        bda8_set(BDA_MEDIA + drive, 0);
        seek(drive, 0, 1);              /* a step clears the line if there is a disk */
        recalibrate(drive);
        if (inb(DIR) & 0x80) return DISK_TIMEOUT;
        if (known) return DISK_CHANGED;
    }
    if (!(bda8(BDA_MEDIA + drive) & MEDIA_KNOWN)) {
        u8 result = recognise(drive);
        if (result) return result;
    }
    outb(CCR, bda8(BDA_MEDIA + drive) >> 6);
    return DISK_OK;
}

/* ------------------------------------------------------------------ transfers */

static int dma_setup(u32 addr, u32 bytes, u8 mode)
{
    if ((addr >> 16) != ((addr + bytes - 1) >> 16)) return 0;
    u32 n = bytes - 1;
    outb(0x0a, 0x06);
    outb(0x0c, 0);
    outb(0x0b, mode);
    outb(0x04, (u8)addr);
    outb(0x04, (u8)(addr >> 8));
    outb(0x81, (u8)(addr >> 16));
    outb(0x05, (u8)n);
    outb(0x05, (u8)(n >> 8));
    outb(0x0a, 0x02);
    return 1;
}

struct position {
    u8 drive, track, head, sector;
};

/* `op`: 2 read, 3 write, 4 verify, within one track. */
static u8 transfer(const struct position *p, u8 op, u8 count, u32 addr)
{
    static const u8 dma_mode[3] = { 0x46, 0x4a, 0x42 };
    if (!dma_setup(addr, count * 512u, dma_mode[op - 2])) return DISK_BOUNDARY;
    u8 result = seek(p->drive, p->head, p->track);
    if (result) return result;
    const u8 c[9] = {
        op == 3 ? CMD_WRITE : CMD_READ, p->head << 2 | p->drive, p->track, p->head, p->sector, 2,
        p->sector + count - 1, parameter(5), 0xff,
    };
    if (!put(c, 9)) {
        reset();
        return DISK_TIMEOUT;
    }
    return result_phase(3000);
}

static u8 access(struct regs *r, u8 drive)
{
    struct position p = { drive, r->ch, r->dh, r->cl & 63 };
    u8 left = r->al;
    u32 addr = ((u32)r->es << 4) + r->bx;
    if (left == 0 || left > 72 || p.sector == 0 || p.head > 1) return DISK_BAD_COMMAND;
    if (r->ah == 4) addr = 0;           /* verify moves nothing */
    r->al = 0;
    u8 result = prepare(drive);
    if (result) return result;
    u8 spt = medium_of(drive)->spt;
    if (p.sector > spt) spt = p.sector + left - 1;      /* odd formats: trust the caller */
    while (left) {
        u8 n = spt - p.sector + 1;
        if (n > left) n = left;
        result = transfer(&p, r->ah, n, addr);
        if (result == DISK_NOT_FOUND || result == DISK_CRC)
            bda8_set(BDA_RECAL, bda8(BDA_RECAL) & ~(1 << drive));
        if (result) return result;
        r->al += n;
        left -= n;
        if (r->ah != 4) addr += n * 512u;
        p.sector = 1;
        if (p.head ^= 1) continue;
        p.track++;
    }
    return DISK_OK;
}

static u8 format(struct regs *r, u8 drive)
{
    u8 result = prepare(drive);
    if (result == DISK_TIMEOUT && !(inb(DIR) & 0x80)) result = DISK_OK;     /* unformatted */
    if (result) return result;
    if (r->dh > 1 || r->al == 0) return DISK_BAD_COMMAND;
    if (!dma_setup(((u32)r->es << 4) + r->bx, r->al * 4u, 0x4a)) return DISK_BOUNDARY;
    result = seek(drive, r->dh, r->ch);
    if (result) return result;
    const u8 c[6] = { CMD_FORMAT, r->dh << 2 | drive, 2, r->al, parameter(7), parameter(8) };
    return put(c, 6) ? result_phase(3000) : DISK_TIMEOUT;
}

/* ------------------------------------------------------------------ INT 13h, DL < 80h */

static u8 parameters(struct regs *r, u8 drive)
{
    u8 type = type_of(drive);
    r->ax = 0;
    r->bx = type;
    r->cx = 0;
    r->dx = bs.floppy_count;
    if (!type) return drive < 2 ? DISK_OK : DISK_BAD_COMMAND;
    r->ch = drive_types[type].tracks - 1;
    r->cl = drive_types[type].spt;
    r->dh = 1;
    r->es = SEG_CODE;
    r->di = (u16)(u32)floppy_table;
    return DISK_OK;
}

static u8 change_line(u8 drive)
{
    if (type_of(drive) < 2) return DISK_CHANGED;
    motor_on(drive);
    return inb(DIR) & 0x80 ? DISK_CHANGED : DISK_OK;
}

/* AH=17h by format number, AH=18h by tracks and sectors. */
static u8 set_format(struct regs *r, u8 drive)
{
    const struct drive_type *t = &drive_types[type_of(drive)];
    static const u8 by_number[5] = { 0, 9, 9, 15, 9 };
    if (r->ah == 0x17 && (r->al == 0 || r->al > 4)) return DISK_BAD_COMMAND;
    u8 spt = r->ah == 0x17 ? by_number[r->al] : r->cl & 63;
    for (u32 i = 0; i < t->media_count; i++) {
        if (t->media[i].spt != spt) continue;
        if (r->ah == 0x18 && t->media[i].tracks != r->ch + 1) continue;
        bda8_set(BDA_MEDIA + drive, t->media[i].rate << 6 | MEDIA_KNOWN | 0x07);
        if (r->ah == 0x18) {
            r->es = SEG_CODE;
            r->di = (u16)(u32)floppy_table;
        }
        return DISK_OK;
    }
    return DISK_NO_MEDIA_TYPE;
}

static u8 dispatch(struct regs *r, u8 drive)
{
    if (r->ah == 0x08) return parameters(r, drive);
    if (r->ah == 0x15 && !type_of(drive)) {
        r->ah = 0;
        return DISK_OK;
    }
    if (!type_of(drive)) return r->ah == 0x00 ? DISK_OK : DISK_TIMEOUT;
    switch (r->ah) {
    case 0x00: reset(); return DISK_OK;
    case 0x01: return bda8(BDA_STATUS);
    case 0x02: case 0x03: case 0x04: return access(r, drive);
    case 0x05: return format(r, drive);
    case 0x15: r->ah = type_of(drive) == 1 ? 1 : 2; return DISK_OK;
    case 0x16: return change_line(drive);
    case 0x17: case 0x18: return set_format(r, drive);
    }
    return DISK_BAD_COMMAND;
}

void floppy_service(struct regs *r)
{
    u8 function = r->ah;
    u8 result = dispatch(r, floppy_number(r->dl));
    if (bda8(BDA_MOTOR) & 0x30) bda8_set(BDA_MOTOR_TIME, MOTOR_TICKS);
    bda8_set(BDA_STATUS, result);
    if (function != 0x15 || result) r->ah = result;
    set_cf(r, result != DISK_OK);
}

int floppy_irq(struct regs *unused);
int floppy_irq(struct regs *unused)
{
    (void)unused;
    bda8_set(BDA_RECAL, bda8(BDA_RECAL) | 0x80);
    outb(0x20, 0x20);
    return 0;
}

void floppy_init(void)
{
    set_vector(0x1e, (u32)floppy_table);
    for (u8 i = 0; i < 2; i++)
        if (type_of(i)) bs.floppy_count++;
    if (inb(MSR) == 0xff) bs.floppy_count = 0;
    bda16_set(0x10, (bda16(0x10) & ~0xc1) |
                        (bs.floppy_count ? 1 | (bs.floppy_count - 1) << 6 : 0));
    if (bs.floppy_count) reset();
}
