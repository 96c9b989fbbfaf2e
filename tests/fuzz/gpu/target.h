/* What the fuzz targets of AeroGPU share. A target is one file that defines target_run(), which
 * judges one input, and target_seed(), which makes inputs worth starting from by our own code; it
 * may define LLVMFuzzerCustomMutator(). It is linked either with clang's libFuzzer, which looks for
 * inputs that reach new code, or with own.c, which mutates the seeds blindly: that needs no clang
 * and makes the same inputs every time.
 *
 * A target keeps what is expensive to make between inputs and puts it back into its first state
 * itself. A failure is: a sanitizer's report, must(), more than a second of processor time for one
 * input, too much memory, a leak. */
#ifndef TESTS_FUZZ_GPU_TARGET_H
#define TESTS_FUZZ_GPU_TARGET_H

#include "tests/fuzz/fuzz.h"

/* --- the target's --- */
void target_init(void); /* once, before the first input */
void target_run(const u8 *data, size_t size);
/* Seed n into out (cap bytes); 0: there are no more. */
size_t target_seed(unsigned n, u8 *out, size_t cap);

/* --- common.c --- */
/* Aborts with the text unless it holds. */
#define must(condition, text)                                                                      \
    do {                                                                                           \
        if (!(condition)) must_failed(text);                                                       \
    } while (0)
_Noreturn void must_failed(const char *text);

/* --- libFuzzer's, and own.c's without it --- */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
    __attribute__((weak));
size_t LLVMFuzzerCustomCrossOver(const u8 *a, size_t na, const u8 *b, size_t nb, u8 *out,
                                 size_t max, unsigned seed) __attribute__((weak));

/* --- input as numbers; zeros behind its end --- */
struct feed {
    const u8 *p, *end;
};
static inline u64 feed_n(struct feed *f, unsigned bytes)
{
    u64 v = 0;
    for (unsigned k = 0; k < bytes && f->p < f->end; k++) v |= (u64)*f->p++ << (8 * k);
    return v;
}
static inline u8 feed8(struct feed *f)
{
    return f->p < f->end ? *f->p++ : 0;
}
static inline u16 feed16(struct feed *f)
{
    return (u16)feed_n(f, 2);
}
static inline u32 feed32(struct feed *f)
{
    return (u32)feed_n(f, 4);
}
/* A number with the values that break things made likely. */
static inline u64 feed_value(struct feed *f)
{
    u8 k = feed8(f);
    switch (k >> 5) {
    case 0: return k & 31;
    case 1: return BIT64((k & 31) * 2);
    case 2: return BIT64((k & 31) * 2) - 1;
    case 3: return 0u - (u64)(k & 31);
    case 4: return feed8(f);
    case 5: return feed16(f);
    case 6: return feed32(f);
    default: return feed_n(f, 8);
    }
}

#endif
