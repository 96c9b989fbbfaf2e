/*
 * SMBIOS 2.x: the structures and the entry point come from the host, this places them.
 *
 * The 31-byte "_SM_" anchor gets the table address at 18h and new checksums at 15h (over the
 * "_DMI_" half) and 4 (DMTF DSP0134 5.2.1). Structures go to the F segment if they fit, else to the
 * reserved memory; a missing type 0 structure (BIOS information) is put in front.
 */
#include "bios/fwcfg.h"
#include "bios/post.h"
#include "bios/state.h"

enum { ANCHOR_SIZE = 31, F_LIMIT = 0x900, MAX_TABLES = 0xff00 };

static const struct {
    u8 type, length;
    u16 handle;
    u8 vendor, version;
    u16 segment;
    u8 date, rom_size;
    u8 features[8];
    u8 ext[2], release[4];
    char strings[31];
} __attribute__((packed)) bios_info = {
    .type = 0, .length = 24, .handle = 0, .vendor = 1, .version = 2, .segment = 0xe000, .date = 3,
    .rom_size = 1, .features = { 0x80, 0x98, 0x01, 0x00, 0, 0, 0, 0 }, .ext = { 0x01, 0x04 },
    .release = { 0, 1, 0xff, 0xff }, .strings = "aeropc\0" "aeropc BIOS\0" "11/22/2026",
};

static u32 place(const struct fw_file *f, u32 extra)
{
    u32 size = f->size + extra;
    u32 at = size <= F_LIMIT ? f_segment_alloc(size, 16) : 0;
    if (at == 0) at = table_alloc(size, 16);
    if (at == 0) return 0;
    if (extra) flat_copy(at, (SEG_DATA << 4) + (u32)&bios_info, extra);
    fw_select(f->select);
    fw_read_flat(at + extra, f->size);
    return at;
}

void smbios_init(void)
{
    struct fw_file anchor_file, tables;
    u8 a[ANCHOR_SIZE + 1];
    if (!fw_find("etc/smbios/smbios-anchor", &anchor_file)) return;
    if (!fw_find("etc/smbios/smbios-tables", &tables)) return;
    if (anchor_file.size != ANCHOR_SIZE || tables.size == 0 || tables.size > MAX_TABLES) return;

    u8 first;
    fw_select(tables.select);
    fw_read(&first, 1);
    u32 extra = first == 0 ? 0 : sizeof bios_info;
    u32 at = place(&tables, extra);
    u32 anchor = f_segment_alloc(sizeof a, 16);
    if (at == 0 || anchor == 0) return;

    fw_select(anchor_file.select);
    fw_read(a, ANCHOR_SIZE);
    if (memcmp(a, "_SM_", 4)) return;
    u16 length = (u16)(tables.size + extra), count, biggest;
    memcpy(&count, a + 0x1c, 2);
    memcpy(&biggest, a + 8, 2);
    if (extra) count++;
    if (biggest < extra) biggest = extra;
    memcpy(a + 8, &biggest, 2);
    memcpy(a + 0x16, &length, 2);
    memcpy(a + 0x18, &at, 4);
    memcpy(a + 0x1c, &count, 2);
    a[0x15] = 0;
    a[0x15] = -checksum(a + 0x10, 15);
    a[4] = 0;
    a[4] = -checksum(a, ANCHOR_SIZE);
    flat_copy(anchor, (SEG_DATA << 4) + (u32)a, ANCHOR_SIZE);
}
