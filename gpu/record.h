/* Recordings of AeroGPU sessions: everything an executor is told and everything it may read, so
 * that `aeropc gpu-replay FILE` can do the same again without a machine.
 *
 * Format: a recfile (machine/host/recfile.h) with magic "AEROGPUR", version 1, and these records:
 *
 *   LAYOUT   first, once: where guest RAM is, as in struct guest_ram
 *   PAGES    contents of 4 KiB pages: u32 count, u32 0, count guest physical addresses (u64), then
 *            count pages. All of memory is zero before
 *   SUBMIT   a submission: struct record_submit, its allocation table (struct record_range,
 * sorted), its stream SCANOUT  scanout 0 shows something else from here on: struct record_scanout
 *   RESET    struct record_reset
 *   END      nothing; a recording without it was not ended properly, and is used as far as it goes
 *
 * Before a SUBMIT come the pages of its allocations, and of the scanout when it presents, whose
 * contents differ from what the recording has for them; before a SCANOUT the framebuffer's. What
 * the executor itself writes is not recorded, unless the guest changed the same page: a replay
 * writes it again. Differences are found by a 64-bit hash per page. */
#ifndef GPU_RECORD_H
#define GPU_RECORD_H

#include "gpu/exec.h"

#define RECORD_MAGIC "AEROGPUR"
enum { RECORD_VERSION = 1, RECORD_PAGE = 4096, RECORD_PAGES_MAX = 256 /* in one record */ };

enum record_type {
    RECORD_LAYOUT = 1,
    RECORD_PAGES,
    RECORD_SUBMIT,
    RECORD_SCANOUT,
    RECORD_RESET,
    RECORD_END
};

struct record_layout {
    u64 low_size, size; /* bytes; multiples of 4 KiB */
    u32 abi_version, reserved;
};

struct record_surface {
    u64 gpa;
    u32 width, height, format, pitch; /* width 0: nothing is shown */
};

struct record_submit {
    u64 time_ns; /* virtual */
    u64 ticket, fence;
    u32 context_id, flags;
    u32 range_count, stream_size;
    struct record_surface scanout;
};

struct record_range {
    u32 alloc_id, flags;
    u64 gpa, size;
};

struct record_scanout {
    u64 time_ns;
    struct record_surface scanout;
};

struct record_reset {
    u64 time_ns;
    u32 kind, reserved; /* exec_reset */
};

_Static_assert(sizeof(struct record_layout) == 24, "LAYOUT");
_Static_assert(sizeof(struct record_surface) == 24, "surface");
_Static_assert(sizeof(struct record_submit) == 64, "SUBMIT");
_Static_assert(sizeof(struct record_range) == 24, "range");
_Static_assert(sizeof(struct record_scanout) == 32, "SCANOUT");
_Static_assert(sizeof(struct record_reset) == 16, "RESET");

struct recorder;

/* ram outlives the recorder. NULL with a message. */
struct recorder *recorder_open(const char *path, const struct guest_ram *ram, struct clock *clock,
                               struct error *e);
void recorder_close(struct recorder *r); /* NULL is fine */
/* Machine thread. scanout 0 may show something else now: records it when it does. host: reads guest
 * memory. */
void recorder_scanout(struct recorder *r, const struct exec_host *host);

/* The executor host->recorded, a synchronous one, with host->recorder told of everything first; on
 * whatever thread it runs. */
extern const struct exec_ops exec_recording;

#endif
