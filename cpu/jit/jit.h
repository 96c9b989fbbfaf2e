/* The translator: hot blocks of guest code become host code. interp.c asks jit_block() for a
 * translation and enters it with jit_run(); everything that generated code cannot do goes back to
 * the interpreter, one block at a time, so coverage is total from the first day.
 *
 * A translation is a superblock: a run of decoded instructions inside one physical page that
 * follows direct jumps, with side exits at conditional branches. It belongs to the page's bytes,
 * the code size and the privilege level; it does not know its linear address: c->jit_page holds
 * the linear address of the page being executed. Exits to the same page are linked directly;
 * everything else goes through a table keyed by linear address and generation (c->jit_key).
 *
 * While generated code runs, guest registers live in host registers (jit_pinned), RBP points into
 * struct cpu, flags are in EFLAGS or in c->jit_flags, RAX, RCX and RDX are free. Every exit leaves
 * struct cpu as the interpreter would.
 *
 * Code memory is shared memory mapped twice, once writable and once executable. When it is full,
 * everything is dropped. Document: the design of the translator, sections 2 and 3. */
#ifndef CPU_JIT_JIT_H
#define CPU_JIT_JIT_H

#include "cpu/icache.h"

struct jit;
struct jit_tb;

/* Makes c->jit. `engine` is "jit" or "lockstep" (lockstep.h) with options behind it: ",hot=N" translates
 * what ran N times (0: at once), ",ops=N" instructions in a superblock at most, ",links=off",
 * ",table=off", ",cache=KIB", ",flush=tlb" and ",flush=code" (the TLB, all code is dropped whenever
 * generated code was left), ",perf=on" (perfmap.c); of lockstep ",run=N": instructions between two
 * comparisons instead of one superblock. False with a reason: an unknown option, or this host cannot run
 * generated code. */
bool jit_create(struct cpu *c, const char *engine, struct error *e);
void jit_destroy(struct cpu *c);
/* A translation for block b at the current CS:RIP, made when b is hot; NULL: interpret. */
struct jit_tb *jit_block(struct cpu *c, struct block *b);
/* Runs from tb on until something needs the interpreter: an event, the end of the budget, or code
 * without a translation. c->rip is then the next instruction. */
void jit_run(struct cpu *c, struct jit_tb *tb);
/* Bytes [off, off+len) of the page at host were written: its translations over them are dropped.
 * [*lo, *hi) grows to hold all bytes that they covered. */
void jit_drop_range(struct cpu *c, const u8 *host, unsigned off, unsigned len, unsigned *lo,
                    unsigned *hi);
/* Tells `mark` every range of bytes that translations cover and that [off, end) of the page touches. */
void jit_each_range(struct cpu *c, const u8 *host, unsigned off, unsigned end,
                    void (*mark)(void *opaque, unsigned off, unsigned len), void *opaque);
void jit_flush(struct cpu *c);
void jit_info(struct cpu *c, struct text *t);
/* The mapping of linear addresses to code changed: `all`, or that of pages that are not global; one
 * page. */
void jit_forget_addresses(struct cpu *c, bool all);
void jit_forget_page(struct cpu *c, u64 gla);
/* CR3 is loaded with another address space. What is known about addresses is put aside, and either what was
 * put aside for the other space comes back, as far as *a says that it is known, or nothing is known:
 * every page of code that the other space has executed must be mapped as it was. Its pages are told by
 * jit_know_page(): INVLPG of others forgets nothing. */
void jit_keep_addresses(struct cpu *c, struct jit_addresses *a);
void jit_resume_addresses(struct cpu *c, const struct jit_addresses *a);
void jit_know_page(struct cpu *c, unsigned user, u64 gla);

#endif
