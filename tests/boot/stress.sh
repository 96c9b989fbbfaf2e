#!/bin/bash
# stress.sh [SECONDS]: stress-ng's stressors that check their own results, as a test of the processor
# and of the kernel's use of it, in a guest.  Bounded by operations; SECONDS (default 900) is the
# limit of each.  A line for each, with the seconds it took; the last line is
# "stress: P passed, F failed" (137 in all).
set -u
limit=${1:-900}
passed=0 failed=0

cpu_methods='ackermann apery bitops callfunc cdouble cfloat clongdouble collatz correlate crc16
    decimal32 decimal64 decimal128 dither div8 div16 div32 div64 div128 double euler explog factorial
    fibonacci fft fletcher16 float float32 float64 float80 float128 floatconversion gamma gcd gray
    hamming hanoi hyperbolic idct int128 int64 int32 int16 int8 int128float int128double
    int128longdouble int128decimal32 int128decimal64 int128decimal128 int64float int64double
    int64longdouble int32float int32double int32longdouble intconversion ipv4checksum jmp lfsr32 ln2
    logmap longdouble loop matrixprod nsqrt omega parity phi pi prime psi queens rand rand48 rgb sieve
    stats sqrt trig union zeta'

# run NAME WORDS...
run()
{
    local name=$1 start=$SECONDS status
    shift
    timeout "$limit" stress-ng --verify --temp-path /tmp --seed 42 -q "$@" </dev/null >/tmp/stress.out 2>&1
    status=$?
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        echo "stress-ok $name $((SECONDS - start))s"
    else
        failed=$((failed + 1))
        echo "stress-FAIL $name: status $status, $((SECONDS - start))s: $(tail -n 3 /tmp/stress.out)"
    fi
}

for method in $cpu_methods; do
    run "cpu-$method" --cpu 1 --cpu-method "$method" --cpu-ops 1
done

# STRESSOR OPERATIONS WORDS...
while read -r stressor operations words; do
    # shellcheck disable=SC2086  # words are words
    run "$stressor" "--$stressor" 1 "--$stressor-ops" "$operations" $words
done <<'T'
atomic 20
bsearch 1 --bsearch-size 4096
branch 20
crypt 1
context 200
fp-error 20
funccall 2
funcret 2
goto 20
hash 5
heapsort 1 --heapsort-size 4096
hsearch 1
icache 2
jpeg 1
longjmp 200
lsearch 1 --lsearch-size 1024
malloc 500
matrix 5 --matrix-size 64
matrix-3d 1 --matrix-3d-size 32
memcpy 2
memthrash 2
mergesort 1 --mergesort-size 4096
misaligned 5
mmap 1 --mmap-bytes 1m
nop 50
prefetch 1
qsort 1 --qsort-size 4096
radixsort 1 --radixsort-size 4096
regs 20
rotate 20
shellsort 1 --shellsort-size 4096
sigfpe 50
sigsegv 50
sigtrap 50
skiplist 1 --skiplist-size 1024
stackmmap 1
str 2
switch 200
tree 1 --tree-size 1024
tsc 2
tsearch 1 --tsearch-size 1024
vecfp 1
vecmath 2
vecshuf 1
vecwide 1
vm 1 --vm-bytes 1m --vm-method all
wcs 2
zlib 2
x86syscall 20
fork 20
pthread 20
pipe 500
futex 200
timer 50
clock 2
T
echo "stress: $passed passed, $failed failed"
[ $failed = 0 ]
