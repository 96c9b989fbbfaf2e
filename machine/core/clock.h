/* Virtual time in nanoseconds since power-on, and timers on it. Every time source of the guest
 * (PIT, RTC, PM timer, HPET, TSC, APIC timer) derives from clock_now().
 *
 * CLOCK_HOST: follows the host's monotonic clock, stands still while the machine is paused; a stall
 * of the process longer than 100 ms is swallowed, and so is what would carry it 0.2 ms past a timer
 * that has not fired yet: on a host that is too slow all of the guest's clocks slow down together.
 * CLOCK_INSN: retired instructions times ns_per_insn_q16/65536, plus jumps over idle time to the
 * next deadline. Deadlines are absolute. Periodic chips add their period to the last deadline, so
 * nothing drifts. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include "machine/core/types.h"

enum clock_mode { CLOCK_HOST, CLOCK_INSN, CLOCK_MANUAL /* tests: time moves by clock_advance */ };
#define TIMER_NEVER UINT64_MAX

struct timer {
    const char *name;
    void (*fire)(void *opaque);
    void *opaque;
    struct clock *clock;
    u64 when;  /* deadline in ns; TIMER_NEVER when not armed */
    u64 order; /* ties fire in the order in which they were set: deterministic */
    int slot;  /* place in the heap, -1 when not armed */
};

struct clock {
    enum clock_mode mode;
    u64 now;              /* MANUAL; last value handed out otherwise */
    u64 host_base;        /* HOST: virtual = host monotonic - host_base */
    bool running;         /* HOST: paused clocks stand still */
    u64 (*insns)(void *); /* INSN: instructions retired so far, exact inside a slice too */
    void *insns_opaque;
    u64 ns_per_insn_q16; /* INSN: 16.16 fixed point */
    u64 idle_ns;         /* INSN: time skipped while idle */
    struct timer **heap;
    unsigned heap_len, heap_cap;
    u64 next_order;
    u64 limit;     /* HOST: virtual time does not pass this until it is moved */
    bool near;     /* HOST: a deadline comes before the limit: whoever polls should look at
                      the clock now and then */
    bool in_slice; /* HOST: set by the run loop: `kick` ends the slice for a timer that is due */
    u64 lag;       /* HOST: time held back so far, given back by clock_catch_up */
    u64 wall_base; /* seconds since 1970 at virtual time 0 */
    bool deadline_moved; /* set by timer_set when the earliest deadline became earlier; the run loop
                            clears it */
    void (*kick)(void *); /* ends the slice of a running CPU; may be NULL. INSN: when the earliest
                             deadline became earlier; HOST: when somebody sees that one is over */
    void *kick_opaque;
};

/* The host's monotonic clock in ns: for deadlines that people wait for (polling, monitor waits,
 * frames), never for the guest. */
u64 clock_host_ns(void);
void clock_init(struct clock *c, enum clock_mode mode);
void clock_fini(struct clock *c);
u64 clock_now(struct clock *c);
/* The clock is the machine thread's alone. A thread beside it says once, or now and then, at what
 * virtual time it works; log lines and trace events of it carry that time. */
void clock_stamp_thread(u64 now_ns);
u64 clock_stamp(struct clock *c); /* any thread: that time, or clock_now() */
void clock_pause(struct clock *c);
void clock_resume(struct clock *c);
/* HOST: the guest must not see more time pass than its CPU got instructions for: the run loop sets
 * a limit before each slice (UINT64_MAX: none). Time held back is given back while the guest is
 * idle: clock_catch_up jumps towards until_ns. */
void clock_set_limit(struct clock *c, u64 when_ns);
/* HOST: a slice begins that may last until limit_ns; it ended. Between the two clock_now() kicks
 * when it finds that a timer is due, because a guest that polls would see its device late. */
void clock_begin_slice(struct clock *c, u64 limit_ns);
void clock_end_slice(struct clock *c);
void clock_catch_up(struct clock *c, u64 until_ns);
/* MANUAL: runs every timer due on the way. INSN: skips idle time (never past the next deadline). */
void clock_advance(struct clock *c, u64 ns);
u64 clock_deadline(const struct clock *c); /* earliest armed deadline or TIMER_NEVER */
/* Fires timers due at clock_now(); at most `max` callbacks (bounded work); returns how many. */
unsigned clock_run_due(struct clock *c, unsigned max);
/* Seconds and nanoseconds since 1970-01-01 UTC in virtual time: the RTC alone uses it. INSN mode
 * starts at a fixed date. */
void clock_wall(struct clock *c, u64 *sec, u32 *nsec);

void timer_init(struct timer *t, struct clock *c, const char *name, void (*fire)(void *),
                void *opaque);
void timer_set(struct timer *t, u64 when_ns);
void timer_cancel(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
    return t->slot >= 0;
}

#endif
