/* The mailbox: one lock, held only to append and to take the whole queue. */
#include "machine/core/mailbox.h"

#include <stdlib.h>
#include <time.h>

#include "machine/core/clock.h" /* clock_host_ns */
#include "machine/core/error.h"

void mailbox_init(struct mailbox *m)
{
    memset(m, 0, sizeof(*m));
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->arrived, &attr);
    pthread_condattr_destroy(&attr);
}

void mailbox_fini(struct mailbox *m)
{
    pthread_cond_destroy(&m->arrived);
    pthread_mutex_destroy(&m->lock);
    free(m->queue);
}

void mailbox_post(struct mailbox *m, struct mail mail)
{
    pthread_mutex_lock(&m->lock);
    if (m->len == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->queue = xrealloc(m->queue, m->cap * sizeof(*m->queue));
    }
    m->queue[m->len] = mail;
    __atomic_store_n(&m->len, m->len + 1,
                     __ATOMIC_RELEASE); /* drain looks before it takes the lock */
    pthread_cond_signal(&m->arrived);
    pthread_mutex_unlock(&m->lock);
    if (m->kick) m->kick(m->kick_opaque);
}

unsigned mailbox_drain(struct mailbox *m)
{
    if (!__atomic_load_n(&m->len, __ATOMIC_ACQUIRE)) return 0;
    pthread_mutex_lock(&m->lock);
    struct mail *q = m->queue;
    unsigned n = m->len;
    m->queue = NULL;
    m->len = m->cap = 0;
    pthread_mutex_unlock(&m->lock);
    for (unsigned k = 0; k < n; k++) q[k].run(q[k].opaque, q[k].a, q[k].b);
    free(q);
    return n;
}

void mailbox_forget(struct mailbox *m, const void *opaque)
{
    unsigned kept = 0;
    pthread_mutex_lock(&m->lock);
    for (unsigned k = 0; k < m->len; k++) {
        if (m->queue[k].opaque != opaque) m->queue[kept++] = m->queue[k];
    }
    __atomic_store_n(&m->len, kept, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&m->lock);
}

void mailbox_wait(struct mailbox *m, u64 ns)
{
    u64 at = clock_host_ns() + MIN(ns, NS_PER_SEC);
    struct timespec ts = { (time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC) };
    pthread_mutex_lock(&m->lock);
    if (!m->len) pthread_cond_timedwait(&m->arrived, &m->lock, &ts);
    pthread_mutex_unlock(&m->lock);
}
