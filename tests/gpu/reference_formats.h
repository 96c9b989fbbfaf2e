/* Inside the reference: where a format keeps its channels. */
#ifndef TESTS_GPU_REFERENCE_FORMATS_H
#define TESTS_GPU_REFERENCE_FORMATS_H

#include "tests/gpu/reference.h"

struct ref_format {
    int bytes;
    u8 bits[4], shift[4]; /* red, green, blue, alpha; no bits: reads 1, is not stored */
    u32 ones;             /* bits that are always set */
    bool srgb;
};
bool ref_format(u32 format, struct ref_format *f); /* false: not a colour format */

#endif
