#!/bin/sh
# Runs the fuzzers: run.sh FOLDER-OF-THE-PROGRAMS SECONDS [FIRST-SEED] all of them for a while, by the
# interpreter and by the translator, or
# run.sh FOLDER insns N [FIRST-SEED] those that execute code for N instructions in all. Without a
# first seed it takes one from the clock, so that every long run sees new seeds; a failing seed is
# printed as the command that repeats it.
set -u
bin=${1:?folder of the programs}
what=${2:?seconds}
fail=0
if [ "$what" = insns ]; then
    insns=${3:?how many instructions}
    seed=${4:-$(date +%s)000}
    nice -n 15 "$bin/fuzz_cpu" --insns $((insns / 10 * 7)) "$seed" || fail=1
    nice -n 15 "$bin/fuzz_code" --insns $((insns / 10 * 3)) "$seed" || fail=1
    exit $fail
fi
seed=${3:-$(date +%s)000}
for f in fuzz_board fuzz_cpu fuzz_code; do
    nice "$bin/$f" --seconds $((what / 6)) "$seed" || fail=1
done
for f in fuzz_cpu fuzz_code; do # the same with the translator
    AEROPC_ENGINE=jit,hot=0 nice "$bin/$f" --seconds $((what / 6)) $((seed + 500000)) || fail=1
done
nice "$bin/fuzz_lockstep" --seconds $((what / 6)) "$seed" || fail=1
exit $fail
