/* ISA bridge at 00:01.0 with the look of an Intel PIIX3 (8086:7000): routes the four PCI interrupt
 * wires to ISA interrupts by PIRQRC[A:D] (60h-63h) and holds the reset control register at port
 * CF9h.
 *
 * Each PIRQRC: bit 7 set = not routed, bits 3:0 = ISA IRQ (3-7, 9-12, 14, 15 are legal; others
 * route nowhere). Several wires on one IRQ are ORed here; the board ORs the result with ISA
 * devices. CF9h: bit 1 chooses hard (1) or soft (0) reset, a 0 to 1 step of bit 2 does it. Intel
 * 82371SB data sheet (290550), sections 2.2 and 2.4. The X-bus, DMA and IDE-timing style registers
 * are storage: the chips they would enable are always there. Left out: the SMI registers' function.
 */
#include "devices/piix3.h"

#include "devices/pci.h"

enum { REG_PIRQRC = 0x60, RCR_SYSTEM = 2, RCR_CPU = 4, LEGAL_IRQS = 0xdef8 };

struct piix3 {
    struct pci_dev pci;
    struct irq isa_irq[16];
    bool pirq[4]; /* levels of the PCI wires */
    u8 reset_control;
};

static void update_irq(struct piix3 *p)
{
    u32 levels = 0;
    for (unsigned i = 0; i < 4; i++) {
        u8 route = p->pci.config[REG_PIRQRC + i];
        if (p->pirq[i] && !(route & 0x80)) levels |= BIT(route & 15);
    }
    for (unsigned n = 0; n < 16; n++)
        if (LEGAL_IRQS & BIT(n)) irq_set(&p->isa_irq[n], levels & BIT(n));
}

static void piix3_input(void *device, int pin, bool level)
{
    struct piix3 *p = device;
    if (pin < 0 || pin > 3 || p->pirq[pin] == level) return;
    p->pirq[pin] = level;
    update_irq(p);
}

static void config_written(struct pci_dev *pci, unsigned reg, unsigned size)
{
    if (reg < REG_PIRQRC + 4 && reg + size > REG_PIRQRC) update_irq((struct piix3 *)pci);
}

static u64 reset_read(void *opaque, u64 offset, unsigned size)
{
    (void)offset, (void)size;
    return ((struct piix3 *)opaque)->reset_control;
}

static void reset_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)offset, (void)size;
    struct piix3 *p = opaque;
    bool pulled = (value & RCR_CPU) && !(p->reset_control & RCR_CPU);
    p->reset_control = value & (RCR_SYSTEM | RCR_CPU);
    if (!pulled) return;
    struct host_if *h = p->pci.dev.host;
    bool hard = value & RCR_SYSTEM;
    h->request(h->machine, REQ_RESET, hard ? RESET_COLD : RESET_WARM,
               hard ? "CF9h hard reset" : "CF9h soft reset");
}

static const struct io_ops reset_ops = { reset_read, reset_write, 1, 1 };
static const struct pci_ops bridge_ops = { config_written };

static int piix3_init(struct device *d, struct error *e)
{
    static const struct pci_id id = { 0x8086,        0x7000, 0,   0x060100, PCI_SUBSYS_VENDOR,
                                      PCI_SUBSYS_ID, 0,      true };
    /* register, writable bits */
    static const u8 masks[][2] = {
        { 0x4c, 0xff }, { 0x4e, 0xff }, { 0x4f, 0x0f }, { 0x60, 0x8f }, { 0x61, 0x8f },
        { 0x62, 0x8f }, { 0x63, 0x8f }, { 0x69, 0xfe }, { 0x6a, 0xff }, { 0x6b, 0x83 },
        { 0x70, 0xef }, { 0x71, 0xef }, { 0x76, 0x8f }, { 0x77, 0x8f }, { 0x78, 0xff },
        { 0x79, 0xff }, { 0x82, 0x0f }, { 0xa0, 0x1f }, { 0xa2, 0xff }, { 0xa3, 0xff },
        { 0xa4, 0xff }, { 0xa5, 0xff }, { 0xa6, 0xff }, { 0xa7, 0xff }, { 0xa8, 0xff },
        { 0xaa, 0xff }, { 0xab, 0xff }, { 0xac, 0xff }, { 0xae, 0xff },
    };
    struct piix3 *p = (struct piix3 *)d;
    if (pci_register(&p->pci, &id, e)) return -1;
    p->pci.ops = &bridge_ops;
    for (unsigned i = 0; i < LEN(masks); i++) p->pci.wmask[masks[i][0]] = masks[i][1];
    /* Bus master, memory and I/O are always on; special cycles may be enabled. */
    st16(&p->pci.wmask[PCI_COMMAND], 0x0108);
    p->pci.bus->reset_ops = &reset_ops;
    p->pci.bus->reset_opaque = p;
    return 0;
}

static void piix3_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    static const u8 values[][2] = {
        { 0x4c, 0x4d }, { 0x4e, 0x03 }, { 0x60, 0x80 }, { 0x61, 0x80 }, { 0x62, 0x80 },
        { 0x63, 0x80 }, { 0x69, 0x02 }, { 0x70, 0x80 }, { 0x71, 0x80 }, { 0x76, 0x0c },
        { 0x77, 0x0c }, { 0x78, 0x02 }, { 0xa0, 0x08 }, { 0xa8, 0x0f },
    };
    struct piix3 *p = (struct piix3 *)d;
    pci_reset(&p->pci);
    memset(&p->pci.config[0x40], 0, 0xc0);
    st16(&p->pci.config[PCI_COMMAND], 0x0007);
    st16(&p->pci.config[PCI_STATUS], 0x0200);
    for (unsigned i = 0; i < LEN(values); i++) p->pci.config[values[i][0]] = values[i][1];
    p->reset_control = 0;
    update_irq(p);
}

static void piix3_post_load(struct device *d, u32 version)
{
    (void)version;
    struct piix3 *p = (struct piix3 *)d;
    pci_post_load(&p->pci);
    update_irq(p);
}

static void piix3_info(struct device *d, struct text *t)
{
    struct piix3 *p = (struct piix3 *)d;
    for (unsigned i = 0; i < 4; i++) {
        u8 route = p->pci.config[REG_PIRQRC + i];
        text_add(t, "PIRQ%c %s IRQ %u%s\n", 'A' + i, route & 0x80 ? "off" : "->", route & 15,
                 p->pirq[i] ? " asserted" : "");
    }
}

static void piix3_fini(struct device *d)
{
    struct piix3 *p = (struct piix3 *)d;
    if (p->pci.bus && p->pci.bus->reset_opaque == p) p->pci.bus->reset_ops = NULL;
    pci_unregister(&p->pci);
}

static const struct device_option piix3_options[] = {
    PCI_OPTIONS("0x08"),
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_field piix3_fields[] = {
    PCI_FIELDS,
    FIELD_ARRAY(struct piix3, pirq),
    FIELD(struct piix3, reset_control),
    { NULL, 0, 0, 0, 0 },
};

static const struct device_wire piix3_outputs[] = {
    { "isa_irq", offsetof(struct piix3, isa_irq), 16 },
    { NULL, 0, 0 },
};

const struct device_class piix3_class = {
    .name = "piix3",
    .help = "ISA bridge: PCI interrupt routing, reset port CF9h",
    .size = sizeof(struct piix3),
    .version = 1,
    .options = piix3_options,
    .fields = piix3_fields,
    .outputs = piix3_outputs,
    .init = piix3_init,
    .reset = piix3_reset,
    .post_load = piix3_post_load,
    .input = piix3_input,
    .info = piix3_info,
    .fini = piix3_fini,
};
