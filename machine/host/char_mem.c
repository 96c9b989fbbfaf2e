/* A byte stream that keeps its output in memory, for tests and the monitor's own use (chardev.h).
 */
#include "machine/host/chardev.h"

#include "machine/core/text.h"

struct char_mem {
    struct chardev chr;
    struct text out;
};

static size_t mem_write(struct chardev *c, const u8 *buf, size_t n)
{
    text_addn(&((struct char_mem *)c)->out, (const char *)buf, n);
    return n;
}

static size_t mem_read(struct chardev *c, u8 *buf, size_t n)
{
    (void)c;
    (void)buf;
    (void)n;
    return 0;
}

static void mem_close(struct chardev *c)
{
    text_free(&((struct char_mem *)c)->out);
}

struct chardev *char_mem_open(void)
{
    static const struct chardev_ops ops = { mem_write, mem_read, mem_close };
    struct char_mem *m = xalloc(sizeof(*m));
    text_init(&m->out);
    chardev_init(&m->chr, &ops, xstrdup("memory"));
    return &m->chr;
}

/* What was polled out; bytes still in the queue come with the next chardev_poll. */
const char *char_mem_output(const struct chardev *c)
{
    const struct char_mem *m = (const struct char_mem *)c;
    return m->out.s ? m->out.s : "";
}

size_t char_mem_len(const struct chardev *c)
{
    return ((const struct char_mem *)c)->out.len;
}
