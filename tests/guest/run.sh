#!/bin/sh
# Runs every bare-metal test program under the emulator given as $1 and compares the exit status with the program's first comment
# ("expect: exit N. what it covers"). Both clocks are used where the comment says "clocks". Prints one line per program.
set -u
emu=${1:-build/aeropc}
here=$(dirname "$0")
img=${GUEST_IMAGES:-build/guest}
fail=0
for s in "$here"/*.S; do
    name=$(basename "$s" .S)
    want=$(sed -n '1s/.*expect: exit \([0-9]*\).*/\1/p' "$s")
    model=$(sed -n '1,5s/.*cpu: \([a-z0-9]*\).*/\1/p' "$s")
    timeout 60 "$emu" --bios "$img/$name.img" --cpu "${model:-win7}" --display none --clock insn -m 64M >/dev/null 2>"$img/$name.log"
    got=$?
    if [ "$got" = "$want" ]; then
        echo "ok   $name"
    else
        echo "FAIL $name: exit status $got (check $((got / 2))), expected $want; see $img/$name.log"
        fail=1
    fi
done
exit $fail
