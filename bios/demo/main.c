/* The demo guest: what `make run` shows. The real-mode half (real.S) has asked the BIOS and set a
   linear mode; here the machine is looked at, a desktop is drawn and kept alive until Esc.

   The program sleeps in HLT between timer interrupts and draws one frame for each, or fewer if the
   machine is slow. Marks for tests on COM1 and port E9h: "DEMO-UP <width>x<height>" when the first
   frame is on the screen, "DEMO-KEY <text>" for a line typed into Notes, "DEMO-OFF" before
   power-off. */

#include "bios/demo/act2.h"

void demo_main(void);

enum { BACK_BUFFER = 0x400000, ALONE_SECONDS = 12 };

static u8 cmos(u8 reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

static u32 rtc_number(u8 v, u8 status_b) { return status_b & 4 ? v : (v >> 4) * 10u + (v & 15); }

/* Date and time as text. False while the clock updates itself, then the old text stays. */
static int read_clock(struct text *t)
{
    if (cmos(10) & 0x80) return 0;
    const u8 b = cmos(11), hour_raw = cmos(4);
    u32 hour = rtc_number(hour_raw & 0x7f, b);
    if (!(b & 2)) hour = hour % 12 + (hour_raw & 0x80 ? 12 : 0);
    const u32 date[3] = { 2000 + rtc_number(cmos(9), b), rtc_number(cmos(8), b),
                          rtc_number(cmos(7), b) };
    const u32 time[3] = { hour, rtc_number(cmos(2), b), rtc_number(cmos(0), b) };
    for (u32 i = 0; i < 3; i++) {
        put_dec(t, date[i], 2, '0');
        put_char(t, i < 2 ? '-' : ' ');
    }
    put_str(t, "  ");
    for (u32 i = 0; i < 3; i++) {
        put_dec(t, time[i], 2, '0');
        if (i < 2) put_char(t, ':');
    }
    return 1;
}

static void sleep_until_tick(const struct input *in, u32 seen)
{
    while (in->ticks == seen) __asm__ volatile("hlt");
}

/* Time stamp counter over a tenth of a second, in MHz. */
static u32 tsc_mhz(const struct input *in)
{
    sleep_until_tick(in, in->ticks);
    const u32 from_tick = in->ticks;
    const u64 from = rdtsc();
    while (in->ticks - from_tick < TICK_HZ / 10) __asm__ volatile("hlt");
    const u32 cycles = (u32)(rdtsc() - from);
    return cycles / 100000;
}

static void clear_bss(void)
{
    extern u8 bss_start[], bss_end[];
    for (u8 *p = bss_start; p < bss_end; p++) *p = 0;
}

/* After reset every x87 exception is unmasked; FNINIT masks them and sets 64-bit precision. */
static void fpu_start(void)
{
    u32 cr0;
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~0xcu) | 0x22;             /* not EM, not TS; NE, MP */
    __asm__ volatile("movl %0, %%cr0\n fninit" :: "r"(cr0));
}

static void say_up(void)
{
    log_str("DEMO-UP ");
    log_dec(boot_width);
    log_str("x");
    log_dec(boot_height);
    log_str("\n");
}

static void panel(struct desktop *d, u32 fps)
{
    char room[48] = "";
    struct text t = { room, 0, sizeof(room) };
    if (read_clock(&t)) desktop_clock(d, room, fps);
}

/* How long nobody has typed or moved the mouse. */
struct quiet {
    u32 from, events;                       /* tick; keys and mouse packets until then */
    int counts;                             /* until the second act was seen */
};

/* Counts down to the second act. True: it is time. */
static int count_down(struct desktop *d, const struct input *in, struct quiet *q)
{
    if (!d->has_act2 || !q->counts) return 0;
    if (q->events != in->keys_in + in->mouse_events) {
        q->events = in->keys_in + in->mouse_events;
        q->from = in->ticks;
    }
    const u32 passed = (in->ticks - q->from) / TICK_HZ;
    desktop_act2(d, passed < ALONE_SECONDS ? ALONE_SECONDS - passed : 0);
    return passed >= ALONE_SECONDS;
}

/* The second act; returns whether the machine goes on. */
static int second_act(struct desktop *d, struct input *in, u32 tsc)
{
    desktop_act2(d, 0);
    desktop_paint(d);
    const int key = act2_run(in, tsc);
    if (!key) {
        d->has_act2 = 0;
        d->act2_empty = 1;
    }
    mark_dirty(d, 0, 0, d->canvas.width, d->canvas.height);
    desktop_mouse(d, in->mouse_x, in->mouse_y, 0);
    desktop_paint(d);
    return key != 27;
}

/* Runs until Esc. */
static void run(struct desktop *d, struct input *in, u32 tsc)
{
    u32 seen = in->ticks, frames = 0, fps = 0, fps_from = seen, mouse_seen = 0;
    struct quiet quiet = { seen, 0, 1 };
    for (;;) {
        sleep_until_tick(in, seen);
        int act2 = count_down(d, in, &quiet);
        for (int key; !act2 && (key = next_key(in)) >= 0;) {
            if (key == 27) return;
            act2 = key == '\t' && d->has_act2;
            desktop_key(d, key);
        }
        if (act2) {
            quiet.counts = 0;
            if (!second_act(d, in, tsc)) return;
            frames = 0;
            seen = fps_from = in->ticks;
        }
        const u32 now = in->ticks;
        if (in->mouse_events != mouse_seen) {
            mouse_seen = in->mouse_events;
            desktop_mouse(d, in->mouse_x, in->mouse_y, in->buttons);
        }
        const u32 steps = now - seen;
        for (u32 i = 0; i < steps && i < 4; i++) desktop_tick(d, now / (TICK_HZ / 2) & 1);
        seen = now;
        if (now - fps_from >= TICK_HZ) {
            fps = frames * TICK_HZ / (now - fps_from);
            frames = 0;
            fps_from = now;
        }
        if (now % (TICK_HZ / 5) < steps) panel(d, fps);
        desktop_paint(d);
        frames++;
    }
}

void demo_main(void)
{
    clear_bss();
    fpu_start();
    log_init();
    struct input in = { 0 };
    in.limit_x = (i32)boot_width;
    in.limit_y = (i32)boot_height;
    in.mouse_x = in.limit_x / 2;
    in.mouse_y = in.limit_y / 2;
    interrupts_start(&in);

    struct lines machine = { .count = 0 }, memory = { .count = 0 }, pci = { .count = 0 };
    struct power power = { 0 };
    const u32 tsc = tsc_mhz(&in);
    gather_machine(&machine);
    add_tsc_line(&machine, tsc);
    gather_firmware(&machine, &power);
    gather_memory(&memory);
    gather_pci(&pci);

    struct desktop d = { .fps = 0 };
    d.canvas = (struct canvas){ (u32 *)BACK_BUFFER, (u32 *)boot_lfb, (i32)boot_width,
                                (i32)boot_height,   boot_pitch,      { 0, 0, 0, 0 } };
    desktop_start(&d, &machine, &memory, &pci);
    d.has_act2 = act2_possible();
    panel(&d, 0);
    desktop_paint(&d);
    say_up();
    run(&d, &in, tsc);
    desktop_goodbye(&d, power.known);
    log_str("DEMO-OFF\n");
    log_flush();
    __asm__ volatile("cli");
    power_off(&power);
    log_str("DEMO-OFF-FAILED\n");
}
