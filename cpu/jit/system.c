/* System instructions in generated code. They run in the interpreter's handlers; the question is
 * how the program goes on. Some change nothing that generated code relies on (CLI, STI, SWAPGS,
 * RDTSC, IN, OUT ...): they are called in the middle of a superblock. The others (SYSCALL, IRET,
 * MOV CR3, WRMSR, POPF ...) end it: jit_system_call() runs the handler, works out the key of
 * the address table anew and says where generated code goes on. Only when an event waits, the mode
 * has changed or the address is not in the table, the translator is left.
 *
 * Whatever generated code keeps about linear addresses must therefore hold c->jit_key or be
 * dropped by jit_forget_addresses(): leaving is no flush. Instructions that save or load MXCSR or
 * the whole vector state are among them. Left out: HLT, MOV SS and what shares the shadow behind it,
 * RSM, far CALL and JMP. */
#include "cpu/jit/translate.h"

#include "cpu/flags.h"
#include "cpu/hostfp.h"
#include "cpu/ops.h"

enum jit_kind jit_classify_system(const struct insn *i)
{
    static void (*const inside[])(struct cpu *, const struct insn *) = {
        op_cli, op_sti, op_clac, op_stac, op_swapgs, op_rdtsc, op_rdtscp, op_rdmsr, op_cpuid,
        op_in_ib, op_in_dx, op_out_ib, op_out_dx, /* a device's doings are events */
    };
    static void (*const last[])(struct cpu *, const struct insn *) = {
        op_syscall, op_sysret,   op_sysenter, op_sysexit, op_iret,   op_int_ib,
        op_int3,    op_mov_cr_r, op_invlpg,   op_invpcid, op_wrmsr,  op_popf,
        op_retf,    op_lgdt,     op_lidt,     op_lldt,    op_ltr,    op_clts,
        op_xsetbv,  op_pop_ds,   op_pop_es,   op_pop_fs,  op_pop_gs, op_mov_dr_r,
        op_wbinvd,
    };
    for (unsigned k = 0; k < LEN(inside); k++) {
        if (i->fn == inside[k]) return K_HANDLER;
    }
    for (unsigned k = 0; k < LEN(last); k++) {
        if (i->fn == last[k]) return K_SYSTEM;
    }
    return i->fn == op_mov_sw_ew && i->reg != SEG_SS ? K_SYSTEM : K_STOP;
}

void tr_system(struct tr *t)
{
    struct site *s = tr_site(t, SITE_HANDLER, 0);
    s->insn = jit_alloc(t->j, sizeof(*s->insn));
    *s->insn = t->op->i;
    s->flags = true;
    tr_flags_to_mem(t);
    t->host = false;
    tr_x_store(t);
    t->x_loaded = 0;
    as_movabs(t->a, H_DX, (u64)(uintptr_t)s);
    as_jmp(t->a, t->j->system[t->wide]);
}

/* Returns the code that goes on at c->rip, 0: leave. */
u64 jit_system_call(struct cpu *c, const struct site *s)
{
    struct jit *j = c->jit;
    unsigned bits = c->bits;
    j->systems++;
    jit_enter_c(c, s);
    jit_flags_out(c);
    if (c->jit_x87) jit_x87_unload(c);
    c->mxcsr |= c->jit_mxcsr & 0x3f;
    s->insn->fn(c, s->insn);
    c->jit_mxcsr = c->mxcsr | HOST_MXCSR;
    c->icache->cur = c->icache->end = NULL;
    cpu_check_generation(c);
    c->jit_flags = jit_flags_in(c);
    if (unlikely((c->events & ~(u32)CE_MODE) || c->bits != bits || !jit_possible(c))) {
        cpu_event_set(c, CE_MODE);
        c->jit_sse = false; /* MXCSR is the host's while C runs */
        return 0;
    }
    c->jit_refuse = jit_sse_refused(c);
    if (c->jit_refuse) c->jit_sse = false; /* vector code asks again where it starts */
    jit_set_key(c);
    const struct jit_entry *e = jit_entry_of(c, c->rip);
    if (likely(e->key == (c->rip ^ c->jit_key))) {
        cpu_event_clear(c, CE_MODE);
        return e->code;
    }
    /* With CE_MODE the interpreter's loop looks the next block up, and counts an instruction that
     * cannot be fetched; without it jit_run() does, like behind any jump. */
    if (!c->events) c->jit_exit = &j->miss;
    c->jit_sse = false;
    return 0;
}
