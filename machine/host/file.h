/* Files of the host: whole transfers, locks, sizes, one-line messages. */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "machine/core/error.h"
#include "machine/core/types.h"

/* Whole transfers: 0 or -errno; a read past the end gives -EIO. */
int file_pread(int fd, u64 offset, void *buf, u64 len);
int file_pwrite(int fd, u64 offset, const void *buf, u64 len);
/* Size of a file or block device; -1 when it cannot be told. */
i64 file_size(int fd);
/* Opens with a lock that dies with the process: exclusive when write is set, else shared. -1 with a
 * message. */
int file_open_locked(const char *path, bool write, struct error *e);
/* 0, or -1 with a message that names the file. */
int file_lock(int fd, bool exclusive, const char *path, struct error *e);
/* The whole file, NUL-terminated; NULL with a message. Refuses files above max bytes. Free it. */
char *file_load(const char *path, u64 max, u64 *size, struct error *e);

#endif
