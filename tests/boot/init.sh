#!/bin/sh
# init.sh: /init of the ladder's initramfs.  Says on the console what the guest sees, then powers off:
#   GUEST-UP    machine, kernel, CPUs, memory, clock source
#   GUEST-CPU   the processor as the kernel names it, and its flags
#   GUEST-SLEEP wall-clock seconds that "sleep 2" took (the timers agree with each other)
#   GUEST-SUM   2664667000 if the shell's arithmetic is right
#   GUEST-SHA1  2e000fa7e85759c7f4c254d4d9c33ef481e459a7 if hashing 256 KiB of zeros is right
#   GUEST-MOD, GUEST-PCI, GUEST-BLK, GUEST-INPUT, GUEST-FB   with drivers: what they found
#   GUEST-WARN  kernel messages of level warning or worse, one line each
#   GUEST-DONE  the end; then ACPI power-off.  Kernel word guestshell: a shell instead,
#               guestreboot: a reboot instead.
# shellcheck disable=SC2086,SC2012,SC2013  # names from /sys have no blanks
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
exec </dev/console >/dev/console 2>&1

clocks=/sys/devices/system/clocksource/clocksource0
echo "GUEST-UP $(uname -m) $(uname -r) cpus=$(grep -c ^processor /proc/cpuinfo)" \
    "mem=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)kB clock=$(cat $clocks/current_clocksource)"
grep -m1 '^model name' /proc/cpuinfo | sed 's/.*: /GUEST-CPU /'
grep -m1 '^flags' /proc/cpuinfo | sed 's/.*: /GUEST-CPU flags /'

start=$(date +%s)
sleep 2
echo "GUEST-SLEEP $(($(date +%s) - start))"

sum=0 i=0
while [ $i -lt 2000 ]; do
    sum=$((sum + i * i)) i=$((i + 1))
done
echo "GUEST-SUM $sum"
echo "GUEST-SHA1 $(dd if=/dev/zero bs=1k count=256 2>/dev/null | sha1sum | head -c 40)"

report_devices()
{
    for d in /sys/bus/pci/devices/*; do
        driver=$(ls -l $d/driver 2>/dev/null | sed 's#.*/##')
        echo "GUEST-PCI ${d##*/} $(cat $d/vendor):$(cat $d/device) class=$(cat $d/class)" \
            "irq=$(cat $d/irq) driver=$driver"
    done
    for b in /sys/block/*; do
        n=${b##*/}
        case $n in
        loop*|ram*) continue ;;
        esac
        echo "GUEST-BLK $n sectors=$(cat $b/size) $(cat $b/device/model 2>/dev/null)" \
            "sha1-64k=$(dd if=/dev/$n bs=64k count=1 2>/dev/null | sha1sum | head -c 40)"
    done
    for f in /sys/class/input/input*; do
        echo "GUEST-INPUT $(cat $f/name)"
    done
    for f in /sys/class/graphics/fb*; do
        [ -e $f/name ] || continue
        echo "GUEST-FB $(cat $f/name) $(cat $f/virtual_size) $(cat $f/bits_per_pixel)bpp"
    done
}

if [ -e /drivers ]; then
    for m in $(cat /drivers); do
        modprobe $m && echo "GUEST-MOD $m" || echo "GUEST-NOMOD $m"
    done
    sleep 3
    report_devices
fi

# dmesg -r shows "<level>"; level 4 is warning.
dmesg -r | grep -E '^<[0-4]>' | sed 's/^<.>/GUEST-WARN /'
echo "GUEST-DONE uptime=$(cut -d' ' -f1 /proc/uptime)"
# The serial port's queue must be empty, or the kernel's last words come in the middle of ours.
sleep 1
grep -q guestshell /proc/cmdline && exec sh
grep -q guestreboot /proc/cmdline && reboot -f
poweroff -f
