/* JSON as the control socket needs it: a writer for strings, and a reader for one flat object of
 * strings and numbers. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "machine/core/text.h"
#include "machine/core/types.h"

/* Appends s as a quoted JSON string. Bytes that are not UTF-8 text are escaped as Latin-1. */
void json_string(struct text *t, const char *s, size_t n);
/* The value of key in the object `line`, unescaped into buf (numbers and words as they stand).
 * Returns false when the key is absent, the object is malformed or the value too long. Nested
 * values are not looked into. */
bool json_get(const char *line, const char *key, char *buf, size_t len);

#endif
