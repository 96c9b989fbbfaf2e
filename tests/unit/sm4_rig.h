/* Shader model 4 and 5 programs from text to the interpreter's results, for tests. */
#ifndef TESTS_SM4_RIG_H
#define TESTS_SM4_RIG_H

#include <check.h>

#include "gpu/shader/run.h"
#include "tests/unit/sm4_asm.h"

static inline struct ir_program *sm4_try(const char *text, enum sm4_form form, const char **why)
{
    static struct sm4_asm a;
    u32 size = sm4_assemble(&a, text, form);
    *why = NULL;
    return shader_compile((const u8 *)a.words, size, a.ps ? STAGE_PS : STAGE_VS, why);
}

static inline struct ir_program *sm4_program(const char *text)
{
    const char *why;
    struct ir_program *p = sm4_try(text, SM4_DXBC, &why);
    ck_assert_msg(p != NULL, "refused: %s\n%s", why, text);
    return p;
}

/* A program with its registers: fill s->inputs and cb, run, look at s->outputs. */
struct sm4_rig {
    struct ir_program *p;
    struct ir_state *s;
    struct ir_env env;
    i64 budget;
    u32 cb[16][4];
};

static inline void sm4_rig_up(struct sm4_rig *r, const char *text)
{
    memset(r, 0, sizeof(*r));
    r->p = sm4_program(text);
    r->s = ir_state_create(r->p);
    r->budget = 1 << 30;
    r->env.budget = &r->budget;
    r->env.cb[0].data = (const u8 *)r->cb;
    r->env.cb[0].size = sizeof(r->cb);
}

static inline void sm4_rig_run(struct sm4_rig *r)
{
    r->s->active = ~0ull;
    ck_assert(ir_run(r->p, &r->env, r->s));
}

static inline void sm4_rig_down(struct sm4_rig *r)
{
    ir_state_free(r->s);
    ir_free(r->p);
}

#endif
