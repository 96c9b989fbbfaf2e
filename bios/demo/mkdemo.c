/* Host tool: makes the demo disk of the boot sector and the second stage. Writes the sector count
   into the boot sector, and a partition table with one bootable entry over the whole disk.
   Usage: mkdemo MBR STAGE2 OUT */

#include <stdio.h>
#include <string.h>

enum { DISK_SECTORS = 2 * 16 * 63, COUNT_AT = 0x1b6, TABLE_AT = 0x1be };
static unsigned char disk[DISK_SECTORS * 512];

static long load(const char *name, unsigned char *to, size_t room)
{
    FILE *f = fopen(name, "rb");
    if (!f) {
        perror(name);
        return -1;
    }
    const size_t n = fread(to, 1, room, f);
    fclose(f);
    return (long)n;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: mkdemo MBR STAGE2 OUT\n");
        return 2;
    }
    const long mbr = load(argv[1], disk, 512),
               stage2 = load(argv[2], disk + 512, sizeof(disk) - 512);
    if (mbr != 512 || stage2 <= 0 || disk[510] != 0x55) {
        fprintf(stderr, "mkdemo: no boot sector or no second stage\n");
        return 1;
    }
    const unsigned sectors = (unsigned)(stage2 + 511) / 512;
    disk[COUNT_AT] = sectors & 0xff;
    disk[COUNT_AT + 1] = sectors >> 8;
    /* Active; from 0/0/2 to 1/15/63; type 7Fh, which nobody mounts; LBA start and length. */
    const unsigned rest = DISK_SECTORS - 1;
    const unsigned char entry[16] = { 0x80, 0, 2, 0, 0x7f,        15,        63, 1,
                                      1,    0, 0, 0, rest & 0xff, rest >> 8, 0,  0 };
    memcpy(disk + TABLE_AT, entry, sizeof(entry));
    FILE *f = fopen(argv[3], "wb");
    if (!f || fwrite(disk, 1, sizeof(disk), f) != sizeof(disk) || fclose(f) != 0) {
        perror(argv[3]);
        return 1;
    }
    return 0;
}
