/*
 * work_mem.c: workloads of the benchmark that miss the TLB: dependent loads all over 64 MiB, and one
 * access to each of 65,536 pages that share 4 MiB, so that the data stays in the caches and the page
 * tables do the work.
 */
#define _GNU_SOURCE
#include "tests/bench/work.h"

#include <sys/mman.h>
#include <unistd.h>

/* --- chase: one load a cache line, in an order no prefetcher guesses --- */

#define CHASE (64u << 20)
#define LINE 64

static u64 run_chase(void)
{
    static u8 *lines;
    const u32 n = CHASE / LINE;
    u32 at = 0;

    if (!lines) {
        u32 seed = 5;

        void *const p =
            mmap(NULL, CHASE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) return 0;
        lines = p;
        madvise(p, CHASE, MADV_NOHUGEPAGE);
        for (u32 i = 0; i < n; i++) *(u32 *)(lines + (size_t)i * LINE) = i;
        /* Sattolo's shuffle makes one single cycle. */
        for (u32 i = n - 1; i > 0; i--) {
            u32 *const a = (u32 *)(lines + (size_t)i * LINE);
            u32 *const b = (u32 *)(lines + (size_t)(work_random(&seed) % i) * LINE);
            const u32 t = *a;

            *a = *b;
            *b = t;
        }
    }
    for (int i = 0; i < 20000; i++) at = *(const u32 *)(lines + (size_t)at * LINE);
    return at;
}

/* --- walks: every page of 256 MiB of addresses, far from the one before --- */

#define SHARED (4u << 20)
#define COPIES 64
#define PAGES (SHARED / 4096 * COPIES)

static u8 *map_copies(void)
{
    u8 *const at = mmap(NULL, (size_t)SHARED * COPIES, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const int fd = memfd_create("walks", 0);

    if (at == MAP_FAILED || fd < 0 || ftruncate(fd, SHARED) != 0) return NULL;
    for (size_t i = 0; i < COPIES; i++)
        if (mmap(at + i * SHARED, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                 fd, 0) == MAP_FAILED)
            return NULL;
    close(fd);
    for (u32 i = 0; i < SHARED / 4; i++) ((u32 *)at)[i] = i * 2654435761u;
    for (u32 i = 0; i < PAGES; i++) *(volatile u8 *)(at + (size_t)i * 4096);
    return at;
}

static u64 run_walks(void)
{
    static u8 *at;
    u64 sum = 0;

    if (!at && !(at = map_copies())) return 0;
    for (u32 i = 0; i < PAGES; i++) {
        const u32 page = i * 40503u & (PAGES - 1);

        sum += *(const u32 *)(at + (size_t)page * 4096 + (page & 63) * 64);
    }
    return sum;
}

const struct work work_mem[] = {
    {"walks", "memory", run_walks},
    {"chase", "memory", run_chase},
    {NULL, NULL, NULL},
};
