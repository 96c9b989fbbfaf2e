/* The cache of decoded code. A block is a straight run of instructions inside one 4 KiB page, up to
 * the first instruction that ends runs (a branch, a mode change ...). Blocks are found by the host
 * address of their first byte, which makes every alias of a physical page (A20, shadowed ROM,
 * several linear addresses) share them, and by the code size (16, 32, 64 bits).
 *
 * An instruction that crosses into the next page is a block of its own with a partner, which stands
 * for its bytes there; one never outlives the other.
 *
 * A page that holds blocks has PAGE_CODE set; the bus reports writes to it, and the blocks over the
 * written bytes are dropped. Stores to its other bytes are reported to nobody (icache_gap). The page
 * stays watched when its last block goes, until the MMU looks it up again for writing.
 *
 * The memory of a dropped block is the next block's. Until that is made, which is never in the
 * middle of an instruction, a block that is being executed stays readable; CE_CODE makes the
 * interpreter leave it. Pointers to blocks may be stale: they are followed only to a block of the
 * expected page and place. When the arena is full, the pages that have been known longest go. */
#ifndef CPU_ICACHE_H
#define CPU_ICACHE_H

#include "cpu/decode.h"
#include "cpu/exec.h"

struct block {
    const u8 *host;        /* page, NULL once dropped */
    struct block *hash_next, *page_next;
    struct block *link[2]; /* blocks of the same page that followed last */
    struct block *partner; /* of the two blocks of an instruction that crosses into the next page */
    union {
        struct {
            u16 off; /* first byte in the page */
            u8 mode;
            bool crosses; /* the first of two partners */
        };
        u32 place; /* all of it, for one compare */
    };
    u16 bytes, total; /* length in this page; bytes in the next page included */
    u8 count;         /* instructions */
    u8 room;          /* size class of its memory */
    u8 heat;   /* executions by the interpreter, up to the translator's threshold */
    bool near; /* ends in a way that keeps CS, mode and mapping: links may be followed */
    struct jit_tb *translation[2]; /* for supervisor and user */
    struct insn insn[];
};

struct jump_slot {
    u64 gla;
    struct block *block;
};
#define JUMP_SLOTS 16384

enum { ICACHE_CLASSES = 16 }; /* sizes of blocks */

struct code_page;
struct icache {
    const struct insn *cur, *end; /* inside a block: the instruction being executed and the end of
                                     what the budget was charged for */
    struct jump_slot jump[JUMP_SLOTS];
    u8 *arena;
    size_t arena_used, free_bytes;
    struct block *free_blocks[ICACHE_CLASSES];
    struct code_page *free_pages, *oldest, *youngest;
    bool at_break;            /* stopped before the instruction at a monitor breakpoint */
    bool full;                /* flush before the next block is made */
    struct block **hash;
    struct code_page **pages;
    struct decode_mode mode;
    u64 made, dropped, flushed, evictions, written; /* statistics */
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

/* Whether code of the page is known; asked before writes to a page with PAGE_CODE are made slow. */
bool icache_watches(struct cpu *c, const u8 *host);

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
