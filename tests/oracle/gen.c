/* The generator (gen.h).
 *
 * Addresses must mostly hit the windows of ovec.h: the first instruction of a case gets its pointer
 * registers through the initial state, later ones through a MOV before them. Branches come last,
 * and no target that is chosen lies inside the sequence, so the host never runs bytes that were not
 * meant as instructions. What is left out, and why, is listed in left_out[] and in README.md. */
#include "tests/oracle/gen.h"

#include <stdio.h>
#include <string.h>

enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, OF = 0x800, ALL6 = CF | PF | AF | ZF | SF | OF };

static u64 rnd(struct gen_case *g)
{
    return ov_next(&g->rng);
}

static unsigned below(struct gen_case *g, unsigned n)
{
    return (unsigned)(rnd(g) >> 33) % n;
}

static bool chance(struct gen_case *g, unsigned n, unsigned of)
{
    return below(g, of) < n;
}

/* AVX's mnemonics without their V, except where another one means something else. */
static const char *base_name(const struct op_row *r)
{
    bool own = !strncmp(r->name, "ver", 3) || !strncmp(r->name, "vpcmp", 5);
    return r->map >= MAP_V1 && r->name[0] == 'v' && !own ? r->name + 1 : r->name;
}

static bool in_list(const char *list, const char *name)
{
    size_t n = strcspn(name, "|");
    for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ') {
        if (strcspn(p, " ") == n && !memcmp(p, name, n)) return true;
    }
    return false;
}

/* ---- which rows ---- */

/* Answers of the host itself (CPUID, time, descriptor tables of the kernel), kernel calls,
 * instructions that the kernel emulates (UMIP). */
static const char left_out[] =
    "cpuid rdtsc rdtscp rdpmc syscall sysenter sysret sysexit sgdt sidt sldt str smsw monitor "
    "mwait retf iret rdrand rdseed";

static bool usable(const struct op_row *r, unsigned mode, u64 features)
{
    if (in_list(left_out, r->name)) return false;
    if (r->mode == (mode == OV_M64 ? MODE_N64 : MODE_64)) return false;
    if (r->feature && !(features >> r->feature & 1)) return false;
    for (unsigned k = 0; k < LEN(r->operand); k++) {
        u8 o = r->operand[k];
        if (o == OK_Ap || (o == OK_Mp && r->opcode == 0xff)) return false; /* far transfers */
        if (o >= OK_sES && o <= OK_sGS && strncmp(r->name, "pop", 3)) return false;
    }
    return true;
}

void gen_rows(struct gen_rows *r, unsigned mode, u64 features)
{
    r->count = 0;
    for (unsigned k = 0; k < op_row_count && r->count < GEN_ROWS_MAX; k++) {
        if (usable(&op_rows[k], mode, features)) r->row[r->count++] = (u16)k;
    }
}

/* ---- flags (SDM 1 appendix A; the instruction pages of volume 2) ---- */

static bool reads_flags(const struct op_row *r)
{
    static const char list[] =
        "adc sbb rcl rcr pushf|pushfd|pushfq pushf lahf cmc salc daa das aaa aas into loope loopne "
        "adcx adox";
    if (in_list(list, r->name)) return true;
    return (r->name[0] == 'j' && strcmp(r->name, "jmp") && strcmp(r->name, "jrcxz")) ||
           !strncmp(r->name, "set", 3) || !strncmp(r->name, "cmov", 4) ||
           !strncmp(r->name, "fcmov", 5);
}

static bool sets_all_flags(const struct op_row *r)
{
    return in_list("add sub cmp adc sbb neg xadd cmpxchg comiss comisd ucomiss ucomisd ptest "
                   "popcnt pcmpistri pcmpistrm pcmpestri pcmpestrm vpcmpistri vpcmpistrm "
                   "vpcmpestri vpcmpestrm testps testpd",
                   base_name(r));
}

static u32 undefined_flags(const struct op_row *r)
{
    static const struct {
        const char *names;
        u32 flags;
    } t[] = {
        { "and or xor test andn blsr blsmsk blsi bzhi", AF | PF },
        { "rol ror rcl rcr", OF },
        { "shl shr sar", OF | AF | CF },
        { "shld shrd", OF | AF | CF },
        { "mul imul", SF | ZF | AF | PF },
        { "div idiv", ALL6 },
        { "bt bts btr btc", OF | SF | AF | PF },
        { "bsf bsr", ALL6 & ~ZF },
        { "lzcnt tzcnt", OF | SF | AF | PF },
        { "bextr", AF | SF | PF },
        { "aam aad", OF | AF | CF },
        { "aaa aas", OF | SF | ZF | PF },
        { "daa das", OF },
    };
    for (unsigned k = 0; k < LEN(t); k++) {
        if (!in_list(t[k].names, r->name)) continue;
        bool logic = in_list("and or xor test", r->name);
        return logic ? AF : t[k].flags;
    }
    return 0;
}

/* ---- bytes ---- */

static void put(struct gen_case *g, unsigned b)
{
    if (g->len < GEN_CODE_MAX) g->code[g->len++] = (u8)b;
}

static void put_n(struct gen_case *g, u64 v, unsigned n)
{
    for (unsigned k = 0; k < n; k++) put(g, (unsigned)(v >> (8 * k)) & 0xff);
}

/* A register has this value when the next instruction runs. */
static void set_reg(struct gen_case *g, unsigned reg, u64 v)
{
    if (g->mode != OV_M64) v = (u32)v;
    if (!g->insns) {
        g->in.gpr[reg] = v;
        return;
    }
    if (g->mode == OV_M64) put(g, 0x48 | reg >> 3);
    else if (g->mode == OV_M16) put(g, 0x66);
    put(g, 0xb8 | (reg & 7));
    put_n(g, v, g->mode == OV_M64 ? 8 : 4);
}

static void patch(struct gen_case *g, u64 addr, const void *data, unsigned n)
{
    bool data_window = addr >= OV_DATA && addr + n <= OV_DATA + OV_DATA_L;
    if (!data_window && !(addr >= OV_STACK && addr + n <= OV_STACK + OV_STACK_L)) return;
    if (g->patches == GEN_PATCHES) return;
    struct gen_patch *p = &g->patch[g->patches++];
    p->addr = (u32)addr;
    p->len = (u8)n;
    memcpy(p->data, data, n);
}

static void patch_something(struct gen_case *g, u64 addr)
{
    u8 b[16];
    if (!chance(g, 1, 2)) return;
    unsigned kind = below(g, 5);
    if (kind < 4) ov_gen_vec(&g->rng, kind, b);
    else {
        memset(b, 0, sizeof(b));
        ov_gen_f80(&g->rng, b);
    }
    patch(g, addr, b, 16);
}

/* ---- addresses ---- */

static u32 segment_base(const struct gen_case *g, unsigned seg)
{
    if (g->mode == OV_M64) return seg == OV_FS ? OV_FSBASE64 : seg == OV_GS ? OV_GSBASE64 : 0;
    if (seg == OV_FS || seg == OV_GS) return OV_DATA;
    if (g->mode == OV_M32) return 0;
    return seg == OV_SS ? OV_STACK : seg == OV_CS ? OV_CODE : OV_DATA;
}

/* A linear address worth accessing. */
static u64 pick_linear(struct gen_case *g, u32 base)
{
    u64 a;
    bool stack = base >= OV_STACK || (base < OV_DATA && chance(g, 1, 4));
    u32 window = stack ? OV_STACK : OV_DATA;
    unsigned k = below(g, 100);
    if (k < 72) a = window + 0x100 + below(g, OV_DATA_L - 0x300);
    else if (k < 80) a = window + 0x1000u * (1 + below(g, 3)) - below(g, 20);
    else if (k < 86) a = window + OV_DATA_L - below(g, 40);
    else if (k < 88) a = window - below(g, 20);
    else if (k < 92) a = OV_RO + below(g, OV_RO_L);
    else if (k < 94) a = OV_CODE + below(g, OV_CODE_L);
    else if (k < 96) a = ov_gen_int(&g->rng) & 0x7fffffffffff;
    else if (k < 98 && g->mode == OV_M64) a = 0x800000000000ull + (rnd(g) & 0x7fffffffffffff);
    else a = window + below(g, OV_DATA_L);
    if (chance(g, 2, 3)) a &= ~15ull;
    else if (chance(g, 1, 2)) a &= ~7ull;
    return a;
}

struct encoding {
    bool m64, opsize, adsize, lock, rexw;
    bool vexw, vexl, bad_prefix; /* VEX */
    unsigned vexv;
    u32 no_base; /* registers that cannot be part of the address */
    unsigned asz; /* bytes */
    u8 rep;
    int seg;          /* override or -1 */
    u8 rex;           /* low four bits */
    u8 modrm, sib;
    bool has_modrm, has_sib;
    unsigned disp_size;
    i64 disp;
    bool rip_relative;
    u64 rip_target;
};

static unsigned scratch_reg(struct gen_case *g, const struct encoding *e, unsigned not)
{
    unsigned r;
    do r = below(g, e->m64 ? 16 : 8);
    while (r == 4 || r == not || (e->no_base >> r & 1));
    return r;
}

static bool has_operand(const struct op_row *r, u8 kind)
{
    for (unsigned k = 0; k < LEN(r->operand); k++) {
        if (r->operand[k] == kind) return true;
    }
    return false;
}

/* ---- selectors ---- */

static bool loads_segment(const struct op_row *r)
{
    bool mov = r->map == MAP_0 && r->opcode == 0x8e;
    return mov || in_list("les lds lss lfs lgs", r->name) ||
           (r->operand[0] >= OK_sES && r->operand[0] <= OK_sGS);
}

static bool takes_selector(const struct op_row *r)
{
    return loads_segment(r) || in_list("lar lsl verr verw", r->name);
}

/* One of the LDT that both sides have, now and then null or behind its end. In 64-bit mode null
 * clears the base of FS and GS on Intel and leaves it on AMD. */
static u16 pick_selector(struct gen_case *g, const struct op_row *r)
{
    unsigned rpl = chance(g, 2, 3) ? 3 : below(g, 4);
    if (chance(g, 1, 12) && !(g->mode == OV_M64 && loads_segment(r))) return (u16)below(g, 4);
    if (chance(g, 1, 16)) return (u16)(0x84 | below(g, 16) << 3 | rpl);
    return (u16)((1 + below(g, 15)) << 3 | 4 | rpl);
}

static void patch_selector(struct gen_case *g, const struct encoding *e, const struct op_row *r,
                           u64 linear)
{
    u16 sel = pick_selector(g, r);
    unsigned osz = e->rexw ? 8 : (g->mode == OV_M16) != e->opsize ? 2 : 4;
    if (has_operand(r, OK_Mp)) linear += osz;
    patch(g, linear, &sel, 2);
}

/* ---- images of the floating-point state ---- */

static void ignore(struct gen_case *g, u64 addr, unsigned len)
{
    if (g->ignores == LEN(g->ignore)) return;
    g->ignore[g->ignores].addr = addr;
    g->ignore[g->ignores++].len = len;
}

/* What is stored at linear, and not the same on two processors: FIP, FCS, FOP, FDP, FDS. What
 * XRSTOR finds there: a header that it mostly accepts. */
static void prepare_image(struct gen_case *g, const struct encoding *e, const struct op_row *r,
                          u64 linear)
{
    bool small = (g->mode == OV_M16) != e->opsize && !e->rexw;
    if (in_list("fnstenv fnsave", r->name)) ignore(g, linear + (small ? 6 : 12), small ? 8 : 16);
    if (in_list("fxsave xsave xsaveopt xsavec", r->name)) ignore(g, linear + 6, 18);
    g->image = linear;
    g->has_image = true;
    if (!in_list("xrstor", r->name) || chance(g, 1, 8)) return;
    u8 header[16] = { (u8)below(g, 8) }, zero[16] = { 0 }, mxcsr[4] = { 0x80, 0x1f };
    if (chance(g, 1, 16)) header[1 + below(g, 15)] = 0x80; /* a component that nobody has */
    if (chance(g, 1, 4)) header[15] = 0x80, header[8] = header[0] | (u8)below(g, 8); /* compact */
    if (chance(g, 1, 16)) mxcsr[below(g, 4)] = (u8)rnd(g);
    patch(g, linear + 24, mxcsr, 4);
    patch(g, linear + 512, header, 16);
    for (unsigned k = 1; k < 4; k++) patch(g, linear + 512 + k * 16, zero, 16);
}

static bool is_image(const struct op_row *r)
{
    return in_list("fnstenv fnsave fxsave fxrstor xsave xsaveopt xsavec xsaves xrstor xrstors",
                   r->name);
}

/* An indirect branch through memory goes behind the sequence: what is in memory could lead into it,
 * and then bytes run as instructions whose undefined flags nobody knows. */
static void patch_target(struct gen_case *g, const struct op_row *r, u64 linear)
{
    if (r->map != MAP_0 || r->opcode != 0xff || !(r->flags & OF_F64)) return;
    u64 to = (g->mode == OV_M16 ? 0 : OV_CODE) + 0x20 + below(g, 0x700);
    patch(g, linear, &to, 8);
}

static u64 pick_operand(struct gen_case *g, const struct op_row *r, u32 base)
{
    u64 a = pick_linear(g, base);
    if (takes_selector(r)) return OV_DATA + 0x10 + below(g, OV_DATA_L - 0x20);
    if (r->feature == FT_SHA) return a & ~15ull; /* alignment check: README.md */
    return in_list("xsave xsaveopt xsavec xrstor", r->name) && chance(g, 7, 8) ? a & ~63ull : a;
}

static void memory16(struct gen_case *g, struct encoding *e, const struct op_row *r,
                     unsigned digit)
{
    static const u8 base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 }, index[8] = { 6, 7, 6, 7, 8, 8, 8, 8 };
    unsigned rm = below(g, 8), mod = below(g, 3);
    bool absolute = mod == 0 && rm == 6;
    unsigned seg = e->seg >= 0 ? (unsigned)e->seg : base[rm] == 5 && !absolute ? OV_SS : OV_DS;
    u32 sb = segment_base(g, seg);
    u64 linear = pick_operand(g, r, sb);
    u16 off = (u16)(linear - sb), disp = (u16)rnd(g);
    e->disp_size = absolute ? 2 : mod;
    if (mod == 1) disp = (u16)(i16)(i8)disp;
    if (mod == 0 && !absolute) disp = 0;
    if (absolute) disp = off;
    else if (index[rm] != 8) {
        u16 x = g->insns ? (u16)below(g, 0x1000) : (u16)g->in.gpr[index[rm]];
        if (g->insns) set_reg(g, index[rm], x);
        set_reg(g, base[rm], (rnd(g) & 0xffff0000) | (u16)(off - disp - x));
    } else {
        set_reg(g, base[rm], (rnd(g) & 0xffff0000) | (u16)(off - disp));
    }
    e->disp = disp;
    e->modrm = (u8)(mod << 6 | digit << 3 | rm);
    patch_something(g, sb + off);
    patch_target(g, r, sb + off);
    if (takes_selector(r)) patch_selector(g, e, r, sb + off);
    if (is_image(r)) prepare_image(g, e, r, sb + off);
}

static void memory_sib(struct gen_case *g, struct encoding *e, unsigned digit, u64 off, u64 mask)
{
    unsigned base = scratch_reg(g, e, 99), index = 4, scale = below(g, 4), mod = below(g, 3);
    i64 disp = mod == 1 ? (i8)rnd(g) : mod == 2 ? (i32)rnd(g) : 0;
    u64 x = 0;
    if (!g->insns && g->mode != OV_M16 && chance(g, 1, 8)) base = 4;
    if (mod == 0 && (base & 7) == 5) mod = 1;
    if (chance(g, 1, 2)) {
        index = scratch_reg(g, e, base);
        x = g->insns ? below(g, 0x4000) : g->in.gpr[index];
        if (g->insns) set_reg(g, index, x);
    }
    bool sib = index != 4 || (base & 7) == 4 || chance(g, 1, 8);
    set_reg(g, base, (off - (u64)disp - (x << scale)) & mask);
    e->modrm = (u8)(mod << 6 | digit << 3 | (sib ? 4 : base & 7));
    e->sib = (u8)(scale << 6 | (index & 7) << 3 | (base & 7));
    e->has_sib = sib;
    e->rex |= (u8)((base >> 3) | (sib ? (index >> 3) << 1 : 0));
    e->disp_size = mod == 2 ? 4 : mod;
    e->disp = disp;
}

/* ---- gathers ---- */

static bool is_gather(const struct op_row *r)
{
    for (unsigned k = 0; k < LEN(r->operand); k++) {
        if (r->operand[k] == OK_VMd || r->operand[k] == OK_VMq) return true;
    }
    return false;
}

/* The index vector can only come from the initial state; elsewhere it is what it is. */
static void memory_vsib(struct gen_case *g, struct encoding *e, const struct op_row *r,
                        unsigned digit)
{
    unsigned base = scratch_reg(g, e, 99), index = below(g, e->m64 ? 16 : 8), scale = below(g, 4);
    unsigned mod = base == 5 || base == 13 ? 1 : below(g, 3);
    i64 disp = mod == 1 ? (i8)rnd(g) : mod == 2 ? (i16)rnd(g) & 0xfff : 0;
    bool wide = r->opcode & 1; /* 91h, 93h: quadword indices */
    u32 sb = segment_base(g, e->seg >= 0 ? (unsigned)e->seg : OV_DS);
    set_reg(g, base, OV_DATA + 0x2000 - sb - (u64)disp);
    for (unsigned k = 0; !g->insns && k < 32; k += wide ? 8 : 4) {
        u8 *half = k < 16 ? g->in.xmm[index] + k : g->in.ymmh[index] + (k - 16);
        i64 v = (i64)below(g, 0x3c00) - 0x1e00;
        if (chance(g, 1, 40)) v = (i64)ov_gen_int(&g->rng);
        v >>= scale;
        memcpy(half, &v, wide ? 8 : 4);
    }
    if (chance(g, 15, 16)) { /* else perhaps two of the three are the same register: #UD */
        unsigned dest = digit | (e->rex & 4u) << 1;
        while (index == dest) dest = digit = (digit + 1) & 7, e->rex &= 0xb;
        while (e->vexv == dest || e->vexv == index) e->vexv = (e->vexv + 1) & 7;
    }
    e->modrm = (u8)(mod << 6 | digit << 3 | 4);
    e->has_sib = true;
    e->sib = (u8)(scale << 6 | (index & 7) << 3 | (base & 7));
    e->rex |= (u8)((base >> 3) | (index >> 3) << 1);
    e->disp_size = mod == 2 ? 4 : mod;
    e->disp = disp;
}

static void memory(struct gen_case *g, struct encoding *e, const struct op_row *r, unsigned digit)
{
    if (is_gather(r) && e->asz != 2) {
        memory_vsib(g, e, r, digit);
        return;
    }
    if (e->asz == 2) {
        memory16(g, e, r, digit);
        return;
    }
    u64 mask = e->asz == 8 ? ~0ull : 0xffffffffull;
    u32 sb = e->seg >= 0 ? segment_base(g, (unsigned)e->seg) : segment_base(g, OV_DS);
    u64 linear = pick_operand(g, r, sb), off = (linear - sb) & mask;
    bool direct = chance(g, 1, 6);
    patch_something(g, linear);
    patch_target(g, r, linear);
    if (takes_selector(r)) patch_selector(g, e, r, linear);
    if (is_image(r)) prepare_image(g, e, r, sb + off); /* what 67h leaves of it */
    if (!direct || off > 0x7fffffff) {
        memory_sib(g, e, digit, off, mask);
        return;
    }
    e->disp_size = 4;
    e->disp = (i64)off;
    e->modrm = (u8)(digit << 3 | 5);
    if (!e->m64) return;
    if (chance(g, 1, 2)) {
        e->rip_relative = true;
        e->rip_target = off;
    } else {
        e->modrm = (u8)(digit << 3 | 4);
        e->has_sib = true;
        e->sib = 0x25;
    }
}

/* ---- one instruction ---- */

/* W, L, vvvv: as the row wants them, now and then otherwise (#UD). Not for instructions whose other
 * forms are of instruction sets that only the host has (VAES, VPCLMULQDQ). */
static void choose_vex(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    bool lengths = !strncmp(r->name, "vpcmpestr", 9) && !e->m64; /* W: README.md */
    bool moves = !e->m64 && in_list("vpextrd vpinsrd", r->name);
    bool wider = !strncmp(r->name, "vaes", 4) || !strncmp(r->name, "vpclmul", 7);
    bool strict = lengths || moves || wider;
    e->vexw = r->flags & OF_W1 || (!(r->flags & OF_W0) && chance(g, 1, 2));
    if (lengths) e->vexw = false;
    e->vexl = r->flags & OF_L1 || (!(r->flags & OF_L0) && chance(g, 1, 2));
    e->vexv = r->flags & OF_NOV ? 0 : below(g, e->m64 ? 16 : 8);
    if (strict || !chance(g, 1, 100)) return;
    switch (below(g, 4)) {
    case 0: e->vexw = !e->vexw; break;
    case 1: e->vexl = !e->vexl; break;
    case 2: e->vexv = 1 + below(g, 7); break;
    default: e->bad_prefix = true;
    }
}

static void choose_prefixes(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    e->m64 = g->mode == OV_M64;
    e->seg = -1;
    bool branch = r->flags & OF_F64, vex = r->map >= MAP_V1;
    if (!vex && (r->prefix == PF_ANY || r->prefix == PF_NF || r->prefix == PF_F3 ||
                 r->prefix == PF_F2))
        e->opsize = chance(g, 1, 4) && !(e->m64 && branch);
    if (r->prefix == PF_66) e->opsize = true;
    e->adsize = chance(g, 1, 16);
    if (r->prefix == PF_F3) e->rep = 0xf3;
    if (r->prefix == PF_F2) e->rep = 0xf2;
    if (r->prefix == PF_ANY && (r->flags & OF_STR) && chance(g, 1, 2))
        e->rep = chance(g, 1, 2) ? 0xf2 : 0xf3;
    if (chance(g, 1, 12)) e->seg = (int)below(g, 6);
    if (e->m64 && chance(g, 1, 12)) e->seg = OV_FS + (int)below(g, 2);
    if (branch || (g->insns && (is_image(r) || r->feature == FT_SHA))) e->seg = -1;
    if (is_gather(r) && g->mode == OV_M16) e->adsize = chance(g, 7, 8);
    e->asz = e->m64 ? (e->adsize ? 4 : 8) : (g->mode == OV_M32) != e->adsize ? 4 : 2;
    if (e->m64 && chance(g, 1, 2)) {
        e->rex = (u8)(below(g, 16) & 12);
        e->rexw = e->rex & 8;
    }
    if (vex) choose_vex(g, e, r);
}

/* Operands that need preparation to mean anything. */
static void prepare(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    u64 mask = e->asz == 8 ? ~0ull : e->asz == 4 ? 0xffffffff : 0xffff;
    unsigned src = e->seg >= 0 ? (unsigned)e->seg : OV_DS;
    if (r->flags & OF_STR) {
        u32 sb = segment_base(g, src), db = segment_base(g, OV_ES);
        u64 s = pick_linear(g, sb), d = pick_linear(g, db);
        if (has_operand(r, OK_Xb) || has_operand(r, OK_Xv)) set_reg(g, 6, (s - sb) & mask);
        if (has_operand(r, OK_Yb) || has_operand(r, OK_Yv)) set_reg(g, 7, (d - db) & mask);
        if (e->rep) set_reg(g, 1, chance(g, 1, 20) ? below(g, 0x1000) : below(g, 13));
    }
    if (r->operand[0] == OK_XlatB) {
        u32 sb = segment_base(g, src);
        set_reg(g, 3, (pick_linear(g, sb) - sb) & mask);
    }
    if (in_list("xsave xsaveopt xsavec xrstor", r->name)) {
        e->no_base = 1 << 0 | 1 << 2; /* EDX:EAX is an operand */
        set_reg(g, 0, below(g, 8));
        set_reg(g, 2, 0);
    }
    if (takes_selector(r)) e->seg = -1;
    if (r->operand[0] >= OK_sES && r->operand[0] <= OK_sGS) {
        u16 sel = pick_selector(g, r);
        patch(g, g->in.gpr[4] + (g->mode == OV_M16 ? OV_STACK : 0), &sel, 2);
    }
    if ((is_image(r) || takes_selector(r)) && g->mode == OV_M16)
        e->no_base |= 1 << 5; /* SS instead of DS */
    if (!strcmp(r->name, "xgetbv")) set_reg(g, 1, chance(g, 1, 2) ? 0 : 2 + below(g, 100));
    if (!strncmp(base_name(r), "maskmovq", 8) || !strncmp(base_name(r), "maskmovdqu", 10)) {
        u32 sb = segment_base(g, src);
        set_reg(g, 7, (OV_DATA + 0x100 + below(g, 0x3d00) - sb) & mask);
    }
    if ((!strcmp(r->name, "div") || !strcmp(r->name, "idiv")) && chance(g, 2, 3))
        set_reg(g, 2, chance(g, 1, 2) ? 0 : chance(g, 1, 4) ? ~0ull : below(g, 256));
    if (!strncmp(r->name, "shl", 3) && r->name[3] == 'd' && has_operand(r, OK_CL))
        set_reg(g, 1, below(g, 17));
    if (!strcmp(r->name, "shrd") && has_operand(r, OK_CL)) set_reg(g, 1, below(g, 17));
    if (!strcmp(r->name, "ret") && chance(g, 3, 4)) {
        u64 to = (g->mode == OV_M16 ? 0 : OV_CODE) + 0x20 + below(g, 0x700);
        if (!g->insns) patch(g, g->in.gpr[4] + (g->mode == OV_M16 ? OV_STACK : 0), &to, 8);
    }
}

/* A displacement whose target is outside the sequence: behind it, or before its first byte. */
static u64 branch_disp(struct gen_case *g, unsigned size)
{
    unsigned next = g->len + size;
    if (size == 1) {
        if (chance(g, 1, 2) || next > 100) return below(g, 128);
        return (u64)-(i64)(next + 1 + below(g, 127 - next));
    }
    if (size == 4 && chance(g, 1, 4)) return (rnd(g) & 0x3fffffff) | 0x10000;
    return chance(g, 1, 2) ? below(g, 0x600) : (u64)-(i64)(next + 1 + below(g, 0x500));
}

static void put_immediates(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    unsigned osz = e->rexw ? 8 : (g->mode == OV_M16) != e->opsize ? 2 : 4;
    if (e->m64 && (r->flags & OF_F64)) osz = 8;
    bool wide_shift = !strcmp(r->name, "shld") || !strcmp(r->name, "shrd");
    for (unsigned k = 0; k < LEN(r->operand) && r->operand[k]; k++) {
        u64 v = ov_gen_int(&g->rng);
        switch (r->operand[k]) {
        case OK_Ib: case OK_L: case OK_Lo: case OK_Ibs:
            if (wide_shift && osz == 2) v &= 15;
            if (!strcmp(r->name, "int") && (u8)v == 0x80) v = 0x81; /* Linux's system call */
            put(g, (u8)v);
            break;
        case OK_Ib2: put(g, (u8)(chance(g, 1, 2) ? v & 3 : v)); break;
        case OK_Iw: case OK_Iw2: put_n(g, chance(g, 3, 4) ? v & 0x3f8 : v, 2); break;
        case OK_Iz: put_n(g, v, MIN(osz, 4)); break;
        case OK_Iv: put_n(g, v, osz); break;
        case OK_Jb: put_n(g, branch_disp(g, 1), 1); break;
        case OK_Jz: {
            unsigned n = MIN(osz, 4);
            put_n(g, branch_disp(g, n), n);
            break;
        }
        case OK_Ob: case OK_Ov: {
            u32 sb = segment_base(g, e->seg >= 0 ? (unsigned)e->seg : OV_DS);
            put_n(g, pick_linear(g, sb) - sb, e->asz);
            break;
        }
        default: break;
        }
    }
}

static void put_prefixes(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    static const u8 seg_byte[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    bool vex = r->map >= MAP_V1;
    if (e->adsize) put(g, 0x67);
    if (e->seg >= 0) put(g, seg_byte[e->seg]);
    if (vex) {
        static const u8 bad[] = { 0x66, 0xf2, 0xf3, 0xf0 };
        if (e->bad_prefix) put(g, bad[below(g, 4)]);
        return;
    }
    if (e->lock) put(g, 0xf0);
    if (e->opsize) put(g, 0x66);
    if (e->rep) put(g, e->rep);
    if (e->rex) put(g, 0x40 | e->rex);
}

static void put_opcode(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    unsigned op = r->opcode;
    if (r->sel == SEL_PLUSR) op += below(g, 8);
    if (r->map >= MAP_V1) {
        static const u8 pp[] = { [PF_NP] = 0, [PF_66] = 1, [PF_F3] = 2, [PF_F2] = 3 };
        unsigned low = (~e->vexv & 15) << 3 | (unsigned)e->vexl << 2 | pp[r->prefix];
        if (r->map == MAP_V1 && !e->vexw && !(e->rex & 3) && chance(g, 1, 2)) {
            put(g, 0xc5);
            put(g, (~e->rex & 4) << 5 | low);
        } else {
            put(g, 0xc4);
            put(g, (~e->rex & 7) << 5 | (unsigned)(r->map - MAP_V1 + 1));
            put(g, (unsigned)e->vexw << 7 | low);
        }
    } else if (r->map != MAP_0) {
        put(g, 0x0f);
        if (r->map == MAP_38) put(g, 0x38);
        if (r->map == MAP_3A) put(g, 0x3a);
    }
    put(g, op);
}

static void choose_modrm(struct gen_case *g, struct encoding *e, const struct op_row *r)
{
    if (!(r->sel & SEL_HAS_MODRM)) {
        if (!strcmp(r->name, "pause")) e->rex = 0; /* with REX.B some processors exchange */
        if (r->sel == SEL_PLUSR && e->m64 && e->rex) e->rex |= (u8)below(g, 2);
        return;
    }
    e->has_modrm = true;
    unsigned digit = r->sel & SEL_DIGIT ? r->sel & 7u : below(g, 8);
    if (r->sel & SEL_EXACT) {
        e->modrm = (u8)r->sel;
        return;
    }
    bool mem = r->sel & SEL_MEMONLY || (!(r->sel & (SEL_REGONLY | SEL_ALLREG)) && chance(g, 1, 2));
    if (mem) {
        memory(g, e, r, digit);
        e->lock = r->flags & OF_LOCK ? chance(g, 1, 3) : chance(g, 1, 200);
        return;
    }
    unsigned rm = below(g, 8);
    e->modrm = (u8)(0xc0 | digit << 3 | rm);
    if (e->rex) e->rex |= (u8)below(g, 2);
    e->lock = chance(g, 1, 200);
    if (takes_selector(r)) {
        if ((rm | (e->rex & 1u) << 3) == 4) e->modrm = (u8)(e->modrm ^ 4), rm = 0; /* not SP */
        set_reg(g, rm | (e->rex & 1u) << 3, (rnd(g) & 0xffff0000) | pick_selector(g, r));
    }
    bool indirect = (!strcmp(r->name, "jmp") || !strcmp(r->name, "call")) && r->opcode == 0xff;
    if (indirect && chance(g, 3, 4) && (rm | (e->rex & 1u) << 3) != 4)
        set_reg(g, rm | (e->rex & 1u) << 3,
                (g->mode == OV_M16 ? 0 : OV_CODE) + 0x20 + below(g, 0x700));
}

static void emit(struct gen_case *g, const struct op_row *r)
{
    struct encoding e = { 0 };
    choose_prefixes(g, &e, r);
    prepare(g, &e, r);
    choose_modrm(g, &e, r);
    if (r->map >= MAP_V1) e.lock = false;
    g->start[g->insns] = (u16)g->len;
    put_prefixes(g, &e, r);
    put_opcode(g, &e, r);
    if (e.has_modrm) put(g, e.modrm);
    if (e.has_sib) put(g, e.sib);
    unsigned disp_at = g->len;
    put_n(g, (u64)e.disp, e.disp_size);
    put_immediates(g, &e, r);
    if (e.rip_relative) {
        u64 next = OV_CODE + g->off + g->len;
        u32 d = (u32)(e.rip_target - next);
        memcpy(g->code + disp_at, &d, 4);
    }
    g->insns++;
}

/* ---- the case ---- */

static bool ends_sequence(const struct op_row *r)
{
    return (r->flags & (OF_F64 | OF_COND)) || is_image(r) ||
           loads_segment(r) || in_list("into int3 int int1 hlt xgetbv cvtpi2ps", r->name);
}

static u8 tolerance_of(const struct op_row *r)
{
    if (in_list("fsin fcos fsincos fptan fpatan f2xm1 fyl2x fyl2xp1", r->name)) return 1;
    if (in_list("rcpps rcpss rsqrtps rsqrtss", base_name(r))) return 2;
    if (in_list("xgetbv", r->name)) return 5;
    if (in_list("lar", r->name)) return 6;
    return in_list("dpps dppd", base_name(r)) ? 3 : in_list("ffree ffreep", r->name) ? 4 : 0;
}

static void add(struct gen_case *g, const struct op_row *r)
{
    size_t l = strlen(g->names);
    snprintf(g->names + l, sizeof(g->names) - l, "%s%.*s", l ? "; " : "",
             (int)strcspn(r->name, "|"), r->name);
    g->row[g->insns] = (u16)(r - op_rows);
    emit(g, r);
    g->end[g->insns - 1] = (u16)g->len;
    u32 u = undefined_flags(r);
    if (sets_all_flags(r)) g->undef_end = 0;
    g->undef_end |= u;
    g->undef_any |= u;
    g->tolerance = tolerance_of(r);
}

void gen_make(struct gen_case *g, const struct gen_rows *rows, unsigned mode, u64 seed, u64 index)
{
    memset(g, 0, sizeof(*g));
    g->mode = mode;
    g->rng = seed * 0x9e3779b97f4a7c15ull + index * 0xd1342543de82ef95ull + mode;
    u64 state_seed = rnd(g);
    const struct op_row *first = &op_rows[rows->row[index % rows->count]];
    ov_expand(state_seed, mode, below(g, 4), &g->in);
    g->off = chance(g, 1, 8) ? 0x1000 - 1 - below(g, 12) : OV_ENTRY + 0x21 + below(g, 200);
    g->in.rip = (mode == OV_M16 ? 0 : OV_CODE) + g->off;
    unsigned want = chance(g, 1, 3) ? 1 : 1 + below(g, 6);
    add(g, first);
    const struct op_row *last = first;
    for (unsigned tries = 0; g->insns < want && tries < 40 && g->len < 120; tries++) {
        if (ends_sequence(last) || g->tolerance) break;
        const struct op_row *r = &op_rows[rows->row[below(g, rows->count)]];
        if (g->undef_end && reads_flags(r)) continue;
        if (loads_segment(r)) continue; /* only as first: then the stack and addresses are known */
        add(g, r);
        last = r;
    }
}
