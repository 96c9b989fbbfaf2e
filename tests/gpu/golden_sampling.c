/* stub */
#include "tests/gpu/golden.h"
const struct golden_case golden_sampling[] = { { NULL, NULL, 0, NULL } };
