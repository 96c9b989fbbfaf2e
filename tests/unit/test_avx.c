/* AVX to SHA beside the recorded vectors (test_oracle.c): when the instructions exist at all, which
 * encodings are undefined, alignment, what happens to upper halves, faults in the middle of masked
 * moves and gathers, and that the models without the features do not have them. SDM 1 14, SDM
 * 2 2.3. */
#include "cpu/model.h"
#include "tests/unit/fp_rig.h"

static void setup_avx(void)
{
    setup();
    c->cr4 |= CR4_OSXSAVE;
    c->xcr0 = 7;
    memset(c->v, 0, sizeof(c->v));
}

static int vector_of_add(void)
{
    RUN(0xc5, 0xf4, 0x58, 0xc2); /* vaddps ymm0, ymm1, ymm2 */
    return fault();
}

START_TEST(control_bits_decide_between_ud_and_nm)
{
    ck_assert_int_eq(vector_of_add(), -1);
    c->cr0 |= CR0_EM; /* no matter */
    c->cr4 &= ~(u64)CR4_OSFXSR;
    ck_assert_int_eq(vector_of_add(), -1);
    c->cr0 |= CR0_TS;
    ck_assert_int_eq(vector_of_add(), EXC_NM);
    c->xcr0 = 3;
    ck_assert_int_eq(vector_of_add(), EXC_UD);
    c->xcr0 = 1;
    ck_assert_int_eq(vector_of_add(), EXC_UD);
    c->xcr0 = 7;
    c->cr4 &= ~(u64)CR4_OSXSAVE;
    ck_assert_int_eq(vector_of_add(), EXC_UD);
}
END_TEST

START_TEST(real_and_virtual_8086_mode_have_no_vex)
{
    c->bits = BITS16;
    c->cr0 &= ~(u64)CR0_PE;
    ck_assert_int_eq(vector_of_add(), EXC_UD);
    c->cr0 |= CR0_PE;
    ck_assert_int_eq(vector_of_add(), -1);
    c->rflags |= FL_VM;
    ck_assert_int_eq(vector_of_add(), EXC_UD);
    c->rflags &= ~(u64)FL_VM;
}
END_TEST

START_TEST(undefined_encodings)
{
    static const struct {
        u8 len, code[8];
    } t[] = {
        { 5, { 0x66, 0xc5, 0xf4, 0x58, 0xc2 } }, /* prefixes before VEX */
        { 5, { 0xf2, 0xc5, 0xf4, 0x58, 0xc2 } },
        { 5, { 0xf3, 0xc5, 0xf4, 0x58, 0xc2 } },
        { 5, { 0x48, 0xc5, 0xf4, 0x58, 0xc2 } },
        { 5, { 0xf0, 0xc5, 0xf4, 0x58, 0x03 } },       /* LOCK */
        { 4, { 0xc5, 0xf4, 0x28, 0xc2 } },             /* vmovaps: vvvv must be 1111b */
        { 5, { 0xc4, 0xe2, 0x75, 0x41, 0xc2 } },       /* vphminposuw: L must be 0 */
        { 6, { 0xc4, 0xe3, 0x71, 0x06, 0xc2, 0x00 } }, /* vperm2f128: L must be 1 */
        { 5, { 0xc4, 0xe2, 0xf9, 0x18, 0x03 } },       /* vbroadcastss: W must be 0 */
        { 5, { 0xc4, 0xe2, 0x71, 0x90, 0x03 } },       /* gather without SIB */
        { 5, { 0xc4, 0xe2, 0x71, 0x90, 0xc4 } },       /* gather with a register */
        { 5, { 0xc4, 0xe0, 0x70, 0x58, 0xc2 } },       /* map 0 */
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        struct decode_mode mode = { BITS64, ~0ull };
        struct insn i;
        ck_assert_int_eq(decode_insn(&mode, t[n].code, t[n].len, &i), DECODE_OK);
        ck_assert_msg(i.fn == op_ud, "row %u", n);
    }
}
END_TEST

START_TEST(les_and_lds_outside_64bit_mode)
{
    static const u8 les[] = { 0xc4, 0x03 }, lds[] = { 0xc5, 0x7b, 0x10 },
                    vex[] = { 0xc5, 0xf4, 0x58, 0xc2 };
    struct decode_mode mode = { BITS32, ~0ull };
    struct insn i;
    ck_assert_int_eq(decode_insn(&mode, les, 2, &i), DECODE_OK);
    ck_assert_str_eq(op_rows[i.op].name, "les");
    ck_assert_int_eq(decode_insn(&mode, lds, 3, &i), DECODE_OK);
    ck_assert_str_eq(op_rows[i.op].name, "lds");
    ck_assert_int_eq(decode_insn(&mode, vex, 4, &i), DECODE_OK);
    ck_assert_str_eq(op_rows[i.op].name, "vaddps");
}
END_TEST

START_TEST(models_without_the_feature_do_not_decode_it)
{
    static const u8 add[] = { 0xc5, 0xf4, 0x58, 0xc2 }, xgetbv[] = { 0x0f, 0x01, 0xd0 },
                    sha[] = { 0x0f, 0x38, 0xc8, 0xc1 };
    struct decode_mode mode = { BITS64, model_find("win7")->features };
    struct insn i;
    decode_insn(&mode, add, sizeof(add), &i);
    ck_assert(i.fn == op_ud);
    decode_insn(&mode, xgetbv, sizeof(xgetbv), &i);
    ck_assert(i.fn == op_ud);
    decode_insn(&mode, sha, sizeof(sha), &i);
    ck_assert(i.fn == op_ud);
    mode.features = 1ull << FT_AVX; /* AVX alone: integer operations of 256 bits belong to AVX2 */
    decode_insn(&mode, (const u8[]){ 0xc5, 0xf1, 0xfe, 0xc2 }, 4, &i);
    ck_assert(i.fn != op_ud);
    decode_insn(&mode, (const u8[]){ 0xc5, 0xf5, 0xfe, 0xc2 }, 4, &i);
    ck_assert(i.fn == op_ud);
}
END_TEST

START_TEST(vex_clears_what_legacy_keeps)
{
    memset(&c->v[0], 0x55, 32);
    RUN(0x66, 0x0f, 0xef, 0xc0); /* pxor xmm0, xmm0 */
    ck_assert_uint_eq(c->v[0].q[2], 0x5555555555555555ull);
    RUN(0xc5, 0xf1, 0xef, 0xc2); /* vpxor xmm0, xmm1, xmm2 */
    ck_assert_uint_eq(c->v[0].q[2] | c->v[0].q[3], 0);
    memset(c->v, 0x55, sizeof(c->v));
    c->bits = BITS32;
    RUN(0xc5, 0xf8, 0x77); /* vzeroupper */
    ck_assert_uint_eq(c->v[7].q[2], 0);
    ck_assert_uint_eq(c->v[7].q[0], 0x5555555555555555ull);
    ck_assert_uint_eq(c->v[8].q[2], 0x5555555555555555ull);
    RUN(0xc5, 0xfc, 0x77); /* vzeroall */
    ck_assert_uint_eq(c->v[7].q[0], 0);
    ck_assert_uint_eq(c->v[8].q[0], 0x5555555555555555ull);
    c->bits = BITS64;
    RUN(0xc5, 0xfc, 0x77);
    ck_assert_uint_eq(c->v[15].q[0] | c->v[15].q[3], 0);
}
END_TEST

START_TEST(only_aligned_moves_care_about_alignment)
{
    c->r[RBX] = AT + 16;
    RUN(0xc5, 0xf4, 0x58, 0x03); /* vaddps ymm0, ymm1, [rbx] */
    ck_assert_int_eq(fault(), -1);
    RUN(0xc5, 0xf8, 0x28, 0x03); /* vmovaps xmm0, [rbx] */
    ck_assert_int_eq(fault(), -1);
    RUN(0xc5, 0xfc, 0x28, 0x03); /* vmovaps ymm0, [rbx] */
    ck_assert_int_eq(fault(), EXC_GP);
    RUN(0xc5, 0xfd, 0x7f, 0x03); /* vmovdqa [rbx], ymm0 */
    ck_assert_int_eq(fault(), EXC_GP);
    RUN(0xc5, 0xfd, 0xe7, 0x03); /* vmovntdq */
    ck_assert_int_eq(fault(), EXC_GP);
    c->r[RBX] = AT + 1;
    RUN(0xc5, 0xfe, 0x7f, 0x03); /* vmovdqu */
    ck_assert_int_eq(fault(), -1);
    RUN(0xc5, 0xf9, 0x6f, 0x03); /* vmovdqa xmm0, [rbx] */
    ck_assert_int_eq(fault(), EXC_GP);
}
END_TEST

/* 32-bit mode; DS ends 16 bytes after AT. */
static void short_segment(void)
{
    c->bits = BITS32;
    c->seg[SEG_DS].limit = AT + 15;
    c->flat_ds = false;
    for (unsigned k = 0; k < 8; k++) st32(b->ram + AT + 4 * k, 100 + k);
}

START_TEST(masked_moves_touch_only_their_elements)
{
    short_segment();
    for (unsigned k = 0; k < 4; k++) c->v[1].d[k] = 0x80000000;
    RUN(0xc4, 0xe2, 0x75, 0x2c, 0x03); /* vmaskmovps ymm0, ymm1, [ebx] */
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->v[0].d[3], 103);
    ck_assert_uint_eq(c->v[0].d[4], 0);
    c->v[1].d[4] = 0x80000000;
    c->v[0].d[0] = 1;
    RUN(0xc4, 0xe2, 0x75, 0x2c, 0x03);
    ck_assert_int_eq(fault(), EXC_GP);
    ck_assert_uint_eq(c->v[0].d[0], 1);
    RUN(0xc4, 0xe2, 0x75, 0x2e, 0x03); /* vmaskmovps [ebx], ymm1, ymm0: nothing is stored */
    ck_assert_int_eq(fault(), EXC_GP);
    ck_assert_uint_eq(ld32(b->ram + AT), 100);
    c->v[1].d[4] = 0;
    RUN(0xc4, 0xe2, 0x75, 0x2e, 0x03);
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(ld32(b->ram + AT), 1);
}
END_TEST

START_TEST(gather_can_be_restarted)
{
    short_segment();
    memset(&c->v[1], 0xff, 32);
    memset(&c->v[0], 0x77, 32);
    for (unsigned k = 0; k < 8; k++) c->v[2].d[k] = k == 3 ? 4 : k & 3;
    RUN(0xc4, 0xe2, 0x75, 0x90, 0x04, 0x93); /* vpgatherdd ymm0, [ebx+ymm2*4], ymm1 */
    ck_assert_int_eq(fault(), EXC_GP);
    ck_assert_uint_eq(c->v[0].d[2], 102);
    ck_assert_uint_eq(c->v[0].d[3], 0x77777777);
    ck_assert_uint_eq(c->v[1].d[2], 0);
    ck_assert_uint_eq(c->v[1].d[3], 0xffffffff);
    c->seg[SEG_DS].limit = ~0u;
    st32(b->ram + AT, 555); /* done already: not read again */
    RUN(0xc4, 0xe2, 0x75, 0x90, 0x04, 0x93);
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->v[0].d[0], 100);
    ck_assert_uint_eq(c->v[0].d[3], 104);
    ck_assert_uint_eq(c->v[0].d[4], 555);
    ck_assert_uint_eq(c->v[1].q[0] | c->v[1].q[3], 0);
}
END_TEST

START_TEST(gather_registers_must_differ)
{
    RUN(0xc4, 0xe2, 0x75, 0x90, 0x04, 0x83); /* index = destination */
    ck_assert_int_eq(fault(), EXC_UD);
    RUN(0xc4, 0xe2, 0x75, 0x90, 0x04, 0x8b); /* index = mask */
    ck_assert_int_eq(fault(), EXC_UD);
    RUN(0xc4, 0xe2, 0x7d, 0x90, 0x04, 0x8b); /* destination = mask */
    ck_assert_int_eq(fault(), EXC_UD);
}
END_TEST

START_TEST(one_exception_for_both_halves)
{
    c->mxcsr = 0x1f80 & ~0x200u; /* ZM clear */
    c->v[1].f[0] = 1;
    c->v[1].f[7] = 1;
    for (unsigned k = 0; k < 8; k++) c->v[2].f[k] = 3;
    c->v[2].f[7] = 0;
    memset(&c->v[0], 0x77, 32);
    RUN(0xc5, 0xf4, 0x5e, 0xc2); /* vdivps ymm0, ymm1, ymm2 */
    ck_assert_int_eq(fault(), EXC_XM);
    ck_assert_uint_eq(c->mxcsr & 0x3f, 4); /* found before anything was rounded */
    ck_assert_uint_eq(c->v[0].d[0], 0x77777777);
}
END_TEST

START_TEST(compare_predicates)
{
    static const u8 quiet_nan_raises[] = {
        1, 2, 5, 6, 9, 10, 13, 14, 16, 19, 20, 23, 24, 27, 28, 31
    };
    for (unsigned n = 0; n < 32; n++) {
        const u8 code[] = { 0xc5, 0xf2, 0xc2, 0xc2, (u8)n }; /* vcmpss xmm0, xmm1, xmm2, n */
        c->mxcsr = 0x1f80;
        c->v[1].d[0] = 0x7fc00000;
        run(code, sizeof(code));
        bool raises = memchr(quiet_nan_raises, (int)n, sizeof(quiet_nan_raises)) != NULL;
        ck_assert_uint_eq(c->mxcsr & 0x3f, raises ? 1 : 0);
        bool unordered = (n & 15) == 3 || ((n & 15) >= 4 && (n & 15) <= 6) ||
                         ((n & 15) >= 8 && (n & 15) <= 10) || (n & 15) == 15;
        ck_assert_uint_eq(c->v[0].d[0], unordered ? ~0u : 0);
    }
}
END_TEST

Suite *avx_suite(void);
Suite *avx_suite(void)
{
    Suite *s = suite_create("avx");
    TCase *t = tcase_create("avx");
    tcase_add_checked_fixture(t, setup_avx, teardown);
    tcase_add_test(t, control_bits_decide_between_ud_and_nm);
    tcase_add_test(t, real_and_virtual_8086_mode_have_no_vex);
    tcase_add_test(t, undefined_encodings);
    tcase_add_test(t, les_and_lds_outside_64bit_mode);
    tcase_add_test(t, models_without_the_feature_do_not_decode_it);
    tcase_add_test(t, vex_clears_what_legacy_keeps);
    tcase_add_test(t, only_aligned_moves_care_about_alignment);
    tcase_add_test(t, masked_moves_touch_only_their_elements);
    tcase_add_test(t, gather_can_be_restarted);
    tcase_add_test(t, gather_registers_must_differ);
    tcase_add_test(t, one_exception_for_both_halves);
    tcase_add_test(t, compare_predicates);
    suite_add_tcase(s, t);
    return s;
}
