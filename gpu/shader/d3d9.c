/* Direct3D 9 token streams (vs_1_1 to vs_3_0, ps_1_1 to ps_3_0) to IR.
 *
 * The number of operands comes from the table of opcodes, never from the length in an instruction's
 * token: the guest's own driver counts the token itself there, Microsoft's compilers do not, and
 * both occur. Bit 31 of parameters is ignored for the same reason. Refused (NULL with a reason):
 * texbem, texbeml and bem, whose matrices are texture stage states that no packet carries, volume
 * textures, registers that the version does not have. Document: the contract's parts "command
 * stream", section 6.2, and "executor", sections 7 and 8. */
#include <stdlib.h>

#include "gpu/shader/d3d9.h"
#include "machine/core/error.h"

enum { XYZW = 0xe4, XXXX = 0x00, WWWW = 0xff };
u32 d3d9_token(struct d3d9_parser *s)
{
    if (s->at >= s->count) {
        s->why = "token stream ends early";
        return 0;
    }
    return ld32(s->bytes + 4 * (size_t)s->at++);
}

void *d3d9_refuse(struct d3d9_parser *s, const char *why)
{
    if (!s->why) s->why = why;
    return NULL;
}

struct ir_insn *d3d9_emit(struct d3d9_parser *s, u16 op)
{
    struct ir_program *p = s->p;
    if (p->insn_count == s->insn_cap) {
        s->insn_cap = s->insn_cap ? s->insn_cap * 2 : 32;
        p->insns = xrealloc(p->insns, s->insn_cap * sizeof(*p->insns));
    }
    if (p->insn_count >= IR_MAX_INSNS) d3d9_refuse(s, "too many instructions");
    struct ir_insn *i = &p->insns[p->insn_count];
    if (!s->why) p->insn_count++;
    memset(i, 0, sizeof(*i));
    i->op = op;
    return i;
}

/* ---- parameters ---- */

/* Marks and returns the input register of the program for v# or t#. */
static u16 use_input(struct d3d9_parser *s, unsigned n, bool texture)
{
    unsigned index = texture ? PS2_TEXCOORD + n : n;
    if (index >= 16 || (s->ps && s->version < 30 && n >= (texture ? 8u : 2u))) {
        d3d9_refuse(s, "input register");
        return 0;
    }
    struct ir_port *in = &s->p->input[index];
    in->used = true;
    in->mask = 15;
    if (s->ps && s->version < 30 && !in->declared) {
        in->declared = true;
        in->usage = texture ? IR_USAGE_TEXCOORD : IR_USAGE_COLOR;
        in->usage_index = (u8)n;
    }
    return (u16)index;
}

static void use_constant(struct d3d9_parser *s, unsigned n, bool relative)
{
    struct ir_program *p = s->p;
    if (n < 256 && p->def_at[0][n] && !relative) return;
    p->reads_constants = true;
    if (n >= 240 && n <= 243) p->reads_wvp = true;
    if (relative) p->relative_constants = true;
}

/* File and index of a register that is read. */
static void source_register(struct d3d9_parser *s, u32 t, struct ir_src *out)
{
    unsigned n = t & 0x7ff;
    bool relative = t >> 13 & 1;
    out->index = (u16)n;
    switch (d3d9_type(t)) {
    case T_TEMP:
        out->file = IR_TEMP;
        if (n >= 32) d3d9_refuse(s, "temporary register");
        break;
    case T_INPUT:
        out->file = IR_INPUT;
        out->index = use_input(s, n, false);
        break;
    case T_CONST:
        out->file = IR_CONST;
        if (n >= 256) d3d9_refuse(s, "constant register");
        use_constant(s, n, relative);
        break;
    case T_ADDR: /* a0, or t# of a pixel shader */
        if (!s->ps) {
            out->file = IR_ADDR;
        } else if (s->version < 14) {
            out->file = IR_TEMP;
            out->index = (u16)(PS1_T + (n & 7));
            if (n >= 8) d3d9_refuse(s, "texture register");
            s->ps1_read[n & 7] = true;
        } else {
            out->file = IR_INPUT;
            out->index = use_input(s, n, true);
        }
        break;
    case T_CONSTI: out->file = IR_CONST_I; break;
    case T_CONSTB: out->file = IR_CONST_B; break;
    case T_LOOP: out->file = IR_AL; break;
    case T_PRED: out->file = IR_PRED; break;
    case T_MISC:
        out->file = IR_SPECIAL;
        out->index = n == 0 ? IR_SP_POSITION : IR_SP_FACE;
        break;
    default: d3d9_refuse(s, "source register type");
    }
    if ((out->file == IR_CONST_I || out->file == IR_CONST_B) && n >= 256)
        d3d9_refuse(s, "constant register");
}

/* The register that is added to an index: its own token from SM2 on, a0.x before. */
static void relative(struct d3d9_parser *s, u32 t, struct ir_relative *rel)
{
    if (!(t >> 13 & 1)) return;
    *rel = (struct ir_relative){ IR_ADDR, 0, 0 };
    if (s->version < 20) return;
    u32 r = d3d9_token(s);
    rel->component = (u8)(r >> 16 & 3);
    if (d3d9_type(r) == T_LOOP)
        rel->file = IR_AL;
    else if (d3d9_type(r) != T_ADDR || s->ps)
        d3d9_refuse(s, "relative address register");
}

struct ir_src d3d9_source(struct d3d9_parser *s)
{
    static const struct {
        u8 modifier;
        bool abs, neg;
    } modifiers[16] = {
        { IR_MOD_NONE, false, false }, { IR_MOD_NONE, false, true },  { IR_MOD_BIAS, false, false },
        { IR_MOD_BIAS, false, true },  { IR_MOD_SIGN, false, false }, { IR_MOD_SIGN, false, true },
        { IR_MOD_COMP, false, false }, { IR_MOD_X2, false, false },   { IR_MOD_X2, false, true },
        { IR_MOD_DZ, false, false },   { IR_MOD_DW, false, false },   { IR_MOD_NONE, true, false },
        { IR_MOD_NONE, true, true },   { IR_MOD_NOT, false, false },
    };
    struct ir_src out = { 0 };
    u32 t = d3d9_token(s);
    if (s->why) return out;
    source_register(s, t, &out);
    unsigned m = t >> 24 & 15;
    if (m > 13) d3d9_refuse(s, "source modifier");
    out.swizzle = (u8)(t >> 16);
    out.modifier = modifiers[m].modifier;
    out.abs = modifiers[m].abs;
    out.neg = modifiers[m].neg;
    relative(s, t, &out.rel);
    return out;
}

/* A scalar operand: the last component of its swizzle, in all components. */
static struct ir_src scalar(struct d3d9_parser *s)
{
    struct ir_src out = d3d9_source(s);
    out.swizzle = (u8)((out.swizzle >> 6) * 0x55);
    return out;
}

static void raster_output(struct d3d9_parser *s, unsigned n, struct ir_dst *out)
{
    static const u8 index[3] = { IR_O_POSITION, IR_O_FOG, IR_O_PSIZE };
    if (n > 2) {
        d3d9_refuse(s, "output register");
        return;
    }
    out->index = index[n];
    if (n == 1) s->p->writes_fog = true;
    if (n == 2) s->p->writes_psize = true;
}

static void vertex_output(struct d3d9_parser *s, unsigned type, unsigned n, struct ir_dst *out)
{
    out->file = IR_OUTPUT;
    if (type == T_RASTOUT) {
        raster_output(s, n, out);
    } else if (s->version >= 30) {
        out->index = (u16)(IR_O_SM3 + n);
        if (n >= 12) d3d9_refuse(s, "output register");
    } else {
        out->index = (u16)((type == T_ATTROUT ? IR_O_COLOR0 : IR_O_TEXCOORD0) + n);
        if (n >= (type == T_ATTROUT ? 2u : 8u)) d3d9_refuse(s, "output register");
    }
    if (!s->why) s->p->output[out->index].used = true;
}

static void destination_register(struct d3d9_parser *s, u32 t, struct ir_dst *out)
{
    unsigned n = t & 0x7ff, type = d3d9_type(t);
    out->index = (u16)n;
    switch (type) {
    case T_TEMP:
        out->file = IR_TEMP;
        if (n >= 32) d3d9_refuse(s, "temporary register");
        return;
    case T_ADDR:
        out->file = s->ps ? IR_TEMP : IR_ADDR;
        if (s->ps) out->index = (u16)(PS1_T + (n & 7));
        if (n >= (s->ps ? 8u : 1u) || (s->ps && s->version >= 14))
            d3d9_refuse(s, "destination register");
        return;
    case T_PRED: out->file = IR_PRED; return;
    case T_COLOROUT:
    case T_DEPTHOUT:
        out->file = IR_OUTPUT;
        if (!s->ps || n >= (type == T_COLOROUT ? 4u : 1u)) d3d9_refuse(s, "output register");
        if (type == T_DEPTHOUT) {
            out->index = IR_O_DEPTH;
            s->p->writes_depth = true;
        }
        if (!s->why) s->p->output[out->index].used = true;
        return;
    case T_RASTOUT:
    case T_ATTROUT:
    case T_TEXOUT:
        if (s->ps)
            d3d9_refuse(s, "output register");
        else
            vertex_output(s, type, n, out);
        return;
    default: d3d9_refuse(s, "destination register type");
    }
}

struct ir_dst d3d9_destination(struct d3d9_parser *s)
{
    struct ir_dst out = { 0 };
    u32 t = d3d9_token(s);
    if (s->why) return out;
    destination_register(s, t, &out);
    out.mask = (u8)(t >> 16 & 15);
    out.sat = t >> 20 & 1;
    int shift = (int)(t >> 24 & 15);
    out.shift = (i8)(shift > 7 ? shift - 16 : shift);
    relative(s, t, &out.rel);
    return out;
}

/* ---- instructions that are one row of a table ---- */

enum { F_SCALAR = 1, F_VS = 2, F_PS = 4, F_EXTRA2 = 8, F_DERIV = 16 };
static const struct simple {
    u16 opcode, op;
    u8 sources, flags;
    u8 from, to; /* versions */
} simples[] = {
    { 1, IR_MOV, 1, 0, 10, 30 },
    { 2, IR_ADD, 2, 0, 10, 30 },
    { 4, IR_MAD0, 3, 0, 10, 30 },
    { 5, IR_MUL0, 2, 0, 10, 30 },
    { 6, IR_RCP0, 1, F_SCALAR, 10, 30 },
    { 7, IR_RSQ0, 1, F_SCALAR, 10, 30 },
    { 8, IR_DP3_0, 2, 0, 10, 30 },
    { 9, IR_DP4_0, 2, 0, 10, 30 },
    { 10, IR_MIN0, 2, 0, 10, 30 },
    { 11, IR_MAX0, 2, 0, 10, 30 },
    { 12, IR_SLT, 2, 0, 10, 30 },
    { 13, IR_SGE, 2, 0, 10, 30 },
    { 14, IR_EXP, 1, F_SCALAR, 10, 30 },
    { 15, IR_LOG0, 1, F_SCALAR, 10, 30 },
    { 16, IR_LIT0, 1, F_VS, 10, 30 },
    { 17, IR_DST0, 2, F_VS, 10, 30 },
    { 18, IR_LRP0, 3, 0, 10, 30 },
    { 19, IR_FRC, 1, 0, 10, 30 },
    { 32, IR_POW0, 2, F_SCALAR, 20, 30 },
    { 33, IR_CRS0, 2, 0, 20, 30 },
    { 34, IR_SGN0, 1, F_EXTRA2, 20, 29 },
    { 34, IR_SGN0, 1, 0, 30, 30 },
    { 36, IR_NRM0, 1, 0, 20, 30 },
    { 37, IR_SINCOS, 1, F_SCALAR | F_EXTRA2, 20, 29 },
    { 37, IR_SINCOS, 1, F_SCALAR, 30, 30 },
    { 46, IR_MOVA, 1, F_VS, 20, 30 },
    { 78, IR_EXPP, 1, F_SCALAR, 10, 19 },
    { 78, IR_EXP, 1, F_SCALAR, 20, 30 },
    { 79, IR_LOGP, 1, F_SCALAR, 10, 19 },
    { 79, IR_LOG0, 1, F_SCALAR, 20, 30 },
    { 80, IR_CND, 3, F_PS, 10, 14 },
    { 88, IR_CMP_GE0, 3, F_PS, 10, 30 },
    { 90, IR_DP2ADD0, 3, F_PS, 20, 30 },
    { 91, IR_DSX, 1, F_PS | F_DERIV, 20, 30 },
    { 92, IR_DSY, 1, F_PS | F_DERIV, 20, 30 },
};

void d3d9_predicate(struct d3d9_parser *s, struct ir_insn *i, u32 word)
{
    if (!(word >> 28 & 1)) return;
    i->predicated = true;
    i->pred = d3d9_source(s);
    if (i->pred.file != IR_PRED) d3d9_refuse(s, "predicate register");
}

static bool simple(struct d3d9_parser *s, u32 word)
{
    for (unsigned k = 0; k < LEN(simples); k++) {
        const struct simple *r = &simples[k];
        if (r->opcode != (word & 0xffff) || s->version < r->from || s->version > r->to) continue;
        if ((r->flags & F_VS && s->ps) || (r->flags & F_PS && !s->ps)) continue;
        struct ir_insn i = { .op = r->op };
        i.dst = d3d9_destination(s);
        d3d9_predicate(s, &i, word);
        for (unsigned n = 0; n < r->sources; n++)
            i.src[n] = r->flags & F_SCALAR ? scalar(s) : d3d9_source(s);
        if (r->flags & F_EXTRA2) { /* scratch registers or constants that the expansion needed */
            d3d9_token(s);
            d3d9_token(s);
        }
        if (r->op == IR_MOV && i.dst.file == IR_ADDR) i.op = IR_MOVA_FLOOR;
        if (r->flags & F_DERIV) s->p->derivatives = true;
        *d3d9_emit(s, i.op) = i;
        return true;
    }
    return false;
}

/* sub: the sum with the second operand negated; abs: a move with a modifier */
static bool near_simple(struct d3d9_parser *s, u32 word)
{
    unsigned opcode = word & 0xffff;
    struct ir_insn i = { .op = opcode == 3 ? IR_ADD : IR_MOV };
    if (opcode != 3 && opcode != 35) return false;
    i.dst = d3d9_destination(s);
    d3d9_predicate(s, &i, word);
    i.src[0] = d3d9_source(s);
    if (opcode == 3) {
        i.src[1] = d3d9_source(s);
        i.src[1].neg = !i.src[1].neg;
    } else {
        i.src[0].abs = true;
        i.src[0].neg = false;
    }
    *d3d9_emit(s, i.op) = i;
    return true;
}

/* m4x4, m4x3, m3x4, m3x3, m3x2: one dot product per row of the matrix in consecutive registers. */
static bool matrix(struct d3d9_parser *s, u32 word)
{
    static const struct {
        u8 op, rows;
    } kinds[] = {
        { IR_DP4_0, 4 }, { IR_DP4_0, 3 }, { IR_DP3_0, 4 }, { IR_DP3_0, 3 }, { IR_DP3_0, 2 }
    };
    unsigned kind = (word & 0xffff) - 20;
    if (kind >= LEN(kinds)) return false;
    struct ir_insn i = { .op = kinds[kind].op };
    i.dst = d3d9_destination(s);
    d3d9_predicate(s, &i, word);
    i.src[0] = d3d9_source(s);
    i.src[1] = d3d9_source(s);
    /* the rows must not see the results of those before: through a temp when the destination is
     * also the vector */
    bool overlap =
        i.dst.file == IR_TEMP && i.src[0].file == IR_TEMP && i.dst.index == i.src[0].index;
    struct ir_dst to = i.dst;
    if (overlap) i.dst = (struct ir_dst){ .file = IR_TEMP, .index = PS1_SAVE };
    for (unsigned row = 0; row < kinds[kind].rows; row++) {
        struct ir_insn r = i;
        r.dst.mask = (u8)(to.mask & 1 << row);
        r.src[1].index = (u16)(i.src[1].index + row);
        if (r.src[1].file == IR_CONST)
            use_constant(s, r.src[1].index, r.src[1].rel.file != IR_NULL);
        if (r.src[1].index >= (r.src[1].file == IR_CONST ? 256 : 32))
            d3d9_refuse(s, "matrix beyond the last register");
        if (r.dst.mask) *d3d9_emit(s, r.op) = r;
    }
    if (!overlap) return true;
    struct ir_insn *move = d3d9_emit(s, IR_MOV);
    move->dst = to;
    move->src[0] = (struct ir_src){ .file = IR_TEMP, .swizzle = XYZW, .index = PS1_SAVE };
    return true;
}

/* ---- textures ---- */

void d3d9_use_texture(struct d3d9_parser *s, struct ir_insn *i, unsigned n)
{
    if (n >= 16) {
        d3d9_refuse(s, "sampler register");
        return;
    }
    i->tex = (struct ir_tex){ .resource = (u16)n, .sampler = (u16)n, .swizzle = XYZW };
    s->p->textures[0] |= 1u << n;
    s->p->samplers |= 1u << n;
    s->p->derivatives |= s->ps;
}

static struct ir_src component(struct ir_src v, unsigned c)
{
    unsigned from = v.swizzle >> (2 * c) & 3;
    v.swizzle = (u8)(from * 0x55);
    return v;
}

/* texld of SM2 and later: destination, coordinates, sampler */
static void texld(struct d3d9_parser *s, u32 word)
{
    struct ir_insn i = { .op = IR_TEX };
    unsigned control = word >> 16 & 0xff;
    i.dst = d3d9_destination(s);
    d3d9_predicate(s, &i, word);
    i.src[0] = d3d9_source(s);
    u32 t = d3d9_token(s);
    if (d3d9_type(t) != T_SAMPLER) d3d9_refuse(s, "texld without a sampler");
    d3d9_use_texture(s, &i, t & 0x7ff);
    i.tex.swizzle = (u8)(t >> 16);
    if (control & 1) i.tex.project = true;
    if (control & 2) {
        i.op = IR_TEX_BIAS;
        i.src[1] = component(i.src[0], 3);
    }
    *d3d9_emit(s, i.op) = i;
}

static void texldl(struct d3d9_parser *s, u32 word, bool gradients)
{
    struct ir_insn i = { .op = gradients ? IR_TEX_GRAD : IR_TEX_LOD };
    i.dst = d3d9_destination(s);
    d3d9_predicate(s, &i, word);
    i.src[0] = d3d9_source(s);
    u32 t = d3d9_token(s);
    if (d3d9_type(t) != T_SAMPLER) d3d9_refuse(s, "texture read without a sampler");
    d3d9_use_texture(s, &i, t & 0x7ff);
    i.tex.swizzle = (u8)(t >> 16);
    i.src[1] = gradients ? d3d9_source(s) : component(i.src[0], 3);
    if (gradients) i.src[2] = d3d9_source(s);
    *d3d9_emit(s, i.op) = i;
}

struct ir_src d3d9_texcoord(struct d3d9_parser *s, unsigned n)
{
    return (struct ir_src){ .file = IR_INPUT, .swizzle = XYZW, .index = use_input(s, n, true) };
}

/* tex t#, texcoord t#, texreg2ar/gb/rgb t#, t# of ps_1_1 to ps_1_3 */
static void ps1_texture(struct d3d9_parser *s, unsigned opcode)
{
    u32 at = s->at;
    unsigned n = d3d9_token(s) & 7;
    struct ir_insn i = { .op = opcode == 64 ? IR_MOV : IR_TEX };
    s->at = at;
    i.dst = d3d9_destination(s);
    if (s->why) return;
    i.src[0] = d3d9_texcoord(s, n);
    if (opcode == 64) {
        i.dst.sat = true;
    } else {
        d3d9_use_texture(s, &i, n);
        if (opcode != 66) i.src[0] = d3d9_source(s);
        if (opcode == 69) i.src[0].swizzle = 0x03 | 0 << 2; /* texreg2ar: u = alpha, v = red */
        if (opcode == 70) i.src[0].swizzle = 1 | 2 << 2;    /* texreg2gb */
    }
    *d3d9_emit(s, i.op) = i;
}

/* texcrd and texld of ps_1_4: the stage is the destination's number */
static void ps14_texture(struct d3d9_parser *s, unsigned opcode)
{
    u32 at = s->at;
    unsigned n = d3d9_token(s) & 0x7ff;
    struct ir_insn i = { .op = opcode == 64 ? IR_MOV : IR_TEX };
    s->at = at;
    i.dst = d3d9_destination(s);
    i.src[0] = d3d9_source(s);
    if (opcode == 66) {
        if (n >= 6)
            d3d9_refuse(s, "sampler register");
        else
            d3d9_use_texture(s, &i, n);
    }
    *d3d9_emit(s, i.op) = i;
}

/* The operand is written like a destination and read. */
static void texkill(struct d3d9_parser *s)
{
    u32 t = d3d9_token(s);
    struct ir_insn i = { .op = IR_KILL_LT };
    source_register(s, t, &i.src[0]);
    if (s->ps && s->version < 14 && d3d9_type(t) == T_ADDR) i.src[0] = d3d9_texcoord(s, t & 7);
    i.src[0].swizzle = XYZW;
    i.dst.mask = s->version < 20 ? 7 : 15;
    s->p->kills = true;
    *d3d9_emit(s, i.op) = i;
}

static bool texture(struct d3d9_parser *s, u32 word)
{
    unsigned opcode = word & 0xffff;
    if (!s->ps && opcode != 95) return false;
    switch (opcode) {
    case 64:
    case 66:
        if (s->version >= 20) {
            if (opcode == 64) return false;
            texld(s, word);
        } else if (s->version == 14) {
            ps14_texture(s, opcode);
        } else {
            ps1_texture(s, opcode);
        }
        return true;
    case 69:
    case 70:
    case 82:
        if (s->version >= 14) return false;
        ps1_texture(s, opcode);
        return true;
    case 65: texkill(s); return true;
    case 93: texldl(s, word, true); return true;
    case 95: texldl(s, word, false); return true;
    default: return s->version < 20 && d3d9_ps1_matrix(s, word);
    }
}

/* ---- declarations and definitions ---- */

static void declare(struct d3d9_parser *s)
{
    u32 usage = d3d9_token(s), t = usage;
    /* Streams of ps_2 exist that have the register alone: only that has a write mask. */
    if (!s->ps || s->version >= 30 || !(usage >> 16 & 15)) t = d3d9_token(s);
    unsigned n = t & 0x7ff, type = d3d9_type(t);
    if (s->why) return;
    s->p->has_dcl = true;
    struct ir_port *port = NULL;
    if (type == T_SAMPLER) {
        unsigned kind = usage >> 27 & 15;
        if (n >= 16)
            d3d9_refuse(s, "sampler register");
        else if (kind == 4)
            d3d9_refuse(s, "volume textures do not exist here");
        else
            s->p->texture_kind[n] = (u8)kind;
        return;
    }
    if (type == T_INPUT && (!s->ps || s->version >= 30)) {
        if (n >= 16)
            d3d9_refuse(s, "input register");
        else
            port = &s->p->input[n];
    } else if (type == T_TEXOUT && !s->ps && s->version >= 30) {
        if (n >= 12)
            d3d9_refuse(s, "output register");
        else
            port = &s->p->output[IR_O_SM3 + n];
    }
    if (!port) return; /* ps_2 inputs and vPos, vFace say nothing new */
    port->used = port->declared = true;
    port->usage = (u8)(usage & 31);
    port->usage_index = (u8)(usage >> 16 & 15);
    port->mask = (u8)(t >> 16 & 15);
    port->centroid = t >> 22 & 1;
}

static void define(struct d3d9_parser *s, unsigned opcode)
{
    struct ir_program *p = s->p;
    u32 t = d3d9_token(s);
    struct ir_def d = { .index = (u16)(t & 0x7ff) };
    if (d.index >= 256) d3d9_refuse(s, "constant register");
    d.file = opcode == 81 ? IR_CONST : opcode == 48 ? IR_CONST_I : IR_CONST_B;
    d.value[0] = d3d9_token(s);
    for (unsigned k = 1; k < 4 && opcode != 47; k++) d.value[k] = d3d9_token(s);
    if (opcode == 47) d.value[0] = d.value[0] ? 0xffffffff : 0;
    if (s->why) return;
    u16 *at = &p->def_at[d.file - IR_CONST][d.index];
    if (*at) return; /* the first one counts */
    if (p->def_count == s->def_cap) {
        s->def_cap = s->def_cap ? s->def_cap * 2 : 8;
        p->defs = xrealloc(p->defs, s->def_cap * sizeof(*p->defs));
    }
    p->defs[p->def_count++] = d;
    *at = (u16)p->def_count;
}

/* ---- the stream ---- */

/* ps_1_x pairs: the second instruction of a pair sees the registers as they were before the first.
 */
static void save_for_pair(struct d3d9_parser *s, u32 first)
{
    struct ir_program *p = s->p;
    if (s->why || p->insn_count < first + 2) return;
    struct ir_insn *a = &p->insns[p->insn_count - 2], *b = &p->insns[p->insn_count - 1];
    bool clash = false;
    for (unsigned k = 0; k < 3; k++) {
        if (b->src[k].file != a->dst.file || b->src[k].index != a->dst.index ||
            a->dst.file != IR_TEMP)
            continue;
        clash = true;
        b->src[k].index = PS1_SAVE;
    }
    if (!clash) return;
    struct ir_insn move = { .op = IR_MOV,
                            .dst = { .file = IR_TEMP, .mask = 15, .index = PS1_SAVE } };
    move.src[0] = (struct ir_src){ .file = IR_TEMP, .swizzle = XYZW, .index = a->dst.index };
    struct ir_insn pair[2] = { *a, *b };
    d3d9_emit(s, IR_NOP);
    if (s->why) return;
    p->insns[p->insn_count - 3] = move;
    p->insns[p->insn_count - 2] = pair[0];
    p->insns[p->insn_count - 1] = pair[1];
}

static bool instruction(struct d3d9_parser *s, u32 word)
{
    unsigned opcode = word & 0xffff;
    switch (opcode) {
    case 0: return true;
    case 31: declare(s); return true;
    case 47:
    case 48:
    case 81: define(s, opcode); return true;
    case 0xfffd: return s->version == 14; /* phase */
    case 0xfffe: s->at += MIN(word >> 16 & 0x7fff, s->count - s->at); return true;
    default:
        return texture(s, word) || d3d9_flow(s, word) || near_simple(s, word) || matrix(s, word) ||
               simple(s, word);
    }
}

/* ps_1_1 to ps_1_3 may read t# without loading it: it holds the coordinates then. */
static void initial_t(struct d3d9_parser *s)
{
    struct ir_program *p = s->p;
    for (unsigned n = 0; n < 8; n++) {
        if (!s->ps1_read[n]) continue;
        struct ir_insn move = { .op = IR_MOV,
                                .dst = { .file = IR_TEMP, .mask = 15, .index = (u16)(PS1_T + n) } };
        move.src[0] = d3d9_texcoord(s, n);
        d3d9_emit(s, IR_NOP);
        if (s->why) return;
        memmove(p->insns + 1, p->insns,
                (p->insn_count - 1) * sizeof(*p->insns)); /* ps_1_x has no jumps */
        p->insns[0] = move;
    }
}

static void finish(struct d3d9_parser *s)
{
    struct ir_program *p = s->p;
    if (s->depth) d3d9_refuse(s, "block without end");
    if (s->ps && s->version < 20) {
        struct ir_insn *i = d3d9_emit(s, IR_MOV);
        i->dst = (struct ir_dst){ .file = IR_OUTPUT, .mask = 15 };
        i->src[0] = (struct ir_src){ .file = IR_TEMP, .swizzle = XYZW };
        p->output[0].used = true;
        if (s->version < 14) initial_t(s);
    }
    for (u32 k = 0; k < p->insn_count && !s->why; k++) {
        struct ir_insn *i = &p->insns[k];
        if (i->op != IR_CALL && i->op != IR_CALLB) continue;
        if (!s->label[i->target])
            d3d9_refuse(s, "call of a missing label");
        else
            i->target = s->label[i->target] - 1;
    }
    d3d9_emit(s, IR_RET);
}

static bool check_version(struct d3d9_parser *s, u32 version, u8 stage)
{
    static const u8 vs[] = { 10, 11, 20, 21, 30 }, ps[] = { 10, 11, 12, 13, 14, 20, 21, 30 };
    u32 kind = version >> 16;
    s->ps = kind == 0xffff;
    s->version = (version >> 8 & 0xff) * 10 + (version & 0xff);
    if ((kind != 0xffff && kind != 0xfffe) || (s->ps ? STAGE_PS : STAGE_VS) != stage) return false;
    if ((version & 0xff) == 0xff || (version & 0xff) == 0xfe)
        s->version = (version >> 8 & 0xff) * 10; /* 2_x and software versions */
    for (unsigned k = 0; k < (s->ps ? LEN(ps) : LEN(vs)); k++) {
        if ((s->ps ? ps[k] : vs[k]) == s->version) return true;
    }
    return false;
}

struct ir_program *d3d9_compile(const u8 *bytes, u32 size, u8 stage, const char **why)
{
    struct d3d9_parser s = { .bytes = bytes, .count = MIN(size / 4, (u32)MAX_TOKENS) };
    if (!check_version(&s, d3d9_token(&s), stage)) {
        *why = s.why ? s.why : "not a token stream of this stage and a known version";
        return NULL;
    }
    s.p = xalloc(sizeof(*s.p));
    s.p->stage = stage;
    s.p->d3d9 = true;
    s.p->major = (u8)(s.version / 10);
    s.p->minor = (u8)(s.version % 10);
    s.p->temps = D3D9_TEMPS;
    for (;;) {
        u32 word = d3d9_token(&s), first = s.p->insn_count ? s.p->insn_count - 1 : 0;
        if (s.why || (word & 0xffff) == 0xffff) break;
        if (!instruction(&s, word)) d3d9_refuse(&s, "unknown or unsupported instruction");
        if (s.why) break;
        if (word >> 30 & 1 && s.ps && s.version < 20) save_for_pair(&s, first);
    }
    finish(&s);
    if (!s.why) return s.p;
    *why = s.why;
    ir_free(s.p);
    return NULL;
}
