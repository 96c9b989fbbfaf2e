/* The software executor: runs each batch when it is submitted, on the machine's thread.
 *
 * Direct3D 9 and the vertex and pixel shaders of Direct3D 10 and 11 (levels 0 to 4 of the
 * contract's ladder); draws with geometry, hull or domain shaders and dispatches are counted and
 * skipped. Contexts are created when their id first appears; objects and share tokens belong to the
 * device. Document: the contract's parts "command stream" and "executor". */
#include "gpu/soft/ilay.h"

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

/* A draw or dispatch that cannot be executed is counted and left out without an error. */
void soft_skip(struct exec *x, enum skip_cause cause)
{
    if (!x->skips[cause]++)
        LOG(LOG_INFO, "aerogpu", "draws are skipped: %s", soft_skip_name(cause));
}

/* SM4 and SM5 programs, bare or in a container, make a context a D3D10 one; D3D9 token streams the
 * other. */
static enum flavour shader_flavour(const struct blob *b)
{
    const struct shader *s = b->compiled;
    if (s) return s->program->d3d9 ? FLAVOUR_D3D9 : FLAVOUR_D3D10;
    u32 first = b->size < 4 ? 0 : ld32(b->bytes) >> 16;
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

/* The number of the unit that pairs a texture with a sampler, made when it is new; -1: too many. */
static int find_unit(struct shader *s, u8 resource, u8 sampler)
{
    for (u32 k = 0; k < s->unit_count; k++) {
        if (s->units[k].resource == resource && s->units[k].sampler == sampler) return (int)k;
    }
    if (s->unit_count == SHADER_UNITS) return -1;
    s->units[s->unit_count] =
        (struct shader_unit){ resource, sampler, s->program->texture_kind[resource], true };
    return (int)s->unit_count++;
}

/* Texture instructions that no feature level here has. NULL: fine. */
static const char *refused(const struct ir_program *p, const struct ir_insn *i)
{
    if (i->tex.resource >= ACMD_RESOURCES || i->tex.sampler >= ACMD_SAMPLERS)
        return "slots of textures or samplers";
    bool cube = p->texture_kind[i->tex.resource] == 3 || p->texture_kind[i->tex.resource] == 9;
    switch (i->op) {
    case IR_GATHER_PO:
    case IR_GATHER_CMP:
    case IR_GATHER_CMP_PO: return "gathering with offsets or comparisons is shader model 5's";
    case IR_GATHER:
    case IR_TEX_LOD_QUERY:
    case IR_TEX_CMP:
    case IR_TEX_CMP_LZ: return cube ? "not of cubes before shader model 4.1" : NULL;
    default: return NULL;
    }
}

/* Which units a program reads; its instructions name units from here on (draw.h). Not NULL: why it
 * cannot be used. */
static const char *make_units(struct shader *s)
{
    struct ir_program *p = s->program;
    for (u32 k = 0; p->d3d9 && k < ACMD_SAMPLERS; k++) {
        if (!(p->textures[0] >> k & 1)) continue;
        s->units[k] = (struct shader_unit){ (u8)k, (u8)k, p->texture_kind[k], true };
        s->unit_count = k + 1;
    }
    for (u32 k = 0; !p->d3d9 && k < p->insn_count; k++) {
        struct ir_insn *i = &p->insns[k];
        if (i->op < IR_TEX || i->op > IR_RESINFO) continue;
        bool loads = i->op == IR_LD || i->op == IR_RESINFO || i->op == IR_BUFINFO;
        const char *why = refused(p, i);
        if (why) return why;
        int unit =
            find_unit(s, (u8)i->tex.resource, loads ? (u8)UNIT_NO_SAMPLER : (u8)i->tex.sampler);
        if (unit < 0) return "too many textures";
        i->tex.resource = (u16)unit;
    }
    return NULL;
}

/* A shader that is not understood, or for which there is no memory, stays without a program, and
 * draws that use it are skipped. */
static void compile(struct objects *o, struct blob *b)
{
    const char *why = "";
    struct ir_program *p = shader_compile(b->bytes, b->size, b->stage, &why);
    objects_spend(o, b->size * 64ull);
    if (!p) {
        LOG(LOG_INFO, "aerogpu", "shader %u is not usable: %s", b->obj.handle, why);
        return;
    }
    struct shader *s = xalloc(sizeof(*s));
    s->program = p;
    why = make_units(s);
    if (why) {
        LOG(LOG_INFO, "aerogpu", "shader %u is not usable: %s", b->obj.handle, why);
        release_shader(s);
        return;
    }
    if (!objects_reserve(o, b, sizeof(*s) + ir_program_bytes(p))) {
        LOG(LOG_INFO, "aerogpu", "shader %u is not usable: no memory", b->obj.handle);
        release_shader(s);
        return;
    }
    s->state = ir_state_plan(p);
    b->compiled = s;
    b->release = release_shader;
}

static struct outcome create_shader(struct exec *x, struct context *c,
                                    const struct agpu_create_shader *p, u8 stage)
{
    struct blob *b;
    const u8 *bytes = acmd_payload(p, sizeof(*p));
    struct outcome out = object_create_blob(&x->objects, OBJ_SHADER, p->shader_handle, stage, bytes,
                                            p->dxbc_size_bytes, &b);
    if (!b) return out;
    compile(&x->objects, b);
    enum flavour flavour = shader_flavour(b);
    if (flavour != FLAVOUR_UNKNOWN) c->flavour = flavour;
    return out;
}

/* ILAY blobs are parsed once; Direct3D 9's declarations stay as they are. */
static void parse_layout(struct blob *b)
{
    if (b->size < 4 || ld32(b->bytes) != AGPU_ILAY_MAGIC) return;
    b->compiled = ilay_parse(b->bytes, b->size);
    b->release = free;
    if (!b->compiled) LOG(LOG_INFO, "aerogpu", "input layout %u is not usable", b->obj.handle);
}

static struct outcome create_layout(struct exec *x, struct context *c,
                                    const struct agpu_create_input_layout *p)
{
    struct blob *b;
    const u8 *bytes = acmd_payload(p, sizeof(*p));
    if (p->blob_size_bytes >= 4)
        c->flavour = ld32(bytes) == AGPU_ILAY_MAGIC ? FLAVOUR_D3D10 : FLAVOUR_D3D9;
    struct outcome out = object_create_blob(&x->objects, OBJ_LAYOUT, p->input_layout_handle,
                                            STAGE_NONE, bytes, p->blob_size_bytes, &b);
    if (b) parse_layout(b);
    return out;
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
    struct outcome out = OBJ_OK;
    switch (packet->opcode) {
    case AGPU_CREATE_BUFFER: return object_create_buffer(o, p);
    case AGPU_CREATE_TEXTURE2D: return object_create_texture(o, p);
    case AGPU_CREATE_TEXTURE_VIEW: return object_create_view(o, p);
    case AGPU_CREATE_SHADER_DXBC: return create_shader(x, c, p, packet->stage);
    case AGPU_CREATE_INPUT_LAYOUT: return create_layout(x, c, p);
    case AGPU_CREATE_SAMPLER: return create_sampler(x, p);
    case AGPU_DESTROY_RESOURCE:
        out = object_settle(o, handle);
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
    return out;
}

/* Packets whose work has no relation to their size; a batch that is out of time goes without. */
static bool takes_time(u16 opcode)
{
    switch (opcode) {
    case AGPU_CLEAR:
    case AGPU_DRAW:
    case AGPU_DRAW_INDEXED:
    case AGPU_COPY_BUFFER:
    case AGPU_COPY_TEXTURE2D:
    case AGPU_PRESENT:
    case AGPU_PRESENT_EX: return true;
    default: return false;
    }
}

static struct outcome run_packet(struct exec *x, struct context *c, const struct acmd_stream *s,
                                 const struct acmd_packet *packet)
{
    const void *p = acmd_at(s, packet);
    if (context_apply(c, s, packet)) {
        soft_hazards(x, c, packet->opcode, p);
        return OBJ_OK;
    }
    if (x->budget <= 0 && takes_time(packet->opcode)) {
        soft_skip(x, SKIP_BUDGET);
        x->out_of_time++;
        return OBJ_OK;
    }
    switch (packet->opcode) {
    case AGPU_CLEAR: return soft_clear(x, c, p);
    case AGPU_DRAW:
    case AGPU_DRAW_INDEXED: return soft_draw(x, c, packet->opcode, p);
    case AGPU_DISPATCH:
        x->draws++;
        x->skipped_draws++;
        soft_skip(x, SKIP_COMPUTE);
        return OBJ_OK;
    case AGPU_PRESENT:
    case AGPU_PRESENT_EX: return soft_present(x, c);
    default: return object_packet(x, c, packet, p);
    }
}

/* ---- the interface ---- */

static struct exec *soft_create(const struct exec_host *host, struct error *e)
{
    struct soft_settings settings;
    if (soft_settings_parse(&settings, host->soft, e)) return NULL;
    struct exec *x = xalloc(sizeof(*x));
    x->host = *host;
    x->settings = settings;
    x->scratch = scratch_create(&x->host.tuning);
    objects_init(&x->objects, &x->host, x->settings.memory_cap, &x->budget);
    return x;
}

/* What the batch does is forgotten anyway. */
static bool cancelled(const struct exec *x)
{
    return x->host.cancel && __atomic_load_n(x->host.cancel, __ATOMIC_RELAXED);
}

static void soft_submit(struct exec *x, struct exec_batch *b)
{
    struct context *c = context_get(x, b->context_id);
    x->objects.batch = b;
    x->budget = x->host.budget ? x->host.budget : SOFT_BATCH_BUDGET;
    for (u32 k = 0; k < b->stream.count && !cancelled(x); k++) {
        struct outcome out = run_packet(x, c, &b->stream, &b->stream.packets[k]);
        if (out.reason)
            TRACE_TEXT(aerogpu_drop, b->stream.packets[k].opcode, b->stream.packets[k].offset,
                       out.error, b->ticket, out.reason);
        if (out.reason)
            LOG_GUEST("aerogpu", "%s: %s", acmd_name(b->stream.packets[k].opcode), out.reason);
        x->packets++;
        x->without_effect += out.reason != NULL;
        soft_report(b, out);
    }
    x->batches++;
    if (x->budget <= 0) x->exhausted++;
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
    scratch_free(x->scratch);
    ir_state_free(x->vs_state);
    free(x);
}

const struct exec_ops exec_soft = {
    .name = "soft",
    .transfer = true,
    .synchronous = true,
    .create = soft_create,
    .submit = soft_submit,
    .reset = soft_reset,
    .destroy = soft_destroy,
    .info = soft_info,
};
