#!/bin/bash
# Disks and CDs: the bare-metal programs bm_ide, bm_ahci and bm_atapi on images made here. W7_FULL=1 reads the whole DVD. What happens to
# images when the emulator is killed or the host's disk is full is counted by hu.sh (tests/unit/test_w7_storage.c).
set -uo pipefail
. "$(dirname "$0")/lib.sh"

big=$OUT/big.img # 200 GiB, sparse
truncate -s 200G "$big"
printf 'first sector' | dd of="$big" conv=notrunc status=none
BM_LABEL=cd bm ide --clock insn --disk "$big,if=ide" --throwaway

# disc FILE FIRST: 2048 sectors of 2 KiB, each begins with "SECTOR nnnnnnnn", counting from FIRST
disc()
{
    awk -v first="$2" 'BEGIN { for (n = 0; n < 2048; n++) { s = sprintf("SECTOR %08d ", first + n)
        while (length(s) < 1024) s = s s
        s = s s
        printf "%s", substr(s, 1, 2048) } }' > "$1"
}
cd=$OUT/cd.iso
other=$OUT/other.iso
disc "$cd" 0
disc "$other" 1000
BM_LABEL="no cd" BM_APPEND="empty=1" bm ide --disk "$big,if=ide" --throwaway --cdrom "$cd,if=ahci"
bm ahci --clock insn --disk "$big,if=ahci" --throwaway --cdrom "$cd,if=ahci"

bm atapi --cdrom "$cd"
for bits in 32 64; do
    printf '%s\n' 'wait serial "EJECT PLEASE" 60' 'cd eject' 'wait serial "INSERT PLEASE" 60' "cd $other" 'wait poweroff 60' |
        BM_BITS=$bits BM_LABEL=change BM_APPEND="change=1" bm atapi --cdrom "$cd" --serial "file:$OUT/serial" --monitor stdio
done
# The DVD of 3 GiB; without W7_FULL=1 the first 256 MiB of it are read.
dvd=$OUT/dvd.iso
rm -f "$dvd"
truncate -s 3G "$dvd"
for ((m = 0; m < 3072; m += 64)); do
    printf 'MEGABYTE %04d' $m | dd of="$dvd" bs=1M seek=$m conv=notrunc status=none
done
BM_LABEL=dvd BM_SECONDS=300 BM_APPEND="megabytes=$([ "${W7_FULL:-}" = 1 ] && echo c00 || echo 100)" bm atapi --cdrom "$dvd"
