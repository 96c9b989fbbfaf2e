/* Arithmetic and texture instructions of SM4 and SM5 (sm4.h): one row of a table each, and the few
 * that become several instructions. Document: the contract's part "executor", sections 9 and 10.4.
 */
#include "gpu/shader/sm4.h"

/* ---- arithmetic ---- */

enum {
    F_FLOAT = 1,
    F_DERIVATIVE = 2,
    F_TWO = 4,
    F_SM5 = 8
}; /* F_FLOAT: may saturate; F_TWO: two results */
static const struct row {
    u8 opcode, sources, flags;
    u16 op;
} rows[] = {
    /* clang-format off */
    { 0, 2, F_FLOAT, IR_ADD },            { 1, 2, 0, IR_AND },                  { 11, 1, F_FLOAT | F_DERIVATIVE, IR_DSX },
    { 12, 1, F_FLOAT | F_DERIVATIVE, IR_DSY },                                  { 14, 2, F_FLOAT, IR_DIV },
    { 15, 2, F_FLOAT, IR_DP2 },           { 16, 2, F_FLOAT, IR_DP3 },           { 17, 2, F_FLOAT, IR_DP4 },
    { 24, 2, 0, IR_EQ },                  { 25, 1, F_FLOAT, IR_EXP },           { 26, 1, F_FLOAT, IR_FRC },
    { 27, 1, 0, IR_FTOI },                { 28, 1, 0, IR_FTOU },                { 29, 2, 0, IR_GE },
    { 30, 2, 0, IR_IADD },                { 32, 2, 0, IR_IEQ },                 { 33, 2, 0, IR_IGE },
    { 34, 2, 0, IR_ILT },                 { 35, 3, 0, IR_IMAD },                { 36, 2, 0, IR_IMAX },
    { 37, 2, 0, IR_IMIN },                { 38, 2, F_TWO, IR_IMUL },            { 39, 2, 0, IR_INE },
    { 40, 1, 0, IR_INEG },                { 41, 2, 0, IR_ISHL },                { 42, 2, 0, IR_ISHR },
    { 43, 1, F_FLOAT, IR_ITOF },          { 47, 1, F_FLOAT, IR_LOG },           { 49, 2, 0, IR_LT },
    { 50, 3, F_FLOAT, IR_MAD },           { 51, 2, F_FLOAT, IR_MIN },           { 52, 2, F_FLOAT, IR_MAX },
    { 54, 1, F_FLOAT, IR_MOV },           { 55, 3, F_FLOAT, IR_MOVC },          { 56, 2, F_FLOAT, IR_MUL },
    { 57, 2, 0, IR_NE },                  { 59, 1, 0, IR_NOT },                 { 60, 2, 0, IR_OR },
    { 64, 1, F_FLOAT, IR_ROUND_NE },      { 65, 1, F_FLOAT, IR_ROUND_NI },      { 66, 1, F_FLOAT, IR_ROUND_PI },
    { 67, 1, F_FLOAT, IR_ROUND_Z },       { 68, 1, F_FLOAT, IR_RSQ },           { 75, 1, F_FLOAT, IR_SQRT },
    { 78, 2, F_TWO, IR_UDIV },            { 79, 2, 0, IR_ULT },                 { 80, 2, 0, IR_UGE },
    { 81, 2, F_TWO, IR_UMUL },            { 82, 3, 0, IR_IMAD },                { 83, 2, 0, IR_UMAX },
    { 84, 2, 0, IR_UMIN },                { 85, 2, 0, IR_USHR },                { 86, 1, F_FLOAT, IR_UTOF },
    { 87, 2, 0, IR_XOR },
    { 122, 1, F_SM5 | F_FLOAT | F_DERIVATIVE, IR_DSX_COARSE },                  { 123, 1, F_SM5 | F_FLOAT | F_DERIVATIVE, IR_DSX },
    { 124, 1, F_SM5 | F_FLOAT | F_DERIVATIVE, IR_DSY_COARSE },                  { 125, 1, F_SM5 | F_FLOAT | F_DERIVATIVE, IR_DSY },
    { 129, 1, F_SM5 | F_FLOAT, IR_RCP },  { 130, 1, F_SM5, IR_F32TOF16 },       { 131, 1, F_SM5 | F_FLOAT, IR_F16TOF32 },
    { 132, 2, F_SM5 | F_TWO, IR_UADDC },  { 133, 2, F_SM5 | F_TWO, IR_USUBB },  { 134, 1, F_SM5, IR_COUNTBITS },
    { 135, 1, F_SM5, IR_FIRSTBIT_HI },    { 136, 1, F_SM5, IR_FIRSTBIT_LO },    { 137, 1, F_SM5, IR_FIRSTBIT_SHI },
    { 138, 3, F_SM5, IR_UBFE },           { 139, 3, F_SM5, IR_IBFE },           { 141, 1, F_SM5, IR_BFREV },
    { 142, 3, F_SM5 | F_FLOAT | F_TWO, IR_SWAPC },
    /* clang-format on */
};

/* An index that the second of two results needs must not be one that the first changes. */
static void keep_index(struct sm4_parser *s, const struct ir_dst *first, struct ir_dst *second)
{
    if (second->rel.file != IR_TEMP || first->file != IR_TEMP ||
        first->index != second->rel.index || s->why)
        return;
    u16 t = sm4_extra_temp(s, EXTRA_SCRATCH);
    struct ir_insn move = { .op = IR_MOV,
                            .dst = sm4_to_temp(t, 1),
                            .src = {
                                sm4_temp(second->rel.index, (u8)(second->rel.component * 0x55)) } };
    sm4_emit(s, &move);
    second->rel = (struct ir_relative){ IR_TEMP, 0, t };
}

static void row(struct sm4_parser *s, const struct row *r, u32 word)
{
    struct ir_insn i = { .op = r->op };
    bool sat = r->flags & F_FLOAT && word >> 13 & 1;
    if (r->flags & F_SM5 && s->p->major < 5) sm4_refuse(s, "instruction of shader model 5");
    if (r->flags & F_DERIVATIVE && !s->ps) sm4_refuse(s, "derivative outside of a pixel shader");
    i.dst = sm4_destination(s);
    if (r->flags & F_TWO) {
        i.dst2 = sm4_destination(s);
        keep_index(s, &i.dst, &i.dst2);
    }
    for (unsigned k = 0; k < r->sources; k++) i.src[k] = sm4_source(s);
    i.dst.sat = i.dst2.sat = sat;
    if (r->flags & F_DERIVATIVE) s->p->derivatives = true;
    sm4_emit(s, &i);
}

/* sincos: destinations of sine and cosine, either may be null */
static void sine_cosine(struct sm4_parser *s, u32 word)
{
    struct ir_dst sine = sm4_destination(s), cosine = sm4_destination(s);
    keep_index(s, &sine, &cosine);
    struct ir_src angle = sm4_source(s);
    sine.sat = cosine.sat = word >> 13 & 1;
    if (sine.file != IR_NULL &&
        cosine.file != IR_NULL) { /* the first must not spoil the operand of the second */
        u16 t = sm4_extra_temp(s, EXTRA_SCRATCH2);
        struct ir_insn move = { .op = IR_MOV, .dst = sm4_to_temp(t, 15), .src = { angle } };
        sm4_emit(s, &move);
        angle = sm4_temp(t, XYZW);
    }
    struct ir_insn first = { .op = IR_SIN, .dst = sine, .src = { angle } },
                   second = { .op = IR_COS, .dst = cosine, .src = { angle } };
    if (sine.file != IR_NULL) sm4_emit(s, &first);
    if (cosine.file != IR_NULL) sm4_emit(s, &second);
}

static void two_to_temp(struct sm4_parser *s, u16 op, u16 to, struct ir_src x, struct ir_src y)
{
    struct ir_insn i = { .op = op, .dst = sm4_to_temp(to, 15), .src = { x, y } };
    sm4_emit(s, &i);
}

/* bfi: destination, width, offset, inserted bits, the rest */
static void insert_bits(struct sm4_parser *s)
{
    u16 mask = sm4_extra_temp(s, EXTRA_SCRATCH), part = sm4_extra_temp(s, EXTRA_SCRATCH2);
    struct ir_src m = sm4_temp(mask, XYZW), p = sm4_temp(part, XYZW), src[4];
    struct ir_insn last = { .op = IR_OR, .src = { p, m } };
    if (s->p->major < 5) sm4_refuse(s, "instruction of shader model 5");
    last.dst = sm4_destination(s);
    for (unsigned k = 0; k < 4; k++) src[k] = sm4_source(s);
    two_to_temp(s, IR_BFM, mask, src[0], src[1]);
    two_to_temp(s, IR_ISHL, part, src[2], src[1]);
    two_to_temp(s, IR_AND, part, p, m);
    two_to_temp(s, IR_NOT, mask, m, m);
    two_to_temp(s, IR_AND, mask, m, src[3]);
    sm4_emit(s, &last);
}

bool sm4_arithmetic(struct sm4_parser *s, u32 word)
{
    unsigned opcode = word & 0x7ff;
    if (opcode == 58) return true; /* nop */
    if (opcode == 77) {
        sine_cosine(s, word);
        return true;
    }
    if (opcode == 140) {
        insert_bits(s);
        return true;
    }
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (rows[k].opcode != opcode) continue;
        row(s, &rows[k], word);
        return true;
    }
    return false;
}

/* ---- textures ---- */

enum {
    T_SAMPLER = 1,
    T_CHANNEL = 2,
    T_IMPLICIT = 4
}; /* T_IMPLICIT: derivatives of the coordinates */
static const struct texture_row {
    u8 opcode, model; /* first shader model, as major * 10 + minor */
    u8 before,
        after; /* operands behind the coordinates: before the texture, after texture and sampler */
    u8 flags;
    u16 op;
} texture_rows[] = {
    { 45, 40, 0, 0, 0, IR_LD },
    { 69, 40, 0, 0, T_SAMPLER | T_IMPLICIT, IR_TEX },
    { 70, 40, 0, 1, T_SAMPLER | T_IMPLICIT, IR_TEX_CMP },
    { 71, 40, 0, 1, T_SAMPLER, IR_TEX_CMP_LZ },
    { 72, 40, 0, 1, T_SAMPLER, IR_TEX_LOD },
    { 73, 40, 0, 2, T_SAMPLER, IR_TEX_GRAD },
    { 74, 40, 0, 1, T_SAMPLER | T_IMPLICIT, IR_TEX_BIAS },
    { 108, 41, 0, 0, T_SAMPLER | T_IMPLICIT, IR_TEX_LOD_QUERY },
    { 109, 41, 0, 0, T_SAMPLER | T_CHANNEL, IR_GATHER },
    { 126, 50, 0, 1, T_SAMPLER | T_CHANNEL, IR_GATHER_CMP },
    { 127, 50, 1, 0, T_SAMPLER | T_CHANNEL, IR_GATHER_PO },
    { 128, 50, 1, 1, T_SAMPLER | T_CHANNEL, IR_GATHER_CMP_PO },
};

/* t#, with the swizzle of the result */
static void texture_operand(struct sm4_parser *s, struct ir_tex *tex)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    u32 n = o.index[0].imm;
    if (o.file != SM4_RESOURCE || o.dims != 1 || o.index[0].rel.file != IR_NULL ||
        n >= ACMD_RESOURCES) {
        sm4_refuse(s, "texture register");
        return;
    }
    tex->resource = (u16)n;
    tex->swizzle = o.swizzle;
    memcpy(tex->offset, s->offset, sizeof(tex->offset));
    s->p->textures[n / 32] |= 1u << n % 32;
}

/* s#; the channel of a gather is its component */
static void sampler_operand(struct sm4_parser *s, struct ir_insn *i, bool channel)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    u32 n = o.index[0].imm;
    if (o.file != SM4_SAMPLER || o.dims != 1 || o.index[0].rel.file != IR_NULL ||
        n >= ACMD_SAMPLERS) {
        sm4_refuse(s, "sampler register");
        return;
    }
    i->tex.sampler = (u16)n;
    if (channel && o.swizzle != XYZW) i->condition = o.swizzle & 3;
    s->p->samplers |= 1u << n;
}

static void sample(struct sm4_parser *s, const struct texture_row *r)
{
    struct ir_insn i = { .op = r->op };
    unsigned n = 0;
    if (s->p->major * 10 + s->p->minor < r->model)
        sm4_refuse(s, "texture instruction of a later shader model");
    i.dst = sm4_destination(s);
    i.src[n++] = sm4_source(s);
    if (r->before) i.src[n++] = sm4_source(s);
    texture_operand(s, &i.tex);
    if (r->flags & T_SAMPLER) sampler_operand(s, &i, r->flags & T_CHANNEL);
    for (unsigned k = 0; k < r->after; k++) i.src[n++] = sm4_source(s);
    if (r->flags & T_IMPLICIT && s->ps) s->p->derivatives = true;
    sm4_emit(s, &i);
}

/* resinfo: destination, mip, texture; bufinfo: destination, buffer */
static void information(struct sm4_parser *s, u32 word, bool buffer)
{
    struct ir_insn i = { .op = buffer ? IR_BUFINFO : IR_RESINFO,
                         .condition = buffer ? 0 : word >> 11 & 3 };
    if (buffer && s->p->major < 5) sm4_refuse(s, "instruction of shader model 5");
    if (i.condition > 2) sm4_refuse(s, "return type of resinfo");
    i.dst = sm4_destination(s);
    if (!buffer) i.src[0] = sm4_source(s);
    texture_operand(s, &i.tex);
    sm4_emit(s, &i);
}

bool sm4_texture(struct sm4_parser *s, u32 word)
{
    unsigned opcode = word & 0x7ff;
    if (opcode == 61 || opcode == 121) {
        information(s, word, opcode == 121);
        return true;
    }
    for (unsigned k = 0; k < LEN(texture_rows); k++) {
        if (texture_rows[k].opcode != opcode) continue;
        sample(s, &texture_rows[k]);
        return true;
    }
    return false;
}
