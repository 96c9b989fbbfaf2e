/* Floating point in integers, exact in every bit and flag, for what the host may lack: fused
 * multiply-add and the half-precision conversions. Formats are named by the bits of fraction and
 * exponent. softfp.c */
#ifndef CPU_SOFTFP_H
#define CPU_SOFTFP_H

#include "machine/core/types.h"

struct softfp_format {
    unsigned fbits, ebits;
};
#define SOFTFP_HALF ((struct softfp_format){ 10, 5 })
#define SOFTFP_SINGLE ((struct softfp_format){ 23, 8 })
#define SOFTFP_DOUBLE ((struct softfp_format){ 52, 11 })

/* Controls as in MXCSR, and the exception flags that operations add (FSW_* of hostfp.h). */
struct softfp {
    unsigned rounding; /* MXCSR.RC: nearest, down, up, to zero */
    bool daz, ftz;     /* ftz only while underflow is masked */
    bool trap_ue,
        trap_oe; /* unmasked: flags as SDM 1 4.9.1.5 has them then, the result is not used */
    u32 flags;
};

/* x * y + z, rounded once. negate: of the product; subtract: z. NaNs win in the order x, y, z. */
u64 softfp_fma(struct softfp *e, struct softfp_format f, u64 x, u64 y, u64 z, bool negate,
               bool subtract);

/* Single to half under e, half to single (exact; denormals raise nothing). */
u16 softfp_to_half(struct softfp *e, u32 v);
u32 softfp_from_half(struct softfp *e, u16 v);

#endif
