/* Shaders between their token formats and the interpreter: one small program form for Direct3D 9 token streams (SM1 to SM3) and for SM4/SM5.
 *
 * A program is a list of instructions on registers of four 32-bit components, with structured control flow. Front ends (d3d9.c, sm4.c) check
 * everything once: register numbers are inside the program's counts, blocks are balanced, jumps are resolved; run.c trusts them. What
 * differs between the two worlds is in the opcode (IR_MUL0 is Direct3D 9's product, in which 0 times anything is 0) or in the program's
 * header, never in a mode switch inside the interpreter.
 * Document: the contract's part "executor", sections 7 to 10. */
#ifndef GPU_SHADER_IR_H
#define GPU_SHADER_IR_H

#include "gpu/aerogpu_cmd.h"

enum {
    IR_MAX_TEMPS = 4096,
    IR_MAX_INPUTS = 32,
    IR_MAX_OUTPUTS = 32,
    IR_MAX_NESTING = 64,
    IR_MAX_CALL_DEPTH = 32,
    IR_MAX_INSNS = 65536,
    IR_MAX_ARRAYS = 64,
};

enum ir_file {
    IR_NULL,     /* destination only: the result is dropped */
    IR_TEMP,     /* r# */
    IR_INPUT,    /* v#; of a pixel shader after interpolation */
    IR_OUTPUT,   /* o#: see ir_output of the program */
    IR_CONST,    /* Direct3D 9 c#, from the context's float constants, overridden by `defs` */
    IR_CONST_I,  /* i# */
    IR_CONST_B,  /* b#: component x, 0 or all ones */
    IR_CB,       /* SM4 constant buffer `slot`, element `index` */
    IR_IMM,      /* the program's immediates[index] */
    IR_ICB,      /* SM4's immediate constant buffer: immediates[icb_first + index] */
    IR_ARRAY,    /* x#[index]: indexable temp `slot` */
    IR_ADDR,     /* a0, integers */
    IR_AL,       /* aL, integer in x */
    IR_PRED,     /* p0: all ones or 0 per component */
    IR_SPECIAL,  /* ir_special in `index` */
};

enum ir_special { /* read only; integers unless said otherwise */
    IR_SP_POSITION,       /* pixel shader: x, y, z, w of SV_Position; Direct3D 9's vPos: x and y without the half, float */
    IR_SP_FACE,           /* Direct3D 9's vFace: +1.0 front, -1.0 back */
    IR_SP_FRONT,          /* all ones or 0 */
    IR_SP_VERTEX_ID,
    IR_SP_INSTANCE_ID,
    IR_SP_PRIMITIVE_ID,
    IR_SP_COUNT,
};

/* Source modifiers, applied in this order: the named one, then abs, then neg. */
enum ir_modifier {
    IR_MOD_NONE,
    IR_MOD_BIAS, /* x - 0.5 */
    IR_MOD_SIGN, /* 2x - 1 */
    IR_MOD_COMP, /* 1 - x */
    IR_MOD_X2,
    IR_MOD_DZ,   /* x and y divided by z */
    IR_MOD_DW,   /* divided by w */
    IR_MOD_NOT,  /* of a predicate or boolean */
};

/* Relative addressing: index + the integer in component `component` of register `file`, `index`. IR_NULL: none. */
struct ir_relative {
    u8 file; /* IR_NULL, IR_ADDR, IR_AL, IR_TEMP ; what else a token stream may name is moved to a temp first */
    u8 component;
    u16 index;
};

struct ir_src {
    u8 file;
    u8 swizzle; /* two bits per component, x lowest: E4h is xyzw */
    u8 modifier;
    bool abs, neg;
    u16 slot; /* IR_CB, IR_ARRAY */
    u16 index;
    struct ir_relative rel;
};

struct ir_dst {
    u8 file;
    u8 mask;  /* bits x, y, z, w */
    bool sat; /* clamp to 0..1, NaN to 0 */
    i8 shift; /* result times 2^shift: ps_1_x; before sat */
    u16 slot;
    u16 index;
    struct ir_relative rel;
};

/* Conditions of IR_CMP, IR_SETP, IR_IF, IR_BREAKC */
enum ir_condition { IR_C_GT = 1, IR_C_EQ, IR_C_GE, IR_C_LT, IR_C_NE, IR_C_LE };

/* name, sources, what it is. "0" at the end of a name: Direct3D 9's legacy rule for zero and for special values. */
#define IR_OPS(OP)                                                                                  \
    OP(NOP, 0)                                                                                      \
    OP(MOV, 1)       /* bits, no flushing */                                                        \
    OP(MOVA, 1)      /* to IR_ADDR: nearest integer */                                              \
    OP(MOVA_FLOOR, 1) /* vs_1_1 */                                                                  \
    OP(ADD, 2)                                                                                      \
    OP(MUL, 2)                                                                                      \
    OP(MUL0, 2)                                                                                     \
    OP(MAD, 3)       /* product rounded, then sum */                                                \
    OP(MAD0, 3)                                                                                     \
    OP(DIV, 2)                                                                                      \
    OP(DP2, 2)                                                                                      \
    OP(DP3, 2)                                                                                      \
    OP(DP4, 2)                                                                                      \
    OP(DP2ADD0, 3)                                                                                  \
    OP(DP3_0, 2)                                                                                    \
    OP(DP4_0, 2)                                                                                    \
    OP(MIN, 2)       /* the operand that is no NaN */                                               \
    OP(MAX, 2)                                                                                      \
    OP(MIN0, 2)      /* a < b ? a : b */                                                            \
    OP(MAX0, 2)      /* a >= b ? a : b */                                                           \
    OP(RCP, 1)                                                                                      \
    OP(RCP0, 1)      /* of 0: the largest float of its sign; scalar: of the swizzled x */           \
    OP(RSQ, 1)                                                                                      \
    OP(RSQ0, 1)      /* of |x|; 0 gives the largest float */                                        \
    OP(SQRT, 1)                                                                                     \
    OP(EXP, 1)       /* 2^x */                                                                      \
    OP(LOG, 1)       /* base 2 */                                                                   \
    OP(LOG0, 1)      /* of |x|; 0 gives minus the largest float */                                  \
    OP(EXPP, 1)      /* vs_1_1: 2^floor, fraction, 2^x, 1 */                                        \
    OP(LOGP, 1)      /* vs_1_1: exponent, mantissa, log2, 1 */                                      \
    OP(POW0, 2)      /* |x|^y */                                                                    \
    OP(FRC, 1)                                                                                      \
    OP(ROUND_NE, 1)                                                                                 \
    OP(ROUND_NI, 1)                                                                                 \
    OP(ROUND_PI, 1)                                                                                 \
    OP(ROUND_Z, 1)                                                                                  \
    OP(LRP0, 3)      /* s0 * (s1 - s2) + s2 */                                                      \
    OP(CRS0, 2)                                                                                     \
    OP(NRM0, 1)                                                                                     \
    OP(LIT0, 1)                                                                                     \
    OP(DST0, 2)                                                                                     \
    OP(SGN0, 1)                                                                                     \
    OP(SINCOS, 1)    /* x: cosine, y: sine of the swizzled x */                                     \
    OP(SIN, 1)                                                                                      \
    OP(COS, 1)                                                                                      \
    OP(SLT, 2)       /* 1.0 or 0.0 */                                                               \
    OP(SGE, 2)                                                                                      \
    OP(CMP_GE0, 3)   /* s0 >= 0 ? s1 : s2 */                                                        \
    OP(CND, 3)       /* s0 > 0.5 ? s1 : s2 */                                                       \
    OP(SETP, 2)      /* to IR_PRED by `condition` */                                                \
    OP(LT, 2)        /* all ones or 0 */                                                            \
    OP(GE, 2)                                                                                       \
    OP(EQ, 2)                                                                                       \
    OP(NE, 2)                                                                                       \
    OP(MOVC, 3)      /* bits of s0 ? s1 : s2 */                                                     \
    OP(DSX, 1)                                                                                      \
    OP(DSY, 1)                                                                                      \
    OP(DSX_COARSE, 1) /* of the quad's top row */                                                   \
    OP(DSY_COARSE, 1) /* of its left column */                                                      \
    OP(IADD, 2)                                                                                     \
    OP(INEG, 1)                                                                                     \
    OP(IMUL, 2)      /* dst high, dst2 low */                                                       \
    OP(UMUL, 2)                                                                                     \
    OP(IMAD, 3)                                                                                     \
    OP(IMIN, 2)                                                                                     \
    OP(IMAX, 2)                                                                                     \
    OP(UMIN, 2)                                                                                     \
    OP(UMAX, 2)                                                                                     \
    OP(UDIV, 2)      /* dst quotient, dst2 remainder; by 0 all ones */                              \
    OP(ILT, 2)                                                                                      \
    OP(IGE, 2)                                                                                      \
    OP(ULT, 2)                                                                                      \
    OP(UGE, 2)                                                                                      \
    OP(IEQ, 2)                                                                                      \
    OP(INE, 2)                                                                                      \
    OP(AND, 2)                                                                                      \
    OP(OR, 2)                                                                                       \
    OP(XOR, 2)                                                                                      \
    OP(NOT, 1)                                                                                      \
    OP(ISHL, 2)                                                                                     \
    OP(ISHR, 2)                                                                                     \
    OP(UADDC, 2)     /* dst sum, dst2 carry */                                                      \
    OP(USUBB, 2)     /* dst difference, dst2 borrow */                                              \
    OP(COUNTBITS, 1)                                                                                \
    OP(FIRSTBIT_HI, 1) /* place of the highest one, counted from bit 31; none: all ones */          \
    OP(FIRSTBIT_LO, 1) /* place of the lowest one */                                                \
    OP(FIRSTBIT_SHI, 1) /* place of the highest bit that is not the sign, counted from bit 31 */    \
    OP(UBFE, 3)      /* s0 bits from bit s1 of s2 */                                                \
    OP(IBFE, 3)      /* likewise, signed */                                                         \
    OP(BFM, 2)       /* mask of s0 bits from bit s1 */                                              \
    OP(BFREV, 1)                                                                                    \
    OP(USHR, 2)                                                                                     \
    OP(FTOI, 1)      /* towards 0, clamped; NaN is 0 */                                             \
    OP(FTOU, 1)                                                                                     \
    OP(F32TOF16, 1)  /* half in the low 16 bits */                                                  \
    OP(F16TOF32, 1)                                                                                 \
    OP(ITOF, 1)                                                                                     \
    OP(UTOF, 1)                                                                                     \
    OP(SWAPC, 3)     /* dst, dst2 = s0 ? s2, s1 : s1, s2 */                                         \
    OP(TEX, 1)       /* sample: s0 the coordinates; see ir_tex */                                   \
    OP(TEX_BIAS, 2)  /* s1.x added to the level of detail */                                        \
    OP(TEX_LOD, 2)   /* s1.x is it */                                                               \
    OP(TEX_GRAD, 3)  /* s1, s2 the derivatives */                                                   \
    OP(TEX_LOD_QUERY, 1)                                                                            \
    OP(TEX_CMP, 2)   /* s1.x compared */                                                            \
    OP(TEX_CMP_LZ, 2)                                                                               \
    OP(GATHER, 1)    /* channel `condition` of the four texels of a bilinear sample: left bottom, right bottom, right top, left top */ \
    OP(GATHER_PO, 2) /* s1: texel offsets, integers */                                              \
    OP(GATHER_CMP, 2) /* s1.x compared with each */                                                 \
    OP(GATHER_CMP_PO, 3) /* s1 offsets, s2.x compared */                                            \
    OP(LD, 1)        /* integer coordinates; w the mip, of textures */                              \
    OP(BUFINFO, 0)   /* elements of a buffer in x */                                                \
    OP(RESINFO, 1)   /* s0.x the mip; `condition`: 0 float, 1 reciprocal, 2 integer */              \
    OP(KILL_LT, 1)   /* texkill: any masked component below 0 (dst.mask says which) */              \
    OP(KILL_Z, 1)    /* discard: s0.x is 0 */                                                       \
    OP(KILL_NZ, 1)                                                                                  \
    OP(IF, 1)        /* s0.x: bits not 0, or 0 with `condition` = IR_C_EQ; target: ELSE or ENDIF */   \
    OP(IFC, 2)       /* s0.x condition s1.x, floats */                                              \
    OP(ELSE, 0)      /* target: ENDIF */                                                            \
    OP(ENDIF, 0)                                                                                    \
    OP(LOOP, 0)      /* until a break; target: ENDLOOP */                                           \
    OP(REP, 1)       /* s0: IR_CONST_I or IR_IMM {count, start, step}: sets aL when `condition` is 1 (loop), not for rep */ \
    OP(ENDLOOP, 0)   /* target: LOOP or REP */                                                      \
    OP(BREAK, 0)     /* target: ENDLOOP */                                                          \
    OP(BREAKC, 2)    /* s0.x condition s1.x */                                                      \
    OP(BREAKB, 1)    /* as IF: s0.x bits */                                                         \
    OP(CONTINUE, 0)                                                                                 \
    OP(CONTINUEB, 1)                                                                                \
    OP(CALL, 0)      /* target: LABEL */                                                            \
    OP(CALLB, 1)                                                                                    \
    OP(LABEL, 0)                                                                                    \
    OP(RET, 0)                                                                                      \
    OP(RETB, 1)

enum ir_op {
#define OP(name, sources) IR_##name,
    IR_OPS(OP)
#undef OP
    IR_OP_COUNT
};

struct ir_tex { /* of TEX*, LD, RESINFO */
    u16 resource, sampler; /* t# and s#; Direct3D 9 has one number for both */
    u8 swizzle;            /* of the result, before the destination's mask */
    bool project;          /* coordinates divided by w first */
    i8 offset[3];          /* texels */
};

struct ir_insn {
    u16 op;
    u8 condition;
    bool predicated; /* by `pred`: lanes and components whose predicate is 0 keep their destination */
    struct ir_src pred;
    struct ir_dst dst, dst2;
    struct ir_src src[3];
    struct ir_tex tex;
    u32 target; /* index of an instruction */
};

/* What a register at an edge of the program is for. Direct3D 9: usage and index of `dcl` or of the fixed registers. SM4: hash of the
 * upper-case semantic name (as in ILAY blobs), index, and the system value. */
enum ir_usage { /* D3DDECLUSAGE */
    IR_USAGE_POSITION,
    IR_USAGE_BLENDWEIGHT,
    IR_USAGE_BLENDINDICES,
    IR_USAGE_NORMAL,
    IR_USAGE_PSIZE,
    IR_USAGE_TEXCOORD,
    IR_USAGE_TANGENT,
    IR_USAGE_BINORMAL,
    IR_USAGE_TESSFACTOR,
    IR_USAGE_POSITIONT,
    IR_USAGE_COLOR,
    IR_USAGE_FOG,
    IR_USAGE_DEPTH,
    IR_USAGE_SAMPLE,
};
enum ir_interpolation { IR_LINEAR, IR_CONSTANT, IR_NOPERSPECTIVE };
enum ir_system { /* SM4's numbers */
    IR_SV_NONE,
    IR_SV_POSITION,
    IR_SV_CLIP_DISTANCE,
    IR_SV_CULL_DISTANCE,
    IR_SV_TARGET_LAYER,
    IR_SV_VIEWPORT,
    IR_SV_VERTEX_ID,
    IR_SV_PRIMITIVE_ID,
    IR_SV_INSTANCE_ID,
    IR_SV_FRONT_FACE,
    IR_SV_TARGET = 64, /* colour output `index` */
    IR_SV_DEPTH,
};

struct ir_port {
    bool used, declared; /* declared: by dcl or a signature; else by register number alone */
    u8 usage, usage_index;
    u32 semantic_hash;
    u8 semantic_index;
    u8 system;        /* ir_system */
    u8 interpolation; /* of a pixel shader's input */
    u8 mask;
    u8 systems[4]; /* SM4 outputs and inputs: ir_system by component; `system` is the first that is one */
    bool centroid;
};

/* A line of a signature chunk: several may share a register. The ports of a program hold what its code declares, these hold names. */
enum { IR_NO_REGISTER = 0xff };
struct ir_element {
    u32 hash, index; /* of the upper-case name, as in ILAY blobs */
    u8 reg;          /* IR_NO_REGISTER: depth output and the like */
    u8 mask;
    u8 system; /* ir_system, as the signature says; of a pixel shader's outputs by name */
    u8 type;   /* 1 unsigned, 2 signed, 3 float */
};
/* hashes of the names that the front end knows */
#define IR_HASH_SV_TARGET 0x976bebccu
#define IR_HASH_SV_DEPTH 0x0bfd751eu
#define IR_HASH_SV_DEPTH_GE 0xac7d226cu
#define IR_HASH_SV_DEPTH_LE 0x9a151c2du

struct ir_def { /* constants that the shader itself defines */
    u8 file; /* IR_CONST, IR_CONST_I, IR_CONST_B */
    u16 index;
    u32 value[4];
};

struct ir_program {
    u8 stage;      /* agpu_stage */
    bool d3d9;     /* rules of Direct3D 9: pixel centres, linkage, alpha test, unbound textures are white */
    u8 major, minor;
    bool has_dcl;                     /* a D3D9 stream with at least one dcl: pixel centres move by a half */
    bool reads_constants;             /* any c# */
    bool reads_wvp;                   /* c240 to c243 */
    bool writes_depth, kills, derivatives, writes_psize, writes_fog;
    bool relative_constants;
    u16 temps;
    struct ir_port input[IR_MAX_INPUTS], output[IR_MAX_OUTPUTS];
    bool has_signatures; /* SM4 container; bare tokens have none, and link by register number */
    struct ir_element *elements; /* inputs, then outputs */
    u32 input_elements, output_elements;
    struct {
        u16 size;
        u32 first; /* in an arena of indexable temps */
    } arrays[IR_MAX_ARRAYS];
    u16 array_count;
    u32 array_registers; /* of all arrays together */
    u32 textures[4];     /* bit per t# (128) */
    u8 texture_kind[128]; /* 0 unknown, 1 buffer, 2 = 2D, 3 cube, 4 volume (refused), 8 = 2D array, 9 cube array */
    u32 samplers;         /* bit per s# */
    u32 (*immediates)[4];
    u32 immediate_count, icb_first, icb_count;
    struct ir_def *defs; /* one per file and index at most */
    u32 def_count;
    u16 def_at[3][256]; /* 1 + place in defs of IR_CONST, IR_CONST_I, IR_CONST_B; 0: none */
    struct ir_insn *insns;
    u32 insn_count;
};

/* Direct3D 9 outputs have fixed places: */
enum { IR_O_POSITION = 0, IR_O_FOG = 1, IR_O_PSIZE = 2, IR_O_COLOR0 = 3, IR_O_COLOR1 = 4, IR_O_TEXCOORD0 = 8 /* to 7: 15 */ };
/* vertex shaders of SM3 use output registers 16 + o# with their declared usage; pixel shaders of both worlds write colour n to output n and
 * depth to: */
enum { IR_O_SM3 = 16, IR_O_DEPTH = 8 };
/* SM4: input[v#] is `used` where the code declares it and it is no system value that the interpreter's `special` registers hold (position
 * and front face of a pixel shader, vertex, instance and primitive numbers); those the front end moves itself. IR_SPECIAL is read in x
 * alone, of the position in all components. Vertex shaders write output[o#], whose port says which components are the position, clip
 * distances, .... */

/* Front ends: NULL with *why (static text) when the blob is not understood; a shader that cannot be run is never half run. `stage` as the packet
 * named it; a blob of another stage is refused. */
struct ir_program *d3d9_compile(const u8 *bytes, u32 size, u8 stage, const char **why);
struct ir_program *sm4_compile(const u8 *bytes, u32 size, u8 stage, const char **why); /* container or bare tokens */
/* Decides by the first word (DXBC containers may hold Direct3D 9 tokens). */
struct ir_program *shader_compile(const u8 *bytes, u32 size, u8 stage, const char **why);
void ir_free(struct ir_program *p); /* NULL is fine */
u64 ir_program_bytes(const struct ir_program *p); /* of host memory, with its plan */
/* Links an SM4 pixel shader's inputs: from[v#][component] is the vertex shader's output as 4 * register + component, or IR_UNLINKED (which
 * reads 0). By name and index where both have signatures, else by register number. Only inputs that are `used` matter. */
enum { IR_UNLINKED = 0xff };
void ir_link(const struct ir_program *vs, const struct ir_program *ps, u8 from[IR_MAX_INPUTS][4]);
struct text;
void ir_dump(const struct ir_program *p, struct text *t); /* one line per instruction, for people and tests */

#endif
