/* The battery-backed bytes behind the real-time clock, as the board sets them for the firmware. */
#ifndef DEVICES_MC146818_H
#define DEVICES_MC146818_H

#include "machine/core/device.h"

extern const struct device_class rtc_class;

/* index 0Eh-FFh; the clock's own registers 00h-0Dh are not contents and are left alone, except that
 * the century byte 32h is kept by the clock. Values set before or after reset stay: CMOS survives
 * resets. */
void mc146818_set_cmos(struct device *d, unsigned index, u8 value);
u8 mc146818_get_cmos(struct device *d, unsigned index);
/* Whether the interrupt raised last still waits for the CPU: a periodic tick is owed then, not
 * lost. */
void mc146818_set_busy_probe(struct device *d, bool (*busy)(void *opaque), void *opaque);

#endif
