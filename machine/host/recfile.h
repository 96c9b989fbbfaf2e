/* Files of checked records: a magic, a version, then records of a type and some bytes, each
 * deflated when that makes it smaller, each with a checksum. Written from beginning to end, read
 * likewise; a file that ends between two records is whole. Used by the recorder of AeroGPU's
 * submissions (gpu/record.h).
 *
 * Layout, little-endian: 8 bytes of magic, u32 version, u32 0; records { u32 type, u32 bytes, u32
 * stored bytes, u32 CRC-32 of the bytes, then what is stored }: as it is when both sizes are equal,
 * else as a zlib stream. */
#ifndef HOST_RECFILE_H
#define HOST_RECFILE_H

#include "machine/core/error.h"
#include "machine/core/types.h"

enum { RECFILE_MAX = 96 << 20 }; /* bytes of one record */

struct recfile;

/* An existing file is overwritten. magic: 8 bytes. NULL with a message. */
struct recfile *recfile_create(const char *path, const char *magic, u32 version, struct error *e);
/* False: the host refuses more (disk full, say); later writes do nothing. */
bool recfile_write(struct recfile *f, u32 type, const void *data, u32 size);
bool recfile_flush(struct recfile *f);
u64 recfile_size(const struct recfile *f); /* bytes written */

/* NULL with a message: cannot be read, another magic, or a newer version than `version`. */
struct recfile *recfile_open(const char *path, const char *magic, u32 version, struct error *e);
/* The next record: 1, with data that is the file's until the next call, 16-byte aligned. 0: the
 * end. -1 with a message: cut short, damaged, or larger than RECFILE_MAX. */
int recfile_read(struct recfile *f, u32 *type, const u8 **data, u32 *size, struct error *e);

void recfile_close(struct recfile *f); /* NULL is fine */

#endif
