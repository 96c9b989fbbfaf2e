/* I/O APIC with 24 inputs (Intel 82093AA datasheet; version 20h adds the EOI register at 40h).
 *
 * Registers at FEC00000h: index 00h, window 10h, EOI 40h. An interrupt leaves as the memory write
 * that a PCI device would make for an MSI (SDM 3A 10.11): address FEE00000h | destination << 12 |
 * mode, so this file knows no CPU. A level entry sets Remote IRR with the write and waits for
 * ioapic_eoi() or a write of the EOI register; the line is then looked at again. An edge on a
 * masked input is lost, as the datasheet says.
 *
 * The board's lines are active-high whatever the guest believes about the socket: the polarity bit
 * is stored and read back but does not invert. Left out: the serial APIC bus, so delivery status
 * always reads idle. */
#include "devices/ioapic.h"

enum { PINS = 24, VERSION = 0x20 };
enum { REG_INDEX = 0x00, REG_WINDOW = 0x10, REG_EOI = 0x40 };
enum { IDX_ID = 0, IDX_VERSION = 1, IDX_ARB = 2, IDX_TABLE = 0x10 };
enum { MODE_FIXED = 0, MODE_LOWEST = 1, MODE_EXTINT = 7 };

/* Entry: 7-0 vector, 10-8 delivery mode, 11 logical destination, 12 delivery status, 13 active low,
 * 14 Remote IRR, 15 level, 16 masked, 63-56 destination. */
enum {
    RTE_LOGICAL = 1 << 11,
    RTE_REMOTE_IRR = 1 << 14,
    RTE_LEVEL = 1 << 15,
    RTE_MASKED = 1 << 16,
    RTE_WRITABLE_LOW = 0x1afff,
};

#define MSI_BASE 0xfee00000u
enum { MSI_LOGICAL = 1 << 2, MSI_REDIRECT = 1 << 3, MSI_ASSERT = 1 << 14, MSI_LEVEL = 1 << 15 };

struct ioapic {
    struct device dev;
    u32 option_id;
    u8 id, index;
    u32 lines;
    u64 entry[PINS];
    struct region mmio;
};

static unsigned delivery_mode(u64 rte)
{
    return (rte >> 8) & 7;
}

/* Level sensitivity exists for fixed and lowest-priority delivery only. */
static bool is_level(u64 rte)
{
    return (rte & RTE_LEVEL) && delivery_mode(rte) <= MODE_LOWEST;
}

static void send(struct ioapic *a, u64 rte)
{
    unsigned mode = delivery_mode(rte);
    u64 addr = MSI_BASE | (rte >> 56) << 12;
    if (rte & RTE_LOGICAL) addr |= MSI_LOGICAL;
    if (mode == MODE_LOWEST) addr |= MSI_REDIRECT;
    u32 data = (rte & 0xff) | mode << 8 | MSI_ASSERT;
    if (is_level(rte)) data |= MSI_LEVEL;
    bus_write(a->dev.host->mem, addr, data, 4);
}

/* Sends what a level-triggered pin asks for, unless masked or waiting for an EOI. */
static void service_level(struct ioapic *a, int pin)
{
    u64 rte = a->entry[pin];
    if (!is_level(rte) || (rte & (RTE_MASKED | RTE_REMOTE_IRR)) || !(a->lines & BIT(pin))) return;
    a->entry[pin] |= RTE_REMOTE_IRR;
    send(a, rte);
}

int ioapic_edge_vector(struct device *d, int pin)
{
    const struct ioapic *a = (const struct ioapic *)d;
    u64 rte = a->entry[pin];
    bool ordinary = (rte >> 8 & 7) <= 1; /* fixed, lowest priority */
    return is_level(rte) || (rte & RTE_MASKED) || !ordinary ? -1 : (int)(rte & 0xff);
}

static void set_line(void *opaque, int pin, bool level)
{
    struct ioapic *a = opaque;
    if (pin < 0 || pin >= PINS) return;
    bool was = a->lines & BIT(pin);
    if (was == level) return;
    TRACE(irq_ioapic, pin, level, 0, 0);
    a->lines = level ? a->lines | BIT(pin) : a->lines & ~BIT(pin);
    if (!level) return;
    u64 rte = a->entry[pin];
    if (is_level(rte)) {
        service_level(a, pin);
    } else if (!(rte & RTE_MASKED)) {
        send(a, rte);
    }
}

void ioapic_eoi(struct device *d, int vector)
{
    struct ioapic *a = (struct ioapic *)d;
    for (int pin = 0; pin < PINS; pin++) {
        u64 rte = a->entry[pin];
        if (!(rte & RTE_REMOTE_IRR) || (int)(rte & 0xff) != vector) continue;
        a->entry[pin] &= ~(u64)RTE_REMOTE_IRR;
        service_level(a, pin);
    }
}

static void wr_entry(struct ioapic *a, unsigned n, u32 value)
{
    unsigned pin = n / 2;
    u64 old = a->entry[pin];
    if (n & 1) {
        a->entry[pin] = (old & 0xffffffff) | (u64)(value & 0xff000000) << 32;
        return;
    }
    u64 rte = (old & ~0xffffffffull) | (value & RTE_WRITABLE_LOW);
    /* Making an entry edge-triggered forgets Remote IRR: how systems clear it without an EOI
     * register. */
    if (is_level(rte)) rte |= old & RTE_REMOTE_IRR;
    a->entry[pin] = rte;
    service_level(a, pin);
}

static u32 rd_indexed(const struct ioapic *a)
{
    switch (a->index) {
    case IDX_ID:
    case IDX_ARB: return (u32)a->id << 24;
    case IDX_VERSION: return (PINS - 1) << 16 | VERSION;
    }
    unsigned n = a->index - IDX_TABLE;
    if (n >= PINS * 2) return 0;
    return n & 1 ? a->entry[n / 2] >> 32 : a->entry[n / 2];
}

static void wr_indexed(struct ioapic *a, u32 value)
{
    TRACE(ioapic_wr, a->index, value, 0, 0);
    unsigned n = a->index - IDX_TABLE;
    if (a->index == IDX_ID) {
        a->id = (value >> 24) & 0x0f;
    } else if (n < PINS * 2) {
        wr_entry(a, n, value);
    }
}

static u64 rd_mmio(void *opaque, u64 offset, unsigned size)
{
    struct ioapic *a = opaque;
    u32 v = 0;
    (void)size;
    if ((offset & ~3ull) == REG_INDEX) {
        v = a->index;
    } else if ((offset & ~3ull) == REG_WINDOW) {
        v = rd_indexed(a);
        TRACE(ioapic_rd, a->index, v, 0, 0);
    }
    return v >> ((offset & 3) * 8);
}

static void wr_mmio(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct ioapic *a = opaque;
    if (offset == REG_INDEX) {
        a->index = value;
    } else if (offset == REG_WINDOW && size == 4) {
        wr_indexed(a, value);
    } else if (offset == REG_EOI) {
        ioapic_eoi(&a->dev, value & 0xff);
    } else {
        LOG_GUEST(a->dev.name, "write of %u bytes at %llx ignored", size,
                  (unsigned long long)offset);
    }
}

static const struct io_ops mmio_ops = { rd_mmio, wr_mmio, 1, 4 };

static int ioapic_init(struct device *d, struct error *e)
{
    struct ioapic *a = (struct ioapic *)d;
    if (a->option_id > 15) return error_set(e, "id %u is larger than 15", a->option_id);
    region_init_io(&a->mmio, "ioapic", 0x1000, &mmio_ops, a);
    return bus_map(d->host->mem, 0xfec00000, &a->mmio, 0, e);
}

static void ioapic_reset(struct device *d, enum reset_kind kind)
{
    struct ioapic *a = (struct ioapic *)d;
    (void)kind;
    a->id = a->option_id;
    a->index = 0;
    for (int pin = 0; pin < PINS; pin++) a->entry[pin] = RTE_MASKED;
}

static void ioapic_info(struct device *d, struct text *t)
{
    static const char *const modes[8] = { "fixed", "lowest", "smi", "2?",
                                          "nmi",   "init",   "6?",  "extint" };
    struct ioapic *a = (struct ioapic *)d;
    text_add(t, "id %u index %02x lines %06x\n", a->id, a->index, a->lines);
    for (int pin = 0; pin < PINS; pin++) {
        u64 r = a->entry[pin];
        text_add(t, "pin %2d: vector %02x %s %s dest %02x %s%s%s%s\n", pin, (unsigned)(r & 0xff),
                 modes[delivery_mode(r)], r & RTE_LOGICAL ? "logical" : "physical",
                 (unsigned)(r >> 56), r & RTE_LEVEL ? "level" : "edge",
                 r & RTE_MASKED ? " masked" : "", r & RTE_REMOTE_IRR ? " remote-irr" : "",
                 a->lines & BIT(pin) ? " high" : "");
    }
}

static void ioapic_fini(struct device *d)
{
    region_fini(&((struct ioapic *)d)->mmio);
}

static const struct device_option ioapic_options[] = {
    { "id", OPT_U32, offsetof(struct ioapic, option_id), "0", "APIC id after reset" },
    { 0 },
};
static const struct device_field ioapic_fields[] = {
    FIELD(struct ioapic, id),
    FIELD(struct ioapic, index),
    FIELD(struct ioapic, lines),
    FIELD_ARRAY(struct ioapic, entry),
    { 0 },
};

const struct device_class ioapic_class = {
    .name = "ioapic",
    .help = "I/O APIC with 24 inputs at FEC00000h",
    .size = sizeof(struct ioapic),
    .version = 1,
    .options = ioapic_options,
    .fields = ioapic_fields,
    .init = ioapic_init,
    .reset = ioapic_reset,
    .input = set_line,
    .info = ioapic_info,
    .fini = ioapic_fini,
};
