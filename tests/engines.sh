#!/bin/bash
# engines.sh short|long [BUILD]: the translator gives what the interpreter gives, in its hostile modes, too.
#
# short (make engine-tests, a part of make check): the recorded vectors, the guest programs, random programs in lockstep.
# long (make check-engines, a part of make check-all): every mode with the CPU's unit tests and a Debian boot each under
# --clock insn, whose trace hash, instruction count and serial output must be the interpreter's. Without a kernel, and
# without what it takes to make the initramfs, the boots are skipped. Prints one line per test.
set -uo pipefail
what=${1:?short or long}
build=$(cd "${2:-build}" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
out=$build/engines
mkdir -p "$out"
failed=0

ok() { printf 'ok   %s\n' "$1"; }
bad() { printf 'FAIL %s\n' "$1"; failed=1; }

# units ENGINE SUITE...
units()
{
    local engine=$1
    shift
    if AEROPC_ENGINE=$engine CK_FORK=no "$build/unit-tests" "$@" >"$out/units.log" 2>&1; then
        ok "$engine: $*"
    else
        bad "$engine: $*"
        tail -n 30 "$out/units.log"
    fi
}

guests() # ENGINE [PROGRAMS TO LEAVE OUT]
{
    if ENGINE=$1 SKIP=${2:-} sh tests/guest/run.sh "$build/aeropc" >"$out/guests.log" 2>&1; then
        ok "$1: guest programs"
    else
        bad "$1: guest programs"
        grep -v '^ok' "$out/guests.log"
    fi
}

# boot ENGINE NAME: leaves NAME.serial and NAME.trace
boot()
{
    printf 'wait serial "Power down" %s\nwait poweroff 60\ninfo hash\ninfo stats\nquit 0\n' "${BOOT_SECONDS:-1200}" |
        "$build/aeropc" --clock insn -m 512M --engine "$1" --kernel "$kernel" --initrd "$initrd" --append console=ttyS0 \
            --display none --serial "file:$out/$2.serial" --monitor stdio >"$out/$2.log" 2>&1 || return 1
    grep -E '^(trace hash|instructions )' "$out/$2.log" >"$out/$2.trace" && [ -s "$out/$2.serial" ]
}

boots()
{
    local engine guests=${GUESTS:-build/guests}
    kernel=$guests/vmlinuz-amd64 initrd=$guests/initrd-amd64.gz
    [ -s "$kernel" ] && [ -s "$initrd" ] || bash tests/boot/mk-initramfs.sh amd64 >"$out/initramfs.log" 2>&1
    if [ ! -s "$kernel" ] || [ ! -s "$initrd" ]; then
        echo "skip Debian boots: no kernel or initramfs, see $out/initramfs.log"
        return
    fi
    if ! boot interp interp; then
        bad "interp: Debian boot"
        tail -n 5 "$out/interp.log"
        return
    fi
    for engine in "$@"; do
        if ! boot "$engine" boot; then
            bad "$engine: Debian boot"
            tail -n 40 "$out/boot.log"
        elif ! cmp -s "$out/boot.trace" "$out/interp.trace" || ! cmp -s "$out/boot.serial" "$out/interp.serial"; then
            bad "$engine: Debian boot differs from the interpreter's"
            diff "$out/interp.trace" "$out/boot.trace"
            diff "$out/interp.serial" "$out/boot.serial" | head -n 10
        else
            ok "$engine: Debian boot, $(head -n 1 "$out/boot.trace")$(sed -n 's/.* of \([0-9]* instructions compared\).*/, \1/p' "$out/boot.log")"
        fi
    done
}

if [ "$what" = short ]; then
    for engine in jit,hot=0 jit,hot=0,ops=1,links=off,table=off jit,hot=0,cache=128 jit,hot=0,flush=code lockstep,hot=0; do
        units "$engine" oracle
    done
    guests jit,hot=0
    guests jit,hot=2,ops=1
    guests lockstep,hot=0 "kbc pit rtc hpet pm" # these wait for clocks: long, and the same code over and over
    if "$build/fuzz_lockstep" 1 15 >"$out/random.log" 2>&1; then
        ok "$(sed 's/.*: //' "$out/random.log") of random programs in lockstep"
    else
        bad "random programs in lockstep"
        head -n 40 "$out/random.log"
    fi
else
    modes="jit,hot=0 jit,hot=0,ops=1 jit,hot=0,links=off,table=off jit,hot=0,cache=128 jit,hot=0,flush=tlb
           jit,hot=0,flush=code jit,hot=0,ops=1,links=off,table=off,flush=tlb lockstep,hot=0 lockstep,hot=0,run=200"
    for engine in $modes; do
        units "$engine" oracle exec_int exec_string interp mmu smap exc seg msr smm cpuid apic
        [[ $engine = lockstep* ]] || guests "$engine"
    done
    guests lockstep,hot=0 "kbc"
    boots jit jit,hot=0 jit,hot=0,ops=1 jit,links=off,table=off jit,hot=0,cache=1024 jit,links=off,table=off,flush=tlb \
        jit,hot=0,flush=code lockstep
fi
exit $failed
