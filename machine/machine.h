/* One PC: guest RAM, two buses, the clock, the CPU and the devices the board made; and the thread
 * that runs it all. Everything guest-visible happens on the machine thread (machine_run). Other
 * threads use machine_post(). */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "cpu/cpu.h"
#include "machine/core/device.h"
#include "machine/core/error.h"
#include "machine/core/mailbox.h"
#include "machine/options.h"
#include "machine/ui/display.h"
#include "machine/ui/input.h"

struct board;
struct chardev;
struct monitor;
struct serial_log;

/* Exit status after a triple fault with --no-reboot; even, so that no value of the test-exit port
 * gives it. */
enum { STATUS_TRIPLE_FAULT = 2 };
enum machine_state { MACHINE_RUNNING, MACHINE_PAUSED, MACHINE_OFF };

struct machine {
    struct config *cfg;
    struct host_if host;
    struct bus mem, io;
    struct clock clock;
    u8 *ram; /* guest RAM, one mapping; the part above the PCI hole follows the part below */
    u64 ram_size, low_size; /* bytes; low_size lies below 4 GiB from address 0 */
    struct guest_ram guest_ram;
    struct region ram_low, ram_high;
    struct cpu *cpu;
    struct board *board;
    struct display *display;
    struct input_router input;
    struct input_typist typist;
    struct mailbox mailbox;
    struct monitor *monitors;  /* debug/monitor.h; polled by the run loop */
    struct serial_log *serial; /* what COM1 and COM2 said; debug/monitor.h */
    void (*poll)(
        struct machine *m); /* monitors' and character backends' work; set by the debug layer */
    bool (*keep_alive)(
        struct machine *m); /* a monitor still wants to look at a powered-off machine */
    bool a20, ferr_ignne;

    enum machine_state state;
    bool poll_now;     /* call poll before the next slice */
    u64 wake_insns;    /* instruction count at which to call poll; 0: none */
    _Atomic bool quit; /* also set by signal handlers, on whatever thread they run */
    bool ended;        /* the machine thread has returned (atomic) */
    _Atomic int exit_status;
    bool want_reset, want_poweroff, want_stop, want_triple;
    enum reset_kind reset_kind;
    char why[400];      /* of the last request */
    char stop_why[400]; /* of the last REQ_STOP */
    u64 stop_ns,
        retry_ns;   /* host time of it; host time to go on by itself, 0: somebody must say so */
    u64 trace_hash; /* --clock insn: over the CPU's state at every HASH_STEP instructions */
    u64 hash_at;
    u64 resets, triple_faults;
    u64 next_refresh_ns; /* host time of the next display refresh */
    bool window;         /* somebody looks: refresh the display at 60 Hz */
};

/* cfg outlives the machine. On failure everything made so far is released. */
struct machine *machine_create(struct config *cfg, struct error *e);
void machine_destroy(struct machine *m);
void machine_run(struct machine *m); /* until quit; returns with exit_status set */
void machine_pause(struct machine *m);
void machine_resume(struct machine *m);
void machine_request(void *machine, enum machine_request what, int arg, const char *why);
void machine_quit(struct machine *m, int status);
/* Any thread. */
void machine_post(struct machine *m, void (*run)(void *machine, u64 a, u64 b), u64 a, u64 b);

#endif
