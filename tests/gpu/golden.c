/* gpu-golden: runs the golden pictures (golden.h) and compares their hashes with golden.txt.
 *
 *   gpu-golden             all cases, each also on other ways to the same picture (variants[])
 *   --case NAME            this one (a prefix names several), with what went wrong
 *   --bless                writes golden.txt; a case whose own check fails is not written
 *   --png DIR              each picture as PNG, small ones enlarged, and contact sheets
 *   --file FILE            in place of tests/gpu/golden.txt
 * A failing case leaves DIR/NAME-N.png and, where there is a reference, NAME-N-want.png; DIR is
 * /tmp/gpu-golden unless --png says otherwise. Exit status 0: all are right. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "machine/host/png.h"
#include "tests/gpu/golden.h"

static const struct golden_case *const tables[] = { golden_scanout, golden_transfer, golden_raster, golden_output,
                                                    golden_sampling, golden_vertices, golden_shaders, golden_ps1,      golden_stages,   golden_d3d10,    golden_sm4,    golden_stages10, golden_scenes };

static const struct gold_variant variants[] = {
    { .name = "plain" },
    { .name = "cut into random batches", .split = true },
    { .name = "after resets in the middle", .resets = true },
    { .name = "by one worker", .tuning = { .workers = 1 } },
    { .name = "by five workers", .tuning = { .workers = 5 } },
    { .name = "without fast paths", .tuning = { .no_fast_paths = true } },
    { .name = "with SSE2 alone", .tuning = { .simd = EXEC_SIMD_SSE2 } },
    { .name = "in batches by three workers with SSE2", .split = true, .tuning = { .workers = 3, .simd = EXEC_SIMD_SSE2 } },
};

enum { MAX_LINES = 1024, SHEET = 8, THUMB = 128 };

struct options {
    const char *wanted, *png, *file;
    bool bless;
};

struct line {
    char name[64];
    u64 hash;
};

struct run {
    struct options o;
    struct line lines[MAX_LINES];
    u32 line_count, passed, failed;
    FILE *out;        /* golden.txt.new when blessing */
    u32 *sheet, cells; /* the contact sheet in the making */
    u32 sheets;
};

/* ---- pictures ---- */

static u32 to_rgb(u32 format, const u8 *p)
{
    u32 v = format == 5 || format == 6 ? ld16(p) : ld32(p);
    switch (format) {
    case 5: return (v >> 11) * 255 / 31 << 16 | (v >> 5 & 63) * 255 / 63 << 8 | (v & 31) * 255 / 31;
    case 6: return (v >> 10 & 31) * 255 / 31 << 16 | (v >> 5 & 31) * 255 / 31 << 8 | (v & 31) * 255 / 31;
    case 3:
    case 4:
    case 9:
    case 10: return (v & 255) << 16 | (v & 0xff00) | (v >> 16 & 255);
    case 32: return (v >> 24) << 16 | (v >> 16 & 255) * 0x101; /* stencil red, depth cyan */
    case 33: {
        float f;
        memcpy(&f, p, 4);
        return (u32)(ref_clamp(f, 0, 1) * 255) * 0x10101;
    }
    default: return v & 0xffffff;
    }
}

static void write_png(const char *dir, const char *name, u32 number, const char *suffix, const struct picture *p, const u8 *texels)
{
    char path[512];
    struct error e = { "" };
    u32 scale = MAX(1u, 256 / MAX(p->width, p->height)), w = p->width * scale, h = p->height * scale;
    u32 *rgb = xalloc((size_t)w * h * 4);
    size_t bytes = p->size / p->width / p->height;
    for (u32 y = 0; y < h; y++) {
        for (u32 x = 0; x < w; x++) rgb[y * w + x] = to_rgb(p->format, texels + ((size_t)(y / scale) * p->width + x / scale) * bytes);
    }
    mkdir(dir, 0777);
    snprintf(path, sizeof(path), "%s/%s-%u%s.png", dir, name, number, suffix);
    if (png_write(path, rgb, w, h, &e)) fprintf(stderr, "%s\n", e.text);
    free(rgb);
}

static void write_pictures(const char *dir, const struct gold *g, bool expected)
{
    for (u32 k = 0; k < g->picture_count; k++) {
        const struct picture *p = &g->pictures[k];
        write_png(dir, g->name, k + 1, "", p, p->texels);
        if (expected && p->expected) write_png(dir, g->name, k + 1, "-want", p, p->expected);
    }
}

static void finish_sheet(struct run *r)
{
    char path[512];
    struct error e = { "" };
    if (!r->cells) return;
    snprintf(path, sizeof(path), "%s/sheet-%02u.png", r->o.png, ++r->sheets);
    if (png_write(path, r->sheet, SHEET * THUMB, SHEET * THUMB, &e)) fprintf(stderr, "%s\n", e.text);
    memset(r->sheet, 0x30, (size_t)SHEET * THUMB * SHEET * THUMB * 4);
    r->cells = 0;
}

static void add_to_sheet(struct run *r, const struct gold *g)
{
    for (u32 k = 0; k < g->picture_count; k++) {
        const struct picture *p = &g->pictures[k];
        size_t bytes = p->size / p->width / p->height;
        u32 *to = r->sheet + (size_t)(r->cells / SHEET) * THUMB * SHEET * THUMB + r->cells % SHEET * THUMB;
        u32 side = MAX(p->width, p->height);
        for (u32 y = 0; y < THUMB - 4; y++) {
            for (u32 x = 0; x < THUMB - 4; x++) {
                u32 px = x * side / (THUMB - 4), py = y * side / (THUMB - 4);
                if (px < p->width && py < p->height) to[y * SHEET * THUMB + x] = to_rgb(p->format, p->texels + ((size_t)py * p->width + px) * bytes);
            }
        }
        printf("  sheet %u, row %u, column %u: %s %u\n", r->sheets + 1, r->cells / SHEET + 1, r->cells % SHEET + 1, g->name, k + 1);
        if (++r->cells == SHEET * SHEET) finish_sheet(r);
    }
}

/* ---- golden.txt: one line a case: hash, name, how it was judged ---- */

static void read_lines(struct run *r)
{
    char text[512];
    unsigned long long hash;
    FILE *f = fopen(r->o.file, "r");
    if (!f) return;
    while (fgets(text, sizeof(text), f) && r->line_count < MAX_LINES) {
        struct line *l = &r->lines[r->line_count];
        if (text[0] == '#' || sscanf(text, "%llx %63s", &hash, l->name) != 2) continue;
        l->hash = hash;
        r->line_count++;
    }
    fclose(f);
}

static const struct line *find_line(const struct run *r, const char *name)
{
    for (u32 k = 0; k < r->line_count; k++) {
        if (!strcmp(r->lines[k].name, name)) return &r->lines[k];
    }
    return NULL;
}

static void write_line(struct run *r, const struct golden_case *c, u64 hash)
{
    fprintf(r->out, "%016llx %-36s %s\n", (unsigned long long)hash, c->name, c->judged);
}

/* ---- cases ---- */

static void judge(struct run *r, struct gold *g, const struct golden_case *c)
{
    const struct line *l = find_line(r, c->name);
    u64 hash = gold_hash(g);
    gold_check(g, g->picture_count, "the case shows no picture");
    if (!r->o.bless) {
        gold_check(g, l, "no line in %s", r->o.file);
        gold_check(g, !l || l->hash == hash, "hash %016llx, expected %016llx: right by its own check, but not as it was",
                   (unsigned long long)hash, (unsigned long long)(l ? l->hash : 0));
    }
    if (r->o.bless && !g->failed) write_line(r, c, hash);
    if (r->o.bless && g->failed && l) write_line(r, c, l->hash);
}

/* The first pixel in which two runs of a case differ. */
static void compare(struct gold *g, const struct gold *other)
{
    gold_check(g, !other->failed, "%s: %s", other->variant->name, other->why);
    gold_check(g, g->picture_count == other->picture_count, "%s: %u pictures, not %u", other->variant->name, other->picture_count, g->picture_count);
    for (u32 k = 0; k < g->picture_count && !g->failed; k++) {
        const struct picture *p = &g->pictures[k], *q = &other->pictures[k];
        u32 bytes = (u32)(p->size / p->width / p->height);
        for (u32 n = 0; n < p->width * p->height && !g->failed; n++) {
            gold_check(g, !memcmp(p->texels + n * bytes, q->texels + n * bytes, bytes), "%s: picture %u, pixel %u,%u: %08x, not %08x", other->variant->name,
                       k + 1, n % p->width, n / p->width, (u32)ld_n(q->texels + n * bytes, bytes), (u32)ld_n(p->texels + n * bytes, bytes));
        }
    }
}

static void run_case(struct run *r, const struct golden_case *c)
{
    struct gold *g = xalloc(sizeof(*g)), *other = xalloc(sizeof(*other));
    const char *dir = r->o.png ? r->o.png : "/tmp/gpu-golden";
    gold_begin(g, c->name, &variants[0]);
    c->run(g, c->arg);
    judge(r, g, c);
    for (size_t k = 1; k < LEN(variants) && !g->failed; k++) {
        gold_begin(other, c->name, &variants[k]);
        other->silent = true;
        c->run(other, c->arg);
        compare(g, other);
        gold_end(other);
    }
    if (g->failed) {
        printf("FAIL %s: %s\n", c->name, g->why);
        write_pictures(dir, g, true);
        r->failed++;
    } else {
        r->passed++;
    }
    if (r->o.png) write_pictures(dir, g, false);
    if (r->o.png) add_to_sheet(r, g);
    gold_end(g);
    free(other);
    free(g);
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){ .file = "tests/gpu/golden.txt" };
    for (int k = 1; k < argc; k++) {
        const char *value = k + 1 < argc ? argv[k + 1] : NULL;
        if (!strcmp(argv[k], "--bless")) {
            o->bless = true;
            continue;
        }
        if (!value) return false;
        if (!strcmp(argv[k], "--case")) o->wanted = value;
        else if (!strcmp(argv[k], "--png")) o->png = value;
        else if (!strcmp(argv[k], "--file")) o->file = value;
        else return false;
        k++;
    }
    return !(o->bless && o->wanted);
}

static void bless_begin(struct run *r)
{
    char path[512];
    snprintf(path, sizeof(path), "%s.new", r->o.file);
    r->out = fopen(path, "w");
    if (!r->out) {
        perror(path);
        exit(2);
    }
    fprintf(r->out, "# Golden pictures: hash of what the software executor draws, case, how the picture was found right.\n"
                    "# Written by build/gpu-golden --bless, which refuses pictures that fail their own check.\n");
}

static void bless_end(struct run *r)
{
    char path[512];
    snprintf(path, sizeof(path), "%s.new", r->o.file);
    fclose(r->out);
    rename(path, r->o.file);
}

int main(int argc, char **argv)
{
    struct run *r = xalloc(sizeof(*r));
    if (!parse(&r->o, argc, argv)) {
        fprintf(stderr, "usage: gpu-golden [--case NAME] [--png DIR] [--file FILE] [--bless]\n");
        return 2;
    }
    read_lines(r);
    r->sheet = xalloc((size_t)SHEET * THUMB * SHEET * THUMB * 4);
    if (r->o.bless) bless_begin(r);
    for (size_t t = 0; t < LEN(tables); t++) {
        for (const struct golden_case *c = tables[t]; c->name; c++) {
            if (!r->o.wanted || !strncmp(c->name, r->o.wanted, strlen(r->o.wanted))) run_case(r, c);
        }
    }
    if (r->o.png) finish_sheet(r);
    if (r->o.bless) bless_end(r);
    printf("golden pictures: %u right, %u wrong\n", r->passed, r->failed);
    int status = r->failed || !r->passed ? 1 : 0;
    free(r->sheet);
    free(r);
    return status;
}
