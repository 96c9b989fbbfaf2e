/* Pixel work for hosts with AVX2: pixel_vec.c, compiled with wider vectors (simd.h). */
#include "gpu/soft/pixel_vec.c"
