/*
 * Option ROMs: the video BIOS first, then every other one; boot entries they offer.
 *
 * Sources in order: expansion ROM BARs of display functions, host files vgaroms/..., (both to
 * C0000), then BARs of other functions, host files genroms/..., and ROMs the board maps at
 * C8000-DFFFF itself. An image must start with 55 AA, sum to 0 and fit below E0000 (PCI firmware
 * specification 3.0, 5.1; Plug and Play BIOS 1.0a, 3). An init entry is called with AX = bus/devfn,
 * BX = DX = FFFFh, ES:DI = PnP header. A bootstrap entry vector becomes the "network" boot device;
 * a boot connection vector is called at once, after our own disks were found.
 */
#include "bios/fwcfg.h"
#include "bios/pci.h"
#include "bios/post.h"
#include "bios/state.h"

enum { VIDEO_SEG = 0xc000, ROM_FIRST = 0xc800, ROM_END = 0xe000, MAX_IMAGES = 8 };
enum { SCRATCH = 0x200000 };            /* RAM nobody uses during POST */

extern u8 pnp_header[];

/* ------------------------------------------------------------------ one image at a segment */

static u32 rom_size(u16 seg)
{
    return peekw(seg, 0) == 0xaa55 ? peekb(seg, 2) * 512u : 0;
}

static int rom_sum_ok(u16 seg, u32 size)
{
    u8 sum = 0;
    u8 part[256];
    for (u32 i = 0; i < size; i += sizeof part) { /* sizes are multiples of 512 */
        copy_in(part, seg + (i >> 4), 0, sizeof part);
        sum += checksum(part, sizeof part);
    }
    return sum == 0;
}

static void call_rom(u16 seg, u16 off, u16 bdf)
{
    struct callregs r;
    memset(&r, 0, sizeof r);
    r.ax = bdf == PCI_NONE ? 0 : bdf;
    r.bx = r.dx = 0xffff;
    r.es = SEG_CODE;
    r.di = (u16)(u32)pnp_header;
    r.cs = seg;
    r.ip = off;
    r.flags = 0x0202;
    call_far(&r);
}

static void note_pnp(u16 seg, u16 bdf)
{
    u16 at = peekw(seg, 0x1a);
    for (u32 n = 0; at && n < 4; n++, at = peekw(seg, at + 6)) {
        if (peekl(seg, at) != 0x506e5024) return;       /* "$PnP" */
        u16 bcv = peekw(seg, at + 0x16), bev = peekw(seg, at + 0x1a);
        if (bcv) call_rom(seg, bcv, bdf);
        if (bev && bs.bev_count < BEV_MAX) {
            bs.bev[bs.bev_count].seg = seg;
            bs.bev[bs.bev_count].off = bev;
            bs.bev[bs.bev_count++].name = peekw(seg, at + 0x10);
        }
    }
}

static void run_rom(u16 seg, u16 bdf)
{
    u32 size = rom_size(seg);
    if (size == 0 || !rom_sum_ok(seg, size)) return;
    call_rom(seg, 3, bdf);
    size = rom_size(seg);               /* an image may shrink itself */
    u16 end = seg + (u16)((size + 2047) >> 11 << 7);
    if (end > bs.rom_next && end <= ROM_END) bs.rom_next = end;
    if (seg != VIDEO_SEG && size) note_pnp(seg, bdf);
}

/* ------------------------------------------------------------------ where images come from */

/* Finds the x86 image of a function's ROM at its bus address; 0 if there is none. */
static u32 find_image(u32 base, u32 window, u32 *size)
{
    u32 at = 0;
    for (u32 n = 0; n < MAX_IMAGES && at + 0x200 <= window; n++) {
        u32 head = flat_read32(base + at);
        if ((head & 0xffff) != 0xaa55) return 0;
        u32 pcir = flat_read32(base + at + 0x18) & 0xffff;
        if (pcir + 0x18 > window - at) return 0;
        if (flat_read32(base + at + pcir) != 0x52494350) return 0;      /* "PCIR" */
        u32 type = flat_read32(base + at + pcir + 0x14);
        u32 length = (flat_read32(base + at + pcir + 0x10) & 0xffff) * 512;
        if ((type & 0xff) == 0) {
            *size = (head >> 16 & 0xff) * 512;
            return *size && *size <= window - at ? base + at : 0;
        }
        if (type & 0x8000 || length == 0) return 0;
        at += length;
    }
    return 0;
}

/* Copies a function's ROM to a segment. Returns whether there is something to run. */
static int load_pci_rom(u16 bdf, u16 seg)
{
    if (pci_read8(bdf, PCI_HEADER) & 0x7f) return 0;
    u32 base = pci_read32(bdf, PCI_ROM) & 0xfffff800;
    if (base == 0) return 0;
    pci_write32(bdf, PCI_ROM, 0xfffff801 & ~1u);
    u32 window = -(pci_read32(bdf, PCI_ROM) & 0xfffff800);
    u16 command = pci_read16(bdf, PCI_COMMAND);
    pci_write32(bdf, PCI_ROM, base | 1);
    pci_write16(bdf, PCI_COMMAND, command | CMD_MEM);
    u32 size = 0;
    u32 image = find_image(base, window, &size);
    int ok = image && size <= (u32)(ROM_END - seg) << 4;
    if (ok) flat_copy((u32)seg << 4, image, size);
    pci_write32(bdf, PCI_ROM, base);
    pci_write16(bdf, PCI_COMMAND, command);
    return ok;
}

static int load_file_rom(const struct fw_file *f)
{
    u16 seg = bs.rom_next;
    if (f->size < 512 || f->size > (u32)(ROM_END - seg) << 4) return 0;
    fw_select(f->select);
    fw_read_flat((u32)seg << 4, f->size);
    run_rom(seg, PCI_NONE);
    return 0;
}

/* C8000-DFFFF: registers 5Bh to 5Dh; `pam` has the read and write bits of two blocks. */
static void shadow_roms(u8 pam)
{
    pci_write8(0, 0x5b, pam);
    pci_write8(0, 0x5c, pam);
    pci_write8(0, 0x5d, pam);
}

static void copy_mapped_roms(void)
{
    for (u16 seg = ROM_FIRST; seg < ROM_END;) {
        shadow_roms(0x00);
        u32 size = rom_size(seg);
        int found = size && (u32)(ROM_END - seg) << 4 >= size && rom_sum_ok(seg, size);
        if (found) flat_copy(SCRATCH, (u32)seg << 4, size);
        shadow_roms(0x33);
        u16 step = found ? (u16)((size + 2047) >> 11 << 7) : 0x80;
        if (found && bs.rom_next <= seg) {
            flat_copy((u32)seg << 4, SCRATCH, size);
            run_rom(seg, PCI_NONE);
        }
        seg += step;
    }
}

/* ------------------------------------------------------------------ POST steps */

static int try_display(u16 class)
{
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        if (pci_read16(f, PCI_CLASS) != class || !load_pci_rom(f, VIDEO_SEG)) continue;
        run_rom(VIDEO_SEG, f);
        if (bs.rom_next > VIDEO_SEG) return 1;
    }
    return 0;
}

void video_rom_init(void)
{
    bs.rom_next = VIDEO_SEG;
    flat_fill(0xc0000, 0, 0x20000);
    if (!try_display(0x0300) && !try_display(0x0380)) fw_each("vgaroms/", load_file_rom);
    bs.video_up = bs.rom_next > VIDEO_SEG;
    if (bs.rom_next < ROM_FIRST) bs.rom_next = ROM_FIRST;
}

void option_roms_init(void)
{
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        if (pci_read16(f, PCI_CLASS) >> 8 == 0x03 || !load_pci_rom(f, bs.rom_next)) continue;
        run_rom(bs.rom_next, f);
    }
    fw_each("genroms/", load_file_rom);
    copy_mapped_roms();
}

/* Read-only: everything in use but our variables at EC000. Free blocks stay usable RAM. */
void seal_shadow(void)
{
    for (u32 block = 0; block < 8; block += 2) {
        u8 pam = 0;
        for (u32 half = 0; half < 2; half++) {
            u16 seg = 0xc000 + (block + half) * 0x400;
            pam |= (seg < bs.rom_next ? 1 : 3) << (4 * half);
        }
        pci_write8(0, 0x5a + block / 2, pam);
    }
    pci_write8(0, 0x5e, 0x11);
    pci_write8(0, 0x5f, 0x31);
    pci_write8(0, 0x59, 0x10);
}
