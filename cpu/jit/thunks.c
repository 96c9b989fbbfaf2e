/* The fixed pieces of generated code: entering and leaving it, the table of linear addresses, and
 * calls into C. All guest registers are in struct cpu while C runs. */
#include "cpu/jit/translate.h"

static void store_pinned(struct as *a, unsigned wide)
{
    for (unsigned g = 0; g < 16; g++) {
        if (jit_pinned[wide][g] != H_NONE)
            as_store(a, OSZ64, rm_at(H_BP, tr_reg_field(g)), jit_pinned[wide][g]);
    }
}

static void load_pinned(struct as *a, unsigned wide)
{
    for (unsigned g = 0; g < 16; g++) {
        if (jit_pinned[wide][g] != H_NONE)
            as_load(a, OSZ64, jit_pinned[wide][g], rm_at(H_BP, tr_reg_field(g)));
    }
}

static const u8 saved[] = { H_BX, H_BP, H_12, H_13, H_14, H_15 }; /* by the System V ABI */

static void push_pop(struct as *a, unsigned op, unsigned reg)
{
    if (reg & 8) as8(a, 0x41);
    as8(a, op | (reg & 7));
}

static void make_enter(struct jit *j, unsigned wide)
{
    struct as *a = &j->as;
    j->enter[wide] = as_here(a);
    for (unsigned k = 0; k < LEN(saved); k++) push_pop(a, 0x50, saved[k]);
    as_imm(a, OSZ64, 5, rm_reg(H_SP), 8);
    as_lea(a, OSZ64, H_BP, rm_at(H_DI, JIT_BIAS));
    as_mov(a, OSZ64, H_CX, H_SI);
    as_mov(a, OSZ64, H_AX, H_DX);
    load_pinned(a, wide);
    as8(a, 0xff), as8(a, 0xe1); /* JMP RCX */
}

/* C code wants its own MXCSR; the guest's flags are kept. */
static void host_mxcsr(struct as *a, bool off)
{
    as_imm(a, OSZ8, 7, CPU_AT(jit_sse), 0);
    u32 skip = as_jcc(a, CC_E, as_here(a));
    as_insn(a, 0, OSZ32, AS_0F, 0xae, 3, CPU_AT(jit_mxcsr), 0); /* STMXCSR */
    as_insn(a, 0, OSZ32, AS_0F, 0xae, 2, CPU_AT(jit_host_mxcsr), 0);
    if (off) {
        as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_sse), 0);
        as8(a, 0);
    }
    as_patch(a, skip, as_here(a));
}

static void guest_mxcsr(struct as *a)
{
    as_imm(a, OSZ8, 7, CPU_AT(jit_sse), 0);
    u32 skip = as_jcc(a, CC_E, as_here(a));
    as_insn(a, 0, OSZ32, AS_0F, 0xae, 2, CPU_AT(jit_mxcsr), 0);
    as_patch(a, skip, as_here(a));
}

static u32 make_leave(struct jit *j, unsigned wide)
{
    struct as *a = &j->as;
    j->leave_link[wide] = as_here(a);
    as_store(a, OSZ64, CPU_AT(jit_exit), H_CX);
    j->leave[wide] = as_here(a);
    as_store(a, OSZ64, CPU_AT(rip), H_AX);
    host_mxcsr(a, true);
    store_pinned(a, wide);
    u32 stored = as_here(a);
    as_imm(a, OSZ64, 0, rm_reg(H_SP), 8);
    for (unsigned k = LEN(saved); k-- > 0;) push_pop(a, 0x58, saved[k]);
    as8(a, 0xc3);
    return stored;
}

/* Calls fn(c, RDX = site, RAX); a zero (or_zero) or non-zero result leaves for good. */
static u32 make_call(struct jit *j, unsigned wide, u64 fn, u32 leave_stored, bool keep_flags,
                     unsigned leave_if)
{
    struct as *a = &j->as;
    u32 here = as_here(a);
    if (keep_flags)
        as8(a, 0x9c); /* PUSHFQ */
    else
        as_lea(a, OSZ64, H_SP, rm_at(H_SP, -8));
    store_pinned(a, wide);
    host_mxcsr(a, false);
    as_lea(a, OSZ64, H_DI, rm_at(H_BP, -JIT_BIAS));
    as_mov(a, OSZ64, H_SI, H_DX);
    as_mov(a, OSZ64, H_DX, H_AX);
    as_movabs(a, H_AX, fn);
    as8(a, 0xff), as8(a, 0xd0); /* CALL RAX */
    as_rm(a, OSZ64, 0x85, H_AX, rm_reg(H_AX));
    u32 away = as_jcc(a, leave_if, as_here(a));
    load_pinned(a, wide);
    guest_mxcsr(a);
    if (keep_flags)
        as8(a, 0x9d); /* POPFQ */
    else
        as_lea(a, OSZ64, H_SP, rm_at(H_SP, 8));
    as8(a, 0xc3);
    as_patch(a, away, as_here(a));
    as_lea(a, OSZ64, H_SP, rm_at(H_SP, 16));
    as_jmp(a, leave_stored);
    return here;
}

static void shift_right(struct as *a, unsigned osz, unsigned reg, unsigned n)
{
    as_insn(a, 0, osz, AS_0, 0xc1, 5, rm_reg(reg), 0);
    as8(a, n);
}

/* RAX: linear address of a store that missed the TLB, RDX: a bit for each of its bytes. When the
 * page is known, writable, special for its code alone, and these bytes hold none: ZF set and the
 * host address in RAX. Otherwise ZF clear and RAX as it was. Changes RCX, RDX, flags. The same in
 * C: icache_gap(). */
static void make_gap(struct jit *j, unsigned user)
{
    struct as *a = &j->as;
    struct cpu *c = NULL;
    i32 tlb = jit_field(offsetof(struct cpu, tlb)) + (i32)(user * sizeof(c->tlb[0]));
    i32 gaps = jit_field(offsetof(struct cpu, code_gap));
    _Static_assert(sizeof(struct tlb_entry) == 32 && sizeof(struct code_gap) == 16, "shifts");
    j->gap[user] = as_here(a);
    push_pop(a, 0x50, H_BX);
    push_pop(a, 0x50, H_SI);
    as_mov(a, OSZ32, H_CX, H_AX);
    shift_right(a, OSZ32, H_CX, 7);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), (TLB_ENTRIES - 1) << 5);
    as_mov(a, OSZ64, H_BX, H_AX);
    as_imm(a, OSZ64, 4, rm_reg(H_BX), -4096);
    as_imm(a, OSZ64, 1, rm_reg(H_BX), TLB_SLOW | TLB_CODE);
    as_rm(a, OSZ64, 0x3b, H_BX,
          rm_sib(H_BP, H_CX, 0, tlb + (i32)offsetof(struct tlb_entry, tag_w)));
    u32 other = as_jcc(a, CC_NE, as_here(a));
    as_load(a, OSZ64, H_SI, rm_sib(H_BP, H_CX, 0, tlb + (i32)offsetof(struct tlb_entry, off)));
    as_rm(a, OSZ64, 0x03, H_SI, rm_reg(H_AX)); /* host address */
    as_mov(a, OSZ64, H_BX, H_SI);
    as_imm(a, OSZ64, 4, rm_reg(H_BX), -4096);
    as_mov(a, OSZ32, H_CX, H_BX);
    shift_right(a, OSZ32, H_CX, 8);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), (i32)(LEN(c->code_gap) - 1) << 4);
    as_rm(a, OSZ64, 0x3b, H_BX,
          rm_sib(H_BP, H_CX, 0, gaps + (i32)offsetof(struct code_gap, host)));
    u32 unknown = as_jcc(a, CC_NE, as_here(a));
    as_load(a, OSZ64, H_BX,
            rm_sib(H_BP, H_CX, 0, gaps + (i32)offsetof(struct code_gap, covered)));
    as_mov(a, OSZ32, H_CX, H_AX);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), 0xfff);
    shift_right(a, OSZ32, H_CX, 3);
    as_load(a, OSZ64, H_BX, rm_sib(H_BX, H_CX, 0, 0)); /* the bits from the byte's on */
    as_mov(a, OSZ32, H_CX, H_AX);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), 7);
    as_insn(a, 0, OSZ64, AS_0, 0xd3, 5, rm_reg(H_BX), 0); /* SHR RBX, CL */
    as_rm(a, OSZ64, 0x85, H_DX, rm_reg(H_BX));            /* TEST RBX, RDX */
    u32 code = as_jcc(a, CC_NE, as_here(a));
    as_mov(a, OSZ64, H_AX, H_SI);
    as_patch(a, other, as_here(a));
    as_patch(a, unknown, as_here(a));
    as_patch(a, code, as_here(a));
    push_pop(a, 0x58, H_SI);
    push_pop(a, 0x58, H_BX);
    as8(a, 0xc3);
}

/* Jumped to with RDX = site: jit_system_call() says where generated code goes on. */
static u32 make_system(struct jit *j, unsigned wide, u32 leave_stored)
{
    struct as *a = &j->as;
    u32 here = as_here(a);
    store_pinned(a, wide);
    host_mxcsr(a, false);
    as_lea(a, OSZ64, H_DI, rm_at(H_BP, -JIT_BIAS));
    as_mov(a, OSZ64, H_SI, H_DX);
    as_movabs(a, H_AX, (u64)(uintptr_t)jit_system_call);
    as8(a, 0xff), as8(a, 0xd0); /* CALL RAX */
    as_rm(a, OSZ64, 0x85, H_AX, rm_reg(H_AX));
    u32 away = as_jcc(a, CC_E, as_here(a));
    load_pinned(a, wide);
    guest_mxcsr(a);
    as_mov(a, OSZ64, H_CX, H_AX);
    as_load(a, OSZ64, H_AX, CPU_AT(rip));
    as8(a, 0xff), as8(a, 0xe1); /* JMP RCX */
    as_patch(a, away, as_here(a));
    as_jmp(a, leave_stored);
    return here;
}

static bool scratch(unsigned reg) /* for C functions */
{
    return reg == H_SI || reg == H_DI || (reg >= H_8 && reg <= H_11);
}

/* Calls the function in RAX with (RDI, RSI, RDX = site, struct cpu, R8, RAX of the guest); when it
 * does not do the instruction, jit_string_call() does. Guest registers that it leaves to itself by
 * the System V ABI stay where they are. */
static void make_string(struct jit *j, unsigned wide, u32 leave_stored)
{
    struct as *a = &j->as;
    j->string[wide] =
        make_call(j, wide, (u64)(uintptr_t)jit_string_call, leave_stored, false, CC_NE);
    j->string_short[wide] = as_here(a);
    push_pop(a, 0x50, H_DX);
    for (unsigned g = 0; g < 16; g++) {
        if (scratch(jit_pinned[wide][g]))
            as_store(a, OSZ64, rm_at(H_BP, tr_reg_field(g)), jit_pinned[wide][g]);
    }
    as_lea(a, OSZ64, H_CX, rm_at(H_BP, -JIT_BIAS));
    as_mov(a, OSZ64, H_9, jit_pinned[wide][RAX]);
    as8(a, 0xff), as8(a, 0xd0); /* CALL RAX */
    push_pop(a, 0x58, H_DX);
    for (unsigned g = 0; g < 16; g++) {
        if (scratch(jit_pinned[wide][g]))
            as_load(a, OSZ64, jit_pinned[wide][g], rm_at(H_BP, tr_reg_field(g)));
    }
    as_rm(a, OSZ32, 0x85, H_AX, rm_reg(H_AX));
    as_jcc(a, CC_NE, j->string[wide]);
    as8(a, 0xc3);
}

void jit_make_thunks(struct jit *j)
{
    for (unsigned user = 0; user < 2; user++) make_gap(j, user);
    tr_make_plain(j);
    jit_x87_thunks(j);
    for (unsigned wide = 0; wide < 2; wide++) {
        make_enter(j, wide);
        u32 stored = make_leave(j, wide);
        j->handler[wide] =
            make_call(j, wide, (u64)(uintptr_t)jit_handler_call, stored, false, CC_NE);
        j->slow[wide] = make_call(j, wide, (u64)(uintptr_t)jit_slow_access, stored, false, CC_E);
        j->system[wide] = make_system(j, wide, stored);
        j->x87[wide] = make_call(j, wide, (u64)(uintptr_t)jit_x87_load, stored, false, CC_NE);
        make_string(j, wide, stored);
        j->after[wide] = make_call(j, wide, (u64)(uintptr_t)jit_slow_after, stored, true, CC_NE);
    }
}
