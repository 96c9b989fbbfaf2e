/* AeroGPU's scanout, vertical blank, cursor and memory aperture: statements 106 to 139 of its contract. */
#include "tests/unit/aerogpu_rig.h"

#define SEQ(g) R64(g, AGPU_R_VBLANK_SEQ_LO)
#define TIME(g) R64(g, AGPU_R_VBLANK_TIME_LO)

static bool claimed(struct gpu *g)
{
    return strcmp(picture(g)->source, "boot") != 0;
}

START_TEST(ag_106_enable_reads_1)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_ENABLE, 0x80);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_ENABLE), 1);
    W(&g, AGPU_R_CURSOR_ENABLE, 0x80);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_ENABLE), 1);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_107_108_109_address_latch)
{
    struct gpu g;
    gpu_up(&g);
    st32(ram(&g, FB), 0x111111);
    st32(ram(&g, FB + 0x1000), 0x222222);
    scanout(&g, 1, 1, AGPU_FMT_B8G8R8X8, 4);
    W(&g, AGPU_R_SCAN_GPA_LO, FB + 0x1000);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_GPA_LO), FB + 0x1000);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x111111);
    W(&g, AGPU_R_SCAN_GPA_HI, 0);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x222222);
    W(&g, AGPU_R_SCAN_GPA_HI, 5);
    ck_assert_uint_eq(R64(&g, AGPU_R_SCAN_GPA_LO), 0x500000000 + FB + 0x1000);
    W(&g, AGPU_R_SCAN_GPA_LO, FB);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_GPA_LO), FB + 0x1000);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_110_111_claim)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_ENABLE, 1);
    W(&g, AGPU_R_SCAN_WIDTH, 2);
    W(&g, AGPU_R_SCAN_HEIGHT, 2);
    W(&g, AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
    W(&g, AGPU_R_SCAN_GPA_LO, FB);
    W(&g, AGPU_R_SCAN_GPA_HI, 0);
    W(&g, AGPU_R_SCAN_GPA_LO, FB);
    W(&g, AGPU_R_SCAN_PITCH, 8);
    ck_assert(!claimed(&g)); /* a low half is pending */
    W(&g, AGPU_R_SCAN_GPA_HI, 0);
    ck_assert(claimed(&g));
    gpu_down(&g);
}
END_TEST

/* Whichever register comes last: the claim comes with it. */
START_TEST(ag_111_any_order)
{
    static const u32 regs[][2] = { { AGPU_R_SCAN_ENABLE, 1 }, { AGPU_R_SCAN_WIDTH, 2 }, { AGPU_R_SCAN_HEIGHT, 2 },
                                   { AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8 }, { AGPU_R_SCAN_PITCH, 8 }, { 0, 0 } };
    for (unsigned last = 0; last < LEN(regs); last++) {
        struct gpu g;
        gpu_up(&g);
        for (unsigned k = 1; k <= LEN(regs); k++) {
            const u32 *r = regs[(last + k) % LEN(regs)];
            ck_assert_msg(!claimed(&g), "last %u, after %u", last, k - 1);
            if (r[0]) {
                W(&g, r[0], r[1]);
                continue;
            }
            W(&g, AGPU_R_SCAN_GPA_LO, FB); /* the address is a pair */
            ck_assert(!claimed(&g));
            W(&g, AGPU_R_SCAN_GPA_HI, 0);
        }
        ck_assert_msg(claimed(&g), "last %u", last);
        gpu_down(&g);
    }
}
END_TEST

START_TEST(ag_112_what_is_no_claim)
{
    static const struct {
        u32 reg, value;
    } bad[] = {
        { AGPU_R_SCAN_WIDTH, 0 }, { AGPU_R_SCAN_HEIGHT, 0 }, { AGPU_R_SCAN_PITCH, 7 }, { AGPU_R_SCAN_PITCH, 9 },
        { AGPU_R_SCAN_FORMAT, 0 }, { AGPU_R_SCAN_FORMAT, 32 }, { AGPU_R_SCAN_FORMAT, 64 }, { AGPU_R_SCAN_FORMAT, 999 },
    };
    for (unsigned k = 0; k <= LEN(bad); k++) {
        struct gpu g;
        gpu_up(&g);
        W(&g, AGPU_R_SCAN_WIDTH, 2);
        W(&g, AGPU_R_SCAN_HEIGHT, 2);
        W(&g, AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
        W(&g, AGPU_R_SCAN_PITCH, 8);
        if (k < LEN(bad)) {
            W(&g, bad[k].reg, bad[k].value);
            W(&g, AGPU_R_SCAN_GPA_LO, FB);
        }
        W(&g, AGPU_R_SCAN_GPA_HI, 0);
        W(&g, AGPU_R_SCAN_ENABLE, 1);
        ck_assert_msg(!claimed(&g), "row %u", k);
        if (k < LEN(bad)) ck_assert_uint_eq(R(&g, bad[k].reg), bad[k].value);
        gpu_down(&g);
    }
}
END_TEST

START_TEST(ag_113_119_black_while_claimed)
{
    struct gpu g;
    gpu_up(&g);
    st32(ram(&g, FB), 0x123456);
    scanout(&g, 1, 1, AGPU_FMT_B8G8R8X8, 4);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x123456);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0);
    ck_assert_str_eq(picture(&g)->source, "AeroGPU, scanout off");
    ck_assert(claimed(&g));
    W(&g, AGPU_R_SCAN_ENABLE, 1);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x123456);
    gpu_command(&g, PCI_CMD_MEM);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0);
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x123456);
    g.pci->dev.cls->reset(&g.pci->dev, RESET_WARM);
    ck_assert(!claimed(&g));
    gpu_down(&g);
}
END_TEST

/* One pixel of each format. */
START_TEST(ag_115_116_117_formats)
{
    static const struct {
        u32 format, bytes, shown;
    } rows[] = {
        { AGPU_FMT_B8G8R8A8, 0x80112233, 0x112233 },      { AGPU_FMT_B8G8R8X8, 0x00112233, 0x112233 },
        { AGPU_FMT_R8G8B8A8, 0x44332211, 0x112233 },      { AGPU_FMT_R8G8B8X8, 0x00332211, 0x112233 },
        { AGPU_FMT_B5G6R5, 0x8410, 0x848284 },            { AGPU_FMT_B5G5R5A1, 0x7c1f, 0xff00ff },
        { AGPU_FMT_B5G5R5A1, 0x8421, 0x080808 },          { AGPU_FMT_B8G8R8A8_SRGB, 0xff7f7f7f, 0x7f7f7f },
        { AGPU_FMT_B8G8R8X8_SRGB, 0x00010203, 0x010203 }, { AGPU_FMT_R8G8B8A8_SRGB, 0x44332211, 0x112233 },
        { AGPU_FMT_R8G8B8X8_SRGB, 0x00332211, 0x112233 },
    };
    struct gpu g;
    gpu_up(&g);
    for (unsigned k = 0; k < LEN(rows); k++) {
        st32(ram(&g, FB), rows[k].bytes);
        scanout(&g, 1, 1, rows[k].format, 4);
        ck_assert_msg(pixel_at(&g, 0, 0) == rows[k].shown, "format %u shows %06x", rows[k].format, pixel_at(&g, 0, 0));
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_118_pitch)
{
    struct gpu g;
    gpu_up(&g);
    for (u32 k = 0; k < 64; k++) st32(ram(&g, FB + 4 * k), 0xbad);
    for (u32 y = 0; y < 3; y++) {
        for (u32 x = 0; x < 2; x++) st32(ram(&g, FB + 20 * y + 4 * x), 0x100 * y + x + 1);
    }
    scanout(&g, 2, 3, AGPU_FMT_B8G8R8X8, 20);
    for (u32 y = 0; y < 3; y++) {
        for (u32 x = 0; x < 2; x++) ck_assert_uint_eq(pixel_at(&g, x, y), 0x100 * y + x + 1);
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_120_139_scanout_in_video_memory)
{
    struct gpu g;
    gpu_up(&g);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1, 8), 0);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + AGPU_VRAM_SIZE - 8, 8), 0);
    bus_write(&g.r.mem, BAR1 + 0x3000001, 0xab, 1);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + 0x3000000, 4), 0xab00);
    for (u32 at = 0xffff0; at < AGPU_VRAM_SIZE; at += 0x100000 - 1) {
        ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + at, 1), 0);
        bus_write(&g.r.mem, BAR1 + at, at >> 20 | 0x80, 1);
    }
    for (u32 at = 0xffff0; at < AGPU_VRAM_SIZE; at += 0x100000 - 1) ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + at, 1), at >> 20 | 0x80);
    bus_write(&g.r.mem, BAR1 + AGPU_VRAM_SIZE - 8, 0x1122334455667788, 8);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + AGPU_VRAM_SIZE - 3, 2), 0x2233);
    bus_write(&g.r.mem, BAR1 + 0x40000, 0x00aabbcc, 4);
    scanout(&g, 1, 1, AGPU_FMT_B8G8R8X8, 4);
    W(&g, AGPU_R_SCAN_GPA_LO, BAR1 + 0x40000);
    W(&g, AGPU_R_SCAN_GPA_HI, 0);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0xaabbcc);
    bus_write(&g.r.mem, BAR1 + 0x40000, 0x00ddeeff, 4);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0xddeeff);
    g.pci->dev.cls->reset(&g.pci->dev, RESET_WARM);
    pci_config_write(g.pci, PCI_BAR0 + 4, BAR1, 4);
    gpu_command(&g, PCI_CMD_MEM);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + 0x40000, 4), 0);
    for (u32 at = 0xffff0; at < AGPU_VRAM_SIZE; at += 0x100000 - 1) ck_assert_uint_eq(bus_read(&g.r.mem, BAR1 + at, 1), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_121_absurd_sizes)
{
    static const u32 sizes[][3] = { { 0xffffffff, 0xffffffff, 0xfffffffc }, { 0x10000, 0x10000, 0x40000 }, { 1, 0xffffffff, 4 },
                                    { 0x3fffffff, 1, 0xfffffffc },          { 4096, 4096, 0x80000000 },    { 20000, 2, 80000 } };
    struct gpu g;
    gpu_up(&g);
    scanout(&g, 1, 1, AGPU_FMT_B8G8R8X8, 4);
    for (unsigned k = 0; k < LEN(sizes); k++) {
        W(&g, AGPU_R_SCAN_WIDTH, sizes[k][0]);
        W(&g, AGPU_R_SCAN_HEIGHT, sizes[k][1]);
        W(&g, AGPU_R_SCAN_PITCH, sizes[k][2]);
        ck_assert_uint_eq(pixel_at(&g, 0, 0), 0);
        ck_assert_uint_le(picture(&g)->width, 4096);
    }
    gpu_down(&g);
}
END_TEST

START_TEST(changed_memory_is_noticed_and_unchanged_costs_nothing)
{
    struct gpu g;
    gpu_up(&g);
    scanout(&g, 16, 16, AGPU_FMT_B8G8R8X8, 64);
    picture(&g);
    ck_assert(!display_refresh(g.display, false));
    bus_write(&g.r.mem, FB + 4, 0x654321, 4);
    ck_assert(display_refresh(g.display, false));
    ck_assert_uint_eq(pixel_at(&g, 1, 0), 0x654321);
    ck_assert(!display_refresh(g.display, false));
    gpu_down(&g);
}
END_TEST

START_TEST(ag_122_215_flips)
{
    struct gpu g;
    gpu_up(&g);
    scanout(&g, 2, 2, AGPU_FMT_B8G8R8X8, 8);
    for (u32 frame = 0; frame < 600; frame++) {
        u32 at = FB + (frame & 1) * 0x1000;
        st32(ram(&g, at), frame);
        pass(&g, PERIOD / 2);
        W(&g, AGPU_R_SCAN_WIDTH, 2);
        W(&g, AGPU_R_SCAN_HEIGHT, 2);
        W(&g, AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
        W(&g, AGPU_R_SCAN_PITCH, 8);
        W(&g, AGPU_R_SCAN_GPA_LO, at);
        W(&g, AGPU_R_SCAN_GPA_HI, 0);
        W(&g, AGPU_R_SCAN_ENABLE, 1);
        ck_assert_uint_eq(pixel_at(&g, 0, 0), frame);
        pass(&g, PERIOD - PERIOD / 2);
        ck_assert_uint_eq(SEQ(&g), frame + 1);
        ck_assert_uint_eq(TIME(&g), (frame + 1) * PERIOD);
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_123_124_125_126_127_vertical_blanks)
{
    struct gpu g;
    gpu_up(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_VBLANK_PERIOD), 16666667);
    pass(&g, 10 * PERIOD);
    ck_assert_uint_eq(SEQ(&g), 0);
    W(&g, AGPU_R_SCAN_ENABLE, 1); /* nothing else of the scanout is valid */
    pass(&g, PERIOD - 1);
    ck_assert_uint_eq(SEQ(&g), 0);
    pass(&g, 1);
    ck_assert_uint_eq(SEQ(&g), 1);
    ck_assert_uint_eq(TIME(&g), 11 * PERIOD);
    for (u64 k = 2; k < 20; k++) {
        pass(&g, PERIOD);
        ck_assert_uint_eq(SEQ(&g), k);
        ck_assert_uint_eq(TIME(&g), (10 + k) * PERIOD);
    }
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    pass(&g, 5 * PERIOD);
    ck_assert_uint_eq(SEQ(&g), 19);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_128_129_130_vblank_interrupts)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_ENABLE, 1);
    g.r.clock.now += 5 * PERIOD; /* edges that are due and not yet accounted for */
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    ck_assert_uint_eq(SEQ(&g), 5);
    for (unsigned k = 1; k <= 10; k++) {
        pass(&g, PERIOD);
        ck_assert(line(&g));
        ck_assert_uint_eq(g.r.edges[WIRE], k);
        W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_VBLANK);
        ck_assert(!line(&g));
    }
    pass(&g, PERIOD);
    ck_assert(line(&g));
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    ck_assert(!line(&g));
    gpu_down(&g);
}
END_TEST

START_TEST(ag_220_switching_the_interrupt_on_and_off)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_ENABLE, 1);
    for (u32 k = 0; k < 100000; k++) {
        W(&g, AGPU_R_IRQ_ENABLE, k & 1 ? AGPU_IRQ_VBLANK : 0);
        g.r.clock.now += 77777;
        if (!(k & 1)) ck_assert(!line(&g));
    }
    W(&g, AGPU_R_IRQ_ENABLE, 0);
    ck_assert(!line(&g));
    ck_assert_uint_eq(SEQ(&g), 100000ull * 77777 / PERIOD);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_218_self_test_script)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    submit(&g, empty(3, 0));
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    submit(&g, STREAM_OF(&g, 3, AGPU_SUBMIT_NO_IRQ, AGPU_NOP, 8));
    ck_assert_uint_eq(ring(&g)->head, ring(&g)->tail);
    ck_assert(!line(&g));
    u64 seq = SEQ(&g);
    pass(&g, 2 * PERIOD);
    ck_assert_uint_ne(SEQ(&g), seq);
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK);
    pass(&g, 3 * PERIOD);
    ck_assert(R(&g, AGPU_R_IRQ_STATUS) & AGPU_IRQ_VBLANK);
    W(&g, AGPU_R_IRQ_ACK, 2);
    ck_assert(!(R(&g, AGPU_R_IRQ_STATUS) & AGPU_IRQ_VBLANK));
    pass(&g, 2 * PERIOD);
    ck_assert(line(&g));
    W(&g, AGPU_R_CURSOR_ENABLE, 1);
    W(&g, AGPU_R_CURSOR_GPA_LO, 0);
    W(&g, AGPU_R_CURSOR_GPA_HI, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_ENABLE), 1);
    ck_assert_uint_eq(R64(&g, AGPU_R_CURSOR_GPA_LO), 0);
    gpu_down(&g);
}
END_TEST

/* --- cursor --- */

/* A w x h cursor of one colour on a grey 16x16 scanout. */
static void cursor(struct gpu *g, u32 w, u32 h, u32 format, u32 colour, u32 background)
{
    for (u32 k = 0; k < 256; k++) st32(ram(g, FB + 4 * k), background);
    for (u32 k = 0; k < w * h; k++) st32(ram(g, CURSOR + 4 * k), colour);
    scanout(g, 16, 16, AGPU_FMT_B8G8R8X8, 64);
    W(g, AGPU_R_CURSOR_WIDTH, w);
    W(g, AGPU_R_CURSOR_HEIGHT, h);
    W(g, AGPU_R_CURSOR_FORMAT, format);
    W(g, AGPU_R_CURSOR_PITCH, w * 4);
    W(g, AGPU_R_CURSOR_GPA_LO, CURSOR);
    W(g, AGPU_R_CURSOR_GPA_HI, 0);
    W(g, AGPU_R_CURSOR_ENABLE, 1);
}

static void place(struct gpu *g, i32 x, i32 y, i32 hot_x, i32 hot_y)
{
    W(g, AGPU_R_CURSOR_X, (u32)x);
    W(g, AGPU_R_CURSOR_Y, (u32)y);
    W(g, AGPU_R_CURSOR_HOT_X, (u32)hot_x);
    W(g, AGPU_R_CURSOR_HOT_Y, (u32)hot_y);
}

static unsigned covered(struct gpu *g, u32 background)
{
    unsigned n = 0;
    const struct frame *f = picture(g);
    for (u32 k = 0; k < f->width * f->height; k++) n += (f->pixels[k] & 0xffffff) != background;
    return n;
}

START_TEST(ag_131_132_133_cursor_registers)
{
    struct gpu g;
    gpu_up(&g);
    place(&g, -5, 0x7fffffff, -1, 3);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_X), 0xfffffffb);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_Y), 0x7fffffff);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_HOT_X), 0xffffffff);
    for (u32 at = AGPU_R_CURSOR_X; at <= AGPU_R_CURSOR_PITCH; at += 4) W(&g, at, 0xa5000000 + at * 3);
    for (u32 at = AGPU_R_CURSOR_X; at <= AGPU_R_CURSOR_PITCH; at += 4) ck_assert_uint_eq(R(&g, at), 0xa5000000 + at * 3);
    cursor(&g, 2, 2, AGPU_FMT_B8G8R8A8, 0xffff0000, 0x808080);
    place(&g, 0, 0, 0, 0);
    ck_assert_uint_eq(covered(&g, 0x808080), 4);
    W(&g, AGPU_R_CURSOR_GPA_LO, CURSOR + 0x1000); /* zeroes there: transparent */
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_GPA_LO), CURSOR + 0x1000);
    ck_assert_uint_eq(covered(&g, 0x808080), 4);
    W(&g, AGPU_R_CURSOR_GPA_HI, 0);
    ck_assert_uint_eq(covered(&g, 0x808080), 0);
    W(&g, AGPU_R_CURSOR_GPA_LO, 0);
    W(&g, AGPU_R_CURSOR_GPA_HI, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_ENABLE), 1);
    ck_assert_uint_eq(covered(&g, 0x808080), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_134_136_138_cursor_position)
{
    struct gpu g;
    gpu_up(&g);
    cursor(&g, 2, 2, AGPU_FMT_B8G8R8A8, 0xffff0000, 0x808080);
    place(&g, 10, 10, 1, 1);
    for (u32 y = 0; y < 16; y++) {
        for (u32 x = 0; x < 16; x++) {
            bool in = x >= 9 && x <= 10 && y >= 9 && y <= 10;
            ck_assert_uint_eq(pixel_at(&g, x, y), in ? 0xff0000 : 0x808080);
        }
    }
    for (u32 k = 0; k < 256; k++) ck_assert_uint_eq(ld32(ram(&g, FB + 4 * k)), 0x808080);
    static const struct {
        i32 x, y;
        unsigned pixels;
    } edges[] = { { -1, -1, 1 }, { 15, 15, 1 }, { -1, 5, 2 }, { 15, 5, 2 }, { -2, 5, 0 }, { 16, 5, 0 },
                  { 5, -2147483647, 0 }, { 2147483647, 5, 0 } };
    for (unsigned k = 0; k < LEN(edges); k++) {
        place(&g, edges[k].x, edges[k].y, 0, 0);
        ck_assert_uint_eq(covered(&g, 0x808080), edges[k].pixels);
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_135_137_cursor_blending)
{
    struct gpu g;
    gpu_up(&g);
    cursor(&g, 1, 1, AGPU_FMT_B8G8R8A8, 0x80ff4001, 0x103050);
    place(&g, 3, 3, 0, 0);
    u32 want = 0;
    for (unsigned shift = 0; shift < 24; shift += 8)
        want |= ((0xff4001 >> shift & 255) * 128 + (0x103050 >> shift & 255) * 127 + 127) / 255 << shift;
    ck_assert_uint_eq(pixel_at(&g, 3, 3), want);
    cursor(&g, 1, 1, AGPU_FMT_B8G8R8X8, 0x00ff4001, 0x103050);
    ck_assert_uint_eq(pixel_at(&g, 3, 3), 0xff4001);
    cursor(&g, 1, 1, AGPU_FMT_R8G8B8X8, 0x000140ff, 0x103050);
    ck_assert_uint_eq(pixel_at(&g, 3, 3), 0xff4001);
    cursor(&g, 1, 1, AGPU_FMT_B5G6R5, 0xffffffff, 0x103050);
    ck_assert_uint_eq(covered(&g, 0x103050), 0);
    cursor(&g, 1, 1, AGPU_FMT_B5G5R5A1, 0xffffffff, 0x103050);
    ck_assert_uint_eq(covered(&g, 0x103050), 0);
    for (u32 a = 0; a < 256; a += 5) { /* red first, all alphas */
        cursor(&g, 1, 1, AGPU_FMT_R8G8B8A8, a << 24 | 0x0140ff, 0x103050);
        want = 0;
        for (unsigned shift = 0; shift < 24; shift += 8)
            want |= ((0xff4001 >> shift & 255) * a + (0x103050 >> shift & 255) * (255 - a) + 127) / 255 << shift;
        ck_assert_uint_eq(pixel_at(&g, 3, 3), want);
    }
    cursor(&g, 1, 1, AGPU_FMT_B8G8R8X8, 0xffffffff, 0x103050);
    W(&g, AGPU_R_CURSOR_WIDTH, 1025);
    W(&g, AGPU_R_CURSOR_HEIGHT, 1024);
    W(&g, AGPU_R_CURSOR_PITCH, 4100);
    ck_assert_uint_eq(covered(&g, 0x103050), 0); /* more than 4 MiB */
    gpu_down(&g);
}
END_TEST

Suite *aerogpu_scan_suite(void);
Suite *aerogpu_scan_suite(void)
{
    Suite *s = suite_create("aerogpu_scan");
    TCase *c = tcase_create("scanout");
    const TTest *tests[] = {
        ag_106_enable_reads_1, ag_107_108_109_address_latch, ag_110_111_claim, ag_111_any_order, ag_112_what_is_no_claim,
        ag_113_119_black_while_claimed, ag_115_116_117_formats, ag_118_pitch, ag_120_139_scanout_in_video_memory,
        ag_121_absurd_sizes, changed_memory_is_noticed_and_unchanged_costs_nothing, ag_122_215_flips,
        ag_123_124_125_126_127_vertical_blanks, ag_128_129_130_vblank_interrupts, ag_220_switching_the_interrupt_on_and_off,
        ag_218_self_test_script, ag_131_132_133_cursor_registers, ag_134_136_138_cursor_position, ag_135_137_cursor_blending,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
