/* The IDE controller's class: pointers "drive0" to "drive3", output wires "irq"[2] for ISA 14
 * and 15. */
#ifndef DEVICES_PIIX_IDE_H
#define DEVICES_PIIX_IDE_H

#include "machine/core/device.h"

extern const struct device_class piix_ide_class;

#endif
