#!/bin/bash
# mk-disk.sh: debian-amd64.raw, a bootable Debian disk: MBR, GRUB, one ext4 partition, systemd.
#
# root has no password; the login prompt is on ttyS0 and on the screen's consoles.  After the boot
# the guest-report service writes report.sh's lines to ttyS0.  GRUB's menu (also on ttyS0):
#   hot key d  default: as Debian boots, the screen goes to the frame buffer driver (bochs-drm)
#   hot key t  that driver stays out: the screen remains in VGA text mode, which tests can read
#   hot key o  the word guestoff: power off after the report
# No kernel word steers timers, interrupts or ACPI.  Built without loop devices or mounts.
# Needs root for debootstrap (sudo is used if we are not).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

image=$GUESTS/debian-amd64.raw
is_fresh "$image" "$0" "$here/report.sh" && exit 0
if [ "$(id -u)" != 0 ]; then
    as_root env GUESTS="$GUESTS" CACHE="$CACHE" "$0"
    as_root chown -R "$(id -u):$(id -g)" "$GUESTS"
    exit 0
fi

size_mib=1400
first_sector=2048
packages=systemd-sysv,udev,kmod,procps,zstd,initramfs-tools,linux-image-amd64,pciutils
say "building debian-amd64.raw"
need_packages debootstrap e2fsprogs fdisk grub-common grub-pc-bin
work=$(mktemp -d "$GUESTS/disk.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

install_debian()
{
    local uri suite
    read -r uri suite < <(debian_source) || die "no Debian mirror in apt's configuration"
    mkdir -p "$CACHE/debootstrap"
    debootstrap --variant=minbase --arch=amd64 --include="$packages" \
        --cache-dir="$CACHE/debootstrap" "${SUITE:-$suite}" "$root" "$uri" \
        >"$GUESTS/mk-disk.log" 2>&1 || die "debootstrap failed: $GUESTS/mk-disk.log"
    version=$(ls "$root/lib/modules")
}

configure_debian()
{
    local t
    echo guest > "$root/etc/hostname"
    echo '/dev/sda1 / ext4 rw,noatime 0 1' > "$root/etc/fstab"
    : > "$root/etc/machine-id"
    sed -i 's/^root:[^:]*:/root::/' "$root/etc/passwd"
    install -m 755 "$here/report.sh" "$root/usr/local/sbin/guest-report"
    cat > "$root/etc/systemd/system/guest-report.service" <<'U'
[Unit]
Description=report to ttyS0
After=multi-user.target
[Service]
ExecStart=/usr/local/sbin/guest-report
[Install]
WantedBy=graphical.target
U
    chroot "$root" systemctl -q enable guest-report
    chroot "$root" systemctl -q set-default graphical.target
    for t in apt-daily apt-daily-upgrade e2scrub_all fstrim dpkg-db-backup; do
        chroot "$root" systemctl -q mask "$t.timer"
    done
    chroot "$root" apt-get clean
    rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
}

# menu_entry HOTKEY TITLE WORDS
menu_entry()
{
    printf 'menuentry "%s" --hotkey=%s {\n' "$2" "$1"
    printf ' linux /boot/vmlinuz-%s root=/dev/sda1 ro console=tty0 console=ttyS0,115200%s\n' \
        "$version" "$3"
    printf ' initrd /boot/initrd.img-%s\n}\n' "$version"
}

configure_grub()
{
    mkdir -p "$root/boot/grub/i386-pc"
    cp /usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
    {
        printf 'serial --unit=0 --speed=115200\nterminal_input console serial\n'
        printf 'terminal_output console serial\nset timeout=5\nset default=0\n'
        menu_entry d "Debian" ""
        menu_entry t "Debian, text screen" " modprobe.blacklist=bochs"
        menu_entry o "Debian, report and power off" " guestoff"
    } > "$root/boot/grub/grub.cfg"
}

# write_disk: partition table, file system filled from the tree, boot sector and GRUB's core behind it.
write_disk()
{
    local disk=$work/disk.raw
    truncate -s "${size_mib}M" "$disk"
    printf 'label: dos\nlabel-id: 0x0ae20bc1\nstart=%s,type=83,bootable\n' "$first_sector" |
        sfdisk -q "$disk"
    mke2fs -q -t ext4 -O '^metadata_csum_seed,^orphan_file' -L guest -d "$root" \
        -E "offset=$((first_sector * 512)),root_owner=0:0" -F "$disk" "$((size_mib - 2))M"
    printf 'set root=(hd0,msdos1)\nset prefix=(hd0,msdos1)/boot/grub\n' > "$work/early.cfg"
    grub-mkimage -O i386-pc -o "$work/core.img" -p '(hd0,msdos1)/boot/grub' -c "$work/early.cfg" \
        biosdisk part_msdos ext2 normal serial linux
    dd if=/usr/lib/grub/i386-pc/boot.img of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
    mv "$disk" "$image"
}

install_debian
configure_debian
configure_grub
write_disk
