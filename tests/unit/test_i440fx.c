/* i440FX and PIIX3: configuration mechanism 1, shadow RAM, interrupt routing, CF9h. */
#include "devices/i440fx.h"
#include "devices/piix3.h"
#include "tests/unit/storage_rig.h"

static u8 rom_bytes[0x20000];

struct chipset {
    struct rig r;
    struct device *host;
    struct region rom;
};

static void up(struct chipset *c)
{
    rig_up(&c->r, true, false);
    struct device *host = c->host = rig_create(&c->r, &i440fx_class, "host");
    device_set_ptr(host, "pci", c->r.pci);
    device_set_ptr(host, "ram", &c->r.ram_region);
    rig_start(host);
    struct device *isa = rig_create(&c->r, &piix3_class, "isa");
    device_set_ptr(isa, "pci", c->r.pci);
    for (unsigned i = 0; i < 16; i++) device_connect(isa, "isa_irq", i, rig_wire(&c->r, (int)i));
    rig_start(isa);
    for (int i = 0; i < 4; i++) device_connect(&c->r.pci->dev, "pirq", (unsigned)i, device_input(isa, i));
    memset(rom_bytes, 0xee, sizeof(rom_bytes));
    region_init_rom(&c->rom, "rom", sizeof(rom_bytes), rom_bytes);
    ck_assert_int_eq(bus_map(&c->r.mem, 0xe0000, &c->rom, 0, NULL), 0);
}

static void down(struct chipset *c)
{
    region_fini(&c->rom);
    rig_down(&c->r);
}

static u32 cfg_read(struct chipset *c, u32 address)
{
    out32(&c->r, 0xcf8, 0x80000000 | (address & ~3u));
    return in32(&c->r, 0xcfc);
}

static void cfg_write8(struct chipset *c, u32 address, u8 v)
{
    out32(&c->r, 0xcf8, 0x80000000 | (address & ~3u));
    out8(&c->r, (u16)(0xcfc + (address & 3)), v);
}

START_TEST(mechanism_1_finds_functions)
{
    struct chipset c;
    up(&c);
    ck_assert_uint_eq(cfg_read(&c, 0x0000), 0x12378086);
    ck_assert_uint_eq(cfg_read(&c, 0x0008), 0x06000002);
    ck_assert_uint_eq(cfg_read(&c, 0x0800), 0x70008086);
    ck_assert_uint_eq(cfg_read(&c, 0x080c) >> 16 & 0xff, 0x80);
    ck_assert_uint_eq(cfg_read(&c, 0x1000), 0xffffffff);
    ck_assert_uint_eq(cfg_read(&c, 0x10000), 0xffffffff);
    ck_assert_uint_eq(in32(&c.r, 0xcf8), 0x80010000);
    out32(&c.r, 0xcf8, 0);
    ck_assert_uint_eq(in32(&c.r, 0xcfc), 0xffffffff);
    down(&c);
}
END_TEST

START_TEST(mechanism_1_byte_and_word)
{
    struct chipset c;
    up(&c);
    out32(&c.r, 0xcf8, 0x80000800);
    ck_assert_uint_eq(in8(&c.r, 0xcfd), 0x80);
    ck_assert_uint_eq(in16(&c.r, 0xcfe), 0x7000);
    out8(&c.r, 0xcf8, 0x55); /* not a doubleword: not the address register */
    ck_assert_uint_eq(in32(&c.r, 0xcf8), 0x80000800);
    down(&c);
}
END_TEST

START_TEST(pam_shadows_rom)
{
    struct chipset c;
    up(&c);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xf0000, 1), 0xee);
    bus_write(&c.r.mem, 0xf0000, 0x11, 1);
    ck_assert_uint_eq(c.r.ram[0xf0000], 0);
    cfg_write8(&c, 0x59, 0x20); /* writes to RAM, reads from ROM */
    bus_write(&c.r.mem, 0xf0000, 0x22, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xf0000, 1), 0xee);
    ck_assert_uint_eq(c.r.ram[0xf0000], 0x22);
    cfg_write8(&c, 0x59, 0x10); /* reads from RAM, writes nowhere */
    bus_write(&c.r.mem, 0xf0000, 0x33, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xf0000, 1), 0x22);
    cfg_write8(&c, 0x59, 0x30);
    bus_write(&c.r.mem, 0xf0000, 0x44, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xf0000, 1), 0x44);
    down(&c);
}
END_TEST

START_TEST(pam_segments_are_independent)
{
    struct chipset c;
    up(&c);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xc8000, 1), 0xff);
    cfg_write8(&c, 0x5b, 0x03); /* C8000-CBFFF */
    bus_write(&c.r.mem, 0xc8000, 0x77, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xc8000, 1), 0x77);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xcc000, 1), 0xff);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xc4000, 1), 0xff);
    cfg_write8(&c, 0x5f, 0x30); /* EC000-EFFFF */
    bus_write(&c.r.mem, 0xec000, 0x78, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xec000, 1), 0x78);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xe8000, 1), 0xee);
    down(&c);
}
END_TEST

START_TEST(smram_opens_and_locks)
{
    struct chipset c;
    up(&c);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xa0000, 1), 0xff);
    cfg_write8(&c, 0x72, 0x4a);
    bus_write(&c.r.mem, 0xa0000, 0x99, 1);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xa0000, 1), 0x99);
    cfg_write8(&c, 0x72, 0x1a);
    cfg_write8(&c, 0x72, 0x4a);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xa0000, 1), 0xff);
    down(&c);
}
END_TEST

START_TEST(smram_shows_in_smm_only)
{
    struct chipset c;
    struct irq smiact;
    up(&c);
    smiact = device_input(c.host, 0);
    cfg_write8(&c, 0x72, 0x4a);
    bus_write(&c.r.mem, 0xbffff, 0x77, 1);
    cfg_write8(&c, 0x72, 0x0a); /* closed, enabled */
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xbffff, 1), 0xff);
    irq_set(&smiact, true);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xbffff, 1), 0x77);
    irq_set(&smiact, false);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xbffff, 1), 0xff);
    cfg_write8(&c, 0x72, 0x02); /* G_SMRAME off: SMM does not matter */
    irq_set(&smiact, true);
    ck_assert_uint_eq(bus_read(&c.r.mem, 0xbffff, 1), 0xff);
    irq_set(&smiact, false);
    down(&c);
}
END_TEST

START_TEST(pirq_routes_to_isa)
{
    struct chipset c;
    up(&c);
    irq_set(&c.r.pci->pirq[0], true);
    for (int n = 0; n < 16; n++) ck_assert(!c.r.level[n]);
    cfg_write8(&c, 0x860, 10);
    ck_assert(c.r.level[10]);
    cfg_write8(&c, 0x863, 10);
    irq_set(&c.r.pci->pirq[3], true);
    irq_set(&c.r.pci->pirq[0], false);
    ck_assert(c.r.level[10]);
    cfg_write8(&c, 0x863, 11);
    ck_assert(!c.r.level[10]);
    ck_assert(c.r.level[11]);
    cfg_write8(&c, 0x863, 0x80);
    ck_assert(!c.r.level[11]);
    cfg_write8(&c, 0x863, 8); /* not a legal target */
    ck_assert(!c.r.level[8]);
    irq_set(&c.r.pci->pirq[3], false);
    down(&c);
}
END_TEST

START_TEST(cf9_resets_on_rising_bit)
{
    struct chipset c;
    up(&c);
    out8(&c.r, 0xcf9, 0x02);
    ck_assert_int_eq(c.r.requests, 0);
    out8(&c.r, 0xcf9, 0x06);
    ck_assert_int_eq(c.r.requests, 1);
    ck_assert_int_eq(c.r.request, REQ_RESET);
    ck_assert_int_eq(c.r.request_arg, RESET_COLD);
    out8(&c.r, 0xcf9, 0x06);
    ck_assert_int_eq(c.r.requests, 1);
    ck_assert_uint_eq(in8(&c.r, 0xcf9), 0x06);
    out8(&c.r, 0xcf9, 0x00);
    out8(&c.r, 0xcf9, 0x04);
    ck_assert_int_eq(c.r.request_arg, RESET_WARM);
    down(&c);
}
END_TEST

RIG_SUITE(i440fx, mechanism_1_finds_functions, mechanism_1_byte_and_word, pam_shadows_rom, pam_segments_are_independent,
          smram_opens_and_locks, smram_shows_in_smm_only, pirq_routes_to_isa, cf9_resets_on_rising_bit)
