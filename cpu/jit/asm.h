/* An x86-64 encoder: the instructions that the translator writes, byte by byte.
 *
 * Code goes to a->at (the writable mapping); addresses inside the code are 32-bit offsets from
 * a->base, the same in both mappings, so that a relative jump is a difference of offsets. Running
 * out of room sets a->full and drops what comes after; the caller looks at it once, at the end.
 * Instruction forms: SDM 2A chapter 2. */
#ifndef CPU_JIT_ASM_H
#define CPU_JIT_ASM_H

#include "cpu/insn.h"
#include "machine/core/types.h"

struct as {
    u8 *base, *at, *end;
    bool full;
};

enum host_reg {
    H_AX,
    H_CX,
    H_DX,
    H_BX,
    H_SP,
    H_BP,
    H_SI,
    H_DI,
    H_8,
    H_9,
    H_10,
    H_11,
    H_12,
    H_13,
    H_14,
    H_15,
    H_NONE = 0xff
};
enum as_map { AS_0, AS_0F, AS_38, AS_3A };
enum {
    AS_BYTE_REG = 1,
    AS_BYTE_RM = 2
}; /* the operand is a low byte register: SPL to DIL need REX */
/* condition codes */
enum {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G
};

struct rm { /* register or memory operand */
    bool mem;
    u8 reg, index, scale; /* mem: base (H_NONE: none), index (H_NONE: none) */
    i32 disp;
};

static inline struct rm rm_reg(unsigned reg)
{
    return (struct rm){ .reg = (u8)reg, .index = H_NONE };
}
static inline struct rm rm_at(unsigned base, i32 disp)
{
    return (struct rm){ .mem = true, .reg = (u8)base, .index = H_NONE, .disp = disp };
}
static inline struct rm rm_sib(unsigned base, unsigned index, unsigned scale, i32 disp)
{
    return (struct rm){
        .mem = true, .reg = (u8)base, .index = (u8)index, .scale = (u8)scale, .disp = disp
    };
}

static inline u32 as_here(const struct as *a)
{
    return (u32)(a->at - a->base);
}
enum { AS_ROOM = 64 }; /* bytes that as_room() makes sure of */
static inline void as_room(struct as *a)
{
    if (a->end - a->at >= AS_ROOM) return;
    a->full = true;
    a->at = a->end - AS_ROOM; /* the translation is thrown away */
}
static inline void as8(struct as *a, unsigned v)
{
    *a->at++ = (u8)v;
}
static inline void as32(struct as *a, u32 v)
{
    st32(a->at, v);
    a->at += 4;
}

/* The lowest n bytes of v, at most 8, first the lowest; there must be room. */
static inline void as_bytes(struct as *a, u64 v, unsigned n)
{
    st64(a->at, v);
    a->at += n;
}

/* An immediate of the operand size; 32 bits for 64. */
static inline void as_value(struct as *a, unsigned osz, u64 v)
{
    if (osz >= OSZ32) {
        as32(a, (u32)v);
        return;
    }
    as8(a, (u8)v);
    if (osz == OSZ16) as8(a, (u8)(v >> 8));
}

/* One instruction without its immediate: bits 0-7 opcode, 8-15 prefix F2h or F3h, 16 66h, 17 REX.W,
 * 18-19 AS_BYTE_*, 20-21 enum as_map. */
void as_emit(struct as *a, u32 form, unsigned reg, struct rm rm);

/* The same with a VEX prefix and its register: 66h, F2h, F3h, REX.W and the map, which is not AS_0,
 * say what VEX holds; length 128. */
void as_emit_vex(struct as *a, u32 form, unsigned reg, unsigned vvvv, struct rm rm);

/* as_emit(); pfx: 0, F2h, F3h; 66h comes from osz or AS_66 in pfx. */
#define AS_66 0x100
static inline u32 as_form(unsigned pfx, unsigned osz, unsigned map, unsigned op, unsigned bytes)
{
    u32 size = osz == OSZ16 || (pfx & AS_66) ? 1u << 16 : 0;
    if (osz == OSZ64) size |= 1u << 17;
    return (op & 0xff) | (pfx & 0xff) << 8 | size | bytes << 18 | map << 20;
}
static inline void as_insn(struct as *a, unsigned pfx, unsigned osz, unsigned map, unsigned op,
                           unsigned reg, struct rm rm, unsigned bytes)
{
    as_emit(a, as_form(pfx, osz, map, op, bytes), reg, rm);
}

/* op reg, rm and op rm, reg of the size osz; the opcode's byte form is chosen by osz. */
static inline void as_rm(struct as *a, unsigned osz, unsigned op, unsigned reg, struct rm rm)
{
    as_insn(a, 0, osz, AS_0, osz == OSZ8 ? op & ~1u : op, reg, rm,
            osz == OSZ8 ? AS_BYTE_REG | AS_BYTE_RM : 0);
}
static inline void as_load(struct as *a, unsigned osz, unsigned reg, struct rm rm) /* MOV reg, rm */
{
    as_rm(a, osz, 0x8b, reg, rm);
}
static inline void as_store(struct as *a, unsigned osz, struct rm rm, unsigned reg)
{
    as_rm(a, osz, 0x89, reg, rm);
}
static inline void as_mov(struct as *a, unsigned osz, unsigned to, unsigned from)
{
    if (to != from || osz == OSZ32) as_rm(a, osz, 0x8b, to, rm_reg(from));
}
static inline void as_lea(struct as *a, unsigned osz, unsigned reg, struct rm rm)
{
    as_insn(a, 0, osz, AS_0, 0x8d, reg, rm, 0);
}
/* ALU operation n (0 add, 1 or, 4 and, 5 sub, 6 xor, 7 cmp) with an immediate; size of at least 16
 * bits */
static inline void as_imm(struct as *a, unsigned osz, unsigned n, struct rm rm, i32 v)
{
    bool small = osz == OSZ8 || v == (i8)v;
    as_insn(a, 0, osz, AS_0,
            osz == OSZ8 ? 0x80
            : small     ? 0x83
                        : 0x81,
            n, rm, osz == OSZ8 ? AS_BYTE_RM : 0);
    as_value(a, small ? OSZ8 : osz, (u64)v);
}
/* RORX: flags stay as they are. */
static inline void as_rorx(struct as *a, unsigned osz, unsigned to, unsigned from, unsigned count)
{
    as_room(a);
    unsigned b1 = (to & 8 ? 0 : 0x80) | 0x40 | (from & 8 ? 0 : 0x20) | 3;
    unsigned b2 = (osz == OSZ64 ? 0x80 : 0) | 0x78 | 3, modrm = 0xc0 | (to & 7) << 3 | (from & 7);
    as_bytes(a, 0xc4 | b1 << 8 | b2 << 16 | 0xf0u << 24 | (u64)modrm << 32 | (u64)count << 40, 6);
}
static inline void as_movabs(struct as *a, unsigned reg, u64 v)
{
    as_room(a);
    if (v <= 0xffffffffu) {
        if (reg & 8) as8(a, 0x41);
        as_bytes(a, 0xb8 | (reg & 7) | v << 8, 5);
    } else if ((u64)(i64)(i32)v == v) {
        as_insn(a, 0, OSZ64, AS_0, 0xc7, 0, rm_reg(reg), 0);
        as32(a, (u32)v);
    } else {
        as_bytes(a, 0x48 | (reg >> 3) | (0xb8 | (reg & 7)) << 8, 2);
        as_bytes(a, v, 8);
    }
}

/* Jumps. Targets are offsets; the result of the forward ones is where the 32-bit field is. */
static inline u32 as_jcc(struct as *a, unsigned cc, u32 target)
{
    as_room(a);
    as_bytes(a, 0x0f | (0x80 | cc) << 8 | (u64)(target - (as_here(a) + 6)) << 16, 6);
    return as_here(a) - 4;
}
static inline u32 as_jmp(struct as *a, u32 target)
{
    as_room(a);
    as_bytes(a, 0xe9 | (u64)(target - (as_here(a) + 5)) << 8, 5);
    return as_here(a) - 4;
}
static inline void as_call(struct as *a, u32 target)
{
    as_room(a);
    as_bytes(a, 0xe8 | (u64)(target - (as_here(a) + 5)) << 8, 5);
}
static inline void as_patch(struct as *a, u32 field, u32 target)
{
    st32(a->base + field, target - (field + 4));
}

#endif
