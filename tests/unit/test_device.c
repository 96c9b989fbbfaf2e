/* Devices by their tables: options as text, pointers, wires, failing init; and the wire nodes. */
#include "machine/core/device.h"

#include "tests/unit/harness.h"

struct gadget {
    struct device dev;
    bool on;
    u32 small;
    u64 large;
    char *name;
    void *backend;
    struct irq out[2];
    struct timer timer;
    int pin, level;
};
static unsigned finis;

static int gadget_init(struct device *d, struct error *e)
{
    struct gadget *g = (struct gadget *)d;
    return g->small == 13 ? error_set(e, "unlucky") : 0;
}

static void gadget_input(void *d, int pin, bool level)
{
    ((struct gadget *)d)->pin = pin;
    ((struct gadget *)d)->level = level;
}

static void gadget_fini(struct device *d)
{
    timer_cancel(&((struct gadget *)d)->timer);
    finis++;
}

static const struct device_option options[] = {
    { "on", OPT_BOOL, offsetof(struct gadget, on), "yes", "a switch" },
    { "small", OPT_U32, offsetof(struct gadget, small), "0x10", "a number" },
    { "large", OPT_U64, offsetof(struct gadget, large), NULL, "a larger one" },
    { "name", OPT_STR, offsetof(struct gadget, name), "none", "a word" },
    { "backend", OPT_PTR, offsetof(struct gadget, backend), NULL, "set by the board" },
    { NULL },
};
static const struct device_wire wires[] = { { "out", offsetof(struct gadget, out), 2 },
                                            { NULL, 0, 0 } };
static const struct device_class gadget_class = {
    .name = "gadget",
    .help = "for tests",
    .size = sizeof(struct gadget),
    .options = options,
    .outputs = wires,
    .init = gadget_init,
    .input = gadget_input,
    .fini = gadget_fini,
};

static struct board *b;
static struct gadget *g;
static struct error e;

static void setup(void)
{
    b = board_bare();
    g = (struct gadget *)board_add(b, &gadget_class);
}

static void teardown(void)
{
    board_free(b);
}

START_TEST(defaults_come_from_the_table)
{
    ck_assert(g->on);
    ck_assert_uint_eq(g->small, 16);
    ck_assert_uint_eq(g->large, 0);
    ck_assert_str_eq(g->name, "none");
}
END_TEST

START_TEST(options_are_parsed_and_bounded)
{
    struct device *d = &g->dev;
    ck_assert_int_eq(device_set_option(d, "on", "off", &e), 0);
    ck_assert(!g->on);
    ck_assert_int_eq(device_set_option(d, "large", "0xffffffffffffffff", &e), 0);
    ck_assert_uint_eq(g->large, UINT64_MAX);
    ck_assert_int_eq(device_set_option(d, "name", "a", &e), 0);
    ck_assert_int_eq(device_set_option(d, "name", "other", &e), 0);
    ck_assert_str_eq(g->name, "other");
    ck_assert_int_eq(device_set_option(d, "small", "0x100000000", &e), -1);
    ck_assert_int_eq(device_set_option(d, "small", "12x", &e), -1);
    ck_assert_int_eq(device_set_option(d, "small", "", &e), -1);
    ck_assert_int_eq(device_set_option(d, "on", "maybe", &e), -1);
    ck_assert_uint_eq(g->small, 16);
}
END_TEST

START_TEST(unknown_options_name_the_way_to_the_list)
{
    ck_assert_int_eq(device_set_option(&g->dev, "colour", "red", &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--help gadget"));
    ck_assert_int_eq(device_set_option(&g->dev, "backend", "1", &e),
                     -1); /* pointers are the board's */
}
END_TEST

START_TEST(pointers_and_wires_by_name)
{
    int x;
    ck_assert_int_eq(device_set_ptr(&g->dev, "backend", &x), 0);
    ck_assert_ptr_eq(g->backend, &x);
    ck_assert_int_eq(device_set_ptr(&g->dev, "small", &x), -1);
    struct wire *w = board_wire(b, &g->dev, "out", 1);
    irq_set(&g->out[1], true);
    irq_set(&g->out[0], true); /* not connected: legal */
    ck_assert(w->level);
    ck_assert_int_eq(device_connect(&g->dev, "out", 2, (struct irq){ 0 }), -1);
    ck_assert_int_eq(device_connect(&g->dev, "in", 0, (struct irq){ 0 }), -1);
}
END_TEST

START_TEST(failing_init_says_whose_it_was)
{
    ck_assert_int_eq(device_set_option(&g->dev, "small", "13", &e), 0);
    ck_assert_int_eq(device_init(&g->dev, &e), -1);
    ck_assert_str_eq(e.text, "gadget: unlucky");
}
END_TEST

START_TEST(a_device_that_was_never_started_can_be_destroyed)
{
    finis = 0;
    device_destroy(device_create(&gadget_class, "spare", &b->host));
    ck_assert_uint_eq(finis, 1);
}
END_TEST

START_TEST(or_gate_is_high_while_any_input_is)
{
    struct irq_or node = { .out = irq_make(gadget_input, g, 5) };
    struct irq a = irq_or_input(&node, 0), c = irq_or_input(&node, 63);
    irq_set(&a, true);
    irq_set(&c, true);
    irq_set(&a, false);
    ck_assert_int_eq(g->level, 1);
    irq_set(&c, false);
    ck_assert_int_eq(g->level, 0);
    ck_assert_int_eq(g->pin, 5);
}
END_TEST

START_TEST(splitter_drives_both)
{
    struct gadget *h = (struct gadget *)board_add(b, &gadget_class);
    struct irq_split node = { device_input(&g->dev, 1), device_input(&h->dev, 2) };
    struct irq in = irq_split_input(&node);
    irq_set(&in, true);
    ck_assert_int_eq(g->pin + h->pin, 3);
    ck_assert_int_eq(g->level + h->level, 2);
}
END_TEST

UNIT_SUITE(device, defaults_come_from_the_table, options_are_parsed_and_bounded,
           unknown_options_name_the_way_to_the_list, pointers_and_wires_by_name,
           failing_init_says_whose_it_was, a_device_that_was_never_started_can_be_destroyed,
           or_gate_is_high_while_any_input_is, splitter_drives_both)
