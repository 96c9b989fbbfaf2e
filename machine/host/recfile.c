/* Files of checked records (recfile.h). */
#include "machine/host/recfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

struct recfile {
    FILE *file;
    char *path;
    u64 bytes;
    bool failed;
    u8 *stored, *data; /* buffers, grown as needed */
    u32 stored_size, data_size;
};

struct file_header {
    char magic[8];
    u32 version, reserved;
};

struct record_header {
    u32 type, size, stored, crc;
};
_Static_assert(sizeof(struct file_header) == 16 && sizeof(struct record_header) == 16, "recfile");

static u32 checksum(const void *data, u32 size)
{
    return size ? (u32)crc32(0, data, size) : 0;
}

/* A buffer of at least `size` bytes, or NULL: its old contents are lost. */
static u8 *room(u8 **buffer, u32 *have, u32 size)
{
    if (*have < size || !*buffer) {
        free(*buffer);
        *have = (MAX(size, 4096u) + 4095) & ~4095u;
        *buffer = aligned_alloc(4096, *have);
        if (!*buffer) *have = 0;
    }
    return *buffer;
}

static struct recfile *wrap(FILE *file, const char *path)
{
    struct recfile *f = xalloc(sizeof(*f));
    f->file = file;
    f->path = xstrdup(path);
    return f;
}

void recfile_close(struct recfile *f)
{
    if (!f) return;
    fclose(f->file);
    free(f->stored);
    free(f->data);
    free(f->path);
    free(f);
}

/* ---- writing ---- */

static bool put(struct recfile *f, const void *data, size_t size)
{
    if (!f->failed && size && fwrite(data, size, 1, f->file) != 1) f->failed = true;
    if (!f->failed) f->bytes += size;
    return !f->failed;
}

struct recfile *recfile_create(const char *path, const char *magic, u32 version, struct error *e)
{
    FILE *file = fopen(path, "wbe");
    struct file_header h = { "", version, 0 };
    if (!file) {
        error_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct recfile *f = wrap(file, path);
    memcpy(h.magic, magic, sizeof(h.magic));
    if (put(f, &h, sizeof(h)) && recfile_flush(f)) return f;
    error_set(e, "%s: %s", path, strerror(errno));
    recfile_close(f);
    return NULL;
}

bool recfile_write(struct recfile *f, u32 type, const void *data, u32 size)
{
    struct record_header h = { type, size, size, checksum(data, size) };
    const void *from = data;
    uLongf stored = compressBound(size);
    check(size <= RECFILE_MAX);
    if (f->failed) return false;
    if (size > 64 && room(&f->stored, &f->stored_size, (u32)stored) &&
        compress2(f->stored, &stored, data, size, 1) == Z_OK && stored < size) {
        h.stored = (u32)stored;
        from = f->stored;
    }
    return put(f, &h, sizeof(h)) && put(f, from, h.stored);
}

bool recfile_flush(struct recfile *f)
{
    if (!f->failed && fflush(f->file)) f->failed = true;
    return !f->failed;
}

u64 recfile_size(const struct recfile *f)
{
    return f->bytes;
}

/* ---- reading ---- */

struct recfile *recfile_open(const char *path, const char *magic, u32 version, struct error *e)
{
    FILE *file = fopen(path, "rbe");
    struct file_header h;
    if (!file) {
        error_set(e, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct recfile *f = wrap(file, path);
    errno = 0;
    if (fread(&h, sizeof(h), 1, file) != 1)
        error_set(e, "%s: %s", path, errno ? strerror(errno) : "no recording: it is too short");
    else if (memcmp(h.magic, magic, sizeof(h.magic)))
        error_set(e, "%s: no recording of this kind", path);
    else if (!h.version || h.version > version)
        error_set(e, "%s: version %u of the format; this program knows up to %u", path, h.version,
                  version);
    else
        return f;
    recfile_close(f);
    return NULL;
}

int recfile_read(struct recfile *f, u32 *type, const u8 **data, u32 *size, struct error *e)
{
    struct record_header h;
    size_t n = fread(&h, 1, sizeof(h), f->file);
    if (!n && !ferror(f->file)) return 0;
    if (n != sizeof(h)) return error_set(e, "%s: cut short", f->path);
    if (h.size > RECFILE_MAX || h.stored > h.size)
        return error_set(e, "%s: damaged: a record of %u bytes", f->path, h.size);
    u8 *to = room(&f->data, &f->data_size, h.size);
    u8 *from = h.stored < h.size ? room(&f->stored, &f->stored_size, h.stored) : to;
    if (!to || !from)
        return error_set(e, "%s: no memory for a record of %u bytes", f->path, h.size);
    if (h.stored && fread(from, h.stored, 1, f->file) != 1)
        return error_set(e, "%s: cut short", f->path);
    uLongf got = h.size;
    if (from != to && (uncompress(to, &got, from, h.stored) != Z_OK || got != h.size))
        return error_set(e, "%s: damaged: a record does not unpack", f->path);
    if (checksum(to, h.size) != h.crc) return error_set(e, "%s: damaged: checksum", f->path);
    *type = h.type;
    *data = to;
    *size = h.size;
    return 1;
}
