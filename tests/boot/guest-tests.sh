#!/bin/bash
# guest-tests.sh: process 1 of debian-tests.raw.  The kernel word guesttests= says what to run:
#   openssl  openssl.sh     stress  stress.sh
#   kernel   the self-tests that Debian's kernel has as modules: BPF programs through its translator,
#            copies from and to user space, patched jumps, the RAID6 and XOR routines, all its ciphers
#            and digests in every variant that this processor can run
#   all      one after the other
# Their lines go to ttyS0.  The end is GUEST-DONE and the machine's power-off.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root
exec </dev/null >/dev/ttyS0 2>&1
mount -o remount,rw /
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
expected=/usr/local/share/openssl.expected

# kernel_tests: a module's tests run when it is loaded; what they say is in the kernel's log.
kernel_tests()
{
    local module passed=0 failed=0
    for module in test_bpf test_user_copy test_static_keys raid6_pq xor; do
        if modprobe $module; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "kernel-FAIL $module"
        fi
    done
    # An algorithm is tested when it is registered.  Modules for instructions that are not there refuse.
    for module in /lib/modules/*/kernel/{crypto,arch/x86/crypto}/*.ko; do
        module=${module##*/}
        [ "$module" = tcrypt.ko ] || modprobe "${module%.ko}" 2>/dev/null
    done
    sleep 2
    awk '/^driver/ { name = $3 }
         /^selftest/ && $3 == "passed" { n++ }
         /^selftest/ && $3 != "passed" { bad++; print "kernel-FAIL crypto " name, $3 }
         END { print "kernel-crypto: " n " passed, " bad + 0 " failed" }' /proc/crypto
    awk '/^driver/ { print "kernel-has", $3 }' /proc/crypto | paste -sd' ' | sed 's/ kernel-has//g'
    dmesg | grep -E 'test_bpf: Summary|test_user_copy:|raid6: using|xor: using|FAIL' | sed 's/^/kernel-says /'
    echo "kernel: $passed passed, $failed failed"
}

echo "GUEST-UP $(uname -m) $(uname -r) $(grep -m1 '^model name' /proc/cpuinfo)"
case $(sed -n 's/.*guesttests=\([a-z]*\).*/\1/p' /proc/cmdline) in
openssl) openssl.sh $expected ;;
stress)  stress.sh ;;
kernel)  kernel_tests ;;
all)     openssl.sh $expected; stress.sh; kernel_tests ;;
esac
dmesg --level=emerg,alert,crit,err,warn | sed 's/^/GUEST-WARN /'
echo "GUEST-DONE uptime=$(cut -d' ' -f1 /proc/uptime)"
sync
sleep 1
poweroff -ff
