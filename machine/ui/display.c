/* Ownership of the screen and the three frames (display.h): the one being drawn, the last complete
 * one, and the window's copy of it, which exists only when there is a window. One lock, held for a
 * swap by the machine thread and for a copy by the window's; the machine thread alone changes which
 * frame is the complete one and so reads it without. A frame that needs much less memory than the
 * largest one so far gives it back. */
#include "machine/ui/display.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/core/error.h"

#define MAX_SOURCES 4

struct display {
    const struct display_source *sources[MAX_SOURCES];
    unsigned nsources;
    const struct display_source *shown;
    u64 mode_set_at; /* virtual time, 0: never */
    int forced;      /* source index chosen by the toggle, -1: the rules decide */
    pthread_mutex_t lock;
    struct frame buf[2], window;
    struct frame *draw, *current; /* in buf: being drawn, complete */
    u64 serial;
    void (*published)(void *opaque); /* under the lock */
    void *published_opaque;
};

struct display *display_create(void)
{
    struct display *d = xalloc(sizeof(*d));
    pthread_mutex_init(&d->lock, NULL);
    d->draw = &d->buf[0];
    d->current = &d->buf[1];
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
    frame_free(&d->buf[0]);
    frame_free(&d->buf[1]);
    frame_free(&d->window);
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

static void copy_frame(struct frame *to, const struct frame *from)
{
    frame_size(to, from->width, from->height);
    memcpy(to->pixels, from->pixels, (size_t)from->width * from->height * sizeof(u32));
    frame_text(to, from->cols, from->rows);
    if (from->cols) memcpy(to->text, from->text, (size_t)from->cols * from->rows);
    to->serial = from->serial;
    memcpy(to->name, from->name, sizeof(to->name));
    to->source = to->name;
}

static const struct display_source *choose(struct display *d)
{
    if (!d->nsources) return NULL;
    if (d->forced >= 0) return d->sources[(unsigned)d->forced % d->nsources];
    for (unsigned k = d->nsources; k-- > 1;) {
        if (d->sources[k]->claims && d->sources[k]->claims(d->sources[k]->opaque))
            return d->sources[k];
    }
    return d->sources[0];
}

bool display_refresh(struct display *d, bool force)
{
    const struct display_source *src = choose(d);
    if (!src) return false;
    if (src != d->shown) force = true;
    d->shown = src;
    if (!src->refresh(src->opaque, d->draw, force)) return false;
    struct frame *done = d->draw;
    done->serial = ++d->serial;
    /* The source may write a new name while the window copies this one. */
    snprintf(done->name, sizeof(done->name), "%s", done->source ? done->source : "no display");
    pthread_mutex_lock(&d->lock);
    d->draw = d->current;
    d->current = done;
    if (d->published) d->published(d->published_opaque);
    pthread_mutex_unlock(&d->lock);
    return true;
}

const struct frame *display_current(struct display *d)
{
    return d->current;
}

void display_toggle(struct display *d)
{
    if (d->forced >= 0) {
        d->forced = -1;
        return;
    }
    for (unsigned k = 0; k < d->nsources; k++) {
        if (d->sources[k] == d->shown) d->forced = (int)((k + 1) % d->nsources);
    }
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
    if (d->current->serial > d->window.serial) copy_frame(&d->window, d->current);
    pthread_mutex_unlock(&d->lock);
    return d->window.serial > seen ? &d->window : NULL;
}
