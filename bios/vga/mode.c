/* Mode setting: INT 10h AH=00h for the VGA's own modes, and start-up of the ROM.

   The register values of a mode are a row of the video parameter table, 64 bytes in the layout and
   order that IBM defined (programs find the table through the save pointer at 0040:00A8). A row
   serves several modes, and a text mode has three rows: 200, 350 and 400 lines, chosen by
   AH=12h BL=30h. Values are those of the IBM VGA technical reference. */

#include "bios/vga/vga.h"

struct param {
    u8 cols, rows_1, cheight;
    u8 page_len[2];
    u8 seq[4];
    u8 misc;
    u8 crtc[25];
    u8 attr[20];
    u8 gfx[9];
};
_Static_assert(sizeof(struct param) == 64, "IBM layout");

/* clang-format off */
#define W16(n) { (n) & 0xff, (n) >> 8 }
#define CRTC(ht, hd, bs, be, rs, re, vt, ov, sc, c0, c1, vs, ve, vd, of, un, bls, ble, mc) \
    { ht, hd, bs, be, rs, re, vt, ov, 0, sc, c0, c1, 0, 0, 0, 0, vs, ve, vd, of, un, bls, ble, mc, 0xff }
#define ATTR_CGA(mc, en) { 0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, mc, 0, en, 0 }
#define ATTR_EGA(mc, pan) { 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, mc, 0, 15, pan }
#define ATTR_4   { 0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 3, 0 }
#define ATTR_6   { 0, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 1, 0, 1, 0 }
#define ATTR_7(pan) { 0, 8, 8, 8, 8, 8, 8, 8, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x0e, 0, 15, pan }
#define ATTR_F   { 0, 8, 0, 0, 0x18, 0x18, 0, 0, 0, 8, 0, 0, 0, 0x18, 0, 0, 0x0b, 0, 5, 0 }
#define ATTR_11  { 0, 0x3f, 0, 0x3f, 0, 0x3f, 0, 0x3f, 0, 0x3f, 0, 0x3f, 0, 0x3f, 0, 0x3f, 1, 0, 15, 0 }
#define ATTR_13  { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 15, 0 }
#define GFX(mode, misc, dc) { 0, 0, 0, 0, 0, mode, misc, dc, 0xff }

#define TEXT40_200 { 40, 24, 8, W16(0x800), { 9, 3, 0, 2 }, 0x63, \
    CRTC(0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0xc7, 6, 7, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3), \
    ATTR_CGA(8, 15), GFX(0x10, 0x0e, 0) }
#define TEXT80_200 { 80, 24, 8, W16(0x1000), { 1, 3, 0, 2 }, 0x63, \
    CRTC(0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0xc7, 6, 7, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3), \
    ATTR_CGA(8, 15), GFX(0x10, 0x0e, 0) }
#define TEXT40_350 { 40, 24, 14, W16(0x800), { 9, 3, 0, 2 }, 0xa3, \
    CRTC(0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x4d, 0x0b, 0x0c, 0x83, 0x85, 0x5d, 0x14, 0x1f, 0x63, 0xba, 0xa3), \
    ATTR_EGA(8, 0), GFX(0x10, 0x0e, 0) }
#define TEXT80_350 { 80, 24, 14, W16(0x1000), { 1, 3, 0, 2 }, 0xa3, \
    CRTC(0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x4d, 0x0b, 0x0c, 0x83, 0x85, 0x5d, 0x28, 0x1f, 0x63, 0xba, 0xa3), \
    ATTR_EGA(8, 0), GFX(0x10, 0x0e, 0) }
#define PLANAR40_200 { 40, 24, 8, W16(0x2000), { 9, 15, 0, 6 }, 0x63, \
    CRTC(0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0xc0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xe3), \
    ATTR_CGA(1, 15), GFX(0, 5, 15) }
#define PLANAR80_200 { 80, 24, 8, W16(0x4000), { 1, 15, 0, 6 }, 0x63, \
    CRTC(0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0xc0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0, 0x96, 0xb9, 0xe3), \
    ATTR_CGA(1, 15), GFX(0, 5, 15) }
#define PLANAR80_350(misc, attr, dc) { 80, 24, 14, W16(0x8000), { 1, 15, 0, 6 }, misc, \
    CRTC(0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x40, 0, 0, 0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63, 0xba, 0xe3), \
    attr, GFX(0, 5, dc) }
#define PLANAR80_480(attr, dc, mc) { 80, 29, 16, W16(0xa000), { 1, 15, 0, 6 }, 0xe3, \
    CRTC(0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x40, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0, 0xe7, 0x04, mc), \
    attr, GFX(0, 5, dc) }

static const ROM struct param params[31] ROMDATA = {
    [0x00 ... 0x01] = TEXT40_200,
    [0x02 ... 0x03] = TEXT80_200,
    [0x04 ... 0x05] = { 40, 24, 8, W16(0x4000), { 9, 3, 0, 2 }, 0x63,
        CRTC(0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0xc1, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xa2),
        ATTR_4, GFX(0x30, 0x0f, 0) },
    [0x06] = { 80, 24, 8, W16(0x4000), { 1, 1, 0, 6 }, 0x63,
        CRTC(0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0xc1, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0, 0x96, 0xb9, 0xc2),
        ATTR_6, GFX(0, 0x0d, 0) },
    [0x07] = { 80, 24, 14, W16(0x1000), { 0, 3, 0, 2 }, 0xa6,
        CRTC(0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x4d, 0x0b, 0x0c, 0x83, 0x85, 0x5d, 0x28, 0x0d, 0x63, 0xba, 0xa3),
        ATTR_7(0), GFX(0x10, 0x0a, 0) },
    [0x08 ... 0x0c] = TEXT80_350,           /* never asked for: rows that IBM uses internally */
    [0x0d] = PLANAR40_200,
    [0x0e] = PLANAR80_200,
    [0x0f] = PLANAR80_350(0xa2, ATTR_F, 5),
    [0x10] = PLANAR80_350(0xa3, ATTR_EGA(1, 0), 15),
    [0x11] = PLANAR80_350(0xa2, ATTR_F, 5),
    [0x12] = PLANAR80_350(0xa3, ATTR_EGA(1, 0), 15),
    [0x13 ... 0x14] = TEXT40_350,
    [0x15 ... 0x16] = TEXT80_350,
    [0x17] = { 40, 24, 16, W16(0x800), { 8, 3, 0, 2 }, 0x67,
        CRTC(0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x4f, 0x0d, 0x0e, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3),
        ATTR_EGA(0x0c, 8), GFX(0x10, 0x0e, 0) },
    [0x18] = { 80, 24, 16, W16(0x1000), { 0, 3, 0, 2 }, 0x67,
        CRTC(0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x4f, 0x0d, 0x0e, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3),
        ATTR_EGA(0x0c, 8), GFX(0x10, 0x0e, 0) },
    [0x19] = { 80, 24, 16, W16(0x1000), { 0, 3, 0, 2 }, 0x66,
        CRTC(0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x4f, 0x0d, 0x0e, 0x9c, 0x8e, 0x8f, 0x28, 0x0f, 0x96, 0xb9, 0xa3),
        ATTR_7(8), GFX(0x10, 0x0a, 0) },
    [0x1a] = PLANAR80_480(ATTR_11, 1, 0xc3),
    [0x1b] = PLANAR80_480(ATTR_EGA(1, 0), 15, 0xe3),
    [0x1c] = { 40, 24, 8, W16(0xfa00), { 1, 15, 0, 14 }, 0x63,
        CRTC(0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x41, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3),
        ATTR_13, GFX(0x40, 5, 15) },
    /* Beyond IBM's table: VESA 102h (6Ah) and 104h. The latter needs both halves of the window. */
    [0x1d] = { 100, 36, 16, W16(0xea60), { 1, 15, 0, 6 }, 0x23,
        CRTC(0x7f, 0x63, 0x63, 0x83, 0x69, 0x19, 0x72, 0xf0, 0x60, 0, 0, 0x59, 0x8d, 0x57, 0x32, 0, 0x58, 0x73, 0xe3),
        ATTR_EGA(1, 0), GFX(0, 5, 15) },
    [0x1e] = { 128, 47, 16, W16(0), { 1, 15, 0, 6 }, 0x23,
        CRTC(0xa3, 0x7f, 0x7f, 0x87, 0x83, 0x94, 0x24, 0xfd, 0x60, 0, 0, 0x03, 0x89, 0xff, 0x40, 0, 0x00, 0x25, 0xe3),
        ATTR_EGA(1, 0), GFX(0, 1, 15) },
};

enum { DAC_MONO, DAC_CGA, DAC_EGA, DAC_256 };

static const ROM struct mode_info modes[] ROMDATA = {
    { 0x00, MODEL_TEXT,   DAC_EGA,  0x17, 0xb800,   0,   0 },
    { 0x01, MODEL_TEXT,   DAC_EGA,  0x17, 0xb800,   0,   0 },
    { 0x02, MODEL_TEXT,   DAC_EGA,  0x18, 0xb800,   0,   0 },
    { 0x03, MODEL_TEXT,   DAC_EGA,  0x18, 0xb800,   0,   0 },
    { 0x04, MODEL_CGA2,   DAC_CGA,  0x04, 0xb800, 320, 200 },
    { 0x05, MODEL_CGA2,   DAC_CGA,  0x05, 0xb800, 320, 200 },
    { 0x06, MODEL_CGA1,   DAC_CGA,  0x06, 0xb800, 640, 200 },
    { 0x07, MODEL_TEXT,   DAC_MONO, 0x19, 0xb000,   0,   0 },
    { 0x0d, MODEL_PLANAR, DAC_CGA,  0x0d, 0xa000, 320, 200 },
    { 0x0e, MODEL_PLANAR, DAC_CGA,  0x0e, 0xa000, 640, 200 },
    { 0x0f, MODEL_PLANAR, DAC_MONO, 0x11, 0xa000, 640, 350 },
    { 0x10, MODEL_PLANAR, DAC_EGA,  0x12, 0xa000, 640, 350 },
    { 0x11, MODEL_PLANAR, DAC_EGA,  0x1a, 0xa000, 640, 480 },
    { 0x12, MODEL_PLANAR, DAC_EGA,  0x1b, 0xa000, 640, 480 },
    { 0x13, MODEL_LINEAR, DAC_256,  0x1c, 0xa000, 320, 200 },
    { MODE_800, MODEL_PLANAR, DAC_EGA, 0x1d, 0xa000, 800, 600 },
    { MODE_1024, MODEL_PLANAR, DAC_EGA, 0x1e, 0xa000, 1024, 768 },
};

/* 256-colour palette: sixteen greys, then for each of three brightnesses and three saturations a
   circle of 24 hues. A row holds the five levels between the weakest and the strongest gun. */
static const ROM u8 greys[16] ROMDATA = { 0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63 };
static const ROM u8 hue_levels[9][5] ROMDATA = {
    { 0, 16, 31, 47, 63 }, { 31, 39, 47, 55, 63 }, { 45, 49, 54, 58, 63 },
    { 0, 7, 14, 21, 28 }, { 14, 17, 21, 24, 28 }, { 20, 22, 24, 26, 28 },
    { 0, 4, 8, 12, 16 }, { 8, 10, 12, 14, 16 }, { 11, 12, 13, 15, 16 },
};
/* clang-format on */

u32 rom_far(const ROM void *p) { return (u32)rom_seg() << 16 | (u16)(u32)p; }

/* Save pointer table (0040:00A8) and its secondary one: IBM's layout of far pointers. Only the
   parameter table and the display combination codes exist. */
static const ROM u8 dcc_table[4 + 2 * 4] ROMDATA = { 4, 1, 8, 0, 0, 0, 0, 7, 0, 8, 0, 0 };

const ROM struct mode_info *find_mode(u8 mode)
{
    for (u32 i = 0; i < LEN(modes); i++)
        if (modes[i].mode == mode) return &modes[i];
    return 0;
}

/* The parameter row of a mode: text modes follow the scan lines chosen by AH=12h BL=30h. */
u8 mode_param(const ROM struct mode_info *m)
{
    const u8 lines = bda8(BDA_MODESET) & 0x90;      /* bit 7: 200, bit 4: 400, none: 350 */
    if (m->model != MODEL_TEXT || lines & 0x10) return m->param;
    if (m->mode == 7) return 0x07;
    return lines & 0x80 ? m->mode : (u8)(0x13 + m->mode);
}

static void dac_rgb_bits(u8 i, u8 bits)     /* the EGA's rgbRGB */
{
    dac_write(i, (bits & 4 ? 42 : 0) + (bits & 0x20 ? 21 : 0),
              (bits & 2 ? 42 : 0) + (bits & 0x10 ? 21 : 0),
              (bits & 1 ? 42 : 0) + (bits & 8 ? 21 : 0));
}

static void dac_cga(u8 i, u8 color)         /* 0-7 dark, 8-15 bright; 6 is brown */
{
    if (color == 6)
        dac_rgb_bits(i, 0x14);
    else
        dac_rgb_bits(i, (color & 7) | (color & 8 ? 0x38 : 0));
}

static u8 hue_gun(const ROM u8 *level,
                  u8 step) /* 0-3 rising, 4-12 full, 13-15 falling, else weak */
{
    if (step < 4) return level[step];
    if (step <= 12) return level[4];
    return step < 16 ? level[16 - step] : level[0];
}

static void dac_256(void)
{
    for (u8 i = 0; i < 16; i++) dac_cga(i, i);
    for (u8 i = 0; i < 16; i++) dac_write(16 + i, greys[i], greys[i], greys[i]);
    u8 at = 32;
    for (u8 ring = 0; ring < 9; ring++) {
        const ROM u8 *level = hue_levels[ring];
        for (u8 h = 0; h < 24; h++, at++)       /* blue first, then through red and green */
            dac_write(at, hue_gun(level, h), hue_gun(level, (h + 16) % 24),
                      hue_gun(level, (h + 8) % 24));
    }
    for (u16 i = 248; i < 256; i++) dac_write((u8)i, 0, 0, 0);
}

void load_default_dac(u8 kind)
{
    outb(0x3c6, 0xff);
    if (kind == DAC_256) {
        dac_256();
    } else {
        for (u8 i = 0; i < 64; i++) {
            if (kind == DAC_EGA) dac_rgb_bits(i, i);
            if (kind == DAC_CGA) dac_cga(i, (i & 7) | (i & 0x10 ? 8 : 0));
            if (kind == DAC_MONO) dac_rgb_bits(i, (i & 8 ? 7 : 0) | (i & 0x10 ? 0x38 : 0));
        }
    }
    if (bda8(BDA_MODESET) & 2) grey_sum(0, kind == DAC_256 ? 256 : 64);
}

static void load_registers(const ROM struct param *p)
{
    wr_seq(0, 1);
    for (u8 i = 0; i < 4; i++) wr_seq(i + 1, i == 0 ? p->seq[0] | 0x20 : p->seq[i]);
    outb(0x3c2, p->misc);
    wr_seq(0, 3);
    wr_crtc(0x11, 0);                           /* lift the write protection of 0-7 */
    for (u8 i = 0; i < 25; i++) wr_crtc(i, p->crtc[i]);
    for (u8 i = 0; i < 9; i++) wr_gfx(i, p->gfx[i]);
    for (u8 i = 0; i < 20; i++) wr_attr(i, p->attr[i]);
    wr_attr(0x14, 0);
}

static void clear_memory(const ROM struct mode_info *m)
{
    if (m->model == MODEL_TEXT)
        far_fill16(m->seg, 0, 0x0720, 0x4000);
    else if (m->model == MODEL_CGA2 || m->model == MODEL_CGA1)
        far_fill16(m->seg, 0, 0, 0x4000);
    else
        far_fill16(m->seg, 0, 0, 0x8000);
    if (m->mode == MODE_1024) far_fill16(0xb000, 0, 0, 0x8000);
}

/* What every mode set leaves in the BIOS data area, VBE modes included. */
void finish_mode_bda(u8 mode, u16 cols, u8 rows, u16 cheight, u16 page_len)
{
    static const ROM u8 msr[8] ROMDATA = { 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29 };
    set_bda8(BDA_MODE, mode);
    set_bda16(BDA_COLS, cols);
    set_bda16(BDA_PAGE_LEN, page_len);
    set_bda16(BDA_PAGE_START, 0);
    for (u8 i = 0; i < 16; i += 2) set_bda16(BDA_CURSOR + i, 0);
    set_bda8(BDA_PAGE, 0);
    set_bda16(BDA_CRTC, crtc_port());
    set_bda8(BDA_MSR, msr[mode < 8 ? mode : 3]);
    set_bda8(BDA_CGA_PAL, mode == 6 ? 0x3f : 0x30);
    set_bda8(BDA_ROWS, rows - 1);
    set_bda16(BDA_CHEIGHT, cheight);
    /* Bit 1 is set by the monochrome modes, bit 7 by the caller who wants memory kept. */
    const u8 mono = crtc_port() == 0x3b4;
    set_bda8(BDA_CTL, (bda8(BDA_CTL) & ~2) | mono << 1);
    set_bda8(BDA_SWITCHES, mono ? 0xfb : 0xf9);
    set_bda8(BDA_EQUIP, (bda8(BDA_EQUIP) & ~0x30) | (mono ? 0x30 : 0x20));
}

void set_mode(u8 al)
{
    const ROM struct mode_info *m = find_mode(al & 0x7f);
    if (!m) return;
    const ROM struct param *p = &params[mode_param(m)];
    if (dispi_present()) dispi_wr(DISPI_ENABLE, 0);
    load_registers(p);
    if (!(bda8(BDA_MODESET) & 8)) {
        const u8 low_text = m->model == MODEL_TEXT && p->cheight == 8;
        load_default_dac(low_text ? DAC_CGA : m->dac);
    }
    set_bda8(BDA_CTL, 0x60 | (bda8(BDA_CTL) & 1) | (al & 0x80));
    if (!(al & 0x80)) clear_memory(m);
    if (m->model == MODEL_TEXT) load_rom_font(p->cheight, 0);
    finish_mode_bda(m->mode, p->cols, p->rows_1 + 1, p->cheight,
                    p->page_len[0] | p->page_len[1] << 8);
    set_bda16(BDA_SHAPE, m->model == MODEL_TEXT ? p->crtc[10] << 8 | p->crtc[11] : 0x0607);
    set_gfx_font(p->cheight);
    set_cursor(0, 0);
    attr_enable();
    wr_seq(1, p->seq[0]);
}

static void tables_at_post(void)
{
    /* The far pointers hold the segment the ROM was shadowed to, so the tables are in the BDA's
       neighbourhood only as pointers: the primary table is built in the ROM's own spare bytes. */
    const u16 seg = rom_seg();
    extern const ROM u8 save_table[];
    const u16 at = (u16)(u32)save_table;
    st32(seg, at, rom_far(params));
    st32(seg, at + 16, rom_far(save_table) + 28);
    st16(seg, at + 28, 26);
    st32(seg, at + 30, rom_far(dcc_table));
    st32(BDA, BDA_SAVEPTR, rom_far(save_table));
}

/* The bytes written once changed the sum; whoever looks at the shadow later finds zero again. */
static void fix_checksum(void)
{
    const u16 seg = rom_seg(), last = (u16)(ld8(seg, 2) * 512 - 1);
    u32 sum = 0;                            /* its low byte counts */
    u16 at = 0;
    do {
        const u32 four = ld32(seg, at);
        sum += four + (four >> 8) + (four >> 16) + (four >> 24);
        at += 4;
    } while ((u16)(at - 1) != last);
    st8(seg, last, ld8(seg, last) - (u8)sum);
}

void init_post(u16 bdf)
{
    extern void int10(void);
    st32(0, 4 * 0x10, (u32)rom_seg() << 16 | (u16)(u32)int10);
    font_vectors();
    tables_at_post();
    set_bda8(BDA_MODESET, 0x11);            /* 400 lines, VGA active */
    set_bda8(BDA_DCC, 0x01);                /* row of dcc_table: VGA with colour monitor */
    set_bda8(BDA_CTL, 0x60);
    read_edid_at_post(bdf);
    fix_checksum();
    set_mode(3);
}
