/* One processor that answers a question: does executing these bytes raise #UD? For encodings that
 * the decoder lets through because their handler refuses them (MOV to CS, protected-mode
 * instructions in real mode). */
#ifndef TESTS_ZYDIS_BOX_H
#define TESTS_ZYDIS_BOX_H

#include "machine/core/types.h"

struct box {
    struct rig *r;
    unsigned bits;
    bool real;
};

void box_open(struct box *b, unsigned bits, bool real);
void box_close(struct box *b);
/* At the highest privilege, with everything switched on that can be, registers 0. */
bool runs_as_undefined(struct box *b, const u8 *code, unsigned len);

#endif
