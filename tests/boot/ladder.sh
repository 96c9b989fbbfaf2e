#!/bin/bash
# ladder.sh [STEP...]: boot real systems through our BIOS and judge each by what it says.
#
# A step is a file steps/NN-STEP.step: "# key: value" comment lines, then a monitor script.
#   # what: TEXT       one line for people
#   # args: WORDS      the emulator's options; @GUESTS@/FILE is a guest, made first if it can be;
#                      --throwaway is added, so that no step changes a guest
#   # limit: SECONDS   wall-clock limit of the whole step
#   # serial: REGEX    must be found in the serial log afterwards (may be given several times)
#   # klog: yes        the serial log must pass klog.sh
#   # colours: N       the screenshot has at least N colours (where python3 is there to count them)
#   # extra: yes       skipped, not failed, where its guest is missing and has no recipe
#   # seabios: yes     there is a second step, seabios-STEP: the same with SeaBIOS and its VGA BIOS
# In the script @SHOT@ stands for build/ladder/STEP; @SHOT@.png must exist afterwards.
# A step is skipped where its guest is missing and nothing can be built: no apt, root or mirror.
# Without arguments all steps run in the order of their numbers, then the SeaBIOS ones.  Each leaves
# build/ladder/STEP.{png,serial,out} and prints one line; the last line is the sum.
#
#   GUESTS=DIR    where the guests are             (default build/guests)
#   AEROPC=FILE   the emulator                     (default build/aeropc)
#   ENGINE=NAME   the CPU engine and its options   (default the emulator's own)
#   LADDER_ARGS   options added to every step, for instance --bios FILE
#   LIMIT_FACTOR  multiplies the limits, for slow builds (sanitizers) and busy hosts
#   JOBS          how many steps at the same time (default 1)
set -uo pipefail
foreign=${GUESTS:-}
. "$(dirname "$0")/lib.sh"
export GUESTS CACHE

aeropc=${AEROPC:-$top/build/aeropc}
results=$top/build/ladder
factor=${LIMIT_FACTOR:-1}
passed=0 failed=0 skipped=0

# header KEY FILE: the values of that key, one a line.
header() { sed -n "s/^# $1: *//p" "$2"; }

# names: all steps in their order.
names()
{
    (cd "$here/steps" && ls ./*.step && grep -l '^# seabios: yes' ./*.step | sed 's,^./..-,&seabios-,') |
        sed 's,^./..-,,; s/\.step$//'
}

# step_file NAME
step_file() { ls "$here"/steps/[0-9][0-9]-"${1#seabios-}".step; }

# steps NAME...: the named steps, or all.
steps()
{
    local name
    [ $# != 0 ] || set -- $(names)
    for name in "$@"; do
        names | grep -qxF -- "$name" || die "no step $name; there are: $(names | tr '\n' ' ')"
        echo "$name"
    done
}

# have_guests WORDS: make what the arguments of a step name, in our own folder also what is older than
# its recipe.  Another folder given by the caller is only added to.
have_guests()
{
    local g lock
    exec {lock}>"$GUESTS/.lock"
    flock "$lock"
    for g in $(grep -o '@GUESTS@/[^ ,]*' <<<"$1" | sed 's,.*/,,'); do
        [ -n "$foreign" ] && [ -s "$GUESTS/$g" ] || "$here/guests.sh" "$g" >&2 || { exec {lock}>&-; return 1; }
    done
    exec {lock}>&-
}

# colours FILE.png: how many its picture has; nothing without python3.
colours()
{
    command -v python3 >/dev/null || return 0
    python3 - "$1" <<'P'
import sys, zlib
data = open(sys.argv[1], "rb").read()
at, packed = 8, b""
while at < len(data):
    size = int.from_bytes(data[at:at + 4], "big")
    kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
    if kind == b"IHDR":
        width, height = int.from_bytes(body[0:4], "big"), int.from_bytes(body[4:8], "big")
        assert body[8:10] == b"\x08\x02"          # eight bits, red green blue
    elif kind == b"IDAT":
        packed += body
    at += size + 12
rows, step = zlib.decompress(packed), width * 3 + 1
found = set()
for y in range(height):
    row = rows[y * step:(y + 1) * step]
    assert row[0] == 0                              # no filter
    found.update(row[x:x + 3] for x in range(1, step, 3))
print(len(found))
P
}

# complaint FILE NAME STATUS: what is wrong with the step that ended, empty if nothing.
complaint()
{
    local shot=$results/$2 re least many
    case $3 in
    0)       ;;
    124|137) echo "still running at its limit"; return ;;
    *)       echo "emulator ended with status $3"; return ;;
    esac
    [ -s "$shot.png" ] || { echo "no screenshot"; return; }
    while read -r re; do
        [ -z "$re" ] || grep -aqE -- "$re" "$shot.serial" || { echo "no '$re' on ttyS0"; return; }
    done < <(header serial "$1")
    least=$(header colours "$1")
    if [ -n "$least" ]; then
        many=$(colours "$shot.png")
        [ "${many:-$least}" -ge "$least" ] || { echo "only $many colours on the screen"; return; }
    fi
    if [ "$(header klog "$1")" = yes ] && ! "$here/klog.sh" "$shot.serial" >"$shot.klog"; then
        echo "kernel log: $(grep -v '^note:' "$shot.klog" | head -n 1 | cut -c1-90)"
    fi
}

# script FILE NAME: the monitor's commands, with the limits of the waits multiplied, too.
script()
{
    grep -v '^#' "$1" | sed "s,@SHOT@,$results/$2,g" | awk -v factor="$factor" '
        /^wait (serial|screen|poweroff).* [0-9]+$/ { sub(/[0-9]+$/, $NF * factor) }
        { print }'
}

# run_step NAME
run_step()
{
    local name=$1 file words start wrong limit status args reason
    file=$(step_file "$name")
    words=$(header args "$file")
    case $name in
    seabios-*) words+=" --bios @GUESTS@/seabios.bin --vgabios @GUESTS@/seavgabios.bin" ;;
    esac
    if ! have_guests "$words"; then
        reason=$(why_not)
        [ "$(header extra "$file")" != yes ] || reason="no guest for it"
        if [ -n "$reason" ]; then
            skipped=$((skipped + 1))
            printf 'skip %s: %s\n' "$name" "$reason"
        else
            failed=$((failed + 1))
            printf 'FAIL %s: its guest could not be made\n' "$name"
        fi
        return
    fi
    rm -f "$results/$name".* "$results/$name"-*.png
    : > "$results/$name.serial"
    read -ra args <<<"${words//@GUESTS@/$GUESTS}"
    limit=$(($(header limit "$file") * factor))
    start=$SECONDS
    # shellcheck disable=SC2086  # LADDER_ARGS is a list of words
    script "$file" "$name" |
        timeout -k 10 "$limit" "$aeropc" "${args[@]}" --throwaway --display none \
            --serial "file:$results/$name.serial" --monitor stdio ${ENGINE:+--engine "$ENGINE"} ${LADDER_ARGS:-} \
            >"$results/$name.out" 2>&1
    status=$?
    wrong=$(complaint "$file" "$name" "$status")
    if [ -z "$wrong" ]; then
        passed=$((passed + 1))
        printf 'ok   %s %ds\n' "$name" $((SECONDS - start))
    else
        failed=$((failed + 1))
        printf 'FAIL %s %ds: %s\n' "$name" $((SECONDS - start)) "$wrong"
    fi
}

[ -x "$aeropc" ] || die "$aeropc is not built; run make first"
mkdir -p "$results"
list=$(steps "$@") || exit 2
if [ "${JOBS:-1}" -gt 1 ]; then
    while read -r line; do
        case $line in
        ok*)   passed=$((passed + 1)) ;;
        FAIL*) failed=$((failed + 1)) ;;
        skip*) skipped=$((skipped + 1)) ;;
        *)     continue ;;
        esac
        echo "$line"
    done < <(printf '%s\n' $list | GUESTS=$foreign JOBS=1 xargs -P "$JOBS" -n 1 "$here/ladder.sh")
else
    for name in $list; do
        run_step "$name"
    done
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
