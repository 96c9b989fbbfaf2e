/* Firmware tables: SMBIOS and ACPI, and the way to switch the machine off.

   Power-off writes SLP_TYP of \_S5 with SLP_EN to PM1a_CNT (ACPI 6.0, 4.8.3.2). \_S5 is found by
   its name in the DSDT's byte code; there is no interpreter here, so a package of anything but
   plain integers is not understood. Then, or without ACPI, power_off returns and the screen says
   so. */

#include "bios/demo/demo.h"

static u32 rd32(const u8 *p) { return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24; }
static u16 rd16(const u8 *p) { return (u16)(p[0] | p[1] << 8); }

static u8 sum(const u8 *p, u32 n)
{
    u8 s = 0;
    while (n--) s += *p++;
    return s;
}

/* The linker and the compiler know nothing of what lies at fixed addresses. */
static const u8 *at(u32 gpa)
{
    __asm__("" : "+r"(gpa));
    return (const u8 *)gpa;
}

static const u8 *find_rsdp(void)
{
    const u32 ebda = (u32)rd16(at(0x40e)) << 4;
    const u32 ranges[2][2] = { { ebda, 0x400 }, { 0xe0000, 0x20000 } };
    for (u32 i = 0; i < 2; i++)
        for (u32 off = 0; off < ranges[i][1] && ranges[i][0] >= 0x400; off += 16) {
            const u8 *p = at(ranges[i][0] + off);
            if (mem_equal(p, "RSD PTR ", 8) && sum(p, 20) == 0) return p;
        }
    return 0;
}

enum { LONGEST_TABLE = 1 << 20 };

/* A number in a package: ZeroOp, OneOp or a byte, word or dword constant. Returns its length. */
static u32 aml_integer(const u8 *p, u8 *v)
{
    *v = p[0] == 0x0a || p[0] == 0x0b || p[0] == 0x0c ? p[1] : p[0];
    return p[0] == 0x0a ? 2 : p[0] == 0x0b ? 3 : p[0] == 0x0c ? 5 : p[0] <= 1 ? 1 : 0;
}

static void find_s5(const u8 *dsdt, struct power *p)
{
    const u32 len = rd32(dsdt + 4);
    if (!mem_equal(dsdt, "DSDT", 4) || len < 64 || len > LONGEST_TABLE) return;
    for (u32 i = 36; i + 16 < len; i++) {
        if (!mem_equal(dsdt + i, "_S5_\x12", 5)) continue;
        const u8 *q = dsdt + i + 5;
        q += 1 + (*q >> 6) + 1;             /* package length, number of elements */
        const u32 n = aml_integer(q, &p->typ_a);
        if (!n || !aml_integer(q + n, &p->typ_b)) return;
        p->known = 1;
        return;
    }
}

static void read_fadt(const u8 *fadt, struct power *p)
{
    p->smi_cmd = (u16)rd32(fadt + 48);
    p->acpi_enable = fadt[52];
    p->pm1a = (u16)rd32(fadt + 64);
    p->pm1b = (u16)rd32(fadt + 68);
    if (p->pm1a) find_s5(at(rd32(fadt + 40)), p);
}

static void acpi_lines(struct lines *l, struct power *p)
{
    const u8 *rsdp = find_rsdp();
    struct text t = new_line(l, 0);
    if (!rsdp) {
        put_str(&t, "ACPI       none");
        return;
    }
    put_str(&t, "ACPI ");
    put_dec(&t, rsdp[15] >= 2 ? 2u : 1u, 1, ' ');
    put_str(&t, "     ");
    put_mem(&t, (const char *)rsdp + 9, 6);
    const u8 *rsdt = at(rd32(rsdp + 16));
    const u32 len = rd32(rsdt + 4);
    if (!mem_equal(rsdt, "RSDT", 4) || len < 36 || len > LONGEST_TABLE) return;
    t = new_line(l, 0);
    put_str(&t, "Tables     ");
    for (u32 i = 36; i + 4 <= len && i < 36 + 4 * 8; i += 4) {
        const u8 *table = at(rd32(rsdt + i));
        put_mem(&t, (const char *)table, 4);
        put_char(&t, ' ');
        if (mem_equal(table, "FACP", 4)) {
            put_str(&t, "DSDT ");
            read_fadt(table, p);
        }
    }
}

/* String number n after the formatted part of a structure; empty if there is none. */
static const char *smbios_string(const u8 *s, u32 n, const u8 *end)
{
    const u8 *p = s + s[1];
    while (n > 1 && p < end && *p) {
        while (p < end && *p) p++;
        p++;
        n--;
    }
    return n && p < end ? (const char *)p : "";
}

static void smbios_pair(struct lines *l, const char *label, const u8 *s, const u8 *end)
{
    struct text t = new_line(l, 0);
    put_str(&t, label);
    put_mem(&t, smbios_string(s, s[4], end), 24);
    put_char(&t, ' ');
    put_mem(&t, smbios_string(s, s[5], end), 24);
}

static void smbios_walk(struct lines *l, const u8 *s, u32 len)
{
    const u8 *end = s + len;
    u32 count = 0;
    for (; s + 6 < end && s[1] >= 4 && count < 200; count++) {
        if (s[0] == 0) smbios_pair(l, "BIOS       ", s, end);
        if (s[0] == 1) smbios_pair(l, "System     ", s, end);
        if (s[0] == 127) break;
        s += s[1];
        while (s + 1 < end && (s[0] || s[1])) s++;
        s += 2;
    }
}

static void smbios_lines(struct lines *l)
{
    for (u32 gpa = 0xf0000; gpa < 0x100000; gpa += 16) {
        const u8 *p = at(gpa);
        if (!mem_equal(p, "_SM_", 4) || sum(p, p[5]) != 0) continue;
        smbios_walk(l, at(rd32(p + 0x18)), rd16(p + 0x16));
        struct text t = new_line(l, 0);
        put_str(&t, "SMBIOS ");
        put_dec(&t, p[6], 1, ' ');
        put_char(&t, '.');
        put_dec(&t, p[7], 1, ' ');
        put_str(&t, " with ");
        put_dec(&t, rd16(p + 0x1c), 1, ' ');
        put_str(&t, " structures");
        return;
    }
    struct text t = new_line(l, 0);
    put_str(&t, "SMBIOS     none");
}

void gather_firmware(struct lines *l, struct power *p)
{
    struct text t = new_line(l, 1);
    put_str(&t, "Firmware");
    smbios_lines(l);
    acpi_lines(l, p);
}

void power_off(const struct power *p)
{
    if (!p->known) return;
    if (p->smi_cmd && p->acpi_enable && !(inw(p->pm1a) & 1)) {
        outb(p->smi_cmd, p->acpi_enable);
        for (u32 i = 0; i < 100000 && !(inw(p->pm1a) & 1); i++) continue;
    }
    outw(p->pm1a, (u16)((inw(p->pm1a) & 0x203) | p->typ_a << 10 | 1 << 13));
    if (p->pm1b) outw(p->pm1b, (u16)((inw(p->pm1b) & 0x203) | p->typ_b << 10 | 1 << 13));
    for (u32 i = 0; i < 1000000; i++) inb(0x80);
}
