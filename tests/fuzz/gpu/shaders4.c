/* See shaders.h: texts for shader model 4 and 5. Apart from shaders.c because the two assemblers
 * want to be alone. */
#define ck_assert_uint_lt(a, b) must((a) < (b), #a " is below " #b)
#define ck_assert_msg(condition, form, text) must(condition, text)
#define ck_abort_msg(form, why, at, line) ((void)(why), (void)(at), must_failed(line))
#include "gpu/aerogpu_cmd.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/target.h"
#include "tests/unit/sm4_asm.h"

#define DECLARATIONS                                                                               \
    "dcl_constantbuffer cb0[8], dynamicIndexed\ndcl_sampler s0, mode_default\n"                    \
    "dcl_sampler s1, mode_comparison\ndcl_resource_texture2d t0\ndcl_resource_buffer t1\n"         \
    "dcl_input_ps linear v0.xyzw\ndcl_output o0.xyzw\ndcl_temps 4\ndcl_indexable_temp x0[4], 4\n"

static const char *const texts[] = {
    "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out COLOR "
    "o1.xyzw\ndcl_input v0.xyzw\n"
    "dcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\nmov o0.xyzw, "
    "v0.xyzw\nmov o1.xyzw, v1.xyzw\nret",
    "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Target o0.xyzw\ndcl_sampler s0, "
    "mode_default\n"
    "dcl_resource_texture2d t0\ndcl_input_ps linear v1.xyzw\ndcl_output o0.xyzw\ndcl_temps 1\n"
    "sample r0.xyzw, v1.xyxx, t0.xyzw, s0\nmul o0.xyzw, r0.xyzw, v1.xyzw\nret",
    "ps_4_0\n" DECLARATIONS "add r0.xyzw, v0.xyzw, cb0[1].xyzw\nand r0.x, r1.y, r2.z\ndp2 r0.x, "
                            "r1.xyxx, r2.zwzz\ndp4_sat r1.xyzw, r1.xyzw, r2.xyzw\n"
    "div r0.xyz, r1.xyzw, r2.wwww\nexp r0.x, r1.x\nlog r0.y, r1.x\nfrc r2.xyzw, r1.xyzw\nftoi "
    "r3.xyzw, r1.xyzw\n"
    "mov x0[r3.y + 1].xyzw, cb0[r3.z + 2].xyzw\nmovc r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw\nmad_sat "
    "r0.xyzw, -r1.xyzw, |r2.xyzw|, -|r3.xyzw|\n"
    "mov o0.xyzw, x0[2].xyzw\nret",
    "ps_4_0\n" DECLARATIONS
    "sample r0.xyzw, v0.xyxx, t0.xyzw, s0\nsample_aoffimmi(-1,3,0) r0.xyzw, v0.xyxx, t0.xyzw, "
    "s0\nsample_c r0.x, v0.xyxx, t0.xxxx, s1, r1.x\n"
    "sample_c_lz r0.x, v0.xyxx, t0.xxxx, s1, r1.x\nsample_l r0.xyzw, v0.xyxx, t0.xyzw, s0, r1.x\n"
    "sample_d r0.xyzw, v0.xyxx, t0.xyzw, s0, r1.xyzw, r2.xyzw\nsample_b r0.xyzw, v0.xyxx, t0.xyzw, "
    "s0, r1.x\n"
    "resinfo_uint r0.xyzw, r1.x, t0.xyzw\nld r1.xyzw, r0.xyzw, t0.xyzw\nld_aoffimmi(1,2,0) "
    "r0.xyzw, r1.xyzw, t0.yxzw\n"
    "deriv_rtx r0.xy, v0.xyzw\nderiv_rty r0.zw, v0.xyzw\ndiscard_nz r0.x\nmov o0.xyzw, "
    "r0.xyzw\nret",
    "ps_4_0\n" DECLARATIONS
    "loop\niadd r0.x, r0.x, l(1)\nige r0.y, r0.x, l(9)\nbreakc_nz r0.y\nif_nz r0.x\nswitch "
    "r0.x\ncase l(1)\nmov r1.x, l(1.0)\nbreak\ncase l(2)\n"
    "case l(3)\nmov r1.y, l(2.0)\ndefault\nbreak\nendswitch\nelse\ncontinue\nendif\nendloop\ncall "
    "label0\ncallc_z r0.x, label1\nmov o0.xyzw, r1.xyzw\n"
    "ret\nlabel label0\nretc_nz r1.x\nmul r1.xyzw, r1.xyzw, l(0.5)\nret\nlabel label1\nsincos "
    "r1.x, r1.y, r0.x\nret",
    "ps_5_0\n" DECLARATIONS
    "gather4 r0.xyzw, v0.xyxx, t0.xyzw, s0.z\nlod r0.x, v0.xyxx, t0.xyzw, s0\nbufinfo r0.x, "
    "t1.xyzw\nrcp r0.xyzw, r1.xyzw\nf32tof16 r0.xyzw, r1.xyzw\n"
    "f16tof32 r1.xyzw, r0.xyzw\nuaddc r0.x, r0.y, r1.x, r2.x\nusubb r0.x, r0.y, r1.x, "
    "r2.x\ncountbits r0.x, r1.x\nfirstbit_hi r0.x, r1.x\n"
    "firstbit_shi r0.y, r1.x\nubfe r0.x, l(8), l(4), r1.x\nibfe r0.x, r0.y, l(4), r1.x\nbfi r0.x, "
    "l(8), l(4), r1.x, r2.x\nbfrev r0.x, r1.x\n"
    "swapc r0.xyzw, r1.xyzw, r2.xyzw, r0.xyzw, r1.xyzw\nmov o0.xyzw, r0.xyzw\nret",
    "vs_4_0\n.in POSITION v0.xyzw\n.in SV_VertexID v1.x uint\n.out SV_Position o0.xyzw\n"
    "dcl_immediateConstantBuffer {{1, 2, 3, 4}, {0.5, 0, 0, 0}}\ndcl_constantbuffer cb1[4], "
    "dynamicIndexed\ndcl_input v0.xyzw\n"
    "dcl_input_sgv v1.x, vertex_id\ndcl_output_siv o0.xyzw, position\ndcl_temps 2\nand r0.x, v1.x, "
    "l(1)\nimul null, r0.y, r0.x, l(3)\n"
    "umul r1.x, null, r0.x, r0.y\nudiv r1.y, r1.z, r0.x, l(2)\nushr r1.w, r0.x, l(1)\nishl r0.z, "
    "r0.x, l(2)\nitof r1.x, r0.z\nutof r1.y, r0.z\n"
    "add r0.xyzw, v0.xyzw, icb[r0.x + 0].xyzw\nmad o0.xyzw, r0.xyzw, cb1[r0.x + 1].xyzw, "
    "r1.xyzw\nret",
};

size_t shader_sm4(unsigned n, u8 *out, size_t cap, u8 *stage)
{
    static struct sm4_asm a;
    if (n >= 2 * LEN(texts)) return 0;
    size_t size = sm4_assemble(&a, texts[n / 2], n & 1 ? SM4_BARE : SM4_DXBC);
    must(size <= cap, "the text is short");
    memcpy(out, a.words, size);
    *stage = a.ps ? STAGE_PS : STAGE_VS;
    return size;
}
