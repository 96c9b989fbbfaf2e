/* AeroGPU's class: PCI function A3A0:0001 at 00:07.0. */
#ifndef GPU_AEROGPU_H
#define GPU_AEROGPU_H

#include "machine/core/device.h"

extern const struct device_class aerogpu_class;

#endif
