/* Growable text (text.h). */
#include "machine/core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/core/error.h"

void text_init(struct text *t)
{
    memset(t, 0, sizeof(*t));
}

void text_free(struct text *t)
{
    free(t->s);
    text_init(t);
}

void text_clear(struct text *t)
{
    t->len = 0;
    if (t->s) t->s[0] = 0;
}

static void reserve(struct text *t, size_t more)
{
    if (t->len + more + 1 <= t->cap) return;
    t->cap = MAX(t->cap * 2, t->len + more + 64);
    t->s = xrealloc(t->s, t->cap);
}

void text_addn(struct text *t, const char *s, size_t n)
{
    reserve(t, n);
    if (n) memcpy(t->s + t->len, s, n); /* s may be NULL then */
    t->len += n;
    t->s[t->len] = 0;
}

void text_add(struct text *t, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < (int)sizeof(small)) {
        text_addn(t, small, (size_t)n);
        return;
    }
    reserve(t, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(t->s + t->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    t->len += (size_t)n;
}
