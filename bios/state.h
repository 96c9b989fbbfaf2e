/*
 * The BIOS's variables: one struct in the writable part of segment E000.
 *
 * What the PC convention gives an address (keyboard flags, tick count, drive parameters) lives in
 * the BIOS data area and is reached through bda8/bda16; only our own bookkeeping is here.
 */
#ifndef BIOS_STATE_H
#define BIOS_STATE_H

#include "bios/bios.h"

enum drive_kind { DRIVE_NONE, DRIVE_ATA, DRIVE_ATAPI, DRIVE_AHCI, DRIVE_AHCI_ATAPI };

enum { MAX_DISKS = 8, MAX_CDS = 4, MAX_DRIVES = MAX_DISKS + MAX_CDS, CD_BASE = 0xe0 };

struct drive {
    u8 kind;
    u8 unit;                /* ATA: 0 master, 1 slave */
    u8 port;                /* AHCI port; ATA channel */
    u8 lba48;
    u8 dma;
    u8 locks;               /* CD: AH=45h locks held */
    u16 pci;                /* bus/devfn */
    u16 cmd, ctl, bm;       /* ATA: register ports, bm 0 = none */
    u32 mmio;               /* AHCI */
    u64 sectors;
    u16 block_size;
    u16 pcyls;              /* geometry of the drive itself */
    u8 pheads, pspt;
    u16 cyls;               /* geometry shown to INT 13h callers */
    u8 heads, spt;
    char model[41];
};

/* A drive number that El Torito lays over a part of the CD. */
struct emulation {
    u8 active;
    u8 media;               /* 0 none, 1-3 floppy, 4 hard disk */
    u8 drive;               /* emulated number: 00h, 80h; E0h.. for no emulation */
    u8 cd;                  /* index of the CD in cds[] */
    u32 image_lba;          /* in 2048-byte blocks */
    u32 sectors;            /* of 512 bytes */
    u16 load_segment, load_count;
    u16 cyls;
    u8 heads, spt;
};

enum { BEV_MAX = 4, MAX_CANDIDATES = 20 };

struct candidate {
    u8 kind, index;
};

struct bios_state {
    u32 low_top;            /* end of RAM below 4 GiB */
    u64 high_size;          /* RAM from 4 GiB up */
    u32 table_base;         /* reserved memory for tables, below low_top */
    u32 table_next;
    u32 table_end;
    u32 f_next;             /* next free byte of the table area in segment F000 */
    u32 rsdp;
    u16 pm_base;            /* ACPI registers, 0 = none */
    u16 pit_last;
    u32 pit_ticks;
    u8 video_up;
    u8 have_fw_cfg;
    u8 disk_count, cd_count, floppy_count;
    u8 bev_count;
    u16 rom_next;           /* next free segment for option ROMs */
    u16 cpu_count;
    struct drive disks[MAX_DISKS];
    struct drive cds[MAX_CDS];
    struct emulation emu;
    struct {
        u16 seg, off, name;
    } bev[BEV_MAX];
    struct candidate candidate[MAX_CANDIDATES], candidate_chosen;
    u8 candidate_count, candidate_at, candidate_forced;
    char boot_order[64];
};

extern struct bios_state bs;

static inline u8 bda8(u16 off)
{
    return peekb(SEG_BDA, off);
}

static inline u16 bda16(u16 off)
{
    return peekw(SEG_BDA, off);
}

static inline void bda8_set(u16 off, u8 v)
{
    pokeb(SEG_BDA, off, v);
}

static inline void bda16_set(u16 off, u16 v)
{
    pokew(SEG_BDA, off, v);
}

#endif
