/* What is printed when the guest triple-faults: registers, code, page walk of the faulting address,
 * the last trace events. */
#ifndef DEBUG_POSTMORTEM_H
#define DEBUG_POSTMORTEM_H

#include "machine/core/text.h"

struct machine;

void postmortem(struct machine *m, struct text *t);

#endif
