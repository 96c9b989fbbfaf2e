/*
 * work_codec.c: integer workloads of the benchmark that are known algorithms: CRC-32 (ISO 3309),
 * SHA-256 (FIPS 180-4), AES (FIPS 197) by tables, and deflate with the fixed code (RFC 1951), both ways.
 * Their checksums therefore mean something.  Built with general registers only, as work_int.c.
 */
#include "tests/bench/work.h"

#include <string.h>

/* --- crc32: table driven, 64 KiB --- */

static void fill(u8 *p, size_t n)
{
    u32 seed = 99;

    for (size_t i = 0; i < n; i++) p[i] = (u8)work_random(&seed);
}

static u64 run_crc32(void)
{
    static u32 table[256];
    static u8 data[65536];
    u32 crc = ~0u;

    if (!table[1]) {
        fill(data, sizeof data);
        for (u32 i = 0; i < 256; i++) {
            u32 v = i;

            for (int k = 0; k < 8; k++) v = v & 1 ? 0xedb88320u ^ (v >> 1) : v >> 1;
            table[i] = v;
        }
    }
    for (size_t i = 0; i < sizeof data; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
    return ~crc;
}

/* --- sha256: 16 KiB, constants computed from the primes' roots as the standard defines them --- */

static u32 rotr(u32 v, int n) { return v >> n | v << (32 - n); }

/* The first 32 bits of the fractional part of the k-th root (k 2 or 3) of p. */
static u32 root_bits(u32 p, int k)
{
    u64 x = 0;

    /* x becomes floor(root * 2^32), which is below 2^37: its cube fits in 128 bits. */
    for (int bit = 36; bit >= 0; bit--) {
        const u64 t = x | 1ull << bit;
        unsigned __int128 power = (unsigned __int128)t * t;

        if (k == 3) power *= t;
        if (power >> (32 * k) < p) x = t;
    }
    return (u32)x;
}

static void sha256_block(u32 h[8], const u32 k[64], const u8 *p)
{
    u32 w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 | (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const u32 a = w[i - 15];
        const u32 b = w[i - 2];

        w[i] = w[i - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) + w[i - 7] +
               (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        const u32 t1 = s[7] + (rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25)) +
                       ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        const u32 t2 = (rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22)) +
                       ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + t1;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

static u64 run_sha256(void)
{
    static u32 k[64], first[8];
    static u8 data[16384];
    u32 h[8];

    if (!k[0]) {
        int n = 0;

        for (u32 p = 2; n < 64; p++) {
            u32 d = 2;

            while (d * d <= p && p % d) d++;
            if (d * d <= p) continue;
            if (n < 8) first[n] = root_bits(p, 2);
            k[n++] = root_bits(p, 3);
        }
        fill(data, sizeof data);
    }
    memcpy(h, first, sizeof h);
    for (size_t i = 0; i < sizeof data; i += 64) sha256_block(h, k, data + i);
    return (u64)h[0] << 32 | h[7];
}

/* --- aes: 128-bit key, 8 KiB, four lookups a column and round --- */

static u8 aes_sbox[256];
static u32 aes_table[256];

static u8 aes_double(u8 v) { return (u8)(v << 1 ^ (v & 0x80 ? 0x1b : 0)); }

static void aes_tables(void)
{
    u8 p = 1, q = 1;

    /* p runs through the powers of 3, q through those of its inverse (FIPS 197, 5.1.1). */
    do {
        p = (u8)(p ^ aes_double(p));
        q ^= (u8)(q << 1);
        q ^= (u8)(q << 2);
        q ^= (u8)(q << 4);
        if (q & 0x80) q ^= 0x09;
        aes_sbox[p] = (u8)(q ^ (u8)(q << 1 | q >> 7) ^ (u8)(q << 2 | q >> 6) ^
                           (u8)(q << 3 | q >> 5) ^ (u8)(q << 4 | q >> 4) ^ 0x63);
    } while (p != 1);
    aes_sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        const u8 s = aes_sbox[i];
        const u8 d = aes_double(s);

        aes_table[i] = d | (u32)s << 8 | (u32)s << 16 | (u32)(u8)(d ^ s) << 24;
    }
}

static u32 rotl(u32 v, int n) { return n ? v << n | v >> (32 - n) : v; }

static void aes_expand(u32 key[44])
{
    u8 round = 1;

    for (int i = 4; i < 44; i++) {
        u32 t = key[i - 1];

        if (i % 4 == 0) {
            t = rotr(t, 8);
            t = aes_sbox[t & 255] | (u32)aes_sbox[t >> 8 & 255] << 8 |
                (u32)aes_sbox[t >> 16 & 255] << 16 | (u32)aes_sbox[t >> 24] << 24;
            t ^= round;
            round = aes_double(round);
        }
        key[i] = key[i - 4] ^ t;
    }
}

static void aes_encrypt(u32 s[4], const u32 *key)
{
    u32 t[4];

    for (int i = 0; i < 4; i++) s[i] ^= key[i];
    for (int r = 1; r <= 10; r++) {
        for (int i = 0; i < 4; i++) {
            u32 v = 0;

            for (int b = 0; b < 4; b++) {
                const u8 x = (u8)(s[(i + b) & 3] >> (8 * b));

                v ^= r < 10 ? rotl(aes_table[x], 8 * b) : (u32)aes_sbox[x] << (8 * b);
            }
            t[i] = v ^ key[4 * r + i];
        }
        memcpy(s, t, sizeof t);
    }
}

static u64 run_aes(void)
{
    u32 key[44] = {0x16157e2b, 0xa6d2ae28, 0x8815f7ab, 0x3c4fcf09};
    u32 s[4] = {0xe2bec16b, 0x969f402e, 0x117e3de9, 0x2a179373};

    if (!aes_sbox[0]) aes_tables();
    aes_expand(key);
    for (int i = 0; i < 512; i++) aes_encrypt(s, key);
    return (u64)s[0] << 32 | s[3];
}

/* --- deflate: compress 16 KiB of text with matches and the fixed code, and expand it again --- */

#define PLAIN 16384
#define HASHES 4096
#define WINDOW 4096
#define CHAIN 8
#define LONGEST 258
#define END_OF_BLOCK 256

struct bits {
    u8 *at;
    const u8 *end;
    u64 held;
    unsigned count;
};

/* RFC 1951, 3.2.5: the first length or distance of each code, and how many more bits follow it. */
static const u16 length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const u16 distance_base[24] = {1,  2,  3,  4,  5,   7,   9,   13,  17,  25,   33,   49,
                                      65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073};

static unsigned length_more(unsigned code) { return code < 8 || code == 28 ? 0 : code / 4 - 1; }
static unsigned distance_more(unsigned code) { return code < 4 ? 0 : code / 2 - 1; }

static void put_bits(struct bits *b, u32 value, unsigned n)
{
    b->held |= (u64)value << b->count;
    b->count += n;
    while (b->count >= 8) {
        if (b->at < b->end) *b->at++ = (u8)b->held;
        b->held >>= 8;
        b->count -= 8;
    }
}

static u32 get_bits(struct bits *b, unsigned n)
{
    while (b->count < n) {
        b->held |= (u64)(b->at < b->end ? *b->at++ : 0) << b->count;
        b->count += 8;
    }
    const u32 value = (u32)b->held & ((1u << n) - 1);

    b->held >>= n;
    b->count -= n;
    return value;
}

static u32 reverse_bits(u32 v, unsigned n)
{
    u32 r = 0;

    while (n--) {
        r = r << 1 | (v & 1);
        v >>= 1;
    }
    return r;
}

/* RFC 1951, 3.2.6 */
static void put_symbol(struct bits *b, unsigned s)
{
    if (s < 144) put_bits(b, reverse_bits(0x30 + s, 8), 8);
    else if (s < 256) put_bits(b, reverse_bits(0x190 + s - 144, 9), 9);
    else if (s < 280) put_bits(b, reverse_bits(s - 256, 7), 7);
    else put_bits(b, reverse_bits(0xc0 + s - 280, 8), 8);
}

static unsigned get_symbol(struct bits *b)
{
    u32 v = reverse_bits(get_bits(b, 7), 7);

    if (v < 24) return END_OF_BLOCK + v;
    v = v << 1 | get_bits(b, 1);
    if (v < 0xc0) return v - 0x30;
    if (v < 0xc8) return 280 + v - 0xc0;
    v = v << 1 | get_bits(b, 1);
    return 144 + v - 0x190;
}

static void put_match(struct bits *b, unsigned length, unsigned distance)
{
    unsigned l = 28, d = 23;

    while (length_base[l] > length) l--;
    while (distance_base[d] > distance) d--;
    put_symbol(b, 257 + l);
    put_bits(b, length - length_base[l], length_more(l));
    put_bits(b, reverse_bits(d, 5), 5);
    put_bits(b, distance - distance_base[d], distance_more(d));
}

static u32 triple_hash(const u8 *p)
{
    return ((u32)p[0] << 16 | (u32)p[1] << 8 | p[2]) * 2654435761u >> 20 & (HASHES - 1);
}

static unsigned match_length(const u8 *a, const u8 *b, unsigned limit)
{
    unsigned n = 0;

    while (n < limit && a[n] == b[n]) n++;
    return n;
}

static size_t deflate_text(const u8 *text, unsigned size, u8 *to, size_t room)
{
    static u16 head[HASHES], older[PLAIN];
    struct bits b = {to, to + room, 0, 0};
    unsigned at = 0;

    memset(head, 0, sizeof head);
    put_bits(&b, 1 | 1 << 1, 3);
    while (at < size) {
        const unsigned limit = size - at < LONGEST ? size - at : LONGEST;
        unsigned best = 0, best_at = 0, steps;

        if (limit >= 3) {
            const u32 h = triple_hash(text + at);

            /* Places are kept plus one, 0 ends a chain. */
            unsigned candidate = head[h];
            for (steps = 0; candidate && at - (candidate - 1) < WINDOW && steps < CHAIN; steps++) {
                const unsigned n = match_length(text + candidate - 1, text + at, limit);

                if (n > best) {
                    best = n;
                    best_at = candidate - 1;
                }
                candidate = older[candidate - 1];
            }
            older[at] = head[h];
            head[h] = (u16)(at + 1);
        }
        if (best < 3) {
            put_symbol(&b, text[at++]);
            continue;
        }
        put_match(&b, best, at - best_at);
        for (unsigned k = 1; k < best && at + k + 3 <= size; k++) {
            const u32 h = triple_hash(text + at + k);

            older[at + k] = head[h];
            head[h] = (u16)(at + k + 1);
        }
        at += best;
    }
    put_symbol(&b, END_OF_BLOCK);
    put_bits(&b, 0, 7);
    return (size_t)(b.at - to);
}

static unsigned inflate_text(u8 *from, size_t size, u8 *to, unsigned room)
{
    struct bits b = {from, from + size, 0, 0};
    unsigned at = 0;

    get_bits(&b, 3);
    while (at < room) {
        const unsigned s = get_symbol(&b);

        if (s < 256) {
            to[at++] = (u8)s;
            continue;
        }
        if (s == END_OF_BLOCK || s > 285) break;
        unsigned length = length_base[s - 257] + get_bits(&b, length_more(s - 257));
        const unsigned d = reverse_bits(get_bits(&b, 5), 5);
        if (d > 23) break;
        const unsigned distance = distance_base[d] + get_bits(&b, distance_more(d));
        if (distance > at || length > room - at) break;
        for (; length; length--, at++) to[at] = to[at - distance];
    }
    return at;
}

static void make_text(u8 *text, unsigned size)
{
    static const char words[16][8] = {"the ",   "machine", " of ",  "a ",    "guest ", "code,\n", "page ",  "is ",
                                      "table ", "and ",    "write", "ing ",  "0x1f",   "; ",      "return", "read "};
    u32 seed = 21;
    unsigned at = 0;

    while (at < size) {
        const char *w = words[work_random(&seed) >> 9 & 15];

        for (int i = 0; i < 8 && w[i] && at < size; i++) text[at++] = (u8)w[i];
    }
}

static u64 run_deflate(void)
{
    static u8 plain[PLAIN], packed[PLAIN * 2], again[PLAIN];
    size_t size;
    u64 sum;

    if (!plain[0]) make_text(plain, PLAIN);
    size = deflate_text(plain, PLAIN, packed, sizeof packed);
    if (inflate_text(packed, size, again, PLAIN) != PLAIN) return 0;
    sum = size;
    for (unsigned i = 0; i < PLAIN; i += 8) {
        if (again[i] != plain[i]) return 0;
        sum = work_mix(sum, again[i] | (u64)packed[i % size] << 8);
    }
    return sum;
}

const struct work work_codec[] = {
    {"crc32", "integer", run_crc32}, {"sha256", "integer", run_sha256},
    {"aes", "integer", run_aes},     {"deflate", "integer", run_deflate},
    {NULL, NULL, NULL},
};
