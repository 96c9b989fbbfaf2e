/* Far memory through FS, the BIOS data area, and the VGA's indexed registers. */

#include "bios/vga/vga.h"

u8 ld8(u16 seg, u16 off)
{
    set_fs(seg);
    return *(volatile u8 __seg_fs *)(u32)off;
}

u16 ld16(u16 seg, u16 off)
{
    set_fs(seg);
    return *(volatile u16 __seg_fs *)(u32)off;
}

u32 ld32(u16 seg, u16 off)
{
    set_fs(seg);
    return *(volatile u32 __seg_fs *)(u32)off;
}

void st8(u16 seg, u16 off, u8 v)
{
    set_fs(seg);
    *(volatile u8 __seg_fs *)(u32)off = v;
}

void st16(u16 seg, u16 off, u16 v)
{
    set_fs(seg);
    *(volatile u16 __seg_fs *)(u32)off = v;
}

void st32(u16 seg, u16 off, u32 v)
{
    set_fs(seg);
    *(volatile u32 __seg_fs *)(u32)off = v;
}

u8 bda8(u16 off) { return ld8(BDA, off); }
u16 bda16(u16 off) { return ld16(BDA, off); }
void set_bda8(u16 off, u8 v) { st8(BDA, off, v); }
void set_bda16(u16 off, u16 v) { st16(BDA, off, v); }

void wr_seq(u8 i, u8 v) { outw(0x3c4, (u16)(v << 8 | i)); }
void wr_gfx(u8 i, u8 v) { outw(0x3ce, (u16)(v << 8 | i)); }
void wr_crtc(u8 i, u8 v) { outw(crtc_port(), (u16)(v << 8 | i)); }

u8 rd_seq(u8 i)
{
    outb(0x3c4, i);
    return inb(0x3c5);
}

u8 rd_gfx(u8 i)
{
    outb(0x3ce, i);
    return inb(0x3cf);
}

u8 rd_crtc(u8 i)
{
    const u16 port = crtc_port();
    outb(port, i);
    return inb(port + 1);
}

/* Misc output bit 0: colour or monochrome addresses. */
u16 crtc_port(void) { return inb(0x3cc) & 1 ? 0x3d4 : 0x3b4; }
