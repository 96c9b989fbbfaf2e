/* The window's view of the machine: frames to show, and where to send what the user does. All
 * callbacks may be called from the window's thread; main.c turns them into mail for the machine
 * thread. */
#ifndef UI_UI_H
#define UI_UI_H

#include "machine/core/error.h"
#include "machine/core/types.h"

struct display;

struct ui_host {
    struct display *display;
    void *opaque;
    void (*key)(void *opaque, unsigned usage, bool down); /* USB usage code of page 7 */
    void (*pointer)(void *opaque, int dx, int dy, int wheel);
    void (*buttons)(void *opaque, unsigned mask); /* BUTTON_* of input.h */
    void (*release_all)(void *opaque);
    void (*toggle)(void *opaque);
    void (*power_button)(void *opaque);
    void (*reset)(void *opaque);
    void (*quit)(void *opaque);    /* the window was closed: end the machine */
    bool (*running)(void *opaque); /* false once the machine thread has ended */
    const char *scale;             /* "fit", "integer", "none" */
    bool fullscreen;
    const char *name; /* for the title: the image's name, or "demo" */
};

/* Runs the window until the machine ends. -1: no window could be opened (e says what to do). */
int ui_sdl_run(const struct ui_host *h, struct error *e);

#endif
