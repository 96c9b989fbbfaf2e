/* Which rows of opcodes.def ran, in which form: operand in a register or in memory, operand size,
 * VEX.L; completed or ended by an exception. Filled in by the child, read by the parent. */
#ifndef TESTS_ORACLE_COVERAGE_H
#define TESTS_ORACLE_COVERAGE_H

#include "tests/oracle/gen.h"

enum { COVER_FORMS = 16, COVER_MODES = 3 };

struct coverage {
    u32 done[COVER_MODES][GEN_ROWS_MAX][COVER_FORMS];
    u32 fault[COVER_MODES][GEN_ROWS_MAX][COVER_FORMS];
    u32 illegal[COVER_MODES][GEN_ROWS_MAX]; /* made undefined on purpose: LOCK, VEX fields */
};

/* fault_off: offset in the code of the instruction that ended the case, or the code's length. */
void coverage_note(struct coverage *c, const struct gen_case *g, u64 features, unsigned fault_off);
/* Prints what is missing; returns how many rows never ran at all. */
unsigned coverage_report(const struct coverage *c, unsigned mode, const struct gen_rows *rows);

#endif
