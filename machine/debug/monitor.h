/* The monitor: commands as text lines on a terminal, pipe or socket, or as JSON lines ({"command":
 * "status"}). One command table (commands.c) serves both. Sessions are polled on the machine
 * thread, so a command sees the machine between two slices. */
#ifndef DEBUG_MONITOR_H
#define DEBUG_MONITOR_H

#include "machine/core/clock.h"
#include "machine/core/error.h"
#include "machine/core/text.h"
#include "machine/core/types.h"

struct machine;
struct chardev;

enum wait_kind {
    WAIT_NONE,
    WAIT_SERIAL,
    WAIT_SCREEN,
    WAIT_PICTURE,
    WAIT_SOURCE,
    WAIT_POWEROFF,
    WAIT_TYPING,
    WAIT_TIME,
    WAIT_INSNS,
    WAIT_VIRTUAL
};

/* Everything a COM port has sent, for `wait serial`; shared by all sessions. */
struct serial_log {
    struct text text;
    size_t seen; /* waits look behind what an earlier wait found */
};

struct monitor {
    struct machine *m;
    struct chardev *c;
    struct monitor *next;
    struct serial_log *serial; /* [2] */
    char line[4096];
    size_t len;
    bool busy, overlong, terminal, script, json;
    struct text backlog; /* input behind an unfinished wait */
    enum wait_kind wait;
    unsigned wait_port;
    char wait_text[256];
    char wait_view[32]; /* "": what is shown */
    u64 wait_until;     /* host ns */
    u64 wait_count;     /* WAIT_INSNS: instructions; WAIT_VIRTUAL: virtual ns; WAIT_PICTURE: sum */
    struct timer timer; /* WAIT_VIRTUAL */
    u64 next_look;      /* host ns */
    char id[64];        /* of the JSON request being served */
};

/* Opens the session named by --monitor. */
int monitor_open(struct machine *m, const char *spec, struct error *e);
void monitor_attach_serial(
    struct machine *m); /* starts the serial logs; once, after machine_create */
void monitor_poll(struct machine *m);
bool monitor_waiting(
    struct machine *m); /* a session still has something to do with a powered-off machine */
void monitor_close(struct machine *m);

/* commands.c: runs one line; output into out. Returns 0, or -1 when the command failed (out says
 * why). May set mon->wait. */
int command_run(struct monitor *mon, const char *line, struct text *out);
/* The characters on the screen, one line a row; empty in graphics modes. view: display.h's, NULL or
 * "": what is shown. */
void screen_text(struct machine *m, const char *view, struct text *t);

#endif
