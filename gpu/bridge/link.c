/* The bridge's socket thread (link.h).
 *
 * One lock guards the queue of messages and the list of events. It is held while a piece of a
 * message is handed to the kernel, never while waiting. The client is not trusted: its messages
 * have fixed bounds, a number of unread events stops the reading (the kernel's buffer then stops
 * the client), and what is malformed ends the connection. Only processes of the same user, or root,
 * are served. */
#include "gpu/bridge/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gpu/aerogpu_abi.h"
#include "machine/core/clock.h" /* clock_host_ns */

enum {
    MAX_EVENTS = 1024,            /* unread; then the client has to wait */
    MAX_QUEUED_BYTES = 128 << 20, /* ring.md: copied bytes */
    PIECE = 256 << 10,            /* sent at once, with the lock held */
    MAX_MESSAGE =
        sizeof(struct bridge_complete) + BRIDGE_MAX_WRITTEN * sizeof(struct bridge_written),
};
#define HELLO_NS (5 * NS_PER_SEC) /* host time within which a client introduces itself */

struct out {
    struct out *next;
    u8 *bytes;
    u32 size, sent;
};

struct link {
    char *path;
    const struct guest_ram *ram;
    void (*arrived)(void *opaque);
    void *opaque;
    int listener, wake;
    pthread_t thread;
    pthread_mutex_t lock;
    /* under the lock */
    bool stop;
    u32 client;  /* number of the connection, 0: none that has introduced itself */
    u32 dropped; /* connections up to this one are to be ended */
    struct out *out_first, *out_last;
    u64 out_bytes;
    struct link_event *events, **events_end;
    u32 event_count;
    /* the thread's own */
    int peer; /* -1: none */
    u32 connections;
    u64 hello_by; /* host time; 0: it did */
    u32 fill;
    _Alignas(8) u8 in[MAX_MESSAGE]; /* a message starts at its start */
};

/* ---- queues ---- */

static void wake(struct link *l)
{
    u64 one = 1;
    ssize_t n = write(l->wake, &one, sizeof(one));
    (void)n; /* full: it is awake */
}

static void free_out(struct out *o)
{
    free(o->bytes);
    free(o);
}

static void clear_out(struct link *l)
{
    while (l->out_first) {
        struct out *o = l->out_first;
        l->out_first = o->next;
        free_out(o);
    }
    l->out_last = NULL;
    l->out_bytes = 0;
}

static void append(struct link *l, void *message, u32 size)
{
    struct out *o = xalloc(sizeof(*o));
    o->bytes = message;
    o->size = size;
    if (l->out_last)
        l->out_last->next = o;
    else
        l->out_first = o;
    l->out_last = o;
    l->out_bytes += size;
}

bool link_send(struct link *l, u32 client, void *message)
{
    u32 size = ((const struct bridge_header *)message)->size;
    pthread_mutex_lock(&l->lock);
    bool ok = client && client == l->client && l->out_bytes + size <= MAX_QUEUED_BYTES;
    if (ok) append(l, message, size);
    pthread_mutex_unlock(&l->lock);
    if (!ok)
        free(message);
    else
        wake(l);
    return ok;
}

void link_send_instead(struct link *l, u32 client, void *message)
{
    pthread_mutex_lock(&l->lock);
    bool ok = client && client == l->client;
    if (ok) {
        struct out *begun = l->out_first && l->out_first->sent ? l->out_first : NULL;
        if (begun) l->out_first = begun->next;
        clear_out(l);
        if (begun) {
            begun->next = NULL;
            l->out_first = l->out_last = begun;
            l->out_bytes = begun->size;
        }
        append(l, message, ((const struct bridge_header *)message)->size);
    }
    pthread_mutex_unlock(&l->lock);
    if (!ok)
        free(message);
    else
        wake(l);
}

void link_drop(struct link *l, u32 client)
{
    pthread_mutex_lock(&l->lock);
    l->dropped = MAX(l->dropped, client);
    if (l->client == client) {
        l->client = 0;
        clear_out(l);
    }
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

static void add_event(struct link *l, struct link_event *e)
{
    e->client = l->connections;
    pthread_mutex_lock(&l->lock);
    bool first = !l->events;
    *l->events_end = e;
    l->events_end = &e->next;
    l->event_count++;
    if (e->kind == LINK_CONNECTED) l->client = e->client;
    if (e->kind == LINK_GONE) {
        l->client = 0;
        clear_out(l);
    }
    pthread_mutex_unlock(&l->lock);
    if (first) l->arrived(l->opaque);
}

struct link_event *link_take(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    struct link_event *e = l->events;
    bool was_full = l->event_count >= MAX_EVENTS;
    l->events = NULL;
    l->events_end = &l->events;
    l->event_count = 0;
    pthread_mutex_unlock(&l->lock);
    if (was_full) wake(l);
    return e;
}

void link_event_free(struct link_event *e)
{
    free(e->ranges);
    free(e);
}

/* ---- the connection, on the thread ---- */

/* why NULL: the machine thread wanted it and knows. */
static void hang_up(struct link *l, const char *why)
{
    if (l->peer < 0) return;
    bool known = !l->hello_by;
    close(l->peer);
    l->peer = -1;
    l->fill = 0;
    if (!known && !why) return;
    struct link_event *e = xalloc(sizeof(*e));
    e->kind = LINK_GONE;
    e->why = why;
    add_event(l, e);
}

static bool trusted(int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);
    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) &&
           (who.uid == geteuid() || !who.uid);
}

/* The first message, with the descriptor of guest RAM. A fresh socket has room for it. */
static bool send_hello(struct link *l, int fd)
{
    const struct guest_ram *r = l->ram;
    const bool high = r->size > r->low_size;
    const struct bridge_hello hello = {
        { BRIDGE_HELLO, sizeof(hello) },
        BRIDGE_MAGIC,
        BRIDGE_VERSION,
        AGPU_ABI_VERSION,
        1 + high,
        { { 0, r->low_size, 0 },
          { high ? 4 * GIB : 0, r->size - r->low_size, high ? r->low_size : 0 } },
    };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec iov = { (void *)(uintptr_t)&hello, sizeof(hello) };
    struct msghdr m = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &r->fd, sizeof(int));
    return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(hello);
}

static void accept_client(struct link *l)
{
    int fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (l->peer >= 0 || !trusted(fd) || !send_hello(l, fd)) {
        close(fd);
        return;
    }
    l->peer = fd;
    l->connections++;
    l->hello_by = clock_host_ns() + HELLO_NS;
}

static const char *take_hello(struct link *l, const struct bridge_client_hello *h)
{
    if (!l->hello_by) return "a second CLIENT_HELLO";
    if (h->magic != BRIDGE_MAGIC) return "not a client";
    if (h->version >> 16 != BRIDGE_VERSION >> 16) return "another version of the protocol";
    struct link_event *e = xalloc(sizeof(*e));
    e->kind = LINK_CONNECTED;
    memcpy(e->name, h->name, sizeof(e->name) - 1);
    for (char *s = e->name; *s; s++) {
        if (*s < 32 || *s > 126) *s = '?';
    }
    l->hello_by = 0;
    add_event(l, e);
    return NULL;
}

static const char *take_complete(struct link *l, const struct bridge_complete *c)
{
    if (l->hello_by) return "no CLIENT_HELLO before the first message";
    if (c->range_count > BRIDGE_MAX_WRITTEN ||
        c->h.size != sizeof(*c) + c->range_count * sizeof(struct bridge_written))
        return "a COMPLETE of a wrong size";
    struct link_event *e = xalloc(sizeof(*e));
    e->kind = LINK_COMPLETE;
    e->ticket = c->ticket;
    e->error = c->error;
    e->range_count = c->range_count;
    if (c->range_count) {
        size_t size = c->range_count * sizeof(*e->ranges);
        e->ranges = xalloc(size);
        memcpy(e->ranges, c + 1, size);
    }
    add_event(l, e);
    return NULL;
}

/* Takes the message at the start of the buffer, if it is complete; its size, or 0. */
static u32 take_message(struct link *l, const char **why)
{
    struct bridge_header h;
    if (l->fill < sizeof(h)) return 0;
    memcpy(&h, l->in, sizeof(h));
    *why = "a message of a wrong size";
    if (h.size < sizeof(h) || h.size > MAX_MESSAGE) return 0;
    if (h.type == BRIDGE_CLIENT_HELLO) {
        if (h.size != sizeof(struct bridge_client_hello)) return 0;
    } else if (h.type != BRIDGE_COMPLETE) {
        *why = "an unknown message";
        return 0;
    } else if (h.size < sizeof(struct bridge_complete)) {
        return 0;
    }
    *why = NULL;
    if (l->fill < h.size) return 0;
    *why = h.type == BRIDGE_COMPLETE ? take_complete(l, (const struct bridge_complete *)l->in)
                                     : take_hello(l, (const struct bridge_client_hello *)l->in);
    return *why ? 0 : h.size;
}

static void receive(struct link *l)
{
    const char *why = NULL;
    ssize_t n = recv(l->peer, l->in + l->fill, sizeof(l->in) - l->fill, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        hang_up(l, "it hung up");
        return;
    }
    l->fill += (u32)n;
    for (u32 size; (size = take_message(l, &why));) {
        l->fill -= size;
        memmove(l->in, l->in + size, l->fill);
    }
    if (why) hang_up(l, why);
}

static void send_some(struct link *l)
{
    bool broken = false;
    pthread_mutex_lock(&l->lock);
    struct out *o = l->out_first;
    if (o) {
        size_t n = MIN(o->size - o->sent, (u32)PIECE);
        ssize_t w = send(l->peer, o->bytes + o->sent, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        broken = w < 0 && errno != EAGAIN && errno != EINTR;
        if (w > 0) o->sent += (u32)w;
        if (o->sent == o->size) {
            l->out_first = o->next;
            if (!l->out_first) l->out_last = NULL;
            l->out_bytes -= o->size;
            free_out(o);
        }
    }
    pthread_mutex_unlock(&l->lock);
    if (broken) hang_up(l, "it hung up");
}

/* ---- the thread ---- */

struct wanted {
    bool stop, drop, in, out;
};

static struct wanted look(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    struct wanted w = { l->stop, l->connections && l->dropped >= l->connections,
                        l->event_count < MAX_EVENTS, l->out_first != NULL };
    pthread_mutex_unlock(&l->lock);
    return w;
}

static void *run(void *opaque)
{
    struct link *l = opaque;
    for (;;) {
        struct wanted w = look(l);
        if (w.stop) return NULL;
        if (w.drop) hang_up(l, NULL);
        u64 now = clock_host_ns();
        if (l->peer >= 0 && l->hello_by && now >= l->hello_by)
            hang_up(l, "no CLIENT_HELLO within 5 s");
        /* Without room for events it is only written to; should it hang up, sending tells. */
        short events = (short)((w.in ? POLLIN : 0) | (w.out && !l->hello_by ? POLLOUT : 0));
        struct pollfd p[3] = {
            { l->wake, POLLIN, 0 },
            { l->listener, POLLIN, 0 },
            { events ? l->peer : -1, events, 0 }, /* a negative one is ignored */
        };
        if (poll(p, 3, l->peer >= 0 && l->hello_by ? 100 : -1) < 0) continue;
        u64 count;
        if (p[0].revents && read(l->wake, &count, sizeof(count)) < 0) continue;
        if (p[2].revents & POLLOUT) send_some(l);
        if (l->peer >= 0 && w.in && p[2].revents & (POLLIN | POLLHUP | POLLERR)) receive(l);
        if (p[1].revents) accept_client(l); /* last: the one before may have hung up just now */
    }
}

/* ---- opening and closing ---- */

/* -1 with errno. Another process that listens keeps its socket. */
static int listen_at(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    int rc = bind(fd, (const struct sockaddr *)a, sizeof(*a));
    if (rc && errno == EADDRINUSE) {
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool dead = connect(probe, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
        if (probe >= 0) close(probe);
        errno = EADDRINUSE;
        if (dead && !unlink(a->sun_path)) rc = bind(fd, (const struct sockaddr *)a, sizeof(*a));
    }
    if (!rc) rc = chmod(a->sun_path, 0600);
    if (!rc) rc = listen(fd, 4);
    if (!rc) return fd;
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

struct link *link_open(const char *path, const struct guest_ram *ram, void (*arrived)(void *opaque),
                       void *opaque, struct error *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(a.sun_path)) {
        error_set(e, "%s: the path of a local socket has at most %zu characters", path,
                  sizeof(a.sun_path) - 1);
        return NULL;
    }
    strcpy(a.sun_path, path);
    int fd = listen_at(&a);
    if (fd < 0) {
        error_set(e, "cannot listen at %s: %s", path, strerror(errno));
        return NULL;
    }
    struct link *l = xalloc(sizeof(*l));
    l->path = xstrdup(path);
    l->ram = ram;
    l->arrived = arrived;
    l->opaque = opaque;
    l->listener = fd;
    l->peer = -1;
    l->events_end = &l->events;
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&l->lock, NULL);
    if (l->wake >= 0 && !pthread_create(&l->thread, NULL, run, l)) return l;
    error_set(e, "the host refuses another thread");
    if (l->wake >= 0) close(l->wake);
    close(fd);
    unlink(path);
    pthread_mutex_destroy(&l->lock);
    free(l->path);
    free(l);
    return NULL;
}

void link_close(struct link *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    wake(l);
    pthread_join(l->thread, NULL);
    if (l->peer >= 0) close(l->peer);
    close(l->listener);
    close(l->wake);
    unlink(l->path);
    clear_out(l);
    for (struct link_event *e = l->events, *next; e; e = next) {
        next = e->next;
        link_event_free(e);
    }
    pthread_mutex_destroy(&l->lock);
    free(l->path);
    free(l);
}
