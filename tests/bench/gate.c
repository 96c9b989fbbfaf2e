/*
 * gate.c: the integer workloads of the benchmark as a bare-metal program, 64-bit, started by the
 * multiboot loader: a fixed amount of work for `make bench-gate`, which looks at the translator's
 * counters and not at seconds. On port E9h a line a workload, "GATE name checksum", and "GATE-DONE".
 * Library: tests/w7/bm/bm.h.
 */
#include "tests/bench/work.h"
#include "tests/w7/bm/bm.h"

enum { ROUNDS = 3 };

static void run(const struct work *w)
{
    for (; w->name; w++) {
        u64 sum = 0;
        bool steady = true;
        for (int k = 0; k < ROUNDS; k++) {
            u64 again = w->run();
            steady &= !k || again == sum;
            sum = again;
        }
        bm_printf("GATE %s %016llx%s\n", w->name, (unsigned long long)sum, steady ? "" : " UNSTEADY");
    }
}

void bm_main(const struct bm_info *info)
{
    (void)info;
    run(work_int);
    run(work_codec);
    bm_printf("GATE-DONE\n");
    /* For the monitor's script, which reads the counters and ends the emulator. */
    for (const char *s = "GATE-DONE\n"; *s; s++) {
        while (!(inb(0x3fd) & 0x20)) {
        }
        outb(0x3f8, (u8)*s);
    }
    for (;;) __asm__ volatile("cli; hlt");
}
