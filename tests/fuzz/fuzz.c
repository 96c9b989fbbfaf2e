/* The driver of the fuzzers (fuzz.h): seeds run in a child, the parent says which one failed. Apart
 * from fuzz.h because the system headers needed here have names that cpu/state.h uses too. */
#include "tests/fuzz/fuzz.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANG_SECONDS = 2, STUCK_SECONDS = 300, MEMORY_MIB = 1500 };

struct progress {
    volatile u64 seed, done, insns;
};

/* The sanitizers read their settings from here: a stack on abort(), and no growth without end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1:detect_stack_use_after_return=0:hard_rss_limit_mb=2500:malloc_context_"
           "size=10";
}

static void hang(int sig)
{
    static const char text[] = "fuzz: this seed takes too long; it is here:\n";
    void *at[40];
    (void)sig;
    if (write(2, text, sizeof(text) - 1) < 0) _exit(3);
    backtrace_symbols_fd(at, backtrace(at, 40), 2);
    abort();
}

static void arm(bool on)
{
    struct itimerval t = { .it_value = { .tv_sec = on ? HANG_SECONDS : 0 } };
    setitimer(ITIMER_PROF, &t, NULL);
    alarm(on ? STUCK_SECONDS : 0);
}

struct limits {
    u64 seeds, insns; /* insns 0: no limit */
    double end;       /* 0: no limit */
};

static void run_seeds(struct progress *p, u64 seed, const struct limits *l, u64 (*one)(u64 seed))
{
    signal(SIGPROF, hang);
    signal(SIGALRM, hang);
    for (u64 k = 0; k < l->seeds; k++) {
        if (l->end && (double)time(NULL) >= l->end) break;
        if (l->insns && p->insns >= l->insns) break;
        struct rusage use;
        p->seed = seed + k;
        arm(true);
        p->insns += one(seed + k);
        arm(false);
        p->done++;
        getrusage(RUSAGE_SELF, &use);
        if (use.ru_maxrss > MEMORY_MIB * 1024l) {
            fprintf(stderr, "fuzz: %ld MiB are in use, more than %d\n", use.ru_maxrss / 1024,
                    MEMORY_MIB);
            _exit(3);
        }
    }
}

int fuzz_main(int argc, char **argv, u64 (*one)(u64 seed))
{
    u64 seed = 1;
    struct limits l = { .seeds = 1 };
    int k = 1;
    if (argc > 2 && (!strcmp(argv[1], "--seconds") || !strcmp(argv[1], "--insns"))) {
        if (argv[1][2] == 's') l.end = (double)time(NULL) + atof(argv[2]);
        else l.insns = strtoull(argv[2], NULL, 0);
        l.seeds = UINT64_MAX;
        k = 3;
    }
    if (argc > k) seed = strtoull(argv[k], NULL, 0);
    if (argc > k + 1) l.seeds = strtoull(argv[k + 1], NULL, 0);
    struct progress *p =
        mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 1;
    p->seed = seed;
    p->done = p->insns = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_seeds(p, seed, &l, one);
        exit(0); /* with leak check */
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) return 1;
    if (status) {
        fprintf(stderr, "FAIL after %llu good seeds; again: %s %llu\n", (unsigned long long)p->done,
                argv[0], (unsigned long long)p->seed);
        return 1;
    }
    printf("ok   %s: %llu seeds from %llu, %llu instructions\n", argv[0],
           (unsigned long long)p->done, (unsigned long long)seed, (unsigned long long)p->insns);
    return 0;
}
