#!/bin/bash
# guest-tests.sh: process 1 of debian-tests.raw.  The kernel word guesttests= says what to run:
#   openssl  openssl.sh     stress  stress.sh     all  one after the other
# Their lines go to ttyS0.  The end is GUEST-DONE and the machine's power-off.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root
exec </dev/null >/dev/ttyS0 2>&1
mount -o remount,rw /
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
expected=/usr/local/share/openssl.expected

echo "GUEST-UP $(uname -m) $(uname -r) $(grep -m1 '^model name' /proc/cpuinfo)"
case $(sed -n 's/.*guesttests=\([a-z]*\).*/\1/p' /proc/cmdline) in
openssl) openssl.sh $expected ;;
stress)  stress.sh ;;
all)     openssl.sh $expected; stress.sh ;;
esac
dmesg --level=emerg,alert,crit,err,warn | sed 's/^/GUEST-WARN /'
echo "GUEST-DONE uptime=$(cut -d' ' -f1 /proc/uptime)"
sync
sleep 1
poweroff -ff
