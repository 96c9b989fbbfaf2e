/* A board without a CPU for device tests: two buses, 1 MiB of RAM at 0, a manual clock, captured
 * wires, messages (MSI) and machine requests.
 *
 *   struct board *b = board_bare();
 *   struct device *d = board_add(b, &pit_class);          created, not yet started
 *   struct wire *w = board_wire(b, d, "irq0", 0);         counts edges
 *   board_start(b, d);                                    init and cold reset
 *   out8(b, 0x43, 0x34); advance_ns(b, 1000);
 *   ck_assert(w->level);
 *   board_free(b); */
#ifndef TESTS_UNIT_HARNESS_H
#define TESTS_UNIT_HARNESS_H

#include <check.h>
#include <stdlib.h>

#include "machine/core/device.h"

enum { HARNESS_RAM = 1 << 20, HARNESS_WIRES = 48, HARNESS_DEVICES = 8, HARNESS_MSI = 16 };

struct wire {
    bool level;
    unsigned rises, falls;
};

struct board {
    struct host_if host;
    struct bus mem, io;
    struct clock clock;
    struct region ram_region, msi_region;
    u8 *ram;
    bool a20;
    struct wire wires[HARNESS_WIRES];
    unsigned n_wires;
    struct device *devices[HARNESS_DEVICES];
    unsigned n_devices;
    struct { u64 addr; u32 data; } msi[HARNESS_MSI]; /* the last ones; n_msi counts all */
    unsigned n_msi;
    unsigned n_requests;
    enum machine_request last_request;
    int last_arg;
};

static inline void harness_request(void *machine, enum machine_request what, int arg,
                                   const char *why)
{
    struct board *b = machine;
    (void)why;
    b->n_requests++;
    b->last_request = what;
    b->last_arg = arg;
}

static inline bool harness_a20_get(void *machine)
{
    return ((struct board *)machine)->a20;
}

static inline void harness_a20_set(void *machine, bool on)
{
    ((struct board *)machine)->a20 = on;
}

static inline void harness_wire(void *opaque, int pin, bool level)
{
    struct wire *w = (struct wire *)opaque + pin;
    if (level && !w->level) w->rises++;
    if (!level && w->level) w->falls++;
    w->level = level;
}

static inline u64 harness_msi_read(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    (void)size;
    return 0;
}

static inline void harness_msi_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct board *b = opaque;
    (void)size;
    b->msi[b->n_msi % HARNESS_MSI].addr = 0xfee00000 + offset;
    b->msi[b->n_msi++ % HARNESS_MSI].data = value;
}

static inline struct board *board_bare(void)
{
    static const struct io_ops msi_ops = { harness_msi_read, harness_msi_write, 1, 4 };
    struct board *b = xalloc(sizeof(*b));
    bus_init(&b->mem, "mem", (1ull << 40) - 1, false);
    bus_init(&b->io, "io", 0xffff, true);
    clock_init(&b->clock, CLOCK_MANUAL);
    b->ram = aligned_alloc(4096, HARNESS_RAM);
    memset(b->ram, 0, HARNESS_RAM);
    region_init_ram(&b->ram_region, "ram", HARNESS_RAM, b->ram);
    region_init_io(&b->msi_region, "msi", 1 << 20, &msi_ops, b);
    ck_assert_int_eq(bus_map(&b->mem, 0, &b->ram_region, 0, NULL), 0);
    ck_assert_int_eq(bus_map(&b->mem, 0xfee00000, &b->msi_region, 0, NULL), 0);
    b->host = (struct host_if){ &b->mem, &b->io,          &b->clock,      harness_request,
                                b,       harness_a20_get, harness_a20_set, NULL, NULL };
    return b;
}

static inline struct device *board_add(struct board *b, const struct device_class *cls)
{
    struct device *d = device_create(cls, cls->name, &b->host);
    b->devices[b->n_devices++] = d;
    return d;
}

static inline struct wire *board_wire(struct board *b, struct device *d, const char *output,
                                      unsigned index)
{
    int slot = b->n_wires++;
    ck_assert_int_lt(slot, HARNESS_WIRES);
    ck_assert_int_eq(device_connect(d, output, index, irq_make(harness_wire, b->wires, slot)), 0);
    return &b->wires[slot];
}

static inline void board_start(struct board *b, struct device *d)
{
    struct error e = { "" };
    (void)b;
    ck_assert_msg(device_init(d, &e) == 0, "%s", e.text);
    if (d->cls->reset) d->cls->reset(d, RESET_COLD);
}

/* The usual opening: a device that needs no options. */
static inline struct device *board_device(struct board *b, const struct device_class *cls)
{
    struct device *d = board_add(b, cls);
    board_start(b, d);
    return d;
}

static inline void board_free(struct board *b)
{
    while (b->n_devices) device_destroy(b->devices[--b->n_devices]);
    region_fini(&b->msi_region);
    region_fini(&b->ram_region);
    clock_fini(&b->clock);
    bus_fini(&b->mem);
    bus_fini(&b->io);
    free(b->ram);
    free(b);
}

static inline u8 in8(struct board *b, u16 port)
{
    return bus_read(&b->io, port, 1);
}

static inline u16 in16(struct board *b, u16 port)
{
    return bus_read(&b->io, port, 2);
}

static inline u32 in32(struct board *b, u16 port)
{
    return bus_read(&b->io, port, 4);
}

static inline void out8(struct board *b, u16 port, u8 v)
{
    bus_write(&b->io, port, v, 1);
}

static inline void out16(struct board *b, u16 port, u16 v)
{
    bus_write(&b->io, port, v, 2);
}

static inline void out32(struct board *b, u16 port, u32 v)
{
    bus_write(&b->io, port, v, 4);
}

static inline u32 mem32(struct board *b, u64 addr)
{
    return bus_read(&b->mem, addr, 4);
}

static inline void set_mem32(struct board *b, u64 addr, u32 v)
{
    bus_write(&b->mem, addr, v, 4);
}

static inline void advance_ns(struct board *b, u64 ns)
{
    clock_advance(&b->clock, ns);
}

static inline void set_pin(struct device *d, int pin, bool level)
{
    struct irq w = device_input(d, pin);
    irq_set(&w, level);
}

/* Last lines of a test file: UNIT_SUITE(pit, test_one, test_two, ...) runs them between setup() and
 * teardown(). */
static inline Suite *harness_suite(const char *name, SFun setup, SFun teardown,
                                   const TTest *const *tests, size_t n)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, setup, teardown);
    for (size_t i = 0; i < n; i++) tcase_add_test(tc, tests[i]);
    suite_add_tcase(s, tc);
    return s;
}
#define UNIT_SUITE(name, ...)                                                                      \
    Suite *name##_suite(void);                                                                     \
    Suite *name##_suite(void)                                                                      \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                              \
        return harness_suite(#name, setup, teardown, tests, LEN(tests));                           \
    }

#endif
