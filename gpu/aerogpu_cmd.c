/* The command stream's validator (aerogpu_cmd.h). One table row per opcode: name, size of the fixed
 * part, the check of its contents. */
#include "gpu/aerogpu_cmd.h"

#include <stdlib.h>

#include "machine/core/error.h"

/* What a check may say besides a static reason for dropping the packet. */
static const char overlong[] = "payload larger than the packet";

struct view { /* one packet */
    const void *p;
    u32 size, opcode;
    unsigned minor;
    u8 stage;
};

/* ---- pieces of checks: NULL is fine ---- */

/* Count elements of `bytes` each behind the fixed part. */
static const char *payload(const struct view *v, u32 fixed, u64 count, u32 bytes)
{
    return count * bytes > v->size - fixed ? overlong : NULL;
}

static const char *slots(u32 start, u32 count, u32 limit)
{
    return (u64)start + count > limit ? "slots beyond the last one" : NULL;
}

static const char *any_of(const char *a, const char *b)
{
    return a ? a : b;
}

static bool format_known(u32 f)
{
    return (f >= AGPU_FMT_B8G8R8A8 && f <= AGPU_FMT_R8G8B8X8_SRGB) || f == AGPU_FMT_D24S8 ||
           f == AGPU_FMT_D32F || (f >= AGPU_FMT_BC1 && f <= AGPU_FMT_BC7_SRGB);
}

/* The stage of a packet with shader_stage and reserved0. Streams before minor 3 have no stage_ex.
 */
static u8 decode_stage(u32 stage, u32 ex, unsigned minor)
{
    switch (stage) {
    case AGPU_STAGE_VERTEX: return STAGE_VS;
    case AGPU_STAGE_PIXEL: return STAGE_PS;
    case AGPU_STAGE_GEOMETRY: return STAGE_GS;
    case AGPU_STAGE_COMPUTE: break;
    default: return STAGE_NONE;
    }
    if (minor < 3) return STAGE_CS;
    switch (ex) {
    case AGPU_EX_NONE:
    case AGPU_EX_COMPUTE: return STAGE_CS;
    case AGPU_EX_GEOMETRY: return STAGE_GS;
    case AGPU_EX_HULL: return STAGE_HS;
    case AGPU_EX_DOMAIN: return STAGE_DS;
    default: return STAGE_NONE; /* 1 is not the vertex stage */
    }
}

static const char *take_stage(struct view *v, u32 stage, u32 ex)
{
    v->stage = decode_stage(stage, ex, v->minor);
    return v->stage == STAGE_NONE ? "unknown shader stage" : NULL;
}

/* ---- one check per kind of packet ---- */

static const char *examine_create_buffer(struct view *v)
{
    const struct agpu_create_buffer *p = v->p;
    if (!p->buffer_handle) return "handle 0";
    return !p->size_bytes || p->size_bytes & 3 ? "buffer size is 0 or no multiple of 4" : NULL;
}

static const char *examine_create_texture(struct view *v)
{
    const struct agpu_create_texture2d *p = v->p;
    if (!p->texture_handle) return "handle 0";
    if (!format_known(p->format)) return "unknown format";
    if (!p->width || !p->height || p->width > ACMD_MAX_DIMENSION || p->height > ACMD_MAX_DIMENSION)
        return "texture size";
    if (!p->array_layers || p->array_layers > ACMD_MAX_LAYERS) return "number of array layers";
    u32 longest = MAX(p->width, p->height);
    unsigned levels = 32 - (unsigned)__builtin_clz(longest);
    return !p->mip_levels || p->mip_levels > levels ? "number of mip levels" : NULL;
}

static const char *examine_create_view(struct view *v)
{
    const struct agpu_create_texture_view *p = v->p;
    if (!p->view_handle) return "handle 0";
    if (!format_known(p->format)) return "unknown format";
    return !p->mip_level_count || !p->array_layer_count ? "empty view" : NULL;
}

static const char *examine_upload(struct view *v)
{
    const struct agpu_range_packet *p = v->p;
    return p->size_bytes > v->size - sizeof(*p) ? overlong : NULL;
}

static const char *examine_copy_buffer(struct view *v)
{
    const struct agpu_copy_buffer *p = v->p;
    if (p->flags & ~(u32)AGPU_COPY_WRITEBACK_DST) return "unknown copy flags";
    return (p->dst_offset_bytes | p->src_offset_bytes | p->size_bytes) & 3
               ? "copy is not aligned to 4"
               : NULL;
}

static const char *examine_copy_texture(struct view *v)
{
    const struct agpu_copy_texture2d *p = v->p;
    return p->flags & ~(u32)AGPU_COPY_WRITEBACK_DST ? "unknown copy flags" : NULL;
}

static const char *examine_create_shader(struct view *v)
{
    const struct agpu_create_shader *p = v->p;
    if (p->dxbc_size_bytes > v->size - sizeof(*p)) return overlong;
    if (!p->shader_handle) return "handle 0";
    if (!p->dxbc_size_bytes) return "empty shader";
    return take_stage(v, p->stage, p->stage_ex);
}

static const char *examine_create_layout(struct view *v)
{
    const struct agpu_create_input_layout *p = v->p;
    if (p->blob_size_bytes > v->size - sizeof(*p)) return overlong;
    return !p->input_layout_handle ? "handle 0" : NULL;
}

static const char *examine_stage_array(struct view *v)
{
    static const struct {
        u16 opcode, bytes, limit;
    } kinds[] = {
        { AGPU_SET_SHADER_CONSTANTS_F, 16, ACMD_CONSTANTS_F },
        { AGPU_SET_SHADER_CONSTANTS_I, 16, ACMD_CONSTANTS_IB },
        { AGPU_SET_SHADER_CONSTANTS_B, 4, ACMD_CONSTANTS_IB },
        { AGPU_SET_SAMPLERS, 4, ACMD_SAMPLERS },
        { AGPU_SET_CONSTANT_BUFFERS, 16, ACMD_CONSTANT_BUFFERS },
        { AGPU_SET_SHADER_RESOURCE_BUFFERS, 16, ACMD_RESOURCES },
        { AGPU_SET_UNORDERED_ACCESS_BUFFERS, 16, ACMD_UAVS },
    };
    const struct agpu_stage_array *p = v->p;
    for (unsigned k = 0; k < LEN(kinds); k++) {
        if (kinds[k].opcode != v->opcode) continue;
        const char *why = payload(v, sizeof(*p), p->count, kinds[k].bytes);
        if (!why) why = slots(p->start, p->count, kinds[k].limit);
        return any_of(why, take_stage(v, p->stage, p->stage_ex));
    }
    return NULL;
}

static const char *examine_targets(struct view *v)
{
    const struct agpu_set_render_targets *p = v->p;
    return p->color_count > ACMD_TARGETS ? "more than 8 colour targets" : NULL;
}

static const char *examine_vertex_buffers(struct view *v)
{
    const struct agpu_set_vertex_buffers *p = v->p;
    const char *why = payload(v, sizeof(*p), p->buffer_count, sizeof(struct agpu_vertex_binding));
    return any_of(why, slots(p->start_slot, p->buffer_count, ACMD_VERTEX_BUFFERS));
}

static const char *examine_index_buffer(struct view *v)
{
    const struct agpu_set_index_buffer *p = v->p;
    return p->format > AGPU_INDEX_32 ? "unknown index format" : NULL;
}

static const char *examine_topology(struct view *v)
{
    u32 t = ((const struct agpu_handle_packet *)v->p)->handle;
    bool known = (t >= AGPU_TOPO_POINTS && t <= AGPU_TOPO_FAN) ||
                 (t >= AGPU_TOPO_LINES_ADJ && t <= AGPU_TOPO_STRIP_ADJ) ||
                 (t >= AGPU_TOPO_PATCH_1 && t <= AGPU_TOPO_PATCH_32);
    return known ? NULL : "unknown topology";
}

static const char *examine_texture(struct view *v)
{
    const struct agpu_set_texture *p = v->p;
    return any_of(slots(p->slot, 1, ACMD_RESOURCES), take_stage(v, p->stage, p->stage_ex));
}

static const char *examine_sampler_state(struct view *v)
{
    const struct agpu_set_sampler_state *p = v->p;
    return any_of(slots(p->slot, 1, ACMD_SAMPLERS), take_stage(v, p->stage, 0));
}

static const char *examine_create_handle(struct view *v)
{
    return !((const struct agpu_handle_packet *)v->p)->handle ? "handle 0" : NULL;
}

static const char *examine_dispatch(struct view *v)
{
    return take_stage(v, AGPU_STAGE_COMPUTE, ((const struct agpu_dispatch *)v->p)->stage_ex);
}

static const char *examine_share(struct view *v)
{
    const struct agpu_share_packet *p = v->p;
    return !p->handle ? "handle 0" : !p->share_token ? "share token 0" : NULL;
}

/* ---- the table ---- */

#define examine_nothing NULL
static const struct opcode {
    u16 code, fixed;
    const char *name;
    const char *(*examine)(struct view *v);
} opcodes[] = {
#define ROW(code, name, type, what) { code, sizeof(struct type), #name, examine_##what },
    AGPU_PACKETS(ROW)
#undef ROW
};

static const struct opcode *find(u32 code)
{
    unsigned lo = 0, hi = LEN(opcodes);
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (opcodes[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < LEN(opcodes) && opcodes[lo].code == code ? &opcodes[lo] : NULL;
}

const char *acmd_name(u32 opcode)
{
    const struct opcode *o = find(opcode);
    return o ? o->name : NULL;
}

/* Shorter than the structure, and legal. */
static u32 least_size(const struct opcode *o)
{
    return o->code == AGPU_SET_BLEND_STATE ? AGPU_BLEND_STATE_MIN : o->fixed;
}

/* ---- walking ---- */

static bool fail(struct acmd_stream *s, enum agpu_error error, u32 at, const char *reason)
{
    s->error = error;
    s->error_offset = at;
    s->reason = reason;
    return false;
}

static bool check_header(struct acmd_stream *s, u32 size)
{
    struct agpu_stream_header h;
    if (size < sizeof(h)) return fail(s, AGPU_E_CMD_DECODE, 0, "shorter than a stream header");
    memcpy(&h, s->bytes, sizeof(h));
    if (h.magic != AGPU_CMD_MAGIC) return fail(s, AGPU_E_CMD_DECODE, 0, "stream magic");
    if (h.abi_version >> 16 != AGPU_ABI_MAJOR)
        return fail(s, AGPU_E_CMD_DECODE, 4, "stream version");
    if (h.size_bytes < sizeof(h) || h.size_bytes & 3)
        return fail(s, AGPU_E_CMD_DECODE, 8, "stream size");
    if (h.size_bytes > size) return fail(s, AGPU_E_OOB, 8, "stream larger than its window");
    s->size = h.size_bytes;
    s->minor = h.abi_version & 0xffff;
    return true;
}

static void keep(struct acmd_stream *s, u32 offset, const struct view *v)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->packets = xrealloc(s->packets, s->capacity * sizeof(*s->packets));
    }
    s->packets[s->count++] = (struct acmd_packet){ offset, (u16)v->opcode, v->stage };
}

static bool has_effect(u32 opcode)
{
    return opcode != AGPU_NOP && opcode != AGPU_DEBUG_MARKER && opcode != AGPU_FLUSH;
}

/* The packet at `offset`, whose frame is good. */
static bool take(struct acmd_stream *s, u32 offset, u32 size)
{
    struct view v = { s->bytes + offset, size, ld32(s->bytes + offset), s->minor, STAGE_NONE };
    const struct opcode *o = find(v.opcode);
    if (!o) {
        s->unknown++;
        return true;
    }
    if (size < least_size(o))
        return fail(s, AGPU_E_CMD_DECODE, offset, "packet smaller than its fixed part");
    const char *why = o->examine ? o->examine(&v) : NULL;
    if (why == overlong) return fail(s, AGPU_E_CMD_DECODE, offset, overlong);
    if (why) {
        s->dropped++;
        s->reason = why;
        return true;
    }
    if (v.opcode == AGPU_PRESENT || v.opcode == AGPU_PRESENT_EX) {
        s->presents = true;
        if (((const struct agpu_present *)v.p)->flags & AGPU_PRESENT_VSYNC) s->vsync = true;
    }
    if (has_effect(v.opcode)) keep(s, offset, &v);
    return true;
}

void acmd_parse(struct acmd_stream *s, const u8 *bytes, u32 size)
{
    *s = (struct acmd_stream){ .bytes = bytes };
    if (!check_header(s, size)) return;
    for (u32 at = sizeof(struct agpu_stream_header); at < s->size;) {
        if (s->size - at < sizeof(struct agpu_cmd_header)) {
            fail(s, AGPU_E_CMD_DECODE, at, "bytes behind the last packet");
            return;
        }
        u32 length = ld32(bytes + at + 4);
        if (length < sizeof(struct agpu_cmd_header) || length & 3 || length > s->size - at) {
            fail(s, AGPU_E_CMD_DECODE, at, "packet size");
            return;
        }
        if (!take(s, at, length)) return;
        at += length;
    }
}

void acmd_free(struct acmd_stream *s)
{
    free(s->packets);
    s->packets = NULL;
    s->count = s->capacity = 0;
}

bool acmd_scan_vsync(const u8 *bytes, u32 size)
{
    struct acmd_stream s = { .bytes = bytes };
    bool vsync = false;
    if (!check_header(&s, size)) return false;
    for (u32 at = sizeof(struct agpu_stream_header); at < s.size;) {
        if (s.size - at < sizeof(struct agpu_cmd_header)) return false;
        u32 opcode = ld32(bytes + at), length = ld32(bytes + at + 4);
        if (length < sizeof(struct agpu_cmd_header) || length & 3 || length > s.size - at)
            return false;
        if ((opcode == AGPU_PRESENT || opcode == AGPU_PRESENT_EX) &&
            length >= sizeof(struct agpu_present) &&
            ld32(bytes + at + offsetof(struct agpu_present, flags)) & AGPU_PRESENT_VSYNC)
            vsync = true;
        at += length;
    }
    return vsync;
}

/* ---- packets of several forms ---- */

void acmd_bind_shaders(const void *packet, struct acmd_shaders *out)
{
    const struct agpu_bind_shaders *p = packet;
    *out = (struct acmd_shaders){ { 0 } };
    out->handle[STAGE_VS] = p->vs;
    out->handle[STAGE_PS] = p->ps;
    out->handle[STAGE_CS] = p->cs;
    if (p->hdr.size_bytes >= sizeof(*p) + 12) {
        const u8 *more = acmd_payload(p, sizeof(*p));
        out->handle[STAGE_GS] = ld32(more);
        out->handle[STAGE_HS] = ld32(more + 4);
        out->handle[STAGE_DS] = ld32(more + 8);
    } else if (p->hdr.size_bytes == sizeof(*p)) {
        out->handle[STAGE_GS] = p->reserved0;
    }
}

void acmd_blend_state(const void *packet, struct agpu_set_blend_state *out)
{
    u32 size = ((const struct agpu_cmd_header *)packet)->size_bytes;
    memset(out, 0, sizeof(*out));
    memcpy(out, packet, MIN(size, sizeof(*out)));
    if (size < offsetof(struct agpu_set_blend_state, src_factor_alpha) + 4)
        out->src_factor_alpha = out->src_factor;
    if (size < offsetof(struct agpu_set_blend_state, dst_factor_alpha) + 4)
        out->dst_factor_alpha = out->dst_factor;
    if (size < offsetof(struct agpu_set_blend_state, blend_op_alpha) + 4)
        out->blend_op_alpha = out->blend_op;
    for (unsigned k = 0; k < 4; k++) {
        if (size < offsetof(struct agpu_set_blend_state, constant) + 4 * (k + 1))
            out->constant[k] = 1.0f;
    }
    if (size < sizeof(*out)) out->sample_mask = 0xffffffff;
}

void acmd_bools(const void *packet, u8 *out)
{
    const struct agpu_stage_array *p = packet;
    const u8 *data = acmd_payload(p, sizeof(*p));
    bool wide = (u64)p->count * 16 <= p->hdr.size_bytes - sizeof(*p);
    for (u32 k = 0; k < p->count; k++) {
        const u8 *at = data + (size_t)k * (wide ? 16 : 4);
        out[k] = ld32(at) != 0;
        if (wide && (ld32(at + 4) || ld32(at + 8) || ld32(at + 12))) out[k] = 1;
    }
}
