/* Shader model 4 and 5 programs as the front end reads them: instructions, declarations, containers, and what it refuses. Shaders are
 * text (sm4_asm.h); what comes out is compared with the printed program. */
#include <check.h>

#include "gpu/shader/dxbc.h"
#include "machine/core/text.h"
#include "tests/unit/sm4_asm.h"

Suite *sm4_suite(void);

static struct ir_program *compile_form(const char *text, enum sm4_form form, const char **why)
{
    static struct sm4_asm a;
    u32 size = sm4_assemble(&a, text, form);
    *why = NULL;
    return shader_compile((const u8 *)a.words, size, a.ps ? STAGE_PS : STAGE_VS, why);
}

static struct ir_program *compile(const char *text)
{
    const char *why;
    struct ir_program *p = compile_form(text, SM4_DXBC, &why);
    ck_assert_msg(p != NULL, "refused: %s\n%s", why, text);
    return p;
}

/* The printed program without its head line. */
static void expect_code(const char *text, const char *code)
{
    struct ir_program *p = compile(text);
    struct text t;
    text_init(&t);
    ir_dump(p, &t);
    ck_assert_str_eq(strchr(t.s, '\n') + 1, code);
    text_free(&t);
    ir_free(p);
}

START_TEST(sm4_moves_and_arithmetic)
{
    expect_code("vs_4_0\n.in POSITION v0.xyz\n.out SV_Position o0.xyzw\n"
                "dcl_constantbuffer cb0[4], immediateIndexed\ndcl_input v0.xyz\ndcl_output_siv o0.xyzw, position\ndcl_temps 1\n"
                "mul r0.xyzw, v0.yyyy, cb0[1].xyzw\nmad r0.xyzw, cb0[0].xyzw, v0.xxxx, r0.xyzw\n"
                "mad_sat r0.xyz, -v0.zzzz, |cb0[2].xyzx|, -|r0.xyzx|\nadd o0.xyzw, r0.xyzw, l(0, 0, 0, 1.0)\nret",
                "   0 MUL r0.xyzw, v0.yyyy, cb0[1].xyzw\n"
                "   1 MAD r0.xyzw, cb0[0].xyzw, v0.xxxx, r0.xyzw\n"
                "   2 MAD_sat r0.xyz, -v0.zzzz, |cb0[2].xyzx|, -|r0.xyzx|\n"
                "   3 ADD o0.xyzw, r0.xyzw, imm0.xyzw\n"
                "   4 RET\n   5 RET\n");
}
END_TEST

START_TEST(sm4_sampling)
{
    expect_code("ps_4_0\n.in TEXCOORD v0.xy\n.out SV_Target o0.xyzw\n"
                "dcl_sampler s1, mode_default\ndcl_resource_texture2d (float,float,float,float) t2\ndcl_input_ps linear v0.xy\n"
                "dcl_output o0.xyzw\ndcl_temps 1\nsample r0.xyzw, v0.xyxx, t2.wzyx, s1\nsample_aoffimmi(-8,7,0) r0.xyz, v0.xyxx, t2.xyzw, s1\n"
                "sample_l o0.xyzw, v0.xyxx, t2.xyzw, s1, l(2.0)\nld r0.xyzw, r0.xyzw, t2.xyzw\nret",
                "   0 TEX r0.xyzw, v0.xyxx, t2.wzyx s1\n"
                "   1 TEX r0.xyz, v0.xyxx, t2 s1 (-8, 7, 0)\n"
                "   2 TEX_LOD o0.xyzw, v0.xyxx, imm0.xyzw, t2 s1\n"
                "   3 LD r0.xyzw, r0.xyzw, t2 s0\n"
                "   4 RET\n   5 RET\n");
}
END_TEST

Suite *sm4_suite(void)
{
    Suite *s = suite_create("sm4");
    TCase *t = tcase_create("front end");
    tcase_add_test(t, sm4_moves_and_arithmetic);
    tcase_add_test(t, sm4_sampling);
    suite_add_tcase(s, t);
    return s;
}
