/* PCI configuration access. `bdf` is bus << 8 | device << 3 | function. */
#ifndef BIOS_PCI_H
#define BIOS_PCI_H

#include "bios/bios.h"

enum {
    PCI_VENDOR = 0x00, PCI_DEVICE = 0x02, PCI_COMMAND = 0x04, PCI_CLASS = 0x0a, PCI_PROG = 0x09,
    PCI_HEADER = 0x0e, PCI_BAR0 = 0x10, PCI_ROM = 0x30, PCI_LINE = 0x3c, PCI_PIN = 0x3d,
    CMD_IO = 1, CMD_MEM = 2, CMD_MASTER = 4,
    PCI_NONE = 0xffff,
};

u32 pci_read32(u16 bdf, u8 reg);
u16 pci_read16(u16 bdf, u8 reg);
u8 pci_read8(u16 bdf, u8 reg);
void pci_write32(u16 bdf, u8 reg, u32 v);
void pci_write16(u16 bdf, u8 reg, u16 v);
void pci_write8(u16 bdf, u8 reg, u8 v);

/* Functions of bus 0 in order: start with PCI_NONE, ends with PCI_NONE. */
u16 pci_next(u16 bdf);
u16 pci_find(u16 vendor, u16 device);
void pci_init(void);
u8 pci_irq(u16 bdf);                 /* line of the function's pin, 0 if it has none */

#endif
