/* Pipeline state of one context: everything that BIND_* and SET_* packets say, as they said it.
 * Objects are kept as handles and looked up when they are used. Document: the contract's part
 * "command stream", sections 4, 7 and 9.2. */
#ifndef GPU_SOFT_STATE_H
#define GPU_SOFT_STATE_H

#include "gpu/aerogpu_cmd.h"

enum { D3D9_RENDER_STATES = 256, D3D9_SAMPLER_STATES = 16, D3D9_CONSTANTS = 256 };

/* D3DRENDERSTATETYPE numbers that the device interprets */
enum {
    RS_ZENABLE = 7,
    RS_FILLMODE = 8,
    RS_SHADEMODE = 9,
    RS_ZWRITEENABLE = 14,
    RS_ALPHATESTENABLE = 15,
    RS_FRONTCCW = 18,
    RS_SRCBLEND = 19,
    RS_DESTBLEND = 20,
    RS_CULLMODE = 22,
    RS_ZFUNC = 23,
    RS_ALPHAREF = 24,
    RS_ALPHAFUNC = 25,
    RS_ALPHABLENDENABLE = 27,
    RS_FOGENABLE = 28,
    RS_FOGCOLOR = 34,
    RS_FOGTABLEMODE = 35,
    RS_FOGSTART = 36,
    RS_FOGEND = 37,
    RS_FOGDENSITY = 38,
    RS_STENCILENABLE = 52,
    RS_STENCILFAIL = 53,
    RS_STENCILZFAIL = 54,
    RS_STENCILPASS = 55,
    RS_STENCILFUNC = 56,
    RS_STENCILREF = 57,
    RS_STENCILMASK = 58,
    RS_STENCILWRITEMASK = 59,
    RS_POINTSIZE = 154,
    RS_POINTSIZE_MIN = 155,
    RS_POINTSPRITEENABLE = 156,
    RS_POINTSIZE_MAX = 166,
    RS_COLORWRITEENABLE = 168,
    RS_BLENDOP = 171,
    RS_SCISSORTESTENABLE = 174,
    RS_SLOPESCALEDEPTHBIAS = 175,
    RS_TWOSIDEDSTENCILMODE = 185,
    RS_CCW_STENCILFAIL = 186,
    RS_CCW_STENCILZFAIL = 187,
    RS_CCW_STENCILPASS = 188,
    RS_CCW_STENCILFUNC = 189,
    RS_COLORWRITEENABLE1 = 190, /* to 3: 192 */
    RS_BLENDFACTOR = 193,
    RS_SRGBWRITEENABLE = 194,
    RS_DEPTHBIAS = 195,
    RS_SEPARATEALPHABLENDENABLE = 206,
    RS_SRCBLENDALPHA = 207,
    RS_DESTBLENDALPHA = 208,
    RS_BLENDOPALPHA = 209,
};
/* D3DSAMPLERSTATETYPE */
enum {
    SS_ADDRESSU = 1,
    SS_ADDRESSV = 2,
    SS_ADDRESSW = 3,
    SS_BORDERCOLOR = 4,
    SS_MAGFILTER = 5,
    SS_MINFILTER = 6,
    SS_MIPFILTER = 7,
    SS_MIPMAPLODBIAS = 8,
    SS_MAXMIPLEVEL = 9,
    SS_MAXANISOTROPY = 10,
    SS_SRGBTEXTURE = 11,
};

/* What last spoke decides the flavour where the two interfaces differ (clears, defaults). */
enum flavour { FLAVOUR_UNKNOWN, FLAVOUR_D3D9, FLAVOUR_D3D10 };

struct stage_state {
    float (*constants)[4]; /* SET_SHADER_CONSTANTS_F; constant_count of them, the rest reads 0 */
    u32 constant_count;
    i32 integers[ACMD_CONSTANTS_IB][4];
    u8 bools[ACMD_CONSTANTS_IB];
    u32 textures[ACMD_RESOURCES];                         /* handle; 0 where a buffer is bound */
    struct agpu_buffer_binding resources[ACMD_RESOURCES]; /* buffer views, sharing the slots */
    u32 samplers[ACMD_SAMPLERS];
    struct agpu_buffer_binding constant_buffers[ACMD_CONSTANT_BUFFERS];
    struct agpu_buffer_binding uavs[ACMD_UAVS];
    u32 sampler_state[ACMD_SAMPLERS][D3D9_SAMPLER_STATES];
};

struct context {
    u32 id;
    u64 used; /* for evicting the one that was used least recently */
    enum flavour flavour;
    struct stage_state stage[STAGE_COUNT];
    u32 shaders[STAGE_COUNT];
    u32 input_layout;
    struct agpu_vertex_binding vertex_buffers[ACMD_VERTEX_BUFFERS];
    u32 index_buffer, index_format, index_offset;
    u32 topology;
    u32 targets[ACMD_TARGETS], target_count, depth_stencil;
    bool viewport_seen, viewport_set; /* sent at all; and not empty */
    bool scissor_set;
    float viewport[6]; /* x, y, width, height, min and max depth */
    i32 scissor[4];    /* x, y, width, height as sent */
    /* D3D9 */
    u32 render_state[D3D9_RENDER_STATES];
    u8 depth_func9; /* agpu_compare; render state 23 = 0 keeps it */
    u8 cull9;       /* 1 none, 2 clockwise, 3 counter-clockwise */
    /* D3D10/11 */
    bool blend_set, depth_set, raster_set;
    struct agpu_set_blend_state blend;
    struct agpu_set_depth_stencil_state depth;
    struct agpu_set_rasterizer_state raster;
};

void context_init(struct context *c, u32 id);
void context_fini(struct context *c);
/* Applies a packet that only sets state; false: not one of them. */
bool context_apply(struct context *c, const struct acmd_stream *s, const struct acmd_packet *p);

#endif
