/* What hostile guests may not do to the software executor: numbers of share tokens and objects, and work that has no relation to the size
 * of what asks for it. Each scene comes back in well under a second and leaves a device that draws. */
#include <stdlib.h>
#include <time.h>

#include "gpu/soft/objects.h"
#include "tests/unit/aerogpu_scene10.h"

/* --- tokens and objects, without a device --- */

static struct outcome make_buffer(struct objects *o, u32 handle)
{
    const struct agpu_create_buffer p = { { AGPU_CREATE_BUFFER, 40 }, handle, 0, 4, 0, 0, 0 };
    return object_create_buffer(o, &p);
}

static bool export(struct objects *o, u32 handle, u64 token)
{
    const struct agpu_share_packet p = { { AGPU_EXPORT_SHARED_SURFACE, 24 }, handle, 0, token };
    return !object_export(o, &p).reason;
}

static bool import(struct objects *o, u32 handle, u64 token)
{
    const struct agpu_share_packet p = { { AGPU_IMPORT_SHARED_SURFACE, 24 }, handle, 0, token };
    return !object_import(o, &p).reason;
}

static struct objects *objects_new(u64 cap)
{
    static const struct exec_host host;
    static const struct exec_batch batch;
    struct objects *o = xalloc(sizeof(*o));
    objects_init(o, &host, cap, NULL);
    o->batch = &batch;
    return o;
}

static void objects_end(struct objects *o)
{
    objects_clear(o);
    free(o->slots);
    free(o);
}

START_TEST(tokens_live_retire_and_are_forgotten)
{
    struct objects *o = objects_new(MIB);
    ck_assert(!make_buffer(o, 1).reason && !make_buffer(o, 2).reason);
    u32 good = 0;
    for (u32 k = 1; k <= 65536; k++) good += export(o, 1 + (k & 1), k * 0x100000001ull);
    ck_assert_uint_eq(good, 65536);
    ck_assert(!export(o, 1, 99)); /* too many */
    ck_assert(import(o, 3, 7 * 0x100000001ull));
    ck_assert(import(o, 3, 7 * 0x100000001ull)); /* the same again */
    ck_assert(!import(o, 3, 8 * 0x100000001ull));
    object_release_token(o, 7 * 0x100000001ull); /* in the middle of its resource's chain */
    object_release_token(o, 7 * 0x100000001ull);
    ck_assert(!import(o, 4, 7 * 0x100000001ull));
    ck_assert(!export(o, 2, 7 * 0x100000001ull));
    ck_assert(export(o, 1, 99));
    object_destroy(o, 1, ~0u); /* its tokens go with it, the other's stay */
    ck_assert(!import(o, 5, 99));
    ck_assert(!import(o, 5, 2 * 0x100000001ull));
    ck_assert(import(o, 5, 3 * 0x100000001ull));
    ck_assert_uint_eq(o->tokens.live, 32767);
    /* a million retired ones later the oldest of them is a stranger again */
    good = 0;
    for (u64 k = 1; k <= 1u << 20; k++) {
        good += export(o, 2, k << 40);
        object_release_token(o, k << 40);
    }
    ck_assert_uint_eq(good, 1u << 20);
    ck_assert_uint_eq(o->tokens.retired_count, 1u << 20);
    ck_assert(export(o, 2, 7 * 0x100000001ull));
    ck_assert(!export(o, 2, 5ull << 40));
    objects_forget_retired(o);
    ck_assert(export(o, 2, 5ull << 40));
    ck_assert(import(o, 6, 3 * 0x100000001ull));
    objects_end(o);
}
END_TEST

START_TEST(objects_are_counted)
{
    struct objects *o = objects_new(64 * MIB);
    for (u32 k = 1; k <= OBJ_MAX_LIVE; k++) make_buffer(o, k * 7);
    ck_assert_uint_eq(o->live, OBJ_MAX_LIVE);
    ck_assert(make_buffer(o, 3).reason != NULL);
    ck_assert(export(o, 7, 5));
    ck_assert(!import(o, 3, 5)); /* an alias is a handle, too */
    for (u32 k = 1; k <= OBJ_MAX_LIVE; k++) object_destroy(o, k * 7, ~0u);
    ck_assert_uint_eq(o->live, 0);
    ck_assert_uint_eq(o->bytes, 0);
    objects_end(o);
}
END_TEST

START_TEST(blobs_are_memory_too)
{
    static u8 bytes[512 * 1024];
    struct objects *o = objects_new(4 * MIB);
    struct blob *b;
    u32 full = 0;
    for (u32 k = 1; k <= 20; k++) {
        ck_assert_ptr_null(object_create_blob(o, OBJ_SHADER, k, STAGE_VS, bytes, sizeof(bytes), &b).reason);
        ck_assert_ptr_nonnull(b); /* the handle is taken all the same */
        full += b->size == sizeof(bytes);
    }
    ck_assert_uint_eq(full, 8);
    ck_assert_uint_eq(o->bytes, 4 * MIB);
    ck_assert(!objects_reserve(o, b, 1));
    for (u32 k = 1; k <= 20; k++) object_destroy(o, k, ~0u);
    ck_assert_uint_eq(o->bytes, 0);
    /* boxes for many small subresources, and a texture that found no memory has none */
    const struct agpu_create_texture2d p = { { AGPU_CREATE_TEXTURE2D, 56 }, 1, 8, AGPU_FMT_B8G8R8A8, 1, 1, 1, 2048, 0, 0, 0, { 0, 0 } };
    ck_assert_ptr_null(object_create_texture(o, &p).reason);
    ck_assert_uint_eq(o->bytes, 2048 * (4 + sizeof(struct box)));
    objects_end(o);
}
END_TEST

/* --- through the device --- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Runs what was put; then a fresh batch draws as ever. */
static void bounded(struct scene *s, const char *what)
{
    double before = seconds();
    send(s);
    double took = seconds() - before;
    ck_assert_msg(took < 30, "%s took %.1f s", what, took); /* two seconds of work by a good host's measure */
    PUT(s, VIEWPORT_WHOLE, TARGET1(RT, 0), AGPU_SET_INDEX_BUFFER, 24, 0, 0, 0, 0);
    clear4(s);
    whole4(s, 1, 1, 1, 1);
    ck_assert_msg(count_of(s, result(s), 0xffffffff) == s->width * s->height, "%s", what);
}

START_TEST(instances_without_primitives_end)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    whole4(&s, 1, 1, 1, 1);
    PUT(&s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0, AGPU_DRAW, 24, 2, 0xffffffff, 0, 0);
    bounded(&s, "instances of two vertices");
    PUT(&s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_PATCH_1, 0, AGPU_DRAW, 24, 0xffffffff, 0xffffffff, 0, 0);
    bounded(&s, "patches without a hull shader");
    end(&s);
}
END_TEST

START_TEST(cleared_registers_are_work)
{
    struct scene s; /* a program that does next to nothing, with registers that must be cleared before every run */
    begin4(&s, 4, 4, VS4,
           PS_DECLS "dcl_temps 8\ndcl_indexable_temp x0[4000], 4\ndcl_input_ps linear v1.xyzw\nmov x0[3].xyzw, v1.xyzw\nmov o0.xyzw, x0[3].xyzw\nret");
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 8192, 8192);
    PUT(&s, TARGET1(20, 0));
    whole4(&s, 1, 1, 1, 1);
    bounded(&s, "registers");
    end(&s);
}
END_TEST

START_TEST(endless_indices_end)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    u32 cuts[64];
    memset(cuts, 0xff, sizeof(cuts));
    buffer4(&s, IB, cuts, sizeof(cuts));
    for (u32 k = 0; k < 4; k++)
        PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, AGPU_INDEX_32, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW_INDEXED, 28, 0xffffffff, 0xffffffff, 0,
            0, 0);
    bounded(&s, "cuts");
    end(&s);
}
END_TEST

START_TEST(clears_and_copies_end)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 4096, 4096); /* 64 MiB */
    texture(&s, 21, AGPU_FMT_B8G8R8A8, 4096, 4096);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 8, 0, 20, 20, 20, 20, 20, 20, 20, 20);
    for (u32 k = 0; k < 60; k++) PUT(&s, CLEAR_COLOR(ONE, 0, 0, 0));
    for (u32 k = 0; k < 60; k++) PUT(&s, AGPU_COPY_TEXTURE2D, 64, 20, 21, 0, 0, 0, 0, 0, 0, 0, 0, 4096, 4096, 0, 0);
    for (u32 k = 0; k < 60; k++) PUT(&s, AGPU_PRESENT, 16, 0, 0);
    bounded(&s, "clears of 64 MiB");
    end(&s);
}
END_TEST

START_TEST(decompression_ends_and_is_memory)
{
    struct scene s;
    begin4(&s, 4, 4, VS4,
           PS_DECLS "dcl_input_ps linear v1.xyzw\ndcl_sampler s0, mode_default\ndcl_resource_texture2d (float,float,float,float) t0\nsample o0.xyzw, v1.xyxx, t0.xyzw, s0\nret");
    texture(&s, TEX, AGPU_FMT_BC1, 4096, 4096); /* 8 MiB, decompressed 64 */
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    const u32 block[2] = { 0xffffffff, 0 };
    upload(&s, TEX, block, 8);
    whole4(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0xffffffff);
    for (u32 k = 0; k < 40; k++) { /* every upload makes the whole copy stale */
        upload(&s, TEX, block, 8);
        PUT(&s, AGPU_DRAW, 24, 4, 1, 0, 0);
    }
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, 0);
    shader4(&s, PS, PS4, SM4_DXBC);
    bounded(&s, "decompression");
    end(&s);
    /* with less memory than the copy needs it reads 0 */
    memset(&s, 0, sizeof(s));
    begin_with(&s, "memory=16", 4, 4, vs_tex, ps_tex);
    texture(&s, TEX, AGPU_FMT_BC1, 4096, 4096);
    upload(&s, TEX, block, 8);
    textured(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0);
    end(&s);
}
END_TEST

Suite *aerogpu_limits_suite(void);
Suite *aerogpu_limits_suite(void)
{
    Suite *s = suite_create("aerogpu_limits");
    TCase *c = tcase_create("limits");
    tcase_set_timeout(c, 120);
    const TTest *tests[] = { tokens_live_retire_and_are_forgotten,
                             objects_are_counted,
                             blobs_are_memory_too,
                             cleared_registers_are_work,
                             instances_without_primitives_end,
                             endless_indices_end,
                             clears_and_copies_end,
                             decompression_ends_and_is_memory };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
