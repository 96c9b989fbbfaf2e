/* The interpreter's arithmetic for hosts with AVX2: alu.c, compiled with wider vectors (simd.h). */
#include "gpu/shader/alu.c"
