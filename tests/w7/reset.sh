#!/bin/bash
# Restarting by every path, in the display profiles and with an HPET.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
image=$OUT/disk.img
truncate -s 1M "$image"
BM_LABEL=dual bm reset --disk "$image" --throwaway
BM_LABEL="aerogpu, hpet" bm reset --profile aerogpu --hpet --disk "$image,if=ide" --throwaway
BM_LABEL="vga" bm reset --profile vga
