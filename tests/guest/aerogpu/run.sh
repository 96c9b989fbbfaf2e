#!/bin/sh
# The exerciser of AeroGPU (ag.h) as 32- and 64-bit kernel, with the default executor and with none, in deterministic time, the first one
# twice: it must say the same; in the host's time, where the executor has threads of its own; with the executor in another process; and
# with somebody who looks at the screen. Prints one line per run, and the steps that failed.
#   sh tests/guest/aerogpu/run.sh PATH-OF-AEROPC FOLDER-OF-KERNELS PATH-OF-PIXELS PATH-OF-GPU-CLIENT
emu=${1:-build/aeropc}
dir=${2:-build/guest}
pixels=${3:-build/w7/fw_video/pixels}
client=${4:-build/gpu-client}
fail=0

# start NAME BITS ARGUMENT...
start()
{
    name=$1 bits=$2 log=$dir/aerogpu-$1.log
    shift 2
    timeout -k 5 120 "$emu" --kernel "$dir/aerogpu$bits.elf" --display none -m 64M --debugcon "file:$log" "$@" >"$log.err" 2>&1
    got=$?
}

# What the run said, and its exit status.
judge()
{
    if [ $got = 33 ] && grep -q 'steps of .* 0 failed' "$log" && ! grep -q '^FAIL' "$log"; then
        echo "ok   aerogpu $name: $(sed -n 's/^\([0-9]* steps\) of.*/\1/p' "$log")"
    else
        echo "FAIL aerogpu $name: exit status $got; see $log"
        grep '^FAIL\|unexpected' "$log" | sed 's/^/     /'
        fail=1
    fi
}

# run NAME BITS ARGUMENT...
run()
{
    start "$@" --clock insn </dev/null
    judge
}

# look PICTURE X,Y=RRGGBB...: the places of a screenshot
look()
{
    picture=$1
    shift
    [ -s "$dir/aerogpu-$picture.png" ] || { echo "FAIL aerogpu picture $picture: none"; fail=1; return; }
    for place in "$@"; do
        is=$("$pixels" "$dir/aerogpu-$picture.png" "${place%=*}" | sed -n 2p)
        [ "$is" = "${place#*=}" ] && continue
        echo "FAIL aerogpu picture $picture at ${place%=*}: $is, expected ${place#*=}"
        fail=1
    done
}

pictures="bgrx 565 5551 rgba bgra-srgb cursor cursor-corner cursor-off bad-pitch no-master master-again"
commands()
{
    for p in $pictures; do printf 'wait serial "PICTURE %s\\n" 60\nscreenshot %s\nsendkey a\n' "$p" "$dir/aerogpu-$p.png"; done
    echo 'wait 60' # the program ends first
}

run 64 64
cp "$dir/aerogpu-64.log" "$dir/aerogpu-first.log"
run 64 64
cmp -s "$dir/aerogpu-64.log" "$dir/aerogpu-first.log" || { echo "FAIL aerogpu: two runs differ, see $dir/aerogpu-first.log"; fail=1; }
run 32 32
run none-64 64 --set aerogpu.exec=none
run profile-32 32 --profile aerogpu --append loose
start threads-64 64 --append loose </dev/null
judge
socket=$(mktemp -u)
"$client" "$socket" --wait 60 >"$dir/aerogpu-client.log" 2>&1 &
start bridge-64 64 --append loose --set aerogpu.exec=bridge --set "aerogpu.socket=$socket" </dev/null
judge
wait $! || { echo "FAIL aerogpu bridge-64: the client, see $dir/aerogpu-client.log"; fail=1; }
# shellcheck disable=SC2086 # pictures are words
for p in $pictures; do rm -f "$dir/aerogpu-$p.png"; done
commands | start pictures-32 32 --append pictures --clock insn --monitor stdio --serial null
name=pictures-32 log=$dir/aerogpu-pictures-32.log
got=33 # lost in the pipe; its last line says whether it came to the end
judge
look bgrx 0,0=000040 100,50=643240 255,199=ffc740 256,10=000a40 319,199=3fc740
look 565 0,0=000042 100,50=633042 255,199=ffc742 9,9=080842
look 5551 100,50=633142 255,199=ffc642
look rgba 0,0=000040 100,50=643240 255,199=ffc740
look bgra-srgb 100,50=643240 255,199=ffc740
look cursor 99,50=633240 100,50=b25920 131,50=833240 110,70=b76320 131,81=c16920 132,81=845140 100,82=645240
look cursor-corner 0,0=804020 5,0=050040 0,21=804b20 21,21=8a4b20 0,22=001640
look cursor-off 100,50=643240
look bad-pitch 0,0=000000 100,50=000000
look no-master 100,50=000000
look master-again 100,50=643240
exit $fail
