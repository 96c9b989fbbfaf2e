#!/bin/bash
# Firmware tables: compared with the chips from inside (bm_tables); and the DSDT of every configuration that the unit test boots
# (tests/unit/test_w7_namespace.c writes them), judged by Intel's tools: iasl disassembles and compiles it again, acpiexec runs its
# methods. What the tests of the group judge by themselves is counted by hu.sh.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

image=$OUT/disk.img
truncate -s 1M "$image"
bm tables --clock insn --disk "$image" --throwaway
BM_LABEL="aerogpu, hpet" BM_APPEND="hpet=1" bm tables --disk "$image" --throwaway --profile aerogpu --hpet
for bits in 32 64; do # powering off ends the emulator with status 0
    timeout 60 "$AEROPC" --display none --debugcon "file:$OUT/s5.e9" --kernel "$BUILD/w7/tables$bits.elf" --append s5=1 >"$OUT/s5.log" 2>&1
    status=$?
    if [ $status = 0 ]; then echo "W7-072 pass \\_S5 by SLP_TYP and SLP_EN switches off ($bits bits)"; else
        echo "W7-072 fail \\_S5 does not switch off: exit status $status, $(tail -n 1 "$OUT/s5.e9") ($bits bits)"
    fi
done

if ! command -v iasl >/dev/null || ! command -v acpiexec >/dev/null; then
    for n in 060 066 067 070 071 072; do echo "W7-$n skip the DSDT under iasl and acpiexec: acpica-tools is not installed"; done
    exit 0
fi
rm -f "$OUT"/dsdt-*
W7_TABLES=$OUT "$BUILD/unit-tests" w7_namespace >"$OUT/log" 2>&1
# verdict NUMBER OK WHAT: one line
verdict()
{
    if [ "$2" = 0 ]; then echo "W7-$1 pass $3"; else echo "W7-$1 fail $3: ${4:-see $OUT}"; fi
}

# template IRQ: what _SRS is given and _CRS must return
template() { printf '89 06 00 09 01 %02X 00 00 00 79 00' "$1"; }

# One run of acpiexec (each takes half a second) for everything that is evaluated; `want` is the values it must print, in order.
commands=
want=
ask() { commands="${commands:+$commands;}evaluate $1"; [ $# = 1 ] || want="$want$2"$'\n'; }
ask '\_SB.LINK._PRS' '89 0E 00 09 03 05 00 00 00 0A 00 00 00 0B 00 00'
for irq in 5 10 11; do
    ask "\\_SB.LINK._SRS ($(template $irq))"
    ask '\_SB.LINK._CRS' "$(template $irq)"
    ask '\_SB.LINK._STA' B
    ask '\_SB.LINK._DIS'
    ask '\_SB.LINK._STA' 9
done
link=$commands link_want=$want commands= want=
ask '\_PIC 0'
ask '\PICM' 0
ask '\_PIC 1'
ask '\PICM' 1
pic=$commands pic_want=$want

# values: the integers and the first lines of the buffers in acpiexec's output, one a line
values()
{
    sed -nE 's/^ *\[Integer\] = 0*([0-9A-F])/\1/p; s/^.*0000: (([0-9A-F]{2} )*).*/\1/p' | sed 's/ *$//'
}

# evaluate FILE NAME
evaluate()
{
    local out got name
    for name in LNKA LNKB LNKC LNKD; do
        out=$(acpiexec -b "${link//LINK/$name}" "$1" 2>&1)
        got=$(values <<<"$out")
        [ "$got"$'\n' = "$link_want" ]
        verdict 066 $? "$name of $2 under acpiexec" "$(diff <(echo "$got") <(printf %s "$link_want") | sed -n '2p')"
    done
    ! grep -qE '^ACPI (BIOS )?(Error|Warning|Exception)' <<<"$out"
    verdict 060 $? "$2 runs under acpiexec without a complaint" "$(grep -E '^ACPI (BIOS )?(E|W)' <<<"$out" | head -n 1)"
    out=$(acpiexec -b "$pic;evaluate \\_S5;resources *" "$1" 2>&1)
    got=$(sed '/Evaluating .*_S5/,$d' <<<"$out" | values)
    [ "$got"$'\n' = "$pic_want" ]
    verdict 067 $? "\\_PIC of $2 under acpiexec with 0 and 1" "$(diff <(echo "$got") <(printf %s "$pic_want") | sed -n '2p')"
    grep -q 'Contains 4 Elements' <<<"$out"
    verdict 072 $? "\\_S5 of $2 is a package of four"
    # acpiexec's own buffer is too small for a _PRT of 124 rows; not every device has a _SRS
    got=$(grep -E 'AE_[A-Z_]*' <<<"$out" | grep -vE '_PRT: AE_BUFFER_OVERFLOW|SetCurrentResources failed: AE_NOT_FOUND' | head -n 1)
    [ "$(grep -c '^Evaluating _CRS' <<<"$out")" -ge 15 ] || got="$got fewer than 15 _CRS"
    verdict 071 "${#got}" "resources of $2 decode under acpiexec" "$got"
}

count=0
for aml in "$OUT"/dsdt-*.aml; do
    [ -s "$aml" ] || continue
    name=$(basename "$aml" .aml)
    count=$((count + 1))
    # warnings that are meant: Processor() is an old keyword (3168); the root bridge has a _HID and an _ADR (3073)
    (cd "$OUT" && iasl -d "$name.aml" && iasl -p "$name-again" "$name.dsl") >"$OUT/$name.log" 2>&1
    ! grep -vE '^Warning +(3168|3073) ' "$OUT/$name.log" | grep -qE '^(Error|Warning) ' && [ -s "$OUT/$name-again.aml" ]
    verdict 060 $? "$name compiles back without errors" "$(grep -E -A1 '^(Error|Warning) ' "$OUT/$name.log" | head -n 2 | tr '\n' ' ')"
    evaluate "$aml" "$name" > "$OUT/$name.lines" &
done
wait
cat "$OUT"/dsdt-*.lines
[ "$count" -ge 5 ] || for n in 060 066 067 071 072; do echo "W7-$n fail only $count tables were written: $(tail -n 1 "$OUT/log")"; done
