/* A guest without sense or manners in front of a real board: the machine of the program with
 * default devices, a random profile, throwaway disks, a CD and a floppy; no firmware. One seed is
 * one machine and STEPS random acts of what a guest and a user can do: port and memory-mapped
 * accesses of all sizes, PCI configuration with BARs moved over anything, random memory as
 * descriptor tables, disk commands, keys, resets, disc changes, virtual time, pictures, monitor
 * queries, a little random code.
 *
 * The acts know enough of each chip to come past its front door (a valid command, a plausible
 * table); what is in them is random. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

#include "machine/board/board.h"
#include "machine/debug/postmortem.h"
#include "machine/host/chardev.h"
#include "machine/machine.h"
#include "tests/fuzz/board_gpu.h"
#include "tests/fuzz/fuzz_machine.h"

enum { STEPS = 6000, TABLES = 0x100000 /* where descriptor tables are put */, TABLE_PAGES = 64 };
#define ABAR 0xe0000000u

struct fuzz {
    struct rng rng;
    struct machine *m;
};

static u16 any_port(struct fuzz *f)
{
    struct bus *io = &f->m->io;
    bus_find(io, 0);
    for (unsigned k = 0; k < 8; k++) {
        const struct bus_range *r = &io->map[rnd(&f->rng, io->map_len)];
        if (r->rd || r->wr) return (u16)(r->base + rnd(&f->rng, (u32)(r->last - r->base + 1)));
    }
    return (u16)rnd(&f->rng, 0x10000);
}

static unsigned any_size(struct fuzz *f, unsigned shifts)
{
    return 1u << rnd(&f->rng, shifts);
}

static void out(struct fuzz *f, u16 port, u32 v, unsigned size)
{
    bus_write(&f->m->io, port, v, size);
}

static u32 in(struct fuzz *f, u16 port, unsigned size)
{
    return (u32)bus_read(&f->m->io, port, size);
}

/* An address worth pointing a chip at: tables, other memory, the edges of RAM, device registers,
 * nothing. */
static u64 any_gpa(struct fuzz *f)
{
    struct rng *r = &f->rng;
    switch (rnd(r, 10)) {
    case 0: return rnd_value(r);
    case 1: return f->m->low_size - rnd(r, 64);
    case 2: return 0xa0000 + rnd(r, 0x60000);
    case 3: return ABAR + rnd(r, 0x1000);
    case 4: return (rnd(r, 2) ? 0xfee00000 : 0xfec00000) + rnd(r, 0x1000);
    case 5: {
        struct bus *b = &f->m->mem;
        bus_find(b, 0);
        const struct bus_range *g = &b->map[rnd(r, b->map_len)];
        return g->base + rnd64(r) % (g->last - g->base + 1);
    }
    default: return (TABLES + rnd(r, TABLE_PAGES * 4096)) & ~(u64)(one_in(r, 4) ? 0 : 127);
    }
}

/* --- the acts --- */

static void act_port(struct fuzz *f)
{
    u16 port = any_port(f);
    for (unsigned n = 1 + rnd(&f->rng, 4); n; n--) {
        unsigned size = any_size(f, 3);
        if (rnd(&f->rng, 3))
            out(f, port, (u32)rnd_value(&f->rng), size);
        else
            in(f, port, size);
        if (one_in(&f->rng, 3)) port++;
    }
}

/* Many accesses to one port, as REP INS and OUTS do. */
static void act_port_burst(struct fuzz *f)
{
    u16 port = one_in(&f->rng, 2) ? any_port(f) : one_in(&f->rng, 2) ? 0x1f0 : 0x170;
    unsigned size = any_size(f, 3);
    bool read = one_in(&f->rng, 2);
    for (unsigned n = rnd(&f->rng, 600); n; n--) {
        if (read)
            in(f, port, size);
        else
            out(f, port, (u32)rnd64(&f->rng), size);
    }
}

static void config_write(struct fuzz *f, unsigned devfn, unsigned reg, u32 v, unsigned size)
{
    out(f, 0xcf8, 0x80000000u | devfn << 8 | (reg & 0xfc), 4);
    out(f, (u16)(0xcfc + (reg & 3)), v, size);
}

static unsigned any_function(struct fuzz *f)
{
    static const u8 known[] = { 0x00, 0x08, 0x09, 0x0b, 0x10, 0x38, 0x60 };
    return one_in(&f->rng, 10) ? rnd(&f->rng, 256) : known[rnd(&f->rng, LEN(known))];
}

static void act_config(struct fuzz *f)
{
    struct rng *r = &f->rng;
    unsigned devfn = any_function(f), reg = rnd(r, 256);
    switch (rnd(r, 4)) {
    case 0:
        config_write(f, devfn, 0x10 + 4 * rnd(r, 6),
                     one_in(r, 2) ? (u32)any_gpa(f) : (u32)rnd_value(r), 4);
        break;
    case 1: config_write(f, devfn, 4, one_in(r, 4) ? (u32)rnd_value(r) : 7, 2); break;
    case 2: config_write(f, devfn, reg, (u32)rnd_value(r), any_size(f, 3)); break;
    default:
        out(f, 0xcf8, 0x80000000u | devfn << 8 | (reg & 0xfc), 4);
        in(f, (u16)(0xcfc + rnd(r, 4)), any_size(f, 3));
    }
}

/* A register of any device on the memory bus, RAM seldom. */
static void act_mmio(struct fuzz *f)
{
    u64 gpa = any_gpa(f);
    struct bus *b = &f->m->mem;
    for (unsigned k = 0; k < 8; k++) {
        const struct bus_range *g = &b->map[rnd(&f->rng, b->map_len)];
        if (b->stale || !g->rd || g->rd->ram) continue;
        gpa = g->base + rnd64(&f->rng) %
                            MIN(g->last - g->base + 1, (u64)(one_in(&f->rng, 2) ? 0x200 : ~0ull));
        break;
    }
    for (unsigned n = 1 + rnd(&f->rng, 6); n; n--) {
        unsigned size = any_size(f, 4);
        if (rnd(&f->rng, 3))
            bus_write(b, gpa, rnd_value(&f->rng), size);
        else
            bus_read(b, gpa, size);
        gpa += size;
    }
}

static void act_dma_region(struct fuzz *f)
{
    u8 buf[256];
    rnd_fill(&f->rng, buf, sizeof(buf));
    if (one_in(&f->rng, 2))
        dma_write(&f->m->mem, any_gpa(f), buf, rnd(&f->rng, sizeof(buf)));
    else
        dma_read(&f->m->mem, any_gpa(f), buf, rnd(&f->rng, sizeof(buf)));
}

static void poke(struct fuzz *f, u64 gpa, u64 v, unsigned size)
{
    bus_write(&f->m->mem, gpa, v, size);
}

static void act_fill_tables(struct fuzz *f)
{
    u8 page[4096];
    u64 gpa = TABLES + rnd(&f->rng, TABLE_PAGES) * 4096;
    rnd_fill(&f->rng, page, sizeof(page));
    for (unsigned k = 0; k + 8 <= sizeof(page) && one_in(&f->rng, 2);
         k += 8 * (1 + rnd(&f->rng, 8)))
        st32(page + k, (u32)any_gpa(f));
    dma_write(&f->m->mem, gpa, page, sizeof(page));
}

/* --- disks --- */

static u8 any_ata(struct fuzz *f)
{
    static const u8 known[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x3d, 0x40,
                                0x42, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xce, 0xec, 0xa1, 0xa0,
                                0xef, 0xe7, 0xea, 0x60, 0x61, 0x2f, 0x27, 0xf8, 0x90, 0x91,
                                0x08, 0x70, 0xe4, 0xe8, 0xb0, 0x06, 0xf9, 0x37, 0xe5, 0x10 };
    return one_in(&f->rng, 10) ? (u8)rnd64(&f->rng) : known[rnd(&f->rng, LEN(known))];
}

static void fill_packet(struct fuzz *f, u8 *p)
{
    static const u8 known[] = { 0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x35,
                                0x42, 0x43, 0x44, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0xa4,
                                0xa8, 0xac, 0xad, 0xb9, 0xbb, 0xbd, 0xbe, 0xa1, 0x2a };
    rnd_fill(&f->rng, p, 16);
    p[0] = one_in(&f->rng, 10) ? p[0] : known[rnd(&f->rng, LEN(known))];
    for (unsigned k = 1; k < 12; k++) p[k] = rnd(&f->rng, 3) ? p[k] & 3 : p[k];
    if (one_in(&f->rng, 2)) memset(p + 2, 0, 4);
}

static void act_ide_command(struct fuzz *f)
{
    struct rng *r = &f->rng;
    u16 base = one_in(r, 2) ? 0x1f0 : 0x170;
    u8 packet[16], command = base == 0x170 && one_in(r, 2) ? 0xa0 : any_ata(f);
    out(f, (u16)(base + 6), one_in(r, 4) ? (u32)rnd64(r) : 0xe0 | (one_in(r, 3) ? 0x10 : 0), 1);
    for (unsigned k = 1; k < 6; k++) {
        if (one_in(r, 2))
            out(f, (u16)(base + k), (u32)rnd_value(r), 1);
        else
            out(f, (u16)(base + k), rnd(r, 4), 1);
    }
    out(f, (u16)(base + 7), command, 1);
    if (command == 0xa0) {
        fill_packet(f, packet);
        for (unsigned k = 0; k < 12; k += 2) out(f, base, ld16(packet + k), 2);
    }
    if (!one_in(r, 2)) return;
    config_write(f, 0x09, 0x20, 0xc001, 4);
    config_write(f, 0x09, 4, 7, 2);
    u16 bm = (u16)(0xc000 + (base == 0x170 ? 8 : 0));
    out(f, bm, 0, 1);
    out(f, (u16)(bm + 4), (u32)any_gpa(f), 4);
    out(f, bm, 1 | rnd(r, 2) << 3, 1);
}

static void fill_slot(struct fuzz *f, u64 list, unsigned n)
{
    struct rng *r = &f->rng;
    u64 table = (TABLES + rnd(r, TABLE_PAGES * 4096)) & ~127ull;
    u8 fis[32], packet[16];
    poke(f, list + 32 * n,
         5 | (rnd(r, 2) << 6) | (one_in(r, 3) ? BIT(5) : 0) |
             (rnd(r, one_in(r, 8) ? 0x10000 : 20) << 16),
         4);
    poke(f, list + 32 * n + 8, one_in(r, 16) ? any_gpa(f) : table, 8);
    rnd_fill(r, fis, sizeof(fis));
    fis[0] = one_in(r, 20) ? fis[0] : 0x27;
    fis[1] = one_in(r, 12) ? fis[1] : 0x80;
    fis[2] = any_ata(f);
    for (unsigned k = 4; k < 14; k++) fis[k] = one_in(r, 4) ? fis[k] : fis[k] & 7;
    if (fis[2] == 0x60 || fis[2] == 0x61) fis[12] = (u8)(n << 3), fis[3] &= 15, fis[11] = 0;
    dma_write(&f->m->mem, table, fis, sizeof(fis));
    fill_packet(f, packet);
    dma_write(&f->m->mem, table + 0x40, packet, sizeof(packet));
    for (unsigned k = 0; k < 4; k++) {
        poke(f, table + 0x80 + 16 * k, any_gpa(f), 8);
        poke(f, table + 0x8c + 16 * k, rnd_value(r), 4);
    }
}

static void act_ahci_command(struct fuzz *f)
{
    struct rng *r = &f->rng;
    config_write(f, 0x10, 0x24, ABAR, 4);
    config_write(f, 0x10, 4, 7, 2);
    u64 port = ABAR + 0x100 + 0x80 * rnd(r, one_in(r, 8) ? 6 : 3),
        list = (TABLES + rnd(r, TABLE_PAGES * 4096)) & ~1023ull;
    unsigned n = rnd(r, 32);
    if (one_in(r, 6)) poke(f, port + 0x18, 0, 4);
    poke(f, port, one_in(r, 16) ? rnd_value(r) : list, 4);
    poke(f, port + 8, one_in(r, 8) ? any_gpa(f) : (TABLES + rnd(r, TABLE_PAGES * 4096)) & ~255ull,
         4);
    for (unsigned k = 0; k < 3; k++) fill_slot(f, list, (n + k) % 32);
    poke(f, ABAR + 4, 0x80000002, 4);
    poke(f, port + 0x14, 0xffffffff, 4);
    poke(f, port + 0x18, 0x11, 4);
    if (one_in(r, 2)) poke(f, port + 0x34, 7u << n, 4);
    poke(f, port + 0x38, one_in(r, 4) ? rnd_value(r) : 7ull << n, 4);
    if (one_in(r, 20)) poke(f, port + 0x2c, rnd(r, 5), 4);
    if (one_in(r, 50)) poke(f, ABAR + 4, 0x80000001, 4);
}

static void act_floppy(struct fuzz *f)
{
    static const u8 known[] = { 0x03, 0x04, 0x07, 0x08, 0x0f, 0x46, 0xe6, 0x66, 0x45, 0xc5, 0x4d,
                                0x4a, 0x4c, 0x0e, 0x10, 0x12, 0x13, 0x14, 0x0a, 0x16, 0x42, 0x49,
                                0x59, 0x11, 0x19, 0x1d, 0x18, 0x94, 0x33, 0x34, 0x8e };
    struct rng *r = &f->rng;
    out(f, 0x3f2, one_in(r, 8) ? (u32)rnd64(r) : 0x1c | rnd(r, 2), 1);
    out(f, 0x0c, 0, 1);
    out(f, 0x04, (u32)rnd64(r), 1), out(f, 0x04, (u32)rnd64(r), 1);
    out(f, 0x05, (u32)rnd64(r), 1), out(f, 0x05, rnd(r, 8), 1);
    out(f, 0x81, rnd(r, 2) ? 0x10 : (u32)rnd64(r), 1);
    out(f, 0x0b, one_in(r, 3) ? (u32)rnd64(r) : 0x42 | rnd(r, 2) << 2, 1);
    out(f, 0x0a, 2, 1);
    out(f, 0x3f5, one_in(r, 10) ? (u32)rnd64(r) : known[rnd(r, LEN(known))], 1);
    for (unsigned k = 1 + rnd(r, 9); k; k--) {
        if (one_in(r, 5))
            in(f, 0x3f5, 1);
        else
            out(f, 0x3f5, one_in(r, 3) ? (u32)rnd64(r) : rnd(r, 3), 1);
    }
}

/* --- the rest of the chips --- */

static void act_keyboard(struct fuzz *f)
{
    struct rng *r = &f->rng;
    u8 mask = (u8)rnd64(r);
    switch (rnd(r, 7)) {
    case 0: input_key(&f->m->input, rnd(r, 256), one_in(r, 2)); break;
    case 1: input_rel(&f->m->input, (int)rnd_value(r), (int)rnd_value(r), (int)rnd_value(r)); break;
    case 2: input_buttons(&f->m->input, mask); break;
    case 3: out(f, 0x64, rnd(r, 2) ? 0x20 | mask : 0xd0 | (mask & 15), 1); break;
    case 4: /* a command for the mouse, and its parameter */
        out(f, 0x64, 0xd4, 1);
        out(f, 0x60, one_in(r, 4) ? mask : 0xe6 + rnd(r, 16), 1);
        in(f, 0x60, 1);
        out(f, 0x64, 0xd4, 1);
        out(f, 0x60, one_in(r, 2) ? mask : rnd(r, 4), 1);
        break;
    case 5: out(f, 0x64, 0x60, 1), out(f, 0x60, mask & 0x77, 1); break;
    default: out(f, 0x60, one_in(r, 2) ? 0xe0 | (mask & 31) : mask, 1);
    }
}

static void act_video(struct fuzz *f)
{
    static const u16 index_ports[] = { 0x3c4, 0x3ce, 0x3d4, 0x3b4 };
    struct rng *r = &f->rng;
    u16 port = index_ports[rnd(r, LEN(index_ports))];
    switch (rnd(r, 4)) {
    case 0:
        for (unsigned k = rnd(r, 30); k; k--) out(f, port, rnd(r, 32) | (rnd(r, 256) << 8), 2);
        break;
    case 1:
        in(f, 0x3da, 1);
        for (unsigned k = rnd(r, 40); k; k--) out(f, 0x3c0, rnd(r, 64), 1);
        break;
    case 2: out(f, (u16)(0x3c0 + rnd(r, 32)), (u32)rnd64(r), any_size(f, 3)); break;
    default:
        for (unsigned k = 0; k < 11; k++) {
            if (one_in(r, 2)) continue;
            out(f, 0x1ce, k, 2);
            u32 v = k == 3 ? 8 * rnd(r, 5) : rnd(r, k == 4 ? 256 : 2048);
            out(f, 0x1cf, one_in(r, 3) ? (u32)rnd_value(r) : v, 2);
        }
    }
    for (unsigned k = rnd(r, 20); k; k--) {
        u64 gpa = 0xa0000 + rnd(r, 0x20000);
        unsigned size = any_size(f, 4);
        if (one_in(r, 2))
            poke(f, gpa, rnd64(r), size);
        else
            bus_read(&f->m->mem, gpa, size);
    }
}

static void act_picture(struct fuzz *f)
{
    if (one_in(&f->rng, 20)) display_toggle(f->m->display);
    display_refresh(f->m->display, one_in(&f->rng, 2));
}

static void act_aerogpu(struct fuzz *f)
{
    config_write(f, 0x38, 0x10, BOARD_GPU_REGS, 4);
    config_write(f, 0x38, 4, one_in(&f->rng, 12) ? (u32)rnd_value(&f->rng) : 6, 2);
    for (unsigned n = 1 + rnd(&f->rng, 6); n; n--) board_gpu_act(&f->rng, f->m, any_gpa(f));
}

static void act_timers(struct fuzz *f)
{
    struct rng *r = &f->rng;
    switch (rnd(r, 5)) {
    case 0:
        out(f, 0x43, (u32)rnd64(r), 1);
        for (unsigned k = rnd(r, 4); k; k--) out(f, (u16)(0x40 + rnd(r, 3)), (u32)rnd_value(r), 1);
        break;
    case 1:
        out(f, 0x70, rnd(r, 16), 1);
        out(f, 0x71, (u32)rnd64(r), 1);
        break;
    case 2: poke(f, 0xfed00000 + 8 * rnd(r, 0x40), rnd_value(r), rnd(r, 2) ? 8 : 4); break;
    case 3: poke(f, 0xfee00000 + 16 * rnd(r, 0x40), rnd_value(r), 4); break;
    default:
        poke(f, 0xfec00000, rnd(r, 64), 4);
        poke(f, 0xfec00010, one_in(r, 2) ? rnd_value(r) : rnd(r, 0x10000), 4);
    }
}

/* ACPI power management: where firmware puts it, timer, events, sleep; the SMI command port. */
static void act_power(struct fuzz *f)
{
    struct rng *r = &f->rng;
    config_write(f, 0x0b, 0x40, one_in(r, 8) ? (u32)rnd_value(r) : 0x601, 4);
    config_write(f, 0x0b, 0x80, 1, 1);
    config_write(f, 0x0b, 4, 7, 2);
    for (unsigned k = rnd(r, 8); k; k--) {
        u16 port = one_in(r, 4) ? 0xafe0 + rnd(r, 4) : 0x600 + rnd(r, 0x40);
        if (one_in(r, 3))
            in(f, port, any_size(f, 3));
        else
            out(f, port, (u32)rnd_value(r), any_size(f, 3));
    }
    if (one_in(r, 3)) out(f, 0xb2, one_in(r, 2) ? 0xf0 + rnd(r, 2) : (u32)rnd64(r), 1);
}

static void act_fwcfg(struct fuzz *f)
{
    out(f, 0x510, one_in(&f->rng, 2) ? rnd(&f->rng, 64) : (u32)rnd64(&f->rng), 2);
    for (unsigned k = rnd(&f->rng, 300); k; k--) in(f, 0x511, 1);
}

static void act_time(struct fuzz *f)
{
    static const u64 most[] = {
        1000, 100000, 3000000, 100000000, 5000000000ull, 86400000000000ull
    };
    struct clock *c = &f->m->clock;
    for (unsigned n = 1 + rnd(&f->rng, 6); n; n--) {
        u64 step = rnd64(&f->rng) % most[rnd(&f->rng, one_in(&f->rng, 30) ? 6 : 4)],
            next = clock_deadline(c);
        if (one_in(&f->rng, 2) && next != TIMER_NEVER && next > c->now)
            step = MIN(next - c->now, most[5]);
        c->now += step;
        clock_run_due(c, 256);
    }
}

static void act_user(struct fuzz *f)
{
    static const char *const cds[] = { "cd.iso", "disk.img", NULL };
    struct rng *r = &f->rng;
    struct error e;
    char path[256];
    u8 text[32];
    const char *cd = cds[rnd(r, 3)];
    switch (rnd(r, 4)) {
    case 0: board_power_button(f->m); break;
    case 1:
        snprintf(path, sizeof(path), "%s/%s", fuzz_dir(), cd ? cd : "");
        board_change_cd(f->m, cd ? path : NULL, &e);
        break;
    case 2:
        rnd_fill(r, text, sizeof(text));
        chardev_inject(board_serial(f->m, rnd(r, 2)), text, rnd(r, sizeof(text)));
        break;
    default: board_poll_chars(f->m);
    }
}

static void act_monitor(struct fuzz *f)
{
    struct text t;
    text_init(&t);
    struct device *d = board_device_at(f->m, rnd(&f->rng, 30));
    if (d && d->cls->info) d->cls->info(d, &t);
    if (one_in(&f->rng, 4)) postmortem(f->m, &t);
    text_free(&t);
}

/* Random bytes at the reset vector and in low memory run for a while: instructions meet devices. */
static void act_cpu(struct fuzz *f)
{
    cpu_run(f->m->cpu, 1 + rnd(&f->rng, 2000));
    fuzz_serve(f->m);
}

static void act_reset(struct fuzz *f)
{
    if (one_in(&f->rng, 10)) board_reset(f->m, one_in(&f->rng, 2) ? RESET_COLD : RESET_WARM);
}

static const struct {
    void (*run)(struct fuzz *f);
    unsigned weight;
} acts[] = {
    { act_port, 30 },        { act_port_burst, 4 },    { act_config, 10 },
    { act_mmio, 20 },        { act_dma_region, 4 },    { act_fill_tables, 6 },
    { act_ide_command, 16 }, { act_ahci_command, 16 }, { act_floppy, 10 },
    { act_keyboard, 6 },     { act_video, 8 },         { act_picture, 2 },
    { act_aerogpu, 10 },     { act_timers, 12 },       { act_power, 3 },
    { act_fwcfg, 1 },        { act_time, 24 },         { act_user, 3 },
    { act_monitor, 1 },      { act_cpu, 4 },           { act_reset, 1 },
};

/* --- one machine --- */

static u64 fuzz_one(u64 seed)
{
    struct fuzz f = { .rng = { seed } };
    struct config c;
    unsigned total = 0;
    f.m = fuzz_machine(&f.rng, &c);
    for (unsigned k = 0; k < LEN(acts); k++) total += acts[k].weight;
    for (unsigned n = 0; n < STEPS; n++) {
        unsigned at = rnd(&f.rng, total), k = 0;
        while (at >= acts[k].weight) at -= acts[k++].weight;
        acts[k].run(&f);
        fuzz_serve(f.m);
    }
    u64 insns = cpu_icount(f.m->cpu);
    machine_destroy(f.m);
    config_free(&c);
    return insns;
}

int main(int argc, char **argv)
{
    return fuzz_machines_main(argc, argv, fuzz_one);
}
