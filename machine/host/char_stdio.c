/* The terminal as a byte stream (chardev.h): raw while open, so that every key reaches the guest,
 * restored when closed and, should the process end in another way, at exit. Ctrl-A is the escape
 * key on a terminal; a pipe or file as standard input is passed on unchanged.
 *
 * Descriptors stay blocking, because the shell and our own messages share them: each read and write
 * is preceded by poll(). */
#include "machine/host/chardev.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { ESCAPE = 1 /* Ctrl-A */, OUT_CHUNK = 512 };

struct char_stdio {
    struct chardev chr;
    bool tty, eof, escaped;
};

/* The one piece of file-scope state: an exit handler has no argument to find its terminal by. */
static struct termios saved;
static bool is_raw;

static void restore(void)
{
    if (is_raw) tcsetattr(0, TCSANOW, &saved);
    is_raw = false;
}

static bool ready(int fd, short what)
{
    struct pollfd p = { fd, what, 0 };
    return poll(&p, 1, 0) > 0 && (p.revents & (what | POLLHUP | POLLERR));
}

static size_t stdio_write(struct chardev *c, const u8 *buf, size_t n)
{
    (void)c;
    size_t done = 0;
    while (done < n && ready(1, POLLOUT)) {
        ssize_t w = write(1, buf + done, MIN(n - done, OUT_CHUNK));
        if (w < 0 && (errno == EINTR || errno == EAGAIN)) break;
        if (w <= 0) return n; /* closed: nobody listens any more */
        done += w;
    }
    return done;
}

/* Takes escape sequences out of what was typed; returns what remains. */
static size_t filter(struct char_stdio *s, u8 *buf, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!s->escaped) {
            s->escaped = buf[i] == ESCAPE;
            if (!s->escaped) buf[kept++] = buf[i];
            continue;
        }
        s->escaped = false;
        if (buf[i] == ESCAPE || buf[i] == 'a') {
            buf[kept++] = ESCAPE;
        } else if (s->chr.escape) {
            s->chr.escape(s->chr.escape_opaque, buf[i]);
        }
    }
    return kept;
}

static size_t stdio_read(struct chardev *c, u8 *buf, size_t n)
{
    struct char_stdio *s = (struct char_stdio *)c;
    while (!s->eof && ready(0, POLLIN)) {
        ssize_t r = read(0, buf, n);
        if (r < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
        if (r <= 0) {
            s->eof = true;
            return 0;
        }
        size_t kept = s->tty ? filter(s, buf, r) : (size_t)r;
        if (kept) return kept;
    }
    return 0;
}

static void stdio_close(struct chardev *c)
{
    (void)c;
    restore();
}

static void make_raw(void)
{
    struct termios t = saved;
    t.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    t.c_cflag = (t.c_cflag & ~(CSIZE | PARENB)) | CS8;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    /* Output processing stays on: our own messages end in a plain newline. */
    tcsetattr(0, TCSANOW, &t);
    is_raw = true;
}

struct chardev *char_stdio_open(struct error *e)
{
    static const struct chardev_ops ops = { stdio_write, stdio_read, stdio_close };
    if (is_raw) {
        error_set(e, "stdio is already in use by another character device");
        return NULL;
    }
    struct char_stdio *s = xalloc(sizeof(*s));
    s->tty = isatty(0) && tcgetattr(0, &saved) == 0;
    if (s->tty) {
        make_raw();
        atexit(restore);
    }
    chardev_init(&s->chr, &ops, xstrdup("stdio"));
    return &s->chr;
}
