/* gate_native.c: the checksums of the integer workloads as this machine computes them: what gate.c
 * must print in the guest. */
#include "tests/bench/work.h"

#include <stdio.h>

static void run(const struct work *w)
{
    for (; w->name; w++) printf("%s %016llx\n", w->name, (unsigned long long)w->run());
}

int main(void)
{
    run(work_int);
    run(work_codec);
    return 0;
}
