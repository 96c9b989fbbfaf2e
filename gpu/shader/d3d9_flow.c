/* Control flow of Direct3D 9 token streams (d3d9.h): blocks, loops, calls, predicates. Blocks are
 * balanced here, so that the interpreter can trust its jumps. Document: the contract's part
 * "executor", sections 7.7 and 8. */
#include "gpu/shader/d3d9.h"

static void open_block(struct d3d9_parser *s)
{
    if (s->depth == IR_MAX_NESTING)
        d3d9_refuse(s, "blocks nested too deeply");
    else
        s->block[s->depth++] = s->p->insn_count - 1;
}

static bool in_loop(const struct d3d9_parser *s)
{
    for (u32 k = s->depth; k-- > 0;) {
        u16 op = s->p->insns[s->block[k]].op;
        if (op == IR_LOOP || op == IR_REP) return true;
    }
    return false;
}

static void close_if(struct d3d9_parser *s, bool is_else)
{
    d3d9_emit(s, is_else ? IR_ELSE : IR_ENDIF);
    u32 here = s->p->insn_count - 1;
    if (s->why) return;
    u32 open = s->depth ? s->block[s->depth - 1] : 0;
    u16 op = s->depth ? s->p->insns[open].op : (u16)IR_NOP;
    if (op != IR_IF && op != IR_IFC && (op != IR_ELSE || is_else)) {
        d3d9_refuse(s, "else or endif without if");
        return;
    }
    s->p->insns[open].target = here;
    s->depth--;
    if (is_else) s->block[s->depth++] = here;
}

static void close_loop(struct d3d9_parser *s)
{
    d3d9_emit(s, IR_ENDLOOP);
    u32 here = s->p->insn_count - 1;
    if (s->why) return;
    u32 open = s->depth ? s->block[s->depth - 1] : 0;
    u16 op = s->depth ? s->p->insns[open].op : (u16)IR_NOP;
    if (op != IR_REP) {
        d3d9_refuse(s, "end of a loop that did not begin");
        return;
    }
    s->p->insns[open].target = here;
    s->p->insns[here].target = open;
    s->depth--;
}

static unsigned condition(struct d3d9_parser *s, u32 word)
{
    unsigned c = word >> 16 & 7;
    if (c < 1 || c > 6) d3d9_refuse(s, "comparison");
    return c;
}

static void branch_call(struct d3d9_parser *s, unsigned opcode)
{
    u32 t = d3d9_token(s);
    struct ir_insn i = { .op = opcode == 26 ? IR_CALLB : IR_CALL };
    if (d3d9_type(t) != T_LABEL || (t & 0x7ff) >= MAX_LABELS) d3d9_refuse(s, "label");
    if (opcode == 26) i.src[0] = d3d9_source(s);
    i.target = t & 0x7ff; /* resolved at the end */
    *d3d9_emit(s, i.op) = i;
}

static void label(struct d3d9_parser *s)
{
    u32 t = d3d9_token(s);
    if (d3d9_type(t) != T_LABEL || (t & 0x7ff) >= MAX_LABELS || s->depth) {
        d3d9_refuse(s, "label");
        return;
    }
    d3d9_emit(s, IR_LABEL);
    s->label[t & 0x7ff] = s->p->insn_count;
}

static void set_predicate(struct d3d9_parser *s, u32 word)
{
    struct ir_insn i = { .op = IR_SETP, .condition = (u8)condition(s, word) };
    i.dst = d3d9_destination(s);
    d3d9_predicate(s, &i, word);
    if (i.dst.file != IR_PRED) d3d9_refuse(s, "setp without a predicate");
    i.src[0] = d3d9_source(s);
    i.src[1] = d3d9_source(s);
    *d3d9_emit(s, i.op) = i;
}

static void compare_break(struct d3d9_parser *s, u32 word, u16 op)
{
    struct ir_insn i = { .op = op, .condition = (u8)condition(s, word) };
    i.src[0] = d3d9_source(s);
    i.src[1] = d3d9_source(s);
    *d3d9_emit(s, i.op) = i;
}

static void begin_loop(struct d3d9_parser *s, bool counts)
{
    struct ir_insn i = { .op = IR_REP, .condition = counts };
    if (counts && d3d9_type(d3d9_token(s)) != T_LOOP) d3d9_refuse(s, "loop register");
    i.src[0] = d3d9_source(s);
    if (i.src[0].file != IR_CONST_I) d3d9_refuse(s, "loop count is no integer constant");
    *d3d9_emit(s, i.op) = i;
    open_block(s);
}

bool d3d9_flow(struct d3d9_parser *s, u32 word)
{
    unsigned opcode = word & 0xffff;
    if (opcode < 25 || opcode > 96 || s->version < 20) return false;
    switch (opcode) {
    case 25:
    case 26: branch_call(s, opcode); return true;
    case 27: begin_loop(s, true); return true;
    case 38: begin_loop(s, false); return true;
    case 28: d3d9_emit(s, IR_RET); return true;
    case 29:
    case 39: close_loop(s); return true;
    case 30: label(s); return true;
    case 40: {
        struct ir_insn i = { .op = IR_IF };
        i.src[0] = d3d9_source(s);
        if (i.src[0].file != IR_CONST_B && i.src[0].file != IR_PRED)
            d3d9_refuse(s, "if without a boolean");
        *d3d9_emit(s, IR_IF) = i;
        open_block(s);
        return true;
    }
    case 41:
        compare_break(s, word, IR_IFC);
        open_block(s);
        return true;
    case 42: close_if(s, true); return true;
    case 43: close_if(s, false); return true;
    case 44: d3d9_emit(s, IR_BREAK); break;
    case 45: compare_break(s, word, IR_BREAKC); break;
    case 96: {
        struct ir_insn i = { .op = IR_BREAKB };
        i.src[0] = d3d9_source(s);
        *d3d9_emit(s, IR_BREAKB) = i;
        break;
    }
    case 94: set_predicate(s, word); return true;
    default: return false;
    }
    if (!in_loop(s)) d3d9_refuse(s, "break outside a loop");
    return true;
}
