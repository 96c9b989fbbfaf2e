#!/bin/bash
# mk-initramfs.sh FLAVOUR: a Debian kernel and a busybox initramfs that reports and powers off.
#
# FLAVOUR is amd64, 686-pae or 686.  Makes in $GUESTS:
#   vmlinuz-FLAVOUR            Debian's kernel, untouched
#   initrd-FLAVOUR.gz          busybox only: the fastest way to user space and back
#   initrd-FLAVOUR-drivers.gz  the same with the drivers of our board, and a report of what they found
# The report (init.sh, first comment) goes to the kernel's console, normally ttyS0.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# What our board has, as the kernel names it; modules they depend on come along by themselves.
drivers="ata_piix ata_generic ahci sd_mod sr_mod floppy psmouse bochs i2c_piix4 ext4 isofs vfat"

flavour=${1:?usage: mk-initramfs.sh amd64|686-pae|686}
case $flavour in
amd64)       arch=amd64 ;;
686-pae|686) arch=i386 ;;
*)           die "unknown kernel flavour $flavour" ;;
esac

applets="sh mount cat echo ls grep dmesg uname poweroff reboot sleep sha1sum head wc modprobe dd
         awk cut sed date sync tr seq"

# pack_tree DIR FILE: a reproducible compressed cpio archive.
pack_tree()
{
    (cd "$1" && find . -print0 | sort -z |
        cpio -0 -o -H newc -R 0:0 --quiet --reproducible) | gzip -9n > "$2.tmp"
    mv "$2.tmp" "$2"
}

# add_drivers: copy the modules and whatever they need into the tree.
add_drivers()
{
    local m f dir=$work/kernel/lib/modules/$version
    depmod -b "$work/kernel" "$version"
    mkdir -p "$work/tree/lib/modules/$version"
    for m in $drivers; do
        modprobe -d "$work/kernel" -S "$version" --show-depends "$m" 2>/dev/null |
            awk '$1 == "insmod" { print $2 }'
    done | sort -u | while read -r f; do
        f=${f#"$dir/"}
        mkdir -p "$work/tree/lib/modules/$version/${f%/*}"
        cp "$dir/$f" "$work/tree/lib/modules/$version/$f"
    done
    cp "$dir"/modules.{builtin,builtin.modinfo,order} "$work/tree/lib/modules/$version/"
    depmod -b "$work/tree" "$version"
    echo "$drivers" > "$work/tree/drivers"
}

if is_fresh "$GUESTS/initrd-$flavour-drivers.gz" "$0" "$here/init.sh" "$GUESTS/vmlinuz-$flavour"; then
    exit 0
fi
say "building $flavour"
need_packages cpio kmod
package=$(kernel_package "$arch" "linux-image-$flavour")
[ -n "$package" ] || die "no kernel package for $flavour"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deb_unpack "$arch" "$package" "$work/kernel"
deb_unpack "$arch" busybox-static "$work/busybox"
version=$(ls "$work/kernel/lib/modules")

mkdir -p "$work/tree"/{bin,proc,sys,dev,tmp}
ln -s bin "$work/tree/sbin"
cp "$work/busybox/bin/busybox" "$work/tree/bin/"
for a in $applets; do
    ln -s busybox "$work/tree/bin/$a"
done
install -m 755 "$here/init.sh" "$work/tree/init"
cp "$work/kernel/boot/vmlinuz-$version" "$GUESTS/vmlinuz-$flavour"
pack_tree "$work/tree" "$GUESTS/initrd-$flavour.gz"
add_drivers
pack_tree "$work/tree" "$GUESTS/initrd-$flavour-drivers.gz"
