/* Port 92h, the fast A20 gate and reset (82371SB has none; every later PC does, and so do its
 * guests).
 *
 * Bit 1 is the level of the A20 gate, shared with the keyboard controller; a 0 to 1 step of bit 0
 * resets the processor. Other bits are storage without effect. */
#include "machine/core/device.h"

enum { FAST_RESET = 0x01, A20 = 0x02 };

struct port92 {
    struct device dev;
    u8 value; /* without the A20 bit, which the machine keeps */
    struct region port;
};

extern const struct device_class port92_class;

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    struct port92 *p = opaque;
    struct host_if *h = p->dev.host;
    (void)offset;
    (void)size;
    return p->value | (h->a20_get(h->machine) ? A20 : 0);
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct port92 *p = opaque;
    struct host_if *h = p->dev.host;
    bool reset = (value & FAST_RESET) && !(p->value & FAST_RESET);
    (void)offset;
    (void)size;
    p->value = value & ~A20;
    h->a20_set(h->machine, value & A20);
    if (reset) h->request(h->machine, REQ_RESET, RESET_WARM, "port 92h fast reset");
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

static int port92_init(struct device *d, struct error *e)
{
    struct port92 *p = (struct port92 *)d;
    region_init_io(&p->port, "port92", 1, &port_ops, p);
    return bus_map(d->host->io, 0x92, &p->port, 0, e);
}

static void port92_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    ((struct port92 *)d)->value = 0;
}

static void port92_fini(struct device *d)
{
    region_fini(&((struct port92 *)d)->port);
}

static const struct device_field port92_fields[] = { FIELD(struct port92, value), { 0 } };

const struct device_class port92_class = {
    .name = "port92",
    .help = "fast A20 and reset port 92h",
    .size = sizeof(struct port92),
    .version = 1,
    .fields = port92_fields,
    .init = port92_init,
    .reset = port92_reset,
    .fini = port92_fini,
};
