#!/bin/bash
# programs.sh [PART...]: ordinary programs in a guest give the results they give on this machine.
#
# Boots debian-programs.raw (mk-disk.sh makes it, and on this machine the answers) and lets
# programs/run.sh compare: gcc, OpenSSL's tests, Python's, Perl's, stress-ng.  PARTS are its parts,
# without arguments all.  Skipped where the disk is missing and nothing can be built.
#
#   ENGINE=NAME       the CPU engine and its options      (default jit)
#   CPU=MODEL         the CPU model                       (default win7)
#   SHARE=K/N         one N-th of each part, from its K-th check; 1/1 is the whole   (default 1/4)
#   PROGRAMS_ONLY=RE  only the checks whose names match, without blanks; all of them without SHARE
#   LIMIT=SECONDS     wall-clock limit of the whole       (default 5400)
#   AEROPC, GUESTS    as ladder.sh
# Leaves build/programs/ENGINE-CPU.{serial,out}.  At the end the emulator's memory beyond the guest's RAM
# must not be over 192 MiB.
set -uo pipefail
foreign=${GUESTS:-}
. "$(dirname "$0")/lib.sh"
export GUESTS CACHE

aeropc=${AEROPC:-$top/build/aeropc}
engine=${ENGINE:-jit} cpu=${CPU:-win7} limit=${LIMIT:-5400}
disk=$GUESTS/debian-programs
share=${SHARE:-$([ -n "${PROGRAMS_ONLY:-}" ] && echo 1/1 || echo 1/4)}
beyond_mib=192
log=$top/build/programs/$engine-$cpu

# sample PID: keep the largest that is seen until the process ends.
sample()
{
    local now most=0
    while now=$(beyond "$1" $((2 << 20))) && [ "${now:-0}" != 0 ]; do
        [ "$now" -le "$most" ] || { most=$now; echo "$most" > "$log.kib"; }
        sleep 2
    done
}

[[ $share =~ ^[1-9][0-9]*/[1-9][0-9]*$ ]] && [ "${share%/*}" -le "${share#*/}" ] || die "SHARE=$share is not K/N with K from 1 to N"
[ -x "$aeropc" ] || die "$aeropc is not built; run make first"
mkdir -p "$top/build/programs"
if [ -z "$foreign" ] || [ ! -s "$disk.raw" ]; then
    "$here/guests.sh" debian-programs.raw || {
        reason=$(why_not)
        [ -n "$reason" ] || die "debian-programs.raw could not be made"
        echo "skip programs: $reason"
        exit 0
    }
fi
rm -f "$log".*
: > "$log.kib"
words="root=/dev/sda1 ro console=ttyS0 quiet init=/opt/programs/init.sh programsshare=$share"
[ $# = 0 ] || words+=" programs=$(tr ' ' , <<<"$*")"
[ -z "${PROGRAMS_ONLY:-}" ] || words+=" programsonly=$PROGRAMS_ONLY"
printf 'wait serial "GUEST-DONE" %s\nwait poweroff 60\ninfo stats\nquit 0\n' "$limit" |
    timeout -k 10 $((limit + 120)) "$aeropc" --engine "$engine" --cpu "$cpu" -m 2G \
        --disk "$disk.raw" --throwaway --kernel "$disk.kernel" --initrd "$disk.initrd" \
        --append "$words" --display none --serial "file:$log.serial" --monitor stdio \
        >"$log.out" 2>&1 &
job=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    pid=$(pgrep -n -f -- "--serial file:$log.serial" || true)
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != timeout ] && break
    sleep 1
done
sample "${pid:-0}"
wait $job
status=$?
tr -d '\r' < "$log.serial" | grep -aE '^programs:|^programs-FAIL|^[<>] |^programs-speed' || true
failed=0
[ $status = 0 ] || { echo "FAIL programs: the emulator ended with status $status"; failed=1; }
grep -aq '^GUEST-DONE' "$log.serial" || { echo "FAIL programs: the guest did not come to its end"; failed=1; }
grep -aq '^programs-FAIL' "$log.serial" && { echo "FAIL programs: results differ from this machine's"; failed=1; }
parts=$(grep -ac '^programs: ' "$log.serial")
[ "$parts" = "$([ $# = 0 ] && echo 5 || echo $#)" ] || { echo "FAIL programs: $parts parts came to their end"; failed=1; }
kib=$(cat "$log.kib")
echo "programs: ${kib:-0} KiB beyond guest RAM"
[ "${kib:-0}" -gt 0 ] && [ "$kib" -le $((beyond_mib * 1024)) ] || { echo "FAIL programs: not in 1 to $beyond_mib MiB"; failed=1; }
[ $failed = 0 ] && echo "ok   programs, share $share, --engine $engine --cpu $cpu"
exit $failed
