/* Random instructions and short sequences from the rows of opcodes.def, with the state they start
 * from. A case is a function of (mode, seed, index) alone; index modulo the number of usable rows
 * names the row the sequence starts with, so every row comes up. */
#ifndef TESTS_ORACLE_GEN_H
#define TESTS_ORACLE_GEN_H

#include "cpu/decode.h"
#include "tests/unit/ovec.h"

enum { GEN_CODE_MAX = 220, GEN_INSNS = 8, GEN_PATCHES = 16, GEN_ROWS_MAX = 2048 };

struct gen_patch {
    u32 addr;
    u8 len, data[16];
};

struct gen_case {
    unsigned mode; /* OV_M64 ... */
    ov_state in;
    u8 code[GEN_CODE_MAX];
    unsigned len, off, insns;
    u32 undef_end, undef_any; /* flags not defined after the last instruction; at any point */
    /* Row of every instruction, and where in code it starts (behind the MOVs that load its
     * registers) and ends. */
    u16 row[GEN_INSNS], start[GEN_INSNS], end[GEN_INSNS];
    /* Of the last instruction: 1, 2 as in ovec.h, 3 any NaN, 4 C1 is undefined, 5 EDX:EAX is the
     * host's own, 6 bits 19:16 of a register are undefined (LAR). */
    u8 tolerance;
    unsigned patches;
    struct gen_patch patch[GEN_PATCHES]; /* memory contents to set first */
    bool has_image;
    u64 image; /* where an image of the floating-point state is saved or read */
    unsigned ignores;
    struct {
        u64 addr;
        unsigned len;
    } ignore[4]; /* memory not to compare */
    char names[128];
    u64 rng;
};

struct gen_rows {
    unsigned count;
    u16 row[GEN_ROWS_MAX];
};

/* The rows that can run in this mode on this host; features: decode_mode's mask. */
void gen_rows(struct gen_rows *r, unsigned mode, u64 features);

void gen_make(struct gen_case *g, const struct gen_rows *r, unsigned mode, u64 seed, u64 index);

#endif
