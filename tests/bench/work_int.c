/*
 * work_int.c: integer and memory workloads of the benchmark.  A round takes a few milliseconds on a
 * real machine.  Each looks at one thing a CPU emulator does often: calls, indirect jumps, tables,
 * carries, dependent loads, string instructions.  CRC-32, SHA-256 and AES follow their standards
 * (ISO 3309, FIPS 180-4, FIPS 197) so that their checksums mean something.
 */
#include "tests/bench/work.h"

#include <stdlib.h>
#include <string.h>

/* --- list: build, reverse and search a linked list --- */

#define LIST_NODES 2000

struct node {
    struct node *next;
    u32 key;
};

static struct node *list_reverse(struct node *n)
{
    struct node *done = NULL;

    while (n) {
        struct node *const next = n->next;

        n->next = done;
        done = n;
        n = next;
    }
    return done;
}

static u64 run_list(void)
{
    static struct node nodes[LIST_NODES];
    struct node *head = NULL;
    u32 seed = 1;
    u64 sum = 0;

    for (int i = 0; i < LIST_NODES; i++) {
        nodes[i].key = work_random(&seed) % LIST_NODES;
        nodes[i].next = head;
        head = &nodes[i];
    }
    for (u32 wanted = 0; wanted < 200; wanted++) {
        head = list_reverse(head);
        for (const struct node *n = head; n; n = n->next) {
            sum += n->key;
            if (n->key == wanted) break;
        }
    }
    return sum;
}

/* --- matrix: 32-bit integer product --- */

#define MATRIX 64

static u64 run_matrix(void)
{
    static u32 a[MATRIX][MATRIX], b[MATRIX][MATRIX], c[MATRIX][MATRIX];
    u64 sum = 0;

    for (u32 i = 0; i < MATRIX; i++)
        for (u32 j = 0; j < MATRIX; j++) {
            a[i][j] = i * 3 + j;
            b[i][j] = i ^ (j * 5);
            c[i][j] = 0;
        }
    for (int i = 0; i < MATRIX; i++)
        for (int k = 0; k < MATRIX; k++)
            for (int j = 0; j < MATRIX; j++) c[i][j] += a[i][k] * b[k][j];
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) sum = work_mix(sum, c[i][j]);
    return sum;
}

/* --- states: a scanner for numbers and words, one switch per character --- */

static u64 run_states(void)
{
    static const char text[] = "let x1 = 42 + 0x7f; if (x1 >= 3.14e-2) { y_2 := \"str\\\"ing\"; } // end\n";
    enum { START, WORD, NUMBER, STRING, ESCAPE, COMMENT } state = START;
    u64 count[6] = {0};
    u64 sum = 0;

    for (int pass = 0; pass < 400; pass++)
        for (const char *p = text; *p; p++) {
            const char ch = *p;

            count[state]++;
            switch (state) {
            case START:
            case WORD:
            case NUMBER:
                if (ch == '"') state = STRING;
                else if (ch == '/' && p[1] == '/') state = COMMENT;
                else if (ch >= '0' && ch <= '9') state = state == WORD ? WORD : NUMBER;
                else if ((ch | 32) >= 'a' && (ch | 32) <= 'z') state = state == NUMBER ? NUMBER : WORD;
                else if (ch != '_' && ch != '.') state = START;
                break;
            case STRING:
                if (ch == '\\') state = ESCAPE;
                else if (ch == '"') state = START;
                break;
            case ESCAPE: state = STRING; break;
            case COMMENT:
                if (ch == '\n') state = START;
                break;
            }
        }
    for (int i = 0; i < 6; i++) sum = work_mix(sum, count[i]);
    return sum;
}

/* --- sort: quicksort by exchange --- */

#define SORT_ITEMS 8192

static void quicksort(u32 *a, int low, int high)
{
    while (low < high) {
        const u32 pivot = a[low + (high - low) / 2];
        int i = low;
        int j = high;

        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) {
                const u32 t = a[i];

                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - low < high - i) {
            quicksort(a, low, j);
            low = i;
        } else {
            quicksort(a, i, high);
            high = j;
        }
    }
}

static u64 run_sort(void)
{
    static u32 a[SORT_ITEMS];
    u32 seed = 7;
    u64 sum = 0;

    for (int i = 0; i < SORT_ITEMS; i++) a[i] = work_random(&seed);
    quicksort(a, 0, SORT_ITEMS - 1);
    for (int i = 0; i < SORT_ITEMS; i += 64) sum = work_mix(sum, a[i]);
    return sum;
}

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

        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += t1;
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

/* --- queens: count the ways to place 8 queens --- */

static u32 place_queens(u32 columns, u32 left, u32 right)
{
    u32 free_bits = ~(columns | left | right) & 255;
    u32 ways = 0;

    if (columns == 255) return 1;
    while (free_bits) {
        const u32 bit = free_bits & -free_bits;

        free_bits ^= bit;
        ways += place_queens(columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return ways;
}

static u64 run_queens(void)
{
    u64 sum = 0;

    for (int i = 0; i < 8; i++) sum += place_queens(0, 0, 0);
    return sum;
}

/* --- bignum: 200 factorial in base 2^32, then its decimal digits --- */

static u64 run_bignum(void)
{
    u32 n[64] = {1};
    u64 sum = 0;
    int used = 1;

    for (u32 f = 2; f <= 200; f++) {
        u64 carry = 0;

        for (int i = 0; i < used; i++) {
            carry += (u64)n[i] * f;
            n[i] = (u32)carry;
            carry >>= 32;
        }
        if (carry) n[used++] = (u32)carry;
    }
    while (used) {
        u64 rest = 0;

        for (int i = used - 1; i >= 0; i--) {
            rest = rest << 32 | n[i];
            n[i] = (u32)(rest / 10);
            rest %= 10;
        }
        sum = work_mix(sum, rest);
        while (used && !n[used - 1]) used--;
    }
    return sum;
}

/* --- calls: doubly recursive Fibonacci --- */

static __attribute__((noinline)) u32 fib(u32 n)
{
    __asm__ volatile("" : "+r"(n));
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static u64 run_calls(void) { return fib(21); }

/* --- virtual: calls through a table of functions that the data chooses --- */

struct shape {
    u32 (*area)(const struct shape *s);
    u32 a, b;
};

static u32 area_square(const struct shape *s) { return s->a * s->a; }
static u32 area_box(const struct shape *s) { return s->a * s->b; }
static u32 area_half(const struct shape *s) { return s->a * s->b / 2; }
static u32 area_sum(const struct shape *s) { return s->a + s->b; }

static u64 run_virtual(void)
{
    static u32 (*const kinds[4])(const struct shape *) = {area_square, area_box, area_half, area_sum};
    static struct shape shapes[256];
    u32 seed = 3;
    u64 sum = 0;

    for (int i = 0; i < 256; i++) {
        shapes[i].a = work_random(&seed) & 1023;
        shapes[i].b = work_random(&seed) & 1023;
        shapes[i].area = kinds[work_random(&seed) >> 7 & 3];
    }
    for (int pass = 0; pass < 100; pass++)
        for (int i = 0; i < 256; i++) sum += shapes[i].area(&shapes[i]);
    return sum;
}

/* --- bytecode: a stack machine that runs the sieve of Eratosthenes --- */

enum bytecode { PUSH, LOAD, STORE, ADD, LESS, JUMP, JUMP_IF_NOT, GET, SET, HALT };

#define SIEVE 2000

static u64 run_bytecode(void)
{
    /* 0: i, 1: j, 2: count.  i = 2; while (i < N) { if (!m[i]) { count++; mark multiples } i++ } */
    static const int program[] = {
        PUSH, 2, STORE, 0,
        /* 4 */ LOAD, 0, PUSH, SIEVE, LESS, JUMP_IF_NOT, 56,
        /* 11 */ LOAD, 0, GET, PUSH, 1, LESS, JUMP_IF_NOT, 47,
        /* 19 */ LOAD, 2, PUSH, 1, ADD, STORE, 2, LOAD, 0, STORE, 1,
        /* 30 */ LOAD, 1, PUSH, SIEVE, LESS, JUMP_IF_NOT, 47,
        /* 37 */ PUSH, 1, LOAD, 1, SET, LOAD, 1, JUMP, 58, HALT,
        /* 47 */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 4,
        /* 56 */ HALT, HALT,
        /* 58 */ LOAD, 0, ADD, STORE, 1, JUMP, 30,
    };
    static u8 marks[SIEVE];
    int stack[16], var[3] = {0};
    int *sp = stack;
    const int *pc = program;

    memset(marks, 0, sizeof marks);
    for (;;)
        switch ((enum bytecode)*pc++) {
        case PUSH: *sp++ = *pc++; break;
        case LOAD: *sp++ = var[*pc++]; break;
        case STORE: var[*pc++] = *--sp; break;
        case ADD: sp--; sp[-1] += *sp; break;
        case LESS: sp--; sp[-1] = sp[-1] < *sp; break;
        case JUMP: pc = program + *pc; break;
        case JUMP_IF_NOT: pc = *--sp ? pc + 1 : program + *pc; break;
        case GET: sp[-1] = marks[sp[-1]]; break;
        case SET: sp -= 2; marks[sp[1]] = (u8)sp[0]; break;
        case HALT: return (u64)var[2];
        }
}

/* --- strings: REP MOVS and REP STOS of several sizes --- */

static u64 run_strings(void)
{
    static u8 from[65536], to[65536];
    u64 sum = 0;

    fill(from, 4096);
    for (size_t n = 16; n <= sizeof from; n *= 4) {
        void *d = to;
        const void *s = from;
        size_t count = n;

        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
        sum = work_mix(sum, to[n - 1]);
        d = from + n / 2;
        count = n / 16;
        __asm__ volatile("rep stosq" : "+D"(d), "+c"(count) : "a"((u64)n) : "memory");
        sum = work_mix(sum, from[n / 2]);
    }
    return sum;
}

/* --- chase: dependent loads through 4 MiB in an order no prefetcher guesses --- */

#define CHASE (4 << 20)

static u64 run_chase(void)
{
    static u32 *next;
    const u32 n = CHASE / sizeof *next;
    u32 at = 0;

    if (!next) {
        u32 seed = 5;

        next = malloc(CHASE);
        if (!next) return 0;
        for (u32 i = 0; i < n; i++) next[i] = i;
        /* Sattolo's shuffle makes one single cycle. */
        for (u32 i = n - 1; i > 0; i--) {
            const u32 j = work_random(&seed) % i;
            const u32 t = next[i];

            next[i] = next[j];
            next[j] = t;
        }
    }
    for (int i = 0; i < 50000; i++) at = next[at];
    return at;
}

const struct work work_int[] = {
    {"list", "int", run_list},         {"matrix", "int", run_matrix},
    {"states", "int", run_states},     {"sort", "int", run_sort},
    {"crc32", "int", run_crc32},       {"sha256", "int", run_sha256},
    {"aes", "int", run_aes},           {"queens", "int", run_queens},
    {"bignum", "int", run_bignum},     {"calls", "int", run_calls},
    {"virtual", "int", run_virtual},   {"bytecode", "int", run_bytecode},
    {"strings", "mem", run_strings},   {"chase", "mem", run_chase},
    {NULL, NULL, NULL},
};
