/* Files of the host (file.h). Locks are open-file-description locks: they belong to the descriptor,
 * not to the process, so two backends of one process exclude each other too, and the kernel drops
 * them at exit. */
#include "machine/host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_ONLY "%s is read-only: leave out --write and changes go to an overlay"

int file_pread(int fd, u64 offset, void *buf, u64 len)
{
    u8 *p = buf;
    while (len) {
        ssize_t n = pread(fd, p, MIN(len, BIT64(30)), (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return -EIO;
        p += n;
        offset += (u64)n;
        len -= (u64)n;
    }
    return 0;
}

int file_pwrite(int fd, u64 offset, const void *buf, u64 len)
{
    const u8 *p = buf;
    while (len) {
        ssize_t n = pwrite(fd, p, MIN(len, BIT64(30)), (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return -ENOSPC;
        p += n;
        offset += (u64)n;
        len -= (u64)n;
    }
    return 0;
}

i64 file_size(int fd)
{
    struct stat st;
    if (fstat(fd, &st)) return -1;
    if (S_ISREG(st.st_mode)) return st.st_size;
    if (!S_ISBLK(st.st_mode)) return -1;
    return lseek(fd, 0, SEEK_END);
}

int file_lock(int fd, bool exclusive, const char *path, struct error *e)
{
    struct flock lock = { .l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };
    if (!fcntl(fd, F_OFD_SETLK, &lock)) return 0;
    if (errno == EAGAIN || errno == EACCES)
        return error_set(e, "%s is locked: another program is using it%s", path,
                         exclusive ? "" : " for writing");
    /* A file system without locks cannot protect; that is no reason to refuse the image. */
    return 0;
}

int file_open_locked(const char *path, bool write, struct error *e)
{
    int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return error_set(e, "%s: no such file", path);
    if (fd < 0 && write && (errno == EACCES || errno == EROFS || errno == EPERM) &&
        !access(path, R_OK))
        return error_set(e, READ_ONLY, path);
    if (fd < 0) return error_set(e, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st))
        error_set(e, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        error_set(e, "%s is a folder, not an image", path);
    else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        error_set(e, "%s is neither a file nor a disk", path);
    else if (write && S_ISREG(st.st_mode) && !(st.st_mode & 0222))
        error_set(e, READ_ONLY, path); /* for root, too */
    else if (!file_lock(fd, write, path, e))
        return fd;
    close(fd);
    return -1;
}

char *file_load(const char *path, u64 max, u64 *size, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set(e, "%s: %s", path, errno == ENOENT ? "no such file" : strerror(errno));
        return NULL;
    }
    i64 len = file_size(fd);
    char *data = NULL;
    if (len < 0) {
        error_set(e, "%s is not a file", path);
    } else if ((u64)len > max) {
        error_set(e, "%s is too large: %lld bytes, at most %llu", path, (long long)len,
                  (unsigned long long)max);
    } else {
        data = xalloc((size_t)len + 1);
        int err = file_pread(fd, 0, data, (u64)len);
        if (err) {
            error_set(e, "%s: %s", path, strerror(-err));
            free(data);
            data = NULL;
        }
    }
    close(fd);
    if (data && size) *size = (u64)len;
    return data;
}
