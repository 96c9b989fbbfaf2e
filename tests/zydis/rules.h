/* What the comparison with Zydis knows about the two vocabularies: instruction sets that no CPU
 * model of ours has, names that differ, and the list of differences that are right (rules.c). */
#ifndef TESTS_ZYDIS_RULES_H
#define TESTS_ZYDIS_RULES_H

#include <Zydis/Zydis.h>

#include "cpu/decode.h"

enum { RULES_MAX = 32, RULE_RUNS_AS_UD = 0, RULE_SIB_BASE, RULE_SELECTOR };

/* Does the CPU core mean to implement this? */
bool is_offered(const ZydisDecodedInstruction *z);
bool same_name(const char *ours, const char *theirs);
/* The number of the rule that allows this difference, or -1. z is NULL: undefined to Zydis; r is
 * NULL: undefined to us. why is what disagreement() said. */
int allowed_by(const struct insn *i, const struct op_row *r, const ZydisDecodedInstruction *z,
               const char *why);
const char *rule_reason(unsigned rule);

#endif
