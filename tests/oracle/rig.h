/* The CPU core in a box for the oracle programs: RAM, page tables, descriptor tables and windows as
 * the recorded vectors assume them (ovec.h), user state loaded and read back directly. The unit
 * test of the recorded vectors and the native generator (native.c) share it. rig_new() ends the
 * program with a message when the model does not exist: nothing can be tested then. */
#ifndef TESTS_ORACLE_RIG_H
#define TESTS_ORACLE_RIG_H

#include "cpu/exec.h"
#include "machine/core/device.h"
#include "tests/unit/ovec.h"

#define RAM_SIZE (4 * MIB)
enum {
    P_PML4 = 0x1000,
    P_TABLES = 0x2000,
    P_SYS = 0x20000,
    P_CODE = 0x100000,
    P_DATA = 0x110000,
    P_RO = 0x120000,
    P_STACK = 0x130000
};
struct rig {
    bool legacy; /* 32-bit protected mode with PAE paging instead of long mode */
    u64 sys;     /* SYS_LONG or SYS_LEGACY */
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct region ram;
    u8 *m;
    u64 next_table;
    struct cpu *c;
    u8 bg_data[OV_DATA_L], bg_stack[OV_STACK_L], bg_ro[OV_RO_L], want_data[OV_DATA_L],
        want_stack[OV_STACK_L];
};

struct outcome {
    ov_state s;
    u8 exc;
    u32 err;
    u64 cr2;
};

/* legacy: 32-bit protected mode with PAE paging instead of long mode (for 32- and 16-bit code). The
 * engine is AEROPC_ENGINE's, without it the interpreter; rig_with() names it (cpu.h). */
struct rig *rig_new(const char *model, bool legacy);
struct rig *rig_with(const char *model, bool legacy, const char *engine);
void rig_free(struct rig *r);
/* Host address behind a linear address inside one of the windows. */
u8 *rig_window(struct rig *r, u32 addr);
/* Registers and system state for one run at CPL 3; memory is the caller's. */
void rig_load_state(struct rig *r, const ov_state *s);
/* The state now or, when an exception was delivered, the state its handler was entered with. */
void rig_read_state(struct rig *r, struct outcome *o);

/* Two 80-bit values within 2^6 units in the last place; four reciprocal estimates within 2^-10. */
bool rig_close80(const u8 *a, const u8 *b);
bool rig_estimates_close(const u8 *a, const u8 *b);
const char *rig_reg_name(unsigned reg, char buf[16]);

#endif
