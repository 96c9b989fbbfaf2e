/* Replays the "ovec" vectors (one instruction each, recorded on real hardware; ovec.h is their
 * reader) on the CPU core: long mode with the page tables, descriptor tables and windows that the
 * vectors assume, state loaded directly, one instruction executed, registers, flags, memory and the
 * exception frame compared.
 *
 * tests/oracle/m64, m32, m16.ovec.gz are a selection of them (select.c) and always run. The whole
 * set runs too when $AEROPC_ORACLE, else ../shared/oracle, has m64/m32/m16.ovec.zst (or .ovec;
 * .zst needs the zstd program). AEROPC_ORACLE_SHOW=N prints the first N failures of each form,
 * AEROPC_ORACLE_FORM=TEXT runs only forms whose name or ISA set contains TEXT, AEROPC_ORACLE_MODEL
 * names the CPU model (default max). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cpu/decode.h"
#include "cpu/exec.h"
#include "tests/oracle/rig.h"

Suite *oracle_suite(void);

static void load_memory(struct rig *r, const ov_vec *v)
{
    memcpy(r->m + P_DATA, r->bg_data, OV_DATA_L);
    memcpy(r->m + P_STACK, r->bg_stack, OV_STACK_L);
    memcpy(r->m + P_RO, r->bg_ro, OV_RO_L);
    memcpy(r->want_data, r->bg_data, OV_DATA_L);
    memcpy(r->want_stack, r->bg_stack, OV_STACK_L);
    for (unsigned pass = 0; pass < 2; pass++) {
        const ov_mem *m = pass ? v->mout : v->min;
        unsigned n = pass ? v->nout : v->nin;
        for (unsigned k = 0; k < n; k++) {
            if (!pass) memcpy(rig_window(r, m[k].addr), m[k].data, m[k].len);
            if (m[k].addr >= OV_STACK)
                memcpy(r->want_stack + (m[k].addr - OV_STACK), m[k].data, m[k].len);
            else if (m[k].addr < OV_DATA + OV_DATA_L)
                memcpy(r->want_data + (m[k].addr - OV_DATA), m[k].data, m[k].len);
        }
    }
    dma_write(&r->mem, P_CODE + v->off, v->code, v->len);
}

static bool compared(const ov_vec *v, unsigned mode, unsigned reg, bool avx)
{
    bool high_half = reg >= OVR_YMMH && reg < OVR_MXCSR;
    if (mode != OV_M64 && ((reg >= 8 && reg < 16) || reg >= OVR_FSB)) return false;
    if (mode != OV_M64 &&
        ((reg >= OVR_XMM + 8 && reg < OVR_YMMH) || (reg >= OVR_YMMH + 8 && reg < OVR_MXCSR)))
        return false;
    if (high_half && !avx) return false;
    for (unsigned k = 0; k < v->nregign; k++) {
        if (v->regign[k] == reg) return false;
    }
    return true;
}

static void say(char *why, size_t cap, const char *name, const u8 *in, const u8 *got,
                const u8 *want, unsigned n)
{
    size_t l = strlen(why);
    if (l + 3 * (2 * n + 8) + 20 > cap) return;
    l += (size_t)snprintf(why + l, cap - l, " %s in=", name);
    const u8 *v[3] = { in, got, want };
    static const char *const label[3] = { " got=", " want=", "" };
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned b = n; b-- > 0;) l += (size_t)snprintf(why + l, cap - l, "%02x", v[k][b]);
        l += (size_t)snprintf(why + l, cap - l, "%s", label[k]);
    }
}

static void ignore_memory(struct rig *r, const ov_vec *v)
{
    for (unsigned k = 0; k < v->nign; k++) {
        u32 a = v->mign[k].addr;
        if (a >= OV_STACK) memcpy(r->want_stack + (a - OV_STACK), rig_window(r, a), v->mign[k].len);
        else if (a < OV_DATA + OV_DATA_L)
            memcpy(r->want_data + (a - OV_DATA), rig_window(r, a), v->mign[k].len);
    }
}

/* IRET to an outer level clears null selectors 1 to 3 to 0 (SDM 2A IRET), and the vectors were
 * recorded across such a return. */
static void normalise_selectors(ov_state *s)
{
    for (unsigned k = 0; k < SEG_COUNT; k++) {
        if (!(s->seg[k] & 0xfffc)) s->seg[k] = 0;
    }
}

/* Fills why with what differs; empty: equal. */
static void compare_vector(struct rig *r, ov_vec *v, unsigned mode, struct outcome *o, char *why,
                           size_t cap)
{
    char buf[16];
    u32 flags = OV_FLAGMASK & ~v->undef;
    why[0] = 0;
    normalise_selectors(&o->s);
    normalise_selectors(&v->out);
    ignore_memory(r, v);
    if (memcmp(r->want_data, r->m + P_DATA, OV_DATA_L) ||
        memcmp(r->want_stack, r->m + P_STACK, OV_STACK_L))
        snprintf(why, cap, " memory");
    if (o->exc != v->exc || (v->exc != 0xff && o->err != v->err) ||
        (v->exc == 14 && o->cr2 != v->cr2)) {
        size_t l = strlen(why);
        snprintf(why + l, cap - l, " exc %d/%x/%llx want %d/%x/%llx", o->exc == 0xff ? -1 : o->exc,
                 o->err, (unsigned long long)o->cr2, v->exc == 0xff ? -1 : v->exc, v->err,
                 (unsigned long long)v->cr2);
    }
    o->s.flags &= flags;
    v->out.flags &= flags;
    o->s.fsw &= v->fswmask;
    v->out.fsw &= v->fswmask;
    if (v->tol == 1) {
        o->s.fsw &= 0xffdf;
        v->out.fsw &= 0xffdf;
    }
    for (unsigned reg = 0; reg < OVR_N; reg++) {
        if (!compared(v, mode, reg, cpu_has(r->c, FT_AVX))) continue;
        unsigned size = ovr_size(reg);
        if (mode != OV_M64 && size == 8) size = 4;
        const u8 *got = ov_regptr(&o->s, reg), *want = ov_regptr(&v->out, reg);
        if (!memcmp(got, want, size)) continue;
        if (v->tol == 1 && reg >= OVR_ST && reg < OVR_SEG && rig_close80(got, want)) continue;
        if (v->tol == 2 && reg >= OVR_XMM && reg < OVR_MXCSR && rig_estimates_close(got, want))
            continue;
        say(why, cap, rig_reg_name(reg, buf), ov_regptr(&v->in, reg), got, want, size);
    }
}

/* ---- running ---- */

static bool isa_offered(const struct cpu *c, const char *isa)
{
    static const struct {
        const char *isa;
        enum cpu_feature f;
    } t[] = {
        { "AVX", FT_AVX },         { "AVX2", FT_AVX2 },   { "AVX2GATHER", FT_AVX2 },
        { "AVXAES", FT_AVX },      { "FMA", FT_FMA },     { "F16C", FT_F16C },
        { "BMI1", FT_BMI1 },       { "BMI2", FT_BMI2 },   { "ADOX_ADCX", FT_ADX },
        { "SHA", FT_SHA },         { "AES", FT_AES },     { "PCLMULQDQ", FT_PCLMUL },
        { "SSE4", FT_SSE41 },      { "SSE42", FT_SSE42 }, { "POPCNT", FT_POPCNT },
        { "MOVBE", FT_MOVBE },     { "LZCNT", FT_LZCNT }, { "SSSE3", FT_SSSE3 },
        { "SSSE3MMX", FT_SSSE3 },  { "SSE3", FT_SSE3 },   { "SSE3X87", FT_SSE3 },
        { "CMPXCHG16B", FT_CX16 }, { "LAHF", FT_LAHF64 }, { "RDWRFSGS", FT_FSGSBASE },
        { "CMOV", FT_CMOV },
    };
    for (unsigned k = 0; k < LEN(t); k++) {
        if (!strcmp(t[k].isa, isa)) return cpu_has(c, t[k].f);
    }
    return true;
}

struct tally {
    unsigned passed, failed, skipped, bad_forms;
};

static void run_section(struct rig *r, ov_file *f, struct tally *t)
{
    const char *show_env = getenv("AEROPC_ORACLE_SHOW"), *only = getenv("AEROPC_ORACLE_FORM");
    unsigned show = show_env ? (unsigned)atoi(show_env) : 0, failed = 0;
    static const unsigned bits[] = { 64, 32, 16 };
    bool skip = !isa_offered(r->c, f->s.isa) ||
                (only && !strstr(f->s.name, only) && !strstr(f->s.isa, only));
    ov_vec v;
    char why[1024];
    while (ov_vector(f, &v)) {
        struct outcome o;
        if (skip) {
            t->skipped++;
            continue;
        }
        load_memory(r, &v);
        rig_load_state(r, &v.in);
        cpu_run(r->c, 1);
        bool target_faults = v.exc == EXC_PF && (v.err & 16) && r->c->cpl == 3;
        if (target_faults)
            cpu_run(r->c, 1); /* the branch itself worked; its target cannot be fetched */
        rig_read_state(r, &o);
        compare_vector(r, &v, f->s.mode, &o, why, sizeof(why));
        static const u8 hlt[16] = { 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4,
                                    0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4, 0xf4 };
        dma_write(&r->mem, P_CODE + v.off, hlt, v.len);
        if (!why[0]) {
            t->passed++;
            continue;
        }
        t->failed++;
        if (failed++ >= show) continue;
        printf("m%u %s #%u:", bits[f->s.mode], f->s.name, f->i - 1);
        for (unsigned k = 0; k < v.len; k++) printf(" %02x", v.code[k]);
        printf(" ->%s\n", why);
    }
    if (!failed) return;
    t->bad_forms++;
    printf("m%u %s [%s]: %u of %u failed\n", bits[f->s.mode], f->s.name, f->s.isa, failed,
           f->s.count);
}

static u8 *more(u8 *buf, size_t len, size_t *cap)
{
    return len < *cap ? buf : realloc(buf, *cap *= 2);
}

/* A file of the selection, unpacked; NULL: not there. */
static u8 *load_selection(const char *name, size_t *len)
{
    char path[64];
    snprintf(path, sizeof(path), "tests/oracle/%s.ovec.gz", name);
    gzFile f = gzopen(path, "rb");
    size_t cap = 1 << 20;
    u8 *buf = f ? malloc(cap) : NULL;
    int n;
    *len = 0;
    while (buf && (n = gzread(f, buf + *len, (unsigned)(cap - *len))) > 0)
        buf = more(buf, *len += (size_t)n, &cap);
    if (f) gzclose(f);
    return buf;
}

/* A file of the whole set, unpacked; NULL: not there. */
static u8 *load_whole(const char *name, size_t *len)
{
    const char *dir = getenv("AEROPC_ORACLE");
    char cmd[1024];
    if (!dir) dir = "../shared/oracle";
    snprintf(cmd, sizeof(cmd),
             "cat '%s/%s.ovec' 2>/dev/null || zstd -qdc '%s/%s.ovec.zst' 2>/dev/null", dir, name,
             dir, name);
    FILE *p = popen(cmd, "r");
    size_t cap = 1 << 20, n;
    u8 *buf = malloc(cap);
    *len = 0;
    while (p && buf && (n = fread(buf + *len, 1, cap - *len, p)) > 0)
        buf = more(buf, *len += n, &cap);
    if (p) pclose(p);
    if (*len) return buf;
    free(buf);
    return NULL;
}

static void run_vectors(const char *name, const char *which, u8 *data, size_t len, bool legacy)
{
    const char *model = getenv("AEROPC_ORACLE_MODEL");
    struct tally t = { 0 };
    ov_file f;
    ck_assert_int_eq(ov_open(&f, data, len), 0);
    struct rig *r = rig_new(model ? model : "max", legacy);
    while (ov_section(&f)) run_section(r, &f, &t);
    printf("oracle %s%s, %s: %u passed, %u failed in %u forms, %u of features not offered\n", name,
           legacy ? " without long mode" : "", which, t.passed, t.failed, t.bad_forms, t.skipped);
    rig_free(r);
    free(data);
    ck_assert_uint_eq(t.failed, 0);
}

static void run_file(const char *name, bool legacy)
{
    size_t len;
    u8 *data = load_selection(name, &len);
    ck_assert_msg(data != NULL, "tests/oracle/%s.ovec.gz is missing", name);
    run_vectors(name, "selection", data, len, legacy);
    data = load_whole(name, &len);
    if (data) run_vectors(name, "whole set", data, len, legacy);
}

START_TEST(vectors_64bit)
{
    run_file("m64", false);
}
END_TEST

START_TEST(vectors_32bit)
{
    run_file("m32", false);
}
END_TEST

START_TEST(vectors_16bit)
{
    run_file("m16", false);
}
END_TEST

START_TEST(vectors_in_legacy_protected_mode)
{
    run_file("m32", true);
    run_file("m16", true);
}
END_TEST

Suite *oracle_suite(void)
{
    Suite *s = suite_create("oracle");
    TCase *tc = tcase_create("vectors");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, vectors_64bit);
    tcase_add_test(tc, vectors_32bit);
    tcase_add_test(tc, vectors_16bit);
    tcase_add_test(tc, vectors_in_legacy_protected_mode);
    suite_add_tcase(s, tc);
    return s;
}
