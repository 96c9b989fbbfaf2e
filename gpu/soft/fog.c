/* Direct3D 9's fog behind pixel shaders below 3.0: colour = f * colour + (1 - f) * fog colour, with
 * f from the vertex shader's oFog or from depth. Only with the executor's setting fog=on: the
 * guest's driver folds fog into its own shaders. Document: the contract's part "executor", section
 * 7.5. */
#include "gpu/soft/draw.h"

enum { MODE_NONE, MODE_EXP, MODE_EXP2, MODE_LINEAR };

static float limited(float f)
{
    return f > 0.0f ? MIN(f, 1.0f) : 0.0f;
}

static float density(const struct fog *g, float z)
{
    const float log2_e = 1.44269504f;
    float x = z * g->density;
    switch (g->mode) {
    case MODE_EXP: return ir_exp2(-x * log2_e);
    case MODE_EXP2: return ir_exp2(-x * x * log2_e);
    default: return g->end == g->start ? 1.0f : (g->end - z) / (g->end - g->start);
    }
}

void fog_apply(const struct fog *g, const float *z, const struct lanes *factor, struct lanes *color)
{
    for (u32 l = 0; l < LANES; l++) {
        float f = g->mode == MODE_NONE ? ((const float *)factor->c[0])[l] : density(g, z[l]);
        f = limited(f);
        for (unsigned c = 0; c < 3; c++) {
            float *v = &lanes_f(color, c)[l];
            *v = f * *v + (1.0f - f) * g->color[c];
        }
    }
}
