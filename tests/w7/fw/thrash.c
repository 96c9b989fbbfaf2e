/*
 * Firmware probe `mode-thrash`: what a loader that calls the BIOS from protected and from long mode rests on (W7-030, 087,
 * 092 to 097). First the rules one by one, then `variant` thousand round trips with an INT 13h read each and a look for
 * state that drifts; with bit 31 of `variant` the trips go without the read, for the host's time of a trip alone.
 */
#include "fw.h"

void probe_main(void);
void mode_tests(void);
void round_trip(void);
void leave_long(void);
extern u8 results_thrash[32];
extern u32 long_count, trip_cr0, trip_cr4, trip_efer, lahf64;

enum { TABLES = 0x6000 };

/* At 60000: PML4, 61000: its pointers, 62000: directory of 2 MiB pages, 63000: PAE pointers, 64000: 4 MiB pages. */
static void page_tables(void)
{
    for (u32 i = 0; i < 0x5000; i += 4) pokel(TABLES + (i >> 4), i & 15, 0);
    pokel(TABLES, 0, 0x61003);
    pokel(TABLES + 0x100, 0, 0x62003);
    for (u32 i = 0; i < 512; i++) pokel(TABLES + 0x200, i * 8, i << 21 | 0x83);
    for (u32 i = 0; i < 4; i++) pokel(TABLES + 0x300, i * 8, 0x62001);
    for (u32 i = 0; i < 4; i++) pokel(TABLES + 0x400, i * 4, i << 22 | 0x83);
    pokel(TABLES + 0x400, 4, 0x83);             /* 400000 is 0 again, so 600000 is 200000 */
}

static void rules(void)
{
    static const struct {
        u8 test, id;
        const char *name;
    } rows[] = {
        { 0, 92, "hidden base and limit stay when PE is cleared" }, { 1, 92, "a load in real mode changes the base only" },
        { 2, 92, "CS stays until the far jump" }, { 3, 94, "16-bit code and stack, 286 gates" },
        { 5, 95, "LGDT and LIDT with 16- and 32-bit operand size" }, { 6, 95, "LGDT and SGDT in 64-bit code" },
        { 7, 96, "PE and PG in one write; illegal CR0 values" }, { 8, 96, "LME, PAE and PG make LMA; what is refused then" },
        { 9, 97, "PAE pointers are loaded and checked by CR3 writes" },
    };
    pokel(0x3001, 0, 0x600d0030);
    flat_write(0x200000, 0x600d0200);
    page_tables();
    mode_tests();
    for (u32 i = 0; i < LEN(rows); i++) expect(rows[i].id, rows[i].name, results_thrash[rows[i].test], 1);
    expect(87, "LAHF, SAHF in 64-bit code", lahf64, 0xd7);
}

static u32 state_sum(void)
{
    u32 sum = 0;
    for (u32 v = 0; v < 256; v++) sum = sum * 33 + peekl(0, v * 4);
    for (u32 i = 0; i < 0x100; i++)
        if ((i < 0x6c || i > 0x70) && i != 0x40 && i != 0x3f) sum = sum * 33 + peekb(0x40, i);
    return sum * 33 + (inb(0x21) | inb(0xa1) << 8);
}

static void trips(u32 count, u32 with_read)
{
    u32 read_errors = 0, wrong = 0, n = 0;
    round_trip();
    u32 cr0 = trip_cr0, cr4 = trip_cr4, efer = trip_efer, before = state_sum(), ticks = peekl(0x40, 0x6c);
    long_count = 0;
    for (; n < count; n++) {
        round_trip();
        if (trip_cr0 != cr0 || trip_cr4 != cr4 || trip_efer != efer) break;
        if (!with_read) continue;
        read_errors += disk_read(0x80, 200 + (n & 127), 1, SEG_BUF, 0) != 0;
        wrong += peekl(SEG_BUF, 508) != (u32)(200 + (n & 127)) * 0x9e3779b1 + 127u * 0x85ebca6b;
    }
    expect(93, "round trips", n, count);
    expect(93, "visits to 64-bit mode", long_count, count);
    expect(93, "reads that failed", read_errors, 0);
    expect(93, "reads with wrong data", wrong, 0);
    expect(93, "vectors, data area and interrupt masks afterwards", state_sum(), before);
    expect(93, "the clock ticked meanwhile", with_read && count >= 2000 ? peekl(0x40, 0x6c) != ticks : 1, 1);
    expect(30, "BIOS calls between the trips", read_errors + wrong, 0);
    expect(93, "EFER.LME stays, LMA drops", efer & 0x500, 0x100);
    leave_long();
}

void probe_main(void)
{
    u32 with_read = params.variant >> 31 == 0;
    plan(93, 93);
    if (with_read) {
        plan(30, 30);
        plan(87, 87);
        plan(92, 97);
        rules();
    } else {
        page_tables();
    }
    trips((params.variant & 0x7fffffff) * 1000, with_read);
}
