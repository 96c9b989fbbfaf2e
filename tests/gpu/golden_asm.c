/* The tests' Direct3D 9 assembler for the golden pictures. */
#include "tests/gpu/no_check.h"

#include "tests/gpu/golden.h"
#include "tests/unit/d3d9_asm.h"

u32 gold_assemble(const char *text, u32 *tokens, u32 capacity, bool *pixel)
{
    struct d3d9_asm a;
    u32 size = d3d9_assemble(&a, text, ASM_STANDARD);
    if (size > capacity) ck_abort_msg("shader text: too long");
    memcpy(tokens, a.words, size);
    *pixel = a.ps;
    return size;
}
