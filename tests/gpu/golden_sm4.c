/* stub */
#include "tests/gpu/golden.h"
const struct golden_case golden_sm4[] = { { NULL, NULL, 0, NULL } };
