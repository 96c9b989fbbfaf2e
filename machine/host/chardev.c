/* The common part of byte streams: output queue, injected input, polling, and the text form of
 * backends (chardev.h). */
#include "machine/host/chardev.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_CHUNK = 256, POLL_LIMIT = 4096 };

void chardev_init(struct chardev *c, const struct chardev_ops *ops, char *label)
{
    c->ops = ops;
    c->label = label;
    c->out = xalloc(CHARDEV_QUEUE);
}

static size_t null_write(struct chardev *c, const u8 *buf, size_t n)
{
    (void)c;
    (void)buf;
    return n;
}

static size_t null_read(struct chardev *c, u8 *buf, size_t n)
{
    (void)c;
    (void)buf;
    (void)n;
    return 0;
}

static void null_close(struct chardev *c)
{
    (void)c;
}

struct chardev *char_null_open(void)
{
    static const struct chardev_ops ops = { null_write, null_read, null_close };
    struct chardev *c = xalloc(sizeof(*c));
    chardev_init(c, &ops, xstrdup("null"));
    return c;
}

struct chardev *chardev_open(const char *spec, bool server, struct error *e)
{
    if (!strcmp(spec, "null") || !strcmp(spec, "none")) return char_null_open();
    if (!strcmp(spec, "stdio")) return char_stdio_open(e);
    if (!strcmp(spec, "pty")) return char_pty_open(e);
    if (!strncmp(spec, "file:", 5)) return char_file_open(spec + 5, e);
    if (!strncmp(spec, "tcp:", 4)) return char_tcp_open(spec + 4, server, e);
    if (!strncmp(spec, "unix:", 5)) return char_unix_open(spec + 5, server, e);
    error_set(e,
              "'%s' is no character device; there are null, stdio, pty, file:PATH, "
              "tcp:HOST:PORT[,server], "
              "unix:PATH[,server]",
              spec);
    return NULL;
}

static void flush(struct chardev *c)
{
    while (c->out_len) {
        size_t n = MIN(c->out_len, CHARDEV_QUEUE - c->out_head);
        size_t sent = c->ops->write(c, c->out + c->out_head, n);
        c->out_head = (c->out_head + sent) % CHARDEV_QUEUE;
        c->out_len -= sent;
        if (sent < n) return;
    }
}

void chardev_close(struct chardev *c)
{
    if (!c) return;
    flush(c);
    c->ops->close(c);
    free(c->label);
    free(c->out);
    free(c->in);
    free(c);
}

const char *chardev_label(const struct chardev *c)
{
    return c->label;
}

void chardev_set_receiver(struct chardev *c, size_t (*can_recv)(void *),
                          void (*recv)(void *, const u8 *, size_t), void *opaque)
{
    c->can_recv = can_recv;
    c->recv = recv;
    c->opaque = opaque;
}

void chardev_set_tap(struct chardev *c, void (*tap)(void *, const u8 *, size_t), void *opaque)
{
    c->tap = tap;
    c->tap_opaque = opaque;
}

void chardev_set_escape(struct chardev *c, void (*escape)(void *, int), void *opaque)
{
    c->escape = escape;
    c->escape_opaque = opaque;
}

bool chardev_can_write(const struct chardev *c)
{
    return c->out_len < CHARDEV_QUEUE;
}

size_t chardev_write(struct chardev *c, const void *buf, size_t n)
{
    const u8 *p = buf;
    n = MIN(n, CHARDEV_QUEUE - c->out_len);
    for (size_t i = 0; i < n; i++) c->out[(c->out_head + c->out_len + i) % CHARDEV_QUEUE] = p[i];
    c->out_len += n;
    if (c->tap && n) c->tap(c->tap_opaque, p, n);
    /* A system call per guest byte would be slow: whole lines and half-full queues go at once, the
     * rest by poll. */
    if (c->out_len >= CHARDEV_QUEUE / 2 || (n && p[n - 1] == '\n')) flush(c);
    return n;
}

void chardev_inject(struct chardev *c, const void *buf, size_t n)
{
    if (!n) return;
    c->in = xrealloc(c->in, c->in_len + n);
    memcpy(c->in + c->in_len, buf, n);
    c->in_len += n;
}

static size_t take_injected(struct chardev *c, u8 *buf, size_t n)
{
    n = MIN(n, c->in_len);
    if (!n) return 0;
    memcpy(buf, c->in, n);
    c->in_len -= n;
    memmove(c->in, c->in + n, c->in_len);
    return n;
}

void chardev_poll(struct chardev *c)
{
    flush(c);
    if (!c->recv) return;
    for (size_t total = 0; total < POLL_LIMIT;) {
        u8 buf[POLL_CHUNK];
        size_t room = MIN(c->can_recv(c->opaque), sizeof(buf));
        if (!room) return;
        size_t n = take_injected(c, buf, room);
        if (!n) n = c->ops->read(c, buf, room);
        if (!n) return;
        c->recv(c->opaque, buf, n);
        total += n;
    }
}
