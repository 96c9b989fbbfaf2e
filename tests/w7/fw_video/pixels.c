/* Host tool: pixels of a screenshot, which is a PNG of 8-bit RGB without row filters (machine/host/png.c), or of a binary PPM.
 *
 *   pixels FILE [X,Y]...     the first line is WIDTHxHEIGHT, then one line rrggbb for each place; ------ outside */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "machine/core/types.h"

static u32 be32(const u8 *p)
{
    return __builtin_bswap32(ld32(p));
}

struct image {
    u32 width, height;
    u8 *rows; /* 1 + 3 * width bytes each */
};

static u8 *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    static u8 buf[64 << 20];
    *size = f ? fread(buf, 1, sizeof(buf), f) : 0;
    if (f) fclose(f);
    return buf;
}

static int decode(const u8 *p, size_t size, struct image *im)
{
    static const u8 signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    size_t at = 8;
    if (size < 57 || memcmp(p, signature, 8) || p[24] != 8 || p[25] != 2) return -1;
    im->width = be32(p + 16);
    im->height = be32(p + 20);
    if (!im->width || !im->height || im->width > 8192 || im->height > 8192) return -1;
    while (at + 12 <= size && memcmp(p + at + 4, "IDAT", 4)) at += 12 + (size_t)be32(p + at);
    if (at + 12 > size || be32(p + at) > size - at - 12) return -1;
    uLongf n = (1 + 3 * (uLongf)im->width) * im->height, want = n;
    im->rows = malloc(n);
    return im->rows && uncompress(im->rows, &n, p + at + 8, be32(p + at)) == Z_OK && n == want ? 0 : -1;
}

static int decode_ppm(const u8 *p, size_t size, struct image *im)
{
    unsigned w, h, max;
    int head = 0;
    if (sscanf((const char *)p, "P6 %u %u %u%n", &w, &h, &max, &head) != 3 || max != 255 || !w || !h || w > 8192 || h > 8192) return -1;
    size_t row = 3 * (size_t)w;
    if (size < (size_t)head + 1 + row * h) return -1;
    im->width = w;
    im->height = h;
    im->rows = malloc((1 + row) * h);
    for (u32 y = 0; im->rows && y < h; y++) memcpy(im->rows + y * (1 + row) + 1, p + head + 1 + y * row, row);
    return im->rows ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct image im = { 0 };
    size_t size;
    if (argc < 2) return fprintf(stderr, "usage: pixels FILE [X,Y]...\n"), 2;
    const u8 *file = slurp(argv[1], &size);
    if (decode(file, size, &im) && decode_ppm(file, size, &im)) return fprintf(stderr, "pixels: %s is no screenshot\n", argv[1]), 1;
    printf("%ux%u\n", im.width, im.height);
    for (int k = 2; k < argc; k++) {
        unsigned x, y;
        if (sscanf(argv[k], "%u,%u", &x, &y) != 2 || x >= im.width || y >= im.height) {
            puts("------");
            continue;
        }
        const u8 *row = im.rows + (size_t)y * (1 + 3 * im.width), *c = row + 1 + 3 * x;
        printf("%02x%02x%02x\n", c[0], c[1], c[2]);
    }
    free(im.rows);
    return 0;
}
