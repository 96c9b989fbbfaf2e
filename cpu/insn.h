/* A decoded instruction: fixed size, no pointers but the handler. decode.c makes it from bytes by opcodes.def; interp.c keeps it in
 * the decoded-page cache; handlers (exec_*.c), disasm.c and the tests read it. */
#ifndef CPU_INSN_H
#define CPU_INSN_H

#include "machine/core/types.h"

struct cpu;
struct insn;
typedef void op_fn(struct cpu *c, const struct insn *i);

enum { OSZ8, OSZ16, OSZ32, OSZ64 };  /* log2 of the operand size in bytes */
enum { ASZ16 = 1, ASZ32, ASZ64 };    /* log2 of the address size in bytes */
enum {
    INSN_MEM = 1,    /* ModRM names memory */
    INSN_LOCK = 2,
    INSN_REX = 4,    /* any REX prefix: SPL..DIL instead of AH..BH */
    INSN_REXW = 8,
    INSN_OPSIZE = 16, /* 66h present */
    INSN_ENDS = 32,  /* ends a run of decoded instructions (branch, mode change, may change mapping) */
    INSN_SEGOVR = 64,
    INSN_ADSIZE = 128,
};

struct insn {
    op_fn *fn;
    u64 imm;      /* immediate, sign-extended as the instruction wants it; branch displacement; moffs address */
    i32 disp;     /* displacement of the memory operand, sign-extended */
    u16 op;       /* row of opcodes.def */
    u16 imm2;     /* second immediate: ENTER level, far pointer's selector */
    u8 len;       /* bytes, 1..15 */
    u8 osz, asz;
    u8 flags;     /* INSN_* */
    u8 rep;       /* 0, F2h or F3h: last repeat prefix */
    u8 seg;       /* segment of the memory operand, defaults and overrides applied */
    u8 reg, rm;   /* ModRM fields with REX bits; rm is a register number when !INSN_MEM; opcode register in rm for +r forms */
    u8 base, index, scale; /* memory operand: register numbers (REG_ZERO none, REG_RIP), shift */
    u8 vvvv, vl;  /* VEX: extra source, vector length (0: 128, 1: 256) */
    u8 modrm;     /* raw byte: x87 and group decoding */
    u8 mapop;     /* opcode byte */
};

#endif
