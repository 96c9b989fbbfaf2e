/* Set-up of a fuzz target (target.h): quiet logs, the watch for inputs that take too long, and
 * `program --write-seeds FOLDER`. */
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "machine/core/log.h"
#include "tests/fuzz/gpu/target.h"

enum { SEED_MAX = 1 << 16 };

static volatile u64 inputs, inputs_at_tick;
static volatile int same_ticks;

_Noreturn void must_failed(const char *text)
{
    fprintf(stderr, "fuzz: must be: %s\n", text);
    abort();
}

/* Every half second of processor time: twice in the same input is too long. */
static void tick(int sig)
{
    static const char text[] = "fuzz: this input takes more than a second; it is here:\n";
    void *at[40];
    (void)sig;
    if (inputs != inputs_at_tick) {
        inputs_at_tick = inputs;
        same_ticks = 0;
        return;
    }
    if (++same_ticks < 3 || !inputs) return;
    if (write(2, text, sizeof(text) - 1) < 0) _exit(3);
    backtrace_symbols_fd(at, backtrace(at, 40), 2);
    abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    inputs++;
    target_run(data, size);
    inputs++; /* what happens between inputs is nobody's */
    return 0;
}

static int write_seeds(const char *folder)
{
    static u8 seed[SEED_MAX];
    char path[512];
    size_t n;
    for (unsigned k = 0; (n = target_seed(k, seed, sizeof(seed))) > 0; k++) {
        snprintf(path, sizeof(path), "%s/seed-%03u", folder, k);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(seed, 1, n, f) != n || fclose(f)) return 1;
    }
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    FILE *null = fopen("/dev/null", "w");
    if (null) log_set_output(null);
    log_configure("error");
    target_init();
    if (*argc == 3 && !strcmp((*argv)[1], "--write-seeds")) exit(write_seeds((*argv)[2]));
    signal(SIGPROF, tick);
    const struct itimerval half = { { 0, 500000 }, { 0, 500000 } };
    setitimer(ITIMER_PROF, &half, NULL);
    return 0;
}
