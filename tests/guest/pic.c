/* expect: exit 171. The 8259A pair: initialisation, priorities, every kind of EOI and rotation, masks, polling, cascade, ELCR.
 * args: --set testdev=on
 * (Intel 8259A data sheet, order number 231468; section names are its own. ELCR: 82371SB 2.5.) */
#include "tests/guest/dev.h"

enum { EOI = 0x20, ROTATE_EOI = 0xa0, SPECIFIC = 0x60, ROTATE_SPECIFIC = 0xe0, SET_PRIORITY = 0xc0 };
enum { READ_IRR = 0x0a, READ_ISR = 0x0b, POLL = 0x0c, SMM_ON = 0x68, SMM_OFF = 0x48 };

static u8 irr(u16 chip)
{
    outb(chip, READ_IRR);
    return inb(chip);
}

static u8 isr(u16 chip)
{
    outb(chip, READ_ISR);
    return inb(chip);
}

static u8 poll(u16 chip)
{
    outb(chip, POLL);
    return inb(chip);
}

static void edge(unsigned n)
{
    line(n, false);
    line(n, true);
}

static void lower_all(void)
{
    for (unsigned n = 3; n < 16; n++) line(n, false);
}

/* Lines 3-7 open, nothing pending. */
static void fresh(u8 icw4)
{
    lower_all();
    outb(0x4d0, 0);
    outb(0x4d1, 0);
    pic_init(icw4);
    outb(0x21, 0x07);
    forget();
}

static void initialisation(void)
{
    fresh(0);
    outb(0x21, 0xaa);
    check_eq("IMR reads back", inb(0x21), 0xaa);
    outb(0x20, 0x11);
    outb(0x21, PIC_BASE | 7); /* the low three bits are the input's */
    outb(0x21, 4);
    outb(0x21, 1);
    check_eq("ICW1 clears the mask", inb(0x21), 0);
    check_eq("ICW1 selects reading of IRR", inb(0x20), irr(0x20));
    outb(0x21, 0xdf);
    edge(5);
    window();
    check_eq("vector is base plus input", order[0], PIC_BASE + 5);
    check_eq("in service", isr(0x20), 0x20);
    outb(0x20, 0x11);
    outb(0x21, PIC_BASE);
    outb(0x21, 4);
    outb(0x21, 1);
    check_eq("ICW1 clears ISR", isr(0x20), 0);
    window();
    check_eq("a line that is still high needs a new edge after ICW1", norder, 1);
    edge(5);
    window();
    check_eq("and has one", norder, 2);
}

static void edges(void)
{
    fresh(0);
    outb(0x21, 0xff);
    edge(5);
    check_eq("a masked input shows in IRR", irr(0x20), 0x20);
    check_eq("and is not in service", isr(0x20), 0);
    window();
    check_eq("masked: no interrupt", norder, 0);
    outb(0x21, 0xdf);
    window();
    check_eq("unmasking delivers what waits", norder, 1);
    check_eq("acknowledge clears IRR though the line is high", irr(0x20), 0);
    outb(0x20, EOI);
    window();
    check_eq("one edge, one interrupt", norder, 1);
    line(5, false);
    line(5, true);
    line(5, false);
    check_eq("a line that falls before the acknowledge is forgotten", irr(0x20), 0);
    window();
    check_eq("and interrupts nobody", norder, 1);
}

static void fully_nested(void)
{
    fresh(0);
    edge(5);
    edge(3);
    window();
    check_eq("3 goes before 5", order[0], PIC_BASE + 3);
    check_eq("5 waits while 3 is in service", norder, 1);
    outb(0x21, 0);
    line(1, true);
    edge(4);
    window();
    check_eq("4 waits, too", norder, 2);
    check_eq("1 interrupts 3", order[1], PIC_BASE + 1);
    check_eq("both in service", isr(0x20), 0x0a);
    line(1, false);
    outb(0x20, EOI);
    check_eq("EOI ends the highest", isr(0x20), 0x08);
    window();
    check_eq("3 still blocks", norder, 2);
    outb(0x20, EOI);
    window();
    check_eq("4 follows", order[2], PIC_BASE + 4);
    outb(0x20, SPECIFIC | 4);
    window();
    check_eq("then 5", order[3], PIC_BASE + 5);
    outb(0x20, SPECIFIC | 3);
    check_eq("specific EOI of another input changes nothing", isr(0x20), 0x20);
    outb(0x20, SPECIFIC | 5);
    check_eq("of its own ends it", isr(0x20), 0);
}

static void rotation(void)
{
    fresh(0);
    edge(3);
    window();
    outb(0x20, ROTATE_EOI);
    forget();
    edge(3);
    edge(4);
    window();
    check_eq("rotate on EOI: 3 is now the lowest", order[0], PIC_BASE + 4);
    outb(0x20, EOI);
    window();
    check_eq("and comes last", order[1], PIC_BASE + 3);
    outb(0x20, EOI);
    outb(0x20, SET_PRIORITY | 5);
    forget();
    edge(5);
    edge(3);
    edge(6);
    window();
    check_eq("set priority 5: 6 is the highest", order[0], PIC_BASE + 6);
    outb(0x20, ROTATE_SPECIFIC | 6);
    check_eq("rotate on specific EOI ends it", isr(0x20), 0);
    window();
    check_eq("then 3", order[1], PIC_BASE + 3);
    outb(0x20, EOI);
    window();
    check_eq("then 5", order[2], PIC_BASE + 5);
    outb(0x20, EOI);
}

static void automatic_eoi(void)
{
    fresh(2);
    edge(5);
    window();
    check_eq("automatic EOI: nothing in service", isr(0x20), 0);
    edge(6);
    window();
    check_eq("a lower one follows at once", order[1], PIC_BASE + 6);
    outb(0x20, 0x80); /* rotate in automatic EOI mode: set */
    edge(3);
    window();
    forget();
    outb(0x21, 0xff);
    edge(3);
    edge(4);
    outb(0x21, 0);
    window();
    check_eq("rotation with automatic EOI", order[0], PIC_BASE + 4);
    check_eq("both came", norder, 2);
    outb(0x20, 0x00);
    edge(7);
    window();
    forget();
    outb(0x21, 0xff);
    edge(7);
    edge(5);
    outb(0x21, 0);
    window();
    check_eq("cleared: the priorities stay", order[0], PIC_BASE + 5);
}

static void special_mask(void)
{
    fresh(0);
    edge(3);
    window();
    edge(5);
    outb(0x21, 0x08);
    window();
    check_eq("masking the one in service does not open the lower ones", norder, 1);
    outb(0x20, SMM_ON);
    window();
    check_eq("special mask mode does", order[1], PIC_BASE + 5);
    outb(0x20, EOI);
    check_eq("EOI skips the masked one", isr(0x20), 0x08);
    outb(0x20, EOI);
    check_eq("which no plain EOI ends", isr(0x20), 0x08);
    outb(0x20, SPECIFIC | 3);
    check_eq("a specific one does", isr(0x20), 0);
    outb(0x20, SMM_OFF);
    outb(0x21, 0);
    edge(3);
    window();
    edge(4);
    outb(0x21, 0x08);
    forget();
    window();
    check_eq("special mask mode is off again", norder, 0);
    outb(0x21, 0);
    outb(0x20, EOI);
    window();
    outb(0x20, EOI);
}

static void cascade(void)
{
    fresh(0);
    outb(0x21, 0);
    outb(0xa1, 0);
    edge(10);
    check_eq("slave request shows at the master's input 2", irr(0x20) & 4, 4);
    window();
    check_eq("vector of the slave", order[0], PIC2_BASE + 2);
    check_eq("master in service", isr(0x20), 4);
    check_eq("slave in service", isr(0xa0), 4);
    edge(9);
    window();
    check_eq("nested: the master blocks a higher slave input", norder, 1);
    edge(3);
    window();
    check_eq("and the master's lower ones", norder, 1);
    outb(0xa0, EOI);
    outb(0x20, EOI);
    window();
    check_eq("slave goes before IRQ 3", order[1], PIC2_BASE + 1);
    outb(0xa0, EOI);
    outb(0x20, EOI);
    window();
    check_eq("IRQ 3 last", order[2], PIC_BASE + 3);
    outb(0x20, EOI);
    outb(0x21, 4);
    edge(10);
    window();
    check_eq("masking input 2 masks the slave", norder, 3);
    outb(0x21, 0);
    window();
    check_eq("until unmasked", norder, 4);
    outb(0xa0, EOI);
    outb(0x20, EOI);
    check_eq("nothing left", isr(0x20) | isr(0xa0), 0);
}

static void special_fully_nested(void)
{
    fresh(0x10);
    outb(0x21, 0);
    outb(0xa1, 0);
    edge(10);
    window();
    edge(9);
    window();
    check_eq("special fully nested: a higher slave input gets through", order[1], PIC2_BASE + 1);
    edge(12);
    window();
    check_eq("a lower one does not", norder, 2);
    edge(3);
    window();
    check_eq("nor the master's lower ones", norder, 2);
    outb(0xa0, EOI);
    check_eq("slave has one left", isr(0xa0), 4);
    outb(0xa0, EOI);
    check_eq("slave is empty", isr(0xa0), 0);
    outb(0x20, EOI);
    window();
    check_eq("12 follows", order[2], PIC2_BASE + 4);
    outb(0xa0, EOI);
    outb(0x20, EOI);
    window();
    outb(0x20, EOI);
}

static void polling(void)
{
    fresh(0);
    check_eq("poll without a request", poll(0x20) & 0x80, 0);
    edge(6);
    edge(4);
    check_eq("poll gives the highest", poll(0x20), 0x84);
    check_eq("and acknowledges it", isr(0x20), 0x10);
    check_eq("a lower one waits", poll(0x20) & 0x80, 0);
    outb(0x20, EOI);
    check_eq("and comes after EOI", poll(0x20), 0x86);
    outb(0x20, EOI);
    window();
    check_eq("nothing interrupted", norder, 0);
    outb(0xa1, 0);
    edge(12);
    check_eq("poll of the slave", poll(0xa0), 0x84);
    check_eq("in service there", isr(0xa0), 0x10);
    check_eq("not at the master", isr(0x20), 0);
    outb(0xa0, EOI);
    outb(0x20, READ_ISR);
    check_eq("reading is as before after a poll", inb(0x20), 0);
}

static void level_lines(void)
{
    fresh(0);
    outb(0x4d0, 0xff);
    outb(0x4d1, 0xff);
    check_eq("ELCR: IRQ 0-2 stay edges", inb(0x4d0), 0xf8);
    check_eq("ELCR: IRQ 8 and 13 stay edges", inb(0x4d1), 0xde);
    outb(0x4d0, 0x20);
    outb(0x4d1, 0);
    line(5, true);
    window();
    check_eq("level: taken", norder, 1);
    check_eq("level: IRR follows the line", irr(0x20), 0x20);
    window();
    check_eq("level: once until EOI", norder, 1);
    outb(0x20, EOI);
    window();
    check_eq("level: again after EOI while high", norder, 2);
    line(5, false);
    check_eq("level: IRR falls with it", irr(0x20), 0);
    outb(0x20, EOI);
    window();
    check_eq("level: not after it fell", norder, 2);
    line(5, true);
    outb(0x20, 0x11);
    outb(0x21, PIC_BASE);
    outb(0x21, 4);
    outb(0x21, 1);
    window();
    check_eq("level: needs no edge after ICW1", norder, 3);
    outb(0x20, EOI);
    line(5, false);
}

void test_pic(void)
{
    about(161);
    initialisation();
    edges();
    fully_nested();
    rotation();
    automatic_eoi();
    special_mask();
    cascade();
    special_fully_nested();
    polling();
    about(162);
    level_lines();
    about(0);
    fresh(0);
    pic_init(0);
}
