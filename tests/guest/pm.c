/* expect: exit 171. ACPI fixed registers of the PIIX4: PM timer, status and enable, SCI, control, ACPI enable and disable, GPE0.
 * (82371AB data sheet 7.2, ACPI 2.0 4.7.3. The line is IRQ 9, level.) */
#include "tests/guest/dev.h"

enum { STS = 0x600, EN = 0x602, CNT = 0x604, TMR = 0x608, SMI_CMD = 0xb2, GPE = 0xafe0 };
enum { TMR_STS = 1, GBL = 0x20, PWRBTN = 0x100, RTC_STS = 0x400, SCI_EN = 1 };
enum { SCI_VECTOR = PIC2_BASE + 1 };

static void timer(void)
{
    about(146);
    u32 last = pm_now(), longest = 0, steps = 0;
    bool backwards = false;
    u64 tsc = rdtsc();
    for (unsigned n = 0; n < 20000; n++) {
        u32 now = pm_now(), step = (now - last) & 0xffffff;
        backwards |= step > 0x800000;
        if (step) steps++;
        if (step > longest && step < 0x800000) longest = step;
        last = now;
    }
    tsc = rdtsc() - tsc;
    check_eq("never backwards", backwards, 0);
    check("moves", steps > 100);
    check_eq("upper byte of a 24-bit counter is zero", inl(TMR) >> 24, 0);
    u32 wide = inl(TMR) & 0xffffff;
    u32 bytes = inb(TMR) | inb(TMR + 1) << 8 | inb(TMR + 2) << 16;
    u32 words = inw(TMR) | (u32)inb(TMR + 2) << 16;
    check_in("byte reads agree with wide ones", (bytes - wide) & 0xffffff, 0, 300);
    check_in("word reads, too", (words - wide) & 0xffffff, 0, 600);
    outl(TMR, 0);
    check_in("read-only", (pm_now() - wide) & 0xffffff, 0, 1000);
    about(0);
}

static void end_tick(unsigned vector)
{
    if (vector == PIC_BASE) outb(0x20, 0x20);
}

/* Until TMR_STS, asleep at PIT speed where nothing else wakes us. */
static void wait_overflow(void)
{
    outb(0x43, 0x34);
    outb(0x40, 0);
    outb(0x40, 0x40); /* 14 ms */
    outb(0x21, inb(0x21) & ~1);
    u32 n = 0;
    while (!(inw(STS) & TMR_STS) && !taken[SCI_VECTOR] && n++ < 400) halt();
    outb(0x21, inb(0x21) | 1);
}

static void overflow(void)
{
    about(147);
    outw(EN, 0);
    outw(STS, 0xffff);
    pic_init(0);
    outb(0x4d1, 2); /* IRQ 9 is level */
    outb(0x21, 0xfb);
    on_interrupt = end_tick;
    forget();
    u32 start = pm_now(), left = 0x800000 - (start & 0x7fffff);
    outw(STS, TMR_STS);
    wait_overflow();
    check_eq("TMR_STS sets when bit 23 changes", inw(STS) & TMR_STS, TMR_STS);
    check_in("at its next change", pm_since(start), left, left + 80000);
    window();
    check_eq("no SCI while disabled", taken[SCI_VECTOR], 0);
    outw(STS, TMR_STS);
    check_eq("writing 1 clears it", inw(STS) & TMR_STS, 0);
    outb(SMI_CMD, 0xf1);
    outw(EN, TMR_STS);
    pic_unmask(9);
    start = pm_now();
    left = 0x800000 - (start & 0x7fffff);
    wait_overflow();
    check_eq("enabled: SCI", taken[SCI_VECTOR] != 0, 1);
    check_in("SCI at the moment of the change", pm_since(start), left, left + 2000);
    about(77);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    forget();
    window();
    check_eq("the line stays up until the status bit is cleared", taken[SCI_VECTOR], 1);
    outw(STS, TMR_STS);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    forget();
    window();
    check_eq("and falls with it", taken[SCI_VECTOR], 0);
    outw(EN, 0);
    pic_init(0);
    outb(0x4d1, 0);
    on_interrupt = 0;
    about(0);
}

static void registers(void)
{
    about(50);
    outb(SMI_CMD, 0xf0);
    delay_us(1000);
    check_eq("ACPI_DISABLE clears SCI_EN", inw(CNT) & SCI_EN, 0);
    outb(SMI_CMD, 0xf1);
    u32 start = pm_now();
    while (!(inw(CNT) & SCI_EN) && pm_since(start) < 3580) {}
    check_eq("ACPI_ENABLE sets SCI_EN within a millisecond", inw(CNT) & SCI_EN, SCI_EN);
    about(78);
    outw(EN, 0);
    check_eq("enable reads zero", inw(EN), 0);
    outw(EN, TMR_STS | GBL | PWRBTN);
    check_eq("enable bits hold", inw(EN), TMR_STS | GBL | PWRBTN);
    check_eq("32-bit read shows both halves", inl(STS) >> 16, TMR_STS | GBL | PWRBTN);
    outb(EN, 0);
    check_eq("byte write of enable leaves the other byte", inw(EN), PWRBTN);
    outb(EN + 1, 0);
    check_eq("byte write of the upper one", inw(EN), 0);
    outl(STS, 0x01210000);
    check_eq("32-bit write of zero to status changes enable only", inw(EN), 0x121);
    check_eq("enable as bytes", inb(EN) | inb(EN + 1) << 8, 0x121);
    outw(EN, 0);
    outw(STS, 0);
    outw(STS, 0xffff);
    check_eq("status cleared", inw(STS) & (TMR_STS | GBL | PWRBTN | RTC_STS), 0);
    about(79);
    outw(CNT, SCI_EN | 5 << 10); /* a sleep type, not entered */
    check_eq("SLP_TYP reads back, SLP_EN zero", inw(CNT) & 0x3c01, SCI_EN | 5 << 10);
    outb(CNT + 1, 0);
    check_eq("SCI_EN survives a write of the other byte", inw(CNT) & 0x3c01, SCI_EN);
    outw(CNT, inw(CNT) | 2); /* BM_RLD */
    check_eq("and of other bits", inw(CNT) & 0x3c03, SCI_EN | 2);
    outw(CNT, SCI_EN);
    about(77);
    outw(GPE + 2, 0);
    outw(GPE, 0xffff);
    check_eq("GPE0 status clear", inw(GPE), 0);
    outw(GPE + 2, 0x0102);
    check_eq("GPE0 enable holds", inw(GPE + 2), 0x0102);
    outb(GPE + 2, 0);
    check_eq("GPE0 enable by bytes", inw(GPE + 2), 0x0100);
    outw(GPE + 2, 0);
    about(0);
}

void test_pm(void)
{
    timer();
    registers();
    overflow();
}
