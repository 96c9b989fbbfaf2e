/* Monitor sessions (monitor.h): line input, waits, answers as text or JSON. A wait keeps its
 * session from reading on; the machine runs meanwhile. */
#include "machine/debug/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/board/board.h"
#include "machine/core/json.h"
#include "machine/host/chardev.h"
#include "machine/machine.h"

#define SERIAL_KEEP (1u << 20) /* bytes of serial output remembered at least */
#define SCREEN_LOOK_NS 100000000u
#define CTRL_C 3

/* --- what the guest says --- */

static void serial_tap(void *opaque, const u8 *buf, size_t n)
{
    struct serial_log *l = opaque;
    text_addn(&l->text, (const char *)buf, n);
    if (l->text.len <= 2 * SERIAL_KEEP) return;
    size_t drop = l->text.len - SERIAL_KEEP;
    memmove(l->text.s, l->text.s + drop, SERIAL_KEEP + 1);
    l->text.len = SERIAL_KEEP;
    l->seen -= MIN(l->seen, drop);
}

void monitor_attach_serial(struct machine *m)
{
    m->serial = xalloc(2 * sizeof(*m->serial));
    for (unsigned k = 0; k < 2; k++) {
        if (board_serial(m, k)) chardev_set_tap(board_serial(m, k), serial_tap, &m->serial[k]);
    }
}

/* Looking at what is shown draws only what changed. */
static const struct frame *look(struct machine *m, const char *view)
{
    if (view && *view) return display_look(m->display, view);
    display_refresh(m->display, false);
    return display_current(m->display);
}

void screen_text(struct machine *m, const char *view, struct text *t)
{
    const struct frame *f = look(m, view);
    for (u32 y = 0; y < f->rows; y++) {
        const u8 *row = f->text + (size_t)y * f->cols;
        u32 n = f->cols;
        while (n && (row[n - 1] == ' ' || !row[n - 1])) n--;
        for (u32 x = 0; x < n; x++) {
            char ch = row[x] < 32 || row[x] > 126 ? ' ' : (char)row[x];
            text_addn(t, &ch, 1);
        }
        text_addn(t, "\n", 1);
    }
}

static bool screen_has(struct machine *m, const char *view, const char *what)
{
    struct text t;
    text_init(&t);
    screen_text(m, view, &t);
    bool hit = t.s && strstr(t.s, what);
    text_free(&t);
    return hit;
}

/* A NUL from a confused guest must not end the search. */
static bool serial_has(struct serial_log *l, const char *what)
{
    char *at =
        l->text.s ? memmem(l->text.s + l->seen, l->text.len - l->seen, what, strlen(what)) : NULL;
    if (!at) return false;
    l->seen = (size_t)(at - l->text.s) + strlen(what);
    return true;
}

/* --- answers --- */

static void answer(struct monitor *mon, bool ok, const struct text *out)
{
    struct text t;
    text_init(&t);
    if (mon->json) {
        text_add(&t, "{\"ok\": %s", ok ? "true" : "false");
        if (mon->id[0]) {
            text_add(&t, ", \"id\": ");
            json_string(&t, mon->id, strlen(mon->id));
        }
        text_add(&t, ", \"text\": ");
        json_string(&t, out->s ? out->s : "", out->len);
        text_add(&t, "}\n");
    } else {
        text_addn(&t, out->s ? out->s : "", out->len);
        if (mon->terminal) text_add(&t, "aeropc> ");
    }
    for (size_t done = 0, tries = 0; done < t.len && tries < 1000; tries++) {
        done += chardev_write(mon->c, t.s + done, t.len - done);
        chardev_poll(mon->c);
    }
    text_free(&t);
}

static const char *const wait_names[] = {
    [WAIT_NONE] = "",           [WAIT_SERIAL] = "serial", [WAIT_PICTURE] = "picture",
    [WAIT_SOURCE] = "source",   [WAIT_SCREEN] = "screen", [WAIT_POWEROFF] = "poweroff",
    [WAIT_TYPING] = "(typing)", [WAIT_TIME] = "",         [WAIT_INSNS] = "insns",
    [WAIT_VIRTUAL] = "time",
};

static void finish_wait(struct monitor *mon, bool ok)
{
    struct text out;
    text_init(&out);
    enum wait_kind kind = mon->wait;
    mon->wait = WAIT_NONE;
    timer_cancel(&mon->timer);
    if (!ok) {
        bool off = mon->m->state == MACHINE_OFF;
        text_add(&out, "wait %s \"%s\": %s; on the screen:\n", wait_names[kind], mon->wait_text,
                 off ? "the machine is off" : "timed out");
        screen_text(mon->m, mon->wait_view, &out);
        if (mon->script) machine_quit(mon->m, 1);
    }
    answer(mon, ok, &out);
    text_free(&out);
}

/* Waits for something on the screen, which is looked at now and then. */
static bool screen_hit(struct monitor *mon, u64 now)
{
    if (now < mon->next_look) return false;
    mon->next_look = now + SCREEN_LOOK_NS;
    if (mon->wait == WAIT_SCREEN) return screen_has(mon->m, mon->wait_view, mon->wait_text);
    const struct frame *f = look(mon->m, mon->wait_view);
    if (mon->wait == WAIT_PICTURE) return f->width && frame_sum(f) == mon->wait_count;
    return strstr(f->name, mon->wait_text) != NULL;
}

/* Instruction counts and virtual times are looked at between two slices that meet exactly there
 * (machine.c), so that a script sees the same machine in every run with --clock insn. */
static void check_wait(struct monitor *mon, u64 now)
{
    struct machine *m = mon->m;
    bool hit = false;
    switch (mon->wait) {
    case WAIT_NONE: return;
    case WAIT_SERIAL: hit = serial_has(&mon->serial[mon->wait_port], mon->wait_text); break;
    case WAIT_SCREEN:
    case WAIT_PICTURE:
    case WAIT_SOURCE: hit = screen_hit(mon, now); break;
    case WAIT_POWEROFF: hit = m->state == MACHINE_OFF; break;
    case WAIT_TYPING: hit = !input_typing(&m->typist) || m->state == MACHINE_OFF; break;
    case WAIT_TIME: hit = now >= mon->wait_until; break;
    case WAIT_INSNS:
        hit = cpu_icount(m->cpu) >= mon->wait_count;
        if (!hit)
            m->wake_insns = m->wake_insns ? MIN(m->wake_insns, mon->wait_count) : mon->wait_count;
        break;
    case WAIT_VIRTUAL:
        hit = clock_now(&m->clock) >= mon->wait_count;
        if (!hit && !timer_armed(&mon->timer)) timer_set(&mon->timer, mon->wait_count);
        break;
    }
    bool never = m->state == MACHINE_OFF && mon->wait != WAIT_TIME && mon->wait != WAIT_TYPING;
    if (hit)
        finish_wait(mon, true);
    else if (never)
        finish_wait(mon, false);
    else if (now >= mon->wait_until)
        finish_wait(mon, false);
}

/* --- input --- */

static void run_line(struct monitor *mon)
{
    struct text out;
    text_init(&out);
    char command[4096];
    const char *line = mon->line;
    mon->json = line[strspn(line, " \t")] == '{';
    mon->id[0] = 0;
    int ret;
    if (mon->json) {
        json_get(line, "id", mon->id, sizeof(mon->id));
        if (json_get(line, "command", command, sizeof(command))) {
            ret = command_run(mon, command, &out);
        } else {
            ret = -1;
            text_add(&out, "expected {\"command\": \"...\"}");
        }
    } else {
        ret = command_run(mon, line, &out);
    }
    if (ret && mon->script) {
        fprintf(stderr, "aeropc: monitor: %s: %s", line, out.s ? out.s : "failed\n");
        machine_quit(mon->m, 1);
    }
    if (mon->wait == WAIT_NONE) answer(mon, ret == 0, &out);
    text_free(&out);
}

static void take_byte(struct monitor *mon, char ch)
{
    if (ch == '\r' && mon->terminal) ch = '\n';
    if (ch == '\n') {
        mon->line[mon->len] = 0;
        if (mon->terminal) chardev_write(mon->c, "\n", 1);
        mon->busy = true; /* answering polls the backend: what it has for us must wait its turn */
        if (!mon->overlong) run_line(mon);
        mon->busy = false;
        mon->len = 0;
        mon->overlong = false;
    } else if (ch == CTRL_C && mon->terminal) {
        mon->len = 0;
        mon->overlong = false;
        chardev_write(mon->c, "^C\naeropc> ", 11);
    } else if ((ch == 8 || ch == 127) && mon->terminal) {
        if (!mon->len) return;
        mon->len--;
        chardev_write(mon->c, "\b \b", 3);
    } else if (mon->len + 1 < sizeof(mon->line)) {
        mon->line[mon->len++] = ch;
        if (mon->terminal) chardev_write(mon->c, &ch, 1);
    } else {
        mon->overlong = true;
    }
}

static size_t can_recv(void *opaque)
{
    struct monitor *mon = opaque;
    return mon->wait == WAIT_NONE && !mon->backlog.len && !mon->busy ? 4096 : 0;
}

/* Runs bytes until a wait begins; returns how many were used. */
static size_t take_bytes(struct monitor *mon, const char *s, size_t n)
{
    size_t k = 0;
    while (k < n && mon->wait == WAIT_NONE && !mon->m->quit) take_byte(mon, s[k++]);
    return k;
}

static void recv_bytes(void *opaque, const u8 *buf, size_t n)
{
    struct monitor *mon = opaque;
    size_t k = take_bytes(mon, (const char *)buf, n);
    text_addn(&mon->backlog, (const char *)buf + k, n - k);
}

static void take_backlog(struct monitor *mon)
{
    if (!mon->backlog.len || mon->wait != WAIT_NONE) return;
    struct text t = mon->backlog;
    text_init(&mon->backlog);
    size_t k = take_bytes(mon, t.s, t.len);
    text_addn(&mon->backlog, t.s + k, t.len - k);
    text_free(&t);
}

static void wake_up(void *opaque)
{
    ((struct monitor *)opaque)->m->poll_now = true;
}

/* On a terminal in raw mode Ctrl-C is no signal: Ctrl-A x ends the program, as on the serial
 * console. */
static void on_escape(void *machine, int key)
{
    if (key == 'x') machine_quit(machine, 0);
}

int monitor_open(struct machine *m, const char *spec, struct error *e)
{
    struct monitor *mon = xalloc(sizeof(*mon));
    mon->m = m;
    mon->serial = m->serial;
    timer_init(&mon->timer, &m->clock, "monitor", wake_up, mon);
    mon->c = chardev_open(spec, true, e);
    if (!mon->c) {
        free(mon);
        return error_prefix(e, "--monitor");
    }
    mon->terminal = !strcmp(spec, "stdio") && isatty(STDIN_FILENO);
    mon->script = !strcmp(spec, "stdio") && !mon->terminal;
    mon->next = m->monitors;
    m->monitors = mon;
    chardev_set_receiver(mon->c, can_recv, recv_bytes, mon);
    chardev_set_escape(mon->c, on_escape, m);
    if (mon->terminal) {
        struct text hello;
        text_init(&hello);
        text_add(&hello, "aeropc monitor; 'help' lists the commands\n");
        answer(mon, true, &hello);
        text_free(&hello);
    }
    return 0;
}

void monitor_poll(struct machine *m)
{
    u64 now = clock_host_ns();
    for (struct monitor *mon = m->monitors; mon && !m->quit; mon = mon->next) {
        check_wait(mon, now);
        take_backlog(mon);
        chardev_poll(mon->c);
    }
    board_poll_chars(m);
}

/* A script may want to do something after the guest powered off, and a wait for what did not come
 * must fail, not end with success. */
bool monitor_waiting(struct machine *m)
{
    for (struct monitor *mon = m->monitors; mon; mon = mon->next) {
        if (mon->wait != WAIT_NONE || mon->backlog.len || mon->len) return true;
    }
    return false;
}

void monitor_close(struct machine *m)
{
    while (m->monitors) {
        struct monitor *mon = m->monitors;
        m->monitors = mon->next;
        timer_cancel(&mon->timer);
        chardev_close(mon->c);
        text_free(&mon->backlog);
        free(mon);
    }
    for (unsigned k = 0; m->serial && k < 2; k++) {
        if (board_serial(m, k)) chardev_set_tap(board_serial(m, k), NULL, NULL);
        text_free(&m->serial[k].text);
    }
    free(m->serial);
    m->serial = NULL;
}
