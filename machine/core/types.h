/* Fixed-width names, small helpers and unaligned little-endian access that every layer uses.
 * Guest layouts are little-endian and so is the only host (Linux x86-64); the ld/st helpers keep
 * that assumption, and alignment, in one place. */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef unsigned __int128 u128;

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define BIT(n) (1u << (n))
#define BIT64(n) (1ull << (n))
#define KIB 1024ull
#define MIB (1024ull * 1024)
#define GIB (1024ull * 1024 * 1024)
#define NS_PER_SEC 1000000000ull
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define CORE_LDST(bits)                                                                            \
    static inline u##bits ld##bits(const void *p)                                                  \
    {                                                                                              \
        u##bits v;                                                                                 \
        memcpy(&v, p, sizeof(v));                                                                  \
        return v;                                                                                  \
    }                                                                                              \
    static inline void st##bits(void *p, u##bits v)                                                \
    {                                                                                              \
        memcpy(p, &v, sizeof(v));                                                                  \
    }
CORE_LDST(16)
CORE_LDST(32)
CORE_LDST(64)
#undef CORE_LDST

/* Little-endian load and store of 1, 2, 4 or 8 bytes. */
static inline u64 ld_n(const void *p, unsigned size)
{
    u64 v = 0;
    memcpy(&v, p, size);
    return v;
}
static inline void st_n(void *p, u64 v, unsigned size)
{
    memcpy(p, &v, size);
}

/* All-ones value of an access of 1..8 bytes. */
static inline u64 mask_n(unsigned size)
{
    return size >= 8 ? ~0ull : (1ull << (size * 8)) - 1;
}

/* a * b / c without overflow of the product; c != 0. */
static inline u64 mul_div(u64 a, u64 b, u64 c)
{
    return (u64)((u128)a * b / c);
}

#endif
