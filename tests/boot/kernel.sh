#!/bin/bash
# kernel.sh [AEROPC [WORD...]]: --kernel, --initrd and --append with real kernels, each judged by what it says or by its exit status.
#
# Words pick the tests whose names hold one. Tests: our own multiboot kernel (tests/guest/kernel), as ELF and with the address fields of the
# header; grub-invaders from its Debian package; Debian's kernels with an initramfs that reports and powers off. Where a guest is not in
# $GUESTS and cannot be made, its test is skipped. Prints one line per test, then the sum.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
aeropc=$(realpath "${1:-$top/build/aeropc}") || exit 2
shift
only=("$@")
[ -x "$aeropc" ] || die "$aeropc is not built; run make first"
out=$top/build/kernel
mkdir -p "$out"
passed=0 failed=0 skipped=0

wanted()
{
    local w
    [ ${#only[@]} = 0 ] && return
    for w in "${only[@]}"; do [[ $1 == *$w* ]] && return; done
    return 1
}

ok() { passed=$((passed + 1)); printf 'ok   %s\n' "$1"; }
bad() { failed=$((failed + 1)); printf 'FAIL %s: %s\n' "$1" "$2"; }
skip() { skipped=$((skipped + 1)); printf 'skip %s: %s\n' "$1" "$2"; }

# multiboot NAME CFLAGS [objcopy]: exit status 33 by port F4h
multiboot()
{
    wanted "$1" || return 0
    local src=$top/tests/guest/kernel
    { "${CC:-gcc}" -m32 -march=i386 -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -mno-sse -mno-mmx $2 -c "$src/multiboot.c" -o "$out/$1.o" &&
      ld -m elf_i386 --build-id=none -z noexecstack --no-warn-rwx-segments -T "$src/multiboot.ld" -o "$out/$1" "$out/$1.o"
    } 2>"$out/$1.log" || { bad "$1" "does not build, see $out/$1.log"; return; }
    if [ "${3:-}" = flat ]; then
        objcopy -O binary "$out/$1" "$out/$1.bin" && mv "$out/$1.bin" "$out/$1"
    fi
    printf one > "$out/one,x"
    printf two > "$out/two"
    timeout -k 5 60 "$aeropc" -m 64M --display none --debugcon "file:$out/$1.e9" -kernel "$out/$1" \
        -initrd "$out/one,,x first,$out/two second" -append "alpha beta" >"$out/$1.log" 2>&1
    local status=$?
    if [ $status = 33 ]; then ok "$1"; else bad "$1" "exit status $status, $(tail -n 1 "$out/$1.e9")"; fi
}

# invaders: the game's screen
invaders()
{
    wanted invaders || return 0
    local file=$GUESTS/invaders.exec work
    if [ ! -s "$file" ]; then
        work=$(mktemp -d)
        (deb_unpack amd64 grub-invaders "$work") && cp "$work/boot/invaders.exec" "$file"
        rm -rf "$work"
    fi
    [ -s "$file" ] || { skip invaders "no guest for it"; return; }
    if printf 'wait screen "%s" 30\nscreenshot %s\nquit 0\n' '-*-           -*-' "$out/invaders.png" |
        timeout -k 5 60 "$aeropc" -m 64M --display none --kernel "$file" --monitor stdio >"$out/invaders.log" 2>&1; then
        ok invaders
    else
        bad invaders "its screen does not come, see $out/invaders.log"
    fi
}

# linux FLAVOUR MEMORY: kernel and initramfs to the report, then power-off
linux()
{
    local name=linux-$1 log=$out/linux-$1.serial f
    wanted "$name" || return 0
    for f in "vmlinuz-$1" "initrd-$1.gz"; do
        [ -s "$GUESTS/$f" ] || "$here/mk-initramfs.sh" "$1" >&2 || { skip "$name" "no guest for it"; return; }
    done
    rm -f "$log"
    printf 'wait serial "GUEST-DONE" 150\nwait poweroff 30\nquit 0\n' |
        timeout -k 5 240 "$aeropc" -m "$2" --display none --serial "file:$log" --monitor stdio --kernel "$GUESTS/vmlinuz-$1" \
            --initrd "$GUESTS/initrd-$1.gz" --append "console=tty0 console=ttyS0,115200 aeropc.test=$1" >"$out/$name.log" 2>&1 ||
        { bad "$name" "$(head -n 1 "$out/$name.log")"; return; }
    grep -aq "ommand line: .*aeropc.test=$1" "$log" || { bad "$name" "its command line is not ours"; return; }
    if "$here/klog.sh" "$log" >"$out/$name.klog"; then ok "$name"; else bad "$name" "kernel log: $(grep -v '^note:' "$out/$name.klog" | head -n 1)"; fi
}

multiboot multiboot-elf ""
multiboot multiboot-flat -DKLUDGE flat
invaders
linux amd64 1G
linux 686-pae 256M
linux 686 128M
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
