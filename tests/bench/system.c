/*
 * system.c: what single things cost in this machine: a bare-metal program, 32-bit protected mode with
 * paging on and flat segments, started by the multiboot loader; the same image runs in ours and in QEMU.
 * Library: tests/w7/bm/bm.h and tests/w7/storage.h.
 *
 * How much is done is chosen by the TSC, which is measured against the ACPI PM timer first, so that it
 * takes at least 100 ms. But a guest's clock may be slower than the wall (work.c says why), so the host
 * measures: a line "(" and a line ")" stand around what is timed, three times where single operations are counted.
 * Output on port E9h, then a line a row with what was done between the lines, and what this machine's
 * own clock says, for comparison only:
 *     SYSTEM out 2048000 operations 57123 ps
 *     SYSTEM pio 5120 KiB 4500 KiB/s           SYSTEM fill 1440 frames 480 frames/s
 *     SYSTEM hlt 3000 ticks 1001 us            (periods of the 8254 at 1000.15 Hz)
 * Command line: rows=HEX, bits of enum row; the disk is the primary master.
 */
#include "tests/w7/storage.h"

enum row { OUT, INTERRUPT, INVLPG, CR3, CODE_PAGE, PIO, DMA, FILL, HLT, MMIO, APIC, ROWS };

/* 4 KiB pages from here on; the rest of the 4 GiB is mapped by pages of 4 MiB. */
enum { SMALL = 0x4000000, CODE = SMALL + 0x100000 };
enum { PTE_P = 1, PTE_W = 2, PTE_PS = 0x80 };

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u32 tsc_khz;
static volatile u32 ticks;

static void paging_on(void)
{
    for (u32 k = 0; k < 1024; k++) {
        directory[k] = k << 22 | PTE_PS | PTE_W | PTE_P;
        table[k] = (SMALL + (k << 12)) | PTE_W | PTE_P;
    }
    directory[SMALL >> 22] = (u32)table | PTE_W | PTE_P;
    write_cr4(read_cr4() | 0x10);
    write_cr3((u32)directory);
    write_cr0(read_cr0() | 0x80010000);
}

static void calibrate(void)
{
    u32 start = pm_ticks(), passed;
    u64 tsc = rdtsc();
    do {
        passed = (pm_ticks() - start) & 0xffffff;
    } while (passed < 715909); /* 200 ms */
    tsc_khz = (u32)((rdtsc() - tsc) * 3580 / passed);
    tsc_khz -= tsc_khz / 7864; /* 3579.545, not 3580 */
}

static u64 ns_since(u64 tsc)
{
    return (rdtsc() - tsc) * 1000000 / tsc_khz;
}

/* --- costs of one operation: each function does it n times --- */

static void do_out(u32 n)
{
    while (n--) outb(0x80, 0);
}

__asm__("bare_iret: iret");
extern u8 bare_iret[];

static void do_int(u32 n)
{
    while (n--) __asm__ volatile("int $0x60" : : : "memory");
}

static void do_invlpg(u32 n)
{
    while (n--) {
        __asm__ volatile("invlpg %0" : : "m"(*(u8 *)SMALL) : "memory");
        mmio_read(SMALL);
    }
}

static void do_cr3(u32 n)
{
    while (n--) {
        write_cr3((u32)directory);
        for (u32 k = 0; k < 16; k++) mmio_read(SMALL + (k << 12));
    }
}

/* A loop on page CODE that stores 2 KiB behind itself. */
static void do_code_page(u32 n)
{
    static const u8 loop[] = {
        0x89, 0x0a, /* 1: mov %ecx, (%edx) */
        0x49,       /*    dec %ecx         */
        0x75, 0xfb, /*    jnz 1b           */
        0xc3,
    };
    if (((u8 *)CODE)[0] != loop[0]) memcpy((u8 *)CODE, loop, sizeof(loop));
    __asm__ volatile("call *%1" : "+c"(n) : "a"(CODE), "d"(CODE + 2048) : "memory", "cc");
}

/* The index register of the I/O APIC: a register of a device outside the processor. */
static void do_mmio(u32 n)
{
    while (n--) mmio_read(0xfec00000);
}

/* The task priority: 32-bit Windows writes it at every change of its interrupt level. */
static void do_apic(u32 n)
{
    while (n--) mmio_write(0xfee00080, 0);
}

/* Nanoseconds of n operations. */
static u64 time_of(void (*operation)(u32 n), u32 n)
{
    u64 start = rdtsc();
    operation(n);
    return ns_since(start);
}

static void cost(const char *name, void (*operation)(u32 n))
{
    u32 n = 1000;
    u64 ns = 0;
    while (time_of(operation, n) < 100000000 && n < 1u << 30) n *= 2;
    for (int k = 0; k < 3; k++) {
        bm_printf("(\n");
        ns = time_of(operation, n);
        bm_printf(")\n");
    }
    bm_printf("SYSTEM %s %u operations %llu ps\n", name, n, (unsigned long long)(ns * 1000 / n));
}

/* --- disk --- */

static bool read_pio(const struct ide *d, u32 lba)
{
    ide_lba28(d, lba, 0); /* 256 sectors */
    ide_command(d, 0x20);
    return ide_pio_in(d, mem(BUFFER), 256, 1);
}

static bool read_dma(const struct ide *d, u32 lba)
{
    u8 status;
    prd_range(BUFFER, 256 * 512);
    ide_lba48(d, lba, 256);
    return (ide_dma(d, 0x25, true, &status) & 7) == 4 && !(status & (ERR | DRQ | BSY));
}

/* Reads for a second at least, inside the first 32 MiB. */
static void rate(const char *name, bool (*read)(const struct ide *d, u32 lba), u32 sectors)
{
    struct ide d = ide_drive(0);
    bm_printf("(\n");
    u64 start = rdtsc(), ns;
    u32 done = 0;
    do {
        if (!read(&d, done * sectors % 65536)) {
            bm_printf("SYSTEM-FAIL %s: the disk does not answer\n", name);
            return;
        }
        done++;
        ns = ns_since(start);
    } while (ns < 1000000000);
    bm_printf(")\nSYSTEM %s %u KiB %llu KiB/s\n", name, done * sectors / 2,
              (unsigned long long)done * sectors / 2 * 1000000 / (ns / 1000));
}

/* --- framebuffer: mode by Bochs VBE extensions, 1024x768 with 32 bits --- */

static void dispi(u16 index, u16 value)
{
    outw(0x1ce, index);
    outw(0x1cf, value);
}

static void fill(void)
{
    int f = pci_class(0x0300);
    u32 base = f < 0 ? 0 : pci_read((unsigned)f >> 3, f & 7, 0x10) & ~15u;
    if (!base) {
        bm_printf("SYSTEM-FAIL fill: no display\n");
        return;
    }
    dispi(4, 0);
    dispi(1, 1024);
    dispi(2, 768);
    dispi(3, 32);
    dispi(4, 0x41);
    bm_printf("(\n");
    u64 start = rdtsc(), ns;
    u32 frames = 0;
    do {
        u32 to = base, count = 1024 * 768;
        __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(frames * 0x010305) : "memory");
        frames++;
        ns = ns_since(start);
    } while (ns < 3000000000ull);
    bm_printf(")\nSYSTEM fill %u frames %llu frames/s\n", frames, (unsigned long long)frames * 1000000 / (ns / 1000));
    dispi(4, 0);
}

/* --- a thousand periods of the timer, asleep in between --- */

static void on_timer(struct bm_regs *r)
{
    (void)r;
    ticks++;
    bm_pic_eoi(0);
}

static void sleep_ticks(void)
{
    enum { PERIODS = 3000 };
    bm_pic_init(0x20, 0x28);
    bm_on(0x20, on_timer);
    bm_pic_mask((u16)~1u);
    outb(0x43, 0x34);
    outb(0x40, 1193 & 255);
    outb(0x40, 1193 >> 8);
    ticks = 0;
    while (ticks < 2) sti_hlt_cli();
    bm_printf("(\n");
    u64 start = rdtsc();
    ticks = 0;
    while (ticks < PERIODS) sti_hlt_cli();
    u64 ns = ns_since(start);
    bm_printf(")\nSYSTEM hlt %u ticks %llu us\n", PERIODS, (unsigned long long)(ns / PERIODS / 1000));
    bm_pic_mask(0xffff);
}

void bm_main(const struct bm_info *info)
{
    u32 rows = argument(info, "rows", (1u << ROWS) - 1);
    paging_on();
    calibrate();
    bm_printf("SYSTEM tsc %u kHz\n", tsc_khz);
    u32 gate = (u32)bare_iret;
    put_le32(bm_idt + 0x60 * 8, BM_CODE << 16 | (gate & 0xffff));
    put_le32(bm_idt + 0x60 * 8 + 4, (gate & 0xffff0000) | 0x8e00);
    if (rows >> OUT & 1) cost("out", do_out);
    if (rows >> INTERRUPT & 1) cost("int", do_int);
    if (rows >> INVLPG & 1) cost("invlpg", do_invlpg);
    if (rows >> CR3 & 1) cost("cr3", do_cr3);
    if (rows >> CODE_PAGE & 1) cost("code-page", do_code_page);
    if (rows >> MMIO & 1) cost("mmio", do_mmio);
    if (rows >> APIC & 1) cost("apic", do_apic);
    if (rows & (1u << PIO | 1u << DMA)) ide_start();
    if (rows >> PIO & 1) rate("pio", read_pio, 256);
    if (rows >> DMA & 1) rate("dma", read_dma, 256);
    if (rows >> FILL & 1) fill();
    if (rows >> HLT & 1) sleep_ticks();
    bm_printf("SYSTEM-DONE\n");
}
