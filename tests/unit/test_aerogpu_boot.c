/* AeroGPU as the boot display of a real machine (--profile aerogpu), which our BIOS has started: the legacy window, the VBE framebuffer in
 * BAR1 and the hand-over of the screen. Statements 114 and 140 to 143 of its contract. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpu/aerogpu_abi.h"
#include "machine/board/board.h"
#include "machine/machine.h"

enum { SLOT = 0x80003800, ANSWERS = 0x7ff0, MODE_INFO = 0x8000, LFB = AGPU_LFB_OFFSET };

/* The boot sector: VBE mode information of 118h at 8000h, what the call returned at 7FF0h; the end. */
__asm__(".pushsection .rodata\n.code16\n"
        "boot_sector:\n"
        "cli\n xor %ax,%ax\n mov %ax,%ds\n mov %ax,%es\n mov %ax,%ss\n mov $0x7c00,%sp\n"
        "mov $0x4f01,%ax\n mov $0x118,%cx\n mov $0x8000,%di\n int $0x10\n mov %ax,0x7ff0\n"
        "mov $1,%al\n out %al,$0xf4\n"
        "1: hlt\n jmp 1b\n"
        "boot_sector_end:\n.code64\n.popsection\n");
extern const u8 boot_sector[], boot_sector_end[];

static struct config cfg;
static struct machine *m;
static u32 bar1;

static void set(const char *name, const char *value)
{
    struct error e = { "" };
    ck_assert_msg(config_set(&cfg, name, value, &e) == 0, "%s", e.text);
}

/* roms/ beside the folder of the program or further up, as main.c looks for it. */
static void set_roms(void)
{
    char dir[4096], file[4200];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
    dir[MAX(n, 0)] = 0;
    for (char *slash; (slash = strrchr(dir, '/'));) {
        *slash = 0;
        snprintf(file, sizeof(file), "%s/roms/bios.bin", dir);
        if (access(file, R_OK)) continue;
        snprintf(file, sizeof(file), "%s/roms", dir);
        set("rom-dir", file);
        return;
    }
    set("rom-dir", "roms");
}

static u32 pci_read(u32 reg)
{
    bus_write(&m->io, 0xcf8, SLOT | reg, 4);
    return (u32)bus_read(&m->io, 0xcfc, 4);
}

static void pci_write(u32 reg, u32 v)
{
    bus_write(&m->io, 0xcf8, SLOT | reg, 4);
    bus_write(&m->io, 0xcfc, v, 4);
}

static void setup(void)
{
    char disk[] = "/tmp/aeropc-boot-XXXXXX";
    struct error e = { "" };
    u8 sector[512] = { 0 };
    int fd = mkstemp(disk);
    memcpy(sector, boot_sector, (size_t)(boot_sector_end - boot_sector));
    sector[510] = 0x55;
    sector[511] = 0xaa;
    ck_assert(fd >= 0 && !ftruncate(fd, 1 << 20));
    ck_assert_int_eq(pwrite(fd, sector, sizeof(sector), 0), sizeof(sector));
    close(fd);
    config_init(&cfg);
    set("memory", "64M");
    set("display", "none");
    set("clock", "insn");
    set("profile", "aerogpu");
    set("disk", disk);
    set_roms();
    m = machine_create(&cfg, &e);
    unlink(disk);
    ck_assert_msg(m != NULL, "%s", e.text);
    m->wake_insns = 0;
    machine_run(m);
    bar1 = pci_read(0x14) & ~15u;
    ck_assert_uint_eq(bus_read(&m->mem, ANSWERS, 2), 0x004f);
}

static void teardown(void)
{
    machine_destroy(m);
    config_free(&cfg);
}

static u32 peek(u32 at)
{
    return (u32)bus_read(&m->mem, at, 1);
}

static void poke(u32 at, u32 v)
{
    bus_write(&m->mem, at, v, 1);
}

static void dispi(u16 index, u16 value)
{
    bus_write(&m->io, 0x1ce, index, 2);
    bus_write(&m->io, 0x1cf, value, 2);
}

static u32 dispi_read(u16 index)
{
    bus_write(&m->io, 0x1ce, index, 2);
    return (u32)bus_read(&m->io, 0x1cf, 2);
}

static void vbe_mode(u16 w, u16 h, u16 bpp)
{
    dispi(4, 0);
    dispi(1, w);
    dispi(2, h);
    dispi(3, bpp);
    dispi(4, 0x41);
}

static void reg(u32 offset, u32 v)
{
    bus_write(&m->mem, (pci_read(0x10) & ~15u) + offset, v, 4);
}

static void expect_window(u32 bytes)
{
    for (u32 n = 0; n < bytes; n += 997) {
        poke(0xa0000 + n, (n * 7 + 1) & 255);
        ck_assert_msg(peek(bar1 + n) == ((n * 7 + 1) & 255), "window %x", n);
    }
    for (u32 n = 0; n < bytes; n += 1009) {
        poke(bar1 + n, (n * 5 + 2) & 255);
        ck_assert_msg(peek(0xa0000 + n) == ((n * 5 + 2) & 255), "BAR1 %x", n);
    }
}

/* Before the BIOS has set a mode; the BIOS left the BAR, which a reset gives back. */
START_TEST(ag_140_window_is_the_aperture_after_reset)
{
    board_reset(m, RESET_COLD);
    pci_write(0x14, bar1);
    pci_write(4, 3);
    expect_window(0x20000);
    bus_write(&m->mem, 0xaf00e, 0x1122334455667788, 8);
    ck_assert_uint_eq(bus_read(&m->mem, bar1 + 0xf00e, 8), 0x1122334455667788);
    pci_write(4, 1); /* memory decode off */
    ck_assert_uint_eq(peek(0xa0000), 0xff);
}
END_TEST

/* Mode 13h's memory mode: 256 colours, chained. */
static void chain_4(void)
{
    static const u16 seq[] = { 0x0100, 0x0101, 0x0f02, 0x0003, 0x0e04, 0x0300 };
    static const u16 gc[] = { 0x0000, 0x0001, 0x0002, 0x0003, 0x0004, 0x4005, 0x0506, 0x0f07, 0xff08 };
    bus_write(&m->io, 0x3c2, 0x63, 1);
    for (u32 k = 0; k < LEN(seq); k++) bus_write(&m->io, 0x3c4, seq[k], 2);
    for (u32 k = 0; k < LEN(gc); k++) bus_write(&m->io, 0x3ce, gc[k], 2);
}

START_TEST(ag_140_window_is_the_aperture_in_chained_modes)
{
    chain_4();
    expect_window(0x10000);
    /* Unchained, the same memory is every fourth offset of the planes, as on a VGA. */
    for (u32 n = 0; n < 8; n++) poke(0xa0000 + n, 0x10 + n);
    bus_write(&m->io, 0x3c4, 0x0604, 2);
    for (u32 plane = 0; plane < 4; plane++) {
        bus_write(&m->io, 0x3ce, plane << 8 | 4, 2);
        ck_assert_uint_eq(peek(0xa0000), 0x10 + plane);
        ck_assert_uint_eq(peek(0xa0004), 0x14 + plane);
    }
}
END_TEST

START_TEST(text_and_font_are_where_the_planes_are)
{
    bus_write(&m->mem, 0xb8000, 0x1f421f41, 4); /* AB */
    display_refresh(m->display, false);
    const struct frame *f = display_current(m->display);
    ck_assert_uint_eq(f->cols, 80);
    ck_assert_int_eq(memcmp(f->text, "AB", 2), 0);
    u32 lit[2] = { 0, 0 };
    for (u32 y = 0; y < 16; y++) {
        for (u32 x = 0; x < 18; x++) lit[x / 9] += (f->pixels[y * f->width + x] & 0xff) > 0xc0;
    }
    ck_assert_uint_gt(lit[0], 20); /* glyphs of the BIOS's font */
    ck_assert_uint_gt(lit[1], lit[0]);
}
END_TEST

START_TEST(ag_141_physical_base_of_the_framebuffer)
{
    ck_assert_uint_ne(bar1, 0);
    ck_assert_uint_eq(bus_read(&m->mem, MODE_INFO + 0x28, 4), bar1 + LFB);
    ck_assert_uint_eq(dispi_read(0x10), (bar1 + LFB) >> 16);
    vbe_mode(1024, 768, 32);
    bus_write(&m->mem, bar1 + LFB + 4 * (1024 * 5 + 3), 0x00c0ffee, 4);
    display_refresh(m->display, false);
    const struct frame *f = display_current(m->display);
    ck_assert_uint_eq(f->width, 1024);
    ck_assert_uint_eq(f->pixels[1024 * 5 + 3] & 0xffffff, 0xc0ffee);
}
END_TEST

START_TEST(ag_142_banks_of_the_framebuffer)
{
    static const u16 banks[] = { 0, 1, 2, 47, 1019 };
    vbe_mode(1024, 768, 32);
    for (u32 k = 0; k < LEN(banks); k++) {
        u32 at = bar1 + LFB + banks[k] * 0x10000u;
        dispi(5, banks[k]);
        for (u32 n = 0; n < 0x10000; n += 0x3fff) {
            poke(0xa0000 + n, 0x20 + k + n % 64);
            ck_assert_uint_eq(peek(at + n), 0x20 + k + n % 64);
            poke(at + n, 0x90 + k);
            ck_assert_uint_eq(peek(0xa0000 + n), 0x90 + k);
        }
    }
    ck_assert_uint_eq(peek(bar1 + LFB), 0x90); /* bank 0 kept its own */
}
END_TEST

/* Slot 7's INTA is link D, which the BIOS gave IRQ 11: the second interrupt controller sees it. */
START_TEST(ag_012_interrupt_request_11)
{
    ck_assert_uint_eq(pci_read(0x3c) & 0xff, 11);
    pci_write(4, 7);
    bus_write(&m->io, 0xa0, 0x0a, 1); /* OCW3: the request register */
    ck_assert_uint_eq(bus_read(&m->io, 0xa0, 1) & 8, 0);
    reg(AGPU_R_IRQ_ENABLE, AGPU_IRQ_ERROR);
    reg(AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    reg(AGPU_R_DOORBELL, 1); /* without a ring: an error */
    ck_assert_uint_eq(bus_read(&m->io, 0xa0, 1) & 8, 8);
    reg(AGPU_R_IRQ_ACK, AGPU_IRQ_ERROR);
    ck_assert_uint_eq(bus_read(&m->io, 0xa0, 1) & 8, 0);
}
END_TEST

START_TEST(ag_143_dispi_identification)
{
    ck_assert_uint_eq(dispi_read(0), 0xb0c5);
    ck_assert_uint_eq(dispi_read(10), 0x3fc);
    for (u16 k = 11; k < 16; k++) ck_assert_uint_eq(dispi_read(k), 0);
}
END_TEST

static bool driver_shown(void)
{
    display_refresh(m->display, false);
    return !strncmp(display_current(m->display)->source, "AeroGPU", 7);
}

/* The driver flips on after the mode set, as it does in a system that goes on; what happens when it falls silent is the stop screen's
 * rule (test_w7_presenter.c). */
START_TEST(ag_114_a_mode_set_does_not_take_the_screen_and_reset_does)
{
    ck_assert(!driver_shown());
    pci_write(4, 7);
    reg(AGPU_R_SCAN_WIDTH, 64);
    reg(AGPU_R_SCAN_HEIGHT, 64);
    reg(AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
    reg(AGPU_R_SCAN_PITCH, 256);
    reg(AGPU_R_SCAN_GPA_LO, 0x100000);
    reg(AGPU_R_SCAN_GPA_HI, 0);
    reg(AGPU_R_SCAN_ENABLE, 1);
    ck_assert(driver_shown());
    vbe_mode(800, 600, 32);
    ck_assert(driver_shown());
    for (u32 k = 0; k < 5; k++) {
        clock_advance(&m->clock, NS_PER_SEC);
        reg(AGPU_R_SCAN_GPA_HI, 0);
        ck_assert(driver_shown());
        ck_assert_uint_eq(display_current(m->display)->width, 64);
    }
    clock_advance(&m->clock, 10 * NS_PER_SEC);
    ck_assert(driver_shown());
    board_reset(m, RESET_WARM);
    ck_assert(!driver_shown());
}
END_TEST

Suite *aerogpu_boot_suite(void);
Suite *aerogpu_boot_suite(void)
{
    Suite *s = suite_create("aerogpu_boot");
    TCase *c = tcase_create("boot display");
    const TTest *tests[] = {
        ag_140_window_is_the_aperture_after_reset, ag_140_window_is_the_aperture_in_chained_modes, text_and_font_are_where_the_planes_are,
        ag_141_physical_base_of_the_framebuffer, ag_142_banks_of_the_framebuffer, ag_143_dispi_identification,
        ag_012_interrupt_request_11, ag_114_a_mode_set_does_not_take_the_screen_and_reset_does,
    };
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
