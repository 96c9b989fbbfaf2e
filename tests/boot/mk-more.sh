#!/bin/bash
# mk-more.sh: more.iso, a CD with GRUB 2 and systems that are packages of their own.  The menu is on
# the screen in text mode and on ttyS0; hot keys:
#   i  Debian's installer (netboot) on the text screen
#   g  the graphical installer; what the installer asks itself (debconf) is also told on ttyS0
#   x  Xen by multiboot2, y  Xen by multiboot 1; dom0 is mk-initramfs.sh's amd64 kernel
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# An early command of the installer copies the kernel's log and then its own, which has debconf's
# conversation, to ttyS0.  With console=ttyS0 the installer would ask its questions there.
tell="DEBCONF_DEBUG=developer 'preseed/early_command=dmesg >/dev/ttyS0;
tail -n +1 -f /var/log/syslog </dev/null >/dev/ttyS0 2>&1 3>&- &'"
tell=${tell//$'\n'/ }

grub_config()
{
    cat <<G
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=10
set default=0
menuentry "installer" --hotkey=i {
    linux /di/text/vmlinuz fb=false modprobe.blacklist=bochs $tell
    initrd /di/text/initrd.gz
}
menuentry "graphical installer" --hotkey=g {
    set gfxpayload=800x600x32
    linux /di/gtk/vmlinuz $tell
    initrd /di/gtk/initrd.gz
}
G
    local n
    for n in 2 1; do
        printf 'menuentry "Xen, multiboot%s" --hotkey=%s {\n' $n "$([ $n = 2 ] && echo x || echo y)"
        printf '  multiboot%s /xen/xen.gz placeholder loglvl=all console=com1,vga com1=115200,8n1' ${n#1}
        printf ' dom0_mem=512M\n  module%s /xen/vmlinuz placeholder console=hvc0\n' ${n#1}
        printf '  module%s --nounzip /xen/initrd.gz\n}\n' ${n#1}
    done
}

inputs=("$0" "$GUESTS/vmlinuz-amd64" "$GUESTS/initrd-amd64.gz")
"$here/mk-initramfs.sh" amd64
is_fresh "$GUESTS/more.iso" "${inputs[@]}" && exit 0
say "building more.iso"
need_packages xorriso mtools grub-common grub-pc-bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
xen=$(newest_package amd64 '^xen-hypervisor-[0-9.]+-amd64$')
installer=$(newest_package amd64 '^debian-installer-[0-9]+-netboot-amd64$')
deb_unpack amd64 "$xen" "$work/xen"
deb_unpack amd64 "$installer" "$work/installer"

mkdir -p "$work"/iso/boot/grub "$work"/iso/xen "$work"/iso/di/{text,gtk}
cp "$work"/xen/boot/xen-*.gz "$work/iso/xen/xen.gz"
cp "$GUESTS/vmlinuz-amd64" "$work/iso/xen/vmlinuz"
cp "$GUESTS/initrd-amd64.gz" "$work/iso/xen/initrd.gz"
for kind in text gtk; do
    for file in linux initrd.gz; do
        cp "$work"/installer/usr/lib/debian-installer/images/*/amd64/$kind/debian-installer/amd64/$file \
            "$work/iso/di/$kind/${file/linux/vmlinuz}"
    done
done
grub_config > "$work/iso/boot/grub/grub.cfg"
grub-mkrescue -d /usr/lib/grub/i386-pc -o "$work/more.iso" "$work/iso" 2>"$GUESTS/mk-more.log" ||
    die "grub-mkrescue failed: $GUESTS/mk-more.log"
mv "$work/more.iso" "$GUESTS/"
