#!/bin/bash
# The video statements. A boot program (fw_video/) calls INT 10h and draws, a bare-metal one (bm_video.c) sets registers; both say
# `picture NAME` on COM1 when something is to be looked at, and go on after a key. Screenshots are compared with the pixels that must be there.
# VIDEO_ONLY="firmware metal" runs some of the parts; VIDEO_ARGS="--bios FILE --vgabios FILE" judges other firmware.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
ega=(000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa 555555 5555ff 55ff55 55ffff ff5555 ff55ff ffff55 ffffff)

# look NUMBER WHAT PICTURE WIDTHxHEIGHT X,Y=RRGGBB...: the pixels of $OUT/$label-PICTURE.png
look()
{
    local number=$1 what=$2 file=$OUT/$label-$3.png size=$4 got wanted places=() colours=() p
    shift 4
    for p in "$@"; do
        places+=("${p%=*}")
        colours+=("${p#*=}")
    done
    got=$("$BUILD/w7/fw_video/pixels" "$file" "${places[@]}" 2>&1 | tr '\n' ' ')
    wanted="$size ${colours[*]} "
    if [ "$got" = "$wanted" ]; then
        echo "W7-$number pass $what ($label)"
    else
        echo "W7-$number fail $what ($label): got $got, expected $wanted"
    fi
}

# monitor PICTURE...: the commands that save the pictures in this order; NAME*N saves N of them, a fifth of a second apart
monitor()
{
    local p n name
    for p in "$@"; do
        name=${p%\**}
        echo "wait serial \"picture $name\" ${VIDEO_SECONDS:-100}"
        if [ "$name" = "$p" ]; then
            echo "screenshot $OUT/$label-$name.png"
        else
            for ((n = 1; n <= ${p#*\*}; n++)); do
                echo "screenshot $OUT/$label-$name$n.png"
                echo 'wait 0.2'
            done
        fi
        echo 'type "\n"'
    done
    echo 'wait 60' # the program ends the emulator
    echo 'quit 99'
}

# drive "NUMBERS" "PICTURES" ARGUMENT...: one start; its report, or a fail line for each number when there is none
drive()
{
    local numbers=$1 pictures=$2 n status
    shift 2
    : > "$OUT/$label.e9"
    # shellcheck disable=SC2086 # lists
    monitor $pictures | timeout -k 5 200 "$AEROPC" --display none --monitor stdio --debugcon "file:$OUT/$label.e9" ${VIDEO_ARGS:-} "$@" \
        >"$OUT/$label.log" 2>&1
    status=$?
    report "$label" "$OUT/$label.e9" $status
    if ! grep -aq '^W7-... plan' "$OUT/$label.e9"; then
        for n in $numbers; do
            echo "W7-$n fail did not start, exit status $status: $(head -n 1 "$OUT/$label.log") ($label)"
        done
    fi
}

# Centres of byte columns 0-15 of line $1 of mode 12h: place and colour; colours are the sixteen, in the order of the other arguments
line()
{
    local y=$1 dx=$2 n=0
    shift 2
    for c in "$@"; do
        echo "$((n * 8 + dx)),$y=${ega[c]}"
        n=$((n + 1))
    done
}

mode_12()
{
    local picture=$1 all="0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15" p
    # shellcheck disable=SC2046,SC2086 # lists of words
    {
        look 232 "$picture: map mask" "$picture" 640x480 $(line 0 3 $all)
        look 232 "$picture: set/reset" "$picture" 640x480 $(line 1 3 $all)
        look 232 "$picture: bit mask, left half" "$picture" 640x480 $(line 2 3 $all)
        look 232 "$picture: bit mask, right half" "$picture" 640x480 $(line 2 4 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15)
        look 232 "$picture: write mode 2" "$picture" 640x480 $(line 3 0 $all)
        look 232 "$picture: write mode 3, odd" "$picture" 640x480 $(line 4 5 $all)
        look 232 "$picture: write mode 3, even" "$picture" 640x480 $(line 4 4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)
        look 232 "$picture: write mode 1" "$picture" 640x480 $(line 5 7 $all)
        look 232 "$picture: AND" "$picture" 640x480 $(line 6 0 0 0 2 2 4 4 6 6 0 0 2 2 4 4 6 6)
        look 232 "$picture: OR" "$picture" 640x480 $(line 7 0 6 7 6 7 6 7 6 7 14 15 14 15 14 15 14 15)
        look 232 "$picture: XOR" "$picture" 640x480 $(line 8 0 6 7 4 5 2 3 0 1 14 15 12 13 10 11 8 9)
        look 232 "$picture: rotation, corners" "$picture" 640x480 0,9=ffffff 9,9=ffffff 63,9=ffffff 62,9=000000 \
            639,479=ffffff 638,479=000000 639,478=000000 0,479=000000
    }
}

text_pictures()
{
    local n fg=() bg=() bright=() cursor="" blink="" got
    for n in {0..15}; do
        fg+=("$((n * 9 + 4)),8=${ega[n]}")
        bright+=("$((n * 9 + 4)),24=${ega[n]}")
        [ $n -lt 8 ] && bg+=("$((n * 9 + 4)),24=${ega[n]}")
    done
    look 233 "mode 3: sixteen foreground colours" text 720x400 "${fg[@]}"
    look 233 "mode 3: eight background colours" text 720x400 "${bg[@]}"
    look 233 "mode 3: a font of the user's" text 720x400 0,32=ffff55 3,32=ffff55 4,32=0000aa 0,33=0000aa 3,46=ffff55
    look 233 "mode 3: sixteen background colours" bright 720x400 "${bright[@]}"
    for n in {1..8}; do
        got=($("$BUILD/w7/fw_video/pixels" "$OUT/$label-blink$n.png" 94,88 31,104))
        cursor="$cursor ${got[1]:-none}"
        blink="$blink ${got[2]:-none}"
    done
    for what in "the cursor:$cursor:aaaaaa" "a character:$blink:ff5555"; do
        IFS=: read -r n got colour <<< "$what"
        case $got in
        *"$colour"*000000* | *000000*"$colour"*) echo "W7-233 pass mode 3: $n blinks ($label)" ;;
        *) echo "W7-233 fail mode 3: $n blinks ($label): got$got, expected $colour and 000000" ;;
        esac
    done
    look 233 "mode 13h: default palette" mode13 640x400 2,0=0000aa 8,0=aa0000 30,0=ffffff 64,0=0000ff 80,0=ff0000 96,0=00ff00 62,0=ffffff \
        639,399=ffffff 500,1=000000
    look 234 "palette mask on the screen" mask 640x400 2,0=0000aa 8,0=aa0000 31,0=ffffff 34,0=0000aa
}

part_firmware()
{
    local owner variant n
    for owner in stdvga aerogpu; do
        label=$owner
        variant=0
        [ $owner = aerogpu ] && variant=1
        rm -f "$OUT/$owner.img"
        "$BUILD/w7/fw/mkimg" disk "$OUT/$owner.img" 4096 "$BUILD/w7/fw/mbr.bin" "$BUILD/w7/fw_video/video.bin" variant=$variant
        drive "040 225 226 227 228 229 230 232 233 234" \
            "bars32 bars24 bars16 bars15 text bright blink*8 mode13 mask mode12 mode12-after-vbe mode12-registers text-again" \
            --throwaway -m 64M --boot-vga $owner --disk "$OUT/$owner.img"
        for n in 32 24; do
            look 228 "colours by the masks, $n bits" bars$n 800x600 0,0=ff0000 160,1=00ff00 320,2=0000ff 480,3=ffffff 799,3=808080 0,4=000000
        done
        look 228 "colours by the masks, 16 bits" bars16 800x600 0,0=ff0000 160,1=00ff00 320,2=0000ff 480,3=ffffff 799,3=848284
        look 228 "colours by the masks, 15 bits" bars15 800x600 0,0=ff0000 160,1=00ff00 320,2=0000ff 480,3=ffffff 799,3=848484
        text_pictures
        mode_12 mode12
        mode_12 mode12-after-vbe
        mode_12 mode12-registers
        look 232 "text after all of these" text-again 720x400 4,8=55ff55 13,8=000000
    done
}

part_metal()
{
    local owner bits
    for owner in stdvga aerogpu; do
        for bits in 32 64; do
            label=$owner-$bits
            drive "224 232 234 235 239" "linear offset stop" --boot-vga $owner --kernel "$BUILD/w7/video$bits.elf" --append $owner
            look 224 "framebuffer on the screen after two moves" linear 1024x768 0,0=ff8000 1023,0=ff8000 5,767=000500 1000,767=03e800 5,766=000000
            look 235 "virtual screen and offsets on the screen" offset 800x600 0,0=064032 799,0=383032 0,599=064289 799,599=383289
            look 232 "stop screen by registers" stop 640x480 0,0=0000aa 639,479=0000aa 83,100=f3f3f3 84,100=f3f3f3 80,100=0000aa 81,104=f3f3f3 \
                80,107=0000aa 87,104=0000aa
        done
    done
}

for part in ${VIDEO_ONLY:-firmware metal}; do part_$part; done
