#!/bin/bash
# Runs AeroGPU's fuzz targets: gpu.sh FOLDER-OF-THE-PROGRAMS SECONDS|short [TARGET...]. Programs that
# were linked with libFuzzer keep a corpus in FOLDER/corpus/TARGET (SEEDS=FOLDER... adds other folders
# of inputs to it); a failing input is left in FOLDER/crashes and named. `short` is the same every
# time: our own driver, fixed seeds. Every run adds a line to FOLDER/fuzz-ledger: target, commit,
# inputs, seconds.
set -u
bin=${1:?folder of the programs} what=${2:?seconds or short}
shift 2
case $what in short) share=0 ;; *) share=$((what / ($# > 0 ? $# : 1))) ;; esac
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD -- gpu 2>/dev/null || commit=$commit+
fail=0

ledger() { # TARGET INPUTS SECONDS
    echo "$1 $commit $2 $3" >> "$bin/fuzz-ledger"
    echo "$1: $2 inputs in $3 s"
}

with_libfuzzer() { # TARGET
    local t=$1 log=$bin/fuzz-$1.log corpus=$bin/corpus/$1 more=""
    mkdir -p "$corpus" "$bin/crashes"
    "$bin/gpu_$t" --write-seeds "$corpus" || return 1
    [ -n "${SEEDS:-}" ] && for s in $SEEDS; do [ -d "$s/$t" ] && more="$more $s/$t"; done
    nice -n 15 "$bin/gpu_$t" -max_total_time=$share -timeout=60 -rss_limit_mb=1500 \
        -print_final_stats=1 -len_control=20 -use_value_profile=0 -reload=0 \
        -artifact_prefix="$bin/crashes/$t-" "$corpus" $more > "$log" 2>&1 || {
        tail -60 "$log"
        return 1
    }
    ledger "$t" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$share"
}

with_own() { # TARGET ARGUMENTS...
    local t=$1 line start
    shift
    start=$(date +%s)
    line=$(nice -n 15 "$bin/gpu_$t" "$@") || { echo "$line"; return 1; }
    ledger "$t" "$(echo "$line" | sed -n 's/.*: \([0-9]*\) seeds.*/\1/p')" $(($(date +%s) - start))
}

for t in "$@"; do
    if [ "$what" = short ]; then
        # so many seeds as take a few seconds
        case $t in cmd | d3d9 | sm4) n=60000 ;; *) n=6000 ;; esac
        with_own "$t" 1 $n || fail=1
    elif grep -q LLVMFuzzerRunDriver "$bin/gpu_$t"; then
        with_libfuzzer "$t" || fail=1
    else
        with_own "$t" --seconds "$share" "$(date +%s)000" || fail=1
    fi
done
exit $fail
