/* Ownership of the screen and the frames in between (display.h). Three frames change hands by
 * pointer: the one the machine thread draws, the newest complete one, and the window's. Nobody
 * copies and nobody waits longer than for two pointers to be swapped under the one lock. The newest
 * frame belongs to the machine thread or to the window, which only reads it, so the machine thread
 * reads it without the lock. A fourth frame is for pictures of views that are not shown. A frame
 * that needs much less memory than the largest one so far gives it back. */
#include "machine/ui/display.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/core/clock.h" /* clock_host_ns */
#include "machine/core/error.h"

#define MAX_SOURCES 4
#define PACED_NS 30000000u  /* a source that was seen in vertical blank so lately paces itself */
#define CLOSEST_NS 4000000u /* frames of a guest whose time runs faster than ours */

struct display {
    const struct display_source *sources[MAX_SOURCES];
    unsigned nsources;
    const struct display_source *shown;
    u64 mode_set_at; /* virtual time, 0: never */
    int forced;      /* source index chosen by the user, -1: the rules decide */
    bool redraw;     /* the next refresh draws in any case */
    u64 paced_ns;    /* host time of the last refresh at a vertical blank */
    struct frame buf[3], look;
    struct frame *draw, *newest; /* being drawn; complete: `ready` or `window` */
    u64 serial;
    pthread_mutex_t lock;
    struct frame *ready, *window;
    void (*published)(void *opaque);
    void *published_opaque;
};

struct display *display_create(void)
{
    struct display *d = xalloc(sizeof(*d));
    pthread_mutex_init(&d->lock, NULL);
    d->draw = &d->buf[0];
    d->newest = d->ready = &d->buf[1];
    d->window = &d->buf[2];
    d->forced = -1;
    return d;
}

static void frame_free(struct frame *f)
{
    free(f->pixels);
    free(f->text);
}

void display_destroy(struct display *d)
{
    if (!d) return;
    for (unsigned k = 0; k < LEN(d->buf); k++) frame_free(&d->buf[k]);
    frame_free(&d->look);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void display_add_source(struct display *d, const struct display_source *src)
{
    check(d->nsources < MAX_SOURCES);
    d->sources[d->nsources++] = src;
}

void display_mode_was_set(struct display *d, u64 now_ns)
{
    d->mode_set_at = now_ns;
}

u64 display_mode_set_at(const struct display *d)
{
    return d->mode_set_at;
}

void frame_size(struct frame *f, u32 width, u32 height)
{
    width = MIN(width, DISPLAY_MAX_W);
    height = MIN(height, DISPLAY_MAX_H);
    size_t need = (size_t)width * height;
    if (need > f->capacity || need < f->capacity / 4) {
        free(f->pixels);
        f->pixels = xalloc(need * sizeof(u32));
        f->capacity = need;
    }
    f->width = width;
    f->height = height;
}

void frame_text(struct frame *f, u32 cols, u32 rows)
{
    size_t need = (size_t)cols * rows;
    if (need > f->text_capacity) {
        free(f->text);
        f->text = xalloc(need);
        f->text_capacity = need;
    }
    f->cols = cols;
    f->rows = rows;
}

u64 frame_sum(const struct frame *f)
{
    u64 h = 0xcbf29ce484222325ull ^ ((u64)f->width << 32 | f->height);
    for (size_t k = 0, n = (size_t)f->width * f->height; k < n; k++)
        h = (h ^ (f->pixels[k] & 0xffffff)) * 0x100000001b3ull;
    return h;
}

/* --- whose picture --- */

/* By the rules: the last source that claims the screen, else the first. */
static unsigned rules(const struct display *d)
{
    for (unsigned k = d->nsources; k-- > 1;) {
        if (d->sources[k]->claims && d->sources[k]->claims(d->sources[k]->opaque)) return k;
    }
    return 0;
}

static const struct display_source *choose(const struct display *d)
{
    if (!d->nsources) return NULL;
    return d->sources[d->forced >= 0 ? (unsigned)d->forced : rules(d)];
}

static int find(const struct display *d, const char *view)
{
    for (unsigned k = 0; k < d->nsources; k++) {
        if (!strcmp(d->sources[k]->name, view)) return (int)k;
    }
    return -1;
}

static void force(struct display *d, int source)
{
    d->forced = source;
    d->redraw = true;
}

int display_set_view(struct display *d, const char *view)
{
    int k = find(d, view);
    bool automatic = !strcmp(view, "auto");
    if (k < 0 && !automatic) return -1;
    force(d, automatic ? -1 : k);
    return 0;
}

const char *display_view(const struct display *d)
{
    return d->forced >= 0 ? d->sources[d->forced]->name : "auto";
}

void display_views(const struct display *d, struct text *t)
{
    text_add(t, "auto");
    for (unsigned k = 0; k < d->nsources; k++) text_add(t, ", %s", d->sources[k]->name);
}

void display_toggle(struct display *d)
{
    if (d->nsources < 2) return;
    unsigned automatic = rules(d);
    unsigned next = ((d->forced >= 0 ? (unsigned)d->forced : automatic) + 1) % d->nsources;
    force(d, next == automatic ? -1 : (int)next);
}

/* --- frames --- */

static void name_frame(const struct display *d, struct frame *f)
{
    const char *source = f->source ? f->source : "no display";
    if (d->forced >= 0)
        snprintf(f->name, sizeof(f->name), "%s [view %s]", source, display_view(d));
    else
        snprintf(f->name, sizeof(f->name), "%s", source);
}

bool display_refresh(struct display *d, bool always)
{
    const struct display_source *src = choose(d);
    if (!src) return false;
    always |= src != d->shown || d->redraw;
    d->shown = src;
    d->draw->width = d->newest->width; /* a blank screen keeps its size */
    d->draw->height = d->newest->height;
    if (!src->refresh(src->opaque, d->draw, always)) return false;
    struct frame *done = d->draw;
    d->redraw = false;
    done->serial = ++d->serial;
    name_frame(d, done); /* the source may write a new name while the window reads this one */
    pthread_mutex_lock(&d->lock);
    d->draw = d->ready;
    d->ready = d->newest = done;
    if (d->published) d->published(d->published_opaque);
    pthread_mutex_unlock(&d->lock);
    return true;
}

bool display_poll(struct display *d)
{
    if (d->paced_ns && clock_host_ns() - d->paced_ns < PACED_NS && choose(d) == d->shown &&
        !d->redraw)
        return false;
    return display_refresh(d, false);
}

void display_vblank(struct display *d, const struct display_source *src)
{
    pthread_mutex_lock(&d->lock);
    bool watched = d->published != NULL;
    pthread_mutex_unlock(&d->lock);
    u64 now = watched && choose(d) == src ? clock_host_ns() : 0;
    if (!now || now - d->paced_ns < CLOSEST_NS) return;
    d->paced_ns = now;
    display_refresh(d, false);
}

const struct frame *display_current(struct display *d)
{
    return d->newest;
}

const struct frame *display_look(struct display *d, const char *view)
{
    int k = view ? find(d, view) : -1;
    if (view && k < 0) return NULL;
    if (!view || d->sources[k] == choose(d)) {
        display_refresh(d, true);
        return d->newest;
    }
    /* It tells the source that its changes were seen; the display forgets whose picture it has when
     * it goes there the next time. */
    d->sources[k]->refresh(d->sources[k]->opaque, &d->look, true);
    snprintf(d->look.name, sizeof(d->look.name), "%s",
             d->look.source ? d->look.source : "no display");
    return &d->look;
}

u64 display_frames(const struct display *d)
{
    return d->serial;
}

void display_set_listener(struct display *d, void (*published)(void *opaque), void *opaque)
{
    pthread_mutex_lock(&d->lock);
    d->published = published;
    d->published_opaque = opaque;
    pthread_mutex_unlock(&d->lock);
}

const struct frame *display_take(struct display *d, u64 seen)
{
    pthread_mutex_lock(&d->lock);
    if (d->ready->serial > d->window->serial) {
        struct frame *f = d->ready;
        d->ready = d->window;
        d->window = f;
    }
    pthread_mutex_unlock(&d->lock);
    return d->window->serial > seen ? d->window : NULL;
}
