/* Shader model 4 and 5 programs as the front end reads them: every instruction once well and once malformed, declarations, containers,
 * signatures, and what it refuses. Shaders are text (sm4_asm.h); what comes out is compared with the printed program. */
#include <stdio.h>

#include "gpu/shader/dxbc.h"
#include "machine/core/text.h"
#include "tests/unit/sm4_rig.h"

Suite *sm4_suite(void);

/* The printed program without its head line. */
static void expect_code(const char *text, const char *code)
{
    struct ir_program *p = sm4_program(text);
    struct text t;
    text_init(&t);
    ir_dump(p, &t);
    ck_assert_str_eq(strchr(t.s, '\n') + 1, code);
    text_free(&t);
    ir_free(p);
}

static void expect_refusal(const char *text, const char *reason)
{
    const char *why;
    struct ir_program *p = sm4_try(text, SM4_DXBC, &why);
    ck_assert_msg(!p, "accepted: %s", text);
    ck_assert_msg(!strcmp(why, reason), "refused for \"%s\" instead of \"%s\": %s", why, reason, text);
}

/* ---- every instruction ---- */

#define DECLARATIONS                                                                                                       \
    "dcl_constantbuffer cb0[8], dynamicIndexed\ndcl_sampler s0, mode_default\ndcl_sampler s1, mode_comparison\n"          \
    "dcl_resource_texture2d t0\ndcl_resource_buffer t1\ndcl_input_ps linear v0.xyzw\ndcl_output o0.xyzw\ndcl_temps 4\n"    \
    "dcl_indexable_temp x0[4], 4\n"

enum { LINE, CODE, AFTER }; /* the instruction, the first line of what it becomes, what balances it */
/* clang-format off */
static const char *const rows[][3] = {
    { "add r0.xyzw, r1.xyzw, r2.xyzw", "ADD r0.xyzw, r1.xyzw, r2.xyzw" },
    { "and r0.x, r1.y, r2.z", "AND r0.x, r1.yyyy, r2.zzzz" },
    { "call label3", "CALL", "ret\nlabel label3" },
    { "callc_nz r0.x, label3", "CALLB r0.xxxx", "ret\nlabel label3" },
    { "deriv_rtx r0.xy, v0.xyzw", "DSX r0.xy, v0.xyzw" },
    { "deriv_rty r0.xy, v0.xyzw", "DSY r0.xy, v0.xyzw" },
    { "discard_nz r0.x", "KILL_NZ r0.xxxx" },
    { "discard_z r0.x", "KILL_Z r0.xxxx" },
    { "div r0.xyz, r1.xyzw, r2.wwww", "DIV r0.xyz, r1.xyzw, r2.wwww" },
    { "dp2 r0.x, r1.xyxx, r2.zwzz", "DP2 r0.x, r1.xyxx, r2.zwzz" },
    { "dp3 r0.xw, r1.xyzx, r2.xyzx", "DP3 r0.xw, r1.xyzx, r2.xyzx" },
    { "dp4_sat r0.xyzw, r1.xyzw, r2.xyzw", "DP4_sat r0.xyzw, r1.xyzw, r2.xyzw" },
    { "eq r0.xyzw, r1.xyzw, r2.xyzw", "EQ r0.xyzw, r1.xyzw, r2.xyzw" },
    { "exp r0.x, r1.x", "EXP r0.x, r1.xxxx" },
    { "frc r0.xyzw, r1.xyzw", "FRC r0.xyzw, r1.xyzw" },
    { "ftoi r0.xyzw, r1.xyzw", "FTOI r0.xyzw, r1.xyzw" },
    { "ftou r0.xyzw, -r1.xyzw", "FTOU r0.xyzw, -r1.xyzw" },
    { "ge r0.xyzw, r1.xyzw, |r2.xyzw|", "GE r0.xyzw, r1.xyzw, |r2.xyzw|" },
    { "iadd r0.xyzw, r1.xyzw, -r2.xyzw", "IADD r0.xyzw, r1.xyzw, -r2.xyzw" },
    { "if_nz r0.x", "IF r0.xxxx -> 1", "endif" },
    { "if_z r0.y", "IF_2 r0.yyyy -> 1", "endif" },
    { "ieq r0.xyzw, r1.xyzw, l(5)", "IEQ r0.xyzw, r1.xyzw, imm0.xyzw" },
    { "ige r0.xyzw, r1.xyzw, r2.xyzw", "IGE r0.xyzw, r1.xyzw, r2.xyzw" },
    { "ilt r0.xyzw, r1.xyzw, r2.xyzw", "ILT r0.xyzw, r1.xyzw, r2.xyzw" },
    { "imad r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw", "IMAD r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "imax r0.xyzw, r1.xyzw, r2.xyzw", "IMAX r0.xyzw, r1.xyzw, r2.xyzw" },
    { "imin r0.xyzw, r1.xyzw, r2.xyzw", "IMIN r0.xyzw, r1.xyzw, r2.xyzw" },
    { "imul r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw", "IMUL r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "imul null, r1.xyzw, r2.xyzw, r3.xyzw", "IMUL, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "ine r0.xyzw, r1.xyzw, r2.xyzw", "INE r0.xyzw, r1.xyzw, r2.xyzw" },
    { "ineg r0.xyzw, r1.xyzw", "INEG r0.xyzw, r1.xyzw" },
    { "ishl r0.xyzw, r1.xyzw, l(3)", "ISHL r0.xyzw, r1.xyzw, imm0.xyzw" },
    { "ishr r0.xyzw, r1.xyzw, r2.xyzw", "ISHR r0.xyzw, r1.xyzw, r2.xyzw" },
    { "itof r0.xyzw, r1.xyzw", "ITOF r0.xyzw, r1.xyzw" },
    { "ld r0.xyzw, r1.xyzw, t0.xyzw", "LD r0.xyzw, r1.xyzw, t0 s0" },
    { "ld_aoffimmi(1,2,0) r0.xyzw, r1.xyzw, t0.yxzw", "LD r0.xyzw, r1.xyzw, t0.yxzw s0 (1, 2, 0)" },
    { "log r0.x, r1.x", "LOG r0.x, r1.xxxx" },
    { "lt r0.xyzw, r1.xyzw, r2.xyzw", "LT r0.xyzw, r1.xyzw, r2.xyzw" },
    { "mad_sat r0.xyzw, -r1.xyzw, |r2.xyzw|, -|r3.xyzw|", "MAD_sat r0.xyzw, -r1.xyzw, |r2.xyzw|, -|r3.xyzw|" },
    { "min r0.xyzw, r1.xyzw, r2.xyzw", "MIN r0.xyzw, r1.xyzw, r2.xyzw" },
    { "max r0.xyzw, r1.xyzw, r2.xyzw", "MAX r0.xyzw, r1.xyzw, r2.xyzw" },
    { "mov o0.xyzw, cb0[7].wzyx", "MOV o0.xyzw, cb0[7].wzyx" },
    { "mov x0[r0.y + 1].xyzw, cb0[r1.z + 2].xyzw", "MOV x0[1].xyzw[r0.y], cb0[2][r1.z].xyzw" },
    { "movc r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw", "MOVC r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "mul_sat r0.xyzw, r1.xyzw, l(0.5)", "MUL_sat r0.xyzw, r1.xyzw, imm0.xyzw" },
    { "ne r0.xyzw, r1.xyzw, r2.xyzw", "NE r0.xyzw, r1.xyzw, r2.xyzw" },
    { "not r0.xyzw, r1.xyzw", "NOT r0.xyzw, r1.xyzw" },
    { "or r0.xyzw, r1.xyzw, r2.xyzw", "OR r0.xyzw, r1.xyzw, r2.xyzw" },
    { "resinfo r0.xyzw, l(0), t0.xyzw", "RESINFO r0.xyzw, imm0.xyzw, t0 s0" },
    { "resinfo_rcpfloat r0.xyzw, l(0), t0.xyzw", "RESINFO_1 r0.xyzw, imm0.xyzw, t0 s0" },
    { "resinfo_uint r0.xyzw, r1.x, t0.xyzw", "RESINFO_2 r0.xyzw, r1.xxxx, t0 s0" },
    { "retc_nz r0.x", "RETB r0.xxxx" },
    { "retc_z r0.x", "RETB_2 r0.xxxx" },
    { "round_ne r0.xyzw, r1.xyzw", "ROUND_NE r0.xyzw, r1.xyzw" },
    { "round_ni r0.xyzw, r1.xyzw", "ROUND_NI r0.xyzw, r1.xyzw" },
    { "round_pi r0.xyzw, r1.xyzw", "ROUND_PI r0.xyzw, r1.xyzw" },
    { "round_z r0.xyzw, r1.xyzw", "ROUND_Z r0.xyzw, r1.xyzw" },
    { "rsq r0.x, r1.x", "RSQ r0.x, r1.xxxx" },
    { "sample r0.xyzw, v0.xyxx, t0.xyzw, s0", "TEX r0.xyzw, v0.xyxx, t0 s0" },
    { "sample_aoffimmi(-1,3,0) r0.xyzw, v0.xyxx, t0.xyzw, s0", "TEX r0.xyzw, v0.xyxx, t0 s0 (-1, 3, 0)" },
    { "sample_c r0.x, v0.xyxx, t0.xxxx, s1, r1.x", "TEX_CMP r0.x, v0.xyxx, r1.xxxx, t0.xxxx s1" },
    { "sample_c_lz r0.x, v0.xyxx, t0.xxxx, s1, r1.x", "TEX_CMP_LZ r0.x, v0.xyxx, r1.xxxx, t0.xxxx s1" },
    { "sample_l r0.xyzw, v0.xyxx, t0.xyzw, s0, r1.x", "TEX_LOD r0.xyzw, v0.xyxx, r1.xxxx, t0 s0" },
    { "sample_d r0.xyzw, v0.xyxx, t0.xyzw, s0, r1.xyzw, r2.xyzw", "TEX_GRAD r0.xyzw, v0.xyxx, r1.xyzw, r2.xyzw, t0 s0" },
    { "sample_b r0.xyzw, v0.xyxx, t0.xyzw, s0, r1.x", "TEX_BIAS r0.xyzw, v0.xyxx, r1.xxxx, t0 s0" },
    { "sqrt r0.x, r1.x", "SQRT r0.x, r1.xxxx" },
    { "sincos r0.x, null, r1.x", "SIN r0.x, r1.xxxx" },
    { "sincos null, r0.x, r1.x", "COS r0.x, r1.xxxx" },
    { "udiv r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw", "UDIV r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "ult r0.xyzw, r1.xyzw, r2.xyzw", "ULT r0.xyzw, r1.xyzw, r2.xyzw" },
    { "uge r0.xyzw, r1.xyzw, r2.xyzw", "UGE r0.xyzw, r1.xyzw, r2.xyzw" },
    { "umul r0.xyzw, null, r2.xyzw, r3.xyzw", "UMUL r0.xyzw, r2.xyzw, r3.xyzw" },
    { "umad r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw", "IMAD r0.xyzw, r1.xyzw, r2.xyzw, r3.xyzw" },
    { "umax r0.xyzw, r1.xyzw, r2.xyzw", "UMAX r0.xyzw, r1.xyzw, r2.xyzw" },
    { "umin r0.xyzw, r1.xyzw, r2.xyzw", "UMIN r0.xyzw, r1.xyzw, r2.xyzw" },
    { "ushr r0.xyzw, r1.xyzw, r2.xyzw", "USHR r0.xyzw, r1.xyzw, r2.xyzw" },
    { "utof r0.xyzw, r1.xyzw", "UTOF r0.xyzw, r1.xyzw" },
    { "xor r0.xyzw, r1.xyzw, r2.xyzw", "XOR r0.xyzw, r1.xyzw, r2.xyzw" },
    { "sample_indexable(texture2d)(float,float,float,float) r0.xyzw, v0.xyxx, t0.xyzw, s0", "TEX r0.xyzw, v0.xyxx, t0 s0" },
    { "ld_aoffimmi_indexable(-8,7,1)(texture2d)(float,float,float,float) r0.xyzw, r1.xyzw, t0.xyzw",
      "LD r0.xyzw, r1.xyzw, t0 s0 (-8, 7, 1)" },
    { "lod r0.x, v0.xyxx, t0.xyzw, s0", "TEX_LOD_QUERY r0.x, v0.xyxx, t0 s0" },
    { "gather4 r0.xyzw, v0.xyxx, t0.xyzw, s0.z", "GATHER_2 r0.xyzw, v0.xyxx, t0 s0" },
    { "gather4_c r0.xyzw, v0.xyxx, t0.xyzw, s1.x, r1.x", "GATHER_CMP r0.xyzw, v0.xyxx, r1.xxxx, t0 s1" },
    { "gather4_po r0.xyzw, v0.xyxx, r1.xyxx, t0.xyzw, s0.y", "GATHER_PO_1 r0.xyzw, v0.xyxx, r1.xyxx, t0 s0" },
    { "gather4_po_c r0.xyzw, v0.xyxx, r1.xyxx, t0.xyzw, s1.x, r2.x", "GATHER_CMP_PO r0.xyzw, v0.xyxx, r1.xyxx, r2.xxxx, t0 s1" },
    { "bufinfo r0.x, t1.xyzw", "BUFINFO r0.x, t1 s0" },
    { "deriv_rtx_coarse r0.xy, v0.xyzw", "DSX_COARSE r0.xy, v0.xyzw" },
    { "deriv_rtx_fine r0.xy, v0.xyzw", "DSX r0.xy, v0.xyzw" },
    { "deriv_rty_coarse r0.xy, v0.xyzw", "DSY_COARSE r0.xy, v0.xyzw" },
    { "deriv_rty_fine r0.xy, v0.xyzw", "DSY r0.xy, v0.xyzw" },
    { "rcp r0.xyzw, r1.xyzw", "RCP r0.xyzw, r1.xyzw" },
    { "f32tof16 r0.xyzw, r1.xyzw", "F32TOF16 r0.xyzw, r1.xyzw" },
    { "f16tof32 r0.xyzw, r1.xyzw", "F16TOF32 r0.xyzw, r1.xyzw" },
    { "uaddc r0.x, r0.y, r1.x, r2.x", "UADDC r0.x, r0.y, r1.xxxx, r2.xxxx" },
    { "usubb r0.x, r0.y, r1.x, r2.x", "USUBB r0.x, r0.y, r1.xxxx, r2.xxxx" },
    { "countbits r0.x, r1.x", "COUNTBITS r0.x, r1.xxxx" },
    { "firstbit_hi r0.x, r1.x", "FIRSTBIT_HI r0.x, r1.xxxx" },
    { "firstbit_lo r0.x, r1.x", "FIRSTBIT_LO r0.x, r1.xxxx" },
    { "firstbit_shi r0.x, r1.x", "FIRSTBIT_SHI r0.x, r1.xxxx" },
    { "ubfe r0.x, l(8), l(4), r1.x", "UBFE r0.x, imm0.xyzw, imm1.xyzw, r1.xxxx" },
    { "ibfe r0.x, l(8), l(4), r1.x", "IBFE r0.x, imm0.xyzw, imm1.xyzw, r1.xxxx" },
    { "bfi r0.x, l(8), l(4), r1.x, r2.x", "BFM r4.xyzw, imm0.xyzw, imm1.xyzw" },
    { "bfrev r0.x, r1.x", "BFREV r0.x, r1.xxxx" },
    { "swapc r0.xyzw, r1.xyzw, r2.xyzw, r0.xyzw, r1.xyzw", "SWAPC r0.xyzw, r1.xyzw, r2.xyzw, r0.xyzw, r1.xyzw" },
    { "switch r0.x", "IADD r4.x, r0.xxxx, imm0.xyzw", "case l(1)\nbreak\ndefault\nbreak\nendswitch" },
};
/* Instructions without operands, inside what they need, and what comes out. */
static const struct {
    const char *text, *code;
} flow[] = {
    { "loop\nbreak\nendloop", "   0 LOOP -> 2\n   1 BREAK\n   2 ENDLOOP\n" },
    { "loop\nbreakc_z r0.x\nendloop", "   0 LOOP -> 2\n   1 BREAKB_2 r0.xxxx\n   2 ENDLOOP\n" },
    { "loop\ncontinue\nendloop", "   0 LOOP -> 2\n   1 CONTINUE\n   2 ENDLOOP\n" },
    { "loop\ncontinuec_nz r0.x\nendloop", "   0 LOOP -> 2\n   1 CONTINUEB r0.xxxx\n   2 ENDLOOP\n" },
    { "if_nz r0.x\nelse\nendif", "   0 IF r0.xxxx -> 1\n   1 ELSE -> 2\n   2 ENDIF\n" },
    { "nop", "" },
};
/* clang-format on */

static char *program_of(const char *line, const char *after)
{
    static char text[4096];
    snprintf(text, sizeof(text), "ps_5_0\n" DECLARATIONS "%s\n%s\nret", line, after ? after : "");
    return text;
}

START_TEST(sm4_every_instruction_becomes_its_operation)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        struct text t;
        char want[256], *end;
        struct ir_program *p = sm4_program(program_of(rows[k][LINE], rows[k][AFTER]));
        text_init(&t);
        ir_dump(p, &t);
        char *first = strchr(t.s, '\n') + 1;
        end = strchr(first, '\n');
        *end = 0;
        snprintf(want, sizeof(want), "   0 %s", rows[k][CODE]);
        if (!strncmp(rows[k][LINE], "call", 4)) *strstr(first, " ->") = 0; /* the label's place */
        ck_assert_msg(!strcmp(first, want), "%s\nbecame %s\n  wanted %s", rows[k][LINE], first, want);
        text_free(&t);
        ir_free(p);
    }
    for (unsigned k = 0; k < LEN(flow); k++) {
        struct text t;
        struct ir_program *p = sm4_program(program_of(flow[k].text, NULL));
        text_init(&t);
        ir_dump(p, &t);
        ck_assert_msg(!strncmp(strchr(t.s, '\n') + 1, flow[k].code, strlen(flow[k].code)), "%s became\n%s", flow[k].text, t.s);
        text_free(&t);
        ir_free(p);
    }
}
END_TEST

/* Where the instruction begins in the tokens of program_of(): where a program without it has its ret. */
static u32 start_of_instruction(void)
{
    static struct sm4_asm a;
    sm4_assemble(&a, program_of("", NULL), SM4_BARE);
    return a.token_count - 1;
}

/* One operand token less, and the length says so: the operands must not reach into the next instruction. */
START_TEST(sm4_every_instruction_is_refused_when_cut)
{
    static struct sm4_asm a;
    for (unsigned k = 0; k < LEN(rows); k++) {
        const char *why = NULL;
        sm4_assemble(&a, program_of(rows[k][LINE], rows[k][AFTER]), SM4_BARE);
        u32 at = start_of_instruction(), n = a.words[at] >> 24 & 127;
        memmove(&a.words[at + n - 1], &a.words[at + n], (a.count - at - n) * 4);
        a.words[at] -= 1u << 24;
        a.words[1] = --a.count;
        struct ir_program *p = shader_compile((const u8 *)a.words, a.count * 4, STAGE_PS, &why);
        ck_assert_msg(!p, "accepted when cut: %s", rows[k][LINE]);
        ck_assert_msg(!strcmp(why, "operands behind the end of an instruction"), "%s: %s", rows[k][LINE], why);
    }
}
END_TEST

/* Every opcode number: it is in one of the tables above, is a declaration, or is refused. */
START_TEST(sm4_other_opcodes_are_refused)
{
    static struct sm4_asm a;
    unsigned refused = 0;
    u32 at = start_of_instruction();
    bool known[2048] = { [53] = true, [58] = true, [62] = true, [88 ... 91] = true, [95 ... 106] = true };
    for (unsigned k = 0; k < LEN(rows); k++) {
        sm4_assemble(&a, program_of(rows[k][LINE], rows[k][AFTER]), SM4_BARE);
        known[a.words[at] & 0x7ff] = true;
    }
    for (u32 opcode = 0; opcode < 2048; opcode++) {
        char line[64];
        const char *why = NULL;
        if (known[opcode]) continue;
        snprintf(line, sizeof(line), "raw 0x%x", opcode | 1u << 24);
        sm4_assemble(&a, program_of(line, NULL), SM4_BARE);
        struct ir_program *p = shader_compile((const u8 *)a.words, a.count * 4, STAGE_PS, &why);
        ck_assert_msg(!p && why, "opcode %u alone is accepted", opcode);
        refused++;
    }
    ck_assert_uint_gt(refused, 1900);
}
END_TEST

START_TEST(sm4_refuses_with_a_reason)
{
    static const struct {
        const char *line, *why;
    } bad[] = {
        { "raw 0x01000009", "geometry shader instruction" },
        { "raw 0x01000013", "geometry shader instruction" },
        { "raw 0x0100002e", "multisampled textures do not exist here" },
        { "raw 0x0100006e", "multisampled textures do not exist here" },
        { "raw 0x01000071", "hull shader instruction" },
        { "raw 0x01000075", "geometry shader instruction" },
        { "raw 0x01000078", "interfaces are not supported" },
        { "raw 0x010000a3", "unordered access, raw and structured buffers are not supported" },
        { "raw 0x010000bf", "double precision and later instructions are not supported" },
        { "raw 0x0100006b", "unknown instruction" },
        { "raw 0x00000036", "length of an instruction" },
        { "raw 0x7f000036", "length of an instruction" },
        { "raw 0x00000035, 0x7fffffff", "length of an instruction" },
        { "raw 0x00000035, 0x1", "operands behind the end of an instruction" },
        { "raw 0x05000036, 0x001000f2, 0, 0x00128e46, 0", "source register" },              /* a file that is none */
        { "raw 0x05000036, 0x001000f3, 0, 0x00100e46, 1", "number of components" },
        { "raw 0x05000036, 0x001000fe, 0, 0x00100e46, 1", "selection of components" },
        { "raw 0x05000036, 0x00100e46, 0, 0x00100e46, 1", "destination components" },        /* a swizzle */
        { "raw 0x06000036, 0x001000f2, 0, 0x80100e46, 0x101, 1", "operand modifier" },
        { "raw 0x06000036, 0x001000f2, 0, 0x80100e46, 2, 1", "extended operand" },
        { "raw 0x06000036, 0x001000f2, 0, 0x00500e46, 0, 0", "form of an index" },           /* 64-bit index */
        { "raw 0x04000036, 0x001000f2, 0, 0x00004000", "immediate without a value" },
        { "raw 0x05000036, 0x001000f2, 0, 0x00005001, 0", "double precision" },
        { "mov r4.x, r0.x", "destination register" },
        { "mov r0.x, r4.x", "source register" },
        { "mov cb0[0].x, r0.x", "destination register" },
        { "mov v0.x, r0.x", "destination register" },
        { "mov l(1), r0.x", "destination register" },
        { "mov r0.x, o0.x", "source register" },
        { "mov r0.x, null", "source register" },
        { "mov r0.x, v32.x", "source register" },
        { "mov o8.x, r0.x", "destination register" },
        { "mov r0.x, cb14[0].x", "source register" },
        { "mov r0.x, cb0.x", "source register" },
        { "mov r0.x, cb0[40000].x", "source register" },
        { "mov r0.x, x1[0].x", "source register" },
        { "mov r0.x, x0[4].x", "source register" },
        { "mov x0[4].x, r0.x", "destination register" },
        { "mov r0.x, x0[x0[x0[x0[x0[0].x].x].x].x].x", "indices nested too deeply" },
        { "mov r0.x, u0.x", "source register" },
        { "mov oMask, r0.x", "destination register" },
        { "mov r0.x, vPrim", "source register" },
        { "sample r0.xyzw, v0.xyxx, t128.xyzw, s0", "texture register" },
        { "sample r0.xyzw, v0.xyxx, t0.xyzw, s16", "sampler register" },
        { "sample r0.xyzw, v0.xyxx, s0, t0.xyzw", "texture register" },
        { "sample r0.xyzw, v0.xyxx, t0.xyzw, r0.x", "sampler register" },
        { "else", "else without if" },
        { "if_nz r0.x\nelse\nelse\nendif", "else without if" },
        { "endif", "endif without if" },
        { "loop\nendif", "endif without if" },
        { "endloop", "endloop without loop" },
        { "if_nz r0.x\nendloop\nendif", "endloop without loop" },
        { "if_nz r0.x", "block without end" },
        { "loop", "block without end" },
        { "switch r0.x\ncase l(0)", "block without end" },
        { "break", "break outside of loops and switches" },
        { "breakc_nz r0.x", "break outside of loops and switches" },
        { "continue", "continue outside of loops" },
        { "switch r0.x\ncase l(1)\ncontinue\nendswitch", "continue outside of loops" },
        { "case l(1)", "case or default without switch" },
        { "loop\ndefault\nendloop", "case or default without switch" },
        { "switch r0.x\nif_nz r0.x\ncase l(1)\nendif\nendswitch", "code before the first case" },
        { "switch r0.x\ncase l(0)\nif_nz r0.x\ncase l(1)\nendif\nendswitch", "case or default without switch" },
        { "switch r0.x\ndefault\ndefault\nendswitch", "case or default without switch" },
        { "switch r0.x\ncase r0.x\nendswitch", "case of a value that is no number" },
        { "switch r0.x\nmov r0.x, r0.y\ncase l(1)\nendswitch", "code before the first case" },
        { "endswitch", "endswitch without switch" },
        { "call label4", "call of a missing label" },
        { "call label256", "label" },
        { "label label1\nlabel label1", "label inside a block, or twice" },
        { "if_nz r0.x\nlabel label1\nendif", "label inside a block, or twice" },
        { "dcl_temps 5", "declaration behind the first instruction" },
        { "raw 0x0100005c", "geometry shader declaration" },
    };
    for (unsigned k = 0; k < LEN(bad); k++) {
        char text[1024];
        snprintf(text, sizeof(text), "nop\n%s", bad[k].line);
        expect_refusal(program_of(text, NULL), bad[k].why);
    }
}
END_TEST

/* ---- declarations ---- */

START_TEST(sm4_declarations_are_checked)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "ps_4_0\ndcl_temps 4097", "too many temporary registers" },
        { "ps_4_0\ndcl_temps 4000\ndcl_indexable_temp x0[97], 4", "too many indexable temporary registers" },
        { "ps_4_0\ndcl_indexable_temp x0[4000], 4\ndcl_temps 97", "too many temporary registers" },
        { "ps_4_0\ndcl_indexable_temp x64[1], 4", "too many indexable temporary registers" },
        { "ps_4_0\ndcl_indexable_temp x0[0], 4", "too many indexable temporary registers" },
        { "ps_4_0\ndcl_indexable_temp x0[1], 4\ndcl_indexable_temp x0[1], 4", "indexable temporary register declared twice" },
        { "ps_4_0\ndcl_constantbuffer cb14[1], immediateIndexed", "register of a declaration" },
        { "ps_4_0\ndcl_sampler s16, mode_default", "register of a declaration" },
        { "ps_4_0\ndcl_resource_texture2d t128", "register of a declaration" },
        { "ps_4_0\ndcl_resource_texture1d t0", "1D, volume and multisampled textures do not exist here" },
        { "ps_4_0\ndcl_resource_texture2dms t0", "1D, volume and multisampled textures do not exist here" },
        { "ps_4_0\ndcl_resource_texture3d t0", "1D, volume and multisampled textures do not exist here" },
        { "ps_4_0\ndcl_resource_texture1darray t0", "1D, volume and multisampled textures do not exist here" },
        { "ps_4_0\ndcl_resource_texture2dmsarray t0", "1D, volume and multisampled textures do not exist here" },
        { "ps_4_0\ndcl_input_ps linear v32.x", "register of a declaration" },
        { "ps_4_0\ndcl_input_ps linear v0.x\ndcl_input_ps constant v0.y", "two interpolation modes in one register" },
        { "ps_4_0\ndcl_input_ps_sgv v0.x, vertex_id", "system value of another stage" },
        { "vs_4_0\ndcl_input_sgv v0.x, is_front_face", "system value of another stage" },
        { "vs_4_0\ndcl_output_siv o0.xyzw, vertex_id", "system value of another stage" },
        { "ps_4_0\ndcl_output o8.x", "register of a declaration" },
        { "vs_4_0\ndcl_output o32.x", "register of a declaration" },
        { "vs_4_0\ndcl_indexrange v30.xyzw, 3", "range of indices" },
        { "vs_4_0\nraw 0x0400005a, 0x00a06000, 0, 0", "computed index in a declaration" },
        { "vs_5_0\nraw 0x0100106a", "double precision" },
        { "ps_5_0\ndcl_globalFlags forceEarlyDepthStencil", "forced early depth tests are not supported" },
        { "vs_4_0\nderiv_rtx null, l(0)", "derivative outside of a pixel shader" },
        { "vs_4_0\ndiscard_nz l(0)", "discard outside of a pixel shader" },
        { "ps_4_0\nrcp null, l(0)", "instruction of shader model 5" },
        { "ps_4_0\ndcl_temps 1\nbfi r0.x, l(0), l(0), l(0), l(0)", "instruction of shader model 5" },
        { "ps_4_0\ndcl_temps 1\nbufinfo r0.x, t0.xyzw", "instruction of shader model 5" },
        { "ps_4_0\ndcl_temps 1\ngather4 r0.xyzw, l(0), t0.xyzw, s0", "texture instruction of a later shader model" },
        { "ps_4_0\nraw 0x1835, 7, 0, 0, 0, 0, 0", "immediate constant buffer" },
        { "ps_4_0\ndcl_immediateConstantBuffer {{1, 2, 3, 4}}\ndcl_immediateConstantBuffer {{1, 2, 3, 4}}", "immediate constant buffer" },
        { "gs_4_0\nret", "geometry shaders are not supported" },
        { "hs_5_0\nret", "hull shaders are not supported" },
        { "ds_5_0\nret", "domain shaders are not supported" },
        { "cs_5_0\nret", "compute shaders are not supported" },
        { "ps_5_1\nret", "shader model 5.1 is not supported" },
        { "ps_4_2\nret", "unknown shader model" },
    };
    for (unsigned k = 0; k < LEN(bad); k++) expect_refusal(bad[k].text, bad[k].why);
}
END_TEST

START_TEST(sm4_declarations_describe_the_program)
{
    struct ir_program *p = sm4_program("ps_4_0\n.in SV_Position v0.xyzw\n.in TEXCOORD1 v1.xy\n.in COLOR v2.xyzw\n.in NORMAL v3.xyz\n"
                                       ".in SV_IsFrontFace v4.x uint\n.out SV_Target1 o0.xyzw\n.out SV_Depth oDepth\n"
                                       "dcl_resource_texturecube t3\ndcl_resource_texture2darray t4\ndcl_resource_buffer t33\n"
                                       "dcl_input_ps_siv linear noperspective v0.xy, position\ndcl_input_ps linear noperspective v1.xy\n"
                                       "dcl_input_ps constant v2.xyzw\ndcl_input_ps linear centroid v3.xyz\n"
                                       "dcl_input_ps_sgv constant v4.x, is_front_face\ndcl_output o0.xyzw\ndcl_output oDepth\n"
                                       "dcl_temps 2\nsample_l r0.xyzw, v1.xyxx, t3.xyzw, s5, l(0.0)\nld r1.xyzw, r0.xyzw, t33.xyzw\n"
                                       "mov o0.xyzw, r0.xyzw\nmov oDepth, r0.x\nret");
    ck_assert(p->stage == STAGE_PS && !p->d3d9 && p->major == 4 && p->minor == 0 && p->has_signatures);
    ck_assert(!p->input[0].used && p->input[1].used && p->input[2].used && p->input[3].used && !p->input[4].used);
    ck_assert_uint_eq(p->input[1].interpolation, IR_NOPERSPECTIVE);
    ck_assert_uint_eq(p->input[2].interpolation, IR_CONSTANT);
    ck_assert_uint_eq(p->input[3].interpolation, IR_LINEAR);
    ck_assert_uint_eq(p->input[1].semantic_hash, 0x0bc45413);
    ck_assert_uint_eq(p->input[1].semantic_index, 1);
    ck_assert_uint_eq(p->input[1].mask, 3);
    ck_assert(p->output[1].used && !p->output[0].used && p->output[IR_O_DEPTH].used && p->writes_depth); /* SV_Target1 is in o0 */
    ck_assert_uint_eq(p->insns[2].dst.index, 1);
    ck_assert_uint_eq(p->textures[0], 1u << 3);
    ck_assert_uint_eq(p->textures[1], 1u << 1);
    ck_assert_uint_eq(p->samplers, 1u << 5);
    ck_assert(p->texture_kind[3] == 3 && p->texture_kind[4] == 8 && p->texture_kind[33] == 1);
    ck_assert(!p->derivatives && !p->kills);
    ir_free(p);
    p = sm4_program("vs_4_0\n.in POSITION v0.xyz\n.in SV_VertexID v1.x uint\n.out SV_Position o0.xyzw\n.out SV_ClipDistance o1.xy\n"
                    ".out SV_CullDistance o1.z\n.out SV_RenderTargetArrayIndex o2.x uint\ndcl_input v0.xyz\ndcl_input_sgv v1.x, vertex_id\n"
                    "dcl_output_siv o0.xyzw, position\ndcl_output_siv o1.xy, clip_distance\ndcl_output_siv o1.z, cull_distance\n"
                    "dcl_output_siv o2.x, rendertarget_array_index\ndcl_temps 1\nutof r0.x, v1.x\nmov o0.xyzw, v0.xyzx\nret");
    ck_assert(p->input[0].used && !p->input[1].used);
    ck_assert_uint_eq(p->insns[0].src[0].file, IR_SPECIAL);
    ck_assert_uint_eq(p->insns[0].src[0].index, IR_SP_VERTEX_ID);
    ck_assert_uint_eq(p->output[0].system, IR_SV_POSITION);
    ck_assert(p->output[1].systems[0] == IR_SV_CLIP_DISTANCE && p->output[1].systems[1] == IR_SV_CLIP_DISTANCE);
    ck_assert(p->output[1].systems[2] == IR_SV_CULL_DISTANCE && p->output[1].systems[3] == IR_SV_NONE);
    ck_assert_uint_eq(p->output[2].system, IR_SV_TARGET_LAYER);
    ir_free(p);
    p = sm4_program("vs_4_0\n.out SV_Position o1.xyzw\ndcl_output o1.xyzw\nmov o1.xyzw, l(0)\nret"); /* only the signature says it */
    ck_assert(p->output[1].system == IR_SV_POSITION && p->output[1].systems[3] == IR_SV_POSITION);
    ir_free(p);
}
END_TEST

/* ---- what becomes several instructions ---- */

START_TEST(sm4_composites)
{
    /* a system value and an input in one register; the sine must not spoil the cosine's operand */
    expect_code("ps_4_0\n.in COLOR v0.x\n.in SV_PrimitiveID v0.y uint\ndcl_input_ps constant v0.x\ndcl_input_ps_sgv constant v0.y, primitive_id\n"
                "dcl_output o0.xyzw\ndcl_temps 1\nmov r0.xy, v0.xyxx\nsincos r0.x, r0.y, r0.x\nmov o0.xyzw, r0.xyxy\nret",
                "   0 MOV r1.x, v0.xyzw\n   1 MOV r1.y, special5.xxxx\n   2 MOV r0.xy, r1.xyxx\n   3 MOV r2.xyzw, r0.xxxx\n"
                "   4 SIN r0.x, r2.xyzw\n   5 COS r0.y, r2.xyzw\n   6 MOV o0.xyzw, r0.xyxy\n   7 RET\n   8 RET\n");
    /* indices from what is no temp, a large one, and one that the first result would change */
    expect_code("ps_4_0\ndcl_constantbuffer cb0[8], dynamicIndexed\ndcl_input_ps constant v0.x\ndcl_output o0.xyzw\ndcl_temps 2\n"
                "dcl_indexable_temp x0[4], 4\nmov o0.xyzw, cb0[v0.x + 3].xyzw\nmov o0.xyzw, cb0[r0.x + -1].xyzw\n"
                "umul r0.x, x0[r0.x].y, r1.x, r1.y\nret",
                "   0 IADD r2.x, v0.xxxx, imm0.xyzw\n   1 MOV o0.xyzw, cb0[0][r2.x].xyzw\n   2 IADD r2.x, r0.xxxx, imm1.xyzw\n"
                "   3 MOV o0.xyzw, cb0[0][r2.x].xyzw\n   4 MOV r3.x, r0.xxxx\n   5 UMUL r0.x, x0[0].y[r3.x], r1.xxxx, r1.yyyy\n"
                "   6 RET\n   7 RET\n");
    expect_code("vs_4_0\ndcl_immediateConstantBuffer {{1.0, 2.0, 3.0, 4.0}, {5, 6, 7, 8}}\ndcl_output o0.xyzw\ndcl_temps 1\n"
                "mov o0.xyzw, icb[r0.x + 1].xyzw\nmov o0.xyzw, l(9, 9, 9, 9)\nret",
                "   0 MOV o0.xyzw, icb[1][r0.x].xyzw\n   1 MOV o0.xyzw, imm2.xyzw\n   2 RET\n   3 RET\n");
}
END_TEST

START_TEST(sm4_nesting_has_a_limit)
{
    for (unsigned depth = 64; depth <= 65; depth++) {
        char text[4096] = "vs_4_0\ndcl_temps 1\n";
        const char *why;
        for (unsigned k = 0; k < depth; k++) strcat(text, "if_nz r0.x\n");
        for (unsigned k = 0; k < depth; k++) strcat(text, "endif\n");
        struct ir_program *p = sm4_try(text, SM4_BARE, &why);
        ck_assert(depth == 64 ? p != NULL : !p && !strcmp(why, "blocks nested too deeply"));
        ir_free(p);
    }
    for (unsigned depth = 32; depth <= 33; depth++) { /* a switch counts twice */
        char text[4096] = "vs_4_0\ndcl_temps 1\n";
        const char *why;
        for (unsigned k = 0; k < depth; k++) strcat(text, "switch r0.x\ncase l(1)\n");
        for (unsigned k = 0; k < depth; k++) strcat(text, "nop\nendswitch\n");
        struct ir_program *p = sm4_try(text, SM4_BARE, &why);
        ck_assert(depth == 32 ? p != NULL : !p && !strcmp(why, "blocks nested too deeply"));
        ir_free(p);
    }
}
END_TEST

/* ---- containers ---- */

static const char sample_text[] = "ps_4_0\n.in SV_Position v0.xyzw\n.in TEXCOORD v1.xy\n.out SV_Target o0.xyzw\ndcl_sampler s0, mode_default\n"
                                  "dcl_resource_texture2d t0\ndcl_input_ps linear v1.xy\ndcl_output o0.xyzw\ndcl_temps 1\n"
                                  "dcl_indexable_temp x0[2], 4\nsample r0.xyzw, v1.xyxx, t0.xyzw, s0\nmov x0[r0.x + 1].x, r0.x\n"
                                  "mul o0.xyzw, r0.xyzw, l(0.5, 0.5, 0.5, 1.0)\nret";

static void expect_same_code(const struct ir_program *p, const struct ir_program *q)
{
    struct text one, two;
    text_init(&one);
    text_init(&two);
    ir_dump(p, &one);
    ir_dump(q, &two);
    ck_assert_str_eq(one.s, two.s);
    text_free(&one);
    text_free(&two);
}

START_TEST(sm4_bare_tokens_and_containers_agree)
{
    const char *why;
    struct ir_program *whole = sm4_try(sample_text, SM4_DXBC, &why), *bare = sm4_try(sample_text, SM4_BARE, &why);
    struct ir_program *nameless = sm4_try(sample_text, SM4_DXBC_NO_SIGNATURES, &why);
    ck_assert(whole && bare && nameless);
    ck_assert(whole->has_signatures && !bare->has_signatures && !nameless->has_signatures);
    expect_same_code(whole, bare);
    expect_same_code(whole, nameless);
    ck_assert_uint_eq(whole->input_elements, 2);
    ck_assert_uint_eq(whole->output_elements, 1);
    ck_assert_uint_eq(whole->elements[2].hash, IR_HASH_SV_TARGET);
    ck_assert_uint_eq(whole->elements[2].system, IR_SV_TARGET);
    ck_assert_uint_eq(bare->input[1].semantic_hash, 0);
    ir_free(whole);
    ir_free(bare);
    ir_free(nameless);
}
END_TEST

/* In memory of exactly its size, so that the address sanitizer sees every step too far. */
static bool compiles(const void *blob, u32 size)
{
    const char *why = NULL;
    u8 *copy = malloc(size ? size : 1);
    memcpy(copy, blob, size);
    struct ir_program *p = shader_compile(copy, size, STAGE_PS, &why);
    ck_assert(p || why);
    free(copy);
    ir_free(p);
    return p != NULL;
}

START_TEST(sm4_every_truncation_is_refused)
{
    static struct sm4_asm a;
    for (enum sm4_form form = SM4_DXBC; form <= SM4_BARE; form++) {
        u32 size = sm4_assemble(&a, sample_text, form);
        ck_assert(compiles(a.words, size));
        for (u32 n = 0; n < size; n++) ck_assert_msg(!compiles(a.words, n), "%u bytes of %u", n, size);
    }
}
END_TEST

START_TEST(sm4_broken_containers_are_refused)
{
    static struct sm4_asm a, bad;
    u32 size = sm4_assemble(&a, sample_text, SM4_DXBC);
    for (u32 k = 0; k < 3; k++) { /* offsets and sizes of chunks */
        static const u32 values[] = { 0, 4, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
        u32 chunk = a.words[8 + k] / 4;
        for (unsigned v = 0; v < LEN(values); v++) {
            bad = a;
            bad.words[8 + k] = values[v];
            compiles(bad.words, size); /* 0 and 4 point at something; it must not crash */
            ck_assert(values[v] < 8 || !compiles(bad.words, size));
            bad = a;
            bad.words[chunk + 1] = values[v];
            ck_assert(!compiles(bad.words, size));
        }
        bad = a;
        bad.words[8 + k] = size;
        ck_assert(!compiles(bad.words, size));
        bad = a;
        bad.words[8 + k] = size - 4;
        ck_assert(!compiles(bad.words, size));
        for (u32 offset = 0; offset < size; offset++) {
            bad = a;
            bad.words[8 + k] = offset;
            bool same = compiles(bad.words, size);
            ck_assert(k != 2 || offset == a.words[10] || !same); /* no code elsewhere */
        }
    }
    static const u32 counts[] = { 0, 4, 257, 0x3fffffff, 0x40000000, 0xffffffff };
    for (unsigned v = 0; v < LEN(counts); v++) {
        bad = a;
        bad.words[7] = counts[v];
        ck_assert(!compiles(bad.words, size));
    }
    bad = a;
    memset(bad.words + 1, 0xff, 16); /* the checksum, the version and the total size are nobody's business */
    bad.words[5] = 7;
    bad.words[6] = 3;
    ck_assert(compiles(bad.words, size));
}
END_TEST

START_TEST(sm4_broken_signatures_are_refused)
{
    static struct sm4_asm a, bad;
    u32 size = sm4_assemble(&a, sample_text, SM4_DXBC), sig = a.words[8] / 4 + 2;
    static const u32 values[] = { 129, 0x10000000, 0xffffffff };
    for (unsigned v = 0; v < LEN(values); v++) {
        for (u32 word = 0; word < 3; word++) { /* count, first element, name */
            bad = a;
            bad.words[sig + word] = word ? values[v] * 4 : values[v];
            ck_assert(!compiles(bad.words, size));
        }
    }
    bad = a;
    bad.words[sig + 2] = a.words[sig - 1] - 1; /* the last byte, which ends no name */
    ck_assert(!compiles(bad.words, size));
    bad = a;
    bad.words[sig + 6] = 77; /* a register that does not exist: a name without a place */
    ck_assert(compiles(bad.words, size));
}
END_TEST

/* ISG1 and OSG5: elements with a stream in front. Chunks that nobody needs, and sizes that are no multiple of four. */
START_TEST(sm4_other_signature_chunks)
{
    static struct sm4_asm a;
    u32 words[512], n = 0;
    sm4_assemble(&a, sample_text, SM4_DXBC);
    u32 code = a.words[10] / 4, code_words = a.words[code + 1] / 4;
    static const u32 head[] = { 0x43425844, 0, 0, 0, 0, 1, 0, 4, 48, 0, 0, 0 };
    memcpy(words, head, sizeof(head));
    n = LEN(head);
    static const u32 junk[] = { 0x46454452, 5, 0x11111111, 0x22222222 };
    memcpy(words + n, junk, sizeof(junk));
    n += 4;
    words[8] = 12 * 4;
    words[9] = n * 4;
    static const u32 isg1[] = { 0x31475349, 8 + 32 + 8, 1, 8, 0, 40, 1, 0, 3, 1, 0x0303, 0, 0x43584554, 0x0044524f }; /* "TEXCORD" */
    memcpy(words + n, isg1, sizeof(isg1));
    n += LEN(isg1);
    words[10] = n * 4;
    static const u32 osg5[] = { 0x3547534f, 8 + 28 + 12, 1, 8, 0, 36, 2, 0, 3, 0, 0xf, 0x545f5653, 0x65677261, 0x74 }; /* "SV_Target" */
    memcpy(words + n, osg5, sizeof(osg5));
    n += LEN(osg5);
    words[11] = n * 4;
    memcpy(words + n, a.words + code, (code_words + 2) * 4);
    n += code_words + 2;
    const char *why = NULL;
    struct ir_program *p = shader_compile((const u8 *)words, n * 4, STAGE_PS, &why);
    ck_assert_msg(p != NULL, "%s", why);
    ck_assert(p->input_elements == 1 && p->output_elements == 1);
    ck_assert(p->elements[0].index == 1 && p->elements[0].reg == 1 && p->elements[0].mask == 3 && p->elements[0].type == 3);
    ck_assert_uint_eq(p->elements[0].hash, dxbc_name_hash("texcord", 7));
    ck_assert(p->elements[1].system == IR_SV_TARGET && p->elements[1].index == 2);
    ck_assert(p->output[2].used && !p->output[0].used);
    ir_free(p);
}
END_TEST

/* A level-9 twin in front of the code, a precision in an operand's extension, comments between instructions. */
START_TEST(sm4_what_is_skipped)
{
    static struct sm4_asm a;
    u32 words[512];
    sm4_assemble(&a, "ps_4_0\ndcl_output o0.xyzw\ndcl_temps 1\nraw 0x00000035, 4, 0x12345678, 0x9abcdef0\n"
                     "raw 0x06000036, 0x001000f2, 0, 0x80100e46, 0x00004041, 0\nraw 0x00001035, 2\nmov o0.xyzw, r0.xyzw\nret", SM4_DXBC_NO_SIGNATURES);
    memcpy(words, a.words, a.count * 4);
    memmove(words + 14, words + 9, (a.count - 9) * 4); /* the code moves back behind another offset and a chunk */
    words[7] = 2;
    words[8] = 10 * 4;
    words[9] = 14 * 4;
    words[10] = 0x396e6f41; /* Aon9 */
    words[11] = 8;
    words[12] = words[13] = 0xffff0200;
    const char *why = NULL;
    struct ir_program *p = shader_compile((const u8 *)words, (a.count + 5) * 4, STAGE_PS, &why);
    ck_assert_msg(p != NULL, "%s", why);
    ck_assert_uint_eq(p->insn_count, 4);
    ck_assert(p->insns[0].op == IR_MOV && p->insns[0].src[0].neg && !p->insns[0].src[0].abs);
    ir_free(p);
}
END_TEST

START_TEST(sm4_name_hashes)
{
    ck_assert_uint_eq(dxbc_name_hash("POSITION", 8), 0x7808e88a);
    ck_assert_uint_eq(dxbc_name_hash("Sv_Position", 11), 0x178476ae);
    ck_assert_uint_eq(dxbc_name_hash("color", 5), 0xe7c308f8);
    ck_assert_uint_eq(dxbc_name_hash("SV_TARGET", 9), IR_HASH_SV_TARGET);
    ck_assert_uint_eq(dxbc_name_hash("SV_DEPTH", 8), IR_HASH_SV_DEPTH);
    ck_assert_uint_eq(dxbc_name_hash("SV_DEPTHGREATEREQUAL", 20), IR_HASH_SV_DEPTH_GE);
    ck_assert_uint_eq(dxbc_name_hash("SV_DEPTHLESSEQUAL", 17), IR_HASH_SV_DEPTH_LE);
}
END_TEST

/* ---- linkage ---- */

START_TEST(sm4_links_by_name_and_component)
{
    struct ir_program *vs = sm4_program("vs_4_0\n.out SV_Position o0.xyzw\n.out TEXCOORD o1.xy\n.out TEXCOORD1 o1.zw\n.out COLOR o2.xyzw\n"
                                        "dcl_output_siv o0.xyzw, position\ndcl_output o1.xy\ndcl_output o1.zw\ndcl_output o2.xyzw\nret");
    struct ir_program *ps = sm4_program("ps_4_0\n.in SV_Position v0.xyzw\n.in Color v1.xyz\n.in texcoord1 v2.xy\n.in TEXCOORD2 v2.zw\n"
                                        "dcl_input_ps linear v1.xyz\ndcl_input_ps linear v2.xy\ndcl_input_ps linear v2.zw\nret");
    u8 from[IR_MAX_INPUTS][4];
    ir_link(vs, ps, from);
    ck_assert(from[1][0] == 8 && from[1][1] == 9 && from[1][2] == 10 && from[1][3] == IR_UNLINKED);
    ck_assert(from[2][0] == 6 && from[2][1] == 7 && from[2][2] == IR_UNLINKED && from[2][3] == IR_UNLINKED);
    const char *why;
    ir_free(ps);
    ps = sm4_try("ps_4_0\ndcl_input_ps linear v2.xyzw\nret", SM4_BARE, &why);
    ir_link(vs, ps, from); /* no names on one side: register by register */
    ck_assert(from[2][0] == 8 && from[2][3] == 11 && from[3][0] == IR_UNLINKED);
    ir_free(ps);
    ir_free(vs);
}
END_TEST

Suite *sm4_suite(void)
{
    Suite *s = suite_create("sm4");
    TCase *t = tcase_create("instructions");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sm4_every_instruction_becomes_its_operation);
    tcase_add_test(t, sm4_every_instruction_is_refused_when_cut);
    tcase_add_test(t, sm4_other_opcodes_are_refused);
    tcase_add_test(t, sm4_refuses_with_a_reason);
    tcase_add_test(t, sm4_declarations_are_checked);
    tcase_add_test(t, sm4_declarations_describe_the_program);
    tcase_add_test(t, sm4_composites);
    tcase_add_test(t, sm4_nesting_has_a_limit);
    suite_add_tcase(s, t);
    t = tcase_create("containers");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sm4_bare_tokens_and_containers_agree);
    tcase_add_test(t, sm4_every_truncation_is_refused);
    tcase_add_test(t, sm4_broken_containers_are_refused);
    tcase_add_test(t, sm4_broken_signatures_are_refused);
    tcase_add_test(t, sm4_other_signature_chunks);
    tcase_add_test(t, sm4_what_is_skipped);
    tcase_add_test(t, sm4_name_hashes);
    tcase_add_test(t, sm4_links_by_name_and_component);
    suite_add_tcase(s, t);
    return s;
}
