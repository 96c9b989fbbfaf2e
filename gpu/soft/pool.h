/* Threads that draw: a fixed number of them, asleep while there is nothing to do.
 *
 * pool_run() hands out the numbers 0 to count - 1, each once, to the caller and the pool's threads,
 * and returns when all are done. Which thread does which number, and when, is left to chance: jobs
 * do not depend on one another. One pool_run() at a time. */
#ifndef GPU_SOFT_POOL_H
#define GPU_SOFT_POOL_H

#include "machine/core/types.h"

struct pool;
/* workers: threads that compute, the caller of pool_run included; at least 1. */
struct pool *pool_create(u32 workers);
void pool_free(struct pool *p);         /* NULL is fine */
u32 pool_workers(const struct pool *p); /* how many there really are */
/* worker: 0 (the caller) to workers - 1 */
void pool_run(struct pool *p, void (*job)(void *opaque, u32 worker, u32 number), void *opaque,
              u32 count);

#endif
