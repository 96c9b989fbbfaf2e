/*
 * Host tool: disk and CD images of the firmware probes.
 *
 *   mkimg disk OUT SECTORS BOOT BODY [KEY=VALUE]...    BOOT in sector 0, BODY from sector 1 on
 *   mkimg iso  OUT BLOCKS  BOOT BODY [KEY=VALUE]...    El Torito: BOOT is the boot image, BODY lies behind it
 *
 * Keys: variant, disks (for struct params of fw.h); disk: stride=FROM,STEP stamps sectors FROM + n * STEP and the last
 * 256 instead of all from 128 on, nosignature=1 leaves out 55AAh, file=NAME,LBA puts a file at a sector,
 * partition=LBA makes the active entry of the partition table; iso: count,
 * segment (of the catalog), and catalog=KIND: plain, efi-second, efi-first, bad-sum, bad-mark. A stamped sector says which
 * one it is; the rest of the image is a hole, so a 2 TiB disk costs nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_MAX = 127 * 512, FIRST_STAMP = 128, CD = 2048, CATALOG = 19, EFI_IMAGE = 20, IMAGE = 24, CD_STAMP = 96 };

/* struct params of fw.h: 8 bytes into the body. */
struct params {
    char magic[4];
    uint32_t variant;
    uint64_t sectors;
    uint32_t disks, image_lba, load_count, load_segment, from, stride, reserved[4];
};
_Static_assert(sizeof(struct params) == 56, "struct params of fw.h");

struct job {
    int fd, is_iso;
    struct params p;
    int no_signature;
    uint32_t partition;
    const char *catalog, *file;
};

static void die(const char *what)
{
    fprintf(stderr, "mkimg: %s\n", what);
    exit(1);
}

static void put(const struct job *j, const void *data, size_t n, uint64_t at)
{
    if (pwrite(j->fd, data, n, (off_t)at) != (ssize_t)n) die("cannot write the image");
}

static size_t load(const char *name, uint8_t *to, size_t room)
{
    FILE *f = fopen(name, "rb");
    if (!f) die(name);
    const size_t n = fread(to, 1, room, f);
    const int more = fgetc(f);
    fclose(f);
    if (more != EOF) die("a program is too large");
    return n;
}

static void stamp(const struct job *j, uint64_t lba, size_t bytes)
{
    uint32_t w[CD / 4];
    for (uint32_t i = 0; i < bytes / 4; i++)
        w[i] = (uint32_t)lba * 0x9e3779b1 + (uint32_t)(lba >> 32) * 0x7feb352d + i * 0x85ebca6b;
    put(j, w, bytes, lba * bytes);
}

static void stamps(const struct job *j)
{
    const uint64_t n = j->p.sectors;
    const size_t size = j->is_iso ? CD : 512;
    const uint64_t step = j->p.stride ? j->p.stride : 1;
    for (uint64_t lba = j->p.stride ? j->p.from : j->is_iso ? CD_STAMP : FIRST_STAMP; lba < n; lba += step)
        stamp(j, lba, size);
    for (uint64_t lba = n > 256 + FIRST_STAMP ? n - 256 : n; lba < n; lba++) stamp(j, lba, size);
}

static void option(struct job *j, const char *arg)
{
    const char *v = strchr(arg, '=');
    if (!v) die("KEY=VALUE expected");
    const size_t n = (size_t)(v++ - arg);
    const unsigned long long number = strtoull(v, NULL, 0);
    const char *comma = strchr(v, ',');
#define IS(name) (n == strlen(name) && !memcmp(arg, name, n))
    if (IS("variant")) j->p.variant = (uint32_t)number;
    else if (IS("disks")) j->p.disks = (uint32_t)number;
    else if (IS("count")) j->p.load_count = (uint32_t)number;
    else if (IS("segment")) j->p.load_segment = (uint32_t)number;
    else if (IS("partition")) j->partition = (uint32_t)number;
    else if (IS("nosignature")) j->no_signature = 1;
    else if (IS("catalog")) j->catalog = v;
    else if (IS("file")) j->file = v;
    else if (IS("stride") && comma) {
        j->p.from = (uint32_t)number;
        j->p.stride = (uint32_t)strtoul(comma + 1, NULL, 0);
    } else die("unknown key");
#undef IS
}

static void set_params(const struct job *j, uint8_t *body)
{
    if (memcmp(body + 8, "FWP1", 4)) die("the body has no parameter block");
    memcpy(body + 8, &j->p, sizeof j->p);
}

static void put_file(const struct job *j, const struct params *p)
{
    static uint8_t data[1 << 20];
    char *name = strdup(j->file), *comma = strchr(name, ',');
    if (!comma) die("file=NAME,LBA expected");
    *comma = 0;
    const size_t n = load(name, data, sizeof data);
    if (n > 64 && !memcmp(data + 8, "FWP1", 4)) memcpy(data + 8, p, sizeof *p);
    put(j, data, n, strtoull(comma + 1, NULL, 0) * 512);
    free(name);
}

static void make_disk(struct job *j, const char *boot, const char *body_name)
{
    uint8_t mbr[512] = { 0 }, body[BODY_MAX] = { 0 };
    if (load(boot, mbr, sizeof mbr) != 512) die("a boot sector has 512 bytes");
    const size_t n = load(body_name, body, sizeof body);
    set_params(j, body);
    const size_t count = (n + 511) / 512;
    mbr[0x1b4] = (uint8_t)count;
    mbr[0x1b5] = (uint8_t)(count >> 8);
    if (j->no_signature) mbr[510] = mbr[511] = 0;
    if (j->partition) {
        const uint32_t size = (uint32_t)j->p.sectors - j->partition;
        const uint8_t row[8] = { 0x80, 0, 1, 0, 0x7f, 0xfe, 0xff, 0xff };
        memcpy(mbr + 0x1be, row, sizeof row);
        memcpy(mbr + 0x1c6, &j->partition, 4);
        memcpy(mbr + 0x1ca, &size, 4);
    }
    stamps(j);
    put(j, mbr, sizeof mbr, 0);
    put(j, body, count * 512, 512);
    if (j->file) put_file(j, &j->p);
}

/* ------------------------------------------------------------------ CD */

static void both(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = at[7 - i] = (uint8_t)(v >> 8 * i);
}

static void descriptors(const struct job *j)
{
    uint8_t b[CD] = { 1, 'C', 'D', '0', '0', '1', 1 };
    memset(b + 8, ' ', 64);
    memcpy(b + 40, "W7PROBE", 7);
    both(b + 80, (uint32_t)j->p.sectors);
    b[120] = b[123] = b[124] = b[127] = 1;
    b[129] = CD >> 8;
    b[130] = CD >> 8;
    b[156] = 34;                                        /* root directory: block 18 + 4, empty */
    both(b + 158, 22);
    both(b + 166, CD);
    b[181] = 2;
    b[188] = 1;
    put(j, b, CD, 16 * CD);
    memset(b, 0, CD);
    memcpy(b, "\0CD001\1EL TORITO SPECIFICATION", 30);
    b[0x47] = CATALOG;
    put(j, b, CD, 17 * CD);
    memset(b, 0, CD);
    memcpy(b, "\377CD001\1", 7);
    put(j, b, CD, 18 * CD);
}

static void entry(uint8_t *e, uint16_t segment, uint16_t count, uint32_t lba)
{
    const uint8_t row[12] = { 0x88, 0, (uint8_t)segment, (uint8_t)(segment >> 8), 0, 0, (uint8_t)count,
                              (uint8_t)(count >> 8), (uint8_t)lba, (uint8_t)(lba >> 8), (uint8_t)(lba >> 16) };
    memcpy(e, row, sizeof row);
}

static void catalog(const struct job *j)
{
    uint8_t c[CD] = { 1 };
    const int efi_first = !strcmp(j->catalog, "efi-first"), two = efi_first || !strcmp(j->catalog, "efi-second");
    c[1] = efi_first ? 0xef : 0;
    memcpy(c + 4, "W7 PROBE", 8);
    c[30] = 0x55;
    c[31] = !strcmp(j->catalog, "bad-mark") ? 0x55 : 0xaa;
    uint16_t sum = 0;
    for (int i = 0; i < 32; i += 2) sum += (uint16_t)(c[i] | c[i + 1] << 8);
    sum = (uint16_t)-sum;
    if (!strcmp(j->catalog, "bad-sum")) sum++;
    c[28] = (uint8_t)sum;
    c[29] = (uint8_t)(sum >> 8);
    entry(c + 32, efi_first ? 0 : (uint16_t)j->p.load_segment, efi_first ? 4 : (uint16_t)j->p.load_count,
          efi_first ? EFI_IMAGE : IMAGE);
    if (two) {
        c[64] = 0x91;
        c[65] = efi_first ? 0 : 0xef;
        c[66] = 1;
        entry(c + 96, efi_first ? (uint16_t)j->p.load_segment : 0, efi_first ? (uint16_t)j->p.load_count : 4,
              efi_first ? IMAGE : EFI_IMAGE);
    }
    put(j, c, CD, CATALOG * CD);
}

static void make_iso(struct job *j, const char *boot, const char *body_name)
{
    static const char trap[] = "\nW7-034 fail the entry for a PC is chosen: got the EFI image, expected the other\n";
    uint8_t image[CD * 16] = { 0 }, body[BODY_MAX] = { 0 }, efi[CD] = { 0 };
    const size_t boot_size = load(boot, image, sizeof image), n = load(body_name, body, sizeof body);
    const uint32_t body_lba = IMAGE + sizeof image / CD;
    j->p.image_lba = IMAGE;
    set_params(j, body);
    for (size_t i = boot_size; i < sizeof image; i++) image[i] = (uint8_t)(i * 7 + i / 256);
    const uint32_t where[2] = { body_lba, (uint32_t)((n + CD - 1) / CD) };
    memcpy(image + 8, where, sizeof where);
    /* The wrong image: prints a failure and stops. */
    static const uint8_t code[] = { 0xe8, 0, 0, 0x5e, 0x83, 0xc6, 0x0d, 0x2e, 0xac, 0xe6, 0xe9, 0x84, 0xc0, 0x75, 0xf8,
                                    0xf4 };
    memcpy(efi, code, sizeof code);
    memcpy(efi + 16, trap, sizeof trap);
    stamps(j);
    descriptors(j);
    catalog(j);
    put(j, efi, CD, EFI_IMAGE * CD);
    put(j, image, sizeof image, IMAGE * CD);
    put(j, body, where[1] * CD, body_lba * CD);
}

int main(int argc, char **argv)
{
    if (argc < 6) die("usage: mkimg disk|iso OUT SECTORS BOOT BODY [KEY=VALUE]...");
    struct job j = { .is_iso = !strcmp(argv[1], "iso"), .p = { .magic = "FWP1", .disks = 1 }, .catalog = "plain" };
    j.p.sectors = strtoull(argv[3], NULL, 0);
    for (int i = 6; i < argc; i++) option(&j, argv[i]);
    j.fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (j.fd < 0) die(argv[2]);
    if (ftruncate(j.fd, (off_t)(j.p.sectors * (j.is_iso ? CD : 512)))) die("cannot make a file of that size");
    if (j.is_iso) make_iso(&j, argv[4], argv[5]);
    else make_disk(&j, argv[4], argv[5]);
    if (close(j.fd)) die("cannot write the image");
    return 0;
}
