/* The local APIC inside cpu/: apic.c keeps it, mmu.c and exec_sys.c reach it through these. */
#ifndef CPU_APIC_H
#define CPU_APIC_H

#include "cpu/state.h"

int apic_create(struct cpu *c, struct error *e);
void apic_destroy(struct cpu *c);
void apic_reset(struct cpu *c, bool init); /* init: INIT#, keeps the APIC id and APIC base */
u64 apic_mmio_read(struct cpu *c, u64 off, unsigned size);
void apic_mmio_write(struct cpu *c, u64 off, u64 v, unsigned size);
/* IA32_APIC_BASE; false: reserved bits. */
bool apic_set_base(struct cpu *c, u64 v);
u8 apic_tpr(const struct cpu *c);
void apic_set_tpr(struct cpu *c, u8 v); /* CR8 writes bits 7:4 */
void apic_lint0(struct cpu *c, bool level); /* the 8259's INTR wire */
void apic_nmi_pin(struct cpu *c);           /* LINT1 */
/* Highest deliverable vector (-1: none); ExtINT is not included. */
int apic_pending(const struct cpu *c);
bool apic_extint_open(const struct cpu *c); /* LINT0 passes the 8259 through */
int apic_ack(struct cpu *c);                /* moves the pending vector to ISR and returns it */
u32 apic_id(const struct cpu *c);

#endif
