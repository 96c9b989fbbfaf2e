/*
 * work_gen.c: workloads of the benchmark that write the code they run: a loop that changes its own
 * constant, a routine that is patched before each call, a loop whose counters lie on its own page, and
 * routines that are written once and run once, as a compiler at run time does.
 */
#include "tests/bench/work.h"

#include <string.h>
#include <sys/mman.h>

static u8 *code_pages(size_t size)
{
    void *const p = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static u32 call_code(const u8 *code, u32 argument)
{
    u32 result;

    __asm__ volatile("call *%1" : "=a"(result), "+r"(code), "+c"(argument) : : "memory", "cc", "rdx");
    return result;
}

/* --- patch: a function whose constant is rewritten before every call: mov $imm32, %eax; ret --- */

static u64 run_patch(void)
{
    static const u8 text[] = {0xb8, 0, 0, 0, 0, 0xc3};
    static u8 *code;
    u64 sum = 0;

    if (!code) {
        if (!(code = code_pages(4096))) return 0;
        memcpy(code, text, sizeof text);
    }
    for (u32 i = 0; i < 500; i++) {
        const u32 constant = i * 2654435761u;

        memcpy(code + 1, &constant, sizeof constant);
        sum = work_mix(sum, call_code(code, 0));
    }
    return sum;
}

/* --- selfmod: a loop that stores into one of its own instructions --- */

static u64 run_selfmod(void)
{
    static const u8 text[] = {
        0x31, 0xc0,                         /*    xor  %eax, %eax              */
        0x05, 0x11, 0x22, 0x33, 0x44,       /* 1: add  $0x44332211, %eax       */
        0x69, 0xd0, 0x35, 0x91, 0x77, 0x1b, /*    imul $0x1b779135, %eax, %edx */
        0x31, 0xca,                         /*    xor  %ecx, %edx              */
        0x89, 0x15, 0xee, 0xff, 0xff, 0xff, /*    mov  %edx, 1b+1(%rip)        */
        0xff, 0xc9,                         /*    dec  %ecx                    */
        0x75, 0xe9,                         /*    jnz  1b                      */
        0xc3,
    };
    static u8 *code;
    u64 sum = 0;

    if (!code && !(code = code_pages(4096))) return 0;
    for (u32 i = 0; i < 4; i++) {
        memcpy(code, text, sizeof text);
        sum = work_mix(sum, call_code(code, 200 + i));
    }
    return sum;
}

/* --- mixed: code and the data it counts in on one page, 256 bytes apart --- */

static u64 run_mixed(void)
{
    static const u8 text[] = {
        0x31, 0xc0,                         /*    xor  %eax, %eax              */
        0x89, 0xca,                         /* 1: mov  %ecx, %edx              */
        0x01, 0x05, 0xf6, 0x00, 0x00, 0x00, /*    add  %eax, 256(start)(%rip)  */
        0x03, 0x15, 0xf0, 0x00, 0x00, 0x00, /*    add  256(start)(%rip), %edx  */
        0x01, 0xd0,                         /*    add  %edx, %eax              */
        0x89, 0x05, 0xf0, 0x00, 0x00, 0x00, /*    mov  %eax, 264(start)(%rip)  */
        0xff, 0xc9,                         /*    dec  %ecx                    */
        0x75, 0xe6,                         /*    jnz  1b                      */
        0xc3,
    };
    static u8 *code;
    u32 data[4];
    u64 sum = 0;

    if (!code) {
        if (!(code = code_pages(4096))) return 0;
        memcpy(code, text, sizeof text);
    }
    memset(code + 256, 0, 16);
    for (u32 i = 0; i < 4; i++) sum = work_mix(sum, call_code(code, 500 + i));
    memcpy(data, code + 256, sizeof data);
    return work_mix(sum, (u64)data[0] << 32 | data[2]);
}

/* --- once: each routine is new code, and runs once --- */

#define ROUTINES 64
#define STEPS 24
#define BUFFER (256 * 1024)

/* One instruction of eax, edx and a constant; returns its length. */
static unsigned write_step(u8 *at, u32 chosen)
{
    static const u8 with_constant[4][2] = {{0x81, 0xc0}, {0x81, 0xf2}, {0x81, 0xea}, {0x69, 0xc0}};
    static const u8 plain[4][2] = {{0x01, 0xd0}, {0x31, 0xc2}, {0xd1, 0xc0}, {0x29, 0xc2}};
    const u32 constant = chosen * 2654435761u | 1;

    if (chosen & 4) {
        memcpy(at, plain[chosen & 3], 2);
        return 2;
    }
    memcpy(at, with_constant[chosen & 3], 2);
    memcpy(at + 2, &constant, sizeof constant);
    return 6;
}

static u64 run_once(void)
{
    static u8 *buffer;
    static size_t used;
    u32 seed = 13;
    u64 sum = 0;

    if (!buffer && !(buffer = code_pages(BUFFER))) return 0;
    for (int r = 0; r < ROUTINES; r++) {
        if (BUFFER - used < 8 * STEPS) used = 0;
        u8 *const start = buffer + used;
        u8 *at = start;

        memcpy(at, "\x89\xc8\x31\xd2", 4); /* mov %ecx, %eax; xor %edx, %edx */
        at += 4;
        for (int k = 0; k < STEPS; k++) at += write_step(at, work_random(&seed) >> 5);
        *at++ = 0xc3;
        used = (size_t)(at - buffer + 15) & ~(size_t)15;
        sum = work_mix(sum, call_code(start, (u32)r));
    }
    return sum;
}

const struct work work_gen[] = {
    {"patch", "generated", run_patch}, {"selfmod", "generated", run_selfmod},
    {"mixed", "generated", run_mixed}, {"once", "generated", run_once},
    {NULL, NULL, NULL},
};
