/* A folder of the host as a read-only CD (block.h): the structures come from iso_dir.c, the
 * contents from the files themselves at the moment they are read. A file that shrank meanwhile
 * reads as zeros behind its end; one that vanished gives an I/O error. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/host/block.h"
#include "machine/host/iso_dir.h"

struct dir_block {
    struct block block;
    struct iso_tree tree;
    const struct iso_node *open_file; /* whose descriptor fd is */
    int fd;
};

/* The file whose extent holds the byte at offset, or NULL: extents are sorted by place, and empty
 * files take none. */
static const struct iso_node *file_at(const struct iso_tree *t, u64 offset)
{
    unsigned lo = 0, hi = t->nfiles;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const struct iso_node *f = t->files[mid];
        u64 first = (u64)f->lba * ISO_SECTOR;
        if (offset < first)
            hi = mid;
        else if (offset >= first + f->size)
            lo = mid + 1;
        else
            return f;
    }
    return NULL;
}

static int read_file(struct dir_block *d, const struct iso_node *f, u64 at, u8 *buf, u64 len)
{
    if (d->open_file != f) {
        if (d->fd >= 0) close(d->fd);
        d->open_file = NULL;
        d->fd = open(f->host, O_RDONLY | O_CLOEXEC);
        if (d->fd < 0) return -errno;
        d->open_file = f;
    }
    while (len) {
        ssize_t n = pread(d->fd, buf, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (!n) break;
        buf += n, at += (u64)n, len -= (u64)n;
    }
    memset(buf, 0, len);
    return 0;
}

static int dir_pread(struct block *b, u64 offset, void *buf, u64 len)
{
    struct dir_block *d = (struct dir_block *)b;
    u8 *out = buf;
    while (len) {
        u64 n = MIN(len, ISO_SECTOR - offset % ISO_SECTOR);
        const struct iso_node *f = NULL;
        if (offset < d->tree.meta_len) {
            memcpy(out, d->tree.meta + offset, n);
        } else if ((f = file_at(&d->tree, offset))) {
            u64 at = offset - (u64)f->lba * ISO_SECTOR;
            n = MIN(len, f->size - at);
            int ret = read_file(d, f, at, out, n);
            if (ret) return ret;
        } else {
            memset(out, 0, n); /* the rest of a file's last sector */
        }
        out += n, offset += n, len -= n;
    }
    return 0;
}

static int dir_pwrite(struct block *b, u64 offset, const void *buf, u64 len)
{
    (void)b, (void)offset, (void)buf, (void)len;
    return -EROFS;
}

static int dir_flush(struct block *b)
{
    (void)b;
    return 0;
}

static int dir_discard(struct block *b, u64 offset, u64 len)
{
    (void)b, (void)offset, (void)len;
    return 0;
}

static void dir_close(struct block *b)
{
    struct dir_block *d = (struct dir_block *)b;
    if (d->fd >= 0) close(d->fd);
    iso_tree_free(&d->tree);
}

static const struct block_format dir_format = { "folder",  dir_pread,   dir_pwrite,
                                                dir_flush, dir_discard, dir_close };

struct block *block_dir_open(const char *path, struct error *e)
{
    struct dir_block *d = xalloc(sizeof(*d));
    d->fd = -1;
    if (iso_tree_build(&d->tree, path, e)) {
        iso_tree_free(&d->tree);
        free(d);
        return NULL;
    }
    d->block.fmt = &dir_format;
    d->block.path = xstrdup(path);
    d->block.writes_to = xstrdup(path);
    d->block.size = d->tree.size;
    d->block.readonly = true;
    return &d->block;
}
