#!/bin/bash
# bench.sh [OPTION...] [PART...]: how fast we are, beside QEMU's translator and this machine itself.
#
#   work    the workloads of work*.c, as an ordinary program and as a guest's /init: rounds per second,
#           a table of ratios with the geometric mean of each class and of the six classes, what each
#           class must reach, memory besides the guest's RAM, and the translator's counters
#   system  what single things cost (system.c, and two boots): a table beside QEMU, with what must be reached
#   mips    boot sectors with a known number of instructions: MIPS of register and of mixed loops
#   boot    Debian's disk: wall seconds from the kernel's first line to /init and to the login prompt
#   build   only builds the workloads: build/bench/work, and work.iso, which boots them
# Without a part: work and system. JSON lines and tables, both on standard output.
#
#   --engine E    ours runs with --engine E (default jit)     --cpu MODEL  and this processor (default max, as QEMU's)
#   --only A,B    these workloads or classes only             --runs N     of each, in turn; medians (default 3)
#   --no-qemu, --no-native                                    --keep       do not rebuild the workloads
#
#   AEROPC=FILE  the emulator (default build/aeropc)          GUESTS=DIR   as tests/boot/ladder.sh
#   BENCH_MS=N   span of one measurement of a workload (default 300)
#   BENCH_RUN=C  put before what is measured; on a busy machine, as root: BENCH_RUN="chrt -f 5"
# QEMU is -M pc -cpu max, without KVM.  Ours is max, too: with the Core 2 look of the product's default a Linux
# guest guards against Meltdown, with two CR3 loads at each system call, which it does not do in QEMU. The native
# run is kept on one processor, as the guests are.
set -uo pipefail
. "$(dirname "$0")/../boot/lib.sh"
export GUESTS CACHE

aeropc=${AEROPC:-$top/build/aeropc}
dir=$top/build/bench
span=${BENCH_MS:-300}
qemu=$(command -v qemu-system-x86_64 || true)
engine=jit model=max only= runs=3 native=yes keep=
read -ra run_with <<< "${BENCH_RUN:-}"
commit=$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)
host=$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)

now() { echo "$EPOCHREALTIME"; }

# ours ARGUMENT...: the emulator with the engine and processor that are measured.
ours() { "${run_with[@]}" "$aeropc" --engine "$engine" --cpu "$model" --display none "$@"; }

# theirs ARGUMENT...
theirs()
{
    "${run_with[@]}" "$qemu" -M pc -cpu max -net none -no-reboot -monitor none \
        -device isa-debug-exit,iobase=0xf4,iosize=1 "$@"
}

# child_of PID NAME: the process under it that is the emulator itself, or PID.
child_of()
{
    local p
    for p in $(pgrep -P "$1"); do child_of "$p" && return; done
    case $(cat "/proc/$1/comm" 2>/dev/null) in aeropc*|qemu*) echo "$1" ;; *) return 1 ;; esac
}

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
    ours) run=(ours -m 64M --throwaway --disk) ;;
    qemu) run=(theirs -m 64M -display none -snapshot -hda) ;;
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

bench_boot()
{
    local serial=$dir/boot.serial pid t0 t1 t2 t3 memory
    "$here/guests.sh" debian-amd64.raw >&2 || return 1
    : > "$serial"
    t0=$(now)
    printf '%s\n' 'wait serial "Debian, text screen" 60' 'type "d"' 'wait serial "guest login:" 600' \
        'wait 2' 'quit 0' |
        ours -m 2G --disk "$GUESTS/debian-amd64.raw" --throwaway \
            --serial "file:$serial" --monitor stdio >"$dir/boot.out" 2>&1 &
    pid=$!
    t1=$(first_seen "$serial" 'Linux version' $pid) &&
        t2=$(first_seen "$serial" 'Run /init' $pid) &&
        t3=$(first_seen "$serial" 'guest login:' $pid) || { say "the disk did not boot"; return 1; }
    memory=$(beyond $pid $((2 << 20)))
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
        "console=ttyS0,115200 loglevel=2 BENCH_MS=$span${only:+ BENCH_ONLY=$only}" > "$tree/iso/isolinux/isolinux.cfg"
    xorriso -as mkisofs -quiet -J -R -c isolinux/boot.cat -b isolinux/isolinux.bin -no-emul-boot \
        -boot-load-size 4 -boot-info-table -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -o "$dir/work.iso" "$tree/iso" 2>"$dir/xorriso.log"
}

# stamp FILE: copies lines from standard input, the host's time before each.
stamp()
{
    local line
    while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done > "$1"
}

# rates FILE: what stamp wrote becomes "BENCH class name checksum rounds-per-second", by the host's clock;
# the median of the three runs.
rates()
{
    tr -d '\r' < "$1" | awk '
        $2 == "(" { start = $1 }
        $2 == ")" { span[++runs] = $1 - start }
        $2 == "BENCH" {
            for (a = 1; a <= runs; a++) for (b = a + 1; b <= runs; b++)
                if (span[b] < span[a]) { t = span[a]; span[a] = span[b]; span[b] = t }
            printf "BENCH %s %s %s %.3f%s\n", $3, $4, $5, $6 / span[int((runs + 1) / 2)], $8 == "" ? "" : " UNSTEADY"
            runs = 0 }'
}

# watch_work WHO PID: when the workloads are done, memory besides the guest's RAM.
watch_work()
{
    local pid
    first_seen "$dir/work.$1.serial" BENCH-DONE "$2" >/dev/null || return 1
    pid=$(child_of "$2") && beyond "$pid" $((512 << 10)) > "$dir/memory.$1"
}

# run_work WHO N: one run; its lines to work.WHO.N.
run_work()
{
    local pid reader serial=$dir/work.$1.serial fifo=$dir/work.fifo
    : > "$serial"
    rm -f "$fifo"
    mkfifo "$fifo"
    # A reader that is late measures the wrong thing: it gets the same precedence.
    "${run_with[@]}" bash -c "$(declare -f stamp); stamp \"\$1\"" stamp "$serial" < "$fifo" &
    reader=$!
    case $1 in
    native)
        BENCH_MS=$span BENCH_ONLY=$only "${run_with[@]}" taskset -c 0 "$dir/work" > "$fifo" ;;
    ours)
        ours -m 512M --cdrom "$dir/work.iso" --boot cdrom --serial "file:$fifo" --monitor stdio \
            >"$dir/work.stats" 2>&1 < <(printf '%s\n' 'wait serial "BENCH-DONE" 1800' 'info stats' \
                'wait poweroff 60' 'quit 0') &
        pid=$!
        watch_work ours $pid
        wait $pid ;;
    qemu)
        theirs -m 512M -cdrom "$dir/work.iso" -boot d -display none -serial "file:$fifo" >&2 &
        pid=$!
        watch_work qemu $pid
        wait $pid ;;
    esac
    wait $reader
    rates "$serial" > "$dir/work.$1.$2"
}

# medians FILE...: the rows of several runs as one.
medians()
{
    awk '{ key = $1 " " $2 " " $3; if (!(key in n)) order[++rows] = key
           if ((key in sum) && sum[key] != $4) steady[key] = " UNSTEADY"
           if ($6 != "") steady[key] = " UNSTEADY"
           sum[key] = $4; v[key, ++n[key]] = $5 }
         END { for (i = 1; i <= rows; i++) { key = order[i]; c = n[key]
                   for (a = 1; a <= c; a++) for (b = a + 1; b <= c; b++)
                       if (v[key, b] + 0 < v[key, a] + 0) { t = v[key, a]; v[key, a] = v[key, b]; v[key, b] = t }
                   print key, sum[key], v[key, int((c + 1) / 2)] steady[key] } }' "$@"
}

# ratios FORMAT NATIVE OURS QEMU: join the result files by workload, as json or as table. A checksum
# that differs is said, not hidden, and its rate counts for nothing.
ratios()
{
    awk -v format="$1" -v commit="$commit" -v host="$host" -v engine="$engine" -v model="$model" '
        BEGIN {
            split("integer memory x87 sse kernel generated", class)
            split("2.2 1.5 10 10 1.8 12", first); split("3 2 15 14 2.6 20", goal)
        }
        FNR == 1 { who = ++files == 1 ? "native" : files == 2 ? "ours" : "qemu" }
        $3 == "-" { next }
        { name = $3; family[name] = $2; rate[who, name] = $5; sum[who, name] = $4
          if (!(name in seen)) { seen[name] = 1; order[++n] = name }
          if ($6 != "") bad[name] = "unsteady" }
        function ratio(a, b) { return a > 0 && b > 0 ? a / b : 0 }
        function json(v, f) { return v > 0 ? sprintf(f, v) : "null" }
        function cell(v, f) { return v > 0 ? sprintf(f, v) : "-" }
        function met(v, want) { return v <= 0 ? "-" : v >= want ? "yes" : "no" }
        function target(v, label, a, b) {
            printf "%-24s %8s   first %4s: %-4s goal %4s: %s\n", label, cell(v, "%.2f"), a, met(v, a), b, met(v, b) }
        END {
            if (format == "table")
                printf "\n%-10s %-14s %12s %12s %12s %9s %11s\n", "class", "workload", "native", "ours", "QEMU",
                       "ours:QEMU", "native:ours"
            for (i = 1; i <= n; i++) {
                name = order[i]; f = family[name]
                a = rate["native", name]; o = rate["ours", name]; q = rate["qemu", name]
                expect = a != "" ? sum["native", name] : sum["qemu", name]
                good = bad[name] != "" ? bad[name] : o == "" ? "missing" : \
                    (a == "" && q == "") ? "alone" : sum["ours", name] == expect ? "equal" : "DIFFERENT"
                right = good == "equal" || good == "alone"
                r = right ? ratio(o, q) : 0
                if (format == "json")
                    printf "{\"bench\":\"%s\",\"class\":\"%s\",\"commit\":\"%s\",\"host\":\"%s\",\"engine\":\"%s\",\"cpu\":\"%s\",\"unit\":\"rounds/s\",\"ours\":%s,\"native\":%s,\"qemu\":%s,\"checksum\":\"%s\",\"ours_to_qemu\":%s,\"native_to_ours\":%s}\n",
                        name, f, commit, host, engine, model, json(o, "%.3f"), json(a, "%.3f"), json(q, "%.3f"), good,
                        json(r, "%.4f"), json(ratio(a, o), "%.4f")
                else
                    printf "%-10s %-14s %12s %12s %12s %9s %11s%s\n", f, name, cell(a, "%.1f"), cell(o, "%.1f"),
                        cell(q, "%.1f"), cell(r, "%.2f"), cell(ratio(a, o), "%.2f"), right ? "" : " " good
                if (r > 0) { lq[f] += log(r); cq[f]++; if (!low || r < low) { low = r; lowest = name } }
                if (right && a > 0) { ln[f] += log(a / o); cn[f]++ }
            }
            if (format == "table") printf "\n%-24s %8s\n", "geometric means", "ours:QEMU"
            for (k = 1; k <= 6; k++) { f = class[k]
                m = cq[f] ? exp(lq[f] / cq[f]) : 0; x = cn[f] ? exp(ln[f] / cn[f]) : 0
                if (m > 0) { all += log(m); count++ }
                if (format == "json" && (m > 0 || x > 0))
                    printf "{\"bench\":\"class-%s\",\"commit\":\"%s\",\"engine\":\"%s\",\"unit\":\"geometric mean\",\"ours_to_qemu\":%s,\"native_to_ours\":%s}\n",
                        f, commit, engine, json(m, "%.4f"), json(x, "%.4f")
                if (format == "table" && m > 0) target(m, f, first[k], goal[k]) }
            six = count ? exp(all / count) : 0
            if (format == "json" && count)
                printf "{\"bench\":\"classes\",\"commit\":\"%s\",\"engine\":\"%s\",\"classes\":%d,\"ours_to_qemu\":%.4f,\"lowest\":\"%s\",\"lowest_ours_to_qemu\":%.4f}\n",
                    commit, engine, count, six, lowest, low
            if (format == "table" && count) {
                target(six, count " classes, equal weight", 4.4, 6)
                target(low, "lowest: " lowest, 0.9, 1)
                printf "engine %s, processor model %s, commit %s\n", engine, model, commit
            }
        }' "$2" "$3" "$4"
}

# counters: what `info stats` said after the last run, line by line.
counters()
{
    awk -v commit="$commit" -v engine="$engine" '
        { sub(/\r$/, ""); gsub(/[\\"]/, "\\\\&"); lines = lines (NR > 1 ? "," : "") "\"" $0 "\"" }
        END { printf "{\"bench\":\"counters\",\"commit\":\"%s\",\"engine\":\"%s\",\"lines\":[%s]}\n", commit, engine, lines }' \
        "$dir/work.stats"
}

# memory_json: resident memory besides the guest's 512 MiB, at the end of the workloads.
memory_json()
{
    local who fields=()
    for who in ours qemu; do
        [ -s "$dir/memory.$who" ] && fields+=("\"$who\":$(cat "$dir/memory.$who")")
    done
    [ ${#fields[@]} = 0 ] || emit memory '"unit":"KiB"' "${fields[@]}"
}

bench_work()
{
    local who i everyone=(ours)
    [ -n "$keep" ] && [ -s "$dir/work.iso" ] || build_work || return 1
    [ -n "$native" ] && everyone=(native "${everyone[@]}")
    [ -n "$qemu" ] && everyone+=(qemu)
    rm -f "$dir"/work.{native,ours,qemu}{,.*[0-9]} "$dir"/memory.*
    for ((i = 1; i <= runs; i++)); do
        for who in "${everyone[@]}"; do run_work "$who" "$i" || say "$who did not finish"; done
    done
    for who in native ours qemu; do
        if [ -e "$dir/work.$who.1" ]; then medians "$dir/work.$who".[0-9]*; else echo "BENCH - -"; fi |
            cat > "$dir/work.$who"
    done
    ratios json "$dir/work.native" "$dir/work.ours" "$dir/work.qemu"
    memory_json
    counters
    ratios table "$dir/work.native" "$dir/work.ours" "$dir/work.qemu"
}

# --- system ---

build_system()
{
    local flags=(-m32 -march=i686 -std=gnu11 -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector
                 -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -fwrapv
                 -mgeneral-regs-only -I"$top/tests/w7/bm" -I"$top")
    gcc "${flags[@]}" -c -o "$dir/system-start.o" "$top/tests/w7/bm/start.S" &&
        gcc "${flags[@]}" -c -o "$dir/system-lib.o" "$top/tests/w7/bm/bm.c" &&
        gcc "${flags[@]}" -c -o "$dir/system.o" "$here/../bench/system.c" &&
        ld --build-id=none -z noexecstack --no-warn-rwx-segments -T "$top/tests/w7/bm/bm.ld" -m elf_i386 \
            -o "$dir/system.elf" "$dir"/system-start.o "$dir"/system-lib.o "$dir"/system.o || return 1
    # Not zeros: an emulator may know a hole when it sees one.
    [ -s "$dir/system.img" ] || openssl rand -out "$dir/system.img" $((64 << 20)) 2>/dev/null ||
        head -c 64M /dev/urandom > "$dir/system.img"
    gcc -m32 -DROUNDS=10 -c -o "$dir/mips.o" "$here/../bench/mips.S" &&
        ld -m elf_i386 -Ttext 0x7c00 -e start --oformat binary -o "$dir/sector.img" "$dir/mips.o" &&
        truncate -s 4M "$dir/sector.img"
}

# bare WHO ROWS DISPLAY: system.c's rows (a bit mask) into system.WHO.
bare()
{
    local out=$dir/system.$1.out pid reader fifo=$dir/system.fifo
    : > "$out"
    rm -f "$fifo"
    mkfifo "$fifo"
    "${run_with[@]}" bash -c "$(declare -f stamp); stamp \"\$1\"" stamp "$out" < "$fifo" &
    reader=$!
    case $1 in
    ours) ours -m 256M --profile vga --kernel "$dir/system.elf" --append "rows=$2" --display "$3" --throwaway \
              --disk "$dir/system.img,if=ide" --debugcon "file:$fifo" >"$dir/system.log" 2>&1 </dev/null & ;;
    qemu) theirs -m 256M -vga std -kernel "$dir/system.elf" -append "rows=$2" -display "$3" -snapshot \
              -drive "file=$dir/system.img,if=ide,format=raw" -debugcon "file:$fifo" >"$dir/system.log" 2>&1 </dev/null & ;;
    esac
    pid=$!
    if [ "$2" = 100 ]; then busy_while "$1" "$out" $pid; fi
    wait $pid
    wait $reader
    grep -aq SYSTEM-DONE "$out" || { say "$1: system.c did not come to its end"; return 1; }
    bare_rows "$out" >> "$dir/system.$1"
}

# bare_rows FILE: stamped output of system.c as "SYSTEM row value"; times in ps, hlt in us, else per second.
bare_rows()
{
    tr -d '\r' < "$1" | awk '
        $2 == "(" { start = $1 }
        $2 == ")" { span[++runs] = $1 - start }
        $2 == "SYSTEM" && runs {
            for (a = 1; a <= runs; a++) for (b = a + 1; b <= runs; b++)
                if (span[b] < span[a]) { t = span[a]; span[a] = span[b]; span[b] = t }
            s = span[int((runs + 1) / 2)]
            printf "SYSTEM %s %.1f\n", $3, $5 == "operations" ? s / $4 * 1e12 : $5 == "ticks" ? s / $4 * 1e9 : $4 / s
            runs = 0 }'
}

# busy_while WHO FILE PID: processor time of the process while system.c sleeps, in percent.
busy_while()
{
    local pid t0 t1 c0 c1
    t0=$(first_seen "$2" 'SYSTEM tsc' "$3") && pid=$(child_of "$3") || return
    c0=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    sleep 2.5
    c1=$(awk '{ print $14 + $15 }' "/proc/$pid/stat") && t1=$(now) || return
    awk -v c=$((c1 - c0)) -v s="$t0" -v e="$t1" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { printf "SYSTEM hlt-busy %.1f\n", c / hz / (e - s) * 100 }' >> "$dir/system.$1"
}

# sector_time WHO: power on to the boot sector and the end of the process, which the sector orders.
sector_time()
{
    local i start result=()
    for i in 1 2 3 4 5; do
        start=$(now)
        case $1 in
        ours) ours -m 256M --throwaway --disk "$dir/sector.img,if=ide" ;;
        qemu) theirs -m 256M -display none -snapshot -drive "file=$dir/sector.img,if=ide,format=raw" ;;
        esac >"$dir/system.log" 2>&1 </dev/null
        result+=("$(awk -v a="$start" -v b="$(now)" 'BEGIN { print (b - a) * 1000 }')")
    done
    echo "SYSTEM sector $(median "${result[@]}") ms" >> "$dir/system.$1"
}

# disk_time WHO: power on to /init's first line, from a disk on IDE.
disk_time()
{
    local serial=$dir/system.$1.serial start seen pid
    : > "$serial"
    start=$(now)
    case $1 in
    ours) ours -m 512M --throwaway --disk "$dir/disk.iso,if=ide" --boot disk --serial "file:$serial" ;;
    qemu) theirs -m 512M -display none -snapshot -drive "file=$dir/disk.iso,if=ide,format=raw" -serial "file:$serial" ;;
    esac >"$dir/system.log" 2>&1 </dev/null &
    pid=$!
    seen=$(first_seen "$serial" BENCH-UP $pid) || say "$1: the disk did not boot"
    wait $pid
    [ -z "$seen" ] || awk -v a="$start" -v b="$seen" 'BEGIN { printf "SYSTEM disk %.0f ms\n", (b - a) * 1000 }' >> "$dir/system.$1"
}

# with_window COMMAND...: on this machine's display, or on one of its own.
with_window()
{
    if [ -n "${DISPLAY:-}" ]; then
        "$@"
        return
    fi
    need_packages xvfb
    local n=$((100 + $$ % 800)) pid status
    Xvfb ":$n" -screen 0 1280x1024x24 >/dev/null 2>&1 &
    pid=$!
    sleep 2
    DISPLAY=:$n SDL_VIDEODRIVER=x11 "$@"
    status=$?
    kill $pid
    wait $pid 2>/dev/null
    return $status
}

qemu_window() { "$qemu" -display help 2>/dev/null | grep -xE 'sdl|gtk' | sort -r | head -n 1; }

# system_table: rows of the page of targets: key, label, unit, divisor, better (1 up, 0 down), first, goal.
system_rows='
sector|reset to boot sector|s|1000|0|0.15|0.08
disk|disk boot of a Debian kernel to /init|s|1000|0|5|3
fill|1024x768x32 fill, window open|frames/s|1|1|500|1000
pio|ATA PIO read|MB/s|976.5625|1|100|300
dma|ATA bus-master DMA read, 128 KiB each|MiB/s|1024|1|400|800
out|OUT to a port|ns|1000|0|60|30
mmio|read of the I/O APIC|ns|1000|0|60|30
apic|write of the task priority in the local APIC|ns|1000|0|60|30
int|INT + IRET|ns|1000|0|150|80
invlpg|INVLPG + touch|ns|1000|0|100|50
cr3|CR3 load + 16 pages|us|1000000|0|1|0.4
code-page|store into a page with code|ns|1000|0|30|10
hlt|1 kHz HLT, 1000 ticks|s|1000000|0|1.03|1.01
hlt-busy|  the same, processor time|%|1|0|6|3
memory|memory beyond guest RAM|MiB|1024|0|192|96'

system_report()
{
    awk -v rows="$system_rows" -v commit="$commit" -v host="$host" -v engine="$engine" -v format="$1" '
        { value[FILENAME ~ /ours/ ? "ours" : "qemu", $2] = $3 }
        function met(v, want, up) { return up ? v >= want : v <= want }
        END {
            n = split(rows, row, "\n")
            if (format == "table") printf "\n%-40s %10s %10s  %6s %-4s %6s %s\n", "system cost", "ours", "QEMU", "first", "", "goal", ""
            for (i = 1; i <= n; i++) {
                if (split(row[i], r, "|") != 7) continue
                o = value["ours", r[1]]; q = value["qemu", r[1]]
                if (o == "" && q == "") continue
                O = o == "" ? "null" : sprintf("%.2f", o / r[4]); Q = q == "" ? "null" : sprintf("%.2f", q / r[4])
                if (format == "json")
                    printf "{\"bench\":\"system-%s\",\"commit\":\"%s\",\"host\":\"%s\",\"engine\":\"%s\",\"unit\":\"%s\",\"ours\":%s,\"qemu\":%s,\"first\":%s,\"goal\":%s}\n",
                        r[1], commit, host, engine, r[3], O, Q, r[6], r[7]
                else
                    printf "%-40s %10s %10s  %6s %-4s %6s %s\n", r[2] ", " r[3], o == "" ? "-" : O, q == "" ? "-" : Q,
                        r[6], o == "" ? "-" : met(o / r[4], r[6], r[5]) ? "yes" : "no",
                        r[7], o == "" ? "-" : met(o / r[4], r[7], r[5]) ? "yes" : "no"
            } }' "$dir"/system.ours "$dir"/system.qemu
}

bench_system()
{
    local who everyone=(ours) window=sdl
    build_system || return 1
    only=none build_work || return 1
    cp "$dir/work.iso" "$dir/disk.iso" && build_work || return 1
    [ -n "$qemu" ] && everyone+=(qemu)
    : > "$dir/system.ours"
    : > "$dir/system.qemu"
    for who in "${everyone[@]}"; do
        sector_time "$who"
        disk_time "$who"
        bare "$who" 61f none
        bare "$who" 60 none
        bare "$who" 100 none
        [ "$who" = ours ] || window=$(qemu_window)
        if [ -n "$window" ]; then
            with_window bare "$who" 80 "$window"
        else
            say "QEMU has neither -display sdl nor gtk: no row of the window for it"
        fi
        [ -s "$dir/memory.$who" ] && echo "SYSTEM memory $(cat "$dir/memory.$who") KiB" >> "$dir/system.$who"
    done
    system_report json
    system_report table
}

[ -x "$aeropc" ] || die "$aeropc is not built; run make first"
mkdir -p "$dir"
parts=()
while [ $# != 0 ]; do
    case $1 in
    --engine) engine=${2:?}; shift ;;
    --cpu) model=${2:?}; shift ;;
    --only) only=${2:?}; shift ;;
    --runs) runs=${2:?}; shift ;;
    --no-qemu) qemu= ;;
    --no-native) native= ;;
    --keep) keep=yes ;;
    mips|boot|work|system|build) parts+=("$1") ;;
    *) die "unknown: $1. Parts are work, system, mips, boot and build; see the head of this file" ;;
    esac
    shift
done
[ ${#parts[@]} != 0 ] || parts=(work system)
for part in "${parts[@]}"; do
    case $part in
    build) build_work ;;
    *) "bench_$part" ;;
    esac || die "$part failed"
done
