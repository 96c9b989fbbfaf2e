/* What a program in place of the BIOS finds: quiet interrupt controllers, ROMs of 64 and 128 KiB,
 * the test device when asked for. */
#include "tests/unit/machine_rig.h"

static struct rig r;

static void setup(void)
{
    memset(&r, 0, sizeof(r));
}

static void teardown(void)
{
    rig_close(&r);
}

START_TEST(absent_unless_asked_for)
{
    rig_open(&r, NULL, 0, NULL);
    ck_assert_ptr_null(board_device(r.m, "testdev"));
    ck_assert_uint_eq(bus_read(&r.m->mem, 0xff000000, 4), 0xffffffff);
}
END_TEST

START_TEST(lines_reach_both_interrupt_controllers)
{
    rig_open(&r, NULL, 0, "set", "testdev=on", NULL);
    struct bus *io = &r.m->io;
    bus_write(io, 0x200e, 1, 1); /* ISA 14 */
    bus_write(io, 0xa0, 0x0a, 1);
    ck_assert_uint_eq(bus_read(io, 0xa0, 1), 0x40);
    bus_write(io, 0x2011, 1, 1); /* I/O APIC 17 only */
    bus_write(&r.m->mem, 0xfec00000, 0x10 + 34, 4);
    bus_write(&r.m->mem, 0xfec00010, 0x8041, 4);
    ck_assert_uint_eq(bus_read(&r.m->mem, 0xfec00010, 4), 0xc041); /* Remote IRR: sent */
}
END_TEST

/* A flat ROM may enable interrupts without programming anything. */
START_TEST(interrupts_are_quiet_after_power_on)
{
    static const u8 code[] = { 0xfb, 0x90, 0x90, 0xb0, 1, 0xe6, 0xf4, 0xf4 }; /* sti; ...; exit 1 */
    rig_open(&r, code, sizeof(code), NULL);
    for (unsigned port = 0x20; port <= 0xa0; port += 0x80) {
        ck_assert_uint_eq(bus_read(&r.m->io, port + 1, 1), 0xff);
        bus_write(&r.m->io, port, 0x0a, 1);
        ck_assert_uint_eq(bus_read(&r.m->io, port, 1), 0);
    }
    bus_write(&r.m->io, 0x43, 0xe2, 1); /* status of channel 0 */
    ck_assert_uint_eq(bus_read(&r.m->io, 0x40, 1) & 0xc0, 0x40);
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, 3);
}
END_TEST

/* 128 KiB: the lower half answers at E0000h and below the reset vector's half. */
START_TEST(rom_of_128_kib_answers_below_1_mib_and_4_gib)
{
    static u8 rom[131072];
    rig_prepare(&r, NULL, 0);
    rom[0] = 0x5a;
    rom[0x1ffff] = 0xa5;
    rig_write(&r, "bios.bin", rom, sizeof(rom));
    r.m = machine_create(&r.cfg, &r.e);
    ck_assert_msg(r.m != NULL, "%s", r.e.text);
    ck_assert_uint_eq(bus_read(&r.m->mem, 0xe0000, 1), 0x5a);
    ck_assert_uint_eq(bus_read(&r.m->mem, 0xfffe0000, 1), 0x5a);
    ck_assert_uint_eq(bus_read(&r.m->mem, 0xfffff, 1), 0xa5);
}
END_TEST

RIG_SUITE(flat_rom, absent_unless_asked_for, lines_reach_both_interrupt_controllers,
          interrupts_are_quiet_after_power_on, rom_of_128_kib_answers_below_1_mib_and_4_gib)
