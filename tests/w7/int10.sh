#!/bin/bash
# W7-231: every function of the video BIOS in an interpreter that refuses what the one inside Windows would not do (int10/int10.c). Its
# memory is what a machine has after POST, taken from one that shows the demo (the demo says so: POST's own text is gone before a poll sees it).
set -uo pipefail
. "$(dirname "$0")/lib.sh"
{
    echo 'wait serial "DEMO-UP" 60'
    echo pause
    for page in 0 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 ca cb cc cd ce cf; do echo "pmem 0x${page}000 4096"; done
    echo quit
} | timeout 120 "$AEROPC" --display none --serial null --monitor stdio >"$OUT/memory" 2>"$OUT/log"
timeout 600 "$BUILD/w7/int10/int10" "$OUT/memory"
status=$?
[ $status -le 1 ] || echo "W7-231 fail the interpreter ended: got status $status, expected 0"
