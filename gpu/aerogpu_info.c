/* `info aerogpu`: registers, ring, fences, interrupts, scanout, cursor, errors and the executor, as
 * they are now. Looking changes nothing: guest memory is read, the clock is not moved on. */
#include "gpu/aerogpu_dev.h"
#include "gpu/exec_thread.h"

enum { MAX_FENCES = 8 }; /* shown of those that wait */

static unsigned long long ull(u64 v)
{
    return v;
}

static void add_bits(struct text *t, u32 v, const char *const *names, u32 n)
{
    bool any = false;
    for (u32 k = 0; k < n; k++) {
        if (!(v >> k & 1) || !names[k]) continue;
        text_add(t, "%s%s", any ? " " : "", names[k]);
        any = true;
    }
    if (!any) text_add(t, "none");
}

static void info_device(struct aerogpu *g, struct text *t)
{
    static const char *const names[] = { "FENCE_PAGE", "CURSOR",   "SCANOUT",
                                         "VBLANK",     "TRANSFER", "ERROR_INFO" };
    text_add(t, "ABI %u.%u, BAR0 %08x BAR1 %08x, bus master %s; features %x: ", AGPU_ABI_MAJOR,
             AGPU_ABI_VERSION & 0xffff, pci_bar_addr(&g->pci, 0), pci_bar_addr(&g->pci, 1),
             agpu_master(g) ? "on" : "off", agpu_features(g));
    add_bits(t, agpu_features(g), names, LEN(names));
    text_add(t, "\n");
}

/* Guest memory as the device would read it, or NULL. */
static const void *peek(struct aerogpu *g, u64 gpa, u64 len)
{
    return gpa ? dma_map(g->pci.dev.host->mem, gpa, len, false) : NULL;
}

static void info_ring(struct aerogpu *g, struct text *t)
{
    struct agpu_ring_header h;
    const void *p = peek(g, g->ring_gpa, sizeof(h));
    text_add(t, "ring: %s at %llx, window %u bytes",
             g->ring_control & AGPU_RING_ENABLE ? "on" : "off", ull(g->ring_gpa), g->ring_size);
    if (p) {
        memcpy(&h, p, sizeof(h));
        text_add(t, "; in memory: %s, %u entries of %u bytes, head %u tail %u",
                 h.magic == AGPU_RING_MAGIC ? "ARNG" : "bad magic", h.entry_count,
                 h.entry_stride_bytes, h.head, h.tail);
    }
    text_add(t, "%s%s%s%s\n", g->doorbell_pending ? "; doorbell waits for bus mastering" : "",
             g->reset_pending ? "; reset waits for bus mastering" : "",
             g->stalled ? "; waits for the executor" : "", g->powered_down ? "; powered down" : "");
    text_add(t, "submissions: %llu, packets dropped %llu, unknown %llu\n", ull(g->submissions),
             ull(g->dropped_packets), ull(g->unknown_packets));
}

static void info_fences(struct aerogpu *g, struct text *t)
{
    struct agpu_fence_page page;
    const void *p = peek(g, g->fence_gpa, sizeof(page));
    text_add(t, "fences: completed %llu, page at %llx", ull(g->completed), ull(g->fence_gpa));
    if (p) {
        memcpy(&page, p, sizeof(page));
        text_add(t, " says %llu", ull(page.completed_fence));
    }
    text_add(t, "%s; %u waiting", g->page_pending ? " (to be written)" : "", g->queued);
    for (u32 k = 0; k < MIN(g->queued, (u32)MAX_FENCES); k++) {
        const struct agpu_fence *f = &g->queue[(g->first + k) % AGPU_QUEUE];
        text_add(t, "%s %llu%s%s%s", k ? "," : ":", ull(f->value), f->running ? " executing" : "",
                 f->paced ? " for a vertical blank" : "", f->irq ? "" : " silent");
    }
    text_add(t, "%s\n", g->queued > MAX_FENCES ? ", ..." : "");
}

static void info_interrupts(struct aerogpu *g, struct text *t)
{
    static const char *const names[32] = { [0] = "FENCE", [1] = "VBLANK", [31] = "ERROR" };
    text_add(t, "interrupts: status %x (", g->irq_status);
    add_bits(t, g->irq_status, names, LEN(names));
    text_add(t, "), enabled %x (", g->irq_enable);
    add_bits(t, g->irq_enable, names, LEN(names));
    text_add(t, "), line %s\n", g->irq_status & g->irq_enable ? "asserted" : "low");
}

static void info_surface(struct text *t, const char *name, const struct agpu_surface *s)
{
    const char *format = agpu_format_name(s->format);
    text_add(t, "%s: %s %ux%u %s (%u) pitch %u at %llx", name, s->enable ? "on" : "off", s->width,
             s->height, format ? format : "no format", s->format, s->pitch, ull(s->fb.gpa));
    if (s->fb.pending) text_add(t, ", new low half %x waits for the high one", s->fb.low);
}

static void info_scanout(struct aerogpu *g, struct text *t)
{
    struct exec_scanout s;
    u64 now = clock_now(g->pci.dev.host->clock);
    info_surface(t, "scanout 0", &g->scan);
    text_add(t, "; %s, %s\n", agpu_scan_get(g, &s) ? "displayable" : "not displayable",
             g->claimed ? "claimed by the driver" : "not claimed: the boot display is shown");
    text_add(t, "vertical blanks: %llu, the last at %llu ns", ull(g->vblank_seq),
             ull(g->vblank_time));
    if (!g->vblank)
        text_add(t, "; switched off\n");
    else if (g->scan.enable && g->vblank_next >= now)
        text_add(t, ", the next in %llu us\n", ull((g->vblank_next - now) / 1000));
    else
        text_add(t, "\n");
    info_surface(t, "cursor", &g->cursor);
    text_add(t, "; position %d,%d hot spot %d,%d\n", (i32)g->cursor_x, (i32)g->cursor_y,
             (i32)g->cursor_hot_x, (i32)g->cursor_hot_y);
}

static void info_errors(struct aerogpu *g, struct text *t)
{
    static const char *const codes[] = { "NONE", "CMD_DECODE", "OOB", "BACKEND" };
    text_add(t, "error registers: code %u fence %llu count %u; since power-on: %llu\n",
             g->error_code, ull(g->error_fence), g->error_count, ull(g->errors));
    u64 shown = MIN(g->errors, (u64)LEN(g->notes));
    for (u64 k = g->errors - shown; k < g->errors; k++) {
        const struct agpu_error_note *n = &g->notes[k % LEN(g->notes)];
        text_add(t, "  %llu.%06llu %s fence %llu: %s\n", ull(n->time / NS_PER_SEC),
                 ull(n->time % NS_PER_SEC / 1000),
                 n->code < LEN(codes) ? codes[n->code] : "INTERNAL", ull(n->fence), n->why);
    }
}

void agpu_info(struct device *d, struct text *t)
{
    struct aerogpu *g = (struct aerogpu *)d;
    info_device(g, t);
    info_ring(g, t);
    info_fences(g, t);
    info_interrupts(g, t);
    info_scanout(g, t);
    info_errors(g, t);
    text_add(t, "executor: %s%s\n", g->exec_label,
             g->ops == &exec_threaded ? " on a thread of its own" : "");
    if (g->ops->info) g->ops->info(g->exec, t);
    if (g->legacy) vga_core_info(&g->core, t);
}
