/* The desktop: background, panel, hint bar, windows with shadows, mouse cursor.

   Whoever changes something marks a rectangle; desktop_paint draws every marked rectangle from back
   to front into the back buffer, clipped to it, and copies it to the screen. Drawing starts at the
   topmost window that covers the rectangle alone, so the animation costs its own pixels only. */

#include "bios/demo/demo.h"

enum {
    PANEL_H = 30,
    HINT_H = 26,
    TITLE_H = 26,
    SHADOW = 7,
    LINE_H = 18,
    PAD = 12
};

/* clang-format off */
enum {
    SKY_TOP = 0x1d3557, SKY_LOW = 0x3f7f93, PANEL = 0x14202f, PANEL_LINE = 0x3a5a78, PANEL_TEXT = 0xe6edf3,
    MUTED = 0x9db4c8, BODY = 0xf3f6f8, EDGE = 0x27384a, INK = 0x24303c, HEADING = 0x1f6f8b,
    TITLE_TOP = 0x3d7ea6, TITLE_LOW = 0x2a5d80, IDLE_TOP = 0x7d8e9c, IDLE_LOW = 0x66767f, PAPER = 0xffffff,
    ACCENT = 0xe8b04a,
};

const char *const cursor_shape[CURSOR_H] = {
    "X",            "XX",           "X.X",          "X..X",         "X...X",
    "X....X",       "X.....X",      "X......X",     "X.......X",    "X........X",
    "X.........X",  "X......XXXXX", "X...X..X",     "X..XX..X",     "X.X  X..X",
    "XX   X..X",    "X     X..X",   "      X..X",   "       X..X",  "       XX",
};
/* clang-format on */

void mark_dirty(struct desktop *d, i32 x, i32 y, i32 w, i32 h)
{
    const struct rect screen = { 0, 0, d->canvas.width, d->canvas.height },
                      want = { x, y, x + w, y + h };
    struct rect r;
    if (!rect_meet(&r, &want, &screen)) return;
    for (u32 i = 0; i < d->dirty_count; i++) {
        const struct rect *o = &d->dirty[i];
        if (r.x0 >= o->x0 && r.y0 >= o->y0 && r.x1 <= o->x1 && r.y1 <= o->y1) return;
    }
    if (d->dirty_count == MAX_DIRTY) {
        d->dirty_count = 0;
        r = screen;
    }
    d->dirty[d->dirty_count++] = r;
}

void mark_window(struct desktop *d, u32 w)
{
    const struct window *win = &d->win[w];
    mark_dirty(d, win->x, win->y, win->w + SHADOW, win->h + SHADOW);
}

static i32 body_x(const struct window *w) { return w->x + PAD; }
static i32 body_y(const struct window *w) { return w->y + TITLE_H + PAD - 2; }

static void draw_background(struct desktop *d)
{
    struct canvas *c = &d->canvas;
    vgradient(c, 0, PANEL_H, c->width, c->height - PANEL_H - HINT_H, SKY_TOP, SKY_LOW);
    const char *word = "aeropc";
    const i32 scale = c->width >= 1024 ? 5 : 3;
    text_big(c, c->width - 6 * 8 * scale - 24, c->height - HINT_H - 16 * scale - 8, word,
             mix(SKY_LOW, 0xffffff, 40), scale);
}

static void draw_panel(struct desktop *d)
{
    struct canvas *c = &d->canvas;
    fill(c, 0, 0, c->width, PANEL_H - 1, PANEL);
    fill(c, 0, PANEL_H - 1, c->width, 1, PANEL_LINE);
    fill(c, 12, 9, 12, 12, ACCENT);
    fill(c, 15, 12, 6, 6, PANEL);
    text_at(c, 34, 7, "aeropc demo", PANEL_TEXT);
    const i32 clock_w = (i32)str_len(d->clock) * 8;
    text_at(c, c->width - clock_w - 14, 7, d->clock, PANEL_TEXT);
    char room[24];
    struct text t = { room, 0, sizeof(room) };
    put_dec(&t, d->fps, 2, ' ');
    put_str(&t, " frames/s");
    text_at(c, c->width / 2 - 44, 7, room, MUTED);
}

static void draw_hint(struct desktop *d)
{
    struct canvas *c = &d->canvas;
    fill(c, 0, c->height - HINT_H, c->width, HINT_H, PANEL);
    fill(c, 0, c->height - HINT_H, c->width, 1, PANEL_LINE);
    const char *hint = c->width >= 1024
                           ? "Drag windows by their title   \xfa   type into Notes, Enter sends "
                             "the line   \xfa   Esc switches off"
                           : "Drag titles  \xfa  type into Notes  \xfa  Esc: power off";
    text_at(c, 14, c->height - HINT_H + 5, hint, MUTED);
    if (!d->has_act2 && !d->act2_empty) return;
    char room[40];
    struct text t = { room, 0, sizeof(room) };
    put_str(&t, d->act2_empty      ? "AeroGPU draws nothing"
                : c->width >= 1024 ? "Tab  second act"
                                   : "Tab: act 2");
    if (d->act2_in) {
        put_str(&t, ", in ");
        put_dec(&t, d->act2_in, 1, ' ');
        put_str(&t, " s");
    }
    text_at(c, c->width - 14 - (i32)t.len * 8, c->height - HINT_H + 5, room, ACCENT);
}

static void draw_frame(struct canvas *c, const struct window *w, int active)
{
    for (i32 i = 1; i <= 2; i++) {          /* soft edge: two layers, the inner one twice */
        const i32 s = i == 1 ? SHADOW : SHADOW - 3;
        darken(c, w->x + w->w, w->y + SHADOW, s, w->h - SHADOW + s, 190);
        darken(c, w->x + SHADOW, w->y + w->h, w->w - SHADOW, s, 190);
    }
    vgradient(c, w->x, w->y, w->w, TITLE_H, active ? TITLE_TOP : IDLE_TOP,
              active ? TITLE_LOW : IDLE_LOW);
    text_at(c, w->x + PAD, w->y + 5, w->title, active ? 0xffffff : 0xe3e8ec);
    for (i32 i = 0; i < 3; i++)
        fill(c, w->x + w->w - 34, w->y + 8 + i * 4, 22, 1, active ? 0x8fbcd6 : 0xa5b1ba);
    fill(c, w->x, w->y + TITLE_H, w->w, w->h - TITLE_H, BODY);
    frame(c, w->x, w->y, w->w, w->h, EDGE);
    fill(c, w->x + 1, w->y + TITLE_H, w->w - 2, 1, EDGE);
}

static void draw_lines(struct canvas *c, const struct window *w)
{
    for (u32 i = 0; i < w->lines->count; i++)
        text_at(c, body_x(w), body_y(w) + (i32)i * LINE_H, w->lines->at[i],
                w->lines->kind[i] ? HEADING : INK);
}

static void draw_notes(struct desktop *d)
{
    struct canvas *c = &d->canvas;
    const struct window *w = &d->win[WIN_NOTES];
    const i32 x = body_x(w), y = body_y(w);
    fill(c, x, y, w->w - 2 * PAD, NOTE_ROWS * LINE_H + 10, PAPER);
    frame(c, x, y, w->w - 2 * PAD, NOTE_ROWS * LINE_H + 10, 0xb9c4cd);
    for (i32 row = 0; row < NOTE_ROWS; row++)
        text_at(c, x + 8, y + 6 + row * LINE_H, d->note[row], INK);
    if (d->caret_on)
        fill(c, x + 8 + (i32)d->note_col * 8, y + 6 + (i32)d->note_row * LINE_H, 2, 16, HEADING);
}

static void draw_window(struct desktop *d, u32 i)
{
    struct canvas *c = &d->canvas;
    const struct window *w = &d->win[i];
    const struct rect whole = { w->x, w->y, w->x + w->w + SHADOW, w->y + w->h + SHADOW };
    struct rect seen;
    if (!rect_meet(&seen, &whole, &c->clip)) return;
    draw_frame(c, w, d->order[WINDOWS - 1] == i);
    if (w->lines) draw_lines(c, w);
    if (i == WIN_NOTES) draw_notes(d);
    if (i == WIN_MOTION) motion_draw(c, &d->motion, w->x + 1, w->y + TITLE_H + 1);
}

static void draw_cursor(struct desktop *d)
{
    for (i32 y = 0; y < CURSOR_H; y++)
        for (i32 x = 0; cursor_shape[y][x]; x++)
            if (cursor_shape[y][x] != ' ')
                fill(&d->canvas, d->cursor_x + x, d->cursor_y + y, 1, 1,
                     cursor_shape[y][x] == 'X' ? 0x101820 : 0xffffff);
}

static int covers(const struct window *w, const struct rect *r)
{
    return r->x0 >= w->x && r->y0 >= w->y && r->x1 <= w->x + w->w && r->y1 <= w->y + w->h;
}

void desktop_paint(struct desktop *d)
{
    for (u32 i = 0; i < d->dirty_count; i++) {
        const struct rect r = d->dirty[i];
        d->canvas.clip = r;
        i32 first = WINDOWS;
        while (first-- > 0)
            if (covers(&d->win[d->order[first]], &r)) break;
        if (first < 0) draw_background(d);
        for (i32 w = first < 0 ? 0 : first; w < WINDOWS; w++) draw_window(d, d->order[w]);
        draw_panel(d);
        draw_hint(d);
        draw_cursor(d);
        present(&d->canvas, &r);
    }
    d->dirty_count = 0;
}

static void place(struct desktop *d, u32 i, i32 x, i32 y, i32 w, i32 h, const char *title,
                  const struct lines *l)
{
    d->win[i] = (struct window){ x, y, w, h, title, l };
    d->order[i] = (u8)i;
}

static i32 lines_height(const struct lines *l)
{
    return TITLE_H + 2 * PAD + (i32)l->count * LINE_H - 4;
}

void desktop_start(struct desktop *d, struct lines *machine, struct lines *memory,
                   struct lines *pci)
{
    const i32 sw = d->canvas.width, sh = d->canvas.height, wide = sw >= 1024;
    const i32 left = wide ? 24 : 10, top = PANEL_H + (wide ? 20 : 10);
    const i32 col2 = wide ? 526 : sw / 3;
    const i32 h1 = lines_height(machine), h3 = lines_height(pci);
    place(d, WIN_MACHINE, left, top, 474, h1, "This PC", machine);
    place(d, WIN_MEMORY, left, wide ? top + h1 + 22 : top + 60, 474, lines_height(memory),
          "Memory map", memory);
    place(d, WIN_PCI, col2, top, 474, h3, "PCI devices", pci);
    const i32 mw = wide ? 300 : 200, mh = wide ? 220 : 150;
    place(d, WIN_MOTION, sw - mw - 26, wide ? top + h3 + 22 : sh - mh - 70, mw + 2,
          mh + TITLE_H + 2, "In motion", 0);
    const i32 nw = 2 * PAD + 16 + NOTE_COLS * 8 + 8,
              nh = TITLE_H + 2 * PAD + NOTE_ROWS * LINE_H + 8;
    place(d, WIN_NOTES, wide ? sw - 694 : left, sh - HINT_H - nh - 16, nw, nh, "Notes", 0);
    motion_start(&d->motion, mw, mh);
    d->cursor_x = sw / 2;
    d->cursor_y = sh / 2;
    d->drag = -1;
    mark_dirty(d, 0, 0, sw, sh);
}

static void raise(struct desktop *d, u32 win)
{
    u32 at = 0;
    while (d->order[at] != win) at++;
    mark_window(d, d->order[WINDOWS - 1]);
    for (; at + 1 < WINDOWS; at++) d->order[at] = d->order[at + 1];
    d->order[WINDOWS - 1] = (u8)win;
    mark_window(d, win);
}

static void press(struct desktop *d, i32 x, i32 y)
{
    for (i32 i = WINDOWS; i-- > 0;) {
        const u32 n = d->order[i];
        const struct window *w = &d->win[n];
        if (x < w->x || y < w->y || x >= w->x + w->w || y >= w->y + w->h) continue;
        raise(d, n);
        if (y >= w->y + TITLE_H) return;
        d->drag = (i32)n;
        d->grab_x = x - w->x;
        d->grab_y = y - w->y;
        return;
    }
}

static void drag_to(struct desktop *d, i32 x, i32 y)
{
    struct window *w = &d->win[d->drag];
    i32 ny = y - d->grab_y;
    const i32 nx = x - d->grab_x, lowest = d->canvas.height - HINT_H - TITLE_H;
    if (ny < PANEL_H) ny = PANEL_H;
    if (ny > lowest) ny = lowest;
    if (nx == w->x && ny == w->y) return;
    mark_window(d, (u32)d->drag);
    w->x = nx;
    w->y = ny;
    mark_window(d, (u32)d->drag);
}

void desktop_mouse(struct desktop *d, i32 x, i32 y, u32 buttons)
{
    mark_dirty(d, d->cursor_x, d->cursor_y, CURSOR_W, CURSOR_H);
    d->cursor_x = x;
    d->cursor_y = y;
    if (buttons & 1 && !(d->was_buttons & 1)) press(d, x, y);
    if (!(buttons & 1)) d->drag = -1;
    if (d->drag >= 0) drag_to(d, x, y);
    d->was_buttons = buttons;
    mark_dirty(d, x, y, CURSOR_W, CURSOR_H);
}

static void mark_note(struct desktop *d)
{
    const struct window *w = &d->win[WIN_NOTES];
    mark_dirty(d, body_x(w), body_y(w), w->w - 2 * PAD, NOTE_ROWS * LINE_H + 10);
}

static void note_next_row(struct desktop *d)
{
    d->note_col = 0;
    if (++d->note_row < NOTE_ROWS) return;
    for (u32 r = 0; r + 1 < NOTE_ROWS; r++)
        for (u32 i = 0; i <= NOTE_COLS; i++) d->note[r][i] = d->note[r + 1][i];
    d->note_row = NOTE_ROWS - 1;
    d->note[d->note_row][0] = 0;
}

void desktop_key(struct desktop *d, int key)
{
    char *row = d->note[d->note_row];
    if (key == '\n') {
        log_str("DEMO-KEY ");
        log_str(row);
        log_str("\n");
        note_next_row(d);
    } else if (key == '\b') {
        if (d->note_col) row[--d->note_col] = 0;
    } else if (key >= 32 && key < 127) {
        if (d->note_col == NOTE_COLS) {
            note_next_row(d);
            row = d->note[d->note_row];
        }
        row[d->note_col++] = (char)key;
        row[d->note_col] = 0;
    }
    d->caret_on = 1;
    mark_note(d);
}

/* One step of what moves by itself. */
void desktop_tick(struct desktop *d, u32 caret_on)
{
    const struct window *w = &d->win[WIN_MOTION];
    motion_step(&d->motion);
    mark_dirty(d, w->x + 1, w->y + TITLE_H + 1, d->motion.w, d->motion.h);
    if (caret_on != d->caret_on) {
        d->caret_on = caret_on;
        mark_note(d);
    }
}

void desktop_clock(struct desktop *d, const char *clock, u32 fps)
{
    struct text t = { d->clock, 0, sizeof(d->clock) };
    put_str(&t, clock);
    d->fps = fps;
    mark_dirty(d, 0, 0, d->canvas.width, PANEL_H);
}

void desktop_act2(struct desktop *d, u32 seconds)
{
    if (d->act2_in == seconds) return;
    d->act2_in = seconds;
    mark_dirty(d, 0, d->canvas.height - HINT_H, d->canvas.width, HINT_H);
}

/* The last picture; without ACPI it stays. */
void desktop_goodbye(struct desktop *d, int can_power_off)
{
    struct canvas *c = &d->canvas;
    const char *text =
        can_power_off ? "Switching off" : "No ACPI power-off: the machine may be switched off now";
    const i32 w = (i32)str_len(text) * 8;
    c->clip = (struct rect){ 0, 0, c->width, c->height };
    darken(c, 0, 0, c->width, c->height, 110);
    fill(c, (c->width - w) / 2 - 24, c->height / 2 - 28, w + 48, 56, PANEL);
    frame(c, (c->width - w) / 2 - 24, c->height / 2 - 28, w + 48, 56, PANEL_LINE);
    text_at(c, (c->width - w) / 2, c->height / 2 - 8, text, PANEL_TEXT);
    present(c, &c->clip);
}
