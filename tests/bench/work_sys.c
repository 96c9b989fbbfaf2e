/*
 * work_sys.c: workloads of the benchmark that go through the kernel (system calls, processes, pipes,
 * page faults) or write the code they run.  A failed call makes the checksum 0, which the caller
 * sees as a wrong round.
 */
#include "tests/bench/work.h"

#include <string.h>
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

/* A function whose constant is rewritten before every call: mov $imm32, %eax; ret. */
static u64 run_selfmod(void)
{
    static u8 *code;
    u64 sum = 0;

    if (!code) {
        static const u8 template[] = {0xb8, 0, 0, 0, 0, 0xc3};
        void *const p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) return 0;
        code = p;
        memcpy(code, template, sizeof template);
    }
    for (u32 i = 0; i < 500; i++) {
        const u32 constant = i * 2654435761u;
        u32 result;

        memcpy(code + 1, &constant, sizeof constant);
        __asm__ volatile("call *%1" : "=a"(result) : "r"(code) : "memory", "cc");
        sum = work_mix(sum, result);
    }
    return sum;
}

const struct work work_sys[] = {
    {"syscall", "system", run_syscall}, {"fork", "system", run_fork},
    {"pipe", "system", run_pipe},       {"faults", "system", run_faults},
    {"selfmod", "generated", run_selfmod}, {NULL, NULL, NULL},
};
