/* A synchronous executor on a thread of its own. The device uses exec_threaded in place of the
 * inner executor's own table; see exec_thread.c. */
#ifndef GPU_EXEC_THREAD_H
#define GPU_EXEC_THREAD_H

#include "gpu/exec.h"

struct bus;

/* Its create is NULL: exec_thread_create() is. */
extern const struct exec_ops exec_threaded;

/* Runs `inner`, which must be synchronous (exec_ops.synchronous). host and mem are the device's;
 * host->mailbox is needed. NULL with *e when the inner executor cannot be created. */
struct exec *exec_thread_create(const struct exec_ops *inner, const struct exec_host *host,
                                struct bus *mem, struct error *e);

#endif
