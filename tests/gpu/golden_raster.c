/* stub */
#include "tests/gpu/golden.h"
const struct golden_case golden_raster[] = { { NULL, NULL, 0, NULL } };
