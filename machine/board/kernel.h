/* Starting a kernel file without a disk (--kernel, --initrd, --append): files in, one byte stream
 * for the BIOS out (kernel.c). */
#ifndef BOARD_KERNEL_H
#define BOARD_KERNEL_H

#include "machine/core/error.h"

struct config;

/* Name of the stream in the firmware configuration, and its layout, which bios/kernel.c reads:
 *
 *   head     magic "AKS1", kind, entry, argument, number of pieces (u32 each), name (40 bytes,
 * terminated) pieces   address, bytes that follow, zero bytes to add (u32 each), then the bytes
 *
 * LINUX: entry is the real-mode segment of the setup code, argument its stack pointer.
 * MULTIBOOT: entry is the 32-bit entry point, argument the address of the multiboot information, to
 * which the BIOS adds the memory sizes and, 128 bytes behind its start, the memory map. */
#define KERNEL_FILE "opt/aeropc/kernel"
enum { KERNEL_LINUX = 1, KERNEL_MULTIBOOT = 2, KERNEL_HEAD = 60, KERNEL_PIECE = 12 };

struct kernel_module {
    char *text; /* file name and arguments, as the kernel shall see them */
    u8 *data;
    size_t size;
};

/* What --kernel, --initrd and --append name, in memory. */
struct kernel_files {
    const char *name; /* of the kernel file */
    const u8 *data;
    size_t size;
    const char *append;
    const struct kernel_module *modules; /* Linux: at most one, the initrd */
    unsigned nmodules;
};

/* Lays the pieces out in the low_ram bytes of RAM below the PCI hole. *stream belongs to the
 * caller; nothing to free after -1. */
int kernel_build(const struct kernel_files *f, u64 low_ram, u8 **stream, size_t *size,
                 struct error *e);
bool kernel_is_linux(const u8 *data, size_t size);
/* Reads the files c names. *stream is NULL when there is no --kernel. */
int kernel_load(const struct config *c, u64 low_ram, u8 **stream, size_t *size, struct error *e);

#endif
