/* The configuration of one machine, and the one table it is read by: command line, config file,
 * monitor and --help use the same rows. */
#ifndef MACHINE_OPTIONS_H
#define MACHINE_OPTIONS_H

#include "machine/core/error.h"
#include "machine/core/text.h"
#include "machine/core/types.h"

struct strlist {
    char **s;
    unsigned n;
};

struct config {
    u64 memory; /* bytes */
    char *cpu;
    char *engine;
    struct strlist disks;  /* FILE[,if=ahci|ide] in order */
    struct strlist cdroms; /* FILE or "" for an empty drive */
    struct strlist floppies;
    char *kernel, *initrd, *append; /* started instead of a boot device; board/kernel.h */
    char *boot;                     /* "disk,cdrom,floppy" in the order wanted, or "menu" */
    char *display;                  /* sdl, none */
    struct strlist serials;         /* char backends of COM1, COM2 */
    char *debugcon;                 /* char backend of port E9h */
    char *monitor;                  /* char backend or NULL */
    char *clock;                    /* host, insn */
    char *profile;                  /* vga, aerogpu, dual */
    char *boot_vga;                 /* stdvga, aerogpu: owner of the legacy decode in dual */
    char *commit;                   /* image whose overlay is written into it; nothing runs */
    bool write, throwaway, hpet, paused, no_reboot;
    char *trace, *trace_file, *log;
    char *bios, *vgabios;
    char *scale; /* fit, integer, 1, 2, 3 */
    bool fullscreen;
    struct strlist sets; /* instance.option=value */
    char *rom_dir;       /* where the built ROMs are */
};

void config_init(struct config *c); /* defaults */
void config_free(struct config *c);
/* Reads the command line. Returns 0; 1 when something was printed and the program should exit with
 * status 0 (--help, --print-config,
 * --version); -1 with a message. Bare arguments are recognised by content and attached; config
 * files among them are read. */
int config_parse(struct config *c, int argc, char **argv, struct text *out, struct error *e);
int config_set(struct config *c, const char *name, const char *value, struct error *e);
int config_read_file(struct config *c, const char *path, struct error *e);
void config_print(const struct config *c,
                  struct text *t); /* as a config file that reads back the same */

/* "2G", "512M", "640K", "1048576". Returns -1 when malformed or beyond 64 bits. */
int parse_size(const char *s, u64 *bytes);
/* "FILE,key=value": the value of key inside spec, copied into buf, or NULL. path receives FILE. */
const char *spec_option(const char *spec, const char *key, char *buf, size_t len);
void spec_path(const char *spec, char *path, size_t len);

#endif
