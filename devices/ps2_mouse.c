/* PS/2 mouse: three buttons, IntelliMouse wheel (id 3) and Explorer five buttons (id 4) after the
 * usual knock of sample rates 200, 100, 80 and 200, 200, 80 (IBM PS/2 Hardware Interface Technical
 * Reference, Mouse).
 *
 * In stream mode a packet goes out when something changed, at most `rate` times a second of virtual
 * time, and only when the one before has been fetched: motion adds up meanwhile and what exceeds a
 * packet's range stays for the next, so nothing is lost and nothing overruns.
 *
 *   byte 0: Y overflow, X overflow, Y sign, X sign, 1, middle, right, left      byte 1: X      byte
 * 2: Y (up positive) byte 3: id 3: Z (towards the user positive); id 4: 0, 0, button 5, button 4, Z
 * in four bits */
#include "devices/ps2.h"

#include "machine/core/trace.h"

enum {
    CMD_SCALE11 = 0xe6,
    CMD_SCALE21 = 0xe7,
    CMD_RESOLUTION = 0xe8,
    CMD_STATUS = 0xe9,
    CMD_STREAM = 0xea,
    CMD_READ = 0xeb,
    CMD_WRAP_OFF = 0xec,
    CMD_WRAP_ON = 0xee,
    CMD_REMOTE = 0xf0,
    CMD_ID = 0xf2,
    CMD_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_DEFAULTS = 0xf6,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,
};
enum { ACK = 0xfa, BAT_OK = 0xaa, NAK = 0xfe };
enum { BAT_NS = 5000000, MAX_PENDING = 4096 };

static void send_reply(struct ps2_mouse *m, u8 v)
{
    ps2_push(&m->reply, v);
    m->ready(m->opaque);
}

static i32 clamp(i32 v, i32 low, i32 high)
{
    return v < low ? low : v > high ? high : v;
}

/* Non-linear table of 2:1 scaling; stream mode only. */
static i32 scale(i32 v)
{
    static const u8 small[6] = { 0, 1, 1, 3, 6, 9 };
    i32 a = v < 0 ? -v : v;
    a = a < 6 ? small[a] : a * 2;
    return v < 0 ? -a : a;
}

static bool changed(const struct ps2_mouse *m)
{
    return m->dx || m->dy || (m->id && m->dz) || m->buttons != m->sent_buttons;
}

static void put_packet(struct ps2_mouse *m, struct ps2_queue *q)
{
    bool scaled = m->scaling21 && !m->remote;
    i32 range = scaled ? 127 : 255;
    i32 dx = clamp(m->dx, -range, range), dy = clamp(m->dy, -range, range);
    i32 dz = m->id ? clamp(m->dz, -8, 7) : 0;
    m->dx -= dx;
    m->dy -= dy;
    m->dz = m->id ? m->dz - dz : 0;
    if (scaled) {
        dx = scale(dx);
        dy = scale(dy);
    }
    ps2_push(q, (dy < 0 ? 0x20 : 0) | (dx < 0 ? 0x10 : 0) | 0x08 | (m->buttons & 7));
    ps2_push(q, dx);
    ps2_push(q, dy);
    if (m->id == 3) ps2_push(q, dz);
    if (m->id == 4) ps2_push(q, (dz & 0x0f) | (m->buttons & 0x18) << 1);
    m->sent_buttons = m->buttons;
}

/* Sends a packet if there is news, the sample interval is over and the line is free. */
static void report(struct ps2_mouse *m)
{
    if (!m->reporting || m->remote || m->wrap || !changed(m)) return;
    if (m->packet.len || timer_armed(&m->sample_timer) || timer_armed(&m->bat_timer)) return;
    put_packet(m, &m->packet);
    timer_set(&m->sample_timer, clock_now(m->clock) + NS_PER_SEC / m->rate);
    m->ready(m->opaque);
}

static void sample(void *opaque)
{
    report(opaque);
}

void ps2_mouse_rel(struct ps2_mouse *m, int dx, int dy, int wheel)
{
    if (!m->reporting && !m->remote) return;
    m->dx = clamp(m->dx + clamp(dx, -MAX_PENDING, MAX_PENDING), -MAX_PENDING, MAX_PENDING);
    m->dy = clamp(m->dy - clamp(dy, -MAX_PENDING, MAX_PENDING), -MAX_PENDING, MAX_PENDING);
    m->dz = clamp(m->dz - clamp(wheel, -64, 64), -64, 64);
    report(m);
}

void ps2_mouse_buttons(struct ps2_mouse *m, unsigned mask)
{
    m->buttons = mask & (m->id == 4 ? 0x1f : 0x07);
    report(m);
}

/* ---- commands ---- */

static void forget_motion(struct ps2_mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->packet.len = 0;
}

static void set_defaults(struct ps2_mouse *m)
{
    m->rate = 100;
    m->resolution = 2;
    m->remote = m->reporting = m->scaling21 = m->wrap = false;
    forget_motion(m);
    m->sent_buttons = m->buttons;
    timer_cancel(&m->sample_timer);
}

static void bat_done(void *opaque)
{
    struct ps2_mouse *m = opaque;
    send_reply(m, BAT_OK);
    send_reply(m, 0);
}

static void start_reset(struct ps2_mouse *m)
{
    set_defaults(m);
    m->id = 0;
    memset(m->rates, 0, sizeof(m->rates));
    send_reply(m, ACK);
    timer_set(&m->bat_timer, clock_now(m->clock) + BAT_NS);
}

static void set_rate(struct ps2_mouse *m, u8 v)
{
    if (!v) {
        send_reply(m, NAK);
        return;
    }
    m->rate = v;
    m->rates[0] = m->rates[1];
    m->rates[1] = m->rates[2];
    m->rates[2] = v;
    if (m->rates[0] == 200 && m->rates[2] == 80) {
        if (m->rates[1] == 100 && m->id == 0) m->id = 3;
        if (m->rates[1] == 200 && m->id != 4) m->id = 4;
    }
    send_reply(m, ACK);
}

static void take_parameter(struct ps2_mouse *m, u8 v)
{
    u8 cmd = m->expects;
    m->expects = 0;
    if (cmd == CMD_RATE) {
        set_rate(m, v);
    } else if (v > 3) {
        send_reply(m, NAK);
    } else {
        m->resolution = v;
        send_reply(m, ACK);
    }
}

static void send_status(struct ps2_mouse *m)
{
    u8 b = m->buttons;
    send_reply(m, m->remote << 6 | m->reporting << 5 | m->scaling21 << 4 | (b & 1) << 2 |
                      (b >> 2 & 1) << 1 | (b >> 1 & 1));
    send_reply(m, m->resolution);
    send_reply(m, m->rate);
}

static void run(struct ps2_mouse *m, u8 v)
{
    send_reply(m, ACK);
    switch (v) {
    case CMD_SCALE11:
    case CMD_SCALE21: m->scaling21 = v == CMD_SCALE21; break;
    case CMD_RESOLUTION:
    case CMD_RATE: m->expects = v; break;
    case CMD_STATUS: send_status(m); break;
    case CMD_STREAM:
    case CMD_REMOTE:
        m->remote = v == CMD_REMOTE;
        forget_motion(m);
        break;
    case CMD_READ: put_packet(m, &m->reply); break;
    case CMD_WRAP_ON:
    case CMD_WRAP_OFF: m->wrap = v == CMD_WRAP_ON; break;
    case CMD_ID: send_reply(m, m->id); break;
    case CMD_ENABLE:
    case CMD_DISABLE:
        m->reporting = v == CMD_ENABLE;
        forget_motion(m);
        m->sent_buttons = m->buttons;
        break;
    case CMD_DEFAULTS: set_defaults(m); break;
    }
}

static bool is_command(u8 v)
{
    return (v >= CMD_SCALE11 && v <= CMD_WRAP_OFF) || v == CMD_WRAP_ON || v == CMD_REMOTE ||
           (v >= CMD_ID && v <= CMD_DEFAULTS);
}

void ps2_mouse_write(struct ps2_mouse *m, u8 v)
{
    TRACE(ps2_mouse_wr, v, 0, 0, 0);
    if (v == CMD_RESEND && !m->expects) {
        send_reply(m, m->last_sent);
        return;
    }
    m->reply.len = m->packet.len = 0;
    timer_cancel(&m->bat_timer);
    if (m->expects) {
        take_parameter(m, v);
    } else if (v == CMD_RESET) {
        start_reset(m);
    } else if (m->wrap && v != CMD_WRAP_OFF) {
        send_reply(m, v);
    } else if (is_command(v)) {
        run(m, v);
    } else {
        send_reply(m, NAK);
    }
}

bool ps2_mouse_has_byte(const struct ps2_mouse *m)
{
    return m->reply.len || m->packet.len;
}

u8 ps2_mouse_take(struct ps2_mouse *m)
{
    if (!ps2_mouse_has_byte(m)) return m->last_sent;
    m->last_sent = ps2_pop(m->reply.len ? &m->reply : &m->packet);
    report(m);
    return m->last_sent;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    m->reply.len = m->expects = m->id = m->buttons = m->last_sent = 0;
    memset(m->rates, 0, sizeof(m->rates));
    set_defaults(m);
    timer_cancel(&m->bat_timer);
}

void ps2_mouse_init(struct ps2_mouse *m, struct clock *clock, void (*ready)(void *), void *opaque)
{
    m->clock = clock;
    m->ready = ready;
    m->opaque = opaque;
    timer_init(&m->sample_timer, clock, "ps2-mouse-sample", sample, m);
    timer_init(&m->bat_timer, clock, "ps2-mouse-bat", bat_done, m);
}

void ps2_mouse_fini(struct ps2_mouse *m)
{
    timer_cancel(&m->sample_timer);
    timer_cancel(&m->bat_timer);
}
