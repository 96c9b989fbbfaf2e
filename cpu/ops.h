/* The opcode table's vocabulary: what the columns of opcodes.def mean, the row struct they expand
 * to, and the prototypes of all handlers (generated from the table). decode.c picks rows with it,
 * disasm.c prints them, exec_*.c include it for the prototypes, the tests walk it. The format
 * itself is explained at the head of opcodes.def. */
#ifndef CPU_OPS_H
#define CPU_OPS_H

#include "cpu/exec.h"
#include "cpu/insn.h"

enum op_map { MAP_0, MAP_0F, MAP_38, MAP_3A, MAP_V1, MAP_V2, MAP_V3, MAP_COUNT };
enum op_prefix {
    PF_ANY, /* 66, F2, F3 are not part of the opcode */
    PF_NF,  /* neither F2 nor F3; 66 is the operand size */
    PF_NP,  /* none of 66, F2, F3 */
    PF_66,  /* 66 and neither F2 nor F3 */
    PF_F3,  /* F3 (last of F2/F3); 66 is the operand size */
    PF_F2,
};
enum { MODE_ALL, MODE_64, MODE_N64 };

/* ModRM column. Low byte: digit or whole byte; SEL_HAS_MODRM says that there is a ModRM byte at
 * all. */
enum {
    SEL_HAS_MODRM = 0x100,
    SEL_REGONLY = 0x200,
    SEL_MEMONLY = 0x400,
    SEL_DIGIT = 0x800,
    SEL_EXACT = 0x1000,
    SEL_PLUSR = 0x2000, /* eight opcodes, register in the low three bits */
    SEL_ALLREG = 0x4000, /* mod is ignored and taken as 3 (MOV CRn/DRn) */
};
#define SEL_NO 0
#define SEL_PR SEL_PLUSR
#define SEL_RM SEL_HAS_MODRM
#define SEL_R (SEL_HAS_MODRM | SEL_REGONLY)
#define SEL_M (SEL_HAS_MODRM | SEL_MEMONLY)
#define SEL_A (SEL_HAS_MODRM | SEL_ALLREG)
#define SEL_D(n) (SEL_HAS_MODRM | SEL_DIGIT | (n))
#define SEL_DR(n) (SEL_HAS_MODRM | SEL_DIGIT | SEL_REGONLY | (n))
#define SEL_DM(n) (SEL_HAS_MODRM | SEL_DIGIT | SEL_MEMONLY | (n))
#define SEL_X(b) (SEL_HAS_MODRM | SEL_EXACT | SEL_REGONLY | 0x##b)

/* Flags column. */
enum {
    OF_LOCK = 1,  /* LOCK allowed when ModRM names memory */
    OF_BYTE = 2,  /* operand size is 8 bits whatever the prefixes say */
    OF_D64 = 4,   /* 64-bit mode: operand size 64, 16 with 66, never 32 (PUSH, POP ...) */
    OF_F64 = 8,   /* 64-bit mode: operand size always 64 (near branches) */
    OF_ENDS = 16, /* ends a decoded run: branch, change of mode or mapping */
    OF_W32 = 32,  /* operand size 32, or 64 with REX.W; 66 does not matter (BMI, MOVD ...) */
    OF_L0 = 64,      /* VEX.L must be 0 */
    OF_L1 = 128,     /* VEX.L must be 1 */
    OF_W0 = 256,     /* VEX.W must be 0 */
    OF_W1 = 512,     /* VEX.W must be 1 (VEX rows), REX.W must be set (others) */
    OF_NOV = 1024,   /* VEX.vvvv must be 1111b */
    OF_COND = 2048,  /* conditional branch: falls through inside a run */
    OF_STR = 4096,   /* string instruction: REP prefix is meaningful */
    OF_BASE1 = 8192, /* the address is computed after the stack pointer moved (POP Ev) */
    OF_VSIB = 16384, /* the index register is a vector register (gathers) */
};

/* Operand kinds. Only the immediates, offsets and displacements change what decode.c reads.
 *
 *   E. ModRM.rm register or memory   G. ModRM.reg   R. ModRM.rm, register only   B. VEX.vvvv
 *   M. memory only   Z. register in the opcode   I. immediate   J. displacement
 *      second letters: b w d q byte to quadword, v operand size, y 32 or 64 by REX.W, z 16 or 32,
 *      m mode's size
 *   Evw Edb Edw  register of operand size / 32 bits, but memory word / byte / word
 *   Mdq Mqq 16 and 32 bytes, Ma BOUND's pair, Mp far pointer, Ms descriptor-table register,
 *   Mt 80 bits, Menv x87 environment, M no size
 *   Ibs sign-extended byte, Iz 16/32 (sign-extended to 64), Iv full size, Iw2 Ib2 second immediate
 *   Ap far pointer in the code, Ob Ov absolute offset in the code
 *   AL ... sGS fixed registers (eAX 16/32, rAX operand size, One the constant 1)
 *   Sw Cr Dr segment, control, debug register in ModRM.reg
 *   X. string source DS:rSI (override allowed), Y. string destination ES:rDI, XlatB the table
 *   ST0 STi x87; P Q Qd MMX: reg, rm or m64, rm or m32
 *   V W H L XMM/YMM by VEX.L: reg, rm or memory, vvvv, imm8[7:4]; Wb Ww Wd Wq Wo: memory of
 *   8 ... 128 bits; Vo Ho Lo always 128 bits; VMd VMq gathered elements */
#define OPERAND_KINDS(K)                                                                           \
    K(_)                                                                                           \
    K(Eb) K(Ew) K(Ed) K(Eq) K(Ev) K(Ey) K(Ez) K(Evw) K(Edb) K(Edw)                                       \
    K(Gb) K(Gw) K(Gd) K(Gq) K(Gv) K(Gy) K(Gz) K(Gm) K(Rm) K(Rv) K(Ry) K(By)                              \
    K(M) K(Mb) K(Mw) K(Md) K(Mq) K(Mdq) K(Mqq) K(Mv) K(My) K(Ma) K(Mp) K(Ms) K(Mt) K(Menv)         \
    K(Ib) K(Ibs) K(Iw) K(Iz) K(Iv) K(Iw2) K(Ib2) K(Jb) K(Jz) K(Ap) K(Ob) K(Ov) K(Zb) K(Zv)         \
    K(AL) K(AX) K(eAX) K(rAX) K(CL) K(DX) K(One) K(XMM0)                                           \
    K(sES) K(sCS) K(sSS) K(sDS) K(sFS) K(sGS) K(Sw) K(Cr) K(Dr)                                    \
    K(Xb) K(Xv) K(Xz) K(Yb) K(Yv) K(Yz) K(XlatB)                                                   \
    K(ST0) K(STi) K(P) K(Q) K(Qd)                                                                  \
    K(V) K(W) K(Wb) K(Ww) K(Wd) K(Wq) K(Vo) K(Wo) K(H) K(Ho) K(L) K(Lo) K(VMd) K(VMq)

enum operand_kind {
#define K(name) OK_##name,
    OPERAND_KINDS(K)
#undef K
    OK_COUNT
};

struct op_row {
    const char *name;   /* mnemonic; with '|' alternatives by operand size: "cbw|cwde|cdqe" */
    u8 map, opcode, prefix, mode;
    u16 sel;
    u16 flags;
    u8 operand[4];
    u8 feature;         /* enum cpu_feature */
    op_fn *fn[8];       /* [memory * 4 + operand size] */
};

extern const struct op_row op_rows[];
extern const unsigned op_row_count;

/* Prototypes of every handler in the table. */
#define OP(map, opc, pfx, sel, mode, name, o1, o2, o3, o4, ft, flags, h) h
#define H(f) op_fn op_##f;
#define HR(f) op_fn op_##f##_r, op_##f##_m;
#define HS(f) op_fn op_##f##_16, op_##f##_32, op_##f##_64;
#define HSR(f)                                                                                     \
    op_fn op_##f##_r16, op_##f##_r32, op_##f##_r64, op_##f##_m16, op_##f##_m32, op_##f##_m64;
#include "cpu/opcodes.def"
#undef OP
#undef H
#undef HR
#undef HS
#undef HSR

op_fn op_ud; /* #UD: every encoding without a row */

#endif
