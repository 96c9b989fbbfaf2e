/* One CPU in 64-bit or 32-bit flat mode without paging, on the harness's RAM, that executes single instructions given as bytes:
 * what the x87, MMX and SSE tests need. Faults are looked at where exc_raise() left them.
 *
 *   u8 add[] = { 0xde, 0xc1 };           faddp st(1), st(0)
 *   RUN(0xde, 0xc1);                     the same in one line
 *   ck_assert_int_eq(fault(), -1);       or an exception vector */
#ifndef TESTS_UNIT_FP_RIG_H
#define TESTS_UNIT_FP_RIG_H

#include "cpu/decode.h"
#include "cpu/hostfp.h"
#include "tests/unit/harness.h"

enum { AT = 0x2000 }; /* where memory operands are; RBX points there */

static struct board *b;
static struct cpu *c;
static struct wire ferr;

static void setup(void)
{
    b = board_bare();
    bus_unmap(&b->msi_region); /* the local APIC has its own */
    memset(&ferr, 0, sizeof(ferr));
    struct cpu_env env = { .host = &b->host, .ferr = irq_make(harness_wire, &ferr, 0), .tsc_hz = 1000000000 };
    struct error e = { "" };
    c = cpu_create("max", &env, &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE;
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    c->bits = BITS64;
    for (unsigned n = 0; n < SEG_COUNT; n++) {
        c->seg[n].limit = ~0u;
        c->seg[n].attr = n == SEG_CS ? 0xc09b : 0xc093;
    }
    c->flat_ds = true;
    c->rip = 0x1000;
    c->r[RBX] = AT;
    c->fcw = 0x37f;
    c->fsw = 0;
    c->ftw = 0;
    c->mxcsr = 0x1f80;
}

static void teardown(void)
{
    u16 cw;
    u32 mxcsr;

    __asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(cw), "=m"(mxcsr));
    ck_assert_int_eq(cw, HOST_FCW);
    ck_assert_uint_eq(mxcsr & ~0x3fu, HOST_MXCSR);
    cpu_destroy(c);
    board_free(b);
}

/* Vector of the fault of the last instruction, -1: none. */
static inline int fault(void)
{
    return c->events & CE_FAULT ? c->fault_vector : -1;
}

static inline void run(const u8 *code, unsigned len)
{
    struct decode_mode mode = { c->bits, ~0ull };
    struct insn i;

    c->events = 0;
    ck_assert_int_eq(decode_insn(&mode, code, len, &i), DECODE_OK);
    ck_assert_uint_eq(i.len, len);
    c->insn_rip = c->rip;
    c->rip += i.len;
    i.fn(c, &i);
}
#define RUN(...)                                                                                   \
    do {                                                                                           \
        const u8 code_[] = { __VA_ARGS__ };                                                        \
        run(code_, sizeof(code_));                                                                 \
    } while (0)

static inline struct f80 st(unsigned n)
{
    return c->fpr[((c->fsw >> 11) + n) & 7];
}

static inline void push80(u16 se, u64 mant)
{
    unsigned top = ((c->fsw >> 11) - 1) & 7;

    c->fsw = (u16)((c->fsw & ~FSW_TOP) | top << 11);
    c->ftw |= (u8)(1u << top);
    c->fpr[top] = (struct f80){ mant, se };
}

static inline void push_double(double v)
{
    struct f80 r;

    x87_ld_m64(&r, NULL, &v);
    push80(r.se, r.mant);
}

static inline double top_double(void)
{
    struct f80 a = st(0), r;

    x87_st_m64(&r, &a, NULL);
    double v;
    memcpy(&v, &r, 8);
    return v;
}

#endif
