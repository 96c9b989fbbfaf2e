/* What lies on the screen in the second act: the sky behind the scene, three translucent windows
 * that drift and can be dragged, the hint, and all text and bars that change. Windows are textures
 * painted once; text is quads of the atlas, collected for the whole frame, uploaded in one packet
 * and drawn window by window, from back to front. Positions are whole pixels, so letters stay
 * sharp. */

#include "bios/demo/act2.h"

enum { P_TITLE, P_SPEED, P_PIPE, P_HINT, TITLE_H = 30 };
enum { TEXT = 0xffe6edf3, MUTED = 0xff9db4c8, ACCENT = 0xffe8b04a, TEAL = 0xff6fc3cf };

static const char hint_text[] =
    "Tab  back to VBE    \xfa    drag the windows    \xfa    Esc  switches the machine off";

/* --- made once --- */

static void paint_title(const struct picture *p, i32 x, i32 y)
{
    paint_pane(p, PANE_MARGIN, TITLE_H);
    paint_text(p, x + 16, y + 7, "Second act", 0xe6edf3, 1);
    paint_text(p, x + 18, y + 44, "AeroGPU", 0xffffff, 4);
    paint_text(p, x + 20, y + 118, "Direct3D 9 command streams,", 0xc4d3df, 1);
    paint_text(p, x + 20, y + 138, "executed by software on the host", 0xc4d3df, 1);
    static const u32 dots[3] = { 0xe0685c, 0xe8b04a, 0x6cc27a };
    for (i32 k = 0; k < 3; k++) paint_disc(p, p->w - x - 20 - 18.0f * k, y + 15.5f, 5, dots[k]);
}

static void paint_speed(const struct picture *p, i32 x, i32 y)
{
    paint_pane(p, PANE_MARGIN, TITLE_H);
    paint_text(p, x + 16, y + 7, "Frame time", 0xe6edf3, 1);
    paint_text(p, x + 132, y + 51, "frames/s", 0x9db4c8, 1);
    paint_text(p, p->w - x - 100, y + 84, "16.7 ms", 0x6f8aa0, 1);
    for (i32 k = x + 16; k < p->w - x - 16; k++) {
        p->px[(y + 106) * p->w + k] = 0x60506878;
        p->px[(y + 173) * p->w + k] = 0xa0708898;
    }
}

static void paint_pipe(const struct picture *p, i32 x, i32 y)
{
    static const char *const rows[] = { "triangles", "stream", "guest", "device", "frame" };
    paint_pane(p, PANE_MARGIN, TITLE_H);
    paint_text(p, x + 16, y + 7, "One frame", 0xe6edf3, 1);
    for (u32 k = 0; k < LEN(rows); k++)
        paint_text(p, x + 20, y + 44 + 22 * (i32)k, rows[k], 0x9db4c8, 1);
}

static void paint_hint(const struct picture *p, i32 x, i32 y)
{
    paint_pill(p, PANE_MARGIN);
    paint_text(p, x + 24, y + 10, hint_text, 0xd5e0e8, 1);
}

static void create_pane(struct pane *p, struct stream *s, u32 handle,
                        void (*paint)(const struct picture *, i32, i32))
{
    const struct picture pic = { (u32 *)ACT2_PIXELS, p->w + 2 * PANE_MARGIN,
                                 p->h + 2 * PANE_MARGIN };
    const struct texture_desc t = { .format = AGPU_FMT_B8G8R8A8,
                                    .width = (u32)pic.w,
                                    .height = (u32)pic.h };
    paint(&pic, PANE_MARGIN, PANE_MARGIN);
    stream_texture(s, handle, &t);
    stream_upload(s, handle, 0, pic.px, (u32)(pic.w * pic.h) * 4);
}

static void create_quads(struct stream *s)
{
    u16 *index = (u16 *)ACT2_PIXELS;
    static const u8 order[6] = { 0, 1, 2, 2, 1, 3 };
    for (u32 k = 0; k < MAX_QUADS * 6; k++) index[k] = (u16)(k / 6 * 4 + order[k % 6]);
    stream_buffer(s, H_QUAD_INDICES, AGPU_USE_INDEX, MAX_QUADS * 12, 0, 0);
    stream_upload(s, H_QUAD_INDICES, 0, index, MAX_QUADS * 12);
    stream_buffer(s, H_QUADS, AGPU_USE_VERTEX, MAX_QUADS * 4 * sizeof(struct quad_vertex), 0, 0);
    const struct vertex_element e[] = { { 0, 0, ELEMENT_FLOAT2, 0, USAGE_POSITION, 0 },
                                        { 0, 8, ELEMENT_FLOAT2, 0, USAGE_TEXCOORD, 0 },
                                        { 0, 16, ELEMENT_COLOR, 0, USAGE_COLOR, 0 } };
    stream_layout(s, H_FLAT_LAYOUT, e, LEN(e));
}

void panes_create(struct panes *p, struct stream *s, i32 width, i32 height, void (*flush)(void *),
                  void *opaque)
{
    static void (*const paints[PANES])(const struct picture *, i32,
                                       i32) = { paint_title, paint_speed, paint_pipe, paint_hint };
    const i32 hint_w = (i32)str_len(hint_text) * 8 + 48;
    *p = (struct panes){ .width = width, .height = height, .held = -1, .quads = p->quads };
    p->pane[P_TITLE] = (struct pane){ .w = 316,
                                      .h = 170,
                                      .home_x = width * 7 / 32,
                                      .home_y = height / 4,
                                      .reach_x = 40,
                                      .reach_y = 26,
                                      .speed = 0.31f };
    p->pane[P_SPEED] = (struct pane){ .w = 292,
                                      .h = 190,
                                      .home_x = width * 3 / 4,
                                      .home_y = height / 4 + 30,
                                      .reach_x = 60,
                                      .reach_y = 34,
                                      .speed = 0.37f,
                                      .phase = 2 };
    p->pane[P_PIPE] = (struct pane){ .w = 248,
                                     .h = 166,
                                     .home_x = width * 7 / 8 - 30,
                                     .home_y = height * 9 / 16,
                                     .reach_x = 36,
                                     .reach_y = 60,
                                     .speed = 0.29f,
                                     .phase = 4 };
    p->pane[P_HINT] =
        (struct pane){ .w = hint_w, .h = 36, .home_x = width / 2, .home_y = height - 44 };
    for (u32 k = 0; k < PANES; k++) {
        p->order[k] = (u8)k;
        create_pane(&p->pane[k], s, H_PANE + k, paints[k]);
        flush(opaque);
    }
    const struct picture atlas = { (u32 *)ACT2_PIXELS, ATLAS_W, ATLAS_H };
    const struct texture_desc t = { .format = AGPU_FMT_B8G8R8A8,
                                    .width = ATLAS_W,
                                    .height = ATLAS_H };
    paint_atlas(&atlas);
    stream_texture(s, H_ATLAS, &t);
    stream_upload(s, H_ATLAS, 0, atlas.px, ATLAS_W * ATLAS_H * 4);
    create_quads(s);
}

/* --- moving --- */

static i32 near(float v)
{
    return (i32)(v < 0 ? v - 0.5f : v + 0.5f);
}

static void drag(struct panes *p, const struct input *in)
{
    const i32 x = in->mouse_x, y = in->mouse_y;
    const u32 buttons = in->buttons;
    if (buttons & 1 && !(p->was_buttons & 1)) {
        for (i32 k = PANES; k-- > 0;) {
            const u32 n = p->order[k];
            const struct pane *w = &p->pane[n];
            if (n == P_HINT || x < w->x || y < w->y || x >= w->x + w->w || y >= w->y + w->h)
                continue;
            for (; k + 1 < PANES - 1; k++) p->order[k] = p->order[k + 1];
            p->order[PANES - 2] = (u8)n;
            p->held = (i32)n;
            p->grab_x = x - w->x;
            p->grab_y = y - w->y;
            break;
        }
    }
    if (!(buttons & 1)) p->held = -1;
    p->was_buttons = buttons;
    if (p->held < 0) return;
    struct pane *w = &p->pane[p->held]; /* where it is put it stays */
    w->reach_x = w->reach_y = 0;
    w->home_x = x - p->grab_x + w->w / 2;
    w->home_y = y - p->grab_y + w->h / 2;
}

void panes_move(struct panes *p, float seconds, const struct input *in)
{
    drag(p, in);
    for (u32 k = 0; k < PANES; k++) {
        struct pane *w = &p->pane[k];
        w->x = w->home_x - w->w / 2 + near(w->reach_x * sine(seconds * w->speed + w->phase));
        w->y =
            w->home_y - w->h / 2 + near(w->reach_y * cosine(seconds * w->speed * 1.37f + w->phase));
    }
}

/* --- quads --- */

struct area {
    float x, y, w, h;
};

static void add_quad(struct panes *p, struct area at, struct area from, u32 color)
{
    if (p->count == MAX_QUADS) return;
    struct quad_vertex *v = p->quads + 4 * p->count++;
    for (u32 k = 0; k < 4; k++)
        v[k] = (struct quad_vertex){ k & 1 ? at.x + at.w : at.x, k & 2 ? at.y + at.h : at.y,
                                     k & 1 ? from.x + from.w : from.x,
                                     k & 2 ? from.y + from.h : from.y, color };
}

static void add_glyph(struct panes *p, i32 x, i32 y, i32 from_x, i32 from_y, i32 scale, u32 color)
{
    const struct area at = { x, y, 8 * scale, 16 * scale },
                      from = { from_x / (float)ATLAS_W, from_y / (float)ATLAS_H,
                               8 * scale / (float)ATLAS_W, 16 * scale / (float)ATLAS_H };
    add_quad(p, at, from, color);
}

static void add_text(struct panes *p, i32 x, i32 y, const char *text, u32 color)
{
    for (; *text; text++, x += 8)
        if (*text != ' ') add_glyph(p, x, y, (u8)*text % 32 * 8, (u8)*text / 32 * 16, 1, color);
}

static void add_right(struct panes *p, i32 right, i32 y, const char *text, u32 color)
{
    add_text(p, right - (i32)str_len(text) * 8, y, text, color);
}

static void add_digits(struct panes *p, i32 x, i32 y, const char *text, u32 color)
{
    for (; *text; text++, x += 16) {
        const i32 n = *text == '.' ? 10 : *text - '0';
        if (n >= 0 && n <= 10) add_glyph(p, x, y, n * 16, ATLAS_DIGITS_Y, 2, color);
    }
}

static void add_bar(struct panes *p, i32 x, i32 y, i32 w, i32 h, u32 color)
{
    const i32 block = 0xdb; /* a solid glyph: its middle is plain colour */
    const struct area at = { x, y, w, h }, from = { (block % 32 * 8 + 4) / (float)ATLAS_W,
                                                    (block / 32 * 16 + 8) / (float)ATLAS_H, 0, 0 };
    add_quad(p, at, from, color);
}

/* v / 10 with one decimal */
static void put_tenths(struct text *t, u32 v, const char *unit)
{
    put_dec(t, v / 10, 1, ' ');
    put_char(t, '.');
    put_dec(t, v % 10, 1, ' ');
    put_str(t, unit);
}

static void add_speed(struct panes *p, const struct pane *w, const struct report *r)
{
    char room[24];
    struct text t = { room, 0, sizeof(room) };
    put_tenths(&t, r->frames_10, "");
    add_digits(p, w->x + 118 - (i32)str_len(room) * 16, w->y + 40, room, 0xffffffff);
    for (u32 k = 0; k < BARS; k++) { /* 4 pixels a millisecond, 17 ms reach the line */
        const u32 ms = r->bars[(r->bar_at + k) % BARS];
        const i32 h = (i32)(ms > 18 ? 18 : ms) * 4;
        if (h)
            add_bar(p, w->x + 18 + 4 * (i32)k, w->y + 173 - h, 3, h,
                    ms <= 17   ? TEAL
                    : ms <= 34 ? ACCENT
                               : 0xffe0685c);
    }
}

static void add_pipe(struct panes *p, const struct pane *w, const struct report *r)
{
    char room[24];
    for (i32 k = 0; k < 5; k++) {
        struct text t = { room, 0, sizeof(room) };
        if (k == 0) put_dec(&t, r->triangles, 1, ' ');
        if (k == 1) put_tenths(&t, r->stream_bytes * 10 / 1024, " KiB");
        if (k == 2) put_tenths(&t, r->guest_us / 100, " ms");
        if (k == 3) put_tenths(&t, r->gpu_us / 100, " ms");
        if (k == 4) put_dec(&t, r->frame, 1, ' ');
        add_right(p, w->x + w->w - 20, w->y + 44 + 22 * k, room, k == 3 ? ACCENT : TEXT);
    }
}

/* --- drawing --- */

static void flat(struct panes *p, struct stream *s, u32 ps)
{
    const float c[4] = { 2.0f / p->width, -2.0f / p->height, -1, 1 };
    stream_bind(s, H_VS_FLAT, ps);
    stream_use_layout(s, H_FLAT_LAYOUT);
    stream_use_vertices(s, H_QUADS, sizeof(struct quad_vertex), 0);
    stream_use_indices(s, H_QUAD_INDICES, AGPU_INDEX_16);
    stream_constants(s, AGPU_STAGE_VERTEX, 0, c, 1);
    stream_state(s, RS_ZENABLE, 0);
    stream_state(s, RS_CULL, CULL_NONE);
}

static void send_quads(struct panes *p, struct stream *s)
{
    stream_upload(s, H_QUADS, 0, p->quads, p->count * 4 * sizeof(struct quad_vertex));
}

static void draw_quads(struct stream *s, u32 first, u32 end)
{
    if (first < end) stream_draw_indexed(s, (end - first) * 6, first * 6, 0);
}

/* The sky: two gradients, down to the horizon. */
void background_draw(struct panes *p, struct stream *s, float horizon)
{
    static const u32 rows[3] = { 0xff0d1728, 0xff27506b, 0xff5c99ab };
    const float middle = horizon * 0.55f;
    p->count = 0;
    for (u32 k = 0; k < 2; k++) {
        const struct area at = { 0, k ? middle : 0, p->width, k ? horizon - middle : middle },
                          none = { 0 };
        add_quad(p, at, none, 0);
        for (u32 v = 0; v < 4; v++) p->quads[4 * k + v].color = rows[k + (v >> 1)];
    }
    flat(p, s, H_PS_COLOR);
    send_quads(p, s);
    stream_state(s, RS_BLEND, 0);
    draw_quads(s, 0, 2);
}

void panes_draw(struct panes *p, struct stream *s, const struct report *r)
{
    u32 first[PANES + 1];
    p->count = 0;
    for (u32 k = 0; k < PANES; k++) {
        const u32 n = p->order[k];
        const struct pane *w = &p->pane[n];
        const struct area all = { 0, 0, 1, 1 };
        first[k] = p->count;
        add_quad(p,
                 (struct area){ w->x - PANE_MARGIN, w->y - PANE_MARGIN, w->w + 2 * PANE_MARGIN,
                                w->h + 2 * PANE_MARGIN },
                 all, 0xffffffff);
        if (n == P_SPEED) add_speed(p, w, r);
        if (n == P_PIPE) add_pipe(p, w, r);
    }
    first[PANES] = p->count;
    flat(p, s, H_PS_FLAT);
    send_quads(p, s);
    stream_state(s, RS_BLEND, 1);
    stream_state(s, RS_SRCBLEND, BLEND_ONE);
    stream_state(s, RS_DESTBLEND, BLEND_INVSRCALPHA);
    stream_sampler(s, 0, SS_ADDRESSU, ADDRESS_CLAMP);
    stream_sampler(s, 0, SS_ADDRESSV, ADDRESS_CLAMP);
    stream_sampler(s, 0, SS_MAG, FILTER_POINT); /* texels are pixels */
    stream_sampler(s, 0, SS_MIN, FILTER_POINT);
    stream_sampler(s, 0, SS_MIP, 0);
    for (u32 k = 0; k < PANES; k++) {
        stream_bind(s, H_VS_FLAT, H_PS_COPY);
        stream_use_texture(s, 0, H_PANE + p->order[k]);
        draw_quads(s, first[k], first[k] + 1);
        if (first[k] + 1 == first[k + 1]) continue;
        stream_bind(s, H_VS_FLAT, H_PS_FLAT);
        stream_use_texture(s, 0, H_ATLAS);
        draw_quads(s, first[k] + 1, first[k + 1]);
    }
}
