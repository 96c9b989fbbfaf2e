/* Log lines and their levels (log.h). The switches below are the one process-wide state of this
 * file. */
#include "machine/core/log.h"

#include <stdarg.h>
#include <stdlib.h>

#include "machine/core/clock.h"
#include "machine/core/pattern.h"

#define MAX_RULES 32
#define SITE_LIMIT 100 /* debug lines per call site before only every 1000th is shown */

static struct {
    enum log_level level;
    struct {
        char pattern[32];
        enum log_level level;
    } rules[MAX_RULES];
    unsigned nrules;
    struct clock *clock;
    FILE *out;
} lg = { .level = LOG_WARN };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

bool log_enabled(enum log_level level, const char *component)
{
    if (lg.nrules) {
        for (unsigned k = lg.nrules; k-- > 0;) {
            if (pattern_match(lg.rules[k].pattern, component)) return level <= lg.rules[k].level;
        }
    }
    return level <= lg.level;
}

void log_write(struct log_site *site, enum log_level level, const char *component, const char *fmt,
               ...)
{
    u32 n = __atomic_add_fetch(&site->count, 1, __ATOMIC_RELAXED);
    bool limited = level == LOG_DEBUG || level == LOG_WARN; /* what a guest can cause */
    if (limited && n > SITE_LIMIT && n % 1000) return;
    FILE *f = lg.out ? lg.out : stderr;
    u64 now = lg.clock ? clock_stamp(lg.clock) : 0;
    flockfile(f); /* threads beside the machine's have something to say, too */
    fprintf(f, "%5llu.%06llu %s %s: ", (unsigned long long)(now / NS_PER_SEC),
            (unsigned long long)(now % NS_PER_SEC / 1000), level_names[level], component);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fputs(limited && n == SITE_LIMIT ? " (further lines like this: one in 1000)\n" : "\n", f);
    fflush(f);
    funlockfile(f);
}

static int parse_level(const char *s, size_t n, enum log_level *out)
{
    for (unsigned k = 0; k < LEN(level_names); k++) {
        if (strlen(level_names[k]) == n && !memcmp(s, level_names[k], n))
            return *out = (enum log_level)k, 0;
    }
    return -1;
}

int log_configure(const char *spec)
{
    while (*spec) {
        size_t n = strcspn(spec, ",");
        const char *eq = memchr(spec, '=', n);
        enum log_level level;
        const char *word = eq ? eq + 1 : spec;
        if (parse_level(word, n - (size_t)(word - spec), &level)) return -1;
        if (!eq) {
            lg.level = level;
        } else {
            size_t len = (size_t)(eq - spec);
            if (lg.nrules == MAX_RULES || !len || len >= sizeof(lg.rules[0].pattern)) return -1;
            memcpy(lg.rules[lg.nrules].pattern, spec, len);
            lg.rules[lg.nrules].pattern[len] = 0;
            lg.rules[lg.nrules++].level = level;
        }
        spec += n + (spec[n] == ',');
    }
    return 0;
}

void log_set_clock(struct clock *c)
{
    lg.clock = c;
}

void log_set_output(FILE *f)
{
    lg.out = f;
}
