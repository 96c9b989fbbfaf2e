/* PCI: BAR sizing and decode, command bits, interrupt swizzle and disable, DMA gating. */
#include "tests/unit/storage_rig.h"

struct probe {
    struct pci_dev pci;
    struct region mmio, ports, rom;
    u8 rom_bytes[2048];
    u32 pin;
    unsigned writes;
};

static u64 probe_read(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    return (0x11223344u + offset) & mask_n(size);
}

static void probe_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)offset, (void)value, (void)size;
    ((struct probe *)opaque)->writes++;
}

static const struct io_ops probe_ops = { probe_read, probe_write, 1, 4 };

static int probe_init(struct device *d, struct error *e)
{
    struct probe *p = (struct probe *)d;
    const struct pci_id id = { 0x1234, 0x5678, 9, 0x020000, 1, 2, (u8)p->pin, false };
    if (pci_register(&p->pci, &id, e)) return -1;
    p->rom_bytes[0] = 0x55;
    region_init_io(&p->mmio, "probe-mmio", 0x1000, &probe_ops, p);
    region_init_io(&p->ports, "probe-ports", 32, &probe_ops, p);
    region_init_rom(&p->rom, "probe-rom", sizeof(p->rom_bytes), p->rom_bytes);
    pci_add_bar(&p->pci, 0, &p->mmio, PCI_BAR_PREFETCH);
    pci_add_bar(&p->pci, 1, &p->ports, PCI_BAR_IO);
    pci_add_bar(&p->pci, PCI_ROM_BAR, &p->rom, PCI_BAR_ROM);
    return 0;
}

static void probe_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    pci_reset((struct pci_dev *)d);
}

static void probe_fini(struct device *d)
{
    pci_unregister((struct pci_dev *)d);
    region_fini(&((struct probe *)d)->rom);
}

static const struct device_option probe_options[] = {
    PCI_OPTIONS("0x28"),
    { "pin", OPT_U32, offsetof(struct probe, pin), "1", "interrupt pin" },
    { NULL, 0, 0, NULL, NULL },
};
static const struct device_class probe_class = {
    .name = "probe", .size = sizeof(struct probe), .version = 1, .options = probe_options,
    .init = probe_init, .reset = probe_reset, .fini = probe_fini,
};

static struct probe *add(struct rig *r, const char *addr, const char *pin)
{
    struct device *d = rig_create(r, &probe_class, "probe");
    device_set_option(d, "addr", addr, NULL);
    device_set_option(d, "pin", pin, NULL);
    device_set_ptr(d, "pci", r->pci);
    rig_start(d);
    return (struct probe *)d;
}

START_TEST(bars_size_and_decode)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    pci_config_write(p, PCI_BAR0, 0xffffffff, 4);
    pci_config_write(p, PCI_BAR0 + 4, 0xffffffff, 4);
    pci_config_write(p, PCI_BAR0 + 8, 0xffffffff, 4);
    pci_config_write(p, PCI_ROM, 0xfffffffe, 4);
    ck_assert_uint_eq(pci_config_read(p, PCI_BAR0, 4), 0xfffff008);
    ck_assert_uint_eq(pci_config_read(p, PCI_BAR0 + 4, 4), 0xffffffe1);
    ck_assert_uint_eq(pci_config_read(p, PCI_BAR0 + 8, 4), 0);
    ck_assert_uint_eq(pci_config_read(p, PCI_ROM, 4), 0xfffff800);
    pci_config_write(p, PCI_BAR0, 0xfe000000, 4);
    pci_config_write(p, PCI_BAR0 + 4, 0xc000, 4);
    ck_assert_uint_eq(rd32(&r, 0xfe000000), 0xffffffff);
    ck_assert_uint_eq(in32(&r, 0xc000), 0xffffffff);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MEM, 2);
    ck_assert_uint_eq(rd32(&r, 0xfe000010), 0x11223354);
    ck_assert_uint_eq(in32(&r, 0xc000), 0xffffffff);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_IO, 2);
    ck_assert_uint_eq(rd32(&r, 0xfe000000), 0xffffffff);
    ck_assert_uint_eq(in32(&r, 0xc000), 0x11223344);
    pci_config_write(p, PCI_BAR0 + 4, 0x1c000, 4);
    ck_assert_uint_eq(in32(&r, 0xc000), 0xffffffff);
    rig_down(&r);
}
END_TEST

START_TEST(rom_needs_its_own_enable)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    pci_config_write(p, PCI_ROM, 0xfd000000, 4);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MEM, 2);
    ck_assert_uint_eq(bus_read(&r.mem, 0xfd000000, 1), 0xff);
    pci_config_write(p, PCI_ROM, 0xfd000001, 4);
    ck_assert_uint_eq(bus_read(&r.mem, 0xfd000000, 1), 0x55);
    rig_down(&r);
}
END_TEST

START_TEST(bar_never_hides_ram)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    r.ram[0x100000] = 0x5a;
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MEM, 2);
    pci_config_write(p, PCI_BAR0, 0x100000, 4);
    ck_assert_uint_eq(bus_read(&r.mem, 0x100000, 1), 0x5a);
    rig_down(&r);
}
END_TEST

START_TEST(identity_is_read_only)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    for (unsigned reg = 0; reg < 4; reg++) pci_config_write(p, reg, 0, 1);
    pci_config_write(p, PCI_REVISION, 0, 4);
    pci_config_write(p, PCI_SUBSYS, 0, 4);
    ck_assert_uint_eq(pci_config_read(p, 0, 4), 0x56781234);
    ck_assert_uint_eq(pci_config_read(p, 8, 4), 0x02000009);
    ck_assert_uint_eq(pci_config_read(p, PCI_SUBSYS, 4), 0x00020001);
    rig_down(&r);
}
END_TEST

START_TEST(interrupts_swizzle_and_share)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *a = &add(&r, "0x28", "1")->pci; /* device 5 INTA -> link 1 */
    struct pci_dev *b = &add(&r, "0x20", "2")->pci; /* device 4 INTB -> link 1 */
    pci_set_irq(a, true);
    ck_assert(r.level[17]);
    pci_set_irq(b, true);
    pci_set_irq(a, false);
    ck_assert(r.level[17]);
    pci_set_irq(b, false);
    ck_assert(!r.level[17]);
    rig_down(&r);
}
END_TEST

START_TEST(interrupt_disable_keeps_status_bit)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    pci_config_write(p, PCI_COMMAND, PCI_CMD_INTX_OFF, 2);
    pci_set_irq(p, true);
    ck_assert(!r.level[17]);
    ck_assert_uint_eq(pci_config_read(p, PCI_STATUS, 2) & 8, 8);
    pci_config_write(p, PCI_COMMAND, 0, 2);
    ck_assert(r.level[17]);
    rig_down(&r);
}
END_TEST

START_TEST(dma_needs_bus_mastering)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    u32 word = 0x12345678;
    ck_assert(!pci_dma_write(p, 0x1000, &word, 4));
    ck_assert_uint_eq(ld32(r.ram + 0x1000), 0);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MASTER, 2);
    ck_assert(pci_dma_write(p, 0x1000, &word, 4));
    ck_assert_uint_eq(ld32(r.ram + 0x1000), 0x12345678);
    rig_down(&r);
}
END_TEST

/* A scatter list that points at registers, the master's own above all, must not program them. */
START_TEST(dma_does_not_reach_registers)
{
    struct rig r;
    u8 buf[16] = { 0 };
    rig_up(&r, true, true);
    struct probe *probe = add(&r, "0x28", "1");
    struct pci_dev *p = &probe->pci;
    pci_config_write(p, PCI_BAR0, 0xfe000000, 4);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER, 2);
    ck_assert_uint_eq(rd32(&r, 0xfe000000), 0x11223344);
    ck_assert(pci_dma_read(p, 0xfe000000 - 4, buf, sizeof(buf)));
    for (unsigned k = 0; k < sizeof(buf); k++) ck_assert_uint_eq(buf[k], 0xff);
    ck_assert(pci_dma_write(p, 0xfe000000, buf, sizeof(buf)));
    ck_assert_uint_eq(probe->writes, 0);
    rig_down(&r);
}
END_TEST

START_TEST(slot_taken_is_refused)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, true, true);
    add(&r, "0x28", "1");
    struct device *d = rig_create(&r, &probe_class, "second");
    device_set_ptr(d, "pci", r.pci);
    ck_assert_int_eq(device_init(d, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "05.0 is taken by probe"));
    rig_down(&r);
}
END_TEST

START_TEST(reset_unmaps_and_lowers)
{
    struct rig r;
    rig_up(&r, true, true);
    struct pci_dev *p = &add(&r, "0x28", "1")->pci;
    pci_config_write(p, PCI_BAR0, 0xfe000000, 4);
    pci_config_write(p, PCI_COMMAND, PCI_CMD_MEM, 2);
    pci_set_irq(p, true);
    pci_reset(p);
    ck_assert_uint_eq(rd32(&r, 0xfe000000), 0xffffffff);
    ck_assert_uint_eq(pci_config_read(p, PCI_BAR0, 4), 8);
    ck_assert(!r.level[17]);
    rig_down(&r);
}
END_TEST

RIG_SUITE(pci, bars_size_and_decode, rom_needs_its_own_enable, bar_never_hides_ram, identity_is_read_only,
          interrupts_swizzle_and_share, interrupt_disable_keeps_status_bit, dma_needs_bus_mastering,
          dma_does_not_reach_registers, slot_taken_is_refused, reset_unmaps_and_lowers)
