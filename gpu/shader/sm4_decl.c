/* Declarations of SM4 and SM5 programs (sm4.h): registers, resources, system values, the immediate
 * constant buffer, and what the signatures of the container say about registers. Document: the
 * contract's part "executor", sections 9, 10.1 and 10.4. */
#include "gpu/shader/sm4.h"

#include <stdlib.h>

#include "machine/core/error.h"

/* A register that a declaration names: its number and mask. */
static u32 declared_register(struct sm4_parser *s, enum sm4_file file, unsigned dims, u32 limit,
                             u8 *mask)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    if (o.file != file || o.dims != dims || o.index[0].rel.file != IR_NULL ||
        o.index[0].imm >= limit) {
        sm4_refuse(s, "register of a declaration");
        return 0;
    }
    if (mask) *mask = o.mask;
    return o.index[0].imm;
}

/* ---- resources ---- */

static void resource(struct sm4_parser *s, u32 word)
{
    static const u8 kinds[16] = { [1] = 1, [3] = 2, [6] = 3, [8] = 8, [10] = 9 };
    u32 n = declared_register(s, SM4_RESOURCE, 1, ACMD_RESOURCES, NULL);
    u8 kind = kinds[word >> 11 & 15];
    sm4_token(s); /* types of the components */
    if (!kind || word >> 15 & 1)
        sm4_refuse(s, "1D, volume and multisampled textures do not exist here");
    if (!s->why) s->p->texture_kind[n] = kind;
}

static void constant_buffer(struct sm4_parser *s)
{
    declared_register(s, SM4_CB, 2, ACMD_CONSTANT_BUFFERS, NULL);
}

/* ---- temps ---- */

static void temps(struct sm4_parser *s)
{
    u32 n = sm4_token(s);
    if (n > IR_MAX_TEMPS || n + s->p->array_registers > IR_MAX_TEMPS) {
        sm4_refuse(s, "too many temporary registers");
        return;
    }
    s->declared_temps = n;
    s->p->temps = (u16)n;
}

static void indexable_temp(struct sm4_parser *s)
{
    struct ir_program *p = s->p;
    u32 n = sm4_token(s), size = sm4_token(s);
    sm4_token(s); /* components */
    if (n >= IR_MAX_ARRAYS || !size || size > IR_MAX_TEMPS ||
        p->array_registers + size + s->declared_temps > IR_MAX_TEMPS)
        sm4_refuse(s, "too many indexable temporary registers");
    else if (p->arrays[n].size)
        sm4_refuse(s, "indexable temporary register declared twice");
    if (s->why) return;
    p->arrays[n].size = (u16)size;
    p->arrays[n].first = p->array_registers;
    p->array_registers += size;
    if (p->array_count <= n) p->array_count = (u16)(n + 1);
}

/* Class 3 is the immediate constant buffer; comments, debug information and the like are skipped.
 */
void sm4_custom_data(struct sm4_parser *s, u32 word)
{
    struct ir_program *p = s->p;
    u32 dwords = sm4_token(s) - 2, n = dwords / 4;
    if (s->end - s->at < dwords || s->end < s->at) sm4_refuse(s, "length of custom data");
    if (s->why || word >> 11 != 3) return;
    if (p->icb_count || s->in_code || dwords % 4 || n > SM4_MAX_ICB) {
        sm4_refuse(s, "immediate constant buffer");
        return;
    }
    p->icb_first = p->immediate_count;
    s->imm_cap = p->immediate_count + n + 16;
    p->immediates = xrealloc(p->immediates, s->imm_cap * sizeof(*p->immediates));
    for (u32 k = 0; k < dwords; k++) p->immediates[p->icb_first + k / 4][k % 4] = sm4_token(s);
    p->icb_count = n;
    p->immediate_count += n;
}

/* ---- inputs and outputs ---- */

/* The interpreter's special register for a system value; 0: it arrives as an ordinary input. */
static u8 special_of(struct sm4_parser *s, u32 system)
{
    enum { SAMPLE_INDEX = 10 };
    if (s->ps) {
        switch (system) {
        case IR_SV_POSITION: return 1 + IR_SP_POSITION;
        case IR_SV_PRIMITIVE_ID: return 1 + IR_SP_PRIMITIVE_ID;
        case IR_SV_FRONT_FACE: return 1 + IR_SP_FRONT;
        case SAMPLE_INDEX: return SM4_ZERO;
        case IR_SV_CLIP_DISTANCE:
        case IR_SV_CULL_DISTANCE:
        case IR_SV_TARGET_LAYER:
        case IR_SV_VIEWPORT:
        case IR_SV_NONE: return 0;
        default: break;
        }
    } else {
        switch (system) {
        case IR_SV_VERTEX_ID: return 1 + IR_SP_VERTEX_ID;
        case IR_SV_INSTANCE_ID: return 1 + IR_SP_INSTANCE_ID;
        case IR_SV_NONE: return 0;
        default: break;
        }
    }
    sm4_refuse(s, "system value of another stage");
    return 0;
}

static void note_system(struct ir_port *port, u8 mask, u32 system)
{
    for (unsigned c = 0; c < 4; c++) {
        if (mask >> c & 1) port->systems[c] = (u8)system;
    }
    if (!port->system) port->system = (u8)system;
}

static void input(struct sm4_parser *s, u32 word, bool has_system)
{
    static const u8 modes[16] = {
        [1] = IR_CONSTANT, [4] = IR_NOPERSPECTIVE, [5] = IR_NOPERSPECTIVE, [7] = IR_NOPERSPECTIVE
    };
    u32 at = s->at;
    struct sm4_operand o;
    sm4_operand(s, &o);
    if (o.file == SM4_COVERAGE_IN && s->ps) return;
    s->at = at;
    u8 mask = 0, mode = s->ps ? modes[word >> 11 & 15] : 0;
    u32 n = declared_register(s, SM4_INPUT, 1, IR_MAX_INPUTS, &mask),
        system = has_system ? sm4_token(s) : 0;
    u8 special = special_of(s, system);
    if (s->why) return;
    struct ir_port *port = &s->p->input[n];
    for (unsigned c = 0; c < 4; c++) {
        if (mask >> c & 1) s->special[n][c] = special;
    }
    s->declared[n] |= mask;
    note_system(port, mask, system);
    if (special) return;
    if (port->used && port->interpolation != mode)
        sm4_refuse(s, "two interpolation modes in one register");
    port->used = port->declared = true;
    port->interpolation = mode;
    port->mask |= mask;
}

static void output(struct sm4_parser *s, bool has_system)
{
    struct sm4_operand o;
    u32 at = s->at;
    sm4_operand(s, &o);
    if (s->ps && (o.file == SM4_DEPTH || o.file == SM4_DEPTH_GE || o.file == SM4_DEPTH_LE)) return;
    s->at = at;
    u8 mask = 0;
    u32 n = declared_register(s, SM4_OUTPUT, 1, s->ps ? 8 : IR_MAX_OUTPUTS, &mask),
        system = has_system ? sm4_token(s) : 0;
    if (system > IR_SV_VIEWPORT) sm4_refuse(s, "system value of another stage");
    if (s->why) return;
    struct ir_port *port = &s->p->output[s->ps ? s->target[n] : n];
    port->used = port->declared = true;
    port->mask |= mask;
    note_system(port, mask, s->ps ? (u32)IR_SV_TARGET : system);
}

/* dcl_indexrange: which registers may be reached by computed indices. They all exist here. */
static void index_range(struct sm4_parser *s)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    u32 n = sm4_token(s);
    if ((o.file != SM4_INPUT && o.file != SM4_OUTPUT) || o.dims != 1 ||
        o.index[0].imm >= IR_MAX_INPUTS || n > IR_MAX_INPUTS - o.index[0].imm)
        sm4_refuse(s, "range of indices");
}

/* Early depth tests would write depth of pixels that are discarded later. */
static void global_flags(struct sm4_parser *s, u32 word)
{
    enum { DOUBLES = 1 << 12, EARLY_DEPTH = 1 << 13 };
    if (word & DOUBLES) sm4_refuse(s, "double precision");
    if (word & EARLY_DEPTH) sm4_refuse(s, "forced early depth tests are not supported");
}

bool sm4_declare(struct sm4_parser *s, u32 word)
{
    unsigned opcode = word & 0x7ff;
    if (opcode < 88 || opcode > 106 || (opcode >= 92 && opcode <= 94)) return false;
    if (s->in_code) sm4_refuse(s, "declaration behind the first instruction");
    switch (opcode) {
    case 88: resource(s, word); break;
    case 89: constant_buffer(s); break;
    case 90: declared_register(s, SM4_SAMPLER, 1, ACMD_SAMPLERS, NULL); break;
    case 91: index_range(s); break;
    case 95:
    case 98: input(s, word, false); break;
    case 96:
    case 97:
    case 99:
    case 100: input(s, word, true); break;
    case 101: output(s, false); break;
    case 102:
    case 103: output(s, true); break;
    case 104: temps(s); break;
    case 105: indexable_temp(s); break;
    default: global_flags(s, word); break;
    }
    return true;
}

/* ---- signatures ---- */

void sm4_signatures(struct sm4_parser *s, const struct ir_element *in, u32 ins,
                    const struct ir_element *out, u32 outs)
{
    struct ir_program *p = s->p;
    for (unsigned k = 0; k < IR_MAX_OUTPUTS; k++) s->target[k] = (u8)(k & 7);
    p->input_elements = ins;
    p->output_elements = outs;
    if (!ins && !outs) return;
    p->elements = xalloc((ins + outs) * sizeof(*p->elements));
    if (ins) memcpy(p->elements, in, ins * sizeof(*in));
    if (outs) memcpy(p->elements + ins, out, outs * sizeof(*out));
    for (u32 k = 0; k < outs && s->ps; k++) {
        if (out[k].system == IR_SV_TARGET && out[k].reg < 8 && out[k].index < 8)
            s->target[out[k].reg] = (u8)out[k].index;
    }
}

/* Names of ports: the first line of the signature that has the register; and system values of a
 * vertex shader's outputs that the code declared as ordinary ones. */
static void name_ports(struct ir_port *ports, const struct ir_element *e, u32 n, bool outputs)
{
    for (u32 k = n; k-- > 0;) {
        if (e[k].reg == IR_NO_REGISTER) continue;
        if (outputs && ports[e[k].reg].used && e[k].system <= IR_SV_VIEWPORT &&
            !ports[e[k].reg].system)
            note_system(&ports[e[k].reg], e[k].mask, e[k].system);
        ports[e[k].reg].semantic_hash = e[k].hash;
        ports[e[k].reg].semantic_index = (u8)e[k].index;
    }
}

/* An input register whose components are not all the same system value, or not all ordinary. */
static bool is_mixed(const struct sm4_parser *s, unsigned n)
{
    int first = -1;
    for (unsigned c = 0; c < 4; c++) {
        if (!(s->declared[n] >> c & 1)) continue;
        if (first < 0) first = s->special[n][c];
        if (s->special[n][c] != first) return true;
    }
    return false;
}

/* The whole register goes to a temp; the port keeps only what the linkage fills. */
static void copy_mixed(struct sm4_parser *s, unsigned n)
{
    struct ir_port *port = &s->p->input[n];
    u16 t = sm4_extra_temp(s, EXTRA_INPUT + n);
    for (unsigned c = 0; c < 4; c++) {
        u8 special = s->special[n][c];
        struct ir_insn i = { .op = IR_MOV, .dst = sm4_to_temp(t, (u8)(1 << c)) };
        if (!(s->declared[n] >> c & 1)) continue;
        i.src[0] = (struct ir_src){ .file = special ? IR_SPECIAL : IR_INPUT,
                                    .swizzle = XYZW,
                                    .index = (u16)(special ? special - 1u : n) };
        if (special) port->systems[c] = IR_SV_NONE;
        if (special && special != 1 + IR_SP_POSITION) i.src[0].swizzle = 0;
        if (special == SM4_ZERO) i.src[0] = sm4_immediate(s, 0, 0, 0, 0);
        sm4_emit(s, &i);
    }
    port->system = IR_SV_NONE;
    for (unsigned c = 4; c-- > 0;)
        port->system = port->systems[c] ? port->systems[c] : port->system;
}

void sm4_begin_code(struct sm4_parser *s)
{
    struct ir_program *p = s->p;
    s->in_code = true;
    name_ports(p->input, p->elements, p->input_elements, false);
    name_ports(p->output, p->elements + p->input_elements, s->ps ? 0 : p->output_elements, true);
    for (unsigned n = 0; n < IR_MAX_INPUTS; n++) {
        if (is_mixed(s, n)) copy_mixed(s, n);
    }
}
