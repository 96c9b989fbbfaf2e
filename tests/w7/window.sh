#!/bin/bash
# W7-237: the window on an X server of its own without a window manager: its size follows the guest's mode, pixels are shown 1:1, scaled
# whole or in whole steps, and the title names the source. Needs Xvfb, xwininfo, xprop, xdotool and import (ImageMagick).
set -uo pipefail
. "$(dirname "$0")/lib.sh"
for tool in Xvfb xwininfo xprop xdotool import; do
    command -v $tool >/dev/null || { echo "W7-237 skip the window: $tool is not installed"; exit 0; }
done
pixels=$BUILD/w7/fw_video/pixels
SCREEN=2000x1500
pids=()
: > "$OUT/display"
trap 'kill "${pids[@]}" 2>/dev/null' EXIT

Xvfb -displayfd 5 -screen 0 ${SCREEN}x24 -nolisten tcp 5>"$OUT/display" 2>/dev/null &
pids+=($!)
for _ in {1..600}; do
    read -r number <"$OUT/display" && break
    sleep 0.1
done
[ -n "${number:-}" ] || { echo "W7-237 skip the window: Xvfb does not start"; exit 0; }
export DISPLAY=:$number SDL_VIDEODRIVER=x11
trap '' PIPE

# check WHAT WANTED COMMAND...: what the command prints must be that within ten seconds: windows change when the server gets to it
check()
{
    local what=$1 wanted=$2 got tries
    shift 2
    for tries in {1..40}; do
        got=$("$@")
        [ "$got" = "$wanted" ] && { echo "W7-237 pass $what"; return; }
        sleep 0.25
    done
    echo "W7-237 fail $what: got $got, expected $wanted"
}

# start NAME ARGUMENT...: the probe's image in a window; its monitor reads from descriptor 3
start()
{
    log=$OUT/$1.log
    shift
    rm -f "$OUT/monitor" && mkfifo "$OUT/monitor"
    : > "$log"
    timeout 300 "$AEROPC" --display sdl --monitor stdio --throwaway -m 64M --disk "$OUT/video.img" "$@" <"$OUT/monitor" >"$log" 2>&1 &
    pids+=($!)
    exec 3>"$OUT/monitor"
}

# go PICTURE: waits until the guest shows it
go()
{
    echo "wait serial \"picture $1\" 100" >&3
    echo "screenshot $OUT/$1.png" >&3
    for _ in {1..600}; do grep -q "$1.png" "$log" && break; sleep 0.1; done
    find_window
}

find_window()
{
    for _ in {1..100}; do
        window=$(xdotool search --name '^aeropc - ' | head -n 1)
        [ -n "$window" ] && return
        sleep 0.1
    done
}

# resize WIDTH HEIGHT: at the screen's corner, so that all of it is there to be seen
resize()
{
    xdotool windowmove --sync "$window" 0 0
    xdotool windowsize --sync "$window" "$1" "$2"
}

on() { echo 'type "\n"' >&3; }
size() { xwininfo -id "$window" | awk '/Width:/ { w = $2 } /Height:/ { print w "x" $2 }'; }
title() { xprop -id "$window" WM_NAME | sed 's/^[^"]*"//; s/"$//'; }
# seen X,Y...: size of the window's picture and these pixels
seen()
{
    import -window "$window" -depth 8 "ppm:$OUT/window.ppm" 2>/dev/null
    "$pixels" "$OUT/window.ppm" "$@" 2>&1 | tr '\n' ' '
}
finish()
{
    echo 'quit 0' >&3
    exec 3>&-
    wait "${pids[-1]}" 2>/dev/null
}

rm -f "$OUT/video.img"
"$BUILD/w7/fw/mkimg" disk "$OUT/video.img" 4096 "$BUILD/w7/fw/mbr.bin" "$BUILD/w7/fw_video/video.bin" variant=0
bars="0,0 160,1 320,2 480,3 799,3 0,4"
# shellcheck disable=SC2086 # $bars is a list
{
    start fit
    go bars32
    check "size of the window in 800x600" 800x600 size
    check "title in 800x600" "aeropc - video.img - VBE 800x600x32" title
    check "pixels are shown one to one" "800x600 ff0000 00ff00 0000ff ffffff 808080 000000 " seen $bars
    resize 1600 1200
    check "twice as large" "1600x1200 ff0000 ff0000 00ff00 0000ff ffffff 808080 000000 " seen 0,0 319,7 320,7 641,7 960,7 1599,7 0,8
    resize 1600 1400
    check "the shape is kept" "1600x1400 000000 ff0000 808080 000000 " seen 0,99 0,100 1599,107 0,108
    on
    for p in bars24 bars16 bars15; do go $p; on; done
    go text
    check "a size that the user gave stays" 1600x1400 size
    check "title in mode 3" "aeropc - video.img - VGA text 80x25" title
    finish

    start modes
    for p in bars32 bars24 bars16 bars15; do go $p; on; done
    go text
    check "size of the window in mode 3" 720x400 size
    on; go bright; on; go blink; on; go mode13
    check "size of the window in mode 13h" 640x400 size
    on; go mask; on; go mode12
    check "size of the window in mode 12h" 640x480 size
    check "title in mode 12h" "aeropc - video.img - VGA 640x480" title
    finish

    start integer --scale integer
    go bars32
    resize 1700 1300
    check "whole steps: twice, in the middle" "1700x1300 000000 ff0000 ff0000 00ff00 808080 000000 000000 000000 " \
        seen 49,50 50,50 369,57 370,57 1649,57 1650,57 50,49 50,58
    finish

    start none --scale none
    go bars32
    resize 1000 700
    check "not scaled: in the middle" "1000x700 000000 ff0000 808080 000000 000000 " seen 99,50 100,50 899,53 900,53 100,54
    finish

    start full
    go bars32
    xdotool key --window "$window" ctrl+alt+f
    window=root
    check "full screen: the whole picture, as large as it fits" "$SCREEN ff0000 ff0000 00ff00 0000ff ffffff 808080 000000 000000 " \
        seen 0,0 390,4 600,4 1000,4 1400,4 1999,4 0,14 0,1499
    find_window
    xdotool key --window "$window" ctrl+alt+f
    check "and back" "800x600 ff0000 00ff00 0000ff ffffff 808080 000000 " seen $bars
    on
    for p in bars24 bars16 bars15; do go $p; on; done
    go text
    check "after that the window still follows the mode" 720x400 size
    finish

    start fullscreen --fullscreen
    go bars32
    window=root
    check "started full screen" "$SCREEN ff0000 ff0000 00ff00 0000ff ffffff 808080 000000 " seen 0,0 390,4 600,4 1000,4 1400,4 1999,4 0,14
    finish
}
