/* Recognises a bare argument by its content (images.h): ISO 9660 by its volume descriptor, floppies
 * by their size, configuration files by being text with an '=', foreign disk containers by their
 * magic (refused, with the command that converts them), everything else that is a multiple of 512
 * bytes is a raw disk. */
#include "machine/images.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/options.h"

static const struct {
    const char *magic;
    size_t offset, len;
    const char *name, *qemu;
} foreign[] = {
    { "QFI\xfb", 0, 4, "qcow2", "qcow2" },
    { "KDMV", 0, 4, "VMDK", "vmdk" },
    { "<<< ", 0, 4, "VDI", "vdi" },
    { "vhdxfile", 0, 8, "VHDX", "vhdx" },
    { "conectix", 0, 8, "dynamic VHD", "vpc" },
};

static const u32 floppy_sizes[] = { 163840,  184320,  327680,  368640, 737280,
                                    1228800, 1474560, 1720320, 2949120 };

static bool looks_like_text(const u8 *p, size_t n)
{
    if (!memchr(p, '=', n)) return false;
    for (size_t k = 0; k < n; k++) {
        if (p[k] < 9 || (p[k] > 13 && p[k] < 32)) return false;
    }
    return true;
}

enum image_kind image_recognise(const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st)) {
        error_set(e, "%s: %s", path, strerror(errno));
        return IMG_ERROR;
    }
    if (S_ISDIR(st.st_mode)) return IMG_CDROM; /* shown to the guest as a disc with its files */
    FILE *f = fopen(path, "rb");
    if (!f) {
        error_set(e, "%s: %s", path, strerror(errno));
        return IMG_ERROR;
    }
    u8 head[4096], iso[8] = { 0 };
    size_t n = fread(head, 1, sizeof(head), f);
    if (!fseek(f, 32768, SEEK_SET) && fread(iso, 1, sizeof(iso), f) != sizeof(iso))
        memset(iso, 0, sizeof(iso));
    fclose(f);
    if (!n) {
        error_set(e, "%s is empty: not a disk, CD or floppy image", path);
        return IMG_ERROR;
    }
    if (!memcmp(iso + 1, "CD001", 5)) return IMG_CDROM;
    for (unsigned k = 0; k < LEN(foreign); k++) {
        if (n < foreign[k].offset + foreign[k].len ||
            memcmp(head + foreign[k].offset, foreign[k].magic, foreign[k].len))
            continue;
        error_set(
            e,
            "%s is a %s image, only raw images are read: qemu-img convert -f %s -O raw %s disk.img",
            path, foreign[k].name, foreign[k].qemu, path);
        return IMG_ERROR;
    }
    for (unsigned k = 0; k < LEN(floppy_sizes); k++) {
        if ((u64)st.st_size == floppy_sizes[k] && S_ISREG(st.st_mode)) return IMG_FLOPPY;
    }
    if (looks_like_text(head, n)) return IMG_CONFIG;
    if (st.st_size % 512) {
        error_set(e, "%s is %lld bytes, not whole sectors of 512: truncated, or not a disk image",
                  path, (long long)st.st_size);
        return IMG_ERROR;
    }
    return IMG_DISK;
}

int image_attach(struct config *c, const char *path, struct error *e)
{
    switch (image_recognise(path, e)) {
    case IMG_DISK: return config_set(c, "disk", path, e);
    case IMG_CDROM: return config_set(c, "cdrom", path, e);
    case IMG_FLOPPY: return config_set(c, "floppy", path, e);
    case IMG_CONFIG: return config_read_file(c, path, e);
    default: return -1;
    }
}
