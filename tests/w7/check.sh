#!/bin/bash
# check.sh [RUNNER...]: the Windows 7 checklist. Runs every tests/w7/NAME.sh (or those named) and prints, per gate, how many statements pass,
# and the numbers that fail or have no test yet. Each statement's lines are in build/w7/results.
#
# A statement passes when at least one check says so and none fails. Exit status 0: nothing fails, and with all runners nothing of the gates
# 1, 1d, 2, 3, 4 and 4d is without a test, but those that need a Windows image.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
here=$top/tests/w7
results=$BUILD/w7/results
only=("$@")
mkdir -p "$BUILD/w7"
: > "$results"

runners=()
for r in "$here"/*.sh; do
    case $(basename "$r" .sh) in
    lib | check | break) continue ;;
    esac
    if [ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $(basename "$r" .sh) "* ]]; then runners+=("$r"); fi
done

broken=0
for r in "${runners[@]}"; do
    name=$(basename "$r" .sh)
    export AEROPC BUILD OUT=$BUILD/w7/out/$name
    rm -rf "$OUT"
    mkdir -p "$OUT"
    began=$SECONDS
    timeout -k 10 1800 bash "$r" > "$BUILD/w7/$name.lines" 2>"$BUILD/w7/$name.err"
    status=$?
    grep -E '^W7-[0-9]{3} (pass|fail|skip) ' "$BUILD/w7/$name.lines" >> "$results"
    printf '%-10s %4d checks, %d failed, %d s\n' "$name" "$(grep -cE '^W7-[0-9]{3} (pass|fail) ' "$BUILD/w7/$name.lines")" \
        "$(grep -cE '^W7-[0-9]{3} fail ' "$BUILD/w7/$name.lines")" $((SECONDS - began))
    if [ $status != 0 ]; then
        echo "$name: the runner ended with status $status: $(tail -n 1 "$BUILD/w7/$name.err")"
        broken=1
    fi
done

grep -E '^W7-[0-9]{3} (fail|skip) ' "$results" | sort
awk -F'\t' -v whole=$((${#only[@]} == 0)) -v broken=$broken '
    FNR == NR {
        split($0, w, " ")
        if (w[2] == "pass") pass[w[1]]++
        if (w[2] == "fail") fail[w[1]]++
        next
    }
    /^#/ { next }
    {
        n = "W7-" $1
        if (!($2 in total)) gates[++count] = $2
        total[$2]++
        if (n in fail) { failed[$2]++; fails[$2] = fails[$2] " " $1 }
        else if (n in pass) passed[$2]++
        else if ($3 ~ /IMG/) { image[$2]++ }
        else { left[$2] = left[$2] " " $1; lefts[$2]++ }
    }
    END {
        split("1 1d 2 3 4 4d 5 6", order, " ")
        for (k = 1; k <= 8; k++) {
            g = order[k]
            if (!total[g]) continue
            line = sprintf("gate %-2s %3d statements: %d pass", g, total[g], passed[g])
            if (failed[g]) line = line sprintf(", %d fail:%s", failed[g], fails[g])
            if (image[g]) line = line sprintf(", %d need a Windows image", image[g])
            if (lefts[g]) line = line sprintf(", %d not there yet:%s", lefts[g], left[g])
            print line
            if (failed[g]) bad = 1
            if (whole && k <= 6 && lefts[g]) bad = 1
        }
        exit bad || broken
    }' "$results" "$here/statements.tsv"
