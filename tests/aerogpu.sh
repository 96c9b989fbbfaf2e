#!/bin/bash
# aerogpu.sh UNIT_TESTS: AeroGPU's contract by number (make check-aerogpu). Prints the statements that fail and those without a test, then the
# sum. Exit status 0: nothing fails.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lines=$(bash "$here/numbered.sh" "$1" ag AG | sort -u)
grep fail <<< "$lines"
awk -v total=220 '
    { if ($2 == "fail") fail[$1] = 1; else pass[$1] = 1 }
    END {
        for (n = 1; n <= total; n++) {
            id = sprintf("AG-%03d", n)
            if (id in fail) failed++
            else if (id in pass) passed++
            else { left++; list = list " " sprintf("%03d", n) }
        }
        printf "AeroGPU: %d of %d statements pass, %d fail, %d without a test:%s\n", passed, total, failed, left, list
        exit failed != 0
    }' <<< "$lines"
