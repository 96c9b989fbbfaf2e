/* What the translator's files share: superblocks, sites, code memory. Private to cpu/jit/. */
#ifndef CPU_JIT_PRIV_H
#define CPU_JIT_PRIV_H

#include <stdio.h> /* FILE */

#include "cpu/jit/asm.h"
#include "cpu/jit/jit.h"

enum {
    JIT_CODE = 32 * MIB,
    JIT_MAX_OPS = 64,
    JIT_HASH = 16384,
    JIT_HOT = 40,
    JIT_GAP_MAX = 32, /* bytes of a store that the short way into code pages takes */
    JIT_BIAS = 0x80, /* RBP = struct cpu + this */
};

/* The six arithmetic flags in one byte, for liveness */
enum { F_C = 1, F_P = 2, F_A = 4, F_Z = 8, F_S = 16, F_O = 32, F_ALL = 63 };

/* c->jit_flags: byte 0 is OF (0 or 1), byte 1 what LAHF gives. */

enum jit_kind {            /* how an instruction is translated */
                K_NATIVE,  /* natively, goes on behind itself */
                K_HANDLER, /* by calling the interpreter's handler */
                K_BRANCH,  /* jumps: ends the superblock, or is followed */
                K_SYSTEM,  /* a handler that may change mode and mapping; ends the superblock */
                K_STOP,    /* not translated: the superblock ends before it */
};

enum { HIGH_REG = 1, HIGH_RM = 2, HIGH_REG_WRITTEN = 4, HIGH_RM_WRITTEN = 8 };

enum {                 /* jop.x87 */
       X87_UNIT = 1,   /* executed by the host's x87 unit */
       X87_CHECK = 2,  /* asks whether the state is there */
       X87_POINTERS = 4, /* changes the instruction pointer, by a note: */
       X87_NOTE = 8,
       X87_PAGE = 16,
       X87_SEG = 32,
       X87_AX = 64, /* writes AX */
       X87_ENV = 128, /* FNSTENV, FLDENV */
};

struct jit_recipe { /* flags.c: an instruction that can be repeated for its flags */
    u8 kind, dst, src;
    u16 regs; /* that must keep their values */
};

struct jop {
    struct insn i;
    u16 off;     /* in the page */
    u8 kind;     /* jit_kind */
    u8 def, use; /* flags */
    u8 keep;  /* flags that keep their value under some condition or always, of those it touches */
    u8 map;      /* of its row of opcodes.def, enum op_map */
    u16 row_flags, writes; /* OF_*; the general registers that it may write (jit_writes) */
    bool mem; /* accesses memory by generated code */
    bool once; /* an access that misses is the interpreter's, which may have to do it all */
    bool exits;  /* may leave the superblock: faults, events */
    bool follow; /* a jump inside the page whose target comes next */
    bool taken;  /* a conditional branch whose target comes next */
    bool loop;   /* a branch to the first instruction */
    u8 live_in, live_out;
    /* group.c */
    u8 group, slot; /* enum jit_group; where the host's address of the group is kept */
    bool group_write;
    i16 at; /* place in the group's range, and the range's length */
    u16 span;
    u8 size, access;     /* of the memory operand: bytes, enum site_kind */
    bool own;            /* looks after the flags itself (tr_own) */
    bool push;           /* has a second access, a push (tr_push_part) */
    bool bit_string;     /* the bit number moves the address (tr_bit_offset) */
    u8 high;             /* HIGH_*: operands among AH to BH */
    /* sse.c */
    bool sse, aligned, rm_general, reg_general, imm8;
    u16 x_read, x_write; /* XMM registers */
    u8 x87;              /* x87.c; 0: no use of the x87 unit */
    struct jit_recipe recipe; /* once it is written */
};

enum jit_group { GROUP_NONE, GROUP_LEADER, GROUP_MEMBER };
enum { JIT_SLOTS = LEN(((struct cpu *)0)->jit_slot) };

enum site_kind { SITE_READ, SITE_WRITE, SITE_RMW, SITE_HANDLER };
struct site {          /* a place in generated code that may call C */
    struct insn *insn; /* SITE_HANDLER: a copy that lives as long as the translation */
    u16 off, next;     /* of the instruction and the next one, in the page */
    u16 left;          /* instructions charged and not executed, this one included */
    u8 kind, size, seg;
    bool quiet;   /* a branch: events wait for its target */
    bool aligned; /* 16 bytes, or #GP */
    bool flags;   /* the handler reads or writes arithmetic flags */
    bool x87;     /* SITE_HANDLER: wants the x87 state in struct cpu; others: an x87 operand */
};

/* An exit to a known place in the same page. A side exit gives back what was charged for the
 * instructions behind it; while it is linked, it charges its target in the same addition. */
struct jit_link {
    struct jit_tb *from, *to; /* to: NULL while unlinked */
    struct jit_link *next_to; /* of to->links_in */
    u32 field, unlinked;      /* the jump's displacement; where it goes while unlinked */
    u32 charge;               /* the immediate of the addition; 0: there is none */
    u16 off, left;            /* left: instructions that were charged and are not executed */
    bool events;              /* the target looks at events: a jump back, a call */
};

struct jit_tb {
    const u8 *host; /* page; NULL once dropped */
    struct jit_tb *page_next;
    struct block *block;
    /* Entries: from the table, inside the page, behind the look at events, charged already: */
    u32 far, head, quiet, charged;
    u16 off, count; /* count: instructions */
    u8 mode, user;
    bool sse; /* uses XMM registers: c->jit_refuse */
    bool x87; /* wants the x87 state in the host's unit from its head on */
    u8 range_count;
    struct range range[8];
    u16 link_count;
    struct jit_link *links, *links_in;
};

struct jit_page {
    struct jit_page *next;
    const u8 *host;
    struct jit_tb *tbs;
    u64 starts[0x1000 / 64]; /* bit per byte: a translation began there, and may still do so */
};

struct jit {
    unsigned hot, max_ops, cache_kib; /* options */
    bool no_links, no_table, perf_on;
    bool single;                /* back to the caller after each superblock */
    bool flush_tlb, flush_code; /* whenever generated code was left */
    FILE *perf; /* perfmap.c: what names translations for perf; NULL without perf=on */
    u8 *rw, *rx;
    struct as as; /* base = rw */
    /* thunks, for 32-bit and 64-bit guest code */
    u32 gap[2]; /* for supervisor and user code */
    u32 plain;  /* an access stops guessing */
    unsigned guesses;
    u32 enter[2], leave[2], leave_link[2], handler[2], slow[2], after[2], system[2],
        x87[2], x87_pointers, string[2], string_short[2];
    u8 *arena; /* sites, links, translations */
    size_t arena_used, arena_size;
    bool full, pending_reset;
    struct jit_page *pages[JIT_HASH];
    u64 made, dropped, flushes, links_made, exits, entries, slow_reads, slow_writes, handlers, systems,
        insns, bytes, translate_ns;
    union {
        u8 b[64];
        u64 q[8];
    } __attribute__((aligned(64))) buffer; /* operand of a slow access */
    u8 x87_image[512] __attribute__((aligned(16))); /* in FXSAVE's form */
    u64 slow_gla;
    bool slow_direct; /* the slow access has become one of memory itself */
    struct jit_link miss; /* c->jit_exit when an address was not in the table */
    u16 generation[2], last_generation[2]; /* [user]: the present number, and the highest so far */
    u64 epoch[2];         /* numbers from before it was advanced mean nothing any more */
    u16 shared;           /* the supervisor's number under which only global pages are known; 0: none */
    bool super_nonglobal; /* the table knows supervisor code in pages that are not global */
    bool user_global;     /* ... and user code in pages that are */
    u64 user_pages[128], super_pages[2048]; /* hashes of the linear pages in the table */
    struct insn place[1]; /* for icache.cur while C runs on behalf of generated code */
};

extern const u8 jit_pinned[2][16]; /* [64-bit][guest register]: host register or H_NONE */

static inline i32 jit_field(size_t offset) /* of struct cpu, from RBP */
{
    return (i32)offset - JIT_BIAS;
}
#define CPU_AT(member) rm_at(H_BP, jit_field(offsetof(struct cpu, member)))

/* The table of linear addresses. An entry's key is the address with its low 15 bits, which its slot
 * says, mixed with c->jit_key; JIT_NO_KEY is in no key. */
enum { JIT_NO_KEY = 0x7fff };
_Static_assert(LEN(((struct cpu *)0)->jit_table) == JIT_NO_KEY + 1, "keys have 15 bits");
static inline struct jit_entry *jit_entry_of(struct cpu *c, u64 gla)
{
    return &c->jit_table[gla % LEN(c->jit_table)];
}

void jit_make_thunks(struct jit *j);
void jit_x87_thunks(struct jit *j); /* x87.c */
/* options.c: what stands behind the engine's name; false with a reason. */
bool jit_options(struct cpu *c, const char *engine, struct error *e);
void *jit_alloc(struct jit *j, size_t size);
/* block.c: collects a superblock from the page. Returns the number of instructions; 0: none. */
unsigned jit_collect(struct cpu *c, const u8 *page, unsigned off, unsigned mode, struct jop *ops,
                     struct range *ranges, u8 *range_count);
void jit_liveness(struct jop *ops, unsigned n);
/* At most so many exits have links. */
unsigned jit_exits(const struct jop *ops, unsigned n);
/* group.c: finds the accesses that need one check together */
void jit_group(struct jop *ops, unsigned n, bool wide);
/* flags.c: registers that the instruction may write */
u16 jit_writes(const struct jop *op);
/* flags.c: a shift whose source is kept in c->jit_source, so that it can be repeated for its flags */
bool jit_keeps_source(const struct jop *op);
/* translate.c: writes the code; false: no room. */
bool jit_emit(struct cpu *c, struct jit_tb *tb, struct jop *ops, unsigned n);
/* classify.c */
void jit_classify(struct jop *op, unsigned mode);
bool jit_classify_sse(struct jop *op, unsigned mode); /* sse.c */
bool jit_classify_x87(struct jop *op, unsigned mode); /* x87.c */
bool jit_classify_mmx(struct jop *op, unsigned mode); /* mmx.c */
bool jit_x87_unloads(const struct jop *op);           /* a handler that wants it in struct cpu */
/* Before jit_liveness(): where the state is asked for and what is noted. True: from the head on. */
bool jit_x87_plan(struct jop *ops, unsigned n);
bool jit_x87_refused(const struct cpu *c); /* x87 instructions are the interpreter's */
void jit_x87_unload(struct cpu *c);        /* from the host's unit, which is the host's again */
unsigned jit_shift_count(const struct insn *i); /* of an immediate, as the processor takes it */

/* perfmap.c: with perf=on */
bool jit_perf_open(struct jit *j, struct error *e);
void jit_perf_close(struct jit *j);
/* Names code memory [start, start+size), which translates guest code at gla. */
void jit_perf_add(struct jit *j, u32 start, u32 size, u64 gla, bool user);

enum jit_kind jit_classify_system(const struct insn *i); /* system.c; of OF_ENDS instructions */

/* jit.c: between struct cpu and what generated code keeps of it */
void jit_enter_c(struct cpu *c, const struct site *s); /* RIP and the instruction count */
u16 jit_flags_in(const struct cpu *c);
void jit_flags_out(struct cpu *c);
void jit_set_key(struct cpu *c);
/* What generated code relies on beside mode and privilege. */
bool jit_possible(const struct cpu *c);
bool jit_sse_refused(const struct cpu *c);

/* Called by generated code */
u64 jit_system_call(struct cpu *c, const struct site *s);
u64 jit_handler_call(struct cpu *c, const struct site *s);
u64 jit_string_call(struct cpu *c, const struct site *s); /* string.c */
void *jit_slow_access(struct cpu *c, const struct site *s, u64 gla);
u64 jit_slow_after(struct cpu *c, const struct site *s);
u64 jit_x87_load(struct cpu *c, const struct site *s); /* not 0: refused, rip is the site's */

#endif
