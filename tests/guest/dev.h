/* Bare-metal programs that test chips: ports, memory, interrupts, time and checks.
 *
 * One source serves two harnesses. As a ROM in place of the BIOS (tests/guest/NAME.c, 32-bit, from power-on) it runs
 * test_NAME(), prints failed checks on port E9h and ends with exit status 171 or that of the failure count. As part of a
 * kernel of tests/w7 (32- and 64-bit) every check prints the statement it belongs to: about(148) says which. The test device
 * (--set testdev=on, QEMU: -device pc-testdev) gives the interrupt lines. */
#ifndef TESTS_GUEST_DEV_H
#define TESTS_GUEST_DEV_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uintptr_t word;

static inline void outb(u16 port, u8 v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outw(u16 port, u16 v) { __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outl(u16 port, u32 v) { __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u16 inw(u16 port) { u16 v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 inl(u16 port) { u32 v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 rd32(word addr) { return *(volatile u32 *)addr; }
static inline void wr32(word addr, u32 v) { *(volatile u32 *)addr = v; }
static inline void cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void sti(void) { __asm__ volatile("sti" ::: "memory"); }
/* Takes what is pending, and only that. */
static inline void window(void) { __asm__ volatile("sti; nop; nop; cli" ::: "memory"); }
/* Sleeps until one interrupt was handled; on return interrupts are off. */
static inline void halt(void) { __asm__ volatile("sti; hlt; cli" ::: "memory"); }
static inline u64 rdtsc(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}

/* a * b / c for results that fit 64 bits; no library behind us divides 64-bit numbers on the 32-bit processor. */
u64 dev_div(u64 a, u32 c);

/* --- checks --- */
void about(unsigned number); /* statement that the next checks belong to, 0 none */
void check(const char *what, bool good);
void check_eq(const char *what, u64 got, u64 want);
void check_in(const char *what, u64 got, u64 lowest, u64 highest);
void dev_print(const char *s);
/* The statements a kernel of tests/w7 is about to report, W7_PLAN(148, 149), and its end. */
void dev_plan(const u8 *numbers, unsigned count);
#define W7_PLAN(...) dev_plan((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))
__attribute__((noreturn)) void dev_stop(u8 code); /* emulator's exit status (code << 1) | 1; 16: came to the end */

/* --- interrupts: every vector is counted and the first ones are kept in order --- */
enum { EOI_PIC = 1, EOI_APIC = 2 };
extern volatile unsigned taken[256];
extern volatile u8 order[64];
extern volatile unsigned norder;
extern volatile unsigned eoi_policy;           /* what the handler acknowledges by itself */
extern void (*volatile on_interrupt)(unsigned vector); /* called by the handler before that, when set */
void forget(void);                             /* empties taken and order */

/* --- setting up --- */
enum { PIC_BASE = 0x20, PIC2_BASE = 0x28, SPURIOUS_VECTOR = 0xff };
#define APIC 0xfee00000u
#define IOAPIC 0xfec00000u
void dev_init(void);    /* IDT, PM timer at 608h, both 8259s initialised and masked, local APIC in virtual wire */
void pic_init(u8 icw4); /* both chips anew, all masked; bit 4 of icw4 (special fully nested) goes to the master only */
void pic_unmask(unsigned irq);
void line(unsigned n, bool level); /* test device */
bool have_testdev(void);
static inline u32 apic_rd(unsigned reg) { return rd32(APIC + reg); }
static inline void apic_wr(unsigned reg, u32 v) { wr32(APIC + reg, v); }
u32 ioapic_rd(unsigned reg);
void ioapic_wr(unsigned reg, u32 v);
void ioapic_entry(unsigned pin, u32 high, u32 low);
u32 pci_rd(unsigned dev, unsigned fn, unsigned reg);
void pci_wr(unsigned dev, unsigned fn, unsigned reg, u32 v);

/* --- time: the PM timer, 3,579,545 Hz, 24 bits --- */
u32 pm_now(void);
static inline u32 pm_since(u32 start) { return (pm_now() - start) & 0xffffff; }
u32 pm_to_us(u32 ticks);
void delay_us(u32 us); /* busy; up to a second */

/* tests/guest/NAME.c */
void test_pic(void);
void test_pit(void);
void test_rtc(void);
void test_hpet(void);
void test_pm(void);
void test_ioapic(void);
void test_lapic(void);
void test_kbc(void);
void test_uart(void);

#endif
