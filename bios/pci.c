/*
 * PCI bus 0: enumeration, address assignment, interrupt routing.
 *
 * Memory BARs go into max(top of low RAM, C0000000h)..FEBFFFFFh, largest first, so that each is
 * naturally aligned without holes; I/O BARs from C000h. Expansion ROM BARs get an address but stay
 * disabled. Interrupt lines follow the PIIX wiring: link = (device + pin) & 3 with INTA = 0, links
 * A-D on IRQ 10, 10, 11, 11 (PIRQRC, PIIX3 datasheet 2.2.6), level-triggered in the ELCR.
 * Left out: bridges. The board has one bus; a bridge found elsewhere is left unconfigured.
 */
#include "bios/pci.h"
#include "bios/state.h"

enum { IO_FIRST = 0xc000, IO_LAST = 0xfeff };
static const u32 window_end = 0xfec00000;
static const u8 link_irq[4] = { 10, 10, 11, 11 };

static u16 select(u16 bdf, u8 reg)
{
    outl(PORT_PCI_ADDR, 0x80000000 | (u32)bdf << 8 | (reg & 0xfc));
    return PORT_PCI_DATA + (reg & 3);
}

u32 pci_read32(u16 bdf, u8 reg) { return inl(select(bdf, reg)); }
u16 pci_read16(u16 bdf, u8 reg) { return inw(select(bdf, reg)); }
u8 pci_read8(u16 bdf, u8 reg) { return inb(select(bdf, reg)); }
void pci_write32(u16 bdf, u8 reg, u32 v) { outl(select(bdf, reg), v); }
void pci_write16(u16 bdf, u8 reg, u16 v) { outw(select(bdf, reg), v); }
void pci_write8(u16 bdf, u8 reg, u8 v) { outb(select(bdf, reg), v); }

static int present(u16 bdf)
{
    u16 vendor = pci_read16(bdf, PCI_VENDOR);
    return vendor != 0xffff && vendor != 0;
}

u16 pci_next(u16 bdf)
{
    u32 next = bdf == PCI_NONE ? 0 : bdf + 1u;
    for (; next < 256; next++) {
        if (next & 7) {
            u16 first = next & ~7u;
            if (!present(first) || !(pci_read8(first, PCI_HEADER) & 0x80)) {
                next |= 7;
                continue;
            }
        }
        if (present(next)) return next;
    }
    return PCI_NONE;
}

u16 pci_find(u16 vendor, u16 device)
{
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE)
        if (pci_read32(f, PCI_VENDOR) == ((u32)device << 16 | vendor)) break;
    return f;
}

u8 pci_irq(u16 bdf)
{
    u8 pin = pci_read8(bdf, PCI_PIN);
    if (pin == 0 || pin > 4) return 0;
    return link_irq[((bdf >> 3) + pin - 1) & 3];
}

/* ------------------------------------------------------------------ BARs */

struct bar {
    u32 size;
    u16 bdf;
    u8 reg;
    u8 is_io, is_64;
};

enum { MAX_BARS = 96 };

struct bar_list {
    struct bar bar[MAX_BARS];
    u32 count;
};

static void add_bar(struct bar_list *l, u16 bdf, u8 reg, u32 mask, u8 is_io, u8 is_64)
{
    if (mask == 0 || l->count == MAX_BARS) return;
    if (is_io) mask |= 0xffff0000;
    u32 size = -mask;
    u32 i = l->count++;
    for (; i > 0 && l->bar[i - 1].size < size; i--) l->bar[i] = l->bar[i - 1];
    l->bar[i] = (struct bar){ size, bdf, reg, is_io, is_64 };
}

static void size_bars(struct bar_list *l, u16 bdf)
{
    u32 last = (pci_read8(bdf, PCI_HEADER) & 0x7f) == 0 ? 0x24 : 0;
    pci_write16(bdf, PCI_COMMAND, pci_read16(bdf, PCI_COMMAND) & ~(CMD_IO | CMD_MEM));
    for (u32 reg = PCI_BAR0; reg <= last; reg += 4) {
        u32 old = pci_read32(bdf, reg);
        pci_write32(bdf, reg, 0xffffffff);
        u32 mask = pci_read32(bdf, reg);
        pci_write32(bdf, reg, old);
        if (mask == 0 || mask == 0xffffffff) continue;
        if (mask & 1) {
            add_bar(l, bdf, reg, mask & 0xfffc, 1, 0);
            continue;
        }
        u8 is_64 = (mask & 6) == 4;
        add_bar(l, bdf, reg, mask & ~15u, 0, is_64);
        if (is_64) reg += 4;
    }
    if (!last) return;
    pci_write32(bdf, PCI_ROM, 0xfffff800);
    u32 mask = pci_read32(bdf, PCI_ROM) & 0xfffff800;
    pci_write32(bdf, PCI_ROM, 0);
    add_bar(l, bdf, PCI_ROM, mask, 0, 0);
}

static void place_bars(const struct bar_list *l)
{
    u32 mem = bs.low_top > 0xc0000000 ? bs.low_top : 0xc0000000;
    u32 io = IO_FIRST;
    for (u32 i = 0; i < l->count; i++) {
        const struct bar *b = &l->bar[i];
        u32 *next = b->is_io ? &io : &mem;
        u32 end = b->is_io ? IO_LAST + 1 : window_end;
        u32 at = (*next + b->size - 1) & -b->size;
        if (at < *next || at >= end || b->size > end - at) {
            debug("no room for BAR %02x of %02x:%x\n", b->reg, b->bdf >> 3, b->bdf & 7);
            continue;
        }
        pci_write32(b->bdf, b->reg, at);
        if (b->is_64) pci_write32(b->bdf, b->reg + 4, 0);
        *next = at + b->size;
    }
}

/* Decode and mastering on for what we and the loaders use: storage, display, bridges' children. */
static void enable(u16 bdf)
{
    u16 class = pci_read16(bdf, PCI_CLASS);
    u16 bits = CMD_IO | CMD_MEM;
    if (class >> 8 == 0x01) bits |= CMD_MASTER;
    if (class >> 8 == 0x06) bits |= CMD_MASTER;
    pci_write16(bdf, PCI_COMMAND, pci_read16(bdf, PCI_COMMAND) | bits);
}

static void route_interrupts(u16 isa)
{
    for (u32 i = 0; i < 4 && isa != PCI_NONE; i++) pci_write8(isa, 0x60 + i, link_irq[i]);
    outb(0x4d0, 0x20);              /* level: 5; 9, 10, 11 */
    outb(0x4d1, 0x0e);
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        u8 irq = pci_irq(f);
        if (irq) pci_write8(f, PCI_LINE, irq);
    }
}

/* ACPI registers at 600h (PIIX4 datasheet 7.1: base at 40h, enable at 80h), SCI on IRQ 9. */
static void init_power(u16 pm)
{
    if (pm == PCI_NONE) return;
    pci_write32(pm, 0x40, 0x600 | 1);
    pci_write8(pm, 0x80, 1);
    pci_write32(pm, 0x90, 0x700 | 1);
    pci_write8(pm, 0xd2, 0x09);
    pci_write8(pm, PCI_LINE, 9);
    bs.pm_base = 0x600;
}

void pci_init(void)
{
    struct bar_list list;
    list.count = 0;
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) size_bars(&list, f);
    place_bars(&list);
    f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) enable(f);

    u16 isa = pci_find(0x8086, 0x7000);
    if (isa == PCI_NONE) isa = pci_find(0x8086, 0x7110);
    route_interrupts(isa);
    init_power(pci_find(0x8086, 0x7113));
}
