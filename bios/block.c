/*
 * What the drive kinds have in common: the lists, geometry, splitting of transfers, CD commands.
 *
 * Geometry shown to callers is the drive's own up to 1024 cylinders, beyond that the usual
 * LBA-assisted translation (63 sectors, 16 to 255 heads) that covers the first 8 GiB.
 */
#include "bios/disk.h"

enum { MAX_DISK_CHUNK = 127, MAX_CD_CHUNK = 31 };

u8 bounce[BOUNCE_SIZE] __attribute__((section(".dma"), aligned(16)));

struct drive *new_disk(void)
{
    return bs.disk_count < MAX_DISKS ? &bs.disks[bs.disk_count++] : NULL;
}

struct drive *new_cd(void)
{
    return bs.cd_count < MAX_CDS ? &bs.cds[bs.cd_count++] : NULL;
}

void identify_model(struct drive *d, const u16 *id)
{
    for (u32 i = 0; i < 20; i++) {
        d->model[2 * i] = id[27 + i] >> 8;
        d->model[2 * i + 1] = (char)id[27 + i];
    }
    for (u32 i = 0; i < 40; i++)
        if ((u8)d->model[i] < ' ' || (u8)d->model[i] > '~') d->model[i] = ' ';
    u32 n = 40;
    while (n && d->model[n - 1] == ' ') n--;
    d->model[n] = 0;
    d->block_size = CD_BLOCK;
}

static void translate(struct drive *d)
{
    d->cyls = d->pcyls;
    d->heads = d->pheads;
    d->spt = d->pspt;
    if (d->sectors <= 1024u * 16 * 63 && d->pcyls <= 1024 && d->heads && d->spt) return;
    d->spt = 63;
    u32 heads = 255;
    if (d->sectors < 1024ull * 63 * 255) {
        u32 per_cyl = div64(d->sectors, 63 * 1024, NULL);
        heads = per_cyl > 128 ? 255 : per_cyl > 64 ? 128 : per_cyl > 32 ? 64 : 32;
        if (per_cyl <= 16) heads = 16;
    }
    d->heads = heads;
    u32 cyls = d->sectors >> 32 ? 1024 : div64(d->sectors, 63 * heads, NULL);
    d->cyls = cyls > 1024 ? 1024 : cyls;
}

void identify_disk(struct drive *d, const u16 *id)
{
    identify_model(d, id);
    d->block_size = 512;
    d->lba48 = (id[83] & 0xc400) == 0x4400;
    d->sectors = id[60] | (u32)id[61] << 16;
    if (d->lba48) {
        u64 wide = id[100] | (u64)id[101] << 16 | (u64)id[102] << 32;
        if (wide) d->sectors = wide;
    }
    d->pcyls = id[1];
    d->pheads = (u8)id[3];
    d->pspt = (u8)id[6];
    translate(d);
}

/* ------------------------------------------------------------------ transfers */

u8 disk_rw(struct drive *d, u64 lba, u32 count, u32 addr, int write)
{
    if (lba >= d->sectors || count > d->sectors - lba) return DISK_NOT_FOUND;
    while (count) {
        u16 n = count > MAX_DISK_CHUNK ? MAX_DISK_CHUNK : count;
        u8 result = d->kind == DRIVE_AHCI ? ahci_rw(d, lba, n, addr, write)
                                          : ata_rw(d, lba, n, addr, write);
        if (result) return result;
        lba += n;
        count -= n;
        addr += n * 512u;
    }
    return DISK_OK;
}

static u8 packet(struct drive *d, const u8 *cdb, u32 addr, u32 bytes)
{
    return d->kind == DRIVE_AHCI_ATAPI ? ahci_packet(d, cdb, addr, bytes)
                                       : ata_packet(d, cdb, addr, bytes);
}

u8 cd_command(struct drive *d, u8 op, u8 arg)
{
    const u8 cdb[12] = { op, 0, 0, 0, arg };
    return packet(d, cdb, 0, 0);
}

/* Sense key and additional code of the last failure: key << 8 | code. */
static u16 cd_sense(struct drive *d)
{
    u8 s[18];
    const u8 cdb[12] = { 0x03, 0, 0, 0, sizeof s };
    memset(s, 0, sizeof s);
    if (packet(d, cdb, linear(s), sizeof s)) return 0;
    return (s[2] & 15) << 8 | s[12];
}

/* Ready with a readable medium? Waits only for a drive that says it is getting there. */
u8 cd_ready(struct drive *d, u32 ms)
{
    struct deadline t;
    deadline_set(&t, ms);
    u8 result = DISK_NOT_READY;
    for (u32 tries = 0; tries < 4;) {
        if (cd_command(d, 0x00, 0) == DISK_OK) {
            result = DISK_OK;
            break;
        }
        u16 sense = cd_sense(d);
        if ((sense & 0xff) == 0x3a) return DISK_NO_MEDIA;
        if (sense == 0x204 || sense == 0x206) {
            if (deadline_over(&t)) return DISK_NOT_READY;
            delay_us(10000);
            continue;
        }
        tries++;
    }
    if (result) return result;
    u8 cap[8];
    const u8 cdb[12] = { 0x25 };
    result = packet(d, cdb, linear(cap), 8);
    if (result) return result;
    u32 last = (u32)cap[0] << 24 | cap[1] << 16 | cap[2] << 8 | cap[3];
    d->sectors = (u64)last + 1;
    d->block_size = CD_BLOCK;
    return DISK_OK;
}

static u8 read_blocks(struct drive *d, u32 lba, u32 count, u32 addr)
{
    const u8 cdb[12] = {
        0x28, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0, count >> 8, count,
    };
    u8 result = packet(d, cdb, addr, count * CD_BLOCK);
    if (result == DISK_OK) return result;
    u16 sense = cd_sense(d);
    if (sense >> 8 == 6) return packet(d, cdb, addr, count * CD_BLOCK);     /* medium changed */
    if ((sense & 0xff) == 0x3a) return DISK_NO_MEDIA;
    if (sense >> 8 == 5) return DISK_NOT_FOUND;
    return result;
}

u8 cd_read(struct drive *d, u32 lba, u32 count, u32 addr)
{
    u32 most = addr & 1 && d->kind == DRIVE_AHCI_ATAPI ? 1 : MAX_CD_CHUNK;
    while (count) {
        u32 n = count > most ? most : count;
        u8 result = read_blocks(d, lba, n, addr);
        if (result) return result;
        lba += n;
        count -= n;
        addr += n * CD_BLOCK;
    }
    return DISK_OK;
}
