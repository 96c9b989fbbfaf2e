#!/bin/sh
# Installs the packages the build and `make check` need, when they are missing (Debian; as root or through sudo).
set -e
missing=
need() { # PACKAGE TEST-COMMAND...
    p=$1; shift
    "$@" >/dev/null 2>&1 || missing="$missing $p"
}
need pkg-config command -v pkg-config
need libsdl2-dev pkg-config --exists sdl2
need zlib1g-dev test -f /usr/include/zlib.h
need check pkg-config --exists check
need gcc command -v gcc
need binutils command -v objcopy
need acpica-tools command -v iasl
[ -z "$missing" ] && exit 0
echo "installing:$missing"
if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
if ! command -v apt-get >/dev/null; then
    echo "aeropc needs these packages:$missing (no apt-get here: please install them by hand)" >&2
    exit 1
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
