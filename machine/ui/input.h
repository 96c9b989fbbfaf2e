/* Keys and pointers on their way from window, monitor and tests to the guest's input devices.
 *
 * Keys are USB HID usage codes of page 7 (SDL's scancodes are the same numbers), so no layout is
 * involved. Devices register as sinks; every event goes to all of them. The router knows which keys
 * are held: the host's auto-repeat is swallowed (the keyboard repeats by itself) and
 * input_release_all() lets go of everything when the window loses the focus. */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "machine/core/clock.h"
#include "machine/core/types.h"

enum input_usage {
    KEY_A = 0x04,
    KEY_1 = 0x1e,
    KEY_0 = 0x27,
    KEY_ENTER = 0x28,
    KEY_ESC,
    KEY_BACKSPACE,
    KEY_TAB,
    KEY_SPACE,
    KEY_CAPS_LOCK = 0x39,
    KEY_F1,
    KEY_F12 = 0x45,
    KEY_PRINT,
    KEY_SCROLL_LOCK,
    KEY_PAUSE,
    KEY_INSERT,
    KEY_HOME,
    KEY_PAGE_UP,
    KEY_DELETE,
    KEY_END,
    KEY_PAGE_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_DOWN,
    KEY_UP,
    KEY_NUM_LOCK,
    KEY_CTRL = 0xe0,
    KEY_SHIFT,
    KEY_ALT,
    KEY_META,
    KEY_CTRL_R,
    KEY_SHIFT_R,
    KEY_ALT_R,
    KEY_META_R,
};
enum { BUTTON_LEFT = 1, BUTTON_RIGHT = 2, BUTTON_MIDDLE = 4, BUTTON_SIDE = 8, BUTTON_EXTRA = 16 };

/* Any callback may be NULL. dy is positive downwards, wheel positive away from the user. */
struct input_sink {
    void (*key)(void *opaque, unsigned usage, bool down);
    void (*rel)(void *opaque, int dx, int dy, int wheel);
    void (*buttons)(void *opaque, unsigned mask);
    bool (*key_busy)(void *opaque); /* the guest has not yet fetched what was typed */
    void *opaque;
};

enum { INPUT_SINKS = 4 };
struct input_router {
    struct input_sink sink[INPUT_SINKS];
    unsigned sinks;
    bool held[256];
    unsigned buttons;
};

void input_init(struct input_router *r);
int input_add_sink(struct input_router *r, const struct input_sink *s); /* -1: no room */
void input_remove_sink(struct input_router *r, void *opaque);
void input_key(struct input_router *r, unsigned usage, bool down);
void input_rel(struct input_router *r, int dx, int dy, int wheel);
void input_buttons(struct input_router *r, unsigned mask);
void input_release_all(struct input_router *r);

/* "ctrl-alt-delete" -> usages in that order; returns how many, -1 when a name is unknown or there
 * are more than max. Names: a-z 0-9 f1-f24 ctrl shift alt meta (with _r), enter esc up kp_7 minus
 * ... */
int input_parse_keys(const char *spec, u8 *usages, unsigned max);
/* Key of an ASCII character on a US keyboard; 0 when there is none. *shift says whether Shift is
 * needed. */
unsigned input_char_key(char c, bool *shift);

/* Types in virtual time, as fast as the guest's keyboard buffer empties. */
struct input_typist {
    struct input_router *router;
    struct clock *clock;
    struct timer timer;
    u16 *events; /* usage, bit 8 = press */
    unsigned len, cap, next;
};
void input_typist_init(struct input_typist *t, struct input_router *r, struct clock *c);
void input_typist_fini(struct input_typist *t);
/* Characters that no key gives are left out; returns how many those were. */
unsigned input_type(struct input_typist *t, const char *text);
/* Presses all, then releases all in reverse: a chord. */
void input_chord(struct input_typist *t, const u8 *usages, unsigned n);
bool input_typing(const struct input_typist *t);

#endif
