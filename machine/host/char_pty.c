/* A pseudo-terminal as a byte stream (chardev.h): for `screen /dev/pts/N` and the like. Output is
 * dropped while nobody has the other side open. */
#include "machine/host/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct char_pty {
    struct chardev chr;
    int fd;
};

/* POLLHUP is set while no process has the slave open. */
static bool connected(const struct char_pty *p)
{
    struct pollfd f = { p->fd, POLLOUT, 0 };
    return poll(&f, 1, 0) >= 0 && !(f.revents & (POLLHUP | POLLERR));
}

static size_t pty_write(struct chardev *c, const u8 *buf, size_t n)
{
    struct char_pty *p = (struct char_pty *)c;
    if (!connected(p)) return n;
    ssize_t w = write(p->fd, buf, n);
    return w > 0 ? w : 0;
}

static size_t pty_read(struct chardev *c, u8 *buf, size_t n)
{
    struct char_pty *p = (struct char_pty *)c;
    ssize_t r = connected(p) ? read(p->fd, buf, n) : 0;
    return r > 0 ? r : 0;
}

static void pty_close(struct chardev *c)
{
    close(((struct char_pty *)c)->fd);
}

/* Raw from the start, and opened once so that POLLHUP tells when nobody is there. */
static int prepare_slave(const char *name)
{
    struct termios t;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -1;
    if (tcgetattr(fd, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(fd, TCSANOW, &t);
    }
    return close(fd);
}

struct chardev *char_pty_open(struct error *e)
{
    static const struct chardev_ops ops = { pty_write, pty_read, pty_close };
    char name[128];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, name, sizeof(name)) ||
        prepare_slave(name)) {
        error_set(e, "cannot make a pseudo-terminal: %s", strerror(errno));
        if (fd >= 0) close(fd);
        return NULL;
    }
    struct char_pty *p = xalloc(sizeof(*p));
    p->fd = fd;
    chardev_init(&p->chr, &ops, xasprintf("pty %s", name));
    return &p->chr;
}
