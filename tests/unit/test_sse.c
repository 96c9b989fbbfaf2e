/* SSE to SSE4.2, AES, PCLMULQDQ: state checks, alignment, MXCSR rules, exceptions, and published examples of the instructions
 * that have a portable implementation. Everything else is compared with hardware by the oracle test. */
#include "tests/unit/fp_rig.h"

static void set_pd(unsigned n, double low, double high)
{
    c->v[n].df[0] = low;
    c->v[n].df[1] = high;
}

static void set_q(unsigned n, u64 high, u64 low)
{
    c->v[n].q[0] = low;
    c->v[n].q[1] = high;
}

static void expect_q(unsigned n, u64 high, u64 low)
{
    ck_assert_uint_eq(c->v[n].q[0], low);
    ck_assert_uint_eq(c->v[n].q[1], high);
}

START_TEST(control_bits_decide_between_ud_and_nm)
{
    c->cr4 &= ~(u64)CR4_OSFXSR;
    RUN(0x0f, 0x58, 0xc1);
    ck_assert_int_eq(fault(), EXC_UD);
    c->cr4 |= CR4_OSFXSR;
    c->cr0 |= CR0_TS;
    RUN(0x0f, 0x58, 0xc1);
    ck_assert_int_eq(fault(), EXC_NM);
    c->cr0 |= CR0_EM;
    RUN(0x0f, 0x58, 0xc1);
    ck_assert_int_eq(fault(), EXC_UD);
}
END_TEST

START_TEST(upper_halves_stay)
{
    c->v[0].q[2] = 0x1111;
    c->v[0].q[3] = 0x2222;
    set_pd(0, 1, 2);
    set_pd(1, 10, 20);
    RUN(0x66, 0x0f, 0x58, 0xc1); /* addpd */
    ck_assert(c->v[0].df[0] == 11 && c->v[0].df[1] == 22);
    RUN(0x66, 0x0f, 0xef, 0xc0); /* pxor */
    ck_assert_uint_eq(c->v[0].q[2], 0x1111);
    ck_assert_uint_eq(c->v[0].q[3], 0x2222);
}
END_TEST

START_TEST(misaligned_operand_is_gp_unless_the_move_says_unaligned)
{
    c->r[RBX] = AT + 4;
    RUN(0x0f, 0x58, 0x03); /* addps [rbx] */
    ck_assert_int_eq(fault(), EXC_GP);
    RUN(0x0f, 0x28, 0x03); /* movaps */
    ck_assert_int_eq(fault(), EXC_GP);
    RUN(0x0f, 0x29, 0x03);
    ck_assert_int_eq(fault(), EXC_GP);
    RUN(0x0f, 0x10, 0x03); /* movups */
    ck_assert_int_eq(fault(), -1);
    RUN(0xf3, 0x0f, 0x58, 0x03); /* addss */
    ck_assert_int_eq(fault(), -1);
}
END_TEST

START_TEST(flags_are_sticky_and_exact)
{
    set_pd(0, 1, 0);
    set_pd(1, 3, 0);
    RUN(0xf2, 0x0f, 0x5e, 0xc1); /* divsd */
    ck_assert_uint_eq(c->mxcsr, 0x1fa0);
    set_pd(0, 1, 0);
    set_pd(1, 2, 0);
    RUN(0xf2, 0x0f, 0x58, 0xc1);
    ck_assert_uint_eq(c->mxcsr, 0x1fa0);
    c->mxcsr = 0x1f80; /* flags left on the host must not come back */
    RUN(0xf2, 0x0f, 0x58, 0xc1);
    ck_assert_uint_eq(c->mxcsr, 0x1f80);
    set_pd(1, 0, 0);
    RUN(0xf2, 0x0f, 0x5e, 0xc1);
    ck_assert_uint_eq(c->mxcsr, 0x1f84);
}
END_TEST

START_TEST(unmasked_exception_leaves_the_destination)
{
    c->mxcsr = 0x1d80; /* ZM clear */
    set_pd(0, 7, 8);
    set_pd(1, 0, 2);
    RUN(0x66, 0x0f, 0x5e, 0xc1); /* divpd */
    ck_assert_int_eq(fault(), EXC_XM);
    ck_assert_uint_eq(c->mxcsr, 0x1d84);
    ck_assert(c->v[0].df[0] == 7 && c->v[0].df[1] == 8);
    c->cr4 &= ~(u64)CR4_OSXMMEXCPT;
    RUN(0x66, 0x0f, 0x5e, 0xc1);
    ck_assert_int_eq(fault(), EXC_UD);
}
END_TEST

START_TEST(unmasked_underflow_is_raised_for_exact_results)
{
    set_q(0, 0, 0x0010000000000000); /* smallest normal */
    set_pd(1, 0.5, 0);
    RUN(0xf2, 0x0f, 0x59, 0xc1);
    ck_assert_uint_eq(c->mxcsr, 0x1f80);
    ck_assert_uint_eq(c->v[0].q[0], 0x0008000000000000);
    c->mxcsr = 0x1780;
    set_q(0, 0, 0x0010000000000000);
    RUN(0xf2, 0x0f, 0x59, 0xc1);
    ck_assert_int_eq(fault(), EXC_XM);
    ck_assert_uint_eq(c->mxcsr, 0x1790);
}
END_TEST

START_TEST(rounding_flush_and_denormals_are_zeros)
{
    set_pd(0, 1, 0);
    set_q(1, 0, 0x3c80000000000000); /* 2^-55 */
    c->mxcsr = 0x5f80;               /* up */
    RUN(0xf2, 0x0f, 0x58, 0xc1);
    ck_assert_uint_eq(c->v[0].q[0], 0x3ff0000000000001);
    c->mxcsr = 0x9f80; /* FTZ */
    set_q(0, 0, 0x0010000000000000);
    set_q(1, 0, 0x3fd5555555555555);
    RUN(0xf2, 0x0f, 0x59, 0xc1);
    ck_assert_uint_eq(c->v[0].q[0], 0);
    ck_assert_uint_eq(c->mxcsr, 0x9fb0);
    c->mxcsr = 0x1fc0; /* DAZ */
    set_q(0, 0, 0x0000000000000001);
    RUN(0xf2, 0x0f, 0x58, 0xc0);
    ck_assert_uint_eq(c->v[0].q[0], 0);
    ck_assert_uint_eq(c->mxcsr, 0x1fc0);
}
END_TEST

START_TEST(ldmxcsr_refuses_reserved_bits)
{
    set_mem32(b, AT, 0x10000);
    RUN(0x0f, 0xae, 0x13);
    ck_assert_int_eq(fault(), EXC_GP);
    set_mem32(b, AT, 0xffff);
    RUN(0x0f, 0xae, 0x13);
    ck_assert_uint_eq(c->mxcsr, 0xffff);
    RUN(0x0f, 0xae, 0x5b, 0x04); /* stmxcsr [rbx + 4] */
    ck_assert_uint_eq(mem32(b, AT + 4), 0xffff);
}
END_TEST

START_TEST(ordered_comparison_sets_eflags)
{
    set_pd(0, 1, 0);
    set_pd(1, 2, 0);
    RUN(0x66, 0x0f, 0x2f, 0xc1); /* comisd */
    ck_assert_uint_eq(cpu_flags(c) & FL_ARITH, FL_CF);
    set_q(1, 0, 0x7ff8000000000000);
    RUN(0x66, 0x0f, 0x2e, 0xc1); /* ucomisd: quiet */
    ck_assert_uint_eq(cpu_flags(c) & FL_ARITH, FL_CF | FL_PF | FL_ZF);
    ck_assert_uint_eq(c->mxcsr, 0x1f80);
    RUN(0x66, 0x0f, 0x2f, 0xc1);
    ck_assert_uint_eq(c->mxcsr, 0x1f81);
}
END_TEST

START_TEST(conversions_round_and_saturate)
{
    set_pd(0, -2.5, 0);
    RUN(0xf2, 0x48, 0x0f, 0x2d, 0xc0); /* cvtsd2si rax */
    ck_assert_int_eq((i64)c->r[RAX], -2);
    RUN(0xf2, 0x0f, 0x2c, 0xc0); /* cvttsd2si eax */
    ck_assert_uint_eq(c->r[RAX], 0xfffffffe);
    set_pd(0, 1e20, 0);
    RUN(0xf2, 0x48, 0x0f, 0x2c, 0xc0);
    ck_assert_uint_eq(c->r[RAX], 1ull << 63);
    ck_assert_uint_eq(c->mxcsr & FSW_IE, FSW_IE);
}
END_TEST

START_TEST(round_follows_its_immediate)
{
    static const struct { double in; u8 imm; double out; } t[] = {
        { 2.5, 0, 2 }, { 3.5, 0, 4 }, { -0.5, 0, -0.0 }, { 0.75, 0, 1 }, { -1.25, 1, -2 }, { 1.25, 2, 2 }, { -1.75, 3, -1 },
        { 0.25, 2, 1 }, { -0.25, 1, -1 }, { 4503599627370497.5, 0, 4503599627370498 }, { 1e300, 3, 1e300 },
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        set_pd(1, t[n].in, 0);
        RUN(0x66, 0x0f, 0x3a, 0x0b, 0xc1, t[n].imm); /* roundsd */
        ck_assert_mem_eq(&c->v[0].df[0], &t[n].out, 8);
    }
    c->mxcsr = 0x1f80;
    set_pd(1, 2.5, 0);
    RUN(0x66, 0x0f, 0x3a, 0x0b, 0xc1, 8);
    ck_assert_uint_eq(c->mxcsr, 0x1f80);
    RUN(0x66, 0x0f, 0x3a, 0x0b, 0xc1, 0);
    ck_assert_uint_eq(c->mxcsr, 0x1fa0);
}
END_TEST

START_TEST(aes_matches_fips_197)
{
    /* FIPS 197 appendix B, round 1: state after AddRoundKey 0 and round key 1, bytes in memory order. */
    static const u8 start[16] = { 0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b, 0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08 };
    static const u8 key0[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
    static const u8 key1[16] = { 0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1, 0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05 };
    static const u8 next[16] = { 0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b, 0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49 };

    memcpy(c->v[0].b, start, 16);
    memcpy(c->v[1].b, key1, 16);
    RUN(0x66, 0x0f, 0x38, 0xdc, 0xc1); /* aesenc */
    ck_assert_mem_eq(c->v[0].b, next, 16);
    memcpy(c->v[1].b, key0, 16);
    RUN(0x66, 0x0f, 0x3a, 0xdf, 0xc1, 0x01); /* aeskeygenassist: word 3 starts the next round key */
    ck_assert_uint_eq(c->v[0].d[3] ^ ld32(key0), ld32(key1));
}
END_TEST

START_TEST(carry_less_product)
{
    set_q(0, 0x7b5b546573745665, 0x63746f725d53475d);
    set_q(1, 0x4869285368617929, 0x5b477565726f6e5d);
    RUN(0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x00);
    expect_q(0, 0x1d4d84c85c3440c0, 0x929633d5d36f0451);
}
END_TEST

/* imm8 0Ch: equal ordered, bytes, least significant index: strstr. */
START_TEST(string_search_finds_the_index)
{
    memcpy(c->v[0].b, "lo w\0___________", 16);
    memcpy(c->v[1].b, "hello world\0____", 16);
    RUN(0x66, 0x0f, 0x3a, 0x63, 0xc1, 0x0c); /* pcmpistri */
    ck_assert_uint_eq(c->r[RCX], 3);
    ck_assert_uint_eq(cpu_flags(c) & FL_ARITH, FL_CF | FL_ZF | FL_SF);
    c->r[RAX] = 2;
    c->r[RDX] = (u32)-16;
    RUN(0x66, 0x0f, 0x3a, 0x61, 0xc1, 0x40); /* pcmpestri: last of "l" or "o" */
    ck_assert_uint_eq(c->r[RCX], 9);
    memcpy(c->v[2].b, "azAZ\0___________", 16);
    RUN(0x66, 0x0f, 0x3a, 0x62, 0xd1, 0x04); /* pcmpistrm: letters, as bits */
    ck_assert_uint_eq(c->v[0].q[0], 0x7df);
}
END_TEST

START_TEST(masked_store_writes_chosen_bytes)
{
    set_mem32(b, AT, 0x11111111);
    c->r[RDI] = AT;
    set_q(0, 0, 0xddccbbaa);
    set_q(1, 0, 0x80008000);
    RUN(0x66, 0x0f, 0xf7, 0xc1);
    ck_assert_uint_eq(mem32(b, AT), 0xdd11bb11);
}
END_TEST

UNIT_SUITE(sse, control_bits_decide_between_ud_and_nm, upper_halves_stay,
           misaligned_operand_is_gp_unless_the_move_says_unaligned, flags_are_sticky_and_exact,
           unmasked_exception_leaves_the_destination, unmasked_underflow_is_raised_for_exact_results,
           rounding_flush_and_denormals_are_zeros, ldmxcsr_refuses_reserved_bits, ordered_comparison_sets_eflags,
           conversions_round_and_saturate, round_follows_its_immediate, aes_matches_fips_197, carry_less_product,
           string_search_finds_the_index, masked_store_writes_chosen_bytes)
