/* The Bochs display interface (ports 1CEh index, 1CFh data), where the linear framebuffer lies, and
   the monitor's EDID.

   The framebuffer's address is asked for anew each time, because an operating system moves BARs:
   dispi index 10h answers with address bits 31:16 of whichever function owns the display; a machine
   without that index reads 0 there and is asked through PCI configuration space.

   The EDID lies in the register BAR (BAR2 of the Standard VGA, offset 0), above what INT 10h can
   reach. It is copied once, at POST, into bytes of the ROM's shadow. */

#include "bios/vga/vga.h"

u16 dispi_rd(u16 i)
{
    outw(0x1ce, i);
    return inw(0x1cf);
}

void dispi_wr(u16 i, u16 v)
{
    outw(0x1ce, i);
    outw(0x1cf, v);
}

int dispi_present(void)
{
    const u16 id = dispi_rd(DISPI_ID);
    return id >= 0xb0c2 && id <= 0xb0cf;    /* C2h is the first with a linear framebuffer */
}

int dispi_active(void) { return dispi_present() && dispi_rd(DISPI_ENABLE) & DISPI_ON; }

static u32 pci_rd(u16 bdf, u8 reg)
{
    outl(0xcf8, 0x80000000u | (u32)bdf << 8 | reg);
    return inl(0xcfc);
}

enum { ID_STDVGA = 0x11111234, ID_AEROGPU = 0x0001a3a0 };

/* Bus 0 is all the board has. Without a display function: 0. */
static u32 lfb_from_pci(void)
{
    const u32 was = inl(0xcf8);
    u32 base = 0;
    for (u16 bdf = 0; bdf < 256 && !base; bdf++) {
        const u32 id = pci_rd(bdf, 0);
        if (id == ID_STDVGA) base = pci_rd(bdf, 0x10) & ~15u;
        if (id == ID_AEROGPU && !(dispi_rd(DISPI_ID) < 0xb0c2))
            base = (pci_rd(bdf, 0x14) & ~15u) + 0x40000;
    }
    outl(0xcf8, was);
    return base;
}

u32 lfb_base(void)
{
    const u16 high = dispi_rd(DISPI_LFB_HIGH);
    return high && high != 0xffff ? (u32)high << 16 : lfb_from_pci();
}

/* Reads one dword of physical memory: protected mode for a moment, with a flat data segment. Only
   called during POST, in true real mode with interrupts off, never from INT 10h. The descriptor
   table lies on the stack. */
static u32 phys_rd(u32 gpa)
{
    volatile u32 gdt[4];                    /* filled by hand: an initialiser would be data */
    struct { u16 limit; u32 base; } __attribute__((packed)) gdtr;
    u32 ss, v, cr0;
    __asm__("movw %%ss, %w0" : "=r"(ss));
    gdt[0] = gdt[1] = 0;
    gdt[2] = 0x0000ffff;
    gdt[3] = 0x00cf9300;
    gdtr.limit = sizeof(gdt) - 1;
    gdtr.base = ((ss & 0xffff) << 4) + (u32)gdt;
    __asm__ volatile("pushfl\n cli\n pushw %%fs\n lgdtl %2\n movl %%cr0, %1\n"
                     "orb $1, %b1\n movl %1, %%cr0\n jmp 1f\n1: movw %w4, %%fs\n"
                     "andb $0xfe, %b1\n movl %1, %%cr0\n jmp 2f\n2: movl %%fs:(%3), %0\n"
                     "popw %%fs\n popfl\n"
                     : "=&r"(v), "=&q"(cr0) : "m"(gdtr), "r"(gpa), "r"(8) : "memory");
    return v;
}

static int in_real_mode(void)
{
    u16 msw;
    __asm__("smsw %0" : "=r"(msw));
    return !(msw & 1);
}

static u8 edid_sum(u16 seg, u16 off)
{
    u8 sum = 0;
    for (u8 i = 0; i < 128; i++) sum += ld8(seg, off + i);
    return sum;
}

void read_edid_at_post(u16 bdf)
{
    extern const ROM u8 edid_valid[], edid_data[];
    const u16 seg = rom_seg(), data = (u16)(u32)edid_data;
    if (!in_real_mode() || pci_rd(bdf, 0) != ID_STDVGA || !(pci_rd(bdf, 4) & 2)) return;
    const u32 bar = pci_rd(bdf, 0x18);
    if (bar & 1 || !(bar & ~15u)) return;
    if (phys_rd(bar & ~15u) != 0xffffff00) return;
    for (u8 i = 0; i < 128; i += 4) st32(seg, data + i, phys_rd((bar & ~15u) + i));
    /* An interrupted or read-only copy is no EDID: its header or its sum is wrong. */
    if (ld32(seg, data) == 0xffffff00 && edid_sum(seg, data) == 0)
        st16(seg, (u16)(u32)edid_valid, 1);
}

/* Offset of the EDID block in the ROM, 0 if the monitor has none. */
u16 edid_offset(void)
{
    extern const ROM u8 edid_valid[], edid_data[];
    return edid_valid[0] ? (u16)(u32)edid_data : 0;
}
