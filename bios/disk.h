/*
 * Block devices behind INT 13h. Transfers name their buffer by linear address and return an INT 13h
 * status (0 = good). Discovery fills bs.disks and bs.cds.
 */
#ifndef BIOS_DISK_H
#define BIOS_DISK_H

#include "bios/state.h"

enum disk_status {
    DISK_OK = 0x00, DISK_BAD_COMMAND = 0x01, DISK_BAD_MARK = 0x02, DISK_PROTECTED = 0x03,
    DISK_NOT_FOUND = 0x04, DISK_RESET_FAILED = 0x05, DISK_CHANGED = 0x06, DISK_DMA = 0x08,
    DISK_BOUNDARY = 0x09, DISK_NO_MEDIA_TYPE = 0x0c, DISK_CRC = 0x10, DISK_CONTROLLER = 0x20,
    DISK_NO_MEDIA = 0x31, DISK_TIMEOUT = 0x80, DISK_NOT_READY = 0xaa, DISK_NOT_LOCKED = 0xb0,
    DISK_NOT_REMOVABLE = 0xb2,
};

enum { CD_BLOCK = 2048, BOUNCE_SIZE = 2048 };

/* One 2 KiB buffer for transfers that cannot go straight to the caller. */
extern u8 bounce[BOUNCE_SIZE];

static inline u32 linear(const void *p)
{
    return (SEG_DATA << 4) + (u32)p;
}

/* ata.c */
void ata_init(void);
u8 ata_rw(struct drive *d, u64 lba, u16 count, u32 addr, int write);
u8 ata_packet(struct drive *d, const u8 *cdb, u32 addr, u32 bytes);
u8 ata_reset(struct drive *d);

/* ahci.c */
void ahci_init(void);
u8 ahci_rw(struct drive *d, u64 lba, u16 count, u32 addr, int write);
u8 ahci_packet(struct drive *d, const u8 *cdb, u32 addr, u32 bytes);

/* block.c */
struct drive *new_disk(void);
struct drive *new_cd(void);
void identify_disk(struct drive *d, const u16 *id);
void identify_model(struct drive *d, const u16 *id);
u8 disk_rw(struct drive *d, u64 lba, u32 count, u32 addr, int write);
u8 cd_read(struct drive *d, u32 lba, u32 count, u32 addr);
u8 cd_ready(struct drive *d, u32 ms);
u8 cd_command(struct drive *d, u8 op, u8 arg);

/* eltorito.c */
int eltorito_boot(u32 cd);              /* loads the boot image; 0 or a code for eltorito_error */
const char *eltorito_error(u8 code);
u8 emulated_read(u32 sector, u32 count, u32 addr);
void eltorito_service(struct regs *r);

/* floppy.c, disk.c */
void disk_order(const char *name);
struct drive *drive_of(u8 number);
u8 floppy_number(u8 number);

#endif
