/*
 * What every firmware probe shares: a program of 16-bit code, loaded by a boot sector to 2000:0000, that calls the BIOS
 * and reports on port E9h in the lines of the checklist (W7-nnn plan, pass, fail).
 *
 * CS = DS = ES = SS = 2000h and all pointers are offsets in that segment; the stack grows down from 2000:FFF0. Memory
 * from 3000:0000 to 8000:FFFF is free for buffers. The boot sector leaves what it found at entry in `entry`; what the
 * program must know about its image (size, number of disks, what to do) is in `params`, filled in by mkimg.
 */
#ifndef FW_H
#define FW_H

#define SEG_BODY  0x2000
#define SEG_BUF   0x3000                /* up to 7000: data of the tests */
#define SEG_STACK 0x8000                /* the painted stack */

#ifndef __ASSEMBLER__

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { CF = 1, ZF = 0x40, IF = 0x200, DF = 0x400 };

#define PAIR(p)                                                                                    \
    union {                                                                                        \
        u32 e##p##x;                                                                               \
        u16 p##x;                                                                                  \
        struct {                                                                                   \
            u8 p##l, p##h;                                                                         \
        };                                                                                         \
    }
#define INDEX(r)                                                                                   \
    union {                                                                                        \
        u32 e##r;                                                                                  \
        u16 r;                                                                                     \
    }

/* Registers of a BIOS call, in and out. `stack` (segment << 16 | offset): where SS:SP shall be, 0: here. */
struct regs {
    PAIR(a);
    PAIR(b);
    PAIR(c);
    PAIR(d);
    INDEX(si);
    INDEX(di);
    INDEX(bp);
    u16 ds, es, fs, gs;
    u32 flags;
    u32 stack;
    u32 esp_high;                       /* upper half of ESP during the call, in bits 31:16 */
    u16 sp_before, sp_after;
};
_Static_assert(sizeof(struct regs) == 52, "offsets in start.S");

struct params {
    char magic[4];
    u32 variant;
    u64 sectors;                        /* of this image, 512 or 2048 bytes each */
    u32 disks;                          /* hard disks of the machine */
    u32 image_lba;                      /* CD: where the boot image lies */
    u32 load_count, load_segment;       /* CD: as in the catalog */
    u32 stride_from, stride;            /* sectors LBA = from + n * stride carry the stamp, 0: all from 128 on */
    u32 reserved[4];
};
_Static_assert(sizeof(struct params) == 56, "head of start.S, mkimg.c");

/* What the boot sector was started with; at 0000:0600. */
struct entry {
    u16 cs, ip, dx, ss, sp, flags, ds, es, di, si;
};

extern struct params params;
extern struct entry entry;
extern u16 entry_ds;

/* start.S */
void bios(u32 vector, struct regs *r);
u32 flat_read(u32 addr);
void flat_write(u32 addr, u32 value);
u8 flat_read8(u32 addr);
void flat_write8(u32 addr, u8 value);
void big_limits(u32 selector_fs, u32 selector_gs);

#include "bios/io.h"

#define FAR(name, type, con)                                                                       \
    static inline type peek##name(u16 seg, u16 off)                                                \
    {                                                                                              \
        type v;                                                                                    \
        asm volatile("movw %w1, %%fs\n\tmov %%fs:(%2), %0"                                         \
                     : "=&" con(v) : "r"(seg), "r"((u32)off) : "memory");                          \
        return v;                                                                                  \
    }                                                                                              \
    static inline void poke##name(u16 seg, u16 off, type v)                                        \
    {                                                                                              \
        asm volatile("movw %w1, %%fs\n\tmov %0, %%fs:(%2)"                                         \
                     : : con(v), "r"(seg), "r"((u32)off) : "memory");                              \
    }
FAR(b, u8, "q")
FAR(w, u16, "r")
FAR(l, u32, "r")
#undef FAR

static inline void irq_off(void)
{
    asm volatile("cli" : : : "memory");
}

static inline void irq_on(void)
{
    asm volatile("sti" : : : "memory");
}

static inline void halt(void)
{
    asm volatile("sti\n\thlt" : : : "memory");
}

/* lib.c */
void *memset(void *p, int c, u32 n);
void *memcpy(void *d, const void *s, u32 n);
int memcmp(const void *a, const void *b, u32 n);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void serial_say(const char *text);      /* on COM1, for scripts of the monitor that wait for it */
void plan(u32 from, u32 to);
void pass(u32 id, const char *what);
void fail(u32 id, const char *what, u32 got, u32 want);
int expect(u32 id, const char *what, u32 got, u32 want);
int within(u32 id, const char *what, u32 got, u32 low, u32 high);
__attribute__((noreturn)) void end(void);

void clear(struct regs *r);             /* zero; DS and ES ours, interrupts on */
u32 pm_timer(void);                     /* 3.579545 MHz, 24 bits */
u32 elapsed_us(u32 from);               /* since that value of pm_timer, up to 4 s */
u32 pci_read(u32 address);              /* bus << 16 | device << 11 | function << 8 | register */
void pci_write(u32 address, u32 value);
u8 cmos(u8 index);
void cmos_set(u8 index, u8 value);

/* Disk address packet and the stamp that mkimg writes into a sector. */
struct packet {
    u8 size, zero;
    u16 count, off, seg;
    u64 lba;
};
u8 disk_read(u8 drive, u64 lba, u16 count, u16 seg, u16 off);      /* AH of the answer, 0 = good */
int stamped(u16 seg, u16 off, u64 lba, u32 bytes);

#endif
#endif
