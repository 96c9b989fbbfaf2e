/* System management mode (SDM 3C chapter 34, APM 2 chapter 10): SMI, the state save area, RSM.
 *
 * An SMI is taken at an instruction boundary outside a shadow and outside SMM; one more is latched
 * meanwhile. The CPU raises the wire SMIACT# (the host bridge then shows SMRAM at A0000h), stores
 * its state at SMBASE + FE00h-FFFFh and goes on at SMBASE + 8000h in 16-bit code with segments of
 * 4 GiB, interrupts, NMI, INIT, debug traps and the A20 mask off. RSM loads the state back: a value
 * that could not be in a register is a shutdown, as MOV to it would be #GP.
 *
 * The save area has two maps, told apart by the revision identifier's lower half: that of the P6
 * (0000h) for models without long mode, that of AMD64 (0064h) for the others, whatever their vendor
 * says: virtual machine firmware knows no other one for 64-bit processors. Both allow relocation of
 * SMBASE (bit 17) and restart of the I/O instruction that caused the SMI (bit 16). The P6 keeps
 * descriptors in places it does not document; ours are this file's business.
 *
 * NMI blocking from before the SMI is in force again after RSM; inside, IRET opens NMI as always.
 * Left out: the EM64T map, SMRR, machine checks, dual-monitor treatment. */
#include "cpu/icache.h"
#include "cpu/mmu.h"
#include "cpu/model.h"
#include "cpu/ops.h"
#include "cpu/seg.h"
#include "machine/core/trace.h"

enum {
    AREA = 0xfe00, /* from SMBASE */
    AREA_SIZE = 0x200,
    ENTRY = 0x8000,
    REVISION = 0xfc, /* offsets in the area from here on; the same in both maps */
    REVISION_P6 = 0x30000,
    REVISION_AMD64 = 0x30064,
    RESTART_IO = 0xff,
    SEG_LDTR = SEG_COUNT,
    SEG_TR,
};
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* ---- the maps ---- */

struct value_row {
    u16 at;
    u8 size; /* in the area */
    u32 field;
    u8 width; /* in struct cpu */
};
#define VALUE(at, size, f) { at, size, offsetof(struct cpu, f), sizeof(((struct cpu *)0)->f) }

struct segment_row {
    u16 sel, attr, limit, base; /* where each is */
};

struct save_map {
    u32 revision;
    u16 smbase, flags, halt, io;
    u8 wide; /* bytes of a segment's base */
    const struct value_row *values;
    unsigned count;
    struct segment_row segs[SEG_TR + 1]; /* ES CS SS DS FS GS LDTR TR */
};

/* clang-format off */
static const struct value_row values_p6[] = {
    VALUE(0x1fc, 4, cr0),  VALUE(0x1f8, 4, cr3),  VALUE(0x1f0, 4, rip),  VALUE(0x1ec, 4, r[RDI]), VALUE(0x1e8, 4, r[RSI]),
    VALUE(0x1e4, 4, r[RBP]), VALUE(0x1e0, 4, r[RSP]), VALUE(0x1dc, 4, r[RBX]), VALUE(0x1d8, 4, r[RDX]),
    VALUE(0x1d4, 4, r[RCX]), VALUE(0x1d0, 4, r[RAX]), VALUE(0x1cc, 4, dr[6]),  VALUE(0x1c8, 4, dr[7]),
    /* undocumented ones */
    VALUE(0x174, 4, gdtr.base), VALUE(0x170, 4, gdtr.limit), VALUE(0x158, 4, idtr.base), VALUE(0x154, 4, idtr.limit),
    VALUE(0x114, 4, cr4),
};
static const struct value_row values_amd64[] = {
    VALUE(0x1f8, 8, r[RAX]), VALUE(0x1f0, 8, r[RCX]), VALUE(0x1e8, 8, r[RDX]), VALUE(0x1e0, 8, r[RBX]), VALUE(0x1d8, 8, r[RSP]),
    VALUE(0x1d0, 8, r[RBP]), VALUE(0x1c8, 8, r[RSI]), VALUE(0x1c0, 8, r[RDI]), VALUE(0x1b8, 8, r[R8]),  VALUE(0x1b0, 8, r[R9]),
    VALUE(0x1a8, 8, r[R10]), VALUE(0x1a0, 8, r[R11]), VALUE(0x198, 8, r[R12]), VALUE(0x190, 8, r[R13]), VALUE(0x188, 8, r[R14]),
    VALUE(0x180, 8, r[R15]), VALUE(0x178, 8, rip),    VALUE(0x168, 8, dr[6]),  VALUE(0x160, 8, dr[7]),  VALUE(0x158, 8, cr0),
    VALUE(0x150, 8, cr3),    VALUE(0x148, 8, cr4),    VALUE(0x0d0, 8, efer),
    VALUE(0x064, 4, gdtr.limit), VALUE(0x068, 8, gdtr.base), VALUE(0x084, 4, idtr.limit), VALUE(0x088, 8, idtr.base),
};
static const struct save_map map_p6 = {
    REVISION_P6, 0xf8, 0x1f4, 0x102, 0x100, 4, values_p6, LEN(values_p6),
    { { 0x1a8, 0x184, 0x188, 0x18c }, { 0x1ac, 0x190, 0x194, 0x198 }, { 0x1b0, 0x19c, 0x1a0, 0x1a4 }, { 0x1b4, 0x12c, 0x130, 0x134 },
      { 0x1b8, 0x138, 0x13c, 0x140 }, { 0x1bc, 0x144, 0x148, 0x14c }, { 0x1c0, 0x178, 0x17c, 0x180 }, { 0x1c4, 0x15c, 0x160, 0x164 } },
};
static const struct save_map map_amd64 = {
    REVISION_AMD64, 0x100, 0x170, 0xc9, 0xc8, 8, values_amd64, LEN(values_amd64),
    { { 0x00, 0x02, 0x04, 0x08 }, { 0x10, 0x12, 0x14, 0x18 }, { 0x20, 0x22, 0x24, 0x28 }, { 0x30, 0x32, 0x34, 0x38 },
      { 0x40, 0x42, 0x44, 0x48 }, { 0x50, 0x52, 0x54, 0x58 }, { 0x70, 0x72, 0x74, 0x78 }, { 0x90, 0x92, 0x94, 0x98 } },
};
/* clang-format on */

static const struct save_map *map_of(const struct cpu *c)
{
    return cpu_has(c, FT_LM) ? &map_amd64 : &map_p6;
}

static struct seg *segment(struct cpu *c, unsigned n)
{
    return n == SEG_LDTR ? &c->ldtr : n == SEG_TR ? &c->tr : &c->seg[n];
}

/* Attributes without the limit's bits in between, as both vendors store them. */
static u16 pack_attr(u16 attr)
{
    return (u16)((attr & 0xff) | (attr >> 4 & 0xf00));
}

static u16 unpack_attr(u16 attr)
{
    return (u16)((attr & 0xff) | (attr & 0xf00) << 4);
}

static void store_state(struct cpu *c, const struct save_map *m, u8 *b)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct value_row *v = &m->values[i];
        st_n(b + v->at, ld_n((const u8 *)c + v->field, v->width), v->size);
    }
    for (unsigned n = 0; n <= SEG_TR; n++) {
        const struct segment_row *r = &m->segs[n];
        const struct seg *s = segment(c, n);
        st16(b + r->sel, s->sel);
        st16(b + r->attr, pack_attr(s->attr));
        st32(b + r->limit, s->limit);
        st_n(b + r->base, s->base, m->wide);
    }
    st_n(b + m->flags, cpu_flags(c), m->wide);
    st32(b + m->smbase, c->smbase);
    st32(b + REVISION, m->revision);
    b[m->halt] = c->halted;
    b[m->io] = 0;
    if (m == &map_amd64) {
        st64(b + 0xa0, c->io_restart.rip);
        st64(b + 0xa8, c->io_restart.rcx);
        st64(b + 0xb0, c->io_restart.rsi);
        st64(b + 0xb8, c->io_restart.rdi);
        b[0xca] = c->nmi_blocked;
        b[0xcb] = c->cpl;
    }
}

static void load_state(struct cpu *c, const struct save_map *m, const u8 *b)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct value_row *v = &m->values[i];
        st_n((u8 *)c + v->field, ld_n(b + v->at, v->size), v->width);
    }
    for (unsigned n = 0; n <= SEG_TR; n++) {
        const struct segment_row *r = &m->segs[n];
        struct seg *s = segment(c, n);
        s->sel = ld16(b + r->sel);
        s->attr = unpack_attr(ld16(b + r->attr));
        s->limit = ld32(b + r->limit);
        s->base = ld_n(b + r->base, m->wide);
    }
    c->gdtr.limit &= 0xffff;
    c->idtr.limit &= 0xffff;
    c->smbase = ld32(b + m->smbase);
}

/* ---- in ---- */

/* The I/O instruction that raises an SMI can be executed again after RSM. */
static void note_io(struct cpu *c)
{
    const struct insn *i = c->icache->cur;
    c->io_restart.valid = false;
    if (!i) return;
    bool string = i->fn == op_ins || i->fn == op_outs;
    if (!string && i->fn != op_in_ib && i->fn != op_in_dx && i->fn != op_out_ib && i->fn != op_out_dx)
        return;
    c->io_restart = (struct io_restart){ .valid = true,
                                         .rip = c->insn_rip,
                                         .rcx = c->r[RCX],
                                         .rsi = c->r[RSI],
                                         .rdi = c->r[RDI] };
}

void cpu_smi(struct cpu *c)
{
    c->smi_pending = true;
    if (c->smm) return; /* latched until RSM */
    note_io(c);
    cpu_event_set(c, CE_SMI);
}

static void set_smm(struct cpu *c, bool on)
{
    c->smm = on;
    irq_set(&c->env.smiact, on);
    cpu_set_a20(c, c->a20); /* the mask is off in SMM */
    cpu_check_generation(c);
}

static void smm_segments(struct cpu *c)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) c->seg[i] = (struct seg){ 0, ~0u, 0, 0x8093 };
    c->seg[SEG_CS].base = c->smbase;
    c->seg[SEG_CS].sel = (u16)(c->smbase >> 4);
}

void cpu_do_smi(struct cpu *c)
{
    const struct save_map *m = map_of(c);
    u8 b[AREA_SIZE];
    TRACE(cpu_smm, 1, c->smbase, c->rip, 0);
    c->smi_pending = false;
    cpu_event_clear(c, CE_SMI);
    memset(b, 0, sizeof(b));
    store_state(c, m, b);
    set_smm(c, true);
    for (unsigned i = 0; i < sizeof(b); i += 8)
        phys_write(c, (u32)(c->smbase + AREA + i), ld64(b + i), 8);
    c->nmi_was_blocked = c->nmi_blocked;
    c->nmi_blocked = true;
    c->halted = false;
    c->shadow = 0;
    c->pending_dr6 = 0;
    c->cr0 &= ~(u64)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    c->cr4 = 0;
    c->efer = 0;
    c->dr[7] = 0x400;
    c->cpl = 0;
    c->rflags = 2;
    cpu_set_flags(c, 2);
    smm_segments(c);
    c->rip = c->insn_rip = ENTRY;
    cpu_event_clear(c, CE_SHADOW | CE_TRAP | CE_RF);
    cpu_dr7_changed(c); /* flushes the TLB, too */
    cpu_update_mode(c);
    cpu_update_intr(c);
}

/* ---- out ---- */

/* What no MOV to a control register would have taken ends in shutdown. */
static bool state_ok(struct cpu *c)
{
    bool paging = c->cr0 & CR0_PG;
    if (c->cr0 >> 32 || (paging && !(c->cr0 & CR0_PE))) return false;
    if ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD)) return false;
    if (c->cr4 & ~cpu_cr4_valid(c)) return false;
    if (c->efer & ~(u64)EFER_KNOWN) return false;
    bool lma = c->efer & EFER_LMA;
    if (lma != (paging && (c->efer & EFER_LME))) return false;
    if (lma && (!(c->cr4 & CR4_PAE) || (c->cr3 & ~c->phys_mask))) return false;
    return !(lma && (c->seg[SEG_CS].attr & ATTR_L) && !is_canonical(c->rip));
}

static void resume_flags(struct cpu *c, u32 flags)
{
    c->rflags = 2;
    cpu_set_flags(c, (flags & 0x3f7fd5) | 2);
    if (flags & FL_RF) cpu_event_set(c, CE_RF);
}

static void resume_events(struct cpu *c)
{
    c->nmi_blocked = c->nmi_was_blocked;
    if (c->nmi_pending) cpu_event_set(c, CE_NMI);
    if (c->smi_pending) cpu_event_set(c, CE_SMI);
    if (c->init_pending) cpu_event_set(c, CE_INIT);
    c->init_pending = false;
}

void op_rsm(struct cpu *c, const struct insn *i)
{
    const struct save_map *m = map_of(c);
    u8 b[AREA_SIZE];
    (void)i;
    if (!c->smm) {
        exc_raise(c, EXC_UD);
        return;
    }
    for (unsigned k = 0; k < sizeof(b); k += 8)
        st64(b + k, phys_read(c, (u32)(c->smbase + AREA + k), 8));
    load_state(c, m, b);
    u32 flags = (u32)ld_n(b + m->flags, m->wide);
    set_smm(c, false);
    TRACE(cpu_smm, 0, c->smbase, c->rip, 0);
    bool pae_paging = (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !(c->efer & EFER_LMA);
    if (!state_ok(c) || ((flags & FL_VM) && (c->efer & EFER_LMA)) ||
        (pae_paging && !mmu_load_pdptes(c, c->cr3))) {
        cpu_shutdown(c);
        return;
    }
    c->cr0 |= CR0_ET;
    c->dr[6] = (c->dr[6] & 0xe00f) | 0xffff0ff0;
    c->dr[7] = (c->dr[7] & 0xffff23ff) | 0x400;
    bool protected = c->cr0 & CR0_PE;
    if (!protected) flags &= ~FL_VM;
    c->cpl = flags & FL_VM ? 3 : protected ? ATTR_DPL(c->seg[SEG_SS].attr) : 0;
    resume_flags(c, flags);
    if (b[m->io] == RESTART_IO && c->io_restart.valid) {
        c->rip = c->io_restart.rip;
        c->r[RCX] = c->io_restart.rcx;
        c->r[RSI] = c->io_restart.rsi;
        c->r[RDI] = c->io_restart.rdi;
    }
    c->io_restart.valid = false;
    if (b[m->halt] & 1) {
        c->halted = true;
        cpu_event_set(c, CE_HALT);
    }
    resume_events(c);
    c->no_step = true;
    cpu_dr7_changed(c);
    cpu_update_mode(c);
    cpu_update_intr(c);
}
