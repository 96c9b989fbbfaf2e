/* The reference client of the bridge (gpu/bridge/README.md): connects to aeropc, maps the guest's memory and executes what it is sent with
 * the software executor, so that its pictures equal those of exec=soft.
 *
 *   gpu-client PATH [--wait SECONDS] [--after N --then silent|die|garbage|length|ticket|twice|range|flood] [--verbose]
 *
 * --wait: tries to connect for that long. --after N --then WHAT: executes N submissions, then misbehaves; for tests of what aeropc does
 * about it. Ends with status 0 when aeropc hangs up, 1 for what a user must mend, 3 after it misbehaved on purpose. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "gpu/bridge/protocol.h"
#include "gpu/exec.h"

enum { MISBEHAVED = 3, MAX_SIZE = 128 << 20 };

struct client {
    int fd;
    u8 *map; /* the memory file */
    u64 map_size;
    struct bridge_segment segment[2];
    u32 segments;
    struct exec *x;
    struct bridge_scanout scanout; /* of the submission that runs */
    struct bridge_written written[BRIDGE_MAX_WRITTEN];
    u32 written_count;
    u64 next_ticket, executed;
    u64 after;
    const char *then; /* NULL: never */
    bool verbose;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "gpu-client: %s: %s\n", what, why);
    return 1;
}

/* --- guest memory --- */

static u8 *memory(struct client *c, u64 gpa, u64 len)
{
    for (u32 k = 0; k < c->segments; k++) {
        const struct bridge_segment *s = &c->segment[k];
        if (len && gpa >= s->gpa && gpa - s->gpa < s->size && len <= s->size - (gpa - s->gpa)) return c->map + s->offset + (gpa - s->gpa);
    }
    return NULL;
}

static bool read_memory(void *opaque, u64 gpa, void *buf, u64 len)
{
    const u8 *p = memory(opaque, gpa, len);
    if (p) memcpy(buf, p, len);
    return p != NULL;
}

/* Rows of a picture join into one range when only their padding lies between. When there are too many, the last one grows: telling of
 * more than was written does no harm. */
static void note(struct client *c, u64 gpa, u64 len)
{
    struct bridge_written *last = c->written_count ? &c->written[c->written_count - 1] : NULL;
    bool near = last && gpa >= last->gpa && gpa <= last->gpa + last->size + 4096;
    if (!last || (!near && c->written_count < BRIDGE_MAX_WRITTEN)) {
        c->written[c->written_count++] = (struct bridge_written){ gpa, len };
        return;
    }
    u64 begin = MIN(last->gpa, gpa), end = MAX(last->gpa + last->size, gpa + len);
    if (memory(c, begin, end - begin)) {
        *last = (struct bridge_written){ begin, end - begin };
    } else { /* the two parts of memory: all of both */
        c->written_count = c->segments;
        for (u32 k = 0; k < c->segments; k++) c->written[k] = (struct bridge_written){ c->segment[k].gpa, c->segment[k].size };
    }
}

static bool write_memory(void *opaque, u64 gpa, const void *buf, u64 len)
{
    u8 *p = memory(opaque, gpa, len);
    if (!p) return false;
    memcpy(p, buf, len);
    note(opaque, gpa, len);
    return true;
}

static bool get_scanout(void *opaque, struct exec_scanout *s)
{
    const struct bridge_scanout *from = &((struct client *)opaque)->scanout;
    *s = (struct exec_scanout){ from->gpa, from->width, from->height, from->format, from->pitch };
    return from->width != 0;
}

/* --- the socket --- */

static bool send_all(struct client *c, const void *p, size_t n)
{
    while (n) {
        ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);
        if (w <= 0) return false;
        p = (const u8 *)p + w;
        n -= (size_t)w;
    }
    return true;
}

static bool receive(struct client *c, void *p, size_t n)
{
    while (n) {
        ssize_t r = recv(c->fd, p, n, 0);
        if (r <= 0) return false;
        p = (u8 *)p + r;
        n -= (size_t)r;
    }
    return true;
}

static int connect_to(struct client *c, const char *path, double wait)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(a.sun_path)) return fail(path, "too long a path for a socket");
    strcpy(a.sun_path, path);
    for (double waited = 0;; waited += 0.02) {
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!connect(c->fd, (struct sockaddr *)&a, sizeof(a))) return 0;
        if (waited >= wait) return fail(path, strerror(errno));
        close(c->fd);
        nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    }
}

/* HELLO both ways; maps the memory. */
static int greet(struct client *c)
{
    struct bridge_hello h;
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { &h, sizeof(h) };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    if (recvmsg(c->fd, &m, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(h)) return fail("aeropc", "has a client already, or is no aeropc");
    if (h.h.type != BRIDGE_HELLO || h.magic != BRIDGE_MAGIC || h.version >> 16 != BRIDGE_VERSION >> 16)
        return fail("aeropc", "speaks another version of the protocol");
    struct cmsghdr *head = CMSG_FIRSTHDR(&m);
    if (!head || head->cmsg_type != SCM_RIGHTS || !h.segment_count || h.segment_count > 2) return fail("aeropc", "sent no memory");
    int ram;
    memcpy(&ram, CMSG_DATA(head), sizeof(ram));
    c->segments = h.segment_count;
    memcpy(c->segment, h.segment, sizeof(c->segment));
    for (u32 k = 0; k < c->segments; k++) c->map_size = MAX(c->map_size, c->segment[k].offset + c->segment[k].size);
    c->map = mmap(NULL, c->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
    close(ram);
    if (c->map == MAP_FAILED) return fail("guest memory", strerror(errno));
    struct bridge_client_hello hello = { { BRIDGE_CLIENT_HELLO, sizeof(hello) }, BRIDGE_MAGIC, BRIDGE_VERSION, "gpu-client" };
    return send_all(c, &hello, sizeof(hello)) ? 0 : fail("aeropc", "hung up");
}

/* --- executing --- */

static void complete(struct client *c, u64 ticket, u32 error)
{
    struct bridge_complete m = { { BRIDGE_COMPLETE, (u32)(sizeof(m) + c->written_count * sizeof(c->written[0])) }, ticket, error,
                                 c->written_count };
    if (send_all(c, &m, sizeof(m))) send_all(c, c->written, c->written_count * sizeof(c->written[0]));
    c->written_count = 0;
}

static void done(void *opaque, struct exec_batch *b)
{
    struct client *c = opaque;
    if (c->verbose)
        printf("submission %llu fence %llu: %u packets, error %u, %u ranges written\n", (unsigned long long)b->ticket,
               (unsigned long long)b->fence, b->stream.count, b->error, c->written_count);
    c->executed++;
    complete(c, b->ticket, b->error);
    exec_batch_free(b);
}

/* What a client must not do. Does not return. */
static void misbehave(struct client *c, u64 ticket)
{
    struct bridge_header bad = { BRIDGE_COMPLETE, 0x7fffffff };
    u8 noise[512];
    for (u32 k = 0; k < sizeof(noise); k++) noise[k] = (u8)(k * 181 + 7);
    if (!strcmp(c->then, "silent")) {
        while (receive(c, noise, sizeof(noise))) {}
    } else if (!strcmp(c->then, "garbage")) {
        send_all(c, noise, sizeof(noise));
    } else if (!strcmp(c->then, "length")) {
        send_all(c, &bad, sizeof(bad));
    } else if (!strcmp(c->then, "ticket")) {
        complete(c, ticket + 1000000, 0);
    } else if (!strcmp(c->then, "twice")) {
        complete(c, ticket, 0);
        complete(c, ticket, 0);
    } else if (!strcmp(c->then, "range")) {
        c->written[c->written_count++] = (struct bridge_written){ 0xfffffffffffff000, 0x2000 };
        complete(c, ticket, 0);
    } else if (!strcmp(c->then, "flood")) {
        while (send_all(c, &(struct bridge_complete){ { BRIDGE_COMPLETE, 24 }, ticket++, 0, 0 }, 24)) {}
    }
    if (strcmp(c->then, "die")) receive(c, noise, 1); /* until aeropc hangs up */
    _exit(MISBEHAVED);
}

static bool submit(struct client *c, const struct bridge_submit *m)
{
    const struct bridge_range *from = (const struct bridge_range *)(m + 1);
    if (m->h.size != sizeof(*m) + (u64)m->range_count * sizeof(*from) + m->stream_size || m->ticket != c->next_ticket) return false;
    c->next_ticket++;
    if (c->then && c->executed >= c->after) misbehave(c, m->ticket);
    struct exec_batch *b = xalloc(sizeof(*b));
    b->context_id = m->context_id;
    b->flags = m->flags;
    b->fence = m->fence;
    b->ticket = m->ticket;
    b->range_count = m->range_count;
    b->ranges = xalloc(m->range_count * sizeof(*b->ranges));
    for (u32 k = 0; k < m->range_count; k++) b->ranges[k] = (struct exec_range){ from[k].alloc_id, from[k].flags, from[k].gpa, from[k].size };
    if (m->stream_size) {
        b->bytes = xalloc(m->stream_size);
        memcpy(b->bytes, from + m->range_count, m->stream_size);
        acmd_parse(&b->stream, b->bytes, m->stream_size);
    }
    c->scanout = m->scanout;
    exec_soft.submit(c->x, b);
    return true;
}

static bool handle(struct client *c, const struct bridge_header *h)
{
    if (h->type == BRIDGE_SUBMIT && h->size >= sizeof(struct bridge_submit)) return submit(c, (const struct bridge_submit *)h);
    if (h->type != BRIDGE_RESET || h->size != sizeof(struct bridge_reset)) return false;
    const struct bridge_reset *r = (const struct bridge_reset *)h;
    exec_soft.reset(c->x, r->kind == BRIDGE_KEEP_OBJECTS ? EXEC_KEEP_OBJECTS : EXEC_FORGET_ALL);
    c->next_ticket = r->next_ticket;
    return true;
}

static int serve(struct client *c)
{
    struct bridge_header h;
    bool ok = true;
    while (ok && receive(c, &h, sizeof(h))) {
        if (h.size < sizeof(h) || h.size > MAX_SIZE) return fail("aeropc", "sent a message of a wrong size");
        u8 *message = xalloc(h.size);
        memcpy(message, &h, sizeof(h));
        ok = receive(c, message + sizeof(h), h.size - sizeof(h)) && handle(c, (struct bridge_header *)message);
        if (!ok && c->verbose) printf("message %u not understood, or cut\n", h.type);
        free(message);
    }
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: gpu-client PATH [--wait SECONDS] [--after N --then silent|die|garbage|length|ticket|twice|range|flood] [--verbose]\n");
    return 1;
}

int main(int argc, char **argv)
{
    struct client *c = xalloc(sizeof(*c));
    double wait = 0;
    const char *path = NULL;
    struct error e;
    for (int k = 1; k < argc; k++) {
        bool value = k + 1 < argc;
        if (!strcmp(argv[k], "--verbose")) c->verbose = true;
        else if (value && !strcmp(argv[k], "--wait")) wait = atof(argv[++k]);
        else if (value && !strcmp(argv[k], "--after")) c->after = strtoull(argv[++k], NULL, 0);
        else if (value && !strcmp(argv[k], "--then")) c->then = argv[++k];
        else if (argv[k][0] != '-' && !path) path = argv[k];
        else return usage();
    }
    if (!path) return usage();
    const struct exec_host host = { .opaque = c, .done = done, .read = read_memory, .write = write_memory, .scanout = get_scanout };
    if (connect_to(c, path, wait) || greet(c)) return 1;
    c->x = exec_soft.create(&host, &e);
    int status = serve(c);
    exec_soft.reset(c->x, EXEC_FORGET_ALL);
    exec_soft.destroy(c->x);
    if (c->verbose) printf("%llu submissions executed\n", (unsigned long long)c->executed);
    munmap(c->map, c->map_size);
    close(c->fd);
    free(c);
    return status;
}
