/* A wire. The driver of a wire holds a struct irq by value; irq_set() tells the receiver the level.
 * Always levels: an edge is two calls. An unconnected wire (set == NULL) is legal. Sharing is an
 * irq_or node. */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include "machine/core/types.h"

struct irq {
    void (*set)(void *opaque, int pin, bool level);
    void *opaque;
    int pin;
};

static inline void irq_set(const struct irq *w, bool level)
{
    if (w->set) w->set(w->opaque, w->pin, level);
}

static inline struct irq irq_make(void (*set)(void *, int, bool), void *opaque, int pin)
{
    return (struct irq){ set, opaque, pin };
}

/* Or-gate with up to 64 inputs: input wires come from irq_or_input(). */
struct irq_or {
    struct irq out;
    u64 levels;
};
void irq_or_set(void *node, int pin, bool level);
static inline struct irq irq_or_input(struct irq_or *n, int pin)
{
    return (struct irq){ irq_or_set, n, pin };
}

/* One wire to two receivers. */
struct irq_split {
    struct irq a, b;
};
void irq_split_set(void *node, int pin, bool level);
static inline struct irq irq_split_input(struct irq_split *n)
{
    return (struct irq){ irq_split_set, n, 0 };
}

#endif
