/*
 * work_sys.c: workloads of the benchmark that go through the kernel: system calls, processes, page
 * faults, pipes, reads of a file, a signal for a protected page.  A failed call makes the checksum 0, which the caller
 * sees as a wrong round.
 */
#define _GNU_SOURCE
#include "tests/bench/work.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static u64 run_syscall(void)
{
    u64 sum = 1;

    /* An invalid descriptor: the way in and out, and nothing else. */
    for (int i = 0; i < 1000; i++)
        if (syscall(SYS_close, -1) == -1) sum++;
    return sum;
}

static u64 run_fork(void)
{
    u64 sum = 0;

    for (int i = 0; i < 4; i++) {
        int status = 0;
        const pid_t child = fork();

        if (child == 0) _exit(i + 1);
        if (child < 0 || waitpid(child, &status, 0) != child) return 0;
        sum = work_mix(sum, (u64)status);
    }
    return sum;
}

/* A byte goes to a child and comes back, 100 times: two context switches each. */
static u64 run_pipe(void)
{
    int there[2], back[2];
    u64 sum = 0;
    u8 byte = 0;

    if (pipe(there) != 0) return 0;
    if (pipe(back) != 0) return 0;
    const pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        while (read(there[0], &byte, 1) == 1) {
            byte = (u8)(byte * 3 + 1);
            if (write(back[1], &byte, 1) != 1) break;
        }
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    for (int i = 0; i < 100 && child > 0; i++) {
        byte = (u8)i;
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) break;
        sum = work_mix(sum, byte);
    }
    close(there[1]);
    close(back[0]);
    if (child < 0 || waitpid(child, NULL, 0) != child) return 0;
    return sum;
}

static u64 run_faults(void)
{
    const size_t size = 256 * 4096;
    u64 sum = 1;
    u8 *const p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) return 0;
    /* Without this the kernel may hand out a huge page and there is one fault, not 256. */
    madvise(p, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += 4096) {
        sum += p[i] + i;
        p[i] = 1;
    }
    munmap(p, size);
    return sum;
}

/* The program itself again, which ends at once (work.c). */
static u64 run_exec(void)
{
    static char *const arguments[] = {WORK_EXEC, NULL};
    static char *const environment[] = {NULL};
    int status = 0;
    const pid_t child = vfork();

    if (child == 0) {
        execve("/proc/self/exe", arguments, environment);
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return 0;
    return status == 7 << 8 ? 7 : 0;
}

/* A file in memory: 64 reads of a page, 256 of 64 bytes. */
static u64 run_files(void)
{
    static int fd = -1;
    u8 data[4096];
    u64 sum = 0;

    if (fd < 0) {
        fd = memfd_create("files", 0);
        for (int i = 0; i < 64; i++) {
            for (size_t k = 0; k < sizeof data; k++) data[k] = (u8)(k * 3 + (size_t)i);
            if (write(fd, data, sizeof data) != (ssize_t)sizeof data) return 0;
        }
    }
    for (off_t i = 0; i < 64; i++) {
        if (pread(fd, data, sizeof data, i * 4096) != (ssize_t)sizeof data) return 0;
        sum = work_mix(sum, data[i * 7]);
    }
    for (off_t i = 0; i < 256; i++) {
        if (pread(fd, data, 64, i * 1021) != 64) return 0;
        sum = work_mix(sum, data[i & 63]);
    }
    return sum;
}

/* A store into a protected page; the handler opens the page and returns to the store. */
static u8 *guarded;

static void open_page(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    if (info->si_addr < (void *)guarded || info->si_addr >= (void *)(guarded + 4096)) _exit(1);
    mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}

static u64 run_signal(void)
{
    struct sigaction action = {.sa_sigaction = open_page, .sa_flags = SA_SIGINFO};
    struct sigaction before;
    u64 sum = 1;

    if (!guarded) {
        void *const p =
            mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) return 0;
        guarded = p;
    }
    sigaction(SIGSEGV, &action, &before);
    for (int i = 0; i < 100; i++) {
        mprotect(guarded, 4096, PROT_NONE);
        *(volatile u8 *)(guarded + i) = (u8)i;
        sum = work_mix(sum, guarded[i]);
    }
    sigaction(SIGSEGV, &before, NULL);
    return sum;
}

const struct work work_sys[] = {
    {"syscall", "kernel", run_syscall}, {"fork", "kernel", run_fork},
    {"exec", "kernel", run_exec},       {"faults", "kernel", run_faults},
    {"pipe", "kernel", run_pipe},       {"files", "kernel", run_files},
    {"signal", "kernel", run_signal},   {NULL, NULL, NULL},
};
