/* The host bridge's class; the board hands it low RAM through pointer "ram". */
#ifndef DEVICES_I440FX_H
#define DEVICES_I440FX_H

#include "machine/core/device.h"

extern const struct device_class i440fx_class;

#endif
