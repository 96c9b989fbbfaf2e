/*
 * What every file of the system BIOS needs: types, port and far memory access, register frames.
 *
 * All code runs in 16-bit real mode (or under a virtual-8086 monitor) with CS = F000 and
 * DS = ES = SS = E000, so pointers are offsets in segment E000 and a stack variable has an address
 * like any other. Memory in other segments is reached with peek/poke, memory above 1 MiB with the
 * flat_ functions of entry.S, which must not be called while v86_mode() is true.
 */
#ifndef BIOS_BIOS_H
#define BIOS_BIOS_H

#include "bios/layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NULL ((void *)0)

enum { FLAG_CF = 1, FLAG_ZF = 0x40, FLAG_IF = 0x200 };

#define REG_PAIR(p)                                                                                \
    union {                                                                                        \
        u32 e##p##x;                                                                               \
        u16 p##x;                                                                                  \
        struct {                                                                                   \
            u8 p##l, p##h;                                                                         \
        };                                                                                         \
    }
#define REG_INDEX(r)                                                                               \
    union {                                                                                        \
        u32 e##r;                                                                                  \
        u16 r;                                                                                     \
    }

/* The caller's registers while one of our interrupt handlers runs; written back on return. */
struct regs {
    REG_INDEX(di);
    REG_INDEX(si);
    REG_INDEX(bp);
    u32 unused_esp;
    REG_PAIR(b);
    REG_PAIR(d);
    REG_PAIR(c);
    REG_PAIR(a);
    u16 gs, fs, es, ds;
    u16 handler, ip, cs, flags;
};
_Static_assert(sizeof(struct regs) == REGS_SIZE, "frame of int_common");

/* Registers for a call out of the BIOS (interrupt, option ROM, boot sector). */
struct callregs {
    REG_INDEX(di);
    REG_INDEX(si);
    REG_INDEX(bp);
    u32 pad;
    REG_PAIR(b);
    REG_PAIR(d);
    REG_PAIR(c);
    REG_PAIR(a);
    u16 es, ds, flags, ip, cs, pad2;
};
_Static_assert(sizeof(struct callregs) == 44, "layout of call_far");

/* entry.S */
void call_far(struct callregs *r);
void call_mouse(u32 handler, u32 status_x, u32 y_z);
__attribute__((noreturn)) void boot_jump(const struct callregs *r);
void relax(void);                    /* let interrupts in for a moment */
void wait_interrupt(void);           /* halt until one comes */
u32 flat_read32(u32 addr);
void flat_write32(u32 addr, u32 value);
void flat_copy(u32 dst, u32 src, u32 len);
void flat_fill(u32 dst, u8 value, u32 len);
__attribute__((noreturn)) void reset_machine(void);

#include "bios/io.h"

static inline void irq_off(void)
{
    asm volatile("cli" : : : "memory");
}

static inline int v86_mode(void)
{
    u32 msw;
    asm volatile("smsw %k0" : "=r"(msw));
    return msw & 1;
}

#define PEEK(name, type, con)                                                                      \
    static inline type peek##name(u16 seg, u16 off)                                                \
    {                                                                                              \
        type v;                                                                                    \
        asm volatile("movw %w1, %%fs\n\tmov %%fs:(%2), %0"                                         \
                     : con(v)                                                                      \
                     : "r"(seg), "r"((u32)off)                                                     \
                     : "memory");                                                                  \
        return v;                                                                                  \
    }                                                                                              \
    static inline void poke##name(u16 seg, u16 off, type v)                                        \
    {                                                                                              \
        asm volatile("movw %w1, %%fs\n\tmov %0, %%fs:(%2)"                                         \
                     :                                                                             \
                     : con##_IN(v), "r"(seg), "r"((u32)off)                                        \
                     : "memory");                                                                  \
    }
#define OUT_Q "=&q"
#define OUT_Q_IN "q"
#define OUT_R "=&r"
#define OUT_R_IN "r"
PEEK(b, u8, OUT_Q)
PEEK(w, u16, OUT_R)
PEEK(l, u32, OUT_R)
#undef PEEK

/* Copies between segments. Offsets may wrap at 64 KiB as string instructions do. */
static inline void copy_far(u16 dseg, u16 doff, u16 sseg, u16 soff, u16 len)
{
    u32 n = len, di = doff, si = soff;
    asm volatile("pushw %%ds\n\tpushw %%es\n\tmovw %w3, %%es\n\tmovw %w4, %%ds\n\t"
                 "rep movsb\n\tpopw %%es\n\tpopw %%ds"
                 : "+c"(n), "+D"(di), "+S"(si)
                 : "r"(dseg), "r"(sseg)
                 : "memory");
}

static inline void copy_out(u16 seg, u16 off, const void *from, u16 len)
{
    copy_far(seg, off, SEG_DATA, (u16)(u32)from, len);
}

static inline void copy_in(void *to, u16 seg, u16 off, u16 len)
{
    copy_far(SEG_DATA, (u16)(u32)to, seg, off, len);
}

/* 64 by 32 division with a 32-bit result; the caller knows it fits. */
static inline u32 div64(u64 n, u32 d, u32 *rem)
{
    u32 hi = (u32)(n >> 32), lo = (u32)n;
    if (hi >= d) {
        hi = 0;
        lo = 0xffffffff;
    }
    asm("divl %2" : "+a"(lo), "+d"(hi) : "r"(d));
    if (rem) *rem = hi;
    return lo;
}

static inline void set_cf(struct regs *r, int on)
{
    r->flags = on ? r->flags | FLAG_CF : r->flags & ~FLAG_CF;
}

static inline void set_zf(struct regs *r, int on)
{
    r->flags = on ? r->flags | FLAG_ZF : r->flags & ~FLAG_ZF;
}

/* util.c */
void *memset(void *p, int c, u32 n);
void *memcpy(void *d, const void *s, u32 n);
int memcmp(const void *a, const void *b, u32 n);
u32 str_len(const char *s);
int str_equal(const char *a, const char *b);
const char *str_find(const char *s, const char *word);
void print(const char *s);
void printf(const char *f, ...) __attribute__((format(printf, 1, 2)));
void debug(const char *f, ...) __attribute__((format(printf, 1, 2)));
void print_char(char c);
void post_code(u8 code);
u8 cmos_read(u8 index);
void cmos_write(u8 index, u8 value);
u8 from_bcd(u8 v);
u8 to_bcd(u8 v);
void delay_us(u32 us);
u32 timer_now(void);                 /* free-running, 3.579545 MHz, 24 valid bits */
void call_int(u8 vector, struct callregs *r);
void set_vector(u8 vector, u32 offset);
u8 checksum(const void *p, u32 n);

/* A deadline for a bounded wait, in milliseconds. */
struct deadline {
    u32 last, left, still;
};
void deadline_set(struct deadline *d, u32 ms);
int deadline_over(struct deadline *d);

/* kbd.c, mouse.c */
void kbd_init(void);
int kbd_pending(void);
u16 kbd_get(void);
int ctl_read(u8 *value, u32 ms);
int ctl_command(u8 command);
int aux_send(u8 byte, u8 *reply);
void mouse_init(void);
void mouse_service(struct regs *r);

/* rtc.c */
void rtc_init(void);
int wait_service(struct regs *r);

/* disk.c, floppy.c, boot.c */
void disk_init(void);
void floppy_init(void);
void floppy_service(struct regs *r);
__attribute__((noreturn)) void boot_main(u32 again);
void boot_window(void);

/* kernel.c */
void kernel_boot(void);

/* serial.c */
void serial_init(void);

#endif
