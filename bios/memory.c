/*
 * How much memory there is, and who may use it.
 *
 * Sizes come from the host's etc/e820 file, else from CMOS (34h/35h: 64 KiB units above 16 MiB,
 * 5Bh-5Dh: above 4 GiB). The last 128 KiB of low RAM hold the ACPI tables. The map that INT 15h
 * E820h reports is derived here and has the same rows on every boot: base memory, EBDA, BIOS,
 * RAM, tables, flash, RAM above 4 GiB. A0000-EFFFF is left undescribed on purpose: Windows takes
 * a described region there for memory.
 */
#include "bios/fwcfg.h"
#include "bios/post.h"
#include "bios/state.h"

enum { TABLE_RESERVE = 128 << 10, E820_RAM = 1, E820_RESERVED = 2, F_TABLES = 0xfd000 };
enum { F_TABLES_END = 0xfe000, MAX_HOST_ROWS = 32 };

static void size_from_cmos(void)
{
    u32 above16 = cmos_read(0x34) | cmos_read(0x35) << 8;
    if (above16) {
        bs.low_top = (above16 << 16) + (16 << 20);
    } else {
        u32 kib = cmos_read(0x30) | cmos_read(0x31) << 8;
        bs.low_top = (kib << 10) + (1 << 20);
    }
    u32 high = cmos_read(0x5b) | cmos_read(0x5c) << 8 | (u32)cmos_read(0x5d) << 16;
    bs.high_size = (u64)high << 16;
}

static void size_from_host(void)
{
    struct fw_file f;
    struct {
        u64 base, length;
        u32 type;
    } __attribute__((packed)) row;
    if (!fw_find("etc/e820", &f)) return;
    u32 rows = f.size / sizeof row;
    u32 low = 0;
    u64 high = 0;
    fw_select(f.select);
    for (u32 i = 0; i < rows && i < MAX_HOST_ROWS; i++) {
        fw_read(&row, sizeof row);
        if (row.type != E820_RAM) continue;
        if (row.base == 0 && row.length < (1ull << 32)) low = (u32)row.length;
        if (row.base == 1ull << 32) high = row.length;
    }
    if (low < 2 << 20) return;
    bs.low_top = low;
    bs.high_size = high;
}

void memory_size(void)
{
    size_from_cmos();
    size_from_host();
    bs.low_top &= ~0xfffu;

    struct fw_file f;
    u32 reserve = TABLE_RESERVE;
    if (fw_find("etc/acpi/tables", &f) && f.size > reserve && f.size < 4 << 20)
        reserve = (f.size + 0xfff) & ~0xfffu;
    bs.table_base = bs.low_top - reserve;
    bs.table_next = bs.table_base;
    bs.table_end = bs.low_top;
}

static u32 alloc(u32 *next, u32 end, u32 size, u32 align)
{
    if (align == 0 || (align & (align - 1))) align = 16;
    u32 at = (*next + align - 1) & -align;
    if (at < *next || at > end || size > end - at) return 0;
    *next = at + size;
    return at;
}

u32 table_alloc(u32 size, u32 align)
{
    return alloc(&bs.table_next, bs.table_end, size, align);
}

u32 f_segment_alloc(u32 size, u32 align)
{
    /* The head of the area holds the BIOS32 and PnP headers (tables_s.S). */
    if (bs.f_next == 0) bs.f_next = F_TABLES + 0x50;
    return alloc(&bs.f_next, F_TABLES_END, size, align);
}

int e820_entry(u32 index, u32 out[5])
{
    const u32 rows[][3] = {
        { 0, BASE_KB << 10, E820_RAM },
        { BASE_KB << 10, 1 << 10, E820_RESERVED },
        { 0xf0000, 0x10000, E820_RESERVED },
        { 0x100000, bs.table_base - 0x100000, E820_RAM },
        { bs.table_base, bs.low_top - bs.table_base, E820_RESERVED },
        { 0xfffc0000, 0x40000, E820_RESERVED },
    };
    out[1] = out[3] = 0;
    if (index < LEN(rows)) {
        out[0] = rows[index][0];
        out[2] = rows[index][1];
        out[4] = rows[index][2];
        return 1;
    }
    if (index > LEN(rows) || bs.high_size == 0) return 0;
    out[0] = 0;
    out[1] = 1;
    out[2] = (u32)bs.high_size;
    out[3] = (u32)(bs.high_size >> 32);
    out[4] = E820_RAM;
    return 1;
}
