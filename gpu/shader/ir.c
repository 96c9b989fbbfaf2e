/* What all front ends share: choosing one by the blob's first word, freeing programs, printing
 * them. */
#include "gpu/shader/ir.h"

#include <stdlib.h>

#include "machine/core/text.h"

enum { DXBC_MAGIC = 0x43425844, CHUNK_SHDR = 0x52444853, CHUNK_SHEX = 0x58454853 };

/* The code chunk of a DXBC container; NULL when there is none inside the blob. */
static const u8 *code_chunk(const u8 *bytes, u32 size, u32 *chunk_size)
{
    if (size < 32) return NULL;
    u32 count = ld32(bytes + 28);
    for (u32 k = 0; k < count && k < 64 && 36 + 4 * k <= size; k++) {
        u32 at = ld32(bytes + 32 + 4 * k);
        if (at > size - 8) continue;
        u32 fourcc = ld32(bytes + at), n = ld32(bytes + at + 4);
        if ((fourcc != CHUNK_SHDR && fourcc != CHUNK_SHEX) || n > size - 8 - at || n < 4) continue;
        *chunk_size = n;
        return bytes + at + 8;
    }
    return NULL;
}

static bool d3d9_tokens(const u8 *p)
{
    return ld32(p) >> 16 == 0xfffe || ld32(p) >> 16 == 0xffff;
}

struct ir_program *shader_compile(const u8 *bytes, u32 size, u8 stage, const char **why)
{
    u32 n;
    *why = "blob of an unknown kind";
    if (size < 8) return NULL;
    if (d3d9_tokens(bytes)) return d3d9_compile(bytes, size, stage, why);
    if (ld32(bytes) == DXBC_MAGIC) {
        const u8 *code = code_chunk(bytes, size, &n);
        *why = "container without code";
        if (!code) return NULL;
        if (d3d9_tokens(code)) return d3d9_compile(code, n, stage, why);
    }
    *why = "shader model 4 and 5 programs are not supported yet";
    return NULL;
}

void ir_free(struct ir_program *p)
{
    if (!p) return;
    free(p->immediates);
    free(p->defs);
    free(p->insns);
    free(p);
}

/* ---- printing ---- */

static const char *const op_names[] = {
#define OP(name, sources) #name,
    IR_OPS(OP)
#undef OP
};
static const u8 op_sources[] = {
#define OP(name, sources) sources,
    IR_OPS(OP)
#undef OP
};
static const char *const file_names[] = { "_",   "r",   "v", "o", "c",  "i", "b",      "cb",
                                          "imm", "icb", "x", "a", "aL", "p", "special" };

static void dump_relative(const struct ir_relative *r, struct text *t)
{
    if (r->file) text_add(t, "[%s%u.%c]", file_names[r->file], r->index, "xyzw"[r->component & 3]);
}

static void dump_src(const struct ir_src *s, struct text *t)
{
    static const char *const modifiers[] = { "",    "_bias", "_bx2", "_comp",
                                             "_x2", "_dz",   "_dw",  "_not" };
    text_add(t, "%s%s%s%u%s", s->neg ? "-" : "", s->abs ? "|" : "", file_names[s->file], s->index,
             modifiers[s->modifier]);
    dump_relative(&s->rel, t);
    text_add(t, ".");
    for (unsigned k = 0; k < 4; k++) text_add(t, "%c", "xyzw"[s->swizzle >> (2 * k) & 3]);
    if (s->abs) text_add(t, "|");
}

static void dump_insn(const struct ir_insn *i, struct text *t)
{
    const char *sep = " ";
    text_add(t, "%s", op_names[i->op]);
    if (i->condition) text_add(t, "_%u", i->condition);
    if (i->dst.sat) text_add(t, "_sat");
    if (i->dst.shift) text_add(t, "_shift%d", i->dst.shift);
    if (i->dst.mask) {
        text_add(t, " %s%u.", file_names[i->dst.file], i->dst.index);
        for (unsigned k = 0; k < 4; k++) {
            if (i->dst.mask >> k & 1) text_add(t, "%c", "xyzw"[k]);
        }
        dump_relative(&i->dst.rel, t);
        sep = ", ";
    }
    for (unsigned k = 0; k < op_sources[i->op]; k++, sep = ", ") {
        text_add(t, "%s", sep);
        dump_src(&i->src[k], t);
    }
    if (i->op >= IR_TEX && i->op <= IR_RESINFO)
        text_add(t, ", t%u s%u%s", i->tex.resource, i->tex.sampler,
                 i->tex.project ? " projected" : "");
    if (i->target) text_add(t, " -> %u", i->target);
    text_add(t, "\n");
}

void ir_dump(const struct ir_program *p, struct text *t)
{
    text_add(t, "%s %u.%u: %u instructions, %u constants of its own\n",
             p->stage == STAGE_PS ? "pixel shader" : "vertex shader", p->major, p->minor,
             p->insn_count, p->def_count);
    for (u32 k = 0; k < p->insn_count; k++) {
        text_add(t, "%4u ", k);
        dump_insn(&p->insns[k], t);
    }
}
