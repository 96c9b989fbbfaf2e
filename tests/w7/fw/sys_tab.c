/*
 * Part of the firmware probe `sys`: RSDP, SMBIOS entry point, PCI assignments (W7-041, 042, 043). The tables' contents are
 * judged on the host; here: that a loader that searches where Windows does finds exactly one, and that what it finds holds.
 */
#include "fw.h"

void table_probes(void);

static u8 sum(u32 addr, u32 n)
{
    u8 s = 0;
    while (n--) s += flat_read8(addr++);
    return s;
}

static int text_at(u32 addr, const char *text)
{
    for (; *text; text++)
        if (flat_read8(addr++) != (u8)*text) return 0;
    return 1;
}

static void rsdp(void)
{
    u32 found = 0, at = 0, unaligned = 0;
    u32 ebda = (u32)peekw(0x40, 0x0e) << 4;
    for (u32 a = 0xe0000; a < 0x100000; a += 4) {
        if (peekl(a >> 4, a & 15) != 0x20445352 || !text_at(a, "RSD PTR ")) continue;
        if (sum(a, 20)) continue;
        if (a & 15) unaligned++;
        found++;
        at = a;
    }
    for (u32 a = ebda; a < ebda + 1024; a += 16)
        if (text_at(a, "RSD PTR ") && sum(a, 20) == 0) found++;
    expect(41, "RSDP with a good checksum in E0000-FFFFF and the EBDA", found, 1);
    expect(41, "RSDP on a 16-byte boundary", unaligned, 0);
    if (found != 1) return;
    if (flat_read8(at + 15) >= 2) expect(41, "second checksum", sum(at, flat_read(at + 20)), 0);
    u32 rsdt = flat_read(at + 16), length = flat_read(rsdt + 4);
    expect(41, "RSDT where it points", text_at(rsdt, "RSDT"), 1);
    within(41, "length of the RSDT", length, 40, 36 + 4 * 32);
    expect(41, "checksum of the RSDT", length < 4096 ? sum(rsdt, length) : 1, 0);
    for (u32 i = 36; i < length && i < 256; i += 4) {
        u32 table = flat_read(rsdt + i);
        expect(41, "checksum of a table it lists", sum(table, flat_read(table + 4)), 0);
    }
}

/* Walks the structures: counts the types, checks that every string they name is there. */
static void smbios_structures(u32 at, u32 length, u32 count)
{
    static const u8 wanted[] = { 0, 1, 3, 4, 16, 17, 19, 32, 127 };
    u32 seen[4] = { 0, 0, 0, 0 }, n = 0, stop = at + length, empty = 0;
    while (n < count && at + 4 <= stop) {
        u8 type = flat_read8(at), size = flat_read8(at + 1);
        if (type < 128) seen[type >> 5] |= 1u << (type & 31);
        n++;
        u32 s = at + size;
        if (s + 1 < stop && flat_read8(s) == 0 && flat_read8(s + 1) == 0) {
            at = s + 2;
            continue;
        }
        while (s < stop && flat_read8(s)) {
            if (flat_read8(s) == ' ') empty++;
            while (s < stop && flat_read8(s)) s++;
            s++;
        }
        at = s + 1;
    }
    expect(42, "structures counted", n, count);
    expect(42, "they end where the entry point says", at, stop);
    expect(42, "empty strings", empty, 0);
    for (u32 i = 0; i < LEN(wanted); i++)
        if (!(seen[wanted[i] >> 5] >> (wanted[i] & 31) & 1)) fail(42, "SMBIOS structure type", 0xffff, wanted[i]);
}

static void smbios(void)
{
    u32 found = 0, at = 0;
    for (u32 a = 0xf0000; a < 0x100000; a += 16)
        if (text_at(a, "_SM_") && text_at(a + 16, "_DMI_")) {
            found++;
            at = a;
        }
    expect(42, "SMBIOS entry points", found, 1);
    if (found != 1) return;
    expect(42, "checksum of the entry point", sum(at, flat_read8(at + 5)), 0);
    expect(42, "checksum of its second part", sum(at + 16, 15), 0);
    within(42, "version 2.x", flat_read8(at + 6) * 16 + flat_read8(at + 7), 0x24, 0x2f);
    smbios_structures(flat_read(at + 24), flat_read(at + 22) & 0xffff, flat_read(at + 28) & 0xffff);
}

/* ------------------------------------------------------------------ PCI */

enum { MAX_BARS = 64 };
static u32 bar_base[MAX_BARS], bar_size[MAX_BARS], bars;

static void note_bar(u32 base, u32 size)
{
    for (u32 i = 0; i < bars; i++)
        if (base < bar_base[i] + bar_size[i] && bar_base[i] < base + size)
            fail(43, "two address ranges overlap", base, bar_base[i]);
    if (bars < MAX_BARS) {
        bar_base[bars] = base;
        bar_size[bars++] = size;
    }
}

static void one_bar(u32 f, u32 reg, u32 *assigned, u32 *placed)
{
    u32 was = pci_read(f | reg);
    u32 command = pci_read(f | 4);
    pci_write(f | 4, command & 0xfff8);
    pci_write(f | reg, 0xffffffff);
    u32 mask = pci_read(f | reg);
    pci_write(f | reg, was);
    pci_write(f | 4, command & 0xffff);
    if (mask == 0) return;
    if (mask & 1) {
        u32 size = -((mask & ~3u) | 0xffff0000), base = was & 0xfffc;
        *assigned &= base != 0;
        *placed &= base >= 0x1000 && base + size <= 0x10000 && !(base & (size - 1));
        note_bar(base + 0xfffe0000, size);              /* ports, out of the way of memory */
        return;
    }
    u32 size = -(mask & ~15u), base = was & ~15u;
    *assigned &= base != 0;
    *placed &= base >= 0x80000000 && base + size <= 0xfec00000 && !(base & (size - 1));
    note_bar(base, size);
}

static void pci(void)
{
    u32 assigned = 1, placed = 1, lines = 1, storage = 1, video = 1;
    for (u32 f = 0; f < 0x10000; f += 0x100) {
        if (f & 0x700 && !(pci_read((f & 0xf800) | 12) >> 16 & 0x80)) continue;
        if (pci_read(f) == 0xffffffff) continue;
        u32 class = pci_read(f | 8) >> 16, pin = pci_read(f | 60) >> 8 & 255, line = pci_read(f | 60) & 255;
        u32 command = pci_read(f | 4) & 7;
        if ((pci_read(f | 12) >> 16 & 0x7f) == 0)
            for (u32 reg = 16; reg < 40; reg += 4) one_bar(f, reg, &assigned, &placed);
        if (pin) lines &= line == 9 || line == 10 || line == 11 || line == 5;
        if (class == 0x0101) storage &= (command & 5) == 5;
        if (class == 0x0106) storage &= (command & 6) == 6;
        if (class == 0x0300) video &= (command & 2) == 2;
    }
    expect(43, "every address register is assigned", assigned, 1);
    expect(43, "inside the windows, aligned to its size", placed, 1);
    within(43, "address ranges", bars, 2, MAX_BARS - 1);
    expect(43, "Interrupt Line written where there is a pin", lines, 1);
    expect(43, "IDE and AHCI are enabled as bus masters", storage, 1);
    expect(43, "VGA decodes memory", video, 1);
}

void table_probes(void)
{
    rsdp();
    smbios();
    pci();
}
