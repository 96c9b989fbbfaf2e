/* Output of a byte stream into a file, which is replaced (chardev.h). A failed write is reported
 * once and the rest of the output dropped: the guest does not stop for a full disk. */
#include "machine/host/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "machine/core/log.h"

struct char_file {
    struct chardev chr;
    int fd;
    bool failed;
};

static size_t file_write(struct chardev *c, const u8 *buf, size_t n)
{
    struct char_file *f = (struct char_file *)c;
    if (f->failed) return n;
    ssize_t done = write(f->fd, buf, n);
    if (done > 0) return done;
    if (done < 0 && errno == EINTR) return 0;
    f->failed = true;
    LOG(LOG_ERROR, "chardev", "%s: %s; further output is lost", c->label, strerror(errno));
    return n;
}

static size_t file_read(struct chardev *c, u8 *buf, size_t n)
{
    (void)c;
    (void)buf;
    (void)n;
    return 0;
}

static void file_close(struct chardev *c)
{
    close(((struct char_file *)c)->fd);
}

struct chardev *char_file_open(const char *path, struct error *e)
{
    static const struct chardev_ops ops = { file_write, file_read, file_close };
    if (!*path) {
        error_set(e, "file: needs a path, as in file:serial.log");
        return NULL;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        error_set(e, "cannot write %s: %s", path, strerror(errno));
        return NULL;
    }
    struct char_file *f = xalloc(sizeof(*f));
    f->fd = fd;
    chardev_init(&f->chr, &ops, xasprintf("file %s", path));
    return &f->chr;
}
