/* Floating point on the host's own units. The host is x86-64 and so has the guest's x87 and SSE instruction set; every guest
 * operation is executed by the same host instruction, with the guest's precision, rounding, FTZ and DAZ controls loaded and
 * all exceptions masked, and the exception flags (and C0-C3) are read back. This replaces a software float library: results,
 * NaN choice, denormal handling, rounding-up indication and sticky flags are exact by construction, and it is several times faster.
 *
 * What the hardware would do for an unmasked exception is made from the masked result in software, by the instruction handlers
 * and by hostfp_scaled() (hostfp.c): an exception is never unmasked on the host.
 *
 * Rules kept here: the host's FCW is 037Fh and its MXCSR 1F80h (the ABI's values) outside of these functions, and the x87 stack
 * is empty. Only host exception flags may stay behind; the code never trusts them:
 *   An operation runs first on top of whatever flags the host has. If afterwards all host flags are flags that the guest has
 *   set as well (sticky, so normally PE), the guest's flags do not change whatever the operation raised, and we are done.
 *   Otherwise the host's flags are cleared and the operation, which is pure, runs again to see its own flags.
 * That saves FNCLEX/LDMXCSR on nearly every instruction.
 *
 * Reference: Intel SDM 1 chapters 8 and 10-12. Used only by cpu/exec_fpu*.c, exec_sse*.c and the tests. */
#ifndef CPU_HOSTFP_H
#define CPU_HOSTFP_H

#include "cpu/state.h"
#include "machine/core/types.h"

/* Bits of the x87 status word. FSW_EXC: the six exception flags. */
#define FSW_IE 0x1u
#define FSW_DE 0x2u
#define FSW_ZE 0x4u
#define FSW_OE 0x8u
#define FSW_UE 0x10u
#define FSW_PE 0x20u
#define FSW_SF 0x40u
#define FSW_ES 0x80u
#define FSW_C0 0x100u
#define FSW_C1 0x200u
#define FSW_C2 0x400u
#define FSW_TOP 0x3800u
#define FSW_C3 0x4000u
#define FSW_B 0x8000u
#define FSW_EXC 0x3fu
#define FSW_CC (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)
#define FSW_PRE (FSW_IE | FSW_DE | FSW_ZE) /* found before the operation: no result when unmasked */

#define HOST_FCW 0x37f
#define HOST_MXCSR 0x1f80
#define MXCSR_DAZ 0x40u
#define MXCSR_MASKS 0x1f80u
#define MXCSR_FTZ 0x8000u
#define MXCSR_RC 0x6000u

static inline void hostfp_fldcw(u16 cw)
{
    __asm__ volatile("fldcw %0" : : "m"(cw));
}

static inline void hostfp_fnclex(void)
{
    __asm__ volatile("fnclex");
}

/* One x87 operation: operands and results in memory, returns the status word from before the result was popped. */
typedef u16 x87_fn(struct f80 *r, const struct f80 *a, const void *b);

/* Runs fn under the guest's control word. Returned exception flags: all that fn raised; other flags only if `fsw` has them
 * and all exceptions are masked. */
static inline __attribute__((always_inline)) u16 x87_run(u16 fcw, u16 fsw, x87_fn *fn, struct f80 *r, const struct f80 *a,
                                                         const void *b)
{
    u16 stale = (fcw & FSW_EXC) == FSW_EXC ? (u16)~fsw & FSW_EXC : FSW_EXC;
    bool load = (fcw & 0xf00) != (HOST_FCW & 0xf00);
    u16 sw;

    if (load) hostfp_fldcw((u16)(fcw | FSW_EXC | 0x40));
    sw = fn(r, a, b);
    if (unlikely(sw & stale)) {
        hostfp_fnclex();
        sw = fn(r, a, b);
    }
    if (load) hostfp_fldcw(HOST_FCW);
    return sw;
}

/* The status word is an early clobber: operands may be addressed through a register and are used after FNSTSW. */
#define X87_CLOBBER "st", "st(1)", "st(2)", "st(3)"

/* r = a insn b. Both operands are pushed and the D8 form is used (destination ST(0)), so no assembler reverses anything. */
#define X87_REG(name, insn)                                                                        \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fldt %3\n\tfldt %2\n\t" insn " %%st(1), %%st\n\tfnstsw %0\n\tfstpt %1\n\tfstp %%st(0)" \
                         : "=&a"(sw), "=m"(*r)                                                      \
                         : "m"(*a), "m"(*(const struct f80 *)b)                                    \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_REG(add, "fadd")
X87_REG(sub, "fsub")
X87_REG(subr, "fsubr")
X87_REG(mul, "fmul")
X87_REG(div, "fdiv")
X87_REG(divr, "fdivr")

/* r = a insn memory operand; all nine arithmetic forms for each operand type. */
#define X87_MEM(name, insn, type)                                                                  \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fldt %2\n\t" insn " %3\n\tfnstsw %0\n\tfstpt %1"                         \
                         : "=&a"(sw), "=m"(*r)                                                      \
                         : "m"(*a), "m"(*(const type *)b)                                          \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
#define X87_MEM_ALL(op)                                                                            \
    X87_MEM(op##_m32, "f" #op "s", u32)                                                            \
    X87_MEM(op##_m64, "f" #op "l", u64)                                                            \
    X87_MEM(op##_i16, "fi" #op "s", u16)                                                           \
    X87_MEM(op##_i32, "fi" #op "l", u32)
X87_MEM_ALL(add)
X87_MEM_ALL(mul)
X87_MEM_ALL(sub)
X87_MEM_ALL(subr)
X87_MEM_ALL(div)
X87_MEM_ALL(divr)

/* Compare a with b: C3 C2 C0 in the result, r is not written. */
#define X87_CMP_REG(name, insn)                                                                    \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)r;                                                                                   \
        __asm__ volatile("fldt %2\n\tfldt %1\n\t" insn "\n\tfnstsw %0"                             \
                         : "=&a"(sw)                                                                \
                         : "m"(*a), "m"(*(const struct f80 *)b)                                    \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_CMP_REG(com, "fcompp")
X87_CMP_REG(ucom, "fucompp")

#define X87_CMP_MEM(name, insn, type)                                                              \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)r;                                                                                   \
        __asm__ volatile("fldt %1\n\t" insn " %2\n\tfnstsw %0"                                     \
                         : "=&a"(sw)                                                                \
                         : "m"(*a), "m"(*(const type *)b)                                          \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_CMP_MEM(com_m32, "fcomps", u32)
X87_CMP_MEM(com_m64, "fcompl", u64)
X87_CMP_MEM(com_i16, "ficomps", u16)
X87_CMP_MEM(com_i32, "ficompl", u32)

/* r = conversion of the memory operand. */
#define X87_LOAD(name, insn, type)                                                                 \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)a;                                                                                   \
        __asm__ volatile(insn " %2\n\tfnstsw %0\n\tfstpt %1"                                       \
                         : "=&a"(sw), "=m"(*r)                                                      \
                         : "m"(*(const type *)b)                                                   \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_LOAD(ld_m32, "flds", u32)
X87_LOAD(ld_m64, "fldl", u64)
X87_LOAD(ld_i16, "filds", u16)
X87_LOAD(ld_i32, "fildl", u32)
X87_LOAD(ld_i64, "fildq", u64)
X87_LOAD(ld_bcd, "fbld", struct f80)

/* Stores: the first bytes of *r are the memory operand. The popping form exists for every type; the status word follows it. */
#define X87_STORE(name, insn, type)                                                                \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)b;                                                                                   \
        __asm__ volatile("fldt %2\n\t" insn " %1\n\tfnstsw %0"                                     \
                         : "=&a"(sw), "=m"(*(type *)r)                                              \
                         : "m"(*a)                                                                 \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_STORE(st_m32, "fstps", u32)
X87_STORE(st_m64, "fstpl", u64)
X87_STORE(st_i16, "fistps", u16)
X87_STORE(st_i32, "fistpl", u32)
X87_STORE(st_i64, "fistpq", u64)
X87_STORE(st_bcd, "fbstp", struct f80)

/* r[0] = insn(a) */
#define X87_UN(name, insn)                                                                         \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)b;                                                                                   \
        __asm__ volatile("fldt %2\n\t" insn "\n\tfnstsw %0\n\tfstpt %1"                            \
                         : "=&a"(sw), "=m"(*r)                                                      \
                         : "m"(*a)                                                                 \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_UN(sqrt, "fsqrt")
X87_UN(rndint, "frndint")
X87_UN(f2xm1, "f2xm1")
X87_UN(sin, "fsin")
X87_UN(cos, "fcos")
X87_UN(tst, "ftst")
X87_UN(xam, "fxam")

/* r[0] = insn with ST(0) = a and ST(1) = b; the host drops or keeps ST(1), `tail` takes it off. */
#define X87_BIN(name, insn, tail)                                                                  \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fldt %3\n\tfldt %2\n\t" insn "\n\tfnstsw %0\n\tfstpt %1" tail            \
                         : "=&a"(sw), "=m"(*r)                                                      \
                         : "m"(*a), "m"(*(const struct f80 *)b)                                    \
                         : X87_CLOBBER);                                                           \
        return sw;                                                                                 \
    }
X87_BIN(prem, "fprem", "\n\tfstp %%st(0)")
X87_BIN(prem1, "fprem1", "\n\tfstp %%st(0)")
X87_BIN(scale, "fscale", "\n\tfstp %%st(0)")
X87_BIN(yl2x, "fyl2x", "")
X87_BIN(yl2xp1, "fyl2xp1", "")
X87_BIN(patan, "fpatan", "")

/* r[0] = new ST(0), r[1] = new ST(1); with C2 set nothing was pushed and only r[0] is written. */
#define X87_TWO(name, insn)                                                                        \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        u16 sw;                                                                                    \
        (void)b;                                                                                   \
        __asm__ volatile("fldt %3\n\t" insn "\n\tfnstsw %0\n\tfstpt %1\n\ttestw $0x400, %0\n\tjnz 1f\n\tfstpt %2\n1:" \
                         : "=&a"(sw), "=m"(r[0]), "=m"(r[1])                                        \
                         : "m"(*a)                                                                 \
                         : X87_CLOBBER, "cc");                                                     \
        return sw;                                                                                 \
    }
X87_TWO(ptan, "fptan")
X87_TWO(sincos, "fsincos")
/* FXTRACT always pushes and leaves C2 alone, so it cannot use the test above. */
static inline __attribute__((always_inline)) u16 x87_xtract(struct f80 *r, const struct f80 *a, const void *b)
{
    u16 sw;
    (void)b;
    __asm__ volatile("fldt %3\n\tfxtract\n\tfnstsw %0\n\tfstpt %1\n\tfstpt %2"
                     : "=&a"(sw), "=m"(r[0]), "=m"(r[1])
                     : "m"(*a)
                     : X87_CLOBBER);
    return sw;
}

/* Constants depend on the rounding control. */
#define X87_CONST(name, insn)                                                                      \
    static inline __attribute__((always_inline)) u16 x87_##name(struct f80 *r, const struct f80 *a, \
                                                                const void *b)                     \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        __asm__ volatile(insn "\n\tfstpt %0" : "=m"(*r) : : X87_CLOBBER);                          \
        return 0;                                                                                  \
    }
X87_CONST(ld1, "fld1")
X87_CONST(ldl2t, "fldl2t")
X87_CONST(ldl2e, "fldl2e")
X87_CONST(ldpi, "fldpi")
X87_CONST(ldlg2, "fldlg2")
X87_CONST(ldln2, "fldln2")
X87_CONST(ldz, "fldz")

/* --- rare paths, hostfp.c --- */

enum x87_op {
    X87_ADD, X87_MUL, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR, X87_SCALE,
    X87_YL2X, X87_YL2XP1, X87_PATAN, X87_F2XM1, X87_OTHER
};

/* The result that the register form of an operation delivers for an unmasked overflow or underflow: the exact result times
 * 2^-24576 or 2^+24576, rounded as the control word says. `masked` is the masked result, flag FSW_OE or FSW_UE. Returns the
 * status word of the scaled operation (PE and C1 count). Operands as the host function of the operation takes them. */
u16 hostfp_scaled(enum x87_op op, const struct f80 *a, const struct f80 *b, u16 fcw, u16 flag, const struct f80 *masked,
                  struct f80 *r);

/* By parts: registers are written in two pieces, and one 16-byte load of them would wait for both to reach the cache. */
static inline void f80_copy(struct f80 *to, const struct f80 *from)
{
    to->mant = from->mant;
    to->se = from->se;
}

static inline bool f80_is_infinite(const struct f80 *v)
{
    return (v->se & 0x7fff) == 0x7fff && v->mant == 1ull << 63;
}

static inline bool f80_is_nan(const struct f80 *v)
{
    return (v->se & 0x7fff) == 0x7fff && v->mant != 1ull << 63;
}

static inline bool f80_is_tiny(const struct f80 *v) /* nonzero with the smallest exponent */
{
    return (v->se & 0x7fff) == 0 && v->mant && !(v->mant >> 63);
}

#endif
