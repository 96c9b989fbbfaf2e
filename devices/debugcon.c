/* Debug console: a byte written to port E9h goes to the character backend, or line by line to the
 * log (level info, component = the instance's name) when there is none. A read gives E9h, at
 * whatever port it sits (firmware likes 402h): that is how it is found. */
#include "machine/core/device.h"
#include "machine/host/chardev.h"

struct debugcon {
    struct device dev;
    u32 base;
    struct chardev *chr;
    char line[160];
    u32 len;
    struct region port;
};

extern const struct device_class debugcon_class;

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0xe9;
}

static void to_log(struct debugcon *p, char ch)
{
    if (ch != '\n' && ch != '\r') p->line[p->len++] = ch >= ' ' && ch < 127 ? ch : '.';
    if ((ch != '\n' || !p->len) && p->len < sizeof(p->line) - 1) return;
    p->line[p->len] = 0;
    p->len = 0;
    LOG(LOG_INFO, p->dev.name, "%s", p->line);
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct debugcon *p = opaque;
    u8 byte = value;
    (void)offset;
    (void)size;
    if (p->chr) {
        chardev_write(p->chr, &byte, 1);
    } else {
        to_log(p, byte);
    }
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

static int debugcon_init(struct device *d, struct error *e)
{
    struct debugcon *p = (struct debugcon *)d;
    region_init_io(&p->port, "debugcon", 1, &port_ops, p);
    return bus_map(d->host->io, p->base, &p->port, 0, e);
}

static void debugcon_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    ((struct debugcon *)d)->len = 0;
}

static void debugcon_fini(struct device *d)
{
    region_fini(&((struct debugcon *)d)->port);
}

static const struct device_option debugcon_options[] = {
    { "port", OPT_U32, offsetof(struct debugcon, base), "0xe9", "I/O port" },
    { "chardev", OPT_PTR, offsetof(struct debugcon, chr), NULL,
      "where the bytes go; none: the log" },
    { 0 },
};

const struct device_class debugcon_class = {
    .name = "debugcon",
    .help = "debug console port E9h",
    .size = sizeof(struct debugcon),
    .version = 1,
    .options = debugcon_options,
    .init = debugcon_init,
    .reset = debugcon_reset,
    .fini = debugcon_fini,
};
