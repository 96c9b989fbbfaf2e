/*
 * Firmware probe: the odd corners of the BIOS interface. First a table of calls whose answers are printed (`odd ...`), so that two BIOSes
 * can be compared line by line (odd.table holds ours, bios/README.md "Where SeaBIOS answers differently"); then what must be so in any
 * PC: refusals that leave everything alone, block moves, keys put back, waits (W7-016, 022, 023, 028, 040).
 */
#include "fw.h"

void probe_main(void);
void to_protected_mode(void);           /* odd_s.S */
extern u8 seen_89[6];

struct row {
    const char *name;
    u8 vector;
    u16 ax, bx, cx, dx;
};

static const struct row rows[] = {
    { "13h 01h after nothing", 0x13, 0x0100, 0, 0, 0x80 },
    { "13h 02h no sectors", 0x13, 0x0200, 0, 1, 0x80 },
    { "13h 04h verify", 0x13, 0x0401, 0, 1, 0x80 },
    { "13h 05h format track", 0x13, 0x0501, 0, 1, 0x80 },
    { "13h 09h set parameters", 0x13, 0x0900, 0, 0, 0x80 },
    { "13h 0Ch seek", 0x13, 0x0c00, 0, 1, 0x80 },
    { "13h 10h ready", 0x13, 0x1000, 0, 0, 0x80 },
    { "13h 11h recalibrate", 0x13, 0x1100, 0, 0, 0x80 },
    { "13h 14h diagnostic", 0x13, 0x1400, 0, 0, 0x80 },
    { "13h 18h media type", 0x13, 0x1800, 0, 0, 0x80 },
    { "13h 24h multiple mode", 0x13, 0x2408, 0, 0, 0x80 },
    { "13h 45h lock of a disk", 0x13, 0x4502, 0, 0, 0x80 },
    { "13h 46h eject of a disk", 0x13, 0x4600, 0, 0, 0x80 },
    { "13h 49h change of a disk", 0x13, 0x4900, 0, 0, 0x80 },
    { "13h 4E00h prefetch", 0x13, 0x4e00, 0, 0, 0x80 },
    { "13h 4E09h", 0x13, 0x4e09, 0, 0, 0x80 },
    { "13h 08h absent drive", 0x13, 0x0800, 0, 0, 0x88 },
    { "13h 15h absent drive", 0x13, 0x1500, 0, 0, 0x88 },
    { "13h 41h absent drive", 0x13, 0x4100, 0x55aa, 0, 0x88 },
    { "13h 15h absent diskette", 0x13, 0x1500, 0, 0, 0x01 },
    { "13h 4B01h not from CD", 0x13, 0x4b01, 0, 0, 0x80 },
    { "14h 03h COM1", 0x14, 0x0300, 0, 0, 0 },
    { "14h 03h COM4", 0x14, 0x0300, 0, 0, 3 },
    { "14h 03h port 9", 0x14, 0x0300, 0, 0, 9 },
    { "14h 00h COM1 9600,8,N,1", 0x14, 0x00e3, 0, 0, 0 },
    { "14h 06h", 0x14, 0x0600, 0, 0, 0 },
    { "15h 00h cassette", 0x15, 0x0000, 0, 0, 0 },
    { "15h 21h POST log", 0x15, 0x2100, 0, 0, 0 },
    { "15h 4Fh key hook", 0x15, 0x4f1e, 0, 0, 0 },
    { "15h 5300h APM", 0x15, 0x5300, 0, 0, 0 },
    { "15h 5300h APM wrong device", 0x15, 0x5300, 1, 0, 0 },
    { "15h 5301h APM real mode", 0x15, 0x5301, 0, 0, 0 },
    { "15h 5302h APM 16-bit", 0x15, 0x5302, 0, 0, 0 },
    { "15h 5303h APM 32-bit", 0x15, 0x5303, 0, 0, 0 },
    { "15h 530Bh APM event", 0x15, 0x530b, 0, 0, 0 },
    { "15h 530Ch APM state", 0x15, 0x530c, 1, 0, 0 },
    { "15h 5304h APM disconnect", 0x15, 0x5304, 0, 0, 0 },
    { "15h 5310h APM", 0x15, 0x5310, 0, 0, 0 },
    { "15h 84h joystick", 0x15, 0x8400, 0, 0, 0 },
    { "15h 85h SysRq", 0x15, 0x8500, 0, 0, 0 },
    { "15h 88h", 0x15, 0x8800, 0, 0, 0 },
    { "15h 8Ah", 0x15, 0x8a00, 0, 0, 0 },
    { "15h 90h device busy", 0x15, 0x9000, 0, 0, 0 },
    { "15h 91h device done", 0x15, 0x9100, 0, 0, 0 },
    { "15h C1h", 0x15, 0xc100, 0, 0, 0 },
    { "15h C200h mouse off", 0x15, 0xc200, 0, 0, 0 },
    { "15h C203h mouse resolution 9", 0x15, 0xc203, 0x0900, 0, 0 },
    { "15h C209h", 0x15, 0xc209, 0, 0, 0 },
    { "15h C300h", 0x15, 0xc300, 0, 0, 0 },
    { "15h D800h EISA", 0x15, 0xd800, 0, 0, 0 },
    { "15h DA88h", 0x15, 0xda88, 0, 0, 0 },
    { "15h E801h", 0x15, 0xe801, 0, 0, 0 },
    { "15h E802h", 0x15, 0xe802, 0, 0, 0 },
    { "15h E881h", 0x15, 0xe881, 0, 0, 0 },
    { "15h E980h SpeedStep", 0x15, 0xe980, 0, 0, 0 },
    { "15h EC00h", 0x15, 0xec00, 2, 0, 0 },
    { "16h 02h", 0x16, 0x0200, 0, 0, 0 },
    { "16h 03h typematic", 0x16, 0x0305, 0x0100, 0, 0 },
    { "16h 09h functions", 0x16, 0x0900, 0, 0, 0 },
    { "16h 0Ah keyboard id", 0x16, 0x0a00, 0, 0, 0 },
    { "16h 12h", 0x16, 0x1200, 0, 0, 0 },
    { "16h 92h", 0x16, 0x9200, 0, 0, 0 },
    { "16h A2h", 0x16, 0xa200, 0, 0, 0 },
    { "16h 40h", 0x16, 0x4000, 0, 0, 0 },
    { "17h 02h LPT1", 0x17, 0x0200, 0, 0, 0 },
    { "17h 00h LPT1", 0x17, 0x0041, 0, 0, 0 },
    { "17h 02h LPT9", 0x17, 0x0200, 0, 0, 9 },
    { "1Ah 08h", 0x1a, 0x0800, 0, 0, 0 },
    { "1Ah 80h", 0x1a, 0x8000, 0, 0, 0 },
    { "1Ah B1FFh", 0x1a, 0xb1ff, 0, 0, 0 },
    { "1Ah BB00h", 0x1a, 0xbb00, 0, 0, 0 },
};

static void table(void)
{
    for (u32 i = 0; i < LEN(rows); i++) {
        struct regs r;
        clear(&r);
        r.ax = rows[i].ax;
        r.bx = rows[i].bx;
        r.cx = rows[i].cx;
        r.dx = rows[i].dx;
        bios(rows[i].vector, &r);
        say("odd %s: ax %04x bx %04x cx %04x dx %04x %s\n", rows[i].name, r.ax, r.bx, r.cx, r.dx,
            r.flags & CF ? "carry" : "-");
    }
}

/* ------------------------------------------------------------------ INT 15h 87h, 89h, 83h */

struct descriptor {
    u16 limit, base;
    u8 base2, access, limit2, base3;
};

static int block_move(u32 to, u32 from, u16 words, struct regs *r)
{
    struct descriptor g[6];
    memset(g, 0, sizeof g);
    for (u32 i = 2; i <= 3; i++) {
        u32 base = i == 2 ? from : to;
        g[i].limit = 0xffff;
        g[i].base = (u16)base;
        g[i].base2 = (u8)(base >> 16);
        g[i].base3 = base >> 24;
        g[i].access = 0x93;
    }
    clear(r);
    r->ah = 0x87;
    r->cx = words;
    r->si = (u16)(u32)g;
    bios(0x15, r);
    return r->flags & CF ? 0x100 | r->ah : r->ah;
}

static void block_moves(void)
{
    struct regs r;
    u32 good = 1;
    for (u32 i = 0; i < 0x4000; i++) pokel(SEG_BUF + (i >> 2), (i & 3) * 4, i * 0x01234567);
    expect(23, "87h: 64 KiB to 3 MiB", block_move(0x300000, SEG_BUF << 4, 0x8000, &r), 0);
    for (u32 i = 0; i < 0x4000; i += 61) good &= flat_read(0x300000 + i * 4) == i * 0x01234567;
    expect(23, "87h: the data", good, 1);
    expect(23, "87h: and back to an odd address", block_move(0x50001, 0x300004, 100, &r), 0);
    expect(23, "87h: the data there", peekl(0x5000, 1) == 0x01234567 && peekl(0x5000, 197) == 50 * 0x01234567u, 1);
    expect(23, "87h: not a byte more", peekb(0x5000, 201) != (u8)(51 * 0x67u) || peekb(0x5000, 0) != 0x67, 1);
    flat_write(0x2000000, 0x13572468);
    expect(23, "87h: from 32 MiB by all 32 base bits", block_move(0x50100, 0x2000000, 2, &r), 0);
    expect(23, "87h: its data", peekl(0x5010, 0), 0x13572468);
    expect(23, "87h: nothing to move", block_move(0x50000, 0x300000, 0, &r), 0);
    u32 low = peekl(0, 0x700);
    outb(0x92, inb(0x92) & ~3);
    expect(23, "87h: with A20 closed", block_move(0x50200, 0x300004, 2, &r), 0);
    expect(23, "87h: 3 MiB is 3 MiB for it", peekl(0x5020, 0), 0x01234567);
    outb(0x92, (inb(0x92) & ~1) | 2);
    pokel(0, 0x700, low);
}

static void switch_to_protected_mode(void)
{
    static const char *const names[] = {
        "89h: comes back", "89h: CS, DS, ES, SS are the table's", "89h: AH=0, no carry, interrupts off",
        "89h: SP as before the INT", "89h: IDT of the table", "89h: 8259s masked",
    };
    u32 ticks;
    to_protected_mode();
    for (u32 i = 0; i < LEN(names); i++) expect(23, names[i], seen_89[i], 1);
    ticks = peekl(0x40, 0x6c);
    u32 start = pm_timer();
    while (peekl(0x40, 0x6c) == ticks && elapsed_us(start) < 500000) continue;
    expect(23, "the clock ticks again afterwards", peekl(0x40, 0x6c) != ticks, 1);
}

static void event_wait(void)
{
    struct regs r;
    static volatile u8 flag;
    flag = 0;
    clear(&r);
    r.ax = 0x8300;
    r.cx = 0;
    r.dx = 20000;
    r.bx = (u16)(u32)&flag;
    u32 start = pm_timer();
    bios(0x15, &r);
    expect(22, "83h: event wait of 20 ms", r.flags & CF, 0);
    clear(&r);
    r.ax = 0x8300;
    r.dx = 5000;
    r.bx = (u16)(u32)&flag;
    bios(0x15, &r);
    expect(22, "83h: a second one meanwhile is refused", r.flags & CF, CF);
    while (!(flag & 0x80) && elapsed_us(start) < 200000) halt();
    within(22, "83h: microseconds until bit 7 was set", elapsed_us(start), 18000, 24000);
    clear(&r);
    r.ax = 0x8301;
    bios(0x15, &r);
    expect(22, "8301h: cancel", r.flags & CF, 0);
}

/* ------------------------------------------------------------------ INT 13h packets */

static u8 packet_call(u8 ah, const void *packet, u8 al)
{
    struct regs r;
    clear(&r);
    r.ah = ah;
    r.al = al;
    r.dl = 0x80;
    r.si = (u16)(u32)packet;
    bios(0x13, &r);
    return r.flags & CF ? r.ah ? r.ah : 0xff : 0;
}

static void packets(void)
{
    struct {
        struct packet p;
        u64 flat;
    } q;
    q.p = (struct packet){ 15, 0, 1, 0, SEG_BUF, 200 };
    expect(16, "42h: a packet of 15 bytes", packet_call(0x42, &q, 0), 1);
    q.p = (struct packet){ 16, 0, 0, 0, SEG_BUF, 200 };
    pokel(SEG_BUF, 0, 0x11223344);
    u8 error = packet_call(0x42, &q, 0);
    expect(16, "42h: no sectors move nothing", error <= 1 && peekl(SEG_BUF, 0) == 0x11223344, 1);
    q.p = (struct packet){ 16, 0, 128, 0, SEG_BUF, 200 };
    error = packet_call(0x42, &q, 0);
    expect(16, "42h: 128 sectors are read whole or refused",
           error == 1 || (error == 0 && stamped(SEG_BUF + 0xfe0, 0, 327, 512) && stamped(SEG_BUF, 0, 200, 512)), 1);
    q.p = (struct packet){ 24, 0, 1, 0xffff, 0xffff, 200 };
    q.flat = 0x350000;
    flat_write(0x350000, 0);
    flat_write(0x10fff0, 0x5aa55aa5);
    error = packet_call(0x42, &q, 0);
    expect(16, "42h: a flat address is served or refused",
           error == 1 || (error == 0 && flat_read(0x350000) == 200 * 0x9e3779b1u), 1);
    expect(16, "42h: FFFF:FFFF is not taken for memory", flat_read(0x10fff0), 0x5aa55aa5);
    q.p = (struct packet){ 16, 0, 4, 0, SEG_BUF, 200 };
    pokel(SEG_BUF, 0, 0x11223344);
    expect(16, "44h: verify", packet_call(0x44, &q, 0), 0);
    expect(16, "44h: reads nothing into memory", peekl(SEG_BUF, 0), 0x11223344);
    expect(16, "47h: seek", packet_call(0x47, &q, 0), 0);
    q.p.lba = params.sectors;
    expect(16, "44h: behind the end", packet_call(0x44, &q, 0) != 0, 1);
    expect(16, "47h: behind the end", packet_call(0x47, &q, 0) != 0, 1);
}

/* ------------------------------------------------------------------ INT 16h 05h, INT 14h, INT 17h, INT 05h */

static u16 key_call(u16 ax, u16 cx)
{
    struct regs r;
    clear(&r);
    r.ax = ax;
    r.cx = cx;
    bios(0x16, &r);
    return r.ax;
}

static void keys(void)
{
    u32 accepted = 0, right = 0;
    for (u32 i = 0; i < 20; i++) accepted += (key_call(0x0500, 0x1e00 + 'a' + i) & 0xff) == 0;
    expect(28, "05h: 15 keys fit", accepted, 15);
    for (u32 i = 0; i < accepted; i++) right += key_call(0, 0) == 0x1e00 + 'a' + i;
    expect(28, "05h: they come back in order", right, accepted);
    key_call(0x0500, 0x8500);                    /* F11: only the enhanced functions know it */
    key_call(0x0500, 0x48e0);
    key_call(0x0500, 0x1c0d);
    struct regs r;
    clear(&r);
    r.ah = 1;
    bios(0x16, &r);
    expect(28, "01h: F11 is skipped, a grey arrow shows its old code", r.flags & ZF ? 0 : r.ax, 0x4800);
    expect(28, "00h: the grey arrow", key_call(0, 0), 0x4800);
    expect(28, "10h: Enter", key_call(0x1000, 0), 0x1c0d);
}

static void ports_of_old(void)
{
    struct regs r;
    pokeb(0x40, 0x7c, 1);
    clear(&r);
    r.ah = 2;
    u32 start = pm_timer();
    bios(0x14, &r);
    expect(40, "INT 14h 02h without data: time-out", r.ah & 0x80, 0x80);
    within(40, "its time in microseconds", elapsed_us(start), 1, 2000000);
    pokeb(0x40, 0x7c, 10);
    clear(&r);
    r.ax = 0x0041;
    start = pm_timer();
    bios(0x17, &r);
    expect(40, "INT 17h 00h without a printer: time-out or nothing", (r.ah & 1) || r.ax == 0x0041, 1);
    within(40, "its time in microseconds", elapsed_us(start), 0, 3000000);
    pokeb(0x50, 0, 0);
    clear(&r);
    bios(0x05, &r);
    expect(40, "INT 05h without a printer says so", peekb(0x50, 0), 0xff);
    pokeb(0x50, 0, 0);
}

void probe_main(void)
{
    plan(16, 16);
    plan(22, 23);
    plan(28, 28);
    plan(40, 40);
    table();
    block_moves();
    switch_to_protected_mode();
    event_wait();
    packets();
    keys();
    ports_of_old();
}
