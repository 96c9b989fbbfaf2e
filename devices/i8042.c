/* Keyboard controller 8042 with a PS/2 keyboard and mouse (IBM PS/2 Hardware Interface Technical
 * Reference, Keyboard and Auxiliary Device Controller).
 *
 * Port 60h data, 64h status and command. One byte at a time sits in the output buffer (OBF, and
 * AUXB when the mouse sent it); "irq1" or "irq12" is high while it does and the command byte allows
 * it, and rises again with the next byte, which follows a read after 100 us of virtual time; the
 * controller's own answers follow at once. Writes are carried out at once, so the input buffer is
 * never seen full. The command byte's bit 6 translates scan code set 2 to set 1. Command FEh (pulse
 * output line 0) and output port bit 0 reset the machine, output port bit 1 is A20.
 *
 * The board sets the pointer "input" to the router that keys and motion come from.
 *
 * Left out: password, firmware version, keyboard lock, diagnostic dump (ACh) and multiplexing
 * commands (logged, unanswered); the devices' self-test message at power-on, which firmware flushes
 * anyway. */
#include "machine/core/device.h"

#include "devices/ps2.h"
#include "machine/ui/input.h"

enum { STS_OBF = 0x01, STS_SYS = 0x04, STS_CMD = 0x08, STS_UNLOCKED = 0x10, STS_AUX = 0x20 };
enum {
    CCB_IRQ1 = 0x01,
    CCB_IRQ12 = 0x02,
    CCB_SYS = 0x04,
    CCB_KBD_OFF = 0x10,
    CCB_AUX_OFF = 0x20,
    CCB_XLATE = 0x40
};
enum { OUT_RESET_N = 0x01, OUT_A20 = 0x02, OUT_IRQ1 = 0x10, OUT_IRQ12 = 0x20 };
enum {
    CMD_RD_RAM = 0x20,
    CMD_WR_RAM = 0x60,
    CMD_PASSWORD = 0xa4,
    CMD_AUX_OFF = 0xa7,
    CMD_AUX_ON = 0xa8,
    CMD_AUX_TEST = 0xa9,
    CMD_SELF_TEST = 0xaa,
    CMD_KBD_TEST = 0xab,
    CMD_KBD_OFF = 0xad,
    CMD_KBD_ON = 0xae,
    CMD_RD_INPUT = 0xc0,
    CMD_RD_OUTPUT = 0xd0,
    CMD_WR_OUTPUT = 0xd1,
    CMD_WR_KBD_BUF = 0xd2,
    CMD_WR_AUX_BUF = 0xd3,
    CMD_WR_AUX = 0xd4,
    CMD_A20_OFF = 0xdd,
    CMD_A20_ON = 0xdf,
    CMD_RD_TEST = 0xe0,
    CMD_PULSE = 0xf0,
};
enum { BYTE_NS = 100000, ANSWERS = 4, ANSWER_AUX = 0x100 };

struct kbc {
    struct device dev;
    struct input_router *input;
    struct irq irq1, irq12;
    u8 ram[32];          /* [0] is the command byte */
    u8 data;             /* output buffer, keeps its value when read */
    bool obf, aux;       /* full; by the mouse */
    bool last_was_cmd;   /* status bit 3 */
    u8 expects;          /* command whose data byte comes next at 60h, 0 = none */
    bool break_prefix;   /* translation has swallowed an F0h */
    bool aux_turn;       /* both devices have data: the mouse is next */
    u16 answer[ANSWERS]; /* the controller's own bytes waiting for the output buffer */
    u8 answers;
    struct ps2_kbd kbd;
    struct ps2_mouse mouse;
    struct timer timer;
    struct region data_port, cmd_port;
};

extern const struct device_class kbc_class;

static void update_irq(struct kbc *k)
{
    irq_set(&k->irq1, k->obf && !k->aux && (k->ram[0] & CCB_IRQ1));
    irq_set(&k->irq12, k->obf && k->aux && (k->ram[0] & CCB_IRQ12));
}

static void load(struct kbc *k, u8 v, bool aux)
{
    k->data = v;
    k->aux = aux;
    k->obf = true;
    update_irq(k);
}

static bool kbd_waits(const struct kbc *k)
{
    return !(k->ram[0] & CCB_KBD_OFF) && ps2_kbd_has_byte(&k->kbd);
}

static bool aux_waits(const struct kbc *k)
{
    return !(k->ram[0] & CCB_AUX_OFF) && ps2_mouse_has_byte(&k->mouse);
}

/* Something may go into the output buffer: own answers now, device bytes after their time on the
 * line. */
static void fill(struct kbc *k)
{
    if (k->obf) return;
    if (k->answers) {
        u16 a = k->answer[0];
        k->answers--;
        memmove(k->answer, k->answer + 1, k->answers * sizeof(a));
        load(k, a, a & ANSWER_AUX);
    } else if ((kbd_waits(k) || aux_waits(k)) && !timer_armed(&k->timer)) {
        timer_set(&k->timer, clock_now(k->dev.host->clock) + BYTE_NS);
    }
}

/* False when the byte was a break prefix that translation keeps for itself. */
static bool translate(struct kbc *k, u8 *v)
{
    if (!(k->ram[0] & CCB_XLATE)) return true;
    if (*v == 0xf0) {
        k->break_prefix = true;
        return false;
    }
    *v = ps2_set1_from_set2(*v) | (k->break_prefix ? 0x80 : 0);
    k->break_prefix = false;
    return true;
}

static void byte_arrived(void *opaque)
{
    struct kbc *k = opaque;
    if (k->obf) return; /* an answer was faster; the read of it starts again */
    bool kbd = kbd_waits(k), aux = aux_waits(k);
    if (aux && (!kbd || k->aux_turn)) {
        k->aux_turn = false;
        load(k, ps2_mouse_take(&k->mouse), true);
        return;
    }
    k->aux_turn = true;
    while (kbd_waits(k)) {
        u8 v = ps2_kbd_take(&k->kbd);
        if (!translate(k, &v)) continue;
        load(k, v, false);
        return;
    }
}

static void device_ready(void *opaque)
{
    fill(opaque);
}

static void answer(struct kbc *k, u8 v, bool aux)
{
    if (k->answers == ANSWERS) return;
    k->answer[k->answers++] = v | (aux ? ANSWER_AUX : 0);
    fill(k);
}

static void set_ccb(struct kbc *k, u8 v)
{
    k->ram[0] = v;
    update_irq(k);
    fill(k);
}

static u8 output_port(const struct kbc *k)
{
    struct host_if *h = k->dev.host;
    return 0xc0 | OUT_RESET_N | (h->a20_get(h->machine) ? OUT_A20 : 0) |
           (k->obf && !k->aux ? OUT_IRQ1 : 0) | (k->obf && k->aux ? OUT_IRQ12 : 0);
}

static void pulse_reset(struct kbc *k)
{
    struct host_if *h = k->dev.host;
    h->request(h->machine, REQ_RESET, RESET_WARM, "keyboard controller pulsed the reset line");
}

static void wr_output_port(struct kbc *k, u8 v)
{
    struct host_if *h = k->dev.host;
    h->a20_set(h->machine, v & OUT_A20);
    if (!(v & OUT_RESET_N)) pulse_reset(k);
}

static void self_test(struct kbc *k)
{
    k->obf = false;
    k->answers = 0;
    k->break_prefix = false;
    set_ccb(k, k->ram[0] | CCB_SYS);
    answer(k, 0x55, false);
}

static void command(struct kbc *k, u8 v)
{
    struct host_if *h = k->dev.host;
    k->expects = 0;
    if (v >= CMD_RD_RAM && v < CMD_RD_RAM + 32) {
        answer(k, k->ram[v - CMD_RD_RAM], false);
        return;
    }
    if (v >= CMD_PULSE) {
        if (!(v & 1)) pulse_reset(k);
        return;
    }
    switch (v) {
    case CMD_WR_RAM ... CMD_WR_RAM + 31:
    case CMD_WR_OUTPUT:
    case CMD_WR_KBD_BUF:
    case CMD_WR_AUX_BUF:
    case CMD_WR_AUX: k->expects = v; break;
    case CMD_PASSWORD:
        answer(k, 0xf1, false); /* none installed */
        break;
    case CMD_AUX_OFF: set_ccb(k, k->ram[0] | CCB_AUX_OFF); break;
    case CMD_AUX_ON: set_ccb(k, k->ram[0] & ~CCB_AUX_OFF); break;
    case CMD_KBD_OFF: set_ccb(k, k->ram[0] | CCB_KBD_OFF); break;
    case CMD_KBD_ON: set_ccb(k, k->ram[0] & ~CCB_KBD_OFF); break;
    case CMD_AUX_TEST:
    case CMD_KBD_TEST:
    case CMD_RD_TEST: answer(k, 0x00, false); break;
    case CMD_SELF_TEST: self_test(k); break;
    case CMD_RD_INPUT:
        answer(k, 0xa0, false); /* not locked, no manufacturing jumper */
        break;
    case CMD_RD_OUTPUT: answer(k, output_port(k), false); break;
    case CMD_A20_OFF:
    case CMD_A20_ON: h->a20_set(h->machine, v == CMD_A20_ON); break;
    default: LOG_GUEST(k->dev.name, "command %02x is not supported", v);
    }
}

static void data_for_command(struct kbc *k, u8 cmd, u8 v)
{
    switch (cmd) {
    case CMD_WR_RAM: set_ccb(k, v); break;
    case CMD_WR_RAM + 1 ... CMD_WR_RAM + 31: k->ram[cmd - CMD_WR_RAM] = v; break;
    case CMD_WR_OUTPUT: wr_output_port(k, v); break;
    case CMD_WR_KBD_BUF: answer(k, v, false); break;
    case CMD_WR_AUX_BUF: answer(k, v, true); break;
    case CMD_WR_AUX: /* talking to a device switches its line on */
        k->ram[0] &= ~CCB_AUX_OFF;
        ps2_mouse_write(&k->mouse, v);
        fill(k);
        break;
    }
}

static u64 rd_data(void *opaque, u64 offset, unsigned size)
{
    struct kbc *k = opaque;
    (void)offset;
    (void)size;
    u8 v = k->data;
    TRACE(i8042_rd, 0x60, v, 0, 0);
    k->obf = false;
    update_irq(k);
    fill(k);
    return v;
}

static void wr_data(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct kbc *k = opaque;
    u8 cmd = k->expects;
    (void)offset;
    (void)size;
    TRACE(i8042_wr, 0x60, value, 0, 0);
    k->last_was_cmd = false;
    k->expects = 0;
    if (cmd) {
        data_for_command(k, cmd, value);
        return;
    }
    k->ram[0] &= ~CCB_KBD_OFF;
    ps2_kbd_write(&k->kbd, value);
    fill(k);
}

static u64 rd_status(void *opaque, u64 offset, unsigned size)
{
    const struct kbc *k = opaque;
    (void)offset;
    (void)size;
    u8 v = STS_UNLOCKED | (k->ram[0] & CCB_SYS ? STS_SYS : 0) | (k->last_was_cmd ? STS_CMD : 0);
    if (k->obf) v |= STS_OBF | (k->aux ? STS_AUX : 0);
    TRACE(i8042_rd, 0x64, v, 0, 0);
    return v;
}

static void wr_cmd(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct kbc *k = opaque;
    (void)offset;
    (void)size;
    TRACE(i8042_wr, 0x64, value, 0, 0);
    k->last_was_cmd = true;
    command(k, value);
}

static const struct io_ops data_ops = { rd_data, wr_data, 1, 1 };
static const struct io_ops cmd_ops = { rd_status, wr_cmd, 1, 1 };

/* ---- input ---- */

static void on_key(void *opaque, unsigned usage, bool down)
{
    ps2_kbd_key(&((struct kbc *)opaque)->kbd, usage, down);
}

static bool on_key_busy(void *opaque)
{
    const struct kbc *k = opaque;
    return k->kbd.scan.len || (k->obf && !k->aux);
}

static void on_rel(void *opaque, int dx, int dy, int wheel)
{
    ps2_mouse_rel(&((struct kbc *)opaque)->mouse, dx, dy, wheel);
}

static void on_buttons(void *opaque, unsigned mask)
{
    ps2_mouse_buttons(&((struct kbc *)opaque)->mouse, mask);
}

static int kbc_init(struct device *d, struct error *e)
{
    struct kbc *k = (struct kbc *)d;
    struct input_sink sink = { on_key, on_rel, on_buttons, on_key_busy, k };
    timer_init(&k->timer, d->host->clock, d->name, byte_arrived, k);
    ps2_kbd_init(&k->kbd, d->host->clock, device_ready, k);
    ps2_mouse_init(&k->mouse, d->host->clock, device_ready, k);
    region_init_io(&k->data_port, "kbc-data", 1, &data_ops, k);
    region_init_io(&k->cmd_port, "kbc-command", 1, &cmd_ops, k);
    if (k->input && input_add_sink(k->input, &sink)) return error_set(e, "too many input devices");
    if (bus_map(d->host->io, 0x60, &k->data_port, 0, e)) return -1;
    return bus_map(d->host->io, 0x64, &k->cmd_port, 0, e);
}

static void kbc_reset(struct device *d, enum reset_kind kind)
{
    struct kbc *k = (struct kbc *)d;
    (void)kind;
    memset(k->ram, 0, sizeof(k->ram));
    k->ram[0] = CCB_KBD_OFF | CCB_AUX_OFF;
    k->data = k->expects = k->answers = 0;
    k->obf = k->aux = k->last_was_cmd = k->break_prefix = k->aux_turn = false;
    timer_cancel(&k->timer);
    ps2_kbd_reset(&k->kbd);
    ps2_mouse_reset(&k->mouse);
    update_irq(k);
}

static void bound_queue(struct ps2_queue *q)
{
    q->len = MIN(q->len, PS2_QUEUE);
}

static void kbc_post_load(struct device *d, u32 version)
{
    struct kbc *k = (struct kbc *)d;
    (void)version;
    k->answers = MIN(k->answers, ANSWERS);
    bound_queue(&k->kbd.reply);
    bound_queue(&k->kbd.scan);
    bound_queue(&k->mouse.reply);
    bound_queue(&k->mouse.packet);
    if (!k->mouse.rate) k->mouse.rate = 100;
    update_irq(k);
    fill(k);
}

static void kbc_info(struct device *d, struct text *t)
{
    struct kbc *k = (struct kbc *)d;
    text_add(t, "command byte %02x, output buffer %s %02x\n", k->ram[0],
             !k->obf  ? "empty"
             : k->aux ? "from mouse"
                      : "full",
             k->data);
    text_add(t, "keyboard: set %u leds %u typematic %02x%s, %u bytes waiting\n", k->kbd.scan_set,
             k->kbd.leds, k->kbd.typematic, k->kbd.scanning ? "" : " off",
             k->kbd.scan.len + k->kbd.reply.len);
    text_add(t, "mouse: id %u rate %u resolution %u%s%s, %u bytes waiting\n", k->mouse.id,
             k->mouse.rate, k->mouse.resolution, k->mouse.reporting ? " reporting" : "",
             k->mouse.remote ? " remote" : "", k->mouse.packet.len + k->mouse.reply.len);
}

static void kbc_fini(struct device *d)
{
    struct kbc *k = (struct kbc *)d;
    if (k->input) input_remove_sink(k->input, k);
    timer_cancel(&k->timer);
    ps2_kbd_fini(&k->kbd);
    ps2_mouse_fini(&k->mouse);
    region_fini(&k->data_port);
    region_fini(&k->cmd_port);
}

static const struct device_option kbc_options[] = {
    { "input", OPT_PTR, offsetof(struct kbc, input), NULL, "where keys and motion come from" },
    { 0 },
};
#define K(f) FIELD(struct kbc, f)
#define QUEUE(q) FIELD_ARRAY(struct kbc, q.byte), K(q.head), K(q.len)
static const struct device_field kbc_fields[] = {
    FIELD_ARRAY(struct kbc, ram),
    K(data),
    K(obf),
    K(aux),
    K(last_was_cmd),
    K(expects),
    K(break_prefix),
    K(aux_turn),
    FIELD_ARRAY(struct kbc, answer),
    K(answers),
    QUEUE(kbd.reply),
    QUEUE(kbd.scan),
    K(kbd.expects),
    K(kbd.scan_set),
    K(kbd.leds),
    K(kbd.typematic),
    K(kbd.last_sent),
    K(kbd.scanning),
    FIELD_ARRAY(struct kbc, kbd.key_type),
    K(kbd.modifiers),
    QUEUE(mouse.reply),
    QUEUE(mouse.packet),
    K(mouse.expects),
    K(mouse.id),
    K(mouse.rate),
    K(mouse.resolution),
    FIELD_ARRAY(struct kbc, mouse.rates),
    K(mouse.remote),
    K(mouse.wrap),
    K(mouse.reporting),
    K(mouse.scaling21),
    K(mouse.buttons),
    K(mouse.sent_buttons),
    K(mouse.last_sent),
    K(mouse.dx),
    K(mouse.dy),
    K(mouse.dz),
    { 0 },
};
static const struct device_wire kbc_outputs[] = {
    { "irq1", offsetof(struct kbc, irq1), 1 },
    { "irq12", offsetof(struct kbc, irq12), 1 },
    { 0 },
};

const struct device_class kbc_class = {
    .name = "kbc",
    .help = "8042 keyboard controller with PS/2 keyboard and mouse",
    .size = sizeof(struct kbc),
    .version = 1,
    .options = kbc_options,
    .fields = kbc_fields,
    .outputs = kbc_outputs,
    .init = kbc_init,
    .reset = kbc_reset,
    .post_load = kbc_post_load,
    .info = kbc_info,
    .fini = kbc_fini,
};
