/* x87 control and state: error reporting, FINIT, FLDCW, environments in their four layouts, FSAVE, FXSAVE.
 * SDM 1 8.1 (registers), 8.7 and appendix D (error reporting with CR0.NE = 0), SDM 2 FSTENV, FSAVE, FXSAVE.
 *
 *   FXSAVE: 0 FCW | 2 FSW | 4 tag bits | 6 FOP | 8 FIP, 12 FCS (or 64-bit FIP) | 16 FDP, 20 FDS (or 64-bit FDP) |
 *           24 MXCSR | 28 mask | 32 ST(0)..ST(7), 16 bytes each | 160 XMM0.. | 464 free for software
 *
 * With CR4.OSFXSR = 0 FXSAVE and FXRSTOR leave XMM registers and MXCSR alone. FCS and FDS are saved (no deprecation). */
#include "cpu/fpu.h"

void fpu_update_es(struct cpu *c)
{
    bool error = c->fsw & ~c->fcw & FSW_EXC;

    c->fsw = (u16)((c->fsw & ~(FSW_ES | FSW_B)) | (error ? FSW_ES | FSW_B : 0));
    if (!error) c->ignne = false;
    if (!(c->cr0 & CR0_NE) || !error) irq_set(&c->env.ferr, error);
}

/* With NE = 0 the processor stops at a waiting instruction until an interrupt comes (IRQ 13 from FERR#) or IGNNE# is
 * asserted: the instruction is tried again and again, interrupts are taken in between. */
bool fpu_refuse(struct cpu *c)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) {
        exc_raise(c, EXC_NM);
    } else if (c->cr0 & CR0_NE) {
        exc_raise(c, EXC_MF);
    } else if (c->ignne) {
        return true;
    } else {
        irq_set(&c->env.ferr, true);
        c->rip = c->insn_rip;
        cpu_event_set(c, CE_MODE);
    }
    return false;
}

void op_fwait(struct cpu *c, const struct insn *i)
{
    (void)i;
    if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) {
        exc_raise(c, EXC_NM);
        return;
    }
    if (!(c->fsw & FSW_ES)) return;
    if (c->cr0 & CR0_NE) {
        exc_raise(c, EXC_MF);
    } else if (!c->ignne) {
        irq_set(&c->env.ferr, true);
        c->rip = c->insn_rip;
        cpu_event_set(c, CE_MODE);
    }
}

void op_fnop(struct cpu *c, const struct insn *i)
{
    (void)i;
    fpu_begin(c);
}

/* FNENI, FNDISI, FNSETPM: nothing since the 387, and they do not wait. */
void op_fnop_nowait(struct cpu *c, const struct insn *i)
{
    (void)i;
    fpu_begin_nowait(c);
}

static void initialise(struct cpu *c)
{
    c->fcw = 0x37f;
    c->fsw = 0;
    c->ftw = 0;
    c->fop = 0;
    c->fip = c->fdp = 0;
    c->fcs = c->fds = 0;
    fpu_update_es(c);
}

void op_fninit(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (fpu_begin_nowait(c)) initialise(c);
}

void op_fnclex(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!fpu_begin_nowait(c)) return;
    c->fsw &= (u16)~(FSW_EXC | FSW_SF);
    fpu_update_es(c);
}

/* Bit 6 always reads 1, bits 7 and 13-15 read 0. */
static void set_fcw(struct cpu *c, u16 v)
{
    c->fcw = (u16)((v & 0x1f3f) | 0x40);
    fpu_update_es(c);
}

void op_fldcw(struct cpu *c, const struct insn *i)
{
    u16 v;

    if (!fpu_begin(c) || !mem_read16(c, i->seg, ea_offset(c, i), &v)) return;
    set_fcw(c, v);
}

void op_fnstcw(struct cpu *c, const struct insn *i)
{
    if (fpu_begin_nowait(c)) mem_write16(c, i->seg, ea_offset(c, i), c->fcw);
}

void op_fnstsw_m16(struct cpu *c, const struct insn *i)
{
    if (fpu_begin_nowait(c)) mem_write16(c, i->seg, ea_offset(c, i), c->fsw);
}

void op_fnstsw_ax(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (fpu_begin_nowait(c)) set_reg16(c, RAX, c->fsw);
}

void op_ffree(struct cpu *c, const struct insn *i)
{
    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    c->ftw &= (u8)~(1u << fpu_phys(c, i->modrm & 7));
}

void op_ffreep(struct cpu *c, const struct insn *i)
{
    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    c->ftw &= (u8)~(1u << fpu_phys(c, i->modrm & 7));
    fpu_pop(c);
}

void op_fincstp(struct cpu *c, const struct insn *i)
{
    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    fpu_set_top(c, fpu_top(c) + 1);
    c->fsw &= (u16)~FSW_C1;
}

void op_fdecstp(struct cpu *c, const struct insn *i)
{
    if (!fpu_begin(c)) return;
    fpu_note(c, i);
    fpu_set_top(c, fpu_top(c) - 1);
    c->fsw &= (u16)~FSW_C1;
}

/* --- environment --- */

/* Two bits per physical register: 0 valid, 1 zero, 2 special, 3 empty. */
static u16 full_tags(const struct cpu *c)
{
    u16 tags = 0;

    for (unsigned n = 0; n < 8; n++) {
        const struct f80 *v = &c->fpr[n];
        unsigned e = v->se & 0x7fff, tag;
        if (!fpu_used(c, n)) tag = 3;
        else if (e == 0x7fff || (e && !(v->mant >> 63))) tag = 2;
        else if (e) tag = 0;
        else tag = v->mant ? 2 : 1;
        tags |= (u16)(tag << (2 * n));
    }
    return tags;
}

static void set_full_tags(struct cpu *c, u16 tags)
{
    c->ftw = 0;
    for (unsigned n = 0; n < 8; n++) {
        if (((tags >> (2 * n)) & 3) != 3) c->ftw |= (u8)(1u << n);
    }
}

static bool real_layout(const struct cpu *c)
{
    return !(c->cr0 & CR0_PE) || (c->rflags & FL_VM);
}

/* Returns the size: 14 or 28. In the real-mode layouts pointers are linear addresses. */
static unsigned pack_env(const struct cpu *c, bool wide, u8 *p)
{
    bool real = real_layout(c);
    u32 ip = (u32)c->fip + (real ? (u32)c->fcs << 4 : 0), dp = (u32)c->fdp + (real ? (u32)c->fds << 4 : 0);
    u16 op = c->fop & 0x7ff;

    if (!wide) {
        st16(p, c->fcw);
        st16(p + 2, c->fsw);
        st16(p + 4, full_tags(c));
        st16(p + 6, (u16)ip);
        st16(p + 8, real ? (u16)((ip >> 16 & 15) << 12 | op) : c->fcs);
        st16(p + 10, (u16)dp);
        st16(p + 12, real ? (u16)((dp >> 16 & 15) << 12) : c->fds);
        return 14;
    }
    st32(p, 0xffff0000u | c->fcw);
    st32(p + 4, 0xffff0000u | c->fsw);
    st32(p + 8, 0xffff0000u | full_tags(c));
    st32(p + 12, real ? 0xffff0000u | (ip & 0xffff) : ip);
    st32(p + 16, real ? (ip >> 16) << 12 | op : (u32)op << 16 | c->fcs);
    st32(p + 20, real ? 0xffff0000u | (dp & 0xffff) : dp);
    st32(p + 24, real ? (dp >> 16) << 12 : 0xffff0000u | c->fds);
    return 28;
}

static void unpack_env(struct cpu *c, bool wide, const u8 *p)
{
    unsigned step = wide ? 4 : 2;
    u16 tags = ld16(p + 2 * step);

    c->fsw = ld16(p + step);
    set_full_tags(c, tags);
    c->fcs = c->fds = 0;
    if (real_layout(c)) {
        u32 high_ip = wide ? ld32(p + 16) : ld16(p + 8), high_dp = wide ? ld32(p + 24) : ld16(p + 12);
        c->fip = ld16(p + 3 * step) | (high_ip >> 12 & 0xffff) << 16;
        c->fdp = ld16(p + 5 * step) | (high_dp >> 12 & 0xffff) << 16;
        c->fop = high_ip & 0x7ff;
    } else if (wide) {
        c->fip = ld32(p + 12);
        c->fcs = ld16(p + 16);
        c->fop = ld16(p + 18) & 0x7ff;
        c->fdp = ld32(p + 20);
        c->fds = ld16(p + 24);
    } else {
        c->fip = ld16(p + 6);
        c->fcs = ld16(p + 8);
        c->fdp = ld16(p + 10);
        c->fds = ld16(p + 12);
    }
    set_fcw(c, ld16(p));
}

/* With alignment checking an image is a row of its fields: 4 or 2 bytes (SDM 3A table 6-7). */
static bool env_aligned(struct cpu *c, const struct insn *i, bool write)
{
    unsigned n = i->osz != OSZ16 ? 4 : 2;
    u64 off = ea_offset(c, i), field;

    if (likely(!(c->rflags & FL_AC))) return true;
    return write ? mem_probe_write(c, i->seg, off, n) : mem_read_n(c, i->seg, off, &field, n);
}

void op_fnstenv(struct cpu *c, const struct insn *i)
{
    u8 env[28];
    unsigned size;

    if (!fpu_begin_nowait(c)) return;
    size = pack_env(c, i->osz != OSZ16, env);
    if (!env_aligned(c, i, true)) return;
    if (!mem_write_n(c, i->seg, ea_offset(c, i), env, size)) return;
    set_fcw(c, c->fcw | FSW_EXC);
}

/* The processor touches both ends before it reads: CR2 of a page fault in the middle is the last byte. */
static bool read_env(struct cpu *c, const struct insn *i, unsigned size, u8 *env)
{
    u64 off = ea_offset(c, i);

    return mem_read8(c, i->seg, off, env) && mem_read8(c, i->seg, off + size - 1, env) &&
           mem_read_n(c, i->seg, off, env, size);
}

void op_fldenv(struct cpu *c, const struct insn *i)
{
    bool wide = i->osz != OSZ16;
    u8 env[28];

    if (!fpu_begin(c) || !env_aligned(c, i, false) || !read_env(c, i, wide ? 28 : 14, env)) return;
    unpack_env(c, wide, env);
}

void op_fnsave(struct cpu *c, const struct insn *i)
{
    u8 image[108];
    unsigned size;

    if (!fpu_begin_nowait(c)) return;
    size = pack_env(c, i->osz != OSZ16, image);
    for (unsigned n = 0; n < 8; n++) {
        const struct f80 *v = &c->fpr[fpu_phys(c, n)];
        st64(image + size + 10 * n, v->mant);
        st16(image + size + 10 * n + 8, v->se);
    }
    if (!env_aligned(c, i, true)) return;
    if (!mem_write_n(c, i->seg, ea_offset(c, i), image, size + 80)) return;
    initialise(c);
}

void op_frstor(struct cpu *c, const struct insn *i)
{
    bool wide = i->osz != OSZ16;
    unsigned size = wide ? 28 : 14;
    u8 image[108];

    if (!fpu_begin(c) || !env_aligned(c, i, false)) return;
    if (!mem_read_n(c, i->seg, ea_offset(c, i), image, size + 80)) return;
    unpack_env(c, wide, image);
    for (unsigned n = 0; n < 8; n++) {
        struct f80 *v = &c->fpr[fpu_phys(c, n)];
        v->mant = ld64(image + size + 10 * n);
        v->se = ld16(image + size + 10 * n + 8);
    }
}

/* --- FXSAVE --- */

/* The 16-byte alignment rule; the linear address counts. */
static bool fx_aligned(struct cpu *c, const struct insn *i, u64 off)
{
    u64 base = c->bits == BITS64 && i->seg < SEG_FS ? 0 : c->seg[i->seg].base;

    if (!((base + off) & 15)) return true;
    exc_gp0(c);
    return false;
}

static unsigned fx_xmm_count(const struct cpu *c)
{
    if (!(c->cr4 & CR4_OSFXSR)) return 0;
    return c->bits == BITS64 ? 16 : 8;
}

/* FCW to FDS and the registers: bytes 0-23 and 32-159 of the FXSAVE image; the others are left alone. */
void fpu_pack_x87(const struct cpu *c, bool wide, u8 *p)
{
    memset(p, 0, 24);
    st16(p, c->fcw);
    st16(p + 2, c->fsw);
    p[4] = c->ftw;
    st16(p + 6, c->fop & 0x7ff);
    if (wide) {
        st64(p + 8, c->fip);
        st64(p + 16, c->fdp);
    } else {
        st32(p + 8, (u32)c->fip);
        st16(p + 12, c->fcs);
        st32(p + 16, (u32)c->fdp);
        st16(p + 20, c->fds);
    }
    memset(p + 32, 0, 128);
    for (unsigned n = 0; n < 8; n++) {
        const struct f80 *v = &c->fpr[fpu_phys(c, n)];
        st64(p + 32 + 16 * n, v->mant);
        st16(p + 40 + 16 * n, v->se);
    }
}

void fpu_unpack_x87(struct cpu *c, bool wide, const u8 *p)
{
    c->fsw = ld16(p + 2);
    c->ftw = p[4];
    c->fop = ld16(p + 6) & 0x7ff;
    c->fip = wide ? ld64(p + 8) : ld32(p + 8);
    c->fcs = wide ? 0 : ld16(p + 12);
    c->fdp = wide ? ld64(p + 16) : ld32(p + 16);
    c->fds = wide ? 0 : ld16(p + 20);
    for (unsigned n = 0; n < 8; n++) {
        struct f80 *v = &c->fpr[fpu_phys(c, n)];
        v->mant = ld64(p + 32 + 16 * n);
        v->se = ld16(p + 40 + 16 * n);
    }
    set_fcw(c, ld16(p));
}

/* What XRSTOR makes of an x87 component that the area does not hold: FNINIT, and the registers cleared. */
void fpu_initial_state(struct cpu *c)
{
    memset(c->fpr, 0, sizeof(c->fpr));
    initialise(c);
}

/* Only the defined part is written: with XMM registers 160 + 16 each, without them up to MXCSR and then ST. */
void op_fxsave(struct cpu *c, const struct insn *i)
{
    u8 image[512] = { 0 };
    u64 off = ea_offset(c, i);
    unsigned xmm = fx_xmm_count(c);

    if (!fpu_begin_nowait(c) || !fx_aligned(c, i, off)) return;
    if (!mem_probe_write(c, i->seg, off, 512)) return;
    fpu_pack_x87(c, i->flags & INSN_REXW, image);
    st32(image + 24, c->mxcsr);
    st32(image + 28, 0xffff);
    for (unsigned n = 0; n < xmm; n++) memcpy(image + 160 + 16 * n, &c->v[n], 16);
    if (!(c->cr4 & CR4_OSFXSR)) {
        if (!mem_write_n(c, i->seg, off, image, 24)) return;
        mem_write_n(c, i->seg, off + 32, image + 32, 128);
        return;
    }
    mem_write_n(c, i->seg, off, image, 160 + 16 * xmm);
}

void op_fxrstor(struct cpu *c, const struct insn *i)
{
    u8 p[512];
    u64 off = ea_offset(c, i);
    unsigned xmm = fx_xmm_count(c);
    bool wide = i->flags & INSN_REXW;

    if (!fpu_begin_nowait(c) || !fx_aligned(c, i, off)) return;
    if (!mem_read_n(c, i->seg, off, p, 512)) return;
    if (xmm && (ld32(p + 24) & ~0xffffu)) {
        exc_gp0(c);
        return;
    }
    if (xmm) c->mxcsr = ld32(p + 24);
    for (unsigned n = 0; n < xmm; n++) memcpy(&c->v[n], p + 160 + 16 * n, 16);
    fpu_unpack_x87(c, wide, p);
}
