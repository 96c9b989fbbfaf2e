#!/bin/sh
# Shows the demo guest: `make run` ends here. With a display the window opens; without one the demo runs headless until it
# says on the serial port that it is up; its screen is saved as build/demo.png, and that of its second act as build/demo-act2.png.
#   sh tests/run-demo.sh build/aeropc
aeropc=${1:?usage: run-demo.sh PATH-OF-AEROPC}
if [ -n "$DISPLAY" ] || [ -n "$WAYLAND_DISPLAY" ]; then
    exec "$aeropc"
fi
picture=build/demo.png
mkdir -p build || exit 1
second=build/demo-act2.png
rm -f "$picture" "$second"
printf '%s\n' 'wait serial "DEMO-UP" 120' 'wait 3' "screenshot $picture" 'sendkey tab' 'wait serial "DEMO-ACT2" 60' 'wait 2' \
    "screenshot $second" 'quit 0' | "$aeropc" --display none --monitor stdio || exit 1
[ -s "$picture" ] && [ -s "$second" ] || { echo "the demo ran, but no screenshot was saved" >&2; exit 1; }
echo "no display: saved screenshots of the demo's two acts to $picture and $second"
