/* Command streams as fuzz inputs: an input is a sequence of { 32-bit length, a stream of that many
 * bytes }. A stream's `reserved` words say how it is submitted: the first one's low byte the
 * context, the second byte the allocation table. Mutations keep the framing sound (mostly), use the
 * handles that the seeds use, and know which opcodes exist. */
#ifndef TESTS_FUZZ_GPU_STREAM_H
#define TESTS_FUZZ_GPU_STREAM_H

#include "machine/core/types.h"

/* Handles of the seeds, by kind: 4 of each from these on. */
enum {
    H_TEXTURE = 1,
    H_BUFFER = 5,
    H_SHADER = 9,
    H_LAYOUT = 13,
    H_SAMPLER = 17,
    H_VIEW = 21,
    H_END = 25
};

/* Sequence n of our own making; 0: there are no more. */
size_t stream_seed(unsigned n, u8 *out, size_t cap);
size_t stream_mutate(u8 *p, size_t size, size_t max, unsigned seed);
/* Packets of `b` into a copy of `a`. */
size_t stream_cross(const u8 *a, size_t na, const u8 *b, size_t nb, u8 *out, size_t max,
                    unsigned seed);

/* Streams in the making. */
struct maker {
    u8 *p;
    size_t n, cap, stream; /* stream: offset of the open one's length */
    bool full;
};
void make_stream(struct maker *m, u32 context, u32 table);
void make_bytes(struct maker *m, const void *p, size_t n);
/* A packet of words; its size is filled in. */
void make_packet(struct maker *m, u32 opcode, const u32 *words, u32 count, const void *payload,
                 u32 bytes);
#define MAKE(m, opcode, ...)                                                                       \
    make_packet(m, opcode, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4, \
                NULL, 0)
void make_end(struct maker *m);

#endif
