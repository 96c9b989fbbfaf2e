/* Firmware configuration: the board's tables and settings as a list of byte strings behind two
 * ports.
 *
 * Port 510h (16 bits) selects an item and rewinds it; port 511h reads it byte by byte, zeros past
 * its end. Item 0 is the signature "QEMU", item 1 the interface version 1, item 19h the directory
 * of named files: a 32-bit big-endian count, then per file size (32 bits), item number (16 bits,
 * from 20h), 16 reserved bits, all big-endian, and a name of 56 bytes, sorted by name. The layout
 * is the one SeaBIOS, OVMF and our BIOS understand.
 *
 * Left out: the DMA interface (bit 1 of item 1 is clear) and writes (ignored). */
#include "devices/fwcfg.h"

#include <stdlib.h>

enum { ENTRY = 64, NUMBERED = 0x19 };

struct item {
    u8 *data;
    u32 len;
};

struct file {
    char name[FWCFG_NAME];
    struct item item;
};

struct fwcfg {
    struct device dev;
    struct item item[NUMBERED];
    struct file file[FWCFG_MAX_FILES]; /* in order of addition: item number = FWCFG_FILES + index */
    u32 files;
    u8 directory[4 + FWCFG_MAX_FILES * ENTRY];
    u16 selected;
    u32 offset;
    struct region ports;
};

static void st_be(u8 *p, u64 v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) p[i] = v >> ((size - 1 - i) * 8);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct file *const *)a)->name, (*(const struct file *const *)b)->name);
}

static void rebuild_directory(struct fwcfg *f)
{
    const struct file *sorted[FWCFG_MAX_FILES];
    for (u32 i = 0; i < f->files; i++) sorted[i] = &f->file[i];
    qsort(sorted, f->files, sizeof(sorted[0]), by_name);
    memset(f->directory, 0, sizeof(f->directory));
    st_be(f->directory, f->files, 4);
    for (u32 i = 0; i < f->files; i++) {
        u8 *p = f->directory + 4 + i * ENTRY;
        st_be(p, sorted[i]->item.len, 4);
        st_be(p + 4, FWCFG_FILES + (sorted[i] - f->file), 2);
        memcpy(p + 8, sorted[i]->name, FWCFG_NAME);
    }
}

static void set_item(struct item *i, const void *data, size_t len)
{
    free(i->data);
    i->data = xalloc(len ? len : 1);
    if (len) memcpy(i->data, data, len);
    i->len = len;
}

int fwcfg_add_item(struct device *d, unsigned item, const void *data, size_t len)
{
    struct fwcfg *f = (struct fwcfg *)d;
    if (item <= FWCFG_ID || item >= NUMBERED || len > UINT32_MAX) return -1;
    set_item(&f->item[item], data, len);
    return 0;
}

int fwcfg_add_file(struct device *d, const char *name, const void *data, size_t len)
{
    struct fwcfg *f = (struct fwcfg *)d;
    if (!*name || strlen(name) >= FWCFG_NAME || len > UINT32_MAX) return -1;
    u32 n = 0;
    while (n < f->files && strcmp(f->file[n].name, name)) n++;
    if (n == FWCFG_MAX_FILES) return -1;
    if (n == f->files) {
        memcpy(f->file[n].name, name, strlen(name));
        f->files++;
    }
    set_item(&f->file[n].item, data, len);
    rebuild_directory(f);
    return 0;
}

/* The selected item's bytes; an unknown number is an empty one. */
static struct item current(struct fwcfg *f)
{
    u32 n = f->selected & 0x3fff; /* bits 15 and 14: architecture space and write flag */
    if (f->selected & 0x8000) return (struct item){ NULL, 0 };
    if (n < NUMBERED) return f->item[n];
    if (n == FWCFG_DIRECTORY) return (struct item){ f->directory, 4 + f->files * ENTRY };
    if (n >= FWCFG_FILES && n - FWCFG_FILES < f->files) return f->file[n - FWCFG_FILES].item;
    return (struct item){ NULL, 0 };
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    struct fwcfg *f = opaque;
    (void)size;
    if (offset == 0) return f->selected & 0xff;
    struct item i = current(f);
    return f->offset < i.len ? i.data[f->offset++] : 0;
}

/* A 16-bit write of 510h arrives whole; a byte write selects items below 100h. Nothing is writable
 * through 511h. */
static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct fwcfg *f = opaque;
    (void)size;
    if (offset) return;
    f->selected = value;
    f->offset = 0;
    TRACE(fwcfg_select, f->selected, 0, 0, 0);
}

/* A kernel is read byte by byte through 511h. */
static unsigned data_run(void *opaque, u64 offset, unsigned size, void *buf, unsigned n)
{
    struct fwcfg *f = opaque;
    struct item i = current(f);
    if (offset != 1 || size != 1 || f->offset >= i.len) return 0;
    n = (unsigned)MIN(n, i.len - f->offset);
    memcpy(buf, i.data + f->offset, n);
    f->offset += n;
    return n;
}

static unsigned no_write_run(void *opaque, u64 offset, unsigned size, const void *buf, unsigned n)
{
    (void)opaque, (void)offset, (void)size, (void)buf, (void)n;
    return 0;
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 2 };
static const struct run_ops port_runs = { data_run, no_write_run };

static int fwcfg_init(struct device *d, struct error *e)
{
    struct fwcfg *f = (struct fwcfg *)d;
    static const u8 version[4] = { 1 };
    set_item(&f->item[FWCFG_SIGNATURE], "QEMU", 4);
    set_item(&f->item[FWCFG_ID], version, 4);
    rebuild_directory(f);
    region_init_io(&f->ports, "fwcfg", 2, &port_ops, f);
    f->ports.runs = &port_runs;
    return bus_map(d->host->io, 0x510, &f->ports, 0, e);
}

static void fwcfg_reset(struct device *d, enum reset_kind kind)
{
    struct fwcfg *f = (struct fwcfg *)d;
    (void)kind;
    f->selected = 0;
    f->offset = 0;
}

static void fwcfg_info(struct device *d, struct text *t)
{
    struct fwcfg *f = (struct fwcfg *)d;
    text_add(t, "selected %04x at %u\n", f->selected, f->offset);
    for (u32 i = 0; i < f->files; i++) {
        text_add(t, "%04x %8u %s\n", FWCFG_FILES + i, f->file[i].item.len, f->file[i].name);
    }
}

static void fwcfg_fini(struct device *d)
{
    struct fwcfg *f = (struct fwcfg *)d;
    for (unsigned i = 0; i < NUMBERED; i++) free(f->item[i].data);
    for (u32 i = 0; i < f->files; i++) free(f->file[i].item.data);
    region_fini(&f->ports);
}

static const struct device_field fwcfg_fields[] = {
    FIELD(struct fwcfg, selected),
    FIELD(struct fwcfg, offset),
    { 0 },
};

const struct device_class fwcfg_class = {
    .name = "fwcfg",
    .help = "firmware configuration ports 510h-511h",
    .size = sizeof(struct fwcfg),
    .version = 1,
    .fields = fwcfg_fields,
    .init = fwcfg_init,
    .reset = fwcfg_reset,
    .info = fwcfg_info,
    .fini = fwcfg_fini,
};
