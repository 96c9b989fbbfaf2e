/* What dev.h promises, for the 32- and the 64-bit processor. With TEST defined it is the main program of a ROM, too. */
#include "tests/guest/dev.h"

volatile unsigned taken[256];
volatile u8 order[64];
volatile unsigned norder;
volatile unsigned eoi_policy;
void (*volatile on_interrupt)(unsigned vector);

/* --- output and checks --- */

static unsigned statement, failures, checks;

static void put(char c)
{
    outb(0xe9, (u8)c);
}

void dev_print(const char *s)
{
    while (*s) put(*s++);
}

static void put_number(u64 v)
{
    char text[17];
    int n = 0;
    do {
        text[n++] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v);
    while (n) put(text[--n]);
    put('h');
}

static void put_statement(void)
{
    dev_print("W7-");
    put((char)('0' + statement / 100));
    put((char)('0' + statement / 10 % 10));
    put((char)('0' + statement % 10));
}

void about(unsigned number)
{
#ifdef TEST
    number = 0; /* a ROM reports what failed, no statements */
#endif
    statement = number;
}

void dev_plan(const u8 *numbers, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        statement = numbers[n];
        put_statement();
        dev_print(" plan\n");
    }
    statement = 0;
}

static void verdict(const char *what, bool good, u64 got, u64 lowest, u64 highest)
{
    checks++;
    if (!good) failures++;
    if (good && !statement) return;
    if (statement) put_statement();
    dev_print(good ? " pass " : statement ? " fail " : "fail ");
    dev_print(what);
    if (!good) {
        dev_print(": got ");
        put_number(got);
        dev_print(", expected ");
        put_number(lowest);
        if (highest != lowest) {
            dev_print(" to ");
            put_number(highest);
        }
    }
    put('\n');
}

void check_in(const char *what, u64 got, u64 lowest, u64 highest)
{
    verdict(what, got >= lowest && got <= highest, got, lowest, highest);
}

void check_eq(const char *what, u64 got, u64 want)
{
    verdict(what, got == want, got, want, want);
}

void check(const char *what, bool good)
{
    verdict(what, good, good, 1, 1);
}

u64 dev_div(u64 a, u32 c)
{
    u32 high = (u32)(a >> 32), low = (u32)a, q1 = high / c, rest = high % c, q0;
    __asm__("divl %3" : "=a"(q0), "=d"(rest) : "0"(low), "r"(c), "1"(rest));
    return (u64)q1 << 32 | q0;
}

/* --- interrupts --- */

#ifdef __x86_64__
#define STUB "pushq $v\n jmp dev_common\n"
__asm__(".pushsection .text\n"
        "dev_common:\n"
        " cld\n push %rax\n push %rcx\n push %rdx\n push %rbx\n push %rsi\n push %rdi\n push %rbp\n"
        " push %r8\n push %r9\n push %r10\n push %r11\n push %r12\n push %r13\n push %r14\n push %r15\n"
        " mov 120(%rsp), %rdi\n mov 128(%rsp), %rsi\n mov %rsp, %rbp\n and $-16, %rsp\n call dev_interrupt\n mov %rbp, %rsp\n"
        " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %r11\n pop %r10\n pop %r9\n pop %r8\n"
        " pop %rbp\n pop %rdi\n pop %rsi\n pop %rbx\n pop %rdx\n pop %rcx\n pop %rax\n"
        " add $8, %rsp\n iretq\n"
        ".popsection\n");
#else
#define STUB "pushl $v\n jmp dev_common\n"
__asm__(".pushsection .text\n"
        "dev_common:\n"
        " cld\n pusha\n pushl 36(%esp)\n pushl 36(%esp)\n call dev_interrupt\n add $8, %esp\n popa\n add $4, %esp\n iret\n"
        ".popsection\n");
#endif
__asm__(".pushsection .text\n .balign 16\n dev_stubs:\n .set v, 0\n .rept 256\n .balign 16\n" STUB
        " .set v, v + 1\n .endr\n .popsection\n");
extern u8 dev_stubs[];

void dev_stop(u8 code)
{
    outb(0xf4, code);
    for (;;) __asm__ volatile("cli; hlt");
}

void dev_interrupt(word vector, word where);
void dev_interrupt(word vector, word where)
{
    if (vector < 32 && vector != 2 && !on_interrupt) {
        dev_print("unexpected exception ");
        put_number(vector);
        dev_print(", top of stack ");
        put_number(where);
        put('\n');
        dev_stop(0x54);
    }
    taken[vector]++;
    if (norder < sizeof(order)) order[norder++] = (u8)vector;
    if (on_interrupt) on_interrupt((unsigned)vector);
    if ((eoi_policy & EOI_PIC) && vector >= PIC_BASE && vector < PIC2_BASE + 8) {
        if (vector >= PIC2_BASE) outb(0xa0, 0x20);
        outb(0x20, 0x20);
    }
    if (eoi_policy & EOI_APIC) apic_wr(0xb0, 0);
}

void forget(void)
{
    for (unsigned n = 0; n < 256; n++) taken[n] = 0;
    for (unsigned n = 0; n < sizeof(order); n++) order[n] = 0;
    norder = 0;
}

static u32 idt[256 * sizeof(word) / 2] __attribute__((aligned(16)));

static void make_idt(void)
{
    struct __attribute__((packed)) {
        u16 limit;
        word base;
    } idtr = { sizeof(idt) - 1, (word)idt };
    u16 cs;
    __asm__("mov %%cs, %0" : "=r"(cs));
    for (unsigned n = 0; n < 256; n++) {
        word to = (word)dev_stubs + n * 16;
        u32 *d = &idt[n * sizeof(word) / 2];
        d[0] = (u32)cs << 16 | (to & 0xffff);
        d[1] = (u32)(to & 0xffff0000) | 0x8e00;
#ifdef __x86_64__
        d[2] = (u32)(to >> 32);
        d[3] = 0;
#endif
    }
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

/* --- chips --- */

void pic_init(u8 icw4)
{
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    outb(0x21, PIC_BASE);
    outb(0xa1, PIC2_BASE);
    outb(0x21, 4);
    outb(0xa1, 2);
    outb(0x21, icw4 | 1);
    outb(0xa1, (icw4 & ~0x10) | 1);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

void pic_unmask(unsigned irq)
{
    u16 port = irq < 8 ? 0x21 : 0xa1;
    outb(port, inb(port) & ~(1 << (irq & 7)));
    if (irq >= 8) outb(0x21, inb(0x21) & ~4);
}

void line(unsigned n, bool level)
{
    outb((u16)(0x2000 + n), level);
}

bool have_testdev(void)
{
    outl(0xe0, 0x5a12c3e7);
    return inl(0xe0) == 0x5a12c3e7;
}

u32 ioapic_rd(unsigned reg)
{
    wr32(IOAPIC, reg);
    return rd32(IOAPIC + 0x10);
}

void ioapic_wr(unsigned reg, u32 v)
{
    wr32(IOAPIC, reg);
    wr32(IOAPIC + 0x10, v);
}

void ioapic_entry(unsigned pin, u32 high, u32 low)
{
    ioapic_wr(0x10 + pin * 2, 0x10000);
    ioapic_wr(0x11 + pin * 2, high);
    ioapic_wr(0x10 + pin * 2, low);
}

u32 pci_rd(unsigned dev, unsigned fn, unsigned reg)
{
    outl(0xcf8, 0x80000000u | dev << 11 | fn << 8 | (reg & 0xfc));
    return inl(0xcfc);
}

void pci_wr(unsigned dev, unsigned fn, unsigned reg, u32 v)
{
    outl(0xcf8, 0x80000000u | dev << 11 | fn << 8 | (reg & 0xfc));
    outl(0xcfc, v);
}

void dev_init(void)
{
    cli();
    make_idt();
    pci_wr(1, 3, 0x40, 0x601);
    pci_wr(1, 3, 0x80, pci_rd(1, 3, 0x80) | 1);
    pci_wr(1, 3, 0x04, pci_rd(1, 3, 0x04) | 1);
    outb(0x3f2, 0); /* the floppy controller lets go of IRQ 6 */
    pic_init(0);
    for (unsigned pin = 0; pin < 24; pin++) ioapic_entry(pin, 0, 0x10000);
    apic_wr(0xf0, 0x100 | SPURIOUS_VECTOR);
    apic_wr(0x80, 0);
    apic_wr(0x350, 0x700);
    apic_wr(0x360, 0x400);
    on_interrupt = 0;
    eoi_policy = 0;
    forget();
}

/* --- time --- */

u32 pm_now(void)
{
    return inl(0x608) & 0xffffff;
}

u32 pm_to_us(u32 ticks)
{
    return (u32)dev_div((u64)ticks * 1000000, 3579545);
}

void delay_us(u32 us)
{
    u32 ticks = (u32)dev_div((u64)us * 3579545, 1000000) + 1, start = pm_now();
    while (pm_since(start) < ticks) __asm__ volatile("pause");
}

#ifdef TEST
/* Entry of a ROM (dev_start.inc jumps here). */
void TEST(void);
void rom_main(void);
void rom_main(void)
{
    dev_init();
    TEST();
    dev_print("checks: ");
    put_number(checks);
    dev_print(", failed: ");
    put_number(failures);
    put('\n');
    dev_stop(failures ? (failures < 0x50 ? (u8)failures : 0x50) : 0x55);
}
#endif
