/* Collecting superblocks: decodes from one place of a page on, follows direct jumps inside the
 * page, stops before what is not translated, and works out which flags are needed where. */
#include "cpu/jit/priv.h"

#define UNROLLED 40 /* instructions of a small loop's body, repeated */

static bool add_range(struct range *r, u8 *n, unsigned off, unsigned len)
{
    if (*n && r[*n - 1].off + r[*n - 1].len == off) {
        r[*n - 1].len += (u16)len;
        return true;
    }
    for (unsigned k = 0; k < *n; k++) {
        if (off >= r[k].off && off + len <= r[k].off + r[k].len) return true;
    }
    if (*n == 8) return false;
    r[(*n)++] = (struct range){ (u16)off, (u16)len };
    return true;
}

static bool is_jcc(const struct jop *op)
{
    return op->row_flags & OF_COND;
}

static bool is_jmp(const struct jop *op)
{
    return op->map == MAP_0 && (op->i.mapop == 0xe9 || op->i.mapop == 0xeb);
}

static bool visited(const struct jop *ops, unsigned n, unsigned off)
{
    for (unsigned k = 0; k < n; k++) {
        if (ops[k].off == off) return true;
    }
    return false;
}

/* The length of a loop's body: what was collected when it first closed. */
static unsigned body(unsigned *len, unsigned n)
{
    if (!*len) *len = n;
    return *len;
}

/* Where the interpreter's decoded code is followed. */
struct trail {
    struct cpu *c;
    const u8 *page;
    struct decode_mode mode;
    const struct block *block; /* whose instruction k is at pos; NULL: none */
    unsigned k, pos;
};

/* The block at `off`, by the links of the one before where they know it (they may be stale). */
static const struct block *find(const struct trail *w, unsigned off)
{
    for (unsigned k = 0; k < 2 && w->block; k++) {
        const struct block *b = w->block->link[k];
        if (b && b->host == w->page && b->off == off && b->mode == w->mode.bits) return b;
    }
    return icache_peek(w->c, w->page, off);
}

/* The instruction at pos: what the interpreter has executed is decoded already. */
static bool read_insn(struct trail *w, unsigned pos, struct insn *i)
{
    if (!w->block || w->pos != pos || w->k == w->block->count) {
        w->block = find(w, pos);
        w->k = 0;
        if (w->block && w->block->crosses) w->block = NULL;
    }
    if (!w->block) {
        unsigned len = MIN(0x1000 - pos, INSN_MAX_LEN);
        return decode_insn(&w->mode, w->page + pos, len, i) == DECODE_OK;
    }
    *i = w->block->insn[w->k++];
    w->pos = pos + i->len;
    return true;
}

static unsigned heat(const struct trail *w, u64 off)
{
    const struct block *b = off < 0x1000 ? find(w, (unsigned)off) : NULL;
    return b ? b->heat : 0;
}

/* The interpreter counted how often it went either way. */
static bool likely_taken(const struct trail *w, u64 target, unsigned next)
{
    return heat(w, target) > heat(w, next);
}

unsigned jit_collect(struct cpu *c, const u8 *page, unsigned off, unsigned mode, struct jop *ops,
                     struct range *ranges, u8 *range_count)
{
    struct trail w = { .c = c,
                      .page = page,
                      .mode = { .bits = (u8)mode, .features = c->icache->mode.features } };
    unsigned n = 0, pos = off, body_len = 0;
    *range_count = 0;
    while (n < c->jit->max_ops && pos < 0x1000) {
        struct jop *op = &ops[n];
        memset(op, 0, sizeof(*op));
        if (!read_insn(&w, pos, &op->i)) break;
        op->off = (u16)pos;
        jit_classify(op, mode);
        if (op->kind == K_STOP) break;
        if (!add_range(ranges, range_count, pos, op->i.len)) break;
        n++;
        unsigned next = pos + op->i.len;
        if (op->kind == K_SYSTEM) break;
        if (op->kind != K_BRANCH) {
            pos = next;
            continue;
        }
        u64 target = next + op->i.imm;
        bool again = target == off && n + body(&body_len, n) <= MIN(UNROLLED, c->jit->max_ops);
        if (is_jcc(op) && !again && target != off && likely_taken(&w, target, next) &&
            !visited(ops, n, (unsigned)target)) {
            op->taken = true;
            pos = (unsigned)target;
            continue;
        }
        if (is_jcc(op)) {
            op->loop = target == off && !again;
            op->taken = again;
            if (op->loop) break;
            pos = again ? off : next;
            continue;
        }
        if (!is_jmp(op)) break;
        op->loop = target == off && !again;
        op->follow = again;
        pos = off;
        if (again) continue;
        if (op->loop || target >= 0x1000 || visited(ops, n, (unsigned)target)) break;
        op->follow = true;
        pos = (unsigned)target;
    }
    /* A followed jump at the very end has nothing behind it. */
    if (n && ops[n - 1].follow) ops[n - 1].follow = false;
    if (n && ops[n - 1].taken) ops[n - 1].taken = false;
    for (unsigned k = 0; k < n; k++) ops[k].writes = jit_writes(&ops[k]);
    jit_group(ops, n, mode == BITS64);
    return n;
}

/* Side exits, what a group's leader and an x87 instruction's handler leave by, and the end; a
 * leader that is a branch is written twice. */
unsigned jit_exits(const struct jop *ops, unsigned n)
{
    unsigned exits = 1;
    for (unsigned k = 0; k < n; k++) {
        unsigned branch = ops[k].kind == K_BRANCH;
        exits += branch + (ops[k].group == GROUP_LEADER ? 1 + branch : 0) + (ops[k].x87 ? 2 : 0);
    }
    return exits;
}

void jit_liveness(struct jop *ops, unsigned n)
{
    u8 live = F_ALL;
    for (unsigned k = n; k-- > 0;) {
        struct jop *op = &ops[k];
        if (op->group == GROUP_LEADER) live = F_ALL; /* it may be the last one: group_stub() */
        op->live_out = live;
        if (op->exits || (op->kind == K_BRANCH && !op->follow))
            live = F_ALL;
        else
            live = (u8)((live & ~(op->def & ~op->keep)) | op->use);
        op->live_in = live;
    }
}
