#!/bin/sh
# The exerciser of AeroGPU (ag.h) as 32- and 64-bit kernel, with the default executor and with none, in deterministic time, the first one
# twice: it must say the same. Prints one line per run, and the steps that failed.
#   sh tests/guest/aerogpu/run.sh PATH-OF-AEROPC FOLDER-OF-KERNELS
emu=${1:-build/aeropc}
dir=${2:-build/guest}
fail=0

# run NAME BITS ARGUMENT...
run()
{
    name=$1 bits=$2 log=$dir/aerogpu-$1.log
    shift 2
    timeout -k 5 120 "$emu" --kernel "$dir/aerogpu$bits.elf" --display none --clock insn -m 64M --debugcon "file:$log" "$@" >"$log.err" 2>&1
    got=$?
    if [ $got = 33 ] && grep -q 'steps of .* 0 failed' "$log" && ! grep -q '^FAIL' "$log"; then
        echo "ok   aerogpu $name: $(sed -n 's/^\([0-9]* steps\) of.*/\1/p' "$log")"
    else
        echo "FAIL aerogpu $name: exit status $got; see $log"
        grep '^FAIL\|unexpected' "$log" | sed 's/^/     /'
        fail=1
    fi
}

run 64 64
cp "$dir/aerogpu-64.log" "$dir/aerogpu-first.log"
run 64 64
cmp -s "$dir/aerogpu-64.log" "$dir/aerogpu-first.log" || { echo "FAIL aerogpu: two runs differ, see $dir/aerogpu-first.log"; fail=1; }
run 32 32
run none-64 64 --set aerogpu.exec=none
run profile-32 32 --profile aerogpu
exit $fail
