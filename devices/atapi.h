/* Shared by the two halves of the CD drive: atapi.c (drive, data phases, task file, medium) and
 * atapi_mmc.c (packet commands). Nobody else includes it; controllers and the board use ata.h. */
#ifndef DEVICES_ATAPI_H
#define DEVICES_ATAPI_H

#include "devices/ata.h"

enum { ATAPI_SECTOR = 2048 };

/* Sense data as key << 16 | ASC << 8 | ASCQ. */
enum {
    SENSE_NONE = 0,
    SENSE_NO_MEDIUM = 0x023a00,
    SENSE_TRAY_OPEN = 0x023a02,
    SENSE_UNREADABLE = 0x031100,
    SENSE_BAD_COMMAND = 0x052000,
    SENSE_BAD_ADDRESS = 0x052100,
    SENSE_BAD_FIELD = 0x052400,
    SENSE_BAD_PARAMETER = 0x052600,
    SENSE_NO_FORMAT = 0x053002,
    SENSE_NO_SAVED_PAGES = 0x053900,
    SENSE_LOCKED = 0x055302,
    SENSE_BAD_TRACK_MODE = 0x056400,
    SENSE_CHANGED = 0x062800,
};

struct atapi {
    struct ata_drive d;
    u8 packet[16];
    bool dma;       /* FEATURES bit 0 of the PACKET command */
    u32 byte_limit; /* of one PIO block */
    u32 sense;
    bool locked, tray_open, changed;
    bool eject_asked; /* the button was pressed while the guest had the tray locked */
    u8 media_event;   /* 0 none, 1 eject request, 2 new media, 3 removed; reported once */
    u64 offset, todo; /* bytes of the running READ beyond the buffer's content */
};

static inline bool atapi_present(const struct atapi *a)
{
    return a->d.block && !a->tray_open;
}

static inline u32 atapi_sectors(const struct atapi *a)
{
    return (u32)MIN((a->d.block->size + ATAPI_SECTOR - 1) / ATAPI_SECTOR, 0x7fffffffull);
}

/* atapi.c: ends of commands, and their data. */
void atapi_good(struct atapi *a);
void atapi_fail(struct atapi *a, u32 sense);
/* Answers with the first `len` bytes of the buffer, cut to the command's allocation length. */
void atapi_reply(struct atapi *a, u32 len, u32 allocation);
void atapi_start_read(struct atapi *a, u32 lba, u32 count);

/* atapi_mmc.c: the packet has arrived; so has the data a command asked for. */
void atapi_run_packet(struct atapi *a);
void atapi_data_in(struct atapi *a);

#endif
