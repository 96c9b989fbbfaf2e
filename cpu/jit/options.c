/* The options behind `--engine jit`: for tests that make the translator's rare cases common, and
 * for looking for the cause of a difference. jit.h lists them. */
#include "cpu/jit/priv.h"

#include <stdlib.h> /* strtoul */

static bool parse_option(struct jit *j, const char *text, size_t n)
{
    static const struct {
        const char *name;
        u32 offset, low, high;
    } numbers[] = {
        { "hot=", offsetof(struct jit, hot), 0, 255 },
        { "ops=", offsetof(struct jit, max_ops), 1, JIT_MAX_OPS },
        { "cache=", offsetof(struct jit, cache_kib), 128, JIT_CODE / KIB },
    };
    for (unsigned k = 0; k < LEN(numbers); k++) {
        size_t len = strlen(numbers[k].name);
        if (n <= len || strncmp(text, numbers[k].name, len)) continue;
        char *end;
        unsigned long v = strtoul(text + len, &end, 10);
        if (end != text + n || v < numbers[k].low || v > numbers[k].high) return false;
        *(unsigned *)((u8 *)j + numbers[k].offset) = (unsigned)v;
        return true;
    }
    if (n == 9 && !strncmp(text, "links=off", n)) return j->no_links = true;
    if (n == 9 && !strncmp(text, "table=off", n)) return j->no_table = true;
    if (n == 7 && !strncmp(text, "perf=on", n)) return j->perf_on = true;
    return false;
}

bool jit_options(struct jit *j, const char *engine, struct error *e)
{
    size_t n = strcspn(engine, ",");
    j->hot = JIT_HOT;
    j->max_ops = JIT_MAX_OPS;
    j->cache_kib = JIT_CODE / KIB;
    if (n != 3 || strncmp(engine, "jit", 3)) {
        error_set(e, "engine '%.*s' is unknown: use interp or jit", (int)n, engine);
        return false;
    }
    for (const char *text = engine + n; *text; text += n) {
        n = strcspn(++text, ",");
        if (parse_option(j, text, n)) continue;
        error_set(e,
                  "engine option '%.*s' is unknown or out of range: hot=0-255, ops=1-%d, "
                  "cache=128-%d (KiB), links=off, "
                  "table=off and perf=on are known",
                  (int)n, text, JIT_MAX_OPS, JIT_CODE / (int)KIB);
        return false;
    }
    return true;
}
