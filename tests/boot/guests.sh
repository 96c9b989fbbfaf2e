#!/bin/bash
# guests.sh [FILE...]: make the boot ladder's guests that are missing or older than their recipe.
#
# Without arguments all of them.  Everything is made of Debian packages; see README.md for the list.
# GUESTS=DIR says where they go (default build/guests).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# from_package FILE PKG PATH: FILE is PATH inside the package PKG.
from_package()
{
    local work
    is_fresh "$GUESTS/$1" "$0" && return
    say "taking $1 from $2"
    work=$(mktemp -d)
    deb_unpack amd64 "$2" "$work"
    cp "$work/$3" "$GUESTS/$1.tmp"
    chmod u+w "$GUESTS/$1.tmp"
    touch "$GUESTS/$1.tmp"
    mv "$GUESTS/$1.tmp" "$GUESTS/$1"
    rm -rf "$work"
}

# dos_floppy FILE FLOPPY: FILE is FLOPPY with dos.S as DOS.COM on it.
dos_floppy()
{
    local work
    [ -s "$GUESTS/$2" ] || die "no recipe for $2"
    is_fresh "$GUESTS/$1" "$0" "$here/dos.S" "$GUESTS/$2" && return
    need_packages mtools binutils
    work=$(mktemp -d)
    as --32 -o "$work/dos.o" "$here/dos.S"
    ld -m elf_i386 --oformat binary -Ttext 0x100 -e _start -o "$work/dos.com" "$work/dos.o"
    cp "$GUESTS/$2" "$work/floppy"
    mcopy -i "$work/floppy" "$work/dos.com" ::DOS.COM
    mv "$work/floppy" "$GUESTS/$1"
    rm -rf "$work"
}

make_guest()
{
    case $1 in
    grub-rescue-cdrom.iso|grub-rescue-floppy.img)
        from_package "$1" grub-rescue-pc "usr/lib/grub-rescue/$1" ;;
    memtest86+x64.iso|memtest86+ia32.iso)
        from_package "$1" memtest86+ "usr/lib/memtest86+/$1" ;;
    ipxe.iso)
        from_package "$1" ipxe usr/lib/ipxe/ipxe.iso ;;
    isolinux.iso|grub.iso)
        "$here/mk-iso.sh" ;;
    freedos-dos.img)
        dos_floppy "$1" freedos.img ;;
    more.iso)
        "$here/mk-more.sh" ;;
    seabios.bin)
        from_package "$1" seabios usr/share/seabios/bios-256k.bin ;;
    seavgabios.bin)
        from_package "$1" seabios usr/share/seabios/vgabios-stdvga.bin ;;
    debian-amd64.raw|debian-tests.raw|debian-programs.raw|debian-x.raw)
        "$here/mk-disk.sh" "$1" ;;
    *)  [ -s "$GUESTS/$1" ] || die "no recipe for $1" ;;
    esac
}

if [ $# = 0 ]; then
    set -- grub-rescue-cdrom.iso grub-rescue-floppy.img memtest86+x64.iso memtest86+ia32.iso \
        ipxe.iso isolinux.iso grub.iso debian-amd64.raw debian-tests.raw debian-x.raw more.iso \
        seabios.bin seavgabios.bin
fi
for guest in "$@"; do
    make_guest "$guest"
done
