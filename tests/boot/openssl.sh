#!/bin/bash
# openssl.sh [-g] FILE: OpenSSL as a test of the processor, in a guest.  The same digests, ciphers and
# signatures over the same 96 KiB, each with six choices of instruction sets that OpenSSL may use.
# -g writes the answers to FILE, on a processor known to be right; without it they are compared.
# A line for each that differs; the last line is "openssl: P passed, F failed" (241 in all).
set -u
generate=no
[ "$1" = -g ] && { generate=yes; shift; }
answers=$1
dir=$(mktemp -d)
passed=0 failed=0

# OPENSSL_ia32cap: all, none, and without some of AES-NI with PCLMULQDQ, AVX, AVX2 with BMI, SSSE3.
masks='all 0:0 ~0x200000200000000 ~0x1000000000000000:~0x20 :~0x108 ~0x20000000000'
digests='md5 sha1 sha224 sha256 sha384 sha512 sha3-256 sha3-512 shake256 blake2b512 blake2s256 sm3'
ciphers='aes-128-cbc aes-192-cbc aes-256-cbc aes-128-ctr aes-256-ctr aes-128-cfb8 aes-128-ofb
         camellia-128-cbc aria-128-ctr sm4-ctr chacha20 des-ede3-cbc'
key128=000102030405060708090a0b0c0d0e0f
key192=${key128}1011121314151617
key256=${key192}18191a1b1c1d1e1f
iv128=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff

# check NAME COMMAND...: the command's output is the answer.
check()
{
    local name=$1 answer
    shift
    answer=$("$@" 2>/dev/null)
    if [ -n "$answer" ] && [ $generate = yes ]; then
        echo "$name $answer" >> "$answers"
        passed=$((passed + 1))
    elif [ -n "$answer" ] && grep -qxF "$name $answer" "$answers"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "openssl-FAIL $name: $answer"
    fi
}

digest() { openssl dgst "-$1" < "$dir/data" | sed 's/.*= *//'; }

# encrypt CIPHER: the ciphertext's digest; decrypt CIPHER: whether it comes back.
encrypt()
{
    crypt "$1" "$dir/data" "$dir/secret" -e && openssl dgst -md5 < "$dir/secret" | sed 's/.*= *//'
}

decrypt()
{
    crypt "$1" "$dir/data" "$dir/secret" -e && crypt "$1" "$dir/secret" "$dir/back" -d &&
        cmp -s "$dir/data" "$dir/back" && echo same
}

# crypt CIPHER FROM TO WAY
crypt()
{
    local key=$key128 iv=$iv128
    case $1 in
    *256*|chacha20) key=$key256 ;;
    *192*)          key=$key192 ;;
    des-ede3*)      key=$key192 iv=${iv128:0:16} ;;
    esac
    openssl enc "$4" "-$1" -K "$key" -iv "$iv" -nosalt -in "$2" -out "$3"
}

# signature WORDS...: a new key of that kind, a signature, and whether it holds.
signature()
{
    openssl genpkey -algorithm "$@" -out "$dir/key" &&
        openssl pkey -in "$dir/key" -pubout -out "$dir/public" || return
    if [ "$1" = ED25519 ]; then
        openssl pkeyutl -sign -rawin -inkey "$dir/key" -in "$dir/data" -out "$dir/sig" &&
            openssl pkeyutl -verify -rawin -pubin -inkey "$dir/public" -in "$dir/data" \
                -sigfile "$dir/sig" >/dev/null && echo holds
    else
        openssl dgst -sha256 -sign "$dir/key" -out "$dir/sig" "$dir/data" &&
            openssl dgst -sha256 -verify "$dir/public" -signature "$dir/sig" "$dir/data" \
                >/dev/null && echo holds
    fi
}

head -c 98304 /dev/zero > "$dir/zeros"
OPENSSL_ia32cap=0:0 openssl enc -aes-128-ctr -K $key128 -iv $iv128 -nosalt -in "$dir/zeros" -out "$dir/data"
[ $generate = no ] || : > "$answers"
for mask in $masks; do
    if [ "$mask" = all ]; then
        unset OPENSSL_ia32cap
    else
        export OPENSSL_ia32cap=$mask
    fi
    for d in $digests; do
        check "$mask-$d" digest "$d"
    done
    for c in $ciphers; do
        check "$mask-$c" encrypt "$c"
        check "$mask-$c-back" decrypt "$c"
    done
    check "$mask-rsa1024" signature RSA -pkeyopt rsa_keygen_bits:1024
    check "$mask-p256" signature EC -pkeyopt ec_paramgen_curve:P-256
    check "$mask-p384" signature EC -pkeyopt ec_paramgen_curve:secp384r1
    check "$mask-ed25519" signature ED25519
    [ $generate = yes ] || echo "openssl-at $mask ${SECONDS}s"
done
unset OPENSSL_ia32cap
check prime openssl prime 170141183460469231731687303715884105727
rm -rf "$dir"
echo "openssl: $passed passed, $failed failed"
[ $failed = 0 ]
