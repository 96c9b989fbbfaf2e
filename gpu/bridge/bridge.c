/* The executor "bridge": another process executes (README.md in this folder; messages in
 * protocol.h).
 *
 * Guest RAM is a file that the client maps; submissions go to it, completions come back by mail.
 * The machine thread waits for nothing: what does not fit into the bounded queue is not executed,
 * and its fence completes with error BACKEND. The client is not trusted: it can spoil the picture
 * and the guest's memory, not this process. A guest is never left hanging:
 *
 * - without a client a submission completes at once, unexecuted, as with the executor "none";
 * - when the client goes, what it had not completed completes with error BACKEND;
 * - so it does when the client is silent for TIMEOUT_NS, and then the client is sent away.
 *
 * That time is virtual, since it stands for the guest's patience: Windows resets a device that
 * takes longer than two seconds of its own time. A paused or slow machine costs the client nothing.
 * With the instruction clock virtual time has no relation to how long a client needs, and an idle
 * guest jumps over it; there the bridge is refused. Document: the contract's part "driver
 * behaviour", section 9, and "ring", section 9. */
#include <stdlib.h>

#include "gpu/bridge/link.h"
#include "gpu/exec.h"
#include "machine/core/clock.h"
#include "machine/core/log.h"
#include "machine/core/mailbox.h"

enum { MAX_PENDING = 256 }; /* submissions that the client has */
#define TIMEOUT_NS (1500 * 1000000ull)

struct pending {
    u64 ticket, at; /* virtual time of the submission */
    struct exec_batch *batch;
};

struct early { /* a completion of a submission that is yet to come */
    u64 ticket;
    u32 error;
};

struct exec {
    struct exec_host host;
    struct link *link;
    struct timer timer;
    u32 client; /* number of the connection, 0: none */
    char name[32];
    u64 ticket;                          /* of the last submission */
    u64 discarded;                       /* completions up to this ticket mean nothing any more */
    u64 progress;                        /* virtual time of the last completion */
    struct pending pending[MAX_PENDING]; /* oldest first */
    u32 pending_count;
    struct early early[BRIDGE_MAX_EARLY];
    u32 early_count;
    u64 late; /* completions of discarded submissions that may still come */
    bool told_absent;
    u64 executed, unexecuted, failed; /* submissions since power-on */
};

/* ---- batches ---- */

/* Submissions are silent for as long as the oldest waits and nothing is completed. */
static void rearm(struct exec *x)
{
    if (!x->pending_count)
        timer_cancel(&x->timer);
    else
        timer_set(&x->timer, MAX(x->pending[0].at, x->progress) + TIMEOUT_NS);
}

static void finish(struct exec *x, struct exec_batch *b, enum agpu_error error, const char *reason)
{
    if (error && !b->error) {
        b->error = error;
        b->reason = reason;
    }
    x->host.done(x->host.opaque, b);
}

/* done() may submit nothing, but reports errors: the list is emptied first. */
static void finish_all(struct exec *x, enum agpu_error error, const char *reason)
{
    u32 n = x->pending_count;
    struct pending list[MAX_PENDING];
    memcpy(list, x->pending, n * sizeof(list[0]));
    x->pending_count = x->early_count = 0;
    x->discarded = x->ticket;
    x->late += n;
    rearm(x);
    for (u32 k = 0; k < n; k++) finish(x, list[k].batch, error, reason);
    if (error) x->failed += n;
}

static void lose_client(struct exec *x, const char *why)
{
    LOG(LOG_WARN, "aerogpu", "bridge: client \"%s\" lost: %s", x->name, why);
    link_drop(x->link, x->client);
    x->client = 0;
    finish_all(x, AGPU_E_BACKEND, "the executing process is gone");
}

static void timed_out(void *opaque)
{
    lose_client(opaque, "it was silent for 1.5 s of the guest's time");
}

/* ---- what the client says ---- */

static bool plausible(u32 error)
{
    return error <= AGPU_E_BACKEND || error == AGPU_E_INTERNAL;
}

/* A completion that comes before its submission is remembered. False: it cannot be. */
static bool remember(struct exec *x, u64 ticket, u32 error)
{
    if (ticket > x->ticket + BRIDGE_MAX_EARLY) return false;
    for (u32 k = 0; k < x->early_count; k++) {
        if (x->early[k].ticket == ticket) return false;
    }
    x->early[x->early_count++] = (struct early){ ticket, error };
    return true;
}

/* Error and true when submission `ticket` was completed before it came; forgets it. */
static bool recall(struct exec *x, u64 ticket, u32 *error)
{
    for (u32 k = 0; k < x->early_count; k++) {
        if (x->early[k].ticket != ticket) continue;
        *error = x->early[k].error;
        x->early[k] = x->early[--x->early_count];
        return true;
    }
    return false;
}

/* Tells the machine what the client wrote: at most as much as there is memory. */
static bool take_written(struct exec *x, const struct link_event *ev)
{
    u64 left = x->host.guest_ram->size;
    for (u32 k = 0; k < ev->range_count; k++) {
        const struct bridge_written *w = &ev->ranges[k];
        if (w->size > left || w->gpa + w->size < w->gpa) return false;
        if (!x->host.written(x->host.opaque, w->gpa, w->size)) return false;
        left -= w->size;
    }
    return true;
}

static const char *complete(struct exec *x, const struct link_event *ev)
{
    u32 k = 0;
    if (ev->ticket <= x->discarded) {
        if (!x->late) return "a wrong ticket";
        x->late--;
        return NULL;
    }
    if (!plausible(ev->error)) return "an unknown error code";
    if (ev->ticket <= x->ticket) {
        while (k < x->pending_count && x->pending[k].ticket != ev->ticket) k++;
        if (k == x->pending_count) return "a ticket completed twice";
    } else if (!remember(x, ev->ticket, ev->error)) {
        return "a wrong ticket";
    }
    if (!take_written(x, ev)) return "a written range that is not memory";
    if (ev->ticket > x->ticket) return NULL;
    struct exec_batch *b = x->pending[k].batch;
    x->pending_count--;
    memmove(&x->pending[k], &x->pending[k + 1], (x->pending_count - k) * sizeof(x->pending[0]));
    x->progress = clock_now(x->host.clock);
    rearm(x);
    x->executed++;
    finish(x, b, ev->error, "the executing process");
    return NULL;
}

static void send_reset(struct exec *x, enum bridge_reset_kind kind)
{
    struct bridge_reset *r = xalloc(sizeof(*r));
    *r = (struct bridge_reset){ { BRIDGE_RESET, sizeof(*r) }, kind, 0, x->ticket + 1 };
    link_send_instead(x->link, x->client, r);
}

static void connected(struct exec *x, const struct link_event *ev)
{
    x->client = ev->client;
    x->late = 0;
    x->told_absent = false;
    memcpy(x->name, ev->name, sizeof(x->name));
    LOG(LOG_INFO, "aerogpu", "bridge: client \"%s\" executes", x->name);
    send_reset(x, BRIDGE_FORGET_ALL);
}

static void handle(struct exec *x, const struct link_event *ev)
{
    const char *why = NULL;
    if (ev->kind == LINK_CONNECTED) {
        connected(x, ev);
    } else if (ev->kind == LINK_GONE && ev->client != x->client) {
        if (ev->why) LOG(LOG_WARN, "aerogpu", "bridge: a client was refused: %s", ev->why);
    } else if (ev->client == x->client) {
        why = ev->kind == LINK_GONE ? ev->why : complete(x, ev);
        if (why) lose_client(x, why);
    }
}

static void take_mail(void *opaque, u64 a, u64 b)
{
    (void)a, (void)b;
    struct exec *x = opaque;
    for (struct link_event *ev = link_take(x->link), *next; ev; ev = next) {
        next = ev->next;
        handle(x, ev);
        link_event_free(ev);
    }
}

/* On the link's thread. */
static void arrived(void *opaque)
{
    struct exec *x = opaque;
    mailbox_post(x->host.mailbox, (struct mail){ take_mail, x, 0, 0 });
}

/* ---- the interface ---- */

static struct exec *bridge_create(const struct exec_host *host, struct error *e)
{
    const char *why = NULL;
    if (!host->socket || !*host->socket)
        why = "it needs aerogpu.socket=PATH, where the executing process connects";
    else if (!host->clock || !host->mailbox || !host->guest_ram || host->guest_ram->fd < 0)
        why = "there is no guest memory that another process could map";
    else if (host->clock->mode == CLOCK_INSN)
        why = "another process does not keep to counted instructions; use --clock host";
    if (why) {
        error_set(e, "executor bridge: %s", why);
        return NULL;
    }
    struct exec *x = xalloc(sizeof(*x));
    x->host = *host;
    timer_init(&x->timer, host->clock, "aerogpu bridge", timed_out, x);
    x->link = link_open(host->socket, host->guest_ram, arrived, x, e);
    if (x->link) return x;
    free(x);
    error_prefix(e, "executor bridge");
    return NULL;
}

/* NULL: no memory for it. */
static struct bridge_submit *wrap(struct exec *x, const struct exec_batch *b)
{
    u32 stream = b->bytes ? b->stream.size : 0;
    u64 ranges = (u64)b->range_count * sizeof(struct bridge_range);
    u64 size = sizeof(struct bridge_submit) + ranges + stream; /* below 128 MiB, see ring.md */
    struct bridge_submit *m = malloc(size);
    if (!m) return NULL;
    *m = (struct bridge_submit){ .h = { BRIDGE_SUBMIT, (u32)size },
                                 .ticket = x->ticket,
                                 .fence = b->fence,
                                 .context_id = b->context_id,
                                 .flags = b->flags,
                                 .range_count = b->range_count,
                                 .stream_size = stream };
    struct exec_scanout s;
    if (x->host.scanout(x->host.opaque, &s))
        m->scanout = (struct bridge_scanout){ s.gpa, s.width, s.height, s.format, s.pitch };
    struct bridge_range *to = (struct bridge_range *)(m + 1);
    for (u32 k = 0; k < b->range_count; k++)
        to[k] = (struct bridge_range){ b->ranges[k].alloc_id, b->ranges[k].flags, b->ranges[k].gpa,
                                       b->ranges[k].size };
    if (stream) memcpy(to + b->range_count, b->bytes, stream);
    return m;
}

static void without_client(struct exec *x, struct exec_batch *b)
{
    if (!x->told_absent)
        LOG(LOG_WARN, "aerogpu", "bridge: no client at %s: commands complete unexecuted",
            x->host.socket);
    x->told_absent = true;
    x->unexecuted++;
    finish(x, b, AGPU_E_NONE, NULL);
}

static void bridge_submit(struct exec *x, struct exec_batch *b)
{
    u32 error = AGPU_E_NONE;
    if (!x->client) {
        without_client(x, b);
        return;
    }
    x->ticket++;
    struct bridge_submit *m = x->pending_count < MAX_PENDING ? wrap(x, b) : NULL;
    if (!m || !link_send(x->link, x->client, m)) {
        x->ticket--;
        x->failed++;
        finish(x, b, AGPU_E_BACKEND, "the executing process takes no more");
        return;
    }
    if (recall(x, x->ticket, &error)) {
        x->executed++;
        finish(x, b, error, "the executing process");
        return;
    }
    x->pending[x->pending_count++] = (struct pending){ x->ticket, clock_now(x->host.clock), b };
    if (x->pending_count == 1) rearm(x);
}

static void bridge_reset(struct exec *x, enum exec_reset kind)
{
    finish_all(x, AGPU_E_NONE, NULL);
    if (x->client)
        send_reset(x, kind == EXEC_KEEP_OBJECTS ? BRIDGE_KEEP_OBJECTS : BRIDGE_FORGET_ALL);
}

static void bridge_destroy(struct exec *x)
{
    timer_cancel(&x->timer);
    link_close(x->link);
    free(x);
}

static void bridge_info(struct exec *x, struct text *t)
{
    text_add(t,
             "bridge at %s: %s%s; %llu executed, %llu without a client, %llu failed, %u waiting\n",
             x->host.socket, x->client ? "client " : "no client", x->client ? x->name : "",
             (unsigned long long)x->executed, (unsigned long long)x->unexecuted,
             (unsigned long long)x->failed, x->pending_count);
}

const struct exec_ops exec_bridge = {
    .name = "bridge",
    .transfer = true,
    .create = bridge_create,
    .submit = bridge_submit,
    .reset = bridge_reset,
    .destroy = bridge_destroy,
    .info = bridge_info,
};
