/* Fuzz target: a recording as `aeropc gpu-replay` reads it. The input is a sequence of records
 * { type, 16-bit length, bytes }; they get their checksums here and stand in a file behind a small
 * machine's LAYOUT. With a first byte of FFh the rest is the file as it is. Nothing is executed:
 * that is soft.c's, with a budget that suits sanitizers. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu/record.h"
#include "machine/debug/gpu_replay.h"
#include "machine/host/recfile.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

static char path[64];
static FILE *null;

void target_init(void)
{
    int fd = memfd_create("recording", 0);
    null = fopen("/dev/null", "w");
    must(fd >= 0 && null, "the host has files");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

static void write_records(const u8 *data, size_t size)
{
    struct error e;
    struct recfile *f = recfile_create(path, RECORD_MAGIC, RECORD_VERSION, &e);
    const struct record_layout l = { 0x40000, 0x80000, AGPU_ABI_VERSION, 0 };
    must(f != NULL, "the file opens");
    if (data[0] != 0xfe) recfile_write(f, RECORD_LAYOUT, &l, sizeof(l));
    for (data++, size--; size >= 3;) {
        u32 n = MIN((u32)ld16(data + 1), (u32)size - 3);
        recfile_write(f, data[0], data + 3, n);
        data += 3 + n;
        size -= 3 + n;
    }
    recfile_close(f);
}

void target_run(const u8 *data, size_t size)
{
    static char words[][16] = { "gpu-replay", "--verbose", "--exec", "none" };
    char *argv[] = { words[0], path, words[1], words[2], words[3] };
    struct error e = { "" };
    if (!size) return;
    if (data[0] == 0xff) {
        FILE *f = fopen(path, "wb");
        must(f && fwrite(data + 1, 1, size - 1, f) == size - 1, "the file is written");
        fclose(f);
    } else {
        write_records(data, size);
    }
    int ret = gpu_replay(LEN(argv), argv, null, &e);
    must(!ret || e.text[0], "a failure has a message");
}

static size_t record(u8 *out, u8 type, const void *a, size_t na, const void *b, size_t nb)
{
    out[0] = type;
    st16(out + 1, (u16)(na + nb));
    memcpy(out + 3, a, na);
    if (nb) memcpy(out + 3 + na, b, nb);
    return 3 + na + nb;
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    static u8 stream[1 << 14];
    u8 both[sizeof(struct record_submit) + sizeof(struct record_range)];
    size_t size = stream_seed(n, stream, sizeof(stream)), at = 1;
    if (size < 28 || cap < 8192) return 0;
    u32 len = ld32(stream);
    if (len > 6000) len = 24, st32(stream + 12, 24);
    const struct record_surface shown = { 0x1000, 16, 8, 1, 64 };
    const struct record_range range = { 2, 0, 0x1000, 0x2000 };
    const struct record_submit submit = { 5, n, n, 1, 0, 1, len, shown };
    const struct record_scanout scanout = { 9, shown };
    const struct record_reset reset = { 10, n & 1, 0 };
    u8 page[16 + 64] = { 1 };
    out[0] = n == 7 ? 0xfe : (u8)n;
    memcpy(both, &submit, sizeof(submit));
    memcpy(both + sizeof(submit), &range, sizeof(range));
    at += record(out + at, RECORD_PAGES, page, sizeof(page), NULL, 0);
    if (n != 3) at = 1; /* a short page: damaged */
    at += record(out + at, RECORD_SUBMIT, both, sizeof(both), stream + 4, len);
    at += record(out + at, RECORD_SCANOUT, &scanout, sizeof(scanout), NULL, 0);
    at += record(out + at, RECORD_RESET, &reset, sizeof(reset), NULL, 0);
    at += record(out + at, RECORD_END, "", 0, NULL, 0);
    return at;
}
