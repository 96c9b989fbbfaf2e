/* Test device for bare-metal test kernels (kvm-unit-tests call it pc-testdev); the board makes it
 * only on request (--set testdev=on).
 *
 * Ports E0h-E7h are eight bytes that read back what was written, at any width. A write that reaches
 * E4h also takes the 4 KiB page whose physical address E4h-E7h hold off the map and puts it back,
 * contents unchanged: every cached translation and every decoded instruction of it is dropped,
 * which is what a hypervisor's host does to a guest page behind its back.
 *
 * Writes to port 2000h+n drive line n: any value but 0 is high. Lines 0-15 are ISA interrupts, at
 * the 8259 pair and the I/O APIC alike (2, the cascade, goes nowhere), 16-23 the further inputs of
 * the I/O APIC. Reads give the level. FF000000h-FF00FFFFh are 64 KiB of registers that keep what is
 * written: memory to look at, but reached like a chip, access by access. */
#include "machine/core/device.h"

enum { PORTS = 8, LINES = 24, WINDOW = 64 * KIB, REG_PAGE = 4 };

struct testdev {
    struct device dev;
    struct irq line[LINES];
    u32 levels;
    u8 reg[PORTS];
    u8 window[WINDOW];
    struct region ports, line_ports, mmio;
};

extern const struct device_class testdev_class;

/* Nothing here maps single pages: our window leaves the bus and comes back, which makes every CPU
 * look its translations up anew, and the page counts as written, which drops what was decoded. */
static void flush_page(struct testdev *t)
{
    u64 page = ld32(&t->reg[REG_PAGE]) & ~0xfffull;
    bus_enable(&t->mmio, false);
    bus_enable(&t->mmio, true);
    if (dma_map(t->dev.host->mem, page, 4096, true)) dma_written(t->dev.host->mem, page, 4096);
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    return ld_n(&((struct testdev *)opaque)->reg[offset], MIN(size, PORTS - offset));
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct testdev *t = opaque;
    st_n(&t->reg[offset], value, MIN(size, PORTS - offset));
    if (offset <= REG_PAGE && offset + size > REG_PAGE) flush_page(t);
}

static u64 rd_line(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return ((struct testdev *)opaque)->levels >> offset & 1;
}

static void wr_line(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct testdev *t = opaque;
    bool level = value & mask_n(size);
    t->levels = level ? t->levels | BIT(offset) : t->levels & ~BIT(offset);
    irq_set(&t->line[offset], level);
}

static u64 rd_mmio(void *opaque, u64 offset, unsigned size)
{
    return ld_n(&((struct testdev *)opaque)->window[offset], MIN(size, WINDOW - offset));
}

static void wr_mmio(void *opaque, u64 offset, u64 value, unsigned size)
{
    st_n(&((struct testdev *)opaque)->window[offset], value, MIN(size, WINDOW - offset));
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 4 };
static const struct io_ops line_ops = { rd_line, wr_line, 1, 4 };
static const struct io_ops mmio_ops = { rd_mmio, wr_mmio, 1, 8 };

static int testdev_init(struct device *d, struct error *e)
{
    struct testdev *t = (struct testdev *)d;
    region_init_io(&t->ports, "testdev", PORTS, &port_ops, t);
    region_init_io(&t->line_ports, "testdev-lines", LINES, &line_ops, t);
    region_init_io(&t->mmio, "testdev-window", WINDOW, &mmio_ops, t);
    if (bus_map(d->host->io, 0xe0, &t->ports, 0, e)) return -1;
    if (bus_map(d->host->io, 0x2000, &t->line_ports, 0, e)) return -1;
    return bus_map(d->host->mem, 0xff000000, &t->mmio, 0, e);
}

static void testdev_reset(struct device *d, enum reset_kind kind)
{
    struct testdev *t = (struct testdev *)d;
    (void)kind;
    memset(t->reg, 0, sizeof(t->reg));
    memset(t->window, 0, sizeof(t->window));
    t->levels = 0;
    for (unsigned n = 0; n < LINES; n++) irq_set(&t->line[n], false);
}

static void testdev_post_load(struct device *d, u32 version)
{
    struct testdev *t = (struct testdev *)d;
    (void)version;
    for (unsigned n = 0; n < LINES; n++) irq_set(&t->line[n], t->levels >> n & 1);
}

static void testdev_info(struct device *d, struct text *t)
{
    const struct testdev *s = (const struct testdev *)d;
    text_add(t, "lines %06x, E0h-E3h %08x, E4h-E7h %08x\n", s->levels, ld32(&s->reg[0]),
             ld32(&s->reg[REG_PAGE]));
}

static void testdev_fini(struct device *d)
{
    struct testdev *t = (struct testdev *)d;
    region_fini(&t->ports);
    region_fini(&t->line_ports);
    region_fini(&t->mmio);
}

static const struct device_field testdev_fields[] = {
    FIELD(struct testdev, levels),
    FIELD_ARRAY(struct testdev, reg),
    FIELD_ARRAY(struct testdev, window),
    { 0 },
};
static const struct device_wire testdev_outputs[] = {
    { "line", offsetof(struct testdev, line), LINES },
    { 0 },
};

const struct device_class testdev_class = {
    .name = "testdev",
    .help = "test device: registers E0h-E7h, interrupt lines 2000h-2017h, window FF000000h",
    .size = sizeof(struct testdev),
    .version = 1,
    .fields = testdev_fields,
    .outputs = testdev_outputs,
    .init = testdev_init,
    .reset = testdev_reset,
    .post_load = testdev_post_load,
    .info = testdev_info,
    .fini = testdev_fini,
};
