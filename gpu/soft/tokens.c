/* Share tokens (objects.h): one table for the whole device. A token names a resource from EXPORT
 * until RELEASE or the resource's end; then it is retired and may not be exported again, until so
 * many others were retired that it is forgotten. Looking one up, retiring it and ending a resource
 * take the same time however many there are: guests choose the numbers.
 *
 * Open addressing; a resource's tokens are chained by their values. Document: the contract's parts
 * "command stream", section 2.4, and "executor", section 16. */
#include <stdlib.h>

#include "gpu/soft/objects.h"

#define DROP(why) ((struct outcome){ AGPU_E_NONE, why })

enum { MAX_LIVE_TOKENS = 65536, MAX_RETIRED = 1 << 20 };
enum token_state { TOKEN_EMPTY, TOKEN_LIVE, TOKEN_RETIRED, TOKEN_GONE };

struct token {
    u64 value;      /* never 0 */
    u64 prev, next; /* of the same resource; 0: none */
    struct resource *resource;
    enum token_state state;
};

/* ---- the table ---- */

static u32 hash(u64 v)
{
    v ^= v >> 33;
    v *= 0xff51afd7ed558ccdull;
    return (u32)(v ^ v >> 29);
}

/* Where the value is, or would go: the first empty place. */
static struct token *probe(const struct token_table *t, u64 value)
{
    u32 mask = t->capacity - 1, at = hash(value) & mask;
    while (t->slots[at].state != TOKEN_EMPTY && t->slots[at].value != value) at = (at + 1) & mask;
    return &t->slots[at];
}

/* NULL: neither live nor retired */
static struct token *find(const struct token_table *t, u64 value)
{
    struct token *k = t->capacity && value ? probe(t, value) : NULL;
    return k && (k->state == TOKEN_LIVE || k->state == TOKEN_RETIRED) ? k : NULL;
}

static void rebuild(struct token_table *t, bool keep_retired)
{
    struct token *old = t->slots;
    u32 count = t->capacity, kept = t->live + (keep_retired ? t->retired_count : 0);
    t->capacity = 64;
    while (t->capacity < 4 * kept + 4) t->capacity *= 2;
    t->slots = xalloc(t->capacity * sizeof(*t->slots));
    t->used = 0;
    for (u32 k = 0; k < count; k++) {
        if (old[k].state != TOKEN_LIVE && !(keep_retired && old[k].state == TOKEN_RETIRED))
            continue;
        *probe(t, old[k].value) = old[k];
        t->used++;
    }
    free(old);
}

/* ---- the retired ones, oldest first, in a ring ---- */

static void forget_oldest(struct token_table *t)
{
    struct token *k = find(t, t->retired[t->retired_first]);
    if (k) k->state = TOKEN_GONE;
    t->retired_first = (t->retired_first + 1) & (t->retired_capacity - 1);
    t->retired_count--;
}

static void remember(struct token_table *t, u64 value)
{
    if (t->retired_count == MAX_RETIRED) forget_oldest(t);
    if (t->retired_count == t->retired_capacity) { /* never once it has its largest size */
        u32 capacity = t->retired_capacity ? t->retired_capacity * 2 : 64;
        u64 *ring = xalloc(capacity * sizeof(*ring));
        for (u32 k = 0; k < t->retired_count; k++)
            ring[k] = t->retired[(t->retired_first + k) & (t->retired_capacity - 1)];
        free(t->retired);
        t->retired = ring;
        t->retired_first = 0;
        t->retired_capacity = capacity;
    }
    t->retired[(t->retired_first + t->retired_count++) & (t->retired_capacity - 1)] = value;
}

static void retire(struct token_table *t, struct token *k)
{
    struct token *prev = find(t, k->prev), *next = find(t, k->next);
    if (prev)
        prev->next = k->next;
    else
        k->resource->first_token = k->next;
    if (next) next->prev = k->prev;
    k->state = TOKEN_RETIRED;
    k->resource = NULL;
    k->prev = k->next = 0;
    t->live--;
    remember(t, k->value);
}

void tokens_end_resource(struct objects *o, struct resource *r)
{
    while (r->first_token) retire(&o->tokens, find(&o->tokens, r->first_token));
}

void tokens_clear(struct objects *o)
{
    free(o->tokens.slots);
    free(o->tokens.retired);
    o->tokens = (struct token_table){ .live = 0 };
}

void objects_forget_retired(struct objects *o)
{
    struct token_table *t = &o->tokens;
    if (t->capacity) rebuild(t, false);
    t->retired_first = t->retired_count = 0;
}

/* ---- packets ---- */

struct outcome object_export(struct objects *o, const struct agpu_share_packet *p)
{
    struct token_table *t = &o->tokens;
    struct resource *r = resource_find(o, p->handle);
    struct token *have = find(t, p->share_token);
    if (!r) return DROP("export of an unknown resource");
    if (have) return have->resource == r ? OBJ_OK : DROP("share token in use or retired");
    if (t->live == MAX_LIVE_TOKENS) return DROP("too many share tokens");
    if ((t->used + 1) * 2 > t->capacity) rebuild(t, true);
    struct token *k = probe(t, p->share_token), *first = find(t, r->first_token);
    if (k->state == TOKEN_EMPTY) t->used++;
    *k = (struct token){ p->share_token, 0, r->first_token, r, TOKEN_LIVE };
    if (first) first->prev = k->value;
    r->first_token = k->value;
    t->live++;
    return OBJ_OK;
}

struct outcome object_import(struct objects *o, const struct agpu_share_packet *p)
{
    struct token *t = find(&o->tokens, p->share_token);
    if (!t || !t->resource) return DROP("import of an unknown or retired share token");
    return object_alias(o, p->handle, t->resource);
}

void object_release_token(struct objects *o, u64 value)
{
    struct token *t = find(&o->tokens, value);
    if (t && t->resource) retire(&o->tokens, t);
}
