/*
 * Part of the firmware probe `sys`: what a BIOS call may ask of its caller's segments and stack, and interrupts (W7-030 to 032).
 */
#include "fw.h"

void interrupt_probes(void);
extern u16 hook_count, hook_isr;
void hook_1c(void);                     /* sys_s.S: counts; notes the 8259's ISR before and after INT 0Fh */
extern u16 nested_isr;

enum { PAINT = 0x5c, PAINTED = 2048 };

static u8 buffer[0x200];

struct call {
    const char *name;
    u8 vector;
    u16 ax, bx, cx, dx;
};

static const struct call calls[] = {
    { "INT 10h 0Eh", 0x10, 0x0e2e, 0x0007, 0, 0 },
    { "INT 10h 0Fh", 0x10, 0x0f00, 0, 0, 0 },
    { "INT 10h 03h", 0x10, 0x0300, 0, 0, 0 },
    { "INT 10h 02h", 0x10, 0x0200, 0, 0, 0 },
    { "INT 10h 06h", 0x10, 0x0601, 0x0700, 0, 0x184f },
    { "INT 10h mode 3", 0x10, 0x0003, 0, 0, 0 },
    { "INT 11h", 0x11, 0, 0, 0, 0 },
    { "INT 12h", 0x12, 0, 0, 0, 0 },
    { "INT 13h 00h", 0x13, 0x0000, 0, 0, 0x80 },
    { "INT 13h 02h", 0x13, 0x0201, 0, 0x0001, 0x80 },
    { "INT 13h 08h", 0x13, 0x0800, 0, 0, 0x80 },
    { "INT 13h 15h", 0x13, 0x1500, 0, 0, 0x80 },
    { "INT 13h 41h", 0x13, 0x4100, 0x55aa, 0, 0x80 },
    { "INT 13h 42h", 0x13, 0x4200, 0, 0, 0x80 },
    { "INT 13h 48h", 0x13, 0x4800, 0, 0, 0x80 },
    { "INT 14h 03h", 0x14, 0x0300, 0, 0, 0 },
    { "INT 15h E820h", 0x15, 0xe820, 0, 20, 0 },
    { "INT 15h E801h", 0x15, 0xe801, 0, 0, 0 },
    { "INT 15h 2401h", 0x15, 0x2401, 0, 0, 0 },
    { "INT 15h 86h", 0x15, 0x8600, 0, 0, 500 },
    { "INT 15h 88h", 0x15, 0x8800, 0, 0, 0 },
    { "INT 15h C0h", 0x15, 0xc000, 0, 0, 0 },
    { "INT 16h 01h", 0x16, 0x0100, 0, 0, 0 },
    { "INT 16h 02h", 0x16, 0x0200, 0, 0, 0 },
    { "INT 16h 11h", 0x16, 0x1100, 0, 0, 0 },
    { "INT 17h 02h", 0x17, 0x0200, 0, 0, 0 },
    { "INT 1Ah 00h", 0x1a, 0x0000, 0, 0, 0 },
    { "INT 1Ah 02h", 0x1a, 0x0200, 0, 0, 0 },
    { "INT 1Ah 04h", 0x1a, 0x0400, 0, 0, 0 },
    { "INT 1Ah B101h", 0x1a, 0xb101, 0, 0, 0 },
    { "INT 1Ah BB00h", 0x1a, 0xbb00, 0, 0, 0 },
};

/* Registers for one of the calls. Disk calls read LBA 200 to the buffer segment. */
static void prepare(const struct call *c, struct regs *r, struct packet *p)
{
    *p = (struct packet){ sizeof *p, 0, 1, 0, SEG_BUF, 200 };
    clear(r);
    r->eax = c->ax;
    r->bx = c->bx;
    r->ecx = c->cx;
    r->edx = c->dx;
    r->si = (u16)(u32)p;
    r->di = (u16)(u32)buffer;
    if (c->ax == 0xe820) r->edx = 0x534d4150;
    if (c->ax == 0x4800) {
        memset(buffer, 0, sizeof buffer);
        buffer[0] = 0x42;
        r->si = (u16)(u32)buffer;
    }
    if (c->ax == 0x0201) r->es = SEG_BUF;
}

static void stack_use(void)
{
    u32 worst = 0;
    for (u32 i = 0; i < LEN(calls); i++) {
        struct regs r;
        struct packet p;
        for (u32 a = 0; a < PAINTED; a += 4) pokel(SEG_STACK, a, PAINT * 0x01010101u);
        prepare(&calls[i], &r, &p);
        r.stack = (u32)SEG_STACK << 16 | PAINTED;
        bios(calls[i].vector, &r);
        u32 low = 0;
        while (low < PAINTED && peekb(SEG_STACK, low) == PAINT) low++;
        u32 used = PAINTED - low;
        if (used > worst) worst = used;
        within(31, calls[i].name, used, 6, 255);
        if (r.sp_after != r.sp_before) expect(31, "SP comes back", r.sp_after, r.sp_before);
    }
    say("stack: at most %u bytes\n", worst);
}

/* Every data segment with a 4 GiB limit and FS, GS, ESP's upper half full of rubbish. */
static void odd_segments(void)
{
    for (u32 i = 0; i < LEN(calls); i++) {
        struct regs plain, r;
        struct packet p;
        if (calls[i].vector == 0x1a && calls[i].ax == 0) continue;      /* its answer moves on */
        prepare(&calls[i], &plain, &p);
        bios(calls[i].vector, &plain);
        prepare(&calls[i], &r, &p);
        r.fs = 0xfffe;
        r.gs = 0x0bad;
        big_limits(0xfffe, 0x0bad);
        bios(calls[i].vector, &r);
        u32 same = ((r.flags ^ plain.flags) & CF) == 0 && r.fs == 0xfffe && r.gs == 0x0bad;
        if (calls[i].vector != 0x1a || r.ah > 4) same &= r.ax == plain.ax;
        if (!same) expect(30, calls[i].name, (u32)r.flags << 16 | r.ax, (u32)plain.flags << 16 | plain.ax);
        else pass(30, calls[i].name);
    }
    struct regs r;
    struct packet p;
    prepare(&calls[13], &r, &p);
    r.gs = r.fs = 0xdead;
    r.flags = 2;
    pokel(SEG_BUF, 0, 0);
    big_limits(0, 0xffff);
    bios(0x13, &r);
    expect(30, "read with large limits and interrupts off", r.flags & CF, 0);
    expect(30, "its data", stamped(SEG_BUF, 0, 200, 512), 1);
}

/* ------------------------------------------------------------------ interrupts */

static u8 in_service(u16 port)
{
    outb(port, 0x0b);
    return inb(port);
}

static u16 wait_ticks(u32 n)
{
    u32 t = peekl(0x40, 0x6c), start = pm_timer();
    while (peekl(0x40, 0x6c) - t < n && elapsed_us(start) < 1000000) halt();
    return (u16)(peekl(0x40, 0x6c) - t);
}

static void tick_interrupt(void)
{
    u32 old = peekl(0, 0x1c * 4);
    expect(32, "IRQ 0 advances 0040:006C", wait_ticks(3), 3);
    irq_off();
    pokel(0, 0x1c * 4, (u32)SEG_BODY << 16 | (u16)(u32)hook_1c);
    irq_on();
    u16 before = hook_count;
    wait_ticks(3);
    irq_off();
    pokel(0, 0x1c * 4, old);
    irq_on();
    within(32, "INT 1Ch comes with each tick", (u16)(hook_count - before), 3, 4);
    expect(32, "IRQ 0 in service during INT 1Ch", hook_isr & 1, 1);
    expect(32, "a spurious IRQ 7 ends no one else's interrupt", nested_isr & 1, 1);
    irq_off();
    expect(32, "nothing in service afterwards", in_service(0x20) | in_service(0xa0), 0);
    irq_on();
    static const u8 spurious[] = { 0x0f, 0x77 };
    for (u32 i = 0; i < LEN(spurious); i++) {
        struct regs r, was;
        clear(&r);
        r.eax = 0x12345678;
        was = r;
        bios(spurious[i], &r);
        expect(32, "spurious interrupt leaves the registers", r.eax == was.eax && r.sp_after == r.sp_before, 1);
    }
    expect(32, "ticks go on", wait_ticks(2), 2);
    u8 mask = inb(0x21), slave = inb(0xa1);
    expect(32, "IRQ 0, 1, 2 are open", mask & 7, 0);
    expect(32, "IRQ 12 is open", slave & 0x10, 0);
}

/* 8042 command D2h: a byte that looks as if the keyboard had sent it. */
static void type(u8 code)
{
    for (u32 i = 0; i < 65536 && inb(0x64) & 2; i++) continue;
    outb(0x64, 0xd2);
    for (u32 i = 0; i < 65536 && inb(0x64) & 2; i++) continue;
    outb(0x60, code);
    u32 start = pm_timer();
    while (inb(0x64) & 1 && elapsed_us(start) < 100000) continue;
    while (elapsed_us(start) < 2000) continue;
}

static void keyboard_interrupt(void)
{
    struct regs r;
    type(0x1e);                         /* A, down and up */
    type(0x9e);
    clear(&r);
    r.ah = 1;
    bios(0x16, &r);
    expect(32, "IRQ 1 queues a key", r.flags & ZF, 0);
    clear(&r);
    bios(0x16, &r);
    expect(32, "it is the key", r.ax, 0x1e61);
    irq_off();
    expect(32, "IRQ 1 is not left in service", in_service(0x20), 0);
    irq_on();
}

void interrupt_probes(void)
{
    stack_use();
    odd_segments();
    tick_interrupt();
    keyboard_interrupt();
}
