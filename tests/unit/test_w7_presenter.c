/* Who is on the screen: the driver's scanout or the boot display, Standard VGA beside AeroGPU. A stop screen is drawn through VGA registers
 * while the driver still owns the scanout and must be seen (W7-236). */
#include "gpu/aerogpu.h"
#include "gpu/aerogpu_abi.h"
#include "tests/unit/vga_rig.h"

enum { REGS = 0xd8000000, VRAM = 0xe8000000, FB = VRAM + 0x100000 };

static struct vga_rig r;
static struct board *b;

static void reg(u32 offset, u32 value)
{
    set_mem32(b, REGS + offset, value);
}

static void flip(void)
{
    reg(AGPU_R_SCAN_GPA_LO, FB);
    reg(AGPU_R_SCAN_GPA_HI, 0);
}

static void setup(void)
{
    r = rig_open();
    b = r.b;
    struct device *g = board_add(b, &aerogpu_class);
    device_set_ptr(g, "pci", r.pci);
    device_set_ptr(g, "display", r.display);
    board_start(b, g);
    rig_cfg(&r, 0x38, PCI_BAR0, REGS);
    rig_cfg(&r, 0x38, PCI_BAR0 + 4, VRAM);
    rig_cfg(&r, 0x38, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER);
    set_mode(b, &mode_03);
    advance_ns(b, NS_PER_SEC);
    reg(AGPU_R_SCAN_WIDTH, 64);
    reg(AGPU_R_SCAN_HEIGHT, 32);
    reg(AGPU_R_SCAN_FORMAT, 2);
    reg(AGPU_R_SCAN_PITCH, 256);
    reg(AGPU_R_SCAN_ENABLE, 1);
    flip();
    set_mem32(b, FB, 0x00c0ffee);
}

static void teardown(void)
{
    rig_close(&r);
}

static bool driver_shown(void)
{
    return !strncmp(picture(&r)->source, "AeroGPU", 7);
}

/* As a stop screen does it: reset, clock, registers, run. */
static void stop_screen(void)
{
    wr_seq(b, 0, 1);
    set_mode(b, &mode_12);
    wr_seq(b, 2, 15);
    poke(&r, 0xa0000, 0xff);
}

START_TEST(w7_236_claim_hides_the_boot_display)
{
    ck_assert(driver_shown());
    ck_assert_uint_eq(pixel(&r, 0, 0), 0xc0ffee);
    out8(b, 0x3c8, 1); /* a palette change is no mode set */
    out8(b, 0x3c9, 1);
    advance_ns(b, 10 * NS_PER_SEC);
    ck_assert(driver_shown());
}
END_TEST

START_TEST(w7_236_mode_set_and_a_silent_driver_show_vga_again)
{
    advance_ns(b, NS_PER_SEC);
    stop_screen();
    advance_ns(b, 2 * NS_PER_SEC - 1000);
    ck_assert(driver_shown());
    advance_ns(b, 2000);
    ck_assert(!driver_shown());
    ck_assert_uint_eq(display_current(r.display)->width, 640);
    ck_assert_uint_eq(grey_at(&r, 0, 0), 15); /* drawn while it was hidden */
    ck_assert_uint_eq(grey_at(&r, 8, 0), 0);
    flip(); /* a driver that recovers */
    ck_assert(driver_shown());
}
END_TEST

START_TEST(w7_236_a_driver_at_work_keeps_the_screen)
{
    advance_ns(b, NS_PER_SEC);
    stop_screen();
    for (unsigned n = 0; n < 5; n++) {
        advance_ns(b, NS_PER_SEC);
        flip();
        ck_assert(driver_shown());
    }
    advance_ns(b, 10 * NS_PER_SEC); /* the mode set lies before its last flip */
    ck_assert(driver_shown());
}
END_TEST

START_TEST(w7_236_mode_set_after_the_scanout_went_off)
{
    ck_assert(driver_shown());
    reg(AGPU_R_SCAN_ENABLE, 0);
    advance_ns(b, 10 * NS_PER_SEC);
    ck_assert(driver_shown()); /* black */
    ck_assert_uint_eq(pixel(&r, 0, 0), 0);
    vbe_mode(b, 800, 600, 32, 0);
    ck_assert(!driver_shown()); /* at once */
    ck_assert_uint_eq(display_current(r.display)->width, 800);
}
END_TEST

START_TEST(w7_236_reset_shows_vga)
{
    rig_cfg(&r, 0x38, PCI_COMMAND, 0);
    b->devices[b->n_devices - 1]->cls->reset(b->devices[b->n_devices - 1], RESET_WARM);
    ck_assert(!driver_shown());
}
END_TEST

UNIT_SUITE(w7_presenter, w7_236_claim_hides_the_boot_display, w7_236_mode_set_and_a_silent_driver_show_vga_again,
           w7_236_a_driver_at_work_keeps_the_screen, w7_236_mode_set_after_the_scanout_went_off, w7_236_reset_shows_vga)
