/* Virtual time (clock.h): three ways to tell it, one binary heap of timers. */
#include "machine/core/clock.h"

#include <stdlib.h>
#include <time.h>

#include "machine/core/error.h"

#define STALL_NS 100000000ull /* host stalls longer than this do not pass in the guest */
/* Time held back from the guest that idle periods give back. Not more: a person must be able to
 * answer a prompt that waits two seconds, even right after a slow phase. */
#define MAX_LAG_NS 250000000ull
#define LATE_NS 200000ull /* and never more than this beyond a timer that has not fired yet */
#define SHORT_IDLE_NS 2000000u
#define FIXED_WALL 1262304000ull /* 2010-01-01 00:00:00 UTC: where deterministic runs start */

u64 clock_host_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (u64)ts.tv_sec * NS_PER_SEC + (u64)ts.tv_nsec;
}

void clock_init(struct clock *c, enum clock_mode mode)
{
    memset(c, 0, sizeof(*c));
    c->mode = mode;
    c->host_base = clock_host_ns();
    c->running = mode != CLOCK_HOST; /* a host clock starts with clock_resume */
    c->ns_per_insn_q16 = 5 << 16;
    c->limit = UINT64_MAX;
    c->wall_base = mode == CLOCK_HOST ? (u64)time(NULL) : FIXED_WALL;
}

void clock_fini(struct clock *c)
{
    free(c->heap);
    memset(c, 0, sizeof(*c));
}

static u64 insn_time(const struct clock *c)
{
    u64 n = c->insns ? c->insns(c->insns_opaque) : 0;
    return (u64)(((u128)n * c->ns_per_insn_q16) >> 16) + c->idle_ns;
}

u64 clock_now(struct clock *c)
{
    if (c->mode == CLOCK_MANUAL) return c->now;
    if (c->mode == CLOCK_INSN) {
        u64 t = insn_time(c);
        if (t > c->now) c->now = t;
        return c->now;
    }
    if (!c->running) return c->now;
    u64 t = clock_host_ns() - c->host_base, limit = c->now ? c->now + STALL_NS : UINT64_MAX;
    if (c->limit < limit) limit = MAX(c->limit, c->now);
    /* All clocks slow down together when the host falls behind: a periodic interrupt that the guest
     * counts must not be lost because several of its periods went by between two slices. */
    if (c->heap_len && c->heap[0]->when < UINT64_MAX - LATE_NS)
        limit = MIN(limit, MAX(c->heap[0]->when + LATE_NS, c->now));
    if (t > limit) {
        c->host_base += t - limit;
        c->lag = MIN(c->lag + MIN(t - limit, STALL_NS), MAX_LAG_NS);
        t = limit;
    }
    if (t > c->now) c->now = t;
    if (unlikely(c->in_slice) && c->heap_len && c->now >= c->heap[0]->when && c->kick) {
        c->in_slice = false; /* once is enough */
        c->kick(c->kick_opaque);
    }
    return c->now;
}

static _Thread_local struct {
    bool set;
    u64 now;
} stamp;

void clock_stamp_thread(u64 now_ns)
{
    stamp.set = true;
    stamp.now = now_ns;
}

u64 clock_stamp(struct clock *c)
{
    return stamp.set ? stamp.now : clock_now(c);
}

void clock_pause(struct clock *c)
{
    if (c->mode != CLOCK_HOST || !c->running) return;
    clock_now(c);
    c->running = false;
}

void clock_resume(struct clock *c)
{
    if (c->mode != CLOCK_HOST || c->running) return;
    c->host_base = clock_host_ns() - c->now;
    c->running = true;
}

void clock_set_limit(struct clock *c, u64 when_ns)
{
    c->limit = when_ns;
}

static void look_near(struct clock *c)
{
    c->near = c->in_slice && clock_deadline(c) <= c->limit;
}

void clock_begin_slice(struct clock *c, u64 limit_ns)
{
    c->limit = limit_ns;
    c->in_slice = true;
    look_near(c);
}

void clock_end_slice(struct clock *c)
{
    c->in_slice = c->near = false;
}

void clock_catch_up(struct clock *c, u64 until_ns)
{
    u64 now = clock_now(c);
    if (c->mode != CLOCK_HOST || !c->lag || until_ns <= now) return;
    /* A guest that counts short ticks measures time by them: they keep their length, nearly. */
    u64 idle = until_ns - now, step = MIN(c->lag, idle < SHORT_IDLE_NS ? idle / 128 : idle);
    c->lag -= step;
    c->host_base -= step;
}

void clock_advance(struct clock *c, u64 ns)
{
    u64 target = clock_now(c) + ns;
    if (c->mode == CLOCK_INSN) {
        u64 d = clock_deadline(c);
        if (target > d) target = MAX(d, c->now);
        c->idle_ns += target - c->now;
        c->now = target;
        return;
    }
    check(c->mode == CLOCK_MANUAL);
    while (clock_deadline(c) <= target) {
        c->now = MAX(c->now, clock_deadline(c));
        clock_run_due(c, 1);
    }
    c->now = target;
}

u64 clock_deadline(const struct clock *c)
{
    return c->heap_len ? c->heap[0]->when : TIMER_NEVER;
}

unsigned clock_run_due(struct clock *c, unsigned max)
{
    unsigned n = 0;
    u64 now = clock_now(c);
    while (n < max && c->heap_len && c->heap[0]->when <= now) {
        struct timer *t = c->heap[0];
        timer_cancel(t);
        t->fire(t->opaque);
        n++;
    }
    return n;
}

void clock_wall(struct clock *c, u64 *sec, u32 *nsec)
{
    u64 now = clock_now(c);
    *sec = c->wall_base + now / NS_PER_SEC;
    *nsec = (u32)(now % NS_PER_SEC);
}

/* --- timers --- */

static bool before(const struct timer *a, const struct timer *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void put(struct clock *c, unsigned slot, struct timer *t)
{
    c->heap[slot] = t;
    t->slot = (int)slot;
}

static void sift_up(struct clock *c, unsigned slot, struct timer *t)
{
    while (slot && before(t, c->heap[(slot - 1) / 2])) {
        put(c, slot, c->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    put(c, slot, t);
}

static void sift_down(struct clock *c, unsigned slot, struct timer *t)
{
    for (;;) {
        unsigned kid = slot * 2 + 1;
        if (kid >= c->heap_len) break;
        if (kid + 1 < c->heap_len && before(c->heap[kid + 1], c->heap[kid])) kid++;
        if (!before(c->heap[kid], t)) break;
        put(c, slot, c->heap[kid]);
        slot = kid;
    }
    put(c, slot, t);
}

void timer_init(struct timer *t, struct clock *c, const char *name, void (*fire)(void *),
                void *opaque)
{
    *t = (struct timer){
        .name = name, .fire = fire, .opaque = opaque, .clock = c, .when = TIMER_NEVER, .slot = -1
    };
}

void timer_cancel(struct timer *t)
{
    if (!t->clock || t->slot < 0)
        return; /* a device that never got as far as timer_init is destroyed, too */
    struct clock *c = t->clock;
    unsigned slot = (unsigned)t->slot;
    struct timer *last = c->heap[--c->heap_len];
    t->slot = -1;
    t->when = TIMER_NEVER;
    if (last == t) return;
    if (slot && before(last, c->heap[(slot - 1) / 2]))
        sift_up(c, slot, last);
    else
        sift_down(c, slot, last);
}

void timer_set(struct timer *t, u64 when_ns)
{
    struct clock *c = t->clock;
    timer_cancel(t);
    if (when_ns == TIMER_NEVER) return;
    u64 old = clock_deadline(c);
    if (c->heap_len == c->heap_cap) {
        c->heap_cap = c->heap_cap ? c->heap_cap * 2 : 32;
        c->heap = xrealloc(c->heap, c->heap_cap * sizeof(*c->heap));
    }
    t->when = when_ns;
    t->order = c->next_order++;
    sift_up(c, c->heap_len++, t);
    if (when_ns < old) {
        c->deadline_moved = true;
        if (c->mode == CLOCK_HOST)
            look_near(c);
        else if (c->kick)
            c->kick(c->kick_opaque);
    }
}
