/* Power management function of the PIIX4 (8086:7113, 00:01.3; 82371AB section 7, ACPI 2.0
 * section 4.7).
 *
 * Config 40h holds the base of a 64-byte I/O block, config 80h bit 0 enables it; firmware puts it
 * at 600h. In it: PM1 status and enable (0, 2), PM1 control (4), PM timer (8). GPE0 status and
 * enable sit at AFE0h as on the reference machine; nothing raises a GPE. Port B2h is the FADT's
 * SMI_CMD: F1h sets SCI_EN, F0h clears it (no SMM code is needed for that); B3h is a byte of
 * storage. A write to B2h also sets APM_STS and, with DEVACTB's APMC_EN and GLBCTL's SMI_EN, pulses
 * the wire "smi". The wire "sci" is high while SCI_EN is set and an enabled status bit is.
 *
 * The PM timer is virtual time at 3.579545 MHz, 24 bits. Its status bit is derived: the number of
 * top-bit toggles so far differs from the number when it was last cleared.
 *
 * SLP_EN with SLP_TYP 0 (the board's \_S5) asks for power-off.
 *
 * The SMBus host sits at the base in config 90h while config D2h bit 0 is set. Nothing is on the
 * bus: every transaction ends at once with a device error, the way an address that nobody
 * acknowledges does; config D2h bits 3:1 = 4 and the interrupt enable bit route its interrupt to
 * the SCI's line.
 *
 * Left out: other sleep states (refused with a line in the log), SMI from anything but APMC, the
 * End Of SMI handshake (EOS reads 0 and is not waited for), the SMBus slave, RTC wake status. */
#include "devices/acpi_pm.h"

#include "devices/pci.h"

enum { CFG_PMBA = 0x40, CFG_DEVACTB_HI = 0x5b, CFG_PMREGMISC = 0x80, PMIOSE = 1 };
enum {
    CFG_SMBBA = 0x90,
    CFG_SMBHSTCFG = 0xd2,
    SMB_HST_EN = 1,
    SMB_INTR_MASK = 0x0e,
    SMB_INTR_IRQ9 = 0x08
};
enum {
    SMB_STS,
    SMB_SLVSTS,
    SMB_CNT,
    SMB_CMD,
    SMB_ADD,
    SMB_DAT0,
    SMB_DAT1,
    SMB_BLKDAT,
    SMB_LEN = 16
};
enum {
    SMB_STS_MASK = 0x1e,
    SMB_DEV_ERR = 0x04,
    SMB_FAILED = 0x10,
    SMB_START = 0x40,
    SMB_KILL = 0x02,
    SMB_INTREN = 0x01
};
enum { REG_PM1 = 0x0, REG_CNT = 0x4, REG_TIMER = 0x8, REG_GLBSTS = 0x18, REG_GLBCTL = 0x28, GPE_BASE = 0xafe0, GPE_LEN = 4 };
enum {
    STS_TMR = 0x0001,
    STS_GBL = 0x0020,
    STS_PWRBTN = 0x0100,
    STS_RTC = 0x0400,
    STS_WAK = 0x8000
};
enum { EN_MASK = STS_TMR | STS_GBL | STS_PWRBTN | STS_RTC };
enum { CNT_SCI_EN = 0x0001, CNT_STORED = 0x1c03, CNT_SLP_EN = 0x2000 };
enum { APMC_EN = 0x02, APM_STS = 0x20, GLBCTL_SMI_EN = 1, GLBCTL_EOS = 0x10000 };
enum { ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 };
enum { TIMER_HZ = 3579545, TIMER_MASK = 0xffffff, TIMER_TOP_SHIFT = 23 };

struct acpi_pm {
    struct pci_dev pci;
    struct irq sci, smi_out;
    u16 status; /* without STS_TMR, which is derived */
    u16 enable, control;
    u64 toggles; /* of the timer's top bit when STS_TMR was last cleared */
    u16 gpe_status, gpe_enable;
    u8 smi_cmd, smi_data;
    u16 glbsts;
    u32 glbctl;
    u8 smb[SMB_LEN];          /* registers of the SMBus host as written; SMB_STS as shown */
    u8 smb_block[32], smb_at; /* block data buffer behind SMB_BLKDAT and its index */
    struct timer timer;
    struct region block, gpe, smi, smbus;
};

static u64 timer_ticks(const struct acpi_pm *a)
{
    return mul_div(clock_now(a->pci.dev.host->clock), TIMER_HZ, NS_PER_SEC);
}

static u16 status_now(const struct acpi_pm *a)
{
    return a->status | (timer_ticks(a) >> TIMER_TOP_SHIFT != a->toggles ? STS_TMR : 0);
}

/* Wire, and the timer for the next overflow if somebody wants to hear of it. */
static void update_irq(struct acpi_pm *a)
{
    u16 status = status_now(a);
    bool gpe = a->gpe_status & a->gpe_enable;
    bool smb = (a->smb[SMB_STS] & SMB_STS_MASK) && (a->smb[SMB_CNT] & SMB_INTREN) &&
               (a->pci.config[CFG_SMBHSTCFG] & SMB_INTR_MASK) == SMB_INTR_IRQ9;
    irq_set(&a->sci, smb || ((a->control & CNT_SCI_EN) && ((status & a->enable) || gpe)));
    if ((a->enable & STS_TMR) && !(status & STS_TMR)) {
        timer_set(&a->timer,
                  mul_div((a->toggles + 1) << TIMER_TOP_SHIFT, NS_PER_SEC, TIMER_HZ) + 1);
    } else {
        timer_cancel(&a->timer);
    }
}

static void overflow(void *opaque)
{
    update_irq(opaque);
}

void acpi_pm_power_button(struct device *d)
{
    struct acpi_pm *a = (struct acpi_pm *)d;
    if (!(a->control & CNT_SCI_EN)) {
        d->host->request(d->host->machine, REQ_POWEROFF, 0, "power button, guest without ACPI");
        return;
    }
    a->status |= STS_PWRBTN;
    update_irq(a);
}

static void sleep_now(struct acpi_pm *a, unsigned type)
{
    struct host_if *h = a->pci.dev.host;
    if (type == 0) {
        h->request(h->machine, REQ_POWEROFF, 0, "ACPI S5");
    } else {
        LOG(LOG_WARN, a->pci.dev.name, "sleep type %u is not supported; the machine stays awake",
            type);
    }
}

static void wr_control(struct acpi_pm *a, u16 v)
{
    a->control = v & CNT_STORED;
    update_irq(a);
    if (v & CNT_SLP_EN) sleep_now(a, v >> 10 & 7);
}

static void wr_status(struct acpi_pm *a, u16 clear)
{
    a->status &= ~clear;
    if (clear & STS_TMR) a->toggles = timer_ticks(a) >> TIMER_TOP_SHIFT;
}

static u32 rd_reg(const struct acpi_pm *a, u64 reg)
{
    switch (reg) {
    case REG_PM1: return status_now(a) | (u32)a->enable << 16;
    case REG_CNT: return a->control;
    case REG_TIMER: return timer_ticks(a) & TIMER_MASK;
    case REG_GLBSTS: return a->glbsts;
    case REG_GLBCTL: return a->glbctl;
    }
    return 0;
}

static u64 rd_block(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    return rd_reg(opaque, offset & ~3ull) >> ((offset & 3) * 8);
}

static void wr_block(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct acpi_pm *a = opaque;
    u64 reg = offset & ~3ull;
    unsigned shift = (offset & 3) * 8;
    u32 written = mask_n(size) << shift;
    u32 v = (u32)(value << shift) & written;
    TRACE(pm_wr, offset, value, 0, 0);
    switch (reg) {
    case REG_PM1:
        wr_status(a, v);
        a->enable = ((a->enable & ~(written >> 16)) | v >> 16) & EN_MASK;
        update_irq(a);
        return;
    case REG_CNT:
        if (written & 0xffff) wr_control(a, (a->control & ~written) | v);
        return;
    case REG_TIMER: return;
    case REG_GLBSTS: a->glbsts &= (u16)~v; return;
    case REG_GLBCTL: a->glbctl = ((a->glbctl & ~written) | v) & ~(u32)GLBCTL_EOS; return;
    }
    LOG_GUEST(a->pci.dev.name, "write of %llx to register %02llx ignored",
              (unsigned long long)value, (unsigned long long)offset);
}

static u64 rd_gpe(void *opaque, u64 offset, unsigned size)
{
    const struct acpi_pm *a = opaque;
    (void)size;
    return (a->gpe_status | (u32)a->gpe_enable << 16) >> (offset * 8);
}

static void wr_gpe(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct acpi_pm *a = opaque;
    u32 written = mask_n(size) << (offset * 8);
    u32 v = (u32)(value << (offset * 8)) & written;
    TRACE(pm_wr, GPE_BASE + offset, value, 0, 0);
    a->gpe_status &= ~v;
    a->gpe_enable = (a->gpe_enable & ~(written >> 16)) | v >> 16;
    update_irq(a);
}

static u64 rd_smi(void *opaque, u64 offset, unsigned size)
{
    const struct acpi_pm *a = opaque;
    (void)size;
    return offset ? a->smi_data : a->smi_cmd;
}

static void wr_smi(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct acpi_pm *a = opaque;
    (void)size;
    TRACE(pm_wr, 0xb2 + offset, value, 0, 0);
    if (offset) {
        a->smi_data = value;
        return;
    }
    a->smi_cmd = value;
    if (value == ACPI_ENABLE) {
        a->control |= CNT_SCI_EN;
    } else if (value == ACPI_DISABLE) {
        a->control &= ~CNT_SCI_EN;
    }
    update_irq(a);
    a->glbsts |= APM_STS;
    if ((a->pci.config[CFG_DEVACTB_HI] & APMC_EN) && (a->glbctl & GLBCTL_SMI_EN)) {
        irq_set(&a->smi_out, true);
        irq_set(&a->smi_out, false);
    }
}

/* --- SMBus host --- */

static u64 rd_smbus(void *opaque, u64 offset, unsigned size)
{
    struct acpi_pm *a = opaque;
    (void)size;
    if (offset == SMB_CNT)
        a->smb_at = 0; /* reading control rewinds the block buffer (82371AB 7.3.3) */
    if (offset == SMB_BLKDAT) return a->smb_block[a->smb_at++ % LEN(a->smb_block)];
    return offset == SMB_CNT ? a->smb[SMB_CNT] & ~(SMB_START | SMB_KILL) : a->smb[offset];
}

static void wr_smbus(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct acpi_pm *a = opaque;
    u8 v = (u8)value;
    (void)size;
    switch (offset) {
    case SMB_STS: a->smb[SMB_STS] &= (u8) ~(v & SMB_STS_MASK); break;
    case SMB_SLVSTS: break; /* the slave never sees anything */
    case SMB_CNT:
        a->smb[SMB_CNT] = v;
        if (v & SMB_KILL)
            a->smb[SMB_STS] |= SMB_FAILED;
        else if (v & SMB_START)
            a->smb[SMB_STS] |= SMB_DEV_ERR;
        break;
    case SMB_BLKDAT: a->smb_block[a->smb_at++ % LEN(a->smb_block)] = v; break;
    default: a->smb[offset] = v; break;
    }
    update_irq(a);
}

static const struct io_ops smbus_ops = { rd_smbus, wr_smbus, 1, 1 };
static const struct io_ops block_ops = { rd_block, wr_block, 1, 4 };
static const struct io_ops gpe_ops = { rd_gpe, wr_gpe, 1, 4 };
static const struct io_ops smi_ops = { rd_smi, wr_smi, 1, 1 };

/* The block follows config 40h and 80h. Low priority: a guest that puts it onto another chip loses
 * the block. */
static void place_block(struct acpi_pm *a)
{
    const u8 *config = a->pci.config;
    u32 base = ld16(&config[CFG_PMBA]) & 0xffc0;
    bus_enable(&a->block, false);
    if ((config[CFG_PMREGMISC] & PMIOSE) && base) {
        bus_move(&a->block, base);
        bus_enable(&a->block, true);
    }
    base = ld16(&config[CFG_SMBBA]) & 0xfff0;
    bus_enable(&a->smbus, false);
    if (!(config[CFG_SMBHSTCFG] & SMB_HST_EN) || !base) return;
    bus_move(&a->smbus, base);
    bus_enable(&a->smbus, true);
}

static void config_written(struct pci_dev *pci, unsigned reg, unsigned size)
{
    bool base = reg < CFG_PMBA + 4 && reg + size > CFG_PMBA;
    bool enable = reg <= CFG_PMREGMISC && reg + size > CFG_PMREGMISC;
    bool smbus = (reg < CFG_SMBBA + 4 && reg + size > CFG_SMBBA) ||
                 (reg <= CFG_SMBHSTCFG && reg + size > CFG_SMBHSTCFG);
    if (base || enable || smbus) place_block((struct acpi_pm *)pci);
    if (smbus) update_irq((struct acpi_pm *)pci);
}

static const struct pci_ops pm_ops = { config_written };

static int acpi_pm_init(struct device *d, struct error *e)
{
    static const struct pci_id id = {
        0x8086, 0x7113, 3, 0x068000, PCI_SUBSYS_VENDOR, PCI_SUBSYS_ID, 1, false,
    };
    struct acpi_pm *a = (struct acpi_pm *)d;
    struct bus *io = d->host->io;
    timer_init(&a->timer, d->host->clock, d->name, overflow, a);
    region_init_io(&a->block, "acpi-pm", 64, &block_ops, a);
    region_init_io(&a->gpe, "acpi-gpe0", GPE_LEN, &gpe_ops, a);
    region_init_io(&a->smi, "smi-cmd", 2, &smi_ops, a);
    region_init_io(&a->smbus, "smbus", SMB_LEN, &smbus_ops, a);
    if (pci_register(&a->pci, &id, e)) return -1;
    a->pci.ops = &pm_ops;
    st16(&a->pci.wmask[CFG_PMBA], 0xffc0);
    a->pci.wmask[CFG_DEVACTB_HI] = APMC_EN;
    a->pci.wmask[CFG_PMREGMISC] = PMIOSE;
    st16(&a->pci.wmask[CFG_SMBBA], 0xfff0);
    a->pci.wmask[CFG_SMBHSTCFG] = SMB_INTR_MASK | SMB_HST_EN;
    if (bus_map(io, GPE_BASE, &a->gpe, 0, e) || bus_map(io, 0xb2, &a->smi, 0, e)) return -1;
    if (bus_map(io, 0x600, &a->block, -2, e)) return -1;
    bus_enable(&a->block, false);
    if (bus_map(io, 0x700, &a->smbus, -3, e)) return -1;
    bus_enable(&a->smbus, false);
    return 0;
}

static void acpi_pm_reset(struct device *d, enum reset_kind kind)
{
    struct acpi_pm *a = (struct acpi_pm *)d;
    (void)kind;
    pci_reset(&a->pci);
    st32(&a->pci.config[CFG_PMBA], 1);    /* bit 0: an I/O base */
    a->pci.config[CFG_DEVACTB_HI] = 0;
    a->pci.config[CFG_PMREGMISC] = 0;
    st32(&a->pci.config[CFG_SMBBA], 1);
    a->pci.config[CFG_SMBHSTCFG] = 0;
    memset(a->smb, 0, sizeof(a->smb));
    memset(a->smb_block, 0, sizeof(a->smb_block));
    a->smb_at = 0;
    a->status = a->enable = a->control = 0;
    a->gpe_status = a->gpe_enable = 0;
    a->smi_cmd = a->smi_data = 0;
    a->glbsts = 0;
    a->glbctl = 0;
    a->toggles = timer_ticks(a) >> TIMER_TOP_SHIFT;
    place_block(a);
    update_irq(a);
}

static void acpi_pm_post_load(struct device *d, u32 version)
{
    struct acpi_pm *a = (struct acpi_pm *)d;
    (void)version;
    pci_post_load(&a->pci);
    place_block(a);
    update_irq(a);
}

static void acpi_pm_info(struct device *d, struct text *t)
{
    struct acpi_pm *a = (struct acpi_pm *)d;
    text_add(t, "base %04x%s status %04x enable %04x control %04x timer %06x gpe %04x/%04x\n",
             ld16(&a->pci.config[CFG_PMBA]) & 0xffc0,
             a->pci.config[CFG_PMREGMISC] & PMIOSE ? "" : " (off)", status_now(a), a->enable,
             a->control, (unsigned)(timer_ticks(a) & TIMER_MASK), a->gpe_status, a->gpe_enable);
}

static void acpi_pm_fini(struct device *d)
{
    struct acpi_pm *a = (struct acpi_pm *)d;
    timer_cancel(&a->timer);
    region_fini(&a->block);
    region_fini(&a->gpe);
    region_fini(&a->smi);
    region_fini(&a->smbus);
    pci_unregister(&a->pci);
}

static const struct device_option acpi_pm_options[] = { PCI_OPTIONS("0x0b"), { 0 } };
static const struct device_field acpi_pm_fields[] = {
    PCI_FIELDS,
    FIELD(struct acpi_pm, status),
    FIELD(struct acpi_pm, enable),
    FIELD(struct acpi_pm, control),
    FIELD(struct acpi_pm, toggles),
    FIELD(struct acpi_pm, gpe_status),
    FIELD(struct acpi_pm, gpe_enable),
    FIELD(struct acpi_pm, smi_cmd),
    FIELD(struct acpi_pm, smi_data),
    { "glbsts", offsetof(struct acpi_pm, glbsts), 2, 1, 2 },
    { "glbctl", offsetof(struct acpi_pm, glbctl), 4, 1, 2 },
    FIELD_ARRAY(struct acpi_pm, smb),
    FIELD_ARRAY(struct acpi_pm, smb_block),
    FIELD(struct acpi_pm, smb_at),
    { 0 },
};
static const struct device_wire acpi_pm_outputs[] = {
    { "sci", offsetof(struct acpi_pm, sci), 1 },
    { "smi", offsetof(struct acpi_pm, smi_out), 1 },
    { 0 },
};

const struct device_class acpi_pm_class = {
    .name = "acpi_pm",
    .help = "PIIX4 power management: ACPI registers, PM timer, SCI",
    .size = sizeof(struct acpi_pm),
    .version = 2,
    .options = acpi_pm_options,
    .fields = acpi_pm_fields,
    .outputs = acpi_pm_outputs,
    .init = acpi_pm_init,
    .reset = acpi_pm_reset,
    .post_load = acpi_pm_post_load,
    .info = acpi_pm_info,
    .fini = acpi_pm_fini,
};
