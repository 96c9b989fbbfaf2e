/* POST code latch, port 80h: firmware writes progress codes, everybody else uses it as a delay.
 * Reads give back the last byte. The last codes are kept for `info post0` and each is a trace event
 * (post_code). */
#include "machine/core/device.h"

struct port80 {
    struct device dev;
    u8 value;
    u8 history[16]; /* ring of the codes that differed from the one before */
    u32 count;
    struct region port;
};

extern const struct device_class port80_class;

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    (void)offset;
    (void)size;
    return ((struct port80 *)opaque)->value;
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct port80 *p = opaque;
    (void)offset;
    (void)size;
    TRACE(post_code, value, 0, 0, 0);
    if (p->count && p->value == (u8)value) return;
    p->value = value;
    p->history[p->count++ % LEN(p->history)] = value;
    LOG(LOG_DEBUG, p->dev.name, "POST code %02x", p->value);
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

static int port80_init(struct device *d, struct error *e)
{
    struct port80 *p = (struct port80 *)d;
    region_init_io(&p->port, "port80", 1, &port_ops, p);
    return bus_map(d->host->io, 0x80, &p->port, 0, e);
}

static void port80_reset(struct device *d, enum reset_kind kind)
{
    struct port80 *p = (struct port80 *)d;
    (void)kind;
    p->value = 0;
    p->count = 0;
}

static void port80_info(struct device *d, struct text *t)
{
    struct port80 *p = (struct port80 *)d;
    u32 n = MIN(p->count, (u32)LEN(p->history));
    text_add(t, "POST code %02x, before:", p->value);
    for (u32 i = 0; i < n; i++)
        text_add(t, " %02x", p->history[(p->count - n + i) % LEN(p->history)]);
    text_add(t, "\n");
}

static void port80_fini(struct device *d)
{
    region_fini(&((struct port80 *)d)->port);
}

static const struct device_field port80_fields[] = {
    FIELD(struct port80, value),
    FIELD_ARRAY(struct port80, history),
    FIELD(struct port80, count),
    { 0 },
};

const struct device_class port80_class = {
    .name = "port80",
    .help = "POST code latch at port 80h",
    .size = sizeof(struct port80),
    .version = 1,
    .fields = port80_fields,
    .init = port80_init,
    .reset = port80_reset,
    .info = port80_info,
    .fini = port80_fini,
};
