/* Drawing with Direct3D 10's and 11's rules through the whole device: input layouts, states, linkage and system values. Statements 199 to
 * 205 of AeroGPU's contract. Textures and buffers are in test_aerogpu_d3d10_res.c. */
#include <math.h>

#include "gpu/soft/ilay.h"
#include "tests/unit/aerogpu_scene10.h"

START_TEST(a_quarter_exactly)
{
    struct scene s; /* no half pixel, the top-left rule, y up, no culling */
    begin4(&s, 64, 64, VS4, PS4);
    quad4(&s, -1, -1, 0, 0, 0.5f, 1, 0.25f, 0.125f, 0.5f);
    const u32 *p = result(&s);
    for (u32 k = 0; k < 64 * 64; k++) ck_assert_uint_eq(p[k], k % 64 < 32 && k / 64 >= 32 ? 0x80ff4020 : 0);
    end(&s);
}
END_TEST

/* --- input layouts --- */

START_TEST(ag_199_semantics_by_hash)
{
    struct scene s;
    ck_assert_uint_eq(fnv("position"), 0x7808e88a);
    ck_assert_uint_eq(fnv("Color"), 0xe7c308f8);
    begin4(&s, 4, 4,
           "vs_4_0\n.in POSITION v0.xyzw\n.in TEXCOORD v1.xyzw\n.in TEXCOORD2 v2.xyzw\n.in NORMAL v3.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n"
           "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_input v2.xyzw\ndcl_input v3.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\n"
           "dcl_temps 1\nmov o0.xyzw, v0.xyzw\nadd r0.xyzw, v1.xyzw, v2.xyzw\nadd o1.xyzw, r0.xyzw, v3.xyzw\nret",
           PS4);
    /* in another order, with an element that nobody reads and without NORMAL */
    const struct ilay_row rows[] = { { fnv("texcoord"), 2, 28, 0, 16, 0, 0 },
                                     { fnv("texcoord"), 1, 28, 0, 20, 0, 0 },
                                     { fnv("TexCoord"), 0, 28, 0, 24, 0, 0 },
                                     { fnv("position"), 0, 2, 0, 0, 0, 0 } };
    layout4(&s, rows, 4);
    struct {
        float pos[4];
        u32 t2, t1, t0, pad;
    } v[3] = { { { -1, 1, 0, 1 }, 0x04030201, 0xffffffff, 0x40302010, 0 },
               { { 3, 1, 0, 1 }, 0x04030201, 0xffffffff, 0x40302010, 0 },
               { { -1, -3, 0, 1 }, 0x04030201, 0xffffffff, 0x40302010, 0 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_TRIANGLES, 3);
    ck_assert_uint_eq(result(&s)[0], 0x44112233); /* an input without an element is 0, its w too */
    end(&s);
}
END_TEST

START_TEST(ag_200_appended_elements)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    /* one byte, then appended: at 4; another slot counts for itself */
    const struct ilay_row rows[] = { { fnv("other"), 0, 61, 0, APPEND, 0, 0 },
                                     { fnv("position"), 0, 2, 0, APPEND, 0, 0 },
                                     { fnv("other"), 1, 28, 1, 8, 0, 0 },
                                     { fnv("color"), 0, 28, 1, APPEND, 0, 0 } };
    layout4(&s, rows, 4);
    const float one = 1;
    u32 a[3][5] = { { 0xeeeeeeee, bits(-one), bits(one), 0, bits(one) },
                    { 0xeeeeeeee, bits(3), bits(one), 0, bits(one) },
                    { 0xeeeeeeee, bits(-one), bits(-3), 0, bits(one) } };
    const u32 b[3][4] = { { 1, 2, 3, 0x80403020 }, { 1, 2, 3, 0x80403020 }, { 1, 2, 3, 0x80403020 } };
    vertices(&s, a, sizeof(a), sizeof(a[0]));
    buffer4(&s, 20, b, sizeof(b));
    PUT(&s, AGPU_SET_VERTEX_BUFFERS, 32, 1, 1, 20, 16, 0, 0);
    draw(&s, AGPU_TOPO_TRIANGLES, 3);
    ck_assert_uint_eq(result(&s)[0], 0x80203040);
    end(&s);
}
END_TEST

static struct ilay *parse(u32 n, const struct ilay_row *rows, u32 size)
{
    u32 words[4 + 7 * 40] = { AGPU_ILAY_MAGIC, 1, n, 0 };
    memcpy(words + 4, rows, MIN(n, 40u) * sizeof(*rows));
    return ilay_parse((const u8 *)words, size ? size : 16 + n * 28);
}

START_TEST(ag_201_layouts_that_cannot_be)
{
    struct ilay_row rows[40];
    for (u32 k = 0; k < 40; k++) rows[k] = (struct ilay_row){ fnv("position"), k, 2, k % 32, APPEND, 0, 0 };
    struct ilay *l = parse(32, rows, 0);
    ck_assert_ptr_nonnull(l);
    free(l);
    ck_assert_ptr_null(parse(33, rows, 0));
    ck_assert_ptr_null(parse(32, rows, 16 + 31 * 28 + 27)); /* a row that is not there */
    ck_assert_ptr_null(parse(0xffffffff, rows, 16));
    ck_assert_ptr_null(parse(1, rows, 15));
    rows[0].slot = 32;
    ck_assert_ptr_null(parse(1, rows, 0));
    rows[0].slot = 31;
    rows[0].format = 5;
    ck_assert_ptr_null(parse(1, rows, 0));
    rows[0].format = 2;
    rows[0].instanced = 2;
    ck_assert_ptr_null(parse(1, rows, 0));
    /* through the device: the draw is skipped, and so is one whose vertices nobody describes */
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 16);
    clear4(&s);
    rows[0] = (struct ilay_row){ 0x7808e88a, 0, 2, 32, 0, 0, 0 };
    layout4(&s, rows, 1);
    whole4(&s, 1, 1, 1, 1);
    PUT(&s, AGPU_SET_INPUT_LAYOUT, 16, 0, 0);
    whole4(&s, 1, 1, 1, 1);
    layout(&s, decl_color, 2); /* of Direct3D 9 */
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 16);
    end(&s);
}
END_TEST

/* One element's bytes and what the shader reads; i: integers. */
static const struct {
    u32 format;
    u8 bytes[16];
    double want[4];
    bool integer;
} element_formats[] = {
    { 2, { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x20, 0x41 }, { 1, -2, 0, 10 }, false },
    { 3, { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80, 9, 8, 7, 6 }, { 1, 4294967295.0, 2147483648.0, 0x06070809 }, true },
    { 4, { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 3, 0, 0, 0 }, { 1, 4294967295.0, 2, 3 }, true },
    { 6, { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 9, 9, 9, 9 }, { 1, -2, 0.5, 1 }, false },
    { 7, { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 9, 9, 9 }, { 1, 2, 3, 1 }, true },
    { 8, { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 9, 9, 9 }, { 1, 2, 3, 1 }, true },
    { 10, { 0, 0x3c, 0, 0xc0, 1, 0, 0xff, 0x7b }, { 1, -2, 1 / 16777216.0, 65504 }, false },
    { 11, { 0xff, 0xff, 0, 0, 0x33, 0x33, 0xff, 0x7f }, { 1, 0, 0.2, 32767 / 65535.0 }, false },
    { 12, { 0xff, 0xff, 0, 0, 1, 2, 3, 4 }, { 65535, 0, 0x201, 0x403 }, true },
    { 13, { 0xff, 0x7f, 0, 0x80, 1, 0x80, 0, 0 }, { 1, -1, -1, 0 }, false },
    { 14, { 0xff, 0xff, 0, 0x80, 1, 0, 2, 0 }, { 4294967295.0, 4294934528.0, 1, 2 }, true },
    { 16, { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0 }, { 1, -2, 0, 1 }, false },
    { 17, { 5, 0, 0, 0, 6, 0, 0, 0, 7 }, { 5, 6, 0, 1 }, true },
    { 18, { 5, 0, 0, 0, 6, 0, 0, 0, 7 }, { 5, 6, 0, 1 }, true },
    { 24, { 0xff, 0x03, 0x00, 0x40 }, { 1, 0, 0, 1 / 3.0 }, false },
    { 24, { 0x00, 0xfc, 0x0f, 0xc0 }, { 0, 1, 0, 1 }, false },
    { 24, { 0x00, 0x00, 0xf0, 0x3f }, { 0, 0, 1, 0 }, false },
    { 28, { 0, 51, 255, 128 }, { 0, 0.2, 1, 128 / 255.0 }, false },
    { 29, { 0, 51, 255, 128 }, { 0, 0.2, 1, 128 / 255.0 }, false },
    { 30, { 0, 51, 255, 128 }, { 0, 51, 255, 128 }, true },
    { 31, { 127, 129, 128, 0 }, { 1, -1, -1, 0 }, false },
    { 32, { 127, 255, 128, 0 }, { 127, 4294967295.0, 4294967168.0, 0 }, true },
    { 34, { 0, 0x3c, 0, 0xc0, 9 }, { 1, -2, 0, 1 }, false },
    { 35, { 0xff, 0xff, 0x33, 0x33, 9 }, { 1, 0.2, 0, 1 }, false },
    { 36, { 1, 2, 3, 4, 9 }, { 0x201, 0x403, 0, 1 }, true },
    { 37, { 0xff, 0x7f, 0, 0x80, 9 }, { 1, -1, 0, 1 }, false },
    { 38, { 0xff, 0xff, 4, 0, 9 }, { 4294967295.0, 4, 0, 1 }, true },
    { 41, { 0, 0, 0x80, 0x3f, 9 }, { 1, 0, 0, 1 }, false },
    { 42, { 4, 3, 2, 1, 9 }, { 0x01020304, 0, 0, 1 }, true },
    { 43, { 4, 3, 2, 1, 9 }, { 0x01020304, 0, 0, 1 }, true },
    { 49, { 255, 51, 9 }, { 1, 0.2, 0, 1 }, false },
    { 50, { 255, 51, 9 }, { 255, 51, 0, 1 }, true },
    { 51, { 127, 129, 9 }, { 1, -1, 0, 1 }, false },
    { 52, { 255, 4, 9 }, { 4294967295.0, 4, 0, 1 }, true },
    { 54, { 0, 0x38, 9 }, { 0.5, 0, 0, 1 }, false },
    { 56, { 0x33, 0x33, 9 }, { 0.2, 0, 0, 1 }, false },
    { 57, { 1, 2, 9 }, { 0x201, 0, 0, 1 }, true },
    { 58, { 1, 0x80, 9 }, { -1, 0, 0, 1 }, false },
    { 59, { 0xff, 0xff, 9 }, { 4294967295.0, 0, 0, 1 }, true },
    { 61, { 51, 9 }, { 0.2, 0, 0, 1 }, false },
    { 62, { 51, 9 }, { 51, 0, 0, 1 }, true },
    { 63, { 128, 9 }, { -1, 0, 0, 1 }, false },
    { 64, { 255, 9 }, { 4294967295.0, 0, 0, 1 }, true },
    { 87, { 255, 51, 0, 128 }, { 0, 0.2, 1, 128 / 255.0 }, false },
    { 91, { 255, 51, 0, 128 }, { 0, 0.2, 1, 128 / 255.0 }, false },
};

START_TEST(formats_of_elements)
{
    for (u32 k = 0; k < LEN(element_formats); k++) {
        const struct ilay_row row = { 1, 0, element_formats[k].format, 0, 0, 0, 0 };
        struct ilay *l = parse(1, &row, 0);
        ck_assert_msg(l != NULL, "format %u", row.format);
        struct ir_program *vs = xalloc(sizeof(*vs)); /* bare tokens that read v0 */
        struct draw *d = xalloc(sizeof(*d));
        vs->input[0].used = true;
        d->vs = vs;
        ck_assert(ilay_match(d, l));
        ck_assert_uint_eq(d->element_count, 1);
        u32 v[4];
        ilay_convert(d->elements[0].type, element_formats[k].bytes, v);
        for (u32 c = 0; c < 4; c++) {
            double want = element_formats[k].want[c], got = v[c];
            float f;
            memcpy(&f, &v[c], 4);
            if (!element_formats[k].integer) got = f, want = (float)want;
            ck_assert_msg(got == want, "format %u, component %u: %.9g, expected %.9g", row.format, c, got, want);
        }
        free(d);
        free(vs);
        free(l);
    }
}
END_TEST

/* --- system values and instances --- */

/* Columns of an 16 x 1 target, one point each: which column the instance and vertex say. */
START_TEST(instances_and_their_numbers)
{
    struct scene s;
    begin4(&s, 16, 1,
           "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.in SV_InstanceID v2.x uint\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n"
           "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_input_sgv v2.x, instance_id\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_temps 1\n"
           "utof r0.x, v2.x\nmad o0.x, r0.x, l(0.125), v0.x\nmov o0.yzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nret",
           PS4);
    const float at[4] = { -1 + 1 / 16.0f, 0, 0, 1 };
    const u32 colors[8] = { 0xff000001, 0xff000002, 0xff000003, 0xff000004, 0xff000005, 0xff000006, 0xff000007, 0xff000008 };
    vertices(&s, at, sizeof(at), 16);
    buffer4(&s, 20, colors, sizeof(colors));
    PUT(&s, AGPU_SET_VERTEX_BUFFERS, 32, 1, 1, 20, 4, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_POINTS, 0);
    for (u32 step = 0; step < 4; step++) {
        const struct ilay_row rows[] = { { 0x7808e88a, 0, 2, 0, 0, 0, 0 }, { 0xe7c308f8, 0, 87, 1, 0, 1, step } };
        layout4(&s, rows, 2);
        clear4(&s);
        PUT(&s, AGPU_DRAW, 24, 1, 5, 0, 2); /* 5 instances from 2 on */
        const u32 *p = result(&s);
        for (u32 k = 0; k < 16; k++) {
            u32 want = k < 5 ? 0xff000001 + 2 + (step ? k / step : 0) : 0;
            ck_assert_msg(p[k] == want, "step %u, column %u: %08x, expected %08x", step, k, p[k], want);
        }
    }
    end(&s);
}
END_TEST

START_TEST(vertex_numbers_are_raw_indices)
{
    struct scene s;
    begin4(&s, 16, 1,
           "vs_4_0\n.in SV_VertexID v0.x uint\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\ndcl_input_sgv v0.x, vertex_id\n"
           "dcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_temps 1\n"
           "utof r0.x, v0.x\nmad o0.x, r0.x, l(0.125), l(-0.9375)\nmov o0.yzw, l(0, 0.0, 0.0, 1.0)\nmov o1.xyzw, l(1.0, 1.0, 1.0, 1.0)\nret",
           PS4);
    PUT(&s, AGPU_SET_INPUT_LAYOUT, 16, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_POINTS, 0);
    PUT(&s, AGPU_DRAW, 24, 3, 1, 1000, 0); /* first_vertex is not added */
    const u32 *p = result(&s);
    for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(p[k] != 0, k < 3);
    clear4(&s);
    const u16 indices[4] = { 9, 4, 12, 4 };
    buffer4(&s, IB, indices, sizeof(indices));
    PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, AGPU_INDEX_16, 0, 0, AGPU_DRAW_INDEXED, 28, 3, 1, 1, (u32)-3, 0); /* 4, 12, 4: base_vertex is not added */
    p = result(&s);
    for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(p[k] != 0, k == 4 || k == 12);
    end(&s);
}
END_TEST

START_TEST(position_and_face_in_the_pixel_shader)
{
    struct scene s;
    begin4(&s, 8, 8, VS4,
           "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in SV_IsFrontFace v2.x uint\n.out SV_Target o0.xyzw\n"
           "dcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_input_ps_sgv constant v2.x, is_front_face\ndcl_output o0.xyzw\ndcl_temps 1\n"
           "mul o0.xy, v0.xyxx, l(0.125, 0.125, 0.0, 0.0)\nmul o0.z, v0.w, l(0.125)\nmovc r0.x, v2.x, l(0.5), l(0.25)\nadd o0.w, r0.x, v0.z\nret");
    /* w = 4, z / w = 1/8 */
    const struct v4 v[4] = { { -4, 4, 0.5f, 4, 0, 0, 0, 0 }, { 4, 4, 0.5f, 4, 0, 0, 0, 0 }, { -4, -4, 0.5f, 4, 0, 0, 0, 0 }, { 4, -4, 0.5f, 4, 0, 0, 0, 0 } };
    for (u32 ccw = 0; ccw < 2; ccw++) {
        PUT(&s, RASTER(0, 0, ccw, 0, 0, 0));
        vertices(&s, v, sizeof(v), sizeof(v[0]));
        draw(&s, AGPU_TOPO_STRIP, 4); /* clockwise */
        const u32 *p = result(&s);
        for (u32 k = 0; k < 64; k++) {
            u32 x = (u32)((k % 8 + 0.5) / 8 * 255 + 0.5), y = (u32)((k / 8 + 0.5) / 8 * 255 + 0.5);
            near_color(p[k], (ccw ? 96u : 159u) << 24 | x << 16 | y << 8 | 128, ccw ? "back" : "front");
        }
    }
    end(&s);
}
END_TEST

START_TEST(strips_are_cut_and_primitives_counted)
{
    static const char ps_id[] = "ps_4_0\n.in SV_Position v0.xyzw\n.in SV_PrimitiveID v1.x uint\n.out SV_Target o0.xyzw\ndcl_input_ps_sgv constant v1.x, primitive_id\n"
                                "dcl_output o0.xyzw\ndcl_temps 1\niadd r0.x, v1.x, l(1)\nutof r0.x, r0.x\nmul o0.xyzw, r0.xxxx, l(0.0625, 0.0625, 0.0625, 0.0625)\nret";
    struct scene s;
    begin4(&s, 8, 2, VS4, ps_id);
    struct v4 v[18]; /* columns of vertices, one per pixel border */
    for (u32 k = 0; k < 18; k++) v[k] = (struct v4){ -1 + (k / 2) * 0.25f, k & 1 ? -1 : 1, 0, 1, 0, 0, 0, 0 };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    for (u32 wide = 0; wide < 2; wide++) {
        const u32 list[13] = { 0, 1, 2, 3, ~0u, 8, 9, 10, 11, 12, 13, ~0u, 14 };
        u16 narrow[14];
        for (u32 k = 0; k < 13; k++) narrow[k] = (u16)list[k];
        buffer4(&s, IB, wide ? (const void *)list : narrow, wide ? sizeof(list) : sizeof(narrow));
        clear4(&s);
        PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, wide, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW_INDEXED, 28, 13, 2, 0, 0, 0);
        const u32 *p = result(&s);
        /* pixel 0: primitives 0 and 1 (of both instances alike), 4: 2 and 3, 5: 4 and 5; the cut does not reset the count */
        static const u32 top[8] = { 1, 0, 0, 0, 3, 5, 0, 0 }, bottom[8] = { 2, 0, 0, 0, 4, 6, 0, 0 };
        for (u32 k = 0; k < 8; k++) {
            u32 a = p[k] & 255, b = p[8 + k] & 255;
            ck_assert_msg(a == top[k] * 16 && b == bottom[k] * 16, "pixel %u: %u and %u", k, a, b);
        }
    }
    end(&s);
}
END_TEST

START_TEST(adjacent_vertices_are_left_out)
{
    static const struct {
        u32 topology, count, order[8], want;
    } cases[] = { /* vertices 0, 1, 2 are a triangle over the target; 3 is nowhere; the first of a primitive has its colour */
        { AGPU_TOPO_TRIANGLES_ADJ, 6, { 0, 3, 1, 3, 2, 3 }, 16 },
        { AGPU_TOPO_STRIP_ADJ, 6, { 0, 3, 1, 3, 2, 3 }, 16 },
        { AGPU_TOPO_TRIANGLES_ADJ, 5, { 0, 3, 1, 3, 2 }, 0 },
        { AGPU_TOPO_LINES_ADJ, 4, { 3, 4, 5, 3 }, 4 },
        { AGPU_TOPO_LINE_STRIP_ADJ, 5, { 3, 4, 5, 4, 3 }, 4 },
        { AGPU_TOPO_LINES_ADJ, 3, { 3, 4, 5 }, 0 },
        { AGPU_TOPO_PATCH_1 + 2, 3, { 0, 1, 2 }, 0 },
    };
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    const struct v4 v[6] = { { -1, 1, 0, 1, 1, 1, 1, 1 },  { 3, 1, 0, 1, 1, 1, 1, 1 },     { -1, -3, 0, 1, 1, 1, 1, 1 },
                             { 9, 9, 0, 1, 1, 0, 0, 1 }, { -1, 0.25f, 0, 1, 1, 1, 1, 1 }, { 1.5f, 0.25f, 0, 1, 1, 1, 1, 1 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    for (u32 k = 0; k < LEN(cases); k++) {
        buffer4(&s, IB, cases[k].order, sizeof(cases[k].order));
        clear4(&s);
        PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, AGPU_INDEX_32, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, cases[k].topology, 0, AGPU_DRAW_INDEXED, 28,
            cases[k].count, 1, 0, 0, 0);
        u32 n = count_of(&s, result(&s), 0xffffffff);
        ck_assert_msg(n == cases[k].want, "case %u: %u pixels", k, n);
    }
    end(&s);
}
END_TEST

/* --- linkage and interpolation --- */

START_TEST(attributes_link_by_name_and_without_names_by_register)
{
    struct scene s;
    static const char vs[] = "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out TEXCOORD o1.xy\n.out TEXCOORD1 o1.zw\n.out COLOR3 o2.xyzw\n"
                             "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xy\ndcl_output o1.zw\ndcl_output o2.xyzw\n"
                             "mov o0.xyzw, v0.xyzw\nmov o1.xy, v1.xyxx\nmov o1.zw, l(0.0, 0.0, 0.25, 0.75)\nmov o2.xyzw, v1.wzyx\nret";
    begin4(&s, 2, 2, vs,
           "ps_4_0\n.in SV_Position v0.xyzw\n.in color3 v1.xyzw\n.in TEXCOORD1 v2.xy\n.in NORMAL v3.xyzw\n.out SV_Target o0.xyzw\n"
           "dcl_input_ps linear v1.xyzw\ndcl_input_ps linear v2.xy\ndcl_input_ps linear v3.xyzw\ndcl_output o0.xyzw\ndcl_temps 1\n"
           "add r0.xyzw, v1.xyzw, v3.xyzw\nmov o0.xz, r0.xyzw\nmov o0.yw, v2.xxyy\nret");
    whole4(&s, 0.125f, 0.5f, 0.25f, 1);
    near_color(result(&s)[0], 0xbfff4080, "by name"); /* r = o2.x = a, g = 0.25, b = o2.z = g; what nobody writes reads 0 */
    shader4(&s, PS, "ps_4_0\ndcl_input_ps linear v2.xyzw\ndcl_output o0.xyzw\nmov o0.xyzw, v2.xyzw\nret", SM4_BARE);
    whole4(&s, 0.125f, 0.5f, 0.25f, 1);
    near_color(result(&s)[0], 0x20ff4080, "by register");
    shader4(&s, VS, "vs_4_0\ndcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o2.xyzw\nmov o0.xyzw, v0.xyzw\nmov o2.xyzw, v1.xyzw\nret",
            SM4_BARE);
    whole4(&s, 0.125f, 0.5f, 0.25f, 1); /* elements in the order of the registers */
    near_color(result(&s)[0], 0xff208040, "both bare");
    end(&s);
}
END_TEST

START_TEST(interpolation_modes)
{
    static const char *const modes[3] = { "linear", "linear noperspective", "constant" };
    for (u32 mode = 0; mode < 3; mode++) {
        struct scene s;
        char ps[512];
        snprintf(ps, sizeof(ps), PS_DECLS "dcl_input_ps %s v1.xyzw\nmov o0.xyzw, v1.xyzw\nret", modes[mode]);
        begin4(&s, 64, 1, VS4, ps);
        /* the right side is four times as far */
        const struct v4 v[4] = { { -1, 1, 0, 1, 0, 0.25f, 0, 0 }, { 4, 4, 0, 4, 1, 0.5f, 0, 0 }, { -1, -1, 0, 1, 0, 0.75f, 0, 0 }, { 4, -4, 0, 4, 1, 1, 0, 0 } };
        vertices(&s, v, sizeof(v), sizeof(v[0]));
        draw(&s, AGPU_TOPO_STRIP, 4);
        const u32 *p = result(&s);
        for (u32 x = 0; x < 64; x++) {
            double t = (x + 0.5) / 64, u = mode == 0 ? (t / 4) / ((1 - t) + t / 4) : t;
            i32 r = (i32)(p[x] >> 16 & 255), g = (i32)(p[x] >> 8 & 255);
            if (mode == 2) /* the first vertex of each triangle, 0 and 1: the strip's edge is at x = 32 */
                ck_assert_msg(r == (x < 32 ? 0 : 255) && g == (x < 32 ? 64 : 128), "%u: %d, %d", x, r, g);
            else
                ck_assert_msg(abs(r - (i32)(u * 255 + 0.5)) <= 1, "mode %u, %u: %d, expected %f", mode, x, r, u * 255);
        }
        end(&s);
    }
}
END_TEST

START_TEST(clip_and_cull_distances)
{
    struct scene s;
    static const char vs[] = "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n.out SV_ClipDistance o2.xy\n.out SV_CullDistance o3.x\n"
                             "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_output_siv o2.xy, clip_distance\n"
                             "dcl_output_siv o3.x, cull_distance\nmov o0.xyzw, v0.xyzw\nmov o1.xyzw, l(1.0, 1.0, 1.0, 1.0)\nmov o2.xy, v1.xyxx\nmov o3.x, v1.z\nret";
    begin4(&s, 16, 16, vs, PS4);
    struct v4 v[4] = { { -1, 1, 0, 1, -1, 1, 1, 0 }, { 1, 1, 0, 1, 3, 1, -5, 0 }, { -1, -1, 0, 1, -1, -1, -1, 0 }, { 1, -1, 0, 1, 3, -1, -1, 0 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_STRIP, 4);
    const u32 *p = result(&s); /* x from a quarter on, the upper half; the second triangle (1, 3, 2) is culled by the third distance */
    for (u32 k = 0; k < 256; k++) {
        u32 x = k % 16, y = k / 16;
        ck_assert_msg((p[k] != 0) == (x >= 4 && y < 8 && x + y < 15), "%u,%u: %08x", x, y, p[k]);
    }
    clear4(&s);
    v[3].b = 0; /* not all of them are negative any more */
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_STRIP, 4);
    p = result(&s);
    for (u32 k = 0; k < 256; k++) ck_assert_msg((p[k] != 0) == (k % 16 >= 4 && k / 16 < 8), "%u,%u: %08x", k % 16, k / 16, p[k]);
    end(&s);
}
END_TEST

/* --- states --- */

START_TEST(ag_203_no_viewport_and_an_empty_one)
{
    struct scene s;
    begin4(&s, 8, 8, VS4, PS4);
    send(&s);
    s.context = 2; /* a new one: nothing was ever set */
    PUT(&s, AGPU_BIND_SHADERS, 24, VS, PS, 0, 0, TARGET1(RT, 0), AGPU_SET_INPUT_LAYOUT, 16, LAYOUT, 0, RASTER(0, 0, 0, 0, 0, 0));
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 64);
    PUT(&s, VIEWPORT_WHOLE);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 64);
    end(&s);
}
END_TEST

START_TEST(ag_204_scissors)
{
    static const struct {
        i32 enable, x, y, w, h, want;
    } cases[] = { { 1, 0, 0, 0, 0, 64 }, { 1, 2, 2, 0, 5, 64 },  { 1, 2, 2, 5, -1, 64 }, { 1, -10, 0, 10, 8, 0 }, { 1, -10, 0, 12, 8, 16 },
                  { 1, 2, 3, 4, 2, 8 },  { 0, 2, 3, 4, 2, 64 }, { 1, 6, 6, 0x7fffffff, 0x7fffffff, 4 }, { 1, 8, 0, 5, 5, 0 } };
    struct scene s;
    begin4(&s, 8, 8, VS4, PS4);
    for (u32 k = 0; k < LEN(cases); k++) {
        clear4(&s);
        PUT(&s, RASTER(0, 0, 0, (u32)cases[k].enable, 0, 0), AGPU_SET_SCISSOR, 24, (u32)cases[k].x, (u32)cases[k].y, (u32)cases[k].w, (u32)cases[k].h);
        whole4(&s, 1, 1, 1, 1);
        u32 n = count_of(&s, result(&s), 0xffffffff);
        ck_assert_msg(n == (u32)cases[k].want, "case %u: %u pixels", k, n);
    }
    /* clears know neither scissor nor viewport here */
    PUT(&s, RASTER(0, 0, 0, 1, 0, 0), AGPU_SET_SCISSOR, 24, 2, 2, 1, 1, AGPU_SET_VIEWPORT, 32, 0, 0, ONE, ONE, 0, ONE, CLEAR_COLOR(ONE, 0, 0, 0));
    ck_assert_uint_eq(count_of(&s, result(&s), 0x00ff0000), 64);
    end(&s);
}
END_TEST

static void blend_state(struct scene *s, u32 enable, u32 src, u32 dst, u32 op, u32 mask, u32 srca, u32 dsta, u32 opa, const float c[4], u32 samples)
{
    PUT(s, AGPU_SET_BLEND_STATE, 60, enable, src, dst, op, mask, srca, dsta, opa, bits(c[0]), bits(c[1]), bits(c[2]), bits(c[3]), samples);
}

START_TEST(ag_205_sample_mask)
{
    static const float c[4] = { 1, 1, 1, 1 };
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, TARGET1(RT, DS), DEPTH_STATE(1, 1, AGPU_CMP_LESS), AGPU_CLEAR, 36, 3, 0, 0, 0, 0, ONE, 0);
    blend_state(&s, 0, 1, 0, 0, 15, 1, 0, 0, c, 0xfffffffe);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 16);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], ONE);
    blend_state(&s, 0, 1, 0, 0, 15, 1, 0, 0, c, 1);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 16);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], bits(0.5f));
    end(&s);
}
END_TEST

static double factor_of(u32 f, const double *src, const double *dst, const float *c, u32 k)
{
    switch (f) {
    case 1: return 1;
    case 2: return src[3];
    case 3: return 1 - src[3];
    case 4: return dst[3];
    case 5: return 1 - dst[3];
    case 6: return c[k];
    case 7: return 1 - c[k];
    default: return 0;
    }
}

START_TEST(blending)
{
    static const float c[4] = { 0.25f, 0.5f, 0.75f, 0.125f };
    const double src[4] = { 0.75, 0.25, 1, 0.5 }, dst[4] = { 0x40 / 255.0, 0x80 / 255.0, 0xc0 / 255.0, 0xa0 / 255.0 };
    struct scene s;
    begin4(&s, 1, 1, VS4, PS4);
    for (u32 k = 0; k < 8 * 8 * 5; k++) {
        u32 sf = k % 8, df = k / 8 % 8, op = k / 64, sa = (sf + 3) % 8, da = (df + 5) % 8, opa = (op + 1) % 5;
        PUT(&s, CLEAR_COLOR(bits(0x40 / 255.0f), bits(0x80 / 255.0f), bits(0xc0 / 255.0f), bits(0xa0 / 255.0f)));
        blend_state(&s, 1, sf, df, op, 15, sa, da, opa, c, 0xffffffff);
        whole4(&s, (float)src[0], (float)src[1], (float)src[2], (float)src[3]);
        u32 got = result(&s)[0];
        for (u32 n = 0; n < 4; n++) {
            u32 o = n == 3 ? opa : op;
            double a = src[n] * factor_of(n == 3 ? sa : sf, src, dst, c, n), b = dst[n] * factor_of(n == 3 ? da : df, src, dst, c, n);
            double v = o == 0 ? a + b : o == 1 ? a - b : o == 2 ? b - a : o == 3 ? (src[n] < dst[n] ? src[n] : dst[n]) : src[n] > dst[n] ? src[n] : dst[n];
            v = v < 0 ? 0 : v > 1 ? 1 : v;
            i32 have = (i32)(got >> (n == 3 ? 24 : 16 - 8 * n) & 255);
            ck_assert_msg(fabs(have - v * 255) <= 0.51, "src %u dst %u op %u, channel %u: %d, expected %f", sf, df, o, n, have, v * 255);
        }
    }
    /* unknown ones are ONE, ZERO, ADD; the mask counts without blending, too */
    blend_state(&s, 1, 8, 8, 5, 15, 99, 99, 99, c, 1);
    whole4(&s, 1, 0, 0, 1);
    ck_assert_uint_eq(result(&s)[0], 0xffff0000);
    blend_state(&s, 0, 0, 0, 0, 2 | 8, 0, 0, 0, c, 1);
    whole4(&s, 0, 1, 1, 0);
    ck_assert_uint_eq(result(&s)[0], 0x00ffff00);
    /* the old, short packet: alpha as colour */
    PUT(&s, CLEAR_COLOR(ONE, ONE, ONE, ONE), AGPU_SET_BLEND_STATE, 28, 1, 2, 0, 0, 15);
    whole4(&s, 1, 0.5f, 0, 0.5f);
    near_color(result(&s)[0], 0x40804000, "short packet");
    end(&s);
}
END_TEST

START_TEST(depth_states)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    texture(&s, DS, AGPU_FMT_D24S8, 4, 4);
    PUT(&s, TARGET1(RT, DS));
    /* default: on, writing, LESS */
    PUT(&s, AGPU_CLEAR, 36, 7, 0, 0, 0, 0, bits(0.5f), 0x77);
    whole4(&s, 1, 1, 1, 1); /* 0.5 is not less */
    ck_assert_uint_eq(result(&s)[0], 0);
    quad4(&s, -1, -1, 1, 1, 0.25f, 1, 0, 0, 1);
    ck_assert_uint_eq(result(&s)[0], 0xffff0000);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[0], 0x77400000);
    static const bool below[8] = { 0, 1, 0, 1, 0, 1, 0, 1 }, equal[8] = { 0, 0, 1, 1, 0, 0, 1, 1 }, above[8] = { 0, 0, 0, 0, 1, 1, 1, 1 };
    for (u32 f = 0; f < 9; f++) {
        for (u32 k = 0; k < 3; k++) {
            PUT(&s, DEPTH_STATE(1, 0, f), AGPU_CLEAR, 36, 3, 0, 0, 0, 0, bits(0.5f), 0);
            quad4(&s, -1, -1, 1, 1, 0.25f + 0.25f * (float)k, 1, 1, 1, 1);
            bool want = f > 7 || (k == 0 ? below : k == 1 ? equal : above)[f]; /* an unknown function passes */
            ck_assert_msg((result(&s)[0] != 0) == want, "function %u, depth %u", f, k);
        }
    }
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[0], 0x77800000); /* nothing was written */
    PUT(&s, DEPTH_STATE(0, 1, AGPU_CMP_NEVER));
    quad4(&s, -1, -1, 1, 1, 0.1f, 1, 0, 1, 1); /* off: neither test nor write */
    ck_assert_uint_eq(result(&s)[0], 0xffff00ff);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[0], 0x77800000);
    PUT(&s, AGPU_SET_DEPTH_STENCIL_STATE, 28, 0, 0, 0, 1, 0xffff); /* stencil has no function and no operations here */
    whole4(&s, 0, 1, 0, 1);
    ck_assert_uint_eq(result(&s)[0], 0xff00ff00);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[0], 0x77800000);
    end(&s);
}
END_TEST

START_TEST(depth_without_clipping)
{
    struct scene s;
    begin4(&s, 16, 1, VS4, PS4);
    texture(&s, DS, AGPU_FMT_D32F, 16, 1);
    const struct v4 v[4] = { { -1, 1, -1, 1, 1, 1, 1, 1 }, { 1, 1, 3, 1, 1, 1, 1, 1 }, { -1, -1, -1, 1, 1, 1, 1, 1 }, { 1, -1, 3, 1, 1, 1, 1, 1 } };
    for (u32 off = 0; off < 2; off++) {
        PUT(&s, TARGET1(RT, DS), RASTER(0, 0, 0, 0, 0, off), DEPTH_STATE(1, 1, AGPU_CMP_ALWAYS), AGPU_CLEAR, 36, 3, 0, 0, 0, 0, bits(0.5f), 0);
        vertices(&s, v, sizeof(v), sizeof(v[0]));
        PUT(&s, AGPU_SET_VIEWPORT, 32, 0, 0, bits(16), ONE, bits(0.25f), bits(0.75f));
        draw(&s, AGPU_TOPO_STRIP, 4);
        const u32 *p = result(&s);
        for (u32 x = 0; x < 16; x++) ck_assert_msg((p[x] != 0) == (off || (x >= 4 && x < 8)), "column %u", x);
        const u32 *z = pixels_of(&s, DS, AGPU_FMT_D32F, 16, 1);
        ck_assert_uint_eq(z[0], bits(off ? 0.25f : 0.5f)); /* clamped to the viewport's range */
        ck_assert_uint_eq(z[15], bits(off ? 0.75f : 0.5f));
    }
    end(&s);
}
END_TEST

START_TEST(depth_bias_in_least_steps)
{
    static const u32 formats[2] = { AGPU_FMT_D24S8, AGPU_FMT_D32F };
    for (u32 k = 0; k < 2; k++) {
        struct scene s;
        begin4(&s, 4, 4, VS4, PS4);
        texture(&s, DS, formats[k], 4, 4);
        PUT(&s, TARGET1(RT, DS), DEPTH_STATE(1, 1, AGPU_CMP_ALWAYS), AGPU_CLEAR, 36, 2, 0, 0, 0, 0, 0, 0);
        for (i32 bias = -4096; bias <= 4096; bias += 4096) {
            PUT(&s, RASTER(0, 0, 0, 0, (u32)bias, 0));
            whole4(&s, 1, 1, 1, 1); /* depth 1/2: a step is 2^-24 in either format */
            u32 z = pixels_of(&s, DS, formats[k], 4, 4)[0];
            ck_assert_uint_eq(z, k ? bits(0.5f + (float)bias / 16777216.0f) : (u32)((0.5 + bias / 16777216.0) * 16777215.0 + 0.5));
            quad4(&s, -1, -1, 1, 1, 0.125f, 1, 1, 1, 1); /* 1/8: 2^-24, and 2^-26 for floats */
            z = pixels_of(&s, DS, formats[k], 4, 4)[0];
            ck_assert_uint_eq(z, k ? bits(0.125f + (float)bias / 67108864.0f) : (u32)((0.125 + bias / 16777216.0) * 16777215.0 + 0.5));
        }
        end(&s);
    }
}
END_TEST

START_TEST(culling)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    for (u32 k = 0; k < 16; k++) {
        u32 cull = k & 3, ccw = k >> 2 & 1, reversed = k >> 3;
        clear4(&s);
        PUT(&s, RASTER(0, 0, 0, 0, 0, 0), RASTER(0, cull, ccw, 0, 0, 0)); /* 3 is unknown and keeps the mode: none */
        quad4(&s, reversed ? 1 : -1, -1, reversed ? -1 : 1, 1, 0.5f, 1, 1, 1, 1);
        bool front = ccw == reversed;
        ck_assert_msg((result(&s)[0] != 0) == (cull == 0 || cull == 3 || (cull == 1 ? !front : front)), "cull %u, front_ccw %u, reversed %u", cull, ccw, reversed);
    }
    s.context = 3; /* defaults: clockwise is front, back faces are culled */
    PUT(&s, AGPU_BIND_SHADERS, 24, VS, PS, 0, 0, TARGET1(RT, 0), AGPU_SET_INPUT_LAYOUT, 16, LAYOUT, 0, VIEWPORT_WHOLE);
    clear4(&s);
    quad4(&s, 1, -1, -1, 1, 0.5f, 1, 1, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0xffffffff);
    end(&s);
}
END_TEST

START_TEST(wireframe)
{
    struct scene s;
    begin4(&s, 8, 8, VS4, PS4);
    PUT(&s, RASTER(1, 0, 0, 0, 0, 0));
    const struct v4 v[3] = { { -0.875f, 0.875f, 0, 1, 1, 1, 1, 1 }, { 0.875f, 0.875f, 0, 1, 1, 1, 1, 1 }, { -0.875f, -0.875f, 0, 1, 1, 1, 1, 1 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_TRIANGLES, 3);
    const u32 *p = result(&s);
    ck_assert_uint_eq(p[3], 0xffffffff);         /* the upper edge */
    ck_assert_uint_eq(p[3 * 8], 0xffffffff);     /* the left one */
    ck_assert_uint_eq(p[4 * 8 + 3], 0xffffffff); /* the diagonal */
    ck_assert_uint_eq(p[2 * 8 + 2], 0);
    end(&s);
}
END_TEST

START_TEST(eight_targets_with_gaps)
{
    struct scene s;
    char ps[2048] = "ps_4_0\n.in SV_Position v0.xyzw\n";
    for (u32 k = 0; k < 8; k++) sprintf(ps + strlen(ps), ".out SV_Target%u o%u.xyzw\n", k, k);
    for (u32 k = 0; k < 8; k++) sprintf(ps + strlen(ps), "dcl_output o%u.xyzw\n", k);
    for (u32 k = 0; k < 8; k++) sprintf(ps + strlen(ps), "mov o%u.xyzw, l(%f, 0.0, 0.0, 1.0)\n", k, (k + 1) / 255.0);
    strcat(ps, "ret");
    begin4(&s, 2, 2, VS4, ps);
    u32 t[8];
    for (u32 k = 0; k < 8; k++) t[k] = k == 3 || k == 6 ? 0 : 20 + k;
    for (u32 k = 0; k < 8; k++) texture(&s, 20 + k, AGPU_FMT_B8G8R8A8, k == 1 ? 1 : 2, 2);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 8, 0, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
    whole4(&s, 1, 1, 1, 1);
    for (u32 k = 0; k < 8; k++) {
        u32 got = pixels_of(&s, 20 + k, AGPU_FMT_B8G8R8A8, 1, 2)[1];
        ck_assert_msg(got == (t[k] ? 0xff000000 | (k + 1) << 16 : 0), "target %u: %08x", k, got);
    }
    /* sizes differ: the smallest one bounds them all */
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 2, 2)[1], 0);
    end(&s);
}
END_TEST

START_TEST(stages_that_are_not_executed_are_skipped)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    PUT(&s, AGPU_CREATE_SHADER_DXBC, 32, 30, AGPU_STAGE_GEOMETRY, 8, 0, 0x00020040, 2, AGPU_BIND_SHADERS, 24, VS, PS, 0, 30);
    whole4(&s, 1, 1, 1, 1);
    PUT(&s, AGPU_BIND_SHADERS, 36, VS, PS, 0, 0, 0, 30, 30);
    whole4(&s, 1, 1, 1, 1);
    PUT(&s, AGPU_DISPATCH, 24, 1, 1, 1, 0);
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 16);
    PUT(&s, AGPU_BIND_SHADERS, 24, VS, PS, 0, 0);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 16);
    /* shaders of both worlds together, and one that is no shader at all */
    clear4(&s);
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, TARGET1(RT, DS), AGPU_CLEAR, 36, 2, 0, 0, 0, 0, ONE, 0, AGPU_DESTROY_SHADER, 16, PS, 0);
    shader(&s, PS, ps_color, ASM_STANDARD);
    whole4(&s, 1, 1, 1, 1);
    PUT(&s, AGPU_DESTROY_SHADER, 16, PS, 0, AGPU_CREATE_SHADER_DXBC, 32, PS, AGPU_STAGE_PIXEL, 8, 0, 0x43425844, 7);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 16);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], ONE); /* no depth either */
    end(&s);
}
END_TEST

START_TEST(without_a_pixel_shader_depth_alone_is_drawn)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, PS4);
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, TARGET1(RT, DS), AGPU_CLEAR, 36, 2, 0, 0, 0, 0, ONE, 0, AGPU_BIND_SHADERS, 24, VS, 0, 0, 0);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], bits(0.5f));
    end(&s);
}
END_TEST

START_TEST(numbers_from_hell)
{
    struct scene s;
    begin4(&s, 8, 8, VS4, PS4);
    const u32 nan = 0x7fc00000, big = 0x7f7fffff;
    const u32 v[9][8] = { { nan, nan, nan, nan, nan }, { big, big, big, big, big }, { 0xff7fffff, big, 0, 0, 1 } };
    vertices(&s, v, sizeof(v), 32);
    for (u32 t = 1; t < 14; t++) {
        PUT(&s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, t, 0, AGPU_DRAW, 24, 9, 2, 0, 0, AGPU_DRAW, 24, 6, 1, 0xfffffffd, 0xffffffff);
        PUT(&s, AGPU_DRAW_INDEXED, 28, 100, 1, 0xffffffff, 0x80000000, 5);
    }
    const u32 indices[6] = { 0x7fffffff, 0x80000000, 0xffffffff, 0, 1, 2 };
    buffer4(&s, IB, indices, sizeof(indices));
    PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, AGPU_INDEX_32, 1, 0);
    for (u32 t = 1; t < 14; t++)
        PUT(&s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, t, 0, AGPU_DRAW_INDEXED, 28, 40, 1, 0, 0x7fffffff, 0, AGPU_DRAW_INDEXED, 28, 40, 1, 2, 0x80000001, 0);
    PUT(&s, RASTER(1, 9, 9, 9, 0x80000000, 0xffffffff), DEPTH_STATE(9, 9, 99), AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, VB, 0xffffffff, 0xfffffff0, 0);
    texture(&s, DS, AGPU_FMT_D32F, 8, 8);
    PUT(&s, TARGET1(RT, DS), AGPU_DRAW, 24, 9, 1, 0, 0);
    send(&s); /* no error, no crash */
    end(&s);
}
END_TEST

Suite *aerogpu_d3d10_suite(void);
Suite *aerogpu_d3d10_suite(void)
{
    Suite *s = suite_create("aerogpu_d3d10");
    TCase *c = tcase_create("draws");
    tcase_set_timeout(c, 60);
    const TTest *tests[] = { a_quarter_exactly,
                             ag_199_semantics_by_hash,
                             ag_200_appended_elements,
                             ag_201_layouts_that_cannot_be,
                             formats_of_elements,
                             instances_and_their_numbers,
                             vertex_numbers_are_raw_indices,
                             position_and_face_in_the_pixel_shader,
                             strips_are_cut_and_primitives_counted,
                             adjacent_vertices_are_left_out,
                             attributes_link_by_name_and_without_names_by_register,
                             interpolation_modes,
                             clip_and_cull_distances,
                             ag_203_no_viewport_and_an_empty_one,
                             ag_204_scissors,
                             ag_205_sample_mask,
                             blending,
                             depth_states,
                             depth_without_clipping,
                             depth_bias_in_least_steps,
                             culling,
                             wireframe,
                             eight_targets_with_gaps,
                             stages_that_are_not_executed_are_skipped,
                             without_a_pixel_shader_depth_alone_is_drawn,
                             numbers_from_hell };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
