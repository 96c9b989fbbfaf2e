/*
 * INT 15h: memory map and sizes, block move, A20, waits, configuration, pointing device, APM.
 *
 * APM offers the real-mode interface only (version 1.2): enough for DOS programs to switch off and
 * to idle; protected-mode connections are refused. Left out: cassette, joystick (84h), device
 * hooks beyond what a caller may install itself (80h-82h, 85h, 90h, 91h answer "done"). The
 * switch to protected mode (89h) is in entry.S; from virtual-8086 mode it is refused here.
 */
#include "bios/post.h"
#include "bios/state.h"

extern u8 config_table[];

enum { UNSUPPORTED = 0x86, PORT_A20 = 0x92, SLP_EN = 1 << 13 };

static void fail(struct regs *r)
{
    r->ah = UNSUPPORTED;
    set_cf(r, 1);
}

static void a20(struct regs *r)
{
    u8 v = inb(PORT_A20);
    switch (r->al) {
    case 0: outb(PORT_A20, v & ~3); break;
    case 1: outb(PORT_A20, (v & ~1) | 2); break;
    case 2: r->al = v >> 1 & 1; break;
    case 3: r->bx = 3; break;
    default: fail(r); return;
    }
    r->ah = 0;
    set_cf(r, 0);
}

static void e820(struct regs *r)
{
    u32 row[5];
    if (r->edx != 0x534d4150 || r->ecx < 20 || !e820_entry(r->ebx, row)) {
        fail(r);
        return;
    }
    copy_out(r->es, r->di, row, 20);
    u32 next = r->ebx + 1;
    r->ebx = e820_entry(next, row) ? next : 0;
    r->eax = 0x534d4150;
    r->ecx = 20;
    set_cf(r, 0);
}

static void e801(struct regs *r)
{
    u32 top = bs.table_base;
    if (top > 16 << 20) {
        r->cx = 15 << 10;
        u32 blocks = (top - (16 << 20)) >> 16;
        r->dx = blocks > 0xffff ? 0xffff : blocks;
    } else {
        r->cx = (top - (1 << 20)) >> 10;
        r->dx = 0;
    }
    r->ax = r->cx;
    r->bx = r->dx;
    set_cf(r, 0);
}

static void extended_size(struct regs *r)
{
    u32 kib = (bs.table_base - (1 << 20)) >> 10;
    r->ax = kib > 63 << 10 ? 63 << 10 : kib;
    set_cf(r, 0);
}

static u32 gdt_base(u16 seg, u16 off)
{
    return peekw(seg, off + 2) | (u32)peekb(seg, off + 4) << 16 | (u32)peekb(seg, off + 7) << 24;
}

/* 87h: ES:SI = six descriptors, source in the third, target in the fourth; CX words. */
static void block_move(struct regs *r)
{
    if (v86_mode() || r->cx > 0x8000) {
        r->ah = 3;
        set_cf(r, 1);
        return;
    }
    u32 from = gdt_base(r->es, r->si + 0x10), to = gdt_base(r->es, r->si + 0x18);
    u8 gate = inb(PORT_A20);
    if (!(gate & 2)) outb(PORT_A20, (gate & ~1) | 2);
    flat_copy(to, from, (u32)r->cx * 2);
    if (!(gate & 2)) outb(PORT_A20, gate & ~1);
    r->ah = 0;
    set_cf(r, 0);
}

static void configuration(struct regs *r)
{
    r->es = SEG_CODE;
    r->bx = (u16)(u32)config_table;
    r->ah = 0;
    set_cf(r, 0);
}

static void power_off(void)
{
    if (!bs.pm_base) return;
    u16 control = inw(bs.pm_base + 4) & 0xc3ff;
    outw(bs.pm_base + 4, control | SLP_EN);     /* sleep type 0 is S5 on this board */
}

static void apm(struct regs *r)
{
    u8 error = 0;
    switch (r->al) {
    case 0x00:
        if (r->bx) {
            error = 0x09;               /* only the BIOS itself is a device here */
            break;
        }
        r->ax = 0x0102;
        r->bx = 0x504d;
        r->cx = 0;
        break;
    case 0x01: case 0x04: case 0x06: case 0x08: case 0x0d: case 0x0f: break;
    case 0x05: relax(); break;
    case 0x07:
        if (r->bx != 1) error = 0x09;
        else if (r->cx == 3) power_off();
        else if (r->cx > 2) error = 0x0a;
        break;
    case 0x0a: r->bx = 0x01ff; r->cx = 0x80ff; r->dx = 0xffff; r->si = 0; break;
    case 0x0b: error = 0x80; break;     /* no event pending */
    case 0x0c: r->cx = 0; break;
    case 0x0e: r->ax = 0x0102; break;
    case 0x02: error = 0x06; break;     /* 16-bit protected interface not supported */
    case 0x03: error = 0x08; break;     /* 32-bit protected interface not supported */
    default: error = 0x0c;
    }
    if (error) r->ah = error;
    else if (r->al != 0x00 && r->al != 0x0e && r->ax >> 8 == 0x53) r->ah = 0;
    set_cf(r, error != 0);
}

int system_service(struct regs *r);
int system_service(struct regs *r)
{
    switch (r->ah) {
    case 0x24: a20(r); return 0;
    case 0x4f: set_cf(r, 1); return 0;          /* keyboard: use the scan code as it is */
    case 0x53: apm(r); return 0;
    case 0x80: case 0x81: case 0x82: case 0x85: case 0x90: case 0x91:
        r->ah = 0;
        set_cf(r, 0);
        return 0;
    case 0x83: case 0x86:
        set_cf(r, !wait_service(r));
        if (r->flags & FLAG_CF) r->ah = UNSUPPORTED;
        return 0;
    case 0x87: block_move(r); return 0;
    case 0x88: extended_size(r); return 0;
    case 0xc0: configuration(r); return 0;
    case 0xc1: r->es = SEG_EBDA; set_cf(r, 0); return 0;
    case 0xc2: mouse_service(r); return 0;
    }
    if (r->ax == 0xe801) e801(r);
    else if (r->ax == 0xe820) e820(r);
    else fail(r);
    return 0;
}
