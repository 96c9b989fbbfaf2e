/*
 * Firmware probe: memory map, A20, delays, clocks, TPM, PCI BIOS, stack use, data area, tables (W7-017 to 027, 030 to 032,
 * 040 to 044, 244). Run with --clock insn, so that times are those of the guest and the same each time.
 *
 * The memory map is also printed as `e820 ...` lines, which the runner compares between starts and boot devices (W7-019).
 */
#include "fw.h"

void probe_main(void);
void memory_probes(void);
void interrupt_probes(void);
void table_probes(void);

/* ------------------------------------------------------------------ INT 15h */

static void a20_services(void)
{
    static const u8 order[] = { 3, 1, 2, 0, 2, 1, 2 };
    static const u8 al_wanted[] = { 0, 0, 1, 0, 0, 0, 1 };
    for (u32 i = 0; i < LEN(order); i++) {
        struct regs r;
        clear(&r);
        r.ax = 0x2400 | order[i];
        r.bx = 0x5555;
        bios(0x15, &r);
        expect(21, "INT 15h 24xxh carry", r.flags & CF, 0);
        expect(21, "INT 15h 24xxh AH", r.ah, 0);
        if (order[i] == 2) expect(21, "2402h AL", r.al, al_wanted[i]);
        if (order[i] == 3) expect(21, "2403h BX", r.bx, 3);
        if (order[i] == 3) continue;
        u32 low = peekl(0, 0x700);
        pokel(0, 0x700, 0x600df00d);
        pokel(0xffff, 0x710, 0);
        u32 alias = peekl(0, 0x700) == 0;
        pokel(0, 0x700, low);
        if (order[i] != 2) expect(21, "memory wraps at 1 MiB", alias, order[i] == 0);
    }
    struct regs r;
    clear(&r);
    r.ax = 0x2404;
    bios(0x15, &r);
    expect(21, "2404h is refused", r.flags & CF, CF);
}

static void delays(void)
{
    static const u32 us[] = { 10000, 1000, 100000 };
    for (u32 i = 0; i < LEN(us); i++) {
        struct regs r;
        clear(&r);
        r.ah = 0x86;
        r.cx = us[i] >> 16;
        r.dx = (u16)us[i];
        u32 start = pm_timer();
        bios(0x15, &r);
        u32 took = elapsed_us(start);
        expect(22, "INT 15h 86h carry", r.flags & CF, 0);
        within(22, "microseconds it took", took, us[i], us[i] + us[i] / 10 + (us[i] < 10000 ? 1000 : 0));
    }
}

static void configuration(void)
{
    struct regs r;
    clear(&r);
    r.ah = 0xc0;
    bios(0x15, &r);
    expect(23, "INT 15h C0h carry", r.flags & CF, 0);
    expect(23, "INT 15h C0h AH", r.ah, 0);
    within(23, "length of the table", peekw(r.es, r.bx), 8, 64);
    expect(23, "model", peekb(r.es, r.bx + 2), 0xfc);
    expect(23, "features: second 8259, RTC, 4Fh hook, EBDA", peekb(r.es, r.bx + 5) & 0x74, 0x74);
    for (u32 bl = 1; bl <= 3; bl++) {
        clear(&r);
        r.ax = 0xec00;
        r.bl = bl;
        bios(0x15, &r);
        expect(23, "AX=EC00h carry", r.flags & CF, CF);
        expect(23, "AX=EC00h AH", r.ah, 0x86);
    }
}

/* ------------------------------------------------------------------ INT 1Ah */

static u32 ticks(u8 *midnight)
{
    struct regs r;
    clear(&r);
    bios(0x1a, &r);
    if (midnight) *midnight = r.al;
    return (u32)r.cx << 16 | r.dx;
}

static void set_ticks(u32 to)
{
    struct regs r;
    clear(&r);
    r.ah = 1;
    r.cx = to >> 16;
    r.dx = (u16)to;
    bios(0x1a, &r);
}

/* Microseconds of the PM timer between two ticks that lie n apart; n below 70. */
static u32 time_ticks(u32 n)
{
    u32 t = peekl(0x40, 0x6c);
    while (peekl(0x40, 0x6c) == t) halt();
    u32 start = pm_timer();
    while (peekl(0x40, 0x6c) - t - 1 < n) halt();
    return elapsed_us(start);
}

static void tick_count(void)
{
    u8 flag;
    within(24, "microseconds for 40 ticks", time_ticks(40), 2197016 - 21970, 2197016 + 21970);
    expect(24, "INT 1Ah AH=00h is the count at 0040:006C", ticks(&flag), peekl(0x40, 0x6c));
    u32 was = ticks(&flag);
    set_ticks(0x1800af);
    expect(24, "flag after AH=01h", (ticks(&flag), flag), 0);
    while (peekl(0x40, 0x6c) == 0x1800af) halt();
    expect(24, "count after 1800AFh", ticks(&flag), 0);
    expect(24, "midnight flag", flag, 1);
    ticks(&flag);
    expect(24, "midnight flag, second time", flag, 0);
    set_ticks(was);
}

static u32 rtc_second(void)
{
    u32 v;
    irq_off();
    do v = cmos(0);
    while (cmos(10) & 0x80 || cmos(0) != v);
    irq_on();
    return v;
}

static void clock(void)
{
    struct regs r;
    u32 failures = 0, longest = 0, changes = 0, last = rtc_second(), bad_bcd = 0, wrong = 0;
    u32 begin = pm_timer();
    while (changes < 2 && elapsed_us(begin) < 3500000) {
        clear(&r);
        r.ah = 2;
        u32 start = pm_timer(), before = cmos(0);
        bios(0x1a, &r);
        u32 took = elapsed_us(start);
        if (took > longest) longest = took;
        if (r.flags & CF) failures++;
        else if (!(cmos(10) & 0x80) && r.dh != before && r.dh != cmos(0)) wrong++;
        bad_bcd += (r.dh & 15) > 9 || r.dh > 0x59 || (r.cl & 15) > 9 || r.cl > 0x59 || (r.ch & 15) > 9 || r.ch > 0x23;
        if (r.dh != last) changes++;
        last = r.dh;
    }
    expect(25, "seconds that went by", changes, 2);
    expect(25, "AH=02h with carry over two updates", failures, 0);
    within(25, "longest AH=02h in microseconds", longest, 0, 3000);
    expect(25, "fields that are not BCD", bad_bcd, 0);
    expect(25, "AH=02h seconds unlike the clock's", wrong, 0);
    clear(&r);
    r.ah = 4;
    bios(0x1a, &r);
    expect(25, "AH=04h carry", r.flags & CF, 0);
    expect(25, "AH=04h is the clock's date", (u32)r.ch << 24 | r.cl << 16 | r.dx,
           (u32)cmos(0x32) << 24 | (u32)cmos(9) << 16 | (u32)cmos(8) << 8 | cmos(7));
    clear(&r);
    r.ah = 2;
    rtc_second();
    u32 minute = cmos(2), hour = cmos(4);
    bios(0x1a, &r);
    expect(25, "AH=02h hour and minute", r.cx, hour << 8 | minute);
}

static void tpm(void)
{
    struct regs r;
    clear(&r);
    r.eax = 0xbb00;
    r.ebx = 0x12345678;
    bios(0x1a, &r);
    expect(26, "AX=BB00h carry", r.flags & CF, CF);
    expect(26, "AX=BB00h EAX is not 0", r.eax != 0, 1);
    expect(26, "AX=BB00h EBX is not TCPA", r.ebx != 0x41504354, 1);
    expect(26, "AX=BB00h leaves EAX", r.eax, 0xbb00);
}

/* ------------------------------------------------------------------ PCI BIOS */

static u32 pci_call(u8 function, u16 bus_device, u16 reg, u32 value)
{
    struct regs r;
    clear(&r);
    r.ax = 0xb100 | function;
    r.bx = bus_device;
    r.di = reg;
    r.ecx = value;
    bios(0x1a, &r);
    if (r.flags & CF || r.ah) return 0xdeadbeef;
    return r.ecx;
}

static void pci_bios(void)
{
    struct regs r;
    clear(&r);
    r.ax = 0xb101;
    bios(0x1a, &r);
    expect(27, "B101h carry", r.flags & CF, 0);
    expect(27, "B101h EDX", r.edx, 0x20494350);
    expect(27, "B101h AH", r.ah, 0);
    expect(27, "B101h BX", r.bx, 0x210);
    expect(27, "B101h mechanism 1", r.al & 3, 1);
    expect(27, "B101h last bus", r.cl, 0);
    u32 same = 1;
    for (u32 f = 0; f < 256; f++) {
        for (u32 reg = 0; reg < 64; reg += 4) {
            u32 v = pci_read(f << 8 | reg);
            if (reg == 4) continue;
            same &= pci_call(0x0a, f, reg, 0) == v;
            if (f != 0x08 && f != 0x60) continue;
            same &= (pci_call(0x09, f, reg + 2, 0) & 0xffff) == v >> 16;
            same &= (pci_call(0x08, f, reg + 1, 0) & 0xff) == (v >> 8 & 0xff);
        }
    }
    expect(27, "B108h to B10Ah agree with CF8h/CFCh", same, 1);
    pci_call(0x0b, 0x0008, 0x3c, 0x5a);         /* Interrupt Line of the ISA bridge: bits that nobody reads */
    u32 line = pci_read(0x83c);
    pci_call(0x0c, 0x000a, 0x3c, 0x00a5);
    pci_call(0x0b, 0x0009, 0x0d, 0x40);
    expect(27, "B10Bh writes", pci_read(0x90c) >> 8 & 0xff, pci_call(0x08, 0x0009, 0x0d, 0) & 0xff);
    expect(27, "B10Bh leaves other bytes", line >> 8 & 0xffffff, pci_read(0x83c) >> 8 & 0xffffff);
    clear(&r);
    r.ax = 0xb102;
    r.cx = 0x7000;
    r.dx = 0x8086;
    bios(0x1a, &r);
    expect(27, "B102h finds the ISA bridge", r.flags & CF ? 0xffff : r.bx, 0x0008);
    clear(&r);
    r.ax = 0xb102;
    r.cx = 0x1234;
    r.dx = 0x8086;
    bios(0x1a, &r);
    expect(27, "B102h of an absent device", (u32)r.ah << 8 | (r.flags & CF), 0x8601);
    clear(&r);
    r.ax = 0xb103;
    r.ecx = 0x060100;
    bios(0x1a, &r);
    expect(27, "B103h finds the ISA bridge", r.flags & CF ? 0xffff : r.bx, 0x0008);
    clear(&r);
    r.ax = 0xb10a;
    r.bx = 8;
    r.di = 2;
    bios(0x1a, &r);
    expect(27, "B10Ah of an odd register", (u32)r.ah << 8 | (r.flags & CF), 0x8701);
}

/* ------------------------------------------------------------------ ports */

static void ports(void)
{
    u32 count = peekl(0x40, 0x6c);
    expect(244, "E9h reads E9h", inb(0xe9), 0xe9);
    for (u32 i = 0; i < 256; i++) {
        outb(0x80, i);
        inb(0x80);
    }
    outb(0x80, 0xa7);
    inb(0x80);
    expect(244, "port 80h has no side effects", peekl(0x40, 0x6c) - count <= 2, 1);
    u32 start = pm_timer();
    for (u32 i = 0; i < 1000; i++) outb(0x80, 0);
    within(244, "microseconds for 1000 writes to port 80h", elapsed_us(start), 0, 20000);
}

void probe_main(void)
{
    plan(17, 18);
    plan(20, 27);
    plan(30, 32);
    plan(40, 44);
    plan(244, 244);
    memory_probes();
    a20_services();
    delays();
    configuration();
    tick_count();
    clock();
    tpm();
    pci_bios();
    interrupt_probes();
    table_probes();
    ports();
}
