/* EDID 1.4 block of the monitor on the Standard VGA (VESA E-EDID, release A revision 2): an RGB
 * display named "aeropc" whose preferred timing is 1024x768 at 60 Hz, with the established and
 * standard timings of the modes that the video BIOS offers. */
#include "gpu/vga_core.h"

struct timing {
    u16 clock_10khz, x, xblank, xfront, xsync, y, yblank;
    u8 yfront, ysync;
};

static void detailed(u8 *d, const struct timing *t)
{
    st16(d, t->clock_10khz);
    d[2] = (u8)t->x;
    d[3] = (u8)t->xblank;
    d[4] = (u8)(t->x >> 8 << 4 | t->xblank >> 8);
    d[5] = (u8)t->y;
    d[6] = (u8)t->yblank;
    d[7] = (u8)(t->y >> 8 << 4 | t->yblank >> 8);
    d[8] = (u8)t->xfront;
    d[9] = (u8)t->xsync;
    d[10] = (u8)((t->yfront & 15) << 4 | (t->ysync & 15));
    d[11] = (u8)(t->xfront >> 8 << 6 | t->xsync >> 8 << 4 | t->yfront >> 4 << 2 | t->ysync >> 4);
    d[12] = 0x40; /* 320 x 240 mm */
    d[13] = 0xf0;
    d[14] = 0x10;
    d[17] = 0x18; /* digital separate sync, both negative */
}

static void text_descriptor(u8 *d, u8 tag, const char *s)
{
    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, s, strlen(s));
    d[5 + strlen(s)] = '\n';
}

void edid_fill(u8 e[128])
{
    static const u8 header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    /* sRGB primaries and white point, as E-EDID section 3.7 packs them. */
    static const u8 chroma[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    static const u8 standard[16] = { 0x81, 0x80, 0x81, 0x00, 0x81, 0xc0, 0x95, 0x00,
                                     0xa9, 0xc0, 0xb3, 0x00, 0xd1, 0xc0, 0xa9, 0x40 };
    static const struct timing preferred = { 6500, 1024, 320, 24, 136, 768, 38, 3, 6 };
    memset(e, 0, 128);
    memcpy(e, header, 8);
    e[9] = (u8)(16 << 5 | 3); /* manufacturer "APC" in 5-bit letters */
    e[8] = (u8)(1 << 2 | 16 >> 3);
    st16(e + 10, 0x0001);
    st32(e + 12, 1);
    e[16] = 1;
    e[17] = 2026 - 1990;
    e[18] = 1;
    e[19] = 4;
    e[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort-like interface code */
    e[21] = 32;
    e[22] = 24;
    e[23] = 120;  /* gamma 2.2 */
    e[24] = 0x06; /* RGB, sRGB default, preferred timing is native */
    memcpy(e + 25, chroma, sizeof(chroma));
    e[35] = 0x21; /* 640x480, 800x600 at 60 Hz */
    e[36] = 0x08; /* 1024x768 at 60 Hz */
    memcpy(e + 38, standard, sizeof(standard));
    detailed(e + 54, &preferred);
    text_descriptor(e + 72, 0xfc, "aeropc");
    text_descriptor(e + 90, 0xff, "0001");
    u8 range[18] = {
        0, 0, 0, 0xfd, 0, 50, 125, 30, 160, 30, 0, '\n', ' ', ' ', ' ', ' ', ' ', ' '
    };
    memcpy(e + 108, range, sizeof(range));
    u8 sum = 0;
    for (unsigned k = 0; k < 127; k++) sum = (u8)(sum + e[k]);
    e[127] = (u8)-sum;
}
