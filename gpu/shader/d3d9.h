/* The parser of Direct3D 9 token streams, shared by its files: d3d9.c parameters, arithmetic,
 * textures and declarations, d3d9_flow.c control flow, d3d9_ps1.c what only ps_1_1 to ps_1_3 have.
 * Nobody else includes it. */
#ifndef GPU_SHADER_D3D9_H
#define GPU_SHADER_D3D9_H

#include "gpu/shader/ir.h"

enum { /* register types of parameter tokens */
       T_TEMP,
       T_INPUT,
       T_CONST,
       T_ADDR,
       T_RASTOUT,
       T_ATTROUT,
       T_TEXOUT,
       T_CONSTI,
       T_COLOROUT,
       T_DEPTHOUT,
       T_SAMPLER,
       T_CONST2,
       T_CONST3,
       T_CONST4,
       T_CONSTB,
       T_LOOP,
       T_TEMPH,
       T_MISC,
       T_LABEL,
       T_PRED,
};
enum {
    PS1_T = 32,
    PS1_SAVE = 40,
    PS1_ROWS = 41, /* products of a texm3x* sequence so far */
    PS1_WORK = 42, /* two more for its end */
    D3D9_TEMPS = 44
}; /* temps for ps_1_x's t# and for the first half of a pair */
enum { MAX_TOKENS = 65536, MAX_LABELS = 64 };
enum { PS2_TEXCOORD = 2 }; /* inputs of pixel shaders below 3.0: v0, v1, then t0 to t7 */

struct d3d9_parser {
    const u8 *bytes;
    u32 count, at; /* tokens */
    bool ps;
    unsigned version; /* major * 10 + minor */
    struct ir_program *p;
    u32 insn_cap, def_cap;
    u32 block[IR_MAX_NESTING], depth; /* indices of IF, ELSE, LOOP, REP */
    u32 label[MAX_LABELS];            /* instruction index + 1 */
    bool ps1_read[8];                 /* t# used as a value */
    u8 ps1_rows;                      /* of a texm3x* sequence that came already */
    const char *why;
};

u32 d3d9_token(struct d3d9_parser *s); /* the next one; at the end 0, and why is set */
/* Notes the first reason for which the shader is refused; NULL. */
void *d3d9_refuse(struct d3d9_parser *s, const char *why);
struct ir_insn *d3d9_emit(struct d3d9_parser *s, u16 op);
struct ir_src d3d9_source(struct d3d9_parser *s);
struct ir_dst d3d9_destination(struct d3d9_parser *s);
void d3d9_predicate(struct d3d9_parser *s, struct ir_insn *i,
                    u32 word); /* if the instruction has one */
static inline unsigned d3d9_type(u32 t)
{
    return (t >> 28 & 7) | (t >> 8 & 0x18);
}

/* The coordinates of stage n, and a read from its texture for instruction i. */
struct ir_src d3d9_texcoord(struct d3d9_parser *s, unsigned n);
void d3d9_use_texture(struct d3d9_parser *s, struct ir_insn *i, unsigned n);

/* d3d9_ps1.c: texdp3, texm3x* and the like; false when it is none of them */
bool d3d9_ps1_matrix(struct d3d9_parser *s, u32 word);
/* d3d9_flow.c: false when it is no control flow */
bool d3d9_flow(struct d3d9_parser *s, u32 word);

#endif
