/* Interrupts: the table, the 8259 pair at vectors 20h and 28h, the PIT at TICK_HZ, PS/2 keyboard
   (IRQ 1) and mouse (IRQ 12). An exception is reported on the log and stops the demo. */

#include "bios/demo/demo.h"

enum { KBD_DATA = 0x60, KBD_CMD = 0x64, OUT_FULL = 1, IN_FULL = 2, FROM_MOUSE = 0x20 };

struct gate { u16 low, selector, flags, high; };

/* An interrupt has no argument, so it finds its state here; set once, before STI. */
static struct input *state;
static struct gate idt[48];

static const char plain[] =
    "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static void kbd_wait(u8 mask, u8 want)
{
    for (u32 i = 0; i < 100000 && (inb(KBD_CMD) & mask) != want; i++) continue;
}

static void kbd_command(u8 v)
{
    kbd_wait(IN_FULL, 0);
    outb(KBD_CMD, v);
}

static void kbd_data(u8 v)
{
    kbd_wait(IN_FULL, 0);
    outb(KBD_DATA, v);
}

static u8 kbd_read(void)
{
    kbd_wait(OUT_FULL, OUT_FULL);
    return inb(KBD_DATA);
}

static void mouse_command(u8 v)
{
    kbd_command(0xd4);
    kbd_data(v);
    kbd_read();                             /* FAh */
}

static void kbd_start(void)
{
    kbd_command(0xad);
    for (u32 i = 0; i < 32 && inb(KBD_CMD) & OUT_FULL; i++) inb(KBD_DATA);
    kbd_command(0xa8);
    kbd_command(0x20);
    const u8 config = kbd_read();
    kbd_command(0x60);
    kbd_data((u8)((config | 0x43) & ~0x30));        /* both interrupts and clocks, translation */
    mouse_command(0xf6);
    mouse_command(0xf4);
    kbd_command(0xae);
}

static void on_key(struct input *in, u8 code)
{
    const u8 down = !(code & 0x80), key = code & 0x7f;
    if (code == 0xe0) {
        in->extended = 1;
        return;
    }
    const u32 extended = in->extended;
    in->extended = 0;
    if ((key == 0x2a || key == 0x36) && !extended) in->shift = down;
    if (key == 0x3a && down) in->caps ^= 1;
    if (!down || key >= sizeof(plain) - 1 || (extended && key != 0x1c)) return;
    char c = in->shift ? shifted[key] : plain[key];
    if (in->caps && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) c ^= 0x20;
    if (!c || in->keys_in - in->keys_out >= KEY_QUEUE) return;
    in->keys[in->keys_in % KEY_QUEUE] = (u8)c;
    in->keys_in++;
}

static void on_mouse(struct input *in, u8 byte)
{
    if (in->packet_at == 0 && !(byte & 8)) return;  /* bit 3 marks the first byte */
    in->packet[in->packet_at++] = byte;
    if (in->packet_at < 3) return;
    in->packet_at = 0;
    const u8 head = in->packet[0];
    if (head & 0xc0) return;
    i32 x = in->mouse_x + in->packet[1] - (head & 0x10 ? 256 : 0);
    i32 y = in->mouse_y - in->packet[2] + (head & 0x20 ? 256 : 0);
    in->mouse_x = x < 0 ? 0 : x >= in->limit_x ? in->limit_x - 1 : x;
    in->mouse_y = y < 0 ? 0 : y >= in->limit_y ? in->limit_y - 1 : y;
    in->buttons = head & 7;
    in->mouse_events++;
}

static void read_controller(struct input *in)
{
    for (u32 i = 0; i < 16; i++) {
        const u8 status = inb(KBD_CMD);
        if (!(status & OUT_FULL)) return;
        const u8 byte = inb(KBD_DATA);
        if (status & FROM_MOUSE) on_mouse(in, byte); else on_key(in, byte);
    }
}

void interrupt(u32 vector, u32 eip)
{
    if (vector < 32) {
        char room[48];
        struct text t = { room, 0, sizeof(room) };
        put_str(&t, "DEMO-EXCEPTION ");
        put_dec(&t, vector, 1, ' ');
        put_str(&t, " at ");
        put_hex(&t, eip, 8);
        put_char(&t, '\n');
        log_str(room);
        for (;;) __asm__ volatile("cli\n hlt");
    }
    if (vector == 0x20) state->ticks++;
    if (vector == 0x21 || vector == 0x2c) read_controller(state);
    if (state->hook && vector == 0x20 + state->hook_irq) state->hook(state->hook_opaque);
    if (vector == 0x27 || vector == 0x2f) return;   /* spurious: nothing masked in asks for these */
    if (vector >= 0x28) outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

static void pic_start(void)
{
    static const u8 master[] = { 0x20, 4, 1, 0xf8 }, slave[] = { 0x28, 2, 1, 0xef };
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    for (u32 i = 0; i < 4; i++) {
        outb(0x21, master[i]);
        outb(0xa1, slave[i]);
    }
}

void interrupts_start(struct input *in)
{
    state = in;
    for (u32 i = 0; i < 48; i++)
        idt[i] = (struct gate){ (u16)vector_table[i], 8, 0x8e00, (u16)(vector_table[i] >> 16) };
    const struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) idtr = { sizeof(idt) - 1, (u32)idt };
    __asm__ volatile("lidt %0" :: "m"(idtr));
    kbd_start();
    pic_start();
    const u32 divisor = 1193182 / TICK_HZ;
    outb(0x43, 0x34);
    outb(0x40, divisor & 0xff);
    outb(0x40, divisor >> 8);
    __asm__ volatile("sti");
}

void irq_hook(struct input *in, u32 irq, void (*hook)(void *opaque), void *opaque)
{
    static const u16 mask_port[2] = { 0x21, 0xa1 };
    const u32 line = irq ? irq : in->hook_irq;
    __asm__ volatile("cli" ::: "memory");
    in->hook = hook;
    in->hook_opaque = opaque;
    in->hook_irq = irq;
    const u16 port = mask_port[line >> 3 & 1];
    const u8 bit = (u8)(1 << (line & 7));
    if (line) outb(port, (u8)(hook ? inb(port) & ~bit : inb(port) | bit));
    __asm__ volatile("sti" ::: "memory");
}

int next_key(struct input *in)
{
    if (in->keys_in == in->keys_out) return -1;
    const u8 key = in->keys[in->keys_out % KEY_QUEUE];
    in->keys_out++;
    return key;
}
