/* Two cascaded 8259A interrupt controllers as the PIIX integrates them (Intel 8259A datasheet;
 * 82371SB section 2.5 for the ELCR).
 *
 * Ports 20h-21h master, A0h-A1h slave, 4D0h-4D1h edge/level control. Input pins 0-15 are the ISA
 * IRQ lines (2 is the cascade and is ignored), the output "intr" goes to the CPU, which answers
 * with i8259_intack().
 *
 * Registers are the truth: an edge latch per input, the input levels and the ELCR give the
 * requests; the slave's request is the master's input 2. As on the chip a request disappears when
 * its line falls before the acknowledge; the acknowledge then yields IR7 without an in-service bit.
 *
 * Left out because the PIIX has no such modes: the MCS-80 call sequence, buffered mode, LTIM (the
 * ELCR replaces it) and a cascade on another input than 2. */
#include "devices/i8259.h"

enum { CASCADE = 2, SPURIOUS = 7 };
enum { ICW1_INIT = 0x10, ICW1_SINGLE = 0x02, ICW1_NEEDS_ICW4 = 0x01 };
enum { ICW4_AEOI = 0x02, ICW4_SFNM = 0x10 };
enum {
    OCW3 = 0x08,
    OCW3_POLL = 0x04,
    OCW3_READ = 0x02,
    OCW3_READ_ISR = 0x01,
    OCW3_SMM_SET = 0x40,
    OCW3_SMM = 0x20
};

struct chip {
    u8 edge;  /* rising edges not yet acknowledged */
    u8 lines; /* input levels */
    u8 elcr;  /* 1: input is level-triggered */
    u8 imr, isr;
    u8 base;       /* vector of input 0 */
    u8 lowest;     /* input with the lowest priority, 7 unless rotated */
    u8 icw1, icw4; /* as written */
    u8 icw_step;   /* next ICW expected at the odd port, 0 when initialised */
    bool special_mask, rotate_on_aeoi, read_isr, poll;
};

struct pic {
    struct device dev;
    struct irq intr;
    struct chip chip[2];
    struct region ports[2], elcr_ports;
};

static u8 requests(const struct pic *p, int n);

/* Distance from the highest priority of the highest bit in `set`, 8 when it is empty. */
static int rank(const struct chip *c, u8 set)
{
    for (int i = 0; i < 8; i++) {
        if (set & BIT((c->lowest + 1 + i) & 7)) return i;
    }
    return 8;
}

/* The input that the chip would have acknowledged now, or -1. */
static int pending(const struct pic *p, int n)
{
    const struct chip *c = &p->chip[n];
    if (c->icw_step) return -1;
    u8 blocking = c->isr;
    if (c->special_mask) blocking &= ~c->imr;
    int r = rank(c, requests(p, n) & ~c->imr), limit = rank(c, blocking);
    int input = (c->lowest + 1 + r) & 7;
    /* Special fully nested: the slave in service may ask again; what ranks below it may not. */
    if (n == 0 && (c->icw4 & ICW4_SFNM) && input == CASCADE && r < 8) limit++;
    return r < limit && r < 8 ? input : -1;
}

static u8 requests(const struct pic *p, int n)
{
    const struct chip *c = &p->chip[n];
    u8 r = (c->edge & ~c->elcr) | (c->lines & c->elcr);
    if (n == 0) {
        r &= ~BIT(CASCADE);
        if (pending(p, 1) >= 0) r |= BIT(CASCADE);
    }
    return r;
}

static void update_irq(struct pic *p)
{
    irq_set(&p->intr, pending(p, 0) >= 0);
}

static void acknowledge(struct chip *c, int input)
{
    c->edge &= ~BIT(input);
    if (!(c->icw4 & ICW4_AEOI)) {
        c->isr |= BIT(input);
    } else if (c->rotate_on_aeoi) {
        c->lowest = input;
    }
}

int i8259_intack(struct device *d)
{
    struct pic *p = (struct pic *)d;
    int input = pending(p, 0);
    int vector = p->chip[0].base + SPURIOUS;
    if (input == CASCADE) {
        int slave = pending(p, 1);
        acknowledge(&p->chip[0], CASCADE);
        vector = p->chip[1].base + (slave < 0 ? SPURIOUS : slave);
        if (slave >= 0) acknowledge(&p->chip[1], slave);
    } else if (input >= 0) {
        vector = p->chip[0].base + input;
        acknowledge(&p->chip[0], input);
    }
    update_irq(p);
    return vector;
}

static void set_line(void *opaque, int pin, bool level)
{
    struct pic *p = opaque;
    if (pin < 0 || pin > 15 || pin == CASCADE) return;
    struct chip *c = &p->chip[pin >> 3];
    u8 bit = BIT(pin & 7);
    if (((c->lines & bit) != 0) == level) return;
    TRACE(irq_pic, pin, level, 0, 0);
    if (level) {
        c->lines |= bit;
        c->edge |= bit;
    } else {
        c->lines &= ~bit;
        c->edge &= ~bit;
    }
    update_irq(p);
}

static void wr_icw1(struct chip *c, u8 v)
{
    c->edge = c->imr = c->isr = 0;
    c->lowest = 7;
    c->special_mask = c->rotate_on_aeoi = c->read_isr = c->poll = false;
    c->icw1 = v;
    c->icw4 = 0;
    c->icw_step = 2;
}

/* ICW2, then ICW3 unless single, then ICW4 if announced. */
static void wr_icw(struct chip *c, u8 v)
{
    switch (c->icw_step) {
    case 2:
        c->base = v & 0xf8;
        c->icw_step = c->icw1 & ICW1_SINGLE ? 4 : 3;
        break;
    case 3: /* the cascade is wired; the value changes nothing */ c->icw_step = 4; break;
    case 4:
        c->icw4 = v;
        c->icw_step = 0;
        return;
    }
    if (c->icw_step == 4 && !(c->icw1 & ICW1_NEEDS_ICW4)) c->icw_step = 0;
}

/* OCW2: bits 7-5 rotate, specific, EOI; bits 2-0 the level for the specific forms. */
static void wr_ocw2(struct chip *c, u8 v)
{
    u8 blocking = c->special_mask ? c->isr & ~c->imr : c->isr;
    int level = v & 7;
    if (!(v & 0x40)) {
        int r = rank(c, blocking);
        level = r < 8 ? (c->lowest + 1 + r) & 7 : -1;
    }
    switch (v >> 5) {
    case 0:
    case 4: c->rotate_on_aeoi = v & 0x80; break;
    case 1:
    case 3:
        if (level >= 0) c->isr &= ~BIT(level);
        break;
    case 5:
    case 7:
        if (level < 0) break;
        c->isr &= ~BIT(level);
        c->lowest = level;
        break;
    case 6: c->lowest = level; break;
    }
}

static void wr_ocw3(struct chip *c, u8 v)
{
    if (v & OCW3_SMM_SET) c->special_mask = v & OCW3_SMM;
    c->poll = v & OCW3_POLL;
    if (!c->poll && (v & OCW3_READ)) c->read_isr = v & OCW3_READ_ISR;
}

static void wr_chip(struct pic *p, int n, u64 offset, u8 v)
{
    struct chip *c = &p->chip[n];
    TRACE(pic_wr, (n ? 0xa0 : 0x20) + offset, v, 0, 0);
    if (offset == 0) {
        if (v & ICW1_INIT) {
            wr_icw1(c, v);
        } else if (v & OCW3) {
            wr_ocw3(c, v);
        } else {
            wr_ocw2(c, v);
        }
    } else if (c->icw_step) {
        wr_icw(c, v);
    } else {
        c->imr = v;
    }
    update_irq(p);
}

/* A read after the poll command is an acknowledge of this chip alone. */
static u8 rd_poll(struct pic *p, int n)
{
    int input = pending(p, n);
    p->chip[n].poll = false;
    if (input < 0) return 0;
    acknowledge(&p->chip[n], input);
    update_irq(p);
    return 0x80 | input;
}

static u8 rd_chip(struct pic *p, int n, u64 offset)
{
    const struct chip *c = &p->chip[n];
    if (c->poll) return rd_poll(p, n);
    if (offset) return c->imr;
    return c->read_isr ? c->isr : requests(p, n);
}

static u64 rd_master(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_chip(opaque, 0, offset);
}

static void wr_master(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    wr_chip(opaque, 0, offset, value);
}

static u64 rd_slave(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_chip(opaque, 1, offset);
}

static void wr_slave(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    wr_chip(opaque, 1, offset, value);
}

static u64 rd_elcr(void *opaque, u64 offset, unsigned size)
{
    struct pic *p = opaque;
    (void)size;
    return p->chip[offset & 1].elcr;
}

static void wr_elcr(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pic *p = opaque;
    (void)size;
    TRACE(pic_wr, 0x4d0 + offset, value, 0, 0);
    /* IRQ 0, 1, 2, 8 and 13 are always edge-triggered. */
    p->chip[offset & 1].elcr = value & (offset & 1 ? 0xde : 0xf8);
    update_irq(p);
}

static const struct io_ops chip_ops[2] = {
    { rd_master, wr_master, 1, 1 },
    { rd_slave, wr_slave, 1, 1 },
};
static const struct io_ops elcr_ops = { rd_elcr, wr_elcr, 1, 1 };

static int pic_init(struct device *d, struct error *e)
{
    struct pic *p = (struct pic *)d;
    region_init_io(&p->ports[0], "pic-master", 2, &chip_ops[0], p);
    region_init_io(&p->ports[1], "pic-slave", 2, &chip_ops[1], p);
    region_init_io(&p->elcr_ports, "elcr", 2, &elcr_ops, p);
    if (bus_map(d->host->io, 0x20, &p->ports[0], 0, e)) return -1;
    if (bus_map(d->host->io, 0xa0, &p->ports[1], 0, e)) return -1;
    return bus_map(d->host->io, 0x4d0, &p->elcr_ports, 0, e);
}

/* The data sheet leaves the state before ICW1 open. Here everything is masked, so that a program
 * which never heard of the chip may enable interrupts. */
static void pic_reset(struct device *d, enum reset_kind kind)
{
    struct pic *p = (struct pic *)d;
    (void)kind;
    for (int n = 0; n < 2; n++) {
        u8 lines = p->chip[n].lines; /* the wires are not ours to reset */
        p->chip[n] = (struct chip){ .lines = lines, .lowest = 7, .imr = 0xff };
    }
    update_irq(p);
}

static void pic_post_load(struct device *d, u32 version)
{
    (void)version;
    update_irq((struct pic *)d);
}

static void pic_info(struct device *d, struct text *t)
{
    struct pic *p = (struct pic *)d;
    for (int n = 0; n < 2; n++) {
        const struct chip *c = &p->chip[n];
        text_add(
            t, "%s: base %02x irr %02x imr %02x isr %02x lines %02x elcr %02x lowest %d%s%s%s%s\n",
            n ? "slave " : "master", c->base, requests(p, n), c->imr, c->isr, c->lines, c->elcr,
            c->lowest, c->special_mask ? " special-mask" : "", c->icw4 & ICW4_AEOI ? " aeoi" : "",
            c->icw4 & ICW4_SFNM ? " sfnm" : "", c->icw_step ? " initialising" : "");
    }
}

static void pic_fini(struct device *d)
{
    struct pic *p = (struct pic *)d;
    region_fini(&p->ports[0]);
    region_fini(&p->ports[1]);
    region_fini(&p->elcr_ports);
}

/* clang-format off */
#define CHIP_FIELDS(n)                                                                             \
    FIELD(struct pic, chip[n].edge), FIELD(struct pic, chip[n].lines), FIELD(struct pic, chip[n].elcr), \
    FIELD(struct pic, chip[n].imr), FIELD(struct pic, chip[n].isr), FIELD(struct pic, chip[n].base), \
    FIELD(struct pic, chip[n].lowest), FIELD(struct pic, chip[n].icw1), FIELD(struct pic, chip[n].icw4), \
    FIELD(struct pic, chip[n].icw_step), FIELD(struct pic, chip[n].special_mask), \
    FIELD(struct pic, chip[n].rotate_on_aeoi), FIELD(struct pic, chip[n].read_isr), FIELD(struct pic, chip[n].poll)
/* clang-format on */
bool i8259_edge_pending(const struct device *d, int irq)
{
    const struct chip *c = &((const struct pic *)d)->chip[irq >> 3 & 1];
    return c->edge & ~c->imr & BIT(irq & 7);
}

static const struct device_field pic_fields[] = { CHIP_FIELDS(0), CHIP_FIELDS(1), { 0 } };
static const struct device_wire pic_outputs[] = { { "intr", offsetof(struct pic, intr), 1 },
                                                  { 0 } };

const struct device_class pic_class = {
    .name = "pic",
    .help = "pair of 8259A interrupt controllers with ELCR",
    .size = sizeof(struct pic),
    .version = 1,
    .fields = pic_fields,
    .outputs = pic_outputs,
    .init = pic_init,
    .reset = pic_reset,
    .post_load = pic_post_load,
    .input = set_line,
    .info = pic_info,
    .fini = pic_fini,
};
