/* See rules.h. Every rule of allowed[] names the page that makes our answer right. */
#include "tests/zydis/rules.h"

#include <string.h>

/* The table has rows of this feature. */
static bool has_rows(unsigned feature)
{
    for (unsigned k = 0; k < op_row_count; k++) {
        if (op_rows[k].feature == feature) return true;
    }
    return false;
}

/* The table has a row for memory and this group digit. */
static bool has_row(unsigned map, unsigned opcode, unsigned digit)
{
    for (unsigned k = 0; k < op_row_count; k++) {
        const struct op_row *r = &op_rows[k];
        if (r->map == map && r->opcode == opcode && r->sel == SEL_DM(digit)) return true;
    }
    return false;
}

bool is_offered(const ZydisDecodedInstruction *z)
{
    switch (z->meta.isa_set) {
    case ZYDIS_ISA_SET_CMPXCHG16B: return has_rows(FT_CX8);
    default: break;
    }
    switch (z->meta.isa_ext) {
    case ZYDIS_ISA_EXT_ADOX_ADCX: case ZYDIS_ISA_EXT_AES: case ZYDIS_ISA_EXT_BASE:
    case ZYDIS_ISA_EXT_BMI1: case ZYDIS_ISA_EXT_BMI2: case ZYDIS_ISA_EXT_CLFLUSHOPT:
    case ZYDIS_ISA_EXT_CLFSH: case ZYDIS_ISA_EXT_INVPCID: case ZYDIS_ISA_EXT_LONGMODE:
    case ZYDIS_ISA_EXT_LZCNT: case ZYDIS_ISA_EXT_MMX: case ZYDIS_ISA_EXT_MONITOR:
    case ZYDIS_ISA_EXT_MOVBE: case ZYDIS_ISA_EXT_PAUSE: case ZYDIS_ISA_EXT_PCLMULQDQ:
    case ZYDIS_ISA_EXT_RDTSCP: case ZYDIS_ISA_EXT_RDWRFSGS: case ZYDIS_ISA_EXT_SMAP:
    case ZYDIS_ISA_EXT_SSE: case ZYDIS_ISA_EXT_SSE2: case ZYDIS_ISA_EXT_SSE3:
    case ZYDIS_ISA_EXT_SSE4: case ZYDIS_ISA_EXT_SSSE3: case ZYDIS_ISA_EXT_X87:
    case ZYDIS_ISA_EXT_AMD3DNOW_PREFETCH:
        return true;
    case ZYDIS_ISA_EXT_XSAVE: return has_row(MAP_0F, 0xae, 4) || z->raw.modrm.mod == 3;
    case ZYDIS_ISA_EXT_XSAVEC: case ZYDIS_ISA_EXT_XSAVEOPT: case ZYDIS_ISA_EXT_XSAVES:
        return has_rows(FT_XSAVE);
    case ZYDIS_ISA_EXT_AVX: return has_rows(FT_AVX);
    case ZYDIS_ISA_EXT_AVXAES: return has_rows(FT_AVX);
    case ZYDIS_ISA_EXT_AVX2: case ZYDIS_ISA_EXT_AVX2GATHER: return has_rows(FT_AVX2);
    case ZYDIS_ISA_EXT_FMA: return has_rows(FT_FMA);
    case ZYDIS_ISA_EXT_F16C: return has_rows(FT_F16C);
    case ZYDIS_ISA_EXT_SHA: return has_rows(FT_SHA);
    default: return false;
    }
}

/* One instruction, two names. */
static const char *const aliases[][2] = {
    { "retf", "ret" },           { "xlatb", "xlat" },
    { "fneni", "feni8087_nop" }, { "fndisi", "fdisi8087_nop" },
    { "fnsetpm", "fsetpm287_nop" },
};

bool same_name(const char *ours, const char *theirs)
{
    if (!strcmp(ours, theirs)) return true;
    for (unsigned k = 0; k < LEN(aliases); k++) {
        if (!strcmp(ours, aliases[k][0]) && !strcmp(theirs, aliases[k][1])) return true;
    }
    return false;
}

/* ---- allowed differences ---- */

enum { ANY_SIZE = 1, ANY_OPERAND = 2, ANY_NAME = 4, WE_ARE_UNDEFINED = 8, THEY_ARE_UNDEFINED = 16 };

struct rule {
    const char *names; /* our mnemonics, or Zydis's where we say undefined */
    unsigned what;
    const char *reason;
};
static const struct rule allowed[] = {
    [RULE_RUNS_AS_UD] = { "", 0, "the handler refuses it: executed, it raises #UD" },
    [RULE_SIB_BASE] = { "", 0,
      "mod 00, base 101b, REX.B, 32-bit address: no base (SDM 2A table 2-5); Zydis names R13D" },
    [RULE_SELECTOR] = { "", 0, "MOV Sreg uses the low 16 bits of the register (SDM 2B MOV)" },
    { "prefetch prefetchw nop", ANY_SIZE | ANY_OPERAND | ANY_NAME,
      "hints without an effect; operands do not matter (SDM 2B NOP, PREFETCHh)" },
    { "nop", WE_ARE_UNDEFINED, "0F 0D with a register: #UD on AMD (recorded), NOP on Intel" },
    { "pause", ANY_NAME,
      "F3 REX.B 90 exchanges with R8 as recorded on AMD; PAUSE on Intel (no manual says)" },
    { "movsxd", ANY_SIZE,
      "66 without REX.W reads 16 bits (SDM 2B MOVSXD r16, r/m16; hosts do); Zydis says 32" },
    { "clflush clflushopt", ANY_SIZE,
      "a cache line is meant, no operand is read (SDM 2A CLFLUSH)" },
    { "ud0 ud1", ANY_SIZE | ANY_OPERAND, "#UD whatever the operands are (SDM 2B UD)" },
    { "movmskps movmskpd", ANY_OPERAND,
      "the upper half of the register is 0 either way (SDM 2B MOVMSKPS)" },
    { "lar lsl", ANY_OPERAND, "only the low 16 bits of the source are used (SDM 2A LAR, LSL)" },
    { "vpextrd vpinsrd", WE_ARE_UNDEFINED,
      "VEX.W = 1 outside 64-bit mode: #UD on AMD (recorded), Intel ignores W there" },
    { "sysenter sysexit", THEY_ARE_UNDEFINED,
      "real mode: #GP, not #UD (SDM 2B SYSENTER, SYSEXIT: real-address mode exceptions)" },
};

static bool names(const char *list, const char *name)
{
    size_t n = strcspn(name, "|");
    for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ') {
        if (strcspn(p, " ") == n && !memcmp(p, name, n)) return true;
    }
    return false;
}

static bool sib_without_base(const struct insn *i, const struct op_row *r,
                             const ZydisDecodedInstruction *z)
{
    return r && z && z->address_width == 32 && z->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 &&
           (i->modrm & 0xc7) == 4 && z->raw.sib.base == 5;
}

int allowed_by(const struct insn *i, const struct op_row *r, const ZydisDecodedInstruction *z,
               const char *why)
{
    const char *name = r ? r->name : z ? ZydisMnemonicGetString(z->mnemonic) : "";
    if (!strncmp(why, "operand", 7) || !strncmp(why, "segment", 7)) {
        if (sib_without_base(i, r, z)) return RULE_SIB_BASE;
        if (r && r->map == MAP_0 && r->opcode == 0x8e) return RULE_SELECTOR;
    }
    for (unsigned k = 1; k < LEN(allowed); k++) {
        const struct rule *l = &allowed[k];
        if (!names(l->names, name)) continue;
        if ((l->what & ANY_SIZE) && !strncmp(why, "size", 4)) return (int)k;
        if ((l->what & ANY_OPERAND) && !strncmp(why, "operand", 7)) return (int)k;
        if ((l->what & ANY_NAME) && !strncmp(why, "mnemonic", 8)) return (int)k;
        if ((l->what & WE_ARE_UNDEFINED) && !r) return (int)k;
        if ((l->what & THEY_ARE_UNDEFINED) && !z) return (int)k;
    }
    return -1;
}

const char *rule_reason(unsigned rule)
{
    return rule < LEN(allowed) ? allowed[rule].reason : "";
}
