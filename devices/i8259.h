/* The one thing outside wires and ports that a CPU does with the interrupt controller pair: the
 * interrupt acknowledge cycle. */
#ifndef DEVICES_I8259_H
#define DEVICES_I8259_H

#include "machine/core/device.h"

extern const struct device_class pic_class;

/* Acknowledges the highest request and returns its vector; a request that has gone away in the
 * meantime gives the spurious vector (IR7 of the chip asked), as the hardware does. */
int i8259_intack(struct device *d);

/* An edge on this input (0-15) waits to be acknowledged and is not masked. */
bool i8259_edge_pending(const struct device *d, int irq);

#endif
