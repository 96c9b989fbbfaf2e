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
    const char *family; /* class of the table of ratios */
    work_fn *run;
};

/* Tables end with a row without a name. */
extern const struct work work_int[];
extern const struct work work_codec[];
extern const struct work work_x87[];
extern const struct work work_sse[];
extern const struct work work_sys[];
extern const struct work work_gen[];
extern const struct work work_mem[];

#define WORK_EXEC "work-exec-child" /* argv[0] of the program that the workload `exec` starts */

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
