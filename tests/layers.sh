#!/bin/sh
# Who may include whom (README.md, "The layers"): greps every project include against the table and compiles each header alone.
cc=${1:-gcc}
bad=0
# allow FILES... -- REGEX: project includes of FILES must match REGEX
allow() {
    files=; while [ "$1" != -- ]; do files="$files $1"; shift; done; shift
    for f in $files; do
        [ -f "$f" ] || continue
        out=$(grep -nE '^#include "' "$f" | grep -vE "\"($1)")
        [ -z "$out" ] || { echo "$f may not include:"; echo "$out"; bad=1; }
    done
}
core='machine/core/'
allow machine/core/*.[ch] -- "$core"
allow cpu/*.[ch] -- "$core|cpu/"
allow machine/host/*.[ch] -- "$core|machine/host/"
allow machine/ui/*.[ch] -- "$core|machine/ui/|machine/host/"
iface='machine/host/(block|net|audio|chardev|worker|recfile)\.h|machine/ui/(display|input)\.h'
for f in devices/*.[ch] gpu/*.[ch] gpu/*/*.[ch]; do
    own=$(echo "$f" | sed 's/\.[ch]$//')
    case $f in gpu/*) own="gpu/|devices/pci\\.h";; esac
    allow "$f" -- "$core|$iface|$own\\.h|devices/(pci|usb|ata|atapi|i8237|ps2)\\.h"
done
allow machine/board/*.[ch] machine/debug/*.[ch] -- "$core|machine/|cpu/cpu\\.h|devices/|gpu/|bios/fwif\\.h"
if grep -lE '^#include <SDL' -r machine cpu devices gpu | grep -vE '_sdl\.c$'; then echo "only *_sdl.c may include SDL"; bad=1; fi
if grep -lE '^#include <zlib' -r machine cpu devices gpu | grep -vE 'machine/host/(png|recfile|statefile|block_qcow2)\.c$'; then echo "zlib outside png, recfile, statefile, qcow2"; bad=1; fi
for h in machine/*.h machine/*/*.h cpu/*.h devices/*.h gpu/*.h; do
    [ -f "$h" ] || continue
    $cc -std=gnu11 -D_GNU_SOURCE -fsyntax-only -I. -x c "$h" 2>/tmp/layers.$$ || { echo "$h does not compile on its own"; cat /tmp/layers.$$; bad=1; }
done
rm -f /tmp/layers.$$
[ $bad = 0 ] && echo "layers: ok"
exit $bad
