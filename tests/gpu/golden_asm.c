/* The tests' Direct3D 9 assembler outside of libcheck: a mistake in a shader's text is one in this
 * program and ends it. */
#include <check.h>
#include <stdio.h>

#include "tests/gpu/golden.h"

#undef ck_abort_msg
#undef ck_assert_uint_lt
#define ck_abort_msg(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(2))
#define ck_assert_uint_lt(a, b) ((a) < (b) ? (void)0 : ck_abort_msg("shader text: too long"))
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
