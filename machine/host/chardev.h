/* Byte streams between the guest and the host: serial ports, debug console, monitor.
 *
 * chardev_open() makes one from text:
 *   null                        swallows output, gives no input ("none" too)
 *   stdio                       the terminal, raw while open; Ctrl-A is the escape key (see
 * chardev_set_escape) file:PATH                   output only, the file is replaced pty a new
 * pseudo-terminal; chardev_label() names it tcp:HOST:PORT[,server]      connects, or with ",server"
 * listens; one peer at a time unix:PATH[,server]          the same over a local socket
 *
 * Everything happens on the caller's thread: the run loop calls chardev_poll() now and then, which
 * sends what waits, accepts peers and hands input to the receiver, never more than it can take.
 * Output goes into a queue of 64 KiB; with nobody at the other end it is dropped, with a slow
 * reader chardev_write() accepts less. */
#ifndef HOST_CHARDEV_H
#define HOST_CHARDEV_H

#include "machine/core/error.h"
#include "machine/core/types.h"

enum { CHARDEV_QUEUE = 65536 };

struct chardev;
struct chardev_ops {
    /* Both never block. write: bytes taken, all of them when there is no peer. read: bytes got. */
    size_t (*write)(struct chardev *c, const u8 *buf, size_t n);
    size_t (*read)(struct chardev *c, u8 *buf, size_t n);
    void (*close)(struct chardev *c); /* frees what the backend owns, not the struct */
};

/* A backend's struct starts with this. */
struct chardev {
    const struct chardev_ops *ops;
    char *label; /* owned; what to tell the user, e.g. "pty /dev/pts/3" */
    size_t (*can_recv)(void *opaque);
    void (*recv)(void *opaque, const u8 *buf, size_t n);
    void *opaque;
    void (*tap)(void *opaque, const u8 *buf, size_t n);
    void *tap_opaque;
    void (*escape)(void *opaque, int key);
    void *escape_opaque;
    u8 *out; /* ring of CHARDEV_QUEUE bytes */
    size_t out_head, out_len;
    u8 *in; /* injected input not yet received */
    size_t in_len;
};

/* server: sockets listen even without ",server" (the monitor). NULL with a message on failure. */
struct chardev *chardev_open(const char *spec, bool server, struct error *e);
/* Sends what can be sent without waiting, then closes. c may be NULL. */
void chardev_close(struct chardev *c);
const char *chardev_label(const struct chardev *c);

/* Who receives input. can_recv says how many bytes recv would take now. */
void chardev_set_receiver(struct chardev *c, size_t (*can_recv)(void *),
                          void (*recv)(void *, const u8 *, size_t), void *opaque);
/* Sees a copy of every byte written (the monitor's `wait serial`). */
void chardev_set_tap(struct chardev *c, void (*tap)(void *, const u8 *, size_t), void *opaque);
/* stdio on a terminal: called with the key after Ctrl-A ('x' = quit, 'c' = monitor, others as
 * typed). Ctrl-A twice, or Ctrl-A a, sends one Ctrl-A and is not reported. */
void chardev_set_escape(struct chardev *c, void (*escape)(void *, int key), void *opaque);

size_t chardev_write(struct chardev *c, const void *buf, size_t n);
bool chardev_can_write(const struct chardev *c);
void chardev_poll(struct chardev *c);
/* Input as if it had arrived from outside; waits in memory until the receiver takes it. */
void chardev_inject(struct chardev *c, const void *buf, size_t n);

/* Backends' constructors, for chardev_open and tests. rest: what follows the colon. */
struct chardev *char_stdio_open(struct error *e);
struct chardev *char_file_open(const char *path, struct error *e);
struct chardev *char_tcp_open(const char *rest, bool server, struct error *e);
struct chardev *char_unix_open(const char *rest, bool server, struct error *e);
struct chardev *char_pty_open(struct error *e);
struct chardev *char_null_open(void);

/* Keeps its output in memory; input by chardev_inject. */
struct chardev *char_mem_open(void);
const char *char_mem_output(const struct chardev *c); /* NUL-terminated; also see char_mem_len */
size_t char_mem_len(const struct chardev *c);

/* For backends: fills in the common part of a zeroed struct. label is taken over. */
void chardev_init(struct chardev *c, const struct chardev_ops *ops, char *label);

#endif
