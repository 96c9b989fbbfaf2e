/* ACPI tables, built from the board's constants and handed to the firmware as the fw_cfg files
 * etc/acpi/tables, etc/acpi/rsdp and etc/table-loader (the script that says where pointers and
 * checksums go once the BIOS has placed the tables). ACPI 2.0; boot-chain.md sections 8.7 and 8.8
 * say what Windows 7 checks, device-set.md section 3.4 the names. The DSDT has revision 1: 32-bit
 * integers, opcodes of ACPI 1.0. Published: FACS, DSDT, FADT (revision 3, with the reset register),
 * MADT, WAET, HPET when present. S3 and S4 are not offered. */
#include <stdio.h>
#include <stdlib.h>

#include "devices/fwcfg.h"
#include "machine/board/aml.h"
#include "machine/board/board.h"
#include "machine/board/wiring.h"
#include "machine/machine.h"

#define TABLES "etc/acpi/tables"
#define RSDP "etc/acpi/rsdp"

struct tables {
    struct aml blob;   /* all tables, one after the other */
    struct aml loader; /* 128-byte commands */
};

/* --- loader script --- */

static void command(struct tables *t, u32 cmd, const char *file, const char *file2, u32 a, u32 b,
                    u32 c, u8 small)
{
    u8 e[128] = { 0 };
    st32(e, cmd);
    snprintf((char *)e + 4, 56, "%s", file);
    if (cmd == 1) { /* allocate: alignment, zone */
        st32(e + 60, a);
        e[64] = small;
    } else if (cmd == 2) { /* add pointer: where, size */
        snprintf((char *)e + 60, 56, "%s", file2);
        st32(e + 116, a);
        e[120] = small;
    } else { /* checksum: where, start, length */
        st32(e + 60, a);
        st32(e + 64, b);
        st32(e + 68, c);
    }
    aml_bytes(&t->loader, e, sizeof(e));
}

static void pointer(struct tables *t, size_t at, u8 size)
{
    command(t, 2, TABLES, TABLES, (u32)at, 0, 0, size);
}

/* --- system description headers --- */

static size_t table_begin(struct tables *t, const char *sig, u8 revision)
{
    static const u8 pad[8] = { 0 };
    aml_bytes(&t->blob, pad, (8 - t->blob.len % 8) % 8);
    size_t at = t->blob.len;
    u8 h[36] = { 0 };
    memcpy(h, sig, 4);
    h[8] = revision;
    memcpy(h + 10, "AEROPC", 6);
    memcpy(h + 16, "AEROPC  ", 8);
    st32(h + 24, 1);
    memcpy(h + 28, "AERO", 4);
    st32(h + 32, 1);
    aml_bytes(&t->blob, h, sizeof(h));
    return at;
}

static void table_end(struct tables *t, size_t at)
{
    u32 len = (u32)(t->blob.len - at);
    st32(t->blob.p + at + 4, len);
    command(t, 3, TABLES, NULL, (u32)at + 9, (u32)at, len, 0);
}

/* --- resource descriptors (ACPI 2.0 section 6.4) --- */

static void res_io(struct aml *r, u16 base, u8 len)
{
    u8 d[8] = { 0x47, 1, (u8)base, (u8)(base >> 8), (u8)base, (u8)(base >> 8), 1, len };
    aml_bytes(r, d, sizeof(d));
}

static void res_irq(struct aml *r, unsigned irq)
{
    u8 d[3] = { 0x22, (u8)BIT(irq), (u8)(BIT(irq) >> 8) };
    aml_bytes(r, d, sizeof(d));
}

static void res_dma(struct aml *r, unsigned channel)
{
    u8 d[3] = { 0x2a, (u8)BIT(channel), 0x00 }; /* compatibility, 8-bit, not a bus master */
    aml_bytes(r, d, sizeof(d));
}

static void res_memory(struct aml *r, u32 base, u32 len)
{
    u8 d[12] = { 0x86, 9, 0, 1 };
    st32(d + 4, base);
    st32(d + 8, len);
    aml_bytes(r, d, sizeof(d));
}

/* Extended interrupts: level, active high, shared. */
static void res_interrupts(struct aml *r, const u8 *irqs, unsigned n)
{
    u8 d[5] = { 0x89, (u8)(2 + 4 * n), 0, 0x09, (u8)n };
    aml_bytes(r, d, sizeof(d));
    for (unsigned k = 0; k < n; k++) {
        u32 v = irqs[k];
        aml_bytes(r, &v, 4);
    }
}

/* Word (size 2) or dword (size 4) address space; type 0 memory, 1 I/O, 2 bus numbers. Fixed at both
 * ends, positive decode, producer. */
static void res_space(struct aml *r, u8 size, u8 type, u8 type_flags, u64 first, u64 last)
{
    u8 d[26] = { size == 2 ? 0x88 : 0x87, (u8)(3 + 5 * size), 0, type, 0x0c, type_flags };
    u64 v[5] = { 0, first, last, 0, last - first + 1 };
    for (unsigned k = 0; k < 5; k++) memcpy(d + 6 + k * size, &v[k], size);
    aml_bytes(r, d, 6 + 5u * size);
}

static void res_end(struct aml *r)
{
    static const u8 end[2] = { 0x79, 0 };
    aml_bytes(r, end, 2);
}

static void crs(struct aml *a, const char *name, struct aml *r)
{
    res_end(r);
    aml_name_buffer(a, name, r->p, r->len);
    aml_free(r);
}

/* --- DSDT --- */

static void link_device(struct aml *a, const struct link_row *l)
{
    char field[32];
    snprintf(field, sizeof(field), "\\_SB.PCI0.ISA.PRQ%c", l->name[3]);
    struct aml r = { 0 };
    aml_device(a, l->name);
    aml_name_eisa(a, "_HID", "PNP0C0F");
    aml_name_int(a, "_UID", (u64)(l->name[3] - 'A'));
    res_interrupts(&r, board_pci_irqs, LEN(board_pci_irqs));
    crs(a, "_PRS", &r);

    aml_method(a, "_STA", 0,
               false); /* present; enabled unless bit 7 of the routing register is set */
    aml_if(a);
    aml_op(a, AML_AND);
    aml_path(a, field);
    aml_int(a, 0x80);
    aml_op(a, AML_ZERO); /* no target */
    aml_return_int(a, 0x09);
    aml_end(a);
    aml_return_int(a, 0x0b);
    aml_end(a);

    aml_method(a, "_DIS", 0, false);
    aml_op(a, AML_OR);
    aml_path(a, field);
    aml_int(a, 0x80);
    aml_path(a, field);
    aml_end(a);

    aml_method(a, "_CRS", 0, true);
    static const u8 none = 0;
    res_interrupts(&r, &none, 1);
    res_end(&r);
    aml_op(a, AML_STORE);
    aml_buffer(a, r.p, r.len);
    aml_op(a, AML_LOCAL0);
    aml_free(&r);
    aml_op(a, AML_CREATE_DWORD);
    aml_op(a, AML_LOCAL0);
    aml_int(a, 5);
    aml_path(a, "IRQN");
    aml_op(a, AML_AND);
    aml_path(a, field);
    aml_int(a, 0x0f);
    aml_path(a, "IRQN");
    aml_op(a, AML_RETURN);
    aml_op(a, AML_LOCAL0);
    aml_end(a);

    aml_method(a, "_SRS", 1, true);
    aml_op(a, AML_CREATE_DWORD);
    aml_op(a, AML_ARG0);
    aml_int(a, 5);
    aml_path(a, "IRQN");
    aml_op(a, AML_STORE);
    aml_path(a, "IRQN");
    aml_path(a, field);
    aml_end(a);
    aml_end(a);
}

/* The link the power-management function's INTA shows: always the SCI. */
static void sci_link(struct aml *a)
{
    static const u8 sci = SCI_IRQ;
    struct aml r = { 0 };
    aml_device(a, "LNKS");
    aml_name_eisa(a, "_HID", "PNP0C0F");
    aml_name_int(a, "_UID", BOARD_LINKS);
    aml_name_int(a, "_STA", 0x0b);
    res_interrupts(&r, &sci, 1);
    crs(a, "_PRS", &r);
    res_interrupts(&r, &sci, 1);
    crs(a, "_CRS", &r);
    aml_method(a, "_DIS", 0, false);
    aml_end(a);
    aml_method(a, "_SRS", 1, false);
    aml_end(a);
    aml_end(a);
}

static void routing(struct aml *a)
{
    aml_op(a, AML_NAME);
    aml_path(a, "_PRT");
    aml_package(a, 32 * 4 - 4);
    for (u32 dev = 1; dev < 32; dev++) {
        for (u32 pin = 0; pin < 4; pin++) {
            aml_package(a, 4);
            aml_int(a, dev << 16 | 0xffff);
            aml_int(a, pin);
            char name[16];
            snprintf(name, sizeof(name), "\\_SB.%s",
                     dev == 1 && pin == 0 ? "LNKS" : board_links[(dev + pin) & 3].name);
            aml_path(a, name);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

struct isa_row {
    const char *name, *hid;
    struct {
        u16 base;
        u8 len;
    } io[5];
    i8 irq, dma; /* -1: none */
};

/* clang-format off */
static const struct isa_row isa_rows[] = {
    { "KBD",  "PNP0303", { { 0x60, 1 }, { 0x64, 1 } }, 1, -1 },
    { "MOU",  "PNP0F13", { { 0 } }, 12, -1 },
    { "RTC",  "PNP0B00", { { 0x70, 4 } }, 8, -1 },
    { "PIC",  "PNP0000", { { 0x20, 2 }, { 0xa0, 2 } }, 2, -1 },
    { "TMR",  "PNP0100", { { 0x40, 4 } }, 0, -1 },
    { "DMAC", "PNP0200", { { 0x00, 16 }, { 0x81, 15 }, { 0xc0, 32 } }, -1, 4 },
    { "SPKR", "PNP0800", { { 0x61, 1 } }, -1, -1 },
    { "FPU",  "PNP0C04", { { 0xf0, 1 } }, 13, -1 },
    { "COM1", "PNP0501", { { 0x3f8, 8 } }, 4, -1 },
    { "COM2", "PNP0501", { { 0x2f8, 8 } }, 3, -1 },
    { "FDC0", "PNP0700", { { 0x3f0, 6 }, { 0x3f7, 1 } }, 6, 2 },
};
/* clang-format on */

static void isa_devices(struct aml *a)
{
    for (unsigned k = 0; k < LEN(isa_rows); k++) {
        const struct isa_row *row = &isa_rows[k];
        struct aml r = { 0 };
        aml_device(a, row->name);
        aml_name_eisa(a, "_HID", row->hid);
        if (!strcmp(row->hid, "PNP0501")) aml_name_int(a, "_UID", (u64)(row->name[3] - '0'));
        for (unsigned n = 0; n < LEN(row->io) && row->io[n].len; n++)
            res_io(&r, row->io[n].base, row->io[n].len);
        if (row->irq >= 0) res_irq(&r, (unsigned)row->irq);
        if (row->dma >= 0) res_dma(&r, (unsigned)row->dma);
        crs(a, "_CRS", &r);
        aml_end(a);
    }
}

static void motherboard(struct aml *a)
{
    static const struct {
        u16 base;
        u8 len;
    } io[] = { { PM_BASE, 0x40 }, { 0x700, 0x40 }, { 0x4d0, 2 }, { GPE_BASE, 4 },
               { SMI_PORT, 2 },   { 0x92, 1 },     { 0x510, 2 } };
    struct aml r = { 0 };
    aml_device(a, "MRES");
    aml_name_eisa(a, "_HID", "PNP0C02");
    for (unsigned k = 0; k < LEN(io); k++) res_io(&r, io[k].base, io[k].len);
    res_memory(&r, IOAPIC_BASE, 0x1000);
    res_memory(&r, LAPIC_BASE, 0x1000);
    crs(a, "_CRS", &r);
    aml_end(a);
}

static void root_bridge(struct machine *m, struct aml *a)
{
    struct aml r = { 0 };
    aml_device(a, "PCI0");
    aml_name_eisa(a, "_HID", "PNP0A03");
    aml_name_int(a, "_ADR", 0);
    aml_name_int(a, "_BBN", 0);
    aml_name_int(a, "_UID", 0);
    res_space(&r, 2, 2, 0, 0, 0xff);
    res_io(&r, 0xcf8, 8);
    res_space(&r, 2, 1, 3, 0x0000, 0x0cf7);
    res_space(&r, 2, 1, 3, 0x0d00, 0xffff);
    res_space(&r, 4, 0, 3, 0xa0000, 0xbffff);
    res_space(&r, 4, 0, 1, m->low_size, PCI_WINDOW_LAST);
    crs(a, "_CRS", &r);
    routing(a);

    aml_device(a, "ISA");
    aml_name_int(a, "_ADR", 0x00010000);
    static const char *const fields[] = { "PRQA", "PRQB", "PRQC", "PRQD" };
    aml_region(a, "PIRQ", AML_PCI_CONFIG, board_links[0].reg, BOARD_LINKS);
    aml_byte_fields(a, "PIRQ", fields, BOARD_LINKS);
    isa_devices(a);
    aml_end(a);
    if (board_device(m, "vga")) {
        aml_device(a, "VGA0");
        aml_name_int(a, "_ADR", 0x000c0000);
        aml_end(a);
    }
    if (board_device(m, "aerogpu")) {
        aml_device(a, "GPU0");
        aml_name_int(a, "_ADR", 0x00070000);
        aml_end(a);
    }
    aml_end(a);
}

static void hpet_device(struct aml *a)
{
    struct aml r = { 0 };
    aml_device(a, "HPET");
    aml_name_eisa(a, "_HID", "PNP0103");
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_STA", 0x0f);
    res_memory(&r, HPET_BASE, 0x400);
    crs(a, "_CRS", &r);
    aml_end(a);
}

static size_t dsdt(struct machine *m, struct tables *t)
{
    struct aml *a = &t->blob;
    size_t at = table_begin(t, "DSDT", 1);
    aml_name_int(a, "\\PICM", 0);
    aml_method(a, "\\_PIC", 1, false);
    aml_op(a, AML_STORE);
    aml_op(a, AML_ARG0);
    aml_path(a, "\\PICM");
    aml_end(a);
    aml_op(a, AML_NAME);
    aml_path(a, "\\_S5");
    aml_package(a, 4);
    for (unsigned k = 0; k < 4; k++) aml_int(a, k < 2 ? S5_TYPE : 0);
    aml_end(a);
    aml_scope(a, "\\_PR");
    aml_processor(a, "CPU0", 0);
    aml_end(a);
    aml_scope(a, "\\_SB");
    root_bridge(m, a);
    for (unsigned k = 0; k < BOARD_LINKS; k++) link_device(a, &board_links[k]);
    sci_link(a);
    motherboard(a);
    if (m->cfg->hpet) hpet_device(a);
    aml_end(a);
    table_end(t, at);
    return at;
}

/* --- fixed tables --- */

static void gas(u8 *p, u8 space, u8 bits, u64 addr)
{
    p[0] = space;
    p[1] = bits;
    st64(p + 4, addr);
}

static size_t fadt(struct tables *t, size_t facs_at, size_t dsdt_at)
{
    size_t at = table_begin(t, "FACP", 3);
    u8 f[244] = { 0 }; /* offsets from the start of the table */
    st32(f + 36, (u32)facs_at);
    st32(f + 40, (u32)dsdt_at);
    f[45] = 1; /* preferred profile: desktop */
    st16(f + 46, SCI_IRQ);
    st32(f + 48, SMI_PORT);
    f[52] = ACPI_ENABLE_VALUE;
    f[53] = ACPI_DISABLE_VALUE;
    st32(f + 56, PM_BASE);
    st32(f + 64, PM_BASE + 4);
    st32(f + 76, PM_BASE + 8);
    st32(f + 80, GPE_BASE);
    f[88] = 4;           /* PM1 event block */
    f[89] = 2;           /* PM1 control block */
    f[91] = 4;           /* PM timer */
    f[92] = 4;           /* GPE0 block */
    st16(f + 96, 0xfff); /* C2 and C3 not supported */
    st16(f + 98, 0xfff);
    f[108] = 0x32;         /* century byte in the CMOS */
    st16(f + 109, 0x0003); /* legacy devices, 8042 */
    /* WBINVD works; C1; no sleep button; RTC wake not in fixed registers; reset register. Power
     * button: fixed (bit 4 clear). */
    st32(f + 112, BIT(0) | BIT(2) | BIT(5) | BIT(6) | BIT(10));
    gas(f + 116, 1, 8, 0xcf9);
    f[128] = 0x06;
    st64(f + 132, facs_at);
    st64(f + 140, dsdt_at);
    gas(f + 148, 1, 32, PM_BASE);
    gas(f + 172, 1, 16, PM_BASE + 4);
    gas(f + 208, 1, 32, PM_BASE + 8);
    gas(f + 220, 1, 32, GPE_BASE);
    aml_bytes(&t->blob, f + 36, sizeof(f) - 36);
    pointer(t, at + 36, 4);
    pointer(t, at + 40, 4);
    pointer(t, at + 132, 8);
    pointer(t, at + 140, 8);
    table_end(t, at);
    return at;
}

static size_t madt(struct tables *t)
{
    static const u8 level[] = { 5, 9, 10, 11 };
    struct aml *a = &t->blob;
    size_t at = table_begin(t, "APIC", 1);
    u8 head[8], cpu[8] = { 0, 8, 0, 0, 1 }, ioapic[12] = { 1, 12, 0, 0 },
                timer[10] = { 2, 10, 0, 0, 2 };
    st32(head, LAPIC_BASE);
    st32(head + 4, 1); /* PCAT_COMPAT: 8259s are there too */
    st32(ioapic + 4, IOAPIC_BASE);
    aml_bytes(a, head, sizeof(head));
    aml_bytes(a, cpu, sizeof(cpu));
    aml_bytes(a, ioapic, sizeof(ioapic));
    aml_bytes(a, timer, sizeof(timer));
    for (unsigned k = 0; k < LEN(level); k++) {
        u8 o[10] = { 2, 10, 0, level[k], level[k], 0, 0, 0, 0x0d, 0 }; /* active high, level */
        aml_bytes(a, o, sizeof(o));
    }
    static const u8 nmi[6] = { 4, 6, 0xff, 0, 0, 1 };
    aml_bytes(a, nmi, sizeof(nmi));
    table_end(t, at);
    return at;
}

static size_t waet(struct tables *t)
{
    size_t at = table_begin(t, "WAET", 1);
    u32 flags = 2; /* the PM timer needs one read; the RTC wants its register C read */
    aml_bytes(&t->blob, &flags, 4);
    table_end(t, at);
    return at;
}

static size_t hpet(struct tables *t)
{
    size_t at = table_begin(t, "HPET", 1);
    u8 h[20] = { 0 };
    st32(h, 0x8086a201);
    gas(h + 4, 0, 64, HPET_BASE);
    st16(h + 17, 100); /* minimum tick */
    aml_bytes(&t->blob, h, sizeof(h));
    table_end(t, at);
    return at;
}

void acpi_build(struct machine *m, struct device *fwcfg)
{
    struct tables t = { 0 };
    command(&t, 1, RSDP, NULL, 16, 0, 0, 2);
    command(&t, 1, TABLES, NULL, 64, 0, 0, 1);
    u8 facs[64] = "FACS";
    st32(facs + 4, sizeof(facs));
    st32(facs + 8, 0x0a3a0001); /* hardware signature: constant, hibernation compares it */
    aml_bytes(&t.blob, facs, sizeof(facs));
    size_t list[5], n = 0, dsdt_at = dsdt(m, &t);
    list[n++] = fadt(&t, 0, dsdt_at);
    list[n++] = madt(&t);
    list[n++] = waet(&t);
    if (m->cfg->hpet) list[n++] = hpet(&t);

    size_t rsdt = table_begin(&t, "RSDT", 1);
    for (size_t k = 0; k < n; k++) {
        u32 at = (u32)list[k];
        pointer(&t, t.blob.len, 4);
        aml_bytes(&t.blob, &at, 4);
    }
    table_end(&t, rsdt);

    u8 rsdp[20] = "RSD PTR ";
    memcpy(rsdp + 9, "AEROPC", 6);
    st32(rsdp + 16, (u32)rsdt);
    command(&t, 2, RSDP, TABLES, 16, 0, 0, 4);
    command(&t, 3, RSDP, NULL, 8, 0, 20, 0);
    fwcfg_add_file(fwcfg, TABLES, t.blob.p, t.blob.len);
    fwcfg_add_file(fwcfg, RSDP, rsdp, sizeof(rsdp));
    fwcfg_add_file(fwcfg, "etc/table-loader", t.loader.p, t.loader.len);
    aml_free(&t.blob);
    aml_free(&t.loader);
}
