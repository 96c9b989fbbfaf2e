/* Trace events: rows in events.def {name, component, format of up to four numbers}.
 * TRACE(pci_cfg_write, bdf, reg, value, 0) is compiled in everywhere and costs one load and branch
 * while off. Enabled events go into a ring of 65,536 entries (dumped by check(), triple fault and
 * the monitor) and, when a sink is set, to a file as text. */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdio.h>

#include "machine/core/types.h"

struct clock;
struct text;

enum trace_event {
#define EVENT(name, component, fmt) EV_##name,
#include "machine/core/events.def"
#undef EVENT
    EV_COUNT
};

extern bool trace_on[EV_COUNT];

/* Four u64 arguments exactly; pad with 0. */
#define TRACE(name, a, b, c, d)                                                                    \
    do {                                                                                           \
        if (unlikely(trace_on[EV_##name]))                                                         \
            trace_emit(EV_##name, (u64)(a), (u64)(b), (u64)(c), (u64)(d));                         \
    } while (0)

/* The same with a text behind the numbers, of which the first 255 characters are kept. Whoever has
 * to make the text first asks trace_on himself. */
#define TRACE_TEXT(name, a, b, c, d, text)                                                         \
    do {                                                                                           \
        if (unlikely(trace_on[EV_##name]))                                                         \
            trace_emit_text(EV_##name, (u64)(a), (u64)(b), (u64)(c), (u64)(d), text);              \
    } while (0)

void trace_emit_text(enum trace_event ev, u64 a, u64 b, u64 c, u64 d, const char *text);
void trace_emit(enum trace_event ev, u64 a, u64 b, u64 c, u64 d);
/* Comma-separated patterns with '*'; "-pattern" switches off. Returns -1 if a pattern matches
 * nothing. */
int trace_configure(const char *patterns);
void trace_set_clock(struct clock *c);
void trace_set_output(FILE *f); /* NULL: ring only */
void trace_dump(struct text *t, unsigned last_n);
const char *trace_name(enum trace_event ev);

#endif
