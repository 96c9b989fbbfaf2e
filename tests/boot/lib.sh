# lib.sh: what the guest builders share; sourced, not run.
#
# Everything comes from Debian packages of whatever mirror this machine's apt is set up for.  Packages
# a guest is made of are downloaded with apt's state kept in our own cache directory, so the host's
# package database, its architectures and its /boot stay as they are.  Packages whose programs we
# run (mke2fs, xorriso, ...) are installed on the host if they are missing.
#
#   GUESTS   where images go            (default build/guests)
#   CACHE    downloaded packages        (default $GUESTS/cache)
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/boot
GUESTS=${GUESTS:-$top/build/guests}
CACHE=${CACHE:-$GUESTS/cache}
mkdir -p "$GUESTS" "$CACHE"
GUESTS=$(cd "$GUESTS" && pwd)
CACHE=$(cd "$CACHE" && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# as_root COMMAND...: run it as root, by sudo if need be.
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -E "$@"
    else
        die "needs root for: $* (no sudo here)"
    fi
}

# need_packages PKG...: install the missing ones on this machine.
need_packages()
{
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
        { as_root apt-get -qq update
          as_root env DEBIAN_FRONTEND=noninteractive \
              apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null; } ||
        die "cannot install ${missing[*]}"
}

# beyond PID RAM_KIB: KiB of an emulator's memory that are not the guest's RAM, which is the mapping of that size; pages that are
# mapped twice, as the translator's code, count once.
beyond()
{
    awk -v ram="$2" '
        $1 == "Size:" { is_ram = $2 >= ram }
        $1 == "Pss:" && !is_ram { sum += $2 }
        END { print sum + 0 }' "/proc/$1/smaps" 2>/dev/null
}

# is_fresh OUTPUT INPUT...: true if OUTPUT exists and no INPUT is newer.
is_fresh()
{
    local output=$1 i
    shift
    [ -s "$output" ] || return 1
    for i in "$@"; do
        [ "$i" -nt "$output" ] && return 1
    done
    return 0
}

# apt_private ARCH: set the array apt_opts so that apt works for ARCH inside the cache.
apt_private()
{
    local dir=$CACHE/apt-$1
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$CACHE/$1"
    [ -e "$dir/status" ] || : > "$dir/status"
    apt_opts=(-qq -o "APT::Architecture=$1" -o "APT::Architectures=$1"
              -o "Dir::State::Lists=$dir/lists" -o "Dir::State::status=$dir/status"
              -o "Dir::Cache=$dir" -o "APT::Sandbox::User=root")
    if [ ! -e "$dir/updated" ]; then
        # One list of several may be out of step on a mirror; the others are enough to go on with.
        apt-get "${apt_opts[@]}" update >"$dir/log" 2>&1 ||
            say "some package lists of $1 could not be fetched, see $dir/log"
        touch "$dir/updated"
    fi
}

# deb_file ARCH PKG: print the path of PKG's .deb, downloading it once.  A stale index is refreshed.
deb_file()
{
    local apt_opts file
    apt_private "$1"
    file=$(find "$CACHE/$1" -name "$2_*.deb" | sort -V | tail -n 1)
    if [ -z "$file" ]; then
        (cd "$CACHE/$1" && apt-get "${apt_opts[@]}" download "$2" >>"$CACHE/apt-$1/log" 2>&1) || {
            rm -f "$CACHE/apt-$1/updated"
            apt_private "$1"
            (cd "$CACHE/$1" && apt-get "${apt_opts[@]}" download "$2" >>"$CACHE/apt-$1/log" 2>&1) ||
                die "cannot download $2:$1, see $CACHE/apt-$1/log"
        }
        file=$(find "$CACHE/$1" -name "$2_*.deb" | sort -V | tail -n 1)
    fi
    printf '%s\n' "$file"
}

# deb_unpack ARCH PKG DIR
deb_unpack()
{
    local file
    file=$(deb_file "$1" "$2") || exit 1
    dpkg-deb -x "$file" "$3"
}

# kernel_package ARCH META: the versioned package behind linux-image-amd64 and the like.
kernel_package()
{
    local apt_opts
    apt_private "$1"
    apt-cache "${apt_opts[@]}" depends "$2" | awk '/Depends: linux-image-[0-9]/ { print $2; exit }'
}

# newest_package ARCH REGEX: the last of the packages whose whole name matches.
newest_package()
{
    local apt_opts name
    apt_private "$1"
    name=$(apt-cache "${apt_opts[@]}" pkgnames | grep -E "$2" | sort -V | tail -n 1)
    [ -n "$name" ] || die "no package $2 for $1"
    printf '%s\n' "$name"
}

# debian_source: "URI SUITE" of the Debian archive this machine's apt uses.
debian_source()
{
    # shellcheck disable=SC2016  # apt's own placeholders
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' |
        awk '$3 == "main" && $2 !~ /-/ { print $1, $2; exit }'
}

# why_not: why nothing can be built on this machine; empty if it can.
why_not()
{
    local tool apt_opts
    for tool in apt-get dpkg-deb dpkg-query; do
        command -v $tool >/dev/null || { echo "no $tool here"; return; }
    done
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || { echo "needs root or sudo"; return; }
    [ -n "$(debian_source)" ] || { echo "no Debian mirror in apt's configuration"; return; }
    apt_private amd64
    apt-get "${apt_opts[@]}" -o APT::Update::Error-Mode=any update >/dev/null 2>&1 ||
        echo "apt's mirror does not answer"
}
