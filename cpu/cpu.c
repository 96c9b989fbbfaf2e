/* The CPU as an object: create, reset and INIT, pins, idle state, registers for the monitor,
 * breakpoint list. Reset values are those of SDM 3A table 9-1. The interpreter loop (cpu_run) is in
 * interp.c. */
#include "cpu/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpu/apic.h"
#include "cpu/jit/jit.h"
#include "cpu/mmu.h"
#include "cpu/seg.h"
#include "machine/core/log.h"
#include "machine/core/trace.h"

/* ---- life ---- */

/* Options behind the model's name: ",hypervisor=on|off,msr=strict|ignore". */
static int parse_options(struct cpu *c, const char *text, struct error *e)
{
    static const struct {
        const char *text;
        u32 offset;
        bool value;
    } options[] = {
        { "hypervisor=on", offsetof(struct cpu, no_hypervisor), false },
        { "hypervisor=off", offsetof(struct cpu, no_hypervisor), true },
        { "msr=strict", offsetof(struct cpu, ignore_msrs), false },
        { "msr=ignore", offsetof(struct cpu, ignore_msrs), true },
    };
    while (*text == ',') {
        size_t n = strcspn(++text, ","), k = 0;
        while (k < LEN(options) &&
               (strlen(options[k].text) != n || strncmp(text, options[k].text, n)))
            k++;
        if (k == LEN(options))
            return error_set(e,
                             "CPU option '%.*s' is unknown: hypervisor=on|off and msr=strict|ignore "
                             "are known",
                             (int)n, text);
        *((bool *)c + options[k].offset) = options[k].value;
        text += n;
    }
    return 0;
}

static bool choose_engine(struct cpu *c, const char *engine, struct error *e)
{
    if (!engine || !strcmp(engine, "interp")) return true;
    if (strcmp(engine, "auto")) return jit_create(c, engine, e);
    struct error why;
    if (!jit_create(c, "jit", &why)) LOG(LOG_WARN, "cpu", "code is interpreted: %s", why.text);
    return true;
}

struct cpu *cpu_create(const char *model, const struct cpu_env *env, struct error *e)
{
    char name[32];
    size_t len = strcspn(model, ",");
    snprintf(name, sizeof(name), "%.*s", (int)MIN(len, sizeof(name) - 1), model);
    const struct cpu_model *m = model_find(name);
    if (!m) {
        error_set(e, "CPU model '%s' is unknown: use one of %s", name, cpu_models());
        return NULL;
    }
    size_t size = (sizeof(struct cpu) + 63) & ~(size_t)63;
    struct cpu *c = aligned_alloc(64, size); /* vector registers want 32-byte alignment */
    check(c != NULL);
    memset(c, 0, size);
    c->model = m;
    if (parse_options(c, model + len, e) < 0) {
        free(c);
        return NULL;
    }
    c->env = *env;
    c->mem = env->host->mem;
    c->io = env->host->io;
    c->clock = env->host->clock;
    c->phys_mask = BIT64(m->phys_bits) - 1;
    c->a20 = true;
    c->a20_mask = ~0ull;
    c->apic_page = ~0ull;
    if (!choose_engine(c, env->engine, e)) {
        free(c);
        return NULL;
    }
    if (apic_create(c, e) < 0) {
        apic_destroy(c);
        jit_destroy(c);
        free(c);
        return NULL;
    }
    icache_init(c);
    tlb_init(c);
    cpu_reset(c);
    return c;
}

void cpu_destroy(struct cpu *c)
{
    if (!c) return;
    jit_destroy(c);
    icache_fini(c);
    apic_destroy(c);
    free(c);
}

/* ---- reset ---- */

static void reset_segments(struct cpu *c)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) c->seg[i] = (struct seg){ 0, 0xffff, 0, 0x93 };
    c->seg[SEG_CS] = (struct seg){ 0xffff0000, 0xffff, 0xf000, 0x93 };
    c->ldtr = (struct seg){ 0, 0xffff, 0, ATTR_P | DT_LDT };
    c->tr = (struct seg){ 0, 0xffff, 0, ATTR_P | DT_TSS32_BUSY };
    c->gdtr = c->idtr = (struct dtable){ 0, 0xffff };
}

/* What both RESET# and INIT# set. */
static void reset_common(struct cpu *c)
{
    memset(c->gpr, 0, sizeof(c->gpr));
    c->zero = 0;
    c->r[RDX] = c->model->signature;
    c->rip = c->insn_rip = 0xfff0;
    c->cr2 = c->cr3 = c->cr4 = 0;
    c->efer = 0;
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = 0x400;
    c->cpl = 0;
    c->nmi_blocked = c->halted = c->shutdown = false;
    c->nmi_pending = c->exc_ext = c->no_step = false;
    c->pending_dr6 = 0;
    c->shadow = 0;
    reset_segments(c);
    c->rflags = 2;
    cpu_set_flags(c, 2);
    c->events &= CE_KICK;
    tlb_flush_all(c);
    icache_flush(c);
    cpu_update_mode(c);
    cpu_update_intr(c);
}

static void reset_msrs(struct cpu *c)
{
    c->star = c->lstar = c->cstar = c->fmask = c->kernel_gs_base = c->tsc_aux = 0;
    c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = c->spec_ctrl = 0;
    c->pat = 0x0007040600070406;
    c->misc_enable = 1;
    c->debugctl = 0;
    c->mtrr_def = 0;
    memset(c->mtrr_phys, 0, sizeof(c->mtrr_phys));
    memset(c->mtrr_fix, 0, sizeof(c->mtrr_fix));
    c->mcg_status = 0;
    c->mcg_ctl = ~0ull;
    memset(c->mci_ctl, 0, sizeof(c->mci_ctl));
    memset(c->mci_status, 0, sizeof(c->mci_status));
    memset(c->mci_addr, 0, sizeof(c->mci_addr));
    memset(c->mci_misc, 0, sizeof(c->mci_misc));
    c->tsc_offset = 0 - mul_div(clock_now(c->clock), c->env.tsc_hz, NS_PER_SEC);
    c->tsc_last = ~0ull; /* before 0 */
    c->unknown_msr_count = 0;
}

/* Power-on state of the floating-point units: every register +0 and valid. */
static void reset_fpu(struct cpu *c)
{
    memset(c->fpr, 0, sizeof(c->fpr));
    memset(c->v, 0, sizeof(c->v));
    c->fcw = 0x40;
    c->fsw = 0;
    c->ftw = 0xff;
    c->fop = 0;
    c->fip = c->fdp = 0;
    c->fcs = c->fds = 0;
    c->ignne = false;
    c->mxcsr = 0x1f80;
    c->xcr0 = 1;
}

void cpu_reset(struct cpu *c)
{
    TRACE(cpu_reset, 0, 0, 0, 0);
    c->cr0 = CR0_CD | CR0_NW | CR0_ET;
    reset_msrs(c);
    reset_fpu(c);
    apic_reset(c, false);
    c->smbase = 0x30000;
    c->smm = c->smi_pending = c->init_pending = false;
    c->io_restart.valid = false;
    irq_set(&c->env.smiact, false);
    c->a20_mask = c->a20 ? ~0ull : ~(u64)MIB;
    c->apic_base = 0xfee00900;
    c->apic_page = 0xfee00000;
    reset_common(c);
}

void cpu_init_reset(struct cpu *c)
{
    TRACE(cpu_reset, 1, 0, 0, 0);
    c->cr0 = (c->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    apic_reset(c, true);
    reset_common(c);
    if (c->smi_pending) cpu_event_set(c, CE_SMI);
}

void cpu_update_mode(struct cpu *c)
{
    const struct seg *cs = &c->seg[SEG_CS];
    c->long_mode = c->efer & EFER_LMA;
    if (c->long_mode && (cs->attr & ATTR_L)) c->bits = BITS64;
    else c->bits = cs->attr & ATTR_D ? BITS32 : BITS16;
    seg_update_flat(c);
    cpu_event_set(c, CE_MODE);
}

/* ---- pins and interrupts ---- */

void cpu_kick(struct cpu *c)
{
    cpu_event_set(c, CE_KICK);
}

void cpu_set_intr(struct cpu *c, bool level)
{
    c->intr_line = level;
    apic_lint0(c, level);
    cpu_update_intr(c);
}

void cpu_nmi(struct cpu *c)
{
    apic_nmi_pin(c);
}

void cpu_set_a20(struct cpu *c, bool on)
{
    u64 mask = on || c->smm ? ~0ull : ~(u64)MIB;
    c->a20 = on;
    if (mask == c->a20_mask) return;
    c->a20_mask = mask;
    tlb_flush_all(c);
}

void cpu_ignne(struct cpu *c)
{
    c->ignne = true;
    irq_set(&c->env.ferr, false);
}

bool cpu_intr_pending(const struct cpu *c)
{
    return apic_pending(c) >= 0 || (c->intr_line && apic_extint_open(c));
}

int cpu_intr_ack(struct cpu *c)
{
    int v = apic_ack(c);
    if (v < 0 && c->intr_line && apic_extint_open(c) && c->env.intack)
        v = c->env.intack(c->env.intack_opaque);
    cpu_update_intr(c);
    return v;
}

void cpu_update_intr(struct cpu *c)
{
    bool want = (c->rflags & FL_IF) && cpu_intr_pending(c);
    if (want) cpu_event_set(c, CE_INTR);
    else if (c->events & CE_INTR) cpu_event_clear(c, CE_INTR);
}

bool cpu_wake_pending(const struct cpu *c)
{
    if ((c->events & CE_INIT) || (c->smi_pending && !c->smm)) return true;
    if (c->nmi_pending && !c->nmi_blocked) return true;
    return (c->rflags & FL_IF) && cpu_intr_pending(c);
}

bool cpu_is_idle(const struct cpu *c)
{
    return c->shutdown || (c->halted && !cpu_wake_pending(c));
}

/* ---- monitor ---- */

u64 cpu_pc_linear(struct cpu *c)
{
    u64 a = code_base(c) + c->rip;
    return c->bits == BITS64 ? a : (u32)a;
}

int cpu_break_add(struct cpu *c, u64 gla)
{
    if (c->nbreaks == LEN(c->breaks)) return -1;
    c->breaks[c->nbreaks++] = gla;
    cpu_event_set(c, CE_BREAK);
    return 0;
}

int cpu_break_del(struct cpu *c, u64 gla)
{
    for (unsigned i = 0; i < c->nbreaks; i++) {
        if (c->breaks[i] != gla) continue;
        c->breaks[i] = c->breaks[--c->nbreaks];
        if (!c->nbreaks) cpu_event_clear(c, CE_BREAK);
        return 0;
    }
    return -1;
}

static const char *const gpr_names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const seg_names[SEG_COUNT] = { "es", "cs", "ss", "ds", "fs", "gs" };

struct reg_row {
    const char *name;
    u32 offset;
    u8 size;
};
#define REG(n, f) { n, offsetof(struct cpu, f), sizeof(((struct cpu *)0)->f) }
static const struct reg_row reg_rows[] = {
    REG("rip", rip),        REG("cr0", cr0),        REG("cr2", cr2),
    REG("cr3", cr3),        REG("cr4", cr4),        REG("efer", efer),
    REG("dr0", dr[0]),      REG("dr1", dr[1]),      REG("dr2", dr[2]),
    REG("dr3", dr[3]),      REG("dr6", dr[6]),      REG("dr7", dr[7]),
    REG("gdtr", gdtr.base), REG("idtr", idtr.base), REG("ldtr", ldtr.sel),
    REG("tr", tr.sel),      REG("cpl", cpl),        REG("mxcsr", mxcsr),
    REG("fcw", fcw),        REG("fsw", fsw),        REG("kernel_gs_base", kernel_gs_base),
    REG("lstar", lstar),     REG("smbase", smbase),
};

static u64 segment_register(const struct cpu *c, const char *name, bool *ok)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        if (strncmp(name, seg_names[i], 2)) continue;
        *ok = true;
        if (!name[2]) return c->seg[i].sel;
        if (!strcmp(name + 2, ".base")) return c->seg[i].base;
        if (!strcmp(name + 2, ".limit")) return c->seg[i].limit;
        if (!strcmp(name + 2, ".attr")) return c->seg[i].attr;
    }
    *ok = false;
    return 0;
}

u64 cpu_get_reg(struct cpu *c, const char *name, bool *ok)
{
    *ok = true;
    if (!strcmp(name, "rflags") || !strcmp(name, "eflags")) return cpu_flags(c);
    if (!strcmp(name, "cr8")) return apic_tpr(c) >> 4;
    if (!strcmp(name, "eip")) return (u32)c->rip;
    for (unsigned i = 0; i < 16; i++) {
        if (!strcmp(name, gpr_names[i])) return c->r[i];
        if (i < 8 && name[0] == 'e' && !strcmp(name + 1, gpr_names[i] + 1)) return (u32)c->r[i];
        if (i < 8 && !strcmp(name, gpr_names[i] + 1)) return (u16)c->r[i];
    }
    for (unsigned i = 0; i < LEN(reg_rows); i++) {
        if (!strcmp(name, reg_rows[i].name))
            return ld_n((const u8 *)c + reg_rows[i].offset, reg_rows[i].size);
    }
    return segment_register(c, name, ok);
}

static void add_segment(struct text *t, const char *name, const struct seg *s)
{
    text_add(t, "%-4s %04x base %016llx limit %08x attr %04x dpl %u\n", name, s->sel,
             (unsigned long long)s->base, s->limit, s->attr, ATTR_DPL(s->attr));
}

static const char *mode_name(const struct cpu *c)
{
    if (!(c->cr0 & CR0_PE)) return "real";
    if (c->rflags & FL_VM) return "virtual-8086";
    if (c->bits == BITS64) return "64-bit";
    if (c->long_mode) return c->bits == BITS32 ? "compatibility 32-bit" : "compatibility 16-bit";
    return c->bits == BITS32 ? "protected 32-bit" : "protected 16-bit";
}

void cpu_info_registers(struct cpu *c, struct text *t)
{
    unsigned n = c->long_mode ? 16 : 8;
    for (unsigned i = 0; i < n; i++)
        text_add(t, "%-4s %016llx%s", gpr_names[i], (unsigned long long)c->r[i],
                 i % 4 == 3 ? "\n" : "  ");
    text_add(t, "rip  %016llx  rflags %08x  cpl %u  %s%s%s%s\n", (unsigned long long)c->rip,
             cpu_flags(c), c->cpl, mode_name(c), c->smm ? ", SMM" : "", c->halted ? ", halted" : "",
             c->shutdown ? ", shut down" : "");
    for (unsigned i = 0; i < SEG_COUNT; i++) add_segment(t, seg_names[i], &c->seg[i]);
    add_segment(t, "ldtr", &c->ldtr);
    add_segment(t, "tr", &c->tr);
    text_add(t, "gdtr base %016llx limit %04x   idtr base %016llx limit %04x\n",
             (unsigned long long)c->gdtr.base, c->gdtr.limit, (unsigned long long)c->idtr.base,
             c->idtr.limit);
    text_add(t, "cr0 %08llx cr2 %016llx cr3 %010llx cr4 %08llx cr8 %x efer %llx a20 %d\n",
             (unsigned long long)c->cr0, (unsigned long long)c->cr2, (unsigned long long)c->cr3,
             (unsigned long long)c->cr4, apic_tpr(c) >> 4, (unsigned long long)c->efer, c->a20);
    text_add(t, "dr0 %llx dr1 %llx dr2 %llx dr3 %llx dr6 %llx dr7 %llx\n",
             (unsigned long long)c->dr[0], (unsigned long long)c->dr[1],
             (unsigned long long)c->dr[2], (unsigned long long)c->dr[3],
             (unsigned long long)c->dr[6], (unsigned long long)c->dr[7]);
    text_add(t, "gs/kernel base %llx/%llx  star %llx lstar %llx\n",
             (unsigned long long)c->seg[SEG_GS].base, (unsigned long long)c->kernel_gs_base,
             (unsigned long long)c->star, (unsigned long long)c->lstar);
}
