/* The bridge's socket: listens, talks to one client at a time on a thread of its own, and knows
 * nothing of batches. The machine thread appends messages and takes events; neither waits for the
 * client. */
#ifndef GPU_BRIDGE_LINK_H
#define GPU_BRIDGE_LINK_H

#include "gpu/bridge/protocol.h"
#include "machine/core/device.h" /* struct guest_ram */

enum link_event_kind { LINK_CONNECTED, LINK_COMPLETE, LINK_GONE };

struct link_event {
    enum link_event_kind kind;
    u32 client;      /* connections are numbered from 1 */
    const char *why; /* GONE: static text */
    char name[32];   /* CONNECTED */
    u64 ticket;      /* COMPLETE */
    u32 error, range_count;
    struct bridge_written *ranges;
    struct link_event *next;
};

struct link;

/* Listens at path, which is created (a socket left by a dead process is replaced). ram: what
 * clients get; outlives the link. arrived(): called on the link's thread when events wait where
 * none did. */
struct link *link_open(const char *path, const struct guest_ram *ram, void (*arrived)(void *opaque),
                       void *opaque, struct error *e);
void link_close(struct link *l); /* ends the thread and removes the socket; NULL is fine */

/* Hands over a message (malloc'd; freed in every case) for this client. False: it is gone, or too
 * much waits for it already. */
bool link_send(struct link *l, u32 client, void *message);
/* A message that makes those not begun yet meaningless: they are dropped. Never refused for room.
 */
void link_send_instead(struct link *l, u32 client, void *message);
void link_drop(struct link *l, u32 client);
/* Every event that waits, oldest first; free each with link_event_free(). */
struct link_event *link_take(struct link *l);
void link_event_free(struct link_event *e);

#endif
