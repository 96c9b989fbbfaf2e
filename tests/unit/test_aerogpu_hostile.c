/* AeroGPU against guests that mean harm, and against unusual ones: what the fuzz targets (tests/fuzz/gpu) found, and what reading for them
 * found. None may crash, hang, or occupy host memory without end; fences complete. More of this kind is in test_aerogpu_limits.c. */
#include <stdlib.h>
#include <time.h>

#include "gpu/exec.h"
#include "gpu/shader/run.h"
#include "tests/unit/aerogpu_scene.h"

/* The fence page lies over the device's own doorbell. Writing it there would ring, which writes the page, and so on. */
START_TEST(fence_page_on_the_doorbell)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    W(&g, AGPU_R_FENCE_GPA_LO, BAR0 + AGPU_R_DOORBELL - 8);
    submit(&g, empty(5, 0));
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 5);
    gpu_down(&g);
}
END_TEST

static void stop_driver(struct gpu *g)
{
    W(g, AGPU_R_RING_CONTROL, 0);
    W(g, AGPU_R_RING_GPA_LO, 0);
    W(g, AGPU_R_RING_GPA_HI, 0);
}

/* A driver that is stopped and started several times without a RESET in between counts its fences from 1 each time, and its share tokens,
 * too. */
START_TEST(driver_restarts_twice)
{
    struct gpu g;
    gpu_up(&g);
    for (u32 round = 0; round < 3; round++) {
        driver_start(&g, AGPU_IRQ_FENCE);
        ring(&g)->head = ring(&g)->tail = 0;
        /* texture 1 of another size each time, exported as token 1, imported again and cleared */
        submit(&g, STREAM_OF(&g, 1, 0, AGPU_CREATE_TEXTURE2D, 56, 1, 8, 1, 4 + round, 4, 1, 1, 0, 0, 0, 0, 0, AGPU_EXPORT_SHARED_SURFACE, 24, 1, 0, 1, 0));
        ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 1);
        ck_assert(R(&g, AGPU_R_IRQ_STATUS) & AGPU_IRQ_FENCE);
        stop_driver(&g);
        ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
        ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    }
    gpu_down(&g);
}
END_TEST

/* The scanout is switched off while bus mastering is off and fences wait for vertical blanks, of which there will be no more. */
START_TEST(paced_fences_survive_the_scanout)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE);
    scanout(&g, 16, 8, AGPU_FMT_B8G8R8A8, 64);
    for (u32 k = 1; k <= 3; k++) submit(&g, STREAM_OF(&g, k, 0, AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC));
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
    gpu_command(&g, PCI_CMD_MEM);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 3);
    ck_assert(line(&g));
    gpu_down(&g);
}
END_TEST

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Four milliards of triangles between three vertices: each costs work, although no vertex is shaded twice. */
START_TEST(triangles_of_the_same_vertices_end)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    const struct cv v[3] = { { -1, 1, 0.5f, 1, 0xff0000ff }, { 1, 1, 0.5f, 1, 0xff0000ff }, { -1, -1, 0.5f, 1, 0xff0000ff } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    PUT(&s, AGPU_CREATE_BUFFER, 40, IB, 2, 4, 0, 0, 0, 0, 0);
    PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, 0, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0);
    PUT(&s, AGPU_DRAW_INDEXED, 28, 0xffffffff, 0xffffffff, 0, 0, 0);
    double before = seconds();
    send(&s);
    double took = seconds() - before;
    ck_assert_msg(took < 60, "%.1f s", took);
    draw(&s, AGPU_TOPO_TRIANGLES, 3);
    send(&s);
    end(&s);
}
END_TEST

/* The least size of a point is no more than the largest, and pixels of points are work, also where there is no pixel shader. */
START_TEST(points_are_no_larger_than_points)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    const struct cv v = { 0, 0, 0.5f, 1, 0xff0000ff };
    vertices(&s, &v, sizeof(v), sizeof(v));
    state(&s, 155, 0x6757cdd0); /* POINTSIZE_MIN: 1e24 */
    state(&s, 166, 0x42800000); /* POINTSIZE_MAX: 64 */
    draw(&s, AGPU_TOPO_POINTS, 1);
    ck_assert_uint_eq(result(&s)[0], 0xff0000ff);
    texture(&s, DS, AGPU_FMT_D24S8, 64, 64);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 0, DS, 0, 0, 0, 0, 0, 0, 0, 0, AGPU_BIND_SHADERS, 24, VS, 0, 0, 0);
    double before = seconds();
    draw(&s, AGPU_TOPO_POINTS, 0xffffffff);
    send(&s);
    double took = seconds() - before;
    ck_assert_msg(took < 60, "%.1f s", took);
    end(&s);
}
END_TEST

static long resident_mib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return pages * 4096 / MIB;
}

/* Shaders and their registers are memory: past the cap there are no more of them, and what exists goes on. */
START_TEST(shaders_are_memory)
{
    struct scene s;
    begin_with(&s, "memory=16", 4, 4, vs_color, ps_color);
    long before = resident_mib();
    for (u32 k = 0; k < 4000; k++) {
        shader(&s, 1000 + k, vs_color, ASM_STANDARD);
        if (s.count > 7000) send(&s);
    }
    send(&s);
    long grown = resident_mib() - before;
    ck_assert_msg(grown < 100, "%ld MiB", grown);
    const struct cv v[3] = { { -1, 1, 0.5f, 1, 0xff0000ff }, { 3, 1, 0.5f, 1, 0xff0000ff }, { -1, -3, 0.5f, 1, 0xff0000ff } };
    for (u32 k = 0; k < 4000; k++) {
        PUT(&s, AGPU_DESTROY_SHADER, 16, 1000 + k, 0);
        if (s.count > 7000) send(&s);
    }
    shader(&s, 20, vs_color, ASM_STANDARD); /* there is room again */
    PUT(&s, AGPU_BIND_SHADERS, 24, 20, PS, 0, 0);
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_TRIANGLES, 3);
    ck_assert_uint_eq(result(&s)[5], 0xff0000ff);
    end(&s);
}
END_TEST

/* --- an executor whose host says strange things, as a damaged recording does --- */

static void batch_done(void *opaque, struct exec_batch *b)
{
    (void)b;
    ++*(u32 *)opaque;
}

static bool never_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    (void)opaque, (void)gpa, (void)buf, (void)len;
    return false;
}

static bool odd_scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque;
    *s = (struct exec_scanout){ 0x1000, 16, 16, 77, 64 };
    return true;
}

START_TEST(scanout_of_an_unknown_format)
{
    struct error e;
    u32 dones = 0;
    const struct exec_host h = { .opaque = &dones, .done = batch_done, .write = never_write, .scanout = odd_scanout, .tuning = { .workers = 1 } };
    u32 words[64] = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 0, 0, 0, 0 };
    const u32 packets[] = { AGPU_CREATE_TEXTURE2D, 56, 1, 8, 1, 8, 8, 1, 1, 0, 0, 0, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                            AGPU_PRESENT, 16, 0, 0 };
    memcpy(words + 6, packets, sizeof(packets));
    words[2] = 24 + sizeof(packets);
    struct exec *x = exec_soft.create(&h, &e);
    struct exec_batch b = { .context_id = 1 };
    acmd_parse(&b.stream, (const u8 *)words, words[2]);
    ck_assert_uint_eq(b.stream.count, 3);
    exec_soft.submit(x, &b);
    ck_assert_uint_eq(dones, 1);
    acmd_free(&b.stream);
    exec_soft.reset(x, EXEC_FORGET_ALL);
    exec_soft.destroy(x);
}
END_TEST

/* Constants that a shader defines: one of each number, however often it says so; the first counts. */
START_TEST(definitions_without_end)
{
    enum { DEFS = 10000 };
    u32 *words = malloc((DEFS * 6 + 16) * 4), n = 0;
    const char *why = NULL;
    words[n++] = 0xfffe0200;
    for (u32 k = 0; k < DEFS; k++) {
        const u32 def[6] = { 0x05000051, 0xa00f0000 | (k & 255), ONE + k, 0, 0, 0 };
        memcpy(words + n, def, sizeof(def));
        n += 6;
    }
    const u32 rest[] = { 0x02000001, 0xc00f0000, 0xa0e40005, 0xffff };
    memcpy(words + n, rest, sizeof(rest));
    n += LEN(rest);
    struct ir_program *p = d3d9_compile((const u8 *)words, n * 4, STAGE_VS, &why);
    ck_assert_msg(p != NULL, "%s", why);
    ck_assert_uint_le(p->def_count, 256);
    struct ir_state *s = ir_state_create(p);
    i64 budget = 1 << 20;
    const struct ir_env env = { .budget = &budget };
    s->active = 1;
    ck_assert(ir_run(p, &env, s));
    ck_assert_uint_eq(s->outputs[IR_O_POSITION].c[0][0], ONE + 5);
    ir_state_free(s);
    ir_free(p);
    free(words);
}
END_TEST

Suite *aerogpu_hostile_suite(void);
Suite *aerogpu_hostile_suite(void)
{
    Suite *s = suite_create("aerogpu_hostile");
    TCase *c = tcase_create("hostile");
    tcase_set_timeout(c, 300);
    const TTest *tests[] = { fence_page_on_the_doorbell, driver_restarts_twice, paced_fences_survive_the_scanout, triangles_of_the_same_vertices_end, points_are_no_larger_than_points, shaders_are_memory, scanout_of_an_unknown_format, definitions_without_end };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
