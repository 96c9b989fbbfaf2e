/*
 * work.c: how fast is this machine, as an ordinary program sees it.
 *
 * A static program that runs the same on the host and as /init of a guest kernel.  Every workload
 * is a function that does a fixed piece of work (a round) and returns a checksum.  So many rounds as
 * take about a span are run three times.  Rates of two machines can be divided; no instruction is
 * counted anywhere.  A checksum that differs between machines, or between two rounds, is an error of
 * the machine.
 *
 * The clock of a guest is the emulator's, and may be slower than the wall: ours slows it down when the
 * processor does not keep up. So the host measures: a line "(" and a line ")" stand around each of the
 * three runs, and who reads them looks at its own clock (bench.sh). The guest's own rate is for
 * comparison only. Output of a workload:
 *     (  )  (  )  (  )            a line each
 *     BENCH class name checksum rounds own-rounds-per-second
 * and at the end BENCH-DONE.  As process 1 it powers the machine off afterwards.
 * Environment: BENCH_MS, the span in milliseconds (default 300); BENCH_ONLY, the workloads or classes
 * to run, with commas between them.  As /init they come from the kernel's command line.
 * Arguments: the same names (not as /init, where the kernel's own words arrive).
 */
#include "tests/bench/work.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REPEATS 3

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of so many rounds. Clears *ok if a round disagrees with the expected checksum. */
static double time_of(const struct work *w, u64 rounds, u64 expected, bool *ok)
{
    const double start = now();

    for (u64 i = 0; i < rounds; i++)
        if (w->run() != expected) *ok = false;
    return now() - start;
}

/* How many rounds take about the span, by this machine's own clock. */
static u64 rounds_for(const struct work *w, double span, u64 expected, bool *ok)
{
    u64 rounds = 1;
    double elapsed;

    while ((elapsed = time_of(w, rounds, expected, ok)) < span / 4) rounds *= 2;
    return (u64)((double)rounds * span / elapsed) + 1;
}

static void mark(const char *line)
{
    puts(line);
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
}

static bool run_one(const struct work *w, double span)
{
    bool ok = true;
    const u64 checksum = w->run();
    const u64 rounds = rounds_for(w, span, checksum, &ok);
    double least = 0;

    for (int i = 0; i < REPEATS; i++) {
        mark("(");
        const double elapsed = time_of(w, rounds, checksum, &ok);
        mark(")");
        if (!i || elapsed < least) least = elapsed;
    }
    printf("BENCH %s %s %016llx %llu %.3f%s\n", w->family, w->name, (unsigned long long)checksum,
           (unsigned long long)rounds, (double)rounds / least, ok ? "" : " UNSTEADY");
    fflush(stdout);
    return ok;
}

/* Each workload has a process of its own: one that crashes is one line less, and process 1 is special to
 * a kernel. */
static bool run_apart(const struct work *w, double span)
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) _exit(run_one(w, span) ? 0 : 1);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        printf("BENCH-CRASH %s %s status %x\n", w->family, w->name, (unsigned)status);
        fflush(stdout);
        return false;
    }
    return WEXITSTATUS(status) == 0;
}

/* True when the comma-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *p = list; p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        if (strncmp(p, word, n) == 0 && (p[n] == 0 || p[n] == ',')) return true;
    }
    return false;
}

static bool is_wanted(const struct work *w, int argc, char **argv)
{
    const char *only = getenv("BENCH_ONLY");

    if (argc < 2) return !only || !*only || has_word(only, w->name) || has_word(only, w->family);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], w->name) == 0 || strcmp(argv[i], w->family) == 0) return true;
    return false;
}

int main(int argc, char **argv)
{
    const struct work *const tables[] = {work_int, work_codec, work_x87, work_sse,
                                         work_sys, work_gen,   work_mem};
    const bool is_init = getpid() == 1;
    const char *ms = getenv("BENCH_MS");
    const double span = (ms ? atof(ms) : 300.0) / 1000.0;
    bool ok = true;

    if (strcmp(argv[0], WORK_EXEC) == 0) return 7;
    if (is_init) {
        argc = 1;
        mount("proc", "/proc", "proc", 0, "");
    }
    printf("BENCH-UP\n");
    fflush(stdout);
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct work *w = tables[t]; w->name; w++)
            if (is_wanted(w, argc, argv) && !run_apart(w, span)) ok = false;
    printf("BENCH-DONE %s\n", ok ? "ok" : "WRONG");
    fflush(stdout);
    if (is_init) {
        sleep(1);
        reboot(RB_POWER_OFF);
    }
    return ok ? 0 : 1;
}
