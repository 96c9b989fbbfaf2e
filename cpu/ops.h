/* The opcode table's vocabulary: what the columns of opcodes.def mean, the row struct they expand to, and the prototypes of all
 * handlers (generated from the table). decode.c picks rows with it, disasm.c prints them, exec_*.c include it for the prototypes,
 * the tests walk it. The format itself is explained at the head of opcodes.def. */
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

/* ModRM column. Low byte: digit or whole byte; SEL_HAS_MODRM says that there is a ModRM byte at all. */
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
    OF_LOCK = 1,     /* LOCK allowed when ModRM names memory */
    OF_BYTE = 2,     /* operand size is 8 bits whatever the prefixes say */
    OF_D64 = 4,      /* 64-bit mode: operand size 64 by default, 16 with 66, never 32 (PUSH, POP, ENTER ...) */
    OF_F64 = 8,      /* 64-bit mode: operand size always 64 (near branches) */
    OF_ENDS = 16,    /* ends a decoded run: branch, mode change, change of mapping, anything that reads c->rip's successor */
    OF_W32 = 32,     /* operand size 32, or 64 with REX.W: 66 does not matter (BMI, MOVD, CVTSI2SS ...) */
    OF_L0 = 64,      /* VEX.L must be 0 */
    OF_L1 = 128,     /* VEX.L must be 1 */
    OF_W0 = 256,     /* VEX.W must be 0 */
    OF_W1 = 512,     /* VEX.W must be 1 (VEX rows), REX.W must be set (others) */
    OF_NOV = 1024,   /* VEX.vvvv must be 1111b */
    OF_COND = 2048,  /* conditional branch: falls through inside a run */
    OF_STR = 4096,   /* string instruction: REP prefix is meaningful */
    OF_BASE1 = 8192, /* stack pointer is read before the EA is computed as POP does: ESP base sees the new value */
};

/* Operand kinds: name, what the disassembler prints. Only the immediates, offsets and displacements change what decode.c reads. */
#define OPERAND_KINDS(K)                                                                           \
    K(_)                                                                                           \
    /* ModRM.rm general register or memory: byte, word, dword, qword, operand size, dword/qword by REX.W, and: register of */ \
    /* operand size but memory word (SLDT, MOV from Sreg), register dword but memory byte/word (PINSRB/PINSRW, PEXTRx) */ \
    K(Eb) K(Ew) K(Ed) K(Eq) K(Ev) K(Ey) K(Evw) K(Edb) K(Edw)                                       \
    /* ModRM.reg general register; ModRM.rm that must be a register (mode-sized) */                \
    K(Gb) K(Gw) K(Gd) K(Gq) K(Gv) K(Gy) K(Gz) K(Rm) K(Rv) K(Ry)                                   \
    /* VEX.vvvv general register */                                                                \
    K(By)                                                                                          \
    /* memory only: no size, byte ... oword, two of operand size (BOUND), far pointer, pseudo descriptor, m80, 14/28-byte env ... */ \
    K(M) K(Mb) K(Mw) K(Md) K(Mq) K(Mdq) K(Mqq) K(Mv) K(My) K(Ma) K(Mp) K(Ms) K(Mt) K(Menv)       \
    /* immediates: byte, byte sign-extended to operand size, word, word/dword by operand size (dword sign-extended for 64), full size */ \
    K(Ib) K(Ibs) K(Iw) K(Iz) K(Iv) K(Iw2) K(Ib2)                                                  \
    /* branch displacement, far pointer in the code, memory offset in the code */                  \
    K(Jb) K(Jz) K(Ap) K(Ob) K(Ov)                                                                 \
    /* register in the opcode */                                                                   \
    K(Zb) K(Zv)                                                                                    \
    /* fixed registers */                                                                          \
    K(AL) K(AX) K(eAX) K(rAX) K(CL) K(DX) K(One) K(XMM0) K(sES) K(sCS) K(sSS) K(sDS) K(sFS) K(sGS) \
    /* segment, control, debug register in ModRM.reg */                                           \
    K(Sw) K(Cr) K(Dr)                                                                              \
    /* string operands: DS:rSI (override allowed), ES:rDI; translate table */                      \
    K(Xb) K(Xv) K(Xz) K(Yb) K(Yv) K(Yz) K(XlatB)                                                  \
    /* x87: ST(0), ST(rm); MMX: reg, rm register or memory (mm/m64, mm/m32) */                     \
    K(ST0) K(STi) K(P) K(Q) K(Qd)                                                                  \
    /* XMM/YMM (by VEX.L): reg; rm register or memory of 8/16/32/64/128 bits or vector length; vvvv; imm8[7:4] */ \
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
#define HSR(f) op_fn op_##f##_r16, op_##f##_r32, op_##f##_r64, op_##f##_m16, op_##f##_m32, op_##f##_m64;
#include "cpu/opcodes.def"
#undef OP
#undef H
#undef HR
#undef HS
#undef HSR

op_fn op_ud; /* #UD: every encoding without a row */

#endif
