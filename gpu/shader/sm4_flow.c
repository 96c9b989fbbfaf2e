/* Control flow of SM4 and SM5 programs (sm4.h). Blocks are balanced here, so that the interpreter
 * can trust its jumps.
 *
 * switch becomes a loop that runs once: a break leaves it as it leaves loops. Each group of case
 * labels adds the lanes whose selector matches to "inside", and the code behind it runs under an if
 * of that; lanes that fall through stay inside. A continue cannot leave that loop alone, so it
 * marks its lanes, breaks, and the marked ones continue behind the end of the switch. Document: the
 * contract's part "executor", sections 10.4, 10.5 and 16. */
#include "gpu/shader/sm4.h"

enum {
    INSIDE = 1,
    MATCHED = 2,
    CONTINUES = 3
}; /* components of a switch's state; 0 is the selector */

static struct sm4_block *top(struct sm4_parser *s)
{
    return s->depth ? &s->block[s->depth - 1] : NULL;
}

static u32 emit_simple(struct sm4_parser *s, u16 op)
{
    struct ir_insn i = { .op = op };
    sm4_emit(s, &i);
    return s->p->insn_count - 1;
}

/* Emits an instruction that begins a block of the interpreter; returns its index. */
static u32 emit_begin(struct sm4_parser *s, u16 op, u8 condition, struct ir_src src)
{
    struct ir_insn i = { .op = op, .condition = condition, .src = { src } };
    if (++s->ir_depth > IR_MAX_NESTING) sm4_refuse(s, "blocks nested too deeply");
    sm4_emit(s, &i);
    return s->p->insn_count - 1;
}

static void emit_endif(struct sm4_parser *s, u32 begin)
{
    u32 here = emit_simple(s, IR_ENDIF);
    s->ir_depth--;
    if (!s->why) s->p->insns[begin].target = here;
}

static void emit_endloop(struct sm4_parser *s, u32 begin)
{
    u32 here = emit_simple(s, IR_ENDLOOP);
    s->ir_depth--;
    if (s->why) return;
    s->p->insns[begin].target = here;
    s->p->insns[here].target = begin;
}

static void emit_condition(struct sm4_parser *s, u16 op, u8 condition, struct ir_src src)
{
    struct ir_insn i = { .op = op, .condition = condition, .src = { src } };
    sm4_emit(s, &i);
}

static void emit_to(struct sm4_parser *s, u16 op, u16 to, u8 mask, struct ir_src x, struct ir_src y)
{
    struct ir_insn i = { .op = op, .dst = sm4_to_temp(to, mask), .src = { x, y } };
    sm4_emit(s, &i);
}

static struct ir_src component(u16 temp, unsigned c)
{
    return sm4_temp(temp, (u8)(c * 0x55));
}

static struct ir_src number(struct sm4_parser *s, u32 v)
{
    return sm4_immediate(s, v, v, v, v);
}

static struct sm4_block *open_block(struct sm4_parser *s, enum sm4_block_kind kind, u32 begin)
{
    if (s->depth == IR_MAX_NESTING) sm4_refuse(s, "blocks nested too deeply");
    if (s->why) return NULL;
    struct sm4_block *b = &s->block[s->depth++];
    *b = (struct sm4_block){ .kind = kind, .begin = begin };
    return b;
}

/* The block that a break leaves, and the loop that a continue continues. */
static struct sm4_block *around(struct sm4_parser *s, u32 depth, bool only_loops)
{
    while (depth-- > 0) {
        struct sm4_block *b = &s->block[depth];
        if (b->kind == BLOCK_LOOP || (b->kind == BLOCK_SWITCH && !only_loops)) return b;
    }
    return NULL;
}

/* ---- if ---- */

static void do_else(struct sm4_parser *s)
{
    struct sm4_block *b = top(s);
    if (!b || b->kind != BLOCK_IF) {
        sm4_refuse(s, "else without if");
        return;
    }
    u32 here = emit_simple(s, IR_ELSE);
    if (s->why) return;
    s->p->insns[b->begin].target = here;
    b->kind = BLOCK_ELSE;
    b->begin = here;
}

static void end_if(struct sm4_parser *s)
{
    struct sm4_block *b = top(s);
    if (!b || (b->kind != BLOCK_IF && b->kind != BLOCK_ELSE)) {
        sm4_refuse(s, "endif without if");
        return;
    }
    emit_endif(s, b->begin);
    s->depth--;
}

/* ---- switch ---- */

static void begin_switch(struct sm4_parser *s)
{
    u32 level = 0;
    struct ir_src selector = sm4_source(s);
    for (u32 k = 0; k < s->depth; k++) level += s->block[k].kind == BLOCK_SWITCH;
    u16 state = sm4_extra_temp(s, EXTRA_SWITCH + level);
    selector.swizzle = (u8)((selector.swizzle & 3) * 0x55);
    emit_to(s, IR_IADD, state, 1, selector, number(s, 0));
    emit_to(s, IR_MOV, state, 14, number(s, 0), number(s, 0));
    u32 begin = emit_begin(s, IR_LOOP, 0, (struct ir_src){ 0 });
    struct sm4_block *b = open_block(s, BLOCK_SWITCH, begin);
    if (b) b->state = state;
}

static void close_case(struct sm4_parser *s, struct sm4_block *b)
{
    if (b->case_if) emit_endif(s, b->case_if - 1);
    b->case_if = 0;
}

static void match(struct sm4_parser *s, struct sm4_block *b, u32 value, bool inside)
{
    u16 t = sm4_extra_temp(s, EXTRA_SCRATCH);
    emit_to(s, IR_IEQ, t, 1, component(b->state, 0), number(s, value));
    if (inside)
        emit_to(s, IR_OR, b->state, 1 << INSIDE, component(b->state, INSIDE), component(t, 0));
    emit_to(s, IR_OR, b->state, 1 << MATCHED, component(b->state, MATCHED), component(t, 0));
}

static u32 case_value(struct sm4_parser *s)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    if (o.file != SM4_IMM32) sm4_refuse(s, "case of a value that is no number");
    return o.neg ? 0u - o.imm[0] : o.imm[0];
}

/* The values of the cases behind the default: default takes what none of them takes. */
static void match_later(struct sm4_parser *s, struct sm4_block *b)
{
    u32 at = s->at, end = s->end, depth = 0;
    for (u32 next = end; next < s->count && !s->why;) {
        u32 n = sm4_length(s, next), opcode = ld32(s->bytes + 4 * (size_t)next) & 0x7ff;
        if (!n || (opcode == SM4_OP_ENDSWITCH && !depth)) break;
        if (opcode == SM4_OP_SWITCH) depth++;
        if (opcode == SM4_OP_ENDSWITCH) depth--;
        if (opcode == SM4_OP_CASE && !depth) {
            s->at = next + 1;
            s->end = next + n;
            match(s, b, case_value(s), false);
        }
        next += n;
    }
    s->at = at;
    s->end = end;
}

static void label_of_switch(struct sm4_parser *s, bool is_default)
{
    struct sm4_block *b = top(s);
    if (!b || b->kind != BLOCK_SWITCH || (is_default && b->defaulted)) {
        sm4_refuse(s, "case or default without switch");
        return;
    }
    close_case(s, b);
    b->labelled = true;
    if (!is_default) {
        match(s, b, case_value(s), true);
        return;
    }
    u16 t = sm4_extra_temp(s, EXTRA_SCRATCH);
    b->defaulted = true;
    match_later(s, b);
    emit_to(s, IR_NOT, t, 1, component(b->state, MATCHED), number(s, 0));
    emit_to(s, IR_OR, b->state, 1 << INSIDE, component(b->state, INSIDE), component(t, 0));
}

static void end_switch(struct sm4_parser *s)
{
    struct sm4_block *b = top(s);
    if (!b || b->kind != BLOCK_SWITCH) {
        sm4_refuse(s, "endswitch without switch");
        return;
    }
    close_case(s, b);
    emit_simple(s, IR_BREAK);
    emit_endloop(s, b->begin);
    s->depth--;
    if (!b->continues) return;
    struct sm4_block *outer = around(s, s->depth, false);
    struct ir_src marked = component(b->state, CONTINUES);
    if (outer->kind == BLOCK_LOOP) {
        emit_condition(s, IR_CONTINUEB, 0, marked);
        return;
    }
    outer->continues = true;
    emit_to(s, IR_OR, outer->state, 1 << CONTINUES, component(outer->state, CONTINUES), marked);
    emit_condition(s, IR_BREAKB, 0, marked);
}

/* ---- leaving ---- */

static void do_break(struct sm4_parser *s, bool conditional, u8 condition)
{
    struct ir_src src = conditional ? sm4_source(s) : (struct ir_src){ 0 };
    if (!around(s, s->depth, false)) sm4_refuse(s, "break outside of loops and switches");
    emit_condition(s, conditional ? IR_BREAKB : IR_BREAK, condition, src);
}

static void do_continue(struct sm4_parser *s, bool conditional, u8 condition)
{
    struct ir_src src = conditional ? sm4_source(s) : (struct ir_src){ 0 };
    struct sm4_block *b = around(s, s->depth, false);
    if (!around(s, s->depth, true)) sm4_refuse(s, "continue outside of loops");
    if (s->why) return;
    if (b->kind == BLOCK_LOOP) {
        emit_condition(s, conditional ? IR_CONTINUEB : IR_CONTINUE, condition, src);
        return;
    }
    u32 begin = conditional ? emit_begin(s, IR_IF, condition, src) : 0;
    b->continues = true;
    emit_to(s, IR_MOV, b->state, 1 << CONTINUES, number(s, 0xffffffff), number(s, 0));
    emit_simple(s, IR_BREAK);
    if (conditional) emit_endif(s, begin);
}

/* ---- subroutines ---- */

static u32 label_number(struct sm4_parser *s)
{
    struct sm4_operand o;
    sm4_operand(s, &o);
    if (o.file != SM4_LABEL || o.dims != 1 || o.index[0].rel.file != IR_NULL ||
        o.index[0].imm >= SM4_MAX_LABELS) {
        sm4_refuse(s, "label");
        return 0;
    }
    return o.index[0].imm;
}

static void label(struct sm4_parser *s)
{
    u32 n = label_number(s);
    if (s->depth || s->label[n]) sm4_refuse(s, "label inside a block, or twice");
    emit_simple(s, IR_RET); /* what is above ends here */
    emit_simple(s, IR_LABEL);
    s->label[n] = s->p->insn_count;
}

static void call(struct sm4_parser *s, bool conditional, u8 condition)
{
    struct ir_insn i = { .op = conditional ? IR_CALLB : IR_CALL, .condition = condition };
    if (conditional) i.src[0] = sm4_source(s);
    i.target = label_number(s); /* resolved at the end */
    sm4_emit(s, &i);
}

static void discard(struct sm4_parser *s, u32 word)
{
    struct ir_insn i = { .op = word >> 18 & 1 ? IR_KILL_NZ : IR_KILL_Z };
    if (!s->ps) sm4_refuse(s, "discard outside of a pixel shader");
    i.src[0] = sm4_source(s);
    s->p->kills = true;
    sm4_emit(s, &i);
}

/* ---- the stream ---- */

void sm4_before(struct sm4_parser *s, u32 word)
{
    struct sm4_block *b = top(s);
    unsigned opcode = word & 0x7ff;
    if (!b || b->kind != BLOCK_SWITCH || b->case_if || opcode == SM4_OP_CASE ||
        opcode == SM4_OP_DEFAULT || opcode == SM4_OP_ENDSWITCH)
        return;
    if (!b->labelled) sm4_refuse(s, "code before the first case");
    u32 begin = emit_begin(s, IR_IF, 0, component(b->state, INSIDE));
    b->case_if = begin + 1;
}

bool sm4_flow(struct sm4_parser *s, u32 word)
{
    u8 condition = sm4_test(word);
    switch (word & 0x7ff) {
    case SM4_OP_BREAK: do_break(s, false, 0); break;
    case 3: do_break(s, true, condition); break;
    case 4: call(s, false, 0); break;
    case 5: call(s, true, condition); break;
    case SM4_OP_CASE: label_of_switch(s, false); break;
    case 7: do_continue(s, false, 0); break;
    case 8: do_continue(s, true, condition); break;
    case SM4_OP_DEFAULT: label_of_switch(s, true); break;
    case 13: discard(s, word); break;
    case 18: do_else(s); break;
    case 21: end_if(s); break;
    case 22:
        if (top(s) && top(s)->kind == BLOCK_LOOP)
            emit_endloop(s, s->block[--s->depth].begin);
        else
            sm4_refuse(s, "endloop without loop");
        break;
    case SM4_OP_ENDSWITCH: end_switch(s); break;
    case 31: {
        struct ir_src src = sm4_source(s);
        open_block(s, BLOCK_IF, emit_begin(s, IR_IF, condition, src));
        break;
    }
    case SM4_OP_LABEL: label(s); break;
    case 48: open_block(s, BLOCK_LOOP, emit_begin(s, IR_LOOP, 0, (struct ir_src){ 0 })); break;
    case 62: emit_simple(s, IR_RET); break;
    case 63: {
        struct ir_src src = sm4_source(s);
        emit_condition(s, IR_RETB, condition, src);
        break;
    }
    case SM4_OP_SWITCH: begin_switch(s); break;
    default: return false;
    }
    return true;
}

void sm4_end_flow(struct sm4_parser *s)
{
    struct ir_program *p = s->p;
    if (s->depth) sm4_refuse(s, "block without end");
    for (u32 k = 0; k < p->insn_count && !s->why; k++) {
        struct ir_insn *i = &p->insns[k];
        if (i->op != IR_CALL && i->op != IR_CALLB) continue;
        if (!s->label[i->target])
            sm4_refuse(s, "call of a missing label");
        else
            i->target = s->label[i->target] - 1;
    }
    emit_simple(s, IR_RET);
}
