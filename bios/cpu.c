/*
 * Processor and interrupt controllers as a loader expects them.
 *
 * MTRRs: default write-back; the PCI hole uncached by one variable range; A0000-BFFFF uncached,
 * C0000-FFFFF write-protected by the fixed ranges (SDM 3A 11.11). Local APIC in virtual wire mode:
 * enabled, LINT0 = ExtINT, LINT1 = NMI (SDM 3A 10.1). 8259 pair at vectors 08h and 70h with IRQ 0,
 * 1, 2 and 12 open. The I/O APIC is left as reset leaves it.
 */
#include "bios/post.h"
#include "bios/state.h"

enum {
    MSR_APIC_BASE = 0x1b, MSR_MTRR_CAP = 0xfe, MSR_MTRR_VAR = 0x200, MSR_MTRR_DEF = 0x2ff,
    MSR_FIX_64K = 0x250, MSR_FIX_16K_80000 = 0x258, MSR_FIX_16K_A0000 = 0x259,
    MSR_FIX_4K = 0x268,
    LAPIC_SVR = 0xfee000f0, LAPIC_LINT0 = 0xfee00350, LAPIC_LINT1 = 0xfee00360,
    FEATURE_MSR = 1 << 5, FEATURE_APIC = 1 << 9, FEATURE_MTRR = 1 << 12,
};

static void cpuid(u32 leaf, u32 *a, u32 *d)
{
    u32 b, c = 0;
    asm volatile("cpuid" : "=a"(*a), "=b"(b), "+c"(c), "=d"(*d) : "0"(leaf));
}

static void wrmsr(u32 msr, u32 lo, u32 hi)
{
    asm volatile("wrmsr" : : "c"(msr), "a"(lo), "d"(hi));
}

static u32 rdmsr(u32 msr, u32 *hi)
{
    u32 lo;
    asm volatile("rdmsr" : "=a"(lo), "=d"(*hi) : "c"(msr));
    return lo;
}

static void init_mtrrs(void)
{
    u32 a, d, hi;
    u32 bits = 36;
    cpuid(0x80000000, &a, &d);
    if (a >= 0x80000008) {
        cpuid(0x80000008, &a, &d);
        bits = a & 0xff;
    }
    if (bits < 32 || bits > 52) bits = 36;
    u32 mask_hi = (1u << (bits - 32)) - 1;
    u32 cap = rdmsr(MSR_MTRR_CAP, &hi);

    wrmsr(MSR_MTRR_DEF, 0, 0);
    if (cap & 0x100) {
        wrmsr(MSR_FIX_64K, 0x06060606, 0x06060606);
        wrmsr(MSR_FIX_16K_80000, 0x06060606, 0x06060606);
        wrmsr(MSR_FIX_16K_A0000, 0, 0);
        for (u32 i = 0; i < 8; i++) wrmsr(MSR_FIX_4K + i, 0x05050505, 0x05050505);
    }
    for (u32 i = 0; i < (cap & 0xff) && i < 16; i++) {
        wrmsr(MSR_MTRR_VAR + 2 * i, 0, 0);
        wrmsr(MSR_MTRR_VAR + 2 * i + 1, 0, 0);
    }
    if (cap & 0xff) {
        u32 base = bs.low_top > 0xc0000000 ? 0xe0000000 : 0xc0000000;
        wrmsr(MSR_MTRR_VAR, base, 0);
        wrmsr(MSR_MTRR_VAR + 1, -(0 - base) | 0x800, mask_hi);
    }
    wrmsr(MSR_MTRR_DEF, 0x800 | (cap & 0x100 ? 0x400 : 0) | 6, 0);
}

void cpu_init(void)
{
    u32 a, d, hi;
    cpuid(0, &a, &d);
    if (a < 1) return;
    cpuid(1, &a, &d);
    if (!(d & FEATURE_MSR)) return;
    if (d & FEATURE_MTRR) init_mtrrs();
    if (!(d & FEATURE_APIC)) return;
    u32 base = rdmsr(MSR_APIC_BASE, &hi);
    wrmsr(MSR_APIC_BASE, (base & 0xfff) | 0xfee00800, 0);
    flat_write32(LAPIC_SVR, 0x1ff);
    flat_write32(LAPIC_LINT0, 0x700);
    flat_write32(LAPIC_LINT1, 0x400);
}

void pic_init(void)
{
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    outb(0x21, 0x08);
    outb(0xa1, 0x70);
    outb(0x21, 0x04);
    outb(0xa1, 0x02);
    outb(0x21, 0x01);
    outb(0xa1, 0x01);
    outb(0x21, 0xb8);               /* open: 0, 1, 2, 6 */
    outb(0xa1, 0xef);               /* open: 12 */

    outb(0x43, 0x34);               /* channel 0: mode 2, 65536 */
    outb(0x40, 0);
    outb(0x40, 0);
    outb(0x43, 0x54);               /* channel 1, the refresh timer of old */
    outb(0x41, 18);
    outb(0x43, 0xb6);               /* channel 2: about 1 kHz for the speaker */
    outb(0x42, 0xa9);
    outb(0x42, 0x04);
    outb(0x61, inb(0x61) & 0x0c);
}
