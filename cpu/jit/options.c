/* What stands behind `--engine`: jit or lockstep, and options that make the translator's rare cases
 * common or help to find the cause of a difference. jit.h lists them. */
#include "cpu/jit/lockstep.h"
#include "cpu/jit/priv.h"

#include <stdlib.h> /* strtoul */

struct parsed {
    struct jit *j;
    bool lockstep;
    unsigned run;
};

static bool number(struct parsed *p, const char *text, size_t n, bool *ok)
{
    const struct {
        const char *name;
        unsigned *field, low, high;
    } numbers[] = {
        { "hot=", &p->j->hot, 0, 255 },
        { "ops=", &p->j->max_ops, 1, JIT_MAX_OPS },
        { "cache=", &p->j->cache_kib, 128, JIT_CODE / KIB },
        { "run=", p->lockstep ? &p->run : NULL, 0, 100000 },
    };
    for (unsigned k = 0; k < LEN(numbers); k++) {
        size_t len = strlen(numbers[k].name);
        if (!numbers[k].field || n <= len || strncmp(text, numbers[k].name, len)) continue;
        char *end;
        unsigned long v = strtoul(text + len, &end, 10);
        *ok = end == text + n && v >= numbers[k].low && v <= numbers[k].high;
        if (*ok) *numbers[k].field = (unsigned)v;
        return true;
    }
    return false;
}

static bool option(struct parsed *p, const char *text, size_t n)
{
    struct jit *j = p->j;
    const struct {
        const char *text;
        bool *field;
    } flags[] = {
        { "links=off", &j->no_links },
        { "table=off", &j->no_table },
        { "flush=tlb", &j->flush_tlb },
        { "flush=code", &j->flush_code },
        { "perf=on", &j->perf_on },
    };
    bool ok;
    if (number(p, text, n, &ok)) return ok;
    for (unsigned k = 0; k < LEN(flags); k++) {
        if (n == strlen(flags[k].text) && !strncmp(text, flags[k].text, n))
            return *flags[k].field = true;
    }
    return false;
}

static bool is(const char *engine, size_t n, const char *name)
{
    return n == strlen(name) && !strncmp(engine, name, n);
}

bool jit_options(struct cpu *c, const char *engine, struct error *e)
{
    size_t n = strcspn(engine, ",");
    struct jit *j = c->jit;
    struct parsed p = { .j = j, .lockstep = is(engine, n, "lockstep") };
    j->hot = JIT_HOT;
    j->max_ops = JIT_MAX_OPS;
    j->cache_kib = JIT_CODE / KIB;
    if (engine[n] && (is(engine, n, "interp") || is(engine, n, "auto"))) {
        error_set(e, "engine %.*s has no options", (int)n, engine);
        return false;
    }
    if (!p.lockstep && !is(engine, n, "jit")) {
        error_set(e, "engine '%.*s' is unknown: use auto, interp, jit or lockstep", (int)n, engine);
        return false;
    }
    for (const char *text = engine + n; *text; text += n) {
        n = strcspn(++text, ",");
        if (option(&p, text, n)) continue;
        error_set(e,
                  "engine option '%.*s' is unknown or out of range: hot=0-255, ops=1-%d, "
                  "cache=128-%d (KiB), links=off, table=off, flush=tlb, flush=code, perf=on and, of lockstep, "
                  "run=0-100000 are known",
                  (int)n, text, JIT_MAX_OPS, JIT_CODE / (int)KIB);
        return false;
    }
    if (p.lockstep) lockstep_create(c, p.run);
    j->single = p.lockstep && !p.run;
    if (j->single) j->no_links = j->no_table = true;
    return true;
}
