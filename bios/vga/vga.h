/* Shared parts of the video BIOS: types, far memory, ports, the register frame of INT 10h and the
   prototypes of the modules.

   The code is 16-bit code made by a compiler for 32-bit registers (gcc -m16), under these rules:

   - SS is the caller's. On entry DS and ES are made equal to SS, so every pointer the compiler
     makes itself (locals, struct regs *) is valid; nothing else may be reached through DS.
   - GS is the ROM's own segment. Constant tables are ROM objects (see below) and carry ROMDATA;
     the linker script refuses an image with data anywhere else.
   - FS is free: ld8 and friends load it with the segment they are asked for.
   - The ROM keeps no variables. State lives in the device and in the BIOS data area (segment 40h),
     as a foreign interpreter may run this code on a private copy of memory.
   - call, ret and leave are replaced by macros made of 16-bit forms, 32-bit LEA by nolea.awk, and
     code is compiled with frame pointers, because interpreters of INT 10h are known to get the
     32-bit forms of those and operands relative to ESP wrong. */

#ifndef BIOS_VGA_VGA_H
#define BIOS_VGA_VGA_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef signed char i8;
typedef short i16;
typedef int i32;

/* A call leaves four bytes on the stack, as the compiler expects, but the return is 16 bits
   wide. */
__asm__(".ifndef vga_macros\n.set vga_macros, 1\n"
        ".macro call target:req\n pushw %ax\n callw \\target\n.endm\n"
        ".macro ret\n retw $2\n.endm\n"
        ".macro leave\n movl %ebp, %esp\n popl %ebp\n.endm\n"
        ".endif\n");

#define ROM     __seg_gs
#define ROMDATA __attribute__((section(".rom")))
#define LEN(a)  (sizeof(a) / sizeof((a)[0]))

#define BDA 0x40

/* BIOS data area offsets, IBM PS/2 BIOS interface reference. */
enum {
    BDA_EQUIP = 0x10, BDA_MODE = 0x49, BDA_COLS = 0x4a, BDA_PAGE_LEN = 0x4c, BDA_PAGE_START = 0x4e,
    BDA_CURSOR = 0x50, BDA_SHAPE = 0x60, BDA_PAGE = 0x62, BDA_CRTC = 0x63, BDA_MSR = 0x65,
    BDA_CGA_PAL = 0x66, BDA_ROWS = 0x84, BDA_CHEIGHT = 0x85, BDA_CTL = 0x87, BDA_SWITCHES = 0x88,
    BDA_MODESET = 0x89, BDA_DCC = 0x8a, BDA_SAVEPTR = 0xa8,
};

/* What INT 10h pushed, lowest address first; entry.S relies on the order. */
struct regs {
    u16 gs, fs, es, ds;
    union { u32 edi; u16 di; };
    union { u32 esi; u16 si; };
    union { u32 ebp; u16 bp; };
    union { u32 ebx; u16 bx; struct { u8 bl, bh; }; };
    union { u32 edx; u16 dx; struct { u8 dl, dh; }; };
    union { u32 ecx; u16 cx; struct { u8 cl, ch; }; };
    union { u32 eax; u16 ax; struct { u8 al, ah; }; };
    u16 ip, cs, flags;
};

#include "bios/io.h"

static inline void set_fs(u16 seg) { __asm__ volatile("movw %w0, %%fs" :: "r"(seg) : "memory"); }

static inline u16 rom_seg(void)
{
    u16 v;
    __asm__("movw %%cs, %0" : "=r"(v));
    return v;
}

/* far.c; out of line, as they are everywhere and a ROM is small. */
u8 ld8(u16 seg, u16 off);
u16 ld16(u16 seg, u16 off);
u32 ld32(u16 seg, u16 off);
void st8(u16 seg, u16 off, u8 v);
void st16(u16 seg, u16 off, u16 v);
void st32(u16 seg, u16 off, u32 v);
u8 bda8(u16 off);
u16 bda16(u16 off);
void set_bda8(u16 off, u8 v);
void set_bda16(u16 off, u16 v);

/* The string helpers work on one segment with DF clear; source and destination may overlap only
   with the destination below the source. */
static inline void far_fill16(u16 seg, u16 off, u16 v, u16 words)
{
    u32 di = off, n = words;
    __asm__ volatile("pushw %%es\n movw %w3, %%es\n rep stosw\n popw %%es"
                     : "+D"(di), "+c"(n) : "a"(v), "d"(seg) : "memory");
}

static inline void far_fill8(u16 seg, u16 off, u8 v, u16 bytes)
{
    u32 di = off, n = bytes;
    __asm__ volatile("pushw %%es\n movw %w3, %%es\n rep stosb\n popw %%es"
                     : "+D"(di), "+c"(n) : "a"(v), "d"(seg) : "memory");
}

static inline void far_copy8(u16 seg, u16 dst, u16 src, u16 bytes)
{
    u32 di = dst, si = src, n = bytes;
    __asm__ volatile("pushw %%ds\n pushw %%es\n movw %w3, %%ds\n movw %w3, %%es\n"
                     "rep movsb\n popw %%es\n popw %%ds"
                     : "+D"(di), "+S"(si), "+c"(n) : "d"(seg) : "memory");
}

/* Between far memory and a local array: ES and DS are SS outside these. */
static inline void far_to_local(u8 *to, u16 seg, u16 off, u16 bytes)
{
    u32 di = (u32)to, si = off, n = bytes;
    __asm__ volatile("pushw %%ds\n movw %w3, %%ds\n rep movsb\n popw %%ds"
                     : "+D"(di), "+S"(si), "+c"(n) : "d"(seg) : "memory");
}

static inline void local_to_far(u16 seg, u16 off, const u8 *from, u16 bytes)
{
    u32 di = off, si = (u32)from, n = bytes;
    __asm__ volatile("pushw %%es\n movw %w3, %%es\n rep movsb\n popw %%es"
                     : "+D"(di), "+S"(si), "+c"(n) : "d"(seg) : "memory");
}

/* Indexed register files. */
void wr_seq(u8 i, u8 v);
void wr_gfx(u8 i, u8 v);
void wr_crtc(u8 i, u8 v);
u8 rd_seq(u8 i);
u8 rd_gfx(u8 i);
u16 crtc_port(void);
u8 rd_crtc(u8 i);
u8 rd_attr(u8 i);
void wr_attr(u8 i, u8 v);
void attr_enable(void);

/* How pixels and characters lie in memory. */
enum model { MODEL_TEXT, MODEL_CGA2, MODEL_CGA1, MODEL_PLANAR, MODEL_LINEAR };

/* The current graphics surface, rebuilt for each call from the BDA or from the dispi registers. */
struct surface {
    u8 model;
    u8 bytes;               /* per pixel, MODEL_LINEAR */
    u8 bpp;
    u8 banked;              /* a VBE mode: A0000 shows one 64 KiB bank */
    u16 bank;               /* the one shown, FFFFh before the first access */
    u16 pitch;              /* bytes a scan line, in one plane if planar */
    u16 base;               /* offset of the page in the window, modes with pages */
    u16 cheight;
    u16 width, height;
};

/* mode.c */
enum { MODE_800 = 0x6a, MODE_1024 = 0x6b };     /* 6Ah is everybody's; 6Bh is ours, for VESA 104h */
struct mode_info {
    u8 mode, model, dac, param;     /* param: row of the video parameter table at 400 lines */
    u16 seg;
    u16 width, height;              /* pixels, graphics only */
};
const ROM struct mode_info *find_mode(u8 mode);
u8 mode_param(const ROM struct mode_info *m);
void set_mode(u8 al);
void load_default_dac(u8 kind);
void finish_mode_bda(u8 mode, u16 cols, u8 rows, u16 cheight, u16 page_len);
void init_post(u16 bdf);
u32 rom_far(const ROM void *p);

/* palette.c */
void dac_write(u8 i, u8 r, u8 g, u8 b);
void grey_sum(u8 first, u16 count);
void int10_palette(struct regs *r);
void int10_cga_palette(struct regs *r);

/* text.c */
void set_cursor_shape(u16 shape);
void set_cursor(u8 page, u16 pos);
void set_page(u8 page);
void scroll(u8 page, u8 up, u8 lines, u8 attr, u16 top_left, u16 bottom_right);
void write_char(u8 page, u16 pos, u8 ch, u8 attr, u8 with_attr);
u16 read_char(u8 page, u16 pos);
void teletype(u8 page, u8 ch, u8 attr, u8 with_attr);
void write_string(struct regs *r);
u16 page_base(u8 page);

/* gfx.c */
int current_surface(struct surface *s, u8 page);
void put_pixel(struct surface *s, u16 x, u16 y, u8 color);
u8 get_pixel(struct surface *s, u16 x, u16 y);
void gfx_write_char(struct surface *s, u16 pos, u8 ch, u8 attr);
u8 gfx_read_char(struct surface *s, u16 pos);
void gfx_copy_row(struct surface *s, u8 dst, u8 src, u8 col, u8 cols);
void gfx_fill_row(struct surface *s, u8 row, u8 col, u8 cols, u8 attr);

/* font.c */
void load_rom_font(u8 height, u8 block);
void set_gfx_font(u8 height);
void font_vectors(void);
void int10_font(struct regs *r);

/* state.c */
void int10_alternate(struct regs *r);
void int10_dcc(struct regs *r);
void int10_info(struct regs *r);
void int10_state(struct regs *r);
u16 state_size(u16 what);
u16 state_save(u16 what, u16 seg, u16 off);
u16 state_restore(u16 what, u16 seg, u16 off);

/* dispi.c */
enum {
    DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET, DISPI_MEM_64K,
    DISPI_LFB_HIGH = 0x10,
};
enum { DISPI_ON = 1, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40, DISPI_NOCLEAR = 0x80 };
u16 dispi_rd(u16 i);
void dispi_wr(u16 i, u16 v);
int dispi_present(void);
int dispi_active(void);
u32 lfb_base(void);
void read_edid_at_post(u16 bdf);
u16 edid_offset(void);

/* vbe.c, vbe_more.c */
struct vbe_mode { u16 number; u16 width, height; u8 bpp; };
const ROM struct vbe_mode *vbe_find(u16 number);
u16 vbe_current(void);
int vbe_set(u16 bx);
u32 vbe_pitch(u16 width, u8 bpp);
void int10_vbe(struct regs *r);
void vbe_more(struct regs *r);

#endif
