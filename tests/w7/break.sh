#!/bin/bash
# break.sh [NNN...]: proves that the checks can fail. Each tests/w7/break/NNN-what.patch breaks one statement on purpose: it is applied to a
# copy of the tree, the copy is built, and the runner must print a fail line for that number. First line of a patch: "# W7-NNN RUNNER".
# The runner gets the number in W7_ONLY and may leave out what does not report it.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
tree=$BUILD/w7/break
bad=0
rm -rf "$tree" # unpacked files look older than objects that a patched source left behind
mkdir -p "$tree"
(cd "$top" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -xf - -C "$tree" || exit 2

# build: the copy's emulator and what the runners need
build()
{
    make -C "$tree" --no-print-directory -j"$(nproc)" all build-tests w7-programs >"$tree/break.log" 2>&1
}

build || { echo "the copy does not build, see $tree/break.log"; exit 2; }
for patch in "$top"/tests/w7/break/*.patch; do
    name=$(basename "$patch" .patch)
    read -r _ number runner _ < "$patch"
    runner=${runner%.sh}
    if [ $# != 0 ] && [[ " $* " != *" ${number#W7-} "* ]]; then continue; fi
    if ! patch -s -p1 -N -d "$tree" < "$patch" >"$tree/patch.log" 2>&1; then
        echo "FAIL $name: does not apply: $(head -n 1 "$tree/patch.log")"
        bad=1
        exit 1 # half a patch would spoil the next ones
    fi
    out=$tree/build/w7/out/$runner
    rm -rf "$out"
    mkdir -p "$out"
    if ! build; then
        echo "FAIL $name: does not build, see $tree/break.log"
        bad=1
    elif W7_ONLY=${number#W7-} AEROPC=$tree/build/aeropc BUILD=$tree/build OUT=$out timeout 1200 bash "$tree/tests/w7/$runner.sh" 2>&1 |
        grep "^$number fail" > "$tree/found"; then
        echo "ok   $name: $(head -n 1 "$tree/found")"
    else
        echo "FAIL $name: $runner.sh did not notice"
        bad=1
    fi
    patch -s -p1 -R -d "$tree" < "$patch" || exit 2
done
exit $bad
