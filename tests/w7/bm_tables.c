/* The tables from inside: what they say about chips is true of the chips. RSDP to MADT, FADT, HPET and WAET as Windows 7 follows them; local
 * and I/O APIC identities, interrupt overrides tried with real interrupts, ROM areas, HPET and ECAM present exactly when announced, the
 * clock chip's register C. "hpet=1": an HPET is expected. "s5=1": powers off through \_S5 instead and does not return. */
#include "tests/w7/storage.h"

static u32 rsdp, rsdt;

static bool find_rsdp(void)
{
    unsigned found = 0;
    for (u32 at = 0xe0000; at < 0x100000; at += 16) {
        if (memcmp(mem(at), "RSD PTR ", 8)) continue;
        u8 sum = 0;
        for (u32 k = 0; k < 20; k++) sum = (u8)(sum + mem(at)[k]);
        found++;
        rsdp = at;
        w7_eq(41, "checksum of the RSDP", sum, 0);
    }
    w7_eq(41, "RSDPs in E0000-FFFFF", found, 1);
    if (found) rsdt = mmio_read(rsdp + 16);
    return found;
}

static u32 table(const char *signature)
{
    for (u32 k = 36; k < mmio_read(rsdt + 4); k += 4)
        if (!memcmp(mem(mmio_read(rsdt + k)), signature, 4)) return mmio_read(rsdt + k);
    return 0;
}

/* n-th entry of a type in the MADT; NULL: none. */
static const u8 *madt(u8 type, unsigned n)
{
    u32 m = table("APIC");
    for (u32 at = 44; m && at < mmio_read(m + 4); at += mem(m + at)[1]) {
        if (mem(m + at)[0] == type && !n--) return mem(m + at);
        if (mem(m + at)[1] < 2) break;
    }
    return NULL;
}

static void ioapic_write(u32 reg, u32 v)
{
    mmio_write(0xfec00000, reg);
    mmio_write(0xfec00010, v);
}

static u32 ioapic_read(u32 reg)
{
    mmio_write(0xfec00000, reg);
    return mmio_read(0xfec00010);
}

/* --- 044 --- */

static void check_rom(void)
{
    u32 written = 0, where = 0, video = 0xc0000 + mem(0xc0002)[0] * 512u;
    w7(44, mem(0xc0000)[0] == 0x55 && video > 0xc0000, "a video ROM at C0000, up to %x", video);
    for (u32 at = 0xc0000; at < 0x100000; at += 64) {
        if ((at >= video && at < 0xe0000) || (at >= 0xec000 && at < 0xf0000)) continue;
        u32 was = mmio_read(at);
        mmio_write(at, ~was);
        if (mmio_read(at) == was) continue;
        written++;
        where = at;
        mmio_write(at, was);
    }
    w7(44, !written, "video ROM, E and F segment ignore writes: %u places were written, one at %x", written, where);
}

/* --- 055 to 058 --- */

static volatile u32 hits[4];
static u32 irq_port_base;

static void eoi(void) { mmio_write(0xfee000b0, 0); }
static void on_gsi0(struct bm_regs *r) { (void)r; hits[0]++; eoi(); }
static void on_gsi2(struct bm_regs *r) { (void)r; hits[1]++; eoi(); }

/* AHCI: takes the cause away, as a driver does. */
static void on_level(struct bm_regs *r)
{
    (void)r;
    hits[2]++;
    mmio_write(irq_port_base + P_IS, mmio_read(irq_port_base + P_IS));
    mmio_write(ahci_base + 8, 0xffffffff);
    eoi();
}

static void wait_hits(unsigned n, u32 count, u32 ms)
{
    u32 start = pm_ticks();
    sti();
    while (hits[n] < count && ((pm_ticks() - start) & 0xffffff) < ms * 3580) {
    }
    bm_delay_us(2000);
    cli();
}

static void check_apics(void)
{
    const u8 *cpu = madt(0, 0), *io = madt(1, 0);
    u32 m = table("APIC");
    w7(55, m && mmio_read(m + 36) == 0xfee00000 && (mmio_read(m + 40) & 1), "MADT: local APICs at FEE00000, 8259s present");
    w7_eq(55, "IA32_APIC_BASE", rdmsr(0x1b) & 0xfffff900, 0xfee00900);
    w7(55, cpu && (cpu[4] & 1) && !madt(0, 1), "one enabled processor");
    w7_eq(55, "APIC id of CPUID", cpuid(1, 0).b >> 24, cpu ? cpu[3] : 0xff);
    w7_eq(55, "APIC id of the register", mmio_read(0xfee00020) >> 24, cpu ? cpu[3] : 0xff);
    w7(56, io && le32(io + 4) == 0xfec00000 && le32(io + 8) == 0, "MADT: I/O APIC at FEC00000 from interrupt 0");
    w7_eq(56, "id of the I/O APIC", ioapic_read(0) >> 24 & 15, io ? io[2] : 0xff);
    w7_eq(56, "inputs of the I/O APIC", ioapic_read(1) >> 16 & 0xff, 23);
    const u8 *nmi = madt(4, 0);
    w7(58, nmi && nmi[2] == 0xff && nmi[5] == 1, "MADT: LINT1 of all processors is NMI");
    w7_eq(58, "LINT1 as the BIOS left it: NMI, open", mmio_read(0xfee00360) & 0x10700, 0x400);
}

static void check_overrides(void)
{
    const u8 *timer = madt(2, 0);
    u32 gsi = timer ? le32(timer + 4) : 0;
    w7(57, timer && timer[3] == 0 && gsi == 2 && !le16(timer + 8), "override: IRQ 0 is input %u", gsi);
    bm_pic_init(0x20, 0x28);
    mmio_write(0xfee000f0, 0x1ff);
    mmio_write(0xfee00080, 0);
    bm_on(0x40, on_gsi0);
    bm_on(0x42, on_gsi2);
    ioapic_write(0x10, 0x40);
    ioapic_write(0x10 + 2 * gsi, 0x42);
    outb(0x43, 0x34);
    outb(0x40, 0xa9); /* 1 kHz */
    outb(0x40, 0x04);
    wait_hits(1, 5, 100);
    w7(57, hits[1] >= 5, "the timer interrupts on input %u: %u times", gsi, hits[1]);
    w7_eq(57, "interrupts on input 0", hits[0], 0);
    ioapic_write(0x10, 0x10000);
    ioapic_write(0x10 + 2 * gsi, 0x10000);

    /* A PCI interrupt as its override announces it: level, active high. */
    const u8 *o = NULL;
    for (unsigned k = 0; madt(2, k); k++)
        if (madt(2, k)[3] == ahci_irq) o = madt(2, k);
    w7(57, o && le32(o + 4) == ahci_irq && le16(o + 8) == 0x0d, "override: IRQ %u is level, active high", ahci_irq);
    irq_port_base = ahci_base + 0x100;
    bm_on(0x4b, on_level);
    port_stop(0);
    port_start(0);
    port_set(0, P_IE, 0x7dc0007f);
    mmio_write(ahci_base + 4, 0x80000002);
    ioapic_write(0x11 + 2 * ahci_irq, 0);
    ioapic_write(0x10 + 2 * ahci_irq, 0x804b); /* level, active high */
    wait_hits(2, 1, 5);
    w7_eq(57, "interrupts without a cause", hits[2], 0);
    for (unsigned k = 0; k < 3; k++) {
        slot_prd(0, 0, BUFFER, 4096);
        slot_fill(0, 0x25, 0, 8, false, 1);
        port_set(0, P_CI, 1);
        wait_hits(2, k + 1, 100);
    }
    w7_eq(57, "interrupts of three disk reads", hits[2], 3);
    ioapic_write(0x10 + 2 * ahci_irq, 0x10000);
    mmio_write(ahci_base + 4, 0x80000000);
}

/* --- 074 to 076 --- */

static void check_promises(bool hpet)
{
    u32 h = table("HPET");
    u32 id = mmio_read(0xfed00000), period = mmio_read(0xfed00004);
    bool answers = id != 0xffffffff && period && period <= 0x05f5e100;
    w7(74, (h != 0) == answers && answers == hpet, "HPET table %x, id %08x, period %u fs", h, id, period);
    if (h && answers) {
        w7_eq(74, "event timer block id", mmio_read(h + 36), id);
        mmio_write(0xfed00010, 1);
        u32 a = mmio_read(0xfed000f0), start = pm_ticks();
        bm_delay_us(5000);
        u32 us = (u32)((pm_ticks() - start) & 0xffffff) * 100 / 358, ticks = mmio_read(0xfed000f0) - a;
        u32 want = 1000000000u / (period / 1000) * (us / 100) / 10;
        w7(74, ticks > want - want / 10 && ticks < want + want / 10, "its counter runs: %u ticks in %u us, expected %u", ticks, us, want);
        mmio_write(0xfed00010, 0);
    }
    w7(75, !table("MCFG"), "no MCFG");
    w7(75, mmio_read(0xb0000000) != pci_read(0, 0, 0) && mmio_read(0xe0000000) != pci_read(0, 0, 0), "and no ECAM where others have it");
    u32 w = table("WAET"), flags = w ? mmio_read(w + 36) : 0;
    outb(0x70, 0x0b);
    u8 b = inb(0x71);
    bm_pic_init(0x20, 0x28);
    outb(0x70, 0x0c);
    inb(0x71);
    outb(0x70, 0x0b);
    outb(0x71, b | 0x40);
    outb(0xa1, 0xfe);
    unsigned seen[3] = { 0 };
    for (unsigned k = 0; k < 3; k++) {
        if (k == 2) {
            outb(0x70, 0x0c);
            inb(0x71);
        }
        bm_delay_us(20000);
        outb(0xa0, 0x0c);
        if (inb(0xa0) == 0x80) outb(0xa0, 0x20), seen[k] = 1;
    }
    outb(0x70, 0x0b);
    outb(0x71, b);
    outb(0x70, 0x0c);
    inb(0x71);
    w7(76, seen[0] && seen[2], "the clock chip interrupts after register C was read");
    w7(76, !(flags & 1) || seen[1], "WAET %x promises interrupts without that, and there are%s", flags, seen[1] ? "" : " none");
}

/* The type that \_S5's package holds, found as old systems find it: by its name in the DSDT. */
static void power_off(void)
{
    u32 f = table("FACP"), d = mmio_read(f + 40);
    for (u32 at = d + 36; at < d + mmio_read(d + 4); at++) {
        if (memcmp(mem(at), "_S5_", 4)) continue;
        const u8 *p = mem(at + 7); /* package opcode, its length in one byte, number of elements */
        u8 type = *p == 0x0a ? p[1] : *p;
        outb((u16)mmio_read(f + 48), mem(f)[52]);
        outw((u16)mmio_read(f + 64), (u16)(type << 10 | 0x2001));
        bm_delay_us(100000);
        w7(72, false, "SLP_EN with type %u does not switch off", type);
        return;
    }
    w7(72, false, "no \\_S5 in the DSDT");
}

void bm_main(const struct bm_info *info)
{
    bool s5 = argument(info, "s5", 0);
    if (!s5) W7_PLAN(41, 44, 55, 56, 57, 58, 74, 75, 76);
    if (!find_rsdp()) return;
    if (s5) {
        power_off();
        return;
    }
    check_rom();
    check_apics();
    if (ahci_find()) check_overrides();
    check_promises(argument(info, "hpet", 0));
}
