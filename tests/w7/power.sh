#!/bin/bash
# Power and life cycle: group L, and the promises of tables about chips (52, 74-76).
set -uo pipefail
. "$(dirname "$0")/lib.sh"
BM_SECONDS=60

BM_APPEND=resets BM_LABEL=resets bm power
BM_APPEND=tables BM_LABEL=tables bm power
BM_APPEND=hpet BM_LABEL=hpet bm power --hpet

# S5: the emulator ends with status 0, and the sector written before is in the overlay
for bits in 32 64; do
    truncate -s 1M "$OUT/disk.img"
    rm -f "$OUT/disk.img.overlay"
    timeout -k 5 60 "$AEROPC" --display none --debugcon "file:$OUT/off$bits.e9" --kernel "$BUILD/w7/power$bits.elf" --append off \
        --disk "$OUT/disk.img,if=ide" >"$OUT/off$bits.log" 2>&1
    status=$?
    if [ $status = 0 ]; then
        echo "W7-245 pass S5 ends the machine (power$bits off)"
    else
        echo "W7-245 fail S5 ends the machine: got exit status $status, expected 0 (power$bits off)"
    fi
    BM_BITS=$bits BM_APPEND=off2 BM_LABEL=off2 bm power --disk "$OUT/disk.img,if=ide"
done

# the button from outside
for bits in 32 64; do
    printf 'wait serial "armed" 50\npowerbutton\nwait poweroff 50\n' >"$OUT/script"
    timeout -k 5 60 "$AEROPC" --display none --debugcon "file:$OUT/button$bits.e9" --kernel "$BUILD/w7/power$bits.elf" --append button \
        --monitor stdio <"$OUT/script" >"$OUT/button$bits.log" 2>&1
    report "power$bits button" "$OUT/button$bits.e9" $?
done

# Asleep between 64 interrupts a second. The host may be busy, so processor time counts, not the clock.
"$AEROPC" --display none --kernel "$BUILD/w7/power32.elf" --append idle --serial "file:$OUT/idle.serial" >"$OUT/idle.log" 2>&1 &
pid=$!
for _ in $(seq 600); do
    grep -q idle "$OUT/idle.serial" 2>/dev/null && break
    sleep 0.1
done
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat" 2>/dev/null; }
before=$(ticks)
start=$(date +%s%N)
sleep 4
after=$(ticks)
end=$(date +%s%N)
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
if grep -q idle "$OUT/idle.serial" && [ -n "$before" ] && [ -n "$after" ]; then
    share=$(((after - before) * 1000000000 * 100 / $(getconf CLK_TCK) / (end - start)))
    verdict=pass
    [ "$share" -lt 15 ] || verdict=fail
    echo "W7-251 $verdict idle at 64 Hz: got $share % of a core, expected less than 15"
else
    echo "W7-251 fail idle at 64 Hz: got no sign of life, expected an idle guest"
fi
