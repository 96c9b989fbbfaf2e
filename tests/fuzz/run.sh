#!/bin/sh
# Runs both fuzzers for a while: run.sh FOLDER-OF-THE-PROGRAMS SECONDS [FIRST-SEED]. Without a first
# seed it takes one from the clock, so that every long run sees new seeds; a failing seed is printed
# as the command that repeats it.
set -u
bin=${1:?folder of the programs}
seconds=${2:?seconds}
seed=${3:-$(date +%s)000}
each=$((seconds / 2))
fail=0
for f in fuzz_board fuzz_cpu; do
    nice "$bin/$f" --seconds "$each" "$seed" || fail=1
done
exit $fail
