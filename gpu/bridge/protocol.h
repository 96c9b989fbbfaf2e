/* The bridge's messages: what aeropc and the process that executes AeroGPU's commands for it tell
 * each other over a local socket (README.md in this folder). Little-endian, every message starts
 * with struct bridge_header. Clients in C include this header; it needs nothing else of aeropc. */
#ifndef GPU_BRIDGE_PROTOCOL_H
#define GPU_BRIDGE_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define BRIDGE_MAGIC 0x52424741u   /* "AGBR" */
#define BRIDGE_VERSION 0x00010000u /* major << 16 | minor; another major is refused */

enum bridge_type {
    /* from aeropc */
    BRIDGE_HELLO = 1,
    BRIDGE_RESET = 2,
    BRIDGE_SUBMIT = 3,
    /* from the client */
    BRIDGE_CLIENT_HELLO = 0x81,
    BRIDGE_COMPLETE = 0x82,
};

enum {
    BRIDGE_MAX_WRITTEN = 1024, /* ranges in a COMPLETE */
    BRIDGE_MAX_EARLY = 256,    /* how far ahead of the last SUBMIT a COMPLETE may be */
};

struct bridge_header {
    uint32_t type;
    uint32_t size; /* of the message, this header included */
};

/* Guest RAM at `gpa` is at `offset` of the file whose descriptor comes with the HELLO. */
struct bridge_segment {
    uint64_t gpa, size, offset; /* size 0: unused */
};

struct bridge_hello {
    struct bridge_header h;
    uint32_t magic, version;
    uint32_t abi_version;   /* AeroGPU's, as register 004h reads */
    uint32_t segment_count; /* 1 or 2 */
    struct bridge_segment segment[2];
};

struct bridge_client_hello {
    struct bridge_header h;
    uint32_t magic, version;
    char name[32]; /* for the log; NUL-terminated */
};

enum bridge_reset_kind {
    BRIDGE_FORGET_ALL = 0,   /* every object, context and share token */
    BRIDGE_KEEP_OBJECTS = 1, /* contexts and retired share tokens only */
};

struct bridge_reset {
    struct bridge_header h;
    uint32_t kind;
    uint32_t reserved;
    uint64_t next_ticket; /* of the next SUBMIT; earlier ones are discarded */
};

struct bridge_scanout {
    uint64_t gpa;
    uint32_t width, height, format, pitch; /* width 0: scanout 0 shows nothing */
};

struct bridge_submit { /* then range_count bridge_ranges, then stream_size bytes */
    struct bridge_header h;
    uint64_t ticket; /* grows by 1 */
    uint64_t fence;
    uint32_t context_id, flags;
    uint32_t range_count, stream_size;
    struct bridge_scanout scanout;
};

struct bridge_range {
    uint32_t alloc_id, flags; /* sorted by alloc_id; flags bit 0: read only */
    uint64_t gpa, size;
};

struct bridge_complete { /* then range_count bridge_writtens */
    struct bridge_header h;
    uint64_t ticket;
    uint32_t error; /* 0, or AeroGPU's error code 1, 2, 3, FFFFh */
    uint32_t range_count;
};

struct bridge_written {
    uint64_t gpa, size;
};

_Static_assert(sizeof(struct bridge_header) == 8, "header");
_Static_assert(sizeof(struct bridge_segment) == 24, "segment");
_Static_assert(sizeof(struct bridge_hello) == 72, "HELLO");
_Static_assert(offsetof(struct bridge_hello, segment) == 24, "HELLO");
_Static_assert(sizeof(struct bridge_client_hello) == 48, "CLIENT_HELLO");
_Static_assert(sizeof(struct bridge_reset) == 24, "RESET");
_Static_assert(sizeof(struct bridge_scanout) == 24, "scanout");
_Static_assert(sizeof(struct bridge_submit) == 64, "SUBMIT");
_Static_assert(offsetof(struct bridge_submit, context_id) == 24, "SUBMIT");
_Static_assert(offsetof(struct bridge_submit, scanout) == 40, "SUBMIT");
_Static_assert(sizeof(struct bridge_range) == 24, "range");
_Static_assert(sizeof(struct bridge_complete) == 24, "COMPLETE");
_Static_assert(sizeof(struct bridge_written) == 16, "written");

#endif
