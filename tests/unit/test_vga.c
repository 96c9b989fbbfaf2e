/* VGA: memory window, text and graphics modes as pictures, registers, retrace, DAC, redraw only on
 * change. */
#include "tests/unit/vga_rig.h"

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

/* One glyph line into plane 2, as video BIOSes load fonts. */
static void glyph_line(u8 ch, u8 line, u8 bits)
{
    wr_seq(b, 2, 4);
    wr_seq(b, 4, 6);
    wr_gc(b, 5, 0);
    wr_gc(b, 6, 4);
    poke(&r, 0xa0000u + ch * 32u + line, bits);
    wr_seq(b, 2, 3);
    wr_seq(b, 4, 2);
    wr_gc(b, 5, 0x10);
    wr_gc(b, 6, 0x0e);
}

static void put_char(u32 pos, u8 ch, u8 attr)
{
    poke(&r, 0xb8000 + pos * 2, ch);
    poke(&r, 0xb8001 + pos * 2, attr);
}

static void cursor_off(void)
{
    wr_crtc(b, 0x0a, 0x20);
}

START_TEST(reset_state)
{
    ck_assert_uint_eq(in8(b, 0x3cc), 0);
    ck_assert_uint_eq(in8(b, 0x3d4), 0xff); /* monochrome addresses until misc bit 0 */
    ck_assert_uint_eq(in8(b, 0x3b4), 0);
    ck_assert_uint_eq(in8(b, 0x3c6), 0xff);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0xff); /* RAM disabled */
    picture(&r);
    ck_assert_uint_eq(pixel(&r, 0, 0), 0);
}
END_TEST

START_TEST(crtc_protection_spares_line_compare)
{
    out8(b, 0x3c2, 0x67);
    wr_crtc(b, 0x00, 0x5f);
    wr_crtc(b, 0x11, 0x80);
    wr_crtc(b, 0x00, 0x11);
    wr_crtc(b, 0x07, 0xff);
    out8(b, 0x3d4, 0);
    ck_assert_uint_eq(in8(b, 0x3d5), 0x5f);
    out8(b, 0x3d4, 7);
    ck_assert_uint_eq(in8(b, 0x3d5), 0x10);
    wr_crtc(b, 0x30, 0x55); /* no such register */
    ck_assert_uint_eq(in8(b, 0x3d5), 0);
}
END_TEST

START_TEST(w7_234_attribute_flip_flop_and_palette_lock)
{
    out8(b, 0x3c2, 0x67);
    wr_attr(b, 3, 0xff);
    ck_assert_uint_eq(in8(b, 0x3c1), 0x3f);
    wr_attr(b, 0x23, 0); /* the palette belongs to the picture now */
    ck_assert_uint_eq(in8(b, 0x3c0), 0x23);
    ck_assert_uint_eq(in8(b, 0x3c1), 0x3f);
    wr_attr(b, 0x2 | 0x30, 5); /* registers from 10h on stay writable */
    ck_assert_uint_eq(in8(b, 0x3c1), 5);
}
END_TEST

START_TEST(w7_234_dac_reads_back_and_counts)
{
    out8(b, 0x3c8, 0xff);
    for (u8 n = 1; n <= 6; n++) out8(b, 0x3c9, (u8)(n | 0xc0));
    ck_assert_uint_eq(in8(b, 0x3c8), 1);
    out8(b, 0x3c7, 0xff);
    ck_assert_uint_eq(in8(b, 0x3c7), 3);
    for (u8 n = 1; n <= 6; n++) ck_assert_uint_eq(in8(b, 0x3c9), n);
    out8(b, 0x3c8, 0);
    ck_assert_uint_eq(in8(b, 0x3c7), 0);
}
END_TEST

START_TEST(w7_234_retrace_bits_follow_the_frame)
{
    set_mode(b, &mode_03);
    unsigned in_retrace = 0, blank = 0, starts = 0;
    u8 old = 0;
    for (unsigned n = 0; n < 4490;
         n++) { /* ten lines at a time would miss it: 1/10 line steps, one frame */
        u8 s = in8(b, 0x3da);
        if (s & 8) {
            in_retrace++;
            ck_assert_uint_eq(s & 1, 1);
        }
        starts += (s & 8) && !(old & 8);
        blank += s & 1;
        old = s;
        advance_ns(b, 3178);
    }
    ck_assert_uint_eq(starts, 1);
    ck_assert_uint_ge(in_retrace, 18);
    ck_assert_uint_le(in_retrace, 22);
    ck_assert_uint_ge(blank, 490 + 2 * 400); /* 49 blank lines and the end of 400 others */
}
END_TEST

START_TEST(w7_234_retrace_happens_whatever_the_crtc_says)
{
    out8(b, 0x3c2, 0x67);
    for (u8 n = 0; n < 25; n++) wr_crtc(b, n, 0xff);
    bool on = false, off = false;
    for (unsigned n = 0; n < 2000; n++, advance_ns(b, 31000))
        in8(b, 0x3da) & 8 ? (on = true) : (off = true);
    ck_assert(on && off);
}
END_TEST

START_TEST(w7_233_text_mode_draws_glyphs_and_attributes)
{
    set_mode(b, &mode_03);
    cursor_off();
    glyph_line('A', 0, 0x81);
    glyph_line(0xc4, 0, 0x01);
    put_char(0, 'A', 0x1e);
    put_char(1, 0xc4, 0x07);
    put_char(81, 'A', 0x70);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 720);
    ck_assert_uint_eq(f->height, 400);
    ck_assert_uint_eq(f->cols, 80);
    ck_assert_uint_eq(f->rows, 25);
    ck_assert_uint_eq(f->text[0], 'A');
    ck_assert_uint_eq(f->text[81], 'A');
    ck_assert_uint_eq(grey_at(&r, 0, 0), 14);
    ck_assert_uint_eq(grey_at(&r, 1, 0), 1);
    ck_assert_uint_eq(grey_at(&r, 7, 0), 14);
    ck_assert_uint_eq(grey_at(&r, 8, 0), 1);  /* the ninth dot is background */
    ck_assert_uint_eq(grey_at(&r, 16, 0), 7); /* but for line-drawing characters */
    ck_assert_uint_eq(grey_at(&r, 17, 0), 7);
    ck_assert_uint_eq(grey_at(&r, 9, 16), 0);
    ck_assert_uint_eq(grey_at(&r, 10, 16), 7);
}
END_TEST

START_TEST(w7_233_cursor_shape_rules)
{
    static const struct {
        u8 start, end, first, last;
    } shapes[] = {
        { 13, 14, 13, 14 }, { 0, 31, 0, 15 },   { 14, 13, 1, 0 },
        { 0x2d, 14, 1, 0 }, { 15, 15, 15, 15 }, { 16, 20, 1, 0 },
    };
    set_mode(b, &mode_03);
    put_char(0, 0, 0x07);
    for (size_t n = 0; n < LEN(shapes); n++) {
        wr_crtc(b, 0x0a, shapes[n].start);
        wr_crtc(b, 0x0b, shapes[n].end);
        picture(&r);
        for (u32 y = 0; y < 16; y++) {
            unsigned want = y >= shapes[n].first && y <= shapes[n].last ? 7 : 0;
            ck_assert_uint_eq(grey_at(&r, 0, y), want);
            ck_assert_uint_eq(grey_at(&r, 8, y), want);
        }
    }
}
END_TEST

START_TEST(w7_233_cursor_and_characters_blink)
{
    set_mode(b, &mode_03);
    glyph_line('B', 5, 0xff);
    put_char(0, 0, 7);
    put_char(1, 'B', 0x87);
    unsigned cursor = 0, chars = 0;
    for (unsigned n = 0; n < 8; n++, advance_ns(b, 266666667)) {
        picture(&r);
        cursor += grey_at(&r, 0, 14) == 7;
        chars += grey_at(&r, 9, 5) == 7;
    }
    ck_assert_uint_eq(cursor, 4);
    ck_assert_uint_eq(chars, 4);
    wr_attr(b, 0x10, 0x04); /* intensity instead */
    vga_screen(b, true);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 9, 5), 7);
    ck_assert_uint_eq(grey_at(&r, 9, 0), 8);
}
END_TEST

START_TEST(w7_233_second_font_by_attribute_bit_3)
{
    set_mode(b, &mode_03);
    cursor_off();
    wr_seq(b, 3, 0x04); /* bit 3 set: map 1 at 16 KiB; clear: map 0 */
    glyph_line('A', 0, 0);
    wr_seq(b, 2, 4), wr_seq(b, 4, 6), wr_gc(b, 5, 0), wr_gc(b, 6, 4);
    poke(&r, 0xa0000 + 0x4000 + 'A' * 32, 0xff);
    wr_seq(b, 2, 3), wr_seq(b, 4, 2), wr_gc(b, 5, 0x10), wr_gc(b, 6, 0x0e);
    put_char(0, 'A', 0x07);
    put_char(1, 'A', 0x0f);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 9, 0), 15);
}
END_TEST

START_TEST(mono_underline)
{
    set_mode(b, &mode_03);
    cursor_off();
    wr_attr(b, 0x10, 0x0e);
    vga_screen(b, true);
    wr_crtc(b, 0x14, 13);
    put_char(0, 0, 0x01);
    put_char(1, 0, 0x07);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 8, 13), 1);
    ck_assert_uint_eq(grey_at(&r, 0, 12), 0);
    ck_assert_uint_eq(grey_at(&r, 9, 13), 0);
}
END_TEST

START_TEST(text_scrolls_by_lines_and_dots)
{
    set_mode(b, &mode_03);
    cursor_off();
    glyph_line('A', 3, 0xff);
    put_char(81, 'A', 0x07);
    wr_crtc(b, 8, 3); /* preset row scan: three lines up */
    wr_crtc(b, 0x0d, 80);
    wr_attr(b, 0x13, 1); /* two dots left */
    vga_screen(b, true);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 7, 0), 7);
    ck_assert_uint_eq(grey_at(&r, 6, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 14, 0), 7);
    ck_assert_uint_eq(grey_at(&r, 15, 0), 0);
    wr_crtc(b, 8, 0x23); /* and one character by byte panning */
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 7);
}
END_TEST

START_TEST(split_screen)
{
    set_mode(b, &mode_03);
    cursor_off();
    glyph_line('A', 0, 0xff);
    put_char(0, 'A', 7);
    wr_crtc(b, 0x0d, 80); /* row 0 is above the picture */
    wr_crtc(b, 0x18, 199);
    wr_crtc(b, 0x07, 0x0f);
    wr_crtc(b, 0x09, 0x0f);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 0, 199), 0);
    ck_assert_uint_eq(grey_at(&r, 0, 200), 7);
    ck_assert_uint_eq(grey_at(&r, 0, 201), 0);
}
END_TEST

START_TEST(forty_columns_and_200_lines_are_doubled)
{
    set_mode(b, &mode_03);
    cursor_off();
    wr_seq(b, 1, 9);
    wr_crtc(b, 0x11, 0); /* unlocks */
    wr_crtc(b, 1, 39);
    wr_crtc(b, 9, 0xc7);
    wr_attr(b, 0x10, 8);
    vga_screen(b, true);
    glyph_line('A', 1, 0x80);
    put_char(0, 'A', 7);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 640);
    ck_assert_uint_eq(f->rows, 25);
    ck_assert_uint_eq(grey_at(&r, 0, 1), 0);
    for (u32 y = 2; y < 4; y++) {
        ck_assert_uint_eq(grey_at(&r, 0, y), 7);
        ck_assert_uint_eq(grey_at(&r, 1, y), 7);
        ck_assert_uint_eq(grey_at(&r, 2, y), 0);
    }
}
END_TEST

START_TEST(w7_232_write_mode_0_sets_rotates_and_masks)
{
    set_mode(b, &mode_12);
    poke(&r, 0xa0000, 0xf0);
    for (u8 p = 0; p < 4; p++) {
        wr_gc(b, 4, p);
        ck_assert_uint_eq(peek(&r, 0xa0000), 0xf0);
    }
    wr_gc(b, 3, 4); /* rotate by 4 */
    wr_seq(b, 2, 2);
    poke(&r, 0xa0000, 0xf3);
    wr_gc(b, 4, 1);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0x3f);
    wr_gc(b, 4, 0);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0xf0);
    wr_gc(b, 3, 0);
    wr_seq(b, 2, 15);
    wr_gc(b, 0, 5); /* set/reset: colour 5 in the dots of the bit mask */
    wr_gc(b, 1, 15);
    wr_gc(b, 8, 0x01);
    peek(&r, 0xa0000);
    poke(&r, 0xa0000, 0);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 7, 0), 5);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 13); /* planes 0, 2, 3 from the first write */
}
END_TEST

START_TEST(w7_232_write_modes_1_2_3_and_functions)
{
    set_mode(b, &mode_12);
    wr_gc(b, 5, 2);
    wr_gc(b, 8, 0xaa);
    peek(&r, 0xa0000);
    poke(&r, 0xa0000, 9);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 9);
    ck_assert_uint_eq(grey_at(&r, 1, 0), 0);
    wr_gc(b, 5, 1); /* copies the latches */
    peek(&r, 0xa0000);
    poke(&r, 0xa0001, 0xff);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 8, 0), 9);
    ck_assert_uint_eq(grey_at(&r, 9, 0), 0);
    wr_gc(b, 5, 3); /* the byte narrows the mask; xor applies */
    wr_gc(b, 8, 0xff);
    wr_gc(b, 0, 15);
    wr_gc(b, 3, 0x18);
    peek(&r, 0xa0000);
    poke(&r, 0xa0000, 0xc0);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 6);
    ck_assert_uint_eq(grey_at(&r, 1, 0), 15);
    ck_assert_uint_eq(grey_at(&r, 2, 0), 9);
}
END_TEST

START_TEST(w7_232_read_mode_1_compares_colours)
{
    set_mode(b, &mode_12);
    wr_gc(b, 5, 2);
    wr_gc(b, 8, 0x0f);
    peek(&r, 0xa0000);
    poke(&r, 0xa0000, 6);
    wr_gc(b, 5, 8);
    wr_gc(b, 2, 6);
    wr_gc(b, 7, 15);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0x0f);
    wr_gc(b, 7, 0); /* no plane matters: everything equals */
    ck_assert_uint_eq(peek(&r, 0xa0000), 0xff);
    wr_gc(b, 7, 9);
    wr_gc(b, 2, 0);
    ck_assert_uint_eq(peek(&r, 0xa0000), 0xff);
}
END_TEST

START_TEST(w7_233_mode_13_chains_and_doubles)
{
    set_mode(b, &mode_13);
    for (u32 n = 0; n < 4; n++) poke(&r, 0xa0000 + 320 + n, (u8)(10 + n));
    poke(&r, 0xa0000 + 63999, 63);
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 640);
    ck_assert_uint_eq(f->height, 400);
    for (u32 n = 0; n < 4; n++) {
        ck_assert_uint_eq(grey_at(&r, 2 * n, 2), 10 + n);
        ck_assert_uint_eq(grey_at(&r, 2 * n + 1, 3), 10 + n);
        ck_assert_uint_eq(peek(&r, 0xa0000 + 320 + n), 10 + n);
    }
    ck_assert_uint_eq(grey_at(&r, 639, 399), 63);
    out8(b, 0x3c6, 0x0f); /* PEL mask */
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 639, 399), 15);
}
END_TEST

START_TEST(mode_x_unchained)
{
    set_mode(b, &mode_13);
    wr_seq(b, 4, 6);
    wr_crtc(b, 0x14, 0);
    wr_crtc(b, 0x17, 0xe3);
    wr_crtc(b, 0x0c, 0x40); /* second page */
    for (u8 p = 0; p < 4; p++) {
        wr_seq(b, 2, (u8)(1 << p));
        poke(&r, 0xa4000 + 80, (u8)(20 + p));
    }
    picture(&r);
    for (u32 p = 0; p < 4; p++) ck_assert_uint_eq(grey_at(&r, 2 * p, 2), 20 + p);
    ck_assert_uint_eq(grey_at(&r, 8, 2), 0);
    wr_attr(b, 0x13, 2); /* one pixel left */
    vga_screen(b, true);
    picture(&r);
    ck_assert_uint_eq(grey_at(&r, 0, 2), 21);
}
END_TEST

START_TEST(cga_lines_interleave)
{
    set_mode(b, &mode_04);
    poke(&r, 0xb8000, 0x1b); /* colours 0 1 2 3 */
    poke(&r, 0xb8001, 0xc0);
    poke(&r, 0xba000, 0xe4); /* the next line is in the other half */
    const struct frame *f = picture(&r);
    ck_assert_uint_eq(f->width, 640);
    for (u32 n = 0; n < 4; n++) {
        ck_assert_uint_eq(grey_at(&r, 2 * n, 0), n);
        ck_assert_uint_eq(grey_at(&r, 2 * n + 1, 1), n);
        ck_assert_uint_eq(grey_at(&r, 2 * n, 2), 3 - n);
    }
    ck_assert_uint_eq(grey_at(&r, 8, 0), 3);
    ck_assert_uint_eq(grey_at(&r, 10, 0), 0);
    ck_assert_uint_eq(grey_at(&r, 0, 4), 0);
}
END_TEST

START_TEST(window_selection)
{
    set_mode(b, &mode_12);
    poke(&r, 0xa0000, 0x55);
    ck_assert_uint_eq(peek(&r, 0xb0000), 0xff);
    wr_gc(b, 6, 0x09); /* B0000, 32 KiB */
    ck_assert_uint_eq(peek(&r, 0xb0000), 0x55);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0xff);
    wr_gc(b, 6, 0x0d);
    ck_assert_uint_eq(peek(&r, 0xb8000), 0x55);
    wr_gc(b, 6, 0x01); /* all 128 KiB: planes of that length */
    ck_assert_uint_eq(peek(&r, 0xa0000), 0x55);
    ck_assert_uint_eq(peek(&r, 0xb0000), 0);
    poke(&r, 0xbffff, 0x77);
    ck_assert_uint_eq(peek(&r, 0xbffff), 0x77);
}
END_TEST

START_TEST(draws_only_when_something_changed)
{
    set_mode(b, &mode_12);
    ck_assert(display_refresh(r.display, false));
    ck_assert(!display_refresh(r.display, false));
    wr_gc(b, 8, 0xff); /* the value it has */
    out8(b, 0x3c8, 0);
    in8(b, 0x3da);
    out8(b, 0x3c0, 0x20);
    ck_assert(!display_refresh(r.display, false));
    poke(&r, 0xa0000, 1);
    ck_assert(display_refresh(r.display, false));
    advance_ns(b, NS_PER_SEC); /* nothing blinks here */
    ck_assert(!display_refresh(r.display, false));
    set_mode(b, &mode_03);
    ck_assert(display_refresh(r.display, false));
    ck_assert(!display_refresh(r.display, false));
    advance_ns(b, 300000000); /* the cursor does */
    ck_assert(display_refresh(r.display, false));
    cursor_off();
    ck_assert(display_refresh(r.display, false));
    advance_ns(b, 300000000);
    ck_assert(!display_refresh(r.display, false));
}
END_TEST

/* Any register values: every picture stays inside its frame and video memory (the sanitizers
 * watch). */
START_TEST(hostile_registers)
{
    u32 x = 1;
    for (unsigned n = 0; n < 60; n++) {
        out8(b, 0x3c2, 0x67);
        wr_crtc(b, 0x11, 0);
        for (u8 k = 0; k < 25; k++)
            x = x * 1664525 + 1013904223, wr_crtc(b, k, n < 2 ? (n ? 0xff : 0) : (u8)(x >> 24));
        for (u8 k = 0; k < 5; k++)
            x = x * 1664525 + 1013904223, wr_seq(b, k, n < 2 ? 0xdf : (u8)(x >> 24) & 0xdf);
        for (u8 k = 0; k < 9; k++)
            x = x * 1664525 + 1013904223, wr_gc(b, k, n < 2 ? 0xfe : (u8)(x >> 24));
        for (u8 k = 0x10; k < 0x15; k++) x = x * 1664525 + 1013904223, wr_attr(b, k, (u8)(x >> 24));
        vga_screen(b, true);
        for (u32 k = 0; k < 0x20000; k += 4093) poke(&r, 0xa0000 + k, (u8)k);
        const struct frame *f = picture(&r);
        ck_assert_uint_le(f->width, DISPLAY_MAX_W);
        ck_assert_uint_gt(f->width, 0);
        ck_assert_uint_le(f->height, 1024);
    }
}
END_TEST

UNIT_SUITE(vga, reset_state, crtc_protection_spares_line_compare,
           w7_234_attribute_flip_flop_and_palette_lock, w7_234_dac_reads_back_and_counts,
           w7_234_retrace_bits_follow_the_frame, w7_234_retrace_happens_whatever_the_crtc_says,
           w7_233_text_mode_draws_glyphs_and_attributes, w7_233_cursor_shape_rules,
           w7_233_cursor_and_characters_blink, w7_233_second_font_by_attribute_bit_3,
           mono_underline, text_scrolls_by_lines_and_dots, split_screen,
           forty_columns_and_200_lines_are_doubled, w7_232_write_mode_0_sets_rotates_and_masks,
           w7_232_write_modes_1_2_3_and_functions, w7_232_read_mode_1_compares_colours,
           w7_233_mode_13_chains_and_doubles, mode_x_unchained, cga_lines_interleave,
           window_selection, draws_only_when_something_changed, hostile_registers)
