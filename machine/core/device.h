/* What a chip is to the rest of the program: a struct that starts with struct device, and one
 * constant struct device_class with tables. The board (machine/board) creates devices from its
 * wiring table: device_create() -> options and backend pointers set -> wires connected ->
 * device_init() -> reset(COLD). init claims regions and timers and may fail with a message; it does
 * not change guest-visible state, reset does. A device knows struct host_if (two buses, the clock,
 * machine requests), its wires and its backends; nothing else. */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include "machine/core/bus.h"
#include "machine/core/clock.h"
#include "machine/core/error.h"
#include "machine/core/irq.h"
#include "machine/core/log.h"
#include "machine/core/text.h"
#include "machine/core/trace.h"
#include "machine/core/types.h"

enum reset_kind { RESET_COLD, RESET_WARM };
enum machine_request {
    REQ_RESET,
    REQ_POWEROFF,
    REQ_STOP,
    REQ_TRIPLE_FAULT,
    REQ_EXIT /* test-exit port; arg = status */
};

struct mailbox; /* mailbox.h */

/* Guest RAM for backends that share it with another process: one file, in which the bytes of
 * address 0 come first and those of 4 GiB follow at low_size. */
struct guest_ram {
    int fd; /* -1: this machine's RAM is not a file */
    u64 low_size, size;
};

/* The services a device sees. request() is safe to call from any device callback; the run loop acts
 * later. */
struct host_if {
    struct bus *mem, *io;
    struct clock *clock;
    void (*request)(void *machine, enum machine_request what, int arg, const char *why);
    void *machine;
    bool (*a20_get)(void *machine);
    void (*a20_set)(void *machine, bool on); /* level of the A20 gate: port 92h and 8042 */
    struct mailbox *mailbox; /* to the machine thread, from any other; NULL: nobody drains one */
    const struct guest_ram *guest_ram; /* NULL: unknown */
};

enum option_type { OPT_BOOL, OPT_U32, OPT_U64, OPT_STR, OPT_PTR };
struct device_option {
    const char *name;
    enum option_type type;
    u32 offset; /* field in the device: bool, u32, u64, char * (owned), void * (board sets it) */
    const char *deflt; /* text form; NULL = zero */
    const char *help;
};

/* A saved field: guest-visible state only. Table ends at name == NULL. */
struct device_field {
    const char *name;
    u32 offset, size, count;
    u32 since; /* class version that introduced it */
};
#define FIELD(type, f)                                                                             \
    {                                                                                              \
#f, offsetof(type, f), sizeof(((type *)0)->f), 1, 1                                        \
    }
#define FIELD_ARRAY(type, f)                                                                       \
    {                                                                                              \
#f, offsetof(type, f), sizeof(((type *)0)->f[0]),                                          \
            sizeof(((type *)0)->f) / sizeof(((type *)0)->f[0]), 1                                  \
    }

/* Output wires the board connects: `count` consecutive struct irq at offset. */
struct device_wire {
    const char *name;
    u32 offset, count;
};

struct device {
    const struct device_class *cls;
    const char *name; /* instance name, owned by the board */
    struct host_if *host;
    struct device *next;
};

struct device_class {
    const char *name, *help;
    size_t size; /* of the struct that starts with struct device */
    u32 version;
    const struct device_option *options; /* ends at name == NULL; may be NULL */
    const struct device_field *fields;
    const struct device_wire *outputs;
    int (*init)(struct device *d, struct error *e);
    void (*reset)(struct device *d, enum reset_kind kind);
    void (*post_load)(struct device *d, u32 version);
    void (*input)(void *device, int pin, bool level); /* input pins; NULL when it has none */
    void (*info)(struct device *d, struct text *t);   /* for `info NAME` */
    void (*fini)(struct device *d);
};

struct device *device_create(const struct device_class *cls, const char *name,
                             struct host_if *host);
void device_destroy(struct device *d); /* calls fini */
int device_set_option(struct device *d, const char *name, const char *value, struct error *e);
int device_set_ptr(struct device *d, const char *name, void *p); /* -1: no such OPT_PTR */
int device_connect(struct device *d, const char *output, unsigned index,
                   struct irq to); /* -1: no such wire */
static inline struct irq device_input(struct device *d, int pin)
{
    return irq_make(d->cls->input, d, pin);
}
int device_init(struct device *d, struct error *e);

#endif
