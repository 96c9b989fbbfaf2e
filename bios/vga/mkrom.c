/* Host tool: makes an option ROM of a linked flat image. Pads it to 32 or 64 KiB, fills in the size
   byte and the image length of the PCI data structure, and makes the sum of all bytes zero.
   Usage: mkrom IN OUT */

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static unsigned char rom[0x10001];

    if (argc != 3) {
        fprintf(stderr, "usage: mkrom IN OUT\n");
        return 2;
    }
    FILE *f = fopen(argv[1], "rb");
    if (!f) {
        perror(argv[1]);
        return 1;
    }
    const size_t n = fread(rom, 1, sizeof(rom), f);
    fclose(f);
    const size_t size = n < 0x8000 ? 0x8000 : 0x10000;
    const size_t pcir = rom[0x18] | rom[0x19] << 8;
    if (n >= size || rom[0] != 0x55 || rom[1] != 0xaa || memcmp(rom + pcir, "PCIR", 4) != 0) {
        fprintf(stderr, "mkrom: %s is not a ROM image that fits 64 KiB\n", argv[1]);
        return 1;
    }
    rom[2] = (unsigned char)(size / 512);
    rom[pcir + 16] = (unsigned char)(size / 512);
    unsigned char sum = 0;
    for (size_t i = 0; i < size; i++) sum += rom[i];
    rom[size - 1] = (unsigned char)-sum;
    f = fopen(argv[2], "wb");
    if (!f || fwrite(rom, 1, size, f) != size || fclose(f) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
