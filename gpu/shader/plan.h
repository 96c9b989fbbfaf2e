/* What a program does with its registers (run.h). */
#ifndef GPU_SHADER_PLAN_H
#define GPU_SHADER_PLAN_H

#include "gpu/shader/run.h"

struct ir_plan *ir_plan(const struct ir_program *p); /* free() it */

/* Frequent instructions that work component by component: they look at the components that they
 * write, and no other. The plan and the interpreter (alu.c) must agree on them. */
static inline bool ir_by_component(u16 op)
{
    switch (op) {
    case IR_MOV:
    case IR_ADD:
    case IR_MUL:
    case IR_MUL0:
    case IR_MAD:
    case IR_MAD0:
    case IR_MIN0:
    case IR_MAX0:
    case IR_LRP0:
    case IR_CMP_GE0:
    case IR_MOVC: return true;
    default: return false;
    }
}

#endif
