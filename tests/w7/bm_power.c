/* Power and life cycle. The command line's second word chooses:
 *   resets   W7-247 every way to reset restarts the machine, W7-248 into the state of power-on, W7-52 the FADT's register among them
 *   tables, hpet   W7-74, 75, 76: HPET, MCFG and WAET promise what the machine holds
 *   button   W7-246 the power button's status bit and SCI; says "armed" on COM1 and waits for it
 *   off      W7-245 writes a sector of ide0, then S5: the program must not go on
 *   off2     W7-245 that sector is there at the next start
 *   idle     W7-251 sleeps between 64 interrupts a second until it is killed
 * The kernel starts anew after each reset; CMOS bytes say how far it got. */
#include "tests/guest/dev.c"

enum { STEP = 0x60, METHODS = 7, WORDS = 30 };

struct bm_info {
    const char *command_line;
};

/* --- memory that survives: CMOS, all 256 bytes through 72h/73h --- */

static u8 cmos(u8 n)
{
    outb(0x72, n);
    return inb(0x73);
}

static void set_cmos(u8 n, u8 v)
{
    outb(0x72, n);
    outb(0x73, v);
}

/* --- ACPI tables --- */

static bool same4(word a, const char *name)
{
    const u8 *p = (const u8 *)a;
    return p[0] == name[0] && p[1] == name[1] && p[2] == name[2] && p[3] == name[3];
}

static word find_table(const char *name)
{
    for (word a = 0xe0000; a < 0x100000; a += 16) {
        if (!same4(a, "RSD ") || !same4(a + 4, "PTR ")) continue;
        word rsdt = rd32(a + 16);
        for (u32 n = 36; n < rd32(rsdt + 4); n += 4) {
            word t = rd32(rsdt + n);
            if (same4(t, name)) return t;
        }
    }
    return 0;
}

static void tables(bool hpet)
{
    W7_PLAN(74, 75, 76);
    about(74);
    bool answers = rd32(0xfed00000) != 0xffffffff;
    check_eq("the HPET table and the HPET go together", find_table("HPET") != 0, answers);
    check_eq("and this machine was told which", answers, hpet);
    about(75);
    check_eq("no MCFG: configuration is by ports", find_table("MCFG") != 0, 0);
    about(76);
    word waet = find_table("WAET");
    check_eq("WAET does not say that the RTC needs no read of register C", waet ? rd32(waet + 36) & 1 : 0, 0);
}

/* --- state --- */

static u16 dispi(u16 n)
{
    outw(0x1ce, n);
    return inw(0x1cf);
}

static u8 indexed(u16 port, u8 n)
{
    outb(port, n);
    return inb((u16)(port + 1));
}

static u32 pm_address(void)
{
    return pci_rd(1, 3, 0x40);
}

static const u8 apic_regs[] = { 0x08, 0x0d, 0x0e, 0x0f, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3e };

static u8 timer_mode(unsigned channel)
{
    outb(0x43, (u8)(0xe0 | 2 << channel));
    return inb((u16)(0x40 + channel)) & 0x3f;
}

/* What the BIOS has left behind: equal after every reset. Raw, before dev_init. */
static void snapshot(u32 *v)
{
    unsigned n = 0;
    v[n++] = pci_rd(2, 0, 4) & 0xffff;
    v[n++] = pci_rd(2, 0, 0x24);
    v[n++] = pci_rd(1, 1, 4) & 0xffff;
    v[n++] = pci_rd(1, 1, 0x20);
    v[n++] = pci_rd(1, 0, 0x60);
    v[n++] = pci_rd(0, 0, 0x58);
    v[n++] = pci_rd(0, 0, 0x5c);
    v[n++] = pci_rd(12, 0, 4) & 0xffff;
    v[n++] = pci_rd(12, 0, 0x10);
    v[n++] = pci_rd(7, 0, 4) & 0xffff;
    v[n++] = pci_rd(7, 0, 0x10);
    v[n++] = pm_address();
    u32 apic = 0, io = 0;
    for (unsigned k = 0; k < sizeof(apic_regs); k++) apic = (apic << 5 | apic >> 27) ^ apic_rd((unsigned)apic_regs[k] << 4);
    v[n++] = apic;
    for (unsigned k = 0; k < 48; k++) io = (io << 5 | io >> 27) ^ ioapic_rd(0x10 + k);
    v[n++] = io;
    v[n++] = inb(0x21) | inb(0xa1) << 8 | inb(0x4d0) << 16 | (u32)inb(0x4d1) << 24;
    v[n++] = timer_mode(0) | timer_mode(2) << 8 | (inb(0x61) & 0x0f) << 16;
    v[n++] = (cmos(0x0a) & 0x7f) | cmos(0x0b) << 8;
    v[n++] = inb(0x92) & 3;
    v[n++] = dispi(4) | dispi(1) << 16;
    v[n++] = inb(0x3cc) | indexed(0x3c4, 1) << 8 | indexed(0x3ce, 5) << 16 | (u32)indexed(0x3ce, 6) << 24;
    outb(0x64, 0x20);
    for (unsigned k = 0; k < 1000 && !(inb(0x64) & 1); k++) {}
    v[n++] = inb(0x60);
    v[n++] = inw(0x602) | (u32)(inw(0x604) & 0x3c01) << 16;
    while (n < WORDS) v[n++] = 0;
}

static const char *const names[WORDS] = {
    "AHCI command", "AHCI BAR", "IDE command", "IDE BAR", "PIRQRC", "PAM 58h", "PAM 5Ch", "VGA command", "VGA BAR",
    "AeroGPU command", "AeroGPU BAR", "PM base", "local APIC", "I/O APIC", "8259 masks and ELCR", "8254 and port 61h", "RTC A and B",
    "A20", "display interface", "VGA registers", "8042 command byte", "PM1 enable and control", "", "", "", "", "", "", "", "" };

/* Everything as an operating system could leave it, worse. */
static void disturb(void)
{
    dev_init();
    for (unsigned pin = 0; pin < 24; pin++) ioapic_entry(pin, 0xff000000, 0x1a000 | (0x60 + pin));
    apic_wr(0x80, 0xff);
    apic_wr(0xd0, 0x55000000);
    apic_wr(0xe0, 0x0fffffff);
    apic_wr(0x320, 0x30077);
    apic_wr(0x3e0, 3);
    apic_wr(0x380, 0x12345);
    apic_wr(0x350, 0x10000);
    outb(0x4d0, 0xf8);
    outb(0x4d1, 0xde);
    outb(0x21, 0x5a);
    outb(0xa1, 0xa5);
    outb(0x43, 0x1a);
    outb(0x43, 0xb8);
    outb(0x61, 0x03);
    set_cmos(0x0b, 0x72);
    for (unsigned slot = 2; slot < 13; slot++) {
        if (pci_rd(slot, 0, 0) == 0xffffffff) continue;
        pci_wr(slot, 0, 0x10, 0xe5000000 + slot * 0x100000);
        pci_wr(slot, 0, 0x24, 0xe6000000 + slot * 0x100000);
        pci_wr(slot, 0, 0x04, 0x400);
    }
    pci_wr(1, 1, 0x20, 0xd801);
    pci_wr(1, 1, 0x04, 0);
    pci_wr(1, 0, 0x60, 0x80808080);
    outw(0x1ce, 4);
    outw(0x1cf, 0);
    outb(0x3c2, 0);
    outb(0x64, 0x60);
    outb(0x60, 0x30);
    outw(0x602, 0x121);
    outb(0xb2, 0xf1);
}

static void fadt_reset(void)
{
    word fadt = find_table("FACP");
    about(52);
    u32 flags = rd32(fadt + 112);
    check("reset register announced with FADT revision 2 or later, or not at all", !(flags & 0x400) || *(u8 *)(fadt + 8) >= 2);
    if (!(flags & 0x400)) {
        outb(0xcf9, 0x02);
        outb(0xcf9, 0x06);
        return;
    }
    u32 space = rd32(fadt + 116);
    check_eq("reset register: eight bits of I/O", space & 0xffff, 0x0801);
    outb((u16)rd32(fadt + 120), *(u8 *)(fadt + 128));
}

static void triple_fault(void)
{
    static const u8 none[10];
    __asm__ volatile("lidt %0\n\tint3" ::"m"(none));
}

static const char *const method_names[METHODS] = { "CF9h 06h", "CF9h 0Eh", "8042 FEh", "8042 output port", "port 92h",
                                                   "FADT reset register", "triple fault" };

static void reset_by(unsigned method)
{
    switch (method) {
    case 0:
        outb(0xcf9, 0x02);
        outb(0xcf9, 0x06);
        break;
    case 1:
        outb(0xcf9, 0x0a);
        outb(0xcf9, 0x0e);
        break;
    case 2: outb(0x64, 0xfe); break;
    case 3:
        outb(0x64, 0xd1);
        outb(0x60, 0xfe);
        break;
    case 4:
        outb(0x92, 2);
        outb(0x92, 3);
        break;
    case 5: fadt_reset(); break;
    case 6: triple_fault(); break;
    }
    for (unsigned n = 0; n < 1000000; n++) __asm__ volatile("pause");
}

static void judge(unsigned method, const u32 *now)
{
    about(247);
    check(method_names[method], true);
    if (method == 5) {
        about(52);
        check("the FADT's register restarts the machine", true);
    }
    about(248);
    for (unsigned n = 0; n < WORDS; n++) {
        u32 then = 0;
        for (unsigned k = 0; k < 4; k++) then |= (u32)cmos((u8)(0x80 + n * 4 + k)) << k * 8;
        if (now[n] == then && names[n][0] == 0) continue;
        dev_print(now[n] == then ? "" : "after ");
        if (now[n] != then) dev_print(method_names[method]);
        if (now[n] != then) dev_print(":\n");
        check_eq(names[n], now[n], then);
    }
}

static void resets(void)
{
    u32 state[WORDS];
    unsigned step = cmos(STEP);
    if (!step) W7_PLAN(52, 247, 248);
    snapshot(state);
    if (step) {
        judge(step - 1, state);
    } else {
        for (unsigned n = 0; n < WORDS * 4; n++) set_cmos((u8)(0x80 + n), (u8)(state[n / 4] >> n % 4 * 8));
    }
    if (step == METHODS) return;
    set_cmos(STEP, (u8)(step + 1));
    disturb();
    reset_by(step);
    about(247);
    check(method_names[step], false);
}

/* --- power --- */

static void say(const char *s)
{
    outb(0x3fb, 3);
    for (; *s; s++) {
        while (!(inb(0x3fd) & 0x20)) {}
        outb(0x3f8, (u8)*s);
    }
}

/* The line stays up: taken once, then masked. */
static void mask_sci(unsigned vector)
{
    if (vector == PIC2_BASE + 1) outb(0xa1, 0xff);
}

static void button(void)
{
    W7_PLAN(246);
    about(246);
    dev_init();
    outb(0xb2, 0xf1);
    outw(0x600, 0xffff);
    outw(0x602, 0x100);
    outb(0x4d1, 2);
    pic_unmask(9);
    outb(0x43, 0x34); /* so that HLT returns */
    outb(0x40, 0);
    outb(0x40, 0);
    pic_unmask(0);
    eoi_policy = EOI_PIC;
    on_interrupt = mask_sci;
    say("armed\n");
    unsigned turns = 0;
    while (!taken[PIC2_BASE + 1] && turns++ < 600) {
        halt();
        if (taken[PIC2_BASE + 1]) break;
    }
    check_eq("SCI", taken[PIC2_BASE + 1] != 0, 1);
    check_eq("power button status", inw(0x600) & 0x100, 0x100);
    outw(0x600, 0x100);
    check_eq("cleared by writing 1", inw(0x600) & 0x100, 0);
    forget();
    pic_unmask(9);
    window();
    check_eq("the line is low again", taken[PIC2_BASE + 1], 0);
}

static void ide_command(u8 command)
{
    outb(0x3f6, 2); /* no interrupts */
    outb(0x1f6, 0xe0);
    for (unsigned n = 0; n < 100000 && (inb(0x1f7) & 0x80); n++) {}
    outb(0x1f2, 1);
    outb(0x1f3, 5);
    outb(0x1f4, 0);
    outb(0x1f5, 0);
    outb(0x1f7, command);
    for (unsigned n = 0; n < 1000000 && (inb(0x1f7) & 0x88) != 0x08; n++) {}
}

static void power_off(bool second)
{
    W7_PLAN(245);
    about(245);
    if (second) {
        bool same = true;
        ide_command(0x20);
        for (unsigned n = 0; n < 256; n++) same &= inw(0x1f0) == (u16)(n * 0x101 ^ 0x5aa5);
        check_eq("the sector written before power-off is there", same, 1);
        return;
    }
    ide_command(0x30);
    for (unsigned n = 0; n < 256; n++) outw(0x1f0, (u16)(n * 0x101 ^ 0x5aa5));
    for (unsigned n = 0; n < 1000000 && (inb(0x1f7) & 0x80); n++) {}
    outb(0xb2, 0xf1);
    outw(0x604, 0x2001); /* SLP_TYP 0 is \_S5 here, SLP_EN */
    for (unsigned n = 0; n < 1000000; n++) __asm__ volatile("pause");
    check("S5 ends the machine", false);
}

static void idle(void)
{
    dev_init();
    set_cmos(0x0a, 0x2a); /* 64 Hz */
    set_cmos(0x0b, 0x42);
    cmos(0x0c);
    pic_unmask(8);
    eoi_policy = EOI_PIC;
    say("idle\n");
    for (;;) {
        halt();
        cmos(0x0c);
    }
}

static bool word_is(const char *line, const char *name)
{
    while (*line && *line != ' ') line++;
    while (*line == ' ') line++;
    while (*name && *line == *name) {
        line++;
        name++;
    }
    return !*name && (!*line || *line == ' ');
}

void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    const char *line = info->command_line;
    if (word_is(line, "resets")) resets();
    if (word_is(line, "tables")) tables(false);
    if (word_is(line, "hpet")) tables(true);
    if (word_is(line, "button")) button();
    if (word_is(line, "off")) power_off(false);
    if (word_is(line, "off2")) power_off(true);
    if (word_is(line, "idle")) idle();
    dev_stop(16);
}
