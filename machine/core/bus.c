/* Address spaces. Regions hang in a list in mapping order; the list is compiled on demand into a
 * sorted array of stretches that do not overlap, each with the region that answers reads and the
 * one that answers writes. Look-ups search that array (binary, with the last hit tried first; ports
 * through a 64 Ki index). CPUs cache what they find in their TLB and drop it when `generation`
 * moves. */
#include "machine/core/bus.h"

#include <stdlib.h>

#include "machine/core/trace.h"

#define PAGE_SHIFT 12

void bus_init(struct bus *b, const char *name, u64 limit, bool with_ports)
{
    memset(b, 0, sizeof(*b));
    b->name = name;
    b->limit = limit;
    b->stale = true;
    b->generation = 1;
    if (with_ports) b->port_index = xalloc((limit + 1) * sizeof(u16));
}

void bus_fini(struct bus *b)
{
    while (b->regions) bus_unmap(b->regions);
    free(b->map);
    free(b->port_index);
    memset(b, 0, sizeof(*b));
}

/* --- regions --- */

static void region_init(struct region *r, const char *name, u64 size)
{
    memset(r, 0, sizeof(*r));
    r->name = name;
    r->size = size;
    r->decode = DECODE_READ | DECODE_WRITE;
}

void region_init_io(struct region *r, const char *name, u64 size, const struct io_ops *ops,
                    void *opaque)
{
    region_init(r, name, size);
    r->ops = ops;
    r->opaque = opaque;
}

void region_init_ram(struct region *r, const char *name, u64 size, u8 *ram)
{
    region_init(r, name, size);
    r->ram = ram;
    r->page_flags = xalloc((size >> PAGE_SHIFT) + 1);
}

void region_init_rom(struct region *r, const char *name, u64 size, u8 *rom)
{
    region_init_ram(r, name, size, rom);
    r->readonly = true;
}

void region_init_alias(struct region *r, const char *name, const struct region *of, u64 offset,
                       u64 size)
{
    check((offset & 0xfff) == 0 && offset + size <= of->size);
    region_init(r, name, size);
    r->ram = of->ram + offset;
    r->page_flags = of->page_flags + (offset >> PAGE_SHIFT);
    r->readonly = of->readonly;
}

void region_fini(struct region *r)
{
    bus_unmap(r);
    /* Aliases share another region's flags; only the owner's pointer came from xalloc, and aliases
     * never call this with it. */
    free(r->page_flags);
    memset(r, 0, sizeof(*r));
}

static void changed(struct bus *b)
{
    b->stale = true;
    __atomic_fetch_add(&b->generation, 1, __ATOMIC_RELAXED);
}

static bool overlaps(const struct region *a, u64 base, u64 size)
{
    return a->base <= base + (size - 1) && base <= a->base + (a->size - 1);
}

int bus_map(struct bus *b, u64 base, struct region *r, int prio, struct error *e)
{
    check(!r->bus && r->size);
    if (base > b->limit || r->size - 1 > b->limit - base) {
        return error_set(e, "%s: %s at %llx (%llx bytes) does not fit the address space", b->name,
                         r->name, (unsigned long long)base, (unsigned long long)r->size);
    }
    for (struct region *o = b->regions; o; o = o->next) {
        if (o->enabled && o->prio == prio && overlaps(o, base, r->size)) {
            return error_set(e, "%s: %s at %llx collides with %s at %llx", b->name, r->name,
                             (unsigned long long)base, o->name, (unsigned long long)o->base);
        }
    }
    r->bus = b;
    r->base = base;
    r->prio = prio;
    r->enabled = true;
    struct region **p = &b->regions;
    while (*p) p = &(*p)->next;
    r->next = NULL;
    *p = r;
    changed(b);
    return 0;
}

void bus_unmap(struct region *r)
{
    if (!r->bus) return;
    for (struct region **p = &r->bus->regions; *p; p = &(*p)->next) {
        if (*p == r) {
            *p = r->next;
            break;
        }
    }
    changed(r->bus);
    r->bus = NULL;
    r->next = NULL;
    r->enabled = false;
}

void bus_enable(struct region *r, bool on)
{
    if (!r->bus || r->enabled == on) return;
    r->enabled = on;
    changed(r->bus);
}

void bus_move(struct region *r, u64 base)
{
    if (!r->bus || r->base == base) return;
    /* A guest may write any BAR value; what sticks out of the address space is unreachable, not an
     * error. */
    if (base > r->bus->limit || r->size - 1 > r->bus->limit - base)
        base = r->bus->limit - (r->size - 1);
    r->base = base;
    if (r->enabled) changed(r->bus);
}

void region_set_decode(struct region *r, u8 decode)
{
    if (r->decode == decode) return;
    r->decode = decode;
    if (r->bus && r->enabled) changed(r->bus);
}

/* --- the resolved map --- */

static int compare_u64(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

/* The answering region at addr: highest priority, the earlier mapping among equals (bus_move may
 * make equals overlap). */
static struct region *winner(struct bus *b, u64 addr, u8 decode)
{
    struct region *best = NULL;
    for (struct region *r = b->regions; r; r = r->next) {
        if (!r->enabled || !(r->decode & decode) || addr < r->base || addr - r->base >= r->size)
            continue;
        if (!best || r->prio > best->prio) best = r;
    }
    return best;
}

static void rebuild(struct bus *b)
{
    unsigned n = 1;
    for (struct region *r = b->regions; r; r = r->next) n += r->enabled ? 2 : 0;
    u64 *edges = xalloc(n * sizeof(u64));
    unsigned len = 0;
    edges[len++] = 0;
    for (struct region *r = b->regions; r; r = r->next) {
        if (!r->enabled) continue;
        edges[len++] = r->base;
        if (r->base + (r->size - 1) < b->limit) edges[len++] = r->base + r->size;
    }
    qsort(edges, len, sizeof(u64), compare_u64);
    if (b->map_cap < len) {
        b->map = xrealloc(b->map, len * sizeof(*b->map));
        b->map_cap = len;
    }
    b->map_len = 0;
    for (unsigned k = 0; k < len; k++) {
        if (k && edges[k] == edges[k - 1]) continue;
        struct region *rd = winner(b, edges[k], DECODE_READ),
                      *wr = winner(b, edges[k], DECODE_WRITE);
        struct bus_range *prev = b->map_len ? &b->map[b->map_len - 1] : NULL;
        if (prev && prev->rd == rd && prev->wr == wr) continue;
        if (prev) prev->last = edges[k] - 1;
        b->map[b->map_len++] = (struct bus_range){ edges[k], b->limit, rd, wr };
    }
    free(edges);
    b->last_hit = 0;
    b->stale = false;
    if (!b->port_index) return;
    for (unsigned k = 0; k < b->map_len; k++) {
        for (u64 p = b->map[k].base; p <= b->map[k].last; p++) b->port_index[p] = (u16)k;
    }
}

const struct bus_range *bus_search(struct bus *b, u64 addr)
{
    if (unlikely(b->stale)) rebuild(b);
    if (addr > b->limit) addr = b->limit;
    if (b->port_index) return &b->map[b->port_index[addr]];
    unsigned lo = 0, hi = b->map_len;
    while (hi - lo > 1) {
        unsigned mid = (lo + hi) / 2;
        if (b->map[mid].base <= addr)
            lo = mid;
        else
            hi = mid;
    }
    b->last_hit = lo;
    return &b->map[lo];
}

/* --- accesses --- */

static void count_unassigned(struct bus *b, u64 addr)
{
    unsigned spare = 0;
    for (unsigned k = 0; k < LEN(b->unassigned); k++) {
        if (b->unassigned[k].addr == addr && b->unassigned[k].count) {
            b->unassigned[k].count++;
            return;
        }
        if (b->unassigned[k].count < b->unassigned[spare].count) spare = k;
    }
    b->unassigned[spare].addr = addr;
    b->unassigned[spare].count = 1;
}

static u64 io_read(struct region *r, u64 off, unsigned size)
{
    unsigned min = r->ops->min_size ? r->ops->min_size : 1,
             max = r->ops->max_size ? r->ops->max_size : 4;
    if (!r->ops->read) return mask_n(size);
    if (size < min) { /* the chip has no narrower access: read the unit around it */
        u64 unit = r->ops->read(r->opaque, off & ~(u64)(min - 1), min);
        return (unit >> ((off & (min - 1)) * 8)) & mask_n(size);
    }
    if (size <= max) return r->ops->read(r->opaque, off, size) & mask_n(size);
    u64 v = 0;
    for (unsigned k = 0; k < size; k += max)
        v |= (r->ops->read(r->opaque, off + k, max) & mask_n(max)) << (k * 8);
    return v;
}

static void io_write(struct region *r, u64 off, u64 value, unsigned size)
{
    unsigned min = r->ops->min_size ? r->ops->min_size : 1,
             max = r->ops->max_size ? r->ops->max_size : 4;
    if (!r->ops->write) return;
    value &= mask_n(size);
    if (size < min) { /* read-modify-write of the unit around it */
        u64 at = off & ~(u64)(min - 1);
        unsigned shift = (unsigned)(off & (min - 1)) * 8;
        u64 unit = r->ops->read ? r->ops->read(r->opaque, at, min) : 0;
        unit = (unit & ~(mask_n(size) << shift)) | (value << shift);
        r->ops->write(r->opaque, at, unit & mask_n(min), min);
        return;
    }
    if (size <= max) {
        r->ops->write(r->opaque, off, value, size);
        return;
    }
    for (unsigned k = 0; k < size; k += max)
        r->ops->write(r->opaque, off + k, (value >> (k * 8)) & mask_n(max), max);
}

static bool inside(const struct bus_range *m, const struct region *r, u64 addr, unsigned size)
{
    return addr + (size - 1) <= m->last && addr + (size - 1) >= addr &&
           addr - r->base + size <= r->size;
}

u64 bus_read(struct bus *b, u64 addr, unsigned size)
{
    if (addr > b->limit) return mask_n(size);
    const struct bus_range *m = bus_find(b, addr);
    struct region *r = m->rd;
    if (!r) {
        b->unassigned_reads++;
        count_unassigned(b, addr);
        TRACE(unassigned_rd, addr, size, !b->port_index, 0);
        return mask_n(size);
    }
    if (size > 1 && !inside(m, r, addr, size)) { /* crosses a region's end: byte by byte */
        u64 v = 0;
        for (unsigned k = 0; k < size; k++) v |= bus_read(b, addr + k, 1) << (k * 8);
        return v;
    }
    if (r->ram) return ld_n(r->ram + (addr - r->base), size);
    /* Misaligned accesses to I/O are split into bytes unless the chip takes them whole; ports are
     * never split. */
    if (!b->port_index && (addr & (size - 1))) {
        u64 v = 0;
        for (unsigned k = 0; k < size; k++) v |= io_read(r, addr - r->base + k, 1) << (k * 8);
        return v;
    }
    return io_read(r, addr - r->base, size);
}

void bus_write(struct bus *b, u64 addr, u64 value, unsigned size)
{
    if (addr > b->limit) return;
    const struct bus_range *m = bus_find(b, addr);
    struct region *r = m->wr;
    if (!r) {
        b->unassigned_writes++;
        count_unassigned(b, addr);
        TRACE(unassigned_wr, addr, value, size, !b->port_index);
        return;
    }
    bool split = size > 1 && !inside(m, r, addr, size);
    if (!split && r->ram) {
        if (r->readonly) return;
        st_n(r->ram + (addr - r->base), value, size);
        ram_written(r, addr - r->base, size);
        return;
    }
    if (split || (!b->port_index && (addr & (size - 1)))) {
        for (unsigned k = 0; k < size; k++) bus_write(b, addr + k, (value >> (k * 8)) & 0xff, 1);
        return;
    }
    io_write(r, addr - r->base, value, size);
}

static bool run_fits(const struct bus_range *m, const struct region *r, u64 port, unsigned size)
{
    return r && r->runs && size >= r->ops->min_size &&
           size <= (r->ops->max_size ? r->ops->max_size : 4) &&
           (size == 1 || inside(m, r, port, size));
}

unsigned bus_read_run(struct bus *b, u64 port, unsigned size, void *buf, unsigned n)
{
    const struct bus_range *m = bus_find(b, port);
    struct region *r = m->rd;
    if (!run_fits(m, r, port, size)) return 0;
    return r->runs->read(r->opaque, port - r->base, size, buf, n);
}

unsigned bus_write_run(struct bus *b, u64 port, unsigned size, const void *buf, unsigned n)
{
    const struct bus_range *m = bus_find(b, port);
    struct region *r = m->wr;
    if (!run_fits(m, r, port, size)) return 0;
    return r->runs->write(r->opaque, port - r->base, size, buf, n);
}

/* --- bulk access --- */

/* How many of len bytes at gpa lie where DMA finds nothing: unmapped, or registers it may not
 * touch. */
static u64 dma_nowhere(const struct bus *b, const struct bus_range *m, const struct region *r,
                       u64 gpa, u64 len)
{
    if (gpa > b->limit) return len;
    if (r && !r->no_dma) return 0;
    return MIN(len, m->last - gpa + 1);
}

void dma_read(struct bus *b, u64 gpa, void *buf, u64 len)
{
    u8 *p = buf;
    while (len) {
        const struct bus_range *m = bus_find(b, gpa);
        if (gpa <= b->limit && m->rd && m->rd->ram) {
            u64 n = MIN(len, m->last - gpa + 1);
            memcpy(p, m->rd->ram + (gpa - m->rd->base), n);
            p += n, gpa += n, len -= n;
            continue;
        }
        u64 none = dma_nowhere(b, m, m->rd, gpa, len);
        if (none) {
            if (!m->rd) b->unassigned_reads++, count_unassigned(b, gpa);
            memset(p, 0xff, none);
            p += none, gpa += none, len -= none;
            continue;
        }
        unsigned n = len >= 4 && !(gpa & 3) ? 4 : 1;
        st_n(p, bus_read(b, gpa, n), n);
        p += n, gpa += n, len -= n;
    }
}

void dma_write(struct bus *b, u64 gpa, const void *buf, u64 len)
{
    const u8 *p = buf;
    while (len) {
        const struct bus_range *m = bus_find(b, gpa);
        if (gpa <= b->limit && m->wr && m->wr->ram) {
            u64 n = MIN(len, m->last - gpa + 1), off = gpa - m->wr->base;
            if (!m->wr->readonly) {
                memcpy(m->wr->ram + off, p, n);
                ram_written(m->wr, off, n);
            }
            p += n, gpa += n, len -= n;
            continue;
        }
        u64 none = dma_nowhere(b, m, m->wr, gpa, len);
        if (none) {
            if (!m->wr) b->unassigned_writes++, count_unassigned(b, gpa);
            p += none, gpa += none, len -= none;
            continue;
        }
        unsigned n = len >= 4 && !(gpa & 3) ? 4 : 1;
        bus_write(b, gpa, ld_n(p, n), n);
        p += n, gpa += n, len -= n;
    }
}

u8 *dma_map(struct bus *b, u64 gpa, u64 len, bool for_write)
{
    if (!len || gpa > b->limit) return NULL;
    const struct bus_range *m = bus_find(b, gpa);
    struct region *r = for_write ? m->wr : m->rd;
    if (!r || !r->ram || (for_write && r->readonly) || len - 1 > m->last - gpa) return NULL;
    return r->ram + (gpa - r->base);
}

void dma_written(struct bus *b, u64 gpa, u64 len)
{
    const struct bus_range *m = bus_find(b, gpa);
    if (m->wr && m->wr->ram) ram_written(m->wr, gpa - m->wr->base, len);
}

void ram_written(struct region *r, u64 offset, u64 len)
{
    if (!len) return;
    for (u64 p = offset >> PAGE_SHIFT; p <= (offset + len - 1) >> PAGE_SHIFT; p++) {
        u8 flags = r->page_flags[p];
        r->page_flags[p] = flags | PAGE_DIRTY;
        if (unlikely(flags & PAGE_CODE) && r->bus && r->bus->code_written) {
            u64 from = MAX(offset, p << PAGE_SHIFT), to = MIN(offset + len, (p + 1) << PAGE_SHIFT);
            r->bus->code_written(r->bus->code_opaque, r, from, to - from);
        }
    }
}

bool region_take_dirty(struct region *r, u64 offset, u64 len, u8 *dirty)
{
    bool any = false;
    u64 first = offset >> PAGE_SHIFT;
    for (u64 p = first; len && p <= (offset + len - 1) >> PAGE_SHIFT; p++) {
        bool d = r->page_flags[p] & PAGE_DIRTY;
        if (dirty) dirty[p - first] = d;
        any |= d;
        r->page_flags[p] &= (u8)~PAGE_DIRTY;
    }
    /* Cached write translations would bypass the flag: make every CPU look again. */
    if (any && r->bus) __atomic_fetch_add(&r->bus->generation, 1, __ATOMIC_RELAXED);
    return any;
}
