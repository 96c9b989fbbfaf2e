/* Who owns the screen, and the frames in between the machine thread and the window.
 *
 * A source (vga, aerogpu) registers itself with a refresh function. display_refresh() runs on the
 * machine thread, asks the owning source to draw if anything changed, and publishes the frame; the
 * window thread copies the newest complete frame with display_take(). Nobody waits longer than one
 * copy. Screenshots and `wait screen` go through the same refresh. */
#ifndef UI_DISPLAY_H
#define UI_DISPLAY_H

#include "machine/core/types.h"

#define DISPLAY_MAX_W 4096u
#define DISPLAY_MAX_H 4096u

struct frame {
    u32 width, height; /* pixels; 0 x 0 before the first one */
    u32 *pixels;       /* 0x00RRGGBB, width * height, no padding */
    size_t capacity;   /* pixels allocated */
    u64 serial;        /* grows with every published frame */
    /* Text modes: the characters on screen, rows * cols bytes of code page 437; else cols == 0. */
    u32 cols, rows;
    u8 *text;
    size_t text_capacity;
    const char *source; /* "VGA text 80x25": for the title; static or source-owned */
    char name[48];      /* a copy of it, made when the frame was published */
};

struct display;

/* What a display device registers. All run on the machine thread. */
struct display_source {
    const char *name;
    void *opaque;
    /* Draws the current picture into f (sized by frame_size) when it changed since the last call or
     * when force is set; returns whether it drew. */
    bool (*refresh)(void *opaque, struct frame *f, bool force);
    /* Wants to be shown in place of the sources registered before it; NULL: never insists. */
    bool (*claims)(void *opaque);
};

struct display *display_create(void);
void display_destroy(struct display *d);
/* src outlives the display */
void display_add_source(struct display *d, const struct display_source *src);
/* The boot display set a mode at this virtual time; 0: never. A driver's scanout that claims the
 * screen looks at it: a stop screen, or a system that starts anew, wants to be seen. */
void display_mode_was_set(struct display *d, u64 now_ns);
u64 display_mode_set_at(const struct display *d);
void frame_size(struct frame *f, u32 width, u32 height); /* grows the buffer; content undefined */
void frame_text(struct frame *f, u32 cols, u32 rows);    /* 0, 0 for graphics */

/* Machine thread: draw and publish if something changed (or force). Returns whether it did. */
bool display_refresh(struct display *d, bool force);
/* Machine thread: the last published frame, e.g. for a screenshot; valid until the next refresh. */
const struct frame *display_current(struct display *d);
/* Host key or monitor: show the next source regardless of claims; once more: the rules again. */
void display_toggle(struct display *d);

/* Called on the machine thread after every published frame; it must not call the display. NULL:
 * nobody listens. */
void display_set_listener(struct display *d, void (*published)(void *opaque), void *opaque);

/* Window thread: newest frame if newer than `seen`, else NULL; valid until the next call. */
const struct frame *display_take(struct display *d, u64 seen);

#endif
