/* PNG writer (png.h): signature, IHDR, one IDAT, IEND; filter 0 on every row. */
#include "machine/host/png.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static bool chunk(FILE *f, const char *type, const u8 *data, u32 len)
{
    u8 head[8], tail[4];
    st32(head, __builtin_bswap32(len));
    memcpy(head + 4, type, 4);
    uLong crc = crc32(0, head + 4, 4);
    if (len) crc = crc32(crc, data, len); /* zlib answers 0 for no data at all */
    st32(tail, __builtin_bswap32((u32)crc));
    return fwrite(head, 8, 1, f) == 1 && (!len || fwrite(data, len, 1, f) == 1) &&
           fwrite(tail, 4, 1, f) == 1;
}

static u8 *scanlines(const u32 *pixels, u32 width, u32 height, size_t *size)
{
    size_t row = 1 + (size_t)width * 3;
    u8 *raw = xalloc(row * height), *p = raw;
    for (u32 y = 0; y < height; y++) {
        *p++ = 0;
        for (u32 x = 0; x < width; x++, p += 3) {
            u32 v = *pixels++;
            p[0] = (u8)(v >> 16);
            p[1] = (u8)(v >> 8);
            p[2] = (u8)v;
        }
    }
    *size = row * height;
    return raw;
}

static bool write_all(FILE *f, const u8 *z, uLongf zlen, u32 width, u32 height)
{
    static const u8 signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    u8 ihdr[13] = { 0 };
    st32(ihdr, __builtin_bswap32(width));
    st32(ihdr + 4, __builtin_bswap32(height));
    ihdr[8] = 8; /* bits */
    ihdr[9] = 2; /* RGB */
    return fwrite(signature, 8, 1, f) == 1 && chunk(f, "IHDR", ihdr, sizeof(ihdr)) &&
           chunk(f, "IDAT", z, (u32)zlen) && chunk(f, "IEND", NULL, 0);
}

int png_write(const char *path, const u32 *pixels, u32 width, u32 height, struct error *e)
{
    if (!width || !height) return error_set(e, "screenshot %s: there is no picture yet", path);
    size_t size;
    u8 *raw = scanlines(pixels, width, height, &size);
    uLongf zlen = compressBound(size);
    u8 *z = xalloc(zlen);
    int ok = compress2(z, &zlen, raw, size, 6) == Z_OK;
    free(raw);
    char *tmp = xasprintf("%s.new", path);
    FILE *f = ok ? fopen(tmp, "wb") : NULL;
    ok = f && write_all(f, z, zlen, width, height);
    if (f && fclose(f)) ok = 0;
    int err = errno;
    if (ok && rename(tmp, path)) ok = 0, err = errno;
    if (!ok && f) remove(tmp);
    free(tmp);
    free(z);
    return ok ? 0 : error_set(e, "screenshot %s: %s", path, strerror(err));
}
