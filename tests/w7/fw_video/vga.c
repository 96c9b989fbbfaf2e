/*
 * Part of the firmware probe `video`: text modes and mode 13h (W7-233), DAC, attribute controller and retrace (W7-234), and mode 12h
 * drawn in every way the graphics controller knows, after a mode set by the BIOS and after one by registers alone (W7-232). What must be on
 * screen the runner compares with screenshots; what can be read back is checked here.
 */
#include "fw_video.h"

enum { PLANES = 0xa000, TEXT = 0xb800 };

static void seq(u8 index, u8 v)
{
    outb(0x3c4, index);
    outb(0x3c5, v);
}

static void gc(u8 index, u8 v)
{
    outb(0x3ce, index);
    outb(0x3cf, v);
}

static void crtc(u8 index, u8 v)
{
    outb(0x3d4, index);
    outb(0x3d5, v);
}

static void attribute(u8 index, u8 v)
{
    inb(0x3da);
    outb(0x3c0, index);
    outb(0x3c0, v);
    outb(0x3c0, 0x20);
}

/* ------------------------------------------------------------------ text */

static void cell(u8 row, u8 col, u8 ch, u8 attr)
{
    pokew(TEXT, (row * 80 + col) * 2, (u16)(attr << 8 | ch));
}

/* Plane 2 as memory at A0000h, as fonts are loaded. */
static void font_window(int on)
{
    seq(2, on ? 4 : 3);
    seq(4, on ? 6 : 2);
    gc(4, on ? 2 : 0);
    gc(5, on ? 0 : 0x10);
    gc(6, on ? 4 : 0x0e);
}

static void rom_font(void)
{
    struct regs r;
    int10(&r, 0x1130, 0x0600, 0, 0);
    u16 seg = r.es, off = r.bp;
    expect(233, "AX=1130h BH=06h: lines of a character", r.cx, 16);
    expect(233, "rows less one", r.dl, 24);
    u32 lines = 0;
    for (u16 i = 0; i < 16; i++) lines += peekb(seg, off + 'A' * 16 + i) != 0;
    within(233, "lines of the letter A that are not blank", lines, 7, 14);
    font_window(1);
    for (u16 ch = 0; ch < 256; ch++)
        for (u16 i = 0; i < 16; i++) same(233, "glyph in plane 2", peekb(PLANES, ch * 32 + i), peekb(seg, off + ch * 16 + i));
    font_window(0);
    finish(233, "the 8x16 font is in plane 2");
}

static void user_font(void)
{
    struct regs r;
    for (u16 i = 0; i < 16; i++) pokeb(SEG_BUF, i, i & 1 ? 0x00 : 0xf0);
    clear(&r);
    r.ax = 0x1100;
    r.bx = 0x1000;
    r.cx = 1;
    r.dx = 'A';
    r.es = SEG_BUF;
    bios(VIDEO, &r);
    cell(2, 0, 'A', 0x1e);
    cell(2, 1, 'B', 0x1e);
}

static void text(void)
{
    struct regs r;
    int10(&r, 3, 0, 0, 0);
    expect(233, "cells are blank after the mode set", peekw(TEXT, 0) == 0x0720 && peekw(TEXT, 3998) == 0x0720, 1);
    rom_font();
    for (u8 n = 0; n < 16; n++) cell(0, n, 0xdb, n);
    for (u8 n = 0; n < 8; n++) cell(1, n, ' ', n << 4);
    user_font();
    int10(&r, 0x0200, 0, 0, 0x184f);
    show("text");
    int10(&r, 0x1003, 0, 0, 0);
    for (u8 n = 0; n < 16; n++) cell(1, n, ' ', n << 4);
    show("bright");
    int10(&r, 0x1003, 1, 0, 0);
    cell(6, 3, 0xdb, 0x8c);
    int10(&r, 0x0100, 0, 0x000f, 0);
    int10(&r, 0x0200, 0, 0, 0x050a);
    int10(&r, 0x0300, 0, 0, 0);
    expect(233, "the cursor's place", r.dx, 0x050a);
    outb(0x3d4, 0x0e);
    u16 at = inb(0x3d5) << 8;
    outb(0x3d4, 0x0f);
    expect(233, "its address in the CRTC", at | inb(0x3d5), 5 * 80 + 10);
    show("blink");
}

static void mode_13(void)
{
    struct regs r;
    int10(&r, 0x13, 0, 0, 0);
    int10(&r, 0x0f00, 0, 0, 0);
    expect(233, "AH=0Fh in mode 13h", r.ax, 0x2813);
    for (u16 n = 0; n < 256; n++) pokeb(PLANES, n, n);
    pokeb(PLANES, 199 * 320 + 319, 15);
    for (u16 n = 0; n < 256; n++) same(233, "pixel of mode 13h", peekb(PLANES, n), n);
    int10(&r, 0x0d00, 0, 200, 0);
    same(233, "AH=0Dh", r.al, 200);
    finish(233, "256 colours in mode 13h read back");
    show("mode13");
}

/* ------------------------------------------------------------------ W7-234 */

static void dac(void)
{
    struct regs r;
    int10(&r, 0x13, 0, 0, 0);
    outb(0x3c8, 100);
    for (u8 i = 0; i < 6; i++) outb(0x3c9, 0x80 | (10 + i)); /* two entries; the two upper bits do not exist */
    outb(0x3c7, 100);
    expect(234, "3C7h reads: DAC in read mode", inb(0x3c7) & 3, 3);
    for (u8 i = 0; i < 6; i++) same(234, "DAC entry", inb(0x3c9), 10 + i);
    outb(0x3c8, 100);
    expect(234, "3C7h reads: DAC in write mode", inb(0x3c7) & 3, 0);
    finish(234, "DAC entries count up, six bits wide");
    outb(0x3c6, 0x0f);
    expect(234, "palette mask reads back", inb(0x3c6), 0x0f);
    for (u16 n = 0; n < 320; n++) pokeb(PLANES, n, 0xf0 | (n & 15));
    show("mask"); /* colours F0h-FFh look like 0-15 */
    outb(0x3c6, 0xff);
}

static void flip_flop(void)
{
    inb(0x3da);
    outb(0x3c0, 0x31); /* overscan, palette stays with the screen */
    outb(0x3c0, 0x15);
    inb(0x3da);
    outb(0x3c0, 0x31);
    expect(234, "attribute register reads at 3C1h", inb(0x3c1), 0x15);
    outb(0x3c0, 0x2a);
    expect(234, "the second write was data", inb(0x3c1), 0x2a);
    outb(0x3c0, 0x33); /* an index again */
    expect(234, "3C0h reads the index", inb(0x3c0) & 0x3f, 0x33);
    inb(0x3da);        /* and the next write after this is an index in any case */
    outb(0x3c0, 0x31);
    expect(234, "reading 3DAh resets the flip-flop", inb(0x3c1), 0x2a);
    outb(0x3c0, 0);
    inb(0x3da);
    outb(0x3c0, 0x20);
}

static void retrace(void)
{
    struct regs r;
    u32 us;
    int10(&r, 3, 0, 0, 0);
    within(234, "vertical retraces seen in a second, mode 3", edges(8, &us), 30, 72);
    within(234, "microseconds between them", us, 13800, 14800);
    int10(&r, 0x12, 0, 0, 0);
    within(234, "vertical retraces seen in a second, mode 12h", edges(8, &us), 30, 62);
    within(234, "microseconds between them", us, 16100, 17200);
    within(234, "display enable changes often", edges(1, &us), 500, 40000);
}

/* ------------------------------------------------------------------ W7-232 */

static u8 latch(u16 at)
{
    return peekb(PLANES, at);
}

static void defaults(void)
{
    seq(2, 15);
    for (u8 i = 0; i < 8; i++) gc(i, i == 5 ? 0 : i == 6 ? 5 : i == 7 ? 15 : 0);
    gc(8, 0xff);
}

/* One scan line for each way to draw; byte n of a line, 8 pixels, has colour n. */
static void draw_lines(void)
{
    for (u16 n = 0; n < 16; n++) { /* 0: write mode 0 through the map mask */
        seq(2, n);
        pokeb(PLANES, n, 0xff);
    }
    defaults();
    gc(1, 15);
    for (u16 n = 0; n < 16; n++) { /* 1: set/reset */
        gc(0, n);
        pokeb(PLANES, 80 + n, 0);
    }
    for (u16 n = 0; n < 16; n++) { /* 2: set/reset and bit mask, the left half over white */
        gc(8, 0xff);
        gc(0, 15);
        pokeb(PLANES, 160 + n, 0);
        gc(8, 0xf0);
        gc(0, n);
        latch(160 + n);
        pokeb(PLANES, 160 + n, 0);
    }
    defaults();
    gc(5, 2);
    for (u16 n = 0; n < 16; n++) pokeb(PLANES, 240 + n, n); /* 3: write mode 2 */
    gc(5, 3);
    for (u16 n = 0; n < 16; n++) { /* 4: write mode 3, odd pixels */
        gc(0, n);
        latch(320 + n);
        pokeb(PLANES, 320 + n, 0x55);
    }
    defaults();
    gc(5, 1);
    for (u16 n = 0; n < 16; n++) { /* 5: write mode 1 copies line 1 */
        latch(80 + n);
        pokeb(PLANES, 400 + n, 0);
    }
    static const u8 function[] = { 0x08, 0x10, 0x18 }; /* 6, 7, 8: AND, OR, XOR with colour 6 */
    for (u8 f = 0; f < 3; f++) {
        defaults();
        gc(1, 15);
        for (u16 n = 0; n < 16; n++) {
            u16 at = 480 + f * 80 + n;
            gc(3, 0);
            gc(0, 6);
            pokeb(PLANES, at, 0);
            gc(3, function[f]);
            gc(0, n);
            latch(at);
            pokeb(PLANES, at, 0);
        }
    }
    defaults();
    for (u16 n = 0; n < 8; n++) { /* 9: rotate right by n */
        gc(3, n);
        pokeb(PLANES, 720 + n, 0x80);
    }
    defaults();
    pokeb(PLANES, 479 * 80 + 79, 0x01); /* the last pixel */
}

static u8 pixel(u16 x, u16 y)
{
    u8 c = 0;
    for (u8 p = 0; p < 4; p++) {
        gc(4, p);
        c |= (peekb(PLANES, y * 80 + x / 8) >> (7 - (x & 7)) & 1) << p;
    }
    return c;
}

static void read_back(const char *what)
{
    for (u16 n = 0; n < 16; n++) {
        for (u16 k = 0; k < 8; k++) {
            u16 x = n * 8 + k;
            same(232, "map mask", pixel(x, 0), n);
            same(232, "set/reset", pixel(x, 1), n);
            same(232, "bit mask", pixel(x, 2), k < 4 ? n : 15);
            same(232, "write mode 2", pixel(x, 3), n);
            same(232, "write mode 3", pixel(x, 4), k & 1 ? n : 0);
            same(232, "write mode 1", pixel(x, 5), n);
            same(232, "AND", pixel(x, 6), 6 & n);
            same(232, "OR", pixel(x, 7), 6 | n);
            same(232, "XOR", pixel(x, 8), 6 ^ n);
            if (n < 8) same(232, "rotate", pixel(x, 9), k == n ? 15 : 0);
        }
    }
    gc(5, 8);
    for (u16 n = 0; n < 16; n++) {
        gc(2, n);
        for (u16 k = 0; k < 16; k++) same(232, "read mode 1", peekb(PLANES, 80 + k), k == n ? 0xff : 0);
        gc(7, 0);
        same(232, "read mode 1, no plane matters", peekb(PLANES, 80), 0xff);
        gc(7, 15);
    }
    defaults();
    finish(232, what);
}

/* The registers of 640x480 in 16 colours in the order in which drivers of the VGA write them; no BIOS, no DISPI register. */
static void mode_12_by_registers(void)
{
    static const u8 c[25] = { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0,    0,   0,
                              0,    0,    0,    0xea, 0x8c, 0xdf, 0x28, 0,    0xe7, 4, 0xe3, 0xff };
    seq(0, 1);
    seq(1, 1);
    seq(2, 15);
    seq(3, 0);
    seq(4, 6);
    outb(0x3c2, 0xe3);
    gc(6, 5);
    seq(0, 3);
    crtc(0x11, 5);
    for (u8 i = 0; i < 25; i++) crtc(i, i == 0x11 ? 0x0c : c[i]);
    defaults();
    for (u8 i = 0; i < 16; i++) attribute(i, i);
    attribute(0x10, 1);
    attribute(0x11, 0);
    attribute(0x12, 15);
    attribute(0x13, 0);
    attribute(0x14, 0);
    outb(0x3c6, 0xff);
    outb(0x3c8, 0);
    for (u8 i = 0; i < 16; i++) {
        u8 lo = i & 8 ? 21 : 0, hi = i & 8 ? 63 : 42;
        outb(0x3c9, i & 4 ? hi : lo);
        outb(0x3c9, i == 6 ? 21 : i & 2 ? hi : lo);
        outb(0x3c9, i & 1 ? hi : lo);
    }
    gc(1, 15);
    for (u32 at = 0; at < 0x9600; at++) pokeb(PLANES, at, 0);
    gc(1, 0);
}

static void linear_mode(void)
{
    struct regs r;
    int10(&r, 0x4f02, 0x4144, 0, 0);
    u32 lfb = (u32)dispi(0x10) << 16;
    for (u32 at = 0; at < 1024 * 768 * 4; at += 4096)
        for (u32 k = 0; k < 64; k += 4) flat_write(lfb + at + k, 0x00ff00ff);
}

static void mode_12(void)
{
    struct regs r;
    int10(&r, 0x12, 0, 0, 0);
    draw_lines();
    read_back("every way to draw in mode 12h");
    show("mode12");
    linear_mode();
    expect(232, "a linear mode is on", dispi(4) & 1, 1);
    int10(&r, 0x12, 0, 0, 0);
    expect(232, "mode 12h ends it", dispi(4) & 1, 0);
    draw_lines();
    read_back("mode 12h after a linear mode");
    show("mode12-after-vbe");
    linear_mode();
    mode_12_by_registers();
    draw_lines();
    read_back("mode 12h by registers after a linear mode");
    show("mode12-registers");
    int10(&r, 3, 0, 0, 0);
    cell(0, 0, 0xdb, 0x0a);
    int10(&r, 0x0200, 0, 0, 0x184f);
    show("text-again");
}

void vga_probes(void)
{
    text();
    mode_13();
    dac();
    flip_flop();
    retrace();
    mode_12();
}
