/* Character devices: queueing, receiver limits, files, sockets, pseudo-terminals, refusals. */
#include "machine/host/chardev.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/harness.h" /* UNIT_SUITE */

static char dir[64];
static char got[256];
static size_t got_len, room;

static size_t can_recv(void *opaque)
{
    (void)opaque;
    return room;
}

static void recv_bytes(void *opaque, const u8 *buf, size_t n)
{
    (void)opaque;
    ck_assert_uint_le(n, room);
    memcpy(got + got_len, buf, n);
    got_len += n;
    room -= n;
    got[got_len] = 0;
}

static void setup(void)
{
    strcpy(dir, "/tmp/chardev-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    got_len = 0;
    got[0] = 0;
    room = 100;
}

static void teardown(void)
{
    rmdir(dir);
}

static const char *in_dir(const char *prefix, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s%s/%s", prefix, dir, name);
    return path;
}

START_TEST(injected_input_waits_for_room)
{
    struct chardev *c = char_mem_open();
    chardev_set_receiver(c, can_recv, recv_bytes, NULL);
    chardev_inject(c, "abcdef", 6);
    room = 2;
    chardev_poll(c);
    ck_assert_str_eq(got, "ab");
    room = 100;
    chardev_poll(c);
    ck_assert_str_eq(got, "abcdef");
    chardev_close(c);
}
END_TEST

static void count_tap(void *opaque, const u8 *buf, size_t n)
{
    (void)buf;
    *(size_t *)opaque += n;
}

START_TEST(tap_sees_output)
{
    size_t seen = 0;
    struct chardev *c = char_null_open();
    chardev_set_tap(c, count_tap, &seen);
    chardev_write(c, "12345", 5);
    ck_assert_uint_eq(seen, 5);
    chardev_close(c);
}
END_TEST

START_TEST(file_gets_everything_at_close)
{
    struct error e = { "" };
    char buf[16] = "";
    struct chardev *c = chardev_open(in_dir("file:", "log"), false, &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    chardev_write(c, "no newline", 10);
    chardev_close(c);
    FILE *f = fopen(in_dir("", "log"), "r");
    ck_assert_uint_eq(fread(buf, 1, sizeof(buf), f), 10);
    ck_assert_str_eq(buf, "no newline");
    fclose(f);
    unlink(in_dir("", "log"));
}
END_TEST

START_TEST(full_disk_is_no_obstacle)
{
    struct error e = { "" };
    struct chardev *c = chardev_open("file:/dev/full", false, &e);
    for (int i = 0; i < 10000; i++)
        ck_assert_uint_eq(chardev_write(c, "0123456789abcde\n", 16), 16);
    chardev_close(c);
}
END_TEST

START_TEST(tcp_server_and_client)
{
    struct error e = { "" };
    char spec[64];
    struct chardev *s = NULL;
    for (int port = 42100; port < 42200 && !s; port++) {
        snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%d", port);
        s = chardev_open(spec, true, &e);
    }
    ck_assert_msg(s != NULL, "%s", e.text);
    chardev_write(s, "lost\n", 5); /* nobody there */
    struct chardev *c = chardev_open(spec, false, &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    chardev_set_receiver(c, can_recv, recv_bytes, NULL);
    chardev_poll(s);
    chardev_write(s, "hello\n", 6);
    usleep(20000);
    chardev_poll(c);
    ck_assert_str_eq(got, "hello\n");
    chardev_set_receiver(c, NULL, NULL, NULL);
    chardev_set_receiver(s, can_recv, recv_bytes, NULL);
    chardev_write(c, "back\n", 5);
    usleep(20000);
    chardev_poll(s);
    ck_assert_str_eq(got, "hello\nback\n");
    chardev_close(c);
    chardev_poll(s);
    c = chardev_open(spec, false, &e); /* the server listens again */
    ck_assert_msg(c != NULL, "%s", e.text);
    chardev_close(c);
    chardev_close(s);
}
END_TEST

START_TEST(stuck_reader_fills_the_queue)
{
    struct error e = { "" };
    char spec[160];
    snprintf(spec, sizeof(spec), "%s,server", in_dir("unix:", "s"));
    struct chardev *s = chardev_open(spec, false, &e);
    ck_assert_msg(s != NULL, "%s", e.text);
    struct chardev *c = chardev_open(in_dir("unix:", "s"), false, &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    size_t total = 0;
    for (int i = 0; i < 100000 && chardev_can_write(s); i++)
        total += chardev_write(s, "0123456789abcde\n", 16);
    ck_assert(!chardev_can_write(s));
    ck_assert_uint_ge(total, CHARDEV_QUEUE);
    chardev_close(c);
    chardev_close(s);
    ck_assert_int_ne(access(in_dir("", "s"), F_OK), 0);
}
END_TEST

START_TEST(stale_local_socket_is_replaced_live_one_is_not)
{
    struct error e = { "" };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    strcpy(un.sun_path, in_dir("", "s"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    close(fd);
    struct chardev *s = chardev_open(in_dir("unix:", "s"), true, &e);
    ck_assert_msg(s != NULL, "%s", e.text);
    ck_assert_ptr_null(chardev_open(in_dir("unix:", "s"), true, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "in use"));
    chardev_close(s);
}
END_TEST

START_TEST(pty_talks_both_ways)
{
    struct error e = { "" };
    char buf[8] = "";
    struct chardev *c = chardev_open("pty", false, &e);
    if (!c && access("/dev/pts/ptmx", F_OK)) { /* a container without pseudo-terminals */
        printf("pty_talks_both_ways skipped: %s\n", e.text);
        return;
    }
    ck_assert_msg(c != NULL, "%s", e.text);
    chardev_write(c, "lost\n", 5);
    const char *path = strchr(chardev_label(c), '/');
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    chardev_set_receiver(c, can_recv, recv_bytes, NULL);
    chardev_write(c, "hi\n", 3);
    chardev_poll(c);
    usleep(10000);
    ck_assert_int_eq(read(fd, buf, sizeof(buf)), 3);
    ck_assert_str_eq(buf, "hi\n");
    ck_assert_int_eq(write(fd, "yo\r", 3), 3);
    usleep(10000);
    chardev_poll(c);
    ck_assert_str_eq(got, "yo\r");
    close(fd);
    chardev_close(c);
}
END_TEST

START_TEST(refusals_name_what_is_wrong)
{
    static const struct { const char *spec, *says;
    } bad[] = {
        { "serial", "stdio" },
        { "file:", "path" },
        { "file:/nonexistent/x", "/nonexistent/x" },
        { "tcp:4444", "host" },
        { "tcp:localhost:", "port" },
        { "tcp:127.0.0.1:1,telnet", "telnet" },
        { "unix:", "path" },
        { "unix:/nonexistent/s", "No such file" },
        { "tcp:127.0.0.1:99999", "99999" },
    };
    for (size_t i = 0; i < LEN(bad); i++) {
        struct error e = { "" };
        ck_assert_ptr_null(chardev_open(bad[i].spec, false, &e));
        ck_assert_msg(strstr(e.text, bad[i].says) != NULL, "%s: %s", bad[i].spec, e.text);
    }
}
END_TEST

UNIT_SUITE(chardev, injected_input_waits_for_room, tap_sees_output, file_gets_everything_at_close,
           full_disk_is_no_obstacle, tcp_server_and_client, stuck_reader_fills_the_queue,
           stale_local_socket_is_replaced_live_one_is_not, pty_talks_both_ways,
           refusals_name_what_is_wrong)
