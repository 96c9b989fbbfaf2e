#!/bin/bash
# The host unit tests that carry a number: START_TEST(w7_NNN_what) in tests/unit/test_*.c, one line each.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
suites=$(cd "$top/tests/unit" && grep -lE 'START_TEST\(w7_[0-9]{3}_' test_*.c | sed 's/^test_//; s/\.c$//')
[ -n "$suites" ] || exit 0
# shellcheck disable=SC2086 # one argument per suite
CK_TAP_LOG_FILE_NAME="$OUT/tap" "$BUILD/unit-tests" $suites >"$OUT/log" 2>&1
sed -nE 's/^(not )?ok [0-9]+ - [^:]*:[^:]*:w7_([0-9]{3})_([a-z0-9_]*): (.*)$/\2 \1|\3: \4/p' "$OUT/tap" | while read -r number rest; do
    case $rest in
    'not |'*) echo "W7-$number fail ${rest#not |}" ;;
    *) rest=${rest#|}; echo "W7-$number pass ${rest%%:*}" ;;
    esac
done
# a test that the log does not name did not run
grep -hoE 'START_TEST\(w7_[0-9]{3}_[a-z0-9_]*' "$top"/tests/unit/test_*.c | sed 's/.*(w7_//' | while read -r name; do
    grep -q ":w7_$name:" "$OUT/tap" || echo "W7-${name%%_*} fail $name: did not run"
done
