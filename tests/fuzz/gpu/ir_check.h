/* What the interpreter trusts a compiled program to be (gpu/shader/ir.h), checked apart from it. */
#ifndef TESTS_FUZZ_GPU_IR_CHECK_H
#define TESTS_FUZZ_GPU_IR_CHECK_H

#include "gpu/shader/ir.h"

/* Aborts unless every register exists, blocks are balanced and jumps go where they should. */
void ir_check(const struct ir_program *p);
/* What a front end does with an input: compiles for the stage that the bytes name (or another one),
 * checks the program, frees it. */
void ir_check_compile(const u8 *data, size_t size,
                      struct ir_program *(*compile)(const u8 *bytes, u32 size, u8 stage,
                                                    const char **why));
/* The stage that the first words of a blob name; STAGE_CS when they name none. */
u8 ir_blob_stage(const u8 *data, size_t size);

#endif
