#!/bin/bash
# gate.sh AEROPC DIR: the translator's counters over a fixed amount of work (gate.c in DIR/gate.elf, under
# --clock insn, so that they are the same every time) against recorded limits, and the checksums of the
# workloads against the same code run by this machine (DIR/gate-native). No seconds: a busy machine passes.
#
# ENGINE=E: with other options (it fails with links=off,table=off or ops=1, as it should).
#
# The limits are generous, a third or more above what was measured (in brackets, November 2026): they
# catch a translator that stopped linking, checking or keeping registers, not a few bytes. Whoever
# makes one better records a lower limit.
set -uo pipefail
aeropc=$1 dir=$2
log=$dir/gate.log out=$dir/gate.out
rm -f "$out"

printf '%s\n' 'wait serial "GATE-DONE" 120' 'info stats' 'quit 0' |
    "$aeropc" --clock insn --engine "${ENGINE:-jit}" -m 64M --kernel "$dir/gate.elf" --display none \
        --serial "file:$dir/gate.serial" --debugcon "file:$out" --monitor stdio > "$log" 2>&1 ||
    { echo "gate: the program did not come to its end"; tail -5 "$log"; exit 1; }

if ! diff <("$dir/gate-native") <(tr -d '\r' < "$out" | awk '/^GATE / { print $2, $3 $4 }') > "$dir/gate.diff"; then
    echo "gate: checksums differ from this machine's (<) in the guest (>):"
    cat "$dir/gate.diff"
    exit 1
fi

# number BEFORE AFTER: the number between two texts in what `info stats` said.
number() { sed -nE "s/.*$1([0-9.]+)$2.*/\1/p" "$log" | head -n 1; }

bad=0
# gate LABEL VALUE PER LIMIT: VALUE, or VALUE in PER instructions when PER is not 0, is at most LIMIT.
gate()
{
    awk -v label="$1" -v value="$2" -v per="$3" -v limit="$4" -v insns="$insns" 'BEGIN {
        if (value == "" || insns == "" || insns < 1000000) { print "gate: " label ": not in info stats"; exit 1 }
        v = per ? value * per / insns : value
        printf "gate: %-48s %8.3f, at most %s\n", label, v, limit
        exit !(v <= limit) }' || bad=1
}

insns=$(number 'instructions: ' '$')
gate "host bytes per guest instruction" "$(number ', ' ' per guest instruction')" 0 45               # [28.5]
gate "look-ups by C code per 1000 instructions" "$(number ', left ' ' times')" 1000 1                     # [0.16]
gate "slow reads per 1000 instructions" "$(number 'slow reads ' '')" 1000 0.5                         # [0.00]
gate "slow writes per 1000 instructions" "$(number 'slow writes ' '')" 1000 0.5                       # [0.00]
gate "handlers called per 1000 instructions" "$(number 'handlers called ' '')" 1000 2                 # [0.80]
gate "translations made per million instructions" "$(number 'translations: ' ' made')" 1000000 10     # [4.0]
exit $bad
