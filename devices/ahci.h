/* The AHCI controller's class: pointers "port0" to "port5". */
#ifndef DEVICES_AHCI_H
#define DEVICES_AHCI_H

#include "machine/core/device.h"

extern const struct device_class ahci_class;

#endif
