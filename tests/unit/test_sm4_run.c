/* Shader model 4 and 5 programs in the interpreter: values worked out by hand for each rule, control flow by lane, system values, computed
 * indices, and what a texture instruction asks of the sampler. */
#include <stdio.h>

#include "tests/unit/sm4_rig.h"

Suite *sm4_run_suite(void);

/* Runs "vs_5_0" code that writes o0, with cb0[0] = a, cb0[1] = b; lane 0's result. */
static void evaluate(const char *code, const u32 a[4], const u32 b[4], u32 out[4])
{
    char text[2048];
    struct sm4_rig g;
    snprintf(text, sizeof(text), "vs_5_0\ndcl_constantbuffer cb0[16], dynamicIndexed\ndcl_output o0.xyzw\ndcl_output o1.xyzw\ndcl_temps 4\n%s\nret", code);
    sm4_rig_up(&g, text);
    memcpy(g.cb[0], a, 16);
    memcpy(g.cb[1], b, 16);
    sm4_rig_run(&g);
    for (unsigned c = 0; c < 4; c++) out[c] = g.s->outputs[0].c[c][0];
    sm4_rig_down(&g);
}

enum { F0 = 0, FM0 = (int)0x80000000, F1 = 0x3f800000, FM1 = (int)0xbf800000, INF = 0x7f800000, MINF = (int)0xff800000, QNAN = 0x7fc00000 };
#define ALL 0xffffffffu

START_TEST(sm4_operations_by_hand)
{
    static const struct {
        const char *code;
        u32 a[4], b[4], want[4];
    } rows[] = {
        { "ftoi o0.xyzw, cb0[0].xyzw", { QNAN, 0x4f000000, 0xcf800000, 0xbfc00000 }, { 0 }, { 0, 0x7fffffff, 0x80000000, ALL } },
        { "ftou o0.xyzw, cb0[0].xyzw", { QNAN, 0x4f800000, 0xbf800000, 0x3ffccccd }, { 0 }, { 0, ALL, 0, 1 } },
        { "udiv o0.xyzw, null, cb0[0].xyzw, cb0[1].xyzw", { 7, 7, 0, ALL }, { 2, 0, 0, 1 }, { 3, ALL, ALL, ALL } },
        { "udiv null, o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { 7, 7, 0, ALL }, { 2, 0, 0, 16 }, { 1, ALL, ALL, 15 } },
        { "ishl o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { 1, 1, 1, 3 }, { 31, 32, 33, ALL }, { 0x80000000, 1, 2, 0x80000000 } },
        { "ishr o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { 0x80000000, 0x80000000, 8, 8 }, { 31, 32, 35, 2 }, { ALL, 0x80000000, 1, 2 } },
        { "ushr o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { 0x80000000, 0x80000000, 8, 8 }, { 31, 32, 35, 2 }, { 1, 0x80000000, 1, 2 } },
        { "imul o0.xyzw, null, cb0[0].xyzw, cb0[1].xyzw", { ALL, 0x80000000, 3, 1 << 20 }, { ALL, 2, 4, 1 << 20 }, { 0, ALL, 0, 256 } },
        { "umul o0.xyzw, null, cb0[0].xyzw, cb0[1].xyzw", { ALL, 0x80000000, 3, 1 << 20 }, { ALL, 2, 4, 1 << 20 }, { 0xfffffffe, 1, 0, 256 } },
        { "imul null, o0.xyzw, cb0[0].xyzw, -cb0[1].xyzw", { ALL, 5, 3, 0 }, { ALL, 2, 4, 9 }, { ALL, (u32)-10, (u32)-12, 0 } },
        { "min o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, F1, MINF, INF }, { F1, QNAN, F0, INF }, { F1, F1, MINF, INF } },
        { "max o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, F1, MINF, INF }, { F1, QNAN, F0, MINF }, { F1, F1, F0, INF } },
        { "mov_sat o0.xyzw, cb0[0].xyzw", { QNAN, INF, MINF, 0x3f000000 }, { 0 }, { 0, F1, 0, 0x3f000000 } },
        { "eq o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, F0, F1, 1 }, { QNAN, FM0, F1, 0 }, { 0, ALL, ALL, ALL } },
        { "ne o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, F0, F1, F1 }, { QNAN, FM0, F1, F0 }, { ALL, 0, 0, ALL } },
        { "lt o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, FM1, F1, F0 }, { F1, F1, QNAN, F0 }, { 0, ALL, 0, 0 } },
        { "ge o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { QNAN, F1, F1, F0 }, { F1, FM1, QNAN, FM0 }, { 0, ALL, 0, ALL } },
        { "movc o0.xyzw, cb0[0].xyzw, l(1.0), l(2.0)", { 0, FM0, 1, ALL }, { 0 }, { 0x40000000, F1, F1, F1 } },
        { "rsq o0.xyzw, cb0[0].xyzw", { F0, 0x40800000, INF, F1 }, { 0 }, { INF, 0x3f000000, 0, F1 } },
        { "rcp o0.xyzw, cb0[0].xyzw", { F0, FM0, INF, 0x40800000 }, { 0 }, { INF, MINF, 0, 0x3e800000 } },
        { "log o0.xyzw, cb0[0].xyzw", { F0, F1, 0x41000000, INF }, { 0 }, { MINF, 0, 0x40400000, INF } },
        { "exp o0.xyzw, cb0[0].xyzw", { F0, 0x40400000, MINF, INF }, { 0 }, { F1, 0x41000000, 0, INF } },
        { "round_ne o0.xyzw, cb0[0].xyzw", { 0x3f000000, 0x3fc00000, 0xc0200000, 0xbe800000 }, { 0 }, { 0, 0x40000000, 0xc0000000, FM0 } },
        { "mul o0.xyzw, cb0[0].xyzw, cb0[1].xyzw", { 0x00000001, 0x00800000, F0, 0x80800000 }, { F1, 0x3f000000, INF, 0x3f000000 },
          { 0, 0, 0xffc00000, FM0 } }, /* no denormals; 0 times infinity is no number here */
        { "mad o0.xyzw, cb0[0].xyzw, cb0[0].xyzw, -cb0[1].xyzw", { 0x3f800001, F1, F1, F1 }, { 0x3f800002, F1, F1, F1 }, { 0, 0, 0, 0 } },
        { "f32tof16 o0.xyzw, cb0[0].xyzw", { 0x477ff000, 0x33800000, 0x3f801000, 0xbf803000 }, { 0 }, { 0x7c00, 1, 0x3c00, 0xbc02 } },
        { "f32tof16 o0.xyzw, cb0[0].xyzw", { 0x477fefff, 0x33000000, 0x33000001, QNAN }, { 0 }, { 0x7bff, 0, 1, 0x7e00 } },
        { "f16tof32 o0.xyzw, cb0[0].xyzw", { 1, 0xabcd3c00, 0xfc00, 0x83ff }, { 0 }, { 0x33800000, F1, MINF, 0xb87fc000 } },
        { "bfi o0.xyzw, l(8), l(4), cb0[0].xyzw, cb0[1].xyzw", { 0xabc, 0, ALL, 0 }, { ALL, ALL, 0, 0 }, { 0xfffffbcf, 0xfffff00f, 0xff0, 0 } },
        { "ubfe o0.xyzw, cb0[1].xyzw, l(4), cb0[0].xyzw", { 0xabcd, 0xabcd, 0x80000000, ALL }, { 8, 32, 28, 31 }, { 0xbc, 0, 0x08000000, 0x0fffffff } },
        { "ibfe o0.xyzw, cb0[1].xyzw, l(4), cb0[0].xyzw", { 0xabcd, 0xabcd, 0x80000000, 0x70 }, { 8, 32, 28, 3 }, { 0xffffffbc, 0, 0xf8000000, ALL } },
        { "firstbit_hi o0.xyzw, cb0[0].xyzw", { 0, 1, 0x80000000, 0x00ff0000 }, { 0 }, { ALL, 31, 0, 8 } },
        { "firstbit_lo o0.xyzw, cb0[0].xyzw", { 0, 1, 0x80000000, 0x00ff0000 }, { 0 }, { ALL, 0, 31, 16 } },
        { "firstbit_shi o0.xyzw, cb0[0].xyzw", { 0, ALL, 0xfffffffe, 0x00ff0000 }, { 0 }, { ALL, ALL, 31, 8 } },
        { "mov o0.xyzw, cb0[r0.x + 20].xyzw", { 0 }, { 0 }, { 0, 0, 0, 0 } }, /* past the buffer */
        { "mov r0.x, l(-1)\nmov o0.xyzw, cb0[r0.x + 2].xyzw", { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 5, 6, 7, 8 } },
        { "mov r0.x, l(2)\nmov o0.xyzw, cb0[r0.x + -1].xyzw", { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 5, 6, 7, 8 } },
        { "mov r0.x, l(-2)\nmov o0.xyzw, cb0[r0.x + 1].xyzw", { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 0, 0, 0, 0 } },
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        u32 out[4];
        evaluate(rows[k].code, rows[k].a, rows[k].b, out);
        for (unsigned c = 0; c < 4; c++)
            ck_assert_msg(out[c] == rows[k].want[c], "%s: %c is %08x, should be %08x", rows[k].code, "xyzw"[c], out[c], rows[k].want[c]);
    }
}
END_TEST

/* ---- control flow ---- */

/* Runs integer code on lanes whose v0.x is the lane's number; result o0.x. */
static void by_lane(const char *code, u32 out[LANES])
{
    char text[4096];
    struct sm4_rig g;
    snprintf(text, sizeof(text), "vs_4_0\ndcl_input v0.x\ndcl_output o0.xyzw\ndcl_temps 4\n%s", code);
    sm4_rig_up(&g, text);
    for (u32 l = 0; l < LANES; l++) g.s->inputs[0].c[0][l] = l;
    sm4_rig_run(&g);
    memcpy(out, g.s->outputs[0].c[0], LANES * 4);
    sm4_rig_down(&g);
}

START_TEST(sm4_switch_falls_through_and_has_a_default_anywhere)
{
    u32 out[LANES];
    by_lane("switch v0.x\ncase l(3)\niadd r0.x, r0.x, l(1)\ndefault\niadd r0.x, r0.x, l(10)\ncase l(5)\ncase l(6)\niadd r0.x, r0.x, l(100)\n"
            "break\ncase l(7)\niadd r0.x, r0.x, l(1000)\nendswitch\nmov o0.x, r0.x\nret",
            out);
    for (u32 l = 0; l < LANES; l++) ck_assert_uint_eq(out[l], l == 3 ? 111 : l == 5 || l == 6 ? 100 : l == 7 ? 1000 : 110);
}
END_TEST

START_TEST(sm4_switch_without_a_match_does_nothing)
{
    u32 out[LANES];
    by_lane("mov r0.x, l(7)\nswitch v0.x\ncase l(-1)\nmov r0.x, l(8)\nbreak\nendswitch\nswitch v0.x\nendswitch\nmov o0.x, r0.x\nret", out);
    for (u32 l = 0; l < LANES; l++) ck_assert_uint_eq(out[l], 7);
}
END_TEST

/* Rounds 0 to 9: multiples of three skip the rest of the round from two switches deep; round 8 ends the loop from inside one. */
START_TEST(sm4_continue_and_break_through_switches)
{
    u32 out[LANES];
    by_lane("mov r1.x, l(-1)\nloop\niadd r1.x, r1.x, l(1)\nige r1.y, r1.x, l(10)\nbreakc_nz r1.y\n"
            "udiv null, r1.z, r1.x, l(3)\n"
            "switch r1.z\ncase l(0)\nswitch v0.x\ncase l(9)\nbreak\ndefault\ncontinue\nendswitch\niadd r0.x, r0.x, l(1000)\nbreak\n"
            "case l(1)\nieq r1.w, v0.x, l(2)\ncontinuec_nz r1.w\niadd r0.x, r0.x, l(10)\nbreak\n"
            "default\niadd r0.x, r0.x, l(100)\nieq r1.w, r1.x, l(8)\nif_nz r1.w\nretc_z v0.x\nendif\nendswitch\niadd r0.x, r0.x, l(1)\nmov o0.x, r0.x\n"
            "endloop\nmov o0.x, r0.x\nret",
            out);
    for (u32 l = 0; l < LANES; l++) {
        u32 sum = 0;
        for (u32 k = 0; k < 10; k++) {
            if (k % 3 == 0 && l != 9) continue;
            if (k % 3 == 1 && l == 2) continue;
            sum += k % 3 == 0 ? 1000 : k % 3 == 1 ? 10 : 100;
            if (k == 8 && l == 0) { /* returns before the last sum reaches the output */
                sum -= 100;
                break;
            }
            sum++;
        }
        ck_assert_uint_eq(out[l], sum);
    }
}
END_TEST

START_TEST(sm4_continue_from_the_inner_of_two_switches)
{
    u32 out[LANES];
    by_lane("loop\nige r1.y, r1.x, l(4)\nbreakc_nz r1.y\niadd r1.x, r1.x, l(1)\nswitch v0.x\ndefault\nswitch r1.x\ncase l(2)\ncontinue\n"
            "endswitch\niadd r0.x, r0.x, l(1)\nbreak\nendswitch\niadd r0.x, r0.x, l(10)\nendloop\nmov o0.x, r0.x\nret",
            out);
    for (u32 l = 0; l < LANES; l++) ck_assert_uint_eq(out[l], 33);
}
END_TEST

START_TEST(sm4_break_in_a_switch_keeps_the_loop)
{
    u32 out[LANES];
    by_lane("loop\nige r1.y, r1.x, v0.x\nbreakc_nz r1.y\niadd r1.x, r1.x, l(1)\nswitch r1.x\ncase l(1)\nbreak\ndefault\niadd r0.x, r0.x, l(1)\n"
            "breakc_nz r1.x\nmov r0.x, l(99)\nbreak\nendswitch\nendloop\nmov o0.x, r0.x\nret",
            out);
    for (u32 l = 0; l < LANES; l++) ck_assert_uint_eq(out[l], l ? l - 1 : 0);
}
END_TEST

START_TEST(sm4_subroutines)
{
    u32 out[LANES];
    by_lane("iadd r0.y, v0.x, l(-10)\nilt r0.y, r0.y, l(0)\ncallc_z r0.y, label1\ncall label0\nmov o0.x, r0.x\nret\n"
            "label label0\niadd r0.x, r0.x, l(1)\nretc_nz r0.y\niadd r0.x, r0.x, l(2)\nret\n"
            "label label1\ncall label0\niadd r0.x, r0.x, l(100)\nret",
            out);
    for (u32 l = 0; l < LANES; l++) ck_assert_uint_eq(out[l], l < 10 ? 1 : 106);
    by_lane("call label0\nmov o0.x, r0.x\nret\nlabel label0\niadd r0.x, r0.x, l(1)\ncall label0\nret", out);
    ck_assert_uint_eq(out[0], IR_MAX_CALL_DEPTH); /* calls itself until the depth is used up */
}
END_TEST

/* ---- pixel shaders ---- */

struct asked {
    struct ir_insn insn;
    u32 coord[4], extra, ddx, ddy;
    bool has_extra, has_gradients, implicit;
};
static void note_query(void *opaque, const struct ir_texture_query *q, struct lanes *result)
{
    struct asked *a = opaque;
    a->insn = *q->insn;
    for (unsigned c = 0; c < 4; c++) a->coord[c] = q->coord->c[c][5];
    a->has_extra = q->extra != NULL;
    a->has_gradients = q->ddx && q->ddy;
    a->implicit = q->implicit_lod;
    if (q->extra) a->extra = q->extra->c[0][5];
    if (q->ddx) a->ddx = q->ddx->c[1][5], a->ddy = q->ddy->c[0][5];
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned l = 0; l < LANES; l++) result->c[c][l] = 100 * (c + 1) + l;
    }
}

START_TEST(sm4_what_the_sampler_is_asked)
{
    static const struct {
        const char *line;
        u16 op;
        bool extra, gradients;
    } rows[] = {
        { "sample_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2", IR_TEX, false, false },
        { "sample_b_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2, l(7)", IR_TEX_BIAS, true, false },
        { "sample_l_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2, l(7)", IR_TEX_LOD, true, false },
        { "sample_c_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2, l(7)", IR_TEX_CMP, true, false },
        { "sample_c_lz_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2, l(7)", IR_TEX_CMP_LZ, true, false },
        { "sample_d_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx, s2, l(1,2,3,4), l(5,6,7,8)", IR_TEX_GRAD, false, true },
        { "ld_aoffimmi(1,-2,3) r0.xyzw, v0.zwxy, t3.wzyx", IR_LD, false, false },
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        char text[1024];
        struct sm4_rig g;
        struct asked a = { 0 };
        snprintf(text, sizeof(text),
                 "ps_4_0\ndcl_sampler s2, mode_default\ndcl_resource_texture2darray t3\ndcl_input_ps linear v0.xyzw\n"
                 "dcl_output o0.xyzw\ndcl_temps 1\n%s\nmov o0.xyzw, r0.xyzw\nret",
                 rows[k].line);
        sm4_rig_up(&g, text);
        for (unsigned c = 0; c < 4; c++) g.s->inputs[0].c[c][5] = 40 + c;
        g.env.sample = note_query;
        g.env.opaque = &a;
        sm4_rig_run(&g);
        ck_assert_uint_eq(a.insn.op, rows[k].op);
        ck_assert_uint_eq(a.insn.tex.resource, 3);
        ck_assert(a.insn.tex.offset[0] == 1 && a.insn.tex.offset[1] == -2 && a.insn.tex.offset[2] == 3);
        ck_assert(a.coord[0] == 42 && a.coord[1] == 43 && a.coord[2] == 40 && a.coord[3] == 41);
        ck_assert(a.has_extra == rows[k].extra && a.has_gradients == rows[k].gradients);
        if (rows[k].extra) ck_assert_uint_eq(a.extra, 7);
        if (rows[k].gradients) ck_assert(a.ddx == 2 && a.ddy == 5);
        if (rows[k].op != IR_LD) ck_assert_uint_eq(a.insn.tex.sampler, 2);
        ck_assert_uint_eq(g.s->outputs[0].c[0][9], 409); /* .wzyx of the texture operand */
        ck_assert_uint_eq(g.s->outputs[0].c[3][9], 109);
        sm4_rig_down(&g);
    }
}
END_TEST

START_TEST(sm4_discard_and_derivatives)
{
    struct sm4_rig g;
    sm4_rig_up(&g, "ps_5_0\ndcl_input_ps linear v0.x\ndcl_output o0.xyzw\ndcl_temps 1\nderiv_rtx o0.x, v0.x\nderiv_rty o0.y, v0.x\n"
                   "deriv_rtx_coarse o0.z, v0.x\nderiv_rty_coarse o0.w, v0.x\nlt r0.x, v0.x, l(10.0)\ndiscard_nz r0.x\n"
                   "lt r0.x, v0.x, l(1000.0)\ndiscard_z r0.x\nret");
    ck_assert(g.p->derivatives && g.p->kills);
    static const float quad[4] = { 1.0f, 3.0f, 20.0f, 2000.0f };
    for (unsigned l = 0; l < LANES; l++) lanes_f(&g.s->inputs[0], 0)[l] = quad[l & 3];
    sm4_rig_run(&g);
    ck_assert_uint_eq(g.s->active, 0x4444444444444444ull);
    for (unsigned l = 0; l < LANES; l++) {
        ck_assert_float_eq(lanes_f(&g.s->outputs[0], 0)[l], l & 2 ? 1980.0f : 2.0f);
        ck_assert_float_eq(lanes_f(&g.s->outputs[0], 1)[l], l & 1 ? 1997.0f : 19.0f);
        ck_assert_float_eq(lanes_f(&g.s->outputs[0], 2)[l], 2.0f);
        ck_assert_float_eq(lanes_f(&g.s->outputs[0], 3)[l], 19.0f);
    }
    sm4_rig_down(&g);
}
END_TEST

/* v0: position alone. v1: an input in x, the primitive's number in y, a sample index, which is 0, in w. */
START_TEST(sm4_system_values)
{
    struct sm4_rig g;
    sm4_rig_up(&g, "ps_5_0\ndcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_input_ps constant v1.x\n"
                   "dcl_input_ps_sgv constant v1.y, primitive_id\ndcl_input_ps_sgv constant v1.w, sample_index\n"
                   "dcl_input_ps_sgv constant v2.x, is_front_face\ndcl_output o0.xyzw\ndcl_output o1.xyzw\n"
                   "mov o0.xyzw, v0.wzyx\nmov o1.xyw, v1.xyxw\nmov o1.z, v2.x\nret");
    ck_assert(!g.p->input[0].used && g.p->input[1].used && !g.p->input[2].used);
    for (unsigned c = 0; c < 4; c++) g.s->special[IR_SP_POSITION].c[c][7] = 10 + c;
    g.s->special[IR_SP_PRIMITIVE_ID].c[0][7] = 20;
    g.s->special[IR_SP_FRONT].c[0][7] = ALL;
    g.s->inputs[1].c[0][7] = 30;
    g.s->inputs[1].c[1][7] = g.s->inputs[1].c[3][7] = 31; /* what the register holds there must not be seen */
    sm4_rig_run(&g);
    for (unsigned c = 0; c < 4; c++) ck_assert_uint_eq(g.s->outputs[0].c[c][7], 13 - c);
    ck_assert_uint_eq(g.s->outputs[1].c[0][7], 30);
    ck_assert_uint_eq(g.s->outputs[1].c[1][7], 20);
    ck_assert_uint_eq(g.s->outputs[1].c[2][7], ALL);
    ck_assert_uint_eq(g.s->outputs[1].c[3][7], 0);
    sm4_rig_down(&g);
}
END_TEST

START_TEST(sm4_computed_registers_of_inputs_and_outputs)
{
    struct sm4_rig g;
    sm4_rig_up(&g, "vs_4_0\ndcl_input v0.x\ndcl_input v1.x\ndcl_input v2.x\ndcl_indexrange v0.x, 3\ndcl_output o0.x\ndcl_output o1.x\n"
                   "dcl_indexrange o0.x, 2\ndcl_temps 1\ndcl_immediateConstantBuffer {{0, 0, 0, 5}, {1, 0, 0, 6}, {0, 0, 0, 7}}\n"
                   "mov r0.x, v0.x\nmov o[r0.x].x, v[r0.x + 1].x\nmov o0.y, icb[r0.x + 1].w\nmov o0.z, icb[r0.x + 3].w\n"
                   "mov r0.x, l(40)\nmov o[r0.x].x, l(1)\nret");
    for (u32 l = 0; l < LANES; l++) {
        g.s->inputs[0].c[0][l] = l & 1;
        g.s->inputs[1].c[0][l] = 100;
        g.s->inputs[2].c[0][l] = 200;
    }
    sm4_rig_run(&g);
    ck_assert(g.s->outputs[0].c[0][2] == 100 && g.s->outputs[1].c[0][2] == 0);
    ck_assert(g.s->outputs[0].c[0][3] == 0 && g.s->outputs[1].c[0][3] == 200);
    ck_assert(g.s->outputs[0].c[1][2] == 6 && g.s->outputs[0].c[1][3] == 7 && g.s->outputs[0].c[2][2] == 0);
    sm4_rig_down(&g);
}
END_TEST

/* The first of two results must not change where the second goes. */
START_TEST(sm4_second_result_goes_where_the_index_said)
{
    u32 out[LANES];
    by_lane("dcl_indexable_temp x0[4], 4\nmov r0.x, l(2)\numul r0.x, x0[r0.x].x, l(0x10000), l(0x30000)\niadd o0.x, x0[2].x, r0.x\nret", out);
    ck_assert_uint_eq(out[0], 3);
    by_lane("dcl_indexable_temp x0[4], 4\nmov r0.x, l(2)\numul r0.x, x0[r0.x].x, l(0x10001), l(0x30000)\nmov o0.x, x0[2].x\nret", out);
    ck_assert_uint_eq(out[0], 0x30000);
}
END_TEST

Suite *sm4_run_suite(void)
{
    Suite *s = suite_create("sm4_run");
    TCase *t = tcase_create("interpreter");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sm4_operations_by_hand);
    tcase_add_test(t, sm4_switch_falls_through_and_has_a_default_anywhere);
    tcase_add_test(t, sm4_switch_without_a_match_does_nothing);
    tcase_add_test(t, sm4_continue_and_break_through_switches);
    tcase_add_test(t, sm4_continue_from_the_inner_of_two_switches);
    tcase_add_test(t, sm4_break_in_a_switch_keeps_the_loop);
    tcase_add_test(t, sm4_subroutines);
    tcase_add_test(t, sm4_what_the_sampler_is_asked);
    tcase_add_test(t, sm4_discard_and_derivatives);
    tcase_add_test(t, sm4_system_values);
    tcase_add_test(t, sm4_computed_registers_of_inputs_and_outputs);
    tcase_add_test(t, sm4_second_result_goes_where_the_index_said);
    suite_add_tcase(s, t);
    return s;
}
