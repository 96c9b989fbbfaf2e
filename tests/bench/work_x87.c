/*
 * work_x87.c: workloads of the benchmark in 80-bit x87 arithmetic: n-body, Mandelbrot, LINPACK and the
 * transcendental instructions.
 */
#define REAL long double
#define ROOT sqrtl
#include <math.h>

#include "tests/bench/work_fp.h"

/* Instructions that a compiler does not choose by itself; in and out by the register stack. */
#define UNARY(name, text)                                                                      \
    static long double name(long double v)                                                     \
    {                                                                                          \
        __asm__ volatile(text : "+t"(v));                                                      \
        return v;                                                                              \
    }
#define BINARY(name, text)                                                                     \
    static long double name(long double top, long double under)                                \
    {                                                                                          \
        __asm__ volatile(text : "+t"(top) : "u"(under) : "st(1)");                             \
        return top;                                                                            \
    }

UNARY(x_sin, "fsin")
UNARY(x_cos, "fcos")
UNARY(x_tan, "fptan; fstp %%st(0)")
UNARY(x_exp2m1, "f2xm1")
BINARY(x_atan, "fpatan")
BINARY(x_log2, "fyl2x")
BINARY(x_log2p1, "fyl2xp1")

/* How these round is each processor's own: 20 binary places are compared. */
static u64 places(long double v) { return (u64)(long long)floorl(v * 1048576.0L + 0.4375L); }

static u64 run_transcend(void)
{
    u64 sum = 0;

    for (int i = 1; i <= 300; i++) {
        const long double angle = (long double)i * 0.0107L;
        const long double part = (long double)(i % 100) * 0.0099L;

        sum = work_mix(sum, places(x_sin(angle)));
        sum = work_mix(sum, places(x_cos(angle)));
        sum = work_mix(sum, places(x_tan(part)));
        sum = work_mix(sum, places(x_exp2m1(part)));
        sum = work_mix(sum, places(x_atan(angle, part + 0.1L)));
        sum = work_mix(sum, places(x_log2(angle, 1.5L)));
        sum = work_mix(sum, places(x_log2p1(part * 0.25L, 1.5L)));
    }
    return sum;
}

const struct work work_x87[] = {
    {"nbody-x87", "x87", run_nbody},       {"mandel-x87", "x87", run_mandel},
    {"linpack-x87", "x87", run_linpack},   {"transcend", "x87", run_transcend},
    {NULL, NULL, NULL},
};
