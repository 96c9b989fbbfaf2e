/* A machine without a CPU for the PCI and storage tests: buses, RAM at 0, a clock that moves when told, PCI bus 0,
 * temporary image files. Each test makes a struct rig on its stack and calls rig_up and rig_down. */
#ifndef TESTS_STORAGE_RIG_H
#define TESTS_STORAGE_RIG_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/pci.h"
#include "machine/core/device.h"
#include "machine/host/block.h"

enum { RIG_RAM = 4 << 20 };

struct rig {
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct guest_ram guest_ram;
    struct region ram_region;
    u8 *ram;
    struct device *devices[16];
    unsigned ndevices;
    struct pci_bus *pci;
    bool level[32];   /* of wires connected by rig_wire */
    unsigned edges[32];
    int requests, request, request_arg;
    char why[256];
    char path[8][64]; /* temporary images */
    unsigned npaths;
};

static inline void rig_request(void *machine, enum machine_request what, int arg, const char *why)
{
    struct rig *r = machine;
    r->requests++;
    r->request = (int)what;
    r->request_arg = arg;
    snprintf(r->why, sizeof(r->why), "%s", why);
}

static inline void rig_level(void *opaque, int pin, bool level)
{
    struct rig *r = opaque;
    if (level && !r->level[pin]) r->edges[pin]++;
    r->level[pin] = level;
}

static inline struct irq rig_wire(struct rig *r, int pin)
{
    return irq_make(rig_level, r, pin);
}

static inline struct device *rig_create(struct rig *r, const struct device_class *cls, const char *name)
{
    return r->devices[r->ndevices++] = device_create(cls, name, &r->host);
}

static inline void rig_start(struct device *d)
{
    struct error e = { "" };
    ck_assert_msg(device_init(d, &e) == 0, "%s", e.text);
    if (d->cls->reset) d->cls->reset(d, RESET_COLD);
}

/* pci: with bus 0 whose wires A-D are pins 16-19. RAM is mapped at 0 unless a host bridge will do it. */
static inline void rig_up(struct rig *r, bool pci, bool map_ram)
{
    memset(r, 0, sizeof(*r));
    bus_init(&r->mem, "memory", 0xffffffffffull, false);
    bus_init(&r->io, "ports", 0xffff, true);
    clock_init(&r->clock, CLOCK_MANUAL);
    r->host = (struct host_if){ .mem = &r->mem, .io = &r->io, .clock = &r->clock, .request = rig_request, .machine = r };
    r->guest_ram = (struct guest_ram){ -1, RIG_RAM, RIG_RAM };
    r->host.guest_ram = &r->guest_ram;
    r->ram = aligned_alloc(4096, RIG_RAM);
    memset(r->ram, 0, RIG_RAM);
    region_init_ram(&r->ram_region, "ram", RIG_RAM, r->ram);
    if (map_ram) ck_assert_int_eq(bus_map(&r->mem, 0, &r->ram_region, 0, NULL), 0);
    if (!pci) return;
    r->pci = (struct pci_bus *)rig_create(r, &pci_bus_class, "pci0");
    for (int i = 0; i < 4; i++) device_connect(&r->pci->dev, "pirq", (unsigned)i, rig_wire(r, 16 + i));
    rig_start(&r->pci->dev);
}

static inline void rig_down(struct rig *r)
{
    while (r->ndevices) device_destroy(r->devices[--r->ndevices]);
    region_fini(&r->ram_region);
    bus_fini(&r->mem);
    bus_fini(&r->io);
    clock_fini(&r->clock);
    free(r->ram);
    for (unsigned i = 0; i < r->npaths; i++) {
        char overlay[80];
        snprintf(overlay, sizeof(overlay), "%s.overlay", r->path[i]);
        unlink(overlay);
        unlink(r->path[i]);
    }
}

/* A temporary file of `size` bytes in which every sector starts with its number and goes on with its low byte. */
static inline const char *rig_image(struct rig *r, u64 size)
{
    char *path = r->path[r->npaths++];
    strcpy(path, "/tmp/aeropc-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    for (u64 at = 0; at < size; at += 512) {
        u8 sector[512];
        memset(sector, (int)(at / 512), sizeof(sector));
        st32(sector, (u32)(at / 512));
        u64 n = MIN(512, size - at);
        ck_assert_int_eq(write(fd, sector, n), (ssize_t)n);
    }
    close(fd);
    return path;
}

static inline struct block *rig_block(struct rig *r, u64 size, enum block_mode mode)
{
    struct error e = { "" };
    struct block *b = block_open(rig_image(r, size), mode, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    return b;
}

static inline void out8(struct rig *r, u16 port, u8 v) { bus_write(&r->io, port, v, 1); }
static inline void out16(struct rig *r, u16 port, u16 v) { bus_write(&r->io, port, v, 2); }
static inline void out32(struct rig *r, u16 port, u32 v) { bus_write(&r->io, port, v, 4); }
static inline u8 in8(struct rig *r, u16 port) { return (u8)bus_read(&r->io, port, 1); }
static inline u16 in16(struct rig *r, u16 port) { return (u16)bus_read(&r->io, port, 2); }
static inline u32 in32(struct rig *r, u16 port) { return (u32)bus_read(&r->io, port, 4); }
static inline u32 rd32(struct rig *r, u64 at) { return (u32)bus_read(&r->mem, at, 4); }
static inline void wr32(struct rig *r, u64 at, u32 v) { bus_write(&r->mem, at, v, 4); }

static inline void advance_us(struct rig *r, u64 us)
{
    clock_advance(&r->clock, us * 1000);
}

#define RIG_SUITE(name, ...)                                                                       \
    Suite *name##_suite(void);                                                                     \
    Suite *name##_suite(void)                                                                      \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                       \
        Suite *s = suite_create(#name);                                                            \
        TCase *c = tcase_create(#name);                                                            \
        for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++) tcase_add_test(c, tests[k]); \
        suite_add_tcase(s, c);                                                                     \
        return s;                                                                                  \
    }

#endif
