/* The input router, key names and the typist (input.h). Usage codes: USB HID Usage Tables 1.12,
 * section 10. */
#include "machine/ui/input.h"

#include <stdlib.h>
#include <string.h>

#include "machine/core/error.h" /* xrealloc */

void input_init(struct input_router *r)
{
    memset(r, 0, sizeof(*r));
}

int input_add_sink(struct input_router *r, const struct input_sink *s)
{
    if (r->sinks == INPUT_SINKS) return -1;
    r->sink[r->sinks++] = *s;
    return 0;
}

void input_remove_sink(struct input_router *r, void *opaque)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->sinks; i++) {
        if (r->sink[i].opaque != opaque) r->sink[n++] = r->sink[i];
    }
    r->sinks = n;
}

void input_key(struct input_router *r, unsigned usage, bool down)
{
    if (usage >= LEN(r->held) || r->held[usage] == down) return;
    r->held[usage] = down;
    for (unsigned i = 0; i < r->sinks; i++) {
        if (r->sink[i].key) r->sink[i].key(r->sink[i].opaque, usage, down);
    }
}

void input_rel(struct input_router *r, int dx, int dy, int wheel)
{
    if (!dx && !dy && !wheel) return;
    for (unsigned i = 0; i < r->sinks; i++) {
        if (r->sink[i].rel) r->sink[i].rel(r->sink[i].opaque, dx, dy, wheel);
    }
}

void input_buttons(struct input_router *r, unsigned mask)
{
    if (r->buttons == mask) return;
    r->buttons = mask;
    for (unsigned i = 0; i < r->sinks; i++) {
        if (r->sink[i].buttons) r->sink[i].buttons(r->sink[i].opaque, mask);
    }
}

void input_release_all(struct input_router *r)
{
    /* Modifiers, which have the highest codes, last: a released Alt alone would open a menu. */
    for (unsigned usage = 0; usage < LEN(r->held); usage++) input_key(r, usage, false);
    input_buttons(r, 0);
}

/* clang-format off */
static const struct key_name {
    const char *name;
    u8 usage;
} key_names[] = {
    { "enter", 0x28 }, { "return", 0x28 }, { "ret", 0x28 }, { "esc", 0x29 }, { "escape", 0x29 },
    { "backspace", 0x2a }, { "tab", 0x2b }, { "space", 0x2c }, { "spc", 0x2c }, { "minus", 0x2d }, { "equal", 0x2e },
    { "bracket_left", 0x2f }, { "bracket_right", 0x30 }, { "backslash", 0x31 }, { "semicolon", 0x33 },
    { "apostrophe", 0x34 }, { "grave", 0x35 }, { "comma", 0x36 }, { "dot", 0x37 }, { "slash", 0x38 },
    { "caps_lock", 0x39 }, { "print", 0x46 }, { "sysrq", 0x46 }, { "scroll_lock", 0x47 }, { "pause", 0x48 },
    { "insert", 0x49 }, { "home", 0x4a }, { "pgup", 0x4b }, { "delete", 0x4c }, { "del", 0x4c }, { "end", 0x4d },
    { "pgdn", 0x4e }, { "right", 0x4f }, { "left", 0x50 }, { "down", 0x51 }, { "up", 0x52 }, { "num_lock", 0x53 },
    { "kp_divide", 0x54 }, { "kp_multiply", 0x55 }, { "kp_subtract", 0x56 }, { "kp_add", 0x57 }, { "kp_enter", 0x58 },
    { "kp_1", 0x59 }, { "kp_2", 0x5a }, { "kp_3", 0x5b }, { "kp_4", 0x5c }, { "kp_5", 0x5d }, { "kp_6", 0x5e },
    { "kp_7", 0x5f }, { "kp_8", 0x60 }, { "kp_9", 0x61 }, { "kp_0", 0x62 }, { "kp_decimal", 0x63 },
    { "less", 0x64 }, { "menu", 0x65 }, { "power", 0x66 }, { "kp_equal", 0x67 }, { "mute", 0x7f },
    { "volume_up", 0x80 }, { "volume_down", 0x81 }, { "ro", 0x87 }, { "katakana", 0x88 }, { "yen", 0x89 },
    { "henkan", 0x8a }, { "muhenkan", 0x8b }, { "lang1", 0x90 }, { "lang2", 0x91 },
    { "ctrl", 0xe0 }, { "shift", 0xe1 }, { "alt", 0xe2 }, { "meta", 0xe3 }, { "win", 0xe3 },
    { "ctrl_r", 0xe4 }, { "shift_r", 0xe5 }, { "alt_r", 0xe6 }, { "altgr", 0xe6 }, { "meta_r", 0xe7 },
};

/* US layout: the characters of keys 1E-27 and 2C-38, plain and with Shift. */
static const char plain_1e[] = "1234567890\n\x1b\b\t -=[]\\\0;'`,./";
static const char shift_1e[] = "!@#$%^&*()\0\0\0\0\0_+{}|\0:\"~<>?";
/* clang-format on */

static unsigned key_by_name(const char *s, size_t n)
{
    if (n == 1 && s[0] >= 'a' && s[0] <= 'z') return KEY_A + s[0] - 'a';
    if (n == 1 && s[0] >= '1' && s[0] <= '9') return KEY_1 + s[0] - '1';
    if (n == 1 && s[0] == '0') return KEY_0;
    if (n >= 2 && n <= 3 && s[0] == 'f') {
        int k = atoi(s + 1);
        if (k >= 1 && k <= 12) return KEY_F1 + k - 1;
        if (k >= 13 && k <= 24) return 0x68 + k - 13;
    }
    for (size_t i = 0; i < LEN(key_names); i++) {
        if (strlen(key_names[i].name) == n && !memcmp(key_names[i].name, s, n))
            return key_names[i].usage;
    }
    return 0;
}

int input_parse_keys(const char *spec, u8 *usages, unsigned max)
{
    unsigned n = 0;
    for (;;) {
        size_t len = strcspn(spec, "-");
        unsigned usage = key_by_name(spec, len);
        if (!usage || n == max) return -1;
        usages[n++] = usage;
        if (!spec[len]) return n;
        spec += len + 1;
    }
}

unsigned input_char_key(char c, bool *shift)
{
    *shift = c >= 'A' && c <= 'Z';
    if (*shift) return KEY_A + c - 'A';
    if (c >= 'a' && c <= 'z') return KEY_A + c - 'a';
    if (c == '\r') c = '\n';
    for (unsigned i = 0; c && i < LEN(plain_1e) - 1; i++) {
        if (plain_1e[i] == c) return KEY_1 + i;
        if (shift_1e[i] == c) {
            *shift = true;
            return KEY_1 + i;
        }
    }
    return 0;
}

/* ---- typist ---- */

enum { STEP_NS = 8000000, PRESS = 0x100 };

static void arm(struct input_typist *t)
{
    if (timer_armed(&t->timer)) return;
    timer_set(&t->timer, clock_now(t->clock) + STEP_NS);
}

static void step(void *opaque)
{
    struct input_typist *t = opaque;
    if (t->next == t->len) return;
    for (unsigned i = 0; i < t->router->sinks; i++) {
        const struct input_sink *s = &t->router->sink[i];
        if (s->key_busy && s->key_busy(s->opaque)) {
            arm(t);
            return;
        }
    }
    u16 event = t->events[t->next++];
    input_key(t->router, event & 0xff, event & PRESS);
    if (t->next == t->len) {
        t->next = t->len = 0;
    } else {
        arm(t);
    }
}

static void append(struct input_typist *t, u16 event)
{
    if (t->len == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->events = xrealloc(t->events, t->cap * sizeof(*t->events));
    }
    t->events[t->len++] = event;
    arm(t);
}

void input_typist_init(struct input_typist *t, struct input_router *r, struct clock *c)
{
    memset(t, 0, sizeof(*t));
    t->router = r;
    t->clock = c;
    timer_init(&t->timer, c, "typist", step, t);
}

void input_typist_fini(struct input_typist *t)
{
    timer_cancel(&t->timer);
    free(t->events);
    t->events = NULL;
}

void input_chord(struct input_typist *t, const u8 *usages, unsigned n)
{
    for (unsigned i = 0; i < n; i++) append(t, usages[i] | PRESS);
    for (unsigned i = n; i > 0; i--) append(t, usages[i - 1]);
}

unsigned input_type(struct input_typist *t, const char *text)
{
    unsigned lost = 0;
    for (; *text; text++) {
        bool shift;
        unsigned usage = input_char_key(*text, &shift);
        if (!usage) {
            lost++;
            continue;
        }
        u8 keys[2] = { KEY_SHIFT, usage };
        input_chord(t, shift ? keys : keys + 1, shift ? 2 : 1);
    }
    return lost;
}

bool input_typing(const struct input_typist *t)
{
    return t->next < t->len;
}
