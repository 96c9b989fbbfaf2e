/* Runs user-mode code on the processor this program runs on, with a complete register state in and
 * out: 64-bit, 32-bit (compatibility segment 23h) and 16-bit code (LDT segments of ovec.h). Linux
 * on x86-64 with FSGSBASE only; host_open() says why it cannot. One instance per process, because
 * a signal handler has nowhere else to find it. Call it in a child process: what the code under
 * test does to the process is its own affair. */
#ifndef TESTS_ORACLE_HOST_H
#define TESTS_ORACLE_HOST_H

#include "machine/core/types.h"
#include "tests/unit/ovec.h"

/* Where the runner keeps its state. Bits 16 to 31 of the address are 0: IRETQ to a 16-bit stack
 * segment leaves those bits of ESP as they were. */
#define HOST_BLOCK_AT 0x123400000000ull

struct host_windows {
    u8 *code;               /* writable alias of the code window */
    u8 *data, *ro, *stack;  /* writable aliases of the others */
};

struct host_fault {
    u8 exc;
    u32 err;
    u64 cr2;
};

/* NULL: ready; else what is missing. */
const char *host_open(struct host_windows *w);
/* Runs from in->rip until an exception (HLT gives #GP). */
void host_run(const ov_state *in, unsigned mode, ov_state *out, struct host_fault *f);

#endif
