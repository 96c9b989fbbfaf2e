/* The tests' assemblers for the golden pictures. */
#include "tests/gpu/no_check.h"

#include "tests/gpu/golden.h"
#include "tests/unit/d3d9_asm.h"
#include "tests/unit/sm4_asm.h"

u32 gold_assemble(const char *text, bool driver, u32 *tokens, u32 capacity, bool *pixel)
{
    struct d3d9_asm a;
    u32 size = d3d9_assemble(&a, text, driver ? ASM_DRIVER : ASM_STANDARD);
    if (size > capacity) ck_abort_msg("shader text: too long");
    memcpy(tokens, a.words, size);
    *pixel = a.ps;
    return size;
}

u32 gold_assemble10(const char *text, u32 *tokens, u32 capacity, bool bare)
{
    struct sm4_asm *a = calloc(1, sizeof(*a));
    u32 size = sm4_assemble(a, text, bare ? SM4_BARE : SM4_DXBC);
    if (size > capacity) ck_abort_msg("shader text: too long");
    memcpy(tokens, a->words, size);
    free(a);
    return size;
}
