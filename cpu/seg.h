/* Descriptors and privilege-changing stacks, shared by seg.c (far transfers), exc.c (gates, IRET)
 * and task.c. */
#ifndef CPU_SEG_H
#define CPU_SEG_H

#include "cpu/exec.h"

/* A descriptor as read from a table. System descriptors of long mode have a second half
 * (base_high). */
struct desc {
    u64 at; /* linear address in the table */
    u32 lo, hi;
    u16 attr; /* as in struct seg */
    u32 base_high;
};

enum { /* type 3:0 of system descriptors */
       DT_TSS16 = 1,
       DT_LDT = 2,
       DT_TSS16_BUSY = 3,
       DT_CALL16 = 4,
       DT_TASK = 5,
       DT_INT16 = 6,
       DT_TRAP16 = 7,
       DT_TSS32 = 9,
       DT_TSS32_BUSY = 11,
       DT_CALL32 = 12,
       DT_INT32 = 14,
       DT_TRAP32 = 15
};

static inline bool is_protected(const struct cpu *c)
{
    return (c->cr0 & CR0_PE) && !(c->rflags & FL_VM);
}
static inline bool desc_is_code(const struct desc *d)
{
    return (d->attr & (ATTR_S | 8)) == (ATTR_S | 8);
}
static inline bool desc_is_conforming(const struct desc *d)
{
    return desc_is_code(d) && (d->attr & 4);
}
static inline bool desc_is_writable_data(const struct desc *d)
{
    return (d->attr & (ATTR_S | 8 | 2)) == (ATTR_S | 2);
}
static inline bool desc_is_readable(const struct desc *d)
{
    return (d->attr & ATTR_S) && !((d->attr & 8) && !(d->attr & 2));
}
static inline unsigned desc_type(const struct desc *d)
{
    return d->attr & ATTR_TYPE;
}
static inline unsigned desc_dpl(const struct desc *d)
{
    return ATTR_DPL(d->attr);
}
u32 desc_limit(const struct desc *d);
void desc_to_seg(const struct desc *d, u16 sel, struct seg *s);

/* Raises `vector` with the selector as error code; returns false. */
bool raise_sel(struct cpu *c, unsigned vector, u16 sel);
/* Reads the descriptor of a non-null selector; outside its table: `vector`(sel). */
bool desc_read(struct cpu *c, u16 sel, struct desc *d, unsigned vector);
/* Reads the upper half of a 16-byte system descriptor (long mode); outside the table or type bits
 * set: vector(sel). */
bool desc_read_high(struct cpu *c, u16 sel, struct desc *d, unsigned vector);
bool desc_set_accessed(struct cpu *c, struct desc *d); /* writes only when the bit changes */
/* CS target of a gate or far transfer: offset canonical or inside the limit, L and D not both set
 * in long mode. */
bool code_offset_ok(struct cpu *c, const struct desc *d, u64 off);
/* Commits CS and CPL and RIP. The accessed bit has been set. */
void code_load(struct cpu *c, u16 sel, const struct desc *d, unsigned cpl, u64 rip);
void seg_load_null(struct cpu *c, unsigned seg, u16 sel);
/* After a return to an outer level: data segments that the new CPL may not use become null. */
void seg_drop_inner(struct cpu *c);
void seg_update_flat(struct cpu *c);
/* SS for a return to level rpl; is64: target code is 64-bit (null allowed below level 3). Errors as
 * RETF/IRET. */
bool stack_desc_for_return(struct cpu *c, u16 sel, unsigned rpl, bool is64, struct seg *ss);

/* A stack that is being built before it becomes SS:RSP. */
struct new_stack {
    struct seg ss;
    u64 sp, mask;
    u16 err_sel; /* #SS error code when a push leaves the segment */
    bool user, flat;
};
void stack_current(struct cpu *c, struct new_stack *st);
/* Inner stack of level dpl from the TSS (or IST ist != 0 in long mode). */
bool stack_from_tss(struct cpu *c, unsigned dpl, unsigned ist, struct new_stack *st);
bool stack_push(struct cpu *c, struct new_stack *st, unsigned size, u64 v);
void stack_commit(struct cpu *c, const struct new_stack *st);
/* Reads at SS:(RSP+delta) of the current stack. */
bool stack_peek(struct cpu *c, u64 delta, unsigned size, u64 *v);
/* RSP under the width of a stack segment. */
void stack_set_sp(struct cpu *c, u64 sp, u64 mask);

#endif
