/* Exceptions and interrupts: how events are recorded, combined and delivered (SDM 3A chapter 6
 * and 17.1-17.3, chapter 20 for virtual-8086).
 *
 * Handlers record a fault with exc_raise*(); the loop calls exc_deliver() between instructions.
 * Delivery walks the IVT or IDT: interrupt, trap and task gates of 16, 32 and 64 bits, inner stacks
 * from the TSS, IST, virtual-8086 frames and the VME redirection bitmap. A fault while delivering
 * is combined with the first one: benign, contributory and page faults give a serial delivery, #DF
 * or shutdown. The return address is always c->rip; faults set it to insn_rip first.
 *
 * exc_ext is true while an event from outside the program is delivered: the EXT bit of selector
 * error codes follows it. IRET is in iret.c. Left out: machine-check generation, task gates in long
 * mode (do not exist there). */
#include "cpu/seg.h"

#include "machine/core/trace.h"

/* ---- recording ---- */

void exc_raise(struct cpu *c, unsigned vector)
{
    c->fault_vector = (u8)vector;
    c->fault_has_error = false;
    c->fault_error = 0;
    cpu_event_set(c, CE_FAULT);
}

void exc_raise_err(struct cpu *c, unsigned vector, u32 error)
{
    bool selector_error = vector >= EXC_TS && vector <= EXC_GP;
    c->fault_vector = (u8)vector;
    c->fault_has_error = true;
    c->fault_error = error | (selector_error && c->exc_ext ? 1 : 0);
    cpu_event_set(c, CE_FAULT);
}

/* ---- entering handlers ---- */

/* An event on its way into a handler. */
struct event {
    u8 vector;
    bool software;  /* INT n, INT3, INTO: the gate's DPL counts */
    bool has_error;
    bool fault;     /* RF is set in the pushed flags */
    u32 error;
};

/* Error code that names an IDT entry. */
static bool raise_idt(struct cpu *c, unsigned vector, unsigned entry)
{
    exc_raise_err(c, vector, entry * 8 + 2);
    return false;
}

static void clear_on_entry(struct cpu *c, u32 flags, bool clear_if)
{
    flags &= ~(FL_TF | FL_NT | FL_RF | FL_VM);
    if (clear_if) flags &= ~FL_IF;
    c->no_step = true;
    c->shadow = 0;
    cpu_set_flags(c, flags);
}

static bool enter_real(struct cpu *c, const struct event *ev)
{
    struct new_stack st;
    u8 b[4];
    u32 flags = cpu_flags(c);
    if (ev->vector * 4u + 3 > c->idtr.limit) {
        exc_gp0(c);
        return false;
    }
    stack_current(c, &st);
    if (!lin_read(c, c->idtr.base + ev->vector * 4u, b, 4)) return false;
    if (!stack_push(c, &st, 2, flags) || !stack_push(c, &st, 2, c->seg[SEG_CS].sel) ||
        !stack_push(c, &st, 2, c->rip))
        return false;
    stack_set_sp(c, st.sp, st.mask);
    seg_load_real(c, SEG_CS, ld16(b + 2));
    c->rip = ld16(b);
    clear_on_entry(c, flags & ~FL_AC, true);
    cpu_update_mode(c);
    return true;
}

static bool push_v86_segments(struct cpu *c, struct new_stack *st, unsigned size)
{
    static const u8 order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
    for (unsigned i = 0; i < LEN(order); i++) {
        if (!stack_push(c, st, size, c->seg[order[i]].sel)) return false;
    }
    return true;
}

static u32 pushed_flags(struct cpu *c, const struct event *ev)
{
    u32 flags = cpu_flags(c);
    return ev->fault ? flags | FL_RF : flags;
}

static bool push_frame(struct cpu *c, struct new_stack *st, const struct event *ev, unsigned size,
                       bool with_ss)
{
    u32 flags = pushed_flags(c, ev);
    if (with_ss) {
        if (!stack_push(c, st, size, c->seg[SEG_SS].sel) || !stack_push(c, st, size, c->r[RSP]))
            return false;
    }
    return stack_push(c, st, size, flags) && stack_push(c, st, size, c->seg[SEG_CS].sel) &&
           stack_push(c, st, size, c->rip) &&
           (!ev->has_error || stack_push(c, st, size, ev->error));
}

/* 16- and 32-bit interrupt and trap gates. */
static bool enter_gate32(struct cpu *c, const struct event *ev, u32 lo, u32 hi)
{
    struct desc d;
    struct new_stack st;
    unsigned type = hi >> 8 & 15, size = type & 8 ? 4 : 2;
    u16 sel = (u16)(lo >> 16);
    u32 off = (lo & 0xffff) | (size == 4 ? hi & 0xffff0000 : 0);
    bool v86 = c->rflags & FL_VM;
    if (!(sel & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if (!desc_is_code(&d) || desc_dpl(&d) > c->cpl) return raise_sel(c, EXC_GP, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    unsigned dpl = desc_is_conforming(&d) ? c->cpl : desc_dpl(&d);
    if (v86 && dpl != 0) return raise_sel(c, EXC_GP, sel);
    bool inner = dpl < c->cpl;
    if (inner) {
        if (!stack_from_tss(c, dpl, 0, &st)) return false;
        if (v86 && !push_v86_segments(c, &st, size)) return false;
    } else {
        stack_current(c, &st);
    }
    if (!push_frame(c, &st, ev, size, inner)) return false;
    if (!code_offset_ok(c, &d, off) || !desc_set_accessed(c, &d)) return false;
    u32 flags = cpu_flags(c);
    clear_on_entry(c, flags, !(type & 1));
    code_load(c, sel, &d, dpl, off);
    if (inner) stack_commit(c, &st);
    else stack_set_sp(c, st.sp, st.mask);
    if (v86) {
        static const u8 data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
        for (unsigned i = 0; i < LEN(data); i++) seg_load_null(c, data[i], 0);
    }
    if (inner) seg_update_flat(c);
    return true;
}

static bool enter_task_gate(struct cpu *c, const struct event *ev, u32 lo)
{
    c->no_step = true;
    return task_switch(c, (u16)(lo >> 16), TASK_INT, ev->has_error, ev->error);
}

static bool enter_protected(struct cpu *c, const struct event *ev)
{
    u32 w[2];
    if (ev->vector * 8u + 7 > c->idtr.limit) return raise_idt(c, EXC_GP, ev->vector);
    if (!lin_read(c, c->idtr.base + ev->vector * 8u, w, 8)) return false;
    unsigned type = w[1] >> 8 & 31, dpl = w[1] >> 13 & 3;
    bool known = type == DT_TASK || (type & ~1u) == DT_INT16 || (type & ~1u) == DT_INT32;
    if (!known || (ev->software && dpl < c->cpl)) return raise_idt(c, EXC_GP, ev->vector);
    if (!(w[1] & 0x8000)) return raise_idt(c, EXC_NP, ev->vector);
    if (type == DT_TASK) return enter_task_gate(c, ev, w[0]);
    return enter_gate32(c, ev, w[0], w[1]);
}

static bool enter_long(struct cpu *c, const struct event *ev)
{
    struct desc d;
    struct new_stack st;
    u32 w[4];
    if (ev->vector * 16u + 15 > c->idtr.limit) return raise_idt(c, EXC_GP, ev->vector);
    if (!lin_read(c, c->idtr.base + ev->vector * 16u, w, 16)) return false;
    unsigned type = w[1] >> 8 & 31, gate_dpl = w[1] >> 13 & 3, ist = w[1] & 7;
    if ((type & ~1u) != DT_INT32 || (ev->software && gate_dpl < c->cpl))
        return raise_idt(c, EXC_GP, ev->vector);
    if (!(w[1] & 0x8000)) return raise_idt(c, EXC_NP, ev->vector);
    u16 sel = (u16)(w[0] >> 16);
    u64 off = (w[0] & 0xffff) | (w[1] & 0xffff0000) | (u64)w[2] << 32;
    if (!(sel & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    bool is64 = (d.attr & (ATTR_L | ATTR_D)) == ATTR_L;
    if (!desc_is_code(&d) || desc_dpl(&d) > c->cpl || !is64) return raise_sel(c, EXC_GP, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    unsigned dpl = desc_is_conforming(&d) ? c->cpl : desc_dpl(&d);
    if (dpl < c->cpl || ist) {
        if (!stack_from_tss(c, dpl, ist, &st)) return false;
    } else {
        stack_current(c, &st);
        st.flat = true;
        st.mask = ~0ull;
        st.sp = c->r[RSP];
    }
    st.sp &= ~15ull;
    if (!code_offset_ok(c, &d, off) || !push_frame(c, &st, ev, 8, true) ||
        !desc_set_accessed(c, &d))
        return false;
    clear_on_entry(c, cpu_flags(c), !(type & 1));
    code_load(c, sel, &d, dpl, off);
    stack_commit(c, &st);
    seg_update_flat(c);
    return true;
}

static bool enter(struct cpu *c, const struct event *ev)
{
    if (!(c->cr0 & CR0_PE)) return enter_real(c, ev);
    return c->long_mode ? enter_long(c, ev) : enter_protected(c, ev);
}

/* ---- combination of faults (SDM 3A table 6-5) ---- */

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_class class_of(unsigned vector)
{
    switch (vector) {
    case EXC_DE: case EXC_TS: case EXC_NP: case EXC_SS: case EXC_GP: return CONTRIBUTORY;
    case EXC_PF: return PAGE_FAULT;
    case EXC_DF: return DOUBLE_FAULT;
    default: return BENIGN;
    }
}

void cpu_shutdown(struct cpu *c)
{
    c->shutdown = true;
    cpu_event_set(c, CE_SHUTDOWN);
    if (c->env.host && c->env.host->request)
        c->env.host->request(c->env.host->machine, REQ_TRIPLE_FAULT, 0, "triple fault");
}

/* Takes the fault just recorded into *ev, combined with the event that was being delivered. False:
 * shutdown. */
static bool take_second_fault(struct cpu *c, struct event *ev, enum fault_class first)
{
    enum fault_class second = class_of(c->fault_vector);
    cpu_event_clear(c, CE_FAULT);
    if (c->fault_vector == EXC_PF) c->cr2 = c->fault_cr2;
    TRACE(cpu_exception, c->fault_vector, c->fault_error, c->rip, c->cr2);
    if (first == DOUBLE_FAULT && second != BENIGN) return false;
    bool becomes_double = (first == CONTRIBUTORY && second == CONTRIBUTORY) ||
                          (first == PAGE_FAULT && (second == CONTRIBUTORY || second == PAGE_FAULT));
    *ev = (struct event){ .vector = c->fault_vector,
                          .has_error = c->fault_has_error,
                          .error = c->fault_error,
                          .fault = true };
    if (becomes_double) *ev = (struct event){ .vector = EXC_DF, .has_error = true };
    return true;
}

/* Delivers an event; first: class of what is being delivered. */
static void deliver(struct cpu *c, struct event ev, enum fault_class first)
{
    /* Bounded: each round either enters a handler or climbs towards #DF; benign faults cannot be
     * raised by entering. */
    for (unsigned round = 0; round < 8; round++) {
        c->exc_ext = !ev.software;
        bool ok = enter(c, &ev);
        c->exc_ext = false;
        if (ok) {
            c->halted = false;
            return;
        }
        if (!take_second_fault(c, &ev, first)) break;
        first = class_of(ev.vector);
    }
    cpu_shutdown(c);
}

void exc_deliver(struct cpu *c)
{
    struct event ev = { .vector = c->fault_vector,
                        .has_error = c->fault_has_error,
                        .error = c->fault_error };
    cpu_event_clear(c, CE_FAULT);
    c->rip = c->insn_rip;
    if (ev.vector == EXC_PF) c->cr2 = c->fault_cr2;
    /* Data breakpoints of an instruction that faulted are reported when it is executed again. */
    c->pending_dr6 = 0;
    ev.fault = ev.vector != EXC_DB;
    if (ev.vector == EXC_DB) c->dr[7] &= ~0x2000ull; /* general detect is off in its own handler */
    TRACE(cpu_exception, ev.vector, ev.error, c->rip, c->cr2);
    deliver(c, ev, class_of(ev.vector));
    c->insn_rip = c->rip;
}

void int_deliver(struct cpu *c, unsigned vector)
{
    TRACE(cpu_interrupt, vector, c->rip, 0, 0);
    deliver(c, (struct event){ .vector = (u8)vector }, BENIGN);
    c->insn_rip = c->rip;
}

void cpu_do_nmi(struct cpu *c)
{
    c->nmi_pending = false;
    c->nmi_blocked = true;
    cpu_event_clear(c, CE_NMI);
    int_deliver(c, EXC_NMI);
}

/* ---- software interrupts ---- */

/* VME: bit of the redirection bitmap, which lies in the 32 bytes below the I/O bitmap. true: use
 * the IDT. */
static bool vme_uses_idt(struct cpu *c, unsigned vector, bool *uses_idt)
{
    u16 iomap;
    u8 byte;
    *uses_idt = true;
    if (c->tr.limit < 0x67) return true;
    if (!lin_read(c, c->tr.base + 0x66, &iomap, 2)) return false;
    u32 at = iomap - 32u + vector / 8;
    if (iomap < 32 || at > c->tr.limit) return true;
    if (!lin_read(c, c->tr.base + at, &byte, 1)) return false;
    *uses_idt = byte >> (vector & 7) & 1;
    return true;
}

/* Handler of the 8086 program itself: frame and vector table as in real mode, IF virtualised below
 * IOPL 3. */
static bool enter_redirected(struct cpu *c, unsigned vector)
{
    struct new_stack st;
    u8 b[4];
    u32 flags = cpu_flags(c), image = flags;
    bool iopl3 = (flags & FL_IOPL) == FL_IOPL;
    if (!iopl3) image = (flags & ~FL_IF) | FL_IOPL | (flags & FL_VIF ? FL_IF : 0);
    stack_current(c, &st);
    if (!lin_read_as(c, vector * 4u, b, 4, true)) return false;
    if (!stack_push(c, &st, 2, image) || !stack_push(c, &st, 2, c->seg[SEG_CS].sel) ||
        !stack_push(c, &st, 2, c->rip))
        return false;
    stack_set_sp(c, st.sp, st.mask);
    seg_load_real(c, SEG_CS, ld16(b + 2));
    c->rip = ld16(b);
    flags &= ~(FL_TF | FL_NT | FL_RF | (iopl3 ? FL_IF : FL_VIF));
    c->no_step = true;
    cpu_set_flags(c, flags);
    cpu_update_mode(c);
    return true;
}

bool int_software(struct cpu *c, unsigned vector, unsigned kind)
{
    struct event ev = { .vector = (u8)vector, .software = kind != 3 };
    if (kind == 0 && (c->rflags & FL_VM)) {
        bool uses_idt = true;
        if ((c->cr4 & CR4_VME) && !vme_uses_idt(c, vector, &uses_idt)) return false;
        if (!uses_idt) return enter_redirected(c, vector);
        if ((c->rflags & FL_IOPL) != FL_IOPL) {
            exc_gp0(c);
            return false;
        }
    }
    c->exc_ext = kind == 3;
    bool ok = enter(c, &ev);
    c->exc_ext = false;
    return ok;
}

/* ---- debug exceptions ---- */

void cpu_dr7_changed(struct cpu *c)
{
    bool code = false;
    for (unsigned n = 0; n < 4; n++) {
        if ((c->dr[7] >> (n * 2) & 3) && !(c->dr[7] >> (16 + n * 4) & 3)) code = true;
    }
    if (code) cpu_event_set(c, CE_DRX);
    else cpu_event_clear(c, CE_DRX);
    tlb_flush_all(c); /* pages with data breakpoints must take the slow path */
}

bool exc_code_breakpoint(struct cpu *c)
{
    u64 gla = cpu_pc_linear(c);
    u32 hit = 0;
    /* Behind MOV SS a breakpoint is suppressed as if RF were set (SDM 3B 17.3.1.1). */
    if ((c->rflags & FL_RF) || c->shadow == SHADOW_SS) return false;
    for (unsigned n = 0; n < 4; n++) {
        bool code = !(c->dr[7] >> (16 + n * 4) & 3);
        if (code && (c->dr[7] >> (n * 2) & 3) && c->dr[n] == gla) hit |= BIT(n);
    }
    if (!hit) return false;
    c->insn_rip = c->rip;
    c->pending_dr6 = hit;
    exc_debug_trap(c);
    return true;
}

void exc_debug_trap(struct cpu *c)
{
    c->dr[6] = (c->dr[6] & ~0xfull) | c->pending_dr6;
    c->pending_dr6 = 0;
    c->dr[7] &= ~0x2000ull;
    TRACE(cpu_exception, EXC_DB, c->dr[6], c->rip, 0);
    deliver(c, (struct event){ .vector = EXC_DB }, BENIGN);
    c->insn_rip = c->rip;
}
