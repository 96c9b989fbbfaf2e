/*
 * Booting from CD: the El Torito specification 1.0.
 *
 * The boot record is the volume descriptor of type 0 named "EL TORITO SPECIFICATION" (from block
 * 16 on); its catalog is one block of 32-byte entries. The first bootable entry without emulation
 * for platform 0 wins, else the first bootable one for it. Without emulation the CD itself is drive
 * E0h+; a floppy or hard-disk image takes number 00h or 80h, is read-only, and moves the real ones
 * up by one until AX=4B00h ends it.
 */
#include "bios/disk.h"

enum { FIRST_DESCRIPTOR = 16, LAST_DESCRIPTOR = 63, ENTRY = 32, CATALOG_BLOCKS = 1 };
enum { ERR_NO_MEDIUM = 1, ERR_READ, ERR_NO_RECORD, ERR_NO_CATALOG, ERR_NO_ENTRY, ERR_IMAGE };

const char *eltorito_error(u8 code)
{
    static const char *const text[] = {
        "", "no medium", "read error", "not bootable", "bad boot catalog", "no entry for a PC",
        "bad boot image",
    };
    return text[code < LEN(text) ? code : 0];
}

static u8 find_catalog(struct drive *d, u32 *block)
{
    for (u32 lba = FIRST_DESCRIPTOR; lba <= LAST_DESCRIPTOR; lba++) {
        if (cd_read(d, lba, 1, linear(bounce))) return ERR_READ;
        if (memcmp(bounce + 1, "CD001", 5) || bounce[0] == 255) return ERR_NO_RECORD;
        if (bounce[0] != 0 || memcmp(bounce + 7, "EL TORITO SPECIFICATION", 23)) continue;
        memcpy(block, bounce + 0x47, 4);
        return 0;
    }
    return ERR_NO_RECORD;
}

static int validation_ok(const u8 *e)
{
    u16 sum = 0;
    for (u32 i = 0; i < ENTRY; i += 2) sum += e[i] | e[i + 1] << 8;
    return e[0] == 1 && e[30] == 0x55 && e[31] == 0xaa && sum == 0;
}

/* Copies the entry to boot from the catalog in `bounce`. */
static int choose_entry(u8 *chosen)
{
    u8 platform = bounce[1];
    int found = 0;
    for (u32 at = ENTRY; at + ENTRY <= CD_BLOCK; at += ENTRY) {
        const u8 *e = bounce + at;
        if (e[0] == 0x90 || e[0] == 0x91) {
            platform = e[1];
            continue;
        }
        if (e[0] != 0x88 || platform != 0) {
            if (e[0] == 0 && at > ENTRY) break;
            continue;
        }
        u8 media = e[1] & 15;
        if (media > 4 || (found && media != 0)) continue;
        memcpy(chosen, e, ENTRY);
        found = 1;
        if (media == 0) break;
    }
    return found;
}

static void floppy_geometry(struct emulation *m)
{
    static const u8 spt[4] = { 0, 15, 18, 36 };
    m->drive = 0x00;
    m->cyls = 80;
    m->heads = 2;
    m->spt = spt[m->media];
    m->sectors = 80u * 2 * m->spt;
}

/* The geometry a disk image was made with is that of its first partition's last sector. */
static u8 disk_geometry(struct emulation *m, struct drive *d)
{
    if (cd_read(d, m->image_lba, 1, linear(bounce))) return ERR_READ;
    const u8 *p = bounce + 0x1be;
    m->drive = 0x80;
    m->heads = p[5] + 1;
    m->spt = p[6] & 63;
    m->cyls = ((p[6] & 0xc0) << 2 | p[7]) + 1;
    if (bounce[510] != 0x55 || m->spt == 0 || m->heads == 0) return ERR_IMAGE;
    m->sectors = (u32)m->cyls * m->heads * m->spt;
    return 0;
}

static u8 load(struct emulation *m, struct drive *d)
{
    u32 addr = (u32)m->load_segment << 4;
    u32 blocks = (m->load_count + 3) / 4;
    if (addr < 0x600 || addr >= 0x9f000) return ERR_IMAGE;
    if (blocks > (0x9f000 - addr) / CD_BLOCK) blocks = (0x9f000 - addr) / CD_BLOCK;
    return cd_read(d, m->image_lba, blocks, addr) ? ERR_READ : 0;
}

static u8 boot(u32 cd)
{
    struct drive *d = &bs.cds[cd];
    u32 catalog = 0;
    u8 e[ENTRY];
    u8 ready = cd_ready(d, 4000);
    if (ready) return ready == DISK_NO_MEDIA ? ERR_NO_MEDIUM : ERR_READ;
    u8 error = find_catalog(d, &catalog);
    if (error) return error;
    if (cd_read(d, catalog, CATALOG_BLOCKS, linear(bounce))) return ERR_READ;
    if (!validation_ok(bounce)) return ERR_NO_CATALOG;
    if (!choose_entry(e)) return ERR_NO_ENTRY;

    struct emulation m;
    memset(&m, 0, sizeof m);
    m.media = e[1] & 15;
    m.cd = cd;
    m.drive = CD_BASE + cd;
    m.load_segment = e[2] | e[3] << 8;
    m.load_count = e[6] | e[7] << 8;
    memcpy(&m.image_lba, e + 8, 4);
    if (m.load_segment == 0) m.load_segment = 0x07c0;
    if (m.load_count == 0) m.load_count = m.media ? 1 : 4;
    if (m.media >= 1 && m.media <= 3) floppy_geometry(&m);
    if (m.media == 4) error = disk_geometry(&m, d);
    if (!error) error = load(&m, d);
    if (error) return error;
    m.active = 1;
    bs.emu = m;
    return 0;
}

int eltorito_boot(u32 cd)
{
    return boot(cd);
}

u8 emulated_read(u32 sector, u32 count, u32 addr)
{
    struct drive *d = &bs.cds[bs.emu.cd];
    while (count) {
        u32 lba = bs.emu.image_lba + sector / 4, part = sector & 3, n;
        u8 result;
        if (part == 0 && count >= 4) {
            n = count & ~3u;
            result = cd_read(d, lba, n / 4, addr);
        } else {
            n = 4 - part < count ? 4 - part : count;
            result = cd_read(d, lba, 1, linear(bounce));
            copy_out(addr >> 4, addr & 15, bounce + part * 512, n * 512);
        }
        if (result) return result;
        sector += n;
        count -= n;
        addr += n * 512;
    }
    return DISK_OK;
}

static void put_packet(u16 seg, u16 off)
{
    const struct emulation *m = &bs.emu;
    u8 p[19];
    memset(p, 0, sizeof p);
    p[0] = sizeof p;
    p[1] = m->media;
    p[2] = m->drive;
    p[3] = bs.cds[m->cd].port;
    memcpy(p + 4, &m->image_lba, 4);
    p[8] = bs.cds[m->cd].unit;
    memcpy(p + 12, &m->load_segment, 2);
    memcpy(p + 14, &m->load_count, 2);
    if (m->media) {
        p[16] = (u8)(m->cyls - 1);
        p[17] = m->spt | ((m->cyls - 1) >> 2 & 0xc0);
        p[18] = m->heads - 1;
    }
    copy_out(seg, off, p, sizeof p);
}

/* AH=4Bh: AL=00h end emulation, AL=01h status only. */
void eltorito_service(struct regs *r)
{
    struct emulation *m = &bs.emu;
    int ok = m->active && r->al <= 1 && (r->dl == m->drive || r->dl == 0x7f);
    if (ok) {
        put_packet(r->ds, r->si);
        if (r->al == 0) {
            if (m->media == 4) bda8_set(0x75, bs.disk_count);
            m->active = 0;
        }
    }
    r->ah = ok ? DISK_OK : DISK_BAD_COMMAND;
    set_cf(r, !ok);
}
