/*
 * INT 13h: which drive a number means, the classic CHS functions, EDD 3.0.
 *
 * 00h-7Fh diskettes, 80h+ hard disks, E0h+ CDs (2048-byte blocks, extended functions only). While
 * an El Torito image is active it takes the first number of its kind. Status bytes go to 0040:0041
 * (diskettes) and 0040:0074. Phoenix EDD 3.0 defines 41h-49h; T13 1572D the path in function 48h.
 * Left out: flat 64-bit buffers in the address packet, formatting of hard disks (no-op).
 */
#include "bios/disk.h"
#include "bios/pci.h"
#include "bios/post.h"

enum { BDA_DISK_STATUS = 0x74, BDA_DISKS = 0x75 };

struct packet {
    u8 size, zero;
    u16 count, off, seg;
    u64 lba;
};

static int emulating(u8 low, u8 high)
{
    return bs.emu.active && bs.emu.media >= low && bs.emu.media <= high;
}

static u8 hard_disks(void)
{
    return bs.disk_count + (emulating(4, 4) ? 1 : 0);
}

u8 floppy_number(u8 number)
{
    return emulating(1, 3) && number > 0 ? number - 1 : number;
}

struct drive *drive_of(u8 number)
{
    if (number >= CD_BASE) {
        u32 i = number - CD_BASE;
        return i < bs.cd_count ? &bs.cds[i] : NULL;
    }
    if (number < 0x80) return NULL;
    u32 i = number - 0x80;
    if (emulating(4, 4)) {
        if (i == 0) return NULL;
        i--;
    }
    return i < bs.disk_count ? &bs.disks[i] : NULL;
}

static void finish(struct regs *r, u8 result)
{
    r->ah = result;
    bda8_set(BDA_DISK_STATUS, result);
    set_cf(r, result != DISK_OK);
}

/* ------------------------------------------------------------------ CHS */

struct geometry {
    u32 cyls, heads, spt;
};

static int chs_to_lba(const struct regs *r, const struct geometry *g, u32 *lba)
{
    u32 cyl = r->ch | (r->cl & 0xc0) << 2, head = r->dh, sector = r->cl & 63;
    if (sector == 0 || sector > g->spt || head >= g->heads || cyl >= g->cyls) return 0;
    *lba = (cyl * g->heads + head) * g->spt + sector - 1;
    return 1;
}

static u8 chs_access(struct regs *r, struct drive *d)
{
    const struct geometry g = { d->cyls, d->heads, d->spt };
    u32 lba, count = r->al;
    if (count == 0 || count > 128 || !chs_to_lba(r, &g, &lba)) return DISK_BAD_COMMAND;
    if (r->ah == 0x04) return lba + count <= d->sectors ? DISK_OK : DISK_NOT_FOUND;
    r->al = 0;
    u8 result = disk_rw(d, lba, count, ((u32)r->es << 4) + r->bx, r->ah == 0x03);
    if (result == DISK_OK) r->al = count;
    return result;
}

/* The last cylinder is the diagnostic one of old and is not shown. */
static void chs_parameters(struct regs *r, const struct geometry *g, u8 drives)
{
    u32 last = g->cyls >= 2 ? g->cyls - 2 : 0;
    r->ch = (u8)last;
    r->cl = g->spt | (last >> 2 & 0xc0);
    r->dh = g->heads - 1;
    r->dl = drives;
    r->al = 0;
}

static void disk_type(struct regs *r, struct drive *d)
{
    u32 n = (u32)(d->cyls ? d->cyls - 1 : 0) * d->heads * d->spt;
    r->cx = n >> 16;
    r->dx = (u16)n;
    bda8_set(BDA_DISK_STATUS, 0);
    r->ah = 3;
    set_cf(r, 0);
}

/* ------------------------------------------------------------------ EDD */

static u8 extended_access(struct regs *r, struct drive *d)
{
    struct packet p;
    copy_in(&p, r->ds, r->si, sizeof p);
    if (p.size < sizeof p) return DISK_BAD_COMMAND;
    /* EDD 3.0: the buffer's flat address follows. Refused, not taken for real-mode memory. */
    if (p.size >= 24 && p.off == 0xffff && p.seg == 0xffff) return DISK_BAD_COMMAND;
    u32 count = p.count, addr = ((u32)p.seg << 4) + p.off;
    if (p.lba >= d->sectors || count > d->sectors - p.lba) return DISK_NOT_FOUND;
    if (r->ah == 0x44 || r->ah == 0x47 || count == 0) return DISK_OK;
    int is_cd = d->block_size == CD_BLOCK;
    if (is_cd && r->ah == 0x43) return DISK_PROTECTED;
    pokew(r->ds, r->si + 2, 0);
    u8 result = is_cd ? cd_read(d, (u32)p.lba, count, addr)
                      : disk_rw(d, p.lba, count, addr, r->ah == 0x43);
    if (result == DISK_OK) pokew(r->ds, r->si + 2, p.count);
    return result;
}

struct edd_info {
    u16 size, flags;
    u32 cyls, heads, spt;
    u64 sectors;
    u16 block_size;
    u16 table_off, table_seg;
    u16 key;
    u8 path_length, reserved[3];
    char bus[4], interface[8];
    u64 bus_path, device_path;
    u8 reserved2, sum;
} __attribute__((packed));
_Static_assert(sizeof(struct edd_info) == 0x42, "EDD 3.0 drive parameters");

/* Device parameter table extension (EDD 3.0 table 5): how the drive is reached. */
static u8 dpte[16];

static void fill_dpte(const struct drive *d)
{
    memset(dpte, 0, sizeof dpte);
    memcpy(dpte, &d->cmd, 2);
    memcpy(dpte + 2, &d->ctl, 2);
    dpte[4] = 0xe0 | d->unit << 4;
    dpte[5] = 0xcb;
    dpte[6] = d->port ? 15 : 14;
    dpte[7] = 1;
    dpte[10] = 0x10 | (d->dma ? 0x01 : 0) | (d->cyls > 1024 || d->pcyls > 1024 ? 0x08 : 0) |
               (d->kind == DRIVE_ATAPI ? 0x60 : 0);
    dpte[14] = 0x11;
    dpte[15] = -checksum(dpte, 15);
}

static void fill_path(struct edd_info *e, const struct drive *d)
{
    int is_ahci = d->kind == DRIVE_AHCI || d->kind == DRIVE_AHCI_ATAPI;
    e->key = 0xbedd;
    e->path_length = 0x24;
    memcpy(e->bus, "PCI ", 4);
    memcpy(e->interface, is_ahci ? "SATA    " : d->kind == DRIVE_ATA ? "ATA     " : "ATAPI   ", 8);
    e->bus_path = d->pci >> 8 | (d->pci >> 3 & 31) << 8 | (d->pci & 7) << 16;
    if (!is_ahci) e->bus_path |= (u32)d->port << 24;
    e->device_path = is_ahci ? d->port : d->unit;
    e->sum = -checksum(&e->key, 0x23);
}

/* Writes exactly 26, 30 or 66 bytes: callers keep saved registers right behind the buffer. */
static u8 extended_parameters(struct regs *r, struct drive *d)
{
    u16 room = peekw(r->ds, r->si);
    if (room < 0x1a) return DISK_BAD_COMMAND;
    struct edd_info e;
    memset(&e, 0, sizeof e);
    e.size = room < 0x1e ? 0x1a : room < 0x42 ? 0x1e : 0x42;
    e.block_size = d->block_size;
    e.sectors = d->sectors;
    if (d->block_size == CD_BLOCK) {
        u8 ready = cd_ready(d, 0);
        e.flags = 0x74 | (ready ? 0x40 : 0);
        e.cyls = e.heads = e.spt = 0xffffffff;
        e.sectors = ready ? ~0ull : d->sectors;
    } else {
        e.flags = d->sectors > 1024u * 16 * 63 * 16 ? 0 : 2;
        e.cyls = d->pcyls;
        e.heads = d->pheads;
        e.spt = d->pspt;
    }
    e.table_off = e.table_seg = 0xffff;
    if (d->cmd) {
        fill_dpte(d);
        e.table_off = (u16)(u32)dpte;
        e.table_seg = SEG_DATA;
    }
    if (e.size == 0x42) fill_path(&e, d);
    copy_out(r->ds, r->si, &e, e.size);
    return DISK_OK;
}

static u8 lock(struct regs *r, struct drive *d)
{
    if (d->block_size != CD_BLOCK) return r->al > 2 ? DISK_BAD_COMMAND : DISK_OK;
    u8 old = d->locks;
    switch (r->al) {
    case 0:
        if (d->locks == 0xff) return 0xb4;
        d->locks++;
        break;
    case 1:
        if (d->locks == 0) return DISK_NOT_LOCKED;
        d->locks--;
        break;
    case 2: break;
    default: return DISK_BAD_COMMAND;
    }
    if (!old != !d->locks) cd_command(d, 0x1e, d->locks ? 1 : 0);
    r->al = d->locks ? 1 : 0;
    return DISK_OK;
}

static u8 eject(struct drive *d)
{
    if (d->block_size != CD_BLOCK) return DISK_NOT_REMOVABLE;
    if (d->locks) return 0xb1;
    return cd_command(d, 0x1b, 2);
}

static void check_extensions(struct regs *r)
{
    if (r->bx != 0x55aa) {
        finish(r, DISK_BAD_COMMAND);
        return;
    }
    finish(r, DISK_OK);
    r->ah = 0x30;
    r->bx = 0xaa55;
    r->cx = 7;
}

static u8 extended(struct regs *r, struct drive *d)
{
    switch (r->ah) {
    case 0x42: case 0x43: case 0x44: case 0x47: return extended_access(r, d);
    case 0x45: return lock(r, d);
    case 0x46: return eject(d);
    case 0x48: return extended_parameters(r, d);
    case 0x49: return d->block_size == CD_BLOCK && cd_ready(d, 0) ? DISK_CHANGED : DISK_OK;
    }
    return DISK_BAD_COMMAND;
}

/* ------------------------------------------------------------------ by kind of drive */

static void hard_disk(struct regs *r, struct drive *d)
{
    const struct geometry g = { d->cyls, d->heads, d->spt };
    switch (r->ah) {
    case 0x00: case 0x0d:
        finish(r, d->kind == DRIVE_ATA ? ata_reset(d) : DISK_OK);
        return;
    case 0x02: case 0x03: case 0x04: finish(r, chs_access(r, d)); return;
    case 0x08:
        chs_parameters(r, &g, hard_disks());
        finish(r, DISK_OK);
        return;
    case 0x15: disk_type(r, d); return;
    case 0x41: check_extensions(r); return;
    case 0x05: case 0x09: case 0x0c: case 0x10: case 0x11: case 0x14: finish(r, DISK_OK); return;
    }
    if (r->ah == 0x4e && r->al <= 6) {
        finish(r, DISK_OK);             /* transfer modes are ours to choose */
        return;
    }
    finish(r, extended(r, d));
}

static void cd_drive(struct regs *r, struct drive *d)
{
    switch (r->ah) {
    case 0x00: case 0x09: case 0x0d: case 0x11: case 0x14: finish(r, DISK_OK); return;
    case 0x10: finish(r, cd_ready(d, 0)); return;
    case 0x41: check_extensions(r); return;
    case 0x43: finish(r, DISK_PROTECTED); return;
    }
    finish(r, extended(r, d));
}

static void emulated(struct regs *r)
{
    const struct emulation *m = &bs.emu;
    const struct geometry g = { m->cyls, m->heads, m->spt };
    u32 lba, count = r->al;
    switch (r->ah) {
    case 0x00: case 0x09: case 0x0c: case 0x0d: case 0x10: case 0x11: case 0x14: case 0x16:
        finish(r, DISK_OK);
        return;
    case 0x02: case 0x04:
        if (count == 0 || !chs_to_lba(r, &g, &lba) || lba + count > m->sectors) {
            finish(r, DISK_NOT_FOUND);
            return;
        }
        finish(r, r->ah == 4 ? DISK_OK
                             : emulated_read(lba, count, ((u32)r->es << 4) + r->bx));
        return;
    case 0x03: case 0x05: finish(r, DISK_PROTECTED); return;
    case 0x08: {
        struct geometry shown = g;
        shown.cyls++;                   /* an image has no diagnostic cylinder */
        chs_parameters(r, &shown, m->media == 4 ? hard_disks() : bs.floppy_count + 1);
        if (m->media < 4) r->bl = m->media * 2;
        finish(r, DISK_OK);
        return;
    }
    case 0x15:
        bda8_set(BDA_DISK_STATUS, 0);
        r->ah = m->media == 4 ? 3 : 1;
        r->cx = m->sectors >> 16;
        r->dx = (u16)m->sectors;
        set_cf(r, 0);
        return;
    }
    finish(r, DISK_BAD_COMMAND);
}

int disk_service(struct regs *r);
int disk_service(struct regs *r)
{
    u8 function = r->ah;
    if (function == 0x4b) {
        eltorito_service(r);
        return 0;
    }
    if (function == 0x01 && r->dl >= 0x80) {
        u8 last = bda8(BDA_DISK_STATUS);
        finish(r, last);
        return 0;
    }
    if (bs.emu.active && bs.emu.media && r->dl == bs.emu.drive) {
        emulated(r);
        return 0;
    }
    if (r->dl < 0x80) {
        floppy_service(r);
        return 0;
    }
    struct drive *d = drive_of(r->dl);
    if (!d) finish(r, function == 0x15 ? DISK_OK : DISK_BAD_COMMAND);
    else if (r->dl >= CD_BASE) cd_drive(r, d);
    else hard_disk(r, d);
    return 0;
}

/* ------------------------------------------------------------------ discovery */

/* Puts the named disk ("ide0": first IDE one, "ahci1": second AHCI one) at number 80h. */
void disk_order(const char *name)
{
    u8 kind = memcmp(name, "ahci", 4) == 0 ? DRIVE_AHCI : DRIVE_ATA;
    u32 want = name[kind == DRIVE_AHCI ? 4 : 3] - '0';
    if (kind == DRIVE_ATA && memcmp(name, "ide", 3)) return;
    for (u32 i = 0; i < bs.disk_count; i++) {
        if (bs.disks[i].kind != kind || want--) continue;
        struct drive first = bs.disks[i];
        for (; i > 0; i--) bs.disks[i] = bs.disks[i - 1];
        bs.disks[0] = first;
        return;
    }
}

void disk_init(void)
{
    ata_init();
    ahci_init();
    bda8_set(BDA_DISKS, bs.disk_count);
}
