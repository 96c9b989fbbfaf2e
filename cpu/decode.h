/* Bytes to struct insn by the opcode table. Pure functions: no CPU state but the mode and the
 * feature set, so the disassembler, the tests and the interpreter share them. */
#ifndef CPU_DECODE_H
#define CPU_DECODE_H

#include "cpu/insn.h"
#include "cpu/ops.h"

#define INSN_MAX_LEN 15
#define OP_UD_ROW 0xffff /* insn.op of an undefined encoding */

struct decode_mode {
    u8 bits;      /* enum cpu_bits */
    u64 features; /* bit n: enum cpu_feature n; bit FT_NONE is always taken as set */
};

enum decode_result {
    DECODE_OK,       /* insn is complete (an undefined encoding is OK with fn = op_ud) */
    DECODE_MORE,     /* ran out of bytes before the instruction was complete */
    DECODE_TOO_LONG, /* more than 15 bytes: #GP(0) */
};

/* Decodes the instruction in code[0..len). */
enum decode_result decode_insn(const struct decode_mode *m, const u8 *code, unsigned len,
                               struct insn *i);

#endif
