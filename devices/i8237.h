/* What a device on an ISA DMA channel asks of the DMA controllers (the floppy controller: channel
 * 2). */
#ifndef DEVICES_I8237_H
#define DEVICES_I8237_H

#include "machine/core/device.h"

extern const struct device_class dma_class;

enum dma_dir {
    DMA_OFF,       /* masked, disabled or in cascade mode: DREQ stays unanswered */
    DMA_VERIFY,    /* counts, moves nothing */
    DMA_TO_MEMORY, /* the device is read */
    DMA_TO_DEVICE, /* memory is read */
};

/* What the guest programmed channel 0-7 for, now. */
enum dma_dir i8237_direction(struct device *d, unsigned channel);

/* Moves up to len bytes between buf and memory as the channel is programmed (len even on channels
 * 5-7) and returns how many; fewer than len when terminal count came first, 0 when the channel is
 * off. *tc (may be NULL) tells whether terminal count was reached. */
unsigned i8237_transfer(struct device *d, unsigned channel, void *buf, unsigned len, bool *tc);

#endif
