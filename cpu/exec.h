/* What instruction handlers are written with: operands, memory, faults. A handler is
 *     void op_xxx(struct cpu *c, const struct insn *i)
 * and follows one rule: every access that can fault comes before the first change of state. Memory
 * helpers return false after they have recorded the fault; the handler then returns at once. Inside
 * a handler c->rip is the next instruction's address, c->insn_rip this one's. */
#ifndef CPU_EXEC_H
#define CPU_EXEC_H

#include "cpu/insn.h"
#include "cpu/state.h"

/* --- faults (exc.c) --- record an exception for delivery at the end of the handler. RIP is taken
 * from insn_rip for faults. --- */
/* no error code: #UD #NM #DE #BR #MF #XM ... */
void exc_raise(struct cpu *c, unsigned vector);
/* #GP #SS #NP #TS #PF(cr2 in fault_cr2) #AC */
void exc_raise_err(struct cpu *c, unsigned vector, u32 error);
static inline void exc_gp0(struct cpu *c)
{
    exc_raise_err(c, EXC_GP, 0);
}

/* --- flags (flags.h holds the lazy ones) --- */
u32 cpu_flags(struct cpu *c);                 /* complete RFLAGS value, bit 1 set */
/* all bits, no privilege rules; updates CE_TRAP/CE_INTR */
void cpu_set_flags(struct cpu *c, u32 value);
void cpu_set_arith(struct cpu *c, u32 value); /* only FL_ARITH bits from value */

/* --- memory through a segment; off is the offset before wrapping (helpers mask by address size
 * where the caller passed an EA) --- Limit, rights, canonical form, alignment check (#AC) and
 * paging are checked; accesses may cross pages. */
bool mem_read8(struct cpu *c, unsigned seg, u64 off, u8 *v);
bool mem_read16(struct cpu *c, unsigned seg, u64 off, u16 *v);
bool mem_read32(struct cpu *c, unsigned seg, u64 off, u32 *v);
bool mem_read64(struct cpu *c, unsigned seg, u64 off, u64 *v);
bool mem_write8(struct cpu *c, unsigned seg, u64 off, u8 v);
bool mem_write16(struct cpu *c, unsigned seg, u64 off, u16 v);
bool mem_write32(struct cpu *c, unsigned seg, u64 off, u32 v);
bool mem_write64(struct cpu *c, unsigned seg, u64 off, u64 v);
/* up to 512 bytes: m80, m128, FXSAVE ... all-or-fault */
bool mem_read_n(struct cpu *c, unsigned seg, u64 off, void *buf, unsigned n);
/* faults before the first byte is written */
bool mem_write_n(struct cpu *c, unsigned seg, u64 off, const void *buf, unsigned n);
/* Checks that [off, off+n) can be written (error code W=1) without writing: first half of every
 * read-modify-write. */
bool mem_probe_write(struct cpu *c, unsigned seg, u64 off, unsigned n);
/* 16-byte operand that must be aligned: #GP(0) when it is not. */
bool mem_read128a(struct cpu *c, unsigned seg, u64 off, union vreg *v);
bool mem_write128a(struct cpu *c, unsigned seg, u64 off, const union vreg *v);

/* --- linear accesses by the processor itself (descriptor tables, TSS, IDT): supervisor rights
 * whatever CPL is --- */
bool lin_read(struct cpu *c, u64 gla, void *buf, unsigned n);
bool lin_write(struct cpu *c, u64 gla, const void *buf, unsigned n);
bool lin_probe_write(struct cpu *c, u64 gla, unsigned n);

/* --- operands --- */
static inline u64 ea_offset(const struct cpu *c, const struct insn *i)
{
    u64 a = c->r[i->base] + (c->r[i->index] << i->scale) + (u64)(i64)i->disp;
    return i->asz == ASZ64 ? a : i->asz == ASZ32 ? (u32)a : (u16)a;
}
/* Byte register n in the instruction's encoding (AH..BH without REX). */
static inline u8 *reg8(struct cpu *c, const struct insn *i, unsigned n)
{
    if (n < 4 || n >= 8 || (i->flags & INSN_REX)) return (u8 *)&c->r[n];
    return (u8 *)&c->r[n - 4] + 1;
}
static inline void set_reg16(struct cpu *c, unsigned n, u16 v)
{
    st16(&c->r[n], v);
}
static inline void set_reg32(struct cpu *c, unsigned n, u32 v)
{
    c->r[n] = v; /* upper half is cleared in 64-bit mode and does not exist elsewhere */
}
static inline bool is_mem(const struct insn *i)
{
    return i->flags & INSN_MEM;
}
/* Generic r/m and reg operands of i->osz (or of an explicit size); slow but right: rare
 * instructions use them. */
bool rm_read(struct cpu *c, const struct insn *i, unsigned osz, u64 *v);
bool rm_write(struct cpu *c, const struct insn *i, unsigned osz, u64 v);
u64 reg_read(struct cpu *c, const struct insn *i, unsigned osz, unsigned n);
void reg_write(struct cpu *c, const struct insn *i, unsigned osz, unsigned n, u64 v);
/* stack of the current SS; RSP changes only on success */
bool push_n(struct cpu *c, unsigned osz, u64 v);
bool pop_n(struct cpu *c, unsigned osz, u64 *v);
static inline u64 stack_mask(const struct cpu *c)
{
    return c->bits == BITS64 ? ~0ull : (c->seg[SEG_SS].attr & ATTR_D) ? 0xffffffffull : 0xffffull;
}

/* --- system (seg.c, task.c, exc.c, mmu.c, msr.c, cpuid.c, apic.c) --- */
/* MOV/POP/LxS to a data or stack segment, with all checks */
bool seg_load(struct cpu *c, unsigned seg, u16 sel);
void seg_load_real(struct cpu *c, unsigned seg, u16 sel);       /* real and virtual-8086 mode */
bool far_jump(struct cpu *c, u16 sel, u64 off, unsigned osz);
bool far_call(struct cpu *c, u16 sel, u64 off, unsigned osz);
bool far_return(struct cpu *c, unsigned osz, u16 extra);        /* RETF imm16 */
bool int_return(struct cpu *c, unsigned osz);                   /* IRET/IRETD/IRETQ in every mode */
enum task_cause { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };
bool task_switch(struct cpu *c, u16 tss_sel, enum task_cause why, bool has_error, u32 error);
/* delivers the recorded fault: IDT, double and triple faults */
void exc_deliver(struct cpu *c);
void int_deliver(struct cpu *c, unsigned vector);               /* external interrupt */
/* INT n (0), INT3 (1), INTO (2), INT1 (3): with VME and IOPL rules */
bool int_software(struct cpu *c, unsigned vector, unsigned kind);
/* recomputes cpl-independent derived fields: bits, long_mode, flat_ds; raises CE_MODE */
void cpu_update_mode(struct cpu *c);
void tlb_flush_all(struct cpu *c);
void tlb_flush_nonglobal(struct cpu *c);
void tlb_flush_page(struct cpu *c, u64 gla);
/* RFLAGS.AC has been cleared: SMAP keeps the supervisor out of user pages again */
void smap_close(struct cpu *c);
/* IOPL and TSS bitmap; raises #GP */
bool io_allowed(struct cpu *c, u16 port, unsigned size);
bool msr_read(struct cpu *c, u32 msr, u64 *v);                  /* false: #GP raised */
bool msr_write(struct cpu *c, u32 msr, u64 v);
void cpuid_leaf(struct cpu *c, u32 leaf, u32 sub, u32 out[4]);  /* eax ebx ecx edx */
u64 cpu_tsc(struct cpu *c);

/* Slow paths (mmu.c): complete in every respect (limits, rights, canonical form, #AC, page
 * crossing, MMIO, breakpoints, code pages). The fast paths of mem.h fall back to these whenever a
 * TLB tag does not match or the access crosses a page. n <= 512. */
bool mem_slow_read(struct cpu *c, unsigned seg, u64 off, void *buf, unsigned n);
bool mem_slow_write(struct cpu *c, unsigned seg, u64 off, const void *buf, unsigned n);
bool mem_slow_probe(struct cpu *c, unsigned seg, u64 off, unsigned n); /* write check only */
/* Read check only, of an operand inside one page: its translation is in the TLB then. */
bool mem_slow_touch(struct cpu *c, unsigned seg, u64 off, unsigned n);
/* The short way to a device's registers for operands without a segment base or limit: true if the TLB
 * has the page, knows that no memory is behind it, and nothing can fault; it is done then.  False:
 * nothing happened, take the ways above. */
bool mem_device_knows(struct cpu *c, u64 gla, unsigned n); /* would mem_device_write do it? */
bool mem_device_read(struct cpu *c, u64 gla, void *buf, unsigned n);
bool mem_device_write(struct cpu *c, u64 gla, const void *buf, unsigned n);
/* Segment part alone: linear address of [off, off+n), #GP/#SS raised on failure. No alignment
 * check. */
bool seg_linear(struct cpu *c, unsigned seg, u64 off, unsigned n, bool write, u64 *gla);
/* Same by linear address with explicit rights (user = treat as CPL 3). */
bool lin_read_as(struct cpu *c, u64 gla, void *buf, unsigned n, bool user);
bool lin_write_as(struct cpu *c, u64 gla, const void *buf, unsigned n, bool user);
bool lin_probe_as(struct cpu *c, u64 gla, unsigned n, bool user);
/* Translates the code page of linear address gla with the rights of CPL; NULL: #PF raised. The
 * entry is valid until the next call or flush. */
const struct xtlb_entry *mmu_code_page(struct cpu *c, u64 gla);
/* The page at hva (page of a RAM region) has just got PAGE_CODE: drops write tags that would bypass
 * it. */
void tlb_protect_code(struct cpu *c, const u8 *hva);
/* Drops all translations when the memory map changed. Call after I/O, timers and DMA (start of a
 * slice, after IN/OUT). */
static inline void cpu_check_generation(struct cpu *c)
{
    if (unlikely(c->bus_generation != c->mem->generation)) tlb_flush_all(c);
}
/* The guest has read a register of a device, and perhaps waits for it to change: looks at the host
 * clock now and then, which ends the slice when a timer is due. */
static inline void cpu_polled(struct cpu *c)
{
    if (unlikely(c->clock->near) && (++c->polls & 3) == 0) clock_now(c->clock);
}
static inline void cpu_event_set(struct cpu *c, u32 ev)
{
    if ((c->events & ev) != ev) c->events |= ev; /* a locked operation is dear */
}
static inline void cpu_event_clear(struct cpu *c, u32 ev)
{
    if (c->events & ev) c->events &= ~ev;
}
static inline u64 code_base(const struct cpu *c)
{
    return c->bits == BITS64 ? 0 : c->seg[SEG_CS].base;
}
static inline u64 code_mask(const struct cpu *c) /* RIP is kept within this after every transfer */
{
    return c->bits == BITS64 ? ~0ull : 0xffffffffull;
}

/* Interrupt state (cpu.c, apic.c). CE_INTR is set exactly while IF=1 and something is deliverable:
 * everything that changes IF, CR8, the APIC or the INTR wire calls cpu_update_intr. */
/* APIC or 8259 has an interrupt that priority lets through (IF not considered) */
bool cpu_intr_pending(const struct cpu *c);
int cpu_intr_ack(struct cpu *c);       /* acknowledges it: vector, -1 none (spurious) */
void cpu_update_intr(struct cpu *c);
/* something ends HLT: interrupt with IF=1, NMI, SMI, INIT */
bool cpu_wake_pending(const struct cpu *c);
/* delivers a pending NMI: at an instruction boundary when CE_NMI is set and !nmi_blocked */
void cpu_do_nmi(struct cpu *c);
void cpu_do_smi(struct cpu *c);        /* CE_SMI */
void cpu_shutdown(struct cpu *c);      /* triple fault, RSM of an impossible state */
u64 cpu_cr4_valid(const struct cpu *c); /* bits that the model has */
/* Debug: at an instruction boundary. */
/* DR0-3 execution match at the next instruction and RF=0: #DB fault delivered, true */
bool exc_code_breakpoint(struct cpu *c);
/* delivers a #DB trap with the bits of pending_dr6; c->rip is where it returns to */
void exc_debug_trap(struct cpu *c);
void cpu_dr7_changed(struct cpu *c);     /* CE_DRX, TLB */
/* Decoded-page cache (interp.c), called from cpu.c and mmu.c. */
void icache_init(struct cpu *c);
void icache_fini(struct cpu *c);
void icache_flush(struct cpu *c);

/* CPUID-gated features, one bit each in a u64 of the model; rows of opcodes.def name one (FT_NONE:
 * always). */
enum cpu_feature {
    FT_NONE, FT_FPU, FT_VME, FT_TSC, FT_MSR, FT_CX8, FT_APIC, FT_SEP, FT_CMOV, FT_CLFSH, FT_MMX,
    FT_FXSR, FT_SSE, FT_SSE2, FT_SSE3, FT_PCLMUL,
    FT_SSSE3, FT_CX16, FT_SSE41, FT_SSE42, FT_MOVBE, FT_POPCNT, FT_AES, FT_XSAVE, FT_AVX, FT_F16C,
    FT_RDRAND, FT_FSGSBASE, FT_BMI1, FT_AVX2,
    FT_BMI2, FT_ERMS, FT_INVPCID, FT_RDSEED, FT_ADX, FT_SHA, FT_SYSCALL, FT_NX, FT_PG1G, FT_RDTSCP,
    FT_LM, FT_LAHF64, FT_LZCNT, FT_PREFETCHW,
    FT_FMA, FT_SMEP, FT_SMAP, FT_UMIP, FT_PSE, FT_PAE, FT_PGE, FT_PAT, FT_PSE36, FT_DE, FT_MTRR,
    FT_MCE, FT_CLFLUSHOPT, FT_SPECCTRL, FT_ARCHCAP, FT_COUNT,
};
bool cpu_has(const struct cpu *c, enum cpu_feature f);

#endif
