/* Rows of pixels for hosts with AVX2: fast_vec.c, compiled with wider vectors (simd.h). */
#include "gpu/soft/fast_vec.c"
