# Shared by the runners tests/w7/NAME.sh (sourced). A runner prints lines "W7-nnn pass|fail|skip WHAT" and nothing else that starts so.
#
# Environment, with what `make check-w7` gives: AEROPC the emulator, BUILD the build folder, OUT an empty folder of the runner's own.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
AEROPC=${AEROPC:-$top/build/aeropc}
BUILD=${BUILD:-$top/build}
OUT=${OUT:-$BUILD/w7/out/$(basename "$0" .sh)}
mkdir -p "$OUT"

# report LABEL FILE STATUS: the lines that a guest program wrote to port E9h in FILE, each with LABEL. A number that the program planned
# ("W7-nnn plan") and did not report fails, and so does everything planned when STATUS (the emulator's exit status) is not 33: a
# program that ends well writes 16 to port F4h.
report()
{
    tr -d '\r' < "$2" | awk -v label="$1" -v status="$3" '
        /^W7-[0-9][0-9][0-9] plan/ { plan[$1] = 1; next }
        /^W7-[0-9][0-9][0-9] (pass|fail|skip) / { seen[$1] = 1; print $0 " (" label ")" }
        END {
            for (n in plan) {
                if (!(n in seen)) print n " fail not reported, exit status " status " (" label ")"
                else if (status != 33) print n " fail the program did not end, exit status " status " (" label ")"
            }
        }'
}

# bm NAME [ARGUMENT...]: runs the bare-metal program bm_NAME.c as 32-bit and as 64-bit kernel; BM_BITS="32" runs one, BM_APPEND is the
# kernel's command line, BM_SECONDS the time limit on the host (120)
bm()
{
    local name=$1 bits status kernel
    shift
    for bits in ${BM_BITS:-32 64}; do
        kernel=$BUILD/w7/$name$bits.elf
        : > "$OUT/$name$bits.e9"
        timeout -k 5 "${BM_SECONDS:-120}" "$AEROPC" --display none --debugcon "file:$OUT/$name$bits.e9" --kernel "$kernel" \
            ${BM_APPEND:+--append "$BM_APPEND"} "$@" >"$OUT/$name$bits.log" 2>&1
        status=$?
        report "$name$bits${BM_LABEL:+ $BM_LABEL}" "$OUT/$name$bits.e9" $status
        if ! grep -q '^W7-... plan' "$OUT/$name$bits.e9"; then
            # nothing planned: the source says which numbers were meant
            sed -n 's/^.*W7_PLAN(\([0-9, ]*\)).*/\1/p' "$top/tests/w7/bm_$name.c" | tr -c '0-9\n' ' ' | tr ' ' '\n' | grep . |
                while read -r n; do
                    printf 'W7-%03d fail did not start, exit status %s: %s (%s)\n' "$((10#$n))" $status \
                        "$(head -n 1 "$OUT/$name$bits.log")" "$name$bits"
                done
        fi
    done
}
