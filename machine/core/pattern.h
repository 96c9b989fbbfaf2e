/* Name patterns of --log and --trace, and the nearest known name for a mistyped one. */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include "machine/core/types.h"

/* '*' matches any run of characters. */
bool pattern_match(const char *pattern, const char *s);
/* Edit distance, capped at 63 characters of each word. */
unsigned edit_distance(const char *a, const char *b);

#endif
