#!/bin/bash
# views.sh AEROPC: the window while AeroGPU's driver (the demo's second act) and the boot display take turns, on an X server of its own:
# what the window shows is what a screenshot of the view is, byte by byte; the title names it; the key, the command, full screen and
# resizing, while it runs. Needs Xvfb, xdotool, xprop, import, compare and convert (ImageMagick); without them it says so and passes.
set -uo pipefail
aeropc=${1:?views.sh AEROPC}
for tool in Xvfb xdotool xprop import compare convert; do
    command -v $tool >/dev/null || { echo "views: left out, $tool is not installed"; exit 0; }
done
out=$(mktemp -d)
failed=0
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$out"' EXIT
trap '' PIPE

Xvfb -displayfd 5 -screen 0 1600x1200x24 -nolisten tcp 5>"$out/display" 2>/dev/null &
pids+=($!)
for _ in {1..600}; do
    read -r number <"$out/display" && break
    sleep 0.1
done 2>/dev/null
[ -n "${number:-}" ] || { echo "views: left out, Xvfb does not start"; exit 0; }
export DISPLAY=:$number SDL_VIDEODRIVER=x11

mkfifo "$out/monitor"
timeout 300 "$aeropc" --monitor stdio <"$out/monitor" >"$out/log" 2>&1 &
machine=$!
pids+=($machine)
exec 3>"$out/monitor"

# check WHAT WANTED COMMAND...: what the command prints must be that within 20 seconds
check()
{
    local what=$1 wanted=$2 got
    shift 2
    for _ in {1..80}; do
        got=$("$@" 2>/dev/null)
        [ "$got" = "$wanted" ] && { echo "views: pass $what"; return; }
        sleep 0.25
    done
    echo "views: FAIL $what: got '$got', expected '$wanted'"
    failed=1
}
title() { xprop -id "$window" WM_NAME | sed 's/^[^"]*"aeropc - demo.img - //; s/"$//'; }
size() { xdotool getwindowgeometry "$window" | sed -n 's/.*Geometry: //p'; }
# ask COMMAND...: runs it and waits until it has
asked=0
ask()
{
    echo "$*" >&3
    echo "screenshot $out/done$((++asked)).png" >&3
    for _ in {1..1200}; do
        grep -q "done$asked.png:" "$out/log" && return
        sleep 0.1
    done
    echo "views: FAIL no answer to: $*"
    exit 1
}
# differs PICTURE: pixels in which the window is not that picture
differs()
{
    import -window "$window" -depth 8 "$out/window.png"
    compare -metric AE "$out/window.png" "$1" null: 2>&1 | sed 's/ .*//'
}

ask 'wait serial "DEMO-UP" 100'
window=$(xdotool search --name '^aeropc - ' | head -n 1)
check "the boot display first" "VBE 1024x768x32" title
ask 'sendkey tab'
ask 'wait source "AeroGPU" 60'
ask 'wait 3'
ask pause
check "the driver's scanout, claimed" "AeroGPU 1024x768" title
ask "screenshot $out/scanout0.png scanout0"
ask "screenshot $out/vga.png vga"
check "the two pictures are not the same" 1 sh -c "compare -metric AE '$out/vga.png' '$out/scanout0.png' null: >/dev/null 2>&1; echo \$?"
check "the window shows scanout 0" 0 differs "$out/scanout0.png"
xdotool key --window "$window" ctrl+alt+v
check "the key shows the boot display" "VBE 1024x768x32 [view vga]" title
check "the window shows it" 0 differs "$out/vga.png"
sum=$(sed -n 's/.*scanout0.png: .*picture //p' "$out/log")
ask "wait picture $sum 5 scanout0"
check "scanout 0 is still there, not shown" 0 grep -c 'timed out' "$out/log"
xdotool key --window "$window" ctrl+alt+v
check "once more: the rules again" "AeroGPU 1024x768" title
check "and the window shows scanout 0" 0 differs "$out/scanout0.png"
ask cont
xdotool key --window "$window" ctrl+alt+f
check "full screen while it runs" 1600x1200 size
xdotool key --window "$window" ctrl+alt+v
check "toggling in full screen" "VBE 1024x768x32 [view vga]" title
xdotool key --window "$window" ctrl+alt+v
check "and back" "AeroGPU 1024x768" title
xdotool key --window "$window" ctrl+alt+f
check "out of full screen" 1024x768 size
xdotool windowsize --sync "$window" 512 384
ask pause
ask "screenshot $out/half.png"
check "half as large" 512x384 size
convert "$out/half.png" -resize 512x384 "$out/small.png"
for n in {1..20}; do # scaled by the host: close to what the picture is
    import -window "$window" -depth 8 "$out/window.png"
    error=$(compare -metric RMSE "$out/small.png" "$out/window.png" null: 2>&1 | sed 's/.*(\([0-9.]*\)).*/\1/')
    awk -v e="$error" 'BEGIN { exit !(e + 0 < 0.1 && e != "") }' && break
    sleep 0.25
done
check "the picture is scaled" 1 awk -v e="$error" 'BEGIN { print e + 0 < 0.1 && e != "" }'
ask cont
ask 'view vga'
check "the command view" "VBE 1024x768x32 [view vga]" title
ask 'view auto'
check "view auto" "AeroGPU 1024x768" title
ask 'sendkey tab'
check "the driver gives the screen back" "VBE 1024x768x32" title
echo 'quit 0' >&3
exec 3>&-
wait $machine
check "the end" 0 echo $?
exit $failed
