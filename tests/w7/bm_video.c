/* Standard VGA and AeroGPU as a kernel finds them after the firmware, by registers alone: BAR and framebuffer (W7-224), mode 12h after a
 * linear mode (W7-232), DAC, attribute controller and retrace (W7-234), DISPI registers (W7-235), who decodes the legacy ranges (W7-239).
 * The runner, video.sh, looks at the pictures; "aerogpu" on the command line: AeroGPU owns the display. */
#include "bm.h"

enum { STDVGA = 12, AEROGPU = 7, COMMAND = 4, IO = 1, MEM = 2 };
enum { ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_W, VIRT_H, X_OFF, Y_OFF, MEMORY, LFB_BASE = 0x10 };

static bool aerogpu;

static u16 dispi(u16 n)
{
    outw(0x1ce, n);
    return inw(0x1cf);
}

static void dispi_set(u16 n, u16 v)
{
    outw(0x1ce, n);
    outw(0x1cf, v);
}

static void mode(u16 w, u16 h, u16 bpp)
{
    dispi_set(ENABLE, 0);
    dispi_set(XRES, w);
    dispi_set(YRES, h);
    dispi_set(BPP, bpp);
    dispi_set(ENABLE, 0x41);
}

static void indexed(u16 port, u8 n, u8 v)
{
    outw(port, (u16)(n | v << 8));
}

static void attribute(u8 n, u8 v)
{
    inb(0x3da);
    outb(0x3c0, n);
    outb(0x3c0, v);
    outb(0x3c0, 0x20);
}

static volatile u8 *at8(word a)
{
    return (volatile u8 *)a;
}

static void serial(const char *s)
{
    for (; *s; s++) {
        while (!(inb(0x3fd) & 0x20)) continue;
        outb(0x3f8, (u8)*s);
    }
}

/* On COM1, then a key: scancodes of the test's Enter are read away. */
static void show(const char *name)
{
    serial("picture ");
    serial(name);
    serial("\r\n");
    for (unsigned keys = 0; keys < 2;) {
        if (!(inb(0x64) & 1)) continue;
        u8 k = inb(0x60);
        keys = k == 0x1c || keys ? keys + 1 : 0; /* pressed, released */
    }
}

static unsigned owner(void)
{
    return aerogpu ? AEROGPU : STDVGA;
}

static u32 lfb(void)
{
    return aerogpu ? (pci_read(AEROGPU, 0, 0x14) & ~15u) + 0x40000 : pci_read(STDVGA, 0, 0x10) & ~15u;
}

/* --- W7-224 --- */

static void framebuffer(void)
{
    u32 bar = aerogpu ? 0x14 : 0x10, size = aerogpu ? 64u << 20 : 16u << 20, was = pci_read(owner(), 0, bar);
    w7_eq(224, "class", pci_read(owner(), 0, 8) >> 8, 0x030000);
    w7_eq(224, "BAR type: memory, prefetchable", was & 15, 8);
    u32 command = pci_read(owner(), 0, COMMAND);
    pci_write(owner(), 0, COMMAND, command & ~(u32)(IO | MEM));
    pci_write(owner(), 0, bar, 0xffffffff);
    w7_eq(224, "BAR size", -(pci_read(owner(), 0, bar) & ~15u) & 0xffffffff, size);
    pci_write(owner(), 0, bar, was);
    pci_write(owner(), 0, COMMAND, command);
    mode(1024, 768, 32);
    u32 here = lfb();
    for (u32 k = 0; k < 1024 * 768; k += 997) mmio_write(here + k * 4, k * 0x01010101u);
    u32 moved = ((was & ~15u) + 2 * size) & ~(size - 1);
    if (moved >= 0xf8000000) moved = 0xd0000000;
    pci_write(owner(), 0, bar, moved);
    w7(224, lfb() != here && (lfb() & ~(size - 1)) == moved, "the BAR moves to %x", moved);
    w7_eq(224, "DISPI register 10h follows", dispi(LFB_BASE), lfb() >> 16);
    u32 wrong = 0;
    for (u32 k = 0; k < 1024 * 768; k += 997) wrong += mmio_read(lfb() + k * 4) != k * 0x01010101u;
    w7_eq(224, "pixels that differ after the move", wrong, 0);
    mmio_write(lfb() + 4000, 0x00c0ffee);
    w7_eq(224, "nothing at the old address", mmio_read(here + 4000), 0xffffffff);
    pci_write(owner(), 0, bar, was);
    w7_eq(224, "written at the new address, read at the old one", mmio_read(here + 4000), 0x00c0ffee);
    for (u32 x = 0; x < 1024; x++) {
        mmio_write(here + x * 4, 0x00ff8000);
        mmio_write(here + (767 * 1024 + x) * 4, x << 8);
    }
    show("linear");
}

/* --- W7-235 --- */

static void dispi_registers(void)
{
    dispi_set(ENABLE, 0);
    for (u16 id = 0xb0c0; id <= 0xb0c5; id++) {
        dispi_set(ID, id);
        w7_eq(235, "id reads back", dispi(ID), id);
    }
    dispi_set(ID, 0xb0c6);
    w7_eq(235, "an unknown id does not", dispi(ID), 0xb0c5);
    dispi_set(ENABLE, 2);
    w7(235, dispi(XRES) >= 1920 && dispi(YRES) >= 1200 && dispi(BPP) == 32, "capabilities %ux%ux%u", dispi(XRES), dispi(YRES), dispi(BPP));
    mode(800, 600, 32);
    w7_eq(235, "capabilities off: the mode", dispi(XRES) << 16 | dispi(YRES), 800 << 16 | 600);
    w7_eq(235, "enabled", dispi(ENABLE) & 0x41, 0x41);
    w7_eq(235, "virtual width", dispi(VIRT_W), 800);
    u32 memory = dispi(MEMORY) * 65536u;
    w7_eq(235, "memory", memory, aerogpu ? (64u << 20) - 0x40000 : 16u << 20);
    u32 lines = memory / (800 * 4);
    w7_eq(235, "virtual height", dispi(VIRT_H), lines < 0xffff ? lines : 0xffff);
    dispi_set(XRES, 640);
    w7_eq(235, "no change of size while enabled", dispi(XRES), 800);
    dispi_set(VIRT_W, 1024);
    w7_eq(235, "virtual width set", dispi(VIRT_W), 1024);
    dispi_set(X_OFF, 100);
    dispi_set(Y_OFF, 50);
    w7_eq(235, "offsets", (u32)dispi(X_OFF) << 16 | dispi(Y_OFF), 100 << 16 | 50);
    for (u32 y = 0; y < 700; y++) {
        for (u32 x = 0; x < 1024; x++) mmio_write(lfb() + (y * 1024 + x) * 4, x << 12 | y);
    }
    show("offset");
    mode(640, 480, 8);
    for (u16 bank = 0; bank < 4; bank++) {
        dispi_set(BANK, bank);
        *at8(0xa0000) = (u8)(0x10 + bank);
        *at8(0xaffff) = (u8)(0x80 + bank);
    }
    for (u16 bank = 0; bank < 4; bank++) {
        w7_eq(235, "first byte of a bank", *at8(lfb() + bank * 0x10000u), 0x10u + bank);
        w7_eq(235, "last byte of a bank", *at8(lfb() + bank * 0x10000u + 0xffff), 0x80u + bank);
    }
    dispi_set(BANK, 2);
    w7_eq(235, "bank reads back", dispi(BANK), 2);
    mode(640, 480, 8);
    w7_eq(235, "memory is cleared", *at8(lfb()), 0);
    *at8(lfb()) = 0x77;
    dispi_set(ENABLE, 0);
    dispi_set(ENABLE, 0xc1);
    w7_eq(235, "bit 7 keeps it", *at8(lfb()), 0x77);
}

/* --- W7-232 --- */

static void mode_12(void)
{
    static const u8 crtc[25] = { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
                                 0,    0,    0,    0xea, 0x0c, 0xdf, 0x28, 0,    0xe7, 0x04, 0xe3, 0xff };
    static const u8 seq[5] = { 1, 1, 15, 0, 6 }, gc[9] = { 0, 0, 0, 0, 0, 0, 5, 15, 0xff };
    for (u8 n = 0; n < 5; n++) indexed(0x3c4, n, seq[n]);
    outb(0x3c2, 0xe3);
    indexed(0x3c4, 0, 3);
    indexed(0x3d4, 0x11, 0x0c);
    for (u8 n = 0; n < 25; n++) indexed(0x3d4, n, crtc[n]);
    for (u8 n = 0; n < 9; n++) indexed(0x3ce, n, gc[n]);
    for (u8 n = 0; n < 16; n++) attribute(n, n);
    attribute(0x10, 1);
    attribute(0x11, 0);
    attribute(0x12, 15);
    attribute(0x13, 0);
    attribute(0x14, 0);
    outb(0x3c6, 0xff);
    outb(0x3c8, 0);
    for (u8 n = 0; n < 16; n++) { /* the stop screen's: colour 4 is its blue, others grey by number */
        outb(0x3c9, n == 4 ? 0 : (u8)(n * 4));
        outb(0x3c9, n == 4 ? 0 : (u8)(n * 4));
        outb(0x3c9, n == 4 ? 42 : (u8)(n * 4));
    }
}

/* A stop screen: all colour 4, letters in white by write mode 3, then every way to combine. */
static void stop_screen(void)
{
    static const u8 letter[8] = { 0x18, 0x3c, 0x66, 0x66, 0x7e, 0x66, 0x66, 0x00 };
    for (u32 k = 0; k < 1024 * 768; k++) mmio_write(lfb() + k * 4, 0x00ff00ff);
    mode_12();
    indexed(0x3ce, 0, 4);
    indexed(0x3ce, 1, 15);
    for (u32 k = 0; k < 38400; k++) *at8(0xa0000 + k) = 0;
    indexed(0x3ce, 1, 0);
    indexed(0x3ce, 5, 3);
    indexed(0x3ce, 0, 15);
    for (u32 y = 0; y < 8; y++) {
        (void)*at8(0xa0000 + (100 + y) * 80 + 10);
        *at8(0xa0000 + (100 + y) * 80 + 10) = letter[y];
    }
    indexed(0x3ce, 5, 0);
    indexed(0x3ce, 0, 0);
    u32 wrong = 0;
    for (u8 plane = 0; plane < 4; plane++) {
        indexed(0x3ce, 4, plane);
        for (u32 y = 0; y < 8; y++) wrong += *at8(0xa0000 + (100 + y) * 80 + 10) != (u8)(plane == 2 ? 0xff : letter[y]);
        wrong += *at8(0xa0000) != (plane == 2 ? 0xff : 0);
    }
    w7_eq(232, "bytes of the stop screen that are wrong", wrong, 0);
    show("stop");
}

/* --- W7-234 --- */

static void dac_and_retrace(void)
{
    outb(0x3c8, 0x40);
    for (u8 k = 0; k < 9; k++) outb(0x3c9, (u8)(0xc0 | (k + 1)));
    outb(0x3c7, 0x40);
    u32 wrong = 0;
    for (u8 k = 0; k < 9; k++) wrong += inb(0x3c9) != k + 1;
    w7_eq(234, "DAC bytes that do not come back as six bits", wrong, 0);
    outb(0x3c6, 0x3f);
    w7_eq(234, "palette mask", inb(0x3c6), 0x3f);
    outb(0x3c6, 0xff);
    inb(0x3da);
    outb(0x3c0, 0x31);
    outb(0x3c0, 0x07);
    outb(0x3c0, 0x33);
    inb(0x3da);
    outb(0x3c0, 0x31);
    w7_eq(234, "reading 3DAh makes the next write an index", inb(0x3c1), 0x07);
    attribute(0x11, 0);
    /* The shortest time between two: a host that is busy elsewhere may make the loop miss one. */
    u32 from = pm_ticks(), starts = 0, last = 0, shortest = ~0u, now;
    u8 was = inb(0x3da);
    while ((now = (pm_ticks() - from) & 0xffffff) < 3579545) {
        u8 status = inb(0x3da);
        if (status & 8 && !(was & 8)) {
            if (starts++ && now - last < shortest) shortest = now - last;
            last = now;
        }
        was = status;
    }
    u32 us = shortest * 400ull / 1432;
    w7(234, starts >= 30 && us >= 16100 && us <= 17200, "vertical retrace in mode 12h: every %u us, %u seen in a second", us, starts);
}

/* --- W7-239 --- */

static void decode(void)
{
    unsigned own = owner(), other = aerogpu ? STDVGA : AEROGPU;
    u32 command = pci_read(own, 0, COMMAND) & 0xffff, there = pci_read(other, 0, 0);
    indexed(0x3ce, 5, 0);
    indexed(0x3c4, 2, 15);
    *at8(0xa0123) = 0x5a;
    u8 misc = inb(0x3cc);
    pci_write(own, 0, COMMAND, command & ~(u32)MEM);
    w7_eq(239, "memory decode off: A0000h", *at8(0xa0123), 0xff);
    w7_eq(239, "memory decode off: ports still answer", inb(0x3cc), misc);
    *at8(0xa0123) = 0x11;
    pci_write(own, 0, COMMAND, command & ~(u32)IO);
    w7_eq(239, "I/O decode off: 3CCh", inb(0x3cc), 0xff);
    w7_eq(239, "I/O decode off: 1CFh", inw(0x1cf), 0xffff);
    outb(0x3c2, 0x67);
    w7_eq(239, "I/O decode off: memory still answers, unwritten meanwhile", *at8(0xa0123), 0x5a);
    pci_write(own, 0, COMMAND, command);
    w7_eq(239, "a hidden port was not written", inb(0x3cc), misc);
    if (there == 0xffffffff) return;
    /* the other function decodes nothing of it, whatever its bits say */
    u32 its = pci_read(other, 0, COMMAND) & 0xffff;
    pci_write(other, 0, COMMAND, 0);
    w7_eq(239, "the other function off: A0000h", *at8(0xa0123), 0x5a);
    w7_eq(239, "the other function off: 3CCh", inb(0x3cc), misc);
    pci_write(other, 0, COMMAND, its | IO | MEM);
    pci_write(own, 0, COMMAND, command & ~(u32)(IO | MEM));
    w7_eq(239, "only the other function on: A0000h", *at8(0xa0123), 0xff);
    w7_eq(239, "only the other function on: 3CCh", inb(0x3cc), 0xff);
    pci_write(other, 0, COMMAND, its);
    pci_write(own, 0, COMMAND, command);
}

void bm_main(const struct bm_info *info)
{
    W7_PLAN(224, 232, 234, 235, 239);
    for (const char *s = info->command_line; *s; s++) aerogpu |= !memcmp(s, "aerogpu", 7);
    framebuffer();
    dispi_registers();
    mode(1024, 768, 32);
    stop_screen();
    dac_and_retrace();
    decode();
}
