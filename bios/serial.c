/*
 * Ports of old: INT 14h (serial), INT 17h (printer), INT 05h (print screen).
 *
 * Serial functions 00h-03h plus the port test at POST (line control and scratch register must hold
 * what is written). Time-outs are the bytes at 0040:0078 (printer) and 0040:007C (serial), in
 * units of about half a second.
 */
#include "bios/state.h"

enum { BDA_COM = 0, BDA_LPT = 8, BDA_LPT_TIME = 0x78, BDA_COM_TIME = 0x7c, TIMEOUT = 0x80 };

static int uart_at(u16 port)
{
    outb(port + 3, 0x03);
    outb(port + 1, 0x00);
    return inb(port + 3) == 0x03 && inb(port + 1) == 0x00 && (inb(port + 2) & 0x30) == 0 &&
           inb(port + 6) != 0xff;
}

static int printer_at(u16 port)
{
    outb(port, 0xaa);
    u8 a = inb(port);
    outb(port, 0x55);
    return a == 0xaa && inb(port) == 0x55;
}

void serial_init(void)
{
    static const u16 com[4] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    static const u16 lpt[3] = { 0x378, 0x278, 0x3bc };
    u32 coms = 0, lpts = 0;
    for (u32 i = 0; i < 4; i++)
        if (uart_at(com[i])) bda16_set(BDA_COM + 2 * coms++, com[i]);
    for (u32 i = 0; i < 3; i++)
        if (printer_at(lpt[i])) bda16_set(BDA_LPT + 2 * lpts++, lpt[i]);
    for (u32 i = 0; i < 4; i++) bda8_set(BDA_COM_TIME + i, 0x0a);
    for (u32 i = 0; i < 3; i++) bda8_set(BDA_LPT_TIME + i, 0x14);
    bda16_set(0x10, (bda16(0x10) & 0x31ff) | coms << 9 | lpts << 14);
}

static int wait_bits(u16 port, u8 mask, u8 want, u8 half_seconds)
{
    struct deadline d;
    deadline_set(&d, half_seconds * 500u + 1);
    while ((inb(port) & mask) != want) {
        if (deadline_over(&d)) return 0;
        relax();
    }
    return 1;
}

static void set_line(u16 port, u8 al)
{
    static const u16 divisor[8] = { 1047, 768, 384, 192, 96, 48, 24, 12 };
    u16 d = divisor[al >> 5];
    outb(port + 3, 0x80 | (al & 0x1f));
    outb(port, (u8)d);
    outb(port + 1, d >> 8);
    outb(port + 3, al & 0x1f);
    outb(port + 1, 0);
}

int serial_service(struct regs *r);
int serial_service(struct regs *r)
{
    u16 port = r->dx < 4 ? bda16(BDA_COM + 2 * r->dx) : 0;
    if (!port) return 0;
    u8 time = bda8(BDA_COM_TIME + r->dx);
    switch (r->ah) {
    case 0:
        set_line(port, r->al);
        break;
    case 1:
        outb(port + 4, 3);
        if (!wait_bits(port + 5, 0x20, 0x20, time)) {
            r->ah = inb(port + 5) | TIMEOUT;
            return 0;
        }
        outb(port, r->al);
        r->ah = inb(port + 5) & 0x7f;
        return 0;
    case 2:
        outb(port + 4, 3);
        if (!wait_bits(port + 5, 0x01, 0x01, time)) {
            r->ah = TIMEOUT;
            return 0;
        }
        r->ah = inb(port + 5) & 0x1e;
        r->al = inb(port);
        return 0;
    case 3:
        break;
    default:
        return 0;
    }
    r->ah = inb(port + 5);
    r->al = inb(port + 6);
    return 0;
}

static u8 print_byte(u16 port, u8 byte, u8 time)
{
    outb(port, byte);
    if (!wait_bits(port + 1, 0x80, 0x80, time)) return 1;
    u8 control = inb(port + 2);
    outb(port + 2, control | 1);
    delay_us(5);
    outb(port + 2, control & ~1);
    return 0;
}

int printer_service(struct regs *r);
int printer_service(struct regs *r)
{
    u16 port = r->dx < 3 ? bda16(BDA_LPT + 2 * r->dx) : 0;
    if (!port) {
        r->ah = 1;                      /* time-out: what a missing printer looks like */
        return 0;
    }
    u8 late = 0;
    if (r->ah == 0) {
        late = print_byte(port, r->al, bda8(BDA_LPT_TIME + r->dx));
    } else if (r->ah == 1) {
        outb(port + 2, 0x08);
        delay_us(2000);
        outb(port + 2, 0x0c);
    } else if (r->ah != 2) {
        return 0;
    }
    r->ah = ((inb(port + 1) ^ 0x48) & 0xf8) | late;
    return 0;
}

/* ------------------------------------------------------------------ INT 05h */

static int put_printer(u8 c)
{
    struct callregs r;
    memset(&r, 0, sizeof r);
    r.ax = c;
    call_int(0x17, &r);
    return !(r.ah & 0x29);
}

static void video(struct callregs *r, u16 ax, u16 bx, u16 dx)
{
    memset(r, 0, sizeof *r);
    r->ax = ax;
    r->bx = bx;
    r->dx = dx;
    call_int(0x10, r);
}

static int print_rows(u8 page, u8 columns, u8 rows)
{
    struct callregs r;
    for (u8 y = 0; y < rows; y++) {
        for (u8 x = 0; x < columns; x++) {
            video(&r, 0x0200, page << 8, y << 8 | x);
            video(&r, 0x0800, page << 8, 0);
            if (!put_printer(r.al ? r.al : ' ')) return 0;
        }
        if (!put_printer('\r') || !put_printer('\n')) return 0;
    }
    return 1;
}

int print_screen_service(struct regs *unused);
int print_screen_service(struct regs *unused)
{
    (void)unused;
    if (peekb(0x50, 0) == 1) return 0;  /* one is running */
    pokeb(0x50, 0, 1);
    struct callregs r;
    video(&r, 0x0f00, 0, 0);
    u8 columns = r.ah, page = r.bh, rows = bda8(0x84) + 1;
    video(&r, 0x0300, page << 8, 0);
    u16 cursor = r.dx;
    int ok = print_rows(page, columns, rows);
    video(&r, 0x0200, page << 8, cursor);
    pokeb(0x50, 0, ok ? 0 : 0xff);
    return 0;
}
