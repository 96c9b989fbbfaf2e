/* Recording and replay of AeroGPU sessions: the same pictures without a machine, small files, and files that lie. */
#include <sys/stat.h>

#include "gpu/record.h"
#include "machine/debug/gpu_replay.h"
#include "machine/host/recfile.h"
#include "tests/unit/gpu_scene.h"

struct bed {
    struct gpu g;
    struct gpu_scene scene;
    char dir[64], path[96];
    char *said; /* by the replay */
    size_t said_len;
    struct error e;
};

static void up(struct bed *t)
{
    memset(t, 0, sizeof(*t));
    strcpy(t->dir, "/tmp/aeropc-replay-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t->dir));
    snprintf(t->path, sizeof(t->path), "%s/rec", t->dir);
}

static void down(struct bed *t)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", t->dir);
    ck_assert_int_eq(system(command), 0);
    free(t->said);
}

static void record_start(struct bed *t)
{
    gpu_up_with(&t->g, "record", t->path);
    driver_start(&t->g, AGPU_IRQ_ERROR);
}

/* Runs the replay with the arguments behind FILE; false when it fails. */
static bool replay(struct bed *t, const char *a, const char *b, const char *c)
{
    const char *argv[] = { "gpu-replay", t->path, a, b, c };
    int argc = 2 + (a != NULL) + (b != NULL) + (c != NULL);
    free(t->said);
    FILE *out = open_memstream(&t->said, &t->said_len);
    int ret = gpu_replay(argc, (char **)(uintptr_t)argv, out, &t->e);
    fclose(out);
    return ret == 0;
}

static bool says_hash(const struct bed *t, u64 hash)
{
    char text[32];
    snprintf(text, sizeof(text), "hash %016llx", (unsigned long long)hash);
    return strstr(t->said, text) != NULL;
}

static u64 file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (u64)st.st_size;
}

/* --- what comes out --- */

START_TEST(replay_gives_the_same_pictures)
{
    struct bed t;
    u64 hash[6];
    up(&t);
    record_start(&t);
    scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    for (u32 k = 0; k < LEN(hash); k++) {
        scene_frame(&t.scene, &t.g);
        hash[k] = scene_hash(&t.g);
    }
    gpu_down(&t.g);
    ck_assert_msg(replay(&t, "--out", t.dir, NULL), "%s", t.e.text);
    for (u32 k = 0; k < LEN(hash); k++) ck_assert_msg(says_hash(&t, hash[k]), "frame %u: %s", k, t.said);
    ck_assert_ptr_nonnull(strstr(t.said, "6 submissions"));
    ck_assert_ptr_nonnull(strstr(t.said, " 0 errors"));
    ck_assert_ptr_null(strstr(t.said, "was not ended"));
    /* a black one when scanout 0 was set up, then one per frame */
    ck_assert_ptr_nonnull(strstr(t.said, "7 pictures"));
    char png[128];
    snprintf(png, sizeof(png), "%s/000007.png", t.dir);
    ck_assert_uint_gt(file_bytes(png), 100);
    ck_assert_ptr_null(strstr(t.said, "DRAW"));
    ck_assert(replay(&t, "--verbose", NULL, NULL));
    ck_assert_ptr_nonnull(strstr(t.said, "DRAW"));
    ck_assert(replay(&t, "--workers", "3", NULL));
    for (u32 k = 0; k < LEN(hash); k++) ck_assert(says_hash(&t, hash[k]));
    ck_assert(!replay(&t, "--soft", "frob=1", NULL));
    ck_assert_ptr_nonnull(strstr(t.e.text, "frob"));
    ck_assert(replay(&t, "--exec", "none", NULL)); /* nobody draws: none of those pictures */
    for (u32 k = 0; k < LEN(hash); k++) ck_assert(!says_hash(&t, hash[k]));
    down(&t);
}
END_TEST

/* What the processor draws is in the recording when the next submission presents, or at a flip; the rest of an unchanged allocation is not
 * written again. */
START_TEST(replay_has_what_the_processor_drew)
{
    struct bed t;
    up(&t);
    record_start(&t);
    scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    for (u32 k = 0; k < SCENE_W * SCENE_H; k++) st32(ram(&t.g, FB + 0x10000 + k * 4), k * 0x12345);
    W(&t.g, AGPU_R_SCAN_GPA_LO, FB + 0x10000);
    W(&t.g, AGPU_R_SCAN_GPA_HI, 0);
    u64 flipped = scene_hash(&t.g);
    st32(ram(&t.g, FB + 0x10000), 0xabcdef);
    ram_written(&t.g.r.ram_region, FB + 0x10000, 4);
    submit(&t.g, STREAM_OF(&t.g, 1, 0, AGPU_PRESENT, 16, 0, 0));
    u64 changed = scene_hash(&t.g);
    gpu_down(&t.g);
    ck_assert_uint_ne(flipped, changed);
    ck_assert_msg(replay(&t, "--last", "--out", t.dir), "%s", t.e.text);
    ck_assert(says_hash(&t, flipped));
    ck_assert(says_hash(&t, changed));
    down(&t);
}
END_TEST

START_TEST(recordings_stay_small)
{
    struct bed t;
    up(&t);
    record_start(&t);
    scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    for (u32 k = 0; k < 50; k++) scene_frame(&t.scene, &t.g);
    gpu_down(&t.g);
    ck_assert(replay(&t, NULL, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(t.said, "50 submissions"));
    /* The stamp's page changes with every frame; the presented target, which the executor writes, is not in the file. */
    ck_assert_msg(strstr(t.said, " 50 pages of memory") != NULL, "%s", t.said);
    ck_assert_uint_lt(file_bytes(t.path), 50 * 3000);
    down(&t);
}
END_TEST

START_TEST(replay_follows_resets)
{
    struct bed t;
    up(&t);
    record_start(&t);
    scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    scene_frame(&t.scene, &t.g);
    scene_frame(&t.scene, &t.g);
    W(&t.g, AGPU_R_RING_CONTROL, 3);
    t.scene.frame = 3; /* without its objects nothing is drawn */
    t.scene.fence = 0;
    scene_frame(&t.scene, &t.g);
    u64 last = scene_hash(&t.g);
    gpu_down(&t.g);
    ck_assert(replay(&t, NULL, NULL, NULL));
    const char *at = strstr(t.said, "3 submissions");
    ck_assert_ptr_nonnull(at);
    ck_assert(says_hash(&t, last));
    ck_assert_ptr_nonnull(strstr(t.said, "3 pictures"));
    down(&t);
}
END_TEST

/* --- refusals --- */

START_TEST(replay_refusals)
{
    static const struct {
        const char *a, *b, *says;
    } rows[] = {
        { "--every", "0", "--every 0" },     { "--every", "x", "--every x" }, { "--every", NULL, "needs a value" },
        { "--exec", "bridge", "soft or none" }, { "--exec", "x", "soft or none" }, { "--frob", NULL, "--frob" },
        { "another", NULL, "another" },      { "--out", "/proc/no/way", "/proc/no/way" },
        { "--workers", "0", "--workers 0" }, { "--soft", NULL, "needs a value" },
    };
    struct bed t;
    up(&t);
    ck_assert(!replay(&t, NULL, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(t.e.text, t.path)); /* it is not there */
    for (u32 k = 0; k < LEN(rows); k++) {
        ck_assert(!replay(&t, rows[k].a, rows[k].b, NULL));
        ck_assert_msg(strstr(t.e.text, rows[k].says) != NULL, "%s", t.e.text);
        ck_assert_ptr_null(strchr(t.e.text, '\n'));
    }
    down(&t);
}
END_TEST

START_TEST(record_refusals)
{
    struct bed t;
    up(&t);
    gpu_up(&t.g);
    struct device *d = rig_create(&t.g.r, &aerogpu_class, "second");
    device_set_ptr(d, "pci", t.g.r.pci);
    device_set_option(d, "addr", "0x48", NULL);
    device_set_option(d, "record", "/proc/no/way", NULL);
    ck_assert_int_eq(device_init(d, &t.e), -1);
    ck_assert_ptr_nonnull(strstr(t.e.text, "/proc/no/way"));
    device_destroy(t.g.r.devices[--t.g.r.ndevices]);
    gpu_down(&t.g);
    down(&t);
}
END_TEST

/* --- files that lie --- */

static void make_scene(struct bed *t)
{
    record_start(t);
    scanout(&t->g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    scene_frame(&t->scene, &t->g);
    scene_frame(&t->scene, &t->g);
    gpu_down(&t->g);
}

static u8 *load(const char *path, u64 *size)
{
    *size = file_bytes(path);
    u8 *p = xalloc(*size + 1);
    FILE *f = fopen(path, "rb");
    ck_assert_uint_eq(fread(p, 1, *size, f), *size);
    fclose(f);
    return p;
}

static void store(const char *path, const u8 *p, u64 size)
{
    FILE *f = fopen(path, "wb");
    if (size) ck_assert_uint_eq(fwrite(p, 1, size, f), size);
    fclose(f);
}

/* Cut anywhere: what is whole is played; it is an error unless the cut is between two records. */
START_TEST(replay_of_a_file_cut_short)
{
    struct bed t;
    u64 size, whole = 0;
    up(&t);
    make_scene(&t);
    u8 *file = load(t.path, &size);
    for (u64 cut = 0; cut < size; cut += cut < 200 ? 1 : 37) {
        store(t.path, file, cut);
        bool ok = replay(&t, NULL, NULL, NULL);
        whole += ok;
        if (!ok) ck_assert_msg(strstr(t.e.text, t.path) != NULL, "%s", t.e.text);
    }
    ck_assert_uint_le(whole, 12);
    store(t.path, file, size - 16); /* without END */
    ck_assert(replay(&t, NULL, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(t.said, "was not ended"));
    free(file);
    down(&t);
}
END_TEST

START_TEST(replay_of_damaged_files)
{
    struct bed t;
    u64 size;
    u32 refused = 0, tried = 0;
    up(&t);
    make_scene(&t);
    u8 *file = load(t.path, &size);
    for (u64 at = 0; at < size; at += at < 100 ? 1 : 11) {
        file[at] ^= 0x55;
        store(t.path, file, size);
        tried++;
        refused += !replay(&t, NULL, NULL, NULL);
        file[at] ^= 0x55;
    }
    /* a checksum finds all; only the version's and the header's unused bytes may differ */
    ck_assert_uint_ge(refused + 4, tried);
    free(file);
    down(&t);
}
END_TEST

/* Records that are whole and make no sense: each alone behind a good LAYOUT, unless it is one itself. */
static const struct {
    u32 type, words[24], bytes;
} lies[] = {
    { RECORD_LAYOUT, { 0x100000, 0, 0x100000, 0, 0, 0 }, 20 },           /* short */
    { RECORD_LAYOUT, { 0, 0, 0x100000, 0, 0, 0 }, 24 },                  /* no low memory */
    { RECORD_LAYOUT, { 0x200000, 0, 0x100000, 0, 0, 0 }, 24 },           /* less in all than low */
    { RECORD_LAYOUT, { 0x100000, 0, 0, 0x80000000, 0, 0 }, 24 },         /* huge */
    { RECORD_LAYOUT, { 0x100001, 0, 0x200000, 0, 0, 0 }, 24 },           /* odd */
    { RECORD_LAYOUT, { 0, 2, 0, 4, 0, 0 }, 24 },                         /* 8 GiB below 4 GiB */
    { RECORD_PAGES, { 0 }, 0 },
    { RECORD_PAGES, { 0, 0 }, 8 },
    { RECORD_PAGES, { 1, 0, 0, 0 }, 16 },                                /* an address, and no page */
    { RECORD_PAGES, { 0x100000, 0, 0, 0 }, 16 },
    { RECORD_PAGES, { 0xffffffff, 0, 0, 0 }, 16 },
    { RECORD_PAGES, { 1, 0, 0x400000, 0 }, 16 + 4096 },                  /* behind memory */
    { RECORD_PAGES, { 1, 0, 0x1001, 0 }, 16 + 4096 },                    /* odd */
    { RECORD_PAGES, { 1, 0, 0xfffff000, 0xffffffff }, 16 + 4096 },
    { RECORD_SUBMIT, { 0 }, 60 },
    { RECORD_SUBMIT, { [8] = 1 }, 64 },                                  /* a range beyond */
    { RECORD_SUBMIT, { [9] = 1 }, 64 },                                  /* a stream beyond */
    { RECORD_SUBMIT, { [8] = 0x0aaaaaab }, 64 + 8 },                     /* a product that wraps */
    { RECORD_SUBMIT, { [8] = 1, [16] = 0 }, 64 + 24 },                   /* id 0 */
    { RECORD_SUBMIT, { [8] = 1, [16] = 1 }, 64 + 24 },                   /* size 0 */
    { RECORD_SUBMIT, { [8] = 1, [16] = 1, 0, 0, 0xffffffff, 0, 1 }, 64 + 24 }, /* overflow */
    { RECORD_SCANOUT, { 0 }, 28 },
    { RECORD_RESET, { 0, 0, 2, 0 }, 16 },
    { RECORD_RESET, { 0 }, 12 },
    { 99, { 0 }, 16 },
};

static void write_lie(struct bed *t, u32 type, const void *data, u32 size)
{
    static const struct record_layout layout = { RIG_RAM, RIG_RAM, AGPU_ABI_VERSION, 0 };
    struct recfile *f = recfile_create(t->path, RECORD_MAGIC, RECORD_VERSION, &t->e);
    ck_assert_ptr_nonnull(f);
    if (type != RECORD_LAYOUT) recfile_write(f, RECORD_LAYOUT, &layout, sizeof(layout));
    recfile_write(f, type, data, size);
    recfile_close(f);
}

START_TEST(replay_of_files_that_lie)
{
    struct bed t;
    static u8 data[8192];
    up(&t);
    for (u32 k = 0; k < LEN(lies); k++) {
        memset(data, 0, sizeof(data));
        memcpy(data, lies[k].words, sizeof(lies[k].words));
        write_lie(&t, lies[k].type, data, lies[k].bytes);
        ck_assert_msg(!replay(&t, NULL, NULL, NULL), "row %u is accepted", k);
        ck_assert_msg(strstr(t.e.text, "damaged") != NULL, "row %u: %s", k, t.e.text);
    }
    /* a scanout that is nonsense shows nothing, and is no error */
    static const struct record_scanout odd[] = {
        { 0, { 0x100000, 0xffffffff, 0xffffffff, 2, 0xffffffff } }, { 0, { 0xfffffffffffffff0, 64, 64, 2, 256 } },
        { 0, { 0x3ffff0, 64, 64, 2, 256 } }, { 0, { 0x1000, 64, 64, 2, 255 } }, { 0, { 0x1000, 64, 64, 77, 256 } }, { 0, { 0x1000, 64, 0, 2, 256 } },
    };
    for (u32 k = 0; k < LEN(odd); k++) {
        write_lie(&t, RECORD_SCANOUT, &odd[k], sizeof(odd[k]));
        ck_assert_msg(replay(&t, NULL, NULL, NULL), "%s", t.e.text);
        ck_assert_ptr_nonnull(strstr(t.said, " 0 pictures"));
    }
    down(&t);
}
END_TEST

/* Record headers: sizes that no memory has, and a small record that says it unpacks to much. */
START_TEST(replay_of_sizes_that_lie)
{
    static const u32 headers[][4] = {
        { RECORD_PAGES, 0xffffffff, 16, 0 }, { RECORD_PAGES, 16, 0xffffffff, 0 }, { RECORD_PAGES, RECFILE_MAX + 1, 16, 0 },
        { RECORD_PAGES, RECFILE_MAX, 16, 0 }, { RECORD_PAGES, 16, 17, 0 },
    };
    struct bed t;
    up(&t);
    for (u32 k = 0; k < LEN(headers); k++) {
        u8 file[16 + 16 + 16] = RECORD_MAGIC;
        st32(file + 8, RECORD_VERSION);
        memcpy(file + 16, headers[k], 16);
        store(t.path, file, sizeof(file));
        ck_assert(!replay(&t, NULL, NULL, NULL));
    }
    down(&t);
}
END_TEST

Suite *aerogpu_replay_suite(void);
Suite *aerogpu_replay_suite(void)
{
    const TTest *const tests[] = {
        replay_gives_the_same_pictures, replay_has_what_the_processor_drew, recordings_stay_small,    replay_follows_resets,
        replay_refusals,                record_refusals,                    replay_of_a_file_cut_short, replay_of_damaged_files,
        replay_of_files_that_lie,       replay_of_sizes_that_lie,
    };
    Suite *s = suite_create("aerogpu_replay");
    TCase *c = tcase_create("aerogpu_replay");
    tcase_set_timeout(c, 60);
    for (u32 k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
