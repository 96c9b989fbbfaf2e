/* Fuzz target: what a client of the bridge says. The input is what it sends (behind a sound
 * CLIENT_HELLO unless the first byte is FFh), in pieces as the second byte wants, before it hangs
 * up. The link stays, each input is a new connection. What comes of it is inside the protocol's
 * limits, and the client's end is always noticed. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gpu/bridge/link.h"
#include "tests/fuzz/gpu/target.h"

enum { RAM = 1 << 20 };

static struct link *the_link;
static struct guest_ram ram = { -1, RAM, RAM };
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void arrived(void *opaque)
{
    (void)opaque;
}

static void bye(void)
{
    link_close(the_link);
}

void target_init(void)
{
    ram.fd = memfd_create("guest", 0);
    must(ram.fd >= 0 && !ftruncate(ram.fd, RAM), "the host has memory");
}

/* With the first input: own.c runs inputs in a child, where threads of before do not exist. */
static void open_link(void)
{
    struct error e = { "" };
    if (the_link) return;
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/fuzz-bridge-%d", (int)getpid());
    the_link = link_open(address.sun_path, &ram, arrived, NULL, &e);
    must(the_link != NULL, "the link opens");
    atexit(bye);
}

static void say(int fd, const u8 *data, size_t size, size_t piece)
{
    while (size) {
        size_t n = MIN(size, piece);
        if (send(fd, data, n, MSG_NOSIGNAL) <= 0) return; /* it hung up on us: fine */
        data += n;
        size -= n;
    }
}

static void take_events(u32 *connected, u32 *gone)
{
    for (struct link_event *e = link_take(the_link), *next; e; e = next) {
        next = e->next;
        *connected += e->kind == LINK_CONNECTED;
        *gone += e->kind == LINK_GONE;
        must(e->kind != LINK_GONE || e->why, "an end has a reason");
        must(e->range_count <= BRIDGE_MAX_WRITTEN, "a completion has so many ranges at most");
        must(!e->range_count == !e->ranges, "and they are there");
        must(memchr(e->name, 0, sizeof(e->name)) != NULL, "names end");
        link_event_free(e);
    }
}

void target_run(const u8 *data, size_t size)
{
    const struct bridge_client_hello hello = {
        { BRIDGE_CLIENT_HELLO, sizeof(hello) }, BRIDGE_MAGIC, BRIDGE_VERSION, "fuzz"
    };
    struct bridge_hello theirs;
    /* of all inputs: the news of an end may come a moment behind it */
    static u32 clients, connected, gone;
    if (size < 2) return;
    open_link();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)), "it listens");
    ssize_t n = recv(fd, &theirs, sizeof(theirs), MSG_WAITALL);
    must(n == sizeof(theirs) && theirs.magic == BRIDGE_MAGIC, "it says HELLO first");
    if (data[0] != 0xff) say(fd, (const u8 *)&hello, sizeof(hello), sizeof(hello));
    say(fd, data + 2, size - 2, data[1] & 7 ? 4096 : 1 + (data[1] >> 3));
    shutdown(fd, SHUT_WR);
    u8 byte;
    while (recv(fd, &byte, 1, 0) > 0) continue; /* until it hangs up */
    close(fd);
    take_events(&connected, &gone);
    must(connected <= ++clients && gone <= clients, "a client comes and goes once");
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    struct bridge_complete c = { { BRIDGE_COMPLETE, sizeof(c) }, 1 + n, n & 1, n & 3 };
    const struct bridge_written w = { n * 4096, 4096 };
    size_t size = 2;
    if (n >= 16 || cap < 256) return 0;
    out[0] = n == 9 ? 0xff : 0;
    out[1] = (u8)(n * 8 + (n & 1));
    c.h.size = (u32)(sizeof(c) + c.range_count * sizeof(w));
    for (u32 k = 0; k < 1 + n % 3; k++) {
        memcpy(out + size, &c, sizeof(c));
        size += sizeof(c);
        for (u32 i = 0; i < c.range_count; i++, size += sizeof(w))
            memcpy(out + size, &w, sizeof(w));
    }
    return size;
}
