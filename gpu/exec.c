/* Executors by name, what batches have in common, and the executor "none". */
#include "gpu/exec.h"

#include <stdlib.h>

struct exec {
    struct exec_host host;
};

const struct exec_ops *exec_find(const char *name)
{
    static const struct exec_ops *const all[] = { &exec_soft, &exec_bridge, &exec_none };
    for (unsigned k = 0; k < LEN(all); k++) {
        if (!strcmp(all[k]->name, name)) return all[k];
    }
    return NULL;
}

const struct exec_range *exec_range_find(const struct exec_batch *b, u32 alloc_id)
{
    u32 lo = 0, hi = b->range_count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (b->ranges[mid].alloc_id < alloc_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->range_count && b->ranges[lo].alloc_id == alloc_id ? &b->ranges[lo] : NULL;
}

void exec_batch_free(struct exec_batch *b)
{
    if (!b) return;
    acmd_free(&b->stream);
    free(b->bytes);
    free(b->ranges);
    free(b);
}

/* --- none: fences complete, nothing is drawn --- */

static struct exec *none_create(const struct exec_host *host, struct error *e)
{
    (void)e;
    struct exec *x = xalloc(sizeof(*x));
    x->host = *host;
    return x;
}

static void none_submit(struct exec *x, struct exec_batch *b)
{
    x->host.done(x->host.opaque, b);
}

static void none_reset(struct exec *x, enum exec_reset kind)
{
    (void)x, (void)kind;
}

static void none_destroy(struct exec *x)
{
    free(x);
}

const struct exec_ops exec_none = {
    .name = "none",
    .create = none_create,
    .submit = none_submit,
    .reset = none_reset,
    .destroy = none_destroy,
};
