/* Texture instructions that only ps_1_1 to ps_1_3 have (and texdepth of ps_1_4): dot products of a
 * stage's coordinates with a register that was read before, alone or as the rows of a matrix, and
 * what is done with them: a colour, coordinates for the stage's texture, a reflected vector, a
 * depth.
 *
 * Rows are collected in a temp of their own: texm3x2pad and texm3x3pad add one, the instruction
 * that ends the sequence adds the last. Document: the contract's part "executor", section 8.2; what
 * they compute, Microsoft's Direct3D 9 reference, "ps_1_1, ps_1_2, ps_1_3 instructions". */
#include "gpu/shader/d3d9.h"

enum {
    TEXM3X2PAD = 71,
    TEXM3X2TEX,
    TEXM3X3PAD,
    TEXM3X3TEX,
    TEXM3X3SPEC = 76,
    TEXM3X3VSPEC,
    TEXDP3TEX = 83,
    TEXM3X2DEPTH,
    TEXDP3,
    TEXM3X3,
    TEXDEPTH,
};
enum { XYZW = 0xe4, X = 1, Y = 2, Z = 4, W = 8, XYZ = 7 };

static struct ir_src temp(u16 index, u8 swizzle)
{
    return (struct ir_src){ .file = IR_TEMP, .swizzle = swizzle, .index = index };
}

static struct ir_src one_component(struct ir_src v, unsigned c)
{
    v.swizzle = (u8)((v.swizzle >> (2 * c) & 3) * 0x55);
    return v;
}

static struct ir_src negated(struct ir_src v)
{
    v.neg = !v.neg;
    return v;
}

static void put(struct d3d9_parser *s, u16 op, u16 to, u8 mask, struct ir_src a, struct ir_src b,
                struct ir_src c)
{
    struct ir_insn *i = d3d9_emit(s, op);
    i->dst = (struct ir_dst){ .file = IR_TEMP, .index = to, .mask = mask };
    i->src[0] = a;
    i->src[1] = b;
    i->src[2] = c;
}
#define NONE ((struct ir_src){ 0 })

/* x - x is 0 and 0 >= 0 is 1, whatever x is: constants that no register has to hold. */
static void put_zero(struct d3d9_parser *s, u16 to, u8 mask)
{
    put(s, IR_SLT, to, mask, temp(to, 0), temp(to, 0), NONE);
}

static void put_one(struct d3d9_parser *s, u16 to, u8 mask)
{
    put_zero(s, to, mask);
    put(s, IR_SGE, to, mask, temp(to, XYZW), temp(to, XYZW), NONE);
}

/* The eye's vector into PS1_WORK: a constant, or the fourth coordinates of the three stages. */
static void eye(struct d3d9_parser *s, unsigned opcode, unsigned stage)
{
    if (opcode == TEXM3X3SPEC) {
        put(s, IR_MOV, PS1_WORK, XYZ, d3d9_source(s), NONE, NONE);
        return;
    }
    for (unsigned c = 0; c < 3 && stage >= 2; c++)
        put(s, IR_MOV, PS1_WORK, (u8)(1u << c), one_component(d3d9_texcoord(s, stage - 2 + c), 3),
            NONE, NONE);
}

/* PS1_ROWS = 2 (N * E) / (N * N) N - E */
static void reflect(struct d3d9_parser *s)
{
    const struct ir_src n = temp(PS1_ROWS, XYZW), e = temp(PS1_WORK, XYZW);
    const u16 work = PS1_WORK + 1;
    put(s, IR_DP3_0, work, X, n, e, NONE);
    put(s, IR_DP3_0, work, Y, n, n, NONE);
    put(s, IR_RCP0, work, Y, temp(work, 0x55), NONE, NONE);
    put(s, IR_MUL0, work, X, temp(work, 0), temp(work, 0x55), NONE);
    put(s, IR_ADD, work, X, temp(work, 0), temp(work, 0), NONE);
    put(s, IR_MAD0, PS1_ROWS, XYZ, n, temp(work, 0), negated(e));
}

static void sample(struct d3d9_parser *s, unsigned stage, struct ir_dst dst)
{
    struct ir_insn i = { .op = IR_TEX, .dst = dst };
    d3d9_use_texture(s, &i, stage);
    i.src[0] = temp(PS1_ROWS, XYZW);
    *d3d9_emit(s, IR_TEX) = i;
}

/* Depth is x / y of a register, and 1 where y is 0. */
static void depth(struct d3d9_parser *s, u16 index)
{
    struct ir_src magnitude = temp(index, 0x55);
    magnitude.abs = magnitude.neg = true;
    put(s, IR_RCP0, PS1_WORK, X, temp(index, 0x55), NONE, NONE);
    put(s, IR_MUL0, PS1_WORK, X, temp(PS1_WORK, 0), temp(index, 0), NONE);
    put_one(s, PS1_WORK, Y);
    put(s, IR_CMP_GE0, PS1_WORK, X, magnitude, temp(PS1_WORK, 0x55), temp(PS1_WORK, 0));
    put(s, IR_MOV, IR_O_DEPTH, X, temp(PS1_WORK, 0), NONE, NONE);
    if (s->why) return;
    s->p->insns[s->p->insn_count - 1].dst.file = IR_OUTPUT;
    s->p->writes_depth = true;
    s->p->output[IR_O_DEPTH].used = true;
}

static void color(struct d3d9_parser *s, struct ir_dst dst, struct ir_src from)
{
    struct ir_insn *i = d3d9_emit(s, IR_MOV);
    i->dst = dst;
    i->src[0] = from;
}

/* What the rows are for. */
static void finish(struct d3d9_parser *s, unsigned opcode, unsigned stage, struct ir_dst dst)
{
    switch (opcode) {
    case TEXDP3: color(s, dst, temp(PS1_ROWS, 0)); break;
    case TEXM3X3:
        put_one(s, PS1_ROWS, W);
        color(s, dst, temp(PS1_ROWS, XYZW));
        break;
    case TEXM3X2DEPTH: depth(s, PS1_ROWS); break;
    case TEXDP3TEX:
        put_zero(s, PS1_ROWS, Y | Z | W);
        sample(s, stage, dst);
        break;
    case TEXM3X3SPEC:
    case TEXM3X3VSPEC:
        eye(s, opcode, stage);
        reflect(s);
        sample(s, stage, dst);
        break;
    default: sample(s, stage, dst);
    }
}

bool d3d9_ps1_matrix(struct d3d9_parser *s, u32 word)
{
    static const struct {
        u8 opcode,
            row; /* which row of its matrix the instruction computes, and how it may follow */
        bool pad;
    } rows[] = { { TEXM3X2PAD, 0, true },    { TEXM3X2TEX, 1, false }, { TEXM3X2DEPTH, 1, false },
                 { TEXM3X3PAD, 1, true },    { TEXM3X3TEX, 2, false }, { TEXM3X3SPEC, 2, false },
                 { TEXM3X3VSPEC, 2, false }, { TEXM3X3, 2, false },    { TEXDP3, 0, false },
                 { TEXDP3TEX, 0, false } };
    unsigned opcode = word & 0xffff, k = 0;
    if (opcode == TEXDEPTH && s->version == 14) {
        struct ir_dst from = d3d9_destination(s); /* written like one, and read */
        if (from.file != IR_TEMP) d3d9_refuse(s, "texdepth of no temporary register");
        depth(s, from.index);
        return true;
    }
    if (s->version >= 14) return false;
    while (k < LEN(rows) && rows[k].opcode != opcode) k++;
    if (k == LEN(rows)) return false;
    bool fits = opcode == TEXM3X3PAD ? s->ps1_rows < 2 : s->ps1_rows == rows[k].row;
    u32 at = s->at;
    unsigned stage = d3d9_token(s) & 7;
    s->at = at;
    struct ir_dst dst = d3d9_destination(s);
    struct ir_src from = d3d9_source(s);
    if (!fits) d3d9_refuse(s, "matrix texture instruction out of order");
    if (s->why) return true;
    put(s, IR_DP3_0, PS1_ROWS, (u8)(1u << s->ps1_rows), d3d9_texcoord(s, stage), from, NONE);
    s->ps1_rows = rows[k].pad ? s->ps1_rows + 1 : 0;
    if (!rows[k].pad) finish(s, opcode, stage, dst);
    return true;
}
