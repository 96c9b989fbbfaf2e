/* Integer arithmetic: ADD to CMP, INC, DEC, NOT, NEG, TEST, MUL, IMUL, DIV, IDIV, the decimal
 * adjustments, ADCX/ADOX. The two-operand instructions are generated for every width and for
 * register and memory destinations, because they are half of all instructions executed; what they
 * do is one line of the table at the end of the first part. Undefined flags (MUL's ZF ...) are left
 * as the result gives them. */
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

/* What each instruction computes, for width N: expression of a and b that sets the flags. */
#define CALC_add(N) cc_add##N(c, a, b, 0)
#define CALC_adc(N) cc_add##N(c, a, b, cc_cf(c))
#define CALC_sub(N) cc_sub##N(c, a, b, 0)
#define CALC_sbb(N) cc_sub##N(c, a, b, cc_cf(c))
#define CALC_and(N) cc_and##N(c, a & b)
#define CALC_or(N) cc_and##N(c, a | b)
#define CALC_xor(N) cc_and##N(c, a ^ b)

/* r/m, source: register destination, memory destination (suffixes as the table wants them). */
#define BINARY_DEST(name, form, T, N, R, M, SRC)                                                   \
    void op_##name##_##form##_##R(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T a = GET##N(i->rm), b = SRC;                                                              \
        SET##N(i->rm, CALC_##name(N));                                                             \
    }                                                                                              \
    void op_##name##_##form##_##M(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        u64 off = ea_offset(c, i);                                                                 \
        T a, b = SRC, *host;                                                                       \
        if (unlikely(!rmw_load##N(c, i->seg, off, &a, &host))) return;                             \
        rmw_store##N(c, i->seg, off, host, CALC_##name(N));                                        \
    }
/* register, r/m */
#define BINARY_LOAD(name, form, T, N, R, M)                                                        \
    void op_##name##_##form##_##R(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T a = GET##N(i->reg), b = GET##N(i->rm);                                                   \
        SET##N(i->reg, CALC_##name(N));                                                            \
    }                                                                                              \
    void op_##name##_##form##_##M(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T a = GET##N(i->reg), b;                                                                   \
        if (unlikely(!ld##N##_seg(c, i->seg, ea_offset(c, i), &b))) return;                        \
        SET##N(i->reg, CALC_##name(N));                                                            \
    }
#define BINARY(name)                                                                               \
    BINARY_DEST(name, eb_gb, u8, 8, r, m, GET8(i->reg))                                            \
    BINARY_DEST(name, ev_gv, u16, 16, r16, m16, GET16(i->reg))                                     \
    BINARY_DEST(name, ev_gv, u32, 32, r32, m32, GET32(i->reg))                                     \
    BINARY_DEST(name, ev_gv, u64, 64, r64, m64, GET64(i->reg))                                     \
    BINARY_DEST(name, eb_ib, u8, 8, r, m, (u8)i->imm)                                              \
    BINARY_DEST(name, ev_iz, u16, 16, r16, m16, (u16)i->imm)                                       \
    BINARY_DEST(name, ev_iz, u32, 32, r32, m32, (u32)i->imm)                                       \
    BINARY_DEST(name, ev_iz, u64, 64, r64, m64, i->imm)                                            \
    BINARY_LOAD(name, gb_eb, u8, 8, r, m)                                                          \
    BINARY_LOAD(name, gv_ev, u16, 16, r16, m16)                                                    \
    BINARY_LOAD(name, gv_ev, u32, 32, r32, m32)                                                    \
    BINARY_LOAD(name, gv_ev, u64, 64, r64, m64)
BINARY(add)
BINARY(or)
BINARY(adc)
BINARY(sbb)
BINARY(and)
BINARY(sub)
BINARY(xor)

/* CMP and TEST: flags only. */
#define CALC_cmp(N) cc_sub##N(c, a, b, 0)
#define CALC_test(N) cc_and##N(c, a & b)
#define COMPARE(name, form, T, N, R, M, LEFT, RIGHT)                                               \
    void op_##name##_##form##_##R(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T rm = GET##N(i->rm), a = LEFT, b = RIGHT;                                                 \
        CALC_##name(N);                                                                            \
    }                                                                                              \
    void op_##name##_##form##_##M(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T rm;                                                                                      \
        if (unlikely(!ld##N##_seg(c, i->seg, ea_offset(c, i), &rm))) return;                       \
        T a = LEFT, b = RIGHT;                                                                     \
        CALC_##name(N);                                                                            \
    }
#define COMPARE_STORE_FORMS(name)                                                                  \
    COMPARE(name, eb_gb, u8, 8, r, m, rm, GET8(i->reg))                                            \
    COMPARE(name, ev_gv, u16, 16, r16, m16, rm, GET16(i->reg))                                     \
    COMPARE(name, ev_gv, u32, 32, r32, m32, rm, GET32(i->reg))                                     \
    COMPARE(name, ev_gv, u64, 64, r64, m64, rm, GET64(i->reg))                                     \
    COMPARE(name, eb_ib, u8, 8, r, m, rm, (u8)i->imm)                                              \
    COMPARE(name, ev_iz, u16, 16, r16, m16, rm, (u16)i->imm)                                       \
    COMPARE(name, ev_iz, u32, 32, r32, m32, rm, (u32)i->imm)                                       \
    COMPARE(name, ev_iz, u64, 64, r64, m64, rm, i->imm)
COMPARE_STORE_FORMS(cmp)
COMPARE_STORE_FORMS(test)
COMPARE(cmp, gb_eb, u8, 8, r, m, GET8(i->reg), rm)
COMPARE(cmp, gv_ev, u16, 16, r16, m16, GET16(i->reg), rm)
COMPARE(cmp, gv_ev, u32, 32, r32, m32, GET32(i->reg), rm)
COMPARE(cmp, gv_ev, u64, 64, r64, m64, GET64(i->reg), rm)

/* One operand. NOT changes no flags. */
#define CALC_inc(N) cc_inc##N(c, a)
#define CALC_dec(N) cc_dec##N(c, a)
#define CALC_neg(N) cc_sub##N(c, 0, a, 0)
#define CALC_not(N) ~a
#define UNARY_W(name, form, T, N, R, M)                                                            \
    void op_##name##_##form##_##R(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        T a = GET##N(i->rm);                                                                       \
        SET##N(i->rm, (T)CALC_##name(N));                                                          \
    }                                                                                              \
    void op_##name##_##form##_##M(struct cpu *c, const struct insn *i)                             \
    {                                                                                              \
        u64 off = ea_offset(c, i);                                                                 \
        T a, *host;                                                                                \
        if (unlikely(!rmw_load##N(c, i->seg, off, &a, &host))) return;                             \
        rmw_store##N(c, i->seg, off, host, (T)CALC_##name(N));                                     \
    }
#define UNARY(name)                                                                                \
    UNARY_W(name, eb, u8, 8, r, m)                                                                 \
    UNARY_W(name, ev, u16, 16, r16, m16)                                                           \
    UNARY_W(name, ev, u32, 32, r32, m32)                                                           \
    UNARY_W(name, ev, u64, 64, r64, m64)
UNARY(inc)
UNARY(dec)
UNARY(neg)
UNARY(not)

/* ---- multiplication ---- CF = OF = the upper half is not the extension of the lower one. */

void op_mul_eb(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!rm_read(c, i, OSZ8, &v)) return;
    u16 r = (u16)((u8)c->r[RAX] * v);
    set_reg16(c, RAX, r);
    cc_result(c, (u64)(i64)(i8)r, r >> 8, r >> 8);
}

void op_imul_eb(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!rm_read(c, i, OSZ8, &v)) return;
    i16 r = (i16)((i8)c->r[RAX] * (i8)v);
    set_reg16(c, RAX, (u16)r);
    cc_result(c, (u64)(i64)(i8)r, r != (i8)r, r != (i8)r);
}

#define MUL_WIDE(N, T, S, T2, S2)                                                                  \
    void op_mul_ev_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        T2 r = (T2)GET##N(RAX) * (T)v;                                                             \
        T high = (T)(r >> N);                                                                      \
        SET##N(RAX, (T)r);                                                                         \
        SET##N(RDX, high);                                                                         \
        cc_result(c, (u64)(i64)(S)r, high, high);                                                  \
    }                                                                                              \
    void op_imul_ev_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        S2 r = (S2)(S)GET##N(RAX) * (S)v;                                                          \
        bool big = r != (S)r;                                                                      \
        SET##N(RAX, (T)r);                                                                         \
        SET##N(RDX, (T)(r >> N));                                                                  \
        cc_result(c, (u64)(i64)(S)r, big, big);                                                    \
    }
MUL_WIDE(16, u16, i16, u32, i32)
MUL_WIDE(32, u32, i32, u64, i64)
MUL_WIDE(64, u64, i64, u128, __int128)

#define IMUL_CALC(N, S, S2, LEFT, RIGHT)                                                           \
    S2 r = (S2)(S)(LEFT) * (S)(RIGHT);                                                             \
    bool big = r != (S)r;                                                                          \
    SET##N(i->reg, (u##N)r);                                                                       \
    cc_result(c, (u64)(i64)(S)r, big, big)
#define IMUL_SHORT(N, S, S2)                                                                       \
    void op_imul_gv_ev_r##N(struct cpu *c, const struct insn *i)                                   \
    {                                                                                              \
        IMUL_CALC(N, S, S2, GET##N(i->reg), GET##N(i->rm));                                        \
    }                                                                                              \
    void op_imul_gv_ev_m##N(struct cpu *c, const struct insn *i)                                   \
    {                                                                                              \
        u##N v;                                                                                    \
        if (unlikely(!ld##N##_seg(c, i->seg, ea_offset(c, i), &v))) return;                        \
        IMUL_CALC(N, S, S2, GET##N(i->reg), v);                                                    \
    }                                                                                              \
    void op_imul_gv_ev_iz_r##N(struct cpu *c, const struct insn *i)                                \
    {                                                                                              \
        IMUL_CALC(N, S, S2, GET##N(i->rm), i->imm);                                                \
    }                                                                                              \
    void op_imul_gv_ev_iz_m##N(struct cpu *c, const struct insn *i)                                \
    {                                                                                              \
        u##N v;                                                                                    \
        if (unlikely(!ld##N##_seg(c, i->seg, ea_offset(c, i), &v))) return;                        \
        IMUL_CALC(N, S, S2, v, i->imm);                                                            \
    }
IMUL_SHORT(16, i16, i32)
IMUL_SHORT(32, i32, i64)
IMUL_SHORT(64, i64, __int128)

/* ---- division: #DE when the quotient does not fit; flags are undefined and stay ---- */

void op_div_eb(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!rm_read(c, i, OSZ8, &v)) return;
    u16 a = (u16)c->r[RAX];
    if (!v || a / v > 0xff) {
        exc_raise(c, EXC_DE);
        return;
    }
    set_reg16(c, RAX, (u16)((a % v) << 8 | a / v));
}

void op_idiv_eb(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (!rm_read(c, i, OSZ8, &v)) return;
    int a = (i16)c->r[RAX], b = (i8)v;
    if (!b || a / b != (i8)(a / b)) {
        exc_raise(c, EXC_DE);
        return;
    }
    set_reg16(c, RAX, (u16)((u8)(a % b) << 8 | (u8)(a / b)));
}

/* The most negative dividend divided by -1 must not reach the host's divide instruction. */
#define DIV_WIDE(N, T, S, T2, S2)                                                                  \
    void op_div_ev_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        T2 a = (T2)GET##N(RDX) << N | GET##N(RAX);                                                 \
        T b = (T)v;                                                                                \
        if (GET##N(RDX) >= b) { /* the quotient has more than N bits, or b is zero */              \
            exc_raise(c, EXC_DE);                                                                  \
            return;                                                                                \
        }                                                                                          \
        SET##N(RAX, (T)(a / b));                                                                   \
        SET##N(RDX, (T)(a % b));                                                                   \
    }                                                                                              \
    void op_idiv_ev_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        u64 v;                                                                                     \
        if (!rm_read(c, i, i->osz, &v)) return;                                                    \
        T2 raw = (T2)GET##N(RDX) << N | GET##N(RAX);                                               \
        S2 a = (S2)raw, b = (S)v;                                                                  \
        bool worst = b == -1 && raw == (T2)1 << (2 * N - 1);                                       \
        if (!b || worst || a / b != (S)(a / b)) {                                                  \
            exc_raise(c, EXC_DE);                                                                  \
            return;                                                                                \
        }                                                                                          \
        SET##N(RAX, (T)(a / b));                                                                   \
        SET##N(RDX, (T)(a % b));                                                                   \
    }
DIV_WIDE(16, u16, i16, u32, i32)
DIV_WIDE(32, u32, i32, u64, i64)
DIV_WIDE(64, u64, i64, u128, __int128)

/* ---- decimal arithmetic (SDM 2A: DAA, DAS, AAA, AAS, AAM, AAD) ---- */

static void set_decimal(struct cpu *c, u8 al, bool cf, bool af)
{
    cc_result(c, (u64)(i64)(i8)al, cf, false);
    if (af) c->cc_src |= CC_AUX;
}

static void decimal_adjust(struct cpu *c, bool subtract)
{
    u8 old = (u8)c->r[RAX], al = old;
    bool cf = cc_cf(c), af = (al & 15) > 9 || cc_af(c), high = old > 0x99 || cf;
    int step = (af ? 6 : 0) + (high ? 0x60 : 0);
    bool carry = high || (subtract && af && old < 6);
    al = (u8)(subtract ? al - step : al + step);
    *(u8 *)&c->r[RAX] = al;
    set_decimal(c, al, carry, af);
}

void op_daa(struct cpu *c, const struct insn *i)
{
    (void)i;
    decimal_adjust(c, false);
}

void op_das(struct cpu *c, const struct insn *i)
{
    (void)i;
    decimal_adjust(c, true);
}

static void ascii_adjust(struct cpu *c, int step)
{
    u16 ax = (u16)c->r[RAX];
    bool adjust = (ax & 15) > 9 || cc_af(c);
    if (adjust) ax = (u16)(ax + step);
    ax &= 0xff0f;
    set_reg16(c, RAX, ax);
    set_decimal(c, (u8)ax, adjust, adjust);
}

void op_aaa(struct cpu *c, const struct insn *i)
{
    (void)i;
    ascii_adjust(c, 0x106);
}

void op_aas(struct cpu *c, const struct insn *i)
{
    (void)i;
    ascii_adjust(c, -0x106);
}

void op_aam(struct cpu *c, const struct insn *i)
{
    u8 al = (u8)c->r[RAX], base = (u8)i->imm;
    if (!base) {
        exc_raise(c, EXC_DE);
        return;
    }
    set_reg16(c, RAX, (u16)((al / base) << 8 | al % base));
    set_decimal(c, al % base, false, false);
}

void op_aad(struct cpu *c, const struct insn *i)
{
    u8 al = (u8)((u8)c->r[RAX] + (u8)(c->r[RAX] >> 8) * (u8)i->imm);
    set_reg16(c, RAX, al);
    set_decimal(c, al, false, false);
}
