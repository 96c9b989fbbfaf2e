/* The button on the case, as the window and the monitor press it. */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include "machine/core/device.h"

extern const struct device_class acpi_pm_class;

/* An ACPI guest gets the fixed power button event; without one (SCI_EN = 0) the machine powers off.
 */
void acpi_pm_power_button(struct device *d);

#endif
