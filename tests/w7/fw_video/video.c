/*
 * Firmware probe: the video BIOS as a boot loader uses it, VBE first (W7-225 to 230), then the VGA's own modes (vga.c). params.variant is
 * 1 when AeroGPU owns the display: its framebuffer lies 256 KiB into its BAR1.
 */
#include "fw_video.h"

void probe_main(void);

enum { MODES_MAX = 150, INFO = 0x1000 };   /* INFO: offset of mode information in SEG_BUF */

static u16 modes[MODES_MAX];
static u32 n_modes, bad_ones;

u16 int10(struct regs *r, u16 ax, u16 bx, u16 cx, u16 dx)
{
    clear(r);
    r->ax = ax;
    r->bx = bx;
    r->cx = cx;
    r->dx = dx;
    r->es = SEG_BUF;
    bios(VIDEO, r);
    return r->ax;
}

void show(const char *name)
{
    struct regs r;
    serial_say("picture ");
    serial_say(name);
    serial_say("\r\n");
    clear(&r);
    bios(0x16, &r);
}

u16 dispi(u16 index)
{
    asm volatile("outw %0, %1" : : "a"(index), "Nd"((u16)0x1ce));
    return inw(0x1cf);
}

void dispi_set(u16 index, u16 value)
{
    asm volatile("outw %0, %1" : : "a"(index), "Nd"((u16)0x1ce));
    asm volatile("outw %0, %1" : : "a"(value), "Nd"((u16)0x1cf));
}

u32 edges(u8 mask, u32 *period_us)
{
    u32 from = pm_timer(), n = 0, last = 0, now;
    u8 was = inb(0x3da) & mask;
    *period_us = ~0u;
    while ((now = elapsed_us(from)) < 1000000) {
        u8 status = inb(0x3da) & mask;
        if (status && !was) {
            if (n++ && now - last < *period_us) *period_us = now - last;
            last = now;
        }
        was = status;
    }
    return n;
}

void same(u32 id, const char *what, u32 got, u32 want)
{
    if (got == want) return;
    if (bad_ones++ < 5) fail(id, what, got, want);
}

void finish(u32 id, const char *what)
{
    if (!bad_ones) pass(id, what);
    bad_ones = 0;
}

/* ------------------------------------------------------------------ VBE */

static void controller(void)
{
    struct regs r;
    for (u32 i = 0; i < 0x400; i += 4) pokel(SEG_BUF, i, 0xcccccccc);
    pokel(SEG_BUF, 0, 0x32454256);
    if (!expect(225, "4F00h answers", int10(&r, 0x4f00, 0, 0, 0), AX_OK)) return;
    expect(225, "signature VESA", peekl(SEG_BUF, 0), 0x41534556);
    within(225, "version", peekw(SEG_BUF, 4), 0x200, 0x3ff);
    expect(225, "byte 512 is the caller's", peekb(SEG_BUF, 512), 0xcc);
    u32 list = peekl(SEG_BUF, 14), at = (list >> 16 << 4) + (list & 0xffff);
    u32 in_buffer = at >= SEG_BUF << 4 && at < (SEG_BUF << 4) + 512, in_rom = at >= 0xc0000 && at < 0xd0000;
    expect(225, "the list lies in the buffer or in the ROM", in_buffer || in_rom, 1);
    for (n_modes = 0; n_modes < MODES_MAX; n_modes++, list += 2) {
        modes[n_modes] = peekw(list >> 16, (u16)list);
        if (modes[n_modes] == 0xffff) break;
    }
    within(225, "modes before FFFFh", n_modes, 12, MODES_MAX - 1);
    at = ((list >> 16) << 4) + (list & 0xffff);
    if (in_buffer) within(225, "end of the list in the buffer", at, SEG_BUF << 4, (SEG_BUF << 4) + 510);
    u32 oem = peekl(SEG_BUF, 6);
    within(225, "the OEM string is text", peekb(oem >> 16, (u16)oem), ' ', '~');
    expect(225, "memory in 64 KiB units", peekw(SEG_BUF, 18), params.variant ? 1020 : 256);
}

/* Mode information into SEG_BUF:INFO; AX. */
static u16 mode_info(u16 mode)
{
    struct regs r;
    for (u32 i = 0; i < 0x104; i += 4) pokel(SEG_BUF, INFO + i, 0xcccccccc);
    clear(&r);
    r.ax = 0x4f01;
    r.cx = mode;
    r.es = SEG_BUF;
    r.di = INFO;
    bios(VIDEO, &r);
    return r.ax;
}

static u16 info16(u16 off)
{
    return peekw(SEG_BUF, INFO + off);
}

static u8 info8(u16 off)
{
    return peekb(SEG_BUF, INFO + off);
}

static u32 info32(u16 off)
{
    return peekl(SEG_BUF, INFO + off);
}

/* Packed pixels or direct colour with a framebuffer address; planar and text modes and those of the CGA have none. */
static int is_linear(void)
{
    return (info8(0x1b) == 4 || info8(0x1b) == 6) && info32(0x28);
}

static u32 pitch_of(u16 width, u8 bpp)
{
    return info8(0x1b) == 3 ? width / 8 : (u32)width * ((bpp + 7) / 8);
}

static void attributes(void)
{
    for (u32 i = 0; i < n_modes; i++) {
        same(226, "4F01h of a listed mode", mode_info(modes[i]), AX_OK);
        if (info8(0x1b)) same(226, "attributes of a graphics mode", info16(0), is_linear() ? 0x00bb : 0x003b); /* 0: text */
        same(226, "byte 256 is the caller's", info8(256), 0xcc);
        same(226, "4F01h with bit 14", mode_info(modes[i] | 0x4000), AX_OK);
    }
    finish(226, "attributes of all listed modes");
    static const struct {
        u16 mode, attributes;
    } known[] = { { 0x03, 0x2f }, { 0x07, 0x27 }, { 0x12, 0x3b }, { 0x6a, 0x3b } };
    for (u32 i = 0; i < LEN(known); i++) {
        same(226, "4F01h of a VGA mode", mode_info(known[i].mode), AX_OK);
        same(226, "attributes of a VGA mode", info16(0), known[i].attributes);
    }
    finish(226, "attributes of VGA modes");
    expect(226, "4F01h of an unknown mode", mode_info(0x3ff), AX_FAILED);
}

/* ------------------------------------------------------------------ modes */

/* Number of the listed mode of that size and depth, 0: none. */
static u16 find(u16 width, u16 height, u8 bpp)
{
    for (u32 i = 0; i < n_modes; i++) {
        mode_info(modes[i]);
        if (info16(18) == width && info16(20) == height && info8(25) == bpp) return modes[i];
    }
    return 0;
}

/* What the data area says of a mode (W7-040). */
static void data_area(u8 mode, u16 cols, u8 rows, u8 height)
{
    same(40, "0040:0049, mode", peekb(0x40, 0x49), mode);
    same(40, "0040:004A, columns", peekw(0x40, 0x4a), cols);
    same(40, "0040:0084, last row", peekb(0x40, 0x84), rows - 1);
    same(40, "0040:0085, character height", peekw(0x40, 0x85), height);
    same(40, "0040:0063, CRTC port", peekw(0x40, 0x63), mode == 7 ? 0x3b4 : 0x3d4);
    same(40, "0040:0010, display", peekb(0x40, 0x10) & 0x30, mode == 7 ? 0x30 : 0x20);
}

static void set_listed(u16 mode)
{
    struct regs r;
    mode_info(mode);
    u16 linear = is_linear() ? 0x4000 : 0, width = info16(18), height = info16(20);
    u8 bpp = info8(25);
    same(227, "4F02h of a listed mode", int10(&r, 0x4f02, mode | linear, 0, 0), AX_OK);
    int10(&r, 0x4f03, 0, 0, 0);
    same(229, "4F03h names the mode", r.bx, mode | linear);
    if (linear) {
        same(227, "width set", dispi(1), width);
        same(227, "height set", dispi(2), height);
        same(227, "depth set", dispi(3), bpp);
        same(227, "enabled, linear", dispi(4) & 0x41, 0x41);
        int10(&r, 0x4f06, 1, 0, 0);
        same(228, "bytes per line as programmed", r.bx, info16(16));
    }
    if (info8(0x1b) > 2) same(228, "bytes per line", info16(16), pitch_of(width, bpp));
}

static void all_modes(void)
{
    static const u16 size[][2] = { { 1024, 768 }, { 800, 600 }, { 640, 480 } };
    for (u32 i = 0; i < LEN(size); i++) same(227, "32-bit mode in the list", find(size[i][0], size[i][1], 32) != 0, 1);
    finish(227, "the three 32-bit modes of a loader");
    for (u32 i = 0; i < n_modes; i++) set_listed(modes[i]);
    finish(227, "every listed mode can be set, 4F03h and the pitch agree");
    pass(228, "bytes per line of every mode");
}

static u32 bar_address(void)
{
    return params.variant ? 7 << 11 | 0x14 : 12 << 11 | 0x10;
}

static u32 framebuffer(void)
{
    return (pci_read(bar_address()) & ~15u) + (params.variant ? 0x40000 : 0);
}

static void masks(void)
{
    static const struct {
        u8 bpp, m[8];
    } want[] = {
        { 15, { 5, 10, 5, 5, 5, 0, 1, 15 } },
        { 16, { 5, 11, 6, 5, 5, 0, 0, 0 } },
        { 24, { 8, 16, 8, 8, 8, 0, 0, 0 } },
        { 32, { 8, 16, 8, 8, 8, 0, 8, 24 } },
    };
    for (u32 i = 0; i < LEN(want); i++) {
        same(228, "a mode of this depth", find(800, 600, want[i].bpp) != 0, 1);
        for (u16 k = 0; k < 8; k++) {
            same(228, "mask", info8(0x1f + k), want[i].m[k]);
            same(228, "mask of the linear mode", info8(0x36 + k), want[i].m[k]);
        }
        same(228, "memory model", info8(0x1b), 6);
    }
    finish(228, "masks of the four direct-colour depths");
}

static void base_address(void)
{
    u16 mode = find(1024, 768, 32);
    u32 bar = bar_address(), was = pci_read(bar);
    mode_info(mode);
    expect(228, "PhysBasePtr is the BAR", info32(0x28), framebuffer());
    /* An operating system moves it: up to the next multiple of 64 MiB, below the APICs. */
    u32 moved = ((was & ~15u) + 0x4000000) & ~0x3ffffffu;
    if (moved < was || moved >= 0xfc000000) moved = 0xe0000000;
    pci_write(bar, moved);
    mode_info(mode);
    expect(228, "PhysBasePtr follows the BAR", info32(0x28), framebuffer());
    pci_write(bar, was);
    mode_info(mode);
    expect(228, "PhysBasePtr comes back", info32(0x28), framebuffer());
}

/* ------------------------------------------------------------------ contents */

static u16 set_vbe(u16 bx)
{
    struct regs r;
    return int10(&r, 0x4f02, bx, 0, 0);
}

static void memory_rules(void)
{
    u16 mode = find(1024, 768, 32);
    u32 lfb = framebuffer();
    static const u32 at[] = { 0, 4, 4092, 0x10000, 1024 * 767 * 4, 1024 * 768 * 4 - 4 };
    expect(229, "4F02h with bit 14", set_vbe(mode | 0x4000), AX_OK);
    for (u32 i = 0; i < LEN(at); i++) flat_write(lfb + at[i], 0x11223344 + i);
    expect(229, "4F02h with bits 14 and 15", set_vbe(mode | 0xc000), AX_OK);
    for (u32 i = 0; i < LEN(at); i++) same(229, "memory kept", flat_read(lfb + at[i]), 0x11223344 + i);
    finish(229, "bit 15 keeps memory");
    struct regs r;
    int10(&r, 0x4f03, 0, 0, 0);
    expect(229, "4F03h with bits 14 and 15", r.bx & 0x7fff, mode | 0x4000);
    expect(229, "4F02h without bit 15", set_vbe(mode | 0x4000), AX_OK);
    for (u32 i = 0; i < LEN(at); i++) same(229, "memory cleared", flat_read(lfb + at[i]), 0);
    finish(229, "without bit 15 memory is cleared");
    expect(229, "4F02h without bit 14", set_vbe(mode), AX_OK);
    expect(229, "no linear framebuffer asked for", dispi(4) & 0x41, 1);
    int10(&r, 0x4f03, 0, 0, 0);
    expect(229, "4F03h without bit 14", r.bx, mode);
    /* the window at A0000h: bank 3 is 192 KiB into the framebuffer */
    int10(&r, 0x4f05, 0, 0, 3);
    pokel(0xa000, 0x8000, 0x00abcdef);
    expect(229, "banked window and framebuffer are the same memory", flat_read(lfb + 3 * 0x10000 + 0x8000), 0x00abcdef);
    expect(229, "4F02h of an unknown mode", set_vbe(0x41ff), AX_FAILED);
    int10(&r, 0x4f03, 0, 0, 0);
    expect(229, "which changes nothing", r.bx, mode);
}

/* Bars of pure red, green, blue, white and half grey, made by the masks that 4F01h tells; 160 pixels wide from x = 0. */
static u32 colour(u8 r, u8 g, u8 b)
{
    static const u16 field[] = { 0x1f, 0x21, 0x23 };
    u8 v[] = { r, g, b };
    u32 c = 0;
    for (u32 i = 0; i < 3; i++) c |= (u32)(v[i] >> (8 - info8(field[i]))) << info8(field[i] + 1);
    return c;
}

static void bars(u8 bpp, const char *name)
{
    u16 mode = find(800, 600, bpp);
    u32 lfb = framebuffer(), pitch = info16(16), bytes = (bpp + 7) / 8;
    const u32 c[] = { colour(255, 0, 0), colour(0, 255, 0), colour(0, 0, 255), colour(255, 255, 255), colour(128, 128, 128) };
    same(228, "4F02h", set_vbe(mode | 0x4000), AX_OK);
    for (u32 y = 0; y < 4; y++)
        for (u32 x = 0; x < 800; x++)
            for (u32 k = 0; k < bytes; k++) flat_write8(lfb + y * pitch + x * bytes + k, c[x / 160] >> (8 * k));
    show(name);
}

static void edid(void)
{
    struct regs r;
    u16 ax = int10(&r, 0x4f15, 0, 0, 0);
    if (ax == AX_FAILED) {
        expect(230, "4F15h BL=1 refuses too", int10(&r, 0x4f15, 1, 0, 0), AX_FAILED);
        return;
    }
    expect(230, "4F15h BL=0", ax, AX_OK);
    expect(230, "a DDC level", (r.bx & 3) != 0, 1);
    for (u32 i = 0; i < 0x100; i += 4) pokel(SEG_BUF, i, 0xcccccccc);
    expect(230, "4F15h BL=1", int10(&r, 0x4f15, 1, 0, 0), AX_OK);
    u8 sum = 0;
    for (u16 i = 0; i < 128; i++) sum += peekb(SEG_BUF, i);
    expect(230, "sum of the block", sum, 0);
    expect(230, "header", peekl(SEG_BUF, 0) == 0xffffff00 && peekl(SEG_BUF, 4) == 0x00ffffff, 1);
    expect(230, "byte 128 is the caller's", peekb(SEG_BUF, 128), 0xcc);
}

static void text_data_area(void)
{
    struct regs r;
    static const struct {
        u8 mode, cols, rows, height;
    } m[] = { { 3, 80, 25, 16 }, { 1, 40, 25, 16 }, { 7, 80, 25, 16 }, { 0x12, 80, 30, 16 }, { 0x13, 40, 25, 8 }, { 3, 80, 25, 16 } };
    data_area(3, 80, 25, 16); /* as the BIOS left it */
    for (u32 i = 0; i < LEN(m); i++) {
        int10(&r, m[i].mode, 0, 0, 0);
        data_area(m[i].mode, m[i].cols, m[i].rows, m[i].height);
    }
    finish(40, "video fields of the data area match the mode");
}

void probe_main(void)
{
    plan(40, 40);
    plan(225, 230);
    plan(232, 234);
    text_data_area();
    controller();
    attributes();
    masks();
    base_address();
    all_modes();
    memory_rules();
    edid();
    bars(32, "bars32");
    bars(24, "bars24");
    bars(16, "bars16");
    bars(15, "bars15");
    finish(228, "colours drawn by the masks");
    vga_probes();
    end();
}
