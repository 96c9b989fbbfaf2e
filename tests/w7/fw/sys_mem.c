/*
 * Part of the firmware probe `sys`: the memory map and what must agree with it (W7-017, 018, 020, 040, 044).
 */
#include "fw.h"

void memory_probes(void);

enum { SMAP = 0x534d4150, MAX_ROWS = 32 };

struct row {
    u64 base, length;
    u32 type;
} __attribute__((packed));

static struct row map[MAX_ROWS];
static u32 rows;

static void call(struct regs *r, u32 next, u32 size, u32 signature, void *buffer)
{
    clear(r);
    r->eax = 0xe820;
    r->ebx = next;
    r->ecx = size;
    r->edx = signature;
    r->di = (u16)(u32)buffer;
    bios(0x15, r);
}

static void read_map(void)
{
    struct regs r;
    u32 next = 0;
    u8 buffer[32];
    u32 good = 1;
    for (rows = 0; rows < MAX_ROWS;) {
        memset(buffer, 0xa5, sizeof buffer);
        call(&r, next, rows & 1 ? 24 : 20, SMAP, buffer);
        if (r.flags & CF) {
            expect(17, "E820h carry, row", rows, 0);
            return;
        }
        good &= r.eax == SMAP && r.ecx == 20 && r.di == (u16)(u32)buffer && r.es == SEG_BODY && buffer[20] == 0xa5;
        memcpy(&map[rows++], buffer, 20);
        next = r.ebx;
        if (next == 0) break;
    }
    expect(17, "EAX, ECX = 20, ES:DI and the bytes behind it, in every row", good, 1);
    expect(17, "EBX is 0 after the last row", next, 0);
    within(17, "rows", rows, 5, 12);
    for (u32 i = 0; i < rows; i++)
        say("e820 %08x%08x %08x%08x %u\n", (u32)(map[i].base >> 32), (u32)map[i].base, (u32)(map[i].length >> 32),
            (u32)map[i].length, map[i].type);
}

static void refusals(void)
{
    struct regs r;
    u8 buffer[24];
    memset(buffer, 0xa5, sizeof buffer);
    call(&r, 0, 20, 0x12345678, buffer);
    expect(17, "E820h without its signature: carry", r.flags & CF, CF);
    expect(17, "E820h without its signature writes nothing", buffer[0] == 0xa5 && buffer[19] == 0xa5, 1);
    call(&r, 0, 19, SMAP, buffer);
    expect(17, "E820h with 19 bytes: carry", r.flags & CF, CF);
    call(&r, 0x7fff, 20, SMAP, buffer);
    expect(17, "E820h with a wild continuation: carry", r.flags & CF, CF);
}

static void rules(void)
{
    u32 sorted = 1, apart = 1, hole = 1, aligned = 1, known = 1;
    for (u32 i = 0; i < rows; i++) {
        u64 end = map[i].base + map[i].length;
        if (i) sorted &= map[i].base > map[i - 1].base;
        if (i) apart &= map[i].base >= map[i - 1].base + map[i - 1].length;
        hole &= end <= 0xa0000 || map[i].base >= 0xf0000;
        if (map[i].type == 1 && map[i].base >= 0x100000) aligned &= !((map[i].base | map[i].length) & 0xfff);
        known &= map[i].type >= 1 && map[i].type <= 4 && map[i].length != 0;
    }
    expect(18, "rows are sorted", sorted, 1);
    expect(18, "rows do not overlap", apart, 1);
    expect(18, "A0000-EFFFF is in no row", hole, 1);
    expect(18, "RAM above 1 MiB in whole pages", aligned, 1);
    expect(18, "types 1 to 4, no empty row", known, 1);
    expect(18, "first row starts at 0", (u32)map[0].base | map[0].type << 4, 0x10);
}

/* End of the RAM that starts at 1 MiB. */
static u32 ram_end(void)
{
    for (u32 i = 0; i < rows; i++)
        if (map[i].type == 1 && map[i].base == 0x100000) return (u32)(map[i].base + map[i].length);
    return 0;
}

static void other_sizes(void)
{
    struct regs r;
    u32 end = ram_end(), low = end > 16 << 20 ? 15 << 10 : (end - (1 << 20)) >> 10;
    u32 high = end > 16 << 20 ? (end - (16 << 20)) >> 16 : 0;
    clear(&r);
    r.ax = 0xe801;
    bios(0x15, &r);
    expect(20, "E801h carry", r.flags & CF, 0);
    expect(20, "E801h CX: KiB from 1 to 16 MiB", r.cx, low);
    expect(20, "E801h DX: 64 KiB blocks above", r.dx, high);
    expect(20, "E801h AX and BX are the same", (u32)r.bx << 16 | r.ax, high << 16 | low);
    clear(&r);
    r.ah = 0x88;
    bios(0x15, &r);
    u32 kib = (end - (1 << 20)) >> 10;
    expect(20, "88h carry", r.flags & CF, 0);
    within(20, "88h KiB above 1 MiB, at most 64 MiB", r.ax, kib > 63 << 10 ? 63 << 10 : kib, kib > 0xffff ? 0xffff : kib);
}

static void data_area(void)
{
    struct regs r;
    u16 ebda = peekw(0x40, 0x0e);
    expect(40, "0040:0013", peekw(0x40, 0x13), 639);
    expect(40, "E820 agrees with it", (u32)map[0].length, 639 << 10);
    expect(40, "EBDA segment lies right above", ebda, 0x9fc0);
    expect(40, "size of the EBDA", peekb(ebda, 0), 1);
    expect(40, "EBDA is reserved", (u32)map[1].base | map[1].type, 0x9fc00 | 2);
    u16 equipment = peekw(0x40, 0x10);
    expect(40, "equipment: FPU, mouse, 80x25 colour", equipment & 0x36, 0x26);
    clear(&r);
    bios(0x11, &r);
    expect(40, "INT 11h", r.ax, equipment);
    clear(&r);
    bios(0x12, &r);
    expect(40, "INT 12h", r.ax, 639);
    expect(40, "serial ports counted in it", equipment >> 9 & 7, (peekw(0x40, 0) != 0) + (peekw(0x40, 2) != 0));
    expect(40, "COM1", peekw(0x40, 0), 0x3f8);
    clear(&r);
    r.ah = 0x0f;
    bios(0x10, &r);
    expect(40, "video mode", r.al, peekb(0x40, 0x49));
    expect(40, "columns", r.ah, peekw(0x40, 0x4a));
    expect(40, "mode 3, 80 columns, 25 rows", (u32)peekb(0x40, 0x49) << 16 | peekb(0x40, 0x4a) << 8 | peekb(0x40, 0x84),
           0x35018);
    expect(40, "CRTC at 3D4h, 16 lines a character", (u32)peekw(0x40, 0x63) << 16 | peekw(0x40, 0x85), 0x3d40010);
    u32 vectors = 1;
    for (u32 v = 0; v < 0x20; v++)
        if (v != 0x1d) vectors &= peekl(0, v * 4) != 0;
    expect(40, "vectors 0 to 1Fh point somewhere", vectors, 1);
}

/* Writes to ROM areas must vanish. C0000 holds the video BIOS, E0000 up ours. */
static void write_protection(void)
{
    static const u16 segments[] = { 0xc000, 0xc400, 0xe000, 0xf000, 0xf400, 0xf800, 0xfd00, 0xff00, 0xffff };
    for (u32 i = 0; i < LEN(segments); i++) {
        u32 was = peekl(segments[i], 4);
        pokel(segments[i], 4, ~was);
        if (!expect(44, "write to ROM is ignored", peekl(segments[i], 4), was)) pokel(segments[i], 4, was);
    }
}

void memory_probes(void)
{
    read_map();
    refusals();
    rules();
    other_sizes();
    data_area();
    write_protection();
}
