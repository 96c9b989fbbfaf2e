/*
 * Firmware probe: INT 16h with keys that the host types (W7-028, 029). The runner's script waits for READYn on COM1, then
 * sends the keys of round n; the codes are those of the IBM PS/2 BIOS reference.
 */
#include "fw.h"

void probe_main(void);

static int key_waits(u8 function)
{
    struct regs r;
    clear(&r);
    r.ah = function;
    bios(0x16, &r);
    return !(r.flags & ZF);
}

static u16 get(u8 function)
{
    struct regs r;
    clear(&r);
    r.ah = function;
    bios(0x16, &r);
    return r.ax;
}

/* Waits for n keys to be in the ring; 0 when they do not come within about 10 s. */
static int arrived(u32 n)
{
    u32 start = peekl(0x40, 0x6c);
    while (peekl(0x40, 0x6c) - start < 182) {
        u32 have = (peekw(0x40, 0x1c) - peekw(0x40, 0x1a) + 32) % 32 / 2;
        if (have >= n) return 1;
        halt();
    }
    return 0;
}

static void wait_ticks(u32 n)
{
    u32 start = peekl(0x40, 0x6c);
    while (peekl(0x40, 0x6c) - start < n) halt();
}

/* Round 1 and 2: the keys that menus use, by the old and by the enhanced functions. */
static const u16 codes[] = { 0x1c0d, 0x011b, 0x4200, 0x4300, 0x4400, 0x4800, 0x5000, 0x0f09, 0x1e61, 0x2c7a, 0x0231 };

static void menu_keys(const char *mark, u8 peek, u8 read, u32 enhanced)
{
    serial_say(mark);
    if (!expect(28, "keys arrive", arrived(LEN(codes)), 1)) return;
    for (u32 i = 0; i < LEN(codes); i++) {
        u16 want = codes[i];
        if (enhanced && (want == 0x4800 || want == 0x5000)) want |= 0xe0;
        expect(28, "peek finds a key", key_waits(peek), 1);
        expect(28, "code of a key, peeked", get(peek), want);
        expect(28, "code of a key", get(read), want);
    }
    expect(28, "no key is left", key_waits(peek), 0);
}

static void shift_state(void)
{
    struct regs r;
    serial_say("READY3\n");             /* shift-a */
    if (!expect(28, "shifted key arrives", arrived(1), 1)) return;
    expect(28, "shifted key", get(0), 0x1e41);
    wait_ticks(2);
    clear(&r);
    r.ah = 2;
    bios(0x16, &r);
    expect(28, "AH=02h after the keys are up", r.al & 0x0f, 0);
    expect(28, "AH=02h is 0040:0017", r.al, peekb(0x40, 0x17));
    pokeb(0x40, 0x17, 0x42);
    clear(&r);
    r.ah = 0x12;
    bios(0x16, &r);
    expect(28, "AH=12h AL", r.al, 0x42);
    pokeb(0x40, 0x17, 0);
}

static void overflow(void)
{
    serial_say("READY4\n");             /* a to z, then 0 to 9 and a to f */
    if (!expect(28, "a full ring", arrived(15), 1)) return;
    wait_ticks(36);
    static const char keys[] = "abcdefghijklmno";
    u32 right = 0;
    for (u32 i = 0; i < 15; i++) right += (get(0) & 0xff) == (u8)keys[i];
    expect(28, "keys before the ring was full", right, 15);
    expect(28, "keys beyond it are dropped", key_waits(1), 0);
    within(28, "ring pointers", peekw(0x40, 0x1a), 0x1e, 0x3c);
    expect(28, "bytes behind the ring", peekb(0x40, 0x3f) & 0x0f, 0);
    serial_say("READY5\n");             /* F8 */
    if (expect(28, "a key after it", arrived(1), 1)) expect(28, "it is F8", get(0), 0x4200);
}

/* Interrupts stay off all the time; only AH=01h may let the controller's byte in. */
static void polled_with_interrupts_off(void)
{
    struct regs r;
    u32 start, found = 0;
    serial_say("READY6\n");             /* Tab */
    irq_off();
    start = pm_timer();
    for (u32 rounds = 0; !found && rounds < 3; rounds++, start = pm_timer())
        while (!found && elapsed_us(start) < 3000000) {
            clear(&r);
            r.flags = 2;
            r.ah = 1;
            bios(0x16, &r);
            irq_off();
            found = !(r.flags & ZF);
        }
    irq_on();
    expect(29, "AH=01h sees a key with interrupts off", found, 1);
    expect(29, "it is Tab", found ? get(0) : 0, 0x0f09);
}

void probe_main(void)
{
    plan(28, 29);
    menu_keys("READY1\n", 1, 0, 0);
    menu_keys("READY2\n", 0x11, 0x10, 1);
    shift_state();
    overflow();
    polled_with_interrupts_off();
}
