/* Golden pictures of scanout 0 (level 0): what the display shows of guest memory in each format and
 * pitch, and the cursor on top. Through the device in a machine without a CPU; PRESENT of targets
 * without guest memory through the executor alone. Document: the contract's part "PCI function and
 * registers", sections 7 and 10. The formulas are written out here. */
#include "tests/gpu/no_check.h"

#include "tests/gpu/golden.h"
#include "tests/unit/aerogpu_rig.h"

enum { WIDE = 48, HIGH = 32 };
#define FORMULA "formula of the contract, every bit"

static u32 rgb_of(u32 format, const u8 *p)
{
    u32 v = ld16(p);
    switch (format) {
    case 1:
    case 2:
    case 7:
    case 8: return (u32)p[2] << 16 | (u32)p[1] << 8 | p[0];
    case 5: return ((v >> 11) * 8 | (v >> 11) / 4) << 16 | ((v >> 5 & 63) * 4 | (v >> 5 & 63) / 16) << 8 | ((v & 31) * 8 | (v & 31) / 4);
    case 6: return ((v >> 10 & 31) * 8 | (v >> 10 & 31) / 4) << 16 | ((v >> 5 & 31) * 8 | (v >> 5 & 31) / 4) << 8 | ((v & 31) * 8 | (v & 31) / 4);
    default: return (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
    }
}

/* The device's picture, as a picture of this case, and against what the case worked out. */
static void look(struct gold *g, struct gpu *d, const u32 *want)
{
    const struct frame *f = picture(d);
    u32 got[WIDE * HIGH] = { 0 };
    gold_check(g, f->width == WIDE && f->height == HIGH, "%u x %u", f->width, f->height);
    if (g->failed) return;
    for (u32 k = 0; k < WIDE * HIGH; k++) {
        got[k] = f->pixels[k] & 0xffffff;
        gold_check(g, got[k] == want[k], "pixel %u,%u: %06x, not %06x", k % WIDE, k / WIDE, got[k], want[k]);
    }
    gold_picture(g, AGPU_FMT_B8G8R8X8, WIDE, HIGH, got);
}

static void fill(struct gold *g, struct gpu *d, u32 at, u32 bytes)
{
    for (u32 k = 0; k < bytes; k++) ram(d, at)[k] = (u8)gold_random(g);
}

static void shown(struct gpu *d, u32 format, u32 pitch, u32 *want)
{
    u32 bytes = format == 5 || format == 6 ? 2 : 4;
    for (u32 k = 0; k < WIDE * HIGH; k++) want[k] = rgb_of(format, ram(d, FB) + k / WIDE * pitch + k % WIDE * bytes);
}

static void format(struct gold *g, int f)
{
    struct gpu d;
    u32 want[WIDE * HIGH], pitch = WIDE * (f == 5 || f == 6 ? 2 : 4) + 64;
    gpu_up(&d);
    fill(g, &d, FB, pitch * HIGH);
    scanout(&d, WIDE, HIGH, (u32)f, pitch);
    shown(&d, (u32)f, pitch, want);
    look(g, &d, want);
    gpu_down(&d);
}

/* A flip to other memory and another pitch; then a few pixels change under the scanout. */
static void flip(struct gold *g, int arg)
{
    struct gpu d;
    u32 want[WIDE * HIGH];
    (void)arg;
    gpu_up(&d);
    fill(g, &d, FB, WIDE * 4 * HIGH);
    scanout(&d, WIDE, HIGH, AGPU_FMT_B8G8R8X8, WIDE * 4);
    picture(&d);
    fill(g, &d, FB + 0x20000, 512 * HIGH);
    W(&d, AGPU_R_SCAN_PITCH, 512);
    W(&d, AGPU_R_SCAN_GPA_LO, FB + 0x20000);
    W(&d, AGPU_R_SCAN_GPA_HI, 0);
    for (u32 k = 0; k < WIDE * HIGH; k++) want[k] = rgb_of(2, ram(&d, FB + 0x20000) + k / WIDE * 512 + k % WIDE * 4);
    look(g, &d, want);
    bus_write(&d.r.mem, FB + 0x20000 + 5 * 512 + 7 * 4, 0x123456, 4);
    want[5 * WIDE + 7] = 0x123456;
    look(g, &d, want);
    gpu_down(&d);
}

struct placed {
    i32 x, y;
    u32 hot_x, hot_y, width, height;
};

static void cursor_at(struct gold *g, struct gpu *d, u32 format, const struct placed *c)
{
    u32 pitch = c->width * 4 + 16;
    fill(g, d, CURSOR, pitch * c->height);
    W(d, AGPU_R_CURSOR_X, (u32)c->x);
    W(d, AGPU_R_CURSOR_Y, (u32)c->y);
    W(d, AGPU_R_CURSOR_HOT_X, c->hot_x);
    W(d, AGPU_R_CURSOR_HOT_Y, c->hot_y);
    W(d, AGPU_R_CURSOR_WIDTH, c->width);
    W(d, AGPU_R_CURSOR_HEIGHT, c->height);
    W(d, AGPU_R_CURSOR_FORMAT, format);
    W(d, AGPU_R_CURSOR_PITCH, pitch);
    W(d, AGPU_R_CURSOR_GPA_LO, CURSOR);
    W(d, AGPU_R_CURSOR_GPA_HI, 0);
    W(d, AGPU_R_CURSOR_ENABLE, 1);
}

/* Straight alpha, 255 in formats without it. */
static void compose(struct gpu *d, u32 format, const struct placed *c, u32 *want)
{
    for (u32 y = 0; y < c->height; y++) {
        for (u32 x = 0; x < c->width; x++) {
            i32 px = c->x - (i32)c->hot_x + (i32)x, py = c->y - (i32)c->hot_y + (i32)y;
            const u8 *p = ram(d, CURSOR) + y * (c->width * 4 + 16) + x * 4;
            u32 src = rgb_of(format, p), a = format % 2 == 0 ? 255 : p[3], out = 0;
            if (format >= 7) a = format == 8 || format == 10 ? 255 : p[3];
            if (px < 0 || py < 0 || px >= WIDE || py >= HIGH) continue;
            u32 dst = want[py * WIDE + px];
            for (u32 shift = 0; shift < 24; shift += 8) out |= ((src >> shift & 255) * a + (dst >> shift & 255) * (255 - a) + 127) / 255 << shift;
            want[py * WIDE + px] = out;
        }
    }
}

static void cursor_format(struct gold *g, int f)
{
    static const struct placed middle = { 20, 15, 3, 2, 16, 12 };
    struct gpu d;
    u32 want[WIDE * HIGH];
    gpu_up(&d);
    fill(g, &d, FB, WIDE * 4 * HIGH);
    scanout(&d, WIDE, HIGH, AGPU_FMT_B8G8R8X8, WIDE * 4);
    cursor_at(g, &d, (u32)f, &middle);
    shown(&d, 2, WIDE * 4, want);
    compose(&d, (u32)f, &middle, want);
    look(g, &d, want);
    gpu_down(&d);
}

static void cursor_place(struct gold *g, int which)
{
    static const struct placed places[] = { { -5, -4, 0, 0, 16, 16 }, { 40, 25, 0, 0, 20, 20 }, { 2, 1, 10, 8, 16, 16 }, { 60, 50, 0, 0, 8, 8 }, { -30, 10, 0, 0, 100, 4 } };
    struct gpu d;
    u32 want[WIDE * HIGH];
    gpu_up(&d);
    fill(g, &d, FB, WIDE * 2 * HIGH);
    scanout(&d, WIDE, HIGH, AGPU_FMT_B5G6R5, WIDE * 2);
    cursor_at(g, &d, AGPU_FMT_B8G8R8A8, &places[which]);
    shown(&d, 5, WIDE * 2, want);
    compose(&d, 1, &places[which], want);
    look(g, &d, want);
    gpu_down(&d);
}

/* ---- PRESENT of a target without guest memory: into the scanout's memory, in its format ---- */

static u32 channel(u32 v, u32 bits)
{
    return v >> (8 - bits);
}

static void present(struct gold *g, int to)
{
    u32 texels[WIDE * HIGH], bytes = to == 5 || to == 6 ? 2 : 4, pitch = 256;
    u8 out[WIDE * HIGH * 4];
    for (u32 k = 0; k < LEN(texels); k++) texels[k] = gold_random(g) * 0x9e3779b1u;
    gold_target(g, AGPU_FMT_B8G8R8A8, WIDE, HIGH, 0);
    gold_upload(g, H_COLOR, 0, texels, sizeof(texels));
    g->scanout = (struct exec_scanout){ ALLOC_A_GPA, WIDE - 8, HIGH + 5, (u32)to, pitch }; /* narrower and higher: the common part */
    memset(g->ram + ALLOC_A_GPA, 0x5a, pitch * (HIGH + 8));
    PUT(g, AGPU_PRESENT, 16, 0, 0);
    gold_submit(g);
    gold_check(g, !g->error, "%s", g->reason);
    for (u32 y = 0; y < HIGH; y++) {
        memcpy(out + y * WIDE * bytes, g->ram + ALLOC_A_GPA + y * pitch, WIDE * bytes);
        for (u32 x = 0; x < WIDE && !g->failed; x++) {
            u32 v = texels[y * WIDE + x], a = v >> 24, r = v >> 16 & 255, gr = v >> 8 & 255, b = v & 255, got = 0, want;
            memcpy(&got, out + (y * WIDE + x) * bytes, bytes);
            if (to == 5) want = channel(r, 5) << 11 | channel(gr, 6) << 5 | channel(b, 5);
            else if (to == 6) want = (u32)(a >= 128) << 15 | channel(r, 5) << 10 | channel(gr, 5) << 5 | channel(b, 5);
            else if (to == 3 || to == 9) want = a << 24 | b << 16 | gr << 8 | r;
            else if (to == 4 || to == 10) want = 0xff000000 | b << 16 | gr << 8 | r;
            else want = to == 2 || to == 8 ? v | 0xff000000 : v;
            if (x >= WIDE - 8) want = bytes == 2 ? 0x5a5a : 0x5a5a5a5a; /* beyond the scanout: as it was */
            gold_check(g, got == want, "pixel %u,%u: %08x, not %08x", x, y, got, want);
        }
    }
    gold_check(g, g->ram[ALLOC_A_GPA + HIGH * pitch] == 0x5a, "written below the target");
    gold_picture(g, (u32)to, WIDE, HIGH, out);
}

const struct golden_case golden_scanout[] = {
    { "l0_scanout_bgra", format, 1, FORMULA },
    { "l0_scanout_bgrx", format, 2, FORMULA },
    { "l0_scanout_rgba", format, 3, FORMULA },
    { "l0_scanout_rgbx", format, 4, FORMULA },
    { "l0_scanout_565", format, 5, FORMULA },
    { "l0_scanout_5551", format, 6, FORMULA },
    { "l0_scanout_bgra_srgb", format, 7, FORMULA },
    { "l0_scanout_bgrx_srgb", format, 8, FORMULA },
    { "l0_scanout_rgba_srgb", format, 9, FORMULA },
    { "l0_scanout_rgbx_srgb", format, 10, FORMULA },
    { "l0_flip_and_live", flip, 0, FORMULA },
    { "l0_cursor_bgra", cursor_format, 1, FORMULA },
    { "l0_cursor_bgrx", cursor_format, 2, FORMULA },
    { "l0_cursor_rgba", cursor_format, 3, FORMULA },
    { "l0_cursor_rgbx", cursor_format, 4, FORMULA },
    { "l0_cursor_rgba_srgb", cursor_format, 9, FORMULA },
    { "l0_cursor_top_left", cursor_place, 0, FORMULA },
    { "l0_cursor_bottom_right", cursor_place, 1, FORMULA },
    { "l0_cursor_hot_spot", cursor_place, 2, FORMULA },
    { "l0_cursor_outside", cursor_place, 3, FORMULA },
    { "l0_cursor_wider_than_screen", cursor_place, 4, FORMULA },
    { "l1_present_to_bgra", present, 1, FORMULA },
    { "l1_present_to_bgrx", present, 2, FORMULA },
    { "l1_present_to_rgbx", present, 4, FORMULA },
    { "l1_present_to_565", present, 5, FORMULA },
    { "l1_present_to_5551", present, 6, FORMULA },
    { NULL, NULL, 0, NULL },
};
