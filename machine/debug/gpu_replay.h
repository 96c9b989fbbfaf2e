/* aeropc gpu-replay: executes a recording of AeroGPU's submissions (gpu/record.h) without a machine
 * and writes what was shown. */
#ifndef DEBUG_GPU_REPLAY_H
#define DEBUG_GPU_REPLAY_H

#include <stdio.h>

#include "machine/core/error.h"

/* argv[0] is "gpu-replay". Prints to out. 0; -1 with a message for what a user must mend: an
 * argument, the file, or a file that is damaged (what came before was executed and printed). */
int gpu_replay(int argc, char **argv, FILE *out, struct error *e);

#endif
