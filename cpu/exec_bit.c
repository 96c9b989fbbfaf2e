/* Shifts, rotates, double shifts, bit tests and bit scans. Shift counts are taken modulo 32 (64 for
 * 64-bit operands) and a count of zero changes no flag (SDM 2B). OF after shifts by more than one
 * is undefined; it follows the one-bit rule here. */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ops.h"

#define GET8(n) (*reg8(c, i, n))
#define GET16(n) ((u16)c->r[n])
#define GET32(n) ((u32)c->r[n])
#define GET64(n) (c->r[n])
#define SET8(n, v) (*reg8(c, i, n) = (v))
#define SET16(n, v) set_reg16(c, n, v)
#define SET32(n, v) set_reg32(c, n, v)
#define SET64(n, v) (c->r[n] = (v))

/* One function per width and instruction: new value, flags set. count is masked already and may
 * exceed the width of 8 and 16. */
#define SHIFTS(T, S, N)                                                                            \
    static inline T do_shl##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        if (!count) return a;                                                                      \
        T before = count > N ? 0 : (T)((u64)a << (count - 1)), r = (T)(before << 1);               \
        bool cf = before >> (N - 1), msb = r >> (N - 1);                                           \
        cc_result(c, (u64)(i64)(S)r, cf, cf ^ msb);                                                \
        return r;                                                                                  \
    }                                                                                              \
    static inline T do_shr##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        if (!count) return a;                                                                      \
        T before = count > N ? 0 : (T)(a >> (count - 1)), r = before >> 1;                         \
        cc_result(c, (u64)(i64)(S)r, before & 1, (T)(r << 1) >> (N - 1));                          \
        return r;                                                                                  \
    }                                                                                              \
    static inline T do_sar##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        if (!count) return a;                                                                      \
        S before = (S)a >> (count > N ? N - 1 : count - 1), r = before >> 1;                       \
        cc_result(c, (u64)(i64)r, before & 1, false);                                              \
        return (T)r;                                                                               \
    }                                                                                              \
    static inline T do_rol##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        if (!count) return a;                                                                      \
        unsigned n = count % N;                                                                    \
        T r = n ? (T)(a << n | a >> (N - n)) : a;                                                  \
        cc_set_cf_of(c, r & 1, (r ^ r >> (N - 1)) & 1);                                            \
        return r;                                                                                  \
    }                                                                                              \
    static inline T do_ror##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        if (!count) return a;                                                                      \
        unsigned n = count % N;                                                                    \
        T r = n ? (T)(a >> n | a << (N - n)) : a;                                                  \
        cc_set_cf_of(c, r >> (N - 1), (r >> (N - 1) ^ r >> (N - 2)) & 1);                          \
        return r;                                                                                  \
    }                                                                                              \
    static inline T do_rcl##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        unsigned n = count % (N + 1);                                                              \
        if (!n) return a;                                                                          \
        u64 in = cc_cf(c), low = n > 1 ? (u64)a >> (N + 1 - n) : 0;                                \
        T r = (T)((n < N ? (u64)a << n : 0) | in << (n - 1) | low);                                \
        bool cf = a >> (N - n) & 1;                                                                \
        cc_set_cf_of(c, cf, cf ^ (r >> (N - 1)));                                                  \
        return r;                                                                                  \
    }                                                                                              \
    static inline T do_rcr##N(struct cpu *c, T a, unsigned count)                                  \
    {                                                                                              \
        unsigned n = count % (N + 1);                                                              \
        if (!n) return a;                                                                          \
        u64 in = cc_cf(c), high = n > 1 ? (u64)a << (N + 1 - n) : 0;                               \
        T r = (T)((n < N ? (u64)a >> n : 0) | in << (N - n) | high);                               \
        cc_set_cf_of(c, a >> (n - 1) & 1, (r >> (N - 1) ^ r >> (N - 2)) & 1);                      \
        return r;                                                                                  \
    }
SHIFTS(u8, i8, 8)
SHIFTS(u16, i16, 16)
SHIFTS(u32, i32, 32)
SHIFTS(u64, i64, 64)

#define SHIFT_FORM(name, form, N, R, M, COUNT)                                                     \
    void op_##name##_##form##_##R(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        SET##N(i->rm, do_##name##N(c, GET##N(i->rm), (COUNT) & (N == 64 ? 63 : 31)));              \
    }                                                                                              \
    void op_##name##_##form##_##M(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        u64 off = ea_offset(c, i);                                                                 \
        u##N a, *host;                                                                             \
        if (unlikely(!rmw_load##N(c, i->seg, off, &a, &host))) return;                             \
        rmw_store##N(c, i->seg, off, host, do_##name##N(c, a, (COUNT) & (N == 64 ? 63 : 31)));     \
    }
#define SHIFT_COUNT(name, suffix, COUNT)                                                           \
    SHIFT_FORM(name, eb_##suffix, 8, r, m, COUNT)                                                  \
    SHIFT_FORM(name, ev_##suffix, 16, r16, m16, COUNT)                                             \
    SHIFT_FORM(name, ev_##suffix, 32, r32, m32, COUNT)                                             \
    SHIFT_FORM(name, ev_##suffix, 64, r64, m64, COUNT)
#define SHIFT(name)                                                                                \
    SHIFT_COUNT(name, ib, (unsigned)i->imm)                                                        \
    SHIFT_COUNT(name, 1, 1u)                                                                       \
    SHIFT_COUNT(name, cl, (unsigned)c->r[RCX])
SHIFT(rol)
SHIFT(ror)
SHIFT(rcl)
SHIFT(rcr)
SHIFT(shl)
SHIFT(shr)
SHIFT(sar)

/* ---- SHLD, SHRD ---- 16-bit operands with a count above 16 shift the two words round, as
 * processors of both vendors do. */

#define DOUBLE_SHIFT(N, S)                                                                         \
    static u##N shld##N(struct cpu *c, u##N a, u##N b, unsigned n)                                 \
    {                                                                                              \
        u##N fill = n > N ? a : b, src = n > N ? b : a;                                            \
        if (n > N) n -= N;                                                                         \
        u##N r = n == N ? fill : (u##N)((u64)src << n | (u64)fill >> (N - n));                     \
        bool cf = src >> (N - n) & 1;                                                              \
        cc_result(c, (u64)(i64)(S)r, cf, (r ^ a) >> (N - 1) & 1);                                  \
        return r;                                                                                  \
    }                                                                                              \
    static u##N shrd##N(struct cpu *c, u##N a, u##N b, unsigned n)                                 \
    {                                                                                              \
        u##N fill = n > N ? a : b, src = n > N ? b : a;                                            \
        if (n > N) n -= N;                                                                         \
        u##N r = n == N ? fill : (u##N)((u64)src >> n | (u64)fill << (N - n));                     \
        bool cf = src >> (n - 1) & 1;                                                              \
        cc_result(c, (u64)(i64)(S)r, cf, (r ^ a) >> (N - 1) & 1);                                  \
        return r;                                                                                  \
    }
DOUBLE_SHIFT(16, i16)
DOUBLE_SHIFT(32, i32)
DOUBLE_SHIFT(64, i64)

/* A count of zero still writes the destination: a 32-bit register's upper half is cleared, memory
 * must be writable. */
#define DOUBLE_FORM(name, suffix, N, COUNT)                                                        \
    void op_##name##_##suffix##_##N(struct cpu *c, const struct insn *i)                           \
    {                                                                                              \
        unsigned n = (COUNT) & (N == 64 ? 63 : 31);                                                \
        u##N a, *host, b = GET##N(i->reg);                                                         \
        if (!is_mem(i)) {                                                                          \
            a = GET##N(i->rm);                                                                     \
            SET##N(i->rm, n ? name##N(c, a, b, n) : a);                                            \
            return;                                                                                \
        }                                                                                          \
        u64 off = ea_offset(c, i);                                                                 \
        if (!rmw_load##N(c, i->seg, off, &a, &host)) return;                                       \
        rmw_store##N(c, i->seg, off, host, n ? name##N(c, a, b, n) : a);                           \
    }
#define DOUBLE_FORMS(name)                                                                         \
    DOUBLE_FORM(name, ib, 16, (unsigned)i->imm)                                                    \
    DOUBLE_FORM(name, ib, 32, (unsigned)i->imm)                                                    \
    DOUBLE_FORM(name, ib, 64, (unsigned)i->imm)                                                    \
    DOUBLE_FORM(name, cl, 16, (unsigned)c->r[RCX])                                                 \
    DOUBLE_FORM(name, cl, 32, (unsigned)c->r[RCX])                                                 \
    DOUBLE_FORM(name, cl, 64, (unsigned)c->r[RCX])
DOUBLE_FORMS(shld)
DOUBLE_FORMS(shrd)

/* ---- BT, BTS, BTR, BTC ---- only CF changes. A memory operand with a register bit number is a bit
 * string around the address. */

static u64 bit_string_offset(const struct cpu *c, const struct insn *i, i64 bit, unsigned width)
{
    u64 off = c->r[i->base] + (c->r[i->index] << i->scale) + (u64)(i64)i->disp;
    unsigned bytes = width / 8, shift = width == 16 ? 4 : width == 32 ? 5 : 6;
    off += (u64)((bit >> shift) * (i64)bytes);
    return i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
}

#define BIT_bt(a, m) (a)
#define BIT_bts(a, m) ((a) | (m))
#define BIT_btr(a, m) ((a) & ~(m))
#define BIT_btc(a, m) ((a) ^ (m))
#define BIT_REG(name, form, N, NUMBER)                                                             \
    void op_##name##_##form##_r##N(struct cpu *c, const struct insn *i)                            \
    {                                                                                              \
        u##N a = GET##N(i->rm), mask = (u##N)((u##N)1 << ((NUMBER) & (N - 1)));                    \
        cc_set_cf(c, a & mask);                                                                    \
        SET##N(i->rm, (u##N)BIT_##name(a, mask));                                                  \
    }
#define BIT_RMW(name, form, N, NUMBER, OFF)                                                        \
    void op_##name##_##form##_m##N(struct cpu *c, const struct insn *i)                            \
    {                                                                                              \
        u64 off = OFF;                                                                             \
        u##N a, *host, mask = (u##N)((u##N)1 << ((NUMBER) & (N - 1)));                             \
        if (!rmw_load##N(c, i->seg, off, &a, &host)) return;                                       \
        cc_set_cf(c, a & mask);                                                                    \
        rmw_store##N(c, i->seg, off, host, (u##N)BIT_##name(a, mask));                             \
    }
#define BIT_TEST(form, N, NUMBER, OFF)                                                             \
    void op_bt_##form##_r##N(struct cpu *c, const struct insn *i)                                  \
    {                                                                                              \
        cc_set_cf(c, GET##N(i->rm) >> ((NUMBER) & (N - 1)) & 1);                                   \
    }                                                                                              \
    void op_bt_##form##_m##N(struct cpu *c, const struct insn *i)                                  \
    {                                                                                              \
        u##N a;                                                                                    \
        if (!ld##N##_seg(c, i->seg, OFF, &a)) return;                                              \
        cc_set_cf(c, a >> ((NUMBER) & (N - 1)) & 1);                                               \
    }
#define BIT_FORMS(N, S)                                                                            \
    BIT_TEST(ev_ib, N, i->imm, ea_offset(c, i))                                                    \
    BIT_TEST(ev_gv, N, c->r[i->reg], bit_string_offset(c, i, (S)c->r[i->reg], N))                  \
    BIT_CHANGE(bts, N, S)                                                                          \
    BIT_CHANGE(btr, N, S)                                                                          \
    BIT_CHANGE(btc, N, S)
#define BIT_CHANGE(name, N, S)                                                                     \
    BIT_REG(name, ev_ib, N, i->imm)                                                                \
    BIT_REG(name, ev_gv, N, c->r[i->reg])                                                          \
    BIT_RMW(name, ev_ib, N, i->imm, ea_offset(c, i))                                               \
    BIT_RMW(name, ev_gv, N, c->r[i->reg], bit_string_offset(c, i, (S)c->r[i->reg], N))
BIT_FORMS(16, i16)
BIT_FORMS(32, i32)
BIT_FORMS(64, i64)

/* ---- scans and counts ---- a zero source leaves the destination of BSF and BSR alone. */

#define SCAN(name, N, EMPTY, VALUE)                                                                \
    void op_##name##_##N(struct cpu *c, const struct insn *i)                                      \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        EMPTY                                                                                      \
        SET##N(i->reg, (u##N)(VALUE));                                                             \
    }
#define SCAN_ZERO                                                                                  \
    cc_set_zf(c, !v);                                                                              \
    if (!v) return;
#define COUNT_ZERO(N, R)                                                                           \
    u64 r = v ? (u64)(R) : N;                                                                      \
    cc_result(c, r, !v, false);
#define SCANS(N)                                                                                   \
    SCAN(bsf, N, SCAN_ZERO, __builtin_ctzll(v))                                                    \
    SCAN(bsr, N, SCAN_ZERO, 63 - __builtin_clzll(v))                                               \
    SCAN(tzcnt, N, COUNT_ZERO(N, __builtin_ctzll(v)), r)                                           \
    SCAN(lzcnt, N, COUNT_ZERO(N, __builtin_clzll(v) - (64 - N)), r)
SCANS(16)
SCANS(32)
SCANS(64)

/* POPCNT clears SF and PF too: only "zero or not" may show in the result word. */
#define POPCNT(N)                                                                                  \
    void op_popcnt_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        cpu_set_arith(c, v ? 0 : FL_ZF);                                                           \
        SET##N(i->reg, (u##N)__builtin_popcountll(v));                                             \
    }
POPCNT(16)
POPCNT(32)
POPCNT(64)
