/*
 * Firmware probe: started from CD (W7-033 to 039). Variants: 0 hand-over, packet, reads, drive numbers; 1 the time to read
 * 200 MiB as boot.wim is read; 2 a stand-in for a setup DVD that asks for a key, 3 the same without asking because the disk
 * was empty; 5 a CD that must not be started.
 *
 * The setup stand-in writes a boot sector to the disk and resets; what that disk does then is sector `installed` (next.c).
 */
#include "fw.h"

void probe_main(void);

enum { BLOCK = 2048, DISK = 0x80, INSTALL_FROM = 40000, INSTALL_SECTORS = 40 };

static int call(struct regs *r, u8 ah, u8 drive)
{
    r->ah = ah;
    r->dl = drive;
    bios(0x13, r);
    return r->flags & CF ? r->ah ? r->ah : 0xff : 0;
}

static u8 cd(void)
{
    return entry.dx & 0xff;
}

/* ------------------------------------------------------------------ hand-over */

static void handed_over(void)
{
    u16 seg = params.load_segment ? params.load_segment : 0x7c0;
    u32 bytes = (params.load_count ? params.load_count : 4) * 512, same = 1;
    expect(33, "CS:IP at the boot image", (u32)entry.cs << 16 | entry.ip, (u32)seg << 16);
    within(33, "DL at the boot image", cd(), 0x81, 0xff);
    for (u32 block = 0; block * BLOCK < bytes; block++) {
        same &= disk_read(cd(), params.image_lba + block, 1, SEG_BUF, 0) == 0;
        for (u32 i = 0; i < BLOCK && block * BLOCK + i < bytes; i++)
            same &= peekb(seg + block * (BLOCK / 16), i) == peekb(SEG_BUF, i);
    }
    expect(33, "all sectors the catalog counts are in memory", same, 1);
    pass(34, "the entry for a PC is chosen");
}

static void status_packet(void)
{
    struct regs r;
    u8 p[32];
    memset(p, 0xa5, sizeof p);
    clear(&r);
    r.al = 1;
    r.si = (u16)(u32)p;
    int error = call(&r, 0x4b, cd());
    u16 seg = p[12] | p[13] << 8, count = p[14] | p[15] << 8;
    expect(35, "AX=4B01h", error, 0);
    expect(35, "size of the packet", p[0], 0x13);
    expect(35, "media type", p[1] & 15, 0);
    expect(35, "drive", p[2], cd());
    expect(35, "first block of the image", p[4] | p[5] << 8 | p[6] << 16 | (u32)p[7] << 24, params.image_lba);
    expect(35, "load segment", seg == params.load_segment || (!params.load_segment && seg == 0x7c0), 1);
    expect(35, "sectors loaded", count == params.load_count || (!params.load_count && count == 4), 1);
    expect(35, "nothing behind the 13h bytes", p[0x13] == 0xa5 && p[0x1f] == 0xa5, 1);
    clear(&r);
    r.al = 1;
    r.si = (u16)(u32)p;
    expect(35, "AX=4B01h of a drive that was not started: carry", call(&r, 0x4b, DISK) != 0, 1);
}

/* ------------------------------------------------------------------ reads */

static void parameters(void)
{
    struct regs r;
    u8 b[0x50];
    clear(&r);
    r.bx = 0x55aa;
    expect(36, "AH=41h", call(&r, 0x41, cd()), 0);
    expect(36, "AH=41h BX", r.bx, 0xaa55);
    expect(36, "AH=41h CX bit 0", r.cx & 1, 1);
    static const u8 sizes[] = { 0x1a, 0x1e, 0x42 };
    for (u32 i = 0; i < LEN(sizes); i++) {
        memset(b, 0xa5, sizeof b);
        b[0] = sizes[i];
        b[1] = 0;
        clear(&r);
        r.si = (u16)(u32)b;
        expect(36, "AH=48h", call(&r, 0x48, cd()), 0);
        expect(36, "AH=48h bytes per block", b[0x18] | b[0x19] << 8, BLOCK);
        expect(36, "byte behind the buffer", b[sizes[i]], 0xa5);
    }
}

static void reads(void)
{
    u32 good = 1;
    for (u32 count = 1; count <= 32; count++) {
        u16 off = (u16)(0 - count * BLOCK);
        u8 error = disk_read(cd(), 100 + count, count, SEG_BUF, off);
        if (error) good = expect(36, "AH=42h", error, 0);
        for (u32 k = 0; good && k < count; k++)
            if (!stamped(SEG_BUF, off + k * BLOCK, 100 + count + k, BLOCK))
                good = expect(36, "AH=42h data of block", k, 0xffff);
        if (!good) return;
    }
    pass(36, "AH=42h reads 1 to 32 blocks up to the end of a segment");
    static const u32 places[] = { 0x30000001, 0x3000f800, 0x34567892, 0x5001fffe };
    for (u32 i = 0; i < LEN(places); i++) {
        u16 seg = places[i] >> 16, off = (u16)places[i] > 0xf800 ? 0xf000 : (u16)places[i];
        expect(36, "AH=42h to any address", disk_read(cd(), 150 + i, 1, seg, off), 0);
        expect(36, "its data", stamped(seg, off, 150 + i, BLOCK), 1);
    }
    u64 last = params.sectors - 1;
    expect(36, "last block reads", disk_read(cd(), last, 1, SEG_BUF, 0), 0);
    expect(36, "last block is the right one", stamped(SEG_BUF, 0, last, BLOCK), 1);
    expect(36, "behind the last block: error", disk_read(cd(), last + 1, 1, SEG_BUF, 0) != 0, 1);
    expect(36, "LBA bit 32: error", disk_read(cd(), last + (1ull << 32), 1, SEG_BUF, 0) != 0, 1);
    struct packet p = { sizeof p, 0, 1, 0, SEG_BUF, 120 };
    struct regs r;
    clear(&r);
    r.si = (u16)(u32)&p;
    expect(36, "AH=43h is refused as write-protected", call(&r, 0x43, cd()), 3);
}

static void drive_numbers(void)
{
    struct regs r;
    expect(37, "0040:0075", peekb(0x40, 0x75), params.disks);
    clear(&r);
    expect(37, "AH=08h of 80h", call(&r, 0x08, DISK), 0);
    expect(37, "AH=08h DL", r.dl, params.disks);
    expect(37, "80h reads", disk_read(DISK, 200, 1, SEG_BUF, 0), 0);
    expect(37, "80h is the hard disk", stamped(SEG_BUF, 0, 200, 512), 1);
    clear(&r);
    r.bx = 0x55aa;
    expect(37, "AH=41h of 81h: absent", call(&r, 0x41, 0x81) != 0, params.disks < 2);
}

static void long_read(void)
{
    u32 good = 1;
    plan(38, 38);
    for (u32 lba = 1024; good && lba < 1024 + 6400 * 16; lba += 16) {
        good &= disk_read(cd(), lba, 16, 0x4000, (lba & 16) << 11) == 0;
        if ((lba & 1023) == 0) good &= stamped(0x4000, (lba & 16) << 11, lba, BLOCK);
    }
    expect(38, "200 MiB in 32 KiB calls", good, 1);
}

/* ------------------------------------------------------------------ setup */

static void show(const char *text)
{
    for (; *text; text++) {
        struct regs r;
        clear(&r);
        r.ax = 0x0e00 | (u8)*text;
        r.bx = 7;
        bios(0x10, &r);
    }
}

/* Five seconds by the tick count, as the prompt of the real DVD. */
static int key_came(void)
{
    u32 start = peekl(0x40, 0x6c);
    show("Press any key to boot from CD or DVD.....");
    while (peekl(0x40, 0x6c) - start < 91) {
        struct regs r;
        clear(&r);
        r.ah = 1;
        bios(0x16, &r);
        if (!(r.flags & ZF)) return 1;
        halt();
    }
    return 0;
}

static void write_disk(u64 lba, u16 count, u16 seg)
{
    struct packet p = { sizeof p, 0, count, 0, seg, lba };
    struct regs r;
    clear(&r);
    r.si = (u16)(u32)&p;
    if (call(&r, 0x43, DISK)) fail(39, "setup writes the disk", r.ah, 0);
}

/* Moves what mkimg put at sector INSTALL_FROM of the disk (a whole bootable image) to its beginning and resets. */
static void install_and_reset(void)
{
    if (disk_read(DISK, INSTALL_FROM, INSTALL_SECTORS, SEG_BUF, 0)) fail(39, "setup reads the disk", 1, 0);
    write_disk(0, INSTALL_SECTORS, SEG_BUF);
    say("setup: first part done\n");
    for (;;) outb(0x64, 0xfe);
}

static void boot_the_disk(void)
{
    if (disk_read(DISK, 0, 1, 0, 0x7c00) || peekw(0, 0x7dfe) != 0xaa55) {
        fail(39, "the disk can be started from the DVD's code", 0, 1);
        return;
    }
    asm volatile("movb $0x80, %%dl\n\tljmp $0, $0x7c00" : : : "memory");
}

void probe_main(void)
{
    if (params.variant == 5) {
        fail(33, "a CD with a bad catalog", 1, 0);
        return;
    }
    if (params.variant == 1) {
        long_read();
        return;
    }
    if (params.variant == 2 || params.variant == 3) {
        plan(39, 39);
        if (params.variant == 3 || key_came()) install_and_reset();
        boot_the_disk();
        return;
    }
    plan(33, 37);
    handed_over();
    status_packet();
    parameters();
    reads();
    drive_numbers();
}
