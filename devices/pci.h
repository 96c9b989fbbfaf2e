/* PCI: what every function on bus 0 stands on. A function's struct starts with struct pci_dev
 * (which starts with struct device); its class takes PCI_OPTIONS and PCI_FIELDS into its tables.
 *
 *   init:   if (pci_register(p, &identity, e)) return -1;      identity row, slot from option
 * "addr" pci_add_bar(p, 0, &dev->mmio, PCI_BAR_MEM);        an ordinary region, size a power of two
 *           p->wmask[0x40] = 0x80;                             further writable config bits
 *   reset:  pci_reset(p);  then the function's own config registers, by p->config[]
 *   run:    pci_set_irq(p, level);  pci_dma_read(p, gpa, buf, len);
 *   fini:   pci_unregister(p);
 *
 * The board sets "addr" (device * 8 + function) and the pointer "pci" (the pci_bus device), both
 * before device_init. BAR decode follows command bits 0 and 1, DMA bit 2, the interrupt line bit
 * 10; status bit 3 shows the level. Mapped BARs have negative priorities, so memory, ISA ports and
 * APICs win any overlap. PCI Local Bus Specification 3.0, chapter 6. Left out: MSI, power
 * management, 64-bit BARs, bridges. */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "machine/core/device.h"

enum {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09,
    PCI_CACHE_LINE = 0x0c,
    PCI_LATENCY = 0x0d,
    PCI_HEADER = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYS = 0x2c,
    PCI_ROM = 0x30,
    PCI_CAP = 0x34,
    PCI_IRQ_LINE = 0x3c,
    PCI_IRQ_PIN = 0x3d,
};
enum { PCI_CMD_IO = 1, PCI_CMD_MEM = 2, PCI_CMD_MASTER = 4, PCI_CMD_INTX_OFF = 0x400 };
enum pci_bar_type { PCI_BAR_MEM, PCI_BAR_PREFETCH, PCI_BAR_IO, PCI_BAR_ROM };
enum { PCI_BARS = 7, PCI_ROM_BAR = 6 };

/* The subsystem pair of functions that have no other; part of Windows' instance ids, frozen. */
enum { PCI_SUBSYS_VENDOR = 0x1af4, PCI_SUBSYS_ID = 0x1100 };

struct pci_id {
    u16 vendor, device;
    u8 revision;
    u32 class_code; /* 24 bits: class, subclass, programming interface, e.g. 0x010601 */
    u16 subsys_vendor, subsys_id;
    u8 pin;             /* 0 none, 1 INTA ... 4 INTD */
    bool multifunction; /* bit 7 of the header type; set it on function 0 of a shared slot */
};

struct pci_dev;
struct pci_ops {
    /* After a config write took effect (masks applied, BARs moved). May be NULL. */
    void (*config_written)(struct pci_dev *p, unsigned reg, unsigned size);
};

struct pci_bar {
    struct region *region; /* NULL: not implemented, reads 0 */
    enum pci_bar_type type;
};

struct pci_dev {
    struct device dev;
    struct pci_bus *bus;       /* pointer option "pci" */
    u32 addr;                  /* option "addr" */
    const struct pci_ops *ops; /* may stay NULL */
    u8 config[256];
    u8 wmask[256]; /* bits software may write */
    u8 w1c[256];   /* bits cleared by writing 1 */
    struct pci_bar bar[PCI_BARS];
    bool irq_level; /* the function's internal level, before the INTx disable bit */
};

/* First rows of a function's option and field tables. devfn is text: PCI_OPTIONS("0x10"). */
#define PCI_OPTIONS(devfn)                                                                         \
    { "addr", OPT_U32, offsetof(struct pci_dev, addr), devfn, "PCI slot: device * 8 + function" }, \
    {                                                                                              \
        "pci", OPT_PTR, offsetof(struct pci_dev, bus), NULL, "the bus it sits on"                  \
    }
#define PCI_FIELDS                                                                                 \
    { "config", offsetof(struct pci_dev, config), 1, 256, 1 },                                     \
    {                                                                                              \
        "irq_level", offsetof(struct pci_dev, irq_level), sizeof(bool), 1, 1                       \
    }

int pci_register(struct pci_dev *p, const struct pci_id *id, struct error *e);
void pci_unregister(struct pci_dev *p);
/* n: 0-5 or PCI_ROM_BAR. The region stays the function's own; it is mapped and moved here. */
void pci_add_bar(struct pci_dev *p, unsigned n, struct region *r, enum pci_bar_type type);
/* Command, status, BARs, interrupt line to their reset values and the interrupt off. */
void pci_reset(struct pci_dev *p);
/* Call from post_load: maps BARs and drives the wire from the loaded registers. */
void pci_post_load(struct pci_dev *p);

void pci_set_irq(struct pci_dev *p, bool level);
/* Address a BAR decodes at now, or 0 when it does not decode. */
u32 pci_bar_addr(const struct pci_dev *p, unsigned n);
static inline u16 pci_command(const struct pci_dev *p)
{
    return ld16(&p->config[PCI_COMMAND]);
}

/* False, and all-ones for reads, while bus mastering is off. */
bool pci_dma_read(struct pci_dev *p, u64 gpa, void *buf, u64 len);
bool pci_dma_write(struct pci_dev *p, u64 gpa, const void *buf, u64 len);

u32 pci_config_read(struct pci_dev *p, unsigned reg, unsigned size);
void pci_config_write(struct pci_dev *p, unsigned reg, u32 value, unsigned size);

/* Bus 0: class "pci_bus", output wires "pirq"[4] = PIRQA to PIRQD after the (device + pin) & 3
 * swizzle. */
struct pci_bus {
    struct device dev;
    struct irq pirq[4];
    struct pci_dev *slot[256]; /* by devfn */
    /* The ISA bridge's reset control register, reached by byte accesses to CF9h inside CF8h-CFBh.
     */
    const struct io_ops *reset_ops;
    void *reset_opaque;
};
extern const struct device_class pci_bus_class;

/* address as written to CF8h (bit 31 enable, bus, devfn, register); offset is the byte lane, 0-3.
 */
u32 pci_bus_read(struct pci_bus *b, u32 address, unsigned offset, unsigned size);
void pci_bus_write(struct pci_bus *b, u32 address, unsigned offset, u32 value, unsigned size);

#endif
