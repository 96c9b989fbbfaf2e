/* What the board hands to the firmware: numbered items and named files (devices/fwcfg.c). */
#ifndef DEVICES_FWCFG_H
#define DEVICES_FWCFG_H

#include "machine/core/device.h"

extern const struct device_class fwcfg_class;

enum {
    FWCFG_SIGNATURE = 0,
    FWCFG_ID = 1,
    FWCFG_RAM_SIZE = 3,
    FWCFG_CPU_COUNT = 5,
    FWCFG_DIRECTORY = 0x19,
    FWCFG_FILES = 0x20
};
enum { FWCFG_MAX_FILES = 64, FWCFG_NAME = 56 };

/* Data is copied; adding a name or number again replaces its data. Call after device_init; -1 when
 * the name is longer than 55 characters, the number is not 02h-18h or there are too many files.
 * Items survive resets. */
int fwcfg_add_file(struct device *d, const char *name, const void *data, size_t len);
int fwcfg_add_item(struct device *d, unsigned item, const void *data, size_t len);

#endif
