/*
 * Keyboard: 8042 start-up, IRQ 1 (INT 09h), INT 16h, and the controller access the mouse shares.
 *
 * The controller translates to scan set 1. INT 09h keeps the flags of the BIOS data area (17h, 18h,
 * 96h, 97h), turns keys into codes by kbdmap.c and queues them at 1Eh-3Dh; Ctrl-Alt-Del, Pause,
 * Ctrl-Break, Print Screen, SysRq and Alt-keypad input act as on a PS/2. LEDs are set without
 * waiting: the command goes out after the interrupt, its data byte when the keyboard acknowledges.
 */
#include "bios/kbdmap.h"
#include "bios/state.h"

enum {
    PORT_DATA = 0x60, PORT_CTL = 0x64, OBF = 0x01, IBF = 0x02, AUX_DATA = 0x20,
    BDA_FLAGS = 0x17, BDA_KEYS = 0x18, BDA_ALT = 0x19, BDA_HEAD = 0x1a, BDA_TAIL = 0x1c,
    BDA_BREAK = 0x71, BDA_START = 0x80, BDA_END = 0x82, BDA_MODE = 0x96, BDA_LED = 0x97,
    F_RSHIFT = 1, F_LSHIFT = 2, F_CTRL = 4, F_ALT = 8, F_SCROLL = 0x10, F_NUM = 0x20, F_CAPS = 0x40,
    F_INSERT = 0x80, F_SHIFT = 3,
    K_LCTRL = 1, K_LALT = 2, K_SYSRQ = 4, K_PAUSE = 8,
    M_E1 = 1, M_E0 = 2, M_RCTRL = 4, M_RALT = 8, M_101 = 0x10,
    LED_SENT = 0x40, LED_DATA = 0x80,
};

/* ------------------------------------------------------------------ controller */

static int ctl_ready(void)
{
    struct deadline d;
    deadline_set(&d, 50);
    while (inb(PORT_CTL) & IBF)
        if (deadline_over(&d)) return 0;
    return 1;
}

int ctl_command(u8 command)
{
    if (!ctl_ready()) return 0;
    outb(PORT_CTL, command);
    return 1;
}

static int ctl_data(u8 byte)
{
    if (!ctl_ready()) return 0;
    outb(PORT_DATA, byte);
    return 1;
}

int ctl_read(u8 *value, u32 ms)
{
    struct deadline d;
    deadline_set(&d, ms);
    while (!(inb(PORT_CTL) & OBF))
        if (deadline_over(&d)) return 0;
    *value = inb(PORT_DATA);
    return 1;
}

static void ctl_flush(void)
{
    for (u32 i = 0; i < 64 && (inb(PORT_CTL) & OBF); i++) inb(PORT_DATA);
}

/* Waits for a byte from the wanted port; bytes from the other one are dropped. */
static int read_from(u8 aux, u8 *value, u32 ms)
{
    struct deadline d;
    deadline_set(&d, ms);
    do {
        u8 status = inb(PORT_CTL);
        if (!(status & OBF)) continue;
        *value = inb(PORT_DATA);
        if (!(status & AUX_DATA) == !aux) return 1;
    } while (!deadline_over(&d));
    return 0;
}

int aux_send(u8 byte, u8 *reply)
{
    if (!ctl_command(0xd4) || !ctl_data(byte)) return 0;
    return read_from(1, reply, 200);
}

static int kbd_send(u8 byte)
{
    u8 reply;
    for (u32 attempt = 0; attempt < 3; attempt++) {
        if (!ctl_data(byte) || !read_from(0, &reply, 200)) return 0;
        if (reply == 0xfa) return 1;
        if (reply != 0xfe) return 0;
    }
    return 0;
}

void kbd_init(void)
{
    u8 v = 0;
    bda16_set(BDA_HEAD, 0x1e);
    bda16_set(BDA_TAIL, 0x1e);
    bda16_set(BDA_START, 0x1e);
    bda16_set(BDA_END, 0x3e);
    bda8_set(BDA_MODE, M_101);

    ctl_command(0xad);
    ctl_command(0xa7);
    ctl_flush();
    ctl_command(0xaa);
    if (!ctl_read(&v, 500) || v != 0x55) {
        debug("8042 self test failed\n");
        return;
    }
    ctl_command(0xae);
    ctl_command(0x60);
    ctl_data(0x60 | 0x04);              /* translation, mouse clock off, no interrupts yet */
    if (kbd_send(0xff)) read_from(0, &v, 1000);
    kbd_send(0xf4);
    ctl_command(0xa8);
    ctl_command(0x60);
    ctl_data(0x40 | 0x04 | 0x01 | 0x02); /* translation, system flag, both interrupts */
}

/* ------------------------------------------------------------------ buffer */

static int queue(u16 code)
{
    u16 start = bda16(BDA_START), end = bda16(BDA_END), tail = bda16(BDA_TAIL);
    u16 next = tail + 2;
    if (next >= end) next = start;
    if (next == bda16(BDA_HEAD)) return 0;
    bda16_set(tail, code);
    bda16_set(BDA_TAIL, next);
    return 1;
}

static int peek_key(u16 *code)
{
    u16 head = bda16(BDA_HEAD);
    if (head == bda16(BDA_TAIL)) return 0;
    *code = bda16(head);
    return 1;
}

static void drop_key(void)
{
    u16 next = bda16(BDA_HEAD) + 2;
    if (next >= bda16(BDA_END)) next = bda16(BDA_START);
    bda16_set(BDA_HEAD, next);
}

int kbd_pending(void)
{
    u16 code;
    return peek_key(&code);
}

u16 kbd_get(void)
{
    u16 code;
    while (!peek_key(&code)) wait_interrupt();
    drop_key();
    return code;
}

/* ------------------------------------------------------------------ IRQ 1 */

static void eoi(void)
{
    outb(0x20, 0x20);
}

static void toggle(u8 bit, u8 up)
{
    u8 keys = bda8(BDA_KEYS);
    if (up) {
        bda8_set(BDA_KEYS, keys & ~bit);
    } else if (!(keys & bit)) {         /* not a repetition */
        bda8_set(BDA_KEYS, keys | bit);
        bda8_set(BDA_FLAGS, bda8(BDA_FLAGS) ^ bit);
    }
}

static void set_flag(u16 where, u8 bit, u8 up)
{
    u8 v = bda8(where);
    bda8_set(where, up ? v & ~bit : v | bit);
}

static void ctrl_key(u8 e0, u8 up)
{
    if (e0) set_flag(BDA_MODE, M_RCTRL, up);
    else set_flag(BDA_KEYS, K_LCTRL, up);
    u8 any = bda8(BDA_MODE) & M_RCTRL || bda8(BDA_KEYS) & K_LCTRL;
    set_flag(BDA_FLAGS, F_CTRL, !any);
}

static void alt_key(u8 e0, u8 up)
{
    if (e0) set_flag(BDA_MODE, M_RALT, up);
    else set_flag(BDA_KEYS, K_LALT, up);
    u8 any = bda8(BDA_MODE) & M_RALT || bda8(BDA_KEYS) & K_LALT;
    set_flag(BDA_FLAGS, F_ALT, !any);
    if (any || !bda8(BDA_ALT)) return;
    queue(bda8(BDA_ALT));               /* number typed on the keypad */
    bda8_set(BDA_ALT, 0);
}

static void signal(u8 vector, u16 ax)
{
    struct callregs r;
    memset(&r, 0, sizeof r);
    r.ax = ax;
    call_int(vector, &r);
}

static void break_key(void)
{
    bda16_set(BDA_HEAD, bda16(BDA_START));
    bda16_set(BDA_TAIL, bda16(BDA_START));
    bda8_set(BDA_BREAK, 0x80);
    signal(0x1b, 0);
    queue(0);
}

/* Stops the machine until another key; that key's own interrupt ends the loop. */
static void pause_key(void)
{
    if (bda8(BDA_KEYS) & K_PAUSE) return;
    set_flag(BDA_KEYS, K_PAUSE, 0);
    eoi();
    while (bda8(BDA_KEYS) & K_PAUSE) wait_interrupt();
}

/* Shift, Ctrl, Alt, locks. Returns whether the key was one of them. */
static int modifier_key(u8 scan, u8 e0, u8 up)
{
    u8 flags = bda8(BDA_FLAGS);
    switch (scan) {
    case 0x2a: if (!e0) set_flag(BDA_FLAGS, F_LSHIFT, up); return 1;
    case 0x36: if (!e0) set_flag(BDA_FLAGS, F_RSHIFT, up); return 1;
    case 0x1d: ctrl_key(e0, up); return 1;
    case 0x38: alt_key(e0, up); return 1;
    case 0x3a: toggle(F_CAPS, up); return 1;
    case 0x45:
        if (flags & F_CTRL && !up && !(bda8(BDA_KEYS) & F_NUM)) pause_key();
        else toggle(F_NUM, up);
        return 1;
    case 0x46:
        if (!up && flags & F_CTRL) break_key();
        else if (!e0) toggle(F_SCROLL, up);
        return 1;
    case 0x52:                          /* Insert acts as a key too */
        if (up) set_flag(BDA_KEYS, F_INSERT, 1);
        else if (!(flags & (F_ALT | F_CTRL)) && (e0 || !(flags & F_NUM) == !(flags & F_SHIFT)))
            toggle(F_INSERT, 0);
        return up;
    case 0x54:
        if (!!(bda8(BDA_KEYS) & K_SYSRQ) == !up) return 1;
        set_flag(BDA_KEYS, K_SYSRQ, up);
        signal(0x15, up ? 0x8501 : 0x8500);
        return 1;
    }
    return 0;
}

static u16 pick(const struct keycodes *k, u8 flags, u8 shift)
{
    if (flags & F_ALT) return k->alt;
    if (flags & F_CTRL) return k->ctrl;
    return shift ? k->shift : k->plain;
}

static u16 grey_code(u8 scan, u8 flags)
{
    if (scan == 0x1c) return flags & F_ALT ? 0xa600 : flags & F_CTRL ? 0xe00a : 0xe00d;
    if (scan == 0x35) return flags & F_ALT ? 0xa400 : flags & F_CTRL ? 0x9500 : 0xe02f;
    if (scan >= 0x47 && scan <= 0x53) return pick(&grey_table[scan - 0x47], flags, 0);
    return 0;
}

static u16 key_code(u8 scan, u8 flags)
{
    u8 shift = flags & F_SHIFT ? 1 : 0;
    if (key_is_letter(scan) && flags & F_CAPS) shift ^= 1;
    if (scan >= 0x47 && scan <= 0x53 && scan != 0x4a && scan != 0x4e) {
        char digit = keypad_digits[scan - 0x47];
        if (flags & F_ALT && digit != '.') {
            bda8_set(BDA_ALT, bda8(BDA_ALT) * 10 + (digit - '0'));
            return 0;
        }
        if (flags & F_NUM) shift ^= 1;
    }
    if (scan != 0x38 && !(flags & F_ALT)) bda8_set(BDA_ALT, 0);
    return scan < KEY_COUNT ? pick(&key_table[scan], flags, shift) : 0;
}

static void print_screen_key(u8 flags)
{
    if (flags & F_CTRL) {
        queue(0x7200);
        return;
    }
    eoi();
    signal(0x05, 0);
}

static void key_down(u8 scan, u8 e0)
{
    u8 flags = bda8(BDA_FLAGS);
    if (scan == 0x53 && flags & F_CTRL && flags & F_ALT) {
        bda16_set(0x72, 0x1234);
        reset_machine();
    }
    if (bda8(BDA_KEYS) & K_PAUSE) {     /* any key ends a pause and is swallowed */
        set_flag(BDA_KEYS, K_PAUSE, 1);
        return;
    }
    if (e0 && scan == 0x37) {
        print_screen_key(flags);
        return;
    }
    u16 code = e0 ? grey_code(scan, flags) : key_code(scan, flags);
    if (code) queue(code);
}

static void key_event(u8 raw)
{
    u8 mode = bda8(BDA_MODE);
    if (raw == 0xe0) {
        bda8_set(BDA_MODE, mode | M_E0);
        return;
    }
    if (raw == 0xe1) {
        bda8_set(BDA_MODE, mode | M_E1);
        return;
    }
    if (mode & M_E1) {                  /* E1 1D 45: Pause; its release E1 9D C5 does nothing */
        if ((raw & 0x7f) == 0x1d) return;
        bda8_set(BDA_MODE, mode & ~(M_E1 | M_E0));
        if (raw == 0x45) pause_key();
        return;
    }
    bda8_set(BDA_MODE, mode & ~M_E0);
    u8 e0 = mode & M_E0, up = raw & 0x80, scan = raw & 0x7f;
    if (modifier_key(scan, e0, up) || up) return;
    key_down(scan, e0);
}

/* Sends the LED command when the lock flags differ from what the keyboard shows. */
static void update_leds(void)
{
    u8 want = bda8(BDA_FLAGS) >> 4 & 7, led = bda8(BDA_LED);
    if ((led & 7) == want || led & (LED_SENT | LED_DATA) || inb(PORT_CTL) & (IBF | OBF)) return;
    bda8_set(BDA_LED, (led & ~7) | LED_SENT | want);
    outb(PORT_DATA, 0xed);
}

/* FA from the keyboard: the LED command's acknowledge, then that of its data byte. */
static void acknowledge(void)
{
    u8 led = bda8(BDA_LED);
    if (led & LED_SENT) {
        bda8_set(BDA_LED, (led & ~LED_SENT) | LED_DATA);
        if (ctl_ready()) outb(PORT_DATA, led & 7);
    } else {
        bda8_set(BDA_LED, led & ~LED_DATA);
    }
}

int kbd_irq(struct regs *unused);
int kbd_irq(struct regs *unused)
{
    (void)unused;
    if ((inb(PORT_CTL) & (OBF | AUX_DATA)) != OBF) {
        eoi();
        return 0;
    }
    u8 raw = inb(PORT_DATA);
    if (raw == 0xfa || raw == 0xfe) {
        if (raw == 0xfa) acknowledge();
        else bda8_set(BDA_LED, bda8(BDA_LED) & ~(LED_SENT | LED_DATA));
        eoi();
        return 0;
    }
    struct callregs r;
    memset(&r, 0, sizeof r);
    r.ax = 0x4f00 | raw;
    r.ip = peekw(0, 0x15 * 4);
    r.cs = peekw(0, 0x15 * 4 + 2);
    r.flags = 0x0202 | FLAG_CF;
    call_far(&r);
    if (r.flags & FLAG_CF) key_event(r.al);
    update_leds();
    eoi();
    return 0;
}

/* ------------------------------------------------------------------ INT 16h */

/* Old functions: drop codes only new keyboards make, turn the others into their old form. */
static int old_code(u16 *code)
{
    u8 lo = *code & 0xff, hi = *code >> 8;
    if (hi == 0xe0) {
        *code = lo == 0x2f ? 0x352f : 0x1c00 | lo;
        return 1;
    }
    if (lo == 0xe0 && hi) *code &= 0xff00;
    else if (lo == 0xf0 && hi) return 0;
    return *code >> 8 <= 0x84;
}

static int read_key(struct regs *r, int enhanced, int remove)
{
    u16 code;
    while (peek_key(&code)) {
        if (!enhanced && !old_code(&code)) {
            drop_key();
            continue;
        }
        if (enhanced && (code & 0xff) == 0xf0 && code >> 8) code &= 0xff00;
        if (remove) drop_key();
        r->ax = code;
        set_zf(r, 0);
        return 0;
    }
    if (remove) return 1;               /* wait for an interrupt, then look again */
    set_zf(r, 1);
    relax();
    return 0;
}

static void set_typematic(struct regs *r)
{
    if (r->al != 5) return;
    if (kbd_send(0xf3)) kbd_send((r->bh & 3) << 5 | (r->bl & 0x1f));
}

int kbd_service(struct regs *r);
int kbd_service(struct regs *r)
{
    switch (r->ah) {
    case 0x00: return read_key(r, 0, 1);
    case 0x01: return read_key(r, 0, 0);
    case 0x02: r->al = bda8(BDA_FLAGS); break;
    case 0x03: set_typematic(r); break;
    case 0x05: r->al = queue(r->cx) ? 0 : 1; break;
    case 0x09: r->al = 0x30; break;     /* AX=0305h and the 101-key functions work */
    case 0x0a: r->bx = 0x41ab; break;
    case 0x10: return read_key(r, 1, 1);
    case 0x11: return read_key(r, 1, 0);
    case 0x12: {
        u8 keys = bda8(BDA_KEYS), mode = bda8(BDA_MODE);
        r->al = bda8(BDA_FLAGS);
        r->ah = (keys & 0x73) | (keys & K_SYSRQ) << 5 | (mode & (M_RCTRL | M_RALT));
        break;
    }
    case 0x92: r->ah = 0x80; break;     /* 101-key keyboard drivers ask: 10h-12h exist */
    }
    return 0;
}
