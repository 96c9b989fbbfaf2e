#!/bin/bash
# engines.sh short|long [BUILD]: the translator gives what the interpreter gives, in its hostile modes, too.
#
# short (make engine-tests, a part of make check): the recorded vectors, the guest programs and their traces, random
# programs in lockstep.
# long (make check-engines, a part of make check-all): every mode with the CPU's unit tests (those that execute code; fpu, sse
# and avx call handlers, whatever the engine) and a Debian boot each under --clock insn, whose trace hash, instruction count
# and serial output must be the interpreter's; 10^7 invalidations, and a guest that writes code all the time, without growth.
# Without a kernel, and without what it takes to make the initramfs, the boots are skipped. Prints one line per test.
set -uo pipefail
what=${1:?short or long}
build=$(cd "${2:-build}" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
. tests/boot/lib.sh
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
        ok "${engine:-all}: $*"
    else
        bad "${engine:-all}: $*"
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

# traces ENGINE PROGRAM...: every trace event of the guest programs, with its time (all but `insn`, which steps).
traces()
{
    local engine=$1 name e
    shift
    for name in "$@"; do
        for e in interp "$engine"; do
            timeout 60 "$build/aeropc" --engine "$e" --bios "build/guest/$name.img" --display none --clock insn -m 64M \
                --trace '*,-insn' --trace-file "$out/$name.$e.trace" >/dev/null 2>&1
        done
        [ -s "$out/$name.interp.trace" ] && cmp "$out/$name.interp.trace" "$out/$name.$engine.trace" || {
            bad "$engine: trace of $name"
            return
        }
    done
    ok "$engine: traces of $*"
}

# boot ENGINE NAME: leaves NAME.serial and NAME.trace
boot()
{
    printf 'wait serial "Power down" %s\nwait poweroff 60\ninfo hash\ninfo stats\nquit 0\n' "${BOOT_SECONDS:-1200}" |
        "$build/aeropc" --clock insn -m 512M --engine "$1" --kernel "$kernel" --initrd "$initrd" --append console=ttyS0 \
            --display none --serial "file:$out/$2.serial" --monitor stdio >"$out/$2.log" 2>&1 || return 1
    grep -E '^(trace hash|instructions )' "$out/$2.log" >"$out/$2.trace" && [ -s "$out/$2.serial" ]
}

# have_kernel WHAT FOR: sets $kernel and $initrd
have_kernel()
{
    kernel=$GUESTS/vmlinuz-amd64 initrd=$GUESTS/initrd-amd64.gz
    [ -s "$kernel" ] && [ -s "$initrd" ] || bash tests/boot/mk-initramfs.sh amd64 >"$out/initramfs.log" 2>&1
    [ -s "$kernel" ] && [ -s "$initrd" ] && return
    echo "skip $1: no kernel or initramfs, see $out/initramfs.log"
    return 1
}

boots()
{
    local engine
    have_kernel "Debian boots" || return
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

# grows SECONDS WORKLOADS: workloads of tests/bench that write code all the time, each for that long by the guest's clock, which
# then goes at about a tenth, as the guest's
# /init; meanwhile the emulator's memory must not pass 192 MiB, nor 8 MiB more in the second half than in the first.
grows()
{
    local pid now kib=() most=(0 0) k
    have_kernel growth || return
    rm -rf "$out/tree"
    mkdir -p "$out/tree/proc"
    if ! gcc -std=gnu11 -O2 -static -I. -o "$out/tree/init" tests/bench/work*.c -lm 2>"$out/grows.log"; then
        echo "skip growth: no static program can be made, see $out/grows.log"
        return
    fi
    (cd "$out/tree" && find . | sort | cpio -o -H newc --quiet | gzip -1) >"$out/work.gz"
    printf 'wait serial "BENCH-DONE ok" %s\nwait poweroff 60\ninfo stats\nquit 0\n' "${BOOT_SECONDS:-1200}" >"$out/grows.cmd"
    "$build/aeropc" --engine jit -m 512M --kernel "$kernel" --initrd "$out/work.gz" --display none \
        --append "console=ttyS0 loglevel=2 BENCH_MS=$(($1 * 1000 / 3)) BENCH_ONLY=$2" \
        --serial "file:$out/grows.serial" --monitor stdio <"$out/grows.cmd" >"$out/grows.log" 2>&1 &
    pid=$!
    while now=$(beyond $pid $((512 << 10))) && [ "${now:-0}" != 0 ]; do
        ! grep -aqs '^(' "$out/grows.serial" || kib+=("$now")
        sleep 1
    done
    if ! wait $pid; then
        bad "growth: the guest did not come to its end"
        tail -n 5 "$out/grows.log"
        return
    fi
    for k in "${!kib[@]}"; do
        now=$((k * 2 >= ${#kib[@]}))
        [ "${kib[k]}" -le "${most[now]}" ] || most[now]=${kib[k]}
    done
    now="$(sed -n 's/^code blocks: \(.*\), [0-9]* writes.*/\1/p' "$out/grows.log"): ${most[0]} KiB beyond guest RAM, then ${most[1]}"
    if [ ${#kib[@]} -ge 10 ] && [ "${most[1]}" -le $((192 << 10)) ] && [ "${most[1]}" -le $((most[0] + 8192)) ]; then
        ok "code blocks $now"
    else
        bad "growth: code blocks $now"
    fi
}

if [ "$what" = short ]; then
    for engine in jit,hot=0 jit,hot=0,ops=1,links=off,table=off jit,hot=0,cache=128 jit,hot=0,flush=code lockstep,hot=0; do
        units "$engine" oracle
    done
    guests jit,hot=0
    guests jit,hot=2,ops=1
    traces jit,hot=0 gates long paging task smm shadow apic debug uart
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
    AEROPC_LONG=1 units "" smc
    grows 6 selfmod,once
    boots jit jit,hot=0 jit,hot=0,ops=1 jit,links=off,table=off jit,hot=0,cache=1024 jit,links=off,table=off,flush=tlb \
        jit,hot=0,flush=code lockstep
fi
exit $failed
