/* Who owns the screen, and the frames in between the machine thread and the window.
 *
 * A source registers itself with a refresh function: "vga" the boot display, "scanout0" AeroGPU's
 * driver, "stdvga" a Standard VGA beside it that is not the boot display. display_refresh() runs on
 * the machine thread, asks the owning source to draw if anything changed, and publishes the frame;
 * the window thread takes the newest complete frame with display_take(). Nobody waits for anybody.
 *
 * Whose picture is shown is decided by the sources' claims ("auto") or by the user: a view is a
 * source's name. A source with vertical blanks (display_vblank) is drawn at each, so that every
 * frame of its guest is seen once and whole; others at 60 Hz of host time. Screenshots and `wait`
 * can look at any view (display_look). */
#ifndef UI_DISPLAY_H
#define UI_DISPLAY_H

#include "machine/core/text.h"
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
    char name[80]; /* a copy of it, and the view unless it is automatic, made when the frame was
                      published */
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
bool display_refresh(struct display *d, bool always);
/* Machine thread: the last published frame, e.g. for a screenshot; valid until the next refresh. */
const struct frame *display_current(struct display *d);
/* The last published frame counts them. */
u64 display_frames(const struct display *d);
/* Machine thread: the picture of a view as it is now, shown or not; NULL: what is shown. Valid
 * until the next look or refresh. Returns NULL when there is no such view. */
const struct frame *display_look(struct display *d, const char *view);
u64 frame_sum(const struct frame *f); /* of size and pixels: tells pictures apart */

/* Machine thread, every now and then: refreshes unless the shown source paces itself. */
bool display_poll(struct display *d);
/* A source's vertical blank, before the driver hears of it: what it shows now was shown since the
 * one before. Refreshes when somebody watches and src is shown. */
void display_vblank(struct display *d, const struct display_source *src);

/* Show this source regardless of claims, or "auto". -1: no such source. */
int display_set_view(struct display *d, const char *view);
const char *display_view(const struct display *d);           /* a source's name or "auto" */
void display_views(const struct display *d, struct text *t); /* all of them, for messages */
/* Host key or monitor: the next source regardless of claims; after the last one the rules again. */
void display_toggle(struct display *d);

/* Called on the machine thread after every published frame; it must not call the display. NULL:
 * nobody listens. */
void display_set_listener(struct display *d, void (*published)(void *opaque), void *opaque);

/* Window thread: newest frame if newer than `seen`, else NULL; valid until the next call. */
const struct frame *display_take(struct display *d, u64 seen);

#endif
