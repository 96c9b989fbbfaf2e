/* String instructions in superblocks. MOVS, STOS and LODS of one element are inline. Repeated MOVS
 * and STOS, and CMPS and SCAS, whose operands lie in pages that the TLB knows, going upwards, are done
 * by the small functions here: guest registers come as arguments, and what they change goes to
 * struct cpu. Everything else is the interpreter's handler, which jit_string_call() calls: INS,
 * OUTS, REP LODS, the other direction, odd address sizes and segments, operands that cross a page,
 * overlap or fault.
 *
 * A repeated instruction charges the budget for its work (charge() of exec_string.c). The
 * instructions behind it were charged at the head of the superblock, so what is left of the budget
 * is what the interpreter would have left behind those; where it does not suffice the
 * superblock ends. Results are the interpreter's in every bit, instruction counts as well. */
#include "cpu/jit/translate.h"

#include "cpu/mem.h"

enum { SHORT = 256 }; /* bytes; longer copies are the C library's */

struct pair {
    u64 q[2];
};

/* Host address of [gla, gla+len) when it lies in one page that may be accessed so; else NULL. */
static inline u8 *host_range(struct cpu *c, u64 gla, u64 len, bool write)
{
    const struct tlb_entry *e = tlb_slot(c, gla);
    if ((write ? e->tag_w : e->tag_r) != ((gla + len - 1) & ~0xfffull)) return NULL;
    return (u8 *)(uintptr_t)(gla + e->off);
}

/* Upwards, and as the interpreter: dst is not inside (src, src+len). The last bytes are read before
 * anything is written. */
static inline void copy_short(u8 *dst, const u8 *src, u64 len)
{
    if (len > SHORT) {
        memmove(dst, src, len);
    } else if (len >= 16) {
        struct pair p, last;
        memcpy(&last, src + len - 16, 16);
        for (u64 k = 0; k < len - 16; k += 16) {
            memcpy(&p, src + k, 16);
            memcpy(dst + k, &p, 16);
        }
        memcpy(dst + len - 16, &last, 16);
    } else if (len >= 8) {
        u64 first = ld64(src), last = ld64(src + len - 8);
        st64(dst, first);
        st64(dst + len - 8, last);
    } else if (len >= 4) {
        u32 first = ld32(src), last = ld32(src + len - 4);
        st32(dst, first);
        st32(dst + len - 4, last);
    } else {
        u8 first = src[0], middle = src[len / 2], last = src[len - 1];
        dst[0] = first;
        dst[len / 2] = middle;
        dst[len - 1] = last;
    }
}

/* len bytes of a pattern that repeats every 8; what is a whole number of elements. */
static inline void fill_short(u8 *dst, u64 pattern, u64 len)
{
    if (len >= 16) {
        struct pair p = { { pattern, pattern } };
        for (u64 k = 0; k < len - 16; k += 16) memcpy(dst + k, &p, 16);
        memcpy(dst + len - 16, &p, 16);
    } else if (len >= 8) {
        st64(dst, pattern);
        st64(dst + len - 8, pattern);
    } else if (len >= 4) {
        st32(dst, (u32)pattern);
        st32(dst + len - 4, (u32)pattern);
    } else {
        dst[0] = (u8)pattern;
        dst[len / 2] = (u8)(pattern >> len / 2 * 8);
        dst[len - 1] = (u8)(pattern >> (len - 1) * 8);
    }
}

static inline bool affordable(const struct cpu *c, u64 bytes)
{
    return c->budget >= bytes / 16 && !(c->rflags & FL_DF);
}

/* The functions return 0 when the instruction is done, 1 when nothing was done. They take the
 * guest's registers in the order of the System V ABI, and generated code has most of them there. */
#define ALWAYS static inline __attribute__((always_inline))

ALWAYS u64 movs(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx, unsigned osz, u64 mask)
{
    u64 count = s->insn->rep ? cx & mask : 1, len = count << osz;
    if (!count) return 0;
    if (count > 4096 || !affordable(c, len)) return 1;
    di &= mask;
    si &= mask;
    const u8 *src = host_range(c, si, len, false);
    u8 *dst = host_range(c, di, len, true);
    if (!src || !dst || (u64)(dst - src) - 1 < len - 1) return 1;
    copy_short(dst, src, len);
    c->budget -= len / 16;
    c->r[RSI] = (si + len) & mask;
    c->r[RDI] = (di + len) & mask;
    if (s->insn->rep) c->r[RCX] = 0;
    return 0;
}

ALWAYS u64 stos(u64 di, const struct site *s, struct cpu *c, u64 cx, u64 ax, unsigned osz, u64 mask)
{
    static const u64 ones[4] = { 0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1 };
    u64 count = s->insn->rep ? cx & mask : 1, len = count << osz;
    if (!count) return 0;
    if (count > 4096 || !affordable(c, len)) return 1;
    di &= mask;
    u8 *dst = host_range(c, di, len, true);
    if (!dst) return 1;
    u64 pattern = (ax & mask_n(1u << osz)) * ones[osz];
    if (len <= SHORT) fill_short(dst, pattern, len);
    else if (pattern == (u8)pattern * ones[0]) memset(dst, (u8)pattern, len);
    else return 1; /* the handler fills by copies that double */
    c->budget -= len / 16;
    c->r[RDI] = (di + len) & mask;
    if (s->insn->rep) c->r[RCX] = 0;
    return 0;
}

/* What c->jit_flags is after comparing a with b. */
#define COMPARE(T, suffix)                                                                         \
    static inline u16 compare_##T(T a, T b)                                                        \
    {                                                                                              \
        u16 flags;                                                                                 \
        __asm__("cmp" suffix " %2, %1\n\tlahf\n\tseto %%al" : "=a"(flags) : "q"(a), "q"(b) : "cc"); \
        return flags;                                                                              \
    }
COMPARE(u8, "b")
COMPARE(u16, "w")
COMPARE(u32, "l")
COMPARE(u64, "q")
#undef COMPARE

ALWAYS void compare(struct cpu *c, u64 a, u64 b, unsigned osz)
{
    switch (osz) {
    case OSZ8: c->jit_flags = compare_u8((u8)a, (u8)b); break;
    case OSZ16: c->jit_flags = compare_u16((u16)a, (u16)b); break;
    case OSZ32: c->jit_flags = compare_u32((u32)a, (u32)b); break;
    default: c->jit_flags = compare_u64(a, b); break;
    }
}

/* How many of `count` elements at gla are in its page. */
static inline u64 in_page(u64 gla, u64 count, unsigned osz)
{
    return MIN(count, (0x1000 - (gla & 0xfff)) >> osz);
}

ALWAYS u64 scas(u64 di, const struct site *s, struct cpu *c, u64 cx, u64 ax, unsigned osz, u64 mask)
{
    u64 count = s->insn->rep ? cx & mask : 1, size = 1u << osz, k = 0, v = 0;
    bool until_equal = s->insn->rep == 0xf2;
    if (!count) return 0;
    di &= mask;
    ax &= mask_n((unsigned)size);
    u64 n = in_page(di, count, osz);
    const u8 *q = n ? host_range(c, di, n << osz, false) : NULL;
    if (!q || !affordable(c, n << osz)) return 1;
    if (osz == OSZ8 && until_equal && n > 16) {
        const u8 *at = memchr(q, (int)ax, n);
        k = at ? (u64)(at - q) : n - 1;
        v = q[k++];
    } else {
        do v = ld_n(q + (k++ << osz), (unsigned)size);
        while (k < n && (v == ax) != until_equal);
    }
    if (k < count && (v == ax) != until_equal) return 1; /* beyond the page */
    compare(c, ax, v, osz);
    c->r[RDI] = (di + k * size) & mask;
    if (!s->insn->rep) return 0;
    c->r[RCX] = count - k;
    c->budget -= k * size / 16;
    return 0;
}

ALWAYS u64 cmps(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx, unsigned osz, u64 mask)
{
    u64 count = s->insn->rep ? cx & mask : 1, size = 1u << osz, k = 0, a, b;
    bool until_equal = s->insn->rep == 0xf2;
    if (!count) return 0;
    di &= mask;
    si &= mask;
    u64 n = in_page(di, in_page(si, count, osz), osz);
    const u8 *p = n ? host_range(c, si, n << osz, false) : NULL;
    const u8 *q = n ? host_range(c, di, n << osz, false) : NULL;
    if (!p || !q || !affordable(c, n << osz)) return 1;
    if (!until_equal) { /* whole words that are the same */
        u64 same = 0;
        while (same + 8 < n << osz && ld64(p + same) == ld64(q + same)) same += 8;
        k = same >> osz;
    }
    do {
        a = ld_n(p + (k << osz), (unsigned)size);
        b = ld_n(q + (k++ << osz), (unsigned)size);
    } while (k < n && (a == b) != until_equal);
    if (k < count && (a == b) != until_equal) return 1;
    compare(c, a, b, osz);
    c->r[RSI] = (si + k * size) & mask;
    c->r[RDI] = (di + k * size) & mask;
    if (!s->insn->rep) return 0;
    c->r[RCX] = count - k;
    c->budget -= k * size / 16;
    return 0;
}

typedef u64 string_fn(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx, u64 ax);

#define FORMS(osz, bits, mask)                                                                     \
    static u64 movs_##bits##_##osz(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx,    \
                                   u64 ax)                                                         \
    {                                                                                              \
        (void)ax;                                                                                  \
        return movs(di, si, s, c, cx, osz, mask);                                                  \
    }                                                                                              \
    static u64 stos_##bits##_##osz(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx,    \
                                   u64 ax)                                                         \
    {                                                                                              \
        (void)si;                                                                                  \
        return stos(di, s, c, cx, ax, osz, mask);                                                  \
    }                                                                                              \
    static u64 cmps_##bits##_##osz(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx,    \
                                   u64 ax)                                                         \
    {                                                                                              \
        (void)ax;                                                                                  \
        return cmps(di, si, s, c, cx, osz, mask);                                                  \
    }                                                                                              \
    static u64 scas_##bits##_##osz(u64 di, u64 si, const struct site *s, struct cpu *c, u64 cx,    \
                                   u64 ax)                                                         \
    {                                                                                              \
        (void)si;                                                                                  \
        return scas(di, s, c, cx, ax, osz, mask);                                                  \
    }
FORMS(0, 32, 0xffffffff)
FORMS(1, 32, 0xffffffff)
FORMS(2, 32, 0xffffffff)
FORMS(0, 64, ~0ull)
FORMS(1, 64, ~0ull)
FORMS(2, 64, ~0ull)
FORMS(3, 64, ~0ull)
#undef FORMS

#define ROW(name)                                                                                  \
    {                                                                                              \
        { name##_32_0, name##_32_1, name##_32_2, NULL },                                           \
            { name##_64_0, name##_64_1, name##_64_2, name##_64_3 },                                \
    }

/* Plain operands for the forms here: any offset is the linear address. */
static bool flat(const struct tr *t)
{
    const struct insn *i = &t->op->i;
    return i->asz == (t->wide ? ASZ64 : ASZ32) &&
           (i->seg == SEG_DS || i->seg == SEG_ES || i->seg == SEG_SS);
}

/* The function for an instruction, as an address; 0: always the handler. */
static u64 function(const struct tr *t)
{
    static string_fn *const fn[4][2][4] = { ROW(movs), ROW(cmps), ROW(stos), ROW(scas) };
    const struct insn *i = &t->op->i;
    unsigned o = i->mapop, kind;
    if (!flat(t)) return 0;
    switch (o & ~1u) {
    case 0xa4: kind = 0; break;
    case 0xa6: kind = 1; break;
    case 0xaa: kind = 2; break;
    case 0xae: kind = 3; break;
    default: return 0;
    }
    return (u64)(uintptr_t)fn[kind][t->wide][i->osz];
}

void tr_string(struct tr *t, struct site *s)
{
    u64 fn = function(t);
    as_movabs(t->a, H_DX, (u64)(uintptr_t)s);
    if (fn) as_movabs(t->a, H_AX, fn);
    as_call(t->a, fn ? t->j->string_short[t->wide] : t->j->string[t->wide]);
}

/* The TLB check of [RSI] or [RDI]; its host address in RAX. Returns the jump away. */
static u32 element(struct tr *t, unsigned reg, unsigned access)
{
    as_mov(t->a, t->wide ? OSZ64 : OSZ32, H_AX, tr_pinned(t, reg));
    tr_tlb(t, 1u << t->op->i.osz, access);
    u32 away = as_jcc(t->a, CC_NE, as_here(t->a));
    tr_tlb_add(t);
    return away;
}

/* MOVS, STOS and LODS without a repeat prefix. Nothing has changed where one of the jumps to the
 * stub is taken, which calls the handler. */
bool tr_string_plain(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    unsigned o = i->mapop & ~1u, si = tr_pinned(t, RSI), di = tr_pinned(t, RDI);
    unsigned size = t->wide ? OSZ64 : OSZ32;
    if (!(t->op->row_flags & OF_STR) || i->rep || !flat(t)) return false;
    if (o != 0xa4 && o != 0xaa && o != 0xac) return false;
    tr_clobber(t, t->op->live_in);
    struct stub *s = tr_stub(t, STUB_STRING);
    as_insn(a, 0, OSZ8, AS_0, 0xf6, 0, rm_at(H_BP, jit_field(offsetof(struct cpu, rflags)) + 1), 0);
    as8(a, FL_DF >> 8); /* TEST byte [..], DF */
    s->field = as_jcc(a, CC_NE, as_here(a));
    if (o != 0xaa) {
        s->body = element(t, RSI, SITE_READ);
        as_load(a, i->osz, H_DX, rm_at(H_AX, 0));
        if (o == 0xa4) as_store(a, i->osz, CPU_AT(jit_temp), H_DX);
        else tr_put(t, RAX, i->osz, H_DX);
    }
    if (o != 0xac) {
        s->target = element(t, RDI, SITE_WRITE);
        if (o == 0xa4) as_load(a, i->osz, H_DX, CPU_AT(jit_temp));
        as_store(a, i->osz, rm_at(H_AX, 0), o == 0xa4 ? H_DX : tr_pinned(t, RAX));
        as_lea(a, size, di, rm_at(di, 1 << i->osz));
    }
    if (o != 0xaa) as_lea(a, size, si, rm_at(si, 1 << i->osz));
    s->resume = as_here(a);
    return true;
}

void tr_string_stub(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    if (s->body) as_patch(a, s->body, as_here(a));
    if (s->target) as_patch(a, (u32)s->target, as_here(a));
    tr_x_store(t);
    tr_flags_to_mem(t);
    t->host = false;
    as_movabs(a, H_DX, (u64)(uintptr_t)tr_handler_site(t));
    as_call(a, t->j->string[t->wide]);
    tr_x_reload(t);
    as_jmp(a, s->resume);
}

/* The handler must see the budget and the instruction count without what comes behind it. */
u64 jit_string_call(struct cpu *c, const struct site *s)
{
    u64 behind = s->left - 1u;
    u32 generation = c->bus_generation;
    c->jit->handlers++;
    jit_enter_c(c, s);
    c->icache->end = c->icache->cur + 1;
    c->budget += behind;
    u64 next = c->rip;
    if (s->flags) jit_flags_out(c);
    s->insn->fn(c, s->insn);
    if (s->flags) c->jit_flags = jit_flags_in(c);
    c->icache->cur = c->icache->end = NULL;
    if (unlikely(c->bus_generation != generation))
        cpu_event_set(c, CE_CODE); /* a device moved a mapping that the superblock may rely on */
    if (unlikely(c->events || c->rip != next || c->budget < behind)) return 1;
    c->budget -= behind;
    return 0;
}
