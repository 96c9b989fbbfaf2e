#!/bin/sh
# The demo's second act under the emulator given as $1: Tab starts it, its picture is another one than the VBE mode's and has many
# colours, it moves, Tab brings the first act back as it was, and again. Then twice the same in deterministic time. $2 is
# tests/w7/fw_video/pixels, which reads screenshots. Prints two lines.
emu=${1:-build/aeropc}
pixels=${2:-build/w7/fw_video/pixels}
dir=build/bios/demo/act2
mkdir -p "$dir"
rm -f "$dir"/*.png

fail()
{
    echo "FAIL demo act two: $1; see $dir"
    exit 1
}

run() # LOG ARGUMENT...: commands come from standard input
{
    log=$1
    shift
    timeout 180 "$emu" --disk roms/demo.img --throwaway --display none --serial none --debugcon none --monitor stdio "$@" >"$dir/$log" 2>&1
}

# 144 places all over the picture, without the panel and the hint bar
places=
for y in 40 100 160 220 280 340 400 460 520 580 640 700; do
    for x in 20 110 190 270 360 440 530 610 690 780 880 1000; do places="$places $x,$y"; done
done
# shellcheck disable=SC2086 # places are words
sample() { "$pixels" "$dir/$1.png" $places | sed 1d >"$dir/$1.txt"; }
differ() { paste -d' ' "$dir/$1.txt" "$dir/$2.txt" | awk '$1 != $2' | wc -l; }

run log.txt <<END || fail "$(tail -n 1 "$dir/log.txt")"
wait serial "DEMO-UP 1024x768" 60
wait 1
screenshot $dir/vbe.png
sendkey tab
wait serial "DEMO-ACT2 1024x768" 60
wait source "AeroGPU 1024x768" 60
status
wait 3
screenshot $dir/one.png
wait 3
screenshot $dir/two.png
sendkey tab
wait serial "DEMO-ACT1" 60
wait source "VBE 1024x768x32" 60
wait 1
status
screenshot $dir/back.png
sendkey tab
wait serial "DEMO-ACT2 1024x768" 60
wait source "AeroGPU 1024x768" 60
wait 1
screenshot $dir/again.png
sendkey esc
wait poweroff 60
quit 0
END
grep -q 'display: AeroGPU 1024x768' "$dir/log.txt" || fail "scanout 0 is not what is shown"
grep -q 'display: VBE 1024x768x32' "$dir/log.txt" || fail "the VBE mode does not come back"
for k in vbe one two back again; do sample $k || fail "no picture $k"; done
[ "$(differ vbe one)" -gt 120 ] || fail "its picture is much like the VBE mode's"
[ "$(sort -u "$dir/one.txt" | wc -l)" -gt 80 ] || fail "its picture has few colours"
[ "$(differ one two)" -gt 5 ] || fail "it does not move"
[ "$(differ vbe back)" -lt 20 ] || fail "the first act is not what it was"
[ "$(differ back again)" -gt 120 ] || fail "it does not come a second time"
echo "ok   demo act two"

for k in 1 2; do
    run "again$k.txt" --clock insn <<END || fail "$(tail -n 1 "$dir/again$k.txt")"
wait time 6.2
sendkey tab
wait time 6.75 100
screenshot $dir/insn.png
status
info hash
quit 0
END
    mv "$dir/insn.png" "$dir/insn$k.png"
done
grep -q 'display: AeroGPU' "$dir/again1.txt" || fail "not started in deterministic time"
cmp -s "$dir/again1.txt" "$dir/again2.txt" && cmp -s "$dir/insn1.png" "$dir/insn2.png" || fail "two runs differ"
echo "ok   demo act two, twice the same"
