/* Copy-on-write overlay: the image is only read, everything written goes to IMAGE.overlay beside
 * it, or to an anonymous temporary file that disappears with the program (--throwaway).
 *
 * File layout, little-endian:
 *   0     header, 4096 bytes: struct header, rest zero
 *   4096  map: one u32 per cluster of the image, padded to a whole cluster
 *   then  data clusters in the order in which they were first written
 * A map entry is 0 (read the image) or the number of a data cluster, counting from 1, with bit 31
 * meaning "tentative": its data may not be on the host's disk yet. A cluster is 64 KiB, more for
 * very large images so that the map stays within 2 Mi entries. The first write to a cluster copies
 * the rest of it from the image.
 *
 * Order makes every moment safe. Data is written before the map entry that names it, so killing the
 * program loses nothing. A flush syncs the data, then rewrites the tentative entries without the
 * bit, then syncs again; when the host itself went down meanwhile (its boot id differs from the
 * header's) tentative entries are dropped at opening: that cluster was never flushed, so the
 * image's bytes are the right ones. The header names the image by size, time stamp and a hash over
 * its ends; an overlay over changed bytes would be garbage, so it is refused.
 *
 * Committing writes every cluster of the overlay into the image, then removes the overlay. The header
 * says so before the first byte of the image changes. Whatever ends a commit early, the overlay still
 * has all of its clusters: an overlay so marked may be opened over the half-changed image, and the
 * commit may be started again. Left out: snapshots, discard. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/core/log.h"
#include "machine/host/block.h"
#include "machine/host/file.h"

enum {
    HEADER_SIZE = 4096,
    MIN_CLUSTER_BITS = 16,
    MAX_CLUSTER_BITS = 24,
    MAX_CLUSTERS = 1 << 21,
    HASHED = 1 << 16
};
#define TENTATIVE BIT(31)
static const char magic[8] = { 'A', 'E', 'R', 'O', 'O', 'V', 'L', '1' };

struct header {
    char magic[8];
    u32 version; /* 1 */
    u32 cluster_bits;
    u64 image_size;
    u64 image_sec; /* modification time */
    u64 image_nsec;
    u64 image_hash;
    char boot_id[40]; /* of the host, when the overlay was last opened */
    u32 committing;   /* 1: the image is being changed into what the overlay says */
    u32 reserved;
};
_Static_assert(sizeof(struct header) == 96, "overlay header layout");

struct overlay {
    struct block block;
    int base_fd, fd;
    bool throwaway;
    u32 cluster_bits, clusters;
    u64 data_start;
    u32 *map;
    u32 next;       /* number of the next data cluster to be appended */
    u32 *tentative; /* map indices whose entry carries the bit */
    u32 tentative_len, tentative_cap;
    bool unsynced; /* data was written since the last flush */
    u8 *copy;      /* one cluster, for the first write to it */
};

static u64 data_offset(const struct overlay *o, u32 entry)
{
    return o->data_start + ((u64)((entry & ~TENTATIVE) - 1) << o->cluster_bits);
}

/* Bytes of the cluster that exist in the image; only the last cluster may be short. */
static u64 cluster_len(const struct overlay *o, u32 cluster)
{
    u64 start = (u64)cluster << o->cluster_bits;
    return MIN(o->block.size - start, BIT64(o->cluster_bits));
}

static int write_map(struct overlay *o, u32 cluster)
{
    if (o->throwaway) return 0; /* nobody will read it */
    return file_pwrite(o->fd, HEADER_SIZE + 4ull * cluster, &o->map[cluster], 4);
}

static void note_tentative(struct overlay *o, u32 cluster)
{
    if (o->tentative_len == o->tentative_cap) {
        o->tentative_cap = MAX(256u, o->tentative_cap * 2);
        o->tentative = xrealloc(o->tentative, o->tentative_cap * sizeof(u32));
    }
    o->tentative[o->tentative_len++] = cluster;
}

static int overlay_pread(struct block *b, u64 offset, void *buf, u64 len)
{
    struct overlay *o = (struct overlay *)b;
    u64 cluster_size = BIT64(o->cluster_bits);
    u8 *p = buf;
    while (len) {
        u32 entry = o->map[offset >> o->cluster_bits];
        u64 within = offset & (cluster_size - 1), n = MIN(len, cluster_size - within);
        int err = entry ? file_pread(o->fd, data_offset(o, entry) + within, p, n)
                        : file_pread(o->base_fd, offset, p, n);
        if (err) return err;
        p += n, offset += n, len -= n;
    }
    return 0;
}

/* First write to a cluster: whole cluster with the new bytes in it, then its map entry. */
static int add_cluster(struct overlay *o, u32 cluster, u64 within, const void *buf, u64 n)
{
    u64 used = cluster_len(o, cluster);
    memset(o->copy + used, 0, BIT64(o->cluster_bits) - used);
    if (n < used) {
        int err = file_pread(o->base_fd, (u64)cluster << o->cluster_bits, o->copy, used);
        if (err) return err;
    }
    memcpy(o->copy + within, buf, n);
    u32 entry = o->next | TENTATIVE;
    int err = file_pwrite(o->fd, data_offset(o, entry), o->copy, BIT64(o->cluster_bits));
    if (err) return err;
    o->map[cluster] = entry;
    err = write_map(o, cluster);
    if (err) {
        o->map[cluster] = 0;
        return err;
    }
    o->next++;
    if (!o->throwaway) note_tentative(o, cluster);
    return 0;
}

static int overlay_pwrite(struct block *b, u64 offset, const void *buf, u64 len)
{
    struct overlay *o = (struct overlay *)b;
    u64 cluster_size = BIT64(o->cluster_bits);
    const u8 *p = buf;
    o->unsynced = true;
    while (len) {
        u32 cluster = (u32)(offset >> o->cluster_bits);
        u64 within = offset & (cluster_size - 1), n = MIN(len, cluster_size - within);
        u32 entry = o->map[cluster];
        int err = entry ? file_pwrite(o->fd, data_offset(o, entry) + within, p, n)
                        : add_cluster(o, cluster, within, p, n);
        if (err) return err;
        p += n, offset += n, len -= n;
    }
    return 0;
}

static int overlay_flush(struct block *b)
{
    struct overlay *o = (struct overlay *)b;
    if (o->throwaway || !o->unsynced) return 0;
    if (fdatasync(o->fd)) return -errno;
    for (u32 i = 0; i < o->tentative_len; i++) {
        u32 cluster = o->tentative[i];
        o->map[cluster] &= ~TENTATIVE;
        int err = write_map(o, cluster);
        if (err) {
            o->map[cluster] |= TENTATIVE;
            return err;
        }
    }
    if (o->tentative_len && fdatasync(o->fd)) return -errno;
    o->tentative_len = 0;
    o->unsynced = false;
    return 0;
}

static void overlay_close(struct block *b)
{
    struct overlay *o = (struct overlay *)b;
    close(o->fd);
    close(o->base_fd);
    free(o->map);
    free(o->tentative);
    free(o->copy);
}

static const struct block_format overlay_format = {
    "overlay", overlay_pread, overlay_pwrite, overlay_flush, NULL, overlay_close,
};

/* --- opening --- */

static void read_boot_id(char id[40])
{
    memset(id, 0, 40);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t n = read(fd, id, 36);
    if (n < 36) memset(id, 0, 40);
    close(fd);
}

/* FNV-1a over the first and last 64 KiB: partition table, boot sectors, backup headers. */
static int hash_image(int fd, u64 size, u64 *hash)
{
    u64 n = MIN(size, HASHED);
    u8 *buf = xalloc(2 * HASHED);
    int err = file_pread(fd, 0, buf, n);
    if (!err) err = file_pread(fd, size - n, buf + n, n);
    u64 h = 0xcbf29ce484222325ull;
    for (u64 i = 0; i < 2 * n; i++) h = (h ^ buf[i]) * 0x100000001b3ull;
    free(buf);
    *hash = h;
    return err;
}

static int describe_image(struct overlay *o, struct header *h, struct error *e)
{
    struct stat st;
    int err = hash_image(o->base_fd, o->block.size, &h->image_hash);
    if (err) return error_set(e, "%s: %s while reading", o->block.path, strerror(-err));
    if (fstat(o->base_fd, &st)) return error_set(e, "%s: %s", o->block.path, strerror(errno));
    memcpy(h->magic, magic, sizeof(magic));
    h->version = 1;
    h->cluster_bits = MIN_CLUSTER_BITS;
    while (h->cluster_bits < MAX_CLUSTER_BITS && o->block.size >> h->cluster_bits >= MAX_CLUSTERS)
        h->cluster_bits++;
    h->image_size = o->block.size;
    h->image_sec = (u64)st.st_mtim.tv_sec;
    h->image_nsec = (u64)st.st_mtim.tv_nsec;
    read_boot_id(h->boot_id);
    return 0;
}

static int set_geometry(struct overlay *o, u32 cluster_bits, struct error *e)
{
    u64 size = BIT64(cluster_bits), clusters = (o->block.size + size - 1) >> cluster_bits;
    if (clusters > MAX_CLUSTERS)
        return error_set(e, "%s is too large for an overlay", o->block.path);
    o->cluster_bits = cluster_bits;
    o->clusters = (u32)clusters;
    o->data_start = (HEADER_SIZE + 4 * clusters + size - 1) & ~(size - 1);
    o->map = xalloc(4 * clusters);
    o->copy = xalloc(size);
    o->next = 1;
    return 0;
}

static int compare_header(const struct overlay *o, const struct header *is,
                          const struct header *want, struct error *e)
{
    const char *file = o->block.writes_to, *image = o->block.path, *what = NULL;
    if (memcmp(is->magic, magic, sizeof(magic)) || is->version != 1 ||
        is->cluster_bits < MIN_CLUSTER_BITS || is->cluster_bits > MAX_CLUSTER_BITS)
        return error_set(e,
                         "%s is not an overlay of this program: move it away, or use --throwaway",
                         file);
    if (is->image_size != want->image_size)
        what = "size";
    else if (is->committing == 1)
        return 0;
    else if (is->image_hash != want->image_hash)
        what = "content";
    else if (is->image_sec != want->image_sec || is->image_nsec != want->image_nsec)
        what = "time stamp";
    if (!what) return 0;
    return error_set(
        e,
        "%s was changed (%s) after %s was made, so they do not fit together: restore the image, or "
        "remove the overlay to forget the changes in it",
        image, what, file);
}

/* Checks every entry once: inside the file, used once, and not lost in a host crash. */
static int load_map(struct overlay *o, bool crashed, struct error *e)
{
    int err = file_pread(o->fd, HEADER_SIZE, o->map, 4ull * o->clusters);
    if (err)
        return error_set(e, "%s is damaged: its map cannot be read (%s)", o->block.writes_to,
                         strerror(-err));
    u64 len = (u64)file_size(o->fd);
    u64 stored = len > o->data_start ? (len - o->data_start) >> o->cluster_bits : 0;
    u8 *seen = xalloc(stored / 8 + 1);
    for (u32 i = 0; i < o->clusters; i++) {
        u32 number = o->map[i] & ~TENTATIVE;
        if (crashed && (o->map[i] & TENTATIVE)) {
            o->map[i] = 0;
            err = write_map(o, i);
            if (err) break;
            continue;
        }
        if (!number) continue;
        if (number > stored || (seen[(number - 1) / 8] & BIT((number - 1) % 8))) {
            free(seen);
            return error_set(e, "%s is damaged: cluster %u of the image points nowhere",
                             o->block.writes_to, i);
        }
        seen[(number - 1) / 8] |= (u8)BIT((number - 1) % 8);
        if (o->map[i] & TENTATIVE) {
            note_tentative(o, i);
            o->unsynced = true;
        }
        o->next = MAX(o->next, number + 1);
    }
    free(seen);
    return err ? error_set(e, "%s: %s while repairing", o->block.writes_to, strerror(-err)) : 0;
}

static int write_header(struct overlay *o, const struct header *h)
{
    u8 page[HEADER_SIZE] = { 0 };
    memcpy(page, h, sizeof(*h));
    return file_pwrite(o->fd, 0, page, sizeof(page));
}

/* The header is written last, so a creation cut short leaves a file without a magic word, not a
 * wrong one. */
static int create_overlay(struct overlay *o, const struct header *h, struct error *e)
{
    if (set_geometry(o, h->cluster_bits, e)) return -1;
    if (o->throwaway) return 0;
    int err = ftruncate(o->fd, (off_t)o->data_start) ? -errno : 0;
    if (!err) err = write_header(o, h);
    if (!err && fdatasync(o->fd)) err = -errno;
    if (!err) return 0;
    return error_set(e, "%s: %s", o->block.writes_to,
                     err == -ENOSPC ? "the host disk is full" : strerror(-err));
}

static int reopen_overlay(struct overlay *o, struct header *want, struct error *e)
{
    struct header is;
    u8 zero[sizeof(magic)] = { 0 };
    if (file_pread(o->fd, 0, &is, sizeof(is))) memset(&is, 0xff, sizeof(is));
    if (!memcmp(is.magic, zero, sizeof(zero)) && file_size(o->fd) >= HEADER_SIZE)
        return create_overlay(o, want, e);
    if (compare_header(o, &is, want, e) || set_geometry(o, is.cluster_bits, e)) return -1;
    bool crashed = memcmp(is.boot_id, want->boot_id, sizeof(is.boot_id)) != 0;
    if (load_map(o, crashed, e)) return -1;
    if (!crashed && is.committing != 1) return 0;
    want->cluster_bits = is.cluster_bits;
    /* The boot id may change only after dropped entries are safe on the disk, the identity of an
     * image whose commit was cut short only after that image is. */
    int err = fdatasync(o->fd) || fsync(o->base_fd) ? -errno : write_header(o, want);
    return err ? error_set(e, "%s: %s", o->block.writes_to, strerror(-err)) : 0;
}

static int open_temporary(struct overlay *o, struct error *e)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir) dir = "/var/tmp";
    o->block.writes_to = xasprintf("temporary file in %s", dir);
    char *name = xasprintf("%s/aeropc-XXXXXX", dir);
    o->fd = mkostemp(name, O_CLOEXEC);
    if (o->fd >= 0) unlink(name);
    free(name);
    return o->fd < 0 ? error_set(e, "%s: %s (set TMPDIR)", o->block.writes_to, strerror(errno)) : 0;
}

static int open_beside(struct overlay *o, bool *fresh, struct error *e)
{
    const char *file = o->block.writes_to = xasprintf("%s.overlay", o->block.path);
    o->fd = open(file, O_RDWR | O_CLOEXEC);
    *fresh = o->fd < 0 && errno == ENOENT;
    if (*fresh) o->fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (o->fd < 0)
        return error_set(
            e, "%s cannot be %s (%s): use --throwaway, or --write to change the image itself", file,
            *fresh ? "created" : "opened", strerror(errno));
    if (file_lock(o->fd, true, file, e)) return -1;
    /* Somebody who only looked may have left an empty file behind. */
    if (file_size(o->fd) == 0) *fresh = true;
    return 0;
}

struct block *block_overlay_open(int base_fd, const char *path, u64 size, bool throwaway,
                                 struct error *e)
{
    struct overlay *o = xalloc(sizeof(*o));
    struct header want = { .version = 0 };
    bool fresh = true;
    o->block.fmt = &overlay_format;
    o->block.path = xstrdup(path);
    o->block.size = size;
    o->base_fd = base_fd;
    o->fd = -1;
    o->throwaway = throwaway;
    int failed = describe_image(o, &want, e);
    if (!failed) failed = throwaway ? open_temporary(o, e) : open_beside(o, &fresh, e);
    if (!failed) failed = fresh ? create_overlay(o, &want, e) : reopen_overlay(o, &want, e);
    if (!failed) return &o->block;
    if (o->fd >= 0) close(o->fd);
    close(base_fd);
    free(o->map);
    free(o->copy);
    free(o->tentative);
    free(o->block.path);
    free(o->block.writes_to);
    free(o);
    return NULL;
}

/* --- committing --- */

static int mark_committing(struct overlay *o)
{
    struct header h;
    int err = file_pread(o->fd, 0, &h, sizeof(h));
    h.committing = 1;
    if (!err) err = write_header(o, &h);
    if (!err && fdatasync(o->fd)) err = -errno;
    return err;
}

static int copy_clusters(struct overlay *o, u64 *bytes)
{
    for (u32 k = 0; k < o->clusters; k++) {
        u64 len = cluster_len(o, k);
        if (!o->map[k]) continue;
        int err = file_pread(o->fd, data_offset(o, o->map[k]), o->copy, len);
        if (!err) err = file_pwrite(o->base_fd, (u64)k << o->cluster_bits, o->copy, len);
        if (err) return err;
        *bytes += len;
    }
    return fsync(o->base_fd) ? -errno : 0;
}

int block_overlay_commit(struct block *b, u64 *bytes, struct error *e)
{
    struct overlay *o = (struct overlay *)b;
    *bytes = 0;
    int err = overlay_flush(b);
    if (!err) err = mark_committing(o);
    if (!err) err = copy_clusters(o, bytes);
    if (!err && unlink(b->writes_to)) err = -errno;
    if (!err) return 0;
    return error_set(e, "%s: %s; nothing is lost, commit again", b->path,
                     err == -ENOSPC ? "the host disk is full" : strerror(-err));
}
