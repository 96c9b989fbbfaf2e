/* expect: exit 171. The local APIC: registers, errors, priorities, spurious vector, IPIs, timer, LINT0, software disable.
 * args: --set testdev=on
 * (SDM 3A chapter 10; section numbers of edition 325462.) */
#include "tests/guest/dev.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, APR = 0x90, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0 };
enum { ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR2 = 0x310 };
enum { LVT_TIMER = 0x320, LVT_THERMAL = 0x330, LVT_PERF = 0x340, LVT_LINT0 = 0x350, LVT_LINT1 = 0x360, LVT_ERROR = 0x370 };
enum { INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
enum { MASKED = 0x10000, PERIODIC = 0x20000, SELF = 0x40000, ALL = 0x80000, OTHERS = 0xc0000, PENDING = 0x1000 };

static u32 esr(void)
{
    apic_wr(ESR, 0);
    return apic_rd(ESR);
}

static bool bit_of(unsigned map, unsigned vector)
{
    return apic_rd(map + (vector >> 5) * 16) >> (vector & 31) & 1;
}

static void fresh(void)
{
    apic_wr(SVR, 0x100 | SPURIOUS_VECTOR);
    apic_wr(TPR, 0);
    for (unsigned reg = LVT_TIMER; reg <= LVT_ERROR; reg += 16) apic_wr(reg, MASKED);
    apic_wr(INITIAL, 0);
    for (unsigned n = 0; n < 40; n++) {
        window();
        apic_wr(EOI, 0);
    }
    esr();
    esr();
    forget();
}

static void self(unsigned vector)
{
    apic_wr(ICR, SELF | vector);
}

static void registers(void)
{
    about(170);
    fresh();
    check_in("version", apic_rd(VERSION) & 0xff, 0x10, 0x15);
    check_in("entries of the local vector table, less one", apic_rd(VERSION) >> 16 & 0xff, 4, 6);
    static const struct {
        u16 reg;
        u32 ones;
    } rows[] = { { LVT_TIMER, 0x300ff }, { LVT_PERF, 0x107ff },  { LVT_THERMAL, 0x107ff },
                 { LVT_LINT0, 0x1a7ff }, { LVT_LINT1, 0x1a7ff }, { LVT_ERROR, 0x100ff } };
    for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        apic_wr(rows[n].reg, MASKED | 0xe0);
        check_eq("vector table entry holds vector and mask", apic_rd(rows[n].reg), MASKED | 0xe0);
        apic_wr(rows[n].reg, rows[n].ones & ~0x20000u);
        check_eq("and has no reserved bits", apic_rd(rows[n].reg) & ~0x5000u, rows[n].ones & ~0x20000u);
        apic_wr(rows[n].reg, MASKED);
    }
    apic_wr(DFR, 0);
    check_eq("DFR: bits 27-0 are ones", apic_rd(DFR), 0x0fffffff);
    apic_wr(DFR, 0xffffffff);
    apic_wr(LDR, 0xa5ffffff);
    check_eq("LDR: bits 23-0 are zeros", apic_rd(LDR), 0xa5000000);
    apic_wr(LDR, 0);
    apic_wr(ICR2, 0xffffffff);
    check_eq("ICR: upper half is the destination", apic_rd(ICR2), 0xff000000);
    apic_wr(ICR2, 0);
    apic_wr(TPR, 0x1ff);
    check_eq("TPR is eight bits", apic_rd(TPR), 0xff);
    apic_wr(TPR, 0);
    apic_wr(SVR, 0x100 | SPURIOUS_VECTOR);
    check_eq("SVR reads back", apic_rd(SVR), 0x100 | SPURIOUS_VECTOR);
    esr();
    check_eq("no error so far", esr(), 0);
    apic_rd(0x10);
    check_eq("reading a reserved register is an illegal register access", esr(), 0x80);
    apic_wr(0x2b0, 0);
    check_eq("and writing one", esr(), 0x80);
    apic_wr(ISR, 0xffffffff);
    check_eq("writing a read-only register is not", esr(), 0);
    check_eq("and does nothing", apic_rd(ISR), 0);
    about(0);
}

/* With a hook, vectors 10h-1Fh are interrupts, no exceptions. */
static void accept(unsigned vector)
{
    (void)vector;
}

static void errors(void)
{
    about(171);
    fresh();
    on_interrupt = accept;
    apic_wr(LVT_ERROR, 0xe3);
    self(0x0f);
    check_eq("before the write ESR shows the old value", apic_rd(ESR), 0);
    apic_wr(ESR, 0);
    check_in("send illegal vector", apic_rd(ESR) & 0x60, 0x20, 0x60);
    window();
    check_eq("the error entry delivers", taken[0xe3], 1);
    apic_wr(EOI, 0);
    check_eq("a second write clears it", esr(), 0);
    self(0x10);
    check_eq("vector 10h is legal", esr(), 0);
    apic_wr(LVT_ERROR, MASKED | 0xe3);
    self(0x01);
    window();
    check_eq("masked: no interrupt", taken[0xe3], 1);
    check("but the bit", esr() != 0);
    apic_wr(LVT_TIMER, 0x05);
    apic_wr(DIVIDE, 0xb);
    apic_wr(INITIAL, 100);
    delay_us(50);
    check_eq("an illegal vector of the local vector table is received illegal", esr() & 0x40, 0x40);
    fresh();
    on_interrupt = 0;
    about(0);
}

static void priorities(void)
{
    about(169);
    fresh();
    self(0x51);
    self(0x62);
    self(0x58);
    check_eq("IRR shows all", bit_of(IRR, 0x51) + bit_of(IRR, 0x62) + bit_of(IRR, 0x58), 3);
    window();
    check_eq("the highest first", order[0], 0x62);
    check_eq("ISR bit", bit_of(ISR, 0x62), 1);
    check_eq("IRR bit gone", bit_of(IRR, 0x62), 0);
    check_eq("edge: TMR bit clear", bit_of(TMR, 0x62), 0);
    check_eq("PPR is the class in service", apic_rd(PPR), 0x60);
    window();
    check_eq("lower ones wait for EOI", norder, 1);
    self(0x71);
    window();
    check_eq("a higher class interrupts", order[1], 0x71);
    check_eq("PPR follows", apic_rd(PPR), 0x70);
    apic_wr(EOI, 0);
    check_eq("EOI clears the highest", bit_of(ISR, 0x71), 0);
    check_eq("only that", bit_of(ISR, 0x62), 1);
    self(0x6f);
    window();
    check_eq("the same class waits", norder, 2);
    apic_wr(EOI, 0);
    window();
    check_eq("then 6Fh", order[2], 0x6f);
    apic_wr(EOI, 0);
    window();
    apic_wr(EOI, 0);
    window();
    apic_wr(EOI, 0);
    check_eq("58h", order[3], 0x58);
    check_eq("51h", order[4], 0x51);
    self(0x41);
    self(0x41);
    window();
    self(0x41);
    apic_wr(EOI, 0);
    window();
    apic_wr(EOI, 0);
    window();
    check_eq("IRR holds one more while one is in service", taken[0x41], 2);

    fresh();
    apic_wr(TPR, 0x5f);
    self(0x5f);
    window();
    check_eq("TPR: the same class is held", norder, 0);
    check_eq("PPR is TPR", apic_rd(PPR), 0x5f);
    self(0x61);
    window();
    check_eq("a higher one is not", taken[0x61], 1);
    check_eq("PPR: the subclass is 0 when ISR wins", apic_rd(PPR), 0x60);
    apic_wr(EOI, 0);
    sti();
    apic_wr(TPR, 0x4f);
    __asm__ volatile("nop");
    cli();
    check_eq("lowering TPR lets it in", taken[0x5f], 1);
    apic_wr(EOI, 0);
#ifdef __x86_64__
    about(123);
    fresh();
    __asm__ volatile("mov %0, %%cr8" ::"r"((u64)6));
    check_eq("CR8 is TPR bits 7-4", apic_rd(TPR), 0x60);
    self(0x68);
    sti();
    u64 before = norder, at;
    __asm__ volatile("mov %1, %%cr8\n\tmovzbl %2, %k0" : "=r"(at) : "r"((u64)5), "m"(*(volatile u8 *)&norder) : "memory");
    cli();
    check_eq("held before", before, 0);
    check_eq("lowering CR8 delivers before the next instruction", at, 1);
    apic_wr(EOI, 0);
    apic_wr(TPR, 0x3f);
    __asm__ volatile("mov %%cr8, %0" : "=r"(at));
    check_eq("TPR shows in CR8", at, 3);
    apic_wr(TPR, 0);
#endif
    about(174);
    fresh();
    sti();
    apic_wr(ICR, SELF | 0x2f);
    unsigned now = norder;
    cli();
    check_eq("a self-IPI is taken at the next instruction boundary", now, 1);
    apic_wr(EOI, 0);
    about(0);
}

static void ipis(void)
{
    about(173);
    fresh();
    u32 me = apic_rd(ID);
    apic_wr(ICR2, me);
    apic_wr(ICR, 0x4041);
    check_eq("delivery status is idle after the write", apic_rd(ICR) & PENDING, 0);
    window();
    check_eq("physical, own id", taken[0x41], 1);
    apic_wr(EOI, 0);
    apic_wr(ICR2, me ^ 0x01000000);
    apic_wr(ICR, 0x4041);
    check_eq("to nobody: idle again, too", apic_rd(ICR) & PENDING, 0);
    window();
    check_eq("another id", taken[0x41], 1);
    apic_wr(ICR2, 0xff000000);
    apic_wr(ICR, 0x4041);
    window();
    check_eq("broadcast id", taken[0x41], 2);
    apic_wr(EOI, 0);
    apic_wr(ICR2, 0);
    apic_wr(ICR, ALL | 0x4041);
    window();
    check_eq("all including self", taken[0x41], 3);
    apic_wr(EOI, 0);
    apic_wr(ICR, OTHERS | 0x4041);
    window();
    check_eq("all excluding self", taken[0x41], 3);
    apic_wr(DFR, 0xffffffff);
    apic_wr(LDR, 0x02000000);
    apic_wr(ICR2, 0x03000000);
    apic_wr(ICR, 0x4841);
    window();
    check_eq("logical flat", taken[0x41], 4);
    apic_wr(EOI, 0);
    apic_wr(ICR2, 0x05000000);
    apic_wr(ICR, 0x4841);
    window();
    check_eq("logical flat, other bits", taken[0x41], 4);
    apic_wr(DFR, 0x0fffffff);
    apic_wr(LDR, 0x12000000);
    apic_wr(ICR2, 0x12000000);
    apic_wr(ICR, 0x4841);
    window();
    check_eq("logical cluster", taken[0x41], 5);
    apic_wr(EOI, 0);
    apic_wr(ICR2, 0x22000000);
    apic_wr(ICR, 0x4841);
    window();
    check_eq("logical, other cluster", taken[0x41], 5);
    apic_wr(DFR, 0xffffffff);
    apic_wr(LDR, 0);
    apic_wr(ICR2, me);
    apic_wr(ICR, 0x4400);
    check_eq("NMI needs no IF", taken[2], 1);
    apic_wr(ICR, 0x4600 | 0x10);
    check_eq("a start-up IPI to a running processor is ignored", apic_rd(ICR) & PENDING, 0);
    apic_wr(ICR2, 0);
    apic_wr(ICR, OTHERS | 0x4500);
    apic_wr(ICR, OTHERS | 0x8500); /* INIT level de-assert */
    apic_wr(ICR, OTHERS | 0x4610);
    check_eq("INIT and start-up to all others leave us alone", apic_rd(ICR) & PENDING, 0);
    apic_wr(ICR, ALL | 0x8500);
    check_eq("INIT level de-assert does nothing", apic_rd(ICR) & PENDING, 0);
    apic_wr(ICR, 0x4041 | SELF | PENDING);
    window();
    check_eq("delivery status is read-only", apic_rd(ICR) & PENDING, 0);
    apic_wr(EOI, 0);
    about(0);
}

static void disabled(void)
{
    about(172);
    fresh();
    apic_wr(LVT_TIMER, 0x45);
    apic_wr(LVT_ERROR, 0xe3);
    apic_wr(SVR, SPURIOUS_VECTOR);
    check_eq("software disable masks the local vector table", apic_rd(LVT_TIMER) & apic_rd(LVT_ERROR) & MASKED, MASKED);
    apic_wr(LVT_TIMER, 0x45);
    check_eq("and holds it masked", apic_rd(LVT_TIMER) & MASKED, MASKED);
    self(0x46);
    window();
    check_eq("nothing is accepted meanwhile", norder, 0);
    apic_wr(ICR2, apic_rd(ID));
    apic_wr(ICR, 0x4400);
    check_eq("but NMI is", taken[2], 1);
    apic_wr(SVR, 0x100 | SPURIOUS_VECTOR);
    check_eq("the masks stay after enabling", apic_rd(LVT_TIMER) & MASKED, MASKED);
    apic_wr(LVT_TIMER, 0x45);
    check_eq("until written", apic_rd(LVT_TIMER) & MASKED, 0);
    window();
    check_eq("no left-over interrupt", taken[0x45] + taken[0x46] + taken[SPURIOUS_VECTOR], 0);
    fresh();
    about(0);
}

static u32 divide_code(unsigned shift)
{
    static const u8 codes[8] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };
    return codes[shift];
}

static u32 count_rate; /* counts per 10 ms at divide 1 */

static void timer(void)
{
    about(156);
    fresh();
    apic_wr(LVT_TIMER, MASKED);
    for (unsigned shift = 0; shift < 8; shift++) {
        apic_wr(DIVIDE, divide_code(shift));
        check_eq("divide configuration reads back", apic_rd(DIVIDE), divide_code(shift));
        apic_wr(INITIAL, 0xffffffff);
        u32 start = pm_now(), first = apic_rd(CURRENT);
        delay_us(10000);
        u32 us = pm_to_us(pm_since(start)), counts = first - apic_rd(CURRENT);
        if (!shift) count_rate = (u32)dev_div((u64)counts * 10000, us);
        u64 want = dev_div((u64)(count_rate >> shift) * us, 10000);
        check_in("counts at the divided rate", counts, want - want / 200 - 2, want + want / 200 + 2);
    }
    apic_wr(DIVIDE, 0xb);
    apic_wr(INITIAL, count_rate);
    u32 last = apic_rd(CURRENT);
    bool up = false;
    while (last) {
        u32 now = apic_rd(CURRENT);
        up |= now > last;
        last = now;
    }
    check_eq("current count never rises", up, 0);
    delay_us(100);
    check_eq("one-shot stops at zero", apic_rd(CURRENT), 0);
    apic_wr(LVT_TIMER, 0x45);
    apic_wr(INITIAL, count_rate / 10);
    u32 start = pm_now();
    while (!taken[0x45] && pm_since(start) < 36000) window();
    check_in("one-shot interrupts after a millisecond", pm_to_us(pm_since(start)), 990, 1050);
    apic_wr(EOI, 0);
    delay_us(3000);
    window();
    check_eq("once", taken[0x45], 1);
    eoi_policy = EOI_APIC;
    forget();
    apic_wr(LVT_TIMER, PERIODIC | 0x45);
    apic_wr(INITIAL, count_rate / 10);
    start = pm_now();
    while (taken[0x45] < 50) halt();
    check_in("periodic: 50 of them in 50 ms", pm_to_us(pm_since(start)), 49900, 50150);
    check_in("current count stays within the initial one", apic_rd(CURRENT), 0, count_rate / 10);
    apic_wr(INITIAL, 0);
    check_eq("initial count 0 stops it", apic_rd(CURRENT), 0);
    window();
    forget();
    delay_us(3000);
    window();
    check_eq("no more", taken[0x45], 0);
    apic_wr(LVT_TIMER, PERIODIC | MASKED | 0x45);
    apic_wr(INITIAL, count_rate / 10);
    delay_us(2500);
    window();
    check_eq("masked: none", taken[0x45], 0);
    check("but it counts", apic_rd(CURRENT) != 0);
    apic_wr(LVT_TIMER, PERIODIC | 0x45);
    start = pm_now();
    while (!taken[0x45] && pm_since(start) < 36000) window();
    check_in("unmasked: at the end of the period that runs", pm_to_us(pm_since(start)), 300, 620);
    apic_wr(LVT_TIMER, 0x45); /* becomes one-shot: this period is the last */
    forget();
    delay_us(3000);
    window();
    check_in("periodic turned one-shot ends", taken[0x45], 0, 1);
    check_eq("at zero", apic_rd(CURRENT), 0);
    eoi_policy = 0;
    fresh();
    about(0);
}

static void lint0(void)
{
    about(175);
    fresh();
    pic_init(0);
    pic_unmask(5);
    apic_wr(LVT_LINT0, MASKED | 0x700);
    line(5, false);
    line(5, true);
    window();
    check_eq("masked: the 8259 is cut off", norder, 0);
    apic_wr(LVT_LINT0, 0x700);
    window();
    check_eq("ExtINT: the 8259's vector", order[0], PIC_BASE + 5);
    check_eq("no ISR bit", bit_of(ISR, PIC_BASE + 5), 0);
    outb(0x20, 0x20);
    apic_wr(TPR, 0xff);
    line(5, false);
    line(5, true);
    window();
    check_eq("the task priority does not hold ExtINT back", norder, 2);
    apic_wr(TPR, 0);
    outb(0x20, 0x20);
    apic_wr(LVT_LINT0, 0x48); /* fixed, edge */
    line(5, false);
    line(5, true);
    window();
    check_eq("fixed: its own vector", taken[0x48], 1);
    check_eq("in service", bit_of(ISR, 0x48), 1);
    apic_wr(EOI, 0);
    outb(0x20, 0x0c); /* poll: take it from the 8259 */
    inb(0x20);
    outb(0x20, 0x20);
    line(5, false);
    apic_wr(LVT_LINT0, 0x700);
    pic_init(0);
    about(0);
}

void test_lapic(void)
{
    eoi_policy = 0;
    registers();
    errors();
    priorities();
    ipis();
    disabled();
    timer();
    lint0();
}
