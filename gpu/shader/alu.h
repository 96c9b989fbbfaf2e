/* The interpreter's arithmetic: operands, results, one instruction on 64 lanes. Only run.c and the
 * tests include it. */
#ifndef GPU_SHADER_ALU_H
#define GPU_SHADER_ALU_H

#include "gpu/shader/run.h"

struct alu {
    const struct ir_program *p;
    const struct ir_env *env;
    struct ir_state *s;
    u32 lanes;               /* those that are worked on: 8 to LANES, a multiple of 8 */
    u64 all;                 /* those that the run began with; the others of `lanes` mean nothing */
    struct lanes addr, pred; /* a0 as integers, p0 as masks */
    i32 al;
};

/* The arithmetic comes compiled for SSE2 and for AVX2 (alu.c, alu_avx2.c), equal in every bit. */
struct alu_ops {
    void (*execute)(struct alu *a, const struct ir_insn *i, u64 exec);
    /* Lanes for which IF, IFC, BREAKC, BREAKB, ... take the branch. */
    u64 (*condition)(struct alu *a, const struct ir_insn *i);
    u64 (*kill)(struct alu *a, const struct ir_insn *i); /* lanes to discard */
    void (*integer_constant)(const struct alu *a, u32 index, i32 v[4]);
};
extern const struct alu_ops alu_ops_sse2, alu_ops_avx2;

/* alu_int.c: one component of an operation on integers or bits, on all lanes. The range is IR_IADD
 * to IR_SWAPC; `second` is for those that have two results (dst2). */
static inline bool alu_is_integer(u16 op)
{
    return op >= IR_IADD && op <= IR_SWAPC;
}
/* What a minus before an operand means: to FTOI, FTOU, F32TOF16 and SWAPC it is a float's sign. */
static inline bool alu_negates_integers(u16 op)
{
    return (op >= IR_IADD && op <= IR_USHR) || op == IR_ITOF || op == IR_UTOF || op == IR_F16TOF32;
}
static inline bool alu_is_twofold(u16 op)
{
    return op == IR_IMUL || op == IR_UMUL || op == IR_UDIV || op == IR_UADDC || op == IR_USUBB ||
           op == IR_SWAPC;
}
void alu_integer(u16 op, const u32 *x, const u32 *y, const u32 *z, u32 *first, u32 *second);

#endif
