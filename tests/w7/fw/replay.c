/*
 * Firmware probe `mbr-replay`, last stage: started by replay_mbr.S and replay_vbr.S as bootmgr's first part is started by the
 * Windows 7 boot sectors. Judges what those two saw, then what 16-bit and 32-bit code of that stage rests on (W7-087 to 091), A20
 * (W7-128), the 8042 (W7-213, 214), resets and the triple fault (W7-126).
 *
 * A step after which the machine must reset is counted in CMOS byte 7Eh; the next start goes on behind it. Variant 1 makes the
 * triple fault at once, for a run with --no-reboot.
 */
#include "fw.h"

void probe_main(void);
void ops_real(void);
void ops_protected(void);
void triple_fault(void);
extern u8 results16[32], results32[32];

enum { STAGE = 0x7e, MBR_SEEN = 0x520, POLLS = 0x522, VBR_SEEN = 0x524 };

/* ------------------------------------------------------------------ the two boot sectors */

static void bits(u16 seen, const char *const *names, const u8 *ids, u32 n)
{
    for (u32 i = 0; i < n; i++) expect(ids[i], names[i], seen >> i & 1, 1);
}

static void boot_sectors(void)
{
    static const char *const mbr[] = {
        "MBR: moved itself, RETF", "MBR: carry of a failed read through LAHF/SAHF", "MBR: reset after the error",
        "MBR: read with a packet of 66h pushes", "MBR: PUSHAD/POPAD around INT 13h", "MBR: 8042 D1h, DFh, FFh and still alive",
        "MBR: no TPM by BB00h",
    };
    static const u8 mbr_ids[] = { 88, 87, 15, 9, 88, 213, 26 };
    static const char *const vbr[] = {
        "boot record: AH=41h", "boot record: AH=48h with 26 bytes on the stack", "boot record: 15 sectors one by one",
        "boot record: no TPM by BB00h", "boot record: REP STOSB, sectors behind the first run",
        "loader: 67h 66h addressing, DIV, MUL, REP MOVSB, fix-ups", "loader: a file sector by sector",
    };
    static const u8 vbr_ids[] = { 3, 4, 9, 26, 90, 89, 7 };
    bits(peekw(0, MBR_SEEN), mbr, mbr_ids, LEN(mbr));
    bits(peekw(0, VBR_SEEN), vbr, vbr_ids, LEN(vbr));
    expect(1, "DL through both stages", entry.dx & 0xff, 0x80);
    within(214, "polls until the 8042's input buffer was empty", peekw(0, POLLS), 1, 65535);
    u32 good = 1;
    for (u32 i = 0; i < 512; i++) good &= stamped(SEG_BUF + i * 32, 0, 4096 + i, 512);
    expect(7, "the 256 KiB file is the disk's", good, 1);
}

/* ------------------------------------------------------------------ instructions */

static void instructions(void)
{
    static const struct {
        u8 test, id;
        const char *name;
    } rows[] = {
        { 0, 87, "LAHF, SAHF" }, { 1, 88, "PUSHAD, POPAD" }, { 2, 88, "PUSHA, POPA" }, { 3, 88, "PUSHFD, POPFD" },
        { 4, 88, "LES, LDS, LSS, LFS, LGS" }, { 5, 88, "ENTER, LEAVE, 32-bit" }, { 6, 88, "ENTER, LEAVE, 16-bit" },
        { 7, 88, "XLAT" }, { 8, 88, "BOUND" }, { 9, 88, "AAA, AAS, DAA, DAS, AAM, AAD" }, { 10, 88, "SHLD, SHRD" },
        { 11, 90, "REP MOVS and STOS, both address sizes, both directions" }, { 12, 90, "REP is interrupted between iterations" },
        { 13, 91, "DIV by zero" }, { 14, 91, "IDIV overflow" },
    };
    memset(results16, 0, sizeof results16);
    memset(results32, 0, sizeof results32);
    ops_real();
    say("real mode:\n");
    for (u32 i = 0; i < LEN(rows); i++) expect(rows[i].id, rows[i].name, results16[rows[i].test], 1);
    expect(89, "scaled index below 64 KiB", results16[16], 1);
    expect(89, "#GP and #SS above 64 KiB", results16[17], 1);
    expect(90, "REP that faults half way goes on from there", results16[18], 1);
    ops_protected();
    say("protected mode:\n");
    for (u32 i = 0; i < LEN(rows); i++) expect(rows[i].id, rows[i].name, results32[rows[i].test], 1);
}

/* ------------------------------------------------------------------ A20 */

static void wait_empty(void)
{
    u32 polls = 0;
    while (inb(0x64) & 2 && ++polls < 65536) continue;
    if (polls == 65536) fail(214, "8042 input buffer stays full", polls, 65535);
}

static void gate_8042(u32 on)
{
    wait_empty();
    outb(0x64, 0xd1);
    wait_empty();
    outb(0x60, on ? 0xdf : 0xdd);
    wait_empty();
}

static void gate_92(u32 on)
{
    outb(0x92, (inb(0x92) & ~3) | (on ? 2 : 0));
}

/* Port 92h off and the very next instruction reads 100700h; FS has 4 GiB. */
static u32 next_instruction(void)
{
    u32 v;
    big_limits(0, 0);
    asm volatile("inb $0x92, %%al\n\tandb $0xfc, %%al\n\toutb %%al, $0x92\n\tmovl %%fs:(%1), %0"
                 : "=&a"(v) : "b"(0x100700) : "memory");
    return v;
}

static void masks(const char *how, void (*gate)(u32))
{
    enum { AT = 0x700, MIB = 0x100000 };
    gate(1);
    for (u32 m = 0; m < 8; m++) flat_write(m * MIB + AT, 0xa2000000 + m);
    gate(0);
    for (u32 m = 0; m < 8; m++)
        if (!expect(128, how, flat_read(m * MIB + AT), 0xa2000000 + (m & ~1u))) break;
    flat_write(5 * MIB + AT, 0x5555);
    gate(1);
    expect(128, "a write with bit 20 masked", flat_read(4 * MIB + AT), 0x5555);
    for (u32 m = 0; m < 8; m++)
        if (m != 4 && !expect(128, "memory once A20 is open again", flat_read(m * MIB + AT), 0xa2000000 + m)) break;
}

static void a20(void)
{
    u32 low = flat_read(0x700);
    masks("addresses with A20 off by port 92h", gate_92);
    masks("addresses with A20 off by the 8042", gate_8042);
    gate_8042(1);
    gate_92(1);
    flat_write(0x700, 0x11);
    flat_write(0x100700, 0x22);
    expect(128, "the instruction behind OUT 92h sees it", next_instruction(), 0x11);
    gate_92(1);
    expect(128, "open again", flat_read(0x100700), 0x22);
    flat_write(0x700, low);
}

/* ------------------------------------------------------------------ resets */

static void harmless(void)
{
    static const u8 pulses[] = { 0xff, 0xfd };
    for (u32 i = 0; i < LEN(pulses); i++) {
        wait_empty();
        outb(0x64, pulses[i]);
        wait_empty();
        expect(213, "8042 FFh and FDh do nothing", 1, 1);
    }
    u8 was = inb(0x92);
    gate_8042(1);
    expect(213, "D1h with DFh leaves the CPU running", 1, 1);
    expect(214, "8042 status after the commands", inb(0x64) & 2, 0);
    outb(0x92, was & ~1);
}

/* Still running 50 ms later? Then there was no reset. */
static void survived(u32 id, const char *what)
{
    u32 start = pm_timer();
    while (elapsed_us(start) < 50000) continue;
    fail(id, what, 0, 1);
}

static void resets(void)
{
    switch (cmos(STAGE)) {
    case 0:
        cmos_set(STAGE, 1);
        wait_empty();
        outb(0x64, 0xd1);
        wait_empty();
        outb(0x60, 0xde);
        survived(213, "8042 D1h with bit 0 clear resets");
        break;
    case 1:
        pass(213, "8042 D1h with bit 0 clear resets");
        break;
    }
    if (cmos(STAGE) == 1) {
        cmos_set(STAGE, 2);
        wait_empty();
        outb(0x64, 0xfe);
        survived(213, "8042 FEh resets");
    } else {
        pass(213, "8042 FEh resets");
    }
    if (cmos(STAGE) == 2) {
        cmos_set(STAGE, 3);
        triple_fault();
    }
    pass(126, "a triple fault resets the machine");
    cmos_set(STAGE, 0);
}

void probe_main(void)
{
    if (params.variant == 1) {
        plan(126, 126);
        triple_fault();
    }
    if (cmos(STAGE) == 0 || cmos(STAGE) > 3) {
        cmos_set(STAGE, 0);
        static const u8 ids[] = { 1, 3, 4, 7, 9, 15, 26, 87, 88, 89, 90, 91, 126, 128, 213, 214 };
        for (u32 i = 0; i < LEN(ids); i++) plan(ids[i], ids[i]);
        boot_sectors();
        instructions();
        a20();
        harmless();
    }
    resets();
}
