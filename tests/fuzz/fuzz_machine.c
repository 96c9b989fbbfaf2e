/* See fuzz_machine.h. */
#include "tests/fuzz/fuzz_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/board/board.h"

/* The folder of this run's images; fuzz_machines_main makes and removes it. */
static char image_dir[] = "/tmp/fuzz-board-XXXXXX";

const char *fuzz_dir(void)
{
    return image_dir;
}

static void make_file(const char *name, u64 size, const u8 *head, size_t n)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", image_dir, name);
    FILE *out_file = fopen(path, "wb");
    if (!out_file) exit(2);
    fwrite(head, 1, n, out_file);
    if (fflush(out_file) || ftruncate(fileno(out_file), (off_t)size)) exit(2);
    fclose(out_file);
}

static void set(struct config *c, const char *dir, const char *name, const char *value)
{
    struct error e = { "" };
    char *full = xasprintf("%s%s%s", dir ? dir : "", dir ? "/" : "", value);
    if (config_set(c, name, full, &e)) fprintf(stderr, "%s\n", e.text), exit(2);
    free(full);
}

static void configure(struct rng *r, struct config *c)
{
    static const char *const profiles[] = { "vga", "aerogpu", "dual" };
    config_init(c);
    set(c, NULL, "memory", one_in(r, 10) ? "4G" : one_in(r, 2) ? "16M" : "48M");
    set(c, NULL, "profile", profiles[rnd(r, 3)]);
    set(c, NULL, "boot-vga", one_in(r, 2) ? "stdvga" : "aerogpu");
    set(c, NULL, "hpet", one_in(r, 2) ? "on" : "off");
    set(c, NULL, "clock", "insn");
    if (getenv("AEROPC_ENGINE")) set(c, NULL, "engine", getenv("AEROPC_ENGINE"));
    set(c, NULL, "throwaway", "on");
    set(c, image_dir, "bios", "bios.rom");
    set(c, image_dir, "vgabios", "vga.rom");
    set(c, image_dir, "disk", "disk.img,if=ahci");
    set(c, image_dir, "disk", "disk2.img,if=ide");
    if (!one_in(r, 4)) set(c, image_dir, "floppy", "fd.img");
    if (!one_in(r, 4)) set(c, image_dir, "cdrom", "cd.iso");
}

static void make_files(struct rng *r)
{
    static u8 rom[64 * KIB];
    rnd_fill(r, rom, sizeof(rom));
    make_file("bios.rom", sizeof(rom), rom, sizeof(rom));
    rom[0] = 0x55, rom[1] = 0xaa, rom[2] = 0x40;
    make_file("vga.rom", 32 * KIB, rom, 32 * KIB);
    make_file("disk.img", 4 * MIB, rom, sizeof(rom));
    make_file("disk2.img", 3 * MIB, rom, sizeof(rom));
    make_file("cd.iso", 2 * MIB, rom, sizeof(rom));
    make_file("fd.img", 1440 * KIB, rom, sizeof(rom));
}

static void remove_files(void)
{
    static const char *const names[] = { "bios.rom",  "vga.rom", "disk.img",
                                         "disk2.img", "cd.iso",  "fd.img" };
    char path[256];
    for (unsigned k = 0; k < LEN(names); k++) {
        snprintf(path, sizeof(path), "%s/%s", image_dir, names[k]);
        unlink(path);
    }
    rmdir(image_dir);
}

struct machine *fuzz_machine(struct rng *r, struct config *c)
{
    struct error e = { "" };
    make_files(r);
    configure(r, c);
    struct machine *m = machine_create(c, &e);
    if (!m) fprintf(stderr, "%s\n", e.text), exit(2);
    m->clock.mode = CLOCK_MANUAL;
    return m;
}

void fuzz_serve(struct machine *m)
{
    if (m->want_reset || m->want_triple)
        board_reset(m, m->want_triple ? RESET_COLD : m->reset_kind);
    if (m->want_poweroff) board_reset(m, RESET_COLD);
    m->want_reset = m->want_triple = m->want_poweroff = m->want_stop = m->quit = false;
}

int fuzz_machines_main(int argc, char **argv, u64 (*one)(u64 seed))
{
    FILE *null = fopen("/dev/null", "w");
    if (null) log_set_output(null);
    log_configure("debug"); /* formats every message, shows none */
    if (!mkdtemp(image_dir)) return 2;
    int status = fuzz_main(argc, argv, one);
    remove_files();
    return status;
}
