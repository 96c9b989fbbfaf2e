/* Shader texts that the fuzz targets start from. */
#ifndef TESTS_FUZZ_GPU_SHADERS_H
#define TESTS_FUZZ_GPU_SHADERS_H

#include "machine/core/types.h"

/* Direct3D 9 token stream n; 0: there are no more. Sets *stage (agpu_stage). The first two draw
 * together with a declaration of a position and a second element: a vertex and a pixel shader. */
size_t shader_d3d9(unsigned n, u8 *out, size_t cap, u8 *stage);
/* Likewise a shader of model 4 or 5: in a container when n is even, bare tokens when it is odd. The
 * first two texts draw together with an input layout of POSITION and COLOR. */
size_t shader_sm4(unsigned n, u8 *out, size_t cap, u8 *stage);
/* All of both. */
size_t shader_any(unsigned n, u8 *out, size_t cap, u8 *stage);
/* Changes whole tokens: registers, opcodes, lengths, instructions moved and repeated; now and then
 * any bytes. */
size_t tokens_mutate(u8 *p, size_t size, size_t max, unsigned seed);

#endif
