/* expect: exit 171. The I/O APIC: registers, edges, levels with Remote IRR and EOI, masks, destinations, delivery modes, two-halves writes.
 * args: --set testdev=on
 * (Intel 82093AA data sheet, order number 290566, section 3; EOI register: SDM 3A 10.8.5. Lines 10 and 11 by the test device.) */
#include "tests/guest/dev.h"

enum { MASKED = 0x10000, LEVEL = 0x8000, REMOTE_IRR = 0x4000, LOGICAL = 0x800, NMI_MODE = 0x400, LOWEST = 0x100 };
enum { PIN = 10, OTHER = 11, VECTOR = 0x70 };

static u32 entry(unsigned pin)
{
    return ioapic_rd(0x10 + pin * 2);
}

static void fresh(u32 low)
{
    line(PIN, false);
    line(OTHER, false);
    apic_wr(0x80, 0);
    for (unsigned n = 0; n < 20; n++) apic_wr(0xb0, 0);
    ioapic_entry(OTHER, 0, MASKED);
    ioapic_entry(PIN, 0, VECTOR); /* edge: forgets Remote IRR */
    ioapic_entry(PIN, 0, low);
    window();
    for (unsigned n = 0; n < 20; n++) apic_wr(0xb0, 0);
    forget();
}

static void registers(void)
{
    about(163);
    check_eq("version register: 24 entries", ioapic_rd(1) >> 16 & 0xff, 23);
    check_in("version", ioapic_rd(1) & 0xff, 0x11, 0x20);
    u32 id = ioapic_rd(0);
    ioapic_wr(0, 0xf5ffffff);
    check_eq("id is four bits", ioapic_rd(0) & 0xffffff, 0);
    check_eq("id is kept", ioapic_rd(0) >> 24 & 15, 5);
    ioapic_wr(0, id);
    ioapic_wr(1, 0);
    check_eq("version is read-only", ioapic_rd(1) >> 16 & 0xff, 23);
    ioapic_entry(PIN, 0xff000000, MASKED);
    check_eq("destination reads back", ioapic_rd(0x11 + PIN * 2), 0xff000000);
    ioapic_wr(0x10 + PIN * 2, 0x1ffff);
    check_eq("delivery status and Remote IRR are read-only", entry(PIN) & 0x5000, 0);
    check_eq("the others are kept", entry(PIN) & 0x1afff, 0x1afff);
    ioapic_wr(0x10 + PIN * 2, MASKED);
    wr32(IOAPIC, 0x3f);
    check_eq("last entry", ioapic_rd(0x3e), MASKED);
    wr32(IOAPIC, 0x10 + PIN * 2);
    check_eq("index reads back", rd32(IOAPIC) & 0xff, 0x10 + PIN * 2);
    about(0);
}

static void edges(void)
{
    about(164);
    fresh(VECTOR);
    line(PIN, true);
    window();
    check_eq("edge: delivered", taken[VECTOR], 1);
    check_eq("edge: no Remote IRR", entry(PIN) & REMOTE_IRR, 0);
    apic_wr(0xb0, 0);
    window();
    check_eq("edge: once while the line is high", taken[VECTOR], 1);
    line(PIN, false);
    line(PIN, true);
    line(PIN, false);
    line(PIN, true);
    window();
    check_eq("edge: two of them merge in IRR", taken[VECTOR], 2);
    apic_wr(0xb0, 0);
    about(165);
    fresh(VECTOR | MASKED);
    line(PIN, true);
    ioapic_wr(0x10 + PIN * 2, VECTOR);
    window();
    check_eq("masked edge is not remembered", taken[VECTOR], 0);
    line(PIN, false);
    line(PIN, true);
    window();
    check_eq("the next one counts", taken[VECTOR], 1);
    apic_wr(0xb0, 0);
    about(0);
}

static void levels(void)
{
    about(164);
    fresh(VECTOR | LEVEL);
    line(PIN, true);
    check_eq("level: Remote IRR is set when the local APIC has it", entry(PIN) & REMOTE_IRR, REMOTE_IRR);
    window();
    check_eq("level: delivered", taken[VECTOR], 1);
    check_eq("level: TMR bit", apic_rd(0x180 + (VECTOR >> 5) * 16) >> (VECTOR & 31) & 1, 1);
    window();
    check_eq("level: once before EOI", taken[VECTOR], 1);
    apic_wr(0xb0, 0);
    window();
    check_eq("level: again after EOI while high", taken[VECTOR], 2);
    line(PIN, false);
    apic_wr(0xb0, 0);
    check_eq("level: EOI clears Remote IRR", entry(PIN) & REMOTE_IRR, 0);
    window();
    check_eq("level: not after it fell", taken[VECTOR], 2);
    about(166);
    fresh(VECTOR | LEVEL | MASKED);
    line(PIN, true);
    line(PIN, false);
    ioapic_wr(0x10 + PIN * 2, VECTOR | LEVEL);
    window();
    check_eq("level: lowered while masked leaves nothing", taken[VECTOR], 0);
    check_eq("nor Remote IRR", entry(PIN) & REMOTE_IRR, 0);
    line(PIN, true);
    line(PIN, false); /* after delivery to the local APIC, before the processor takes it */
    window();
    check_eq("level: lowered after delivery comes once", taken[VECTOR], 1);
    apic_wr(0xb0, 0);
    window();
    check_eq("and not again", taken[VECTOR], 1);
    check_eq("nothing stuck", entry(PIN) & REMOTE_IRR, 0);
    about(164);
    fresh(VECTOR | LEVEL | MASKED);
    line(PIN, true);
    window();
    check_eq("masked level waits", taken[VECTOR], 0);
    ioapic_wr(0x10 + PIN * 2, VECTOR | LEVEL);
    window();
    check_eq("and comes when unmasked", taken[VECTOR], 1);
    ioapic_wr(0x10 + PIN * 2, VECTOR | LEVEL | MASKED);
    apic_wr(0xb0, 0);
    window();
    check_eq("masked before EOI: no resend", taken[VECTOR], 1);
    check_eq("EOI reaches a masked entry", entry(PIN) & REMOTE_IRR, 0);
    ioapic_wr(0x10 + PIN * 2, VECTOR | LEVEL);
    check_eq("unmasked: Remote IRR again", entry(PIN) & REMOTE_IRR, REMOTE_IRR);
    ioapic_wr(0x10 + PIN * 2, VECTOR | MASKED);
    ioapic_wr(0x10 + PIN * 2, VECTOR | LEVEL | MASKED);
    check_eq("a turn to edge clears Remote IRR", entry(PIN) & REMOTE_IRR, 0);
    line(PIN, false);
    window();
    apic_wr(0xb0, 0);

    /* two pins on one vector: both see the EOI */
    fresh(VECTOR | LEVEL);
    ioapic_entry(OTHER, 0, VECTOR | LEVEL);
    line(PIN, true);
    line(OTHER, true);
    window();
    line(PIN, false);
    apic_wr(0xb0, 0);
    check_eq("shared vector: the low line is done", entry(PIN) & REMOTE_IRR, 0);
    check_eq("the high one asks again", entry(OTHER) & REMOTE_IRR, REMOTE_IRR);
    window();
    line(OTHER, false);
    apic_wr(0xb0, 0);
    check_eq("both done", taken[VECTOR], 2);
    if ((ioapic_rd(1) & 0xff) >= 0x20) {
        about(163);
        fresh(VECTOR | LEVEL);
        line(PIN, true);
        line(PIN, false);
        wr32(IOAPIC + 0x40, VECTOR + 1);
        check_eq("EOI register: another vector does nothing", entry(PIN) & REMOTE_IRR, REMOTE_IRR);
        wr32(IOAPIC + 0x40, VECTOR);
        check_eq("EOI register clears Remote IRR", entry(PIN) & REMOTE_IRR, 0);
        window();
        apic_wr(0xb0, 0);
    }
    about(0);
}

static bool reaches(u32 high, u32 low)
{
    fresh(MASKED);
    ioapic_entry(PIN, high << 24, VECTOR | low);
    line(PIN, true);
    window();
    apic_wr(0xb0, 0);
    return taken[VECTOR];
}

static void destinations(void)
{
    about(167);
    u32 me = apic_rd(0x20) >> 24;
    check_eq("physical: own id", reaches(me, 0), 1);
    check_eq("physical: another id", reaches(me ^ 1, 0), 0);
    check_eq("physical: broadcast FFh", reaches(0xff, 0), 1);
    apic_wr(0xe0, 0xffffffff);
    apic_wr(0xd0, 0x04000000);
    check_eq("logical flat: our bit", reaches(0x06, LOGICAL), 1);
    check_eq("logical flat: other bits", reaches(0xfb, LOGICAL), 0);
    check_eq("logical flat: broadcast FFh", reaches(0xff, LOGICAL), 1);
    check_eq("lowest priority picks the only one", reaches(0x04, LOGICAL | LOWEST), 1);
    check_eq("lowest priority to nobody", reaches(0x08, LOGICAL | LOWEST), 0);
    apic_wr(0xe0, 0x0fffffff);
    apic_wr(0xd0, 0x32000000);
    check_eq("logical cluster: cluster 3, our bit", reaches(0x36, LOGICAL), 1);
    check_eq("logical cluster: cluster 3, other bit", reaches(0x35, LOGICAL), 0);
    check_eq("logical cluster: another cluster", reaches(0x22, LOGICAL), 0);
    check_eq("logical cluster: broadcast FFh", reaches(0xff, LOGICAL), 1);
    apic_wr(0xe0, 0xffffffff);
    apic_wr(0xd0, 0);
    check_eq("logical id 0 is addressed by nobody", reaches(0x01, LOGICAL), 0);
    about(164);
    fresh(MASKED);
    ioapic_entry(PIN, 0, NMI_MODE | VECTOR);
    line(PIN, true);
    check_eq("NMI delivery ignores IF", taken[2], 1);
    check_eq("and the vector", taken[VECTOR], 0);
    line(PIN, false);
    fresh(VECTOR | 0x2000); /* the board drives active-high levels; polarity is kept, nothing more */
    check_eq("polarity bit reads back", entry(PIN) & 0x2000, 0x2000);
    fresh(MASKED);
    about(0);
}

static void halves(void)
{
    about(168);
    fresh(VECTOR | MASKED);
    line(PIN, true);
    ioapic_wr(0x10 + PIN * 2, MASKED | LEVEL | (VECTOR + 1));
    ioapic_wr(0x11 + PIN * 2, 0xff000000);
    window();
    check_eq("a masked entry delivers nothing while it is written", norder, 0);
    ioapic_wr(0x10 + PIN * 2, LEVEL | (VECTOR + 1));
    window();
    check_eq("its final vector when unmasked", order[0], VECTOR + 1);
    ioapic_wr(0x11 + PIN * 2, 0);
    window();
    check_eq("writing the upper half delivers nothing", norder, 1);
    line(PIN, false);
    apic_wr(0xb0, 0);
    fresh(VECTOR | LEVEL | MASKED);
    wr32(IOAPIC, 0x10 + PIN * 2);
    __asm__ volatile("movb $0x71, %0" : "=m"(*(volatile u8 *)(word)(IOAPIC + 0x10)));
    about(163);
    check_eq("a byte write of the window changes nothing", entry(PIN), VECTOR | LEVEL | MASKED);
    fresh(MASKED);
    about(0);
}

void test_ioapic(void)
{
    outb(0x4d1, 0);
    for (unsigned n = 0; n < 8; n++) apic_wr(0xb0, 0);
    registers();
    edges();
    levels();
    destinations();
    halves();
}
