/* A whole machine for tests of the board, the monitor and the options: real wiring table, ROM files
 * of the test's own in a temporary folder, 64 MiB of RAM. The BIOS is a halt at the reset vector
 * unless the test brings code.
 *
 *   static struct rig r;
 *   rig_open(&r, NULL, 0, "--profile", "vga", NULL);     options in pairs
 *   ck_assert_uint_eq(bus_read(&r.m->io, 0xe9, 1), 0xe9);
 *   rig_close(&r); */
#ifndef TESTS_UNIT_MACHINE_RIG_H
#define TESTS_UNIT_MACHINE_RIG_H

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/board/board.h"
#include "machine/images.h"
#include "machine/machine.h"

enum {
    RIG_BIOS = 65536,
    RIG_CODE = 0xfe00 /* offset of the test's code; the reset vector jumps there */
};

struct rig {
    struct config cfg;
    struct machine *m;
    char dir[40];
    struct error e;
};

static inline char *rig_path(struct rig *r, const char *name)
{
    return xasprintf("%s/%s", r->dir, name);
}

static inline void rig_write(struct rig *r, const char *name, const void *data, size_t n)
{
    char *path = rig_path(r, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    fclose(f);
    free(path);
}

/* The folder and a configuration that names it; no machine yet. */
static inline void rig_prepare(struct rig *r, const void *code, size_t n)
{
    static const u8 halt[] = { 0xfa, 0xf4, 0xeb, 0xfc }; /* cli; hlt; jmp */
    u8 *rom = xalloc(RIG_BIOS), vga[512] = { 0x55, 0xaa, 1, 0xcb };
    ck_assert_uint_lt(n, 0x1e0);
    memcpy(rom + RIG_CODE, code ? code : halt, code ? n : sizeof(halt));
    memcpy(rom + 0xfff0, "\xe9\x0d\xfe", 3); /* jmp RIG_CODE */
    memset(r, 0, sizeof(*r));
    strcpy(r->dir, "/tmp/aeropc-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    rig_write(r, "bios.bin", rom, RIG_BIOS);
    rig_write(r, "vgabios.bin", vga, sizeof(vga));
    free(rom);
    config_init(&r->cfg);
    ck_assert_int_eq(config_set(&r->cfg, "memory", "64M", &r->e), 0);
    ck_assert_int_eq(config_set(&r->cfg, "display", "none", &r->e), 0);
    ck_assert_int_eq(config_set(&r->cfg, "rom-dir", r->dir, &r->e), 0);
}

static inline void rig_open(struct rig *r, const void *code, size_t n, ...)
    __attribute__((sentinel));
static inline void rig_open(struct rig *r, const void *code, size_t n, ...)
{
    rig_prepare(r, code, n);
    va_list ap;
    va_start(ap, n);
    for (const char *name; (name = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        ck_assert_msg(config_set(&r->cfg, name, value, &r->e) == 0, "%s", r->e.text);
    }
    va_end(ap);
    r->m = machine_create(&r->cfg, &r->e);
    ck_assert_msg(r->m != NULL, "%s", r->e.text);
}

static inline void rig_close(struct rig *r)
{
    static const char *const names[] = { "bios.bin", "vgabios.bin", "disk.img", "disk.img.overlay",
                                         "cd.iso",   "text.conf",   "sock" };
    if (r->m) machine_destroy(r->m);
    config_free(&r->cfg);
    for (unsigned k = 0; k < LEN(names); k++) {
        char *path = rig_path(r, names[k]);
        unlink(path);
        free(path);
    }
    ck_assert_int_eq(rmdir(r->dir), 0);
}

static inline u32 rig_pci(struct machine *m, unsigned dev, unsigned fn, unsigned reg)
{
    bus_write(&m->io, 0xcf8, BIT(31) | dev << 11 | fn << 8 | (reg & 0xfc), 4);
    return (u32)bus_read(&m->io, 0xcfc, 4);
}

static inline void rig_pci_write(struct machine *m, unsigned dev, unsigned fn, unsigned reg, u32 v)
{
    bus_write(&m->io, 0xcf8, BIT(31) | dev << 11 | fn << 8 | (reg & 0xfc), 4);
    bus_write(&m->io, 0xcfc, v, 4);
}

/* Last lines of a test file, as UNIT_SUITE of harness.h, whose board would collide with the real
 * one. */
static inline Suite *rig_suite(const char *name, SFun setup, SFun teardown,
                               const TTest *const *tests, size_t n)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    for (size_t k = 0; k < n; k++) tcase_add_test(tc, tests[k]);
    suite_add_tcase(s, tc);
    return s;
}
#define RIG_SUITE(name, ...)                                                                       \
    Suite *name##_suite(void);                                                                     \
    Suite *name##_suite(void)                                                                      \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                              \
        return rig_suite(#name, setup, teardown, tests, LEN(tests));                               \
    }

#endif
