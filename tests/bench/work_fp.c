/*
 * work_fp.c: floating-point workloads of the benchmark: the same n-body and Mandelbrot code in
 * 80-bit x87 (long double) and in SSE2 (double), and a LINPACK-like solver.  Only + - * / and square
 * root are used, all of which IEEE 754 defines to the last bit, so checksums are comparable.
 */
#include "tests/bench/work.h"

#include <math.h>
#include <string.h>

/* --- n-body: five bodies of the outer solar system's shape, a fixed number of steps --- */

#define BODIES 5
#define STEPS 200

/* The same text for both widths; REAL and ROOT are the only differences. */
#define NBODY(function, REAL, ROOT)                                                            \
    static u64 function(void)                                                                  \
    {                                                                                          \
        REAL p[BODIES][3], v[BODIES][3], mass[BODIES], energy = 0;                             \
        const REAL step = (REAL)0.0078125;                                                     \
                                                                                               \
        for (int i = 0; i < BODIES; i++) {                                                     \
            mass[i] = i ? (REAL)0.03125 / (REAL)i : (REAL)39.5;                                \
            for (int k = 0; k < 3; k++) {                                                      \
                p[i][k] = (REAL)(i * (4 + k)) - (REAL)(k * k);                                 \
                v[i][k] = (REAL)((i + k) % 3) * (REAL)0.5 - (REAL)0.25;                        \
            }                                                                                  \
        }                                                                                      \
        for (int s = 0; s < STEPS; s++) {                                                      \
            for (int i = 0; i < BODIES; i++)                                                   \
                for (int j = i + 1; j < BODIES; j++) {                                         \
                    const REAL x = p[i][0] - p[j][0];                                          \
                    const REAL y = p[i][1] - p[j][1];                                          \
                    const REAL z = p[i][2] - p[j][2];                                          \
                    const REAL square = x * x + y * y + z * z + (REAL)0.125;                   \
                    const REAL pull = step / (square * ROOT(square));                          \
                                                                                               \
                    v[i][0] -= x * mass[j] * pull;                                             \
                    v[i][1] -= y * mass[j] * pull;                                             \
                    v[i][2] -= z * mass[j] * pull;                                             \
                    v[j][0] += x * mass[i] * pull;                                             \
                    v[j][1] += y * mass[i] * pull;                                             \
                    v[j][2] += z * mass[i] * pull;                                             \
                }                                                                              \
            for (int i = 0; i < BODIES; i++)                                                   \
                for (int k = 0; k < 3; k++) p[i][k] += step * v[i][k];                         \
        }                                                                                      \
        for (int i = 0; i < BODIES; i++)                                                       \
            for (int k = 0; k < 3; k++) energy += mass[i] * v[i][k] * v[i][k] / (REAL)2;       \
        return bits_##REAL(energy);                                                            \
    }

/* --- Mandelbrot: a 48 by 48 grid, up to 60 steps a point --- */

#define MANDEL(function, REAL)                                                                 \
    static u64 function(void)                                                                  \
    {                                                                                          \
        u64 sum = 0;                                                                           \
                                                                                               \
        for (int row = 0; row < 48; row++)                                                     \
            for (int column = 0; column < 48; column++) {                                      \
                const REAL cr = (REAL)column / (REAL)16 - (REAL)2;                             \
                const REAL ci = (REAL)row / (REAL)16 - (REAL)1.5;                              \
                REAL r = 0, i = 0;                                                             \
                u32 n = 0;                                                                     \
                                                                                               \
                while (n < 60 && r * r + i * i <= (REAL)4) {                                   \
                    const REAL t = r * r - i * i + cr;                                         \
                                                                                               \
                    i = (REAL)2 * r * i + ci;                                                  \
                    r = t;                                                                     \
                    n++;                                                                       \
                }                                                                              \
                sum = work_mix(sum, n);                                                        \
            }                                                                                  \
        return sum;                                                                            \
    }

typedef long double extended;

static u64 bits_double(double v)
{
    u64 bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* The 64-bit significand is enough; the upper bytes of the storage are padding. */
static u64 bits_extended(extended v)
{
    u64 bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

NBODY(run_nbody_x87, extended, sqrtl)
NBODY(run_nbody_sse, double, sqrt)
MANDEL(run_mandel_x87, extended)
MANDEL(run_mandel_sse, double)

/* --- linpack: LU factorisation with partial pivoting and solution of a dense system --- */

#define ORDER 48

static void eliminate(double a[ORDER][ORDER], double b[ORDER])
{
    for (int k = 0; k < ORDER; k++) {
        int pivot = k;

        for (int i = k + 1; i < ORDER; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
        for (int j = 0; j < ORDER; j++) {
            const double t = a[k][j];

            a[k][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        const double t = b[k];
        b[k] = b[pivot];
        b[pivot] = t;
        for (int i = k + 1; i < ORDER; i++) {
            const double f = a[i][k] / a[k][k];

            for (int j = k; j < ORDER; j++) a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
}

static u64 run_linpack(void)
{
    static double a[ORDER][ORDER];
    double b[ORDER], x[ORDER];
    u32 seed = 11;
    u64 sum = 0;

    for (int i = 0; i < ORDER; i++) {
        b[i] = i + 1;
        for (int j = 0; j < ORDER; j++) a[i][j] = (double)(work_random(&seed) & 0xffff) / 32768.0 - 1.0;
    }
    eliminate(a, b);
    for (int i = ORDER - 1; i >= 0; i--) {
        double v = b[i];

        for (int j = i + 1; j < ORDER; j++) v -= a[i][j] * x[j];
        x[i] = v / a[i][i];
        sum = work_mix(sum, bits_double(x[i]));
    }
    return sum;
}

const struct work work_fp[] = {
    {"nbody-x87", "x87", run_nbody_x87},   {"mandel-x87", "x87", run_mandel_x87},
    {"nbody-sse", "sse", run_nbody_sse},   {"mandel-sse", "sse", run_mandel_sse},
    {"linpack", "sse", run_linpack},       {NULL, NULL, NULL},
};
