/* Library of the bare-metal checklist programs (tests/w7/bm_NAME.c): output, checks, ports, exceptions and interrupts.
 *
 * Each program is built twice, as 32-bit flat kernel without paging and as 64-bit kernel (4 GiB identity mapped by 2 MiB pages, writable,
 * executable); BM_BITS tells which. The multiboot loader starts it with interrupts off; `bm_main` runs on a 64 KiB stack, with an IDT whose
 * 256 gates end in bm_on handlers. A0000h-FFFFFh and device memory are reached by plain pointers. The PICs stay as the BIOS left
 * them: programs that take interrupts set them up (bm_pic_init) or use the APICs.
 *
 * A program names what it will report first, W7_PLAN(80, 81), so that a number that is never reported fails, then reports each with
 * w7() or w7_eq(). Returning from bm_main ends the emulator with status 33. Everything is written to port E9h. */
#ifndef TESTS_W7_BM_H
#define TESTS_W7_BM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef uintptr_t word; /* the width of a general register */

#ifdef __x86_64__
#define BM_BITS 64
#else
#define BM_BITS 32
#endif

/* what every interrupt and exception saves; handlers may change it and return */
struct bm_regs {
    word di, si, bp, bx, dx, cx, ax;
#ifdef __x86_64__
    word r8, r9, r10, r11, r12, r13, r14, r15;
#endif
    word vector, error; /* error code, 0 where the exception has none */
    word ip, cs, flags;
    word sp, ss; /* 64 bit: always; 32 bit: only when the privilege level changed */
};

struct bm_fault {
    int vector; /* -1: none */
    word error, ip, cr2, dr6;
};

struct bm_info {
    const char *command_line; /* "" when there is none */
    const u8 *memory_map;     /* multiboot map: records of (u32 size, u64 base, u64 length, u32 type), size not counting itself */
    u32 memory_map_size;
};

typedef void bm_handler(struct bm_regs *r);

/* --- what a program defines --- */
void bm_main(const struct bm_info *info);

/* --- output: %s %c %d %u %x with l (word) and ll (64 bit), field width and 0 --- */
void bm_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- checks --- */
void w7_plan(const u8 *numbers, size_t count);
#define W7_PLAN(...) w7_plan((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))
bool w7(unsigned number, bool ok, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool w7_eq(unsigned number, const char *what, u64 got, u64 want);
void w7_skip(unsigned number, const char *why);
_Noreturn void bm_exit(u8 code); /* status (code << 1) | 1; 16 means that the program came to its end */

/* --- exceptions and interrupts --- */
/* Runs fn(arg); returns the fault that ended it, or one with vector -1. Interrupts and exceptions with a bm_on handler are not faults. */
struct bm_fault bm_try(void (*fn)(void *), void *arg);
void bm_on(unsigned vector, bm_handler *handler); /* NULL: none; an interrupt without a handler is counted in bm_stray and returns */
extern volatile u32 bm_stray[256];
/* PICs: vectors master..master+7 and slave..slave+7, all lines masked, edge (ELCR untouched) */
void bm_pic_init(u8 master, u8 slave);
void bm_pic_mask(u16 mask);  /* bit n: line n is off */
void bm_pic_eoi(unsigned line);
extern u8 bm_gdt[];          /* 8-byte descriptors; entries from BM_GDT_FREE on are the program's own */
extern u8 bm_idt[];          /* 256 gates */
enum { BM_CODE = 0x08, BM_DATA = 0x10, BM_CODE32 = 0x18, BM_GDT_FREE = 8, BM_GDT_ENTRIES = 32 };
#ifdef __x86_64__
extern u64 bm_pml4[512], bm_pdpt[512]; /* the identity map; pdpt[4..511] are free */
#endif

/* --- ports --- */
static inline void outb(u16 port, u8 v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void outw(u16 port, u16 v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void outl(u16 port, u32 v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline u8 inb(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline u16 inw(u16 port) { u16 v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline u32 inl(u16 port) { u32 v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }

/* --- processor --- */
struct bm_cpuid { u32 a, b, c, d; };
static inline struct bm_cpuid cpuid(u32 leaf, u32 sub)
{
    struct bm_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}
static inline u64 rdmsr(u32 n) { u32 a, d; __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n)); return (u64)d << 32 | a; }
static inline void wrmsr(u32 n, u64 v) { __asm__ volatile("wrmsr" : : "c"(n), "a"((u32)v), "d"((u32)(v >> 32)) : "memory"); }
static inline u64 rdtsc(void) { u32 a, d; __asm__ volatile("rdtsc" : "=a"(a), "=d"(d)); return (u64)d << 32 | a; }
static inline void sti(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void cli(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void sti_hlt_cli(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
#define BM_CR(n)                                                                                               \
    static inline word read_cr##n(void) { word v; __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)); return v; } \
    static inline void write_cr##n(word v) { __asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory"); }
BM_CR(0)
BM_CR(2)
BM_CR(3)
BM_CR(4)

/* --- memory --- */
static inline u32 mmio_read(u32 address) { return *(volatile u32 *)(word)address; }
static inline void mmio_write(u32 address, u32 v) { *(volatile u32 *)(word)address = v; }
void *memset(void *p, int c, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
extern u8 bm_end[]; /* first byte behind the program: RAM up to the top of the memory map is free from here */

/* --- PCI configuration by CF8h/CFCh --- */
u32 pci_read(unsigned device, unsigned function, unsigned offset); /* bus 0, offset a multiple of 4 */
void pci_write(unsigned device, unsigned function, unsigned offset, u32 v);

/* --- time by the ACPI PM timer (port 608h), wrap handled by the caller keeping spans under 4 s --- */
u32 pm_ticks(void);             /* 3.579545 MHz, 24 bits at least */
void bm_delay_us(u32 us);       /* busy wait by the PM timer */

#endif
