/* PCI functions and bus 0: configuration space with write masks, base address registers, interrupt
 * lines.
 *
 * Config bytes are the truth; BAR regions and the interrupt wires are derived from them by
 * update_bars() and update_irq() after every write. The host bridge (i440fx.c) turns CF8h/CFCh into
 * pci_bus_read/write. PCI Local Bus Specification 3.0: 6.1 header, 6.2.5 base addresses, 2.2.6
 * interrupt pins. */
#include "devices/pci.h"

enum { STATUS_INTX = 0x08 }; /* low byte of the status register, bit 3 */

static u32 bar_reg(unsigned n)
{
    return n == PCI_ROM_BAR ? PCI_ROM : PCI_BAR0 + 4 * n;
}

u32 pci_bar_addr(const struct pci_dev *p, unsigned n)
{
    const struct pci_bar *b = &p->bar[n];
    if (!b->region) return 0;
    u16 command = pci_command(p);
    u32 value = ld32(&p->config[bar_reg(n)]);
    u32 mask = ~(u32)(b->region->size - 1);
    if (b->type == PCI_BAR_IO) {
        /* Only 64 KiB of ports exist; an address above them decodes nothing. */
        if (!(command & PCI_CMD_IO) || value >> 16) return 0;
    } else if (!(command & PCI_CMD_MEM)) {
        return 0;
    }
    if (b->type == PCI_BAR_ROM && !(value & 1)) return 0;
    return value & mask;
}

static void update_bar(struct pci_dev *p, unsigned n)
{
    struct region *r = p->bar[n].region;
    if (!r) return;
    u32 addr = pci_bar_addr(p, n);
    bool on = addr != 0 && addr + (r->size - 1) <= r->bus->limit;
    if (on && r->base != addr) {
        bus_enable(r, false);
        bus_move(r, addr);
    }
    if (on != r->enabled) bus_enable(r, on);
}

static void update_bars(struct pci_dev *p)
{
    for (unsigned n = 0; n < PCI_BARS; n++) update_bar(p, n);
}

static bool drives_line(const struct pci_dev *p)
{
    return p->irq_level && !(pci_command(p) & PCI_CMD_INTX_OFF);
}

/* The four wires are wired-or of the functions' lines. */
static void update_irq(struct pci_dev *p)
{
    u8 *status = &p->config[PCI_STATUS];
    *status = p->irq_level ? *status | STATUS_INTX : *status & ~STATUS_INTX;
    if (!p->config[PCI_IRQ_PIN] || !p->bus) return;
    unsigned link = ((p->addr >> 3) + p->config[PCI_IRQ_PIN] - 1) & 3;
    bool level = false;
    for (unsigned i = 0; i < LEN(p->bus->slot) && !level; i++) {
        const struct pci_dev *q = p->bus->slot[i];
        if (!q || !q->config[PCI_IRQ_PIN] || !drives_line(q)) continue;
        level = (((q->addr >> 3) + q->config[PCI_IRQ_PIN] - 1) & 3) == link;
    }
    irq_set(&p->bus->pirq[link], level);
}

void pci_set_irq(struct pci_dev *p, bool level)
{
    if (p->irq_level == level) return;
    p->irq_level = level;
    update_irq(p);
}

int pci_register(struct pci_dev *p, const struct pci_id *id, struct error *e)
{
    if (!p->bus) return error_set(e, "not connected to a PCI bus");
    if (p->addr >= LEN(p->bus->slot)) return error_set(e, "PCI slot 0x%x does not exist", p->addr);
    if (p->bus->slot[p->addr])
        return error_set(e, "PCI slot %02x.%u is taken by %s", p->addr >> 3, p->addr & 7,
                         p->bus->slot[p->addr]->dev.name);
    p->bus->slot[p->addr] = p;
    st16(&p->config[PCI_VENDOR], id->vendor);
    st16(&p->config[PCI_DEVICE], id->device);
    p->config[PCI_REVISION] = id->revision;
    p->config[PCI_CLASS] = (u8)id->class_code;
    p->config[PCI_CLASS + 1] = (u8)(id->class_code >> 8);
    p->config[PCI_CLASS + 2] = (u8)(id->class_code >> 16);
    p->config[PCI_HEADER] = id->multifunction ? 0x80 : 0;
    st16(&p->config[PCI_SUBSYS], id->subsys_vendor);
    st16(&p->config[PCI_SUBSYS + 2], id->subsys_id);
    p->config[PCI_IRQ_PIN] = id->pin;
    /* I/O and memory enables are there without a BAR of that kind, too: VGA functions have fixed
     * ports, and firmware skips a display whose bits do not stick. SERR and parity enables are
     * storage. */
    st16(&p->wmask[PCI_COMMAND],
         PCI_CMD_IO | PCI_CMD_MEM | PCI_CMD_MASTER | 0x0140 | (id->pin ? PCI_CMD_INTX_OFF : 0));
    p->w1c[PCI_STATUS + 1] = 0xf9; /* error bits 8, 11-15: never set here, cleared by writing 1 */
    p->wmask[PCI_CACHE_LINE] = 0xff;
    p->wmask[PCI_LATENCY] = 0xf8;
    p->wmask[PCI_IRQ_LINE] = id->pin ? 0xff : 0;
    return 0;
}

void pci_unregister(struct pci_dev *p)
{
    for (unsigned n = 0; n < PCI_BARS; n++)
        if (p->bar[n].region && p->bar[n].region->bus) bus_unmap(p->bar[n].region);
    if (p->bus && p->addr < LEN(p->bus->slot) && p->bus->slot[p->addr] == p)
        p->bus->slot[p->addr] = NULL;
}

void pci_add_bar(struct pci_dev *p, unsigned n, struct region *r, enum pci_bar_type type)
{
    check(n < PCI_BARS && r->size >= 4 && !(r->size & (r->size - 1)) && r->size <= BIT64(31));
    static const u8 kind[] = { [PCI_BAR_PREFETCH] = 8, [PCI_BAR_IO] = 1, [PCI_BAR_ROM] = 0 };
    u32 mask = ~(u32)(r->size - 1);
    p->bar[n] = (struct pci_bar){ r, type };
    r->no_dma = r->ops != NULL;
    st32(&p->config[bar_reg(n)], kind[type]);
    /* The upper half of an I/O address is writable although nothing decodes above 64 KiB: both ways
     * are legal, and SeaBIOS takes the size from all 32 bits. */
    st32(&p->wmask[bar_reg(n)], type == PCI_BAR_ROM ? mask | 1 : mask);
    /* A priority of its own for each BAR keeps overlaps that a guest programs defined. */
    struct bus *bus = type == PCI_BAR_IO ? p->dev.host->io : p->dev.host->mem;
    int failed = bus_map(bus, 0, r, -1 - (int)(p->addr * PCI_BARS + n), NULL);
    check(!failed);
    bus_enable(r, false);
}

void pci_reset(struct pci_dev *p)
{
    st16(&p->config[PCI_COMMAND], 0);
    p->config[PCI_CACHE_LINE] = p->config[PCI_LATENCY] = p->config[PCI_IRQ_LINE] = 0;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        u8 *value = &p->config[bar_reg(n)];
        if (p->bar[n].region) st32(value, ld32(value) & ~ld32(&p->wmask[bar_reg(n)]));
    }
    p->irq_level = false;
    pci_post_load(p);
}

void pci_post_load(struct pci_dev *p)
{
    update_bars(p);
    update_irq(p);
}

bool pci_dma_read(struct pci_dev *p, u64 gpa, void *buf, u64 len)
{
    if (!(pci_command(p) & PCI_CMD_MASTER)) {
        LOG_GUEST(p->dev.name, "DMA read at %llx with bus mastering off", (unsigned long long)gpa);
        memset(buf, 0xff, len);
        return false;
    }
    dma_read(p->dev.host->mem, gpa, buf, len);
    return true;
}

bool pci_dma_write(struct pci_dev *p, u64 gpa, const void *buf, u64 len)
{
    if (!(pci_command(p) & PCI_CMD_MASTER)) {
        LOG_GUEST(p->dev.name, "DMA write at %llx with bus mastering off", (unsigned long long)gpa);
        return false;
    }
    dma_write(p->dev.host->mem, gpa, buf, len);
    return true;
}

u32 pci_config_read(struct pci_dev *p, unsigned reg, unsigned size)
{
    u32 value = 0xffffffff;
    if (reg < sizeof(p->config) && size <= 4 && reg + size <= sizeof(p->config))
        value = (u32)ld_n(&p->config[reg], size);
    TRACE(pci_cfg_rd, p->addr, reg, value, size);
    return value;
}

void pci_config_write(struct pci_dev *p, unsigned reg, u32 value, unsigned size)
{
    TRACE(pci_cfg_wr, p->addr, reg, value, size);
    if (size > 4 || reg + size > sizeof(p->config)) return;
    for (unsigned i = 0; i < size; i++) {
        u8 byte = (u8)(value >> (8 * i));
        u8 *old = &p->config[reg + i];
        u8 mask = p->wmask[reg + i];
        *old = (u8)(((*old & ~mask) | (byte & mask)) & ~(byte & p->w1c[reg + i]));
    }
    bool bars = reg < PCI_BAR0 + 24 || (reg + size > PCI_ROM && reg < PCI_ROM + 4);
    if (bars) update_bars(p);
    if (reg < PCI_COMMAND + 2 && reg + size > PCI_COMMAND) update_irq(p);
    if (p->ops && p->ops->config_written) p->ops->config_written(p, reg, size);
}

/* The function a CF8h value names, or NULL: disabled, another bus, an empty slot. */
static struct pci_dev *bus_target(struct pci_bus *b, u32 address)
{
    if (!(address & BIT(31)) || (address & 0x00ff0000)) return NULL;
    return b->slot[(address >> 8) & 0xff];
}

u32 pci_bus_read(struct pci_bus *b, u32 address, unsigned offset, unsigned size)
{
    struct pci_dev *p = bus_target(b, address);
    if (!p) return (u32)mask_n(size);
    return pci_config_read(p, (address & 0xfc) + offset, size);
}

void pci_bus_write(struct pci_bus *b, u32 address, unsigned offset, u32 value, unsigned size)
{
    struct pci_dev *p = bus_target(b, address);
    if (p) pci_config_write(p, (address & 0xfc) + offset, value, size);
}

static int pci_bus_init(struct device *d, struct error *e)
{
    (void)d, (void)e;
    return 0;
}

static void pci_bus_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct pci_bus *b = (struct pci_bus *)d;
    for (unsigned i = 0; i < LEN(b->pirq); i++) irq_set(&b->pirq[i], false);
}

static void bar_info(const struct pci_dev *p, struct text *t)
{
    static const char *const kinds[] = { "mem", "prefetch", "io", "rom" };
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *r = &p->bar[n];
        if (!r->region) continue;
        text_add(t, "    bar%u %-8s %08x size %llx%s\n", n, kinds[r->type],
                 ld32(&p->config[bar_reg(n)]), (unsigned long long)r->region->size,
                 r->region->enabled ? "" : " (off)");
    }
}

static void pci_bus_info(struct device *d, struct text *t)
{
    struct pci_bus *b = (struct pci_bus *)d;
    for (unsigned i = 0; i < LEN(b->slot); i++) {
        const struct pci_dev *p = b->slot[i];
        if (!p) continue;
        text_add(
            t, "00:%02x.%u %04x:%04x rev %02x class %02x%02x%02x command %04x irq %u pin %u%s %s\n",
            i >> 3, i & 7, ld16(&p->config[PCI_VENDOR]), ld16(&p->config[PCI_DEVICE]),
            p->config[PCI_REVISION], p->config[PCI_CLASS + 2], p->config[PCI_CLASS + 1],
            p->config[PCI_CLASS], pci_command(p), p->config[PCI_IRQ_LINE], p->config[PCI_IRQ_PIN],
            p->irq_level ? " asserted" : "", p->dev.name);
        bar_info(p, t);
    }
}

static const struct device_wire pci_bus_outputs[] = {
    { "pirq", offsetof(struct pci_bus, pirq), 4 },
    { NULL, 0, 0 },
};

const struct device_class pci_bus_class = {
    .name = "pci_bus",
    .help = "PCI bus 0",
    .size = sizeof(struct pci_bus),
    .version = 1,
    .outputs = pci_bus_outputs,
    .init = pci_bus_init,
    .reset = pci_bus_reset,
    .info = pci_bus_info,
};
