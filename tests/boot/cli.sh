#!/bin/bash
# The command line as a user meets it: what is wrong with an image, an option or the host is said in one line with a non-zero status and
# without harm to any image; what is right works. Called by `make cli-tests` with the path of aeropc; takes well under two minutes.
#   bash tests/boot/cli.sh build/aeropc [WORD...]      only the tests whose name holds one of the words
# The guests are boot sectors, assembled here by the host's as. Prints one line per test that does not pass, then the counts.
emu=$(realpath "${1:?usage: cli.sh PATH-OF-AEROPC [WORD...]}") || exit 2
shift
only=("$@")
repo=$(cd "$(dirname "$0")/../.." && pwd)
roms=$repo/roms
tmp=$(mktemp -d /tmp/aeropc-cli.XXXXXX) || exit 2
passed=0 failed=0 skipped=0
started=()
cleanup() {
    for p in "${started[@]}"; do kill -9 "$p" 2>/dev/null; done
    mountpoint -q "$tmp/small" 2>/dev/null && umount "$tmp/small"
    rm -rf "$tmp"
}
trap cleanup EXIT
cd "$tmp" || exit 2
unset DISPLAY WAYLAND_DISPLAY
export XDG_RUNTIME_DIR=$tmp # a library behind SDL complains when there is none

# --- helpers ---
pass() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL $name: $*"; }
skip() { skipped=$((skipped + 1)); echo "skip $name: $*"; }

# begin NAME: false when the test is not wanted
begin() {
    name=$1
    [ ${#only[@]} = 0 ] && return 0
    for w in "${only[@]}"; do [[ $name == *$w* ]] && return 0; done
    return 1
}

# pc SECONDS ARGS...: runs the emulator headless; sets $status, files out and err
pc() {
    local limit=$1
    shift
    timeout -k 2 "$limit" "$emu" --rom-dir "$roms" --display none "$@" >out 2>err
    status=$?
}

# refuses NAME PATTERN ARGS...: one line that matches, status 1, quickly, and no image changed
refuses() {
    begin "$1" || return 0
    local pattern=$2 before after
    shift 2
    before=$(sum)
    pc 10 "$@" </dev/null
    after=$(sum)
    if [ $status = 124 ] || [ $status = 137 ]; then bad "it runs, and should refuse"
    elif [ $status != 1 ]; then bad "status $status instead of 1; $(head -c 300 err)"
    elif [ "$(wc -l <err)" != 1 ]; then bad "not one line: $(head -c 400 err)"
    elif ! grep -q '^aeropc: ' err || ! grep -qE -- "$pattern" err; then bad "says: $(cat err)"
    elif [ "$before" != "$after" ]; then bad "an image was changed"
    else pass; fi
}
sum() { find . -maxdepth 1 -name '*.img' -o -maxdepth 1 -name '*.iso' -o -maxdepth 1 -name '*.rom' | sort | xargs sha256sum 2>/dev/null; }

# script SECONDS ARGS...: monitor script on stdin; sets $status, out, err
script() { pc "$@" --monitor stdio; }

# says NAME STATUS PATTERN: verdict on the last run
says() {
    if [ "$status" != "$2" ]; then bad "status $status instead of $2: $(tail -n 3 err | head -c 500)"
    elif [ -n "$3" ] && ! grep -qE -- "$3" out; then bad "no '$3' in: $(tail -n 5 out | head -c 500)"
    else pass; fi
}

# assemble NAME <source: NAME.bin, a boot sector
assemble() {
    { echo '.code16; .globl _start; _start:'; cat "$tmp/lib.s" -; echo '.org 510; .byte 0x55, 0xaa'; } >"$1.s"
    as --32 -o "$1.o" "$1.s" && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$1.bin" "$1.o" 2>/dev/null
}
# disk NAME MIB [BOOTSECTOR]: a raw image with a boot sector
disk() {
    rm -f "$1"
    truncate -s "$2M" "$1"
    [ -z "$3" ] || dd if="$3" of="$1" conv=notrunc status=none
}
# until_true SECONDS COMMAND...: host time, for what happens outside the emulator
until_true() {
    local n=$(($1 * 20))
    shift
    while ! "$@" 2>/dev/null; do
        n=$((n - 1))
        [ $n -gt 0 ] || return 1
        sleep 0.05
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# --- guests ---
cat >lib.s <<'S'
    jmp go
put:        # al to COM1
    push %dx
    push %ax
    mov $0x3fd, %dx
1:  in %dx, %al
    test $0x20, %al
    jz 1b
    pop %ax
    mov $0x3f8, %dx
    out %al, %dx
    pop %dx
    ret
say:        # text at ds:si
    lodsb
    test %al, %al
    jz 1f
    call put
    jmp say
1:  ret
off:        # S5
    mov $0x604, %dx
    mov $0x2000, %ax
    out %ax, %dx
1:  hlt
    jmp 1b
go: xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    cld
    sti
S
assemble hello <<'S' || { echo "cannot assemble: as and ld are needed"; exit 2; }
    mov $text, %si
    call say
    mov $0xb800, %ax
    mov %ax, %es
    mov $0x0741, %ax            # "AEROPC-SCREEN" in the first row
    mov $screen, %si
    xor %di, %di
1:  lodsb
    test %al, %al
    jz wait
    mov $7, %ah
    stosw
    jmp 1b
wait: mov $0xf1, %al              # ACPI on: the power button is the guest's
    out %al, $0xb2
loop: hlt
    mov $0x600, %dx
    in %dx, %ax
    test $0x100, %ax            # power button
    jz loop
    mov $button, %si
    call say
    call off
text: .asciz "UP\r\n"
button: .asciz "BUTTON\r\n"
screen: .asciz "AEROPC-SCREEN"
S
assemble exit <<'S'
    mov $0xf4, %dx
    mov $21, %al
    out %al, %dx
1:  jmp 1b
S
# 64 sectors into 64 different clusters of the overlay, each with its number behind "TAG"
assemble writer <<'S'
    mov %dl, drive
next:
    mov number, %al
    mov %al, buffer + 3
    mov $packet, %si
    mov drive, %dl
    mov $0x4300, %ax
    int $0x13
    mov $'E', %al
    jc report
    addw $128, lba
    incb number
    cmpb $64 + 48, number
    jb next
    mov $'D', %al
report:
    call put
    mov $text, %si
    call say
    call off
drive: .byte 0
number: .byte 48
text: .asciz "ONE\r\n"
packet: .byte 16, 0
    .word 1, buffer, 0
lba: .word 128, 0, 0, 0
buffer: .ascii "TAG0;"
S
assemble triple <<'S'
    movl $0, 0x600
    movw $0, 0x604
    lidt 0x600
    int3
S
disk hello.img 1 hello.bin
disk triple.img 1 triple.bin
disk exit.img 1 exit.bin

# --- images that cannot be used ---
: >empty.img
truncate -s 1000 cut.img
printf 'QFI\xfb\0\0\0\3' >q.qcow2.img && truncate -s 64K q.qcow2.img
printf 'KDMV\1\0\0\0' >v.vmdk.img && truncate -s 64K v.vmdk.img
mkdir folder
refuses missing_image 'nothere.img.*[Nn]o such file' nothere.img
refuses missing_disk_option 'nothere.img.*[Nn]o such file' --disk nothere.img
refuses missing_cdrom 'nothere.iso.*[Nn]o such file' --cdrom nothere.iso
refuses missing_floppy 'nothere.img.*[Nn]o such file' --floppy nothere.img
refuses empty_image 'empty.img is empty' empty.img
refuses empty_disk_option 'empty.img is empty' --disk empty.img
refuses empty_cdrom 'empty.img is empty' --cdrom empty.img
refuses truncated_image 'cut.img.*512' cut.img
refuses truncated_disk_option 'cut.img.*512' --disk cut.img
refuses qcow2_image 'qcow2.*qemu-img convert' q.qcow2.img
refuses vmdk_image 'VMDK.*qemu-img convert' v.vmdk.img
refuses qcow2_disk_option 'qcow2.*qemu-img convert' --disk q.qcow2.img
refuses folder_disk_option 'folder is a folder' --disk folder
refuses disk_interface 'if=scsi' --disk hello.img,if=scsi
refuses too_many_disks 'no free place' $(for k in 1 2 3 4; do echo --disk hello.img,if=ide; done) --throwaway

cp hello.img ro.img
chmod a-w ro.img
refuses readonly_image_with_write 'ro.img is read-only.*--write' --write ro.img
if begin readonly_image_boots; then
    script 30 --throwaway ro.img --serial null <<<$'wait serial "UP" 20\nquit 0'
    says readonly 0
fi

if begin overlay_cannot_be_created; then
    mkdir -p rofolder && cp hello.img rofolder/ && chmod a-w rofolder
    if touch rofolder/x 2>/dev/null; then
        rm -f rofolder/x
        skip "root writes everywhere"
    else
        refuses overlay_cannot_be_created 'overlay.*--throwaway' rofolder/hello.img
    fi
fi

mkdir taken.img.overlay
cp hello.img taken.img
refuses overlay_is_a_folder 'taken.img.overlay cannot be opened.*--throwaway' taken.img
cp hello.img noroom.img
ulimit -S -f 16
refuses no_room_for_an_overlay 'noroom.img.overlay: ' noroom.img
ulimit -S -f unlimited
if begin overlay_of_changed_image; then
    cp hello.img changed.img
    script 30 changed.img --serial null <<<$'wait time 0.1\nquit 0'
    printf x | dd of=changed.img bs=1 seek=600 conv=notrunc status=none
    refuses overlay_of_changed_image 'changed.img was changed .*after changed.img.overlay was made' changed.img
fi

# --- locks: a first process holds the image, a second one wants it ---
hold() { # ARGS...: leaves a paused machine running, pid in $holder
    rm -f hold.sock
    "$emu" --rom-dir "$roms" --display none --paused --monitor unix:hold.sock "$@" >/dev/null 2>hold.err &
    holder=$!
    started+=($holder)
    until_true 10 test -S hold.sock || echo "the first process did not start: $(cat hold.err)"
}
release() {
    kill "$holder" 2>/dev/null
    wait "$holder" 2>/dev/null
}
cp hello.img lock.img
if begin locked_by_writer; then
    hold --write lock.img
    refuses locked_by_writer 'lock.img is locked' --write lock.img
    refuses locked_by_writer_overlay 'lock.img is locked' lock.img
    release
fi
if begin locked_overlay; then
    hold lock.img
    refuses locked_overlay 'lock.img.overlay is locked' lock.img
    refuses locked_reader 'lock.img is locked' --write lock.img
    release
fi
if begin lock_dies_with_its_process; then
    hold --write lock.img
    kill -9 "$holder"
    wait "$holder" 2>/dev/null
    script 30 --write lock.img --serial null <<<$'wait serial "UP" 20\nquit 0'
    says lock 0
fi

# --- options ---
refuses unknown_long 'no option --memroy; did you mean --memory\?' --memroy 2G
refuses unknown_far 'no option --xyzzyplugh; --help' --xyzzyplugh
refuses unknown_short 'no option -cdrm; did you mean -cdrom\?' -cdrm x
refuses missing_value '--memory needs a value' --memory
refuses memory_zero 'memory.*16M' -m 0
refuses memory_small 'memory.*16M' -m 1M
refuses memory_huge 'memory' -m 100T
refuses memory_word "memory.*'lots' is not a size" -m lots
refuses memory_negative 'is not a size' -m -1G
refuses memory_overflow 'is not a size' -m 99999999999999999999G
if begin memory_beyond_host; then
    host=$(awk '/MemTotal/ {print int($2 / 1048576)}' /proc/meminfo)
    if [ "$host" -lt 60 ]; then refuses memory_beyond_host 'the host has only' -m $((host + 2))G
    else skip "this host has more memory than any guest may ask for"; fi
fi
refuses boot_order '--boot usb' --boot usb hello.img
refuses set_device "no device 'foo'" --set foo.bar=1 hello.img
refuses set_option "has no option 'bar'" --set com1.bar=1 hello.img
refuses set_form 'expected DEVICE.OPTION=VALUE' --set nonsense hello.img
refuses set_value 'is not a number' --set com1.port=many hello.img
refuses trace_pattern '--trace nosuch_\*' --trace 'nosuch_*' hello.img
refuses trace_file 'trace-file.*nodir' --trace 'ata_*' --trace-file nodir/t hello.img
refuses log_level '--log loud' --log loud hello.img
refuses both_stdio 'only one of' --serial stdio --monitor stdio hello.img
refuses cpu_model "cpu.*z80" --cpu z80 hello.img
refuses choice "'vnc' is not one of sdl\|none" --display vnc hello.img
refuses profile "'xga' is not one of" --profile xga hello.img
refuses clock "'sundial' is not one of" --clock sundial hello.img
refuses write_and_throwaway 'contradict' --write --throwaway hello.img
refuses two_cdroms 'cdrom' --cdrom hello.img --cdrom hello.img
refuses three_floppies 'floppy' --floppy hello.img --floppy hello.img --floppy hello.img
refuses serial_kind "serial.*'carrier-pigeon'" --serial carrier-pigeon hello.img
refuses serial_file 'serial.*nodir' --serial file:nodir/x hello.img
refuses help_device "no device class 'nosuch'" --help nosuch
refuses screen_without_display '[Dd]isplay|window' --display sdl hello.img
printf 'memory = 64M\nmemroy = 1G\n' >bad.conf
refuses config_file_line 'bad.conf line 2.*did you mean' bad.conf

# --- ROMs ---
truncate -s 100K odd.rom
truncate -s 1M large.rom
: >empty.rom
truncate -s 32K blank.rom
printf '\x55\xaa\x80' >short.rom
refuses bios_missing 'nothere.rom' --bios nothere.rom hello.img
refuses bios_size 'odd.rom.*64, 128 or 256' --bios odd.rom hello.img
refuses bios_large 'large.rom.*256 KiB' --bios large.rom hello.img
refuses bios_empty 'empty.rom.*empty' --bios empty.rom hello.img
refuses bios_folder 'folder.*' --bios folder hello.img
refuses vgabios_missing 'nothere.rom' --vgabios nothere.rom hello.img
refuses vgabios_large 'large.rom.*64 KiB' --vgabios large.rom hello.img
refuses vgabios_blank 'blank.rom.*option ROM' --vgabios blank.rom hello.img
refuses vgabios_short 'short.rom.*(truncated|shorter)' --vgabios short.rom hello.img
refuses rom_dir_empty 'folder/bios.bin' --rom-dir folder hello.img

# --- monitor ---
if begin socket_in_use; then
    hold --throwaway hello.img
    refuses socket_in_use 'monitor.*hold.sock.*in use' --throwaway --monitor unix:hold.sock hello.img
    release
fi
if begin socket_left_behind; then
    hold --throwaway hello.img
    kill -9 "$holder"
    wait "$holder" 2>/dev/null
    cp hold.err /dev/null
    timeout 10 "$emu" --rom-dir "$roms" --display none --paused --throwaway --monitor unix:hold.sock hello.img >/dev/null 2>err &
    second=$!
    sleep 0.5
    if kill -0 $second 2>/dev/null; then pass; else bad "$(cat err)"; fi
    kill $second 2>/dev/null
    wait $second 2>/dev/null
fi
refuses serial_nobody_listens 'serial.*refused' --throwaway --serial tcp:127.0.0.1:1 hello.img
refuses monitor_long_path 'monitor' --throwaway --monitor unix:$(printf '%0200d' 0) hello.img
refuses monitor_port 'monitor' --throwaway --monitor tcp:127.0.0.1:99999 hello.img
refuses monitor_socket_folder 'monitor.*nodir' --throwaway --monitor unix:nodir/x hello.img
if begin screenshot_path; then
    script 30 --throwaway hello.img --serial null <<<$'wait serial "UP" 20\nscreenshot nodir/x.png\nquit 0'
    if [ $status != 1 ] || [ "$(wc -l <err)" != 1 ] || ! grep -q 'screenshot nodir/x.png' err; then bad "status $status: $(cat err)"; else pass; fi
fi
if begin unknown_command; then
    script 30 --throwaway hello.img <<<'screenshoot x.png'
    if [ $status != 1 ] || ! grep -q "did you mean 'screenshot'" err; then bad "status $status: $(cat err)"; else pass; fi
fi
if begin wait_times_out; then
    script 30 --throwaway hello.img --serial null <<<$'wait serial "NEVER" 2\nquit 0'
    if [ $status != 1 ] || ! grep -q 'timed out' out; then bad "status $status: $(head -c 300 out)"; else pass; fi
fi
if begin quit_status; then
    script 30 --throwaway hello.img <<<'quit 7'
    says quit 7
fi
if begin wait_screen; then
    script 30 --throwaway hello.img <<<$'wait screen "AEROPC-SCREEN" 20\nscreen\nscreenshot shot.png\nquit 0'
    if [ "$(head -c 4 shot.png 2>/dev/null | tail -c 3)" != PNG ]; then bad "no PNG: $(cat err)"; else says screen 0 'AEROPC-SCREEN'; fi
fi
if begin commands_answer; then
    script 30 --throwaway hello.img --serial null <<'S'
wait serial "UP" 20
status
pause
info registers
info devices
info memory
info ports
info unassigned
info stats
info apic
info config
info ahci0
mem 0x7c00 32
pmem 0x7c00 32
disas 0x7c00 4
walk 0x7c00
step 3
break 0x7c00
break 0x7c00 off
trace ata_*
log info
cont
help
toggle
nmi
quit 0
S
    if ! grep -q 'paused\|running' out || ! grep -q 'ahci0' out || ! grep -q '55 aa\|7c00' out; then bad "$(tail -n 3 out)"; else says commands 0; fi
fi

json_session() { # FILE-DESCRIPTOR already open for reading and writing as 9
    printf '{"id": "a1", "command": "status"}\n{"command": "nonsense"}\n' >&9
    IFS= read -r -t 10 first <&9
    IFS= read -r -t 10 second <&9
    printf '{"command": "quit 5"}\n' >&9
    if [[ $first != '{"ok": true, "id": "a1", "text": "running'* ]]; then bad "status answered: $first"
    elif [[ $second != '{"ok": false, '*'no command'* ]]; then bad "nonsense answered: $second"
    else
        until_true 10 gone "$holder" || kill "$holder"
        wait "$holder"
        status=$?
        if [ $status = 5 ]; then pass; else bad "quit 5 gave status $status"; fi
    fi
}
if begin json_tcp; then
    for try in 1 2 3; do
        port=$((20000 + RANDOM % 20000))
        "$emu" --rom-dir "$roms" --display none --throwaway hello.img --monitor tcp:127.0.0.1:$port >/dev/null 2>err &
        holder=$!
        started+=($holder)
        connect() { exec 9<>/dev/tcp/127.0.0.1/$port; }
        if until_true 5 connect; then break; fi
        kill $holder 2>/dev/null
    done
    json_session
    exec 9>&-
    kill $holder 2>/dev/null
fi
if begin json_unix; then
    if command -v socat >/dev/null; then
        rm -f j.sock
        "$emu" --rom-dir "$roms" --display none --throwaway hello.img --monitor unix:j.sock >/dev/null 2>err &
        holder=$!
        started+=($holder)
        until_true 10 test -S j.sock
        printf '{"command": "status"}\n' | socat -t 3 - UNIX-CONNECT:j.sock >answer
        printf '{"command": "quit 4"}\n' | socat -t 1 - UNIX-CONNECT:j.sock >/dev/null
        until_true 10 gone $holder || kill $holder
        wait $holder
        status=$?
        if [ $status != 4 ] || ! grep -q '"ok": true, "text": "running' answer; then bad "status $status, answer $(cat answer)"; else pass; fi
    else
        skip "needs socat"
    fi
fi

# --- what works ---
if begin print_config_reads_back; then
    pc 10 -m 96M -cdrom hello.img --disk hello.img,if=ide -snapshot --set com1.port=0x3f8 --hpet --print-config
    mv out first.conf
    pc 10 first.conf --print-config
    if [ $status != 0 ] || [ ! -s first.conf ] || ! cmp -s first.conf out; then bad "$(diff first.conf out | head -5)"; else pass; fi
fi
if begin config_file_boots; then
    printf '# a machine\nmemory = 64M\nthrowaway = on\ndisk = hello.img\nserial = file:conf.log\n' >good.conf
    script 30 good.conf <<<$'wait serial "UP" 20\nquit 0'
    if [ $status = 0 ] && grep -q UP conf.log; then pass; else bad "status $status: $(cat err)"; fi
fi
if begin folder_is_a_cd; then
    echo hello >folder/file.txt
    script 30 folder --serial null --paused <<<$'info cd0\nquit 0'
    says folder 0 'cd0'
    rm -f folder/file.txt
fi
if begin help_lists_options; then
    pc 10 --help
    says help 0 '--throwaway'
fi
if begin help_device; then
    pc 10 --help uart
    says help 0 'instances: com1 com2'
fi
if begin version; then
    pc 10 --version
    says version 0 '^aeropc [0-9]'
fi
if begin nographic_means_serial_on_stdio; then
    timeout 30 "$emu" --rom-dir "$roms" -nographic -snapshot exit.img </dev/null >out 2>err
    [ $? = 43 ] && pass || bad "status $?: $(cat err)"
fi
if begin nographic_with_a_serial_of_its_own; then
    pc 10 -nographic -serial file:n.log --print-config
    if [ "$(grep -c ^serial out)" = 1 ]; then pass; else bad "$(grep ^serial out)"; fi
fi
if begin serial_on_stdio; then
    ( timeout 8 "$emu" --rom-dir "$roms" -nographic -snapshot hello.img </dev/null >out 2>err & p=$!; until_true 7 grep -q UP out && kill $p )
    grep -q UP out && pass || bad "$(head -c 200 err)"
fi
if begin test_exit_port; then
    pc 30 --throwaway exit.img
    says exit 43
fi
if begin triple_fault_status; then
    pc 30 --throwaway --no-reboot triple.img
    if ! grep -q 'triple fault' err || ! grep -q 'int3' err || ! grep -q '^rip ' err; then bad "no post-mortem: $(head -3 err)"
    else says triple 2; fi
fi
if begin triple_fault_resets; then
    script 30 --throwaway triple.img <<<$'wait time 4\nstatus\nquit 0'
    says triple 0 '[2-9] resets|[1-9][0-9]+ resets'
fi
if begin ide_boots; then
    pc 30 --throwaway --disk exit.img,if=ide
    says ide 43
fi
if begin floppy_boots; then
    rm -f f.img
    truncate -s 1440K f.img
    dd if=exit.bin of=f.img conv=notrunc status=none
    pc 30 --throwaway f.img
    says floppy 43
fi
if begin power_button; then
    script 40 --throwaway hello.img --serial file:pb.log <<<$'wait serial "UP" 20\npowerbutton\nwait poweroff 10\nquit 0'
    if [ $status = 0 ] && grep -q BUTTON pb.log; then pass; else bad "status $status: $(cat err)"; fi
fi
if begin power_button_without_acpi; then
    disk writer.img 1 exit.bin
    printf '\xeb\xfe' | dd of=writer.img conv=notrunc status=none # the guest only loops
    script 20 --throwaway writer.img <<<$'wait time 3\npowerbutton\nwait poweroff 5\nquit 0'
    says button 0
fi
if begin poweroff_ends_the_program; then
    disk w.img 8 writer.bin
    pc 40 --throwaway w.img --serial file:w.log
    if [ $status = 0 ] && grep -q DONE w.log; then pass; else bad "status $status: $(cat err w.log)"; fi
fi
if begin reset_starts_again; then
    script 60 --throwaway hello.img --serial null <<<$'wait serial "UP" 20\nreset\nwait serial "UP" 20\nstatus\nquit 0'
    says reset 0 '1 resets'
fi
if begin wait_fails_when_the_guest_is_gone; then
    disk w.img 8 writer.bin
    script 40 --throwaway w.img --serial null <<<$'wait serial "NEVER" 39\nquit 0'
    if [ $status != 1 ] || ! grep -q 'the machine is off' out; then bad "status $status: $(head -c 300 out)"; else pass; fi
fi
if begin script_goes_on_after_poweroff; then
    disk w.img 8 writer.bin
    rm -f off.png
    script 40 --throwaway w.img --serial null <<<$'wait poweroff 39\nwait 0.2\nscreenshot off.png\nquit 6'
    [ -s off.png ] && says poweroff 6 || bad "no picture"
fi
if begin throwaway_leaves_nothing; then
    rm -f w.img*
    disk w.img 8 writer.bin
    before=$(sha256sum <w.img)
    pc 40 --throwaway w.img --serial file:w.log
    if [ -e w.img.overlay ] || [ "$before" != "$(sha256sum <w.img)" ]; then bad "something was left behind"; else says throwaway 0; fi
fi
tags() { tr -c 'A-Za-z0-9;:<=>?@_`^\133\134\135' '\n' <"$1" | LC_ALL=C grep -a '^TAG..*' | LC_ALL=C sort -u | wc -l; }
if begin overlay_keeps_the_image; then
    rm -f w.img*
    disk w.img 8 writer.bin
    before=$(sha256sum <w.img)
    pc 40 w.img --serial file:w.log
    if [ "$before" != "$(sha256sum <w.img)" ]; then bad "the image was written"
    elif [ "$(tags w.img.overlay)" != 64 ]; then bad "$(tags w.img.overlay) of 64 sectors in the overlay; $(cat w.log err)"
    else says overlay 0; fi
fi
if begin write_goes_to_the_image; then
    rm -f w.img*
    disk w.img 10 writer.bin
    pc 40 --write w.img --serial file:w.log
    if [ -e w.img.overlay ] || [ "$(tags w.img)" != 64 ]; then bad "$(tags w.img) of 64 sectors in the image"; else says write 0; fi
fi

# --- a full disk: the machine waits, says so once, goes on when there is room, and has lost nothing ---
full_disk() { # IMAGE, MAKE-ROOM-COMMAND...: after the emulator was started as $holder
    local image=$1
    shift
    if ! until_true 30 grep -q 'paused: .*nothing is lost' err; then bad "no message; serial: $(cat w.log) $(cat err)"; return; fi
    sleep 2.5
    if ! kill -0 $holder 2>/dev/null; then bad "the process ended: $(cat err)"; return; fi
    if [ "$(wc -l <err)" != 1 ]; then bad "not one line: $(head -c 500 err)"; return; fi
    if grep -q ONE w.log; then bad "the guest saw an error or the end: $(cat w.log)"; return; fi
    "$@"
    until_true 60 gone $holder || kill $holder
    wait $holder
    status=$?
    if [ $status != 0 ]; then bad "status $status after there was room: $(cat err)"
    elif ! grep -q DONE w.log; then bad "the guest saw an error: $(cat w.log)"
    elif [ "$(tags "$image")" != 64 ]; then bad "$(tags "$image") of 64 sectors arrived"
    else pass; fi
}
if begin file_size_limit; then
    if command -v prlimit >/dev/null; then
        rm -f w.img* w.log out err # an old "paused" must not be taken for this run's
        disk w.img 10 writer.bin
        ( ulimit -S -f 2048; exec "$emu" --rom-dir "$roms" --display none w.img --serial file:w.log ) >out 2>err </dev/null &
        holder=$!
        started+=($holder)
        full_disk w.img.overlay prlimit --pid $holder --fsize=unlimited:
    else
        skip "needs prlimit"
    fi
fi
if begin full_disk; then
    mkdir -p small
    if mount -t tmpfs -o size=5m none small 2>/dev/null; then
        rm -f w.log out err
        disk small/w.img 10 writer.bin
        head -c 3M /dev/zero >small/filler
        "$emu" --rom-dir "$roms" --display none small/w.img --serial file:w.log >out 2>err </dev/null &
        holder=$!
        started+=($holder)
        full_disk small/w.img.overlay rm small/filler
        umount small
    else
        skip "mounting a small file system needs root"
    fi
fi
if begin full_disk_status; then
    if command -v prlimit >/dev/null; then
        rm -f w.img* w.log out err # an old "paused" must not be taken for this run's
        disk w.img 10 writer.bin
        ( ulimit -S -f 2048; exec "$emu" --rom-dir "$roms" --display none w.img --serial file:w.log ) >out 2>err </dev/null &
        holder=$!
        started+=($holder)
        until_true 30 grep -q 'paused: ' err
        kill $holder
        until_true 10 gone $holder || kill -9 $holder
        wait $holder
        status=$?
        if [ $status = 0 ]; then bad "ended by a signal while waiting for room, it says success"; else pass; fi
    else
        skip "needs prlimit"
    fi
fi

# --- deterministic runs ---
twice() { # SCRIPT ARGS...: the answers of two runs are the same
    local s=$1
    shift
    script 120 --clock insn --throwaway --serial null "$@" <<<"$s"
    local first=$status
    mv out first.out
    script 120 --clock insn --throwaway --serial null "$@" <<<"$s"
    if [ $first != 0 ] || [ $status != 0 ]; then bad "status $first and $status: $(tail -n 2 err)"
    elif ! grep -q 'trace hash' out; then bad "no hash: $(head -c 300 out)"
    elif ! cmp -s out first.out; then bad "$(diff first.out out | head -4)"
    else pass; fi
}
if begin insn_clock_is_deterministic; then
    twice $'wait time 4\nstatus\ninfo hash\nregisters\nquit 0' hello.img
fi
if begin wait_insns_is_exact; then
    script 60 --clock insn --throwaway --serial null --paused hello.img <<<$'wait 0.1\ncont\nwait insns 1234567\nstatus\nquit 0'
    says exact 0 ', 1234567 instructions'
fi
if begin demo_is_up; then
    if [ -f "$roms/demo.img" ]; then
        script 120 <<<$'wait serial "DEMO-UP" 110\nquit 0'
        says demo 0
    else
        skip "roms/demo.img is not built"
    fi
fi
if begin demo_is_deterministic; then
    if [ -f "$roms/demo.img" ]; then
        # both acts: after twelve seconds AeroGPU draws
        twice $'wait time 14 110\ninfo hash\nstatus\nscreenshot demo.png scanout0\ninfo aerogpu\nquit 0'
    else
        skip "roms/demo.img is not built"
    fi
fi

# replays PATTERN STATUS ARGS...: aeropc gpu-replay
replays() {
    local pattern=$1 wanted=$2
    shift 2
    timeout 60 "$emu" gpu-replay "$@" >out 2>err </dev/null
    status=$?
    if [ $status != "$wanted" ]; then bad "status $status instead of $wanted; $(head -c 300 err)"
    elif ! cat out err | grep -qE -- "$pattern"; then bad "says: $(head -c 300 err) $(tail -c 300 out)"
    elif [ $status = 1 ] && [ "$(wc -l <err)" != 1 ]; then bad "not one line: $(head -c 400 err)"
    else pass; fi
}
if begin gpu_replay_without_a_file; then replays 'needs a recording' 1; fi
if begin gpu_replay_of_another_file; then replays 'hello.img: no recording' 1 hello.img; fi
if begin gpu_replay_help; then replays 'usage: aeropc gpu-replay' 0 --help; fi
if begin gpu_record_of_a_machine; then
    script 60 --set aerogpu.record=gpu.rec --throwaway --serial null hello.img <<<$'wait 0.5\nquit 0'
    replays '0 submissions.* 0 pictures' 0 gpu.rec
fi
refuses gpu_record_nowhere 'no/way: No such' --set aerogpu.record=/no/way hello.img
refuses bridge_without_socket 'socket=PATH' --set aerogpu.exec=bridge hello.img
refuses bridge_nowhere 'cannot listen at /no/way' --set aerogpu.exec=bridge --set aerogpu.socket=/no/way hello.img
refuses bridge_with_insn_clock 'clock host' --clock insn --set aerogpu.exec=bridge --set aerogpu.socket=s hello.img

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
