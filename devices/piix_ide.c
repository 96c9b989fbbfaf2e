/* IDE controller at 00:01.1 with the look of an Intel PIIX3 (8086:7010): two channels at the ports
 * PCs always had (1F0h/3F6h with IRQ 14, 170h/376h with IRQ 15), bus-master DMA through BAR 4.
 *
 * Each channel broadcasts register writes to its two drives and reads from the selected one. An
 * absent drive beside a present one reads 0; an empty channel reads 7Fh, so that detection ends at
 * once. Bus-master DMA runs when the drive offers a window, the start bit is set and directions
 * agree; the drive's interrupt, which sets the status bit, comes after its last byte is in memory.
 * Intel 82371SB data sheet sections 2.3 and 3.4; SFF-8038i for bus-master DMA; ATA/ATAPI-7 for the
 * registers. Timing registers are storage, except IDETIM bit 15 which enables a channel; it is on
 * after reset. Left out: the command register's I/O bit does not gate the fixed ports. */
#include "devices/piix_ide.h"

#include "devices/ata.h"
#include "devices/pci.h"

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_STATUS };
enum { CTL_NIEN = 2, CTL_SRST = 4, CTL_HOB = 0x80 };
enum {
    BM_START = 1,
    BM_TO_MEMORY = 8,
    BM_ACTIVE = 1,
    BM_ERROR = 2,
    BM_INTERRUPT = 4,
    BM_CAPABLE = 0x60
};
enum { CONFIG_IDETIM = 0x40 };

struct channel {
    struct piix_ide *ide;
    unsigned number;
    struct ata_drive *drive[2];
    u8 device, control; /* as last written; device bit 4 selects */
    bool line;          /* level of INTRQ at the ISA interrupt */
    struct region command_ports, control_port;
    /* Bus master */
    u8 bm_command, bm_status;
    u32 prd_table;   /* as written */
    u32 prd_next;    /* next entry */
    u32 addr, count; /* rest of the current entry */
    bool last_entry;
    bool moving; /* service_dma is running: do not nest */
};

struct piix_ide {
    struct pci_dev pci;
    struct ata_drive *drive[4]; /* pointers "drive0".."drive3" */
    struct irq irq[2];
    struct channel channel[2];
    struct region bm_ports;
};

static struct ata_drive *selected(const struct channel *c)
{
    return c->drive[c->device & ATA_DEV ? 1 : 0];
}

/* INTRQ is the selected drive's; its rising edge is what the bus-master status bit records. */
static void update_irq(struct channel *c)
{
    const struct ata_drive *d = selected(c);
    bool level = d && d->irq && !(c->control & CTL_NIEN);
    if (level == c->line) return;
    c->line = level;
    if (level) c->bm_status |= BM_INTERRUPT;
    irq_set(&c->ide->irq[c->number], level);
}

/* --- bus master --- */

/* Next entry of the descriptor table; false when the last one is used up. The table does not leave
 * its 64 KiB. */
static bool next_entry(struct channel *c)
{
    u8 entry[8];
    if (c->last_entry) return false;
    if (!pci_dma_read(&c->ide->pci, c->prd_next, entry, sizeof(entry))) return false;
    c->prd_next = (c->prd_next & 0xffff0000) | ((c->prd_next + 8) & 0xffff);
    c->addr = ld32(entry) & ~1u;
    c->count = ld16(entry + 4) & 0xfffe;
    if (!c->count) c->count = 0x10000;
    c->last_entry = entry[7] & 0x80;
    return true;
}

static struct ata_drive *dma_drive(const struct channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *d = c->drive[i];
        if (d && d->win_len && (d->phase == ATA_DMA_IN || d->phase == ATA_DMA_OUT)) return d;
    }
    return NULL;
}

static void service_dma(struct channel *c)
{
    if (c->moving) return;
    c->moving = true;
    struct ata_drive *d;
    while ((c->bm_status & BM_ACTIVE) && (d = dma_drive(c)) != NULL) {
        bool to_memory = d->phase == ATA_DMA_IN;
        if (to_memory != !!(c->bm_command & BM_TO_MEMORY)) break;
        if (!(pci_command(&c->ide->pci) & PCI_CMD_MASTER)) break;
        if (!c->count && !next_entry(c)) {
            c->bm_status &=
                (u8)~BM_ACTIVE; /* memory used up before the drive is done: no interrupt */
            break;
        }
        u32 n = MIN(c->count, d->win_len);
        if (to_memory)
            pci_dma_write(&c->ide->pci, c->addr, d->win, n);
        else
            pci_dma_read(&c->ide->pci, c->addr, d->win, n);
        c->addr += n;
        c->count -= n;
        /* Active ends with the table's last byte, so that it is clear when the drive interrupts. */
        if (!c->count && c->last_entry && n == d->win_len) c->bm_status &= (u8)~BM_ACTIVE;
        ata_transferred(d, n);
    }
    c->moving = false;
}

static void drive_changed(void *opaque, struct ata_drive *d)
{
    struct channel *c = opaque;
    (void)d;
    service_dma(c);
    if (!c->moving) update_irq(c);
}

static const struct ata_port ide_port = { false, drive_changed, NULL, NULL };

static u8 bm_read_byte(const struct channel *c, unsigned offset)
{
    switch (offset) {
    case 0: return c->bm_command;
    case 2: return c->bm_status;
    case 4:
    case 5:
    case 6:
    case 7: return (u8)(c->prd_table >> (8 * (offset - 4)));
    default: return 0;
    }
}

static void bm_write_byte(struct channel *c, unsigned offset, u8 value)
{
    if (offset == 0) {
        bool was = c->bm_command & BM_START;
        c->bm_command = value & (BM_START | BM_TO_MEMORY);
        if (!(value & BM_START)) {
            c->bm_status &= (u8)~BM_ACTIVE;
        } else if (!was) {
            c->bm_status |= BM_ACTIVE;
            c->prd_next = c->prd_table;
            c->count = 0;
            c->last_entry = false;
            TRACE(bmdma_start, c->number, c->prd_table, !(value & BM_TO_MEMORY), 0);
            service_dma(c);
            update_irq(c);
        }
    } else if (offset == 2) {
        c->bm_status &= (u8) ~(value & (BM_ERROR | BM_INTERRUPT));
        c->bm_status = (u8)((c->bm_status & ~BM_CAPABLE) | (value & BM_CAPABLE));
    } else if (offset >= 4) {
        unsigned shift = 8 * (offset - 4);
        c->prd_table = ((c->prd_table & ~(0xffu << shift)) | (u32)value << shift) & ~3u;
    }
}

static u64 bm_read(void *opaque, u64 offset, unsigned size)
{
    struct piix_ide *s = opaque;
    u64 value = 0;
    for (unsigned i = 0; i < size; i++) {
        u64 at = (offset + i) & 15;
        value |= (u64)bm_read_byte(&s->channel[at >> 3], at & 7) << (8 * i);
    }
    return value;
}

static void bm_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct piix_ide *s = opaque;
    for (unsigned i = 0; i < size; i++) {
        u64 at = (offset + i) & 15;
        bm_write_byte(&s->channel[at >> 3], at & 7, (u8)(value >> (8 * i)));
    }
}

/* --- task file --- */

static u32 data_read(struct channel *c, unsigned size)
{
    struct ata_drive *d = selected(c);
    u32 value = 0;
    if (!d || d->phase != ATA_PIO_IN) return (u32)mask_n(size);
    u32 n = MIN(size, d->win_len);
    memcpy(&value, d->win, n);
    ata_transferred(d, n);
    return value;
}

static void data_write(struct channel *c, u32 value, unsigned size)
{
    struct ata_drive *d = selected(c);
    if (!d || (d->phase != ATA_PIO_OUT && d->phase != ATA_PACKET)) return;
    u32 n = MIN(size, d->win_len);
    memcpy(d->win, &value, n);
    ata_transferred(d, n);
}

/* Up to n words of the data port at once, never beyond the block the drive offers: what follows it,
 * an interrupt perhaps, the guest sees behind its last word. */
static unsigned data_read_run(void *opaque, u64 offset, unsigned size, void *buf, unsigned n)
{
    struct ata_drive *d = selected(opaque);
    if (offset != REG_DATA || !d || d->phase != ATA_PIO_IN) return 0;
    n = MIN(n, d->win_len / size);
    memcpy(buf, d->win, n * size);
    if (n) ata_transferred(d, n * size);
    return n;
}

static unsigned data_write_run(void *opaque, u64 offset, unsigned size, const void *buf, unsigned n)
{
    struct ata_drive *d = selected(opaque);
    if (offset != REG_DATA || !d || (d->phase != ATA_PIO_OUT && d->phase != ATA_PACKET)) return 0;
    n = MIN(n, d->win_len / size);
    memcpy(d->win, buf, n * size);
    if (n) ata_transferred(d, n * size);
    return n;
}

static u8 status_read(const struct channel *c)
{
    const struct ata_drive *d = selected(c);
    if (!c->drive[0] && !c->drive[1]) return 0x7f;
    if (!d) return 0;
    return c->control & CTL_SRST ? ATA_BSY : d->status;
}

static u8 register_read(struct channel *c, unsigned reg)
{
    struct ata_drive *d = selected(c);
    unsigned hob = c->control & CTL_HOB ? 1 : 0;
    if (reg == REG_STATUS) {
        u8 status = status_read(c);
        if (d) d->irq = false;
        update_irq(c);
        return status;
    }
    if (!c->drive[0] && !c->drive[1]) return 0x7f;
    if (!d) return reg == REG_DEVICE ? c->device : 0;
    switch (reg) {
    case REG_ERROR: return d->error;
    case REG_COUNT: return d->count[hob];
    case REG_LOW: return d->lba_low[hob];
    case REG_MID: return d->lba_mid[hob];
    case REG_HIGH: return d->lba_high[hob];
    default: return d->device;
    }
}

static u64 command_read(void *opaque, u64 offset, unsigned size)
{
    struct channel *c = opaque;
    if (offset == REG_DATA) return data_read(c, size);
    u64 value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (u64)register_read(c, (unsigned)(offset + i) & 7) << (8 * i);
    return value;
}

static void push(u8 reg[2], u8 value)
{
    reg[1] = reg[0];
    reg[0] = value;
}

static void store_register(struct ata_drive *d, unsigned reg, u8 value)
{
    if (d->status & ATA_BSY) return;
    switch (reg) {
    case REG_ERROR: push(d->feature, value); break;
    case REG_COUNT: push(d->count, value); break;
    case REG_LOW: push(d->lba_low, value); break;
    case REG_MID: push(d->lba_mid, value); break;
    case REG_HIGH: push(d->lba_high, value); break;
    case REG_DEVICE: d->device = value; break;
    }
}

/* EXECUTE DEVICE DIAGNOSTIC addresses both drives and leaves device 0 selected. */
static void diagnose(struct channel *c)
{
    c->device &= (u8)~ATA_DEV;
    for (unsigned i = 0; i < 2; i++) {
        if (!c->drive[i] || (c->drive[i]->status & ATA_BSY)) continue;
        ata_reset(c->drive[i], false);
        c->drive[i]->device &= (u8)~ATA_DEV;
    }
    if (c->drive[0]) c->drive[0]->irq = true;
    update_irq(c);
}

static void register_write(struct channel *c, unsigned reg, u8 value)
{
    c->control &= (u8)~CTL_HOB;
    if (c->control & CTL_SRST) return;
    if (reg == REG_STATUS) {
        struct ata_drive *d = selected(c);
        if (value == 0x90)
            diagnose(c);
        else if (d)
            ata_command(d, value);
        update_irq(c);
        return;
    }
    if (reg == REG_DEVICE) c->device = value;
    for (unsigned i = 0; i < 2; i++)
        if (c->drive[i]) store_register(c->drive[i], reg, value);
    if (reg == REG_DEVICE) update_irq(c);
}

static void command_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct channel *c = opaque;
    if (offset == REG_DATA) {
        data_write(c, (u32)value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        register_write(c, (unsigned)(offset + i) & 7, (u8)(value >> (8 * i)));
}

/* Offset 2 of 3F4h-3F7h: alternate status does not touch the interrupt. */
static u64 control_read(void *opaque, u64 offset, unsigned size)
{
    (void)offset, (void)size;
    return status_read(opaque);
}

static void control_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)offset, (void)size;
    struct channel *c = opaque;
    bool srst = value & CTL_SRST, was = c->control & CTL_SRST;
    c->control = value & (CTL_NIEN | CTL_SRST | CTL_HOB);
    if (srst != was) {
        c->device = 0;
        for (unsigned i = 0; i < 2; i++) {
            if (!c->drive[i]) continue;
            ata_reset(c->drive[i], false);
            c->drive[i]->device = 0;
        }
    }
    update_irq(c);
}

static const struct io_ops bm_ops = { bm_read, bm_write, 1, 4 };
static const struct io_ops command_ops = { command_read, command_write, 1, 4 };
static const struct run_ops data_runs = { data_read_run, data_write_run };
static const struct io_ops control_ops = { control_read, control_write, 1, 1 };

/* --- the function --- */

static void update_enables(struct piix_ide *s)
{
    for (unsigned i = 0; i < 2; i++) {
        bool on = s->pci.config[CONFIG_IDETIM + 2 * i + 1] & 0x80;
        bus_enable(&s->channel[i].command_ports, on);
        bus_enable(&s->channel[i].control_port, on);
    }
}

static void config_written(struct pci_dev *p, unsigned reg, unsigned size)
{
    struct piix_ide *s = (struct piix_ide *)p;
    (void)size;
    update_enables(s);
    if (reg > PCI_COMMAND) return;
    for (unsigned i = 0; i < 2; i++) { /* bus mastering may have been what a transfer waited for */
        service_dma(&s->channel[i]);
        update_irq(&s->channel[i]);
    }
}

static const struct pci_ops ide_pci_ops = { config_written };

static int init_channel(struct piix_ide *s, unsigned n, struct error *e)
{
    static const u16 command_base[2] = { 0x1f0, 0x170 }, control_base[2] = { 0x3f6, 0x376 };
    struct channel *c = &s->channel[n];
    struct bus *io = s->pci.dev.host->io;
    c->ide = s;
    c->number = n;
    for (unsigned i = 0; i < 2; i++) {
        c->drive[i] = s->drive[2 * n + i];
        if (c->drive[i] && ata_attach(c->drive[i], &ide_port, c, e)) return -1;
    }
    region_init_io(&c->command_ports, n ? "ide1-command" : "ide0-command", 8, &command_ops, c);
    c->command_ports.runs = &data_runs;
    region_init_io(&c->control_port, n ? "ide1-control" : "ide0-control", 1, &control_ops, c);
    return bus_map(io, command_base[n], &c->command_ports, 0, e) ||
                   bus_map(io, control_base[n], &c->control_port, 0, e)
               ? -1
               : 0;
}

static int piix_ide_init(struct device *d, struct error *e)
{
    static const struct pci_id id = { 0x8086,        0x7010, 0,    0x010180, PCI_SUBSYS_VENDOR,
                                      PCI_SUBSYS_ID, 0,      false };
    struct piix_ide *s = (struct piix_ide *)d;
    if (pci_register(&s->pci, &id, e)) return -1;
    s->pci.ops = &ide_pci_ops;
    memset(&s->pci.wmask[CONFIG_IDETIM], 0xff, 5);
    s->pci.wmask[CONFIG_IDETIM + 1] = s->pci.wmask[CONFIG_IDETIM + 3] = 0xf3;
    region_init_io(&s->bm_ports, "ide-bus-master", 16, &bm_ops, s);
    pci_add_bar(&s->pci, 4, &s->bm_ports, PCI_BAR_IO);
    return init_channel(s, 0, e) || init_channel(s, 1, e) ? -1 : 0;
}

static void piix_ide_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct piix_ide *s = (struct piix_ide *)d;
    pci_reset(&s->pci);
    st16(&s->pci.config[PCI_STATUS], 0x0280);
    memset(&s->pci.config[CONFIG_IDETIM], 0, 5);
    s->pci.config[CONFIG_IDETIM + 1] = s->pci.config[CONFIG_IDETIM + 3] = 0x80;
    for (unsigned i = 0; i < 2; i++) {
        struct channel *c = &s->channel[i];
        c->device = c->control = 0;
        c->bm_command = c->bm_status = 0;
        c->prd_table = c->prd_next = c->addr = c->count = 0;
        c->last_entry = c->moving = false;
        for (unsigned k = 0; k < 2; k++)
            if (c->drive[k]) ata_reset(c->drive[k], true);
        c->line = false;
        irq_set(&s->irq[i], false);
    }
    update_enables(s);
}

static void piix_ide_post_load(struct device *d, u32 version)
{
    (void)version;
    struct piix_ide *s = (struct piix_ide *)d;
    pci_post_load(&s->pci);
    update_enables(s);
    for (unsigned i = 0; i < 2; i++) irq_set(&s->irq[i], s->channel[i].line);
}

static void piix_ide_info(struct device *d, struct text *t)
{
    struct piix_ide *s = (struct piix_ide *)d;
    for (unsigned i = 0; i < 2; i++) {
        const struct channel *c = &s->channel[i];
        text_add(t,
                 "channel %u: selected %u control %02x line %u bus master command %02x status %02x "
                 "table %08x\n",
                 i, c->device >> 4 & 1, c->control, c->line, c->bm_command, c->bm_status,
                 c->prd_table);
        for (unsigned k = 0; k < 2; k++) {
            const struct ata_drive *v = c->drive[k];
            if (v)
                text_add(t, "  drive %u: %s status %02x error %02x last command %02x irq %u\n", k,
                         v->dev.name, v->status, v->error, v->last_command, v->irq);
        }
    }
}

static void piix_ide_fini(struct device *d)
{
    struct piix_ide *s = (struct piix_ide *)d;
    pci_unregister(&s->pci);
    for (unsigned i = 0; i < 2; i++) {
        bus_unmap(&s->channel[i].command_ports);
        bus_unmap(&s->channel[i].control_port);
    }
}

#define DRIVE(n, where)                                                                            \
    {                                                                                              \
        "drive" #n, OPT_PTR, offsetof(struct piix_ide, drive[n]), NULL, where                      \
    }
static const struct device_option piix_ide_options[] = {
    PCI_OPTIONS("0x09"),          DRIVE(0, "primary master"),  DRIVE(1, "primary slave"),
    DRIVE(2, "secondary master"), DRIVE(3, "secondary slave"), { NULL, 0, 0, NULL, NULL },
};

#define CHANNEL_FIELDS(n)                                                                          \
    FIELD(struct piix_ide, channel[n].device), FIELD(struct piix_ide, channel[n].control),         \
        FIELD(struct piix_ide, channel[n].line), FIELD(struct piix_ide, channel[n].bm_command),    \
        FIELD(struct piix_ide, channel[n].bm_status),                                              \
        FIELD(struct piix_ide, channel[n].prd_table), FIELD(struct piix_ide, channel[n].prd_next), \
        FIELD(struct piix_ide, channel[n].addr), FIELD(struct piix_ide, channel[n].count),         \
        FIELD(struct piix_ide, channel[n].last_entry)

static const struct device_field piix_ide_fields[] = {
    PCI_FIELDS,
    CHANNEL_FIELDS(0),
    CHANNEL_FIELDS(1),
    { NULL, 0, 0, 0, 0 },
};

static const struct device_wire piix_ide_outputs[] = {
    { "irq", offsetof(struct piix_ide, irq), 2 },
    { NULL, 0, 0 },
};

const struct device_class piix_ide_class = {
    .name = "piix_ide",
    .help = "IDE controller, two channels with bus-master DMA",
    .size = sizeof(struct piix_ide),
    .version = 1,
    .options = piix_ide_options,
    .fields = piix_ide_fields,
    .outputs = piix_ide_outputs,
    .init = piix_ide_init,
    .reset = piix_ide_reset,
    .post_load = piix_ide_post_load,
    .info = piix_ide_info,
    .fini = piix_ide_fini,
};
