#!/bin/sh
# Boots the demo under the emulator given as $1: it comes up, echoes a typed line, and Esc switches the
# machine off. Prints one line.
emu=${1:-build/aeropc}
log=build/bios/demo/test.log
if printf '%s\n' 'wait serial "DEMO-UP 1024x768" 60' 'type "Hello, 386!\n"' \
        'wait serial "DEMO-KEY Hello, 386!" 20' 'sendkey esc' 'wait serial "DEMO-OFF" 20' \
        'wait poweroff 20' 'quit 0' |
    timeout 120 "$emu" --disk roms/demo.img --throwaway --display none --serial none --debugcon none \
        --monitor stdio >"$log" 2>&1; then
    echo "ok   demo"
else
    echo "FAIL demo: see $log"
    exit 1
fi
