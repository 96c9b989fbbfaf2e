/* expect: exit 171. COM2 as a 16550A: registers, FIFO, loopback, modem lines, interrupt priorities, speed; port 80h.
 * (National Semiconductor PC16550D data sheet, section 8.) */
#include "tests/guest/dev.h"

enum { COM = 0x2f8, RBR = COM, IER = COM + 1, IIR = COM + 2, FCR = COM + 2, LCR = COM + 3, MCR = COM + 4, LSR = COM + 5, MSR = COM + 6, SCR = COM + 7 };
enum { DR = 1, OE = 2, THRE = 0x20, TEMT = 0x40 };
enum { LOOP = 0x10, OUT2 = 8, VECTOR = PIC_BASE + 3 };

static u8 seen; /* bits of LSR that reading has cleared */

static void lsr_within(u8 bits, u32 us)
{
    u32 start = pm_now();
    u8 v;
    do {
        v = inb(LSR);
        seen |= v;
    } while ((v & bits) != bits && pm_to_us(pm_since(start)) < us);
}

static void empty(void)
{
    outb(FCR, 7); /* FIFOs on and cleared */
    while (inb(LSR) & DR) inb(RBR);
    inb(IIR);
    inb(MSR);
}

static void registers(void)
{
    outb(IER, 0);
    for (unsigned v = 0; v < 256; v += 51) {
        outb(SCR, (u8)v);
        check_eq("scratch register", inb(SCR), v);
    }
    outb(LCR, 0x83);
    outb(COM, 0x0c);
    outb(COM + 1, 0x00);
    check_eq("divisor latch", inb(COM) | inb(COM + 1) << 8, 0x0c);
    outb(COM, 1); /* 115,200 baud */
    outb(LCR, 0x03);
    check_eq("line control", inb(LCR), 3);
    check_eq("IER again without DLAB", inb(IER), 0);
    outb(IER, 0xff);
    check_eq("IER: four bits", inb(IER), 0x0f);
    outb(IER, 0);
    outb(FCR, 0);
    check_eq("FIFO off: IIR bits 7-6 clear", inb(IIR) & 0xc0, 0);
    outb(FCR, 1);
    check_eq("FIFO on: both set, a 16550A", inb(IIR) & 0xc0, 0xc0);
    outb(MCR, 0xff);
    check_eq("MCR: five bits", inb(MCR), 0x1f);
}

static void loopback(void)
{
    outb(MCR, LOOP);
    empty();
    static const u8 modem[4][2] = { { 1, 0x20 }, { 2, 0x10 }, { 4, 0x40 }, { 8, 0x80 } };
    for (unsigned n = 0; n < 4; n++) {
        outb(MCR, LOOP | modem[n][0]);
        check_eq("loopback: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD", inb(MSR) & 0xf0, modem[n][1]);
    }
    outb(MCR, LOOP);
    inb(MSR);
    outb(MCR, LOOP | 3);
    check_eq("deltas of DSR and CTS", inb(MSR), 0x33);
    check_eq("cleared by the read", inb(MSR), 0x30);
    outb(MCR, LOOP);
    empty();
    u32 start = pm_now();
    for (unsigned n = 0; n < 16; n++) outb(COM, (u8)(0x40 + n));
    lsr_within(TEMT, 5000);
    check_in("16 bytes at 115,200 baud or faster, us", pm_to_us(pm_since(start)), 1, 1400);
    bool same = true;
    for (unsigned n = 0; n < 16; n++) same &= (inb(LSR) & DR) && inb(COM) == 0x40 + n;
    check_eq("all 16 came back in order", same, 1);
    check_eq("empty", inb(LSR) & (DR | OE), 0);
    seen = 0;
    for (unsigned n = 0; n < 17; n++) {
        lsr_within(THRE, 1000);
        outb(COM, (u8)n);
    }
    lsr_within(TEMT, 5000);
    check_eq("the 17th unread byte is an overrun", seen & OE, OE);
    check_eq("cleared by the read of LSR", inb(LSR) & OE, 0);
    same = true;
    for (unsigned n = 0; n < 16; n++) same &= inb(COM) == n;
    check_eq("the first 16 are kept", same, 1);
}

static void priorities(void)
{
    outb(MCR, LOOP | OUT2);
    empty();
    outb(FCR, 0x01); /* trigger at one byte */
    inb(MSR);
    outb(IER, 0x0f);
    outb(COM, 0x55);
    lsr_within(TEMT, 5000);
    outb(MCR, LOOP | OUT2 | 1); /* DSR changes */
    for (unsigned n = 0; n < 16; n++) { /* overrun: line status */
        outb(COM, (u8)n);
        delay_us(200);
    }
    check_eq("highest: line status", inb(IIR) & 0x0f, 6);
    inb(LSR);
    check_eq("then received data", inb(IIR) & 0x0f, 4);
    while (inb(LSR) & DR) inb(RBR);
    check_eq("then transmitter empty", inb(IIR) & 0x0f, 2);
    check_eq("then modem status: reading IIR cleared the transmitter's", inb(IIR) & 0x0f, 0);
    inb(MSR);
    check_eq("then none", inb(IIR) & 0x0f, 1);
    outb(FCR, 0xc1); /* trigger at 14 */
    outb(IER, 1);
    outb(COM, 1);
    lsr_within(TEMT, 5000);
    u32 start = pm_now();
    while ((inb(IIR) & 0x0f) == 1 && pm_since(start) < 36000) {}
    check_eq("below the trigger: character timeout", inb(IIR) & 0x0f, 0x0c);
    inb(RBR);
    check_eq("cleared by the read", inb(IIR) & 0x0f, 1);
    outb(IER, 0);
}

static void interrupts(void)
{
    pic_init(0);
    pic_unmask(3);
    eoi_policy = EOI_PIC;
    outb(MCR, LOOP);
    empty();
    outb(FCR, 1);
    window();
    forget();
    outb(IER, 2);
    window();
    check_eq("no interrupt while OUT2 is low", taken[VECTOR], 0);
    outb(MCR, LOOP | OUT2);
    window();
    check_eq("transmitter empty interrupts when enabled", taken[VECTOR], 1);
    inb(IIR);
    outb(COM, 0x11);
    lsr_within(TEMT, 5000);
    window();
    check_eq("and when it has become empty again", taken[VECTOR], 2);
    outb(IER, 0);
    inb(IIR);
    outb(MCR, 0);
    empty();
    pic_init(0);
    eoi_policy = 0;
}

static void post_port(void)
{
    about(244);
    u32 start = pm_now();
    for (unsigned n = 0; n < 100; n++) {
        outb(0x80, (u8)n);
        (void)inb(0x80);
    }
    check_in("100 writes and reads of port 80h, us", pm_to_us(pm_since(start)), 0, 2000);
    check_eq("port E9h reads E9h", inb(0xe9), 0xe9);
    about(0);
}

void test_uart(void)
{
    about(243);
    registers();
    loopback();
    priorities();
    interrupts();
    post_port();
    about(0);
}
