/*
 * Small services for the rest of the BIOS: strings, text output, CMOS, delays, vectors.
 *
 * Time comes from the ACPI timer once POST has given it an address, before that from PIT channel 0.
 * Text goes through INT 10h and, with BIOS_DEBUG, to port E9h.
 */
#include "bios/state.h"

struct bios_state bs;

void *memset(void *p, int c, u32 n)
{
    void *q = p;
    asm volatile("rep stosb" : "+c"(n), "+D"(q) : "a"(c) : "memory");
    return p;
}

void *memcpy(void *d, const void *s, u32 n)
{
    void *q = d;
    asm volatile("rep movsb" : "+c"(n), "+D"(q), "+S"(s) : : "memory");
    return d;
}

int memcmp(const void *a, const void *b, u32 n)
{
    const u8 *p = a, *q = b;
    for (; n; n--, p++, q++)
        if (*p != *q) return *p - *q;
    return 0;
}

u32 str_len(const char *s)
{
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

int str_equal(const char *a, const char *b)
{
    u32 n = str_len(a);
    return n == str_len(b) && memcmp(a, b, n) == 0;
}

const char *str_find(const char *s, const char *word)
{
    u32 n = str_len(word);
    for (; *s; s++)
        if (memcmp(s, word, n) == 0) return s;
    return NULL;
}

u8 checksum(const void *p, u32 n)
{
    const u8 *b = p;
    u32 sum = 0, four;                  /* its low byte counts */
    for (; n >= 4; n -= 4, b += 4) {
        __builtin_memcpy(&four, b, 4);
        sum += four + (four >> 8) + (four >> 16) + (four >> 24);
    }
    while (n--) sum += *b++;
    return (u8)sum;
}

/* ------------------------------------------------------------------ text */

static void put_debug(char c)
{
    if (BIOS_DEBUG) outb(0xe9, c);
}

void print_char(char c)
{
    put_debug(c);
    if (!bs.video_up) return;
    struct callregs r;
    memset(&r, 0, sizeof r);
    if (c == '\n') {
        r.ax = 0x0e0d;
        r.bx = 7;
        call_int(0x10, &r);
    }
    r.ax = 0x0e00 | (u8)c;
    r.bx = 7;
    call_int(0x10, &r);
}

void print(const char *s)
{
    while (*s) print_char(*s++);
}

static void put_number(u32 v, u32 base, u32 width, char fill, void (*put)(char))
{
    char buf[12];
    u32 n = 0;
    do {
        u32 digit = v % base;
        buf[n++] = digit < 10 ? '0' + digit : 'a' + digit - 10;
        v /= base;
    } while (v);
    for (; width > n; width--) put(fill);
    while (n) put(buf[--n]);
}

static void format(void (*put)(char), const char *f, __builtin_va_list ap)
{
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        char fill = ' ';
        u32 width = 0;
        if (*++f == '0') fill = *f++;
        while (*f >= '0' && *f <= '9') width = width * 10 + (*f++ - '0');
        if (*f == 's') {
            for (const char *s = __builtin_va_arg(ap, const char *); *s; s++) put(*s);
        } else if (*f == 'c') {
            put(__builtin_va_arg(ap, int));
        } else if (*f == 'x' || *f == 'u' || *f == 'd') {
            put_number(__builtin_va_arg(ap, u32), *f == 'x' ? 16 : 10, width, fill, put);
        } else {
            put(*f);
        }
    }
}

void printf(const char *f, ...)
{
    __builtin_va_list ap;
    __builtin_va_start(ap, f);
    format(print_char, f, ap);
    __builtin_va_end(ap);
}

void debug(const char *f, ...)
{
    if (!BIOS_DEBUG) return;
    __builtin_va_list ap;
    __builtin_va_start(ap, f);
    format(put_debug, f, ap);
    __builtin_va_end(ap);
}

void post_code(u8 code)
{
    outb(0x80, code);
}

/* ------------------------------------------------------------------ CMOS, BCD */

u8 cmos_read(u8 index)
{
    outb(0x70, index);
    return inb(0x71);
}

void cmos_write(u8 index, u8 value)
{
    outb(0x70, index);
    outb(0x71, value);
}

u8 from_bcd(u8 v)
{
    return (v >> 4) * 10 + (v & 15);
}

u8 to_bcd(u8 v)
{
    return (v / 10) << 4 | v % 10;
}

/* ------------------------------------------------------------------ time */

/* After so many reads without a change the timer is dead, and waits end at once. */
enum { TIMER_MASK = 0xffffff, TICKS_PER_MS = 3580, DEAD_READS = 200000 };

u32 timer_now(void)
{
    if (bs.pm_base) return inl(bs.pm_base + 8) & TIMER_MASK;
    outb(0x43, 0x00);
    u16 now = inb(0x40);
    now |= inb(0x40) << 8;
    bs.pit_ticks += (u16)(bs.pit_last - now);
    bs.pit_last = now;
    return bs.pit_ticks * 3 & TIMER_MASK;
}

static void arm(struct deadline *d, u32 ticks)
{
    d->last = timer_now();
    d->left = ticks;
    d->still = 0;
}

void deadline_set(struct deadline *d, u32 ms)
{
    arm(d, ms * TICKS_PER_MS);
}

int deadline_over(struct deadline *d)
{
    u32 now = timer_now();
    u32 step = (now - d->last) & TIMER_MASK;
    d->last = now;
    d->still = step ? 0 : d->still + 1;
    if (step >= d->left || d->still >= DEAD_READS) d->left = 0;
    else d->left -= step;
    return d->left == 0;
}

void delay_us(u32 us)
{
    struct deadline d;
    arm(&d, us / 1000 * TICKS_PER_MS + us % 1000 * 358 / 100 + 1);
    while (!deadline_over(&d)) continue;
}

/* ------------------------------------------------------------------ vectors */

void set_vector(u8 vector, u32 offset)
{
    pokel(0, vector * 4, (u32)SEG_CODE << 16 | (u16)offset);
}

void call_int(u8 vector, struct callregs *r)
{
    r->ip = peekw(0, vector * 4);
    r->cs = peekw(0, vector * 4 + 2);
    r->flags = 0x0202;
    call_far(r);
}
