/* What a program does with its registers (run.h). */
#ifndef GPU_SHADER_PLAN_H
#define GPU_SHADER_PLAN_H

#include "gpu/shader/run.h"

struct ir_plan *ir_plan(const struct ir_program *p); /* free() it */

#endif
