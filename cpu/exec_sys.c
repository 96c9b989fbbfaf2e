/* Handlers of the privileged and system instructions: control and debug registers, MSRs, time
 * stamp, CPUID, fast system calls, TLB and cache control, HLT, FS/GS bases. Rules are those of SDM
 * 2 (and APM 3 where the model's vendor is AMD). Left out: MONITOR/MWAIT (#UD, their CPUID bit is
 * clear), RSM (smm.c), no RDPMC counters (#GP). */
#include "cpu/apic.h"
#include "cpu/mmu.h"
#include "cpu/model.h"
#include "cpu/ops.h"
#include "cpu/seg.h"
#include "machine/core/trace.h"

static bool require_cpl0(struct cpu *c)
{
    if (c->cpl == 0) return true;
    exc_gp0(c);
    return false;
}

static u64 edx_eax(const struct cpu *c)
{
    return (u64)(u32)c->r[RDX] << 32 | (u32)c->r[RAX];
}

static void set_edx_eax(struct cpu *c, u64 v)
{
    set_reg32(c, RAX, (u32)v);
    set_reg32(c, RDX, (u32)(v >> 32));
}

/* ---- control registers ---- */

#define CR0_VALID \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
     CR0_PG)

static bool cr0_ok(struct cpu *c, u64 v)
{
    bool turns_on = (v & CR0_PG) && !(c->cr0 & CR0_PG);
    bool turns_off = !(v & CR0_PG) && (c->cr0 & CR0_PG);
    if (v >> 32) return false;
    if ((v & CR0_PG) && !(v & CR0_PE)) return false;
    if ((v & CR0_NW) && !(v & CR0_CD)) return false;
    if (turns_on && (c->efer & EFER_LME)) {
        if (!(c->cr4 & CR4_PAE) || (c->seg[SEG_CS].attr & ATTR_L)) return false;
        if (!(c->tr.attr & 8)) return false; /* a 16-bit TSS cannot go into long mode */
    }
    if (turns_off && c->bits == BITS64) return false;
    return !(turns_on && (c->cr4 & CR4_PAE) && !(c->efer & EFER_LME)) || mmu_load_pdptes(c, c->cr3);
}

static void write_cr0(struct cpu *c, u64 v)
{
    if (!cr0_ok(c, v)) {
        exc_gp0(c);
        return;
    }
    u64 old = c->cr0;
    c->cr0 = (v & CR0_VALID) | CR0_ET;
    if ((old ^ c->cr0) & CR0_PG) {
        bool lma = (c->cr0 & CR0_PG) && (c->efer & EFER_LME);
        c->efer = (c->efer & ~(u64)EFER_LMA) | (lma ? EFER_LMA : 0);
    }
    if ((old ^ c->cr0) & (CR0_PG | CR0_WP | CR0_PE)) {
        tlb_flush_all(c);
        TRACE(cpu_mode, c->cr0, c->cr4, c->efer, c->rip);
    }
    cpu_update_mode(c);
}

u64 cpu_cr4_valid(const struct cpu *c)
{
    static const struct { u32 bit; enum cpu_feature feature;
    } bits[] = {
        { CR4_VME | CR4_PVI, FT_VME }, { CR4_TSD, FT_TSC },   { CR4_DE, FT_DE },
        { CR4_PSE, FT_PSE },           { CR4_PAE, FT_PAE },   { CR4_MCE, FT_MCE },
        { CR4_PGE, FT_PGE },           { CR4_PCE, FT_NONE },  { CR4_OSFXSR, FT_FXSR },
        { CR4_OSXMMEXCPT, FT_SSE },    { CR4_UMIP, FT_UMIP }, { CR4_FSGSBASE, FT_FSGSBASE },
        { CR4_OSXSAVE, FT_XSAVE },     { CR4_SMEP, FT_SMEP }, { CR4_SMAP, FT_SMAP },
    };
    u64 v = 0;
    for (unsigned i = 0; i < LEN(bits); i++) v |= cpu_has(c, bits[i].feature) ? bits[i].bit : 0;
    return v;
}

static void write_cr4(struct cpu *c, u64 v)
{
    bool bad = (v & ~cpu_cr4_valid(c)) || (c->long_mode && !(v & CR4_PAE));
    u64 changed = v ^ c->cr4;
    bool pae_paging = (c->cr0 & CR0_PG) && (v & CR4_PAE) && !c->long_mode;
    if (!bad && pae_paging && (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)))
        bad = !mmu_load_pdptes(c, c->cr3);
    if (bad) {
        exc_gp0(c);
        return;
    }
    c->cr4 = v;
    if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP)) {
        tlb_flush_all(c);
        TRACE(cpu_mode, c->cr0, c->cr4, c->efer, c->rip);
    }
    cpu_update_mode(c);
}

static void write_cr3(struct cpu *c, u64 v)
{
    bool bad = c->long_mode && (v & ~c->phys_mask);
    bool pae_paging = (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !c->long_mode;
    if (!c->long_mode) v &= c->bits == BITS64 ? ~0ull : 0xffffffff;
    if (!bad && pae_paging) bad = !mmu_load_pdptes(c, v);
    if (bad) {
        exc_gp0(c);
        return;
    }
    tlb_load_cr3(c, v);
}

/* Register number of a MOV CR: AMD's LOCK prefix reaches CR8 from 32-bit code. Returns 16 for none.
 */
static unsigned cr_number(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg;
    if (i->flags & INSN_LOCK) n = c->model->amd && n == 0 ? 8 : 16;
    return n;
}

void op_mov_r_cr(struct cpu *c, const struct insn *i)
{
    u64 v;
    switch (cr_number(c, i)) {
    case 0: v = c->cr0; break;
    case 2: v = c->cr2; break;
    case 3: v = c->cr3; break;
    case 4: v = c->cr4; break;
    case 8: v = apic_tpr(c) >> 4; break;
    default: exc_raise(c, EXC_UD); return;
    }
    if (!require_cpl0(c)) return;
    c->r[i->rm] = c->bits == BITS64 ? v : (u32)v;
}

void op_mov_cr_r(struct cpu *c, const struct insn *i)
{
    unsigned n = cr_number(c, i);
    u64 v = c->bits == BITS64 ? c->r[i->rm] : (u32)c->r[i->rm];
    if (n != 0 && n != 2 && n != 3 && n != 4 && n != 8) {
        exc_raise(c, EXC_UD);
        return;
    }
    if (!require_cpl0(c)) return;
    switch (n) {
    case 0: write_cr0(c, v); break;
    case 2: c->cr2 = v; break;
    case 3: write_cr3(c, v); break;
    case 4: write_cr4(c, v); break;
    default:
        if (v > 15) exc_gp0(c);
        else apic_set_tpr(c, (u8)(v << 4));
        break;
    }
}

void op_smsw(struct cpu *c, const struct insn *i)
{
    if (c->cpl && (c->cr4 & CR4_UMIP)) {
        exc_gp0(c);
        return;
    }
    rm_write(c, i, is_mem(i) ? OSZ16 : i->osz, c->cr0);
}

void op_lmsw(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!require_cpl0(c) || !rm_read(c, i, OSZ16, &v)) return;
    u64 set = CR0_MP | CR0_EM | CR0_TS;
    write_cr0(c, (c->cr0 & ~set) | (v & (set | CR0_PE))); /* PE can be set, not cleared */
}

void op_clts(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!require_cpl0(c)) return;
    c->cr0 &= ~(u64)CR0_TS;
    cpu_event_set(c, CE_MODE);
}

/* ---- debug registers ---- */

/* Number with DR4/DR5 as aliases, or -1 after raising. */
static int dr_number(struct cpu *c, const struct insn *i)
{
    unsigned n = i->reg;
    if (n >= 8 || ((n == 4 || n == 5) && (c->cr4 & CR4_DE))) {
        exc_raise(c, EXC_UD);
        return -1;
    }
    if (!require_cpl0(c)) return -1;
    if (c->dr[7] & 0x2000) { /* general detect */
        c->dr[6] |= 0x2000;
        exc_raise(c, EXC_DB);
        return -1;
    }
    return n == 4 || n == 5 ? (int)n + 2 : (int)n;
}

void op_mov_r_dr(struct cpu *c, const struct insn *i)
{
    int n = dr_number(c, i);
    if (n < 0) return;
    c->r[i->rm] = c->bits == BITS64 ? c->dr[n & 7] : (u32)c->dr[n & 7];
}

void op_mov_dr_r(struct cpu *c, const struct insn *i)
{
    int n = dr_number(c, i);
    u64 v = c->bits == BITS64 ? c->r[i->rm] : (u32)c->r[i->rm];
    if (n < 0) return;
    if (n >= 6 && v >> 32) {
        exc_gp0(c);
        return;
    }
    if (n == 6) v = (v & 0xe00f) | 0xffff0ff0;
    if (n == 7) v = (v & 0xffff23ff) | 0x400;
    c->dr[n & 7] = v;
    if (n != 6) cpu_dr7_changed(c);
}

/* ---- MSRs, time, identity ---- */

void op_rdmsr(struct cpu *c, const struct insn *i)
{
    u64 v;
    (void)i;
    if (require_cpl0(c) && msr_read(c, (u32)c->r[RCX], &v)) set_edx_eax(c, v);
}

void op_wrmsr(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (require_cpl0(c) && msr_write(c, (u32)c->r[RCX], edx_eax(c))) cpu_event_set(c, CE_MODE);
}

static bool tsc_allowed(struct cpu *c)
{
    if (c->cpl == 0 || !(c->cr4 & CR4_TSD)) return true;
    exc_gp0(c);
    return false;
}

void op_rdtsc(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (tsc_allowed(c)) set_edx_eax(c, cpu_tsc(c));
}

void op_rdtscp(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!tsc_allowed(c)) return;
    set_edx_eax(c, cpu_tsc(c));
    set_reg32(c, RCX, (u32)c->tsc_aux);
}

void op_rdpmc(struct cpu *c, const struct insn *i)
{
    (void)i;
    exc_gp0(c); /* no counters: every index is invalid */
}

void op_cpuid(struct cpu *c, const struct insn *i)
{
    u32 out[4];
    (void)i;
    cpuid_leaf(c, (u32)c->r[RAX], (u32)c->r[RCX], out);
    set_reg32(c, RAX, out[0]);
    set_reg32(c, RBX, out[1]);
    set_reg32(c, RCX, out[2]);
    set_reg32(c, RDX, out[3]);
}

/* ---- fast system calls ---- */

static const u16 ATTR_CODE64 = 0xa09b, ATTR_CODE32 = 0xc09b, ATTR_DATA32 = 0xc093;

/* Flat CS and SS with fixed attributes; no descriptor is read. */
static void load_flat(struct cpu *c, u16 cs, u16 ss, bool code64, unsigned cpl)
{
    u16 dpl = (u16)(cpl << 5);
    c->seg[SEG_CS] =
        (struct seg){ 0, ~0u, (u16)((cs & ~3u) | cpl), (code64 ? ATTR_CODE64 : ATTR_CODE32) | dpl };
    c->seg[SEG_SS] = (struct seg){ 0, ~0u, (u16)((ss & ~3u) | cpl), ATTR_DATA32 | dpl };
    c->cpl = (u8)cpl;
    cpu_update_mode(c);
}

void op_syscall(struct cpu *c, const struct insn *i)
{
    bool amd = c->model->amd;
    u16 cs = (u16)(c->star >> 32);
    u32 flags = cpu_flags(c);
    (void)i;
    if (!(c->efer & EFER_SCE) || !(c->cr0 & CR0_PE) || (!amd && c->bits != BITS64)) {
        exc_raise(c, EXC_UD);
        return;
    }
    if (!c->long_mode) {
        set_reg32(c, RCX, (u32)c->rip);
        c->rip = (u32)c->star;
        cpu_set_flags(c, flags & ~(FL_VM | FL_IF | FL_RF));
        load_flat(c, cs, cs + 8, false, 0);
        return;
    }
    u64 target = c->bits == BITS64 ? c->lstar : c->cstar;
    c->r[RCX] = c->bits == BITS64 ? c->rip : (u32)c->rip;
    c->r[R11] = flags & ~FL_RF;
    c->rip = target;
    flags &= ~((u32)c->fmask | FL_RF);
    c->no_step = !(flags & FL_TF);
    cpu_set_flags(c, flags);
    load_flat(c, cs, cs + 8, true, 0);
}

void op_sysret(struct cpu *c, const struct insn *i)
{
    bool amd = c->model->amd, to64 = i->osz == OSZ64;
    u16 base = (u16)(c->star >> 48);
    if (!(c->efer & EFER_SCE) || (!amd && c->bits != BITS64)) {
        exc_raise(c, EXC_UD);
        return;
    }
    if (!(c->cr0 & CR0_PE) || c->cpl != 0 || (to64 && !amd && !is_canonical(c->r[RCX]))) {
        exc_gp0(c);
        return;
    }
    c->rip = to64 ? c->r[RCX] : (u32)c->r[RCX];
    u32 flags = c->long_mode ? (u32)c->r[R11] & 0x3c7fd7 : cpu_flags(c) | FL_IF;
    load_flat(c, to64 ? base + 16 : base, base + 8, to64, 3);
    cpu_set_flags(c, flags | 2);
}

static bool sysenter_usable(struct cpu *c)
{
    if (c->long_mode && c->model->amd) {
        exc_raise(c, EXC_UD);
        return false;
    }
    if (!(c->cr0 & CR0_PE) || !(c->sysenter_cs & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    return true;
}

void op_sysenter(struct cpu *c, const struct insn *i)
{
    u16 cs = (u16)c->sysenter_cs;
    (void)i;
    if (!sysenter_usable(c)) return;
    cpu_set_flags(c, cpu_flags(c) & ~(FL_VM | FL_IF | FL_RF));
    load_flat(c, cs, cs + 8, c->long_mode, 0);
    c->r[RSP] = c->long_mode ? c->sysenter_esp : (u32)c->sysenter_esp;
    c->rip = c->long_mode ? c->sysenter_eip : (u32)c->sysenter_eip;
}

void op_sysexit(struct cpu *c, const struct insn *i)
{
    bool to64 = i->osz == OSZ64;
    u16 cs = (u16)c->sysenter_cs;
    if (!sysenter_usable(c) || !require_cpl0(c)) return;
    u64 ip = c->r[RDX], sp = c->r[RCX];
    if (to64 && (!is_canonical(ip) || !is_canonical(sp))) {
        exc_gp0(c);
        return;
    }
    c->r[RSP] = to64 ? sp : (u32)sp;
    c->rip = to64 ? ip : (u32)ip;
    if (to64) load_flat(c, cs + 32, cs + 40, true, 3);
    else load_flat(c, cs + 16, cs + 24, false, 3);
}

void op_swapgs(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!require_cpl0(c)) return;
    u64 t = c->seg[SEG_GS].base;
    c->seg[SEG_GS].base = c->kernel_gs_base;
    c->kernel_gs_base = t;
}

/* ---- FS and GS bases ---- */

static void read_base(struct cpu *c, const struct insn *i, unsigned seg)
{
    if (!(c->cr4 & CR4_FSGSBASE)) exc_raise(c, EXC_UD);
    else reg_write(c, i, i->osz, i->rm, c->seg[seg].base);
}

static void write_base(struct cpu *c, const struct insn *i, unsigned seg)
{
    u64 v = i->osz == OSZ64 ? c->r[i->rm] : (u32)c->r[i->rm];
    if (!(c->cr4 & CR4_FSGSBASE)) exc_raise(c, EXC_UD);
    else if (!is_canonical(v)) exc_gp0(c);
    else c->seg[seg].base = v;
}

void op_rdfsbase(struct cpu *c, const struct insn *i)
{
    read_base(c, i, SEG_FS);
}

void op_rdgsbase(struct cpu *c, const struct insn *i)
{
    read_base(c, i, SEG_GS);
}

void op_wrfsbase(struct cpu *c, const struct insn *i)
{
    write_base(c, i, SEG_FS);
}

void op_wrgsbase(struct cpu *c, const struct insn *i)
{
    write_base(c, i, SEG_GS);
}

/* ---- TLB and caches ---- */

void op_invlpg(struct cpu *c, const struct insn *i)
{
    if (!require_cpl0(c)) return;
    u64 off = ea_offset(c, i);
    if (c->bits == BITS64) off += i->seg >= SEG_FS ? c->seg[i->seg].base : 0;
    else off = (u32)(off + c->seg[i->seg].base);
    if (is_canonical(off)) tlb_flush_page(c, off);
}

void op_invpcid(struct cpu *c, const struct insn *i)
{
    u64 d[2], type = c->bits == BITS64 ? c->r[i->reg] : (u32)c->r[i->reg];
    if (!require_cpl0(c) || !mem_read_n(c, i->seg, ea_offset(c, i), d, 16)) return;
    bool uses_pcid = type <= 1;
    /* Without CR4.PCIDE the only process-context identifier is 0. */
    if (type > 3 || d[0] >> 12 || (uses_pcid && d[0]) || (type == 0 && !is_canonical(d[1]))) {
        exc_gp0(c);
        return;
    }
    if (type == 0) tlb_flush_page(c, d[1]);
    else if (type == 2) tlb_flush_all(c);
    else tlb_flush_nonglobal(c);
}

void op_invd(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c); /* no caches to write back */
}

void op_wbinvd(struct cpu *c, const struct insn *i)
{
    (void)i;
    require_cpl0(c);
}

/* ---- the rest ---- */

void op_hlt(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!require_cpl0(c)) return;
    c->halted = true;
    cpu_event_set(c, CE_HALT);
}

static void set_ac(struct cpu *c, bool on)
{
    if (c->cpl != 0) {
        exc_raise(c, EXC_UD);
        return;
    }
    c->rflags = on ? c->rflags | FL_AC : c->rflags & ~(u64)FL_AC;
    if (!on && c->tlb_open_len) smap_close(c);
}

void op_clac(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_ac(c, false);
}

void op_stac(struct cpu *c, const struct insn *i)
{
    (void)i;
    set_ac(c, true);
}

void op_monitor(struct cpu *c, const struct insn *i)
{
    (void)i;
    exc_raise(c, EXC_UD);
}

void op_mwait(struct cpu *c, const struct insn *i)
{
    (void)i;
    exc_raise(c, EXC_UD);
}

/* ---- port permission ---- */

static void match_io_breakpoints(struct cpu *c, u16 port, unsigned size)
{
    if (likely(!(c->dr[7] & 0xff)) || !(c->cr4 & CR4_DE)) return;
    static const u8 lens[4] = { 1, 2, 8, 4 };
    for (unsigned k = 0; k < 4; k++) {
        if ((c->dr[7] >> (16 + k * 4) & 3) != 2 || !(c->dr[7] >> (k * 2) & 3)) continue;
        u64 len = lens[c->dr[7] >> (18 + k * 4) & 3], at = c->dr[k] & ~(len - 1);
        if (port + size <= at || port >= at + len) continue;
        c->pending_dr6 |= BIT(k);
        cpu_event_set(c, CE_TRAP);
    }
}

bool io_allowed(struct cpu *c, u16 port, unsigned size)
{
    unsigned iopl = (c->rflags & FL_IOPL) >> 12;
    if ((c->cr0 & CR0_PE) && (c->cpl > iopl || (c->rflags & FL_VM))) {
        u16 map, bits;
        bool tss32 = (c->tr.attr & (ATTR_P | 0xd)) == (ATTR_P | 9);
        if (!tss32 || c->tr.limit < 0x67) goto denied;
        if (!lin_read(c, c->tr.base + 0x66, &map, 2)) return false;
        u32 at = map + port / 8u;
        if (at + 1 > c->tr.limit) goto denied;
        if (!lin_read(c, c->tr.base + at, &bits, 2)) return false;
        if (bits >> (port & 7) & ((1u << size) - 1)) goto denied;
    }
    match_io_breakpoints(c, port, size);
    return true;
denied:
    exc_gp0(c);
    return false;
}
