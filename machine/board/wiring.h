/* The shapes of board.c's tables, for the firmware-table builders that read them too. */
#ifndef BOARD_WIRING_H
#define BOARD_WIRING_H

#include "machine/core/device.h"

struct machine;

enum presence {
    ALWAYS,
    IF_VGA,
    IF_VGA_SPARE,
    IF_AEROGPU,
    IF_AEROGPU_BOOT,
    IF_HPET,
    IF_TESTDEV,
    IF_COM2,
    IF_CONFIGURED /* made by code: disks */
};

/* One chip. options: "name=value name=value"; pointers: "option=instance" or "option=@service". */
struct board_row {
    const struct device_class *cls;
    const char *name;
    enum presence when;
    const char *options, *pointers;
};

/* One wire from an output pin. To ISA interrupt `pin` when `to` is NULL, else to input `pin` of
 * that instance. */
struct wire_row {
    const char *from, *output;
    unsigned index;
    const char *to;
    int pin;
};

/* PCI interrupt links: what the firmware programs and what ACPI offers (device-set.md section 3.1).
 */
struct link_row {
    const char *name; /* ACPI name of the link device */
    u8 reg;           /* PIRQRC register of the ISA bridge */
    u8 irq;           /* default */
};

#define BOARD_LINKS 4
extern const struct link_row board_links[BOARD_LINKS];
extern const u8 board_pci_irqs[3]; /* what a link may be routed to */

/* Fixed resources that chips, ACPI tables and the BIOS agree on. */
enum {
    PM_BASE = 0x600,
    GPE_BASE = 0xafe0,
    SMI_PORT = 0xb2,
    ACPI_ENABLE_VALUE = 0xf1,
    ACPI_DISABLE_VALUE = 0xf0,
    SCI_IRQ = 9,
    S5_TYPE = 0,
};
#define IOAPIC_BASE 0xfec00000u
#define HPET_BASE 0xfed00000u
#define LAPIC_BASE 0xfee00000u
#define PCI_WINDOW_LAST 0xfebfffffu

/* acpi.c, smbios.c: build the tables and hand them to fwcfg. */
void acpi_build(struct machine *m, struct device *fwcfg);
void smbios_build(struct machine *m, struct device *fwcfg);

#endif
