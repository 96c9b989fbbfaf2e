#!/bin/bash
# The storage soak: bm_soak moves random parts of one image by every controller and command in turn. W7_FULL=1 runs ten times as long.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

# One image of 8 MiB through every controller in turn; the guest's checksum must be the host's before and after.
crc_of() { gzip -1c "$1" | tail -c 8 | head -c 4 | od -An -tx4 --endian=little | tr -d ' '; }
soak=$OUT/soak.img
awk 'BEGIN { s = 1; for (n = 0; n < 1048576; n++) { s = (s * 16807) % 2147483647; printf "%08x", s } }' > "$soak"
sectors=$(printf %x $(($(stat -c %s "$soak") / 512)))
rounds=$([ "${W7_FULL:-}" = 1 ] && echo 2000 || echo 180)
# soak LABEL WAY ARGUMENT...
soak()
{
    local label=$1 way=$2 bits before after
    shift 2
    for bits in 32 64; do
        before=$(crc_of "$soak")
        BM_BITS=$bits BM_LABEL=$label BM_SECONDS=600 BM_APPEND="way=$way sectors=$sectors crc=$before seed=$((way * 7 + bits)) rounds=$rounds" bm soak "$@"
        after=$(crc_of "$soak")
        if grep -q "^CRC $after" "$OUT/soak$bits.e9"; then
            echo "W7-206 pass the image is what the guest left: $after ($label$bits)"
        else
            echo "W7-206 fail the image's checksum is $after, the guest says $(grep ^CRC "$OUT/soak$bits.e9") ($label$bits)"
        fi
    done
}
soak ide 1 --write --disk "$soak,if=ide"
soak ahci 2 --write --disk "$soak,if=ahci"
soak cd 3 --cdrom "$soak"
soak ide 1 --write --disk "$soak,if=ide"
soak "cd on ahci" 5 --cdrom "$soak,if=ahci"

# The same through INT 13h: a boot disk of our own, the image is drive 81h.
boot=$OUT/boot.img
{ cat "$BUILD/w7/soak13.bin" && head -c 130560 /dev/zero; } > "$boot"
printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((0x$sectors & 255)) $((0x$sectors >> 8 & 255)) $((0x$sectors >> 16 & 255)) 0)" |
    dd of="$boot" bs=1 seek=432 conv=notrunc status=none
for place in "ahci ahci" "ide ide" "ide ahci"; do
    # shellcheck disable=SC2086 # two words
    set -- $place
    before=$(crc_of "$soak")
    : > "$OUT/int13.e9"
    timeout 600 "$AEROPC" --display none -m 64M --debugcon "file:$OUT/int13.e9" --write --disk "$boot,if=$1" --disk "$soak,if=$2" \
        >"$OUT/int13.log" 2>&1
    status=$?
    got=$(grep -aE '^[ABE] [0-9a-f]{8}$' "$OUT/int13.e9" | tr '\n' ' ')
    if [ $status = 33 ] && [ "$got" = "A $before B $(crc_of "$soak") E 00000000 " ]; then
        echo "W7-206 pass every sector and 200 changed pieces by INT 13h ($2)"
    else
        echo "W7-206 fail INT 13h ($2): status $status, guest: $got, host: A $before B $(crc_of "$soak") E 00000000"
    fi
done

# 207: the same image and its overlay, IDE then AHCI: what one wrote the other reads
rm -f "$soak.overlay"
before=$(crc_of "$soak")
for step in "ide 1" "ahci 2" "ide 1"; do
    # shellcheck disable=SC2086 # two words
    set -- $step
    BM_BITS=64 BM_APPEND="way=$2 sectors=$sectors crc=${crc:-$before} seed=$2 rounds=40" bm soak --disk "$soak,if=$1" |
        sed "s/^W7-206/W7-207/; s/(soak64/(overlay under $1/"
    crc=$(sed -n 's/^CRC //p' "$OUT/soak64.e9")
done
if [ "$(crc_of "$soak")" = "$before" ]; then echo "W7-207 pass the image itself is untouched"; else echo "W7-207 fail the image itself was written"; fi

# 208: by the guest's own clock, in runs that do not depend on the host
for step in "ide 1" "ahci 2"; do
    # shellcheck disable=SC2086
    set -- $step
    BM_LABEL=$1 BM_APPEND="way=$2 sectors=$sectors timing=1" bm soak --clock insn --throwaway --disk "$soak,if=$1"
done
