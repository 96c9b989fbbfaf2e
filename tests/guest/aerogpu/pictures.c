/* What only somebody in front of the screen can judge: each picture is set up, announced on COM1 ("PICTURE NAME") and stands until a key
 * is pressed; run.sh takes screenshots and knows what they have to show. With "pictures" on the kernel's command line. See ag.h. */
#include "ag.h"

enum { COM1 = 0x3f8, PITCH = SCAN_W * 4 + 64 };

static void say(const char *s)
{
    for (; *s; s++) {
        while (!(inb(COM1 + 5) & 0x20)) continue;
        outb(COM1, (u8)*s);
    }
}

/* A key press and release by polling; interrupts stay off. */
static bool key_pressed(void)
{
    for (u32 waited = 0; waited < 20000; waited += 2) {
        if (inb(0x64) & 1) {
            bm_delay_us(30000); /* and what follows it */
            while (inb(0x64) & 1) {
                inb(0x60);
                bm_delay_us(2000);
            }
            return true;
        }
        bm_delay_us(2000);
    }
    return false;
}

static void show(struct ag *a, const char *name)
{
    bm_delay_us(20000); /* a blank has passed */
    say("PICTURE ");
    say(name);
    say("\n");
    ag_true(a, name, key_pressed());
}

/* Red grows to the right, green downwards, blue is 40h. */
static void paint(u32 format, u32 pitch)
{
    for (u32 y = 0; y < SCAN_H; y++) {
        for (u32 x = 0; x < SCAN_W; x++) {
            const u32 r = x & 255, g = y, b = 0x40, at = AT_FB + y * pitch;
            if (format == AGPU_FMT_B5G6R5) ((u16 *)(word)at)[x] = (u16)((r >> 3) << 11 | (g >> 2) << 5 | b >> 3);
            else if (format == AGPU_FMT_B5G5R5A1) ((u16 *)(word)at)[x] = (u16)((r >> 3) << 10 | (g >> 3) << 5 | b >> 3);
            else if (format == AGPU_FMT_R8G8B8A8 || format == AGPU_FMT_R8G8B8X8) ((u32 *)(word)at)[x] = b << 16 | g << 8 | r;
            else ((u32 *)(word)at)[x] = r << 16 | g << 8 | b;
        }
    }
}

static void show_format(struct ag *a, u32 format, const char *name)
{
    const struct gpu_mode m = { SCAN_W, SCAN_H, format, PITCH };
    paint(format, PITCH);
    gpu_scanout(&a->gpu, &m, AT_FB);
    show(a, name);
}

/* Half transparent orange in the lower left of its diagonal; the hot spot counts. */
static void show_cursors(struct ag *a)
{
    u32 *p = (u32 *)(word)AT_CURSOR;
    for (u32 k = 0; k < 32 * 32; k++) p[k] = k % 32 <= k / 32 ? 0x80ff8000 : 0;
    gpu_cursor_shape(&a->gpu, 32, 32, AT_CURSOR, 3, 4);
    gpu_cursor_move(&a->gpu, 103, 54);
    show(a, "cursor");
    gpu_cursor_move(&a->gpu, -7, -6);
    show(a, "cursor-corner");
    ag_wr(a, AGPU_R_CURSOR_ENABLE, 0);
    show(a, "cursor-off");
}

/* What cannot be shown is black. */
static void show_nothing(struct ag *a)
{
    ag_wr(a, AGPU_R_SCAN_PITCH, SCAN_W * 4 - 4);
    show(a, "bad-pitch");
    ag_wr(a, AGPU_R_SCAN_PITCH, PITCH);
    const u32 command = gpu_config(&a->gpu, 4) & 0xffff;
    gpu_set_config(&a->gpu, 4, command & ~4u);
    show(a, "no-master");
    gpu_set_config(&a->gpu, 4, command);
    show(a, "master-again");
}

void ag_pictures(struct ag *a)
{
    show_format(a, AGPU_FMT_B8G8R8X8, "bgrx");
    show_format(a, AGPU_FMT_B5G6R5, "565");
    show_format(a, AGPU_FMT_B5G5R5A1, "5551");
    show_format(a, AGPU_FMT_R8G8B8A8, "rgba");
    show_format(a, AGPU_FMT_B8G8R8A8_SRGB, "bgra-srgb");
    show_cursors(a);
    show_nothing(a);
}
