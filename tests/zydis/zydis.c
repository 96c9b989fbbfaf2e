/* The decoder and disassembler against Zydis, a disassembler library that others wrote.
 *
 *   zydis-compare [--share N] [--random N] [--seed S] [--show N] [--modes 64,32,16,real]
 *
 * Exhaustive part: every opcode of the four legacy maps and the three VEX maps x sets of prefixes x
 * all 256 ModRM bytes x chosen SIB bytes, in every mode; one encoding in `share` is compared (1:
 * all), of the many VEX ones one in 16 * `share`. Random part: `random` byte strings per mode with
 * random prefixes. For each byte string the two must agree on validity (LOCK, prefixes and VEX
 * fields included), length, mnemonic, operands as text (registers, address, immediate, target),
 * memory operand size, the segment used and address size; and one byte less must be too little for
 * both.
 *
 * Differences that are right are listed in allowed[] with the reason; they are counted per rule.
 * Instruction sets that no CPU model has are counted, and must be undefined or a NOP in the
 * decoder's eyes. Built only where the library is installed (tests/zydis/zydis.mk). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "machine/core/text.h"
#include "tests/zydis/box.h"
#include "tests/zydis/rules.h"

enum { MODES = 4, SHOWN_PER_NAME = 2, VEX_PART = 16 };
#define ADDRESS 0x1000ull

static const struct {
    const char *name;
    ZydisMachineMode machine;
    ZydisStackWidth stack;
    unsigned bits;
} modes[MODES] = {
    { "64", ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, 64 },
    { "32", ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, 32 },
    { "16", ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, 16 },
    { "real", ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16, 16 },
};

struct session {
    unsigned mode;
    ZydisDecoder decoder;
    u64 rng, part; /* one encoding in `part` is compared */
    u64 compared, agreed, undefined, differ, not_offered, rule_hits[RULES_MAX];
    u64 absent[ZYDIS_ISA_EXT_MAX_VALUE + 1]; /* by instruction set, valid for Zydis only */
    unsigned shown, shown_max;
    struct text ours;
    struct box box;
    struct {
        char what[48];
        u64 count;
    } kinds[400];
    unsigned kind_count;
};

static u64 rnd(struct session *s)
{
    u64 z = (s->rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* ---- Zydis's answer in our words ---- */

struct answer {
    bool valid;
    ZydisDecodedInstruction i;
    ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];
};

static ZyanStatus ask(struct session *s, const u8 *p, unsigned len, struct answer *a)
{
    ZyanStatus st = ZydisDecoderDecodeFull(&s->decoder, p, len, &a->i, a->o);
    a->valid = ZYAN_SUCCESS(st);
    return st;
}

static unsigned put_address(char *out, size_t cap, const ZydisDecodedOperandMem *m, unsigned width)
{
    u64 mask = mask_n(width / 8), disp = (u64)m->disp.value;
    if (m->base == ZYDIS_REGISTER_NONE && m->index == ZYDIS_REGISTER_NONE)
        return (unsigned)snprintf(out, cap, "[0x%llx]", (unsigned long long)(disp & mask));
    if (m->base == ZYDIS_REGISTER_RIP || m->base == ZYDIS_REGISTER_EIP)
        return (unsigned)snprintf(out, cap, "[rip+0x%llx]", (unsigned long long)(disp & mask));
    unsigned n = (unsigned)snprintf(out, cap, "[");
    if (m->base) n += (unsigned)snprintf(out + n, cap - n, "%s", ZydisRegisterGetString(m->base));
    if (m->index) {
        n += (unsigned)snprintf(out + n, cap - n, "%s%s", m->base ? "+" : "",
                                ZydisRegisterGetString(m->index));
        if (m->scale > 1) n += (unsigned)snprintf(out + n, cap - n, "*%u", m->scale);
    }
    if (m->disp.value < 0)
        n += (unsigned)snprintf(out + n, cap - n, "-0x%llx", (unsigned long long)-m->disp.value);
    else if (m->disp.value)
        n += (unsigned)snprintf(out + n, cap - n, "+0x%llx", (unsigned long long)disp);
    return n + (unsigned)snprintf(out + n, cap - n, "]");
}

static void operand_text(const struct answer *a, const ZydisDecodedOperand *o, char *out,
                         size_t cap)
{
    u64 v;
    switch (o->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        snprintf(out, cap, "%s", ZydisRegisterGetString(o->reg.value));
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY: put_address(out, cap, &o->mem, a->i.address_width); break;
    case ZYDIS_OPERAND_TYPE_POINTER:
        snprintf(out, cap, "0x%x:0x%x", o->ptr.segment, o->ptr.offset);
        break;
    default:
        v = o->imm.value.u;
        if (o->imm.is_relative) {
            v += ADDRESS + a->i.length;
            v &= a->i.machine_mode == ZYDIS_MACHINE_MODE_LONG_64 ? ~0ull
                 : a->i.operand_width == 16                     ? 0xffff
                                                                : 0xffffffff;
        } else { /* a signed immediate is extended to the operand size */
            unsigned size = o->imm.is_signed ? a->i.operand_width : o->size;
            v &= size < 64 ? (1ull << size) - 1 : ~0ull;
        }
        snprintf(out, cap, "0x%llx", (unsigned long long)v);
    }
}

/* ---- our answer ---- */

enum { OPS = 5 };

struct mine {
    struct insn i;
    enum decode_result result;
    const struct op_row *row; /* NULL: undefined */
    unsigned ops;
    char name[32], op[OPS][64];
    unsigned mem_bytes[OPS]; /* size word in front of an operand, 0: none */
};

static const struct {
    const char *word;
    u8 bytes;
} size_words[] = { { "byte ", 1 },   { "word ", 2 },   { "dword ", 4 }, { "qword ", 8 },
                   { "tword ", 10 }, { "oword ", 16 }, { "yword ", 32 } };

/* Takes size word and segment out of an operand, both are compared apart from the text. */
static void trim_operand(struct mine *m, unsigned k, const char *p, size_t n, u64 next, bool m64)
{
    char *o = m->op[k];
    for (unsigned w = 0; w < LEN(size_words); w++) {
        size_t l = strlen(size_words[w].word);
        if (n > l && !memcmp(p, size_words[w].word, l)) {
            m->mem_bytes[k] = size_words[w].bytes;
            p += l;
            n -= l;
        }
    }
    if (n > 4 && !memcmp(p, "far ", 4)) p += 4, n -= 4;
    bool seg = n > 4 && p[0] == '[' && p[3] == ':';
    if (seg) p += 3, n -= 3;
    n = MIN(n, sizeof(m->op[0]) - 1);
    memcpy(o, p, n);
    o[n] = 0;
    if (seg) o[0] = '[';
    if (!strcmp(o, "1")) strcpy(o, "0x1");
    if (!strcmp(m->name, "xlatb")) strcpy(strchr(o, '+'), "]");
    if (m->i.flags & INSN_MEM && m->i.base == REG_RIP && o[0] == '[' && m64) {
        u64 at = strtoull(o + 1, NULL, 16) - next;
        if (m->i.asz == ASZ32) at &= 0xffffffff;
        snprintf(o, sizeof(m->op[0]), "[rip+0x%llx]", (unsigned long long)at);
    }
}

static void parse_ours(struct session *s, struct mine *m)
{
    const char *p = s->ours.s;
    for (;;) { /* prefixes */
        static const char *const words[] = { "lock ", "rep ", "repe ", "repne " };
        unsigned k = 0;
        while (k < LEN(words) && strncmp(p, words[k], strlen(words[k]))) k++;
        if (k == LEN(words)) break;
        p += strlen(words[k]);
    }
    size_t n = strcspn(p, " ");
    snprintf(m->name, sizeof(m->name), "%.*s", (int)n, p);
    p += n;
    m->ops = 0;
    while (*p && m->ops < OPS) {
        p += *p == ' ';
        n = 0;
        while (p[n] && !(p[n] == ',' && p[n + 1] == ' ')) n++;
        m->mem_bytes[m->ops] = 0;
        trim_operand(m, m->ops++, p, n, ADDRESS + m->i.len, modes[s->mode].bits == 64);
        p += n + (p[n] == ',');
    }
}

static void decode_ours(struct session *s, const u8 *p, unsigned len, struct mine *m)
{
    unsigned bits = modes[s->mode].bits;
    struct decode_mode d = { .bits = bits == 64 ? BITS64 : bits == 32 ? BITS32 : BITS16,
                             .features = ~0ull };
    m->result = decode_insn(&d, p, len, &m->i);
    m->row = m->result == DECODE_OK && m->i.op != OP_UD_ROW ? &op_rows[m->i.op] : NULL;
    m->name[0] = 0;
    m->ops = 0;
    if (!m->row) return;
    text_clear(&s->ours);
    cpu_disasm_bytes(p, len, bits, ADDRESS, &s->ours);
    parse_ours(s, m);
}

/* ---- comparison ---- */

static void note_kind(struct session *s, const char *what)
{
    for (unsigned k = 0; k < s->kind_count; k++) {
        if (!strcmp(s->kinds[k].what, what)) {
            s->kinds[k].count++;
            return;
        }
    }
    if (s->kind_count == LEN(s->kinds)) return;
    snprintf(s->kinds[s->kind_count].what, sizeof(s->kinds[0].what), "%s", what);
    s->kinds[s->kind_count++].count = 1;
}

static u64 kind_count(const struct session *s, const char *what)
{
    for (unsigned k = 0; k < s->kind_count; k++) {
        if (!strcmp(s->kinds[k].what, what)) return s->kinds[k].count;
    }
    return 0;
}

static const char *zydis_name(const struct answer *a)
{
    return a->valid ? ZydisMnemonicGetString(a->i.mnemonic) : "(bad)";
}

/* x87: Zydis lists the explicit operand first, the manual's order is destination first. */
static const char *compare_x87(const struct mine *m, const struct answer *a)
{
    static char why[160];
    char text[96];
    for (unsigned k = 0; k < m->ops; k++) {
        unsigned at = 0;
        for (; at < a->i.operand_count; at++) {
            operand_text(a, &a->o[at], text, sizeof(text));
            if (!strcmp(text, m->op[k])) break;
        }
        if (at < a->i.operand_count) continue;
        snprintf(why, sizeof(why), "operand %u: %s", k, m->op[k]);
        return why;
    }
    return NULL;
}

/* The first thing the two disagree about, or NULL. */
static const char *compare_operands(const struct mine *m, const struct answer *a)
{
    static char why[160];
    char text[96];
    unsigned at = 0;
    for (unsigned k = 0; k < m->ops; k++) {
        for (;; at++) {
            if (at == a->i.operand_count) {
                snprintf(why, sizeof(why), "operand %u: %s", k, m->op[k]);
                return why;
            }
            const ZydisDecodedOperand *o = &a->o[at];
            operand_text(a, o, text, sizeof(text));
            if (!strcmp(text, m->op[k])) break;
            if (o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT) {
                snprintf(why, sizeof(why), "operand %u: %s and %s", k, m->op[k], text);
                return why;
            }
        }
        const ZydisDecodedOperand *o = &a->o[at++];
        if (o->type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
        if (m->mem_bytes[k] && o->size && m->mem_bytes[k] * 8 != o->size) {
            snprintf(why, sizeof(why), "size of memory operand: %u and %u bits",
                     m->mem_bytes[k] * 8, o->size);
            return why;
        }
        bool destination = m->row->operand[k] >= OK_Yb && m->row->operand[k] <= OK_Yz;
        unsigned seg = (unsigned)(o->mem.segment - ZYDIS_REGISTER_ES);
        if (o->mem.type != ZYDIS_MEMOP_TYPE_AGEN && !destination && seg != m->i.seg) {
            snprintf(why, sizeof(why), "segment: %u and %u", m->i.seg, seg);
            return why;
        }
    }
    for (; at < a->i.operand_count; at++) {
        if (a->o[at].visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT) continue;
        operand_text(a, &a->o[at], text, sizeof(text));
        snprintf(why, sizeof(why), "operand %u: none and %s", m->ops, text);
        return why;
    }
    return NULL;
}

static const char *disagreement(const struct mine *m, const struct answer *a)
{
    if (!m->row && !a->valid) return NULL;
    if (!m->row) return "validity: undefined and valid";
    if (!a->valid) return "validity: valid and undefined";
    if (m->i.len != a->i.length) return "length";
    if (!same_name(m->name, zydis_name(a))) return "mnemonic";
    if (8u << m->i.asz != a->i.address_width) return "address size";
    bool x87 = m->row->map == MAP_0 && (m->row->opcode & 0xf8) == 0xd8 && m->i.modrm >= 0xc0;
    return x87 ? compare_x87(m, a) : compare_operands(m, a);
}

static void show(struct session *s, const u8 *p, const struct mine *m, const struct answer *a,
                 const char *why)
{
    char kind[48];
    snprintf(kind, sizeof(kind), "%.20s/%.20s", m->row ? m->row->name : zydis_name(a), why);
    if (strncmp(why, "operand", 7) == 0) kind[strcspn(kind, ":")] = 0;
    note_kind(s, kind);
    if (s->shown >= s->shown_max || kind_count(s, kind) > SHOWN_PER_NAME) return;
    s->shown++;
    printf("%-4s ", modes[s->mode].name);
    unsigned n = m->row ? m->i.len : a->valid ? a->i.length : 8;
    for (unsigned k = 0; k < n; k++) printf("%02x", p[k]);
    printf(": %s | ours: %s (%u)", why, m->row ? s->ours.s : "(bad)", m->i.len);
    printf(" | Zydis: %s", zydis_name(a));
    for (unsigned k = 0; a->valid && k < a->i.operand_count; k++) {
        char text[96];
        operand_text(a, &a->o[k], text, sizeof(text));
        if (a->o[k].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN) printf(" {%s}", text);
        else printf(" %s/%u", text, a->o[k].size);
    }
    if (a->valid) printf(" (%u) %s", a->i.length, ZydisISAExtGetString(a->i.meta.isa_ext));
    printf("\n");
}

/* One byte less than the instruction is too little. */
static bool needs_all_bytes(struct session *s, const u8 *p, const struct mine *m)
{
    struct mine less;
    struct answer a;
    if (rnd(s) & 15) return true;
    decode_ours(s, p, m->i.len - 1u, &less);
    return less.result == DECODE_MORE &&
           ask(s, p, m->i.len - 1u, &a) == ZYDIS_STATUS_NO_MORE_DATA;
}

static void check_bytes(struct session *s, const u8 *p)
{
    struct mine m;
    struct answer a;
    decode_ours(s, p, 15, &m);
    ask(s, p, 15, &a);
    s->compared++;
    if (a.valid && !is_offered(&a.i)) {
        bool nop = m.row && !strncmp(m.row->name, "nop", 3);
        s->not_offered++;
        s->absent[a.i.meta.isa_ext]++;
        if (!m.row || nop) return;
    }
    const char *why = disagreement(&m, &a);
    if (!why && m.row && !needs_all_bytes(s, p, &m)) why = "one byte less";
    if (!why) {
        s->agreed++;
        s->undefined += !m.row;
        return;
    }
    int rule = allowed_by(&m.i, m.row, a.valid ? &a.i : NULL, why);
    if (rule < 0 && m.row && !a.valid && runs_as_undefined(&s->box, p, m.i.len))
        rule = RULE_RUNS_AS_UD;
    if (rule >= 0) {
        s->rule_hits[rule]++;
        return;
    }
    s->differ++;
    show(s, p, &m, &a, why);
}

/* ---- the byte strings ---- */

static void random_tail(struct session *s, u8 *p, unsigned n)
{
    for (; n < 24; n += 8) {
        u64 v = rnd(s);
        memcpy(p + n, &v, 8);
    }
}

static bool in_share(struct session *s)
{
    return s->part <= 1 || rnd(s) % s->part == 0;
}

/* p[0..n) ends with the opcode: all ModRM bytes, and chosen SIB bytes where one follows. */
static void all_modrm(struct session *s, u8 *p, unsigned n)
{
    static const u8 sibs[] = { 0x24, 0x25, 0x65, 0xe4, 0x00, 0xc5, 0x9d };
    for (unsigned modrm = 0; modrm < 256; modrm++) {
        bool sib = modrm < 0xc0 && (modrm & 7) == 4;
        for (unsigned k = 0; k < (sib ? LEN(sibs) : 1); k++) {
            if (!in_share(s)) continue;
            random_tail(s, p, n);
            p[n] = (u8)modrm;
            if (sib) p[n + 1] = sibs[k];
            check_bytes(s, p);
        }
    }
}

static void legacy_maps(struct session *s)
{
    static const char *const prefixes[] = {
        "",         "\x66",         "\x67",         "\xf2",         "\xf3",     "\xf0",
        "\x26",     "\x2e",         "\x36",         "\x3e",         "\x64",     "\x65",
        "\x66\x67", "\x66\xf2",     "\x66\xf3",     "\xf2\xf3",     "\xf3\xf2", "\xf0\x66",
        "\xf0\xf2", "\xf0\xf3",     "\x67\xf3",     "\x48",         "\x41",     "\x44",
        "\x42",     "\x47",         "\x4f",         "\x40",         "\x66\x48", "\x66\x4f",
        "\xf3\x48", "\xf2\x4d",     "\xf0\x48",     "\x67\x4a",     "\x48\x66", "\x4f\x4f",
        "\x64\x49", "\x66\xf3\x48", "\x66\xf2\x4c", "\x2e\x66\x67",
    };
    static const char *const maps[] = { "", "\x0f", "\x0f\x38", "\x0f\x3a" };
    u8 p[32];
    for (unsigned x = 0; x < LEN(prefixes); x++) {
        for (unsigned map = 0; map < LEN(maps); map++) {
            unsigned n = (unsigned)strlen(prefixes[x]), l = (unsigned)strlen(maps[map]);
            memcpy(p, prefixes[x], n);
            memcpy(p + n, maps[map], l);
            for (unsigned opcode = 0; opcode < 256; opcode++) {
                p[n + l] = (u8)opcode;
                all_modrm(s, p, n + l + 1);
            }
        }
    }
}

/* Second VEX byte of C5, or third of C4, from W (or R), vvvv, L and pp. */
static void vex_maps(struct session *s)
{
    static const u8 rxb[] = { 0xe0, 0x00, 0xc0, 0x60, 0xa0 }, vvvv[] = { 0x78, 0x00, 0x50, 0x38 };
    static const char *const before[] = { "", "\x66", "\xf3", "\x48", "\xf0", "\x65", "\x67" };
    u8 p[32];
    for (unsigned c = 0; c < LEN(rxb) * LEN(vvvv) * 16 * LEN(before); c++) {
        unsigned r = c / 16 % LEN(rxb), v = c / 16 / LEN(rxb) % LEN(vvvv);
        unsigned b = c / 16 / LEN(rxb) / LEN(vvvv), n = (unsigned)strlen(before[b]);
        u8 low = (u8)((c & 8 ? 0x80 : 0) | vvvv[v] | (c & 7));
        if (b && (r || v) && b < 5) continue;
        memcpy(p, before[b], n);
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            for (unsigned map = 0; map < 5; map++) {
                p[n] = 0xc4;
                p[n + 1] = (u8)(rxb[r] | map);
                p[n + 2] = low;
                p[n + 3] = (u8)opcode;
                all_modrm(s, p, n + 4);
            }
            if (r) continue;
            p[n] = 0xc5;
            p[n + 1] = low;
            p[n + 2] = (u8)opcode;
            all_modrm(s, p, n + 3);
        }
    }
}

static void random_strings(struct session *s, u64 count)
{
    static const u8 prefix[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65 };
    u8 p[32];
    while (count--) {
        unsigned n = 0, want = (unsigned)rnd(s) % 6;
        u64 r = rnd(s);
        if (want == 5 && r % 8 == 0) want = 10 + (unsigned)r / 8 % 6; /* the 15-byte limit */
        while (n < want) p[n++] = prefix[rnd(s) % LEN(prefix)];
        if (r & 256) p[n++] = (u8)(0x40 | (r >> 32 & 15));
        if (r & 512) p[n++] = 0x0f;
        random_tail(s, p, n);
        check_bytes(s, p);
    }
}

/* ---- the program ---- */

static void start(struct session *s, unsigned mode, u64 seed)
{
    static const ZydisDecoderMode off[] = { ZYDIS_DECODER_MODE_MPX, ZYDIS_DECODER_MODE_CET,
                                            ZYDIS_DECODER_MODE_WBNOINVD,
                                            ZYDIS_DECODER_MODE_CLDEMOTE,
                                            ZYDIS_DECODER_MODE_KNC };
    memset(s, 0, sizeof(*s));
    s->mode = mode;
    s->rng = seed + mode;
    text_init(&s->ours);
    box_open(&s->box, modes[mode].bits, mode == 3);
    ZydisDecoderInit(&s->decoder, modes[mode].machine, modes[mode].stack);
    for (unsigned k = 0; k < LEN(off); k++) ZydisDecoderEnableMode(&s->decoder, off[k], ZYAN_FALSE);
}

static void summary(const struct session *s, bool long_form)
{
    printf("zydis %-4s: %llu compared, %llu agree (%llu of them undefined), %llu differ",
           modes[s->mode].name, (unsigned long long)s->compared, (unsigned long long)s->agreed,
           (unsigned long long)s->undefined, (unsigned long long)s->differ);
    u64 allowed = 0;
    for (unsigned k = 0; k < RULES_MAX; k++) allowed += s->rule_hits[k];
    printf(", %llu allowed, %llu of instruction sets not offered\n", (unsigned long long)allowed,
           (unsigned long long)s->not_offered);
    for (unsigned k = 0; long_form && k < RULES_MAX; k++) {
        if (s->rule_hits[k]) printf("    %9llu %s\n", (unsigned long long)s->rule_hits[k],
                                    rule_reason(k));
    }
    if (!long_form) return;
    printf("    not offered:");
    for (unsigned k = 0; k <= ZYDIS_ISA_EXT_MAX_VALUE; k++) {
        if (s->absent[k]) printf(" %s", ZydisISAExtGetString((ZydisISAExt)k));
    }
    printf("\n");
    for (unsigned k = 0; k < s->kind_count; k++)
        printf("    %8llu %s\n", (unsigned long long)s->kinds[k].count, s->kinds[k].what);
}

int main(int argc, char **argv)
{
    u64 share = 1, random = 1000000, seed = 1, show_max = 60, differ = 0;
    const char *want = "64,32,16,real";
    for (int k = 1; k + 1 < argc; k += 2) {
        u64 v = strtoull(argv[k + 1], NULL, 0);
        if (!strcmp(argv[k], "--share")) share = v;
        else if (!strcmp(argv[k], "--random")) random = v;
        else if (!strcmp(argv[k], "--seed")) seed = v;
        else if (!strcmp(argv[k], "--show")) show_max = v;
        else if (!strcmp(argv[k], "--modes")) want = argv[k + 1];
        else return fprintf(stderr, "zydis-compare: what is %s?\n", argv[k]), 2;
    }
    static struct session s;
    for (unsigned mode = 0; mode < MODES; mode++) {
        if (!strstr(want, modes[mode].name)) continue;
        start(&s, mode, seed);
        s.shown_max = (unsigned)show_max;
        s.part = share;
        legacy_maps(&s);
        s.part = share * VEX_PART;
        vex_maps(&s);
        random_strings(&s, random);
        summary(&s, share == 1 || s.differ);
        differ += s.differ;
        text_free(&s.ours);
        box_close(&s.box);
    }
    return differ != 0;
}
