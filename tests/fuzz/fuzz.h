/* What the fuzzers share: a seeded generator and the driver that runs seeds in a child process and
 * watches it.
 *
 *   program [SEED [COUNT]]          runs COUNT seeds (1) from SEED on
 *   program --seconds N [SEED]      as many seeds as fit into N seconds
 *   program --insns N [SEED]        as many seeds as it takes to execute N guest instructions
 *
 * A seed alone decides what an iteration does. The child may crash, be stopped by a sanitizer, use
 * more than HANG_SECONDS of processor time for one seed or grow beyond MEMORY_MIB: the parent then
 * prints one line that runs that seed again, and the exit status is 1. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "machine/core/types.h"

/* --- the generator: splitmix64 --- */

struct rng {
    u64 s;
};

static inline u64 rnd64(struct rng *r)
{
    u64 z = r->s += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* 0 .. n-1; n >= 1. */
static inline u32 rnd(struct rng *r, u32 n)
{
    return (u32)((rnd64(r) >> 32) * n >> 32);
}

static inline bool one_in(struct rng *r, u32 n)
{
    return rnd(r, n) == 0;
}

/* Numbers that break things: small, all ones, single bits, edges of types, anything. */
static inline u64 rnd_value(struct rng *r)
{
    switch (rnd(r, 8)) {
    case 0: return 0;
    case 1: return ~0ull;
    case 2: return rnd(r, 16);
    case 3: return BIT64(rnd(r, 64));
    case 4: return BIT64(rnd(r, 64)) - 1;
    case 5: return rnd(r, 256);
    case 6: return (u32)rnd64(r);
    default: return rnd64(r);
    }
}

static inline void rnd_fill(struct rng *r, void *p, size_t n)
{
    u8 *b = p;
    for (size_t k = 0; k < n; k += 8) {
        u64 v = rnd64(r);
        memcpy(b + k, &v, MIN(n - k, (size_t)8));
    }
}

/* Runs one(seed) as the command line says; returns the exit status. one() returns how many guest
 * instructions it executed. */
int fuzz_main(int argc, char **argv, u64 (*one)(u64 seed));

#endif
