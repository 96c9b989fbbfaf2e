/* SMBIOS 2.8 structures (DSP0134) of this board: types 0, 1, 3, 4, 16, 17, 19, 32 and 127, as
 * fw_cfg files; the BIOS places them and completes the entry point's address and checksums. Serial
 * numbers are constant: Windows keeps them. */
#include <stdio.h>

#include "devices/fwcfg.h"
#include "machine/board/aml.h" /* its growing buffer */
#include "machine/board/wiring.h"
#include "machine/images.h" /* AEROPC_VERSION */
#include "machine/machine.h"

struct smbios {
    struct aml out;
    u16 handle, count;
    size_t largest, start;
};

static void begin(struct smbios *s, u8 type, u8 len)
{
    u8 h[4] = { type, len };
    s->start = s->out.len;
    st16(h + 2, s->handle++);
    aml_bytes(&s->out, h, sizeof(h));
}

/* Strings are numbered from 1 in the order given; the list ends with NULL. */
static void end(struct smbios *s, const char *const *strings)
{
    static const u8 zero[2] = { 0, 0 };
    unsigned n = 0;
    for (; strings && strings[n]; n++) aml_bytes(&s->out, strings[n], strlen(strings[n]) + 1);
    aml_bytes(&s->out, zero, n ? 1 : 2);
    s->count++;
    s->largest = MAX(s->largest, s->out.len - s->start);
}

static void structure(struct smbios *s, u8 type, const u8 *body, u8 n, const char *const *strings)
{
    begin(s, type, (u8)(n + 4));
    aml_bytes(&s->out, body, n);
    end(s, strings);
}

static void system_types(struct smbios *s)
{
    static const char *const bios[] = { "aeropc", AEROPC_VERSION, "01/01/2026", NULL };
    static const char *const system[] = { "aeropc", "aeropc PC (i440FX)", AEROPC_VERSION, "0",
                                          NULL };
    static const char *const chassis[] = { "aeropc", NULL };
    u8 t0[20] = { 1, 2, 0x00, 0xe0, 3, 1 }; /* segment E000h; 128 KiB */
    st64(t0 + 6, BIT64(7) | BIT64(11) | BIT64(15) | BIT64(16) |
                     BIT64(19)); /* PCI, flash, CD boot, selectable, EDD */
    t0[14] = 1;                  /* extension: ACPI */
    t0[16] = 0;
    t0[17] = 1;
    t0[18] = t0[19] = 0xff;
    structure(s, 0, t0, sizeof(t0), bios);
    u8 t1[23] = { 1,    2,    3, 4, 0x61, 0x65, 0x72, 0x6f, 0x70, 0x63, 0x40, 0x00,
                  0x80, 0x00, 0, 0, 0,    0,    0,    1,    6,    0,    0 };
    structure(s, 1, t1, sizeof(t1), system);
    u8 t3[18] = { 1, 3, 0, 0, 0, 3, 3, 3, 2 }; /* desktop; states safe; no security */
    structure(s, 3, t3, sizeof(t3), chassis);
}

static void cpu_type(struct smbios *s)
{
    static const char *const cpu[] = { "CPU 0", "Intel", "aeropc virtual CPU", NULL };
    u8 t4[38] = { 1, 3, 1, 2 }; /* socket; central processor; family "other"; manufacturer */
    t4[12] = 3;
    st16(t4 + 16, 2000);
    st16(t4 + 18, 2000);
    t4[20] = 0x41; /* populated, enabled */
    t4[21] = 1;
    for (unsigned k = 22; k < 28; k++) t4[k] = 0xff; /* no cache structures */
    t4[31] = t4[32] = t4[33] = 1;
    st16(t4 + 34, 4); /* 64-bit capable */
    st16(t4 + 36, 1);
    structure(s, 4, t4, sizeof(t4), cpu);
}

static void memory_types(struct smbios *s, u64 ram)
{
    static const char *const dimm[] = { "DIMM 0", "aeropc", NULL };
    u16 array = s->handle;
    u8 t16[19] = { 1, 3,
                   6 }; /* system board; system memory; multi-bit ECC as virtual machines say */
    st32(t16 + 3, (u32)MIN(ram / KIB, 0x80000000ull));
    st16(t16 + 7, 0xfffe);
    st16(t16 + 9, 1);
    if (ram / KIB >= 0x80000000ull) st64(t16 + 11, ram);
    structure(s, 16, t16, sizeof(t16), NULL);
    u8 t17[36] = { 0 };
    st16(t17, array);
    st16(t17 + 2, 0xfffe);
    st16(t17 + 4, 64);
    st16(t17 + 6, 64);
    st16(t17 + 8, (u16)MIN(ram / MIB, 0x7fffull));
    t17[10] = 9; /* DIMM */
    t17[12] = 1;
    t17[14] = 7; /* RAM */
    st16(t17 + 15, 2);
    t17[19] = 2;
    if (ram / MIB >= 0x7fff) st32(t17 + 24, (u32)(ram / MIB));
    structure(s, 17, t17, sizeof(t17), dimm);
    u8 t19[27] = { 0 };
    st32(t19 + 4, (u32)(MIN(ram, 0xffffffffull * KIB) / KIB - 1));
    st16(t19 + 8, array);
    t19[10] = 1;
    structure(s, 19, t19, sizeof(t19), NULL);
}

void smbios_build(struct machine *m, struct device *fwcfg)
{
    struct smbios s = { .handle = 0x100 };
    system_types(&s);
    cpu_type(&s);
    memory_types(&s, m->ram_size);
    static const u8 t32[7] = { 0 };
    structure(&s, 32, t32, sizeof(t32), NULL);
    structure(&s, 127, NULL, 0, NULL);

    u8 anchor[31] = "_SM_";
    anchor[5] = sizeof(anchor);
    anchor[6] = 2;
    anchor[7] = 8;
    st16(anchor + 8, (u16)s.largest);
    memcpy(anchor + 16, "_DMI_", 5);
    st16(anchor + 22, (u16)s.out.len);
    st16(anchor + 28, s.count);
    anchor[30] = 0x28;
    fwcfg_add_file(fwcfg, "etc/smbios/smbios-tables", s.out.p, s.out.len);
    fwcfg_add_file(fwcfg, "etc/smbios/smbios-anchor", anchor, sizeof(anchor));
    aml_free(&s.out);
}
