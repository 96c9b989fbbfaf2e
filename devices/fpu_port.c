/* Ports F0h/F1h and the latch behind IRQ 13: how a PC reports x87 errors while CR0.NE is 0 (82371SB
 * section 2.6).
 *
 * Input pin 0 is the processor's FERR# (high here = asserted). Its rising edge raises "irq13"; a
 * write to F0h or F1h lowers it and raises "ignne" until FERR# goes away, so that the handler can
 * execute waiting x87 instructions. Reads give FFh. */
#include "machine/core/device.h"

struct fpu_port {
    struct device dev;
    struct irq irq13, ignne;
    bool ferr, irq_latched, ignore;
    struct region ports;
};

extern const struct device_class fpu_port_class;

static void update_irq(struct fpu_port *p)
{
    irq_set(&p->ignne, p->ignore);
    irq_set(&p->irq13, p->irq_latched);
}

static void set_ferr(void *opaque, int pin, bool level)
{
    struct fpu_port *p = opaque;
    if (pin != 0 || p->ferr == level) return;
    p->ferr = level;
    if (level) {
        p->irq_latched = true;
    } else {
        p->ignore = false;
    }
    update_irq(p);
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    (void)size;
    return 0xff;
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct fpu_port *p = opaque;
    (void)offset;
    (void)value;
    (void)size;
    p->irq_latched = false;
    p->ignore = p->ferr;
    update_irq(p);
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

static int fpu_port_init(struct device *d, struct error *e)
{
    struct fpu_port *p = (struct fpu_port *)d;
    region_init_io(&p->ports, "fpu", 2, &port_ops, p);
    return bus_map(d->host->io, 0xf0, &p->ports, 0, e);
}

static void fpu_port_reset(struct device *d, enum reset_kind kind)
{
    struct fpu_port *p = (struct fpu_port *)d;
    (void)kind;
    p->irq_latched = p->ignore = false;
    update_irq(p);
}

static void fpu_port_post_load(struct device *d, u32 version)
{
    (void)version;
    update_irq((struct fpu_port *)d);
}

static void fpu_port_fini(struct device *d)
{
    region_fini(&((struct fpu_port *)d)->ports);
}

static const struct device_field fpu_port_fields[] = {
    FIELD(struct fpu_port, ferr),
    FIELD(struct fpu_port, irq_latched),
    FIELD(struct fpu_port, ignore),
    { 0 },
};
static const struct device_wire fpu_port_outputs[] = {
    { "irq13", offsetof(struct fpu_port, irq13), 1 },
    { "ignne", offsetof(struct fpu_port, ignne), 1 },
    { 0 },
};

const struct device_class fpu_port_class = {
    .name = "fpu_port",
    .help = "x87 error latch, ports F0h-F1h and IRQ 13",
    .size = sizeof(struct fpu_port),
    .version = 1,
    .fields = fpu_port_fields,
    .outputs = fpu_port_outputs,
    .init = fpu_port_init,
    .reset = fpu_port_reset,
    .post_load = fpu_port_post_load,
    .input = set_ferr,
    .fini = fpu_port_fini,
};
