/* The SDL window: shows the newest frame, sends keys and pointer to the machine (ui.h).
 *
 * The host's keys go to the guest, but for chords of Ctrl+Alt: G grabs or frees the pointer, F
 * toggles full screen, P saves a screenshot, V shows the other display function, S cycles the
 * scaling, Q closes. The pointer is grabbed by a click into the picture and then moves the guest's
 * PS/2 mouse by relative motion; the title says how to get out. Losing the focus releases every key
 * and the grab.
 *
 * The loop sleeps until SDL has an event. A published frame is one: the machine thread pushes it
 * through the display's listener, at most one at a time. Nothing is drawn but new frames and
 * exposed windows. */
#include <SDL.h>
#include <stdio.h>
#include <sys/stat.h>

#include "machine/core/types.h"
#include "machine/host/png.h"
#include "machine/ui/display.h"
#include "machine/ui/input.h" /* BUTTON_* */
#include "machine/ui/ui.h"

enum scale { SCALE_FIT, SCALE_INTEGER, SCALE_NONE, SCALE_COUNT };
static const char *const scale_names[] = { "fit", "integer", "none" };

struct window {
    const struct ui_host *h;
    SDL_Window *win;
    SDL_Renderer *ren;
    SDL_Texture *tex;
    u32 tex_w, tex_h;
    u64 seen; /* serial of the frame in the texture */
    enum scale scale;
    bool grabbed, fullscreen, sized_by_user, quit;
    bool stale;           /* what the window shows is not what draw() would draw */
    u32 frame_event;      /* SDL's number of "a frame was published" */
    int frame_pending;    /* atomic: such an event is under way */
    u32 last_w, last_h;   /* picture the window was last sized for */
    int asked_w, asked_h; /* window size that was for */
    SDL_Rect windowed;    /* what full screen without a window manager covered; width 0: nothing */
    unsigned buttons;
    char source[80], title[320];
};

/* --- picture --- */

static SDL_Rect picture_rect(const struct window *w)
{
    int ow, oh;
    SDL_GetRendererOutputSize(w->ren, &ow, &oh);
    double sx = (double)ow / w->tex_w, sy = (double)oh / w->tex_h, s = sx < sy ? sx : sy;
    if (w->scale == SCALE_NONE) s = 1;
    if (w->scale == SCALE_INTEGER) s = s >= 1 ? (double)(int)s : s;
    SDL_Rect r = { 0, 0, (int)(w->tex_w * s + 0.5), (int)(w->tex_h * s + 0.5) };
    r.x = MAX((ow - r.w) / 2, 0); /* what is too large shows its top left */
    r.y = MAX((oh - r.h) / 2, 0);
    return r;
}

/* After growing from ww x wh: around the same centre, but not off the screen. */
static void keep_on_screen(struct window *w, int ww, int wh)
{
    SDL_Rect usable;
    int x, y, n = SDL_GetWindowDisplayIndex(w->win);
    SDL_GetWindowPosition(w->win, &x, &y);
    if (n < 0 || SDL_GetDisplayUsableBounds(n, &usable)) return;
    x = MIN(x + (ww - w->asked_w) / 2, usable.x + usable.w - w->asked_w);
    y = MIN(y + (wh - w->asked_h) / 2, usable.y + usable.h - w->asked_h);
    SDL_SetWindowPosition(w->win, MAX(x, usable.x), MAX(y, usable.y));
}

/* A mode set resizes the window, unless the user gave it a size. What the screen has no room for is
 * scaled down. */
static void fit_window(struct window *w, u32 width, u32 height)
{
    SDL_Rect usable;
    int ow, oh, ww, wh, n = SDL_GetWindowDisplayIndex(w->win);
    if (w->fullscreen || w->sized_by_user || (width == w->last_w && height == w->last_h)) return;
    w->last_w = width;
    w->last_h = height;
    SDL_GetRendererOutputSize(w->ren, &ow, &oh);
    SDL_GetWindowSize(w->win, &ww, &wh);
    double points = 1, s = 1; /* the window's size is in points, the picture's in pixels; a doubled
                                 picture is wanted there */
    if (ow > ww && ww > 0) points = (double)ow / ww;
    if (points > 1 && points < 2) s = 1 / points; /* fractional scaling: a pixel is a pixel */
    if (n >= 0 && !SDL_GetDisplayUsableBounds(n, &usable) && usable.w > 0 && usable.h > 0) {
        s = MIN(s, (double)usable.w / width);
        s = MIN(s, (double)usable.h / height);
    }
    w->asked_w = MAX((int)(width * s + 0.5), 1);
    w->asked_h = MAX((int)(height * s + 0.5), 1);
    SDL_SetWindowSize(w->win, w->asked_w, w->asked_h);
    keep_on_screen(w, ww, wh);
}

static void set_title(struct window *w)
{
    char t[sizeof(w->title)];
    snprintf(t, sizeof(t), "aeropc - %s - %s%s", w->h->name, w->source,
             w->grabbed ? " - Ctrl+Alt+G frees the mouse" : "");
    if (!strcmp(t, w->title)) return;
    memcpy(w->title, t, sizeof(t));
    SDL_SetWindowTitle(w->win, t);
}

static void take_frame(struct window *w)
{
    const struct frame *f = display_take(w->h->display, w->seen);
    if (!f || !f->width || !f->height) return;
    w->seen = f->serial;
    if (!w->tex || w->tex_w != f->width || w->tex_h != f->height) {
        if (w->tex) SDL_DestroyTexture(w->tex);
        w->tex = SDL_CreateTexture(w->ren, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)f->width, (int)f->height);
        w->tex_w = f->width;
        w->tex_h = f->height;
        fit_window(w, f->width, f->height);
    }
    if (!w->tex) return; /* larger than the renderer allows: the last picture stays */
    w->stale = true;
    SDL_UpdateTexture(w->tex, NULL, f->pixels, (int)(f->width * sizeof(u32)));
    snprintf(w->source, sizeof(w->source), "%s", f->name);
    set_title(w);
}

static void draw(struct window *w)
{
    SDL_SetRenderDrawColor(w->ren, 0, 0, 0, 255);
    SDL_RenderClear(w->ren);
    if (w->tex) {
        SDL_Rect r = picture_rect(w);
        SDL_SetTextureScaleMode(w->tex,
                                r.w % (int)w->tex_w ? SDL_ScaleModeLinear : SDL_ScaleModeNearest);
        SDL_RenderCopy(w->ren, w->tex, NULL, &r);
    }
    SDL_RenderPresent(w->ren);
    w->stale = false;
}

/* The first free name aeropc-NNN.png in the current folder. */
static void screenshot(struct window *w)
{
    char path[32];
    struct stat st;
    struct error e;
    const struct frame *f = display_take(w->h->display, 0);
    unsigned n = 0;
    do snprintf(path, sizeof(path), "aeropc-%03u.png", ++n);
    while (n < 1000 && !stat(path, &st));
    if (!f || n == 1000) {
        fprintf(stderr, "aeropc: no screenshot: %s\n",
                f ? "aeropc-001.png to aeropc-999.png all exist" : "there is no picture yet");
        return;
    }
    if (png_write(path, f->pixels, f->width, f->height, &e))
        fprintf(stderr, "aeropc: %s\n", e.text);
    else
        fprintf(stderr, "aeropc: saved %s\n", path);
}

/* --- input --- */

static void grab(struct window *w, bool on)
{
    if (w->grabbed == on) return;
    if (SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE) && on) return;
    SDL_SetWindowKeyboardGrab(w->win, on ? SDL_TRUE : SDL_FALSE);
    w->grabbed = on;
    set_title(w);
}

static void release_all(struct window *w)
{
    w->buttons = 0;
    w->h->release_all(w->h->opaque);
}

/* Full screen is asked of the window manager. An X server may have none; SDL then believes in a
 * size that the window does not have. A window without a border may be such a one, so it is put
 * where a full screen goes beforehand; a manager of borderless windows takes no harm from that. */
static void toggle_fullscreen(struct window *w)
{
    int top = 0, left = 0, n = SDL_GetWindowDisplayIndex(w->win);
    SDL_Rect all, *back = &w->windowed;
    w->fullscreen = !w->fullscreen;
    w->stale = true;
    if (!w->fullscreen) {
        SDL_SetWindowFullscreen(w->win, 0);
        if (!back->w) return;
        SDL_SetWindowSize(w->win, back->w, back->h);
        SDL_SetWindowPosition(w->win, back->x, back->y);
        back->w = 0;
        return;
    }
    SDL_GetWindowBordersSize(w->win, &top, &left, NULL, NULL);
    if (!top && !left && n >= 0 && !SDL_GetDisplayBounds(n, &all)) {
        SDL_GetWindowPosition(w->win, &back->x, &back->y);
        SDL_GetWindowSize(w->win, &back->w, &back->h);
        SDL_SetWindowPosition(w->win, all.x, all.y);
        SDL_SetWindowSize(w->win, all.w, all.h);
    }
    SDL_SetWindowFullscreen(w->win, SDL_WINDOW_FULLSCREEN_DESKTOP);
}

static void next_scale(struct window *w)
{
    w->scale = (enum scale)((w->scale + 1) % SCALE_COUNT);
    w->stale = true;
}

/* Ctrl+Alt+letter; returns whether the key is ours. The guest sees the modifiers released. */
static bool hot_key(struct window *w, SDL_Scancode sc)
{
    switch (sc) {
    case SDL_SCANCODE_G: grab(w, !w->grabbed); break;
    case SDL_SCANCODE_F: toggle_fullscreen(w); break;
    case SDL_SCANCODE_P: screenshot(w); break;
    case SDL_SCANCODE_V: w->h->toggle(w->h->opaque); break;
    case SDL_SCANCODE_S: next_scale(w); break;
    case SDL_SCANCODE_Q: w->quit = true; break;
    default: return false;
    }
    release_all(w);
    return true;
}

static void key_event(struct window *w, const SDL_KeyboardEvent *k)
{
    SDL_Scancode sc = k->keysym.scancode;
    bool down = k->type == SDL_KEYDOWN;
    if (k->repeat) return; /* the guest's keyboard repeats by itself */
    if (down && k->keysym.mod & KMOD_CTRL && k->keysym.mod & KMOD_ALT && hot_key(w, sc)) return;
    if (sc > 0 && sc < 256)
        w->h->key(w->h->opaque, (unsigned)sc, down); /* scancodes are USB usages */
}

static void button_event(struct window *w, const SDL_MouseButtonEvent *b)
{
    static const unsigned masks[] = { 0,           BUTTON_LEFT, BUTTON_MIDDLE, BUTTON_RIGHT,
                                      BUTTON_SIDE, BUTTON_EXTRA };
    if (b->button >= LEN(masks)) return;
    if (!w->grabbed) { /* the click that grabs is not the guest's */
        if (b->type == SDL_MOUSEBUTTONDOWN) grab(w, true);
        return;
    }
    unsigned m = masks[b->button];
    w->buttons = b->type == SDL_MOUSEBUTTONDOWN ? w->buttons | m : w->buttons & ~m;
    w->h->buttons(w->h->opaque, w->buttons);
}

static void window_event(struct window *w, const SDL_WindowEvent *e)
{
    w->stale = true; /* shown, uncovered, resized, moved to another screen */
    if (e->event == SDL_WINDOWEVENT_FOCUS_LOST) {
        release_all(w);
        grab(w, false);
    } else if (e->event == SDL_WINDOWEVENT_RESIZED && !w->fullscreen) {
        w->sized_by_user = e->data1 != w->asked_w || e->data2 != w->asked_h;
    }
}

/* The renderer lost its textures: the next frame, asked for again, makes a new one. */
static void lose_texture(struct window *w)
{
    if (w->tex) SDL_DestroyTexture(w->tex);
    w->tex = NULL;
    w->seen = 0;
}

static void handle(struct window *w, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_QUIT: w->quit = true; break;
    case SDL_KEYDOWN:
    case SDL_KEYUP: key_event(w, &e->key); break;
    case SDL_MOUSEMOTION:
        if (w->grabbed) w->h->pointer(w->h->opaque, e->motion.xrel, e->motion.yrel, 0);
        break;
    case SDL_MOUSEWHEEL:
        if (w->grabbed)
            w->h->pointer(w->h->opaque, 0, 0,
                          e->wheel.direction == SDL_MOUSEWHEEL_FLIPPED ? -e->wheel.y : e->wheel.y);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: button_event(w, &e->button); break;
    case SDL_WINDOWEVENT: window_event(w, &e->window); break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET: lose_texture(w); break;
    default: break;
    }
}

/* --- life --- */

static int open_window(struct window *w, struct error *e)
{
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    if (SDL_Init(SDL_INIT_VIDEO)) {
        return error_set(e,
                         "no window can be opened (%s): use --display none, with --serial stdio or "
                         "--monitor stdio",
                         SDL_GetError());
    }
    /* SDL falls back to drivers nobody can see; they are for those who ask by SDL_VIDEODRIVER. */
    const char *driver = SDL_GetCurrentVideoDriver();
    if (!getenv("SDL_VIDEODRIVER") && driver &&
        (!strcmp(driver, "offscreen") || !strcmp(driver, "dummy"))) {
        return error_set(e, "no window can be opened (there is no display): use --display none, "
                            "with --serial stdio or --monitor stdio");
    }
    w->win = SDL_CreateWindow("aeropc", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, 720, 400,
                              SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (w->win) w->ren = SDL_CreateRenderer(w->win, -1, 0);
    if (w->win && !w->ren) w->ren = SDL_CreateRenderer(w->win, -1, SDL_RENDERER_SOFTWARE);
    SDL_StopTextInput(); /* keys are wanted, not what an input method makes of them */
    w->frame_event = SDL_RegisterEvents(1);
    return w->ren
               ? 0
               : error_set(e, "no window can be opened (%s): use --display none", SDL_GetError());
}

static void close_window(struct window *w)
{
    if (w->tex) SDL_DestroyTexture(w->tex);
    if (w->ren) SDL_DestroyRenderer(w->ren);
    if (w->win) SDL_DestroyWindow(w->win);
    SDL_Quit();
}

/* On the machine thread: wakes the window, unless it has not yet seen the last call. */
static void frame_published(void *opaque)
{
    struct window *w = opaque;
    SDL_Event ev = { .type = w->frame_event };
    if (!__atomic_exchange_n(&w->frame_pending, 1, __ATOMIC_ACQ_REL)) SDL_PushEvent(&ev);
}

/* One round: sleeps for an event, handles all there are, draws if need be. The time-out is for what
 * sends none: the end of the machine, and a frame whose event found the queue full. */
static void loop(struct window *w)
{
    SDL_Event ev;
    if (SDL_WaitEventTimeout(&ev, 100)) {
        do handle(w, &ev);
        while (SDL_PollEvent(&ev));
    }
    if (w->quit) {
        w->h->quit(w->h->opaque);
        w->quit = false;
    }
    __atomic_store_n(&w->frame_pending, 0, __ATOMIC_RELEASE);
    take_frame(w);
    if (w->stale) draw(w);
}

int ui_sdl_run(const struct ui_host *h, struct error *e)
{
    struct window w = { .h = h };
    for (unsigned k = 0; k < SCALE_COUNT; k++) {
        if (!strcmp(h->scale, scale_names[k])) w.scale = (enum scale)k;
    }
    int ret = open_window(&w, e);
    if (!ret) display_set_listener(h->display, frame_published, &w);
    if (!ret && h->fullscreen) toggle_fullscreen(&w);
    while (!ret && h->running(h->opaque)) loop(&w);
    display_set_listener(h->display, NULL, NULL);
    close_window(&w);
    return ret;
}
