/* What a draw samples: textures, views and buffers with the sampler's settings, worked out once per
 * draw. Block-compressed textures are decompressed when their content changed. Document: the
 * contract's parts "command stream", sections 4.7, 6.6 and 7.2, and "executor", section 11. */
#include <math.h>
#include <stdlib.h>

#include "gpu/soft/draw.h"

/* ---- block compression ---- */

/* An RGBA8 copy of a block-compressed texture, in the layout of an R8G8B8A8 texture of its size;
 * made anew when the content changes. */
struct decoded {
    u64 version, layer_size;
    u8 data[];
};

static void decode_sub(const struct resource *r, const struct subresource *from,
                       const struct subresource *to, u8 *out)
{
    u8 texels[16][4];
    for (u32 by = 0; by < from->rows; by++) {
        for (u32 bx = 0; bx * 4 < from->width; bx++) {
            format_decode_block(r->format,
                                r->data + from->offset + (u64)by * from->pitch +
                                    (u64)bx * r->f->bytes,
                                texels);
            for (u32 k = 0; k < 16; k++) {
                u32 x = bx * 4 + k % 4, y = by * 4 + k / 4;
                if (x < to->width && y < to->height)
                    memcpy(out + to->offset + (u64)y * to->pitch + 4 * (u64)x, texels[k], 4);
            }
        }
    }
}

/* NULL: no memory is left for it. */
static const struct decoded *decompress(struct objects *o, struct resource *r)
{
    const struct format *rgba = format_of(AGPU_FMT_R8G8B8A8);
    struct decoded *dec = r->decoded;
    u64 layer = format_layer_size(rgba, r->width, r->height, 0, r->mips);
    if (dec && dec->version == r->version) return dec;
    u64 size = layer * r->layers;
    if (!dec) {
        if (size > o->cap || o->bytes > o->cap - size) return NULL;
        dec = r->decoded = malloc(sizeof(*dec) + size);
        if (!dec) return NULL;
        r->decoded_size = size;
        o->bytes += size;
    }
    objects_spend(o, size * 8);
    dec->version = r->version;
    dec->layer_size = layer;
    for (u32 n = 0; n < r->layers; n++) {
        for (u32 m = 0; m < r->mips; m++) {
            struct subresource from, to;
            texture_sub(r, m, n, &from);
            format_mip(rgba, r->width, r->height, 0, m, &to);
            decode_sub(r, &from, &to, dec->data + (u64)n * layer);
        }
    }
    return dec;
}

/* ---- samplers ---- */

/* Direct3D 9 has the sampler's states in the slot of the texture. */
static void sampler9(struct texture_unit *u, const u32 *s)
{
    for (unsigned k = 0; k < 3; k++) {
        u32 a = s[SS_ADDRESSU + k];
        u->address[k] = a >= 1 && a <= 5 ? (u8)a : 1;
    }
    u->mag = s[SS_MAGFILTER] == 1 ? 1 : 2;
    u->min = s[SS_MINFILTER] == 1 ? 1 : 2;
    u->mip = (u8)MIN(s[SS_MIPFILTER], 2u);
    u->max_mip = MIN(s[SS_MAXMIPLEVEL], u->mips - 1);
    u->srgb = s[SS_SRGBTEXTURE] && u->f->klass == FMT_CLASS_8888 && !u->f->srgb;
    memcpy(&u->bias, &s[SS_MIPMAPLODBIAS], 4);
    if (!(fabsf(u->bias) < 32.0f)) u->bias = 0.0f;
    for (unsigned k = 0; k < 4; k++)
        u->border[k] = (float)(s[SS_BORDERCOLOR] >> (k == 3 ? 24 : 16 - 8 * k) & 255) / 255.0f;
}

/* Sampler objects say filter and addresses, for all levels alike; without one it is the nearest
 * texel and clamping. Unknown values are linear and clamped. */
static void sampler10(struct draw *d, struct texture_unit *u, u32 handle)
{
    static const u8 modes[] = {
        [AGPU_ADDRESS_CLAMP] = 3, [AGPU_ADDRESS_REPEAT] = 1, [AGPU_ADDRESS_MIRROR] = 2
    };
    const struct object *x = object_find(&d->x->objects, handle);
    u32 words[4] = { AGPU_FILTER_NEAREST, AGPU_ADDRESS_CLAMP, AGPU_ADDRESS_CLAMP,
                     AGPU_ADDRESS_CLAMP };
    if (x && x->kind == OBJ_SAMPLER && ((const struct blob *)x)->size == sizeof(words))
        memcpy(words, ((const struct blob *)x)->bytes, sizeof(words));
    u->mag = u->min = u->mip = words[0] == AGPU_FILTER_NEAREST ? 1 : 2;
    for (unsigned k = 0; k < 3; k++)
        u->address[k] = words[k + 1] < LEN(modes) ? modes[words[k + 1]] : 3;
}

/* ---- units ---- */

static void unit_data(struct objects *o, struct texture_unit *u, const struct view *v)
{
    struct resource *r = v->texture;
    u->f = format_of(v->format);
    u->data = r->data;
    u->layer_size = r->layer_size;
    u32 row_pitch = r->row_pitch;
    if (r->f->klass == FMT_CLASS_BC) {
        const struct decoded *dec = decompress(o, r);
        u->data = dec ? dec->data : NULL;
        u->layer_size = dec ? dec->layer_size : 0;
        u->f = format_of(u->f->srgb ? AGPU_FMT_R8G8B8A8_SRGB : AGPU_FMT_R8G8B8A8);
        row_pitch = 0;
    }
    for (u32 m = 0; m < v->mips && m < LEN(u->sub); m++)
        format_mip(u->f, r->width, r->height, row_pitch, v->base_mip + m, &u->sub[m]);
}

/* A buffer read as t#: elements of four 32-bit words; the packet names no format. */
static void unit_buffer(struct draw *d, struct texture_unit *u, const struct agpu_buffer_binding *b)
{
    struct resource *r = buffer_find(&d->x->objects, b->buffer);
    if (!r) return;
    resource_refresh(&d->x->objects, r);
    if (!r->data || b->offset_bytes >= r->size) return;
    u64 rest = r->size - b->offset_bytes;
    u->r = r;
    u->data = r->data + b->offset_bytes;
    u->elements = (u32)((b->size_bytes ? MIN(b->size_bytes, rest) : rest) / 16);
}

enum { KIND_BUFFER = 1, KIND_CUBE = 3, KIND_2D_ARRAY = 8, KIND_CUBE_ARRAY = 9 };

static void unit_setup(struct draw *d, struct texture_unit *u, u8 stage, struct shader_unit which)
{
    const struct stage_state *st = &d->c->stage[stage];
    const u32 handle = st->textures[which.resource];
    const float nothing = d->d3d9 ? 1.0f : 0.0f;
    struct view v;
    *u = (struct texture_unit){ .unbound = { nothing, nothing, nothing, 1.0f } };
    if (!surface_find(&d->x->objects, handle, &v)) {
        struct agpu_buffer_binding whole = { .buffer = handle };
        if (!d->d3d9 && which.kind <= KIND_BUFFER)
            unit_buffer(d, u, handle ? &whole : &st->resources[which.resource]);
        return;
    }
    if (which.kind == KIND_BUFFER) return;
    resource_refresh(&d->x->objects, v.texture);
    if (!v.texture->data) { /* there was no memory for it */
        memset(u->unbound, 0, sizeof(u->unbound));
        return;
    }
    u->r = v.texture;
    u->mips = MIN(v.mips, 15u);
    u->layers = v.layers;
    u->base_layer = v.base_layer;
    unit_data(&d->x->objects, u, &v);
    if (!u->data) memset(u->unbound, 0, sizeof(u->unbound));
    u->cube = which.kind == KIND_CUBE || which.kind == KIND_CUBE_ARRAY ||
              (d->d3d9 && which.kind == 0 && v.layers == 6);
    if (v.layers < 6) u->cube = false;
    u->array = which.kind == KIND_2D_ARRAY || which.kind == KIND_CUBE_ARRAY;
    u->red = !d->d3d9;
    if (d->d3d9)
        sampler9(u, st->sampler_state[which.sampler]);
    else
        sampler10(d, u, which.sampler < ACMD_SAMPLERS ? st->samplers[which.sampler] : 0);
}

void textures_setup(struct draw *d, const struct shader *vs, const struct shader *ps)
{
    for (u32 k = 0; k < vs->unit_count; k++) {
        if (vs->units[k].used) unit_setup(d, &d->vertex_textures[k], STAGE_VS, vs->units[k]);
    }
    d->unit_count = ps ? ps->unit_count : 0;
    for (u32 k = 0; k < d->unit_count; k++) {
        if (ps->units[k].used)
            unit_setup(d, &d->textures[k], STAGE_PS, ps->units[k]);
        else
            d->textures[k].r = NULL;
    }
}
