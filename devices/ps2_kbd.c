/* PS/2 keyboard with 104 keys and the Japanese, multimedia and F13-F24 ones (IBM PS/2 Hardware
 * Interface Technical Reference, Keyboard; scan code sets 1, 2 and 3).
 *
 * Keys come in as USB usages and leave as the bytes of the selected set; the controller (i8042.c)
 * may translate set 2 to set 1. Set 1 is made from set 2 by the same table. The keyboard repeats
 * the last key pressed in virtual time. A full 16-byte buffer ends in the overrun code.
 *
 * Left out: the shift codes that a real keyboard wraps around the grey cursor keys while Num Lock
 * is on or Shift is down (drivers ignore them). */
#include "devices/ps2.h"

#include "machine/core/trace.h"

enum {
    CMD_LEDS = 0xed,
    CMD_ECHO = 0xee,
    CMD_SET = 0xf0,
    CMD_ID = 0xf2,
    CMD_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_DEFAULTS = 0xf6,
    CMD_ALL_TYPES = 0xf7,
    CMD_KEY_TYPE = 0xfb,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,
};
enum { ACK = 0xfa, BAT_OK = 0xaa, NAK = 0xfe };
enum { TYPE_REPEATS = 1, TYPE_BREAKS = 2 };
enum { BAT_NS = 5000000, DEFAULT_TYPEMATIC = 0x2b };
enum { USAGE_PRINT = 0x46, USAGE_PAUSE = 0x48 };
enum { MOD_CTRL = 0x11, MOD_SHIFT = 0x22, MOD_ALT = 0x44 };

/* clang-format off */
/* Set 2 byte -> set 1 byte, 00h-7Fh; larger ones are passed on except 83h and 84h. */
static const u8 set1_table[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

#define E0(code) (0xe000 | (code))
/* Usage -> { set 2 (E0xxh = with prefix), set 3 }; 0 = the key does not exist in the set. */
static const struct { u16 set2; u8 set3; } keys[256] = {
    [0x04] = { 0x1c, 0x1c }, { 0x32, 0x32 }, { 0x21, 0x21 }, { 0x23, 0x23 }, /* a b c d */
    { 0x24, 0x24 }, { 0x2b, 0x2b }, { 0x34, 0x34 }, { 0x33, 0x33 }, { 0x43, 0x43 }, /* e f g h i */
    { 0x3b, 0x3b }, { 0x42, 0x42 }, { 0x4b, 0x4b }, { 0x3a, 0x3a }, { 0x31, 0x31 }, /* j k l m n */
    { 0x44, 0x44 }, { 0x4d, 0x4d }, { 0x15, 0x15 }, { 0x2d, 0x2d }, { 0x1b, 0x1b }, /* o p q r s */
    { 0x2c, 0x2c }, { 0x3c, 0x3c }, { 0x2a, 0x2a }, { 0x1d, 0x1d }, { 0x22, 0x22 }, /* t u v w x */
    { 0x35, 0x35 }, { 0x1a, 0x1a },                                                 /* y z */
    { 0x16, 0x16 }, { 0x1e, 0x1e }, { 0x26, 0x26 }, { 0x25, 0x25 }, { 0x2e, 0x2e }, /* 1-5 */
    { 0x36, 0x36 }, { 0x3d, 0x3d }, { 0x3e, 0x3e }, { 0x46, 0x46 }, { 0x45, 0x45 }, /* 6-0 */
    { 0x5a, 0x5a }, { 0x76, 0x08 }, { 0x66, 0x66 }, { 0x0d, 0x0d }, { 0x29, 0x29 }, /* enter esc bs tab space */
    { 0x4e, 0x4e }, { 0x55, 0x55 }, { 0x54, 0x54 }, { 0x5b, 0x5b }, { 0x5d, 0x5c }, /* - = [ ] \ */
    { 0x5d, 0x53 }, { 0x4c, 0x4c }, { 0x52, 0x52 }, { 0x0e, 0x0e }, { 0x41, 0x41 }, /* # ; ' ` , */
    { 0x49, 0x49 }, { 0x4a, 0x4a }, { 0x58, 0x14 },                                 /* . / caps lock */
    { 0x05, 0x07 }, { 0x06, 0x0f }, { 0x04, 0x17 }, { 0x0c, 0x1f }, { 0x03, 0x27 }, { 0x0b, 0x2f }, /* f1-f6 */
    { 0x83, 0x37 }, { 0x0a, 0x3f }, { 0x01, 0x47 }, { 0x09, 0x4f }, { 0x78, 0x56 }, { 0x07, 0x5e }, /* f7-f12 */
    { E0(0x7c), 0x57 }, { 0x7e, 0x5f }, { 0xe1, 0x62 },                             /* print, scroll lock, pause */
    { E0(0x70), 0x67 }, { E0(0x6c), 0x6e }, { E0(0x7d), 0x6f },                     /* insert home page up */
    { E0(0x71), 0x64 }, { E0(0x69), 0x65 }, { E0(0x7a), 0x6d },                     /* delete end page down */
    { E0(0x74), 0x6a }, { E0(0x6b), 0x61 }, { E0(0x72), 0x60 }, { E0(0x75), 0x63 }, /* right left down up */
    { 0x77, 0x76 }, { E0(0x4a), 0x77 }, { 0x7c, 0x7e }, { 0x7b, 0x84 }, { 0x79, 0x7c }, { E0(0x5a), 0x79 },
    { 0x69, 0x69 }, { 0x72, 0x72 }, { 0x7a, 0x7a }, { 0x6b, 0x6b }, { 0x73, 0x73 }, /* keypad 1-5 */
    { 0x74, 0x74 }, { 0x6c, 0x6c }, { 0x75, 0x75 }, { 0x7d, 0x7d }, { 0x70, 0x70 }, /* keypad 6-0 */
    { 0x71, 0x71 }, { 0x61, 0x13 }, { E0(0x2f), 0x8d }, { E0(0x37), 0 }, { 0x0f, 0 }, /* kp ., <, menu, power, kp = */
    { 0x08, 0 }, { 0x10, 0 }, { 0x18, 0 }, { 0x20, 0 }, { 0x28, 0 }, { 0x30, 0 },   /* f13-f18 */
    { 0x38, 0 }, { 0x40, 0 }, { 0x48, 0 }, { 0x50, 0 }, { 0x57, 0 }, { 0x5f, 0 },   /* f19-f24 */
    [0x7f] = { E0(0x23), 0 }, { E0(0x32), 0 }, { E0(0x21), 0 },                     /* mute, volume up, down */
    [0x85] = { 0x6d, 0 }, [0x87] = { 0x51, 0x51 }, { 0x13, 0x87 }, { 0x6a, 0x5d }, { 0x64, 0x86 }, { 0x67, 0x85 },
    [0x90] = { 0xf2, 0 }, { 0xf1, 0 },                                              /* Korean keys: no break code */
    [0xe0] = { 0x14, 0x11 }, { 0x12, 0x12 }, { 0x11, 0x19 }, { E0(0x1f), 0x8b },    /* left ctrl shift alt meta */
    { E0(0x14), 0x58 }, { 0x59, 0x59 }, { E0(0x11), 0x39 }, { E0(0x27), 0x8c },     /* right */
};
/* clang-format on */

u8 ps2_set1_from_set2(u8 v)
{
    if (v < 128) return set1_table[v];
    return v == 0x83 ? 0x41 : v == 0x84 ? 0x54 : v;
}

static void send_reply(struct ps2_kbd *k, u8 v)
{
    ps2_push(&k->reply, v);
    k->ready(k->opaque);
}

/* A whole sequence or, when it does not fit, the overrun code in the last place. */
static void send_scan(struct ps2_kbd *k, const u8 *codes, unsigned n)
{
    if (k->scan.len + n >= PS2_QUEUE) {
        if (k->scan.len < PS2_QUEUE) ps2_push(&k->scan, k->scan_set == 1 ? 0xff : 0x00);
    } else {
        for (unsigned i = 0; i < n; i++) ps2_push(&k->scan, codes[i]);
    }
    k->ready(k->opaque);
}

/* Set 2 sequence without break marks; `brk` is put in as set 1 or 2 wants it. */
static void send_code(struct ps2_kbd *k, u16 code, bool brk)
{
    u8 seq[4];
    unsigned n = 0;
    u8 byte = code;
    if (code >= 0x100) seq[n++] = code >> 8;
    if (k->scan_set == 1) {
        seq[n++] = ps2_set1_from_set2(byte) | (brk ? 0x80 : 0);
    } else {
        if (brk) seq[n++] = 0xf0;
        seq[n++] = byte;
    }
    send_scan(k, seq, n);
}

static void send_pause(struct ps2_kbd *k)
{
    static const u8 set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
    static const u8 set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
    if (k->modifiers & MOD_CTRL) {
        send_code(k, E0(0x7e), false); /* Break */
        send_code(k, E0(0x7e), true);
    } else if (k->scan_set == 1) {
        send_scan(k, set1, sizeof(set1));
    } else {
        send_scan(k, set2, sizeof(set2));
    }
}

static void send_print(struct ps2_kbd *k, bool brk)
{
    bool bare = !(k->modifiers & (MOD_CTRL | MOD_SHIFT));
    if (k->modifiers & MOD_ALT) {
        send_code(k, 0x84, brk); /* SysRq */
        return;
    }
    if (bare && !brk) send_code(k, E0(0x12), false);
    send_code(k, E0(0x7c), brk);
    if (bare && brk) send_code(k, E0(0x12), true);
}

static void send_set3(struct ps2_kbd *k, unsigned usage, bool brk)
{
    u8 seq[2] = { 0xf0, keys[usage].set3 };
    if (!seq[1] || (brk && !(k->key_type[seq[1]] & TYPE_BREAKS))) return;
    send_scan(k, brk ? seq : seq + 1, brk ? 2 : 1);
}

static void send_key(struct ps2_kbd *k, unsigned usage, bool brk)
{
    u16 code = keys[usage].set2;
    if (k->scan_set == 3) {
        send_set3(k, usage, brk);
    } else if (usage == USAGE_PAUSE) {
        if (!brk) send_pause(k);
    } else if (usage == USAGE_PRINT) {
        send_print(k, brk);
    } else if (!(brk && (code == 0xf1 || code == 0xf2))) {
        send_code(k, code, brk);
    }
}

/* ---- typematic ---- */

static u64 repeat_delay(const struct ps2_kbd *k)
{
    return ((k->typematic >> 5 & 3) + 1) * 250000000ull;
}

/* (8 + bits 2-0) * 2^(bits 4-3) / 240 seconds. */
static u64 repeat_period(const struct ps2_kbd *k)
{
    return ((8ull + (k->typematic & 7)) << (k->typematic >> 3 & 3)) * NS_PER_SEC / 240;
}

static bool repeats(const struct ps2_kbd *k, unsigned usage)
{
    if (k->scan_set == 3) return keys[usage].set3 && (k->key_type[keys[usage].set3] & TYPE_REPEATS);
    return usage != USAGE_PAUSE;
}

static void stop_repeat(struct ps2_kbd *k)
{
    k->repeat_key = 0;
    timer_cancel(&k->repeat_timer);
}

static void repeat(void *opaque)
{
    struct ps2_kbd *k = opaque;
    if (!k->repeat_key || !k->scanning) return;
    /* A guest that does not fetch gets no pile of repeats. */
    if (k->scan.len < PS2_QUEUE / 2) send_key(k, k->repeat_key, false);
    timer_set(&k->repeat_timer, clock_now(k->clock) + repeat_period(k));
}

void ps2_kbd_key(struct ps2_kbd *k, unsigned usage, bool down)
{
    if (usage > 0xff || !keys[usage].set2) return;
    if (usage >= 0xe0 && usage <= 0xe7) {
        u8 bit = BIT(usage - 0xe0);
        k->modifiers = down ? k->modifiers | bit : k->modifiers & ~bit;
    }
    if (!down && k->repeat_key == usage) stop_repeat(k);
    if (!k->scanning) return;
    send_key(k, usage, !down);
    if (!down || !repeats(k, usage)) return;
    k->repeat_key = usage;
    timer_set(&k->repeat_timer, clock_now(k->clock) + repeat_delay(k));
}

/* ---- commands ---- */

/* Set 3 as it comes up: letters repeat, Shift, left Ctrl, left Alt and Caps Lock send breaks too,
 * the rest only makes. */
static void default_types(struct ps2_kbd *k)
{
    memset(k->key_type, 0, sizeof(k->key_type));
    for (unsigned usage = 0x04; usage <= 0x38; usage++)
        k->key_type[keys[usage].set3] = TYPE_REPEATS;
    for (unsigned usage = 0x4c; usage <= 0x52; usage++)
        k->key_type[keys[usage].set3] = TYPE_REPEATS;
    static const u8 both[] = { 0x11, 0x12, 0x14, 0x19, 0x59 };
    for (unsigned i = 0; i < LEN(both); i++) k->key_type[both[i]] = TYPE_BREAKS;
}

static void set_defaults(struct ps2_kbd *k)
{
    k->scan_set = 2;
    k->typematic = DEFAULT_TYPEMATIC;
    k->scan.len = 0;
    default_types(k);
    stop_repeat(k);
}

static void bat_done(void *opaque)
{
    struct ps2_kbd *k = opaque;
    k->scanning = true;
    send_reply(k, BAT_OK);
}

static void start_reset(struct ps2_kbd *k)
{
    set_defaults(k);
    k->leds = 0;
    k->scanning = false;
    send_reply(k, ACK);
    timer_set(&k->bat_timer, clock_now(k->clock) + BAT_NS);
}

static void set_scan_set(struct ps2_kbd *k, u8 v)
{
    if (v > 3) {
        send_reply(k, NAK);
        return;
    }
    send_reply(k, ACK);
    if (v == 0) {
        send_reply(k, k->scan_set);
    } else {
        k->scan_set = v;
        k->scan.len = 0;
        stop_repeat(k);
    }
}

/* FBh-FDh: the listed keys repeat only, send makes and breaks, makes only. The list ends with any
 * command. */
static void set_key_type(struct ps2_kbd *k, u8 cmd, u8 key)
{
    static const u8 types[3] = { TYPE_REPEATS, TYPE_BREAKS, 0 };
    if (key < sizeof(k->key_type)) k->key_type[key] = types[cmd - CMD_KEY_TYPE];
    k->expects = cmd;
    send_reply(k, ACK);
}

/* True when v was the parameter that a command waited for. */
static bool take_parameter(struct ps2_kbd *k, u8 v)
{
    u8 cmd = k->expects;
    k->expects = 0;
    if (!cmd || v >= CMD_LEDS) return false; /* a command instead: the old one is off */
    switch (cmd) {
    case CMD_LEDS:
        k->leds = v & 7;
        send_reply(k, ACK);
        break;
    case CMD_SET: set_scan_set(k, v); break;
    case CMD_RATE:
        k->typematic = v & 0x7f;
        send_reply(k, ACK);
        break;
    default: set_key_type(k, cmd, v);
    }
    return true;
}

static void set_all_types(struct ps2_kbd *k, u8 cmd)
{
    static const u8 types[4] = { TYPE_REPEATS, TYPE_BREAKS, 0, TYPE_REPEATS | TYPE_BREAKS };
    memset(k->key_type, types[cmd - CMD_ALL_TYPES], sizeof(k->key_type));
}

static void command(struct ps2_kbd *k, u8 v)
{
    switch (v) {
    case CMD_RESEND: send_reply(k, k->last_sent); return;
    case CMD_RESET: start_reset(k); return;
    case CMD_ECHO: send_reply(k, CMD_ECHO); return;
    case 0xef:
    case 0xf1: send_reply(k, NAK); return;
    }
    if (v < CMD_LEDS) {
        send_reply(k, NAK);
        return;
    }
    send_reply(k, ACK);
    if (v == CMD_LEDS || v == CMD_SET || v == CMD_RATE || (v >= CMD_KEY_TYPE && v < CMD_RESEND)) {
        k->expects = v;
    } else if (v == CMD_ID) {
        send_reply(k, 0xab);
        send_reply(k, 0x83);
    } else if (v == CMD_ENABLE) {
        k->scan.len = 0;
        k->scanning = true;
    } else if (v == CMD_DISABLE || v == CMD_DEFAULTS) {
        set_defaults(k);
        k->scanning = v == CMD_DEFAULTS;
    } else {
        set_all_types(k, v);
    }
}

void ps2_kbd_write(struct ps2_kbd *k, u8 v)
{
    TRACE(ps2_kbd_wr, v, 0, 0, 0);
    if (v != CMD_RESEND) k->reply.len = 0; /* a new command makes unfetched answers void */
    if (timer_armed(&k->bat_timer)) {
        timer_cancel(&k->bat_timer);
        k->scanning = true;
    }
    if (!take_parameter(k, v)) command(k, v);
}

bool ps2_kbd_has_byte(const struct ps2_kbd *k)
{
    return k->reply.len || k->scan.len;
}

u8 ps2_kbd_take(struct ps2_kbd *k)
{
    if (!ps2_kbd_has_byte(k)) return k->last_sent;
    k->last_sent = ps2_pop(k->reply.len ? &k->reply : &k->scan);
    return k->last_sent;
}

void ps2_kbd_reset(struct ps2_kbd *k)
{
    k->reply.len = k->expects = k->leds = k->last_sent = 0;
    set_defaults(k);
    k->scanning = true;
    timer_cancel(&k->bat_timer);
}

void ps2_kbd_init(struct ps2_kbd *k, struct clock *clock, void (*ready)(void *), void *opaque)
{
    k->clock = clock;
    k->ready = ready;
    k->opaque = opaque;
    timer_init(&k->repeat_timer, clock, "ps2-kbd-repeat", repeat, k);
    timer_init(&k->bat_timer, clock, "ps2-kbd-bat", bat_done, k);
}

void ps2_kbd_fini(struct ps2_kbd *k)
{
    timer_cancel(&k->repeat_timer);
    timer_cancel(&k->bat_timer);
}
