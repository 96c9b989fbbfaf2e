/* The HPET and what the board tells it. */
#ifndef DEVICES_HPET_H
#define DEVICES_HPET_H

#include "machine/core/device.h"

extern const struct device_class hpet_class;

/* Whether the last interrupt on this line (0 and 8: ISA, from 16 on: I/O APIC input) still waits
 * for the CPU: a period that ends then is owed, not lost. */
void hpet_set_busy_probe(struct device *d, bool (*busy)(void *opaque, unsigned pin), void *opaque);

#endif
