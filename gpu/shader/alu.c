/* Arithmetic of the interpreter (alu.h): operands are fetched into arrays of 64, an operation is
 * one loop over them, results are stored under a mask.
 *
 * Compiled twice, for SSE2 and for AVX2 (simd.h), without contraction; every result is the IEEE one
 * of its operation. Frequent operations are written with vectors and go straight into their
 * destination; the others are loops that the compiler vectorises, or not. Document: the contract's
 * part "executor", sections 7.8 and 9. */
#include "gpu/shader/alu.h"

#include <float.h>
#include <math.h>

#include "gpu/shader/plan.h"
#include "gpu/simd.h"

struct operand {
    const u32 *c[4];   /* per component of the destination or, for dot products, of the vector */
    unsigned step;     /* ~0: an array of lanes; 0: one vector that stands for all of them */
    struct lanes copy; /* where it had to be computed */
};

static inline const float *F(const struct operand *o, unsigned c)
{
    return (const float *)o->c[c];
}

/* ---- constants ---- */

static const struct ir_def *find_def(const struct alu *a, u8 file, i64 index)
{
    if (index < 0 || index >= 256) return NULL;
    u16 at = a->p->def_at[file - IR_CONST][index];
    return at ? &a->p->defs[at - 1] : NULL;
}

static void integer_constant(const struct alu *a, u32 index, i32 v[4])
{
    const struct ir_def *d = find_def(a, IR_CONST_I, index);
    if (d)
        memcpy(v, d->value, 16);
    else
        memcpy(v, a->env->integers[index & 255], 16);
}

/* Any index: outside of what exists it reads 0. */
static void constant(const struct alu *a, const struct ir_src *s, i64 index, u32 v[4])
{
    const struct ir_program *p = a->p;
    const struct ir_def *d = p->def_count && (s->file == IR_CONST || s->file == IR_CONST_B)
                                 ? find_def(a, s->file, index)
                                 : NULL;
    memset(v, 0, 16);
    if (d) {
        memcpy(v, d->value, 16);
        return;
    }
    switch (s->file) {
    case IR_CONST:
        if (index >= 0 && index < (i64)a->env->constant_count)
            memcpy(v, a->env->constants[index], 16);
        break;
    case IR_CONST_I: integer_constant(a, (u32)index, (i32 *)v); break;
    case IR_CONST_B: v[0] = v[1] = v[2] = v[3] = a->env->bools[index & 255] ? 0xffffffff : 0; break;
    case IR_CB:
        if (index >= 0 && index < 4096 && s->slot < ACMD_CONSTANT_BUFFERS &&
            a->env->cb[s->slot].data) {
            u64 at = (u64)index * 16, size = a->env->cb[s->slot].size;
            if (at < size) memcpy(v, a->env->cb[s->slot].data + at, MIN(16, size - at));
        }
        break;
    case IR_IMM:
        if (index >= 0 && index < p->immediate_count) memcpy(v, p->immediates[index], 16);
        break;
    case IR_ICB:
        if (index >= 0 && index < p->icb_count) memcpy(v, p->immediates[p->icb_first + index], 16);
        break;
    case IR_AL: v[0] = v[1] = v[2] = v[3] = (u32)a->al; break;
    default: break;
    }
}

/* ---- operands ---- */

/* The register as it stands, or NULL when it is a constant. first and count: what relative indices
 * may reach. */
static struct lanes *reg(struct alu *a, u8 file, u16 slot, u16 index, struct lanes **first,
                         u32 *count)
{
    const struct ir_program *p = a->p;
    switch (file) {
    case IR_TEMP: *first = a->s->temps, *count = p->temps; break;
    case IR_INPUT: *first = a->s->inputs, *count = IR_MAX_INPUTS; break;
    case IR_OUTPUT: *first = a->s->outputs, *count = IR_MAX_OUTPUTS; break;
    case IR_SPECIAL: *first = a->s->special, *count = IR_SP_COUNT; break;
    case IR_ARRAY:
        *first = a->s->arrays + p->arrays[slot].first, *count = p->arrays[slot].size;
        break;
    case IR_ADDR: *first = &a->addr, *count = 1, index = 0; break;
    case IR_PRED: *first = &a->pred, *count = 1, index = 0; break;
    default: return NULL;
    }
    return index < *count ? *first + index : *first;
}

static i64 relative_index(struct alu *a, const struct ir_relative *r, unsigned lane)
{
    if (r->file == IR_AL) return a->al;
    const struct lanes *l = r->file == IR_ADDR ? &a->addr : &a->s->temps[r->index];
    return (i32)l->c[r->component][lane];
}

static void fetch_relative(struct alu *a, const struct ir_src *s, struct operand *o)
{
    const unsigned n = a->lanes;
    struct lanes *first = NULL;
    u32 count = 0, v[4];
    o->step = ~0u;
    bool is_reg = reg(a, s->file, s->slot, s->index, &first, &count) != NULL;
    for (unsigned l = 0; l < n; l++) {
        i64 index = s->index + relative_index(a, &s->rel, l);
        if (!is_reg) constant(a, s, index, v);
        for (unsigned c = 0; c < 4; c++) {
            unsigned from = s->swizzle >> (2 * c) & 3;
            o->copy.c[c][l] = !is_reg                       ? v[from]
                              : index >= 0 && index < count ? first[index].c[from][l]
                                                            : 0;
        }
    }
    for (unsigned c = 0; c < 4; c++) o->c[c] = o->copy.c[c];
}

/* Components of `mask` only. */
static void fetch_plain(struct alu *a, const struct ir_src *s, unsigned mask, bool narrow,
                        struct operand *o)
{
    struct lanes *first;
    u32 count, v[4];
    const struct lanes *r = reg(a, s->file, s->slot, s->index, &first, &count);
    if (!r) constant(a, s, s->index, v);
    o->step = r || !narrow ? ~0u : 0;
    const unsigned n = o->step ? a->lanes : VW;
    for (unsigned c = 0; c < 4; c++) {
        unsigned from = s->swizzle >> (2 * c) & 3;
        o->c[c] = r ? r->c[from] : o->copy.c[c];
        if (r || !(mask >> c & 1)) continue;
        vi value = vi_set((i32)v[from]);
        for (unsigned l = 0; l < n; l += VW) vi_store(o->copy.c[c] + l, value);
    }
}

/* One component; z and w are the divisors of IR_MOD_DZ and IR_MOD_DW. */
static void modify_component(const struct ir_src *s, const float *in, const float *z,
                             const float *w, float *to, unsigned n)
{
    const vf zero = v_set(0.0f), one = v_set(1.0f);
    const vi sign = vi_set(s->neg ? INT32_MIN : 0), keep = vi_set(s->abs ? INT32_MAX : -1),
             invert = vi_set(s->modifier == IR_MOD_NOT ? -1 : 0);
    for (unsigned l = 0; l < n; l += VW) {
        vf v = v_load(in + l);
        switch (s->modifier) {
        case IR_MOD_BIAS: v = v - v_set(0.5f); break;
        case IR_MOD_SIGN: v = v_set(2.0f) * v - one; break;
        case IR_MOD_COMP: v = one - v; break;
        case IR_MOD_X2: v = v * v_set(2.0f); break;
        case IR_MOD_DZ: v = v_select((vi)(v_load(z + l) == zero), one, v / v_load(z + l)); break;
        case IR_MOD_DW: v = v_select((vi)(v_load(w + l) == zero), one, v / v_load(w + l)); break;
        default: break;
        }
        v_store(to + l, (vf)((((vi)v & keep) ^ sign) ^ invert));
    }
}

static void modify(struct alu *a, const struct ir_src *s, unsigned mask, struct operand *o)
{
    const float *z = F(o, 2), *w = F(o, 3);
    const bool divides = s->modifier == IR_MOD_DZ || s->modifier == IR_MOD_DW;
    struct lanes out;
    for (unsigned c = 0; c < 4; c++) {
        float *to = lanes_f(divides ? &out : &o->copy, c);
        if (mask >> c & 1) modify_component(s, F(o, c), z, w, to, o->step ? a->lanes : VW);
    }
    for (unsigned c = 0; c < 4; c++) {
        if (divides && mask >> c & 1) memcpy(o->copy.c[c], out.c[c], a->lanes * sizeof(u32));
        o->c[c] = o->copy.c[c];
    }
}

static void negate_integers(struct alu *a, unsigned mask, struct operand *o)
{
    for (unsigned c = 0; c < 4; c++) {
        if (!(mask >> c & 1)) continue;
        for (unsigned l = 0; l < a->lanes; l += VW)
            vi_store(o->copy.c[c] + l, vi_set(0) - vi_load(o->c[c] + l));
    }
    for (unsigned c = 0; c < 4; c++) o->c[c] = o->copy.c[c];
}

/* Most operands: temps and inputs as they are. */
static inline bool fetch_simple(struct alu *a, const struct ir_src *s, struct operand *o)
{
    const struct lanes *r;
    if (s->file == IR_TEMP && s->index < a->p->temps)
        r = &a->s->temps[s->index];
    else if (s->file == IR_INPUT && s->index < IR_MAX_INPUTS)
        r = &a->s->inputs[s->index];
    else
        return false;
    if (s->rel.file != IR_NULL || s->modifier || s->abs || s->neg) return false;
    o->step = ~0u;
    o->c[0] = r->c[s->swizzle & 3];
    o->c[1] = r->c[s->swizzle >> 2 & 3];
    o->c[2] = r->c[s->swizzle >> 4 & 3];
    o->c[3] = r->c[s->swizzle >> 6 & 3];
    return true;
}

/* Components of `mask` only; dividing modifiers need all. narrow: constants as one vector. */
static void fetch(struct alu *a, const struct ir_insn *i, unsigned k, unsigned mask, bool narrow,
                  struct operand *o)
{
    const struct ir_src *s = &i->src[k];
    if (s->rel.file != IR_NULL)
        fetch_relative(a, s, o);
    else
        fetch_plain(a, s, s->modifier >= IR_MOD_DZ ? 15 : mask, narrow, o);
    if (alu_negates_integers(i->op)) {
        if (s->neg) negate_integers(a, mask, o);
    } else if (s->modifier || s->abs || s->neg) {
        modify(a, s, mask, o);
    }
}

/* ---- results ---- */

static void scale_and_clamp(const struct ir_dst *d, struct lanes *v, unsigned n)
{
    const float by =
        d->shift >= 0 ? (float)(1 << d->shift) : 1.0f / (float)(1 << -d->shift); /* +-3 */
    for (unsigned c = 0; c < 4; c++) {
        float *f = lanes_f(v, c);
        if (!(d->mask >> c & 1)) continue;
        for (unsigned l = 0; l < n; l += VW) {
            vf x = v_load(f + l);
            if (d->shift) x = x * v_set(by);
            if (d->sat) x = v_min(v_max(x, v_set(0.0f)), v_set(1.0f)); /* NaN: 0 */
            v_store(f + l, x);
        }
    }
}

static void store_masked(u32 *to, const u32 *v, u64 exec, unsigned n)
{
    for (unsigned l = 0; l < n; l += VW)
        v_store((float *)to + l, v_select(vi_mask((u32)(exec >> l)), v_load((const float *)v + l),
                                          v_load((const float *)to + l)));
}

/* Lanes whose predicate for component c is on */
static u64 predicate(const struct alu *a, const struct ir_insn *i, unsigned c)
{
    unsigned from = i->pred.swizzle >> (2 * c) & 3;
    u64 off = 0;
    for (unsigned l = 0; l < a->lanes; l += VW)
        off |= (u64)v_signs(vi_load(a->pred.c[from] + l) == vi_set(0)) << l;
    return i->pred.modifier == IR_MOD_NOT ? off : ~off;
}

static void store(struct alu *a, const struct ir_insn *i, const struct ir_dst *d, struct lanes *v,
                  u64 exec)
{
    struct lanes *first, *r;
    u32 count;
    if (d->file == IR_NULL) return;
    if (d->shift || d->sat) scale_and_clamp(d, v, a->lanes);
    r = reg(a, d->file, d->slot, d->index, &first, &count);
    if (!r) return;
    for (unsigned c = 0; c < 4; c++) {
        u64 lanes = exec;
        if (!(d->mask >> c & 1)) continue;
        if (i->predicated) lanes &= predicate(a, i, c);
        if (d->rel.file == IR_NULL) {
            if (lanes == a->all) /* what the others hold means nothing */
                memcpy(r->c[c], v->c[c], a->lanes * sizeof(u32));
            else
                store_masked(r->c[c], v->c[c], lanes, a->lanes);
            continue;
        }
        for (unsigned l = 0; l < a->lanes; l++) {
            i64 index = d->index + relative_index(a, &d->rel, l);
            if (lanes >> l & 1 && index >= 0 && index < count) first[index].c[c][l] = v->c[c][l];
        }
    }
}

/* The destination as it stands when a result may be written into it lane by lane: every lane that
 * counts is written, and nothing is done to the result but clamping. */
static struct lanes *direct(struct alu *a, const struct ir_insn *i, u64 exec)
{
    const struct ir_dst *d = &i->dst;
    struct lanes *first;
    u32 count;
    if (exec != a->all || i->predicated || d->rel.file != IR_NULL) return NULL;
    return reg(a, d->file, d->slot, d->index, &first, &count);
}

/* ---- scalar pieces ---- */

static inline float mul0(float x, float y)
{
    return x == 0.0f || y == 0.0f ? 0.0f : x * y;
}

static float pow0(float x, float y)
{
    float m = fabsf(x);
    if (y == 0.0f) return 1.0f;
    if (m == 0.0f) return y > 0.0f ? 0.0f : FLT_MAX;
    return ir_exp2(y * ir_log2(m));
}

static float round_even(float v)
{
    return fabsf(v) < 8388608.0f ? __builtin_copysignf(rintf(v), v) : v;
}

static i32 to_i32(float v)
{
    if (v != v) return 0;
    return v >= 2147483648.0f ? INT32_MAX : v < -2147483648.0f ? INT32_MIN : (i32)v;
}

static bool compare(u8 condition, float x, float y)
{
    switch (condition) {
    case IR_C_GT: return x > y;
    case IR_C_EQ: return x == y;
    case IR_C_GE: return x >= y;
    case IR_C_LT: return x < y;
    case IR_C_NE: return x != y;
    default: return x <= y;
    }
}

/* ---- frequent operations, with vectors ---- */

static inline vf v_mul0(vf x, vf y)
{
    const vf zero = v_set(0.0f);
    return (vf)((vi)(x * y) & ~(vi)(x == zero) & ~(vi)(y == zero));
}

/* One result per lane from whole vectors: dp2 to dp4. */
static inline vf v_dot(const struct operand *o, unsigned l, unsigned n, bool zero)
{
    vf sum = v_set(0.0f);
    for (unsigned c = 0; c < n; c++) {
        vf x = v_load(F(&o[0], c) + (l & o[0].step)), y = v_load(F(&o[1], c) + (l & o[1].step));
        vf p = x * y;
        if (zero) p = v_mul0(x, y);
        if (c) p = sum + p;
        sum = p;
    }
    return sum;
}

static void frequent_dot(const struct operand *o, struct lanes *out, unsigned mask, unsigned n,
                         unsigned lanes, bool zero)
{
    for (unsigned l = 0; l < lanes; l += VW) {
        vf r = n == 4 ? v_dot(o, l, 4, zero) : n == 3 ? v_dot(o, l, 3, zero) : v_dot(o, l, 2, zero);
        for (unsigned c = 0; c < 4; c++) {
            if (mask >> c & 1) v_store(lanes_f(out, c) + l, r);
        }
    }
}

#define FREQUENT(value)                                                                            \
    for (unsigned c = 0; c < 4; c++) {                                                             \
        if (!(mask >> c & 1)) continue;                                                            \
        const float *xs = F(&o[0], c), *ys = F(&o[1], c), *zs = F(&o[2], c);                       \
        float *to = lanes_f(out, c);                                                               \
        for (unsigned l = 0; l < n; l += VW) {                                                     \
            vf x = v_load(xs + (l & xl)), y = v_load(ys + (l & yl)), z = v_load(zs + (l & zl));    \
            (void)x, (void)y, (void)z;                                                             \
            v_store(to + l, value);                                                                \
        }                                                                                          \
    }                                                                                              \
    return true

/* Each lane's results depend on that lane alone and are written after it was read, component by
 * component. False: not one of them. */
static bool frequent(const struct ir_insn *i, const struct operand *o, struct lanes *out,
                     unsigned n)
{
    const unsigned mask = i->dst.mask, xl = o[0].step, yl = o[1].step, zl = o[2].step;
    switch (i->op) {
    case IR_MOV: FREQUENT(x);
    case IR_ADD: FREQUENT(x + y);
    case IR_MUL: FREQUENT(x * y);
    case IR_MUL0: FREQUENT(v_mul0(x, y));
    case IR_MAD: FREQUENT(x * y + z);
    case IR_MAD0: FREQUENT(v_mul0(x, y) + z);
    case IR_MIN0: FREQUENT(v_min(x, y));
    case IR_MAX0: FREQUENT(v_select((vi)(x >= y), x, y));
    case IR_LRP0: FREQUENT(v_mul0(x, y - z) + z);
    case IR_CMP_GE0: FREQUENT(v_select((vi)(x >= v_set(0.0f)), y, z));
    case IR_MOVC: FREQUENT(v_select((vi)x == vi_set(0), z, y));
    case IR_DP2: frequent_dot(o, out, mask, 2, n, false); return true;
    case IR_DP3: frequent_dot(o, out, mask, 3, n, false); return true;
    case IR_DP4: frequent_dot(o, out, mask, 4, n, false); return true;
    case IR_DP3_0: frequent_dot(o, out, mask, 3, n, true); return true;
    case IR_DP4_0: frequent_dot(o, out, mask, 4, n, true); return true;
    default: return false;
    }
}

/* Whether a component might be written before another one reads it. */
static bool overlaps(const struct ir_insn *i, unsigned sources)
{
    for (unsigned k = 0; k < sources; k++) {
        const struct ir_src *s = &i->src[k];
        bool same = s->index == i->dst.index || s->file == IR_ADDR || s->file == IR_PRED;
        if (s->swizzle != 0xe4 && s->file == i->dst.file && same) return true;
    }
    return false;
}

/* ---- operations by component ---- */

#define EACH(mask, statement)                                                                      \
    for (unsigned c = 0; c < 4; c++) {                                                             \
        if (!((mask) >> c & 1)) continue;                                                          \
        const float *x = F(&o[0], c), *y = F(&o[1], c), *z = F(&o[2], c);                          \
        const u32 *xi = o[0].c[c], *yi = o[1].c[c], *zi = o[2].c[c];                               \
        float *r = lanes_f(out, c);                                                                \
        u32 *ri = out->c[c];                                                                       \
        (void)x, (void)y, (void)z, (void)xi, (void)yi, (void)zi, (void)r, (void)ri;                \
        for (unsigned l = 0; l < n; l++) statement;                                                \
    }                                                                                              \
    return true

static bool float_op(const struct ir_insn *i, const struct operand *o, struct lanes *out,
                     unsigned n)
{
    const unsigned m = i->dst.mask;
    switch (i->op) {
    case IR_DIV: EACH(m, r[l] = x[l] / y[l]);
    case IR_MIN: EACH(m, r[l] = x[l] < y[l] || y[l] != y[l] ? x[l] : y[l]);
    case IR_MAX: EACH(m, r[l] = x[l] >= y[l] || y[l] != y[l] ? x[l] : y[l]);
    case IR_RCP: EACH(m, r[l] = 1.0f / x[l]);
    case IR_RCP0: EACH(m, r[l] = x[l] == 0.0f ? __builtin_copysignf(FLT_MAX, x[l]) : 1.0f / x[l]);
    case IR_RSQ: EACH(m, r[l] = 1.0f / sqrtf(x[l]));
    case IR_RSQ0: EACH(m, r[l] = x[l] == 0.0f ? FLT_MAX : 1.0f / sqrtf(fabsf(x[l])));
    case IR_SQRT: EACH(m, r[l] = sqrtf(x[l]));
    case IR_EXP: EACH(m, r[l] = ir_exp2(x[l]));
    case IR_LOG: EACH(m, r[l] = ir_log2(x[l]));
    case IR_LOG0: EACH(m, r[l] = x[l] == 0.0f ? -FLT_MAX : ir_log2(fabsf(x[l])));
    case IR_POW0: EACH(m, r[l] = pow0(x[l], y[l]));
    case IR_FRC: EACH(m, r[l] = x[l] - floorf(x[l]));
    case IR_ROUND_NE: EACH(m, r[l] = round_even(x[l]));
    case IR_ROUND_NI: EACH(m, r[l] = floorf(x[l]));
    case IR_ROUND_PI: EACH(m, r[l] = ceilf(x[l]));
    case IR_ROUND_Z: EACH(m, r[l] = truncf(x[l]));
    case IR_SGN0: EACH(m, r[l] = x[l] > 0.0f ? 1.0f : x[l] < 0.0f ? -1.0f : 0.0f);
    case IR_SIN: EACH(m, r[l] = ir_sin(x[l]));
    case IR_COS: EACH(m, r[l] = ir_cos(x[l]));
    case IR_SLT: EACH(m, r[l] = x[l] < y[l] ? 1.0f : 0.0f);
    case IR_SGE: EACH(m, r[l] = x[l] >= y[l] ? 1.0f : 0.0f);
    case IR_CND: EACH(m, ri[l] = x[l] > 0.5f ? yi[l] : zi[l]);
    case IR_SETP: EACH(m, ri[l] = compare(i->condition, x[l], y[l]) ? 0xffffffff : 0);
    case IR_LT: EACH(m, ri[l] = x[l] < y[l] ? 0xffffffff : 0);
    case IR_GE: EACH(m, ri[l] = x[l] >= y[l] ? 0xffffffff : 0);
    case IR_EQ: EACH(m, ri[l] = x[l] == y[l] ? 0xffffffff : 0);
    case IR_NE: EACH(m, ri[l] = x[l] != y[l] ? 0xffffffff : 0);
    case IR_MOVA: EACH(m, ri[l] = (u32)to_i32(floorf(x[l] + 0.5f)));
    case IR_MOVA_FLOOR: EACH(m, ri[l] = (u32)to_i32(floorf(x[l])));
    default: return false;
    }
}

/* ---- operations on whole vectors ---- */

static void spread(struct lanes *out, unsigned mask)
{
    for (unsigned c = 1; c < 4; c++) {
        if (mask >> c & 1) memcpy(out->c[c], out->c[0], sizeof(out->c[0]));
    }
}

static void cross(const struct operand *o, struct lanes *out, unsigned n)
{
    static const u8 next[3] = { 1, 2, 0 };
    for (unsigned c = 0; c < 3; c++) {
        unsigned p = next[c], q = next[p];
        for (unsigned l = 0; l < n; l++)
            lanes_f(out, c)[l] =
                mul0(F(&o[0], p)[l], F(&o[1], q)[l]) - mul0(F(&o[0], q)[l], F(&o[1], p)[l]);
    }
}

static void normalize(const struct operand *o, struct lanes *out, unsigned n)
{
    for (unsigned l = 0; l < n; l++) {
        float d = 0.0f;
        for (unsigned c = 0; c < 3; c++) d += mul0(F(&o[0], c)[l], F(&o[0], c)[l]);
        float by = d == 0.0f ? FLT_MAX : 1.0f / sqrtf(d);
        for (unsigned c = 0; c < 4; c++) lanes_f(out, c)[l] = mul0(F(&o[0], c)[l], by);
    }
}

static void lit(const struct operand *o, struct lanes *out, unsigned n)
{
    for (unsigned l = 0; l < n; l++) {
        float x = F(&o[0], 0)[l], y = F(&o[0], 1)[l], w = F(&o[0], 3)[l];
        w = w < -127.9961f ? -127.9961f : w > 127.9961f ? 127.9961f : w;
        lanes_f(out, 0)[l] = lanes_f(out, 3)[l] = 1.0f;
        lanes_f(out, 1)[l] = x > 0.0f ? x : 0.0f;
        lanes_f(out, 2)[l] = x > 0.0f ? pow0(y > 0.0f ? y : 0.0f, w) : 0.0f;
    }
}

static void distance(const struct operand *o, struct lanes *out, unsigned n)
{
    for (unsigned l = 0; l < n; l++) {
        lanes_f(out, 0)[l] = 1.0f;
        lanes_f(out, 1)[l] = mul0(F(&o[0], 1)[l], F(&o[1], 1)[l]);
        out->c[2][l] = o[0].c[2][l];
        out->c[3][l] = o[1].c[3][l];
    }
}

/* expp and logp of vs_1_1: parts of the result in the components */
static void partial(const struct ir_insn *i, const struct operand *o, struct lanes *out, unsigned n)
{
    for (unsigned l = 0; l < n; l++) {
        float x = F(&o[0], 0)[l], m = fabsf(x);
        float whole = i->op == IR_EXPP ? floorf(x) : m == 0.0f ? -FLT_MAX : floorf(ir_log2(m));
        lanes_f(out, 0)[l] = i->op == IR_EXPP ? ir_exp2(whole) : whole;
        lanes_f(out, 1)[l] = i->op == IR_EXPP ? x - whole : m == 0.0f ? 1.0f : m / ir_exp2(whole);
        lanes_f(out, 2)[l] = i->op == IR_EXPP ? ir_exp2(x) : m == 0.0f ? -FLT_MAX : ir_log2(m);
        lanes_f(out, 3)[l] = 1.0f;
    }
}

static void derivative(const struct ir_insn *i, const struct operand *o, struct lanes *out,
                       unsigned n)
{
    bool horizontal = i->op == IR_DSX || i->op == IR_DSX_COARSE;
    unsigned keep = i->op == IR_DSX ? 2 : i->op == IR_DSY ? 1 : 0, step = horizontal ? 1 : 2;
    for (unsigned c = 0; c < 4; c++) {
        const float *x = F(&o[0], c);
        for (unsigned l = 0; l < n; l++) {
            unsigned from = (l & ~3u) + (l & keep);
            lanes_f(out, c)[l] = x[from + step] - x[from];
        }
    }
}

static bool vector(const struct ir_insn *i, const struct operand *o, struct lanes *out, unsigned n)
{
    switch (i->op) {
    case IR_DP2ADD0:
        for (unsigned l = 0; l < n; l += VW)
            v_store(lanes_f(out, 0) + l, v_dot(o, l, 2, true) + v_load(F(&o[2], 0) + l));
        break;
    case IR_CRS0: cross(o, out, n); return true;
    case IR_NRM0: normalize(o, out, n); return true;
    case IR_LIT0: lit(o, out, n); return true;
    case IR_DST0: distance(o, out, n); return true;
    case IR_EXPP:
    case IR_LOGP: partial(i, o, out, n); return true;
    case IR_SINCOS:
        for (unsigned l = 0; l < n; l++) {
            lanes_f(out, 0)[l] = ir_cos(F(&o[0], 0)[l]);
            lanes_f(out, 1)[l] = ir_sin(F(&o[0], 1)[l]);
        }
        return true;
    case IR_DSX:
    case IR_DSY:
    case IR_DSX_COARSE:
    case IR_DSY_COARSE: derivative(i, o, out, n); return true;
    default: return false;
    }
    spread(out, 15);
    return true;
}

/* Integers and bits: alu_int.c. Some have two results. */
static void integer(struct alu *a, const struct ir_insn *i, const struct operand *o, u64 exec)
{
    struct lanes first, second;
    for (unsigned c = 0; c < 4; c++) {
        if ((i->dst.mask | i->dst2.mask) >> c & 1)
            alu_integer(i->op, o[0].c[c], o[1].c[c], o[2].c[c], first.c[c], second.c[c]);
    }
    store(a, i, &i->dst, &first, exec);
    if (alu_is_twofold(i->op)) store(a, i, &i->dst2, &second, exec);
}

/* The operand as one register: itself where it is one, else a copy. */
static const struct lanes *whole(const struct operand *o, unsigned n, struct lanes *copy)
{
    const struct lanes *r = (const struct lanes *)o->c[0];
    if (o->c[1] == r->c[1] && o->c[2] == r->c[2] && o->c[3] == r->c[3]) return r;
    for (unsigned c = 0; c < 4; c++) memcpy(copy->c[c], o->c[c], n * sizeof(u32));
    return copy;
}

static void sample(struct alu *a, const struct ir_insn *i, struct operand *o, u64 exec)
{
    const unsigned n = a->lanes;
    struct lanes coord, extra[2], raw, out;
    struct ir_texture_query q = { .insn = i,
                                  .active = exec,
                                  .implicit_lod = a->p->stage == STAGE_PS };
    q.coord = whole(&o[0], n, &coord);
    if (i->tex.project) {
        for (unsigned c = 0; c < 4; c++) {
            vf by = v_set(1.0f);
            for (unsigned l = 0; l < n; l += VW) {
                if (c < 3) by = v_load(F(&o[0], 3) + l);
                v_store(lanes_f(&coord, c) + l, v_load(F(&o[0], c) + l) / by);
            }
        }
        q.coord = &coord;
    }
    if (i->op == IR_TEX_GRAD) {
        q.ddx = whole(&o[1], n, &extra[0]);
        q.ddy = whole(&o[2], n, &extra[1]);
    } else if (i->op == IR_TEX_BIAS || i->op == IR_TEX_LOD || i->op == IR_TEX_CMP ||
               i->op == IR_TEX_CMP_LZ) {
        q.extra = whole(&o[1], n, &extra[0]);
    }
    struct lanes *to = i->tex.swizzle == 0xe4 && i->dst.mask == 15 && !i->dst.sat && !i->dst.shift
                           ? direct(a, i, exec)
                           : NULL;
    if (to && to != q.coord && to != q.extra && to != q.ddx && to != q.ddy) {
        a->env->sample(a->env->opaque, &q, to);
        return;
    }
    for (unsigned c = 0; c < 4; c++) memset(raw.c[c], 0, n * sizeof(u32));
    a->env->sample(a->env->opaque, &q, &raw);
    for (unsigned c = 0; c < 4; c++)
        memcpy(out.c[c], raw.c[i->tex.swizzle >> (2 * c) & 3], n * sizeof(u32));
    store(a, i, &i->dst, &out, exec);
}

/* Components of its operands that an instruction looks at; *narrow: frequent() does it. */
static unsigned looks_at(const struct ir_insn *i, bool *narrow)
{
    *narrow = true;
    switch (i->op) {
    case IR_DP2:
    case IR_DP3:
    case IR_DP4:
    case IR_DP3_0:
    case IR_DP4_0: return 15;
    default: *narrow = ir_by_component(i->op); return *narrow ? i->dst.mask : 15;
    }
}

static void execute(struct alu *a, const struct ir_insn *i, u64 exec)
{
    static const u8 sources[] = {
#define OP(name, n) n,
        IR_OPS(OP)
#undef OP
    };
    struct operand o[3];
    struct lanes out, *to;
    bool narrow;
    const unsigned n = sources[i->op], mask = looks_at(i, &narrow);
    for (unsigned k = 0; k < n; k++) {
        if (!fetch_simple(a, &i->src[k], &o[k])) fetch(a, i, k, mask, narrow, &o[k]);
    }
    for (unsigned k = n; k < 3; k++) { /* read by loops over three operands, and not used */
        for (unsigned c = 0; c < 4; c++) o[k].c[c] = a->addr.c[0];
        o[k].step = 0;
    }
    if (i->op >= IR_TEX && i->op <= IR_RESINFO) {
        sample(a, i, o, exec);
        return;
    }
    if (alu_is_integer(i->op)) {
        integer(a, i, o, exec);
        return;
    }
    to = direct(a, i, exec);
    if (to && !overlaps(i, n) && frequent(i, o, to, a->lanes)) {
        if (i->dst.sat || i->dst.shift) scale_and_clamp(&i->dst, to, a->lanes);
        return;
    }
    if (frequent(i, o, &out, a->lanes) || float_op(i, o, &out, a->lanes) ||
        vector(i, o, &out, a->lanes))
        store(a, i, &i->dst, &out, exec);
}

static u64 condition(struct alu *a, const struct ir_insn *i)
{
    struct operand o[2];
    u64 m = 0;
    bool two = i->op == IR_IFC || i->op == IR_BREAKC;
    fetch(a, i, 0, 1, false, &o[0]);
    if (two) fetch(a, i, 1, 1, false, &o[1]);
    for (unsigned l = 0; l < a->lanes; l++) {
        bool on = two ? compare(i->condition, F(&o[0], 0)[l], F(&o[1], 0)[l])
                      : (o[0].c[0][l] != 0) == (i->condition != IR_C_EQ);
        m |= (u64)on << l;
    }
    return m;
}

static u64 kill_lanes(struct alu *a, const struct ir_insn *i)
{
    struct operand o;
    u64 m = 0;
    fetch(a, i, 0, 15, false, &o);
    for (unsigned l = 0; l < a->lanes; l += VW) {
        vi k = vi_set(0);
        if (i->op == IR_KILL_LT) {
            for (unsigned c = 0; c < 4; c++) {
                if (i->dst.mask >> c & 1) k |= (vi)(v_load(F(&o, c) + l) < v_set(0.0f));
            }
        } else {
            k = vi_load(o.c[0] + l) == vi_set(0);
            if (i->op == IR_KILL_NZ) k = ~k;
        }
        m |= (u64)v_signs(k) << l;
    }
    return m;
}

const struct alu_ops SIMD(alu_ops) = { execute, condition, kill_lanes, integer_constant };
