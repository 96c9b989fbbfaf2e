/*
 * work_fp.h: floating-point workloads that exist in two widths, as text: work_x87.c compiles it for
 * the 80 bits of the x87, work_sse.c for SSE2's double.  Only + - * / and square root are used, all of
 * which IEEE 754 defines to the last bit, so checksums are comparable.  Before it is included, REAL is
 * the type and ROOT its square root.
 */
#ifndef TESTS_BENCH_WORK_FP_H
#define TESTS_BENCH_WORK_FP_H

#include "tests/bench/work.h"

#include <string.h>

#define BODIES 5
#define STEPS 200
#define ORDER 48

/* The 64-bit significand of the long form is enough; the upper bytes of its storage are padding. */
static inline u64 real_bits(REAL v)
{
    u64 bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline REAL real_abs(REAL v) { return v < 0 ? -v : v; }

struct bodies {
    REAL p[BODIES][3], v[BODIES][3], mass[BODIES];
};

static inline void nbody_start(struct bodies *b)
{
    for (int i = 0; i < BODIES; i++) {
        b->mass[i] = i ? (REAL)0.03125 / (REAL)i : (REAL)39.5;
        for (int k = 0; k < 3; k++) {
            b->p[i][k] = (REAL)(i * (4 + k)) - (REAL)(k * k);
            b->v[i][k] = (REAL)((i + k) % 3) * (REAL)0.5 - (REAL)0.25;
        }
    }
}

static inline void nbody_pull(struct bodies *b, int i, int j, REAL step)
{
    const REAL x = b->p[i][0] - b->p[j][0];
    const REAL y = b->p[i][1] - b->p[j][1];
    const REAL z = b->p[i][2] - b->p[j][2];
    const REAL square = x * x + y * y + z * z + (REAL)0.125;
    const REAL pull = step / (square * ROOT(square));

    b->v[i][0] -= x * b->mass[j] * pull;
    b->v[i][1] -= y * b->mass[j] * pull;
    b->v[i][2] -= z * b->mass[j] * pull;
    b->v[j][0] += x * b->mass[i] * pull;
    b->v[j][1] += y * b->mass[i] * pull;
    b->v[j][2] += z * b->mass[i] * pull;
}

/* Five bodies of the outer solar system's shape, a fixed number of steps. */
static u64 run_nbody(void)
{
    const REAL step = (REAL)0.0078125;
    REAL energy = 0;
    struct bodies b;

    nbody_start(&b);
    for (int s = 0; s < STEPS; s++) {
        for (int i = 0; i < BODIES; i++)
            for (int j = i + 1; j < BODIES; j++) nbody_pull(&b, i, j, step);
        for (int i = 0; i < BODIES; i++)
            for (int k = 0; k < 3; k++) b.p[i][k] += step * b.v[i][k];
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) energy += b.mass[i] * b.v[i][k] * b.v[i][k] / (REAL)2;
    return real_bits(energy);
}

/* Mandelbrot's set on a 48 by 48 grid, up to 60 steps a point. */
static u64 run_mandel(void)
{
    u64 sum = 0;

    for (int row = 0; row < 48; row++)
        for (int column = 0; column < 48; column++) {
            const REAL cr = (REAL)column / (REAL)16 - (REAL)2;
            const REAL ci = (REAL)row / (REAL)16 - (REAL)1.5;
            REAL r = 0, i = 0;
            u32 n = 0;

            while (n < 60 && r * r + i * i <= (REAL)4) {
                const REAL t = r * r - i * i + cr;

                i = (REAL)2 * r * i + ci;
                r = t;
                n++;
            }
            sum = work_mix(sum, n);
        }
    return sum;
}

static void eliminate(REAL a[ORDER][ORDER], REAL b[ORDER])
{
    for (int k = 0; k < ORDER; k++) {
        int pivot = k;

        for (int i = k + 1; i < ORDER; i++)
            if (real_abs(a[i][k]) > real_abs(a[pivot][k])) pivot = i;
        for (int j = 0; j < ORDER; j++) {
            const REAL t = a[k][j];

            a[k][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        const REAL t = b[k];
        b[k] = b[pivot];
        b[pivot] = t;
        for (int i = k + 1; i < ORDER; i++) {
            const REAL f = a[i][k] / a[k][k];

            for (int j = k; j < ORDER; j++) a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
}

/* LU factorisation with partial pivoting and solution of a dense system, as LINPACK does it. */
static u64 run_linpack(void)
{
    static REAL a[ORDER][ORDER];
    REAL b[ORDER], x[ORDER];
    u32 seed = 11;
    u64 sum = 0;

    for (int i = 0; i < ORDER; i++) {
        b[i] = i + 1;
        for (int j = 0; j < ORDER; j++)
            a[i][j] = (REAL)(work_random(&seed) & 0xffff) / (REAL)32768.0 - (REAL)1.0;
    }
    eliminate(a, b);
    for (int i = ORDER - 1; i >= 0; i--) {
        REAL v = b[i];

        for (int j = i + 1; j < ORDER; j++) v -= a[i][j] * x[j];
        x[i] = v / a[i][i];
        sum = work_mix(sum, real_bits(x[i]));
    }
    return sum;
}

#endif
