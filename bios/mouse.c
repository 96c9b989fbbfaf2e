/*
 * PS/2 pointing device: INT 15h C2h and IRQ 12 (INT 74h).
 *
 * State is where the PS/2 put it in the EBDA: handler address at 22h, flags at 26h (index of the
 * next packet byte) and 27h (bit 7 handler set, low bits packet size - 1), packet at 28h. The
 * handler is called far with status, x, y and z words on the stack.
 */
#include "bios/state.h"

enum {
    EB_HANDLER = 0x22, EB_INDEX = 0x26, EB_FLAGS = 0x27, EB_PACKET = 0x28, HANDLER_SET = 0x80,
    OK = 0x00, BAD_FUNCTION = 0x01, BAD_INPUT = 0x02, IO_ERROR = 0x03, NO_HANDLER = 0x05,
    ACK = 0xfa,
};

static int command(u8 byte)
{
    u8 reply = 0;
    return aux_send(byte, &reply) && reply == ACK;
}

static int command2(u8 byte, u8 arg)
{
    return command(byte) && command(arg);
}

/* Interrupts of the mouse are held off while replies are read by polling. */
static void quiet(int on)
{
    u8 mode = 0x47;
    for (u32 i = 0; i < 16 && (inb(0x64) & 1); i++) inb(0x60);
    if (ctl_command(0x20)) ctl_read(&mode, 50);
    if (ctl_command(0x60)) {
        for (u32 i = 0; i < 1000 && (inb(0x64) & 2); i++) continue;
        outb(0x60, on ? mode & ~2 : (mode | 2) & ~0x20);
    }
}

void mouse_init(void)
{
    u8 v;
    quiet(1);
    if (command(0xff)) {
        ctl_read(&v, 600);
        ctl_read(&v, 100);
        bda16_set(0x10, bda16(0x10) | 4);
    }
    command(0xf5);
    quiet(0);
    pokeb(SEG_EBDA, EB_INDEX, 0);
    pokeb(SEG_EBDA, EB_FLAGS, 2);
}

static u8 reset(struct regs *r)
{
    u8 test = 0, id = 0;
    if (!command(0xff) || !ctl_read(&test, 600) || !ctl_read(&id, 100)) return IO_ERROR;
    r->bl = test;
    r->bh = id;
    return OK;
}

static u8 status(struct regs *r)
{
    u8 b[3];
    if (!command(0xe9)) return IO_ERROR;
    for (u32 i = 0; i < 3; i++)
        if (!ctl_read(&b[i], 100)) return IO_ERROR;
    r->bl = b[0];
    r->cl = b[1];
    r->dl = b[2];
    return OK;
}

static u8 enable(struct regs *r)
{
    if (r->bh > 1) return BAD_INPUT;
    if (r->bh && !(peekb(SEG_EBDA, EB_FLAGS) & HANDLER_SET)) return NO_HANDLER;
    pokeb(SEG_EBDA, EB_INDEX, 0);
    return command(r->bh ? 0xf4 : 0xf5) ? OK : IO_ERROR;
}

static u8 set_rate(u8 index)
{
    static const u8 rates[7] = { 10, 20, 40, 60, 80, 100, 200 };
    if (index >= LEN(rates)) return BAD_INPUT;
    return command2(0xf3, rates[index]) ? OK : IO_ERROR;
}

static u8 identify(struct regs *r)
{
    u8 id;
    if (!command(0xf2) || !ctl_read(&id, 100)) return IO_ERROR;
    r->bh = id;
    return OK;
}

static u8 extended(struct regs *r)
{
    switch (r->bh) {
    case 0: return status(r);
    case 1: return command(0xe6) ? OK : IO_ERROR;
    case 2: return command(0xe7) ? OK : IO_ERROR;
    }
    return BAD_INPUT;
}

static u8 set_size(u8 size)
{
    if (size < 1 || size > 8) return BAD_INPUT;
    pokeb(SEG_EBDA, EB_FLAGS, (peekb(SEG_EBDA, EB_FLAGS) & ~7) | (size - 1));
    pokeb(SEG_EBDA, EB_INDEX, 0);
    return OK;
}

static u8 set_handler(struct regs *r)
{
    u8 flags = peekb(SEG_EBDA, EB_FLAGS) & ~HANDLER_SET;
    pokew(SEG_EBDA, EB_HANDLER, r->bx);
    pokew(SEG_EBDA, EB_HANDLER + 2, r->es);
    if (r->bx || r->es) flags |= HANDLER_SET;
    pokeb(SEG_EBDA, EB_FLAGS, flags);
    return OK;
}

static u8 dispatch(struct regs *r)
{
    switch (r->al) {
    case 0: return enable(r);
    case 1: return reset(r);
    case 2: return set_rate(r->bh);
    case 3: return r->bh > 3 ? BAD_INPUT : command2(0xe8, r->bh) ? OK : IO_ERROR;
    case 4: return identify(r);
    case 5: {
        u8 result = set_size(r->bh);
        return result == OK ? reset(r) : result;
    }
    case 6: return extended(r);
    case 7: return set_handler(r);
    }
    return BAD_FUNCTION;
}

void mouse_service(struct regs *r)
{
    if (!(bda16(0x10) & 4)) {
        r->ah = IO_ERROR;
        set_cf(r, 1);
        return;
    }
    quiet(1);
    r->ah = dispatch(r);
    quiet(0);
    set_cf(r, r->ah != OK);
}

static void deliver(u8 size)
{
    u8 p[8];
    copy_in(p, SEG_EBDA, EB_PACKET, 8);
    u32 z = size > 3 ? p[3] : 0;
    u32 handler = peekl(SEG_EBDA, EB_HANDLER);
    call_mouse(handler, p[0] | (u32)p[1] << 16, p[2] | z << 16);
}

int mouse_irq(struct regs *unused);
int mouse_irq(struct regs *unused)
{
    (void)unused;
    u8 have = (inb(0x64) & 0x21) == 0x21;
    u8 byte = have ? inb(0x60) : 0;
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    u8 flags = peekb(SEG_EBDA, EB_FLAGS), index = peekb(SEG_EBDA, EB_INDEX) & 7;
    if (!have || !(flags & HANDLER_SET)) return 0;
    pokeb(SEG_EBDA, EB_PACKET + index, byte);
    if (index < (flags & 7)) {
        pokeb(SEG_EBDA, EB_INDEX, index + 1);
        return 0;
    }
    pokeb(SEG_EBDA, EB_INDEX, 0);
    deliver((flags & 7) + 1);
    return 0;
}
