/* Many-to-one queue of small messages to the machine thread: the only way other threads touch the
 * machine (architecture: threads). A message is a function and two words; it runs on the machine
 * thread between slices. */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include <pthread.h>

#include "machine/core/types.h"

struct mail {
    void (*run)(void *opaque, u64 a, u64 b);
    void *opaque;
    u64 a, b;
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct mail *queue;
    unsigned len, cap;
    void (*kick)(void *opaque); /* called after a post, from the posting thread; may be NULL */
    void *kick_opaque;
};

void mailbox_init(struct mailbox *m);
void mailbox_fini(struct mailbox *m);
void mailbox_post(struct mailbox *m, struct mail mail);
/* Runs what has arrived; returns how many. */
unsigned mailbox_drain(struct mailbox *m);
/* Machine thread: drops what waits for somebody who goes away. */
void mailbox_forget(struct mailbox *m, const void *opaque);
/* Sleeps up to ns of host time, less when mail arrives. */
void mailbox_wait(struct mailbox *m, u64 ns);

#endif
