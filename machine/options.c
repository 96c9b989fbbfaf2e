/* The option table and what walks it: command line, configuration file, --help, --print-config
 * (options.h). A row says name, kind, field, default and help; an alias row says what QEMU-style
 * short form means which row. */
#include "machine/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/cpu.h"             /* cpu_models */
#include "machine/board/board.h" /* board_device_help */
#include "machine/core/pattern.h"
#include "machine/images.h" /* image_attach, AEROPC_VERSION */

enum kind { K_FLAG, K_STR, K_CHOICE, K_SIZE, K_LIST, K_HELP, K_PRINT, K_VERSION };

struct row {
    const char *name, *arg;
    enum kind kind;
    size_t offset;
    const char *deflt;   /* text form */
    const char *choices; /* K_CHOICE: "a|b|c" */
    const char *help;
};
#define AT(f) offsetof(struct config, f)

/* clang-format off */
static const struct row rows[] = {
    { "memory",     "SIZE",     K_SIZE,   AT(memory),     "2G",   NULL, "guest RAM: 16M to 62G" },
    { "cpu",        "MODEL",    K_STR,    AT(cpu),        "win7", NULL, "CPU identity: win7, qemu64, p3, max" },
    { "engine",     "NAME",     K_STR,    AT(engine),     "auto", NULL, "how the CPU runs: jit (translates hot code), interp, lockstep (both, compared); auto: jit where this host can" },
    { "disk",       "FILE[,if=ahci|ide]", K_LIST, AT(disks), NULL, NULL, "hard disk, raw image; on AHCI unless if=ide says otherwise" },
    { "cdrom",      "FILE[,if=ide|ahci]", K_LIST, AT(cdroms), NULL, NULL, "CD or DVD image, or a folder shown as one; the drive is on IDE unless if=ahci says otherwise" },
    { "floppy",     "FILE",     K_LIST,   AT(floppies),   NULL,   NULL, "floppy image, drive A then B" },
    { "boot",       "ORDER",    K_STR,    AT(boot),       NULL,   NULL, "disk, cdrom, floppy in the order to try, comma-separated; menu asks" },
    { "kernel",     "FILE",     K_STR,    AT(kernel),     NULL,   NULL, "start this Linux bzImage or multiboot kernel instead of a boot device" },
    { "initrd",     "FILE",     K_STR,    AT(initrd),     NULL,   NULL, "its initrd; multiboot: modules as 'FILE ARGS,FILE ARGS'" },
    { "append",     "TEXT",     K_STR,    AT(append),     NULL,   NULL, "its command line" },
    { "display",    "KIND",     K_CHOICE, AT(display),    "sdl",  "sdl|none", "window, or headless" },
    { "serial",     "CHAR",     K_LIST,   AT(serials),    NULL,   NULL, "COM1, then COM2: stdio, file:PATH, pty, tcp:HOST:PORT, none" },
    { "debugcon",   "CHAR",     K_STR,    AT(debugcon),   NULL,   NULL, "port E9h: stdio, file:PATH (default: the log)" },
    { "monitor",    "CHAR",     K_STR,    AT(monitor),    NULL,   NULL, "commands: stdio, unix:PATH, tcp:HOST:PORT" },
    { "clock",      "MODE",     K_CHOICE, AT(clock),      "host", "host|insn", "virtual time: follows the host, or counts instructions (deterministic)" },
    { "profile",    "NAME",     K_CHOICE, AT(profile),    "dual", "vga|aerogpu|dual", "display functions on the PCI bus" },
    { "boot-vga",   "OWNER",    K_CHOICE, AT(boot_vga),   "stdvga", "stdvga|aerogpu", "which function owns the legacy VGA ranges with --profile dual" },
    { "write",      NULL,       K_FLAG,   AT(write),      NULL,   NULL, "write through to the images instead of an overlay beside them" },
    { "throwaway",  NULL,       K_FLAG,   AT(throwaway),  NULL,   NULL, "forget all disk writes at exit" },
    { "commit",     "FILE",     K_STR,    AT(commit),     NULL,   NULL, "write the overlay beside this image into it, and end" },
    { "hpet",       NULL,       K_FLAG,   AT(hpet),       NULL,   NULL, "provide an HPET and publish it" },
    { "paused",     NULL,       K_FLAG,   AT(paused),     NULL,   NULL, "start paused; 'cont' in the monitor runs" },
    { "no-reboot",  NULL,       K_FLAG,   AT(no_reboot),  NULL,   NULL, "exit instead of resetting when the guest reboots; status 2 after a triple fault" },
    { "bios",       "FILE",     K_STR,    AT(bios),       NULL,   NULL, "system BIOS image of 64, 128 or 256 KiB in place of ours" },
    { "vgabios",    "FILE",     K_STR,    AT(vgabios),    NULL,   NULL, "video BIOS image, up to 64 KiB, in place of ours" },
    { "scale",      "HOW",      K_CHOICE, AT(scale),      "fit",  "fit|integer|none", "window scaling" },
    { "fullscreen", NULL,       K_FLAG,   AT(fullscreen), NULL,   NULL, "start full screen" },
    { "trace",      "PATTERN",  K_STR,    AT(trace),      NULL,   NULL, "trace events to switch on, e.g. 'ata_*,pci_*'" },
    { "trace-file", "PATH",     K_STR,    AT(trace_file), NULL,   NULL, "write trace events there (default: ring only)" },
    { "log",        "LEVELS",   K_STR,    AT(log),        NULL,   NULL, "error, warn, info, debug; or component=level, comma-separated" },
    { "set",        "DEV.OPT=VALUE", K_LIST, AT(sets),    NULL,   NULL, "option of one device; --help DEV lists them; testdev=on adds the test device" },
    { "rom-dir",    "DIR",      K_STR,    AT(rom_dir),    NULL,   NULL, "folder of the built ROM images" },
    { "print-config", NULL,     K_PRINT,  0,              NULL,   NULL, "print the effective configuration as a config file" },
    { "version",    NULL,       K_VERSION, 0,             NULL,   NULL, "print the version" },
    { "help",       "[DEVICE]", K_HELP,   0,              NULL,   NULL, "this text, or the options of one device class" },
};

/* QEMU's drive letters: a floppy, c disk, d CD; n would be the network. Our words may stand among them. */
static int boot_letters(const char *value, struct text *t, struct error *e)
{
    for (const char *s = value;; s++) {
        size_t n = strcspn(s, ",");
        bool first = !t->len;
        if (n == 7 && !strncmp(s, "menu=on", n)) {
            text_add(t, "%smenu", first ? "" : ",");
        } else if (n == 8 && !strncmp(s, "menu=off", n)) {
            /* that is so without saying */
        } else {
            size_t skip = n > 6 && !strncmp(s, "order=", 6) ? 6 : 0, letters = strspn(s + skip, "acdn");
            if (letters != n - skip) { /* a word, or a mistake that the board names */
                text_add(t, "%s%.*s", first ? "" : ",", (int)n, s);
                letters = 0;
            }
            for (const char *l = s + skip; letters--; l++) {
                if (*l == 'n') return error_set(e, "-boot %s: n, the network, is not provided; use a (floppy), c (disk), d (CD)", value);
                text_add(t, "%s%s", t->len ? "," : "", *l == 'a' ? "floppy" : *l == 'c' ? "disk" : "cdrom");
            }
        }
        s += n;
        if (!*s) return 0;
    }
}

/* Short forms: what stands before the value is put before it, what follows after. */
static const struct alias {
    const char *alias, *row, *suffix; /* suffix appended to the value, or the value itself when `fixed` */
    bool fixed;
} aliases[] = {
    { "-m", "memory", "", false },       { "-cpu", "cpu", "", false },
    { "-hda", "disk", ",if=ide", false }, { "-hdb", "disk", ",if=ide", false },
    { "-cdrom", "cdrom", "", false },    { "-fda", "floppy", "", false },  { "-fdb", "floppy", "", false },
    { "-boot", "boot", "", false },      { "-serial", "serial", "", false }, { "-monitor", "monitor", "", false },
    { "-display", "display", "", false }, { "-bios", "bios", "", false },
    { "-kernel", "kernel", "", false },  { "-initrd", "initrd", "", false }, { "-append", "append", "", false },
    { "-snapshot", "throwaway", "on", true }, { "-S", "paused", "on", true },
    { "-full-screen", "fullscreen", "on", true }, { "-no-reboot", "no-reboot", "on", true },
    { "-h", "help", "", true },
};
/* clang-format on */

static void *at(const struct config *c, const struct row *r)
{
    return (char *)c + r->offset;
}

static const struct row *find_row(const char *name)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (!strcmp(rows[k].name, name)) return &rows[k];
    }
    return NULL;
}

/* The option nearest to a mistyped word, with its dashes, or NULL. Short forms are offered to those
 * who typed one dash. */
static const char *nearest(const char *word, bool dashes2)
{
    const char *best = NULL, *bare = word + strspn(word, "-");
    unsigned dist = MIN(4u, (unsigned)strlen(bare));
    for (unsigned k = 0; k < LEN(rows); k++) {
        unsigned d = edit_distance(bare, rows[k].name);
        if (d < dist) dist = d, best = rows[k].name;
    }
    for (unsigned k = 0; k < LEN(aliases) && !dashes2; k++) {
        unsigned d = edit_distance(word, aliases[k].alias);
        if (d <= dist && d < 4 && d < strlen(bare)) dist = d, best = aliases[k].alias;
    }
    return best;
}

static int unknown(const char *name, struct error *e)
{
    const char *best = nearest(name, true);
    if (best) return error_set(e, "there is no option --%s; did you mean --%s?", name, best);
    return error_set(e, "there is no option --%s; --help lists them", name);
}

static int unknown_short(const char *word, struct error *e)
{
    const char *best = nearest(word, false);
    if (best)
        return error_set(e, "there is no option %s; did you mean %s%s?", word,
                         *best == '-' ? "" : "--", best);
    return error_set(e, "there is no option %s; --help lists them", word);
}

int parse_size(const char *s, u64 *bytes)
{
    char *end;
    errno = 0;
    if (*s < '0' || *s > '9') return -1;
    unsigned long long v = strtoull(s, &end, 0);
    unsigned shift = 0;
    if (*end) {
        const char *units = "KMGT", *u = strchr(units, *end >= 'a' ? *end - 32 : *end);
        if (!u) return -1;
        shift = 10 * (unsigned)(u - units + 1);
        end++;
        if (*end == 'B') end++;
    }
    if (errno || *end || (shift && v >> (64 - shift))) return -1;
    *bytes = v << shift;
    return 0;
}

const char *spec_option(const char *spec, const char *key, char *buf, size_t len)
{
    size_t klen = strlen(key);
    for (const char *p = strchr(spec, ','); p; p = strchr(p + 1, ',')) {
        if (strncmp(p + 1, key, klen) || p[1 + klen] != '=') continue;
        snprintf(buf, len, "%.*s", (int)strcspn(p + 2 + klen, ","), p + 2 + klen);
        return buf;
    }
    return NULL;
}

void spec_path(const char *spec, char *path, size_t len)
{
    /* Only a comma followed by a known key ends the file name: names may hold commas. */
    const char *p = strstr(spec, ",if=");
    snprintf(path, len, "%.*s", (int)(p ? (size_t)(p - spec) : strlen(spec)), spec);
}

static void list_add(struct strlist *l, const char *s)
{
    l->s = xrealloc(l->s, (l->n + 1) * sizeof(*l->s));
    l->s[l->n++] = xstrdup(s);
}

static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        if (strcspn(p, "|") == n && !strncmp(p, value, n)) return true;
    }
    return false;
}

static int set_row(struct config *c, const struct row *r, const char *value, struct error *e)
{
    switch (r->kind) {
    case K_FLAG:
        if (strcmp(value, "on") && strcmp(value, "off"))
            return error_set(e, "--%s: '%s' is neither on nor off", r->name, value);
        *(bool *)at(c, r) = !strcmp(value, "on");
        return 0;
    case K_CHOICE:
        if (!is_choice(r->choices, value))
            return error_set(e, "--%s: '%s' is not one of %s", r->name, value, r->choices);
        break;
    case K_SIZE:
        if (parse_size(value, at(c, r)))
            return error_set(e, "--%s: '%s' is not a size such as 512M or 2G", r->name, value);
        return 0;
    case K_LIST: list_add(at(c, r), value); return 0;
    case K_STR: break;
    default: return error_set(e, "--%s is not a setting", r->name);
    }
    char **s = at(c, r);
    free(*s);
    *s = xstrdup(value);
    return 0;
}

int config_set(struct config *c, const char *name, const char *value, struct error *e)
{
    const struct row *r = find_row(name);
    return r ? set_row(c, r, value, e) : unknown(name, e);
}

void config_init(struct config *c)
{
    memset(c, 0, sizeof(*c));
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (rows[k].deflt) check(set_row(c, &rows[k], rows[k].deflt, NULL) == 0);
    }
}

static void list_free(struct strlist *l)
{
    for (unsigned k = 0; k < l->n; k++) free(l->s[k]);
    free(l->s);
}

void config_free(struct config *c)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (rows[k].kind == K_STR || rows[k].kind == K_CHOICE) free(*(char **)at(c, &rows[k]));
        if (rows[k].kind == K_LIST) list_free(at(c, &rows[k]));
    }
    memset(c, 0, sizeof(*c));
}

static void print_size(struct text *t, u64 v)
{
    static const char units[] = " KMGT";
    unsigned k = 0;
    while (v && k < 4 && !(v & 1023)) v >>= 10, k++;
    text_add(t, "%llu", (unsigned long long)v);
    if (k) text_addn(t, &units[k], 1);
}

void config_print(const struct config *c, struct text *t)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        const struct row *r = &rows[k];
        const void *p = at(c, r);
        if (r->kind == K_SIZE) {
            text_add(t, "%s = ", r->name);
            print_size(t, *(const u64 *)p);
            text_add(t, "\n");
        } else if (r->kind == K_FLAG) {
            text_add(t, "%s = %s\n", r->name, *(const bool *)p ? "on" : "off");
        } else if (r->kind == K_LIST) {
            const struct strlist *l = p;
            for (unsigned n = 0; n < l->n; n++) text_add(t, "%s = %s\n", r->name, l->s[n]);
        } else if ((r->kind == K_STR || r->kind == K_CHOICE) && *(char *const *)p) {
            text_add(t, "%s = %s\n", r->name, *(char *const *)p);
        }
    }
}

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t') s++;
    char *end = s + strlen(s);
    while (end > s && strchr(" \t\r\n", end[-1])) *--end = 0;
    return s;
}

int config_read_file(struct config *c, const char *path, struct error *e)
{
    FILE *f = fopen(path, "r");
    if (!f) return error_set(e, "%s: %s", path, strerror(errno));
    char line[4096];
    int n = 0, ret = 0;
    while (!ret && fgets(line, sizeof(line), f)) {
        n++;
        char *s = trim(line);
        if (!*s || *s == '#') continue;
        char *eq = strchr(s, '=');
        if (!eq) {
            ret = error_set(e, "expected 'option = value'");
        } else {
            *eq = 0;
            ret = config_set(c, trim(s), trim(eq + 1), e);
        }
        if (ret) error_prefix(e, "%s line %d", path, n);
    }
    fclose(f);
    return ret;
}

static void print_help(struct text *t)
{
    text_add(
        t,
        "usage: aeropc [IMAGE | ISO | FOLDER | CONFIG]... [OPTION]...\n"
        "       aeropc gpu-replay FILE...   a recording of AeroGPU's commands; see --help there\n"
        "Boots a PC from a disk, CD or floppy image; with nothing else given, the built-in demo.\n"
        "Disk writes go to an overlay file beside the image unless --write or --throwaway is "
        "given.\n\n");
    for (unsigned k = 0; k < LEN(rows); k++) {
        char left[48];
        snprintf(left, sizeof(left), "--%s%s%s", rows[k].name, rows[k].arg ? " " : "",
                 rows[k].arg ? rows[k].arg : "");
        text_add(t, "  %-28s %s", left, rows[k].help);
        if (rows[k].choices) text_add(t, " (%s)", rows[k].choices);
        if (rows[k].deflt) text_add(t, " [%s]", rows[k].deflt);
        text_add(t, "\n");
    }
    text_add(t, "\nShort forms as in QEMU:");
    for (unsigned k = 0; k < LEN(aliases); k++) text_add(t, " %s", aliases[k].alias);
    text_add(t,
             " -nographic\nCPU models: %s\nIn the window, Ctrl+Alt and: G grabs or frees the "
             "mouse, F full screen, S next scaling,\n"
             "P screenshot, V the other display function, Q quits.\n",
             cpu_models());
}

/* One option at argv[*k]; returns as config_parse. */
static int parse_one(struct config *c, int argc, char **argv, int *k, struct text *out,
                     struct error *e)
{
    const char *word = argv[*k], *value = NULL;
    char name[64];
    const struct row *r = NULL;
    const struct alias *a = NULL;
    if (!strcmp(word, "-nographic")) return config_set(c, "display", "none", e);
    for (unsigned n = 0; n < LEN(aliases) && !a; n++) {
        if (!strcmp(word, aliases[n].alias)) a = &aliases[n];
    }
    if (a) {
        r = find_row(a->row);
    } else {
        const char *bare = word + 1 + (word[1] == '-');
        size_t n = strcspn(bare, "=");
        snprintf(name, sizeof(name), "%.*s", (int)MIN(n, sizeof(name) - 1), bare);
        r = word[1] == '-' ? find_row(name) : NULL;
        if (!r && word[1] != '-') return unknown_short(word, e);
        if (!r) return unknown(name, e);
        if (bare[n] == '=') value = bare + n + 1;
    }
    if (r->kind == K_HELP) {
        const char *dev = *k + 1 < argc ? argv[*k + 1] : value;
        if (dev && board_device_help(dev, out) == 0) return 1;
        if (dev) return error_set(e, "--help: there is no device class '%s'", dev);
        print_help(out);
        return 1;
    }
    if (r->kind == K_VERSION) return text_add(out, "aeropc " AEROPC_VERSION "\n"), 1;
    if (r->kind == K_PRINT) return 2;
    if (a && a->fixed) return set_row(c, r, a->suffix, e);
    if (r->kind == K_FLAG && !value) value = "on";
    if (!value) {
        if (*k + 1 >= argc) return error_set(e, "%s needs a value: %s", word, r->arg);
        value = argv[++*k];
    }
    struct text full;
    text_init(&full);
    bool letters = a && r->offset == AT(boot);
    int ret = letters ? boot_letters(value, &full, e) : 0;
    if (!letters) text_add(&full, "%s%s", value, a ? a->suffix : "");
    if (!ret && full.s) ret = set_row(c, r, full.s, e); /* menu=off alone says nothing */
    text_free(&full);
    return ret;
}

/* The contents of c are checked against each other once, here. */
static int validate(const struct config *c, struct error *e)
{
    if (c->memory < 16 * MIB || c->memory > 62 * GIB || c->memory % MIB) {
        return error_set(e, "--memory: guest RAM must be whole MiB from 16M to 62G");
    }
    if (c->write && c->throwaway)
        return error_set(e, "--write and --throwaway contradict each other: give one");
    if (c->cdroms.n > 1)
        return error_set(
            e, "--cdrom: one drive is provided; change the disc with 'cd FILE' in the monitor");
    if (c->floppies.n > 2) return error_set(e, "--floppy: there are two drives, A and B");
    if (c->serials.n > 2) return error_set(e, "--serial: there are two ports, COM1 and COM2");
    return 0;
}

/* With one display function there is nothing to choose; a config file may hold the default. */
static int check_owner(const struct config *c, bool asked, struct error *e)
{
    if (!strcmp(c->profile, "dual")) return 0;
    const char *owner = strcmp(c->profile, "vga") ? "aerogpu" : "stdvga";
    if (!strcmp(c->boot_vga, owner) || (!asked && !strcmp(c->boot_vga, "stdvga"))) return 0;
    return error_set(e, "--boot-vga %s needs --profile dual: with --profile %s it is %s",
                     c->boot_vga, c->profile, owner);
}

int config_parse(struct config *c, int argc, char **argv, struct text *out, struct error *e)
{
    bool print = false, nographic = false, owner = false;
    for (int k = 1; k < argc; k++) {
        if (argv[k][0] != '-' || !argv[k][1]) {
            if (image_attach(c, argv[k], e)) return -1;
            continue;
        }
        nographic |= !strcmp(argv[k], "-nographic");
        owner |= !strncmp(argv[k], "--boot-vga", strlen("--boot-vga"));
        int ret = parse_one(c, argc, argv, &k, out, e);
        if (ret == 2)
            print = true;
        else if (ret)
            return ret;
    }
    /* Besides turning off the window, -nographic puts COM1 on the terminal, unless a --serial
     * before or behind it says otherwise. */
    if (nographic && !c->serials.n && config_set(c, "serial", "stdio", e)) return -1;
    if (validate(c, e) || check_owner(c, owner, e)) return -1;
    if (print) config_print(c, out);
    return print;
}
