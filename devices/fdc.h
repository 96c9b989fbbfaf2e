/* The floppy controller's class: pointers "dma" (8237), "block0", "block1"; output wire "irq". */
#ifndef DEVICES_FDC_H
#define DEVICES_FDC_H

#include "machine/core/device.h"

struct block;
extern const struct device_class fdc_class;

/* Changes the disk in drive 0 or 1; NULL empties it. The caller owns both blocks. -1: the image
 * fits no format. */
int fdc_set_media(struct device *fdc, unsigned drive, struct block *b, struct error *e);
/* Type of drive as in CMOS register 10h: 0 none, 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M. */
unsigned fdc_cmos_type(const struct device *fdc, unsigned drive);

#endif
