/* The Windows 7 checklist's statements about time that a guest cannot judge alone: what the clocks
 * of the real board do when the host stalls, is slow, or keeps up. The host's time passes by moving
 * host_base; while clock_pause() holds, all chips are read at the same moment. */
#include "tests/unit/machine_rig.h"

#include "cpu/exec.h"             /* cpu_tsc */
#include "machine/board/wiring.h" /* board_pci_irqs */

static struct rig r;
static struct clock *c;

static void setup(void)
{
    rig_open(&r, NULL, 0, "hpet", "on", NULL);
    c = &r.m->clock;
    clock_resume(c);
    bus_write(&r.m->io, 0xcf8, 0x80000b40, 4); /* PM base 600h */
    bus_write(&r.m->io, 0xcfc, 0x601, 4);
    bus_write(&r.m->io, 0xcf8, 0x80000b80, 4);
    bus_write(&r.m->io, 0xcfc, 1, 4);
    bus_write(&r.m->io, 0xcf8, 0x80000b04, 4);
    bus_write(&r.m->io, 0xcfc, 1, 4);
    bus_write(&r.m->mem, 0xfed00010, 1, 4);
    bus_write(&r.m->io, 0x43, 0x34, 1);
    bus_write(&r.m->io, 0x40, 0, 1);
    bus_write(&r.m->io, 0x40, 0, 1);
}

static void teardown(void)
{
    rig_close(&r);
}

static void host_passes(u64 ns)
{
    c->host_base -= ns;
}

struct moment {
    u64 ns, pm, hpet, pit, tsc;
};

static struct moment look(void)
{
    clock_pause(c);
    struct moment m = { .ns = clock_now(c) };
    m.pm = bus_read(&r.m->io, 0x608, 4);
    m.hpet = bus_read(&r.m->mem, 0xfed000f0, 8);
    bus_write(&r.m->io, 0x43, 0, 1);
    m.pit = bus_read(&r.m->io, 0x40, 1);
    m.pit |= bus_read(&r.m->io, 0x40, 1) << 8;
    m.tsc = cpu_tsc(r.m->cpu);
    clock_resume(c);
    return m;
}

/* All spans between two moments are the same time, give or take two ticks of each clock. */
static void expect_agreement(const struct moment *a, const struct moment *b)
{
    u64 ns = b->ns - a->ns;
    u64 pm = (b->pm - a->pm) & 0xffffff, hpet = b->hpet - a->hpet, pit = (a->pit - b->pit) & 0xffff;
    u64 want_pm = mul_div(ns, 3579545, NS_PER_SEC) & 0xffffff;
    u64 want_pit = mul_div(ns, 1193182, NS_PER_SEC) & 0xffff;
    ck_assert_uint_le((pm - want_pm + 2) & 0xffffff, 4);
    ck_assert_uint_le((pit - want_pit + 2) & 0xffff, 4);
    ck_assert_uint_le(hpet - ns / 10 + 2, 4);
    ck_assert_uint_le(b->tsc - a->tsc - ns * 2 + 8, 16);
}

START_TEST(w7_145_clocks_agree_under_load_and_after_host_pauses)
{
    struct moment first = look(), last = first;
    u64 seed = 12345;
    for (unsigned k = 0; k < 500; k++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        u64 pause = seed >> 40; /* up to 16 ms */
        if (k % 100 == 99) pause = 5 * NS_PER_SEC;
        host_passes(pause);
        clock_run_due(c, 16);
        struct moment now = look();
        expect_agreement(&last, &now);
        last = now;
    }
    expect_agreement(&first, &last);
}
END_TEST

START_TEST(w7_157_tsc_never_decreases_across_host_pauses)
{
    u64 last = 0;
    for (unsigned k = 0; k < 1000; k++) {
        host_passes(k % 50 == 49 ? NS_PER_SEC : k * 1000);
        if (k % 10 == 0) clock_set_limit(c, clock_now(c) + 1000);
        if (k % 10 == 5) clock_set_limit(c, UINT64_MAX);
        u64 now = cpu_tsc(r.m->cpu);
        ck_assert_uint_ge(now, last);
        last = now;
    }
}
END_TEST

/* The CPU gets a tenth of what it needs: before each slice of 1 ms the run loop sets the limit. */
START_TEST(w7_160_on_a_slow_host_no_clock_runs_faster_than_the_cpu)
{
    struct moment before = look();
    for (unsigned k = 0; k < 200; k++) {
        u64 slice = clock_now(c) + 1000000;
        clock_set_limit(c, slice);
        host_passes(10000000);
        ck_assert_uint_le(clock_now(c), slice);
        clock_run_due(c, 16);
    }
    struct moment after = look();
    ck_assert_uint_le(after.ns - before.ns, 201000000);
    expect_agreement(&before, &after);
}
END_TEST

/* Descheduled for 40 s: virtual time stood still for all, clock interrupts go on at once. */
START_TEST(w7_183_a_frozen_process_stops_virtual_time)
{
    struct moment before = look();
    host_passes(40 * NS_PER_SEC);
    struct moment after = look();
    ck_assert_uint_lt(after.ns - before.ns, NS_PER_SEC);
    expect_agreement(&before, &after);
}
END_TEST

/* Ten minutes in steps of 1 ms with everything due run: the wall clock follows the host. */
START_TEST(w7_159_wall_clock_follows_a_host_that_keeps_up)
{
    u64 from, to, start = clock_host_ns();
    u32 ns;
    clock_wall(c, &from, &ns);
    for (unsigned k = 0; k < 600000; k++) {
        host_passes(1000000);
        clock_run_due(c, 16);
        clock_catch_up(c, clock_deadline(c)); /* the guest is idle now and then */
    }
    clock_wall(c, &to, &ns);
    u64 real = (clock_host_ns() - start) / NS_PER_SEC;
    ck_assert_uint_ge(to - from, 599);
    ck_assert_uint_le(to - from, 601 + real);
}
END_TEST

/* W7-179: what a PCI link may be routed to is no edge user's line. */
START_TEST(w7_179_no_line_is_both_level_and_edge)
{
    static const u8 edge[] = { 0, 1, 2, 3, 4, 6, 7, 8, 12, 13, 14, 15 };
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned n = 0; n < sizeof(edge); n++) ck_assert_uint_ne(board_pci_irqs[k], edge[n]);
    }
}
END_TEST

RIG_SUITE(w7_clocks, w7_145_clocks_agree_under_load_and_after_host_pauses,
          w7_157_tsc_never_decreases_across_host_pauses,
          w7_160_on_a_slow_host_no_clock_runs_faster_than_the_cpu,
          w7_183_a_frozen_process_stops_virtual_time,
          w7_159_wall_clock_follows_a_host_that_keeps_up, w7_179_no_line_is_both_level_and_edge)
