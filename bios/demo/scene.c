/* The second act's scene: a crate in a ring above a mirroring floor, and two glass balls around
 * them. Geometry is made once; a frame costs a few matrices and some 2 KiB of packets. World: y up,
 * left-handed; the camera sways around the middle at one height, so that the horizon stays where it
 * is and the fog meets the sky there. */

#include "bios/demo/act2.h"

struct vertex {
    float p[3], n[3], t[2];
};
struct mat {
    float m[4][4];
}; /* rows; a point is a column */

enum { RING_N = 40, RING_M = 16, BALL_N = 28, BALL_M = 14 };
#define TURN 6.2831853f
#define EYE_DISTANCE 6.6f
#define EYE_HEIGHT 2.35f
#define LOOK_HEIGHT 1.05f
#define ZOOM 1.9f /* cotangent of half the vertical angle of view */
#define NEAR 0.5f
#define FAR 80.0f

const float scene_fog[4] = { 0x5c / 255.0f, 0x99 / 255.0f, 0xab / 255.0f, 1 };

/* --- meshes --- */

struct making {
    struct vertex *v;
    u16 *i;
    u32 vertices, indices, first_vertex, first_index;
};

static void begin_mesh(struct making *m)
{
    m->first_vertex = m->vertices;
    m->first_index = m->indices;
}

static struct mesh end_mesh(const struct making *m)
{
    return (struct mesh){ m->first_index, m->indices - m->first_index, (i32)m->first_vertex };
}

static void quad(struct making *m, u32 a, u32 b, u32 c, u32 d)
{
    const u32 all[6] = { a, b, c, c, b, d };
    for (u32 k = 0; k < 6; k++) m->i[m->indices++] = (u16)(all[k] - m->first_vertex);
}

/* Corners as seen from outside: top left, top right, bottom left, bottom right, which makes
 * clockwise triangles. */
static struct mesh make_cube(struct making *m)
{
    static const signed char faces[6][3][3] = {
        /* normal, right, up */
        { { 1, 0, 0 }, { 0, 0, 1 }, { 0, 1, 0 } },  { { -1, 0, 0 }, { 0, 0, -1 }, { 0, 1, 0 } },
        { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } },  { { 0, -1, 0 }, { -1, 0, 0 }, { 0, 0, 1 } },
        { { 0, 0, 1 }, { -1, 0, 0 }, { 0, 1, 0 } }, { { 0, 0, -1 }, { 1, 0, 0 }, { 0, 1, 0 } },
    };
    begin_mesh(m);
    for (u32 f = 0; f < 6; f++) {
        const u32 at = m->vertices;
        for (u32 k = 0; k < 4; k++) {
            struct vertex *v = &m->v[m->vertices++];
            for (u32 c = 0; c < 3; c++) {
                v->n[c] = faces[f][0][c];
                v->p[c] = faces[f][0][c] + (k & 1 ? 1.0f : -1.0f) * faces[f][1][c] +
                          (k & 2 ? -1.0f : 1.0f) * faces[f][2][c];
            }
            v->t[0] = k & 1;
            v->t[1] = (float)(k >> 1);
        }
        quad(m, at, at + 1, at + 2, at + 3);
    }
    return end_mesh(m);
}

/* A grid of (n + 1) x (rows + 1) points of which `point` tells position and normal; seen from
 * outside the first number grows to the right, the second up. */
static struct mesh make_grid(struct making *m, u32 n, u32 rows,
                             void (*point)(struct vertex *, float, float))
{
    begin_mesh(m);
    for (u32 a = 0; a <= n; a++) {
        for (u32 b = 0; b <= rows; b++) {
            struct vertex x;
            x.t[0] = (float)a / n;
            x.t[1] = (float)b / rows;
            point(&x, x.t[0], x.t[1]);
            m->v[m->vertices++] = x;
        }
    }
    for (u32 a = 0; a < n; a++) {
        for (u32 b = 0; b < rows; b++) {
            const u32 at = m->first_vertex + a * (rows + 1) + b;
            quad(m, at + 1, at + rows + 2, at, at + rows + 1);
        }
    }
    return end_mesh(m);
}

static void ring_point(struct vertex *x, float a, float b)
{
    const float ca = cosine(a * TURN), sa = sine(a * TURN), cb = cosine(b * TURN),
                sb = sine(b * TURN);
    x->n[0] = ca * cb;
    x->n[1] = sb;
    x->n[2] = sa * cb;
    x->p[0] = ca * (1.55f + 0.16f * cb);
    x->p[1] = 0.16f * sb;
    x->p[2] = sa * (1.55f + 0.16f * cb);
}

static void ball_point(struct vertex *x, float a, float b)
{
    const float ring = sine(b * TURN / 2);
    x->n[0] = x->p[0] = ring * cosine(a * TURN);
    x->n[1] = x->p[1] = -cosine(b * TURN / 2);
    x->n[2] = x->p[2] = ring * sine(a * TURN);
}

static struct mesh make_floor(struct making *m)
{
    begin_mesh(m);
    for (u32 k = 0; k < 4; k++) {
        const float x = k & 1 ? 60 : -60, z = k & 2 ? -60 : 60;
        m->v[m->vertices++] = (struct vertex){ { x, 0, z }, { 0, 1, 0 }, { x / 4, z / 4 } };
    }
    quad(m, m->first_vertex, m->first_vertex + 1, m->first_vertex + 2, m->first_vertex + 3);
    return end_mesh(m);
}

static void create_texture(struct stream *s, u32 handle, i32 size, void (*paint)(u32 *, i32))
{
    u32 *px = (u32 *)ACT2_PIXELS, mips = 1;
    paint(px, size);
    const u32 *end = paint_mips(px, size);
    for (i32 k = size; k > 1; k /= 2) mips++;
    const struct texture_desc t = {
        .format = AGPU_FMT_B8G8R8A8, .width = (u32)size, .height = (u32)size, .mips = mips
    };
    stream_texture(s, handle, &t);
    stream_upload(s, handle, 0, px, (u32)(end - px) * 4);
}

static void paint_white(u32 *px, i32 size)
{
    for (i32 k = 0; k < size * size; k++) px[k] = 0xffffffff;
}

#include "scene_shaders.h"
#define SHADER(s, handle, stage, tokens) stream_shader(s, handle, stage, tokens, sizeof(tokens))

void scene_create(struct scene *sc, struct stream *s)
{
    struct making m = { (struct vertex *)ACT2_PIXELS, (u16 *)(ACT2_PIXELS + 0x100000), 0, 0, 0, 0 };
    sc->cube = make_cube(&m);
    sc->ring = make_grid(&m, RING_N, RING_M, ring_point);
    sc->ball = make_grid(&m, BALL_N, BALL_M, ball_point);
    sc->floor = make_floor(&m);
    sc->triangles =
        (2 * (sc->cube.count + sc->ring.count) + 2 * sc->ball.count + sc->floor.count) / 3;
    stream_buffer(s, H_MESHES, AGPU_USE_VERTEX, m.vertices * sizeof(struct vertex), 0, 0);
    stream_upload(s, H_MESHES, 0, m.v, m.vertices * sizeof(struct vertex));
    stream_buffer(s, H_INDICES, AGPU_USE_INDEX, m.indices * 2, 0, 0);
    stream_upload(s, H_INDICES, 0, m.i, m.indices * 2);
    create_texture(s, H_FLOOR, 256, paint_floor);
    create_texture(s, H_CRATE, 256, paint_crate);
    create_texture(s, H_WHITE, 4, paint_white);
    SHADER(s, H_VS_SCENE, AGPU_STAGE_VERTEX, vs_scene);
    SHADER(s, H_PS_SCENE, AGPU_STAGE_PIXEL, ps_scene);
    SHADER(s, H_PS_FLOOR, AGPU_STAGE_PIXEL, ps_floor);
    SHADER(s, H_PS_GLASS, AGPU_STAGE_PIXEL, ps_glass);
    SHADER(s, H_VS_FLAT, AGPU_STAGE_VERTEX, vs_flat);
    SHADER(s, H_PS_FLAT, AGPU_STAGE_PIXEL, ps_flat);
    SHADER(s, H_PS_COPY, AGPU_STAGE_PIXEL, ps_copy);
    SHADER(s, H_PS_COLOR, AGPU_STAGE_PIXEL, ps_color);
    const struct vertex_element e[] = { { 0, 0, ELEMENT_FLOAT3, 0, USAGE_POSITION, 0 },
                                        { 0, 12, ELEMENT_FLOAT3, 0, USAGE_NORMAL, 0 },
                                        { 0, 24, ELEMENT_FLOAT2, 0, USAGE_TEXCOORD, 0 } };
    stream_layout(s, H_LAYOUT, e, LEN(e));
}

/* --- matrices --- */

static void multiply(struct mat *out, const struct mat *a, const struct mat *b)
{
    for (u32 r = 0; r < 4; r++)
        for (u32 c = 0; c < 4; c++)
            out->m[r][c] = a->m[r][0] * b->m[0][c] + a->m[r][1] * b->m[1][c] +
                           a->m[r][2] * b->m[2][c] + a->m[r][3] * b->m[3][c];
}

/* Turned by a about x, then by b about y, scaled, moved. */
static void place_at(struct mat *w, float a, float b, float scale, const float at[3])
{
    const float sa = sine(a), ca = cosine(a), sb = sine(b), cb = cosine(b);
    *w = (struct mat){ { { cb * scale, sb * sa * scale, sb * ca * scale, at[0] },
                         { 0, ca * scale, -sa * scale, at[1] },
                         { -sb * scale, cb * sa * scale, cb * ca * scale, at[2] },
                         { 0, 0, 0, 1 } } };
}

static void camera(struct mat *view_projection, float eye[3], float seconds, float aspect)
{
    const float sway = 0.5f * sine(seconds * 0.19f);
    const float length =
        root(EYE_DISTANCE * EYE_DISTANCE + (EYE_HEIGHT - LOOK_HEIGHT) * (EYE_HEIGHT - LOOK_HEIGHT));
    const float down = (EYE_HEIGHT - LOOK_HEIGHT) / length, level = EYE_DISTANCE / length;
    const float sa = sine(sway), ca = cosine(sway);
    eye[0] = -sa * EYE_DISTANCE;
    eye[1] = EYE_HEIGHT;
    eye[2] = -ca * EYE_DISTANCE;
    const float right[3] = { ca, 0, -sa }, ahead[3] = { sa * level, -down, ca * level },
                up[3] = { sa * down, level, ca * down };
    const float sx = ZOOM / aspect, q = FAR / (FAR - NEAR);
    for (u32 k = 0; k < 3; k++) {
        view_projection->m[0][k] = right[k] * sx;
        view_projection->m[1][k] = up[k] * ZOOM;
        view_projection->m[2][k] = ahead[k] * q;
        view_projection->m[3][k] = ahead[k];
    }
    for (u32 r = 0; r < 4; r++) {
        float *row = view_projection->m[r];
        row[3] = -(row[0] * eye[0] + row[1] * eye[1] + row[2] * eye[2]);
    }
    view_projection->m[2][3] -= NEAR * q;
}

float scene_horizon(float height)
{
    return height / 2 * (1 - (EYE_HEIGHT - LOOK_HEIGHT) / EYE_DISTANCE * ZOOM);
}

/* --- drawing --- */

struct light {
    float toward[4], ambient[4], diffuse[4], highlight[4], fog[4], distance[4], glass[4];
};

static void draw_mesh(struct stream *s, const struct mesh *m, const struct mat *vp,
                      const struct mat *world)
{
    struct {
        struct mat wvp;
        float world[3][4];
    } c;
    multiply(&c.wvp, vp, world);
    for (u32 k = 0; k < 12; k++) c.world[k / 4][k % 4] = world->m[k / 4][k % 4];
    stream_constants(s, AGPU_STAGE_VERTEX, 0, &c, 7);
    stream_draw_indexed(s, m->count, m->first, m->base);
}

static void color_of(float out[4], float r, float g, float b, float a)
{
    out[0] = r;
    out[1] = g;
    out[2] = b;
    out[3] = a;
}

/* The solid things, or their mirror image below the floor. */
static void draw_solid(const struct scene *sc, struct stream *s, struct light l,
                       const struct mat *vp, float t, bool mirrored)
{
    struct mat crate, ring,
        flip = { { { 1, 0, 0, 0 },
                   { 0, mirrored ? -1 : 1, 0, 0 },
                   { 0, 0, 1, 0 },
                   { 0, 0, 0, 1 } } },
        w;
    const float at[3] = { 0, 1.32f + 0.08f * sine(t * 1.3f), 0 };
    place_at(&crate, t * 0.53f, t * 0.71f, 0.62f, at);
    place_at(&ring, 0.42f + 0.4f * sine(t * 0.61f), t * 0.4f, 1, at);
    if (mirrored) l.toward[1] = -l.toward[1];
    stream_state(s, RS_CULL, mirrored ? CULL_CW : CULL_CCW);
    stream_bind(s, H_VS_SCENE, H_PS_SCENE);
    stream_use_texture(s, 0, H_CRATE);
    stream_constants(s, AGPU_STAGE_PIXEL, 0, &l, 7);
    multiply(&w, &flip, &crate);
    draw_mesh(s, &sc->cube, vp, &w);
    color_of(l.diffuse, 0.86f, 0.58f, 0.2f, 1);
    color_of(l.ambient, 0.22f, 0.16f, 0.1f, 1);
    color_of(l.highlight, 1, 0.9f, 0.65f, 1);
    stream_use_texture(s, 0, H_WHITE);
    stream_constants(s, AGPU_STAGE_PIXEL, 0, &l, 7);
    multiply(&w, &flip, &ring);
    draw_mesh(s, &sc->ring, vp, &w);
}

static void draw_floor(const struct scene *sc, struct stream *s, struct light l,
                       const struct mat *vp)
{
    const struct mat here = { { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 0, 0, 1 } } };
    color_of(l.ambient, 0.62f, 0.66f, 0.72f, 0.76f);
    color_of(l.distance, 1 / 17.0f, -5 / 17.0f, 0.3f, 1);
    color_of(l.glass, 0.75f, 0.58f, 1, 0);
    stream_bind(s, H_VS_SCENE, H_PS_FLOOR);
    stream_use_texture(s, 0, H_FLOOR);
    stream_constants(s, AGPU_STAGE_PIXEL, 0, &l, 7);
    stream_state(s, RS_CULL, CULL_NONE);
    stream_state(s, RS_BLEND, 1);
    stream_state(s, RS_SRCBLEND, BLEND_SRCALPHA);
    stream_state(s, RS_DESTBLEND, BLEND_INVSRCALPHA);
    draw_mesh(s, &sc->floor, vp, &here);
    stream_state(s, RS_BLEND, 0);
}

static void draw_glass(const struct scene *sc, struct stream *s, struct light l,
                       const struct mat *vp, const float eye[3], float t)
{
    struct mat w[2];
    float depth[2];
    for (u32 k = 0; k < 2; k++) {
        const float a = t * 0.37f + k * TURN / 2;
        const float at[3] = { 2.15f * cosine(a), 1.15f + 0.45f * sine(t * 0.8f + k * 2),
                              2.15f * sine(a) };
        place_at(&w[k], 0, 0, k ? 0.42f : 0.55f, at);
        depth[k] = (at[0] - eye[0]) * (at[0] - eye[0]) + (at[2] - eye[2]) * (at[2] - eye[2]);
    }
    stream_bind(s, H_VS_SCENE, H_PS_GLASS);
    stream_state(s, RS_CULL, CULL_CCW);
    stream_state(s, RS_ZWRITE, 0);
    stream_state(s, RS_BLEND, 1);
    stream_state(s, RS_SRCBLEND, BLEND_ONE);
    stream_state(s, RS_DESTBLEND, BLEND_INVSRCALPHA);
    for (u32 k = 0; k < 2; k++) {
        const u32 ball = (depth[0] > depth[1]) == (k == 0) ? 0 : 1;
        color_of(l.ambient, ball ? 1.0f : 0.55f, ball ? 0.62f : 0.9f, ball ? 0.72f : 1.0f, 1);
        color_of(l.highlight, 1, 1, 1, 1);
        color_of(l.glass, 0.14f, 0.9f, 1, 0);
        stream_constants(s, AGPU_STAGE_PIXEL, 0, &l, 7);
        draw_mesh(s, &sc->ball, vp, &w[ball]);
    }
    stream_state(s, RS_ZWRITE, 1);
    stream_state(s, RS_BLEND, 0);
}

void scene_draw(const struct scene *sc, struct stream *s, float seconds, float width, float height)
{
    struct {
        float eye[4], fog[4];
    } c = { { 0 }, { 1 / 22.0f, -7 / 22.0f, 0, 1 } };
    static const struct light day = { { -0.48f, 0.74f, -0.47f, 0 },
                                      { 0.3f, 0.34f, 0.4f, 1 },
                                      { 0.8f, 0.78f, 0.72f, 1 },
                                      { 0.3f, 0.3f, 0.3f, 1 },
                                      { 0.36f, 0.6f, 0.67f, 1 },
                                      { 0, 0, 0, 0 },
                                      { 0, 0, 0, 0 } };
    struct mat vp;
    camera(&vp, c.eye, seconds, width / height);
    stream_use_layout(s, H_LAYOUT);
    stream_use_vertices(s, H_MESHES, sizeof(struct vertex), 0);
    stream_use_indices(s, H_INDICES, AGPU_INDEX_16);
    stream_state(s, RS_ZENABLE, 1);
    stream_state(s, RS_BLEND, 0);
    stream_sampler(s, 0, SS_ADDRESSU, ADDRESS_WRAP);
    stream_sampler(s, 0, SS_ADDRESSV, ADDRESS_WRAP);
    stream_sampler(s, 0, SS_MAG, FILTER_LINEAR);
    stream_sampler(s, 0, SS_MIN, FILTER_LINEAR);
    stream_sampler(s, 0, SS_MIP, FILTER_LINEAR);
    stream_constants(s, AGPU_STAGE_VERTEX, 7, &c, 2);
    draw_solid(sc, s, day, &vp, seconds, true);
    draw_floor(sc, s, day, &vp);
    draw_solid(sc, s, day, &vp, seconds, false);
    draw_glass(sc, s, day, &vp, c.eye, seconds);
}
