/* Block backends: opening an image by its path, and the queue that completes requests in virtual
 * time.
 *
 * Host I/O is done synchronously at the moment a request falls due; each costs DELAY_NS of virtual
 * time, so runs with the instruction clock do not depend on the host's disk. Left out: formats
 * other than raw and our overlay (a known foreign format is refused by name). */
#include "machine/host/block.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/core/device.h" /* struct host_if */
#include "machine/host/file.h"

#define DELAY_NS 50000ull
#define RETRY_NS 1000000ull

static int transfer(struct block *b, const struct block_req *r)
{
    u64 offset = r->offset;
    for (unsigned i = 0; i < r->iovcnt; i++) {
        const struct iovec *v = &r->iov[i];
        int err = r->op == BLOCK_OP_WRITE ? block_pwrite(b, offset, v->iov_base, v->iov_len)
                                          : block_pread(b, offset, v->iov_base, v->iov_len);
        if (err) return err;
        offset += v->iov_len;
    }
    return 0;
}

static int perform(struct block *b, const struct block_req *r)
{
    switch (r->op) {
    case BLOCK_OP_READ:
    case BLOCK_OP_WRITE: return transfer(b, r);
    case BLOCK_OP_FLUSH: return block_flush(b);
    case BLOCK_OP_DISCARD: return b->fmt->discard ? b->fmt->discard(b, r->offset, r->bytes) : 0;
    }
    return -EINVAL;
}

/* The machine stops; the clock stands still with it, so the retry comes when it runs again. */
static void stall(struct block *b, const struct block_req *r, int err)
{
    bool reading = r->op == BLOCK_OP_READ;
    char *why = xasprintf("%s: %s while %s; nothing is lost, continue to try again",
                          reading ? b->path : b->writes_to,
                          err == -ENOSPC ? "the host disk is full" : strerror(-err),
                          reading ? "reading" : "writing");
    b->stalled = true;
    b->host->request(b->host->machine, REQ_STOP, -err, why);
    free(why);
    timer_set(&b->timer, clock_now(b->host->clock) + RETRY_NS);
}

static void block_fire(void *opaque)
{
    struct block *b = opaque;
    u64 now = clock_now(b->host->clock);
    while (b->head && b->head->due <= now) {
        struct block_req *r = b->head;
        int err = perform(b, r);
        if (err && b->report_errors) {
            LOG(LOG_ERROR, "block", "%s: %s; the guest is told",
                r->op == BLOCK_OP_READ ? b->path : b->writes_to, strerror(-err));
        } else if (err) {
            stall(b, r, err);
            return;
        }
        r->error = err;
        b->stalled = false;
        b->head = r->next;
        if (!b->head) b->tail = NULL;
        r->pending = false;
        r->done(r->opaque);
    }
    if (b->head) timer_set(&b->timer, b->head->due);
}

void block_attach(struct block *b, struct host_if *host)
{
    check(!b->host || b->host == host);
    if (b->host) return;
    b->host = host;
    timer_init(&b->timer, host->clock, "block", block_fire, b);
}

void block_detach(struct block *b)
{
    if (!b->host) return;
    check(!b->head);
    timer_cancel(&b->timer);
    b->host = NULL;
}

void block_submit(struct block *b, struct block_req *r)
{
    check(b->host && !r->pending && r->offset <= b->size && r->bytes <= b->size - r->offset);
    r->pending = true;
    r->error = 0;
    r->next = NULL;
    r->due = clock_now(b->host->clock) + DELAY_NS;
    if (b->tail)
        b->tail->next = r;
    else
        b->head = r;
    b->tail = r;
    if (b->head == r) timer_set(&b->timer, r->due);
}

void block_cancel(struct block *b, struct block_req *r)
{
    if (!r->pending) return;
    struct block_req *prev = NULL, *q = b->head;
    for (; q && q != r; q = q->next) prev = q;
    if (!q) return; /* it waits in another backend's queue */
    if (prev)
        prev->next = r->next;
    else
        b->head = r->next;
    if (b->tail == r) b->tail = prev;
    r->pending = false;
    if (!b->head) timer_cancel(&b->timer);
}

int block_pread(struct block *b, u64 offset, void *buf, u64 len)
{
    if (offset > b->size || len > b->size - offset) return -EINVAL;
    return b->fmt->pread(b, offset, buf, len);
}

int block_pwrite(struct block *b, u64 offset, const void *buf, u64 len)
{
    if (b->readonly) return -EROFS;
    if (offset > b->size || len > b->size - offset) return -EINVAL;
    return b->fmt->pwrite(b, offset, buf, len);
}

int block_flush(struct block *b)
{
    return b->readonly ? 0 : b->fmt->flush(b);
}

void block_close(struct block *b)
{
    if (!b) return;
    block_detach(b);
    int err = block_flush(b);
    if (err) LOG(LOG_ERROR, "block", "%s: %s while closing", b->writes_to, strerror(-err));
    b->fmt->close(b);
    free(b->path);
    free(b->writes_to);
    free(b);
}

/* --- opening --- */

/* Name of a known container format, or NULL: raw bytes of a disk never begin so. */
static const char *foreign_format(int fd, u64 size)
{
    static const struct {
        u64 offset;
        const char *magic;
        const char *name;
    } known[] = {
        { 0, "QFI\xfb", "qcow2" },
        { 0, "KDMV", "VMDK" },
        { 0, "# Disk DescriptorFile", "VMDK" },
        { 0, "conectix", "VHD" },
        { 0, "vhdxfile", "VHDX" },
        { 64, "\x7f\x10\xda\xbe", "VDI" },
        { 0, "AEROOVL1", "overlay" },
    };
    u8 head[512] = { 0 };
    if (file_pread(fd, 0, head, MIN(size, sizeof(head)))) return NULL;
    for (unsigned i = 0; i < LEN(known); i++)
        if (!memcmp(head + known[i].offset, known[i].magic, strlen(known[i].magic)))
            return known[i].name;
    return NULL;
}

static int check_image(int fd, const char *path, u64 *size, struct error *e)
{
    i64 len = file_size(fd);
    if (len < 0) return error_set(e, "%s: its size cannot be found out", path);
    if (len == 0)
        return error_set(e, "%s is empty: a disk image needs at least one 512-byte sector", path);
    const char *format = foreign_format(fd, (u64)len);
    if (format && !strcmp(format, "overlay"))
        return error_set(e, "%s is an overlay: name the image it belongs to instead", path);
    if (format)
        return error_set(e, "%s is a %s image: convert it to raw (qemu-img convert -O raw) first",
                         path, format);
    if (len % 512)
        return error_set(e, "%s is truncated: %lld bytes is not a multiple of 512", path,
                         (long long)len);
    *size = (u64)len;
    return 0;
}

struct block *block_open(const char *path, enum block_mode mode, struct error *e)
{
    struct stat st;
    if (mode == BLOCK_READONLY && !stat(path, &st) && S_ISDIR(st.st_mode))
        return block_dir_open(path, e);
    u64 size = 0;
    int fd = file_open_locked(path, mode == BLOCK_WRITE, e);
    if (fd < 0) return NULL;
    if (check_image(fd, path, &size, e)) {
        close(fd);
        return NULL;
    }
    if (mode == BLOCK_WRITE || mode == BLOCK_READONLY)
        return block_raw_open(fd, path, size, mode == BLOCK_READONLY);
    return block_overlay_open(fd, path, size, mode == BLOCK_THROWAWAY, e);
}

int block_commit(const char *path, u64 *bytes, struct error *e)
{
    u64 size = 0;
    char *overlay = xasprintf("%s.overlay", path);
    int ret = access(overlay, F_OK) ? error_set(e, "%s: there is no %s", path, overlay) : 0;
    free(overlay);
    int fd = ret ? -1 : file_open_locked(path, true, e);
    if (fd < 0) return -1;
    if (check_image(fd, path, &size, e)) {
        close(fd);
        return -1;
    }
    struct block *b = block_overlay_open(fd, path, size, false, e);
    if (!b) return -1;
    ret = block_overlay_commit(b, bytes, e);
    block_close(b);
    return ret;
}
