/* Writing a superblock: flags between EFLAGS and memory, addresses and the TLB check, calls of the
 * interpreter's handlers, and the order of it all.
 *
 * A memory access is: linear address in RAX; TLB slot from its page; the page of the operand's last
 * byte against the tag, which a match says is the page of its first byte and allowed; the host
 * address. What does not match goes to a stub that asks the MMU, runs the same instruction on a
 * buffer and comes back. */
#include "cpu/jit/translate.h"

/* RAX, RCX, RDX are the translator's; RBP points into struct cpu; RSP is the host's stack. */
const u8 jit_pinned[2][16] = {
    { H_BX, H_8, H_9, H_10, H_11, H_12, H_SI, H_DI, H_NONE, H_NONE, H_NONE, H_NONE, H_NONE, H_NONE,
      H_NONE, H_NONE },
    { H_BX, H_8, H_9, H_10, H_11, H_12, H_SI, H_DI, H_13, H_NONE, H_NONE, H_NONE, H_14, H_15,
      H_NONE, H_NONE },
};

/* ---- registers ---- */

unsigned tr_src(struct tr *t, unsigned guest, unsigned tmp)
{
    unsigned h = tr_pinned(t, guest);
    if (h != H_NONE) return h;
    as_load(t->a, OSZ64, tmp, tr_greg(t, guest));
    return tmp;
}

void tr_put(struct tr *t, unsigned guest, unsigned osz, unsigned from)
{
    unsigned h = tr_pinned(t, guest);
    if (h != H_NONE) {
        as_mov(t->a, osz, h, from);
    } else if (osz == OSZ32) {
        as_mov(t->a, OSZ32, from == H_AX || from == H_CX ? from : H_DX, from);
        as_store(t->a, OSZ64, tr_greg(t, guest), from == H_AX || from == H_CX ? from : H_DX);
    } else {
        as_store(t->a, osz, tr_greg(t, guest), from);
    }
}

/* ---- memory ---- */

static void rip_relative(struct tr *t, unsigned size)
{
    const struct jop *op = t->op;
    as_load(t->a, OSZ64, H_AX, CPU_AT(jit_page));
    i64 at = (i64)op->off + op->i.len + op->i.disp;
    if (at - t->bias != (i32)(at - t->bias)) { /* a displacement at the very end of its range */
        as_lea(t->a, OSZ64, H_AX, rm_at(H_AX, 0x1000));
        at -= 0x1000;
    }
    as_lea(t->a, size, H_AX, rm_at(H_AX, (i32)(at - t->bias)));
}

void tr_address(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned size = i->asz == ASZ64 ? OSZ64 : OSZ32;
    unsigned base = H_NONE, index = H_NONE;
    if (i->base == REG_RIP) {
        rip_relative(t, size);
        return;
    }
    if (i->base != REG_ZERO) base = tr_src(t, i->base, H_AX);
    if (i->index != REG_ZERO) index = tr_src(t, i->index, H_CX);
    if (base == H_NONE && index == H_NONE) {
        as_movabs(t->a, H_AX, size == OSZ64 ? (u64)(i64)i->disp : (u32)i->disp);
    } else if (index == H_NONE && i->disp == t->bias) {
        as_mov(t->a, size, H_AX, base);
    } else {
        as_lea(t->a, size, H_AX, rm_sib(base, index, i->scale, i->disp - t->bias));
    }
}

/* Linear address of the data operand in RAX. */
static void operand_address(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned o = i->mapop, size = t->wide ? OSZ64 : OSZ32;
    if (t->op->map == MAP_0 && !(i->flags & INSN_MEM)) {
        unsigned sp = tr_pinned(t, RSP);
        if ((o >= 0x50 && o <= 0x57) || o == 0x68 || o == 0x6a || o == 0x9c ||
            o == 0xe8 || o == 0xff) {
            as_lea(t->a, size, H_AX, rm_at(sp, (t->wide ? -8 : -4) - t->bias));
            return;
        }
        if ((o >= 0x58 && o <= 0x5f) || o == 0xc2 || o == 0xc3) {
            as_lea(t->a, size, H_AX, rm_at(sp, -t->bias));
            return;
        }
        if (o == 0xc9) {
            as_lea(t->a, size, H_AX, rm_at(tr_pinned(t, RBP), -t->bias));
            return;
        }
        as_movabs(t->a, H_AX, i->asz == ASZ64 ? i->imm : (u32)i->imm); /* A0 to A3 */
    } else {
        tr_address(t);
        if (t->op->bit_string) tr_bit_offset(t);
    }
    if (t->wide && i->seg >= SEG_FS)
        as_rm(t->a, OSZ64, 0x03, H_AX,
              rm_at(H_BP, jit_field(offsetof(struct cpu, seg[i->seg].base))));
}

struct stub *tr_stub(struct tr *t, unsigned kind)
{
    struct stub *s = &t->stubs[t->stub_count++];
    *s = (struct stub){ .kind = (u8)kind,
                        .host = t->host,
                        .mem = t->mem,
                        .of_bad = t->of_bad,
                        .recipe = (i8)t->recipe,
                        .k = (u16)t->k,
                        .x_loaded = t->x_loaded,
                        .x_dirty = t->x_dirty };
    return s;
}

/* The ModRM operand, or the address of A0 to A3: subject to segment overrides. */
static bool has_operand(const struct jop *op)
{
    unsigned o = op->i.mapop;
    return (op->i.flags & INSN_MEM) || (op->map == MAP_0 && o >= 0xa0 && o <= 0xa3);
}

/* FS and GS of 32-bit code: base and limit of a writable expand-up segment, as seg_quick() of mem.h
 * does; others fail. The jumps are for the caller to aim. RAX: offset before, linear address after,
 * also when the check fails. */
static void segment_check(struct tr *t, unsigned size, u8 **outside)
{
    struct as *a = t->a;
    i32 seg = jit_field(offsetof(struct cpu, seg[t->op->i.seg]));
    as_lea(a, OSZ64, H_CX, rm_at(H_AX, (i32)size - 1));
    as_load(a, OSZ32, H_DX, rm_at(H_BP, seg + (i32)offsetof(struct seg, limit)));
    as_rm(a, OSZ32, 0x03, H_AX, rm_at(H_BP, seg + (i32)offsetof(struct seg, base)));
    as_rm(a, OSZ64, 0x3b, H_CX, rm_reg(H_DX));
    outside[0] = tr_jump(t, 0x70 | CC_A);
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_CX,
            rm_at(H_BP, seg + (i32)offsetof(struct seg, attr)), 0); /* MOVZX ECX, byte [..] */
    as_imm(a, OSZ32, 4, rm_reg(H_CX), ATTR_P | ATTR_S | 0xe);
    as_imm(a, OSZ32, 7, rm_reg(H_CX), (i32)(ATTR_P | ATTR_S | 2));
    outside[1] = tr_jump(t, 0x70 | CC_NE);
}

void tr_check(struct tr *t, unsigned size, unsigned access)
{
    u8 *outside[2] = { NULL, NULL };
    if (!t->wide && !t->second && t->op->i.seg >= SEG_FS && has_operand(t->op))
        segment_check(t, size, outside);
    struct stub *s = tr_stub(t, STUB_MEMORY);
    s->size = (u8)size;
    s->access = (u8)access;
    s->aligned = t->op->aligned;
    s->commit_only = t->op->kind == K_BRANCH;
    s->second = t->second;
    if (!outside[0] && tr_guesses(t->op, size, access))
        tr_tlb_guess(t, s);
    else
        tr_tlb(t, size, access);
    for (unsigned k = 0; k < 2; k++) { /* a segment's check failed: NE as well */
        if (outside[k]) tr_land(t, outside[k]);
    }
    s->field = as_jcc(t->a, CC_NE, as_here(t->a));
    if (t->op->x87) tr_x87_pointer(t);
    tr_tlb_add(t);
    if (access != SITE_READ && !outside[0]) s->body = as_here(t->a);
    t->addr = H_AX;
    t->disp = 0;
}

/* ---- instructions ---- */

/* Flags that the instruction reads, or that must be the old ones behind it. */
unsigned tr_needed_flags(const struct jop *op)
{
    return op->use | (op->live_out & (op->def ? op->keep | (F_ALL & ~op->def) : 0));
}

static bool is_shift(const struct jop *op)
{
    unsigned o = op->i.mapop;
    return op->map == MAP_0 && (o == 0xc0 || o == 0xc1 || (o >= 0xd0 && o <= 0xd3));
}

void tr_execute(struct tr *t)
{
    const struct insn *i = &t->op->i;
    if (t->op->own) {
        tr_own(t);
        return;
    }
    unsigned need = tr_needed_flags(t->op);
    bool shift = is_shift(t->op), by_cl = shift && i->mapop >= 0xd2,
         restore = need && !tr_host_has(t, need);
    if (shift && t->op->mem) { /* RAX and RCX have other work */
        as_mov(t->a, OSZ64, H_DX, H_AX);
        t->addr = H_DX;
    }
    if (by_cl) { /* before the flags: AND destroys them */
        if (need) tr_flags_to_mem(t);
        as_mov(t->a, OSZ32, H_CX, tr_src(t, RCX, H_CX));
        as_imm(t->a, OSZ32, 4, rm_reg(H_CX), i->osz == OSZ64 ? 63 : 31);
        restore = need;
    } else if (restore && t->op->mem && !shift) {
        as_mov(t->a, OSZ64, H_CX, H_AX);
        t->addr = H_CX;
    }
    if (restore) tr_restore_flags(t);
    if (t->op->sse)
        tr_sse_body(t);
    else if (t->op->x87)
        tr_x87_body(t);
    else
        tr_body(t);
}

struct site *tr_site(struct tr *t, unsigned kind, unsigned size)
{
    struct site *s = jit_alloc(t->j, sizeof(*s));
    const struct jop *op = t->op;
    *s = (struct site){ .off = op->off,
                        .next = (u16)(op->off + op->i.len),
                        .left = (u16)(t->n - t->k),
                        .kind = (u8)kind,
                        .size = (u8)size,
                        .seg = has_operand(op) ? op->i.seg : SEG_SS };
    return s;
}

static bool starts_with(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* Vector and x87 instructions leave the arithmetic flags alone, with these exceptions; so do the
 * system instructions inside superblocks and the strings that do not compare. */
static bool handler_flags(const struct insn *i)
{
    static const char *const with_flags[] = { "comis",  "ucomis", "vcomis",  "vucomis", "ptest",
                                              "vptest", "vtestp", "fcomi",   "fucomi",  "fcmov",
                                              "pcmpes", "pcmpis", "vpcmpes", "vpcmpis" };
    const struct op_row *row = &op_rows[i->op];
    if (row->flags & OF_STR) return (i->mapop | 9) == 0xaf; /* CMPS, SCAS: A6, A7, AE, AF */
    if (row->flags & OF_ENDS) return false;
    bool vector = row->map >= MAP_38 || row->feature == FT_MMX || row->feature == FT_FPU ||
                  row->feature == FT_FXSR ||
                  (row->feature >= FT_SSE && row->feature <= FT_SSE42 && row->feature != FT_CX16);
    if (row->map == MAP_0 && i->mapop >= 0xd8 && i->mapop <= 0xdf) vector = true;
    if (row->map == MAP_38 && i->mapop >= 0xf0) vector = false; /* ADX, BMI, CRC32, MOVBE */
    if (row->map >= MAP_V1)
        vector = row->feature == FT_AVX || row->feature == FT_AVX2 || row->feature == FT_FMA;
    if (!vector) return true;
    for (unsigned k = 0; k < LEN(with_flags); k++) {
        if (starts_with(row->name, with_flags[k])) return true;
    }
    return false;
}

struct site *tr_handler_site(struct tr *t)
{
    struct site *s = tr_site(t, SITE_HANDLER, 0);
    s->insn = jit_alloc(t->j, sizeof(*s->insn));
    *s->insn = t->op->i;
    s->flags = handler_flags(&t->op->i);
    s->x87 = jit_x87_unloads(t->op);
    return s;
}

static void call_handler(struct tr *t)
{
    if (tr_string_plain(t)) return;
    struct site *s = tr_handler_site(t);
    tr_flags_to_mem(t);
    t->host = false;
    tr_x_store(t);
    t->x_loaded = 0;
    if (t->op->row_flags & OF_STR) {
        tr_string(t, s);
    } else {
        as_movabs(t->a, H_DX, (u64)(uintptr_t)s);
        as_call(t->a, t->j->handler[t->wide]);
    }
    t->mem = true;
}

static bool is_pushf(const struct jop *op)
{
    return op->map == MAP_0 && op->i.mapop == 0x9c;
}

void tr_op(struct tr *t)
{
    struct jop *op = t->op;
    if (op->sse) tr_x_load(t, op->x_read);
    tr_flags_before(t);
    if ((op->own || is_pushf(op)) && op->live_in) tr_flags_to_mem(t);
    if (op->x87) tr_x87_prepare(t);
    if (op->kind == K_BRANCH) {
        tr_branch(t);
    } else if (op->kind == K_SYSTEM) {
        tr_system(t);
    } else if (op->kind == K_HANDLER) {
        call_handler(t);
    } else if (op->mem) {
        struct stub *access = tr_memory(t, op->size, op->access);
        if (op->once) access->kind = STUB_BEFORE;
        tr_execute(t);
        if (access) {
            access->resume = as_here(t->a);
            access->host_after = t->host;
        }
        if (op->push) tr_push_part(t);
    } else {
        tr_execute(t);
    }
}

struct stub *tr_memory(struct tr *t, unsigned size, unsigned access)
{
    const struct jop *op = t->op;
    if (op->group == GROUP_MEMBER) {
        tr_group_member(t);
        return NULL;
    }
    bool lead = op->group == GROUP_LEADER && !t->alone;
    tr_clobber(t, op->live_in);
    t->bias = lead ? op->at : 0;
    operand_address(t);
    t->bias = 0;
    if (lead) {
        tr_group_lead(t);
        return NULL;
    }
    struct stub *s = &t->stubs[t->stub_count];
    tr_check(t, size, access);
    return s;
}

/* Entries: `far` with the linear address in RAX, `head` inside the same page. Flags are in memory.
 */
static void emit_head(struct tr *t)
{
    struct as *a = t->a;
    t->tb->far = as_here(a);
    as_imm(a, OSZ64, 4, rm_reg(H_AX), -4096);
    as_store(a, OSZ64, CPU_AT(jit_page), H_AX);
    t->tb->head = as_here(a);
    t->tb->count = (u16)t->n;
    t->head_events = tr_events(t);
    t->tb->quiet = as_here(a);
    as_imm(a, OSZ64, 5, CPU_AT(budget), (i32)t->n);
    t->tb->charged = as_here(a);
    t->head_budget = as_jcc(a, CC_S, as_here(a));
    if (t->tb->x87) tr_x87_check(t);
    if (!t->tb->sse) return;
    as_imm(a, OSZ8, 7, CPU_AT(jit_sse), 0);
    t->head_sse = as_jcc(a, CC_E, as_here(a));
    t->head_sse_back = as_here(a);
    if (!t->ops[t->n - 1].loop) return;
    for (unsigned k = 0; k < t->n; k++) {
        if (t->ops[k].kind == K_HANDLER) return;
    }
    tr_x_loop(t);
    t->warm = as_here(a);
}

u32 tr_events(struct tr *t)
{
    as_imm(t->a, OSZ32, 7, CPU_AT(events), 0);
    return as_jcc(t->a, CC_NE, as_here(t->a));
}

bool jit_emit(struct cpu *c, struct jit_tb *tb, struct jop *ops, unsigned n)
{
    struct jit *j = c->jit;
    struct stub stubs[TR_STUBS]; /* each is set when it is taken */
    struct tr t = { .c = c,
                    .j = j,
                    .a = &j->as,
                    .tb = tb,
                    .ops = ops,
                    .n = n,
                    .wide = tb->mode == BITS64,
                    .mem = true,
                    .stubs = stubs,
                    .recipe = -1 };
    j->as.full = false;
    for (unsigned k = 0; k < n; k++) tb->sse |= ops[k].sse;
    emit_head(&t);
    for (t.k = 0; t.k < n; t.k++) {
        t.op = &ops[t.k];
        tr_op(&t);
        tr_flags_after(&t);
    }
    t.k = n - 1;
    struct jop *last = t.op = &ops[n - 1];
    bool goes_on = last->kind != K_SYSTEM;
    if (last->kind == K_BRANCH)
        goes_on = last->row_flags & OF_COND || last->follow;
    if (goes_on) tr_exit(&t, last->off + last->i.len, 0);
    tr_stubs(&t);
    return !j->as.full && !j->full;
}
