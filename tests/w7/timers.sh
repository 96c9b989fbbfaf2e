#!/bin/bash
# Clocks, interrupt controllers, power management, input and serial ports: groups E, F, I, K and L, and the registers behind group B.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
BM_SECONDS=60
for program in pic pit rtc pm ioapic lapic kbc uart; do
    bm $program --clock insn --set testdev=on
done
bm hpet --clock insn --hpet
bm timers --clock insn --hpet
BM_LABEL="host clock" BM_APPEND=ratios bm timers --hpet
truncate -s 1M "$OUT/disk.img"
bm irq --clock insn --throwaway --disk "$OUT/disk.img"
