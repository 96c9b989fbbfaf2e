/* What Windows 7 reads before its kernel runs, as our BIOS leaves it in memory: the E820 map, RSDP,
 * SMBIOS, PCI assignment and the fixed ACPI tables, for many sizes of RAM and all display and timer
 * options. Names carry the statement of the Windows 7 checklist. The namespace (DSDT) is
 * test_w7_namespace.c's. */
#include "tests/unit/w7_boot.h"

/* --- the map --- */

START_TEST(w7_018_e820_is_sorted_and_leaves_the_hole_alone)
{
    struct guest *g;
    FOR_GUESTS (g) {
        EXPECT(g, g->n_e820 >= 4);
        for (unsigned k = 0; k < g->n_e820; k++) {
            u64 base = g->e820[k].base, end = base + g->e820[k].len;
            EXPECT(g, end > base);
            EXPECT(g, !k || base >= g->e820[k - 1].base + g->e820[k - 1].len);
            EXPECT(g, end <= 0xa0000 || base >= 0xf0000);
            if (g->e820[k].type == E820_RAM && base >= MIB) {
                EXPECT_EQ(g, base % 4096, 0);
                EXPECT_EQ(g, end % 4096, 0);
            }
        }
    }
}
END_TEST

START_TEST(w7_019_e820_is_the_same_on_two_boots)
{
    struct guest *g;
    FOR_GUESTS (g) {
        struct guest again = { .what = g->what,
                               .memory = g->memory,
                               .profile = g->profile,
                               .boot_vga = g->boot_vga,
                               .hpet = g->hpet };
        EXPECT(g, boot_guest(&again));
        EXPECT_EQ(g, again.n_e820, g->n_e820);
        EXPECT(g, !memcmp(again.e820, g->e820, sizeof(g->e820)));
        free_guest(&again);
    }
}
END_TEST

/* --- RSDP, SMBIOS --- */

START_TEST(w7_041_one_rsdp_with_a_good_checksum)
{
    struct guest *g;
    FOR_GUESTS (g) {
        unsigned count;
        u8 rsdp[36];
        u32 at = find_rsdp(g, &count);
        EXPECT_EQ(g, count, 1);
        EXPECT_EQ(g, at % 16, 0);
        EXPECT(g, at >= 0xe0000 && at + 20 <= 0x100000);
        peek(g, at, rsdp, sizeof(rsdp));
        EXPECT_EQ(g, sum8(rsdp, 20), 0);
    }
}
END_TEST

/* Every string a structure numbers is there and is not empty; the first `needed` of each row must be
 * numbered. */
static void smbios_strings(struct guest *g, const u8 *s, const u8 *end)
{
    static const struct {
        u8 type, needed, offsets[8];
    } rows[] = {
        { 0, 3, { 4, 5, 8 } },       { 1, 4, { 4, 5, 6, 7, 0x19, 0x1a } }, { 2, 2, { 4, 5, 6, 7 } },
        { 3, 1, { 4, 6, 7, 8 } },    { 4, 3, { 4, 7, 0x10, 0x20, 0x21, 0x22 } },
        { 17, 1, { 0x10, 0x17, 0x11, 0x18, 0x19, 0x1a } },
    };
    unsigned strings = 0;
    const u8 *p = s + s[1];
    while (p < end && *p) {
        strings++;
        p += strlen((const char *)p) + 1;
    }
    for (unsigned k = 0; k < LEN(rows); k++) {
        if (rows[k].type != s[0]) continue;
        for (unsigned n = 0; n < 8 && rows[k].offsets[n]; n++) {
            if (rows[k].offsets[n] >= s[1]) continue;
            u8 number = s[rows[k].offsets[n]];
            EXPECT(g, number <= strings);
            EXPECT(g, number || n >= rows[k].needed);
        }
    }
}

/* What Windows shows as installed memory. */
static void smbios_memory(struct guest *g, const u8 *s)
{
    u64 ram = g->m->ram_size;
    if (s[0] == 16) EXPECT_EQ(g, ld32(s + 7), ram / KIB);
    if (s[0] == 17) EXPECT_EQ(g, ld16(s + 12), ram / MIB);
    if (s[0] == 19) EXPECT_EQ(g, ld32(s + 8) - ld32(s + 4) + 1, ram / KIB);
}

START_TEST(w7_042_smbios_has_its_structures)
{
    static const u8 wanted[] = { 0, 1, 4, 16, 17, 19, 32, 127 };
    struct guest *g;
    FOR_GUESTS (g) {
        u8 e[31] = { 0 };
        unsigned anchors = 0, n = 0;
        bool seen[256] = { false };
        for (u32 at = 0xf0000; at < 0x100000; at += 16) {
            u8 sig[4];
            peek(g, at, sig, 4);
            if (memcmp(sig, "_SM_", 4)) continue;
            anchors++;
            peek(g, at, e, sizeof(e));
        }
        EXPECT_EQ(g, anchors, 1);
        EXPECT_EQ(g, e[5], 31);
        EXPECT_EQ(g, sum8(e, 31), 0);
        EXPECT(g, !memcmp(e + 16, "_DMI_", 5));
        EXPECT_EQ(g, sum8(e + 16, 15), 0);
        EXPECT_EQ(g, e[6], 2);
        u8 *t = xalloc(ld16(e + 22) + 2u), *end = t + ld16(e + 22);
        peek(g, ld32(e + 24), t, ld16(e + 22));
        for (const u8 *p = t; p < end; n++) {
            EXPECT(g, p[1] >= 4 && p + p[1] + 2 <= end);
            seen[p[0]] = true;
            smbios_strings(g, p, end);
            smbios_memory(g, p);
            for (p += p[1]; p + 2 < end && (p[0] || p[1]);) p++;
            p += 2;
        }
        EXPECT_EQ(g, n, ld16(e + 28));
        for (unsigned k = 0; k < LEN(wanted); k++)
            ck_assert_msg(seen[wanted[k]], "%s: no SMBIOS type %u", g->what, wanted[k]);
        EXPECT(g, seen[2] || seen[3]);
        free(t);
    }
}
END_TEST

/* --- PCI after POST --- */

struct range {
    u64 base, len;
    bool io;
};

static bool overlap(const struct range *a, const struct range *b)
{
    return a->io == b->io && a->base < b->base + b->len && b->base < a->base + a->len;
}

/* Base and size of a BAR, by writing all ones and restoring it. */
static bool bar_range(struct guest *g, unsigned dev, unsigned fn, unsigned reg, struct range *r)
{
    u32 old = rig_pci(g->m, dev, fn, reg);
    u32 command = rig_pci(g->m, dev, fn, 4);
    rig_pci_write(g->m, dev, fn, 4, command & 0xfff8);
    rig_pci_write(g->m, dev, fn, reg, 0xffffffff);
    u32 mask = rig_pci(g->m, dev, fn, reg);
    rig_pci_write(g->m, dev, fn, reg, old);
    rig_pci_write(g->m, dev, fn, 4, command & 0xffff);
    if (!mask) return false;
    r->io = mask & 1;
    r->base = r->io ? old & 0xfffc : old & ~15u;
    r->len = r->io ? (u16)~(mask & 0xfffc) + 1u : ~(mask & ~15u) + 1u;
    return true;
}

/* Returns whether this is a display that legacy VGA accesses reach. */
static bool check_function(struct guest *g, unsigned dev, unsigned fn, struct range *all, unsigned *n)
{
    u32 class_code = rig_pci(g->m, dev, fn, 8) >> 16, command = rig_pci(g->m, dev, fn, 4);
    bool boots = class_code == 0x0101 || class_code == 0x0106 || class_code == 0x0300;
    for (unsigned reg = 0x10; reg <= 0x24; reg += 4) {
        struct range r;
        if (!bar_range(g, dev, fn, reg, &r)) continue;
        ck_assert_msg(r.base != 0, "%s: %u.%u BAR at %x is not assigned", g->what, dev, fn, reg);
        EXPECT_EQ(g, r.base % r.len, 0);
        if (r.io)
            EXPECT(g, r.base >= 0xd00 && r.base + r.len <= 0x10000);
        else
            EXPECT(g, r.base >= g->m->low_size && r.base + r.len <= 0xfec00000);
        for (unsigned k = 0; k < *n; k++) EXPECT(g, !overlap(&all[k], &r));
        all[(*n)++] = r;
        if (boots) EXPECT(g, command & (r.io ? 1 : 2));
    }
    if (class_code == 0x0101 || class_code == 0x0106) EXPECT_EQ(g, command & 5, 5);
    bool vga = class_code == 0x0300 && (command & 3) == 3;
    u32 irq = rig_pci(g->m, dev, fn, 0x3c);
    if (!(irq & 0xff00)) return vga;
    ck_assert_msg((irq & 0xff) > 0 && (irq & 0xff) < 16, "%s: %u.%u has interrupt line %u", g->what,
                  dev, fn, irq & 0xff);
    u8 want = dev == 1 ? 9 : (u8)(rig_pci(g->m, 1, 0, 0x60) >> 8 * ((dev + (irq >> 8 & 0xff) - 1) & 3));
    EXPECT_EQ(g, irq & 0xff, want);
    return vga;
}

START_TEST(w7_043_bars_commands_and_lines_are_written)
{
    struct guest *g;
    FOR_GUESTS (g) {
        struct range all[64];
        unsigned n = 0, functions = 0, displays = 0;
        for (unsigned dev = 0; dev < 32; dev++) {
            for (unsigned fn = 0; fn < 8; fn++) {
                if (rig_pci(g->m, dev, fn, 0) == 0xffffffff) continue;
                functions++;
                displays += check_function(g, dev, fn, all, &n);
            }
        }
        EXPECT(g, functions >= 6 && n >= 3 && displays >= 1);
    }
}
END_TEST

START_TEST(w7_044_rom_areas_ignore_writes_after_post)
{
    struct guest *g;
    FOR_GUESTS (g) {
        /* The video ROM and the BIOS but for its variables; what no ROM occupies is free memory. */
        u32 video = 0xc0000 + (peek8(g, 0xc0000) == 0x55 ? peek8(g, 0xc0002) * 512u : 0);
        EXPECT(g, video > 0xc0000);
        for (u32 at = 0xc0000; at < 0x100000; at += 0x200) {
            if (at >= video && at < 0xe0000) continue;
            if (at >= 0xec000 && at < 0xf0000) continue;
            u8 was = peek8(g, at);
            bus_write(&g->m->mem, at, (u8)~was, 1);
            ck_assert_msg(peek8(g, at) == was, "%s: %x was written", g->what, at);
        }
    }
}
END_TEST

/* --- ACPI: what all tables have --- */

static bool printable(const u8 *p, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        if (p[k] < 0x20 || p[k] > 0x7e) return false;
    return true;
}

static void check_header(struct guest *g, const u8 *t)
{
    u32 len = ld32(t + 4);
    EXPECT(g, len >= 36 && len < 65536);
    ck_assert_msg(sum8(t, len) == 0, "%s: checksum of %.4s", g->what, (const char *)t);
    EXPECT(g, printable(t, 4) && printable(t + 10, 6) && printable(t + 16, 8) && printable(t + 28, 4));
    EXPECT(g, ld32(t + 24) != 0);
}

START_TEST(w7_046_every_table_has_length_checksum_and_names)
{
    struct guest *g;
    FOR_GUESTS (g) {
        check_header(g, rsdt(g));
        EXPECT(g, !memcmp(rsdt(g), "RSDT", 4));
        EXPECT(g, n_tables(g) >= 3);
        for (unsigned k = 0; k < n_tables(g); k++) check_header(g, nth_table(g, k));
        check_header(g, dsdt(g));
    }
}
END_TEST

START_TEST(w7_046_rsdt_and_xsdt_list_the_same)
{
    struct guest *g;
    FOR_GUESTS (g) {
        unsigned count;
        u8 r[36];
        peek(g, find_rsdp(g, &count), r, sizeof(r));
        if (r[15] < 2) continue; /* no XSDT: nothing to compare */
        const u8 *x = below_4g(g, ld32(r + 24), 36);
        check_header(g, x);
        EXPECT_EQ(g, (ld32(x + 4) - 36) / 8, n_tables(g));
        for (unsigned k = 0; k < n_tables(g); k++)
            EXPECT_EQ(g, ld64(x + 36 + 8 * k), ld32(rsdt(g) + 36 + 4 * k));
    }
}
END_TEST

START_TEST(w7_047_rsdp_is_a_whole_form)
{
    struct guest *g;
    FOR_GUESTS (g) {
        unsigned count;
        u8 r[36];
        peek(g, find_rsdp(g, &count), r, sizeof(r));
        EXPECT(g, r[15] == 0 || r[15] == 2);
        EXPECT(g, ld32(r + 16) != 0);
        if (r[15] == 2) {
            EXPECT_EQ(g, ld32(r + 20), 36);
            EXPECT_EQ(g, sum8(r, 36), 0);
            EXPECT(g, ld64(r + 24) != 0);
        }
    }
}
END_TEST

/* --- FADT --- */

START_TEST(w7_048_fadt_length_fits_and_x_fields_agree)
{
    static const struct {
        u16 x, plain;
    } blocks[] = { { 148, 56 }, { 160, 60 }, { 172, 64 }, { 184, 68 }, { 196, 72 }, { 208, 76 },
                   { 220, 80 }, { 232, 84 } };
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP");
        EXPECT(g, f[8] == 1 || f[8] == 3);
        EXPECT_EQ(g, ld32(f + 4), f[8] == 1 ? 0x74 : 0xf4);
        if (f[8] == 1) continue;
        EXPECT_EQ(g, ld64(f + 132), ld32(f + 36));
        EXPECT_EQ(g, ld64(f + 140), ld32(f + 40));
        for (unsigned k = 0; k < LEN(blocks); k++) {
            u64 x = ld64(f + blocks[k].x + 4);
            EXPECT_EQ(g, x, ld32(f + blocks[k].plain));
            if (x) EXPECT_EQ(g, f[blocks[k].x], 1);
        }
    }
}
END_TEST

START_TEST(w7_049_fadt_interrupt_and_block_lengths)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP");
        EXPECT_EQ(g, ld16(f + 46), 9);
        EXPECT_EQ(g, f[88], 4);
        EXPECT_EQ(g, f[89], 2);
        EXPECT_EQ(g, f[91], 4);
        EXPECT_EQ(g, ld32(f + 60), 0);
        EXPECT_EQ(g, ld32(f + 68), 0);
        EXPECT(g, ld32(f + 56) && ld32(f + 64) && ld32(f + 76));
    }
}
END_TEST

START_TEST(w7_050_acpi_enable_sets_sci_en_at_once)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP");
        u16 smi = (u16)ld32(f + 48), cnt = (u16)ld32(f + 64);
        EXPECT_EQ(g, in_port(g, cnt, 2) & 1, 0);
        out_port(g, smi, f[52], 1);
        EXPECT_EQ(g, in_port(g, cnt, 2) & 1, 1);
        out_port(g, smi, f[53], 1);
        EXPECT_EQ(g, in_port(g, cnt, 2) & 1, 0);
    }
}
END_TEST

START_TEST(w7_051_fadt_flags_and_the_width_of_the_timer)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP");
        u32 flags = ld32(f + 112), tmr = ld32(f + 76);
        EXPECT_EQ(g, flags & (BIT(0) | BIT(2) | BIT(4) | BIT(5)), BIT(0) | BIT(2) | BIT(5));
        /* Half the period of bit 23 and a little: a 24-bit counter keeps its upper byte zero. */
        bool upper = false;
        for (unsigned k = 0; k < 3; k++) {
            pass_time(g, 2400000000ull);
            upper |= in_port(g, (u16)tmr, 4) >> 24 != 0;
        }
        EXPECT_EQ(g, upper, flags >> 8 & 1);
    }
}
END_TEST

START_TEST(w7_052_reserved_flags_are_clear_and_the_reset_register_works)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP");
        u32 flags = ld32(f + 112);
        EXPECT_EQ(g, flags & 0xfff00000, 0); /* HW_REDUCED is bit 20 */
        if (!(flags & BIT(10))) continue;
        EXPECT(g, f[8] >= 2);
        EXPECT_EQ(g, f[116], 1);
        EXPECT_EQ(g, f[117], 8);
        EXPECT_EQ(g, f[118], 0);
        g->m->want_reset = false;
        out_port(g, (u16)ld64(f + 120), f[128], 1);
        EXPECT(g, g->m->want_reset);
        g->m->want_reset = false;
    }
}
END_TEST

START_TEST(w7_053_no_deep_c_states)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *f = table(g, "FACP"), *d = dsdt(g);
        EXPECT(g, ld16(f + 96) > 100);
        EXPECT(g, ld16(f + 98) > 1000);
        EXPECT_EQ(g, f[95], 0);
        EXPECT(g, !memmem(d, ld32(d + 4), "_CST", 4));
    }
}
END_TEST

START_TEST(w7_054_facs_is_aligned_and_constant)
{
    struct guest *g;
    FOR_GUESTS (g) {
        u32 at = ld32(table(g, "FACP") + 36);
        const u8 *f = below_4g(g, at, 64);
        EXPECT_EQ(g, at % 64, 0);
        EXPECT(g, !memcmp(f, "FACS", 4));
        EXPECT_EQ(g, ld32(f + 4), 64);
        EXPECT_EQ(g, ld32(f + 8), ld32(below_4g(&guests[0], ld32(table(&guests[0], "FACP") + 36), 64) + 8));
        u32 type = e820_type(g, at, 64);
        EXPECT(g, type == E820_RESERVED || type == E820_NVS);
    }
}
END_TEST

/* --- MADT --- */

static const u8 *madt_entry(struct guest *g, u8 type, unsigned n)
{
    const u8 *m = table(g, "APIC");
    for (u32 at = 44; at + 2 <= ld32(m + 4); at += m[at + 1]) {
        EXPECT(g, m[at + 1] >= 2 && at + m[at + 1] <= ld32(m + 4));
        if (m[at] == type && !n--) return m + at;
    }
    return NULL;
}

START_TEST(w7_055_madt_names_the_local_apic_of_every_cpu)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *m = table(g, "APIC"), *cpu = madt_entry(g, 0, 0);
        EXPECT_EQ(g, ld32(m + 36), 0xfee00000);
        EXPECT_EQ(g, ld32(m + 40), 1);
        EXPECT(g, cpu && cpu[1] == 8);
        EXPECT_EQ(g, ld32(cpu + 4), 1);
        EXPECT_EQ(g, cpu[3], 0); /* the boot CPU's; a guest program compares it with CPUID */
        EXPECT(g, !madt_entry(g, 0, 1)); /* one CPU */
    }
}
END_TEST

START_TEST(w7_056_madt_names_the_io_apic)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *e = madt_entry(g, 1, 0);
        EXPECT(g, e && e[1] == 12);
        EXPECT_EQ(g, ld32(e + 4), 0xfec00000);
        EXPECT_EQ(g, ld32(e + 8), 0);
        EXPECT(g, !madt_entry(g, 1, 1));
        bus_write(&g->m->mem, 0xfec00000, 0, 4);
        EXPECT_EQ(g, bus_read(&g->m->mem, 0xfec00010, 4) >> 24 & 15, e[2]);
        bus_write(&g->m->mem, 0xfec00000, 1, 4);
        u32 version = (u32)bus_read(&g->m->mem, 0xfec00010, 4);
        EXPECT(g, (version & 0xff) == 0x11 || (version & 0xff) == 0x20);
        EXPECT_EQ(g, version >> 16 & 0xff, 23);
    }
}
END_TEST

START_TEST(w7_057_overrides_say_how_the_lines_are_driven)
{
    static const u8 want[][3] = { { 0, 2, 0 }, { 5, 5, 13 }, { 9, 9, 13 }, { 10, 10, 13 }, { 11, 11, 13 } };
    struct guest *g;
    FOR_GUESTS (g) {
        u16 level = 0;
        for (unsigned k = 0; k < LEN(want); k++) {
            const u8 *e = madt_entry(g, 2, k);
            EXPECT(g, e && e[1] == 10 && e[2] == 0);
            EXPECT_EQ(g, e[3], want[k][0]);
            EXPECT_EQ(g, ld32(e + 4), want[k][1]);
            EXPECT_EQ(g, ld16(e + 8), want[k][2]);
            if (want[k][2]) level |= (u16)BIT(want[k][0]);
        }
        EXPECT(g, !madt_entry(g, 2, LEN(want)));
        /* The same lines are level in the 8259s. */
        EXPECT_EQ(g, in_port(g, 0x4d0, 1) | in_port(g, 0x4d1, 1) << 8, level);
    }
}
END_TEST

/* The SCI as the tables announce it: raised by an enabled event, down again when its status is. */
START_TEST(w7_057_the_sci_is_high_while_an_event_is_pending)
{
    struct guest *g;
    FOR_GUESTS (g) {
        u16 evt = (u16)ld32(table(g, "FACP") + 56);
        out_port(g, 0xb2, table(g, "FACP")[52], 1);
        out_port(g, 0xa0, 0x0a, 1); /* show the requests */
        EXPECT_EQ(g, in_port(g, 0xa0, 1) & 2, 0);
        out_port(g, evt + 2, BIT(8), 2);
        board_power_button(g->m);
        EXPECT_EQ(g, in_port(g, 0xa0, 1) & 2, 2);
        out_port(g, evt, BIT(8), 2);
        EXPECT_EQ(g, in_port(g, 0xa0, 1) & 2, 0);
        out_port(g, evt + 2, 0, 2);
        out_port(g, 0xb2, table(g, "FACP")[53], 1);
    }
}
END_TEST

START_TEST(w7_058_lint1_is_the_nmi_of_all_cpus)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *e = madt_entry(g, 4, 0);
        EXPECT(g, e && e[1] == 6);
        EXPECT_EQ(g, e[2], 0xff);
        EXPECT_EQ(g, e[5], 1);
        EXPECT_EQ(g, ld16(e + 3), 0); /* polarity and trigger as the bus has them */
    }
}
END_TEST

START_TEST(w7_059_tables_lie_where_nobody_overwrites_them)
{
    struct guest *g;
    FOR_GUESTS (g) {
        for (unsigned k = 0; k < n_tables(g) + 2; k++) {
            const u8 *t = k < n_tables(g) ? nth_table(g, k) : k == n_tables(g) ? rsdt(g) : dsdt(g);
            u32 type = e820_type(g, (u64)(t - g->m->ram), ld32(t + 4));
            ck_assert_msg(type >= E820_RESERVED && type <= E820_NVS, "%s: %.4s lies in memory of type %u",
                          g->what, (const char *)t, type);
        }
    }
}
END_TEST

/* --- tables that promise something --- */

START_TEST(w7_074_hpet_table_exactly_when_the_device_answers)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *h = find_table(g, "HPET");
        u32 id = (u32)bus_read(&g->m->mem, 0xfed00000, 4);
        u32 period = (u32)bus_read(&g->m->mem, 0xfed00004, 4);
        bool answers = id != 0xffffffff && period > 0 && period <= 0x05f5e100;
        EXPECT_EQ(g, h != NULL, answers);
        EXPECT_EQ(g, answers, !strcmp(g->hpet, "on"));
        if (!h) continue;
        EXPECT_EQ(g, ld32(h + 4), 56);
        EXPECT_EQ(g, h[40], 0);
        EXPECT_EQ(g, ld64(h + 44), 0xfed00000);
        EXPECT_EQ(g, ld32(h + 36), id);
        EXPECT(g, (id >> 8 & 31) >= 2 && (id & BIT(13)));
    }
}
END_TEST

START_TEST(w7_075_no_mcfg_because_there_is_no_ecam)
{
    struct guest *g;
    FOR_GUESTS (g) {
        const u8 *c = find_table(g, "MCFG");
        u32 host = rig_pci(g->m, 0, 0, 0);
        bool works = c && bus_read(&g->m->mem, ld64(c + 44), 4) == host &&
                     e820_type(g, ld64(c + 44), MIB) == E820_RESERVED;
        EXPECT_EQ(g, c != NULL, works);
        /* Where chip sets with ECAM have it. */
        EXPECT(g, c || g->m->low_size > 0xb0000000 || bus_read(&g->m->mem, 0xb0000000, 4) != host);
        EXPECT(g, c || bus_read(&g->m->mem, 0xe0000000, 4) != host);
    }
}
END_TEST

static u8 rtc(struct guest *g, u8 reg)
{
    out_port(g, 0x70, reg, 1);
    return (u8)in_port(g, 0x71, 1);
}

/* Takes what the slave 8259 has on IRQ 8, by polling; false: nothing. */
static bool take_irq8(struct guest *g)
{
    out_port(g, 0xa0, 0x0c, 1);
    u8 got = (u8)in_port(g, 0xa0, 1);
    if (got & 0x80) out_port(g, 0xa0, 0x20, 1);
    return got == 0x80;
}

START_TEST(w7_076_waet_does_not_promise_an_rtc_without_register_c)
{
    struct guest *g;
    FOR_GUESTS (g) {
        u8 b = rtc(g, 0x0b);
        out_port(g, 0xa1, 0xfe, 1);
        rtc(g, 0x0c);
        out_port(g, 0x70, 0x0b, 1);
        out_port(g, 0x71, b | 0x40, 1);
        while (take_irq8(g)) rtc(g, 0x0c);
        rtc(g, 0x0c);
        pass_time(g, 50000000);
        EXPECT(g, take_irq8(g));
        pass_time(g, 50000000);
        bool again = take_irq8(g);
        rtc(g, 0x0c);
        pass_time(g, 50000000);
        EXPECT(g, take_irq8(g));
        const u8 *w = find_table(g, "WAET");
        EXPECT(g, !w || !(ld32(w + 36) & 1) || again);
        EXPECT(g, !w || (ld32(w + 36) & ~3u) == 0);
    }
}
END_TEST

W7_SUITE(w7_tables, w7_018_e820_is_sorted_and_leaves_the_hole_alone,
         w7_019_e820_is_the_same_on_two_boots, w7_041_one_rsdp_with_a_good_checksum,
         w7_042_smbios_has_its_structures, w7_043_bars_commands_and_lines_are_written,
         w7_044_rom_areas_ignore_writes_after_post, w7_046_every_table_has_length_checksum_and_names,
         w7_046_rsdt_and_xsdt_list_the_same, w7_047_rsdp_is_a_whole_form,
         w7_048_fadt_length_fits_and_x_fields_agree, w7_049_fadt_interrupt_and_block_lengths,
         w7_050_acpi_enable_sets_sci_en_at_once, w7_051_fadt_flags_and_the_width_of_the_timer,
         w7_052_reserved_flags_are_clear_and_the_reset_register_works, w7_053_no_deep_c_states,
         w7_054_facs_is_aligned_and_constant, w7_055_madt_names_the_local_apic_of_every_cpu,
         w7_056_madt_names_the_io_apic, w7_057_overrides_say_how_the_lines_are_driven,
         w7_057_the_sci_is_high_while_an_event_is_pending, w7_058_lint1_is_the_nmi_of_all_cpus,
         w7_059_tables_lie_where_nobody_overwrites_them,
         w7_074_hpet_table_exactly_when_the_device_answers,
         w7_075_no_mcfg_because_there_is_no_ecam,
         w7_076_waet_does_not_promise_an_rtc_without_register_c)
