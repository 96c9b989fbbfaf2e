/* What a guest does to AeroGPU, for fuzz_board.c: a ring with sound and broken submissions, streams
 * that draw, allocation tables over memory of all kinds, scanout, cursor, interrupts. */
#ifndef TESTS_FUZZ_BOARD_GPU_H
#define TESTS_FUZZ_BOARD_GPU_H

#include "machine/machine.h"
#include "tests/fuzz/fuzz.h"

/* gpa: an address worth pointing at. The caller has put BAR0 to BOARD_GPU_REGS and switched on
 * memory and bus mastering. */
void board_gpu_act(struct rng *r, struct machine *m, u64 gpa);
#define BOARD_GPU_REGS 0xe8000000u

#endif
