/* The board: THE wiring table (device-set.md sections 2 and 3). Rows say which chips exist, in
 * which slot, with which neighbours; a second table says which output pin drives what. The code
 * below only walks them. Disks are the one thing made by code, because the user names them.
 *
 * ISA interrupts: every source of IRQ n is an input of one or-gate; its output goes to pin n of the
 * 8259 pair and to pin n of the I/O APIC (IRQ 0 to pin 2), so the same wiring serves both modes.
 * I/O APIC pins 16-23 have an or-gate each, too, for the HPET and the test device. */
#include "machine/board/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "devices/acpi_pm.h"  /* acpi_pm_power_button */
#include "devices/ata.h"      /* atapi_set_media */
#include "devices/fdc.h"      /* fdc_cmos_type */
#include "devices/fwcfg.h"    /* fwcfg_add_file */
#include "devices/hpet.h"     /* hpet_set_busy_probe */
#include "devices/i8254.h"    /* i8254_set_busy_probe */
#include "devices/i8259.h"    /* i8259_intack */
#include "devices/ioapic.h"   /* ioapic_eoi */
#include "devices/mc146818.h" /* mc146818_set_cmos */
#include "gpu/vga.h"          /* struct vga_rom */
#include "machine/board/kernel.h"
#include "machine/board/wiring.h"
#include "machine/host/block.h"
#include "machine/host/chardev.h"
#include "machine/machine.h"

#define MAX_DEVICES 48
#define MAX_BLOCKS 16
#define MAX_ROM (256 * KIB)

#define CLASS(name) extern const struct device_class name##_class;
#include "machine/board/classes.def"
#undef CLASS

struct board {
    struct device *devices[MAX_DEVICES];
    unsigned ndevices;
    struct irq_or isa[16];
    struct irq_split isa_split[16];
    struct irq_or gsi[8]; /* I/O APIC inputs 16-23 */
    int inputs[24];       /* of the or-gates, used so far */
    struct block *blocks[MAX_BLOCKS];
    unsigned nblocks;
    struct block *cd;
    struct chardev *chars[3]; /* COM1, COM2, debug console */
    u8 *bios, *vgabios;
    size_t bios_size, vgabios_size;
    u8 *kernel; /* --kernel: what the BIOS starts (kernel.h), until it is handed over */
    size_t kernel_size;
    struct region bios_top, bios_isa; /* below 4 GiB; E0000-FFFFF */
    struct vga_rom vga_rom;
};

/* clang-format off */
static const struct board_row board_rows[] = {
    { &pic_class,      "pic",      ALWAYS,     NULL, NULL },
    { &ioapic_class,   "ioapic",   ALWAYS,     NULL, NULL },
    { &pit_class,      "pit",      ALWAYS,     NULL, NULL },
    { &rtc_class,      "rtc",      ALWAYS,     NULL, NULL },
    { &hpet_class,     "hpet",     IF_HPET,    NULL, NULL },
    { &dma_class,      "dma",      ALWAYS,     NULL, NULL },
    { &port92_class,   "port92",   ALWAYS,     NULL, NULL },
    { &kbc_class,      "kbc",      ALWAYS,     NULL, "input=@input" },
    { &uart_class,     "com1",     ALWAYS,     "port=0x3f8", "chardev=@com1" },
    { &uart_class,     "com2",     ALWAYS,     "port=0x2f8", "chardev=@com2" },
    { &debugcon_class, "debugcon", ALWAYS,     NULL, "chardev=@debugcon" },
    { &port80_class,   "port80",   ALWAYS,     NULL, NULL },
    { &testexit_class, "testexit", ALWAYS,     NULL, NULL },
    { &testdev_class,  "testdev",  IF_TESTDEV, NULL, NULL },
    { &fpu_port_class, "fpu",      ALWAYS,     NULL, NULL },
    { &fwcfg_class,    "fwcfg",    ALWAYS,     NULL, NULL },
    { &pci_bus_class,  "pci0",     ALWAYS,     NULL, NULL },
    { &i440fx_class,   "host",     ALWAYS,     "addr=0x00", "pci=pci0 ram=@ram" },
    { &piix3_class,    "isa",      ALWAYS,     "addr=0x08", "pci=pci0" },
    { &acpi_pm_class,  "pm",       ALWAYS,     "addr=0x0b", "pci=pci0" },
    { &vga_class,      "vga",      IF_VGA,     "addr=0x60", "pci=pci0 display=@display rom=@vgarom" },
    /* Next to AeroGPU as the boot display: BARs only. */
    { &vga_class,      "vga",      IF_VGA_SPARE, "addr=0x60 class=0x038000 legacy=off", "pci=pci0 display=@display" },
    { &aerogpu_class,  "aerogpu",  IF_AEROGPU, "addr=0x38", "pci=pci0 display=@display" },
    { &aerogpu_class,  "aerogpu",  IF_AEROGPU_BOOT, "addr=0x38 legacy=on", "pci=pci0 display=@display" },
    { &fdc_class,      "fdc",      ALWAYS,     NULL, "dma=dma block0=@fd0 block1=@fd1" },
    { &atapi_cdrom_class, "cd0",   ALWAYS,     NULL, "block=@cd0" },
    /* After the disks, which the user names: */
    { &piix_ide_class, "ide",      IF_CONFIGURED, "addr=0x09", "pci=pci0 drive0=ide0 drive1=ide1 drive2=cd0 drive3=ide3" },
    { &ahci_class,     "ahci",     IF_CONFIGURED, "addr=0x10", "pci=pci0 port0=ahci0 port1=ahci1 port2=ahci2 port3=ahci3 port4=ahci4 port5=ahci5" },
};

static const struct wire_row wire_rows[] = {
    { "pit",  "irq0",    0, "hpet", 0 },  /* through the HPET when there is one */
    { "hpet", "irq0",    0, NULL,   0 },
    { "rtc",  "irq8",    0, "hpet", 1 },
    { "hpet", "irq8",    0, NULL,   8 },
    { "kbc",  "irq1",    0, NULL,   1 },
    { "kbc",  "irq12",   0, NULL,  12 },
    { "com2", "irq",     0, NULL,   3 },
    { "com1", "irq",     0, NULL,   4 },
    { "fdc",  "irq",     0, NULL,   6 },
    { "pm",   "sci",     0, NULL, SCI_IRQ },
    { "fpu",  "irq13",   0, NULL,  13 },
    { "ide",  "irq",     0, NULL,  14 },
    { "ide",  "irq",     1, NULL,  15 },
    { "pci0", "pirq",    0, "isa",  0 },
    { "pci0", "pirq",    1, "isa",  1 },
    { "pci0", "pirq",    2, "isa",  2 },
    { "pci0", "pirq",    3, "isa",  3 },
};

const struct link_row board_links[BOARD_LINKS] = {
    { "LNKA", 0x60, 10 }, { "LNKB", 0x61, 10 }, { "LNKC", 0x62, 11 }, { "LNKD", 0x63, 11 },
};
const u8 board_pci_irqs[3] = { 5, 10, 11 };

static const struct device_class *const classes[] = {
#define CLASS(name) &name##_class,
#include "machine/board/classes.def"
#undef CLASS
};
/* clang-format on */

struct device *board_device(struct machine *m, const char *name)
{
    struct board *b = m->board;
    for (unsigned k = 0; b && k < b->ndevices; k++) {
        if (!strcmp(b->devices[k]->name, name)) return b->devices[k];
    }
    return NULL;
}

/* --- backends --- */

static struct block *open_block(struct machine *m, const char *path, enum block_mode mode,
                                struct error *e)
{
    struct board *b = m->board;
    if (b->nblocks == MAX_BLOCKS) {
        error_set(e, "%s: too many images", path);
        return NULL;
    }
    struct block *k = block_open(path, mode, e);
    if (k) b->blocks[b->nblocks++] = k;
    return k;
}

static enum block_mode disk_mode(const struct config *c)
{
    return c->write ? BLOCK_WRITE : c->throwaway ? BLOCK_THROWAWAY : BLOCK_OVERLAY;
}

/* Reads a ROM file given by the user or built by us. */
static int load_rom(const char *path, size_t max, u8 **data, size_t *size, struct error *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) return error_set(e, "%s: %s", path, strerror(errno));
    u8 *p = xalloc(max + 1);
    size_t n = fread(p, 1, max + 1, f);
    int err = ferror(f) ? errno : 0; /* a folder opens, but does not read */
    fclose(f);
    *data = p;
    *size = n;
    if (err) return error_set(e, "%s: %s", path, strerror(err));
    if (n > max || !n)
        return error_set(e, "%s: a ROM of at most %zu KiB was expected, this file is %s", path,
                         max / 1024, n ? "larger" : "empty");
    return 0;
}

static int load_roms(struct machine *m, struct error *e)
{
    struct board *b = m->board;
    struct config *c = m->cfg;
    char *bios = c->bios ? xstrdup(c->bios) : xasprintf("%s/bios.bin", c->rom_dir);
    char *vga = c->vgabios ? xstrdup(c->vgabios) : xasprintf("%s/vgabios.bin", c->rom_dir);
    int ret = load_rom(bios, MAX_ROM, &b->bios, &b->bios_size, e);
    if (!ret && b->bios_size != 64 * KIB && b->bios_size != 128 * KIB &&
        b->bios_size != 256 * KIB) {
        ret = error_set(e, "%s is %zu bytes: a system BIOS has 64, 128 or 256 KiB", bios,
                        b->bios_size);
    }
    if (!ret) ret = load_rom(vga, 64 * KIB, &b->vgabios, &b->vgabios_size, e);
    if (!ret && (b->vgabios[0] != 0x55 || b->vgabios[1] != 0xaa))
        ret = error_set(e, "%s is not an option ROM (no 55h AAh at its start)", vga);
    if (!ret && b->vgabios_size < b->vgabios[2] * 512u) {
        ret = error_set(e, "%s is truncated: %zu bytes of the %u its header names", vga,
                        b->vgabios_size, b->vgabios[2] * 512u);
    }
    if (ret && !c->bios && !c->vgabios)
        error_prefix(e, "our own ROMs are not where they should be (run make, or see --rom-dir)");
    free(bios);
    free(vga);
    return ret;
}

/* The ROM ends at 4 GiB; its last 128 KiB (or all of 64) also answer below 1 MiB. */
static int map_bios(struct machine *m, struct error *e)
{
    struct board *b = m->board;
    u8 *rom = aligned_alloc(4096, b->bios_size);
    check(rom != NULL);
    memcpy(rom, b->bios, b->bios_size);
    free(b->bios);
    b->bios = rom;
    size_t isa = MIN(b->bios_size, 128 * KIB);
    region_init_rom(&b->bios_top, "bios", b->bios_size, rom);
    region_init_alias(&b->bios_isa, "bios-isa", &b->bios_top, b->bios_size - isa, isa);
    if (bus_map(&m->mem, 4 * GIB - b->bios_size, &b->bios_top, 0, e)) return -1;
    return bus_map(&m->mem, MIB - isa, &b->bios_isa, 0, e);
}

static int open_chars(struct machine *m, struct error *e)
{
    struct board *b = m->board;
    struct config *c = m->cfg;
    const char *specs[3] = { c->serials.n > 0 ? c->serials.s[0] : NULL,
                             c->serials.n > 1 ? c->serials.s[1] : NULL, c->debugcon };
    for (unsigned k = 0; k < LEN(specs); k++) {
        if (!specs[k] && k == 2) continue; /* the debug console writes to the log */
        b->chars[k] = chardev_open(specs[k] ? specs[k] : "null", false, e);
        if (!b->chars[k]) return error_prefix(e, "%s", k < 2 ? "--serial" : "--debugcon");
    }
    return 0;
}

/* --- devices from the rows --- */

/* Whether AeroGPU, not Standard VGA, answers the legacy ranges (device-set.md section 4). */
static bool aerogpu_boots(const struct machine *m)
{
    if (!strcmp(m->cfg->profile, "dual")) return !strcmp(m->cfg->boot_vga, "aerogpu");
    return !strcmp(m->cfg->profile, "aerogpu");
}

/* The one chip that --set makes as a whole: "testdev=on". */
static bool names_testdev(const char *set)
{
    return !strncmp(set, "testdev=", 8);
}

static bool wants_testdev(const struct config *c)
{
    bool on = false;
    for (unsigned k = 0; k < c->sets.n; k++) {
        if (names_testdev(c->sets.s[k])) on = !strcmp(c->sets.s[k] + 8, "on");
    }
    return on;
}

static bool present(const struct machine *m, const struct board_row *r)
{
    const char *profile = m->cfg->profile;
    switch (r->when) {
    case IF_VGA: return !aerogpu_boots(m);
    case IF_VGA_SPARE: return aerogpu_boots(m) && !strcmp(profile, "dual");
    case IF_AEROGPU: return strcmp(profile, "vga") != 0 && !aerogpu_boots(m);
    case IF_AEROGPU_BOOT: return aerogpu_boots(m);
    case IF_HPET: return m->cfg->hpet;
    case IF_TESTDEV: return wants_testdev(m->cfg);
    default: return true;
    }
}

static void *service(struct machine *m, const char *name)
{
    struct board *b = m->board;
    if (!strcmp(name, "ram")) return &m->ram_low;
    if (!strcmp(name, "input")) return &m->input;
    if (!strcmp(name, "display")) return m->display;
    if (!strcmp(name, "vgarom")) return &b->vga_rom;
    if (!strcmp(name, "com1")) return b->chars[0];
    if (!strcmp(name, "com2")) return b->chars[1];
    if (!strcmp(name, "debugcon")) return b->chars[2];
    if (!strcmp(name, "cd0")) return b->cd;
    return NULL; /* floppies are set by code, other names are absent disks */
}

static void next_word(const char **s, char *key, char *value, size_t len)
{
    const char *eq = strchr(*s, '=');
    size_t n = strcspn(*s, " ");
    check(eq && (size_t)(eq - *s) < n && n < len);
    snprintf(key, len, "%.*s", (int)(eq - *s), *s);
    snprintf(value, len, "%.*s", (int)(*s + n - eq - 1), eq + 1);
    *s += n;
    *s += strspn(*s, " ");
}

static int set_user_options(struct machine *m, struct device *d, struct error *e)
{
    for (unsigned k = 0; k < m->cfg->sets.n; k++) {
        const char *s = m->cfg->sets.s[k], *dot = strchr(s, '.'), *eq = strchr(s, '=');
        if (names_testdev(s)) continue;
        if (!dot || !eq || dot > eq)
            return error_set(e, "--set %s: expected DEVICE.OPTION=VALUE", s);
        if (strncmp(s, d->name, (size_t)(dot - s)) || strlen(d->name) != (size_t)(dot - s))
            continue;
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)(eq - dot - 1), dot + 1);
        if (device_set_option(d, name, eq + 1, e)) return error_prefix(e, "--set %s", s);
    }
    return 0;
}

static int check_sets(struct machine *m, struct error *e)
{
    for (unsigned k = 0; k < m->cfg->sets.n; k++) {
        const char *set = m->cfg->sets.s[k];
        char name[64];
        if (names_testdev(set)) {
            if (strcmp(set + 8, "on") && strcmp(set + 8, "off"))
                return error_set(e, "--set %s: use on or off", set);
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(m->cfg->sets.s[k], "."),
                 m->cfg->sets.s[k]);
        if (!board_device(m, name))
            return error_set(e, "--set %s: there is no device '%s' on this board",
                             m->cfg->sets.s[k], name);
    }
    return 0;
}

static struct device *make_device(struct machine *m, const struct device_class *cls,
                                  const char *name, const char *options, const char *pointers,
                                  struct error *e)
{
    struct board *b = m->board;
    check(b->ndevices < MAX_DEVICES);
    struct device *d = device_create(cls, name, &m->host);
    b->devices[b->ndevices++] = d;
    char key[64], value[64];
    for (const char *s = options ? options : ""; *s;) {
        next_word(&s, key, value, sizeof(key));
        check(device_set_option(d, key, value, NULL) == 0);
    }
    for (const char *s = pointers ? pointers : ""; *s;) {
        next_word(&s, key, value, sizeof(key));
        void *p = value[0] == '@' ? service(m, value + 1) : board_device(m, value);
        if (p) check(device_set_ptr(d, key, p) == 0);
    }
    return set_user_options(m, d, e) ? NULL : d;
}

/* Disks: ahci0-5 in order, ide0, ide1, ide3 for those that ask for IDE (the CD drive is the
 * secondary master). */
enum { MAX_DISKS = 9 };
static const char *const ide_names[] = { "ide0", "ide1", "ide3" };
static const char *const ahci_names[] = { "ahci0", "ahci1", "ahci2", "ahci3", "ahci4", "ahci5" };

static const char *disk_name(unsigned k)
{
    return k < LEN(ide_names) ? ide_names[k] : ahci_names[k - LEN(ide_names)];
}

static int make_disks(struct machine *m, struct error *e)
{
    unsigned nide = 0, nahci = 0;
    for (unsigned k = 0; k < m->cfg->disks.n; k++) {
        const char *spec = m->cfg->disks.s[k];
        char path[4096], iface[16], serial[32];
        spec_path(spec, path, sizeof(path));
        if (!spec_option(spec, "if", iface, sizeof(iface))) strcpy(iface, "ahci");
        bool ide = !strcmp(iface, "ide");
        if (!ide && strcmp(iface, "ahci"))
            return error_set(e, "--disk %s: if=%s is neither ahci nor ide", path, iface);
        if (ide ? nide == LEN(ide_names) : nahci == LEN(ahci_names))
            return error_set(e, "--disk %s: no free place on the %s controller", path, iface);
        const char *name = ide ? ide_names[nide++] : ahci_names[nahci++];
        struct block *blk = open_block(m, path, disk_mode(m->cfg), e);
        if (!blk) return -1;
        snprintf(serial, sizeof(serial), "serial=AEROPC-%s", name);
        struct device *d = make_device(m, &ata_disk_class, name, serial, NULL, e);
        if (!d) return -1;
        device_set_ptr(d, "block", blk);
        if (device_init(d, e)) return -1;
    }
    return 0;
}

static int open_removable(struct machine *m, struct block **fd, struct error *e)
{
    struct config *c = m->cfg;
    for (unsigned k = 0; k < c->floppies.n; k++) {
        fd[k] = open_block(m, c->floppies.s[k], disk_mode(c), e);
        if (!fd[k]) return -1;
    }
    if (c->cdroms.n && *c->cdroms.s[0]) {
        char path[4096], iface[16];
        spec_path(c->cdroms.s[0], path, sizeof(path));
        if (spec_option(c->cdroms.s[0], "if", iface, sizeof(iface)) && strcmp(iface, "ahci") &&
            strcmp(iface, "ide")) {
            return error_set(e, "--cdrom %s: if=%s is neither ahci nor ide", path, iface);
        }
        m->board->cd = block_open(path, BLOCK_READONLY, e);
        if (!m->board->cd) return -1;
    }
    return 0;
}

/* With --cdrom FILE,if=ahci the drive sits on the first free AHCI port in place of the IDE
 * controller. */
static int place_cd(struct machine *m, struct device *d, struct error *e)
{
    char iface[16], port[16];
    struct config *c = m->cfg;
    if (!c->cdroms.n || !spec_option(c->cdroms.s[0], "if", iface, sizeof(iface)) ||
        strcmp(iface, "ahci"))
        return 0;
    if (d->cls == &piix_ide_class) return device_set_ptr(d, "drive2", NULL);
    if (d->cls != &ahci_class) return 0;
    unsigned k = 0;
    while (k < LEN(ahci_names) && board_device(m, ahci_names[k])) k++;
    if (k == LEN(ahci_names))
        return error_set(e, "--cdrom %s: no free port on the AHCI controller", c->cdroms.s[0]);
    snprintf(port, sizeof(port), "port%u", k);
    return device_set_ptr(d, port, board_device(m, "cd0"));
}

/* --- wires --- */

/* One more source of an interrupt: 0-15 ISA, 16-23 inputs that only the I/O APIC has. */
static struct irq irq_line(struct machine *m, unsigned irq)
{
    struct board *b = m->board;
    return irq_or_input(irq < 16 ? &b->isa[irq] : &b->gsi[irq - 16], b->inputs[irq]++);
}

/* Chips that can drive many lines: the HPET any of 16-23, the test device all but the cascade. */
static void connect_many(struct machine *m)
{
    struct device *hpet = board_device(m, "hpet"), *test = board_device(m, "testdev");
    for (unsigned n = 0; n < 24; n++) {
        if (hpet && n >= 16) device_connect(hpet, "gsi", n, irq_line(m, n));
        if (test && n != 2) device_connect(test, "line", n, irq_line(m, n));
    }
}

static void connect_isa(struct machine *m)
{
    struct board *b = m->board;
    struct device *pic = board_device(m, "pic"), *ioapic = board_device(m, "ioapic"),
                  *isa = board_device(m, "isa");
    for (unsigned n = 0; n < 16; n++) {
        b->isa_split[n] =
            (struct irq_split){ device_input(pic, (int)n), device_input(ioapic, n ? (int)n : 2) };
        if (n == 2) b->isa_split[n].b = (struct irq){ 0 };
        b->isa[n].out = irq_split_input(&b->isa_split[n]);
        if (n > 2 && n != 8 && n != 13) device_connect(isa, "isa_irq", n, irq_line(m, n));
    }
    for (unsigned n = 16; n < 24; n++) b->gsi[n - 16].out = device_input(ioapic, (int)n);
    connect_many(m);
    for (unsigned k = 0; k < LEN(wire_rows); k++) {
        const struct wire_row *w = &wire_rows[k];
        struct device *from = board_device(m, w->from), *to = w->to ? board_device(m, w->to) : NULL;
        if (!from) continue;
        /* Where the HPET would sit in between but is absent, the wire goes straight to what the
         * HPET would drive. */
        int pin = w->to && !to ? (w->pin ? 8 : 0) : w->pin;
        struct irq line = to ? device_input(to, w->pin) : irq_line(m, (unsigned)pin);
        check(device_connect(from, w->output, w->index, line) == 0);
    }
}

static void set_intr(void *cpu, int pin, bool level)
{
    (void)pin;
    cpu_set_intr(cpu, level);
}

static void set_ignne(void *cpu, int pin, bool level)
{
    (void)pin;
    if (level) cpu_ignne(cpu);
}

static void set_smi(void *cpu, int pin, bool level)
{
    (void)pin;
    if (level) cpu_smi(cpu);
}

static int intack(void *pic)
{
    return i8259_intack(pic);
}

/* Whether a clock's last interrupt still waits, wherever the guest has routed it. */
static bool still_waits(struct machine *m, int irq)
{
    int vector = ioapic_edge_vector(board_device(m, "ioapic"), irq ? irq : 2);
    return (irq < 16 && i8259_edge_pending(board_device(m, "pic"), irq)) ||
           (vector >= 0 && cpu_vector_pending(m->cpu, (u8)vector));
}

static bool pit_busy(void *machine)
{
    return still_waits(machine, 0);
}

static bool rtc_busy(void *machine)
{
    return still_waits(machine, 8);
}

static bool hpet_busy(void *machine, unsigned pin)
{
    return still_waits(machine, (int)pin);
}

static void eoi(void *ioapic, int vector)
{
    ioapic_eoi(ioapic, vector);
}

static int make_cpu(struct machine *m, struct error *e)
{
    struct device *pic = board_device(m, "pic"), *fpu = board_device(m, "fpu");
    struct cpu_env env = { .host = &m->host,
                           .intack = intack,
                           .intack_opaque = pic,
                           .ferr = device_input(fpu, 0),
                           .smiact = device_input(board_device(m, "host"), 0),
                           .tsc_hz = 2000000000ull,
                           .engine = m->cfg->engine };
    m->cpu = cpu_create(m->cfg->cpu, &env, e);
    if (!m->cpu) return error_prefix(e, "--cpu, --engine");
    cpu_set_eoi_listener(m->cpu, eoi, board_device(m, "ioapic"));
    i8254_set_busy_probe(board_device(m, "pit"), pit_busy, m);
    mc146818_set_busy_probe(board_device(m, "rtc"), rtc_busy, m);
    if (board_device(m, "hpet")) hpet_set_busy_probe(board_device(m, "hpet"), hpet_busy, m);
    device_connect(pic, "intr", 0, irq_make(set_intr, m->cpu, 0));
    device_connect(fpu, "ignne", 0, irq_make(set_ignne, m->cpu, 0));
    device_connect(board_device(m, "pm"), "smi", 0, irq_make(set_smi, m->cpu, 0));
    return 0;
}

/* --- what the firmware is told --- */

static void cmos16(struct device *rtc, unsigned index, u64 v)
{
    mc146818_set_cmos(rtc, index, (u8)v);
    mc146818_set_cmos(rtc, index + 1, (u8)(v >> 8));
}

/* Boot order nibbles of the CMOS, which SeaBIOS reads: 1 floppy, 2 disk, 3 CD. */
static u8 boot_nibble(const char *word)
{
    return !strncmp(word, "floppy", 6) ? 1 : !strncmp(word, "cdrom", 5) ? 3 : 2;
}

static const char *boot_order(const struct config *c)
{
    if (c->boot && strcmp(c->boot, "menu")) return c->boot;
    if (c->disks.n) return "disk,cdrom,floppy";
    return c->cdroms.n ? "cdrom,floppy,disk" : "floppy,disk,cdrom";
}

static void fill_cmos(struct machine *m)
{
    struct device *rtc = board_device(m, "rtc"), *fdc = board_device(m, "fdc");
    u64 ext = MIN(m->low_size - MIB, 63 * MIB) / KIB,
        above16 = m->low_size > 16 * MIB ? (m->low_size - 16 * MIB) / (64 * KIB) : 0;
    u64 high = (m->ram_size - m->low_size) / (64 * KIB);
    unsigned a = fdc_cmos_type(fdc, 0), b = fdc_cmos_type(fdc, 1);
    cmos16(rtc, 0x15, 640);
    cmos16(rtc, 0x17, ext);
    cmos16(rtc, 0x30, ext);
    cmos16(rtc, 0x34, above16);
    cmos16(rtc, 0x5b, high);
    mc146818_set_cmos(rtc, 0x5d, (u8)(high >> 16));
    mc146818_set_cmos(rtc, 0x5f, 0);
    mc146818_set_cmos(rtc, 0x10, (u8)(a << 4 | b));
    mc146818_set_cmos(rtc, 0x14, (u8)(0x06 | (a ? 1 | (b ? 0x40 : 0) : 0)));
    u8 order[3] = { 0, 0, 0 };
    unsigned n = 0;
    for (const char *s = boot_order(m->cfg); s && n < 3;
         s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        if (strncmp(s, "menu", 4)) order[n++] = boot_nibble(s);
    }
    mc146818_set_cmos(rtc, 0x3d, (u8)(order[0] | order[1] << 4));
    mc146818_set_cmos(rtc, 0x38, (u8)(order[2] << 4 | 1));
}

static void fill_fwcfg(struct machine *m)
{
    struct board *b = m->board;
    struct device *fw = board_device(m, "fwcfg");
    char boot[96];
    bool menu = m->cfg->boot && !strcmp(m->cfg->boot, "menu");
    /* Nobody can press F12 on a machine without a window: --boot menu is for that. */
    bool alone = !strcmp(m->cfg->display, "none");
    snprintf(boot, sizeof(boot), "%s%s%s", boot_order(m->cfg), menu ? ",menu" : "",
             alone ? ",nowait" : "");
    fwcfg_add_file(fw, "opt/aeropc/boot", boot, strlen(boot));
    const char *hd =
        m->cfg->disks.n && board_device(m, "ide0") && strstr(m->cfg->disks.s[0], ",if=ide")
            ? "ide0"
            : "ahci0";
    fwcfg_add_file(fw, "opt/aeropc/boothd", hd, strlen(hd));
    if (aerogpu_boots(m)) fwcfg_add_file(fw, "vgaroms/vgabios.bin", b->vgabios, b->vgabios_size);
    u8 e820[40];
    st64(e820, 0);
    st64(e820 + 8, m->low_size);
    st32(e820 + 16, 1);
    st64(e820 + 20, 4 * GIB);
    st64(e820 + 28, m->ram_size - m->low_size);
    st32(e820 + 36, 1);
    fwcfg_add_file(fw, "etc/e820", e820, m->ram_size > m->low_size ? 40 : 20);
    u8 ram[8], one[2] = { 1, 0 };
    st64(ram, m->ram_size);
    fwcfg_add_item(fw, 3, ram, 8);
    fwcfg_add_item(fw, 5, one, 2);
    fwcfg_add_item(fw, 15, one, 2);
    if (b->kernel) fwcfg_add_file(fw, KERNEL_FILE, b->kernel, b->kernel_size);
    free(b->kernel);
    b->kernel = NULL;
    acpi_build(m, fw);
    smbios_build(m, fw);
}

/* --- the whole --- */

static int validate_boot(const char *boot, struct error *e)
{
    for (const char *s = boot; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        size_t n = strcspn(s, ",");
        if ((n == 4 && (!strncmp(s, "disk", 4) || !strncmp(s, "menu", 4))) ||
            (n == 5 && !strncmp(s, "cdrom", 5)) || (n == 6 && !strncmp(s, "floppy", 6)))
            continue;
        return error_set(e, "--boot %s: use disk, cdrom and floppy separated by commas, or menu",
                         boot);
    }
    return 0;
}

static int make_rows(struct machine *m, struct block **fd, struct error *e)
{
    bool disks = false;
    for (unsigned k = 0; k < LEN(board_rows); k++) {
        const struct board_row *r = &board_rows[k];
        if (!present(m, r)) continue;
        if (r->when == IF_CONFIGURED && !disks) {
            if (make_disks(m, e)) return -1;
            disks = true;
        }
        struct device *d = make_device(m, r->cls, r->name, r->options, r->pointers, e);
        if (!d) return -1;
        if (place_cd(m, d, e)) return -1;
        if (r->cls == &fdc_class) {
            if (fd[0]) device_set_ptr(d, "block0", fd[0]);
            if (fd[1]) device_set_ptr(d, "block1", fd[1]);
        }
        if (device_init(d, e)) return -1;
    }
    return 0;
}

int board_build(struct machine *m, struct error *e)
{
    struct board *b = m->board = xalloc(sizeof(*b));
    struct block *fd[2] = { NULL, NULL };
    if (validate_boot(m->cfg->boot, e) ||
        kernel_load(m->cfg, m->low_size, &b->kernel, &b->kernel_size, e))
        return -1;
    if (load_roms(m, e) || map_bios(m, e) || open_chars(m, e) || open_removable(m, fd, e))
        return -1;
    b->vga_rom = (struct vga_rom){ b->vgabios, b->vgabios_size };
    if (make_rows(m, fd, e) || check_sets(m, e)) return -1;
    connect_isa(m);
    if (make_cpu(m, e)) return -1;
    fill_cmos(m);
    fill_fwcfg(m);
    return 0;
}

void board_reset(struct machine *m, enum reset_kind kind)
{
    struct board *b = m->board;
    m->host.a20_set(m, true);
    for (unsigned k = 0; k < b->ndevices; k++) {
        if (b->devices[k]->cls->reset) b->devices[k]->cls->reset(b->devices[k], kind);
    }
    cpu_reset(m->cpu);
}

void board_destroy(struct machine *m)
{
    struct board *b = m->board;
    if (!b) return;
    while (b->ndevices) device_destroy(b->devices[--b->ndevices]);
    for (unsigned k = 0; k < b->nblocks; k++) block_close(b->blocks[k]);
    if (b->cd) block_close(b->cd);
    for (unsigned k = 0; k < LEN(b->chars); k++) {
        if (b->chars[k]) chardev_close(b->chars[k]);
    }
    if (b->bios_isa.ram) bus_unmap(&b->bios_isa);
    if (b->bios_top.ram) region_fini(&b->bios_top);
    free(b->bios);
    free(b->vgabios);
    free(b->kernel);
    free(b);
    m->board = NULL;
}

struct chardev *board_serial(struct machine *m, unsigned n)
{
    return n < 2 ? m->board->chars[n] : NULL;
}

void board_poll_chars(struct machine *m)
{
    for (unsigned k = 0; k < LEN(m->board->chars); k++) {
        if (m->board->chars[k]) chardev_poll(m->board->chars[k]);
    }
}

struct device *board_device_at(struct machine *m, unsigned index)
{
    return index < m->board->ndevices ? m->board->devices[index] : NULL;
}

int board_device_help(const char *name, struct text *t)
{
    const struct device_class *cls = NULL;
    for (unsigned k = 0; k < LEN(classes); k++) {
        if (!strcmp(classes[k]->name, name)) cls = classes[k];
    }
    for (unsigned k = 0; k < LEN(board_rows) && !cls; k++) {
        if (!strcmp(board_rows[k].name, name)) cls = board_rows[k].cls;
    }
    for (unsigned k = 0; k < MAX_DISKS && !cls; k++) {
        if (!strcmp(disk_name(k), name)) cls = &ata_disk_class;
    }
    if (!cls) return -1;
    text_add(t, "%s: %s\n", cls->name, cls->help);
    for (const struct device_option *o = cls->options; o && o->name; o++) {
        if (o->type == OPT_PTR) continue;
        text_add(t, "  --set INSTANCE.%s=VALUE  %s", o->name, o->help ? o->help : "");
        if (o->deflt || o->type != OPT_STR) text_add(t, " [%s]", o->deflt ? o->deflt : "0");
        text_add(t, "\n");
    }
    text_add(t, "instances:");
    for (unsigned k = 0; k < LEN(board_rows); k++) {
        /* One instance may have several rows, of which a profile chooses: they follow each other.
         */
        bool again = k && !strcmp(board_rows[k].name, board_rows[k - 1].name);
        if (board_rows[k].cls == cls && !again) text_add(t, " %s", board_rows[k].name);
    }
    for (unsigned k = 0; cls == &ata_disk_class && k < MAX_DISKS; k++) {
        text_add(t, " %s", disk_name(k));
    }
    text_add(t, "\n");
    return 0;
}

void board_power_button(struct machine *m)
{
    acpi_pm_power_button(board_device(m, "pm"));
}

int board_change_cd(struct machine *m, const char *path, struct error *e)
{
    struct board *b = m->board;
    struct block *fresh = NULL;
    if (path) {
        fresh = block_open(path, BLOCK_READONLY, e);
        if (!fresh) return -1;
    }
    if (atapi_set_media(board_device(m, "cd0"), fresh, e)) {
        if (fresh) block_close(fresh);
        return -1;
    }
    if (b->cd) block_close(b->cd);
    b->cd = fresh;
    return 0;
}
