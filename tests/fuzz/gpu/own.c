/* The driver of a fuzz target without libFuzzer: seed number S decides which of the target's own
 * inputs is taken and how it is mutated. Arguments as in fuzz.h, or the names of files to run. */
#include <stdio.h>
#include <stdlib.h>

#include "machine/core/log.h"
#include "tests/fuzz/gpu/target.h"

enum { MAX_INPUT = 8192 };

/* The generator of the mutation that runs now: LLVMFuzzerMutate has no argument for it. */
static struct rng rng;

static size_t insert_bytes(u8 *p, size_t n, size_t max)
{
    size_t at = rnd(&rng, (u32)n + 1), len = 1 + rnd(&rng, 8);
    if (n + len > max) return n;
    memmove(p + at + len, p + at, n - at);
    rnd_fill(&rng, p + at, len);
    return n + len;
}

static size_t erase_bytes(u8 *p, size_t n)
{
    if (n < 2) return n;
    size_t at = rnd(&rng, (u32)n), want = 1 + (size_t)rnd(&rng, 8), len = MIN(want, n - at);
    memmove(p + at, p + at + len, n - at - len);
    return n - len;
}

static void copy_bytes(u8 *p, size_t n)
{
    size_t len = 1 + rnd(&rng, (u32)MIN(n, (size_t)64)), from = rnd(&rng, (u32)(n - len + 1)),
           to = rnd(&rng, (u32)(n - len + 1));
    memmove(p + to, p + from, len);
}

size_t LLVMFuzzerMutate(u8 *p, size_t n, size_t max)
{
    for (unsigned k = 1 + rnd(&rng, 4); k; k--) {
        if (!n) return insert_bytes(p, n, max);
        size_t at = rnd(&rng, (u32)n), word = at & ~(size_t)3;
        u32 what = rnd(&rng, 8);
        if (what >= 6 && word + 4 > n) what = 0;
        switch (what) {
        case 0: p[at] ^= (u8)(1u << rnd(&rng, 8)); break;
        case 1: p[at] = (u8)rnd64(&rng); break;
        case 2: n = insert_bytes(p, n, max); break;
        case 3: n = erase_bytes(p, n); break;
        case 4: copy_bytes(p, n); break;
        case 5: p[at] = (u8)(p[at] + 1 - 2 * rnd(&rng, 2)); break;
        case 6: st32(p + word, (u32)rnd_value(&rng)); break;
        default: st32(p + word, ld32(p + word) + rnd(&rng, 9) - 4);
        }
    }
    return n;
}

static u64 one(u64 seed)
{
    static u8 input[MAX_INPUT];
    static unsigned seeds;
    rng.s = seed * 0x9e3779b97f4a7c15ull;
    while (!seeds || target_seed(seeds, input, sizeof(input))) seeds++;
    size_t n = target_seed(rnd(&rng, seeds), input, sizeof(input));
    for (unsigned k = rnd(&rng, 12); k; k--) {
        if (LLVMFuzzerCustomMutator && rnd(&rng, 8))
            n = LLVMFuzzerCustomMutator(input, n, sizeof(input), (unsigned)rnd64(&rng));
        else
            n = LLVMFuzzerMutate(input, n, sizeof(input));
    }
    u8 *exact = malloc(n + !n); /* reading past the input must be seen */
    if (!exact) exit(2);
    memcpy(exact, input, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

static int run_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f) return 0;
    u8 *p = malloc(1 << 24);
    size_t n = p ? fread(p, 1, 1 << 24, f) : 0;
    fclose(f);
    u8 *exact = malloc(n + !n);
    if (!exact) exit(2);
    memcpy(exact, p, n);
    free(p);
    printf("%s: %zu bytes\n", name, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    log_configure("debug"); /* formats every message, shows none */
    if (argc > 1 && argv[1][0] != '-' && (argv[1][0] < '0' || argv[1][0] > '9')) {
        int found = 1;
        for (int k = 1; k < argc; k++) found &= run_file(argv[k]);
        return !found;
    }
    return fuzz_main(argc, argv, one);
}
