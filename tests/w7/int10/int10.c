/* W7-231: the video BIOS under the rules of the interpreter in which Windows runs INT 10h.
 *
 *   int10 DUMP       DUMP: 00000h-00FFFh and C0000h-CFFFFh after POST, as `pmem` prints them
 *
 * First the interpreter proves that it refuses (refusals()), then every instruction reachable from
 * INT 10h is read, then every function runs in every kind of mode. One line a function:
 * `W7-231 pass|fail WHAT`. The registers each call leaves are checked as well as its accesses: what
 * is not a documented result must come back unchanged. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/w7/int10/world.h"

enum { MAX_STEPS = 60000000, MAX_MODES = 200 };

struct tally {
    char what[64], first[160];
    unsigned calls, stack, fails;
};

struct test {
    struct world *w;
    struct cpu c;
    struct tally *t; /* of the function under test */
    struct tally tallies[256];
    unsigned n;
    const char *mode; /* situation, for messages */
    u16 modes[MAX_MODES];
    unsigned n_modes;
    unsigned fails;
};

__attribute__((format(printf, 2, 3))) static void bad(struct test *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!t->t->fails++) vsnprintf(t->t->first, sizeof(t->t->first), fmt, ap);
    va_end(ap);
}

/* Chooses the line that following calls count for. */
static void function(struct test *t, const char *what)
{
    for (unsigned k = 0; k < t->n; k++) {
        t->t = &t->tallies[k];
        if (!strcmp(t->t->what, what)) return;
    }
    check(t->n < LEN(t->tallies));
    t->t = &t->tallies[t->n++];
    snprintf(t->t->what, sizeof(t->t->what), "%s", what);
}

/* --- one call --- */

struct in {
    u16 ax, bx, cx, dx;
};

static void start(struct test *t, struct in in)
{
    static const u32 upper = 0xa5a50000;
    struct cpu *c = &t->c;
    *c = (struct cpu){ .wi = &world_ops, .w = t->w, .stack_low = STACK_LOW, .sp_min = STACK_TOP };
    c->r[EAX] = upper | in.ax;
    c->r[EBX] = upper | in.bx;
    c->r[ECX] = upper | in.cx;
    c->r[EDX] = upper | in.dx;
    c->r[ESI] = 0x5151a1a1;
    c->r[EDI] = 0x61610000;
    c->r[EBP] = 0x71710000;
    c->r[ESP] = 0x81810000 | STACK_TOP;
    c->sel[ES] = BUFFER >> 4;
    c->sel[DS] = 0xd5d5;
    c->sel[FS] = 0xf5f5;
    c->sel[GS] = 0x6565;
    c->flags = 2;
}

static void stack_word(struct test *t, u16 v)
{
    t->c.r[ESP] -= 2;
    st16(t->w->mem + (t->c.r[ESP] & 0xffff), v);
}

/* Upper halves, segments, stack pointer: what no function of INT 10h may change. The upper half of
 * ESP means nothing here: the stack segment has 64 KiB. */
static void check_frame(struct test *t, struct in in)
{
    struct cpu *c = &t->c;
    if (c->why) {
        bad(t, "%s: AX=%04x BX=%04x CX=%04x: %s (%05x) at C000:%04x", t->mode, in.ax, in.bx, in.cx,
            c->why, c->why_addr, c->why_ip);
        return;
    }
    bool kept = (u16)c->r[ESP] == STACK_TOP && c->r[ESI] == 0x5151a1a1 &&
                c->r[EDI] >> 16 == 0x6161 && c->r[EBP] >> 16 == 0x7171 && c->sel[SS] == 0 &&
                c->sel[DS] == 0xd5d5 && c->sel[FS] == 0xf5f5 && c->sel[GS] == 0x6565 &&
                !(c->flags & DF);
    for (unsigned k = EAX; k <= EBX; k++) kept = kept && c->r[k] >> 16 == 0xa5a5;
    if (!kept) bad(t, "%s: AX=%04x BX=%04x: a register is not what it was", t->mode, in.ax, in.bx);
}

static u16 finish_call(struct test *t, struct in in)
{
    run(&t->c, MAX_STEPS);
    t->t->calls++;
    t->t->stack = MAX(t->t->stack, (unsigned)(STACK_TOP - t->c.sp_min));
    check_frame(t, in);
    return (u16)t->c.r[EAX];
}

/* INT 10h; returns AX. */
static u16 int10(struct test *t, u16 ax, u16 bx, u16 cx, u16 dx)
{
    struct in in = { ax, bx, cx, dx };
    start(t, in);
    stack_word(t, 0x0002);
    stack_word(t, 0xffff);
    stack_word(t, 0xffff);
    t->c.ip = ld16(t->w->mem + 0x40);
    t->c.sel[CS] = ld16(t->w->mem + 0x42);
    return finish_call(t, in);
}

/* The same, with AX demanded. */
static bool expect(struct test *t, u16 want, u16 ax, u16 bx, u16 cx, u16 dx)
{
    u16 got = int10(t, ax, bx, cx, dx);
    if (got != want && !t->c.why)
        bad(t, "%s: AX=%04x BX=%04x CX=%04x gave AX=%04x, expected %04x", t->mode, ax, bx, cx, got,
            want);
    return got == want;
}

static u16 reg(const struct test *t, unsigned n)
{
    return (u16)t->c.r[n];
}

static u8 *buffer(struct test *t)
{
    return t->w->mem + BUFFER;
}

/* --- functions --- */

static void do_cursor(struct test *t)
{
    function(t, "AH=01h, 02h, 03h: cursor");
    for (u16 shape = 0; shape < 0x20; shape++)
        int10(t, 0x0100, 0, (u16)(shape << 8 | (0x1f - shape)), 0);
    int10(t, 0x0100, 0, 0x0607, 0);
    for (u16 page = 0; page < 8; page++) {
        int10(t, 0x0200, (u16)(page << 8), 0, 0x0305);
        int10(t, 0x0300, (u16)(page << 8), 0, 0);
        if (reg(t, EDX) != 0x0305) bad(t, "%s: cursor reads back as %04x", t->mode, reg(t, EDX));
    }
    function(t, "AH=04h, 05h: light pen, page");
    int10(t, 0x0400, 0, 0, 0);
    for (u16 page = 0; page < 9; page++) int10(t, 0x0500 | page, 0, 0, 0);
    int10(t, 0x0500, 0, 0, 0);
}

static void do_scroll(struct test *t)
{
    function(t, "AH=06h, 07h: scroll");
    for (u16 ah = 6; ah < 8; ah++) {
        int10(t, (u16)(ah << 8), 0x1f00, 0, 0x184f);
        int10(t, (u16)(ah << 8 | 1), 0x0700, 0, 0x184f);
        int10(t, (u16)(ah << 8 | 3), 0x2a00, 0x0203, 0x0917);
        int10(t, (u16)(ah << 8 | 200), 0x2a00, 0x0203, 0xffff);
        int10(t, (u16)(ah << 8 | 1), 0x2a00, 0x1020, 0x0509);
    }
}

static void do_characters(struct test *t)
{
    function(t, "AH=08h, 09h, 0Ah: characters");
    int10(t, 0x0200, 0, 0, 0x0203);
    int10(t, 0x0a00 | 'W', 7, 1, 0);
    int10(t, 0x0900 | 'A', 0x000f, 1, 0);
    u16 got = int10(t, 0x0800, 0, 0, 0);
    if ((u8)got != 'A' && !t->c.why) bad(t, "%s: reads back %02x for 'A'", t->mode, (u8)got);
    int10(t, 0x0900 | 'b', 0x0081, 300, 0);
    for (u16 ch = 0; ch < 256; ch += 5) int10(t, 0x0a00 | ch, 2, 2, 0);
    function(t, "AH=0Eh: teletype");
    for (u16 ch = 0; ch < 256; ch++) {
        if (ch != 7) int10(t, 0x0e00 | ch, 0x0007, 0, 0);
    }
    int10(t, 0x0200, 0, 0, 0x184f); /* the last cell: scrolls */
    int10(t, 0x0e00 | 'x', 0x0007, 0, 0);
    for (unsigned k = 0; k < 3; k++) int10(t, 0x0e0a, 0x0007, 0, 0);
    function(t, "AH=0Eh: bell, with the speaker's ports");
    t->w->bell = true;
    int10(t, 0x0e07, 0x0007, 0, 0);
    t->w->bell = false;
    function(t, "AH=13h: string");
    for (u16 al = 0; al < 4; al++) {
        memcpy(buffer(t), "s\tt\rr\ni\bng and more", 20);
        int10(t, 0x1300 | al, 0x0004, 10, 0x184a);
    }
}

static void do_pixels(struct test *t)
{
    function(t, "AH=0Bh: CGA palette");
    for (u16 bx = 0; bx < 0x20; bx++) int10(t, 0x0b00, bx, 0, 0);
    int10(t, 0x0b00, 0x0101, 0, 0);
    function(t, "AH=0Ch, 0Dh: pixels");
    for (u16 k = 0; k < 64; k++) {
        int10(t, 0x0c00 | (k & 1), 0, (u16)(k * 5), (u16)(k * 3));
        u8 got = (u8)int10(t, 0x0d00, 0, (u16)(k * 5), (u16)(k * 3));
        if ((got != 0) != (k & 1) && strchr(t->mode, 'g'))
            bad(t, "%s: pixel %u, %u reads %02x", t->mode, k * 5, k * 3, got);
    }
    int10(t, 0x0c81, 0, 5, 5);
    int10(t, 0x0c01, 0, 0xffff, 0xffff);
    int10(t, 0x0d01, 0, 0xffff, 0xffff);
    function(t, "AH=0Fh: current mode");
    int10(t, 0x0f00, 0, 0, 0);
}

static void do_palette(struct test *t)
{
    function(t, "AH=10h: palette and DAC");
    for (u16 n = 0; n < 16; n++) int10(t, 0x1000, (u16)(n << 8 | n), 0, 0);
    int10(t, 0x1001, 0x0200, 0, 0);
    for (u16 al = 2; al < 4; al++) int10(t, 0x1000 | al, 1, 0, 0);
    for (u16 n = 0; n < 16; n++) int10(t, 0x1007, n, 0, 0);
    for (u16 al = 8; al < 10; al++) int10(t, 0x1000 | al, 0, 0, 0);
    int10(t, 0x1010, 17, 0x1122, 0x3300);
    int10(t, 0x1015, 17, 0, 0);
    if (reg(t, ECX) != 0x1122 || reg(t, EDX) >> 8 != 0x33)
        bad(t, "%s: DAC 17 reads back %04x %04x", t->mode, reg(t, ECX), reg(t, EDX));
    int10(t, 0x1017, 0, 256, 0);
    int10(t, 0x1012, 0, 256, 0);
    for (u16 n = 0; n < 4; n++) int10(t, 0x1013, (u16)(n << 8 | (n & 1)), 0, 0);
    int10(t, 0x1013, 0x0001, 0, 0);
    int10(t, 0x1018, 0xff, 0, 0);
    int10(t, 0x1019, 0, 0, 0);
    int10(t, 0x101a, 0, 0, 0);
    int10(t, 0x101b, 0, 256, 0);
    int10(t, 0x10ff, 0, 0, 0);
}

static void do_fonts(struct test *t)
{
    function(t, "AH=11h: fonts");
    bool text = !strchr(t->mode, 'g');
    for (u16 al = 0; al < 5 && text; al++) {
        int10(t, 0x1100 | al, 0x1000, 32, 65);
        int10(t, 0x1110 | al, 0x1000, 32, 65);
    }
    if (text) int10(t, 0x1103, 0x0004, 0, 0);
    if (text) int10(t, 0x1114, 0, 0, 0);
    u32 v1f = ld32(t->w->mem + 0x7c), v43 = ld32(t->w->mem + 0x10c);
    int10(t, 0x1120, 0, 0, 0);
    for (u16 al = 1; al < 5; al++) int10(t, 0x1120 | al, 2, 16, 0);
    st32(t->w->mem + 0x7c, v1f);
    st32(t->w->mem + 0x10c, v43);
    for (u16 bh = 0; bh < 8; bh++) {
        int10(t, 0x1130, (u16)(bh << 8), 0, 0);
        if (bh >= 2 && t->c.sel[ES] != 0xc000) bad(t, "AX=1130h BH=%u: not in the ROM", bh);
    }
}

static void do_state(struct test *t)
{
    function(t, "AH=12h: alternate select");
    for (u16 bl = 0x10; bl < 0x38; bl++) {
        if (bl == 0x30 || bl == 0x31) continue; /* change the next mode set: done last */
        for (u16 al = 0; al < 2; al++) int10(t, 0x1200 | al, bl, 0, 0);
    }
    int10(t, 0x1200, 0x32, 0, 0);
    int10(t, 0x1201, 0x33, 0, 0);
    int10(t, 0x1200, 0x34, 0, 0);
    int10(t, 0x1200, 0x36, 0, 0);
    int10(t, 0x1200, 0x31, 0, 0);
    int10(t, 0x1202, 0x30, 0, 0);
    function(t, "AH=1Ah, 1Bh: what is there");
    int10(t, 0x1a00, 0, 0, 0);
    if ((u8)reg(t, EAX) != 0x1a) bad(t, "AX=1A00h is not supported");
    int10(t, 0x1a01, 8, 0, 0);
    int10(t, 0x1b00, 0, 0, 0);
    function(t, "AH=1Ch: save and restore");
    for (u16 cx = 0; cx < 8; cx++) {
        for (u16 al = 0; al < 3; al++) int10(t, 0x1c00 | al, 0, cx, 0);
    }
    function(t, "AH=14h-19h, 1Dh-4Eh, 50h-FFh: not there");
    for (u16 ah = 0x14; ah < 0x100; ah++) {
        if ((ah >= 0x1a && ah <= 0x1c) || ah == 0x4f) continue;
        int10(t, (u16)(ah << 8), 0, 0, 0);
    }
}

/* --- VBE --- */

static void do_controller(struct test *t)
{
    function(t, "AX=4F00h: controller");
    memset(buffer(t), 0xcc, 0x1000);
    expect(t, 0x4f, 0x4f00, 0, 0, 0);
    if (ld32(buffer(t)) != 0x41534556 || buffer(t)[256] != 0xcc) bad(t, "256-byte form");
    memcpy(buffer(t), "VBE2", 4);
    expect(t, 0x4f, 0x4f00, 0, 0, 0);
    u32 list = ld32(buffer(t) + 14);
    if (ld32(buffer(t)) != 0x41534556 || list >> 16 != BUFFER >> 4 || buffer(t)[512] != 0xcc)
        bad(t, "512-byte form");
    const u8 *p = buffer(t) + (list & 0xfff);
    for (t->n_modes = 0; t->n_modes < MAX_MODES && ld16(p) != 0xffff; p += 2)
        t->modes[t->n_modes++] = ld16(p);
    if (t->n_modes < 20) bad(t, "%u modes listed", t->n_modes);
}

static void do_mode_info(struct test *t)
{
    function(t, "AX=4F01h: mode information");
    for (unsigned k = 0; k < t->n_modes; k++) {
        for (u16 bit = 0; bit <= 0x4000; bit += 0x4000) {
            memset(buffer(t), 0xcc, 0x200);
            expect(t, 0x4f, 0x4f01, 0, t->modes[k] | bit, 0);
            if (buffer(t)[256] != 0xcc) bad(t, "mode %03x: more than 256 bytes", t->modes[k]);
            if (ld16(buffer(t)) & 0x80 && ld32(buffer(t) + 0x28) != WORLD_LFB)
                bad(t, "mode %03x: framebuffer at %08x", t->modes[k], ld32(buffer(t) + 0x28));
        }
    }
    for (u16 mode = 0; mode < 0x80; mode++) int10(t, 0x4f01, 0, mode, 0);
    expect(t, 0x14f, 0x4f01, 0, 0x3ff, 0);
    expect(t, 0x14f, 0x4f01, 0, 0x1fff, 0);
}

/* The picture is drawn as a whole: its size must be the mode's. */
static void check_picture(struct test *t, u32 width, u32 height)
{
    struct frame f = { 0 };
    vga_refresh(&t->w->vga, &f, true);
    if (f.width != width || f.height != height)
        bad(t, "%s: the picture is %ux%u, expected %ux%u", t->mode, f.width, f.height, width,
            height);
    free(f.pixels);
    free(f.text);
}

static void set_vbe(struct test *t, u16 mode, u16 bits)
{
    expect(t, 0x4f, 0x4f01, 0, mode, 0);
    u16 w = ld16(buffer(t) + 18), h = ld16(buffer(t) + 20);
    bool linear = ld16(buffer(t)) & 0x80;
    if (!linear) bits &= 0x8000;
    if (!expect(t, 0x4f, 0x4f02, mode | bits, 0, 0)) return;
    expect(t, 0x4f, 0x4f03, 0, 0, 0);
    /* Planar modes are the VGA's own, which note bit 15 where AH=0Fh tells it. */
    u16 want = linear ? mode | bits : mode;
    if (reg(t, EBX) != want) bad(t, "4F03h gives %04x, expected %04x", reg(t, EBX), want);
    check_picture(t, w, h);
}

static void do_mode_sets(struct test *t)
{
    static const u16 forms[] = { 0x4000, 0, 0xc000, 0x8000 };
    function(t, "AX=4F02h, 4F03h: every mode");
    for (unsigned k = 0; k < t->n_modes; k++) {
        for (unsigned f = 0; f < LEN(forms); f++) set_vbe(t, t->modes[k], forms[f]);
    }
    for (u16 m = 0; m <= 0x13; m++) expect(t, m > 7 && m < 13 ? 0x14f : 0x4f, 0x4f02, m, 0, 0);
    expect(t, 0x14f, 0x4f02, 0x41ff, 0, 0);
    expect(t, 0x14f, 0x4f02, 0x4102, 0, 0);
    static const u16 size[][3] = {
        { 0, 720, 400 }, { 1, 720, 400 }, { 2, 720, 400 }, { 3, 720, 400 }, { 4, 640, 400 },
        { 5, 640, 400 }, { 6, 640, 400 }, { 7, 720, 400 }, { 13, 640, 400 }, { 14, 640, 400 },
        { 15, 640, 350 }, { 16, 640, 350 }, { 17, 640, 480 }, { 18, 640, 480 }, { 19, 640, 400 },
        { 0x6a, 800, 600 },
    };
    function(t, "AH=00h: every mode");
    for (unsigned k = 0; k < LEN(size); k++) {
        for (u16 keep = 0; keep <= 0x80; keep += 0x80) {
            expect(t, 0x4f, 0x4f02, 0x4144, 0, 0); /* from a VBE mode as from others */
            int10(t, size[k][0] | keep, 0, 0, 0);
            if (t->w->mem[0x449] != size[k][0]) bad(t, "mode %02x was not set", size[k][0]);
            check_picture(t, size[k][1], size[k][2]);
        }
    }
    for (u16 m = 0; m < 0x80; m++) int10(t, m, 0, 0, 0);
    for (u16 lines = 0; lines < 3; lines++) { /* AH=12h BL=30h: of the text modes */
        static const u16 high[] = { 400, 350, 400 };
        int10(t, 0x1200 | lines, 0x30, 0, 0);
        int10(t, 3, 0, 0, 0);
        check_picture(t, lines == 2 ? 720 : 640, high[lines]);
        int10(t, 7, 0, 0, 0);
    }
}

static void do_far_window(struct test *t)
{
    struct in in = { 0, 0, 0, 3 };
    function(t, "window function called directly");
    expect(t, 0x4f, 0x4f01, 0, 0x144, 0);
    u32 at = ld32(buffer(t) + 12);
    start(t, in);
    stack_word(t, 0xffff);
    stack_word(t, 0xffff);
    t->c.ip = (u16)at;
    t->c.sel[CS] = (u16)(at >> 16);
    finish_call(t, in);
}

/* In a VBE mode and in others; the answers differ, the rules do not. */
static void do_vbe_more(struct test *t)
{
    bool vbe = strstr(t->mode, "dispi");
    function(t, "AX=4F04h: save and restore");
    for (u16 cx = 0; cx < 16; cx++) {
        for (u16 dl = 0; dl < 3; dl++) expect(t, 0x4f, 0x4f04, 0, cx, dl);
    }
    expect(t, 0x14f, 0x4f04, 0, 15, 3);
    function(t, "AX=4F05h: window");
    expect(t, vbe ? 0x4f : 0x34f, 0x4f05, 0, 0, 1);
    expect(t, vbe ? 0x4f : 0x34f, 0x4f05, 0x0100, 0, 0);
    if (vbe && reg(t, EDX) != 1) bad(t, "%s: bank reads back %u", t->mode, reg(t, EDX));
    int10(t, 0x4f05, 0, 0, 0xffff);
    int10(t, 0x4f05, 0, 0, 0);
    function(t, "AX=4F06h: line length");
    for (u16 bl = 0; bl < 5; bl++) int10(t, 0x4f06, bl, 2000, 0);
    function(t, "AX=4F07h: display start");
    int10(t, 0x4f07, 0, 8, 5);
    expect(t, vbe ? 0x4f : 0x34f, 0x4f07, 1, 0, 0);
    for (u16 bl = 0x80; bl < 0x84; bl++) int10(t, 0x4f07, bl, 0, 0);
    int10(t, 0x4f07, 0, 0xffff, 0xffff);
    int10(t, 0x4f07, 0, 0, 0);
    function(t, "AX=4F08h: DAC width");
    for (u16 bh = 4; bh < 10; bh++) int10(t, 0x4f08, (u16)(bh << 8), 0, 0);
    int10(t, 0x4f08, 0x0600, 0, 0);
    int10(t, 0x4f08, 1, 0, 0);
    function(t, "AX=4F09h: palette");
    for (u16 bl = 0; bl < 4; bl++) int10(t, 0x4f09, bl, 256, 0);
    int10(t, 0x4f09, 0x80, 16, 240);
    int10(t, 0x4f09, 0, 256, 1);
    function(t, "AX=4F0Ah: protected-mode interface");
    expect(t, 0x4f, 0x4f0a, 0, 0, 0);
    function(t, "AX=4F10h: power");
    for (u16 bx = 0; bx < 0x500; bx += 0x100) {
        for (u16 bl = 0; bl < 4; bl++) int10(t, 0x4f10, bx | bl, 0, 0);
    }
    int10(t, 0x4f10, 1, 0, 0);
    function(t, "AX=4F15h: display data");
    expect(t, 0x4f, 0x4f15, 0, 0, 0);
    expect(t, 0x4f, 0x4f15, 1, 0, 0);
    u8 sum = 0;
    for (unsigned k = 0; k < 128; k++) sum = (u8)(sum + buffer(t)[k]);
    if (sum || ld32(buffer(t)) != 0xffffff00) bad(t, "the EDID block is not one");
    expect(t, 0x14f, 0x4f15, 1, 0, 1);
    function(t, "AX=4F0Bh-4FFFh: not there");
    for (u16 al = 0x0b; al < 0x100; al++) {
        if (al != 0x10 && al != 0x15 && (u8)int10(t, 0x4f00 | al, 0, 0, 0) == 0x4f && al != 0x4f)
            bad(t, "AX=%04x claims to exist", 0x4f00 | al);
    }
}

/* --- situations --- */

static const struct situation {
    const char *name; /* 'g': pixels can be read back; "dispi": a mode of the DISPI registers */
    u16 ax, bx;
} situations[] = {
    { "text 80x25", 0x0003, 0 },
    { "text 40x25", 0x0001, 0 },
    { "mono text", 0x0007, 0 },
    { "graphics 04h", 0x0004, 0 },
    { "graphics 06h", 0x0006, 0 },
    { "graphics 0Dh", 0x000d, 0 },
    { "graphics 10h", 0x0010, 0 },
    { "graphics 12h", 0x0012, 0 },
    { "graphics 13h", 0x0013, 0 },
    { "planar graphics 102h", 0x4f02, 0x0102 },
    { "planar graphics 104h", 0x4f02, 0x0104 },
    { "dispi graphics 4144h", 0x4f02, 0x4144 },
    { "dispi graphics 0144h", 0x4f02, 0x0144 },
    { "dispi graphics 4105h", 0x4f02, 0x4105 },
    { "dispi graphics 0103h", 0x4f02, 0x0103 },
    { "dispi graphics 0115h", 0x4f02, 0x0115 },
    { "dispi graphics 4111h", 0x4f02, 0x4111 },
    { "dispi graphics 4110h", 0x4f02, 0x4110 },
};

static void run_all(struct test *t)
{
    static void (*const groups[])(struct test *) = {
        do_cursor, do_scroll, do_characters, do_pixels, do_palette,
        do_fonts,  do_state,  do_mode_info,  do_vbe_more,
    };
    t->mode = "first";
    do_controller(t);
    for (unsigned s = 0; s < LEN(situations); s++) {
        t->mode = situations[s].name;
        for (unsigned k = 0; k < LEN(groups); k++) {
            function(t, "AH=00h, AX=4F02h: between the others");
            int10(t, 3, 0, 0, 0);
            int10(t, situations[s].ax, situations[s].bx, 0, 0);
            groups[k](t);
        }
    }
    t->mode = "mode set";
    do_mode_sets(t);
    do_far_window(t);
}

/* --- the interpreter itself: it must refuse --- */

static const struct {
    const char *what, *why;
    u8 code[12];
} refused[] = {
    { "HLT", "HLT", { 0xf4 } },
    { "INT 15h", "INT of something else than 10h", { 0xcd, 0x15 } },
    { "opcode 82h", "82h alias", { 0x82, 0xc0, 1 } },
    { "LGDT", "system instruction", { 0x0f, 0x01, 0x16, 0, 0 } },
    { "MOV CR0", "opcode is not on the list", { 0x0f, 0x22, 0xc0 } },
    { "x87", "opcode is not on the list", { 0xdb, 0xe3 } },
    { "CMOVcc", "opcode is not on the list", { 0x0f, 0x44, 0xc1 } },
    { "CPUID", "opcode is not on the list", { 0x0f, 0xa2 } },
    { "BSWAP ECX", "opcode is not on the list", { 0x66, 0x0f, 0xc9 } },
    { "operand relative to ESP", "operand relative to ESP", { 0x67, 0x8b, 0x04, 0x24 } },
    { "32-bit LEA", "32-bit LEA", { 0x66, 0x67, 0x8d, 0x45, 4 } },
    { "32-bit CALL", "32-bit call", { 0x66, 0xe8, 0, 0, 0, 0 } },
    { "32-bit RET", "32-bit return", { 0x66, 0xc3 } },
    { "read of 0000:0000", "read of memory outside the list", { 0x31, 0xc0, 0x8e, 0xd8, 0xa1, 0, 0 } },
    { "read of E000:0000", "read of memory outside the list",
      { 0xb8, 0, 0xe0, 0x8e, 0xd8, 0xa1, 0, 0 } },
    { "write to the ROM", "write to memory that is only to be read", { 0x2e, 0xa2, 0, 0 } },
    { "port 70h", "write to a port outside the list", { 0xe6, 0x70 } },
    { "port CF8h", "read of a port outside the list", { 0xba, 0xf8, 0x0c, 0x66, 0xed } },
    { "port 60h", "read of a port outside the list", { 0xe4, 0x60 } },
    { "512 bytes of stack", "more than 512 bytes of stack", { 0x50, 0xeb, 0xfd } },
    { "endless loop", "did not return", { 0xeb, 0xfe } },
};

static void refusals(struct test *t)
{
    const struct in in = { 0, 0, 0, 0 };
    u8 *code = t->w->mem + 0xcff00, saved[12];
    memcpy(saved, code, sizeof(saved));
    for (unsigned k = 0; k < LEN(refused); k++) {
        memcpy(code, refused[k].code, sizeof(saved));
        start(t, in);
        t->c.sel[CS] = 0xc000;
        t->c.ip = 0xff00;
        bool ended = run(&t->c, 100000);
        bool ok = !ended && !strcmp(t->c.why, refused[k].why);
        printf("W7-231 %s the interpreter refuses: %s", ok ? "pass" : "fail", refused[k].what);
        if (!ok) printf(": got %s, expected %s", ended ? "no refusal" : t->c.why, refused[k].why);
        putchar('\n');
        t->fails += !ok;
    }
    memcpy(code, saved, sizeof(saved));
}

static unsigned scan_bad;

static void scan_refused(u16 ip, const u8 *bytes, const char *why)
{
    if (scan_bad++ >= 20) return;
    printf("W7-231 fail static scan: got %s at C000:%04x (", why, ip);
    for (unsigned k = 0; k < 8; k++) printf("%s%02x", k ? " " : "", bytes[k]);
    printf("), expected only allowed instructions\n");
}

static void scan_rom(struct test *t)
{
    const u8 *rom = t->w->mem + 0xc0000;
    u16 entries[2] = { ld16(t->w->mem + 0x40) };
    function(t, "AX=4F01h: mode information");
    int10(t, 0x4f01, 0, 0x144, 0);
    entries[1] = ld16(buffer(t) + 12);
    scan_bad = 0;
    unsigned n = scan(rom, entries, 2, scan_refused);
    if (!scan_bad && n > 1000)
        printf("W7-231 pass static scan: %u reachable instructions\n", n);
    else if (!scan_bad)
        printf("W7-231 fail static scan: got %u reachable instructions, expected more than 1000\n",
               n);
    else
        printf("W7-231 fail static scan: got %u forbidden instructions of %u, expected 0\n",
               scan_bad, n);
    t->fails += scan_bad != 0 || n <= 1000;
}

static void report(struct test *t)
{
    for (unsigned k = 0; k < t->n; k++) {
        const struct tally *y = &t->tallies[k];
        if (y->fails)
            printf("W7-231 fail %s: got %s (%u of %u calls), expected no violation\n", y->what,
                   y->first, y->fails, y->calls);
        else
            printf("W7-231 pass %s: %u calls, %u bytes of stack\n", y->what, y->calls, y->stack);
        t->fails += y->fails != 0;
    }
}

int main(int argc, char **argv)
{
    struct test *t = xalloc(sizeof(*t));
    if (argc != 2) return fprintf(stderr, "usage: int10 DUMP\n"), 2;
    t->w = world_create();
    t->mode = "start";
    if (world_read_dump(t->w, argv[1]))
        return fprintf(stderr, "int10: %s is no memory dump\n", argv[1]), 2;
    if (ld16(t->w->mem + 0x42) != 0xc000) {
        printf("W7-231 fail vector 10h: got segment %04x, expected C000\n",
               ld16(t->w->mem + 0x42));
        return 1;
    }
    refusals(t);
    scan_rom(t);
    run_all(t);
    report(t);
    unsigned fails = t->fails;
    world_destroy(t->w);
    free(t);
    return fails != 0;
}
