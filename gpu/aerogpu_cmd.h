/* The command stream's one validator: executors see only what passed it.
 *
 * acmd_parse() walks a private copy of a stream once. A broken frame (magic, version, a packet size
 * that is too small, no multiple of 4 or past the end, a payload larger than its packet) ends it
 * with an error; the packets before it stay valid and are executed. A packet that is well framed
 * but asks for nonsense (an unknown stage, slots beyond the last one, a copy with unknown flags) is
 * dropped and counted: the guest's driver takes every reported error as the end of the device.
 * Unknown opcodes are skipped by their size, packets that are longer than known are used by their
 * known part. Document: the contract's part "command stream", sections 1 to 4. */
#ifndef GPU_AEROGPU_CMD_H
#define GPU_AEROGPU_CMD_H

#include "gpu/aerogpu_abi.h"
#include "machine/core/text.h"

enum agpu_stage {
    STAGE_VS,
    STAGE_PS,
    STAGE_GS,
    STAGE_HS,
    STAGE_DS,
    STAGE_CS,
    STAGE_COUNT,
    STAGE_NONE = 0xff
};

enum { /* slots per stage */
       ACMD_CONSTANTS_F = 4096,
       ACMD_CONSTANTS_IB = 256,
       ACMD_SAMPLERS = 16,
       ACMD_CONSTANT_BUFFERS = 14,
       ACMD_RESOURCES = 128,
       ACMD_UAVS = 8,
       ACMD_VERTEX_BUFFERS = 32,
       ACMD_TARGETS = 8,
       ACMD_MAX_DIMENSION = 16384, /* texels */
       ACMD_MAX_LAYERS = 2048,
};

struct acmd_packet {
    u32 offset; /* in the stream */
    u16 opcode;
    u8 stage; /* agpu_stage of packets that name one, else STAGE_NONE */
};

struct acmd_stream {
    const u8 *bytes;             /* the caller's copy; outlives the stream */
    u32 size;                    /* valid bytes: the header's size_bytes */
    unsigned minor;              /* of the stream's abi_version */
    struct acmd_packet *packets; /* those with an effect, in order; owned */
    u32 count, capacity;
    bool vsync; /* a PRESENT or PRESENT_EX waits for a vertical blank */
    bool presents;
    enum agpu_error error; /* why parsing ended early, AGPU_E_NONE when it did not */
    const char *reason;    /* static text for people, with the error or the last dropped packet */
    u32 error_offset;
    u32 unknown, dropped; /* packets */
};

/* bytes: `size` of them, as the descriptor's cmd_size_bytes says. Never fails: see error.
 * acmd_free() afterwards. */
void acmd_parse(struct acmd_stream *s, const u8 *bytes, u32 size);
void acmd_free(struct acmd_stream *s);
/* Whether a stream has a vsynced PRESENT, without checking or keeping anything else: enough where
 * nobody executes it. A stream that cannot be walked to its end has none. */
bool acmd_scan_vsync(const u8 *bytes, u32 size);

const char *acmd_name(u32 opcode); /* NULL: unknown */
static inline const void *acmd_at(const struct acmd_stream *s, const struct acmd_packet *p)
{
    return s->bytes + p->offset;
}
/* Bytes behind a packet's fixed part. */
static inline const u8 *acmd_payload(const void *packet, u32 fixed)
{
    return (const u8 *)packet + fixed;
}

/* The packets of several sizes, brought to one form. */
struct acmd_shaders {
    u32 handle[STAGE_COUNT]; /* 0: none */
};
void acmd_bind_shaders(const void *packet, struct acmd_shaders *out);
void acmd_blend_state(const void *packet, struct agpu_set_blend_state *out);
/* Register values of SET_SHADER_CONSTANTS_B: 4 or 16 bytes per register, nonzero is true. */
void acmd_bools(const void *packet, u8 *out);

/* aerogpu_text.c: one line for a trace: offset, name, stage, fields with their names. */
void acmd_describe(const struct acmd_stream *s, const struct acmd_packet *p, struct text *t);
const char *acmd_stage_name(u8 stage);
const char *agpu_format_name(u32 format);   /* NULL: unknown */
const char *agpu_register_name(u32 offset); /* "-": none */

#endif
