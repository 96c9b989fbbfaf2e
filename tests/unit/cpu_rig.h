/* A CPU with RAM and nothing else, for tests of cpu/: time stands still until the test moves it,
 * requests and port writes are recorded. rig_code() puts bytes at an address; rig_run() executes
 * them until HLT, a fault storm or the budget. */
#ifndef TESTS_CPU_RIG_H
#define TESTS_CPU_RIG_H

#include <check.h>
#include <stdlib.h>

#include "cpu/exec.h"

#define RIG_RAM (16 * MIB)

struct rig {
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct region ram;
    u8 *bytes;
    struct cpu *c;
    int request;      /* last machine request, -1 none */
    int intack_vector;
    int eoi_vector;   /* last EOI broadcast, -1 none */
};

static inline void rig_request(void *machine, enum machine_request what, int arg, const char *why)
{
    (void)arg;
    (void)why;
    ((struct rig *)machine)->request = (int)what;
}

static inline int rig_intack(void *opaque)
{
    struct rig *r = opaque;
    cpu_set_intr(r->c, false);
    return r->intack_vector;
}

static inline void rig_eoi(void *opaque, int vector)
{
    ((struct rig *)opaque)->eoi_vector = vector;
}

/* engine: as --engine names it. */
static inline struct rig *rig_with(const char *model, const char *engine)
{
    struct rig *r = xalloc(sizeof(*r));
    struct error e = { "" };
    clock_init(&r->clock, CLOCK_MANUAL);
    bus_init(&r->mem, "memory", (1ull << 40) - 1, false);
    bus_init(&r->io, "ports", 0xffff, true);
    r->bytes = aligned_alloc(4096, RIG_RAM);
    memset(r->bytes, 0, RIG_RAM);
    region_init_ram(&r->ram, "ram", RIG_RAM, r->bytes);
    ck_assert_int_eq(bus_map(&r->mem, 0, &r->ram, 0, &e), 0);
    r->host = (struct host_if){
        .mem = &r->mem, .io = &r->io, .clock = &r->clock, .request = rig_request, .machine = r
    };
    r->request = r->eoi_vector = -1;
    struct cpu_env env = {
        .engine = engine,
        .host = &r->host, .intack = rig_intack, .intack_opaque = r, .tsc_hz = 2000000000
    };
    r->c = cpu_create(model, &env, &e);
    ck_assert_msg(r->c != NULL, "%s", e.text);
    cpu_set_eoi_listener(r->c, rig_eoi, r);
    return r;
}

/* The engine that AEROPC_ENGINE in the environment names; without it the interpreter. */
static inline struct rig *rig_new(const char *model)
{
    return rig_with(model, getenv("AEROPC_ENGINE"));
}

static inline void rig_free(struct rig *r)
{
    cpu_destroy(r->c);
    region_fini(&r->ram);
    bus_fini(&r->mem);
    bus_fini(&r->io);
    clock_fini(&r->clock);
    free(r->bytes);
    free(r);
}

static inline void rig_code(struct rig *r, u32 at, const void *code, size_t n)
{
    memcpy(r->bytes + at, code, n);
    ram_written(&r->ram, at, n);
}

/* Writes a descriptor of 8 bytes: type_s_dpl_p is its sixth byte, flags its G D L AVL nibble. */
static inline void rig_desc(struct rig *r, u32 at, u32 base, u32 limit, u8 rights, u8 flags)
{
    u8 *d = r->bytes + at;
    st16(d, (u16)limit);
    st16(d + 2, (u16)base);
    d[4] = (u8)(base >> 16);
    d[5] = rights;
    d[6] = (u8)((limit >> 16 & 15) | flags << 4);
    d[7] = (u8)(base >> 24);
}

/* GDT at 1000h: 08 code32, 10 data32, 18 code64, 20 user code32 (RPL 3: 23), 28 user data (2B), 30
 * user code64 (33), 38 TSS32 at 2000h (limit 67h), 48 code16, 50 data16 (limit FFFFh), 58 LDT at
 * 1800h. IDT at 3000h, all gates absent. */
enum { RIG_GDT = 0x1000, RIG_LDT = 0x1800, RIG_TSS = 0x2000, RIG_IDT = 0x3000 };
static inline void rig_tables(struct rig *r)
{
    rig_desc(r, RIG_GDT + 0x08, 0, 0xfffff, 0x9b, 0xc);
    rig_desc(r, RIG_GDT + 0x10, 0, 0xfffff, 0x93, 0xc);
    rig_desc(r, RIG_GDT + 0x18, 0, 0xfffff, 0x9b, 0xa);
    rig_desc(r, RIG_GDT + 0x20, 0, 0xfffff, 0xfb, 0xc);
    rig_desc(r, RIG_GDT + 0x28, 0, 0xfffff, 0xf3, 0xc);
    rig_desc(r, RIG_GDT + 0x30, 0, 0xfffff, 0xfb, 0xa);
    rig_desc(r, RIG_GDT + 0x38, RIG_TSS, 0x67, 0x89, 0);
    rig_desc(r, RIG_GDT + 0x48, 0, 0xffff, 0x9b, 0);
    rig_desc(r, RIG_GDT + 0x50, 0, 0xffff, 0x93, 0);
    rig_desc(r, RIG_GDT + 0x58, RIG_LDT, 0xff, 0x82, 0);
    r->c->gdtr = (struct dtable){ RIG_GDT, 0xff };
    r->c->idtr = (struct dtable){ RIG_IDT, 0x7ff };
}

static inline void rig_set_seg(struct cpu *c, unsigned seg, u16 sel, u16 attr)
{
    c->seg[seg] = (struct seg){ 0, ~0u, sel, attr };
}

/* 32-bit protected mode, flat, level cpl, stack at 8000h (level 0: 9000h in the TSS). Paging off.
 */
static inline void rig_protected(struct rig *r, unsigned cpl)
{
    struct cpu *c = r->c;
    u16 d = (u16)(cpl << 5), code = (u16)(cpl ? 0x23 : 0x08), data = (u16)(cpl ? 0x2b : 0x10);
    rig_tables(r);
    c->cr0 = CR0_PE | CR0_ET;
    c->cpl = (u8)cpl;
    rig_set_seg(c, SEG_CS, code, 0xc09b | d);
    for (unsigned s = 0; s < SEG_COUNT; s++) {
        if (s != SEG_CS) rig_set_seg(c, s, data, 0xc093 | d);
    }
    c->tr = (struct seg){ RIG_TSS, 0x67, 0x38, 0x8b };
    st32(r->bytes + RIG_TSS + 4, 0x9000);
    st16(r->bytes + RIG_TSS + 8, 0x10);
    st16(r->bytes + RIG_TSS + 0x66, 0x68);
    c->r[RSP] = 0x8000;
    c->rip = 0x4000;
    tlb_flush_all(c);
    cpu_update_mode(c);
}

/* 64-bit mode with identity-mapped 2 MiB user pages for the first 16 MiB: PML4 at 10000h, PDPT
 * 11000h, PD 12000h. */
static inline void rig_long(struct rig *r, unsigned cpl)
{
    struct cpu *c = r->c;
    rig_protected(r, 0);
    st64(r->bytes + 0x10000, 0x11007);
    st64(r->bytes + 0x11000, 0x12007);
    for (unsigned i = 0; i < 8; i++) st64(r->bytes + 0x12000 + i * 8, i * 0x200000ull | 0x87);
    c->cr3 = 0x10000;
    c->cr4 = CR4_PAE | CR4_PGE;
    c->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    c->cr0 |= CR0_PG | CR0_WP;
    c->cpl = (u8)cpl;
    rig_set_seg(c, SEG_CS, cpl ? 0x33 : 0x18, (u16)(0xa09b | cpl << 5));
    rig_set_seg(c, SEG_SS, cpl ? 0x2b : 0x10, (u16)(0xc093 | cpl << 5));
    c->idtr.limit = 0xfff;
    st64(r->bytes + RIG_TSS + 4, 0x9000);
    st64(r->bytes + RIG_TSS + 0x24, 0xa000);
    tlb_flush_all(c);
    cpu_update_mode(c);
}

/* 32-bit gate. */
static inline void rig_gate(struct rig *r, unsigned vector, u16 sel, u32 off, u8 rights)
{
    u8 *g = r->bytes + RIG_IDT + vector * 8;
    st16(g, (u16)off);
    st16(g + 2, sel);
    g[4] = 0;
    g[5] = rights;
    st16(g + 6, (u16)(off >> 16));
}

static inline void rig_gate64(struct rig *r, unsigned vector, u16 sel, u64 off, u8 rights, u8 ist)
{
    u8 *g = r->bytes + RIG_IDT + vector * 16;
    memset(g, 0, 16);
    st16(g, (u16)off);
    st16(g + 2, sel);
    g[4] = ist;
    g[5] = rights;
    st16(g + 6, (u16)(off >> 16));
    st32(g + 8, (u32)(off >> 32));
}

/* The fault that was recorded, or -1; cleared. */
static inline int rig_fault(struct rig *r)
{
    if (!(r->c->events & CE_FAULT)) return -1;
    cpu_event_clear(r->c, CE_FAULT);
    return r->c->fault_vector;
}

#define expect_fault(r, vec, code)                                                                 \
    do {                                                                                           \
        ck_assert_int_eq(rig_fault(r), vec);                                                       \
        ck_assert_uint_eq((r)->c->fault_error, code);                                              \
    } while (0)

#endif
