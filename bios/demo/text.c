/* Strings without a C library, and the log. */

#include "bios/demo/demo.h"

void put_char(struct text *t, char c)
{
    if (t->len + 1 >= t->room) return;
    t->s[t->len++] = c;
    t->s[t->len] = 0;
}

void put_str(struct text *t, const char *s)
{
    while (*s) put_char(t, *s++);
}

/* A string of at most max bytes that firmware wrote: ends at NUL, the unprintable becomes a
   space. */
void put_mem(struct text *t, const char *s, u32 max)
{
    for (u32 i = 0; i < max && s[i]; i++) put_char(t, s[i] >= 32 && s[i] < 127 ? s[i] : ' ');
}

void put_dec(struct text *t, u32 v, u32 width, char pad)
{
    char digits[10];
    u32 n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (u32 i = n; i < width; i++) put_char(t, pad);
    while (n) put_char(t, digits[--n]);
}

void put_hex(struct text *t, u32 v, u32 digits)
{
    while (digits--) put_char(t, "0123456789ABCDEF"[v >> digits * 4 & 15]);
}

u32 str_len(const char *s)
{
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

int mem_equal(const void *a, const void *b, u32 n)
{
    const u8 *x = a, *y = b;
    for (u32 i = 0; i < n; i++)
        if (x[i] != y[i]) return 0;
    return 1;
}

enum { COM1 = 0x3f8 };

/* 115200 baud, 8N1, FIFO on. */
void log_init(void)
{
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x80);
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
    outb(COM1 + 2, 7);
    outb(COM1 + 4, 3);
}

static void log_char(char c)
{
    outb(0xe9, (u8)c);
    for (u32 i = 0; i < 100000 && !(inb(COM1 + 5) & 0x20); i++) continue;
    outb(COM1, (u8)c);
}

void log_str(const char *s)
{
    for (; *s; s++) {
        if (*s == '\n') log_char('\r');
        log_char(*s);
    }
}

/* Until the last bit has left the UART: a machine that is switched off sends no more. */
void log_flush(void)
{
    for (u32 i = 0; i < 1000000 && !(inb(COM1 + 5) & 0x40); i++) continue;
}

void log_dec(u32 v)
{
    char room[12];
    struct text t = { room, 0, sizeof(room) };
    put_dec(&t, v, 1, ' ');
    log_str(room);
}
