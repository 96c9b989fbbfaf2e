#!/bin/bash
# The host unit tests that carry a number: START_TEST(w7_NNN_what) in tests/unit/test_*.c, one line each.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
bash "$top/tests/numbered.sh" "$BUILD/unit-tests" w7 W7
