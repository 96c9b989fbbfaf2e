#!/bin/sh
# Runs every bare-metal test program under the emulator given as $1 and compares the exit status with the program's first comment
# ("expect: exit N. what it covers"; "cpu: NAME" and "args: OPTIONS" say how to run it). Prints one line per program and, of the C
# programs, the checks that failed.
set -u
emu=${1:-build/aeropc}
here=$(dirname "$0")
img=${GUEST_IMAGES:-build/guest}
fail=0
for s in "$here"/*.S "$here"/*.c; do
    name=$(basename "${s%.?}")
    [ "$name" != dev ] || continue
    case " ${SKIP:-} " in *" $name "*) continue ;; esac
    want=$(sed -n '1s/.*expect: exit \([0-9]*\).*/\1/p' "$s")
    model=$(sed -n '1,5s/.*cpu: \([a-z0-9]*\).*/\1/p' "$s")
    args=$(sed -n '1,5s/.*args: \([^*]*[^ *]\).*/\1/p' "$s")
    # shellcheck disable=SC2086 # args are words
    timeout 60 "$emu" --engine "${ENGINE:-interp}" --bios "$img/$name.img" --cpu "${model:-win7}" --display none --clock insn -m 64M --debugcon stdio $args >"$img/$name.log" 2>&1
    got=$?
    if [ "$got" = "$want" ]; then
        echo "ok   $name"
    else
        echo "FAIL $name: exit status $got (check $((got / 2))), expected $want; see $img/$name.log"
        grep -o 'fail .*: got .*\|unexpected exception.*' "$img/$name.log" | sed 's/^/     /'
        fail=1
    fi
done
exit $fail
