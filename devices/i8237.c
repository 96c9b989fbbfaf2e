/* Two cascaded 8237A DMA controllers and their page registers (Intel 8237A datasheet; 82371SB
 * section 2.4).
 *
 * Ports 00h-0Fh channels 0-3 (bytes), C0h-DFh channels 4-7 (words, every second port), page
 * registers in 81h-8Fh; the unassigned ones are plain storage and port 80h belongs to the POST
 * latch. A device moves data with i8237_transfer() (i8237.h) at once: bus arbitration takes no
 * time. Address and count run as on the chip: up or down, wrapping inside the 64 KiB (128 KiB)
 * page, terminal count after count + 1 units, then reload (autoinitialise) or mask.
 *
 * Left out: memory-to-memory, software requests (the bit reads back nowhere and starts nothing),
 * rotating priority and timing bits (stored), and the rule that channels 0-3 need channel 4
 * unmasked in cascade mode. */
#include "devices/i8237.h"

enum { CMD_DISABLE = 0x04 };
enum { MODE_TYPE = 0x0c, MODE_AUTO = 0x10, MODE_DOWN = 0x20, MODE_SELECT = 0xc0 };

struct channel {
    u16 base_addr, base_count, addr, count;
    u8 mode;
};

struct controller {
    struct channel ch[4];
    u8 command, mask, tc; /* tc: status bits 3-0 */
    bool msb;             /* byte pointer flip-flop */
};

struct dma {
    struct device dev;
    struct controller ctl[2];
    u8 page[16]; /* by port - 80h */
    struct region ports[2], pages;
};

/* Page register of each channel, as port - 80h. */
static const u8 page_of[8] = { 7, 3, 1, 2, 15, 11, 9, 10 };

enum dma_dir i8237_direction(struct device *d, unsigned channel)
{
    const struct dma *p = (struct dma *)d;
    static const enum dma_dir types[4] = { DMA_VERIFY, DMA_TO_MEMORY, DMA_TO_DEVICE, DMA_OFF };
    if (channel > 7) return DMA_OFF;
    const struct controller *c = &p->ctl[channel >> 2];
    u8 mode = c->ch[channel & 3].mode;
    bool off = (c->command & CMD_DISABLE) || (c->mask & BIT(channel & 3)) ||
               (mode & MODE_SELECT) == MODE_SELECT;
    return off ? DMA_OFF : types[(mode & MODE_TYPE) >> 2];
}

static u64 address_of(const struct dma *p, unsigned channel)
{
    u32 addr = p->ctl[channel >> 2].ch[channel & 3].addr;
    u32 page = p->page[page_of[channel]];
    return channel < 4 ? page << 16 | addr : (page & 0xfe) << 16 | addr << 1;
}

/* Moves n units that lie in one piece in the current direction of addressing. */
static void move(struct dma *p, unsigned channel, enum dma_dir dir, u8 *buf, unsigned n)
{
    unsigned width = channel < 4 ? 1 : 2;
    u64 gpa = address_of(p, channel);
    if (dir == DMA_TO_MEMORY) {
        dma_write(p->dev.host->mem, gpa, buf, n * width);
    } else if (dir == DMA_TO_DEVICE) {
        dma_read(p->dev.host->mem, gpa, buf, n * width);
    }
}

static void terminal_count(struct controller *c, unsigned n)
{
    struct channel *ch = &c->ch[n];
    c->tc |= BIT(n);
    if (ch->mode & MODE_AUTO) {
        ch->addr = ch->base_addr;
        ch->count = ch->base_count;
    } else {
        c->mask |= BIT(n);
    }
}

unsigned i8237_transfer(struct device *d, unsigned channel, void *buf, unsigned len, bool *tc)
{
    struct dma *p = (struct dma *)d;
    unsigned width = channel < 4 ? 1 : 2, done = 0;
    bool reached = false;
    enum dma_dir dir;
    while (!reached && len - done >= width && (dir = i8237_direction(d, channel)) != DMA_OFF) {
        struct channel *ch = &p->ctl[channel >> 2].ch[channel & 3];
        bool down = ch->mode & MODE_DOWN;
        u32 n = MIN((len - done) / width, ch->count + 1u);
        n = down ? 1 : MIN(n, 0x10000u - ch->addr);
        move(p, channel, dir, (u8 *)buf + done, n);
        done += n * width;
        ch->addr += down ? -1 : (int)n;
        ch->count -= n;
        reached = ch->count == 0xffff;
        if (reached) terminal_count(&p->ctl[channel >> 2], channel & 3);
    }
    if (tc) *tc = reached;
    return done;
}

/* ---- registers ---- */

static u8 rd_word(struct controller *c, u16 v)
{
    c->msb = !c->msb;
    return c->msb ? v : v >> 8;
}

/* Base and current register are written together, low byte first. */
static void wr_word(struct controller *c, u16 *base, u16 *current, u8 v)
{
    *base = c->msb ? (*base & 0x00ff) | v << 8 : (*base & 0xff00) | v;
    *current = c->msb ? (*current & 0x00ff) | v << 8 : (*current & 0xff00) | v;
    c->msb = !c->msb;
}

static u8 rd_ctl(struct controller *c, unsigned reg)
{
    u8 v = 0;
    if (reg < 8) return rd_word(c, reg & 1 ? c->ch[reg >> 1].count : c->ch[reg >> 1].addr);
    if (reg == 8) {
        v = c->tc;
        c->tc = 0;
    } else if (reg == 15) {
        v = 0xf0 | c->mask;
    }
    return v;
}

static void master_clear(struct controller *c)
{
    c->command = c->tc = 0;
    c->mask = 0x0f;
    c->msb = false;
}

static void wr_ctl(struct controller *c, unsigned reg, u8 v)
{
    struct channel *ch = &c->ch[(reg < 8 ? reg >> 1 : v) & 3];
    switch (reg) {
    case 8: c->command = v; break;
    case 9: /* software request: memory-to-memory only, left out */ break;
    case 10: c->mask = v & 4 ? c->mask | BIT(v & 3) : c->mask & ~BIT(v & 3); break;
    case 11: ch->mode = v & ~3; break;
    case 12: c->msb = false; break;
    case 13: master_clear(c); break;
    case 14: c->mask = 0; break;
    case 15: c->mask = v & 0x0f; break;
    default:
        if (reg & 1) {
            wr_word(c, &ch->base_count, &ch->count, v);
        } else {
            wr_word(c, &ch->base_addr, &ch->addr, v);
        }
    }
}

static u64 rd_dma1(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_ctl(&((struct dma *)opaque)->ctl[0], offset);
}

static void wr_dma1(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    wr_ctl(&((struct dma *)opaque)->ctl[0], offset, value);
}

static u64 rd_dma2(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_ctl(&((struct dma *)opaque)->ctl[1], offset >> 1);
}

static void wr_dma2(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    wr_ctl(&((struct dma *)opaque)->ctl[1], offset >> 1, value);
}

static u64 rd_page(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return ((struct dma *)opaque)->page[offset + 1];
}

static void wr_page(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    ((struct dma *)opaque)->page[offset + 1] = value;
}

static const struct io_ops ctl_ops[2] = { { rd_dma1, wr_dma1, 1, 1 }, { rd_dma2, wr_dma2, 1, 1 } };
static const struct io_ops page_ops = { rd_page, wr_page, 1, 1 };

static int dma_init(struct device *d, struct error *e)
{
    struct dma *p = (struct dma *)d;
    struct bus *io = d->host->io;
    region_init_io(&p->ports[0], "dma1", 16, &ctl_ops[0], p);
    region_init_io(&p->ports[1], "dma2", 32, &ctl_ops[1], p);
    region_init_io(&p->pages, "dma-page", 15, &page_ops, p);
    if (bus_map(io, 0x00, &p->ports[0], 0, e) || bus_map(io, 0xc0, &p->ports[1], 0, e)) return -1;
    return bus_map(io, 0x81, &p->pages, 0, e);
}

static void dma_reset(struct device *d, enum reset_kind kind)
{
    struct dma *p = (struct dma *)d;
    (void)kind;
    memset(p->ctl, 0, sizeof(p->ctl));
    memset(p->page, 0, sizeof(p->page));
    master_clear(&p->ctl[0]);
    master_clear(&p->ctl[1]);
}

static void dma_info(struct device *d, struct text *t)
{
    struct dma *p = (struct dma *)d;
    for (unsigned n = 0; n < 8; n++) {
        const struct controller *c = &p->ctl[n >> 2];
        text_add(t, "channel %u: address %06llx count %04x mode %02x%s%s\n", n,
                 (unsigned long long)address_of(p, n), c->ch[n & 3].count, c->ch[n & 3].mode,
                 c->mask & BIT(n & 3) ? " masked" : "", c->tc & BIT(n & 3) ? " tc" : "");
    }
}

static void dma_fini(struct device *d)
{
    struct dma *p = (struct dma *)d;
    region_fini(&p->ports[0]);
    region_fini(&p->ports[1]);
    region_fini(&p->pages);
}

#define CH(n, i)                                                                                   \
    FIELD(struct dma, ctl[n].ch[i].base_addr), FIELD(struct dma, ctl[n].ch[i].base_count),         \
        FIELD(struct dma, ctl[n].ch[i].addr), FIELD(struct dma, ctl[n].ch[i].count),               \
        FIELD(struct dma, ctl[n].ch[i].mode)
#define CTL(n)                                                                                     \
    CH(n, 0), CH(n, 1), CH(n, 2), CH(n, 3), FIELD(struct dma, ctl[n].command),                     \
        FIELD(struct dma, ctl[n].mask), FIELD(struct dma, ctl[n].tc),                              \
        FIELD(struct dma, ctl[n].msb)
static const struct device_field dma_fields[] = {
    CTL(0), CTL(1), FIELD_ARRAY(struct dma, page), { 0 }
};

const struct device_class dma_class = {
    .name = "dma",
    .help = "pair of 8237 DMA controllers with page registers",
    .size = sizeof(struct dma),
    .version = 1,
    .fields = dma_fields,
    .init = dma_init,
    .reset = dma_reset,
    .info = dma_info,
    .fini = dma_fini,
};
