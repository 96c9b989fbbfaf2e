/* Lazy arithmetic flags. The six flags are a function of two words:
 *
 *   cc_dst  the last result, sign-extended to 64 bits
 *   cc_src  bit 63 carry out of the top bit, 62 carry into the top bit, 15-8 PF delta, 3 AF,
 *           0 SF delta
 *
 *   CF = src.63          OF = src.63 ^ src.62     AF = src.3
 *   ZF = (dst == 0)      SF = dst.63 ^ src.0      PF = even parity of dst.7-0 ^ src.15-8
 *
 * The carries of an addition or subtraction come from operands and result in a few logic
 * operations, so nothing has to be remembered about which instruction it was, and every condition
 * is two or three host instructions. The deltas are zero except when the flags were loaded from
 * outside (POPF, SAHF ...): they make every combination representable. Only this file and flags.c
 * know the layout. */
#ifndef CPU_FLAGS_H
#define CPU_FLAGS_H

#include "cpu/state.h"

#define CC_CARRY (1ull << 63)
#define CC_INTO (1ull << 62)
#define CC_AUX 8ull
#define CC_PDELTA 0xff00ull
#define CC_SDELTA 1ull

static inline bool cc_cf(const struct cpu *c)
{
    return c->cc_src >> 63;
}
static inline bool cc_of(const struct cpu *c)
{
    return (c->cc_src ^ c->cc_src << 1) >> 63;
}
static inline bool cc_zf(const struct cpu *c)
{
    return c->cc_dst == 0;
}
static inline bool cc_sf(const struct cpu *c)
{
    return c->cc_dst >> 63 ^ (c->cc_src & CC_SDELTA);
}
static inline bool cc_af(const struct cpu *c)
{
    return c->cc_src >> 3 & 1;
}
static inline bool cc_pf(const struct cpu *c)
{
    return !__builtin_parity((unsigned)(c->cc_dst ^ c->cc_src >> 8) & 0xff);
}
static inline bool cc_lt(const struct cpu *c) /* SF != OF */
{
    return (c->cc_dst ^ c->cc_src ^ c->cc_src << 1) >> 63 ^ (c->cc_src & CC_SDELTA);
}

/* The sixteen conditions in encoding order; n is a constant at every call. */
static inline bool cc_test(const struct cpu *c, unsigned n)
{
    bool v;
    switch (n >> 1) {
    case 0: v = cc_of(c); break;
    case 1: v = cc_cf(c); break;
    case 2: v = cc_zf(c); break;
    case 3: v = (unsigned)cc_cf(c) | cc_zf(c); break;
    case 4: v = cc_sf(c); break;
    case 5: v = cc_pf(c); break;
    case 6: v = cc_lt(c); break;
    default: v = (unsigned)cc_lt(c) | cc_zf(c); break;
    }
    return v != (n & 1);
}

/* Results that clear CF and OF. */
static inline void cc_logic(struct cpu *c, u64 sext)
{
    c->cc_dst = sext;
    c->cc_src = 0;
}

/* Result with explicit carry and overflow, AF clear (shifts, multiplications). */
static inline void cc_result(struct cpu *c, u64 sext, bool cf, bool of)
{
    c->cc_dst = sext;
    c->cc_src = (u64)cf << 63 | (u64)(cf ^ of) << 62;
}

/* Only CF and OF change (rotates). */
static inline void cc_set_cf_of(struct cpu *c, bool cf, bool of)
{
    c->cc_src = (c->cc_src & ~(CC_CARRY | CC_INTO)) | (u64)cf << 63 | (u64)(cf ^ of) << 62;
}
static inline void cc_set_cf(struct cpu *c, bool cf)
{
    cc_set_cf_of(c, cf, cc_of(c));
}

/* Sets ZF alone; the others keep their values. */
void cc_set_zf(struct cpu *c, bool zf);
u32 cc_flags(const struct cpu *c); /* the six flags at their places in RFLAGS */

/* Addition and subtraction of every width, with flags: r = a + b (+ carry), r = a - b (- carry). */
#define CC_ARITH(T, S, N, KEEP)                                                                    \
    static inline void cc_carries##N(struct cpu *c, T r, T out)                                    \
    {                                                                                              \
        c->cc_dst = (u64)(i64)(S)r;                                                                \
        c->cc_src = ((u64)out << (64 - N) & (KEEP)) | (out & CC_AUX);                              \
    }                                                                                              \
    static inline T cc_add##N(struct cpu *c, T a, T b, unsigned carry)                             \
    {                                                                                              \
        T r = (T)(a + b + carry);                                                                  \
        cc_carries##N(c, r, (T)((a & b) | ((a | b) & (T)~r)));                                     \
        return r;                                                                                  \
    }                                                                                              \
    static inline T cc_sub##N(struct cpu *c, T a, T b, unsigned borrow)                            \
    {                                                                                              \
        T r = (T)(a - b - borrow), na = (T)~a;                                                     \
        cc_carries##N(c, r, (T)((na & b) | ((na | b) & r)));                                       \
        return r;                                                                                  \
    }                                                                                              \
    static inline T cc_inc##N(struct cpu *c, T a)                                                  \
    {                                                                                              \
        T r = (T)(a + 1);                                                                          \
        u64 cf = c->cc_src & CC_CARRY, of = (T)(r << 1) == 0 && r;                                 \
        c->cc_dst = (u64)(i64)(S)r;                                                                \
        c->cc_src = cf | (cf >> 1 ^ of << 62) | (r & 15 ? 0 : CC_AUX);                             \
        return r;                                                                                  \
    }                                                                                              \
    static inline T cc_dec##N(struct cpu *c, T a)                                                  \
    {                                                                                              \
        T r = (T)(a - 1);                                                                          \
        u64 cf = c->cc_src & CC_CARRY, of = (T)(a << 1) == 0 && a;                                 \
        c->cc_dst = (u64)(i64)(S)r;                                                                \
        c->cc_src = cf | (cf >> 1 ^ of << 62) | (a & 15 ? 0 : CC_AUX);                             \
        return r;                                                                                  \
    }                                                                                              \
    static inline T cc_and##N(struct cpu *c, T r)                                                  \
    {                                                                                              \
        cc_logic(c, (u64)(i64)(S)r);                                                               \
        return r;                                                                                  \
    }
CC_ARITH(u8, i8, 8, ~0ull)
CC_ARITH(u16, i16, 16, ~0ull)
CC_ARITH(u32, i32, 32, ~0ull)
CC_ARITH(u64, i64, 64, (CC_CARRY | CC_INTO))
#undef CC_ARITH

#endif
