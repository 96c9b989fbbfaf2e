/* The translator's working state and the parts that its files share. Private to cpu/jit/. */
#ifndef CPU_JIT_TRANSLATE_H
#define CPU_JIT_TRANSLATE_H

#include "cpu/jit/priv.h"

enum stub_kind {
    STUB_MEMORY,
    STUB_GROUP,
    STUB_EXIT,
    STUB_BEFORE,
    STUB_AGAIN,
    STUB_MISS,
    STUB_X87,
    STUB_HANDLER,
    STUB_STRING
};
struct stub {
    u8 kind, size, access; /* STUB_MEMORY: operand size in bytes, enum site_kind */
    bool host, mem, of_bad; /* where the flags are when the stub is entered */
    bool host_after;        /* EFLAGS has them where STUB_MEMORY goes on */
    bool commit_only;      /* a branch: events are for its target to see */
    bool second;           /* the push of an indirect call, of PUSH m */
    i8 recipe;
    u16 k;
    u16 x_loaded, x_dirty;
    bool aligned;
    bool checked; /* STUB_MISS: the address is canonical */
    i32 pop;      /* and what RSP is moved by */
    u64 target;        /* STUB_EXIT: relative to the page; STUB_AGAIN: what is to be given back */
    u32 field, resume; /* the jump to the stub; where STUB_MEMORY goes on */
    u32 check;         /* a check that guesses; 0: it does not */
    i32 guess;         /* offset of its struct jit_guess */
    u32 body; /* where a store goes on with its host address in RAX; 0: every check is the MMU's */
};

enum { TR_STUBS = 5 * JIT_MAX_OPS + 2 };

struct tr {
    struct cpu *c;
    struct jit *j;
    struct as *a;
    struct jit_tb *tb;
    struct jop *ops, *op;
    unsigned n, k;
    bool wide;             /* 64-bit guest code */
    bool host, mem;        /* the flags are in EFLAGS, in c->jit_flags */
    int recipe;            /* the flags can be made again by this instruction; -1: no */
    bool of_bad;           /* OF in EFLAGS is not the guest's (then mem is set) */
    u16 x_loaded, x_dirty; /* XMM registers that are in host registers; and differ from memory */
    u32 warm;              /* where a loop goes on with its registers loaded; 0: at the head */
    u32 head_sse, head_sse_back;
    u8 addr;     /* register with the host address of the memory operand ... */
    i32 disp;    /* ... from here on */
    i32 bias;   /* the address in RAX is this much lower */
    bool alone; /* the leader of a group makes its access only */
    bool second; /* the second access of an instruction is being written: its push */
    struct stub *stubs; /* room for TR_STUBS */
    unsigned stub_count;
    u32 head_budget, head_events; /* jumps out of the head */
};

/* flags (flags.c) */
void tr_save_flags(struct tr *t);                     /* EFLAGS to memory; changes RAX */
void tr_restore_flags(struct tr *t);                  /* and back; changes RAX */
bool tr_host_has(const struct tr *t, unsigned flags); /* EFLAGS has the guest's */
void tr_flags_to_mem(struct tr *t);                   /* wherever they are; changes RAX */
void tr_flags_before(struct tr *t); /* around every instruction: what it does to the recipe */
void tr_flags_after(struct tr *t);
/* The next code destroys EFLAGS; `live`: what is needed later. */
void tr_clobber(struct tr *t, unsigned live);

/* memory: the host address of the operand in t->addr, after every check */
/* Returns its stub, whose `resume` the caller sets behind the access; NULL: none is needed. */
struct stub *tr_memory(struct tr *t, unsigned size, unsigned access);
void tr_address(struct tr *t); /* linear address of the ModRM operand in RAX */
void tr_check(struct tr *t, unsigned size, unsigned access); /* of the linear address in RAX */

/* Parts of the check: slot of the address in RAX and compare of its tag with the page of the last of
 * `span` bytes; the host's address. */
void tr_tlb(struct tr *t, unsigned span, unsigned access);
bool tr_guesses(const struct jop *op, unsigned size, unsigned access);
void tr_tlb_guess(struct tr *t, struct stub *s); /* the same with the entry of the last time */
void tr_guess_stub(struct tr *t, const struct stub *s);
void tr_make_plain(struct jit *j); /* a thunk */
void tr_tlb_add(struct tr *t);
void tr_group_lead(struct tr *t); /* group.c: the address of the range is in RAX */
void tr_group_member(struct tr *t);
void tr_op(struct tr *t); /* one instruction */

/* registers */
/* Instead of a guest register in an instruction's operands while it is written: a host register. */
#define TR_HOST(host) (32 + (host))
static inline unsigned tr_pinned(const struct tr *t, unsigned guest)
{
    return guest >= TR_HOST(0) ? guest - TR_HOST(0) : jit_pinned[t->wide][guest];
}
static inline i32 tr_reg_field(unsigned guest)
{
    return jit_field(offsetof(struct cpu, r)) + (i32)guest * 8;
}
static inline struct rm tr_greg(const struct tr *t, unsigned guest)
{
    unsigned h = tr_pinned(t, guest);
    return h != H_NONE ? rm_reg(h) : rm_at(H_BP, tr_reg_field(guest));
}
/* The memory operand, after tr_memory() */
static inline struct rm tr_at(const struct tr *t)
{
    return rm_at(t->addr, t->disp);
}
/* The guest register in some host register: its own, or tmp. */
unsigned tr_src(struct tr *t, unsigned guest, unsigned tmp);
/* Writes host register `from` to a guest register as an instruction of size osz does. */
void tr_put(struct tr *t, unsigned guest, unsigned osz, unsigned from);

/* XMM registers (sse.c) */
void tr_x_load(struct tr *t, u16 set);
void tr_x_reload(struct tr *t); /* after C code ran */
void tr_x_store(struct tr *t);  /* what memory does not have */
void tr_x_loop(struct tr *t);
void tr_sse_body(struct tr *t);
/* Looks at events; returns the field of the jump away, which is the caller's to aim. */
u32 tr_events(struct tr *t);

/* x87 (x87.c) */
void tr_x87_check(struct tr *t);   /* the state is in the host's unit from here on, or leaves */
void tr_x87_prepare(struct tr *t); /* the same before an instruction, where it wants it */
void tr_x87_stub(struct tr *t, const struct stub *s);
void tr_x87_pointer(struct tr *t); /* notes the operand's linear address, in RAX */
void tr_x87_gap(struct tr *t, u32 body); /* the same, in c->jit_temp, and goes on when ZF is set */
void tr_x87_body(struct tr *t);
void tr_x87_handler(struct tr *t); /* STUB_HANDLER: the handler instead, and out */
void tr_mmx_body(struct tr *t); /* mmx.c */
void tr_x87_left(struct tr *t); /* behind it, where generated code may be left */

/* Flags that the instruction reads, or that must be the old ones behind it. */
unsigned tr_needed_flags(const struct jop *op);
/* An instruction with op->own: looks after the flags, too; its operand's address is in RAX. */
void tr_own(struct tr *t);
/* The ModRM operand: the guest register, or memory at t->addr. */
struct rm tr_operand(struct tr *t);
/* op->bit_string: RAX moves to the word that the register's bit is in; changes RCX. */
void tr_bit_offset(struct tr *t);
void tr_push(struct tr *t, unsigned from); /* to t->addr; RSP moves */
/* A short forward jump, aimed by tr_land(). */
u8 *tr_jump(struct tr *t, unsigned opcode);
void tr_land(struct tr *t, u8 *jump);
/* bits.c */
void tr_scan(struct tr *t);
void tr_bit_string(struct tr *t);
void tr_vex(struct tr *t); /* BMI1, BMI2 */
/* Behind an instruction with op->push: pushes what its first access left in c->jit_temp. */
void tr_push_part(struct tr *t);
/* The instruction itself, its operand in memory at t->addr if it has one (native.c). */
void tr_body(struct tr *t);
/* The same with the flags where it wants them; for the code and again for the stub of its access.
 */
void tr_execute(struct tr *t);
/* A stub with the flags and registers as they are now; the jump to it is the caller's. */
struct stub *tr_stub(struct tr *t, unsigned kind);
void tr_branch(struct tr *t); /* branch.c */
void tr_system(struct tr *t); /* system.c */
/* string.c */
bool tr_string_plain(struct tr *t); /* one element, inline; false: not this instruction */
void tr_string(struct tr *t, struct site *s); /* the call; flags are in memory */
void tr_string_stub(struct tr *t, const struct stub *s);
struct site *tr_handler_site(struct tr *t); /* with the instruction */
void tr_stubs(struct tr *t);
/* Goes on at `target`, relative to the page, by a link or by the table; `left` instructions were
 * charged and are not executed. Flags are put into memory. */
void tr_exit(struct tr *t, u64 target, unsigned left);
struct site *tr_site(struct tr *t, unsigned kind, unsigned size);

#endif
