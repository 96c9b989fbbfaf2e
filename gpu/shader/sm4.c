/* Shader model 4 and 5 programs (vertex and pixel shaders) to IR: operands, and the stream of
 * instructions.
 *
 * The blob is a DXBC container or the bare tokens of one; opcode numbers and lengths are those that
 * Microsoft's compilers emit. Lengths bound every operand, so that a wrong one cannot reach into
 * the next instruction. System values and indices that the interpreter cannot address directly are
 * moved to temps behind the program's own. Refused with a reason: other stages, shader model 5.1,
 * multisampled, 1D and volume textures, unordered access and raw or structured buffers, interfaces,
 * double precision, sample coverage as an output. Document: the contract's part "executor",
 * sections 9, 10 and 16. */
#include "gpu/shader/sm4.h"

#include <stdlib.h>

#include "gpu/shader/dxbc.h"
#include "machine/core/error.h"

u32 sm4_token(struct sm4_parser *s)
{
    if (s->at >= s->end) {
        sm4_refuse(s, "operands behind the end of an instruction");
        return 0;
    }
    return ld32(s->bytes + 4 * (size_t)s->at++);
}

void sm4_refuse(struct sm4_parser *s, const char *why)
{
    if (!s->why) s->why = why;
}

void sm4_emit(struct sm4_parser *s, const struct ir_insn *i)
{
    struct ir_program *p = s->p;
    if (p->insn_count >= IR_MAX_INSNS) sm4_refuse(s, "too many instructions");
    if (s->why) return;
    if (p->insn_count == s->insn_cap) {
        s->insn_cap = s->insn_cap ? s->insn_cap * 2 : 32;
        p->insns = xrealloc(p->insns, s->insn_cap * sizeof(*p->insns));
    }
    p->insns[p->insn_count++] = *i;
}

u16 sm4_extra_temp(struct sm4_parser *s, unsigned which)
{
    if (!s->extra[which]) s->extra[which] = ++s->p->temps;
    return (u16)(s->extra[which] - 1);
}

/* ---- immediates ---- */

struct ir_src sm4_immediate(struct sm4_parser *s, u32 x, u32 y, u32 z, u32 w)
{
    struct ir_program *p = s->p;
    const u32 v[4] = { x, y, z, w };
    struct ir_src out = { .file = IR_IMM, .swizzle = XYZW };
    u32 recent = p->immediate_count > 32 ? p->immediate_count - 32 : 0;
    for (u32 k = recent; k < p->immediate_count; k++) {
        if (memcmp(p->immediates[k], v, 16)) continue;
        out.index = (u16)k;
        return out;
    }
    if (p->immediate_count >= 65535) sm4_refuse(s, "too many immediates");
    if (s->why) return out;
    if (p->immediate_count == s->imm_cap) {
        s->imm_cap = s->imm_cap ? s->imm_cap * 2 : 16;
        p->immediates = xrealloc(p->immediates, s->imm_cap * sizeof(*p->immediates));
    }
    out.index = (u16)p->immediate_count;
    memcpy(p->immediates[p->immediate_count++], v, 16);
    return out;
}

/* ---- operands ---- */

static void parse(struct sm4_parser *s, struct sm4_operand *o, unsigned depth);
static struct ir_src to_source(struct sm4_parser *s, const struct sm4_operand *o);

/* An index from a register: the register itself when it is a temp, else a copy of its value; a
 * large offset is added to the copy. */
static void parse_relative(struct sm4_parser *s, struct sm4_operand *o, unsigned n, unsigned depth)
{
    struct sm4_operand r;
    parse(s, &r, depth + 1);
    if (!s->in_code) sm4_refuse(s, "computed index in a declaration");
    struct ir_src from = to_source(s, &r);
    if (s->why) return;
    struct ir_relative *rel = &o->index[n].rel;
    if (from.file == IR_TEMP && !from.neg && !from.abs && o->index[n].imm < 0x8000) {
        *rel = (struct ir_relative){ IR_TEMP, from.swizzle & 3, from.index };
        return;
    }
    if (s->indices == EXTRA_SCRATCH - EXTRA_INDEX) {
        sm4_refuse(s, "too many computed indices");
        return;
    }
    u16 t = sm4_extra_temp(s, EXTRA_INDEX + s->indices++);
    u32 add = o->index[n].imm;
    struct ir_insn i = { .op = IR_IADD,
                         .dst = sm4_to_temp(t, 1),
                         .src = { from, sm4_immediate(s, add, add, add, add) } };
    sm4_emit(s, &i);
    o->index[n].imm = 0;
    *rel = (struct ir_relative){ IR_TEMP, 0, t };
}

static void parse_index(struct sm4_parser *s, struct sm4_operand *o, unsigned n, unsigned form,
                        unsigned depth)
{
    enum { FORM_IMM = 0, FORM_REGISTER = 2, FORM_BOTH = 3 };
    if (form == FORM_IMM || form == FORM_BOTH) o->index[n].imm = sm4_token(s);
    if (form == FORM_REGISTER || form == FORM_BOTH)
        parse_relative(s, o, n, depth);
    else if (form != FORM_IMM)
        sm4_refuse(s, "form of an index");
}

static void parse_components(struct sm4_parser *s, struct sm4_operand *o, u32 t)
{
    o->swizzle = XYZW;
    switch (t & 3) {
    case 0: break;
    case 1:
        o->mask = 1;
        o->swizzle = 0;
        break;
    case 2:
        switch (t >> 2 & 3) {
        case 0: o->mask = t >> 4 & 15; break;
        case 1: o->swizzle = (u8)(t >> 4); break;
        case 2: o->swizzle = (u8)((t >> 4 & 3) * 0x55); break;
        default: sm4_refuse(s, "selection of components");
        }
        break;
    default: sm4_refuse(s, "number of components");
    }
}

static void parse_extension(struct sm4_parser *s, struct sm4_operand *o)
{
    u32 e;
    do {
        e = sm4_token(s);
        if ((e & 63) > 1) sm4_refuse(s, "extended operand");
        if ((e & 63) != 1) continue;
        unsigned modifier = e >> 6 & 255;
        if (modifier > 3) sm4_refuse(s, "operand modifier");
        o->neg = modifier & 1;
        o->abs = modifier >> 1 & 1;
    } while (e >> 31 && !s->why);
}

static void parse(struct sm4_parser *s, struct sm4_operand *o, unsigned depth)
{
    u32 t = sm4_token(s);
    memset(o, 0, sizeof(*o));
    if (depth > 3) sm4_refuse(s, "indices nested too deeply");
    o->file = (u8)(t >> 12);
    o->dims = t >> 20 & 3;
    parse_components(s, o, t);
    if (t >> 31) parse_extension(s, o);
    for (unsigned k = 0; k < o->dims && !s->why; k++)
        parse_index(s, o, k, t >> (22 + 3 * k) & 7, depth);
    if (o->file == SM4_IMM64) sm4_refuse(s, "double precision");
    if (o->file != SM4_IMM32) return;
    if (!(t & 3)) sm4_refuse(s, "immediate without a value");
    for (unsigned k = 0; k < 4; k++) o->imm[k] = k && (t & 3) == 1 ? o->imm[0] : sm4_token(s);
}

void sm4_operand(struct sm4_parser *s, struct sm4_operand *o)
{
    parse(s, o, 0);
}

/* v#: an input, a system value, or the copy of an input that shares its register with one */
static void input_source(struct sm4_parser *s, const struct sm4_operand *o, struct ir_src *out)
{
    unsigned n = out->index, special = s->special[n][0];
    struct ir_port *port = &s->p->input[n];
    if (out->rel.file != IR_NULL) return;
    if (s->extra[EXTRA_INPUT + n]) {
        *out = sm4_temp((u16)(s->extra[EXTRA_INPUT + n] - 1), o->swizzle);
    } else if (s->declared[n]) {
        for (unsigned c = 0; c < 4; c++) {
            if (s->declared[n] >> c & 1) special = s->special[n][c];
        }
        if (!special) return;
        out->file = IR_SPECIAL;
        out->index = (u16)(special - 1);
        if (out->index != IR_SP_POSITION) out->swizzle = 0;
        if (special == SM4_ZERO) *out = sm4_immediate(s, 0, 0, 0, 0);
    } else { /* read without a declaration */
        port->used = true;
        port->mask = 15;
    }
}

/* File, slot and index of a register that an instruction names; false: not a register that holds
 * values. */
static bool locate(struct sm4_parser *s, const struct sm4_operand *o, u8 *file, u16 *slot,
                   u16 *index, struct ir_relative *rel)
{
    static const struct {
        u8 file, dims;
    } files[] = { [SM4_TEMP] = { IR_TEMP, 1 },     [SM4_INPUT] = { IR_INPUT, 1 },
                  [SM4_OUTPUT] = { IR_OUTPUT, 1 }, [SM4_ARRAY] = { IR_ARRAY, 2 },
                  [SM4_CB] = { IR_CB, 2 },         [SM4_ICB] = { IR_ICB, 1 } };
    struct ir_program *p = s->p;
    if (o->file >= LEN(files) || !files[o->file].dims || o->dims != files[o->file].dims)
        return false;
    unsigned last = o->dims - 1u;
    u32 n = o->index[last].imm, limit = 0x8000;
    *file = files[o->file].file;
    *slot = last ? (u16)o->index[0].imm : 0;
    *index = (u16)n;
    *rel = o->index[last].rel;
    bool relative = rel->file != IR_NULL;
    switch (o->file) {
    case SM4_TEMP: limit = relative ? 0 : s->declared_temps; break;
    case SM4_INPUT: limit = IR_MAX_INPUTS; break;
    case SM4_OUTPUT: limit = s->ps ? relative ? 0 : 8 : IR_MAX_OUTPUTS; break;
    case SM4_ARRAY:
        if (o->index[0].imm >= IR_MAX_ARRAYS || o->index[0].rel.file != IR_NULL ||
            !p->arrays[*slot].size)
            return false;
        if (!relative) limit = p->arrays[*slot].size;
        break;
    case SM4_CB:
        if (o->index[0].imm >= ACMD_CONSTANT_BUFFERS || o->index[0].rel.file != IR_NULL)
            return false;
        break;
    default: break;
    }
    return n < limit;
}

static struct ir_src to_source(struct sm4_parser *s, const struct sm4_operand *o)
{
    struct ir_src out = { .swizzle = o->swizzle };
    if (s->why) return out;
    if (o->file == SM4_IMM32) {
        u8 swizzle = out.swizzle;
        out = sm4_immediate(s, o->imm[0], o->imm[1], o->imm[2], o->imm[3]);
        if (o->mask == 0) out.swizzle = swizzle;
    } else if (o->file == SM4_COVERAGE_IN) { /* one sample, covered */
        out = sm4_immediate(s, 1, 1, 1, 1);
    } else if (o->file == SM4_OUTPUT || !locate(s, o, &out.file, &out.slot, &out.index, &out.rel)) {
        sm4_refuse(s, "source register");
        return out;
    }
    if (out.file == IR_INPUT) input_source(s, o, &out);
    out.neg = o->neg;
    out.abs = o->abs;
    return out;
}

struct ir_src sm4_source(struct sm4_parser *s)
{
    struct sm4_operand o;
    parse(s, &o, 0);
    return to_source(s, &o);
}

static void to_output(struct sm4_parser *s, struct ir_dst *out, bool depth)
{
    struct ir_program *p = s->p;
    if (s->ps) out->index = depth ? (u16)IR_O_DEPTH : s->target[out->index];
    p->output[out->index].used = true;
    if (!depth) return;
    p->writes_depth = true;
    p->output[IR_O_DEPTH].system = IR_SV_DEPTH;
    out->file = IR_OUTPUT;
}

struct ir_dst sm4_destination(struct sm4_parser *s)
{
    struct sm4_operand o;
    struct ir_dst out = { 0 };
    parse(s, &o, 0);
    if (s->why || o.file == SM4_NULL) return out;
    bool depth = o.file == SM4_DEPTH || o.file == SM4_DEPTH_GE || o.file == SM4_DEPTH_LE;
    out.mask = o.mask;
    if (depth ? !s->ps
              : o.file == SM4_INPUT || o.file == SM4_CB || o.file == SM4_ICB ||
                    !locate(s, &o, &out.file, &out.slot, &out.index, &out.rel)) {
        sm4_refuse(s, "destination register");
        return out;
    }
    if (!o.mask || o.neg || o.abs) sm4_refuse(s, "destination components");
    if (!s->why && (depth || out.file == IR_OUTPUT)) to_output(s, &out, depth);
    return out;
}

/* ---- the stream ---- */

u32 sm4_length(const struct sm4_parser *s, u32 at)
{
    u32 word = ld32(s->bytes + 4 * (size_t)at), left = s->count - at, n = word >> 24 & 127;
    if ((word & 0x7ff) == SM4_OP_CUSTOMDATA) n = left > 1 ? ld32(s->bytes + 4 * (size_t)at + 4) : 0;
    return n <= left ? n : 0;
}

/* Why an instruction that exists is not translated. */
static const char *refusal(unsigned opcode)
{
    static const struct {
        u8 from, to;
        const char *why;
    } rows[] = {
        { 9, 9, "geometry shader instruction" },
        { 19, 20, "geometry shader instruction" },
        { 46, 46, "multisampled textures do not exist here" },
        { 92, 94, "geometry shader declaration" },
        { 110, 111, "multisampled textures do not exist here" },
        { 113, 116, "hull shader instruction" },
        { 117, 119, "geometry shader instruction" },
        { 120, 120, "interfaces are not supported" },
        { 143, 143, "geometry shader declaration" },
        { 144, 146, "interfaces are not supported" },
        { 147, 154, "tessellation declaration" },
        { 155, 155, "compute shader declaration" },
        { 156, 190, "unordered access, raw and structured buffers are not supported" },
        { 191, 255, "double precision and later instructions are not supported" },
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (opcode >= rows[k].from && opcode <= rows[k].to) return rows[k].why;
    }
    return "unknown instruction";
}

/* Words behind the opcode: offsets of texels count, types of resources are said by declarations,
 * too. */
static void extended_opcode(struct sm4_parser *s, u32 word)
{
    memset(s->offset, 0, sizeof(s->offset));
    while (word >> 31 && !s->why) {
        word = sm4_token(s);
        if ((word & 63) != 1) continue;
        for (unsigned k = 0; k < 3; k++) s->offset[k] = (i8)((i32)(word << (19 - 4 * k)) >> 28);
    }
}

static void instruction(struct sm4_parser *s)
{
    u32 n = sm4_length(s, s->at), first = s->at;
    if (!n) {
        sm4_refuse(s, "length of an instruction");
        return;
    }
    s->end = first + n;
    s->indices = 0;
    u32 word = sm4_token(s);
    unsigned opcode = word & 0x7ff;
    if (opcode == SM4_OP_CUSTOMDATA) {
        sm4_custom_data(s, word);
    } else {
        extended_opcode(s, word);
        if (!sm4_declare(s, word)) {
            if (!s->in_code) sm4_begin_code(s);
            sm4_before(s, word);
            if (!sm4_arithmetic(s, word) && !sm4_texture(s, word) && !sm4_flow(s, word))
                sm4_refuse(s, refusal(opcode));
        }
    }
    s->at = first + n;
}

static const char *check_header(struct sm4_parser *s, u32 size, u8 stage)
{
    static const char *const stages[] = {
        "pixel shader where another stage is meant", "vertex shader where another stage is meant",
        "geometry shaders are not supported",        "hull shaders are not supported",
        "domain shaders are not supported",          "compute shaders are not supported"
    };
    u32 version = ld32(s->bytes), length = ld32(s->bytes + 4), kind = version >> 16;
    if (kind >= LEN(stages)) return "unknown kind of shader";
    if (kind > 1 || stage != (kind ? STAGE_VS : STAGE_PS)) return stages[kind];
    if ((version & 0xffff) == 0x51) return "shader model 5.1 is not supported";
    if ((version & 0xffff) != 0x40 && (version & 0xffff) != 0x41 && (version & 0xffff) != 0x50)
        return "unknown shader model";
    if (length < 2 || length > size / 4) return "program longer than its blob";
    if (length > SM4_MAX_TOKENS) return "program too long";
    s->count = length;
    s->ps = !kind;
    s->at = s->end = 2;
    return NULL;
}

static struct ir_program *compile(const struct dxbc_chunk *code, u8 stage,
                                  const struct ir_element *in, int ins,
                                  const struct ir_element *out, int outs, const char **why)
{
    struct sm4_parser *s = xalloc(sizeof(*s));
    s->bytes = code->bytes;
    s->why = check_header(s, code->size, stage);
    s->p = xalloc(sizeof(*s->p));
    if (!s->why) {
        u32 version = ld32(code->bytes);
        s->p->stage = stage;
        s->p->major = version >> 4 & 15;
        s->p->minor = version & 15;
        s->p->has_signatures = in != NULL;
        sm4_signatures(s, in, (u32)ins, out, (u32)outs);
    }
    while (!s->why && s->at < s->count) instruction(s);
    if (!s->why && !s->in_code) sm4_begin_code(s);
    if (!s->why) sm4_end_flow(s);
    struct ir_program *p = s->p;
    if (s->why) {
        *why = s->why;
        ir_free(p);
        p = NULL;
    }
    free(s);
    return p;
}

struct ir_program *sm4_compile(const u8 *bytes, u32 size, u8 stage, const char **why)
{
    struct dxbc d;
    struct ir_element in[DXBC_MAX_ELEMENTS], out[DXBC_MAX_ELEMENTS];
    *why = "blob too short";
    if (size < 8) return NULL;
    if (ld32(bytes) != DXBC_MAGIC) {
        struct dxbc_chunk bare = { bytes, size };
        return compile(&bare, stage, NULL, 0, NULL, 0, why);
    }
    if (!dxbc_open(bytes, size, &d, why)) return NULL;
    int ins = dxbc_signature(&d.inputs, d.inputs_stride, in, why);
    int outs = ins < 0 ? -1 : dxbc_signature(&d.outputs, d.outputs_stride, out, why);
    if (outs < 0) return NULL;
    bool named = d.inputs.bytes || d.outputs.bytes;
    return compile(&d.code, stage, named ? in : NULL, ins, out, outs, why);
}
