/*
 * ACPI tables: the board builds them, this places and links them.
 *
 * etc/table-loader is a list of 128-byte commands: 1 allocate a file (zone 1: high memory, 2: F
 * segment) and load it, 2 add a file's address to a field of another, 3 write a checksum, 4 write
 * an address back to the host. Names and offsets come from the host but are checked all the same.
 * Left out: command 4 (needs the write interface, which this board does not have).
 */
#include "bios/fwcfg.h"
#include "bios/post.h"
#include "bios/state.h"

enum { CMD_ALLOCATE = 1, CMD_POINTER = 2, CMD_CHECKSUM = 3, MAX_LOADED = 8, MAX_COMMANDS = 256 };

struct command {
    u32 op;
    union {
        struct {
            char file[FW_NAME];
            u32 align;
            u8 zone;
        } __attribute__((packed)) alloc;
        struct {
            char dest[FW_NAME], src[FW_NAME];
            u32 offset;
            u8 size;
        } __attribute__((packed)) pointer;
        struct {
            char file[FW_NAME];
            u32 offset, start, length;
        } __attribute__((packed)) sum;
        u8 raw[124];
    };
};
_Static_assert(sizeof(struct command) == 128, "table-loader command");

struct loaded {
    u32 addr, size;
    char name[FW_NAME];
};

struct loader {
    struct loaded file[MAX_LOADED];
    u32 count;
};

static struct loaded *find(struct loader *l, char *name)
{
    name[FW_NAME - 1] = 0;
    for (u32 i = 0; i < l->count; i++)
        if (str_equal(l->file[i].name, name)) return &l->file[i];
    return NULL;
}

static int allocate(struct loader *l, struct command *c)
{
    struct fw_file f;
    c->alloc.file[FW_NAME - 1] = 0;
    if (l->count == MAX_LOADED || !fw_find(c->alloc.file, &f)) return 0;
    u32 addr = c->alloc.zone == 2 ? f_segment_alloc(f.size, c->alloc.align)
                                  : table_alloc(f.size, c->alloc.align);
    if (addr == 0) return 0;
    fw_select(f.select);
    fw_read_flat(addr, f.size);
    struct loaded *d = &l->file[l->count++];
    d->addr = addr;
    d->size = f.size;
    memcpy(d->name, f.name, FW_NAME);
    if (str_equal(f.name, "etc/acpi/rsdp")) bs.rsdp = addr;
    return 1;
}

static int add_pointer(struct loader *l, struct command *c)
{
    struct loaded *d = find(l, c->pointer.dest), *s = find(l, c->pointer.src);
    u32 size = c->pointer.size;
    if (!d || !s || (size != 1 && size != 2 && size != 4 && size != 8)) return 0;
    if (c->pointer.offset > d->size || size > d->size - c->pointer.offset) return 0;
    u32 at = d->addr + c->pointer.offset;
    u8 field[8];
    memset(field, 0, sizeof field);
    flat_copy((SEG_DATA << 4) + (u32)field, at, size);
    u64 v;
    memcpy(&v, field, 8);
    v += s->addr;
    memcpy(field, &v, 8);
    flat_copy(at, (SEG_DATA << 4) + (u32)field, size);
    return 1;
}

static int add_checksum(struct loader *l, struct command *c)
{
    struct loaded *d = find(l, c->sum.file);
    if (!d || c->sum.offset >= d->size || c->sum.start > d->size) return 0;
    if (c->sum.length > d->size - c->sum.start) return 0;
    u8 buf[128];
    u8 sum = 0;
    for (u32 done = 0; done < c->sum.length;) {
        u32 n = c->sum.length - done < sizeof buf ? c->sum.length - done : sizeof buf;
        flat_copy((SEG_DATA << 4) + (u32)buf, d->addr + c->sum.start + done, n);
        sum += checksum(buf, n);
        done += n;
    }
    flat_copy((SEG_DATA << 4) + (u32)buf, d->addr + c->sum.offset, 1);
    buf[0] -= sum;
    flat_copy(d->addr + c->sum.offset, (SEG_DATA << 4) + (u32)buf, 1);
    return 1;
}

void acpi_init(void)
{
    struct fw_file script;
    struct loader l;
    struct command c;
    l.count = 0;
    if (!fw_find("etc/table-loader", &script)) return;
    for (u32 i = 0; i < script.size / sizeof c && i < MAX_COMMANDS; i++) {
        /* Loading a file moves the channel: seek to the command again each time. */
        fw_select(script.select);
        for (u32 skip = 0; skip <= i; skip++) fw_read(&c, sizeof c);
        int ok = c.op == CMD_ALLOCATE   ? allocate(&l, &c)
                 : c.op == CMD_POINTER  ? add_pointer(&l, &c)
                 : c.op == CMD_CHECKSUM ? add_checksum(&l, &c)
                                        : 1;
        if (!ok) printf("ACPI: table loader command %u failed\n", i);
    }
}
