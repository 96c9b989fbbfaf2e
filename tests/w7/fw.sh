#!/bin/bash
# The firmware statements: boot-sector programs of tests/w7/fw on images made for each run (mkimg.c says what is on them). Our BIOS by
# default; FW_ARGS="--bios FILE --vgabios FILE" judges another one, FW_ONLY="disk sys" runs some of the parts below, FW_TRIPS=100 makes part
# thrash as long as W7-093 says.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
fw=$BUILD/w7/fw

# image NAME KIND SECTORS BOOT BODY [KEY=VALUE]...: makes $OUT/NAME.img
image()
{
    local name=$1 kind=$2 sectors=$3 boot=$4 body=$5
    shift 5
    rm -f "$OUT/$name.img" "$OUT/$name.img.overlay"
    "$fw/mkimg" "$kind" "$OUT/$name.img" "$sectors" "$fw/$boot.bin" "$fw/$body.bin" "$@"
}

# start LABEL ARGUMENT...: one start of the machine; its report goes to $OUT/LABEL.e9, its exit status to $status
start()
{
    local label=$1
    shift
    : > "$OUT/$label.e9"
    # shellcheck disable=SC2086 # FW_ARGS is a list
    timeout -k 5 "${FW_SECONDS:-120}" "$AEROPC" --display none -m 64M --debugcon "file:$OUT/$label.e9" ${FW_ARGS:-} "$@" \
        >"$OUT/$label.log" 2>&1
    status=$?
}

# run LABEL "NUMBERS" ARGUMENT...: a start judged; NUMBERS fail when the program did not even say what it plans
run()
{
    local label=$1 numbers=$2 n
    shift 2
    start "$label" "$@"
    report "$label" "$OUT/$label.e9" "$status"
    grep -aq '^W7-... plan' "$OUT/$label.e9" && return
    for n in $numbers; do
        echo "W7-$n fail did not start, exit status $status: $(head -n 1 "$OUT/$label.log") ($label)"
    done
}

# verdict NUMBER WHAT GOT WANTED
verdict()
{
    if [ "$3" = "$4" ]; then echo "W7-$1 pass $2"; else echo "W7-$1 fail $2: got $3, expected $4"; fi
}

part_disk()
{
    local all="001 002 003 004 005 006 007 008 009 010 011 012 013 014 015 016"
    image disk disk 60001 mbr disk
    run disk-ide "$all" --throwaway --disk "$OUT/disk.img,if=ide"
    # three disks, the first without 55AAh: the second one is started and becomes drive 80h
    image unmarked disk 20000 mbr disk variant=5 nosignature=1
    image second disk 70000 mbr disk disks=3
    image third disk 30000 mbr disk
    run disk-ahci "$all" --throwaway --disk "$OUT/unmarked.img,if=ide" --disk "$OUT/second.img" --disk "$OUT/third.img"
    # what the chips and the CHS scheme can reach at all: 9 GB, and more than 2^32 sectors
    image large disk 18900001 mbr disk variant=1 stride=777,4096
    run disk-9g "006 008 012 013 014" --throwaway --disk "$OUT/large.img"
    if image huge disk 4299967299 mbr disk variant=1 stride=777,1048576 2>/dev/null; then
        run disk-2t-ahci "006 008" --throwaway --disk "$OUT/huge.img"
        run disk-2t-ide "006 008" --throwaway --disk "$OUT/huge.img,if=ide"
        rm -f "$OUT/huge.img"
    else
        echo "W7-006 skip more than 2^32 sectors: this file system has no files of 2 TiB"
    fi
    # two starts with the overlay beside the image
    image keep disk 60001 mbr disk variant=2
    run keep-first 011 --disk "$OUT/keep.img"
    run keep-second 011 --disk "$OUT/keep.img"
    verdict 011 "the second start found what the first one wrote" \
        "$(grep -ac 'W7-011 pass what the last start wrote is still there' "$OUT/keep-second.e9")" 1
    image protected disk 60001 mbr disk variant=4
    run protected-ahci 011 --throwaway --disk "$OUT/protected.img" --set ahci0.readonly=on
    run protected-ide 011 --throwaway --disk "$OUT/protected.img,if=ide" --set ide0.readonly=on
}

part_sys()
{
    local all="017 018 020 021 022 023 024 025 026 027 030 031 032 040 041 042 043 044 244"
    image sys disk 60001 mbr sys
    run sys-64m "$all" --throwaway --clock insn --disk "$OUT/sys.img"
    run sys-6g "$all" --throwaway --clock insn --disk "$OUT/sys.img,if=ide" -m 6G
    start sys-again --throwaway --clock insn --disk "$OUT/sys.img"
    grep -a '^e820 ' "$OUT/sys-64m.e9" > "$OUT/map1"
    grep -a '^e820 ' "$OUT/sys-again.e9" > "$OUT/map2"
    verdict 019 "rows of the memory map" "$([ "$(wc -l < "$OUT/map1")" -ge 5 ] && echo enough)" enough
    verdict 019 "memory map of the second start" "$(cksum < "$OUT/map2")" "$(cksum < "$OUT/map1")"
    image sys-cd iso 1000 cdboot sys count=4
    start sys-cd --throwaway --clock insn --cdrom "$OUT/sys-cd.img" --disk "$OUT/sys.img" --boot cdrom,disk
    grep -a '^e820 ' "$OUT/sys-cd.e9" > "$OUT/map3"
    verdict 019 "memory map of a start from CD" "$(cksum < "$OUT/map3")" "$(cksum < "$OUT/map1")"
}

part_cd()
{
    local all="033 034 035 036 037" name
    image hd disk 60001 mbr disk
    # count, segment, catalog as on common media; 0 stands for the default
    for name in "0 0 plain" "8 0 efi-second" "30 0x1000 plain" "4 0 efi-first"; do
        read -r count segment catalog <<< "$name"
        image "cd-$count-$catalog" iso 1000 cdboot cd "count=$count" "segment=$segment" "catalog=$catalog"
        run "cd-$count-$catalog" "$all" --throwaway --cdrom "$OUT/cd-$count-$catalog.img" --disk "$OUT/hd.img" --boot cdrom,disk
    done
    image cd-ahci iso 1001 cdboot cd count=8 disks=2
    image second disk 20000 mbr disk
    run cd-ahci "$all" --throwaway --cdrom "$OUT/cd-ahci.img,if=ahci" --disk "$OUT/hd.img,if=ide" --disk "$OUT/second.img,if=ide" \
        --boot cdrom,disk
    # a catalog that does not hold: the next device it is
    image next disk 20000 mbr next variant=33
    for name in bad-sum bad-mark; do
        image $name iso 1000 cdboot cd variant=5 count=8 catalog=$name
        run $name 033 --throwaway --cdrom "$OUT/$name.img" --disk "$OUT/next.img" --boot cdrom,disk
    done
}

# 200 MiB as boot.wim is read; the time is the host's
part_wim()
{
    local from=$SECONDS
    image wim iso 110000 cdboot cd variant=1 count=8 stride=1024,1024
    run wim 038 --throwaway --cdrom "$OUT/wim.img" --boot cdrom
    verdict 038 "done within 60 s of this computer's time" "$([ $((SECONDS - from)) -lt 60 ] && echo yes || echo $((SECONDS - from)) s)" yes
    rm -f "$OUT/wim.img"
}

# A setup that starts from DVD, installs, resets: the second start must be the disk's. Either the script of the monitor answers the
# prompt of the first one only, or the disk comes first in the boot order and is still empty at the first start.
part_setup()
{
    image installed disk 40 mbr next variant=39
    image ask iso 1000 cdboot cd variant=2 count=8
    image silent iso 1000 cdboot cd variant=3 count=8
    image empty disk 60001 mbr next variant=39 nosignature=1 "file=$OUT/installed.img,40000"
    printf 'wait screen "Press any key" 30\nsendkey ret\n' > "$OUT/answer"
    run setup-asks 039 --throwaway --cdrom "$OUT/ask.img" --disk "$OUT/empty.img" --boot cdrom,disk --monitor stdio < "$OUT/answer"
    verdict 039 "the answered prompt led to setup" "$(grep -ac 'first part done' "$OUT/setup-asks.e9")" 1
    run setup-silent 039 --throwaway --cdrom "$OUT/silent.img" --disk "$OUT/empty.img"
    verdict 039 "the empty disk led to setup" "$(grep -ac 'first part done' "$OUT/setup-silent.e9")" 1
}

part_kbd()
{
    local key menu="ret esc f8 f9 f10 up down tab a z 1"
    image kbd disk 2000 mbr kbd
    {
        printf 'wait serial "READY1" 30\n'
        for key in $menu; do printf 'sendkey %s\n' "$key"; done
        printf 'wait serial "READY2" 30\n'
        for key in $menu; do printf 'sendkey %s\n' "$key"; done
        printf 'wait serial "READY3" 30\nsendkey shift-a\nwait serial "READY4" 30\n'
        for key in {a..z} {0..9} {a..f}; do printf 'sendkey %s\n' "$key"; done
        printf 'wait serial "READY5" 30\nsendkey f8\nwait serial "READY6" 30\nsendkey tab\n'
    } > "$OUT/keys"
    run kbd "028 029" --throwaway --disk "$OUT/kbd.img" --monitor stdio < "$OUT/keys"
}

part_again()
{
    image first disk 2000 mbr again variant=0
    image other disk 2000 mbr again variant=1
    run again 045 --throwaway --disk "$OUT/first.img,if=ide" --disk "$OUT/other.img"
}

part_replay()
{
    local all="001 003 004 007 009 015 026 087 088 089 090 091 126 128 213 214" bus
    image replay disk 20000 replay_mbr replay partition=2048 "file=$fw/replay_vbr.bin,2048"
    for bus in ide ahci; do
        run "replay-$bus" "$all" --throwaway --disk "$OUT/replay.img,if=$bus"
    done
    image triple disk 20000 mbr replay variant=1
    start triple --throwaway --no-reboot --disk "$OUT/triple.img"
    verdict 126 "exit status after a triple fault with --no-reboot" "$status" 2
    verdict 126 "the report names it" "$(grep -ci 'triple fault' "$OUT/triple.log" | sed 's/^[1-9][0-9]*$/yes/')" yes
    verdict 126 "the report shows the last exceptions" "$(grep -c '#BP\|#GP\|#DF\|vector' "$OUT/triple.log" | sed 's/^[1-9][0-9]*$/yes/')" yes
}

# FW_TRIPS thousand round trips with a read each; then the processor time of this computer that a trip alone costs
part_thrash()
{
    local TIMEFORMAT=%U seconds
    image thrash disk 20000 mbr thrash "variant=${FW_TRIPS:-5}"
    run thrash "030 087 092 093 094 095 096 097" --throwaway --disk "$OUT/thrash.img"
    image trips disk 20000 mbr thrash "variant=$((0x80000000 + 100))"
    { time run trips 093 --throwaway --disk "$OUT/trips.img" > "$OUT/trips.lines"; } 2> "$OUT/trips.time"
    cat "$OUT/trips.lines"
    seconds=$(tail -n 1 "$OUT/trips.time")
    verdict 093 "less than 10 us of this computer's time a trip" \
        "$(awk -v s="$seconds" 'BEGIN { us = s * 10; if (us < 10) print "yes"; else print us " us" }')" yes
}

# The rare calls; their answers, line by line, are those of odd.table
part_odd()
{
    image odd disk 20000 mbr odd
    run odd "016 022 023 028 040" --throwaway --clock insn --disk "$OUT/odd.img"
    grep -a '^odd ' "$OUT/odd.e9" > "$OUT/odd.answers"
    verdict 023 "answers unlike those of odd.table" "$(diff "$top/tests/w7/fw/odd.table" "$OUT/odd.answers" | grep -c '^[<>]')" 0
}

# Which part reports what; W7_ONLY=NNN runs those that report NNN
declare -A reports=(
    [disk]="001 002 003 004 005 006 007 008 009 010 011 012 013 014 015 016"
    [sys]="017 018 019 020 021 022 023 024 025 026 027 030 031 032 040 041 042 043 044 244"
    [cd]="033 034 035 036 037" [wim]="038" [setup]="039" [kbd]="028 029" [again]="045"
    [replay]="001 003 004 007 009 015 026 087 088 089 090 091 126 128 213 214"
    [thrash]="030 087 092 093 094 095 096 097" [odd]="016 022 023 028 040"
)
for part in ${FW_ONLY:-disk sys cd wim setup kbd again replay thrash odd}; do
    [[ -n ${W7_ONLY:-} && " ${reports[$part]} " != *" $W7_ONLY "* ]] || part_$part
done
