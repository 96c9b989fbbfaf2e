/* Error messages, check() and the allocators of error.h. */
#include "machine/core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/core/text.h"
#include "machine/core/trace.h"

int error_set(struct error *e, const char *fmt, ...)
{
    if (!e) return -1;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return -1;
}

int error_prefix(struct error *e, const char *fmt, ...)
{
    if (!e) return -1;
    char head[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(head, sizeof(head) - 2, fmt, ap);
    va_end(ap);
    size_t n = strlen(head);
    memcpy(head + n, ": ", 2);
    n += 2;
    memmove(e->text + n, e->text, sizeof(e->text) - n);
    memcpy(e->text, head, n);
    e->text[sizeof(e->text) - 1] = 0;
    return -1;
}

void check_failed(const char *cond, const char *file, int line)
{
    struct text t;
    text_init(&t);
    trace_dump(&t, 64);
    fprintf(stderr, "%saeropc: internal error: %s does not hold (%s:%d)\n", t.s ? t.s : "", cond,
            file, line);
    abort();
}

void *xalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    check(p != NULL);
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    check(p != NULL);
    return p;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(xalloc(n), s, n);
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    check(n >= 0);
    char *s = xalloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}
