/* Control flow of a superblock: conditional side exits, links inside the page, the table for
 * everything else, and the stubs behind the code. */
#include "cpu/jit/translate.h"

static void add_budget(struct as *a, i32 n)
{
    as_insn(a, 0, OSZ64, AS_0, 0x81, 0, CPU_AT(budget), 0); /* with a long immediate: link_to() */
    as32(a, (u32)n);
}

/* A place in this page: a jump that is patched when the place has a translation. Events are looked
 * at by jumps back, so that no way round is without, and behind calls, whose access may have raised
 * one: by side exits here, which charge their targets, by others in the target. */
static void exit_linked(struct tr *t, unsigned target, unsigned left)
{
    struct as *a = t->a;
    struct jit_link *l = &t->tb->links[t->tb->link_count++];
    bool back = target <= t->op->off, call = t->op->kind == K_BRANCH && t->op->i.mapop == 0xe8;
    u32 waiting = left && back ? tr_events(t) : 0;
    *l = (struct jit_link){
        .from = t->tb, .off = (u16)target, .left = (u16)left, .events = back || call
    };
    if (left) {
        add_budget(a, (i32)left);
        l->charge = as_here(a) - 4;
    }
    l->field = as_jmp(a, as_here(a) + 5);
    if (waiting) {
        as_patch(a, waiting, as_here(a));
        add_budget(a, (i32)left);
        as_patch(a, l->field, as_here(a));
    }
    l->unlinked = as_here(a);
    as_load(a, OSZ64, H_AX, CPU_AT(jit_page));
    as_lea(a, OSZ64, H_AX, rm_at(H_AX, (i32)target));
    as_movabs(a, H_CX, (u64)(uintptr_t)l);
    as_jmp(a, t->j->leave_link[t->wide]);
}

static struct rm table_at(size_t member)
{
    return rm_sib(H_BP, H_CX, 0, jit_field(offsetof(struct cpu, jit_table)) + (i32)member);
}

/* To the linear address in RAX, by the table; RSP moves by `pop` first. */
static void lookup(struct tr *t, bool checked, i32 pop)
{
    struct as *a = t->a;
    unsigned sp = tr_pinned(t, RSP);
    as_rorx(a, OSZ32, H_CX, H_AX, 28); /* times 16 */
    as_imm(a, OSZ32, 4, rm_reg(H_CX), JIT_NO_KEY << 4);
    as_load(a, OSZ64, H_DX, CPU_AT(jit_key));
    as_rm(a, OSZ64, 0x33, H_DX, rm_reg(H_AX));
    as_rm(a, OSZ64, 0x3b, H_DX, table_at(offsetof(struct jit_entry, key)));
    struct stub *s = tr_stub(t, STUB_MISS);
    s->checked = checked || !t->wide;
    s->pop = pop;
    s->field = as_jcc(a, CC_NE, as_here(a));
    if (pop) as_lea(a, t->wide ? OSZ64 : OSZ32, sp, rm_at(sp, pop));
    as_insn(a, 0, OSZ32, AS_0, 0xff, 4, table_at(offsetof(struct jit_entry, code)), 0); /* JMP */
}

void tr_exit(struct tr *t, u64 target, unsigned left)
{
    struct as *a = t->a;
    unsigned size = t->wide ? OSZ64 : OSZ32;
    tr_x_store(t);
    tr_flags_to_mem(t);
    if (target < 0x1000) {
        exit_linked(t, (unsigned)target, left);
        return;
    }
    if (left) as_imm(a, OSZ64, 0, CPU_AT(budget), (i32)left);
    as_load(a, OSZ64, H_AX, CPU_AT(jit_page));
    i64 at = (i64)target;
    if (at == (i32)at) {
        as_lea(a, size, H_AX, rm_at(H_AX, (i32)at));
    } else {
        as_movabs(a, H_CX, target);
        as_rm(a, size, 0x03, H_AX, rm_reg(H_CX));
    }
    /* A jump must not leave canonical space; running over its end may, the fetch faults there. */
    lookup(t, target == (u64)t->op->off + t->op->i.len, 0);
}

/* To the start of a loop whose XMM registers stay where they are; flags are in memory. */
static void again(struct tr *t)
{
    u32 away = tr_events(t);
    tr_stub(t, STUB_AGAIN)->field = away;
    as_imm(t->a, OSZ64, 5, CPU_AT(budget), (i32)t->n);
    struct stub *s = tr_stub(t, STUB_AGAIN);
    s->target = t->n;
    s->field = as_jcc(t->a, CC_S, as_here(t->a));
    as_jmp(t->a, t->warm);
}

static void conditional(struct tr *t)
{
    const struct insn *i = &t->op->i;
    u64 target = t->op->off + i->len + i->imm;
    if (t->op->loop) tr_flags_to_mem(t); /* a long shift's leave EFLAGS */
    if (!tr_host_has(t, t->op->use)) tr_restore_flags(t);
    if (t->op->loop) {
        if (!t->warm) tr_x_store(t);
        if (!t->warm) {
            as_jcc(t->a, i->mapop & 15, t->tb->head);
        } else {
            u32 out = as_jcc(t->a, (i->mapop & 15) ^ 1, as_here(t->a));
            again(t);
            as_patch(t->a, out, as_here(t->a));
        }
        return;
    }
    struct stub *s = tr_stub(t, STUB_EXIT);
    s->target = t->op->taken ? t->op->off + i->len : target;
    s->field = as_jcc(t->a, (i->mapop & 15) ^ t->op->taken, as_here(t->a));
}

static void direct(struct tr *t)
{
    u64 target = t->op->off + t->op->i.len + t->op->i.imm;
    if (t->op->follow) return;
    if (t->op->loop) {
        tr_flags_to_mem(t);
        if (t->warm) {
            again(t);
            return;
        }
        tr_x_store(t);
        as_jmp(t->a, t->tb->head);
        return;
    }
    tr_exit(t, target, 0);
}

/* A jump away when the target in RAX is not canonical; the interpreter raises #GP. */
static u32 not_canonical(struct tr *t)
{
    struct as *a = t->a;
    as_mov(a, OSZ64, H_CX, H_AX);
    as_insn(a, 0, OSZ64, AS_0, 0xc1, 4, rm_reg(H_CX), 0); /* SHL RCX, 16 */
    as8(a, 16);
    as_insn(a, 0, OSZ64, AS_0, 0xc1, 7, rm_reg(H_CX), 0); /* SAR */
    as8(a, 16);
    as_rm(a, OSZ64, 0x3b, H_CX, rm_reg(H_AX));
    return as_jcc(a, CC_NE, as_here(a));
}

static void push_return(struct tr *t)
{
    struct as *a = t->a;
    unsigned size = t->wide ? OSZ64 : OSZ32, sp = tr_pinned(t, RSP);
    as_load(a, OSZ64, H_DX, CPU_AT(jit_page));
    as_lea(a, size, H_DX, rm_at(H_DX, (i32)(t->op->off + t->op->i.len)));
    as_store(a, size, tr_at(t), H_DX);
    as_lea(a, size, sp, rm_at(sp, -(1 << size)));
}

static void call_direct(struct tr *t)
{
    unsigned bytes = t->wide ? 8 : 4;
    u64 target = t->op->off + t->op->i.len + t->op->i.imm;
    struct stub *access = tr_memory(t, bytes, SITE_WRITE);
    push_return(t);
    if (access) access->resume = as_here(t->a);
    tr_exit(t, target, 0);
}

static void ret(struct tr *t)
{
    struct as *a = t->a;
    unsigned size = t->wide ? OSZ64 : OSZ32;
    struct stub *access = tr_memory(t, 1u << size, SITE_READ);
    as_load(a, size, H_AX, tr_at(t));
    if (access) access->resume = as_here(a);
    tr_x_store(t);
    lookup(t, false, (1 << size) + (i32)(u16)t->op->i.imm);
}

static void load_target(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned size = t->wide ? OSZ64 : OSZ32;
    if (!(i->flags & INSN_MEM)) {
        tr_clobber(t, t->op->live_in);
        as_mov(t->a, size, H_AX, tr_src(t, i->rm, H_AX));
        return;
    }
    struct stub *access = tr_memory(t, 1u << size, SITE_READ);
    as_load(t->a, size, H_AX, tr_at(t));
    if (access) access->resume = as_here(t->a);
}

static void indirect(struct tr *t)
{
    struct as *a = t->a;
    bool call = (t->op->i.modrm >> 3 & 7) == 2;
    load_target(t);
    if (call) {
        if (t->wide) {
            u32 away = not_canonical(t);
            tr_stub(t, STUB_BEFORE)->field = away;
        }
        as_store(a, OSZ64, CPU_AT(jit_temp), H_AX);
        unsigned size = t->wide ? OSZ64 : OSZ32;
        as_lea(a, size, H_AX, rm_at(tr_pinned(t, RSP), -(1 << size)));
        t->second = true;
        tr_check(t, 1u << size, SITE_WRITE);
        t->second = false;
        push_return(t);
        t->stubs[t->stub_count - 1].resume = as_here(a);
        as_load(a, OSZ64, H_AX, CPU_AT(jit_temp));
    }
    tr_x_store(t);
    lookup(t, call, 0);
}

void tr_branch(struct tr *t)
{
    const struct insn *i = &t->op->i;
    if (t->op->row_flags & OF_COND) {
        conditional(t);
        return;
    }
    if (!t->op->follow) tr_flags_to_mem(t);
    switch (i->mapop) {
    case 0xe8: call_direct(t); break;
    case 0xc2:
    case 0xc3: ret(t); break;
    case 0xff: indirect(t); break;
    default: direct(t); break;
    }
}

/* ---- stubs ---- */

/* The memory part of a branch, done on the buffer. */
static void branch_access(struct tr *t, const struct stub *s)
{
    unsigned size = t->wide ? OSZ64 : OSZ32;
    if (s->access == SITE_WRITE)
        push_return(t);
    else
        as_load(t->a, size, H_AX, tr_at(t));
}

/* A store to a page with code, to bytes that hold none, is done like any other. */
static void gap_store(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    u32 misaligned = 0;
    if (!s->body || s->size > JIT_GAP_MAX) return;
    if (s->aligned) {
        as8(a, 0xa8), as8(a, 15); /* TEST AL, 15 */
        misaligned = as_jcc(a, CC_NE, as_here(a));
    }
    if (t->op->x87) as_store(a, OSZ64, CPU_AT(jit_temp), H_AX);
    as_movabs(a, H_DX, BIT64(s->size) - 1);
    as_call(a, t->j->gap[t->tb->user]);
    if (t->op->x87)
        tr_x87_gap(t, s->body);
    else
        as_jcc(a, CC_E, s->body);
    if (s->aligned) as_patch(a, misaligned, as_here(a));
}

/* Generated code may be left behind the instruction: with every flag, whatever comes next needs, in
 * memory, and in EFLAGS, too, where the code that goes on has them there. */
static void execute_whole(struct tr *t, bool in_host)
{
    struct jop *op = t->op, whole = *op;
    whole.live_out = F_ALL;
    t->op = &whole;
    tr_execute(t);
    t->op = op;
    if (t->host && !t->mem) tr_save_flags(t); /* RAX is free; the flags stay in EFLAGS */
    t->recipe = -1;
    if (in_host && !t->host) tr_restore_flags(t);
}

static void memory_stub(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    gap_store(t, s);
    struct site *site = tr_site(t, s->access, s->size);
    site->x87 = t->op->x87 & X87_POINTERS;
    if (s->second) site->seg = SEG_SS;
    site->aligned = s->aligned;
    tr_x_store(t);
    if (!t->mem) {
        as_mov(a, OSZ64, H_CX, H_AX);
        tr_flags_to_mem(t);
        as_mov(a, OSZ64, H_AX, H_CX);
        t->host = false;
    }
    as_movabs(a, H_DX, (u64)(uintptr_t)site);
    as_call(a, t->j->slow[t->wide]);
    tr_x_reload(t);
    t->addr = H_AX;
    t->disp = 0;
    t->second = s->second;
    if (t->op->kind == K_BRANCH) {
        branch_access(t, s);
        if (s->access == SITE_READ) {
            t->second = false;
            as_jmp(a, s->resume);
            return;
        }
    } else {
        execute_whole(t, s->host_after);
        if (t->op->x87) tr_x87_left(t);
    }
    t->second = false;
    tr_x_store(t);
    site->quiet = s->commit_only;
    as_movabs(a, H_DX, (u64)(uintptr_t)site);
    as_call(a, t->j->after[t->wide]);
    tr_x_reload(t);
    as_jmp(a, s->resume);
}

/* Ends before instruction k, which was charged like those behind it. */
static void leave_before(struct tr *t, unsigned off, unsigned left)
{
    struct as *a = t->a;
    tr_x_store(t);
    tr_flags_to_mem(t);
    if (left) as_imm(a, OSZ64, 0, CPU_AT(budget), (i32)left);
    as_load(a, OSZ64, H_AX, CPU_AT(jit_page));
    as_lea(a, OSZ64, H_AX, rm_at(H_AX, (i32)off));
    as_jmp(a, t->j->leave[t->wide]);
}

/* The first vector instructions since generated code was entered: MXCSR, or the interpreter. */
static void sse_stub(struct tr *t)
{
    struct as *a = t->a;
    as_patch(a, t->head_sse, as_here(a));
    as_imm(a, OSZ8, 7, CPU_AT(jit_refuse), 0);
    u32 refused = as_jcc(a, CC_NE, as_here(a));
    as_insn(a, 0, OSZ32, AS_0F, 0xae, 2, CPU_AT(jit_mxcsr), 0); /* LDMXCSR */
    as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_sse), 0);
    as8(a, 1);
    as_jmp(a, t->head_sse_back);
    as_patch(a, refused, as_here(a));
    leave_before(t, t->tb->off, t->n);
}

/* RAX is not in the table. */
static void miss_stub(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    unsigned sp = tr_pinned(t, RSP);
    u32 away = s->checked ? 0 : not_canonical(t);
    if (s->pop) as_lea(a, t->wide ? OSZ64 : OSZ32, sp, rm_at(sp, s->pop));
    as_movabs(a, H_CX, (u64)(uintptr_t)&t->j->miss);
    as_jmp(a, t->j->leave_link[t->wide]);
    if (s->checked) return;
    as_patch(a, away, as_here(a));
    if (t->op->i.mapop == 0xe8 && t->op->kind == K_BRANCH) /* CALL has pushed */
        as_lea(a, OSZ64, sp, rm_at(sp, 8));
    leave_before(t, t->op->off, 1);
}

/* The range of a group is not in one page, or not allowed: the leader's own access, then out. */
static void group_stub(struct tr *t)
{
    t->alone = true;
    tr_op(t);
    t->alone = false;
    tr_flags_after(t);
    tr_exit(t, t->op->off + t->op->i.len, t->n - 1 - t->k);
}

void tr_stubs(struct tr *t)
{
    struct as *a = t->a;
    t->x_loaded = t->x_dirty = 0;
    t->mem = true;
    t->recipe = -1;
    if (t->tb->sse) sse_stub(t);
    as_patch(a, t->head_budget, as_here(a));
    as_imm(a, OSZ64, 0, CPU_AT(budget), (i32)t->n);
    as_patch(a, t->head_events, as_here(a));
    leave_before(t, t->tb->off, 0);
    for (unsigned m = 0; m < t->stub_count && !a->full; m++) {
        struct stub *s = &t->stubs[m];
        t->k = s->k;
        t->op = &t->ops[s->k];
        t->host = s->host;
        t->mem = s->mem;
        t->of_bad = s->of_bad;
        t->recipe = s->recipe;
        t->x_loaded = s->x_loaded;
        t->x_dirty = s->x_dirty;
        as_patch(a, s->field, as_here(a));
        if (s->check) tr_guess_stub(t, s);
        if (s->kind == STUB_MEMORY)
            memory_stub(t, s);
        else if (s->kind == STUB_X87)
            tr_x87_stub(t, s);
        else if (s->kind == STUB_MISS)
            miss_stub(t, s);
        else if (s->kind == STUB_HANDLER)
            tr_x87_handler(t);
        else if (s->kind == STUB_STRING)
            tr_string_stub(t, s);
        else if (s->kind == STUB_GROUP)
            group_stub(t);
        else if (s->kind == STUB_EXIT)
            tr_exit(t, s->target, t->n - 1 - s->k);
        else if (s->kind == STUB_AGAIN)
            leave_before(t, t->tb->off, (unsigned)s->target);
        else
            leave_before(t, t->op->off, t->n - s->k);
    }
}
