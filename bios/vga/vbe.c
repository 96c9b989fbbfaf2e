/* VBE 3.0, first part: controller and mode information, setting and naming modes (4F00h-4F03h).

   The mode table is fixed; what a machine offers of it depends on the memory that dispi index 0Ah
   reports. Numbers are VESA's up to 11Bh; 140h up are the customary ones of Bochs-type adapters.
   Attributes are those that Windows expects (docs: boot chain, video). */

#include "bios/vga/vga.h"

/* clang-format off */
#define FAMILY8(n8, w, h)                     { n8, w, h, 8 }
#define FAMILY_HI(n15, n16, n24, n32, w, h)   { n15, w, h, 15 }, { n16, w, h, 16 }, { n24, w, h, 24 }, { n32, w, h, 32 }
static const ROM struct vbe_mode vbe_modes[] ROMDATA = {
    FAMILY8(0x100,  640,  400),
    FAMILY8(0x101,  640,  480), { 0x102, 800, 600, 4 },
    FAMILY8(0x103,  800,  600), { 0x104, 1024, 768, 4 },
    FAMILY8(0x105, 1024,  768),
    FAMILY8(0x107, 1280, 1024),
    { 0x10d, 320, 200, 15 }, { 0x10e, 320, 200, 16 }, { 0x10f, 320, 200, 24 },
    FAMILY_HI(0x110, 0x111, 0x112, 0x142,  640,  480),
    FAMILY_HI(0x113, 0x114, 0x115, 0x143,  800,  600),
    FAMILY_HI(0x116, 0x117, 0x118, 0x144, 1024,  768),
    FAMILY_HI(0x119, 0x11a, 0x11b, 0x145, 1280, 1024),
    FAMILY8(0x11c, 1600, 1200),
    FAMILY_HI(0x11d, 0x11e, 0x11f, 0x147, 1600, 1200),
    { 0x140, 320, 200, 32 }, { 0x141, 640, 400, 32 }, { 0x146, 320, 200, 8 },
    FAMILY8(0x148, 1152,  864), FAMILY_HI(0x149, 0x14a, 0x14b, 0x14c, 1152,  864),
    FAMILY8(0x151, 1280,  720), FAMILY_HI(0x152, 0x153, 0x18e, 0x18f, 1280,  720),
    FAMILY8(0x154, 1920, 1080), FAMILY_HI(0x155, 0x156, 0x191, 0x192, 1920, 1080),
    FAMILY8(0x157, 1600,  900), FAMILY_HI(0x158, 0x159, 0x194, 0x195, 1600,  900),
    FAMILY8(0x15a, 1280,  768), FAMILY_HI(0x175, 0x176, 0x15b, 0x177, 1280,  768),
    FAMILY8(0x15c, 1280,  800), FAMILY_HI(0x178, 0x179, 0x15d, 0x17a, 1280,  800),
    FAMILY8(0x15e, 1280,  960), FAMILY_HI(0x17b, 0x17c, 0x15f, 0x17d, 1280,  960),
    FAMILY8(0x160, 1440,  900), FAMILY_HI(0x17e, 0x17f, 0x161, 0x180, 1440,  900),
    FAMILY8(0x162, 1400, 1050), FAMILY_HI(0x181, 0x182, 0x163, 0x183, 1400, 1050),
    FAMILY8(0x164, 1680, 1050), FAMILY_HI(0x184, 0x185, 0x165, 0x186, 1680, 1050),
    FAMILY8(0x166, 1920, 1200), FAMILY_HI(0x187, 0x188, 0x167, 0x189, 1920, 1200),
};


/* Red, green, blue and reserved: size and position. */
static const ROM u8 masks[4][8] ROMDATA = {
    { 5, 10, 5, 5, 5, 0, 1, 15 },
    { 5, 11, 6, 5, 5, 0, 0, 0 },
    { 8, 16, 8, 8, 8, 0, 0, 0 },
    { 8, 16, 8, 8, 8, 0, 8, 24 },
};
/* clang-format on */

static const ROM char oem_string[] ROMDATA = "aeropc video BIOS";
static const ROM char vendor_string[] ROMDATA = "aeropc";
static const ROM char product_string[] ROMDATA = "Standard VGA";
static const ROM char revision_string[] ROMDATA = "1.0";

/* Dispi modes only; 102h and 104h are set through the CRTC, as modes 6Ah and 6Bh of mode.c. */
u32 vbe_pitch(u16 width, u8 bpp) { return (u32)width * ((bpp + 7) / 8); }

static u8 planar_mode(const ROM struct vbe_mode *m)
{
    return m->width == 800 ? MODE_800 : MODE_1024;
}

static u32 memory_bytes(void) { return (u32)dispi_rd(DISPI_MEM_64K) << 16; }

static u32 mode_bytes(const ROM struct vbe_mode *m)
{
    return vbe_pitch(m->width, m->bpp) * m->height;
}

static int usable(const ROM struct vbe_mode *m) { return mode_bytes(m) <= memory_bytes(); }

const ROM struct vbe_mode *vbe_find(u16 number)
{
    if (!dispi_present()) return 0;
    for (u32 i = 0; i < LEN(vbe_modes); i++)
        if (vbe_modes[i].number == number) return usable(&vbe_modes[i]) ? &vbe_modes[i] : 0;
    return 0;
}

/* The mode the registers show, with bits 14 and 15 as they were asked for. */
u16 vbe_current(void)
{
    const u8 bda = bda8(BDA_MODE) & 0x7f;
    if (!dispi_active()) return bda == MODE_800 ? 0x102 : bda == MODE_1024 ? 0x104 : bda;
    const u16 w = dispi_rd(DISPI_XRES), h = dispi_rd(DISPI_YRES), enable = dispi_rd(DISPI_ENABLE);
    const u8 bpp = (u8)dispi_rd(DISPI_BPP);
    for (u32 i = 0; i < LEN(vbe_modes); i++) {
        const ROM struct vbe_mode *m = &vbe_modes[i];
        if (m->width == w && m->height == h && m->bpp == bpp)
            return m->number | (enable & DISPI_LFB ? 0x4000 : 0) |
                   (enable & DISPI_NOCLEAR ? 0x8000 : 0);
    }
    return bda;
}

/* --- 4F00h ------------------------------------------------------------------------------- */

static u16 put_string(u16 seg, u16 at, const ROM char *s)
{
    do st8(seg, at++, (u8)*s); while (*s++);
    return at;
}

/* A caller that knows VBE 2 says "VBE2" and has 512 bytes: strings go into the second half. */
static void controller_info(struct regs *r)
{
    const u16 seg = r->es, at = r->di;
    const int vbe2 = ld32(seg, at) == 0x32454256;
    if (!dispi_present()) return;
    far_fill8(seg, at, 0, vbe2 ? 512 : 256);
    st32(seg, at, 0x41534556);                              /* "VESA" */
    st16(seg, at + 4, 0x0300);
    st32(seg, at + 10, 1);                                  /* the DAC can be 8 bits wide */
    st16(seg, at + 18, dispi_rd(DISPI_MEM_64K));
    u16 text = at + (vbe2 ? 256 : 0xc0 + 34);
    u16 list = at + 34; /* the reserved part of the first half */
    st32(seg, at + 14, (u32)seg << 16 | list);
    st32(seg, at + 6, (u32)seg << 16 | text);
    text = put_string(seg, text, oem_string);
    if (vbe2) {
        st16(seg, at + 20, 0x0100);
        st32(seg, at + 22, (u32)seg << 16 | text);
        text = put_string(seg, text, vendor_string);
        st32(seg, at + 26, (u32)seg << 16 | text);
        text = put_string(seg, text, product_string);
        st32(seg, at + 30, (u32)seg << 16 | text);
        put_string(seg, text, revision_string);
    }
    /* 222 bytes hold 110 numbers; in 256 bytes the OEM string takes the last thirty. */
    const u16 end = at + (vbe2 ? 254 : 0xc0 + 32);
    for (u32 i = 0; i < LEN(vbe_modes) && list < end; i++) {
        if (!usable(&vbe_modes[i])) continue;
        st16(seg, list, vbe_modes[i].number);
        list += 2;
    }
    st16(seg, list, 0xffff);
    r->ax = 0x004f;
}

/* --- 4F01h ------------------------------------------------------------------------------- */

static void put_masks(u16 seg, u16 at, const ROM u8 *mask)
{
    for (u8 i = 0; i < 8; i++) st8(seg, at + i, mask[i]);
}

static void geometry(u16 seg, u16 at, u16 w, u16 h, u8 cw, u8 ch, u8 planes, u8 bpp, u8 model)
{
    st16(seg, at + 0x12, w);
    st16(seg, at + 0x14, h);
    st8(seg, at + 0x16, cw);
    st8(seg, at + 0x17, ch);
    st8(seg, at + 0x18, planes);
    st8(seg, at + 0x19, bpp);
    st8(seg, at + 0x1a, 1);                                 /* banks, in the CGA's sense */
    st8(seg, at + 0x1b, model);
    st8(seg, at + 0x1e, 1);
}

static void graphics_mode_info(const ROM struct vbe_mode *m, u16 seg, u16 at)
{
    extern void far_window(void);
    const u16 pitch = (u16)vbe_pitch(m->width, m->bpp);
    const u8 direct = m->bpp > 8;
    st16(seg, at, 0x00bb);
    st8(seg, at + 2, 7);
    st16(seg, at + 4, 64);
    st16(seg, at + 6, 64);
    st16(seg, at + 8, 0xa000);
    st32(seg, at + 12, (u32)rom_seg() << 16 | (u16)(u32)far_window);
    st16(seg, at + 16, pitch);
    geometry(seg, at, m->width, m->height, 8, 16, 1, m->bpp, direct ? 6 : 4);
    u32 pages = memory_bytes() / mode_bytes(m);
    pages = pages > 256 ? 255 : pages ? pages - 1 : 0;
    st8(seg, at + 0x1d, (u8)pages);
    st16(seg, at + 0x32, pitch);
    st8(seg, at + 0x34, (u8)pages);
    st8(seg, at + 0x35, (u8)pages);
    if (direct) {
        const ROM u8 *mask = masks[m->bpp == 15 ? 0 : m->bpp == 16 ? 1 : m->bpp == 24 ? 2 : 3];
        put_masks(seg, at + 0x1f, mask);
        put_masks(seg, at + 0x36, mask);
        st8(seg, at + 0x27, m->bpp == 32 || m->bpp == 15 ? 2 : 0);  /* reserved bits are free */
    }
    st32(seg, at + 0x28, lfb_base());
    st32(seg, at + 0x3e, 230000000);                        /* any pixel clock does */
}

static u16 vga_pitch(const ROM struct mode_info *m, u8 text_cols)
{
    if (m->model == MODEL_TEXT) return text_cols * 2;
    if (m->model == MODEL_LINEAR) return m->width;
    return m->model == MODEL_PLANAR ? m->width / 8 : 80;
}

static u8 vga_cell(const ROM struct mode_info *m)
{
    return m->model == MODEL_TEXT || m->height >= 480 ? 16 : m->height == 350 ? 14 : 8;
}

/* The VGA's own modes can be asked about as well; they have no linear form and no window function.
   The window has the size of what the mode decodes and never moves. */
static void vga_mode_info(const ROM struct mode_info *m, u16 seg, u16 at)
{
    static const ROM u8 bpp[] ROMDATA = { 4, 2, 1, 4, 8 }, model[] ROMDATA = { 0, 1, 1, 3, 4 };
    const u8 text = m->model == MODEL_TEXT, cols = m->mode < 2 ? 40 : 80;
    const u8 mono = m->mode == 7 || m->mode == 0x0f, planes = text || m->model == MODEL_PLANAR ? 4 : 1;
    const u8 kib = m->mode == MODE_1024 ? 128 : m->seg == 0xa000 ? 64 : 32;
    st16(seg, at, (text ? 0x0027 : 0x0033) | (mono ? 0 : 8));
    st8(seg, at + 2, 7);
    st16(seg, at + 4, kib);
    st16(seg, at + 6, kib);
    st16(seg, at + 8, m->seg);
    st16(seg, at + 16, vga_pitch(m, cols));
    geometry(seg, at, text ? cols : m->width, text ? 25 : m->height,
             text && bda8(BDA_MODESET) & 0x10 ? 9 : 8, vga_cell(m), planes,
             m->mode == 0x11 ? 1 : bpp[m->model], model[m->model]);
}

static void mode_info(struct regs *r)
{
    const u16 seg = r->es, at = r->di, number = r->cx & 0x3fff;
    const ROM struct vbe_mode *m = vbe_find(number);
    const ROM struct mode_info *v = 0;
    if (m && m->bpp == 4) v = find_mode(planar_mode(m));
    if (!m && number < 0x80) v = find_mode((u8)number);
    r->ax = 0x014f;
    if (!m && !v) return;
    far_fill8(seg, at, 0, 256);
    if (v)
        vga_mode_info(v, seg, at);
    else
        graphics_mode_info(m, seg, at);
    r->ax = 0x004f;
}

/* --- 4F02h, 4F03h ------------------------------------------------------------------------ */

static void enter(const ROM struct vbe_mode *m, u16 flags)
{
    set_mode(0x93);                         /* VGA state first: chain 4 and the 256 colours */
    dispi_wr(DISPI_XRES, m->width);
    dispi_wr(DISPI_YRES, m->height);
    dispi_wr(DISPI_BPP, m->bpp);
    dispi_wr(DISPI_VIRT_WIDTH, m->width);
    dispi_wr(DISPI_BANK, 0);
    dispi_wr(DISPI_ENABLE, DISPI_ON | flags);
    /* Some devices keep the sequencer of dispi modes apart and see only what is written now. */
    wr_seq(2, 15);
    wr_seq(4, 14);
    wr_seq(1, 1);
    dispi_wr(DISPI_VIRT_WIDTH, m->width);
    dispi_wr(DISPI_X_OFFSET, 0);
    dispi_wr(DISPI_Y_OFFSET, 0);
    set_bda8(BDA_CTL, (bda8(BDA_CTL) & 0x7f) | (flags & DISPI_NOCLEAR));
    finish_mode_bda(0x7f, m->width / 8, (u8)(m->height / 16), 16, 0);
    set_gfx_font(16);
}

/* True if the mode was set. Bit 15 keeps memory, 14 asks for the linear framebuffer, 11 brings CRTC
   timings, which a screen without a tube has no use for. */
int vbe_set(u16 bx)
{
    const u16 number = bx & 0x1ff;
    const ROM struct vbe_mode *m = vbe_find(number);
    if (m) {
        if (bx & 0x4000 && m->bpp == 4) return 0;
        if (m->bpp == 4) {
            set_mode(planar_mode(m) | (bx & 0x8000 ? 0x80 : 0));
            return 1;
        }
        enter(m, (bx & 0x4000 ? DISPI_LFB : 0) | (bx & 0x8000 ? DISPI_NOCLEAR : 0));
        return 1;
    }
    if (number > 0x7f || bx & 0x4000 || !find_mode((u8)number)) return 0;
    set_mode((u8)number | (bx & 0x8000 ? 0x80 : 0));
    return 1;
}

void int10_vbe(struct regs *r)
{
    switch (r->al) {
    case 0x00: controller_info(r); break;
    case 0x01: mode_info(r); break;
    case 0x02: r->ax = vbe_set(r->bx) ? 0x004f : 0x014f; break;
    case 0x03:
        r->bx = vbe_current();
        r->ax = 0x004f;
        break;
    default: vbe_more(r);
    }
}
