/*
 * work_int.c: integer workloads of the benchmark: lists, tables, calls, indirect jumps, carries, string
 * instructions.  A round takes about a millisecond on a real machine.  Built with general registers
 * only, so that these stay integer workloads whatever the compiler can vectorise.
 */
#include "tests/bench/work.h"

#include <stdbool.h>
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

/* --- records: lines of text become records in a hash table, which is updated and summed by group --- */

#define RECORDS 512
#define BUCKETS 128

struct record {
    struct record *next;
    char name[12];
    u16 group;
    u16 flags;
    u32 amount;
    u64 total;
};

static u32 name_hash(const char *s)
{
    u32 h = 2166136261u;

    while (*s) h = (h ^ (u8)*s++) * 16777619u;
    return h;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static void make_name(char *to, u32 n)
{
    static const char syllable[8][3] = {"ka", "ro", "mi", "tu", "se", "lo", "na", "vi"};
    int at = 0;

    for (int i = 0; i < 4; i++, n >>= 3) {
        to[at++] = syllable[n & 7][0];
        to[at++] = syllable[n & 7][1];
    }
    to[at] = 0;
}

static struct record *find_record(struct record *const *bucket, const char *name)
{
    struct record *r = bucket[name_hash(name) % BUCKETS];

    while (r && !same_name(r->name, name)) r = r->next;
    return r;
}

static u64 run_records(void)
{
    static struct record pool[RECORDS];
    static struct record *bucket[BUCKETS];
    u64 group[16] = {0};
    u32 seed = 77;
    u64 sum = 0;
    char name[12];

    for (int i = 0; i < BUCKETS; i++) bucket[i] = NULL;
    for (u32 i = 0; i < RECORDS; i++) {
        struct record *const r = &pool[i];

        make_name(r->name, i * 7);
        r->group = (u16)(work_random(&seed) & 15);
        r->flags = (u16)(work_random(&seed) & 7);
        r->amount = work_random(&seed) % 1000;
        r->total = 0;
        r->next = bucket[name_hash(r->name) % BUCKETS];
        bucket[name_hash(r->name) % BUCKETS] = r;
    }
    for (int i = 0; i < 6000; i++) {
        struct record *r;

        make_name(name, work_random(&seed) % (RECORDS + 64) * 7);
        r = find_record(bucket, name);
        if (!r) sum++;
        else if (r->flags & 1) r->total += r->amount;
        else if (r->flags & 2) r->total ^= (u64)r->amount << 7;
        else r->amount = r->amount * 3 % 1000;
    }
    for (int i = 0; i < RECORDS; i++) group[pool[i].group] += pool[i].total + pool[i].amount;
    for (int i = 0; i < 16; i++) sum = work_mix(sum, group[i]);
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

/* --- string instructions: runs of a page and more, and the few bytes that most programs move --- */

static u64 run_rep_long(void)
{
    static u8 from[65536], to[65536];
    u64 sum = 0;

    for (size_t i = 0; i < 4096; i++) from[i] = (u8)(i * 7 ^ i >> 4);
    for (int pass = 0; pass < 4; pass++)
        for (size_t n = 4096; n <= sizeof from; n *= 2) {
            void *d = to;
            const void *s = from;
            size_t count = n;

            __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
            sum = work_mix(sum, to[n - 1]);
            d = from + n / 2;
            count = n / 16;
            __asm__ volatile("rep stosq" : "+D"(d), "+c"(count) : "a"((u64)n) : "memory");
            sum = work_mix(sum, from[n / 2]);
            d = to;
            s = from;
            count = n / 4;
            __asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
            sum = work_mix(sum, to[n / 2 + 1]);
        }
    return sum;
}

static u64 run_rep_short(void)
{
    static u8 from[512], to[512];
    u64 sum = 0;

    for (size_t i = 0; i < sizeof from; i++) from[i] = (u8)(i * 11);
    for (u32 i = 0; i < 4000; i++) {
        const size_t n = (i * 13 & 63) + 1;
        void *d = to + (i & 127);
        const void *s = from + (i * 5 & 255);
        size_t count = n;

        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
        d = to + (i & 255);
        count = n / 8;
        __asm__ volatile("rep stosq" : "+D"(d), "+c"(count) : "a"((u64)i) : "memory");
        sum += to[i & 511];
        s = from;
        count = 64;
        __asm__ volatile("repne scasb" : "+D"(s), "+c"(count) : "a"((u8)(n * 11)) : "memory", "cc");
        sum += count;
    }
    return sum;
}

const struct work work_int[] = {
    {"list", "integer", run_list},         {"matrix", "integer", run_matrix},
    {"states", "integer", run_states},     {"records", "integer", run_records},
    {"sort", "integer", run_sort},         {"queens", "integer", run_queens},
    {"bignum", "integer", run_bignum},     {"calls", "integer", run_calls},
    {"virtual", "integer", run_virtual},   {"bytecode", "integer", run_bytecode},
    {"rep-long", "integer", run_rep_long}, {"rep-short", "integer", run_rep_short},
    {NULL, NULL, NULL},
};
