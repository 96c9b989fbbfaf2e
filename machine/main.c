/* aeropc: reads the command line, builds the machine, runs it. With a window the machine has a
 * thread of its own and this one belongs to SDL; headless the machine runs right here. The only
 * file that prints errors and decides the exit status: 0 when the guest powered off or the user
 * quit, what the guest wrote to the test-exit port, 1 for everything a user must mend, 2 for a
 * triple fault with --no-reboot. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/board/board.h"
#include "machine/debug/gpu_replay.h"
#include "machine/debug/monitor.h"
#include "machine/host/block.h"   /* block_commit */
#include "machine/host/chardev.h" /* chardev_set_escape */
#include "machine/machine.h"
#include "machine/ui/ui.h"

/* A signal handler has no argument: the one machine of this process. */
static struct machine *the_machine;

static int usage_error(const struct error *e)
{
    fprintf(stderr, "aeropc: %s\n", e->text);
    return 1;
}

/* roms/ beside the folder of the executable, or further up (build/asan/aeropc). */
static void default_rom_dir(struct config *c)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (c->rom_dir || n <= 0) return;
    exe[n] = 0;
    for (unsigned up = 0; up < 4; up++) {
        char *dir = dirname(exe), *bios = xasprintf("%s/roms/bios.bin", dir);
        bool hit = access(bios, R_OK) == 0;
        free(bios);
        if (hit) {
            c->rom_dir = xasprintf("%s/roms", dir);
            return;
        }
        memmove(exe, dir, strlen(dir) + 1);
    }
    c->rom_dir = xstrdup("roms");
}

/* With no image at all: the demo. */
static int default_image(struct config *c, struct error *e)
{
    if (c->disks.n || c->cdroms.n || c->floppies.n || c->bios || c->boot || c->kernel) return 0;
    char *demo = xasprintf("%s/demo.img", c->rom_dir);
    int ret = access(demo, R_OK)
                  ? error_set(e, "no image given, and the demo %s is not built: run make", demo)
                  : config_set(c, "disk", demo, e);
    if (!ret) c->throwaway = true;
    free(demo);
    return ret;
}

static int setup_logs(const struct config *c, struct error *e)
{
    if (c->log && log_configure(c->log))
        return error_set(e, "--log %s: levels are error, warn, info and debug", c->log);
    /* Rare events that tell how a guest died are always in the ring, unless --trace says what shall
     * be there. */
    if (!c->trace) trace_configure("cpu_exception,cpu_reset");
    if (c->trace && trace_configure(c->trace))
        return error_set(e, "--trace %s: some pattern matches no event", c->trace);
    if (c->trace_file) {
        FILE *f = fopen(c->trace_file, "w");
        if (!f) return error_set(e, "--trace-file %s: %s", c->trace_file, strerror(errno));
        trace_set_output(f);
    }
    unsigned stdio = c->monitor && !strcmp(c->monitor, "stdio");
    for (unsigned k = 0; k < c->serials.n; k++) stdio += !strcmp(c->serials.s[k], "stdio");
    if (stdio > 1)
        return error_set(e, "only one of --serial and --monitor can have stdio: give the other a "
                            "file, pty or socket");
    return 0;
}

/* --- from the window to the machine thread --- */

static void do_key(void *machine, u64 usage, u64 down)
{
    input_key(&((struct machine *)machine)->input, (unsigned)usage, down);
}

static void do_pointer(void *machine, u64 xy, u64 wheel)
{
    input_rel(&((struct machine *)machine)->input, (i32)(xy >> 32), (i32)xy, (i32)wheel);
}

static void do_buttons(void *machine, u64 mask, u64 unused)
{
    (void)unused;
    input_buttons(&((struct machine *)machine)->input, (unsigned)mask);
}

static void do_release(void *machine, u64 a, u64 b)
{
    (void)a, (void)b;
    input_release_all(&((struct machine *)machine)->input);
}

static void do_toggle(void *machine, u64 a, u64 b)
{
    (void)a, (void)b;
    display_toggle(((struct machine *)machine)->display);
}

static void do_power(void *machine, u64 a, u64 b)
{
    (void)a, (void)b;
    board_power_button(machine);
}

static void do_reset(void *machine, u64 a, u64 b)
{
    (void)a, (void)b;
    machine_request(machine, REQ_RESET, RESET_COLD, "window");
}

static void do_quit(void *machine, u64 a, u64 b)
{
    (void)b;
    machine_quit(machine, (int)a);
}

static void post_key(void *m, unsigned usage, bool down)
{
    machine_post(m, do_key, usage, down);
}

static void post_pointer(void *m, int dx, int dy, int wheel)
{
    machine_post(m, do_pointer, (u64)(u32)dx << 32 | (u32)dy, (u64)(i64)wheel);
}

static void post_buttons(void *m, unsigned mask)
{
    machine_post(m, do_buttons, mask, 0);
}

static void post_release(void *m)
{
    machine_post(m, do_release, 0, 0);
}

static void post_toggle(void *m)
{
    machine_post(m, do_toggle, 0, 0);
}

static void post_power(void *m)
{
    machine_post(m, do_power, 0, 0);
}

static void post_reset(void *m)
{
    machine_post(m, do_reset, 0, 0);
}

static void post_quit(void *m)
{
    machine_post(m, do_quit, 0, 0);
}

static bool is_running(void *m)
{
    return !__atomic_load_n(&((struct machine *)m)->ended, __ATOMIC_ACQUIRE);
}

static void *machine_thread(void *opaque)
{
    struct machine *m = opaque;
    machine_run(m);
    __atomic_store_n(&m->ended, true, __ATOMIC_RELEASE);
    return NULL;
}

static void on_signal(int sig)
{
    (void)sig;
    struct machine *m = the_machine;
    if (!m || m->quit) _exit(1);
    machine_quit(m, 1);
}

static void on_escape(void *opaque, int key)
{
    if (key == 'x') machine_quit(opaque, 0);
}

/* Where a pseudo-terminal is, nobody can guess. */
static void announce_ptys(struct machine *m)
{
    for (unsigned k = 0; k < 2; k++) {
        const char *label = board_serial(m, k) ? chardev_label(board_serial(m, k)) : "";
        if (!strncmp(label, "pty ", 4)) fprintf(stderr, "aeropc: COM%u is %s\n", k + 1, label + 4);
    }
}

static const char *image_name(const struct config *c, char *buf, size_t len)
{
    const char *spec = c->disks.n      ? c->disks.s[0]
                       : c->cdroms.n   ? c->cdroms.s[0]
                       : c->floppies.n ? c->floppies.s[0]
                                       : "no image";
    spec_path(spec, buf, len); /* without ,if= */
    const char *slash = strrchr(buf, '/');
    return slash ? slash + 1 : buf;
}

static int run_window(struct machine *m, struct error *e)
{
    char name[256];
    struct ui_host h = {
        m->display,         m,
        post_key,           post_pointer,
        post_buttons,       post_release,
        post_toggle,        post_power,
        post_reset,         post_quit,
        is_running,         m->cfg->scale,
        m->cfg->fullscreen, image_name(m->cfg, name, sizeof(name)),
    };
    pthread_t thread;
    m->window = true;
    if (pthread_create(&thread, NULL, machine_thread, m))
        return error_set(e, "the host refuses another thread");
    int ret = ui_sdl_run(&h, e);
    if (ret) post_quit(m);
    pthread_join(thread, NULL);
    return ret;
}

static int commit_overlay(const char *path, struct error *e)
{
    u64 bytes;
    if (block_commit(path, &bytes, e)) return -1;
    printf("%s: %llu KiB written, the overlay is gone\n", path, (unsigned long long)bytes / 1024);
    return 0;
}

static int run_machine(struct config *c, struct error *e)
{
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of the write, as a full disk is */
    struct machine *m = machine_create(c, e);
    if (!m) return -1;
    the_machine = m;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    monitor_attach_serial(m);
    m->poll = monitor_poll;
    m->keep_alive = monitor_waiting;
    for (unsigned k = 0; k < 2; k++) chardev_set_escape(board_serial(m, k), on_escape, m);
    announce_ptys(m);
    int ret = c->monitor ? monitor_open(m, c->monitor, e) : 0;
    if (!ret && !strcmp(c->display, "none"))
        machine_run(m);
    else if (!ret)
        ret = run_window(m, e);
    if (!ret && m->clock.mode == CLOCK_INSN)
        LOG(LOG_INFO, "machine", "trace hash %016llx", (unsigned long long)m->trace_hash);
    int status = ret ? -1 : m->exit_status;
    the_machine = NULL;
    monitor_close(m);
    machine_destroy(m);
    return status;
}

int main(int argc, char **argv)
{
    struct config c;
    struct error e;
    struct text out;
    if (argc > 1 && !strcmp(argv[1], "gpu-replay"))
        return gpu_replay(argc - 1, argv + 1, stdout, &e) ? usage_error(&e) : 0;
    text_init(&out);
    config_init(&c);
    int ret = config_parse(&c, argc, argv, &out, &e);
    if (out.s) fputs(out.s, stdout);
    text_free(&out);
    if (!ret && c.commit) {
        ret = commit_overlay(c.commit, &e);
    } else if (!ret) {
        default_rom_dir(&c);
        ret = default_image(&c, &e) || setup_logs(&c, &e) ? -1 : run_machine(&c, &e);
    } else if (ret == 1) {
        ret = 0;
    }
    if (ret < 0) ret = usage_error(&e);
    config_free(&c);
    return ret;
}
