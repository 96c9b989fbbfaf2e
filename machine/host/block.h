/* Block backends: the contents of disks, CDs and floppies as devices see them.
 *
 * A device submits a struct block_req and gets its done() on the machine thread a fixed virtual
 * time later, the same in every run, whatever the host's disk does. Requests of one backend
 * complete in order; the host I/O of a request happens just before its done(). When the host fails
 * (disk full, I/O error) the guest sees nothing: the backend asks the machine to stop with one
 * message and tries again once virtual time moves on, so a `cont` after making room loses nothing. A
 * device that would rather tell the guest sets report_errors: the request then ends with an error.
 * Offsets and lengths are multiples of 512. */
#ifndef HOST_BLOCK_H
#define HOST_BLOCK_H

#include <sys/uio.h>

#include "machine/core/clock.h"
#include "machine/core/error.h"
#include "machine/core/types.h"

struct host_if;
struct block;
enum block_op { BLOCK_OP_READ, BLOCK_OP_WRITE, BLOCK_OP_FLUSH, BLOCK_OP_DISCARD };

struct block_req {
    enum block_op op;
    u64 offset, bytes;
    const struct iovec *iov; /* caller's, until done; covers `bytes` for reads and writes */
    unsigned iovcnt;
    void (*done)(void *opaque);
    void *opaque;
    int error; /* at done(): 0, or -errno when the backend reports errors */
    /* block.c's own: */
    struct block_req *next;
    u64 due;
    bool pending;
};

enum block_mode {
    BLOCK_OVERLAY,   /* writes go to IMAGE.overlay, the image is only read */
    BLOCK_WRITE,     /* --write: the image itself is written */
    BLOCK_THROWAWAY, /* --throwaway: writes go to an anonymous temporary file */
    BLOCK_READONLY,  /* CD images */
};

/* A storage format. Each returns 0 or a negative errno; all calls are synchronous. */
struct block_format {
    const char *name;
    int (*pread)(struct block *b, u64 offset, void *buf, u64 len);
    int (*pwrite)(struct block *b, u64 offset, const void *buf, u64 len);
    int (*flush)(struct block *b);
    int (*discard)(struct block *b, u64 offset, u64 len);
    void (*close)(struct block *b);
};

struct block {
    const struct block_format *fmt;
    char *path;      /* of the image, for messages */
    char *writes_to; /* the file that grows, for messages */
    u64 size;
    bool readonly; /* writes are refused by the device above */
    bool report_errors; /* failed requests are the device's to handle; else the machine stops */
    /* block.c's own: */
    struct host_if *host;
    struct timer timer;
    struct block_req *head, *tail;
    bool stalled; /* the last attempt failed; said so already */
};

struct block *block_open(const char *path, enum block_mode mode, struct error *e);
/* Flushes and frees. Nothing may be pending: devices cancel in their fini. */
void block_close(struct block *b);

/* The device in front calls this in init; a backend has one device at a time. */
void block_attach(struct block *b, struct host_if *host);
void block_detach(struct block *b);
void block_submit(struct block *b, struct block_req *r);
/* Forgets a pending request; its done() will not be called. */
void block_cancel(struct block *b, struct block_req *r);

/* Immediate access for those who prepare a machine and for tests; 0 or -errno. */
int block_pread(struct block *b, u64 offset, void *buf, u64 len);
int block_pwrite(struct block *b, u64 offset, const void *buf, u64 len);
int block_flush(struct block *b);

/* The formats. fd ownership passes to the block. */
struct block *block_raw_open(int fd, const char *path, u64 size, bool readonly);
/* A folder as a read-only ISO 9660 disc. */
struct block *block_dir_open(const char *path, struct error *e);
struct block *block_overlay_open(int base_fd, const char *path, u64 size, bool throwaway,
                                 struct error *e);
/* base_fd was opened for writing. The overlay's file is gone afterwards: close b. */
int block_overlay_commit(struct block *b, u64 *bytes, struct error *e);
/* Writes the overlay beside the image into it and removes the overlay; -1 with a message. */
int block_commit(const char *path, u64 *bytes, struct error *e);

#endif
