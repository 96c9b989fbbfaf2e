/* Executors: what turns AeroGPU's command streams into pixels, behind one interface.
 *
 * The device validates a submission (aerogpu_cmd.h), wraps it into a batch and submits it; batches
 * take effect in order, and may be reported as done in any. An executor finishes a batch with
 * host->done, from the machine thread: at once, inside submit(), or later by mail. The device
 * publishes fences in order and paces them, so every executor paces alike. Guest memory is read
 * through host->read and written through host->write, both by the machine thread or by whoever runs
 * a batch in its place: an executor that works inside submit() can be run on a thread of its own
 * (exec_thread.h), whose host functions are safe there. One that makes its own threads uses them on
 * the machine thread only, and keeps its write-backs until its mail runs, just before done.
 * Document: the contract's parts "driver behaviour", section 9, and "executor". */
#ifndef GPU_EXEC_H
#define GPU_EXEC_H

#include "gpu/aerogpu_cmd.h"
#include "machine/core/error.h"

struct clock;
struct guest_ram;
struct mailbox;
struct recorder;
struct text;

struct exec_range { /* one row of the allocation table */
    u32 alloc_id, flags;
    u64 gpa, size; /* gpa + size does not overflow */
};

struct exec_batch {
    struct acmd_stream stream; /* of `bytes`; valid even when it ended early */
    u8 *bytes;                 /* NULL: an empty submission */
    struct exec_range *ranges; /* sorted by alloc_id, no duplicates */
    u32 range_count;
    u32 context_id;
    u32 flags;             /* AGPU_SUBMIT_* */
    u64 fence;             /* the descriptor's signal_fence */
    u64 ticket;            /* the device's: names the submission */
    u64 time_ns;           /* virtual time at which it was accepted */
    enum agpu_error error; /* the executor's verdict, with `reason` */
    const char *reason;
    struct exec_batch *next; /* the executor's */
};

struct exec_scanout { /* what scanout 0 shows now */
    u64 gpa;
    u32 width, height, format, pitch;
};

/* How an executor that computes on this host goes about it; zeros: as well as it can. Results never
 * depend on it. */
enum exec_simd { EXEC_SIMD_BEST, EXEC_SIMD_SSE2, EXEC_SIMD_PLAIN };
struct exec_tuning {
    u32 workers;        /* threads that draw, the caller's included; 0: by the host's cores */
    bool no_fast_paths; /* everything through the general path */
    u8 simd;            /* exec_simd */
};

struct exec_host {
    void *opaque;
    /* Machine thread. The batch is the device's again. */
    void (*done)(void *opaque, struct exec_batch *b);
    /* False, and nothing read, when the range is not plain guest RAM. */
    bool (*read)(void *opaque, u64 gpa, void *buf, u64 len);
    /* False, and nothing written, likewise. */
    bool (*write)(void *opaque, u64 gpa, const void *buf, u64 len);
    /* False when scanout 0 shows nothing; as it was when the batch was submitted. */
    bool (*scanout)(void *opaque, struct exec_scanout *s);
    /* Somebody with a mapping of his own wrote there. False when the range is not plain guest RAM.
     */
    bool (*written)(void *opaque, u64 gpa, u64 len);
    /* What executors beside the machine thread need; each may be NULL. */
    struct clock *clock;               /* virtual time */
    struct mailbox *mailbox;           /* to the machine thread */
    const struct guest_ram *guest_ram; /* device.h */
    const char *socket;                /* the device's option */
    struct exec_tuning tuning;
    const char *soft; /* the device's option of that name (soft/settings.h); NULL: defaults */
    /* Atomic: when it becomes true what the running batch does is forgotten anyway, and the
     * executor leaves it as soon as it can. NULL: never. */
    const bool *cancel;
    /* exec_recording's (record.h): where to, and the executor that does the work */
    struct recorder *recorder;
    const struct exec_ops *recorded;
    /* Work that a batch may cause, in units of about half a nanosecond, before the rest of it is
     * skipped; 0: two seconds' (soft/soft.h). */
    i64 budget;
};

enum exec_reset {
    EXEC_FORGET_ALL,   /* every object, context and token */
    EXEC_KEEP_OBJECTS, /* pipeline states only: the driver comes back from sleep and its clients
                          still hold their objects */
};

struct exec;
struct exec_ops {
    const char *name;
    bool transfer;    /* performs copies and write-backs */
    bool synchronous; /* submit() finishes the batch: it can be run on a thread of its own */
    struct exec *(*create)(const struct exec_host *host, struct error *e);
    void (*submit)(struct exec *x, struct exec_batch *b);
    /* True: enough is under way, the device does not fetch more until a batch is done and this says
     * false. NULL: never. */
    bool (*full)(struct exec *x);
    /* Finishes or drops what was submitted (host->done is called for every batch before it
     * returns). */
    void (*reset)(struct exec *x, enum exec_reset kind);
    void (*destroy)(struct exec *x); /* after reset */
    /* Lines for `info`; NULL: nothing to tell. */
    void (*info)(struct exec *x, struct text *t);
};

extern const struct exec_ops exec_soft;   /* draws (gpu/soft) */
extern const struct exec_ops exec_bridge; /* another process does it (gpu/bridge) */
extern const struct exec_ops exec_none;   /* completes everything at once and draws nothing */

/* NULL: unknown */
const struct exec_ops *exec_find(const char *name);
/* The range with this id, or NULL. */
const struct exec_range *exec_range_find(const struct exec_batch *b, u32 alloc_id);
void exec_batch_free(struct exec_batch *b);

#endif
