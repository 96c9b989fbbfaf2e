/* Bochs VBE registers, linear and banked framebuffer, BAR2 window, EDID; AeroGPU as the boot
 * display. */
#include "tests/unit/vga_rig.h"

#include "gpu/aerogpu.h"

static struct vga_rig r;
static struct board *b;

static void setup(void)
{
    r = rig_open();
    b = r.b;
}

static void teardown(void)
{
    rig_close(&r);
}

START_TEST(w7_235_identity_and_limits)
{
    ck_assert_uint_eq(rd_dispi(b, 0), 0xb0c5);
    wr_dispi(b, 0, 0xb0c2);
    ck_assert_uint_eq(rd_dispi(b, 0), 0xb0c2);
    wr_dispi(b, 0, 0x1234);
    ck_assert_uint_eq(rd_dispi(b, 0), 0xb0c2);
    ck_assert_uint_eq(rd_dispi(b, 10), 256); /* 16 MiB */
    ck_assert_uint_eq(rd_dispi(b, 0x10), RIG_LFB >> 16);
    ck_assert_uint_eq(rd_dispi(b, 0x11), 0);
    wr_dispi(b, 4, 2); /* GETCAPS */
    ck_assert_uint_eq(rd_dispi(b, 1), 2560);
    ck_assert_uint_eq(rd_dispi(b, 2), 1600);
    ck_assert_uint_eq(rd_dispi(b, 3), 32);
    wr_dispi(b, 4, 0);
    ck_assert_uint_eq(rd_dispi(b, 1), 0);
}
END_TEST

START_TEST(lfb_base_follows_the_bar)
{
    rig_cfg(&r, 0x60, PCI_BAR0, 0xe0000000);
    ck_assert_uint_eq(rd_dispi(b, 0x10), 0xe000);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO);
    ck_assert_uint_eq(rd_dispi(b, 0x10), 0);
}
END_TEST

START_TEST(linear_32_bits)
{
    vbe_mode(b, 1024, 768, 32, 0);
    ck_assert_uint_eq(rd_dispi(b, 4), 0x41);
    ck_assert_uint_eq(rd_dispi(b, 6), 1024);
    ck_assert_uint_eq(rd_dispi(b, 7), 4096);
    set_mem32(b, RIG_LFB + 4096 * 767 + 4 * 1023, 0xff123456);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 1024);
    ck_assert_uint_eq(f->height, 768);
    ck_assert_uint_eq(f->cols, 0);
    ck_assert_uint_eq(pixel(&r, 1023, 767) & 0xffffff, 0x123456);
}
END_TEST

START_TEST(other_depths)
{
    static const struct {
        u16 bpp;
        u32 raw, rgb;
    } depths[] = {
        { 15, 0x7c1f, 0xff00ff },     { 16, 0xf81f, 0xff00ff }, { 16, 0x07e0, 0x00ff00 },
        { 24, 0x00123456, 0x123456 }, { 8, 5, 0x141414 },
    };
    grey_dac(b);
    for (size_t n = 0; n < LEN(depths); n++) {
        u32 bytes = (depths[n].bpp + 7u) / 8;
        vbe_mode(b, 640, 480, depths[n].bpp, 0);
        for (u32 k = 0; k < bytes; k++)
            poke(&r, RIG_LFB + (640 * 2 + 3) * bytes + k, (u8)(depths[n].raw >> (8 * k)));
        picture(&r);
        ck_assert_uint_eq(pixel(&r, 3, 2), depths[n].rgb);
        ck_assert_uint_eq(pixel(&r, 4, 2), 0);
    }
}
END_TEST

START_TEST(eight_bit_dac)
{
    vbe_mode(b, 640, 480, 8, 0x20);
    out8(b, 0x3c8, 7);
    for (u8 n = 0; n < 3; n++) out8(b, 0x3c9, (u8)(0x80 + n));
    poke(&r, RIG_LFB, 7);
    picture(&r);
    ck_assert_uint_eq(pixel(&r, 0, 0), 0x808182);
}
END_TEST

START_TEST(enabling_clears_unless_told)
{
    vbe_mode(b, 640, 480, 32, 0);
    set_mem32(b, RIG_LFB, 0x123456);
    vbe_mode(b, 640, 480, 32, 0x80);
    ck_assert_uint_eq(mem32(b, RIG_LFB), 0x123456);
    ck_assert_uint_eq(rd_dispi(b, 4), 0xc1);
    vbe_mode(b, 640, 480, 32, 0);
    ck_assert_uint_eq(mem32(b, RIG_LFB), 0);
}
END_TEST

START_TEST(impossible_modes_stay_off)
{
    static const u16 modes[][3] = {
        { 640, 480, 7 }, { 0, 480, 32 }, { 640, 0, 32 }, { 2560, 1600, 64 }, { 640, 480, 0xffff }
    };
    for (size_t n = 0; n < LEN(modes); n++) {
        vbe_mode(b, modes[n][0], modes[n][1], modes[n][2], 0);
        ck_assert_uint_eq(rd_dispi(b, 4) & 1, 0);
    }
    vbe_mode(b, 2560, 1600, 32, 0);
    ck_assert_uint_eq(rd_dispi(b, 4) & 1, 1);
    wr_dispi(b, 1, 640); /* no change while on */
    ck_assert_uint_eq(rd_dispi(b, 1), 2560);
    wr_dispi(b, 4, 0);
    wr_dispi(b, 1, 2568); /* too wide: keeps the old value */
    ck_assert_uint_eq(rd_dispi(b, 1), 2560);
}
END_TEST

START_TEST(w7_235_virtual_screen_and_offsets)
{
    vbe_mode(b, 640, 480, 32, 0);
    wr_dispi(b, 6, 1000);
    ck_assert_uint_eq(rd_dispi(b, 6), 1000);
    ck_assert_uint_eq(rd_dispi(b, 7), 16 * MIB / 4000);
    wr_dispi(b, 8, 360);
    wr_dispi(b, 8, 361); /* sticks out */
    ck_assert_uint_eq(rd_dispi(b, 8), 360);
    wr_dispi(b, 9, 100);
    wr_dispi(b, 9, 0xffff);
    ck_assert_uint_eq(rd_dispi(b, 9), 100);
    set_mem32(b, RIG_LFB + 4000 * 100 + 4 * 360, 0xabcdef);
    picture(&r);
    ck_assert_uint_eq(pixel(&r, 0, 0) & 0xffffff, 0xabcdef);
    wr_dispi(b, 6, 0xffff); /* 256 KiB a line does not fit 480 lines */
    ck_assert_uint_eq(rd_dispi(b, 6), 1000);
}
END_TEST

START_TEST(w7_235_banked_window)
{
    out8(b, 0x3c2, 0x67);
    vbe_mode(b, 1024, 768, 32, 0);
    wr_dispi(b, 5, 3);
    poke(&r, 0xa0004, 0x5a);
    ck_assert_uint_eq(peek(&r, RIG_LFB + 0x30004), 0x5a);
    wr_dispi(b, 5, 256 + 2); /* wraps at the end of memory */
    ck_assert_uint_eq(rd_dispi(b, 5), 2);
    ck_assert_uint_eq(peek(&r, 0xa0004), 0);
    wr_dispi(b, 4, 0);
    wr_gc(b, 6, 5);
    wr_seq(b, 4, 6);
    wr_seq(b, 2, 1);
    wr_gc(b, 8, 0xff);
    poke(&r, 0xa0004, 0x77); /* the planes again: dword 4 */
    ck_assert_uint_eq(peek(&r, RIG_LFB + 16), 0x77);
}
END_TEST

START_TEST(planar_vbe_mode)
{
    set_mode(b, &mode_12);
    vbe_mode(b, 800, 600, 4, 0);
    wr_gc(b, 5, 2);
    wr_gc(b, 8, 0x80);
    peek(&r, 0xa0000 + 100);
    poke(&r, 0xa0000 + 100, 11);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 800);
    ck_assert_uint_eq(grey_at(&r, 0, 1), 11);
    ck_assert_uint_eq(grey_at(&r, 1, 1), 0);
}
END_TEST

/* The stop screen's way: a linear mode is on, the video BIOS switches it off and sets mode 12h. */
START_TEST(mode_12_after_a_linear_mode)
{
    vbe_mode(b, 1024, 768, 32, 0);
    set_mem32(b, RIG_LFB, 0xffffffff);
    wr_dispi(b, 4, 0);
    set_mode(b, &mode_12);
    wr_gc(b, 1, 15);
    for (u32 k = 0; k < 38400; k++) poke(&r, 0xa0000 + k, 0);
    wr_gc(b, 0, 1);
    wr_gc(b, 8, 0x40);
    peek(&r, 0xa0000);
    poke(&r, 0xa0000, 0xff);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 640);
    ck_assert_uint_eq(f->height, 480);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 1, 0), 1);
}
END_TEST

/* No DISPI register is touched: the sequencer's reset and the clock select end the linear mode. */
START_TEST(w7_232_mode_12_by_vga_registers_alone)
{
    vbe_mode(b, 1024, 768, 32, 0);
    out8(b, 0x3c2, 0x67); /* colour addresses, without a reset: the linear mode stays */
    ck_assert_uint_eq(rd_dispi(b, 4), 0x41);
    ck_assert_uint_eq(picture(&r)->width, 1024);
    wr_seq(b, 0, 1);
    ck_assert_uint_eq(rd_dispi(b, 4), 0x41);
    set_mode(b, &mode_12); /* the clock first, then the sequencer runs again */
    ck_assert_uint_eq(rd_dispi(b, 4) & 1, 0);
    for (u32 k = 0; k < 38400; k++) poke(&r, 0xa0000 + k, 0);
    wr_seq(b, 2, 5);
    poke(&r, 0xa0000 + 80, 0x81);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 640);
    ck_assert_uint_eq(f->height, 480);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 0, 1), 5);
    ck_assert_uint_eq(grey_at(&r, 1, 1), 0);
    ck_assert_uint_eq(grey_at(&r, 7, 1), 5);
    vbe_mode(b, 800, 600, 32, 0); /* and back */
    ck_assert_uint_eq(picture(&r)->width, 800);
}
END_TEST

START_TEST(w7_239_legacy_decode_follows_the_command_register)
{
    set_mode(b, &mode_03);
    poke(&r, 0xb8000, 0x5a);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0xff);
    ck_assert_uint_eq(in8(b, 0x3cc), 0x67);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_MEM);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0x5a);
    ck_assert_uint_eq(in8(b, 0x3cc), 0xff);
    ck_assert_uint_eq(in8(b, 0x3b4), 0xff);
    ck_assert_uint_eq(in16(b, 0x1ce), 0xffff);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    vbe_mode(b, 640, 480, 8, 0);
    poke(&r, 0xa0000, 0x33); /* through the bank, which is a mapping of its own */
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0xff);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0x33);
    ck_assert_uint_eq(picture(&r)->width, 640); /* what is shown does not depend on it */
}
END_TEST

START_TEST(draws_only_for_visible_memory)
{
    vbe_mode(b, 640, 480, 32, 0);
    ck_assert(display_refresh(r.display, false));
    ck_assert(!display_refresh(r.display, false));
    set_mem32(b, RIG_LFB + 640 * 480 * 4 + 0x10000, 1);
    ck_assert(!display_refresh(r.display, false));
    set_mem32(b, RIG_LFB + 640 * 480 * 4 - 4, 1);
    ck_assert(display_refresh(r.display, false));
    wr_dispi(b, 5, 1);
    wr_dispi(b, 9, 0);
    ck_assert(!display_refresh(r.display, false));
    poke(&r, 0xa0000, 1);
    ck_assert(display_refresh(r.display, false));
    wr_dispi(b, 9, 1);
    ck_assert(display_refresh(r.display, false));
}
END_TEST

START_TEST(w7_235_register_window)
{
    ck_assert_uint_eq(mem32(b, RIG_REGS + 0x500) & 0xffff, 0xb0c5);
    bus_write(&b->mem, RIG_REGS + 0x502, 800, 2);
    bus_write(&b->mem, RIG_REGS + 0x504, 600, 2);
    bus_write(&b->mem, RIG_REGS + 0x506, 32, 2);
    bus_write(&b->mem, RIG_REGS + 0x508, 0x41, 2);
    ck_assert_uint_eq(rd_dispi(b, 1), 800);
    ck_assert_uint_eq(mem32(b, RIG_REGS + 0x504), 600 | 32 << 16);
    ck_assert_uint_eq(picture(&r)->height, 600);
    bus_write(&b->mem, RIG_REGS + 0x402, 0x67, 1); /* 3C2h */
    ck_assert_uint_eq(in8(b, 0x3cc), 0x67);
    ck_assert_uint_eq(peek(&r, RIG_REGS + 0x40c), 0x67);
    ck_assert_uint_eq(mem32(b, RIG_REGS + 0x600), 8);
    ck_assert_uint_eq(mem32(b, RIG_REGS + 0x604), 0x1e1e1e1e);
}
END_TEST

START_TEST(edid_block)
{
    u8 e[128], sum = 0;
    for (u32 n = 0; n < 128; n++) sum = (u8)(sum + (e[n] = peek(&r, RIG_REGS + n)));
    ck_assert_mem_eq(e, "\0\377\377\377\377\377\377\0", 8);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(e[18], 1);
    ck_assert_uint_eq(e[126], 0);
    ck_assert_uint_eq(ld16(e + 54), 6500);
    ck_assert_uint_eq(e[56] | (e[58] & 0xf0) << 4, 1024);
    ck_assert_uint_eq(e[59] | (e[61] & 0xf0) << 4, 768);
    for (u32 at = 72; at < 126; at += 18)
        ck_assert_uint_eq(ld16(e + at), 0); /* display descriptors */
    ck_assert_uint_eq(e[72 + 3], 0xfc);
    ck_assert_uint_eq((e[8] << 8 | e[9]) & 0x8000, 0);
    /* "APC": letters of 5 bits, big-endian */
    ck_assert_uint_eq(e[8] << 8 | e[9], 1 << 10 | 16 << 5 | 3);
}
END_TEST

START_TEST(reset_turns_vbe_off)
{
    vbe_mode(b, 640, 480, 32, 0);
    set_mem32(b, RIG_LFB, 7);
    r.vga->cls->reset(r.vga, RESET_WARM);
    rig_cfg(&r, 0x60, PCI_BAR0, RIG_LFB);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    ck_assert_uint_eq(rd_dispi(b, 4), 0);
    ck_assert_uint_eq(rd_dispi(b, 1), 0);
    ck_assert_uint_eq(mem32(b, RIG_LFB), 0);
}
END_TEST

START_TEST(hostile_dispi)
{
    u32 x = 7;
    for (unsigned n = 0; n < 20000; n++) {
        x = x * 1664525 + 1013904223;
        u16 index = x >> 16 & 0x1f, value = index == 4   ? x >> 24
                                            : index == 3 ? 8 * (x >> 24 & 7)
                                                         : x >> 20;
        wr_dispi(b, index, value);
        rd_dispi(b, index);
        if (n % 16 == 0) poke(&r, 0xa0000 + (x >> 15), 1);
        if (n % 512 == 0) picture(&r);
    }
}
END_TEST

/* --- AeroGPU as the boot display --- */

enum { BAR1 = 0xe8000000 };

static struct device *agpu(bool with_vga)
{
    if (!with_vga) { /* profile aerogpu: no Standard VGA */
        device_destroy(b->devices[--b->n_devices]);
        display_destroy(r.display);
        r.display = display_create();
    }
    struct device *g = board_add(b, &aerogpu_class);
    device_set_ptr(g, "pci", r.pci);
    device_set_ptr(g, "display", r.display);
    ck_assert_int_eq(device_set_option(g, "legacy", with_vga ? "off" : "on", NULL), 0);
    board_start(b, g);
    rig_cfg(&r, 0x38, PCI_BAR0 + 4, BAR1);
    rig_cfg(&r, 0x38, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    return g;
}

START_TEST(aerogpu_has_the_framebuffer_behind_its_planes)
{
    agpu(false);
    ck_assert_uint_eq(rd_dispi(b, 10), 0x3fc);
    ck_assert_uint_eq(rd_dispi(b, 0x10), (BAR1 + 0x40000u) >> 16);
    vbe_mode(b, 800, 600, 32, 0);
    set_mem32(b, BAR1 + 0x40000 + 4, 0x00c0ffee);
    poke(&r, 0xa0000, 0x11);
    wr_dispi(b, 5, 1);
    poke(&r, 0xa0000, 0x22);
    ck_assert_uint_eq(peek(&r, BAR1 + 0x40000), 0x11);
    ck_assert_uint_eq(peek(&r, BAR1 + 0x50000), 0x22);
    ck_assert_uint_eq(picture(&r)->width, 800);
    ck_assert_uint_eq(pixel(&r, 1, 0), 0xc0ffee);
    wr_dispi(b, 4, 0);
    set_mode(b, &mode_03);
    poke(&r, 0xb8000, 'x');
    ck_assert_uint_eq(peek(&r, BAR1), 'x');
    ck_assert_uint_eq(picture(&r)->text[0], 'x');
    set_mem32(b, BAR1 + 64 * MIB - 4, 5);
    ck_assert_uint_eq(mem32(b, BAR1 + 64 * MIB - 4), 5);
}
END_TEST

START_TEST(w7_239_aerogpu_beside_standard_vga_decodes_nothing)
{
    agpu(true);
    set_mode(b, &mode_03);
    poke(&r, 0xb8000, 0x5a);
    rig_cfg(&r, 0x60, PCI_COMMAND, 0);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0xff); /* it does not step in */
    ck_assert_uint_eq(in8(b, 0x3cc), 0xff);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    rig_cfg(&r, 0x38, PCI_COMMAND, 0);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0x5a);
    rig_cfg(&r, 0x38, PCI_COMMAND, PCI_CMD_MEM);
    ck_assert_uint_eq(rd_dispi(b, 10), 256);
    vbe_mode(b, 640, 480, 32, 0);
    ck_assert_uint_eq(picture(&r)->width, 640);
    ck_assert_uint_eq(mem32(b, BAR1), 0);
}
END_TEST

UNIT_SUITE(vbe, w7_235_identity_and_limits, lfb_base_follows_the_bar, linear_32_bits, other_depths,
           eight_bit_dac, enabling_clears_unless_told, impossible_modes_stay_off,
           w7_235_virtual_screen_and_offsets, w7_235_banked_window, planar_vbe_mode,
           mode_12_after_a_linear_mode, w7_232_mode_12_by_vga_registers_alone,
           w7_239_legacy_decode_follows_the_command_register, draws_only_for_visible_memory,
           w7_235_register_window, edid_block, reset_turns_vbe_off, hostile_dispi,
           aerogpu_has_the_framebuffer_behind_its_planes,
           w7_239_aerogpu_beside_standard_vga_decodes_nothing)
