/*
 * Reports, time, PCI, CMOS and disk reads for the firmware probes (fw.h).
 *
 * A report is one line on port E9h. The end of a probe is a write of 16 to port F4h, so that a runner sees exit status 33;
 * a probe that dies on the way leaves its `plan` lines without results, which count as failures.
 */
#include "fw.h"

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

/* ------------------------------------------------------------------ text */

static void put(char c)
{
    outb(0xe9, c);
}

static void put_number(u32 v, u32 base, u32 width, char fill)
{
    char buf[12];
    u32 n = 0;
    do {
        buf[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    for (; width > n; width--) put(fill);
    while (n) put(buf[--n]);
}

void say(const char *f, ...)
{
    __builtin_va_list ap;
    __builtin_va_start(ap, f);
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        char fill = ' ';
        u32 width = 0;
        if (*++f == '0') fill = *f++;
        while (*f >= '0' && *f <= '9') width = width * 10 + (*f++ - '0');
        if (*f == 's')
            for (const char *s = __builtin_va_arg(ap, const char *); *s; s++) put(*s);
        else
            put_number(__builtin_va_arg(ap, u32), *f == 'x' ? 16 : 10, width, fill);
    }
    __builtin_va_end(ap);
}

void serial_say(const char *text)
{
    for (; *text; text++) {
        for (u32 i = 0; i < 100000 && !(inb(0x3fd) & 0x20); i++) continue;
        outb(0x3f8, *text);
    }
}

void plan(u32 from, u32 to)
{
    for (; from <= to; from++) say("\nW7-%03u plan\n", from);
}

void pass(u32 id, const char *what)
{
    say("\nW7-%03u pass %s\n", id, what);
}

void fail(u32 id, const char *what, u32 got, u32 want)
{
    say("\nW7-%03u fail %s: got %xh, expected %xh\n", id, what, got, want);
}

int expect(u32 id, const char *what, u32 got, u32 want)
{
    if (got == want) pass(id, what);
    else fail(id, what, got, want);
    return got == want;
}

int within(u32 id, const char *what, u32 got, u32 low, u32 high)
{
    if (got >= low && got <= high) {
        pass(id, what);
        return 1;
    }
    say("\nW7-%03u fail %s: got %u, expected %u to %u\n", id, what, got, low, high);
    return 0;
}

void end(void)
{
    say("\nW7 end\n");
    for (;;) outb(0xf4, 16);
}

/* ------------------------------------------------------------------ machine */

void clear(struct regs *r)
{
    memset(r, 0, sizeof *r);
    r->ds = r->es = SEG_BODY;
    r->flags = 2 | IF;
}

u32 pci_read(u32 address)
{
    outl(0xcf8, 0x80000000 | (address & ~3u));
    return inl(0xcfc);
}

void pci_write(u32 address, u32 value)
{
    outl(0xcf8, 0x80000000 | (address & ~3u));
    outl(0xcfc, value);
}

/* Port of the ACPI timer: PIIX4's power management function (QEMU and ours), register 40h. */
static u16 timer_port(void)
{
    static u16 port;
    for (u32 f = 0; port == 0 && f < 256; f++)
        if (pci_read(f << 8) == 0x71138086) port = (pci_read(f << 8 | 0x40) & 0xffc0) + 8;
    return port;
}

u32 pm_timer(void)
{
    return inl(timer_port()) & 0xffffff;
}

u32 elapsed_us(u32 from)
{
    u32 ticks = (pm_timer() - from) & 0xffffff;
    return ticks / 1432 * 400 + ticks % 1432 * 400 / 1432;      /* 3.579545 MHz: 1431.818 ticks are 400 us */
}

u8 cmos(u8 index)
{
    outb(0x70, index);
    return inb(0x71);
}

void cmos_set(u8 index, u8 value)
{
    outb(0x70, index);
    outb(0x71, value);
}

/* ------------------------------------------------------------------ disks */

u8 disk_read(u8 drive, u64 lba, u16 count, u16 seg, u16 off)
{
    struct packet p = { sizeof p, 0, count, off, seg, lba };
    struct regs r;
    clear(&r);
    r.ah = 0x42;
    r.dl = drive;
    r.si = (u16)(u32)&p;
    bios(0x13, &r);
    return r.flags & CF ? (r.ah ? r.ah : 0xff) : 0;
}

/* Dword i of a stamped sector: the same arithmetic as in mkimg.c. */
static u32 stamp_word(u64 lba, u32 i)
{
    return (u32)lba * 0x9e3779b1 + (u32)(lba >> 32) * 0x7feb352d + i * 0x85ebca6b;
}

int stamped(u16 seg, u16 off, u64 lba, u32 bytes)
{
    for (u32 i = 0; i < bytes / 4; i++)
        if (peekl(seg + (i >> 2), off + (i & 3) * 4) != stamp_word(lba, i)) return 0;
    return 1;
}
