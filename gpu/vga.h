/* Standard VGA: PCI function 1234:1111 at 00:0c.0, legacy VGA plus Bochs VBE (vga.c around the core
 * of vga_core.h). Pointers the board sets: "pci", "display" (struct display *), "rom" (struct
 * vga_rom *: contents of the expansion ROM BAR). */
#ifndef GPU_VGA_H
#define GPU_VGA_H

#include "machine/core/device.h"

struct vga_rom {
    const u8 *data;
    size_t size; /* bytes, at most 64 KiB */
};

extern const struct device_class vga_class;

#endif
