/* Devices by their tables: options from text, backends, wires, creation and destruction (device.h).
 */
#include "machine/core/device.h"

#include <errno.h>
#include <stdlib.h>

static void *field(struct device *d, u32 offset)
{
    return (char *)d + offset;
}

static const struct device_option *find_option(const struct device *d, const char *name)
{
    for (const struct device_option *o = d->cls->options; o && o->name; o++) {
        if (!strcmp(o->name, name)) return o;
    }
    return NULL;
}

static int parse_bool(const char *s, bool *v)
{
    static const char *const yes[] = { "on", "yes", "true", "1" }, *const no[] = { "off", "no",
                                                                                   "false", "0" };
    for (unsigned k = 0; k < LEN(yes); k++) {
        if (!strcmp(s, yes[k])) return *v = true, 0;
        if (!strcmp(s, no[k])) return *v = false, 0;
    }
    return -1;
}

int device_set_option(struct device *d, const char *name, const char *value, struct error *e)
{
    const struct device_option *o = find_option(d, name);
    if (!o || o->type == OPT_PTR) {
        return error_set(e, "%s (%s) has no option '%s'; --help %s lists them", d->name,
                         d->cls->name, name, d->cls->name);
    }
    void *p = field(d, o->offset);
    if (o->type == OPT_STR) {
        free(*(char **)p);
        *(char **)p = xstrdup(value);
        return 0;
    }
    if (o->type == OPT_BOOL) {
        if (!parse_bool(value, p)) return 0;
        return error_set(e, "%s.%s: '%s' is neither on nor off", d->name, name, value);
    }
    char *end;
    errno = 0;
    unsigned long long v = strtoull(value, &end, 0);
    if (errno || end == value || *end || (o->type == OPT_U32 && v > UINT32_MAX)) {
        return error_set(e, "%s.%s: '%s' is not a number in range", d->name, name, value);
    }
    if (o->type == OPT_U32)
        *(u32 *)p = (u32)v;
    else
        *(u64 *)p = v;
    return 0;
}

int device_set_ptr(struct device *d, const char *name, void *ptr)
{
    const struct device_option *o = find_option(d, name);
    if (!o || o->type != OPT_PTR) return -1;
    *(void **)field(d, o->offset) = ptr;
    return 0;
}

int device_connect(struct device *d, const char *output, unsigned index, struct irq to)
{
    for (const struct device_wire *w = d->cls->outputs; w && w->name; w++) {
        if (strcmp(w->name, output) || index >= w->count) continue;
        ((struct irq *)field(d, w->offset))[index] = to;
        return 0;
    }
    return -1;
}

struct device *device_create(const struct device_class *cls, const char *name, struct host_if *host)
{
    struct device *d = xalloc(cls->size);
    d->cls = cls;
    d->name = name;
    d->host = host;
    for (const struct device_option *o = cls->options; o && o->name; o++) {
        if (o->deflt && o->type != OPT_PTR)
            check(device_set_option(d, o->name, o->deflt, NULL) == 0);
    }
    return d;
}

int device_init(struct device *d, struct error *e)
{
    if (d->cls->init && d->cls->init(d, e)) return error_prefix(e, "%s", d->name);
    return 0;
}

void device_destroy(struct device *d)
{
    if (d->cls->fini) d->cls->fini(d);
    for (const struct device_option *o = d->cls->options; o && o->name; o++) {
        if (o->type == OPT_STR) free(*(char **)field(d, o->offset));
    }
    free(d);
}
