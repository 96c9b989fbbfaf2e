/* Memory, ports and the display of the strict interpreter (world.h). */
#include "tests/w7/int10/world.h"

#include <stdio.h>
#include <stdlib.h>

struct range {
    u32 from, to; /* inclusive */
    bool writable;
};

static const struct range allowed[] = {
    { 0x00040, 0x00043, false }, /* vector 10h */
    { 0x0007c, 0x0007f, true },  /* vector 1Fh: upper half of the 8-line font */
    { 0x0010c, 0x0010f, true },  /* vector 43h: graphics font */
    { 0x00410, 0x00411, true },  /* equipment */
    { 0x00449, 0x00466, true },        { 0x00484, 0x0048a, true },  { 0x004a8, 0x004ab, true },
    { STACK_LOW, STACK_TOP - 1, true }, { BUFFER, BUFFER + 0xfff, true }, { 0xc0000, 0xcffff, false },
};

enum { READ = 1, WRITE = 2, WINDOW = 4 };

static void set_rights(struct world *w)
{
    for (unsigned k = 0; k < LEN(allowed); k++)
        memset(w->rights + allowed[k].from, allowed[k].writable ? READ | WRITE : READ,
               allowed[k].to - allowed[k].from + 1);
    memset(w->rights + 0xa0000, WINDOW, 0x20000);
}

static u8 load(void *opaque, u32 linear, const char **why)
{
    struct world *w = opaque;
    u8 rights = linear < sizeof(w->mem) ? w->rights[linear] : 0;
    if (rights & WINDOW) return (u8)bus_read(&w->bus, linear, 1);
    if (rights & READ) return w->mem[linear];
    *why = "read of memory outside the list";
    return 0xff;
}

static void store(void *opaque, u32 linear, u8 v, const char **why)
{
    struct world *w = opaque;
    u8 rights = linear < sizeof(w->mem) ? w->rights[linear] : 0;
    if (rights & WINDOW)
        bus_write(&w->bus, linear, v, 1);
    else if (rights & WRITE)
        w->mem[linear] = v;
    else
        *why = rights ? "write to memory that is only to be read"
                      : "write to memory outside the list";
}

/* A doubleword touches four ports, all of which must be the display's. */
static bool port_allowed(const struct world *w, u16 port, unsigned size)
{
    u32 last = port + size - 1u;
    if (port >= 0x3b0 && last <= 0x3bb) return true;
    if (port >= 0x3c0 && last <= 0x3df) return true;
    if (port >= 0x1ce && last <= 0x1d0) return true;
    return w->bell && size == 1 && (port == 0x42 || port == 0x43 || port == 0x61);
}

static u32 port_in(void *opaque, u16 port, unsigned size, const char **why)
{
    struct world *w = opaque;
    if (!port_allowed(w, port, size)) return *why = "read of a port outside the list", 0xffffffff;
    clock_advance(&w->clock, 1000);
    if (port == 0x61) return w->refresh ^= 0x10;
    return (u32)bus_read(&w->io, port, size);
}

static void port_out(void *opaque, u16 port, u32 v, unsigned size, const char **why)
{
    struct world *w = opaque;
    if (!port_allowed(w, port, size))
        *why = "write to a port outside the list";
    else if (port >= 0x100)
        bus_write(&w->io, port, v, size);
}

const struct world_if world_ops = { load, store, port_in, port_out };

static u32 lfb_base(void *owner)
{
    (void)owner;
    return WORLD_LFB;
}

struct world *world_create(void)
{
    struct world *w = xalloc(sizeof(*w));
    struct error e;
    set_rights(w);
    bus_init(&w->bus, "mem", 0xffffffff, false);
    bus_init(&w->io, "io", 0xffff, true);
    clock_init(&w->clock, CLOCK_MANUAL);
    w->host = (struct host_if){ .mem = &w->bus, .io = &w->io, .clock = &w->clock };
    w->vram = aligned_alloc(4096, WORLD_VRAM);
    check(w->vram != NULL);
    memset(w->vram, 0, WORLD_VRAM);
    region_init_ram(&w->vram_region, "vram", WORLD_VRAM, w->vram);
    w->vga.host = &w->host;
    w->vga.mem = &w->vram_region;
    w->vga.vram = w->vram;
    w->vga.lfb_size = WORLD_VRAM;
    w->vga.lfb_base = lfb_base;
    check(vga_core_init(&w->vga, true, NULL, &e) == 0);
    vga_core_reset(&w->vga);
    return w;
}

void world_destroy(struct world *w)
{
    vga_core_fini(&w->vga);
    region_fini(&w->vram_region);
    clock_fini(&w->clock);
    bus_fini(&w->bus);
    bus_fini(&w->io);
    free(w->vram);
    free(w);
}

int world_read_dump(struct world *w, const char *path)
{
    FILE *f = fopen(path, "r");
    char line[200];
    unsigned lines = 0;
    if (!f) return -1;
    while (fgets(line, sizeof(line), f)) {
        char *p;
        unsigned long long at = strtoull(line, &p, 16);
        if (p - line != 16 || at + 16 > sizeof(w->mem)) continue;
        for (unsigned k = 0; k < 16; k++) w->mem[at + k] = (u8)strtoul(p, &p, 16);
        lines++;
    }
    fclose(f);
    return lines >= 0x1000 ? 0 : -1;
}
