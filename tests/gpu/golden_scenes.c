/* stub */
#include "tests/gpu/golden.h"
const struct golden_case golden_scenes[] = { { NULL, NULL, 0, NULL } };
