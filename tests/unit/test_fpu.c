/* x87: register stack, exceptions masked and unmasked, error reporting both ways, environments, FXSAVE. Arithmetic results
 * against hardware are the oracle test's business. */
#include "tests/unit/fp_rig.h"

START_TEST(add_pops_and_rounds_as_the_control_word_says)
{
    push_double(1.0);
    push80(0x3fbf, 1ull << 63); /* 2^-64 */
    RUN(0xd8, 0xc1);            /* fadd st, st(1) */
    ck_assert_uint_eq(st(0).mant, 1ull << 63);
    ck_assert_uint_eq(c->fsw & (FSW_PE | FSW_C1), FSW_PE);
    c->fcw = 0xb7f; /* up */
    push80(0x3fbf, 1ull << 63);
    RUN(0xde, 0xc1); /* faddp */
    ck_assert_uint_eq(st(0).mant, (1ull << 63) + 1);
    ck_assert_uint_eq(c->fsw & (FSW_PE | FSW_C1), FSW_PE | FSW_C1);
    ck_assert_uint_eq(c->ftw, 0xc0);
}
END_TEST

START_TEST(precision_control_limits_the_result)
{
    double third = 1.0 / 3;
    push_double(1.0);
    push_double(3.0);
    c->fcw = 0x27f;
    RUN(0xde, 0xf9); /* fdivp */
    ck_assert(top_double() == third);
    ck_assert_uint_eq(st(0).mant & 0x7ff, 0);
}
END_TEST

START_TEST(empty_operand_is_a_masked_stack_underflow)
{
    push_double(1.0);
    RUN(0xd8, 0xc3); /* fadd st, st(3) */
    ck_assert_uint_eq(c->fsw & (FSW_IE | FSW_SF | FSW_C1), FSW_IE | FSW_SF);
    ck_assert_uint_eq(st(0).se, 0xffff);
    ck_assert_uint_eq(st(0).mant, 0xc000000000000000ull);
}
END_TEST

START_TEST(ninth_push_is_a_stack_overflow)
{
    for (unsigned n = 0; n < 8; n++) RUN(0xd9, 0xe8); /* fld1 */
    ck_assert_uint_eq(c->fsw & FSW_IE, 0);
    RUN(0xd9, 0xe8);
    ck_assert_uint_eq(c->fsw & (FSW_IE | FSW_SF | FSW_C1), FSW_IE | FSW_SF | FSW_C1);
    ck_assert_uint_eq(st(0).se, 0xffff);
}
END_TEST

START_TEST(unmasked_zero_divide_keeps_operands_and_stack)
{
    c->fcw = 0x37b;
    push_double(5.0);
    push_double(0.0);
    RUN(0xde, 0xf9); /* fdivp: st(1) = 5 / 0 */
    ck_assert_int_eq(fault(), -1);
    ck_assert(top_double() == 0.0);
    ck_assert_uint_eq(c->ftw, 0xc0);
    ck_assert_uint_eq(c->fsw & (FSW_ZE | FSW_ES | FSW_B), FSW_ZE | FSW_ES | FSW_B);
}
END_TEST

START_TEST(zero_divide_unmasked_is_mf)
{
    c->fcw = 0x37b;
    push_double(0.0);
    push_double(5.0);
    RUN(0xd8, 0xf1); /* 5 / 0 */
    ck_assert_int_eq(fault(), -1);
    ck_assert(top_double() == 5.0);
    ck_assert_uint_eq(c->fsw & (FSW_ZE | FSW_ES | FSW_B), FSW_ZE | FSW_ES | FSW_B);
    RUN(0xdf, 0xe0); /* fnstsw ax does not wait */
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->r[RAX] & 0xffff, c->fsw);
    RUN(0xd9, 0xee);
    ck_assert_int_eq(fault(), EXC_MF);
    RUN(0x9b);
    ck_assert_int_eq(fault(), EXC_MF);
    RUN(0xdb, 0xe2); /* fnclex */
    ck_assert_uint_eq(c->fsw & (FSW_EXC | FSW_ES | FSW_B), 0);
    RUN(0x9b);
    ck_assert_int_eq(fault(), -1);
}
END_TEST

START_TEST(unmasked_overflow_delivers_a_scaled_result)
{
    c->fcw = 0x377;
    push80(0x7ffe, 1ull << 63);
    push80(0x7ffe, 3ull << 62);
    RUN(0xde, 0xc9); /* fmulp: 1.5 * 2^32766 * 2^-24576 */
    ck_assert_uint_eq(c->fsw & (FSW_OE | FSW_PE | FSW_ES), FSW_OE | FSW_ES);
    ck_assert_uint_eq(st(0).mant, 3ull << 62);
    ck_assert_uint_eq(st(0).se, 2 * 0x7ffe - 0x3fff - 24576);
}
END_TEST

START_TEST(unmasked_underflow_is_raised_for_exact_results)
{
    push80(0x0001, 1ull << 63);
    push_double(0.5);
    RUN(0xd8, 0xc9);
    ck_assert_uint_eq(c->fsw & FSW_UE, 0);
    ck_assert_uint_eq(st(0).mant, 1ull << 62);
    RUN(0xdb, 0xe3); /* fninit */
    c->fcw = 0x36f;
    push80(0x0001, 1ull << 63);
    push_double(0.5);
    RUN(0xd8, 0xc9);
    ck_assert_uint_eq(c->fsw & (FSW_UE | FSW_PE), FSW_UE);
    ck_assert_uint_eq(st(0).se, 24576);
}
END_TEST

START_TEST(unmasked_store_overflow_stores_nothing)
{
    c->fcw = 0x377;
    set_mem32(b, AT, 0x12345678);
    push_double(1e300);
    RUN(0xd9, 0x1b); /* fstp m32 [rbx] */
    ck_assert_uint_eq(mem32(b, AT), 0x12345678);
    ck_assert_uint_eq(c->fsw & (FSW_OE | FSW_PE | FSW_ES), FSW_OE | FSW_ES);
    ck_assert_uint_eq(c->ftw, 0x80);
}
END_TEST

START_TEST(dos_way_raises_ferr_and_waits)
{
    c->cr0 &= ~(u64)CR0_NE;
    c->fcw = 0x37b;
    push_double(0.0);
    push_double(5.0);
    RUN(0xd8, 0xf1);
    ck_assert(ferr.level);
    u64 rip = c->rip;
    RUN(0xd9, 0xe8);
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->rip, rip);
    c->ignne = true;
    RUN(0xd9, 0xe8);
    ck_assert_uint_eq(c->rip, rip + 2);
    RUN(0xdb, 0xe2);
    ck_assert(!ferr.level);
    ck_assert(!c->ignne);
}
END_TEST

START_TEST(task_switched_and_emulation_bits_are_nm)
{
    c->cr0 |= CR0_TS;
    RUN(0xd9, 0xe8);
    ck_assert_int_eq(fault(), EXC_NM);
    RUN(0xdb, 0xe3);
    ck_assert_int_eq(fault(), EXC_NM);
    RUN(0x9b);
    ck_assert_int_eq(fault(), EXC_NM);
    c->cr0 &= ~(u64)CR0_MP;
    RUN(0x9b);
    ck_assert_int_eq(fault(), -1);
    c->cr0 = (c->cr0 & ~(u64)CR0_TS) | CR0_EM;
    RUN(0xd9, 0xe8);
    ck_assert_int_eq(fault(), EXC_NM);
    RUN(0x0f, 0x77); /* emms */
    ck_assert_int_eq(fault(), EXC_UD);
}
END_TEST

START_TEST(compare_sets_condition_codes_and_eflags)
{
    push_double(2.0);
    push_double(1.0);
    RUN(0xd8, 0xd1); /* fcom: 1 < 2 */
    ck_assert_uint_eq(c->fsw & (FSW_C0 | FSW_C2 | FSW_C3), FSW_C0);
    RUN(0xdb, 0xf1); /* fcomi */
    ck_assert_uint_eq(cpu_flags(c) & FL_ARITH, FL_CF);
    push80(0x7fff, 0xc000000000000001ull);
    RUN(0xdb, 0xe9); /* fucomi with a quiet NaN */
    ck_assert_uint_eq(cpu_flags(c) & FL_ARITH, FL_CF | FL_PF | FL_ZF);
    ck_assert_uint_eq(c->fsw & FSW_IE, 0);
    RUN(0xdb, 0xf1);
    ck_assert_uint_eq(c->fsw & FSW_IE, FSW_IE);
}
END_TEST

START_TEST(examine_classifies)
{
    static const struct { u16 se; u64 mant; u16 cc; } t[] = {
        { 0x3fff, 1ull << 63, FSW_C2 },
        { 0xbfff, 1ull << 63, FSW_C2 | FSW_C1 },
        { 0x0000, 0, FSW_C3 },
        { 0x8000, 0, FSW_C3 | FSW_C1 },
        { 0x7fff, 1ull << 63, FSW_C2 | FSW_C0 },
        { 0x7fff, 3ull << 62, FSW_C0 },
        { 0x0000, 1, FSW_C3 | FSW_C2 },
        { 0x3fff, 1, 0 },
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        RUN(0xdb, 0xe3);
        push80(t[n].se, t[n].mant);
        RUN(0xd9, 0xe5);
        ck_assert_uint_eq(c->fsw & FSW_CC, t[n].cc);
    }
    RUN(0xdd, 0xc0); /* ffree */
    RUN(0xd9, 0xe5);
    ck_assert_uint_eq(c->fsw & FSW_CC, FSW_C3 | FSW_C0);
}
END_TEST

START_TEST(integers_and_decimals_convert)
{
    push_double(-123456789.6);
    RUN(0xdb, 0x13); /* fist m32 */
    ck_assert_int_eq((i32)mem32(b, AT), -123456790);
    RUN(0xdb, 0x0b); /* fisttp m32 */
    ck_assert_int_eq((i32)mem32(b, AT), -123456789);
    push_double(-987654321.0);
    RUN(0xdf, 0x33); /* fbstp */
    ck_assert_uint_eq(mem32(b, AT), 0x87654321);
    ck_assert_uint_eq(mem32(b, AT + 4), 9);
    ck_assert_uint_eq(mem32(b, AT + 8) & 0xffff, 0x8000);
    RUN(0xdf, 0x23); /* fbld */
    ck_assert(top_double() == -987654321.0);
    push_double(1e30);
    RUN(0xdf, 0x3b); /* fistp m64: too large */
    ck_assert_uint_eq(mem32(b, AT + 4), 0x80000000);
    ck_assert_uint_eq(c->fsw & FSW_IE, FSW_IE);
}
END_TEST

START_TEST(environment_has_four_layouts)
{
    push_double(1.0);
    push_double(0.0);
    c->fip = 0x12345678;
    c->fcs = 0x23;
    c->fop = 0x1d9;
    c->fdp = 0x9abcdef0;
    c->fds = 0x2b;
    RUN(0xd9, 0x33); /* fnstenv, 32-bit protected */
    ck_assert_uint_eq(mem32(b, AT), 0xffff037f);
    ck_assert_uint_eq(mem32(b, AT + 4), 0xffff3000);
    ck_assert_uint_eq(mem32(b, AT + 8), 0xffff1fff);
    ck_assert_uint_eq(mem32(b, AT + 12), 0x12345678);
    ck_assert_uint_eq(mem32(b, AT + 16), 0x01d90023);
    ck_assert_uint_eq(mem32(b, AT + 20), 0x9abcdef0);
    ck_assert_uint_eq(mem32(b, AT + 24), 0xffff002b);
    RUN(0x66, 0xd9, 0x33); /* 16-bit protected */
    ck_assert_uint_eq(mem32(b, AT + 4), 0x56781fff);
    ck_assert_uint_eq(mem32(b, AT + 8), 0xdef00023);
    c->bits = BITS32;
    c->cr0 &= ~(u64)CR0_PE;
    c->fip = 0x5678;
    c->fcs = 0x1000;
    c->fdp = 0x10;
    c->fds = 0xf000;
    RUN(0xd9, 0x33); /* 32-bit real: linear addresses */
    ck_assert_uint_eq(mem32(b, AT + 12), 0xffff5678);
    ck_assert_uint_eq(mem32(b, AT + 16), 0x000011d9);
    ck_assert_uint_eq(mem32(b, AT + 20), 0xffff0010);
    ck_assert_uint_eq(mem32(b, AT + 24), 0x0000f000);
    RUN(0x66, 0xd9, 0x33); /* 16-bit real */
    ck_assert_uint_eq(mem32(b, AT + 4), 0x56781fff);
    ck_assert_uint_eq(mem32(b, AT + 8), 0x001011d9);
    ck_assert_uint_eq(mem32(b, AT + 12) & 0xffff, 0xf000);
    RUN(0x66, 0xd9, 0x23); /* fldenv */
    ck_assert_uint_eq(c->fip, 0x15678);
    ck_assert_uint_eq(c->fdp, 0xf0010);
    ck_assert_uint_eq(c->ftw, 0xc0);
}
END_TEST

START_TEST(save_initialises_and_restore_brings_back)
{
    push_double(3.5);
    push_double(-7.25);
    c->fcw = 0x27f;
    RUN(0xdd, 0x33); /* fnsave */
    ck_assert_uint_eq(c->fcw, 0x37f);
    ck_assert_uint_eq(c->fsw, 0);
    ck_assert_uint_eq(c->ftw, 0);
    RUN(0xdd, 0x23); /* frstor */
    ck_assert_uint_eq(c->fcw, 0x27f);
    ck_assert_uint_eq(c->ftw, 0xc0);
    ck_assert(top_double() == -7.25);
}
END_TEST

START_TEST(fxsave_round_trip)
{
    push_double(3.5);
    c->v[3].q[0] = 0x1122334455667788;
    c->v[15].q[1] = 0x99aabbccddeeff00;
    c->fip = 0xffff800012345678;
    c->mxcsr = 0x1fa0;
    RUN(0x48, 0x0f, 0xae, 0x03); /* fxsave64 */
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(mem32(b, AT + 4) & 0xff, 0x80);
    ck_assert_uint_eq(mem32(b, AT + 12), 0xffff8000);
    ck_assert_uint_eq(mem32(b, AT + 28), 0xffff);
    RUN(0xdb, 0xe3);
    memset(c->v, 0, sizeof(c->v));
    c->fip = 0;
    c->mxcsr = 0x1f80;
    RUN(0x48, 0x0f, 0xae, 0x0b); /* fxrstor64 */
    ck_assert(top_double() == 3.5);
    ck_assert_uint_eq(c->v[3].q[0], 0x1122334455667788);
    ck_assert_uint_eq(c->v[15].q[1], 0x99aabbccddeeff00);
    ck_assert_uint_eq(c->fip, 0xffff800012345678);
    ck_assert_uint_eq(c->mxcsr, 0x1fa0);
}
END_TEST

START_TEST(fxsave_and_fxrstor_check_their_operand)
{
    c->r[RBX] = AT + 8;
    RUN(0x0f, 0xae, 0x03);
    ck_assert_int_eq(fault(), EXC_GP);
    c->r[RBX] = AT;
    set_mem32(b, AT + 24, 0x10000);
    c->fcw = 0x27f;
    RUN(0x0f, 0xae, 0x0b);
    ck_assert_int_eq(fault(), EXC_GP);
    ck_assert_uint_eq(c->fcw, 0x27f);
}
END_TEST

START_TEST(fxrstor_recomputes_the_error_summary)
{
    RUN(0x0f, 0xae, 0x03);
    set_mem32(b, AT, 0x8081037f); /* ES set but everything masked */
    RUN(0x0f, 0xae, 0x0b);
    ck_assert_uint_eq(c->fsw, 0x0001);
    set_mem32(b, AT, 0x0001037e);
    RUN(0x0f, 0xae, 0x0b);
    ck_assert_uint_eq(c->fsw, 0x8081);
}
END_TEST

START_TEST(mmx_write_marks_the_register_and_the_stack)
{
    push_double(1.0);
    c->r[RAX] = 0x1122334455667788;
    RUN(0x48, 0x0f, 0x6e, 0xc8); /* movq mm1, rax */
    ck_assert_uint_eq(c->fpr[1].mant, 0x1122334455667788);
    ck_assert_uint_eq(c->fpr[1].se, 0xffff);
    ck_assert_uint_eq(c->ftw, 0xff);
    ck_assert_uint_eq(c->fsw & FSW_TOP, 0);
    RUN(0x0f, 0xfc, 0xc9); /* paddb mm1, mm1 */
    ck_assert_uint_eq(c->fpr[1].mant, 0x22446688aaccee10);
    RUN(0x0f, 0x77);
    ck_assert_uint_eq(c->ftw, 0);
}
END_TEST

START_TEST(mmx_waits_for_a_pending_error)
{
    c->fcw = 0x37b;
    push_double(0.0);
    push_double(5.0);
    RUN(0xd8, 0xf1);
    RUN(0x0f, 0xef, 0xc0); /* pxor mm0, mm0 */
    ck_assert_int_eq(fault(), EXC_MF);
}
END_TEST

UNIT_SUITE(fpu, add_pops_and_rounds_as_the_control_word_says, precision_control_limits_the_result,
           empty_operand_is_a_masked_stack_underflow, ninth_push_is_a_stack_overflow,
           unmasked_zero_divide_keeps_operands_and_stack, zero_divide_unmasked_is_mf,
           unmasked_overflow_delivers_a_scaled_result, unmasked_underflow_is_raised_for_exact_results,
           unmasked_store_overflow_stores_nothing, dos_way_raises_ferr_and_waits, task_switched_and_emulation_bits_are_nm,
           compare_sets_condition_codes_and_eflags, examine_classifies, integers_and_decimals_convert,
           environment_has_four_layouts, save_initialises_and_restore_brings_back, fxsave_round_trip,
           fxsave_and_fxrstor_check_their_operand, fxrstor_recomputes_the_error_summary,
           mmx_write_marks_the_register_and_the_stack, mmx_waits_for_a_pending_error)
