#!/bin/bash
# init.sh: process 1 of debian-programs.raw: run.sh, with the parts that the kernel word programs=
# names (with commas; without the word all), PROGRAMS_ONLY from programsonly= and PROGRAMS_SHARE from
# programsshare=.  Its lines go to ttyS0.  The end is GUEST-DONE and the machine's power-off.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/tmp
exec </dev/null >/dev/ttyS0 2>&1
mount -o remount,rw /
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
# The tree on the host had no devpts, which the initrd mounts; tests that want a terminal stay out on both sides.
umount /dev/pts
ip link set lo up 2>/dev/null

word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

echo "GUEST-UP $(uname -m) $(uname -r) $(grep -m1 '^model name' /proc/cpuinfo)"
only=$(word programsonly)
share=$(word programsshare)
# shellcheck disable=SC2046  # words are words
PROGRAMS_ONLY=${only:-.} PROGRAMS_SHARE=${share:-1/1} /opt/programs/run.sh $(word programs | tr ',' ' ')
sed 's/^/programs-speed /' /tmp/programs/speed 2>/dev/null
dmesg --level=emerg,alert,crit,err,warn | sed 's/^/GUEST-WARN /'
echo "GUEST-DONE uptime=$(cut -d' ' -f1 /proc/uptime)"
sync
sleep 1
poweroff -ff
