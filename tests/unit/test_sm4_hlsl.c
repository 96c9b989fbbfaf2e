/* Shaders that another compiler made (sm4_hlsl.h): they are read, and compute what their source says. */
#include <math.h>

#include "gpu/shader/run.h"
#include "tests/unit/sm4_hlsl.h"
#include "tests/unit/sm4_rig.h"

Suite *sm4_hlsl_suite(void);

static void up(struct sm4_rig *g, const u32 *words, u32 size, u8 stage)
{
    const char *why = NULL;
    memset(g, 0, sizeof(*g));
    g->p = shader_compile((const u8 *)words, size, stage, &why);
    ck_assert_msg(g->p != NULL, "%s", why);
    g->s = ir_state_create(g->p);
    g->budget = 1 << 30;
    g->env.budget = &g->budget;
    g->env.cb[0].data = (const u8 *)g->cb;
    g->env.cb[0].size = sizeof(g->cb);
}
#define UP(g, name, stage) up(g, hlsl_##name, sizeof(hlsl_##name), stage)

/* Different values everywhere: register n, component c, lane l. */
static float value(u32 n, u32 c, u32 l)
{
    return (float)((n * 53 + c * 29 + l * 7) % 64) / 16.0f - 2.0f;
}

static void fill_inputs(struct sm4_rig *g, u32 count)
{
    for (u32 n = 0; n < count; n++) {
        for (u32 c = 0; c < 4; c++) {
            for (u32 l = 0; l < LANES; l++) lanes_f(&g->s->inputs[n], c)[l] = value(n, c, l);
        }
    }
}

static void fill_constants(struct sm4_rig *g)
{
    for (u32 n = 0; n < 16; n++) {
        for (u32 c = 0; c < 4; c++) {
            float f = value(n + 20, c, 3) + 0.3f;
            memcpy(&g->cb[n][c], &f, 4);
        }
    }
}

static double constant(const struct sm4_rig *g, u32 n, u32 c)
{
    float f;
    memcpy(&f, &g->cb[n][c], 4);
    return f;
}

static float result(struct sm4_rig *g, u32 n, u32 c, u32 l)
{
    return lanes_f(&g->s->outputs[n], c)[l];
}

START_TEST(sm4_hlsl_transform)
{
    struct sm4_rig g;
    UP(&g, transform, STAGE_VS);
    ck_assert_uint_eq(g.p->input[2].semantic_hash, 0xe7c308f8);
    ck_assert_uint_eq(g.p->output[0].system, IR_SV_POSITION);
    fill_inputs(&g, 3);
    fill_constants(&g);
    sm4_rig_run(&g);
    for (u32 l = 0; l < LANES; l++) {
        double p[4] = { 0 }, q[4] = { 0 };
        for (u32 c = 0; c < 4; c++) {
            for (u32 k = 0; k < 4; k++) p[c] += value(0, k, l) * constant(&g, c, k); /* world: a column in a register */
        }
        for (u32 c = 0; c < 4; c++) {
            for (u32 k = 0; k < 4; k++) q[c] += p[k] * constant(&g, 6 + c, k);
            ck_assert_msg(fabs(result(&g, 0, c, l) - q[c]) < 1e-4, "%f %f", result(&g, 0, c, l), q[c]);
            ck_assert_float_eq(result(&g, 3, c, l), value(2, c, l) * (float)constant(&g, 4, c));
        }
        for (u32 c = 0; c < 2; c++) {
            ck_assert_float_eq(result(&g, 1, c, l), value(1, c, l) * (float)constant(&g, 5, c));
            ck_assert_float_eq(result(&g, 2, c, l), value(1, 1 - c, l) + (float)constant(&g, 5, 1 - c));
        }
    }
    sm4_rig_down(&g);
}
END_TEST

static void sample_coordinates(void *opaque, const struct ir_texture_query *q, struct lanes *out)
{
    const float *x = (const float *)q->coord->c[0], *y = (const float *)q->coord->c[1];
    *(u16 *)opaque = q->insn->op;
    for (u32 l = 0; l < LANES; l++) {
        lanes_f(out, 0)[l] = x[l];
        lanes_f(out, 1)[l] = y[l];
        lanes_f(out, 2)[l] = x[l] + y[l];
        lanes_f(out, 3)[l] = 0.5f;
    }
}

START_TEST(sm4_hlsl_textured)
{
    struct sm4_rig g;
    u16 op = 0;
    UP(&g, textured, STAGE_PS);
    g.env.sample = sample_coordinates;
    g.env.opaque = &op;
    fill_inputs(&g, 4);
    fill_constants(&g);
    sm4_rig_run(&g);
    ck_assert_uint_eq(op, IR_TEX);
    for (u32 l = 0; l < LANES; l++) {
        double uv[2] = { value(1, 0, l), value(1, 1, l) }, uv2[2] = { value(2, 0, l), value(2, 1, l) }, k = 0;
        double t[4] = { uv[0], uv[1], uv[0] + uv[1], 0.5 };
        for (u32 c = 0; c < 3; c++) k += t[c] * value(3, c, l);
        k = fmin(fmax(k, 0.0), 1.0);
        for (u32 c = 0; c < 4; c++) {
            double col = value(3, c, l), r = t[c] * col + k;
            if (c < 3) r = fabs(r) * 2.25 + fmax(uv2[c & 1], 0.25) - fmin(t[2 - c], uv[c & 1]);
            r = r / constant(&g, 0, c) + nearbyint(uv[1]) - fabs(col);
            ck_assert_msg(fabs(result(&g, 0, c, l) - r) < 1e-4 * (1 + fabs(r)), "lane %u component %u: %f %f", l, c, result(&g, 0, c, l), r);
        }
    }
    sm4_rig_down(&g);
}
END_TEST

START_TEST(sm4_hlsl_branch)
{
    struct sm4_rig g;
    UP(&g, branch, STAGE_PS);
    fill_inputs(&g, 2);
    fill_constants(&g);
    sm4_rig_run(&g);
    for (u32 l = 0; l < LANES; l++) {
        float r[4];
        for (u32 c = 0; c < 4; c++) r[c] = value(0, c, l);
        if (r[0] < 0.5f) {
            r[1] = value(1, 0, l);
            r[2] = value(1, 1, l);
            if (value(1, 1, l) >= value(1, 0, l)) r[3] = r[1] + 3.0f;
        } else {
            for (u32 c = 0; c < 4; c++) r[c] = -r[c] * (float)constant(&g, 0, c);
        }
        for (u32 c = 0; c < 4; c++) ck_assert_float_eq(result(&g, 0, c, l), r[c]);
    }
    sm4_rig_down(&g);
}
END_TEST

START_TEST(sm4_hlsl_integers)
{
    struct sm4_rig g;
    UP(&g, integers, STAGE_PS);
    for (u32 c = 0; c < 4; c++) {
        for (u32 l = 0; l < LANES; l++) {
            g.s->inputs[0].c[c][l] = l * 2654435761u + c;
            g.s->inputs[1].c[c][l] = l * 0x9e3779b1u - c;
        }
    }
    sm4_rig_run(&g);
    for (u32 c = 0; c < 4; c++) {
        for (u32 l = 0; l < LANES; l++) {
            u32 a = g.s->inputs[0].c[c][l], b = g.s->inputs[1].c[c][l];
            ck_assert_uint_eq(g.s->outputs[0].c[c][l], (a & 15) | ((u32)((i32)b >> 2) ^ ((a << 3) + ~a)));
        }
    }
    sm4_rig_down(&g);
}
END_TEST

START_TEST(sm4_hlsl_system_values)
{
    struct sm4_rig g;
    UP(&g, number, STAGE_VS);
    ck_assert(g.p->input[0].used && !g.p->input[1].used);
    fill_inputs(&g, 1);
    for (u32 l = 0; l < LANES; l++) g.s->special[IR_SP_VERTEX_ID].c[0][l] = 1000 + l;
    sm4_rig_run(&g);
    for (u32 l = 0; l < LANES; l++) {
        for (u32 c = 0; c < 4; c++) ck_assert_float_eq(result(&g, 0, c, l), -(value(0, 3 - c, l) + (float)(1000 + l)));
    }
    sm4_rig_down(&g);
    UP(&g, position, STAGE_PS);
    ck_assert(g.p->output[1].used && !g.p->output[0].used && !g.p->input[0].used);
    for (u32 c = 0; c < 4; c++) lanes_f(&g.s->special[IR_SP_POSITION], c)[9] = (float)(10 + c);
    sm4_rig_run(&g);
    static const float want[4] = { 6.5f, 7.0f, 9.5f, 10.0f };
    for (u32 c = 0; c < 4; c++) ck_assert_float_eq(result(&g, 1, c, 9), want[c]);
    sm4_rig_down(&g);
}
END_TEST

START_TEST(sm4_hlsl_targets_and_depth)
{
    struct sm4_rig g;
    UP(&g, depth, STAGE_PS);
    ck_assert(g.p->writes_depth && g.p->output[0].used && !g.p->output[1].used && g.p->output[2].used);
    fill_inputs(&g, 1);
    sm4_rig_run(&g);
    for (u32 l = 0; l < LANES; l++) {
        for (u32 c = 0; c < 4; c++) {
            ck_assert_float_eq(result(&g, 0, c, l), value(0, c & 1, l));
            ck_assert_float_eq(result(&g, 2, c, l), value(0, c < 2, l));
        }
        ck_assert_float_eq(result(&g, IR_O_DEPTH, 0, l), value(0, 0, l));
    }
    sm4_rig_down(&g);
}
END_TEST

Suite *sm4_hlsl_suite(void)
{
    Suite *s = suite_create("sm4_hlsl");
    TCase *t = tcase_create("another compiler's");
    tcase_add_test(t, sm4_hlsl_transform);
    tcase_add_test(t, sm4_hlsl_textured);
    tcase_add_test(t, sm4_hlsl_branch);
    tcase_add_test(t, sm4_hlsl_integers);
    tcase_add_test(t, sm4_hlsl_system_values);
    tcase_add_test(t, sm4_hlsl_targets_and_depth);
    suite_add_tcase(s, t);
    return s;
}
