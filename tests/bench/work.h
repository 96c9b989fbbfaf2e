/* work.h: the benchmark's workloads, one table row each; see work.c. */
#ifndef TESTS_BENCH_WORK_H
#define TESTS_BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* One round of work; returns a checksum that is the same for every round on every machine. */
typedef u64 work_fn(void);

struct work {
    const char *name;
    const char *family;
    work_fn *run;
};

/* Tables end with a row without a name. */
extern const struct work work_int[];
extern const struct work work_fp[];
extern const struct work work_sys[];

/* A small generator, so that every build sorts and hashes the same data. */
static inline u32 work_random(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline u64 work_mix(u64 hash, u64 value)
{
    hash ^= value;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

#endif
