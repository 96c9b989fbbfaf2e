/* See coverage.h. A form is mem * 8 + L * 4 + operand size (insn.osz). */
#include "tests/oracle/coverage.h"

#include <stdio.h>
#include <string.h>

static unsigned form_of(const struct insn *i)
{
    return (i->flags & INSN_MEM ? 8u : 0) | (i->vl ? 4u : 0) | i->osz;
}

void coverage_note(struct coverage *c, const struct gen_case *g, u64 features, unsigned fault_off)
{
    static const u8 bits[] = { BITS64, BITS32, BITS16 };
    struct decode_mode m = { .bits = bits[g->mode], .features = features };
    for (unsigned k = 0; k < g->insns; k++) {
        unsigned start = g->start[k], row = g->row[k];
        struct insn i;
        if (start > fault_off) return;
        if (decode_insn(&m, g->code + start, g->len - start, &i) != DECODE_OK) return;
        if (i.op != row) {
            c->illegal[g->mode][row]++;
            return;
        }
        if (start == fault_off) c->fault[g->mode][row][form_of(&i)]++;
        else c->done[g->mode][row][form_of(&i)]++;
    }
}

/* The forms a row has: bit n set, form n. */
static u32 forms_of(const struct op_row *r, unsigned mode)
{
    bool m64 = mode == OV_M64, vex = r->map >= MAP_V1;
    u32 sizes = m64 ? 0xe : 6, forms = 0;
    if (r->prefix != PF_ANY && r->prefix != PF_NF && !(r->flags & OF_W32)) sizes = 0;
    else if (r->flags & OF_BYTE) sizes = 1;
    else if (m64 && vex && (r->flags & (OF_W0 | OF_W1))) sizes = r->flags & OF_W1 ? 8 : 4;
    else if (r->flags & OF_W32) sizes = m64 ? 0xc : 4;
    else if (m64 && (r->flags & OF_F64)) sizes = 8;
    else if (m64 && (r->flags & OF_D64)) sizes = 0xa;
    if (!sizes) sizes = m64 ? 0xc : mode == OV_M32 ? 4 : 2; /* any of them stands for all */
    for (unsigned l = 0; l < (vex ? 2 : 1); l++) {
        if ((l && (r->flags & OF_L0)) || (!l && (r->flags & OF_L1))) continue;
        if (!(r->sel & SEL_MEMONLY)) forms |= sizes << (l * 4);
        if ((r->sel & SEL_HAS_MODRM) && !(r->sel & (SEL_REGONLY | SEL_ALLREG | SEL_EXACT)))
            forms |= sizes << (8 + l * 4);
    }
    return forms;
}

/* A row whose operand size means nothing: one size is as good as another. */
static bool size_matters(const struct op_row *r)
{
    return r->prefix == PF_ANY || r->prefix == PF_NF || (r->flags & OF_W32);
}

static u32 count(const u32 *forms, const struct op_row *r, unsigned form)
{
    if (size_matters(r)) return forms[form];
    u32 n = 0;
    for (unsigned k = 0; k < 4; k++) n += forms[(form & ~3u) | k];
    return n;
}

static void print_form(const struct op_row *r, unsigned form, const char *what)
{
    static const char *const sizes[] = { "8", "16", "32", "64" };
    static const char *const maps[] = { "", "0f ", "0f38 ", "0f3a ", "v1 ", "v2 ", "v3 " };
    printf("    %-12.*s %s%02x %s", (int)strcspn(r->name, "|"), r->name, maps[r->map], r->opcode,
           form & 8 ? "memory" : "register");
    if (size_matters(r)) printf(" %s bits", sizes[form & 3]);
    if (r->map >= MAP_V1) printf(" L%u", form >> 2 & 1);
    printf(": %s\n", what);
}

unsigned coverage_report(const struct coverage *c, unsigned mode, const struct gen_rows *rows)
{
    static const unsigned bits[] = { 64, 32, 16 };
    unsigned never = 0, faulted = 0, missing = 0, forms_done = 0;
    for (unsigned k = 0; k < rows->count; k++) {
        unsigned row = rows->row[k];
        const struct op_row *r = &op_rows[row];
        u32 forms = forms_of(r, mode), done = 0, fault = 0;
        for (unsigned f = 0; f < COVER_FORMS; f++) {
            done += c->done[mode][row][f];
            fault += c->fault[mode][row][f];
        }
        never += !done && !fault;
        faulted += !done && fault;
        for (unsigned f = 0; f < COVER_FORMS; f++) {
            if (!(forms >> f & 1)) continue;
            bool ran = count(c->done[mode][row], r, f);
            forms_done += ran;
            if (ran || !(done || !fault)) continue;
            missing++;
            print_form(r, f, count(c->fault[mode][row], r, f) ? "only with an exception" : "never");
        }
    }
    printf("coverage, %u-bit code: %u rows; %u never ran, %u always raise an exception at CPL 3; "
           "%u forms completed, %u did not\n",
           bits[mode], rows->count, never, faulted, forms_done, missing);
    return never;
}
