/* Address spaces: physical memory and I/O ports are two instances of struct bus.
 *
 * A chip embeds a struct region (I/O callbacks, RAM or ROM) and maps it at an address with a
 * priority; where regions overlap the higher priority answers. BAR moves, PAM shadowing and VGA
 * windows are map, move and enable calls. Nothing mapped: reads give all ones, writes vanish, a
 * counter remembers the address. The bus splits accesses that are larger than a chip implements
 * (io_ops.max_size) and widens smaller ones (min_size), so chips have no byte/word/dword variants.
 * Every change bumps `generation`; CPUs flush their TLB when they see a new value.
 *
 * RAM and ROM regions carry one flag byte per 4 KiB page (PAGE_*). Whoever writes RAM without going
 * through bus_write/dma_write must call ram_written(). */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include "machine/core/error.h"
#include "machine/core/types.h"

struct io_ops {
    u64 (*read)(void *opaque, u64 offset, unsigned size);
    void (*write)(void *opaque, u64 offset, u64 value, unsigned size);
    u8 min_size, max_size; /* 1, 2, 4 or 8; 0 means 1 and 4 */
};

/* A data port may move several elements at once (REP INS, OUTS): up to n of `size` bytes, as that
 * many accesses would, and no further than one after which the guest could notice something. They
 * return how many, 0: one by one. */
struct run_ops {
    unsigned (*read)(void *opaque, u64 offset, unsigned size, void *buf, unsigned n);
    unsigned (*write)(void *opaque, u64 offset, unsigned size, const void *buf, unsigned n);
};

enum { PAGE_CODE = 1, PAGE_DIRTY = 2 }; /* page holds decoded code; written since last taken */
enum { DECODE_READ = 1, DECODE_WRITE = 2 };

struct region {
    const char *name; /* static or owned by the device; unique enough for `info bus` */
    u64 size;
    const struct io_ops *ops;   /* NULL for RAM and ROM */
    const struct run_ops *runs; /* may be set for I/O, NULL otherwise */
    u8 *ram;                    /* host memory, owned by the creator; NULL for I/O */
    u8 *page_flags;             /* one byte per 4 KiB page, shared by aliases; NULL for I/O */
    bool readonly;              /* ROM: writes are absorbed */
    u8 decode;                  /* DECODE_* bits: a region transparent for reads or writes (PAM) */
    bool no_dma; /* registers of a bus master: DMA does not reach them, so no chip programs itself
                    in mid-transfer */
    void *opaque;
    /* bus's own: */
    struct bus *bus;
    u64 base;
    int prio;
    bool enabled;
    struct region *next;
};

/* One stretch of the resolved map. */
struct bus_range {
    u64 base, last;         /* inclusive */
    struct region *rd, *wr; /* NULL: nothing answers */
};

struct bus {
    const char *name;
    u64 limit;      /* highest valid address */
    u32 generation; /* bumped on every change of the map or of page protection */
    struct region *regions;
    struct bus_range *map; /* sorted; rebuilt when stale */
    unsigned map_len, map_cap;
    bool stale;
    unsigned last_hit;
    u16 *port_index; /* I/O bus only: port -> map index */
    /* Told when RAM whose page holds decoded code is written (DMA or CPU). Set by the CPU. */
    void (*code_written)(void *opaque, struct region *r, u64 offset, u64 len);
    void *code_opaque;
    u64 unassigned_reads, unassigned_writes;
    struct {
        u64 addr;
        u64 count;
    } unassigned[32]; /* most recent distinct addresses, for `info unassigned` */
};

/* limit: highest address, FFFFh for ports. with_ports: build the 64 Ki port index. */
void bus_init(struct bus *b, const char *name, u64 limit, bool with_ports);
void bus_fini(struct bus *b);

void region_init_io(struct region *r, const char *name, u64 size, const struct io_ops *ops,
                    void *opaque);
/* ram: page-aligned host memory of `size` bytes, owned by the caller. Allocates page flags. */
void region_init_ram(struct region *r, const char *name, u64 size, u8 *ram);
void region_init_rom(struct region *r, const char *name, u64 size, u8 *rom);
/* A second window onto part of another RAM/ROM region; shares its memory and page flags. */
void region_init_alias(struct region *r, const char *name, const struct region *of, u64 offset,
                       u64 size);
void region_fini(struct region *r); /* frees page flags of a region that is not an alias; unmaps */

/* Fails when base+size exceeds the bus, or, at equal priority, when an enabled region is already
 * there (the message names both). */
int bus_map(struct bus *b, u64 base, struct region *r, int prio, struct error *e);
void bus_unmap(struct region *r);
void bus_enable(struct region *r, bool on);
void bus_move(struct region *r, u64 base);
void region_set_decode(struct region *r, u8 decode);

/* size 1, 2, 4 or 8; any alignment; may cross regions. */
u64 bus_read(struct bus *b, u64 addr, unsigned size);
void bus_write(struct bus *b, u64 addr, u64 value, unsigned size);

/* Up to n elements through one port (struct run_ops); returns how many. */
unsigned bus_read_run(struct bus *b, u64 port, unsigned size, void *buf, unsigned n);
unsigned bus_write_run(struct bus *b, u64 port, unsigned size, const void *buf, unsigned n);

/* The range that holds addr (never NULL: an unmapped stretch has rd = wr = NULL). Valid until the
 * generation changes. */
const struct bus_range *bus_search(struct bus *b, u64 addr);
static inline const struct bus_range *bus_find(struct bus *b, u64 addr)
{
    if (likely(!b->stale)) { /* page walks ask for RAM again and again */
        const struct bus_range *m = &b->map[b->last_hit];
        if (likely(addr >= m->base && addr <= m->last)) return m;
    }
    return bus_search(b, addr);
}

/* Bulk access by devices; stretches of RAM by memcpy, I/O regions by bus_read/write in units of up
 * to 4 bytes. */
void dma_read(struct bus *b, u64 gpa, void *buf, u64 len);
void dma_write(struct bus *b, u64 gpa, const void *buf, u64 len);
/* Host pointer to [gpa, gpa+len) if it is plain RAM in one piece (and writable when for_write),
 * else NULL. After writing call ram_written. */
u8 *dma_map(struct bus *b, u64 gpa, u64 len, bool for_write);
void dma_written(struct bus *b, u64 gpa, u64 len);

/* Marks [offset, offset+len) of a RAM region as written: dirty flags and code invalidation. */
void ram_written(struct region *r, u64 offset, u64 len);
/* Clears PAGE_DIRTY over the range and returns whether any page had it; bumps the generation if so.
 * dirty (may be NULL) receives one byte per page. */
bool region_take_dirty(struct region *r, u64 offset, u64 len, u8 *dirty);

#endif
