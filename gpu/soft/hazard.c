/* A texture is either drawn to or sampled: in Direct3D 10 and 11 contexts, binding it as one takes
 * it from the slots of the other, as far as the bindings meet in a mip and a layer. Direct3D 9
 * contexts have no such rule. Document: the contract's part "command stream", SET_RENDER_TARGETS.
 */
#include "gpu/soft/soft.h"

static bool meet(const struct view *a, const struct view *b)
{
    return a->texture == b->texture && a->base_mip < b->base_mip + b->mips &&
           b->base_mip < a->base_mip + a->mips && a->base_layer < b->base_layer + b->layers &&
           b->base_layer < a->base_layer + a->layers;
}

/* What a target draws to: one mip. */
static bool find_target(struct exec *x, u32 handle, struct view *v)
{
    if (!handle || !surface_find(&x->objects, handle, v)) return false;
    v->mips = 1;
    return true;
}

static void unbind_textures(struct exec *x, struct context *c, u32 handle)
{
    struct view target, v;
    if (!find_target(x, handle, &target)) return;
    for (unsigned s = 0; s < STAGE_COUNT; s++) {
        for (unsigned k = 0; k < ACMD_RESOURCES; k++) {
            u32 *slot = &c->stage[s].textures[k];
            if (*slot && surface_find(&x->objects, *slot, &v) && meet(&v, &target)) *slot = 0;
        }
    }
}

static void unbind_targets(struct exec *x, struct context *c, u32 handle)
{
    struct view texture, v;
    if (!handle || !surface_find(&x->objects, handle, &texture)) return;
    for (unsigned k = 0; k < c->target_count; k++) {
        if (find_target(x, c->targets[k], &v) && meet(&v, &texture)) c->targets[k] = 0;
    }
    if (find_target(x, c->depth_stencil, &v) && meet(&v, &texture)) c->depth_stencil = 0;
}

void soft_hazards(struct exec *x, struct context *c, u16 opcode, const void *packet)
{
    if (c->flavour != FLAVOUR_D3D10) return;
    if (opcode == AGPU_SET_TEXTURE)
        unbind_targets(x, c, ((const struct agpu_set_texture *)packet)->texture);
    if (opcode != AGPU_SET_RENDER_TARGETS) return;
    for (unsigned k = 0; k < c->target_count; k++) unbind_textures(x, c, c->targets[k]);
    unbind_textures(x, c, c->depth_stencil);
}
