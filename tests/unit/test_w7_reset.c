/* Every reset path leads to the state of power-on: a machine that has run the BIOS and was spoilt
 * through its ports is reset and compared with one that has only been built, by the saved fields of
 * every device, PCI configuration space and the processor's registers. Names carry the statement of
 * the Windows 7 checklist; tests/w7/bm_reset.c does the same from inside. */
#include "tests/unit/w7_boot.h"

static const char *const paths[] = { "CF9h 06h", "CF9h 0Eh", "8042 FEh", "port 92h", "FADT register", "triple fault" };

static void pull(struct guest *g, unsigned path)
{
    const u8 *f = table(g, "FACP");
    switch (path) {
    case 0:
        out_port(g, 0xcf9, 2, 1);
        out_port(g, 0xcf9, 6, 1);
        break;
    case 1: out_port(g, 0xcf9, 0x0e, 1); break;
    case 2: out_port(g, 0x64, 0xfe, 1); break;
    case 3: out_port(g, 0x92, in_port(g, 0x92, 1) | 1, 1); break;
    case 4: out_port(g, (u16)ld64(f + 120), f[128], 1); break;
    default: machine_request(g->m, REQ_TRIPLE_FAULT, 0, "test");
    }
}

/* What an operating system leaves behind, through ports and memory. */
static void spoil(struct guest *g)
{
    struct bus *mem = &g->m->mem;
    for (unsigned k = 0; k < 24; k++) {
        bus_write(mem, 0xfec00000, 0x10 + 2 * k, 4);
        bus_write(mem, 0xfec00010, 0x41 + k, 4);
    }
    static const u16 bytes[][2] = { { 0x20, 0x11 },  { 0x21, 0x50 },  { 0x21, 4 },     { 0x21, 1 },    { 0x21, 0 },
                                    { 0x4d0, 0xf8 }, { 0x4d1, 0xde }, { 0x43, 0x30 },  { 0x40, 9 },    { 0x40, 0 },
                                    { 0x61, 3 },     { 0x70, 0x0a },  { 0x71, 0x2f },  { 0x70, 0x8b }, { 0x71, 0x72 },
                                    { 0xb2, 0xf1 },  { 0x3c2, 0xe3 }, { 0x3c4, 2 },    { 0x3c5, 8 },   { 0x3d4, 0x11 },
                                    { 0x3d5, 0 },    { 0x3d4, 1 },    { 0x3d5, 0x77 }, { 0x3c6, 0x55 }, { 0x3f6, 2 },
                                    { 0x1f6, 0xb0 }, { 0x3fb, 0x83 }, { 0x3f9, 0x12 }, { 0x3f8, 9 },   { 0x3fb, 3 },
                                    { 0x3f9, 15 },   { 0x3fc, 0x1f }, { 0x0f, 0 },     { 0xde, 0 },    { 0x81, 7 },
                                    { 0x64, 0x60 },  { 0x60, 0x30 },  { 0x3f2, 0x1c }, { 0x92, 0 } };
    for (unsigned k = 0; k < LEN(bytes); k++) out_port(g, bytes[k][0], bytes[k][1], 1);
    for (unsigned k = 1; k < 10; k++) {
        out_port(g, 0x1ce, k, 2);
        out_port(g, 0x1cf, k == 4 ? 0x41 : 320 + k, 2);
    }
    out_port(g, 0x602, 0x0121, 2);
    bus_write(mem, 0xfed00010, 3, 4);
    bus_write(mem, 0xfed00100, 0x4c, 4);
    for (unsigned f = 0; f < 256; f++) {
        if (rig_pci(g->m, f >> 3, f & 7, 0) == 0xffffffff) continue;
        u32 class_code = rig_pci(g->m, f >> 3, f & 7, 8) >> 16;
        u32 bar5 = rig_pci(g->m, f >> 3, f & 7, 0x24), bar0 = rig_pci(g->m, f >> 3, f & 7, 0x10);
        if (class_code == 0x0106) {
            bus_write(mem, (bar5 & ~15u) + 0x104 - 4, 0x1000, 4);
            bus_write(mem, (bar5 & ~15u) + 0x118, 0x11, 4);
            bus_write(mem, (bar5 & ~15u) + 0x114, 0x7dc0007f, 4);
            bus_write(mem, (bar5 & ~15u) + 4, 0x80000002, 4);
        }
        if (rig_pci(g->m, f >> 3, f & 7, 0) == 0x0001a3a0) {
            rig_pci_write(g->m, f >> 3, f & 7, 4, 7);
            for (u32 at = 0x400; at < 0x500; at += 4) bus_write(mem, (bar0 & ~15u) + at, 0xa5a5a5a5, 4);
        }
        for (unsigned reg = 0x0c; reg < 0x100; reg += 4) {
            if (f == 11 && reg >= 0x40) continue; /* the power-management ports stay where the next step needs them */
            if (f == 0 && reg >= 0x70) continue;
            rig_pci_write(g->m, f >> 3, f & 7, reg, reg == 0x3c ? 0xaa : 0x13131313);
        }
        if (f != 11) rig_pci_write(g->m, f >> 3, f & 7, 4, 0x0140);
    }
}

/* Whether a field may differ: it is not the chip's state, or it survives on purpose. */
static bool exempt(const char *device, const char *field)
{
    static const char *const list[][2] = {
        { "rtc", "cmos" },   /* has a battery; the interrupt enables are looked at below */
        { "rtc", "frozen" }, /* the time it shows while it is set */
        { "pm", "toggles" }, /* follows the clock, which goes on */
        { "port80", "history" }, /* a diagnosis, not a register */
        { "kbc", "kbd.reply.head" },   /* where an empty queue's next byte goes, and old bytes in it */
        { "kbc", "kbd.reply.byte" },
        { "kbc", "mouse.reply.head" },
        { "kbc", "mouse.reply.byte" },
        { "kbc", "answer" },
    };
    for (unsigned k = 0; k < LEN(list); k++)
        if (!strcmp(device, list[k][0]) && !strcmp(field, list[k][1])) return true;
    return false;
}

static unsigned compare_fields(struct guest *g, struct guest *fresh, const char *path)
{
    unsigned differ = 0;
    struct device *d, *want;
    for (unsigned k = 0; (d = board_device_at(g->m, k)); k++) {
        want = board_device(fresh->m, d->name);
        for (const struct device_field *f = d->cls->fields; f && f->name; f++) {
            if (exempt(d->name, f->name)) continue;
            if (!memcmp((u8 *)d + f->offset, (u8 *)want + f->offset, (size_t)f->size * f->count)) continue;
            fprintf(stderr, "%s: %s.%s after %s is not what it is at power-on\n", g->what, d->name, f->name, path);
            differ++;
        }
    }
    return differ;
}

static unsigned compare_cpu(struct guest *g, struct guest *fresh, const char *path)
{
    static const char *const regs[] = { "rip", "rflags", "cs", "ds", "ss", "cr0", "cr3", "cr4", "rax", "rdx", "rsp" };
    unsigned differ = 0;
    struct text a, b;
    text_init(&a);
    text_init(&b);
    for (unsigned k = 0; k < LEN(regs); k++) {
        bool ok;
        if (cpu_get_reg(g->m->cpu, regs[k], &ok) == cpu_get_reg(fresh->m->cpu, regs[k], &ok)) continue;
        fprintf(stderr, "%s: %s after %s\n", g->what, regs[k], path);
        differ++;
    }
    cpu_info_apic(g->m->cpu, &a);
    cpu_info_apic(fresh->m->cpu, &b);
    if (strcmp(a.s, b.s)) {
        fprintf(stderr, "%s: local APIC after %s:\n%s", g->what, path, a.s);
        differ++;
    }
    text_free(&a);
    text_free(&b);
    return differ;
}

/* The machine reads its requests as the run loop does. */
static void serve(struct guest *g, const char *path)
{
    ck_assert_msg(g->m->want_reset || g->m->want_triple, "%s: %s asks for nothing", g->what, path);
    g->m->want_reset = g->m->want_triple = false;
    board_reset(g->m, g->m->reset_kind);
}

static struct guest fresh_of(struct guest *g)
{
    struct guest f = { .what = g->what, .memory = g->memory, .profile = g->profile, .boot_vga = g->boot_vga, .hpet = g->hpet };
    struct error e = { "" };
    char path[40];
    config_init(&f.cfg);
    boot_roms(&f);
    boot_set(&f, "memory", f.memory);
    boot_set(&f, "profile", f.profile);
    boot_set(&f, "boot-vga", f.boot_vga);
    boot_set(&f, "hpet", f.hpet);
    boot_set(&f, "display", "none");
    boot_set(&f, "clock", "insn");
    boot_set(&f, "throwaway", "on");
    boot_disk(path);
    boot_set(&f, "disk", path);
    f.m = machine_create(&f.cfg, &e);
    ck_assert_msg(f.m != NULL, "%s", e.text);
    unlink(path);
    return f;
}

/* POST and the boot sector once more. */
static void boot_again(struct guest *g, const char *path)
{
    g->m->quit = false;
    g->m->exit_status = 0;
    machine_run(g->m);
    ck_assert_msg(g->m->exit_status == 3, "%s: no boot after %s", g->what, path);
}

/* One path over all configurations of 2 GiB and less: they have every set of devices. */
static void check_path(unsigned path)
{
    struct guest *g;
    FOR_GUESTS (g) {
        if (g->m->ram_size > 2 * GIB) continue;
        struct guest fresh = fresh_of(g);
        spoil(g);
        EXPECT(g, compare_fields(g, &fresh, "spoiling, as it should be") > 20);
        EXPECT(g, !g->m->a20);
        pull(g, path);
        serve(g, paths[path]);
        unsigned differ = compare_fields(g, &fresh, paths[path]) + compare_cpu(g, &fresh, paths[path]);
        ck_assert_msg(!differ, "%s: %u differences after %s", g->what, differ, paths[path]);
        EXPECT(g, g->m->a20);
        out_port(g, 0x70, 0x0b, 1);
        EXPECT_EQ(g, in_port(g, 0x71, 1) & 0x70, 0);
        free_guest(&fresh);
        boot_again(g, paths[path]);
    }
}

START_TEST(w7_248_power_on_state_after_every_path)
{
    check_path((unsigned)_i);
}
END_TEST

/* And the machine boots again from there. */
START_TEST(w7_247_every_path_is_a_full_reset)
{
    struct guest *g = &guests[3];
    EXPECT(g, g->m != NULL);
    for (unsigned path = 0; path < LEN(paths); path++) {
        spoil(g);
        pull(g, path);
        EXPECT(g, g->m->want_reset || g->m->want_triple);
        u64 resets = g->m->resets;
        boot_again(g, paths[path]);
        EXPECT_EQ(g, g->m->resets, resets + 1);
        EXPECT(g, g->m->reset_kind == RESET_COLD || path != 5);
    }
}
END_TEST

Suite *w7_reset_suite(void);
Suite *w7_reset_suite(void)
{
    Suite *s = suite_create("w7_reset");
    TCase *tc = tcase_create("w7_reset");
    tcase_set_timeout(tc, 120);
    tcase_add_unchecked_fixture(tc, boot_all, free_all);
    tcase_add_loop_test(tc, w7_248_power_on_state_after_every_path, 0, LEN(paths));
    tcase_add_test(tc, w7_247_every_path_is_a_full_reset);
    suite_add_tcase(s, tc);
    return s;
}
