/* TCP and local sockets as byte streams (chardev.h), as client or as server for one peer at a time.
 * A server goes back to listening when its peer leaves; a client whose server leaves stays silent.
 * A further peer is turned away. The host defaults to 127.0.0.1. A local socket left behind by a
 * dead process is replaced. */
#include "machine/host/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct char_socket {
    struct chardev chr;
    int listener, peer; /* -1: none */
    char *path;         /* local server: removed at close */
};

static void accept_peer(struct char_socket *s)
{
    if (s->listener < 0) return;
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (s->peer >= 0) {
        close(fd);
        return;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
               sizeof(one)); /* fails on local sockets; no matter */
    s->peer = fd;
}

static void drop_peer(struct char_socket *s)
{
    close(s->peer);
    s->peer = -1;
}

static bool is_transient(int err)
{
    return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

static size_t socket_write(struct chardev *c, const u8 *buf, size_t n)
{
    struct char_socket *s = (struct char_socket *)c;
    if (s->peer < 0) accept_peer(s);
    if (s->peer < 0) return n;
    ssize_t w = send(s->peer, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (w >= 0) return w;
    if (is_transient(errno)) return 0;
    drop_peer(s);
    return n;
}

static size_t socket_read(struct chardev *c, u8 *buf, size_t n)
{
    struct char_socket *s = (struct char_socket *)c;
    accept_peer(s);
    if (s->peer < 0) return 0;
    ssize_t r = recv(s->peer, buf, n, MSG_DONTWAIT);
    if (r > 0) return r;
    if (r == 0 || !is_transient(errno)) drop_peer(s);
    return 0;
}

static void socket_close(struct chardev *c)
{
    struct char_socket *s = (struct char_socket *)c;
    if (s->peer >= 0) close(s->peer);
    if (s->listener >= 0) close(s->listener);
    if (s->path) unlink(s->path);
    free(s->path);
}

/* Splits off ",server"; other words after a comma are refused. Returns a copy of the address or
 * NULL. */
static char *split_options(const char *rest, bool *server, struct error *e)
{
    char *addr = xstrdup(rest);
    char *comma = strchr(addr, ',');
    if (!comma) return addr;
    *comma = 0;
    if (!strcmp(comma + 1, "server") || !strcmp(comma + 1, "server,nowait")) {
        *server = true;
        return addr;
    }
    error_set(e, "socket option '%s' is unknown; there is only 'server'", comma + 1);
    free(addr);
    return NULL;
}

static struct chardev *wrap(int fd, bool server, char *path, char *label)
{
    static const struct chardev_ops ops = { socket_write, socket_read, socket_close };
    struct char_socket *s = xalloc(sizeof(*s));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    s->listener = server ? fd : -1;
    s->peer = server ? -1 : fd;
    s->path = path;
    chardev_init(&s->chr, &ops, label);
    return &s->chr;
}

static int listen_or_connect(const struct addrinfo *a, bool server)
{
    int one = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    int rc = server ? bind(fd, a->ai_addr, a->ai_addrlen) : connect(fd, a->ai_addr, a->ai_addrlen);
    if (rc == 0 && server) rc = listen(fd, 4);
    if (rc == 0) return fd;
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

struct chardev *char_tcp_open(const char *rest, bool server, struct error *e)
{
    char *addr = split_options(rest, &server, e);
    if (!addr) return NULL;
    char *colon = strrchr(addr, ':');
    /* getaddrinfo would wrap a number that is too large. */
    if (!colon || !colon[1] || strtoul(colon + 1, NULL, 10) > 65535) {
        error_set(e, "tcp:%s needs a host and a port, as in tcp:127.0.0.1:4444", rest);
        free(addr);
        return NULL;
    }
    *colon = 0;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0 },
                    *list = NULL;
    int rc = getaddrinfo(*addr ? addr : "127.0.0.1", colon + 1, &hints, &list);
    int fd = -1;
    for (struct addrinfo *a = list; !rc && a && fd < 0; a = a->ai_next)
        fd = listen_or_connect(a, server);
    if (fd < 0) {
        error_set(e, "cannot %s tcp:%s: %s", server ? "listen on" : "connect to", rest,
                  rc ? gai_strerror(rc) : strerror(errno));
    }
    if (list) freeaddrinfo(list);
    free(addr);
    if (fd < 0) return NULL;
    return wrap(fd, server, NULL, xasprintf("tcp %s", rest));
}

struct chardev *char_unix_open(const char *rest, bool server, struct error *e)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct addrinfo a = { .ai_family = AF_UNIX,
                          .ai_addr = (struct sockaddr *)&un,
                          .ai_addrlen = sizeof(un) };
    char *path = split_options(rest, &server, e);
    if (!path) return NULL;
    if (!*path || strlen(path) >= sizeof(un.sun_path)) {
        error_set(e, "unix:%s: the path of a local socket has 1 to %zu characters", rest,
                  sizeof(un.sun_path) - 1);
        free(path);
        return NULL;
    }
    memcpy(un.sun_path, path, strlen(path) + 1);
    int fd = listen_or_connect(&a, server);
    if (fd < 0 && server && errno == EADDRINUSE) {
        int other = listen_or_connect(&a, false);
        if (other >= 0) {
            close(other);
            errno = EADDRINUSE;
        } else if (errno == ECONNREFUSED && unlink(path) == 0) {
            fd = listen_or_connect(&a, true);
        }
    }
    if (fd < 0) {
        error_set(e, "cannot %s unix:%s: %s", server ? "listen on" : "connect to", path,
                  strerror(errno));
        free(path);
        return NULL;
    }
    char *label = xasprintf("unix %s", path);
    if (!server) {
        free(path);
        path = NULL;
    }
    return wrap(fd, server, path, label);
}
