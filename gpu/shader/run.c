/* The interpreter (run.h). Control flow is here, arithmetic in alu.c.
 *
 * One mask says which lanes execute. Structured blocks keep what was before on a stack; lanes that
 * break, continue or return are taken out of the masks of their loop or call, so that the end of an
 * inner block does not bring them back. */
#include "gpu/shader/run.h"

#include <stdlib.h>
#include <xmmintrin.h>

#include "gpu/shader/alu.h"
#include "gpu/shader/plan.h"
#include "gpu/simd.h"
#include "machine/core/error.h"

/* every call may be as deep in blocks as the front ends allow */
enum { STACK = (IR_MAX_NESTING + 1) * (IR_MAX_CALL_DEPTH + 1), LOOP_BOUND = 65536 };
enum {
    MXCSR_SHADER = 0x9fc0
}; /* round to nearest, everything masked, denormals are zero in and out */

enum frame_kind { FRAME_IF, FRAME_LOOP, FRAME_CALL };

struct frame {
    enum frame_kind kind;
    u64 before;      /* lanes that executed when the block began */
    u64 taken;       /* IF: lanes of the first branch */
    u64 loop, cont;  /* LOOP: masks of the loop around; CALL likewise */
    u64 func;        /* CALL: of the caller */
    u32 count, back; /* LOOP: iterations left, instruction of its begin; CALL: where to return */
    i32 al, step;    /* LOOP: aL of the loop around, this loop's step */
};

struct run {
    struct alu alu;
    const struct alu_ops *ops;
    const struct ir_program *p;
    u64 exec;             /* lanes that execute now */
    u64 loop, cont, func; /* lanes that still are in the loop, in this iteration, in the call */
    struct frame *stack;
    unsigned depth;
    u32 at;
};

/* Not cleared: push() writes whole frames, and most programs never come to most of them. */
static void *stack_create(void)
{
    void *p = malloc(STACK * sizeof(struct frame));
    check(p != NULL);
    return p;
}

static void place(struct ir_state *s, const struct ir_program *p)
{
    s->outputs = s->inputs + IR_MAX_INPUTS;
    s->special = s->outputs + IR_MAX_OUTPUTS;
    s->temps = s->special + IR_SP_COUNT;
    s->arrays = s->temps + p->temps;
}

static size_t registers(const struct ir_program *p)
{
    return IR_MAX_INPUTS + IR_MAX_OUTPUTS + IR_SP_COUNT + (size_t)p->temps + p->array_registers;
}

static void allocate(struct ir_state *s, size_t n)
{
    free(s->inputs);
    if (posix_memalign((void **)&s->inputs, 64, n * sizeof(struct lanes))) check(false);
    s->capacity = n;
}

struct ir_state *ir_state_create(const struct ir_program *p)
{
    struct ir_state *s = xalloc(sizeof(*s));
    allocate(s, registers(p));
    memset(s->inputs, 0, s->capacity * sizeof(struct lanes));
    s->stack = stack_create();
    s->plan = ir_plan(p);
    s->owns_plan = true;
    place(s, p);
    return s;
}

struct ir_state *ir_state_plan(const struct ir_program *p)
{
    struct ir_state *s = xalloc(sizeof(*s));
    s->plan = ir_plan(p);
    s->owns_plan = true;
    return s;
}

void ir_state_like(struct ir_state **to, const struct ir_program *p, const struct ir_state *like)
{
    struct ir_state *s = *to;
    if (!s) {
        s = *to = xalloc(sizeof(*s));
        s->stack = stack_create();
    }
    if (registers(p) > s->capacity) {
        allocate(s, registers(p));
        memset(s->inputs, 0, s->capacity * sizeof(struct lanes));
    }
    place(s, p);
    s->plan = like->plan;
}

void ir_state_free(struct ir_state *s)
{
    if (!s) return;
    if (s->owns_plan) free(s->plan);
    free(s->inputs);
    free(s->stack);
    free(s);
}

/* Lanes whose quad has an active one. */
static u64 whole_quads(u64 m)
{
    m |= m >> 1 & 0x7777777777777777ull;
    m |= m >> 2 & 0x3333333333333333ull;
    m &= 0x1111111111111111ull;
    return m * 15;
}

static struct frame *push(struct run *r, enum frame_kind kind)
{
    check(r->depth < STACK); /* the front ends bound nesting, and calls are bounded below */
    struct frame *f = &r->stack[r->depth++];
    *f = (struct frame){
        .kind = kind, .before = r->exec, .loop = r->loop, .cont = r->cont, .func = r->func
    };
    return f;
}

static u64 still_here(const struct run *r)
{
    return r->loop & r->cont & r->func;
}

/* ---- blocks ---- */

static void begin_if(struct run *r, const struct ir_insn *i)
{
    struct frame *f = push(r, FRAME_IF);
    f->taken = r->exec & r->ops->condition(&r->alu, i);
    r->exec = f->taken;
    if (!r->exec) r->at = i->target; /* ELSE or ENDIF, which run */
}

static void do_else(struct run *r, const struct ir_insn *i)
{
    struct frame *f = &r->stack[r->depth - 1];
    r->exec = f->before & ~f->taken & still_here(r);
    if (!r->exec) r->at = i->target;
}

static void end_if(struct run *r)
{
    struct frame *f = &r->stack[--r->depth];
    r->exec = f->before & still_here(r);
}

static void begin_loop(struct run *r, const struct ir_insn *i)
{
    struct frame *f = push(r, FRAME_LOOP);
    f->al = r->alu.al;
    f->back = r->at - 1;
    f->count = LOOP_BOUND;
    if (i->op == IR_REP) {
        i32 v[4];
        r->ops->integer_constant(&r->alu, i->src[0].index, v);
        f->count = (u32)(v[0] < 0 ? 0 : MIN(v[0], 255));
        f->step = v[2];
        if (i->condition) r->alu.al = v[1];
    }
    r->loop = r->exec;
    r->cont = ~0ull;
    if (f->count && r->exec) return;
    r->exec = 0;
    f->count = 0;
    r->at = i->target;
}

static void end_loop(struct run *r)
{
    struct frame *f = &r->stack[r->depth - 1];
    const struct ir_insn *begin = &r->p->insns[f->back];
    r->cont = ~0ull;
    r->exec = f->before & r->loop & r->func;
    if (f->count) f->count--;
    if (r->exec && f->count) {
        if (begin->op == IR_REP && begin->condition) r->alu.al += f->step;
        r->at = f->back + 1;
        return;
    }
    r->loop = f->loop;
    r->cont = f->cont;
    r->alu.al = f->al;
    r->exec = f->before & still_here(r);
    r->depth--;
}

static void leave(struct run *r, u64 *mask, u64 lanes)
{
    *mask &= ~lanes;
    r->exec &= ~lanes;
}

static void call(struct run *r, const struct ir_insn *i, u64 lanes)
{
    unsigned calls = 0;
    for (unsigned k = 0; k < r->depth; k++) calls += r->stack[k].kind == FRAME_CALL;
    if (!lanes || calls == IR_MAX_CALL_DEPTH) return;
    struct frame *f = push(r, FRAME_CALL);
    f->back = r->at;
    r->exec = r->func = lanes;
    r->loop = r->cont = ~0ull;
    r->at = i->target + 1;
}

/* False: the program's own end. */
static bool do_return(struct run *r, u64 lanes)
{
    if (r->depth && r->stack[r->depth - 1].kind == FRAME_CALL &&
        lanes == r->exec) { /* the end of a subroutine */
        struct frame *f = &r->stack[--r->depth];
        r->loop = f->loop;
        r->cont = f->cont;
        r->func = f->func;
        r->exec = f->before & still_here(r);
        r->at = f->back;
        return true;
    }
    if (!r->depth && lanes == r->exec) return false;
    leave(r, &r->func, lanes);
    return true;
}

/* False: the program has ended. */
static bool flow(struct run *r, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_IF:
    case IR_IFC: begin_if(r, i); break;
    case IR_ELSE: do_else(r, i); break;
    case IR_ENDIF: end_if(r); break;
    case IR_LOOP:
    case IR_REP: begin_loop(r, i); break;
    case IR_ENDLOOP: end_loop(r); break;
    case IR_BREAK: leave(r, &r->loop, r->exec); break;
    case IR_BREAKB:
    case IR_BREAKC: leave(r, &r->loop, r->exec & r->ops->condition(&r->alu, i)); break;
    case IR_CONTINUE: leave(r, &r->cont, r->exec); break;
    case IR_CONTINUEB: leave(r, &r->cont, r->exec & r->ops->condition(&r->alu, i)); break;
    case IR_CALL: call(r, i, r->exec); break;
    case IR_CALLB: call(r, i, r->exec & r->ops->condition(&r->alu, i)); break;
    case IR_RET: return do_return(r, r->exec);
    case IR_RETB: return do_return(r, r->exec & r->ops->condition(&r->alu, i));
    default: break; /* LABEL */
    }
    return true;
}

static void begin(struct run *r, const struct ir_program *p, const struct ir_env *env,
                  struct ir_state *s)
{
    const struct ir_plan *plan = s->plan;
    r->p = p;
    r->ops = !env->sse2_only && simd_has_avx2() ? &alu_ops_avx2 : &alu_ops_sse2;
    r->stack = s->stack;
    r->depth = r->at = 0;
    r->loop = r->cont = r->func = ~0ull;
    r->exec = p->stage == STAGE_PS ? whole_quads(s->active) : s->active;
    struct alu *a = &r->alu;
    a->p = p;
    a->env = env;
    a->s = s;
    a->all = r->exec;
    a->lanes = r->exec ? (LANES - (u32)__builtin_clzll(r->exec) + 7) & ~7u : 8;
    a->al = 0;
    const size_t bytes = a->lanes * sizeof(u32);
    for (unsigned c = 0; c < 4; c++) {
        if (plan->address) memset(a->addr.c[c], 0, bytes);
        if (plan->predicate) memset(a->pred.c[c], 0, bytes);
        for (u32 k = 0; k < plan->zero_count; k++)
            memset(s->temps[plan->zero_temps[k]].c[c], 0, bytes);
        for (u32 left = plan->zero_outputs; left; left &= left - 1)
            memset(s->outputs[__builtin_ctz(left)].c[c], 0, bytes);
    }
    if (p->array_registers) memset(s->arrays, 0, p->array_registers * sizeof(struct lanes));
}

bool ir_run(const struct ir_program *p, const struct ir_env *env, struct ir_state *s)
{
    struct run r; /* not cleared as a whole: it holds registers */
    unsigned mxcsr = _mm_getcsr();
    bool in_budget = true;
    _mm_setcsr(MXCSR_SHADER);
    begin(&r, p, env, s);
    *env->budget -= (i64)(s->plan->zero_count + p->array_registers) * 4 * LANES; /* cleared */
    i64 steps = 0;
    while (r.at < p->insn_count) {
        const struct ir_insn *i = &p->insns[r.at++];
        if (r.at - 1 == s->plan->merged_at) {
            i = &s->plan->merged;
            r.at++;
        }
        if ((++steps & 255) == 0 && (*env->budget -= 256 * LANES) < 0) {
            in_budget = false;
            break;
        }
        if (i->op >= IR_IF) {
            if (!flow(&r, i)) break;
        } else if (i->op >= IR_KILL_LT) {
            s->active &= ~(r.exec & r.ops->kill(&r.alu, i));
        } else if (r.exec && i->op != IR_NOP) {
            r.ops->execute(&r.alu, i, r.exec);
        }
    }
    *env->budget -= (steps & 255) * LANES;
    _mm_setcsr(mxcsr);
    return in_budget;
}
