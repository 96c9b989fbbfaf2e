/*
 * MP configuration table 1.4 and $PIR, for systems that do not read ACPI.
 *
 * Both describe the wiring of pci.c: IRQ n on I/O APIC input n except the timer on 2; PCI lines
 * and the SCI are level, active high, like the MADT says.
 */
#include "bios/pci.h"
#include "bios/post.h"
#include "bios/state.h"

enum { IOAPIC = 0xfec00000, LAPIC = 0xfee00000, LEVEL_HIGH = 0x0d, BUS_PCI = 0, BUS_ISA = 1 };
enum { MP_MAX = 1024, PIR_SLOTS = 32 };

extern u8 bios32_header[], pnp_header[];

struct mp_header {
    char signature[4];
    u16 length;
    u8 revision, sum;
    char oem[8], product[12];
    u32 oem_table;
    u16 oem_size, count;
    u32 lapic;
    u16 ext_length;
    u8 ext_sum, reserved;
};
_Static_assert(sizeof(struct mp_header) == 44, "MP configuration table header");

struct mp_builder {
    u8 buf[MP_MAX];
    u16 used, count;
};

static void add(struct mp_builder *b, const void *entry, u32 size)
{
    if (b->used + size > MP_MAX) return;
    memcpy(b->buf + b->used, entry, size);
    b->used += size;
    b->count++;
}

static void add_line(struct mp_builder *b, u8 type, u8 kind, u8 flags, u8 bus, u8 irq, u8 pin)
{
    u8 to = type == 4 ? 0xff : 0;
    const u8 entry[8] = { type, kind, flags, 0, bus, irq, to, pin };
    add(b, entry, sizeof entry);
}

static void add_cpus(struct mp_builder *b)
{
    u32 a = 1, bx, c, d;
    asm volatile("cpuid" : "+a"(a), "=b"(bx), "=c"(c), "=d"(d));
    for (u32 i = 0; i < bs.cpu_count && i < 16; i++) {
        struct {
            u8 type, id, version, flags;
            u32 signature, features, reserved[2];
        } cpu = { 0, i, 0x14, i == 0 ? 3 : 1, a, d, { 0, 0 } };
        add(b, &cpu, sizeof cpu);
    }
}

static void add_pci_lines(struct mp_builder *b)
{
    u8 seen[32 * 4 / 8];
    memset(seen, 0, sizeof seen);
    u16 f = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE) {
        u8 irq = pci_irq(f);
        if (!irq) continue;
        u8 source = (f >> 3 & 31) << 2 | (pci_read8(f, PCI_PIN) - 1);
        if (seen[source >> 3] & 1 << (source & 7)) continue;
        seen[source >> 3] |= 1 << (source & 7);
        add_line(b, 3, 0, LEVEL_HIGH, BUS_PCI, source, irq);
    }
}

static void build_mp(void)
{
    struct mp_builder b;
    struct mp_header h;
    b.used = sizeof h;
    b.count = 0;
    add_cpus(&b);
    add(&b, "\x01\x00PCI   ", 8);
    add(&b, "\x01\x01ISA   ", 8);
    flat_write32(IOAPIC, 1);
    u8 version = (u8)flat_read32(IOAPIC + 0x10);
    flat_write32(IOAPIC, 0);
    const u8 ioapic[8] = { 2, 0, version, 1, 0, 0, 0xc0, 0xfe };
    add(&b, ioapic, sizeof ioapic);
    add_pci_lines(&b);
    for (u8 irq = 0; irq < 16; irq++) {
        if (irq == 2 || irq == 5 || irq == 10 || irq == 11) continue;
        add_line(&b, 3, 0, irq == 9 ? LEVEL_HIGH : 0, BUS_ISA, irq, irq == 0 ? 2 : irq);
    }
    add_line(&b, 4, 3, 0, BUS_ISA, 0, 0);
    add_line(&b, 4, 1, 0, BUS_ISA, 0, 1);

    memset(&h, 0, sizeof h);
    memcpy(h.signature, "PCMP", 4);
    h.length = b.used;
    h.revision = 4;
    memcpy(h.oem, "AEROPC  ", 8);
    memcpy(h.product, "AEROPC      ", 12);
    h.count = b.count;
    h.lapic = LAPIC;
    memcpy(b.buf, &h, sizeof h);
    b.buf[7] = -checksum(b.buf, b.used);

    u32 table = f_segment_alloc(b.used, 16), pointer = f_segment_alloc(16, 16);
    if (!table || !pointer) return;
    u8 p[16] = { '_', 'M', 'P', '_', 0, 0, 0, 0, 1, 4 };
    memcpy(p + 4, &table, 4);
    p[10] = -checksum(p, 16);
    copy_out(SEG_CODE, table & 0xffff, b.buf, b.used);
    copy_out(SEG_CODE, pointer & 0xffff, p, 16);
}

struct pir_slot {
    u8 bus, devfn;
    struct {
        u8 link;
        u16 irqs;
    } __attribute__((packed)) pin[4];
    u8 slot, reserved;
} __attribute__((packed));

struct pir {
    char signature[4];
    u16 version, size;
    u8 bus, devfn;
    u16 exclusive;
    u16 vendor, device;
    u32 miniport;
    u8 reserved[11], sum;
    struct pir_slot slot[PIR_SLOTS];
} __attribute__((packed));
_Static_assert(sizeof(struct pir_slot) == 16, "$PIR slot");

static void build_pir(void)
{
    struct pir t;
    memset(&t, 0, sizeof t);
    u16 isa = pci_find(0x8086, 0x7000);
    if (isa == PCI_NONE) return;
    memcpy(t.signature, "$PIR", 4);
    t.version = 0x0100;
    t.devfn = (u8)isa;
    t.vendor = 0x8086;
    t.device = 0x7000;
    u32 n = 0;
    u16 f = PCI_NONE, last = PCI_NONE;
    while ((f = pci_next(f)) != PCI_NONE && n < PIR_SLOTS) {
        if (f >> 3 == last || f >> 3 == 0) continue;
        last = f >> 3;
        struct pir_slot *s = &t.slot[n++];
        s->devfn = f & 0xf8;
        for (u32 pin = 0; pin < 4; pin++) {
            s->pin[pin].link = 0x60 + ((last + pin) & 3);
            s->pin[pin].irqs = 0x0e20;
        }
    }
    t.size = 32 + n * 16;
    t.sum = -checksum(&t, t.size);
    u32 at = f_segment_alloc(t.size, 16);
    if (at) copy_out(SEG_CODE, at & 0xffff, &t, t.size);
}

/* The two headers of tables_s.S sit in segment F000: sum them there. */
static void fix_sum(u16 off, u32 size, u32 sum_at)
{
    u8 sum = 0;
    for (u32 i = 0; i < size; i++) sum += peekb(SEG_CODE, off + i);
    pokeb(SEG_CODE, off + sum_at, peekb(SEG_CODE, off + sum_at) - sum);
}

void headers_init(void)
{
    fix_sum((u16)(u32)bios32_header, 16, 10);
    fix_sum((u16)(u32)pnp_header, 0x21, 8);
}

void tables_init(void)
{
    build_mp();
    build_pir();
}
