#!/bin/sh
# Boots the INT 10h checks (int10.S) under the emulator given as $1, with image $2. Prints one line.
emu=${1:-build/aeropc}
img=${2:-build/bios/vga/int10.img}
timeout 60 "$emu" --floppy "$img" --boot floppy --display none --throwaway -m 64M >/dev/null 2>"$img.log"
got=$?
if [ "$got" = 171 ]; then
    echo "ok   vgabios"
else
    echo "FAIL vgabios: exit status $got (check $((got / 2)) of bios/vga/test/int10.S); see $img.log"
    exit 1
fi
