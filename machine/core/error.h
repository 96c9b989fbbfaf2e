/* Errors that a user can act on: a message with context, passed up to main.c, which prints it.
 * Functions that can fail for a user's or host's reason return 0 or -1 and fill a struct error.
 * Also check() for our own bugs and the allocation helpers that never return NULL. */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include "machine/core/types.h"

struct error {
    char text[512]; /* one line: what, where, what to do */
};

/* Sets the message; returns -1 so that callers can `return error_set(...)`. e may be NULL. */
int error_set(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " in front of the message already there; returns -1. */
int error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Our own bug: prints the condition and the trace ring, then aborts. Never on guest data. */
#define check(cond)                                                                                \
    do {                                                                                           \
        if (unlikely(!(cond))) check_failed(#cond, __FILE__, __LINE__);                            \
    } while (0)
void check_failed(const char *cond, const char *file, int line) __attribute__((noreturn));

/* Zeroed allocation; aborts through check when the host has no memory. */
void *xalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
