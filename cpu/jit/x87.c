/* x87 on the host's unit. While generated code that uses it runs, the host's x87 unit holds the
 * guest's whole state (registers, tags, TOP, control and status word: c->jit_x87), and the guest's
 * instructions are executed as they are, their memory operands checked like any other. Results,
 * stack faults and sticky flags are those of the hardware, as with the interpreter, which executes
 * the same instructions (hostfp.h).
 *
 * The state stays there over superblocks and accesses to memory. It returns to struct cpu when
 * generated code is left and before handlers that use it or could use the host's x87 unit; no other
 * C code does. A superblock with x87 instructions asks at its head whether the state is loaded.
 *
 * A guest that unmasks an exception, has one pending, or whose CR0 wants #NM is interpreted, so
 * nothing here ever waits for an error. FLDCW and FLDENV end the superblock when they unmask one.
 *
 * What the host cannot know are the guest's instruction and operand pointers. Each non-control
 * instruction leaves a note (c->jit_fnote: where it is in the page, and its opcode) unless nothing
 * can see it before the next one does, and the linear address of its operand (c->jit_fdp);
 * jit_x87_unload() makes FIP, FOP, FCS, FDP and FDS of them, and so does FNSTENV.
 *
 * Left out, done by handlers: FNSAVE and FRSTOR, environments of 14 bytes, FNINIT, FSTPNCE,
 * operands in FS and GS, FFREE (processors differ about C1 behind it). SDM 1 chapter 8. */
#include "cpu/jit/translate.h"

#include "cpu/fpu.h"

#define NOTE_VALID 0x80000000u

/* ---- what an instruction is ---- */

static unsigned operand_size(const struct op_row *row)
{
    switch (row->operand[0]) {
    case OK_Mw: return 2;
    case OK_Md: return 4;
    case OK_Mq: return 8;
    case OK_Mt: return 10;
    case OK_Menv: return 28; /* FNSTENV, FLDENV */
    default: return 0;
    }
}

static bool name_is(const struct op_row *row, const char *a)
{
    return !strncmp(row->name, a, strlen(a));
}

static bool is_fldcw(const struct insn *i)
{
    return (i->flags & INSN_MEM) && i->mapop == 0xd9 && (i->modrm >> 3 & 7) == 5;
}

static bool is_fnstsw_ax(const struct insn *i)
{
    return !(i->flags & INSN_MEM) && i->mapop == 0xdf && i->modrm == 0xe0;
}

/* Leaves the pointers alone. */
static bool is_control(const struct insn *i, const struct op_row *row)
{
    static const char *const names[] = {
        "fnstcw", "fnstsw", "fnclex", "fnop", "fnstenv", "fldenv"
    };
    if (i->mapop == 0x9b || is_fldcw(i)) return true;
    for (unsigned k = 0; k < LEN(names); k++) {
        if (name_is(row, names[k])) return true;
    }
    return false;
}

static bool left_out(const struct insn *i, const struct op_row *row)
{
    static const char *const names[] = { "frstor", "fnsave", "fninit",  "fneni",
                                         "fndisi", "fnset",  "fstpnce", "ffree" };
    if (row->operand[0] == OK_Menv && i->osz == OSZ16) return true;
    for (unsigned k = 0; k < LEN(names); k++) {
        if (name_is(row, names[k])) return true;
    }
    return false;
}

static u8 condition(unsigned modrm) /* of FCMOVcc */
{
    static const u8 flags[4] = { F_C, F_Z, F_C | F_Z, F_P };
    return flags[modrm >> 3 & 3];
}

bool jit_classify_x87(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    const struct op_row *row = &op_rows[i->op];
    if (row->map != MAP_0 || (i->mapop != 0x9b && (i->mapop < 0xd8 || i->mapop > 0xdf)))
        return jit_classify_mmx(op, mode);
    if (left_out(i, row) || (row->feature == FT_SSE3 && !__builtin_cpu_supports("sse3")))
        return false;
    bool mem = i->mapop != 0x9b && (i->flags & INSN_MEM);
    if (mem) {
        op->size = (u8)operand_size(row);
        if (!op->size || i->seg >= SEG_FS) return false;
        if (mode == BITS32 && (i->asz != ASZ32 || i->seg == SEG_CS)) return false;
        bool store = name_is(row, "fst") || name_is(row, "fist") || name_is(row, "fnst") ||
                     name_is(row, "fbst");
        op->access = store ? SITE_WRITE : SITE_READ;
    }
    op->mem = op->exits = mem;
    op->once = op->size == 28 || is_fldcw(i);
    if (name_is(row, "fcomi") || name_is(row, "fucomi")) op->def = F_ALL;
    if (name_is(row, "fcmov")) op->use = condition(i->modrm);
    op->x87 = (u8)(X87_UNIT | (is_control(i, row) ? 0 : X87_POINTERS) |
                   (is_fnstsw_ax(i) ? X87_AX : 0) | (op->size == 28 ? X87_ENV : 0));
    return true;
}

bool jit_x87_unloads(const struct jop *op)
{
    const struct op_row *row = &op_rows[op->i.op];
    if (op->kind != K_HANDLER) return false;
    if (row->map == MAP_0) return row->feature != FT_NONE;
    return row->map != MAP_0F || (row->feature != FT_NONE && row->feature != FT_CMOV);
}

/* ---- the superblock as a whole ---- */

/* Whether the note of op k must be written: something can see it before the next one is. */
static bool note_seen(const struct jop *ops, unsigned n, unsigned k)
{
    while (++k < n) {
        if (ops[k].kind != K_NATIVE || ops[k].exits) return true;
        if (ops[k].x87 & X87_POINTERS) return false;
    }
    return true;
}

/* Where the state must be asked for: behind a handler that took it away. */
static bool plan_checks(struct jop *ops, unsigned n)
{
    bool loaded = true, at_head = true, head = false;
    for (unsigned k = 0; k < n; k++) {
        if (jit_x87_unloads(&ops[k])) loaded = at_head = false;
        if (!ops[k].x87) continue;
        if (loaded) {
            head |= at_head;
        } else {
            ops[k].x87 |= X87_CHECK;
            ops[k].exits = loaded = true;
        }
    }
    return head;
}

static void plan_notes(struct jop *ops, unsigned n)
{
    bool page = false;
    unsigned seg = SEG_COUNT;
    for (unsigned k = 0; k < n; k++) {
        struct jop *op = &ops[k];
        if (jit_x87_unloads(op) || (op->x87 & X87_ENV)) {
            page = false;
            seg = SEG_COUNT;
        }
        if (!(op->x87 & X87_POINTERS)) continue;
        if (op->mem && op->i.seg != seg) {
            op->x87 |= X87_SEG;
            seg = op->i.seg;
        }
        if (!note_seen(ops, n, k)) continue;
        op->x87 |= (u8)(X87_NOTE | (page ? 0 : X87_PAGE));
        page = true;
    }
}

bool jit_x87_plan(struct jop *ops, unsigned n)
{
    bool any = false;
    for (unsigned k = 0; k < n; k++) any |= ops[k].x87;
    if (!any) return false;
    bool head = plan_checks(ops, n);
    plan_notes(ops, n);
    return head;
}

/* ---- code ---- */

void tr_x87_check(struct tr *t)
{
    as_imm(t->a, OSZ8, 7, CPU_AT(jit_x87), 0);
    struct stub *s = tr_stub(t, STUB_X87);
    s->field = as_jcc(t->a, CC_E, as_here(t->a));
    s->resume = as_here(t->a);
}

void tr_x87_prepare(struct tr *t)
{
    if (!(t->op->x87 & X87_CHECK)) return;
    tr_clobber(t, t->op->live_in);
    tr_x87_check(t);
}

void tr_x87_stub(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    tr_x_store(t);
    tr_flags_to_mem(t);
    t->host = false;
    as_movabs(a, H_DX, (u64)(uintptr_t)tr_site(t, SITE_HANDLER, 0));
    as_call(a, t->j->x87[t->wide]);
    tr_x_reload(t);
    as_jmp(a, s->resume);
}

void tr_x87_handler(struct tr *t)
{
    struct site *s = tr_site(t, SITE_HANDLER, 0);
    s->insn = jit_alloc(t->j, sizeof(*s->insn));
    *s->insn = t->op->i;
    s->x87 = true;
    tr_x_store(t);
    tr_flags_to_mem(t);
    t->host = false;
    as_movabs(t->a, H_DX, (u64)(uintptr_t)s);
    as_call(t->a, t->j->handler[t->wide]);
    tr_exit(t, t->op->off + t->op->i.len, t->n - 1 - t->k);
}

void tr_x87_pointer(struct tr *t)
{
    if (t->op->x87 & X87_POINTERS) as_store(t->a, OSZ64, CPU_AT(jit_fdp), H_AX);
}

void tr_x87_gap(struct tr *t, u32 body)
{
    struct as *a = t->a;
    u32 no = as_jcc(a, CC_NE, as_here(a));
    if (t->op->x87 & X87_POINTERS) {
        as_load(a, OSZ64, H_CX, CPU_AT(jit_temp));
        as_store(a, OSZ64, CPU_AT(jit_fdp), H_CX);
    }
    as_jmp(a, body);
    as_patch(a, no, as_here(a));
}

static void write_notes(struct tr *t, unsigned which)
{
    struct as *a = t->a;
    const struct jop *op = t->op;
    if (which & X87_SEG) {
        as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_fseg), 0);
        as8(a, op->i.seg);
    }
    if (which & X87_PAGE) {
        as_load(a, OSZ64, H_AX, CPU_AT(jit_page));
        as_store(a, OSZ64, CPU_AT(jit_fpage), H_AX);
    }
    if (which & X87_NOTE) {
        as_insn(a, 0, OSZ32, AS_0, 0xc7, 0, CPU_AT(jit_fnote), 0);
        as32(a, NOTE_VALID | (u32)((op->i.mapop & 7) << 8 | op->i.modrm) << 12 | op->off);
    }
}

static void load_word(struct as *a, unsigned reg, struct rm from) /* MOVZX */
{
    as_insn(a, 0, OSZ32, AS_0F, 0xb7, reg, from, 0);
}

/* The bits that the interpreter keeps; what unmasks an exception is its to execute. */
static void fldcw(struct tr *t)
{
    struct as *a = t->a;
    load_word(a, H_DX, tr_at(t));
    as_imm(a, OSZ32, 4, rm_reg(H_DX), 0x1f3f);
    as_imm(a, OSZ32, 1, rm_reg(H_DX), 0x40);
    as_store(a, OSZ32, CPU_AT(jit_temp), H_DX);
    as_imm(a, OSZ32, 4, rm_reg(H_DX), FSW_EXC);
    as_imm(a, OSZ32, 7, rm_reg(H_DX), FSW_EXC);
    tr_stub(t, STUB_HANDLER)->field = as_jcc(a, CC_NE, as_here(a));
    as_insn(a, 0, OSZ32, AS_0, 0xd9, 5, CPU_AT(jit_temp), 0);
}

/* Makes the pointers of the notes, as make_pointers() does. Changes RAX, RCX and EFLAGS. */
void jit_x87_thunks(struct jit *j)
{
    struct as *a = &j->as;
    i32 sel = jit_field(offsetof(struct cpu, seg)) + (i32)offsetof(struct seg, sel);
    _Static_assert(sizeof(struct seg) == 16, "shift");
    j->x87_pointers = as_here(a);
    as_load(a, OSZ32, H_CX, CPU_AT(jit_fnote));
    as_rm(a, OSZ32, 0x85, H_CX, rm_reg(H_CX));
    u32 no_note = as_jcc(a, CC_NS, as_here(a));
    as_mov(a, OSZ32, H_AX, H_CX);
    as_imm(a, OSZ32, 4, rm_reg(H_AX), 0xfff);
    as_rm(a, OSZ64, 0x03, H_AX, CPU_AT(jit_fpage));
    as_store(a, OSZ64, CPU_AT(fip), H_AX);
    as_insn(a, 0, OSZ32, AS_0, 0xc1, 5, rm_reg(H_CX), 0); /* SHR ECX, 12 */
    as8(a, 12);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), 0x7ff);
    as_store(a, OSZ16, CPU_AT(fop), H_CX);
    as_load(a, OSZ16, H_AX, rm_at(H_BP, sel + SEG_CS * (i32)sizeof(struct seg)));
    as_store(a, OSZ16, CPU_AT(fcs), H_AX);
    as_imm(a, OSZ32, 4, CPU_AT(jit_fnote), 0);
    as_patch(a, no_note, as_here(a));
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_CX, CPU_AT(jit_fseg), 0); /* MOVZX ECX, byte [..] */
    as_imm(a, OSZ32, 7, rm_reg(H_CX), SEG_COUNT);
    u32 no_operand = as_jcc(a, CC_AE, as_here(a));
    as_insn(a, 0, OSZ32, AS_0, 0xc1, 4, rm_reg(H_CX), 0); /* SHL ECX, 4 */
    as8(a, 4);
    as_load(a, OSZ16, H_AX, rm_sib(H_BP, H_CX, 0, sel));
    as_store(a, OSZ16, CPU_AT(fds), H_AX);
    as_load(a, OSZ64, H_AX, CPU_AT(jit_fdp));
    as_store(a, OSZ64, CPU_AT(fdp), H_AX);
    as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_fseg), 0);
    as8(a, SEG_COUNT);
    as_patch(a, no_operand, as_here(a));
    as8(a, 0xc3);
}

/* The host's environment with the guest's pointers (32-bit protected-mode form). */
static void fnstenv(struct tr *t)
{
    struct as *a = t->a;
    as_lea(a, OSZ64, H_DX, tr_at(t));
    as_insn(a, 0, OSZ32, AS_0, 0xd9, 6, rm_at(H_DX, 0), 0);
    as_call(a, t->j->x87_pointers);
    as_load(a, OSZ32, H_AX, CPU_AT(fip));
    as_store(a, OSZ32, rm_at(H_DX, 12), H_AX);
    load_word(a, H_AX, CPU_AT(fcs));
    load_word(a, H_CX, CPU_AT(fop));
    as_imm(a, OSZ32, 4, rm_reg(H_CX), 0x7ff);
    as_store(a, OSZ16, rm_at(H_DX, 16), H_AX);
    as_store(a, OSZ16, rm_at(H_DX, 18), H_CX);
    as_load(a, OSZ32, H_AX, CPU_AT(fdp));
    as_store(a, OSZ32, rm_at(H_DX, 20), H_AX);
    load_word(a, H_AX, CPU_AT(fds));
    as_imm(a, OSZ32, 1, rm_reg(H_AX), (i32)0xffff0000);
    as_store(a, OSZ32, rm_at(H_DX, 24), H_AX);
}

/* What unmasks an exception, has one pending or an odd control word is the interpreter's. */
static void fldenv(struct tr *t)
{
    struct as *a = t->a;
    as_lea(a, OSZ64, H_DX, tr_at(t));
    load_word(a, H_AX, rm_at(H_DX, 0));
    as_imm(a, OSZ32, 4, rm_reg(H_AX), 0xe0ff);
    as_imm(a, OSZ32, 6, rm_reg(H_AX), 0x40 | FSW_EXC);
    load_word(a, H_CX, rm_at(H_DX, 4));
    as_imm(a, OSZ32, 4, rm_reg(H_CX), FSW_ES | FSW_B);
    as_rm(a, OSZ32, 0x0b, H_AX, rm_reg(H_CX));
    tr_stub(t, STUB_HANDLER)->field = as_jcc(a, CC_NE, as_here(a));
    as_insn(a, 0, OSZ32, AS_0, 0xd9, 4, rm_at(H_DX, 0), 0);
    as_load(a, OSZ32, H_AX, rm_at(H_DX, 12));
    as_store(a, OSZ64, CPU_AT(fip), H_AX);
    as_load(a, OSZ32, H_AX, rm_at(H_DX, 20));
    as_store(a, OSZ64, CPU_AT(fdp), H_AX);
    load_word(a, H_AX, rm_at(H_DX, 16));
    as_store(a, OSZ16, CPU_AT(fcs), H_AX);
    load_word(a, H_AX, rm_at(H_DX, 24));
    as_store(a, OSZ16, CPU_AT(fds), H_AX);
    load_word(a, H_AX, rm_at(H_DX, 18));
    as_imm(a, OSZ32, 4, rm_reg(H_AX), 0x7ff);
    as_store(a, OSZ16, CPU_AT(fop), H_AX);
    as_imm(a, OSZ32, 4, CPU_AT(jit_fnote), 0);
    as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_fseg), 0);
    as8(a, SEG_COUNT);
}

void tr_x87_body(struct tr *t)
{
    struct as *a = t->a;
    const struct insn *i = &t->op->i;
    if (op_rows[i->op].map != MAP_0) {
        tr_mmx_body(t);
        return;
    }
    if (i->mapop == 0x9b) return; /* FWAIT: nothing is pending */
    if (is_fldcw(i)) {
        fldcw(t);
    } else if (t->op->x87 & X87_ENV) {
        if (t->op->access == SITE_WRITE)
            fnstenv(t);
        else
            fldenv(t);
    } else if (i->flags & INSN_MEM) {
        as_insn(a, 0, OSZ32, AS_0, i->mapop, i->modrm >> 3 & 7, tr_at(t), 0);
    } else {
        as_room(a);
        as8(a, i->mapop);
        as8(a, i->modrm);
        if (is_fnstsw_ax(i)) tr_put(t, RAX, OSZ16, H_AX);
    }
    if (t->op->def) {
        t->host = true;
        t->mem = t->of_bad = false;
    }
    write_notes(t, t->op->x87);
}

void tr_x87_left(struct tr *t)
{
    if ((t->op->x87 & X87_POINTERS) && !(t->op->x87 & X87_NOTE))
        write_notes(t, X87_NOTE | X87_PAGE);
}

/* ---- struct cpu and the host's unit ---- */

#define ALL_X87 "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"
#define ALL_XMM                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

bool jit_x87_refused(const struct cpu *c)
{
    return (c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr0 & CR0_PE) || (c->fsw & FSW_ES) ||
           (c->fcw & FSW_EXC) != FSW_EXC;
}

/* The image is FXSAVE's: registers from ST(0) on, tags by physical register. */
u64 jit_x87_load(struct cpu *c, const struct site *s)
{
    u8 *p = c->jit->x87_image;
    if (jit_x87_refused(c)) {
        c->rip = c->jit_page + s->off;
        c->budget += s->left;
        return 1;
    }
    st16(p, c->fcw);
    st16(p + 2, c->fsw);
    p[4] = c->ftw;
    memset(p + 6, 0, 18); /* FOP and the pointers */
    st32(p + 24, HOST_MXCSR);
    for (unsigned n = 0; n < 8; n++) {
        const struct f80 *v = &c->fpr[fpu_phys(c, n)];
        st64(p + 32 + 16 * n, v->mant);
        st16(p + 40 + 16 * n, v->se);
    }
    __asm__ volatile("fxrstor64 %0" : : "m"(c->jit->x87_image) : ALL_X87, ALL_XMM);
    c->jit_x87 = true;
    c->jit_fnote = 0;
    c->jit_fseg = SEG_COUNT;
    return 0;
}

static void make_pointers(struct cpu *c)
{
    if (c->jit_fnote & NOTE_VALID) {
        c->fip = c->jit_fpage + (c->jit_fnote & 0xfff);
        c->fop = (u16)(c->jit_fnote >> 12 & 0x7ff);
        c->fcs = c->seg[SEG_CS].sel;
    }
    if (c->jit_fseg < SEG_COUNT) {
        c->fdp = c->jit_fdp;
        c->fds = c->seg[c->jit_fseg].sel;
    }
}

void jit_x87_unload(struct cpu *c)
{
    const u8 *p = c->jit->x87_image;
    __asm__ volatile("fxsave64 %0\n\temms" : "=m"(c->jit->x87_image) : : ALL_X87);
    c->fcw = ld16(p);
    c->fsw = ld16(p + 2);
    c->ftw = p[4];
    for (unsigned n = 0; n < 8; n++) {
        struct f80 *v = &c->fpr[fpu_phys(c, n)];
        v->mant = ld64(p + 32 + 16 * n);
        v->se = ld16(p + 40 + 16 * n);
    }
    if (c->fcw != HOST_FCW) hostfp_fldcw(HOST_FCW);
    make_pointers(c);
    c->jit_x87 = false;
}
