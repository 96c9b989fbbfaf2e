/* The legacy window A0000h-BFFFFh: how the graphics controller and the sequencer turn a byte of the
 * window into bytes of the four planes (IBM VGA technical reference; the write and read modes of
 * the graphics mode register). In VBE modes of 8 bpp and more a RAM alias lies over A0000h (vbe.c)
 * and this code is not reached there. Chain-4 keeps the low address bits in the plane's offset as
 * the VGA does, so programs that unchain mode 13h find every fourth byte used. */
#include "gpu/vga_core.h"

/* Every bit of the low nibble spread over its plane's byte. */
static u32 spread(u8 planes)
{
    u32 m = 0;
    for (unsigned p = 0; p < 4; p++) {
        if (planes & BIT(p)) m |= 0xffu << (8 * p);
    }
    return m;
}

/* Maps an offset into the 128 KiB window to one into the selected range; false: not decoded. */
static bool decode(const struct vga_core *v, u64 *off)
{
    if (!(v->misc & 2)) return false; /* RAM disabled */
    switch (v->gc[6] >> 2 & 3) {
    case 0: return true;
    case 1: return *off < 0x10000;
    case 2: return *off >= 0x10000 && (*off -= 0x10000) < 0x8000;
    default: return *off >= 0x18000 && (*off -= 0x18000) < 0x8000;
    }
}

/* The four bytes at one offset of the planes. With the 128 KiB window planes are twice as long as
 * IBM's, which the video BIOS's 1024 x 768 mode in 16 colours needs. In a planar VBE mode they lie
 * in the linear framebuffer, bank after bank. */
static u32 *plane_dword(const struct vga_core *v, u64 off)
{
    u64 at;
    if (vbe_active(v) && v->vbe[VBE_BPP] == 4)
        at = v->lfb_at + ((u64)v->vbe[VBE_BANK] * 0x10000 + (off & 0xffff)) * 4 % v->lfb_size;
    else
        at = vga_at(v, (u32)off & (v->gc[6] & 0x0c ? VGA_PLANE - 1 : 2 * VGA_PLANE - 1));
    return (u32 *)(void *)(v->vram + at);
}

static u8 read_byte(struct vga_core *v, u64 off)
{
    if (!decode(v, &off)) return 0xff;
    if (v->seq[4] & 8) { /* chain-4: the low address bits choose the plane */
        v->latch = *plane_dword(v, off & ~3ull);
        return (u8)(v->latch >> (8 * (off & 3)));
    }
    unsigned plane = v->gc[4] & 3;
    if (v->gc[5] & 0x10) { /* odd/even */
        plane = (plane & 2) | (off & 1);
        off &= ~1ull;
    }
    v->latch = *plane_dword(v, off);
    if (!(v->gc[5] & 8)) return (u8)(v->latch >> (8 * plane));
    /* Read mode 1: bits where the planes that matter equal the colour compare register. */
    u32 diff = (v->latch ^ spread(v->gc[2])) & spread(v->gc[7]);
    return (u8) ~(diff | diff >> 8 | diff >> 16 | diff >> 24);
}

static u32 alu(const struct vga_core *v, u32 val)
{
    switch (v->gc[3] >> 3 & 3) {
    case 1: return val & v->latch;
    case 2: return val | v->latch;
    case 3: return val ^ v->latch;
    default: return val;
    }
}

static u8 rotate(const struct vga_core *v, u8 b)
{
    unsigned n = v->gc[3] & 7;
    return (u8)(b >> n | b << (8 - n));
}

static u32 write_value(const struct vga_core *v, u8 b)
{
    u32 mask = 0x01010101u * v->gc[8], val;
    switch (v->gc[5] & 3) {
    case 0: {
        u32 sr = spread(v->gc[1]);
        val = 0x01010101u * rotate(v, b);
        val = alu(v, (val & ~sr) | (spread(v->gc[0]) & sr));
        break;
    }
    case 1: return v->latch;
    case 2: val = alu(v, spread(b)); break;
    default: /* 3: the rotated byte narrows the bit mask, set/reset is the colour */
        mask &= 0x01010101u * rotate(v, b);
        val = alu(v, spread(v->gc[0]));
        break;
    }
    return (val & mask) | (v->latch & ~mask);
}

static void write_byte(struct vga_core *v, u64 off, u8 b)
{
    if (!decode(v, &off)) return;
    u8 planes = v->seq[2] & 0xf;
    u32 *d, val;
    if (v->seq[4] & 8) {
        planes &= (u8)BIT(off & 3);
        off &= ~3ull;
    } else if (!(v->seq[4] & 4)) { /* odd/even: even addresses to planes 0 and 2 */
        planes &= off & 1 ? 0xa : 0x5;
        off &= ~1ull;
    }
    u32 mask = spread(planes);
    if (!mask) return;
    d = plane_dword(v, off);
    val = (*d & ~mask) | (write_value(v, b) & mask);
    if (val == *d) return;
    *d = val;
    ram_written(v->mem, (u64)((u8 *)d - v->vram), 4);
}

static u64 window_read(void *opaque, u64 off, unsigned size)
{
    u64 val = 0;
    for (unsigned k = 0; k < size; k++) val |= (u64)read_byte(opaque, off + k) << (8 * k);
    return val;
}

static void window_write(void *opaque, u64 off, u64 value, unsigned size)
{
    for (unsigned k = 0; k < size; k++) write_byte(opaque, off + k, (u8)(value >> (8 * k)));
}

const struct io_ops vga_window_ops = { window_read, window_write, 1, 8 };
