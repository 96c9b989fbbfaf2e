#!/bin/sh
# Shows the demo guest: `make run` ends here. With a display the window opens; without one the demo runs headless until it
# says on the serial port that it is up, and its screen is saved as build/demo.png.
#   sh tests/run-demo.sh build/aeropc
aeropc=${1:?usage: run-demo.sh PATH-OF-AEROPC}
if [ -n "$DISPLAY" ] || [ -n "$WAYLAND_DISPLAY" ]; then
    exec "$aeropc"
fi
picture=build/demo.png
mkdir -p build || exit 1
rm -f "$picture"
printf '%s\n' 'wait serial "DEMO-UP" 120' 'wait 3' "screenshot $picture" 'quit 0' |
    "$aeropc" --display none --monitor stdio || exit 1
[ -s "$picture" ] || { echo "the demo ran, but no screenshot was saved" >&2; exit 1; }
echo "no display: saved a screenshot of the demo to $picture"
