/* The parser of SM4 and SM5 programs, shared by its files: sm4.c operands and the stream, sm4_alu.c
 * arithmetic and textures, sm4_decl.c declarations, sm4_flow.c control flow. Nobody else includes
 * it. */
#ifndef GPU_SHADER_SM4_H
#define GPU_SHADER_SM4_H

#include "gpu/shader/ir.h"

enum sm4_file { /* register files of operand tokens */
                SM4_TEMP,
                SM4_INPUT,
                SM4_OUTPUT,
                SM4_ARRAY,
                SM4_IMM32,
                SM4_IMM64,
                SM4_SAMPLER,
                SM4_RESOURCE,
                SM4_CB,
                SM4_ICB,
                SM4_LABEL,
                SM4_PRIMITIVE_ID,
                SM4_DEPTH,
                SM4_NULL,
                SM4_COVERAGE_IN = 35,
                SM4_DEPTH_GE = 38,
                SM4_DEPTH_LE = 39,
};

enum { /* opcodes that more than one place knows */
       SM4_OP_BREAK = 2,
       SM4_OP_CASE = 6,
       SM4_OP_DEFAULT = 10,
       SM4_OP_ENDSWITCH = 23,
       SM4_OP_LABEL = 44,
       SM4_OP_CUSTOMDATA = 53,
       SM4_OP_SWITCH = 76,
};

enum { SM4_MAX_TOKENS = 65536, SM4_MAX_LABELS = 256, SM4_MAX_ICB = 4096 };
enum { XYZW = 0xe4 };

/* Temps that the translation itself needs; each gets a number behind the program's own at its first
 * use. */
enum sm4_extra {
    EXTRA_INDEX, /* computed indices of one instruction */
    EXTRA_SCRATCH = EXTRA_INDEX + 8,
    EXTRA_SCRATCH2,
    EXTRA_SWITCH, /* one for each level: x the selector, y lanes inside a case, z lanes that matched
                     one, w lanes that continue a loop */
    EXTRA_INPUT =
        EXTRA_SWITCH + IR_MAX_NESTING, /* inputs that share a register with a system value */
    EXTRA_COUNT = EXTRA_INPUT + IR_MAX_INPUTS,
};

struct sm4_operand {
    u8 file, dims;    /* number of indices */
    u8 mask, swizzle; /* mask 0: it is no destination */
    bool neg, abs;
    struct {
        u32 imm;
        struct ir_relative rel; /* IR_NULL: the number alone */
    } index[3];
    u32 imm[4];
};

enum sm4_block_kind { BLOCK_IF, BLOCK_ELSE, BLOCK_LOOP, BLOCK_SWITCH };
struct sm4_block {
    enum sm4_block_kind kind;
    u32 begin; /* its IR_IF, IR_ELSE or IR_LOOP */
    /* BLOCK_SWITCH */
    u16 state;     /* its EXTRA_SWITCH temp */
    u32 case_if;   /* the IR_IF around the code of the current case, plus 1; 0: none is open */
    bool labelled; /* a case has come */
    bool defaulted;
    bool continues; /* some lane may continue the loop around it */
};

struct sm4_parser {
    const u8 *bytes;
    u32 count;   /* tokens */
    u32 at, end; /* the next token; where its instruction ends */
    bool ps;
    struct ir_program *p;
    u32 insn_cap, imm_cap;
    u32 declared_temps;
    bool in_code;                 /* the first instruction has come: declarations are over */
    u16 extra[EXTRA_COUNT];       /* temp + 1 */
    unsigned indices;             /* EXTRA_INDEX temps that this instruction uses */
    u8 special[IR_MAX_INPUTS][4]; /* 1 + ir_special by component of v#; SM4_ZERO */
    u8 declared[IR_MAX_INPUTS];   /* components of v# */
    u8 target[IR_MAX_OUTPUTS];    /* pixel shader: colour output of o# */
    i8 offset[3];                 /* of texels, from the instruction's extended token */
    struct sm4_block block[IR_MAX_NESTING];
    u32 depth, ir_depth;       /* blocks; frames that they take in the interpreter */
    u32 label[SM4_MAX_LABELS]; /* instruction index + 1 */
    const char *why;
};
enum { SM4_ZERO = IR_SP_COUNT + 1 };

/* sm4.c */
u32 sm4_token(
    struct sm4_parser *s); /* the next one of the instruction; behind its end 0, and why is set */
void sm4_refuse(struct sm4_parser *s, const char *why); /* notes the first reason */
void sm4_emit(struct sm4_parser *s, const struct ir_insn *i);
/* Number of tokens of the instruction at `at`; 0: it does not fit. */
u32 sm4_length(const struct sm4_parser *s, u32 at);
void sm4_operand(struct sm4_parser *s, struct sm4_operand *o);
struct ir_src sm4_source(struct sm4_parser *s);
struct ir_dst sm4_destination(struct sm4_parser *s);
struct ir_src sm4_immediate(struct sm4_parser *s, u32 x, u32 y, u32 z, u32 w);
u16 sm4_extra_temp(struct sm4_parser *s, unsigned which);
static inline struct ir_src sm4_temp(u16 index, u8 swizzle)
{
    return (struct ir_src){ .file = IR_TEMP, .swizzle = swizzle, .index = index };
}
static inline struct ir_dst sm4_to_temp(u16 index, u8 mask)
{
    return (struct ir_dst){ .file = IR_TEMP, .mask = mask, .index = index };
}
static inline u8 sm4_test(u32 word) /* the condition of IR_IF and the like from bit 18 */
{
    return word >> 18 & 1 ? 0 : IR_C_EQ;
}

/* Each: false when the opcode is none of theirs. */
bool sm4_declare(struct sm4_parser *s, u32 word);
bool sm4_arithmetic(struct sm4_parser *s, u32 word);
bool sm4_texture(struct sm4_parser *s, u32 word);
bool sm4_flow(struct sm4_parser *s, u32 word);

/* sm4_decl.c */
void sm4_custom_data(struct sm4_parser *s, u32 word);
void sm4_begin_code(struct sm4_parser *s); /* before the first instruction */
void sm4_signatures(struct sm4_parser *s, const struct ir_element *in, u32 ins,
                    const struct ir_element *out, u32 outs);
/* sm4_flow.c */
void sm4_before(struct sm4_parser *s,
                u32 word); /* opens the block of a case when code follows its labels */
void sm4_end_flow(struct sm4_parser *s); /* blocks are closed, calls get their targets */

#endif
