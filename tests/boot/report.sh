#!/bin/bash
# report.sh: the guest-report service of debian-amd64.raw.  Writes to ttyS0 what this boot was like:
#   GUEST-UP            machine, kernel, CPUs, root device, clock source
#   GUEST-PCI           one line per PCI function, with its driver
#   GUEST-FILES ok      the files of some packages still have the checksums Debian gave them
#   GUEST-DISK ok       8 MiB written, dropped from the cache and read back the same
#   GUEST-FAILED-UNITS  how many systemd units failed
#   GUEST-WARN          kernel messages of level warning or worse, one line each
#   GUEST-TTY1          the login prompt as it stands on the screen's first console
#   GUEST-DONE          the end.  With the kernel word guestoff the machine powers off after it.
# When somebody has logged in on the screen, GUEST-TTY1 comes again with the shell's prompt.

clocks=/sys/devices/system/clocksource/clocksource0
# Kept back until it is whole: the getty hangs ttyS0 up once, which would cut a slow writer off.
exec > /run/guest-report 2>&1

echo "GUEST-UP $(uname -m) $(uname -r) cpus=$(nproc) root=$(findmnt -no SOURCE /)" \
    "clock=$(cat $clocks/current_clocksource)"
lspci -nk | awk '/^[0-9]/ { if (l) print l; l = "GUEST-PCI " $0 }
                 /driver in use/ { l = l " driver=" $NF } END { print l }'

cd / || exit 1
cat var/lib/dpkg/info/{bash,coreutils,dpkg,util-linux,tar}.md5sums |
    grep -vE 'usr/share/(doc|man|locale)' | md5sum --quiet -c >/dev/null 2>&1 &&
    echo "GUEST-FILES ok" || echo "GUEST-FILES DIFFER"

file=/var/tmp/ladder
dd if=/dev/urandom of=$file bs=1M count=8 2>/dev/null
before=$(sha1sum < $file)
sync
echo 3 > /proc/sys/vm/drop_caches
[ "$before" = "$(sha1sum < $file)" ] && echo "GUEST-DISK ok" || echo "GUEST-DISK DIFFERS"
rm $file

echo "GUEST-FAILED-UNITS $(systemctl --failed --no-legend | wc -l)"
dmesg --level=emerg,alert,crit,err,warn | sed 's/^/GUEST-WARN /'

# tty1_line TEXT SECONDS: wait for a line with that text on the screen's first console and print it.
tty1_line()
{
    local columns n
    columns=$(stty size < /dev/tty1 | cut -d' ' -f2)
    for ((n = 0; n < $2; n++)); do
        fold -w "$columns" /dev/vcs1 | grep "$1" | sed 's/ *$//; s/^/GUEST-TTY1 /' | grep . && return
        sleep 1
    done
}

tty1_line login: 60
echo "GUEST-DONE uptime=$(cut -d' ' -f1 /proc/uptime)"
for _ in 1 2 3 4 5; do
    cat /run/guest-report > /dev/ttyS0 && break
    sleep 1
done
sleep 2
if grep -qw guestoff /proc/cmdline; then
    systemctl poweroff
else
    tty1_line 'root@guest:' 600 > /dev/ttyS0
fi
