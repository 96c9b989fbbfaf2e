/* A multiboot kernel that checks what the boot loader owes it (Multiboot specification 0.6.96, sections 3.1 to 3.3) and leaves through port
 * F4h: status 33 when all is well, 2 * LINE + 1 modulo 256 and a text on port E9h otherwise.
 *
 * Expected: command line "... alpha beta", two modules "... first" and "... second" holding "one" and "two". It runs twice: the first time
 * it spoils its modules, its data and the multiboot information and resets the machine, so the second time proves that every piece is
 * delivered again. Built as ELF, and with -DKLUDGE as a flat file with load addresses in the header. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef KLUDGE
#define HEADER ".long 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003), header, start, data_end, bss_end, start\n"
#else
#define HEADER ".long 0x1badb002, 0x00000007, -(0x1badb002 + 0x00000007), 0, 0, 0, 0, 0, 1, 80, 25, 0\n"
#endif

__asm__(".section .head, \"ax\"\n"
        ".globl start\n"
        "start: jmp 1f\n"
        ".balign 4\n"
        "header: " HEADER
        "1: movl %esp, %ecx\n"
        "movl $stack_end, %esp\n"
        "pushl %ebx\n"
        "pushl %eax\n"
        "call check_all\n");

struct module {
    u32 start, end;
    char *text;
    u32 reserved;
};

struct info {
    u32 flags, mem_lower, mem_upper, boot_device;
    char *command_line;
    u32 modules;
    struct module *module;
    u32 symbols[4], map_length;
    u8 *map;
    u32 drives[2], config;
    const char *loader;
    u32 apm, vbe[4];
    u64 framebuffer;
    u32 pitch, width, height;
    u8 bpp, type;
} __attribute__((packed));

u8 stack[4096] __attribute__((aligned(16)));
__asm__(".set stack_end, stack + 4096");
static u32 bss_word[512];
static volatile u32 data_word = 0x12345678;
extern u8 data_end[], bss_end[];
void check_all(u32 magic, struct info *i);

static void outb(unsigned short port, u8 v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static u8 inb(unsigned short port)
{
    u8 v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static void say(const char *s)
{
    while (*s) outb(0xe9, (u8)*s++);
}

static void fail(const char *what, int line)
{
    say(what);
    say("\n");
    outb(0xf4, (u8)line);
    for (;;) __asm__ volatile("cli; hlt");
}
#define EXPECT(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) fail(#x, __LINE__);                                                              \
    } while (0)

static int ends_with(const char *s, const char *tail)
{
    const char *e = s, *t = tail;
    while (*e) e++;
    while (*t) t++;
    while (t > tail && e > s && *--e == *--t) {}
    return t == tail && *e == *t;
}

static void check_machine(void)
{
    u32 cr0, flags, limit;
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("pushfl; popl %0" : "=r"(flags));
    EXPECT((cr0 & 1) && !(cr0 >> 31));
    EXPECT(!(flags & 0x20200)); /* IF, VM */
    __asm__ volatile("movl %%cs, %%eax; lsl %%eax, %0" : "=r"(limit) : : "eax");
    EXPECT(limit == 0xffffffff);
    __asm__ volatile("movl %%ds, %%eax; lsl %%eax, %0" : "=r"(limit) : : "eax");
    EXPECT(limit == 0xffffffff);
    volatile u32 *low = (u32 *)0x8000, *high = (u32 *)0x108000; /* A20 */
    u32 keep = *high;
    *low = 1;
    *high = 2;
    EXPECT(*low == 1);
    *high = keep;
}

static void check_memory(const struct info *i)
{
    u64 low = 0, high = 0;
    EXPECT((i->flags & 0x41) == 0x41);
    EXPECT(i->map_length >= 48 && i->map_length < 4096);
    u32 at = 0;
    while (at < i->map_length) {
        const u32 *row = (const u32 *)(i->map + at);
        EXPECT(row[0] >= 20 && row[0] < 256);
        u64 base = row[1] | (u64)row[2] << 32, length = row[3] | (u64)row[4] << 32;
        if (row[5] == 1 && base == 0) low = length;
        if (row[5] == 1 && base == 0x100000) high = length;
        at += row[0] + 4;
    }
    EXPECT(at == i->map_length);
    EXPECT(low >> 10 == i->mem_lower && i->mem_lower >= 600 && i->mem_lower <= 640);
    EXPECT(high >> 10 == i->mem_upper && i->mem_upper > 60 << 10 && i->mem_upper < 64 << 10); /* -m 64M */
}

static void check_modules(const struct info *i)
{
    EXPECT(i->flags & 8);
    EXPECT(i->modules == 2);
    for (u32 k = 0; k < 2; k++) {
        const struct module *m = &i->module[k];
        const char *text = (const char *)m->start;
        EXPECT(!(m->start & 4095) && m->start >= (u32)bss_end);
        EXPECT(m->end - m->start == 3);
        EXPECT(text[0] == (k ? 't' : 'o') && text[1] == (k ? 'w' : 'n') && text[2] == (k ? 'o' : 'e'));
        EXPECT(ends_with(m->text, k ? " second" : " first"));
    }
    EXPECT(i->module[0].end <= i->module[1].start);
}

/* CMOS byte 72h is nobody's: non-zero on the second run. */
static int second_run(void)
{
    outb(0x70, 0x72);
    return inb(0x71) != 0;
}

static void spoil_and_reset(struct info *i)
{
    outb(0x70, 0x72);
    outb(0x71, 1);
    for (u32 k = 0; k < i->modules; k++) *(u32 *)i->module[k].start = 0;
    for (u32 k = 0; k < 512; k++) bss_word[k] = k + 1;
    data_word = 0;
    for (u32 k = 0; k < sizeof(*i); k++) ((u8 *)i)[k] = 0xff;
    outb(0xcf9, 2);
    outb(0xcf9, 6);
    for (;;) __asm__ volatile("hlt");
}

void check_all(u32 magic, struct info *i)
{
    EXPECT(magic == 0x2badb002);
    check_machine();
    EXPECT(data_word == 0x12345678);
    for (u32 k = 0; k < 512; k++) EXPECT(bss_word[k] == 0);
    EXPECT(!((u32)i & 3));
    check_memory(i);
    EXPECT((i->flags & 4) && ends_with(i->command_line, " alpha beta"));
    check_modules(i);
    EXPECT((i->flags & 0x200) && ends_with(i->loader, "aeropc"));
#ifndef KLUDGE
    EXPECT((i->flags & 0x1000) && i->framebuffer == 0xb8000 && i->width == 80 && i->height == 25 && i->type == 2);
#endif
    if (!second_run()) spoil_and_reset(i);
    outb(0x70, 0x72);
    outb(0x71, 0);
    outb(0xf4, 16);
    for (;;) __asm__ volatile("cli; hlt");
}
