/*
 * Firmware probe: INT 19h and INT 18h go back to the choice of a boot device and leave memory alone (W7-045).
 *
 * Three starts: the first calls INT 19h, the second (the same disk) INT 18h, the third is the next disk. Each knows by a mark
 * in memory which one it is; a counter in the CMOS ends the game when memory was lost.
 */
#include "fw.h"

void probe_main(void);

enum { MARK_SEG = 0x6800, STARTS = 0x7e, HIGH = 0x280000 };
#define MARK 0x57374657u

static void leave(u8 vector)
{
    struct regs r;
    clear(&r);
    pokeb(MARK_SEG, 4, peekb(MARK_SEG, 4) + 1);
    bios(vector, &r);
    fail(45, "INT 18h or 19h came back", vector, 0);
}

void probe_main(void)
{
    u8 starts = cmos(STARTS);
    u32 known = peekl(MARK_SEG, 0) == MARK;
    plan(45, 45);
    cmos_set(STARTS, starts + 1);
    if (!known && starts == 0) {
        pokel(MARK_SEG, 0, MARK);
        pokeb(MARK_SEG, 4, 0);
        flat_write(HIGH, MARK + 1);
        pokel(0, 0x700, MARK + 2);
        leave(0x19);
    }
    cmos_set(STARTS, known && starts < 2 ? starts + 1 : 0);
    if (!expect(45, "memory keeps its content", known, 1)) return;
    expect(45, "memory above 1 MiB, too", flat_read(HIGH), MARK + 1);
    expect(45, "memory at 700h, too", peekl(0, 0x700), MARK + 2);
    expect(45, "the started disk is drive 80h", entry.dx & 0xff, 0x80);
    if (peekb(MARK_SEG, 4) == 1) {
        expect(45, "INT 19h starts the first device again", params.variant, 0);
        leave(0x18);
    }
    expect(45, "INT 18h goes on with the next device", params.variant, 1);
}
