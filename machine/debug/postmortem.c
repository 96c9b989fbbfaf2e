/* The post-mortem of a triple fault (postmortem.h). Reads only; never changes the machine. */
#include "machine/debug/postmortem.h"

#include "machine/core/trace.h"
#include "machine/machine.h"

#define LAST_EVENTS 64

/* One instruction: address, bytes, text. Returns its length. */
static unsigned code_line(struct machine *m, u64 pc, struct text *t)
{
    struct text insn;
    u8 bytes[16];
    text_init(&insn);
    unsigned len = cpu_disasm(m->cpu, pc, &insn);
    size_t n = cpu_peek_linear(m->cpu, pc, bytes, MIN(len, sizeof(bytes)));
    text_add(t, "%016llx  ", (unsigned long long)pc);
    for (unsigned k = 0; k < 8 || k < n; k++) {
        if (k < n)
            text_add(t, "%02x ", bytes[k]);
        else
            text_add(t, "   ");
    }
    text_add(t, " %s\n", insn.s ? insn.s : "?");
    text_free(&insn);
    return len;
}

void postmortem(struct machine *m, struct text *t)
{
    bool ok;
    text_add(t, "--- registers ---\n");
    cpu_info_registers(m->cpu, t);
    text_add(t, "--- code at rip ---\n");
    u64 pc = cpu_pc_linear(m->cpu);
    for (unsigned k = 0; k < 6; k++) pc += code_line(m, pc, t);
    u64 cr2 = cpu_get_reg(m->cpu, "cr2", &ok);
    text_add(t, "--- page walk of cr2 %llx ---\n", (unsigned long long)cr2);
    cpu_info_page_walk(m->cpu, cr2, t);
    text_add(t, "--- last events ---\n");
    trace_dump(t, LAST_EVENTS);
}
