/* AeroGPU's scanout 0: what it shows, the cursor on top, and the vertical blank.
 *
 * The picture is a live view of guest memory: it is read when the window asks. Memory that did not
 * change since is noticed by the pages' dirty flags, so an idle desktop costs nothing. Document:
 * the contract's part "PCI function and registers", sections 7, 9 and 10. */
#include <stdio.h>

#include "gpu/aerogpu_dev.h"
#include "machine/core/trace.h"

enum { MAX_EDGES = 1024 }; /* vertical blanks made up for in one go; then the phase starts anew */
enum { MAX_CURSOR_BYTES = 4 << 20 };
#define MAX_SCANOUT_BYTES (64 * MIB)
#define SILENT_NS (2 * NS_PER_SEC) /* of a driver that does not own the screen any more */

/* ---- vertical blank: in virtual time, while the scanout is enabled ---- */

static bool edge(struct aerogpu *g, bool quiet)
{
    if (g->display) display_vblank(g->display, &g->scan_src);
    bool status = g->irq_enable & AGPU_IRQ_VBLANK && !quiet;
    g->vblank_seq++;
    g->vblank_time = g->vblank_next;
    g->vblank_next += AGPU_VBLANK_NS;
    if (status) g->irq_status |= AGPU_IRQ_VBLANK;
    TRACE(aerogpu_vblank, g->vblank_seq, g->vblank_time, status, 0);
    agpu_publish(g, 1);
    return status;
}

void agpu_vblank_run(struct aerogpu *g, bool quiet)
{
    u64 now = clock_now(g->pci.dev.host->clock);
    bool status = false;
    if (!g->vblank || !g->scan.enable || now < g->vblank_next) return;
    for (unsigned k = 0; k < MAX_EDGES && now >= g->vblank_next; k++) status |= edge(g, quiet);
    if (now >= g->vblank_next) g->vblank_next = now + AGPU_VBLANK_NS;
    timer_set(&g->vblank_timer, g->vblank_next);
    if (status) agpu_update_irq(g);
}

static void vblank_fire(void *opaque)
{
    agpu_vblank_run(opaque, false);
}

void agpu_scan_enable(struct aerogpu *g, bool on)
{
    if (g->scan.enable == on) return;
    if (on) {
        g->scan.enable = 1;
        g->vblank_next = clock_now(g->pci.dev.host->clock) + AGPU_VBLANK_NS;
        if (g->vblank) timer_set(&g->vblank_timer, g->vblank_next);
        return;
    }
    agpu_vblank_run(g, false); /* edges due before */
    g->scan.enable = 0;
    g->scan.fb.pending = false;
    timer_cancel(&g->vblank_timer);
    g->irq_status &= ~AGPU_IRQ_VBLANK;
    agpu_release_paced(g);
    agpu_update_irq(g);
}

/* ---- what can be shown ---- */

/* Bytes from the first to the last pixel of a surface; 0 when it cannot be shown. */
static u64 surface_bytes(const struct agpu_surface *s, unsigned bpp)
{
    u64 row = (u64)s->width * bpp;
    if (!s->enable || !s->width || !s->height || !s->fb.gpa || !bpp) return 0;
    if (s->pitch < row || s->pitch % bpp) return 0;
    u64 bytes = (u64)(s->height - 1) * s->pitch + row;
    return s->fb.gpa + bytes < s->fb.gpa ? 0 : bytes;
}

static bool displayable(const struct aerogpu *g)
{
    return surface_bytes(&g->scan, agpu_scanout_bpp(g->scan.format)) != 0;
}

bool agpu_scan_get(void *opaque, struct exec_scanout *s)
{
    const struct aerogpu *g = opaque;
    *s = (struct exec_scanout){ g->scan.fb.gpa, g->scan.width, g->scan.height, g->scan.format,
                                g->scan.pitch };
    return displayable(g);
}

void agpu_scan_written(struct aerogpu *g)
{
    g->activity = clock_now(g->pci.dev.host->clock);
    g->scan_dirty = true;
    if (!g->claimed && displayable(g) && !g->scan.fb.pending) {
        g->claimed = true;
        TRACE(aerogpu_claim, g->scan.width, g->scan.height, g->scan.format, g->scan.fb.gpa);
    }
    agpu_record_scanout(g);
}

/* ---- pixels ---- */

static u32 expand5(u32 v)
{
    return v << 3 | v >> 2;
}

static u32 expand6(u32 v)
{
    return v << 2 | v >> 4;
}

/* One pixel as AARRGGBB. Formats of the same bytes in sRGB are shown as they are. */
static u32 pixel(const u8 *p, u32 format)
{
    u32 v;
    switch (format) {
    case AGPU_FMT_B8G8R8A8:
    case AGPU_FMT_B8G8R8A8_SRGB: return ld32(p);
    case AGPU_FMT_B8G8R8X8:
    case AGPU_FMT_B8G8R8X8_SRGB: return ld32(p) | 0xff000000;
    case AGPU_FMT_B5G6R5:
        v = ld16(p);
        return 0xff000000 | expand5(v >> 11) << 16 | expand6(v >> 5 & 63) << 8 | expand5(v & 31);
    case AGPU_FMT_B5G5R5A1:
        v = ld16(p);
        return (v >> 15 ? 0xff000000 : 0) | expand5(v >> 10 & 31) << 16 |
               expand5(v >> 5 & 31) << 8 | expand5(v & 31);
    default: /* red first */
        v = __builtin_bswap32(ld32(p)) >> 8;
        if (format == AGPU_FMT_R8G8B8X8 || format == AGPU_FMT_R8G8B8X8_SRGB) return v | 0xff000000;
        return v | (u32)p[3] << 24;
    }
}

void aerogpu_scanout_row(u32 *to, const u8 *from, u32 width, u32 format)
{
    const unsigned bpp = agpu_scanout_bpp(format);
    if (format == AGPU_FMT_B8G8R8X8 || format == AGPU_FMT_B8G8R8A8) {
        memcpy(to, from, (size_t)width * 4); /* the frame's top byte means nothing */
        return;
    }
    for (u32 x = 0; x < width; x++) to[x] = pixel(from + (size_t)x * bpp, format);
}

static u32 blend(u32 src, u32 dst, u32 a)
{
    u32 out = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        u32 s = src >> shift & 255, d = dst >> shift & 255;
        out |= (s * a + d * (255 - a) + 127) / 255 << shift;
    }
    return out;
}

static void draw_cursor(struct aerogpu *g, struct frame *f)
{
    const struct agpu_surface *c = &g->cursor;
    u64 bytes = agpu_scanout_bpp(c->format) == 4 ? surface_bytes(c, 4) : 0;
    if (!bytes || (u64)c->width * c->height * 4 > MAX_CURSOR_BYTES) return;
    const u8 *p = dma_map(g->pci.dev.host->mem, c->fb.gpa, bytes, false);
    if (!p) return;
    /* 64 bits: the registers are any 32-bit values */
    i64 left = (i64)(i32)g->cursor_x - (i32)g->cursor_hot_x,
        top = (i64)(i32)g->cursor_y - (i32)g->cursor_hot_y;
    i64 x0 = MAX(left, 0), y0 = MAX(top, 0);
    i64 x1 = MIN(left + c->width, (i64)f->width), y1 = MIN(top + c->height, (i64)f->height);
    for (i64 y = y0; y < y1; y++) {
        const u8 *row = p + (u64)(y - top) * c->pitch;
        u32 *to = f->pixels + (size_t)y * f->width;
        for (i64 x = x0; x < x1; x++) {
            u32 v = pixel(row + (x - left) * 4, c->format);
            to[x] = blend(v, to[x], v >> 24);
        }
    }
}

/* ---- the display source ---- */

static bool take_dirty(struct aerogpu *g, u64 gpa, u64 bytes)
{
    const struct bus_range *m = bus_find(g->pci.dev.host->mem, gpa);
    struct region *r = m->wr;
    if (!r || !r->ram || bytes - 1 > m->last - gpa) return true; /* unknown memory: always anew */
    return region_take_dirty(r, gpa - r->base, bytes, NULL);
}

/* Whether the registers that make the picture differ from the last frame's; remembers them. */
static bool settings_changed(struct aerogpu *g, bool black)
{
    const u32 now[LEN(g->shown)] = { g->scan.width,
                                     g->scan.height,
                                     g->scan.format,
                                     g->scan.pitch,
                                     g->cursor_x - g->cursor_hot_x,
                                     g->cursor_y - g->cursor_hot_y,
                                     g->cursor.enable | g->cursor.format << 1,
                                     black };
    const u64 gpa[LEN(g->shown_gpa)] = { g->scan.fb.gpa, g->cursor.fb.gpa };
    bool same = !memcmp(now, g->shown, sizeof(now)) && !memcmp(gpa, g->shown_gpa, sizeof(gpa));
    memcpy(g->shown, now, sizeof(now));
    memcpy(g->shown_gpa, gpa, sizeof(gpa));
    return !same;
}

static bool scan_refresh(void *opaque, struct frame *f, bool force)
{
    struct aerogpu *g = opaque;
    u64 bytes = surface_bytes(&g->scan, agpu_scanout_bpp(g->scan.format));
    const u8 *p = NULL;
    if (bytes && bytes <= MAX_SCANOUT_BYTES && g->scan.width <= DISPLAY_MAX_W &&
        g->scan.height <= DISPLAY_MAX_H && agpu_master(g))
        p = dma_map(g->pci.dev.host->mem, g->scan.fb.gpa, bytes, false);
    bool changed = settings_changed(g, !p) || g->scan_dirty;
    g->scan_dirty = false;
    if (p) changed |= take_dirty(g, g->scan.fb.gpa, bytes);
    u64 cursor = surface_bytes(&g->cursor, 4);
    if (p && cursor && cursor <= MAX_CURSOR_BYTES)
        changed |= take_dirty(g, g->cursor.fb.gpa, cursor);
    if (!changed && !force) return false;
    f->source = g->scan_name;
    frame_text(f, 0, 0);
    if (!p) { /* black, at the last size */
        frame_size(f, g->last_width ? g->last_width : 640, g->last_height ? g->last_height : 480);
        memset(f->pixels, 0, (size_t)f->width * f->height * sizeof(u32));
        snprintf(g->scan_name, sizeof(g->scan_name), "AeroGPU, scanout off");
        return true;
    }
    frame_size(f, g->scan.width, g->scan.height);
    g->last_width = f->width;
    g->last_height = f->height;
    for (u32 y = 0; y < f->height; y++)
        aerogpu_scanout_row(f->pixels + (size_t)y * f->width, p + (size_t)y * g->scan.pitch,
                            f->width, g->scan.format);
    draw_cursor(g, f);
    snprintf(g->scan_name, sizeof(g->scan_name), "AeroGPU %ux%u", f->width, f->height);
    return true;
}

/* Whether the driver's picture is the one to show. Once claimed it stays, unless the boot display
 * set a mode after the driver's last flip or submission: then at once when the scanout is off, and
 * else when the driver has been silent for two seconds of virtual time since. What the driver does
 * next brings its picture back. */
static bool scan_claims(void *opaque)
{
    struct aerogpu *g = opaque;
    u64 set = display_mode_set_at(g->display);
    if (!g->claimed || set <= g->activity) return g->claimed;
    return g->scan.enable && clock_now(g->pci.dev.host->clock) - set < SILENT_NS;
}

void agpu_vblank_init(struct aerogpu *g)
{
    timer_init(&g->vblank_timer, g->pci.dev.host->clock, "aerogpu vblank", vblank_fire, g);
}

void agpu_scan_init(struct aerogpu *g)
{
    g->scan_src = (struct display_source){ "scanout0", g, scan_refresh, scan_claims };
    if (g->display) display_add_source(g->display, &g->scan_src);
}

void agpu_scan_reset(struct aerogpu *g)
{
    timer_cancel(&g->vblank_timer);
    g->scan = g->cursor = (struct agpu_surface){ 0 };
    g->cursor_x = g->cursor_y = g->cursor_hot_x = g->cursor_hot_y = 0;
    g->vblank_seq = g->vblank_time = g->vblank_next = 0;
    g->claimed = false;
    g->scan_dirty = true;
}
