/* The software executor: runs each batch when it is submitted, on the machine's thread.
 *
 * Direct3D 9 (levels 0 to 2 of the contract's ladder); draws with shader model 4 and 5 are counted
 * and skipped. Contexts are created when their id first appears; objects and share tokens belong to
 * the device. Document: the contract's parts "command stream" and "executor". */
#include "gpu/soft/draw.h"

#include <stdlib.h>

#include "machine/core/log.h"
#include "machine/core/trace.h"

/* ---- contexts ---- */

static struct context *context_get(struct exec *x, u32 id)
{
    u32 oldest = 0;
    for (u32 k = 0; k < x->context_count; k++) {
        if (x->contexts[k]->id == id) {
            x->contexts[k]->used = ++x->uses;
            return x->contexts[k];
        }
        if (x->contexts[k]->used < x->contexts[oldest]->used) oldest = k;
    }
    struct context *c;
    if (x->context_count < SOFT_CONTEXTS) {
        c = x->contexts[x->context_count++] = xalloc(sizeof(*c));
    } else {
        c = x->contexts[oldest];
        context_fini(c);
    }
    context_init(c, id);
    c->used = ++x->uses;
    return c;
}

static void contexts_clear(struct exec *x)
{
    while (x->context_count) {
        struct context *c = x->contexts[--x->context_count];
        context_fini(c);
        free(c);
    }
}

/* ---- packets ---- */

/* SM4 and SM5 programs, bare or in a container, make a context a D3D10 one; D3D9 token streams the
 * other. */
static enum flavour shader_flavour(const u8 *blob, u32 size)
{
    if (size < 4) return FLAVOUR_UNKNOWN;
    u32 first = ld32(blob) >> 16;
    return first == 0xfffe || first == 0xffff ? FLAVOUR_D3D9 : FLAVOUR_UNKNOWN;
}

static void release_shader(void *compiled)
{
    struct shader *s = compiled;
    if (!s) return;
    ir_state_free(s->state);
    ir_free(s->program);
    free(s);
}

/* A shader that is not understood stays without a program, and draws that use it are skipped. */
static void compile(struct blob *b)
{
    const char *why = "";
    struct ir_program *p = shader_compile(b->bytes, b->size, b->stage, &why);
    if (!p) {
        LOG(LOG_INFO, "aerogpu", "shader %u is not usable: %s", b->obj.handle, why);
        return;
    }
    struct shader *s = xalloc(sizeof(*s));
    s->program = p;
    s->state = ir_state_create(p);
    b->compiled = s;
    b->release = release_shader;
}

static struct outcome create_shader(struct exec *x, struct context *c,
                                    const struct agpu_create_shader *p, u8 stage)
{
    struct blob *b;
    const u8 *bytes = acmd_payload(p, sizeof(*p));
    enum flavour flavour = shader_flavour(bytes, p->dxbc_size_bytes);
    if (flavour != FLAVOUR_UNKNOWN) c->flavour = flavour;
    struct outcome out = object_create_blob(&x->objects, OBJ_SHADER, p->shader_handle, stage, bytes,
                                            p->dxbc_size_bytes, &b);
    if (b) compile(b);
    return out;
}

static struct outcome create_layout(struct exec *x, struct context *c,
                                    const struct agpu_create_input_layout *p)
{
    struct blob *b;
    const u8 *bytes = acmd_payload(p, sizeof(*p));
    if (p->blob_size_bytes >= 4)
        c->flavour = ld32(bytes) == AGPU_ILAY_MAGIC ? FLAVOUR_D3D10 : FLAVOUR_D3D9;
    return object_create_blob(&x->objects, OBJ_LAYOUT, p->input_layout_handle, STAGE_NONE, bytes,
                              p->blob_size_bytes, &b);
}

static struct outcome create_sampler(struct exec *x, const struct agpu_create_sampler *p)
{
    struct blob *b;
    return object_create_blob(&x->objects, OBJ_SAMPLER, p->sampler_handle, STAGE_NONE,
                              (const u8 *)&p->filter, 16, &b);
}

static struct outcome object_packet(struct exec *x, struct context *c,
                                    const struct acmd_packet *packet, const void *p)
{
    struct objects *o = &x->objects;
    u32 handle = ((const struct agpu_handle_packet *)p)->handle;
    const struct agpu_range_packet *range = p;
    switch (packet->opcode) {
    case AGPU_CREATE_BUFFER: return object_create_buffer(o, p);
    case AGPU_CREATE_TEXTURE2D: return object_create_texture(o, p);
    case AGPU_CREATE_TEXTURE_VIEW: return object_create_view(o, p);
    case AGPU_CREATE_SHADER_DXBC: return create_shader(x, c, p, packet->stage);
    case AGPU_CREATE_INPUT_LAYOUT: return create_layout(x, c, p);
    case AGPU_CREATE_SAMPLER: return create_sampler(x, p);
    case AGPU_DESTROY_RESOURCE:
        object_destroy(o, handle, 1 << OBJ_BUFFER | 1 << OBJ_TEXTURE);
        break;
    case AGPU_DESTROY_TEXTURE_VIEW: object_destroy(o, handle, 1 << OBJ_VIEW); break;
    case AGPU_DESTROY_SHADER: object_destroy(o, handle, 1 << OBJ_SHADER); break;
    case AGPU_DESTROY_INPUT_LAYOUT: object_destroy(o, handle, 1 << OBJ_LAYOUT); break;
    case AGPU_DESTROY_SAMPLER: object_destroy(o, handle, 1 << OBJ_SAMPLER); break;
    case AGPU_UPLOAD_RESOURCE: return object_upload(o, range, acmd_payload(p, sizeof(*range)));
    case AGPU_RESOURCE_DIRTY_RANGE: return object_dirty(o, range);
    case AGPU_COPY_BUFFER: return object_copy_buffer(o, p);
    case AGPU_COPY_TEXTURE2D: return object_copy_texture(o, p);
    case AGPU_EXPORT_SHARED_SURFACE: return object_export(o, p);
    case AGPU_IMPORT_SHARED_SURFACE: return object_import(o, p);
    case AGPU_RELEASE_SHARED_SURFACE:
        object_release_token(o, ((const struct agpu_release_shared *)p)->share_token);
        break;
    default: break;
    }
    return OBJ_OK;
}

static struct outcome run_packet(struct exec *x, struct context *c, const struct acmd_stream *s,
                                 const struct acmd_packet *packet)
{
    const void *p = acmd_at(s, packet);
    if (context_apply(c, s, packet)) return OBJ_OK;
    switch (packet->opcode) {
    case AGPU_CLEAR: return soft_clear(x, c, p);
    case AGPU_DRAW:
    case AGPU_DRAW_INDEXED:
        return soft_draw(x, c, packet->opcode, p);
    case AGPU_DISPATCH:
        x->draws++;
        x->skipped_draws++;
        return OBJ_OK;
    case AGPU_PRESENT:
    case AGPU_PRESENT_EX: return soft_present(x, c);
    default: return object_packet(x, c, packet, p);
    }
}

/* ---- the interface ---- */

static struct exec *soft_create(const struct exec_host *host, struct error *e)
{
    (void)e;
    struct exec *x = xalloc(sizeof(*x));
    x->host = *host;
    x->scratch = scratch_create();
    objects_init(&x->objects, &x->host, SOFT_MEMORY_CAP);
    return x;
}

static void soft_submit(struct exec *x, struct exec_batch *b)
{
    struct context *c = context_get(x, b->context_id);
    x->objects.batch = b;
    x->budget = SOFT_BATCH_BUDGET;
    for (u32 k = 0; k < b->stream.count; k++) {
        struct outcome out = run_packet(x, c, &b->stream, &b->stream.packets[k]);
        if (out.reason)
            TRACE(aerogpu_drop, b->stream.packets[k].opcode, b->stream.packets[k].offset, out.error,
                  0);
        if (out.reason)
            LOG_GUEST("aerogpu", "%s: %s", acmd_name(b->stream.packets[k].opcode), out.reason);
        soft_report(b, out);
    }
    soft_report(b, objects_end_batch(&x->objects));
    x->objects.batch = NULL;
    x->host.done(x->host.opaque, b);
}

static void soft_reset(struct exec *x, enum exec_reset kind)
{
    contexts_clear(x);
    if (kind == EXEC_FORGET_ALL)
        objects_clear(&x->objects);
    else
        objects_forget_retired(&x->objects);
}

static void soft_destroy(struct exec *x)
{
    contexts_clear(x);
    objects_clear(&x->objects);
    free(x->objects.slots);
    free(x->scratch);
    free(x);
}

const struct exec_ops exec_soft = {
    .name = "soft",
    .transfer = true,
    .create = soft_create,
    .submit = soft_submit,
    .reset = soft_reset,
    .destroy = soft_destroy,
};
