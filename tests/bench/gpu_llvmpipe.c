/* The yardstick: the GPU benchmark's scenes (gpu_bench.c) drawn by Mesa's software renderer through EGL without a window, one thread.
 * Prints JSON lines of the same form; a line that says so when there is no such renderer. Pictures are not compared: another renderer
 * rounds otherwise. */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 5, WINDOWS = 5 };

struct vertex {
    float x, y, u, v;
    unsigned char color[4];
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int skipped(const char *why)
{
    printf("{\"bench\":\"gpu-llvmpipe\",\"skipped\":\"%s\"}\n", why);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* ---- GL ---- */

static GLuint compile(GLenum kind, const char *text)
{
    GLuint s = glCreateShader(kind);
    glShaderSource(s, 1, &text, NULL);
    glCompileShader(s);
    return s;
}

static void use_program(const char *fragment)
{
    GLuint p = glCreateProgram();
    glAttachShader(p, compile(GL_VERTEX_SHADER, "attribute vec4 pos; attribute vec2 tc; attribute vec4 col; varying vec2 t; varying vec4 c;"
                                                "void main() { gl_Position = pos; t = tc; c = col; }"));
    glAttachShader(p, compile(GL_FRAGMENT_SHADER, fragment));
    glBindAttribLocation(p, 0, "pos");
    glBindAttribLocation(p, 1, "tc");
    glBindAttribLocation(p, 2, "col");
    glLinkProgram(p);
    glUseProgram(p);
    glUniform4f(glGetUniformLocation(p, "k"), 0.9f, 0.8f, 0.7f, 0.95f);
}

static GLuint make_texture(int w, int h, int filter, int wrap)
{
    GLuint t;
    unsigned char *p = malloc((size_t)w * h * 4);
    for (int k = 0; k < w * h * 4; k++) p[k] = (unsigned char)(k % 4 == 3 ? 200u + (unsigned)k / 32 % 56 : (unsigned)k * 2654435761u >> 24);
    glGenTextures(1, &t);
    glBindTexture(GL_TEXTURE_2D, t);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, w, h, 0, GL_RGBA, GL_UNSIGNED_BYTE, p);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, wrap);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, wrap);
    free(p);
    return t;
}

static void target(int w, int h)
{
    GLuint t = make_texture(w, h, GL_NEAREST, GL_CLAMP_TO_EDGE), f;
    glGenFramebuffers(1, &f);
    glBindFramebuffer(GL_FRAMEBUFFER, f);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, t, 0);
    glViewport(0, 0, w, h);
}

static void source(const struct vertex *v)
{
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, sizeof(*v), &v->x);
    glVertexAttribPointer(1, 2, GL_FLOAT, GL_FALSE, sizeof(*v), &v->u);
    glVertexAttribPointer(2, 4, GL_UNSIGNED_BYTE, GL_TRUE, sizeof(*v), v->color);
    for (GLuint k = 0; k < 3; k++) glEnableVertexAttribArray(k);
}

static void rectangle(struct vertex v[4], float w, float h, float x0, float y0, float x1, float y1, float u1, float v1)
{
    for (int k = 0; k < 4; k++) {
        float x = k & 1 ? x1 : x0, y = k & 2 ? y1 : y0;
        v[k] = (struct vertex){ x / w * 2 - 1, y / h * 2 - 1, k & 1 ? u1 : 0, k & 2 ? v1 : 0, { 255, 255, 255, 255 } };
    }
}

static double measure(void (*frame)(void *), void *opaque)
{
    double results[REPEATS];
    frame(opaque);
    glFinish();
    for (int k = 0; k < REPEATS; k++) {
        double from = cpu_seconds(), to;
        int rounds = 0;
        do {
            frame(opaque);
            glFinish();
            rounds++;
            to = cpu_seconds();
        } while (to - from < 0.2);
        results[k] = (to - from) / rounds;
    }
    qsort(results, REPEATS, sizeof(results[0]), by_value);
    return results[REPEATS / 2];
}

static void report(const char *name, const char *unit, double value)
{
    printf("{\"bench\":\"gpu-%s\",\"unit\":\"%s\",\"llvmpipe\":%.2f}\n", name, unit, value);
    fflush(stdout);
}

/* ---- scenes ---- */

static void draw_strip(void *opaque)
{
    source(opaque);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

static void fill(const char *name, const char *fragment)
{
    struct vertex v[4];
    target(1280, 720);
    make_texture(640, 480, GL_LINEAR, GL_CLAMP_TO_EDGE);
    use_program(fragment);
    glEnable(GL_BLEND);
    glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
    rectangle(v, 1280, 720, 0, 0, 1280, 720, 0.93f, 0.87f);
    report(name, "Mpixel/s", 1280 * 720 / measure(draw_strip, v) / 1e6);
}

struct desktop {
    GLuint textures[WINDOWS + 1];
    struct vertex v[WINDOWS + 1][4];
};

static void draw_desktop(void *opaque)
{
    struct desktop *d = opaque;
    for (int k = 0; k <= WINDOWS; k++) {
        if (k) glEnable(GL_BLEND);
        else glDisable(GL_BLEND);
        glBindTexture(GL_TEXTURE_2D, d->textures[k]);
        draw_strip(d->v[k]);
    }
}

static void compose(const char *name, int filter)
{
    static const short windows[WINDOWS + 1][4] = { { 0, 0, 1280, 800 },     { 40, 60, 780, 500 },  { 400, 100, 780, 500 },
                                                   { 200, 300, 760, 490 }, { 480, 20, 780, 480 }, { 100, 180, 780, 500 } };
    struct desktop d;
    target(1280, 800);
    use_program("precision highp float; varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t); }");
    glBlendFunc(GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
    for (int k = 0; k <= WINDOWS; k++) {
        const short *w = windows[k];
        d.textures[k] = make_texture(w[2], w[3], filter, GL_CLAMP_TO_EDGE);
        rectangle(d.v[k], 1280, 800, w[0], w[1], (float)(w[0] + w[2]), (float)(w[1] + w[3]), 1, 1);
    }
    report(name, "ms", measure(draw_desktop, &d) * 1e3);
}

enum { COLS = 200, ROWS = 120, COUNT = COLS * ROWS * 2 };
struct grid {
    struct vertex v[(COLS + 1) * (ROWS + 1)];
    unsigned short index[COUNT * 3];
};

static void draw_grid(void *opaque)
{
    struct grid *g = opaque;
    source(g->v);
    glDrawElements(GL_TRIANGLES, COUNT * 3, GL_UNSIGNED_SHORT, g->index);
}

static void triangles(void)
{
    struct grid *g = calloc(1, sizeof(*g));
    unsigned seed = 7, n = 0;
    target(1280, 720);
    make_texture(256, 256, GL_LINEAR, GL_REPEAT);
    use_program("precision highp float; varying vec2 t; varying vec4 c; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t) * c; }");
    glDisable(GL_BLEND);
    for (int y = 0; y <= ROWS; y++) {
        for (int x = 0; x <= COLS; x++) {
            seed = seed * 1664525 + 1013904223;
            float px = (float)x * 6.4f + (float)(seed >> 24) / 200, py = (float)y * 6 + (float)(seed >> 16 & 255) / 200;
            struct vertex *v = &g->v[y * (COLS + 1) + x];
            *v = (struct vertex){ px / 640 - 1, py / 360 - 1, (float)x / 20, (float)y / 20, { 0, 0, 0, 255 } };
            memcpy(v->color, &seed, 3);
        }
    }
    for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLS; x++) {
            int a = y * (COLS + 1) + x;
            const int six[6] = { a, a + 1, a + COLS + 1, a + 1, a + COLS + 2, a + COLS + 1 };
            for (int k = 0; k < 6; k++) g->index[n++] = (unsigned short)six[k];
        }
    }
    report("triangles", "million/s", COUNT / measure(draw_grid, g) / 1e6);
    free(g);
}

int main(void)
{
    setenv("LP_NUM_THREADS", "0", 0);
    setenv("LIBGL_ALWAYS_SOFTWARE", "1", 0);
    EGLDisplay d = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    EGLConfig config = NULL;
    EGLint count = 0;
    const EGLint want[] = { EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE };
    const EGLint version[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
    if (d == EGL_NO_DISPLAY || !eglInitialize(d, NULL, NULL)) return skipped("no EGL display");
    eglBindAPI(EGL_OPENGL_ES_API);
    eglChooseConfig(d, want, &config, 1, &count);
    EGLContext c = eglCreateContext(d, config, EGL_NO_CONTEXT, version);
    if (c == EGL_NO_CONTEXT || !eglMakeCurrent(d, EGL_NO_SURFACE, EGL_NO_SURFACE, c)) return skipped("no context");
    if (!strstr((const char *)glGetString(GL_RENDERER), "llvmpipe")) return skipped("the renderer is not llvmpipe");
    fill("fill-2", "precision highp float; varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t); }");
    fill("fill-11", "precision highp float; varying vec2 t; varying vec4 c; uniform sampler2D s; uniform vec4 k; void main() {"
                    "vec4 a = texture2D(s, t) * c, b = a * k + a; a = b * k + a; b.xyz = a.xyz * a.xyz; b.xyz = b.xyz * k.xyz + a.xyz;"
                    "b.xyz += b.xyz; a.xyz = b.xyz * k.xyz; gl_FragColor = min(a, c); }");
    compose("compose-linear", GL_LINEAR);
    compose("compose-point", GL_NEAREST);
    triangles();
    return 0;
}
