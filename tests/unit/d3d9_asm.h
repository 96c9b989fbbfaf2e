/* An assembler for Direct3D 9 shaders, so that tests read as shader text: one instruction per line or ';', ps_1_x to 3_0 and vs_1_1 to 3_0,
 * as in the runtime's own assembly language. `lengths`: ASM_STANDARD gives lengths without the instruction's own token, ASM_DRIVER
 * counts it, as the guest's driver does (and leaves bit 31 of parameters clear). Mistakes abort the test with the line. */
#ifndef TESTS_D3D9_ASM_H
#define TESTS_D3D9_ASM_H

#ifndef ck_abort_msg /* bios/gpu/mkshaders.c, which is no test, has its own */
#include <check.h>
#endif
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "machine/core/types.h"

enum asm_lengths { ASM_STANDARD, ASM_DRIVER };

struct d3d9_asm {
    u32 words[1024], count;
    bool ps;
    unsigned major, minor;
    enum asm_lengths lengths;
    u32 predicate; /* of the instruction in the making: its token, 0 for none */
    const char *at, *line;
};

static const struct {
    const char *name;
    u16 number;
} asm_ops[] = {
    { "mov", 1 }, { "add", 2 }, { "sub", 3 }, { "mad", 4 }, { "mul", 5 }, { "rcp", 6 }, { "rsq", 7 }, { "dp3", 8 }, { "dp4", 9 },
    { "min", 10 }, { "max", 11 }, { "slt", 12 }, { "sge", 13 }, { "exp", 14 }, { "log", 15 }, { "lit", 16 }, { "dst", 17 }, { "lrp", 18 },
    { "frc", 19 }, { "m4x4", 20 }, { "m4x3", 21 }, { "m3x4", 22 }, { "m3x3", 23 }, { "m3x2", 24 }, { "call", 25 }, { "callnz", 26 },
    { "loop", 27 }, { "ret", 28 }, { "endloop", 29 }, { "label", 30 }, { "pow", 32 }, { "crs", 33 }, { "sgn", 34 }, { "abs", 35 },
    { "nrm", 36 }, { "sincos", 37 }, { "rep", 38 }, { "endrep", 39 }, { "if", 40 }, { "else", 42 }, { "endif", 43 }, { "break", 44 },
    { "mova", 46 }, { "texcoord", 64 }, { "texcrd", 64 }, { "texkill", 65 }, { "tex", 66 }, { "texld", 66 }, { "texldp", 66 },
    { "texldb", 66 }, { "expp", 78 }, { "logp", 79 }, { "cnd", 80 }, { "cmp", 88 }, { "dp2add", 90 }, { "dsx", 91 }, { "dsy", 92 },
    { "texldd", 93 }, { "setp", 94 }, { "texldl", 95 }, { "breakp", 96 }, { "phase", 0xfffd },
    { "texreg2ar", 69 }, { "texreg2gb", 70 }, { "texm3x2pad", 71 }, { "texm3x2tex", 72 }, { "texm3x3pad", 73 }, { "texm3x3tex", 74 },
    { "texm3x3spec", 76 }, { "texm3x3vspec", 77 }, { "texreg2rgb", 82 }, { "texdp3tex", 83 }, { "texm3x2depth", 84 }, { "texdp3", 85 },
    { "texm3x3", 86 }, { "texdepth", 87 },
};
static const char *const asm_conditions[] = { "", "gt", "eq", "ge", "lt", "ne", "le" };

static inline void asm_fail(struct d3d9_asm *a, const char *why)
{
    ck_abort_msg("shader text: %s at \"%.40s\"", why, a->line);
}

static inline void asm_blank(struct d3d9_asm *a)
{
    while (*a->at == ' ' || *a->at == '\t' || *a->at == ',') a->at++;
}

static inline void asm_word(struct d3d9_asm *a, char *out, size_t size)
{
    size_t n = 0;
    asm_blank(a);
    while (isalnum((unsigned char)*a->at) || *a->at == '_') {
        if (n + 1 < size) out[n++] = *a->at;
        a->at++;
    }
    out[n] = 0;
}

static inline bool asm_end(struct d3d9_asm *a)
{
    asm_blank(a);
    return !*a->at || *a->at == '\n' || *a->at == ';';
}

static inline u32 asm_type(unsigned type)
{
    return (type & 7) << 28 | (type & 0x18) << 8;
}

/* r0, v0, oPos, ...: type and number as in a parameter token */
static inline u32 asm_register(struct d3d9_asm *a, const char *name)
{
    static const struct {
        const char *prefix;
        u8 type, number;
    } fixed[] = { { "oPos", 4, 0 }, { "oFog", 4, 1 }, { "oPts", 4, 2 }, { "oDepth", 9, 0 }, { "aL", 15, 0 }, { "vPos", 17, 0 }, { "vFace", 17, 1 } };
    static const struct {
        const char *prefix;
        u8 type;
    } numbered[] = { { "oD", 5 }, { "oT", 6 }, { "oC", 8 }, { "o", 6 }, { "r", 0 }, { "v", 1 }, { "c", 2 }, { "a", 3 }, { "t", 3 }, { "s", 10 },
                     { "i", 7 }, { "b", 14 }, { "p", 19 }, { "l", 18 } };
    for (unsigned k = 0; k < LEN(fixed); k++) {
        if (!strcmp(name, fixed[k].prefix)) return asm_type(fixed[k].type) | fixed[k].number;
    }
    for (unsigned k = 0; k < LEN(numbered); k++) {
        size_t n = strlen(numbered[k].prefix);
        if (!strncmp(name, numbered[k].prefix, n) && isdigit((unsigned char)name[n])) return asm_type(numbered[k].type) | (u32)atoi(name + n);
    }
    asm_fail(a, "register");
    return 0;
}

static inline unsigned asm_component(char c)
{
    const char *xyzw = "xyzw", *rgba = "rgba", *p = strchr(xyzw, c);
    return p ? (unsigned)(p - xyzw) : (unsigned)(strchr(rgba, c) ? strchr(rgba, c) - rgba : 0);
}

static inline void asm_emit(struct d3d9_asm *a, u32 v)
{
    ck_assert_uint_lt(a->count, LEN(a->words));
    a->words[a->count++] = v;
}

static inline u32 asm_high(struct d3d9_asm *a)
{
    return a->lengths == ASM_STANDARD ? 0x80000000 : 0;
}

/* [a0.x] and the like behind a register */
static inline bool asm_relative(struct d3d9_asm *a, u32 *extra)
{
    char name[32];
    if (*a->at != '[') return false;
    a->at++;
    asm_word(a, name, sizeof(name));
    *extra = asm_register(a, name) | asm_high(a);
    unsigned c = 0;
    if (*a->at == '.') {
        c = asm_component(a->at[1]);
        a->at += 2;
    }
    *extra |= c * 0x55 << 16;
    if (*a->at++ != ']') asm_fail(a, "]");
    return true;
}

static inline void asm_destination(struct d3d9_asm *a, u32 modifiers)
{
    char name[32];
    u32 extra = 0, mask = 0;
    asm_word(a, name, sizeof(name));
    u32 t = asm_register(a, name) | asm_high(a) | modifiers;
    bool rel = asm_relative(a, &extra);
    if (*a->at == '.') {
        for (a->at++; isalpha((unsigned char)*a->at); a->at++) mask |= 1u << asm_component(*a->at);
    }
    asm_emit(a, t | (mask ? mask : 15) << 16 | (u32)rel << 13);
    if (rel && a->major >= 2) asm_emit(a, extra);
}

static inline void asm_source(struct d3d9_asm *a)
{
    static const struct {
        const char *suffix;
        u8 plain, negated;
    } suffixes[] = { { "_bias", 2, 3 }, { "_bx2", 4, 5 }, { "_comp", 6, 6 }, { "_x2", 7, 8 }, { "_dz", 9, 9 }, { "_dw", 10, 10 }, { "_abs", 11, 12 } };
    char name[32];
    u32 extra = 0, swizzle = 0xe4, modifier = 0;
    asm_blank(a);
    bool negative = *a->at == '-', not = *a->at == '!';
    if (negative || not) a->at++;
    asm_word(a, name, sizeof(name));
    modifier = not ? 13 : negative ? 1 : 0;
    for (unsigned k = 0; k < LEN(suffixes); k++) {
        char *p = strstr(name, suffixes[k].suffix);
        if (!p) continue;
        *p = 0;
        modifier = negative ? suffixes[k].negated : suffixes[k].plain;
    }
    u32 t = asm_register(a, name) | asm_high(a);
    bool rel = asm_relative(a, &extra);
    if (*a->at == '.') {
        unsigned n = 0, last = 0;
        swizzle = 0;
        for (a->at++; isalpha((unsigned char)*a->at); a->at++, n++) swizzle |= (last = asm_component(*a->at)) << (2 * n);
        for (; n < 4; n++) swizzle |= last << (2 * n);
    }
    asm_emit(a, t | swizzle << 16 | modifier << 24 | (u32)rel << 13);
    if (rel && a->major >= 2) asm_emit(a, extra);
}

/* dcl_position v0, dcl_texcoord1 v2, dcl_2d s0, dcl v0 */
static inline void asm_declare(struct d3d9_asm *a, const char *what)
{
    static const char *const usages[] = { "position", "blendweight", "blendindices", "normal", "psize", "texcoord", "tangent", "binormal",
                                          "tessfactor", "positiont", "color", "fog", "depth", "sample" };
    u32 token = asm_high(a);
    if (*what == '_') what++;
    if (!strcmp(what, "2d")) token |= 2u << 27;
    else if (!strcmp(what, "cube")) token |= 3u << 27;
    else if (!strcmp(what, "volume")) token |= 4u << 27;
    else if (*what) {
        unsigned k = 0;
        for (; k < LEN(usages); k++) {
            size_t n = strlen(usages[k]);
            if (!strncmp(what, usages[k], n) && (!what[n] || isdigit((unsigned char)what[n]))) {
                token |= k | (u32)atoi(what + n) << 16;
                break;
            }
        }
        if (k == LEN(usages)) asm_fail(a, "usage");
    }
    asm_emit(a, token);
    asm_destination(a, 0);
}

static inline void asm_define(struct d3d9_asm *a, const char *op)
{
    unsigned n = !strcmp(op, "defb") ? 1 : 4;
    asm_destination(a, 0);
    for (unsigned k = 0; k < n; k++) {
        char *end;
        asm_blank(a);
        float f = strtof(a->at, &end);
        u32 bits;
        memcpy(&bits, &f, 4);
        if (strcmp(op, "def")) bits = (u32)(i32)f;
        a->at = end;
        asm_emit(a, bits);
    }
}

static inline u32 asm_modifiers(char *op)
{
    static const struct {
        const char *suffix;
        u32 bits;
    } all[] = { { "_sat", 1u << 20 }, { "_pp", 2u << 20 }, { "_x2", 1u << 24 }, { "_x4", 2u << 24 }, { "_x8", 3u << 24 }, { "_d2", 15u << 24 },
                { "_d4", 14u << 24 }, { "_d8", 13u << 24 } };
    u32 out = 0;
    for (unsigned k = 0; k < LEN(all); k++) {
        char *p = strstr(op, all[k].suffix);
        if (!p) continue;
        out |= all[k].bits;
        memmove(p, p + strlen(all[k].suffix), strlen(p + strlen(all[k].suffix)) + 1);
    }
    return out;
}

/* (p0) or (!p0.x) in front of an instruction */
static inline void asm_predicate(struct d3d9_asm *a)
{
    u32 before = a->count;
    a->at++;
    asm_source(a);
    a->predicate = a->words[a->count = before];
    if (*a->at++ != ')') asm_fail(a, ")");
}

static inline void asm_instruction(struct d3d9_asm *a, char *op, bool paired)
{
    u32 at = a->count, word = 0, modifiers = 0, control = 0;
    asm_emit(a, 0);
    if (!strncmp(op, "dcl", 3)) {
        word = 31;
        asm_declare(a, op + 3);
    } else if (!strncmp(op, "def", 3)) {
        word = !strcmp(op, "def") ? 81 : !strcmp(op, "defi") ? 48 : 47;
        asm_define(a, op);
    } else {
        modifiers = asm_modifiers(op);
        for (unsigned k = 1; k < 7; k++) { /* if_gt, break_lt, setp_eq */
            char *p = strrchr(op, '_');
            if (p && !strcmp(p + 1, asm_conditions[k])) {
                control = k;
                *p = 0;
                break;
            }
        }
        if (control && !strcmp(op, "if")) word = 41;
        if (control && !strcmp(op, "break")) word = 45;
        for (unsigned k = 0; !word && k < LEN(asm_ops); k++) {
            if (!strcmp(op, asm_ops[k].name)) word = asm_ops[k].number;
        }
        if (!word) asm_fail(a, "instruction");
        if (!strcmp(op, "texldp")) control = 1;
        if (!strcmp(op, "texldb")) control = 2;
        bool no_destination = (word >= 25 && word <= 30) || (word >= 38 && word <= 45) || word == 96 || word == 0xfffd;
        if (!asm_end(a) && !no_destination) asm_destination(a, modifiers);
        if (a->predicate) asm_emit(a, a->predicate);
        while (!asm_end(a)) asm_source(a);
    }
    u32 length = a->count - at - (a->lengths == ASM_STANDARD ? 1 : 0);
    a->words[at] = word | control << 16 | (a->major >= 2 ? length << 24 : 0) | (a->predicate ? 1u << 28 : 0) | (u32)paired << 30;
}

/* The tokens of `text`, whose first line is the version. Returns the size in bytes. */
static inline u32 d3d9_assemble(struct d3d9_asm *a, const char *text, enum asm_lengths lengths)
{
    char op[48];
    memset(a, 0, sizeof(*a));
    a->lengths = lengths;
    a->at = text;
    asm_word(a, op, sizeof(op));
    a->ps = op[0] == 'p';
    a->major = (unsigned)(op[3] - '0');
    a->minor = (unsigned)(op[5] - '0');
    asm_emit(a, (a->ps ? 0xffff0000 : 0xfffe0000) | a->major << 8 | a->minor);
    while (*a->at) {
        a->line = a->at;
        while (*a->at == '\n' || *a->at == ';' || *a->at == ' ') a->at++;
        if (!*a->at) break;
        a->line = a->at;
        bool paired = *a->at == '+';
        if (paired) a->at++;
        a->predicate = 0;
        if (*a->at == '(') asm_predicate(a);
        asm_word(a, op, sizeof(op));
        if (!*op) asm_fail(a, "text");
        asm_instruction(a, op, paired);
        if (!asm_end(a)) asm_fail(a, "end of line");
    }
    asm_emit(a, 0x0000ffff);
    return a->count * 4;
}

#endif
