#!/bin/bash
# mk-iso.sh: two CD images that boot the mk-initramfs.sh kernels by different boot loaders.
#
#   isolinux.iso  El Torito without emulation, ISOLINUX's text prompt; isohybrid, so also a disk
#   grub.iso      El Torito, GRUB 2 with a 1024x768 VESA menu, mirrored as text on ttyS0
# Entries have the kernels' names; -drivers boots the larger initramfs.  GRUB hot keys: a amd64,
# p 686-pae, n 686 (not PAE), d amd64-drivers.  The kernels get console=ttyS0,115200 and nothing else.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

flavours="amd64 686-pae 686"
modules="ldlinux menu vesamenu hdt libutil libcom32 libgpl libmenu reboot poweroff"

isolinux_config()
{
    local f variant
    printf 'serial 0 115200\nprompt 1\ntimeout 100\ndefault amd64\nsay ISOLINUX-UP\n'
    for f in $flavours; do
        for variant in "" -drivers; do
            printf 'label %s\n linux /boot/vmlinuz-%s\n' "$f$variant" "$f"
            printf ' append initrd=/boot/initrd-%s.gz console=ttyS0,115200\n' "$f$variant"
        done
    done
    printf 'label memtest\n linux /boot/memtest\n append console=ttyS0,115200\n'
    printf 'label hdt\n com32 hdt.c32\nlabel menu\n com32 vesamenu.c32\n'
    printf 'label reboot\n com32 reboot.c32\nlabel poweroff\n com32 poweroff.c32\n'
}

# grub_entry HOTKEY NAME FLAVOUR
grub_entry()
{
    printf 'menuentry "%s" --hotkey=%s {\n' "$2" "$1"
    printf ' linux /boot/vmlinuz-%s console=ttyS0,115200\n initrd /boot/initrd-%s.gz\n}\n' "$3" "$2"
}

grub_config()
{
    cat <<'G'
serial --unit=0 --speed=115200
terminal_input console serial
if loadfont unicode; then
    set gfxmode=1024x768
    insmod all_video
    insmod gfxterm
    terminal_output gfxterm serial
else
    terminal_output console serial
fi
set timeout=10
set default=0
G
    grub_entry a amd64 amd64
    grub_entry p 686-pae 686-pae
    grub_entry n 686 686
    grub_entry d amd64-drivers amd64
    printf 'menuentry "memtest" --hotkey=m {\n linux16 /boot/memtest console=ttyS0,115200\n}\n'
}

inputs=("$0")
for f in $flavours; do
    "$here/mk-initramfs.sh" "$f"
    inputs+=("$GUESTS/vmlinuz-$f" "$GUESTS/initrd-$f.gz" "$GUESTS/initrd-$f-drivers.gz")
done
if is_fresh "$GUESTS/isolinux.iso" "${inputs[@]}" && is_fresh "$GUESTS/grub.iso" "${inputs[@]}"; then
    exit 0
fi
say "building isolinux.iso and grub.iso"
need_packages xorriso mtools isolinux syslinux-common grub-common grub-pc-bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deb_unpack amd64 memtest86+ "$work/memtest"

mkdir -p "$work"/iso/{isolinux,boot} "$work"/grub/boot/grub
cp "${inputs[@]:1}" "$work/iso/boot/"
cp "$work/memtest/boot/memtest86+x64.bin" "$work/iso/boot/memtest"
cp "$work"/iso/boot/* "$work/grub/boot/"
cp /usr/lib/ISOLINUX/isolinux.bin "$work/iso/isolinux/"
for m in $modules; do
    cp "/usr/lib/syslinux/modules/bios/$m.c32" "$work/iso/isolinux/"
done
isolinux_config > "$work/iso/isolinux/isolinux.cfg"
grub_config > "$work/grub/boot/grub/grub.cfg"

xorriso -as mkisofs -quiet -V LADDER -J -R -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin \
    -c isolinux/boot.cat -b isolinux/isolinux.bin -no-emul-boot -boot-load-size 4 \
    -boot-info-table -o "$work/isolinux.iso" "$work/iso" 2>"$GUESTS/mk-iso.log" ||
    die "xorriso failed: $GUESTS/mk-iso.log"
grub-mkrescue -d /usr/lib/grub/i386-pc -o "$work/grub.iso" "$work/grub" 2>"$GUESTS/mk-iso.log" ||
    die "grub-mkrescue failed: $GUESTS/mk-iso.log"
mv "$work/isolinux.iso" "$work/grub.iso" "$GUESTS/"
