/* A set of page numbers that forgets none and now and then has one that was never put in: three bits
 * for each, of parts of a product that have nothing in common. By a single bit, a page of data passes
 * for one of a kernel's thousands of pages once in 20 times, and INVLPG of it, which every fork()
 * makes, then costs as much as a flush each time. */
#ifndef CPU_PAGESET_H
#define CPU_PAGESET_H

#include "machine/core/types.h"

enum { PAGESET_HASHES = 3 };

/* Bit k of the page, in a set of `bits` bits, a power of two; *bit is set to its mask in that word. */
static inline unsigned pageset_word(u64 page, unsigned k, u64 bits, u64 *bit)
{
    u64 h = (page * 0x9e3779b97f4a7c15ull >> (k * 20)) % bits;
    *bit = BIT64(h & 63);
    return (unsigned)(h >> 6);
}

static inline void pageset_add(u64 *words, u64 bits, u64 page)
{
    for (unsigned k = 0; k < PAGESET_HASHES; k++) {
        u64 bit;
        unsigned w = pageset_word(page, k, bits, &bit);
        words[w] |= bit;
    }
}

static inline bool pageset_has(const u64 *words, u64 bits, u64 page)
{
    for (unsigned k = 0; k < PAGESET_HASHES; k++) {
        u64 bit;
        unsigned w = pageset_word(page, k, bits, &bit);
        if (!(words[w] & bit)) return false;
    }
    return true;
}

#endif
