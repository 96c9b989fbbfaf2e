#!/bin/bash
# The firmware statements: boot-sector programs of tests/w7/fw on images made for each run (mkimg.c says what is on them). Our BIOS by
# default; FW_ARGS="--bios FILE --vgabios FILE" judges another one, FW_ONLY="disk sys" runs some of the parts below.
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
}

for part in ${FW_ONLY:-disk sys}; do part_$part; done
