/* Raw images and ISO files: the bytes of the file are the bytes of the disk (block.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/host/block.h"
#include "machine/host/file.h"

struct raw {
    struct block block;
    int fd;
};

static int raw_pread(struct block *b, u64 offset, void *buf, u64 len)
{
    return file_pread(((struct raw *)b)->fd, offset, buf, len);
}

static int raw_pwrite(struct block *b, u64 offset, const void *buf, u64 len)
{
    return file_pwrite(((struct raw *)b)->fd, offset, buf, len);
}

static int raw_flush(struct block *b)
{
    return fdatasync(((struct raw *)b)->fd) ? -errno : 0;
}

/* Advice: a host that cannot punch holes keeps the bytes. */
static int raw_discard(struct block *b, u64 offset, u64 len)
{
    if (b->readonly) return 0;
    int fd = ((struct raw *)b)->fd;
    (void)!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
    return 0;
}

static void raw_close(struct block *b)
{
    close(((struct raw *)b)->fd);
}

static const struct block_format raw_format = {
    "raw", raw_pread, raw_pwrite, raw_flush, raw_discard, raw_close,
};

struct block *block_raw_open(int fd, const char *path, u64 size, bool readonly)
{
    struct raw *r = xalloc(sizeof(*r));
    r->fd = fd;
    r->block.fmt = &raw_format;
    r->block.path = xstrdup(path);
    r->block.writes_to = xstrdup(path);
    r->block.size = size;
    r->block.readonly = readonly;
    return &r->block;
}
