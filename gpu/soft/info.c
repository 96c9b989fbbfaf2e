/* The software executor in words, for the monitor's `info`: objects and their memory, work done,
 * and what was left out and why. */
#include "gpu/soft/soft.h"

const char *soft_skip_name(enum skip_cause cause)
{
    static const char *const why[SKIP_COUNT] = {
        [SKIP_NO_SHADER] = "no usable vertex shader",
        [SKIP_BAD_PIXEL_SHADER] = "the pixel shader is not usable",
        [SKIP_GEOMETRY] = "geometry shaders are not executed",
        [SKIP_TESSELLATION] = "hull and domain shaders are not executed",
        [SKIP_MIXED] = "shaders of Direct3D 9 and of 10 or 11 together",
        [SKIP_NO_TARGET] = "no render target",
        [SKIP_INPUT] = "the input layout does not fit the vertex shader",
        [SKIP_COMPUTE] = "compute shaders are not executed",
        [SKIP_BUDGET] = "a batch asked for more than two seconds of work",
    };
    return why[cause];
}

static void info_objects(const struct objects *o, struct text *t)
{
    static const char *const names[] = { "",        "buffers", "textures", "views",
                                         "shaders", "layouts", "samplers" };
    u32 counts[LEN(names)] = { 0 }, handles = 0, backed = 0;
    for (u32 k = 0; k < o->capacity; k++) {
        const struct object *obj = o->slots[k].object;
        if (!obj) continue;
        handles++;
        if (obj->handle != o->slots[k].handle) continue; /* an alias */
        counts[obj->kind]++;
        if (obj->kind == OBJ_BUFFER || obj->kind == OBJ_TEXTURE)
            backed += ((const struct resource *)obj)->alloc_id != 0;
    }
    text_add(t, "objects:");
    for (u32 k = 1; k < LEN(names); k++) text_add(t, " %u %s,", counts[k], names[k]);
    text_add(t, " %u handles; %u resources in guest memory\n", handles, backed);
    text_add(t, "memory: %llu of %llu KiB; shared surfaces: %u, %u retired\n",
             (unsigned long long)o->bytes / 1024, (unsigned long long)o->cap / 1024, o->tokens.live,
             o->tokens.retired_count);
}

void soft_info(struct exec *x, struct text *t)
{
    info_objects(&x->objects, t);
    text_add(t,
             "contexts: %u; batches: %llu, %llu packets, %llu without effect; %llu batches ran "
             "out of time, %llu packets left out\n",
             x->context_count, (unsigned long long)x->batches, (unsigned long long)x->packets,
             (unsigned long long)x->without_effect, (unsigned long long)x->exhausted,
             (unsigned long long)x->out_of_time);
    text_add(t, "draws: %llu, clears: %llu, presents: %llu; draws skipped: %llu\n",
             (unsigned long long)x->draws, (unsigned long long)x->clears,
             (unsigned long long)x->presents, (unsigned long long)x->skipped_draws);
    for (u32 k = 0; k < SKIP_COUNT; k++) {
        if (x->skips[k])
            text_add(t, "  %llu: %s\n", (unsigned long long)x->skips[k], soft_skip_name(k));
    }
}
