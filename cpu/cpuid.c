/* CPU models and CPUID. Each model is a set of features (enum cpu_feature); the same bits gate the
 * rows of opcodes.def, the writable bits of CR4, EFER and MSRs, and the CPUID words, so what is
 * announced is what works. The words are computed from one table {feature, leaf, register, bit};
 * cache descriptors and names are fixed per model.
 *
 * "win7" is the identity recommended in spec/windows7/device-set.md section 6: an early 45 nm Core
 * 2 without anything we do not have. Our one addition is the VME bit, because VME works. "qemu64"
 * is an AuthenticAMD family 15 part, whose guests avoid Intel's microcode and performance-counter
 * paths. "p3" is a 32-bit part for regression tests of 32-bit systems. "max" has everything this CPU
 * implements, and says by IA32_ARCH_CAPABILITIES (msr.c) that it has none of the leaks of
 * processors that speculate: systems then leave out separate page tables and retpolines. The others
 * cannot say so, because the parts they look like could not. The hypervisor bit is set with a neutral
 * signature of our own; leaf 40000001h reads 0, so nobody takes us for a known interface. Left out:
 * topology leaves for several CPUs, performance monitoring, MONITOR, x2APIC. */
#include "cpu/model.h"

#include "cpu/apic.h"

#define F(name) (1ull << FT_##name)

#define P3_FEATURES \
    (F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) | F(CX8) | F(APIC) | \
     F(SEP) | F(MTRR) | F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(MMX) | F(FXSR) | F(SSE))

/* What every 64-bit model has. */
#define BASE_FEATURES \
    (F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) | F(CX8) | F(APIC) | \
     F(SEP) | F(MTRR) | F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(CLFSH) | F(MMX) | F(FXSR) | \
     F(SSE) | F(SSE2) | F(SSE3) | F(CX16) | F(SYSCALL) | F(NX) | F(LM) | F(LAHF64))

#define MAX_FEATURES \
    (BASE_FEATURES | F(SSSE3) | F(SSE41) | F(SSE42) | F(PCLMUL) | F(AES) | F(MOVBE) | F(POPCNT) | \
     F(FSGSBASE) | F(BMI1) | F(BMI2) | F(ERMS) | F(INVPCID) | F(ADX) | F(PG1G) | F(RDTSCP) | \
     F(LZCNT) | F(PREFETCHW) | F(SMEP) | F(SMAP) | F(UMIP) | F(CLFLUSHOPT) | F(XSAVE) | F(AVX) | \
     F(AVX2) | F(FMA) | F(F16C) | F(SHA) | F(SPECCTRL) | F(ARCHCAP))

static const struct cpu_model models[] = {
    { "win7", "Intel Core 2 (45 nm) look, the safest for Windows 7", false, 0x00010673, 0x0a,
      0x80000008, 40, "AeroPC Virtual CPU (Core 2 class)", BASE_FEATURES | F(SSSE3) | F(SSE41) },
    { "qemu64", "AMD family 15 look", true, 0x00060fb1, 0x01, 0x80000008, 40,
      "AeroPC Virtual CPU (K8 class)", BASE_FEATURES },
    { "p3", "Pentium III look: 32-bit only", false, 0x00000686, 0x02, 0x80000004, 36,
      "AeroPC Virtual CPU (P6 class)", P3_FEATURES },
    { "max", "everything this emulator implements", false, 0x00010673, 0x0d, 0x80000008, 40,
      "AeroPC Virtual CPU (all features)", MAX_FEATURES },
};

const char *cpu_models(void)
{
    return "win7, qemu64, p3, max";
}

const struct cpu_model *model_find(const char *name)
{
    for (unsigned i = 0; i < LEN(models); i++) {
        if (!strcmp(models[i].name, name)) return &models[i];
    }
    return NULL;
}

bool cpu_has(const struct cpu *c, enum cpu_feature f)
{
    return f == FT_NONE || (c->model->features >> f & 1);
}

/* ---- feature words ---- */

enum { EAX, EBX, ECX, EDX };

struct feature_bit {
    u8 feature;
    u32 leaf;
    u8 reg, bit;
};

/* clang-format off */
static const struct feature_bit feature_bits[] = {
    { FT_SSE3, 1, ECX, 0 },    { FT_PCLMUL, 1, ECX, 1 },  { FT_SSSE3, 1, ECX, 9 },   { FT_FMA, 1, ECX, 12 },
    { FT_CX16, 1, ECX, 13 },   { FT_SSE41, 1, ECX, 19 },  { FT_SSE42, 1, ECX, 20 },  { FT_MOVBE, 1, ECX, 22 },
    { FT_POPCNT, 1, ECX, 23 }, { FT_AES, 1, ECX, 25 },    { FT_XSAVE, 1, ECX, 26 },  { FT_AVX, 1, ECX, 28 },
    { FT_F16C, 1, ECX, 29 },   { FT_RDRAND, 1, ECX, 30 },
    { FT_FPU, 1, EDX, 0 },     { FT_VME, 1, EDX, 1 },     { FT_DE, 1, EDX, 2 },      { FT_PSE, 1, EDX, 3 },
    { FT_TSC, 1, EDX, 4 },     { FT_MSR, 1, EDX, 5 },     { FT_PAE, 1, EDX, 6 },     { FT_MCE, 1, EDX, 7 },
    { FT_CX8, 1, EDX, 8 },     { FT_APIC, 1, EDX, 9 },    { FT_SEP, 1, EDX, 11 },    { FT_MTRR, 1, EDX, 12 },
    { FT_PGE, 1, EDX, 13 },    { FT_MCE, 1, EDX, 14 },    { FT_CMOV, 1, EDX, 15 },   { FT_PAT, 1, EDX, 16 },
    { FT_PSE36, 1, EDX, 17 },  { FT_CLFSH, 1, EDX, 19 },  { FT_MMX, 1, EDX, 23 },    { FT_FXSR, 1, EDX, 24 },
    { FT_SSE, 1, EDX, 25 },    { FT_SSE2, 1, EDX, 26 },
    { FT_FSGSBASE, 7, EBX, 0 }, { FT_BMI1, 7, EBX, 3 },   { FT_AVX2, 7, EBX, 5 },    { FT_SMEP, 7, EBX, 7 },
    { FT_BMI2, 7, EBX, 8 },    { FT_ERMS, 7, EBX, 9 },    { FT_INVPCID, 7, EBX, 10 }, { FT_RDSEED, 7, EBX, 18 },
    { FT_ADX, 7, EBX, 19 },    { FT_SMAP, 7, EBX, 20 },   { FT_CLFLUSHOPT, 7, EBX, 23 }, { FT_SHA, 7, EBX, 29 },
    { FT_UMIP, 7, ECX, 2 },    { FT_SPECCTRL, 7, EDX, 26 }, { FT_ARCHCAP, 7, EDX, 29 },
    { FT_LAHF64, 0x80000001, ECX, 0 },  { FT_LZCNT, 0x80000001, ECX, 5 }, { FT_PREFETCHW, 0x80000001, ECX, 8 },
    { FT_SYSCALL, 0x80000001, EDX, 11 }, { FT_NX, 0x80000001, EDX, 20 },  { FT_PG1G, 0x80000001, EDX, 26 },
    { FT_RDTSCP, 0x80000001, EDX, 27 }, { FT_LM, 0x80000001, EDX, 29 },
};
/* clang-format on */

static void add_features(const struct cpu *c, u32 leaf, u32 out[4])
{
    for (unsigned i = 0; i < LEN(feature_bits); i++) {
        const struct feature_bit *b = &feature_bits[i];
        if (b->leaf == leaf && cpu_has(c, (enum cpu_feature)b->feature)) out[b->reg] |= BIT(b->bit);
    }
}

/* Twelve or more characters into consecutive registers. */
static void put_text(u32 *out, const char *s)
{
    size_t n = strlen(s);
    char b[16] = { 0 };
    memcpy(b, s, MIN(n, sizeof(b)));
    for (unsigned i = 0; i < 4; i++) out[i] = ld32(b + i * 4);
}

static void set4(u32 out[4], u32 a, u32 b, u32 cx, u32 d)
{
    out[EAX] = a;
    out[EBX] = b;
    out[ECX] = cx;
    out[EDX] = d;
}

static void leaf_vendor(const struct cpu *c, u32 max, u32 out[4])
{
    const char *v = c->model->amd ? "AuthenticAMD" : "GenuineIntel";
    set4(out, max, ld32(v), ld32(v + 8), ld32(v + 4)); /* EBX, EDX, ECX order */
}

static void leaf_features(const struct cpu *c, u32 out[4])
{
    u32 hypervisor = c->no_hypervisor ? 0 : BIT(31);
    set4(out, c->model->signature, apic_id(c) << 24 | 1u << 16 | 0x0800, hypervisor, 0);
    add_features(c, 1, out);
    if (!(c->apic_base & 0x800)) out[EDX] &= ~BIT(9);
    if (c->cr4 & CR4_OSXSAVE) out[ECX] |= BIT(27);
}

static void leaf_cache(u32 sub, u32 out[4])
{
    static const u32 caches[4][4] = {
        { 0x121, 0x01c0003f, 0x3f, 1 },    /* L1 data, 32 KiB */
        { 0x122, 0x01c0003f, 0x3f, 1 },    /* L1 code, 32 KiB */
        { 0x143, 0x03c0003f, 0xfff, 1 },   /* L2, 4 MiB */
        { 0x163, 0x03c0003f, 0x3fff, 6 },  /* L3, 16 MiB */
    };
    if (sub < LEN(caches)) memcpy(out, caches[sub], sizeof(caches[sub]));
}

/* XSAVE: components, sizes and the offset of YMM's upper halves (xsave.c). */
static void leaf_xsave(const struct cpu *c, u32 sub, u32 out[4])
{
    bool avx = cpu_has(c, FT_AVX);
    u32 enabled = c->xcr0 & 4 ? 832 : 576;
    if (!cpu_has(c, FT_XSAVE)) return;
    if (sub == 0) set4(out, avx ? 7 : 3, enabled, avx ? 832 : 576, 0);
    else if (sub == 1) set4(out, 0xf, enabled, 0, 0); /* XSAVEOPT, XSAVEC, XGETBV 1, XSAVES */
    else if (sub == 2 && avx) set4(out, 256, 576, 0, 0);
}

static void leaf_extended(const struct cpu *c, u32 leaf, u32 out[4])
{
    bool amd = c->model->amd;
    switch (leaf) {
    case 0x80000000:
        if (amd) leaf_vendor(c, c->model->max_ext, out);
        else out[EAX] = c->model->max_ext;
        break;
    case 0x80000001:
        out[EAX] = c->model->signature;
        add_features(c, leaf, out);
        if (amd) { /* AMD repeats these bits of leaf 1 */
            u32 one[4];
            leaf_features(c, one);
            out[EDX] |= one[EDX] & 0x0183f3ff;
        }
        break;
    case 0x80000002: case 0x80000003: case 0x80000004: {
        size_t at = (leaf - 0x80000002) * 16;
        if (at < strlen(c->model->brand)) put_text(out, c->model->brand + at);
        break;
    }
    case 0x80000005:
        if (amd) set4(out, 0xff08ff08, 0xff20ff20, 0x40020140, 0x40020140);
        break;
    case 0x80000006: set4(out, 0, 0x42004200, 0x02008140, amd ? 0 : 0x00808140); break;
    case 0x80000007: out[EDX] = 0x100; break; /* invariant TSC */
    case 0x80000008: out[EAX] = 48u << 8 | c->model->phys_bits; break;
    default: break;
    }
}

static void leaf_hypervisor(u32 out[4])
{
    u32 sig[4];
    put_text(sig, "aeropcaeropc");
    set4(out, 0x40000001, sig[0], sig[1], sig[2]);
}

/* IA32_MISC_ENABLE bit 22 hides the leaves above 3 from systems that cannot take them. */
static u32 max_basic(const struct cpu *c)
{
    bool limited = !c->model->amd && (c->misc_enable & BIT64(22));
    return limited ? MIN(c->model->max_leaf, 3u) : c->model->max_leaf;
}

void cpuid_leaf(struct cpu *c, u32 leaf, u32 sub, u32 out[4])
{
    bool amd = c->model->amd;
    memset(out, 0, 16);
    if (!c->no_hypervisor && leaf >= 0x40000000 && leaf <= 0x400000ff) {
        if (leaf == 0x40000000) leaf_hypervisor(out);
        return;
    }
    if (leaf >= 0x80000000 && leaf <= c->model->max_ext) {
        leaf_extended(c, leaf, out);
        return;
    }
    u32 max = max_basic(c);
    if (leaf > max) {
        if (amd) return;
        leaf = max; /* Intel: data of the highest basic leaf; sub-leaf kept */
    }
    switch (leaf) {
    case 0: leaf_vendor(c, max, out); break;
    case 1: leaf_features(c, out); break;
    case 2:
        if (!amd) set4(out, 1, 0, 0x4d, 0x002c307d);
        break;
    case 4:
        if (!amd) leaf_cache(sub, out);
        break;
    case 7:
        if (sub == 0) {
            add_features(c, 7, out);
            out[EAX] = cpu_has(c, FT_SPECCTRL) ? 2 : 0; /* highest sub-leaf */
        } else if (sub == 2 && cpu_has(c, FT_SPECCTRL)) {
            out[EDX] = BIT(4); /* BHI_CTRL: bit 10 of IA32_SPEC_CTRL */
        }
        break;
    case 13: leaf_xsave(c, sub, out); break;
    default: break;
    }
}
