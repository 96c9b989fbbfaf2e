/* The second act: plays the driver of AeroGPU and shows a scene on scanout 0 until Tab or Esc.
 *
 * Three frames in RAM are the targets, backed by guest memory, so the device writes each finished
 * frame where scanout 0 reads it. One is shown, one waits for the vertical blank, one is being
 * drawn: the interrupt of the blank flips, so a frame is never seen half drawn, and a frame that
 * takes longer than a blank costs only its own time. Everything shown as measured is: the time
 * stamp counter tells how long a stream takes to build and how long the device takes to its fence.
 *
 * Marks for tests: "DEMO-ACT2 <width>x<height>" after the first flip, "DEMO-ACT1" when the VBE
 * picture is back. */

#include "bios/demo/act2.h"

enum { DISPI_INDEX = 0x1ce, DISPI_DATA = 0x1cf, DISPI_ENABLE = 4, DISPI_NOCLEAR = 0x80 };
enum {
    CURSOR_AT = ACT2_CONTROL + GPU_MEMORY,
    CURSOR_SIZE = 32,
    TABLE_AT = CURSOR_AT + CURSOR_SIZE * CURSOR_SIZE * 4
};
enum { QUADS_AT = ACT2_STREAMS + ACT2_BUFFERS * ACT2_STREAM_ROOM, REPORT_TICKS = TICK_HZ / 2 };

struct act2 {
    struct gpu gpu;
    struct gpu_mode mode;
    struct gpu_table *table;
    struct stream stream;
    struct scene scene;
    struct panes panes;
    struct report report;
    struct input *in;
    u32 mouse_seen, tsc_mhz;
    volatile i32 shown, ready; /* frames, -1: none */
    volatile u32 blanks, flips, flip_at[2];
    volatile u32 fence_at;          /* TSC / 16 at the last fence's interrupt */
    u32 guest_sum, gpu_sum, frames; /* since the last report, us */
    u32 report_tick, report_flips;
};

static u32 now16(void)
{
    return (u32)(rdtsc() >> 4);
}

static u32 to_us(const struct act2 *a, u32 ticks16)
{
    return a->tsc_mhz ? ticks16 / a->tsc_mhz * 16 + ticks16 % a->tsc_mhz * 16 / a->tsc_mhz : 0;
}

static u32 frame_at(i32 frame)
{
    return ACT2_SCANOUT + (u32)frame * ACT2_FRAME;
}

/* --- interrupts --- */

static void note_flip(struct act2 *a)
{
    const u32 now = now16(), ms = (to_us(a, now - a->flip_at[0]) + 500) / 1000;
    a->flip_at[0] = now;
    a->report.bars[a->report.bar_at++ % BARS] = (u8)(ms > 255 ? 255 : ms);
    a->flips++;
}

static void on_interrupt(void *opaque)
{
    struct act2 *a = opaque;
    const u32 status = gpu_interrupt(&a->gpu);
    if (status & AGPU_IRQ_FENCE) a->fence_at = now16();
    if (!(status & AGPU_IRQ_VBLANK)) return;
    a->blanks++;
    if (a->ready < 0) return;
    gpu_scanout(&a->gpu, &a->mode, frame_at(a->ready));
    a->shown = a->ready;
    a->ready = -1;
    note_flip(a);
}

/* --- start and end --- */

static bool memory_there(void)
{
    for (u32 k = 0; k < boot_e820_count; k++) {
        const struct e820 *e = &boot_e820[k];
        if (e->type == 1 && !e->base_hi && e->base <= ACT2_SCANOUT &&
            (e->len_hi || e->base + e->len >= ACT2_END || e->base + e->len < e->base))
            return true;
    }
    return false;
}

bool act2_possible(void)
{
    struct gpu g;
    const u32 wanted =
        AGPU_F_FENCE_PAGE | AGPU_F_SCANOUT | AGPU_F_VBLANK | AGPU_F_CURSOR | AGPU_F_TRANSFER;
    if (boot_width * boot_height * 4 > ACT2_FRAME || !memory_there() || !gpu_find(&g)) return false;
    return g.irq && gpu_identify(&g) && (g.features & wanted) == wanted;
}

/* Sleeps until an interrupt, then lets the cursor follow the mouse: it does not wait for frames.
 * With interrupts off, because one between a look at what it changes and the halt would be slept
 * over; STI takes effect behind the next instruction. */
static void sleep_and_point(struct act2 *a)
{
    __asm__ volatile("sti\n hlt\n cli" ::: "memory");
    if (a->in->mouse_events == a->mouse_seen) return;
    a->mouse_seen = a->in->mouse_events;
    gpu_cursor_move(&a->gpu, a->in->mouse_x, a->in->mouse_y);
}

static void wait_fence(struct act2 *a, u64 fence)
{
    __asm__ volatile("cli" ::: "memory");
    while (gpu_completed(&a->gpu) < fence) sleep_and_point(a);
    __asm__ volatile("sti" ::: "memory");
}

/* Until the blank has taken the frame that waits. */
static void wait_flip(struct act2 *a)
{
    __asm__ volatile("cli" ::: "memory");
    while (a->ready >= 0) sleep_and_point(a);
    __asm__ volatile("sti" ::: "memory");
}

static void flush_setup(void *opaque)
{
    struct act2 *a = opaque;
    const u32 bytes = stream_end(&a->stream);
    wait_fence(a, gpu_submit(&a->gpu, a->stream.base, bytes, a->table, 0));
    stream_begin(&a->stream, (void *)ACT2_SETUP, ACT2_SETUP_ROOM);
}

static void create_targets(struct act2 *a)
{
    struct texture_desc t = { .format = AGPU_FMT_B8G8R8X8,
                              .width = a->mode.width,
                              .height = a->mode.height,
                              .pitch = a->mode.pitch,
                              .usage = AGPU_USE_TARGET | AGPU_USE_SCANOUT,
                              .alloc = 1 };
    for (u32 k = 0; k < ACT2_BUFFERS; k++) {
        t.offset = k * ACT2_FRAME;
        stream_texture(&a->stream, H_TARGET + k, &t);
    }
    const struct texture_desc depth = {
        .format = AGPU_FMT_D24S8, .width = t.width, .height = t.height, .usage = AGPU_USE_DEPTH
    };
    stream_texture(&a->stream, H_DEPTH, &depth);
}

static void create_cursor(struct act2 *a)
{
    u32 *px = (u32 *)CURSOR_AT;
    for (u32 k = 0; k < CURSOR_SIZE * CURSOR_SIZE; k++) px[k] = 0;
    for (u32 y = 0; y < CURSOR_H; y++)
        for (u32 x = 0; cursor_shape[y][x]; x++)
            if (cursor_shape[y][x] != ' ')
                px[y * CURSOR_SIZE + x] = cursor_shape[y][x] == 'X' ? 0xff101820 : 0xffffffff;
    gpu_cursor_move(&a->gpu, a->in->mouse_x, a->in->mouse_y);
    gpu_cursor_shape(&a->gpu, CURSOR_SIZE, CURSOR_SIZE, CURSOR_AT, 0, 0);
}

static void start(struct act2 *a)
{
    gpu_find(&a->gpu);
    gpu_identify(&a->gpu);
    a->mode = (struct gpu_mode){ boot_width, boot_height, AGPU_FMT_B8G8R8X8, boot_width * 4 };
    a->shown = a->ready = -1;
    a->table = (struct gpu_table *)TABLE_AT;
    gpu_table_start(a->table);
    gpu_table_add(a->table, 1, ACT2_SCANOUT, ACT2_BUFFERS * ACT2_FRAME, 0);
    irq_hook(a->in, a->gpu.irq, on_interrupt, a);
    gpu_start(&a->gpu, (void *)ACT2_CONTROL, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    gpu_wr(&a->gpu, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
    stream_begin(&a->stream, (void *)ACT2_SETUP, ACT2_SETUP_ROOM);
    create_targets(a);
    scene_create(&a->scene, &a->stream);
    flush_setup(a);
    a->panes.quads = (struct quad_vertex *)QUADS_AT;
    panes_create(&a->panes, &a->stream, (i32)boot_width, (i32)boot_height, flush_setup, a);
    flush_setup(a);
    create_cursor(a);
    a->report.triangles = a->scene.triangles;
}

/* The VGA's picture comes back when its mode is set once more; what is in its memory stays. */
static void set_vbe_again(void)
{
    outw(DISPI_INDEX, DISPI_ENABLE);
    const u16 was = inw(DISPI_DATA);
    outw(DISPI_DATA, was & ~1);
    outw(DISPI_DATA, was | DISPI_NOCLEAR);
}

static void stop(struct act2 *a)
{
    gpu_wr(&a->gpu, AGPU_R_IRQ_ENABLE, 0);
    irq_hook(a->in, 0, 0, 0);
    gpu_stop(&a->gpu);
    set_vbe_again();
}

/* --- frames --- */

/* A frame that is neither shown nor waits. */
static i32 free_frame(const struct act2 *a)
{
    i32 k = 0;
    while (k == a->shown || k == a->ready) k++;
    return k;
}

static u64 draw_frame(struct act2 *a, i32 frame, u32 *doorbell)
{
    const u32 from = now16();
    const float seconds = a->blanks / 60.0f, w = (float)a->mode.width, h = (float)a->mode.height;
    struct stream *s = &a->stream;
    stream_begin(s, (void *)(ACT2_STREAMS + (u32)frame * ACT2_STREAM_ROOM), ACT2_STREAM_ROOM);
    stream_topology(s, AGPU_TOPO_TRIANGLES);
    stream_targets(s, H_TARGET + (u32)frame, H_DEPTH);
    stream_clear(s, AGPU_CLEAR_COLOR | AGPU_CLEAR_DEPTH, scene_fog, F32_ONE);
    background_draw(&a->panes, s, scene_horizon(h));
    scene_draw(&a->scene, s, seconds, w, h);
    panes_move(&a->panes, seconds, a->in);
    panes_draw(&a->panes, s, &a->report);
    stream_present(s, 0);
    const u32 bytes = stream_end(s);
    a->report.stream_bytes = bytes;
    a->report.frame++;
    *doorbell = now16();
    a->guest_sum += to_us(a, *doorbell - from);
    return gpu_submit(&a->gpu, s->base, bytes, a->table, AGPU_SUBMIT_PRESENT);
}

static void make_report(struct act2 *a)
{
    const u32 passed = a->in->ticks - a->report_tick, flips = a->flips;
    if (passed < REPORT_TICKS) return;
    a->report.frames_10 = (flips - a->report_flips) * TICK_HZ * 10 / passed;
    if (a->frames) {
        a->report.guest_us = a->guest_sum / a->frames;
        a->report.gpu_us = a->gpu_sum / a->frames;
    }
    a->report_tick = a->in->ticks;
    a->report_flips = flips;
    a->guest_sum = a->gpu_sum = a->frames = 0;
}

/* The first frame switches the scanout on. False: the device draws nothing, which happens when its
 * executor is another process that is not there; fences complete all the same. */
static bool show_first(struct act2 *a, i32 frame)
{
    if (!*(volatile u32 *)frame_at(frame)) return false;
    a->shown = frame;
    gpu_scanout(&a->gpu, &a->mode, frame_at(frame));
    gpu_wr(&a->gpu, AGPU_R_IRQ_ACK, AGPU_IRQ_VBLANK);
    gpu_wr(&a->gpu, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK | AGPU_IRQ_ERROR);
    a->flip_at[0] = now16();
    a->report_tick = a->in->ticks;
    log_str("DEMO-ACT2 ");
    log_dec(a->mode.width);
    log_str("x");
    log_dec(a->mode.height);
    log_str("\n");
    return true;
}

static bool one_frame(struct act2 *a)
{
    u32 doorbell;
    const i32 frame = free_frame(a);
    *(volatile u32 *)frame_at(frame) = 0;
    wait_fence(a, draw_frame(a, frame, &doorbell));
    a->gpu_sum += to_us(a, a->fence_at - doorbell);
    a->frames++;
    if (a->shown < 0) return show_first(a, frame);
    wait_flip(a);
    a->ready = frame;
    return true;
}

int act2_run(struct input *in, u32 tsc_mhz)
{
    static struct act2 a;
    int key = 0;
    a = (struct act2){ .in = in, .mouse_seen = in->mouse_events, .tsc_mhz = tsc_mhz };
    start(&a);
    while (one_frame(&a)) {
        make_report(&a);
        do key = next_key(in);
        while (key >= 0 && key != '\t' && key != 27);
        if (key >= 0) break;
    }
    if (a.shown < 0) key = 0;
    stop(&a);
    log_str("DEMO-ACT1\n");
    return key;
}
