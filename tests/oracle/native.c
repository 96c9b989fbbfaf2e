/* The native oracle: random instruction sequences on this host's processor and on the CPU core,
 * everything compared.
 *
 *   oracle-native --seconds 60 [--seed N] [--modes 64,32,16] [--first I] [--count N]
 *   oracle-native --seed N --modes 64 --first I --count 1     runs one case again and shows it
 *   oracle-native --modes 32 --code "0f 0b"                   runs these bytes with a random state
 *
 * The work is done in a child process; when a case kills it or never ends, that case is reported
 * and a new child goes on behind it. Prints a line per failing case (at most 40) and in the end
 * cases per second and "N passed, N failed", with --coverage the rows and forms that never ran; the
 * exit status says whether any failed. Differences between processors that the manuals allow are
 * counted apart; README.md lists them. */
#undef _GNU_SOURCE /* its REG_RIP of <sys/ucontext.h> is not ours */
#define _DEFAULT_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cpu/model.h"
#include "tests/oracle/coverage.h"
#include "tests/oracle/gen.h"
#include "tests/oracle/host.h"
#include "tests/oracle/rig.h"

enum { SHOWN_MAX = 40, MODES = 3, IMAGE_MAX = 832 };

struct options {
    u64 seed, first, count;
    unsigned seconds, modes, mode[MODES], shown_max;
    bool verbose, coverage;
    u8 code[GEN_CODE_MAX]; /* --code */
    unsigned code_len;
};

struct shared {
    volatile u64 next;    /* the case being run */
    volatile u64 passed, failed, excepted;
    volatile u32 shown;
    volatile u8 finished;
    char unavailable[128];
    struct coverage cover;
    struct gen_rows rows[MODES];
    char bytes[3 * GEN_CODE_MAX + 130]; /* the case being run, for the report of a crash */
};

struct session {
    const struct options *o;
    struct shared *sh;
    struct rig *rig;
    struct host_windows w;
    u64 features;
    struct gen_rows rows[MODES];
};

static const unsigned mode_bits[MODES] = { 64, 32, 16 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What both processors have. */
static u64 common_features(const struct cpu *c)
{
    u64 f = c->model->features;
#define NEED(feature, text)                                                                        \
    if (!__builtin_cpu_supports(text)) f &= ~(1ull << (feature))
    NEED(FT_SSE3, "sse3");
    NEED(FT_SSSE3, "ssse3");
    NEED(FT_SSE41, "sse4.1");
    NEED(FT_SSE42, "sse4.2");
    NEED(FT_POPCNT, "popcnt");
    NEED(FT_AES, "aes");
    NEED(FT_PCLMUL, "pclmul");
    NEED(FT_BMI1, "bmi");
    NEED(FT_BMI2, "bmi2");
    NEED(FT_LZCNT, "lzcnt");
    NEED(FT_MOVBE, "movbe");
    NEED(FT_ADX, "adx");
    NEED(FT_CLFLUSHOPT, "clflushopt");
    NEED(FT_AVX, "avx");
    NEED(FT_AVX2, "avx2");
    NEED(FT_FMA, "fma");
    NEED(FT_F16C, "f16c");
#undef NEED
    u32 a, b, x, d;
    if (!__builtin_cpu_supports("avx")) f &= ~(1ull << FT_XSAVE); /* or the system hides it */
    if (!__get_cpuid_count(7, 0, &a, &b, &x, &d) || !(b & 1u << 29)) f &= ~(1ull << FT_SHA);
    return f;
}

/* ---- running one case on both ---- */

static void fill_windows(struct session *s, const struct gen_case *g)
{
    struct rig *r = s->rig;
    memcpy(s->w.data, r->bg_data, OV_DATA_L);
    memcpy(s->w.stack, r->bg_stack, OV_STACK_L);
    for (unsigned k = 0; k < g->patches; k++) {
        const struct gen_patch *p = &g->patch[k];
        u8 *at = p->addr >= OV_STACK ? s->w.stack + (p->addr - OV_STACK)
                                     : s->w.data + (p->addr - OV_DATA);
        memcpy(at, p->data, p->len);
    }
    memcpy(r->m + P_DATA, s->w.data, OV_DATA_L);
    memcpy(r->m + P_STACK, s->w.stack, OV_STACK_L);
}

/* false: it never ends, so the host must not try. */
static bool run_core(struct session *s, const struct gen_case *g, struct outcome *o)
{
    struct rig *r = s->rig;
    dma_write(&r->mem, P_CODE + g->off, g->code, g->len);
    rig_load_state(r, &g->in);
    for (unsigned k = 0; k < 64 && !r->c->halted && !r->c->shutdown; k++) cpu_run(r->c, 20000);
    rig_read_state(r, o);
    u8 hlt[GEN_CODE_MAX];
    memset(hlt, 0xf4, g->len);
    dma_write(&r->mem, P_CODE + g->off, hlt, g->len);
    return r->c->halted || r->c->shutdown;
}

static void run_host(struct session *s, const struct gen_case *g, struct outcome *o)
{
    struct host_fault f = { 0 };
    memcpy(s->w.code + g->off, g->code, g->len);
    host_run(&g->in, g->mode, &o->s, &f);
    memset(s->w.code + g->off, 0xf4, g->len);
    o->exc = f.exc;
    o->err = f.err;
    o->cr2 = f.cr2;
}

/* ---- comparison ---- */

static void say(char *why, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(char *why, size_t cap, const char *fmt, ...)
{
    size_t l = strlen(why);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why + l, cap - l, fmt, ap);
    va_end(ap);
}

static void say_bytes(char *why, size_t cap, const u8 *p, unsigned n)
{
    for (unsigned k = n; k-- > 0;) say(why, cap, "%02x", p[k]);
}

static void compare_memory(const u8 *got, const u8 *want, u32 base, u32 len, char *why, size_t cap)
{
    if (!memcmp(got, want, len)) return;
    u32 a = 0;
    while (got[a] == want[a]) a++;
    unsigned n = MIN(16u, len - a);
    say(why, cap, " [%x] got=", base + a);
    say_bytes(why, cap, got + a, n);
    say(why, cap, " want=");
    say_bytes(why, cap, want + a, n);
}

static bool reg_compared(unsigned reg, unsigned mode)
{
    if (reg >= OVR_YMMH && reg < OVR_MXCSR && !__builtin_cpu_supports("avx")) return false;
    if (mode == OV_M64) return reg < OVR_SEG || reg >= OVR_FSB;
    if (reg >= OVR_XMM && reg < OVR_MXCSR && (reg - OVR_XMM) % 16 >= 8) return false;
    return !(reg >= 8 && reg < 16) && reg < OVR_FSB;
}

static bool is_vector(unsigned reg)
{
    return reg >= OVR_XMM && reg < OVR_MXCSR;
}

/* Sums of several NaNs: which one survives depends on the order of the additions, which the manual
 * leaves open (SDM 2A DPPS). */
static bool nans_agree(const struct gen_case *g, const u8 *a, const u8 *b)
{
    bool doubles = strstr(g->names, "dppd") != NULL;
    for (unsigned k = 0; k < 16; k += doubles ? 8 : 4) {
        unsigned n = doubles ? 8 : 4;
        if (!memcmp(a + k, b + k, n)) continue;
        u64 x = ld_n(a + k, n) & (doubles ? ~0ull >> 1 : 0x7fffffff);
        u64 y = ld_n(b + k, n) & (doubles ? ~0ull >> 1 : 0x7fffffff);
        u64 inf = doubles ? 0x7ffull << 52 : 0x7f800000;
        if (x <= inf || y <= inf) return false;
    }
    return true;
}

static bool is_one_of(const struct op_row *r, const char *list)
{
    size_t n = strcspn(r->name, "|");
    for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ') {
        if (strcspn(p, " ") == n && !memcmp(p, r->name, n)) return true;
    }
    return false;
}

/* Fields of a saved image that processors fill differently: instruction and operand pointers. */
static void drop_ignored(struct session *s, const struct gen_case *g)
{
    for (unsigned k = 0; k < g->ignores; k++) {
        for (u64 a = g->ignore[k].addr; a < g->ignore[k].addr + g->ignore[k].len; a++) {
            if (a >= OV_DATA && a < OV_DATA + OV_DATA_L)
                s->rig->m[P_DATA + (a - OV_DATA)] = s->w.data[a - OV_DATA];
            if (a >= OV_STACK && a < OV_STACK + OV_STACK_L)
                s->rig->m[P_STACK + (a - OV_STACK)] = s->w.stack[a - OV_STACK];
        }
    }
}

static void compare(struct session *s, const struct gen_case *g, struct outcome *got,
                    struct outcome *want, char *why, size_t cap)
{
    struct rig *r = s->rig;
    drop_ignored(s, g);
    char buf[16];
    u64 end = (g->mode == OV_M16 ? 0 : OV_CODE) + g->off + g->len;
    bool at_end = want->exc == 13 && want->err == 0 && want->s.rip == end;
    u32 mask = (OV_FLAGMASK | 0x204100) & ~(at_end ? g->undef_end : g->undef_any);
    why[0] = 0;
    /* Linux hides whether a kernel address is mapped: bit 0 of the error code says nothing. */
    if (want->exc == 14 && want->cr2 >= 0x7ffffffff000) got->err |= 1, want->err |= 1;
    if (got->exc != want->exc || got->err != want->err ||
        (want->exc == 14 && got->cr2 != want->cr2))
        say(why, cap, " exc got=%d/%x/%llx want=%d/%x/%llx", got->exc, got->err,
            (unsigned long long)got->cr2, want->exc, want->err, (unsigned long long)want->cr2);
    got->s.flags &= mask;
    want->s.flags &= mask;
    for (unsigned reg = 0; reg < OVR_N; reg++) {
        if (!reg_compared(reg, g->mode)) continue;
        unsigned size = ovr_size(reg);
        if (g->mode != OV_M64 && size == 8) size = 4;
        if (g->mode == OV_M16 && reg == 4) size = 2;
        const u8 *a = ov_regptr(&got->s, reg), *b = ov_regptr(&want->s, reg);
        if (!memcmp(a, b, size)) continue;
        if (g->tolerance == 1 && reg >= OVR_ST && reg < OVR_SEG && rig_close80(a, b)) continue;
        if (g->tolerance == 1 && reg == OVR_FSW &&
            !((got->s.fsw ^ want->s.fsw) & ~0x220))
            continue;
        if (g->tolerance == 3 && is_vector(reg) && nans_agree(g, a, b)) continue;
        /* IRET to CPL 3 turns null selectors with RPL 1 to 3 into 0 before we can look. */
        if (reg >= OVR_SEG && reg < OVR_FSB && ld16(a) < 4 && ld16(b) < 4) continue;
        if (g->tolerance == 6 && reg < 16 && !((ld_n(a, size) ^ ld_n(b, size)) & ~0xf0000ull))
            continue;
        if (g->tolerance == 5 && (reg == RAX || reg == RDX)) continue;
        if (g->tolerance == 4 && reg == OVR_FSW && !((got->s.fsw ^ want->s.fsw) & ~0x200)) continue;
        if (g->tolerance == 2 && is_vector(reg) && rig_estimates_close(a, b))
            continue;
        say(why, cap, " %s in=", rig_reg_name(reg, buf));
        say_bytes(why, cap, ov_regptr((ov_state *)(uintptr_t)&g->in, reg), size);
        say(why, cap, " got=");
        say_bytes(why, cap, a, size);
        say(why, cap, " want=");
        say_bytes(why, cap, b, size);
    }
    compare_memory(r->m + P_DATA, s->w.data, OV_DATA, OV_DATA_L, why, cap);
    compare_memory(r->m + P_STACK, s->w.stack, OV_STACK, OV_STACK_L, why, cap);
}

/* ---- allowed differences: README.md names the manual's section for each ---- */

/* The row of the instruction at rip; NULL: none. */
static const struct op_row *row_at(const struct gen_case *g, u64 rip)
{
    u64 at = rip - (g->mode == OV_M16 ? 0 : OV_CODE) - g->off;
    for (unsigned k = 0; k < g->insns; k++) {
        if (at < g->end[k]) return &op_rows[g->row[k]];
    }
    return NULL;
}

static bool uses_mmx(const struct op_row *r)
{
    for (unsigned k = 0; k < LEN(r->operand); k++) {
        u8 o = r->operand[k];
        if (o == OK_P || o == OK_Q || o == OK_Qd) return true;
    }
    return false;
}

/* A gather that faults has gathered some elements and cleared their masks; which ones, and whether
 * the upper half of the mask has been touched, is left open. */
static void forgive_gather(const struct session *s, const struct gen_case *g, struct outcome *got,
                           const struct outcome *want)
{
    static const u8 bits[] = { BITS64, BITS32, BITS16 };
    struct decode_mode m = { .bits = bits[g->mode], .features = s->features };
    u64 at = got->s.rip - (g->mode == OV_M16 ? 0 : OV_CODE) - g->off;
    struct insn i;
    if (at >= g->len) return;
    if (decode_insn(&m, g->code + at, g->len - (unsigned)at, &i) != DECODE_OK) return;
    unsigned changed[2] = { i.reg, i.vvvv };
    for (unsigned k = 0; k < 2; k++) {
        memcpy(got->s.xmm[changed[k]], want->s.xmm[changed[k]], 16);
        memcpy(got->s.ymmh[changed[k]], want->s.ymmh[changed[k]], 16);
    }
}

/* What was pushed before the instruction faulted. */
static void forgive_pushes(struct session *s, const struct gen_case *g, const struct outcome *want)
{
    u64 sp = want->s.gpr[RSP];
    if (g->mode == OV_M16) sp = OV_STACK + (sp & 0xffff);
    for (u64 a = sp - 300; a < sp; a++) {
        if (a >= OV_STACK && a < OV_STACK + OV_STACK_L)
            s->rig->m[P_STACK + (a - OV_STACK)] = s->w.stack[a - OV_STACK];
        if (a >= OV_DATA && a < OV_DATA + OV_DATA_L)
            s->rig->m[P_DATA + (a - OV_DATA)] = s->w.data[a - OV_DATA];
    }
}

/* The part of a ten-byte operand before the page end or limit it faulted on: up to nine bytes
 * before any page boundary of the windows. */
static void forgive_partial_store(struct session *s)
{
    for (u32 page = 0x1000; page <= OV_DATA_L; page += 0x1000) {
        memcpy(s->rig->m + P_STACK + page - 9, s->w.stack + page - 9, 9);
        memcpy(s->rig->m + P_DATA + page - 9, s->w.data + page - 9, 9);
    }
}

static void forgive_x87(struct outcome *got, const struct outcome *want)
{
    got->s.fsw = want->s.fsw;
    got->s.ftw = want->s.ftw;
    memcpy(got->s.st, want->s.st, sizeof(got->s.st));
}

/* A fault while an image is saved or loaded: which of its bytes is touched first, and what has been
 * stored before, is the processor's affair. The image is the last instruction's. */
static bool fault_of_image(struct session *s, const struct gen_case *g, struct outcome *got,
                           const struct outcome *want)
{
    bool host_fault = (want->exc >= 12 && want->exc <= 14) || want->exc == 17;
    if (!host_fault || row_at(g, got->s.rip) != &op_rows[g->row[g->insns - 1]]) return false;
    if (got->exc != want->exc) return true;
    for (u64 a = g->image; a < g->image + IMAGE_MAX; a++) {
        if (a >= OV_DATA && a < OV_DATA + OV_DATA_L)
            s->rig->m[P_DATA + (a - OV_DATA)] = s->w.data[a - OV_DATA];
        if (a >= OV_STACK && a < OV_STACK + OV_STACK_L)
            s->rig->m[P_STACK + (a - OV_STACK)] = s->w.stack[a - OV_STACK];
    }
    got->cr2 = want->cr2;
    got->err = want->err;
    if (is_one_of(&op_rows[g->row[g->insns - 1]], "xrstor")) { /* part of it may be loaded */
        forgive_x87(got, want);
        memcpy(got->s.xmm, want->s.xmm, sizeof(got->s.xmm));
        memcpy(got->s.ymmh, want->s.ymmh, sizeof(got->s.ymmh));
        got->s.mxcsr = want->s.mxcsr;
        got->s.fcw = want->s.fcw;
    }
    return false;
}

static const char xsave_names[] = "xsave xsavec xsaveopt xrstor";

/* XSAVE's images of a component with its initial values: whether it counts as in use is the
 * processor's affair (SDM 1 13.6). */
static bool something_is_initial(const ov_state *s)
{
    u8 low = 0, high = 0, st = 0;
    for (unsigned n = 0; n < 16; n++) {
        for (unsigned k = 0; k < 16; k++) low |= s->xmm[n][k], high |= s->ymmh[n][k];
    }
    for (unsigned n = 0; n < 8; n++) {
        for (unsigned k = 0; k < 10; k++) st |= s->st[n][k];
    }
    return !low || !high || !st;
}

static const char masked_stores[] = "maskmovq maskmovdqu vmaskmovdqu";

/* The two ended at different instructions, or with different exceptions; true: nothing of the
 * outcome can be compared. r and w: the rows where the core and the host ended, or NULL. */
static bool allowed_end(const struct gen_case *g, const struct outcome *got,
                        const struct outcome *want, const struct op_row *r, const struct op_row *w)
{
    const struct op_row *last = &op_rows[g->row[g->insns - 1]];
    bool fault = got->exc >= 10 && got->exc <= 17 && got->exc != 16;
    bool host_fault = want->exc >= 11 && want->exc <= 14, same_rip = got->s.rip == want->s.rip;
    bool host_limit = want->exc == 12 || want->exc == 13;
    if (w && !same_rip && is_one_of(w, masked_stores) && (host_fault || want->exc == 17))
        return true;
    if (w && !same_rip && host_limit && strstr(w->name, "maskmov")) return true;
    if (g->has_image && is_one_of(last, xsave_names)) {
        if (!same_rip && ((fault && r == last) || (host_fault && w == last))) return true;
        if (something_is_initial(&got->s)) return true;
    }
    if (w && same_rip && want->exc == 19 && is_one_of(w, "vcvtps2ph")) return true;
    if (!r) return false;
    if (got->exc == 16 && r == last && is_one_of(r, "cvtpi2ps")) return true;
    bool no_check = strstr(r->name, "maskmov") || strstr(r->name, "gather");
    if (got->exc == 17 && (no_check || is_one_of(r, "vcvtps2ph vcvtph2ps"))) return true;
    if (fault && is_one_of(r, "fst fstp fist fistp fisttp fbstp"))
        return (want->s.fsw & 0x80) || !same_rip;
    return false;
}

/* Limit, canonical form, alignment and page of one operand: which comes first. */
static bool allowed_order(const struct gen_case *g, const struct outcome *got,
                          const struct outcome *want)
{
    bool limit = got->exc == 12 || got->exc == 13, same_rip = got->s.rip == want->s.rip;
    u64 top = 0x7fffffffffff >> 12;
    if (limit && want->exc == 17 && same_rip) return true;
    if (got->exc == 14 && (want->exc == 12 || want->exc == 13) && same_rip &&
        got->cr2 >> 12 == top)
        return true;
    if (!limit || want->exc != 14) return false;
    if (g->mode == OV_M64) return want->cr2 >> 12 == top;
    return g->mode == OV_M32 && (want->cr2 >= 0xfffffe00 || want->cr2 < 512);
}

/* The same exception at the same instruction: what it had done before. */
static void forgive_progress(struct session *s, const struct gen_case *g, struct outcome *got,
                             const struct outcome *want, const struct op_row *r)
{
    u64 behind = want->cr2 - got->cr2;
    bool page = got->exc == 14;
    if (strstr(r->name, "gather")) forgive_gather(s, g, got, want);
    if (is_one_of(r, "fstp fbstp")) forgive_partial_store(s);
    if (is_one_of(r, "call enter pusha")) forgive_pushes(s, g, want);
    if (is_one_of(r, "cmpsb cmpsw scasb scasw")) got->s.flags = want->s.flags;
    if (is_one_of(r, "vcvtps2ph")) got->s.mxcsr |= want->s.mxcsr & 0x3f;
    if (page && is_one_of(r, "frstor fldenv") && ((behind + 256) & 0xffff) < 768)
        got->cr2 = want->cr2;
    if (page && strstr(r->name, "maskmov") && behind + 32 < 64) got->cr2 = want->cr2;
    if (uses_mmx(r)) forgive_x87(got, want);
    if (is_one_of(r, "popa")) memcpy(got->s.gpr, want->s.gpr, sizeof(got->s.gpr));
}

/* Makes equal what may differ; true: nothing of the outcome can be compared. */
static bool forgive(struct session *s, const struct gen_case *g, struct outcome *got,
                    struct outcome *want)
{
    if (!g->insns) return false;
    const struct op_row *r = row_at(g, got->s.rip), *w = row_at(g, want->s.rip);
    bool fault = got->exc >= 10 && got->exc <= 17 && got->exc != 16;
    bool host_fault = want->exc >= 11 && want->exc <= 14;
    if (allowed_end(g, got, want, r, w)) return true;
    if (is_one_of(&op_rows[g->row[g->insns - 1]], "cvtpi2ps")) forgive_x87(got, want);
    if (!r) return false;
    if (got->exc == 1 && want->exc == 1 && is_one_of(r, "int1")) got->s.rip = want->s.rip;
    if (allowed_order(g, got, want)) return true;
    if (!fault || got->s.rip != want->s.rip) return false;
    if (host_fault && is_one_of(r, "cmpsb cmpsw call") &&
        (got->exc != want->exc || got->cr2 != want->cr2))
        return true;
    if (want->exc == 5 && is_one_of(r, "bound")) return true;
    if (g->has_image && fault_of_image(s, g, got, want)) return true;
    if (got->exc == want->exc) forgive_progress(s, g, got, want, r);
    return false;
}

/* ---- the child ---- */

static void show_state(const ov_state *s)
{
    char buf[16];
    for (unsigned reg = 0; reg < OVR_N; reg++) {
        char line[64] = "";
        say_bytes(line, sizeof(line), ov_regptr((ov_state *)(uintptr_t)s, reg), ovr_size(reg));
        printf("%s%s=%s", reg % 6 ? " " : "\n  ", rig_reg_name(reg, buf), line);
    }
    printf("\n");
}

static void report(struct session *s, const struct gen_case *g, u64 n, const char *why)
{
    s->sh->failed++;
    if (s->sh->shown >= s->o->shown_max) return;
    s->sh->shown++;
    printf("FAIL --seed %llu --modes %u --first %llu --count 1: %s:",
           (unsigned long long)s->o->seed, mode_bits[g->mode], (unsigned long long)n, g->names);
    for (unsigned k = 0; k < g->len; k++) printf(" %02x", g->code[k]);
    printf(" ->%s\n", why);
    if (s->o->verbose) show_state(&g->in);
    fflush(stdout);
}

static void note_case(struct shared *sh, const struct gen_case *g)
{
    static const char digit[] = "0123456789abcdef";
    char *p = sh->bytes;
    for (unsigned k = 0; k < g->len; k++) {
        *p++ = digit[g->code[k] >> 4];
        *p++ = digit[g->code[k] & 15];
        *p++ = ' ';
    }
    memcpy(p, g->names, sizeof(g->names));
}

/* The bytes of --code instead of a generated sequence. */
static void given_case(const struct options *o, struct gen_case *g, unsigned mode, u64 n)
{
    u64 seed = o->seed + n;
    memset(g, 0, sizeof(*g));
    g->mode = mode;
    g->off = OV_ENTRY;
    g->len = o->code_len;
    memcpy(g->code, o->code, g->len);
    ov_expand(ov_next(&seed), mode, n & 3, &g->in);
    snprintf(g->names, sizeof(g->names), "given bytes");
}

static void show_outcome(const char *who, const struct outcome *o)
{
    printf("%s: exception %d/%x cr2 %llx rip %llx flags %x\n", who, o->exc, o->err,
           (unsigned long long)o->cr2, (unsigned long long)o->s.rip, o->s.flags);
}

/* Offset in the code of the instruction the host ended at; the length when all were completed (the
 * HLT behind them is #GP) or a branch went elsewhere. */
static unsigned stopped_at(const struct gen_case *g, const struct outcome *want)
{
    u64 at = want->s.rip - (g->mode == OV_M16 ? 0 : OV_CODE) - g->off;
    return (unsigned)MIN(at, (u64)g->len);
}

/* Where this process itself may have memory: a wild address there must not be tried. */
static bool belongs_to_us(u64 addr)
{
    u64 top = addr >> 40;
    return (top >= 0x55 && top <= 0x56) || (top >= 0x7e && top <= 0x7f) ||
           addr >> 30 == HOST_BLOCK_AT >> 30;
}

static void run_case(struct session *s, u64 n)
{
    unsigned which = (unsigned)(n % s->o->modes), mode = s->o->mode[which];
    struct gen_case g;
    struct outcome got, want;
    char why[2048];
    memset(&got, 0, sizeof(got));
    memset(&want, 0, sizeof(want));
    if (s->o->code_len) given_case(s->o, &g, mode, n / s->o->modes);
    else gen_make(&g, &s->rows[mode], mode, s->o->seed, n / s->o->modes);
    fill_windows(s, &g);
    note_case(s->sh, &g);
    if (!run_core(s, &g, &got)) {
        s->sh->excepted++;
        return;
    }
    if (got.exc == 14 && belongs_to_us(got.cr2)) {
        s->sh->excepted++;
        return;
    }
    run_host(s, &g, &want);
    if (s->o->coverage) coverage_note(&s->sh->cover, &g, s->features, stopped_at(&g, &want));
    if (s->o->code_len) show_outcome("core", &got), show_outcome("host", &want);
    compare(s, &g, &got, &want, why, sizeof(why));
    if (!why[0]) {
        s->sh->passed++;
        return;
    }
    struct outcome mine = got;
    bool any = forgive(s, &g, &mine, &want);
    char rest[sizeof(why)];
    if (!any) compare(s, &g, &mine, &want, rest, sizeof(rest));
    if (any || !rest[0]) s->sh->excepted++;
    else report(s, &g, n / s->o->modes, why);
}

static void child(const struct options *o, struct shared *sh, u64 from, double deadline)
{
    struct session s = { .o = o, .sh = sh };
    const char *bad = host_open(&s.w);
    if (bad) {
        snprintf(sh->unavailable, sizeof(sh->unavailable), "%s", bad);
        _exit(0);
    }
    s.rig = rig_new("max", false);
    memcpy(s.w.ro, s.rig->bg_ro, OV_RO_L);
    memcpy(s.rig->m + P_RO, s.rig->bg_ro, OV_RO_L);
    memset(s.w.code, 0xf4, OV_CODE_L);
    s.features = common_features(s.rig->c);
    for (unsigned m = 0; m < MODES; m++) gen_rows(&s.rows[m], m, s.features);
    memcpy(sh->rows, s.rows, sizeof(s.rows));
    if (o->verbose)
        printf("rows: %u %u %u\n", s.rows[0].count, s.rows[1].count, s.rows[2].count);
    for (u64 n = from; n - o->first * o->modes < o->count * o->modes; n++) {
        sh->next = n;
        if (!(n & 63) && now() > deadline) break;
        run_case(&s, n);
    }
    sh->finished = 1;
    fflush(stdout);
    _exit(0);
}

/* ---- the parent ---- */

/* Waits for the child; a case that makes no progress for two seconds ends it. */
static void watch(pid_t pid, struct shared *sh)
{
    u64 last = ~0ull;
    for (unsigned still = 0;;) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) return;
        still = sh->next == last ? still + 1 : 0;
        last = sh->next;
        if (still > 40) kill(pid, SIGKILL);
        usleep(50000);
    }
}

static void report_crash(const struct options *o, struct shared *sh)
{
    u64 n = sh->next;
    sh->failed++;
    if (sh->shown++ < o->shown_max)
        printf("FAIL --seed %llu --modes %u --first %llu --count 1: %s -> the case ended the "
               "process or did not end\n",
               (unsigned long long)o->seed, mode_bits[o->mode[n % o->modes]],
               (unsigned long long)(n / o->modes), sh->bytes);
}

static void parse_modes(struct options *o, const char *s)
{
    o->modes = 0;
    for (unsigned k = 0; k < MODES; k++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", mode_bits[k]);
        if (strstr(s, text)) o->mode[o->modes++] = k;
    }
}

static void parse_code(struct options *o, const char *s)
{
    for (char *end; o->code_len < GEN_CODE_MAX; s = end) {
        unsigned long v = strtoul(s, &end, 16);
        if (end == s) break;
        o->code[o->code_len++] = (u8)v;
    }
    o->count = 1;
}

static bool parse(struct options *o, int argc, char **argv)
{
    parse_modes(o, "64,32,16");
    for (int k = 1; k < argc; k++) {
        const char *a = argv[k], *v = k + 1 < argc ? argv[k + 1] : "";
        if (!strcmp(a, "--verbose")) {
            o->verbose = true;
            continue;
        }
        if (!strcmp(a, "--coverage")) {
            o->coverage = true;
            continue;
        }
        if (!strcmp(a, "--seconds")) o->seconds = (unsigned)atoi(v);
        else if (!strcmp(a, "--seed")) o->seed = strtoull(v, NULL, 0);
        else if (!strcmp(a, "--modes")) parse_modes(o, v);
        else if (!strcmp(a, "--first")) o->first = strtoull(v, NULL, 0);
        else if (!strcmp(a, "--count")) o->count = strtoull(v, NULL, 0);
        else if (!strcmp(a, "--code")) parse_code(o, v);
        else if (!strcmp(a, "--show")) o->shown_max = (unsigned)atoi(v);
        else return false;
        k++;
    }
    return o->modes != 0;
}

int main(int argc, char **argv)
{
    struct options o = { .seed = (u64)time(NULL), .count = 1ull << 40, .seconds = 60,
                         .shown_max = SHOWN_MAX };
    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: oracle-native [--seconds N] [--seed N] [--modes 64,32,16] "
                        "[--first I] [--count N] [--show N] [--code BYTES] "
                        "[--coverage] [--verbose]\n");
        return 2;
    }
    if (o.count == 1) o.verbose = true;
    struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0);
    if (sh == MAP_FAILED) return 2;
    double start = now();
    printf("oracle: seed %llu\n", (unsigned long long)o.seed);
    for (u64 from = o.first * o.modes; !sh->finished;) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) child(&o, sh, from, start + o.seconds);
        if (pid < 0) return 2;
        watch(pid, sh);
        if (sh->unavailable[0]) {
            printf("oracle: not possible on this host: %s\n", sh->unavailable);
            return 0;
        }
        if (!sh->finished) {
            report_crash(&o, sh);
            from = sh->next + 1;
            if (from - o.first * o.modes >= o.count * o.modes) break;
        }
    }
    double took = now() - start;
    for (unsigned m = 0; o.coverage && m < o.modes; m++)
        coverage_report(&sh->cover, o.mode[m], &sh->rows[o.mode[m]]);
    printf("oracle: %.0f cases/s\n", (double)(sh->passed + sh->failed + sh->excepted) / took);
    printf("%llu passed, %llu failed, %llu allowed differences\n", (unsigned long long)sh->passed,
           (unsigned long long)sh->failed, (unsigned long long)sh->excepted);
    return sh->failed ? 1 : 0;
}
