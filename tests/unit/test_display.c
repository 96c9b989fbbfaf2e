/* Who owns the screen, and the hand-over of frames to the window. */
#include "machine/ui/display.h"

#include <pthread.h>

#include "tests/unit/harness.h"

struct fake {
    struct display_source src;
    u32 colour;
    bool changed, wants;
    unsigned drawn;
};

static struct display *d;
static struct fake one, two;

static bool draw(void *opaque, struct frame *f, bool force)
{
    struct fake *s = opaque;
    if (!s->changed && !force) return false;
    s->changed = false;
    s->drawn++;
    frame_size(f, 2, 1);
    frame_text(f, 0, 0);
    f->pixels[0] = f->pixels[1] = s->colour;
    f->source = s->src.name;
    return true;
}

static bool claims(void *opaque)
{
    return ((struct fake *)opaque)->wants;
}

static void setup(void)
{
    d = display_create();
    one = (struct fake){ .src = { "one", &one, draw, NULL }, .colour = 1 };
    two = (struct fake){ .src = { "two", &two, draw, claims }, .colour = 2 };
    display_add_source(d, &one.src);
    display_add_source(d, &two.src);
}

static void teardown(void)
{
    display_destroy(d);
}

START_TEST(first_source_until_another_claims)
{
    ck_assert(display_refresh(d, false)); /* the first look draws */
    ck_assert_uint_eq(display_current(d)->pixels[0], 1);
    two.wants = true;
    ck_assert(display_refresh(d, false)); /* a change of owner draws */
    ck_assert_uint_eq(display_current(d)->pixels[0], 2);
    two.wants = false;
    ck_assert(display_refresh(d, false));
    ck_assert_uint_eq(display_current(d)->pixels[0], 1);
    ck_assert(!display_refresh(d, false));
}
END_TEST

START_TEST(toggle_shows_the_other_and_returns)
{
    display_refresh(d, false);
    display_toggle(d);
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->source, "two");
    display_toggle(d);
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->source, "one");
}
END_TEST

START_TEST(views_by_name)
{
    struct text t;
    text_init(&t);
    ck_assert_str_eq(display_view(d), "auto");
    ck_assert_int_eq(display_set_view(d, "three"), -1);
    ck_assert_str_eq(display_view(d), "auto");
    ck_assert_int_eq(display_set_view(d, "two"), 0);
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->name, "two [view two]"); /* the title says that it is kept */
    two.wants = true;
    ck_assert_int_eq(display_set_view(d, "one"), 0); /* against the rules */
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->name, "one [view one]");
    ck_assert_int_eq(display_set_view(d, "auto"), 0);
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->name, "two");
    display_set_view(d, "two"); /* the same picture under another title */
    ck_assert(display_refresh(d, false));
    ck_assert_str_eq(display_current(d)->name, "two [view two]");
    ck_assert(!display_refresh(d, false));
    display_views(d, &t);
    ck_assert_str_eq(t.s, "auto, one, two");
    text_free(&t);
}
END_TEST

START_TEST(toggle_goes_through_all_views)
{
    struct fake three = { .src = { "three", &three, draw, NULL }, .colour = 3 };
    static const char *const order[] = { "three", "one", "auto", "three" };
    display_add_source(d, &three.src);
    two.wants = true;
    for (unsigned k = 0; k < LEN(order); k++) {
        display_toggle(d);
        ck_assert_str_eq(display_view(d), order[k]);
        display_refresh(d, false);
        ck_assert_uint_eq(display_current(d)->pixels[0], k == 1 ? 1 : k == 2 ? 2 : 3);
    }
}
END_TEST

/* Looking elsewhere changes nothing of what is shown, and loses no change. */
START_TEST(a_look_at_a_view_that_is_not_shown)
{
    display_refresh(d, false);
    u64 frames = display_frames(d);
    const struct frame *f = display_look(d, "two");
    ck_assert_uint_eq(f->pixels[0], 2);
    ck_assert_str_eq(f->name, "two");
    ck_assert_uint_eq(display_frames(d), frames);
    ck_assert_uint_eq(display_current(d)->pixels[0], 1);
    ck_assert_ptr_null(display_look(d, "three"));
    two.colour = 5, two.changed = true;
    ck_assert_uint_eq(display_look(d, "two")->pixels[0], 5);
    two.wants = true;
    ck_assert(display_refresh(d, false));
    ck_assert_uint_eq(display_current(d)->pixels[0], 5);
    ck_assert_uint_eq(display_look(d, NULL)->pixels[0], 5);
    ck_assert_uint_eq(display_look(d, "one")->pixels[0], 1);
}
END_TEST

START_TEST(sums_tell_pictures_apart)
{
    u32 a[4] = { 1, 2, 3, 4 }, b[4] = { 0xff000001, 2, 3, 4 }, c[4] = { 1, 2, 4, 3 };
    struct frame f = { .width = 2, .height = 2, .pixels = a }, g = f;
    g.pixels = b;
    ck_assert_uint_eq(frame_sum(&f), frame_sum(&g)); /* the top byte means nothing */
    g.pixels = c;
    ck_assert_uint_ne(frame_sum(&f), frame_sum(&g));
    g = f;
    g.width = 4, g.height = 1;
    ck_assert_uint_ne(frame_sum(&f), frame_sum(&g));
}
END_TEST

static void published(void *opaque)
{
    (*(unsigned *)opaque)++;
}

START_TEST(vertical_blanks_draw_when_somebody_watches)
{
    unsigned frames = 0;
    display_refresh(d, false);
    one.changed = true;
    display_vblank(d, &one.src);
    ck_assert_uint_eq(one.drawn, 1); /* headless */
    display_set_listener(d, published, &frames);
    display_vblank(d, &two.src);
    ck_assert_uint_eq(frames, 0); /* not shown */
    display_vblank(d, &one.src);
    ck_assert_uint_eq(frames, 1);
    one.changed = true;
    display_vblank(d, &one.src); /* at once again: time runs faster than people can look */
    ck_assert_uint_eq(frames, 1);
    ck_assert(!display_poll(d)); /* it paces itself */
    ck_assert(display_refresh(d, false));
    display_set_view(d, "two");
    ck_assert(display_poll(d));
}
END_TEST

/* --- the hand-over between two threads --- */

enum { SIDE = 64, FRAMES = 20000 };

static bool draw_even(void *opaque, struct frame *f, bool force)
{
    struct fake *s = opaque;
    (void)force;
    frame_size(f, SIDE, SIDE);
    frame_text(f, 0, 0);
    for (u32 k = 0; k < SIDE * SIDE; k++) f->pixels[k] = s->colour;
    f->source = "even";
    return true;
}

static void *watch(void *opaque)
{
    u64 seen = 0;
    u32 *torn = opaque, last = 0;
    while (last < FRAMES) {
        const struct frame *f = display_take(d, seen);
        if (!f) continue;
        seen = f->serial;
        *torn += f->pixels[0] <= last;
        last = f->pixels[0];
        for (u32 k = 0; k < SIDE * SIDE; k++) *torn += f->pixels[k] != last;
    }
    return NULL;
}

START_TEST(no_frame_is_torn_on_its_way)
{
    pthread_t thread;
    u32 torn = 0;
    struct fake even = { .src = { "even", &even, draw_even, claims }, .wants = true };
    display_add_source(d, &even.src);
    ck_assert_int_eq(pthread_create(&thread, NULL, watch, &torn), 0);
    for (even.colour = 1; even.colour <= FRAMES; even.colour++) {
        display_refresh(d, true);
        ck_assert_uint_eq(display_current(d)->pixels[SIDE], even.colour);
    }
    pthread_join(thread, NULL);
    ck_assert_uint_eq(torn, 0);
}
END_TEST

START_TEST(window_takes_the_newest_once)
{
    ck_assert_ptr_null(display_take(d, 0));
    display_refresh(d, false);
    one.colour = 7, one.changed = true;
    display_refresh(d, false);
    const struct frame *f = display_take(d, 0);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->pixels[1], 7);
    u64 seen = f->serial;
    ck_assert_ptr_null(display_take(d, seen));
    ck_assert(!display_refresh(d, false));
    ck_assert_ptr_null(display_take(d, seen));
    ck_assert_ptr_nonnull(display_take(d, 0)); /* a screenshot may look again */
    ck_assert_uint_eq(one.drawn, 2);
}
END_TEST

START_TEST(frames_are_bounded)
{
    struct frame f = { 0 };
    frame_size(&f, 100000, 70000);
    ck_assert_uint_eq(f.width, DISPLAY_MAX_W);
    ck_assert_uint_eq(f.height, DISPLAY_MAX_H);
    free(f.pixels);
}
END_TEST

START_TEST(a_smaller_mode_gives_memory_back)
{
    struct frame f = { 0 };
    frame_size(&f, 4096, 4096);
    ck_assert_uint_eq(f.capacity, 4096 * 4096);
    frame_size(&f, 3000, 3000); /* not worth it */
    ck_assert_uint_eq(f.capacity, 4096 * 4096);
    frame_size(&f, 640, 480);
    ck_assert_uint_eq(f.capacity, 640 * 480);
    f.pixels[640 * 480 - 1] = 1;
    free(f.pixels);
}
END_TEST

/* The newest frame is copied, also when several were published since the last look, and a new one
 * does not touch what the window holds. */
START_TEST(window_keeps_its_frame_while_others_are_drawn)
{
    for (u32 n = 1; n <= 3; n++) {
        one.colour = n, one.changed = true;
        display_refresh(d, false);
    }
    const struct frame *f = display_take(d, 0);
    ck_assert_uint_eq(f->pixels[0], 3);
    ck_assert_str_eq(f->source, "one");
    for (u32 n = 4; n <= 6; n++) {
        one.colour = n, one.changed = true;
        display_refresh(d, false);
        ck_assert_uint_eq(display_current(d)->pixels[0], n);
    }
    ck_assert_uint_eq(f->pixels[0], 3);
    ck_assert_uint_eq(display_take(d, f->serial)->pixels[0], 6);
}
END_TEST

UNIT_SUITE(display, first_source_until_another_claims, toggle_shows_the_other_and_returns,
           views_by_name, toggle_goes_through_all_views, a_look_at_a_view_that_is_not_shown,
           sums_tell_pictures_apart, vertical_blanks_draw_when_somebody_watches,
           no_frame_is_torn_on_its_way,
           window_takes_the_newest_once, frames_are_bounded, a_smaller_mode_gives_memory_back,
           window_keeps_its_frame_while_others_are_drawn)
