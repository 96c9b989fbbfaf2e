/* PS/2 devices as the keyboard controller sees them: it hands bytes over and fetches bytes when
 * they are ready. Both are parts of the controller's device (i8042.c), which also lists their
 * fields for saving.
 *
 * A device calls ready() when it has something to send; the controller takes one byte at a time, so
 * delivery is paced there. */
#ifndef DEVICES_PS2_H
#define DEVICES_PS2_H

#include "machine/core/clock.h"
#include "machine/core/types.h"

enum { PS2_QUEUE = 16 };
struct ps2_queue {
    u8 byte[PS2_QUEUE];
    u8 head, len;
};

static inline bool ps2_push(struct ps2_queue *q, u8 v)
{
    if (q->len >= PS2_QUEUE) return false;
    q->byte[(q->head + q->len++) % PS2_QUEUE] = v;
    return true;
}

static inline u8 ps2_pop(struct ps2_queue *q)
{
    u8 v = q->byte[q->head % PS2_QUEUE];
    q->head = (q->head + 1) % PS2_QUEUE;
    q->len--;
    return v;
}

struct ps2_kbd {
    struct ps2_queue reply, scan; /* answers to commands go first */
    u8 expects;                   /* command whose parameter comes next, 0 = none */
    u8 scan_set;                  /* 1-3 */
    u8 leds, typematic;
    u8 last_sent;
    bool scanning;
    u8 key_type[0x90]; /* set 3: bit 0 repeats, bit 1 sends breaks */
    u8 repeat_key;     /* usage of the key that repeats, 0 = none */
    u8 modifiers;      /* bits as usages E0h-E7h */
    struct timer repeat_timer, bat_timer;
    struct clock *clock;
    void (*ready)(void *opaque);
    void *opaque;
};

void ps2_kbd_init(struct ps2_kbd *k, struct clock *clock, void (*ready)(void *), void *opaque);
void ps2_kbd_fini(struct ps2_kbd *k);
void ps2_kbd_reset(struct ps2_kbd *k);
void ps2_kbd_write(struct ps2_kbd *k, u8 v); /* a byte from the host */
bool ps2_kbd_has_byte(const struct ps2_kbd *k);
u8 ps2_kbd_take(struct ps2_kbd *k);
void ps2_kbd_key(struct ps2_kbd *k, unsigned usage, bool down);
/* What the controller's translation makes of a set 2 byte (also how set 1 is made from set 2). */
u8 ps2_set1_from_set2(u8 v);

struct ps2_mouse {
    struct ps2_queue reply, packet;
    u8 expects;
    u8 id; /* 0, 3 wheel, 4 wheel and five buttons */
    u8 rate, resolution;
    u8 rates[3]; /* last sample rates set, for the wheel knock */
    bool remote, wrap, reporting, scaling21;
    u8 buttons, sent_buttons;
    u8 last_sent;
    i32 dx, dy, dz; /* motion not yet reported; dy positive upwards, dz towards the user */
    struct timer sample_timer, bat_timer;
    struct clock *clock;
    void (*ready)(void *opaque);
    void *opaque;
};

void ps2_mouse_init(struct ps2_mouse *m, struct clock *clock, void (*ready)(void *), void *opaque);
void ps2_mouse_fini(struct ps2_mouse *m);
void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, u8 v);
bool ps2_mouse_has_byte(const struct ps2_mouse *m);
u8 ps2_mouse_take(struct ps2_mouse *m);
void ps2_mouse_rel(struct ps2_mouse *m, int dx, int dy, int wheel);
void ps2_mouse_buttons(struct ps2_mouse *m, unsigned mask);

#endif
