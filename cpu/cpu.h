/* The processor as the rest of the program sees it; nothing else in cpu/ is included from outside
 * (tests excepted). One struct cpu is one logical CPU with its local APIC. It runs on the machine
 * thread: cpu_run() executes until the budget is used up, the CPU halts, or somebody called
 * cpu_kick(). Interrupt inputs: cpu_set_intr() is the 8259's INTR wire into LINT0; cpu_nmi(),
 * cpu_smi() are edges; message interrupts (I/O APIC, MSI) arrive as bus writes to
 * FEE00000h-FEEFFFFFh, a region that apic.c maps on the memory bus. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "machine/core/bus.h"
#include "machine/core/clock.h"
#include "machine/core/device.h"
#include "machine/core/error.h"
#include "machine/core/text.h"
#include "machine/core/types.h"

struct cpu;

/* What a CPU needs from its machine. Copied by cpu_create. */
struct cpu_env {
    struct host_if *host;             /* buses, clock, requests (triple fault) */
    int (*intack)(void *opaque);      /* 8259 INTA cycle: returns the vector */
    void *intack_opaque;
    struct irq ferr;                  /* FERR#: x87 error with CR0.NE=0, drives IRQ 13 */
    struct irq smiact;                /* SMIACT#: the CPU is in system management mode */
    u64 tsc_hz;                       /* TSC ticks per virtual second */
    const char *engine; /* "interp" (also NULL), "jit" or "lockstep" with options, see jit/README.md;
                           "auto": jit where the host can, else interp. Read by cpu_create alone */
};

enum cpu_stop {
    CPU_BUDGET,
    CPU_HALTED,
    CPU_KICKED,
    CPU_SHUTDOWN /* triple fault */,
    CPU_BREAK /* breakpoint or single step done */
};

/* model: a name of the CPUID table ("win7", "qemu64", "max"); an unknown name fails and lists the
 * known ones. Options behind the name: ",hypervisor=off" hides CPUID's hypervisor bit and leaves,
 * ",msr=ignore" makes unknown MSRs read 0 instead of raising #GP. */
struct cpu *cpu_create(const char *model, const struct cpu_env *env, struct error *e);
void cpu_destroy(struct cpu *c);
void cpu_reset(struct cpu *c);      /* power-on or RESET#: state of SDM 3A table 9-1 */
void cpu_init_reset(struct cpu *c); /* INIT#: keeps caches, MSRs, x87 and SSE state */

/* Executes at most `budget` instructions. */
enum cpu_stop cpu_run(struct cpu *c, u64 budget);
/* Ends cpu_run at the next instruction boundary; the only function callable from another thread. */
void cpu_kick(struct cpu *c);
/* Halted and nothing pending that would wake it. */
bool cpu_is_idle(const struct cpu *c);
/* Instructions retired since reset of the process; exact also when called from a device callback
 * inside cpu_run. */
u64 cpu_icount(const struct cpu *c);

void cpu_set_intr(struct cpu *c, bool level);
void cpu_nmi(struct cpu *c);
void cpu_set_a20(struct cpu *c, bool on);
void cpu_smi(struct cpu *c);
/* fn(opaque, vector) is called when the local APIC broadcasts the EOI of a level-triggered
 * interrupt: the I/O APIC's Remote-IRR. */
void cpu_set_eoi_listener(struct cpu *c, void (*fn)(void *opaque, int vector), void *opaque);
/* An interrupt with this vector waits in the local APIC. */
bool cpu_vector_pending(const struct cpu *c, u8 vector);
/* FERR# handshake: a write to port F0h releases IGNNE#. */
void cpu_ignne(struct cpu *c);

/* For the monitor and the post-mortem. gla/gva reads never fault and never set accessed bits;
 * return bytes read. */
void cpu_info_registers(struct cpu *c, struct text *t);
void cpu_info_apic(struct cpu *c, struct text *t);
void cpu_info_page_walk(struct cpu *c, u64 gla, struct text *t);
void cpu_info_stats(struct cpu *c, struct text *t);
size_t cpu_peek_linear(struct cpu *c, u64 gla, void *buf, size_t len);
bool cpu_translate(struct cpu *c, u64 gla, u64 *gpa);
u64 cpu_pc_linear(struct cpu *c); /* linear address of the next instruction */
/* Disassembles one instruction of the CPU's current mode at linear address gla; returns its length
 * (>= 1). */
unsigned cpu_disasm(struct cpu *c, u64 gla, struct text *t);
/* Same from bytes: bits is 16, 32 or 64. */
unsigned cpu_disasm_bytes(const u8 *code, size_t len, unsigned bits, u64 addr, struct text *t);
/* "rax", "eip", "cs", "cr3", "cs.base" ... */
u64 cpu_get_reg(struct cpu *c, const char *name, bool *ok);
int cpu_break_add(struct cpu *c, u64 gla); /* execution breakpoints of the monitor; -1 when full */
int cpu_break_del(struct cpu *c, u64 gla);
const char *cpu_models(void); /* "win7, qemu64, p3, max" for --help */

#endif
