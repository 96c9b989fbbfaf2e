/* A growable text sink: what `info` commands, help pages and JSON answers are written into. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "machine/core/types.h"

struct text {
    char *s; /* NUL-terminated once anything was written; owned by the text */
    size_t len, cap;
};

void text_init(struct text *t);
void text_free(struct text *t);
void text_clear(struct text *t);
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_addn(struct text *t, const char *s, size_t n);

#endif
