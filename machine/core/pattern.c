/* Wildcards and edit distance (pattern.h). */
#include "machine/core/pattern.h"

bool pattern_match(const char *p, const char *s)
{
    const char *star = NULL, *from = NULL;
    while (*s) {
        if (*p == '*') {
            star = p++;
            from = s;
        } else if (*p == *s) {
            p++;
            s++;
        } else if (star) {
            p = star + 1;
            s = ++from;
        } else {
            return false;
        }
    }
    while (*p == '*') p++;
    return !*p;
}

unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t na = MIN(strlen(a), 63u), nb = MIN(strlen(b), 63u);
    for (unsigned k = 0; k <= nb; k++) row[k] = k;
    for (unsigned i = 1; i <= na; i++) {
        unsigned diag = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= nb; k++) {
            unsigned best = MIN(MIN(row[k], row[k - 1]) + 1, diag + (a[i - 1] != b[k - 1]));
            diag = row[k];
            row[k] = best;
        }
    }
    return row[nb];
}
