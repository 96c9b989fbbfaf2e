/*
 * integer.c: what compiled programs do besides floating point: integers of all widths, strings,
 * sorting, jumps, signals at faults, atomics, code written at run time.
 *
 * A program of run.sh's compiler part, as float.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t hash;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void mix(uint64_t value)
{
    hash = (hash ^ value) * 0x100000001b3;
    hash ^= hash >> 31;
}

static void show(const char *what)
{
    printf("%s %016llx\n", what, (unsigned long long)hash);
}

#define WIDTH(bits)                                                                                \
    static void width##bits(void)                                                                  \
    {                                                                                              \
        for (int n = 0; n < 20000; n++) {                                                          \
            const uint##bits##_t a = (uint##bits##_t)next(), b = (uint##bits##_t)(next() >> (n % 60)); \
            const int##bits##_t s = (int##bits##_t)a, t = (int##bits##_t)b;                         \
            const unsigned c = (unsigned)next() % bits;                                             \
            int##bits##_t r;                                                                        \
            mix((uint##bits##_t)(a + b));                                                           \
            mix((uint##bits##_t)(a - b));                                                           \
            mix((uint##bits##_t)((uint64_t)a * b));                                                 \
            if (b) mix((uint64_t)(a / b) * 3 + a % b);                                              \
            if (t && t != -1) mix((uint64_t)(s / t) * 5 + (uint64_t)(s % t));                       \
            mix((uint##bits##_t)((uint64_t)a << c) | (a >> (bits - 1 - c)));                        \
            mix((uint64_t)(s >> c));                                                                \
            mix((uint64_t)(__builtin_add_overflow(s, t, &r) * 2) + (uint##bits##_t)r);              \
            mix((uint64_t)(__builtin_sub_overflow(s, t, &r) * 2) + (uint##bits##_t)r);              \
            mix((uint64_t)(__builtin_mul_overflow(s, t, &r) * 2) + (uint##bits##_t)r);              \
            mix((uint64_t)((a < b) + 2 * (s < t) + 4 * (a == b) + 8 * (s <= 0) + 16 * (a > 77)));   \
            if (a) mix((uint64_t)(__builtin_clzll(a) * 64 + __builtin_ctzll(a)));                   \
            mix((uint64_t)__builtin_popcountll(a) + (uint64_t)__builtin_parityll(b));               \
        }                                                                                           \
        show("width " #bits);                                                                       \
    }

WIDTH(8)
WIDTH(16)
WIDTH(32)
WIDTH(64)

#ifdef __SIZEOF_INT128__
static void width128(void)
{
    for (int n = 0; n < 20000; n++) {
        const unsigned __int128 a = (unsigned __int128)next() << 64 | next();
        const unsigned __int128 b = ((unsigned __int128)next() << 64 | next()) >> (n % 127);
        const unsigned c = (unsigned)next() % 128;
        const unsigned __int128 r[] = {a + b, a - b, a * b, b ? a / b : 1, b ? a % b : 1, a << c,
                                       (unsigned __int128)((__int128)a >> c)};

        for (size_t k = 0; k < sizeof(r) / sizeof(r[0]); k++) mix((uint64_t)r[k] ^ (uint64_t)(r[k] >> 64));
    }
    show("width 128");
}
#else
static void width128(void) {}
#endif

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void memory(void)
{
    static uint8_t a[70000], b[70000];
    static uint32_t v[5000];

    for (size_t k = 0; k < sizeof(a); k++) a[k] = (uint8_t)next();
    for (int n = 0; n < 3000; n++) {
        const size_t len = next() % (n % 50 ? 300 : 30000), from = next() % 30000, to = next() % 30000;

        switch (n % 5) {
        case 0: memcpy(b + to, a + from, len); break;
        case 1: memmove(b + to, b + from, len); break;
        case 2: memset(b + to, n, len); break;
        case 3: mix((uint64_t)(memcmp(a + from, b + to, len) > 0)); break;
        case 4: {
            const uint8_t *p = memchr(b + to, n & 255, len);
            mix(p ? (uint64_t)(p - b) : 0);
            break;
        }
        }
        mix(b[to] + b[to + len]);
    }
    for (size_t k = 0; k < sizeof(b); k += 8) mix(b[k] * 256u + b[k + 5]);
    for (size_t k = 0; k < 5000; k++) v[k] = (uint32_t)next();
    qsort(v, 5000, sizeof(v[0]), compare);
    for (size_t k = 0; k < 5000; k++) mix(v[k]);
    show("memory");
}

static void strings(void)
{
    char s[512], t[600];

    for (int n = 0; n < 3000; n++) {
        const size_t len = next() % 400;

        for (size_t k = 0; k < len; k++) s[k] = (char)('a' + next() % 20);
        s[len] = 0;
        snprintf(t, sizeof(t), "%d:%s:%llx:%-5.3s|", n, s, (unsigned long long)next(), s);
        mix(strlen(t));
        mix(strcspn(t, "xyz") + strspn(s, "abcdefghij"));
        const char *p = strchr(t, 'q'), *q = strstr(t, "ab"), *r = strrchr(t, 'c');
        mix((uint64_t)((p ? p - t : -1) + (q ? q - t : -1) * 7 + (r ? r - t : -1) * 49));
        mix((uint64_t)(strcmp(s, t) > 0) + (uint64_t)(strncmp(s, t, 2) > 0));
        char *end;
        mix(strtoull(t, &end, 10) + strtoul("7fffABCD", NULL, 16));
    }
    show("strings");
}

static int many(int count, ...)
{
    va_list ap;
    double d = 0;
    int sum = 0;

    va_start(ap, count);
    for (int k = 0; k < count; k++) {
        sum += va_arg(ap, int);
        d += va_arg(ap, double);
        sum ^= (int)va_arg(ap, long long);
    }
    va_end(ap);
    return sum + (int)d;
}

static jmp_buf place;

static int deep(int n)
{
    volatile char room[100];

    room[n % 100] = (char)n;
    if (n == 0) longjmp(place, 7);
    return deep(n - 1) + room[n % 100];
}

static void calls(void)
{
    for (int n = 0; n < 2000; n++) {
        const int got = setjmp(place);

        if (got) mix((uint64_t)(got + n));
        else deep(n % 90);
        mix((uint64_t)many(3, n, 1.5 * n, 0x100000000ll * n, 2, -3.0, 4ll, n ^ 5, 0.25, -6ll));
    }
    show("calls");
}

/* Faults: the handler is told where and why, and leaves by a long jump. */
static sigjmp_buf after_fault;
static volatile uint64_t fault_address;
static volatile int fault_signal, fault_code;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    fault_signal = sig;
    fault_code = info->si_code;
    fault_address = (uint64_t)(uintptr_t)info->si_addr;
    siglongjmp(after_fault, 1);
}

static void faults(void)
{
    const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS};
    struct sigaction action;
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    for (int k = 0; k < 4; k++) sigaction(signals[k], &action, NULL);
    mprotect(page + 4096, 4096, PROT_NONE);
    for (volatile int n = 0; n < 2000; n++) {
        volatile int zero = 0, big = INT32_MIN, minus = -1;
        volatile uint64_t *edge = (uint64_t *)(void *)(page + 4096 - n % 8);

        fault_signal = 0;
        if (sigsetjmp(after_fault, 1) == 0) {
            switch (n % 5) {
            case 0: mix(*edge); break;
            case 1: *edge = 5; break;
            case 2: mix((uint64_t)(n / zero)); break;
            case 3: mix((uint64_t)(big % minus)); break;
            case 4: __builtin_trap();
            }
        }
        mix((uint64_t)(fault_signal * 64 + fault_code));
        if (n % 5 < 2) mix(fault_address - (uint64_t)(uintptr_t)page);
        mix(page[4095 - n % 7]);
    }
    show("faults");
}

static void atomics(void)
{
    static uint64_t wide;
    static uint32_t word;
    static uint16_t half;
    static uint8_t byte;

    for (int n = 0; n < 20000; n++) {
        uint64_t old = n % 3 ? wide : next();

        mix((uint64_t)__atomic_compare_exchange_n(&wide, &old, next(), false, __ATOMIC_SEQ_CST,
                                                  __ATOMIC_SEQ_CST));
        mix(old);
        mix(__atomic_fetch_add(&word, (uint32_t)n, __ATOMIC_SEQ_CST));
        mix(__atomic_exchange_n(&half, (uint16_t)next(), __ATOMIC_SEQ_CST));
        mix(__atomic_fetch_or(&byte, (uint8_t)n, __ATOMIC_SEQ_CST));
        mix(__atomic_fetch_xor(&wide, next(), __ATOMIC_SEQ_CST));
        mix(__atomic_fetch_and(&word, 0xffffff, __ATOMIC_SEQ_CST));
    }
    show("atomics");
}

/* mov $n, %eax; add $n, %eax; ret: rewritten and called, many times on one page. */
static void written_code(void)
{
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);

    for (uint32_t n = 0; n < 3000; n++) {
        uint8_t *code = page + (n % 7) * 64;
        const uint32_t other = n * 77;

        if (n % 3 == 0) {
            code[0] = 0xb8;
            memcpy(code + 1, &n, 4);
            code[5] = 0x05;
            memcpy(code + 6, &other, 4);
            code[10] = 0xc3;
        } else if (code[10] == 0xc3) {
            code[1 + n % 4]++;
        }
        if (code[10] == 0xc3)
            for (int k = 0; k < 60; k++) mix((uint64_t)(uint32_t)((int (*)(void))(uintptr_t)code)());
    }
    show("written code");
}

int main(void)
{
    width8();
    width16();
    width32();
    width64();
    width128();
    memory();
    strings();
    calls();
    faults();
    atomics();
    written_code();
    return 0;
}
