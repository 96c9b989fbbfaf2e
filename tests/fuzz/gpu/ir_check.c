/* See ir_check.h. */
#include "tests/fuzz/gpu/ir_check.h"

#include "machine/core/text.h"
#include "tests/fuzz/gpu/target.h"

static void check_relative(const struct ir_program *p, const struct ir_relative *r)
{
    must(r->file == IR_NULL || r->file == IR_ADDR || r->file == IR_AL || r->file == IR_TEMP,
         "relative register's file");
    must(r->component < 4, "relative register's component");
    must(r->file != IR_TEMP || r->index < p->temps, "relative register exists");
}

/* Relative indices are checked at run time, lane by lane, whatever they are added to. */
static void check_register(const struct ir_program *p, u8 file, u16 slot, u16 index, bool relative)
{
    switch (file) {
    case IR_TEMP: must(index < p->temps, "temp exists"); break;
    case IR_INPUT: must(relative || index < IR_MAX_INPUTS, "input exists"); break;
    case IR_OUTPUT: must(relative || index < IR_MAX_OUTPUTS, "output exists"); break;
    case IR_ARRAY:
        must(slot < p->array_count, "array exists");
        must(relative || index < p->arrays[slot].size, "element of the array exists");
        break;
    case IR_SPECIAL: must(index < IR_SP_COUNT, "special value exists"); break;
    case IR_CB: must(slot < ACMD_CONSTANT_BUFFERS, "constant buffer exists"); break;
    case IR_IMM: must(index < p->immediate_count, "immediate exists"); break;
    default: must(file <= IR_SPECIAL, "register file exists");
    }
}

static void check_sources(const struct ir_program *p, const struct ir_insn *i)
{
    static const u8 sources[] = {
#define OP(name, n) n,
        IR_OPS(OP)
#undef OP
    };
    for (unsigned k = 0; k < sources[i->op]; k++) {
        check_relative(p, &i->src[k].rel);
        check_register(p, i->src[k].file, i->src[k].slot, i->src[k].index,
                       i->src[k].rel.file != IR_NULL);
        must(i->src[k].modifier <= IR_MOD_NOT, "modifier exists");
    }
}

static void check_insn(const struct ir_program *p, const struct ir_insn *i)
{
    must(i->op < IR_OP_COUNT, "opcode exists");
    check_sources(p, i);
    check_relative(p, &i->dst.rel);
    check_relative(p, &i->dst2.rel);
    check_register(p, i->dst.file, i->dst.slot, i->dst.index, i->dst.rel.file != IR_NULL);
    check_register(p, i->dst2.file, i->dst2.slot, i->dst2.index, i->dst2.rel.file != IR_NULL);
    must(i->dst.mask < 16 && i->dst2.mask < 16, "mask has four bits");
    must(i->dst.shift > -16 && i->dst.shift < 16, "shift is small");
    must(!i->predicated || i->pred.file == IR_PRED, "predicate is one");
    if (i->op >= IR_TEX && i->op <= IR_RESINFO)
        must(i->tex.resource < ACMD_RESOURCES && i->tex.sampler < ACMD_SAMPLERS, "slots exist");
}

static bool opens(u16 op)
{
    return op == IR_IF || op == IR_IFC || op == IR_LOOP || op == IR_REP;
}

/* One instruction that begins, ends or leaves a block; block: indices of what is open. */
static void check_flow(const struct ir_program *p, u32 at, u32 *block, u32 *depth)
{
    const struct ir_insn *i = &p->insns[at];
    if (i->op == IR_ELSE || i->op == IR_ENDIF || i->op == IR_ENDLOOP) {
        must(*depth > 0, "a block is open");
        u32 open = block[--*depth];
        u16 op = p->insns[open].op;
        bool loop = op == IR_LOOP || op == IR_REP;
        must(loop == (i->op == IR_ENDLOOP), "the block's end is of its kind");
        must(p->insns[open].target == at, "the block's beginning knows its end");
        must(!loop || i->target == open, "the loop's end knows its beginning");
        must(i->op != IR_ELSE || op == IR_IF || op == IR_IFC, "one else for an if");
    }
    if (opens(i->op) || i->op == IR_ELSE) {
        must(*depth < IR_MAX_NESTING, "nesting is bounded");
        block[(*depth)++] = at;
    }
    if (i->op == IR_CALL || i->op == IR_CALLB)
        must(i->target < p->insn_count && p->insns[i->target].op == IR_LABEL, "calls go to labels");
    if (i->op == IR_LABEL) must(*depth == 0, "labels are outside of blocks");
    if (i->op == IR_BREAK || i->op == IR_BREAKC || i->op == IR_BREAKB || i->op == IR_CONTINUE ||
        i->op == IR_CONTINUEB) {
        bool in = false;
        for (u32 k = 0; k < *depth; k++)
            in |= p->insns[block[k]].op == IR_LOOP || p->insns[block[k]].op == IR_REP;
        must(in, "breaks are in loops");
    }
}

void ir_check(const struct ir_program *p)
{
    u32 block[IR_MAX_NESTING], depth = 0, end = 0;
    must(p->temps <= IR_MAX_TEMPS + 16 && p->insn_count <= IR_MAX_INSNS, "sizes are bounded");
    must(p->array_count <= LEN(p->arrays), "number of arrays");
    for (u32 k = 0; k < p->array_count; k++) {
        must(p->arrays[k].first <= p->array_registers &&
                 p->arrays[k].size <= p->array_registers - p->arrays[k].first,
             "arrays are in the arena");
    }
    must(p->array_registers <= 16 * IR_MAX_TEMPS, "the arena is bounded");
    must(p->icb_count <= p->immediate_count && p->icb_first <= p->immediate_count - p->icb_count,
         "the immediate buffer is inside the immediates");
    for (u32 k = 0; k < p->def_count; k++)
        must(p->defs[k].file == IR_CONST || p->defs[k].file == IR_CONST_I ||
                 p->defs[k].file == IR_CONST_B,
             "definitions are of constants");
    for (u32 k = 0; k < p->insn_count; k++) {
        check_insn(p, &p->insns[k]);
        check_flow(p, k, block, &depth);
        end = k;
    }
    must(depth == 0 || !end, "every block ends");
}

u8 ir_blob_stage(const u8 *data, size_t size)
{
    static const u8 stages[] = { STAGE_PS, STAGE_VS, STAGE_GS, STAGE_HS, STAGE_DS, STAGE_CS };
    u32 word = size >= 4 ? ld32(data) : 0;
    for (size_t at = 0; word == 0x43425844 && at + 12 <= size && at < 512; at += 4) {
        if (ld32(data + at) == 0x52444853 || ld32(data + at) == 0x58454853)
            word = ld32(data + at + 8);
    }
    if (word >> 16 == 0xfffe) return STAGE_VS;
    if (word >> 16 == 0xffff) return STAGE_PS;
    return word >> 16 < LEN(stages) ? stages[word >> 16] : STAGE_CS;
}

void ir_check_compile(const u8 *data, size_t size,
                      struct ir_program *(*compile)(const u8 *bytes, u32 size, u8 stage,
                                                    const char **why))
{
    const char *why = NULL;
    u8 stage = ir_blob_stage(data, size);
    if (size && data[size - 1] == 0x5a) stage = (u8)((stage + 1) % STAGE_COUNT); /* a wrong one */
    struct ir_program *p = compile(data, (u32)size, stage, &why);
    must(p || why, "a refusal has a reason");
    if (!p) return;
    must(p->stage == stage, "the program is of the stage");
    ir_check(p);
    if (size && (data[size - 1] & 31) == 1) { /* texts are slow: some */
        struct text t;
        text_init(&t);
        ir_dump(p, &t);
        text_free(&t);
    }
    ir_free(p);
}
