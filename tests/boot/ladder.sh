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
#   # extra: yes       skipped, not failed, where its guest is missing and has no recipe
# In the script @SHOT@ stands for build/ladder/STEP; @SHOT@.png must exist afterwards.
# Without arguments all steps run in the order of their numbers.  Each leaves
# build/ladder/STEP.{png,serial,out} and prints one line; the last line is the sum.
#
#   GUESTS=DIR    where the guests are             (default build/guests)
#   AEROPC=FILE   the emulator                     (default build/aeropc)
#   LADDER_ARGS   options added to every step, for instance --bios FILE
#   LIMIT_FACTOR  multiplies the limits, for slow builds (sanitizers)
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

# steps NAME...: the files of the named steps, or of all.
steps()
{
    local name found
    if [ $# = 0 ]; then
        ls "$here"/steps/*.step
        return
    fi
    for name in "$@"; do
        found=$(ls "$here"/steps/[0-9][0-9]-"$name".step 2>/dev/null)
        [ -n "$found" ] || die "no step $name; there are: $(ls "$here/steps" |
            sed 's/^[0-9]*-//; s/\.step$//' | tr '\n' ' ')"
        echo "$found"
    done
}

# have_guests FILE: make what the step's arguments name, in our own folder also what is older than its
# recipe.  Another folder given by the caller is only added to.
have_guests()
{
    local g
    for g in $(header args "$1" | grep -o '@GUESTS@/[^ ,]*' | sed 's,.*/,,'); do
        [ -n "$foreign" ] && [ -s "$GUESTS/$g" ] || "$here/guests.sh" "$g" >&2 || return 1
    done
}

# complaint FILE NAME STATUS: what is wrong with the step that ended, empty if nothing.
complaint()
{
    local shot=$results/$2 re
    case $3 in
    0)       ;;
    124|137) echo "still running at its limit"; return ;;
    *)       echo "emulator ended with status $3"; return ;;
    esac
    [ -s "$shot.png" ] || { echo "no screenshot"; return; }
    while read -r re; do
        [ -z "$re" ] || grep -aqE -- "$re" "$shot.serial" || { echo "no '$re' on ttyS0"; return; }
    done < <(header serial "$1")
    if [ "$(header klog "$1")" = yes ] && ! "$here/klog.sh" "$shot.serial" >"$shot.klog"; then
        echo "kernel log: $(grep -v '^note:' "$shot.klog" | head -n 1 | cut -c1-90)"
    fi
}

# run_step FILE
run_step()
{
    local file=$1 name start wrong limit status args
    name=$(basename "$file" .step)
    name=${name#[0-9][0-9]-}
    if ! have_guests "$file"; then
        if [ "$(header extra "$file")" = yes ]; then
            skipped=$((skipped + 1))
            printf 'skip %s: no guest for it\n' "$name"
        else
            failed=$((failed + 1))
            printf 'FAIL %s: its guest could not be made\n' "$name"
        fi
        return
    fi
    rm -f "$results/$name".* "$results/$name"-*.png
    : > "$results/$name.serial"
    read -ra args < <(header args "$file" | sed "s,@GUESTS@,$GUESTS,g")
    limit=$(($(header limit "$file") * factor))
    start=$SECONDS
    # shellcheck disable=SC2086  # LADDER_ARGS is a list of words
    grep -v '^#' "$file" | sed "s,@SHOT@,$results/$name,g" |
        timeout -k 10 "$limit" "$aeropc" "${args[@]}" --throwaway --display none \
            --serial "file:$results/$name.serial" --monitor stdio ${LADDER_ARGS:-} \
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
for file in $list; do
    run_step "$file"
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
