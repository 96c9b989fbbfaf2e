/* Who owns the screen, and the hand-over of frames to the window. */
#include "machine/ui/display.h"

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
           window_takes_the_newest_once, frames_are_bounded, a_smaller_mode_gives_memory_back,
           window_keeps_its_frame_while_others_are_drawn)
