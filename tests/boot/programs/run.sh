#!/bin/bash
# run.sh [-g] [PART...]: programs as a test of the processor, the same in a guest and on the machine
# that makes the disk (mk-disk.sh).  -g writes the answers: what the programs say on a processor known
# to be right.  Without it what they say is compared, byte for byte.  Parts, without arguments all:
#   compiler  gcc compiles OpenSSL's and our sources, with and without optimisation, for 64 and 32 bits;
#             the objects must be the same; what is a program runs, too
#   openssl   OpenSSL's own test programs and data, every digest and cipher the command has, its speed
#   python    Python's test modules, and digest.py
#   perl      Perl's own tests
#   stress    stress-ng's stressors that check themselves (stress.sh has more of them)
# A line for each program, and what differs where one fails; a part ends with
# "programs: PART, P passed, F failed, S seconds".
#
# PROGRAMS_ONLY=REGEX runs the checks of matching names, PROGRAMS_SHARE=K/N each part's K-th check and
# every N-th after it; N shares are the whole.  Everything lies in /opt/programs.
set -u
export LC_ALL=C.UTF-8 HOME=/tmp TZ=UTC PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PERL_HASH_SEED=0
# glibc's functions for these would round differently, and not every CPU model has them.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL
home=/opt/programs
answers=$home/answers
work=/tmp/programs
share=${PROGRAMS_SHARE:-1/1}
generate=no limit=900
if [ "${1:-}" = -g ]; then
    generate=yes share=1/1
    shift
fi
passed=0 failed=0 number=0

# check NAME COMMAND...: what it prints, standard error included, and its status are the answer.
check()
{
    local name=$1 status start=$SECONDS expected=$work/silence
    shift
    [[ $name =~ ${PROGRAMS_ONLY:-.} ]] || return
    [ $((number++ % ${share#*/})) = $((${share%/*} - 1)) ] || return
    rm -rf "$work/tmp"
    mkdir -p "$work/tmp" "$work/out"
    (cd "$work/tmp" && timeout -k 5 "$limit" bash -c '"$@"' - "$@") >"$work/out/$name" 2>&1 </dev/null
    status=$?
    echo "status $status" >> "$work/out/$name"
    if [ $generate = yes ]; then
        cp "$work/out/$name" "$answers/$name"
        return
    fi
    [[ $name = stress-* ]] || expected=$answers/$name
    if cmp -s "$expected" "$work/out/$name"; then
        passed=$((passed + 1))
        rm -f "$work/out/$name"
        echo "programs-ok $name $((SECONDS - start))s"
    else
        failed=$((failed + 1))
        echo "programs-FAIL $name, status $status after $((SECONDS - start))s"
        diff -a "$expected" "$work/out/$name" | head -n 20 | cut -c1-200
    fi
}

# --- compiler ---

# objects FLAGS FILE...: the digests of what gcc makes of C files with these flags.
objects()
{
    local flags=$1 f
    shift
    for f in "$@"; do
        # shellcheck disable=SC2086  # words are words
        gcc $flags -frandom-seed=1 -c -o "$work/tmp/o.o" "$f" && sha1sum < "$work/tmp/o.o"
    done
}

# program FLAGS WORDS...: build it, its digest and what it says.
program()
{
    local flags=$1
    shift
    # shellcheck disable=SC2086
    gcc $flags -frandom-seed=1 -Wl,--build-id=none -o "$work/tmp/p" "$@" -lm || return
    sha1sum < "$work/tmp/p"
    # The rates of the benchmark's programs are no answer, their checksums are; those of `exec` count what
    # /proc/self/exe started, and where the answers are made there is no /proc.
    BENCH_MS=1 "$work/tmp/p" | grep -v '^BENCH kernel exec ' | sed -E 's/^(BENCH [^ ]+ [^ ]+ [^ ]+) .*/\1/'
}

run_compiler()
{
    local ssl=$home/openssl flags name file
    for flags in "-m64 -O0" "-m64 -O2" "-m64 -O3 -ffast-math" "-m32 -O0" "-m32 -O2" "-m32 -O3 -msse2 -mfpmath=sse"; do
        name=$(tr -d ' ' <<<"$flags")
        for file in float integer; do
            check "compiler$name-$file" program "$flags" $home/$file.c
        done
        [[ $flags = -m32* ]] || check "compiler$name-bench" program "$flags" -I$home $home/tests/bench/work*.c
    done
    for flags in "-m64 -O0" "-m64 -O2" "-m64 -O3 -mavx2" "-m32 -O2"; do
        name=$(tr -d ' ' <<<"$flags")
        check "compiler$name-bn" objects "$flags -w -I$ssl -I$ssl/include" \
            $ssl/crypto/bn/bn_{add,asm,div,exp,gcd,mul,prime,sqr}.c
    done
    check compiler-ec objects "-O2 -w -I$ssl -I$ssl/include" $ssl/crypto/ec/ec{_lib,_mult,p_smpl}.c \
        $ssl/crypto/ec/curve448/curve448.c $ssl/crypto/ec/curve25519.c
    check compiler-make make_twice
}

# make_twice: a program in many files, built by make, then nothing left to do.
make_twice()
{
    local k
    for k in {1..30}; do
        printf '#include <stdio.h>\nint f%d(int x) { printf("%%d\\n", x); return x * %d + 7; }\n' $k $k > f$k.c
    done
    {
        for k in {1..30}; do echo "int f$k(int);"; done
        echo 'int main(void) { int x = 1;'
        for k in {1..30}; do echo " x = f$k(x) ^ $k;"; done
        echo ' return x & 63; }'
    } > main.c
    # shellcheck disable=SC2016  # make's variables
    printf 'p: $(patsubst %%.c,%%.o,$(wildcard *.c))\n\tgcc -Wl,--build-id=none -o $@ $^\n%%.o: %%.c\n\tgcc -O2 -c -o $@ $<\n' > Makefile
    make -j2 >/dev/null && make && ./p
    echo "it says $?"
    sha1sum p
}

# --- openssl ---

ssl_test()
{
    local dir=$home/openssl name=$1
    shift
    cd $dir/test && LD_LIBRARY_PATH=$dir OPENSSL_MODULES=$dir/providers OPENSSL_ENGINES=$dir/engines \
        OPENSSL_CONF=$dir/test/default.cnf "$dir/test/$name" "$@" 2>&1 |
        grep -E '^ *(not )?ok|^ *1\.\.|Completed|SKIP' | sed 's/ # iteration.*//'
    return "${PIPESTATUS[0]}"
}

every_digest()
{
    local d
    for d in $(openssl list -1 -digest-commands); do
        printf '%s ' "$d"
        openssl dgst -provider default -provider legacy "-$d" < $home/data 2>&1 | sed 's/.*= *//'
    done
}

every_cipher()
{
    local c p="-provider default -provider legacy"
    for c in $(openssl list -1 -cipher-commands | grep -vE 'base64|zlib|zstd|brotli'); do
        # shellcheck disable=SC2086
        openssl enc $p -"$c" -pbkdf2 -iter 50 -S 0102030405060708 -k word -in $home/data -out "$work/tmp/e" 2>&1 || continue
        echo "$c $(sha1sum < "$work/tmp/e")"
        # shellcheck disable=SC2086
        openssl enc -d $p -"$c" -pbkdf2 -iter 50 -S 0102030405060708 -k word -in "$work/tmp/e" | cmp - $home/data
    done
}

# Deterministic signatures have answers, the others must hold.
signatures()
{
    local kind
    for kind in RSA:rsa_keygen_bits:2048 RSA-PSS:rsa_keygen_bits:1536 EC:ec_paramgen_curve:P-256 \
        EC:ec_paramgen_curve:P-521 EC:ec_paramgen_curve:secp256k1 EC:ec_paramgen_curve:brainpoolP256r1; do
        openssl genpkey -quiet -algorithm "${kind%%:*}" -pkeyopt "${kind#*:}" -out key &&
            openssl pkey -in key -pubout -out public &&
            openssl dgst -sha256 -sign key -out sig $home/data &&
            openssl dgst -sha256 -verify public -signature sig $home/data
    done
    for kind in 2048 4096; do
        openssl dgst -sha512 -sign $home/rsa$kind.pem $home/data | sha1sum
        openssl rsa -check -noout -in $home/rsa$kind.pem
    done
    for kind in ED25519 ED448; do
        openssl genpkey -algorithm $kind -out key && openssl pkey -in key -pubout -out public &&
            openssl pkeyutl -sign -rawin -inkey key -in $home/digest.py -out sig &&
            openssl pkeyutl -verify -rawin -pubin -inkey public -in $home/digest.py -sigfile sig
    done
    openssl req -x509 -new -key $home/rsa2048.pem -subj /CN=guest -days 3650 -out cert.pem &&
        openssl verify -CAfile cert.pem cert.pem
}

primes()
{
    openssl prime 170141183460469231731687303715884105727 162259276829213363391578010288127 \
        170141183460469231731687303715884105725
    openssl prime -generate -bits 512 | wc -l
    openssl prime -hex "$(openssl prime -generate -bits 384 -hex)" | grep -o 'is prime'
}

# The figures depend on the machine; that each algorithm runs and none fails does not.
ssl_speed()
{
    local a
    for a in $1; do
        openssl speed -seconds 1 -bytes 8192 "${a/#evp:/-evp=}" >speed 2>speed.err || echo "$a fails"
        [ "$generate" = yes ] || tail -n 1 speed >&3
        tail -n 1 speed | grep -qE '[1-9]' && echo "$a runs"
    done 3>>"$work/speed"
}

# fips_self_tests: the FIPS provider's known answers, its digest of itself, and that a second load holds.
fips_self_tests()
{
    local dir=$home/openssl
    export LD_LIBRARY_PATH=$dir
    openssl fipsinstall -module $dir/providers/fips.so -out fips.cnf 2>&1
    grep -vE '^#|^$' fips.cnf
    openssl fipsinstall -verify -module $dir/providers/fips.so -in fips.cnf 2>&1
}

run_openssl()
{
    local t f dir=$home/openssl/test/recipes
    check openssl-digests every_digest
    check openssl-ciphers every_cipher
    check openssl-signatures signatures
    check openssl-primes primes
    check openssl-speed ssl_speed "md5 sha256 sha512 evp:aes-128-cbc evp:aes-128-gcm evp:chacha20-poly1305 evp:camellia-128-cbc rsa2048 ecdsap256 ecdhx25519"
    check openssl-fips fips_self_tests
    check openssl-threads ssl_test threadstest $dir/90-test_threads_data
    for t in $(cat $home/openssl.list); do
        check "openssl-$t" ssl_test "$t"
    done
    for f in $dir/10-test_bn_data/*.txt; do
        check "openssl-bn-$(basename "$f" .txt)" ssl_test bntest "$f"
    done
    for f in $dir/30-test_evp_data/*.txt; do
        # These ciphers exist only with AES-NI, which not every CPU model has.
        [[ $f != *aes_stitched* ]] || grep -qw aes /proc/cpuinfo || continue
        check "openssl-evp-$(basename "$f" .txt)" ssl_test evp_test "$f"
    done
}

# --- python ---

# python_test MODULE: each test's result and how many ran; regrtest's own lines have times in them.
python_test()
{
    python3 -m test -v "test_$1" 2>&1 | tee "$work/python.log" |
        grep -oE '[.]{3} (ok|FAIL|ERROR|skipped.*|expected failure)$|^Ran [0-9]+ tests?|^(OK|FAILED).*' |
        sort | uniq -c
    return "${PIPESTATUS[0]}"
}

run_python()
{
    local t
    check python-digest python3 $home/digest.py
    for t in $(cat $home/python.list); do
        check "python-$t" python_test "$t"
    done
}

# --- perl ---

# perl_test FILE: the results of its tests by number; names may have addresses in them.
perl_test()
{
    cd $home/perl/t && PERL_CORE=1 LC_ALL=C ./perl -I../lib "$1" 2>/dev/null |
        grep -aoE '^ *(not )?ok [0-9]+|^ *1\.\.[0-9]+'
    return "${PIPESTATUS[0]}"
}

run_perl()
{
    local t
    for t in $(cat $home/perl.list); do
        check "perl-$(tr '/' '_' <<<"${t#../}")" perl_test "$t"
    done
}

# --- stress ---

run_stress()
{
    [ $generate = no ] || return
    local method words
    for method in $(methods cpu); do
        check "stress-cpu-$method" stress_ng --cpu 1 --cpu-method "$method" --cpu-ops 2
    done
    # prime-incdec needs minutes for one operation on any machine.
    for method in $(methods vm | grep -vx prime-incdec); do
        check "stress-vm-$method" stress_ng --vm 1 --vm-method "$method" --vm-bytes 1m --vm-ops 2
    done
    while read -r words; do
        # shellcheck disable=SC2086
        check "stress-$(awk '{ print substr($1, 3) $3 }' <<<"$words")" stress_ng $words
    done <<'T'
--fp-error 1 --fp-error-ops 50
--matrix 1 --matrix-method all --matrix-size 64 --matrix-ops 40
--matrix-3d 1 --matrix-3d-method all --matrix-3d-size 32 --matrix-3d-ops 12
--memcpy 1 --memcpy-method all --memcpy-ops 10
--qsort 1 --qsort-size 32768 --qsort-ops 2
--heapsort 1 --heapsort-size 32768 --heapsort-ops 2
--mergesort 1 --mergesort-size 32768 --mergesort-ops 2
--shellsort 1 --shellsort-size 32768 --shellsort-ops 2
--radixsort 1 --radixsort-size 32768 --radixsort-ops 2
--vecmath 1 --vecmath-ops 4
--vecfp 1 --vecfp-ops 2
--vecwide 1 --vecwide-ops 4
--vecshuf 1 --vecshuf-ops 2
--funccall 1 --funccall-method float80 --funccall-ops 10
--funcret 1 --funcret-method uint8x128 --funcret-ops 10
--hash 1 --hash-ops 10
--str 1 --str-method all --str-ops 8
--wcs 1 --wcs-method all --wcs-ops 8
--zlib 1 --zlib-ops 4
--crypt 1 --crypt-ops 2
--bsearch 1 --bsearch-size 8192 --bsearch-ops 2
--hsearch 1 --hsearch-ops 4
--lsearch 1 --lsearch-size 2048 --lsearch-ops 2
--tsearch 1 --tsearch-size 8192 --tsearch-ops 2
--tree 1 --tree-size 8192 --tree-ops 2
--skiplist 1 --skiplist-size 4096 --skiplist-ops 2
--malloc 1 --malloc-ops 3000
--mmap 1 --mmap-bytes 1m --mmap-ops 2
--sigsegv 1 --sigsegv-ops 1000
--sigfpe 1 --sigfpe-ops 2000
--longjmp 1 --longjmp-ops 1000
--icache 1 --icache-ops 10
--branch 1 --branch-ops 100
--atomic 1 --atomic-ops 100
--jpeg 1 --jpeg-ops 2
--fork 1 --fork-ops 200
--pthread 1 --pthread-ops 300
--switch 1 --switch-ops 5000
--context 1 --context-ops 2000
--vm-rw 1 --vm-rw-bytes 4m --vm-rw-ops 4
--stackmmap 1 --stackmmap-ops 3
--regs 1 --regs-ops 100
--nop 1 --nop-ops 200
--misaligned 1 --misaligned-ops 20
--rotate 1 --rotate-ops 40
--randlist 1 --randlist-items 5000 --randlist-ops 4
T
}

# methods STRESSOR: what its option --STRESSOR-method knows, but for "all".
methods()
{
    stress-ng "--$1" 1 "--$1-method" which 2>&1 | sed 's/.*must be one of: //' | tr ' ' '\n' | grep -vx all
}

# stress_ng WORDS...: it says nothing if all is well, which is the only answer there is.
stress_ng()
{
    timeout "$limit" stress-ng --verify --temp-path /tmp --seed 42 -q "$@" 2>&1
}

export -f objects program make_twice ssl_test every_digest every_cipher signatures primes ssl_speed
export -f fips_self_tests
export -f python_test perl_test stress_ng
export home work limit generate

[ $# != 0 ] || set -- compiler openssl python perl stress
mkdir -p "$work"
echo "status 0" > "$work/silence"
for part in "$@"; do
    passed=0 failed=0 number=0 start=$SECONDS
    "run_$part"
    [ $generate = yes ] || echo "programs: $part, $passed passed, $failed failed, $((SECONDS - start)) seconds"
done
