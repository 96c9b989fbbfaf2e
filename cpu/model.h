/* A row of the CPU model table (cpuid.c): which CPU the guest sees. */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include "cpu/exec.h"

struct cpu_model {
    const char *name, *help;
    bool amd; /* vendor AuthenticAMD: also decides SYSCALL/SYSENTER/SYSRET corner cases */
    u32 signature;       /* leaf 1 EAX */
    u32 max_leaf, max_ext;
    u8 phys_bits;
    const char *brand;
    u64 features;        /* bit per enum cpu_feature */
};
_Static_assert(FT_COUNT <= 64, "features fit one word");

const struct cpu_model *model_find(const char *name);

#endif
