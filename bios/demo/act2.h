/* The second act: a scene and translucent windows drawn by AeroGPU. Shared by act2.c (the order of
 * things), scene.c (what is solid), panes.c (what lies on the screen) and paint.c (textures, drawn
 * once by the processor). */
#ifndef BIOS_DEMO_ACT2_H
#define BIOS_DEMO_ACT2_H

#include "bios/demo/demo.h"
#include "bios/gpu/driver.h"
#include "bios/gpu/stream.h"

/* --- memory behind the first act's back buffer: identity mapped, below 32 MiB --- */
enum {
    ACT2_SCANOUT = 0x800000,  /* three frames */
    ACT2_FRAME = 0x300000,    /* 1024 x 768 x 4 */
    ACT2_CONTROL = 0x1100000, /* ring, fence page, table, cursor */
    ACT2_STREAMS = 0x1110000, /* one for each frame */
    ACT2_STREAM_ROOM = 0x20000,
    ACT2_SETUP = 0x1200000, /* the stream that creates things */
    ACT2_SETUP_ROOM = 0x400000,
    ACT2_PIXELS = 0x1600000, /* textures and meshes in the making */
    ACT2_END = 0x1c00000,
    ACT2_BUFFERS = 3,
};

enum { /* handles */
       H_TARGET = 1,
       H_DEPTH = 4,
       H_FLOOR,
       H_CRATE,
       H_WHITE,
       H_ATLAS,
       H_MESHES,
       H_INDICES,
       H_QUADS,
       H_QUAD_INDICES,
       H_LAYOUT,
       H_FLAT_LAYOUT,
       H_VS_SCENE,
       H_PS_SCENE,
       H_PS_FLOOR,
       H_PS_GLASS,
       H_VS_FLAT,
       H_PS_FLAT,
       H_PS_COPY,
       H_PS_COLOR,
       H_PANE
};

/* --- scene.c --- */
struct mesh {
    u32 first, count;
    i32 base;
};
struct scene {
    struct mesh cube, ring, ball, floor;
    u32 triangles;
};
void scene_create(struct scene *sc, struct stream *s);
void scene_draw(const struct scene *sc, struct stream *s, float seconds, float width, float height);
extern const float scene_fog[4]; /* the colour of what is far away */
/* Where the horizon is on a screen of that height. */
float scene_horizon(float height);

/* --- panes.c: windows and text; the quads of a frame are collected and drawn at its end --- */
enum { PANES = 4, BARS = 64, MAX_QUADS = 320, PANE_MARGIN = 36 };
struct quad_vertex {
    float x, y, u, v;
    u32 color;
};
struct pane {
    i32 x, y, w, h; /* without the shadow around it */
    i32 home_x, home_y;
    i32 reach_x, reach_y; /* how far it drifts */
    float speed, phase;
};
struct report {           /* measured by the guest, for the last half second */
    u32 frames_10;        /* a second, in tenths */
    u32 guest_us, gpu_us; /* building a frame's stream; from the doorbell to the fence */
    u32 stream_bytes, frame, triangles;
    u8 bars[BARS]; /* milliseconds between flips, a ring */
    u32 bar_at;
};
struct panes {
    struct pane pane[PANES];
    u8 order[PANES];
    i32 width, height, held, grab_x, grab_y;
    u32 was_buttons;
    struct quad_vertex *quads; /* MAX_QUADS * 4 */
    u32 count;
};
/* Creates textures and buffers; may submit, through `flush`, what the stream has, and start it
 * anew. */
void panes_create(struct panes *p, struct stream *s, i32 width, i32 height, void (*flush)(void *),
                  void *opaque);
void panes_move(struct panes *p, float seconds, const struct input *in);
void panes_draw(struct panes *p, struct stream *s, const struct report *r);
void background_draw(struct panes *p, struct stream *s, float horizon);

/* --- paint.c: premultiplied A8R8G8B8 pictures --- */
struct picture {
    u32 *px;
    i32 w, h;
};
void paint_pane(const struct picture *p, i32 margin, i32 title_h);
void paint_pill(const struct picture *p, i32 margin);
/* scale 1: the font as it is; 2, 4: smoothed */
void paint_text(const struct picture *p, i32 x, i32 y, const char *s, u32 color, i32 scale);
void paint_disc(const struct picture *p, float cx, float cy, float r, u32 color);
void paint_floor(u32 *px, i32 size);
void paint_crate(u32 *px, i32 size);
void paint_atlas(const struct picture *p);
u32 *paint_mips(u32 *px, i32 size); /* the levels behind level 0; returns the end */
enum { ATLAS_W = 256, ATLAS_H = 160, ATLAS_DIGITS_Y = 128 };

float sine(float a);
float cosine(float a);
float root(float a);

/* --- act2.c --- */
struct act2;
/* Whether there is AeroGPU and the memory for the second act. */
bool act2_possible(void);
/* Runs it until Tab or Esc, which it returns; 0: the device draws nothing. tsc_mhz: what the time
 * stamp counter counts a microsecond. */
int act2_run(struct input *in, u32 tsc_mhz);

#endif
