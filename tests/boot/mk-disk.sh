#!/bin/bash
# mk-disk.sh [FILE]: a bootable Debian disk: MBR, GRUB, one ext4 partition, systemd.
#
# root has no password; the login prompt is on ttyS0 and on the screen's consoles.  FILE is
#   debian-amd64.raw   (default) after the boot the guest-report service writes report.sh's lines to
#                      ttyS0.  GRUB's menu (also on ttyS0):
#     hot key d  default: as Debian boots, the screen goes to the frame buffer driver (bochs-drm)
#     hot key t  that driver stays out: the screen remains in VGA text mode, which tests can read
#     hot key o  the word guestoff: power off after the report
#   debian-tests.raw   openssl, stress-ng and guest-tests.sh, which runs them in place of systemd and
#                      powers off; the answers to openssl's part are computed on this host.  Menu:
#     hot key o  openssl.sh        hot key s  stress.sh
#     hot key k  the kernel's test modules            hot key a  one after the other
#   debian-x.raw       an X desktop: icewm, xterm, desktop.sh's session.  Menu:
#     hot key m  default: the kernel's bochs-drm and X's modesetting driver
#     hot key b  nomodeset: X's vesa driver, which calls the video BIOS
#     hot key f  nomodeset and a VBE mode set by GRUB: the kernel's frame buffer and X's fbdev driver
# No kernel word steers timers, interrupts or ACPI.  Built without loop devices or mounts.
# Needs root for debootstrap (sudo is used if we are not).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=${1:-debian-amd64.raw}
image=$GUESTS/$name
size_mib=1400
first_sector=2048
packages=systemd-sysv,udev,kmod,procps,zstd,initramfs-tools,linux-image-amd64,pciutils
inputs=("$0")
case $name in
debian-amd64.raw)
    inputs+=("$here/report.sh") ;;
debian-tests.raw)
    packages+=,openssl,stress-ng
    inputs+=("$here"/{guest-tests,openssl,stress}.sh) ;;
debian-programs.raw)
    size_mib=2600
    packages+=,openssl,stress-ng,gcc,gcc-multilib,libc6-dev,make,python3,libpython3.11-testsuite,perl
    inputs+=("$here"/programs/*) ;;
debian-x.raw)
    size_mib=2600
    packages+=,xserver-xorg-core,xserver-xorg-video-vesa,xserver-xorg-video-fbdev
    packages+=,xserver-xorg-input-libinput,xinit,icewm,xterm,x11-apps,x11-utils,x11-xserver-utils
    packages+=,xfonts-base,libgl1-mesa-dri,xauth,xdotool,dbus
    inputs+=("$here/desktop.sh") ;;
*)
    die "unknown disk $name" ;;
esac
is_fresh "$image" "${inputs[@]}" && exit 0
if [ "$(id -u)" != 0 ]; then
    as_root env GUESTS="$GUESTS" CACHE="$CACHE" "$0" "$name"
    as_root chown -R "$(id -u):$(id -g)" "$GUESTS"
    exit 0
fi

say "building $name"
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
        >"$GUESTS/$name.log" 2>&1 || die "debootstrap failed: $GUESTS/$name.log"
    version=$(ls "$root/lib/modules")
}

add_report()
{
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
}

# add_tests: the programs, and what openssl says on this processor, which counts as right.
add_tests()
{
    local t
    for t in guest-tests openssl stress; do
        install -m 755 "$here/$t.sh" "$root/usr/local/sbin/$t.sh"
    done
    chroot "$root" /usr/local/sbin/openssl.sh -g /usr/local/share/openssl.expected \
        >>"$GUESTS/$name.log" 2>&1 || die "openssl.sh -g failed: $GUESTS/$name.log"
    rm -rf "$root"/tmp/*
}

# source_tree PACKAGE: its sources as released, unpacked; prints where.
source_tree()
{
    local uri suite dir=$CACHE/sources version name
    read -r uri suite < <(debian_source)
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/etc"
    : > "$dir/status"
    echo "deb-src $uri ${SUITE:-$suite} main" > "$dir/etc/sources.list"
    local o=(-qq -o "Dir::State::Lists=$dir/lists" -o "Dir::State::status=$dir/status"
             -o "Dir::Cache=$dir" -o APT::Sandbox::User=root -o Dir::Etc::SourceParts=/dev/null
             -o "Dir::Etc::SourceList=$dir/etc/sources.list")
    if ! ls "$dir/$1"_*.orig.tar.* >/dev/null 2>&1; then
        apt-get "${o[@]}" update >>"$dir/log" 2>&1 || true
        version=$(apt-cache "${o[@]}" showsrc "$1" | sed -n 's/^Version: //p' | sort -V | tail -n 1)
        (cd "$dir" && apt-get "${o[@]}" source --download-only "$1=$version" >>"$dir/log" 2>&1) ||
            die "cannot download the sources of $1, see $dir/log"
    fi
    name=$(ls "$dir/$1"_*.orig.tar.?z | tail -n 1)
    mkdir -p "$work/$1"
    tar -C "$work/$1" --strip-components=1 -xf "$name"
    printf '%s\n' "$work/$1"
}

# openssl_tests DIR: OpenSSL's libraries and test programs, built by the tree's own compiler.
openssl_tests()
{
    cp -a "$(source_tree openssl)" "$root/opt/programs/openssl"
    # shellcheck disable=SC2016  # the variables are the other shell's
    chroot "$root" sh -ec 'cd /opt/programs/openssl
        ./Configure linux-x86_64 enable-fips
        make -j"$(nproc)" build_libs
        make -j"$(nproc)" providers/legacy.so providers/fips.so $(printf "test/%s " $(cat ../openssl.list)) \
            test/bntest test/evp_test test/threadstest
        find . -name "*.[oad]" -delete' >>"$GUESTS/$name.log" 2>&1 ||
        die "OpenSSL's tests do not build: $GUESTS/$name.log"
}

# perl_tests: Perl's own tests, and its modules as Debian installs them where those look for them.
perl_tests()
{
    local tree to=$root/opt/programs/perl dir
    tree=$(source_tree perl)
    mkdir -p "$to"
    cp -a "$tree/t" "$tree/lib" "$to/"
    for dir in share/perl/5.36.0 lib/x86_64-linux-gnu/perl/5.36.0 lib/x86_64-linux-gnu/perl-base; do
        chroot "$root" cp -rsf "/usr/$dir/." /opt/programs/perl/lib/
    done
    ln -s /usr/bin/perl "$to/perl"
    ln -s /usr/bin/perl "$to/t/perl"
}

# add_programs: and what they say on this processor, which counts as right.
add_programs()
{
    local to=$root/opt/programs k
    mkdir -p "$to/tests/bench" "$to/answers"
    cp "$here"/programs/* "$to/"
    cp "$top"/tests/bench/work*.[ch] "$to/tests/bench/"
    openssl_tests
    perl_tests
    for k in 2048 4096; do
        chroot "$root" openssl genrsa -out /opt/programs/rsa$k.pem $k 2>/dev/null
    done
    head -c 98304 /dev/zero | chroot "$root" openssl enc -aes-128-ctr -nosalt \
        -K 000102030405060708090a0b0c0d0e0f -iv f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff > "$to/data"
    chroot "$root" /opt/programs/run.sh -g >>"$GUESTS/$name.log" 2>&1 ||
        die "programs/run.sh -g failed: $GUESTS/$name.log"
    rm -rf "$root"/tmp/*
    cp "$root"/boot/vmlinuz-* "$GUESTS/debian-programs.kernel"
    cp "$root"/boot/initrd.img-* "$GUESTS/debian-programs.initrd"
}

add_desktop()
{
    echo 'allowed_users=anybody' > "$root/etc/X11/Xwrapper.config"
    # The pointer goes as far as the mouse, so that a script knows where it is.
    mkdir -p "$root/etc/X11/xorg.conf.d"
    cat > "$root/etc/X11/xorg.conf.d/mouse.conf" <<'U'
Section "InputClass"
    Identifier "mouse"
    MatchIsPointer "on"
    Driver "libinput"
    Option "AccelProfile" "flat"
EndSection
U
    install -m 755 "$here/desktop.sh" "$root/root/.xinitrc"
    cat > "$root/usr/local/sbin/guest-x" <<'U'
#!/bin/sh
# The kernel word guestx= names X's driver; without it X looks for one.
driver=$(sed -n 's/.*guestx=\([a-z]*\).*/\1/p' /proc/cmdline)
if [ "$driver" ]; then
    printf 'Section "Device"\n Identifier "card"\n Driver "%s"\nEndSection\n' "$driver" \
        > /etc/X11/xorg.conf.d/card.conf
fi
exec xinit /root/.xinitrc -- /usr/bin/X :0 vt7 -nolisten tcp -keeptty
U
    chmod 755 "$root/usr/local/sbin/guest-x"
    cat > "$root/etc/systemd/system/guest-x.service" <<'U'
[Unit]
Description=X session
After=systemd-user-sessions.service
Conflicts=getty@tty1.service
[Service]
Environment=HOME=/root
WorkingDirectory=/root
ExecStart=/usr/local/sbin/guest-x
StandardOutput=journal+console
[Install]
WantedBy=graphical.target
U
    chroot "$root" systemctl -q enable guest-x
}

configure_debian()
{
    local t
    echo guest > "$root/etc/hostname"
    echo '/dev/sda1 / ext4 rw,noatime 0 1' > "$root/etc/fstab"
    : > "$root/etc/machine-id"
    sed -i 's/^root:[^:]*:/root::/' "$root/etc/passwd"
    case $name in
    debian-amd64.raw) add_report ;;
    debian-tests.raw) add_tests ;;
    debian-programs.raw) add_programs ;;
    debian-x.raw)     add_desktop ;;
    esac
    chroot "$root" systemctl -q set-default graphical.target
    for t in apt-daily apt-daily-upgrade e2scrub_all fstrim dpkg-db-backup; do
        chroot "$root" systemctl -q mask "$t.timer"
    done
    chroot "$root" apt-get clean
    rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
}

# menu_entry HOTKEY TITLE WORDS [SETTING]
menu_entry()
{
    printf 'menuentry "%s" --hotkey=%s {\n' "$2" "$1"
    [ -z "${4:-}" ] || printf ' insmod vbe\n set %s\n' "$4"
    printf ' linux /boot/vmlinuz-%s root=/dev/sda1 ro console=tty0 console=ttyS0,115200%s\n' \
        "$version" "$3"
    printf ' initrd /boot/initrd.img-%s\n}\n' "$version"
}

configure_grub()
{
    local t
    mkdir -p "$root/boot/grub/i386-pc"
    cp /usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
    {
        printf 'serial --unit=0 --speed=115200\nterminal_input console serial\n'
        printf 'terminal_output console serial\nset timeout=5\nset default=0\n'
        case $name in
        debian-amd64.raw)
            menu_entry d "Debian" ""
            menu_entry t "Debian, text screen" " modprobe.blacklist=bochs"
            menu_entry o "Debian, report and power off" " guestoff" ;;
        debian-tests.raw)
            for t in openssl stress kernel all; do
                menu_entry ${t:0:1} "$t" " init=/usr/local/sbin/guest-tests.sh guesttests=$t"
            done ;;
        debian-programs.raw)
            menu_entry p programs " init=/opt/programs/init.sh" ;;
        debian-x.raw)
            menu_entry m "X, modesetting" ""
            menu_entry b "X, vesa" " nomodeset guestx=vesa"
            menu_entry f "X, fbdev" " nomodeset guestx=fbdev" "gfxpayload=1024x768x32" ;;
        esac
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
