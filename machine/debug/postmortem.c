/* The post-mortem of a triple fault (postmortem.h). Reads only; never changes the machine. */
#include "machine/debug/postmortem.h"

#include "machine/core/trace.h"
#include "machine/machine.h"

#define LAST_EVENTS 64

void postmortem(struct machine *m, struct text *t)
{
    bool ok;
    text_add(t, "--- registers ---\n");
    cpu_info_registers(m->cpu, t);
    text_add(t, "--- code ---\n");
    u64 pc = cpu_pc_linear(m->cpu);
    for (unsigned k = 0; k < 6; k++) {
        text_add(t, "%016llx  ", (unsigned long long)pc);
        pc += cpu_disasm(m->cpu, pc, t);
        text_add(t, "\n");
    }
    u64 cr2 = cpu_get_reg(m->cpu, "cr2", &ok);
    text_add(t, "--- page walk of cr2 %llx ---\n", (unsigned long long)cr2);
    cpu_info_page_walk(m->cpu, cr2, t);
    text_add(t, "--- last events ---\n");
    trace_dump(t, LAST_EVENTS);
}
