/* The PCI functions of bus 0 by configuration mechanism #1, with names of what this board has, and
   what AeroGPU's identification registers say. */

#include "bios/demo/demo.h"

u32 pci_read(u32 bdf, u32 reg)
{
    outl(0xcf8, 0x80000000u | bdf << 8 | (reg & 0xfc));
    return inl(0xcfc);
}

static const struct { u32 id; const char *name; } names[] = {
    { 0x12378086, "82441FX host bridge" },
    { 0x70008086, "82371SB ISA bridge" },
    { 0x71108086, "82371AB ISA bridge" },
    { 0x70108086, "82371SB IDE" },
    { 0x71118086, "82371AB IDE" },
    { 0x71138086, "82371AB power management" },
    { 0x29228086, "ICH9 AHCI" },
    { 0x28298086, "ICH8M AHCI" },
    { 0x100e8086, "82540EM network" },
    { 0x11111234, "Standard VGA" },
    { 0x0001a3a0, "AeroGPU" },
};

static const char *class_name(u32 class_word)
{
    static const struct { u16 code; const char *name; } classes[] = {
        { 0x0101, "IDE controller" }, { 0x0106, "SATA controller" }, { 0x0200, "Ethernet" },
        { 0x0300, "VGA display" }, { 0x0380, "Display" }, { 0x0403, "Audio" },
        { 0x0600, "Host bridge" }, { 0x0601, "ISA bridge" }, { 0x0680, "Bridge" },
        { 0x0c03, "USB controller" },
    };
    for (u32 i = 0; i < LEN(classes); i++)
        if (classes[i].code == class_word) return classes[i].name;
    return "Device";
}

static const char *name_of(u32 id, u32 class_word)
{
    for (u32 i = 0; i < LEN(names); i++)
        if (names[i].id == id) return names[i].name;
    return class_name(class_word);
}

enum { ID_AEROGPU = 0x0001a3a0, AEROGPU_MAGIC = 0x55504741 };

/* BAR0 + 0 is the magic, + 4 the ABI version, major in the upper half, + 8 the low feature bits. */
static void aerogpu_line(struct lines *l, u32 bdf)
{
    struct text t = new_line(l, 0);
    const u32 bar = pci_read(bdf, 0x10) & ~15u;
    put_str(&t, "        \xc0 ");
    if (!bar || !(pci_read(bdf, 4) & 2)) {
        put_str(&t, "registers not mapped");
        return;
    }
    const volatile u32 *regs = (const volatile u32 *)bar;
    if (regs[0] != AEROGPU_MAGIC) {
        put_str(&t, "no AGPU signature");
        return;
    }
    put_str(&t, "ABI ");
    put_dec(&t, regs[1] >> 16, 1, ' ');
    put_char(&t, '.');
    put_dec(&t, regs[1] & 0xffff, 1, ' ');
    put_str(&t, ", features ");
    put_hex(&t, regs[2], 8);
}

static void pci_line(struct lines *l, u32 bdf, u32 id)
{
    const u32 class_word = pci_read(bdf, 8) >> 16, irq = pci_read(bdf, 0x3c);
    struct text t = new_line(l, 0);
    put_hex(&t, bdf >> 3, 2);
    put_char(&t, '.');
    put_hex(&t, bdf & 7, 1);
    put_str(&t, "  ");
    put_hex(&t, id & 0xffff, 4);
    put_char(&t, ':');
    put_hex(&t, id >> 16, 4);
    put_str(&t, "  ");
    put_str(&t, name_of(id, class_word));
    if (irq >> 8 & 0xff && (irq & 0xff) < 16) {
        put_str(&t, " \xfa IRQ ");
        put_dec(&t, irq & 0xff, 1, ' ');
    }
    if (id == ID_AEROGPU) aerogpu_line(l, bdf);
}

void gather_pci(struct lines *l)
{
    for (u32 dev = 0; dev < 32; dev++)
        for (u32 fn = 0; fn < 8; fn++) {
            const u32 bdf = dev << 3 | fn, id = pci_read(bdf, 0);
            if ((id & 0xffff) == 0xffff) {
                if (fn == 0) break;
                continue;
            }
            pci_line(l, bdf, id);
            if (fn == 0 && !(pci_read(bdf, 0x0c) & 0x800000)) break;
        }
}
