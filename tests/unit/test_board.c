/* The real board: PCI enumeration as device-set.md section 2 has it, wires, disks in their places,
 * profiles, resets, two machines in one process, and what a wrong configuration is told. */
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

static const struct pci_row {
    u8 dev, fn;
    u32 id, class_rev; /* registers 00h and 08h */
    u8 pin;
} expected[] = {
    { 0, 0, 0x12378086, 0x06000002, 0 },  { 1, 0, 0x70008086, 0x06010000, 0 },
    { 1, 1, 0x70108086, 0x01018000, 0 },  { 1, 3, 0x71138086, 0x06800003, 1 },
    { 2, 0, 0x29228086, 0x01060102, 1 },  { 7, 0, 0x0001a3a0, 0x03000000, 1 },
    { 12, 0, 0x11111234, 0x03000002, 0 },
};

static void enumerate(struct machine *m, u32 missing)
{
    unsigned found = 0, rows = 0;
    for (unsigned k = 0; k < LEN(expected); k++) {
        const struct pci_row *row = &expected[k];
        bool there = !(missing & BIT(row->dev));
        ck_assert_uint_eq(rig_pci(m, row->dev, row->fn, 0), there ? row->id : 0xffffffff);
        if (!there) continue;
        rows++;
        ck_assert_msg(rig_pci(m, row->dev, row->fn, 8) == row->class_rev, "%u.%u class %x",
                      row->dev, row->fn, rig_pci(m, row->dev, row->fn, 8));
        ck_assert_uint_eq(rig_pci(m, row->dev, row->fn, 0x3c) >> 8 & 0xff, row->pin);
    }
    for (unsigned devfn = 0; devfn < 256; devfn++)
        found += rig_pci(m, devfn >> 3, devfn & 7, 0) != 0xffffffff;
    ck_assert_uint_eq(found, rows);
    ck_assert_uint_eq(rig_pci(m, 1, 0, 0x0c) >> 16 & 0xff, 0x80); /* several functions */
}

START_TEST(pci_functions_are_those_of_the_device_set)
{
    rig_open(&r, NULL, 0, NULL);
    enumerate(r.m, 0);
}
END_TEST

START_TEST(profiles_leave_out_display_functions)
{
    rig_open(&r, NULL, 0, "profile", "vga", NULL);
    enumerate(r.m, BIT(7));
    rig_close(&r);
    rig_open(&r, NULL, 0, "profile", "aerogpu", NULL);
    enumerate(r.m, BIT(12));
}
END_TEST

START_TEST(aerogpu_identifies_itself)
{
    rig_open(&r, NULL, 0, NULL);
    ck_assert_uint_eq(rig_pci(r.m, 7, 0, 0x2c), 0x0001a3a0);
    rig_pci_write(r.m, 7, 0, 0x10, 0xffffffff);
    ck_assert_uint_eq(rig_pci(r.m, 7, 0, 0x10), 0xffff0000); /* 64 KiB */
    rig_pci_write(r.m, 7, 0, 0x14, 0xffffffff);
    ck_assert_uint_eq(rig_pci(r.m, 7, 0, 0x14), 0xfc000008); /* 64 MiB, prefetchable */
    rig_pci_write(r.m, 7, 0, 0x04, 7); /* no ports: nobody may take it for the VGA next door */
    ck_assert_uint_eq(rig_pci(r.m, 7, 0, 0x04) & 7, 6);
    rig_close(&r);
    rig_open(&r, NULL, 0, "profile", "aerogpu", NULL);
    rig_pci_write(r.m, 7, 0, 0x04, 7);
    ck_assert_uint_eq(rig_pci(r.m, 7, 0, 0x04) & 7, 7);
}
END_TEST

START_TEST(fixed_ports_answer)
{
    rig_open(&r, NULL, 0, NULL);
    struct bus *io = &r.m->io;
    ck_assert_uint_eq(bus_read(io, 0xe9, 1), 0xe9);
    bus_write(io, 0x3ff, 0x5a, 1); /* scratch registers of both serial ports */
    bus_write(io, 0x2ff, 0xa5, 1);
    ck_assert_uint_eq(bus_read(io, 0x3ff, 1), 0x5a);
    ck_assert_uint_eq(bus_read(io, 0x2ff, 1), 0xa5);
    ck_assert_uint_ne(bus_read(io, 0x64, 1), 0xff);
    ck_assert_uint_ne(bus_read(io, 0x3f4, 1), 0xff);
    ck_assert_uint_eq(bus_read(io, 0x1cf, 2), 0xffff); /* the display's own decode bit is off */
    rig_pci_write(r.m, 12, 0, 0x04, 1);
    ck_assert_uint_ne(bus_read(io, 0x1cf, 2), 0xffff);
}
END_TEST

START_TEST(isa_wires_reach_the_8259)
{
    rig_open(&r, NULL, 0, NULL);
    struct bus *io = &r.m->io;
    static const u8 init[][3] = { { 0x20, 0x11 }, { 0x21, 0x08 }, { 0x21, 4 }, { 0x21, 1 },
                                  { 0xa0, 0x11 }, { 0xa1, 0x70 }, { 0xa1, 2 }, { 0xa1, 1 } };
    for (unsigned k = 0; k < LEN(init); k++) bus_write(io, init[k][0], init[k][1], 1);
    bus_write(io, 0x20, 0x0a, 1);  /* read IRR */
    bus_write(io, 0x3fc, 0x08, 1); /* OUT2 */
    bus_write(io, 0x3f9, 0x02, 1); /* transmitter empty */
    ck_assert_uint_ne(bus_read(io, 0x20, 1) & BIT(4), 0);
    bus_write(io, 0x2fc, 0x08, 1);
    bus_write(io, 0x2f9, 0x02, 1);
    ck_assert_uint_ne(bus_read(io, 0x20, 1) & BIT(3), 0);
}
END_TEST

START_TEST(memory_map_has_ram_bios_and_ioapic)
{
    rig_open(&r, NULL, 0, NULL);
    struct bus *mem = &r.m->mem;
    bus_write(mem, 0x100000, 0x12345678, 4);
    ck_assert_uint_eq(bus_read(mem, 0x100000, 4), 0x12345678);
    ck_assert_uint_eq(bus_read(mem, 64 * MIB, 4), 0xffffffff);
    ck_assert_uint_eq(bus_read(mem, 0xfffffff0, 1), 0xe9);
    ck_assert_uint_eq(bus_read(mem, 0xffff0, 1), 0xe9);
    bus_write(mem, 0xfec00000, 1, 4);
    ck_assert_uint_eq(bus_read(mem, 0xfec00010, 4) >> 16 & 0xff, 23); /* 24 pins */
}
END_TEST

START_TEST(ram_above_the_pci_hole)
{
    rig_open(&r, NULL, 0, "memory", "4G", NULL); /* reserved, not touched */
    struct bus *mem = &r.m->mem;
    bus_write(mem, 4 * GIB + 0x1000, 0x77, 1);
    ck_assert_uint_eq(bus_read(mem, 4 * GIB + 0x1000, 1), 0x77);
    ck_assert_uint_eq(r.m->low_size, 3 * GIB);
    ck_assert_uint_eq(bus_read(mem, 5 * GIB, 1), 0xff);
}
END_TEST

START_TEST(disks_sit_where_the_user_put_them)
{
    static u8 zero[65536];
    rig_prepare(&r, NULL, 0);
    rig_write(&r, "disk.img", zero, sizeof(zero));
    char *ahci = rig_path(&r, "disk.img"), *ide = xasprintf("%s,if=ide", ahci);
    ck_assert_int_eq(config_set(&r.cfg, "disk", ahci, &r.e) |
                         config_set(&r.cfg, "disk", ide, &r.e) |
                         config_set(&r.cfg, "throwaway", "on", &r.e),
                     0);
    r.m = machine_create(&r.cfg, &r.e);
    ck_assert_msg(r.m != NULL, "%s", r.e.text);
    ck_assert_ptr_nonnull(board_device(r.m, "ahci0"));
    ck_assert_ptr_nonnull(board_device(r.m, "ide0"));
    ck_assert_ptr_null(board_device(r.m, "ahci1"));
    bus_write(&r.m->io, 0x1f6, 0xa0, 1);
    ck_assert_uint_eq(bus_read(&r.m->io, 0x1f7, 1) & 0x50, 0x50); /* ready, seek complete */
    free(ahci);
    free(ide);
}
END_TEST

static void expect_refused(const char *name, const char *value, const char *word)
{
    rig_prepare(&r, NULL, 0);
    ck_assert_int_eq(config_set(&r.cfg, name, value, &r.e), 0);
    ck_assert_ptr_null(machine_create(&r.cfg, &r.e));
    ck_assert_msg(strstr(r.e.text, word) != NULL, "%s", r.e.text);
}

/* The disc drive is IDE's secondary master, or takes the first AHCI port behind the disks. */
START_TEST(cd_drive_sits_where_the_user_put_it)
{
    static u8 zero[65536];
    struct text t;
    text_init(&t);
    rig_prepare(&r, NULL, 0);
    rig_write(&r, "disk.img", zero, sizeof(zero));
    char *disk = rig_path(&r, "disk.img"), *cd = xasprintf("%s,if=ahci", disk);
    ck_assert_int_eq(config_set(&r.cfg, "disk", disk, &r.e) | config_set(&r.cfg, "cdrom", cd, &r.e) |
                         config_set(&r.cfg, "throwaway", "on", &r.e), 0);
    r.m = machine_create(&r.cfg, &r.e);
    ck_assert_msg(r.m != NULL, "%s", r.e.text);
    struct device *ahci = board_device(r.m, "ahci");
    ahci->cls->info(ahci, &t);
    ck_assert_ptr_nonnull(strstr(t.s, "port 1: cd0"));
    ck_assert_uint_eq(bus_read(&r.m->io, 0x177, 1), 0x7f); /* nothing on the secondary channel */
    rig_close(&r);
    expect_refused("cdrom", "/nosuch.iso,if=usb", "if=usb");
    text_free(&t);
    free(cd);
    free(disk);
}
END_TEST

START_TEST(two_machines_in_one_process)
{
    struct rig two;
    rig_open(&r, NULL, 0, "clock", "insn", NULL);
    rig_open(&two, NULL, 0, "clock", "insn", NULL);
    bus_write(&r.m->io, 0x3ff, 0x11, 1);
    bus_write(&two.m->io, 0x3ff, 0x22, 1);
    bus_write(&r.m->mem, 0x5000, 0x1111, 4);
    rig_pci_write(r.m, 12, 0, 0x10, 0xe0000000);
    ck_assert_uint_eq(bus_read(&r.m->io, 0x3ff, 1), 0x11);
    ck_assert_uint_eq(bus_read(&two.m->io, 0x3ff, 1), 0x22);
    ck_assert_uint_eq(bus_read(&two.m->mem, 0x5000, 4), 0);
    ck_assert_uint_ne(rig_pci(r.m, 12, 0, 0x10), rig_pci(two.m, 12, 0, 0x10));
    rig_close(&two);
    for (unsigned k = 0; k < 3; k++) cpu_run(r.m->cpu, 10); /* a kick may be pending */
    ck_assert(cpu_is_idle(r.m->cpu));
    ck_assert_uint_eq(bus_read(&r.m->io, 0x3ff, 1), 0x11);
}
END_TEST

START_TEST(guest_code_ends_the_process_with_its_status)
{
    static const u8 code[] = { 0xb0, 0x15, 0xe6, 0xf4, 0xf4 }; /* mov al, 15h; out F4h, al; hlt */
    rig_open(&r, code, sizeof(code), "clock", "insn", NULL);
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, 43);
}
END_TEST

START_TEST(triple_fault_resets)
{
    /* The second time the scratch register of COM1 (zero after power-on) is not zero: out F4h. Else
     * lidt of zeros, int3. */
    static const u8 code[] = {
        0xb0, 0x01, 0xe6, 0x80,                   /* port 80h */
        0xba, 0x00, 0x05, 0x31, 0xc0, 0x8e, 0xd8, /* mov dx, 500h; ds = 0 */
        0x89, 0xd3, 0x83, 0x3f, 0x00, 0x75, 0x0b, /* mov bx, dx; cmp word [bx], 0; jne */
        0xc7, 0x07, 0x01, 0x00, 0x0f, 0x01, 0x1e,
        0x00, 0x06, 0xcc, 0xf4, /* mov word [bx], 1; lidt [600h]; int3 */
        0xb0, 0x07, 0xe6, 0xf4, 0xf4,
    };
    rig_open(&r, code, sizeof(code), "clock", "insn", NULL);
    freopen("/dev/null", "w", stderr); /* the post-mortem */
    machine_run(r.m);
    ck_assert_int_eq(r.m->exit_status, 15);
    ck_assert_uint_eq(r.m->resets, 1);
}
END_TEST

START_TEST(wrong_configurations_are_refused_and_released)
{
    static const struct {
        const char *name, *value, *word;
    } rows[] = {
        { "boot", "usb", "--boot usb" },           { "set", "nosuch.x=1", "no device 'nosuch'" },
        { "set", "com1.nosuch=1", "no option" },   { "set", "rtc.nosuch=1", "no option" },
        { "set", "vga.nosuch=1", "no option" },    { "cpu", "z80", "--cpu" },
        { "serial", "smoke", "--serial" },         { "debugcon", "smoke", "--debugcon" },
        { "disk", "/nosuch.img", "no such file" }, { "disk", "/nosuch.img,if=scsi", "if=scsi" },
        { "cdrom", "/nosuch.iso", "no such" },     { "bios", "/dev/null", "empty" },
        { "vgabios", "/nosuch", "No such file" },
    };
    rig_prepare(&r, NULL, 0);
    for (unsigned k = 0; k < LEN(rows); k++) {
        rig_close(&r);
        expect_refused(rows[k].name, rows[k].value, rows[k].word);
    }
}
END_TEST

START_TEST(boot_order_reaches_the_firmware)
{
    rig_open(&r, NULL, 0, "boot", "cdrom,disk", NULL);
    bus_write(&r.m->io, 0x70, 0x3d, 1);
    ck_assert_uint_eq(bus_read(&r.m->io, 0x71, 1), 0x23); /* CD, then disk */
    rig_close(&r);
    rig_open(&r, NULL, 0, "boot", "floppy,menu,cdrom", NULL); /* the menu is asked for, not a device */
    bus_write(&r.m->io, 0x70, 0x3d, 1);
    ck_assert_uint_eq(bus_read(&r.m->io, 0x71, 1), 0x31);
}
END_TEST

START_TEST(every_device_class_describes_itself)
{
    struct text t;
    struct device *d;
    rig_open(&r, NULL, 0, "hpet", "on", NULL);
    text_init(&t);
    for (unsigned k = 0; (d = board_device_at(r.m, k)); k++) {
        text_clear(&t);
        ck_assert_int_eq(board_device_help(d->name, &t), 0);
        ck_assert_ptr_nonnull(d->cls->help);
        if (d->cls->info) d->cls->info(d, &t);
    }
    ck_assert_int_eq(board_device_help("nosuch", &t), -1);
    text_clear(&t);
    ck_assert_int_eq(board_device_help("ata_disk", &t), 0);
    ck_assert_ptr_nonnull(strstr(t.s, "instances: ide0 ide1 ide3 ahci0 ahci1"));
    ck_assert_ptr_null(strstr(t.s, "[0]")); /* no serial number is not 0 */
    ck_assert_int_eq(board_device_help("ahci5", &t), 0);
    text_free(&t);
}
END_TEST

RIG_SUITE(board, pci_functions_are_those_of_the_device_set, profiles_leave_out_display_functions,
          aerogpu_identifies_itself, fixed_ports_answer, isa_wires_reach_the_8259,
          memory_map_has_ram_bios_and_ioapic, ram_above_the_pci_hole,
          disks_sit_where_the_user_put_them, cd_drive_sits_where_the_user_put_it, two_machines_in_one_process,
          guest_code_ends_the_process_with_its_status, triple_fault_resets,
          wrong_configurations_are_refused_and_released, boot_order_reaches_the_firmware,
          every_device_class_describes_itself)
