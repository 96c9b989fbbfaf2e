#!/bin/bash
# bench.sh [PART...]: how fast we are.  One JSON line a measurement, on standard output.
#
#   mips    boot sectors with a known number of instructions: MIPS of register and of mixed loops
#   boot    Debian's disk: wall seconds from the kernel's first line to /init and to the login
#           prompt, and what the process needs besides the guest's RAM
#   work    the programs of work.c in a guest: rounds per second, and their ratios
# Without arguments all parts.  Each is measured for us, on this machine itself where that makes
# sense, and in QEMU's translator where qemu-system-x86_64 is installed.
#
#   AEROPC=FILE  the emulator (default build/aeropc)      GUESTS=DIR  as tests/boot/ladder.sh
#   BENCH_MS=N   span of one measurement of a workload (default 300)
set -uo pipefail
. "$(dirname "$0")/../boot/lib.sh"
export GUESTS CACHE

aeropc=${AEROPC:-$top/build/aeropc}
dir=$top/build/bench
span=${BENCH_MS:-300}
qemu=$(command -v qemu-system-x86_64 || true)
commit=$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)
host=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)

now() { echo "$EPOCHREALTIME"; }

# emit NAME FIELD...: a JSON line; FIELDs are "key":value texts.
emit()
{
    local name=$1 IFS=,
    shift
    printf '{"bench":"%s","commit":"%s","host":"%s",%s}\n' "$name" "$commit" "$host" "$*"
}

# median NUMBER...
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# --- mips ---

rounds_few=1000
rounds_many=40000000

# seconds_of COMMAND...: wall seconds of a run that must end by the test-exit port with code 3.
seconds_of()
{
    local start
    start=$(now)
    "$@" >/dev/null 2>"$dir/mips.err" </dev/null
    [ $? = 7 ] || { echo "bench.sh: $1 did not end by the test-exit port" >&2; return 1; }
    awk -v a="$start" -v b="$(now)" 'BEGIN { print b - a }'
}

# mips KIND EMULATOR: median of three.
mips()
{
    local i run few many result=()
    case $2 in
    ours) run=("$aeropc" -m 64M --display none --throwaway --disk) ;;
    qemu) run=("$qemu" -M pc -cpu Penryn -m 64M -display none -net none
               -device "isa-debug-exit,iobase=0xf4,iosize=1" -snapshot -hda) ;;
    esac
    for i in 1 2 3; do
        few=$(seconds_of "${run[@]}" "$dir/mips-$1-few.img") || return 1
        many=$(seconds_of "${run[@]}" "$dir/mips-$1-many.img") || return 1
        result+=("$(awk -v n=$(((rounds_many - rounds_few) * 16)) -v s="$many" -v f="$few" \
            'BEGIN { printf "%.1f", n / (s - f) / 1e6 }')")
    done
    median "${result[@]}"
}

bench_mips()
{
    local kind size flag fields value
    for kind in alu mix; do
        flag=; [ $kind = alu ] || flag=-DMIX
        for size in few many; do
            local rounds=rounds_$size
            # shellcheck disable=SC2086  # flag may be nothing
            gcc -m32 $flag -DROUNDS=${!rounds} -c -o "$dir/mips.o" "$here/../bench/mips.S" &&
                ld -m elf_i386 -Ttext 0x7c00 -e start --oformat binary -o "$dir/mips-$kind-$size.img" \
                    "$dir/mips.o" || return 1
            truncate -s 4M "$dir/mips-$kind-$size.img"
        done
        fields=()
        value=$(mips $kind ours) && fields+=("\"ours\":$value")
        [ -n "$qemu" ] && value=$(mips $kind qemu) && fields+=("\"qemu\":$value")
        emit "mips-$kind" '"unit":"MIPS"' "${fields[@]}"
    done
}

# --- boot ---

# first_seen FILE TEXT PID: the time at which TEXT appears in FILE; fails when PID ends before.
first_seen()
{
    until grep -aqF -- "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || return 1
        sleep 0.05
    done
    now
}

# overhead_kib PID RAM_KIB: resident memory that is not the guest's RAM.
overhead_kib()
{
    awk -v ram="$2" '
        /^[0-9a-f]+-[0-9a-f]+ / { is_ram = 0 }
        $1 == "Size:" { is_ram = $2 >= ram }
        $1 == "Rss:" && !is_ram { sum += $2 }
        END { print sum }' "/proc/$1/smaps"
}

bench_boot()
{
    local serial=$dir/boot.serial pid t0 t1 t2 t3 memory
    "$here/guests.sh" debian-amd64.raw >&2 || return 1
    : > "$serial"
    t0=$(now)
    printf '%s\n' 'wait serial "Debian, text screen" 60' 'type "d"' 'wait serial "guest login:" 600' \
        'wait 2' 'quit 0' |
        "$aeropc" -m 2G --disk "$GUESTS/debian-amd64.raw" --throwaway --display none \
            --serial "file:$serial" --monitor stdio >"$dir/boot.out" 2>&1 &
    pid=$!
    t1=$(first_seen "$serial" 'Linux version' $pid) &&
        t2=$(first_seen "$serial" 'Run /init' $pid) &&
        t3=$(first_seen "$serial" 'guest login:' $pid) || { say "the disk did not boot"; return 1; }
    memory=$(overhead_kib $pid $((2 << 20)))
    wait $pid
    emit boot '"unit":"s"' "$(awk -v a="$t0" -v b="$t1" -v c="$t2" -v d="$t3" 'BEGIN {
        printf "\"power_on_to_kernel\":%.2f,\"kernel_to_init\":%.2f,\"power_on_to_login\":%.2f",
               b - a, c - b, d - a }')"
    emit memory '"unit":"KiB"' "\"besides_guest_ram\":$memory"
}

# --- work ---

# compile_work: the integer workloads must not become vector code.
compile_work()
{
    local source object flags objects=()
    for source in "$here"/../bench/work*.c; do
        object=$dir/$(basename "$source" .c).o
        flags=()
        case $source in
        *work_int.c|*work_codec.c)
            flags=(-mgeneral-regs-only -fno-tree-vectorize -fno-tree-slp-vectorize) ;;
        esac
        gcc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$top" "${flags[@]}" -c -o "$object" "$source" || return 1
        objects+=("$object")
    done
    gcc -static -o "$dir/work" "${objects[@]}" -lm
}

build_work()
{
    local tree=$dir/tree
    compile_work || return 1
    "$here/mk-initramfs.sh" amd64 || return 1
    need_packages xorriso isolinux syslinux-common cpio
    rm -rf "$tree"
    mkdir -p "$tree/root/proc" "$tree/iso/isolinux"
    cp "$dir/work" "$tree/root/init"
    (cd "$tree/root" && find . | sort | cpio -o -H newc -R 0:0 --quiet) | gzip -9n > "$tree/iso/initrd.gz"
    cp "$GUESTS/vmlinuz-amd64" "$tree/iso/vmlinuz"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$tree/iso/isolinux/"
    printf 'default work\nlabel work\n linux /vmlinuz\n append initrd=/initrd.gz %s\n' \
        "console=ttyS0,115200 loglevel=2 BENCH_MS=$span" > "$tree/iso/isolinux/isolinux.cfg"
    xorriso -as mkisofs -quiet -J -R -c isolinux/boot.cat -b isolinux/isolinux.bin -no-emul-boot \
        -boot-load-size 4 -boot-info-table -o "$dir/work.iso" "$tree/iso" 2>"$dir/xorriso.log"
}

run_work()
{
    case $1 in
    native)
        BENCH_MS=$span "$dir/work" ;;
    ours)
        printf '%s\n' 'wait serial "BENCH-DONE" 900' 'wait poweroff 60' 'quit 0' |
            "$aeropc" -m 512M --cdrom "$dir/work.iso" --boot cdrom --display none \
                --serial "file:$dir/work.ours.serial" --monitor stdio >&2
        tr -d '\r' < "$dir/work.ours.serial" ;;
    qemu)
        timeout 900 "$qemu" -M pc -cpu Penryn -m 512M -cdrom "$dir/work.iso" -boot d -display none \
            -net none -no-reboot -monitor none -serial "file:$dir/work.qemu.serial" >&2
        tr -d '\r' < "$dir/work.qemu.serial" ;;
    esac | grep -a '^BENCH ' > "$dir/work.$1"
}

# rates_json: join the three result files by workload; an unequal checksum is said, not hidden.
rates_json()
{
    awk -v commit="$commit" -v host="$host" '
        FNR == 1 { who = FILENAME; sub(/.*\./, "", who) }
        { name = $3; family[name] = $2; rate[who, name] = $5; sum[who, name] = $4
          if (!(name in seen)) { seen[name] = 1; order[++n] = name }
          if ($6 != "") bad[name] = "unsteady" }
        function ratio(a, b) { return b > 0 ? sprintf("%.4f", a / b) : "null" }
        function value(who, name) { return (who, name) in rate ? rate[who, name] : "null" }
        END {
            for (i = 1; i <= n; i++) {
                name = order[i]
                a = rate["native", name]; o = rate["ours", name]; q = rate["qemu", name]
                good = bad[name] != "" ? bad[name] : \
                    o == "" ? "missing" : sum["ours", name] == sum["native", name] ? "equal" : "DIFFERENT"
                printf "{\"bench\":\"%s\",\"family\":\"%s\",\"commit\":\"%s\",\"host\":\"%s\",\"unit\":\"rounds/s\",", \
                    name, family[name], commit, host
                printf "\"ours\":%s,\"native\":%s,\"qemu\":%s,\"checksum\":\"%s\",\"ours_to_native\":%s,\"ours_to_qemu\":%s}\n", \
                    value("ours", name), value("native", name), value("qemu", name), good, ratio(o, a), ratio(o, q)
                if (o > 0 && a > 0) { f = family[name]; ln[f] += log(o / a); c[f]++
                    if (q > 0) { lq[f] += log(o / q); cq[f]++ } }
            }
            for (f in c)
                printf "{\"bench\":\"family-%s\",\"commit\":\"%s\",\"host\":\"%s\",\"unit\":\"geometric mean\",\"ours_to_native\":%.4f,\"ours_to_qemu\":%s}\n", \
                    f, commit, host, exp(ln[f] / c[f]), cq[f] ? sprintf("%.4f", exp(lq[f] / cq[f])) : "null"
        }' "$@"
}

bench_work()
{
    local who files=()
    build_work || return 1
    for who in native ours ${qemu:+qemu}; do
        run_work "$who" || say "$who did not finish"
        [ -s "$dir/work.$who" ] && files+=("$dir/work.$who")
    done
    rates_json "${files[@]}"
}

[ -x "$aeropc" ] || die "$aeropc is not built; run make first"
mkdir -p "$dir"
[ $# != 0 ] || set -- mips boot work
for part in "$@"; do
    case $part in
    mips|boot|work) "bench_$part" || die "$part failed" ;;
    build) build_work || die "the workloads cannot be built" ;;
    *) die "unknown part $part: there are mips, boot and work" ;;
    esac
done
