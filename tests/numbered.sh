#!/bin/bash
# numbered.sh UNIT_TESTS PREFIX LABEL: runs the unit tests that judge numbered statements and prints one line for each of their numbers.
#
# A test named PREFIX_NNN_what, or PREFIX_NNN_NNN_what for several numbers, gives "LABEL-NNN pass|fail WHAT". A test that stands in the
# source and did not run fails. UNIT_TESTS is the program (make build-tests).
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$1 prefix=$2 label=$3
log=$(mktemp)
trap 'rm -f "$log"' EXIT
suites=$(cd "$top/tests/unit" && grep -lE "START_TEST\(${prefix}_[0-9]{3}_" test_*.c | sed 's/^test_//; s/\.c$//')
[ -n "$suites" ] || exit 0
# shellcheck disable=SC2086 # one argument per suite
CK_TAP_LOG_FILE_NAME="$log" "$program" $suites >/dev/null 2>&1

# say VERDICT NAME [WHY]: one line per number of the name
say()
{
    local name=$2 numbers=()
    while [[ $name =~ ^([0-9]{3})_(.*)$ ]]; do
        numbers+=("${BASH_REMATCH[1]}")
        name=${BASH_REMATCH[2]}
    done
    printf "$label-%s $1 $name${3:+: ${3//%/%%}}\n" "${numbers[@]}"
}

sed -nE "s/^ok [0-9]+ - [^:]*:[^:]*:${prefix}_([0-9a-z_]*): .*/pass \1/p; s/^not ok [0-9]+ - [^:]*:[^:]*:${prefix}_([0-9a-z_]*): (.*)/fail \1 \2/p" "$log" |
    while read -r verdict name why; do say "$verdict" "$name" "$why"; done
grep -hoE "START_TEST\(${prefix}_[0-9]{3}_[0-9a-z_]*" "$top"/tests/unit/test_*.c | sed "s/.*(${prefix}_//" | while read -r name; do
    grep -q ":${prefix}_$name:" "$log" || say fail "$name" "did not run"
done
