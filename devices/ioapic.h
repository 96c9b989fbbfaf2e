/* The I/O APIC's one input besides wires and registers: the EOI message that local APICs broadcast.
 */
#ifndef DEVICES_IOAPIC_H
#define DEVICES_IOAPIC_H

#include "machine/core/device.h"

extern const struct device_class ioapic_class;

/* A local APIC ended a level-triggered interrupt with this vector. */
void ioapic_eoi(struct device *d, int vector);

/* Vector that an edge on this pin sends now, or -1 when it is masked or not an ordinary
 * edge-triggered interrupt. */
int ioapic_edge_vector(struct device *d, int pin);

#endif
