/* `--engine lockstep`: every superblock runs twice on the same state, as host code and by the
 * interpreter, and the results are compared (lockstep.c). The rest of cpu/ tells it here what a
 * second run would repeat wrongly: writes to memory, so that they can be undone, and input and output,
 * which must happen once. In every other engine c->lockstep is NULL and these cost one compare on
 * paths that are slow anyway. */
#ifndef CPU_JIT_LOCKSTEP_H
#define CPU_JIT_LOCKSTEP_H

#include "cpu/state.h"

struct lockstep;
struct jit_tb;

/* run: instructions per comparison; 0: one superblock. */
void lockstep_create(struct cpu *c, unsigned run);
void lockstep_destroy(struct cpu *c);
/* Runs tb, or from tb on, twice. False: nothing happened, the interpreter goes on. A difference
 * ends the program with a report on stderr. */
bool lockstep_run(struct cpu *c, struct jit_tb *tb);
/* A translation must be entered as it is (first run), must not (second run). */
bool lockstep_first(const struct cpu *c);
bool lockstep_second(const struct cpu *c);
void lockstep_info(const struct cpu *c, struct text *t);

void lockstep_tag(struct cpu *c, struct tlb_entry *e);
void lockstep_page(struct cpu *c, u8 *host, bool walk);
void lockstep_leave(struct cpu *c);
void lockstep_disturbed(struct cpu *c);

/* e->tag_w now lets stores through without asking. */
static inline void lockstep_granted(struct cpu *c, struct tlb_entry *e)
{
    if (unlikely(c->lockstep != NULL)) lockstep_tag(c, e);
}
/* Devices may have written to memory: a slice begins. */
static inline void lockstep_slice(struct cpu *c)
{
    if (unlikely(c->lockstep != NULL)) lockstep_disturbed(c);
}
/* RAM at host is about to be written without such a tag; walk: accessed and dirty bits. */
static inline void lockstep_write(struct cpu *c, u8 *host, bool walk)
{
    if (unlikely(c->lockstep != NULL)) lockstep_page(c, host, walk);
}
/* What comes next cannot be taken back or would not give the same again: I/O, time, chance. Does not
 * return while a superblock runs for the first time. */
static inline void lockstep_once(struct cpu *c)
{
    if (unlikely(c->lockstep != NULL)) lockstep_leave(c);
}

#endif
