/* The monitor: the command line it reads, answers as text and JSON, waits in virtual time, and the
 * machine a command sees. */
#include <sys/socket.h>
#include <sys/un.h>

#include "gpu/aerogpu_abi.h"
#include "machine/debug/monitor.h"
#include "machine/host/chardev.h"
#include "tests/unit/machine_rig.h"

static struct rig r;
static struct monitor mon;
static struct text out;
/* inc ax; jmp: two instructions for ever */
static const u8 loop[] = { 0x40, 0xeb, 0xfd };

static void setup(void)
{
    memset(&mon, 0, sizeof(mon));
    text_init(&out);
    rig_open(&r, loop, sizeof(loop), "clock", "insn", NULL);
    monitor_attach_serial(r.m);
    mon.m = r.m;
    mon.serial = r.m->serial;
}

static void teardown(void)
{
    text_free(&out);
    monitor_close(r.m);
    rig_close(&r);
}

static int run(const char *line)
{
    text_clear(&out);
    return command_run(&mon, line, &out);
}

static bool said(const char *what)
{
    return out.s && strstr(out.s, what);
}

START_TEST(unknown_commands_offer_the_nearest)
{
    ck_assert_int_eq(run("statsu"), -1);
    ck_assert(said("did you mean 'status'"));
    ck_assert_int_eq(run("xyzzyplugh"), -1);
    ck_assert(said("'help'"));
    ck_assert_int_eq(run("info nonsense"), -1);
    ck_assert_int_eq(run("mem"), -1);
    ck_assert(said("usage: mem"));
    ck_assert_int_eq(run("type \"open"), -1);
    ck_assert(said("quote"));
    ck_assert_int_eq(run(""), 0);
    ck_assert_int_eq(run("   # only a comment"), 0);
}
END_TEST

START_TEST(every_command_is_in_the_help_and_survives_odd_arguments)
{
    static const char *const lines[] = {
        "mem 0xffffffffffffffff 99999999",
        "pmem 0xffffffffffffffff 4096",
        "disas 0xfffffffffffffff0 1000",
        "walk 0xffffffffffffffff",
        "break 0xffff8000",
        "break 0xffff8000 off",
        "break 1 off",
        "step 5",
        "mem rip",
        "mem nosuchregister",
        "sendkey nosuchkey",
        "sendkey ctrl-alt-delete",
        "mouse 1",
        "mouse 1 2 3 4",
        "trace nosuch",
        "log loud",
        "screen",
        "toggle",
        "nmi",
        "cd /nosuch.iso",
        "wait",
        "wait serial",
        "wait nonsense x",
        "wait time x",
        "wait insns x",
        "screenshot /nosuch/x.png",
        "type \"\\n\\t\\\\\\\"\"",
        "a b c d e f g h i j k l m n",
    };
    ck_assert_int_eq(run("status"), 0);
    ck_assert(said("display: VGA")); /* although no window asked for a picture */
    ck_assert_int_eq(run("help"), 0);
    ck_assert(said("screenshot") && said("powerbutton"));
    for (unsigned k = 0; k < LEN(lines); k++) run(lines[k]);
    static const char *const infos[] = { "devices", "registers", "status",     "apic",
                                         "memory",  "ports",     "unassigned", "trace",
                                         "stats",   "hash",      "config" };
    for (unsigned k = 0; k < LEN(infos); k++) {
        char line[64];
        snprintf(line, sizeof(line), "info %s", infos[k]);
        ck_assert_msg(run(line) == 0, "%s", line);
    }
}
END_TEST

START_TEST(memory_is_shown_without_disturbing_devices)
{
    bus_write(&r.m->mem, 0x1000, 0x64636261, 4);
    ck_assert_int_eq(run("pmem 0x1000 16"), 0);
    ck_assert(said("61 62 63 64") && said("abcd"));
    ck_assert_int_eq(run("pmem 0xfec00000 4"), 0);
    ck_assert(said("ff ff ff ff"));
    ck_assert_int_eq(run("disas 0xffffe00 1"), 0);
}
END_TEST

START_TEST(stepping_executes_exactly_that_many)
{
    ck_assert_int_eq(run("step"), -1);
    ck_assert(said("pause first"));
    ck_assert_int_eq(run("pause"), 0);
    ck_assert_int_eq(run("step 3"), 0); /* jmp, inc, jmp */
    bool ok;
    ck_assert_uint_eq(cpu_icount(r.m->cpu), 3);
    ck_assert_uint_eq(cpu_get_reg(r.m->cpu, "rax", &ok), 1);
    ck_assert_int_eq(run("cont"), 0);
    ck_assert_int_eq(r.m->state, MACHINE_RUNNING);
}
END_TEST

START_TEST(power_and_reset_are_requests)
{
    ck_assert_int_eq(run("reset"), 0);
    ck_assert(r.m->want_reset);
    ck_assert_int_eq(run("powerbutton"), 0);
    ck_assert(r.m->want_poweroff); /* a guest without ACPI is switched off */
    ck_assert_int_eq(run("quit 3"), 0);
    ck_assert(r.m->quit && r.m->exit_status == 3);
}
END_TEST

/* The driver's picture: one colour over 32 x 16 pixels at 1 MiB; with --profile dual beside the
 * VGA. */
static void scanout0(u32 colour)
{
    static const u32 regs[][2] = { { AGPU_R_SCAN_WIDTH, 32 },  { AGPU_R_SCAN_HEIGHT, 16 },
                                   { AGPU_R_SCAN_FORMAT, 2 },  { AGPU_R_SCAN_PITCH, 128 },
                                   { AGPU_R_SCAN_GPA_LO, MIB }, { AGPU_R_SCAN_GPA_HI, 0 },
                                   { AGPU_R_SCAN_ENABLE, 1 } };
    rig_pci_write(r.m, 7, 0, 0x10, 0xe0000000);
    rig_pci_write(r.m, 7, 0, 0x04, 6);
    for (u32 k = 0; k < 32 * 16; k++) bus_write(&r.m->mem, MIB + 4 * k, colour, 4);
    for (unsigned k = 0; k < LEN(regs); k++)
        bus_write(&r.m->mem, 0xe0000000 + regs[k][0], regs[k][1], 4);
}

START_TEST(screenshots_and_waits_can_be_told_the_view)
{
    char line[200], sum[17], *png = rig_path(&r, "disk.img");
    ck_assert_int_eq(run("view"), 0);
    ck_assert(said("auto of auto, vga, scanout0"));
    scanout0(0x123456);
    run("status");
    ck_assert(said("display: AeroGPU 32x16, 32x16"));
    snprintf(line, sizeof(line), "screenshot %s vga", png);
    ck_assert_int_eq(run(line), 0);
    ck_assert(!said("32x16"));
    run("status");
    ck_assert(said("display: AeroGPU 32x16, 32x16")); /* a look changes nothing */
    snprintf(line, sizeof(line), "screenshot %s scanout0", png);
    ck_assert_int_eq(run(line), 0);
    ck_assert(said("32x16, picture "));
    memcpy(sum, strstr(out.s, "picture ") + 8, 16);
    sum[16] = 0;
    ck_assert_int_eq(run("view vga"), 0);
    run("status");
    ck_assert(said("[view vga]"));
    snprintf(line, sizeof(line), "screenshot %s nosuch", png);
    ck_assert_int_eq(run(line), -1);
    ck_assert(said("'nosuch' is no view: auto, vga, scanout0"));
    ck_assert_int_eq(run("view nosuch"), -1);
    ck_assert_int_eq(run("wait screen x 1 nosuch"), -1);
    ck_assert_int_eq(run("wait picture nonsense"), -1);
    ck_assert_int_eq(run("toggle"), 0);
    run("status");
    ck_assert(said("display: AeroGPU 32x16, "));
    run("view vga");
    mon.c = chardev_open("null", true, NULL);
    snprintf(line, sizeof(line), "wait picture %s 60 scanout0", sum);
    ck_assert_int_eq(run(line), 0);
    ck_assert_int_eq(mon.wait, WAIT_PICTURE);
    r.m->monitors = &mon;
    scanout0(0x123457);
    monitor_poll(r.m);
    ck_assert_int_eq(mon.wait, WAIT_PICTURE);
    scanout0(0x123456);
    mon.next_look = 0;
    monitor_poll(r.m);
    ck_assert_int_eq(mon.wait, WAIT_NONE);
    ck_assert_int_eq(run("wait source \"AeroGPU\" 60"), 0);
    monitor_poll(r.m);
    ck_assert_int_eq(mon.wait, WAIT_SOURCE);
    run("view auto");
    mon.next_look = 0;
    monitor_poll(r.m);
    ck_assert_int_eq(mon.wait, WAIT_NONE);
    r.m->monitors = NULL;
    chardev_close(mon.c);
    free(png);
}
END_TEST

/* --- sessions over a socket --- */

static int connect_to(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static int open_session(void)
{
    char *path = rig_path(&r, "sock"), *spec = xasprintf("unix:%s", path);
    ck_assert_msg(monitor_open(r.m, spec, &r.e) == 0, "%s", r.e.text);
    int fd = connect_to(path);
    free(spec);
    free(path);
    r.m->poll = monitor_poll;
    return fd;
}

static void send_text(int fd, const char *s)
{
    ck_assert_int_eq(write(fd, s, strlen(s)), (ssize_t)strlen(s));
}

static const char *answer(int fd)
{
    static char s[65536];
    for (unsigned k = 0; k < 10; k++) monitor_poll(r.m);
    ssize_t n = read(fd, s, sizeof(s) - 1);
    s[n > 0 ? n : 0] = 0;
    return s;
}

START_TEST(json_answers_carry_the_id)
{
    int fd = open_session();
    send_text(fd, "{\"id\": \"x7\", \"command\": \"info hash\"}\n");
    const char *s = answer(fd);
    ck_assert_msg(!strncmp(s, "{\"ok\": true, \"id\": \"x7\", \"text\": \"trace hash: ", 44), "%s",
                  s);
    send_text(fd, "{\"command\": \"nonsense\"}\n{\"nothing\": 1}\n{\n");
    s = answer(fd);
    ck_assert_ptr_eq(strstr(s, "{\"ok\": false"), s);
    ck_assert_ptr_nonnull(strstr(s, "expected {"));
    close(fd);
}
END_TEST

START_TEST(text_and_json_in_one_session_in_order)
{
    int fd = open_session();
    for (unsigned k = 0; k < 100; k++) send_text(fd, "info hash\n");
    send_text(fd, "{\"id\": \"last\", \"command\": \"info hash\"}\n");
    const char *s = answer(fd);
    unsigned lines = 0;
    for (const char *p = s; (p = strchr(p, '\n')); p++) lines++;
    ck_assert_uint_eq(lines, 101);
    ck_assert_ptr_nonnull(strstr(s, "\"last\""));
    close(fd);
}
END_TEST

START_TEST(overlong_lines_are_dropped_whole)
{
    int fd = open_session();
    char big[3001];
    memset(big, 'x', 3000);
    big[3000] = 0;
    send_text(fd, big);
    answer(fd);
    send_text(fd, big);
    send_text(fd, "\ninfo hash\n");
    const char *s = answer(fd);
    ck_assert_msg(!strncmp(s, "trace hash", 10), "%s", s);
    close(fd);
}
END_TEST

START_TEST(waiting_for_instructions_and_time_is_exact)
{
    int fd = open_session();
    send_text(fd, "wait insns 1234567\nstatus\nwait time 0.02\nstatus\nquit 9\n");
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, 9);
    const char *s = answer(fd);
    ck_assert_ptr_nonnull(strstr(s, " 1234567 instructions"));
    ck_assert_ptr_nonnull(strstr(s, "virtual time 0.020000 s, 4000000 instructions"));
    close(fd);
}
END_TEST

START_TEST(serial_text_is_found_once_each)
{
    int fd = open_session();
    static const u8 init[][2] = {
        { 3, 0x83 }, { 0, 1 }, { 1, 0 }, { 3, 3 }
    }; /* 115200 bits a second */
    for (unsigned k = 0; k < LEN(init); k++)
        bus_write(&r.m->io, 0x3f8u + init[k][0], init[k][1], 1);
    for (const char *p = "one login: two"; *p; p++) {
        bus_write(&r.m->io, 0x3f8, (u8)*p, 1);
        for (u64 end = clock_now(&r.m->clock) + 2000000; clock_now(&r.m->clock) < end;
             clock_run_due(&r.m->clock, 16))
            cpu_run(r.m->cpu, 1000);
    }
    send_text(fd, "wait serial \"login:\" 5\ninfo hash\n");
    ck_assert_ptr_nonnull(strstr(answer(fd), "trace hash"));
    send_text(fd, "wait serial \"login:\" 0\ninfo hash\n");
    ck_assert_ptr_nonnull(strstr(answer(fd), "timed out"));
    close(fd);
}
END_TEST

START_TEST(a_session_may_leave_and_another_come)
{
    int fd = open_session();
    char *path = rig_path(&r, "sock");
    close(fd);
    answer(-1);
    fd = connect_to(path);
    send_text(fd, "info hash\n");
    ck_assert_ptr_nonnull(strstr(answer(fd), "trace hash"));
    close(fd);
    free(path);
}
END_TEST

START_TEST(host_errors_pause_until_the_monitor_says_so)
{
    freopen("/dev/null", "w", stderr);
    machine_request(r.m, REQ_STOP, 0, "disk full");
    int fd = open_session();
    send_text(fd, "wait 0.05\nstatus\nquit\n");
    machine_run(r.m);
    ck_assert_ptr_nonnull(strstr(answer(fd), "paused"));
    ck_assert_uint_eq(r.m->retry_ns, 0); /* somebody at a monitor decides */
    close(fd);
}
END_TEST

RIG_SUITE(monitor, unknown_commands_offer_the_nearest,
          every_command_is_in_the_help_and_survives_odd_arguments,
          memory_is_shown_without_disturbing_devices, stepping_executes_exactly_that_many,
          power_and_reset_are_requests, screenshots_and_waits_can_be_told_the_view, json_answers_carry_the_id,
          text_and_json_in_one_session_in_order, overlong_lines_are_dropped_whole,
          waiting_for_instructions_and_time_is_exact, serial_text_is_found_once_each,
          a_session_may_leave_and_another_come, host_errors_pause_until_the_monitor_says_so)
