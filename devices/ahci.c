/* AHCI controller at 00:02.0 with the look of an Intel ICH9 (8086:2922): six ports, 32 command
 * slots, native queuing, ATAPI, registers in BAR 5, one level-triggered interrupt.
 *
 * A port turns a command slot (header, command FIS, scatter list in guest memory) into drive
 * registers, and what the drive does (ata.h) into received FISes, status registers and interrupts.
 * Commands without queuing run one at a time in slot order; queued ones run together and finish by
 * Set Device Bits FIS. A failed command halts the port until software restarts it (PxCMD.ST).
 * Serial ATA AHCI 1.3.1, sections 3 (registers), 4 (memory), 5 (port), 6 (errors), 10.4 (resets).
 * Left out: port multipliers, BIOS hand-off, power states, hot plug, command completion coalescing.
 */
#include "devices/ahci.h"

#include "devices/ata.h"
#include "devices/pci.h"

enum { PORTS = 6, SLOTS = 32, REGS_SIZE = 0x1000, PORT_BASE = 0x100, PORT_STRIDE = 0x80 };
enum { CAP = 0x00, GHC = 0x04, IS = 0x08, PI = 0x0c, VS = 0x10 };
enum { GHC_HR = 1, GHC_IE = 2 };
#define GHC_AE BIT(31)
/* 64-bit addresses, queuing, command list override, 3 Gbit/s, AHCI only, 32 slots, 6 ports */
#define CAP_VALUE 0xc1241f05u
#define VS_VALUE 0x00010200u
enum {
    PxCLB = 0x00,
    PxCLBU = 0x04,
    PxFB = 0x08,
    PxFBU = 0x0c,
    PxIS = 0x10,
    PxIE = 0x14,
    PxCMD = 0x18,
    PxTFD = 0x20,
    PxSIG = 0x24,
    PxSSTS = 0x28,
    PxSCTL = 0x2c,
    PxSERR = 0x30,
    PxSACT = 0x34,
    PxCI = 0x38,
};
enum {
    IS_DHRS = BIT(0),
    IS_PSS = BIT(1),
    IS_SDBS = BIT(3),
    IS_DPS = BIT(5),
    IS_PCS = BIT(6),
    IS_PRCS = BIT(22),
    IS_OFS = BIT(24),
    IS_HBFS = BIT(29),
    IS_TFES = BIT(30),
};
#define IE_BITS 0x7dc0007fu
enum {
    CMD_ST = BIT(0),
    CMD_SUD = BIT(1),
    CMD_POD = BIT(2),
    CMD_CLO = BIT(3),
    CMD_FRE = BIT(4),
    CMD_FR = BIT(14),
    CMD_CR = BIT(15),
    CMD_ATAPI = BIT(24),
    CMD_DLAE = BIT(25),
};
enum { SERR_N = BIT(16), SERR_X = BIT(26), LINK_UP = 0x123 };
enum { HEADER_WRITE = 0x40, HEADER_CLEAR_BUSY = 0x400 };
enum { FIS_H2D = 0x27, FIS_D2H = 0x34, FIS_DMA = 0x41, FIS_PIO = 0x5f, FIS_SDB = 0xa1 };
enum { RX_DMA = 0x00, RX_PIO = 0x20, RX_D2H = 0x40, RX_SDB = 0x58 };

/* A command slot as read when the command was fetched, and how far its scatter list is used. */
struct slot {
    u64 table;
    u32 flags; /* header doubleword 0 */
    u32 entries, entry;
    u64 entry_addr;
    u32 entry_left;
    bool entry_irq; /* the entry asks for an interrupt when it is used up */
    u64 moved;
};

struct port {
    struct ahci *hba;
    unsigned number;
    struct ata_drive *drive;
    u64 clb, fb;
    u32 is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci;
    struct slot slot[SLOTS];
    u32 queued;     /* tags the drive works on */
    int current;    /* slot of the running command without queuing, or -1 */
    u8 last;        /* slot fetched last: the search goes on behind it */
    bool halted;    /* after an error, until ST is cleared */
    bool in_reset;  /* SRST was set by a control FIS */
    bool servicing; /* service() is running: do not nest */
};

struct ahci {
    struct pci_dev pci;
    struct ata_drive *drive[PORTS]; /* pointers "port0".."port5" */
    u32 ghc, is;
    struct port port[PORTS];
    struct region regs;
};

static void update_irq(struct ahci *h)
{
    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &h->port[i];
        p->is = (p->is & ~(u32)(IS_PCS | IS_PRCS)) | (p->serr & SERR_X ? IS_PCS : 0) |
                (p->serr & SERR_N ? IS_PRCS : 0);
        if (p->is & p->ie) h->is |= BIT(i);
    }
    pci_set_irq(&h->pci, (h->ghc & GHC_IE) && h->is);
}

/* --- scatter lists --- */

static bool next_entry(struct port *p, struct slot *s)
{
    u8 e[16];
    if (s->entry >= s->entries) return false;
    if (!pci_dma_read(&p->hba->pci, s->table + 0x80 + 16ull * s->entry, e, sizeof(e))) return false;
    s->entry++;
    s->entry_addr = ld64(e) & ~1ull;
    s->entry_left = (ld32(e + 12) & 0x3fffff) + 1;
    s->entry_irq = e[15] & 0x80;
    return true;
}

/* Moves up to len bytes at the list's position; returns how many there was memory for. */
static u64 move(struct port *p, struct slot *s, u8 *buf, u64 len, bool to_guest)
{
    u64 done = 0;
    while (done < len) {
        if (!s->entry_left && !next_entry(p, s)) break;
        u64 n = MIN(len - done, s->entry_left);
        if (to_guest)
            pci_dma_write(&p->hba->pci, s->entry_addr, buf + done, n);
        else
            pci_dma_read(&p->hba->pci, s->entry_addr, buf + done, n);
        s->entry_addr += n;
        s->entry_left -= (u32)n;
        done += n;
        if (!s->entry_left && s->entry_irq) p->is |= IS_DPS;
    }
    s->moved += done;
    return done;
}

/* --- received FISes --- */

static void post(struct port *p, unsigned where, const u8 *fis, unsigned len)
{
    if (p->cmd & CMD_FRE) pci_dma_write(&p->hba->pci, p->fb + where, fis, len);
}

static void fill_registers(const struct ata_drive *d, u8 *fis)
{
    fis[2] = d->status;
    fis[3] = d->error;
    fis[4] = d->lba_low[0];
    fis[5] = d->lba_mid[0];
    fis[6] = d->lba_high[0];
    fis[7] = d->device;
    fis[8] = d->lba_low[1];
    fis[9] = d->lba_mid[1];
    fis[10] = d->lba_high[1];
    fis[12] = d->count[0];
    fis[13] = d->count[1];
}

static void post_d2h(struct port *p, bool interrupt)
{
    const struct ata_drive *d = p->drive;
    u8 fis[20] = { FIS_D2H, interrupt ? 0x40 : 0 };
    fill_registers(d, fis);
    p->tfd = d->status | d->error << 8;
    post(p, RX_D2H, fis, sizeof(fis));
    if (interrupt) p->is |= IS_DHRS;
    if (d->status & ATA_ERR) p->is |= IS_TFES;
}

/* Announces one PIO data block; the end status is what the register holds after it. */
static void post_pio_setup(struct port *p, u32 len, bool to_guest, bool interrupt, u8 end_status)
{
    const struct ata_drive *d = p->drive;
    u8 fis[20] = { FIS_PIO, (u8)((interrupt ? 0x40 : 0) | (to_guest ? 0x20 : 0)) };
    fill_registers(d, fis);
    fis[2] = ATA_DRDY | ATA_DSC | ATA_DRQ; /* before the data; our drive is past it already */
    fis[15] = end_status;
    st16(fis + 16, (u16)len);
    p->tfd = end_status | d->error << 8;
    post(p, RX_PIO, fis, sizeof(fis));
    if (interrupt) p->is |= IS_PSS;
}

/* What a drive sends before the data of a queued command. */
static void post_dma_setup(struct port *p, unsigned tag, u64 len, bool to_guest)
{
    u8 fis[28] = { FIS_DMA, to_guest ? 0x20 : 0 };
    st32(fis + 4, tag);
    st32(fis + 20, (u32)len);
    post(p, RX_DMA, fis, sizeof(fis));
}

static void post_sdb(struct port *p, u32 finished)
{
    const struct ata_drive *d = p->drive;
    u8 fis[8] = { FIS_SDB, 0x40, d->status & 0x77, d->error };
    st32(fis + 4, finished);
    p->tfd = (p->tfd & 0x88) | (d->status & 0x77) | d->error << 8;
    post(p, RX_SDB, fis, sizeof(fis));
    p->is |= IS_SDBS;
    if (d->status & ATA_ERR) p->is |= IS_TFES;
}

static void post_signature(struct port *p)
{
    const struct ata_drive *d = p->drive;
    p->sig = d->count[0] | d->lba_low[0] << 8 | d->lba_mid[0] << 16 | (u32)d->lba_high[0] << 24;
    post_d2h(p, false);
}

/* --- commands --- */

static bool fetch(struct port *p, unsigned n, u8 *cfis)
{
    u8 header[16];
    struct slot *s = &p->slot[n];
    if (!pci_dma_read(&p->hba->pci, p->clb + 32 * n, header, sizeof(header))) return false;
    *s = (struct slot){ .flags = ld32(header),
                        .entries = ld16(header + 2),
                        .table = ld64(header + 8) & ~0x7full };
    return pci_dma_read(&p->hba->pci, s->table, cfis, 20);
}

static void load_registers(struct ata_drive *d, const u8 *f)
{
    d->feature[0] = f[3];
    d->feature[1] = f[11];
    d->lba_low[0] = f[4];
    d->lba_mid[0] = f[5];
    d->lba_high[0] = f[6];
    d->lba_low[1] = f[8];
    d->lba_mid[1] = f[9];
    d->lba_high[1] = f[10];
    d->count[0] = f[12];
    d->count[1] = f[13];
    d->device = f[7] & (u8)~ATA_DEV; /* a serial link has no second drive */
}

/* A control FIS: software reset is its only use. Set, then cleared by a second one, which gives the
 * signature. */
static void run_control(struct port *p, unsigned n, u8 control)
{
    p->ci &= ~BIT(n);
    if (control & 4) {
        p->in_reset = true;
        if (!(p->slot[n].flags & HEADER_CLEAR_BUSY)) p->tfd |= ATA_BSY;
    } else if (p->in_reset) {
        p->in_reset = false;
        p->queued = p->sact = 0;
        ata_reset(p->drive, false);
        post_signature(p);
    }
}

static void halt(struct port *p)
{
    p->halted = true;
}

static void run_slot(struct port *p, unsigned n)
{
    u8 f[20];
    if (!fetch(p, n, f)) return;
    p->last = (u8)n;
    TRACE(ahci_cmd, p->number, n, f[2], ld32(f + 4) & 0xffffff);
    if (f[0] != FIS_H2D) {
        LOG_GUEST(p->hba->pci.dev.name, "port %u slot %u: FIS type %02x", p->number, n, f[0]);
        p->is |= IS_HBFS;
        halt(p);
        return;
    }
    if (!(f[1] & 0x80)) {
        run_control(p, n, f[15]);
        return;
    }
    load_registers(p->drive, f);
    if (f[2] == 0x60 || f[2] == 0x61) {
        p->queued |= BIT(n);
        p->ci &= ~BIT(n);
        p->tfd = ATA_DRDY | ATA_DSC;
        if (f[12] >> 3 != n || !ata_queue(p->drive, f[2])) {
            /* Refused at once: everything queued is dropped, software reads the error log. */
            if (f[12] >> 3 != n) ata_fail(p->drive, ATA_ABRT);
            p->drive->irq = false;
            p->queued = 0;
            post_d2h(p, true);
            halt(p);
        }
        return;
    }
    p->current = (int)n;
    p->tfd = ATA_BSY | ATA_DRDY;
    ata_command(p->drive, f[2]);
}

/* The slot to fetch next, or -1: nothing to do, or what is to do must wait. */
static int next_slot(const struct port *p)
{
    bool ready = (p->cmd & CMD_ST) && p->drive && !p->halted && p->current < 0;
    if (!ready || !p->ci || !(pci_command(&p->hba->pci) & PCI_CMD_MASTER)) return -1;
    for (unsigned i = 1; i <= SLOTS; i++) {
        unsigned n = (p->last + i) % SLOTS;
        if (!(p->ci & BIT(n))) continue;
        /* A command without queuing waits until the queue is empty. */
        if (p->queued && !(p->sact & BIT(n))) continue;
        return (int)n;
    }
    return -1;
}

static void finish_current(struct port *p)
{
    if (p->current < 0) return; /* the FIS just posted hit our own registers and stopped the port */
    unsigned n = (unsigned)p->current;
    const struct ata_drive *d = p->drive;
    u8 moved[4];
    st32(moved, (u32)p->slot[n].moved);
    pci_dma_write(&p->hba->pci, p->clb + 32 * n + 4, moved, 4);
    p->current = -1;
    if (d->status & ATA_ERR)
        halt(p); /* the slot stays in PxCI so that software sees which one it was */
    else
        p->ci &= ~BIT(n);
}

/* Serves the drive's window for the running command. False: nothing more to do now. */
static bool serve_window(struct port *p)
{
    struct ata_drive *d = p->drive;
    struct slot *s = &p->slot[p->current];
    u32 len = d->win_len;
    bool irq = d->irq, input = d->phase == ATA_PIO_IN || d->phase == ATA_DMA_IN;
    if (d->phase == ATA_PACKET) {
        pci_dma_read(&p->hba->pci, s->table + 0x40, d->win, len);
        post_pio_setup(p, len, false, false, ATA_BSY | ATA_DRDY);
        ata_transferred(d, len);
        return true;
    }
    u64 n = move(p, s, d->win, len, input);
    if (p->current < 0 || d->win_len != len)
        return false; /* memory was our own registers: the port was stopped */
    if (n < len) p->is |= IS_OFS;
    if (n < len && !input) { /* no memory to write from: nothing may reach the disk */
        ata_abort(d);
        p->is |= IS_HBFS;
        p->current = -1;
        halt(p);
        return false;
    }
    if (d->phase == ATA_PIO_IN || d->phase == ATA_PIO_OUT) {
        bool pio_in = d->phase == ATA_PIO_IN;
        d->irq = false;
        ata_transferred(d, len);
        /* After the last block in, the end status is the command's final one. */
        bool last = pio_in && d->phase == ATA_NO_DATA && !(d->status & ATA_BSY);
        post_pio_setup(p, len, pio_in, irq, last ? d->status : ATA_BSY | ATA_DRDY);
        if (last && !d->irq) { /* no register FIS follows */
            finish_current(p);
            return true;
        }
        return true;
    }
    ata_transferred(d, len);
    return true;
}

static bool step(struct port *p)
{
    struct ata_drive *d = p->drive;
    if (p->current < 0) {
        int n = next_slot(p);
        if (n >= 0) run_slot(p, (unsigned)n);
        return n >= 0;
    }
    if (d->phase != ATA_NO_DATA && d->win_len) return serve_window(p);
    if (d->status & ATA_BSY) return false;
    d->irq = false;
    post_d2h(p, true);
    finish_current(p);
    return true;
}

static void service(struct port *p)
{
    if (p->servicing || !p->drive) return;
    p->servicing = true;
    while (step(p)) {
    }
    p->servicing = false;
    update_irq(p->hba);
}

static void drive_changed(void *opaque, struct ata_drive *d)
{
    (void)d;
    service(opaque);
}

static bool queue_data(void *opaque, unsigned tag, u64 offset, u8 *buf, u64 len, bool to_guest)
{
    struct port *p = opaque;
    (void)offset; /* chunks come in order; the slot keeps the place */
    post_dma_setup(p, tag, len, to_guest);
    return move(p, &p->slot[tag], buf, len, to_guest) == len;
}

static void queue_done(void *opaque, unsigned tag, bool ok)
{
    struct port *p = opaque;
    p->queued &= ~BIT(tag);
    if (ok) {
        p->sact &= ~BIT(tag);
        post_sdb(p, BIT(tag));
    } else {
        p->queued = 0;
        post_sdb(p, 0);
        halt(p);
    }
    service(p);
}

static const struct ata_port ahci_port = { true, drive_changed, queue_data, queue_done };

/* --- registers --- */

static void link_reset(struct port *p)
{
    p->queued = p->sact = p->ci = 0;
    p->current = -1;
    p->in_reset = false;
    if (!p->drive) {
        p->ssts = 0;
        p->tfd = 0x7f;
        p->sig = 0xffffffff;
        return;
    }
    ata_reset(p->drive, true);
    p->ssts = LINK_UP;
    p->serr |= SERR_X | SERR_N;
    post_signature(p);
}

static void stop_port(struct port *p)
{
    if (p->drive && (p->current >= 0 || p->queued)) {
        ata_abort(p->drive);
        p->tfd = p->drive->status | p->drive->error << 8;
    }
    p->current = -1;
    p->queued = p->ci = p->sact = 0;
    p->halted = false;
    p->last = SLOTS - 1;
}

static void write_cmd(struct port *p, u32 value)
{
    u32 old = p->cmd, keep = CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE;
    if ((value & CMD_CLO) && p->drive) {
        ata_abort(p->drive);
        p->tfd &= ~(u32)(ATA_BSY | ATA_DRQ);
    }
    p->cmd = (value & keep) | CMD_SUD | CMD_POD;
    if (p->cmd & CMD_ST) p->cmd |= CMD_CR;
    if (p->cmd & CMD_FRE) p->cmd |= CMD_FR;
    if ((old & CMD_ST) && !(value & CMD_ST)) stop_port(p);
    service(p);
}

static void write_sctl(struct port *p, u32 value)
{
    u32 was = p->sctl & 15, now = value & 15;
    p->sctl = value & 0xfff;
    if (now == was) return;
    if (now == 1) {
        if (p->drive) ata_abort(p->drive);
        stop_port(p);
        p->ssts = 0;
        p->tfd = 0x7f;
    } else if (now == 4) {
        p->ssts = 4;
    } else if (now == 0) {
        link_reset(p);
    }
}

static u32 port_read(const struct port *p, unsigned reg)
{
    switch (reg) {
    case PxCLB: return (u32)p->clb;
    case PxCLBU: return (u32)(p->clb >> 32);
    case PxFB: return (u32)p->fb;
    case PxFBU: return (u32)(p->fb >> 32);
    case PxIS: return p->is;
    case PxIE: return p->ie;
    case PxCMD: return p->cmd | (p->cmd & CMD_ST ? (u32)(p->last % SLOTS) << 8 : 0);
    case PxTFD: return p->tfd;
    case PxSIG: return p->sig;
    case PxSSTS: return p->ssts;
    case PxSCTL: return p->sctl;
    case PxSERR: return p->serr;
    case PxSACT: return p->sact;
    case PxCI: return p->ci;
    default: return 0;
    }
}

static void port_write(struct port *p, unsigned reg, u32 value)
{
    switch (reg) {
    case PxCLB: p->clb = (p->clb & ~0xffffffffull) | (value & ~0x3ffu); break;
    case PxCLBU: p->clb = (u32)p->clb | (u64)value << 32; break;
    case PxFB: p->fb = (p->fb & ~0xffffffffull) | (value & ~0xffu); break;
    case PxFBU: p->fb = (u32)p->fb | (u64)value << 32; break;
    case PxIS: p->is &= ~value; break;
    case PxIE: p->ie = value & IE_BITS; break;
    case PxCMD: write_cmd(p, value); break;
    case PxSCTL: write_sctl(p, value); break;
    case PxSERR: p->serr &= ~value; break;
    case PxSACT:
        if (p->cmd & CMD_ST) p->sact |= value;
        break;
    case PxCI:
        if (p->cmd & CMD_ST) p->ci |= value;
        service(p);
        break;
    }
}

static void reset_ports(struct ahci *h)
{
    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &h->port[i];
        stop_port(p);
        p->is = p->ie = p->serr = p->sctl = 0;
        p->cmd = CMD_SUD | CMD_POD;
        link_reset(p);
    }
    h->is = 0;
    h->ghc = GHC_AE;
}

static u64 regs_read(void *opaque, u64 offset, unsigned size)
{
    (void)size;
    struct ahci *h = opaque;
    u32 value = 0, at = (u32)offset;
    if (at >= PORT_BASE && at < PORT_BASE + PORTS * PORT_STRIDE) {
        value = port_read(&h->port[(at - PORT_BASE) / PORT_STRIDE], at % PORT_STRIDE);
    } else {
        switch (at) {
        case CAP: value = CAP_VALUE; break;
        case GHC: value = h->ghc; break;
        case IS: value = h->is; break;
        case PI: value = BIT(PORTS) - 1; break;
        case VS: value = VS_VALUE; break;
        }
    }
    TRACE(ahci_mmio_rd, at, value, 0, 0);
    return value;
}

static void regs_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)size;
    struct ahci *h = opaque;
    u32 at = (u32)offset, v = (u32)value;
    TRACE(ahci_mmio_wr, at, v, 0, 0);
    if (at >= PORT_BASE && at < PORT_BASE + PORTS * PORT_STRIDE)
        port_write(&h->port[(at - PORT_BASE) / PORT_STRIDE], at % PORT_STRIDE, v);
    else if (at == GHC && (v & GHC_HR))
        reset_ports(h);
    else if (at == GHC)
        h->ghc = GHC_AE | (v & GHC_IE);
    else if (at == IS)
        h->is &= ~v; /* set again at once while the port's own status is pending */
    update_irq(h);
}

static const struct io_ops regs_ops = { regs_read, regs_write, 4, 4 };

/* --- the function --- */

static void config_written(struct pci_dev *pci, unsigned reg, unsigned size)
{
    struct ahci *h = (struct ahci *)pci;
    (void)size;
    if (reg > PCI_COMMAND) return;
    for (unsigned i = 0; i < PORTS; i++) service(&h->port[i]); /* bus mastering may have come on */
}

static const struct pci_ops ahci_pci_ops = { config_written };

static int ahci_init(struct device *d, struct error *e)
{
    static const struct pci_id id = { 0x8086,        0x2922, 2,    0x010601, PCI_SUBSYS_VENDOR,
                                      PCI_SUBSYS_ID, 1,      false };
    struct ahci *h = (struct ahci *)d;
    if (pci_register(&h->pci, &id, e)) return -1;
    h->pci.ops = &ahci_pci_ops;
    st16(&h->pci.wmask[0x92], 0x803f); /* ports enabled: Linux sets them, all always are */
    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &h->port[i];
        p->hba = h;
        p->number = i;
        p->current = -1;
        p->drive = h->drive[i];
        if (p->drive && ata_attach(p->drive, &ahci_port, p, e)) return -1;
    }
    region_init_io(&h->regs, "ahci", REGS_SIZE, &regs_ops, h);
    pci_add_bar(&h->pci, 5, &h->regs, PCI_BAR_MEM);
    return 0;
}

static void ahci_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct ahci *h = (struct ahci *)d;
    pci_reset(&h->pci);
    h->pci.config[0x90] = 0x40; /* AHCI mode */
    st16(&h->pci.config[0x92], 0x003f);
    for (unsigned i = 0; i < PORTS; i++) {
        h->port[i].clb = h->port[i].fb = 0;
        h->port[i].servicing = false;
    }
    reset_ports(h);
    update_irq(h);
}

static void ahci_post_load(struct device *d, u32 version)
{
    (void)version;
    pci_post_load(&((struct ahci *)d)->pci);
    update_irq((struct ahci *)d);
}

static void ahci_info(struct device *d, struct text *t)
{
    struct ahci *h = (struct ahci *)d;
    text_add(t, "GHC %08x IS %08x\n", h->ghc, h->is);
    for (unsigned i = 0; i < PORTS; i++) {
        const struct port *p = &h->port[i];
        if (!p->drive) continue;
        text_add(
            t,
            "port %u: %s IS %08x IE %08x CMD %08x TFD %04x SERR %08x SACT %08x CI %08x slot %d%s\n",
            i, p->drive->dev.name, p->is, p->ie, p->cmd, p->tfd, p->serr, p->sact, p->ci,
            p->current, p->halted ? " halted" : "");
    }
}

static void ahci_fini(struct device *d)
{
    pci_unregister(&((struct ahci *)d)->pci);
}

#define PORT(n)                                                                                    \
    {                                                                                              \
        "port" #n, OPT_PTR, offsetof(struct ahci, drive[n]), NULL, "drive on port " #n             \
    }
static const struct device_option ahci_options[] = {
    PCI_OPTIONS("0x10"),        PORT(0), PORT(1), PORT(2), PORT(3), PORT(4), PORT(5),
    { NULL, 0, 0, NULL, NULL },
};

/* Registers, not commands in flight: a drive is saved when it is idle. */
#define PORT_FIELDS(n)                                                                             \
    FIELD(struct ahci, port[n].clb), FIELD(struct ahci, port[n].fb),                               \
        FIELD(struct ahci, port[n].is), FIELD(struct ahci, port[n].ie),                            \
        FIELD(struct ahci, port[n].cmd), FIELD(struct ahci, port[n].tfd),                          \
        FIELD(struct ahci, port[n].sig), FIELD(struct ahci, port[n].ssts),                         \
        FIELD(struct ahci, port[n].sctl), FIELD(struct ahci, port[n].serr),                        \
        FIELD(struct ahci, port[n].sact), FIELD(struct ahci, port[n].ci),                          \
        FIELD(struct ahci, port[n].current), FIELD(struct ahci, port[n].queued),                   \
        FIELD(struct ahci, port[n].last), FIELD(struct ahci, port[n].halted),                      \
        FIELD(struct ahci, port[n].in_reset)

static const struct device_field ahci_fields[] = {
    PCI_FIELDS,
    FIELD(struct ahci, ghc),
    FIELD(struct ahci, is),
    PORT_FIELDS(0),
    PORT_FIELDS(1),
    PORT_FIELDS(2),
    PORT_FIELDS(3),
    PORT_FIELDS(4),
    PORT_FIELDS(5),
    { NULL, 0, 0, 0, 0 },
};

const struct device_class ahci_class = {
    .name = "ahci",
    .help = "AHCI controller, six ports with native queuing",
    .size = sizeof(struct ahci),
    .version = 1,
    .options = ahci_options,
    .fields = ahci_fields,
    .init = ahci_init,
    .reset = ahci_reset,
    .post_load = ahci_post_load,
    .info = ahci_info,
    .fini = ahci_fini,
};
