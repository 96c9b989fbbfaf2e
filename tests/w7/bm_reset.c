/* Every way to restart a PC gives the machine that power-on gave: the program takes the state of all chips as POST leaves it, spoils it
 * thoroughly, resets, and is started again by the BIOS; then the state must be the first one. Paths: CF9h 06h and 0Eh, 8042 FEh, port 92h,
 * the FADT's reset register, triple fault. What survives is RAM, where the program keeps its notes, and the clock chip's bytes. */
#include "tests/w7/storage.h"

enum { PATHS = 6, NOTES = 0x3000000, MAGIC = 0x57377264, ITEMS = 300 };
static const char *const path_names[PATHS] = { "CF9h 06h", "CF9h 0Eh", "8042 FEh", "port 92h", "FADT register", "triple fault" };

struct item {
    char name[20];
    u32 value; /* checksum of the registers behind the name */
};

static struct notes {
    u32 magic, step;
    u32 n;
    struct item first[ITEMS];
} *const notes = (struct notes *)NOTES;

static struct item now[ITEMS];
static u32 n_now, check;

static void value(u32 v)
{
    u8 b[4];
    put_le32(b, v);
    check = crc32(check, b, 4);
}

static void name(const char *s, int number)
{
    struct item *t = &now[n_now];
    unsigned k = 0;
    if (n_now == ITEMS - 1) return;
    for (; *s && k < 15; s++) t->name[k++] = *s;
    if (number >= 0) t->name[k++] = "0123456789abcdef"[number >> 4 & 15], t->name[k++] = "0123456789abcdef"[number & 15];
    t->name[k] = 0;
    t->value = check;
    n_now++;
    check = 0;
}

static u8 indexed(u16 port, u8 index)
{
    outb(port, index);
    return inb((u16)(port + 1));
}

static void set_indexed(u16 port, u8 index, u8 v)
{
    outb(port, index);
    outb((u16)(port + 1), v);
}

static u8 attribute(u8 index)
{
    inb(0x3da);
    outb(0x3c0, index);
    u8 v = inb(0x3c1);
    inb(0x3da);
    outb(0x3c0, 0x20);
    return v;
}

static u32 ioapic(u32 reg)
{
    mmio_write(0xfec00000, reg);
    return mmio_read(0xfec00010);
}

/* --- the state --- */

static void take_pci(void)
{
    for (unsigned f = 0; f < 256; f++) {
        if (pci_read(f >> 3, f & 7, 0) == 0xffffffff) continue;
        for (unsigned reg = 0; reg < 256; reg += 4) value(pci_read(f >> 3, f & 7, reg));
        name("PCI ", (int)f);
    }
}

static void take_interrupts(void)
{
    static const u16 lapic[] = { 0x20, 0x30, 0x80, 0xd0, 0xe0, 0xf0, 0x100, 0x110, 0x170, 0x200, 0x270, 0x280, 0x300, 0x310,
                                 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3e0 };
    for (unsigned k = 0; k < sizeof(lapic) / 2; k++) {
        value(mmio_read(0xfee00000 + lapic[k]));
        name("local APIC ", lapic[k] >> 4);
    }
    for (u32 k = 0x10; k < 0x40; k++) value(ioapic(k));
    name("I/O APIC", -1);
    value(ioapic(0));
    name("I/O APIC id", -1);
    value(inb(0x21) | inb(0xa1) << 8);
    name("PIC masks", -1);
    value(inb(0x4d0) | inb(0x4d1) << 8);
    name("ELCR", -1);
    outb(0x20, 0x0b);
    outb(0xa0, 0x0b);
    value(inb(0x20) | inb(0xa0) << 8);
    name("PIC in service", -1);
}

static void take_timers(void)
{
    for (unsigned k = 0; k < 3; k += 2) {
        outb(0x43, (u8)(0xe0 | 2u << k)); /* status of channel k */
        value(inb((u16)(0x40 + k)) & 0x3f);
        name("PIT ", (int)k);
    }
    value(inb(0x61) & 0x0f);
    name("port 61h", -1);
    value(indexed(0x70, 0x0a) & 0x7f);
    name("RTC A", -1);
    value(indexed(0x70, 0x0b));
    name("RTC B", -1);
    if (mmio_read(0xfed00000) != 0xffffffff) {
        value(mmio_read(0xfed00010));
        for (u32 t = 0; t < 3; t++) value(mmio_read(0xfed00100 + 32 * t)), value(mmio_read(0xfed00108 + 32 * t));
        name("HPET", -1);
    }
    value(inw(0x602));
    value(inw(0x604));
    name("ACPI enables", -1);
    value(inw(0xafe2));
    name("GPE enables", -1);
}

static void take_video(void)
{
    static const u8 dispi[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    value(inb(0x3cc));
    name("VGA misc", -1);
    for (u8 k = 0; k < 5; k++) value(indexed(0x3c4, k));
    name("VGA sequencer", -1);
    for (u8 k = 0; k < 25; k++)
        if (k != 0x0e && k != 0x0f) value(indexed(0x3d4, k)); /* not the cursor */
    name("VGA CRTC", -1);
    for (u8 k = 0; k < 9; k++) value(indexed(0x3ce, k));
    name("VGA graphics", -1);
    for (u8 k = 0; k < 21; k++) value(attribute(k));
    name("VGA attributes", -1);
    value(inb(0x3c6));
    outb(0x3c7, 0);
    for (unsigned k = 0; k < 768; k++) value(inb(0x3c9));
    name("VGA palette", -1);
    for (unsigned k = 0; k < sizeof(dispi); k++) {
        outw(0x1ce, dispi[k]);
        value(inw(0x1cf));
    }
    name("dispi", -1);
    for (unsigned dev = 0; dev < 32; dev++) {
        if (pci_read(dev, 0, 0) != 0x0001a3a0) continue;
        u32 bar = pci_read(dev, 0, 0x10) & ~15u, command = pci_read(dev, 0, 4);
        pci_write(dev, 0, 4, command | 2);
        for (u32 at = 0; at < 0x1000; at += 4)
            if (at < 0x410 || at > 0x41c) value(mmio_read(bar + at)); /* not its clocks */
        name("AeroGPU", -1);
        pci_write(dev, 0, 4, command);
    }
}

static void take_disks(void)
{
    value(hba(4));
    for (unsigned p = 0; p < 6; p++) {
        value(port_reg(p, P_IE));
        value(port_reg(p, P_SSTS));
        value(port_reg(p, P_SIG));
        value(port_reg(p, P_SCTL));
        value(port_reg(p, P_CMD) & 0xff00ffff);
    }
    name("AHCI", -1);
    value(inb((u16)(ide_bm_base + 2)) & 0x67);
    value(inb((u16)(ide_bm_base + 10)) & 0x67);
    value(inb(ide_bm_base));
    name("bus master IDE", -1);
    value(inb(0x376));
    value(inb(0x3f6));
    name("IDE status", -1);
}

static void take_cpu(void)
{
    static const u32 msrs[] = { 0x1b, 0x2ff, 0x277, 0x174, 0x175, 0x176, 0x250, 0x258, 0x259, 0x268, 0x26f, 0x200, 0x201, 0x202, 0x203, 0x20e,
                                0x20f, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102 };
    for (unsigned k = 0; k < sizeof(msrs) / 4; k++) {
        u64 v = rdmsr(msrs[k]);
        value((u32)v);
        value((u32)(v >> 32));
        name("MSR ", (int)(msrs[k] & 0xff));
    }
    word dr7;
    __asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
    value((u32)dr7);
    name("DR7", -1);
    value(inb(0x92));
    name("port 92h", -1);
}

static void take_rest(void)
{
    value(inb(0x3f9));
    value(inb(0x3fb));
    value(inb(0x3fc));
    name("COM1", -1);
    outb(0x64, 0x20);
    for (unsigned k = 0; k < 10000 && !(inb(0x64) & 1); k++) {
    }
    value(inb(0x60));
    name("8042 command byte", -1);
    for (u32 at = 0xe0000; at < 0xe8000; at += 4) value(mmio_read(at));
    for (u32 at = 0xf0000; at < 0xfd000; at += 4) value(mmio_read(at));
    name("BIOS", -1);
}

static void take(void)
{
    n_now = 0;
    ahci_base = 0;
    for (int f = 0; f < 256; f++) { /* without pci_class(), which would change the command registers */
        u32 class_code = pci_read((unsigned)f >> 3, f & 7, 8) >> 16;
        if (pci_read((unsigned)f >> 3, f & 7, 0) == 0xffffffff) continue;
        if (class_code == 0x0106) ahci_base = pci_read((unsigned)f >> 3, f & 7, 0x24) & ~15u;
        if (class_code == 0x0101) ide_bm_base = (u16)(pci_read((unsigned)f >> 3, f & 7, 0x20) & 0xfffc);
    }
    take_pci();
    take_interrupts();
    take_timers();
    take_video();
    take_disks();
    take_cpu();
    take_rest();
}

/* --- spoiling it --- */

static void spoil_interrupts(void)
{
    mmio_write(0xfee00080, 0xf0);
    mmio_write(0xfee000f0, 0x0ff);
    for (u32 reg = 0x320; reg <= 0x370; reg += 0x10) mmio_write(0xfee00000 + reg, 0x100f0 | reg);
    mmio_write(0xfee003e0, 9);
    mmio_write(0xfee00380, 0x7fffffff);
    for (u32 k = 0; k < 24; k++) {
        mmio_write(0xfec00000, 0x10 + 2 * k);
        mmio_write(0xfec00010, 0x40 + k);
        mmio_write(0xfec00000, 0x11 + 2 * k);
        mmio_write(0xfec00010, 0x03000000);
    }
    mmio_write(0xfec00000, 0);
    mmio_write(0xfec00010, 0x05000000);
    bm_pic_init(0x50, 0x58);
    bm_pic_mask(0);
    outb(0x4d0, 0xf8);
    outb(0x4d1, 0xde);
}

static void spoil_timers(void)
{
    outb(0x43, 0x30);
    outb(0x40, 1);
    outb(0x40, 0);
    outb(0x43, 0xb2);
    outb(0x42, 9);
    outb(0x61, 3);
    set_indexed(0x70, 0x0a, 0x2f);
    set_indexed(0x70, 0x0b, 0x72);
    outb(0x70, 0x8f); /* NMI off */
    if (mmio_read(0xfed00000) != 0xffffffff) {
        mmio_write(0xfed00100, 0x004c);
        mmio_write(0xfed00108, 12345);
        mmio_write(0xfed00010, 3);
    }
    outb(0xb2, 0xf1);
    outw(0x602, 0x0121);
    outw(0xafe2, 0xffff);
}

static void spoil_video(void)
{
    outb(0x3c2, 0xe3);
    for (u8 k = 1; k < 5; k++) set_indexed(0x3c4, k, 0x0e);
    set_indexed(0x3d4, 0x11, 0);
    for (u8 k = 0; k < 25; k++) set_indexed(0x3d4, k, (u8)(0x11 * k));
    for (u8 k = 0; k < 9; k++) set_indexed(0x3ce, k, (u8)(0x35 + k));
    outb(0x3c8, 0);
    for (unsigned k = 0; k < 768; k++) outb(0x3c9, (u8)k);
    outb(0x3c6, 0x55);
    static const u16 dispi[][2] = { { 1, 800 }, { 2, 600 }, { 3, 32 }, { 4, 0x41 }, { 6, 1000 }, { 8, 3 }, { 9, 5 } };
    for (unsigned k = 0; k < 7; k++) outw(0x1ce, dispi[k][0]), outw(0x1cf, dispi[k][1]);
    for (unsigned dev = 0; dev < 32; dev++) {
        if (pci_read(dev, 0, 0) != 0x0001a3a0) continue;
        u32 bar = pci_read(dev, 0, 0x10) & ~15u;
        pci_write(dev, 0, 4, 7);
        for (u32 at = 0; at < 0x500; at += 4)
            if (at < 0x100 || at >= 0x300) mmio_write(bar + at, 0xa5a5a5a5); /* rings and doorbells stay out of it */
    }
}

static void spoil_disks(void)
{
    mmio_write(ahci_base + 4, 0x80000002);
    for (unsigned p = 0; p < 6; p++) {
        port_set(p, P_CLB, CLB);
        port_set(p, P_FB, RFIS);
        port_set(p, P_IE, 0x7dc0007f);
        port_set(p, P_CMD, 0x10);
        port_set(p, P_CMD, 0x11);
        port_set(p, P_SCTL, 0x301);
    }
    outb(0x1f6, 0xb0);
    outb(0x3f6, 2);
    outb(0x376, 6);
    outl((u16)(ide_bm_base + 4), 0x12345678);
    outb((u16)(ide_bm_base + 2), 0x60);
    outb((u16)(ide_bm_base + 10), 0x60);
    outb(ide_bm_base, 9);
}

static void spoil_cpu(void)
{
    wrmsr(0x2ff, 0xc00);
    wrmsr(0x277, 0x0000060400070406ull);
    for (u32 m = 0x174; m <= 0x176; m++) wrmsr(m, 0x5a58);
    wrmsr(0x200, 0x40000000);
    wrmsr(0x201, 0xffc0000800ull);
    wrmsr(0xc0000081, 0x1234567800000000ull);
    wrmsr(0xc0000082, 0x12345678);
    wrmsr(0xc0000102, 0x87654321);
    word dr7 = 0x455;
    __asm__ volatile("mov %0, %%dr7" : : "r"(dr7));
}

static void spoil_rest(void)
{
    outb(0x3fb, 0x9b);
    outb(0x3f9, 0x12);
    outb(0x3fb, 0x1b);
    outb(0x3f9, 0x0f);
    outb(0x3fc, 0x1f);
    outb(0x64, 0x60);
    for (unsigned k = 0; k < 10000 && (inb(0x64) & 2); k++) {
    }
    outb(0x60, 0x30);
    /* The shadow RAM of the BIOS, too: the next start must come from the ROM. */
    pci_write(0, 0, 0x58, 0x33333300);
    pci_write(0, 0, 0x5c, 0x33333333);
    for (u32 at = 0xc0000; at < 0x100000; at += 4) mmio_write(at, 0xcccccccc);
    for (u32 at = 0; at < 0x7000; at += 4) mmio_write(at, 0xcccccccc);
}

static void spoil_pci(void)
{
    for (unsigned f = 1; f < 256; f++) {
        if (pci_read(f >> 3, f & 7, 0) == 0xffffffff) continue;
        u32 class_code = pci_read(f >> 3, f & 7, 8) >> 16;
        for (unsigned reg = 0x10; reg <= 0x24; reg += 4) pci_write(f >> 3, f & 7, reg, 0xfff00000);
        pci_write(f >> 3, f & 7, 0x30, 0xffe00001);
        pci_write(f >> 3, f & 7, 0x3c, 0xaa);
        pci_write(f >> 3, f & 7, 0x0c, 0x4010);
        pci_write(f >> 3, f & 7, 4, 0x0140);
        if (class_code == 0x0601) pci_write(f >> 3, f & 7, 0x60, 0x03040506);
        if (class_code == 0x0101) pci_write(f >> 3, f & 7, 0x40, 0x33003300);
        if (class_code == 0x0680) continue; /* its base address may carry the reset of the next step */
    }
}

/* --- resets --- */

static u32 fadt(void)
{
    for (u32 at = 0xe0000; at < 0x100000; at += 16) {
        if (memcmp(mem(at), "RSD PTR ", 8)) continue;
        u32 rsdt = mmio_read(at + 16);
        for (u32 k = 36; k < mmio_read(rsdt + 4); k += 4)
            if (!memcmp(mem(mmio_read(rsdt + k)), "FACP", 4)) return mmio_read(rsdt + k);
    }
    return 0;
}

static void reset(u32 path, u32 table)
{
    if (path == 0) outb(0xcf9, 2), outb(0xcf9, 6);
    if (path == 1) outb(0xcf9, 0x0e);
    if (path == 2) {
        for (unsigned k = 0; k < 10000 && (inb(0x64) & 2); k++) {
        }
        outb(0x64, 0xfe);
    }
    if (path == 3) outb(0x92, (u8)(inb(0x92) | 1));
    if (path == 4) outb((u16)mmio_read(table + 120), mem(table)[128]);
    if (path == 5) {
        static const struct {
            u16 limit;
            u64 base;
        } __attribute__((packed)) none = { 0, 0 };
        __asm__ volatile("lidt %0; int3" : : "m"(none));
    }
    bm_delay_us(100000);
    for (u32 k = 0; k < 50000000; k++) inb(0x80);
}

static void compare(u32 path)
{
    u32 wrong = 0;
    for (u32 k = 0; k < notes->n && k < n_now; k++) {
        if (!memcmp(&notes->first[k], &now[k], sizeof(now[k]))) continue;
        wrong++;
        w7(248, false, "%s is another after %s: %08x, at power-on %s %08x", now[k].name, path_names[path], now[k].value, notes->first[k].name,
           notes->first[k].value);
    }
    w7(248, !wrong && n_now == notes->n && n_now > 60, "after %s: %u of %u groups of registers as at power-on", path_names[path], n_now - wrong,
       notes->n);
}

void bm_main(const struct bm_info *info)
{
    (void)info;
    if (notes->magic != MAGIC) {
        W7_PLAN(52, 247, 248);
        memset(notes, 0, sizeof(*notes));
        take();
        take(); /* reading has no effect that a second look would see */
        memcpy(notes->first, now, sizeof(now));
        notes->n = n_now;
        notes->magic = MAGIC;
        notes->step = 0;
    } else {
        u32 path = notes->step - 1;
        take();
        w7(247, true, "%s restarted the machine", path_names[path]);
        if (path == 4) w7(52, true, "the FADT's reset register restarted the machine");
        compare(path);
    }
    if (notes->step == PATHS) return;
    u32 path = notes->step++, table = fadt();
    static u8 copy[256];
    memcpy(copy, mem(table), 244); /* PCI and shadow are spoilt before it is used */
    spoil_interrupts();
    spoil_timers();
    spoil_video();
    spoil_disks();
    spoil_cpu();
    spoil_rest();
    spoil_pci();
    reset(path, (u32)(word)copy);
    w7(247, false, "%s did not reset", path_names[path]);
}
