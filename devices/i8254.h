/* The interval timer's one input besides ports: whether its interrupt still waits. */
#ifndef DEVICES_I8254_H
#define DEVICES_I8254_H

#include "machine/core/device.h"

extern const struct device_class pit_class;

/* busy() says whether the last interrupt of channel 0 is still pending, unmasked, in an interrupt
 * controller. A periodic edge that would merge with it is owed and follows once the guest has taken
 * that one (at most a second's worth): guests count these interrupts to keep time, and an emulated
 * CPU may run for many periods with interrupts off where the real one needs a fraction of one. */
void i8254_set_busy_probe(struct device *d, bool (*busy)(void *opaque), void *opaque);

#endif
