/* Makes the committed selection of recorded vectors: reads an unpacked "ovec" file from standard
 * input and writes a smaller one, compressed with gzip, to standard output.
 *
 *   zstd -dc m64.ovec.zst | build/oracle-select 6 AVX,AVX2,FMA > tests/oracle/m64.ovec.gz
 *
 * The first argument is the number of vectors kept of every form, the second the ISA sets to leave
 * out, separated by commas. Of a form the vectors with an exception kind not yet kept come first
 * (exception vector and error code), then vectors whose memory or masks differ from the simplest
 * record, then those in the order of the file. Records are copied as they are: a record names its
 * own seed, so leaving out its neighbours does not change it. The format is that of ovec.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "machine/core/types.h"
#include "tests/unit/ovec.h"

#define FORM_MAX 4096 /* vectors of one form; the recorded files have 24 at most */

struct record {
    const u8 *p;
    size_t len;
    u64 kind; /* exception and shape: what makes it worth keeping */
    bool keep;
};

static u8 *read_all(FILE *f, size_t *len)
{
    size_t cap = 1 << 20, n;
    u8 *buf = malloc(cap);
    *len = 0;
    while (buf && (n = fread(buf + *len, 1, cap - *len, f)) > 0) {
        *len += n;
        if (*len == cap) buf = realloc(buf, cap *= 2);
    }
    return buf;
}

static bool listed(const char *list, const char *isa)
{
    size_t n = strlen(isa);
    for (const char *p = list; (p = strstr(p, isa)) != NULL; p += n) {
        if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == 0)) return true;
    }
    return false;
}

static u64 kind_of(const ov_vec *v)
{
    if (v->exc != 0xff) return 1u << 24 | (u64)v->exc << 16 | (v->err & 0xffff);
    return (v->nout ? 1u : 0) | (v->nin ? 2u : 0);
}

static unsigned choose(struct record *r, unsigned n, unsigned want)
{
    unsigned kept = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned k = 0; k < n && kept < want; k++) {
            bool seen = r[k].keep;
            for (unsigned j = 0; j < k && !seen && !pass; j++)
                seen = r[j].keep && r[j].kind == r[k].kind;
            if (seen) continue;
            r[k].keep = true;
            kept++;
        }
    }
    return kept;
}

static void put(gzFile out, const void *p, size_t n)
{
    if (gzwrite(out, p, (unsigned)n) != (int)n) {
        fprintf(stderr, "cannot write\n");
        exit(1);
    }
}

static void put_text(gzFile out, const char *s)
{
    u8 n = (u8)strlen(s);
    put(out, &n, 1);
    put(out, s, n);
}

int main(int argc, char **argv)
{
    static struct record r[FORM_MAX];
    unsigned want = argc > 1 ? (unsigned)atoi(argv[1]) : 6;
    const char *without = argc > 2 ? argv[2] : "";
    size_t len;
    u8 *data = read_all(stdin, &len);
    ov_file f;
    if (!data || ov_open(&f, data, len)) {
        fprintf(stderr, "standard input is not an ovec file\n");
        return 1;
    }
    gzFile out = gzdopen(1, "wb9");
    if (!out) return 1;
    put(out, data, 16);
    while (ov_section(&f)) {
        ov_vec v;
        unsigned n = 0;
        for (const u8 *p = f.p; ov_vector(&f, &v); p = f.p) {
            if (n < FORM_MAX) r[n++] = (struct record){ p, (size_t)(f.p - p), kind_of(&v), false };
        }
        if (listed(without, f.s.isa)) continue;
        u32 kept = choose(r, n, want);
        put(out, &kept, 4);
        put(out, &f.s.seed, 8);
        put(out, &f.s.mode, 1);
        put(out, &f.s.kind, 1);
        put(out, &f.s.flags, 2);
        put_text(out, f.s.name);
        put_text(out, f.s.isa);
        for (unsigned k = 0; k < n; k++) {
            if (r[k].keep) put(out, r[k].p, r[k].len);
        }
    }
    free(data);
    return gzclose(out) == Z_OK ? 0 : 1;
}
