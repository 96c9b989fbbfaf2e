/*
 * Firmware probe: a disk that only says that it was started, as the statement `variant` demands: 33 after a CD with a bad
 * catalog, 39 after setup's first part.
 */
#include "fw.h"

void probe_main(void);

void probe_main(void)
{
    plan(params.variant, params.variant);
    expect(params.variant, "the disk was started as drive 80h", entry.dx & 0xff, 0x80);
}
