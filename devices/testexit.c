/* Test-exit port, F4h by default: a bare-metal program ends the emulator by writing a code to it.
 * The process ends with status (code << 1) | 1 (the run loop computes that from the request's
 * argument). Reads give 0, so a program can tell the port from an empty one. 4 ports wide, any
 * access width. */
#include "machine/core/device.h"

struct testexit {
    struct device dev;
    u32 base;
    struct region port;
};

extern const struct device_class testexit_class;

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    (void)size;
    return 0;
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct testexit *p = opaque;
    struct host_if *h = p->dev.host;
    (void)offset;
    (void)size;
    h->request(h->machine, REQ_EXIT, (int)(value & 0x7f), "test-exit port");
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 4 };

static int testexit_init(struct device *d, struct error *e)
{
    struct testexit *p = (struct testexit *)d;
    region_init_io(&p->port, "testexit", 4, &port_ops, p);
    return bus_map(d->host->io, p->base, &p->port, 0, e);
}

static void testexit_fini(struct device *d)
{
    region_fini(&((struct testexit *)d)->port);
}

static const struct device_option testexit_options[] = {
    { "port", OPT_U32, offsetof(struct testexit, base), "0xf4", "first of four I/O ports" },
    { 0 },
};

const struct device_class testexit_class = {
    .name = "testexit",
    .help = "port whose write ends the emulator",
    .size = sizeof(struct testexit),
    .version = 1,
    .options = testexit_options,
    .init = testexit_init,
    .fini = testexit_fini,
};
