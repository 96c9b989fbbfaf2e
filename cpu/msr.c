/* Model-specific registers: the list of spec/windows7/boot-chain.md 8.2 as a table, with rules for
 * the few that have some. Anything not listed is #GP, as on hardware (--cpu MODEL,msr=ignore: reads
 * 0, writes are dropped), and each such register is logged once with the place that touched it,
 * because it usually names a missing piece. MTRRs and PAT are kept and validated but have
 * no effect: memory types do not change what an interpreter does. Left out: performance counters,
 * thermal and P-state registers (their CPUID bits are clear). */
#include "cpu/model.h"

#include "cpu/apic.h"
#include "cpu/jit/lockstep.h"
#include "cpu/mmu.h" /* is_canonical */
#include "machine/core/log.h"
#include "machine/core/trace.h"

/* ---- time ---- */

static u64 tsc_raw(struct cpu *c)
{
    return mul_div(clock_now(c->clock), c->env.tsc_hz, NS_PER_SEC);
}

/* Every read gives another value (SDM 3B 17.17), also where the clock has not gone on. */
u64 cpu_tsc(struct cpu *c)
{
    lockstep_once(c);
    u64 v = tsc_raw(c) + c->tsc_offset;
    if ((i64)(v - c->tsc_last) <= 0) v = c->tsc_last + 1;
    c->tsc_last = v;
    return v;
}

/* IA32_ARCH_CAPABILITIES: nothing is executed here before its turn has come, so no data leaks by
 * speculation. RDCL_NO 0, IBRS_ALL 1, SKIP_L1DFL_VMENTRY 3, SSB_NO 4, MDS_NO 5, PSCHANGE_MC_NO 6,
 * TAA_NO 8, SBDR_SSDP_NO 13, FBSDP_NO 14, PSDP_NO 15, BHI_NO 20, PBRSB_NO 24, GDS_NO 26, RFDS_NO
 * 27, ITS_NO 62 (SDM 4 table 2-2 and Intel's pages on each). */
#define ARCH_CAPABILITIES                                                                          \
    (BIT64(0) | BIT64(1) | BIT64(3) | BIT64(4) | BIT64(5) | BIT64(6) | BIT64(8) | BIT64(13) |      \
     BIT64(14) | BIT64(15) | BIT64(20) | BIT64(24) | BIT64(26) | BIT64(27) | BIT64(62))

/* ---- the table ---- */

enum { ANY_CPU, INTEL_ONLY, AMD_ONLY };
enum msr_rule {
    STORE,      /* reads back what was written */
    CONSTANT,   /* read value in `arg`; writes are dropped */
    READ_ONLY,  /* read value in `arg`; writes #GP */
    WRITE_DROP, /* write-only trigger: reads give `arg` */
    TRIGGER,    /* write-only: bits of `arg` do nothing here, others and reads #GP */
    CANONICAL,  /* STORE of a canonical address, else #GP */
    MASKED,     /* STORE of the bits in `arg`; others are dropped */
    STRICT,     /* STORE, but bits outside `arg` are #GP */
    ZERO_ONLY,  /* STORE that accepts only 0 (status registers) */
    MTRR_FIX,
    MTRR_BASE,
    MTRR_MASK, /* types and reserved bits checked */
};

struct msr_row {
    u32 first, last, step; /* register numbers; index = (msr - first) / step */
    u8 vendor, rule, feature;
    u32 offset; /* field of struct cpu, an array of u64 for ranges; 0: none */
    u64 arg;
};
#define AT(f) offsetof(struct cpu, f)

/* clang-format off */
static const struct msr_row rows[] = {
    { 0x00, 0x01, 1,   ANY_CPU, CONSTANT, FT_NONE, 0, 0 }, /* P5 machine check address and type */
    { 0x17, 0x17, 1,   INTEL_ONLY, READ_ONLY, FT_NONE, 0, 0 },
    { 0x2a, 0x2a, 1,   INTEL_ONLY, CONSTANT, FT_NONE, 0, 0 },
    { 0x3a, 0x3a, 1,   INTEL_ONLY, READ_ONLY, FT_NONE, 0, 1 },
    { 0x48, 0x48, 1,   ANY_CPU, STRICT, FT_SPECCTRL, AT(spec_ctrl), 0x403 }, /* IBRS, STIBP, BHI_DIS_S */
    { 0x49, 0x49, 1,   ANY_CPU, TRIGGER, FT_SPECCTRL, 0, 1 }, /* IBPB */
    { 0x10a, 0x10a, 1, INTEL_ONLY, READ_ONLY, FT_ARCHCAP, 0, ARCH_CAPABILITIES },
    { 0x79, 0x79, 1,   INTEL_ONLY, WRITE_DROP, FT_NONE, 0, 0 },
    { 0x8b, 0x8b, 1,   INTEL_ONLY, CONSTANT, FT_NONE, 0, 1ull << 32 },
    { 0x8b, 0x8b, 1,   AMD_ONLY, CONSTANT, FT_NONE, 0, 0 },
    { 0xfe, 0xfe, 1,   ANY_CPU, READ_ONLY, FT_MTRR, 0, 0x508 },
    { 0x174, 0x174, 1, ANY_CPU, MASKED, FT_SEP, AT(sysenter_cs), 0xffffffff },
    { 0x175, 0x175, 1, ANY_CPU, CANONICAL, FT_SEP, AT(sysenter_esp), 0 },
    { 0x176, 0x176, 1, ANY_CPU, CANONICAL, FT_SEP, AT(sysenter_eip), 0 },
    { 0x179, 0x179, 1, ANY_CPU, READ_ONLY, FT_MCE, 0, 0x10a },
    { 0x17a, 0x17a, 1, ANY_CPU, ZERO_ONLY, FT_MCE, AT(mcg_status), 0 },
    { 0x17b, 0x17b, 1, ANY_CPU, STORE, FT_MCE, AT(mcg_ctl), 0 },
    { 0x198, 0x19d, 1, INTEL_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* P-state, clock modulation, thermal: not announced, but probed */
    { 0x1a0, 0x1a0, 1, INTEL_ONLY, MASKED, FT_NONE, AT(misc_enable), BIT64(34) | BIT64(22) | 1 },
    { 0x1d9, 0x1d9, 1, ANY_CPU, MASKED, FT_NONE, AT(debugctl), 0x3 },
    { 0x1db, 0x1de, 1, ANY_CPU, CONSTANT, FT_NONE, 0, 0 },
    { 0x200, 0x20e, 2, ANY_CPU, MTRR_BASE, FT_MTRR, AT(mtrr_phys[0]), 0 },
    { 0x201, 0x20f, 2, ANY_CPU, MTRR_MASK, FT_MTRR, AT(mtrr_phys[8]), 0 },
    { 0x250, 0x250, 1, ANY_CPU, MTRR_FIX, FT_MTRR, AT(mtrr_fix[0]), 0 },
    { 0x258, 0x259, 1, ANY_CPU, MTRR_FIX, FT_MTRR, AT(mtrr_fix[1]), 0 },
    { 0x268, 0x26f, 1, ANY_CPU, MTRR_FIX, FT_MTRR, AT(mtrr_fix[3]), 0 },
    { 0x400, 0x424, 4, ANY_CPU, STORE, FT_MCE, AT(mci_ctl[0]), 0 },
    { 0x401, 0x425, 4, ANY_CPU, ZERO_ONLY, FT_MCE, AT(mci_status[0]), 0 },
    { 0x402, 0x426, 4, ANY_CPU, ZERO_ONLY, FT_MCE, AT(mci_addr[0]), 0 },
    { 0x403, 0x427, 4, ANY_CPU, ZERO_ONLY, FT_MCE, AT(mci_misc[0]), 0 },
    { 0xda0, 0xda0, 1, ANY_CPU, ZERO_ONLY, FT_XSAVE, 0, 0 }, /* IA32_XSS: no supervisor state */
    { 0xc0000081, 0xc0000081, 1, ANY_CPU, STORE, FT_SYSCALL, AT(star), 0 },
    { 0xc0000082, 0xc0000082, 1, ANY_CPU, CANONICAL, FT_LM, AT(lstar), 0 },
    { 0xc0000083, 0xc0000083, 1, ANY_CPU, CANONICAL, FT_LM, AT(cstar), 0 },
    { 0xc0000084, 0xc0000084, 1, ANY_CPU, MASKED, FT_LM, AT(fmask), 0xffffffff },
    { 0xc0000100, 0xc0000100, 1, ANY_CPU, CANONICAL, FT_LM, AT(seg[SEG_FS].base), 0 },
    { 0xc0000101, 0xc0000101, 1, ANY_CPU, CANONICAL, FT_LM, AT(seg[SEG_GS].base), 0 },
    { 0xc0000102, 0xc0000102, 1, ANY_CPU, CANONICAL, FT_LM, AT(kernel_gs_base), 0 },
    { 0xc0000103, 0xc0000103, 1, ANY_CPU, STRICT, FT_RDTSCP, AT(tsc_aux), 0xffffffff },
    /* AMD: configuration registers that kernels read and write back; bits have no effect here. */
    { 0xc0010010, 0xc0010010, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* SYSCFG: no fixed-range extensions */
    { 0xc0010015, 0xc0010015, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* HWCR */
    { 0xc0010016, 0xc001001a, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* IORR, TOP_MEM */
    { 0xc001001d, 0xc001001d, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* TOP_MEM2 */
    { 0xc001001f, 0xc0010020, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* NB_CFG, patch loader */
    { 0xc0010055, 0xc0010055, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* interrupt pending message */
    { 0xc0010058, 0xc0010058, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 },
    { 0xc0010061, 0xc0010071, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* P-state limits and status */
    { 0xc0010140, 0xc0010141, 1, AMD_ONLY, CONSTANT, FT_NONE, 0, 0 }, /* OS-visible workarounds */
};
/* clang-format on */

static const struct msr_row *find_row(const struct cpu *c, u32 msr)
{
    unsigned vendor = c->model->amd ? AMD_ONLY : INTEL_ONLY;
    for (unsigned i = 0; i < LEN(rows); i++) {
        const struct msr_row *r = &rows[i];
        if (msr < r->first || msr > r->last || (msr - r->first) % r->step) continue;
        if (r->vendor != ANY_CPU && r->vendor != vendor) continue;
        if (cpu_has(c, (enum cpu_feature)r->feature)) return r;
    }
    return NULL;
}

static u64 *row_field(struct cpu *c, const struct msr_row *r, u32 msr)
{
    return r->offset ? (u64 *)((u8 *)c + r->offset) + (msr - r->first) / r->step : NULL;
}

/* Returns whether the instruction goes on. */
static bool unknown_msr(struct cpu *c, u32 msr, const char *what)
{
    const char *end = c->ignore_msrs ? "ignored" : "#GP";
    bool told = false;
    for (unsigned i = 0; i < c->unknown_msr_count; i++) told |= c->unknown_msrs[i] == msr;
    if (!told && c->unknown_msr_count < LEN(c->unknown_msrs)) {
        c->unknown_msrs[c->unknown_msr_count++] = msr;
        LOG(LOG_INFO, "cpu", "%s of unknown MSR %08x at %04x:%llx: %s", what, msr,
            c->seg[SEG_CS].sel, (unsigned long long)c->insn_rip, end);
    } else {
        LOG_GUEST("cpu", "%s of unknown MSR %08x at %04x:%llx: %s", what, msr, c->seg[SEG_CS].sel,
                  (unsigned long long)c->insn_rip, end);
    }
    if (!c->ignore_msrs) exc_gp0(c);
    return c->ignore_msrs;
}

/* ---- rules ---- */

static bool mtrr_type_ok(u64 type)
{
    return type == 0 || type == 1 || type == 4 || type == 5 || type == 6;
}

static bool eight_types_ok(u64 v, bool pat)
{
    for (unsigned i = 0; i < 8; i++, v >>= 8) {
        u64 t = v & 0xff;
        if (!mtrr_type_ok(t) && !(pat && t == 7)) return false;
    }
    return true;
}

static bool value_ok(const struct cpu *c, const struct msr_row *r, u64 v)
{
    switch (r->rule) {
    case READ_ONLY: return false;
    case CANONICAL: return is_canonical(v);
    case STRICT:
    case TRIGGER: return !(v & ~r->arg);
    case ZERO_ONLY: return v == 0;
    case MTRR_FIX: return eight_types_ok(v, false);
    case MTRR_BASE: return mtrr_type_ok(v & 0xff) && !(v & (~c->phys_mask | 0xf00));
    case MTRR_MASK: return !(v & (~c->phys_mask | 0x7ff));
    default: return true;
    }
}

static bool write_efer(struct cpu *c, u64 v)
{
    u64 valid = (cpu_has(c, FT_SYSCALL) ? EFER_SCE : 0) |
                (cpu_has(c, FT_LM) ? EFER_LME | EFER_LMA : 0) | (cpu_has(c, FT_NX) ? EFER_NXE : 0);
    if (v & ~valid) return false;
    if (((v ^ c->efer) & EFER_LME) && (c->cr0 & CR0_PG)) return false;
    bool nx_changed = (v ^ c->efer) & EFER_NXE;
    c->efer = (v & ~(u64)EFER_LMA) | (c->efer & EFER_LMA);
    if (nx_changed) tlb_flush_all(c);
    return true;
}

/* Registers with effects. Returns 1 done, 0 #GP, -1 not one of these. */
static int write_special(struct cpu *c, u32 msr, u64 v)
{
    switch (msr) {
    case 0x10:
        c->tsc_offset = v - tsc_raw(c);
        c->tsc_last = v - 1;
        return 1;
    case 0x1b: return cpu_has(c, FT_APIC) && apic_set_base(c, v);
    case 0x277:
        if (!cpu_has(c, FT_PAT) || !eight_types_ok(v, true)) return 0;
        c->pat = v;
        return 1;
    case 0x2ff:
        if (!cpu_has(c, FT_MTRR) || (v & ~0xcffull) || !mtrr_type_ok(v & 0xff)) return 0;
        c->mtrr_def = v;
        return 1;
    case 0xc0000080: return write_efer(c, v);
    default: return -1;
    }
}

bool msr_read(struct cpu *c, u32 msr, u64 *v)
{
    switch (msr) {
    case 0x10: *v = cpu_tsc(c); break;
    case 0x1b: *v = c->apic_base; break;
    case 0x277: *v = c->pat; break;
    case 0x2ff: *v = c->mtrr_def; break;
    case 0xc0000080: *v = c->efer; break;
    default: {
        const struct msr_row *r = find_row(c, msr);
        *v = 0;
        if (!r) return unknown_msr(c, msr, "read");
        if (r->rule == TRIGGER) {
            exc_gp0(c);
            return false;
        }
        const u64 *field = row_field(c, r, msr);
        *v = field ? *field : r->arg;
        break;
    }
    }
    TRACE(cpu_msr_rd, msr, *v, c->insn_rip, 0);
    return true;
}

bool msr_write(struct cpu *c, u32 msr, u64 v)
{
    TRACE(cpu_msr_wr, msr, v, c->insn_rip, 0);
    int done = write_special(c, msr, v);
    if (done < 0) {
        const struct msr_row *r = find_row(c, msr);
        if (!r) return unknown_msr(c, msr, "write");
        u64 *field = row_field(c, r, msr);
        done = value_ok(c, r, v);
        if (done && field) *field = r->rule == MASKED ? v & r->arg : v;
    }
    if (!done) exc_gp0(c);
    return done;
}
