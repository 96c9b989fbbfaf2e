/* The scene builder's part for Direct3D 10 and 11 (golden.h). */
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { H_SAMPLER = 60, H_CONSTANTS = 70 };

u32 gold_semantic(const char *name)
{
    u32 h = 2166136261u;
    for (; *name; name++) h = (h ^ (u8)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name)) * 16777619u;
    return h;
}

static void standard_layout(struct gold *g)
{
    const u32 words[4 + 4 * 7] = { AGPU_ILAY_MAGIC, 1, 4, 0, gold_semantic("POSITION"), 0, 2, 0, 0, 0, 0,
                                   gold_semantic("COLOR"), 0, 2, 0, 16, 0, 0, gold_semantic("TEXCOORD"), 0, 2, 0, 32, 0, 0,
                                   gold_semantic("TEXCOORD"), 1, 2, 0, 48, 0, 0 };
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_LAYOUT, sizeof(words), 0 }, 3, words, sizeof(words));
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_LAYOUT, 0);
}

static void color10(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
}

void gold_target10(struct gold *g, u32 format, u32 w, u32 h, u32 depth)
{
    static const struct gold_blend10 opaque = { .src = 1, .src_alpha = 1, .mask = 15, .constant = { 1, 1, 1, 1 }, .sample_mask = ~0u };
    g->ref.d3d10 = true;
    g->ref.saturate[0] = false;
    ref_surface_init(&g->ref.color[0], format, (int)w, (int)h);
    gold_texture2d(g, H_COLOR, format, w, h, 1, 1);
    if (depth) {
        ref_surface_init(&g->ref.depth, depth, (int)w, (int)h);
        gold_texture2d(g, H_DEPTH, depth, w, h, 1, 1);
    }
    gold_bind_targets(g, 1);
    standard_layout(g);
    gold_viewport(g, 0, 0, (float)w, (float)h, 0, 1);
    gold_blend10(g, &opaque);
    gold_depth10(g, false, false, AGPU_CMP_LESS);
    gold_raster10(g, AGPU_FILL_SOLID, AGPU_CULL_NONE, false, false, 0, 0);
    gold_program10(g, NULL, PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", false, color10, NULL);
}

static const char standard[] = VS10 "mov o0.xyzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nmov o2.xyzw, v2.xyzw\nmov o3.xyzw, v3.xyzw\nret";

static void make_shader(struct gold *g, u32 handle, u32 stage, const char *text, bool bare)
{
    u32 *tokens = xalloc(65536), size = gold_assemble10(text, tokens, 65536, bare);
    PUT(g, AGPU_DESTROY_SHADER, 16, handle, 0);
    gold_blob(g, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, stage, size, 0 }, 4, tokens, size);
    free(tokens);
}

void gold_program10(struct gold *g, const char *vs, const char *ps, bool bare, ref_shader *shade, const void *user)
{
    make_shader(g, H_VS, AGPU_STAGE_VERTEX, vs ? vs : standard, bare);
    make_shader(g, H_PS, AGPU_STAGE_PIXEL, ps, bare);
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0);
    g->shade = shade;
    g->user = user;
}

void gold_depth10(struct gold *g, bool test, bool write, u32 func)
{
    PUT(g, AGPU_SET_DEPTH_STENCIL_STATE, 28, test, write, func, 0, 0xffff);
    g->ref.state.depth_test = test;
    g->ref.state.depth_write = write;
    g->ref.state.depth_func = (int)func;
}

void gold_raster10(struct gold *g, u32 fill, u32 cull, bool ccw, bool scissor, i32 bias, u32 flags)
{
    PUT(g, AGPU_SET_RASTERIZER_STATE, 32, fill, cull, ccw, scissor, (u32)bias, flags);
    g->ref.state.wireframe = fill == AGPU_FILL_WIREFRAME;
    g->ref.state.cull = cull == AGPU_CULL_NONE ? 1 : (cull == AGPU_CULL_FRONT) != ccw ? 2 : 3;
    g->ref.state.scissor = scissor;
    g->ref.state.bias = bias / 16777216.0;
    g->ref.state.depth_clip_off = flags & AGPU_RASTER_DEPTH_CLIP_OFF;
}

void gold_blend10(struct gold *g, const struct gold_blend10 *b)
{
    static const u8 factors[] = { 1, 2, 5, 6, 7, 8, 14, 15 };
    const float *k = b->constant;
    PUT(g, AGPU_SET_BLEND_STATE, 60, b->enable, b->src, b->dst, b->op, b->mask, b->src_alpha, b->dst_alpha, b->op_alpha, gold_float(k[0]), gold_float(k[1]),
        gold_float(k[2]), gold_float(k[3]), b->sample_mask);
    g->ref.state.blend = (struct ref_blend){ b->enable, factors[b->src], factors[b->dst], (int)b->op + 1, factors[b->src_alpha], factors[b->dst_alpha],
                                             (int)b->op_alpha + 1, { k[0], k[1], k[2], k[3] } };
    for (int t = 0; t < REF_TARGETS; t++) g->ref.state.mask[t] = (int)b->mask;
    g->ref.state.no_write = !(b->sample_mask & 1);
}

void gold_sampler10(struct gold *g, u32 slot, u32 filter, u32 address_u, u32 address_v)
{
    static const u8 modes[] = { 3, 1, 2 };
    u32 *ss = g->ref.ss[slot], how = filter == AGPU_FILTER_LINEAR ? 2 : 1;
    PUT(g, AGPU_DESTROY_SAMPLER, 16, H_SAMPLER + slot, 0, AGPU_CREATE_SAMPLER, 28, H_SAMPLER + slot, filter, address_u, address_v, 0);
    PUT(g, AGPU_SET_SAMPLERS, 28, AGPU_STAGE_PIXEL, slot, 1, 0, H_SAMPLER + slot);
    ss[1] = modes[address_u];
    ss[2] = modes[address_v];
    ss[5] = ss[6] = ss[7] = how;
}

void gold_constants10(struct gold *g, u32 stage, u32 slot, const void *data, u32 size)
{
    u32 handle = H_CONSTANTS + stage * 16 + slot;
    gold_buffer(g, handle, data, size);
    PUT(g, AGPU_SET_CONSTANT_BUFFERS, 40, stage, slot, 1, 0, handle, 0, 0, 0);
}
