/* An assembler for Direct3D 10/11 shaders (SM4, SM4.1, SM5 token format), so that tests read as shader text. One instruction per line or
 * ';', in the notation of Microsoft's disassembler; comments from "//". Mistakes abort the test with the line.
 *
 *     struct sm4_asm a;
 *     u32 size = sm4_assemble(&a, text, SM4_DXBC);       // a.words: a DXBC container with ISGN, OSGN and SHDR (SHEX from 5.0 on)
 *     u32 size = sm4_assemble(&a, text, SM4_BARE);       // a.words: version, length, tokens; no signatures
 *     a.ps                                               // true for ps_*
 *
 *     vs_4_0                                             // first line: vs_, ps_, gs_, hs_, ds_, cs_ and the model
 *     .in POSITION v0.xyz                                // signature lines: name with its index, register, mask,
 *     .in BLENDINDICES1 v1.xyzw uint                     //   and float (default), int or uint
 *     .out SV_Position o0.xyzw
 *     .out SV_Depth oDepth                               // no register
 *     dcl_globalFlags refactoringAllowed
 *     dcl_constantbuffer cb0[4], immediateIndexed        // or dynamicIndexed
 *     dcl_immediateConstantBuffer {{1, 2, 3, 4}, {0.5, 0, 0, 0}}
 *     dcl_input v0.xyz
 *     dcl_input_sgv v1.x, vertex_id                      // position clip_distance cull_distance rendertarget_array_index
 *     dcl_output_siv o0.xyzw, position                   //   viewport_array_index vertex_id primitive_id instance_id is_front_face
 *     dcl_input_ps linear centroid v1.xyzw               //   sample_index
 *     dcl_input_ps_siv linear noperspective v0.xy, position
 *     dcl_sampler s0, mode_default                       // or mode_comparison
 *     dcl_resource_texture2d (float,float,float,float) t0    // buffer, texture1d, texture2darray, texturecube, ...; types optional
 *     dcl_temps 2; dcl_indexable_temp x0[4], 4; dcl_indexrange v0.xyzw, 4
 *     mad_sat r0.xyz, -v0.xyzx, |cb0[r1.x + 2].xyzx|, l(1.0, 2, 0x3f800000, -3)   // l(): floats have a point or an exponent
 *     mov x0[r0.x + 1].xyzw, icb[r0.y].xyzw
 *     if_nz r0.x; else; endif; breakc_z r0.x; discard_nz r0.x; retc_nz r0.x; callc_nz r0.x, label0; label label0; switch r0.x; case l(3)
 *     sample r0.xyzw, v1.xyxx, t0.xyzw, s0               // sample_aoffimmi(1,-1,0) ...
 *     sample_indexable(texture2d)(float,float,float,float) r0.xyzw, v1.xyxx, t0.xyzw, s0
 *     resinfo_uint r0.xyzw, l(0), t0.xyzw                // resinfo, resinfo_rcpfloat
 *     raw 0x0100003e                                     // these words as they are */
#ifndef TESTS_SM4_ASM_H
#define TESTS_SM4_ASM_H

#ifndef ck_abort_msg /* bios/gpu/mkshaders.c, which is no test, has its own */
#include <check.h>
#endif
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "machine/core/types.h"

enum sm4_form { SM4_DXBC, SM4_BARE, SM4_DXBC_NO_SIGNATURES };

struct sm4_sig_row {
    char name[32];
    u32 index, system, type, reg;
    u8 mask;
};

struct sm4_asm {
    u32 words[16384], count;
    bool ps;
    u32 kind, major, minor;
    const char *at, *line;
    struct sm4_sig_row sig[2][64]; /* in, out */
    u32 sig_count[2];
    u32 tokens[8192], token_count;
};

/* clang-format off */
static const char *const sm4_names[] = { /* by opcode number */
    "add", "and", "break", "breakc", "call", "callc", "case", "continue", "continuec", "cut", "default", "deriv_rtx", "deriv_rty",
    "discard", "div", "dp2", "dp3", "dp4", "else", "emit", "emitthencut", "endif", "endloop", "endswitch", "eq", "exp", "frc", "ftoi",
    "ftou", "ge", "iadd", "if", "ieq", "ige", "ilt", "imad", "imax", "imin", "imul", "ine", "ineg", "ishl", "ishr", "itof", "label",
    "ld", "ld_ms", "log", "loop", "lt", "mad", "min", "max", "customdata", "mov", "movc", "mul", "ne", "nop", "not", "or", "resinfo",
    "ret", "retc", "round_ne", "round_ni", "round_pi", "round_z", "rsq", "sample", "sample_c", "sample_c_lz", "sample_l", "sample_d",
    "sample_b", "sqrt", "switch", "sincos", "udiv", "ult", "uge", "umul", "umad", "umax", "umin", "ushr", "utof", "xor",
    "dcl_resource", "dcl_constantbuffer", "dcl_sampler", "dcl_indexrange", "dcl_gs_output_topology", "dcl_gs_input_primitive",
    "dcl_max_output_vertices", "dcl_input", "dcl_input_sgv", "dcl_input_siv", "dcl_input_ps", "dcl_input_ps_sgv", "dcl_input_ps_siv",
    "dcl_output", "dcl_output_sgv", "dcl_output_siv", "dcl_temps", "dcl_indexable_temp", "dcl_globalflags", "", "lod", "gather4",
    "sample_pos", "sample_info", "", "hs_decls", "hs_control_point_phase", "hs_fork_phase", "hs_join_phase", "emit_stream", "cut_stream",
    "emitthencut_stream", "interface_call", "bufinfo", "deriv_rtx_coarse", "deriv_rtx_fine", "deriv_rty_coarse", "deriv_rty_fine",
    "gather4_c", "gather4_po", "gather4_po_c", "rcp", "f32tof16", "f16tof32", "uaddc", "usubb", "countbits", "firstbit_hi",
    "firstbit_lo", "firstbit_shi", "ubfe", "ibfe", "bfi", "bfrev", "swapc",
};
static const char *const sm4_sysvals[] = { "undefined", "position", "clip_distance", "cull_distance", "rendertarget_array_index",
    "viewport_array_index", "vertex_id", "primitive_id", "instance_id", "is_front_face", "sample_index" };
static const char *const sm4_dims[] = { "", "buffer", "texture1d", "texture2d", "texture2dms", "texture3d", "texturecube",
    "texture1darray", "texture2darray", "texture2dmsarray", "texturecubearray" };
/* clang-format on */
enum { SM4_F_TEMP, SM4_F_INPUT, SM4_F_OUTPUT, SM4_F_ARRAY, SM4_F_IMM = 4, SM4_F_SAMPLER = 6, SM4_F_RESOURCE, SM4_F_CB, SM4_F_ICB, SM4_F_LABEL,
       SM4_F_DEPTH = 12, SM4_F_NULL };

static inline void sm4_fail(struct sm4_asm *a, const char *why)
{
    ck_abort_msg("shader text: %s at \"%.40s\" of \"%.60s\"", why, a->at, a->line);
}

static inline void sm4_blank(struct sm4_asm *a)
{
    while (*a->at == ' ' || *a->at == '\t' || *a->at == ',') a->at++;
}

static inline bool sm4_end(struct sm4_asm *a)
{
    sm4_blank(a);
    return !*a->at || *a->at == '\n' || *a->at == ';' || !strncmp(a->at, "//", 2);
}

static inline void sm4_word(struct sm4_asm *a, char *out, size_t size)
{
    size_t n = 0;
    sm4_blank(a);
    while (isalnum((unsigned char)*a->at) || *a->at == '_') {
        if (n + 1 < size) out[n++] = *a->at;
        a->at++;
    }
    out[n] = 0;
}

static inline bool sm4_take(struct sm4_asm *a, char c)
{
    while (*a->at == ' ') a->at++;
    if (*a->at != c) return false;
    a->at++;
    return true;
}

static inline void sm4_need(struct sm4_asm *a, char c)
{
    char why[16] = "missing ' '";
    why[9] = c;
    if (!sm4_take(a, c)) sm4_fail(a, why);
}

static inline void sm4_emit(struct sm4_asm *a, u32 v)
{
    ck_assert_uint_lt(a->token_count, LEN(a->tokens));
    a->tokens[a->token_count++] = v;
}

static inline u32 sm4_number(struct sm4_asm *a)
{
    char *end;
    sm4_blank(a);
    u32 v = (u32)strtoll(a->at, &end, 0);
    if (end == a->at) sm4_fail(a, "number");
    a->at = end;
    return v;
}

/* The bits of a number: a float when it has a point, an exponent or is inf or nan. */
static inline u32 sm4_literal(struct sm4_asm *a)
{
    sm4_blank(a);
    const char *p = a->at;
    char *end;
    bool real = false, hex = false;
    for (; isalnum((unsigned char)*p) || *p == '.' || *p == '-' || *p == '+'; p++) {
        if (*p == 'x' || *p == 'X') hex = true;
        real |= *p == '.' || *p == 'e' || *p == 'n' || *p == 'i';
    }
    if (!real || hex) return sm4_number(a);
    float f = strtof(a->at, &end);
    u32 bits;
    memcpy(&bits, &f, 4);
    if (end == a->at) sm4_fail(a, "number");
    a->at = end;
    return bits;
}

/* ---- operands ---- */

struct sm4_text_operand {
    u32 file, indices, swizzle, mask, letters; /* letters: how many components were named */
    bool suffix, neg, abs, plain;              /* plain: no component at all, as samplers */
    struct {
        u32 imm;
        bool has_imm, has_rel;
        u32 rel[8], rel_count; /* an operand's tokens */
    } index[3];
    u32 imm[4], imms;
};

static inline void sm4_parse_operand(struct sm4_asm *a, struct sm4_text_operand *o);
static inline u32 sm4_encode(const struct sm4_text_operand *o, bool destination, u32 *out);

static inline void sm4_parse_index(struct sm4_asm *a, struct sm4_text_operand *o)
{
    unsigned n = o->indices++;
    ck_assert_uint_lt(n, 3);
    do {
        while (*a->at == ' ') a->at++;
        if (isdigit((unsigned char)*a->at) || *a->at == '-') {
            o->index[n].imm = sm4_number(a);
            o->index[n].has_imm = true;
        } else {
            struct sm4_text_operand *rel = calloc(1, sizeof(*rel));
            sm4_parse_operand(a, rel);
            o->index[n].rel_count = sm4_encode(rel, false, o->index[n].rel);
            o->index[n].has_rel = true;
            free(rel);
        }
    } while (sm4_take(a, '+'));
    sm4_need(a, ']');
}

static inline void sm4_parse_components(struct sm4_asm *a, struct sm4_text_operand *o)
{
    static const char names[] = "xyzwrgba";
    u32 last = 0;
    o->swizzle = 0xe4;
    o->mask = 15;
    if (*a->at != '.') return;
    o->suffix = true;
    o->swizzle = o->mask = 0;
    for (a->at++; *a->at && strchr(names, *a->at); a->at++) {
        last = (u32)(strchr(names, *a->at) - names) & 3;
        if (o->letters == 4) sm4_fail(a, "components");
        o->swizzle |= last << (2 * o->letters++);
        o->mask |= 1u << last;
    }
    for (u32 k = o->letters; k < 4; k++) o->swizzle |= last << (2 * k);
}

static inline bool sm4_parse_immediate(struct sm4_asm *a, struct sm4_text_operand *o)
{
    if (a->at[0] != 'l' || a->at[1] != '(') return false;
    a->at += 2;
    o->file = SM4_F_IMM;
    do {
        if (o->imms == 4) sm4_fail(a, "components");
        o->imm[o->imms++] = sm4_literal(a);
        while (*a->at == ' ') a->at++;
    } while (sm4_take(a, ','));
    sm4_need(a, ')');
    if (o->imms != 1 && o->imms != 4) sm4_fail(a, "immediate of one or four components");
    return true;
}

static inline void sm4_parse_register(struct sm4_asm *a, struct sm4_text_operand *o)
{
    static const struct {
        const char *name;
        u8 file, indices;
    } names[] = { { "oDepthGE", 38, 0 }, { "oDepthLE", 39, 0 }, { "oDepth", 12, 0 }, { "oMask", 15, 0 }, { "null", 13, 0 }, { "vPrim", 11, 0 },
                  { "vCoverage", 35, 0 }, { "vThreadID", 32, 0 }, { "icb", 9, 0 }, { "label", 10, 1 }, { "cb", 8, 1 }, { "r", 0, 1 }, { "v", 1, 1 },
                  { "o", 2, 1 }, { "x", 3, 1 }, { "s", 6, 1 }, { "t", 7, 1 }, { "u", 30, 1 }, { "g", 31, 1 } };
    unsigned k = 0;
    for (; k < LEN(names); k++) {
        size_t n = strlen(names[k].name);
        if (strncmp(a->at, names[k].name, n)) continue;
        char next = a->at[n];
        if (names[k].indices ? !isdigit((unsigned char)next) && next != '[' : isalnum((unsigned char)next)) continue;
        a->at += n;
        break;
    }
    if (k == LEN(names)) sm4_fail(a, "register");
    o->file = names[k].file;
    o->plain = o->file == SM4_F_SAMPLER || o->file == SM4_F_LABEL || o->file == SM4_F_NULL;
    if (names[k].indices && *a->at != '[') {
        o->index[0].imm = sm4_number(a);
        o->index[0].has_imm = true;
        o->indices = 1;
    }
    while (*a->at == '[') {
        a->at++;
        sm4_parse_index(a, o);
    }
}

static inline void sm4_parse_operand(struct sm4_asm *a, struct sm4_text_operand *o)
{
    memset(o, 0, sizeof(*o));
    sm4_blank(a);
    o->neg = sm4_take(a, '-');
    o->abs = sm4_take(a, '|');
    if (!sm4_parse_immediate(a, o)) {
        sm4_parse_register(a, o);
        sm4_parse_components(a, o);
    }
    if (o->abs) sm4_need(a, '|');
}

/* Tokens of an operand; returns how many. */
static inline u32 sm4_encode(const struct sm4_text_operand *o, bool destination, u32 *out)
{
    u32 n = 1, t = o->file << 12 | o->indices << 20;
    bool scalar = o->file == SM4_F_DEPTH || o->file == 38 || o->file == 39 || o->file == 11 || o->file == 35 || o->file == 15;
    if (o->file == SM4_F_IMM)
        t |= o->imms == 1 ? 1 : 2;
    else if (scalar)
        t |= 1;
    else if (o->plain && !o->suffix)
        t |= 0;
    else if (destination)
        t |= 2 | o->mask << 4;
    else if (o->letters == 1)
        t |= 2 | 2 << 2 | (o->swizzle & 3) << 4;
    else
        t |= 2 | 1 << 2 | o->swizzle << 4;
    if (o->neg || o->abs) {
        t |= 1u << 31;
        out[n++] = 1 | (u32)(o->neg + 2 * o->abs) << 6;
    }
    for (u32 k = 0; k < o->indices; k++) {
        if (o->index[k].has_rel) t |= (o->index[k].has_imm ? 3u : 2u) << (22 + 3 * k);
        if (o->index[k].has_imm) out[n++] = o->index[k].imm;
        memcpy(out + n, o->index[k].rel, o->index[k].rel_count * 4);
        n += o->index[k].rel_count;
    }
    memcpy(out + n, o->imm, o->imms * 4);
    out[0] = t;
    return n + o->imms;
}

static inline void sm4_operand_text(struct sm4_asm *a, bool destination)
{
    struct sm4_text_operand o;
    u32 words[40];
    sm4_parse_operand(a, &o);
    u32 n = sm4_encode(&o, destination, words);
    for (u32 k = 0; k < n; k++) sm4_emit(a, words[k]);
}

/* ---- declarations ---- */

static inline u32 sm4_lookup(struct sm4_asm *a, const char *name, const char *const *table, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (!strcasecmp(name, table[k])) return k;
    }
    sm4_fail(a, "unknown name");
    return 0;
}

static inline u32 sm4_interpolation(struct sm4_asm *a)
{
    u32 mode = 0;
    char word[32];
    for (;;) {
        sm4_blank(a);
        const char *back = a->at;
        sm4_word(a, word, sizeof(word));
        if (!strcmp(word, "constant")) mode = 1;
        else if (!strcmp(word, "linear")) mode = 2;
        else if (!strcmp(word, "noperspective")) mode = 4;
        else if (!strcmp(word, "centroid")) mode += 1;
        else if (!strcmp(word, "sample")) mode = mode == 4 ? 7 : 6;
        else {
            a->at = back;
            return mode << 11;
        }
    }
}

static inline void sm4_icb(struct sm4_asm *a)
{
    u32 at = a->token_count;
    sm4_emit(a, 53 | 3u << 11);
    sm4_emit(a, 0);
    sm4_blank(a);
    sm4_need(a, '{');
    do {
        sm4_blank(a);
        sm4_need(a, '{');
        for (unsigned k = 0; k < 4; k++) sm4_emit(a, sm4_literal(a));
        sm4_need(a, '}');
        sm4_blank(a);
    } while (*a->at == '{');
    sm4_need(a, '}');
    a->tokens[at + 1] = a->token_count - at;
}

/* What follows the word of a declaration; returns its opcode-specific bits. */
static inline u32 sm4_declare(struct sm4_asm *a, u32 opcode, u32 dims)
{
    char word[48];
    u32 bits = 0;
    switch (opcode) {
    case 88: { /* dcl_resource */
        sm4_blank(a);
        if (*a->at == '(') {
            while (*a->at != ')') a->at++;
            a->at++;
        }
        struct sm4_text_operand o;
        u32 words[40];
        sm4_parse_operand(a, &o);
        o.plain = true;
        o.suffix = false;
        u32 n = sm4_encode(&o, false, words);
        for (u32 k = 0; k < n; k++) sm4_emit(a, words[k]);
        sm4_emit(a, 0x5555); /* all float */
        return dims << 11;
    }
    case 89: /* dcl_constantbuffer */
        sm4_operand_text(a, false);
        sm4_word(a, word, sizeof(word));
        return !strcasecmp(word, "dynamicIndexed") ? 1u << 11 : 0;
    case 90:
        sm4_operand_text(a, false);
        sm4_word(a, word, sizeof(word));
        return !strcmp(word, "mode_comparison") ? 1u << 11 : 0;
    case 91:
        sm4_operand_text(a, true);
        sm4_emit(a, sm4_number(a));
        return 0;
    case 104: sm4_emit(a, sm4_number(a)); return 0;
    case 105:
        sm4_blank(a);
        sm4_need(a, 'x');
        sm4_emit(a, sm4_number(a));
        sm4_need(a, '[');
        sm4_emit(a, sm4_number(a));
        sm4_need(a, ']');
        sm4_emit(a, sm4_number(a));
        return 0;
    case 106:
        while (!sm4_end(a)) {
            sm4_word(a, word, sizeof(word));
            if (*a->at == '|') a->at++;
            if (!strcasecmp(word, "refactoringAllowed")) bits |= 1u << 11;
            else if (!strcasecmp(word, "forceEarlyDepthStencil")) bits |= 1u << 13;
            else sm4_fail(a, "flag");
        }
        return bits;
    default: break;
    }
    if (opcode >= 98 && opcode <= 100) bits = sm4_interpolation(a);
    sm4_operand_text(a, true);
    if (opcode == 96 || opcode == 97 || opcode == 99 || opcode == 100 || opcode == 102 || opcode == 103) {
        sm4_word(a, word, sizeof(word));
        sm4_emit(a, sm4_lookup(a, word, sm4_sysvals, LEN(sm4_sysvals)));
    }
    return bits;
}

/* ".in NAME3 v0.xyz uint" */
static inline void sm4_signature_line(struct sm4_asm *a)
{
    static const struct {
        const char *name;
        u8 in, out; /* system value; of pixel shaders' outputs: 0 */
    } systems[] = { { "SV_Position", 1, 1 }, { "SV_ClipDistance", 2, 2 }, { "SV_CullDistance", 3, 3 }, { "SV_RenderTargetArrayIndex", 4, 4 },
                    { "SV_ViewportArrayIndex", 5, 5 }, { "SV_VertexID", 6, 6 }, { "SV_PrimitiveID", 7, 7 }, { "SV_InstanceID", 8, 8 },
                    { "SV_IsFrontFace", 9, 9 }, { "SV_SampleIndex", 10, 10 } };
    char word[48];
    a->at++;
    sm4_word(a, word, sizeof(word));
    unsigned side = !strcmp(word, "out");
    if (!side && strcmp(word, "in")) sm4_fail(a, ".in or .out");
    ck_assert_uint_lt(a->sig_count[side], 64);
    struct sm4_sig_row *r = &a->sig[side][a->sig_count[side]++];
    memset(r, 0, sizeof(*r));
    sm4_word(a, word, sizeof(word));
    size_t n = strlen(word);
    while (n && isdigit((unsigned char)word[n - 1])) n--;
    ck_assert_uint_lt(n, sizeof(r->name));
    memcpy(r->name, word, n);
    r->index = (u32)atoi(word + n);
    for (unsigned k = 0; k < LEN(systems); k++) {
        if (!strcasecmp(r->name, systems[k].name)) r->system = systems[k].in;
    }
    struct sm4_text_operand o;
    sm4_parse_operand(a, &o);
    r->reg = o.indices ? o.index[0].imm : 0xffffffff;
    r->mask = o.indices ? (u8)o.mask : 1;
    sm4_word(a, word, sizeof(word));
    r->type = !strcmp(word, "uint") ? 1 : !strcmp(word, "int") ? 2 : 3;
}

/* ---- instructions ---- */

/* Number and opcode-specific bits of a mnemonic; -1 when there is none. */
static inline int sm4_mnemonic(char *op, u32 *bits, u32 *dims)
{
    static const struct {
        const char *suffix;
        u32 bits;
    } all[] = { { "", 0 }, { "_sat", 1u << 13 }, { "_nz", 1u << 18 }, { "_z", 0 }, { "_uint", 2u << 11 }, { "_rcpfloat", 1u << 11 }, { "_aoffimmi", 0 } };
    size_t length = strlen(op);
    if (!strncasecmp(op, "dcl_resource_", 13)) {
        for (unsigned k = 1; k < LEN(sm4_dims); k++) {
            if (!strcasecmp(op + 13, sm4_dims[k])) *dims = k;
        }
        return *dims ? 88 : -1;
    }
    for (unsigned s = 0; s < LEN(all); s++) {
        size_t n = strlen(all[s].suffix);
        if (length < n || strcasecmp(op + length - n, all[s].suffix)) continue;
        for (unsigned k = 0; k < LEN(sm4_names); k++) {
            if (!*sm4_names[k] || strlen(sm4_names[k]) != length - n || strncasecmp(op, sm4_names[k], length - n)) continue;
            *bits = all[s].bits;
            return (int)k;
        }
    }
    return -1;
}

/* How many of an instruction's operands are destinations. */
static inline unsigned sm4_destinations(u32 opcode)
{
    switch (opcode) {
    case 3: case 4: case 5: case 6: case 8: case 13: case 31: case 44: case 63: case 76: return 0;
    case 38: case 77: case 78: case 81: case 132: case 133: case 142: return 2;
    default: return 1;
    }
}

/* "(texture2d)(float,float,float,float)": words about the resource that shader model 5 repeats in instructions */
static inline void sm4_extended_resource(struct sm4_asm *a)
{
    char word[32];
    sm4_need(a, '(');
    sm4_word(a, word, sizeof(word));
    sm4_emit(a, 1u << 31 | 2 | sm4_lookup(a, word, sm4_dims, LEN(sm4_dims)) << 6);
    sm4_need(a, ')');
    sm4_need(a, '(');
    while (*a->at && *a->at != ')') a->at++;
    sm4_need(a, ')');
    sm4_emit(a, 3 | 0x5555 << 6);
}

static inline void sm4_instruction(struct sm4_asm *a, char *op)
{
    u32 at = a->token_count, bits = 0, dims = 0, offsets = 0;
    if (!strcmp(op, "raw")) {
        while (!sm4_end(a)) sm4_emit(a, sm4_number(a));
        return;
    }
    if (!strcasecmp(op, "dcl_immediateConstantBuffer")) {
        sm4_icb(a);
        return;
    }
    char *indexable = strstr(op, "_indexable");
    if (indexable && indexable[10]) indexable = NULL; /* dcl_indexable_temp */
    if (indexable) *indexable = 0;
    bool offset = strstr(op, "_aoffimmi") != NULL;
    int opcode = sm4_mnemonic(op, &bits, &dims);
    if (opcode < 0) sm4_fail(a, "instruction");
    sm4_emit(a, 0);
    if (offset) { /* of texels */
        sm4_need(a, '(');
        for (unsigned k = 0; k < 3; k++) offsets |= (sm4_number(a) & 15) << (9 + 4 * k);
        sm4_need(a, ')');
        sm4_emit(a, 1 | offsets | (indexable ? 1u << 31 : 0));
        bits |= 1u << 31;
    }
    if (indexable) {
        sm4_extended_resource(a);
        bits |= 1u << 31;
    }
    if (opcode >= 88 && opcode <= 106)
        bits |= sm4_declare(a, (u32)opcode, dims);
    else
        for (unsigned k = 0; !sm4_end(a); k++) sm4_operand_text(a, k < sm4_destinations((u32)opcode));
    a->tokens[at] = (u32)opcode | bits | (a->token_count - at) << 24;
}

/* ---- the container ---- */

static inline void sm4_put(struct sm4_asm *a, u32 v)
{
    ck_assert_uint_lt(a->count, LEN(a->words));
    a->words[a->count++] = v;
}

static inline void sm4_put_signature(struct sm4_asm *a, unsigned side)
{
    u32 n = a->sig_count[side], start, names = 8 + 24 * n;
    char text[64 * 32];
    u32 used = 0;
    sm4_put(a, side ? 0x4e47534f : 0x4e475349); /* OSGN, ISGN */
    sm4_put(a, 0);
    start = a->count;
    sm4_put(a, n);
    sm4_put(a, 8);
    for (u32 k = 0; k < n; k++) {
        const struct sm4_sig_row *r = &a->sig[side][k];
        sm4_put(a, names + used);
        sm4_put(a, r->index);
        sm4_put(a, a->ps && side ? 0 : r->system);
        sm4_put(a, r->type);
        sm4_put(a, r->reg);
        sm4_put(a, r->mask | (side ? 0u : (u32)r->mask << 8));
        strcpy(text + used, r->name);
        used += (u32)strlen(r->name) + 1;
    }
    while (used & 3) text[used++] = (char)0xab; /* as the compilers pad */
    for (u32 k = 0; k < used; k += 4) {
        u32 v;
        memcpy(&v, text + k, 4);
        sm4_put(a, v);
    }
    a->words[start - 1] = (a->count - start) * 4;
}

static inline void sm4_container(struct sm4_asm *a, bool signatures)
{
    u32 chunks = signatures ? 3 : 1, n = 0;
    sm4_put(a, 0x43425844); /* DXBC */
    for (unsigned k = 0; k < 4; k++) sm4_put(a, 0);
    sm4_put(a, 1);
    sm4_put(a, 0);
    sm4_put(a, chunks);
    for (u32 k = 0; k < chunks; k++) sm4_put(a, 0);
    for (unsigned side = 0; signatures && side < 2; side++) {
        a->words[8 + n++] = a->count * 4;
        sm4_put_signature(a, side);
    }
    a->words[8 + n] = a->count * 4;
    sm4_put(a, a->major >= 5 ? 0x58454853 : 0x52444853); /* SHEX, SHDR */
    sm4_put(a, a->token_count * 4);
    for (u32 k = 0; k < a->token_count; k++) sm4_put(a, a->tokens[k]);
    a->words[6] = a->count * 4;
}

/* The blob of `text`, whose first line is the version: in a->words. Returns its size in bytes. */
static inline u32 sm4_assemble(struct sm4_asm *a, const char *text, enum sm4_form form)
{
    static const char *const kinds[] = { "ps", "vs", "gs", "hs", "ds", "cs" };
    char op[48];
    memset(a, 0, sizeof(*a));
    a->at = a->line = text;
    sm4_word(a, op, sizeof(op));
    ck_assert_msg(strlen(op) == 6, "shader text: version \"%s\"", op);
    a->major = (u32)(op[3] - '0');
    a->minor = (u32)(op[5] - '0');
    op[2] = 0;
    a->kind = sm4_lookup(a, op, kinds, 6);
    a->ps = a->kind == 0;
    sm4_emit(a, a->kind << 16 | a->major << 4 | a->minor);
    sm4_emit(a, 0);
    while (*a->at) {
        while (*a->at == '\n' || *a->at == ';' || *a->at == ' ' || *a->at == '\t') a->at++;
        a->line = a->at;
        if (!*a->at) break;
        if (!strncmp(a->at, "//", 2)) {
            while (*a->at && *a->at != '\n') a->at++;
            continue;
        }
        if (*a->at == '.') {
            sm4_signature_line(a);
        } else {
            sm4_word(a, op, sizeof(op));
            if (!*op) sm4_fail(a, "text");
            sm4_instruction(a, op);
        }
        if (!sm4_end(a)) sm4_fail(a, "end of line");
    }
    a->tokens[1] = a->token_count;
    if (form == SM4_BARE)
        for (u32 k = 0; k < a->token_count; k++) sm4_put(a, a->tokens[k]);
    else
        sm4_container(a, form == SM4_DXBC);
    return a->count * 4;
}

#endif
