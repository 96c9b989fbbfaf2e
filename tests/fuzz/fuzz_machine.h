/* A whole machine for the fuzzers: random profile and memory size, throwaway disks, a CD and a
 * floppy with random contents, ROMs of random bytes, no firmware. Time stands still until the
 * fuzzer moves it. */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include "machine/machine.h"
#include "tests/fuzz/fuzz.h"

/* c is filled in; the caller frees it behind machine_destroy(). */
struct machine *fuzz_machine(struct rng *r, struct config *c);
/* Does what the guest asked for: resets; power-off becomes a cold reset. */
void fuzz_serve(struct machine *m);
const char *fuzz_dir(void); /* where the images are */
/* fuzz_main() with an image folder and without messages. */
int fuzz_machines_main(int argc, char **argv, u64 (*one)(u64 seed));

#endif
