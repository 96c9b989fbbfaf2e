/* Shared parts of the demo guest's 32-bit half: types, ports, what the real-mode half found out,
   and the prototypes of the modules. The program's state is struct desktop and struct input, both
   objects of demo_main, passed to who needs them. */

#ifndef BIOS_DEMO_DEMO_H
#define BIOS_DEMO_DEMO_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#include "bios/io.h"

static inline u64 rdtsc(void)
{
    u64 v;
    __asm__ volatile("rdtsc" : "=A"(v));
    return v;
}

/* real.S */
struct e820 { u32 base, base_hi, len, len_hi, type; };
extern struct e820 boot_e820[32];
extern u32 boot_e820_count, boot_lfb, boot_width, boot_height, boot_pitch, boot_has_edid;
extern u16 boot_mode, boot_mode_count, boot_vbe_version, boot_vbe_memory;
extern u8 boot_edid[128];
extern const u32 vector_table[48];

/* text.c: strings, and the log that goes to COM1 and port E9h at once. */
struct text { char *s; u32 len, room; };
void put_char(struct text *t, char c);
void put_str(struct text *t, const char *s);
void put_mem(struct text *t, const char *s, u32 max);
void put_dec(struct text *t, u32 v, u32 width, char pad);
void put_hex(struct text *t, u32 v, u32 digits);
u32 str_len(const char *s);
int mem_equal(const void *a, const void *b, u32 n);
void log_init(void);
void log_str(const char *s);
void log_dec(u32 v);
void log_flush(void);

/* draw.c: 32-bit pixels into the back buffer, clipped to one rectangle at a time. */
struct rect { i32 x0, y0, x1, y1; };        /* x1, y1 are outside */
struct canvas {
    u32 *back, *front;
    i32 width, height;
    u32 front_pitch;                        /* bytes */
    struct rect clip;
};
int rect_meet(struct rect *out, const struct rect *a, const struct rect *b);
void fill(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 color);
void vgradient(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 top, u32 bottom);
void frame(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 color);
void darken(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 keep);
void line(struct canvas *c, i32 x0, i32 y0, i32 x1, i32 y1, u32 color);
void disc(struct canvas *c, i32 cx, i32 cy, i32 r, u32 color);
void glyph(struct canvas *c, i32 x, i32 y, u8 ch, u32 color, i32 scale);
void text_at(struct canvas *c, i32 x, i32 y, const char *s, u32 color);
void text_big(struct canvas *c, i32 x, i32 y, const char *s, u32 color, i32 scale);
const u8 *font_rows(u8 ch);                 /* 16 rows, leftmost dot in bit 7 */
void present(struct canvas *c, const struct rect *r);
u32 mix(u32 a, u32 b, u32 part);            /* part of 256 */

/* irq.c: interrupt table, timer, keyboard and mouse. Filled by interrupts, read
   by the main loop. */
enum { TICK_HZ = 60, KEY_QUEUE = 64 };
struct input {
    volatile u32 ticks;
    volatile u32 keys_in, keys_out;
    volatile u8 keys[KEY_QUEUE];            /* ASCII, 27 for Esc */
    volatile i32 mouse_x, mouse_y;
    volatile u32 buttons, mouse_events;
    u8 packet[3];
    u32 packet_at, shift, caps, extended;
    i32 limit_x, limit_y;
    u32 hook_irq;                           /* of a PCI function */
    void (*hook)(void *opaque);
    void *hook_opaque;
};
void interrupts_start(struct input *in);
/* Calls hook at every interrupt of line irq from now on; 0: no more. The line is a PCI function's:
   level triggered. */
void irq_hook(struct input *in, u32 irq, void (*hook)(void *opaque), void *opaque);
void interrupt(u32 vector, u32 eip);
int next_key(struct input *in);

/* facts.c: lines for the windows, gathered once. */
enum { LINE_LEN = 64, MAX_LINES = 34 };
struct lines {
    char at[MAX_LINES][LINE_LEN];
    u8 kind[MAX_LINES];                     /* 0 text, 1 heading */
    u32 count;
};
struct text new_line(struct lines *l, int heading);
void gather_machine(struct lines *l);
void gather_memory(struct lines *l);
void add_tsc_line(struct lines *l, u32 mhz);

/* pci.c */
void gather_pci(struct lines *l);
u32 pci_read(u32 bdf, u32 reg);

/* acpi.c */
struct power { u16 pm1a, pm1b, smi_cmd; u8 acpi_enable, typ_a, typ_b, known; };
void gather_firmware(struct lines *l, struct power *p);
void power_off(const struct power *p);

/* motion.c: the moving picture, drawn into any rectangle. */
struct motion {
    float ax, ay, az;
    struct ball {
        float x, y, dx, dy, r;
        u32 color;
    } balls[6];
    i32 w, h;
};
void motion_start(struct motion *m, i32 w, i32 h);
void motion_step(struct motion *m);
void motion_draw(struct canvas *c, const struct motion *m, i32 x, i32 y);

/* windows.c: panel, windows, cursor; what changed is redrawn, nothing else. */
enum { CURSOR_W = 13, CURSOR_H = 20 };
extern const char *const cursor_shape[CURSOR_H];    /* X: edge, .: inside */
enum { WIN_MACHINE, WIN_MEMORY, WIN_PCI, WIN_MOTION, WIN_NOTES, WINDOWS };
enum { MAX_DIRTY = 24, NOTE_ROWS = 5, NOTE_COLS = 46 };
struct window { i32 x, y, w, h; const char *title; const struct lines *lines; };
struct desktop {
    struct canvas canvas;
    struct window win[WINDOWS];
    u8 order[WINDOWS];                      /* back to front */
    struct rect dirty[MAX_DIRTY];
    u32 dirty_count;
    struct motion motion;
    char note[NOTE_ROWS][NOTE_COLS + 1];
    u32 note_row, note_col, caret_on;
    i32 cursor_x, cursor_y;
    i32 drag, grab_x, grab_y;               /* drag: window or -1 */
    u32 was_buttons;
    char clock[48];
    u32 fps;
    int has_act2, act2_empty;               /* empty: the device drew nothing */
    u32 act2_in;                            /* seconds until it starts by itself, 0: it does not */
};
void desktop_start(struct desktop *d, struct lines *machine, struct lines *memory,
                   struct lines *pci);
void mark_dirty(struct desktop *d, i32 x, i32 y, i32 w, i32 h);
void mark_window(struct desktop *d, u32 w);
void desktop_mouse(struct desktop *d, i32 x, i32 y, u32 buttons);
void desktop_key(struct desktop *d, int key);
void desktop_tick(struct desktop *d, u32 caret_on);
void desktop_clock(struct desktop *d, const char *clock, u32 fps);
void desktop_act2(struct desktop *d, u32 seconds);
void desktop_paint(struct desktop *d);
void desktop_goodbye(struct desktop *d, int can_power_off);

#endif
