/* Texture sampling for hosts with AVX2: sampler_vec.c, compiled with wider vectors (simd.h). */
#include "gpu/soft/sampler_vec.c"
