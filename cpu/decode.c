/* The instruction decoder: prefixes, opcode map, table row, ModRM/SIB, displacement, immediates
 * (SDM 2A chapter 2).
 *
 * opcodes.def is expanded into op_rows[]. For every (map, opcode) a head index names the last row
 * of that opcode in each of the four row files; rows of one opcode stand together, so the
 * candidates are found by walking back from there. An encoding that no row fits becomes an
 * instruction with the handler op_ud whose length covers what was read. Left out: EVEX, XOP and
 * 3DNow!. */
#include "cpu/decode.h"

#define NO_ROW 0xffff

/* clang-format off */
#define H(f) { op_##f, op_##f, op_##f, op_##f, op_##f, op_##f, op_##f, op_##f }
#define HR(f) { op_##f##_r, op_##f##_r, op_##f##_r, op_##f##_r, op_##f##_m, op_##f##_m, op_##f##_m, op_##f##_m }
#define HS(f) { op_##f##_16, op_##f##_16, op_##f##_32, op_##f##_64, op_##f##_16, op_##f##_16, op_##f##_32, op_##f##_64 }
#define HSR(f) { op_##f##_r16, op_##f##_r16, op_##f##_r32, op_##f##_r64, op_##f##_m16, op_##f##_m16, op_##f##_m32, op_##f##_m64 }
#define OP(map, opc, pfx, sel, mode, name, o1, o2, o3, o4, ft, flags, h) \
    { name, MAP_##map, 0x##opc, PF_##pfx, MODE_##mode, SEL_##sel, flags, { OK_##o1, OK_##o2, OK_##o3, OK_##o4 }, FT_##ft, h },
/* clang-format on */
const struct op_row op_rows[] = {
#include "cpu/opcodes.def"
};
#undef OP
#undef H
#undef HR
#undef HS
#undef HSR
const unsigned op_row_count = LEN(op_rows);

/* Row number + 1 of the last row of an opcode, per file; 0: none. Later rows override earlier ones
 * on purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
enum { ROW_COUNTER_BASE = __COUNTER__ };
#define OPKEY(map, opc) ((MAP_##map) * 256 + 0x##opc)
#define OP(map, opc, pfx, sel, mode, name, o1, o2, o3, o4, ft, flags, h)                           \
    [OPKEY(map, opc)... OPKEY(map, opc) + ((SEL_##sel) == SEL_PLUSR ? 7 : 0)] =                    \
        __COUNTER__ - ROW_COUNTER_BASE,
static const u16 heads[4][MAP_COUNT * 256] = {
    {
#include "cpu/opcodes_int.def"
    },
    {
#include "cpu/opcodes_fpu.def"
    },
    {
#include "cpu/opcodes_sse.def"
    },
    {
#include "cpu/opcodes_avx.def"
    },
};
#undef OP
#pragma GCC diagnostic pop

struct reader {
    const struct decode_mode *mode;
    const u8 *p;
    unsigned pos, len;
    bool short_read;
    /* prefixes */
    bool opsize, adsize, lock, vex;
    u8 rep;
    int segment;
    u8 rex; /* low four bits W R X B; VEX sets them too */
    bool has_rex, legacy_before_vex;
    u8 vex_pp, vex_l, vex_v;
};

static u8 next8(struct reader *d)
{
    if (d->pos >= d->len) {
        d->short_read = true;
        return 0;
    }
    return d->p[d->pos++];
}

static u64 next_n(struct reader *d, unsigned n)
{
    u64 v = 0;
    for (unsigned k = 0; k < n; k++) v |= (u64)next8(d) << (8 * k);
    return v;
}

static u64 next_signed(struct reader *d, unsigned n)
{
    u64 v = next_n(d, n);
    return n == 1 ? (u64)(i8)v : n == 2 ? (u64)(i16)v : n == 4 ? (u64)(i32)v : v;
}

/* Reads prefixes; returns the first opcode byte. In 64-bit mode a REX prefix counts only directly
 * before the opcode. */
static u8 read_prefixes(struct reader *d)
{
    bool m64 = d->mode->bits == BITS64;
    for (;;) {
        u8 b = next8(d);
        if (d->short_read || d->pos > INSN_MAX_LEN) return b;
        bool is_rex = false;
        switch (b) {
        case 0x26: case 0x2e: case 0x36: case 0x3e:
            if (!m64) d->segment = (b >> 3) & 3;
            break;
        case 0x64: d->segment = SEG_FS; break;
        case 0x65: d->segment = SEG_GS; break;
        case 0x66: d->opsize = true; break;
        case 0x67: d->adsize = true; break;
        case 0xf0: d->lock = true; break;
        case 0xf2: case 0xf3: d->rep = b; break;
        default:
            if (!m64 || (b & 0xf0) != 0x40) return b;
            d->rex = b & 15;
            d->has_rex = is_rex = true;
        }
        if (!is_rex) {
            d->rex = 0;
            d->has_rex = false;
        }
    }
}

/* C4/C5 as VEX: in 64-bit mode always, else when the next byte has mod = 3. Fills the fields and
 * returns the map, or -1: not VEX. */
static int read_vex(struct reader *d, u8 b)
{
    if (d->pos >= d->len) {
        d->short_read = true;
        return -1;
    }
    if (d->mode->bits != BITS64 && (d->p[d->pos] & 0xc0) != 0xc0) return -1;
    d->legacy_before_vex = d->opsize || d->rep || d->lock || d->has_rex;
    d->vex = true;
    u8 b1 = next8(d), map = 1, rex = (u8)(~b1 >> 5 & 4); /* R */
    if (b == 0xc4) {
        u8 b2 = next8(d);
        rex = (u8)((~b1 >> 5) & 7) | (b2 >> 4 & 8);
        map = b1 & 31;
        b1 = b2;
    }
    d->vex_v = ~b1 >> 3 & 15;
    d->vex_l = b1 >> 2 & 1;
    d->vex_pp = b1 & 3;
    d->rex = d->mode->bits == BITS64 ? rex : rex & 8;
    return map >= 1 && map <= 3 ? MAP_V1 + map - 1 : MAP_COUNT;
}

static bool prefix_fits(const struct reader *d, u8 want)
{
    if (d->vex) {
        static const u8 pp[4] = { PF_NP, PF_66, PF_F3, PF_F2 };
        return want == pp[d->vex_pp];
    }
    switch (want) {
    case PF_ANY: return true;
    case PF_NF: return !d->rep;
    case PF_NP: return !d->rep && !d->opsize;
    case PF_66: return !d->rep && d->opsize;
    case PF_F3: return d->rep == 0xf3;
    default: return d->rep == 0xf2;
    }
}

static bool modrm_fits(u16 sel, u8 modrm)
{
    if (!(sel & SEL_HAS_MODRM) || (sel & SEL_ALLREG)) return true;
    bool reg = modrm >= 0xc0;
    if ((sel & SEL_REGONLY) && !reg) return false;
    if ((sel & SEL_MEMONLY) && reg) return false;
    if (sel & SEL_EXACT) return modrm == (sel & 0xff);
    return !(sel & SEL_DIGIT) || ((modrm >> 3) & 7) == (sel & 7);
}

static bool vex_fits(const struct reader *d, const struct op_row *r)
{
    unsigned f = r->flags;
    if (d->vex) {
        if ((f & OF_L0) && d->vex_l) return false;
        if ((f & OF_L1) && !d->vex_l) return false;
        if ((f & OF_W0) && (d->rex & 8)) return false;
        if ((f & OF_NOV) && d->vex_v) return false;
    }
    return !(f & OF_W1) || (d->rex & 8);
}

/* The row for the bytes at hand, or NULL. */
static const struct op_row *find_row(struct reader *d, unsigned map, u8 opcode)
{
    u8 modrm = 0;
    bool looked = false;
    if (d->pos < d->len) modrm = d->p[d->pos];
    for (unsigned f = 0; f < LEN(heads); f++) {
        unsigned n = heads[f][map * 256 + opcode];
        const struct op_row *hit = NULL;
        for (; n; n--) {
            const struct op_row *r = &op_rows[n - 1];
            unsigned span = r->sel == SEL_PLUSR ? 7 : 0;
            if (r->map != map || opcode < r->opcode || opcode > r->opcode + span) break;
            if (r->mode != MODE_ALL && (r->mode == MODE_64) != (d->mode->bits == BITS64)) continue;
            if (r->feature && !(d->mode->features >> r->feature & 1)) continue;
            if ((r->sel & SEL_HAS_MODRM) && d->pos >= d->len) {
                d->short_read = true;
                return NULL;
            }
            looked |= r->sel & SEL_HAS_MODRM;
            if (prefix_fits(d, r->prefix) && modrm_fits(r->sel, modrm) && vex_fits(d, r))
                hit = r; /* the first one wins: keep walking */
        }
        if (hit) return hit;
    }
    if (looked) next8(d); /* the byte that made it undefined belongs to it: it may be written to */
    return NULL;
}

static void set_sizes(const struct reader *d, const struct op_row *r, struct insn *i)
{
    bool m64 = d->mode->bits == BITS64, w = d->rex & 8;
    unsigned f = r->flags;
    bool small = (d->mode->bits == BITS16) != d->opsize; /* 66 toggles between 16 and 32 */
    if (f & OF_BYTE) i->osz = OSZ8;
    else if (f & OF_W32) i->osz = m64 && w ? OSZ64 : OSZ32;
    else if (m64 && ((f & OF_F64) || w)) i->osz = OSZ64;
    else if (m64 && (f & OF_D64)) i->osz = d->opsize ? OSZ16 : OSZ64;
    else i->osz = small ? OSZ16 : OSZ32;
    if (m64) i->asz = d->adsize ? ASZ32 : ASZ64;
    else i->asz = (d->mode->bits == BITS16) != d->adsize ? ASZ16 : ASZ32;
}

/* 16-bit addressing forms (SDM 2A table 2-1). */
static void read_mem16(struct reader *d, struct insn *i, unsigned mod)
{
    static const u8 base[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
    static const u8 index[8] = { RSI, RDI, RSI, RDI, REG_ZERO, REG_ZERO, REG_ZERO, REG_ZERO };
    unsigned rm = i->rm & 7;
    i->base = base[rm];
    i->index = index[rm];
    if (mod == 0 && rm == 6) {
        i->base = REG_ZERO;
        i->disp = (i32)next_signed(d, 2);
    } else if (mod) {
        i->disp = (i32)next_signed(d, mod);
    }
    i->seg = i->base == RBP ? SEG_SS : SEG_DS;
}

/* vsib: the index is a vector register, 4 no exception. */
static void read_mem32(struct reader *d, struct insn *i, unsigned mod, bool vsib)
{
    unsigned rm = i->modrm & 7, rex = d->rex;
    if (rm == 4) {
        u8 sib = next8(d);
        i->scale = sib >> 6;
        i->index = (u8)((sib >> 3 & 7) | (rex & 2) << 2);
        if (i->index == RSP && !vsib) i->index = REG_ZERO;
        rm = sib & 7;
        i->base = (u8)(rm | (rex & 1) << 3);
        if (mod == 0 && rm == 5) i->base = REG_ZERO;
    } else {
        i->base = (u8)(rm | (rex & 1) << 3);
        if (mod == 0 && rm == 5) i->base = d->mode->bits == BITS64 ? REG_RIP : REG_ZERO;
    }
    if (mod == 1) i->disp = (i32)next_signed(d, 1);
    else if (mod == 2 || i->base == REG_RIP || i->base == REG_ZERO)
        i->disp = (i32)next_signed(d, 4);
    i->seg = i->base == RSP || i->base == RBP ? SEG_SS : SEG_DS;
}

static void read_modrm(struct reader *d, const struct op_row *r, struct insn *i)
{
    i->modrm = next8(d);
    unsigned mod = i->modrm >> 6;
    i->reg = (u8)((i->modrm >> 3 & 7) | (d->rex & 4) << 1);
    i->rm = (u8)((i->modrm & 7) | (d->rex & 1) << 3);
    if (mod == 3 || (r->sel & SEL_ALLREG)) return;
    i->flags |= INSN_MEM;
    if (i->asz == ASZ16) read_mem16(d, i, mod);
    else read_mem32(d, i, mod, r->flags & OF_VSIB);
}

static void read_immediate(struct reader *d, struct insn *i, unsigned kind)
{
    unsigned size = 1u << i->osz; /* bytes */
    switch (kind) {
    case OK_Ib: case OK_L: case OK_Lo: i->imm = next8(d); break;
    case OK_Ib2: i->imm2 = next8(d); break;
    case OK_Iw2: i->imm2 = (u16)next_n(d, 2); break;
    case OK_Ibs: case OK_Jb: i->imm = next_signed(d, 1); break;
    case OK_Iw: i->imm = next_n(d, 2); break;
    case OK_Iz: case OK_Jz: i->imm = next_signed(d, MIN(size, 4)); break;
    case OK_Iv: i->imm = next_signed(d, size); break;
    case OK_Ob: case OK_Ov: i->imm = next_n(d, 1u << i->asz); break;
    case OK_Ap:
        i->imm = next_n(d, size);
        i->imm2 = (u16)next_n(d, 2);
        break;
    default: break;
    }
}

static void make_ud(struct reader *d, struct insn *i)
{
    i->fn = op_ud;
    i->op = OP_UD_ROW;
    i->flags |= INSN_ENDS;
    i->len = (u8)d->pos;
}

/* Everything after the opcode byte. */
static void decode_tail(struct reader *d, const struct op_row *r, struct insn *i)
{
    set_sizes(d, r, i);
    i->op = (u16)(r - op_rows);
    if (r->sel & SEL_HAS_MODRM) read_modrm(d, r, i);
    else if (r->sel == SEL_PLUSR) i->rm = (u8)((i->mapop & 7) | (d->rex & 1) << 3);
    for (unsigned k = 0; k < LEN(r->operand) && r->operand[k]; k++)
        read_immediate(d, i, r->operand[k]);
    if (d->segment >= 0) {
        i->seg = (u8)d->segment;
        i->flags |= INSN_SEGOVR;
    }
    i->flags |= (d->lock ? INSN_LOCK : 0) | (d->has_rex ? INSN_REX : 0) |
                (d->rex & 8 ? INSN_REXW : 0) | (d->opsize ? INSN_OPSIZE : 0) |
                (d->adsize ? INSN_ADSIZE : 0) | (r->flags & OF_ENDS ? INSN_ENDS : 0);
    bool is_mem = i->flags & INSN_MEM;
    i->fn = r->fn[is_mem * 4 + i->osz];
    i->len = (u8)d->pos;
    /* LOCK without a lockable memory operand; the CR moves are listed for AMD's LOCK MOV CR0 = CR8,
     * which is not offered. */
    if (d->lock && !((r->flags & OF_LOCK) && is_mem)) make_ud(d, i);
    /* A gather's operand has a SIB byte. */
    if ((r->flags & OF_VSIB) && (i->asz == ASZ16 || (i->modrm & 7) != 4)) make_ud(d, i);
}

enum decode_result decode_insn(const struct decode_mode *m, const u8 *code, unsigned len,
                               struct insn *i)
{
    struct reader d = { .mode = m, .p = code, .len = len, .segment = -1 };
    memset(i, 0, sizeof *i);
    i->base = i->index = REG_ZERO;
    i->seg = SEG_DS;
    u8 b = read_prefixes(&d);
    unsigned map = MAP_0;
    int vex = -1;
    if (b == 0x0f) {
        b = next8(&d);
        map = b == 0x38 ? MAP_38 : b == 0x3a ? MAP_3A : MAP_0F;
        if (map != MAP_0F) b = next8(&d);
    } else if (b == 0xc4 || b == 0xc5) {
        vex = read_vex(&d, b);
        if (vex >= 0) {
            map = (unsigned)vex;
            b = next8(&d);
        }
    }
    i->rep = d.rep;
    i->mapop = b;
    i->vvvv = m->bits == BITS64 ? d.vex_v : d.vex_v & 7;
    i->vl = d.vex_l;
    const struct op_row *r = NULL;
    if (!d.short_read && map < MAP_COUNT && !(d.vex && d.legacy_before_vex))
        r = find_row(&d, map, b);
    if (r) decode_tail(&d, r, i);
    if (d.pos > INSN_MAX_LEN) return DECODE_TOO_LONG;
    if (d.short_read) return len >= INSN_MAX_LEN ? DECODE_TOO_LONG : DECODE_MORE;
    if (!r) make_ud(&d, i);
    return DECODE_OK;
}
