/* The executor's worker threads (pool.h): a counter that is taken from atomically, a condition to
 * wake up by and one to wait for the last. */
#include "gpu/soft/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "machine/core/error.h"

struct worker {
    struct pool *pool;
    pthread_t thread;
    u32 number;
};

struct pool {
    u32 workers;
    struct worker *threads; /* workers - 1 */
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;
    u64 round;   /* grows with every pool_run */
    u32 working; /* threads that have not finished this round */
    bool quit;
    /* of this round */
    void (*job)(void *opaque, u32 worker, u32 number);
    void *opaque;
    u32 count, next;
};

static void work(struct pool *p, u32 worker)
{
    for (;;) {
        u32 n = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
        if (n >= p->count) return;
        p->job(p->opaque, worker, n);
    }
}

static void *thread_main(void *opaque)
{
    struct worker *w = opaque;
    struct pool *p = w->pool;
    u64 seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->quit) pthread_cond_wait(&p->wake, &p->lock);
        if (p->quit) break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        work(p, w->number);
        pthread_mutex_lock(&p->lock);
        if (--p->working == 0) pthread_cond_signal(&p->finished);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are the main thread's. */
static bool start(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&w->thread, NULL, thread_main, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

struct pool *pool_create(u32 workers)
{
    struct pool *p = xalloc(sizeof(*p));
    p->threads = xalloc(workers * sizeof(*p->threads));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->finished, NULL);
    for (p->workers = 1; p->workers < workers; p->workers++) {
        struct worker *w = &p->threads[p->workers - 1];
        *w = (struct worker){ .pool = p, .number = p->workers };
        if (!start(w)) break; /* fewer do as well */
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (u32 k = 0; k + 1 < p->workers; k++) pthread_join(p->threads[k].thread, NULL);
    pthread_cond_destroy(&p->finished);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}

u32 pool_workers(const struct pool *p)
{
    return p->workers;
}

void pool_run(struct pool *p, void (*job)(void *opaque, u32 worker, u32 number), void *opaque,
              u32 count)
{
    pthread_mutex_lock(&p->lock);
    p->job = job;
    p->opaque = opaque;
    p->count = count;
    p->next = 0;
    p->working = p->workers - 1;
    p->round++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    work(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->working) pthread_cond_wait(&p->finished, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
