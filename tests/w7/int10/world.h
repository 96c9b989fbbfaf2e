/* What the strict interpreter's code sees: the shadow of low memory that Windows gives INT 10h, and
 * our VGA behind the window at A0000h and behind its ports.
 *
 * Readable and writable: the vectors 10h, 1Fh and 43h, the video part of the BIOS data area,
 * 512 bytes of stack below 0000:0800, the transfer buffer at 2000:0000 and the window. Readable:
 * the video BIOS. Windows allows a little more (90000h-9FFFFh, the rest of C0000h-FFFFFh, all of
 * the first 2 KiB); our BIOS has no business there. */
#ifndef TESTS_W7_INT10_WORLD_H
#define TESTS_W7_INT10_WORLD_H

#include "gpu/vga_core.h"
#include "tests/w7/int10/x86.h"

enum { STACK_TOP = 0x800, STACK_LOW = 0x600, BUFFER = 0x20000, WORLD_LFB = 0xe0000000 };
#define WORLD_VRAM (16 * MIB)

struct world {
    u8 mem[1 << 20], rights[1 << 20];
    struct bus bus, io;
    struct clock clock;
    struct host_if host;
    struct region vram_region;
    u8 *vram;
    struct vga_core vga;
    bool bell;     /* the speaker's ports are allowed: AH=0Eh AL=07h */
    u8 refresh;    /* port 61h bit 4, which toggles */
};

extern const struct world_if world_ops;
struct world *world_create(void);
void world_destroy(struct world *w);
/* Memory as the machine's monitor prints it: address, sixteen bytes in hexadecimal, characters. */
int world_read_dump(struct world *w, const char *path);

#endif
