/* Accesses off one base in one superblock are checked once: the first of them (the leader) checks
 * the range of all and keeps the host's address of its start in c->jit_slot; the others take it
 * from there. They need no check and no flags, and cannot fault.
 *
 * Which registers differ by a constant is followed through pushes, pops, additions, LEA and moves. A
 * leader whose range does not lie in one allowed page makes its own access alone, and the superblock
 * ends behind it. Nothing between a leader and the others takes a mapping away: what could do so
 * ends superblocks. */
#include "cpu/jit/translate.h"

enum { SPAN = 256 }; /* bytes that one check covers */

struct value { /* of a register: what an unknown number had, plus a constant */
    u16 root;
    i32 delta;
};

struct group {
    u16 root;
    u16 first, last; /* instructions; the range: */
    i32 low, high;
    u8 count;
    bool write;
};

struct grouping {
    struct jop *ops;
    bool wide;
    struct value v[17]; /* [16]: the page being executed */
    u16 roots;
    struct group g[JIT_MAX_OPS];
    unsigned count;
    i8 of[JIT_MAX_OPS]; /* group of each instruction, or -1 */
    i32 at[JIT_MAX_OPS]; /* place in it, relative to the root */
};

static unsigned word(const struct grouping *x)
{
    return x->wide ? 8 : 4;
}

static bool pushes(const struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    if (op->map != MAP_0 || (i->flags & INSN_MEM)) return false;
    return (o >= 0x50 && o <= 0x57) || o == 0x68 || o == 0x6a || o == 0x9c || o == 0xe8;
}

static bool pops(const struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    if (op->map != MAP_0 || (i->flags & INSN_MEM)) return false;
    return (o >= 0x58 && o <= 0x5f) || o == 0xc2 || o == 0xc3;
}

static bool is_leave(const struct jop *op)
{
    return op->map == MAP_0 && op->i.mapop == 0xc9;
}

/* The operand as root and constant. */
static bool symbolic(const struct grouping *x, const struct jop *op, struct value *v)
{
    const struct insn *i = &op->i;
    bool x87 = op->map == MAP_0 && i->mapop >= 0xd8 && i->mapop <= 0xdf;
    if (!op->mem || op->own || op->push || op->bit_string || op->aligned || x87) return false;
    if (op->kind != K_NATIVE && op->kind != K_BRANCH) return false;
    *v = x->v[RSP];
    if (pushes(op)) {
        v->delta -= (i32)word(x);
        return true;
    }
    if (pops(op)) return true;
    if (is_leave(op)) {
        *v = x->v[RBP];
        return true;
    }
    if (!(i->flags & INSN_MEM) || op->kind != K_NATIVE || i->mapop == 0x8f || i->index != REG_ZERO ||
        i->seg >= SEG_FS || i->asz != (x->wide ? ASZ64 : ASZ32))
        return false;
    if (i->base == REG_RIP) {
        *v = x->v[16];
        return !__builtin_add_overflow(v->delta + op->off + i->len, i->disp, &v->delta);
    }
    if (i->base >= 16) return false;
    *v = x->v[i->base];
    return !__builtin_add_overflow(v->delta, i->disp, &v->delta);
}

static void join(struct grouping *x, unsigned k, const struct value *v)
{
    const struct jop *op = &x->ops[k];
    i32 low = v->delta, high = low + op->size;
    struct group *g = NULL;
    for (unsigned m = x->count; m-- > 0 && !g;) {
        if (x->g[m].root == v->root) g = &x->g[m];
    }
    if (!g || MAX(g->high, high) - MIN(g->low, low) > SPAN) {
        g = &x->g[x->count++];
        *g = (struct group){ .root = v->root, .first = (u16)k, .low = low, .high = high };
    }
    g->low = MIN(g->low, low);
    g->high = MAX(g->high, high);
    g->last = (u16)k;
    g->count++;
    g->write |= op->access != SITE_READ;
    x->of[k] = (i8)(g - x->g);
    x->at[k] = low;
}

static void set(struct grouping *x, unsigned reg, struct value v, i64 more)
{
    i64 d = v.delta + more;
    if (d != (i32)d || d > (i32)GIB || d < -(i32)GIB)
        v = (struct value){ .root = x->roots++ };
    else
        v.delta = (i32)d;
    x->v[reg] = v;
}

/* The new values that are known; the registers that have them. */
static u16 follow_values(struct grouping *x, const struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop, full = x->wide ? OSZ64 : OSZ32, digit = i->modrm >> 3 & 7;
    bool mem = i->flags & INSN_MEM;
    if (op->map != MAP_0 || op->kind != K_NATIVE || op->own || op->push) return 0;
    if (pushes(op) || pops(op)) {
        set(x, RSP, x->v[RSP], pushes(op) ? -(i64)word(x) : word(x));
        return pops(op) && i->rm == RSP ? 0 : (u16)BIT(RSP);
    }
    if (is_leave(op)) {
        set(x, RSP, x->v[RBP], word(x));
        return (u16)BIT(RSP);
    }
    if (i->osz != full) return 0;
    if ((o == 0x81 || o == 0x83) && !mem && (digit == 0 || digit == 5)) {
        set(x, i->rm, x->v[i->rm], digit ? -(i64)i->imm : (i64)i->imm);
        return (u16)BIT(i->rm);
    }
    if (o == 0x8d && i->base < 16 && i->index == REG_ZERO &&
        i->asz == (x->wide ? ASZ64 : ASZ32)) {
        set(x, i->reg, x->v[i->base], i->disp);
        return (u16)BIT(i->reg);
    }
    if ((o == 0x89 || o == 0x8b) && !mem) {
        unsigned to = o == 0x89 ? i->rm : i->reg;
        x->v[to] = x->v[o == 0x89 ? i->reg : i->rm];
        return (u16)BIT(to);
    }
    return 0;
}

static void after(struct grouping *x, const struct jop *op)
{
    u16 known = follow_values(x, op), written = op->writes;
    if (is_leave(op)) written = (u16)(BIT(RSP) | BIT(RBP));
    /* A handler may be CLAC, which closes pages. Registers start anew by what it may write. */
    if (op->kind == K_HANDLER) x->v[16] = (struct value){ .root = x->roots++ };
    for (unsigned left = written & ~(unsigned)known; left; left &= left - 1)
        x->v[__builtin_ctz(left)] = (struct value){ .root = x->roots++ };
}

/* Groups of two and more get a slot from their first to their last access. */
static void assign(struct grouping *x, unsigned n)
{
    i32 busy[JIT_SLOTS];
    u8 slot[JIT_MAX_OPS];
    for (unsigned s = 0; s < JIT_SLOTS; s++) busy[s] = -1;
    for (unsigned m = 0; m < x->count; m++) {
        slot[m] = JIT_SLOTS;
        for (unsigned s = 0; s < JIT_SLOTS && x->g[m].count > 1; s++) {
            if (busy[s] >= x->g[m].first) continue;
            busy[s] = x->g[m].last;
            slot[m] = (u8)s;
            break;
        }
    }
    for (unsigned k = 0; k < n; k++) {
        if (x->of[k] < 0 || slot[x->of[k]] == JIT_SLOTS) continue;
        const struct group *g = &x->g[x->of[k]];
        struct jop *op = &x->ops[k];
        op->group = g->first == k ? GROUP_LEADER : GROUP_MEMBER;
        op->slot = slot[x->of[k]];
        op->at = (i16)(x->at[k] - g->low);
        op->span = (u16)(g->high - g->low);
        op->group_write = g->write;
        bool pushf = op->map == MAP_0 && op->i.mapop == 0x9c;
        if (op->group == GROUP_MEMBER) op->exits = pushf; /* that reads every flag */
    }
}

void jit_group(struct jop *ops, unsigned n, bool wide)
{
    struct grouping x; /* groups and places are set as they come */
    x.ops = ops;
    x.wide = wide;
    x.roots = 17;
    x.count = 0;
    for (unsigned r = 0; r < 17; r++) x.v[r] = (struct value){ .root = (u16)r };
    for (unsigned k = 0; k < n; k++) {
        struct value v;
        x.of[k] = -1;
        if (symbolic(&x, &ops[k], &v)) join(&x, k, &v);
        after(&x, &ops[k]);
    }
    assign(&x, n);
}

/* ---- code ---- */

static struct rm slot_at(const struct jop *op)
{
    return rm_at(H_BP, jit_field(offsetof(struct cpu, jit_slot)) + (i32)(op->slot * sizeof(u64)));
}

void tr_group_lead(struct tr *t)
{
    const struct jop *op = t->op;
    tr_tlb(t, op->span, op->group_write ? SITE_WRITE : SITE_READ);
    tr_stub(t, STUB_GROUP)->field = as_jcc(t->a, CC_NE, as_here(t->a));
    tr_tlb_add(t);
    as_store(t->a, OSZ64, slot_at(op), H_AX);
    t->addr = H_AX;
    t->disp = op->at;
}

void tr_group_member(struct tr *t)
{
    as_load(t->a, OSZ64, H_AX, slot_at(t->op));
    t->addr = H_AX;
    t->disp = t->op->at;
}
