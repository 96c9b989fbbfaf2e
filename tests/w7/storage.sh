#!/bin/bash
# Disks and CDs: the bare-metal programs bm_ide, bm_ahci, bm_atapi and bm_soak on images made here, and what happens to images when the
# emulator is killed or the host's disk is full. W7_FULL=1 (make check-all) runs the long forms.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

big=$OUT/big.img # 200 GiB, sparse
truncate -s 200G "$big"
printf 'first sector' | dd of="$big" conv=notrunc status=none
BM_LABEL=cd bm ide --disk "$big,if=ide" --throwaway
cd=$OUT/cd.iso
truncate -s 2M "$cd"
BM_LABEL="no cd" BM_APPEND="empty=1" bm ide --disk "$big,if=ide" --throwaway --cdrom "$cd,if=ahci"
bm ahci --disk "$big,if=ahci" --throwaway --cdrom "$cd,if=ahci"
