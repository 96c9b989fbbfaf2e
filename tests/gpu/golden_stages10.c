/* stub */
#include "tests/gpu/golden.h"
const struct golden_case golden_stages10[] = { { NULL, NULL, 0, NULL } };
