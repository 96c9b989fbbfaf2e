/*
 * Firmware probe: what a boot sector finds and INT 13h on hard disks (W7-001 to 016).
 *
 * The image's sectors carry stamps (mkimg.c), so a wrong sector, a short read and a byte too many are all seen. Variants:
 * 0 everything on a small disk; 1 only sizes, bounds and CHS, for disks of any size; 2 writes at its first start and looks
 * at its second whether that is still there; 4 a disk that refuses writes; 5 a disk that must not be started.
 */
#include "fw.h"

void probe_main(void);

enum { GUARD = 0xa5, DRIVE = 0x80 };

static void fill(u16 seg, u16 off, u8 value, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++) pokeb(seg + (i >> 4), off + (i & 15), value);
}

static int filled(u16 seg, u16 off, u8 value, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++)
        if (peekb(seg + (i >> 4), off + (i & 15)) != value) return 0;
    return 1;
}

static int call(struct regs *r, u8 ah, u8 drive)
{
    r->ah = ah;
    r->dl = drive;
    bios(0x13, r);
    return r->flags & CF ? r->ah ? r->ah : 0xff : 0;
}

static u8 transfer(u8 function, struct packet *p, u16 flags)
{
    struct regs r;
    clear(&r);
    r.flags = flags;
    r.si = (u16)(u32)p;
    return call(&r, function, DRIVE);
}

/* ------------------------------------------------------------------ hand-over */

static void handed_over(void)
{
    u32 same = 1;
    expect(1, "CS:IP at the boot sector", (u32)entry.cs << 16 | entry.ip, 0x7c00);
    expect(1, "DL at the boot sector", entry.dx & 0xff, DRIVE);
    expect(1, "LBA 0 reads", disk_read(DRIVE, 0, 1, SEG_BUF, 0), 0);
    for (u32 i = 0; i < 512; i++) same &= peekb(SEG_BUF, i) == peekb(0, 0x7c00 + i);
    expect(1, "0000:7C00 holds LBA 0 unchanged", same, 1);
    expect(1, "boot sector has its mark", peekw(0, 0x7dfe), 0xaa55);
}

static void a20(void)
{
    u32 low = peekl(0, 0x700), high = peekl(0xffff, 0x710);
    pokel(0, 0x700, 0x12345678);
    pokel(0xffff, 0x710, 0x9abcdef0);
    expect(2, "100700h and 700h are different memory", peekl(0, 0x700), 0x12345678);
    expect(2, "100700h keeps what was written", peekl(0xffff, 0x710), 0x9abcdef0);
    pokel(0, 0x700, low);
    pokel(0xffff, 0x710, high);
}

/* ------------------------------------------------------------------ 41h, 48h */

static void extensions(void)
{
    struct regs r;
    clear(&r);
    r.bx = 0x55aa;
    int error = call(&r, 0x41, DRIVE);
    expect(3, "AH=41h", error, 0);
    expect(3, "AH=41h BX", r.bx, 0xaa55);
    expect(3, "AH=41h CX bit 0", r.cx & 1, 1);
    within(3, "AH=41h version", r.ah, 0x21, 0x3f);
    clear(&r);
    r.bx = 0x1234;
    expect(3, "AH=41h without 55AAh in BX is refused", call(&r, 0x41, DRIVE), 1);
    clear(&r);
    r.bx = 0x55aa;
    call(&r, 0x41, 0x8f);
    expect(3, "AH=41h of an absent drive: carry", r.flags & CF, CF);
}

/* How many bytes AH=48h writes for a buffer that says it has `size`. */
static u32 written_by_48(u16 size, u32 *error)
{
    static u8 buffer[160];
    struct regs r;
    u32 last = 0;
    for (u32 pass_no = 0; pass_no < 2; pass_no++) {
        memset(buffer, pass_no ? 0x5a : GUARD, sizeof buffer);
        buffer[0] = size & 0xff;
        buffer[1] = size >> 8;
        clear(&r);
        r.si = (u16)(u32)buffer;
        *error = call(&r, 0x48, DRIVE);
        for (u32 i = 2; i < sizeof buffer; i++)
            if (buffer[i] != (pass_no ? 0x5a : GUARD) && i + 1 > last) last = i + 1;
    }
    return last;
}

static void parameters(void)
{
    static u8 b[0x80];
    struct regs r;
    u32 error;
    memset(b, GUARD, sizeof b);
    b[0] = 0x1a;
    b[1] = 0;
    clear(&r);
    r.si = (u16)(u32)b;
    expect(4, "AH=48h with 26 bytes", call(&r, 0x48, DRIVE), 0);
    expect(4, "byte 1Ah behind the buffer", b[0x1a], GUARD);
    expect(4, "bytes behind 1Ah", filled(SEG_BODY, (u16)(u32)b + 0x1a, GUARD, 0x40), 1);
    expect(4, "size word stays", b[0] | b[1] << 8, 0x1a);
    expect(4, "all 26 bytes are written", written_by_48(0x1a, &error), 0x1a);
    expect(5, "bytes written with size 1Eh", written_by_48(0x1e, &error), 0x1e);
    static const u16 larger[] = { 0x42, 0x43, 0x4a, 0x60, 0x90 };
    for (u32 i = 0; i < LEN(larger); i++) {
        u32 n = written_by_48(larger[i], &error);
        within(5, "bytes written with a larger size", n, 30, larger[i]);
    }
    u32 n = written_by_48(0x19, &error);
    expect(5, "a buffer of 25 bytes is not written past its end", n <= 0x19, 1);
}

static void size_of_disk(void)
{
    static u8 b[0x42];
    struct regs r;
    u64 sectors;
    static const u16 sizes[] = { 0x1a, 0x1e, 0x42 };
    for (u32 i = 0; i < LEN(sizes); i++) {
        memset(b, 0, sizeof b);
        b[0] = sizes[i];
        clear(&r);
        r.si = (u16)(u32)b;
        expect(6, "AH=48h", call(&r, 0x48, DRIVE), 0);
        expect(6, "AH=48h bytes per sector", b[0x18] | b[0x19] << 8, 512);
        memcpy(&sectors, b + 0x10, 8);
        expect(6, "AH=48h sectors, low half", (u32)sectors, (u32)params.sectors);
        expect(6, "AH=48h sectors, high half", sectors >> 32, params.sectors >> 32);
    }
}

/* ------------------------------------------------------------------ 42h */

static void counts_and_buffers(void)
{
    u32 good = 1;
    for (u32 count = 1; good && count <= 127; count++) {
        u16 off = (u16)(0 - count * 512);               /* ends exactly at offset 10000h */
        fill(SEG_BUF, 0, 0, 16);
        u8 error = disk_read(DRIVE, 200 + count, count, SEG_BUF, off);
        if (error) good = expect(7, "AH=42h with any count to the end of a segment", error, 0);
        for (u32 s = 0; good && s < count; s += count > 8 ? 7 : 1)
            if (!stamped(SEG_BUF, off + s * 512, 200 + count + s, 512))
                good = expect(7, "AH=42h data, sector", s, 0xffffffff);
        if (good && off && !filled(SEG_BUF, 0, 0, 16)) good = expect(7, "AH=42h wraps, count", count, 0);
    }
    if (good) pass(7, "AH=42h reads 1 to 127 sectors up to the end of a segment");
    static const u32 places[] = { 0x30000001, 0x30000003, 0x3000fe00, 0x3fff0010, 0x50017ffe, 0x00007e00, 0x7c001234 };
    for (u32 i = 0; i < LEN(places); i++) {
        u16 seg = places[i] >> 16, off = places[i];
        expect(7, "AH=42h to any address", disk_read(DRIVE, 300 + i, 1, seg, off), 0);
        expect(7, "AH=42h data at any address", stamped(seg, off, 300 + i, 512), 1);
    }
}

static void outside(u64 lba, u16 count, const char *what)
{
    struct packet p = { sizeof p, 0, count, 0x200, SEG_BUF, lba };
    fill(SEG_BUF, 0, GUARD, 0x200);
    fill(SEG_BUF, 0x200 + count * 512, GUARD, 0x200);
    u8 error = transfer(0x42, &p, 2 | IF);
    expect(8, what, error != 0 && error != 0xff, 1);
    u32 fits = lba < params.sectors ? (u32)(params.sectors - lba) : 0;
    expect(8, "count in the packet: unchanged or true", p.count == count || p.count <= fits, 1);
    expect(8, "nothing before the buffer", filled(SEG_BUF, 0, GUARD, 0x200), 1);
    expect(8, "nothing behind the buffer", filled(SEG_BUF, 0x200 + count * 512, GUARD, 0x200), 1);
}

static void bounds(void)
{
    u64 n = params.sectors;
    expect(8, "last sector reads", disk_read(DRIVE, n - 1, 1, SEG_BUF, 0), 0);
    expect(8, "last sector is the right one", stamped(SEG_BUF, 0, n - 1, 512), 1);
    outside(n, 1, "first sector behind the end");
    outside(n - 1, 2, "two sectors of which one is there");
    outside(n + 5, 16, "far start");
    outside(1ull << 48 | 200, 1, "LBA bit 48");
    outside(1ull << 63 | 200, 1, "LBA bit 63");
    outside(1ull << 52 | 200, 1, "LBA bit 52");
    outside(~0ull, 1, "LBA of all ones");
    if (n <= 1ull << 32) {
        outside(1ull << 32 | 200, 1, "LBA bit 32");
    } else {
        u64 lba = params.stride_from + (u64)(0xffffffff / params.stride + 3) * params.stride;
        expect(8, "sector above 2^32 reads", disk_read(DRIVE, lba, 1, SEG_BUF, 0), 0);
        expect(8, "sector above 2^32 is the right one", stamped(SEG_BUF, 0, lba, 512), 1);
    }
    if (n > 1u << 28) {
        u64 lba = params.stride_from + ((1u << 28) / params.stride + 3) * params.stride;
        expect(8, "sector above 2^28 reads", disk_read(DRIVE, lba, 1, SEG_BUF, 0), 0);
        expect(8, "sector above 2^28 is the right one", stamped(SEG_BUF, 0, lba, 512), 1);
    }
}

static void packet_on_stack(void)
{
    static const u16 flags[] = { 2, 2 | IF, 2 | DF, 2 | DF | IF };
    for (u32 i = 0; i < LEN(flags); i++) {
        struct packet p = { sizeof p, 0, 2, 0, SEG_BUF, 400 + i };
        expect(9, "AH=42h with its packet on the stack, any IF and DF", transfer(0x42, &p, flags[i]), 0);
        expect(9, "its data", stamped(SEG_BUF, 0, 400 + i, 512) && stamped(SEG_BUF, 512, 401 + i, 512), 1);
    }
    /* Ten in a row with interrupts off: no one may wait for IRQ 14 or miss it afterwards. */
    u32 good = 1;
    for (u32 i = 0; i < 10; i++) {
        struct packet p = { sizeof p, 0, 1, 0, SEG_BUF, 500 + i };
        good &= transfer(0x42, &p, 2) == 0 && stamped(SEG_BUF, 0, 500 + i, 512);
    }
    expect(9, "ten reads with interrupts off", good, 1);
}

static void registers(u16 flags)
{
    struct packet p = { sizeof p, 0, 1, 0x1000, SEG_BUF, 600 };
    struct regs r, was;
    clear(&r);
    r.eax = 0x11124200;
    r.ebx = 0x22233324;
    r.ecx = 0x33344435;
    r.edx = 0x44455500 | DRIVE;
    r.esi = 0x55560000 | (u16)(u32)&p;
    r.edi = 0x66677768;
    r.ebp = 0x77788879;
    r.es = 0x1357;
    r.fs = 0x2468;
    r.gs = 0x369c;
    r.flags = flags;
    was = r;
    bios(0x13, &r);
    expect(10, "read with full registers", r.flags & CF, 0);
    expect(10, "EAX, upper half", r.eax >> 16, was.eax >> 16);
    expect(10, "EBX", r.ebx, was.ebx);
    expect(10, "ECX", r.ecx, was.ecx);
    expect(10, "EDX", r.edx, was.edx);
    expect(10, "ESI", r.esi, was.esi);
    expect(10, "EDI", r.edi, was.edi);
    expect(10, "EBP", r.ebp, was.ebp);
    expect(10, "DS", r.ds, was.ds);
    expect(10, "ES", r.es, was.es);
    expect(10, "FS", r.fs, was.fs);
    expect(10, "GS", r.gs, was.gs);
    expect(10, "SP", r.sp_after, r.sp_before);
    expect(10, "ESP, upper half", r.esp_high >> 16, 0);
    expect(10, "IF and DF", r.flags & (IF | DF), flags & (IF | DF));
}

/* ------------------------------------------------------------------ writes */

static void writing(void)
{
    enum { AT = 1000 };
    for (u32 i = 0; i < 512; i++) pokel(SEG_BUF, i * 4, 0xfeed0000 + i * 3);
    struct packet p = { sizeof p, 0, 4, 0, SEG_BUF, AT };
    expect(11, "AH=43h", transfer(0x43, &p, 2 | IF), 0);
    fill(SEG_BUF, 0, 0, 2048);
    expect(11, "the sectors read again", disk_read(DRIVE, AT, 4, SEG_BUF, 0), 0);
    u32 same = 1;
    for (u32 i = 0; i < 512; i++) same &= peekl(SEG_BUF, i * 4) == 0xfeed0000 + i * 3;
    expect(11, "they hold what was written", same, 1);
    disk_read(DRIVE, AT - 1, 1, SEG_BUF, 0);
    expect(11, "the sector before is untouched", stamped(SEG_BUF, 0, AT - 1, 512), 1);
    disk_read(DRIVE, AT + 4, 1, SEG_BUF, 0);
    expect(11, "the sector behind is untouched", stamped(SEG_BUF, 0, AT + 4, 512), 1);
    struct packet odd = { sizeof odd, 0, 1, 0x801, SEG_BUF, AT + 1 };
    fill(SEG_BUF, 0x801, 0x3c, 512);
    expect(11, "AH=43h from an odd address", transfer(0x43, &odd, 2 | IF), 0);
    disk_read(DRIVE, AT + 1, 1, SEG_BUF, 0);
    expect(11, "its data", filled(SEG_BUF, 0, 0x3c, 512), 1);
    struct packet far_off = { sizeof far_off, 0, 1, 0, SEG_BUF, params.sectors };
    expect(11, "AH=43h behind the end fails", transfer(0x43, &far_off, 2 | IF) != 0, 1);
}

static void two_starts(void)
{
    disk_read(DRIVE, 1001, 1, SEG_BUF, 0);
    if (stamped(SEG_BUF, 0, 1001, 512)) writing();
    else expect(11, "what the last start wrote is still there", filled(SEG_BUF, 0, 0x3c, 512), 1);
}

static void protected(void)
{
    struct packet p = { sizeof p, 0, 1, 0, SEG_BUF, 1000 };
    struct regs r;
    fill(SEG_BUF, 0, 0x77, 512);
    expect(11, "AH=43h on a write-protected disk", transfer(0x43, &p, 2 | IF), 3);
    clear(&r);
    r.al = 1;
    r.cx = 2;
    r.es = SEG_BUF;
    expect(11, "AH=03h on a write-protected disk", call(&r, 0x03, DRIVE), 3);
    expect(11, "AH=01h tells the same", (clear(&r), call(&r, 0x01, DRIVE)), 3);
    expect(11, "the disk still reads", disk_read(DRIVE, 1000, 1, SEG_BUF, 0), 0);
    expect(11, "the sector is untouched", stamped(SEG_BUF, 0, 1000, 512), 1);
}

/* ------------------------------------------------------------------ CHS */

static u8 chs_read(u32 cyl, u8 head, u8 sector, u8 count)
{
    struct regs r;
    clear(&r);
    r.al = count;
    r.ch = (u8)cyl;
    r.cl = sector | (cyl >> 2 & 0xc0);
    r.dh = head;
    r.es = SEG_BUF;
    u8 error = call(&r, 0x02, DRIVE);
    if (!error && r.al != count) expect(12, "AL after AH=02h", r.al, count);
    return error;
}

static void geometry(void)
{
    struct regs r;
    clear(&r);
    expect(12, "AH=08h", call(&r, 0x08, DRIVE), 0);
    u32 spt = r.cl & 63, heads = r.dh + 1, last = r.ch | (r.cl & 0xc0) << 2;
    expect(12, "sectors per track", spt, 63);
    within(12, "heads", heads, 1, 255);
    u64 all = params.sectors;
    u32 whole = all > 1024u * 255 * 63 ? 1024u * 255 * 63 : (u32)all;
    within(12, "cylinders shown cover the disk but for two", (last + 1) * heads * spt,
           whole - 2 * heads * spt - whole / 1000, whole);
    u32 good = 1, tried = 0, from = params.stride ? params.stride_from : 128;
    u32 step = params.stride ? params.stride : whole / 200 + 1;
    for (u32 lba = from; good && lba < (last + 1) * heads * spt; lba += step, tried++) {
        u32 cyl = lba / (heads * spt), rest = lba % (heads * spt);
        u8 error = chs_read(cyl, rest / spt, rest % spt + 1, 1);
        if (error) good = expect(12, "AH=02h", error, 0);
        else if (!stamped(SEG_BUF, 0, lba, 512)) good = expect(12, "AH=02h reads the sector of LBA", lba, 0xffffffff);
    }
    if (good) pass(12, "CHS reads are the LBA reads over the whole range");
    within(12, "places compared", tried, 10, 100000);
    expect(12, "sector 0 is refused", chs_read(0, 0, 0, 1) != 0, 1);
    if (heads < 255) expect(12, "a head too many is refused", chs_read(0, heads, 1, 1) != 0, 1);
    expect(12, "tracks follow each other", chs_read(2, 0, 62, 4), 0);
    if (!params.stride) expect(12, "data over a track's end", stamped(SEG_BUF, 1024, 2 * heads * 63 + 63, 512), 1);
}

/* ------------------------------------------------------------------ the rest */

static void how_many(void)
{
    struct regs r;
    clear(&r);
    expect(13, "AH=08h", call(&r, 0x08, DRIVE), 0);
    expect(13, "AH=08h DL", r.dl, params.disks);
    expect(13, "0040:0075", peekb(0x40, 0x75), params.disks);
    for (u32 d = 0; d < 8; d++) {
        clear(&r);
        r.bx = 0x55aa;
        call(&r, 0x41, 0x80 + d);
        expect(13, "AH=41h finds that many", !(r.flags & CF), d < params.disks);
    }
}

static void types(void)
{
    struct regs r;
    clear(&r);
    expect(14, "AH=15h", call(&r, 0x15, DRIVE), 0);
    expect(14, "AH=15h type", r.ah, 3);
    u32 n = (u32)r.cx << 16 | r.dx;
    u32 most = params.sectors >> 32 ? 0xffffffff : (u32)params.sectors;
    within(14, "AH=15h sectors", n, most > 16450560 ? 16400000 : most - most / 20 - 64 * 63, most);
    clear(&r);
    int error = call(&r, 0x15, 0x80 + params.disks);
    expect(14, "AH=15h of an absent drive", error == 0 ? r.ah : error == 1 ? 0 : 0x100u | (u32)error, 0);
}

static void resets(void)
{
    static const u8 functions[] = { 0x00, 0x0d };
    for (u32 i = 0; i < LEN(functions); i++) {
        struct regs r;
        clear(&r);
        u32 start = pm_timer();
        expect(15, "reset", call(&r, functions[i], DRIVE), 0);
        within(15, "its time in microseconds", elapsed_us(start), 0, 1000000);
        expect(15, "a read after it", disk_read(DRIVE, 700, 1, SEG_BUF, 0), 0);
        expect(15, "its data", stamped(SEG_BUF, 0, 700, 512), 1);
    }
}

static u32 data_area_sum(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < 0x100; i++)
        if ((i < 0x6c || i > 0x70) && i != 0x74 && i != 0x40 && i != 0x3f && i != 0x41)
            sum = sum * 31 + peekb(0x40, i);
    return sum;
}

static void unknown(void)
{
    static const u8 functions[] = { 0x1f, 0x22, 0x30, 0x3f, 0x4f, 0x50, 0x60, 0x7f, 0x80, 0x9a, 0xb0, 0xce, 0xff };
    for (u32 i = 0; i < LEN(functions); i++) {
        struct regs r, was;
        clear(&r);
        r.ebx = 0x11112222;
        r.ecx = 0x33334444;
        r.edx = 0x55556600 | DRIVE;
        r.esi = 0x77778888;
        r.edi = 0x9999aaaa;
        r.es = SEG_BUF;
        was = r;
        u32 before = data_area_sum();
        expect(16, "unknown AH", call(&r, functions[i], DRIVE), 1);
        expect(16, "data area after it", data_area_sum(), before);
        expect(16, "registers after it",
               r.ebx == was.ebx && r.ecx == was.ecx && r.edx == was.edx && r.esi == was.esi && r.edi == was.edi &&
               r.es == was.es && r.ds == was.ds, 1);
    }
    expect(16, "a read after them", disk_read(DRIVE, 700, 1, SEG_BUF, 0), 0);
}

void probe_main(void)
{
    if (params.variant == 5) {
        fail(1, "boot sector without 55AAh", 1, 0);
        return;
    }
    if (params.variant == 2 || params.variant == 4) {
        plan(11, 11);
        if (params.variant == 2) two_starts();
        else protected();
        return;
    }
    if (params.variant == 1) {
        plan(6, 6);
        plan(8, 8);
        plan(12, 14);
    } else {
        plan(1, 16);
        handed_over();
        a20();
        extensions();
        parameters();
        counts_and_buffers();
        packet_on_stack();
        registers(2);
        registers(2 | IF);
        registers(2 | IF | DF);
        resets();
        unknown();
        writing();
    }
    size_of_disk();
    bounds();
    geometry();
    how_many();
    types();
}
