/* The ACPI and SMBIOS tables of the real board, taken the way the BIOS takes them: through the
 * fw_cfg ports, placed and linked by the loader script. Checksums, the chain from the RSDP, what
 * device-set.md section 3 promises; and iasl's opinion where iasl is installed. */
#include "tests/unit/machine_rig.h"

#define WHERE 0x3fe0000u /* where the pretended BIOS puts the tables */

static struct rig r;
static u8 tables[65536], rsdp[64], loader[65536];
static u32 tables_len, rsdp_len, loader_len;

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void select_item(unsigned item)
{
    bus_write(&r.m->io, 0x510, item, 2);
}

static void take(void *buf, u32 n)
{
    for (u32 k = 0; k < n; k++) ((u8 *)buf)[k] = (u8)bus_read(&r.m->io, 0x511, 1);
}

static u32 file(const char *name, void *buf, u32 max)
{
    u8 n[4], row[64];
    select_item(0x19);
    take(n, 4);
    for (u32 k = 0; k < be32(n); k++) {
        take(row, 64);
        if (strcmp((char *)row + 8, name)) continue;
        u32 len = be32(row);
        ck_assert_uint_le(len, max);
        select_item((unsigned)row[4] << 8 | row[5]);
        take(buf, len);
        return len;
    }
    ck_abort_msg("no file %s", name);
}

static u8 sum(const u8 *p, u32 n)
{
    u8 s = 0;
    while (n--) s += *p++;
    return s;
}

/* Which blob a loader name means; its address once placed. */
static u8 *blob(const char *name, u32 *len, u32 *base)
{
    bool is_rsdp = !strcmp(name, "etc/acpi/rsdp");
    ck_assert(is_rsdp || !strcmp(name, "etc/acpi/tables"));
    *len = is_rsdp ? rsdp_len : tables_len;
    *base = is_rsdp ? 0xf0000 : WHERE;
    return is_rsdp ? rsdp : tables;
}

static void add_pointer(const u8 *c)
{
    u32 len, base, ignore, target_len;
    u8 *p = blob((const char *)c + 4, &len, &ignore);
    blob((const char *)c + 60, &target_len, &base);
    u32 at = ld32(c + 116), size = c[120];
    ck_assert(size == 4 || size == 8);
    ck_assert_uint_le(at + size, len);
    u64 v = ld_n(p + at, size);
    ck_assert_uint_lt(v, target_len);
    st_n(p + at, v + base, size);
}

static void run_loader(void)
{
    unsigned allocated = 0;
    ck_assert_uint_eq(loader_len % 128, 0);
    for (u32 k = 0; k < loader_len; k += 128) {
        const u8 *c = loader + k;
        u32 len, base;
        u8 *p = blob((const char *)c + 4, &len, &base);
        switch (ld32(c)) {
        case 1: allocated++; break;
        case 2: add_pointer(c); break;
        case 3:
            ck_assert_uint_lt(ld32(c + 60), len);
            ck_assert_uint_le(ld32(c + 64) + ld32(c + 68), len);
            p[ld32(c + 60)] = (u8)(p[ld32(c + 60)] - sum(p + ld32(c + 64), ld32(c + 68)));
            break;
        default: ck_abort_msg("loader command %u", ld32(c));
        }
    }
    ck_assert_uint_eq(allocated, 2);
}

static void load_with(const char *option, const char *value)
{
    rig_open(&r, NULL, 0, option, value, NULL);
    tables_len = file("etc/acpi/tables", tables, sizeof(tables));
    rsdp_len = file("etc/acpi/rsdp", rsdp, sizeof(rsdp));
    loader_len = file("etc/table-loader", loader, sizeof(loader));
    run_loader();
}

static void setup(void)
{
    load_with("hpet", "on");
}

static void teardown(void)
{
    rig_close(&r);
}

static const u8 *at(u32 address)
{
    ck_assert_uint_ge(address, WHERE);
    ck_assert_uint_lt(address, WHERE + tables_len);
    return tables + (address - WHERE);
}

static const u8 *table(const char *sig)
{
    const u8 *rsdt = at(ld32(rsdp + 16));
    for (u32 k = 36; k < ld32(rsdt + 4); k += 4) {
        if (!memcmp(at(ld32(rsdt + k)), sig, 4)) return at(ld32(rsdt + k));
    }
    return NULL;
}

START_TEST(every_checksum_is_right)
{
    ck_assert_mem_eq(rsdp, "RSD PTR ", 8);
    ck_assert_uint_eq(sum(rsdp, 20), 0);
    const u8 *rsdt = at(ld32(rsdp + 16));
    ck_assert_mem_eq(rsdt, "RSDT", 4);
    ck_assert_uint_eq(sum(rsdt, ld32(rsdt + 4)), 0);
    for (u32 k = 36; k < ld32(rsdt + 4); k += 4) {
        const u8 *t = at(ld32(rsdt + k));
        ck_assert_uint_eq(sum(t, ld32(t + 4)), 0);
        ck_assert_mem_eq(t + 10, "AEROPC", 6);
    }
    const u8 *dsdt = at(ld32(table("FACP") + 40));
    ck_assert_uint_eq(sum(dsdt, ld32(dsdt + 4)), 0);
}
END_TEST

START_TEST(fadt_names_the_ports_of_the_device_set)
{
    const u8 *f = table("FACP");
    ck_assert_mem_eq(at(ld32(f + 36)), "FACS", 4);
    ck_assert_uint_eq(ld32(f + 36) % 64, WHERE % 64);
    ck_assert_mem_eq(at(ld32(f + 40)), "DSDT", 4);
    ck_assert_uint_eq(ld32(f + 132), ld32(f + 36));
    ck_assert_uint_eq(ld32(f + 140), ld32(f + 40));
    ck_assert_uint_eq(ld16(f + 46), 9);
    ck_assert_uint_eq(ld32(f + 48), 0xb2);
    ck_assert_uint_eq(ld32(f + 56), 0x600);
    ck_assert_uint_eq(ld32(f + 64), 0x604);
    ck_assert_uint_eq(ld32(f + 76), 0x608);
    ck_assert_uint_eq(ld32(f + 80), 0xafe0);
    ck_assert_uint_eq(f[116 + 4] | f[117 + 4] << 8, 0xcf9);
}
END_TEST

START_TEST(madt_has_one_cpu_one_ioapic_and_the_overrides)
{
    const u8 *m = table("APIC");
    unsigned cpus = 0, ioapics = 0, overrides = 0;
    ck_assert_uint_eq(ld32(m + 36), 0xfee00000);
    ck_assert_uint_eq(ld32(m + 40), 1);
    for (u32 k = 44; k < ld32(m + 4); k += m[k + 1]) {
        ck_assert_uint_ge(m[k + 1], 2);
        cpus += m[k] == 0;
        ioapics += m[k] == 1 && ld32(m + k + 4) == 0xfec00000;
        overrides += m[k] == 2;
        if (m[k] == 2) ck_assert_uint_eq(ld16(m + k + 8), m[k + 3] ? 0x0d : 0);
    }
    ck_assert_uint_eq(cpus, 1);
    ck_assert_uint_eq(ioapics, 1);
    ck_assert_uint_eq(overrides, 5);
}
END_TEST

START_TEST(hpet_table_follows_the_option)
{
    ck_assert_uint_eq(ld32(table("HPET") + 44), 0xfed00000);
    rig_close(&r);
    load_with("hpet", "off");
    ck_assert_ptr_null(table("HPET"));
    ck_assert_ptr_nonnull(table("WAET"));
}
END_TEST

START_TEST(e820_and_smbios_are_handed_over)
{
    u8 e820[40], anchor[31], smbios[4096];
    ck_assert_uint_eq(file("etc/e820", e820, sizeof(e820)), 20);
    ck_assert_uint_eq(ld64(e820 + 8), 64 * MIB);
    ck_assert_uint_eq(file("etc/smbios/smbios-anchor", anchor, sizeof(anchor)), 31);
    u32 len = file("etc/smbios/smbios-tables", smbios, sizeof(smbios)), n = 0, largest = 0;
    ck_assert_uint_eq(ld16(anchor + 22), len);
    for (u32 k = 0; k < len; n++) {
        u32 start = k;
        ck_assert_uint_ge(smbios[k + 1], 4);
        k += smbios[k + 1];
        while (k + 1 < len && (smbios[k] || smbios[k + 1])) k++;
        k += 2;
        largest = MAX(largest, k - start);
        if (k >= len) ck_assert_uint_eq(smbios[start], 127);
    }
    ck_assert_uint_eq(ld16(anchor + 28), n);
    ck_assert_uint_eq(ld16(anchor + 8), largest);
}
END_TEST

/* Disassembles one table with iasl and compiles the result; both must be free of errors and of
 * warnings other than these two: 3168: Processor() is an old keyword. Windows 7 and every system of
 * ACPI 1.0 to 5.1 look for exactly that. 3073: the root bridge has a _HID and an _ADR. Operating
 * systems of the time read either; real boards have both. */
static void iasl(const char *name, const u8 *t)
{
    char *cmd = xasprintf(
        "cd %s && mkdir -p i && cat > i/t.dat && cd i && iasl -d t.dat > log 2>&1 && iasl t.dsl >> "
        "log 2>&1; "
        "[ -s t.aml ] && ! grep -vE '^Warning +(3168|3073) ' log | grep -qE '^(Error|Warning) '",
        r.dir);
    FILE *p = popen(cmd, "w");
    ck_assert_ptr_nonnull(p);
    fwrite(t, 1, ld32(t + 4), p);
    int status = pclose(p);
    if (status) {
        free(cmd);
        cmd = xasprintf("tail -40 %s/i/log", r.dir);
        ck_assert_int_eq(system(cmd), 0);
    }
    free(cmd);
    cmd = xasprintf("rm -rf %s/i", r.dir);
    ck_assert_int_eq(system(cmd), 0);
    free(cmd);
    ck_assert_msg(status == 0, "iasl does not like %s", name);
}

START_TEST(iasl_accepts_every_table)
{
    if (system("command -v iasl >/dev/null 2>&1")) {
        fprintf(stderr, "skipped: iasl is not installed (acpica-tools)\n");
        return;
    }
    static const char *const names[] = { "FACP", "APIC", "WAET", "HPET" };
    for (unsigned k = 0; k < LEN(names); k++) iasl(names[k], table(names[k]));
    iasl("DSDT", at(ld32(table("FACP") + 40)));
    rig_close(&r);
    load_with("profile", "aerogpu");
    iasl("DSDT of the aerogpu profile", at(ld32(table("FACP") + 40)));
}
END_TEST

RIG_SUITE(acpi_tables, every_checksum_is_right, fadt_names_the_ports_of_the_device_set,
          madt_has_one_cpu_one_ioapic_and_the_overrides, hpet_table_follows_the_option,
          e820_and_smbios_are_handed_over, iasl_accepts_every_table)
