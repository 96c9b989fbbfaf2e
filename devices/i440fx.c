/* Host bridge at 00:00.0 with the look of an Intel 440FX (8086:1237): configuration mechanism 1 at
 * CF8h/CFCh, and who answers in the first megabyte.
 *
 * The bridge maps low RAM itself (the board hands over the region, unmapped): 0-9FFFF and 100000 up
 * are always RAM; each segment of C0000-FFFFF becomes RAM for reads, writes or both by the
 * attribute registers 59h-5Fh (PAM), which is how a BIOS shadows ROMs; SMRAM register 72h can show
 * RAM in A0000-BFFFF, to everybody (D_OPEN) or to a CPU in system management mode only (G_SMRAME
 * and input pin 0, SMIACT#). What RAM does not claim falls through to the ROMs and VGA windows
 * mapped below these aliases. Intel 82441FX data sheet (290549), sections 3.1 and 3.2. DRAM timing
 * and error registers are storage. Left out: D_CLS (in SMM, data from the bus and code from SMRAM).
 */
#include "devices/i440fx.h"

#include "devices/pci.h"

enum {
    REG_PAM = 0x59,
    REG_DRB = 0x60,
    REG_SMRAM = 0x72,
    PAM_SEGMENTS = 13,
    PRIO_PAM = 2,
    PRIO_SMRAM = 3
};
enum {
    SMRAM_BASE_MASK = 0x07,
    SMRAM_BASE_A0000 = 0x02,
    SMRAM_ENABLE = 0x08,
    SMRAM_LOCK = 0x10,
    SMRAM_CLOSED = 0x20,
    SMRAM_OPEN = 0x40
};

struct i440fx {
    struct pci_dev pci;
    struct region *ram; /* low RAM, from guest address 0 */
    u32 config_address; /* CF8h */
    bool smiact;        /* the CPU is in system management mode */
    struct region low, high, pam[PAM_SEGMENTS], smram;
    struct region address_port, data_port;
};

/* PAM0's upper half is F0000-FFFFF; PAM1 to PAM6 hold two 16 KiB segments each, from C0000 up:
 *   59h:  hi F0000/64K      5Ah: lo C0000 hi C4000 ... 5Fh: lo E8000 hi EC000
 * Each half-byte: bit 0 read enable, bit 1 write enable, bit 2 cacheable. */
static void update_pam(struct i440fx *h)
{
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        unsigned nibble = i == 0 ? 1 : i + 1;
        u8 bits = h->pci.config[REG_PAM + nibble / 2] >> (nibble & 1 ? 4 : 0);
        u8 decode = (u8)((bits & 1 ? DECODE_READ : 0) | (bits & 2 ? DECODE_WRITE : 0));
        if (h->pam[i].decode != decode) region_set_decode(&h->pam[i], decode);
    }
    u8 smram = h->pci.config[REG_SMRAM];
    bool open = (smram & SMRAM_OPEN) || ((smram & SMRAM_ENABLE) && h->smiact);
    if ((smram & SMRAM_BASE_MASK) != SMRAM_BASE_A0000) open = false;
    if (h->smram.enabled != open) bus_enable(&h->smram, open);
}

static void smiact(void *opaque, int pin, bool level)
{
    struct i440fx *h = opaque;
    (void)pin;
    h->smiact = level;
    update_pam(h);
}

static void config_written(struct pci_dev *p, unsigned reg, unsigned size)
{
    struct i440fx *h = (struct i440fx *)p;
    if (reg < REG_SMRAM + 1 && reg + size > REG_PAM) {
        if (p->config[REG_SMRAM] & p->wmask[REG_SMRAM] & SMRAM_CLOSED)
            LOG_GUEST(p->dev.name, "SMRAM: D_CLS has no effect");
        /* D_LCK freezes the register until reset and closes the window. */
        if (p->config[REG_SMRAM] & SMRAM_LOCK) {
            p->config[REG_SMRAM] &= (u8)~SMRAM_OPEN;
            p->wmask[REG_SMRAM] = 0;
        }
        update_pam(h);
    }
}

/* CF8h answers to whole doublewords only; a byte at CF9h is the reset control register of the ISA
 * bridge. */
static u64 address_read(void *opaque, u64 offset, unsigned size)
{
    struct i440fx *h = opaque;
    struct pci_bus *b = h->pci.bus;
    if (offset == 0 && size == 4) return h->config_address;
    if (offset == 1 && size == 1 && b->reset_ops) return b->reset_ops->read(b->reset_opaque, 0, 1);
    return mask_n(size);
}

static void address_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct i440fx *h = opaque;
    struct pci_bus *b = h->pci.bus;
    if (offset == 0 && size == 4) h->config_address = (u32)value & 0x80fffffc;
    if (offset == 1 && size == 1 && b->reset_ops) b->reset_ops->write(b->reset_opaque, 0, value, 1);
}

static u64 data_read(void *opaque, u64 offset, unsigned size)
{
    struct i440fx *h = opaque;
    return pci_bus_read(h->pci.bus, h->config_address, (unsigned)offset, size);
}

static void data_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct i440fx *h = opaque;
    pci_bus_write(h->pci.bus, h->config_address, (unsigned)offset, (u32)value, size);
}

static const struct io_ops address_ops = { address_read, address_write, 1, 4 };
static const struct io_ops data_ops = { data_read, data_write, 1, 4 };
static const struct pci_ops bridge_ops = { config_written };

static int map_ram(struct i440fx *h, struct error *e)
{
    struct bus *mem = h->pci.dev.host->mem;
    u64 size = h->ram->size;
    if (size < MIB) return error_set(e, "at least 1 MiB of RAM is needed");
    region_init_alias(&h->low, "ram-low", h->ram, 0, 0xa0000);
    region_init_alias(&h->smram, "smram", h->ram, 0xa0000, 0x20000);
    if (bus_map(mem, 0, &h->low, 0, e) || bus_map(mem, 0xa0000, &h->smram, PRIO_SMRAM, e))
        return -1;
    bus_enable(&h->smram, false);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        u32 base = i == 0 ? 0xf0000 : 0xc0000 + (i - 1) * 0x4000;
        region_init_alias(&h->pam[i], "pam", h->ram, base, i == 0 ? 0x10000 : 0x4000);
        if (bus_map(mem, base, &h->pam[i], PRIO_PAM, e)) return -1;
        region_set_decode(&h->pam[i], 0);
    }
    if (size == MIB) return 0;
    region_init_alias(&h->high, "ram-high", h->ram, MIB, size - MIB);
    return bus_map(mem, MIB, &h->high, 0, e);
}

static int i440fx_init(struct device *d, struct error *e)
{
    static const struct pci_id id = { 0x8086,        0x1237, 2,    0x060000, PCI_SUBSYS_VENDOR,
                                      PCI_SUBSYS_ID, 0,      false };
    struct i440fx *h = (struct i440fx *)d;
    if (!h->ram) return error_set(e, "no RAM connected");
    if (pci_register(&h->pci, &id, e)) return -1;
    h->pci.ops = &bridge_ops;
    /* 50h-5Eh configuration and timing, 59h-5Fh PAM, 60h-67h row boundaries, 68h hole, 72h-7Fh. */
    memset(&h->pci.wmask[0x50], 0xff, 0x20);
    memset(&h->pci.wmask[0x70], 0xff, 0x10);
    memset(&h->pci.wmask[0x90], 0xff, 4);
    /* Memory access and bus master cannot be switched off on this bridge. */
    st16(&h->pci.wmask[PCI_COMMAND], 0x0100);
    region_init_io(&h->address_port, "pci-config-address", 4, &address_ops, h);
    region_init_io(&h->data_port, "pci-config-data", 4, &data_ops, h);
    if (bus_map(d->host->io, 0xcf8, &h->address_port, 0, e)) return -1;
    if (bus_map(d->host->io, 0xcfc, &h->data_port, 0, e)) return -1;
    return map_ram(h, e);
}

/* Row boundary registers count 8 MiB units; firmware of foreign origin sizes memory by them. */
static void set_row_boundaries(struct i440fx *h)
{
    u64 units = h->ram->size / (8 * MIB);
    for (unsigned i = 0; i < 8; i++) {
        u64 row = MIN(units, (i + 1) * 32ull);
        h->pci.config[REG_DRB + i] = (u8)MIN(i == 7 ? MIN(units, 255ull) : row, 255ull);
    }
}

static void i440fx_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct i440fx *h = (struct i440fx *)d;
    pci_reset(&h->pci);
    u8 *config = h->pci.config;
    memset(&config[0x40], 0, 0xc0);
    st16(&config[PCI_COMMAND], 0x0006);
    st16(&config[PCI_STATUS], 0x0280);
    config[0x51] = 0x01;
    config[0x58] = 0x10;
    config[REG_SMRAM] = 0x02;
    h->pci.wmask[REG_SMRAM] = 0x78;
    set_row_boundaries(h);
    h->config_address = 0;
    update_pam(h);
}

static void i440fx_post_load(struct device *d, u32 version)
{
    (void)version;
    struct i440fx *h = (struct i440fx *)d;
    pci_post_load(&h->pci);
    h->pci.wmask[REG_SMRAM] = h->pci.config[REG_SMRAM] & SMRAM_LOCK ? 0 : 0x78;
    update_pam(h);
}

static void i440fx_info(struct device *d, struct text *t)
{
    struct i440fx *h = (struct i440fx *)d;
    text_add(t, "CF8 %08x SMRAM %02x\n", h->config_address, h->pci.config[REG_SMRAM]);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++)
        text_add(t, "%05llx-%05llx read %s write %s\n", (unsigned long long)h->pam[i].base,
                 (unsigned long long)(h->pam[i].base + h->pam[i].size - 1),
                 h->pam[i].decode & DECODE_READ ? "RAM" : "PCI",
                 h->pam[i].decode & DECODE_WRITE ? "RAM" : "PCI");
}

static void i440fx_fini(struct device *d)
{
    struct i440fx *h = (struct i440fx *)d;
    pci_unregister(&h->pci);
    struct region *all[] = { &h->low, &h->high, &h->smram, &h->address_port, &h->data_port };
    for (unsigned i = 0; i < LEN(all); i++)
        if (all[i]->bus) bus_unmap(all[i]);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++)
        if (h->pam[i].bus) bus_unmap(&h->pam[i]);
}

static const struct device_option i440fx_options[] = {
    PCI_OPTIONS("0x00"),
    { "ram", OPT_PTR, offsetof(struct i440fx, ram), NULL, "the region of RAM below 4 GiB" },
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_field i440fx_fields[] = {
    PCI_FIELDS,
    FIELD(struct i440fx, config_address),
    { "smiact", offsetof(struct i440fx, smiact), 1, 1, 2 },
    { NULL, 0, 0, 0, 0 },
};

const struct device_class i440fx_class = {
    .name = "i440fx",
    .help = "host bridge: PCI configuration ports, shadow RAM",
    .size = sizeof(struct i440fx),
    .version = 2,
    .options = i440fx_options,
    .fields = i440fx_fields,
    .init = i440fx_init,
    .reset = i440fx_reset,
    .input = smiact,
    .post_load = i440fx_post_load,
    .info = i440fx_info,
    .fini = i440fx_fini,
};
