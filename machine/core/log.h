/* Log lines: "time level component: message". Levels per component by pattern (--log
 * ide0=debug,cpu=warn). Rate-limited per call site at warn and debug level, so guest mistakes
 * cannot flood the terminal. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdio.h>

#include "machine/core/types.h"

struct clock;
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_site {
    u32 count; /* lines suppressed or printed from this place */
};

#define LOG(level, component, ...)                                                                 \
    do {                                                                                           \
        if (unlikely(log_enabled(level, component))) {                                             \
            static struct log_site log_site_;                                                      \
            log_write(&log_site_, level, component, __VA_ARGS__);                                  \
        }                                                                                          \
    } while (0)
/* For guest mistakes and accesses to what is not there. */
#define LOG_GUEST(component, ...) LOG(LOG_DEBUG, component, __VA_ARGS__)

bool log_enabled(enum log_level level, const char *component);
void log_write(struct log_site *site, enum log_level level, const char *component, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));
/* "warn", or "comp=level,comp*=level"; returns -1 on a bad level. Default: warn. */
int log_configure(const char *spec);
void log_set_clock(struct clock *c);
void log_set_output(FILE *f); /* default stderr */

#endif
