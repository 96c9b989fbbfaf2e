/* expect: exit 171. The 8042 with keyboard and mouse: flags, commands, both devices' command sets, interrupts per byte.
 * (IBM PS/2 Hardware Interface Technical Reference: keyboard and auxiliary device controller, keyboards, mouse.) */
#include "tests/guest/dev.h"

enum { OBF = 1, IBF = 2, AUX = 0x20, TIMEOUT = 0x40, NOTHING = 0xfff };
enum { KBD_VECTOR = PIC_BASE + 1, AUX_VECTOR = PIC2_BASE + 4 };

static unsigned slowest_ibf;

static void wait_input(void)
{
    unsigned polls = 0;
    while ((inb(0x64) & IBF) && polls < 70000) polls++;
    if (polls > slowest_ibf) slowest_ibf = polls;
}

static void cmd(u8 v)
{
    wait_input();
    outb(0x64, v);
    wait_input();
}

static void data(u8 v)
{
    wait_input();
    outb(0x60, v);
    wait_input();
}

static u8 last_status;

/* Next byte within 12 ms, or NOTHING. */
static unsigned next(void)
{
    u32 start = pm_now();
    do {
        last_status = inb(0x64);
        if (last_status & OBF) return inb(0x60);
    } while (pm_since(start) < 43000);
    return NOTHING;
}

static void drain(void)
{
    while (next() != NOTHING) {}
}

static unsigned answer_of(u8 v)
{
    cmd(v);
    return next();
}

static void set_command_byte(u8 v)
{
    cmd(0x60);
    data(v);
}

static void mouse(u8 v)
{
    cmd(0xd4);
    data(v);
}

/* Up to eight answer bytes, the first in the highest place, FFh-terminated lists are not needed: no answer is 0. */
static u64 replies(void)
{
    u64 all = 0;
    for (unsigned n = 0, v; n < 8 && (v = next()) != NOTHING; n++) all = all << 8 | v;
    return all;
}

static u64 kbd(u8 v)
{
    data(v);
    return replies();
}

static u64 kbd2(u8 v, u8 parameter)
{
    u64 first = kbd(v);
    data(parameter);
    u64 rest = replies();
    return first << (rest >> 8 ? 16 : 8) | rest; /* the parameter is answered by one byte or two */
}

static u64 aux(u8 v)
{
    mouse(v);
    return replies();
}

static u64 aux2(u8 v, u8 parameter)
{
    u64 first = aux(v);
    mouse(parameter);
    u64 rest = replies();
    return first << (rest >> 8 ? 16 : 8) | rest; /* the parameter is answered by one byte or two */
}

static void controller(void)
{
    about(212);
    cmd(0xad);
    cmd(0xa7);
    drain();
    check_eq("AA: self-test", answer_of(0xaa), 0x55);
    check_eq("AB: keyboard line", answer_of(0xab), 0);
    check_eq("A9: mouse line", answer_of(0xa9), 0);
    set_command_byte(0x30);
    check_eq("60, 20: command byte", answer_of(0x20), 0x30);
    cmd(0xa8);
    check_eq("A8 clears bit 5", answer_of(0x20), 0x10);
    cmd(0xae);
    check_eq("AE clears bit 4", answer_of(0x20), 0x00);
    cmd(0xa7);
    cmd(0xad);
    check_eq("A7 and AD set them", answer_of(0x20), 0x30);
    check_eq("C0: input port, keyboard not locked", answer_of(0xc0) & 0x80, 0x80);
    u8 out = (u8)answer_of(0xd0);
    check_eq("D0: output port, reset line high", out & 1, 1);
    if (!((word)controller & 0x100000)) { /* else we would saw off our branch */
        cmd(0xd1);
        data(0xdd);
        check_eq("D1: A20 closed", answer_of(0xd0) & 2, 0);
    }
    cmd(0xd1);
    data(0xdf);
    check_eq("D1: A20 open", answer_of(0xd0) & 2, 2);
    cmd(0xd2);
    data(0x5a);
    check_eq("D2: byte as if from the keyboard", next(), 0x5a);
    check_eq("D2: no AUX flag", last_status & AUX, 0);
    cmd(0xd3);
    data(0xa5);
    check_eq("D3: byte as if from the mouse", next(), 0xa5);
    check_eq("D3: AUX flag", last_status & AUX, AUX);
    about(213);
    cmd(0xd1);
    data(0xdf);
    cmd(0xff);
    check_eq("D1 DF FF: the processor goes on", answer_of(0xaa), 0x55);
    about(214);
    check_in("IBF clears, polls", slowest_ibf, 0, 65535);
    about(0);
}

static void flags(void)
{
    about(211);
    set_command_byte(0x03);
    cmd(0xae);
    cmd(0xa8);
    kbd(0xf5);
    aux(0xf5);
    drain();
    check_eq("idle: OBF and IBF clear", inb(0x64) & (OBF | IBF | TIMEOUT), 0);
    cmd(0x20);
    check_eq("bit 3: the last write was a command", inb(0x64) & 8, 8);
    next();
    pic_init(0);
    pic_unmask(1);
    pic_unmask(12);
    eoi_policy = EOI_PIC;
    window();
    forget();
    data(0xf2); /* FA AB 83: three bytes, three interrupts */
    for (unsigned n = 1; n <= 3; n++) {
        delay_us(5000);
        window();
        check_eq("IRQ 1 for each byte, only after the one before was read", taken[KBD_VECTOR], n);
        check_eq("OBF, not AUX", inb(0x64) & (OBF | AUX), OBF);
        u8 v = inb(0x60);
        check_in("the answers in order", v, n == 1 ? 0xfa : n == 2 ? 0xab : 0x41, n == 1 ? 0xfa : n == 2 ? 0xab : 0x83);
    }
    check_eq("then empty", inb(0x64) & OBF, 0);
    mouse(0xe9); /* FA and three bytes */
    for (unsigned n = 1; n <= 4; n++) {
        delay_us(5000);
        window();
        check_eq("IRQ 12 for each byte", taken[AUX_VECTOR], n);
        check_eq("OBF and AUX", inb(0x64) & (OBF | AUX), OBF | AUX);
        inb(0x60);
    }
    check_eq("the keyboard's interrupt stayed quiet", taken[KBD_VECTOR], 3);
    set_command_byte(0x00);
    forget();
    data(0xee);
    delay_us(5000);
    window();
    check_eq("disabled in the command byte: the byte, no interrupt", (inb(0x64) & OBF) << 8 | taken[KBD_VECTOR], OBF << 8);
    next();
    pic_init(0);
    eoi_policy = 0;
    about(0);
}

static void keyboard(void)
{
    about(216);
    set_command_byte(0x20); /* no translation, mouse off */
    drain();
    check_eq("FF: acknowledged, then self-test passed", kbd(0xff), 0xfaaa);
    check_eq("EE: echo", kbd(0xee), 0xee);
    u64 id = kbd(0xf2);
    check("F2: FA AB 83 or AB 41", id == 0xfaab83 || id == 0xfaab41);
    check_eq("FE: the last byte again", kbd(0xfe), id & 0xff);
    check_eq("F0 01: scan set 1", kbd2(0xf0, 1), 0xfafa);
    check_eq("F0 00: says so", kbd2(0xf0, 0), 0xfafa01);
    check_eq("F0 02: scan set 2", kbd2(0xf0, 2), 0xfafa);
    check_eq("F3: typematic rate", kbd2(0xf3, 0x20), 0xfafa);
    about(220);
    for (unsigned leds = 0; leds < 8; leds++) check_eq("ED: both bytes acknowledged", kbd2(0xed, (u8)leds), 0xfafa);
    check_eq("ED followed by a command: that is carried out", kbd2(0xed, 0xee), 0xfaee);
    about(216);
    check_eq("F5", kbd(0xf5), 0xfa);
    check_eq("F4", kbd(0xf4), 0xfa);
    check_eq("F6", kbd(0xf6), 0xfa);
    for (unsigned v = 0xf7; v <= 0xfa; v++) check_eq("F7-FA", kbd((u8)v), 0xfa);
    for (unsigned v = 0xfb; v <= 0xfd; v++) {
        check_eq("FB-FD", kbd((u8)v), 0xfa);
        check_eq("with a key", kbd(0x1c), 0xfa);
    }
    check_eq("F6 again", kbd(0xf6), 0xfa);
    check_eq("garbage: EF", kbd(0xef), 0xfe);
    check_eq("garbage: F1", kbd(0xf1), 0xfe);
    check_eq("garbage: a number", kbd(0x05), 0xfe);
    about(0);
}

static void knock(u8 a, u8 b, u8 c)
{
    aux2(0xf3, a);
    aux2(0xf3, b);
    aux2(0xf3, c);
}

static void pointing(void)
{
    about(218);
    set_command_byte(0x10);
    cmd(0xa8);
    drain();
    check_eq("FF: FA AA 00", aux(0xff), 0xfaaa00);
    check_eq("F2: standard mouse", aux(0xf2), 0xfa00);
    check_eq("E9: disabled, 1:1, resolution 2, rate 100", aux(0xe9), 0xfa000264);
    check_eq("E8: resolution", aux2(0xe8, 3), 0xfafa);
    check_eq("E7: scaling 2:1", aux(0xe7), 0xfa);
    check_eq("F4: enable", aux(0xf4), 0xfa);
    check_eq("F3: rate", aux2(0xf3, 60), 0xfafa);
    check_eq("E9 shows them", aux(0xe9), 0xfa30033c);
    check_eq("F5: disable", aux(0xf5), 0xfa);
    check_eq("F6: defaults", aux(0xf6), 0xfa);
    check_eq("E9 after it", aux(0xe9), 0xfa000264);
    check_eq("F0: remote", aux(0xf0), 0xfa);
    check_eq("EB: a packet of three bytes", aux(0xeb), 0xfa080000);
    check_eq("EA: stream", aux(0xea), 0xfa);
    check_eq("EE: wrap", aux(0xee), 0xfa);
    check_eq("wrap echoes", aux(0xe9), 0xe9);
    check_eq("EC ends it", aux(0xec), 0xfa);
    check_eq("E1 is no command", aux(0xe1), 0xfe);
    knock(200, 100, 80);
    check_eq("wheel knock: id 3", aux(0xf2), 0xfa03);
    check_eq("EB: a packet of four bytes", aux(0xeb), 0xfa08000000);
    knock(200, 200, 80);
    check_eq("five-button knock: id 4", aux(0xf2), 0xfa04);
    check_eq("E8 out of range", aux2(0xe8, 4), 0xfafe);
    aux(0xff);
    check_eq("reset: standard mouse again", aux(0xf2), 0xfa00);
    about(0);
}

void test_kbc(void)
{
    u8 before = (u8)answer_of(0x20);
    controller();
    flags();
    keyboard();
    pointing();
    set_command_byte(before);
}
