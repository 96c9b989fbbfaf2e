/* The ISA bridge's class. Input pins 0-3 are PIRQA-PIRQD, outputs "isa_irq"[16]. */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "machine/core/device.h"

extern const struct device_class piix3_class;

#endif
