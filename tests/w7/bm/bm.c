/* Library of the bare-metal checklist programs: see bm.h. */
#include "bm.h"
#include <stdarg.h>

/* start.S */
extern const u8 bm_entries[];
void bm_load_idt(void);
int bm_try_call(void (*fn)(void *), void *arg, word *save);
_Noreturn void bm_try_leave(int vector, word save);

void bm_begin(const u32 *multiboot);
void bm_interrupt(struct bm_regs *r);

/* one program, one processor: the library's state */
volatile u32 bm_stray[256];
static struct {
    bm_handler *handler[256];
    bool trying;
    word save;
    struct bm_fault fault;
} st;

/* --- output --- */

static void put(char c)
{
    outb(0xe9, (u8)c);
}

static void put_number(u64 v, unsigned base, int width, char pad)
{
    char text[24];
    int n = 0;
    do {
        text[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (width-- > n) put(pad);
    while (n) put(text[--n]);
}

static void print(const char *f, va_list args)
{
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        char pad = ' ';
        int width = 0, longs = 0;
        if (*++f == '0') pad = '0';
        while (*f >= '0' && *f <= '9') width = width * 10 + (*f++ - '0');
        while (*f == 'l' || *f == 'z') {
            longs++;
            f++;
        }
        if (*f == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++) put(*s);
        } else if (*f == 'c') {
            put((char)va_arg(args, int));
        } else if (*f == 'd') {
            long long v = longs > 1 ? va_arg(args, long long) : longs ? va_arg(args, long) : va_arg(args, int);
            if (v < 0) put('-');
            put_number(v < 0 ? -(u64)v : (u64)v, 10, width, pad);
        } else if (*f == 'x' || *f == 'u') {
            u64 v = longs > 1 ? va_arg(args, u64) : longs ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            put_number(v, *f == 'x' ? 16 : 10, width, pad);
        } else if (*f == '%') {
            put('%');
        } else {
            return; /* nothing else is known, and the compiler checks the calls */
        }
    }
}

void bm_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
}

/* --- checks --- */

void w7_plan(const u8 *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) bm_printf("W7-%03u plan\n", numbers[i]);
}

bool w7(unsigned number, bool ok, const char *format, ...)
{
    va_list args;
    bm_printf("W7-%03u %s ", number, ok ? "pass" : "fail");
    va_start(args, format);
    print(format, args);
    va_end(args);
    put('\n');
    return ok;
}

bool w7_eq(unsigned number, const char *what, u64 got, u64 want)
{
    if (got == want) return w7(number, true, "%s", what);
    return w7(number, false, "%s: got %llx, expected %llx", what, (unsigned long long)got, (unsigned long long)want);
}

void w7_skip(unsigned number, const char *why)
{
    bm_printf("W7-%03u skip %s\n", number, why);
}

void bm_exit(u8 code)
{
    for (;;) {
        outb(0xf4, code);
        __asm__ volatile("cli; hlt");
    }
}

/* --- exceptions and interrupts --- */

struct bm_fault bm_try(void (*fn)(void *), void *arg)
{
    st.trying = true;
    st.fault = (struct bm_fault){ .vector = -1 };
    bm_try_call(fn, arg, &st.save);
    st.trying = false;
    return st.fault;
}

void bm_on(unsigned vector, bm_handler *handler)
{
    st.handler[vector & 255] = handler;
}

void bm_interrupt(struct bm_regs *r)
{
    unsigned vector = (unsigned)r->vector & 255;
    word dr6;
    if (st.handler[vector]) {
        st.handler[vector](r);
        return;
    }
    if (vector >= 32) {
        bm_stray[vector]++;
        return;
    }
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    struct bm_fault fault = { (int)vector, r->error, r->ip, read_cr2(), dr6 };
    if (st.trying) {
        st.trying = false;
        st.fault = fault;
        bm_try_leave((int)vector, st.save);
    }
    bm_printf("unexpected exception %u, error %lx, at %lx, cr2 %lx\n", vector, (unsigned long)fault.error, (unsigned long)fault.ip,
              (unsigned long)fault.cr2);
    bm_exit(1);
}

static void idt_fill(void)
{
    for (unsigned v = 0; v < 256; v++) {
        word at = (word)bm_entries + v * 16;
#ifdef __x86_64__
        u32 *gate = (u32 *)(bm_idt + v * 16);
        gate[2] = (u32)((u64)at >> 32);
        gate[3] = 0;
#else
        u32 *gate = (u32 *)(bm_idt + v * 8);
#endif
        gate[0] = BM_CODE << 16 | (u32)(at & 0xffff);
        gate[1] = (u32)(at & 0xffff0000) | 0x8e00; /* present, DPL 0, interrupt gate */
    }
    bm_load_idt();
}

void bm_begin(const u32 *multiboot)
{
    struct bm_info info = { "", NULL, 0 };
    idt_fill();
    if (multiboot[0] & 4) info.command_line = (const char *)(word)multiboot[4];
    if (multiboot[0] & 64) {
        info.memory_map_size = multiboot[11];
        info.memory_map = (const u8 *)(word)multiboot[12];
    }
    bm_main(&info);
    bm_exit(16);
}

void bm_pic_init(u8 master, u8 slave)
{
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    outb(0x21, master);
    outb(0xa1, slave);
    outb(0x21, 4);
    outb(0xa1, 2);
    outb(0x21, 1);
    outb(0xa1, 1);
    bm_pic_mask(0xffff);
}

void bm_pic_mask(u16 mask)
{
    outb(0x21, (u8)mask);
    outb(0xa1, (u8)(mask >> 8));
}

void bm_pic_eoi(unsigned line)
{
    if (line >= 8) outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

/* --- memory --- */

void *memset(void *p, int c, size_t n)
{
    void *at = p;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
    return p;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *p = a, *q = b;
    for (; n; n--, p++, q++) {
        if (*p != *q) return *p - *q;
    }
    return 0;
}

/* --- PCI --- */

u32 pci_read(unsigned device, unsigned function, unsigned offset)
{
    outl(0xcf8, 0x80000000 | device << 11 | function << 8 | (offset & 0xfc));
    return inl(0xcfc);
}

void pci_write(unsigned device, unsigned function, unsigned offset, u32 v)
{
    outl(0xcf8, 0x80000000 | device << 11 | function << 8 | (offset & 0xfc));
    outl(0xcfc, v);
}

/* --- time --- */

u32 pm_ticks(void)
{
    return inl(0x608);
}

void bm_delay_us(u32 us)
{
    u64 left = (u64)us * 3579545 / 1000000 + 1;
    u32 before = pm_ticks();
    while (left) {
        u32 now = pm_ticks(), passed = (now - before) & 0xffffff;
        left = passed >= left ? 0 : left - passed;
        before = now;
    }
}

/* --- what the compiler calls for 64-bit division in 32-bit code --- */
#ifndef __x86_64__
u64 __udivdi3(u64 a, u64 b);
u64 __umoddi3(u64 a, u64 b);
u64 __udivmoddi4(u64 a, u64 b, u64 *rest);
long long __divdi3(long long a, long long b);
long long __moddi3(long long a, long long b);

u64 __udivmoddi4(u64 a, u64 b, u64 *rest)
{
    u64 q = 0, r = 0;
    for (int i = 63; i >= 0; i--) {
        bool carry = r >> 63;
        r = r << 1 | (a >> i & 1);
        if (carry || r >= b) {
            r -= b;
            q |= (u64)1 << i;
        }
    }
    if (rest) *rest = r;
    return q;
}

u64 __udivdi3(u64 a, u64 b)
{
    return __udivmoddi4(a, b, NULL);
}

u64 __umoddi3(u64 a, u64 b)
{
    u64 r;
    __udivmoddi4(a, b, &r);
    return r;
}

long long __divdi3(long long a, long long b)
{
    u64 q = __udivdi3(a < 0 ? -(u64)a : (u64)a, b < 0 ? -(u64)b : (u64)b);
    return (long long)((a < 0) != (b < 0) ? -q : q);
}

long long __moddi3(long long a, long long b)
{
    u64 r = __umoddi3(a < 0 ? -(u64)a : (u64)a, b < 0 ? -(u64)b : (u64)b);
    return (long long)(a < 0 ? -r : r);
}
#endif
