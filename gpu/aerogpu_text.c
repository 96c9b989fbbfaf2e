/* AeroGPU in words, for traces and the monitor: packets with the names of their fields, and the
 * registers' names. A packet's fixed part is described by a row: one word per field, in the order
 * of its 32-bit words (names as in aerogpu_abi.h, shortened); ":x" and so on say how the value
 * reads. */
#include <stdio.h>

#include "gpu/aerogpu_cmd.h"

/* ---- values ---- */

struct name {
    u32 value;
    const char *name;
};

static const char *lookup(const struct name *names, size_t n, u32 value)
{
    for (size_t k = 0; k < n; k++) {
        if (names[k].value == value) return names[k].name;
    }
    return NULL;
}

static const struct name formats[] = {
    { AGPU_FMT_B8G8R8A8, "B8G8R8A8" },
    { AGPU_FMT_B8G8R8X8, "B8G8R8X8" },
    { AGPU_FMT_R8G8B8A8, "R8G8B8A8" },
    { AGPU_FMT_R8G8B8X8, "R8G8B8X8" },
    { AGPU_FMT_B5G6R5, "B5G6R5" },
    { AGPU_FMT_B5G5R5A1, "B5G5R5A1" },
    { AGPU_FMT_B8G8R8A8_SRGB, "B8G8R8A8_SRGB" },
    { AGPU_FMT_B8G8R8X8_SRGB, "B8G8R8X8_SRGB" },
    { AGPU_FMT_R8G8B8A8_SRGB, "R8G8B8A8_SRGB" },
    { AGPU_FMT_R8G8B8X8_SRGB, "R8G8B8X8_SRGB" },
    { AGPU_FMT_D24S8, "D24S8" },
    { AGPU_FMT_D32F, "D32F" },
    { AGPU_FMT_BC1, "BC1" },
    { AGPU_FMT_BC1_SRGB, "BC1_SRGB" },
    { AGPU_FMT_BC2, "BC2" },
    { AGPU_FMT_BC2_SRGB, "BC2_SRGB" },
    { AGPU_FMT_BC3, "BC3" },
    { AGPU_FMT_BC3_SRGB, "BC3_SRGB" },
    { AGPU_FMT_BC7, "BC7" },
    { AGPU_FMT_BC7_SRGB, "BC7_SRGB" },
};

static const struct name topologies[] = {
    { AGPU_TOPO_POINTS, "points" },
    { AGPU_TOPO_LINES, "lines" },
    { AGPU_TOPO_LINE_STRIP, "line-strip" },
    { AGPU_TOPO_TRIANGLES, "triangles" },
    { AGPU_TOPO_STRIP, "strip" },
    { AGPU_TOPO_FAN, "fan" },
    { AGPU_TOPO_LINES_ADJ, "lines-adj" },
    { AGPU_TOPO_LINE_STRIP_ADJ, "line-strip-adj" },
    { AGPU_TOPO_TRIANGLES_ADJ, "triangles-adj" },
    { AGPU_TOPO_STRIP_ADJ, "strip-adj" },
};

static const struct name factors[] = {
    { AGPU_BLEND_ZERO, "0" },        { AGPU_BLEND_ONE, "1" },
    { AGPU_BLEND_SRC_ALPHA, "sa" },  { AGPU_BLEND_INV_SRC_ALPHA, "1-sa" },
    { AGPU_BLEND_DEST_ALPHA, "da" }, { AGPU_BLEND_INV_DEST_ALPHA, "1-da" },
    { AGPU_BLEND_CONSTANT, "c" },    { AGPU_BLEND_INV_CONSTANT, "1-c" },
};

static const struct name operations[] = {
    { AGPU_OP_ADD, "+" },   { AGPU_OP_SUBTRACT, "-" }, { AGPU_OP_REV_SUBTRACT, "rev-" },
    { AGPU_OP_MIN, "min" }, { AGPU_OP_MAX, "max" },
};

static const struct name compares[] = {
    { AGPU_CMP_NEVER, "never" },      { AGPU_CMP_LESS, "<" },        { AGPU_CMP_EQUAL, "==" },
    { AGPU_CMP_LESS_EQUAL, "<=" },    { AGPU_CMP_GREATER, ">" },     { AGPU_CMP_NOT_EQUAL, "!=" },
    { AGPU_CMP_GREATER_EQUAL, ">=" }, { AGPU_CMP_ALWAYS, "always" },
};

const char *agpu_format_name(u32 format)
{
    return lookup(formats, LEN(formats), format);
}

static float as_float(u32 v)
{
    float f;
    memcpy(&f, &v, sizeof(f));
    return f;
}

static void add_named(struct text *t, const struct name *names, size_t n, u32 v)
{
    const char *name = lookup(names, n, v);
    if (name)
        text_add(t, "%s", name);
    else
        text_add(t, "%u?", v);
}

/* One value; kinds: see rows[]. */
static void add_value(struct text *t, char kind, u32 low, u32 high)
{
    u64 wide = (u64)high << 32 | low;
    switch (kind) {
    case 'x': text_add(t, "%x", low); break;
    case 'b': text_add(t, "%x", low & 0xff); break;
    case 'i': text_add(t, "%d", (i32)low); break;
    case 'f': text_add(t, "%g", (double)as_float(low)); break;
    case 'q': text_add(t, "%llu", (unsigned long long)wide); break;
    case 't': text_add(t, "%llx", (unsigned long long)wide); break;
    case 'F': add_named(t, formats, LEN(formats), low); break;
    case 'T': add_named(t, topologies, LEN(topologies), low); break;
    case 'B': add_named(t, factors, LEN(factors), low); break;
    case 'O': add_named(t, operations, LEN(operations), low); break;
    case 'C': add_named(t, compares, LEN(compares), low); break;
    default: text_add(t, "%u", low); break;
    }
}

/* ---- packets ---- */

/* Kinds behind ':': x hexadecimal, b the low byte in hexadecimal, i signed, f float, q two words as
 * one number, t the same in hexadecimal, F format, T topology, B blend factor, O blend operation,
 * C comparison; nothing: decimal. '-' is a word that says nothing more. */
#define BINDING "buffer offset size -"
static const struct row {
    u32 opcode;
    const char *fixed, *element; /* of what follows, repeated */
} rows[] = {
    { AGPU_CREATE_BUFFER, "handle usage:x size:q alloc at", NULL },
    { AGPU_CREATE_TEXTURE2D, "handle usage:x format:F width height mips layers pitch alloc at",
      NULL },
    { AGPU_DESTROY_RESOURCE, "handle", NULL },
    { AGPU_RESOURCE_DIRTY_RANGE, "handle - at:q size:q", NULL },
    { AGPU_UPLOAD_RESOURCE, "handle - at:q size:q", NULL },
    { AGPU_COPY_BUFFER, "to from to_at:q from_at:q size:q flags:x", NULL },
    { AGPU_COPY_TEXTURE2D,
      "to from to_mip to_layer from_mip from_layer to_x to_y from_x from_y width height flags:x",
      NULL },
    { AGPU_CREATE_TEXTURE_VIEW, "handle texture format:F mip mips layer layers", NULL },
    { AGPU_DESTROY_TEXTURE_VIEW, "handle", NULL },
    { AGPU_CREATE_SHADER_DXBC, "handle - size", NULL },
    { AGPU_DESTROY_SHADER, "handle", NULL },
    { AGPU_SET_SHADER_CONSTANTS_F, "- from count", ":f :f :f :f" },
    { AGPU_CREATE_INPUT_LAYOUT, "handle size", NULL },
    { AGPU_DESTROY_INPUT_LAYOUT, "handle", NULL },
    { AGPU_SET_INPUT_LAYOUT, "handle", NULL },
    { AGPU_SET_SHADER_CONSTANTS_I, "- from count", ":i :i :i :i" },
    { AGPU_SET_SHADER_CONSTANTS_B, "- from count", NULL },
    { AGPU_SET_BLEND_STATE,
      "enable src:B dst:B op:O mask:b src_a:B dst_a:B op_a:O c:f c:f c:f c:f samples:x", NULL },
    { AGPU_SET_DEPTH_STENCIL_STATE, "depth write func:C stencil masks:x", NULL },
    { AGPU_SET_RASTERIZER_STATE, "fill cull front_ccw scissor bias:i flags:x", NULL },
    { AGPU_SET_RENDER_TARGETS, "count depth", NULL },
    { AGPU_SET_VIEWPORT, "x:f y:f width:f height:f near:f far:f", NULL },
    { AGPU_SET_SCISSOR, "x:i y:i width:i height:i", NULL },
    { AGPU_SET_VERTEX_BUFFERS, "from count", "buffer stride offset -" },
    { AGPU_SET_INDEX_BUFFER, "buffer wide offset", NULL },
    { AGPU_SET_PRIMITIVE_TOPOLOGY, "topology:T", NULL },
    { AGPU_SET_TEXTURE, "- slot texture", NULL },
    { AGPU_SET_SAMPLER_STATE, "- slot state value:x", NULL },
    { AGPU_SET_RENDER_STATE, "state value:x", NULL },
    { AGPU_CREATE_SAMPLER, "handle filter u v w", NULL },
    { AGPU_DESTROY_SAMPLER, "handle", NULL },
    { AGPU_SET_SAMPLERS, "- from count", "sampler" },
    { AGPU_SET_CONSTANT_BUFFERS, "- from count", BINDING },
    { AGPU_SET_SHADER_RESOURCE_BUFFERS, "- from count", BINDING },
    { AGPU_SET_UNORDERED_ACCESS_BUFFERS, "- from count", "buffer offset size counter:x" },
    { AGPU_CLEAR, "flags:x r:f g:f b:f a:f depth:f stencil", NULL },
    { AGPU_DRAW, "vertices instances first first_instance", NULL },
    { AGPU_DRAW_INDEXED, "indices instances first base:i first_instance", NULL },
    { AGPU_DISPATCH, "x y z", NULL },
    { AGPU_PRESENT, "scanout flags:x", NULL },
    { AGPU_PRESENT_EX, "scanout flags:x d3d9_flags:x", NULL },
    { AGPU_EXPORT_SHARED_SURFACE, "handle - token:t", NULL },
    { AGPU_IMPORT_SHARED_SURFACE, "handle - token:t", NULL },
    { AGPU_RELEASE_SHARED_SURFACE, "token:t", NULL },
};

enum { MAX_ELEMENTS = 4, MAX_MARKER = 64 };

/* The fields of `fields` from the words at `at`, as far as they lie before `end`; returns the words
 * used. */
static u32 add_fields(struct text *t, const char *fields, const u8 *at, const u8 *end)
{
    u32 used = 0;
    while (*fields && end - at >= 4) {
        size_t n = strcspn(fields, " "), name = strcspn(fields, ": ");
        char kind = name < n ? fields[name + 1] : 'u';
        bool wide = kind == 'q' || kind == 't';
        if (wide && end - at < 8) break;
        if (*fields != '-') {
            text_add(t, " %.*s%s", (int)name, fields, name ? "=" : "");
            add_value(t, kind, ld32(at), wide ? ld32(at + 4) : 0);
        }
        at += wide ? 8 : 4;
        used += wide ? 2 : 1;
        fields += n + (fields[n] == ' ');
    }
    return used;
}

static void add_elements(struct text *t, const char *element, u32 count, const u8 *at,
                         const u8 *end)
{
    for (u32 k = 0; k < count && k < MAX_ELEMENTS; k++) {
        text_add(t, " [");
        u32 used = add_fields(t, element, at, end);
        text_add(t, " ]");
        if (!used) return;
        at += 4 * used;
    }
    if (count > MAX_ELEMENTS) text_add(t, " ...");
}

static void add_shaders(struct text *t, const void *packet)
{
    struct acmd_shaders b;
    acmd_bind_shaders(packet, &b);
    for (u32 k = 0; k < STAGE_COUNT; k++) {
        if (b.handle[k]) text_add(t, " %s=%u", acmd_stage_name(k), b.handle[k]);
    }
}

static void add_marker(struct text *t, const u8 *at, u32 n)
{
    text_add(t, " \"");
    for (u32 k = 0; k < n && k < MAX_MARKER && at[k]; k++) {
        char c = at[k] >= 32 && at[k] < 127 && at[k] != '"' ? (char)at[k] : '.';
        text_addn(t, &c, 1);
    }
    text_add(t, "\"");
}

const char *acmd_stage_name(u8 stage)
{
    static const char *const names[STAGE_COUNT] = { "vs", "ps", "gs", "hs", "ds", "cs" };
    return stage < STAGE_COUNT ? names[stage] : "?";
}

void acmd_describe(const struct acmd_stream *s, const struct acmd_packet *p, struct text *t)
{
    const u8 *packet = acmd_at(s, p), *at = packet + sizeof(struct agpu_cmd_header);
    u32 size = ld32(packet + 4);
    const u8 *end = packet + size;
    const char *name = acmd_name(p->opcode);
    text_add(t, "%06x %s", p->offset, name ? name : "?");
    if (p->stage != STAGE_NONE) text_add(t, " %s", acmd_stage_name(p->stage));
    if (p->opcode == AGPU_BIND_SHADERS) add_shaders(t, packet);
    if (p->opcode == AGPU_DEBUG_MARKER) add_marker(t, at, (u32)(end - at));
    for (u32 k = 0; k < LEN(rows); k++) {
        if (rows[k].opcode != p->opcode) continue;
        at += 4 * add_fields(t, rows[k].fixed, at, end);
        u32 count = rows[k].element ? ld32(at - 4) : 0;
        if (p->opcode == AGPU_SET_RENDER_TARGETS) {
            add_elements(t, "colour", MIN(ld32(at - 8), (u32)ACMD_TARGETS), at, end);
        } else if (count) {
            if (p->stage != STAGE_NONE) at += 4; /* stage_ex */
            add_elements(t, rows[k].element, count, at, end);
        }
    }
    text_add(t, "\n");
}

/* ---- registers ---- */

const char *agpu_register_name(u32 offset)
{
    static const struct name names[] = {
        { AGPU_R_MAGIC, "MAGIC" },
        { AGPU_R_ABI_VERSION, "ABI_VERSION" },
        { AGPU_R_FEATURES_LO, "FEATURES_LO" },
        { AGPU_R_FEATURES_HI, "FEATURES_HI" },
        { AGPU_R_RING_GPA_LO, "RING_GPA_LO" },
        { AGPU_R_RING_GPA_HI, "RING_GPA_HI" },
        { AGPU_R_RING_SIZE, "RING_SIZE_BYTES" },
        { AGPU_R_RING_CONTROL, "RING_CONTROL" },
        { AGPU_R_FENCE_GPA_LO, "FENCE_GPA_LO" },
        { AGPU_R_FENCE_GPA_HI, "FENCE_GPA_HI" },
        { AGPU_R_COMPLETED_LO, "COMPLETED_FENCE_LO" },
        { AGPU_R_COMPLETED_HI, "COMPLETED_FENCE_HI" },
        { AGPU_R_DOORBELL, "DOORBELL" },
        { AGPU_R_IRQ_STATUS, "IRQ_STATUS" },
        { AGPU_R_IRQ_ENABLE, "IRQ_ENABLE" },
        { AGPU_R_IRQ_ACK, "IRQ_ACK" },
        { AGPU_R_ERROR_CODE, "ERROR_CODE" },
        { AGPU_R_ERROR_FENCE_LO, "ERROR_FENCE_LO" },
        { AGPU_R_ERROR_FENCE_HI, "ERROR_FENCE_HI" },
        { AGPU_R_ERROR_COUNT, "ERROR_COUNT" },
        { AGPU_R_SCAN_ENABLE, "SCANOUT0_ENABLE" },
        { AGPU_R_SCAN_WIDTH, "SCANOUT0_WIDTH" },
        { AGPU_R_SCAN_HEIGHT, "SCANOUT0_HEIGHT" },
        { AGPU_R_SCAN_FORMAT, "SCANOUT0_FORMAT" },
        { AGPU_R_SCAN_PITCH, "SCANOUT0_PITCH_BYTES" },
        { AGPU_R_SCAN_GPA_LO, "SCANOUT0_FB_GPA_LO" },
        { AGPU_R_SCAN_GPA_HI, "SCANOUT0_FB_GPA_HI" },
        { AGPU_R_VBLANK_SEQ_LO, "SCANOUT0_VBLANK_SEQ_LO" },
        { AGPU_R_VBLANK_SEQ_HI, "SCANOUT0_VBLANK_SEQ_HI" },
        { AGPU_R_VBLANK_TIME_LO, "SCANOUT0_VBLANK_TIME_NS_LO" },
        { AGPU_R_VBLANK_TIME_HI, "SCANOUT0_VBLANK_TIME_NS_HI" },
        { AGPU_R_VBLANK_PERIOD, "SCANOUT0_VBLANK_PERIOD_NS" },
        { AGPU_R_CURSOR_ENABLE, "CURSOR_ENABLE" },
        { AGPU_R_CURSOR_X, "CURSOR_X" },
        { AGPU_R_CURSOR_Y, "CURSOR_Y" },
        { AGPU_R_CURSOR_HOT_X, "CURSOR_HOT_X" },
        { AGPU_R_CURSOR_HOT_Y, "CURSOR_HOT_Y" },
        { AGPU_R_CURSOR_WIDTH, "CURSOR_WIDTH" },
        { AGPU_R_CURSOR_HEIGHT, "CURSOR_HEIGHT" },
        { AGPU_R_CURSOR_FORMAT, "CURSOR_FORMAT" },
        { AGPU_R_CURSOR_GPA_LO, "CURSOR_FB_GPA_LO" },
        { AGPU_R_CURSOR_GPA_HI, "CURSOR_FB_GPA_HI" },
        { AGPU_R_CURSOR_PITCH, "CURSOR_PITCH_BYTES" },
    };
    const char *name = lookup(names, LEN(names), offset & ~3u);
    return name ? name : "-";
}
