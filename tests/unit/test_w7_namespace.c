/* What Windows 7's ACPI driver asks of the namespace: our DSDT, as the BIOS placed it, read by a strict
 * reader of the tests' own and run against the machine it describes. Names carry the statement of
 * the Windows 7 checklist. */
#include "tests/unit/w7_aml.h"

#define PCI0 "\\_SB_.PCI0"
enum { MAX_RES = 64 };

static const char *const links[] = { "\\_SB_.LNKA", "\\_SB_.LNKB", "\\_SB_.LNKC", "\\_SB_.LNKD" };

#define FOR_NAMESPACES(g, s)                                                                       \
    FOR_GUESTS (g)                                                                                 \
        for (struct ns *s = ns_load(g); s; free(s), s = NULL)

START_TEST(w7_060_dsdt_has_revision_1_and_only_old_opcodes)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        EXPECT_EQ(g, dsdt(g)[8], 1);
        EXPECT(g, s->n > 40);
        for (unsigned k = 0; k < s->n; k++) {
            if (s->o[k].kind != 'M' || (s->o[k].a & 7)) continue;
            char parent[NS_PATH];
            snprintf(parent, sizeof(parent), "%s", s->o[k].path);
            char *dot = strrchr(parent, '.');
            EXPECT(g, dot != NULL);
            *dot = 0;
            ns_evaluate(s, parent, dot + 1, NULL);
        }
    }
}
END_TEST

START_TEST(w7_061_no_region_in_ram)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        for (unsigned k = 0; k < s->n; k++) {
            const struct ns_object *o = &s->o[k];
            if (o->kind == 'R' && o->a == 0) EXPECT(g, !e820_touches_ram(g, o->b, o->c));
        }
    }
}
END_TEST

/* --- the root bridge --- */

static bool window(const struct resource *r, unsigned n, char kind, u64 base, u64 end)
{
    for (unsigned k = 0; k < n; k++) {
        if (r[k].kind == kind && r[k].producer && r[k].base == base && r[k].base + r[k].len == end) return true;
    }
    return false;
}

static void cover_bars(struct guest *g, const struct resource *r, unsigned n)
{
    for (unsigned f = 0; f < 256; f++) {
        if (rig_pci(g->m, f >> 3, f & 7, 0) == 0xffffffff) continue;
        for (unsigned reg = 0x10; reg <= 0x24; reg += 4) {
            u32 bar = rig_pci(g->m, f >> 3, f & 7, reg);
            bool io = bar & 1;
            u32 base = io ? bar & 0xfffc : bar & ~15u;
            if (base) EXPECT(g, res_has(r, n, io ? 'I' : 'M', base, 1));
        }
    }
}

START_TEST(w7_062_root_bridge_has_the_windows_of_a_pc)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        unsigned n = res_of(s, PCI0, "_CRS", r, MAX_RES);
        EXPECT(g, window(r, n, 'B', 0, 0x100));
        EXPECT(g, window(r, n, 'I', 0, 0xcf8));
        EXPECT(g, window(r, n, 'I', 0xd00, 0x10000));
        EXPECT(g, window(r, n, 'M', 0xa0000, 0xc0000));
        EXPECT(g, window(r, n, 'M', g->m->low_size, 0xfec00000));
        EXPECT(g, res_has(r, n, 'I', 0xcf8, 8));
        cover_bars(g, r, n);
        EXPECT_EQ(g, ns_evaluate(s, PCI0, "_BBN", NULL).n, 0);
        EXPECT_EQ(g, ns_evaluate(s, PCI0, "_ADR", NULL).n, 0);
    }
}
END_TEST

START_TEST(w7_063_windows_do_not_touch_ram)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        unsigned n = res_of(s, PCI0, "_CRS", r, MAX_RES), memory = 0;
        for (unsigned k = 0; k < n; k++) {
            if (r[k].kind != 'M') continue;
            memory++;
            EXPECT(g, !e820_touches_ram(g, r[k].base, r[k].len));
        }
        EXPECT(g, memory >= 2);
    }
}
END_TEST

START_TEST(w7_064_a_64_bit_window_lies_above_ram)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        unsigned n = res_of(s, PCI0, "_CRS", r, MAX_RES);
        u64 top = 4 * GIB + (g->m->ram_size - g->m->low_size);
        for (unsigned k = 0; k < n; k++) {
            if (r[k].kind != 'M' || r[k].base + r[k].len <= 4 * GIB) continue;
            EXPECT(g, r[k].base >= top && r[k].base + r[k].len <= 1ull << 40);
        }
    }
}
END_TEST

/* --- interrupt routing --- */

/* Finds the _PRT row for a slot and pin; false: none. */
static bool route(struct ns *s, u32 dev, u32 pin, char link[NS_PATH])
{
    struct ns_object *o = ns_child(s, PCI0, "_PRT");
    const u8 *p = o->p + 1;
    const u8 *end = ns_package(s, &p, o->p + o->len);
    bool found = false;
    for (p++; p < end;) {
        NS_CHECK(s, *p == 0x12, "_PRT holds something else than packages");
        p++;
        const u8 *stop = ns_package(s, &p, end);
        NS_CHECK(s, *p == 4, "a _PRT row of %u elements", *p);
        p++;
        u32 address = ns_integer(s, &p, stop), at_pin = ns_integer(s, &p, stop);
        NS_CHECK(s, (address & 0xffff) == 0xffff, "_PRT address %x names a function", address);
        bool it_is = address >> 16 == dev && at_pin == pin;
        NS_CHECK(s, !it_is || !found, "two _PRT rows for slot %u pin %u", dev, pin);
        char path[NS_PATH];
        ns_name(s, &p, stop, PCI0, path);
        NS_CHECK(s, ns_integer(s, &p, stop) == 0 && p == stop, "a _PRT row's index");
        NS_CHECK(s, ns_find(s, path) && ns_find(s, path)->kind == 'D', "_PRT names %s", path);
        if (it_is) snprintf(link, NS_PATH, "%s", path);
        found |= it_is;
    }
    return found;
}

START_TEST(w7_065_prt_routes_every_pin_in_use)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        unsigned used = 0;
        for (unsigned f = 0; f < 256; f++) {
            if (rig_pci(g->m, f >> 3, f & 7, 0) == 0xffffffff) continue;
            u32 irq = rig_pci(g->m, f >> 3, f & 7, 0x3c), pin = irq >> 8 & 0xff;
            char link[NS_PATH];
            struct resource r[MAX_RES];
            if (!pin) continue;
            used++;
            EXPECT(g, route(s, f >> 3, pin - 1, link));
            EXPECT_EQ(g, res_of(s, link, "_CRS", r, MAX_RES), 1);
            EXPECT_EQ(g, r[0].base, irq & 0xff); /* the line the BIOS wrote */
        }
        EXPECT(g, used >= 2);
    }
}
END_TEST

static struct aml_value setting(struct ns *s, const char *link, u32 irq)
{
    struct aml_value v = ns_evaluate(s, link, "_CRS", NULL);
    st32(v.buf + 5, irq);
    return v;
}

START_TEST(w7_066_links_set_and_disable_the_router)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        for (unsigned k = 0; k < LEN(links); k++) {
            struct resource p[MAX_RES], c[MAX_RES];
            u32 before = rig_pci(g->m, 1, 0, 0x60);
            unsigned n = res_of(s, links[k], "_PRS", p, MAX_RES);
            EXPECT(g, n >= 2);
            for (unsigned i = 0; i < n; i++) {
                EXPECT_EQ(g, p[i].flags, 0x09); /* consumer, level, active high, shared */
                struct aml_value v = setting(s, links[k], (u32)p[i].base);
                ns_evaluate(s, links[k], "_SRS", &v);
                EXPECT_EQ(g, rig_pci(g->m, 1, 0, 0x60) >> 8 * k & 0xff, p[i].base);
                EXPECT_EQ(g, res_of(s, links[k], "_CRS", c, MAX_RES), 1);
                EXPECT_EQ(g, c[0].base, p[i].base);
                EXPECT_EQ(g, c[0].flags, 0x09);
                EXPECT_EQ(g, ns_evaluate(s, links[k], "_STA", NULL).n, 0x0b);
            }
            ns_evaluate(s, links[k], "_DIS", NULL);
            EXPECT(g, rig_pci(g->m, 1, 0, 0x60) >> 8 * k & 0x80);
            EXPECT_EQ(g, ns_evaluate(s, links[k], "_STA", NULL).n, 0x09);
            rig_pci_write(g->m, 1, 0, 0x60, before);
        }
    }
}
END_TEST

START_TEST(w7_066_the_sci_link_has_all_five_methods)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        EXPECT_EQ(g, res_of(s, "\\_SB_.LNKS", "_PRS", r, MAX_RES), 1);
        EXPECT_EQ(g, r[0].base, 9);
        EXPECT_EQ(g, res_of(s, "\\_SB_.LNKS", "_CRS", r, MAX_RES), 1);
        EXPECT_EQ(g, r[0].base, 9);
        EXPECT_EQ(g, ns_evaluate(s, "\\_SB_.LNKS", "_STA", NULL).n & 3, 3);
        struct aml_value v = { 0 };
        ns_evaluate(s, "\\_SB_.LNKS", "_SRS", &v);
        ns_evaluate(s, "\\_SB_.LNKS", "_DIS", NULL);
    }
}
END_TEST

START_TEST(w7_067_pic_is_callable)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        if (!ns_find(s, "\\_PIC")) continue;
        for (u32 mode = 0; mode < 2; mode++) {
            struct aml_value v = { .n = mode };
            ns_evaluate(s, "", "\\_PIC", &v);
            EXPECT_EQ(g, ns_find(s, "\\PICM")->c, mode);
        }
    }
}
END_TEST

/* --- devices --- */

static unsigned resources(struct ns *s, const char *eisa, struct resource *r)
{
    struct ns_object *d = ns_device(s, eisa);
    NS_CHECK(s, d != NULL, "no device %s", eisa);
    return res_of(s, d->path, "_CRS", r, MAX_RES);
}

START_TEST(w7_068_keyboard_and_mouse_are_devices)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES], board[MAX_RES];
        unsigned n = resources(s, "PNP0303", r), nb = resources(s, "PNP0C02", board);
        EXPECT(g, res_has(r, n, 'I', 0x60, 1) && res_has(r, n, 'I', 0x64, 1) && res_has(r, n, 'Q', 1, 0));
        for (u16 port = 0x60; port <= 0x64; port += 4) EXPECT(g, !res_has(board, nb, 'I', port, 1));
        n = resources(s, "PNP0F13", r);
        EXPECT(g, res_has(r, n, 'Q', 12, 0));
    }
}
END_TEST

START_TEST(w7_069_rtc_and_motherboard_resources)
{
    static const struct {
        char kind;
        u32 base, len;
    } board[] = { { 'I', 0x600, 0x40 }, { 'I', 0x700, 0x40 },       { 'I', 0x4d0, 2 },
                  { 'I', 0xafe0, 4 },   { 'I', 0xb2, 2 },           { 'M', 0xfec00000, 0x1000 },
                  { 'M', 0xfee00000, 0x1000 } };
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        unsigned n = resources(s, "PNP0B00", r);
        EXPECT(g, res_has(r, n, 'I', 0x70, 2) && res_has(r, n, 'Q', 8, 0));
        n = resources(s, "PNP0C02", r);
        for (unsigned k = 0; k < LEN(board); k++)
            ck_assert_msg(res_has(r, n, board[k].kind, board[k].base, board[k].len), "%s: %x is not claimed", g->what,
                          board[k].base);
        /* The ports the FADT names are among them. */
        const u8 *f = table(g, "FACP");
        EXPECT(g, res_has(r, n, 'I', ld32(f + 56), 4) && res_has(r, n, 'I', ld32(f + 64), 2) &&
                      res_has(r, n, 'I', ld32(f + 76), 4) && res_has(r, n, 'I', ld32(f + 80), f[92]) &&
                      res_has(r, n, 'I', ld32(f + 48), 1));
    }
}
END_TEST

/* No two devices claim the same port or edge interrupt. */
START_TEST(w7_069_no_port_is_claimed_twice)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        u8 claimed[0x10000 / 8] = { 0 };
        for (unsigned k = 0; k < s->n; k++) {
            struct resource r[MAX_RES];
            if (s->o[k].kind != 'D' || !ns_child(s, s->o[k].path, "_CRS")) continue;
            unsigned n = res_of(s, s->o[k].path, "_CRS", r, MAX_RES);
            for (unsigned i = 0; i < n; i++) {
                for (u64 p = r[i].base; r[i].kind == 'I' && !r[i].producer && p < r[i].base + r[i].len; p++) {
                    ck_assert_msg(!(claimed[p / 8] >> p % 8 & 1), "%s: port %llx of %s", g->what,
                                  (unsigned long long)p, s->o[k].path);
                    claimed[p / 8] |= (u8)(1 << p % 8);
                }
            }
        }
    }
}
END_TEST

/* Kind and bytes of what names a device below its parent. */
static bool same_name(struct ns *s, const char *a, const char *b, const char *seg)
{
    struct ns_object *x = ns_child(s, a, seg), *y = ns_child(s, b, seg);
    if (!x || !y) return !x && !y;
    return x->len == y->len && !memcmp(x->p, y->p, x->len);
}

static bool siblings(const char *a, const char *b)
{
    size_t n = (size_t)(strrchr(a, '.') - a);
    return n == (size_t)(strrchr(b, '.') - b) && !strncmp(a, b, n);
}

START_TEST(w7_070_every_device_has_an_identity_of_its_own)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        for (unsigned k = 0; k < s->n; k++) {
            const char *a = s->o[k].path;
            if (s->o[k].kind != 'D') continue;
            EXPECT(g, ns_child(s, a, "_HID") || ns_child(s, a, "_ADR"));
            for (unsigned i = 0; i < k; i++) {
                const char *b = s->o[i].path;
                if (s->o[i].kind != 'D' || !siblings(a, b)) continue;
                bool same = same_name(s, a, b, "_HID") && same_name(s, a, b, "_UID") && same_name(s, a, b, "_ADR");
                ck_assert_msg(!same, "%s: %s and %s", g->what, a, b);
            }
        }
    }
}
END_TEST

START_TEST(w7_071_identities_are_constants_and_templates_end)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        unsigned templates = 0;
        for (unsigned k = 0; k < s->n; k++) {
            static const char *const seg[] = { "_CRS", "_PRS" };
            struct resource r[MAX_RES];
            if (s->o[k].kind != 'D') continue;
            struct ns_object *hid = ns_child(s, s->o[k].path, "_HID"), *uid = ns_child(s, s->o[k].path, "_UID");
            EXPECT(g, (!hid || hid->kind == 'N') && (!uid || uid->kind == 'N'));
            for (unsigned i = 0; i < 2; i++) {
                if (!ns_child(s, s->o[k].path, seg[i])) continue;
                res_of(s, s->o[k].path, seg[i], r, MAX_RES); /* fails without the end tag */
                templates++;
            }
        }
        EXPECT(g, templates >= 15);
    }
}
END_TEST

START_TEST(w7_072_s5_is_what_the_machine_decodes)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct ns_object *o = ns_find(s, "\\_S5_");
        EXPECT(g, o && o->p[0] == 0x12);
        EXPECT(g, !ns_find(s, "\\_S3_") && !ns_find(s, "\\_S4_"));
        const u8 *p = o->p + 1;
        const u8 *end = ns_package(s, &p, o->p + o->len);
        EXPECT(g, *p++ >= 2);
        u32 type = ns_integer(s, &p, end);
        u16 cnt = (u16)ld32(table(g, "FACP") + 64);
        out_port(g, cnt, type << 10 | BIT(13), 2);
        EXPECT(g, g->m->want_poweroff);
        g->m->want_poweroff = false;
    }
}
END_TEST

START_TEST(w7_073_processors_match_the_madt)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        const u8 *m = table(g, "APIC");
        unsigned processors = 0, entries = 0;
        for (unsigned k = 0; k < s->n; k++) {
            if (s->o[k].kind != 'P') continue;
            processors++;
            EXPECT_EQ(g, s->o[k].b, 0);
            EXPECT_EQ(g, s->o[k].c, 0);
            bool found = false;
            for (u32 at = 44; at < ld32(m + 4); at += m[at + 1]) found |= m[at] == 0 && m[at + 2] == s->o[k].a;
            EXPECT(g, found);
        }
        for (u32 at = 44; at < ld32(m + 4); at += m[at + 1]) entries += m[at] == 0;
        EXPECT_EQ(g, processors, entries);
    }
}
END_TEST

START_TEST(w7_055_madt_ids_are_those_of_the_processor_objects)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        const u8 *m = table(g, "APIC");
        for (u32 at = 44; at < ld32(m + 4); at += m[at + 1]) {
            bool found = m[at] != 0;
            for (unsigned k = 0; k < s->n; k++) found |= s->o[k].kind == 'P' && s->o[k].a == m[at + 2];
            EXPECT(g, found);
        }
    }
}
END_TEST

START_TEST(w7_074_hpet_device_goes_with_the_table)
{
    struct guest *g;
    FOR_NAMESPACES (g, s) {
        struct resource r[MAX_RES];
        struct ns_object *d = ns_device(s, "PNP0103");
        EXPECT_EQ(g, d != NULL, find_table(g, "HPET") != NULL);
        if (d) EXPECT(g, res_has(r, res_of(s, d->path, "_CRS", r, MAX_RES), 'M', 0xfed00000, 0x400));
    }
}
END_TEST

/* For tests/w7/tables.sh: the DSDT of every configuration as a file that iasl and acpiexec can read. */
START_TEST(dsdts_are_written_for_other_tools)
{
    const char *dir = getenv("W7_TABLES");
    struct guest *g;
    if (!dir) return;
    FOR_GUESTS (g) {
        char *path = xasprintf("%s/dsdt-%u.aml", dir, (unsigned)(g - guests));
        FILE *f = fopen(path, "wb");
        ck_assert_msg(f != NULL, "%s", path);
        ck_assert_uint_eq(fwrite(dsdt(g), 1, ld32(dsdt(g) + 4), f), ld32(dsdt(g) + 4));
        fclose(f);
        free(path);
    }
}
END_TEST

W7_SUITE(w7_namespace, w7_060_dsdt_has_revision_1_and_only_old_opcodes, w7_061_no_region_in_ram,
         w7_062_root_bridge_has_the_windows_of_a_pc, w7_063_windows_do_not_touch_ram,
         w7_064_a_64_bit_window_lies_above_ram, w7_065_prt_routes_every_pin_in_use,
         w7_066_links_set_and_disable_the_router, w7_066_the_sci_link_has_all_five_methods,
         w7_067_pic_is_callable, w7_068_keyboard_and_mouse_are_devices,
         w7_069_rtc_and_motherboard_resources, w7_069_no_port_is_claimed_twice,
         w7_070_every_device_has_an_identity_of_its_own,
         w7_071_identities_are_constants_and_templates_end, w7_072_s5_is_what_the_machine_decodes,
         w7_073_processors_match_the_madt, w7_055_madt_ids_are_those_of_the_processor_objects,
         w7_074_hpet_device_goes_with_the_table, dsdts_are_written_for_other_tools)
