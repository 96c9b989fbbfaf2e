/* The two wire nodes of irq.h: an or-gate for shared lines and a splitter. */
#include "machine/core/irq.h"

void irq_or_set(void *node, int pin, bool level)
{
    struct irq_or *n = node;
    u64 bit = BIT64(pin & 63);
    n->levels = level ? n->levels | bit : n->levels & ~bit;
    irq_set(&n->out, n->levels != 0);
}

void irq_split_set(void *node, int pin, bool level)
{
    struct irq_split *n = node;
    (void)pin;
    irq_set(&n->a, level);
    irq_set(&n->b, level);
}
