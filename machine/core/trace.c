/* The event ring and its switches (trace.h): the one process-wide state of this file. */
#include "machine/core/trace.h"

#include <pthread.h>

#include "machine/core/clock.h"
#include "machine/core/pattern.h"
#include "machine/core/text.h"

#define RING 65536u

bool trace_on[EV_COUNT];

static const struct {
    const char *name, *component, *fmt;
} events[] = {
#define EVENT(name, component, fmt) { #name, component, fmt },
#include "machine/core/events.def"
#undef EVENT
};

static struct {
    struct entry {
        u64 time, arg[4];
        u32 event;
    } ring[RING];
    u64 count;
    struct clock *clock;
    FILE *out;
    pthread_mutex_t lock; /* of ring and count: executors emit from threads of their own */
} tr = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The table's formats hold only %llx and %llu conversions with four u64 behind them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void print_args(char *s, size_t n, const struct entry *en)
{
    snprintf(s, n, events[en->event].fmt, en->arg[0], en->arg[1], en->arg[2], en->arg[3]);
}
#pragma GCC diagnostic pop

void trace_emit(enum trace_event ev, u64 a, u64 b, u64 c, u64 d)
{
    const struct entry en = { tr.clock ? clock_stamp(tr.clock) : 0, { a, b, c, d }, ev };
    pthread_mutex_lock(&tr.lock);
    tr.ring[tr.count++ % RING] = en;
    pthread_mutex_unlock(&tr.lock);
    if (!tr.out) return;
    char args[160];
    print_args(args, sizeof(args), &en);
    fprintf(tr.out, "%llu %s %s\n", (unsigned long long)en.time, events[ev].name, args);
}

int trace_configure(const char *patterns)
{
    while (*patterns) {
        char word[64];
        size_t n = strcspn(patterns, ",");
        bool on = *patterns != '-', any = false;
        if (n >= sizeof(word)) return -1;
        memcpy(word, patterns, n);
        word[n] = 0;
        for (unsigned k = 0; k < EV_COUNT; k++) {
            if (!pattern_match(word + !on, events[k].name)) continue;
            trace_on[k] = on;
            any = true;
        }
        if (!any) return -1;
        patterns += n + (patterns[n] == ',');
    }
    return 0;
}

void trace_set_clock(struct clock *c)
{
    tr.clock = c;
}

void trace_set_output(FILE *f)
{
    tr.out = f;
}

void trace_dump(struct text *t, unsigned last_n)
{
    pthread_mutex_lock(&tr.lock);
    u64 n = MIN(tr.count, (u64)MIN(last_n, RING));
    for (u64 k = tr.count - n; k < tr.count; k++) {
        const struct entry *en = &tr.ring[k % RING];
        char args[160];
        print_args(args, sizeof(args), en);
        text_add(t, "%llu.%06llu %s %s\n", (unsigned long long)(en->time / NS_PER_SEC),
                 (unsigned long long)(en->time % NS_PER_SEC / 1000), events[en->event].name, args);
    }
    pthread_mutex_unlock(&tr.lock);
}

const char *trace_name(enum trace_event ev)
{
    return ev < EV_COUNT ? events[ev].name : "?";
}
