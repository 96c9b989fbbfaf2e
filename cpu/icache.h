/* The cache of decoded code. A block is a straight run of instructions inside one 4 KiB page, up to
 * the first instruction that ends runs (a branch, a mode change ...). Blocks are found by the host
 * address of their first byte, which makes every alias of a physical page (A20, shadowed ROM,
 * several linear addresses) share them, and by the code size (16, 32, 64 bits).
 *
 * An instruction that crosses into the next page is a block of its own with a `tail`.
 *
 * A page that holds blocks has PAGE_CODE set; the bus reports writes to it, and the blocks over the
 * written bytes are dropped. Dropped memory comes back when the arena is full and everything is
 * flushed at once. A block that is being executed stays readable until then; CE_CODE makes the
 * interpreter leave it. */
#ifndef CPU_ICACHE_H
#define CPU_ICACHE_H

#include "cpu/decode.h"
#include "cpu/exec.h"

struct block {
    const u8 *host;        /* page, NULL once dropped */
    struct block *hash_next, *page_next;
    struct block *link[2]; /* blocks of the same page that followed last */
    struct block *tail;    /* the bytes in the next page, of an instruction that goes on there */
    u16 off, bytes;        /* first byte in the page, length in this page */
    u16 total;             /* length, bytes in the next page included */
    u16 count;
    u8 mode;
    u8 heat;   /* executions by the interpreter, up to the translator's threshold */
    struct jit_tb *translation[2]; /* for supervisor and user */
    bool near; /* ends in a way that keeps CS, mode and mapping: links may be followed */
    struct insn insn[];
};

struct jump_slot {
    u64 gla;
    struct block *block;
};
#define JUMP_SLOTS 16384

struct code_page;
struct icache {
    const struct insn *cur, *end; /* inside a block: the instruction being executed and the end of
                                     what the budget was charged for */
    struct jump_slot jump[JUMP_SLOTS];
    u8 *arena;
    size_t arena_used;
    bool at_break;            /* stopped before the instruction at a monitor breakpoint */
    bool full;                /* flush before the next block is made */
    struct block **hash;
    struct code_page **pages;
    struct decode_mode mode;
    u64 made, dropped, flushed, written; /* statistics */
};

/* The block at linear address gla, which page x holds, for the current mode; made if necessary. NULL:
 * nothing there fits into a block (the instruction is too long, a page is not memory), or the code
 * page behind x could not be fetched and the fault is recorded. */
struct block *icache_block(struct cpu *c, const struct xtlb_entry *x, u64 gla);

/* The block that starts at `off` of a page, if there is one. */
struct block *icache_peek(const struct cpu *c, const u8 *page, unsigned off);

/* A block whose instruction crosses into the next page: whether that page still is the one that was
 * decoded. Asked before every execution, because either page can be mapped anew on its own. */
bool icache_tail_ok(struct cpu *c, struct block *b, u64 gla);

/* Bytes of a page with blocks that translations were made from: writes to them are reported, too. */
struct range {
    u16 off, len;
};
void icache_cover(struct cpu *c, const u8 *host, const struct range *r, unsigned n);

/* Whether [hva, hva+n) lies in a page with code, in bytes of it that hold none (n <= 32): a store
 * there changes no code. False also when the page is not known here. Generated code has the same
 * (jit/thunks.c). */
static inline bool icache_gap(const struct cpu *c, const u8 *hva, unsigned n)
{
    uintptr_t page = (uintptr_t)hva >> 12;
    const struct code_gap *g = &c->code_gap[page % LEN(c->code_gap)];
    if ((uintptr_t)g->host != page << 12 || n > 32) return false;
    unsigned off = (uintptr_t)hva & 0xfff;
    return !(ld64((const u8 *)g->covered + (off >> 3)) >> (off & 7) & (BIT64(n) - 1));
}

/* The block at CS:RIP, or NULL: a single instruction must be executed with every check. */
struct block *icache_find(struct cpu *c);

/* Executes one block or more, until an event or the end of the budget; one instruction at least
 * (jit/lockstep.c). No event may wait. */
void interp_run(struct cpu *c);

#endif
