/*
 * float.c: floating point as compiled programs use it; every result is printed with all its bits.
 *
 * A program of run.sh's compiler part: built with several widths and levels of optimisation, its
 * output must be what the same binary prints on the processor that made the answers.  With -m32 the
 * arithmetic and glibc's functions use the x87, otherwise SSE and, for long double, the x87.
 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A number of moderate size, either sign, all mantissa bits in use. */
static double moderate(void)
{
    return ldexp((double)(int64_t)next(), (int)(next() % 24) - 70);
}

/* Any bit pattern: subnormals, infinities and NaNs among them. */
static double any_double(void)
{
    uint64_t bits = next();
    double d;

    if (next() % 4 == 0) bits &= 0x800fffffffffffff;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static float any_float(void)
{
    uint32_t bits = (uint32_t)next();
    float f;

    if (next() % 4 == 0) bits &= 0x807fffff;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

struct one {
    const char *name;
    double (*d)(double);
    long double (*l)(long double);
    float (*f)(float);
};

#define ONE(x) {#x, x, x##l, x##f}
static const struct one ones[] = {
    ONE(sin),   ONE(cos),   ONE(tan),   ONE(asin),      ONE(acos),  ONE(atan),  ONE(sinh),
    ONE(cosh),  ONE(tanh),  ONE(asinh), ONE(acosh),     ONE(atanh), ONE(exp),   ONE(exp2),
    ONE(expm1), ONE(log),   ONE(log2),  ONE(log10),     ONE(log1p), ONE(sqrt),  ONE(cbrt),
    ONE(erf),   ONE(erfc),  ONE(tgamma), ONE(lgamma),   ONE(floor), ONE(ceil),  ONE(trunc),
    ONE(rint),  ONE(nearbyint), ONE(round), ONE(logb),  ONE(fabs),
};

static void functions(void)
{
    for (size_t k = 0; k < LEN(ones); k++)
        for (int n = 0; n < 60; n++) {
            const double x = n < 50 ? moderate() : any_double();

            printf("%s %a: %a %La %a\n", ones[k].name, x, ones[k].d(x),
                   ones[k].l((long double)x * 1.0000000001L), (double)ones[k].f((float)x));
        }
    for (int n = 0; n < 500; n++) {
        const double x = moderate(), y = n % 2 ? moderate() : any_double();
        int e, q;

        printf("two %a %a: %a %a %a %a %a %a %La %La %La", x, y, pow(fabs(x), y), atan2(x, y),
               fmod(x, y), remainder(x, y), hypot(x, y), nextafter(x, y), powl(fabs(x), y),
               fmodl(x, y), atan2l(x, y));
        printf(" %a", frexp(x, &e));
        printf(" %d %a %d\n", e, remquo(x, y, &q), q & 7);
    }
}

/* volatile, so that the compiler leaves the work to the processor. */
static void arithmetic(void)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};

    for (int n = 0; n < 4000; n++) {
        const int mode = modes[n % 4];
        volatile double a = any_double(), b = n % 3 ? a * 1.5 : any_double();
        volatile float f = any_float(), g = n % 3 ? f * 0.75f : any_float();
        volatile long double l = (long double)a + 1e-3L, m = (long double)b * 3;

        feclearexcept(FE_ALL_EXCEPT);
        fesetround(mode);
        volatile double r1 = a + b, r2 = a - b, r3 = a * b, r4 = a / b, r5 = sqrt(fabs(a));
        volatile float s1 = f + g, s2 = f - g, s3 = f * g, s4 = f / g, s5 = (float)a;
        volatile long double t1 = l + m, t2 = l - m, t3 = l * m, t4 = l / m, t5 = sqrtl(fabsl(l));
        const int raised = fetestexcept(FE_ALL_EXCEPT);
        fesetround(FE_TONEAREST);
        printf("op %d %a %a: %a %a %a %a %a", n % 4, a, b, r1, r2, r3, r4, r5);
        printf(" %a %a %a %a %a", (double)s1, (double)s2, (double)s3, (double)s4, (double)s5);
        printf(" %La %La %La %La %La %x", t1, t2, t3, t4, t5, raised);
        printf(" %d%d%d%d%d\n", a < b, a <= b, a == b, isunordered(a, b), f > g);
    }
}

/* Values outside a type's range are left out, C does not define them. */
static void conversions(void)
{
    for (int n = 0; n < 3000; n++) {
        const int64_t i = (int64_t)next() >> (next() % 63);
        const uint64_t u = next() >> (next() % 63);
        const double x = ldexp((double)(int64_t)next(), (int)(next() % 40) - 72);
        volatile double vx = x;
        volatile float vf = (float)x;

        printf("int %lld %llu: %a %a %La %a %a %La", (long long)i, (unsigned long long)u, (double)i,
               (double)(float)i, (long double)i, (double)u, (double)(float)u, (long double)u);
        printf(" %d %u %d %lld %lld %ld %lld\n", (int)vx, (unsigned)fabs(vx), (int)vf, (long long)vf,
               (long long)vx, lrint(vx), llrintl((long double)x));
    }
}

static void text(void)
{
    char s[64], *end;

    for (int n = 0; n < 2000; n++) {
        const double x = any_double();

        if (isnan(x)) continue;
        snprintf(s, sizeof(s), "%.17g", x);
        printf("text %s %.3e %.20f %d", s, x, fmod(x, 1e15), bits_of(strtod(s, NULL)) == bits_of(x));
        printf(" %La %a\n", strtold(s, &end), (double)strtof(s, NULL));
    }
}

/* Loops that a compiler turns into vectors. */
static void loops(void)
{
    enum { N = 1000 };
    static float a[N], b[N], c[N];
    static double x[N], y[N];
    static int32_t k[N];
    double sum = 0;

    for (int i = 0; i < N; i++) {
        a[i] = (float)moderate();
        b[i] = (float)moderate();
        x[i] = moderate();
    }
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < N; i++) c[i] = a[i] * b[i] + 0.25f * c[i];
        for (int i = 0; i < N; i++) y[i] = x[i] * 0.999 + (double)c[i];
        for (int i = 0; i < N; i++) k[i] = (int32_t)(a[i] * 16) ^ k[i];
        for (int i = 0; i < N; i++) a[i] = a[i] < b[i] ? a[i] + 1.0f : b[i] * 0.5f;
        for (int i = 0; i < N; i++) x[i] = sqrt(fabs(y[i])) + (double)k[i] * 1e-6;
        for (int i = 0; i < N; i++) sum += x[i] * y[N - 1 - i];
        printf("loops %a %a %a %d\n", sum, x[round], (double)c[round * 3], k[round * 5]);
    }
}

int main(void)
{
    functions();
    arithmetic();
    conversions();
    text();
    loops();
    return 0;
}
