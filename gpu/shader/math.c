/* Elementary functions of shaders: the same bits on every host and with every compiler, which the C
 * library's are not.
 *
 * Plain IEEE double arithmetic on fixed polynomials; errors are far below a float's last place for
 * exp2 and log2, and below 1e-6 for sine and cosine within 100 turns. */
#include <math.h>

#include "gpu/shader/run.h"

static double pow2i(int e) /* -1022 to 1023 */
{
    u64 bits = (u64)(e + 1023) << 52;
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

float ir_exp2(float x)
{
    if (x != x) return x;
    if (x >= 128.0f) return INFINITY;
    if (x < -150.0f) return 0.0f;
    double n = floor((double)x + 0.5),
           f = ((double)x - n) * 0.69314718055994530942; /* |f| <= ln(2)/2 */
    double term = 1.0, sum = 1.0;
    for (int k = 1; k <= 12; k++) {
        term = term * f / k;
        sum += term;
    }
    return (float)(sum * pow2i((int)n));
}

float ir_log2(float x)
{
    if (x != x || x < 0.0f) return NAN;
    if (x == 0.0f) return -INFINITY;
    if (x > 3.4028234e38f) return INFINITY;
    double d = x;
    u64 bits;
    memcpy(&bits, &d, sizeof(bits));
    int e = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffull) | (1023ull << 52);
    memcpy(&d, &bits, sizeof(d));
    if (d > 1.4142135623730951) {
        d *= 0.5;
        e++;
    }
    /* ln(d) = 2 atanh(t), t = (d - 1) / (d + 1), |t| <= 0.1716 */
    static const double terms[] = { 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                    1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0 };
    double t = (d - 1.0) / (d + 1.0), t2 = t * t, sum = 0.0;
    for (unsigned k = 0; k < LEN(terms); k++) sum = sum * t2 + terms[k];
    return (float)(e + 2.0 * t * sum * 1.44269504088896340736);
}

/* Sine of x, |x| <= pi/4, and cosine */
static double sin_small(double x)
{
    double x2 = x * x;
    return x * (1.0 +
                x2 * (-1.0 / 6 +
                      x2 * (1.0 / 120 + x2 * (-1.0 / 5040 + x2 * (1.0 / 362880 - x2 / 39916800)))));
}

static double cos_small(double x)
{
    double x2 = x * x;
    return 1.0 +
           x2 * (-0.5 + x2 * (1.0 / 24 +
                              x2 * (-1.0 / 720 +
                                    x2 * (1.0 / 40320 + x2 * (-1.0 / 3628800 + x2 / 479001600)))));
}

static float sin_quarter(float x, unsigned quarters)
{
    double d = x;
    if (!(d > -1e9 && d < 1e9)) return d == d && d > -INFINITY && d < INFINITY ? 0.0f : NAN;
    double n = floor(d * 0.63661977236758134308 + 0.5); /* quarter turns */
    /* pi/2 in two parts, so that the difference keeps its digits */
    double r = (d - n * 1.57079632673412561417e+00) - n * 6.07710050650619224932e-11;
    switch (((u64)(i64)n + quarters) & 3) {
    case 0: return (float)sin_small(r);
    case 1: return (float)cos_small(r);
    case 2: return (float)-sin_small(r);
    default: return (float)-cos_small(r);
    }
}

float ir_sin(float x)
{
    return sin_quarter(x, 0);
}

float ir_cos(float x)
{
    return sin_quarter(x, 1);
}
