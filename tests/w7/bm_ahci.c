/* The AHCI controller as Windows 7's msahci uses it: a disk of 200 GiB (sparse) on port 0, a CD drive on port 1. Controller and port
 * resets, handshakes, received FISes, the interrupt, queued commands and their errors, scatter lists (AHCI 1.3.1). */
#include "tests/w7/storage.h"

enum { DISK = 0, CD = 1, DHRS = 1, PSS = 2, SDBS = 8, DPS = 0x20, TFES = 0x40000000 };

static bool line(void) /* level of the controller's interrupt: its 8259 input is level-sensitive */
{
    u16 pic = ahci_irq < 8 ? 0x20 : 0xa0;
    outb(pic, 0x0a);
    return inb(pic) >> (ahci_irq & 7) & 1;
}

static bool comreset(unsigned port)
{
    port_set(port, P_SCTL, (port_reg(port, P_SCTL) & ~15u) | 1);
    bm_delay_us(1500);
    port_set(port, P_SCTL, port_reg(port, P_SCTL) & ~15u);
    return port_wait(port, P_SSTS, 15, 3, 500000);
}

static void no_errors(unsigned port)
{
    port_set(port, P_SERR, 0xffffffff);
    port_set(port, P_IS, 0xffffffff);
    mmio_write(ahci_base + 8, 0xffffffff);
}

/* --- 196 --- */

static void check_controller(void)
{
    w7(196, hba(0) >> 31 && (hba(0) & 0x40000000), "CAP %08x: 64-bit addresses and queuing", hba(0));
    w7_eq(196, "command slots", hba(0) >> 8 & 31, 31);
    w7(196, hba(0x10) >= 0x10000 && hba(0x10) <= 0x10300, "version %08x", hba(0x10));
    w7(196, (hba(0x0c) & 3) == 3, "ports implemented: %08x", hba(0x0c));
    mmio_write(ahci_base + 4, 0);
    w7_eq(196, "AHCI enable stays", hba(4) & 0x80000000, 0x80000000);
    mmio_write(ahci_base + 4, 0x80000002);
    w7_eq(196, "interrupt enable is storage", hba(4) & 2, 2);
    port_set(DISK, P_IE, 0xffffffff);
    mmio_write(ahci_base + 4, 0x80000001);
    u32 start = pm_ticks();
    while ((hba(4) & 1) && ((pm_ticks() - start) & 0xffffff) < 3579545) {
    }
    w7_eq(196, "controller reset ends within a second", hba(4) & 1, 0);
    w7_eq(196, "it clears interrupt enable", hba(4) & 2, 0);
    w7_eq(196, "it leaves AHCI enabled", hba(4) & 0x80000000, 0x80000000);
    w7_eq(196, "it clears the ports' interrupt enables", port_reg(DISK, P_IE), 0);
    w7_eq(196, "it stops the ports", port_reg(DISK, P_CMD) & 0xc011, 0);
    w7(196, port_wait(DISK, P_SSTS, 15, 3, 500000), "the link is up again");
    w7(196, port_start(DISK), "FRE and FR, ST and CR follow each other within 500 ms");
    w7_eq(196, "CR and FR", port_reg(DISK, P_CMD) & 0xc011, 0xc011);
    w7(196, port_stop(DISK), "and fall again within 500 ms");
    w7_eq(196, "CR and FR after stopping", port_reg(DISK, P_CMD) & 0xc011, 0);
}

/* --- 197 --- */

static void check_comreset(unsigned port, u32 signature, const char *what)
{
    no_errors(port);
    memset(mem(RFIS), 0, 256);
    port_set(port, P_FB, RFIS);
    port_set(port, P_CMD, port_reg(port, P_CMD) | 0x10);
    port_wait(port, P_CMD, 0x4000, 0x4000, 500000);
    port_set(port, P_SCTL, 0x301);
    bm_delay_us(1500);
    w7(197, (port_reg(port, P_SSTS) & 15) != 3, "%s: no link while DET is 1 (SSTS %03x)", what, port_reg(port, P_SSTS));
    port_set(port, P_SCTL, 0x300);
    w7(197, port_wait(port, P_SSTS, 15, 3, 500000), "%s: link after COMRESET", what);
    u32 s = port_reg(port, P_SSTS);
    w7(197, s == 0x113 || s == 0x123, "%s: SSTS %03x", what, s);
    w7(197, port_wait(port, P_TFD, BSY | DRQ, 0, 1000000), "%s: not busy after COMRESET", what);
    w7_eq(197, "signature", port_reg(port, P_SIG), signature);
    if (port == DISK) w7_eq(197, "task file of the disk", port_reg(port, P_TFD) & 0xff, 0x50);
    w7(197, mem(RFIS)[0x40] == 0x34 && mem(RFIS)[0x4c] == 1 && mem(RFIS)[0x44] == 1, "%s: a register FIS with the signature", what);
    w7(197, port_reg(port, P_SERR) & 0x04000000, "%s: SERR tells of the exchange", what);
    no_errors(port);
    w7_eq(197, "SERR is cleared by writing ones", port_reg(port, P_SERR), 0);
    port_stop(port);
}

/* --- 198 --- */

static void check_fis(void)
{
    u8 *r = mem(RFIS), *data = mem(BUFFER);
    no_errors(DISK);
    w7(198, port_start(DISK), "port starts");
    memset(r, 0, 256);
    slot_prd(0, 0, BUFFER, 512);
    slot_fill(0, 0xec, 0, 0, false, 1);
    w7(198, slot_run(DISK), "IDENTIFY DEVICE");
    w7(198, r[0x20] == 0x5f && (r[0x21] & 0x60) == 0x60, "PIO setup FIS at 20h: %02x %02x", r[0x20], r[0x21]);
    w7(198, r[0x22] & DRQ && !(r[0x2f] & (BSY | DRQ | ERR)), "its status %02x and end status %02x", r[0x22], r[0x2f]);
    w7_eq(198, "its transfer count", le16(r + 0x30), 512);
    w7_eq(198, "interrupt status of a PIO read", port_reg(DISK, P_IS) & (DHRS | PSS | SDBS), PSS);
    w7_eq(198, "summary", hba(8) & 1, 0); /* not enabled */
    w7_eq(198, "bytes moved", slot_moved(0), 512);
    w7(198, le16(data + 152) >> 8 == 1 && (le16(data + 150) & 31) == 31, "queuing of 32 in words 75 and 76");

    no_errors(DISK);
    memset(r, 0, 256);
    w7(198, ahci_move(DISK, 0x25, 0, 8, data, false), "READ DMA EXT");
    w7(198, r[0x40] == 0x34 && (r[0x41] & 0x40) && (r[0x42] & (BSY | ERR | DRQ)) == 0, "register FIS at 40h: %02x %02x %02x", r[0x40],
       r[0x41], r[0x42]);
    w7_eq(198, "interrupt status of a DMA read", port_reg(DISK, P_IS) & (DHRS | PSS | SDBS), DHRS);

    no_errors(DISK);
    memset(r, 0, 256);
    slot_prd(5, 0, BUFFER, 4096);
    slot_fill(5, 0x60, 0, 8, false, 1);
    port_set(DISK, P_SACT, 1u << 5);
    port_set(DISK, P_CI, 1u << 5);
    w7(198, port_wait(DISK, P_SACT, ~0u, 0, 1000000), "READ FPDMA QUEUED ends");
    w7(198, r[0] == 0x41 && (r[1] & 0x20) && le32(r + 4) == 5 && le32(r + 0x10) == 0 && le32(r + 0x14) == 4096,
       "DMA setup FIS at 0: %02x %02x tag %u count %u", r[0], r[1], le32(r + 4), le32(r + 0x14));
    w7(198, r[0x58] == 0xa1 && (r[0x59] & 0x40) && le32(r + 0x5c) == 1u << 5, "set device bits FIS at 58h: %02x %02x %08x", r[0x58],
       r[0x59], le32(r + 0x5c));
    w7(198, port_reg(DISK, P_IS) & SDBS, "interrupt status of a queued read %08x", port_reg(DISK, P_IS));

    no_errors(DISK);
    slot_prd(0, 0, BUFFER, 2048);
    slot_prd(0, 1, BUFFER + 4096, 2048);
    put_le32(mem(slot_table(0) + 0x80 + 12), 2047 | 0x80000000); /* interrupt when this entry is done */
    slot_fill(0, 0x25, 0, 8, false, 2);
    w7(198, slot_run(DISK), "read with an interrupt per entry");
    w7_eq(198, "descriptor processed", port_reg(DISK, P_IS) & DPS, DPS);
}

/* --- 199 --- */

static void check_interrupt(void)
{
    no_errors(DISK);
    port_set(DISK, P_IE, 0x7dc0007f);
    mmio_write(ahci_base + 4, 0x80000002);
    w7(199, !line(), "no interrupt while nothing is pending");
    ahci_move(DISK, 0x25, 8, 8, mem(BUFFER), false);
    w7(199, line() && (hba(8) & 1), "a completion raises the line and the summary bit");
    mmio_write(ahci_base + 8, 1);
    w7(199, line() && (hba(8) & 1), "clearing the summary first does not lose it");
    port_set(DISK, P_IS, port_reg(DISK, P_IS));
    w7(199, line() && (hba(8) & 1), "the line stays until the summary is cleared");
    mmio_write(ahci_base + 8, 1);
    w7(199, !line() && !(hba(8) & 1), "PxIS, then IS: the line falls");
    ahci_move(DISK, 0x25, 8, 8, mem(BUFFER), false);
    w7(199, line(), "the next completion raises it again");
    mmio_write(ahci_base + 4, 0x80000000);
    w7(199, !line(), "GHC.IE masks it");
    mmio_write(ahci_base + 4, 0x80000002);
    w7(199, line(), "and shows it again");
    port_set(DISK, P_IE, 0);
    no_errors(DISK);
    w7(199, !line(), "all cleared");
    ahci_move(DISK, 0x25, 8, 8, mem(BUFFER), false);
    w7(199, !line() && port_reg(DISK, P_IS), "a port without enables is silent");
    no_errors(DISK);
}

/* --- 200 --- */

static void queue(u8 command, u32 first, u32 sectors, u32 each_at)
{
    for (unsigned n = 0; n < 32; n++) {
        slot_prd(n, 0, each_at + n * 0x10000, sectors * 512);
        slot_fill(n, command, first + n * 1000, sectors, command == 0x61, 1);
    }
}

static void check_queue(void)
{
    u32 seed = 0x60, from = BUFFER + 0x1000000, to = BUFFER + 0x2000000;
    for (u32 k = 0; k < 32 * 0x10000; k += 4) put_le32(mem(from + k), random32(&seed));
    memset(mem(to), 0, 32 * 0x10000);
    no_errors(DISK);
    queue(0x61, 5000, 64, from);
    port_set(DISK, P_SACT, 0xffffffff);
    port_set(DISK, P_CI, 0xffffffff);
    w7(200, port_wait(DISK, P_SACT, ~0u, 0, 2000000), "32 queued writes end: SACT %08x", port_reg(DISK, P_SACT));
    w7_eq(200, "PxCI after them", port_reg(DISK, P_CI), 0);
    queue(0x60, 5000, 64, to);
    port_set(DISK, P_SACT, 0xffffffff);
    port_set(DISK, P_CI, 0xffffffff);
    w7(200, port_wait(DISK, P_SACT, ~0u, 0, 2000000), "32 queued reads end: SACT %08x", port_reg(DISK, P_SACT));
    bool same = true;
    for (unsigned n = 0; n < 32; n++) same &= !memcmp(mem(from + n * 0x10000), mem(to + n * 0x10000), 64 * 512);
    w7(200, same, "what was written comes back, tag by tag");
    /* One at a time, in falling order of tags. */
    same = true;
    for (int n = 31; n >= 0; n--) {
        memset(mem(to + (u32)n * 0x10000), 0, 512);
        port_set(DISK, P_SACT, 1u << n);
        port_set(DISK, P_CI, 1u << n);
        same &= port_wait(DISK, P_SACT, ~0u, 0, 1000000);
        same &= !memcmp(mem(from + (u32)n * 0x10000), mem(to + (u32)n * 0x10000), 512);
    }
    w7(200, same, "each tag alone");

    /* An address behind the end: the error stops the queue; log 10h names the tag. */
    no_errors(DISK);
    slot_prd(7, 0, to, 512);
    slot_fill(7, 0x60, 0xffffffffffull, 1, false, 1);
    port_set(DISK, P_SACT, 1u << 7);
    port_set(DISK, P_CI, 1u << 7);
    w7(200, port_wait(DISK, P_IS, TFES, TFES, 1000000), "a bad address sets the task file error");
    w7_eq(200, "ERR in the task file", port_reg(DISK, P_TFD) & ERR, ERR);
    w7_eq(200, "the tag stays in SACT", port_reg(DISK, P_SACT), 1u << 7);
    port_set(DISK, P_CMD, port_reg(DISK, P_CMD) & ~1u);
    w7(200, port_wait(DISK, P_CMD, 0x8000, 0, 500000), "ST off");
    w7(200, !port_reg(DISK, P_CI) && !port_reg(DISK, P_SACT), "clears CI and SACT");
    no_errors(DISK);
    port_set(DISK, P_CMD, port_reg(DISK, P_CMD) | 1);
    slot_prd(0, 0, BUFFER, 512);
    slot_fill(0, 0x2f, 0x10, 1, false, 1);
    w7(200, slot_run(DISK), "READ LOG EXT 10h");
    const u8 *log = mem(BUFFER);
    w7(200, (log[0] & 0x9f) == 7 && (log[2] & ERR) && (log[3] & 0x10), "log: tag %02x status %02x error %02x", log[0], log[2], log[3]);
    u8 sum = 0;
    for (unsigned k = 0; k < 512; k++) sum = (u8)(sum + log[k]);
    w7_eq(200, "log's checksum", sum, 0);
    w7(200, ahci_move(DISK, 0x25, 5000, 8, mem(to), false) && !memcmp(mem(from), mem(to), 4096), "reads go on afterwards");
}

/* --- 201 --- */

static void check_scatter(void)
{
    u32 whole = BUFFER + 0x1000000, to = BUFFER + 0x2000000, table = BUFFER + 0x4000000, seed = 0x201;
    u8 *w = mem(whole);
    for (u32 k = 0; k < 0x400000; k += 4) put_le32(w + k, random32(&seed));
    no_errors(DISK);
    w7(201, ahci_move(DISK, 0x35, 100000, 8192, w, true), "one entry of 4 MiB, written");
    w7_eq(201, "bytes written", slot_moved(0), 0x400000);
    memset(mem(to), 0, 0x400000);
    w7(201, ahci_move(DISK, 0x25, 100000, 8192, mem(to), false) && !memcmp(w, mem(to), 0x400000), "one entry of 4 MiB, read");
    w7_eq(201, "bytes read", slot_moved(0), 0x400000);

    /* 65535 entries: 65534 of two bytes at distance 4, then the rest. */
    u8 *h = mem(CLB), *f = mem(table);
    slot_fill(0, 0x25, 100000, 256, false, 1);
    memcpy(f, mem(slot_table(0)), 0x80);
    for (u32 k = 0; k < 65535; k++) {
        u8 *e = f + 0x80 + 16 * k;
        put_le32(e, to + 4 * k);
        put_le32(e + 4, 0);
        put_le32(e + 8, 0);
        put_le32(e + 12, k == 65534 ? 131072 - 2 * 65534 - 1 : 1);
    }
    put_le32(h, 5 | 65535u << 16);
    put_le32(h + 8, table);
    memset(mem(to), 0xee, 0x50000);
    w7(201, slot_run(DISK), "65535 entries");
    w7_eq(201, "bytes through 65535 entries", slot_moved(0), 131072);
    bool same = true;
    for (u32 k = 0; k < 65534; k++) {
        const u8 *p = mem(to + 4 * k);
        same &= p[0] == w[2 * k] && p[1] == w[2 * k + 1] && p[2] == 0xee && p[3] == 0xee;
    }
    w7(201, same && !memcmp(mem(to + 4 * 65534), w + 2 * 65534, 4), "each entry has its two bytes");

    static const u32 parts[] = { 2, 510, 1024, 6, 3000, 46, 8192, 2, 3602 };
    u32 at = 0;
    for (u32 k = 0; k < 9; k++) {
        slot_prd(0, k, to + at + 100 * k, parts[k]);
        at += parts[k];
    }
    memset(mem(to), 0xee, 0x8000);
    slot_fill(0, 0x25, 100000, 32, false, 9);
    w7(201, at == 32 * 512 && slot_run(DISK) && slot_moved(0) == 32 * 512, "nine uneven entries: %u bytes", slot_moved(0));
    at = 0;
    same = true;
    for (u32 k = 0; k < 9; k++) {
        same &= !memcmp(mem(to + at + 100 * k), w + at, parts[k]) && mem(to + at + 100 * k)[parts[k]] == 0xee;
        at += parts[k];
    }
    w7(201, same, "nine uneven entries hold the data, the gaps do not");
    slot_prd(0, 0, to, 0x2000);
    slot_fill(0, 0x25, 100000, 8, false, 1);
    w7(201, slot_run(DISK), "more memory than data");
    w7_eq(201, "only what was moved is counted", slot_moved(0), 4096);
    no_errors(DISK);
}

/* --- 194, 195 over the serial link --- */

static void check_commands(void)
{
    static const u8 good[][2] = { { 0xe7, 0 }, { 0xea, 0 }, { 0xe0, 0 }, { 0xe1, 0 }, { 0xe5, 0 }, { 0xef, 0x02 }, { 0xef, 0xaa }, { 0x40, 0 } };
    for (unsigned k = 0; k < sizeof(good) / 2; k++) {
        slot_fill(0, good[k][0], 0, 8, false, 0);
        mem(slot_table(0))[3] = good[k][1];
        w7(194, slot_run(DISK), "AHCI: command %02x/%02x", good[k][0], good[k][1]);
    }
    slot_fill(0, 0xb0, 0, 1, false, 0);
    w7(194, !slot_run(DISK) && (port_reg(DISK, P_TFD) & 0xffff) == 0x451, "AHCI: SMART aborts: %04x", port_reg(DISK, P_TFD));
    w7_eq(194, "AHCI: an abort sets the task file error", port_reg(DISK, P_IS) & TFES, TFES);
    port_stop(DISK);
    port_start(DISK);
    slot_fill(0, 0xef, 0, 0x45, false, 0);
    mem(slot_table(0))[3] = 3;
    w7(195, slot_run(DISK), "AHCI: transfer mode 45h");
    slot_prd(0, 0, BUFFER, 512);
    slot_fill(0, 0xec, 0, 0, false, 1);
    w7(195, slot_run(DISK) && mem(BUFFER)[177] == 0x20, "AHCI: word 88 shows it: %02x", mem(BUFFER)[177]);
}

void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(194, 195, 196, 197, 198, 199, 200, 201);
    bm_pic_init(0x20, 0x28);
    if (!ahci_find()) {
        w7(196, false, "no AHCI controller");
        return;
    }
    outb(ahci_irq < 8 ? 0x4d0 : 0x4d1, inb(ahci_irq < 8 ? 0x4d0 : 0x4d1) | (u8)(1u << (ahci_irq & 7)));
    port_stop(DISK);
    port_stop(CD);
    check_controller();
    check_comreset(DISK, 0x00000101, "disk");
    check_comreset(CD, 0xeb140101, "CD drive");
    w7(197, comreset(DISK), "disk: a second COMRESET");
    check_fis();
    check_interrupt();
    check_queue();
    check_scatter();
    check_commands();
}
