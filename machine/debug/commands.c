/* The command table of the monitor: one row per command, for terminals, scripts and JSON alike
 * (monitor.h). Numbers are read as C writes them (0x for hexadecimal); an address may also be a
 * register name. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/board/board.h"
#include "machine/core/pattern.h"
#include "machine/debug/monitor.h"
#include "machine/host/png.h"
#include "machine/machine.h"

#define MAX_ARGS 8
#define DEFAULT_WAIT_S 60.0

struct call {
    struct monitor *mon;
    struct machine *m;
    unsigned argc;
    char *argv[MAX_ARGS];
    struct text *out;
};

static int fail(struct call *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct call *k, const char *fmt, ...)
{
    char s[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s, sizeof(s), fmt, ap);
    va_end(ap);
    text_add(k->out, "%s\n", s);
    return -1;
}

static int number(struct call *k, const char *s, u64 *v)
{
    char *end;
    errno = 0;
    *v = strtoull(s, &end, 0);
    if (!errno && end != s && !*end) return 0;
    bool ok;
    *v = cpu_get_reg(k->m->cpu, s, &ok);
    return ok ? 0 : fail(k, "'%s' is neither a number nor a register", s);
}

/* --- looking --- */

static int cmd_status(struct call *k)
{
    static const char *const states[] = { "running", "paused", "off" };
    struct machine *m = k->m;
    text_add(k->out, "%s, virtual time %.6f s, %llu instructions, %llu resets\n", states[m->state],
             (double)clock_now(&m->clock) / 1e9, (unsigned long long)cpu_icount(m->cpu),
             (unsigned long long)m->resets);
    if (m->why[0]) text_add(k->out, "last request: %s\n", m->why);
    display_refresh(m->display, true); /* headless nobody else does */
    const struct frame *f = display_current(m->display);
    if (f->width) text_add(k->out, "display: %s, %ux%u\n", f->name, f->width, f->height);
    return 0;
}

static int cmd_registers(struct call *k)
{
    cpu_info_registers(k->m->cpu, k->out);
    return 0;
}

static void dump(struct call *k, u64 addr, const u8 *p, size_t n)
{
    for (size_t at = 0; at < n; at += 16) {
        text_add(k->out, "%016llx ", (unsigned long long)(addr + at));
        for (size_t b = at; b < MIN(n, at + 16); b++) text_add(k->out, " %02x", p[b]);
        text_add(k->out, "  ");
        for (size_t b = at; b < MIN(n, at + 16); b++)
            text_add(k->out, "%c", p[b] >= 32 && p[b] < 127 ? p[b] : '.');
        text_add(k->out, "\n");
    }
}

static int memory(struct call *k, bool physical)
{
    u64 addr, n = 64;
    u8 buf[4096];
    if (number(k, k->argv[1], &addr) || (k->argc > 2 && number(k, k->argv[2], &n))) return -1;
    n = MIN(n, sizeof(buf));
    if (physical) {
        struct bus *b = &k->m->mem;
        for (u64 at = 0; at < n; at++) { /* RAM only: looking must not disturb a device */
            const struct bus_range *r = bus_find(b, addr + at);
            buf[at] = r->rd && r->rd->ram && addr + at <= b->limit
                          ? r->rd->ram[addr + at - r->rd->base]
                          : 0xff;
        }
    } else {
        n = cpu_peek_linear(k->m->cpu, addr, buf, n);
        if (!n) return fail(k, "%llx is not mapped", (unsigned long long)addr);
    }
    dump(k, addr, buf, n);
    return 0;
}

static int cmd_mem(struct call *k)
{
    return memory(k, false);
}

static int cmd_pmem(struct call *k)
{
    return memory(k, true);
}

static int cmd_disas(struct call *k)
{
    u64 addr = cpu_pc_linear(k->m->cpu), n = 10;
    if ((k->argc > 1 && number(k, k->argv[1], &addr)) || (k->argc > 2 && number(k, k->argv[2], &n)))
        return -1;
    for (u64 line = 0; line < MIN(n, 1000u); line++) {
        text_add(k->out, "%016llx  ", (unsigned long long)addr);
        addr += cpu_disasm(k->m->cpu, addr, k->out);
        text_add(k->out, "\n");
    }
    return 0;
}

static int cmd_walk(struct call *k)
{
    u64 addr;
    if (number(k, k->argv[1], &addr)) return -1;
    cpu_info_page_walk(k->m->cpu, addr, k->out);
    return 0;
}

static void info_bus(struct call *k, struct bus *b)
{
    bus_find(b, 0);
    for (unsigned n = 0; n < b->map_len; n++) {
        const struct bus_range *r = &b->map[n];
        if (!r->rd && !r->wr) continue;
        text_add(k->out, "%010llx-%010llx %s", (unsigned long long)r->base,
                 (unsigned long long)r->last, r->rd ? r->rd->name : "-");
        if (r->wr != r->rd) text_add(k->out, " (writes: %s)", r->wr ? r->wr->name : "-");
        text_add(k->out, "\n");
    }
}

static void info_unassigned(struct call *k, const struct bus *b)
{
    text_add(k->out, "%s: %llu reads, %llu writes where nothing answers\n", b->name,
             (unsigned long long)b->unassigned_reads, (unsigned long long)b->unassigned_writes);
    for (unsigned n = 0; n < LEN(b->unassigned); n++) {
        if (b->unassigned[n].count)
            text_add(k->out, "  %llx: %llu\n", (unsigned long long)b->unassigned[n].addr,
                     (unsigned long long)b->unassigned[n].count);
    }
}

static int info_devices(struct call *k)
{
    struct device *d;
    for (unsigned n = 0; (d = board_device_at(k->m, n)); n++)
        text_add(k->out, "%-10s %-12s %s\n", d->name, d->cls->name, d->cls->help);
    return 0;
}

static int cmd_info(struct call *k)
{
    const char *what = k->argc > 1 ? k->argv[1] : "devices";
    struct machine *m = k->m;
    if (!strcmp(what, "devices")) return info_devices(k);
    if (!strcmp(what, "registers")) return cmd_registers(k);
    if (!strcmp(what, "status")) return cmd_status(k);
    if (!strcmp(what, "apic")) return cpu_info_apic(m->cpu, k->out), 0;
    if (!strcmp(what, "memory")) return info_bus(k, &m->mem), 0;
    if (!strcmp(what, "ports")) return info_bus(k, &m->io), 0;
    if (!strcmp(what, "trace")) return trace_dump(k->out, 1000), 0;
    if (!strcmp(what, "stats")) {
        text_add(k->out, "instructions: %llu\nframes: %llu\n",
                 (unsigned long long)cpu_icount(m->cpu),
                 (unsigned long long)display_frames(m->display));
        cpu_info_stats(m->cpu, k->out);
        return 0;
    }
    if (!strcmp(what, "hash"))
        return text_add(k->out, "trace hash: %016llx\n", (unsigned long long)m->trace_hash), 0;
    if (!strcmp(what, "config")) return config_print(m->cfg, k->out), 0;
    if (!strcmp(what, "unassigned")) {
        info_unassigned(k, &m->mem);
        info_unassigned(k, &m->io);
        return 0;
    }
    struct device *d = board_device(m, what);
    if (!d)
        return fail(k, "info: devices, registers, status, apic, memory, ports, unassigned, trace, "
                       "stats, hash, config, or a device's name");
    text_add(k->out, "%s (%s): %s\n", d->name, d->cls->name, d->cls->help);
    if (d->cls->info) d->cls->info(d, k->out);
    return 0;
}

/* A view that a command names; 0 also when it names none. */
static int check_view(struct call *k, unsigned at)
{
    struct text all;
    if (k->argc <= at || display_look(k->m->display, k->argv[at])) return 0;
    text_init(&all);
    display_views(k->m->display, &all);
    fail(k, "'%s' is no view: %s", k->argv[at], all.s);
    text_free(&all);
    return -1;
}

static int cmd_screenshot(struct call *k)
{
    struct error e;
    if (check_view(k, 2)) return -1;
    const struct frame *f = display_look(k->m->display, k->argc > 2 ? k->argv[2] : NULL);
    if (png_write(k->argv[1], f->pixels, f->width, f->height, &e)) return fail(k, "%s", e.text);
    text_add(k->out, "%s: %ux%u, picture %016llx\n", k->argv[1], f->width, f->height,
             (unsigned long long)frame_sum(f));
    return 0;
}

static int cmd_screen(struct call *k)
{
    if (check_view(k, 1)) return -1;
    screen_text(k->m, k->argc > 1 ? k->argv[1] : NULL, k->out);
    return 0;
}

/* --- acting --- */

static int cmd_type(struct call *k)
{
    unsigned left_out = input_type(&k->m->typist, k->argv[1]);
    if (left_out) text_add(k->out, "%u characters have no key on a US keyboard\n", left_out);
    k->mon->wait = WAIT_TYPING; /* so that the next command finds the text typed */
    k->mon->wait_until = clock_host_ns() + 60 * NS_PER_SEC;
    return 0;
}

static int cmd_sendkey(struct call *k)
{
    u8 keys[8];
    int n = input_parse_keys(k->argv[1], keys, LEN(keys));
    if (n < 0)
        return fail(k, "sendkey: '%s' is not a key or chord such as ctrl-alt-delete, f12 or enter",
                    k->argv[1]);
    input_chord(&k->m->typist, keys, (unsigned)n);
    return 0;
}

static int cmd_mouse(struct call *k)
{
    int dx = atoi(k->argv[1]), dy = k->argc > 2 ? atoi(k->argv[2]) : 0;
    if (k->argc > 3) input_buttons(&k->m->input, (unsigned)atoi(k->argv[3]));
    input_rel(&k->m->input, dx, dy, k->argc > 4 ? atoi(k->argv[4]) : 0);
    return 0;
}

/* What a wait of this kind is for; 0, or -1 with the answer in k->out. */
static int wait_for(struct call *k, enum wait_kind kind)
{
    struct monitor *mon = k->mon;
    char *end = mon->wait_text;
    if (kind == WAIT_INSNS) return number(k, mon->wait_text, &mon->wait_count);
    if (kind == WAIT_PICTURE) {
        mon->wait_count = strtoull(mon->wait_text, &end, 16);
        return *end ? fail(k, "wait picture: '%s' is no sum such as screenshot prints",
                           mon->wait_text)
                    : 0;
    }
    if (kind != WAIT_VIRTUAL) return 0;
    double at_s = strtod(mon->wait_text, &end);
    if (*end || !(at_s >= 0 && at_s < 1e9))
        return fail(k, "wait time: '%s' is not a number of seconds", mon->wait_text);
    mon->wait_count = (u64)(at_s * 1e9);
    return 0;
}

static const struct wait_row {
    const char *name;
    enum wait_kind kind;
    unsigned port;
    bool view; /* may name one */
} wait_rows[] = {
    { "serial", WAIT_SERIAL, 0, false }, { "serial2", WAIT_SERIAL, 1, false },
    { "screen", WAIT_SCREEN, 0, true },  { "picture", WAIT_PICTURE, 0, true },
    { "source", WAIT_SOURCE, 0, false }, { "poweroff", WAIT_POWEROFF, 0, false },
    { "insns", WAIT_INSNS, 0, false },   { "time", WAIT_VIRTUAL, 0, false },
};

static int start_wait(struct call *k, const struct wait_row *row)
{
    struct monitor *mon = k->mon;
    unsigned at = 2;
    mon->wait_text[0] = mon->wait_view[0] = 0;
    if (row->kind != WAIT_POWEROFF) {
        if (k->argc < 3) return fail(k, "wait %s: for which?", k->argv[1]);
        snprintf(mon->wait_text, sizeof(mon->wait_text), "%s", k->argv[at++]);
    }
    if (wait_for(k, row->kind)) return -1;
    double seconds = k->argc > at ? strtod(k->argv[at], NULL) : DEFAULT_WAIT_S;
    if (row->view && k->argc > at + 1) {
        if (check_view(k, at + 1)) return -1;
        snprintf(mon->wait_view, sizeof(mon->wait_view), "%s", k->argv[at + 1]);
    }
    mon->wait = row->kind;
    mon->wait_port = row->port;
    mon->wait_until = clock_host_ns() + (u64)(MAX(seconds, 0.0) * 1e9);
    mon->next_look = 0;
    k->m->poll_now = true; /* looked at before the guest goes on */
    return 0;
}

static int cmd_wait(struct call *k)
{
    char *end;
    double seconds = strtod(k->argv[1], &end);
    if (!*end) {
        k->mon->wait = WAIT_TIME;
        k->mon->wait_until = clock_host_ns() + (u64)(MAX(seconds, 0.0) * 1e9);
        return 0;
    }
    for (unsigned n = 0; n < LEN(wait_rows); n++) {
        if (!strcmp(wait_rows[n].name, k->argv[1])) return start_wait(k, &wait_rows[n]);
    }
    return fail(k,
                "wait: serial TEXT, serial2 TEXT, screen TEXT, picture SUM, source TEXT, insns N, "
                "time T or poweroff, then how many seconds at most; or just SECONDS");
}

static int cmd_cd(struct call *k)
{
    struct error e;
    bool eject = !strcmp(k->argv[1], "eject");
    return board_change_cd(k->m, eject ? NULL : k->argv[1], &e) ? fail(k, "%s", e.text) : 0;
}

static int cmd_pause(struct call *k)
{
    machine_pause(k->m);
    return 0;
}

static int cmd_cont(struct call *k)
{
    if (k->m->state == MACHINE_OFF) return fail(k, "the machine is powered off");
    machine_resume(k->m);
    return 0;
}

static int cmd_step(struct call *k)
{
    u64 n = 1;
    if (k->argc > 1 && number(k, k->argv[1], &n)) return -1;
    if (k->m->state != MACHINE_PAUSED) return fail(k, "step: pause first");
    for (u64 done = 0; done < MIN(n, 1000000u); done++) {
        u64 before = cpu_icount(k->m->cpu);
        enum cpu_stop why = cpu_run(k->m->cpu, 1);
        if (why == CPU_KICKED && cpu_icount(k->m->cpu) == before)
            cpu_run(k->m->cpu, 1); /* a kick from before ends a run at once */
        clock_run_due(&k->m->clock, 16);
    }
    k->argc = 1;
    return cmd_disas(k);
}

static int cmd_break(struct call *k)
{
    u64 addr;
    if (number(k, k->argv[1], &addr)) return -1;
    bool del = k->argc > 2 && !strcmp(k->argv[2], "off");
    if (del ? cpu_break_del(k->m->cpu, addr) : cpu_break_add(k->m->cpu, addr))
        return fail(k, del ? "no breakpoint there" : "no more breakpoints");
    return 0;
}

static int cmd_reset(struct call *k)
{
    machine_request(k->m, REQ_RESET, RESET_COLD, "monitor");
    return 0;
}

static int cmd_powerbutton(struct call *k)
{
    board_power_button(k->m);
    return 0;
}

static int cmd_nmi(struct call *k)
{
    cpu_nmi(k->m->cpu);
    return 0;
}

static int cmd_toggle(struct call *k)
{
    display_toggle(k->m->display);
    return 0;
}

static int cmd_view(struct call *k)
{
    struct display *d = k->m->display;
    if (k->argc > 1 && display_set_view(d, k->argv[1])) return check_view(k, 1);
    if (k->argc > 1) return 0;
    text_add(k->out, "%s of ", display_view(d));
    display_views(d, k->out);
    text_add(k->out, "\n");
    return 0;
}

static int cmd_trace(struct call *k)
{
    return trace_configure(k->argv[1]) ? fail(k, "trace: '%s' names no event", k->argv[1]) : 0;
}

static int cmd_log(struct call *k)
{
    return log_configure(k->argv[1])
               ? fail(k, "log: '%s': levels are error, warn, info, debug", k->argv[1])
               : 0;
}

static int cmd_quit(struct call *k)
{
    machine_quit(k->m, k->argc > 1 ? atoi(k->argv[1]) : 0);
    return 0;
}

static int cmd_help(struct call *k);

/* clang-format off */
static const struct command {
    const char *name, *args;
    unsigned min_args;
    int (*run)(struct call *k);
    const char *help;
} commands[] = {
    { "break",      "ADDR [off]",     1, cmd_break,      "pause when the instruction at a linear address is reached" },
    { "cd",         "FILE|eject",     1, cmd_cd,         "change the disc in the CD drive" },
    { "cont",       "",               0, cmd_cont,       "run on" },
    { "disas",      "[ADDR] [N]",     0, cmd_disas,      "disassemble" },
    { "help",       "",               0, cmd_help,       "this list" },
    { "info",       "[WHAT]",         0, cmd_info,       "devices, registers, apic, memory, ports, unassigned, trace, stats, hash, config, or a device" },
    { "log",        "LEVELS",         1, cmd_log,        "change log levels" },
    { "mem",        "ADDR [N]",       1, cmd_mem,        "virtual memory" },
    { "mouse",      "DX DY [BUTTONS] [WHEEL]", 1, cmd_mouse, "move; buttons: 1 left, 2 right, 4 middle" },
    { "nmi",        "",               0, cmd_nmi,        "non-maskable interrupt" },
    { "pause",      "",               0, cmd_pause,      "stop the CPU and virtual time" },
    { "pmem",       "ADDR [N]",       1, cmd_pmem,       "physical memory" },
    { "powerbutton", "",              0, cmd_powerbutton, "ask the guest to shut down" },
    { "quit",       "[STATUS]",       0, cmd_quit,       "end the program" },
    { "registers",  "",               0, cmd_registers,  "the CPU's registers" },
    { "reset",      "",               0, cmd_reset,      "press the reset button" },
    { "screen",     "[VIEW]",         0, cmd_screen,     "the characters on a text screen" },
    { "screenshot", "FILE.png [VIEW]", 1, cmd_screenshot, "save the picture" },
    { "sendkey",    "KEYS",           1, cmd_sendkey,    "a key or chord: ctrl-alt-delete" },
    { "status",     "",               0, cmd_status,     "running, paused or off; time; display" },
    { "step",       "[N]",            0, cmd_step,       "execute instructions while paused" },
    { "toggle",     "",               0, cmd_toggle,     "show the next view; after the last one the rules decide again" },
    { "trace",      "PATTERN",        1, cmd_trace,      "switch trace events on; -PATTERN off" },
    { "type",       "TEXT",           1, cmd_type,       "type on the keyboard; \\n is Enter" },
    { "view",       "[VIEW]",         0, cmd_view,       "show one display function (vga, scanout0), or auto: by the rules" },
    { "wait",       "KIND TEXT [S] [VIEW]", 1, cmd_wait, "serial TEXT, serial2 TEXT, screen TEXT, picture SUM, source TEXT, poweroff, insns N, time T: until it is so, at most S seconds; or: wait S" },
    { "walk",       "ADDR",           1, cmd_walk,       "page walk of a linear address" },
};
/* clang-format on */

static int cmd_help(struct call *k)
{
    for (unsigned n = 0; n < LEN(commands); n++)
        text_add(k->out, "%-11s %-24s %s\n", commands[n].name, commands[n].args, commands[n].help);
    return 0;
}

/* Splits in place: words, or "quoted text" with \n \t \" \\ escapes. Returns -1 on an open quote.
 */
static int split(char *s, char *argv[MAX_ARGS], unsigned *argc)
{
    static const char from[] = "nte\"\\", to[] = "\n\t\033\"\\";
    *argc = 0;
    for (;;) {
        s += strspn(s, " \t\r");
        if (!*s || *s == '#' || *argc == MAX_ARGS) return 0;
        bool quoted = *s == '"';
        s += quoted;
        char *w = s;
        argv[(*argc)++] = w;
        while (*s && (quoted ? *s != '"' : !strchr(" \t\r", *s))) {
            const char *esc = quoted && *s == '\\' && s[1] ? strchr(from, s[1]) : NULL;
            *w++ = esc ? to[esc - from] : *s;
            s += esc ? 2 : 1;
        }
        if (quoted && !*s) return -1;
        bool more = *s;
        *w = 0;
        s += more;
    }
}

int command_run(struct monitor *mon, const char *line, struct text *out)
{
    char buf[4096];
    struct call k = { .mon = mon, .m = mon->m, .out = out };
    snprintf(buf, sizeof(buf), "%s", line);
    if (split(buf, k.argv, &k.argc)) return fail(&k, "the quote is not closed");
    if (!k.argc) return 0;
    const char *best = NULL;
    unsigned dist = 4;
    for (unsigned n = 0; n < LEN(commands); n++) {
        const struct command *c = &commands[n];
        unsigned d = edit_distance(k.argv[0], c->name);
        if (d < dist) dist = d, best = c->name;
        if (strcmp(c->name, k.argv[0])) continue;
        if (k.argc - 1 < c->min_args) return fail(&k, "usage: %s %s", c->name, c->args);
        return c->run(&k);
    }
    if (best) return fail(&k, "there is no command '%s'; did you mean '%s'?", k.argv[0], best);
    return fail(&k, "there is no command '%s'; 'help' lists them", k.argv[0]);
}
