/* ATA and ATAPI drives without a controller, and how a controller (piix_ide.c, ahci.c) drives them.
 *
 * A drive is a task file, a status and a window: while a data phase lasts, `win` points at
 * `win_len` bytes that the controller reads (ATA_PIO_IN, ATA_DMA_IN) or fills (ATA_PIO_OUT,
 * ATA_DMA_OUT, ATA_PACKET) and reports with ata_transferred(). Whenever status, interrupt or window
 * change the drive calls port->changed(); the controller looks at the fields then. changed() may
 * come from inside ata_command() and ata_transferred(), so a controller that moves data from it
 * loops instead of nesting.
 *
 *   controller                     drive
 *   regs, ata_command(d, 25h) -->  BSY, host read ... --> changed(): win = data
 *   copy win, ata_transferred -->  next part, or DRDY and irq --> changed()
 *
 * ATA/ATAPI-7 and ATA8-ACS; queued commands (60h, 61h) have a window of their own per tag:
 * ata_queue(). */
#ifndef DEVICES_ATA_H
#define DEVICES_ATA_H

#include "machine/core/device.h"
#include "machine/host/block.h"

enum {
    ATA_ERR = 0x01,
    ATA_DRQ = 0x08,
    ATA_DSC = 0x10,
    ATA_DF = 0x20,
    ATA_DRDY = 0x40,
    ATA_BSY = 0x80
};
enum { ATA_ABRT = 0x04, ATA_IDNF = 0x10, ATA_UNC = 0x40 }; /* error register */
enum { ATA_CD = 1, ATA_IO = 2 };           /* packet interrupt reason, in the count register */
enum { ATA_DEV = 0x10, ATA_LBA = 0x40 };   /* device register */
enum ata_phase { ATA_NO_DATA, ATA_PIO_IN, ATA_PIO_OUT, ATA_DMA_IN, ATA_DMA_OUT, ATA_PACKET };
enum { ATA_BUFFER = 128 * 1024, ATA_TAGS = 32 };

struct ata_drive;

/* What a controller offers its drives. */
struct ata_port {
    bool sata; /* serial link: IDENTIFY says so and offers queuing */
    void (*changed)(void *opaque, struct ata_drive *d);
    /* Queued data: moves len bytes between buf and the command's memory at offset. False: memory
     * too small. */
    bool (*queue_data)(void *opaque, unsigned tag, u64 offset, u8 *buf, u64 len, bool to_guest);
    /* A queued command ended; ok false: d->status and d->error say why, all others were dropped. */
    void (*queue_done)(void *opaque, unsigned tag, bool ok);
};

/* What distinguishes a disk from a CD drive. */
struct ata_type {
    bool packet;
    void (*command)(struct ata_drive *d, u8 command);
    void (*window_done)(struct ata_drive *d); /* the window was transferred completely */
    void (*io_done)(struct ata_drive *d);     /* ata_io() finished */
    void (*reset)(struct ata_drive *d, bool hard);
};

struct ata_queued {
    struct ata_drive *drive;
    struct block_req req;
    struct iovec iov;
    u8 *buf; /* allocated at first use, kept */
    u64 lba, offset, left;
    bool busy, write, fua;
};

struct ata_drive {
    struct device dev;
    struct block *block; /* pointer "block" */
    char *serial, *model, *firmware;
    char *errors; /* option: what a host error does, "stop" or "report" */
    bool readonly; /* option: a disk that refuses writes */
    const struct ata_type *type;
    const struct ata_port *port; /* set by ata_attach */
    void *port_opaque;

    /* Task file as the host writes it; index 1 of a pair is the previous value (48-bit commands).
     */
    u8 feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
    u8 device, status, error, last_command;
    bool irq; /* INTRQ; cleared by reading status and by a new command */
    enum ata_phase phase;
    u8 *win;
    u32 win_len;
    u8 *buffer;          /* ATA_BUFFER bytes */
    u8 transfer_mode[2]; /* PIO or multiword/ultra DMA mode chosen by SET FEATURES: [0] multiword,
                            [1] ultra */
    bool write_cache, look_ahead;
    u8 apm; /* power management level set by the host, 0: off; has no effect but to be read back */

    /* The command that is moving sectors. */
    u64 cur_lba, left;    /* sectors */
    u32 block_sectors;    /* sectors per data block of PIO commands */
    u32 multiple;         /* SET MULTIPLE MODE */
    u32 heads, sectors;   /* geometry of CHS addressing */
    u32 chunk, chunk_pos; /* bytes in the buffer, bytes handed out */
    struct block_req req;
    struct iovec iov;
    struct ata_queued *queue; /* ATA_TAGS of them; disks only */
    struct {
        u8 tag, status, error;
        u64 lba;
        u16 count;
        bool valid;
    } queue_error;
};

#define ATA_OPTIONS(model_text)                                                                    \
    { "serial", OPT_STR, offsetof(struct ata_drive, serial), NULL,                                 \
      "serial number, up to 20 characters" },                                                      \
        { "model", OPT_STR, offsetof(struct ata_drive, model), model_text,                         \
          "model name, up to 40 characters" },                                                     \
        { "firmware", OPT_STR, offsetof(struct ata_drive, firmware), "1.0",                        \
          "firmware revision, up to 8 characters" },                                               \
        { "errors", OPT_STR, offsetof(struct ata_drive, errors), "stop",                           \
          "when the host fails: stop (nothing is lost) or report (an error for the guest)" },      \
    {                                                                                              \
        "block", OPT_PTR, offsetof(struct ata_drive, block), NULL, "the image behind the drive"    \
    }

/* Saved while no command runs: what it moves, the window and the buffer, is not among them. */
#define ATA_FIELDS                                                                                 \
    FIELD_ARRAY(struct ata_drive, feature), FIELD_ARRAY(struct ata_drive, count),                  \
        FIELD_ARRAY(struct ata_drive, lba_low), FIELD_ARRAY(struct ata_drive, lba_mid),            \
        FIELD_ARRAY(struct ata_drive, lba_high), FIELD(struct ata_drive, device),                  \
        FIELD(struct ata_drive, status), FIELD(struct ata_drive, error),                           \
        FIELD(struct ata_drive, last_command), FIELD(struct ata_drive, irq),                       \
        FIELD_ARRAY(struct ata_drive, transfer_mode), FIELD(struct ata_drive, write_cache),        \
        FIELD(struct ata_drive, look_ahead), FIELD(struct ata_drive, apm),                         \
        FIELD(struct ata_drive, multiple), FIELD(struct ata_drive, heads),                         \
        FIELD(struct ata_drive, sectors)

extern const struct device_class ata_disk_class, atapi_cdrom_class;

/* --- for controllers --- */
int ata_attach(struct ata_drive *d, const struct ata_port *port, void *opaque, struct error *e);
/* Executes with the task file's registers. Ignored while the drive is busy, as the hardware does.
 */
void ata_command(struct ata_drive *d, u8 command);
void ata_transferred(struct ata_drive *d, u32 bytes);
/* SRST, or COMRESET when hard: aborts what runs, posts the signature. No interrupt. */
void ata_reset(struct ata_drive *d, bool hard);
/* Drops whatever runs, without a trace for the host. */
void ata_abort(struct ata_drive *d);
void ata_signature(struct ata_drive *d);
/* Queued command with the tag in count bits 7:3. False: refused, d->status and d->error say why;
 * else queue_done() follows, perhaps before this returns. */
bool ata_queue(struct ata_drive *d, u8 command);

/* --- shared by ata.c and atapi.c --- */
int ata_drive_init(struct ata_drive *d, const struct ata_type *type, struct error *e);
void ata_attach_block(struct ata_drive *d);
void ata_drive_fini(struct ata_drive *d);
void ata_changed(struct ata_drive *d);
void ata_done(struct ata_drive *d);           /* command complete, interrupt */
void ata_fail(struct ata_drive *d, u8 error); /* status 51h with this error, interrupt */
void ata_window(struct ata_drive *d, enum ata_phase phase, u8 *data, u32 len, bool irq);
/* Host I/O on the drive's buffer; io_done follows. BSY meanwhile. */
void ata_io(struct ata_drive *d, enum block_op op, u64 offset, u8 *buf, u32 len);
void ata_string(u8 *words, const char *s, unsigned len); /* byte-swapped, space-padded */
bool ata_set_transfer_mode(struct ata_drive *d, u8 mode);

/* --- CD drive --- */
/* Changes the disc; NULL empties the tray. While the guest has the tray locked the first call only
 * asks it to open, as the drive's button does, and returns -1; a second call changes the disc
 * anyway. The caller owns both blocks. */
int atapi_set_media(struct device *cdrom, struct block *b, struct error *e);
struct block *atapi_media(struct device *cdrom);

#endif
