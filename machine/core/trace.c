/* The event ring and its switches (trace.h): the one process-wide state of this file. */
#include "machine/core/trace.h"

#include <pthread.h>

#include "machine/core/clock.h"
#include "machine/core/pattern.h"
#include "machine/core/text.h"

#define RING 65536u
#define TEXT_RING (1u << 20)
#define MAX_TEXT 255u

bool trace_on[EV_COUNT];

static const struct {
    const char *name, *component, *fmt;
} events[] = {
#define EVENT(name, component, fmt) { #name, component, fmt },
#include "machine/core/events.def"
#undef EVENT
};

/* Texts have a ring of their own; one is there as long as fewer bytes than the ring has followed.
 */
static struct {
    struct entry {
        u64 time, arg[4], text_at;
        u32 event, text_len;
    } ring[RING];
    char text[TEXT_RING];
    u64 count, text_count;
    struct clock *clock;
    FILE *out;
    pthread_mutex_t lock; /* of rings and counts: executors emit from threads of their own */
} tr = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The table's formats hold only %llx and %llu conversions with four u64 behind them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void print_args(char *s, size_t n, const struct entry *en)
{
    snprintf(s, n, events[en->event].fmt, en->arg[0], en->arg[1], en->arg[2], en->arg[3]);
}
#pragma GCC diagnostic pop

/* Under the lock. */
static void keep_text(struct entry *en, const char *text)
{
    en->text_at = tr.text_count;
    en->text_len = (u32)strnlen(text, MAX_TEXT);
    for (u32 k = 0; k < en->text_len; k++) tr.text[tr.text_count++ % TEXT_RING] = text[k];
}

static void add_text(struct text *t, const struct entry *en)
{
    if (!en->text_len) return;
    if (tr.text_count - en->text_at > TEXT_RING) {
        text_add(t, " (its text is gone)");
        return;
    }
    text_addn(t, " ", 1);
    for (u32 k = 0; k < en->text_len; k++) text_addn(t, &tr.text[(en->text_at + k) % TEXT_RING], 1);
}

void trace_emit_text(enum trace_event ev, u64 a, u64 b, u64 c, u64 d, const char *text)
{
    struct entry en = { tr.clock ? clock_stamp(tr.clock) : 0, { a, b, c, d }, 0, ev, 0 };
    pthread_mutex_lock(&tr.lock);
    if (text) keep_text(&en, text);
    tr.ring[tr.count++ % RING] = en;
    pthread_mutex_unlock(&tr.lock);
    if (!tr.out) return;
    char args[160];
    print_args(args, sizeof(args), &en);
    fprintf(tr.out, "%llu %s %s%s%.*s\n", (unsigned long long)en.time, events[ev].name, args,
            text ? " " : "", (int)en.text_len, text ? text : "");
}

void trace_emit(enum trace_event ev, u64 a, u64 b, u64 c, u64 d)
{
    trace_emit_text(ev, a, b, c, d, NULL);
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
        text_add(t, "%llu.%06llu %s %s", (unsigned long long)(en->time / NS_PER_SEC),
                 (unsigned long long)(en->time % NS_PER_SEC / 1000), events[en->event].name, args);
        add_text(t, en);
        text_addn(t, "\n", 1);
    }
    pthread_mutex_unlock(&tr.lock);
}

const char *trace_name(enum trace_event ev)
{
    return ev < EV_COUNT ? events[ev].name : "?";
}
