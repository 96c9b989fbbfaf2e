/* Fuzz target: the front end for shader model 4 and 5, in containers and bare, alone. */
#include "tests/fuzz/gpu/ir_check.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/target.h"

void target_init(void)
{
}

void target_run(const u8 *data, size_t size)
{
    ir_check_compile(data, size, shader_compile);
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    u8 stage;
    return shader_sm4(n, out, cap, &stage);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
    return tokens_mutate(data, size, max, seed);
}
