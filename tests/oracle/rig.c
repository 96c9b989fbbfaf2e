/* See rig.h. Layout of the address space, descriptors and registers: ovec.h. */
#include "tests/oracle/rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/mmu.h" /* mmu_load_pdptes */
#include "cpu/seg.h"

/* System structures: vectors never come to the first place, hardly ever to the second. */
#define SYS_LONG 0xffff800000000000ull
#define SYS_LEGACY 0xc7e30000u
enum {
    SYS_GDT = 0,
    SYS_LDT = 0x1000,
    SYS_IDT = 0x2000,
    SYS_TSS = 0x3000,
    SYS_STACK = 0x4000,
    SYS_CODE = 0x6000,
    SYS_PAGES = 8
};
enum { SEL_KCODE = 0x10, SEL_KDATA = 0x18 };

static void no_request(void *m, enum machine_request what, int arg, const char *why)
{
    (void)m; (void)what; (void)arg; (void)why;
}

/* ---- page and descriptor tables ---- */

static void map_page(struct rig *r, u64 gla, u64 gpa, u64 bits)
{
    u64 table = P_PML4;
    for (unsigned shift = r->legacy ? 30 : 39; shift > 12; shift -= 9) {
        u8 *e = r->m + table + ((gla >> shift) & 511) * 8;
        if (!(ld64(e) & 1)) {
            st64(e, r->next_table | (r->legacy && shift == 30 ? 1 : 0x67));
            r->next_table += 0x1000;
        }
        table = ld64(e) & ~0xfffull;
    }
    st64(r->m + table + ((gla >> 12) & 511) * 8, gpa | bits | 0x61); /* P A D */
}

static void map_window(struct rig *r, u64 gla, u64 gpa, u64 len, u64 bits)
{
    for (u64 o = 0; o < len; o += 0x1000) map_page(r, gla + o, gpa + o, bits);
}

static void put_desc(struct rig *r, u64 at, u32 base, u32 limit, unsigned access, unsigned flags)
{
    st64(r->m + P_SYS + at, (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 |
                                (u64)(limit >> 16 & 15) << 48 | (u64)flags << 52 |
                                (u64)(base >> 24) << 56);
}

static void put_gate(struct rig *r, unsigned v)
{
    u64 handler = r->sys + SYS_CODE + v * 16;
    u8 *e = r->m + P_SYS + SYS_IDT + v * (r->legacy ? 8 : 16);
    unsigned dpl = v == 3 || v == 4 ? 3 : 0;
    st64(e, (handler & 0xffff) | SEL_KCODE << 16 | (u64)(0x8e | dpl << 5) << 40 |
                (handler >> 16 & 0xffff) << 48);
    if (!r->legacy) st64(e + 8, handler >> 32);
}

static void build_tables(struct rig *r)
{
    r->next_table = P_TABLES;
    map_window(r, r->sys, P_SYS, SYS_PAGES * 0x1000, 2);
    map_window(r, OV_CODE, P_CODE, OV_CODE_L, 4);
    map_window(r, OV_DATA, P_DATA, OV_DATA_L, 6 | 1ull << 63);
    map_window(r, OV_RO, P_RO, OV_RO_L, 4 | 1ull << 63);
    map_window(r, OV_STACK, P_STACK, OV_STACK_L, 6 | 1ull << 63);
    u8 *g = r->m + P_SYS + SYS_GDT;
    st64(g + SEL_KCODE, r->legacy ? 0x00cf9b000000ffffull : 0x00af9b000000ffffull);
    st64(g + SEL_KDATA, 0x00cf93000000ffffull);
    st64(g + 0x20, 0x00cffb000000ffffull);
    st64(g + 0x28, 0x00cff3000000ffffull);
    st64(g + 0x30, 0x00affb000000ffffull);
    for (unsigned k = 0; k < 16; k++) {
        const ov_ldtent *d = &ov_ldt[k];
        if (!d->type) continue;
        put_desc(r, SYS_LDT + k * 8, d->base, d->limit, 0x70u | d->type | (d->present ? 0x80 : 0),
                 (d->db ? 4 : 0) | (d->gran ? 8 : 0));
    }
    for (unsigned v = 0; v < 256; v++) put_gate(r, v);
    memset(r->m + P_SYS + SYS_CODE, 0xf4, 0x1000);
    st64(r->m + P_SYS + SYS_TSS + 4, r->sys + SYS_STACK + 0x1000);
    if (r->legacy) st32(r->m + P_SYS + SYS_TSS + 8, SEL_KDATA);
    st16(r->m + P_SYS + SYS_TSS + 0x66, 0x68);
}

static void build_background(struct rig *r)
{
    for (u32 o = 0; o < OV_DATA_L; o += 16) ov_background(OV_DATA + o, r->bg_data + o);
    for (u32 o = 0; o < OV_STACK_L; o += 16) ov_background(OV_STACK + o, r->bg_stack + o);
    for (u32 o = 0; o < OV_RO_L; o += 16) ov_background(OV_RO + o, r->bg_ro + o);
    memset(r->m + P_CODE, 0xf4, OV_CODE_L);
}

struct rig *rig_with(const char *model, bool legacy, const char *engine)
{
    struct rig *r = xalloc(sizeof(*r));
    r->legacy = legacy;
    r->sys = legacy ? SYS_LEGACY : SYS_LONG;
    struct error e;
    bus_init(&r->mem, "mem", (1ull << 40) - 1, false);
    bus_init(&r->io, "io", 0xffff, true);
    clock_init(&r->clock, CLOCK_MANUAL);
    r->host =
        (struct host_if){ .mem = &r->mem, .io = &r->io, .clock = &r->clock, .request = no_request };
    r->m = aligned_alloc(4096, RAM_SIZE);
    memset(r->m, 0, RAM_SIZE);
    region_init_ram(&r->ram, "ram", RAM_SIZE, r->m);
    int mapped = bus_map(&r->mem, 0, &r->ram, 0, &e);
    struct cpu_env env = { .host = &r->host, .tsc_hz = 1000000000, .engine = engine };
    r->c = cpu_create(model, &env, &e);
    if (mapped || !r->c) {
        fprintf(stderr, "oracle: %s\n", e.text);
        exit(1);
    }
    build_tables(r);
    build_background(r);
    return r;
}

struct rig *rig_new(const char *model, bool legacy)
{
    return rig_with(model, legacy, getenv("AEROPC_ENGINE"));
}

void rig_free(struct rig *r)
{
    cpu_destroy(r->c);
    region_fini(&r->ram);
    bus_fini(&r->mem);
    bus_fini(&r->io);
    clock_fini(&r->clock);
    free(r->m);
    free(r);
}

/* ---- state in ---- */

u8 *rig_window(struct rig *r, u32 addr)
{
    if (addr >= OV_STACK) return r->m + P_STACK + (addr - OV_STACK);
    if (addr >= OV_RO) return r->m + P_RO + (addr - OV_RO);
    if (addr >= OV_DATA) return r->m + P_DATA + (addr - OV_DATA);
    return r->m + P_CODE + (addr - OV_CODE);
}

static void load_segment(struct rig *r, unsigned seg, u16 sel)
{
    struct seg *s = &r->c->seg[seg];
    *s = (struct seg){ .sel = sel };
    if (!(sel & 0xfffc)) return;
    const u8 *d = r->m + P_SYS + (sel & 4 ? SYS_LDT : SYS_GDT) + (sel & ~7u);
    s->base = ld16(d + 2) | (u32)d[4] << 16 | (u32)d[7] << 24;
    s->attr = (u16)(d[5] | (d[6] & 0xf0) << 8);
    s->limit = ld16(d) | (u32)(d[6] & 15) << 16;
    if (s->attr & ATTR_G) s->limit = s->limit << 12 | 0xfff;
}

static void load_system(struct rig *r)
{
    struct cpu *c = r->c;
    c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    c->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    c->cr3 = P_PML4;
    c->efer = r->legacy ? EFER_NXE : EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    if (r->legacy) mmu_load_pdptes(c, P_PML4);
    c->xcr0 = 7;
    c->gdtr = (struct dtable){ r->sys + SYS_GDT, 0x7f };
    c->idtr = (struct dtable){ r->sys + SYS_IDT, r->legacy ? 0x7ff : 0xfff };
    c->ldtr =
        (struct seg){ .base = r->sys + SYS_LDT, .limit = 0x7f, .sel = 0x38, .attr = 0x82 };
    c->tr = (struct seg){ .base = r->sys + SYS_TSS, .limit = 0x67, .sel = 0x40, .attr = 0x8b };
    c->halted = c->shutdown = c->nmi_blocked = false;
    c->pending_dr6 = 0;
    c->shadow = 0;
    cpu_event_clear(c, ~0u);
}

void rig_load_state(struct rig *r, const ov_state *s)
{
    struct cpu *c = r->c;
    load_system(r);
    for (unsigned k = 0; k < 16; k++) c->r[k] = s->gpr[k];
    c->rip = s->rip;
    for (unsigned k = 0; k < SEG_COUNT; k++) load_segment(r, k, s->seg[k]);
    c->cpl = 3;
    cpu_set_flags(c, s->flags | 2);
    cpu_update_mode(c);
    if (c->bits == BITS64) {
        c->seg[SEG_FS].base = s->fsb;
        c->seg[SEG_GS].base = s->gsb;
    }
    seg_update_flat(c);
    c->mxcsr = s->mxcsr;
    c->fcw = s->fcw;
    c->fsw = s->fsw;
    c->ftw = s->ftw;
    unsigned top = s->fsw >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        struct f80 *f = &c->fpr[(top + k) & 7];
        f->mant = ld64(s->st[k]);
        f->se = ld16(s->st[k] + 8);
    }
    for (unsigned k = 0; k < 16; k++) {
        memcpy(&c->v[k].b[0], s->xmm[k], 16);
        memcpy(&c->v[k].b[16], s->ymmh[k], 16);
    }
}

/* ---- state out ---- */

void rig_read_state(struct rig *r, struct outcome *o)
{
    struct cpu *c = r->c;
    ov_state *s = &o->s;
    memset(o, 0, sizeof(*o));
    o->exc = 0xff;
    for (unsigned k = 0; k < 16; k++) s->gpr[k] = c->r[k];
    s->rip = c->rip;
    s->flags = cpu_flags(c);
    for (unsigned k = 0; k < SEG_COUNT; k++) s->seg[k] = c->seg[k].sel;
    s->fsb = c->seg[SEG_FS].base;
    s->gsb = c->seg[SEG_GS].base;
    if (c->cpl == 0) { /* in a handler: take the interrupted state from its frame */
        unsigned v = (unsigned)(c->rip - r->sys - SYS_CODE) / 16;
        bool has_error = v == EXC_DF || (v >= EXC_TS && v <= EXC_PF) || v == EXC_AC;
        unsigned n = r->legacy ? 4 : 8;
        const u8 *f = r->m + P_SYS + (c->r[RSP] - r->sys);
        o->exc = (u8)v;
        if (has_error) {
            o->err = ld32(f);
            f += n;
        }
        s->rip = ld_n(f, n);
        s->seg[SEG_CS] = ld16(f + n);
        s->flags = ld32(f + 2 * n);
        s->gpr[RSP] = ld_n(f + 3 * n, n);
        s->seg[SEG_SS] = ld16(f + 4 * n);
        o->cr2 = c->cr2;
    }
    s->mxcsr = c->mxcsr;
    s->fcw = c->fcw;
    s->fsw = c->fsw;
    s->ftw = c->ftw;
    for (unsigned k = 0; k < 8; k++) {
        const struct f80 *f = &c->fpr[((c->fsw >> 11) + k) & 7];
        st64(s->st[k], f->mant);
        st16(s->st[k] + 8, f->se);
    }
    for (unsigned k = 0; k < 16; k++) {
        memcpy(s->xmm[k], &c->v[k].b[0], 16);
        memcpy(s->ymmh[k], &c->v[k].b[16], 16);
    }
}

/* ---- comparison ---- */

static long double as_f80(const u8 *p)
{
    long double v = 0;
    memcpy(&v, p, 10);
    return v;
}

bool rig_close80(const u8 *a, const u8 *b)
{
    long double x = as_f80(a), y = as_f80(b);
    if (isnan(x) && isnan(y)) return true;
    if (isinf(x) || isinf(y)) return x == y;
    long double m = fabsl(y) > fabsl(x) ? fabsl(y) : fabsl(x);
    return fabsl(x - y) <= m * 0x1p-58L || fabsl(x - y) < 0x1p-16380L;
}

static bool close32(const u8 *a, const u8 *b)
{
    float x, y;
    memcpy(&x, a, 4);
    memcpy(&y, b, 4);
    if (!memcmp(a, b, 4) || (isnan(x) && isnan(y))) return true;
    if (isinf(x) || isinf(y)) return fabsf(isinf(x) ? y : x) > 0x1p126f;
    return fabsf(x - y) <= 0x1p-10f * (fabsf(y) > fabsf(x) ? fabsf(y) : fabsf(x)) ||
           fabsf(x - y) < 0x1.8p-126f;
}

bool rig_estimates_close(const u8 *a, const u8 *b)
{
    return close32(a, b) && close32(a + 4, b + 4) && close32(a + 8, b + 8) &&
           close32(a + 12, b + 12);
}

const char *rig_reg_name(unsigned reg, char buf[16])
{
    static const char *const gpr[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
    if (reg < 8) return gpr[reg];
    if (reg == OVR_RIP) return "ip";
    if (reg == OVR_FLAGS) return "flags";
    if (reg == OVR_MXCSR) return "mxcsr";
    if (reg == OVR_FCW) return "fcw";
    if (reg == OVR_FSW) return "fsw";
    if (reg == OVR_FTW) return "ftw";
    if (reg < 16) snprintf(buf, 16, "r%u", reg);
    else if (reg < OVR_YMMH) snprintf(buf, 16, "xmm%u", reg - OVR_XMM);
    else if (reg < OVR_MXCSR) snprintf(buf, 16, "ymmh%u", reg - OVR_YMMH);
    else if (reg < OVR_SEG) snprintf(buf, 16, "st%u", reg - OVR_ST);
    else if (reg < OVR_FSB) snprintf(buf, 16, "seg%u", reg - OVR_SEG);
    else snprintf(buf, 16, "base%u", reg - OVR_FSB);
    return buf;
}
