/* Shader model 4 programs at random, run by the interpreter on 64 lanes and by a plain evaluator here, one lane and one component at a time.
 *
 * Registers are of two classes, so that the payload of a NaN never becomes an integer: r0 to r3, x0, v0 and cb0[0..3] hold floats, r4 to
 * r7, x1, v1 and cb0[4..7] integers. All results must be equal bit by bit, except that any NaN equals any NaN in the first class.
 * Each runs with the host's widest vectors, with SSE2's, and with fewer lanes.
 * The evaluator works on the generated statements, not on tokens or on the interpreter's program. It flushes denormals itself. */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/sm4_rig.h"

Suite *sm4_random_suite(void);

/* ---- statements ---- */

enum kind { S_OP, S_IF, S_ELSE, S_ENDIF, S_LOOP, S_ENDLOOP, S_SWITCH, S_CASE, S_DEFAULT, S_ENDSWITCH, S_BREAK, S_CONTINUE, S_RET };
enum space { R, X, V, CB, IMM, NONE };
/* Classes of operands and results: F float, I integer, a letter per source behind the result. D: dot product of n components. */
struct op {
    const char *name, *classes;
    u8 two, dot, sat;
};
/* clang-format off */
static const struct op ops[] = {
    { "add", "FFF", 0, 0, 1 }, { "mul", "FFF", 0, 0, 1 }, { "mad", "FFFF", 0, 0, 1 }, { "div", "FFF", 0, 0, 1 }, { "dp2", "FFF", 0, 2, 1 },
    { "dp3", "FFF", 0, 3, 1 }, { "dp4", "FFF", 0, 4, 1 }, { "min", "FFF", 0, 0, 1 }, { "max", "FFF", 0, 0, 1 }, { "frc", "FF", 0, 0, 1 },
    { "rsq", "FF", 0, 0, 1 }, { "sqrt", "FF", 0, 0, 1 }, { "exp", "FF", 0, 0, 1 }, { "log", "FF", 0, 0, 1 }, { "round_ne", "FF", 0, 0, 1 },
    { "round_ni", "FF", 0, 0, 1 }, { "round_pi", "FF", 0, 0, 1 }, { "round_z", "FF", 0, 0, 1 }, { "mov", "FF", 0, 0, 1 },
    { "movc", "FIFF", 0, 0, 1 }, { "sincos", "FF", 1, 0, 1 }, { "itof", "FI", 0, 0, 1 }, { "utof", "FI", 0, 0, 1 },
    { "lt", "IFF", 0, 0, 0 }, { "ge", "IFF", 0, 0, 0 }, { "eq", "IFF", 0, 0, 0 }, { "ne", "IFF", 0, 0, 0 }, { "ftoi", "IF", 0, 0, 0 },
    { "ftou", "IF", 0, 0, 0 }, { "mov", "II", 0, 0, 0 }, { "movc", "IIII", 0, 0, 0 }, { "iadd", "III", 0, 0, 0 }, { "imad", "IIII", 0, 0, 0 },
    { "imax", "III", 0, 0, 0 }, { "imin", "III", 0, 0, 0 }, { "umax", "III", 0, 0, 0 }, { "umin", "III", 0, 0, 0 }, { "imul", "III", 1, 0, 0 },
    { "umul", "III", 1, 0, 0 }, { "udiv", "III", 1, 0, 0 }, { "ineg", "II", 0, 0, 0 }, { "not", "II", 0, 0, 0 }, { "and", "III", 0, 0, 0 },
    { "or", "III", 0, 0, 0 }, { "xor", "III", 0, 0, 0 }, { "ishl", "III", 0, 0, 0 }, { "ishr", "III", 0, 0, 0 }, { "ushr", "III", 0, 0, 0 },
    { "ieq", "III", 0, 0, 0 }, { "ine", "III", 0, 0, 0 }, { "ilt", "III", 0, 0, 0 }, { "ige", "III", 0, 0, 0 }, { "ult", "III", 0, 0, 0 },
    { "uge", "III", 0, 0, 0 }, { "umad", "IIII", 0, 0, 0 }, { "rcp", "FF", 0, 0, 1 }, { "uaddc", "III", 1, 0, 0 }, { "usubb", "III", 1, 0, 0 },
    { "countbits", "II", 0, 0, 0 }, { "firstbit_hi", "II", 0, 0, 0 }, { "firstbit_lo", "II", 0, 0, 0 }, { "firstbit_shi", "II", 0, 0, 0 },
    { "ubfe", "IIII", 0, 0, 0 }, { "ibfe", "IIII", 0, 0, 0 }, { "bfi", "IIIII", 0, 0, 0 }, { "bfrev", "II", 0, 0, 0 },
    { "swapc", "FIFF", 1, 0, 0 }, { "f16tof32", "FI", 0, 0, 0 },
};
/* clang-format on */

struct operand {
    enum space space;
    bool ints, neg, abs, relative;
    unsigned index, rel_reg, rel_component; /* relative: + r[rel_reg].component */
    u8 swizzle[4];
    u8 mask; /* of a destination */
    u32 imm[4];
};
struct stmt {
    enum kind kind;
    const struct op *op;
    struct operand dst[2], src[4];
    bool sat, conditional, nonzero;
    u32 value; /* case */
};
struct program {
    struct stmt s[256];
    u32 n, loops;
};

/* ---- making one ---- */

static u64 seed;
static u32 rnd(u32 n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(seed >> 33) % n;
}

static u32 random_float(void)
{
    static const u32 special[] = { 0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x00000001, 0x80000001,
                                   0x007fffff, 0x00800000, 0x7f7fffff, 0x4b000001, 0x4f000000, 0xcf000000, 0x4f800000, 0x3f000000, 0x40200000 };
    float f;
    u32 bits;
    if (!rnd(3)) return special[rnd(LEN(special))];
    f = ((float)rnd(65536) - 32768.0f) / (float)(1u << rnd(16));
    memcpy(&bits, &f, 4);
    return rnd(8) ? bits : rnd(0x7fffffff);
}

static u32 random_int(void)
{
    static const u32 special[] = { 0, 1, 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe };
    return rnd(2) ? special[rnd(LEN(special))] : rnd(2) ? rnd(8) : rnd(0x7fffffff) * 2 + rnd(2);
}

static void random_source(struct operand *o, bool ints, bool modifiers)
{
    memset(o, 0, sizeof(*o));
    o->ints = ints;
    o->space = (enum space)rnd(5);
    o->index = rnd(4);
    if (o->space == V) o->index = 0;
    if (modifiers) {
        o->neg = !rnd(4);
        o->abs = !ints && !rnd(4);
    }
    for (unsigned k = 0; k < 4; k++) {
        o->swizzle[k] = (u8)rnd(4);
        o->imm[k] = ints ? random_int() : random_float();
    }
    if ((o->space == X || o->space == CB) && !rnd(3)) {
        o->relative = true;
        o->rel_reg = 4 + rnd(4);
        o->rel_component = rnd(4);
    }
    if (o->space == IMM)
        for (unsigned k = 0; k < 4; k++) o->swizzle[k] = (u8)k;
}

static void random_destination(struct operand *o, bool ints)
{
    memset(o, 0, sizeof(*o));
    o->ints = ints;
    o->space = rnd(4) ? R : X;
    o->index = rnd(4);
    o->mask = (u8)(1 + rnd(15));
    if (o->space == X && !rnd(2)) {
        o->relative = true;
        o->rel_reg = 4 + rnd(4);
        o->rel_component = rnd(4);
    }
}

static bool may_negate(const char *name)
{
    return !strcmp(name, "iadd") || !strcmp(name, "imad") || !strcmp(name, "imax") || !strcmp(name, "ilt") || !strcmp(name, "imul");
}

static struct stmt *add(struct program *p, enum kind kind)
{
    struct stmt *s = &p->s[p->n++];
    memset(s, 0, sizeof(*s));
    s->kind = kind;
    s->nonzero = rnd(2);
    return s;
}

static void random_op(struct program *p)
{
    struct stmt *s = add(p, S_OP);
    s->op = &ops[rnd(LEN(ops))];
    s->sat = s->op->sat && !rnd(5);
    random_destination(&s->dst[0], s->op->classes[0] == 'I');
    s->dst[1].space = NONE;
    if (s->op->two) {
        random_destination(&s->dst[1], s->op->classes[0] == 'I');
        if (!rnd(4)) s->dst[rnd(2)].space = NONE;
    }
    for (unsigned k = 0; s->op->classes[k + 1]; k++) {
        bool ints = s->op->classes[k + 1] == 'I';
        random_source(&s->src[k], ints, !ints || may_negate(s->op->name));
    }
}

static void random_block(struct program *p, unsigned depth, bool in_loop, bool in_switch);

/* An integer register's component decides. */
static void condition(struct stmt *s)
{
    random_source(&s->src[0], true, false);
    for (unsigned k = 1; k < 4; k++) s->src[0].swizzle[k] = s->src[0].swizzle[0];
}

static void random_switch(struct program *p, unsigned depth, bool in_loop)
{
    condition(add(p, S_SWITCH));
    unsigned n = 1 + rnd(4), fallback = rnd(n * 2);
    for (unsigned k = 0; k < n; k++) {
        add(p, S_CASE)->value = k == 3 ? 0xffffffff : k;
        if (k == fallback) add(p, S_DEFAULT);
        if (rnd(4)) random_block(p, depth + 1, in_loop, true);
        if (rnd(3)) add(p, S_BREAK);
    }
    add(p, S_ENDSWITCH);
}

/* A loop whose counter no other instruction knows: r8.x, r8.y, ... by the number of the loop. */
static void random_loop(struct program *p, unsigned depth)
{
    struct stmt *s = add(p, S_LOOP);
    s->value = p->loops++;
    random_block(p, depth + 1, true, false);
    add(p, S_ENDLOOP)->value = s->value;
}

static void random_block(struct program *p, unsigned depth, bool in_loop, bool in_switch)
{
    unsigned n = 1 + rnd(4);
    for (unsigned k = 0; k < n && p->n < 180; k++) {
        unsigned what = depth < 4 ? rnd(12) : 11;
        if (what == 0) {
            condition(add(p, S_IF));
            random_block(p, depth + 1, in_loop, in_switch);
            if (rnd(2)) {
                add(p, S_ELSE);
                random_block(p, depth + 1, in_loop, in_switch);
            }
            add(p, S_ENDIF);
        } else if (what == 1 && p->loops < 4) {
            random_loop(p, depth);
        } else if (what == 2) {
            random_switch(p, depth, in_loop);
        } else if (what == 3 && (in_loop || in_switch)) {
            struct stmt *s = add(p, in_loop && rnd(2) ? S_CONTINUE : S_BREAK);
            s->conditional = true;
            condition(s);
        } else if (what == 4 && !rnd(4)) {
            struct stmt *s = add(p, S_RET);
            s->conditional = true;
            condition(s);
        } else {
            random_op(p);
        }
    }
}

/* ---- as text ---- */

static void put(char *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(char *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t + strlen(t), 32768 - strlen(t), fmt, ap);
    va_end(ap);
}

static void print_operand(char *t, const struct operand *o, bool destination)
{
    static const char *const names[2][4] = { { "r", "x0", "v0", "cb0" }, { "r", "x1", "v1", "cb0" } };
    unsigned index = o->index + (o->ints && (o->space == R || o->space == CB) ? 4 : 0);
    if (o->space == NONE) {
        put(t, " null,");
        return;
    }
    put(t, " %s%s", o->neg ? "-" : "", o->abs ? "|" : "");
    if (o->space == IMM)
        put(t, "l(0x%x, 0x%x, 0x%x, 0x%x)", o->imm[0], o->imm[1], o->imm[2], o->imm[3]);
    else if (o->space == V)
        put(t, "%s", names[o->ints][V]);
    else if (o->space == R)
        put(t, "r%u", index);
    else if (o->relative)
        put(t, "%s[r%u.%c + %u]", names[o->ints][o->space], o->rel_reg, "xyzw"[o->rel_component], index);
    else
        put(t, "%s[%u]", names[o->ints][o->space], index);
    if (o->space != IMM) put(t, ".");
    for (unsigned k = 0; k < 4 && o->space != IMM; k++) {
        if (!destination) put(t, "%c", "xyzw"[o->swizzle[k]]);
        else if (o->mask >> k & 1) put(t, "%c", "xyzw"[k]);
    }
    put(t, "%s,", o->abs ? "|" : "");
}

static void print_statement(char *t, const struct stmt *s)
{
    static const char *const names[] = { [S_IF] = "if", [S_ELSE] = "else", [S_ENDIF] = "endif", [S_SWITCH] = "switch", [S_DEFAULT] = "default",
                                         [S_ENDSWITCH] = "endswitch" };
    bool tests = s->conditional || s->kind == S_IF;
    switch (s->kind) {
    case S_OP:
        put(t, "%s%s", s->op->name, s->sat ? "_sat" : "");
        print_operand(t, &s->dst[0], true);
        if (s->op->two) print_operand(t, &s->dst[1], true);
        for (unsigned k = 0; s->op->classes[k + 1]; k++) print_operand(t, &s->src[k], false);
        break;
    case S_LOOP:
        put(t, "mov r8.%c, l(0)\nloop\nuge r9.x, r8.%c, l(3)\nbreakc_nz r9.x\niadd r8.%c, r8.%c, l(1)", "xyzw"[s->value], "xyzw"[s->value],
            "xyzw"[s->value], "xyzw"[s->value]);
        break;
    case S_ENDLOOP: put(t, "endloop"); break;
    case S_CASE: put(t, "case l(0x%x)", s->value); break;
    case S_BREAK: put(t, s->conditional ? "breakc" : "break"); break;
    case S_CONTINUE: put(t, "continuec"); break;
    case S_RET: put(t, "retc"); break;
    default: put(t, "%s", names[s->kind]); break;
    }
    if (tests) put(t, s->nonzero ? "_nz" : "_z");
    if (tests || s->kind == S_SWITCH) {
        struct operand o = s->src[0];
        if (o.space == IMM)
            put(t, " l(0x%x)", o.imm[o.swizzle[0]]);
        else
            print_operand(t, &o, false);
    }
    put(t, "\n");
}

static bool returns(const struct program *p)
{
    for (u32 k = 0; k < p->n; k++) {
        if (p->s[k].kind == S_RET) return true;
    }
    return false;
}

/* The statements are a subroutine when they may return, for the results must be written all the same. */
static void print_program(char *t, const struct program *p)
{
    bool calls = returns(p) || p->n % 3 == 0;
    *t = 0;
    put(t, "vs_5_0\n.in FLOATS v0.xyzw\n.in INTS v1.xyzw uint\ndcl_constantbuffer cb0[8], dynamicIndexed\ndcl_input v0.xyzw\n"
           "dcl_input v1.xyzw\n");
    for (unsigned k = 0; k < 16; k++) put(t, "dcl_output o%u.xyzw\n", k);
    put(t, "dcl_temps 10\ndcl_indexable_temp x0[4], 4\ndcl_indexable_temp x1[4], 4\n");
    if (calls) put(t, "call label0\n");
    for (u32 k = 0; k < p->n && !calls; k++) print_statement(t, &p->s[k]);
    for (unsigned k = 0; k < 8; k++) put(t, "mov o%u.xyzw, r%u.xyzw\n", k, k);
    for (unsigned k = 0; k < 8; k++) put(t, "mov o%u.xyzw, x%u[%u].xyzw\n", 8 + k, k / 4, k % 4);
    put(t, "ret\n");
    if (calls) put(t, "label label0\n");
    for (u32 k = 0; k < p->n && calls; k++) print_statement(t, &p->s[k]);
    put(t, "ret\n");
}

/* ---- the evaluator: one lane ---- */

struct lane {
    u32 r[8][4], x[2][4][4], v[2][4];
    u32 (*cb)[4];
};
enum flow { NORMAL, BROKEN, CONTINUED, RETURNED };

static float flush(u32 bits)
{
    float f;
    if (!(bits & 0x7f800000)) bits &= 0x80000000;
    memcpy(&f, &bits, 4);
    return f;
}

static u32 bits_of(float f)
{
    u32 b;
    memcpy(&b, &f, 4);
    return b & 0x7f800000 ? b : b & 0x80000000;
}

static i64 address(const struct lane *l, const struct operand *o)
{
    return (i64)o->index + (o->relative ? (i32)l->r[o->rel_reg][o->rel_component] : 0);
}

/* The register of an operand, or NULL when a computed index leaves what there is. */
static u32 *place(struct lane *l, const struct operand *o)
{
    i64 n = address(l, o);
    switch (o->space) {
    case R: return l->r[o->index + 4 * o->ints];
    case X: return n >= 0 && n < 4 ? l->x[o->ints][n] : NULL;
    case V: return l->v[o->ints];
    case CB: return n + 4 * o->ints >= 0 && n + 4 * o->ints < 16 ? l->cb[n + 4 * o->ints] : NULL;
    default: return NULL;
    }
}

static u32 get(struct lane *l, const struct operand *o, unsigned c, bool integer)
{
    const u32 *reg = o->space == IMM ? o->imm : place(l, o);
    u32 v = reg ? reg[o->swizzle[c]] : 0;
    if (o->abs) v &= 0x7fffffff;
    if (o->neg) v = integer ? 0u - v : v ^ 0x80000000;
    return v;
}

static u32 one_bit_up(u32 v) /* places from the top of the highest one */
{
    for (u32 k = 0; k < 32; k++) {
        if (v >> (31 - k) & 1) return k;
    }
    return 0xffffffff;
}

static double half_value(u32 h)
{
    double m = h & 0x3ff;
    int e = (int)(h >> 10 & 31);
    double v = e == 31 ? (m != 0.0 ? NAN : INFINITY) : e ? ldexp(1024.0 + m, e - 25) : ldexp(m, -24);
    return h & 0x8000 ? -v : v;
}

static u32 float_result(const char *n, const u32 *v)
{
    float x = flush(v[0]), y = flush(v[1]), z = flush(v[2]);
    if (!strcmp(n, "add")) return bits_of(x + y);
    if (!strcmp(n, "mul")) return bits_of(x * y);
    if (!strcmp(n, "mad")) return bits_of(flush(bits_of(x * y)) + z);
    if (!strcmp(n, "div")) return bits_of(x / y);
    if (!strcmp(n, "min")) return isnan(y) || x < y ? v[0] : v[1];
    if (!strcmp(n, "max")) return isnan(y) || x >= y ? v[0] : v[1];
    if (!strcmp(n, "frc")) return bits_of(x - floorf(x));
    if (!strcmp(n, "rcp")) return bits_of(1.0f / x);
    if (!strcmp(n, "rsq")) return bits_of(1.0f / sqrtf(x));
    if (!strcmp(n, "sqrt")) return bits_of(sqrtf(x));
    if (!strcmp(n, "exp")) return bits_of(ir_exp2(x));
    if (!strcmp(n, "log")) return bits_of(ir_log2(x));
    if (!strcmp(n, "round_ne")) return bits_of(nearbyintf(x));
    if (!strcmp(n, "round_ni")) return bits_of(floorf(x));
    if (!strcmp(n, "round_pi")) return bits_of(ceilf(x));
    if (!strcmp(n, "round_z")) return bits_of(truncf(x));
    if (!strcmp(n, "itof")) return bits_of((float)(i32)v[0]);
    if (!strcmp(n, "utof")) return bits_of((float)v[0]);
    if (!strcmp(n, "f16tof32")) return bits_of((float)half_value(v[0]));
    if (!strcmp(n, "movc")) return v[0] ? v[1] : v[2];
    return v[0]; /* mov */
}

static u32 truth(bool b)
{
    return b ? 0xffffffff : 0;
}

static u32 from_float(const char *n, const u32 *v)
{
    float x = flush(v[0]), y = flush(v[1]);
    if (!strcmp(n, "lt")) return truth(x < y);
    if (!strcmp(n, "ge")) return truth(x >= y);
    if (!strcmp(n, "eq")) return truth(x == y);
    if (!strcmp(n, "ne")) return truth(!(x == y));
    double d = isnan(x) ? 0.0 : trunc((double)x), low = *n && n[3] == 'u' ? 0.0 : -2147483648.0, high = n[3] == 'u' ? 4294967295.0 : 2147483647.0;
    return (u32)(i64)(d < low ? low : d > high ? high : d);
}

static u32 field(u32 width, u32 offset, u32 v, bool is_signed)
{
    u64 mask = (1ull << (width & 31)) - 1;
    width &= 31;
    offset &= 31;
    if (width + offset < 32) {
        u32 f = (u32)(v >> offset & mask);
        return is_signed && width && f >> (width - 1) ? f | ~(u32)mask : f;
    }
    if (!width) return 0;
    return is_signed ? (u32)((i32)v >> offset) : v >> offset;
}

static u32 integer_result(const char *n, const u32 *v)
{
    u32 x = v[0], y = v[1], z = v[2], r = 0;
    if (!strcmp(n, "mov")) return x;
    if (!strcmp(n, "movc")) return x ? y : z;
    if (!strcmp(n, "iadd")) return x + y;
    if (!strcmp(n, "imad") || !strcmp(n, "umad")) return x * y + z;
    if (!strcmp(n, "imax")) return (i32)x > (i32)y ? x : y;
    if (!strcmp(n, "imin")) return (i32)x < (i32)y ? x : y;
    if (!strcmp(n, "umax")) return x > y ? x : y;
    if (!strcmp(n, "umin")) return x < y ? x : y;
    if (!strcmp(n, "ineg")) return 0u - x;
    if (!strcmp(n, "not")) return ~x;
    if (!strcmp(n, "and")) return x & y;
    if (!strcmp(n, "or")) return x | y;
    if (!strcmp(n, "xor")) return x ^ y;
    if (!strcmp(n, "ishl")) return x << (y & 31);
    if (!strcmp(n, "ishr")) return (u32)((i32)x >> (y & 31));
    if (!strcmp(n, "ushr")) return x >> (y & 31);
    if (!strcmp(n, "ieq")) return truth(x == y);
    if (!strcmp(n, "ine")) return truth(x != y);
    if (!strcmp(n, "ilt")) return truth((i32)x < (i32)y);
    if (!strcmp(n, "ige")) return truth((i32)x >= (i32)y);
    if (!strcmp(n, "ult")) return truth(x < y);
    if (!strcmp(n, "uge")) return truth(x >= y);
    if (!strcmp(n, "ubfe")) return field(x, y, z, false);
    if (!strcmp(n, "ibfe")) return field(x, y, z, true);
    if (!strcmp(n, "firstbit_hi")) return one_bit_up(x);
    if (!strcmp(n, "firstbit_shi")) return one_bit_up(x >> 31 ? ~x : x);
    if (!strcmp(n, "firstbit_lo")) {
        for (u32 k = 0; k < 32; k++) {
            if (x >> k & 1) return k;
        }
        return 0xffffffff;
    }
    if (!strcmp(n, "countbits")) {
        for (u32 k = 0; k < 32; k++) r += x >> k & 1;
    } else if (!strcmp(n, "bfrev")) {
        for (u32 k = 0; k < 32; k++) r |= (x >> k & 1) << (31 - k);
    } else { /* bfi */
        u32 mask = (u32)((1ull << (x & 31)) - 1) << (y & 31);
        r = (z << (y & 31) & mask) | (v[3] & ~mask);
    }
    return r;
}

static void two_results(const char *n, const u32 *v, u32 *one, u32 *two)
{
    u64 product = !strcmp(n, "imul") ? (u64)((i64)(i32)v[0] * (i32)v[1]) : (u64)v[0] * v[1];
    if (!strcmp(n, "udiv")) {
        *one = v[1] ? v[0] / v[1] : 0xffffffff;
        *two = v[1] ? v[0] % v[1] : 0xffffffff;
    } else if (!strcmp(n, "uaddc")) {
        *one = v[0] + v[1];
        *two = ((u64)v[0] + v[1]) >> 32;
    } else if (!strcmp(n, "usubb")) {
        *one = v[0] - v[1];
        *two = v[1] > v[0];
    } else if (!strcmp(n, "swapc")) {
        *one = v[0] ? v[2] : v[1];
        *two = v[0] ? v[1] : v[2];
    } else if (!strcmp(n, "sincos")) {
        *one = bits_of(ir_sin(flush(v[0])));
        *two = bits_of(ir_cos(flush(v[0])));
    } else {
        *one = (u32)(product >> 32);
        *two = (u32)product;
    }
}

static u32 saturate(u32 bits)
{
    float f = flush(bits);
    return f >= 1.0f ? 0x3f800000 : f > 0.0f ? bits : 0;
}

static u32 dot(struct lane *l, const struct stmt *s)
{
    float sum = 0.0f;
    for (unsigned c = 0; c < s->op->dot; c++) {
        float product = flush(bits_of(flush(get(l, &s->src[0], c, false)) * flush(get(l, &s->src[1], c, false))));
        sum = c ? flush(bits_of(sum + product)) : product;
    }
    return bits_of(sum);
}

static void operate(struct lane *l, const struct stmt *s)
{
    u32 out[2][4], v[4] = { 0 };
    bool to_int = s->op->classes[0] == 'I', from_int = s->op->classes[1] == 'I';
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned k = 0; s->op->classes[k + 1]; k++) v[k] = get(l, &s->src[k], c, s->op->classes[k + 1] == 'I' && strcmp(s->op->name, "mov"));
        if (s->op->two) two_results(s->op->name, v, &out[0][c], &out[1][c]);
        else if (s->op->dot) out[0][c] = dot(l, s);
        else if (!to_int) out[0][c] = float_result(s->op->name, v);
        else out[0][c] = from_int ? integer_result(s->op->name, v) : from_float(s->op->name, v);
    }
    u32 *at[2] = { s->dst[0].space == NONE ? NULL : place(l, &s->dst[0]), s->dst[1].space == NONE ? NULL : place(l, &s->dst[1]) };
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned c = 0; c < 4 && at[k]; c++) {
            if (s->dst[k].mask >> c & 1) at[k][c] = s->sat ? saturate(out[k][c]) : out[k][c];
        }
    }
}

/* The statement that ends the block which begins at `at`, or its else. */
static u32 end_of(const struct program *p, u32 at, bool or_else)
{
    unsigned depth = 0;
    for (u32 k = at + 1;; k++) {
        enum kind kind = p->s[k].kind;
        if (!depth && (kind == S_ENDIF || kind == S_ENDLOOP || kind == S_ENDSWITCH || (or_else && kind == S_ELSE))) return k;
        if (kind == S_IF || kind == S_LOOP || kind == S_SWITCH) depth++;
        if (kind == S_ENDIF || kind == S_ENDLOOP || kind == S_ENDSWITCH) depth--;
    }
}

static bool holds(struct lane *l, const struct stmt *s)
{
    return (get(l, &s->src[0], 0, true) != 0) == s->nonzero;
}

static enum flow execute(struct lane *l, const struct program *p, u32 from, u32 to);

static enum flow run_loop(struct lane *l, const struct program *p, u32 at, u32 end)
{
    for (u32 k = 0; k < 3; k++) {
        enum flow f = execute(l, p, at + 1, end);
        if (f == RETURNED) return f;
        if (f == BROKEN) break;
    }
    return NORMAL;
}

static enum flow run_switch(struct lane *l, const struct program *p, u32 at, u32 end)
{
    u32 value = get(l, &p->s[at].src[0], 0, true), fallback = end, start = end, depth = 0;
    for (u32 k = at + 1; k < end; k++) {
        enum kind kind = p->s[k].kind;
        if (!depth && kind == S_CASE && p->s[k].value == value && start == end) start = k;
        if (!depth && kind == S_DEFAULT) fallback = k;
        if (kind == S_IF || kind == S_LOOP || kind == S_SWITCH) depth++;
        if (kind == S_ENDIF || kind == S_ENDLOOP || kind == S_ENDSWITCH) depth--;
    }
    enum flow f = execute(l, p, start == end ? fallback : start, end);
    return f == BROKEN ? NORMAL : f;
}

static enum flow execute(struct lane *l, const struct program *p, u32 from, u32 to)
{
    for (u32 k = from; k < to; k++) {
        const struct stmt *s = &p->s[k];
        enum flow f = NORMAL;
        u32 end, middle;
        switch (s->kind) {
        case S_OP: operate(l, s); break;
        case S_IF:
            end = end_of(p, k, false);
            middle = end_of(p, k, true);
            f = holds(l, s) ? execute(l, p, k + 1, middle) : middle == end ? NORMAL : execute(l, p, middle + 1, end);
            k = end;
            break;
        case S_LOOP:
            end = end_of(p, k, false);
            f = run_loop(l, p, k, end);
            k = end;
            break;
        case S_SWITCH:
            end = end_of(p, k, false);
            f = run_switch(l, p, k, end);
            k = end;
            break;
        case S_BREAK: f = !s->conditional || holds(l, s) ? BROKEN : NORMAL; break;
        case S_CONTINUE: f = holds(l, s) ? CONTINUED : NORMAL; break;
        case S_RET: f = holds(l, s) ? RETURNED : NORMAL; break;
        default: break;
        }
        if (f != NORMAL) return f;
    }
    return NORMAL;
}

/* ---- the comparison ---- */

static bool same(u32 x, u32 y, bool ints)
{
    if (!ints && (x & 0x7fffffff) > 0x7f800000 && (y & 0x7fffffff) > 0x7f800000) return true;
    return x == y;
}

static void compare(const struct sm4_rig *g, const struct lane *want, unsigned lane, const char *text)
{
    for (unsigned k = 0; k < 16; k++) {
        bool ints = k / 4 == 1 || k / 4 == 3;
        const u32 *reg = k < 8 ? want->r[k] : want->x[k / 4 - 2][k % 4];
        for (unsigned c = 0; c < 4; c++) {
            u32 got = g->s->outputs[k].c[c][lane];
            ck_assert_msg(same(got, reg[c], ints), "lane %u: o%u.%c is %08x, should be %08x\n%s", lane, k, "xyzw"[c], got, reg[c], text);
        }
    }
}

static void one_program(u64 number)
{
    static struct program p;
    static char text[32768];
    struct sm4_rig g;
    struct lane lanes[LANES];
    seed = number * 2654435761u + 12345;
    memset(&p, 0, sizeof(p));
    random_block(&p, 0, false, false);
    while (p.n < 12) random_op(&p);
    print_program(text, &p);
    sm4_rig_up(&g, text);
    for (unsigned k = 0; k < 16; k++) {
        for (unsigned c = 0; c < 4; c++) g.cb[k][c] = k < 4 ? random_float() : k < 8 ? random_int() : k == 8;
    }
    memset(lanes, 0, sizeof(lanes));
    for (unsigned l = 0; l < LANES; l++) {
        for (unsigned c = 0; c < 4; c++) {
            lanes[l].v[0][c] = g.s->inputs[0].c[c][l] = random_float();
            lanes[l].v[1][c] = g.s->inputs[1].c[c][l] = random_int();
        }
        lanes[l].cb = g.cb;
        execute(&lanes[l], &p, 0, p.n);
    }
    for (unsigned round = 0; round < 3; round++) { /* registers keep what the round before left in them */
        u64 active = round < 2 ? ~0ull : (1ull << (1 + rnd(63))) - 1;
        g.env.sse2_only = round == 1;
        g.s->active = active;
        ck_assert(ir_run(g.p, &g.env, g.s));
        for (unsigned l = 0; l < LANES; l++) {
            if (active >> l & 1) compare(&g, &lanes[l], l, text);
        }
    }
    sm4_rig_down(&g);
}

START_TEST(sm4_random_programs_agree_with_scalar_evaluation)
{
    const char *n = getenv("SM4_PROGRAMS");
    u64 count = n ? strtoull(n, NULL, 0) : 1000;
    for (u64 k = 0; k < count; k++) one_program(k);
}
END_TEST

Suite *sm4_random_suite(void)
{
    Suite *s = suite_create("sm4_random");
    TCase *t = tcase_create("programs");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, sm4_random_programs_agree_with_scalar_evaluation);
    suite_add_tcase(s, t);
    return s;
}
