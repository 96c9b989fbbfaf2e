/* Another process executes: the bridge against a client made of a bare socket, whose every word the test chooses, and against the reference
 * client (tests/gpu/client.c) as a process of its own. Statements 086 to 088, 098 and 104 of AeroGPU's contract, and that no client,
 * whatever it does, stops the guest or hurts the machine. */
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "gpu/bridge/protocol.h"
#include "machine/core/mailbox.h"
#include "tests/unit/gpu_scene.h"

#define DONE(t) R64(&(t)->g, AGPU_R_COMPLETED_LO)
#define ERRORS(t) R(&(t)->g, AGPU_R_ERROR_COUNT)
#define CODE(t) R(&(t)->g, AGPU_R_ERROR_CODE)
#define PATIENCE_MS 10000 /* of the test with host things */
#define TIMEOUT_NS 1500000000ull

struct bed {
    struct gpu g;
    struct guest_ram shared;
    char dir[64], path[96];
    int fd; /* the bare client, -1: none */
    u64 next; /* ticket */
    u8 *map;  /* the client's view of memory */
};

/* Puts file memory in the place of the rig's. */
static void share_ram(struct bed *t)
{
    struct rig *r = &t->g.r;
    bus_unmap(&r->ram_region);
    region_fini(&r->ram_region);
    free(r->ram);
    int fd = memfd_create("rig", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(fd, RIG_RAM), 0);
    r->ram = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(r->ram, MAP_FAILED);
    region_init_ram(&r->ram_region, "ram", RIG_RAM, r->ram);
    ck_assert_int_eq(bus_map(&r->mem, 0, &r->ram_region, 0, NULL), 0);
    t->shared = (struct guest_ram){ fd, RIG_RAM, RIG_RAM };
}

static struct device *make_gpu(struct bed *t)
{
    struct gpu *g = &t->g;
    struct device *d = rig_create(&g->r, &aerogpu_class, "aerogpu");
    device_set_ptr(d, "pci", g->r.pci);
    device_set_ptr(d, "display", g->display);
    ck_assert_int_eq(device_set_option(d, "exec", "bridge", NULL), 0);
    ck_assert_int_eq(device_set_option(d, "socket", t->path, NULL), 0);
    return d;
}

static void up(struct bed *t)
{
    struct gpu *g = &t->g;
    memset(t, 0, sizeof(*t));
    t->fd = -1;
    strcpy(t->dir, "/tmp/aeropc-bridge-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t->dir));
    snprintf(t->path, sizeof(t->path), "%s/gpu", t->dir);
    rig_up(&g->r, true, true);
    share_ram(t);
    mailbox_init(&t->g.mail);
    g->r.host.mailbox = &t->g.mail;
    g->r.host.guest_ram = &t->shared;
    g->display = display_create();
    display_add_source(g->display, &boot_display);
    struct device *d = make_gpu(t);
    rig_start(d);
    g->pci = (struct pci_dev *)d;
    pci_config_write(g->pci, PCI_BAR0, BAR0, 4);
    pci_config_write(g->pci, PCI_BAR0 + 4, BAR1, 4);
    gpu_command(g, PCI_CMD_MEM | PCI_CMD_MASTER);
    g->stream_at = STREAM;
    driver_start(g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
}

static void down(struct bed *t)
{
    u8 *mem = t->g.r.ram;
    if (t->fd >= 0) close(t->fd);
    if (t->map) munmap(t->map, RIG_RAM);
    t->g.r.ram = NULL;
    gpu_down(&t->g);
    munmap(mem, RIG_RAM);
    close(t->shared.fd);
    struct stat st;
    ck_assert_int_eq(stat(t->path, &st), -1); /* the socket is gone with the device */
    rmdir(t->dir);
}

/* Runs the machine thread's mail until some came. */
static void mail(struct bed *t)
{
    for (int k = 0; k < PATIENCE_MS; k++) {
        if (mailbox_drain(&t->g.mail)) return;
        mailbox_wait(&t->g.mail, 1000000);
    }
    ck_abort_msg("nothing came from the client");
}

static void wait_done(struct bed *t, u64 fence)
{
    for (int k = 0; k < PATIENCE_MS && DONE(t) < fence; k++) {
        mailbox_drain(&t->g.mail);
        mailbox_wait(&t->g.mail, 1000000);
    }
    ck_assert_uint_eq(DONE(t), fence);
}

/* --- the bare client --- */

static void get(struct bed *t, void *p, size_t n)
{
    ck_assert_int_eq(recv(t->fd, p, n, MSG_WAITALL), (ssize_t)n);
}

static void tell(struct bed *t, const void *p, size_t n)
{
    ck_assert_int_eq(send(t->fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static int open_socket(struct bed *t)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strcpy(a.sun_path, t->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* Receives HELLO and maps the memory. */
static void meet(struct bed *t)
{
    struct bridge_hello h;
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { &h, sizeof(h) };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
    int ram;
    t->fd = open_socket(t);
    ck_assert_int_eq(recvmsg(t->fd, &m, MSG_WAITALL), (ssize_t)sizeof(h));
    ck_assert_uint_eq(h.magic, BRIDGE_MAGIC);
    ck_assert_uint_eq(h.segment_count, 1);
    ck_assert_uint_eq(h.segment[0].size, RIG_RAM);
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&m));
    memcpy(&ram, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(ram));
    if (t->map) munmap(t->map, RIG_RAM);
    t->map = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
    close(ram);
}

static void introduce(struct bed *t)
{
    struct bridge_client_hello h = { { BRIDGE_CLIENT_HELLO, sizeof(h) }, BRIDGE_MAGIC, BRIDGE_VERSION, "test" };
    tell(t, &h, sizeof(h));
}

static void expect_reset(struct bed *t, u32 kind)
{
    struct bridge_reset r;
    get(t, &r, sizeof(r));
    ck_assert_uint_eq(r.h.type, BRIDGE_RESET);
    ck_assert_uint_eq(r.kind, kind);
    t->next = r.next_ticket;
}

static void attach(struct bed *t)
{
    meet(t);
    introduce(t);
    struct pollfd p = { t->fd, POLLIN, 0 };
    for (int k = 0; k < PATIENCE_MS && poll(&p, 1, 1) == 0; k++) mailbox_drain(&t->g.mail);
    expect_reset(t, BRIDGE_FORGET_ALL);
}

/* Receives one submission; its ticket. */
static u64 take(struct bed *t, struct bridge_submit *m)
{
    u8 rest[4096];
    get(t, m, sizeof(*m));
    ck_assert_uint_eq(m->h.type, BRIDGE_SUBMIT);
    ck_assert_uint_le(m->h.size - sizeof(*m), sizeof(rest));
    if (m->h.size > sizeof(*m)) get(t, rest, m->h.size - sizeof(*m));
    ck_assert_uint_eq(m->ticket, t->next++);
    return m->ticket;
}

static void complete(struct bed *t, u64 ticket)
{
    struct bridge_complete c = { { BRIDGE_COMPLETE, sizeof(c) }, ticket, 0, 0 };
    tell(t, &c, sizeof(c));
}

static void expect_hung_up(struct bed *t)
{
    u8 b;
    ssize_t n;
    do n = recv(t->fd, &b, 1, 0); while (n > 0);
    close(t->fd);
    t->fd = -1;
}

/* --- order --- */

START_TEST(ag_086_bridge_completions_out_of_order)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    submit(&t.g, empty(2, 0));
    u64 first = take(&t, &m), second = take(&t, &m);
    ck_assert_uint_eq(m.fence, 2);
    complete(&t, second);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 0);
    ck_assert(!line(&t.g));
    complete(&t, first);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 2);
    ck_assert(line(&t.g));
    ck_assert_uint_eq(ERRORS(&t), 0);
    down(&t);
}
END_TEST

START_TEST(ag_087_bridge_completion_before_its_descriptor)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    complete(&t, t.next);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 0);
    submit(&t.g, empty(7, 0));
    ck_assert_uint_eq(DONE(&t), 7);
    take(&t, &m);
    submit(&t.g, empty(8, 0));
    ck_assert_uint_eq(DONE(&t), 7);
    complete(&t, take(&t, &m));
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 8);
    down(&t);
}
END_TEST

START_TEST(ag_088_bridge_queue_overflow)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    for (u64 k = 1; k <= 256; k++) submit(&t.g, empty(k, 0));
    ck_assert_uint_eq(ERRORS(&t), 0);
    submit(&t.g, empty(257, 0));
    ck_assert_uint_eq(ERRORS(&t), 1);
    ck_assert_uint_eq(CODE(&t), AGPU_E_BACKEND);
    ck_assert_uint_eq(R64(&t.g, AGPU_R_ERROR_FENCE_LO), 257);
    ck_assert_uint_eq(DONE(&t), 0);
    for (u64 k = 1; k <= 256; k++) complete(&t, take(&t, &m));
    wait_done(&t, 257);
    ck_assert_uint_eq(ERRORS(&t), 1);
    down(&t);
}
END_TEST

/* Submissions that share one fence are bounded, too. */
START_TEST(ag_088_bridge_overflow_without_fences)
{
    struct bed t;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    for (u64 k = 0; k < 255; k++) submit(&t.g, empty(0, 0));
    ck_assert_uint_eq(ERRORS(&t), 0);
    for (u64 k = 0; k < 20; k++) submit(&t.g, empty(0, 0));
    ck_assert_uint_eq(ERRORS(&t), 20);
    ck_assert_uint_eq(CODE(&t), AGPU_E_BACKEND);
    down(&t);
}
END_TEST

START_TEST(ag_098_bridge_early_completion_is_paced)
{
    struct bed t;
    up(&t);
    attach(&t);
    scanout(&t.g, 64, 48, AGPU_FMT_B8G8R8X8, 256);
    complete(&t, t.next);
    mail(&t);
    submit(&t.g, STREAM_OF(&t.g, 1, 0, AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC));
    ck_assert_uint_eq(DONE(&t), 0);
    pass(&t.g, PERIOD - 1000);
    ck_assert_uint_eq(DONE(&t), 0);
    pass(&t.g, 2000);
    ck_assert_uint_eq(DONE(&t), 1);
    down(&t);
}
END_TEST

START_TEST(ag_104_bridge_completion_of_a_discarded_fence)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    submit(&t.g, empty(5, 0));
    u64 old = take(&t, &m);
    W(&t.g, AGPU_R_RING_CONTROL, 3);
    ring(&t.g)->head = ring(&t.g)->tail;
    expect_reset(&t, BRIDGE_FORGET_ALL);
    submit(&t.g, empty(1, 0));
    u64 new = take(&t, &m);
    complete(&t, old);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 0);
    ck_assert_uint_eq(fence_page(&t.g)->completed_fence, 0);
    complete(&t, new);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 1);
    ck_assert_uint_eq(ERRORS(&t), 0);
    complete(&t, old); /* a second time is one too often */
    mail(&t);
    expect_hung_up(&t);
    down(&t);
}
END_TEST

/* --- what is sent --- */

START_TEST(bridge_submission_and_memory)
{
    struct bed t;
    struct bridge_submit m;
    struct bridge_range r;
    u32 words[8];
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 32, 1, 32, 0 };
    const struct agpu_alloc_entry e = { 9, 1, 0x123000, 0x1000, 0 };
    up(&t);
    attach(&t);
    scanout(&t.g, 64, 48, AGPU_FMT_B8G8R8X8, 256);
    memcpy(ram(&t.g, TABLE), &h, sizeof(h));
    memcpy(ram(&t.g, TABLE + 24), &e, sizeof(e));
    struct agpu_descriptor d = STREAM_OF(&t.g, 3, AGPU_SUBMIT_PRESENT, AGPU_NOP, 8);
    d.alloc_table_gpa = TABLE;
    d.alloc_table_size_bytes = 56;
    d.context_id = 12;
    submit(&t.g, d);
    get(&t, &m, sizeof(m));
    get(&t, &r, sizeof(r));
    get(&t, words, 32);
    ck_assert_uint_eq(m.h.size, 64 + 24 + 32);
    ck_assert_uint_eq(m.context_id, 12);
    ck_assert_uint_eq(m.flags, AGPU_SUBMIT_PRESENT);
    ck_assert_uint_eq(m.scanout.width, 64);
    ck_assert_uint_eq(m.scanout.gpa, FB);
    ck_assert_uint_eq(r.alloc_id, 9);
    ck_assert_uint_eq(r.flags, 1);
    ck_assert_uint_eq(r.gpa, 0x123000);
    ck_assert_uint_eq(words[0], AGPU_CMD_MAGIC);
    ck_assert_uint_eq(words[7], 8);

    /* What the client draws is shown once it says so: nobody else looks at unchanged memory again. */
    ck_assert_uint_eq(pixel_at(&t.g, 3, 0), 0);
    st32(t.map + FB + 12, 0x12a4b6);
    ck_assert_uint_eq(ld32(ram(&t.g, FB + 12)), 0x12a4b6);
    struct {
        struct bridge_complete c;
        struct bridge_written w;
    } c = { { { BRIDGE_COMPLETE, 40 }, m.ticket, 0, 1 }, { FB, 256 * 48 } };
    tell(&t, &c, sizeof(c));
    mail(&t);
    ck_assert_uint_eq(pixel_at(&t.g, 3, 0), 0x12a4b6);
    down(&t);
}
END_TEST

START_TEST(bridge_error_of_the_client)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    struct bridge_complete c = { { BRIDGE_COMPLETE, sizeof(c) }, take(&t, &m), AGPU_E_OOB, 0 };
    tell(&t, &c, sizeof(c));
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 1);
    ck_assert_uint_eq(CODE(&t), AGPU_E_OOB);
    down(&t);
}
END_TEST

/* --- clients that are not there, go, or are silent --- */

START_TEST(bridge_without_client_completes_unexecuted)
{
    struct bed t;
    up(&t);
    submit(&t.g, STREAM_OF(&t.g, 1, 0, AGPU_NOP, 8));
    ck_assert_uint_eq(DONE(&t), 1);
    ck_assert_uint_eq(ERRORS(&t), 0);
    attach(&t); /* comes later, and gets what comes then */
    ck_assert_uint_eq(t.next, 1);
    submit(&t.g, empty(2, 0));
    ck_assert_uint_eq(DONE(&t), 1);
    down(&t);
}
END_TEST

START_TEST(bridge_client_that_goes)
{
    struct bed t;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    submit(&t.g, empty(2, 0));
    close(t.fd);
    t.fd = -1;
    wait_done(&t, 2);
    ck_assert_uint_eq(ERRORS(&t), 2);
    ck_assert_uint_eq(CODE(&t), AGPU_E_BACKEND);
    submit(&t.g, empty(3, 0));
    ck_assert_uint_eq(DONE(&t), 3);
    ck_assert_uint_eq(ERRORS(&t), 2);
    attach(&t); /* the next one starts from a reset state, behind the tickets of the first */
    ck_assert_uint_eq(t.next, 3);
    down(&t);
}
END_TEST

START_TEST(bridge_silent_client)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    pass(&t.g, TIMEOUT_NS - 1000000);
    submit(&t.g, empty(2, 0));
    complete(&t, take(&t, &m)); /* it works, if slowly: the time starts anew */
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 1);
    pass(&t.g, TIMEOUT_NS - 1000000);
    ck_assert_uint_eq(DONE(&t), 1);
    pass(&t.g, 2000000);
    ck_assert_uint_eq(DONE(&t), 2);
    ck_assert_uint_eq(ERRORS(&t), 1);
    ck_assert_uint_eq(CODE(&t), AGPU_E_BACKEND);
    expect_hung_up(&t);
    down(&t);
}
END_TEST

/* A client that reads nothing: what waits for it is bounded, and nobody waits for the socket. */
START_TEST(bridge_client_that_does_not_read)
{
    struct bed t;
    up(&t);
    attach(&t);
    const u32 size = 2 << 20;
    struct agpu_stream_header h = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, size, 0, { 0 } };
    memcpy(ram(&t.g, 0x200000), &h, sizeof(h));
    st32(ram(&t.g, 0x200000 + 24), AGPU_NOP);
    st32(ram(&t.g, 0x200000 + 28), size - 24);
    for (u64 k = 1; k <= 80; k++) {
        struct agpu_descriptor d = empty(k, 0);
        d.cmd_gpa = 0x200000;
        d.cmd_size_bytes = size;
        submit(&t.g, d);
    }
    ck_assert_uint_ge(ERRORS(&t), 80 - 65);
    ck_assert_uint_le(ERRORS(&t), 80 - 62);
    ck_assert_uint_eq(CODE(&t), AGPU_E_BACKEND);
    for (int k = 0; k < 1000; k++) W(&t.g, AGPU_R_RING_CONTROL, 3); /* resets do not pile up either */
    pass(&t.g, 2 * TIMEOUT_NS);
    ck_assert_uint_eq(ERRORS(&t), 0);
    down(&t);
}
END_TEST

/* A second client while one works. */
START_TEST(bridge_second_client_is_turned_away)
{
    struct bed t;
    u8 b;
    up(&t);
    attach(&t);
    int other = open_socket(&t);
    ck_assert_int_eq(recv(other, &b, 1, 0), 0);
    close(other);
    submit(&t.g, empty(1, 0));
    struct bridge_submit m;
    complete(&t, take(&t, &m));
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 1);
    down(&t);
}
END_TEST

/* First words that are none of the protocol. */
static const struct {
    u32 words[12];
    u32 bytes;
} nonsense[] = {
    { { 0 }, 48 },
    { { BRIDGE_CLIENT_HELLO, 48, 0x12345678, BRIDGE_VERSION }, 48 },
    { { BRIDGE_CLIENT_HELLO, 48, BRIDGE_MAGIC, 0x00020000 }, 48 },
    { { BRIDGE_CLIENT_HELLO, 44, BRIDGE_MAGIC, BRIDGE_VERSION }, 44 },
    { { BRIDGE_CLIENT_HELLO, 0xffffffff, BRIDGE_MAGIC, BRIDGE_VERSION }, 48 },
    { { BRIDGE_COMPLETE, 24, 1, 0, 0, 0 }, 24 },
    { { BRIDGE_SUBMIT, 48 }, 48 },
    { { BRIDGE_COMPLETE, 4 }, 8 },
    { { BRIDGE_COMPLETE, 8 }, 8 },
};

START_TEST(bridge_nonsense_instead_of_hello)
{
    struct bed t;
    up(&t);
    for (u32 k = 0; k < LEN(nonsense); k++) {
        meet(&t);
        tell(&t, nonsense[k].words, nonsense[k].bytes);
        expect_hung_up(&t);
    }
    attach(&t);
    down(&t);
}
END_TEST

/* COMPLETEs that cannot be; each is the client's last word, and fails the submission that it has. */
START_TEST(bridge_nonsense_from_a_client)
{
    static const struct {
        u32 size, error, ranges;
        u64 ticket_off, gpa, bytes;
    } rows[] = {
        { 24, 0, 1, 0, 0, 0 },             /* ranges beyond the message */
        { 40, 0, 0, 0, 0, 0 },             /* more than ranges */
        { 24, 0, 0x10000001, 0, 0, 0 },    /* a product that wraps */
        { 24, 4, 0, 0, 0, 0 },             /* no such error */
        { 24, 0, 0, 257, 0, 0 },           /* too far ahead */
        { 24, 0, 0, 0x8000000000000000, 0, 0 },
        { 24, 0, 0, (u64)-1, 0, 0 },       /* ticket 0: before the first */
        { 40, 0, 1, 0, 0x100000, 0 },      /* nothing written */
        { 40, 0, 1, 0, RIG_RAM - 16, 32 }, /* beyond memory */
        { 40, 0, 1, 0, BAR0, 16 },
        { 40, 0, 1, 0, 0xfffffffffffffff0, 0x20 },
        { 40, 0, 1, 0, 0, 0xffffffffffffffff },
    };
    for (u32 k = 0; k < LEN(rows); k++) {
        struct bed t;
        struct bridge_submit m;
        up(&t);
        attach(&t);
        submit(&t.g, empty(1, 0));
        u64 ticket = take(&t, &m) + rows[k].ticket_off;
        struct {
            struct bridge_complete c;
            struct bridge_written w;
        } c = { { { BRIDGE_COMPLETE, rows[k].size }, ticket, rows[k].error, rows[k].ranges }, { rows[k].gpa, rows[k].bytes } };
        tell(&t, &c, rows[k].size);
        wait_done(&t, 1);
        ck_assert_msg(ERRORS(&t) == 1 && CODE(&t) == AGPU_E_BACKEND, "row %u", k);
        expect_hung_up(&t);
        down(&t);
    }
}
END_TEST

/* Messages in pieces of one byte. */
START_TEST(bridge_slow_writer)
{
    struct bed t;
    struct bridge_submit m;
    up(&t);
    attach(&t);
    submit(&t.g, empty(1, 0));
    struct bridge_complete c = { { BRIDGE_COMPLETE, sizeof(c) }, take(&t, &m), 0, 0 };
    for (u32 k = 0; k < sizeof(c); k++) tell(&t, (const u8 *)&c + k, 1);
    mail(&t);
    ck_assert_uint_eq(DONE(&t), 1);
    ck_assert_uint_eq(ERRORS(&t), 0);
    down(&t);
}
END_TEST

/* --- setting up --- */

START_TEST(bridge_refusals)
{
    struct bed t;
    struct error e;
    up(&t);
    for (int k = 0; k < 4; k++) {
        struct device *d = make_gpu(&t);
        device_set_option(d, "addr", "0x48", NULL);
        if (k == 0) device_set_option(d, "socket", "", NULL);
        if (k == 1) t.g.r.clock.mode = CLOCK_INSN;
        if (k == 2) t.g.r.host.guest_ram = NULL;
        ck_assert_int_eq(device_init(d, &e), -1); /* k == 3: the path is in use */
        ck_assert_msg(strstr(e.text, k == 0 ? "socket=PATH" : k == 1 ? "--clock host" : k == 2 ? "map" : t.path) != NULL, "%s", e.text);
        t.g.r.clock.mode = CLOCK_MANUAL;
        t.g.r.host.guest_ram = &t.shared;
        device_destroy(t.g.r.devices[--t.g.r.ndevices]);
    }
    attach(&t); /* the first one works on */
    down(&t);
}
END_TEST

START_TEST(bridge_replaces_the_socket_of_a_dead_process)
{
    struct bed t;
    up(&t);
    down(&t);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char path[96], dir[64];
    up(&t);
    strcpy(dir, t.dir);
    snprintf(path, sizeof(path), "%s/old", dir);
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);
    struct device *d = make_gpu(&t);
    struct error e = { "" };
    device_set_option(d, "socket", path, NULL);
    device_set_option(d, "addr", "0x48", NULL);
    ck_assert_msg(device_init(d, &e) == 0, "%s", e.text);
    down(&t);
}
END_TEST

/* --- the reference client --- */

static bool info_says(struct bed *t, const char *what)
{
    struct text s;
    struct device *d = &t->g.pci->dev;
    text_init(&s);
    d->cls->info(d, &s);
    bool hit = strstr(s.s, what) != NULL;
    text_free(&s);
    return hit;
}

/* build/gpu-client lies beside the test program. */
static pid_t start_client(struct bed *t, const char *then)
{
    char exe[512];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 16);
    ck_assert_int_gt(n, 0);
    exe[n] = 0;
    strcpy(strrchr(exe, '/') + 1, "gpu-client");
    ck_assert_msg(access(exe, X_OK) == 0, "%s is not built", exe);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (!pid) {
        if (then)
            execl(exe, exe, t->path, "--after", "1", "--then", then, (char *)NULL);
        else
            execl(exe, exe, t->path, (char *)NULL);
        _exit(127);
    }
    for (int k = 0; k < PATIENCE_MS && !info_says(t, "client gpu-client"); k++) {
        mailbox_drain(&t->g.mail);
        mailbox_wait(&t->g.mail, 1000000);
    }
    ck_assert(info_says(t, "client gpu-client"));
    return pid;
}

/* The client's exit status; the machine, while there is one, goes on meanwhile. */
static int end_of(struct bed *t, pid_t pid)
{
    int status;
    for (int k = 0; k < PATIENCE_MS; k++) {
        if (waitpid(pid, &status, WNOHANG) == pid) break;
        if (t->g.pci) mailbox_drain(&t->g.mail);
        mailbox_wait(&t->g.mail, 1000000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The device goes, and with it the socket. */
static void hang_up(struct bed *t)
{
    struct rig *r = &t->g.r;
    ck_assert_ptr_eq(r->devices[r->ndevices - 1], &t->g.pci->dev);
    device_destroy(r->devices[--r->ndevices]);
    t->g.pci = NULL;
}

START_TEST(bridge_pictures_equal_soft)
{
    struct bed t;
    struct gpu soft;
    struct gpu_scene a = { .count = 0 }, b = { .count = 0 };
    gpu_up(&soft);
    driver_start(&soft, AGPU_IRQ_ERROR);
    scanout(&soft, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    up(&t);
    pid_t pid = start_client(&t, NULL);
    scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
    u64 before = 0;
    for (u32 k = 0; k < 6; k++) {
        scene_frame(&a, &soft);
        scene_frame(&b, &t.g);
        wait_done(&t, b.fence);
        ck_assert_uint_eq(scene_hash(&soft), scene_hash(&t.g));
        ck_assert_uint_ne(scene_hash(&soft), before); /* it moves */
        before = scene_hash(&soft);
    }
    ck_assert_uint_eq(ERRORS(&t), 0);
    hang_up(&t);
    ck_assert_int_eq(end_of(&t, pid), 0);
    down(&t);
    gpu_down(&soft);
}
END_TEST

/* Whatever the client does after its first submission: the second completes, with an error unless it was done; then another client works. */
START_TEST(bridge_misbehaving_clients)
{
    static const char *const ways[] = { "die", "garbage", "length", "ticket", "twice", "range", "flood", "silent" };
    for (u32 k = 0; k < LEN(ways); k++) {
        struct bed t;
        struct gpu_scene s = { .count = 0 };
        up(&t);
        scanout(&t.g, SCENE_W, SCENE_H, AGPU_FMT_B8G8R8X8, SCENE_W * 4);
        pid_t pid = start_client(&t, ways[k]);
        scene_frame(&s, &t.g);
        wait_done(&t, 1);
        scene_frame(&s, &t.g);
        if (!strcmp(ways[k], "silent")) pass(&t.g, 2 * TIMEOUT_NS);
        wait_done(&t, 2);
        bool done = !strcmp(ways[k], "twice") || !strcmp(ways[k], "flood");
        ck_assert_msg(ERRORS(&t) == !done, "%s: %u errors", ways[k], ERRORS(&t));
        int status = end_of(&t, pid);
        ck_assert_msg(status == 3 || (!status && !strcmp(ways[k], "silent")), "%s: status %d", ways[k], status);
        W(&t.g, AGPU_R_RING_CONTROL, 3);
        s = (struct gpu_scene){ .count = 0 };
        pid = start_client(&t, NULL);
        scene_frame(&s, &t.g);
        wait_done(&t, 1);
        ck_assert_uint_eq(ERRORS(&t), 0);
        ck_assert_uint_ne(pixel_at(&t.g, 1, 1), 0);
        hang_up(&t);
        ck_assert_int_eq(end_of(&t, pid), 0);
        down(&t);
    }
}
END_TEST

Suite *aerogpu_bridge_suite(void);
Suite *aerogpu_bridge_suite(void)
{
    const TTest *const tests[] = {
        ag_086_bridge_completions_out_of_order,
        ag_087_bridge_completion_before_its_descriptor,
        ag_088_bridge_queue_overflow,
        ag_088_bridge_overflow_without_fences,
        ag_098_bridge_early_completion_is_paced,
        ag_104_bridge_completion_of_a_discarded_fence,
        bridge_submission_and_memory,
        bridge_error_of_the_client,
        bridge_without_client_completes_unexecuted,
        bridge_client_that_goes,
        bridge_silent_client,
        bridge_client_that_does_not_read,
        bridge_second_client_is_turned_away,
        bridge_nonsense_instead_of_hello,
        bridge_nonsense_from_a_client,
        bridge_slow_writer,
        bridge_refusals,
        bridge_replaces_the_socket_of_a_dead_process,
        bridge_pictures_equal_soft,
        bridge_misbehaving_clients,
    };
    Suite *s = suite_create("aerogpu_bridge");
    TCase *c = tcase_create("aerogpu_bridge");
    tcase_set_timeout(c, 60);
    for (u32 k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
