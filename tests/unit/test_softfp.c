/* softfp.c against the host's FMA and F16C instructions, where it has them: results and exception
 * flags of random and awkward operands under every rounding mode, DAZ and FTZ. This is what makes a
 * machine without FMA compute the same as one with it. Known answers run everywhere. */
#include <check.h>
#include <string.h>

#include "cpu/hostfp.h"
#include "cpu/softfp.h"

Suite *softfp_suite(void);

static u64 seed;

static u64 next(void)
{
    u64 z = seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* A number of every class, often with an exponent near others so that sums cancel, or near the
 * ends. */
static u64 operand(struct softfp_format f)
{
    u64 r = next(), sign = (r & 1) << (f.fbits + f.ebits), emax = (1ull << f.ebits) - 1, e;
    u64 fraction = next() & ((1ull << f.fbits) - 1);
    switch (r >> 1 & 15) {
    case 0: return sign;
    case 1: return sign | emax << f.fbits;
    case 2: return sign | emax << f.fbits | fraction;
    case 3: return sign | fraction;
    case 4: return sign | (fraction & 3);
    case 5: e = 1 + (next() & 3); break;
    case 6: e = emax - 1 - (next() & 3); break;
    case 7: e = next() % emax; break;
    case 8: e = emax / 4 + next() % 64; break;
    default: e = emax / 2 - 30 + next() % 60; break;
    }
    if (!(r >> 8 & 3)) fraction = 0;
    if ((r >> 8 & 3) == 1) fraction = ((1ull << f.fbits) - 1) & (~0ull << (r >> 16) % f.fbits);
    return sign | e << f.fbits | fraction;
}

#define HOST_FMA(name, insn)                                                                       \
    static u64 name(u64 x, u64 y, u64 z)                                                           \
    {                                                                                              \
        __asm__ volatile("vmovq %0, %%xmm0\n\tvmovq %1, %%xmm1\n\tvmovq %2, %%xmm2\n\t" insn       \
                         " %%xmm2, %%xmm1, %%xmm0\n\tvmovq %%xmm0, %0"                             \
                         : "+r"(x)                                                                 \
                         : "r"(y), "r"(z)                                                          \
                         : "xmm0", "xmm1", "xmm2");                                                \
        return x;                                                                                  \
    }
/* x and y swapped: destination times second operand is 213. */
HOST_FMA(host_fmadd_sd, "vfmadd213sd")
HOST_FMA(host_fmsub_sd, "vfmsub213sd")
HOST_FMA(host_fnmadd_sd, "vfnmadd213sd")
HOST_FMA(host_fnmsub_sd, "vfnmsub213sd")
HOST_FMA(host_fmadd_ss, "vfmadd213ss")
HOST_FMA(host_fmsub_ss, "vfmsub213ss")
HOST_FMA(host_fnmadd_ss, "vfnmadd213ss")
HOST_FMA(host_fnmsub_ss, "vfnmsub213ss")

static u32 stmxcsr(void)
{
    u32 v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static void ldmxcsr(u32 v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}

static void compare_fma(bool wide)
{
    static u64 (*const host[2][4])(u64, u64, u64) = {
        { host_fmadd_ss, host_fmsub_ss, host_fnmadd_ss, host_fnmsub_ss },
        { host_fmadd_sd, host_fmsub_sd, host_fnmadd_sd, host_fnmsub_sd },
    };
    struct softfp_format f = wide ? SOFTFP_DOUBLE : SOFTFP_SINGLE;
    for (unsigned n = 0; n < 400000; n++) {
        u64 x = operand(f), y = operand(f), z = operand(f);
        unsigned how = n & 3;
        u32 control = MXCSR_MASKS | (u32)(next() & 3) << 13 | (next() & 3 ? 0 : MXCSR_DAZ) |
                      (next() & 3 ? 0 : MXCSR_FTZ);
        struct softfp e = { .rounding = control >> 13 & 3,
                            .daz = control & MXCSR_DAZ,
                            .ftz = control & MXCSR_FTZ };
        /* With destination = y and second = x the product is x * y with x first in 213 (x is
         * operand 2). */
        ldmxcsr(control);
        u64 want = host[wide][how](y, x, z);
        u32 flags = stmxcsr() & 0x3f;
        ldmxcsr(HOST_MXCSR);
        u64 got = softfp_fma(&e, f, x, y, z, how & 2, how & 1);
        if (!wide) want = (u32)want;
        ck_assert_msg(
            got == want && e.flags == flags,
            "%016llx * %016llx + %016llx how %u mxcsr %04x: %016llx flags %02x, host %016llx %02x",
            (unsigned long long)x, (unsigned long long)y, (unsigned long long)z, how, control,
            (unsigned long long)got, e.flags, (unsigned long long)want, flags);
    }
}

START_TEST(fused_multiply_add_is_the_hosts)
{
    if (!__builtin_cpu_supports("fma")) return;
    seed = 1;
    compare_fma(false);
    compare_fma(true);
}
END_TEST

static u32 host_from_half(u32 v)
{
    __asm__ volatile("vmovd %0, %%xmm0\n\tvcvtph2ps %%xmm0, %%xmm0\n\tvmovd %%xmm0, %0"
                     : "+r"(v)
                     :
                     : "xmm0");
    return v;
}

static u32 host_to_half(u32 v)
{
    __asm__ volatile("vmovd %0, %%xmm0\n\tvcvtps2ph $4, %%xmm0, %%xmm0\n\tvmovd %%xmm0, %0"
                     : "+r"(v)
                     :
                     : "xmm0");
    return v & 0xffff;
}

START_TEST(half_precision_is_the_hosts)
{
    if (!__builtin_cpu_supports("avx"))
        return; /* F16C came a year after AVX; its CPUID bit decides */
    u32 a = 1, b, c2, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c2), "=d"(d));
    if (!(c2 >> 29 & 1)) return;
    for (u32 v = 0; v < 0x10000; v++) {
        struct softfp e = { 0 };
        ldmxcsr(MXCSR_MASKS | (v & 1 ? MXCSR_DAZ | MXCSR_FTZ : 0));
        u32 want = host_from_half(v), flags = stmxcsr() & 0x3f;
        ldmxcsr(HOST_MXCSR);
        ck_assert_uint_eq(softfp_from_half(&e, (u16)v), want);
        ck_assert_uint_eq(e.flags, flags);
    }
    seed = 2;
    for (unsigned n = 0; n < 400000; n++) {
        u32 v = (u32)operand(SOFTFP_SINGLE);
        if (n & 1) v = (v & 0x807fffff) | (u32)(127 - 30 + next() % 50) << 23;
        u32 control = MXCSR_MASKS | (u32)(next() & 3) << 13 | (next() & 3 ? 0 : MXCSR_DAZ) |
                      (next() & 3 ? 0 : MXCSR_FTZ);
        struct softfp e = { .rounding = control >> 13 & 3, .daz = control & MXCSR_DAZ };
        ldmxcsr(control);
        u32 want = host_to_half(v), flags = stmxcsr() & 0x3f;
        ldmxcsr(HOST_MXCSR);
        u32 got = softfp_to_half(&e, v);
        ck_assert_msg(got == want && e.flags == flags,
                      "%08x mxcsr %04x: %04x flags %02x, host %04x %02x", v, control, got, e.flags,
                      want, flags);
    }
}
END_TEST

static u64 bits(double v)
{
    u64 r;
    memcpy(&r, &v, 8);
    return r;
}

START_TEST(known_answers)
{
    static const struct {
        double x, y, z, r;
        u32 flags;
    } t[] = {
        { 2, 3, 4, 10, 0 },
        { 0x1.0000000000001p0, 0x1.0000000000001p0, -0x1.0000000000002p0, 0x1p-104,
          0 },                                   /* one rounding: the tail stays */
        { 0x1p1023, 2, -0x1p1023, 0x1p1023, 0 }, /* no overflow on the way */
        { 0x1p-1000, 0x1p-1000, 1, 1, FSW_PE },
        { 0x1p-1074, 0x1p-1, 0, 0, FSW_DE | FSW_UE | FSW_PE },
        { 0x1p1023, 0x1p1023, 1, __builtin_inf(), FSW_OE | FSW_PE },
        { 1, -1, 1, 0, 0 },
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        struct softfp e = { 0 };
        ck_assert_uint_eq(softfp_fma(&e, SOFTFP_DOUBLE, bits(t[n].x), bits(t[n].y), bits(t[n].z),
                                     false, false),
                          bits(t[n].r));
        ck_assert_uint_eq(e.flags, t[n].flags);
    }
}
END_TEST

START_TEST(unmasked_underflow_counts_exact_tiny_results)
{
    struct softfp e = { .trap_ue = true };
    softfp_fma(&e, SOFTFP_DOUBLE, bits(0x1p-1022), bits(0.5), bits(0), false, false);
    ck_assert_uint_eq(e.flags, FSW_UE);
    e = (struct softfp){ .trap_oe = true };
    softfp_fma(&e, SOFTFP_DOUBLE, bits(0x1p1023), bits(2), bits(0), false, false);
    ck_assert_uint_eq(e.flags, FSW_OE);
    e = (struct softfp){ .trap_oe = true };
    softfp_fma(&e, SOFTFP_DOUBLE, bits(0x1p1023), bits(2), bits(1), false, false);
    ck_assert_uint_eq(e.flags, FSW_OE | FSW_PE);
}
END_TEST

Suite *softfp_suite(void)
{
    Suite *s = suite_create("softfp");
    TCase *t = tcase_create("softfp");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, fused_multiply_add_is_the_hosts);
    tcase_add_test(t, half_precision_is_the_hosts);
    tcase_add_test(t, known_answers);
    tcase_add_test(t, unmasked_underflow_counts_exact_tiny_results);
    suite_add_tcase(s, t);
    return s;
}
