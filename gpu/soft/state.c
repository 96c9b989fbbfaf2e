/* Packets that set pipeline state (state.h). */
#include "gpu/soft/state.h"

#include <stdlib.h>

#include "machine/core/error.h"

/* ---- defaults ---- */

static void default_render_states(u32 *rs)
{
    static const struct {
        u16 state;
        u32 value;
    } initial[] = {
        { RS_ZENABLE, 1 },
        { RS_FILLMODE, 3 },
        { RS_SHADEMODE, 2 },
        { RS_ZWRITEENABLE, 1 },
        { RS_SRCBLEND, 2 },
        { RS_DESTBLEND, 1 },
        { RS_CULLMODE, 3 },
        { RS_ZFUNC, 4 },
        { RS_ALPHAFUNC, 8 },
        { RS_FOGEND, 0x3f800000 },
        { RS_FOGDENSITY, 0x3f800000 },
        { RS_STENCILFAIL, 1 },
        { RS_STENCILZFAIL, 1 },
        { RS_STENCILPASS, 1 },
        { RS_STENCILFUNC, 8 },
        { RS_STENCILMASK, 0xffffffff },
        { RS_STENCILWRITEMASK, 0xffffffff },
        { RS_POINTSIZE, 0x3f800000 },
        { RS_COLORWRITEENABLE, 15 },
        { RS_BLENDOP, 1 },
        { RS_CCW_STENCILFAIL, 1 },
        { RS_CCW_STENCILZFAIL, 1 },
        { RS_CCW_STENCILPASS, 1 },
        { RS_CCW_STENCILFUNC, 8 },
        { RS_COLORWRITEENABLE1, 15 },
        { RS_COLORWRITEENABLE1 + 1, 15 },
        { RS_COLORWRITEENABLE1 + 2, 15 },
        { RS_BLENDFACTOR, 0xffffffff },
    };
    for (unsigned k = 0; k < LEN(initial); k++) rs[initial[k].state] = initial[k].value;
}

void context_init(struct context *c, u32 id)
{
    memset(c, 0, sizeof(*c));
    c->id = id;
    c->topology = AGPU_TOPO_TRIANGLES;
    c->depth_func9 = AGPU_CMP_LESS_EQUAL;
    c->cull9 = 3;
    default_render_states(c->render_state);
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        for (unsigned k = 0; k < ACMD_SAMPLERS; k++) {
            u32 *v = c->stage[s].sampler_state[k];
            v[SS_ADDRESSU] = v[SS_ADDRESSV] = v[SS_ADDRESSW] = 1;
            v[SS_MAGFILTER] = v[SS_MINFILTER] = 1;
            v[SS_MAXANISOTROPY] = 1;
        }
    }
    c->blend = (struct agpu_set_blend_state){ .src_factor = AGPU_BLEND_ONE,
                                              .src_factor_alpha = AGPU_BLEND_ONE,
                                              .color_write_mask = 15,
                                              .constant = { 1, 1, 1, 1 },
                                              .sample_mask = 0xffffffff };
    c->depth = (struct agpu_set_depth_stencil_state){ .depth_enable = 1,
                                                      .depth_write_enable = 1,
                                                      .depth_func = AGPU_CMP_LESS,
                                                      .stencil_read_mask = 255,
                                                      .stencil_write_mask = 255 };
    c->raster = (struct agpu_set_rasterizer_state){ .cull_mode = AGPU_CULL_BACK };
}

void context_fini(struct context *c)
{
    for (unsigned s = 0; s < STAGE_COUNT; s++) free(c->stage[s].constants);
}

/* ---- per-stage arrays ---- */

static void set_constants(struct stage_state *st, const struct agpu_stage_array *p)
{
    u32 need = p->start + p->count;
    if (!p->count) return;
    if (need > st->constant_count) {
        u32 n = need <= D3D9_CONSTANTS ? (u32)D3D9_CONSTANTS : (u32)ACMD_CONSTANTS_F;
        st->constants = xrealloc(st->constants, n * sizeof(*st->constants));
        memset(st->constants + st->constant_count, 0,
               (n - st->constant_count) * sizeof(*st->constants));
        st->constant_count = n;
    }
    memcpy(st->constants + p->start, acmd_payload(p, sizeof(*p)),
           p->count * sizeof(*st->constants));
}

static const struct agpu_buffer_binding *bindings(const struct agpu_stage_array *p)
{
    return (const struct agpu_buffer_binding *)acmd_payload(p, sizeof(*p));
}

/* A buffer is either read or written: binding it as one takes it out of the other's slots. */
static void unbind_uavs(struct context *c, u32 buffer)
{
    for (unsigned s = 0; buffer && s < STAGE_COUNT; s++) {
        for (unsigned k = 0; k < ACMD_UAVS; k++) {
            if (c->stage[s].uavs[k].buffer == buffer) c->stage[s].uavs[k].buffer = 0;
        }
    }
}

static void unbind_resources(struct context *c, u32 buffer)
{
    for (unsigned s = 0; buffer && s < STAGE_COUNT; s++) {
        for (unsigned k = 0; k < ACMD_RESOURCES; k++) {
            if (c->stage[s].resources[k].buffer == buffer) c->stage[s].resources[k].buffer = 0;
        }
    }
}

static void set_resources(struct context *c, struct stage_state *st,
                          const struct agpu_stage_array *p)
{
    for (u32 k = 0; k < p->count; k++) {
        st->resources[p->start + k] = bindings(p)[k];
        st->textures[p->start + k] = 0;
        unbind_uavs(c, bindings(p)[k].buffer);
    }
}

static void set_uavs(struct context *c, struct stage_state *st, const struct agpu_stage_array *p)
{
    for (u32 k = 0; k < p->count; k++) {
        unbind_resources(c, bindings(p)[k].buffer);
        st->uavs[p->start + k] = bindings(p)[k];
    }
}

static bool apply_array(struct context *c, struct stage_state *st, u16 opcode,
                        const struct agpu_stage_array *p)
{
    const u8 *data = acmd_payload(p, sizeof(*p));
    switch (opcode) {
    case AGPU_SET_SHADER_CONSTANTS_F: set_constants(st, p); return true;
    case AGPU_SET_SHADER_CONSTANTS_I:
        memcpy(st->integers + p->start, data, p->count * sizeof(st->integers[0]));
        return true;
    case AGPU_SET_SHADER_CONSTANTS_B: acmd_bools(p, st->bools + p->start); return true;
    case AGPU_SET_SAMPLERS:
        memcpy(st->samplers + p->start, data, p->count * sizeof(st->samplers[0]));
        c->flavour = FLAVOUR_D3D10;
        return true;
    case AGPU_SET_CONSTANT_BUFFERS:
        memcpy(st->constant_buffers + p->start, data, p->count * 16);
        return true;
    case AGPU_SET_SHADER_RESOURCE_BUFFERS: set_resources(c, st, p); return true;
    case AGPU_SET_UNORDERED_ACCESS_BUFFERS: set_uavs(c, st, p); return true;
    default: return false;
    }
}

/* ---- single states ---- */

static void set_render_state(struct context *c, u32 state, u32 value)
{
    c->flavour = FLAVOUR_D3D9;
    if (state >= D3D9_RENDER_STATES) return;
    c->render_state[state] = value;
    if (state == RS_ZFUNC && value >= 1 && value <= 8)
        c->depth_func9 = (u8)(value - 1); /* 0 keeps the function */
    if (state == RS_CULLMODE && value <= 3) c->cull9 = value ? (u8)value : 1;
}

static float limited(float v, float limit)
{
    if (v != v) return 0;
    return v > limit ? limit : v < -limit ? -limit : v;
}

static void set_viewport(struct context *c, const struct agpu_set_viewport *p)
{
    const float v[6] = { p->x, p->y, p->width, p->height, p->min_depth, p->max_depth };
    for (unsigned k = 0; k < 6; k++) c->viewport[k] = limited(v[k], k < 4 ? 32768.0f : 1e30f);
    c->viewport_seen = true;
    c->viewport_set = c->viewport[2] > 0 && c->viewport[3] > 0;
}

static void set_targets(struct context *c, const struct agpu_set_render_targets *p)
{
    memset(c->targets, 0, sizeof(c->targets));
    memcpy(c->targets, p->colors, p->color_count * sizeof(p->colors[0]));
    c->target_count = p->color_count;
    c->depth_stencil = p->depth_stencil;
}

static void set_texture(struct context *c, u8 stage, const struct agpu_set_texture *p)
{
    c->stage[stage].textures[p->slot] = p->texture;
    c->stage[stage].resources[p->slot].buffer = 0;
}

static bool apply_d3d10(struct context *c, u16 opcode, const void *p)
{
    switch (opcode) {
    case AGPU_SET_BLEND_STATE:
        acmd_blend_state(p, &c->blend);
        c->blend_set = true;
        break;
    case AGPU_SET_DEPTH_STENCIL_STATE:
        memcpy(&c->depth, p, sizeof(c->depth));
        c->depth_set = true;
        break;
    case AGPU_SET_RASTERIZER_STATE: {
        u32 cull = c->raster.cull_mode;
        memcpy(&c->raster, p, sizeof(c->raster));
        if (c->raster.cull_mode > AGPU_CULL_BACK) c->raster.cull_mode = cull;
        c->raster_set = true;
        break;
    }
    default: return false;
    }
    c->flavour = FLAVOUR_D3D10;
    return true;
}

static bool apply_assembler(struct context *c, u16 opcode, const void *packet)
{
    const struct agpu_set_vertex_buffers *vb = packet;
    const struct agpu_set_index_buffer *ib = packet;
    switch (opcode) {
    case AGPU_SET_VERTEX_BUFFERS:
        memcpy(c->vertex_buffers + vb->start_slot, acmd_payload(vb, sizeof(*vb)),
               vb->buffer_count * sizeof(c->vertex_buffers[0]));
        return true;
    case AGPU_SET_INDEX_BUFFER:
        c->index_buffer = ib->buffer;
        c->index_format = ib->format;
        c->index_offset = ib->offset_bytes;
        return true;
    case AGPU_SET_PRIMITIVE_TOPOLOGY:
        c->topology = ((const struct agpu_handle_packet *)packet)->handle;
        return true;
    case AGPU_SET_INPUT_LAYOUT:
        c->input_layout = ((const struct agpu_handle_packet *)packet)->handle;
        return true;
    default: return false;
    }
}

bool context_apply(struct context *c, const struct acmd_stream *s, const struct acmd_packet *p)
{
    const void *packet = acmd_at(s, p);
    const struct agpu_set_sampler_state *ss = packet;
    struct acmd_shaders bound;
    switch (p->opcode) {
    case AGPU_BIND_SHADERS:
        acmd_bind_shaders(packet, &bound);
        memcpy(c->shaders, bound.handle, sizeof(c->shaders));
        return true;
    case AGPU_SET_RENDER_STATE:
        set_render_state(c, ((const struct agpu_set_render_state *)packet)->state,
                         ((const struct agpu_set_render_state *)packet)->value);
        return true;
    case AGPU_SET_SAMPLER_STATE:
        c->flavour = FLAVOUR_D3D9;
        if (ss->state < D3D9_SAMPLER_STATES)
            c->stage[p->stage].sampler_state[ss->slot][ss->state] = ss->value;
        return true;
    case AGPU_SET_TEXTURE: set_texture(c, p->stage, packet); return true;
    case AGPU_SET_RENDER_TARGETS: set_targets(c, packet); return true;
    case AGPU_SET_VIEWPORT: set_viewport(c, packet); return true;
    case AGPU_SET_SCISSOR:
        memcpy(c->scissor, &((const struct agpu_set_scissor *)packet)->x, sizeof(c->scissor));
        c->scissor_set = true;
        return true;
    default: break;
    }
    if (apply_d3d10(c, p->opcode, packet) || apply_assembler(c, p->opcode, packet)) return true;
    return p->stage != STAGE_NONE && apply_array(c, &c->stage[p->stage], p->opcode, packet);
}
